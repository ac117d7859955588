/* SPDX-License-Identifier: MIT */
/* What the reports say of --map: its table, what stands below it, and the heat maps. Pure. */
#ifndef RS_COMPARE_REPORT_MAP_H
#define RS_COMPARE_REPORT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/result.h"
#include "compare/text.h"

#define RS_REPORT_MAP_NOTE_BYTES 900u

/* rs_report_map_table: one row for each cell and server. */
void rs_report_map_table(const rs_results *results, rs_table *out);

/* rs_report_map_wins: who wins the cell: a server's name, "within 5 %", "not separable", "too few
 * runs"; "-" where there is no ratio. */
const char *rs_report_map_wins(const rs_results *results, uint32_t scenario, uint32_t subject);

/* rs_report_map_note: number `index` of the sentences below the table; false: there is none. */
bool rs_report_map_note(const rs_results *results, uint32_t index, char *out, size_t bytes);

/* rs_report_map_charts: a heat map for each server, figure (rate, CPU time) and size. */
void rs_report_map_charts(const rs_results *results, rs_compare_text *text);

#endif
