/* SPDX-License-Identifier: MIT */
/* The wheel against a naive model: a table of the tick at which each item must fire. Random
 * scripts arm, move, cancel and advance the clock by nothing, by little, by jumps over a turn of
 * the wheel, and backwards; handlers arm and cancel while items are handed out. Passes when each
 * advance hands out exactly the items that the model says are due, each once, and the sleep that
 * the wheel proposes never passes the next of them. */
#include "core/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "unit/random.h"

#define ITEMS 61u
#define SCRIPTS 300u
#define STEPS 400u
#define TURN_MS ((uint64_t)RS_TIMER_WHEEL_SLOTS * RS_TIMER_TICK_MS)

typedef struct model {
    rs_timers timers;
    rs_timer_node nodes[ITEMS];
    bool armed[ITEMS];
    uint64_t due[ITEMS]; /* tick */
    bool may[ITEMS];     /* armed for the past by a handler: this advance or the next tick */
    uint64_t now_ms;     /* what the clock says; may go back */
    uint64_t tick;       /* the latest it has said */
    uint32_t fired;
    test_random random;
} model;

static uint64_t seed;

static uint64_t tick_at(uint64_t ms) {
    return (ms + RS_TIMER_TICK_MS - 1) / RS_TIMER_TICK_MS;
}

static void model_arm(model *m, uint32_t item, uint64_t deadline_ms, bool in_handler) {
    const uint64_t tick = tick_at(deadline_ms);
    rs_timers_arm(&m->timers, item, deadline_ms);
    m->armed[item] = true;
    m->due[item] = tick > m->tick ? tick : m->tick + 1;
    m->may[item] = in_handler && tick <= m->tick;
}

static void model_cancel(model *m, uint32_t item) {
    rs_timers_cancel(&m->timers, item);
    m->armed[item] = false;
}

/* Deadlines around the present, on and beside tick borders, turns ahead, and in the past. */
static uint64_t model_deadline(model *m) {
    const uint64_t base = m->tick * RS_TIMER_TICK_MS;
    switch (test_random_below(&m->random, 6)) {
    case 0:
        return base + test_random_below(&m->random, 50);
    case 1:
        return base + test_random_below(&m->random, (uint32_t)TURN_MS);
    case 2:
        return base + TURN_MS * test_random_below(&m->random, 4) +
               test_random_below(&m->random, 25);
    case 3:
        return base + test_random_below(&m->random, 20) * RS_TIMER_TICK_MS;
    case 4:
        return base - test_random_below(&m->random, (uint32_t)(base < 5000 ? base + 1 : 5000));
    default:
        return base + test_random_next(&m->random) % (10 * TURN_MS);
    }
}

static void model_handler(model *m) {
    const uint32_t item = test_random_below(&m->random, ITEMS);
    switch (test_random_below(&m->random, 4)) {
    case 0:
        model_arm(m, item, model_deadline(m), true);
        break;
    case 1:
        model_cancel(m, item);
        break;
    default:
        break; /* most handlers touch no timer */
    }
}

static void model_drain(model *m) {
    uint32_t item;
    uint32_t rounds = 0;
    while ((item = rs_timers_take_expired(&m->timers, m->now_ms)) != RS_TIMER_NONE) {
        assert_in_range(item, 0, ITEMS - 1);
        assert_true(m->armed[item]);
        assert_true(m->due[item] <= m->tick || m->may[item]);
        assert_false(rs_timers_is_armed(&m->timers, item));
        m->armed[item] = false;
        m->fired++;
        model_handler(m);
        assert_true(++rounds < 100000u);
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        assert_true(!m->armed[i] || m->due[i] > m->tick); /* nothing due was kept back */
        m->may[i] = false;
    }
    assert_int_equal(rs_timers_take_expired(&m->timers, m->now_ms), RS_TIMER_NONE);
}

static void model_advance(model *m) {
    switch (test_random_below(&m->random, 8)) {
    case 0:
        break; /* the clock stands */
    case 1:
        m->now_ms -= test_random_below(&m->random, (uint32_t)(m->now_ms < 300 ? 1 : 300));
        break;
    case 2:
        m->now_ms += test_random_below(&m->random, (uint32_t)(3 * TURN_MS));
        break;
    case 3:
        m->now_ms += TURN_MS - 20 + test_random_below(&m->random, 40);
        break;
    case 4:
        m->now_ms += test_random_next(&m->random) % (20 * TURN_MS);
        break;
    default:
        m->now_ms += test_random_below(&m->random, 200);
        break;
    }
    const uint64_t tick = m->now_ms / RS_TIMER_TICK_MS;
    m->tick = tick > m->tick ? tick : m->tick;
}

static void model_check(const model *m) {
    const uint64_t sleep_ms = rs_timers_next_ms(&m->timers, m->now_ms);
    uint32_t count = 0;
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < ITEMS; i++) {
        assert_int_equal(rs_timers_is_armed(&m->timers, i), m->armed[i]);
        count += m->armed[i];
        next = m->armed[i] && m->due[i] < next ? m->due[i] : next;
    }
    assert_int_equal(m->timers.armed_count, count);
    if (count == 0) {
        assert_true(sleep_ms == UINT64_MAX);
    } else {
        assert_true(sleep_ms > 0); /* all that was due has been handed out */
        assert_true(m->now_ms + sleep_ms <= next * RS_TIMER_TICK_MS);
    }
}

