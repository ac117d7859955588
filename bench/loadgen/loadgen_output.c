/* SPDX-License-Identifier: MIT */
/* See loadgen_output.h. */
#include "loadgen/loadgen_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "loadgen/loadgen_groups.h"
#include "loadgen/loadgen_report.h"
#include "seam/files.h"
#include "server/record.h"

#define OUTPUT_NS_PER_MS 1e6
#define OUTPUT_NS_PER_US 1e3
#define OUTPUT_CHECK_BYTES 262144u /* more than a histogram has rows for */

typedef struct output_text {
    char *out;
    size_t bytes, needed;
} output_text;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
output_add(output_text *text, const char *format, ...) {
    const size_t at = text->needed < text->bytes ? text->needed : text->bytes;
    va_list args;
    va_start(args, format);
    const int count =
        vsnprintf(at < text->bytes ? text->out + at : NULL, text->bytes - at, format, args);
    va_end(args);
    RS_ASSERT(count >= 0);
    text->needed += (size_t)count;
}

/* What a bucket reports. */
static uint64_t output_value(const rs_histogram *histogram, uint32_t bucket) {
    const uint64_t top = rs_histogram_bucket_top(bucket);
    return top < histogram->max ? top : histogram->max;
}

static double output_deviation(const rs_histogram *histogram) {
    const double mean = rs_histogram_mean(histogram);
    double sum = 0;
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS; i++) {
        const double off = (double)output_value(histogram, i) - mean;
        sum += histogram->bucket[i] != 0 ? off * off * (double)histogram->bucket[i] : 0;
    }
    return histogram->count > 0 ? sqrt(sum / (double)histogram->count) : 0;
}

size_t rs_output_hdr(const rs_histogram *histogram, char *out, size_t out_bytes) {
    output_text text = {.out = out, .bytes = out_bytes};
    const double all = (double)histogram->count;
    uint64_t seen = 0;
    RS_ASSERT(out != NULL || out_bytes == 0);
    output_add(&text, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
               "1/(1-Percentile)");
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS && seen < histogram->count; i++) {
        if (histogram->bucket[i] == 0) {
            continue;
        }
        seen += histogram->bucket[i];
        output_add(&text, "%12.6f %.12f %10" PRIu64,
                   (double)output_value(histogram, i) / OUTPUT_NS_PER_MS, (double)seen / all, seen);
        if (seen < histogram->count) { /* the last row has none: it would be infinite */
            output_add(&text, " %14.2f", all / (all - (double)seen));
        }
        output_add(&text, "\n");
    }
    output_add(&text, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n",
               rs_histogram_mean(histogram) / OUTPUT_NS_PER_MS,
               output_deviation(histogram) / OUTPUT_NS_PER_MS);
    output_add(&text, "#[Max     = %12.6f, Total count    = %12" PRIu64 "]\n",
               (double)histogram->max / OUTPUT_NS_PER_MS, histogram->count);
    output_add(&text, "#[Buckets = %12u, SubBuckets     = %12u]\n",
               RS_HISTOGRAM_BUCKETS >> RS_HISTOGRAM_STEP_BITS, 1u << RS_HISTOGRAM_STEP_BITS);
    return text.needed;
}

static void output_cell(output_text *text, double value, int digits) {
    if (value >= 0) {
        output_add(text, ",%.*f", digits, value);
    } else {
        output_add(text, ",");
    }
}

size_t rs_output_series(const rs_load_run *run, char *out, size_t out_bytes) {
    output_text text = {.out = out, .bytes = out_bytes};
    RS_ASSERT(out != NULL || out_bytes == 0);
    output_add(&text, "second,rate_per_s,p50_us,p99_us,cpu\n");
    for (uint32_t i = 0; i < run->series_count; i++) {
        const rs_load_second *row = &run->series[i];

        output_add(&text, "%.3f,%.1f", row->at_s, row->rate_per_s);
        output_cell(&text, row->p50_ns < 0 ? -1 : row->p50_ns / OUTPUT_NS_PER_US, 3);
        output_cell(&text, row->p99_ns < 0 ? -1 : row->p99_ns / OUTPUT_NS_PER_US, 3);
        output_cell(&text, row->cpu, 3);
        output_add(&text, "\n");
    }
    return text.needed;
}

int rs_output_check(const rs_load_settings *settings) {
    const int failed = rs_record_check("loadgen", "hdr", settings->hdr_path);
    const int series =
        failed != 0 ? failed : rs_record_check("loadgen", "series", settings->series_path);
    return series != 0
               ? series
               : rs_record_check("loadgen", "per-connection", settings->per_connection_path);
}

typedef size_t (*output_make)(const rs_load_run *run, char *out, size_t out_bytes);

static size_t output_make_hdr(const rs_load_run *run, char *out, size_t out_bytes) {
    return rs_output_hdr(rs_report_latency(run), out, out_bytes);
}

static rs_status output_file(const rs_load_run *run, const char *path, output_make make,
                             rs_error *error) {
    size_t bytes;
    char *text;
    rs_status status;
    if (path == NULL) {
        return RS_OK;
    }
    bytes = make(run, NULL, 0);
    text = malloc(bytes + 1u);
    if (text == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory for %s", path);
    }
    (void)make(run, text, bytes + 1u);
    status = rs_record_put(path, text, bytes, error);
    free(text);
    return status;
}

static bool output_is_json(const char *path) {
    const char *dot = path != NULL ? strrchr(path, '.') : NULL;
    return dot != NULL && strcmp(dot, ".json") == 0;
}

rs_status rs_output_write(const rs_load_run *run, rs_error *error) {
    const rs_load_settings *s = run->settings;
    rs_status status = output_file(run, s->hdr_path, output_make_hdr, error);
    if (status == RS_OK) {
        status = output_file(run, s->series_path, rs_output_series, error);
    }
    return status == RS_OK
               ? output_file(
                     run, s->per_connection_path,
                     output_is_json(s->per_connection_path) ? rs_groups_list : rs_groups_csv, error)
               : status;
}
