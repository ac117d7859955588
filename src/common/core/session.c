/* The session state machine. Handlers only change state and mark the session touched; ops are
 * made in one place, session_collect, once per batch. */
#include "core/session.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

#define SESSION_NONE UINT32_MAX

/* ---- table */

static void sessions_free_push(rs_sessions *table, uint32_t index) {
    table->free_next[index] = SESSION_NONE;
    if (table->free_tail == SESSION_NONE) {
        table->free_head = index;
    } else {
        table->free_next[table->free_tail] = index;
    }
    table->free_tail = index;
}

static uint32_t sessions_free_pop(rs_sessions *table) {
    uint32_t index = table->free_head;
    RS_ASSERT(index != SESSION_NONE);
    table->free_head = table->free_next[index];
    if (table->free_head == SESSION_NONE) {
        table->free_tail = SESSION_NONE;
    }
    return index;
}

static void sessions_slot_init(rs_sessions *table, const rs_sessions_memory *memory,
                               uint32_t index) {
    rs_session *session = &table->sessions[index];
    memset(session, 0, sizeof *session);
    session->table = table;
    session->index = index;
    session->generation = 1;
    session->recv_data = memory->recv_base != NULL
                             ? memory->recv_base + (size_t)index * table->cfg.recv_bytes
                             : memory->recv_scattered[index];
    rs_sendq_init(&session->sendq);
    sessions_free_push(table, index);
}

static uint32_t answer_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    return (cfg->recv_bytes + block_bytes - 1u) / block_bytes;
}

uint32_t rs_sessions_reserve_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    uint32_t behind_one = 1u + answer_blocks(cfg, block_bytes);
    if (cfg->blocks_handed > 0) {
        return cfg->sends_in_flight + answer_blocks(cfg, block_bytes);
    }
    return behind_one > cfg->sends_in_flight ? behind_one : cfg->sends_in_flight;
}

uint64_t rs_sessions_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    return (uint64_t)cfg->slot_count * rs_sessions_reserve_blocks(cfg, block_bytes) +
           cfg->blocks_handed + cfg->shared_blocks;
}

static bool sessions_reclaim(void *ctx, const rs_sendq *asker);

/* Up to where the answers to a whole slice find both their blocks and room in the queue. */
static void sessions_easy_init(rs_sessions *table, uint32_t blocks, bool coalesce) {
    uint32_t limit = table->sendq_pool.queued_bytes_max;
    uint32_t recv_bytes = table->cfg.recv_bytes;
    uint32_t room = limit > recv_bytes ? limit - recv_bytes : 0;
    uint32_t with_room = room / table->sendq_pool.blocks->block_bytes;
    table->easy = blocks < with_room ? blocks : with_room;
    /* Not coalesced, small answers take the blocks of longer ones behind them, unless promised. */
    table->careful = (!coalesce && table->answer_blocks > 1u) || recv_bytes > limit;
}

static void sessions_pool_init(rs_sessions *table, const rs_sessions_memory *memory) {
    uint32_t block_bytes = memory->blocks->block_bytes;
    rs_sendq_config cfg = {
        .blocks = memory->blocks,
        .entries = memory->entries,
        .entry_count = memory->entry_count,
        .members = table->cfg.slot_count,
        .queued_bytes_max = memory->queued_bytes_max,
        .reserve = rs_sessions_reserve_blocks(&table->cfg, block_bytes),
        .shared_max = table->cfg.shared_blocks,
        .coalesce = memory->coalesce,
        .reclaim = sessions_reclaim,
        .reclaim_ctx = table,
    };
    rs_sendq_pool_init(&table->sendq_pool, &cfg);
    table->answer_blocks = answer_blocks(&table->cfg, block_bytes);
    sessions_easy_init(table, cfg.reserve - table->answer_blocks, memory->coalesce);
}

void rs_sessions_init(rs_sessions *table, const rs_sessions_config *cfg, const rs_app *app,
                      const rs_sessions_memory *memory, uint64_t now_ns) {
    RS_ASSERT(cfg->slot_count >= cfg->sessions_max && cfg->slot_count <= RS_SESSIONS_MAX);
    RS_ASSERT(cfg->recv_bytes >= cfg->frame_bytes_max);
    RS_ASSERT(cfg->sends_in_flight >= 1 && cfg->sends_in_flight <= RS_SENDS_IN_FLIGHT_MAX);
    RS_ASSERT((memory->recv_base == NULL) != (memory->recv_scattered == NULL));
    memset(table, 0, sizeof *table);
    table->cfg = *cfg;
    table->app = *app;
    table->sessions = memory->sessions;
    table->free_next = memory->free_next;
    table->free_head = table->free_tail = SESSION_NONE;
    table->region = memory->region;
    table->now_ns = now_ns;
    table->now_ms = now_ns / 1000000u;
    rs_timers_init(&table->timers, memory->timer_nodes, cfg->slot_count, table->now_ms);
    sessions_pool_init(table, memory);
    rs_histogram_init(&table->send_ns);
    for (uint32_t i = 0; i < cfg->slot_count; i++) {
        sessions_slot_init(table, memory, i);
    }
}

void rs_sessions_set_time(rs_sessions *table, uint64_t now_ns) {
    if (now_ns > table->now_ns) {
        table->back_ns = now_ns - table->now_ns >= RS_AWAY_NS ? now_ns : table->back_ns;
        table->now_ns = now_ns;
        table->now_ms = now_ns / 1000000u;
    }
}

