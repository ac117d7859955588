/* SPDX-License-Identifier: MIT */
/* The IOCP driver: turns the engine's actions into Winsock calls and packets into results. */
#include "iocp/iocp_instance.h"

#include <string.h>

#include "core/assert.h"
#include "net/net_address.h"
#include "win/win_error.h"

/* Did the call leave a request in the kernel? If not, *os_error is its result: 0 or an error. */
static bool iocp_is_pending(const rs_backend *backend, bool succeeded, uint32_t *os_error) {
    *os_error = succeeded ? 0 : (uint32_t)WSAGetLastError();
    return *os_error == WSA_IO_PENDING || (succeeded && !backend->skip);
}

static void iocp_finished(rs_backend *backend, uint32_t index, uint32_t at, rs_status status,
                          uint32_t bytes, bool called) {
    backend->inline_since += called; /* inline completions, until the port is polled */
    rs_engine_finished(&backend->engine, index, at, status, bytes, called);
}

/* ---- receiving */

/* Under Wine (8 and 10) the first call that meets a reset clears the socket's error, even one made
 * by Wine itself, and the next receive reads an end of stream. A send of 0 bytes tells the
 * difference: it has no effect on a half-closed connection and fails on a reset one. It must not
 * wait, therefore it is non-blocking and not used while sends are in the kernel, which report the
 * reset themselves. After our own shutdown the end counts as orderly. Windows does not need this.
 */
static rs_status iocp_end_status(rs_backend *backend, uint32_t index) {
    const rs_iocp_conn *conn = &backend->conns[index];
    u_long on = 1;
    if (!backend->on_wine || conn->socket == INVALID_SOCKET || conn->shutdown_done ||
        backend->engine.conns[index].sends_posted > 0 ||
        ioctlsocket(conn->socket, (long)FIONBIO, &on) != 0) {
        return RS_OK;
    }
    backend->calls.count[RS_WIN_SEND]++;
    if (send(conn->socket, "", 0, 0) == 0) {
        return RS_OK;
    }
    return rs_win_error_status((uint32_t)WSAGetLastError()) == RS_E_RESET ? RS_E_RESET : RS_OK;
}

static void iocp_recv_finished(rs_backend *backend, uint32_t index, uint32_t at, rs_status status,
                               uint32_t bytes, bool called) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (status == RS_OK && bytes == 0) {
        status = iocp_end_status(backend, index);
        conn->end_read = conn->end_read || status == RS_OK;
    }
    iocp_finished(backend, index, at, status, bytes, called);
}

/* One WSARecv; false: it completed at once, result in *os_error and *bytes. */
static bool iocp_recv_call(rs_backend *backend, uint32_t index, uint32_t at, rs_iocp_kind kind,
                           uint32_t *os_error, DWORD *bytes) {
    const rs_engine_req *req = &backend->engine.reqs[at];
    rs_iocp_request *request = &backend->requests[at];
    WSABUF buffer = {.buf = (char *)req->op.u.data,
                     .len = kind == RS_IOCP_PROBE ? 0 : req->op.bytes};
    DWORD flags = 0;
    int rc;
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->kind = (uint8_t)kind;
    backend->calls.count[RS_WIN_WSARECV]++;
    *bytes = 0;
    rc = WSARecv(backend->conns[index].socket, &buffer, 1, bytes, &flags, &request->overlapped,
                 NULL);
    return iocp_is_pending(backend, rc == 0, os_error);
}

/* called: a new receive; otherwise its probe has completed, and to the engine it is still pending.
 */
static void iocp_recv(rs_backend *backend, uint32_t index, uint32_t at, rs_iocp_kind kind,
                      bool called) {
    uint32_t os_error;
    DWORD bytes;
    bool pending = iocp_recv_call(backend, index, at, kind, &os_error, &bytes);
    if (!pending && os_error == 0 && kind == RS_IOCP_PROBE) {
        pending = iocp_recv_call(backend, index, at, RS_IOCP_RECV, &os_error, &bytes);
    }
    if (!pending) {
        iocp_recv_finished(backend, index, at, rs_win_error_status(os_error), bytes, called);
    } else if (called) {
        rs_engine_pending(&backend->engine, index, at);
    }
}

