/* SPDX-License-Identifier: MIT */
/* The chart that stands first: everything that is set against something, with its interval. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/report.h"
#include "compare/report_charts.h"
#include "core/assert.h"

#define RATIOS_PITCH 18u /* pixels of a point and its interval */
#define RATIOS_NAME 13u  /* characters that have room beside the strips of a phone */
#define RATIOS_CROWD 3u  /* the same of each of many in one strip */

typedef enum ratios_figure { RATIOS_RATE, RATIOS_CPU, RATIOS_P99, RATIOS_FIGURES } ratios_figure;

typedef struct ratios_chart {
    const rs_results *results;
    rs_compare_text *text;
    uint32_t figures;
    rs_ratio_axis axis[RATIOS_FIGURES];
} ratios_chart;

static const rs_interval *ratios_of(const rs_cell *cell, uint32_t figure) {
    return figure == RATIOS_RATE ? &cell->rate : figure == RATIOS_CPU ? &cell->cpu : &cell->p99;
}

static bool ratios_shows(const rs_results *results, uint32_t scenario, uint32_t subject) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    return rs_results_wants(results, scenario, subject) && cell->has_ratio &&
           !results->subject[subject].control && cell->rate.count + cell->cpu.count > 0;
}

static bool ratios_differs(const rs_cell *cell) {
    return rs_stats_is_difference(&cell->rate) || rs_stats_is_difference(&cell->cpu) ||
           rs_stats_is_difference(&cell->p99);
}

/* ---- rows */

static void ratios_label(const ratios_chart *chart, uint32_t subject, const char *name,
                         const char *more) {
    rs_compare_text_format(chart->text, "<div class=\"lb\"><i class=\"c%u\"></i><span>",
                           rs_chart_colour(chart->results, subject));
    rs_compare_text_html(chart->text, name);
    rs_compare_text_raw(chart->text, " <small>");
    rs_compare_text_html(chart->text, more);
    rs_compare_text_raw(chart->text, "</small></span></div>");
}

static void ratios_strip(const ratios_chart *chart, uint32_t figure, uint32_t subject,
                         const rs_ratio_mark *mark, uint32_t marks) {
    rs_svg_strip(chart->text, &chart->axis[figure], rs_chart_colour(chart->results, subject), mark,
                 marks, marks > 1 ? RATIOS_CROWD : RATIOS_PITCH);
}

static void ratios_row(const ratios_chart *chart, uint32_t scenario, uint32_t subject,
                       const char *name, const char *more) {
    ratios_label(chart, subject, name, more);
    for (uint32_t i = 0; i < chart->figures; i++) {
        const rs_interval *ratio = ratios_of(rs_results_cell(chart->results, scenario, subject), i);
        const rs_ratio_mark mark = {ratio, name};
        ratios_strip(chart, i, subject, &mark, 1);
        if (ratio->count == 0) {
            rs_compare_text_raw(chart->text, "<div class=\"v\">-</div>\n");
            continue;
        }
        const int digits = rs_table_digits(ratio->middle);
        rs_compare_text_format(chart->text,
                               "<div class=\"v%s\">%.*f <small>%.*f to %.*f</small></div>\n",
                               rs_stats_is_difference(ratio) ? " d" : "", digits, ratio->middle,
                               digits, ratio->low, digits, ratio->high);
    }
}

static void ratios_group(const ratios_chart *chart, const char *name, const char *about) {
    rs_compare_text_raw(chart->text, "<div class=\"gh\"><b>");
    rs_compare_text_html(chart->text, name);
    rs_compare_text_raw(chart->text, "</b> <small>");
    rs_compare_text_html(chart->text, about);
    rs_compare_text_raw(chart->text, "</small></div>\n");
}

/* ---- kinds of comparison */

static void ratios_by_scenario(const ratios_chart *chart) {
    const rs_results *results = chart->results;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        bool any = false;
        for (uint32_t k = 0; k < results->subjects; k++) {
            if (ratios_shows(results, i, k)) {
                if (!any) {
                    ratios_group(chart, results->scenario[i]->name, results->scenario[i]->about);
                }
                any = true;
                ratios_row(chart, i, k, results->subject[k].name,
                           results->subject[k].calls != NULL && results->kind == RS_COMPARE_LADDER
                               ? results->subject[k].calls
                               : "");
            }
        }
    }
}

/* Of each server the settings whose differences remain, then the others. */
static void ratios_by_setting(const ratios_chart *chart) {
    const rs_results *results = chart->results;
    for (uint32_t of = 0; of < results->subjects; of++) {
        bool any = false;
        for (uint32_t i = 0; i < 2 * results->subjects * results->scenarios; i++) {
            const uint32_t k = i / results->scenarios % results->subjects;
            const uint32_t scenario = i % results->scenarios;
            const rs_subject *subject = &results->subject[k];
            const bool differs = i < results->subjects * results->scenarios;
            char name[64];
            if (subject->changed == NULL || subject->of != of ||
                !ratios_shows(results, scenario, k) ||
                ratios_differs(rs_results_cell(results, scenario, k)) != differs) {
                continue;
            }
            if (!any) {
                ratios_group(chart, results->subject[of].name,
                             "what differs from its defaults first");
            }
            any = true;
            (void)snprintf(name, sizeof name, "%.40s=%.20s", subject->changed->option,
                           subject->changed->value);
            ratios_row(chart, scenario, k, name, results->scenario[scenario]->name);
        }
    }
}

static int ratios_by_size(const void *a, const void *b) {
    const double x = ((const rs_ratio_mark *)a)->ratio->middle;
    const double y = ((const rs_ratio_mark *)b)->ratio->middle;
    return (x > y) - (x < y);
}