bool rs_sessions_reserve(rs_sessions *table, uint32_t *conn, uint32_t *generation) {
    if (table->open_count >= table->cfg.sessions_max || table->free_head == SESSION_NONE ||
        !rs_sendq_join(&table->sendq_pool, &table->sessions[table->free_head].sendq)) {
        return false;
    }
    *conn = sessions_free_pop(table);
    RS_ASSERT(table->sessions[*conn].state == RS_SESSION_FREE);
    *generation = table->sessions[*conn].generation;
    table->used_count++;
    return true;
}

/* What each RECV has to ask for, for the count of own blocks alone does not tell. */
static bool session_needs_care(const rs_session *session) {
    return session->table->app.raw || session->table->careful || session->handed > 0 ||
           session->sendq.promised > 0 || session->sendq.shared > 0;
}

static void session_touch(rs_session *session) {
    rs_sessions *table = session->table;
    if (session->touched) {
        return;
    }
    session->touched = true;
    session->touched_next = NULL;
    if (table->touched_tail == NULL) {
        table->touched_head = session;
    } else {
        table->touched_tail->touched_next = session;
    }
    table->touched_tail = session;
}

void rs_sessions_open(rs_sessions *table, uint32_t conn) {
    rs_session *session;
    RS_ASSERT(conn < table->cfg.slot_count);
    session = &table->sessions[conn];
    RS_ASSERT(session->state == RS_SESSION_FREE);
    RS_ASSERT(rs_sendq_is_empty(&session->sendq) && !session->recv_in_flight);
    session->state = RS_SESSION_OPEN;
    session->recv_start = session->recv_end = 0;
    session->abort = session->peer_ended = false;
    session->abort_posted = false;
    session->user = 0;
    session->holds = session->handed = session->handed_bytes = 0;
    session->pause = 0;
    session->careful = session_needs_care(session) ? UINT32_MAX : 0;
    session->op =
        (rs_op){.region = table->region, .conn = session->index, .generation = session->generation};
    session->last_frame_ms = table->now_ms;
    table->open_count++;
    table->counters.accepted++;
    if (table->cfg.idle_timeout_ms != 0) {
        rs_timers_arm(&table->timers, conn, table->now_ms + table->cfg.idle_timeout_ms);
    }
    session_touch(session);
    if (table->app.on_open != NULL) {
        table->app.on_open(table->app.ctx, session);
    }
}

void rs_sessions_unreserve(rs_sessions *table, uint32_t conn) {
    RS_ASSERT(conn < table->cfg.slot_count && table->used_count > 0);
    RS_ASSERT(table->sessions[conn].state == RS_SESSION_FREE);
    rs_sendq_leave(&table->sendq_pool, &table->sessions[conn].sendq);
    table->used_count--;
    sessions_free_push(table, conn);
}

/* ---- ending */

static bool reason_flushes(rs_close_reason reason) {
    return reason == RS_CLOSE_PEER || reason == RS_CLOSE_LOCAL || reason == RS_CLOSE_SHUTDOWN ||
           reason == RS_CLOSE_PROTOCOL || reason == RS_CLOSE_IDLE;
}

/* Our side ended first and the peer may still be sending: wait for its FIN before the close. Not
 * for a peer that broke the protocol or fell silent: it has earned no more of our time. */
static bool reason_lingers(rs_close_reason reason) {
    return reason == RS_CLOSE_LOCAL || reason == RS_CLOSE_SHUTDOWN;
}

/* An orderly end, by the peer or by the server, which answers that are owed put off. */
static bool reason_waits(rs_close_reason reason) {
    return reason == RS_CLOSE_PEER || reason == RS_CLOSE_SHUTDOWN;
}

RS_COLD static void session_put_off(rs_session *session, rs_close_reason reason) {
    rs_sessions *table = session->table;
    RS_ASSERT(rs_session_takes(session) && session->holds > 0);
    session->reason = (uint8_t)reason;
    session->state = RS_SESSION_HELD;
    table->counters.held_ends++;
    rs_timers_arm(&table->timers, session->index, table->now_ms + table->cfg.drain_timeout_ms);
}

RS_COLD static void session_finish(rs_session *session, rs_close_reason reason) {
    rs_sessions *table = session->table;
    RS_ASSERT(rs_session_takes(session) || session->state == RS_SESSION_CUT);
    session->holds = 0;
    session->reason = (uint8_t)reason;
    session->abort = !reason_flushes(reason);
    rs_sendq_leave(&table->sendq_pool, &session->sendq);
    session->state = RS_SESSION_DRAINING;
    table->open_count--;
    table->counters.closed[reason]++;
    if (session->abort) {
        rs_sendq_discard(&table->sendq_pool, &session->sendq);
    }
    rs_timers_arm(&table->timers, session->index, table->now_ms + table->cfg.drain_timeout_ms);
    session_touch(session);
    if (table->app.on_close != NULL) {
        table->app.on_close(table->app.ctx, session, reason);
    }
}

RS_COLD static void session_end(rs_session *session, rs_close_reason reason) {
    if (session->state == RS_SESSION_OPEN || session->state == RS_SESSION_PAUSED) {
        if (session->holds > 0 && reason_waits(reason)) {
            session_put_off(session, reason);
        } else {
            session_finish(session, reason);
        }
    } else if (session->state == RS_SESSION_HELD && !reason_waits(reason)) {
        /* The application's close only cuts the wait short: the end that is put off came first. */
        session_finish(session,
                       reason == RS_CLOSE_LOCAL ? (rs_close_reason)session->reason : reason);
    }
}

