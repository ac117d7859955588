/* SPDX-License-Identifier: MIT */
/* What each chart of the page shows of one scenario, or of one server's trade-offs.
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
    (RS_SVG_COLOURS - 1u) /* names with a colour; the last place is the others' */
#define RS_CHART_CALLS_KNOWN 128u
#define RS_CHART_RATIOS_MAX 64u

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

/* One card each. arg: rs_chart_calls wants the list, the others nothing. */
void rs_chart_rate(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                   const void *arg);
void rs_chart_latency(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                      const void *arg);
void rs_chart_cpu(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                  const void *arg);
void rs_chart_calls(const rs_results *results, uint32_t scenario, rs_compare_text *text,
                    const void *arg);

typedef enum rs_chart_figure { RS_CHART_RATE, RS_CHART_CPU, RS_CHART_P99 } rs_chart_figure;

/* rs_chart_tradeoff: every changed setting of one server against its defaults. */
void rs_chart_tradeoff(const rs_results *results, uint32_t of, rs_chart_figure figure,
                       rs_compare_text *text);

#endif
