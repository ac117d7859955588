/* The state of every connection and request of one RIO back end. */
#include "rio/rio_engine.h"

#include <string.h>

#include "core/assert.h"

_Static_assert(RS_SENDS_IN_FLIGHT_MAX + RS_RIO_RECVS_PER_CONN <= UINT8_MAX,
               "the counts of a connection fit a byte");
_Static_assert((uint64_t)RS_SESSIONS_MAX *(RS_RIO_RECVS_PER_CONN + RS_SENDS_IN_FLIGHT_MAX) <
                   UINT32_MAX,
               "a request's index fits the low half of its context");

void rs_rio_engine_init(rs_rio_engine *engine, rs_rio_conn *conns, rs_rio_req *reqs,
                        uint32_t *touched, rs_completion *ready, uint32_t conns_max,
                        uint32_t sends_per_conn, bool defer) {
    RS_ASSERT(conns != NULL && reqs != NULL && touched != NULL);
    *engine = (rs_rio_engine){
        .conns = conns,
        .reqs = reqs,
        .touched = touched,
        .conns_max = conns_max,
        .sends_per_conn = sends_per_conn,
        .defer = defer,
    };
    rs_rio_quota_init(&engine->quota, conns_max, sends_per_conn);
    rs_ready_init(&engine->ready, ready, rs_rio_engine_ready_max(conns_max, sends_per_conn));
}

/* ---- small views */

static uint32_t engine_recv_index(const rs_rio_engine *engine, uint32_t index) {
    return index * (RS_RIO_RECVS_PER_CONN + engine->sends_per_conn);
}

/* The record of the offset-th unfinished send, counted from the oldest. */
static uint32_t engine_send_index(const rs_rio_engine *engine, uint32_t index, uint32_t offset) {
    uint32_t slot = engine->conns[index].send_head + offset;

    if (slot >= engine->sends_per_conn) {
        slot -= engine->sends_per_conn;
    }
    RS_DEBUG_ASSERT(slot < engine->sends_per_conn);
    return engine_recv_index(engine, index) + RS_RIO_RECVS_PER_CONN + slot;
}

static void engine_ready(rs_rio_engine *engine, uint32_t index, rs_op_kind kind, rs_status status,
                         uint32_t bytes, uint64_t tag) {
    const rs_completion record = {
        .kind = (uint8_t)kind,
        .status = (uint16_t)status,
        .conn = index,
        .generation = engine->conns[index].ops.generation,
        .bytes = bytes,
        .tag = tag,
        .socket = RS_SOCKET_NONE,
    };

    rs_ready_push(&engine->ready, &record);
}

/* ---- requests that are over */

/* Sends finish in the order of submission: one that is done waits for those before it. */
static void engine_sends_finish(rs_rio_engine *engine, uint32_t index) {
    rs_rio_conn *conn = &engine->conns[index];

    while (conn->send_count > 0) {
        rs_rio_req *req = &engine->reqs[engine_send_index(engine, index, 0)];

        if (req->state != RS_RIO_REQ_DONE) {
            return;
        }
        engine_ready(engine, index, RS_OP_SEND, (rs_status)req->status, req->done_bytes, req->tag);
        req->state = RS_RIO_REQ_FREE;
        conn->send_count--;
        conn->send_head =
            (uint8_t)(conn->send_head + 1u == engine->sends_per_conn ? 0u : conn->send_head + 1u);
    }
}

static void engine_req_finish(rs_rio_engine *engine, uint32_t index, uint32_t at, rs_status status,
                              uint32_t bytes) {
    rs_rio_req *req = &engine->reqs[at];

    RS_ASSERT(req->state == RS_RIO_REQ_HELD || req->state == RS_RIO_REQ_POSTED);
    if (at == engine_recv_index(engine, index)) {
        req->state = RS_RIO_REQ_FREE;
        engine_ready(engine, index, RS_OP_RECV, status, bytes, req->tag);
        return;
    }
    req->state = RS_RIO_REQ_DONE;
    req->status = (uint8_t)status;
    req->done_bytes = bytes;
    engine_sends_finish(engine, index);
}

