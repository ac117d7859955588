/* SPDX-License-Identifier: MIT */
/* Tables: the same rows for the console, Markdown and HTML. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/report_map.h"
#include "compare/calibration.h"
#include "compare/question.h"
#include "core/assert.h"

static void report_percent(char cell[RS_TABLE_CELL_BYTES], double share) {
    (void)snprintf(cell, RS_TABLE_CELL_BYTES, rs_is_known(share) ? "%.0f" : "-", share * 100);
}

/* Of shares that may be small. */
static void report_tenths(char cell[RS_TABLE_CELL_BYTES], double share) {
    (void)snprintf(cell, RS_TABLE_CELL_BYTES, rs_is_known(share) ? "%.1f" : "-", share * 100);
}

typedef struct report_row {
    char (*cell)[RS_TABLE_CELL_BYTES];
    uint32_t at;
} report_row;

static void row_text(report_row *row, const char *text) {
    (void)snprintf(row->cell[row->at++], RS_TABLE_CELL_BYTES, "%s", text);
}

static void row_number(report_row *row, double value) {
    rs_table_number(row->cell[row->at++], value);
}

static void row_count(report_row *row, uint32_t count) {
    rs_table_count(row->cell[row->at++], count);
}

static void row_ratio(report_row *row, const rs_cell *cell, const rs_interval *ratio) {
    const rs_interval none = {.count = 0};
    rs_table_ratio(row->cell[row->at++], cell->has_ratio ? ratio : &none);
}

/* A latency; marked where runs of the cell sent too late themselves for it to be the server's. */
static void row_latency(report_row *row, const rs_cell *cell, rs_metric metric) {
    char *out = row->cell[row->at];
    row_number(row, cell->median[metric]);
    if (cell->paced_late > 0) {
        const size_t used = strlen(out);
        (void)snprintf(out + used, RS_TABLE_CELL_BYTES - used, " late");
    }
}

void rs_report_paced_late(const rs_results *results, char *out, size_t bytes) {
    const uint32_t count = rs_results_paced_late(results);
    out[0] = '\0';
    if (count > 0) {
        (void)snprintf(out, bytes,
                       "late: in %u run%s loadgen's own pacing error was above a tenth of the p50 "
                       "latency (p99 of actual - intended send): that latency is partly its own",
                       count, count == 1 ? "" : "s");
    }
}

/* The rate, or where the model ends before it could have one. */
static void row_rate(report_row *row, const rs_results *results, uint32_t scenario,
                     uint32_t subject) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    if (cell->beyond) {
        (void)snprintf(row->cell[row->at++], RS_TABLE_CELL_BYTES, "ends at %u",
                       results->subject[subject].connections_max);
    } else {
        row_number(row, cell->median[RS_METRIC_RATE]);
    }
}

static void row_end(report_row *row, const rs_cell *cell) {
    row_count(row, cell->ok);
    row_count(row, cell->disturbed);
    row_count(row, cell->voided);
}

/* The first two columns of most tables. False: no room for the row. */
static bool row_begin(report_row *row, rs_table *table, const rs_results *results,
                      uint32_t scenario, uint32_t subject) {
    *row = (report_row){.cell = rs_table_row(table)};
    if (row->cell == NULL) {
        return false;
    }
    row_text(row, results->scenario[scenario]->name);
    row_text(row, results->subject[subject].name);
    return true;
}

static void table_begin(rs_table *out) {
    rs_table_init(out);
    rs_table_column(out, "scenario", true);
    rs_table_column(out, "server", true);
}

static void columns_add(rs_table *out, const char *const *header, size_t count) {
    for (size_t i = 0; i < count; i++) {
        rs_table_column(out, header[i], false);
    }
}