static void iocp_recv_packet(rs_backend *backend, uint32_t index, uint32_t at, rs_status status,
                             uint32_t bytes) {
    if (backend->requests[at].kind == RS_IOCP_PROBE && status == RS_OK) {
        if (backend->conns[index].socket != INVALID_SOCKET &&
            !backend->engine.conns[index].recv_cancelled) {
            iocp_recv(backend, index, at, RS_IOCP_RECV, false);
            return;
        }
        status = RS_E_ABORTED;
    }
    iocp_recv_finished(backend, index, at, status, bytes, false);
}

/* Lists a connection with accepted RECVs, to be posted by the next poll. */
static void iocp_recv_list(rs_backend *backend, uint32_t index) {
    const uint32_t conns_max = backend->engine.cfg.conns_max;
    rs_iocp_conn *conn;
    RS_ASSERT(index < conns_max);
    conn = &backend->conns[index];
    RS_ASSERT(backend->recv_head < conns_max);
    if (conn->recv_listed) {
        return; /* another of them; or the entry of one that a close cancelled serves this one */
    }
    RS_ASSERT(backend->recv_count < conns_max);
    backend->recv_list[(backend->recv_head + backend->recv_count) % conns_max] = index;
    backend->recv_count++;
    conn->recv_listed = true;
}

/* ---- sending */

static void iocp_send(rs_backend *backend, uint32_t index, const rs_engine_action *action) {
    rs_iocp_request *request = &backend->requests[action->at];
    WSABUF buffers[RS_GATHER_MAX];
    uint32_t os_error;
    DWORD bytes = 0;
    int rc;
    RS_ASSERT(action->count >= 1);
    RS_ASSERT(action->count <= RS_GATHER_MAX);
    for (uint32_t i = 0; i < action->count; i++) {
        const rs_engine_req *req =
            &backend->engine.reqs[rs_engine_send_behind(&backend->engine, index, action->at, i)];
        buffers[i] = (WSABUF){.buf = (char *)req->op.u.data, .len = req->op.bytes};
    }
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->kind = RS_IOCP_SEND;
    backend->calls.count[RS_WIN_WSASEND]++;
    backend->sends_joined += action->count - 1u;
    rc = WSASend(backend->conns[index].socket, buffers, action->count, &bytes, 0,
                 &request->overlapped, NULL);
    if (iocp_is_pending(backend, rc == 0, &os_error)) {
        rs_engine_pending(&backend->engine, index, action->at);
    } else {
        iocp_finished(backend, index, action->at, rs_win_error_status(os_error), bytes, true);
    }
}

/* ---- the end of a connection */

static rs_status iocp_end_stream(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    int rc;
    backend->calls.count[RS_WIN_SHUTDOWN]++;
    conn->shutdown_done = true;
    rc = shutdown(conn->socket, SD_SEND);
    return rc == 0 ? RS_OK : rs_win_error_status((uint32_t)WSAGetLastError());
}

/* The peer's end need not wait for ours. */
static void iocp_cancel_recvs(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    const uint32_t first = rs_engine_recv_at(&backend->engine, index);
    RS_ASSERT(backend->engine.conns[index].recvs_posted > 0);
    if (!conn->shutdown_done) {
        (void)iocp_end_stream(backend, index);
    }
    RS_ASSERT(backend->engine.conns[index].sends_posted == 0);
    for (uint32_t at = first; at < first + backend->engine.reqs_per_conn; at++) {
        if (backend->engine.reqs[at].state == RS_REQ_POSTED) {
            backend->calls.count[RS_WIN_CANCELIOEX]++;
            /* Fails if the request has completed; its packet is in the port. */
            (void)CancelIoEx((HANDLE)conn->socket, &backend->requests[at].overlapped);
        }
    }
    rs_engine_recv_cancelled(&backend->engine, index);
}

static void iocp_abort(rs_backend *backend, uint32_t index) {
    const rs_engine_conn *state = &backend->engine.conns[index];
    SOCKET socket = backend->conns[index].socket;
    if (state->sends_posted > 0 || state->connect_busy) {
        /* Wine 8 keeps a pending send, and the connection, after closesocket. */
        backend->calls.count[RS_WIN_CANCELIOEX]++;
        (void)CancelIoEx((HANDLE)socket, NULL); /* fails when all have just ended */
    }
    rs_win_socket_abort(socket, &backend->calls);
}

/* The kernel has no request of the connection. */
static void iocp_close_orderly(rs_backend *backend, uint32_t index) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (!conn->end_read) {
        if (!conn->shutdown_done) {
            (void)iocp_end_stream(backend, index);
        }
        rs_win_socket_discard(conn->socket, backend->discard, &backend->calls);
    }
    rs_win_socket_close(conn->socket, &backend->calls);
}

