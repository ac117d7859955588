/* SPDX-License-Identifier: MIT */
/* The error bound is proved over every value below 2^16, every edge of every bucket, powers of two
 * and their neighbours, and random values; percentiles are compared with a sorted array. Passes
 * when exact <= reported <= exact + exact / 64 everywhere. */
#include "core/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "unit/random.h"

#define VALUE_MAX ((UINT64_C(1) << RS_HISTOGRAM_VALUE_BITS) - 1u)
#define SAMPLES_MAX 3000u

static uint64_t seed;
static rs_histogram histogram;
static uint64_t samples[SAMPLES_MAX];

/* What the histogram says for one value. The greatest value beside it keeps its maximum, which is
 * exact, from hiding the bucket's error. */
static uint64_t reported(uint64_t value) {
    rs_histogram_init(&histogram);
    rs_histogram_record(&histogram, value);
    rs_histogram_record(&histogram, VALUE_MAX);
    return rs_histogram_percentile(&histogram, 50000);
}

static void check_value(uint64_t value) {
    const uint64_t got = reported(value);
    if (got < value || got - value > value / 64u) {
        print_error("%llu is reported as %llu\n", (unsigned long long)value,
                    (unsigned long long)got);
        fail();
    }
    if (value < 128) {
        assert_int_equal(got, value);
    }
}

static void test_histogram_small_values_are_within_the_bound(void **state) {
    (void)state;
    for (uint64_t value = 0; value < 65536u; value++) {
        check_value(value);
    }
}

static void test_histogram_powers_of_two_and_neighbours_are_within_the_bound(void **state) {
    (void)state;
    for (uint32_t bit = 0; bit < RS_HISTOGRAM_VALUE_BITS; bit++) {
        const uint64_t value = UINT64_C(1) << bit;
        check_value(value - 1);
        check_value(value);
        check_value(value + 1 <= VALUE_MAX ? value + 1 : value);
    }
    check_value(VALUE_MAX);
    check_value(VALUE_MAX - 1);
}

static void test_histogram_bucket_edges_are_within_the_bound(void **state) {
    (void)state;
    for (uint32_t shift = 0; shift <= RS_HISTOGRAM_VALUE_BITS - 7u; shift++) {
        for (uint64_t step = 64; step < 128; step++) {
            check_value((step << shift) - 1);
            check_value(step << shift);
            check_value((step << shift) + 1);
        }
    }
}

static void test_histogram_random_values_are_within_the_bound(void **state) {
    (void)state;
    test_random random = {seed};
    for (uint32_t i = 0; i < 50000u; i++) {
        check_value(test_random_wide(&random, RS_HISTOGRAM_VALUE_BITS));
    }
}

static int compare_u64(const void *a, const void *b) {
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void check_percentile(uint32_t count, uint32_t percent_x1000) {
    const uint64_t need = ((uint64_t)count * percent_x1000 + 99999u) / 100000u;
    const uint64_t exact = samples[need > 0 ? need - 1 : 0];
    const uint64_t got = rs_histogram_percentile(&histogram, percent_x1000);
    assert_true(got >= exact);
    assert_true(got - exact <= exact / 64u);
    assert_true(got <= samples[count - 1]);
}

static void check_sample(test_random *random, uint32_t count, uint32_t bits) {
    static const uint32_t percents[] = {0,     1,     1000,  10000, 25000, 50000,
                                        75000, 90000, 99000, 99900, 99999, 100000};
    rs_histogram_init(&histogram);
    for (uint32_t i = 0; i < count; i++) {
        samples[i] = test_random_wide(random, bits);
        rs_histogram_record(&histogram, samples[i]);
    }
    qsort(samples, count, sizeof samples[0], compare_u64);
    assert_int_equal(histogram.min, samples[0]);
    assert_int_equal(histogram.max, samples[count - 1]);
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        check_percentile(count, percents[i]);
    }
    for (uint32_t i = 0; i < 20; i++) {
        check_percentile(count, test_random_below(random, 100001u));
    }
}

static void test_histogram_percentiles_match_a_sorted_array(void **state) {
    (void)state;
    test_random random = {seed};
    for (uint32_t count = 1; count <= 200; count++) {
        check_sample(&random, count, 1 + count % RS_HISTOGRAM_VALUE_BITS);
    }
    for (uint32_t bits = 1; bits <= RS_HISTOGRAM_VALUE_BITS; bits++) {
        check_sample(&random, SAMPLES_MAX, bits);
    }
}

static void test_histogram_percentile_of_huge_counts_does_not_overflow(void **state) {
    (void)state;
    rs_histogram_init(&histogram);
    rs_histogram_record_n(&histogram, 1, UINT64_C(1) << 62);
    rs_histogram_record_n(&histogram, 100, UINT64_C(1) << 61);
    assert_int_equal(rs_histogram_percentile(&histogram, 0), 1);
    assert_int_equal(rs_histogram_percentile(&histogram, 66000), 1);
    assert_int_equal(rs_histogram_percentile(&histogram, 67000), 100);
    assert_int_equal(rs_histogram_percentile(&histogram, 100000), 100);
}

