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
    rs_sendq_pool_init(&table->sendq_pool, memory->blocks, memory->entries, memory->entry_count,
                       memory->queued_bytes_max, memory->coalesce);
    rs_histogram_init(&table->send_ns);
    for (uint32_t i = 0; i < cfg->slot_count; i++) {
        sessions_slot_init(table, memory, i);
    }
}

void rs_sessions_set_time(rs_sessions *table, uint64_t now_ns) {
    if (now_ns > table->now_ns) {
        table->now_ns = now_ns;
        table->now_ms = now_ns / 1000000u;
    }
}

bool rs_sessions_reserve(rs_sessions *table, uint32_t *conn, uint32_t *generation) {
    if (table->open_count >= table->cfg.sessions_max || table->free_head == SESSION_NONE) {
        return false;
    }
    *conn = sessions_free_pop(table);
    RS_ASSERT(table->sessions[*conn].state == RS_SESSION_FREE);
    *generation = table->sessions[*conn].generation;
    table->used_count++;
    return true;
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
    rs_session *session = &table->sessions[conn];
    RS_ASSERT(conn < table->cfg.slot_count && session->state == RS_SESSION_FREE);
    RS_ASSERT(rs_sendq_is_empty(&session->sendq) && !session->recv_in_flight);
    session->state = RS_SESSION_OPEN;
    session->recv_start = session->recv_end = 0;
    session->abort = session->peer_ended = false;
    session->shutdown_posted = session->close_posted = session->abort_posted = false;
    session->user = 0;
    session->holds = 0;
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
    RS_ASSERT(session->state == RS_SESSION_OPEN && session->holds > 0);
    session->reason = (uint8_t)reason;
    session->state = RS_SESSION_HELD;
    table->counters.held_ends++;
    rs_timers_arm(&table->timers, session->index, table->now_ms + table->cfg.drain_timeout_ms);
}

