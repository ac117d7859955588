/* SPDX-License-Identifier: MIT */
/* A node is in the slot of the tick it fires at, modulo the wheel. Walking tick t fires the nodes
 * of slot t whose deadline is not after t, and leaves those of later turns. now_tick moves to t
 * before the walk begins, so that anything a handler arms is in a later tick and is neither lost
 * nor returned endlessly.
 *
 * next_tick is a lower bound, lowered by arming and found anew when the clock passes it: between
 * deadlines advancing and asking for the sleep cost a comparison each, not a walk. */
#include "core/timer.h"

#include "core/assert.h"
#include "core/limits.h"

#define TIMER_MASK (RS_TIMER_WHEEL_SLOTS - 1u)
#define TIMER_NEVER UINT64_MAX
/* Nodes of later turns that one search may look at; then it settles for the current tick and one
 * needless wake-up. Keeps a search over 100,000 idle sessions below some microseconds. */
#define TIMER_SEARCH_NODES_MAX 256u

_Static_assert((RS_TIMER_WHEEL_SLOTS & TIMER_MASK) == 0, "slots are found by masking");
_Static_assert(RS_TIMER_TICK_MS > 1, "ticks must fit 64 bits with a turn to spare");

static uint32_t node_slot(const rs_timer_node *node) {
    return (uint32_t)(node->word >> 48);
}

static void node_set_slot(rs_timer_node *node, uint32_t slot) {
    node->word = (node->word & RS_TIMER_MS_MAX) | (uint64_t)slot << 48;
}

static uint64_t node_deadline_ms(const rs_timer_node *node) {
    const uint64_t ms = node->word & RS_TIMER_MS_MAX;
    return ms < RS_TIMER_MS_MAX ? ms : UINT64_MAX;
}

static void node_set_deadline_ms(rs_timer_node *node, uint64_t ms) {
    node->word = (node->word & ~RS_TIMER_MS_MAX) | ms;
}

/* The first tick at or after ms. */
static uint64_t timer_tick_at(uint64_t ms) {
    return ms / RS_TIMER_TICK_MS + (ms % RS_TIMER_TICK_MS != 0);
}

void rs_timers_init(rs_timers *timers, rs_timer_node *nodes, uint32_t count, uint64_t now_ms) {
    RS_ASSERT(nodes != NULL);
    RS_ASSERT(count > 0);
    RS_ASSERT(count < RS_TIMER_NONE);
    timers->nodes = nodes;
    timers->count = count;
    timers->armed_count = 0;
    timers->cursor = RS_TIMER_NONE;
    timers->now_tick = now_ms / RS_TIMER_TICK_MS;
    timers->target_tick = timers->now_tick;
    timers->next_tick = TIMER_NEVER;
    for (uint32_t i = 0; i < RS_TIMER_WHEEL_SLOTS; i++) {
        timers->head[i] = RS_TIMER_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = (rs_timer_node){.next = RS_TIMER_NONE, .prev = RS_TIMER_NONE};
        node_set_slot(&nodes[i], RS_TIMER_UNARMED);
    }
}

static void timer_link(rs_timers *timers, uint32_t item, uint32_t slot) {
    rs_timer_node *node = &timers->nodes[item];
    RS_ASSERT(node_slot(node) == RS_TIMER_UNARMED);
    node_set_slot(node, slot);
    node->prev = RS_TIMER_NONE;
    node->next = timers->head[slot];
    if (node->next != RS_TIMER_NONE) {
        timers->nodes[node->next].prev = item;
    }
    timers->head[slot] = item;
    timers->armed_count++;
}

static void timer_unlink(rs_timers *timers, uint32_t item) {
    rs_timer_node *node = &timers->nodes[item];
    RS_ASSERT(node_slot(node) < RS_TIMER_WHEEL_SLOTS);
    RS_ASSERT(timers->armed_count > 0);
    if (timers->cursor == item) {
        timers->cursor = node->next; /* the walk in progress goes on behind it */
    }
    if (node->prev != RS_TIMER_NONE) {
        timers->nodes[node->prev].next = node->next;
    } else {
        RS_ASSERT(timers->head[node_slot(node)] == item);
        timers->head[node_slot(node)] = node->next;
    }
    if (node->next != RS_TIMER_NONE) {
        timers->nodes[node->next].prev = node->prev;
    }
    node_set_slot(node, RS_TIMER_UNARMED);
    timers->armed_count--;
}

