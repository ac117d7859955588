/* SPDX-License-Identifier: MIT */
/* Whether two comparisons of the same machine say the same: their intervals, figure by figure.
 *
 * Pure: two documents of results.json in, a table and a count out. Two figures agree when their
 * 95 % intervals have a point in common. At a fixed rate the rate is no finding: CPU time and p99
 * are compared, and only if both comparisons asked for the same rate. Any thread. */
#ifndef RS_COMPARE_AGREEMENT_H
#define RS_COMPARE_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/json_read.h"
#include "compare/text.h"

typedef struct rs_agreement {
    uint32_t figures, agreed;       /* medians of rate and CPU time per message */
    uint32_t ratios, ratios_agreed; /* the same against the baseline, and p99 at a fixed rate */
    uint32_t other_rate;            /* fixed-rate cells that were not asked for the same */
    uint32_t missing;               /* cells that only one of them has, or too few runs of */
} rs_agreement;

/* rs_agreement_of: compares. out: one row a figure; the table is large: not for the stack.
 * True: there was something to compare, every ratio agrees and no cell is missing. */
bool rs_agreement_of(const rs_json_doc *first, const rs_json_doc *second, rs_table *out,
                     rs_agreement *count);

/* rs_agreement_rate_asked: messages a second that a fixed-rate scenario was asked for; NAN when the
 * document has no such cell, or no rate of it. */
double rs_agreement_rate_asked(const rs_json_doc *doc, const char *scenario);

/* rs_agreement_note: what makes the two incomparable: another machine, system or placement; ""
 * when nothing does. Static or in out, [bytes]. */
void rs_agreement_note(const rs_json_doc *first, const rs_json_doc *second, char *out,
                       size_t bytes);

#endif