RS_COLD static void session_finish(rs_session *session, rs_close_reason reason) {
    rs_sessions *table = session->table;
    RS_ASSERT(rs_session_takes(session));
    session->holds = 0;
    session->reason = (uint8_t)reason;
    session->abort = !reason_flushes(reason);
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
    if (session->state == RS_SESSION_OPEN) {
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
    RS_ASSERT(session->state == RS_SESSION_CLOSING && session->close_posted);
    RS_ASSERT(!session->recv_in_flight);
    RS_ASSERT(session->sendq.in_flight == 0);
    rs_sendq_discard(&table->sendq_pool, &session->sendq);
    rs_timers_cancel(&table->timers, session->index);
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

static void session_parse(rs_session *session) {
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

static void session_received(rs_session *session, uint32_t bytes) {
    rs_sessions *table = session->table;
    RS_ASSERT(bytes <= table->cfg.recv_bytes - session->recv_end);
    table->counters.bytes_in += bytes;
    if (session->state != RS_SESSION_OPEN) {
        return; /* ended: what still comes is thrown away */
    }
    session->recv_end += bytes;
    if (!table->app.raw) {
        session_parse(session);
        return;
    }
    session->recv_end = 0;
    session->last_frame_ms = table->now_ms;
    table->counters.messages_in++;
    table->app.on_message(table->app.ctx, session, session->recv_data, bytes);
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
        session->peer_ended = true;
        session_end(session, RS_CLOSE_PEER);
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

const rs_histogram *rs_sessions_send_ns(rs_sessions *table) {
    rs_histogram_record_n(&table->send_ns, table->send_run_ns, table->send_run_count);
    table->send_run_count = 0;
    return &table->send_ns;
}

static void session_on_send(rs_session *session, const rs_completion *completion) {
    rs_sessions *table = session->table;
    uint64_t posted_ns = 0;
    uint32_t asked = rs_sendq_complete(&table->sendq_pool, &session->sendq, &posted_ns);
    table->counters.send_ops++;
    session_record_send(table, table->now_ns - posted_ns);
    if (session->sendq.unsent != RS_SENDQ_NONE || session->state != RS_SESSION_OPEN) {
        session_touch(session);
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

RS_COLD static bool session_is_held(const rs_session *session) {
    return session->state == RS_SESSION_HELD;
}

/* A session that takes nothing any more, or a stand-in. */
RS_COLD static rs_status session_send_else(rs_session *session, const uint8_t *data,
                                           uint32_t bytes) {
    return session->state == RS_SESSION_REMOTE ? session->table->remote->send(session, data, bytes)
                                               : RS_E_CLOSED;
}

/* One call of the queue alone, which is then inlined; an open session pays for one comparison. */
rs_status rs_session_send(rs_session *session, const void *data, uint32_t bytes) {
    if (session->state != RS_SESSION_OPEN && !session_is_held(session)) {
        return session_send_else(session, (const uint8_t *)data, bytes);
    }
    return session_queued(session, rs_sendq_append(&session->table->sendq_pool, &session->sendq,
                                                   (const uint8_t *)data, bytes));
}

bool rs_shared_acquire(rs_session *session, rs_shared *out) {
    rs_slab *blocks = session->table->sendq_pool.blocks;
    rs_slice slice;
    if (!rs_slab_acquire(blocks, &slice)) {
        return false;
    }
    *out = (rs_shared){.data = rs_slab_data(blocks, slice),
                       .room = blocks->block_bytes,
                       .index = slice.index,
                       .generation = slice.generation};
    return true;
}

rs_status rs_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes) {
    rs_slice slice = {.index = shared->index, .generation = shared->generation};
    if (session->state == RS_SESSION_REMOTE) { /* another thread's pool: the bytes are copied */
        RS_ASSERT(rs_slab_is_live(session->table->sendq_pool.blocks, slice));
        return session->table->remote->send(session, shared->data, bytes);
    }
    if (!rs_session_takes(session)) {
        return RS_E_CLOSED;
    }
    return session_queued(session, rs_sendq_append_shared(&session->table->sendq_pool,
                                                          &session->sendq, slice, bytes));
}

void rs_shared_release(rs_session *session, const rs_shared *shared) {
    rs_slice slice = {.index = shared->index, .generation = shared->generation};
    rs_slab_drop(session->table->sendq_pool.blocks, slice);
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
    rs_session *session = &table->sessions[completion->conn];
    /* A free slot already has the generation of its next use, for which nothing was issued yet. */
    if (completion->conn >= table->cfg.slot_count ||
        completion->generation != session->generation) {
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

static void session_recv_op(rs_session *session, rs_op *out) {
    rs_op *op = session_op(session, out, RS_OP_RECV);
    op->bytes = session->table->cfg.recv_bytes - session->recv_end;
    op->u.data = session->recv_data + session->recv_end;
    session->recv_in_flight = true;
}

static void session_close_op(rs_session *session, rs_op *out) {
    rs_op *op = session_op(session, out, RS_OP_CLOSE);
    op->flags = session->abort ? RS_OPF_ABORT : 0;
    session->abort_posted = session->abort;
    session->state = RS_SESSION_CLOSING;
    session->close_posted = true;
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
    if (!session->shutdown_posted) {
        session->shutdown_posted = true;
        session->state = RS_SESSION_LINGER;
        (void)session_op(session, &ops[count++], RS_OP_SHUTDOWN);
    }
    if (!session->recv_in_flight) {
        session->recv_start = session->recv_end = 0;
        session_recv_op(session, &ops[count++]);
    }
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
    if (!session->recv_in_flight) {
        session_recv_op(session, &ops[count++]);
    }
    return count;
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

/* A straggler: its sends, its FIN or its close have hung for too long. */
static void session_escalate(rs_session *session) {
    if (session->abort_posted) {
        return; /* nothing harder is left: the back end owes us the completion */
    }
    session->table->counters.escalated_closes++;
    session->abort = true;
    rs_sendq_discard(&session->table->sendq_pool, &session->sendq);
    session_touch(session);
}

RS_COLD static void session_expired(rs_session *session, uint32_t index, uint64_t upto_ms) {
    rs_sessions *table = session->table;
    uint64_t deadline;
    if (session->state == RS_SESSION_HELD) {
        table->counters.expired_holds++;
        session_finish(session, (rs_close_reason)session->reason);
        return;
    }
    if (session->state != RS_SESSION_OPEN) {
        session_escalate(session);
        return;
    }
    deadline = session->last_frame_ms + table->cfg.idle_timeout_ms;
    if (deadline > upto_ms) {
        rs_timers_arm(&table->timers, index, deadline);
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
    while ((index = rs_timers_expired(&table->timers, upto_ms)) != RS_TIMER_NONE) {
        session_expired(&table->sessions[index], index, upto_ms);
    }
}

uint64_t rs_sessions_next_ms(const rs_sessions *table) {
    return rs_timers_next_ms(&table->timers, table->now_ms);
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

rs_session_id rs_session_id_of(const rs_session *session) {
    return rs_session_id_make(session->table->cfg.shard, session->index, session->generation);
}

void rs_session_set_user(rs_session *session, uint64_t user) {
    session->user = user;
}

uint64_t rs_session_user(const rs_session *session) {
    return session->user;
}
