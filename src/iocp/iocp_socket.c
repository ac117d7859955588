/* Sockets of the IOCP back end: from AcceptEx or ConnectEx to the port, and to the end. */
#include "iocp/iocp_instance.h"

#include <string.h>

#include "core/assert.h"
#include "win/win_error.h"

/* ---- the end of a connection */

static rs_status iocp_shutdown_call(rs_backend *backend, rs_iocp_conn *conn) {
    int rc;
    if (conn->broken != RS_OK || conn->socket == INVALID_SOCKET) {
        return conn->broken != RS_OK ? (rs_status)conn->broken : RS_E_ABORTED;
    }
    backend->calls.count[RS_WIN_SHUTDOWN]++;
    conn->shutdown_done = true;
    rc = shutdown(conn->socket, SD_SEND);
    return rc == 0 ? RS_OK : rs_win_error_status((uint32_t)WSAGetLastError());
}

static void iocp_shutdown_complete(rs_backend *backend, uint32_t index, rs_status status) {
    rs_iocp_conn *conn = &backend->conns[index];
    conn->shutdown_waiting = false;
    rs_iocp_complete(backend, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag, RS_CF_INLINE);
}

static void iocp_close_abort(rs_backend *backend, rs_iocp_conn *conn) {
    if (conn->kernel_sends > 0) {
        /* Wine 8 keeps a pending send, and with it the connection, past closesocket. */
        backend->calls.count[RS_WIN_CANCELIOEX]++;
        (void)CancelIoEx((HANDLE)conn->socket, NULL); /* fails when all have just ended */
    }
    rs_win_socket_abort(conn->socket, &backend->calls);
    conn->socket = INVALID_SOCKET;
}

/* The rest of an orderly close: nothing of the connection is in the kernel any more. */
static void iocp_close_orderly(rs_backend *backend, rs_iocp_conn *conn) {
    RS_ASSERT(!conn->in.posted && conn->kernel_sends == 0);
    if (!conn->end_read && conn->broken == RS_OK) {
        rs_win_socket_discard(conn->socket, backend->discard, &backend->calls);
    }
    rs_win_socket_close(conn->socket, &backend->calls);
    conn->socket = INVALID_SOCKET;
}

void rs_iocp_socket_close(rs_backend *backend, uint32_t index, bool abort_it) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->shutdown_waiting) {
        iocp_shutdown_complete(backend, index, RS_E_ABORTED);
    }
    conn->ops.phase = RS_CONN_CLOSING;
    conn->flushing = conn->unposting = false;
    if (conn->socket != INVALID_SOCKET && abort_it) {
        iocp_close_abort(backend, conn);
    } else if (conn->socket != INVALID_SOCKET) {
        if (!conn->end_read && conn->broken == RS_OK) {
            (void)iocp_shutdown_call(backend, conn); /* the peer's end need not wait for ours */
        }
        conn->unposting = conn->in.posted;
        rs_iocp_cancel_in(backend, conn);
        if (!conn->unposting) {
            iocp_close_orderly(backend, conn);
        }
    }
    rs_iocp_close_check(backend, index);
}

void rs_iocp_after_in(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->unposting && !conn->in.posted) {
        conn->unposting = false;
        iocp_close_orderly(backend, conn);
    }
    rs_iocp_close_check(backend, index);
}

void rs_iocp_close_check(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->ops.phase != RS_CONN_CLOSING || conn->flushing || conn->unposting ||
        conn->in.posted || conn->kernel_sends > 0) {
        return;
    }
    RS_ASSERT(conn->window.count == 0);
    RS_ASSERT(!conn->recv_queued && !conn->shutdown_waiting);
    conn->ops.phase = RS_CONN_CLOSED;
    rs_iocp_complete(backend, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag, 0);
}

void rs_iocp_after_sends(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->window.count > 0 || conn->ops.phase == RS_CONN_CONNECTING) {
        return;
    }
    if (conn->shutdown_waiting) {
        iocp_shutdown_complete(backend, index, iocp_shutdown_call(backend, conn));
    }
    if (conn->flushing) {
        rs_iocp_socket_close(backend, index, false);
    } else {
        rs_iocp_close_check(backend, index);
    }
}

void rs_iocp_cancel_in(rs_backend *backend, rs_iocp_conn *conn) {
    if (conn->in.posted && conn->socket != INVALID_SOCKET) {
        backend->calls.count[RS_WIN_CANCELIOEX]++;
        /* It fails when the request has ended; its packet is in the port. */
        (void)CancelIoEx((HANDLE)conn->socket, &conn->in.overlapped);
    }
}

/* ---- connecting and attaching */

static void iocp_bind_slot(rs_backend *backend, uint32_t index, uint32_t generation, SOCKET socket,
                           rs_conn_phase phase) {
    rs_iocp_conn *conn = &backend->conns[index];
    bool listed = conn->recv_listed;
    RS_ASSERT(!conn->in.posted && conn->kernel_sends == 0);
    rs_conn_ops_bind(&conn->ops, generation, phase);
    *conn = (rs_iocp_conn){
        .socket = socket,
        .ops = conn->ops,
        .recv_listed = listed,
        .in = {.conn = index},
    };
    rs_send_window_init(&conn->window, backend->sends_per_conn);
}