/* Every cell of a map is a line, the smallest ratio first. A figure without any keeps its place. */
static void ratios_by_cell(const ratios_chart *chart) {
    const rs_results *results = chart->results;
    for (uint32_t k = 0; k < results->subjects; k++) {
        rs_ratio_mark mark[RS_SCENARIOS_MAX];
        bool any = false;
        for (uint32_t i = 0; i < results->scenarios; i++) {
            any = any || ratios_shows(results, i, k);
        }
        if (!any) {
            continue;
        }
        ratios_label(chart, k, results->subject[k].name, "");
        for (uint32_t figure = 0; figure < chart->figures; figure++) {
            uint32_t marks = 0, differ = 0;
            for (uint32_t i = 0; i < results->scenarios; i++) {
                const rs_interval *ratio = ratios_of(rs_results_cell(results, i, k), figure);
                if (ratios_shows(results, i, k) && ratio->count > 0) {
                    differ += rs_stats_is_difference(ratio);
                    mark[marks++] = (rs_ratio_mark){ratio, results->scenario[i]->name};
                }
            }
            if (marks > 0) {
                qsort(mark, marks, sizeof mark[0], ratios_by_size);
            }
            ratios_strip(chart, figure, k, mark, marks);
            if (marks == 0) {
                rs_compare_text_raw(chart->text, "<div class=\"v\">-</div>\n");
                continue;
            }
            rs_compare_text_format(chart->text,
                                   "<div class=\"v m\">%u <small>of %u differ</small></div>\n",
                                   differ, marks);
        }
    }
}

/* ---- the chart */

static void ratios_head(const ratios_chart *chart, const char *base) {
    static const char *const name[] = {"<b>Rate</b>", "<b>CPU time</b>", "<b>p99</b>"};
    static const char *const better[] = {"right is better", "left is better", "left is better"};
    RS_ASSERT(chart->figures <= sizeof name / sizeof name[0]);
    rs_compare_text_raw(chart->text, "<div class=\"lb\"></div>");
    for (uint32_t i = 0; i < chart->figures; i++) {
        rs_compare_text_format(chart->text, "<div class=\"fh\">%s / %s <small>%s</small></div>\n",
                               name[i], base, better[i]);
    }
    rs_compare_text_raw(chart->text, "<div class=\"lb\"></div>");
    for (uint32_t i = 0; i < chart->figures; i++) {
        rs_svg_ticks(chart->text, &chart->axis[i]);
        rs_compare_text_raw(chart->text, "<div></div>\n");
    }
}

static void ratios_explain(const rs_results *results, const char *base, rs_compare_text *text) {
    rs_compare_text_format(
        text,
        "<p class=\"dim\">%s<abbr title=\"run by run of one round\">Paired</abbr>: each run is "
        "divided by that of %s in the same round, so that a slow minute meets both; the point is "
        "the median. <abbr title=\"by the sign test\">Interval</abbr>, the line, holds the true "
        "median with %.4g %%. Hollow point: the interval holds 1, the runs are too few, or it may "
        "be chance. "
        "Scale logarithmic; an arrow: beyond its end.%s</p>\n",
        strcmp(base, "floor") == 0
            ? "<abbr title=\"the least that this load costs here\">Floor</abbr>: epoll_server, the "
              "same session layer as a native Linux program. "
            : "",
        strcmp(base, "floor") == 0              ? "the floor"
        : strcmp(base, "default") == 0          ? "the same server with its defaults"
        : results->kind == RS_COMPARE_CALIBRATE ? "the server with no handicap"
                                                : "iocp_server",
        rs_stats_level(results->repeats - results->extra) * 100,
        results->kind == RS_COMPARE_MAP
            ? " Each line is a cell, the smallest ratio first; a tool tip names it."
            : "");
}

void rs_chart_ratios(const rs_results *results, rs_compare_text *text) {
    const bool settings = results->kind == RS_COMPARE_TRADEOFFS;
    const char *base = settings                                ? "default"
                       : results->kind == RS_COMPARE_CALIBRATE ? "no handicap"
                       : rs_results_base_is_iocp(results)      ? "IOCP"
                                                               : "floor";
    ratios_chart chart = {.results = results, .text = text, .figures = settings ? 3 : 2};
    bool any = false, is_long = settings; /* names get a line of their own where it is narrow */
    for (uint32_t i = 0; i < chart.figures; i++) {
        rs_ratio_axis_init(&chart.axis[i]);
    }
    for (uint32_t i = 0; i < results->scenarios * results->subjects; i++) {
        if (ratios_shows(results, i / results->subjects, i % results->subjects)) {
            any = true;
            is_long = is_long || strlen(results->subject[i % results->subjects].name) > RATIOS_NAME;
            for (uint32_t k = 0; k < chart.figures; k++) {
                rs_ratio_axis_take(&chart.axis[k], ratios_of(&results->cell[i], k));
            }
        }
    }
    if (!any) {
        rs_compare_text_raw(text, "<p class=\"dim\">Nothing was set against anything here: no "
                                  "ratios.</p>\n");
        return;
    }
    rs_compare_text_format(text, "<div class=\"ratios f%u%s\">\n", chart.figures,
                           is_long ? " long" : "");
    ratios_head(&chart, base);
    if (settings) {
        ratios_by_setting(&chart);
    } else if (results->kind == RS_COMPARE_MAP) {
        ratios_by_cell(&chart);
    } else {
        ratios_by_scenario(&chart);
    }
    rs_compare_text_raw(text, "</div>\n");
    ratios_explain(results, base, text);
}
