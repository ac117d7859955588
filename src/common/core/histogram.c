/* SPDX-License-Identifier: MIT */
/* Bucket of a value: its highest seven bits, told apart by how far they are shifted.
 *
 * Shift 0 covers [0, 128), one value a bucket; each shift above covers one power of two with 64
 * buckets of 2^shift values. A bucket reports its highest value: the error is below its width, and
 * the width is 1/64 of the lowest value in it. */
#include "core/histogram.h"

#include <string.h>

#include "core/assert.h"

#define HISTOGRAM_VALUE_MAX ((UINT64_C(1) << RS_HISTOGRAM_VALUE_BITS) - 1u)
#define HISTOGRAM_PERCENT_ALL 100000u
#define HISTOGRAM_BEYOND_MIN 10u /* values above a percentile that make it one */

_Static_assert(RS_HISTOGRAM_VALUE_BITS <= 63, "HISTOGRAM_VALUE_MAX is computed in 64 bits");

/* Position of the highest set bit; value > 0. */
static uint32_t histogram_top_bit(uint64_t value) {
    RS_DEBUG_ASSERT(value > 0);
#if defined(__GNUC__)
    return 63u - (uint32_t)__builtin_clzll(value);
#else
    uint32_t top = 0;
    for (uint32_t step = 32; step > 0; step /= 2) {
        if (value >> step != 0) {
            value >>= step;
            top += step;
        }
    }
    return top;
#endif
}

static uint32_t histogram_bucket_of(uint64_t value) {
    const uint32_t top = histogram_top_bit(value | 1u);
    const uint32_t shift = top > RS_HISTOGRAM_STEP_BITS ? top - RS_HISTOGRAM_STEP_BITS : 0;
    return (shift << RS_HISTOGRAM_STEP_BITS) + (uint32_t)(value >> shift);
}

uint64_t rs_histogram_bucket_top(uint32_t bucket) {
    RS_ASSERT(bucket < RS_HISTOGRAM_BUCKETS);
    const uint32_t row = bucket >> RS_HISTOGRAM_STEP_BITS;
    const uint32_t shift = row > 0 ? row - 1u : 0;
    const uint64_t steps = bucket - (shift << RS_HISTOGRAM_STEP_BITS);
    return ((steps + 1u) << shift) - 1u;
}

void rs_histogram_init(rs_histogram *histogram) {
    memset(histogram, 0, sizeof *histogram);
}

void rs_histogram_record(rs_histogram *histogram, uint64_t value) {
    rs_histogram_record_n(histogram, value, 1);
}

void rs_histogram_record_n(rs_histogram *histogram, uint64_t value, uint64_t count) {
    if (count == 0) {
        return;
    }
    if (value > HISTOGRAM_VALUE_MAX) {
        value = HISTOGRAM_VALUE_MAX;
        histogram->clamped += count;
    }
    const uint32_t bucket = histogram_bucket_of(value);
    RS_ASSERT(bucket < RS_HISTOGRAM_BUCKETS);
    if (histogram->count == 0 || value < histogram->min) {
        histogram->min = value;
    }
    if (value > histogram->max) {
        histogram->max = value;
    }
    histogram->bucket[bucket] += count;
    histogram->count += count;
    histogram->sum += value * count;
}

void rs_histogram_merge(rs_histogram *into, const rs_histogram *from) {
    RS_ASSERT(into != from);
    RS_ASSERT(from->count == 0 || from->min <= from->max);
    if (from->count == 0) {
        return;
    }
    if (into->count == 0 || from->min < into->min) {
        into->min = from->min;
    }
    if (from->max > into->max) {
        into->max = from->max;
    }
    into->count += from->count;
    into->sum += from->sum;
    into->clamped += from->clamped;
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS; i++) {
        into->bucket[i] += from->bucket[i];
    }
}

