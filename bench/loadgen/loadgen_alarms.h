/* SPDX-License-Identifier: MIT */
/* Who is to be looked at when: a heap of times, one for each connection that waits. Pure, but for
 * the memory; times of any clock. One thread. */
#ifndef RS_LOADGEN_ALARMS_H
#define RS_LOADGEN_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rs_alarm {
    uint64_t at_ns;
    uint32_t who;
} rs_alarm;

typedef struct rs_alarms {
    rs_alarm *heap; /* [room]; the earliest first */
    uint32_t count, room;
} rs_alarms;

/* rs_alarms_open: for room alarms at once. False: no memory. rs_alarms_close in any case, also of a
 * zeroed one. */
bool rs_alarms_open(rs_alarms *alarms, uint32_t room);
void rs_alarms_close(rs_alarms *alarms);

/* rs_alarms_set: one more; fewer than room are set (asserted). O(log room). */
void rs_alarms_set(rs_alarms *alarms, uint64_t at_ns, uint32_t who);

/* rs_alarms_take: removes the earliest if its time has come. False: none has. O(log room). */
bool rs_alarms_take(rs_alarms *alarms, uint64_t now_ns, uint32_t *who);

/* rs_alarms_next_ns: the time of the earliest; UINT64_MAX: there is none. */
uint64_t rs_alarms_next_ns(const rs_alarms *alarms);

#endif
