/* SPDX-License-Identifier: MIT */
/* See rounds.h. */
#include "compare/rounds.h"

#include <string.h>

#include "core/assert.h"

uint32_t rs_rounds_extra(uint32_t repeats) {
    RS_ASSERT(repeats <= RS_REPEATS_MAX);
    return repeats * RS_ROUNDS_MOST <= RS_REPEATS_MAX ? repeats * (RS_ROUNDS_MOST - 1)
                                                      : RS_REPEATS_MAX - repeats;
}

static bool rounds_are_wanted(const rs_results *results, uint32_t scenario, uint32_t subject,
                              int32_t base, double width) {
    static const rs_metric metric[] = {RS_METRIC_RATE, RS_METRIC_CPU_SUM};
    for (size_t i = 0; i < sizeof metric / sizeof metric[0]; i++) {
        const rs_interval ratio =
            rs_results_ratio(results, scenario, subject, base, metric[i], true);
        if (rs_stats_is_wide(&ratio, width)) {
            return true;
        }
    }
    return false;
}

void rs_rounds_want(const rs_results *results, double width, bool *more) {
    RS_ASSERT(width > 0);
    memset(more, 0, (size_t)results->scenarios * results->subjects * sizeof *more);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        bool *row = &more[(size_t)i * results->subjects];
        for (uint32_t k = 0; k < results->subjects; k++) {
            const int32_t base = rs_results_base_of(results, k);
            if (base >= 0 && rs_results_wants(results, i, k) &&
                !rs_scenario_is_search(results->scenario[i]) &&
                rounds_are_wanted(results, i, k, base, width)) {
                row[k] = true;
                row[base] = true;
            }
        }
    }
}
