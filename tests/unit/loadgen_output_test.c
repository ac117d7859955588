/* SPDX-License-Identifier: MIT */
/* The text of a histogram and of the rows of a run, made by hand. A pass: the text is what is
 * written here, and keeps within a buffer of any size. */
#include "loadgen/loadgen_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

/* 100 exact values (below 128 ns) and one of 5 ms. */
static void test_output_hdr_is_the_format_of_the_plotter(void **state) {
    static const char expected[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                                   "\n"
                                   "    0.000010 0.500000000000         50           2.00\n"
                                   "    0.000100 0.990000000000         99         100.00\n"
                                   "    5.000000 1.000000000000        100\n"
                                   "#[Mean    =     0.050054, StdDeviation   =     0.497488]\n"
                                   "#[Max     =     5.000000, Total count    =          100]\n"
                                   "#[Buckets =           37, SubBuckets     =           64]\n";
    static rs_histogram histogram;
    char out[1024];
    (void)state;
    rs_histogram_init(&histogram);
    rs_histogram_record_n(&histogram, 10, 50);
    rs_histogram_record_n(&histogram, 100, 49);
    rs_histogram_record(&histogram, 5 * MS);
    const size_t need = rs_output_hdr(&histogram, out, sizeof out);
    assert_string_equal(out, expected);
    assert_int_equal(need, strlen(expected));
    for (size_t bytes = 1; bytes <= need + 1; bytes++) {
        memset(out, 'g', sizeof out);
        assert_int_equal(rs_output_hdr(&histogram, out, bytes), need);
        assert_int_equal(strlen(out), bytes <= need ? bytes - 1 : need);
        assert_int_equal(out[bytes], 'g');
    }
}

static void test_output_hdr_of_nothing_has_no_row(void **state) {
    static rs_histogram histogram;
    char out[1024];
    (void)state;
    rs_histogram_init(&histogram);
    (void)rs_output_hdr(&histogram, out, sizeof out);
    assert_non_null(strstr(out, "1/(1-Percentile)\n\n#[Mean    =     0.000000"));
}

static void test_output_series_leaves_unknown_cells_empty(void **state) {
    rs_load_run *run = calloc(1, sizeof *run);
    rs_load_second rows[] = {{1.0, 2000, 51000, 99500, 0.25}, {1.75, 1.5, -1, -1, -1}};
    char out[256];
    (void)state;
    assert_non_null(run);
    run->series = rows;
    run->series_count = 2;
    const size_t need = rs_output_series(run, out, sizeof out);
    assert_string_equal(out, "second,rate_per_s,p50_us,p99_us,cpu\n"
                             "1.000,2000.0,51.000,99.500,0.250\n"
                             "1.750,1.5,,,\n");
    assert_int_equal(need, strlen(out));
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_hdr_is_the_format_of_the_plotter),
        cmocka_unit_test(test_output_hdr_of_nothing_has_no_row),
        cmocka_unit_test(test_output_series_leaves_unknown_cells_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
