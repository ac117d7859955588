/* SPDX-License-Identifier: MIT */
/* Samples are small (a run each), so sorting a copy is all that a median needs. */
#include "compare/stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/assert.h"

static int stats_order(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void stats_sort(double *values, uint32_t count) {
    qsort(values, count, sizeof values[0], stats_order);
}

static double stats_middle(const double *sorted, uint32_t count) {
    RS_ASSERT(count > 0);
    const uint32_t half = count / 2;
    return count % 2 != 0 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* The known values, sorted. */
static uint32_t stats_known(const double *values, uint32_t count, double *out) {
    uint32_t known = 0;
    RS_ASSERT(count <= RS_STATS_SAMPLES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (rs_is_known(values[i])) {
            out[known++] = values[i];
        }
    }
    stats_sort(out, known);
    return known;
}

double rs_stats_median(const double *values, uint32_t count) {
    double sorted[RS_STATS_SAMPLES_MAX];
    const uint32_t known = stats_known(values, count, sorted);
    return known > 0 ? stats_middle(sorted, known) : NAN;
}

double rs_stats_spread(const double *values, uint32_t count) {
    double sorted[RS_STATS_SAMPLES_MAX];
    const uint32_t known = stats_known(values, count, sorted);
    if (known == 0 || !(fabs(stats_middle(sorted, known)) > 0)) {
        return NAN;
    }
    return (sorted[known - 1] - sorted[0]) / fabs(stats_middle(sorted, known));
}

/* SplitMix64. */
static uint64_t stats_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double stats_resample(const double *ratio, uint32_t count, uint64_t *state) {
    double drawn[RS_STATS_SAMPLES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        drawn[i] = ratio[stats_random(state) % count];
    }
    stats_sort(drawn, count);
    return stats_middle(drawn, count);
}

rs_interval rs_stats_ratio(const double *a, const double *b, uint32_t count) {
    rs_interval out = {.middle = NAN, .low = NAN, .high = NAN};
    double ratio[RS_STATS_SAMPLES_MAX], medians[RS_STATS_RESAMPLES];
    uint64_t state = RS_STATS_SEED;
    RS_ASSERT(count <= RS_STATS_SAMPLES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (rs_is_known(a[i]) && rs_is_known(b[i]) && b[i] > 0) {
            ratio[out.count++] = a[i] / b[i];
        }
    }
    if (out.count == 0) {
        return out;
    }
    for (uint32_t i = 0; i < RS_STATS_RESAMPLES; i++) {
        medians[i] = stats_resample(ratio, out.count, &state);
    }
    stats_sort(medians, RS_STATS_RESAMPLES);
    stats_sort(ratio, out.count);
    out.middle = stats_middle(ratio, out.count);
    out.low = medians[RS_STATS_RESAMPLES * 25u / 1000u];
    out.high = medians[RS_STATS_RESAMPLES * 975u / 1000u - 1u];
    out.low = out.low < out.middle ? out.low : out.middle; /* rounding of means of two */
    out.high = out.high > out.middle ? out.high : out.middle;
    return out;
}

bool rs_stats_is_difference(const rs_interval *ratio) {
    return ratio->count >= RS_STATS_PAIRS_MIN && (ratio->low > 1 || ratio->high < 1);
}