/* Something failed for good: whatever is queued can no longer be delivered. */
RS_COLD static void session_fail(rs_session *session, rs_close_reason reason) {
    if (rs_session_takes(session)) {
        session_end(session, reason);
    } else if (session->state != RS_SESSION_CLOSING) {
        session->abort = true;
        rs_sendq_discard(&session->table->sendq_pool, &session->sendq);
        session_touch(session);
    }
    /* CLOSING: the close under way cancels requests; that is no news. */
}

/* ---- cutting: a session above its reserve goes, so that others have theirs */

static rs_session *session_of_queue(rs_sendq *queue) {
    uint8_t *at = (uint8_t *)queue - offsetof(rs_session, sendq);
    return (rs_session *)(void *)at;
}

/* What it has not sent is free at once; what is in flight, within its reserve, when it completes.
 */
RS_COLD static void session_cut(rs_session *session) {
    rs_sessions *table = session->table;
    if (rs_session_takes(session)) {
        session->state = RS_SESSION_CUT;
        rs_sendq_leave(&table->sendq_pool, &session->sendq);
    } else {
        table->counters.escalated_closes += session->abort ? 0u : 1u;
        session->abort = true;
    }
    rs_sendq_discard(&table->sendq_pool, &session->sendq);
    RS_ASSERT(session->sendq.owned <= table->sendq_pool.reserve);
    session_touch(session);
}

/* The one above its reserve that has waited longest for a send to complete. */
static bool sessions_reclaim(void *ctx, const rs_sendq *asker) {
    rs_sessions *table = ctx;
    rs_sendq *queue = table->sendq_pool.above_first;
    if (queue != NULL && queue == asker) {
        queue = queue->above_next;
    }
    if (queue == NULL) {
        return false;
    }
    session_cut(session_of_queue(queue));
    return true;
}

/* The time of an absence tells nothing about the peer, which may have been away with us, or have
 * read what is not handed to us yet: who comes back begins anew. */
static bool queue_is_stalled(const rs_sessions *table, const rs_sendq *queue) {
    uint64_t since_ns = rs_sendq_oldest_ns(&table->sendq_pool, queue);
    since_ns = since_ns > table->back_ns ? since_ns : table->back_ns;
    return since_ns < table->now_ns && table->now_ns - since_ns >= RS_STALLED_NS;
}

/* For who can wait instead: only a session whose peer does not read is cut. */
RS_COLD static bool sessions_reclaim_stalled(rs_sessions *table, const rs_sendq *asker) {
    const rs_sendq *first = table->sendq_pool.above_first;
    return first != NULL && first != asker && queue_is_stalled(table, first) &&
           sessions_reclaim(table, asker);
}

/* Shared blocks are in no list. The search is for all slots, at most once a millisecond. */
RS_COLD static void sessions_reclaim_shared(rs_sessions *table) {
    rs_session *oldest = NULL;
    uint64_t oldest_ns = UINT64_MAX;
    if (table->searched_ms == table->now_ms || sessions_reclaim_stalled(table, NULL)) {
        return;
    }
    table->searched_ms = table->now_ms;
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        rs_session *session = &table->sessions[i];
        uint64_t posted_ns = rs_sendq_oldest_ns(&table->sendq_pool, &session->sendq);
        if (session->sendq.shared > 0 && !session->abort && session->state != RS_SESSION_CUT &&
            queue_is_stalled(table, &session->sendq) && posted_ns < oldest_ns) {
            oldest = session;
            oldest_ns = posted_ns;
        }
    }
    if (oldest != NULL) {
        session_cut(oldest);
    }
}

static rs_close_reason reason_of(rs_status status) {
    switch (status) {
    case RS_E_RESET:
    case RS_E_ABORTED:
    case RS_E_TIMED_OUT:
        return RS_CLOSE_RESET;
    case RS_E_NO_BUFFERS:
    case RS_E_NO_MEMORY:
        return RS_CLOSE_NO_BUFFERS;
    default:
        return RS_CLOSE_ERROR;
    }
}

RS_COLD static void session_free(rs_session *session) {
    rs_sessions *table = session->table;
    RS_ASSERT(session->state == RS_SESSION_CLOSING);
    RS_ASSERT(!session->recv_in_flight);
    RS_ASSERT(session->sendq.in_flight == 0);
    rs_sendq_discard(&table->sendq_pool, &session->sendq);
    rs_timers_cancel(&table->timers, session->index);
    table->quarantined -= session->quarantined ? 1u : 0u;
    session->quarantined = false;
    session->state = RS_SESSION_FREE;
    session->generation++;
    if (session->generation == 0) {
        session->generation = 1; /* so that no session id is ever 0 */
    }
    table->used_count--;
    sessions_free_push(table, session->index);
}

/* ---- receiving */

/* Makes room for the rest of a partial frame. Moved only when it must be: a frame that still fits
 * behind its beginning is received where it is. */
RS_COLD static void session_make_room(rs_session *session, uint32_t frame_bytes) {
    rs_sessions *table = session->table;
    uint32_t held = session->recv_end - session->recv_start;
    uint32_t need = frame_bytes != 0 ? frame_bytes : RS_FRAME_HEADER_BYTES;
    if (need > table->cfg.recv_bytes - session->recv_start) {
        memmove(session->recv_data, session->recv_data + session->recv_start, held);
        table->counters.moved_bytes += held;
        session->recv_start = 0;
        session->recv_end = held;
    }
    RS_ASSERT(session->recv_end < table->cfg.recv_bytes);
}