/* What RIO was never given fails with the connection. */
static void engine_held_fail(rs_rio_engine *engine, uint32_t index, rs_status status) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(status != RS_OK);
    if (conn->recv_held) {
        conn->recv_held = false;
        engine_req_finish(engine, index, engine_recv_index(engine, index), status, 0);
    }
    for (uint32_t held = conn->send_held; held > 0; held--) {
        uint32_t at = engine_send_index(engine, index, conn->send_count - held);

        conn->send_held--;
        engine_req_finish(engine, index, at, status, 0);
    }
    RS_ASSERT(conn->send_held == 0);
}

static void engine_shutdown_finish(rs_rio_engine *engine, uint32_t index, rs_status status) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(conn->shutdown_waiting);
    conn->shutdown_waiting = false;
    engine_ready(engine, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag);
}

/* ---- the end of a connection */

/* Nothing of it is with the system any more: a CLOSE may complete, after everything else. */
static void engine_drained(rs_rio_engine *engine, uint32_t index) {
    rs_rio_conn *conn = &engine->conns[index];

    if (!conn->socket_gone || conn->posted > 0 || conn->connect_busy) {
        return;
    }
    if (conn->ops.phase != RS_CONN_CLOSING) {
        return; /* broken, and its owner has yet to close it */
    }
    engine_held_fail(engine, index, RS_E_ABORTED);
    if (conn->shutdown_waiting) {
        engine_shutdown_finish(engine, index, RS_E_ABORTED);
    }
    RS_ASSERT(conn->send_count == 0 && !conn->recv_held);
    conn->ops.phase = RS_CONN_CLOSED;
    engine_ready(engine, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag);
}

/* After every change: whatever no longer needs the system. */
static void engine_settle(rs_rio_engine *engine, uint32_t index) {
    rs_rio_conn *conn = &engine->conns[index];

    if (conn->broken != RS_OK) {
        engine_held_fail(engine, index, (rs_status)conn->broken);
        if (conn->shutdown_waiting && conn->send_count == 0) {
            engine_shutdown_finish(engine, index, (rs_status)conn->broken);
        }
    }
    engine_drained(engine, index);
}

void rs_rio_engine_socket_gone(rs_rio_engine *engine, uint32_t index) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(!conn->socket_gone);
    RS_ASSERT(rs_conn_ops_is_closing(&conn->ops) || conn->broken != RS_OK);
    RS_ASSERT(!conn->flushing || conn->send_count == 0);
    conn->flushing = false;
    conn->socket_gone = true;
    engine_settle(engine, index);
}

/* ---- slots */

static rs_status engine_bind(rs_rio_engine *engine, uint32_t index, uint32_t generation,
                             rs_conn_phase phase) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(conn->ops.phase == RS_CONN_FREE);
    RS_ASSERT(conn->posted == 0);
    if (!rs_rio_quota_reserve(&engine->quota)) {
        return RS_E_NO_BUFFERS;
    }
    engine->bound++;
    rs_conn_ops_bind(&conn->ops, generation, phase);
    *conn = (rs_rio_conn){.ops = conn->ops, .listed = conn->listed};
    return RS_OK;
}

/* The slot is free again: so is its share of the completion queue. */
static void engine_unbound(rs_rio_engine *engine) {
    RS_ASSERT(engine->bound > 0);
    engine->bound--;
    rs_rio_quota_release(&engine->quota);
}

rs_status rs_rio_engine_attach(rs_rio_engine *engine, uint32_t conn, uint32_t generation) {
    RS_ASSERT(conn < engine->conns_max);
    return engine_bind(engine, conn, generation, RS_CONN_OPEN);
}

void rs_rio_engine_detach(rs_rio_engine *engine, uint32_t conn) {
    RS_ASSERT(engine->conns[conn].posted == 0);
    rs_conn_ops_unbind(&engine->conns[conn].ops);
    engine_unbound(engine);
}

