/* SPDX-License-Identifier: MIT */
/* Integer arithmetic only: a plan of hours must not drift by rounding. */
#include "loadgen/loadgen_plan.h"

#include <math.h>
#include <stddef.h>

#include "core/assert.h"

#define PLAN_NS_PER_S UINT64_C(1000000000)
#define PLAN_BELOW_ONE 0.9999999 /* so that no share is rounded to 1 */

/* SplitMix64's finaliser over what names a number; uniform in (0, 1]. */
static double plan_uniform(uint64_t seed, uint64_t block, uint32_t k) {
    uint64_t h = seed * UINT64_C(0x9E3779B97F4A7C15) + block * (RS_PLAN_BLOCK + 1u) + k;
    h = (h ^ (h >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94D049BB133111EB);
    h ^= h >> 31;
    return (double)((h >> 11) + 1u) / 9007199254740992.0; /* 2^53 */
}

/* Sorted uniform numbers without sorting: sums of exponential gaps over their total (Devroye,
 * Non-uniform random variate generation, 1986, V.3.1). */
static const float *plan_shares(rs_plan_arrivals *arrivals, uint64_t block) {
    const uint32_t place = (uint32_t)(block % RS_PLAN_BLOCKS_KEPT);
    float *share = arrivals->share[place];
    double sum = 0, total = 0;
    if (arrivals->block[place] == block + 1u) {
        return share;
    }
    arrivals->block[place] = block + 1u;
    for (uint32_t k = 0; k <= RS_PLAN_BLOCK; k++) {
        total -= log(plan_uniform(arrivals->seed, block, k));
    }
    for (uint32_t k = 0; k < RS_PLAN_BLOCK; k++) {
        sum -= log(plan_uniform(arrivals->seed, block, k));
        share[k] = (float)(sum / total * PLAN_BELOW_ONE);
    }
    return share;
}

static uint64_t plan_fixed_ns(const rs_plan *plan, uint64_t index) {
    /* Whole seconds apart, so that no product leaves 64 bits: rest < rate <= 1e9. */
    uint64_t seconds = index / plan->rate;
    uint64_t rest = index % plan->rate;

    return plan->start_ns + seconds * PLAN_NS_PER_S +
           (rest * PLAN_NS_PER_S + plan->rate - 1u) / plan->rate;
}

static uint64_t plan_poisson_ns(const rs_plan *plan, uint64_t index) {
    const uint64_t block = index / RS_PLAN_BLOCK;
    const uint64_t from_ns = plan_fixed_ns(plan, block * RS_PLAN_BLOCK);
    const uint64_t to_ns = plan_fixed_ns(plan, (block + 1u) * RS_PLAN_BLOCK);
    const float share = plan_shares(plan->poisson, block)[index % RS_PLAN_BLOCK];
    return from_ns + (uint64_t)((double)share * (double)(to_ns - from_ns));
}

uint64_t rs_plan_intended_ns(const rs_plan *plan, uint64_t index) {
    RS_ASSERT(plan->rate > 0 && plan->rate <= RS_PLAN_RATE_MAX);
    return plan->poisson != NULL ? plan_poisson_ns(plan, index) : plan_fixed_ns(plan, index);
}

/* At equal distances, from the start on. */
static uint64_t plan_fixed_due(const rs_plan *plan, uint64_t now_ns) {
    const uint64_t passed_ns = now_ns - plan->start_ns;
    return passed_ns / PLAN_NS_PER_S * plan->rate +
           passed_ns % PLAN_NS_PER_S * plan->rate / PLAN_NS_PER_S + 1u;
}

/* All of the blocks before this one, and what a search in it finds. */
static uint64_t plan_poisson_due(const rs_plan *plan, uint64_t now_ns) {
    const uint64_t block = (plan_fixed_due(plan, now_ns) - 1u) / RS_PLAN_BLOCK;
    uint64_t low = block * RS_PLAN_BLOCK, high = low + RS_PLAN_BLOCK;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2u;
        if (plan_poisson_ns(plan, middle) <= now_ns) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t rs_plan_due(const rs_plan *plan, uint64_t now_ns) {
    RS_ASSERT(plan->rate > 0 && plan->rate <= RS_PLAN_RATE_MAX);
    if (now_ns < plan->start_ns) {
        return 0;
    }
    return plan->poisson != NULL ? plan_poisson_due(plan, now_ns) : plan_fixed_due(plan, now_ns);
}

uint64_t rs_plan_due_of(const rs_plan *plan, uint32_t connection, uint64_t now_ns) {
    const uint64_t due = rs_plan_due(plan, now_ns);
    RS_ASSERT(connection < plan->connections);
    return due > connection ? (due - connection - 1u) / plan->connections + 1u : 0;
}

uint64_t rs_plan_index(const rs_plan *plan, uint32_t connection, uint64_t sequence) {
    RS_ASSERT(connection < plan->connections);
    return sequence * plan->connections + connection;
}

rs_plan_role rs_plan_role_of(uint32_t connection, uint32_t connections, uint32_t reset_percent,
                             uint32_t half_close_percent, uint32_t slow_percent) {
    uint32_t place;
    RS_ASSERT(connection < connections);
    RS_ASSERT(reset_percent + half_close_percent + slow_percent <= 100u);
    place = (uint32_t)((uint64_t)connection * 100u / connections);
    if (place < reset_percent) {
        return RS_ROLE_RESET;
    }
    if (place < reset_percent + half_close_percent) {
        return RS_ROLE_HALF_CLOSE;
    }
    return place < reset_percent + half_close_percent + slow_percent ? RS_ROLE_SLOW
                                                                     : RS_ROLE_NORMAL;
}

uint32_t rs_plan_quota(uint64_t seed, uint32_t connection, uint32_t life, uint32_t mean) {
    uint64_t h = seed + ((uint64_t)connection << 32 | life);
    RS_ASSERT(mean > 0 && mean <= UINT32_MAX / 2u);
    h = (h ^ (h >> 31)) * UINT64_C(0xD6E8FEB86659FD93);
    h = (h ^ (h >> 29)) * UINT64_C(0x9E3779B97F4A7C15);
    return 1u + (uint32_t)((h >> 32) % (2u * mean - 1u));
}

static double plan_think_uniform(const rs_plan_think *think, uint32_t connection,
                                 uint64_t sequence) {
    return plan_uniform(think->seed ^ (uint64_t)connection << 32, sequence, 0);
}

uint64_t rs_plan_think_ns(const rs_plan_think *think, uint32_t connection, uint64_t sequence) {
    return think->exponential ? (uint64_t)(-log(plan_think_uniform(think, connection, sequence)) *
                                           (double)think->mean_ns)
                              : think->mean_ns;
}

uint64_t rs_plan_first_think_ns(const rs_plan_think *think, uint32_t connection) {
    return think->exponential /* what is left of such a wait is like a new one */
               ? rs_plan_think_ns(think, connection, UINT64_MAX)
               : (uint64_t)(plan_think_uniform(think, connection, UINT64_MAX) *
                            (double)think->mean_ns);
}
