/* SPDX-License-Identifier: MIT */
/* The rule at its thresholds and just beside them, on made-up results of real Windows; and every
 * reason not to decide. A pass is the kind of the verdict and a word of its text. */
#include "compare/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define STEP 1e-6

static rs_verdict_cell cell;
static rs_verdict_input input;
static rs_verdict verdict;

/* An interval that does not hold 1, whatever its middle. */
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

static void test_verdict_cpu_gain_needs_the_machine_to_agree(void **state) {
    (void)state;
    cell.cpu = sure(0.5);
    check(RS_VERDICT_NOT_WORTH, "gains neither"); /* the machine spends what it did */
    cell.machine = (rs_interval){.middle = 0.8, .low = 0.7, .high = 1.01, .count = 5};
    check(RS_VERDICT_NOT_WORTH, "gains neither");
    cell.machine = sure(1.04); /* no loss, but no gain either */
    check(RS_VERDICT_NOT_WORTH, "gains neither");
    cell.machine = sure(1 - STEP);
    check(RS_VERDICT_WORTH, "is worth it");
    cell.machine = (rs_interval){.count = 0};
    check(RS_VERDICT_CANNOT, "cannot tell the whole machine's");
    cell.rate = sure(1.2); /* a gain of another kind */
    check(RS_VERDICT_WORTH, "is worth it");
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
    check(RS_VERDICT_CANNOT, "cannot tell CPU time");
    cell.rate = sure(2);
    check(RS_VERDICT_CANNOT, "cannot tell CPU time");
    cell.rate = sure(0.5);
    check(RS_VERDICT_NOT_WORTH, "its rate");
}

static void test_verdict_of_untested_counters_is_none(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.cpu_untested = true;
    check(RS_VERDICT_CANNOT, "not tested");
}

static void test_verdict_from_disturbed_runs_is_none(void **state) {
    (void)state;
    cell.rate = sure(2);
    input.disturbed = "wide";
    check(RS_VERDICT_CANNOT, "disturbed the runs of wide");
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

static void test_verdict_gain_whose_interval_holds_1_does_not_count(void **state) {
    (void)state;
    cell.rate = (rs_interval){.middle = 1.3, .low = 0.9, .high = 1.6, .count = 5};
    check(RS_VERDICT_NOT_WORTH, "gains neither");
}

static void test_verdict_rate_of_connections_is_no_gain(void **state) {
    (void)state;
    cell.rate = sure(3);
    cell.may_gain = false;
    check(RS_VERDICT_CANNOT, "256 connections");
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
    static const char *const words[] = {"256",    "15 %", "30 %",          "5 %",
                                        "64 MiB", "95 %", "whole machine", "nobody disturbed"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_non_null(strstr(rs_verdict_rule, words[i]));
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
        CASE(test_verdict_from_disturbed_runs_is_none),
        CASE(test_verdict_gain_needs_256_connections),
        CASE(test_verdict_gain_whose_interval_holds_1_does_not_count),
        CASE(test_verdict_rate_of_connections_is_no_gain),
        CASE(test_verdict_loss_counts_above_5_percent),
        CASE(test_verdict_p99_counts_at_a_fixed_rate_only),
        CASE(test_verdict_pool_may_grow_to_64_mib),
        CASE(test_verdict_void_runs_decide_nothing),
        CASE(test_verdict_wine_decides_nothing_and_names_no_ratio),
        CASE(test_verdict_without_the_pair_decides_nothing),
        CASE(test_verdict_rule_names_its_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
