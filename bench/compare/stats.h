/* SPDX-License-Identifier: MIT */
/* The few statistics of the comparison: median, spread, paired ratio with a sign-test interval.
 *
 * Pure, deterministic, no allocation. NAN stands for "not known" and is left out of every sample.
 * Any thread. */
#ifndef RS_COMPARE_STATS_H
#define RS_COMPARE_STATS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define RS_STATS_SAMPLES_MAX 128u
#define RS_STATS_PAIRS_MIN 3u /* fewer show no difference: ours */
#define RS_STATS_DISCOVERIES_MAX 1024u
#define RS_STATS_FALSE_DISCOVERIES 0.05 /* share of them: ours */
#define RS_STATS_LEVEL 0.95             /* of an interval, where there are pairs enough for it */
#define RS_STATS_SAME                                                                              \
    0.05 /* an interval within 1 -+ this shows that there is no difference: ours */
#define RS_STATS_CLEAR 1.25 /* beyond this, or its inverse, a ratio need not be narrow: ours */

typedef struct rs_interval {
    double middle, low, high; /* NAN: no sample */
    uint32_t count;           /* of pairs used */
    double p;                 /* of Student's test of the logarithms against 1; 1: too few pairs */
    bool may_be_chance;       /* of many differences one that rs_stats_discoveries does not keep */
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

/* rs_stats_ratio: the paired ratio a[i] / b[i]: its median, and the interval of that median between
 * two of the ordered ratios. A pair counts when both are known and b > 0.
 *
 * The interval is that of the sign test: from the ratio number k from below to number k from above,
 * k so that the interval holds the median with at least RS_STATS_LEVEL, moved towards number k + 1
 * until it is RS_STATS_LEVEL. It assumes nothing about the shape of the distribution. Up to five
 * pairs it reaches from the smallest ratio to the largest, and its level is rs_stats_level().
 * Source   Hettmansperger and Sheather, Confidence intervals based on interpolated order
 *          statistics, Statistics & Probability Letters 4 (1986). */
rs_interval rs_stats_ratio(const double *a, const double *b, uint32_t count);

/* rs_stats_level: with which probability an interval over so many pairs holds the median:
 * RS_STATS_LEVEL from 6 pairs on; 0.9375 for 5, 0.875 for 4, 0.75 for 3; 0 for none. */
double rs_stats_level(uint32_t pairs);

/* rs_stats_is_difference: false when the interval holds 1, rests on fewer than RS_STATS_PAIRS_MIN
 * pairs, or may be chance. At the interval's own level. */
bool rs_stats_is_difference(const rs_interval *ratio);

/* rs_stats_discoveries: of many ratios the differences that remain when among them no more than a
 * share q is false: sets may_be_chance of the others. ratio: [count], count <=
 * RS_STATS_DISCOVERIES_MAX (asserted). Returns how many remain.
 * Source   Benjamini and Hochberg, Controlling the false discovery rate, JRSS B 57 (1995). */
uint32_t rs_stats_discoveries(rs_interval *const *ratio, uint32_t count, double q);

/* rs_stats_is_same: the interval, of RS_STATS_PAIRS_MIN pairs or more, lies within
 * 1 -+ RS_STATS_SAME. Neither this nor a difference: the two cannot be told apart. */
bool rs_stats_is_same(const rs_interval *ratio);

/* rs_stats_is_wide: are more pairs worth their time? The interval is wider than `width` of its
 * middle, or rests on fewer than RS_STATS_PAIRS_MIN pairs, and is not wholly beyond RS_STATS_CLEAR.
 * False without a pair. Whether the interval holds 1 does not count: who measures until there is a
 * difference finds one. */
bool rs_stats_is_wide(const rs_interval *ratio, double width);

/* rs_stats_random: SplitMix64; *state is any number. */
uint64_t rs_stats_random(uint64_t *state);

#endif