/* Joins a socket to the port and sets it up; on failure it is still open. */
static rs_status iocp_adopt(rs_backend *backend, SOCKET socket) {
    /* The event of the file handle is nobody's; not to set it is always safe. */
    UCHAR modes = FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (backend->skip) {
        modes = (UCHAR)(modes | FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    }
    backend->calls.count[RS_WIN_ASSOCIATE]++;
    if (CreateIoCompletionPort((HANDLE)socket, backend->port, RS_IOCP_KEY_CONN, 0) == NULL) {
        return rs_win_error_status(GetLastError());
    }
    backend->calls.count[RS_WIN_MODES]++;
    if (!SetFileCompletionNotificationModes((HANDLE)socket, modes)) {
        return rs_win_error_status(GetLastError());
    }
    return rs_win_socket_tune(socket, &backend->tuning, &backend->calls);
}

rs_status rs_iocp_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                         uintptr_t socket) {
    rs_status status;
    RS_ASSERT(index < backend->conns_max);
    RS_ASSERT(backend->conns[index].ops.phase == RS_CONN_FREE);
    status = iocp_adopt(backend, (SOCKET)socket);
    if (status != RS_OK) {
        rs_win_socket_close((SOCKET)socket, &backend->calls);
        return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY ? RS_E_NO_BUFFERS : RS_E_OS;
    }
    iocp_bind_slot(backend, index, generation, (SOCKET)socket, RS_CONN_OPEN);
    return RS_OK;
}

void rs_iocp_discard_socket(rs_backend *backend, uintptr_t socket) {
    rs_win_socket_close((SOCKET)socket, &backend->calls);
}

/* Returns RS_E_AGAIN when a packet will come, else the outcome. */
static rs_status iocp_connect_start(rs_backend *backend, uint32_t index, const rs_op *op) {
    rs_iocp_conn *conn = &backend->conns[index];
    struct sockaddr_in name = rs_win_sockaddr(op->u.addr);
    uint32_t os_error = 0;
    DWORD bytes = 0;
    rs_status status;
    BOOL succeeded;
    conn->socket = rs_win_socket_open(0, &backend->calls, &os_error);
    if (conn->socket == INVALID_SOCKET) {
        return rs_win_error_status(os_error);
    }
    status = iocp_adopt(backend, conn->socket);
    if (status != RS_OK) {
        return status;
    }
    os_error = rs_win_socket_bind_from(conn->socket, op->bytes, &backend->port_reuse_failed,
                                       &backend->calls);
    if (os_error != 0) {
        return rs_win_error_status(os_error);
    }
    if (!rs_win_extensions_fit(&backend->extensions, conn->socket)) {
        return RS_E_OS; /* ConnectEx is another provider's */
    }
    memset(&conn->in.overlapped, 0, sizeof conn->in.overlapped);
    conn->in.kind = RS_IOCP_CONNECT;
    backend->calls.count[RS_WIN_CONNECTEX]++;
    succeeded =
        backend->extensions.connect_ex(conn->socket, (const struct sockaddr *)&name,
                                       (int)sizeof name, NULL, 0, &bytes, &conn->in.overlapped);
    conn->in.posted = rs_iocp_is_pending(backend, succeeded, &os_error);
    return conn->in.posted ? RS_E_AGAIN : rs_win_error_status(os_error);
}

void rs_iocp_connect_end(rs_backend *backend, uint32_t index, rs_status status) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (status == RS_OK && conn->socket != INVALID_SOCKET) {
        status = rs_win_socket_update_connect(conn->socket, &backend->calls);
    }
    conn->broken = (uint8_t)status;
    rs_iocp_complete(backend, index, RS_OP_CONNECT, status, 0, conn->close_tag, 0);
    if (conn->ops.phase == RS_CONN_CONNECTING) {
        conn->ops.phase = RS_CONN_OPEN;
    }
    if (status != RS_OK) {
        rs_iocp_sends_fail(backend, index, status);
        if (conn->recv_queued) {
            conn->recv_queued = false;
            rs_iocp_recv_complete(backend, index, status, 0, 0);
        }
    } else {
        rs_iocp_sends_start(backend, index);
        if (conn->recv_queued) {
            rs_iocp_recv_list(backend, index);
        }
    }
    rs_iocp_after_sends(backend, index);
}

void rs_iocp_connect(rs_backend *backend, const rs_op *op) {
    rs_status status;
    iocp_bind_slot(backend, op->conn, op->generation, INVALID_SOCKET, RS_CONN_CONNECTING);
    backend->conns[op->conn].close_tag = op->tag;
    status = iocp_connect_start(backend, op->conn, op);
    if (status != RS_E_AGAIN) {
        rs_iocp_connect_end(backend, op->conn, status);
    }
}
