/* SPDX-License-Identifier: MIT */
/* The mailbox: order and capacity with one thread, then four writers against one reader. A pass
 * is every message exactly once, each writer's in its order, its payload intact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "seam/os.h"
#include "seam/mailbox.h"

#define SLOTS 8u
#define PAYLOAD 24u
#define WRITERS 4u
#define MAILS_PER_WRITER 20000u

static uint8_t memory[SLOTS * 128] = {0};

static void test_mailbox_keeps_order_and_says_when_full(void **state) {
    rs_mailbox box;
    (void)state;
    assert_true(rs_mailbox_slot_bytes(PAYLOAD) <= 128);
    rs_mailbox_init(&box, memory, SLOTS, PAYLOAD);
    for (uint64_t round = 0; round < 5; round++) {
        assert_null(rs_mailbox_peek(&box));
        for (uint64_t i = 0; i < SLOTS; i++) {
            assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, i, NULL, "payload",
                                             (uint32_t)(round + i) % 8u),
                             RS_OK);
        }
        assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, 9, NULL, NULL, 0), RS_E_FULL);
        for (uint64_t i = 0; i < SLOTS; i++) {
            const rs_message *message = rs_mailbox_peek(&box);
            assert_non_null(message);
            assert_int_equal(message->value, i);
            assert_int_equal(message->bytes, (round + i) % 8u);
            assert_memory_equal(message->payload, "payload", message->bytes);
            rs_mailbox_done(&box);
        }
    }
}

/* Pages of payloads that nobody used are not to be resident: 64 workers would keep 256 MiB. */
static void test_mailbox_touches_no_payload_before_it_is_needed(void **state) {
    rs_mailbox box;
    size_t headers = SLOTS * (rs_mailbox_slot_bytes(1) - RS_CACHE_LINE_BYTES);
    (void)state;
    memset(memory, 0xA5, sizeof memory);
    rs_mailbox_init(&box, memory, SLOTS, PAYLOAD);
    for (size_t i = headers; i < sizeof memory; i++) {
        assert_int_equal(memory[i], 0xA5);
    }
}

static void test_mailbox_refuses_a_payload_too_long(void **state) {
    rs_mailbox box;
    uint8_t payload[PAYLOAD + 1] = {0};
    (void)state;
    rs_mailbox_init(&box, memory, SLOTS, PAYLOAD);
    assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, 0, NULL, payload, PAYLOAD + 1),
                     RS_E_INVALID);
    assert_null(rs_mailbox_peek(&box));
    assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, 0, NULL, payload, PAYLOAD), RS_OK);
    rs_mailbox_done(&box);
}

static void test_mailbox_positions_may_wrap(void **state) {
    rs_mailbox box;
    (void)state;
    rs_mailbox_init(&box, memory, SLOTS, PAYLOAD);
    /* As if 2^32 - 76 messages had passed: the end comes at another place of each filling. */
    box.read_position = UINT32_MAX - 75;
    rs_atomic_store_u32(&box.write_position, UINT32_MAX - 75);
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t position = UINT32_MAX - 75 + i;
        rs_message *message = (void *)(memory + (position % SLOTS) * box.slot_bytes);
        rs_atomic_store_u32(&message->turn, position);
    }
    for (uint64_t i = 0; i < 40; i++) { /* full on both sides of the end and across it */
        uint64_t first = i * 3u, n = 0;
        while (n < SLOTS) {
            assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, first + n, NULL, NULL, 0),
                             RS_OK);
            n++;
        }
        assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, 0, NULL, NULL, 0), RS_E_FULL);
        for (n = 0; n < SLOTS; n++) {
            assert_non_null(rs_mailbox_peek(&box));
            assert_int_equal(rs_mailbox_peek(&box)->value, first + n);
            rs_mailbox_done(&box);
        }
        assert_null(rs_mailbox_peek(&box));
        assert_int_equal(rs_mailbox_post(&box, RS_MESSAGE_SEND, i, NULL, NULL, 0), RS_OK);
        assert_int_equal(rs_mailbox_peek(&box)->value, i);
        rs_mailbox_done(&box);
    }
}