static void run_script(uint64_t script_seed, model *m) {
    m->random.state = script_seed;
    m->now_ms = test_random_next(&m->random) % 100000u;
    m->tick = m->now_ms / RS_TIMER_TICK_MS;
    memset(m->armed, 0, sizeof m->armed);
    memset(m->nodes, 0x5A, sizeof m->nodes);
    rs_timers_init(&m->timers, m->nodes, ITEMS, m->now_ms);
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t item = test_random_below(&m->random, ITEMS);
        switch (test_random_below(&m->random, 8)) {
        case 0:
            model_cancel(m, item);
            break;
        case 1:
        case 2:
            model_advance(m);
            model_drain(m);
            break;
        default:
            model_arm(m, item, model_deadline(m), false);
            break;
        }
        model_check(m);
    }
}

static void test_timer_random_scripts_follow_the_model(void **state) {
    (void)state;
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    for (uint32_t i = 0; i < SCRIPTS; i++) {
        run_script(seed + i, m);
    }
    assert_true(m->fired > SCRIPTS * 10u);
    free(m);
}

/* A wheel of its own for the cases that follow. */
static rs_timers timers;
static rs_timer_node nodes[ITEMS];

static void test_timer_deadline_fires_at_its_tick_and_not_before(void **state) {
    (void)state;
    for (uint64_t deadline_ms = 1001; deadline_ms < 1200; deadline_ms++) {
        const uint64_t at_ms = tick_at(deadline_ms) * RS_TIMER_TICK_MS;
        rs_timers_init(&timers, nodes, ITEMS, 1000);
        rs_timers_arm(&timers, 3, deadline_ms);
        for (uint64_t now_ms = 1000; now_ms < at_ms; now_ms++) {
            assert_int_equal(rs_timers_take_expired(&timers, now_ms), RS_TIMER_NONE);
        }
        assert_int_equal(rs_timers_take_expired(&timers, at_ms), 3);
        assert_int_equal(rs_timers_take_expired(&timers, at_ms), RS_TIMER_NONE);
    }
}

static void test_timer_partly_drained_jump_keeps_the_rest_when_the_clock_goes_back(void **state) {
    (void)state;
    uint32_t count = 1;
    rs_timers_init(&timers, nodes, ITEMS, 0);
    for (uint32_t i = 0; i < ITEMS; i++) {
        rs_timers_arm(&timers, i, 100 + i * 997u);
    }
    assert_int_not_equal(rs_timers_take_expired(&timers, 50 * TURN_MS), RS_TIMER_NONE);
    assert_int_equal(rs_timers_next_ms(&timers, 0), 0);
    while (rs_timers_take_expired(&timers, 0) != RS_TIMER_NONE) {
        count++;
    }
    assert_int_equal(count, ITEMS);
}

static void test_timer_handler_that_always_arms_for_now_ends(void **state) {
    (void)state;
    uint32_t item, count = 0;
    rs_timers_init(&timers, nodes, ITEMS, 0);
    rs_timers_arm(&timers, 7, 0);
    while ((item = rs_timers_take_expired(&timers, 1000 * TURN_MS)) != RS_TIMER_NONE) {
        rs_timers_arm(&timers, item, 0);
        assert_true(++count <= RS_TIMER_WHEEL_SLOTS + 1u);
    }
    assert_true(rs_timers_is_armed(&timers, 7));
}

static void test_timer_standing_clock_fires_nothing_armed_for_the_past(void **state) {
    (void)state;
    rs_timers_init(&timers, nodes, ITEMS, 5000);
    for (uint32_t i = 0; i < 20; i++) {
        rs_timers_arm(&timers, i, i * 300u);
        assert_int_equal(rs_timers_take_expired(&timers, 5000), RS_TIMER_NONE);
    }
    for (uint32_t i = 0; i < 17; i++) {
        assert_int_not_equal(rs_timers_take_expired(&timers, 5010), RS_TIMER_NONE);
    }
    assert_int_equal(rs_timers_take_expired(&timers, 5010), RS_TIMER_NONE);
}

static void test_timer_sleeping_as_told_wakes_rarely_and_in_time(void **state) {
    (void)state;
    uint64_t now_ms = 12345;
    uint32_t wakes = 0;
    rs_timers_init(&timers, nodes, ITEMS, now_ms);
    rs_timers_arm(&timers, 0, now_ms + 60000);
    rs_timers_arm(&timers, 1, now_ms + 20);
    rs_timers_cancel(&timers, 1); /* leaves a bound that is too early */
    while (rs_timers_is_armed(&timers, 0)) {
        now_ms += rs_timers_next_ms(&timers, now_ms);
        (void)rs_timers_take_expired(&timers, now_ms);
        assert_true(++wakes < 12);
    }
    assert_int_equal(now_ms, tick_at(12345 + 60000) * RS_TIMER_TICK_MS);
}

static void test_timer_deadline_at_the_end_of_time_never_fires(void **state) {
    (void)state;
    rs_timers_init(&timers, nodes, ITEMS, 1000);
    rs_timers_arm(&timers, 0, UINT64_MAX);
    assert_true(rs_timers_next_ms(&timers, 1000) > TURN_MS);
    assert_int_equal(rs_timers_take_expired(&timers, UINT64_MAX / 2), RS_TIMER_NONE);
    assert_true(rs_timers_is_armed(&timers, 0));
    assert_true(rs_timers_next_ms(&timers, UINT64_MAX / 2) > 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer_random_scripts_follow_the_model),
        cmocka_unit_test(test_timer_deadline_fires_at_its_tick_and_not_before),
        cmocka_unit_test(test_timer_partly_drained_jump_keeps_the_rest_when_the_clock_goes_back),
        cmocka_unit_test(test_timer_handler_that_always_arms_for_now_ends),
        cmocka_unit_test(test_timer_standing_clock_fires_nothing_armed_for_the_past),
        cmocka_unit_test(test_timer_sleeping_as_told_wakes_rarely_and_in_time),
        cmocka_unit_test(test_timer_deadline_at_the_end_of_time_never_fires),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
