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

#define ROUNDS 10000u /* of a simulation */

static uint64_t seed;

static bool near(double a, double b) {
    return fabs(a - b) < 1e-9;
}

static void test_stats_median_of_known_samples(void **state) {
    (void)state;
    const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2, 0, false},
                 gaps[] = {NAN, 7, NAN, 9, INFINITY};
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
    const double a[] = {NAN, 4, 6, 1, 0, false}, b[] = {1, 2, NAN, 0, 0, false};
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

/* Levels and ends that follow by hand from the binomial distribution. */
static void test_stats_interval_has_the_level_it_says(void **state) {
    (void)state;
    double a[12], b[12];
    assert_true(near(rs_stats_level(0), 0) && near(rs_stats_level(1), 0));
    assert_true(near(rs_stats_level(3), 0.75) && near(rs_stats_level(4), 0.875));
    assert_true(near(rs_stats_level(5), 0.9375) && near(rs_stats_level(6), RS_STATS_LEVEL));
    for (uint32_t i = 0; i < 12; i++) {
        a[i] = 12.0 - i;
        b[i] = 1;
    }
    /* Twelve values: numbers 3 to 10 hold the median in 1 - 158/4096, numbers 4 to 9 in
     * 1 - 598/4096; 0.95 is at (1 - 158/4096 - 0.95) / (440/4096) of the way in levels. */
    const double surplus = (0.05 - 158.0 / 4096) / (440.0 / 4096);
    const double share = 9 * surplus / (3 + 6 * surplus);
    const rs_interval ratio = rs_stats_ratio(a, b, 12);
    assert_true(near(ratio.middle, 6.5));
    assert_true(near(ratio.low, 3 + share) && near(ratio.high, 10 - share));
}

/* A standard normal number, from two uniform ones (Box and Muller). */
static double normal(test_random *random) {
    const double pi = 3.14159265358979323846;
    const double x = (1.0 + test_random_below(random, 1u << 30)) / (1u << 30);
    const double y = (double)test_random_below(random, 1u << 30) / (1u << 30);
    return sqrt(-2 * log(x)) * cos(2 * pi * y);
}

/* One run of a server: 5 % noise. */
static double noisy(test_random *random, double truth) {
    return truth * (1 + 0.05 * normal(random));
}

typedef enum disturbance { CALM, EITHER, ALWAYS_FIRST } disturbance;

/* Pairs with a true ratio. With a disturbance one pair in six has a run whose rate is cut to 30 to
 * 90 %: of either server, as other programs do it, or always of the first. */
static void draw_pair(test_random *random, double truth, disturbance kind, double *a, double *b) {
    *a = noisy(random, truth);
    *b = noisy(random, 1);
    if (kind != CALM && test_random_below(random, 6) == 0) {
        const double cut = 0.3 + test_random_below(random, 601) / 1000.0;
        *(kind == EITHER && test_random_below(random, 2) == 0 ? b : a) *= cut;
    }
}

static rs_interval draw(test_random *random, uint32_t pairs, double truth, disturbance kind) {
    double a[20], b[20];
    for (uint32_t i = 0; i < pairs; i++) {
        draw_pair(random, truth, kind, &a[i], &b[i]);
    }
    return rs_stats_ratio(a, b, pairs);
}

/* Ten pairs, and more while the interval is wide. */
static rs_interval draw_while_wide(test_random *random, double truth, disturbance kind) {
    double a[30], b[30];
    rs_interval ratio = {.count = 0};
    for (uint32_t i = 0; i < 30; i++) {
        draw_pair(random, truth, kind, &a[i], &b[i]);
        if (i + 1 >= 10) {
            ratio = rs_stats_ratio(a, b, i + 1);
            if (!rs_stats_is_wide(&ratio, 0.1)) {
                break;
            }
        }
    }
    return ratio;
}

