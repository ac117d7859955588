/* SPDX-License-Identifier: MIT */
/* See conn_engine.h. */
#include "seam/conn_engine.h"

/* CONNECT, SHUTDOWN and CLOSE of a connection: completions that can be in flight beside its RECVs
 * and SENDs. */
#define ENGINE_OTHER_OPS 3u

_Static_assert((uint64_t)RS_SESSIONS_MAX *(ENGINE_OTHER_OPS + RS_RECVS_IN_FLIGHT_MAX +
                                           RS_SENDS_IN_FLIGHT_MAX) < UINT32_MAX / 2u,
               "indices of records and of the ready ring fit 32 bits");

/* ---- memory */

static uint32_t engine_ready_max(const rs_engine_config *cfg) {
    RS_ASSERT(cfg->conns_max > 0);
    RS_ASSERT(cfg->accepts_max <= UINT32_MAX / 2u);
    return cfg->conns_max * (ENGINE_OTHER_OPS + cfg->recvs_per_conn + cfg->sends_per_conn) +
           cfg->accepts_max;
}

/* Behind a record come at most those that wait with it, and the rest of the poll that returns it.
 */
static uint32_t engine_ends_max(const rs_engine_config *cfg) {
    return cfg->accepts_max + cfg->poll_max;
}

size_t rs_engine_bytes(const rs_engine_config *cfg) {
    RS_ASSERT(cfg->conns_max <= RS_SESSIONS_MAX);
    RS_ASSERT(cfg->recvs_per_conn <= RS_RECVS_IN_FLIGHT_MAX);
    RS_ASSERT(cfg->sends_per_conn <= RS_SENDS_IN_FLIGHT_MAX);
    return cfg->conns_max * sizeof(rs_engine_conn) +
           rs_engine_reqs(cfg->conns_max, cfg->recvs_per_conn, cfg->sends_per_conn) *
               sizeof(rs_engine_req) +
           engine_ready_max(cfg) * sizeof(rs_completion) + engine_ends_max(cfg) * sizeof(rs_ends);
}

void rs_engine_init(rs_engine *engine, const rs_engine_config *cfg, void *memory) {
    rs_engine_conn *conns = memory;
    rs_engine_req *reqs = (rs_engine_req *)(void *)(conns + cfg->conns_max);
    rs_completion *ready =
        (rs_completion *)(void *)(reqs + rs_engine_reqs(cfg->conns_max, cfg->recvs_per_conn,
                                                        cfg->sends_per_conn));
    RS_ASSERT(memory != NULL);
    RS_ASSERT(cfg->conns_max >= 1);
    RS_ASSERT(cfg->conns_max <= RS_SESSIONS_MAX);
    RS_ASSERT(cfg->recvs_per_conn <= RS_RECVS_IN_FLIGHT_MAX);
    RS_ASSERT(cfg->sends_per_conn <= RS_SENDS_IN_FLIGHT_MAX);
    RS_ASSERT(cfg->poll_max >= 1);
    RS_ASSERT(cfg->gather_max >= 1);
    RS_ASSERT(cfg->gather_max <= RS_GATHER_MAX);
    *engine = (rs_engine){
        .conns = conns,
        .reqs = reqs,
        .cfg = *cfg,
        .reqs_per_conn = rs_engine_reqs(1, cfg->recvs_per_conn, cfg->sends_per_conn),
    };
    rs_ready_init(&engine->ready, ready, engine_ready_max(cfg));
    engine->ends = (rs_ends *)(void *)(ready + engine_ready_max(cfg));
}

/* ---- small views */

/* The record of the offset-th receive without a completion, counted from the oldest. */
static uint32_t engine_recv_index_of_many(const rs_engine *engine, uint32_t index,
                                          uint32_t offset) {
    uint32_t slot;
    RS_ASSERT(index < engine->cfg.conns_max);
    slot = engine->conns[index].recv_head + offset;
    if (slot >= engine->cfg.recvs_per_conn) {
        slot -= engine->cfg.recvs_per_conn;
    }
    RS_ASSERT(slot < engine->cfg.recvs_per_conn);
    return rs_engine_recv_at(engine, index) + (slot > 0 ? engine->cfg.sends_per_conn + slot : 0);
}

static inline uint32_t engine_recv_index(const rs_engine *engine, uint32_t index, uint32_t offset) {
    RS_DEBUG_ASSERT(index < engine->cfg.conns_max);
    return RS_LIKELY(engine->cfg.recvs_per_conn == 1)
               ? rs_engine_recv_at(engine, index)
               : engine_recv_index_of_many(engine, index, offset);
}

