/* SPDX-License-Identifier: MIT */
/* See calibration.h. */
#include "compare/calibration.h"

#include <math.h>
#include <string.h>

#include "compare/rounds.h"
#include "core/assert.h"

#define CALIBRATION_PAIRS_MOST (RS_CALIBRATION_PAIRS * RS_ROUNDS_MOST)

/* The first so many of a shuffled order are drawn, without replacement: at the start
 * RS_CALIBRATION_PAIRS, then one at a time while the interval is wide. */
static rs_interval calibration_draw(double *ratio, uint32_t count, double width, uint64_t *state) {
    double one[CALIBRATION_PAIRS_MOST];
    const uint32_t most = width > 0 && count > CALIBRATION_PAIRS_MOST ? CALIBRATION_PAIRS_MOST
                          : width > 0                                 ? count
                                                                      : RS_CALIBRATION_PAIRS;
    rs_interval drawn = {.count = 0};
    for (uint32_t i = 0; i < most; i++) {
        const uint32_t at = i + (uint32_t)(rs_stats_random(state) % (count - i));
        const double kept = ratio[i];
        ratio[i] = ratio[at];
        ratio[at] = kept;
        one[i] = 1;
        if (i + 1 >= RS_CALIBRATION_PAIRS) {
            drawn = rs_stats_ratio(ratio, one, i + 1);
            if (!rs_stats_is_wide(&drawn, width)) {
                break;
            }
        }
    }
    return drawn;
}

static bool calibration_is_worse(const rs_interval *drawn, bool higher_is_better) {
    return rs_stats_is_difference(drawn) && (drawn->middle > 1) != higher_is_better;
}

void rs_calibrate(const double *own, const double *base, uint32_t count, bool higher_is_better,
                  double width, rs_calibration *out) {
    double ratio[RS_STATS_SAMPLES_MAX];
    uint32_t known = 0, worse = 0, better = 0, covered = 0, lost = 0, pairs = 0;
    uint64_t state = 1;
    RS_ASSERT(count <= RS_STATS_SAMPLES_MAX);
    memset(out, 0, sizeof *out);
    out->all = rs_stats_ratio(own, base, count);
    for (uint32_t i = 0; i < count; i++) {
        if (rs_is_known(own[i]) && rs_is_known(base[i]) && base[i] > 0) {
            ratio[known++] = own[i] / base[i];
        }
    }
    if (known < RS_CALIBRATION_PAIRS) {
        return;
    }
    for (out->drawn = 0; out->drawn < RS_CALIBRATION_DRAWN; out->drawn++) {
        const rs_interval drawn = calibration_draw(ratio, known, width, &state);
        pairs += drawn.count;
        better += calibration_is_worse(&drawn, !higher_is_better);
        worse += calibration_is_worse(&drawn, higher_is_better);
        lost +=
            (higher_is_better ? rs_clause_at_least(&drawn, RS_VERDICT_RATE_LOSS)
                              : rs_clause_at_most(&drawn, RS_VERDICT_COST_LOSS)) == RS_CLAUSE_WORSE;
        covered += drawn.low <= out->all.middle && out->all.middle <= drawn.high;
    }
    out->pairs = (double)pairs / out->drawn;
    out->worse = (double)worse / out->drawn;
    out->better = (double)better / out->drawn;
    out->lost = (double)lost / out->drawn;
    out->covered = (double)covered / out->drawn;
}

void rs_calibrate_cell(const rs_results *results, uint32_t scenario, uint32_t subject,
                       rs_metric metric, double width, rs_calibration *out) {
    double own[RS_REPEATS_MAX], base[RS_REPEATS_MAX];
    const uint32_t of = results->subject[subject].of;
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *a = rs_results_run(results, scenario, subject, i);
        const rs_compare_run *b = rs_results_run(results, scenario, of, i);
        own[i] = a->state == RS_RUN_OK ? a->value[metric] : NAN;
        base[i] = b->state == RS_RUN_OK ? b->value[metric] : NAN;
    }
    rs_calibrate(own, base, results->repeats, metric == RS_METRIC_RATE, width, out);
}