/* Share of intervals that hold the truth. */
static double coverage(uint32_t pairs, disturbance kind) {
    const double truth = 1.3;
    test_random random = {seed + pairs};
    uint32_t held = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const rs_interval ratio = draw(&random, pairs, truth, kind);
        held += ratio.low <= truth && truth <= ratio.high;
    }
    return (double)held / ROUNDS;
}

static void test_stats_interval_covers_as_it_says(void **state) {
    (void)state;
    for (uint32_t pairs = 3; pairs <= 20; pairs++) {
        const double calm = coverage(pairs, CALM), disturbed = coverage(pairs, EITHER);
        const double one_sided = coverage(pairs, ALWAYS_FIRST);
        printf("%2u pairs: level %.4f, calm %.4f, disturbed %.4f, on one side %.4f\n", pairs,
               rs_stats_level(pairs), calm, disturbed, one_sided);
        if (pairs >= 5) {
            assert_true(calm >= 0.93 && calm <= 0.97);
            assert_true(disturbed >= 0.93 && disturbed <= 0.97);
            assert_true(one_sided >= 0.86); /* the median itself moves: no interval can know */
        }
        assert_true(fabs(calm - rs_stats_level(pairs)) < 0.015);
        assert_true(fabs(disturbed - rs_stats_level(pairs)) < 0.015);
    }
}

/* A true 10 % with 10 pairs, and how often one is claimed where there is none. Disturbances that
 * nobody flagged cost power, not truth: two of ten pairs on one side reach the interval's end. */
static void test_stats_finds_ten_percent_and_little_else(void **state) {
    (void)state;
    for (int kind = CALM; kind <= EITHER; kind++) {
        test_random random = {seed};
        uint32_t found = 0, wrong = 0, claimed = 0;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            const rs_interval ten = draw(&random, 10, 1.1, (disturbance)kind);
            const rs_interval none = draw(&random, 10, 1, (disturbance)kind);
            found += rs_stats_is_difference(&ten) && ten.low > 1;
            wrong += rs_stats_is_difference(&ten) && ten.high < 1;
            claimed += rs_stats_is_difference(&none);
        }
        printf("10 %% found: %.4f, the wrong way: %.4f, claimed of none: %.4f\n",
               (double)found / ROUNDS, (double)wrong / ROUNDS, (double)claimed / ROUNDS);
        assert_true(found >= ROUNDS * (kind == CALM ? 90 : 65) / 100);
        assert_true(wrong == 0);
        assert_true(claimed <= ROUNDS * 6 / 100); /* at 95 % it is one in twenty */
    }
}

/* The same with more pairs where the interval is wide, as --full has them. Who decides by the
 * interval when to end ends with a narrow one too early now and then: a point or two of the level
 * is the price. */
static void test_stats_finds_ten_percent_with_more_pairs(void **state) {
    (void)state;
    for (int kind = CALM; kind <= EITHER; kind++) {
        test_random random = {seed};
        uint32_t found = 0, claimed = 0, held = 0, pairs = 0;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            const rs_interval ten = draw_while_wide(&random, 1.1, (disturbance)kind);
            const rs_interval none = draw_while_wide(&random, 1, (disturbance)kind);
            found += rs_stats_is_difference(&ten) && ten.low > 1;
            held += ten.low <= 1.1 && 1.1 <= ten.high;
            claimed += rs_stats_is_difference(&none);
            pairs += ten.count;
        }
        printf("10 %% found: %.4f, held: %.4f, claimed of none: %.4f, with %.1f pairs\n",
               (double)found / ROUNDS, (double)held / ROUNDS, (double)claimed / ROUNDS,
               (double)pairs / ROUNDS);
        assert_true(found >= ROUNDS * 90 / 100);
        assert_true(held >= ROUNDS * 93 / 100 && held <= ROUNDS * 97 / 100);
        assert_true(claimed <= ROUNDS * 7 / 100);
    }
}

