/* SPDX-License-Identifier: MIT */
/* The hand-over between shards and the logic thread. Each channel has three parts: what the shard
 * alone touches, what the logic thread alone touches, and the rings and words between them. */
#include "server/logic.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "server/spsc.h"
#include "server/timer_memory.h"

/* To the logic thread: value = session id; of START, POST and END: nothing; of TIMER: which. OPEN,
 * payload: logic_opened. */
enum {
    TO_OPEN = 1,
    TO_MESSAGE,
    TO_CLOSED, /* payload: the reason, one byte */
    TO_START,
    TO_POST, /* payload: logic_post */
    TO_TIMER,
    TO_LOW,            /* payload: which request of the session this answers */
    TO_CONNECT_FAILED, /* payload: logic_connect_failed */
    TO_END
};

typedef struct logic_opened {
    rs_ends ends;
    uint64_t user;
} logic_opened;

typedef struct logic_connect_failed {
    uint64_t user;
    uint32_t why, left;
} logic_connect_failed;

typedef struct logic_post {
    rs_shard_fn fn;
    void *arg;
} logic_post;

/* To the shard: value = session id. LONG: a send too large for a record, payload: the address of
 * its bytes. DONE: a message was handled, its hold is released; its bytes are above the kind, so
 * that the record needs no payload. FRAME, payload: the data of the following SHARED records, until
 * FRAME_END; these two have no session, nor has STARTED, with its status above the kind. TIMER and
 * CANCEL: value = the timer; of TIMER, payload: milliseconds from when the shard reads it. */
enum {
    FROM_FRAME = 1,
    FROM_FRAME_END,
    FROM_SHARED,
    FROM_SEND,
    FROM_LONG,
    FROM_CLOSE,
    FROM_PAUSE,
    FROM_RESUME,
    FROM_HOLD,
    FROM_RELEASE,
    FROM_DONE,
    FROM_LOW,    /* payload: the bytes */
    FROM_SOURCE, /* payload: the id of the source */
    FROM_STARTED,
    FROM_TIMER,
    FROM_CANCEL
};
#define FROM_KIND_BITS 8u /* above: bytes of DONE, 2^20 at most; reason of CLOSE */

typedef struct logic_long_send {
    const uint8_t *data;
    uint32_t bytes;
} logic_long_send;

/* What a sleeping shard waits for. */
enum { SHARD_AWAKE, SHARD_POLLS /* records */, SHARD_POLLS_FOR_ROOM /* or room */, SHARD_WAITS };

/* What the logic thread sleeps for. */
enum { LOGIC_AWAKE, LOGIC_WANTS_RECORDS, LOGIC_WANTS_ROOM };

enum { CHANNEL_NONE, CHANNEL_OPEN, CHANNEL_ENDED };

/* An on_close that is not in the ring yet. One per slot is enough: the slot is opened again only by
 * a later record. */
typedef struct logic_close {
    rs_session_id id;
    uint32_t next;
    uint8_t reason;
} logic_close;

#define CLOSE_NONE UINT32_MAX

/* A session as the application on the logic thread sees it: its calls become records. */
typedef struct logic_session {
    rs_session handle;
    rs_logic_channel *channel;
    uint64_t bytes_in, bytes_out; /* delivered and sent here */
    uint32_t low_asked;           /* how often; only the last time is answered */
    uint8_t state;                /* LOGIC_* */
} logic_session;

typedef struct logic_peer {
    rs_ends ends;
    uint64_t opened_ns;
} logic_peer;

enum {
    LOGIC_FREE,
    LOGIC_OPEN,
    LOGIC_CLOSED /* by the application, or on_close is being called */
};

struct rs_logic_channel {
    rs_logic *logic;
    rs_logic_channel_config cfg;
    rs_spsc to_logic, from_logic;
    rs_atomic_u32 state;       /* CHANNEL_* */
    rs_atomic_u32 shard_sleep; /* SHARD_* */
    rs_os_event *room;         /* set for a shard that SHARD_WAITS */
    /* the shard's */
    logic_close *closes; /* [slot_count] */
    uint32_t close_head, close_tail;
    bool handed;          /* a record since the logic thread was last checked */
    rs_shared frame;      /* for many sessions; generation 0: there was no block, ... */
    uint8_t *frame_copy;  /* ... it is here, [payload_max] */
    uint32_t frame_bytes; /* 0 = none */
    uint32_t *low_seen;   /* [slot_count]: FROM_LOW of this session so far; NULL without on_low */
    bool started;         /* on_shard_start has returned: */
    rs_status start_status;
    rs_timer_wheel wheel; /* with cfg.timers */
    uint64_t dropped, shard_fulls, logic_wakes;
    uint8_t pad[RS_CACHE_LINE_BYTES];
    /* the logic thread's */
    rs_session_ops ops;
    logic_session *sessions; /* [slot_count] */
    logic_peer *peers;       /* [slot_count] */
    rs_slab blocks;
    rs_slab_entry *block_entries;
    bool sent; /* a record since the shard was last checked */
    bool runs; /* on_shard_end is due */
    rs_timer_table timers;
    rs_shared told; /* the frame that the shard has */
    uint32_t told_bytes;
    rs_atomic_u64 shard_wakes, logic_fulls, refused; /* written by one, read by the other */
    /* memory */
    uint8_t *rings;
    size_t rings_bytes;
    uint8_t *block_memory;
    size_t block_memory_bytes;
    rs_timer_memory timer_memory;
};

struct rs_logic {
    rs_app app;
    bool threaded;
    bool stepping; /* the logic thread's */
    uint32_t channel_count;
    rs_os_event *work;
    rs_atomic_u32 sleep; /* LOGIC_* */
    rs_atomic_u32 stop_asked;
    rs_atomic_u32 room_told; /* on_room is due */
    rs_logic_channel *channels[RS_SHARDS_MAX];
    rs_atomic_u32 attached[RS_SHARDS_MAX]; /* channels[i] may be read */
};

static RS_THREAD_LOCAL const rs_logic *logic_here; /* that this thread runs */

static void count_up(rs_atomic_u64 *counter) {
    rs_atomic_store_u64(counter, rs_atomic_load_u64(counter) + 1);
}

/* ---- the shard's side: waking and waiting */

/* The logic thread may be sleeping and waiting for this. */
static void channel_kick(rs_logic_channel *channel, bool drained) {
    rs_logic *logic = channel->logic;
    uint32_t asleep = rs_atomic_add_u32(&logic->sleep, 0);
    bool wake = (asleep == LOGIC_WANTS_RECORDS && channel->handed) ||
                (asleep == LOGIC_WANTS_ROOM && drained);
    channel->handed = false;
    if (wake && rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE) != LOGIC_AWAKE) {
        channel->logic_wakes++;
        rs_os_event_set(logic->work);
    }
}

