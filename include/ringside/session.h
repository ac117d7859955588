/* SPDX-License-Identifier: MIT */
/* What an application is to the session layer, and what it may do with a session.
 *
 * Callbacks run on the shard's thread, one at a time per shard, and must not block. With the
 * setting logic=thread they run on one thread for all shards instead. The rs_session_* and
 * rs_shared_* functions may be called from the callbacks of the session's own shard only (logic
 * thread: from any callback). Elsewhere they do nothing and say RS_E_THREAD, in every build; other
 * threads use the rs_server_* functions of ringside.h, with the session's id. */
#ifndef RINGSIDE_SESSION_H
#define RINGSIDE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ringside/address.h"
#include "ringside/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rs_server rs_server;
typedef struct rs_session rs_session;

/* {shard 12 bits, index 20, generation 32}: never reused within 2^32 openings of one slot, so a
 * stale one is refused instead of reaching another session. 0 is no session. */
typedef uint64_t rs_session_id;

/* Why a session ended. X(name, number, text). Numbers and texts are part of the JSON output. */
#define RS_CLOSE_TABLE(X)                                                                          \
    X(RS_CLOSE_PEER, 0, "peer")                     /* orderly end by the peer */                  \
    X(RS_CLOSE_LOCAL, 1, "local")                   /* closed by the application */                \
    X(RS_CLOSE_SHUTDOWN, 2, "shutdown")             /* the server stops */                         \
    X(RS_CLOSE_PROTOCOL, 3, "protocol")             /* malformed frame or PROXY header */          \
    X(RS_CLOSE_IDLE, 4, "idle")                     /* no whole frame for --idle-timeout */        \
    X(RS_CLOSE_SLOW_CONSUMER, 5, "slow-consumer")   /* send queue at --max-queued, unread */       \
    X(RS_CLOSE_NO_BUFFERS, 6, "no-buffers")         /* WSAENOBUFS, or no send block left */        \
    X(RS_CLOSE_TRUNCATED_SEND, 7, "truncated-send") /* a short send */                             \
    X(RS_CLOSE_RESET, 8, "reset")                   /* reset by the peer, or aborted */            \
    X(RS_CLOSE_ERROR, 9, "error")                   /* any other failure of the connection */      \
    X(RS_CLOSE_HANDSHAKE, 10, "handshake")          /* no first frame in --handshake-timeout */    \
    X(RS_CLOSE_RATE, 11, "rate")                    /* more frames than --max-rate */

typedef enum rs_close_reason {
#define X(name, number, text) name = number,
    RS_CLOSE_TABLE(X)
#undef X
        RS_CLOSE_REASONS
} rs_close_reason;

/* rs_close_reason_text: "slow-consumer"; static string. */
const char *rs_close_reason_text(rs_close_reason reason);

/* The other shards, for an application whose state concerns all of them. */
typedef struct rs_peers {
    uint32_t shard;     /* this one */
    uint32_t count;     /* of shards; [0, count) are their numbers */
    uint32_t bytes_max; /* of one message: the server's frame_bytes_max */

    /* tell: a message of [1, bytes_max] bytes for on_peer of another shard, copied; those of one
     * shard arrive in order. RS_E_FULL: nothing was sent, try in a later turn; RS_E_CLOSED: that
     * shard has ended. */
    rs_status (*tell)(void *ctx, uint32_t shard, const void *data, uint32_t bytes);
    void *ctx;
} rs_peers;

/* A framer: how long the frame is that begins at data. It is asked for each frame, and of one that
 * is not there yet again with each receive, from its beginning.
 *
 * Params   data: `bytes` bytes, 1 or more, of this frame and of what follows. bytes_max: the
 * setting max-frame, [3, RS_FRAME_BYTES_MAX]. Returns  the length of the whole frame, also if it is
 * more than `bytes`; RS_FRAMER_MORE: not known yet; RS_FRAMER_MALFORMED. The session ends with
 * RS_CLOSE_PROTOCOL for that, for a length above bytes_max, and for RS_FRAMER_MORE of bytes_max
 * bytes. Thread   the session's shard, also with a logic thread; all shards at once: the answer
 * depends on the bytes and nothing else. */