static void report_row_main(const rs_results *results, uint32_t scenario, uint32_t subject,
                            rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    report_row row;
    if (!row_begin(&row, out, results, scenario, subject)) {
        return;
    }
    if (results->baseline >= 0) {
        row_ratio(&row, cell, &cell->rate);
        row_ratio(&row, cell, &cell->cpu);
    }
    row_end(&row, cell);
    row_rate(&row, results, scenario, subject);
    report_percent(row.cell[row.at++], cell->rate_spread);
    row_latency(&row, cell, RS_METRIC_P50);
    row_latency(&row, cell, RS_METRIC_P99);
    row_latency(&row, cell, RS_METRIC_P99_9);
    row_number(&row, cell->median[RS_METRIC_CPU_SUM]);
    row_number(&row, cell->median[RS_METRIC_CPU]);
    row_number(&row, cell->median[RS_METRIC_CPU_WINE]);
    row_number(&row, cell->median[RS_METRIC_CPU_MACHINE]);
    row_number(&row, cell->median[RS_METRIC_CALLS]);
    if (results->kind == RS_COMPARE_LADDER) {
        const char *calls = results->subject[subject].calls;
        row_text(&row, calls != NULL ? calls : "-");
    }
    row_text(&row, rs_results_platform(results, subject));
}

typedef void (*report_row_fn)(const rs_results *, uint32_t, uint32_t, rs_table *);

static void report_rows(const rs_results *results, rs_table *out, report_row_fn fn) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            if (rs_results_wants(results, i, k)) {
                fn(results, i, k, out);
            }
        }
    }
}

/* The answer's columns, which come first: the ratios and what they rest on. */
static void columns_answer(const rs_results *results, rs_table *out) {
    static const char *const ends[] = {"runs", "disturbed", "void"};
    if (results->baseline >= 0) {
        const bool iocp = rs_results_base_is_iocp(results);
        rs_table_column(out, iocp ? "rate / IOCP" : "rate / floor", false);
        rs_table_column(out, iocp ? "CPU / IOCP" : "CPU / floor", false);
    }
    columns_add(out, ends, sizeof ends / sizeof ends[0]);
}

static void report_server_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"rate/s",
                                          "spread %",
                                          "p50 us",
                                          "p99 us",
                                          "p99.9 us",
                                          "CPU us/msg",
                                          "server CPU us/msg",
                                          "wineserver CPU us/msg",
                                          "machine CPU us/msg",
                                          "kernel calls/msg"};
    table_begin(out);
    columns_answer(results, out);
    columns_add(out, headers, sizeof headers / sizeof headers[0]);
    if (results->kind == RS_COMPARE_LADDER) {
        rs_table_column(out, "calls", true);
    }
    rs_table_column(out, "platform", true);
    report_rows(results, out, report_row_main);
}

/* ---- trade-offs: a row for each setting, server and scenario */

static void report_row_tradeoff(const rs_results *results, uint32_t scenario, uint32_t subject,
                                rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    const rs_subject *of = &results->subject[subject];
    report_row row = {.cell = rs_table_row(out)};
    if (row.cell == NULL) {
        return;
    }
    if (of->changed == NULL) {
        row_text(&row, "(defaults)");
    } else {
        (void)snprintf(row.cell[row.at++], RS_TABLE_CELL_BYTES, "%.20s=%.20s", of->changed->option,
                       of->changed->value);
    }
    row_text(&row, of->changed == NULL ? of->name : results->subject[of->of].name);
    row_text(&row, results->scenario[scenario]->name);
    row_ratio(&row, cell, &cell->rate);
    row_ratio(&row, cell, &cell->cpu);
    row_ratio(&row, cell, &cell->p99);
    row_end(&row, cell);
    row_number(&row, cell->median[RS_METRIC_RATE]);
    row_number(&row, cell->median[RS_METRIC_CPU_SUM]);
    row_latency(&row, cell, RS_METRIC_P99);
    row_number(&row, cell->median[RS_METRIC_CALLS]);
    row_number(&row, cell->median[RS_METRIC_DEQUEUED]);
    row_number(&row, cell->median[RS_METRIC_SWITCHES]);
    row_number(&row, cell->median[RS_METRIC_FAULTS]);
    row_number(&row, cell->median[RS_METRIC_MEMORY_EACH] / 1024);
    row_number(&row, cell->median[RS_METRIC_POOL] / 1024);
    row_number(&row, cell->median[RS_METRIC_LOCKED] / 1024);
    row_text(&row, rs_results_platform(results, subject));
}