void rs_logic_channel_release(rs_logic_channel *channel, rs_slot *session) {
    if (session->holds > rs_slot_cold_of(session)->handed) {
        rs_session_release(&session->handle);
    } else { /* the application has none: the remaining ones belong to messages */
        channel->cfg.sessions->counters.refused_releases++;
    }
}

static void channel_take_long(rs_session *session, const rs_spsc_record *record) {
    logic_long_send send;
    RS_ASSERT(record->bytes == sizeof send);
    memcpy(&send, rs_spsc_payload(record), sizeof send);
    (void)rs_session_send(session, send.data, send.bytes); /* a failure closed it */
}

static void channel_drop_frame(rs_logic_channel *channel) {
    RS_ASSERT(channel->frame.generation == 0 || channel->frame_bytes > 0);
    if (channel->frame.generation != 0) {
        rs_sessions_shared_release(channel->cfg.sessions, &channel->frame);
    }
    channel->frame = (rs_shared){.data = NULL};
    channel->frame_bytes = 0;
}

static void channel_take_frame(rs_logic_channel *channel, const rs_spsc_record *record) {
    uint8_t *to = channel->frame_copy;
    RS_ASSERT(record->bytes > 0);
    RS_ASSERT(record->bytes <= channel->cfg.payload_max);
    channel_drop_frame(channel);
    if (record->bytes <= channel->cfg.block_bytes &&
        rs_sessions_shared_acquire(channel->cfg.sessions, &channel->frame)) {
        to = channel->frame.data;
    }
    RS_ASSERT(to != NULL);
    memcpy(to, rs_spsc_payload(record), record->bytes);
    channel->frame_bytes = record->bytes;
}

static void channel_send_frame(rs_logic_channel *channel, rs_session *session) {
    RS_ASSERT(channel->frame_bytes > 0);
    if (channel->frame.generation != 0) {
        (void)rs_shared_send(session, &channel->frame, channel->frame_bytes);
    } else {
        (void)rs_session_send(session, channel->frame_copy, channel->frame_bytes);
    }
}

static void channel_take_timer(rs_logic_channel *channel, const rs_spsc_record *record) {
    uint32_t ms;
    RS_ASSERT(record->bytes == sizeof ms);
    memcpy(&ms, rs_spsc_payload(record), sizeof ms);
    rs_timer_wheel_arm(&channel->wheel, record->value, ms);
}

/* What has no session. False: it has. */
static bool channel_take_general(rs_logic_channel *channel, const rs_spsc_record *record,
                                 uint32_t kind) {
    switch (kind) {
    case FROM_FRAME:
        channel_take_frame(channel, record);
        return true;
    case FROM_FRAME_END:
        channel_drop_frame(channel);
        return true;
    case FROM_STARTED:
        channel->started = true;
        channel->start_status = (rs_status)(record->kind >> FROM_KIND_BITS);
        return true;
    case FROM_TIMER:
        channel_take_timer(channel, record);
        return true;
    case FROM_CANCEL:
        rs_timer_wheel_cancel(&channel->wheel, record->value);
        return true;
    default:
        return false;
    }
}

static void channel_take_low(rs_logic_channel *channel, rs_session *session,
                             const rs_spsc_record *record) {
    uint32_t bytes;
    RS_ASSERT(record->bytes == sizeof bytes && channel->low_seen != NULL);
    memcpy(&bytes, rs_spsc_payload(record), sizeof bytes);
    channel->low_seen[session->index]++;
    (void)rs_session_notify_low(session, bytes);
}

/* Whichever of the two has ended: there is nothing to link. */
static void channel_take_source(const rs_logic_channel *channel, rs_session *session,
                                const rs_spsc_record *record) {
    rs_session_id id;
    rs_slot *source;
    RS_ASSERT(record->bytes == sizeof id);
    memcpy(&id, rs_spsc_payload(record), sizeof id);
    source = rs_sessions_find(channel->cfg.sessions, id);
    if (source != NULL) {
        (void)rs_session_set_source(session, &source->handle);
    }
}

static void channel_take(rs_logic_channel *channel, const rs_spsc_record *record) {
    uint32_t kind = record->kind & ((1u << FROM_KIND_BITS) - 1u);
    rs_slot *slot;
    rs_session *session;
    if (channel_take_general(channel, record, kind)) {
        return;
    }
    slot = rs_sessions_find(channel->cfg.sessions, record->value);
    RS_ASSERT(slot == NULL || rs_session_takes(slot));
    if (slot == NULL) {
        /* Its holds ended with it: only the application's requests are lost. */
        channel->dropped += kind < FROM_PAUSE ? 1u : 0u;
        return;
    }
    session = &slot->handle;
    switch (kind) {
    case FROM_SHARED:
        channel_send_frame(channel, session);
        break;
    case FROM_SEND:
        /* A failure closed it. */
        (void)rs_session_send(session, rs_spsc_payload(record), record->bytes);
        break;
    case FROM_LONG:
        channel_take_long(session, record);
        break;
    case FROM_CLOSE:
        session->ops->close(session, (rs_close_reason)(record->kind >> FROM_KIND_BITS));
        break;
    case FROM_HOLD:
        rs_session_hold(session);
        break;
    case FROM_RELEASE:
        rs_logic_channel_release(channel, slot);
        break;
    case FROM_DONE:
        rs_session_handed_back(slot, record->kind >> FROM_KIND_BITS);
        break;
    case FROM_LOW:
        channel_take_low(channel, session, record);
        break;
    case FROM_SOURCE:
        channel_take_source(channel, session, record);
        break;
    case FROM_PAUSE:
        rs_session_pause(session);
        break;
    case FROM_RESUME:
        rs_session_resume(session);
        break;
    default:
        RS_UNREACHABLE("a record of an unknown kind from the logic thread");
    }
}

/* Everything there now, not what the logic thread adds meanwhile. */
static bool channel_drain(rs_logic_channel *channel) {
    rs_spsc *ring = &channel->from_logic;
    uint32_t pending = rs_spsc_pending(ring);
    uint32_t end = ring->read_at + pending;
    while (ring->read_at != end) {
        const rs_spsc_record *record = rs_spsc_peek(ring);
        RS_ASSERT(record != NULL);
        channel_take(channel, record);
        rs_spsc_done(ring);
    }
    return pending > 0;
}

