/* SPDX-License-Identifier: MIT */
/* Schedules of several sizes, walked whole: each run exactly once, a dropped round first, pairs
 * near in time, late scenarios last, the order that of the seed. The bisection against a server
 * whose capacity is known. */
#include "compare/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define SERVERS 3u
#define SCENARIOS 4u
#define REPEATS 5u

static const rs_schedule schedule = {
    .servers = SERVERS, .repeats = REPEATS, .early = 3, .late = SCENARIOS - 3};

/* Every run that counts once, and every pair of scenario and server once before it, dropped. */
static void test_schedule_has_each_run_exactly_once(void **state) {
    (void)state;
    uint32_t seen[SERVERS][SCENARIOS][REPEATS], dropped[SERVERS][SCENARIOS];
    memset(seen, 0, sizeof seen);
    memset(dropped, 0, sizeof dropped);
    assert_int_equal(rs_schedule_count(&schedule), SERVERS + SERVERS * SCENARIOS * (REPEATS + 1));
    for (uint32_t i = 0; i < rs_schedule_count(&schedule); i++) {
        const rs_turn turn = rs_schedule_turn(&schedule, i);
        assert_int_equal(turn.warmup, i < SERVERS);
        assert_true(turn.dropped || !turn.warmup);
        assert_true(turn.server < SERVERS && turn.scenario < SCENARIOS && turn.repeat < REPEATS);
        if (!turn.dropped) {
            assert_int_equal(dropped[turn.server][turn.scenario], 1); /* its first comes before */
            seen[turn.server][turn.scenario][turn.repeat]++;
        } else if (!turn.warmup) {
            dropped[turn.server][turn.scenario]++;
        }
    }
    for (uint32_t i = 0; i < sizeof seen / sizeof(uint32_t); i++) {
        assert_int_equal((&seen[0][0][0])[i], 1);
    }
}

/* The servers of a scenario come one after the other, in each order about equally often. */
static void test_schedule_order_within_a_round_is_random(void **state) {
    (void)state;
    enum { ROUNDS = 1200 };
    const rs_schedule three = {.servers = 3, .repeats = ROUNDS - 1, .early = 2, .seed = 7};
    uint32_t first[3] = {0}, order[2] = {0};
    for (uint32_t i = 3; i < rs_schedule_count(&three); i += 3) {
        const rs_turn a = rs_schedule_turn(&three, i), b = rs_schedule_turn(&three, i + 1);
        const rs_turn c = rs_schedule_turn(&three, i + 2);
        assert_true(a.scenario == b.scenario && b.scenario == c.scenario);
        assert_true(a.repeat == b.repeat && b.repeat == c.repeat);
        first[a.server]++;
        order[b.server > c.server]++;
        assert_int_equal(a.server + b.server + c.server, 3);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(first[i] > 2 * ROUNDS / 3 - 120 && first[i] < 2 * ROUNDS / 3 + 120);
    }
    assert_true(order[0] > ROUNDS - 150 && order[0] < ROUNDS + 150);
}

static bool same_order(const rs_schedule *a, const rs_schedule *b) {
    for (uint32_t i = 0; i < rs_schedule_count(a); i++) {
        const rs_turn x = rs_schedule_turn(a, i), y = rs_schedule_turn(b, i);
        if (x.server != y.server || x.scenario != y.scenario) {
            return false;
        }
    }
    return true;
}

static void test_schedule_order_is_that_of_the_seed(void **state) {
    (void)state;
    rs_schedule other = schedule;
    assert_true(same_order(&schedule, &other));
    other.seed = 1;
    assert_false(same_order(&schedule, &other));
}

static void test_schedule_late_scenarios_come_after_all_early_ones(void **state) {
    (void)state;
    bool late = false;
    for (uint32_t i = 0; i < rs_schedule_count(&schedule); i++) {
        const bool is_late = rs_schedule_turn(&schedule, i).scenario >= schedule.early;
        assert_true(is_late || !late);
        late = is_late;
    }
    assert_true(late);
}