/* The same of sends. */
static inline uint32_t engine_send_index(const rs_engine *engine, uint32_t index, uint32_t offset) {
    uint32_t slot;
    RS_DEBUG_ASSERT(index < engine->cfg.conns_max);
    slot = engine->conns[index].send_head + offset;
    if (slot >= engine->cfg.sends_per_conn) {
        slot -= engine->cfg.sends_per_conn;
    }
    RS_DEBUG_ASSERT(slot < engine->cfg.sends_per_conn);
    return rs_engine_recv_at(engine, index) + 1u + slot;
}

uint32_t rs_engine_send_behind(const rs_engine *engine, uint32_t index, uint32_t at, uint32_t i) {
    uint32_t end = rs_engine_recv_at(engine, index) + 1u + engine->cfg.sends_per_conn;
    RS_ASSERT(at > rs_engine_recv_at(engine, index));
    RS_ASSERT(at < end);
    RS_DEBUG_ASSERT(i < engine->cfg.sends_per_conn);
    return at + i < end ? at + i : at + i - engine->cfg.sends_per_conn;
}

static bool engine_is_draining(const rs_engine_conn *conn) {
    RS_ASSERT(conn->recvs_posted <= conn->recvs);
    RS_ASSERT(conn->sends_posted <= conn->sends);
    return conn->socket_gone &&
           (conn->recvs_posted > 0 || conn->sends_posted > 0 || conn->connect_busy);
}

static inline void engine_tell(rs_engine *engine, uint32_t index, rs_op_kind kind, rs_status status,
                               uint32_t bytes, uint64_t tag, bool called) {
    const uint8_t flags = rs_op_ended_inline(called, kind, (int)status);
    RS_DEBUG_ASSERT(index < engine->cfg.conns_max);
    RS_DEBUG_ASSERT(engine->conns[index].phase != RS_CONN_FREE);
    engine->inline_completions += flags;
    *rs_ready_next(&engine->ready) = (rs_completion){
        .kind = (uint8_t)kind,
        .flags = flags,
        .status = (uint16_t)status,
        .conn = index,
        .generation = engine->conns[index].generation,
        .bytes = bytes,
        .tag = tag,
        .socket = RS_SOCKET_NONE,
    };
}

/* ---- requests that are over */

/* Receives complete in the order of submission: a finished one waits for those before it. */
static void engine_recvs_tell(rs_engine *engine, uint32_t index) {
    RS_ASSERT(engine->conns[index].recvs_untold <= engine->conns[index].recvs);
    while (engine->conns[index].recvs_untold > 0) {
        rs_engine_req *req = &engine->reqs[engine_recv_index(engine, index, 0)];

        rs_engine_conn *conn = &engine->conns[index];

        if (req->state != RS_REQ_DONE) {
            return;
        }
        req->state = RS_REQ_FREE;
        conn->recvs_untold--;
        conn->recv_head =
            (uint8_t)(conn->recvs_untold > 0 ? (conn->recv_head + 1u) % engine->cfg.recvs_per_conn
                                             : 0u);
        engine_tell(engine, index, RS_OP_RECV, (rs_status)req->status, req->done, req->op.tag,
                    req->called);
    }
}

/* The oldest held receive is now with the kernel, or over. */
static inline void engine_recv_left(rs_engine_conn *conn) {
    RS_DEBUG_ASSERT(conn->recvs_held > 0);
    conn->recvs_held--;
    if (conn->recvs_held == 0) {
        conn->todo &= (uint8_t)~RS_ENGINE_RECV;
    }
}

RS_COLD static void engine_recv_finish_of_many(rs_engine *engine, uint32_t index, uint32_t at,
                                               rs_status status, uint32_t bytes, bool called) {
    rs_engine_req *req = &engine->reqs[at];
    RS_ASSERT(req->op.kind == RS_OP_RECV);
    RS_ASSERT(engine->conns[index].recvs_untold > 1);
    if (req->state == RS_REQ_HELD) {
        engine_recv_left(&engine->conns[index]);
    }
    req->state = RS_REQ_DONE;
    req->status = (uint8_t)status;
    req->done = bytes;
    req->called = called;
    engine_recvs_tell(engine, index);
}

/* The common case is the only receive there is. */
static inline void engine_recv_finish(rs_engine *engine, uint32_t index, uint32_t at,
                                      rs_status status, uint32_t bytes, bool called) {
    rs_engine_conn *conn = &engine->conns[index];
    rs_engine_req *req = &engine->reqs[at];
    RS_ASSERT(bytes <= req->op.bytes);
    RS_DEBUG_ASSERT(req->state != RS_REQ_FREE);
    if (!RS_LIKELY(conn->recvs_untold == 1)) {
        engine_recv_finish_of_many(engine, index, at, status, bytes, called);
        return;
    }
    req->state = RS_REQ_FREE;
    conn->recvs_held = conn->recvs_untold = conn->recv_head = 0;
    conn->todo &= (uint8_t)~RS_ENGINE_RECV;
    engine_tell(engine, index, RS_OP_RECV, status, bytes, req->op.tag, called);
}