/* False if the ring is full before all are in it. */
static bool channel_flush_closes(rs_logic_channel *channel) {
    RS_ASSERT((channel->close_head == CLOSE_NONE) == (channel->close_tail == CLOSE_NONE));
    while (channel->close_head != CLOSE_NONE) {
        RS_ASSERT(channel->close_head < channel->cfg.slot_count);
        logic_close *closed = &channel->closes[channel->close_head];
        if (rs_spsc_push(&channel->to_logic, TO_CLOSED, closed->id, &closed->reason, 1) != RS_OK) {
            return false;
        }
        channel->handed = true;
        channel->close_head = closed->next;
    }
    channel->close_tail = CLOSE_NONE;
    return true;
}

/* Sleeps until the logic thread has read or written something, or has ended the channel. */
static void channel_wait(rs_logic_channel *channel, bool for_room) {
    if (!channel->logic->threaded) {
        bool progressed = rs_logic_step(channel->logic);
        RS_ASSERT(progressed);
        return;
    }
    (void)rs_atomic_exchange_u32(&channel->shard_sleep, SHARD_WAITS);
    if (rs_spsc_peek(&channel->from_logic) == NULL &&
        !(for_room && rs_spsc_reader_moved(&channel->to_logic)) &&
        rs_atomic_load_u32(&channel->state) != CHANNEL_ENDED) {
        (void)rs_os_event_wait(channel->room, UINT32_MAX);
    }
    (void)rs_atomic_exchange_u32(&channel->shard_sleep, SHARD_AWAKE);
}

static bool channel_try(rs_logic_channel *channel, uint32_t kind, rs_session_id id,
                        const void *data, uint32_t bytes) {
    if (!channel_flush_closes(channel) ||
        rs_spsc_push(&channel->to_logic, kind, id, data, bytes) != RS_OK) {
        return false;
    }
    channel->handed = true;
    return true;
}

/* The ring is full. A record read meanwhile may end the session of this message (nullable): its
 * on_close is then queued already, and the message must not follow it. */
RS_COLD static void channel_push_waiting(rs_logic_channel *channel, uint32_t kind,
                                         const rs_slot *session, rs_session_id id, const void *data,
                                         uint32_t bytes) {
    channel->shard_fulls++;
    do {
        bool drained = channel_drain(channel);
        channel_kick(channel, drained);
        if (!drained) {
            channel_wait(channel, true);
        }
        if (session != NULL && !rs_session_takes(session)) {
            return;
        }
    } while (!channel_try(channel, kind, id, data, bytes));
}

/* ---- the shard's side: what its sessions call */

static rs_slot *slot_of(rs_logic_channel *channel, const rs_session *session) {
    RS_DEBUG_ASSERT(session->index < channel->cfg.slot_count);
    return &channel->cfg.sessions->sessions[session->index];
}

static void forward_open(void *ctx, rs_session *session) {
    rs_logic_channel *channel = ctx;
    rs_session_id id = rs_session_id_of(session);
    const rs_slot *slot = slot_of(channel, session);
    const logic_opened opened = {.ends = rs_slot_cold_of(slot)->ends, .user = session->user};
    if (channel->low_seen != NULL) {
        channel->low_seen[session->index] = 0;
    }
    if (!channel_try(channel, TO_OPEN, id, &opened, sizeof opened)) {
        channel_push_waiting(channel, TO_OPEN, slot, id, &opened, sizeof opened);
    }
}

static void forward_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    rs_logic_channel *channel = ctx;
    rs_session_id id = rs_session_id_of(session);
    rs_slot *slot = slot_of(channel, session);
    RS_ASSERT(bytes <= channel->cfg.payload_max);
    RS_DEBUG_ASSERT(bytes > 0);
    rs_session_hand_over(slot, bytes); /* until FROM_DONE of this message */
    if (!channel_try(channel, TO_MESSAGE, id, data, bytes)) {
        channel_push_waiting(channel, TO_MESSAGE, slot, id, data, bytes);
    }
}

static void forward_low(void *ctx, rs_session *session) {
    rs_logic_channel *channel = ctx;
    rs_session_id id = rs_session_id_of(session);
    const uint32_t seen = channel->low_seen[session->index];
    if (!channel_try(channel, TO_LOW, id, &seen, sizeof seen)) {
        channel_push_waiting(channel, TO_LOW, slot_of(channel, session), id, &seen, sizeof seen);
    }
}

/* Never waits: it may be called for any session while a push of another one waits. */
static void forward_close(void *ctx, rs_session *session, rs_close_reason reason) {
    rs_logic_channel *channel = ctx;
    logic_close *closed;
    RS_ASSERT(session->index < channel->cfg.slot_count);
    closed = &channel->closes[session->index];
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    RS_ASSERT((channel->close_head == CLOSE_NONE) == (channel->close_tail == CLOSE_NONE));
    *closed = (logic_close){
        .id = rs_session_id_of(session), .next = CLOSE_NONE, .reason = (uint8_t)reason};
    if (channel->close_head == CLOSE_NONE) {
        channel->close_head = session->index;
    } else {
        channel->closes[channel->close_tail].next = session->index;
    }
    channel->close_tail = session->index;
}

/* ---- the shard's side: what has no session */

static void channel_push(rs_logic_channel *channel, uint32_t kind, uint64_t value, const void *data,
                         uint32_t bytes) {
    if (!channel_try(channel, kind, value, data, bytes)) {
        channel_push_waiting(channel, kind, NULL, value, data, bytes);
    }
}

static void forward_connect_failed(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                                   rs_status why, uint32_t left) {
    rs_logic_channel *channel = ctx;
    const logic_connect_failed failed = {.user = user, .why = (uint32_t)why, .left = left};
    RS_ASSERT(server == channel->cfg.server && shard == channel->cfg.shard);
    channel_push(channel, TO_CONNECT_FAILED, 0, &failed, sizeof failed);
}

void rs_logic_channel_run_timers(rs_logic_channel *channel, uint64_t now_ms) {
    rs_timer timer;
    RS_ASSERT(channel->cfg.timers > 0);
    while ((timer = rs_timer_wheel_take(&channel->wheel, now_ms)) != 0) {
        channel_push(channel, TO_TIMER, timer, NULL, 0);
    }
    if (channel->handed) {
        channel_kick(channel, false);
    }
}

const rs_timer_wheel *rs_logic_channel_wheel(const rs_logic_channel *channel) {
    return channel->cfg.timers > 0 ? &channel->wheel : NULL;
}