/* So a cell of a map is whole before the next one begins. */
static void test_schedule_by_scenario_ends_one_before_the_next(void **state) {
    rs_schedule map = {.servers = 3, .repeats = 4, .early = 70, .seed = 7, .by_scenario = true};
    const uint32_t own = map.servers * (map.repeats + 1);
    uint32_t seen[70][3] = {{0}}, dropped = 0;
    (void)state;
    for (uint32_t i = map.servers; i < rs_schedule_count(&map); i++) {
        const rs_turn turn = rs_schedule_turn(&map, i);
        assert_int_equal(turn.scenario, (i - map.servers) / own);
        assert_int_equal(turn.dropped, (i - map.servers) % own < map.servers);
        assert_false(turn.warmup);
        dropped += turn.dropped ? 1 : 0;
        seen[turn.scenario][turn.server] += turn.dropped ? 0 : 1u << (8 * turn.repeat);
    }
    assert_int_equal(rs_schedule_count(&map), map.servers + 70 * own);
    assert_int_equal(dropped, 70 * map.servers);
    for (uint32_t i = 0; i < 70 * map.servers; i++) {
        assert_int_equal((&seen[0][0])[i], 0x01010101);
    }
}

static void test_schedule_skipped_pairs_are_neither_counted_nor_waited_for(void **state) {
    (void)state;
    bool skip[SCENARIOS * SERVERS] = {false};
    const double cost_s[SERVERS] = {1, 10, 100}, factor[SCENARIOS] = {1, 1, 1, 1};
    rs_schedule some = schedule;
    uint32_t taken = 0;
    skip[2 * SERVERS + 1] = true;
    some.skip = skip;
    for (uint32_t i = 0; i < rs_schedule_count(&some); i++) {
        const rs_turn turn = rs_schedule_turn(&some, i);
        const bool skipped = rs_schedule_skips(&some, &turn);
        assert_int_equal(rs_schedule_taken(&some, i), taken);
        assert_int_equal(skipped, !turn.warmup && turn.scenario == 2 && turn.server == 1);
        taken += skipped ? 0 : 1;
    }
    assert_int_equal(taken, SERVERS + (SERVERS * SCENARIOS - 1) * (REPEATS + 1));
    assert_int_equal(rs_schedule_taken(&some, rs_schedule_count(&some)), taken);
    assert_true(fabs(rs_schedule_left_s(&schedule, 0, cost_s, factor) -
                     rs_schedule_left_s(&some, 0, cost_s, factor) - 10.0 * (REPEATS + 1)) < 1e-9);
}

/* Rounds beyond the common ones are those of the pairs that want more, now. */
static void test_schedule_extra_rounds_are_of_those_that_want_more(void **state) {
    (void)state;
    bool more[SCENARIOS * SERVERS] = {false};
    const double cost_s[SERVERS] = {1, 10, 100}, factor[SCENARIOS] = {1, 1, 1, 1};
    rs_schedule some = schedule;
    some.extra = 2;
    some.more = more;
    const uint32_t count = rs_schedule_count(&some), plain = rs_schedule_count(&schedule);
    assert_int_equal(count, plain + 2 * SERVERS * SCENARIOS);
    assert_int_equal(rs_schedule_taken(&some, count), plain);
    more[SCENARIOS * SERVERS - 1] = true; /* the late scenario's last server */
    more[1] = true;
    assert_int_equal(rs_schedule_taken(&some, count), plain + 4);
    assert_true(fabs(rs_schedule_left_s(&some, 0, cost_s, factor) -
                     rs_schedule_left_s(&schedule, 0, cost_s, factor) - 220) < 1e-9);
    for (uint32_t i = 0; i < count; i++) {
        const rs_turn turn = rs_schedule_turn(&some, i);
        const bool wanted = (turn.scenario == 0 && turn.server == 1) ||
                            (turn.scenario == SCENARIOS - 1 && turn.server == SERVERS - 1);
        assert_int_equal(rs_schedule_skips(&some, &turn), turn.repeat >= REPEATS && !wanted);
        assert_true(turn.repeat < REPEATS + 2);
    }
    some.more = NULL;
    assert_int_equal(rs_schedule_taken(&some, count), plain);
}

static void test_schedule_only_late_scenarios_work_too(void **state) {
    (void)state;
    const rs_schedule late = {.servers = 2, .repeats = 2, .early = 0, .late = 2};
    assert_int_equal(rs_schedule_count(&late), 14);
    assert_int_equal(rs_schedule_turn(&late, 13).repeat, 1);
}

