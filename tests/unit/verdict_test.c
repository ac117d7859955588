/* SPDX-License-Identifier: MIT */
/* The rule at its thresholds and just beside them, on made-up results of real Windows; every reason
 * not to decide; and made-up comparisons of equal servers, of which it must not say that they
 * differ. A pass is the kind of the verdict and a word of its text. */
#include "compare/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "unit/random.h"

#define STEP 1e-6
#define COMPARISONS 500u /* of a simulation */

static rs_verdict_cell cell;
static rs_verdict_input input;
static rs_verdict verdict;

/* An interval on one side of every bound but its own. */
static rs_interval sure(double middle) {
    return (rs_interval){.middle = middle, .low = middle, .high = middle, .count = 5};
}

static const rs_interval same = {.middle = 1, .low = 0.99, .high = 1.01, .count = 5};

static int setup(void **state) {
    (void)state;
    cell = (rs_verdict_cell){.scenario = "wide",
                             .connections = 256,
                             .may_gain = true,
                             .rate = same,
                             .cpu = same,
                             .machine = same,
                             .p99 = same};
    input = (rs_verdict_input){.platform = RS_PLATFORM_WINDOWS,
                               .has_pair = true,
                               .runs = 100,
                               .unfit_percent = 25,
                               .repeats = 10,
                               .has_control = true,
                               .control_rate = same,
                               .control_cpu = same,
                               .cell = &cell,
                               .cells = 1,
                               .pool_growth_bytes = 0};
    return 0;
}

static void check(rs_verdict_kind kind, const char *word) {
    rs_verdict_judge(&input, &verdict);
    assert_int_equal(verdict.kind, kind);
    assert_non_null(strstr(verdict.text, word));
}

static void test_verdict_rate_gain_counts_from_15_percent_on(void **state) {
    (void)state;
    cell.rate = sure(1.15);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.rate = sure(1.15 - STEP);
    check(RS_VERDICT_NOT_WORTH, "gains neither");
}

static void test_verdict_cpu_gain_counts_from_30_percent_on(void **state) {
    (void)state;
    cell.machine = sure(0.9);
    cell.cpu = sure(0.70);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.cpu = sure(0.70 + STEP);
    check(RS_VERDICT_NOT_WORTH, "gains neither");
}

static rs_interval between(double low, double high) {
    return (rs_interval){.middle = (low + high) / 2, .low = low, .high = high, .count = 10};
}

static void test_verdict_clauses_have_three_states(void **state) {
    (void)state;
    rs_interval ratio = between(0.95, 1.2);
    assert_int_equal(rs_clause_at_least(&ratio, 0.95), RS_CLAUSE_BETTER);
    assert_int_equal(rs_clause_at_least(&ratio, 0.95 + STEP), RS_CLAUSE_UNSETTLED);
    assert_int_equal(rs_clause_at_least(&ratio, 1.2), RS_CLAUSE_UNSETTLED);
    assert_int_equal(rs_clause_at_least(&ratio, 1.2 + STEP), RS_CLAUSE_WORSE);
    assert_int_equal(rs_clause_at_most(&ratio, 1.2), RS_CLAUSE_BETTER);
    assert_int_equal(rs_clause_at_most(&ratio, 1.2 - STEP), RS_CLAUSE_UNSETTLED);
    assert_int_equal(rs_clause_at_most(&ratio, 0.95), RS_CLAUSE_UNSETTLED);
    assert_int_equal(rs_clause_at_most(&ratio, 0.95 - STEP), RS_CLAUSE_WORSE);
    ratio.count = RS_VERDICT_PAIRS_MIN - 1;
    assert_int_equal(rs_clause_at_least(&ratio, 0.5), RS_CLAUSE_UNSETTLED);
    assert_int_equal(rs_clause_at_most(&ratio, 2), RS_CLAUSE_UNSETTLED);
}

static void test_verdict_cpu_gain_needs_the_machine_to_agree(void **state) {
    (void)state;
    cell.cpu = sure(0.5);
    cell.machine = sure(1.04); /* no loss, but no gain either */
    check(RS_VERDICT_NOT_WORTH, "gains neither");
    cell.machine = between(0.7, 1.01);
    check(RS_VERDICT_CANNOT, "a gain in wide");
    cell.machine = sure(1 - STEP);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.machine = (rs_interval){.count = 0};
    check(RS_VERDICT_CANNOT, "whole machine's CPU per message in wide (not known)");
}

static void test_verdict_the_machines_cost_is_a_loss_too(void **state) {
    (void)state;
    cell.rate = sure(2);
    cell.machine = sure(1.05);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.machine = sure(1.05 + STEP);
    check(RS_VERDICT_NOT_WORTH, "whole machine's CPU");
}

