/* SPDX-License-Identifier: MIT */
/* What each chart of the page shows of one scenario, and the ratios of all of them.
 *
 * Pure: SVG into a text. A chart leaves out what was not measured. */
#ifndef RS_COMPARE_REPORT_CHARTS_H
#define RS_COMPARE_REPORT_CHARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/result.h"
#include "compare/svg.h"
#include "compare/text.h"

#define RS_CHART_CPU_PARTS 3u
#define RS_CHART_CALLS                                                                             \
    (RS_SVG_COSTS - 1u) /* names with a colour; the last place is the others'                      \
                         */
#define RS_CHART_CALLS_KNOWN 128u

_Static_assert(RS_CHART_CALLS_KNOWN > RS_CHART_CALLS, "room for the others");

extern const char *const rs_chart_cpu_parts[RS_CHART_CPU_PARTS];

/* The names of kernel calls that matter most, one colour each. */
typedef struct rs_chart_calls_list {
    const char *name[RS_CHART_CALLS_KNOWN];
    double share[RS_CHART_CALLS_KNOWN]; /* the largest that it has in any cell */
    uint32_t count;
} rs_chart_calls_list;

/* rs_chart_calls_collect: names as they stand in results, which must outlive the list;
 * name[count] is "others". */
void rs_chart_calls_collect(const rs_results *results, rs_chart_calls_list *calls);

/* rs_chart_any: some subject has figures in this scenario. */
bool rs_chart_any(const rs_results *results, uint32_t scenario);

/* rs_chart_colour: the class of a server: the same on every page, and that of its variants. */
uint32_t rs_chart_colour(const rs_results *results, uint32_t subject);

/* One chart each; latency of a ladder one for each kind of calls. */
void rs_chart_rate(const rs_results *results, uint32_t scenario, rs_compare_text *text);
void rs_chart_latency(const rs_results *results, uint32_t scenario, rs_compare_text *text);
void rs_chart_sends(const rs_results *results, uint32_t scenario, rs_compare_text *text);
void rs_chart_cpu(const rs_results *results, uint32_t scenario, rs_compare_text *text);
void rs_chart_calls(const rs_results *results, uint32_t scenario, const rs_chart_calls_list *calls,
                    rs_compare_text *text);

/* rs_chart_scaling: of trade-offs, messages a second with each number of workers over those with
 * the default of one, with intervals, and on which processors. Nothing when that is not measured.
 */
void rs_chart_scaling(const rs_results *results, rs_compare_text *text);

/* rs_chart_ratios: rate and CPU time (of trade-offs p99 too) of everything that is set against
 * something, with intervals; how to read it. Nothing when nothing is. */
void rs_chart_ratios(const rs_results *results, rs_compare_text *text);

#endif
