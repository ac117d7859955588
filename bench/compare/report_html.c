/* SPDX-License-Identifier: MIT */
/* One page: charts stand in it. The verdict comes first. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/page.h"
#include "compare/report_charts.h"
#include "compare/report_map.h"
#include "compare/report_question.h"
#include "core/assert.h"

static void html_paragraph(rs_compare_text *text, const char *kind, const char *words) {
    rs_compare_text_format(text, "<p class=\"%s\">", kind);
    rs_compare_text_html(text, words);
    rs_compare_text_raw(text, "</p>\n");
}

static void html_section(const rs_results *results, rs_compare_text *text, const char *title,
                         const char *about) {
    rs_compare_text_raw(text, "<h2>");
    rs_compare_text_html(text, title);
    rs_compare_text_raw(text, "</h2>\n");
    html_paragraph(text, "dim", about);
    if (rs_results_warning(results)[0] != '\0') {
        html_paragraph(text, "warn", rs_results_warning(results));
    }
}

static void html_term(rs_compare_text *text, const char *what, const char *words) {
    rs_compare_text_raw(text, "<dt>");
    rs_compare_text_html(text, what);
    rs_compare_text_raw(text, "</dt><dd>");
    rs_compare_text_html(text, words);
    rs_compare_text_raw(text, "</dd>\n");
}

static void html_banner(const rs_results *results, rs_compare_text *text) {
    rs_compare_text_raw(text, "<dl>\n");
    for (uint32_t i = 0; i < results->banners; i++) {
        html_term(text, results->banner[i].what, results->banner[i].text);
    }
    rs_compare_text_raw(text, "</dl>\n");
}

static void html_top(const rs_results *results, rs_compare_text *text) {
    rs_report_head head;
    char words[sizeof head.line[0].words + 32];
    rs_report_head_make(results, &head);
    rs_compare_text_raw(text, "<h1>Ringside comparison</h1>\n");
    for (uint32_t i = 0; i < head.lines; i++) {
        (void)snprintf(words, sizeof words, "%s: %s", head.line[i].what, head.line[i].words);
        html_paragraph(text, head.line[i].is_warning ? "warn" : "dim", words);
    }
    html_paragraph(text, "verdict", results->verdict.text);
    if (rs_results_warning(results)[0] != '\0') {
        html_paragraph(text, "warn", rs_results_warning(results));
    }
    if (results->interrupted) {
        html_paragraph(text, "warn", "Interrupted: this page holds what was measured until then.");
    }
    if (rs_results_voided(results) > 0) {
        html_paragraph(text, "warn",
                       "Some runs were void: they are listed below and count nowhere.");
    }
    html_banner(results, text);
}

/* ---- charts: one card a scenario */

typedef void (*html_chart_fn)(const rs_results *, uint32_t, rs_compare_text *, const void *);

static void html_charts(const rs_results *results, rs_compare_text *text, html_chart_fn fn,
                        const void *arg) {
    rs_compare_text_raw(text, "<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (rs_chart_any(results, i)) {
            rs_compare_text_raw(text, "<div class=\"card\">");
            fn(results, i, text, arg);
            rs_compare_text_raw(text, "</div>\n");
        }
    }
    rs_compare_text_raw(text, "</div>\n");
}

static void html_key(rs_compare_text *text, const char *const *name, uint32_t count) {
    rs_compare_text_raw(text, "<div class=\"key\">");
    for (uint32_t i = 0; i < count; i++) {
        rs_compare_text_format(text, "<span><i class=\"s%u\"></i>", i % RS_SVG_COLOURS);
        rs_compare_text_html(text, name[i]);
        rs_compare_text_raw(text, "</span>");
    }
    rs_compare_text_raw(text, "</div>\n");
}

static void html_server_charts(const rs_results *results, rs_compare_text *text) {
    html_section(results, text, "Rate",
                 "Median of the runs; the thin line reaches from the smallest to the largest.");
    html_charts(results, text, rs_chart_rate, NULL);
    html_section(results, text, "Latency",
                 "Of replies, medians of each percentile; logarithmic scale.");
    html_charts(results, text, rs_chart_latency, NULL);
    html_section(results, text, "CPU time per message",
                 "Of the server in user and kernel mode, and of wineserver where it works for it.");
    html_key(text, rs_chart_cpu_parts, RS_CHART_CPU_PARTS);
    html_charts(results, text, rs_chart_cpu, NULL);
}

/* A row of cards for each server: what each of its settings is worth. */
static void html_tradeoff_charts(const rs_results *results, rs_compare_text *text) {
    static const char *const names[] = {"better than the defaults", "worse",
                                        "no difference that remains"};
    static const uint32_t colours[] = {2, 1, RS_SVG_COLOURS - 1};
    html_section(results, text, "What each setting is worth",
                 "One setting changed, against the same server's defaults: the median of paired "
                 "ratios and its 95 % interval; logarithmic scale around 1. Left is less, right is "
                 "more of the figure.");
    char summary[RS_REPORT_SUMMARY_BYTES];
    rs_report_discoveries(results, summary, sizeof summary);
    html_paragraph(text, "dim", summary);
    rs_compare_text_raw(text, "<dl>\n");
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_report_summary(results, i, summary, sizeof summary)) {
            html_term(text, results->subject[i].name, summary);
        }
    }
    rs_compare_text_raw(text, "</dl>\n");
    rs_compare_text_raw(text, "<div class=\"key\">");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rs_compare_text_format(text, "<span><i class=\"s%u\"></i>%s</span>", colours[i], names[i]);
    }
    rs_compare_text_raw(text, "</div>\n<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->subjects; i++) {
        const bool is_server = results->subject[i].changed == NULL && !results->subject[i].control;
        for (uint32_t k = RS_CHART_RATE; is_server && k <= RS_CHART_P99; k++) {
            rs_compare_text_raw(text, "<div class=\"card\">");
            rs_chart_tradeoff(results, i, (rs_chart_figure)k, text);
            rs_compare_text_raw(text, "</div>\n");
        }
    }
    rs_compare_text_raw(text, "</div>\n");
}

