/* One page, nothing loaded from outside: style and charts stand in it. The verdict comes first. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/report_charts.h"
#include "core/assert.h"

/* C99 promises 4,095 bytes of one literal; hence pieces. Colours: one hue a server, told apart in
 * light and dark and by those who see no red or green (after Okabe and Ito). */
static const char *const html_style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;"
    "--card:#f6f8fa;--warn:#7a4b00;--warnbg:#fff4d6;"
    "--k0:#0072b2;--k1:#d55e00;--k2:#009e73;--k3:#b5679a;--k4:#b58900;--k5:#56a4d8;"
    "--k6:#7f4fc9;--k7:#6b4a2f;--k8:#a8442a;--k9:#3f7d20;--k10:#1f5f7a;--k11:#a8adb3}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9aa4af;"
    "--line:#343b44;--card:#161b22;--warn:#ffd479;--warnbg:#3a2c07;"
    "--k0:#4aa3df;--k1:#f08a45;--k2:#2fc79a;--k3:#d992bf;--k4:#e3b341;--k5:#8cc8f0;"
    "--k6:#b094f0;--k7:#b58a68;--k8:#e07a5f;--k9:#7fbf5a;--k10:#5fb0cc;--k11:#6f7680}}\n",
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1120px;padding:16px;background:var(--bg);"
    "color:var(--fg);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.4em;margin:.2em 0}"
    "h2{font-size:1.15em;margin:1.8em 0 .5em}p{margin:.5em 0}.dim,figcaption{color:var(--dim);"
    "font-size:.9em}.verdict{border-left:5px solid var(--k0);background:var(--card);"
    "padding:12px 16px;font-size:1.1em;font-weight:600}.warn{background:var(--warnbg);"
    "color:var(--warn);padding:8px 12px;border-radius:4px}\n",
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));"
    "gap:14px}.card{background:var(--card);border:1px solid var(--line);border-radius:6px;"
    "padding:10px 12px}.card svg{display:block;width:100%;max-width:420px;height:auto}"
    "svg text{font:12px system-ui,sans-serif;fill:var(--fg)}svg .t{font-weight:600;font-size:14px}"
    "svg .w{stroke:var(--fg);stroke-width:1.5;fill:none}svg .g{stroke:var(--line);fill:none}"
    "svg .l{fill:none!important;stroke-width:2}\n",
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}table{border-collapse:"
    "collapse;font-size:.86em;font-variant-numeric:tabular-nums;white-space:nowrap;width:100%}"
    "caption{caption-side:top;text-align:left;color:var(--dim);padding:6px 10px;white-space:normal;"
    "position:sticky;left:0;max-width:min(100vw - 40px,900px)}"
    "th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--line)}th{background:"
    "var(--card)}.l{text-align:left}dl{display:grid;grid-template-columns:max-content 1fr;"
    "gap:2px 14px;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
    "@media(max-width:520px){dl{grid-template-columns:1fr}dd{margin-bottom:6px}}\n"
    ".key{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0;font-size:.9em}.key i{display:"
    "inline-block;width:12px;height:12px;margin-right:6px;vertical-align:-1px}\n"};

static void html_colours(rs_text *text) {
    for (uint32_t i = 0; i < RS_SVG_COLOURS; i++) {
        rs_text_format(text,
                       ".c%u,.s%u{fill:var(--k%u);background:var(--k%u)}.l.c%u{stroke:"
                       "var(--k%u)}\n",
                       i, i, i, i, i, i);
    }
}

