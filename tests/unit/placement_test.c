/* SPDX-License-Identifier: MIT */
/* Made-up machines: every kind of placement, and the sets that a program may be restricted to. */
#include "compare/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static rs_cpu cpu[RS_CPUS_MAX];
static uint32_t cpus;

/* threads: of each core, numbered one after the other (Windows) or a whole round of cores apart
 * (most of Linux). */
static void machine(uint32_t cores, uint32_t threads, int neighbours) {
    cpus = cores * threads;
    for (uint32_t i = 0; i < cpus; i++) {
        cpu[i] = (rs_cpu){.index = (int32_t)i, .core = neighbours ? i / threads : i % cores};
    }
}

static void check(rs_placement_kind kind, int32_t server, int32_t load) {
    const rs_placement got = rs_placement_choose(cpu, cpus, RS_PLACE_APART);
    assert_int_equal(got.kind, kind);
    assert_int_equal(got.server, server);
    assert_int_equal(got.load, load);
}

static void test_placement_of_nothing_known_is_free(void **state) {
    (void)state;
    machine(0, 1, 1);
    check(RS_PLACEMENT_FREE, RS_CPU_ANY, RS_CPU_ANY);
}

static void test_placement_of_one_processor_is_shared(void **state) {
    (void)state;
    machine(1, 1, 1);
    check(RS_PLACEMENT_ONE, 0, 0);
    machine(1, 2, 1);
    check(RS_PLACEMENT_ONE_CORE, 0, 1);
}

static void test_placement_together_takes_the_servers(void **state) {
    static const uint32_t cores[] = {1, 2, 4};
    (void)state;
    for (size_t i = 0; i < sizeof cores / sizeof cores[0]; i++) {
        machine(cores[i], 2, 1);
        const rs_placement apart = rs_placement_choose(cpu, cpus, RS_PLACE_APART);
        const rs_placement got = rs_placement_choose(cpu, cpus, RS_PLACE_TOGETHER);
        assert_int_equal(got.kind, RS_PLACEMENT_ONE);
        assert_int_equal(got.server, apart.server);
        assert_int_equal(got.load, apart.server);
    }
}

static void test_placement_that_is_not_wanted_is_free(void **state) {
    (void)state;
    machine(4, 2, 1);
    assert_int_equal(rs_placement_choose(cpu, cpus, RS_PLACE_FREE).kind, RS_PLACEMENT_FREE);
    machine(0, 1, 1);
    assert_int_equal(rs_placement_choose(cpu, cpus, RS_PLACE_TOGETHER).kind, RS_PLACEMENT_FREE);
}

static void test_placement_of_two_cores_takes_both(void **state) {
    (void)state;
    machine(2, 1, 1);
    check(RS_PLACEMENT_TWO_CORES, 0, 1);
    machine(2, 2, 1);
    check(RS_PLACEMENT_TWO_CORES, 0, 2);
    machine(2, 2, 0);
    check(RS_PLACEMENT_TWO_CORES, 0, 1);
}

static void test_placement_of_more_leaves_the_first_core_alone(void **state) {
    (void)state;
    machine(3, 1, 1);
    check(RS_PLACEMENT_TWO_CORES, 1, 2);
    machine(4, 2, 1);
    check(RS_PLACEMENT_TWO_CORES, 2, 4);
    machine(4, 2, 0);
    check(RS_PLACEMENT_TWO_CORES, 1, 2);
    machine(96, 2, 1);
    check(RS_PLACEMENT_TWO_CORES, 2, 4);
}

/* What sched_setaffinity, start /affinity or a job leaves. */
static void test_placement_keeps_within_the_allowed_set(void **state) {
    (void)state;
    machine(8, 2, 1);
    memmove(&cpu[0], &cpu[4], 2 * sizeof cpu[0]); /* both threads of core 2 */
    cpus = 2;
    check(RS_PLACEMENT_ONE_CORE, 4, 5);
    machine(8, 2, 1);
    memmove(&cpu[0], &cpu[5], 6 * sizeof cpu[0]); /* 5 to 10: cores 2 to 5; none is the first */
    cpus = 6;
    check(RS_PLACEMENT_TWO_CORES, 5, 6);
    machine(128, 1, 1);
    memmove(&cpu[0], &cpu[100], 28 * sizeof cpu[0]);
    cpus = 28;
    check(RS_PLACEMENT_TWO_CORES, 100, 101);
}

static void test_placement_stays_in_one_group_where_it_can(void **state) {
    (void)state;
    machine(128, 1, 1);
    for (uint32_t i = 0; i < cpus; i++) {
        cpu[i].group = i / 64;
    }
    check(RS_PLACEMENT_TWO_CORES, 1, 2);
    memmove(&cpu[1], &cpu[63], 65 * sizeof cpu[0]); /* 0, 63 of the first group, all of the other */
    cpus = 66;
    check(RS_PLACEMENT_TWO_CORES, 64, 65);
    cpus = 3; /* 0, 63 and 64: only over the border */
    check(RS_PLACEMENT_TWO_CORES, 63, 64);
}

static void test_placement_prefers_the_fast_cores(void **state) {
    (void)state;
    machine(12, 1, 1);
    for (uint32_t i = 0; i < cpus; i++) {
        cpu[i].speed = i >= 8;
    }
    check(RS_PLACEMENT_TWO_CORES, 8, 9);
    for (uint32_t i = 0; i < cpus; i++) {
        cpu[i].speed = i < 2; /* the first core is left alone: one fast one is no pair */
    }
    check(RS_PLACEMENT_TWO_CORES, 1, 2);
}

static void test_placement_text_names_both_and_what_they_share(void **state) {
    char text[128];
    (void)state;
    machine(4, 2, 1);
    rs_placement got = rs_placement_choose(cpu, cpus, RS_PLACE_APART);
    rs_placement_text(&got, "server", text, sizeof text);
    assert_string_equal(text, "server on processor 2, loadgen on processor 4 (two cores)");
    machine(1, 2, 1);
    got = rs_placement_choose(cpu, cpus, RS_PLACE_APART);
    rs_placement_text(&got, "server", text, sizeof text);
    assert_non_null(strstr(text, "two threads of one core"));
    got = rs_placement_choose(cpu, cpus, RS_PLACE_TOGETHER);
    rs_placement_text(&got, "server", text, sizeof text);
    assert_string_equal(text, "server on processor 0, loadgen on processor 0 (one for both)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placement_of_nothing_known_is_free),
        cmocka_unit_test(test_placement_of_one_processor_is_shared),
        cmocka_unit_test(test_placement_together_takes_the_servers),
        cmocka_unit_test(test_placement_that_is_not_wanted_is_free),
        cmocka_unit_test(test_placement_of_two_cores_takes_both),
        cmocka_unit_test(test_placement_of_more_leaves_the_first_core_alone),
        cmocka_unit_test(test_placement_keeps_within_the_allowed_set),
        cmocka_unit_test(test_placement_stays_in_one_group_where_it_can),
        cmocka_unit_test(test_placement_prefers_the_fast_cores),
        cmocka_unit_test(test_placement_text_names_both_and_what_they_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
