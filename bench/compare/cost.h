/* SPDX-License-Identifier: MIT */
/* How long the rest of the comparison takes: a guess at first, then what the runs took. Pure. */
#ifndef RS_COMPARE_COST_H
#define RS_COMPARE_COST_H

#include <stdint.h>

#include "compare/result.h"
#include "compare/schedule.h"

typedef struct rs_cost {
    double run_s[RS_SERVERS_MAX];    /* one plain run of each server */
    double factor[RS_SCENARIOS_MAX]; /* plain runs that one of the scenario is worth */
} rs_cost;

/* rs_cost_init: load_s: measured time and warm-up of a run. */
void rs_cost_init(rs_cost *cost, const rs_results *results, double load_s);

/* rs_cost_learn: took_s: seconds that this turn took. A warm-up teaches nothing: it may have made a
 * Wine prefix. */
void rs_cost_learn(rs_cost *cost, const rs_turn *turn, double took_s);

/* rs_cost_left_s: seconds that the turns from index on will take. */
double rs_cost_left_s(const rs_cost *cost, const rs_schedule *schedule, uint32_t index);

#endif