rs_status rs_logic_channel_start(rs_logic_channel *channel) {
    RS_ASSERT(!channel->started);
    channel_push(channel, TO_START, 0, NULL, 0);
    while (!channel->started) {
        bool drained = channel_drain(channel);
        channel_kick(channel, drained);
        if (!drained) {
            channel_wait(channel, false);
        }
    }
    return channel->start_status;
}

void rs_logic_channel_post(rs_logic_channel *channel, rs_shard_fn fn, void *arg) {
    const logic_post post = {.fn = fn, .arg = arg};
    channel_push(channel, TO_POST, 0, &post, sizeof post);
}

void rs_logic_channel_turn(rs_logic_channel *channel) {
    bool drained;
    (void)channel_flush_closes(channel);
    if (channel->handed) {
        channel_kick(channel, false); /* before the rest of the turn, so that both work at once */
    }
    drained = channel_drain(channel);
    (void)channel_flush_closes(channel);
    if (drained || channel->handed) {
        channel_kick(channel, drained);
    }
}

bool rs_logic_channel_sleep(rs_logic_channel *channel) {
    bool flushed = channel_flush_closes(channel);
    RS_ASSERT(rs_atomic_load_u32(&channel->shard_sleep) == SHARD_AWAKE);
    if (channel->handed) {
        channel_kick(channel, false);
    }
    (void)rs_atomic_exchange_u32(&channel->shard_sleep,
                                 flushed ? SHARD_POLLS : SHARD_POLLS_FOR_ROOM);
    return rs_spsc_peek(&channel->from_logic) == NULL &&
           (flushed || !rs_spsc_reader_moved(&channel->to_logic));
}

void rs_logic_channel_awake(rs_logic_channel *channel) {
    (void)rs_atomic_exchange_u32(&channel->shard_sleep, SHARD_AWAKE);
}

void rs_logic_channel_end(rs_logic_channel *channel) {
    RS_ASSERT(rs_atomic_load_u32(&channel->state) == CHANNEL_OPEN);
    RS_ASSERT(channel->cfg.sessions->open_count == 0); /* each on_close is in line */
    channel_push(channel, TO_END, 0, NULL, 0);
    for (;;) {
        /* Read first: sends before the end are then in the ring. */
        bool ended = rs_atomic_load_u32(&channel->state) == CHANNEL_ENDED;
        bool drained = channel_drain(channel);
        channel_kick(channel, drained);
        if (ended && !drained) {
            break;
        }
        if (!ended && !drained) {
            channel_wait(channel, false);
        }
    }
    RS_ASSERT(channel->close_head == CLOSE_NONE);
    channel_drop_frame(channel);
}

void rs_logic_channel_stats(const rs_logic_channel *channel, rs_counters *into,
                            uint64_t *messages_dropped) {
    RS_ASSERT(messages_dropped != NULL);
    into->logic_wakes += channel->logic_wakes;
    into->shard_wakes += rs_atomic_load_u64(&channel->shard_wakes);
    into->logic_fulls += channel->shard_fulls + rs_atomic_load_u64(&channel->logic_fulls);
    into->refused_releases += rs_atomic_load_u64(&channel->refused);
    *messages_dropped += channel->dropped;
}

/* ---- the logic thread's side */

/* The shard may be sleeping and waiting for this. */
static void logic_kick(rs_logic_channel *channel, bool took) {
    uint32_t asleep = rs_atomic_add_u32(&channel->shard_sleep, 0);
    bool wake =
        (asleep != SHARD_AWAKE && channel->sent) || (asleep >= SHARD_POLLS_FOR_ROOM && took);
    channel->sent = false;
    if (!wake) {
        return;
    }
    /* It may have woken up and gone to sleep elsewhere since. */
    asleep = rs_atomic_exchange_u32(&channel->shard_sleep, SHARD_AWAKE);
    if (asleep == SHARD_WAITS) {
        rs_os_event_set(channel->room);
    } else if (asleep != SHARD_AWAKE) {
        channel->cfg.wake(channel->cfg.wake_ctx);
    }
    if (asleep != SHARD_AWAKE) {
        count_up(&channel->shard_wakes);
    }
}

static void logic_sleep(rs_logic *logic) {
    (void)rs_os_event_wait(logic->work, UINT32_MAX);
    (void)rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE);
}

/* Until the shard has read something; `enough` checks that after the announcement. */
RS_COLD static void logic_wait_for_shard(rs_logic_channel *channel,
                                         bool (*enough)(const rs_spsc *ring)) {
    rs_logic *logic = channel->logic;
    if (!logic->threaded) {
        bool drained = channel_drain(channel);
        RS_ASSERT(drained);
        return;
    }
    channel->sent = true; /* an earlier check may have missed a shard that went to sleep since */
    logic_kick(channel, true);
    (void)rs_atomic_exchange_u32(&logic->sleep, LOGIC_WANTS_ROOM);
    if (enough(&channel->from_logic)) {
        (void)rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE);
    } else {
        logic_sleep(logic);
    }
}

static void logic_push_id(rs_logic_channel *channel, uint32_t kind, rs_session_id id,
                          const uint8_t *data, uint32_t bytes) {
    while (rs_spsc_push(&channel->from_logic, kind, id, data, bytes) != RS_OK) {
        count_up(&channel->logic_fulls);
        logic_wait_for_shard(channel, rs_spsc_reader_moved);
    }
    channel->sent = true;
}

/* A call of the application on one of its sessions. */
static void logic_push(const logic_session *session, uint32_t kind, const uint8_t *data,
                       uint32_t bytes) {
    logic_push_id(session->channel, kind, rs_session_id_of(&session->handle), data, bytes);
}

/* One send is one append on the shard, whole or not at all. A send too large for a record stays in
 * place until the shard has copied it: the shard always progresses (see logic.h), so this wait
 * ends. */
RS_COLD static void logic_send_long(const logic_session *session, const uint8_t *data,
                                    uint32_t bytes) {
    rs_logic_channel *channel = session->channel;
    logic_long_send send = {.data = data, .bytes = bytes};
    logic_push(session, FROM_LONG, (const uint8_t *)&send, sizeof send);
    while (!rs_spsc_is_read(&channel->from_logic)) {
        logic_wait_for_shard(channel, rs_spsc_is_read);
    }
}

static rs_logic_channel *channel_of(rs_session_ops *ops) {
    uint8_t *at = (uint8_t *)ops - offsetof(rs_logic_channel, ops);
    return (rs_logic_channel *)(void *)at;
}