typedef uint32_t (*rs_framer)(const uint8_t *data, uint32_t bytes, uint32_t bytes_max);
#define RS_FRAMER_MORE 0u
#define RS_FRAMER_MALFORMED UINT32_MAX

/* Built in. rs_framer_u16: the default (below). rs_framer_u32: little-endian uint32 length of the
 * whole frame, these 4 bytes included, then the payload. rs_framer_line: up to and with '\n'; reads
 * all `bytes`, at most bytes_max. */
uint32_t rs_framer_u16(const uint8_t *data, uint32_t bytes, uint32_t bytes_max);
uint32_t rs_framer_u32(const uint8_t *data, uint32_t bytes, uint32_t bytes_max);
uint32_t rs_framer_line(const uint8_t *data, uint32_t bytes, uint32_t bytes_max);

typedef struct rs_app {
    void *ctx;        /* passed to every callback; shared by all shards */
    bool raw;         /* true: on_message gets bytes as they come, unframed */
    rs_framer framer; /* what a message is, unless raw; NULL: rs_framer_u16 */

    /* on_open: a session exists and can be sent to. With --proxy-protocol: its header has been
     * read, and rs_session_peer tells the addresses in it; a connection that ends without one gets
     * no callback. Nullable. */
    void (*on_open)(void *ctx, rs_session *session);

    /* on_message: one whole frame as the framer said, its header or line end included (raw: 1 or
     * more bytes), valid only during the call. */
    void (*on_message)(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes);

    /* on_close: the session has ended; called once for each on_open. Nullable. */
    void (*on_close)(void *ctx, rs_session *session, rs_close_reason reason);

    /* on_room: an rs_server_* function, called from a callback of this thread, has said RS_E_FULL,
     * and that mailbox has been read since: try again. shard: whose thread this is, as
     * rs_session_id_shard counts; 0 on a logic thread. Nullable. */
    void (*on_room)(void *ctx, rs_server *server, uint32_t shard);

    /* on_low: what rs_session_notify_low has asked for. Nullable. */
    void (*on_low)(void *ctx, rs_session *session);

    /* on_connect_failed: an attempt of rs_server_connect with this `user` has failed: RS_E_REFUSED,
     * RS_E_TIMED_OUT, RS_E_UNREACHABLE, ...; RS_E_NO_BUFFERS: no free session; RS_E_FULL: too many
     * at once; RS_E_CLOSED: the server stops. left: further attempts; 0: this was the last, and
     * nothing more is told. Nullable. */
    void (*on_connect_failed)(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                              rs_status why, uint32_t left);

    /* on_shard_start: before all other callbacks of this shard, on their thread, while
     * rs_server_start waits; nothing listens yet. *own: what rs_server_own and rs_session_own
     * return from now on; NULL unless it is set. Anything but RS_OK: the server does not start, and
     * rs_server_start returns it; rs_server_stop is not for this callback. Nullable. */
    rs_status (*on_shard_start)(void *ctx, rs_server *server, uint32_t shard, void **own);

    /* on_shard_end: after all other callbacks of a shard whose on_shard_start returned RS_OK or is
     * NULL, on their thread; rs_server_join waits for it. Nullable. */
    void (*on_shard_end)(void *ctx, rs_server *server, uint32_t shard, void *own);

    /* The next two are called on servers of several shards without a logic thread. */

    /* on_turn: the end of a turn of peers->shard, after all other callbacks of it. True: to be
     * called again within a millisecond, even if nothing else happens. Nullable. */
    bool (*on_turn)(void *ctx, const rs_peers *peers);

    /* on_peer: what shard `from` has told shard `to`, whose thread calls. Nullable if nobody
     * tells. */
    void (*on_peer)(void *ctx, uint32_t to, uint32_t from, const uint8_t *data, uint32_t bytes);
} rs_app;

