/* Tables and the plain formats. The page is report_html.c. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/json.h"

/* ---- tables */

void rs_report_ratio(char cell[RS_TABLE_CELL_BYTES], const rs_interval *ratio) {
    if (ratio->count == 0) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "-");
    } else if (ratio->count < RS_STATS_PAIRS_MIN) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.2f (too few runs)", ratio->middle);
    } else if (!rs_stats_is_difference(ratio)) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "no difference (%.2f to %.2f)", ratio->low,
                       ratio->high);
    } else {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.2f (%.2f to %.2f)", ratio->middle, ratio->low,
                       ratio->high);
    }
}

static const char *report_platform(const rs_results *results, uint32_t subject) {
    if (results->subject[subject].wine) {
        return "Wine";
    }
    return results->platform == RS_PLATFORM_WINDOWS ? "Windows" : "Linux";
}

static void report_percent(char cell[RS_TABLE_CELL_BYTES], double share) {
    if (rs_is_known(share)) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.0f %%", share * 100);
    } else {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "-");
    }
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
    (void)snprintf(row->cell[row->at++], RS_TABLE_CELL_BYTES, "%u", count);
}

/* The first three columns of every table. False: no room for the row. */
static bool row_begin(report_row *row, rs_table *table, const rs_results *results,
                      uint32_t scenario, uint32_t subject) {
    *row = (report_row){.cell = rs_table_row(table)};
    if (row->cell == NULL) {
        return false;
    }
    row_text(row, results->scenario[scenario]->name);
    row_text(row, results->subject[subject].name);
    row_text(row, report_platform(results, subject));
    return true;
}

static void table_begin(rs_table *out) {
    rs_table_init(out);
    rs_table_column(out, "scenario", true);
    rs_table_column(out, "server", true);
    rs_table_column(out, "platform", true);
}

static void report_row_main(const rs_results *results, uint32_t scenario, uint32_t subject,
                            rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    report_row row;
    if (!row_begin(&row, out, results, scenario, subject)) {
        return;
    }
    row_number(&row, cell->median[RS_METRIC_RATE]);
    report_percent(row.cell[row.at++], cell->rate_spread);
    row_number(&row, cell->median[RS_METRIC_P50]);
    row_number(&row, cell->median[RS_METRIC_P99]);
    row_number(&row, cell->median[RS_METRIC_P99_9]);
    row_number(&row, cell->median[RS_METRIC_CPU]);
    row_number(&row, cell->median[RS_METRIC_CPU_WINE]);
    row_number(&row, cell->median[RS_METRIC_CPU_SUM]);
    row_number(&row, cell->median[RS_METRIC_CALLS]);
    if (results->baseline >= 0 || results->tradeoffs) {
        const rs_interval none = {.count = 0};
        rs_report_ratio(row.cell[row.at++], cell->has_ratio ? &cell->rate : &none);
        rs_report_ratio(row.cell[row.at++], cell->has_ratio ? &cell->cpu : &none);
    }
    row_count(&row, cell->ok);
    row_count(&row, cell->disturbed);
    row_count(&row, cell->voided);
}

typedef void (*report_row_fn)(const rs_results *, uint32_t, uint32_t, rs_table *);

static void report_rows(const rs_results *results, rs_table *out, report_row_fn fn) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            fn(results, i, k, out);
        }
    }
}

void rs_report_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"rate/s",     "spread",   "p50 us",
                                          "p99 us",     "p99.9 us", "CPU us/msg server",
                                          "wineserver", "sum",      "kernel calls/msg"};
    const bool windows = results->platform == RS_PLATFORM_WINDOWS;
    table_begin(out);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rs_table_column(out, headers[i], false);
    }
    if (results->tradeoffs) {
        rs_table_column(out, "rate / default", false);
        rs_table_column(out, "CPU / default", false);
    } else if (results->baseline >= 0) {
        rs_table_column(out, windows ? "rate / IOCP" : "rate / floor", false);
        rs_table_column(out, windows ? "CPU / IOCP" : "CPU / floor", false);
    }
    rs_table_column(out, "runs", false);
    rs_table_column(out, "disturbed", false);
    rs_table_column(out, "void", false);
    report_rows(results, out, report_row_main);
}

