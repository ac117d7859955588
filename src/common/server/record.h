/* SPDX-License-Identifier: MIT */
/* The record that a measured program writes: the JSON object of --json, and what all programs write
 * alike. Main thread only. */
#ifndef RS_SERVER_RECORD_H
#define RS_SERVER_RECORD_H

#include "core/histogram.h"
#include "core/json.h"
#include "seam/backend.h"
#include "seam/os.h"

#define RS_RECORD_STDOUT "-" /* as a path: standard output */

/* rs_record_check: before the run: can the file of --OPTION be written? path NULL: there is none.
 * Returns 0, or the exit code: 2 for a path that is not a regular file, else 1, with a line on
 * stderr. */
int rs_record_check(const char *program, const char *option, const char *path);

/* rs_record_put: replaces the whole file with the text, or changes nothing. As rs_file_replace; a
 * path of "-" is standard output, which is waited for. */
rs_status rs_record_put(const char *path, const char *text, size_t bytes, rs_error *error);

/* Writes the members of the record. */
typedef void (*rs_record_fn)(rs_json *json, const void *ctx);

/* rs_record_write: rs_record_put of the record that `members` writes. path NULL: nothing to do.
 * RS_E_NO_MEMORY, or as rs_file_replace; *error filled. */
rs_status rs_record_write(const char *path, rs_record_fn members, const void *ctx, rs_error *error);

/* ---- members, for an rs_record_fn */

/* rs_record_head: who ran, on what: program, backend, provider, platform, wine, warning, commit. */
void rs_record_head(rs_json *json, const char *program, const char *backend, const char *provider);

/* rs_record_calls: kernel_calls and backend_counters by name, their total and calls per message;
 * messages 0: null. */
void rs_record_calls(rs_json *json, const rs_backend_stats *stats, uint64_t messages);

/* rs_record_usage: resource usage since `then`; null for unknown figures. */
void rs_record_usage(rs_json *json, const rs_os_usage *then);

/* rs_record_histogram: count, mean, percentiles, max, and how many values lie below each power of
 * two. */
void rs_record_histogram(rs_json *json, const char *key, const rs_histogram *histogram);

/* rs_record_calls_total: the sum of all kernel calls. */
uint64_t rs_record_calls_total(const rs_backend_stats *stats);

#endif
