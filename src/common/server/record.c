/* SPDX-License-Identifier: MIT */
/* See record.h. */
#include "server/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/files.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

#define RECORD_BYTES 32768u
#define RECORD_BYTES_MAX (RECORD_BYTES << 10) /* a row a second for a day fits */

static bool record_is_stdout(const char *path) {
    RS_ASSERT(path != NULL);
    return strcmp(path, RS_RECORD_STDOUT) == 0;
}

int rs_record_check(const char *program, const char *option, const char *path) {
    rs_error error = {.text = ""};
    const rs_status status =
        path != NULL && !record_is_stdout(path) ? rs_file_check(path, RECORD_BYTES, &error) : RS_OK;
    if (status != RS_OK) {
        (void)fprintf(stderr, "%s: --%s: %s\n", program, option, error.text);
    }
    return status == RS_OK ? 0 : status == RS_E_INVALID ? 2 : 1;
}

rs_status rs_record_put(const char *path, const char *text, size_t bytes, rs_error *error) {
    RS_ASSERT(text != NULL);
    if (!record_is_stdout(path)) {
        return rs_file_replace(path, text, bytes, error);
    }
    return rs_os_print(RS_OS_STDOUT, text, bytes)
               ? RS_OK
               : rs_error_set(error, RS_E_OS, "write", 0, "standard output cannot be written");
}

static bool record_build(char *text, size_t bytes, rs_record_fn members, const void *ctx,
                         size_t *length) {
    rs_json json;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(members != NULL);
    rs_json_init(&json, text, bytes);
    rs_json_object(&json, NULL);
    members(&json, ctx);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}

rs_status rs_record_write(const char *path, rs_record_fn members, const void *ctx,
                          rs_error *error) {
    size_t length = 0;
    rs_status status;
    char *text = NULL;
    bool whole = false;
    if (path == NULL) {
        return RS_OK;
    }
    for (size_t bytes = RECORD_BYTES; !whole && bytes <= RECORD_BYTES_MAX; bytes *= 4u) {
        free(text);
        text = malloc(bytes + 1u);
        whole = text != NULL && record_build(text, bytes, members, ctx, &length);
    }
    if (!whole) {
        free(text);
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory for the figures");
    }
    text[length++] = '\n';
    status = rs_record_put(path, text, length, error);
    free(text);
    return status;
}

void rs_record_head(rs_json *json, const char *program, const char *backend, const char *provider) {
    RS_ASSERT(program != NULL);
    rs_json_string(json, "program", program);
    rs_json_string(json, "backend", backend);
    rs_json_string(json, "provider", provider);
    rs_json_string(json, "platform", rs_os_platform());
    rs_json_bool(json, "wine", rs_os_is_wine());
    if (rs_os_is_wine()) {
        rs_json_string(json, "warning", "measured under Wine: not about Windows");
    }
    rs_json_string(json, "commit", RS_COMMIT);
}

static void record_stats(rs_json *json, const char *key, const rs_backend_stats *stats,
                         bool calls) {
    RS_ASSERT(stats->count <= RS_BACKEND_STATS_MAX);
    rs_json_object(json, key);
    for (uint32_t i = 0; i < stats->count; i++) {
        if (stats->stat[i].is_call == calls) {
            rs_json_u64(json, stats->stat[i].name, stats->stat[i].value);
        }
    }
    rs_json_end(json);
}

uint64_t rs_record_calls_total(const rs_backend_stats *stats) {
    uint64_t total = 0;
    RS_ASSERT(stats->count <= RS_BACKEND_STATS_MAX);
    for (uint32_t i = 0; i < stats->count; i++) {
        total += stats->stat[i].is_call ? stats->stat[i].value : 0;
    }
    return total;
}

void rs_record_calls(rs_json *json, const rs_backend_stats *stats, uint64_t messages) {
    const uint64_t total = rs_record_calls_total(stats);
    record_stats(json, "kernel_calls", stats, true);
    record_stats(json, "backend_counters", stats, false);
    rs_json_u64(json, "kernel_calls_total", total);
    if (messages != 0) {
        rs_json_double(json, "kernel_calls_per_message", (double)total / (double)messages);
    } else {
        rs_json_null(json, "kernel_calls_per_message");
    }
}

void rs_record_usage(rs_json *json, const rs_os_usage *then) {
    rs_os_usage now;
    RS_ASSERT(then != NULL);
    rs_os_usage_read(&now);
    const struct {
        const char *key;
        uint32_t known;
        uint64_t value;
    } rows[] = {
        {"user_ns", RS_USE_CPU, now.user_ns - then->user_ns},
        {"kernel_ns", RS_USE_CPU, now.kernel_ns - then->kernel_ns},
        {"cycles", RS_USE_CYCLES, now.cycles - then->cycles},
        {"context_switches", RS_USE_SWITCHES, now.context_switches - then->context_switches},
        {"page_faults", RS_USE_FAULTS, now.page_faults - then->page_faults},
        {"working_set_bytes", RS_USE_WORKING_SET, now.working_set_bytes},
        {"working_set_peak_bytes", RS_USE_WORKING_SET, now.working_set_peak_bytes},
        {"nonpaged_pool_bytes", RS_USE_NONPAGED, now.nonpaged_pool_bytes},
        {"nonpaged_pool_machine_bytes", RS_USE_NONPAGED_MACHINE, now.nonpaged_pool_machine_bytes},
        {"locked_bytes", RS_USE_LOCKED, now.locked_bytes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((now.known & rows[i].known) != 0) {
            rs_json_u64(json, rows[i].key, rows[i].value);
        } else {
            rs_json_null(json, rows[i].key);
        }
    }
}

/* How many values are below each power of two and not below the one before; none: left out. */
static void record_octaves(rs_json *json, const rs_histogram *histogram) {
    char below[24];
    uint64_t count = 0;
    rs_json_object(json, "below");
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS; i++) {
        const uint64_t next = rs_histogram_bucket_top(i) + 1;
        count += histogram->bucket[i];
        if (count > 0 && (next & (next - 1)) == 0) {
            (void)snprintf(below, sizeof below, "%" PRIu64, next);
            rs_json_u64(json, below, count);
            count = 0;
        }
    }
    RS_ASSERT(count == 0); /* the range ends at a power of two */
    rs_json_end(json);
}

void rs_record_histogram(rs_json *json, const char *key, const rs_histogram *histogram) {
    RS_ASSERT(key != NULL);
    rs_json_object(json, key);
    rs_json_u64(json, "count", histogram->count);
    rs_json_double(json, "mean", rs_histogram_mean(histogram));
    for (size_t i = 0; i < RS_HISTOGRAM_POINTS; i++) {
        const rs_histogram_point *point = &rs_histogram_points[i];
        rs_json_u64(json, point->name, rs_histogram_percentile(histogram, point->percent_x1000));
    }
    rs_json_u64(json, "max", histogram->count != 0 ? histogram->max : 0);
    record_octaves(json, histogram);
    rs_json_end(json);
}