static logic_session *logic_session_of(rs_session *handle) {
    logic_session *session = (logic_session *)(void *)handle;
    RS_DEBUG_ASSERT(handle->ops == &session->channel->ops); /* not a shard's handle */
    return session;
}

static rs_status logic_send(rs_session *handle, const uint8_t *data, uint32_t bytes) {
    logic_session *session = logic_session_of(handle);
    if (session->state != LOGIC_OPEN) {
        return RS_E_CLOSED;
    }
    RS_ASSERT(bytes > 0);
    session->bytes_out += bytes;
    if (bytes > session->channel->cfg.payload_max) {
        logic_send_long(session, data, bytes);
    } else {
        logic_push(session, FROM_SEND, data, bytes);
    }
    return RS_OK;
}

/* Records that need only the session's id. */
static void logic_ask(rs_session *handle, uint32_t kind) {
    const logic_session *session = logic_session_of(handle);
    RS_ASSERT(kind >= FROM_PAUSE);
    RS_ASSERT(kind <= FROM_RELEASE);
    if (session->state == LOGIC_OPEN) {
        logic_push(session, kind, NULL, 0);
    }
}

/* As on a shard: nothing more is sent or delivered. on_close comes when the shard says so. */
static void logic_close_session(rs_session *handle, rs_close_reason reason) {
    logic_session *session = logic_session_of(handle);
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    if (session->state == LOGIC_OPEN) {
        logic_push(session, FROM_CLOSE | (uint32_t)reason << FROM_KIND_BITS, NULL, 0);
        session->state = LOGIC_CLOSED;
    }
}

static void logic_peer_of(const rs_session *handle, rs_peer *out) {
    const logic_session *session = (const logic_session *)(const void *)handle;
    const logic_peer *peer = &session->channel->peers[handle->index];
    *out = (rs_peer){.addr = peer->ends.peer,
                     .local = peer->ends.local,
                     .age_ms = (rs_os_now_ns() - peer->opened_ns) / 1000000u,
                     .bytes_in = session->bytes_in,
                     .bytes_out = session->bytes_out};
}

static void logic_hold(rs_session *handle) {
    logic_ask(handle, FROM_HOLD);
}

static void logic_release(rs_session *handle) {
    logic_ask(handle, FROM_RELEASE);
}

static void logic_pause(rs_session *handle) {
    logic_ask(handle, FROM_PAUSE);
}

static void logic_resume(rs_session *handle) {
    logic_ask(handle, FROM_RESUME);
}

/* A broadcast frame is in a block of the logic thread. It crosses once; each session then adds only
 * its id. */
static bool logic_has_told(const rs_logic_channel *channel, const rs_shared *shared) {
    return channel->told_bytes > 0 && channel->told.index == shared->index &&
           channel->told.generation == shared->generation;
}

static bool logic_shared_acquire(rs_session *handle, rs_shared *out) {
    rs_slab *blocks = &logic_session_of(handle)->channel->blocks;
    rs_slice slice;
    if (!rs_slab_acquire(blocks, &slice)) {
        return false;
    }
    rs_shared_lend(blocks, slice, out);
    RS_ASSERT(rs_shared_is_lent(blocks, out));
    return true;
}

static rs_status logic_shared_send(rs_session *handle, const rs_shared *shared, uint32_t bytes) {
    logic_session *session = logic_session_of(handle);
    rs_logic_channel *channel = session->channel;
    RS_ASSERT(bytes > 0);
    if (!rs_shared_is_lent(&channel->blocks, shared)) {
        return RS_E_INVALID;
    }
    if (session->state != LOGIC_OPEN) {
        return RS_E_CLOSED;
    }
    if (bytes > channel->cfg.payload_max) {
        return logic_send(handle, shared->data, bytes);
    }
    if (!logic_has_told(channel, shared) || channel->told_bytes != bytes) {
        logic_push_id(channel, FROM_FRAME, 0, shared->data, bytes);
        channel->told = *shared;
        channel->told_bytes = bytes;
    }
    session->bytes_out += bytes;
    logic_push(session, FROM_SHARED, NULL, 0);
    return RS_OK;
}

static void logic_shared_release(rs_session *handle, rs_shared *shared) {
    rs_logic_channel *channel = logic_session_of(handle)->channel;
    if (!rs_shared_is_lent(&channel->blocks, shared)) {
        count_up(&channel->refused);
        return;
    }
    if (logic_has_told(channel, shared)) {
        logic_push_id(channel, FROM_FRAME_END, 0, NULL, 0);
        channel->told_bytes = 0;
    }
    rs_slab_release(&channel->blocks, rs_shared_return(&channel->blocks, shared));
}

static rs_status logic_queued_bytes(const rs_session *handle, uint32_t *out) {
    (void)handle;
    (void)out;
    return RS_E_UNSUPPORTED;
}

static rs_status logic_notify_low(rs_session *handle, uint32_t bytes) {
    logic_session *session = logic_session_of(handle);
    if (session->channel->logic->app.on_low == NULL) {
        return RS_E_UNSUPPORTED;
    }
    if (session->state != LOGIC_OPEN) {
        return RS_E_CLOSED;
    }
    session->low_asked++;
    logic_push(session, FROM_LOW, (const uint8_t *)&bytes, sizeof bytes);
    return RS_OK;
}

static rs_status logic_set_source(rs_session *handle, rs_session *source_handle) {
    const logic_session *session = logic_session_of(handle);
    const logic_session *source = source_handle != NULL ? logic_session_of(source_handle) : session;
    rs_session_id id;
    if (session->channel->cfg.sessions->links == NULL) {
        return RS_E_UNSUPPORTED;
    }
    if (session->state != LOGIC_OPEN || source->state != LOGIC_OPEN) {
        return RS_E_CLOSED;
    }
    id = rs_session_id_of(&source->handle);
    logic_push(session, FROM_SOURCE, (const uint8_t *)&id, sizeof id);
    return RS_OK;
}

/* The table is here, the wheel on the shard: a timer that was cancelled or set anew meanwhile may
 * still come from there, and is not in the table any more. */
static rs_status logic_timer_set(rs_session_ops *ops, const rs_session *handle, uint32_t ms,
                                 rs_timer_call call, rs_timer *out) {
    rs_logic_channel *channel = channel_of(ops);
    if (handle != NULL && channel->sessions[handle->index].state != LOGIC_OPEN) {
        return RS_E_CLOSED;
    }
    if (channel->cfg.timers > 0) {
        *out = rs_timer_table_set(&channel->timers,
                                  handle != NULL ? handle->index : RS_TIMER_NO_OWNER, call);
    }
    if (*out == 0) {
        return RS_E_FULL;
    }
    logic_push_id(channel, FROM_TIMER, *out, (const uint8_t *)&ms, sizeof ms);
    return RS_OK;
}