static void test_stats_wide_is_neither_narrow_nor_clear(void **state) {
    (void)state;
    const rs_interval narrow = {.count = 10, .middle = 1, .low = 0.96, .high = 1.05};
    const rs_interval wide = {.count = 10, .middle = 1, .low = 0.95, .high = 1.06};
    const rs_interval of_much = {.count = 10, .middle = 1.2, .low = 1.15, .high = 1.26};
    const rs_interval clear = {.count = 10, .middle = 2, .low = 1.26, .high = 3};
    const rs_interval clear_below = {.count = 10, .middle = 0.5, .low = 0.2, .high = 0.79};
    const rs_interval two = {.count = 2, .middle = 1, .low = 1, .high = 1};
    const rs_interval none = {.middle = NAN, .low = NAN, .high = NAN};
    assert_false(rs_stats_is_wide(&narrow, 0.1));
    assert_true(rs_stats_is_wide(&wide, 0.1));
    assert_false(rs_stats_is_wide(&of_much, 0.1));
    assert_false(rs_stats_is_wide(&clear, 0.1));
    assert_false(rs_stats_is_wide(&clear_below, 0.1));
    assert_true(rs_stats_is_wide(&two, 0.1));
    assert_false(rs_stats_is_wide(&none, 0.1));
}

static void test_stats_difference_needs_pairs_and_an_interval_without_1(void **state) {
    (void)state;
    const rs_interval above = {1.2, 1.1, 1.3, 5, 0, false}, below = {0.8, 0.7, 0.9, 5, 0, false};
    const rs_interval touching = {1.2, 1.0, 1.3, 5, 0, false}, around = {1, 0.9, 1.1, 5, 0, false};
    const rs_interval few = {1.2, 1.1, 1.3, RS_STATS_PAIRS_MIN - 1, 0, false},
                      none = {NAN, NAN, NAN, 0, 0, false};
    assert_true(rs_stats_is_difference(&above));
    assert_true(rs_stats_is_difference(&below));
    assert_false(rs_stats_is_difference(&touching));
    assert_false(rs_stats_is_difference(&around));
    assert_false(rs_stats_is_difference(&few));
    assert_false(rs_stats_is_difference(&none));
}

/* Student's test of three logarithms -1, 1, 3 against 0 has t = sqrt(3)/2: by hand, with two
 * degrees of freedom, p = 1 - t / sqrt(2 + t * t). Of four, 0 to 3: t = 3 / sqrt(5/3), by the
 * tables p is 0.102 for three degrees. */
static void test_stats_p_of_known_samples(void **state) {
    (void)state;
    const double three[] = {exp(-1), exp(1), exp(3)}, four[] = {1, exp(1), exp(2), exp(3)};
    const double one[] = {1, 1, 1, 1, 0, false}, t = sqrt(3) / 2;
    assert_true(near(rs_stats_ratio(three, one, 3).p, 1 - t / sqrt(2 + t * t)));
    assert_true(fabs(rs_stats_ratio(four, one, 4).p - 0.1027) < 0.001);
    assert_true(near(rs_stats_ratio(one, one, 4).p, 1));
    assert_true(near(rs_stats_ratio(three, one, 2).p, 1)); /* too few */
}

/* 200 ratios, 20 of which are a true 20 %: of those that remain few are false, and fewer than of
 * those that differ each by itself. */
static void test_stats_discoveries_are_seldom_false(void **state) {
    enum { SETS = 50, RATIOS = 200, TRUE_ONES = 20 };
    (void)state;
    test_random random = {seed};
    uint32_t alone = 0, remain = 0, is_false = 0, missed = 0;
    for (uint32_t round = 0; round < SETS; round++) {
        rs_interval ratio[RATIOS], *all[RATIOS];
        for (uint32_t i = 0; i < RATIOS; i++) {
            ratio[i] = draw(&random, 10, i < TRUE_ONES ? 1.2 : 1, CALM);
            all[i] = &ratio[i];
            alone += i >= TRUE_ONES && rs_stats_is_difference(&ratio[i]);
        }
        remain += rs_stats_discoveries(all, RATIOS, RS_STATS_FALSE_DISCOVERIES);
        for (uint32_t i = 0; i < RATIOS; i++) {
            is_false += i >= TRUE_ONES && rs_stats_is_difference(&ratio[i]);
            missed += i < TRUE_ONES && !rs_stats_is_difference(&ratio[i]);
        }
    }
    printf("false alone %u, false of those that remain %u of %u, missed %u of %u\n", alone,
           is_false, remain, missed, (uint32_t)(SETS * TRUE_ONES));
    assert_true(alone > is_false * 5);
    assert_true(is_false * 100 <= remain * 7); /* 5 %, and the noise of this sample */
    assert_true(missed * 100 <= SETS * TRUE_ONES * 10);
}