static inline void session_parse(rs_session *session) {
    rs_sessions *table = session->table;
    uint32_t frame_bytes = 0;
    while (session->state == RS_SESSION_OPEN) {
        if (session->recv_start == session->recv_end) {
            session->recv_start = session->recv_end = 0;
            return;
        }
        const uint8_t *data = session->recv_data + session->recv_start;
        rs_status status = rs_frame_parse(data, session->recv_end - session->recv_start,
                                          table->cfg.frame_bytes_max, &frame_bytes);
        if (status == RS_E_AGAIN) {
            session_make_room(session, frame_bytes);
            return;
        }
        if (status != RS_OK) {
            session_end(session, RS_CLOSE_PROTOCOL);
            return;
        }
        session->recv_start += frame_bytes;
        session->last_frame_ms = table->now_ms;
        table->counters.messages_in++;
        table->app.on_message(table->app.ctx, session, data, frame_bytes);
    }
}

static inline void session_deliver_raw(rs_session *session, uint32_t bytes) {
    rs_sessions *table = session->table;
    session->recv_end = 0;
    session->last_frame_ms = table->now_ms;
    table->counters.messages_in++;
    table->app.on_message(table->app.ctx, session, session->recv_data, bytes);
}

/* Paused: it waits in the slice. Ended: what still comes is thrown away. */
RS_COLD static void session_received_late(rs_session *session, uint32_t bytes) {
    if (session->state == RS_SESSION_PAUSED) {
        session->recv_end += bytes;
    }
}

static void session_received(rs_session *session, uint32_t bytes) {
    rs_sessions *table = session->table;
    RS_ASSERT(bytes <= table->cfg.recv_bytes - session->recv_end);
    table->counters.bytes_in += bytes;
    if (session->state != RS_SESSION_OPEN) {
        session_received_late(session, bytes);
        return;
    }
    session->recv_end += bytes;
    if (!table->app.raw) {
        session_parse(session);
    } else {
        session_deliver_raw(session, bytes);
    }
}

/* A paused session has to be given what came before the end first. */
RS_COLD static void session_stream_ended(rs_session *session) {
    session->peer_ended = true;
    if (session->state != RS_SESSION_PAUSED) {
        session_end(session, RS_CLOSE_PEER);
    }
}

static void session_on_recv(rs_session *session, const rs_completion *completion) {
    RS_ASSERT(session->recv_in_flight);
    session->recv_in_flight = false;
    session->table->counters.recv_ops++;
    session_touch(session);
    if (completion->status != RS_OK) {
        session->peer_ended = true;
        session_fail(session, reason_of((rs_status)completion->status));
    } else if (completion->bytes == 0) {
        session_stream_ended(session);
    } else {
        session_received(session, completion->bytes);
    }
}

/* ---- sending */

static void session_record_send(rs_sessions *table, uint64_t ns) {
    if (ns != table->send_run_ns) {
        rs_histogram_record_n(&table->send_ns, table->send_run_ns, table->send_run_count);
        table->send_run_ns = ns;
        table->send_run_count = 0;
    }
    table->send_run_count++;
}

void rs_sessions_add_send_ns(const rs_sessions *table, rs_histogram *into) {
    rs_histogram_merge(into, &table->send_ns);
    rs_histogram_record_n(into, table->send_run_ns, table->send_run_count);
}

/* More is to be sent, or it waits for this. */
static void session_sent(rs_session *session) {
    if ((session->pause & RS_PAUSE_FULL) != 0) {
        session->last_frame_ms = session->table->now_ms;
    }
    session_touch(session);
}

static void session_on_send(rs_session *session, const rs_completion *completion) {
    rs_sessions *table = session->table;
    uint64_t posted_ns = 0;
    uint32_t asked = rs_sendq_complete(&table->sendq_pool, &session->sendq, &posted_ns);
    table->counters.send_ops++;
    session_record_send(table, table->now_ns - posted_ns);
    if (session->sendq.unsent != RS_SENDQ_NONE || session->state != RS_SESSION_OPEN) {
        session_sent(session);
    }
    if (completion->status != RS_OK) {
        session_fail(session, reason_of((rs_status)completion->status));
        return;
    }
    table->counters.bytes_out += completion->bytes;
    if (completion->bytes != asked) {
        session_fail(session, RS_CLOSE_TRUNCATED_SEND);
    }
}

/* A result of the send queue: the failures end the session, as the notes ask. */
static rs_status session_queued(rs_session *session, rs_status status) {
    if (status == RS_OK) {
        session->table->counters.messages_out++;
        session_touch(session);
    } else if (status == RS_E_FULL) {
        session_end(session, RS_CLOSE_SLOW_CONSUMER);
    } else {
        session_end(session, RS_CLOSE_NO_BUFFERS);
    }
    return status;
}

RS_COLD static bool session_takes_else(const rs_session *session) {
    return rs_session_takes(session);
}

/* A session that takes nothing any more, or a stand-in. */
RS_COLD static rs_status session_send_else(rs_session *session, const uint8_t *data,
                                           uint32_t bytes) {
    return session->state == RS_SESSION_REMOTE ? session->table->remote->send(session, data, bytes)
                                               : RS_E_CLOSED;
}

/* One call of the queue alone, which is then inlined; an open session pays for one comparison. */
rs_status rs_session_send(rs_session *session, const void *data, uint32_t bytes) {
    if (session->state != RS_SESSION_OPEN && !session_takes_else(session)) {
        return session_send_else(session, (const uint8_t *)data, bytes);
    }
    return session_queued(session, rs_sendq_append(&session->table->sendq_pool, &session->sendq,
                                                   (const uint8_t *)data, bytes));
}

/* A stand-in's table has blocks, and no sessions that hold them. */
static bool sessions_shared_acquire(rs_sessions *table, rs_slice *out) {
    if (table->remote != NULL) {
        return rs_slab_acquire(table->sendq_pool.blocks, out);
    }
    if (rs_sendq_shared_acquire(&table->sendq_pool, out)) {
        return true;
    }
    sessions_reclaim_shared(table);
    return rs_sendq_shared_acquire(&table->sendq_pool, out);
}

