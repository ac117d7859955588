/* SPDX-License-Identifier: MIT */
/* The steps of a poll, driven by a script of what each step finds. A pass: the steps come in the
 * race-free order (armed, dequeued once more, only then asleep), armed at most once for each
 * notification, and a poll never sleeps twice nor longer than it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rio/rio_wait.h"
#include "unit/random.h"

static uint64_t seed;

static void expect(rs_rio_waiter *waiter, uint64_t now_ns, bool found, rs_rio_step step) {
    assert_int_equal(rs_rio_wait_next(waiter, now_ns, found), step);
}

static void test_wait_notify_on_an_empty_queue_arms_then_looks_again_then_sleeps(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 20, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1000, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1000, false, RS_RIO_STEP_ARM);
    rs_rio_wait_armed(&waiter);
    expect(&waiter, 1000, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1000, false, RS_RIO_STEP_SLEEP);
    assert_true(rs_rio_wait_sleep_ns(&waiter, 1000) == RS_FOREVER);
    rs_rio_wait_fired(&waiter);
    expect(&waiter, 2000, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 2000, true, RS_RIO_STEP_RETURN);
}

static void test_wait_notify_with_results_arms_nothing(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, true, RS_RIO_STEP_RETURN);
    assert_false(waiter.armed);
}

static void test_wait_notify_found_after_arming_stays_armed_for_the_next_poll(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, false, RS_RIO_STEP_ARM);
    rs_rio_wait_armed(&waiter);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, true, RS_RIO_STEP_RETURN);
    rs_rio_wait_begin(&waiter, RS_FOREVER); /* not armed twice: RIONotify is one-shot */
    expect(&waiter, 2, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 2, false, RS_RIO_STEP_SLEEP);
    rs_rio_wait_fired(&waiter); /* the late packet: nothing is behind it */
    expect(&waiter, 2, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 2, false, RS_RIO_STEP_RETURN);
}

static void test_wait_woken_by_another_packet_returns_still_armed(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, false, RS_RIO_STEP_ARM);
    rs_rio_wait_armed(&waiter);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, false, RS_RIO_STEP_SLEEP);
    expect(&waiter, 2, true, RS_RIO_STEP_RETURN);
    assert_true(waiter.armed);
}

static void test_wait_without_time_looks_at_queue_and_port_once_and_returns(void **state) {
    static const rs_rio_wait_mode modes[] = {RS_RIO_WAIT_POLL, RS_RIO_WAIT_SPIN,
                                             RS_RIO_WAIT_NOTIFY};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        rs_rio_waiter waiter;
        rs_rio_wait_init(&waiter, modes[i], 20, 0);
        rs_rio_wait_begin(&waiter, 0);
        expect(&waiter, 0, false, RS_RIO_STEP_DEQUEUE);
        expect(&waiter, 0, false, RS_RIO_STEP_PORT);
        expect(&waiter, 0, false, RS_RIO_STEP_RETURN);
        assert_false(waiter.armed);
    }
}

static void test_wait_poll_mode_never_arms_nor_sleeps_and_ends_in_time(void **state) {
    rs_rio_waiter waiter;
    uint64_t now_ns = 1;
    uint32_t ports = 0;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_POLL, 20, 0);
    rs_rio_wait_begin(&waiter, 1000000);
    for (uint32_t i = 0; i < 10000; i++) {
        rs_rio_step step = rs_rio_wait_next(&waiter, now_ns, false);
        now_ns += 1000;
        ports += step == RS_RIO_STEP_PORT;
        assert_true(step != RS_RIO_STEP_ARM && step != RS_RIO_STEP_SLEEP);
        if (step == RS_RIO_STEP_RETURN) {
            break;
        }
    }
    assert_true(now_ns - 1 >= 1000000 && now_ns - 1 < 1010000);
    assert_in_range(ports, 3, 5); /* every RS_RIO_PORT_LOOK_NS */
}