static void test_verdict_without_cpu_time_decides_on_a_loss_alone(void **state) {
    (void)state;
    cell.cpu = (rs_interval){.count = 0};
    cell.machine = (rs_interval){.count = 0};
    check(RS_VERDICT_CANNOT, "CPU per message in wide (not known)");
    cell.rate = sure(2);
    check(RS_VERDICT_CANNOT, "CPU per message in wide (not known)");
    cell.rate = sure(0.5);
    check(RS_VERDICT_NOT_WORTH, "its rate");
}

/* What was counted as "no loss" once: an interval of 0.20 to 1.01. */
static void test_verdict_open_clause_is_no_pass(void **state) {
    (void)state;
    rs_verdict_cell cells[2];
    cell.rate = sure(1.5);
    cells[0] = cell;
    cells[1] = cell;
    cells[1].scenario = "ping-pong";
    cells[1].connections = 1;
    input.cell = cells;
    input.cells = 2;
    check(RS_VERDICT_WORTH, "is worth it");
    cells[1].rate = between(0.2, 1.01);
    check(RS_VERDICT_CANNOT, "rate in ping-pong (0.20 to 1.01)");
    assert_non_null(strstr(verdict.text, "compare --full --repeat 20"));
    cells[1].rate = sure(1);
    cells[1].rate.count = 4;
    check(RS_VERDICT_CANNOT, "rate in ping-pong (4 undisturbed pairs)");
    cells[0].cpu = sure(1.2); /* a settled loss decides, whatever is open */
    check(RS_VERDICT_NOT_WORTH, "in wide its CPU");
}

static void test_verdict_names_a_few_open_clauses_and_counts_the_rest(void **state) {
    (void)state;
    rs_verdict_cell cells[12];
    for (uint32_t i = 0; i < 12; i++) {
        cells[i] = cell;
        cells[i].scenario = "a-name-of-forty-characters-and-not-less-";
        cells[i].rate = cells[i].cpu = cells[i].machine = between(0.1, 10000);
    }
    input.cell = cells;
    input.cells = 12;
    check(RS_VERDICT_CANNOT, "and 44 more.");
    assert_non_null(strstr(verdict.text, "More runs settle it"));
}

static void test_verdict_without_a_scenario_of_the_rule_is_none(void **state) {
    (void)state;
    cell.rate = sure(2);
    (void)snprintf(input.lacking, sizeof input.lacking, "churn, fixed-50");
    check(RS_VERDICT_CANNOT, "No decision: the rule needs churn, fixed-50, which were not");
    assert_non_null(strstr(verdict.text, "compare --full"));
    input.is_quick = true;
    check(RS_VERDICT_CANNOT, "Not judged by --quick: the rule needs churn");
    cell.rate = sure(0.5);
    check(RS_VERDICT_CANNOT, "Not judged by --quick");
}

static void test_verdict_control_is_read_first(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.control_cpu = between(1.01, 1.03);
    check(RS_VERDICT_CANNOT, "the control's CPU per message is 1.02 (1.01 to 1.03)");
    input.control_cpu = same;
    input.control_rate = between(0.89, 1.02);
    check(RS_VERDICT_CANNOT, "cannot tell 10 % from nothing");
    input.control_rate = between(0.90, 1.10);
    check(RS_VERDICT_WORTH, "is worth it");
    input.control_rate.count = 4;
    check(RS_VERDICT_CANNOT, "there are 4 undisturbed pairs");
    input.has_control = false;
    check(RS_VERDICT_CANNOT, "no control");
}

static void test_verdict_of_too_many_disturbed_runs_is_unfit(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.disturbed = 25;
    check(RS_VERDICT_WORTH, "is worth it");
    input.disturbed = 26;
    check(RS_VERDICT_UNFIT, "26 of 100 runs were disturbed");
    input.platform = RS_PLATFORM_WINE; /* there too */
    check(RS_VERDICT_UNFIT, "more than 25 %");
    input.disturbed = 20;
    input.voided = 6;
    check(RS_VERDICT_UNFIT, "6 were void");
    input.runs = 0;
    input.disturbed = input.voided = 0;
    check(RS_VERDICT_CANNOT, "Wine cannot decide");
}

static void test_verdict_of_untested_counters_is_none(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.cpu_untested = true;
    check(RS_VERDICT_CANNOT, "not tested");
}