bool rs_shared_acquire(rs_session *session, rs_shared *out) {
    rs_slab *blocks = session->table->sendq_pool.blocks;
    rs_slice slice;
    if (!sessions_shared_acquire(session->table, &slice)) {
        return false;
    }
    rs_slab_lend(blocks, slice);
    *out = (rs_shared){.data = rs_slab_data(blocks, slice),
                       .room = blocks->block_bytes,
                       .index = slice.index,
                       .generation = slice.generation};
    return true;
}

static rs_slice shared_slice(const rs_shared *shared) {
    return (rs_slice){.index = shared->index, .generation = shared->generation};
}

/* Acquired here, and not released? Another shard's may have the same numbers, not the same place.
 */
static bool shared_is_held(const rs_sessions *table, const rs_shared *shared) {
    const rs_slab *blocks = table->sendq_pool.blocks;
    const rs_slice slice = shared_slice(shared);
    return rs_slab_is_lent(blocks, slice) && rs_slab_data(blocks, slice) == shared->data;
}

rs_status rs_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes) {
    rs_sessions *table = session->table;
    if (!shared_is_held(table, shared)) {
        return RS_E_INVALID;
    }
    if (session->state == RS_SESSION_REMOTE) { /* another thread's pool */
        return table->remote->shared_send(session, shared, bytes);
    }
    if (!rs_session_takes(session)) {
        return RS_E_CLOSED;
    }
    session->careful = UINT32_MAX; /* these bytes are in no block of its own */
    return session_queued(session, rs_sendq_append_shared(&table->sendq_pool, &session->sendq,
                                                          shared_slice(shared), bytes));
}

static void shared_refuse(rs_session *session) {
    if (session->table->remote != NULL) {
        session->table->remote->shared_refused(session);
    } else {
        session->table->counters.refused_releases++;
    }
}

void rs_shared_release(rs_session *session, rs_shared *shared) {
    rs_sessions *table = session->table;
    if (!shared_is_held(table, shared)) {
        shared_refuse(session);
        return;
    }
    rs_slab_take_back(table->sendq_pool.blocks, shared_slice(shared));
    if (table->remote != NULL) {
        table->remote->shared_release(session, shared);
    } else {
        rs_sendq_shared_release(&table->sendq_pool, shared_slice(shared));
    }
    *shared = (rs_shared){.room = shared->room};
}

/* ---- completions */

RS_COLD static void session_on_other(rs_session *session, const rs_completion *completion) {
    if (completion->kind == RS_OP_CLOSE) {
        session_free(session);
    } else if (completion->kind != RS_OP_SHUTDOWN) {
        RS_UNREACHABLE("a completion of a kind that sessions never ask for");
    } else if (completion->status != RS_OK) {
        session_fail(session, RS_CLOSE_RESET);
    }
}

void rs_sessions_complete(rs_sessions *table, const rs_completion *completion) {
    rs_session *session =
        completion->conn < table->cfg.slot_count ? &table->sessions[completion->conn] : NULL;
    /* A free slot already has the generation of its next use, for which nothing was issued yet. */
    if (session == NULL || completion->generation != session->generation) {
        table->counters.stale_completions++;
    } else if (completion->kind == RS_OP_RECV) {
        session_on_recv(session, completion);
    } else if (completion->kind == RS_OP_SEND) {
        session_on_send(session, completion);
    } else {
        session_on_other(session, completion);
    }
}

/* Only this send failed: those before it are still with the kernel, and so are their blocks. */
RS_COLD static void session_send_refused(rs_session *session, const rs_op *op, rs_status why) {
    rs_sendq_refuse(&session->table->sendq_pool, &session->sendq, op->u.data, op->bytes);
    session_touch(session);
    session_fail(session, reason_of(why));
}

void rs_sessions_refused(rs_sessions *table, const rs_op *op, rs_status why) {
    rs_completion failed = {
        .kind = op->kind,
        .status = (uint16_t)why,
        .conn = op->conn,
        .generation = op->generation,
    };
    table->counters.refused_ops++;
    if (op->kind == RS_OP_SEND) {
        session_send_refused(&table->sessions[op->conn], op, why);
    } else if (op->kind != RS_OP_CLOSE) {
        /* A second CLOSE has nothing to fail: the first one's completion is still to come. */
        rs_sessions_complete(table, &failed);
    }
}

/* ---- patience */

/* Since when the peer has done nothing. Paused, it cannot be asked for frames: what counts is
 * whether it takes what is in flight. */
static uint64_t session_silent_since_ms(const rs_session *session) {
    const rs_sessions *table = session->table;
    uint64_t posted_ms;
    if (session->state != RS_SESSION_PAUSED) {
        return session->last_frame_ms;
    }
    if (session->sendq.in_flight == 0) {
        return table->now_ms;
    }
    posted_ms = rs_sendq_oldest_ns(&table->sendq_pool, &session->sendq) / 1000000u;
    return posted_ms > session->last_frame_ms ? posted_ms : session->last_frame_ms;
}

/* For how long it may; 0: for ever. */
static uint32_t session_patience_ms(const rs_session *session) {
    uint32_t idle_ms = session->table->cfg.idle_timeout_ms;
    bool stalls = (session->pause & RS_PAUSE_FULL) != 0;
    return stalls && (idle_ms == 0 || idle_ms > RS_STALLED_MS) ? RS_STALLED_MS : idle_ms;
}

