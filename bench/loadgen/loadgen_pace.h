/* SPDX-License-Identifier: MIT */
/* How long to sleep before the next send is due, and when to look at the clock instead.
 *
 * No system wakes at the exact nanosecond, so the sleep ends `margin_ns` early and the rest is
 * spent polling. The margin is what this system's sleeps have lately overrun by and a quarter more:
 * it follows a late one at once, and shrinks by a part every RS_PACE_DECAY_NS, bounded on both
 * sides. Pure; time comes in from outside. */
#ifndef RS_LOADGEN_PACE_H
#define RS_LOADGEN_PACE_H

#include <stdint.h>

#define RS_PACE_MARGIN_MIN_NS 20000u
#define RS_PACE_MARGIN_START_NS 100000u
#define RS_PACE_MARGIN_MAX_NS 2000000u /* the longest spin: two of the finest ticks of Windows */
#define RS_PACE_DECAY_NS 100000000u

typedef struct rs_pace {
    uint64_t margin_ns, decayed_ns;
} rs_pace;

void rs_pace_init(rs_pace *pace, uint64_t now_ns);

/* rs_pace_sleep_ns: how long to sleep at now_ns for a send that is due at due_ns; 0 = poll. */
uint64_t rs_pace_sleep_ns(rs_pace *pace, uint64_t now_ns, uint64_t due_ns);

/* rs_pace_woke: a sleep that should have ended at until_ns, and that nothing else ended, did so at
 * now_ns. */
void rs_pace_woke(rs_pace *pace, uint64_t until_ns, uint64_t now_ns);

#endif
