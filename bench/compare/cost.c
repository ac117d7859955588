/* SPDX-License-Identifier: MIT */
#include "compare/cost.h"

#define COST_OVERHEAD_S 0.4 /* of a run beyond its load: the first guess */
#define COST_OVERHEAD_WINE_S 1.0
#define COST_SEARCH_LOADS 11.0 /* in one search for capacity */
#define COST_RAMP 0.5          /* it ends by itself */

/* Of a scenario that insists on some time. */
static double cost_of_time(const rs_scenario *scenario, double load_s) {
    const rs_load_time time = rs_scenario_time(scenario, 0, 0);
    const double least_s = time.seconds + time.warmup_s;
    return least_s > load_s ? (least_s + COST_OVERHEAD_S) / (load_s + COST_OVERHEAD_S) : 1;
}

void rs_cost_init(rs_cost *cost, const rs_results *results, double load_s) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        cost->run_s[i] =
            load_s + (results->subject[i].wine ? COST_OVERHEAD_WINE_S : COST_OVERHEAD_S);
    }
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const rs_scenario_kind kind = results->scenario[i]->kind;
        cost->factor[i] = kind == RS_SCENARIO_CAPACITY || kind == RS_SCENARIO_BOTS
                              ? COST_SEARCH_LOADS * RS_CAPACITY_SHARE
                          : kind == RS_SCENARIO_RAMP ? COST_RAMP
                                                     : cost_of_time(results->scenario[i], load_s);
    }
}

/* A third of the weight to the newest: follows a slower machine without jumping. */
void rs_cost_learn(rs_cost *cost, const rs_turn *turn, double took_s) {
    double *run_s = &cost->run_s[turn->server];
    if (!turn->dropped) {
        *run_s += (took_s / cost->factor[turn->scenario] - *run_s) / 3;
    }
}

double rs_cost_left_s(const rs_cost *cost, const rs_schedule *schedule, uint32_t index) {
    return rs_schedule_left_s(schedule, index, cost->run_s, cost->factor);
}