static void test_wait_spin_mode_spins_for_its_budget_then_sleeps(void **state) {
    rs_rio_waiter waiter;
    uint64_t now_ns = 1;
    uint32_t dequeues = 0;
    rs_rio_step step;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_SPIN, 50, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    while ((step = rs_rio_wait_next(&waiter, now_ns, false)) == RS_RIO_STEP_DEQUEUE) {
        dequeues++;
        now_ns += 1000;
        assert_true(dequeues < 100);
    }
    assert_int_equal(step, RS_RIO_STEP_ARM);
    assert_in_range(dequeues, 49, 52);
}

/* An idle poll whose queue stays empty, up to its sleep; the dequeues before it armed. */
static uint32_t miss_poll(rs_rio_waiter *waiter, uint64_t *now_ns) {
    uint32_t dequeues = 0;
    rs_rio_step step;
    rs_rio_wait_begin(waiter, RS_FOREVER);
    while ((step = rs_rio_wait_next(waiter, *now_ns, false)) == RS_RIO_STEP_DEQUEUE) {
        dequeues++;
        *now_ns += 1000;
        assert_true(dequeues < 100);
    }
    assert_int_equal(step, RS_RIO_STEP_ARM);
    rs_rio_wait_armed(waiter);
    expect(waiter, *now_ns, false, RS_RIO_STEP_DEQUEUE);
    expect(waiter, *now_ns, false, RS_RIO_STEP_SLEEP);
    rs_rio_wait_fired(waiter);
    expect(waiter, *now_ns, false, RS_RIO_STEP_DEQUEUE);
    expect(waiter, *now_ns, true, RS_RIO_STEP_RETURN);
    return dequeues;
}

static void test_wait_spins_that_miss_become_rare_and_one_that_finds_ends_that(void **state) {
    /* one miss, one sleep without; two; four; and no more than four */
    static const uint32_t without[] = {1, 2, 4, 4};
    rs_rio_waiter waiter;
    uint64_t now_ns = 1;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_SPIN, 10, 4);
    for (uint32_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        assert_in_range(miss_poll(&waiter, &now_ns), 9, 12);
        for (uint32_t sleeps = 0; sleeps < without[i]; sleeps++) {
            assert_int_equal(miss_poll(&waiter, &now_ns), 1);
        }
    }
    assert_int_equal(waiter.spins_missed, 4);
    assert_int_equal(waiter.spins_found, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, now_ns, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, now_ns, false, RS_RIO_STEP_DEQUEUE); /* the spin: finds something */
    expect(&waiter, now_ns, true, RS_RIO_STEP_RETURN);
    assert_int_equal(waiter.spins_found, 1);
    assert_in_range(miss_poll(&waiter, &now_ns), 9, 12);
    assert_int_equal(miss_poll(&waiter, &now_ns), 1);
    assert_in_range(miss_poll(&waiter, &now_ns), 9, 12); /* one sleep again, not four */
    assert_int_equal(waiter.spins_missed, 6);
}

static void test_wait_spin_without_back_off_spins_before_every_sleep(void **state) {
    rs_rio_waiter waiter;
    uint64_t now_ns = 1;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_SPIN, 10, 0);
    for (uint32_t i = 0; i < 20; i++) {
        assert_in_range(miss_poll(&waiter, &now_ns), 9, 12);
    }
    assert_int_equal(waiter.spins_missed, 20);
}

/* What was found at once needed no spin, and what ended by its time was neither. */
static void test_wait_counts_only_spins_that_were_decided(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_SPIN, 10, 4);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, true, RS_RIO_STEP_RETURN);
    rs_rio_wait_begin(&waiter, 2000);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 3000, false, RS_RIO_STEP_PORT);
    expect(&waiter, 3000, false, RS_RIO_STEP_RETURN);
    assert_int_equal(waiter.spins_found + waiter.spins_missed, 0);
}

static void test_wait_busy_queue_does_not_starve_the_port(void **state) {
    rs_rio_waiter waiter;
    uint32_t ports = 0;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    for (uint32_t i = 0; i < 10 * RS_RIO_BUSY_POLLS_MAX; i++) {
        rs_rio_step step;
        rs_rio_wait_begin(&waiter, RS_FOREVER);
        expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
        step = rs_rio_wait_next(&waiter, 1, true);
        if (step == RS_RIO_STEP_PORT) {
            ports++;
            step = rs_rio_wait_next(&waiter, 1, true);
        }
        assert_int_equal(step, RS_RIO_STEP_RETURN);
    }
    assert_int_equal(ports, 10);
}