/* rs_session_id_shard: [0, workers). */
static inline uint32_t rs_session_id_shard(rs_session_id id) {
    return (uint32_t)(id >> 52);
}

/* rs_session_id_of: for other threads, and to be kept. 0 on a thread that is not the session's. */
rs_session_id rs_session_id_of(const rs_session *session);

/* rs_session_server: the server that the session belongs to, already inside rs_server_start. NULL
 * on a thread that is not the session's. */
rs_server *rs_session_server(const rs_session *session);

/* ---- frames of rs_framer_u16: little-endian uint16 length (of the whole frame), uint8 type,
 * payload */

#define RS_FRAME_HEADER_BYTES 3u
#define RS_FRAME_BYTES_MAX 65535u /* what the 16-bit length can say */

/* rs_frame_header: writes the 3 header bytes for a payload of payload_bytes.
 *
 * Params   payload_bytes: [0, RS_FRAME_BYTES_MAX - RS_FRAME_HEADER_BYTES] (asserted).
 * Returns  the whole frame's length, header included. Any thread. */
uint32_t rs_frame_header(uint8_t *out, uint8_t type, uint32_t payload_bytes);

/* rs_frame_type: type byte of a whole frame. */
static inline uint8_t rs_frame_type(const uint8_t *frame) {
    return frame[2];
}

/* ---- a session */

/* rs_session_send: queues bytes [1, max_queued] for the peer. The data are copied, and sent at the
 * end of the current batch together with everything else queued.
 * RS_OK; RS_E_CLOSED (the session is ending); RS_E_FULL, RS_E_NO_BUFFERS (the session has just been
 * closed for that: nothing of this call is delivered); RS_E_THREAD. On a logic thread always RS_OK:
 * the shard finds out whether the queue has room, and on_close reports a failure. */
rs_status rs_session_send(rs_session *session, const void *data, uint32_t bytes);

/* rs_session_notify_low: on_low is called once, at the end of the first turn after which the kernel
 * has taken what was sent to the session but for the last `bytes`, 0: all of it; never inside this
 * call. A call before that replaces the earlier one. A session that ends first is not told.
 *
 * The kernel has taken what its send has completed: it is then in its own buffer, or with sndbuf=0
 * on Windows with the peer. rs_session_queued_bytes counts the rest.
 *
 * Returns  RS_OK; RS_E_CLOSED; RS_E_THREAD; RS_E_UNSUPPORTED: the application has no on_low.
 * Bounds   a session that waits for it pays for it; the others nothing. */
rs_status rs_session_notify_low(rs_session *session, uint32_t bytes);

/* rs_session_close: flushes the send queue, then closes. Idempotent. on_close is called before it
 * returns; on a logic thread, later. This and the following functions return RS_OK or RS_E_THREAD.
 */
rs_status rs_session_close(rs_session *session);

/* rs_session_reject: as rs_session_close, for a peer that broke the application's own protocol: the
 * reason is RS_CLOSE_PROTOCOL. */
rs_status rs_session_reject(rs_session *session);

/* rs_session_hold: a reply is still owed: while there are holds, an orderly close by the peer (its
 * FIN) or by the server (its stop) is deferred. Nothing more is received then, sends are still
 * accepted; the last release ends the session for the deferred reason. An error, a reset, a
 * malformed frame, idleness, a full send queue or rs_session_close still ends it at once, and a
 * close is deferred for at most drain_timeout_ms (counted: expired_holds). No effect on a session
 * that has ended.
 *
 * Bounds   UINT32_MAX holds at once (asserted). */
rs_status rs_session_hold(rs_session *session);

/* rs_session_release: releases one hold. Without a hold it is refused and counted
 * (refused_releases). No effect on a session that has ended: its holds ended with it. May call
 * on_close. */
rs_status rs_session_release(rs_session *session);

