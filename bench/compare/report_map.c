/* SPDX-License-Identifier: MIT */
#include "compare/report_map.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/map.h"
#include "compare/report.h"
#include "compare/svg.h"
#include "core/assert.h"

const char *rs_report_map_wins(const rs_results *results, uint32_t scenario, uint32_t subject) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    if (!cell->has_ratio || cell->rate.count == 0) {
        return "-";
    }
    switch (rs_map_judge(&cell->rate)) {
    case RS_MAP_TOO_FEW:
        return "too few runs";
    case RS_MAP_NOT_SEPARABLE:
        return "not separable";
    case RS_MAP_WITHIN:
        return "within 5 %";
    case RS_MAP_BASE:
        return rs_results_base_name(results, subject);
    case RS_MAP_SERVER:
        return results->subject[subject].name;
    }
    RS_UNREACHABLE("one of five");
}

/* ---- the table */

static void map_text(char cell[RS_TABLE_CELL_BYTES], const char *words) {
    (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%s", words);
}

static void map_count(char cell[RS_TABLE_CELL_BYTES], uint32_t count) {
    rs_table_count(cell, count);
}

static void map_row(const rs_results *results, uint32_t scenario, uint32_t subject, rs_table *out) {
    static const rs_metric figures[] = {RS_METRIC_RATE, RS_METRIC_CPU_SUM, RS_METRIC_CPU_MACHINE,
                                        RS_METRIC_CALLS, RS_METRIC_DEQUEUED};
    const rs_scenario *of = results->scenario[scenario];
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    char(*row)[RS_TABLE_CELL_BYTES] = rs_table_row(out);
    char sends[RS_MAP_SENDS_BYTES];
    if (row == NULL) {
        return;
    }
    map_count(*row++, of->connections);
    map_count(*row++, of->depth);
    map_count(*row++, of->frame_bytes);
    rs_map_sends(sends, of);
    map_text(*row++, sends);
    map_text(*row++, results->subject[subject].name);
    if (results->baseline >= 0) {
        const rs_interval none = {.count = 0};
        map_text(*row++, rs_report_map_wins(results, scenario, subject));
        rs_table_ratio(*row++, cell->has_ratio ? &cell->rate : &none);
        rs_table_ratio(*row++, cell->has_ratio ? &cell->cpu : &none);
        rs_table_ratio(*row++, cell->has_ratio ? &cell->machine : &none);
    }
    map_count(*row++, cell->ok);
    map_count(*row++, cell->disturbed);
    map_count(*row++, cell->voided);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        rs_table_number(*row++, cell->median[figures[i]]);
    }
    map_text(*row, rs_results_platform(results, subject));
}

void rs_report_map_table(const rs_results *results, rs_table *out) {
    static const char *const figures[] = {"runs",
                                          "disturbed",
                                          "void",
                                          "rate/s",
                                          "CPU us/msg",
                                          "machine CPU us/msg",
                                          "kernel calls/msg",
                                          "completions/dequeue"};
    const bool iocp = rs_results_base_is_iocp(results);
    rs_table_init(out);
    rs_table_column(out, "connections", false);
    rs_table_column(out, "in flight", false);
    rs_table_column(out, "bytes", false);
    rs_table_column(out, "sends", true);
    rs_table_column(out, "server", true);
    if (results->baseline >= 0) {
        rs_table_column(out, "wins by more than 5 %", true);
        rs_table_column(out, iocp ? "rate / IOCP" : "rate / floor", false);
        rs_table_column(out, iocp ? "CPU / IOCP" : "CPU / floor", false);
        rs_table_column(out, iocp ? "machine / IOCP" : "machine / floor", false);
    }
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        rs_table_column(out, figures[i], false);
    }
    rs_table_column(out, "platform", true);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            if (rs_results_wants(results, i, k)) {
                map_row(results, i, k, out);
            }
        }
    }
}

/* ---- the sentences */

/* A server that the map sets against the baseline. */
static bool map_is_judged(const rs_results *results, uint32_t subject) {
    return results->baseline >= 0 && results->baseline != (int32_t)subject &&
           !results->subject[subject].control;
}

static void map_note_server(const rs_results *results, uint32_t subject, char *out, size_t bytes) {
    uint32_t count[RS_MAP_SERVER + 1] = {0};
    for (uint32_t i = 0; i < results->scenarios; i++) {
        count[rs_map_judge(&rs_results_cell(results, i, subject)->rate)]++;
    }
    (void)snprintf(out, bytes,
                   "%s against %s, messages a second: more by over 5 %% in %u of %u cells, less in "
                   "%u, within 5 %% in %u, not separable in %u, too few runs in %u.",
                   results->subject[subject].name, rs_results_base_name(results, subject),
                   count[RS_MAP_SERVER], results->scenarios, count[RS_MAP_BASE],
                   count[RS_MAP_WITHIN], count[RS_MAP_NOT_SEPARABLE], count[RS_MAP_TOO_FEW]);
}

static void map_note_level(const rs_results *results, char *out, size_t bytes) {
    const double level = rs_stats_level(results->repeats);
    (void)snprintf(out, bytes,
                   "Each cell is judged alone, at %.4g %%: of %u cells in which two servers do not "
                   "differ, %.1f would show a difference by chance. Read regions, not single "
                   "cells.",
                   level * 100, results->scenarios, (1 - level) * results->scenarios);
}