typedef struct writer {
    rs_mailbox *box;
    uint32_t number;
} writer;

static void write_messages(void *arg) {
    const writer *w = arg;
    for (uint32_t i = 0; i < MAILS_PER_WRITER;) {
        uint32_t payload[2] = {w->number, i ^ 0xA5A5A5A5u};
        uint64_t value = (uint64_t)w->number << 32 | i;
        if (rs_mailbox_post(w->box, RS_MESSAGE_SEND, value, NULL, payload, sizeof payload) ==
            RS_OK) {
            i++;
        } else {
            rs_os_sleep_ms(0);
        }
    }
}

static void read_one(const rs_message *message, uint32_t *next) {
    uint32_t payload[2];
    uint32_t number = (uint32_t)(message->value >> 32);
    assert_true(number < WRITERS);
    assert_int_equal((uint32_t)message->value, next[number]);
    memcpy(payload, message->payload, sizeof payload);
    assert_int_equal(payload[0], number);
    assert_int_equal(payload[1], next[number] ^ 0xA5A5A5A5u);
    next[number]++;
}

static void test_mailbox_four_writers_lose_and_swap_nothing(void **state) {
    rs_mailbox box;
    rs_os_thread *threads[WRITERS];
    writer writers[WRITERS];
    uint32_t next[WRITERS] = {0};
    rs_error error;
    (void)state;
    rs_mailbox_init(&box, memory, SLOTS, PAYLOAD);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.box = &box, .number = i};
        assert_int_equal(rs_os_thread_start(&threads[i], write_messages, &writers[i], &error),
                         RS_OK);
    }
    for (uint32_t got = 0; got < WRITERS * MAILS_PER_WRITER;) {
        const rs_message *message = rs_mailbox_peek(&box);
        if (message == NULL) {
            rs_os_sleep_ms(0);
            continue;
        }
        read_one(message, next);
        rs_mailbox_done(&box);
        got++;
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        rs_os_thread_join(threads[i]);
        assert_int_equal(next[i], MAILS_PER_WRITER);
    }
    assert_null(rs_mailbox_peek(&box));
}

/* A payload that takes long to copy, and a reader that looks meanwhile. */
enum { LONG_PAYLOAD = 1 << 20, LONG_MAILS = 64 };

static void write_long(void *arg) {
    static uint8_t payload[LONG_PAYLOAD];
    rs_mailbox *box = arg;
    for (uint32_t i = 0; i < LONG_MAILS;) {
        memset(payload, (int)i + 1, LONG_PAYLOAD);
        if (rs_mailbox_post(box, RS_MESSAGE_SEND, i, NULL, payload, LONG_PAYLOAD) == RS_OK) {
            i++;
        } else {
            rs_os_sleep_ms(0);
        }
    }
}

static void test_mailbox_shows_a_message_when_it_is_whole(void **state) {
    uint8_t *slots = calloc(2, rs_mailbox_slot_bytes(LONG_PAYLOAD));
    rs_mailbox box;
    rs_os_thread *thread;
    rs_error error;
    (void)state;
    assert_non_null(slots);
    rs_mailbox_init(&box, slots, 2, LONG_PAYLOAD);
    assert_int_equal(rs_os_thread_start(&thread, write_long, &box, &error), RS_OK);
    for (uint32_t i = 0; i < LONG_MAILS; i++) {
        const rs_message *message;
        while ((message = rs_mailbox_peek(&box)) == NULL) {
            rs_os_relax();
        }
        assert_int_equal(message->payload[LONG_PAYLOAD - 1], i + 1);
        rs_mailbox_done(&box);
    }
    rs_os_thread_join(thread);
    free(slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailbox_keeps_order_and_says_when_full),
        cmocka_unit_test(test_mailbox_touches_no_payload_before_it_is_needed),
        cmocka_unit_test(test_mailbox_refuses_a_payload_too_long),
        cmocka_unit_test(test_mailbox_positions_may_wrap),
        cmocka_unit_test(test_mailbox_four_writers_lose_and_swap_nothing),
        cmocka_unit_test(test_mailbox_shows_a_message_when_it_is_whole),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
