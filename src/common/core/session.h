/* SPDX-License-Identifier: MIT */
/* Sessions of one shard: a pure state machine from completions to ops.
 *
 * Owns the session table, its free list, what each session has in flight and why it ended. Takes
 * completions and a time, calls the application, and returns ops for the back end; it knows no back
 * end, reads no clock and allocates nothing. One thread.
 *
 *   FREE -> (PROXY) -> OPEN -> (HELD) -> DRAINING -> LINGER -> CLOSING -> FREE
 *
 * PROXY     accepted; its PROXY header is awaited, and the application does not know of it.
 * OPEN      receives and sends.
 * PAUSED    OPEN, but does not receive (rs_session_pause, or back-pressure); back to OPEN.
 * HELD      an orderly end is deferred: an answer is owed (rs_session_hold): sends only.
 * DRAINING  ended with something to flush: no more for the application, queued sends go out.
 * LINGER    flushed; our FIN is out, bytes still coming are thrown away until the peer's FIN, so
 *           that closing with unread bytes does not reset away the tail we sent.
 * CUT       OPEN, HELD or PAUSED until its blocks were needed: takes nothing any more; on_close
 *           follows at the end of the turn, so that it meets nobody in the middle of a callback.
 * CLOSING   the CLOSE op is with the back end; its completion is the last of this generation.
 *
 * Close is a state, free is a count: a slot is free again only when CLOSE has completed, and then
 * nothing of it is in flight (asserted). Each use of a slot has its own generation.
 *
 * Back-pressure: a session receives only when the send blocks that the answers may take are there
 * (its reserve, or a promise from the common part; core/sendq.h), so that no answer ends a session
 * for want of a block, and only as many bytes as may still be queued, so that no echo ends one as a
 * slow consumer. A session that waits for such room ends so when none of its sends has completed
 * for RS_STALLED_MS; a raw application's, and with pause_slow any, which never reads beyond its
 * reserve either, waits for ever. With pause_slow the queue that counts may be another session's
 * (rs_session_set_source). What the application sends of itself beyond queued_bytes_max ends a
 * session at once.
 *
 * Several receives (cfg.recvs): they go out whenever the session is OPEN, into slices that are its
 * own, and what comes is asked the same before it is read: what may not be answered yet waits in
 * its slices, and the session is PAUSED. */
#ifndef RS_CORE_SESSION_H
#define RS_CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/app.h"
#include "core/app_timers.h"
#include "core/counters.h"
#include "core/handle.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "core/op.h"
#include "core/sendq.h"
#include "core/slab.h"
#include "core/timer.h"

typedef enum rs_session_state {
    RS_SESSION_FREE,
    RS_SESSION_PROXY,
    RS_SESSION_OPEN,
    RS_SESSION_HELD,
    RS_SESSION_PAUSED, /* these three take sends */
    RS_SESSION_CUT,
    RS_SESSION_DRAINING,
    RS_SESSION_LINGER,
    RS_SESSION_CLOSING
} rs_session_state;

/* Why a session is PAUSED; 0: about to continue. */
#define RS_PAUSE_APP 0x01u   /* rs_session_pause */
#define RS_PAUSE_QUEUE 0x02u /* its own queue: replies might find no block, or no room */
#define RS_PAUSE_FULL 0x04u  /* no room: each send must complete within RS_STALLED_MS */

/* rs_session_notify_low; not 0: careful too. */
#define RS_LOW_WANTED 1u
#define RS_LOW_DUE 2u

typedef struct rs_sessions rs_sessions;

/* In last_frame_ms, with a handshake_ms: no whole frame has come yet. The first one overwrites it,
 * as any does, so that it costs nothing on a message's way. */
#define RS_AWAITED (UINT64_C(1) << 63)