/* ---- submit */

static void engine_hold(rs_rio_engine *engine, uint32_t at, const rs_op *op) {
    rs_rio_req *req = &engine->reqs[at];

    RS_ASSERT(req->state == RS_RIO_REQ_FREE);
    *req = (rs_rio_req){
        .tag = op->tag,
        .data = op->u.data,
        .bytes = op->bytes,
        .sequence = ++engine->sequence,
        .region = op->region,
        .state = RS_RIO_REQ_HELD,
    };
}

static rs_status engine_submit_recv(rs_rio_engine *engine, const rs_op *op) {
    rs_rio_conn *conn = &engine->conns[op->conn];
    rs_status status = rs_conn_ops_take_recv(&conn->ops, op);

    if (status != RS_OK) {
        return status;
    }
    engine_hold(engine, engine_recv_index(engine, op->conn), op);
    conn->recv_held = true;
    return RS_OK;
}

static rs_status engine_submit_send(rs_rio_engine *engine, const rs_op *op) {
    rs_rio_conn *conn = &engine->conns[op->conn];
    rs_status status = rs_conn_ops_take_send(&conn->ops, op, engine->sends_per_conn);

    if (status != RS_OK) {
        return status;
    }
    RS_ASSERT(conn->send_count < engine->sends_per_conn);
    engine_hold(engine, engine_send_index(engine, op->conn, conn->send_count), op);
    conn->send_count++;
    conn->send_held++;
    return RS_OK;
}

static rs_status engine_submit_shutdown(rs_rio_engine *engine, const rs_op *op) {
    rs_rio_conn *conn = &engine->conns[op->conn];
    rs_status status = rs_conn_ops_take_shutdown(&conn->ops);

    if (status != RS_OK) {
        return status;
    }
    conn->shutdown_waiting = true;
    conn->shutdown_tag = op->tag;
    return RS_OK;
}

static rs_status engine_submit_close(rs_rio_engine *engine, const rs_op *op) {
    rs_rio_conn *conn = &engine->conns[op->conn];
    bool abort_it = rs_conn_ops_take_close(&conn->ops, op);

    if (rs_conn_ops_is_closing(&conn->ops)) {
        /* Ends the flushing. Draining, CLOSED: closesocket has cancelled what there was. */
        conn->flushing = false;
        return RS_OK;
    }
    conn->close_tag = op->tag;
    conn->flushing =
        conn->ops.phase == RS_CONN_OPEN && !conn->socket_gone && !abort_it && conn->send_count > 0;
    conn->ops.phase = RS_CONN_CLOSING;
    return RS_OK;
}

static rs_status engine_submit_connect(rs_rio_engine *engine, const rs_op *op) {
    rs_status status = engine_bind(engine, op->conn, op->generation, RS_CONN_CONNECTING);

    if (status == RS_OK) {
        engine->conns[op->conn].connect_busy = true;
        engine->conns[op->conn].connect_tag = op->tag;
    }
    return status;
}

static rs_status engine_submit_kind(rs_rio_engine *engine, const rs_op *op) {
    switch (op->kind) {
    case RS_OP_RECV:
        return engine_submit_recv(engine, op);
    case RS_OP_SEND:
        return engine_submit_send(engine, op);
    case RS_OP_CONNECT:
        return engine_submit_connect(engine, op);
    case RS_OP_SHUTDOWN:
        return engine_submit_shutdown(engine, op);
    case RS_OP_CLOSE:
        return engine_submit_close(engine, op);
    default:
        return RS_E_INVALID;
    }
}

rs_status rs_rio_engine_submit(rs_rio_engine *engine, const rs_op *op) {
    rs_status status = RS_E_INVALID;

    if (op->conn < engine->conns_max) {
        status = rs_conn_ops_check(&engine->conns[op->conn].ops, op);
    }
    if (status == RS_OK) {
        status = engine_submit_kind(engine, op);
    }
    if (status == RS_OK) {
        engine_settle(engine, op->conn);
    }
    return status;
}

