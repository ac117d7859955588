/* SPDX-License-Identifier: MIT */
/* Who needs more rounds, over made-up results: a server whose ratio to the floor is narrow, and one
 * whose ratio is wide. */
#include "compare/rounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REPEATS 12u
#define MADE 10u /* the extra rounds are still to come */

enum { BASE, CAPACITY, SCENARIOS };
enum { FLOOR, NARROW, WIDE, SUBJECTS };

static rs_compare_run run[SCENARIOS * SUBJECTS * REPEATS];
static rs_results results;
static bool more[SCENARIOS * SUBJECTS];

static void make(rs_metric wide_metric) {
    for (uint32_t i = 0; i < SCENARIOS * SUBJECTS * MADE; i++) {
        const uint32_t subject = i / MADE % SUBJECTS, repeat = i % MADE;
        rs_compare_run *one = rs_results_run(&results, i / MADE / SUBJECTS, subject, repeat);
        one->state = RS_RUN_OK;
        one->value[RS_METRIC_RATE] = 1000 + repeat;
        one->value[RS_METRIC_CPU_SUM] = 10;
        one->value[wide_metric] *= subject == WIDE ? 0.9 + 0.02 * repeat : 1;
    }
}

static int setup(void **state) {
    (void)state;
    memset(run, 0, sizeof run);
    memset(&results, 0, sizeof results);
    memset(more, 1, sizeof more);
    results.run = run;
    results.subjects = SUBJECTS;
    results.scenarios = SCENARIOS;
    results.repeats = REPEATS;
    results.extra = REPEATS - MADE;
    results.baseline = FLOOR;
    results.scenario[BASE] = rs_scenario_find(RS_SCENARIO_BASE);
    results.scenario[CAPACITY] = rs_scenario_find("capacity");
    return 0;
}

static void want(bool floor, bool narrow, bool wide) {
    rs_rounds_want(&results, 0.1, more);
    assert_int_equal(more[BASE * SUBJECTS + FLOOR], floor);
    assert_int_equal(more[BASE * SUBJECTS + NARROW], narrow);
    assert_int_equal(more[BASE * SUBJECTS + WIDE], wide);
    for (uint32_t i = 0; i < SUBJECTS; i++) {
        assert_false(more[CAPACITY * SUBJECTS + i]); /* a search is never repeated */
    }
}

static void test_rounds_go_on_with_a_wide_ratio_and_its_base(void **state) {
    (void)state;
    make(RS_METRIC_RATE);
    want(true, false, true);
}

static void test_rounds_go_on_for_cpu_time_too(void **state) {
    (void)state;
    make(RS_METRIC_CPU_SUM);
    want(true, false, true);
}

static void test_rounds_end_where_all_is_narrow(void **state) {
    (void)state;
    make(RS_METRIC_P99); /* not looked at */
    want(false, false, false);
}

/* A disturbed run takes its pair with it; without a pair nothing is known, and rounds would not
 * help. */
static void test_rounds_look_at_undisturbed_pairs(void **state) {
    (void)state;
    make(RS_METRIC_P99);
    for (uint32_t i = 0; i < MADE - 2; i++) {
        rs_results_run(&results, BASE, NARROW, i)->disturbed = true;
    }
    want(true, true, false); /* two pairs are left */
    for (uint32_t i = 0; i < MADE; i++) {
        rs_results_run(&results, BASE, FLOOR, i)->disturbed = true;
    }
    want(false, false, false);
}

static void test_rounds_are_three_times_as_many_at_most(void **state) {
    (void)state;
    assert_int_equal(rs_rounds_extra(1), 2);
    assert_int_equal(rs_rounds_extra(10), 20);
    assert_int_equal(rs_rounds_extra(33), 66);
    assert_int_equal(rs_rounds_extra(34), RS_REPEATS_MAX - 34);
    assert_int_equal(rs_rounds_extra(RS_REPEATS_MAX), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rounds_go_on_with_a_wide_ratio_and_its_base, setup),
        cmocka_unit_test_setup(test_rounds_go_on_for_cpu_time_too, setup),
        cmocka_unit_test_setup(test_rounds_end_where_all_is_narrow, setup),
        cmocka_unit_test_setup(test_rounds_look_at_undisturbed_pairs, setup),
        cmocka_unit_test(test_rounds_are_three_times_as_many_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