static void iocp_socket_end(rs_backend *backend, uint32_t index, bool abort_it) {
    rs_iocp_conn *conn = &backend->conns[index];
    if (conn->socket != INVALID_SOCKET) {
        if (abort_it || backend->engine.conns[index].connect_busy) {
            iocp_abort(backend, index);
        } else {
            iocp_close_orderly(backend, index);
        }
        conn->socket = INVALID_SOCKET;
    }
    rs_engine_socket_gone(&backend->engine, index);
}

/* ---- actions */

/* may: RS_ENGINE_BOTH when it is the receive's turn. */
static void iocp_run(rs_backend *backend, uint32_t index, uint32_t may) {
    for (;;) { /* terminates: every iteration removes something from the todo list */
        const rs_engine_action action = rs_engine_next(&backend->engine, index, may);
        switch (action.kind) {
        case RS_DO_RECV:
            iocp_recv(backend, index, action.at,
                      backend->own.zero_byte_recv ? RS_IOCP_PROBE : RS_IOCP_RECV, true);
            break;
        case RS_DO_SEND:
            iocp_send(backend, index, &action);
            break;
        case RS_DO_SHUTDOWN:
            rs_engine_shut_down(&backend->engine, index, iocp_end_stream(backend, index));
            break;
        case RS_DO_CANCEL_RECV:
            iocp_cancel_recvs(backend, index);
            break;
        case RS_DO_CLOSE:
        case RS_DO_ABORT:
            iocp_socket_end(backend, index, action.kind == RS_DO_ABORT);
            break;
        default:
            return;
        }
    }
}

/* Posts the listed receives: at most poll_max, and until inline_max inline completions, so that
 * connections with data do not starve the others and the port. */
void rs_iocp_recv_flush(rs_backend *backend) {
    uint32_t budget = backend->poll_max;
    while (backend->recv_count > 0 && budget > 0 &&
           backend->inline_since < backend->own.inline_max) {
        uint32_t index = backend->recv_list[backend->recv_head];
        backend->recv_head = (backend->recv_head + 1u) % backend->engine.cfg.conns_max;
        backend->recv_count--;
        budget--;
        backend->conns[index].recv_listed = false;
        iocp_run(backend, index, RS_ENGINE_BOTH);
    }
}

/* ---- connecting and attaching */

static void iocp_bind_slot(rs_backend *backend, uint32_t index, SOCKET socket) {
    rs_iocp_conn *conn;
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    conn = &backend->conns[index];
    *conn = (rs_iocp_conn){.socket = socket, .recv_listed = conn->recv_listed};
}

uint32_t rs_iocp_adopt(void *arg, SOCKET socket) {
    rs_backend *backend = arg;
    /* Nobody waits on the file handle's event; not setting it is always safe. */
    UCHAR modes = FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (backend->skip) {
        modes = (UCHAR)(modes | FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    }
    backend->calls.count[RS_WIN_ASSOCIATE]++;
    if (CreateIoCompletionPort((HANDLE)socket, backend->port, RS_IOCP_KEY_CONN, 0) == NULL) {
        return GetLastError();
    }
    backend->calls.count[RS_WIN_MODES]++;
    return SetFileCompletionNotificationModes((HANDLE)socket, modes) ? 0 : GetLastError();
}

rs_status rs_iocp_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                         uintptr_t socket) {
    rs_status status;
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    status =
        backend->prepares ? RS_OK : rs_win_error_status(rs_iocp_adopt(backend, (SOCKET)socket));
    if (status == RS_OK) {
        status = rs_win_socket_tune_accepted((SOCKET)socket, &backend->tuning, &backend->inherit,
                                             &backend->calls);
    }
    if (status != RS_OK) {
        rs_win_socket_close((SOCKET)socket, &backend->calls);
        return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY ? RS_E_NO_BUFFERS : RS_E_OS;
    }
    rs_engine_bind(&backend->engine, index, generation);
    iocp_bind_slot(backend, index, (SOCKET)socket);
    return RS_OK;
}

rs_addr rs_iocp_local(rs_backend *backend, uint32_t index) {
    SOCKET socket = backend->conns[index].socket;
    return socket != INVALID_SOCKET ? rs_win_socket_local(socket, &backend->calls)
                                    : (rs_addr){.port = 0};
}

void rs_iocp_discard_socket(rs_backend *backend, uintptr_t socket) {
    rs_win_socket_close((SOCKET)socket, &backend->calls);
}