static void engine_recvs_fail(rs_engine *engine, uint32_t index, rs_status status) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(status != RS_OK);
    RS_ASSERT(conn->recvs_held <= conn->recvs_untold);
    while (conn->recvs_held > 0) {
        uint32_t offset = (uint32_t)conn->recvs_untold - conn->recvs_held;
        rs_engine_req *req = &engine->reqs[engine_recv_index(engine, index, offset)];

        req->state = RS_REQ_DONE;
        req->status = (uint8_t)status;
        engine_recv_left(conn);
    }
    engine_recvs_tell(engine, index);
}

/* The oldest untold send is over. */
static inline void engine_send_tell(rs_engine *engine, uint32_t index, rs_engine_req *req,
                                    rs_status status, bool called) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_DEBUG_ASSERT(req->done <= req->op.bytes);
    RS_DEBUG_ASSERT(req == &engine->reqs[engine_send_index(engine, index, 0)]);
    RS_ASSERT(conn->sends_untold > 0);
    req->state = RS_REQ_FREE;
    conn->sends_untold--;
    conn->send_head =
        (uint8_t)(conn->send_head + 1u == engine->cfg.sends_per_conn ? 0u : conn->send_head + 1u);
    engine_tell(engine, index, RS_OP_SEND, status, req->done, req->op.tag, called);
}

/* Sends complete in the order of submission: a finished one waits for those before it. */
static void engine_sends_tell(rs_engine *engine, uint32_t index) {
    RS_ASSERT(engine->conns[index].sends_untold <= engine->conns[index].sends);
    while (engine->conns[index].sends_untold > 0) {
        rs_engine_req *req = &engine->reqs[engine_send_index(engine, index, 0)];

        if (req->state != RS_REQ_DONE) {
            return;
        }
        engine_send_tell(engine, index, req, (rs_status)req->status, req->called);
    }
}

/* `count` held sends are now with the kernel, or over. */
static inline void engine_sends_left(rs_engine_conn *conn, uint32_t count) {
    RS_ASSERT(count <= conn->sends_held);
    conn->sends_held = (uint8_t)(conn->sends_held - count);
    if (conn->sends_held == 0) {
        conn->todo &= (uint8_t)~RS_ENGINE_SEND;
    }
}

/* A call for the sends [at, at + count) has ended: distributes its bytes in order. Returns how many
 * sends are over. */
static uint32_t engine_run_finish(rs_engine *engine, uint32_t index, uint32_t at, uint32_t count,
                                  rs_status status, uint32_t bytes, bool called) {
    const bool oldest = at == engine_send_index(engine, index, 0);
    uint32_t over = 0;
    RS_ASSERT(count > 0);
    RS_ASSERT(count <= engine->cfg.gather_max);
    while (over < count) {
        rs_engine_req *req = &engine->reqs[at];
        uint32_t left = req->op.bytes - req->done;
        uint32_t part = bytes < left ? bytes : left;

        req->done += part;
        bytes -= part;
        if (part < left && status == RS_OK && engine->cfg.partial_sends) {
            break; /* the rest of it, and those behind, are still to be sent */
        }
        if (oldest) {
            engine_send_tell(engine, index, req, status, called);
        } else {
            req->state = RS_REQ_DONE;
            req->status = (uint8_t)status;
            req->called = called;
        }
        over++;
        if (over < count) {
            at = rs_engine_send_behind(engine, index, at, 1);
        }
    }
    RS_ASSERT(bytes == 0);
    if (oldest) {
        engine_sends_tell(engine, index);
    }
    return over;
}

static void engine_sends_fail(rs_engine *engine, uint32_t index, rs_status status) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(status != RS_OK);
    RS_ASSERT(conn->sends_held <= conn->sends_untold);
    while (conn->sends_held > 0) {
        uint32_t offset = (uint32_t)conn->sends_untold - conn->sends_held;
        rs_engine_req *req = &engine->reqs[engine_send_index(engine, index, offset)];

        req->state = RS_REQ_DONE;
        req->status = (uint8_t)status;
        engine_sends_left(conn, 1);
    }
    engine_sends_tell(engine, index);
}

/* Fails requests that the kernel never got. */
static void engine_held_fail(rs_engine *engine, uint32_t index, rs_status status) {
    RS_ASSERT(index < engine->cfg.conns_max);
    RS_ASSERT(status != RS_OK);
    engine_recvs_fail(engine, index, status);
    engine_sends_fail(engine, index, status);
}