/* All rows of one setting; NULL: the defaults. */
static void report_tradeoff_rows(const rs_results *results, const rs_tradeoff *changed,
                                 rs_table *out) {
    for (uint32_t k = 0; k < results->subjects; k++) {
        for (uint32_t i = 0; i < results->scenarios; i++) {
            if (results->subject[k].changed == changed && rs_results_wants(results, i, k)) {
                report_row_tradeoff(results, i, k, out);
            }
        }
    }
}

static void report_tradeoff_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"rate / default",
                                          "CPU / default",
                                          "p99 / default",
                                          "runs",
                                          "disturbed",
                                          "void",
                                          "rate/s",
                                          "CPU us/msg",
                                          "p99 us",
                                          "kernel calls/msg",
                                          "completions/dequeue",
                                          "switches/msg",
                                          "page faults",
                                          "KiB/connection",
                                          "pool KiB",
                                          "locked KiB"};
    rs_table_init(out);
    rs_table_column(out, "setting", true);
    rs_table_column(out, "server", true);
    rs_table_column(out, "scenario", true);
    columns_add(out, headers, sizeof headers / sizeof headers[0]);
    rs_table_column(out, "platform", true);
    report_tradeoff_rows(results, NULL, out);
    for (uint32_t i = 0; i < rs_question_rows(results->question); i++) {
        report_tradeoff_rows(results, rs_question_row(results->question, i), out);
    }
}

/* ---- calibration: two rows for each handicap and figure, with --width and without */

static void report_row_calibration(const rs_results *results, uint32_t scenario, uint32_t subject,
                                   rs_metric metric, double width, rs_table *out) {
    const double truth =
        1 + rs_handicap_percent[results->subject[subject].changed - rs_handicaps] / 100.0;
    rs_calibration found;
    report_row row = {.cell = rs_table_row(out)};
    if (row.cell == NULL) {
        return;
    }
    rs_calibrate_cell(results, scenario, subject, metric, width, &found);
    (void)snprintf(row.cell[row.at++], RS_TABLE_CELL_BYTES, "+%.0f %%", (truth - 1) * 100);
    row_text(&row, metric == RS_METRIC_RATE ? "rate" : "CPU time");
    (void)snprintf(row.cell[row.at++], RS_TABLE_CELL_BYTES, "%.3f",
                   metric == RS_METRIC_RATE ? 1 / truth : truth);
    if (found.all.count > 0) {
        (void)snprintf(row.cell[row.at], RS_TABLE_CELL_BYTES, "%.3f (%.3f to %.3f)",
                       found.all.middle, found.all.low, found.all.high);
    }
    row.at++;
    row_count(&row, found.all.count);
    if (width > 0) {
        (void)snprintf(row.cell[row.at++], RS_TABLE_CELL_BYTES, "--width %.0f", width * 100);
    } else {
        (void)snprintf(row.cell[row.at++], RS_TABLE_CELL_BYTES, "%u pairs", RS_CALIBRATION_PAIRS);
    }
    if (found.drawn > 0) {
        (void)snprintf(row.cell[row.at], RS_TABLE_CELL_BYTES, "%.1f", found.pairs);
    }
    row.at++;
    report_tenths(row.cell[row.at++], found.drawn > 0 ? found.worse : NAN);
    report_tenths(row.cell[row.at++], found.drawn > 0 ? found.better : NAN);
    report_tenths(row.cell[row.at++], found.drawn > 0 ? found.lost : NAN);
    report_percent(row.cell[row.at++], found.drawn > 0 ? found.covered : NAN);
}

