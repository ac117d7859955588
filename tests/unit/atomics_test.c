/* SPDX-License-Identifier: MIT */
/* Each atomic operation alone, with its result and its effect, at the ends of its range; then,
 * where POSIX threads exist, four threads on one counter and a hand-over of plain data under a
 * flag (for the thread sanitizer to judge). */
#include "seam/atomics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#if !defined(_WIN32)
#include <pthread.h>
#include <sched.h>
#endif

static void test_atomics_store_then_load_gives_the_value(void **state) {
    (void)state;
    static const uint64_t values[] = {0,          1,          0x7FFFFFFFu,      0x80000000u,
                                      UINT32_MAX, UINT64_MAX, UINT64_C(1) << 63};
    rs_atomic_u32 a = {0};
    rs_atomic_u64 b = {0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        rs_atomic_store_u32(&a, (uint32_t)values[i]);
        rs_atomic_store_u64(&b, values[i]);
        assert_true(rs_atomic_load_u32(&a) == (uint32_t)values[i]);
        assert_true(rs_atomic_load_u64(&b) == values[i]);
    }
}

static void test_atomics_exchange_returns_the_value_before(void **state) {
    (void)state;
    rs_atomic_u32 a = {0};
    rs_atomic_store_u32(&a, UINT32_MAX);
    assert_true(rs_atomic_exchange_u32(&a, 5) == UINT32_MAX);
    assert_true(rs_atomic_load_u32(&a) == 5);
}

static void test_atomics_add_returns_the_value_before_and_wraps(void **state) {
    (void)state;
    rs_atomic_u32 a = {0};
    assert_true(rs_atomic_add_u32(&a, 3) == 0);
    assert_true(rs_atomic_add_u32(&a, UINT32_MAX) == 3); /* less one */
    assert_true(rs_atomic_load_u32(&a) == 2);
    assert_true(rs_atomic_add_u32(&a, UINT32_MAX - 1) == 2);
    assert_true(rs_atomic_load_u32(&a) == 0);
}

static void test_atomics_cas_changes_only_what_was_expected(void **state) {
    (void)state;
    rs_atomic_u32 a = {0};
    rs_atomic_store_u32(&a, 7);
    assert_false(rs_atomic_cas_u32(&a, 8, 9));
    assert_true(rs_atomic_load_u32(&a) == 7);
    assert_true(rs_atomic_cas_u32(&a, 7, UINT32_MAX));
    assert_true(rs_atomic_load_u32(&a) == UINT32_MAX);
    assert_true(rs_atomic_cas_u32(&a, UINT32_MAX, 0));
    assert_true(rs_atomic_load_u32(&a) == 0);
}

#if !defined(_WIN32)

#define THREADS 4
#define ROUNDS 20000u
#define HAND_OVERS 500u /* on a busy machine each one waits for a turn of the processor */

typedef struct shared {
    rs_atomic_u32 added, swapped, full;
    uint32_t message; /* plain: guarded by full */
    uint64_t sum;
} shared;

static void *count_up(void *arg) {
    shared *s = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        (void)rs_atomic_add_u32(&s->added, 1);
        uint32_t seen;
        do {
            seen = rs_atomic_load_u32(&s->swapped);
        } while (!rs_atomic_cas_u32(&s->swapped, seen, seen + 1));
    }
    return NULL;
}

static void test_atomics_four_threads_lose_no_count(void **state) {
    (void)state;
    static shared s;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &s), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(rs_atomic_load_u32(&s.added) == THREADS * ROUNDS);
    assert_true(rs_atomic_load_u32(&s.swapped) == THREADS * ROUNDS);
}

static void *take_message(void *arg) {
    shared *s = arg;
    for (uint32_t i = 0; i < HAND_OVERS; i++) {
        while (rs_atomic_load_u32(&s->full) == 0) {
            (void)sched_yield();
        }
        s->sum += s->message;
        rs_atomic_store_u32(&s->full, 0);
    }
    return NULL;
}

static void test_atomics_store_publishes_what_was_written_before(void **state) {
    (void)state;
    static shared s;
    pthread_t taker;
    assert_int_equal(pthread_create(&taker, NULL, take_message, &s), 0);
    for (uint32_t i = 1; i <= HAND_OVERS; i++) {
        while (rs_atomic_load_u32(&s.full) != 0) {
            (void)sched_yield();
        }
        s.message = i;
        rs_atomic_store_u32(&s.full, 1);
    }
    assert_int_equal(pthread_join(taker, NULL), 0);
    assert_true(s.sum == (uint64_t)HAND_OVERS * (HAND_OVERS + 1) / 2);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_atomics_store_then_load_gives_the_value),
        cmocka_unit_test(test_atomics_exchange_returns_the_value_before),
        cmocka_unit_test(test_atomics_add_returns_the_value_before_and_wraps),
        cmocka_unit_test(test_atomics_cas_changes_only_what_was_expected),
#if !defined(_WIN32)
        cmocka_unit_test(test_atomics_four_threads_lose_no_count),
        cmocka_unit_test(test_atomics_store_publishes_what_was_written_before),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
