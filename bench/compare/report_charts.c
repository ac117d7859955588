/* SPDX-License-Identifier: MIT */
/* One card's chart each: which figures of a scenario it shows, and under which names. */
#include "compare/report_charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/svg.h"
#include "core/assert.h"

/* The subjects with figures in a scenario. beyond: also those whose model ends below it. */
static uint32_t chart_subjects(const rs_results *results, uint32_t scenario, bool beyond,
                               uint32_t list[RS_SERVERS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_results_wants(results, scenario, i) &&
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

/* A server's name, and Wine beside it where its figures are Wine's. */
static const char *chart_label(const rs_results *results, uint32_t subject, char out[64]) {
    /* The names of variants are long, and the page says Wine above every chart. */
    const bool variants = results->kind == RS_COMPARE_TRADEOFFS;
    (void)snprintf(out, 64, "%s%s", results->subject[subject].name,
                   results->subject[subject].wine && !variants ? " (Wine)" : "");
    return out;
}

void rs_chart_rate(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                   const void *unused) {
    rs_bar bar[RS_SERVERS_MAX];
    char label[RS_SERVERS_MAX][64], note[RS_SERVERS_MAX][32];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, true, list);
    (void)unused;
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        (void)snprintf(note[i], sizeof note[i], "ends at %u",
                       results->subject[list[i]].connections_max);
        bar[i] = (rs_bar){.label = chart_label(results, list[i], label[i]),
                          .note = cell->beyond ? note[i] : NULL,
                          .part = {cell->median[RS_METRIC_RATE]},
                          .parts = 1,
                          .colour = list[i],
                          .low = cell->rate_low,
                          .high = cell->rate_high};
    }
    rs_svg_bars(text, results->scenario[scenario]->name,
                rs_scenario_rate_unit(results->scenario[scenario]), bar, count, NULL);
}

void rs_chart_latency(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                      const void *unused) {
    rs_curve curve[RS_SERVERS_MAX];
    char label[RS_SERVERS_MAX][64];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    (void)unused;
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        curve[i] = (rs_curve){.label = chart_label(results, list[i], label[i]), .colour = list[i]};
        for (uint32_t k = 0; k < RS_SVG_POINTS; k++) {
            curve[i].value[k] = cell->median[RS_METRIC_P50 + k];
        }
    }
    rs_svg_curves(text, results->scenario[scenario]->name, curve, count);
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

void rs_chart_cpu(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                  const void *unused) {
    rs_bar bar[RS_SERVERS_MAX];
    char label[RS_SERVERS_MAX][64];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    (void)unused;
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        bar[i] =
            (rs_bar){.label = chart_label(results, list[i], label[i]),
                     .part = {cell->median[RS_METRIC_CPU_USER], cell->median[RS_METRIC_CPU_KERNEL],
                              cell->median[RS_METRIC_CPU_WINE]},
                     .parts = RS_CHART_CPU_PARTS,
                     .low = NAN,
                     .high = NAN};
        chart_add_up(&bar[i], cell->median[RS_METRIC_CPU_SUM]);
    }
    rs_svg_bars(text, results->scenario[scenario]->name, "us/message", bar, count,
                rs_chart_cpu_parts);
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

void rs_chart_calls(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                    const void *arg) {
    const rs_chart_calls_list *calls = arg;
    rs_bar bar[RS_SERVERS_MAX];
    char label[RS_SERVERS_MAX][64];
    uint32_t list[RS_SERVERS_MAX];
    const uint32_t count = chart_subjects(results, scenario, false, list);
    for (uint32_t i = 0; i < count; i++) {
        const rs_cell *cell = rs_results_cell(results, scenario, list[i]);
        bar[i] = (rs_bar){.label = chart_label(results, list[i], label[i]),
                          .parts = calls->count + 1,
                          .low = NAN,
                          .high = NAN};
        for (uint32_t c = 0; c < cell->calls; c++) {
            bar[i].part[calls_index(calls, cell->call[c].name)] += cell->call[c].per_message;
        }
        chart_add_up(&bar[i], cell->median[RS_METRIC_CALLS]);
    }
    rs_svg_bars(text, results->scenario[scenario]->name, "calls/message", bar, count, calls->name);
}

/* ---- trade-offs */

typedef struct chart_ratios {
    rs_ratio_row row[RS_CHART_RATIOS_MAX];
    char label[RS_CHART_RATIOS_MAX][80];
    uint32_t rows;
} chart_ratios;

static void ratios_add(const rs_results *results, uint32_t subject, uint32_t scenario,
                       rs_chart_figure figure, chart_ratios *out) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    const rs_tradeoff *changed = results->subject[subject].changed;
    if (out->rows == RS_CHART_RATIOS_MAX) {
        return;
    }
    (void)snprintf(out->label[out->rows], sizeof out->label[0], "%s=%s, %s", changed->option,
                   changed->value, results->scenario[scenario]->name);
    out->row[out->rows] = (rs_ratio_row){.label = out->label[out->rows],
                                         .ratio = figure == RS_CHART_RATE  ? cell->rate
                                                  : figure == RS_CHART_CPU ? cell->cpu
                                                                           : cell->p99};
    out->rows++;
}

void rs_chart_tradeoff(const rs_results *results, uint32_t of, rs_chart_figure figure,
                       rs_compare_text *text) {
    static const char *const names[] = {"rate", "CPU time", "p99"};
    chart_ratios ratios;
    char title[RS_NAME_BYTES + 64];
    ratios.rows = 0;
    for (uint32_t k = 0; k < results->subjects; k++) {
        for (uint32_t i = 0; i < results->scenarios; i++) {
            if (results->subject[k].changed != NULL && results->subject[k].of == of &&
                rs_results_wants(results, i, k)) {
                ratios_add(results, k, i, figure, &ratios);
            }
        }
    }
    (void)snprintf(title, sizeof title, "%s: %s / defaults", results->subject[of].name,
                   names[figure]);
    rs_svg_ratios(text, title, figure == RS_CHART_RATE, ratios.row, ratios.rows);
}
