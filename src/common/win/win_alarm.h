/* SPDX-License-Identifier: MIT */
/* An alarm that posts a packet to a completion port at a time finer than the clock tick.
 *
 * GetQueuedCompletionStatus(Ex) rounds its timeout to the tick, 15.6 ms unless a program has
 * requested less. A high-resolution waitable timer (Windows 10 1803) is exact to about half a
 * millisecond; the alarm's own thread waits for it and posts (docs/decisions.md says why). If there
 * is no such timer: an ordinary one and a tick of 1 ms (timeBeginPeriod). One owner's thread. */
#ifndef RS_WIN_WIN_ALARM_H
#define RS_WIN_WIN_ALARM_H

#include "win/win.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "win/win_socket.h"

typedef struct rs_win_alarm rs_win_alarm;

/* rs_win_alarm_open: not set. Its packets carry key, no bytes and a NULL record. Allocates, starts
 * a thread. RS_E_NO_MEMORY, RS_E_OS; *error filled. */
rs_status rs_win_alarm_open(rs_win_alarm **out, HANDLE port, ULONG_PTR key, rs_error *error);

/* rs_win_alarm_set: rings at due_ns (clock of rs_os_now_ns) or at an earlier time already set. One
 * kernel call, or none. After a failure the wait lasts until its own coarse timeout. */
void rs_win_alarm_set(rs_win_alarm *alarm, uint64_t now_ns, uint64_t due_ns, rs_win_calls *calls);

/* rs_win_alarm_rang: its packet was taken. */
void rs_win_alarm_rang(rs_win_alarm *alarm);

/* rs_win_alarm_is_fine: it has a high-resolution timer. */
bool rs_win_alarm_is_fine(const rs_win_alarm *alarm);

/* rs_win_alarm_close: ends the thread; a packet may be left at the port. NULL is accepted. */
void rs_win_alarm_close(rs_win_alarm *alarm);

#endif
