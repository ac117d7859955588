/* SPDX-License-Identifier: MIT */
/* The few statistics of the comparison: median, spread, paired ratio with a bootstrap interval.
 *
 * Pure, deterministic (the bootstrap's seed is fixed), no allocation. NAN stands for "not known"
 * and is left out of every sample. Any thread. */
#ifndef RS_COMPARE_STATS_H
#define RS_COMPARE_STATS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define RS_STATS_SAMPLES_MAX 128u
#define RS_STATS_PAIRS_MIN 3u /* fewer show no difference: ours */
#define RS_STATS_RESAMPLES 4000u
#define RS_STATS_SEED 0x52696E6773696465u /* "Ringside": the same data give the same interval */

typedef struct rs_interval {
    double middle, low, high; /* NAN: no sample */
    uint32_t count;           /* of pairs used */
} rs_interval;

/* rs_is_known: a figure, neither NAN nor infinite. (MinGW's isfinite warns under -Wconversion.) */
static inline bool rs_is_known(double value) {
    return fabs(value) <= DBL_MAX;
}

/* rs_stats_median: of the known values; the mean of the middle two for an even number; NAN of none.
 * values: [count], count <= RS_STATS_SAMPLES_MAX (asserted), unchanged. */
double rs_stats_median(const double *values, uint32_t count);

/* rs_stats_spread: (largest - smallest) / median of the known values; 0 of one; NAN of none or with
 * a median of 0. */
double rs_stats_spread(const double *values, uint32_t count);

/* rs_stats_ratio: the paired ratio a[i] / b[i]: its median and the 95 % percentile interval of that
 * median under resampling of the pairs. A pair counts when both are known and b > 0. With few
 * pairs (up to 5) the interval reaches from the smallest ratio to the largest. */
rs_interval rs_stats_ratio(const double *a, const double *b, uint32_t count);

/* rs_stats_is_difference: false when the interval holds 1 ("no difference"), or rests on fewer than
 * RS_STATS_PAIRS_MIN pairs. */
bool rs_stats_is_difference(const rs_interval *ratio);

#endif
