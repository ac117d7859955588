/* SPDX-License-Identifier: MIT */
/* The ring of records: against a model with one thread, then one writer against one reader. A pass
 * is every record exactly once, in order, its payload intact, and "full" exactly when it must be.
 * Random cases print their seed and take it as an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "seam/os.h"
#include "server/spsc.h"
#include "unit/random.h"

#define CAPACITY 512u
#define LARGEST (CAPACITY / 2u - 16u) /* a record of half the ring */
#define MODEL_RECORDS 64u
#define THREAD_RECORDS 300000u

static uint64_t seed;

/* 16-byte aligned, as the ring asks. */
static uint8_t *ring_memory(void) {
    static uint64_t words[CAPACITY / 8u + 2u];
    uint8_t *at = (uint8_t *)words;
    return at + (16u - (uintptr_t)at % 16u) % 16u;
}

static void fill(uint8_t *payload, uint32_t bytes, uint32_t number) {
    for (uint32_t i = 0; i < bytes; i++) {
        payload[i] = (uint8_t)(number * 31u + i);
    }
}

static void expect_record(const rs_spsc_record *record, uint32_t number, uint32_t bytes) {
    uint8_t payload[CAPACITY];
    fill(payload, bytes, number);
    assert_non_null(record);
    assert_int_equal(record->kind, 1u + number % 7u);
    assert_int_equal(record->value, UINT64_C(0x100000000) * number + 5u);
    assert_int_equal(record->bytes, bytes);
    assert_memory_equal(rs_spsc_payload(record), payload, bytes);
    assert_int_equal((uintptr_t)rs_spsc_payload(record) % 8u, 0);
}

static rs_status push(rs_spsc *ring, uint32_t number, uint32_t bytes) {
    uint8_t payload[CAPACITY];
    fill(payload, bytes, number);
    return rs_spsc_push(ring, 1u + number % 7u, UINT64_C(0x100000000) * number + 5u,
                        bytes > 0 ? payload : NULL, bytes);
}

static void test_spsc_fills_to_the_last_byte_and_says_when_full(void **state) {
    rs_spsc ring;
    (void)state;
    rs_spsc_init(&ring, ring_memory(), CAPACITY);
    for (uint32_t round = 0; round < 3; round++) {
        assert_null(rs_spsc_peek(&ring));
        for (uint32_t i = 0; i < CAPACITY / 32u; i++) {
            assert_int_equal(push(&ring, i, 16), RS_OK);
        }
        assert_int_equal(push(&ring, 99, 0), RS_E_FULL);
        expect_record(rs_spsc_peek(&ring), 0, 16);
        expect_record(rs_spsc_peek(&ring), 0, 16); /* looking twice takes nothing */
        rs_spsc_done(&ring);
        assert_int_equal(push(&ring, 77, 16), RS_OK);
        for (uint32_t i = 1; i < CAPACITY / 32u; i++) {
            expect_record(rs_spsc_peek(&ring), i, 16);
            rs_spsc_done(&ring);
        }
        expect_record(rs_spsc_peek(&ring), 77, 16);
        rs_spsc_done(&ring);
    }
}

static void test_spsc_largest_record_fits_an_empty_ring_anywhere(void **state) {
    (void)state;
    for (uint32_t at = 0; at < CAPACITY / 16u; at++) {
        rs_spsc ring;
        rs_spsc_init(&ring, ring_memory(), CAPACITY);
        for (uint32_t i = 0; i < at; i++) {
            assert_int_equal(push(&ring, i, 0), RS_OK);
            expect_record(rs_spsc_peek(&ring), i, 0);
            rs_spsc_done(&ring);
        }
        assert_int_equal(push(&ring, 1000, LARGEST), RS_OK);
        expect_record(rs_spsc_peek(&ring), 1000, LARGEST);
        rs_spsc_done(&ring);
        assert_null(rs_spsc_peek(&ring));
    }
}