static void engine_shutdown_finish(rs_engine *engine, uint32_t index, rs_status status) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT((conn->todo & RS_ENGINE_TODO_SHUTDOWN) != 0);
    RS_ASSERT(conn->shutdown);
    conn->todo &= (uint8_t)~RS_ENGINE_TODO_SHUTDOWN;
    engine_tell(engine, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag, false);
}

/* ---- the end of a connection */

/* The kernel has no more requests of it: a CLOSE may complete, after everything else. */
static void engine_drained(rs_engine *engine, uint32_t index) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(conn->socket_gone);
    RS_ASSERT(!engine_is_draining(conn));
    if (conn->phase != RS_CONN_CLOSING) {
        return; /* broken, and not closed by its owner yet */
    }
    engine_held_fail(engine, index, RS_E_ABORTED);
    if ((conn->todo & RS_ENGINE_TODO_SHUTDOWN) != 0) {
        engine_shutdown_finish(engine, index, RS_E_ABORTED);
    }
    RS_ASSERT((conn->todo & RS_ENGINE_BOTH) == 0);
    conn->phase = RS_CONN_CLOSED;
    engine_tell(engine, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag, false);
}

/* Finishes what does not need the kernel, for a connection that ends or has a gap. */
static void engine_settle_end(rs_engine *engine, uint32_t index) {
    rs_engine_conn *conn = &engine->conns[index];
    const rs_status status = (rs_status)(conn->broken != RS_OK ? conn->broken : conn->gap);
    RS_ASSERT(conn->phase != RS_CONN_FREE);
    if (conn->broken != RS_OK) {
        engine_held_fail(engine, index, status);
    } else if (status != RS_OK) {
        engine_sends_fail(engine, index, status);
    }
    if (status != RS_OK && (conn->todo & RS_ENGINE_TODO_SHUTDOWN) != 0 && conn->sends_untold == 0) {
        engine_shutdown_finish(engine, index, status);
    }
    if (conn->socket_gone && !engine_is_draining(conn)) {
        engine_drained(engine, index);
    }
}

/* After every change. */
static inline void engine_settle(rs_engine *engine, uint32_t index) {
    RS_DEBUG_ASSERT(index < engine->cfg.conns_max);
    if ((engine->conns[index].todo & (RS_ENGINE_TODO_END | RS_ENGINE_TODO_GAP)) != 0) {
        engine_settle_end(engine, index);
    }
}

void rs_engine_socket_gone(rs_engine *engine, uint32_t index) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(!conn->socket_gone);
    RS_ASSERT((conn->todo & RS_ENGINE_TODO_END) != 0);
    RS_ASSERT(conn->abort_taken || conn->broken != RS_OK || conn->sends_posted == 0);
    RS_ASSERT(!conn->connect_busy || conn->phase == RS_CONN_CLOSING);
    conn->socket_gone = true;
    engine_settle(engine, index);
}

/* ---- slots */

static void engine_bind(rs_engine *engine, uint32_t index, uint32_t generation,
                        rs_conn_phase phase) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(conn->phase == RS_CONN_FREE);
    RS_ASSERT(conn->sends == 0);
    RS_ASSERT(conn->recvs == 0);
    RS_ASSERT(!conn->shutdown);
    RS_ASSERT(!engine_is_draining(conn));
    RS_ASSERT(engine->bound < engine->cfg.conns_max);
    engine->bound++;
    *conn = (rs_engine_conn){.generation = generation, .phase = (uint8_t)phase};
}

void rs_engine_bind(rs_engine *engine, uint32_t index, uint32_t generation) {
    RS_ASSERT(index < engine->cfg.conns_max);
    engine_bind(engine, index, generation, RS_CONN_OPEN);
}

static void engine_free(rs_engine *engine, rs_engine_conn *conn) {
    RS_ASSERT(engine->bound > 0);
    RS_ASSERT(conn->sends == 0);
    RS_ASSERT(conn->recvs == 0);
    RS_ASSERT(!conn->shutdown);
    RS_ASSERT(conn->recvs_posted == 0);
    RS_ASSERT(conn->sends_posted == 0);
    RS_ASSERT(!conn->connect_busy);
    RS_ASSERT(conn->phase != RS_CONN_FREE);
    engine->bound--;
    conn->phase = RS_CONN_FREE;
}

void rs_engine_unbind(rs_engine *engine, uint32_t index) {
    RS_ASSERT(index < engine->cfg.conns_max);
    RS_ASSERT(engine->conns[index].phase == RS_CONN_OPEN);
    RS_ASSERT(engine->conns[index].todo == 0);
    engine_free(engine, &engine->conns[index]);
}

/* ---- submit */

static inline void engine_hold(rs_engine_req *req, const rs_op *op) {
    RS_ASSERT(req->state == RS_REQ_FREE);
    RS_DEBUG_ASSERT(op->bytes > 0);
    *req = (rs_engine_req){.op = *op, .state = RS_REQ_HELD};
}