static void test_stats_discoveries_of_none_and_one(void **state) {
    (void)state;
    rs_interval one = {1.2, 1.1, 1.3, 5, 0.04, true}, *all[] = {&one};
    assert_int_equal(rs_stats_discoveries(all, 0, 0.05), 0);
    assert_int_equal(rs_stats_discoveries(all, 1, 0.05), 1);
    one.p = 0.06;
    assert_int_equal(rs_stats_discoveries(all, 1, 0.05), 0);
    assert_true(one.may_be_chance);
}

/* Benjamini and Hochberg: the k-th smallest of n against k / n of the rate, and all below the last
 * that is within remain, also the one that is beyond its own. */
static void test_stats_discoveries_are_by_rank(void **state) {
    (void)state;
    rs_interval ratio[] = {{1.2, 1.1, 1.3, 9, 0.049, false},
                           {1.2, 1.1, 1.3, 9, 0.026, false},
                           {1.2, 1.1, 1.3, 9, 0.001, false},
                           {1.2, 1.1, 1.3, 9, 0.036, false}};
    rs_interval *all[] = {&ratio[0], &ratio[1], &ratio[2], &ratio[3]};
    assert_int_equal(rs_stats_discoveries(all, 4, 0.05), 4);
    ratio[0].p = 0.051;
    assert_int_equal(rs_stats_discoveries(all, 4, 0.05), 3);
    assert_true(ratio[0].may_be_chance && !ratio[1].may_be_chance);
    ratio[3].p = 0.038;
    assert_int_equal(rs_stats_discoveries(all, 4, 0.05), 1);
}

static void test_stats_same_needs_an_interval_near_1(void **state) {
    (void)state;
    const rs_interval within = {1, 0.95, 1.05, 5, 0, false}, above = {1, 0.96, 1.06, 5, 0, false};
    const rs_interval below = {1, 0.94, 1.04, 5, 0, false},
                      few = {1, 0.99, 1.01, RS_STATS_PAIRS_MIN - 1, 0, false};
    assert_true(rs_stats_is_same(&within));
    assert_false(rs_stats_is_same(&above));
    assert_false(rs_stats_is_same(&below));
    assert_false(rs_stats_is_same(&few));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_median_of_known_samples),
        cmocka_unit_test(test_stats_spread_of_known_samples),
        cmocka_unit_test(test_stats_ratio_pairs_before_it_divides),
        cmocka_unit_test(test_stats_ratio_leaves_out_broken_pairs),
        cmocka_unit_test(test_stats_five_pairs_give_their_whole_range),
        cmocka_unit_test(test_stats_interval_has_the_level_it_says),
        cmocka_unit_test(test_stats_interval_covers_as_it_says),
        cmocka_unit_test(test_stats_finds_ten_percent_and_little_else),
        cmocka_unit_test(test_stats_finds_ten_percent_with_more_pairs),
        cmocka_unit_test(test_stats_wide_is_neither_narrow_nor_clear),
        cmocka_unit_test(test_stats_difference_needs_pairs_and_an_interval_without_1),
        cmocka_unit_test(test_stats_same_needs_an_interval_near_1),
        cmocka_unit_test(test_stats_p_of_known_samples),
        cmocka_unit_test(test_stats_discoveries_are_seldom_false),
        cmocka_unit_test(test_stats_discoveries_of_none_and_one),
        cmocka_unit_test(test_stats_discoveries_are_by_rank),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