/* Returns RS_E_AGAIN if a packet will come, else the result. */
static rs_status iocp_connect_start(rs_backend *backend, uint32_t index, const rs_op *op) {
    rs_iocp_request *request = &backend->requests[rs_engine_recv_at(&backend->engine, index)];
    rs_iocp_conn *conn = &backend->conns[index];
    const rs_win_extensions *extensions = &backend->extensions[op->u.addr->family];
    const rs_addr from = rs_op_from(op);
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, op->u.addr);
    uint32_t os_error = 0;
    DWORD bytes = 0;
    rs_status status;
    BOOL succeeded;
    conn->socket = rs_win_socket_open(name.any.sa_family, 0, &backend->calls, &os_error);
    if (conn->socket == INVALID_SOCKET) {
        return rs_win_error_status(os_error);
    }
    status = rs_win_error_status(rs_iocp_adopt(backend, conn->socket));
    if (status == RS_OK) {
        status = rs_win_socket_tune(conn->socket, &backend->tuning, &backend->calls);
    }
    if (status != RS_OK) {
        return status;
    }
    os_error =
        rs_win_socket_bind_from(conn->socket, &from, &backend->port_reuse_failed, &backend->calls);
    if (os_error != 0) {
        return rs_win_error_status(os_error);
    }
    if (extensions->connect_ex == NULL || !rs_win_extensions_fit(extensions, conn->socket)) {
        return RS_E_OS; /* ConnectEx is another provider's */
    }
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->kind = RS_IOCP_CONNECT;
    backend->calls.count[RS_WIN_CONNECTEX]++;
    succeeded = extensions->connect_ex(conn->socket, &name.any, name_bytes, NULL, 0, &bytes,
                                       &request->overlapped);
    return iocp_is_pending(backend, succeeded, &os_error) ? RS_E_AGAIN
                                                          : rs_win_error_status(os_error);
}

/* The result of CONNECT; a receive submitted behind it is posted by the next poll. */
static void iocp_connect_end(rs_backend *backend, uint32_t index, rs_status status) {
    SOCKET socket = backend->conns[index].socket;
    if (status == RS_OK && socket != INVALID_SOCKET) {
        status = rs_win_socket_update_connect(socket, &backend->calls);
    }
    rs_engine_connected(&backend->engine, index, status == RS_E_ABORTED ? RS_E_RESET : status);
    if (rs_engine_wants(&backend->engine, index, RS_ENGINE_RECV)) {
        iocp_recv_list(backend, index);
    }
}

static void iocp_connect(rs_backend *backend, const rs_op *op) {
    rs_status status;
    iocp_bind_slot(backend, op->conn, INVALID_SOCKET);
    status = iocp_connect_start(backend, op->conn, op);
    if (status != RS_E_AGAIN) {
        iocp_connect_end(backend, op->conn, status);
    }
}

/* ---- packets */

void rs_iocp_conn_packet(rs_backend *backend, OVERLAPPED *overlapped, uint32_t bytes) {
    const rs_iocp_request *request = (const rs_iocp_request *)(void *)overlapped; /* its first */
    const uint32_t at = (uint32_t)(request - backend->requests);
    const uint32_t index = request->conn;
    rs_status status = rs_win_error_status((uint32_t)overlapped->Internal);
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    RS_ASSERT(request->kind == RS_IOCP_CONNECT ? backend->engine.conns[index].connect_busy
                                               : backend->engine.reqs[at].state == RS_REQ_POSTED);
    switch (request->kind) {
    case RS_IOCP_SEND:
        iocp_finished(backend, index, at, status, bytes, false);
        break;
    case RS_IOCP_CONNECT:
        iocp_connect_end(backend, index, status);
        break;
    default:
        iocp_recv_packet(backend, index, at, status, bytes);
        break;
    }
    iocp_run(backend, index, RS_ENGINE_SEND);
}

/* ---- submit */

uint32_t rs_iocp_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t taken = 0;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    *why = RS_OK;
    while (taken < count && *why == RS_OK) {
        const rs_op *op = &ops[taken];
        uint32_t run = rs_engine_submit(&backend->engine, op, count - taken, why);
        taken += run;
        if (run == 0) {
            break;
        }
        if (op->kind == RS_OP_RECV) {
            iocp_recv_list(backend, op->conn);
        } else if (op->kind == RS_OP_CONNECT) {
            iocp_connect(backend, op);
        }
        iocp_run(backend, op->conn, RS_ENGINE_SEND);
    }
    return taken;
}