static void test_verdict_gain_needs_256_connections(void **state) {
    (void)state;
    rs_verdict_cell cells[2];
    cell.rate = sure(2);
    cells[0] = cell;
    cells[0].connections = 255;
    cells[1] = cell;
    cells[1].rate = same;
    input.cell = cells;
    input.cells = 2;
    check(RS_VERDICT_NOT_WORTH, "gains neither");
    cells[0].connections = 256;
    check(RS_VERDICT_WORTH, "is worth it");
}

static void test_verdict_gain_whose_interval_holds_its_bound_is_open(void **state) {
    (void)state;
    cell.rate = between(1.1, 1.6);
    check(RS_VERDICT_CANNOT, "a gain in wide (1.10 to 1.60)");
}

static void test_verdict_rate_of_connections_is_no_gain(void **state) {
    (void)state;
    cell.rate = sure(3);
    cell.may_gain = false;
    check(RS_VERDICT_CANNOT, "no scenario with 256 connections");
}

static void test_verdict_loss_counts_above_5_percent(void **state) {
    (void)state;
    rs_verdict_cell cells[2];
    cell.rate = sure(1.5);
    cells[0] = cell;
    cells[1] = cell;
    cells[1].scenario = "ping-pong";
    cells[1].connections = 1;
    input.cell = cells;
    input.cells = 2;
    cells[1].rate = sure(0.95);
    check(RS_VERDICT_WORTH, "is worth it");
    cells[1].rate = sure(0.95 - STEP);
    check(RS_VERDICT_NOT_WORTH, "in ping-pong its rate");
    cells[1].rate = same;
    cells[1].cpu = sure(1.05);
    check(RS_VERDICT_WORTH, "is worth it");
    cells[1].cpu = sure(1.05 + STEP);
    check(RS_VERDICT_NOT_WORTH, "in ping-pong its CPU");
}

static void test_verdict_p99_counts_at_a_fixed_rate_only(void **state) {
    (void)state;
    cell.cpu = sure(0.5);
    cell.machine = sure(0.9);
    cell.p99 = sure(1.05 + STEP);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.fixed_rate = true;
    check(RS_VERDICT_NOT_WORTH, "its p99");
    cell.p99 = sure(1.05);
    check(RS_VERDICT_WORTH, "is worth it");
}

static void test_verdict_pool_may_grow_to_64_mib(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.pool_growth_bytes = RS_VERDICT_POOL_MAX_BYTES;
    check(RS_VERDICT_WORTH, "is worth it");
    input.pool_growth_bytes = RS_VERDICT_POOL_MAX_BYTES + 1;
    check(RS_VERDICT_NOT_WORTH, "pool");
    input.pool_growth_bytes = NAN;
    check(RS_VERDICT_CANNOT, "pool");
}

static void test_verdict_void_runs_decide_nothing(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.voided = 1;
    check(RS_VERDICT_CANNOT, "void");
}

static void test_verdict_wine_decides_nothing_and_names_no_ratio(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.platform = RS_PLATFORM_WINE;
    check(RS_VERDICT_CANNOT, "Wine cannot decide");
    assert_null(strstr(verdict.text, "2.0"));
    assert_non_null(strstr(verdict.text, "about Wine and not Windows"));
}

static void test_verdict_without_the_pair_decides_nothing(void **state) {
    (void)state;
    input.has_pair = false;
    check(RS_VERDICT_CANNOT, "needs iocp_server and rio_server");
    input.has_pair = true;
    input.platform = RS_PLATFORM_LINUX;
    check(RS_VERDICT_CANNOT, "on Windows");
}

static void test_verdict_rule_names_its_thresholds(void **state) {
    (void)state;
    static const char *const words[] = {
        "256",          "15 %",         "30 %",          "5 %",
        "64 MiB",       "95 %",         "whole machine", "nobody disturbed",
        "0.90 to 1.10", "at least five"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_non_null(strstr(rs_verdict_rule, words[i]));
    }
}

/* ---- comparisons of servers whose truth is known */

/* A standard normal number, from two uniform ones (Box and Muller). */
static double normal(test_random *random) {
    const double pi = 3.14159265358979323846;
    const double x = (1.0 + test_random_below(random, 1u << 30)) / (1u << 30);
    const double y = (double)test_random_below(random, 1u << 30) / (1u << 30);
    return sqrt(-2 * log(x)) * cos(2 * pi * y);
}

/* Ten pairs. disturbed: one pair in six has a run, of either server, that is cut to 30 to 90 %. */
static rs_interval draw(test_random *random, double truth, double noise, bool disturbed) {
    double a[10], b[10];
    for (uint32_t i = 0; i < 10; i++) {
        a[i] = truth * fmax(0.01, 1 + noise * normal(random));
        b[i] = fmax(0.01, 1 + noise * normal(random));
        if (disturbed && test_random_below(random, 6) == 0) {
            const double cut = 0.3 + test_random_below(random, 601) / 1000.0;
            *(test_random_below(random, 2) == 0 ? &b[i] : &a[i]) *= cut;
        }
    }
    return rs_stats_ratio(a, b, 10);
}