void rs_report_calibration_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {
        "expected ratio", "measured",           "pairs",
        "comparison",     "its pairs",          "found worse %",
        "found better %", "lost by the rule %", "interval covers %"};
    const double width = RS_CALIBRATION_WIDTH;
    rs_table_init(out);
    rs_table_column(out, "handicap", true);
    rs_table_column(out, "figure", true);
    columns_add(out, headers, sizeof headers / sizeof headers[0]);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            if (results->subject[k].changed != NULL) {
                report_row_calibration(results, i, k, RS_METRIC_CPU_SUM, 0, out);
                report_row_calibration(results, i, k, RS_METRIC_CPU_SUM, width, out);
                report_row_calibration(results, i, k, RS_METRIC_RATE, 0, out);
                report_row_calibration(results, i, k, RS_METRIC_RATE, width, out);
            }
        }
    }
}

void rs_report_table(const rs_results *results, rs_table *out) {
    if (results->kind == RS_COMPARE_TRADEOFFS) {
        report_tradeoff_table(results, out);
    } else if (results->kind == RS_COMPARE_MAP) {
        rs_report_map_table(results, out);
    } else {
        report_server_table(results, out);
    }
}

static void report_row_latency(const rs_results *results, uint32_t scenario, uint32_t subject,
                               rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    report_row row;
    if (row_begin(&row, out, results, scenario, subject)) {
        for (uint32_t i = RS_METRIC_P50; i <= RS_METRIC_MAX; i++) {
            row_latency(&row, cell, (rs_metric)i);
        }
        row_number(&row, cell->median[RS_METRIC_SEND_P50]);
        row_number(&row, cell->median[RS_METRIC_SEND_P99]);
        report_percent(row.cell[row.at++], cell->median[RS_METRIC_SPIN_HITS]);
    }
}

void rs_report_latency_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"p50 us",      "p90 us",      "p99 us",
                                          "p99.9 us",    "p99.99 us",   "max us",
                                          "send p50 us", "send p99 us", "spin hits %"};
    _Static_assert(RS_METRIC_MAX - RS_METRIC_P50 + 4 == sizeof headers / sizeof headers[0],
                   "one header for each point, and three more");
    table_begin(out);
    columns_add(out, headers, sizeof headers / sizeof headers[0]);
    report_rows(results, out, report_row_latency);
}

static void report_row_memory(const rs_results *results, uint32_t scenario, uint32_t subject,
                              rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    report_row row;
    if (row_begin(&row, out, results, scenario, subject)) {
        row_number(&row, cell->median[RS_METRIC_MEMORY] / 1024);
        row_number(&row, cell->median[RS_METRIC_MEMORY_EACH] / 1024);
        row_number(&row, cell->median[RS_METRIC_POOL] / 1024);
        row_number(&row, cell->median[RS_METRIC_POOL_EACH] / 1024);
        row_number(&row, cell->median[RS_METRIC_FAULTS]);
        row_number(&row, cell->median[RS_METRIC_SWITCHES]);
        row_number(&row, cell->median[RS_METRIC_CPU_LOAD]);
        row_number(&row, cell->median[RS_METRIC_OTHERS]);
        row_number(&row, cell->median[RS_METRIC_STACK]);
    }
}

void rs_report_memory_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {
        "memory KiB",   "KiB/connection",     "pool KiB",     "pool KiB/connection", "page faults",
        "switches/msg", "loadgen CPU us/msg", "others' CPUs", "interrupts' CPUs"};
    table_begin(out);
    columns_add(out, headers, sizeof headers / sizeof headers[0]);
    report_rows(results, out, report_row_memory);
}

/* ---- where a model ends */

bool rs_report_limit(const rs_results *results, uint32_t subject, char *out, size_t bytes) {
    const rs_subject *of = &results->subject[subject];
    out[0] = '\0';
    if (of->connections_max == 0) {
        return false;
    }
    (void)snprintf(out, bytes, "at most %u connections: %s", of->connections_max, of->limit);
    return true;
}