static void report_row_latency(const rs_results *results, uint32_t scenario, uint32_t subject,
                               rs_table *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    report_row row;
    if (row_begin(&row, out, results, scenario, subject)) {
        for (uint32_t i = RS_METRIC_P50; i <= RS_METRIC_MAX; i++) {
            row_number(&row, cell->median[i]);
        }
    }
}

void rs_report_latency_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"p50 us",   "p90 us",    "p99 us",
                                          "p99.9 us", "p99.99 us", "max us"};
    _Static_assert(RS_METRIC_MAX - RS_METRIC_P50 + 1 == sizeof headers / sizeof headers[0],
                   "one header for each point");
    table_begin(out);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rs_table_column(out, headers[i], false);
    }
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
    }
}

void rs_report_memory_table(const rs_results *results, rs_table *out) {
    static const char *const headers[] = {"memory KiB",          "KiB/connection", "pool KiB",
                                          "pool KiB/connection", "page faults",    "switches/msg",
                                          "loadgen CPU us/msg",  "others' CPUs"};
    table_begin(out);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rs_table_column(out, headers[i], false);
    }
    report_rows(results, out, report_row_memory);
}

/* ---- console */

static void report_banner_line(const rs_results *results, uint32_t index, char what[32],
                               const char **text) {
    const char *line = results->banner[index];
    const size_t bytes = strcspn(line, "\t");
    (void)snprintf(what, 32, "%.*s", (int)(bytes < 31 ? bytes : 31), line);
    *text = line[bytes] == '\t' ? line + bytes + 1 : "";
}

static void report_voids(const rs_results *results, rs_text *text, const char *prefix) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            for (uint32_t r = 0; r < results->repeats; r++) {
                const rs_compare_run *run = rs_results_run(results, i, k, r);
                if (run->state == RS_RUN_VOID) {
                    rs_text_format(text, "%s%s %s, run %u: %s\n", prefix, results->subject[k].name,
                                   results->scenario[i]->name, r + 1, run->why);
                }
            }
        }
    }
}

void rs_report_console(const rs_results *results, rs_table *scratch, rs_text *text) {
    const char *warning = rs_results_warning(results);
    char what[32];
    const char *line;
    for (uint32_t i = 0; i < results->banners; i++) {
        report_banner_line(results, i, what, &line);
        rs_text_format(text, "%-10s %s\n", what, line);
    }
    rs_text_format(text, "\n%s%s", warning, warning[0] != '\0' ? "\n\n" : "");
    rs_report_table(results, scratch);
    rs_table_write_plain(scratch, text);
    if (rs_results_voided(results) > 0) {
        rs_text_raw(text, "\nVoid runs:\n");
        report_voids(results, text, "  ");
    }
    if (results->interrupted) {
        rs_text_raw(text, "\nInterrupted: the table holds what was measured until then.\n");
    }
    rs_text_format(text, "\n%s\n", results->verdict.text);
    if (results->platform == RS_PLATFORM_WINDOWS) {
        rs_text_format(text, "Rule: %s\n", rs_verdict_rule);
    }
}

/* ---- Markdown */

static void report_markdown_table(const rs_results *results, const char *title,
                                  const rs_table *table, rs_text *text) {
    rs_text_format(text, "\n## %s\n\n", title);
    if (rs_results_warning(results)[0] != '\0') {
        rs_text_raw(text, "*");
        rs_text_markdown(text, rs_results_warning(results));
        rs_text_raw(text, "*\n\n");
    }
    rs_table_write_markdown(table, text);
}

static void report_markdown_list(const rs_results *results, rs_text *text) {
    char what[32];
    const char *line;
    for (uint32_t i = 0; i < results->banners; i++) {
        report_banner_line(results, i, what, &line);
        rs_text_raw(text, "- ");
        rs_text_markdown(text, what);
        rs_text_raw(text, ": ");
        rs_text_markdown(text, line);
        rs_text_raw(text, "\n");
    }
    for (uint32_t i = 0; i < results->subjects; i++) {
        rs_text_raw(text, "- settings of ");
        rs_text_markdown(text, results->subject[i].name);
        rs_text_raw(text, ": ");
        rs_text_markdown(text, results->subject[i].settings);
        rs_text_raw(text, "\n");
    }
}