static void test_spsc_positions_may_wrap(void **state) {
    rs_spsc ring;
    const uint32_t near_end = UINT32_MAX - 15u - 16u * 5u;
    (void)state;
    rs_spsc_init(&ring, ring_memory(), CAPACITY);
    /* As if nearly 2^32 bytes had passed. */
    ring.write_at = ring.read_seen = ring.read_at = ring.written_seen = near_end;
    rs_atomic_store_u32(&ring.written, near_end);
    rs_atomic_store_u32(&ring.read, near_end);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(push(&ring, i, i % 100u), RS_OK);
        assert_int_equal(push(&ring, i + 1u, 3), RS_OK);
        expect_record(rs_spsc_peek(&ring), i, i % 100u);
        rs_spsc_done(&ring);
        expect_record(rs_spsc_peek(&ring), i + 1u, 3);
        rs_spsc_done(&ring);
        assert_null(rs_spsc_peek(&ring));
    }
    assert_true(ring.read_at < near_end);
}

/* The ring beside a queue of lengths and ends: full exactly when a record that may not wrap would
 * pass what the reader has not given back. */
static void test_spsc_agrees_with_a_model(void **state) {
    rs_spsc ring;
    test_random random = {.state = seed};
    uint32_t lengths[MODEL_RECORDS] = {0}, head = 0, tail = 0, fulls = 0;
    uint64_t ends[MODEL_RECORDS] = {0}, written = 0, read = 0;
    (void)state;
    rs_spsc_init(&ring, ring_memory(), CAPACITY);
    for (uint32_t turn = 0; turn < 200000u; turn++) {
        if (test_random_below(&random, 16) < (turn / 1000u % 2u ? 6u : 10u)) {
            uint32_t bytes = test_random_below(&random, 8) == 0
                                 ? test_random_below(&random, LARGEST + 1u)
                                 : test_random_below(&random, 40);
            uint64_t need = (bytes + 16u + 15u) / 16u * 16u;
            uint64_t start = written % CAPACITY + need > CAPACITY
                                 ? (written + CAPACITY - 1u) / CAPACITY * CAPACITY
                                 : written;
            bool fits = start + need - read <= CAPACITY;
            assert_int_equal(push(&ring, tail, bytes), fits ? RS_OK : RS_E_FULL);
            if (fits) {
                written = start + need;
                lengths[tail % MODEL_RECORDS] = bytes;
                ends[tail++ % MODEL_RECORDS] = written;
            }
            fulls += fits ? 0u : 1u;
        } else if (head == tail) {
            assert_null(rs_spsc_peek(&ring));
        } else {
            expect_record(rs_spsc_peek(&ring), head, lengths[head % MODEL_RECORDS]);
            rs_spsc_done(&ring);
            read = ends[head++ % MODEL_RECORDS];
        }
    }
    assert_true(fulls > 100 && tail > 10000); /* it did get there */
}

static uint32_t thread_bytes(uint32_t number) {
    return number * 2654435761u >> (number % 64u == 0 ? 24 : 27);
}

static void write_records(void *arg) {
    rs_spsc *ring = arg;
    for (uint32_t i = 0; i < THREAD_RECORDS;) {
        uint32_t bytes = thread_bytes(i);
        if (push(ring, i, bytes < LARGEST ? bytes : LARGEST) == RS_OK) {
            i++;
        } else {
            rs_os_sleep_ms(0);
        }
    }
}

static void test_spsc_two_threads_lose_and_swap_nothing(void **state) {
    rs_spsc ring;
    rs_os_thread *thread;
    rs_error error;
    (void)state;
    rs_spsc_init(&ring, ring_memory(), CAPACITY);
    assert_int_equal(rs_os_thread_start(&thread, write_records, &ring, &error), RS_OK);
    for (uint32_t i = 0; i < THREAD_RECORDS;) {
        const rs_spsc_record *record = rs_spsc_peek(&ring);
        uint32_t bytes = thread_bytes(i);
        if (record == NULL) {
            rs_os_sleep_ms(0);
            continue;
        }
        expect_record(record, i, bytes < LARGEST ? bytes : LARGEST);
        rs_spsc_done(&ring);
        i++;
    }
    rs_os_thread_join(thread);
    assert_null(rs_spsc_peek(&ring));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spsc_fills_to_the_last_byte_and_says_when_full),
        cmocka_unit_test(test_spsc_largest_record_fits_an_empty_ring_anywhere),
        cmocka_unit_test(test_spsc_positions_may_wrap),
        cmocka_unit_test(test_spsc_agrees_with_a_model),
        cmocka_unit_test(test_spsc_two_threads_lose_and_swap_nothing),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests_name("spsc", tests, NULL, NULL);
}
