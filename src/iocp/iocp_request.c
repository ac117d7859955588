/* Submit: which ops are taken, their WSARecv and WSASend calls, and what comes of those. */
#include "iocp/iocp_instance.h"

#include <string.h>

#include "core/assert.h"
#include "win/win_error.h"

#define IOCP_NO_CONN UINT32_MAX

/* ---- completions */

void rs_iocp_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
                      uint32_t bytes, uint64_t tag, uint8_t flags) {
    const rs_completion record = {
        .kind = (uint8_t)kind,
        .flags = rs_op_ended_inline((flags & RS_CF_INLINE) != 0, kind, (int)status),
        .status = (uint16_t)status,
        .conn = index,
        .generation = backend->conns[index].ops.generation,
        .bytes = bytes,
        .tag = tag,
        .socket = RS_SOCKET_NONE,
    };
    if ((flags & RS_CF_INLINE) != 0) {
        backend->inline_since++; /* all that came without the port, for its turn */
    }
    backend->inline_completions += (record.flags & RS_CF_INLINE) != 0;
    rs_ready_push(&backend->ready, &record);
}

bool rs_iocp_is_pending(const rs_backend *backend, bool succeeded, uint32_t *os_error) {
    *os_error = succeeded ? 0 : (uint32_t)WSAGetLastError();
    return *os_error == WSA_IO_PENDING || (succeeded && !backend->skip);
}

rs_status rs_iocp_told(rs_status status, bool closed) {
    if (status == RS_OK) {
        return RS_OK;
    }
    if (closed) {
        return RS_E_ABORTED;
    }
    return status == RS_E_ABORTED ? RS_E_RESET : status;
}

/* ---- receiving */

/* Under Wine (8 and 10) the call that meets a reset takes its error off the socket, be it a send or
 * a look of Wine's own, and the next receive reads an end of stream. A send tells: of no bytes it
 * does nothing on a half-closed connection, and a reset one refuses it. It must not wait behind
 * others or for room, hence non-blocking, and not while sends are in the kernel, which tell by
 * themselves. Once we have ended our own stream the end counts as orderly. Windows needs no such
 * question. */
static rs_status iocp_end_status(rs_backend *backend, const rs_iocp_conn *conn) {
    u_long on = 1;
    if (!backend->on_wine || conn->socket == INVALID_SOCKET || conn->shutdown_done ||
        conn->kernel_sends > 0 || ioctlsocket(conn->socket, (long)FIONBIO, &on) != 0) {
        return RS_OK;
    }
    backend->calls.count[RS_WIN_SEND]++;
    if (send(conn->socket, "", 0, 0) == 0) {
        return RS_OK;
    }
    return rs_win_error_status((uint32_t)WSAGetLastError()) == RS_E_RESET ? RS_E_RESET : RS_OK;
}

void rs_iocp_recv_complete(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes,
                           uint8_t flags) {
    rs_iocp_conn *conn = &backend->conns[index];
    RS_ASSERT(conn->ops.recv_in_flight);
    RS_ASSERT(bytes <= conn->recv_bytes);
    if (status == RS_OK && bytes == 0) {
        status = iocp_end_status(backend, conn);
    }
    conn->end_read = conn->end_read || (status == RS_OK && bytes == 0);
    rs_iocp_complete(backend, index, RS_OP_RECV, status, bytes, conn->recv_tag, flags);
}

bool rs_iocp_recv_call(rs_backend *backend, uint32_t index, rs_iocp_kind kind, WSABUF *buffer,
                       uint32_t *os_error, DWORD *bytes) {
    rs_iocp_conn *conn = &backend->conns[index];
    DWORD flags = 0;
    int rc;
    RS_ASSERT(!conn->in.posted);
    memset(&conn->in.overlapped, 0, sizeof conn->in.overlapped);
    conn->in.kind = (uint8_t)kind;
    backend->calls.count[RS_WIN_WSARECV]++;
    *bytes = 0;
    rc = WSARecv(conn->socket, buffer, 1, bytes, &flags, &conn->in.overlapped, NULL);
    conn->in.posted = rs_iocp_is_pending(backend, rc == 0, os_error);
    return conn->in.posted;
}