static void report_markdown_voids(const rs_results *results, rs_text *text) {
    rs_text_raw(text, "\n## Void runs\n\n");
    for (uint32_t i = 0; i < results->scenarios * results->subjects * results->repeats; i++) {
        const rs_compare_run *run = &results->run[i];
        if (run->state == RS_RUN_VOID) {
            rs_text_raw(text, "- ");
            rs_text_markdown(text, run->why);
            rs_text_raw(text, "\n");
        }
    }
}

void rs_report_markdown(const rs_results *results, rs_table *scratch, rs_text *text) {
    rs_text_raw(text, "# Ringside comparison\n\n**");
    rs_text_markdown(text, results->verdict.text);
    rs_text_raw(text, "**\n\n");
    report_markdown_list(results, text);
    rs_report_table(results, scratch);
    report_markdown_table(results, "Results", scratch, text);
    if (rs_results_voided(results) > 0) {
        report_markdown_voids(results, text);
    }
    rs_report_latency_table(results, scratch);
    report_markdown_table(results, "Latency", scratch, text);
    rs_report_memory_table(results, scratch);
    report_markdown_table(results, "Memory and environment", scratch, text);
    rs_text_raw(text, "\n## Scenarios\n\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        rs_text_format(text, "- %s: %s\n", results->scenario[i]->name, results->scenario[i]->about);
    }
    rs_text_format(text, "\n## The rule of the decision\n\n%s\n", rs_verdict_rule);
}

/* ---- CSV */

static void csv_number(rs_text *text, double value) {
    if (rs_is_known(value)) {
        rs_text_format(text, ",%.6g", value);
    } else {
        rs_text_raw(text, ",");
    }
}

static void csv_begin(const rs_results *results, uint32_t scenario, uint32_t subject,
                      rs_text *text) {
    rs_text_csv(text, results->scenario[scenario]->name);
    rs_text_raw(text, ",");
    rs_text_csv(text, results->subject[subject].name);
    rs_text_raw(text, ",");
    rs_text_csv(text, report_platform(results, subject));
    rs_text_raw(text, ",");
    rs_text_csv(text, rs_results_warning(results));
}

static void csv_interval(rs_text *text, bool known, const rs_interval *ratio) {
    csv_number(text, known ? ratio->middle : NAN);
    csv_number(text, known ? ratio->low : NAN);
    csv_number(text, known ? ratio->high : NAN);
}

void rs_report_csv(const rs_results *results, rs_text *text) {
    rs_text_raw(text, "scenario,server,platform,warning,runs,void,disturbed");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_text_format(text, ",%s", rs_metric_infos[i].key);
    }
    rs_text_raw(text, ",rate_spread,cpu_spread,baseline,rate_ratio,rate_ratio_low,rate_ratio_high,"
                      "cpu_ratio,cpu_ratio_low,cpu_ratio_high\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            const rs_cell *cell = rs_results_cell(results, i, k);
            csv_begin(results, i, k, text);
            rs_text_format(text, ",%u,%u,%u", cell->ok, cell->voided, cell->disturbed);
            for (uint32_t m = 0; m < RS_METRICS; m++) {
                csv_number(text, cell->median[m]);
            }
            csv_number(text, cell->rate_spread);
            csv_number(text, cell->cpu_spread);
            rs_text_raw(text, ",");
            rs_text_csv(text, cell->has_ratio ? rs_results_base_name(results, k) : "");
            csv_interval(text, cell->has_ratio, &cell->rate);
            csv_interval(text, cell->has_ratio, &cell->cpu);
            rs_text_raw(text, "\n");
        }
    }
}

void rs_report_runs_csv_head(rs_text *text) {
    rs_text_raw(text, "scenario,server,platform,warning,run,state,disturbed,why");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_text_format(text, ",%s", rs_metric_infos[i].key);
    }
    rs_text_raw(text, "\n");
}

void rs_report_runs_csv_line(const rs_results *results, uint32_t scenario, uint32_t subject,
                             uint32_t repeat, rs_text *text) {
    const rs_compare_run *run = rs_results_run(results, scenario, subject, repeat);
    csv_begin(results, scenario, subject, text);
    rs_text_format(text, ",%u,%s,%s,", repeat + 1, run->state == RS_RUN_OK ? "ok" : "void",
                   run->disturbed ? "yes" : "no");
    rs_text_csv(text, run->why);
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        csv_number(text, run->state == RS_RUN_OK ? run->value[i] : NAN);
    }
    rs_text_raw(text, "\n");
}