/* A session's place in the table. */
typedef struct rs_slot {
    rs_session handle; /* the application's handle; its ops are those of rs_slot_table */
    uint8_t *recv_at;  /* in its slice: position of the next received byte; ... */
    uint32_t
        recv_room; /* ... the kernel's from there to the end of the slice while recv_in_flight. With
                      several slices: of the one with what is held, and 0 when nothing is */
    uint32_t held; /* bytes before recv_at that are not yet parsed; 0: nothing is in the slice */
    bool careful;  /* each RECV asks whether it may */
    uint8_t state; /* rs_session_state */
    uint8_t recv_in_flight; /* [0, cfg.recvs] */
    uint8_t touched;        /* 0 or 1: in table->touched */
    uint8_t reason;         /* rs_close_reason, from the end of OPEN on */
    bool abort;             /* close by reset */
    bool peer_ended;        /* the peer's FIN has come */
    bool abort_posted;      /* a CLOSE with RS_OPF_ABORT is with the back end */
    bool quarantined;       /* ... and not expected back */
    uint8_t pause;          /* RS_PAUSE_* */
    uint8_t low;            /* RS_LOW_* */
    uint32_t holds;         /* answers owed; 0 once it has ended */
    rs_sendq sendq;
    uint64_t bytes_in, bytes_out; /* received, sent and completed */
    uint64_t
        last_frame_ms; /* when it last sent a whole frame, or with RS_PAUSE_FULL accepted a send */
} rs_slot;

/* What few messages need, beside the slots. */
typedef struct rs_slot_cold {
    rs_ends ends;
    uint64_t opened_ms;
    uint32_t handed;       /* messages with another thread whose replies are not back, ... */
    uint32_t handed_bytes; /* ... and their bytes */
} rs_slot_cold;

/* With pause_slow, slots: while whose queue has room a session is read from, and who else is read
 * from while its own has; each the other's inverse. Its own: nobody else (rs_session_set_source).
 */
typedef struct rs_slot_link {
    uint32_t sink, source;
} rs_slot_link;

/* With a rate_max: a second of a session that began with a frame. */
typedef struct rs_slot_rate {
    uint64_t start_ms;
    int64_t frames; /* in it; below 0: as many more, for the time that we were away */
} rs_slot_rate;

/* With several receives: the slices of a session. One of them holds the beginning of a frame or
 * what a pause left unread (rs_slot.held > 0), the others are with the kernel, wait to be read in
 * the order of the stream, or are free. A frame that goes on in the next slice is completed by a
 * copy of its rest. */
typedef struct rs_slot_slices {
    uint32_t bytes[RS_RECVS_IN_FLIGHT_MAX]; /* received; of those that wait */
    uint8_t waits[RS_RECVS_IN_FLIGHT_MAX];  /* ring */
    uint8_t free[RS_RECVS_IN_FLIGHT_MAX];   /* stack */
    uint8_t wait_head, wait_count, free_count;
    uint8_t holds;      /* which one rs_slot.recv_at is in; RS_SLICE_NONE: none */
    uint32_t read;      /* bytes of the oldest that waits */
    bool frame_is_seen; /* paused: what is held is the beginning of a frame */
} rs_slot_slices;

#define RS_SLICE_NONE UINT8_MAX

typedef struct rs_sessions_config {
    uint32_t shard;
    rs_server *server; /* rs_session_server; nullable in tests */

    /* left: a session with a ticket (rs_sessions_memory.tickets) has ended: it no longer counts as
     * one, and the peer does not know yet. */
    void (*left)(void *ctx, uint32_t ticket);
    void *left_ctx;
    uint32_t sessions_max; /* OPEN or HELD at once; the table has more slots for closing ones */
    uint32_t slot_count;   /* >= sessions_max */
    uint32_t recvs;      /* in flight, each into a slice of its own: [1, RS_RECVS_IN_FLIGHT_MAX] */
    uint32_t recv_bytes; /* receive slice, >= frame_bytes_max */
    uint32_t frame_bytes_max;
    uint32_t sends_in_flight;  /* [1, RS_SENDS_IN_FLIGHT_MAX] */
    uint32_t idle_timeout_ms;  /* 0 = none */
    uint32_t rate_max;         /* frames a second of one session; 0 = no limit */
    uint32_t handshake_ms;     /* for the first whole frame (raw: bytes); 0 = none */
    uint32_t drain_timeout_ms; /* for flushing and for lingering */
    uint32_t blocks_handed; /* not 0: messages go to another thread; this many more send blocks for
                               their replies */
    uint32_t shared_blocks; /* send blocks of broadcasts alive at once, >= 1 */
    bool pause_slow;        /* who does not read is waited for */
    bool proxy; /* what is accepted begins with a PROXY header, no longer than recv_bytes */
} rs_sessions_config;

