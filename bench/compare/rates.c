/* SPDX-License-Identifier: MIT */
#include "compare/rates.h"

#include <math.h>
#include <string.h>

#include "compare/agreement.h"

const rs_scenario *rs_rates_past(rs_results *results, const rs_json_doc *past) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const rs_scenario *scenario = results->scenario[i];
        if (scenario->kind == RS_SCENARIO_FIXED) {
            results->fixed_rate[i] = rs_agreement_rate_asked(past, scenario->name);
            if (!(results->fixed_rate[i] > 0)) {
                return scenario;
            }
        }
    }
    return NULL;
}

/* Median rates of the base scenario so far; NAN when there is none. */
static double rates_base(const rs_results *results, uint32_t subject) {
    double sample[RS_REPEATS_MAX];
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (strcmp(results->scenario[i]->name, RS_SCENARIO_BASE) == 0) {
            for (uint32_t r = 0; r < results->repeats; r++) {
                const rs_compare_run *run = rs_results_run(results, i, subject, r);
                sample[r] = run->state == RS_RUN_OK ? run->value[RS_METRIC_RATE] : NAN;
            }
            return rs_stats_median(sample, results->repeats);
        }
    }
    return NAN;
}

double rs_rates_turn(rs_results *results, const rs_turn *turn, bool given) {
    const rs_scenario *scenario = results->scenario[turn->scenario];
    double slowest = NAN;
    if (!turn->warmup && scenario->kind == RS_SCENARIO_BOTS) {
        return RS_BOTS_START;
    }
    if (turn->warmup || !rs_scenario_is_late(scenario)) {
        return 0;
    }
    if (scenario->kind == RS_SCENARIO_CAPACITY) {
        return rates_base(results, turn->server) / 2;
    }
    if (!given) {
        for (uint32_t i = 0; i < results->subjects; i++) {
            if (!results->subject[i].control) {
                slowest = fmin(slowest, rates_base(results, i)); /* a NAN gives way */
            }
        }
        results->fixed_rate[turn->scenario] = slowest * scenario->percent / 100;
    }
    return results->fixed_rate[turn->scenario];
}