/* ---- what to call next */

static rs_rio_do engine_next_open(const rs_rio_engine *engine, uint32_t index, uint32_t *req) {
    const rs_rio_conn *conn = &engine->conns[index];

    if (conn->recv_held) {
        *req = engine_recv_index(engine, index);
        return RS_RIO_DO_POST_RECV;
    }
    if (conn->send_held > 0) {
        *req = engine_send_index(engine, index, (uint32_t)conn->send_count - conn->send_held);
        return RS_RIO_DO_POST_SEND;
    }
    if (conn->send_count > 0) {
        return RS_RIO_DO_NONE;
    }
    if (conn->shutdown_waiting) {
        return RS_RIO_DO_SHUTDOWN;
    }
    return conn->flushing ? RS_RIO_DO_CLOSE : RS_RIO_DO_NONE;
}

rs_rio_do rs_rio_engine_next(const rs_rio_engine *engine, uint32_t index, uint32_t *req) {
    const rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(index < engine->conns_max);
    *req = RS_RIO_NONE;
    if (conn->socket_gone) {
        return RS_RIO_DO_NONE;
    }
    if (conn->ops.phase == RS_CONN_OPEN || conn->flushing) {
        return conn->broken != RS_OK ? RS_RIO_DO_ABORT : engine_next_open(engine, index, req);
    }
    if (conn->ops.phase == RS_CONN_CLOSING) {
        return conn->ops.abort_taken ? RS_RIO_DO_ABORT : RS_RIO_DO_CLOSE;
    }
    return RS_RIO_DO_NONE;
}

/* ---- what came of it */

static void engine_touch(rs_rio_engine *engine, uint32_t index, uint32_t dir) {
    rs_rio_conn *conn = &engine->conns[index];

    conn->touched |= (uint8_t)dir;
    if (!conn->listed) {
        RS_ASSERT(engine->touched_count < engine->conns_max);
        conn->listed = true;
        engine->touched[engine->touched_count++] = index;
    }
}

void rs_rio_engine_posted(rs_rio_engine *engine, uint32_t index, uint32_t at, rs_status status) {
    rs_rio_conn *conn = &engine->conns[index];
    rs_rio_req *req = &engine->reqs[at];
    bool is_recv = at == engine_recv_index(engine, index);

    RS_ASSERT(req->state == RS_RIO_REQ_HELD);
    if (is_recv) {
        conn->recv_held = false;
    } else {
        RS_ASSERT(conn->send_held > 0);
        conn->send_held--;
    }
    if (status != RS_OK) {
        engine_req_finish(engine, index, at, status == RS_E_ABORTED ? RS_E_RESET : status, 0);
        return;
    }
    req->state = RS_RIO_REQ_POSTED;
    conn->posted++;
    engine->posted++;
    RS_ASSERT(conn->posted <= engine->quota.conn_entries);
    if (engine->defer) {
        engine_touch(engine, index, is_recv ? RS_RIO_DIR_RECV : RS_RIO_DIR_SEND);
    }
}

void rs_rio_engine_shut_down(rs_rio_engine *engine, uint32_t index, rs_status status) {
    engine_shutdown_finish(engine, index, status);
    engine_settle(engine, index);
}

void rs_rio_engine_connected(rs_rio_engine *engine, uint32_t index, rs_status status) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(conn->connect_busy);
    conn->connect_busy = false;
    if (rs_conn_ops_is_closing(&conn->ops)) {
        status = RS_E_ABORTED;
    } else {
        RS_ASSERT(conn->ops.phase == RS_CONN_CONNECTING);
        conn->ops.phase = RS_CONN_OPEN;
        conn->broken = (uint8_t)status;
    }
    engine_ready(engine, index, RS_OP_CONNECT, status, 0, conn->connect_tag);
    engine_settle(engine, index);
}

