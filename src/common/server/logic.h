/* SPDX-License-Identifier: MIT */
/* The logic thread: the application's callbacks on one thread of their own, fed by all shards.
 *
 * Each shard has a channel: a ring of records to the logic thread {start, open, message, closed,
 * post, end} and one back {started, send, close, pause, resume, hold, release, done}. The
 * application gets handles (core/handle.h) whose operations are records, so its code is the same as
 * on a shard. Every message holds its session (rs_session_hand_over) until the callback has
 * returned and its sends are in the ring: a half-closing client loses nothing.
 *
 * Back-pressure: a shard that finds its ring full waits inside its callback and continues to read
 * the records that come back; if the logic thread finds a ring full it waits for that shard. So the
 * logic thread always gets room eventually, then makes room, and neither waits forever. A thread
 * that is about to sleep requests its wake-up: announce, check once more, sleep. Both sides
 * announce and look by read-modify-writes of one word, so that one of the two sees the other.
 *
 * Threads: "shard's" and "logic's" below; without `threaded` all is one thread, and who would wait
 * steps the other instead. Nothing allocates after rs_logic_attach. */
#ifndef RS_SERVER_LOGIC_H
#define RS_SERVER_LOGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/session.h"
#include "core/status.h"

typedef struct rs_logic rs_logic;
typedef struct rs_logic_channel rs_logic_channel;

/* rs_logic_open: no channel yet.
 *
 * Params   app: copied; its callbacks are the logic thread's. channels: [1, RS_SHARDS_MAX].
 *          threaded: rs_logic_run has a thread of its own; false: tests step it.
 * Returns  RS_OK; RS_E_NO_MEMORY, RS_E_OS: *out is NULL, *error filled.
 * Thread   before start. */
rs_status rs_logic_open(rs_logic **out, const rs_app *app, uint32_t channels, bool threaded,
                        rs_error *error);

/* rs_logic_run: the logic thread: delivers records until rs_logic_stop. logic: an rs_logic. */
void rs_logic_run(void *logic);

/* rs_logic_step: delivers up to RS_LOGIC_BATCH records of each channel and wakes shards that wait
 * for that. False if there was nothing. Logic's; not from a callback (asserted). */
bool rs_logic_step(rs_logic *logic);

/* rs_logic_tell_room: on_room is called on the logic thread. Any thread, from attach to stop. */
void rs_logic_tell_room(rs_logic *logic);

/* rs_logic_is_here: is this the thread that runs rs_logic_run? */
bool rs_logic_is_here(const rs_logic *logic);

/* rs_logic_stop: rs_logic_run returns. Any thread, once every channel has ended (asserted). */
void rs_logic_stop(rs_logic *logic);

/* rs_logic_close: frees it and its channels; the thread was joined. NULL is accepted. */
void rs_logic_close(rs_logic *logic);

/* ---- the shard's side: all of it the shard's thread */

typedef struct rs_logic_channel_config {
    uint32_t shard;                /* [0, channels): which one this is */
    rs_server *server;             /* rs_session_server; nullable in tests */
    rs_sessions *sessions;         /* of the shard; looked at from the first callback on */
    uint32_t slot_count;           /* of sessions */
    uint32_t payload_max;          /* longest message in bytes; a longer send waits for the shard */
    uint32_t block_bytes;          /* of a broadcast */
    uint32_t ring_bytes;           /* a power of two; 0 = as RS_LOGIC_RING_FRAMES asks */
    uint32_t timers;               /* of the application at once; 0 = none */
    uint64_t (*now_ns)(void *ctx); /* the shard's clock, on its thread; read for timers */
    void *now_ctx;
    void (*wake)(void *ctx); /* ends the shard's sleep in poll; called by the logic thread */
    void *wake_ctx;
} rs_logic_channel_config;

/* rs_logic_ring_bytes: of each of the two rings, unless the channel's configuration says otherwise.
 */
uint32_t rs_logic_ring_bytes(uint32_t payload_max);

/* rs_logic_attach: the shard's channel, and in *app the callbacks for its sessions. Allocates.
 * RS_E_NO_MEMORY, RS_E_OS. Owner: the logic, until rs_logic_close. */
rs_status rs_logic_attach(rs_logic *logic, const rs_logic_channel_config *cfg,
                          rs_logic_channel **out, rs_app *app, rs_error *error);

/* rs_logic_channel_start: on_shard_start on the logic thread; waits, and returns what it said.
 * Once, before anything else. Without it on_shard_end is not called. */
rs_status rs_logic_channel_start(rs_logic_channel *channel);

/* rs_logic_channel_post: fn(arg, server, shard) on the logic thread, behind all earlier records. */
void rs_logic_channel_post(rs_logic_channel *channel, rs_shard_fn fn, void *arg);

/* rs_logic_channel_ops: of the application's sessions of this shard. Logic's. */
rs_session_ops *rs_logic_channel_ops(rs_logic_channel *channel);

/* rs_logic_channel_turn: passes due records to the logic thread, wakes it, and reads what came back
 * (bounded by the ring): records for a session that has ended are dropped and counted. */
void rs_logic_channel_turn(rs_logic_channel *channel);

/* rs_logic_channel_release: rs_session_release called by the application: it cannot release the
 * holds of messages that it has not handled yet. Refused and counted as there. */
void rs_logic_channel_release(rs_logic_channel *channel, rs_slot *session);

/* rs_logic_channel_run_timers: passes those on that were due at now_ms.
 * rs_logic_channel_wheel: of this shard; NULL: there are no timers. */
void rs_logic_channel_run_timers(rs_logic_channel *channel, uint64_t now_ms);
const rs_timer_wheel *rs_logic_channel_wheel(const rs_logic_channel *channel);

/* rs_logic_channel_sleep: the shard is about to sleep in poll. False: do not, there is work.
 * rs_logic_channel_awake: it is awake again; also after false. */
bool rs_logic_channel_sleep(rs_logic_channel *channel);
void rs_logic_channel_awake(rs_logic_channel *channel);

/* rs_logic_channel_end: every session has ended: waits until the logic thread has delivered the
 * last on_close and on_shard_end and finished with this shard. Afterwards only the next function
 * may be called. */
void rs_logic_channel_end(rs_logic_channel *channel);

/* rs_logic_channel_stats: adds the channel's figures. Shard's, or anyone after the end. */
void rs_logic_channel_stats(const rs_logic_channel *channel, rs_counters *into,
                            uint64_t *messages_dropped);

#endif