static void logic_timer_cancel(rs_session_ops *ops, rs_timer timer) {
    rs_logic_channel *channel = channel_of(ops);
    if (channel->cfg.timers > 0 && rs_timer_table_take(&channel->timers, timer, NULL, NULL)) {
        logic_push_id(channel, FROM_CANCEL, timer, NULL, 0);
    }
}

static void logic_end_timers(rs_logic_channel *channel, uint32_t index) {
    rs_timer timer;
    while (channel->cfg.timers > 0 &&
           (timer = rs_timer_table_first(&channel->timers, index)) != 0) {
        logic_timer_cancel(&channel->ops, timer);
    }
}

/* The thread: whichever delivers (logic_batch). */
static rs_session_ops logic_ops(const rs_logic_channel_config *cfg) {
    RS_ASSERT(cfg->shard < RS_SHARDS_MAX);
    return (rs_session_ops){.shard = cfg->shard,
                            .server = cfg->server,
                            .send = logic_send,
                            .close = logic_close_session,
                            .peer = logic_peer_of,
                            .hold = logic_hold,
                            .release = logic_release,
                            .pause = logic_pause,
                            .set_source = logic_set_source,
                            .resume = logic_resume,
                            .shared_acquire = logic_shared_acquire,
                            .shared_send = logic_shared_send,
                            .shared_release = logic_shared_release,
                            .queued_bytes = logic_queued_bytes,
                            .notify_low = logic_notify_low,
                            .timer_set = logic_timer_set,
                            .timer_cancel = logic_timer_cancel};
}

static void logic_on_open(const rs_app *app, logic_session *session, const rs_spsc_record *record) {
    logic_peer *peer = &session->channel->peers[session->handle.index];
    logic_opened opened;
    RS_ASSERT(session->state == LOGIC_FREE);
    RS_ASSERT(record->bytes == sizeof opened);
    memcpy(&opened, rs_spsc_payload(record), sizeof opened);
    session->state = LOGIC_OPEN;
    session->handle.generation = rs_session_id_generation(record->value);
    session->handle.user = opened.user;
    session->bytes_in = session->bytes_out = 0;
    peer->ends = opened.ends;
    peer->opened_ns = rs_os_now_ns();
    session->low_asked = 0;
    if (app->on_open != NULL) {
        app->on_open(app->ctx, &session->handle);
    }
}

static void logic_on_message(const rs_app *app, logic_session *session,
                             const rs_spsc_record *record) {
    RS_DEBUG_ASSERT(record->bytes > 0);
    RS_ASSERT(session->state != LOGIC_FREE);
    if (session->state == LOGIC_OPEN) { /* else the application has closed it */
        session->bytes_in += record->bytes;
        app->on_message(app->ctx, &session->handle, rs_spsc_payload(record), record->bytes);
    }
    logic_push(session, FROM_DONE | record->bytes << FROM_KIND_BITS, NULL, 0);
}

static void logic_on_low(const rs_app *app, logic_session *session, const rs_spsc_record *record) {
    uint32_t seen;
    RS_ASSERT(record->bytes == sizeof seen);
    memcpy(&seen, rs_spsc_payload(record), sizeof seen);
    if (session->state == LOGIC_OPEN && seen == session->low_asked) {
        app->on_low(app->ctx, &session->handle);
    }
}

static void logic_on_closed(const rs_app *app, logic_session *session, uint8_t reason) {
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    RS_ASSERT(session->state != LOGIC_FREE);
    session->state = LOGIC_CLOSED;
    logic_end_timers(session->channel, session->handle.index);
    if (app->on_close != NULL) {
        app->on_close(app->ctx, &session->handle, (rs_close_reason)reason);
    }
    session->state = LOGIC_FREE;
}

static void logic_on_start(rs_logic_channel *channel, const rs_app *app) {
    rs_status status = RS_OK;
    if (app->on_shard_start != NULL) {
        status = app->on_shard_start(app->ctx, channel->cfg.server, channel->cfg.shard,
                                     &channel->ops.own);
    }
    channel->runs = status == RS_OK;
    logic_push_id(channel, FROM_STARTED | (uint32_t)status << FROM_KIND_BITS, 0, NULL, 0);
}

static void logic_on_end(rs_logic_channel *channel, const rs_app *app) {
    if (channel->runs && app->on_shard_end != NULL) {
        app->on_shard_end(app->ctx, channel->cfg.server, channel->cfg.shard, channel->ops.own);
    }
    rs_atomic_store_u32(&channel->state, CHANNEL_ENDED);
}

static void logic_on_post(const rs_logic_channel *channel, const rs_spsc_record *record) {
    logic_post post;
    RS_ASSERT(record->bytes == sizeof post);
    memcpy(&post, rs_spsc_payload(record), sizeof post);
    post.fn(post.arg, channel->cfg.server, channel->cfg.shard);
}

static void logic_on_timer(rs_logic_channel *channel, rs_timer timer) {
    uint32_t owner;
    rs_timer_call call;
    if (!rs_timer_table_take(&channel->timers, timer, &owner, &call)) {
        return;
    }
    if (owner == RS_TIMER_NO_OWNER) {
        call.shard(call.arg, channel->cfg.server, channel->cfg.shard);
    } else if (channel->sessions[owner].state == LOGIC_OPEN) {
        call.session(call.arg, &channel->sessions[owner].handle);
    }
}

static void logic_deliver_session(rs_logic_channel *channel, const rs_spsc_record *record) {
    const rs_app *app = &channel->logic->app;
    uint32_t index = rs_session_id_index(record->value);
    logic_session *session;
    RS_ASSERT(index < channel->cfg.slot_count);
    session = &channel->sessions[index];
    if (record->kind == TO_OPEN) {
        logic_on_open(app, session, record);
        return;
    }
    RS_ASSERT(session->state != LOGIC_FREE);
    RS_ASSERT(rs_session_id_of(&session->handle) == record->value);
    if (record->kind == TO_MESSAGE) {
        logic_on_message(app, session, record);
    } else if (record->kind == TO_LOW) {
        logic_on_low(app, session, record);
    } else {
        RS_ASSERT(record->kind == TO_CLOSED);
        RS_ASSERT(record->bytes == 1);
        logic_on_closed(app, session, *rs_spsc_payload(record));
    }
}

