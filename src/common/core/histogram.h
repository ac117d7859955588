/* SPDX-License-Identifier: MIT */
/* Log-linear histogram of unsigned values (nanoseconds unless its owner says otherwise).
 *
 * 64 linear steps in each power of two: the value reported for a recorded one is off by at most
 * 1/64 of it (values below 128 are exact). Fixed size, no allocation; not synchronised, merge
 * copies of several threads instead. */
#ifndef RS_CORE_HISTOGRAM_H
#define RS_CORE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"

#define RS_HISTOGRAM_STEP_BITS 6u
#define RS_HISTOGRAM_VALUE_BITS 42u /* up to 2^42 - 1 ns = 73 minutes; larger ones are clamped */
#define RS_HISTOGRAM_BUCKETS                                                                       \
    ((RS_HISTOGRAM_VALUE_BITS - RS_HISTOGRAM_STEP_BITS + 1u) << RS_HISTOGRAM_STEP_BITS)

typedef struct rs_histogram {
    uint64_t count;
    uint64_t sum;      /* of the recorded values, clamped ones as clamped; modulo 2^64 */
    uint64_t min, max; /* exact, but for clamping; 0 when empty */
    uint64_t clamped;  /* how many values were above the range */
    uint64_t bucket[RS_HISTOGRAM_BUCKETS];
} rs_histogram;

/* rs_histogram_init: empty. About 19 KB: not for a deep stack. */
void rs_histogram_init(rs_histogram *histogram);

/* rs_histogram_record: one value, [0, UINT64_MAX]. O(1), the owner's thread. */
void rs_histogram_record(rs_histogram *histogram, uint64_t value);

/* rs_histogram_record_n: the same value count times; 0 times does nothing. O(1). */
void rs_histogram_record_n(rs_histogram *histogram, uint64_t value, uint64_t count);

/* rs_histogram_merge: adds every value of from to into, as if recorded there. O(buckets).
 * from and into must differ (asserted). */
void rs_histogram_merge(rs_histogram *into, const rs_histogram *from);

/* rs_histogram_since: what `now`, a later state of the histogram `before`, has more. Its min and
 * max are those of `now`: bounds. out is neither (asserted). O(buckets). */
void rs_histogram_since(rs_histogram *out, const rs_histogram *now, const rs_histogram *before);

/* rs_histogram_bucket_top: the highest value of a bucket, [0, RS_HISTOGRAM_BUCKETS) (asserted). */
uint64_t rs_histogram_bucket_top(uint32_t bucket);

/* rs_histogram_percentile: the smallest reported value that at least percent_x1000 / 100000 of the
 * recorded ones do not exceed: 50000 = median, 99900 = p99.9.
 *
 * Params   percent_x1000: [0, 100000] thousandths of a percent (asserted); 0 asks for the least.
 * Returns  a value r with exact <= r <= exact + exact / 64, never above max; 0 when empty.
 * Bounds   O(buckets). */
uint64_t rs_histogram_percentile(const rs_histogram *histogram, uint32_t percent_x1000);

/* rs_histogram_mean: of the exact (clamped) values, not of the buckets; 0 when empty. */
double rs_histogram_mean(const rs_histogram *histogram);

/* rs_histogram_enough: do `count` values say what their percentile is? Ten must lie beyond it: p99
 * wants 1,000 values, p99.99 wants 100,000. percent_x1000: [0, 100000] (asserted). */
bool rs_histogram_enough(uint64_t count, uint32_t percent_x1000);

/* rs_histogram_points: the percentiles that every JSON has. */
#define RS_HISTOGRAM_POINTS 5u
typedef struct rs_histogram_point {
    const char *name;
    uint32_t percent_x1000;
} rs_histogram_point;
extern const rs_histogram_point rs_histogram_points[RS_HISTOGRAM_POINTS];

/* rs_histogram_json: an object of that name, in the unit recorded; null if it is empty. */
void rs_histogram_json(rs_json *json, const char *key, const rs_histogram *histogram);

#endif