struct rs_sessions {
    rs_session_ops ops;
    rs_sessions_config cfg;
    rs_app app;
    rs_slot *sessions;   /* [slot_count] */
    rs_slot_cold *cold;  /* [slot_count] */
    uint32_t *free_next; /* [slot_count]; of one that takes sends: its place in open */
    uint32_t *open;      /* [open_count]: those that take sends or await a header, in no order */
    uint32_t free_head;  /* oldest free slot first, so that a slot rests before it is used again */
    uint32_t free_tail;
    uint32_t open_count;  /* state PROXY, OPEN or HELD */
    uint32_t used_count;  /* state != FREE */
    uint32_t quarantined; /* ... whose CLOSE is no longer expected, and the last such slot */
    uint32_t straggler;
    rs_slot **touched;     /* [2 * slot_count]: those that may have ops, in order */
    rs_slot **touched_end; /* behind the last one */
    rs_slot_rate *rates;   /* [slot_count], with cfg.rate_max; app.on_message then counts first: */
    void (*counted)(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes);
    rs_slot_slices *slices; /* [slot_count]; NULL: one each */
    uint32_t *tickets;      /* [slot_count]: 0, or for cfg.left; NULL without it */
    uint32_t *low_marks;    /* [slot_count]: with RS_LOW_WANTED, bytes; NULL without on_low */
    rs_slot_link *links;    /* [slot_count], with cfg.pause_slow; else NULL */
    rs_timers timers;
    rs_timer_table *app_timers; /* NULL: the application has none here, or is on another thread */
    rs_timer_wheel *app_wheel;  /* of these; both set by the caller after rs_sessions_init */
    rs_sendq_pool sendq_pool;
    uint32_t answer_blocks; /* send blocks that the replies to one RECV may take */
    uint32_t easy;          /* own blocks up to which the replies find blocks and room */
    bool careful;           /* a framed session checks at each RECV */
    uint64_t searched_ms;   /* when a search for holders of shared blocks found none */
    uint32_t frame_lengths; /* how many are legal; 0: raw, or a framer says */
    uint8_t *recv_base;     /* as rs_sessions_memory says, ... */
    uint8_t **recv_scattered;
    uint16_t region;         /* ... and the one registered region: receive slices and send blocks */
    rs_counters counters;    /* not all is in there: rs_sessions_add_counters */
    rs_histogram send_ns;    /* post of a send to its completion; see rs_sessions_add_send_ns */
    uint64_t send_run_ns;    /* the last value, and how often it was seen since it was recorded: */
    uint64_t send_run_count; /* sends of one batch all have the same one */
    uint64_t now_ns;         /* set by rs_sessions_set_time at each turn */
    uint64_t now_ms;
    uint64_t away_ns;    /* when the last absence began, a turn of RS_AWAY_MS or more, ... */
    uint64_t back_ns;    /* ... and ended */
    uint64_t expired_ms; /* the deadlines up to this millisecond have been checked */
};

_Static_assert(offsetof(rs_slot, handle) == 0, "an application's session is the slot's beginning");
_Static_assert(offsetof(rs_sessions, ops) == 0, "and its operations the table's");

static inline rs_sessions *rs_slot_table(const rs_slot *slot) {
    return (rs_sessions *)(void *)slot->handle.ops;
}

static inline rs_slot_cold *rs_slot_cold_of(const rs_slot *slot) {
    return &rs_slot_table(slot)->cold[slot->handle.index];
}