static void test_schedule_time_left_is_the_sum_of_what_is_left(void **state) {
    (void)state;
    const rs_schedule two = {.servers = 2, .repeats = 1, .early = 1, .late = 1};
    const double cost[] = {1, 10}, factor[] = {1, 2};
    /* Warm-up 1 + 10; early 1 + 10, twice; late 2 + 20, twice. */
    assert_true(fabs(rs_schedule_left_s(&two, 0, cost, factor) - 77) < 1e-9);
    assert_true(fabs(rs_schedule_left_s(&two, 8, cost, factor) - 22) < 1e-9);
    assert_true(fabs(rs_schedule_left_s(&two, 10, cost, factor)) < 1e-9);
}

static double search(double capacity, double start, uint32_t steps) {
    rs_bisect bisect;
    uint32_t good = 0, bad = 0;
    bool held;
    rs_bisect_init(&bisect, start, steps);
    do {
        held = bisect.next <= capacity;
        good += held;
        bad += !held;
    } while (rs_bisect_feed(&bisect, held));
    assert_int_equal(good + bad / 2, steps + (bisect.good > 0 ? 1 : 0));
    return bisect.result;
}

static void test_schedule_bisection_finds_the_capacity_from_both_sides(void **state) {
    (void)state;
    const double from_below = search(1000, 300, 12), from_above = search(1000, 5000, 12);
    assert_true(from_below <= 1000 && from_below > 980);
    assert_true(from_above <= 1000 && from_above > 980);
}

static void test_schedule_bisection_without_any_good_rate_says_zero(void **state) {
    (void)state;
    assert_true(fabs(search(0, 300, 7)) < 1e-9);
}

/* One stall, wherever it falls, changes nothing. */
static void test_schedule_bisection_one_failure_is_forgiven(void **state) {
    (void)state;
    for (uint32_t stall = 0; stall < 8; stall++) {
        rs_bisect bisect;
        uint32_t taken = 0;
        bool held;
        rs_bisect_init(&bisect, 600, 7);
        do {
            held = bisect.next <= 1000 && taken != stall;
            taken++;
        } while (rs_bisect_feed(&bisect, held));
        assert_true(bisect.result <= 1000 && bisect.result > 980);
    }
}

/* The search was lucky: what it found is more than the server can hold again. */
static void test_schedule_bisection_a_rate_must_hold_again(void **state) {
    (void)state;
    rs_bisect bisect;
    double last = 0;
    uint32_t taken = 0;
    rs_bisect_init(&bisect, 1000, 2);
    assert_true(rs_bisect_feed(&bisect, true));
    assert_true(rs_bisect_feed(&bisect, true)); /* 2,000 */
    do {
        taken++;
        last = bisect.next;
    } while (rs_bisect_feed(&bisect, last <= 1500));
    assert_int_equal(taken, 7); /* 2000, 1800, 1620 twice each, 1458 */
    assert_true(fabs(bisect.result - 1458) < 1e-6 && fabs(last - bisect.result) < 1e-9);
}

static void test_schedule_bisection_that_nothing_confirms_says_zero(void **state) {
    (void)state;
    rs_bisect bisect;
    uint32_t taken = 0;
    rs_bisect_init(&bisect, 1000, 1);
    assert_true(rs_bisect_feed(&bisect, true));
    do {
        taken++;
    } while (rs_bisect_feed(&bisect, false));
    assert_int_equal(taken, RS_BISECT_CONFIRMS * 2);
    assert_true(fabs(bisect.result) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_has_each_run_exactly_once),
        cmocka_unit_test(test_schedule_order_within_a_round_is_random),
        cmocka_unit_test(test_schedule_order_is_that_of_the_seed),
        cmocka_unit_test(test_schedule_late_scenarios_come_after_all_early_ones),
        cmocka_unit_test(test_schedule_by_scenario_ends_one_before_the_next),
        cmocka_unit_test(test_schedule_skipped_pairs_are_neither_counted_nor_waited_for),
        cmocka_unit_test(test_schedule_extra_rounds_are_of_those_that_want_more),
        cmocka_unit_test(test_schedule_only_late_scenarios_work_too),
        cmocka_unit_test(test_schedule_time_left_is_the_sum_of_what_is_left),
        cmocka_unit_test(test_schedule_bisection_finds_the_capacity_from_both_sides),
        cmocka_unit_test(test_schedule_bisection_one_failure_is_forgiven),
        cmocka_unit_test(test_schedule_bisection_a_rate_must_hold_again),
        cmocka_unit_test(test_schedule_bisection_that_nothing_confirms_says_zero),
        cmocka_unit_test(test_schedule_bisection_without_any_good_rate_says_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