void rs_timers_arm(rs_timers *timers, uint32_t item, uint64_t deadline_ms) {
    RS_ASSERT(item < timers->count);
    deadline_ms = deadline_ms < RS_TIMER_MS_MAX ? deadline_ms : RS_TIMER_MS_MAX;
    uint64_t tick = timer_tick_at(deadline_ms);
    if (tick <= timers->now_tick) {
        tick = timers->now_tick + 1;
    }
    const uint32_t slot = (uint32_t)tick & TIMER_MASK;
    if (node_slot(&timers->nodes[item]) != slot) {
        rs_timers_cancel(timers, item);
        timer_link(timers, item, slot);
    }
    node_set_deadline_ms(&timers->nodes[item], deadline_ms);
    if (tick < timers->next_tick) {
        timers->next_tick = tick;
    }
}

void rs_timers_cancel(rs_timers *timers, uint32_t item) {
    RS_ASSERT(item < timers->count);
    if (node_slot(&timers->nodes[item]) != RS_TIMER_UNARMED) {
        timer_unlink(timers, item);
    }
}

bool rs_timers_is_armed(const rs_timers *timers, uint32_t item) {
    RS_ASSERT(item < timers->count);
    return node_slot(&timers->nodes[item]) != RS_TIMER_UNARMED;
}

/* Continues with the slot of now_tick; RS_TIMER_NONE at its end. */
static uint32_t timer_walk(rs_timers *timers) {
    while (timers->cursor != RS_TIMER_NONE) {
        const uint32_t item = timers->cursor;
        RS_ASSERT(node_slot(&timers->nodes[item]) == ((uint32_t)timers->now_tick & TIMER_MASK));
        if (timer_tick_at(node_deadline_ms(&timers->nodes[item])) <= timers->now_tick) {
            timer_unlink(timers, item); /* moves the cursor */
            return item;
        }
        timers->cursor = timers->nodes[item].next;
    }
    return RS_TIMER_NONE;
}

/* The first tick after now_tick at which something can fire. */
static uint64_t timer_search(const rs_timers *timers) {
    uint32_t budget = TIMER_SEARCH_NODES_MAX;
    if (timers->armed_count == 0) {
        return TIMER_NEVER;
    }
    for (uint32_t i = 1; i <= RS_TIMER_WHEEL_SLOTS; i++) {
        const uint64_t tick = timers->now_tick + i;
        uint32_t item = timers->head[tick & TIMER_MASK];
        for (; item != RS_TIMER_NONE; item = timers->nodes[item].next) {
            if (budget == 0 || timer_tick_at(node_deadline_ms(&timers->nodes[item])) <= tick) {
                return tick;
            }
            budget--;
        }
    }
    return timers->now_tick + RS_TIMER_WHEEL_SLOTS + 1u; /* all of them in later turns */
}

/* Walks tick after tick; next_tick stays behind until the last one is done, so that an unfinished
 * loop continues with the next call. */
static uint32_t timer_advance(rs_timers *timers) {
    for (uint32_t ticks = 0; ticks <= RS_TIMER_WHEEL_SLOTS; ticks++) {
        const uint32_t item = timer_walk(timers);
        if (item != RS_TIMER_NONE) {
            return item;
        }
        if (timers->now_tick == timers->target_tick) {
            break;
        }
        /* A jump of more than a turn needs one turn only: each slot fires all that is due. */
        if (timers->target_tick - timers->now_tick > RS_TIMER_WHEEL_SLOTS) {
            timers->now_tick = timers->target_tick - RS_TIMER_WHEEL_SLOTS;
        }
        timers->now_tick++;
        timers->cursor = timers->head[timers->now_tick & TIMER_MASK];
    }
    RS_ASSERT(timers->now_tick == timers->target_tick);
    timers->next_tick = timer_search(timers);
    return RS_TIMER_NONE;
}

uint32_t rs_timers_take_expired(rs_timers *timers, uint64_t now_ms) {
    const uint64_t tick = now_ms / RS_TIMER_TICK_MS;
    if (tick > timers->target_tick) {
        timers->target_tick = tick;
    }
    if (timers->next_tick > timers->target_tick) {
        RS_ASSERT(timers->cursor == RS_TIMER_NONE);
        timers->now_tick = timers->target_tick;
        return RS_TIMER_NONE;
    }
    return timer_advance(timers);
}

uint64_t rs_timers_next_ms(const rs_timers *timers, uint64_t now_ms) {
    if (timers->armed_count == 0) {
        return UINT64_MAX;
    }
    if (timers->next_tick <= timers->target_tick) {
        return 0; /* rs_timers_take_expired was not called until it had no more */
    }
    if (timers->next_tick > UINT64_MAX / RS_TIMER_TICK_MS) {
        return UINT64_MAX - now_ms;
    }
    const uint64_t at_ms = timers->next_tick * RS_TIMER_TICK_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