/* Memory the caller provides, each sized as the member says; it lives as long as the table. */
typedef struct rs_sessions_memory {
    rs_slot *sessions;          /* [slot_count] */
    rs_slot_cold *cold;         /* [slot_count] */
    uint32_t *free_next;        /* [slot_count] */
    uint32_t *open;             /* [slot_count] */
    rs_slot **touched;          /* [2 * slot_count] */
    rs_timer_node *timer_nodes; /* [slot_count] */
    rs_slot_rate *rates;        /* [slot_count], with a rate_max; else NULL */
    rs_slot_slices *slices;     /* [slot_count], with several receives; else NULL */
    uint32_t *tickets;          /* [slot_count], with cfg.left; else NULL */
    uint32_t *low_marks;        /* [slot_count], with the application's on_low; else NULL */
    rs_slot_link *links;        /* [slot_count], with cfg.pause_slow; else NULL */
    rs_slab *blocks; /* send blocks, at least rs_sessions_blocks; also those of broadcasts */
    rs_sendq_entry *entries; /* [entry_count], see rs_sendq_config */
    uint32_t entry_count;
    uint8_t *recv_base;       /* slice k of slot i: at recv_base + (i * cfg.recvs + k) *
                               * cfg.recv_bytes, or ... */
    uint8_t **recv_scattered; /* ... recv_scattered[i * cfg.recvs + k]; exactly one is non-NULL */
    uint16_t region;          /* as registered with the back end; holds all of the above */
    uint32_t queued_bytes_max;
    bool coalesce;
} rs_sessions_memory;

/* rs_sessions_reserve_blocks: send blocks reserved for each session: as many as it may have in
 * flight, and room for the replies to a full receive slice behind one of them, or behind all of
 * them if the replies come from another thread, turn by turn. */
uint32_t rs_sessions_reserve_blocks(const rs_sessions_config *cfg, uint32_t block_bytes);

/* rs_sessions_blocks: send blocks in all: the reserves of all slots, blocks_handed, shared_blocks.
 * More of them are for reading ahead. */
uint64_t rs_sessions_blocks(const rs_sessions_config *cfg, uint32_t block_bytes);

/* rs_sessions_init: every slot free, at time now_ns. The sessions are the calling thread's. */
void rs_sessions_init(rs_sessions *table, const rs_sessions_config *cfg, const rs_app *app,
                      const rs_sessions_memory *memory, uint64_t now_ns);

/* rs_sessions_set_time: the current time for the following calls. Never goes back. Called at each
 * turn, and after rs_sessions_next_ms at the latest: a longer while was an absence (RS_AWAY_MS). */
void rs_sessions_set_time(rs_sessions *table, uint64_t now_ns);

/* rs_sessions_add_counters: adds the table's counters. O(slots) */
void rs_sessions_add_counters(const rs_sessions *table, rs_counters *into);

/* rs_sessions_queued_bytes: queued on all sessions, those that are ending included. O(slots) */
uint64_t rs_sessions_queued_bytes(const rs_sessions *table);

/* rs_sessions_reserve: the slot and generation for the next connection, and its reserve of send
 * blocks; false if sessions_max are open or no slot is free. Follow it with exactly one of the next
 * four. */
bool rs_sessions_reserve(rs_sessions *table, uint32_t *conn, uint32_t *generation);

/* rs_sessions_give_ticket: for rs_sessions_open, which follows; with cfg.left. 0: none. */
void rs_sessions_give_ticket(rs_sessions *table, uint32_t conn, uint32_t ticket);

/* rs_sessions_open: the reserved slot is attached: OPEN, on_open is called; with cfg.proxy once the
 * header has come, and if none comes, neither on_open nor on_close. ends: copied; NULL: unknown. */
void rs_sessions_open(rs_sessions *table, uint32_t conn, const rs_ends *ends);

/* rs_sessions_open_out: the same for a connection that this side has opened; user: what
 * rs_session_user returns from on_open on. */
void rs_sessions_open_out(rs_sessions *table, uint32_t conn, const rs_ends *ends, uint64_t user);

/* rs_sessions_abandon: the reserved slot was bound, and its connection does not come about: the
 * caller submits a CLOSE with RS_OPF_ABORT, whose completion frees the slot. */
void rs_sessions_abandon(rs_sessions *table, uint32_t conn);