/* ... others. */
RS_COLD static rs_status engine_submit_recv_behind(rs_engine *engine, rs_engine_conn *conn,
                                                   const rs_op *op) {
    RS_ASSERT(conn->recvs > 0);
    RS_ASSERT(conn->recvs_untold <= conn->recvs);
    if (conn->recvs == engine->cfg.recvs_per_conn) {
        return RS_E_FULL;
    }
    engine_hold(&engine->reqs[engine_recv_index(engine, op->conn, conn->recvs_untold)], op);
    conn->recvs++;
    conn->recvs_held++;
    conn->recvs_untold++;
    conn->todo |= RS_ENGINE_RECV;
    return RS_OK;
}

static inline rs_status engine_submit_recv(rs_engine *engine, rs_engine_conn *conn,
                                           const rs_op *op) {
    RS_DEBUG_ASSERT(conn->recvs_held <= conn->recvs_untold);
    RS_DEBUG_ASSERT(conn->recvs_untold <= conn->recvs);
    if (op->u.data == NULL || op->bytes == 0) {
        return RS_E_INVALID;
    }
    if (!RS_LIKELY(conn->recvs == 0)) {
        return engine_submit_recv_behind(engine, conn, op);
    }
    engine_hold(&engine->reqs[rs_engine_recv_at(engine, op->conn)], op);
    conn->recvs = conn->recvs_held = conn->recvs_untold = 1;
    conn->todo |= RS_ENGINE_RECV;
    return RS_OK;
}

static inline rs_status engine_submit_send(rs_engine *engine, rs_engine_conn *conn,
                                           const rs_op *op) {
    RS_DEBUG_ASSERT(conn->sends_held <= conn->sends_untold);
    RS_DEBUG_ASSERT(conn->sends_untold <= conn->sends);
    if (op->u.data == NULL || op->bytes == 0 || conn->shutdown) {
        return RS_E_INVALID; /* nothing can follow the end of our stream */
    }
    if (conn->sends >= engine->cfg.sends_per_conn) {
        return RS_E_FULL;
    }
    engine_hold(&engine->reqs[engine_send_index(engine, op->conn, conn->sends_untold)], op);
    conn->sends++;
    conn->sends_untold++;
    conn->sends_held++;
    conn->todo |= RS_ENGINE_SEND;
    return RS_OK;
}

static rs_status engine_submit_shutdown(rs_engine_conn *conn, const rs_op *op) {
    RS_ASSERT(op->kind == RS_OP_SHUTDOWN);
    if (conn->shutdown) {
        return RS_E_FULL;
    }
    conn->shutdown = true;
    conn->shutdown_tag = op->tag;
    conn->todo |= RS_ENGINE_TODO_SHUTDOWN;
    return RS_OK;
}

/* Held sends go out before a plain CLOSE; held receives end now. During a CONNECT both wait for
 * it. */
static rs_status engine_submit_close(rs_engine *engine, rs_engine_conn *conn, const rs_op *op) {
    RS_ASSERT(op->kind == RS_OP_CLOSE);
    RS_ASSERT(conn->phase == RS_CONN_OPEN || conn->phase == RS_CONN_CONNECTING);
    RS_ASSERT(!conn->abort_taken);
    conn->abort_taken = (op->flags & RS_OPF_ABORT) != 0;
    conn->close_tag = op->tag;
    if (conn->phase == RS_CONN_OPEN) {
        engine_recvs_fail(engine, op->conn, RS_E_ABORTED);
    }
    conn->phase = RS_CONN_CLOSING;
    conn->todo |= RS_ENGINE_TODO_END;
    return RS_OK;
}

static rs_status engine_submit_connect(rs_engine *engine, const rs_op *op) {
    rs_engine_conn *conn;
    RS_ASSERT(op->conn < engine->cfg.conns_max);
    conn = &engine->conns[op->conn];
    RS_ASSERT(op->kind == RS_OP_CONNECT);
    if (conn->phase != RS_CONN_FREE || op->u.addr == NULL) {
        return RS_E_INVALID;
    }
    engine_bind(engine, op->conn, op->generation, RS_CONN_CONNECTING);
    conn->connect_busy = true;
    conn->connect_tag = op->tag;
    return RS_OK;
}

/* An op for a closing connection: only one abort after a plain CLOSE is accepted. */
static rs_status engine_submit_late(rs_engine_conn *conn, const rs_op *op) {
    RS_ASSERT(conn->phase != RS_CONN_OPEN);
    RS_ASSERT(conn->phase != RS_CONN_CONNECTING);
    if (conn->phase == RS_CONN_FREE || conn->abort_taken || op->kind != RS_OP_CLOSE ||
        (op->flags & RS_OPF_ABORT) == 0) {
        return RS_E_CLOSED;
    }
    RS_ASSERT((conn->todo & RS_ENGINE_TODO_END) != 0);
    conn->abort_taken = true;
    return RS_OK;
}

