/* SPDX-License-Identifier: MIT */
/* The plain formats: console, Markdown, CSV. Tables are report_tables.c, the page report_html.c. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/map.h"
#include "compare/report_map.h"
#include "compare/report_question.h"
#include "compare/calibration.h"

/* ---- console */

static void report_voids(const rs_results *results, rs_compare_text *text, const char *prefix) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            for (uint32_t r = 0; r < results->repeats; r++) {
                const rs_compare_run *run = rs_results_run(results, i, k, r);
                if (run->state == RS_RUN_VOID) {
                    rs_compare_text_format(text, "%s%s %s, run %u: %s\n", prefix,
                                           results->subject[k].name, results->scenario[i]->name,
                                           r + 1, run->why);
                }
            }
        }
    }
}

static bool report_has_limits(const rs_results *results) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (results->subject[i].connections_max != 0) {
            return true;
        }
    }
    return false;
}

typedef void (*report_words_fn)(rs_compare_text *, const char *);

typedef bool (*report_of_fn)(const rs_results *, uint32_t, char *, size_t);

/* A line for each server of which there is something to say. */
static void report_each(const rs_results *results, rs_compare_text *text, const char *prefix,
                        report_words_fn words, report_of_fn of) {
    char line[RS_REPORT_SUMMARY_BYTES];
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (of(results, i, line, sizeof line)) {
            rs_compare_text_raw(text, prefix);
            words(text, results->subject[i].name);
            rs_compare_text_raw(text, ": ");
            words(text, line);
            rs_compare_text_raw(text, "\n");
        }
    }
}

/* Trade-offs alone. */
static void report_summary(const rs_results *results, rs_compare_text *text, const char *title,
                           const char *prefix, report_words_fn words) {
    char discoveries[RS_REPORT_SUMMARY_BYTES];
    if (results->kind != RS_COMPARE_TRADEOFFS) {
        return;
    }
    rs_report_discoveries(results, discoveries, sizeof discoveries);
    rs_compare_text_raw(text, title);
    words(text, discoveries);
    rs_compare_text_raw(text, "\n\n");
    report_each(results, text, prefix, words, rs_report_summary);
}

static void report_limits(const rs_results *results, rs_compare_text *text, const char *title,
                          const char *prefix, report_words_fn words) {
    if (!report_has_limits(results)) {
        return;
    }
    rs_compare_text_raw(text, title);
    report_each(results, text, prefix, words, rs_report_limit);
}

/* Below the table of a map. */
static void report_map_notes(const rs_results *results, rs_compare_text *text, const char *before,
                             report_words_fn words) {
    char note[RS_REPORT_MAP_NOTE_BYTES];
    for (uint32_t i = 0; rs_report_map_note(results, i, note, sizeof note); i++) {
        rs_compare_text_raw(text, before);
        words(text, note);
        rs_compare_text_raw(text, "\n");
    }
}

static void report_question(const rs_results *results, rs_compare_text *text, const char *title,
                            const char *prefix, report_words_fn fn) {
    char words[RS_REPORT_QUESTION_BYTES];
    const char *what = "";
    for (uint32_t i = 0; rs_report_question(results, i, &what, words, sizeof words); i++) {
        rs_compare_text_raw(text, i == 0 ? title : "");
        rs_compare_text_format(text, "%s%s: ", prefix, what);
        fn(text, words);
        rs_compare_text_raw(text, "\n");
    }
}

static void report_paced_late(const rs_results *results, rs_compare_text *text, const char *before,
                              report_words_fn words) {
    char late[RS_WHY_BYTES];
    rs_report_paced_late(results, late, sizeof late);
    if (late[0] != '\0') {
        rs_compare_text_raw(text, before);
        words(text, late);
        rs_compare_text_raw(text, "\n");
    }
}

