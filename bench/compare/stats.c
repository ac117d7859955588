/* SPDX-License-Identifier: MIT */
/* Samples are small (a run each), so sorting a copy is all that a median needs. */
#include "compare/stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/assert.h"

#define STATS_PI 3.14159265358979323846

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

/* How often the interval between numbers k from below and from above of so many values holds the
 * median of what they were drawn from: each value lies below it with 1/2, like a coin. */
static double stats_between(uint32_t count, uint32_t k) {
    double outside = 0, ways = ldexp(1, -(int)count); /* of 0 values below */
    for (uint32_t below = 0; below < k; below++) {
        outside += ways;
        ways = ways * (count - below) / (below + 1);
    }
    return 1 - 2 * outside;
}

double rs_stats_level(uint32_t pairs) {
    return pairs > 0 ? fmin(RS_STATS_LEVEL, stats_between(pairs, 1)) : 0;
}

/* Each end as so many values from its side of the sorted ones; a fraction lies between two. */
static double stats_depth(uint32_t count) {
    uint32_t k = 1;
    if (stats_between(count, 1) <= RS_STATS_LEVEL) {
        return 0;
    }
    while (stats_between(count, k + 1) >= RS_STATS_LEVEL) {
        k++;
    }
    const double wide = stats_between(count, k), narrow = stats_between(count, k + 1);
    const double surplus = (wide - RS_STATS_LEVEL) / (wide - narrow);
    const double rest = count - k;
    return k - 1 + rest * surplus / (k + (rest - k) * surplus);
}

/* Probability of a |t| of Student's distribution as large as this, for whole degrees of freedom.
 * Source   Abramowitz and Stegun, 26.7.3 and 26.7.4. */
static double stats_student(double t, uint32_t freedom) {
    const double angle = atan(fabs(t) / sqrt(freedom));
    const double square = cos(angle) * cos(angle);
    const bool odd = freedom % 2 != 0;
    double term = odd ? cos(angle) : 1, sum = 0;
    for (uint32_t i = odd ? 1 : 0; i + 2 <= freedom; i += 2) {
        sum += term;
        term *= square * (i + 1) / (i + 2);
    }
    const double within = odd ? (angle + sin(angle) * sum) * 2 / STATS_PI : sin(angle) * sum;
    return fmax(0, 1 - within);
}

/* Are the ratios 1, but for their noise? All positive. */
static double stats_p(const double *ratio, uint32_t count) {
    double mean = 0, square = 0;
    if (count < RS_STATS_PAIRS_MIN || !(ratio[0] > 0)) {
        return 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        mean += log(ratio[i]) / count;
    }
    for (uint32_t i = 0; i < count; i++) {
        square += (log(ratio[i]) - mean) * (log(ratio[i]) - mean) / (count - 1);
    }
    if (!(square > 0)) {
        return fabs(mean) > 0 ? 0 : 1;
    }
    return stats_student(mean / sqrt(square / count), count - 1);
}

rs_interval rs_stats_ratio(const double *a, const double *b, uint32_t count) {
    rs_interval out = {.middle = NAN, .low = NAN, .high = NAN, .p = 1};
    double ratio[RS_STATS_SAMPLES_MAX];
    RS_ASSERT(count <= RS_STATS_SAMPLES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (rs_is_known(a[i]) && rs_is_known(b[i]) && b[i] > 0) {
            ratio[out.count++] = a[i] / b[i];
        }
    }
    if (out.count == 0) {
        return out;
    }
    stats_sort(ratio, out.count);
    const double depth = stats_depth(out.count);
    const uint32_t first = (uint32_t)depth, last = out.count - 1 - first;
    const double share = depth - first; /* 0 where there is no next one to move to */
    out.middle = stats_middle(ratio, out.count);
    out.p = stats_p(ratio, out.count);
    out.low = ratio[first];
    out.high = ratio[last];
    if (share > 0) {
        out.low += share * (ratio[first + 1] - ratio[first]);
        out.high -= share * (ratio[last] - ratio[last - 1]);
    }
    return out;
}

bool rs_stats_is_difference(const rs_interval *ratio) {
    return ratio->count >= RS_STATS_PAIRS_MIN && (ratio->low > 1 || ratio->high < 1) &&
           !ratio->may_be_chance;
}

uint32_t rs_stats_discoveries(rs_interval *const *ratio, uint32_t count, double q) {
    double p[RS_STATS_DISCOVERIES_MAX], most = -1;
    uint32_t remain = 0;
    RS_ASSERT(count <= RS_STATS_DISCOVERIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        p[i] = ratio[i]->p;
    }
    stats_sort(p, count);
    for (uint32_t i = 0; i < count; i++) {
        most = p[i] <= q * (i + 1) / count ? p[i] : most;
    }
    for (uint32_t i = 0; i < count; i++) {
        ratio[i]->may_be_chance = ratio[i]->p > most;
        remain += rs_stats_is_difference(ratio[i]);
    }
    return remain;
}

bool rs_stats_is_same(const rs_interval *ratio) {
    return ratio->count >= RS_STATS_PAIRS_MIN && ratio->low >= 1 - RS_STATS_SAME &&
           ratio->high <= 1 + RS_STATS_SAME;
}

bool rs_stats_is_wide(const rs_interval *ratio, double width) {
    if (ratio->count == 0 || ratio->low > RS_STATS_CLEAR || ratio->high < 1 / RS_STATS_CLEAR) {
        return false;
    }
    return ratio->count < RS_STATS_PAIRS_MIN || ratio->high - ratio->low > width * ratio->middle;
}

uint64_t rs_stats_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