static rs_status engine_submit_one(rs_engine *engine, const rs_op *op) {
    rs_engine_conn *conn;
    if (op->conn >= engine->cfg.conns_max) {
        return RS_E_INVALID;
    }
    if (op->kind == RS_OP_CONNECT) {
        return engine_submit_connect(engine, op);
    }
    conn = &engine->conns[op->conn];
    if (op->generation != conn->generation) {
        return RS_E_STALE;
    }
    if (conn->phase != RS_CONN_OPEN && conn->phase != RS_CONN_CONNECTING) {
        return engine_submit_late(conn, op);
    }
    if (op->kind == RS_OP_RECV) {
        return engine_submit_recv(engine, conn, op);
    }
    if (op->kind == RS_OP_SEND) {
        return engine_submit_send(engine, conn, op);
    }
    switch (op->kind) {
    case RS_OP_SHUTDOWN:
        return engine_submit_shutdown(conn, op);
    case RS_OP_CLOSE:
        return engine_submit_close(engine, conn, op);
    default:
        return RS_E_INVALID;
    }
}

uint32_t rs_engine_submit(rs_engine *engine, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t taken = 0;
    bool joins;
    RS_ASSERT(count >= 1);
    do {
        *why = engine_submit_one(engine, &ops[taken]);
        if (*why != RS_OK) {
            break;
        }
        joins = ops[taken].kind == RS_OP_SEND && engine->cfg.gather_max > 1;
        taken++;
    } while (joins && taken < count && ops[taken].kind == RS_OP_SEND &&
             ops[taken].conn == ops[0].conn);
    if (taken > 0) {
        engine_settle(engine, ops[0].conn);
    }
    RS_DEBUG_ASSERT(taken <= count);
    return taken;
}

/* ---- what to call next */

/* Sends of one call: the oldest of those held. */
static inline uint32_t engine_run(const rs_engine *engine, const rs_engine_conn *conn) {
    RS_DEBUG_ASSERT(conn->sends_held > 0);
    RS_DEBUG_ASSERT(conn->sends_held <= conn->sends_untold);
    return conn->sends_held < engine->cfg.gather_max ? conn->sends_held : engine->cfg.gather_max;
}

/* The last step of a plain CLOSE, when the sends before it have completed. */
static rs_engine_do engine_next_close(const rs_engine *engine, const rs_engine_conn *conn) {
    RS_ASSERT(conn->phase == RS_CONN_CLOSING);
    RS_ASSERT(conn->sends_posted == 0);
    if (!engine->cfg.cancels_recv || conn->recvs_posted == 0) {
        return RS_DO_CLOSE;
    }
    return conn->recv_cancelled ? RS_DO_NONE : RS_DO_CANCEL_RECV;
}

rs_engine_action rs_engine_next_todo(const rs_engine *engine, uint32_t index, uint32_t todo) {
    const rs_engine_conn *conn;
    const bool ends = (todo & RS_ENGINE_TODO_END) != 0;
    rs_engine_action action = {.kind = RS_DO_NONE};
    RS_ASSERT(index < engine->cfg.conns_max);
    conn = &engine->conns[index];
    RS_DEBUG_ASSERT((todo & ~(uint32_t)conn->todo) == 0);
    if (conn->socket_gone) {
        return action;
    }
    if (ends && (conn->broken != RS_OK || conn->abort_taken)) {
        action.kind = RS_DO_ABORT;
    } else if (conn->connect_busy) {
        action.kind = ends ? RS_DO_CLOSE : RS_DO_NONE;
    } else if ((todo & RS_ENGINE_RECV) != 0) {
        action.kind = RS_DO_RECV;
        action.at =
            engine_recv_index(engine, index, (uint32_t)conn->recvs_untold - conn->recvs_held);
    } else if ((todo & RS_ENGINE_SEND) != 0) {
        action.kind = RS_DO_SEND;
        action.at =
            engine_send_index(engine, index, (uint32_t)conn->sends_untold - conn->sends_held);
        action.count = engine_run(engine, conn);
    } else if (conn->sends_untold > 0) {
        return action;
    } else if ((todo & RS_ENGINE_TODO_SHUTDOWN) != 0) {
        action.kind = RS_DO_SHUTDOWN;
    } else if (ends) {
        action.kind = engine_next_close(engine, conn);
    }
    return action;
}

/* ---- what came of it */