/* rs_sessions_unreserve: attaching failed: the slot is free again. */
void rs_sessions_unreserve(rs_sessions *table, uint32_t conn);

/* rs_sessions_complete: handles completions of kind RECV, SEND, SHUTDOWN and CLOSE, up to an ACCEPT
 * or a CONNECT, which belong to no session yet. Any conn and generation is legal; one that is not
 * current is counted as stale and dropped. Returns how many it handled. */
uint32_t rs_sessions_complete(rs_sessions *table, const rs_completion *completions, uint32_t count);

/* rs_sessions_expire: closes idle sessions, escalates closes that hang and gives up those that
 * still do (seam/backend.h, point 4; table->quarantined, counters.quarantined), if the deadline was
 * not after upto_ms: the latest time up to which the caller has passed all completions to
 * rs_sessions_complete. Not after the table's time. */
void rs_sessions_expire(rs_sessions *table, uint64_t upto_ms);

/* rs_sessions_run_timers: calls what the application's timers call, as far as they were due at the
 * table's time. With app_timers only. */
void rs_sessions_run_timers(rs_sessions *table);

/* rs_sessions_collect: fills ops with the ops of the touched sessions, at most cap >=
 * RS_SESSION_OPS_MAX. Returns the count; call again until it returns 0. */
#define RS_SESSION_OPS_MAX                                                                         \
    (RS_SENDS_IN_FLIGHT_MAX + RS_RECVS_IN_FLIGHT_MAX + 2u) /* and shutdown, close */
uint32_t rs_sessions_collect(rs_sessions *table, rs_op *ops, uint32_t cap);

/* rs_sessions_refused: the back end refused this op: treated as a failure. */
void rs_sessions_refused(rs_sessions *table, const rs_op *op, rs_status why);

/* rs_sessions_shared_acquire, rs_sessions_shared_release: as ringside/session.h's, for a caller
 * without a session. */
bool rs_sessions_shared_acquire(rs_sessions *table, rs_shared *out);
void rs_sessions_shared_release(rs_sessions *table, rs_shared *shared);

/* rs_sessions_broadcast: queues data[0..bytes) on the sessions of ids[0..count), or of all with ids
 * NULL, through one shared block if there is one. One that cannot take it is cut: its on_close
 * comes with the ops of this turn, so nothing that is being walked changes meanwhile. Returns how
 * many of ids were ended, stale or another shard's. */
uint32_t rs_sessions_broadcast(rs_sessions *table, const rs_session_id *ids, uint32_t count,
                               const uint8_t *data, uint32_t bytes);

/* rs_sessions_find: the session of an id, open or held; NULL if it is stale, ended or of another
 * shard. */
rs_slot *rs_sessions_find(rs_sessions *table, rs_session_id id);

/* rs_sessions_close_all: ends every open session with RS_CLOSE_SHUTDOWN (flushed, deferred by
 * holds), or, with abort, forces every used one. */
void rs_sessions_close_all(rs_sessions *table, bool abort);

/* rs_sessions_next_ms: milliseconds until rs_sessions_expire has something to do, or until the time
 * must be set again so that a sleep is not taken for an absence; UINT64_MAX = never. */
uint64_t rs_sessions_next_ms(const rs_sessions *table);

/* rs_sessions_add_send_ns: adds the times from post to completion of all sends so far. */
void rs_sessions_add_send_ns(const rs_sessions *table, rs_histogram *into);

/* rs_session_takes: the session accepts sends, and on_close is still to come. */
static inline bool rs_session_takes(const rs_slot *session) {
    return session->state >= RS_SESSION_OPEN && session->state <= RS_SESSION_PAUSED;
}

/* rs_session_hand_over, rs_session_handed_back: a message of so many bytes goes to another thread,
 * which holds the session (rs_session_hold) until its replies are back. More is received meanwhile
 * only if there are blocks for all replies, and room in the queue. */
void rs_session_hand_over(rs_slot *session, uint32_t bytes);
void rs_session_handed_back(rs_slot *session, uint32_t bytes);

#endif