/* A full comparison: eleven scenarios, one of them wide, two at a fixed rate; RIO's rate in the
 * wide one is `gain` times IOCP's, and all else is equal. */
static void make_comparison(test_random *random, double gain, double noise, bool disturbed,
                            rs_verdict_cell cells[11]) {
    for (uint32_t i = 0; i < 11; i++) {
        cells[i] = (rs_verdict_cell){.scenario = i == 0 ? "wide" : "other",
                                     .connections = i == 0 ? 1000 : 64,
                                     .may_gain = true,
                                     .fixed_rate = i > 8,
                                     .rate = draw(random, i == 0 ? gain : 1, noise, disturbed),
                                     .cpu = draw(random, 1, noise, disturbed),
                                     .machine = draw(random, 1, noise, disturbed),
                                     .p99 = draw(random, 1, noise, disturbed)};
    }
    input.cell = cells;
    input.cells = 11;
    input.control_rate = draw(random, 1, noise, disturbed);
    input.control_cpu = draw(random, 1, noise, disturbed);
    rs_verdict_judge(&input, &verdict);
}

static void test_verdict_of_equal_servers_is_seldom_false(void **state) {
    (void)state;
    static const double noise[] = {0.01, 0.02, 0.05, 0.1, 0.2};
    test_random random = {20261130};
    rs_verdict_cell cells[11];
    for (uint32_t i = 0; i < 2 * sizeof noise / sizeof noise[0]; i++) {
        uint32_t is_false = 0, decided = 0, found = 0;
        for (uint32_t k = 0; k < COMPARISONS; k++) {
            make_comparison(&random, 1, noise[i / 2], i % 2 != 0, cells);
            decided += verdict.kind != RS_VERDICT_CANNOT;
            is_false +=
                verdict.kind == RS_VERDICT_WORTH || (verdict.kind == RS_VERDICT_NOT_WORTH &&
                                                     strstr(verdict.text, "gains neither") == NULL);
            make_comparison(&random, 1.3, noise[i / 2], i % 2 != 0, cells);
            found += verdict.kind == RS_VERDICT_WORTH;
            is_false += verdict.kind == RS_VERDICT_NOT_WORTH;
        }
        printf("noise %.2f%s: decided of equal servers %.3f, a gain of 30 %% found %.3f, false "
               "%.4f\n",
               noise[i / 2], i % 2 != 0 ? ", disturbed" : "", (double)decided / COMPARISONS,
               (double)found / COMPARISONS, (double)is_false / (2 * COMPARISONS));
        assert_true(is_false <= 2 * COMPARISONS / 100);
    }
}

#define CASE(fn) cmocka_unit_test_setup(fn, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_verdict_rate_gain_counts_from_15_percent_on),
        CASE(test_verdict_cpu_gain_counts_from_30_percent_on),
        CASE(test_verdict_cpu_gain_needs_the_machine_to_agree),
        CASE(test_verdict_the_machines_cost_is_a_loss_too),
        CASE(test_verdict_without_cpu_time_decides_on_a_loss_alone),
        CASE(test_verdict_of_untested_counters_is_none),
        CASE(test_verdict_gain_needs_256_connections),
        CASE(test_verdict_gain_whose_interval_holds_its_bound_is_open),
        CASE(test_verdict_rate_of_connections_is_no_gain),
        CASE(test_verdict_loss_counts_above_5_percent),
        CASE(test_verdict_p99_counts_at_a_fixed_rate_only),
        CASE(test_verdict_pool_may_grow_to_64_mib),
        CASE(test_verdict_void_runs_decide_nothing),
        CASE(test_verdict_wine_decides_nothing_and_names_no_ratio),
        CASE(test_verdict_without_the_pair_decides_nothing),
        CASE(test_verdict_rule_names_its_thresholds),
        CASE(test_verdict_clauses_have_three_states),
        CASE(test_verdict_open_clause_is_no_pass),
        CASE(test_verdict_names_a_few_open_clauses_and_counts_the_rest),
        CASE(test_verdict_without_a_scenario_of_the_rule_is_none),
        CASE(test_verdict_control_is_read_first),
        CASE(test_verdict_of_too_many_disturbed_runs_is_unfit),
        CASE(test_verdict_of_equal_servers_is_seldom_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