/* One node of the wheel is for both, the earlier counts. */
static void session_arm(rs_session *session) {
    rs_sessions *table = session->table;
    uint32_t patience_ms = session_patience_ms(session);
    if (patience_ms == 0) {
        rs_timers_cancel(&table->timers, session->index);
    } else {
        rs_timers_arm(&table->timers, session->index,
                      session_silent_since_ms(session) + patience_ms);
    }
}

/* ---- ops */

static rs_op *session_op(const rs_session *session, rs_op *op, rs_op_kind kind) {
    *op = session->op;
    op->kind = (uint8_t)kind;
    return op;
}

static inline uint32_t session_collect_sends(rs_session *session, rs_op *ops) {
    rs_sessions *table = session->table;
    uint32_t count = 0;
    while (session->sendq.unsent != RS_SENDQ_NONE &&
           session->sendq.in_flight < table->cfg.sends_in_flight) {
        rs_sendq_entry *entry = rs_sendq_post(&table->sendq_pool, &session->sendq, table->now_ns);
        rs_op *op = session_op(session, &ops[count++], RS_OP_SEND);
        op->bytes = entry->bytes;
        op->u.data = entry->data;
    }
    return count;
}

/* The same, out of line for those that are not in a hurry. */
RS_COLD static uint32_t session_flush(rs_session *session, rs_op *ops) {
    return session_collect_sends(session, ops);
}

static rs_op *session_recv_op(rs_session *session, rs_op *out) {
    rs_op *op = session_op(session, out, RS_OP_RECV);
    op->bytes = session->table->cfg.recv_bytes - session->recv_end;
    op->u.data = session->recv_data + session->recv_end;
    session->recv_in_flight = true;
    return op;
}

/* Raw: within the reserve, and one chunk at a time at another thread, so that what is echoed never
 * passes queued_bytes_max. */
static bool session_may_receive_raw(const rs_session *session) {
    const rs_sessions *table = session->table;
    const rs_sendq_pool *pool = &table->sendq_pool;
    return session->sendq.owned <= pool->reserve - table->answer_blocks && session->handed == 0 &&
           session->sendq.queued_bytes <= pool->queued_bytes_max / 2u;
}

/* Blocks that the answers to a full slice may take, and those to what another thread has. These
 * come turn by turn: as many of them as may be in flight are not full. */
static uint32_t session_due(const rs_session *session) {
    const rs_sessions *table = session->table;
    uint32_t block_bytes = table->sendq_pool.blocks->block_bytes;
    if (session->handed == 0) {
        return table->answer_blocks;
    }
    return table->answer_blocks + table->cfg.sends_in_flight +
           (session->handed_bytes + block_bytes - 1u) / block_bytes;
}

/* Bytes queued, and those whose answers are still to come if all is echoed. */
static uint64_t session_load(const rs_session *session) {
    return (uint64_t)session->sendq.queued_bytes + session->handed_bytes +
           (session->recv_end - session->recv_start);
}

/* Would the answers to what is received next pass queued_bytes_max? Less than a whole slice will
 * do, down to half of the limit. With nothing queued there is nothing to wait for. */
static bool session_is_full(const rs_session *session) {
    const rs_sessions *table = session->table;
    uint32_t limit = table->sendq_pool.queued_bytes_max;
    uint32_t want = table->cfg.recv_bytes - session->recv_end;
    return (!rs_sendq_is_empty(&session->sendq) || session->handed > 0) &&
           session_load(session) + (want < limit / 2u ? want : limit / 2u) > limit;
}

/* Has the blocks set aside that the answers may take. False: they are not there, or no room in the
 * queue. An empty queue's blocks always are, but for those of what another thread has: they come
 * back soon, and nobody is cut for that. */
RS_COLD static bool session_book_receive(rs_session *session) {
    rs_sessions *table = session->table;
    rs_sendq *queue = &session->sendq;
    bool may;
    if (table->app.raw) {
        return session_may_receive_raw(session);
    }
    if (session->handed == 0) { /* else the earlier promise is for answers still to come */
        (void)rs_sendq_promise(&table->sendq_pool, queue, 0);
    }
    if (session_is_full(session)) {
        return false;
    }
    do {
        may = rs_sendq_promise(&table->sendq_pool, queue, session_due(session));
    } while (!may && session->handed == 0 && sessions_reclaim_stalled(table, queue));
    session->careful = session_needs_care(session) ? UINT32_MAX : 0;
    return may || (session->handed == 0 && rs_sendq_is_empty(queue));
}

/* A paused session that does not read because its queue is full, and for no other reason, has
 * RS_STALLED_MS for each send. */
RS_COLD static void session_watch(rs_session *session) {
    bool full = (session->pause & RS_PAUSE_APP) == 0 && !session->recv_in_flight &&
                !session->table->app.raw && session->handed == 0 && session_is_full(session);
    if (full == ((session->pause & RS_PAUSE_FULL) != 0)) {
        return;
    }
    session->pause ^= RS_PAUSE_FULL;
    session->last_frame_ms = full ? session->table->now_ms : session->last_frame_ms;
    session_arm(session);
}

/* A RECV if it may be, and no longer than the queue has room for. A pause ends with the completion
 * of one of its sends, or the return of what was handed over. */
RS_COLD static uint32_t session_recv_carefully(rs_session *session, rs_op *out) {
    uint32_t limit = session->table->sendq_pool.queued_bytes_max;
    uint64_t load = session_load(session);
    rs_op *op;
    if (!session_book_receive(session)) {
        session->pause |= RS_PAUSE_QUEUE;
        session->state = RS_SESSION_PAUSED;
        session->table->counters.pauses++;
        session_watch(session);
        return 0;
    }
    op = session_recv_op(session, out);
    if (load < limit && op->bytes > limit - load) { /* else a frame that cannot be queued at all */
        op->bytes = limit - (uint32_t)load;
    }
    return 1;
}

