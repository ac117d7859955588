/* SPDX-License-Identifier: MIT */
/* The reports: console, Markdown, CSV, JSON and one HTML page, all from the same results.
 *
 * Pure: text into a caller's buffer. Each says by itself on which platform its figures were taken,
 * and none but the one for real Windows compares rio_server with iocp_server. */
#ifndef RS_COMPARE_REPORT_H
#define RS_COMPARE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "compare/result.h"
#include "compare/text.h"
#include "core/json.h"

#define RS_REPORT_BYTES (4u * 1024u * 1024u) /* enough for the largest of them */

/* rs_report_table: one row for each server and scenario; for trade-offs one for each setting,
 * server and scenario. The table is large: not for the stack. */
void rs_report_table(const rs_results *results, rs_table *out);
void rs_report_latency_table(const rs_results *results, rs_table *out);
void rs_report_memory_table(const rs_results *results, rs_table *out);

/* rs_report_calibration_table: --calibrate: what was found of each handicap. */
void rs_report_calibration_table(const rs_results *results, rs_table *out);

/* Each writes a whole document. scratch: one table, to be overwritten. */
void rs_report_console(const rs_results *results, rs_table *scratch, rs_compare_text *text);
void rs_report_markdown(const rs_results *results, rs_table *scratch, rs_compare_text *text);
void rs_report_html(const rs_results *results, rs_table *scratch, rs_compare_text *text);
void rs_report_csv(const rs_results *results, rs_compare_text *text); /* medians */

/* rs_report_runs_csv_head / _line: the file of single runs, written as they come. */
void rs_report_runs_csv_head(rs_compare_text *text);
void rs_report_runs_csv_line(const rs_results *results, uint32_t scenario, uint32_t subject,
                             uint32_t repeat, rs_compare_text *text);

/* rs_report_json: everything, for programs. False: it did not fit. */
bool rs_report_json(const rs_results *results, char *out, size_t bytes, size_t *length);

/* Parts of it, into an open object: what a cell recorded of the settings; its runs, with their
 * kernel calls by name if asked for. */
void rs_report_json_settings(rs_json *json, const rs_results *results, uint32_t scenario,
                             uint32_t subject);
void rs_report_json_runs(rs_json *json, const rs_results *results, uint32_t scenario,
                         uint32_t subject, bool calls);

/* ---- what they share */

/* What is said above every figure. */
typedef struct rs_report_line {
    const char *what; /* static */
    char words[320];
    bool is_warning;
} rs_report_line;

#define RS_REPORT_HEAD_MAX 8u

typedef struct rs_report_head {
    rs_report_line line[RS_REPORT_HEAD_MAX];
    uint32_t lines;
} rs_report_head;

/* rs_report_head_make: a control that differs, how many runs were disturbed or void, the controls
 * that do not differ, the errors of the instruments. */
void rs_report_head_make(const rs_results *results, rs_report_head *head);

#define RS_REPORT_SUMMARY_BYTES 4096u

/* rs_report_discoveries: trade-offs: how many of all differences remain. rs_report_summary: of one
 * server in words what is worth changing, by the differences that remain; cut where it is longer
 * than RS_REPORT_SUMMARY_BYTES. False, "" for what is no server of the trade-offs. */
void rs_report_discoveries(const rs_results *results, char *out, size_t bytes);
bool rs_report_summary(const rs_results *results, uint32_t subject, char *out, size_t bytes);

/* rs_report_settings: gives fn the settings, each once: of a server those of all its cells, then
 * what one of its cells has besides; the same of loadgen. words may be cut. */
typedef void (*rs_report_settings_fn)(rs_compare_text *text, const char *what, const char *words);
void rs_report_settings(const rs_results *results, rs_compare_text *text, rs_report_settings_fn fn);

/* rs_report_paced_late: the line that explains the mark of latency figures; "" when none has it. */
void rs_report_paced_late(const rs_results *results, char *out, size_t bytes);

/* rs_report_limit: "at most 63 connections: ..."; false, "" when the subject names no end. */
bool rs_report_limit(const rs_results *results, uint32_t subject, char *out, size_t bytes);

#endif