void rs_report_console(const rs_results *results, rs_table *scratch, rs_compare_text *text) {
    const char *warning = rs_results_warning(results);
    rs_report_head head;
    rs_report_head_make(results, &head);
    for (uint32_t i = 0; i < head.lines; i++) {
        rs_compare_text_format(text, "%-11s %s\n", head.line[i].what, head.line[i].words);
    }
    for (uint32_t i = 0; i < results->banners; i++) {
        rs_compare_text_format(text, "%-11s %s\n", results->banner[i].what,
                               results->banner[i].text);
    }
    rs_compare_text_format(text, "\n%s%s", warning, warning[0] != '\0' ? "\n\n" : "");
    rs_report_table(results, scratch);
    rs_table_write_plain(scratch, text);
    report_map_notes(results, text, "\n", rs_compare_text_raw);
    if (results->kind == RS_COMPARE_CALIBRATE) {
        rs_report_calibration_table(results, scratch);
        rs_compare_text_format(text,
                               "\nComparisons of %u pairs, and of as many as --width asks for, %u "
                               "drawn of each:\n",
                               RS_CALIBRATION_PAIRS, RS_CALIBRATION_DRAWN);
        rs_table_write_plain(scratch, text);
    }
    report_summary(results, text, "\n", "", rs_compare_text_raw);
    report_question(results, text, "\n", "", rs_compare_text_raw);
    report_paced_late(results, text, "\n", rs_compare_text_raw);
    report_limits(results, text, "\nWhere each model ends:\n", "  ", rs_compare_text_raw);
    if (rs_results_voided(results) > 0) {
        rs_compare_text_raw(text, "\nVoid runs:\n");
        report_voids(results, text, "  ");
    }
    if (results->interrupted) {
        rs_compare_text_raw(text, "\nInterrupted: the table holds what was measured until then.\n");
    }
    rs_compare_text_format(text, "\n%s\n", results->verdict.text);
    if (results->platform == RS_PLATFORM_WINDOWS && results->question == NULL) {
        rs_compare_text_format(text, "Rule: %s\n", rs_verdict_rule);
    }
}

/* ---- Markdown */

static void report_markdown_table(const rs_results *results, const char *title,
                                  const rs_table *table, rs_compare_text *text) {
    rs_compare_text_format(text, "\n## %s\n\n", title);
    if (rs_results_warning(results)[0] != '\0') {
        rs_compare_text_raw(text, "*");
        rs_compare_text_markdown(text, rs_results_warning(results));
        rs_compare_text_raw(text, "*\n\n");
    }
    rs_table_write_markdown(table, text);
}

static void report_markdown_settings(rs_compare_text *text, const char *what, const char *words) {
    rs_compare_text_raw(text, "- settings of ");
    rs_compare_text_markdown(text, what);
    rs_compare_text_raw(text, ": ");
    rs_compare_text_markdown(text, words);
    rs_compare_text_raw(text, "\n");
}

static void report_markdown_list(const rs_results *results, rs_compare_text *text) {
    for (uint32_t i = 0; i < results->banners; i++) {
        rs_compare_text_raw(text, "- ");
        rs_compare_text_markdown(text, results->banner[i].what);
        rs_compare_text_raw(text, ": ");
        rs_compare_text_markdown(text, results->banner[i].text);
        rs_compare_text_raw(text, "\n");
    }
    rs_report_settings(results, text, report_markdown_settings);
}

static void report_markdown_voids(const rs_results *results, rs_compare_text *text) {
    rs_compare_text_raw(text, "\n## Void runs\n\n");
    for (uint32_t i = 0; i < results->scenarios * results->subjects * results->repeats; i++) {
        const rs_compare_run *run = &results->run[i];
        if (run->state == RS_RUN_VOID) {
            rs_compare_text_raw(text, "- ");
            rs_compare_text_markdown(text, run->why);
            rs_compare_text_raw(text, "\n");
        }
    }
}

void rs_report_markdown(const rs_results *results, rs_table *scratch, rs_compare_text *text) {
    rs_report_head head;
    rs_report_head_make(results, &head);
    rs_compare_text_raw(text, "# Ringside comparison\n\n");
    for (uint32_t i = 0; i < head.lines; i++) {
        rs_compare_text_format(text, "- %s: ", head.line[i].what);
        rs_compare_text_markdown(text, head.line[i].words);
        rs_compare_text_raw(text, "\n");
    }
    rs_compare_text_raw(text, "\n**");
    rs_compare_text_markdown(text, results->verdict.text);
    rs_compare_text_raw(text, "**\n\n");
    report_markdown_list(results, text);
    if (results->kind == RS_COMPARE_CALIBRATE) {
        rs_report_calibration_table(results, scratch);
        report_markdown_table(results, "Calibration", scratch, text);
    }
    report_question(results, text, "\n## Question\n\n", "- ", rs_compare_text_markdown);
    report_summary(results, text, "\n## Summary\n\n", "- ", rs_compare_text_markdown);
    rs_report_table(results, scratch);
    report_markdown_table(results, "Results", scratch, text);
    report_map_notes(results, text, "\n", rs_compare_text_markdown);
    report_paced_late(results, text, "\n", rs_compare_text_markdown);
    report_limits(results, text, "\n## Where each model ends\n\n", "- ", rs_compare_text_markdown);
    if (rs_results_voided(results) > 0) {
        report_markdown_voids(results, text);
    }
    rs_report_latency_table(results, scratch);
    report_markdown_table(results, "Latency", scratch, text);
    if (results->kind != RS_COMPARE_TRADEOFFS) { /* whose table has these columns */
        rs_report_memory_table(results, scratch);
        report_markdown_table(results, "Memory and environment", scratch, text);
    }
    rs_compare_text_raw(text, "\n## Scenarios\n\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        rs_compare_text_format(text, "- %s: %s\n", results->scenario[i]->name,
                               results->scenario[i]->about);
    }
    rs_compare_text_format(text, "\n## The rule of the decision\n\n%s\n", rs_verdict_rule);
}

