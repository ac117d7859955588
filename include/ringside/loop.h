/* SPDX-License-Identifier: MIT */
/* A shard as an application sees it: its start and end (rs_app, in session.h), a context of its
 * own, functions that run on it.
 *
 * "The shard's callbacks" are one thread: the shard's, or with the setting logic=thread the logic
 * thread, which is that of all shards. */
#ifndef RINGSIDE_LOOP_H
#define RINGSIDE_LOOP_H

#include <stdint.h>

#include "ringside/session.h"
#include "ringside/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What runs on a shard: arg is the caller's, shard [0, workers). */
typedef void (*rs_shard_fn)(void *arg, rs_server *server, uint32_t shard);

/* rs_server_post: fn(arg, server, shard) is called once with the shard's callbacks, one at a time
 * with them, never inside this call. Posts, sends and broadcasts of one thread to one shard take
 * effect in their order; with a logic thread those behind a post may come before what fn does.
 *
 * Returns  RS_OK: it will be called, also if the server is stopping: then at the latest after the
 *          last on_close, and before on_shard_end. RS_E_FULL as rs_server_send; RS_E_CLOSED: the
 *          shard has ended, or has not started yet; RS_E_INVALID: no such shard, or fn is NULL.
 * Owner    *arg stays the caller's; fn may free it.
 * Thread   any. Does not block, does not allocate. */
rs_status rs_server_post(rs_server *server, uint32_t shard, rs_shard_fn fn, void *arg);

/* rs_server_own: what on_shard_start of this shard has set, NULL if nothing, and on a thread that
 * does not run the callbacks of this shard. */
void *rs_server_own(rs_server *server, uint32_t shard);

/* rs_session_own: the same of the session's shard. */
void *rs_session_own(const rs_session *session);

/* rs_session_queued_bytes: bytes sent to the session that the kernel has not taken yet, in *out.
 * RS_OK; RS_E_THREAD; RS_E_UNSUPPORTED on a logic thread, which does not have the queue: *out is
 * unchanged then. O(sends in flight). */
rs_status rs_session_queued_bytes(const rs_session *session, uint32_t *out);

/* ---- timers: as many at once on each shard as the setting `timers` says (0 unless it is set) */

/* {shard 12 bits, index 20, generation 32}; 0 is no timer. */
typedef uint64_t rs_timer;

/* What a timer of a session calls. */
typedef void (*rs_session_fn)(void *arg, rs_session *session);

/* rs_session_set_timer: fn(arg, session) is called once with the callbacks of the shard, ms or more
 * from now: never early, and late by no more than 10 ms and the length of a turn. It may set a
 * timer again. It is not called when the session has ended: its timers end before on_close.
 *
 * Params   ms: [0, UINT32_MAX]; 0: with the next tick, not inside this call. out: the handle;
 *          nullable.
 * Returns  RS_OK; RS_E_FULL: all timers of the shard are set; RS_E_CLOSED: the session is ending;
 *          RS_E_INVALID: fn is NULL; RS_E_THREAD. *out is 0 then.
 * Bounds   O(1). Any number of timers a session. Costs nothing on a message's way. */
rs_status rs_session_set_timer(rs_session *session, uint32_t ms, rs_session_fn fn, void *arg,
                               rs_timer *out);

/* rs_session_cancel_timer: of this session's shard, of whichever session. RS_OK: it is not called
 * any more; also if it has been, or was cancelled. RS_E_THREAD. */
rs_status rs_session_cancel_timer(rs_session *session, rs_timer timer);

/* rs_server_set_timer: the same without a session: fn(arg, server, shard), up to the end of the
 * shard. Only from callbacks of this shard, on_shard_start among them, else RS_E_THREAD;
 * RS_E_INVALID also: no such shard. */
rs_status rs_server_set_timer(rs_server *server, uint32_t shard, uint32_t ms, rs_shard_fn fn,
                              void *arg, rs_timer *out);

/* rs_server_cancel_timer: as rs_session_cancel_timer, of the timer's shard; RS_E_INVALID: there is
 * no such shard. */
rs_status rs_server_cancel_timer(rs_server *server, rs_timer timer);

#ifdef __cplusplus
}
#endif

#endif