static void logic_on_connect_failed(const rs_logic_channel *channel, const rs_spsc_record *record) {
    const rs_app *app = &channel->logic->app;
    logic_connect_failed failed;
    RS_ASSERT(record->bytes == sizeof failed);
    memcpy(&failed, rs_spsc_payload(record), sizeof failed);
    if (app->on_connect_failed != NULL) {
        app->on_connect_failed(app->ctx, channel->cfg.server, channel->cfg.shard, failed.user,
                               (rs_status)failed.why, failed.left);
    }
}

static void logic_deliver(rs_logic_channel *channel, const rs_spsc_record *record) {
    switch (record->kind) {
    case TO_START:
        logic_on_start(channel, &channel->logic->app);
        break;
    case TO_POST:
        logic_on_post(channel, record);
        break;
    case TO_TIMER:
        logic_on_timer(channel, record->value);
        break;
    case TO_CONNECT_FAILED:
        logic_on_connect_failed(channel, record);
        break;
    case TO_END:
        logic_on_end(channel, &channel->logic->app);
        break;
    default:
        logic_deliver_session(channel, record);
    }
}

rs_session_ops *rs_logic_channel_ops(rs_logic_channel *channel) {
    return &channel->ops;
}

/* The channel, if it may be looked at. */
static rs_logic_channel *logic_channel(rs_logic *logic, uint32_t index) {
    RS_DEBUG_ASSERT(index < logic->channel_count);
    return rs_atomic_load_u32(&logic->attached[index]) != 0 ? logic->channels[index] : NULL;
}

static bool logic_batch(rs_logic_channel *channel) {
    uint32_t count = 0;
    const rs_spsc_record *record;
    RS_ASSERT(channel->logic->stepping);
    if (channel->ops.thread != rs_thread_key()) {
        channel->ops.thread = rs_thread_key();
    }
    while (count < RS_LOGIC_BATCH && (record = rs_spsc_peek(&channel->to_logic)) != NULL) {
        logic_deliver(channel, record);
        rs_spsc_done(&channel->to_logic);
        count++;
    }
    return count > 0;
}

/* After a batch of one channel: wakes that shard, and those it sent to. */
static void logic_kick_all(rs_logic *logic, const rs_logic_channel *took) {
    RS_DEBUG_ASSERT(logic->stepping);
    for (uint32_t i = 0; i < logic->channel_count; i++) {
        rs_logic_channel *channel = logic_channel(logic, i);
        if (channel != NULL && (channel == took || channel->sent)) {
            logic_kick(channel, channel == took);
        }
    }
}

/* Says nothing about records, so it does not count as progress. */
static void logic_on_room(rs_logic *logic) {
    const rs_logic_channel *channel;
    RS_ASSERT(logic->stepping);
    if (rs_atomic_load_u32(&logic->room_told) == 0) {
        return;
    }
    channel = logic_channel(logic, 0);
    if (channel == NULL) {
        return;
    }
    (void)rs_atomic_exchange_u32(&logic->room_told, 0);
    if (logic->app.on_room != NULL) {
        logic->app.on_room(logic->app.ctx, channel->cfg.server, 0);
    }
}

void rs_logic_tell_room(rs_logic *logic) {
    (void)rs_atomic_exchange_u32(&logic->room_told, 1);
    if (rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE) != LOGIC_AWAKE) {
        rs_os_event_set(logic->work);
    }
}

bool rs_logic_is_here(const rs_logic *logic) {
    return logic_here == logic;
}

bool rs_logic_step(rs_logic *logic) {
    bool progressed = false;
    RS_ASSERT(!logic->stepping);
    logic->stepping = true;
    logic_on_room(logic);
    for (uint32_t i = 0; i < logic->channel_count; i++) {
        rs_logic_channel *channel = logic_channel(logic, i);
        if (channel != NULL && logic_batch(channel)) {
            logic_kick_all(logic, channel);
            progressed = true;
        }
    }
    logic->stepping = false;
    return progressed;
}

static bool logic_has_work(rs_logic *logic) {
    for (uint32_t i = 0; i < logic->channel_count; i++) {
        rs_logic_channel *channel = logic_channel(logic, i);
        if (channel != NULL && rs_spsc_peek(&channel->to_logic) != NULL) {
            return true;
        }
    }
    return rs_atomic_load_u32(&logic->room_told) != 0 ||
           rs_atomic_load_u32(&logic->stop_asked) != 0;
}

void rs_logic_run(void *opaque) {
    rs_logic *logic = opaque;
    RS_ASSERT(logic->threaded);
    RS_ASSERT(logic_here == NULL);
    logic_here = logic;
    for (;;) {
        if (rs_logic_step(logic)) {
            continue;
        }
        if (rs_atomic_load_u32(&logic->stop_asked) != 0) {
            logic_here = NULL;
            return;
        }
        (void)rs_atomic_exchange_u32(&logic->sleep, LOGIC_WANTS_RECORDS);
        if (logic_has_work(logic)) {
            (void)rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE);
        } else {
            logic_sleep(logic);
        }
    }
}

void rs_logic_stop(rs_logic *logic) {
    for (uint32_t i = 0; i < logic->channel_count; i++) {
        rs_logic_channel *channel = logic_channel(logic, i);
        RS_ASSERT(channel == NULL || rs_atomic_load_u32(&channel->state) == CHANNEL_ENDED);
    }
    rs_atomic_store_u32(&logic->stop_asked, 1);
    if (rs_atomic_exchange_u32(&logic->sleep, LOGIC_AWAKE) != LOGIC_AWAKE) {
        rs_os_event_set(logic->work);
    }
}

/* ---- opening and closing */

static void channel_free(rs_logic_channel *channel) {
    if (channel == NULL) {
        return;
    }
    rs_os_event_close(channel->room);
    rs_os_pages_free(channel->rings, channel->rings_bytes);
    rs_os_pages_free(channel->block_memory, channel->block_memory_bytes);
    free(channel->block_entries);
    free(channel->frame_copy);
    free(channel->closes);
    free(channel->low_seen);
    rs_timer_memory_free(&channel->timer_memory);
    free(channel->sessions);
    free(channel->peers);
    free(channel);
}