static void test_wait_full_batches_bring_the_port_its_turn_sooner(void **state) {
    rs_rio_waiter waiter;
    (void)state;
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    rs_rio_wait_took(&waiter, RS_RIO_BUSY_POLLS_MAX * RS_RIO_BUSY_COMPLETIONS);
    expect(&waiter, 1, true, RS_RIO_STEP_PORT);
    expect(&waiter, 1, true, RS_RIO_STEP_RETURN);
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    expect(&waiter, 1, false, RS_RIO_STEP_DEQUEUE);
    expect(&waiter, 1, true, RS_RIO_STEP_RETURN);
}

/* One random poll against a model of the notification; returns false when it did not end. */
static bool random_poll(rs_rio_waiter *waiter, test_random *random, bool *pending) {
    int64_t timeout_ns = test_random_below(random, 2) == 0 ? RS_FOREVER : 3000;
    uint64_t now_ns = 1000;
    bool found = false, dequeued_since_arm = true;
    uint32_t sleeps = 0;
    rs_rio_wait_begin(waiter, timeout_ns);
    for (uint32_t i = 0; i < 1000; i++) {
        rs_rio_step step = rs_rio_wait_next(waiter, now_ns, found);
        now_ns += test_random_below(random, 2000);
        switch (step) {
        case RS_RIO_STEP_RETURN:
            return true;
        case RS_RIO_STEP_ARM:
            assert_false(*pending); /* never while one is still to come */
            *pending = true;
            dequeued_since_arm = false;
            rs_rio_wait_armed(waiter);
            break;
        case RS_RIO_STEP_DEQUEUE:
            dequeued_since_arm = true;
            found = found || test_random_below(random, 4) == 0;
            break;
        default:
            sleeps += step == RS_RIO_STEP_SLEEP;
            assert_true(step != RS_RIO_STEP_SLEEP || (dequeued_since_arm && *pending && !found));
            assert_true(sleeps <= 1);
            if (*pending && test_random_below(random, 2) == 0) {
                *pending = false;
                rs_rio_wait_fired(waiter);
            } else {
                found = found || test_random_below(random, 2) == 0;
            }
            break;
        }
    }
    return false;
}

static void test_wait_random_polls_keep_the_order_of_arming_and_sleeping(void **state) {
    test_random random = {.state = seed};
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        rs_rio_waiter waiter;
        bool pending = false;
        rs_rio_wait_init(&waiter, i % 2 == 0 ? RS_RIO_WAIT_NOTIFY : RS_RIO_WAIT_SPIN, 5, i % 3);
        for (uint32_t polls = 0; polls < 8; polls++) {
            assert_true(random_poll(&waiter, &random, &pending));
            assert_int_equal(waiter.armed, pending);
        }
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_notify_on_an_empty_queue_arms_then_looks_again_then_sleeps),
        cmocka_unit_test(test_wait_notify_with_results_arms_nothing),
        cmocka_unit_test(test_wait_notify_found_after_arming_stays_armed_for_the_next_poll),
        cmocka_unit_test(test_wait_woken_by_another_packet_returns_still_armed),
        cmocka_unit_test(test_wait_without_time_looks_at_queue_and_port_once_and_returns),
        cmocka_unit_test(test_wait_poll_mode_never_arms_nor_sleeps_and_ends_in_time),
        cmocka_unit_test(test_wait_spin_mode_spins_for_its_budget_then_sleeps),
        cmocka_unit_test(test_wait_spins_that_miss_become_rare_and_one_that_finds_ends_that),
        cmocka_unit_test(test_wait_spin_without_back_off_spins_before_every_sleep),
        cmocka_unit_test(test_wait_counts_only_spins_that_were_decided),
        cmocka_unit_test(test_wait_busy_queue_does_not_starve_the_port),
        cmocka_unit_test(test_wait_full_batches_bring_the_port_its_turn_sooner),
        cmocka_unit_test(test_wait_random_polls_keep_the_order_of_arming_and_sleeping),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