static void session_close_op(rs_session *session, rs_op *out) {
    rs_op *op = session_op(session, out, RS_OP_CLOSE);
    op->flags = session->abort ? RS_OPF_ABORT : 0;
    session->abort_posted = session->abort;
    session->state = RS_SESSION_CLOSING;
    rs_timers_arm(&session->table->timers, session->index,
                  session->table->now_ms + RS_CLOSE_STRAGGLER_MS);
}

/* What an ending session wants next, once its queue is empty. */
static uint32_t session_collect_end(rs_session *session, rs_op *ops) {
    uint32_t count = 0;
    if (session->abort || session->peer_ended ||
        !reason_lingers((rs_close_reason)session->reason)) {
        session_close_op(session, &ops[count++]);
        return count;
    }
    if (session->state != RS_SESSION_LINGER) {
        session->state = RS_SESSION_LINGER;
        (void)session_op(session, &ops[count++], RS_OP_SHUTDOWN);
    }
    if (!session->recv_in_flight) {
        session->recv_start = session->recv_end = 0;
        (void)session_recv_op(session, &ops[count++]);
    }
    return count;
}

/* What came while it was paused. */
RS_COLD static void session_deliver(rs_session *session) {
    uint32_t bytes = session->recv_end;
    if (!session->table->app.raw) {
        session_parse(session);
    } else if (bytes > 0) {
        session_deliver_raw(session, bytes);
    }
    if (session->peer_ended && session->state == RS_SESSION_OPEN) {
        session_end(session, RS_CLOSE_PEER);
    }
}

RS_COLD static uint32_t session_collect_paused(rs_session *session, rs_op *ops) {
    uint32_t count = session_flush(session, ops);
    bool waits = (session->pause & RS_PAUSE_APP) != 0 ||
                 (!session->recv_in_flight && !session_book_receive(session));
    session_watch(session);
    if (waits) {
        return count;
    }
    session->pause = 0;
    session->state = RS_SESSION_OPEN;
    session->last_frame_ms = session->table->now_ms;
    session_deliver(session);
    session_touch(session); /* what is open, or has ended, wants more than this */
    return count;
}

/* Everything but an open session. */
RS_COLD static uint32_t session_collect_ending(rs_session *session, rs_op *ops) {
    uint32_t count = 0;
    if (session->state == RS_SESSION_FREE) {
        return 0;
    }
    if (session->state == RS_SESSION_HELD) {
        return session_flush(session, ops);
    }
    if (session->state == RS_SESSION_PAUSED) {
        return session_collect_paused(session, ops);
    }
    if (session->state == RS_SESSION_CUT) {
        session_finish(session, RS_CLOSE_NO_BUFFERS);
    }
    if (session->state == RS_SESSION_CLOSING) {
        if (session->abort && !session->abort_posted) {
            session_close_op(session, &ops[count++]);
        }
        return count;
    }
    if (!session->abort) {
        count = session_flush(session, ops);
    }
    if (session->abort || rs_sendq_is_empty(&session->sendq)) {
        count += session_collect_end(session, ops + count);
    }
    RS_ASSERT(count <= RS_SESSION_OPS_MAX);
    return count;
}

static uint32_t session_collect(rs_session *session, rs_op *ops) {
    uint32_t count;
    if (session->state != RS_SESSION_OPEN) {
        return session_collect_ending(session, ops);
    }
    count = session_collect_sends(session, ops);
    if (session->recv_in_flight) {
        return count;
    }
    if ((session->sendq.owned | session->careful) > session->table->easy) {
        return count + session_recv_carefully(session, &ops[count]);
    }
    (void)session_recv_op(session, &ops[count]);
    return count + 1u;
}

uint32_t rs_sessions_collect(rs_sessions *table, rs_op *ops, uint32_t cap) {
    uint32_t count = 0;
    RS_ASSERT(cap >= RS_SESSION_OPS_MAX);
    while (table->touched_head != NULL && cap - count >= RS_SESSION_OPS_MAX) {
        rs_session *session = table->touched_head;
        table->touched_head = session->touched_next;
        if (table->touched_head == NULL) {
            table->touched_tail = NULL;
        }
        session->touched = false;
        count += session_collect(session, ops + count);
    }
    return count;
}

/* ---- time */

/* Nothing harder than a reset is left, and something of it has not come back: its slot and buffers
 * are the kernel's, and nobody waits for them any more. */
RS_COLD static void session_quarantine(rs_session *session) {
    rs_sessions *table = session->table;
    RS_ASSERT(session->state == RS_SESSION_CLOSING && !session->quarantined);
    session->quarantined = true;
    table->quarantined++;
    table->straggler = session->index;
    table->counters.quarantined++;
}

/* A straggler: its sends, its FIN or its close have hung for too long. */
static void session_escalate(rs_session *session) {
    if (session->abort_posted) {
        return;
    }
    session->table->counters.escalated_closes++;
    session->abort = true;
    rs_sendq_discard(&session->table->sendq_pool, &session->sendq);
    session_touch(session);
}

/* Its queue is full and none of its sends has completed. That we were away counts for nothing: who
 * is found long after the deadline has the time again. */
RS_COLD static void session_stalled(rs_session *session, uint64_t late_ms) {
    if (late_ms > RS_AWAY_MS) {
        session->last_frame_ms = session->table->now_ms;
        session_arm(session);
    } else {
        session_end(session, RS_CLOSE_SLOW_CONSUMER);
    }
}