void rs_engine_pending(rs_engine *engine, uint32_t index, uint32_t at) {
    rs_engine_conn *conn;
    rs_engine_req *req = &engine->reqs[at];
    RS_ASSERT(index < engine->cfg.conns_max);
    conn = &engine->conns[index];
    RS_ASSERT(req->state == RS_REQ_HELD);
    engine->posted++;
    if (req->op.kind == RS_OP_RECV) {
        RS_DEBUG_ASSERT(conn->recvs_posted < engine->cfg.recvs_per_conn);
        req->state = RS_REQ_POSTED;
        engine_recv_left(conn);
        conn->recvs_posted++;
        return;
    }
    req->run = (uint8_t)engine_run(engine, conn);
    for (uint32_t i = 0; i < req->run; i++) {
        engine->reqs[rs_engine_send_behind(engine, index, at, i)].state = RS_REQ_POSTED;
    }
    engine_sends_left(conn, req->run);
    conn->sends_posted++;
    RS_ASSERT(conn->sends_posted <= engine->cfg.sends_per_conn);
}

/* Names a failure by its cause: our own close, or the peer or network. */
static rs_status engine_result_status(const rs_engine_conn *conn, rs_op_kind kind,
                                      rs_status status) {
    RS_ASSERT(status != RS_OK);
    RS_ASSERT(kind == RS_OP_RECV || kind == RS_OP_SEND);
    if (conn->broken != RS_OK) {
        return (rs_status)conn->broken;
    }
    if (conn->socket_gone || (kind == RS_OP_RECV && conn->recv_cancelled)) {
        return RS_E_ABORTED;
    }
    return status == RS_E_ABORTED ? RS_E_RESET : status;
}

/* A request has left the kernel. */
static void engine_returned(rs_engine *engine, rs_engine_conn *conn, rs_op_kind kind) {
    RS_ASSERT(engine->posted > 0);
    RS_ASSERT(conn->phase != RS_CONN_FREE);
    engine->posted--;
    if (kind == RS_OP_RECV) {
        RS_ASSERT(conn->recvs_posted > 0);
        conn->recvs_posted--;
    } else {
        RS_ASSERT(conn->sends_posted > 0);
        conn->sends_posted--;
    }
}

/* The common case is a single send, sent whole; the rest is the general case. */
static inline void engine_send_finish(rs_engine *engine, uint32_t index, uint32_t at,
                                      rs_status status, uint32_t bytes, bool called) {
    rs_engine_conn *conn = &engine->conns[index];
    rs_engine_req *req = &engine->reqs[at];
    const bool was_held = req->state == RS_REQ_HELD;
    RS_DEBUG_ASSERT(conn->sends_untold > 0);
    if (conn->sends_untold == 1 && bytes == req->op.bytes - req->done) {
        req->done = req->op.bytes;
        engine_sends_left(conn, was_held ? 1 : 0);
        engine_send_tell(engine, index, req, status, called);
    } else {
        uint32_t count = was_held ? engine_run(engine, conn) : req->run;
        uint32_t over = engine_run_finish(engine, index, at, count, status, bytes, called);

        engine_sends_left(conn, was_held ? over : 0);
    }
}

void rs_engine_finished(rs_engine *engine, uint32_t index, uint32_t at, rs_status status,
                        uint32_t bytes, bool called) {
    rs_engine_conn *conn;
    const rs_engine_req *req = &engine->reqs[at];
    const bool was_posted = req->state == RS_REQ_POSTED;
    RS_DEBUG_ASSERT(index < engine->cfg.conns_max);
    conn = &engine->conns[index];
    RS_ASSERT(was_posted || req->state == RS_REQ_HELD);
    if (status != RS_OK) {
        status = engine_result_status(conn, (rs_op_kind)req->op.kind, status);
        if (req->op.kind == RS_OP_SEND && conn->gap == RS_OK) {
            conn->gap = (uint8_t)status;
            conn->todo |= RS_ENGINE_TODO_GAP;
        }
    }
    if (was_posted) {
        engine_returned(engine, conn, (rs_op_kind)req->op.kind);
    }
    if (req->op.kind == RS_OP_RECV) {
        engine_recv_finish(engine, index, at, status, bytes, called);
    } else {
        engine_send_finish(engine, index, at, status, bytes, called);
    }
    engine_settle(engine, index);
}

void rs_engine_shut_down(rs_engine *engine, uint32_t index, rs_status status) {
    RS_ASSERT(index < engine->cfg.conns_max);
    RS_ASSERT(!engine->conns[index].socket_gone);
    engine_shutdown_finish(engine, index, status);
    engine_settle(engine, index);
}

void rs_engine_recv_cancelled(rs_engine *engine, uint32_t index) {
    rs_engine_conn *conn = &engine->conns[index];
    RS_ASSERT(conn->phase == RS_CONN_CLOSING);
    RS_ASSERT(conn->recvs_posted > 0);
    RS_ASSERT(!conn->recv_cancelled);
    RS_ASSERT(engine->cfg.cancels_recv);
    conn->recv_cancelled = true;
}