static void iocp_recv_start(rs_backend *backend, uint32_t index, bool probe, uint8_t flags) {
    rs_iocp_conn *conn = &backend->conns[index];
    WSABUF buffer = {.buf = (char *)conn->recv_data, .len = conn->recv_bytes};
    WSABUF nothing = {.buf = (char *)conn->recv_data, .len = 0};
    uint32_t os_error;
    DWORD bytes;
    if (probe) {
        if (rs_iocp_recv_call(backend, index, RS_IOCP_PROBE, &nothing, &os_error, &bytes)) {
            return;
        }
        if (os_error != 0) {
            rs_iocp_recv_complete(backend, index, rs_win_error_status(os_error), 0, flags);
            return;
        }
    }
    if (!rs_iocp_recv_call(backend, index, RS_IOCP_RECV, &buffer, &os_error, &bytes)) {
        rs_iocp_recv_complete(backend, index, rs_win_error_status(os_error), bytes, flags);
    }
}

void rs_iocp_recv_list(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    uint32_t tail = backend->recv_head + backend->recv_count;
    if (conn->recv_listed) {
        return; /* the entry of a receive that a close took back serves this one */
    }
    RS_ASSERT(backend->recv_count < backend->conns_max);
    backend->recv_list[tail % backend->conns_max] = index;
    backend->recv_count++;
    conn->recv_listed = true;
}

/* Posts what submit accepted: at most poll_max receives and inline_max inline completions, so that
 * connections with data at hand do not keep the others, and the port, from their turn. */
void rs_iocp_recv_flush(rs_backend *backend) {
    uint32_t budget = backend->poll_max;
    while (backend->recv_count > 0 && budget > 0 &&
           backend->inline_since < backend->tuning.inline_max) {
        uint32_t index = backend->recv_list[backend->recv_head];
        rs_iocp_conn *conn = &backend->conns[index];
        backend->recv_head = (backend->recv_head + 1u) % backend->conns_max;
        backend->recv_count--;
        budget--;
        conn->recv_listed = false;
        if (conn->recv_queued && conn->ops.phase != RS_CONN_CONNECTING) {
            conn->recv_queued = false;
            iocp_recv_start(backend, index, backend->tuning.zero_byte_recv, RS_CF_INLINE);
        }
    }
}

void rs_iocp_recv_packet(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->in.kind == RS_IOCP_PROBE && status == RS_OK) {
        if (conn->ops.phase == RS_CONN_OPEN) {
            iocp_recv_start(backend, index, false, 0);
            return;
        }
        status = RS_E_ABORTED;
    }
    rs_iocp_recv_complete(backend, index, rs_iocp_told(status, rs_conn_ops_is_closing(&conn->ops)),
                          bytes, 0);
}

/* ---- sending */

static rs_send_slot *iocp_slots(const rs_backend *backend, uint32_t index) {
    return &backend->send_slots[(size_t)index * backend->sends_per_conn];
}

static void iocp_sends_report(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    rs_send_slot slot;
    while (rs_send_window_take(&conn->window, iocp_slots(backend, index), &slot)) {
        rs_iocp_complete(backend, index, RS_OP_SEND, (rs_status)slot.status, slot.sent, slot.tag,
                         slot.flags);
    }
}