void rs_rio_engine_broken(rs_rio_engine *engine, uint32_t index, rs_status status) {
    rs_rio_conn *conn = &engine->conns[index];

    RS_ASSERT(status != RS_OK);
    if (conn->socket_gone || (conn->ops.phase == RS_CONN_CLOSING && !conn->flushing)) {
        return; /* on its way out already */
    }
    RS_ASSERT(conn->ops.phase == RS_CONN_OPEN || conn->flushing);
    conn->broken = (uint8_t)status;
    if (conn->flushing) {
        conn->flushing = false;
        conn->ops.abort_taken = true;
    }
    engine_settle(engine, index);
}

/* ---- commits */

uint32_t rs_rio_engine_touched(rs_rio_engine *engine, uint32_t *dirs) {
    while (engine->touched_count > 0) {
        uint32_t index = engine->touched[--engine->touched_count];
        rs_rio_conn *conn = &engine->conns[index];

        RS_ASSERT(conn->listed);
        conn->listed = false;
        *dirs = conn->touched;
        conn->touched = 0;
        if (*dirs != 0) {
            return index;
        }
    }
    *dirs = 0;
    return RS_RIO_NONE;
}

uint32_t rs_rio_engine_take_touched(rs_rio_engine *engine, uint32_t index) {
    uint32_t dirs = engine->conns[index].touched;

    engine->conns[index].touched = 0;
    return dirs;
}

/* ---- completions */

/* A failure is called by its cause: our own close, or else the peer or the network. */
static rs_status engine_result_status(const rs_rio_conn *conn, rs_status status) {
    if (status == RS_OK) {
        return RS_OK;
    }
    if (conn->broken != RS_OK) {
        return (rs_status)conn->broken;
    }
    if (conn->socket_gone) {
        return RS_E_ABORTED;
    }
    return status == RS_E_ABORTED ? RS_E_RESET : status;
}

static bool engine_is_in_flight(const rs_rio_engine *engine, const rs_rio_result *result) {
    uint32_t index = (uint32_t)result->socket_context;
    uint32_t at = (uint32_t)result->request_context;
    uint32_t first;

    if (index >= engine->conns_max) {
        return false;
    }
    first = engine_recv_index(engine, index);
    return at >= first && at - first < engine->quota.conn_entries &&
           engine->conns[index].ops.generation == (uint32_t)(result->socket_context >> 32) &&
           engine->reqs[at].state == RS_RIO_REQ_POSTED &&
           engine->reqs[at].sequence == (uint32_t)(result->request_context >> 32) &&
           result->bytes <= engine->reqs[at].bytes;
}

rs_status rs_rio_engine_complete(rs_rio_engine *engine, const rs_rio_result *result,
                                 uint32_t *index_out, uint32_t *req_out) {
    uint32_t index = (uint32_t)result->socket_context;
    rs_rio_conn *conn;

    if (!engine_is_in_flight(engine, result)) {
        engine->corrupt_context = result->request_context;
        return RS_E_CORRUPT;
    }
    conn = &engine->conns[index];
    RS_ASSERT(conn->posted > 0 && engine->posted > 0);
    conn->posted--;
    engine->posted--;
    *index_out = index;
    *req_out = (uint32_t)result->request_context;
    engine_req_finish(engine, index, *req_out, engine_result_status(conn, result->status),
                      result->bytes);
    engine_settle(engine, index);
    return RS_OK;
}

/* What leaves the ready ring is in flight no longer: its place may be asked for again. */
static void engine_retire(rs_rio_engine *engine, const rs_completion *record) {
    rs_rio_conn *conn = &engine->conns[record->conn];

    rs_conn_ops_retire(&conn->ops, (rs_op_kind)record->kind);
    if (record->kind == RS_OP_CLOSE) {
        RS_ASSERT(conn->posted == 0);
        engine_unbound(engine);
    }
}

uint32_t rs_rio_engine_take(rs_rio_engine *engine, rs_completion *out, uint32_t cap) {
    uint32_t count = rs_ready_pop(&engine->ready, out, cap);

    for (uint32_t i = 0; i < count; i++) {
        engine_retire(engine, &out[i]);
    }
    return count;
}