static void map_note_rule(char *out, size_t bytes) {
    size_t used = (size_t)snprintf(out, bytes, "%s Left out:", rs_map_rule);
    for (uint32_t i = 0; i < RS_MAP_SIZES * RS_MAP_CONNECTIONS * RS_MAP_DEPTHS; i++) {
        const uint32_t size = rs_map_sizes[i / (RS_MAP_CONNECTIONS * RS_MAP_DEPTHS)];
        const uint32_t connections = rs_map_connections[i / RS_MAP_DEPTHS % RS_MAP_CONNECTIONS];
        const uint32_t depth = rs_map_depths[i % RS_MAP_DEPTHS];
        char name[RS_MAP_NAME_BYTES];
        if (!rs_map_holds(connections, depth, size) && used < bytes) {
            rs_map_name(name, connections, depth, size, 0);
            used += (size_t)snprintf(out + used, bytes - used, " %s", name);
        }
    }
    RS_ASSERT(used < bytes);
}

bool rs_report_map_note(const rs_results *results, uint32_t index, char *out, size_t bytes) {
    if (results->kind != RS_COMPARE_MAP) {
        return false;
    }
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (map_is_judged(results, i) && index-- == 0) {
            map_note_server(results, i, out, bytes);
            return true;
        }
    }
    if (index == 0) {
        map_note_rule(out, bytes);
    } else if (index == 1 && results->baseline < 0) {
        (void)snprintf(out, bytes, "There is nothing to set the servers against here: no ratios.");
    } else if (index == 2) {
        (void)snprintf(out, bytes, "%s", rs_map_slow_rule);
    } else if (index == 1) {
        map_note_level(results, out, bytes);
    } else {
        return false;
    }
    return true;
}

/* ---- heat maps */

/* One heat map: of a server, one size and one size of send blocks. */
typedef struct map_sheet {
    const rs_results *results;
    uint32_t subject, size, block;
    bool cpu;
} map_sheet;

static const rs_cell *map_find(const map_sheet *sheet, uint32_t connections, uint32_t depth) {
    const rs_results *results = sheet->results;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const rs_scenario *of = results->scenario[i];
        if (of->kind == RS_SCENARIO_CLOSED && of->connections == connections &&
            of->depth == depth && of->frame_bytes == sheet->size &&
            of->send_block == sheet->block) {
            return rs_results_cell(results, i, sheet->subject);
        }
    }
    return NULL;
}

/* False: no cell of this size was measured. */
static bool map_heat(const map_sheet *sheet, rs_heat *heat) {
    bool any = false;
    for (uint32_t y = 0; y < RS_MAP_DEPTHS; y++) {
        for (uint32_t x = 0; x < RS_MAP_CONNECTIONS; x++) {
            const rs_cell *cell = map_find(sheet, rs_map_connections[x], rs_map_depths[y]);
            rs_interval *ratio = &heat->ratio[y][x];
            *ratio = (rs_interval){.count = 0};
            if (cell != NULL && cell->has_ratio) {
                *ratio = sheet->cpu ? cell->cpu : cell->rate;
                any = any || ratio->count > 0;
            }
        }
    }
    return any;
}

static void map_chart(const map_sheet *sheet, rs_compare_text *text) {
    rs_heat heat = {.columns = RS_MAP_CONNECTIONS,
                    .rows = RS_MAP_DEPTHS,
                    .column = rs_map_connections,
                    .row = rs_map_depths,
                    .columns_are = "connections",
                    .rows_are = "in flight",
                    .more_is_better = !sheet->cpu,
                    .within = RS_MAP_WIN};
    char title[128], bytes[RS_TABLE_CELL_BYTES], blocks[24] = "";
    rs_table_count(bytes, sheet->size);
    if (sheet->block != 0) {
        (void)snprintf(blocks, sizeof blocks, ", %uk blocks", sheet->block / 1024u);
    }
    (void)snprintf(title, sizeof title, "%.39s%s, %.20s bytes%s",
                   sheet->results->subject[sheet->subject].name, sheet->cpu ? ": CPU" : ": rate",
                   bytes, blocks);
    if (map_heat(sheet, &heat)) {
        rs_compare_text_raw(text, "<div class=\"card\">");
        rs_svg_heat(text, title, &heat);
        rs_compare_text_raw(text, "</div>\n");
    }
}

void rs_report_map_charts(const rs_results *results, rs_compare_text *text) {
    static const char *const names[RS_SVG_HEAT_STEPS] = {"worse: 2 times and more",
                                                         "1.25 times",
                                                         "1.05 times",
                                                         "within 5 %, or not separable (...)",
                                                         "better: 1.05 times",
                                                         "1.25 times",
                                                         "2 times and more"};
    rs_compare_text_raw(text, "<div class=\"key\">");
    for (uint32_t i = 0; i < RS_SVG_HEAT_STEPS; i++) {
        rs_compare_text_format(text, "<span><i class=\"h%u\"></i>%s</span>", i, names[i]);
    }
    rs_compare_text_raw(text, "</div>\n<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->subjects; i++) {
        for (uint32_t k = 0; map_is_judged(results, i) && k < 2 * RS_MAP_GRIDS; k++) {
            map_sheet sheet = {.results = results, .subject = i, .cpu = k >= RS_MAP_GRIDS};
            if (rs_map_grid(k % RS_MAP_GRIDS, &sheet.size, &sheet.block)) {
                map_chart(&sheet, text);
            }
        }
    }
    rs_compare_text_raw(text, "</div>\n");
}