static void iocp_send_call(rs_backend *backend, uint32_t index, uint32_t first, uint32_t count) {
    rs_iocp_conn *conn = &backend->conns[index];
    rs_send_slot *slots = iocp_slots(backend, index);
    rs_iocp_request *request = &backend->send_ops[(size_t)index * backend->sends_per_conn + first];
    WSABUF buffers[RS_GATHER_MAX];
    uint32_t os_error;
    DWORD bytes = 0;
    int rc;
    RS_ASSERT(!request->posted);
    RS_ASSERT(count >= 1 && count <= RS_GATHER_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const rs_send_slot *slot = rs_send_window_at(&conn->window, slots, first, i);
        buffers[i] = (WSABUF){.buf = (char *)slot->data, .len = slot->bytes};
    }
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->first = (uint8_t)first;
    request->count = (uint8_t)count;
    backend->calls.count[RS_WIN_WSASEND]++;
    backend->sends_joined += count - 1u;
    rc = WSASend(conn->socket, buffers, count, &bytes, 0, &request->overlapped, NULL);
    request->posted = rs_iocp_is_pending(backend, rc == 0, &os_error);
    if (request->posted) {
        conn->kernel_sends++;
    } else {
        rs_send_window_finish(&conn->window, slots, first, count, rs_win_error_status(os_error),
                              bytes, RS_CF_INLINE);
    }
}

void rs_iocp_sends_start(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    uint32_t first, count;
    while ((count = rs_send_window_start(&conn->window, RS_GATHER_MAX, &first)) > 0) {
        iocp_send_call(backend, index, first, count);
    }
    iocp_sends_report(backend, index);
}

void rs_iocp_sends_fail(rs_backend *backend, uint32_t index, rs_status status) {
    rs_iocp_conn *conn = &backend->conns[index];
    uint32_t first, count;
    while ((count = rs_send_window_start(&conn->window, RS_GATHER_MAX, &first)) > 0) {
        rs_send_window_finish(&conn->window, iocp_slots(backend, index), first, count, status, 0,
                              RS_CF_INLINE);
    }
    iocp_sends_report(backend, index);
}

void rs_iocp_send_packet(rs_backend *backend, const rs_iocp_request *request, rs_status status,
                         uint32_t bytes) {
    rs_iocp_conn *conn = &backend->conns[request->conn];
    bool closed = rs_conn_ops_is_closing(&conn->ops) && !conn->flushing;
    RS_ASSERT(conn->kernel_sends > 0);
    conn->kernel_sends--;
    rs_send_window_finish(&conn->window, iocp_slots(backend, request->conn), request->first,
                          request->count, rs_iocp_told(status, closed), bytes, 0);
    iocp_sends_report(backend, request->conn);
    rs_iocp_after_sends(backend, request->conn);
}

/* ---- submit */

static rs_status iocp_submit_recv(rs_backend *backend, const rs_op *op) {
    rs_iocp_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_recv(&conn->ops, op);
    if (status != RS_OK) {
        return status;
    }
    RS_ASSERT(!conn->in.posted || conn->in.kind == RS_IOCP_CONNECT);
    conn->recv_data = op->u.data;
    conn->recv_bytes = op->bytes;
    conn->recv_tag = op->tag;
    if (conn->broken != RS_OK) {
        rs_iocp_recv_complete(backend, op->conn, (rs_status)conn->broken, 0, RS_CF_INLINE);
        return RS_OK;
    }
    conn->recv_queued = true;
    if (conn->ops.phase == RS_CONN_OPEN) {
        rs_iocp_recv_list(backend, op->conn);
    }
    return RS_OK;
}

/* Only queues; submit starts a run of sends on one connection together. */
static rs_status iocp_submit_send(rs_backend *backend, const rs_op *op) {
    rs_iocp_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_send(&conn->ops, op, backend->sends_per_conn);
    bool added;
    if (status != RS_OK) {
        return status;
    }
    added = rs_send_window_add(&conn->window, iocp_slots(backend, op->conn), op->u.data, op->bytes,
                               op->tag);
    RS_ASSERT(added);
    return RS_OK;
}

