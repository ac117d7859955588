/* SPDX-License-Identifier: MIT */
/* Timers of the application (ringside/loop.h): who is called, and when.
 *
 * The table knows who: function, argument, and the session that a timer dies with. The wheel knows
 * when. Both speak handles, so that they may be on two threads: with a logic thread the table is on
 * it and the wheel on the shard. Without one the session table has both. Each belongs to one
 * thread; nothing allocates. */
#ifndef RS_CORE_APP_TIMERS_H
#define RS_CORE_APP_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/handle.h"
#include "core/timer.h"

#define RS_TIMER_NO_OWNER UINT32_MAX

/* ---- the table */

typedef struct rs_timer_entry {
    rs_timer_call call;
    uint32_t generation; /* of this use, or if it is free of the next one; never 0 */
    uint32_t owner;      /* index of the session, or RS_TIMER_NO_OWNER */
    uint32_t next, prev; /* of the same session; next: free ones too */
    bool set;
} rs_timer_entry;

typedef struct rs_timer_table {
    rs_timer_entry *entries; /* [count] */
    uint32_t *first;         /* [owners]: of each session */
    uint32_t count, owners, shard, free_head;
} rs_timer_table;

/* rs_timer_table_init: nothing is set. entries [count], count [1, RS_TIMERS_MAX], first [owners]:
 * the caller's memory. O(count + owners). */
void rs_timer_table_init(rs_timer_table *table, rs_timer_entry *entries, uint32_t count,
                         uint32_t *first, uint32_t owners, uint32_t shard);

/* rs_timer_table_set: the handle, 0 if all are set. owner: [0, owners) or RS_TIMER_NO_OWNER. O(1).
 */
rs_timer rs_timer_table_set(rs_timer_table *table, uint32_t owner, rs_timer_call call);

/* rs_timer_table_take: the timer is not set any more. False: it was not. Any handle is accepted.
 * *owner, *call: what was set; nullable. O(1). */
bool rs_timer_table_take(rs_timer_table *table, rs_timer timer, uint32_t *owner,
                         rs_timer_call *call);

/* rs_timer_table_first: a timer of this session; 0: it has none. */
rs_timer rs_timer_table_first(const rs_timer_table *table, uint32_t owner);

/* ---- the wheel */

typedef struct rs_timer_wheel {
    rs_timers timers;
    uint32_t *generations; /* [timers.count]: of what is armed */
    uint32_t shard;
    uint64_t (*now_ns)(void *ctx); /* the clock that deadlines are on */
    void *ctx;
} rs_timer_wheel;

/* rs_timer_wheel_init: nothing is armed. nodes, generations: [count], the caller's memory. */
void rs_timer_wheel_init(rs_timer_wheel *wheel, rs_timer_node *nodes, uint32_t *generations,
                         uint32_t count, uint32_t shard, uint64_t (*now_ns)(void *ctx), void *ctx);

/* rs_timer_wheel_arm: due at the first tick that is ms or more from now. */
void rs_timer_wheel_arm(rs_timer_wheel *wheel, rs_timer timer, uint32_t ms);

/* rs_timer_wheel_cancel: if it is armed. */
void rs_timer_wheel_cancel(rs_timer_wheel *wheel, rs_timer timer);

/* rs_timer_wheel_take: a timer that was due at now_ms, disarmed; 0: none. In a loop, as
 * rs_timers_take_expired. */
rs_timer rs_timer_wheel_take(rs_timer_wheel *wheel, uint64_t now_ms);

#endif