static size_t whole_pages(uint64_t bytes) {
    RS_ASSERT(bytes > 0);
    return (size_t)((bytes + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES);
}

/* Room for RS_LOGIC_RING_FRAMES of the longest, and for many of the usual ones. */
uint32_t rs_logic_ring_bytes(uint32_t payload_max) {
    uint64_t need = RS_LOGIC_RING_FRAMES * rs_spsc_record_bytes(payload_max);
    uint32_t bytes = RS_LOGIC_RING_BYTES_MIN;
    RS_ASSERT(payload_max > 0);
    while (bytes < need) {
        bytes *= 2;
    }
    return bytes;
}

static uint32_t ring_bytes(const rs_logic_channel_config *cfg) {
    RS_ASSERT(cfg->payload_max > 0);
    return cfg->ring_bytes != 0 ? cfg->ring_bytes : rs_logic_ring_bytes(cfg->payload_max);
}

static bool channel_alloc(rs_logic_channel *channel) {
    const rs_logic_channel_config *cfg = &channel->cfg;
    RS_ASSERT(cfg->slot_count > 0);
    RS_ASSERT(channel->rings == NULL);
    channel->rings_bytes = whole_pages((uint64_t)ring_bytes(cfg) * 2u);
    channel->block_memory_bytes = whole_pages((uint64_t)cfg->block_bytes * RS_SHARED_BLOCKS);
    channel->rings = rs_os_pages_alloc(channel->rings_bytes, NULL);
    channel->block_memory = rs_os_pages_alloc(channel->block_memory_bytes, NULL);
    channel->block_entries = calloc(RS_SHARED_BLOCKS, sizeof *channel->block_entries);
    channel->closes = calloc(cfg->slot_count, sizeof *channel->closes);
    channel->frame_copy = malloc(cfg->payload_max);
    channel->sessions = calloc(cfg->slot_count, sizeof *channel->sessions);
    channel->peers = calloc(cfg->slot_count, sizeof *channel->peers);
    if (channel->logic->app.on_low != NULL) {
        channel->low_seen = calloc(cfg->slot_count, sizeof *channel->low_seen);
        if (channel->low_seen == NULL) {
            return false;
        }
    }
    if (cfg->timers > 0 &&
        !rs_timer_memory_alloc(&channel->timer_memory, cfg->timers, cfg->slot_count)) {
        return false;
    }
    return channel->rings != NULL && channel->block_memory != NULL &&
           channel->block_entries != NULL && channel->closes != NULL && channel->sessions != NULL &&
           channel->peers != NULL && channel->frame_copy != NULL;
}

static void channel_init(rs_logic_channel *channel, rs_logic *logic) {
    const rs_logic_channel_config *cfg = &channel->cfg;
    uint32_t bytes = ring_bytes(cfg);
    RS_ASSERT(channel->rings != NULL);
    RS_ASSERT(2u * (size_t)bytes <= channel->rings_bytes);
    channel->logic = logic;
    channel->close_head = channel->close_tail = CLOSE_NONE;
    rs_spsc_init(&channel->to_logic, channel->rings, bytes);
    rs_spsc_init(&channel->from_logic, channel->rings + bytes, bytes);
    rs_slab_init(&channel->blocks, channel->block_memory, NULL, channel->block_entries,
                 cfg->block_bytes, RS_SHARED_BLOCKS);
    if (cfg->timers > 0) {
        const rs_timer_memory *memory = &channel->timer_memory;
        rs_timer_table_init(&channel->timers, memory->entries, cfg->timers, memory->first,
                            cfg->slot_count, cfg->shard);
        rs_timer_wheel_init(&channel->wheel, memory->nodes, memory->generations, cfg->timers,
                            cfg->shard, cfg->now_ns, cfg->now_ctx);
    }
    channel->ops = logic_ops(cfg);
    for (uint32_t i = 0; i < cfg->slot_count; i++) {
        channel->sessions[i] =
            (logic_session){.handle = {.ops = &channel->ops, .index = i}, .channel = channel};
    }
    rs_atomic_store_u32(&channel->state, CHANNEL_OPEN);
}

rs_status rs_logic_attach(rs_logic *logic, const rs_logic_channel_config *cfg,
                          rs_logic_channel **out, rs_app *app, rs_error *error) {
    rs_logic_channel *channel = calloc(1, sizeof *channel);
    rs_status status = RS_E_NO_MEMORY;
    RS_ASSERT(cfg->shard < logic->channel_count);
    RS_ASSERT(logic->channels[cfg->shard] == NULL);
    RS_ASSERT(cfg->payload_max > 0);
    RS_ASSERT(cfg->block_bytes > 0);
    RS_ASSERT(cfg->slot_count > 0);
    RS_ASSERT(rs_atomic_load_u32(&logic->attached[cfg->shard]) == 0);
    *out = NULL;
    if (channel != NULL) {
        channel->cfg = *cfg;
        channel->logic = logic;
        status = channel_alloc(channel) ? rs_os_event_open(&channel->room, error) : status;
    }
    if (status != RS_OK) {
        channel_free(channel);
        return status == RS_E_NO_MEMORY
                   ? rs_error_set(error, status, NULL, 0,
                                  "out of memory for the rings to the logic thread: lower "
                                  "--max-sessions or --max-frame")
                   : status;
    }
    channel_init(channel, logic);
    *app = (rs_app){.ctx = channel,
                    .raw = logic->app.raw,
                    .framer = logic->app.framer,
                    .on_open = forward_open,
                    .on_connect_failed = forward_connect_failed,
                    .on_message = forward_message,
                    .on_close = forward_close,
                    .on_low = logic->app.on_low != NULL ? forward_low : NULL};
    logic->channels[cfg->shard] = channel;
    rs_atomic_store_u32(&logic->attached[cfg->shard], 1);
    *out = channel;
    return RS_OK;
}

rs_status rs_logic_open(rs_logic **out, const rs_app *app, uint32_t channels, bool threaded,
                        rs_error *error) {
    rs_logic *logic = calloc(1, sizeof *logic);
    rs_status status;
    RS_ASSERT(channels >= 1);
    RS_ASSERT(channels <= RS_SHARDS_MAX);
    RS_ASSERT(app->on_message != NULL);
    *out = NULL;
    if (logic == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    logic->app = *app;
    logic->channel_count = channels;
    logic->threaded = threaded;
    status = rs_os_event_open(&logic->work, error);
    if (status != RS_OK) {
        free(logic);
        return status;
    }
    *out = logic;
    return RS_OK;
}

void rs_logic_close(rs_logic *logic) {
    if (logic == NULL) {
        return;
    }
    RS_ASSERT(!logic->stepping);
    for (uint32_t i = 0; i < logic->channel_count; i++) {
        channel_free(logic->channels[i]);
    }
    rs_os_event_close(logic->work);
    free(logic);
}