static rs_status iocp_submit_shutdown(rs_backend *backend, const rs_op *op) {
    rs_iocp_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_shutdown(&conn->ops);
    if (status != RS_OK) {
        return status;
    }
    conn->shutdown_waiting = true;
    conn->shutdown_tag = op->tag;
    rs_iocp_after_sends(backend, op->conn);
    return RS_OK;
}

static rs_status iocp_submit_close(rs_backend *backend, const rs_op *op) {
    rs_iocp_conn *conn = &backend->conns[op->conn];
    bool abort_it = rs_conn_ops_take_close(&conn->ops, op);
    bool connecting = conn->ops.phase == RS_CONN_CONNECTING;
    if (conn->flushing || conn->unposting) {
        rs_iocp_socket_close(backend, op->conn, true);
        return RS_OK;
    }
    if (rs_conn_ops_is_closing(&conn->ops)) {
        return RS_OK; /* an abort behind a close that is through: nothing is left to cancel */
    }
    if (connecting) {
        /* Its packet still wants the tag of CONNECT, and comes before CLOSE is reported. */
        rs_iocp_cancel_in(backend, conn);
        rs_iocp_complete(backend, op->conn, RS_OP_CONNECT, RS_E_ABORTED, 0, conn->close_tag, 0);
        rs_iocp_sends_fail(backend, op->conn, RS_E_ABORTED);
    }
    conn->close_tag = op->tag;
    if (conn->recv_queued) {
        conn->recv_queued = false;
        rs_iocp_recv_complete(backend, op->conn, RS_E_ABORTED, 0, RS_CF_INLINE);
    }
    if (abort_it || connecting || conn->window.count == 0) {
        rs_iocp_socket_close(backend, op->conn, abort_it || connecting);
        return RS_OK;
    }
    conn->ops.phase = RS_CONN_CLOSING;
    conn->flushing = true;
    rs_iocp_cancel_in(backend, conn);
    return RS_OK;
}

static rs_status iocp_submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status = RS_E_INVALID;
    if (op->conn < backend->conns_max) {
        status = rs_conn_ops_check(&backend->conns[op->conn].ops, op);
    }
    if (status != RS_OK) {
        return status;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return iocp_submit_recv(backend, op);
    case RS_OP_SEND:
        return iocp_submit_send(backend, op);
    case RS_OP_CONNECT:
        rs_iocp_connect(backend, op);
        return RS_OK;
    case RS_OP_SHUTDOWN:
        return iocp_submit_shutdown(backend, op);
    case RS_OP_CLOSE:
        return iocp_submit_close(backend, op);
    default:
        return RS_E_INVALID;
    }
}

/* The end of a run of sends. Those behind a CONNECT wait for its outcome. */
static void iocp_run_end(rs_backend *backend, uint32_t index) {
    const rs_iocp_conn *conn = &backend->conns[index];
    if (conn->ops.phase == RS_CONN_CONNECTING) {
        return;
    }
    RS_ASSERT(conn->ops.phase == RS_CONN_OPEN);
    if (conn->broken != RS_OK) {
        rs_iocp_sends_fail(backend, index, (rs_status)conn->broken);
    } else {
        rs_iocp_sends_start(backend, index);
    }
}

uint32_t rs_iocp_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t sending = IOCP_NO_CONN; /* the connection of the run of sends under way */
    rs_status status = RS_OK;
    uint32_t taken;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    for (taken = 0; taken < count; taken++) {
        const rs_op *op = &ops[taken];
        if (sending != IOCP_NO_CONN && (op->kind != RS_OP_SEND || op->conn != sending)) {
            iocp_run_end(backend, sending);
            sending = IOCP_NO_CONN;
        }
        status = iocp_submit_one(backend, op);
        if (status != RS_OK) {
            break;
        }
        if (op->kind == RS_OP_SEND) {
            sending = op->conn;
        }
    }
    if (sending != IOCP_NO_CONN) {
        iocp_run_end(backend, sending);
    }
    *why = status;
    return taken;
}