/* rs_session_pause: stops receiving; the peer's bytes then wait on its side. on_message is not
 * called again before rs_session_resume, not even for frames received together with the current
 * one. Sends continue. Idempotent; no effect on a session that is ending.
 *
 * An end of stream received with the last bytes takes effect after them. While the session is
 * paused, only the next send finds a reset, and the idle timeout applies to sends: it ends a
 * session whose oldest send in flight is older, and does not apply if nothing is in flight.
 *
 * On a logic thread, messages already on their way to it are still delivered. */
rs_status rs_session_pause(rs_session *session);

/* rs_session_resume: undoes any number of pauses. Waiting frames are delivered at the end of the
 * turn, never inside this call. */
rs_status rs_session_resume(rs_session *session);

/* rs_session_set_source: with the setting slow-consumer=pause: what is received from `source` is
 * sent to `session`, as in a relay. From now on `source` is read from only while the queue of
 * `session` is within its own send blocks and within half of max-queued, and then no more than
 * fits: what it brings, sent on as it comes, neither fills that queue nor finds no block. Whether
 * the peer of `session` reads does not end either of them; idle-timeout does. Before the first
 * call, after one with source NULL and when either has ended, a session is its own source.
 *
 * Params   source: of the same shard, or NULL. Each session has one source and is the source of
 *          one: a call takes the place of earlier ones.
 * Returns  RS_OK; RS_E_CLOSED: one is ending; RS_E_INVALID: not of the same shard;
 * RS_E_UNSUPPORTED: slow-consumer=close; RS_E_THREAD. */
rs_status rs_session_set_source(rs_session *session, rs_session *source);

/* A frame encoded once and sent to many sessions of one shard (a broadcast). */
typedef struct rs_shared {
    uint8_t *data; /* room bytes, to be filled before the first send */
    uint32_t room; /* bytes of one send block */
    uint32_t index, generation;
} rs_shared;

/* rs_shared_acquire: a block of this session's shard. False if RS_SHARED_BLOCKS are in use or none
 * is free: more was broadcast in one turn, or peers that do not read hold them; such a session is
 * closed when its send has been waiting for RS_STALLED_MS. Until then rs_session_send to each
 * session still works, because a copy needs none of these blocks. It does not wait on purpose: a
 * session that has just been sent 64 broadcasts looks like one that does not read. */
bool rs_shared_acquire(rs_session *session, rs_shared *out);

/* rs_shared_send: queues the first bytes of the block, [1, room], on a session of the same shard,
 * without a copy. Results as rs_session_send; RS_E_INVALID, and nothing is sent, if the block was
 * released before or belongs to another shard. */
rs_status rs_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes);

/* rs_shared_release: drops the caller's reference; *shared is invalid afterwards. The block is free
 * when the last send is done. A second release, also through a copy of *shared, and one of another
 * shard's block are refused and counted (refused_releases). */
rs_status rs_shared_release(rs_session *session, rs_shared *shared);

/* Who is at the other end, and what has gone over the connection. */
typedef struct rs_peer {
    rs_addr addr;       /* the peer's, or that in its PROXY header; rs_addr_text writes it */
    rs_addr local;      /* ours */
    uint64_t age_ms;    /* since on_open */
    uint64_t bytes_in;  /* received, without a PROXY header; on a logic thread: of the messages it
                           was given */
    uint64_t bytes_out; /* sent, completed; on a logic thread: what it has sent */
} rs_peer;

/* rs_session_peer: fills *out. Also in on_open and on_close; the addresses are those of the
 * beginning. No system call.
 *
 * Returns  RS_OK; RS_E_THREAD: *out is as it was. */
rs_status rs_session_peer(const rs_session *session, rs_peer *out);

/* A word for the application's use on each session; 0 when it opens, and on a thread that is not
 * the session's. */
rs_status rs_session_set_user(rs_session *session, uint64_t user);
uint64_t rs_session_user(const rs_session *session);

#ifdef __cplusplus
}
#endif

#endif
