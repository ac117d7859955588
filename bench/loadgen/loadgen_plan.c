/* SPDX-License-Identifier: MIT */
/* Integer arithmetic only: a plan of hours must not drift by rounding. */
#include "loadgen/loadgen_plan.h"

#include "core/assert.h"

#define PLAN_NS_PER_S UINT64_C(1000000000)

uint64_t rs_plan_intended_ns(const rs_plan *plan, uint64_t index) {
    /* Whole seconds apart, so that no product leaves 64 bits: rest < rate <= 1e9. */
    uint64_t seconds = index / plan->rate;
    uint64_t rest = index % plan->rate;

    RS_ASSERT(plan->rate > 0 && plan->rate <= RS_PLAN_RATE_MAX);
    return plan->start_ns + seconds * PLAN_NS_PER_S +
           (rest * PLAN_NS_PER_S + plan->rate - 1u) / plan->rate;
}

uint64_t rs_plan_due(const rs_plan *plan, uint64_t now_ns) {
    uint64_t passed_ns;
    RS_ASSERT(plan->rate > 0 && plan->rate <= RS_PLAN_RATE_MAX);
    if (now_ns < plan->start_ns) {
        return 0;
    }
    passed_ns = now_ns - plan->start_ns;
    return passed_ns / PLAN_NS_PER_S * plan->rate +
           passed_ns % PLAN_NS_PER_S * plan->rate / PLAN_NS_PER_S + 1u;
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