void rs_engine_connected(rs_engine *engine, uint32_t index, rs_status status) {
    rs_engine_conn *conn;
    RS_ASSERT(index < engine->cfg.conns_max);
    conn = &engine->conns[index];
    RS_ASSERT(conn->connect_busy);
    RS_ASSERT(conn->recvs_posted == 0);
    RS_ASSERT(conn->sends_posted == 0);
    conn->connect_busy = false;
    if (conn->phase == RS_CONN_CONNECTING) {
        conn->phase = RS_CONN_OPEN;
    } else {
        RS_ASSERT(conn->phase == RS_CONN_CLOSING);
        status = RS_E_ABORTED;
    }
    engine_tell(engine, index, RS_OP_CONNECT, status, 0, conn->connect_tag, false);
    if (status != RS_OK && conn->phase == RS_CONN_OPEN) {
        conn->broken = (uint8_t)status;
        conn->todo |= RS_ENGINE_TODO_END;
    }
    engine_settle(engine, index);
}

void rs_engine_broken(rs_engine *engine, uint32_t index, rs_status status) {
    rs_engine_conn *conn;
    RS_ASSERT(index < engine->cfg.conns_max);
    conn = &engine->conns[index];
    RS_ASSERT(status != RS_OK);
    RS_ASSERT(conn->phase != RS_CONN_FREE);
    if (conn->socket_gone ||
        (conn->phase == RS_CONN_CLOSING &&
         (conn->abort_taken || conn->connect_busy || conn->sends_untold == 0))) {
        return; /* on its way out already */
    }
    RS_ASSERT(conn->phase == RS_CONN_OPEN || conn->phase == RS_CONN_CLOSING);
    conn->broken = (uint8_t)status;
    conn->todo |= RS_ENGINE_TODO_END;
    conn->abort_taken = conn->phase == RS_CONN_CLOSING;
    engine_settle(engine, index);
}

/* ---- completions */

static const rs_ends *engine_keep_ends(rs_engine *engine, const rs_ends *ends) {
    rs_ends *kept;
    RS_ASSERT(engine->ends_at < engine_ends_max(&engine->cfg));
    kept = &engine->ends[engine->ends_at];
    engine->ends_at =
        engine->ends_at + 1u < engine_ends_max(&engine->cfg) ? engine->ends_at + 1u : 0;
    *kept = *ends;
    return kept;
}

void rs_engine_accepted(rs_engine *engine, const rs_completion *records, uint32_t count) {
    RS_ASSERT(count <= engine->cfg.accepts_max - engine->accepts);
    RS_ASSERT(engine->accepts <= engine->cfg.accepts_max);
    engine->accepts += count;
    for (uint32_t i = 0; i < count; i++) {
        rs_completion *record = rs_ready_next(&engine->ready);
        RS_ASSERT(records[i].kind == RS_OP_ACCEPT);
        *record = records[i];
        if (record->ends != NULL) {
            record->ends = engine_keep_ends(engine, record->ends);
        }
    }
}

/* A request whose completion leaves the ready ring is no longer in flight: its record is free. */
static inline void engine_retire(rs_engine *engine, const rs_completion *record) {
    rs_engine_conn *conn = &engine->conns[record->conn];
    RS_DEBUG_ASSERT(record->kind == RS_OP_ACCEPT || record->generation == conn->generation);
    if (record->kind == RS_OP_SEND) {
        RS_ASSERT(conn->sends > conn->sends_untold);
        conn->sends--;
        return;
    }
    if (record->kind == RS_OP_RECV) {
        RS_DEBUG_ASSERT(conn->recvs > conn->recvs_untold);
        if (RS_LIKELY(conn->recvs == 1)) {
            conn->recvs = 0;
            return;
        }
        RS_ASSERT(conn->recvs > 0);
        conn->recvs--;
        return;
    }
    switch (record->kind) {
    case RS_OP_SHUTDOWN:
        RS_ASSERT(conn->shutdown);
        conn->shutdown = false;
        break;
    case RS_OP_CLOSE:
        RS_ASSERT(conn->phase == RS_CONN_CLOSED);
        engine_free(engine, conn);
        break;
    case RS_OP_ACCEPT:
        RS_ASSERT(engine->accepts > 0);
        engine->accepts--;
        break;
    default:
        break; /* CONNECT: there is no second */
    }
}

uint32_t rs_engine_take(rs_engine *engine, rs_completion *out, uint32_t cap) {
    uint32_t count = engine->ready.count < cap ? engine->ready.count : cap;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = *rs_ready_take(&engine->ready);
        engine_retire(engine, &out[i]);
    }
    return count;
}
