/* SPDX-License-Identifier: MIT */
/* One card's chart each: which figures of a scenario it shows, and under which names. */
#include "compare/report_charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/svg.h"
#include "compare/tradeoff.h"
#include "core/assert.h"

/* The subjects with figures in a scenario, but for controls: they are in the trust line. beyond:
 * also those whose model ends below it. */
static uint32_t chart_subjects(const rs_results *results, uint32_t scenario, bool beyond,
                               uint32_t list[RS_SERVERS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_results_wants(results, scenario, i) && !results->subject[i].control &&
            (beyond || !rs_results_cell(results, scenario, i)->beyond)) {
            list[count++] = i;
        }
    }
    return count;
}

bool rs_chart_any(const rs_results *results, uint32_t scenario) {
    uint32_t list[RS_SERVERS_MAX];
    return chart_subjects(results, scenario, false, list) > 0;
}

/* One hue a server, on every page: ours have their own, others what is left, in their order. */
uint32_t rs_chart_colour(const rs_results *results, uint32_t subject) {
    static const char *const ours[RS_SVG_COLOURS] = {"epoll_server",
                                                     "iocp_server",
                                                     "rio_server",
                                                     "ladder_thread",
                                                     "ladder_select",
                                                     "ladder_async_select",
                                                     "ladder_event_select",
                                                     "ladder_iocp_pool",
                                                     "ladder_overlapped_event",
                                                     "ladder_overlapped_apc",
                                                     "ladder_overlapped_alertable",
                                                     "ladder_iocp_lookaside"};
    const rs_subject *of = &results->subject[subject];
    if (of->changed != NULL || of->control) {
        return rs_chart_colour(results, of->of);
    }
    for (uint32_t i = 0; i < RS_SVG_COLOURS; i++) {
        if (strcmp(of->name, ours[i]) == 0) {
            return i;
        }
    }
    return 3 + subject % (RS_SVG_COLOURS - 4);
}

void rs_chart_rate(const rs_results *results, uint32_t scenario, rs_compare_text *text) {
    rs_bar bar[RS_SERVERS_MAX];
    char note[RS_SERVERS_MAX][32];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, true, list);
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        (void)snprintf(note[i], sizeof note[i], "ends at %u",
                       results->subject[list[i]].connections_max);
        bar[i] = (rs_bar){.label = results->subject[list[i]].name,
                          .note = cell->beyond ? note[i] : NULL,
                          .part = {cell->median[RS_METRIC_RATE]},
                          .parts = 1,
                          .colour = rs_chart_colour(results, list[i]),
                          .low = cell->rate_low,
                          .high = cell->rate_high};
    }
    rs_svg_bars(text, "Rate", rs_scenario_rate_unit(results->scenario[scenario]), bar, count, NULL);
}

/* Those of a ladder whose models make calls of one kind: a line of their own each. */
static void chart_latency_group(const rs_results *results, uint32_t scenario, const char *calls,
                                rs_compare_text *text) {
    rs_curve curve[RS_SERVERS_MAX];
    char title[96];
    uint32_t list[RS_SERVERS_MAX], curves = 0;
    const uint32_t count = chart_subjects(results, scenario, false, list);
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        const char *own = results->subject[list[i]].calls;
        if (calls == NULL || (own != NULL && strcmp(own, calls) == 0)) {
            curve[curves] = (rs_curve){.label = results->subject[list[i]].name,
                                       .colour = rs_chart_colour(results, list[i])};
            memcpy(curve[curves++].value, &cell->median[RS_METRIC_P50], sizeof curve[0].value);
        }
    }
    (void)snprintf(title, sizeof title, "Latency%s%.40s", calls != NULL ? ": " : "",
                   calls != NULL ? calls : "");
    rs_svg_curves(text, title, curve, curves);
}

void rs_chart_latency(const rs_results *results, uint32_t scenario, rs_compare_text *text) {
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    if (results->kind != RS_COMPARE_LADDER) {
        chart_latency_group(results, scenario, NULL, text);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *calls = results->subject[list[i]].calls;
        bool seen = calls == NULL;
        for (uint32_t k = 0; k < i && !seen; k++) {
            const char *before = results->subject[list[k]].calls;
            seen = before != NULL && strcmp(before, calls) == 0;
        }
        if (!seen) {
            chart_latency_group(results, scenario, calls, text);
        }
    }
}

void rs_chart_sends(const rs_results *results, uint32_t scenario, rs_compare_text *text) {
    rs_curve curve[RS_SERVERS_MAX];
    uint32_t list[RS_SERVERS_MAX], curves = 0;
    const uint32_t count = chart_subjects(results, scenario, false, list);
    for (uint32_t i = 0; i < count; i++) {
        const double *point =
            &rs_results_cell(results, scenario, list[i])->median[RS_METRIC_SEND_P50];
        if (rs_is_known(point[0])) {
            curve[curves] = (rs_curve){.label = results->subject[list[i]].name,
                                       .colour = rs_chart_colour(results, list[i])};
            memcpy(curve[curves++].value, point, sizeof curve[0].value);
        }
    }
    if (curves > 0) {
        rs_svg_curves(text, "Post of a send to its completion", curve, curves);
    }
}

const char *const rs_chart_cpu_parts[RS_CHART_CPU_PARTS] = {"user", "kernel", "wineserver"};

/* Medians of parts do not add up to the median of sums, which the table has: scaled to it. */
static void chart_add_up(rs_bar *bar, double sum) {
    double parts = 0;
    for (uint32_t i = 0; i < bar->parts; i++) {
        parts += rs_is_known(bar->part[i]) ? bar->part[i] : 0;
    }
    for (uint32_t i = 0; i < bar->parts && parts > 0 && rs_is_known(sum); i++) {
        bar->part[i] *= sum / parts;
    }
}

