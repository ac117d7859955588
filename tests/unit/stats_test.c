/* SPDX-License-Identifier: MIT */
/* Medians, spreads and intervals of samples whose answers are known by hand; intervals of made-up
 * samples with a known truth. A pass is the known value; random samples print their seed. */
#include "compare/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/random.h"

static uint64_t seed;

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9;
}

static void test_stats_median_of_known_samples(void **state) {
    (void)state;
    const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2}, gaps[] = {NAN, 7, NAN, 9, INFINITY};
    assert_true(near(rs_stats_median(odd, 3), 5));
    assert_true(near(rs_stats_median(even, 4), 2.5));
    assert_true(near(rs_stats_median(gaps, 5), 8));
    assert_true(near(rs_stats_median(odd, 1), 5));
    assert_false(rs_is_known(rs_stats_median(odd, 0)));
    assert_false(rs_is_known(rs_stats_median(gaps, 1)));
    assert_true(near(odd[0], 5)); /* the sample is unchanged */
}

static void test_stats_spread_of_known_samples(void **state) {
    (void)state;
    const double sample[] = {90, 110, 100}, zero[] = {0, 0};
    assert_true(near(rs_stats_spread(sample, 3), 0.2));
    assert_true(near(rs_stats_spread(sample, 1), 0));
    assert_false(rs_is_known(rs_stats_spread(zero, 2)));
    assert_false(rs_is_known(rs_stats_spread(sample, 0)));
}

static void test_stats_ratio_pairs_before_it_divides(void **state) {
    (void)state;
    /* The machine slows down threefold on the way; every pair still says 2. */
    const double a[] = {60, 40, 20}, b[] = {30, 20, 10};
    const rs_interval ratio = rs_stats_ratio(a, b, 3);
    assert_true(near(ratio.middle, 2) && near(ratio.low, 2) && near(ratio.high, 2));
    assert_int_equal(ratio.count, 3);
}

static void test_stats_ratio_leaves_out_broken_pairs(void **state) {
    (void)state;
    const double a[] = {NAN, 4, 6, 1}, b[] = {1, 2, NAN, 0};
    const rs_interval ratio = rs_stats_ratio(a, b, 4);
    assert_int_equal(ratio.count, 1);
    assert_true(near(ratio.middle, 2));
    assert_int_equal(rs_stats_ratio(a, b, 1).count, 0);
}

static void test_stats_five_pairs_give_their_whole_range(void **state) {
    (void)state;
    const double a[] = {1.3, 1.0, 1.2, 0.9, 1.1}, b[] = {1, 1, 1, 1, 1};
    const rs_interval ratio = rs_stats_ratio(a, b, 5);
    assert_true(near(ratio.middle, 1.1));
    assert_true(near(ratio.low, 0.9));
    assert_true(near(ratio.high, 1.3));
}

static void test_stats_same_data_give_the_same_interval(void **state) {
    (void)state;
    double a[40], b[40];
    test_random random = {seed};
    for (int i = 0; i < 40; i++) {
        a[i] = 1.0 + test_random_below(&random, 1000);
        b[i] = 1.0 + test_random_below(&random, 1000);
    }
    const rs_interval first = rs_stats_ratio(a, b, 40), second = rs_stats_ratio(a, b, 40);
    assert_true(near(first.low, second.low) && near(first.high, second.high));
}

/* 200 samples of 20 pairs whose true median ratio is 1: the 95 % interval should hold it nearly
 * always; three quarters is far below what any right interval misses. */
static void test_stats_interval_holds_the_truth(void **state) {
    (void)state;
    test_random random = {seed};
    int held = 0;
    for (int round = 0; round < 200; round++) {
        double a[20], b[20];
        for (int i = 0; i < 20; i++) {
            a[i] = 100 + test_random_below(&random, 41) - 20.0;
            b[i] = 100;
        }
        const rs_interval ratio = rs_stats_ratio(a, b, 20);
        held += ratio.low <= 1 && ratio.high >= 1;
    }
    assert_true(held >= 150);
}

static void test_stats_difference_needs_pairs_and_an_interval_without_1(void **state) {
    (void)state;
    const rs_interval above = {1.2, 1.1, 1.3, 5}, below = {0.8, 0.7, 0.9, 5};
    const rs_interval touching = {1.2, 1.0, 1.3, 5}, around = {1, 0.9, 1.1, 5};
    const rs_interval few = {1.2, 1.1, 1.3, RS_STATS_PAIRS_MIN - 1}, none = {NAN, NAN, NAN, 0};
    assert_true(rs_stats_is_difference(&above));
    assert_true(rs_stats_is_difference(&below));
    assert_false(rs_stats_is_difference(&touching));
    assert_false(rs_stats_is_difference(&around));
    assert_false(rs_stats_is_difference(&few));
    assert_false(rs_stats_is_difference(&none));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_median_of_known_samples),
        cmocka_unit_test(test_stats_spread_of_known_samples),
        cmocka_unit_test(test_stats_ratio_pairs_before_it_divides),
        cmocka_unit_test(test_stats_ratio_leaves_out_broken_pairs),
        cmocka_unit_test(test_stats_five_pairs_give_their_whole_range),
        cmocka_unit_test(test_stats_same_data_give_the_same_interval),
        cmocka_unit_test(test_stats_interval_holds_the_truth),
        cmocka_unit_test(test_stats_difference_needs_pairs_and_an_interval_without_1),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