static void html_question(const rs_results *results, rs_compare_text *text) {
    char words[RS_REPORT_QUESTION_BYTES];
    const char *what = "";
    for (uint32_t i = 0; rs_report_question(results, i, &what, words, sizeof words); i++) {
        rs_compare_text_raw(text, i == 0 ? "<h2>The question</h2>\n<dl>\n" : "");
        html_term(text, what, words);
    }
    rs_compare_text_raw(text, results->question != NULL ? "</dl>\n" : "");
}

static void html_map_charts(const rs_results *results, rs_compare_text *text) {
    const bool windows = results->platform == RS_PLATFORM_WINDOWS;
    if (results->baseline < 0) {
        return;
    }
    html_section(results, text,
                 windows ? "Each server over iocp_server" : "Each server over the floor",
                 "Median of paired ratios of messages a second, then of CPU time per message, "
                 "wineserver's included; a tool tip has the interval. In brackets: not separable. "
                 "\"-\": not measured, or left out by the rule.");
    rs_report_map_charts(results, text);
}

static void html_map_notes(const rs_results *results, rs_compare_text *text) {
    char note[RS_REPORT_MAP_NOTE_BYTES];
    for (uint32_t i = 0; rs_report_map_note(results, i, note, sizeof note); i++) {
        html_paragraph(text, "dim", note);
    }
}

static void html_calls_charts(const rs_results *results, rs_compare_text *text) {
    rs_chart_calls_list calls;
    html_section(results, text, "Kernel calls per message", "By name, as the server counts them.");
    rs_chart_calls_collect(results, &calls);
    html_key(text, calls.name, calls.count + 1);
    html_charts(results, text, rs_chart_calls, &calls);
}

/* ---- the rest */

static void html_limits(const rs_results *results, rs_compare_text *text) {
    char limit[RS_LIMIT_BYTES + 64];
    bool any = false;
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_report_limit(results, i, limit, sizeof limit)) {
            rs_compare_text_raw(text, any ? "" : "<h2>Where each model ends</h2>\n<dl>\n");
            html_term(text, results->subject[i].name, limit);
            any = true;
        }
    }
    rs_compare_text_raw(text, any ? "</dl>\n" : "");
}

static void html_void_list(const rs_results *results, rs_compare_text *text) {
    if (rs_results_voided(results) == 0) {
        return;
    }
    rs_compare_text_raw(text, "<h2>Void runs</h2>\n<ul>\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            for (uint32_t r = 0; r < results->repeats; r++) {
                const rs_compare_run *run = rs_results_run(results, i, k, r);
                if (run->state == RS_RUN_VOID) {
                    rs_compare_text_raw(text, "<li>");
                    rs_compare_text_html(text, results->subject[k].name);
                    rs_compare_text_format(text, ", %s, run %u: ", results->scenario[i]->name,
                                           r + 1);
                    rs_compare_text_html(text, run->why);
                    rs_compare_text_raw(text, "</li>\n");
                }
            }
        }
    }
    rs_compare_text_raw(text, "</ul>\n");
}

static void html_settings(const rs_results *results, rs_compare_text *text) {
    rs_compare_text_raw(text, "<h2>Settings</h2>\n<dl>\n");
    rs_report_settings(results, text, html_term);
    rs_compare_text_raw(text, "</dl>\n<h2>Scenarios</h2>\n<dl>\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        html_term(text, results->scenario[i]->name, results->scenario[i]->about);
    }
    rs_compare_text_raw(text, "</dl>\n<h2>The rule of the decision</h2>\n");
    html_paragraph(text, "dim", rs_verdict_rule);
}

static void html_table(const rs_table *table, const char *title, const char *warning,
                       rs_compare_text *text) {
    rs_compare_text_format(text, "<h2>%s</h2>\n", title);
    rs_table_write_html(table, warning, text);
}

void rs_report_html(const rs_results *results, rs_table *scratch, rs_compare_text *text) {
    const char *warning = rs_results_warning(results);
    char late[RS_WHY_BYTES];
    rs_page_begin(text, "Ringside comparison");
    html_top(results, text);
    html_question(results, text);
    if (results->kind == RS_COMPARE_TRADEOFFS) {
        html_tradeoff_charts(results, text);
    } else if (results->kind == RS_COMPARE_MAP) {
        html_map_charts(results, text);
    } else {
        html_server_charts(results, text);
    }
    html_limits(results, text);
    if (results->kind != RS_COMPARE_MAP) { /* whose cells would be dozens of charts */
        html_calls_charts(results, text);
    }
    if (results->kind == RS_COMPARE_CALIBRATE) {
        rs_report_calibration_table(results, scratch);
        html_table(scratch, "Calibration", warning, text);
    }
    rs_report_table(results, scratch);
    html_table(scratch, "All figures", warning, text);
    html_map_notes(results, text);
    rs_report_paced_late(results, late, sizeof late);
    if (late[0] != '\0') {
        html_paragraph(text, "warn", late);
    }
    html_void_list(results, text);
    rs_report_latency_table(results, scratch);
    html_table(scratch, "Latency in figures", warning, text);
    if (results->kind != RS_COMPARE_TRADEOFFS) { /* whose first table has these columns */
        rs_report_memory_table(results, scratch);
        html_table(scratch, "Memory and environment", warning, text);
    }
    html_settings(results, text);
    rs_page_end(text);
}
