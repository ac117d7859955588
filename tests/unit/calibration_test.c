/* SPDX-License-Identifier: MIT */
/* The calibration over made-up pairs whose truth is known. A pass: what is found, and how often. */
#include "compare/calibration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compare/rounds.h"
#include "unit/random.h"

#define PAIRS 100u

static uint64_t seed;

/* Pairs of a ratio with noise of up to so much either way. */
static rs_calibration measure_wide(double truth, double noise, bool higher_is_better,
                                   uint32_t count, double width) {
    test_random random = {seed};
    rs_calibration out;
    double own[PAIRS], base[PAIRS];
    for (uint32_t i = 0; i < count; i++) {
        const double share = test_random_below(&random, 20001) / 10000.0 - 1;
        own[i] = 50 * truth * (1 + noise * share);
        base[i] = 50;
    }
    rs_calibrate(own, base, count, higher_is_better, width, &out);
    return out;
}

static rs_calibration measure(double truth, double noise, bool higher_is_better, uint32_t count) {
    return measure_wide(truth, noise, higher_is_better, count, 0);
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

/* With --width a comparison goes on where ten pairs say little, and only there. */
static void test_calibration_with_width_finds_more(void **state) {
    (void)state;
    const rs_calibration ten = measure(1.1, 0.25, false, PAIRS);
    const rs_calibration more = measure_wide(1.1, 0.25, false, PAIRS, RS_CALIBRATION_WIDTH);
    assert_true(ten.pairs == RS_CALIBRATION_PAIRS);
    assert_true(more.pairs > 1.5 * RS_CALIBRATION_PAIRS);
    assert_true(more.pairs <= RS_CALIBRATION_PAIRS * RS_ROUNDS_MOST);
    assert_true(ten.worse < 0.8 && more.worse > ten.worse + 0.1);
    const rs_calibration none = measure_wide(1, 0.25, false, PAIRS, RS_CALIBRATION_WIDTH);
    assert_true(none.worse + none.better < 0.15);
    assert_true(none.lost <= 0.01);
    assert_true(none.covered > 0.9);
    assert_true(measure_wide(1.1, 0.02, false, PAIRS, RS_CALIBRATION_WIDTH).pairs ==
                RS_CALIBRATION_PAIRS);
}

static void test_calibration_of_too_few_pairs_is_none(void **state) {
    (void)state;
    const rs_calibration few = measure(1.1, 0.02, false, RS_CALIBRATION_PAIRS - 1);
    assert_int_equal(few.drawn, 0);
    assert_int_equal(few.all.count, RS_CALIBRATION_PAIRS - 1);
    assert_int_equal(measure(1.1, 0.02, false, RS_CALIBRATION_PAIRS).drawn, RS_CALIBRATION_DRAWN);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration_finds_what_is_there),
        cmocka_unit_test(test_calibration_claims_little_where_there_is_nothing),
        cmocka_unit_test(test_calibration_with_width_finds_more),
        cmocka_unit_test(test_calibration_of_too_few_pairs_is_none),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