RS_COLD static void session_expired(rs_session *session, uint64_t upto_ms) {
    rs_sessions *table = session->table;
    uint64_t deadline;
    uint32_t patience_ms;
    if (session->state == RS_SESSION_CUT) {
        return; /* it ends with this turn */
    }
    if (session->state == RS_SESSION_HELD) {
        table->counters.expired_holds++;
        session_finish(session, (rs_close_reason)session->reason);
        return;
    }
    if (session->state != RS_SESSION_OPEN && session->state != RS_SESSION_PAUSED) {
        if (session->abort_posted) {
            session_quarantine(session);
        } else {
            session_escalate(session);
        }
        return;
    }
    patience_ms = session_patience_ms(session);
    deadline = session_silent_since_ms(session) + patience_ms;
    if (patience_ms == 0 || deadline > upto_ms) {
        session_arm(session);
    } else if (patience_ms != table->cfg.idle_timeout_ms) {
        session_stalled(session, upto_ms - deadline);
    } else {
        session_end(session, RS_CLOSE_IDLE);
    }
}

void rs_sessions_expire(rs_sessions *table, uint64_t upto_ms) {
    uint32_t index;
    RS_ASSERT(upto_ms <= table->now_ms);
    if (table->expired_ms >= upto_ms) {
        return;
    }
    table->expired_ms = upto_ms;
    while ((index = rs_timers_take_expired(&table->timers, upto_ms)) != RS_TIMER_NONE) {
        session_expired(&table->sessions[index], upto_ms);
    }
}

uint64_t rs_sessions_next_ms(const rs_sessions *table) {
    const rs_sendq_pool *pool = &table->sendq_pool;
    uint64_t next_ms = rs_timers_next_ms(&table->timers, table->now_ms);
    bool may_stall = pool->above_first != NULL || pool->shared_live > 0;
    return may_stall && next_ms > RS_AWAY_MS / 2u ? RS_AWAY_MS / 2u : next_ms;
}

/* ---- from outside */

rs_session *rs_sessions_find(rs_sessions *table, rs_session_id id) {
    uint32_t index = rs_session_id_index(id);
    if (rs_session_id_shard(id) != table->cfg.shard || index >= table->cfg.slot_count) {
        return NULL;
    }
    if (table->sessions[index].generation != rs_session_id_generation(id) ||
        !rs_session_takes(&table->sessions[index])) {
        return NULL;
    }
    return &table->sessions[index];
}

void rs_sessions_close_all(rs_sessions *table, bool abort) {
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        rs_session *session = &table->sessions[i];
        session_end(session, RS_CLOSE_SHUTDOWN);
        if (abort && session->state == RS_SESSION_HELD) {
            session_finish(session, (rs_close_reason)session->reason);
        }
        if (abort && session->state != RS_SESSION_FREE) {
            session_escalate(session);
        }
    }
}

void rs_session_close(rs_session *session) {
    if (session->state == RS_SESSION_REMOTE) {
        session->table->remote->close(session);
    } else {
        session_end(session, RS_CLOSE_LOCAL);
    }
}

void rs_session_hold(rs_session *session) {
    if (session->state == RS_SESSION_REMOTE) {
        session->table->remote->hold(session);
    } else if (rs_session_takes(session)) {
        RS_ASSERT(session->holds < UINT32_MAX);
        session->holds++;
    }
}

void rs_session_release(rs_session *session) {
    if (session->state == RS_SESSION_REMOTE) {
        session->table->remote->release(session);
    } else if (rs_session_takes(session)) {
        if (session->holds == 0) { /* the caller's mistake must not cost the others their server */
            session->table->counters.refused_releases++;
            return;
        }
        session->holds--;
        if (session->holds == 0 && session->state == RS_SESSION_HELD) {
            session_finish(session, (rs_close_reason)session->reason);
        }
    }
}

void rs_session_hand_over(rs_session *session, uint32_t bytes) {
    rs_session_hold(session);
    session->handed++;
    session->handed_bytes += bytes;
    session->careful = UINT32_MAX;
}

void rs_session_handed_back(rs_session *session, uint32_t bytes) {
    if (rs_session_takes(session)) {
        RS_ASSERT(session->handed > 0 && session->handed_bytes >= bytes);
        session->handed--;
        session->handed_bytes -= bytes;
        /* Answers of several turns may have taken more blocks than their bytes need. */
        (void)rs_sendq_promise(&session->table->sendq_pool, &session->sendq, session_due(session));
        if (session->state == RS_SESSION_PAUSED) {
            session_touch(session);
        }
    }
    rs_session_release(session);
}

void rs_session_pause(rs_session *session) {
    if (session->state == RS_SESSION_REMOTE) {
        session->table->remote->pause(session);
    } else if (session->state == RS_SESSION_OPEN || session->state == RS_SESSION_PAUSED) {
        session->state = RS_SESSION_PAUSED;
        session->pause = RS_PAUSE_APP; /* whatever it waited for: a timer that is armed finds out */
    }
}

void rs_session_resume(rs_session *session) {
    if (session->state == RS_SESSION_REMOTE) {
        session->table->remote->resume(session);
    } else if (session->state == RS_SESSION_PAUSED) {
        session->pause &= (uint8_t)~RS_PAUSE_APP;
        session_touch(session);
    }
}

rs_session_id rs_session_id_of(const rs_session *session) {
    return rs_session_id_make(session->table->cfg.shard, session->index, session->generation);
}

void rs_session_set_user(rs_session *session, uint64_t user) {
    session->user = user;
}

uint64_t rs_session_user(const rs_session *session) {
    return session->user;
}
