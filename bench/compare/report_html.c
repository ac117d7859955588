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

static void html_head_lines(const rs_report_head *head, bool warnings, rs_compare_text *text) {
    for (uint32_t i = 0; i < head->lines; i++) {
        if (head->line[i].is_warning == warnings) {
            rs_compare_text_format(text,
                                   warnings ? "<p class=\"warn\"><b>%s</b> " : "<span><b>%s</b> ",
                                   head->line[i].what);
            rs_compare_text_html(text, head->line[i].words);
            rs_compare_text_raw(text, warnings ? "</p>\n" : "</span>\n");
        }
    }
}

/* The first screen: what speaks against the figures, the verdict, how far they can be trusted, and
 * one chart. */
static void html_top(const rs_results *results, rs_compare_text *text) {
    static const char *const title[] = {"Ringside comparison", "Ringside trade-offs",
                                        "Ringside calibration", "Ringside ladder", "Ringside map"};
    rs_report_head head;
    rs_report_head_make(results, &head);
    if (rs_results_warning(results)[0] != '\0') {
        html_paragraph(text, "fixed", rs_results_warning(results));
    }
    rs_compare_text_format(text, "<h1>%s</h1>\n",
                           results->question != NULL ? "Ringside question" : title[results->kind]);
    html_head_lines(&head, true, text);
    if (results->interrupted) {
        html_paragraph(text, "warn", "Interrupted: this page holds what was measured until then.");
    }
    html_paragraph(text, "verdict", results->verdict.text);
    rs_compare_text_raw(text, "<p class=\"trust\">");
    html_head_lines(&head, false, text);
    rs_compare_text_raw(text, "</p>\n");
    rs_chart_ratios(results, text);
}

static void html_key(rs_compare_text *text, const char *title, const char *const *name,
                     uint32_t count) {
    rs_compare_text_format(text, "<div class=\"key\"><b>%s</b>", title);
    for (uint32_t i = 0; i < count; i++) {
        rs_compare_text_format(text, "<span><i class=\"s%u\"></i>", i);
        rs_compare_text_html(text, name[i]);
        rs_compare_text_raw(text, "</span>");
    }
    rs_compare_text_raw(text, "</div>\n");
}

/* A card for each scenario: what it is, and its charts. Of trade-offs, where ratios say the rest,
 * the kernel calls alone. */
static void html_scenarios(const rs_results *results, rs_compare_text *text) {
    const bool all = results->kind != RS_COMPARE_TRADEOFFS;
    rs_chart_calls_list calls;
    rs_chart_calls_collect(results, &calls);
    rs_compare_text_raw(text, all ? "<h2>Each scenario</h2>\n"
                                  : "<h2>Kernel calls of each scenario</h2>\n");
    if (all) {
        html_paragraph(text, "dim",
                       "Medians of the runs; the thin line reaches from the smallest run to the "
                       "largest. Latency is that of replies. A send lasts from its post until the "
                       "server saw its completion. Both are on a logarithmic scale.");
        html_key(text, "CPU time", rs_chart_cpu_parts, RS_CHART_CPU_PARTS);
    }
    html_key(text, "Kernel calls", calls.name, calls.count + 1);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (!rs_chart_any(results, i)) {
            continue;
        }
        rs_compare_text_format(text, "<div class=\"card\"><h3>%s</h3>\n",
                               results->scenario[i]->name);
        html_paragraph(text, "dim", results->scenario[i]->about);
        rs_compare_text_raw(text, "<div class=\"grid\">\n");
        if (all) {
            rs_chart_rate(results, i, text);
            rs_chart_cpu(results, i, text);
            rs_chart_latency(results, i, text);
            rs_chart_sends(results, i, text);
        }
        rs_chart_calls(results, i, &calls, text);
        rs_compare_text_raw(text, "</div></div>\n");
    }
}

static void html_tradeoffs(const rs_results *results, rs_compare_text *text) {
    char summary[RS_REPORT_SUMMARY_BYTES];
    rs_compare_text_raw(text, "<h2>What each setting is worth</h2>\n");
    rs_report_discoveries(results, summary, sizeof summary);
    html_paragraph(text, "dim", summary);
    rs_compare_text_raw(text, "<dl>\n");
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_report_summary(results, i, summary, sizeof summary)) {
            html_term(text, results->subject[i].name, summary);
        }
    }
    rs_compare_text_raw(text, "</dl>\n");
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
    if (results->baseline < 0) {
        return;
    }
    rs_compare_text_raw(text, rs_results_base_is_iocp(results)
                                  ? "<h2>Each server over iocp_server</h2>\n"
                                  : "<h2>Each server over the floor</h2>\n");
    html_paragraph(text, "dim",
                   "Ratios of messages a second, then of CPU time per message, wineserver's "
                   "included; a tool tip has the interval. In brackets: not separable. \"-\": not "
                   "measured, or left out by the rule.");
    rs_report_map_charts(results, text);
}

static void html_map_notes(const rs_results *results, rs_compare_text *text) {
    char note[RS_REPORT_MAP_NOTE_BYTES];
    for (uint32_t i = 0; rs_report_map_note(results, i, note, sizeof note); i++) {
        html_paragraph(text, "dim", note);
    }
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
    rs_compare_text_raw(text, "<h2>How it was measured</h2>\n");
    html_banner(results, text);
    rs_compare_text_raw(text, "<h2>Settings</h2>\n<dl>\n");
    rs_report_settings(results, text, html_term);
    rs_compare_text_raw(text, "</dl>\n<h2>Scenarios</h2>\n<dl>\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        html_term(text, results->scenario[i]->name, results->scenario[i]->about);
    }
    rs_compare_text_raw(text, "</dl>\n<h2>The rule of the decision</h2>\n");
    html_paragraph(text, "dim", rs_verdict_rule);
}

static void html_table(const rs_table *table, const char *title, rs_compare_text *text) {
    rs_compare_text_format(text, "<h2>%s</h2>\n", title);
    rs_table_write_html(table, text);
}

void rs_report_html(const rs_results *results, rs_table *scratch, rs_compare_text *text) {
    char late[RS_WHY_BYTES];
    rs_page_begin(text, "Ringside comparison");
    html_top(results, text);
    html_question(results, text);
    if (results->kind == RS_COMPARE_TRADEOFFS) {
        html_tradeoffs(results, text);
        rs_chart_scaling(results, text);
    } else if (results->kind == RS_COMPARE_MAP) {
        html_map_notes(results, text);
        html_map_charts(results, text);
    } else if (results->kind == RS_COMPARE_CALIBRATE) {
        rs_report_calibration_table(results, scratch);
        html_table(scratch, "Calibration", text);
    }
    rs_report_table(results, scratch);
    html_table(scratch, "All figures", text);
    rs_report_paced_late(results, late, sizeof late);
    if (late[0] != '\0') {
        html_paragraph(text, "warn", late);
    }
    html_void_list(results, text);
    html_limits(results, text);
    if (results->kind != RS_COMPARE_MAP) { /* whose cells would be dozens of charts */
        html_scenarios(results, text);
    }
    rs_report_latency_table(results, scratch);
    html_table(scratch, "Latency in figures", text);
    if (results->kind != RS_COMPARE_TRADEOFFS) { /* whose first table has these columns */
        rs_report_memory_table(results, scratch);
        html_table(scratch, "Memory and environment", text);
    }
    html_settings(results, text);
    rs_page_end(text);
}
