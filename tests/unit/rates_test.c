/* SPDX-License-Identifier: MIT */
/* Rates of open loops and the time that is left, over made-up results. A pass: the figures that the
 * results make exactly. */
#include "compare/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compare/cost.h"

#define REPEATS 3u

enum { BASE, FIXED, CAPACITY, SCENARIOS };

static rs_compare_run run[SCENARIOS * 2 * REPEATS];
static rs_results results;

static void has(double got, double want) {
    assert_true(fabs(got - want) <= 1e-9 * want);
}

/* Two servers whose base rates are 1000 and 500, and around them. */
static int setup(void **state) {
    (void)state;
    memset(run, 0, sizeof run);
    memset(&results, 0, sizeof results);
    results.run = run;
    results.subjects = 2;
    results.scenarios = SCENARIOS;
    results.repeats = REPEATS;
    results.scenario[BASE] = rs_scenario_find(RS_SCENARIO_BASE);
    results.scenario[FIXED] = rs_scenario_find("fixed-80");
    results.scenario[CAPACITY] = rs_scenario_find("capacity");
    for (uint32_t i = 0; i < 2 * REPEATS; i++) {
        rs_compare_run *one = rs_results_run(&results, BASE, i / REPEATS, i % REPEATS);
        one->state = RS_RUN_OK;
        one->value[RS_METRIC_RATE] = 1000.0 / (i / REPEATS + 1) + 10.0 * (i % REPEATS) - 10;
    }
    return 0;
}

static double rate(uint32_t scenario, uint32_t server, bool given) {
    const rs_turn turn = {.scenario = scenario, .server = server};
    return rs_rates_turn(&results, &turn, given);
}

static void test_rates_fixed_is_a_share_of_the_slowest_for_all(void **state) {
    (void)state;
    has(rate(FIXED, 0, false), 400);
    has(rate(FIXED, 1, false), 400);
    has(results.fixed_rate[FIXED], 400);
    assert_true(rate(BASE, 0, false) <= 0); /* a closed loop */
    assert_true(rs_rates_turn(&results, &(rs_turn){.scenario = FIXED, .warmup = true}, false) <= 0);
}

static void test_rates_a_control_sets_none(void **state) {
    (void)state;
    results.subject[1].control = true;
    has(rate(FIXED, 0, false), 800);
    results.subject[1].control = false;
}

static void test_rates_capacity_starts_at_half_the_servers_own(void **state) {
    (void)state;
    has(rate(CAPACITY, 0, false), 500);
    has(rate(CAPACITY, 1, false), 250);
}

static void test_rates_bots_start_at_a_number_of_their_own(void **state) {
    (void)state;
    results.scenario[CAPACITY] = rs_scenario_find("board-bots");
    has(rate(CAPACITY, 1, false), RS_BOTS_START);
    results.scenario[CAPACITY] = rs_scenario_find("board");
    assert_true(rate(CAPACITY, 1, false) <= 0); /* it knows its own */
}

static void test_rates_void_runs_give_none(void **state) {
    (void)state;
    for (uint32_t i = 0; i < REPEATS; i++) {
        rs_results_run(&results, BASE, 1, i)->state = RS_RUN_VOID;
    }
    has(rate(FIXED, 1, false), 800); /* of the one that has a rate */
    assert_true(!rs_is_known(rate(CAPACITY, 1, false)));
    for (uint32_t i = 0; i < REPEATS; i++) {
        rs_results_run(&results, BASE, 0, i)->state = RS_RUN_VOID;
    }
    assert_true(!rs_is_known(rate(FIXED, 0, false)));
}

static void test_rates_of_an_earlier_comparison_stay(void **state) {
    static const char text[] = "{\"cells\":[{\"scenario\":\"fixed-80\",\"rate_asked\":123}]}";
    rs_json_node node[16];
    rs_json_doc doc;
    (void)state;
    assert_true(rs_json_read_parse(&doc, text, sizeof text - 1, node, 16));
    assert_null(rs_rates_past(&results, &doc));
    has(rate(FIXED, 0, true), 123);
    results.scenario[FIXED] = rs_scenario_find("fixed-50");
    assert_ptr_equal(rs_rates_past(&results, &doc), results.scenario[FIXED]);
}

static void test_cost_follows_what_the_runs_took(void **state) {
    rs_schedule schedule = {.servers = 2, .repeats = 1, .early = 1, .late = 2};
    rs_cost cost;
    (void)state;
    results.subject[1].wine = true;
    rs_cost_init(&cost, &results, 1);
    has(cost.run_s[0], 1.4);
    has(cost.run_s[1], 2);
    has(cost.factor[CAPACITY], 11 * RS_CAPACITY_SHARE);
    /* Two warm-ups, then two rounds of three scenarios, one of which is 5.5 runs long. */
    has(rs_cost_left_s(&cost, &schedule, 0), (1.4 + 2) * (1 + 2 * (1 + 1 + 5.5)));
    rs_cost_learn(&cost, &(rs_turn){.scenario = CAPACITY, .server = 0}, 5.5 * 4.4);
    has(cost.run_s[0], 1.4 + 1);
    rs_cost_learn(&cost, &(rs_turn){.server = 1, .dropped = true}, 60);
    has(cost.run_s[1], 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rates_fixed_is_a_share_of_the_slowest_for_all, setup),
        cmocka_unit_test_setup(test_rates_a_control_sets_none, setup),
        cmocka_unit_test_setup(test_rates_capacity_starts_at_half_the_servers_own, setup),
        cmocka_unit_test_setup(test_rates_bots_start_at_a_number_of_their_own, setup),
        cmocka_unit_test_setup(test_rates_void_runs_give_none, setup),
        cmocka_unit_test_setup(test_rates_of_an_earlier_comparison_stay, setup),
        cmocka_unit_test_setup(test_cost_follows_what_the_runs_took, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