void rs_chart_cpu(const rs_results *results, uint32_t scenario, rs_compare_text *text) {
    rs_bar bar[RS_SERVERS_MAX];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        bar[i] =
            (rs_bar){.label = results->subject[list[i]].name,
                     .part = {cell->median[RS_METRIC_CPU_USER], cell->median[RS_METRIC_CPU_KERNEL],
                              cell->median[RS_METRIC_CPU_WINE]},
                     .parts = RS_CHART_CPU_PARTS,
                     .low = cell->cpu_low,
                     .high = cell->cpu_high};
        chart_add_up(&bar[i], cell->median[RS_METRIC_CPU_SUM]);
    }
    rs_svg_bars(text, "CPU time", "us/message", bar, count, rs_chart_cpu_parts);
}

static uint32_t calls_index(const rs_chart_calls_list *calls, const char *name) {
    uint32_t at = 0;
    while (at < calls->count && strcmp(calls->name[at], name) != 0) {
        at++;
    }
    return at;
}

static void calls_note(rs_chart_calls_list *calls, const char *name, double share) {
    const uint32_t at = calls_index(calls, name);
    if (at == RS_CHART_CALLS_KNOWN) {
        return; /* counted among the others */
    }
    if (at == calls->count) {
        calls->name[calls->count] = name;
        calls->share[calls->count++] = 0;
    }
    calls->share[at] = fmax(calls->share[at], share);
}

/* Largest first; of equal ones the one met first. */
static void calls_sort(rs_chart_calls_list *calls) {
    for (uint32_t i = 1; i < calls->count; i++) {
        const char *name = calls->name[i];
        const double share = calls->share[i];
        uint32_t at = i;
        for (; at > 0 && calls->share[at - 1] < share; at--) {
            calls->name[at] = calls->name[at - 1];
            calls->share[at] = calls->share[at - 1];
        }
        calls->name[at] = name;
        calls->share[at] = share;
    }
}

void rs_chart_calls_collect(const rs_results *results, rs_chart_calls_list *calls) {
    calls->count = 0;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            const rs_cell *cell = rs_results_cell(results, i, k);
            for (uint32_t c = 0; c < cell->calls; c++) {
                calls_note(calls, cell->call[c].name,
                           cell->call[c].per_message / cell->median[RS_METRIC_CALLS]);
            }
        }
    }
    calls_sort(calls);
    calls->count = calls->count < RS_CHART_CALLS ? calls->count : RS_CHART_CALLS;
    calls->name[calls->count] = "others";
}

void rs_chart_calls(const rs_results *results, uint32_t scenario, const rs_chart_calls_list *calls,
                    rs_compare_text *text) {
    rs_bar bar[RS_SERVERS_MAX];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        bar[i] = (rs_bar){.label = results->subject[list[i]].name,
                          .parts = calls->count + 1,
                          .low = NAN,
                          .high = NAN};
        for (uint32_t c = 0; c < cell->calls; c++) {
            bar[i].part[calls_index(calls, cell->call[c].name)] += cell->call[c].per_message;
        }
        chart_add_up(&bar[i], cell->median[RS_METRIC_CALLS]);
    }
    rs_svg_bars(text, "Kernel calls", "calls/message", bar, count, calls->name);
}

/* ---- scaling */

static uint32_t scaling_bars(const rs_results *results, uint32_t scenario,
                             rs_bar bar[RS_SERVERS_MAX]) {
    uint32_t bars = 0;
    for (uint32_t i = 0; i < results->subjects; i++) {
        const rs_subject *subject = &results->subject[i];
        const rs_cell *cell = rs_results_cell(results, scenario, i);
        if (subject->changed != NULL && strcmp(subject->changed->option, "workers") == 0 &&
            cell->has_ratio && cell->rate.count > 0) {
            const bool few = cell->rate.count < RS_STATS_PAIRS_MIN;
            bar[bars++] = (rs_bar){.label = subject->name,
                                   .note = few ? "too few runs" : NULL,
                                   .part = {cell->rate.middle},
                                   .parts = 1,
                                   .colour = rs_chart_colour(results, i),
                                   .low = few ? (double)NAN : cell->rate.low,
                                   .high = few ? (double)NAN : cell->rate.high};
        }
    }
    return bars;
}

static const char *scaling_machine(const rs_results *results) {
    for (uint32_t i = 0; i < results->banners; i++) {
        if (strcmp(results->banner[i].what, "machine") == 0) {
            return results->banner[i].text;
        }
    }
    return "an unknown machine";
}

void rs_chart_scaling(const rs_results *results, rs_compare_text *text) {
    rs_bar bar[RS_SERVERS_MAX];
    for (uint32_t i = 0; results->kind == RS_COMPARE_TRADEOFFS && i < results->scenarios; i++) {
        const bool measured = results->scenario[i]->kind == RS_SCENARIO_SCALING;
        const uint32_t bars = measured ? scaling_bars(results, i, bar) : 0;
        if (bars == 0) {
            continue;
        }
        rs_compare_text_raw(text, "<h2>Scaling</h2>\n<p class=\"dim\">Messages a second with so "
                                  "many workers over those of the same server with its default of "
                                  "one, run by run; the line is the interval. Each message costs ");
        rs_compare_text_format(text,
                               "%u us of work; the system places all threads, loadgen's too, on ",
                               RS_SCENARIO_WORK_US);
        rs_compare_text_html(text, scaling_machine(results));
        rs_compare_text_raw(text, ": workers beyond the processors share them.</p>\n"
                                  "<div class=\"card\"><div class=\"grid\">\n");
        rs_svg_bars(text, "Rate over that of one worker", "times", bar, bars, NULL);
        rs_compare_text_raw(text, "</div></div>\n");
    }
}
