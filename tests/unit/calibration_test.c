/* SPDX-License-Identifier: MIT */
/* The calibration over made-up pairs whose truth is known. A pass: what is found, and how often. */
#include "compare/calibration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/random.h"

#define PAIRS 100u

static uint64_t seed;

/* Pairs of a ratio with noise of up to so much either way. */
static rs_calibration measure(double truth, double noise, bool higher_is_better, uint32_t count) {
    test_random random = {seed};
    rs_calibration out;
    double own[PAIRS], base[PAIRS];
    for (uint32_t i = 0; i < count; i++) {
        const double share = test_random_below(&random, 20001) / 10000.0 - 1;
        own[i] = 50 * truth * (1 + noise * share);
        base[i] = 50;
    }
    rs_calibrate(own, base, count, higher_is_better, &out);
    return out;
}

static void test_calibration_finds_what_is_there(void **state) {
    (void)state;
    const rs_calibration cost = measure(1.1, 0.02, false, PAIRS);
    assert_true(cost.worse > 0.999 && cost.better < 0.001);
    assert_true(fabs(cost.all.middle - 1.1) < 0.01);
    assert_int_equal(cost.drawn, RS_CALIBRATION_DRAWN);
    const rs_calibration rate = measure(1 / 1.1, 0.02, true, PAIRS);
    assert_true(rate.worse > 0.999 && rate.better < 0.001);
    assert_true(cost.lost > 0.9 && rate.lost > 0.9); /* 10 % is beyond the rule's 5 */
    assert_true(measure(1.04, 0.005, false, PAIRS).lost < 0.001);
    assert_true(measure(1.04, 0.005, false, PAIRS).worse > 0.999);
    const rs_calibration gain = measure(1.1, 0.02, true, PAIRS);
    assert_true(gain.better > 0.999 && gain.worse < 0.001);
}

static void test_calibration_claims_little_where_there_is_nothing(void **state) {
    (void)state;
    const rs_calibration none = measure(1, 0.1, false, PAIRS);
    assert_true(none.worse + none.better < 0.15);
    assert_true(none.lost <= 0.01);                         /* a false verdict */
    assert_true(none.covered > 0.9 && none.covered < 0.99); /* of a sample: somewhat above 95 % */
}

/* More pairs find what ten overlook: +5 % under noise of 10 % either way. */
static void test_calibration_finds_more_with_more_pairs(void **state) {
    (void)state;
    const rs_calibration small = measure(1.05, 0.1, false, PAIRS);
    assert_true(small.worse < 0.9);
    assert_true(small.worse_more > small.worse);
    assert_true(measure(1, 0.1, false, PAIRS).worse_more < 0.15);
    assert_true(isnan(measure(1.1, 0.02, false, RS_CALIBRATION_PAIRS_MORE - 1).worse_more));
}

static void test_calibration_of_too_few_pairs_is_none(void **state) {
    (void)state;
    const rs_calibration few = measure(1.1, 0.02, false, RS_CALIBRATION_PAIRS - 1);
    assert_int_equal(few.drawn, 0);
    assert_true(isnan(few.worse_more));
    assert_int_equal(few.all.count, RS_CALIBRATION_PAIRS - 1);
    assert_int_equal(measure(1.1, 0.02, false, RS_CALIBRATION_PAIRS).drawn, RS_CALIBRATION_DRAWN);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration_finds_what_is_there),
        cmocka_unit_test(test_calibration_claims_little_where_there_is_nothing),
        cmocka_unit_test(test_calibration_finds_more_with_more_pairs),
        cmocka_unit_test(test_calibration_of_too_few_pairs_is_none),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