static void html_head(rs_text *text) {
    rs_text_raw(text, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<title>Ringside comparison</title>\n<style>\n");
    for (size_t i = 0; i < sizeof html_style / sizeof html_style[0]; i++) {
        rs_text_raw(text, html_style[i]);
    }
    html_colours(text);
    rs_text_raw(text, "</style></head><body>\n");
}

static void html_paragraph(rs_text *text, const char *kind, const char *words) {
    rs_text_format(text, "<p class=\"%s\">", kind);
    rs_text_html(text, words);
    rs_text_raw(text, "</p>\n");
}

static void html_section(const rs_results *results, rs_text *text, const char *title,
                         const char *about) {
    rs_text_raw(text, "<h2>");
    rs_text_html(text, title);
    rs_text_raw(text, "</h2>\n");
    html_paragraph(text, "dim", about);
    if (rs_results_warning(results)[0] != '\0') {
        html_paragraph(text, "warn", rs_results_warning(results));
    }
}

static void html_term(rs_text *text, const char *what, const char *words) {
    rs_text_raw(text, "<dt>");
    rs_text_html(text, what);
    rs_text_raw(text, "</dt><dd>");
    rs_text_html(text, words);
    rs_text_raw(text, "</dd>\n");
}

static void html_banner(const rs_results *results, rs_text *text) {
    char what[32];
    const char *line;
    rs_text_raw(text, "<dl>\n");
    for (uint32_t i = 0; i < results->banners; i++) {
        rs_report_banner_line(results, i, what, &line);
        html_term(text, what, line);
    }
    rs_text_raw(text, "</dl>\n");
}

static void html_top(const rs_results *results, rs_text *text) {
    rs_text_raw(text, "<h1>Ringside comparison</h1>\n");
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

typedef void (*html_chart_fn)(const rs_results *, uint32_t, rs_text *, const void *);

static void html_charts(const rs_results *results, rs_text *text, html_chart_fn fn,
                        const void *arg) {
    rs_text_raw(text, "<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (rs_chart_any(results, i)) {
            rs_text_raw(text, "<div class=\"card\">");
            fn(results, i, text, arg);
            rs_text_raw(text, "</div>\n");
        }
    }
    rs_text_raw(text, "</div>\n");
}

static void html_key(rs_text *text, const char *const *name, uint32_t count) {
    rs_text_raw(text, "<div class=\"key\">");
    for (uint32_t i = 0; i < count; i++) {
        rs_text_format(text, "<span><i class=\"s%u\"></i>", i % RS_SVG_COLOURS);
        rs_text_html(text, name[i]);
        rs_text_raw(text, "</span>");
    }
    rs_text_raw(text, "</div>\n");
}

static void html_server_charts(const rs_results *results, rs_text *text) {
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
static void html_tradeoff_charts(const rs_results *results, rs_text *text) {
    static const char *const names[] = {"better than the defaults", "worse", "no difference"};
    static const uint32_t colours[] = {2, 1, RS_SVG_COLOURS - 1};
    html_section(results, text, "What each setting is worth",
                 "One setting changed, against the same server's defaults: the median of paired "
                 "ratios and its 95 % interval; logarithmic scale around 1. Left is less, right is "
                 "more of the figure.");
    rs_text_raw(text, "<div class=\"key\">");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rs_text_format(text, "<span><i class=\"s%u\"></i>%s</span>", colours[i], names[i]);
    }
    rs_text_raw(text, "</div>\n<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->subjects; i++) {
        for (uint32_t k = RS_CHART_RATE; results->subject[i].changed == NULL && k <= RS_CHART_P99;
             k++) {
            rs_text_raw(text, "<div class=\"card\">");
            rs_chart_tradeoff(results, i, (rs_chart_figure)k, text);
            rs_text_raw(text, "</div>\n");
        }
    }
    rs_text_raw(text, "</div>\n");
}

/* ---- the rest */

static void html_limits(const rs_results *results, rs_text *text) {
    char limit[RS_LIMIT_BYTES + 64];
    bool any = false;
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_report_limit(results, i, limit, sizeof limit)) {
            rs_text_raw(text, any ? "" : "<h2>Where each model ends</h2>\n<dl>\n");
            html_term(text, results->subject[i].name, limit);
            any = true;
        }
    }
    rs_text_raw(text, any ? "</dl>\n" : "");
}

static void html_void_list(const rs_results *results, rs_text *text) {
    if (rs_results_voided(results) == 0) {
        return;
    }
    rs_text_raw(text, "<h2>Void runs</h2>\n<ul>\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            for (uint32_t r = 0; r < results->repeats; r++) {
                const rs_compare_run *run = rs_results_run(results, i, k, r);
                if (run->state == RS_RUN_VOID) {
                    rs_text_raw(text, "<li>");
                    rs_text_html(text, results->subject[k].name);
                    rs_text_format(text, ", %s, run %u: ", results->scenario[i]->name, r + 1);
                    rs_text_html(text, run->why);
                    rs_text_raw(text, "</li>\n");
                }
            }
        }
    }
    rs_text_raw(text, "</ul>\n");
}

static void html_settings(const rs_results *results, rs_text *text) {
    rs_text_raw(text, "<h2>Settings</h2>\n<dl>\n");
    rs_report_settings(results, text, html_term);
    rs_text_raw(text, "</dl>\n<h2>Scenarios</h2>\n<dl>\n");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        html_term(text, results->scenario[i]->name, results->scenario[i]->about);
    }
    rs_text_raw(text, "</dl>\n<h2>The rule of the decision</h2>\n");
    html_paragraph(text, "dim", rs_verdict_rule);
}

static void html_table(const rs_table *table, const char *title, const char *warning,
                       rs_text *text) {
    rs_text_format(text, "<h2>%s</h2>\n", title);
    rs_table_write_html(table, warning, text);
}

void rs_report_html(const rs_results *results, rs_table *scratch, rs_text *text) {
    const char *warning = rs_results_warning(results);
    rs_chart_calls_list calls;
    char late[RS_WHY_BYTES];
    html_head(text);
    html_top(results, text);
    if (results->kind == RS_COMPARE_TRADEOFFS) {
        html_tradeoff_charts(results, text);
    } else {
        html_server_charts(results, text);
    }
    html_limits(results, text);
    html_section(results, text, "Kernel calls per message", "By name, as the server counts them.");
    rs_chart_calls_collect(results, &calls);
    html_key(text, calls.name, calls.count + 1);
    html_charts(results, text, rs_chart_calls, &calls);
    rs_report_table(results, scratch);
    html_table(scratch, "All figures", warning, text);
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
    rs_text_raw(text, "</body></html>\n");
}