/* ---- JSON */

static void json_metrics(rs_json *json, const double *value) {
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_json_double(json, rs_metric_infos[i].key, value[i]);
    }
}

static void json_calls(rs_json *json, const rs_call *call, uint32_t calls) {
    rs_json_object(json, "kernel_calls_by_name");
    for (uint32_t i = 0; i < calls; i++) {
        rs_json_double(json, call[i].name, call[i].per_message);
    }
    rs_json_end(json);
}

static void json_interval(rs_json *json, const char *key, const rs_interval *ratio) {
    rs_json_object(json, key);
    rs_json_double(json, "median", ratio->middle);
    rs_json_double(json, "low", ratio->low);
    rs_json_double(json, "high", ratio->high);
    rs_json_u64(json, "pairs", ratio->count);
    rs_json_end(json);
}

static void json_runs(rs_json *json, const rs_results *results, uint32_t scenario,
                      uint32_t subject) {
    rs_json_array(json, "runs");
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        if (run->state == RS_RUN_NOT) {
            continue;
        }
        rs_json_object(json, NULL);
        rs_json_u64(json, "run", i + 1);
        rs_json_bool(json, "void", run->state == RS_RUN_VOID);
        if (run->state == RS_RUN_VOID) {
            rs_json_string(json, "why", run->why);
        } else {
            rs_json_bool(json, "disturbed", run->disturbed);
            json_metrics(json, run->value);
        }
        rs_json_end(json);
    }
    rs_json_end(json);
}

static void json_cell(rs_json *json, const rs_results *results, uint32_t scenario,
                      uint32_t subject) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    rs_json_object(json, NULL);
    rs_json_string(json, "scenario", results->scenario[scenario]->name);
    rs_json_string(json, "server", results->subject[subject].name);
    rs_json_string(json, "platform", report_platform(results, subject));
    rs_json_u64(json, "void", cell->voided);
    rs_json_u64(json, "disturbed", cell->disturbed);
    rs_json_double(json, "rate_asked", results->fixed_rate[scenario]);
    rs_json_object(json, "median");
    json_metrics(json, cell->median);
    json_calls(json, cell->call, cell->calls);
    rs_json_end(json);
    rs_json_double(json, "rate_spread", cell->rate_spread);
    rs_json_double(json, "cpu_spread", cell->cpu_spread);
    if (cell->has_ratio) {
        json_interval(json, "rate_ratio", &cell->rate);
        json_interval(json, "cpu_ratio", &cell->cpu);
    }
    json_runs(json, results, scenario, subject);
    rs_json_end(json);
}

static void json_head(rs_json *json, const rs_results *results) {
    const char *warning = rs_results_warning(results);
    char what[32];
    const char *line;
    rs_json_string(json, "program", "compare");
    rs_json_string(json, "warning", warning[0] != '\0' ? warning : NULL);
    rs_json_string(json, "verdict", results->verdict.text);
    rs_json_string(json, "rule", rs_verdict_rule);
    rs_json_bool(json, "interrupted", results->interrupted);
    rs_json_string(json, "baseline",
                   results->baseline >= 0 ? results->subject[results->baseline].name : NULL);
    rs_json_object(json, "banner");
    for (uint32_t i = 0; i < results->banners; i++) {
        report_banner_line(results, i, what, &line);
        rs_json_string(json, what, line);
    }
    rs_json_end(json);
    rs_json_array(json, "servers");
    for (uint32_t i = 0; i < results->subjects; i++) {
        const rs_subject *subject = &results->subject[i];
        rs_json_object(json, NULL);
        rs_json_string(json, "name", subject->name);
        rs_json_bool(json, "wine", subject->wine);
        rs_json_string(json, "platform", subject->platform);
        rs_json_string(json, "provider", subject->provider);
        rs_json_string(json, "settings", subject->settings);
        rs_json_end(json);
    }
    rs_json_end(json);
}

bool rs_report_json(const rs_results *results, char *out, size_t bytes, size_t *length) {
    rs_json json;
    rs_json_init(&json, out, bytes);
    rs_json_object(&json, NULL);
    json_head(&json, results);
    rs_json_array(&json, "cells");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            json_cell(&json, results, i, k);
        }
    }
    rs_json_end(&json);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}
