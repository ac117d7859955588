/* SPDX-License-Identifier: MIT */
/* Timers for things that live in an array: a hashed wheel of doubly linked indices.
 *
 * One shard owns it; time comes in from outside, as milliseconds. Adding, moving and cancelling
 * are O(1); advancing is O(ticks passed, at most one turn of the wheel, + nodes looked at), and
 * O(1) while nothing is due. Nothing blocks or allocates; any function may be called between two
 * calls of rs_timers_take_expired. */
#ifndef RS_CORE_TIMER_H
#define RS_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_TIMER_WHEEL_SLOTS                                                                       \
    1024u /* x RS_TIMER_TICK_MS = about 10 s a turn; later ones go round                           \
           */
#define RS_TIMER_NONE UINT32_MAX

#define RS_TIMER_UNARMED UINT16_MAX
#define RS_TIMER_MS_MAX ((UINT64_C(1) << 48) - 1u) /* 8,900 years; from here on: never */

typedef struct rs_timer_node {
    uint32_t next, prev; /* RS_TIMER_NONE at the ends */
    uint64_t word;       /* the deadline in ms, and in the upper 16 bits the slot */
} rs_timer_node;

_Static_assert(RS_TIMER_WHEEL_SLOTS < RS_TIMER_UNARMED, "a slot fits 16 bits");
_Static_assert(sizeof(rs_timer_node) == 16, "each session has one");

typedef struct rs_timers {
    rs_timer_node *nodes; /* [count], the caller's memory; node i belongs to the caller's item i */
    uint32_t count;
    uint32_t armed_count;
    uint32_t cursor;      /* node to look at next in the slot of now_tick; internal */
    uint64_t now_tick;    /* all ticks < this are done; this one up to the cursor */
    uint64_t target_tick; /* the latest time seen; the hand-out ends when now_tick reaches it */
    uint64_t next_tick;   /* nothing fires before this one; UINT64_MAX if nothing is armed */
    uint32_t head[RS_TIMER_WHEEL_SLOTS];
} rs_timers;

/* rs_timers_init: nothing armed.
 *
 * Params   nodes: [count], need not be initialised; count: [1, RS_TIMER_NONE - 1].
 *          now_ms: any number; later times are told on the same clock.
 * Owner    the caller frees nodes.  Bounds  O(count). */
void rs_timers_init(rs_timers *timers, rs_timer_node *nodes, uint32_t count, uint64_t now_ms);

/* rs_timers_arm: fires at the first tick at or after deadline_ms; moves it if already armed. A
 * deadline that is not after the latest tick handed out fires at the next one.
 *
 * Params   item: [0, count) (asserted); deadline_ms: absolute, any number.
 * Bounds   O(1); moving within one tick, as busy sessions do, touches the node alone. */
void rs_timers_arm(rs_timers *timers, uint32_t item, uint64_t deadline_ms);

/* rs_timers_cancel: nothing happens if it is not armed. item: [0, count) (asserted). O(1). */
void rs_timers_cancel(rs_timers *timers, uint32_t item);

/* rs_timers_is_armed: false also once rs_timers_take_expired gave it out. item: [0, count)
 * (asserted).
 */
bool rs_timers_is_armed(const rs_timers *timers, uint32_t item);

/* rs_timers_take_expired: the next item whose deadline has passed, disarmed; RS_TIMER_NONE when
 * there is none left. Call in a loop. The handler may arm and cancel any item in between. A clock
 * that jumps forward fires everything due once; one that stands still or goes back fires nothing
 * (what was due at the latest time ever told is still handed out). No order within one call's
 * items.
 *
 * Bounds   a loop ends even if its handler always arms for now: each item fires at most once a
 *          tick, and at most RS_TIMER_WHEEL_SLOTS ticks are walked. */
uint32_t rs_timers_take_expired(rs_timers *timers, uint64_t now_ms);

/* rs_timers_next_ms: how long poll may sleep: a lower bound (never late by more than a tick) of
 * the time to the next deadline, UINT64_MAX when none is armed, 0 when one is due. Sleeping that
 * long and finding nothing due is normal (the item was moved or cancelled), and rare: the bound
 * is found anew each time it passes. O(1). */
uint64_t rs_timers_next_ms(const rs_timers *timers, uint64_t now_ms);

#endif