void rs_histogram_since(rs_histogram *out, const rs_histogram *now, const rs_histogram *before) {
    RS_ASSERT(out != now);
    RS_ASSERT(out != before);
    RS_ASSERT(now->count >= before->count);
    *out = (rs_histogram){.count = now->count - before->count,
                          .sum = now->sum - before->sum,
                          .min = now->min,
                          .max = now->max,
                          .clamped = now->clamped - before->clamped};
    for (uint32_t i = 0; i < RS_HISTOGRAM_BUCKETS; i++) {
        RS_ASSERT(now->bucket[i] >= before->bucket[i]);
        out->bucket[i] = now->bucket[i] - before->bucket[i];
    }
}

/* How many of the smallest values the answer must cover: at least one, rounded up. Split so that
 * the product stays within 64 bits for any count. */
static uint64_t histogram_rank(uint64_t count, uint32_t percent_x1000) {
    const uint64_t whole = count / HISTOGRAM_PERCENT_ALL * percent_x1000;
    const uint64_t rest = count % HISTOGRAM_PERCENT_ALL * percent_x1000;
    const uint64_t rank = whole + (rest + HISTOGRAM_PERCENT_ALL - 1u) / HISTOGRAM_PERCENT_ALL;
    RS_ASSERT(count > 0);
    RS_ASSERT(percent_x1000 <= HISTOGRAM_PERCENT_ALL);
    return rank > 0 ? rank : 1;
}

uint64_t rs_histogram_percentile(const rs_histogram *histogram, uint32_t percent_x1000) {
    RS_ASSERT(percent_x1000 <= HISTOGRAM_PERCENT_ALL);
    if (histogram->count == 0) {
        return 0;
    }
    const uint64_t rank = histogram_rank(histogram->count, percent_x1000);
    RS_ASSERT(rank <= histogram->count);
    uint64_t seen = 0;
    uint32_t bucket = 0;
    for (; bucket < RS_HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->bucket[bucket];
        if (seen >= rank) {
            break;
        }
    }
    RS_ASSERT(bucket < RS_HISTOGRAM_BUCKETS);
    const uint64_t top = rs_histogram_bucket_top(bucket);
    return top < histogram->max ? top : histogram->max;
}

double rs_histogram_mean(const rs_histogram *histogram) {
    RS_ASSERT(histogram->count == 0 || histogram->min <= histogram->max);
    return histogram->count == 0 ? 0.0 : (double)histogram->sum / (double)histogram->count;
}

bool rs_histogram_enough(uint64_t count, uint32_t percent_x1000) {
    RS_ASSERT(percent_x1000 <= HISTOGRAM_PERCENT_ALL);
    return count * (HISTOGRAM_PERCENT_ALL - percent_x1000) >=
           (uint64_t)HISTOGRAM_BEYOND_MIN * HISTOGRAM_PERCENT_ALL;
}

const rs_histogram_point rs_histogram_points[RS_HISTOGRAM_POINTS] = {
    {"p50", 50000}, {"p90", 90000}, {"p99", 99000}, {"p99_9", 99900}, {"p99_99", 99990}};

void rs_histogram_json(rs_json *json, const char *key, const rs_histogram *histogram) {
    if (histogram->count == 0) {
        rs_json_null(json, key);
        return;
    }
    rs_json_object(json, key);
    rs_json_u64(json, "count", histogram->count);
    rs_json_u64(json, "min", histogram->min);
    for (size_t i = 0; i < RS_HISTOGRAM_POINTS; i++) {
        const rs_histogram_point *point = &rs_histogram_points[i];
        if (rs_histogram_enough(histogram->count, point->percent_x1000)) {
            rs_json_u64(json, point->name,
                        rs_histogram_percentile(histogram, point->percent_x1000));
        } else {
            rs_json_null(json, point->name);
        }
    }
    rs_json_u64(json, "max", histogram->max);
    rs_json_double(json, "mean", rs_histogram_mean(histogram));
    rs_json_end(json);
}