static void test_histogram_empty_answers_zero(void **state) {
    (void)state;
    memset(&histogram, 0x5A, sizeof histogram);
    rs_histogram_init(&histogram);
    assert_int_equal(rs_histogram_percentile(&histogram, 50000), 0);
    assert_true(rs_histogram_mean(&histogram) == 0.0);
    rs_histogram_record_n(&histogram, 5, 0);
    assert_int_equal(histogram.count, 0);
    assert_int_equal(histogram.max, 0);
    assert_int_equal(histogram.min, 0);
}

static void test_histogram_values_above_the_range_are_clamped_and_counted(void **state) {
    (void)state;
    rs_histogram_init(&histogram);
    rs_histogram_record(&histogram, VALUE_MAX);
    assert_int_equal(histogram.clamped, 0);
    rs_histogram_record(&histogram, VALUE_MAX + 1);
    rs_histogram_record_n(&histogram, UINT64_MAX, 3);
    assert_int_equal(histogram.clamped, 4);
    assert_int_equal(histogram.count, 5);
    assert_int_equal(histogram.max, VALUE_MAX);
    assert_int_equal(histogram.min, VALUE_MAX);
    assert_int_equal(rs_histogram_percentile(&histogram, 100000), VALUE_MAX);
}

static void test_histogram_record_n_equals_recording_n_times(void **state) {
    (void)state;
    static rs_histogram one_by_one;
    test_random random = {seed};
    rs_histogram_init(&histogram);
    rs_histogram_init(&one_by_one);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint64_t value = test_random_wide(&random, 64);
        const uint32_t count = test_random_below(&random, 5);
        rs_histogram_record_n(&histogram, value, count);
        for (uint32_t k = 0; k < count; k++) {
            rs_histogram_record(&one_by_one, value);
        }
    }
    assert_memory_equal(&histogram, &one_by_one, sizeof histogram);
}

static void test_histogram_merge_equals_recording_into_one(void **state) {
    (void)state;
    static rs_histogram parts[3], all, empty;
    test_random random = {seed};
    rs_histogram_init(&all);
    rs_histogram_init(&empty);
    rs_histogram_init(&histogram);
    for (uint32_t i = 0; i < 3; i++) {
        rs_histogram_init(&parts[i]);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        const uint64_t value = test_random_wide(&random, 48);
        rs_histogram_record(&all, value);
        rs_histogram_record(&parts[i % 3], value);
    }
    for (uint32_t i = 0; i < 3; i++) {
        rs_histogram_merge(&histogram, &parts[i]);
        rs_histogram_merge(&histogram, &empty);
    }
    assert_memory_equal(&histogram, &all, sizeof histogram);
}

/* The smaller minimum and the larger maximum, whichever of the two has them. */
/* What was recorded since a copy was made, and every bucket's highest value reported as itself. */
static void test_histogram_since_is_what_came_after(void **state) {
    static rs_histogram before, since, expected;
    (void)state;
    rs_histogram_init(&histogram);
    rs_histogram_init(&expected);
    rs_histogram_record_n(&histogram, 1000, 5);
    before = histogram;
    for (uint64_t value = 1; value < 5000000; value = value * 3u + 1u) {
        rs_histogram_record_n(&histogram, value, value % 4u);
        rs_histogram_record_n(&expected, value, value % 4u);
    }
    rs_histogram_since(&since, &histogram, &before);
    assert_int_equal(since.count, expected.count);
    assert_int_equal(since.sum, expected.sum);
    assert_memory_equal(since.bucket, expected.bucket, sizeof since.bucket);
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS; i++) {
        rs_histogram_init(&since);
        rs_histogram_record(&since, rs_histogram_bucket_top(i));
        assert_int_equal(since.bucket[i], 1);
    }
}

static void test_histogram_merge_takes_the_outermost_values(void **state) {
    static const uint64_t values[][2] = {{5000, 7}, {7, 5000}};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        static rs_histogram other;
        rs_histogram_init(&histogram);
        rs_histogram_init(&other);
        rs_histogram_record(&histogram, values[i][0]);
        rs_histogram_record(&other, values[i][1]);
        rs_histogram_merge(&histogram, &other);
        assert_int_equal(histogram.min, 7);
        assert_int_equal(histogram.max, 5000);
    }
}

static void test_histogram_mean_is_that_of_the_exact_values(void **state) {
    (void)state;
    rs_histogram_init(&histogram);
    rs_histogram_record(&histogram, 1000001);
    rs_histogram_record_n(&histogram, 3, 2);
    assert_true(rs_histogram_mean(&histogram) == 1000007.0 / 3.0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram_small_values_are_within_the_bound),
        cmocka_unit_test(test_histogram_powers_of_two_and_neighbours_are_within_the_bound),
        cmocka_unit_test(test_histogram_bucket_edges_are_within_the_bound),
        cmocka_unit_test(test_histogram_random_values_are_within_the_bound),
        cmocka_unit_test(test_histogram_percentiles_match_a_sorted_array),
        cmocka_unit_test(test_histogram_percentile_of_huge_counts_does_not_overflow),
        cmocka_unit_test(test_histogram_empty_answers_zero),
        cmocka_unit_test(test_histogram_values_above_the_range_are_clamped_and_counted),
        cmocka_unit_test(test_histogram_record_n_equals_recording_n_times),
        cmocka_unit_test(test_histogram_merge_equals_recording_into_one),
        cmocka_unit_test(test_histogram_merge_takes_the_outermost_values),
        cmocka_unit_test(test_histogram_since_is_what_came_after),
        cmocka_unit_test(test_histogram_mean_is_that_of_the_exact_values),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