/* ---- CSV */

static void csv_number(rs_compare_text *text, double value) {
    if (rs_is_known(value)) {
        rs_compare_text_format(text, ",%.6g", value);
    } else {
        rs_compare_text_raw(text, ",");
    }
}

static void csv_begin(const rs_results *results, uint32_t scenario, uint32_t subject,
                      rs_compare_text *text) {
    rs_compare_text_csv(text, results->scenario[scenario]->name);
    rs_compare_text_raw(text, ",");
    rs_compare_text_csv(text, results->subject[subject].name);
    rs_compare_text_raw(text, ",");
    rs_compare_text_csv(text, rs_results_platform(results, subject));
    rs_compare_text_raw(text, ",");
    rs_compare_text_csv(text, rs_results_warning(results));
}

static void csv_interval(rs_compare_text *text, bool known, const rs_interval *ratio) {
    csv_number(text, known ? ratio->middle : NAN);
    csv_number(text, known ? ratio->low : NAN);
    csv_number(text, known ? ratio->high : NAN);
}

void rs_report_csv(const rs_results *results, rs_compare_text *text) {
    rs_compare_text_raw(text, "scenario,server,platform,warning,runs,void,disturbed");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_compare_text_format(text, ",%s", rs_metric_infos[i].key);
    }
    rs_compare_text_raw(
        text, ",rate_spread,cpu_spread,baseline,rate_ratio,rate_ratio_low,rate_ratio_high,"
              "cpu_ratio,cpu_ratio_low,cpu_ratio_high,machine_ratio,machine_ratio_low,"
              "machine_ratio_high");
    rs_compare_text_raw(text, results->kind == RS_COMPARE_MAP
                                  ? ",connections,in_flight,frame_bytes,sends,wins\n"
                                  : "\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            const rs_cell *cell = rs_results_cell(results, i, k);
            if (!rs_results_wants(results, i, k)) {
                continue;
            }
            csv_begin(results, i, k, text);
            rs_compare_text_format(text, ",%u,%u,%u", cell->ok, cell->voided, cell->disturbed);
            for (uint32_t m = 0; m < RS_METRICS; m++) {
                csv_number(text, cell->median[m]);
            }
            csv_number(text, cell->rate_spread);
            csv_number(text, cell->cpu_spread);
            rs_compare_text_raw(text, ",");
            rs_compare_text_csv(text, cell->has_ratio ? rs_results_base_name(results, k) : "");
            csv_interval(text, cell->has_ratio, &cell->rate);
            csv_interval(text, cell->has_ratio, &cell->cpu);
            csv_interval(text, cell->has_ratio, &cell->machine);
            if (results->kind == RS_COMPARE_MAP) {
                const rs_scenario *of = results->scenario[i];
                char sends[RS_MAP_SENDS_BYTES];
                rs_map_sends(sends, of);
                rs_compare_text_format(text, ",%u,%u,%u,", of->connections, of->depth,
                                       of->frame_bytes);
                rs_compare_text_csv(text, sends);
                rs_compare_text_format(text, ",%s", rs_report_map_wins(results, i, k));
            }
            rs_compare_text_raw(text, "\n");
        }
    }
}

void rs_report_runs_csv_head(rs_compare_text *text) {
    rs_compare_text_raw(text, "scenario,server,platform,warning,run,state,disturbed,why");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_compare_text_format(text, ",%s", rs_metric_infos[i].key);
    }
    rs_compare_text_raw(text, "\n");
}

void rs_report_runs_csv_line(const rs_results *results, uint32_t scenario, uint32_t subject,
                             uint32_t repeat, rs_compare_text *text) {
    const rs_compare_run *run = rs_results_run(results, scenario, subject, repeat);
    csv_begin(results, scenario, subject, text);
    rs_compare_text_format(text, ",%u,%s,%s,", repeat + 1,
                           run->state == RS_RUN_OK       ? "ok"
                           : run->state == RS_RUN_BEYOND ? "beyond"
                                                         : "void",
                           run->disturbed ? "yes" : "no");
    rs_compare_text_csv(text, run->why);
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        csv_number(text, run->state == RS_RUN_OK ? run->value[i] : NAN);
    }
    rs_compare_text_raw(text, "\n");
}
