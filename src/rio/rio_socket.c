/* Sockets of the RIO back end: from AcceptEx or ConnectEx to a request queue, and to the end. */
#include "rio/rio_instance.h"

#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "win/win_error.h"

/* ---- request queues */

/* One receive, the configured sends, one buffer each: RIO has no gather
 * (RIOCreateRequestQueue: MaxReceiveDataBuffers and MaxSendDataBuffers must be 1). */
static rs_status rio_queue_make(rs_backend *backend, uint32_t conn) {
    rs_rio_socket *io = &backend->sockets[conn];
    PVOID context = (PVOID)(uintptr_t)rs_rio_engine_socket_context(&backend->engine, conn);
    rs_status status;

    RS_ASSERT(io->rq == RIO_INVALID_RQ);
    backend->counters.request_queues++;
    io->rq = backend->api.fn.RIOCreateRequestQueue(io->socket, RS_RIO_RECVS_PER_CONN, 1,
                                                   backend->engine.sends_per_conn, 1, backend->cq,
                                                   backend->cq, context);
    if (io->rq != RIO_INVALID_RQ) {
        return RS_OK;
    }
    status = rs_win_error_status((uint32_t)WSAGetLastError());
    backend->counters.queues_refused++;
    return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY ? RS_E_NO_BUFFERS : RS_E_OS;
}

static void rio_socket_bind_slot(rs_backend *backend, uint32_t conn, SOCKET socket) {
    rs_rio_socket *io = &backend->sockets[conn];

    RS_ASSERT(io->socket == INVALID_SOCKET && io->rq == RIO_INVALID_RQ);
    *io = (rs_rio_socket){.socket = socket, .rq = RIO_INVALID_RQ};
}

/* Through the provider, which must see the end of a socket that has a request queue. */
static void rio_socket_close(rs_backend *backend, uint32_t conn) {
    rs_rio_socket *io = &backend->sockets[conn];

    if (io->socket == INVALID_SOCKET) {
        return;
    }
    if (io->rq == RIO_INVALID_RQ) {
        rs_win_socket_close(io->socket, &backend->calls);
    } else {
        backend->calls.count[RS_WIN_CLOSESOCKET]++;
        if (backend->api.close_socket(io->socket) != 0) {
            RS_FATAL("closesocket", WSAGetLastError(), "its requests can never be drained");
        }
    }
    io->socket = INVALID_SOCKET;
    io->rq = RIO_INVALID_RQ;
}

rs_status rs_rio_attach(rs_backend *backend, uint32_t conn, uint32_t generation, uintptr_t socket) {
    rs_status status = rs_rio_engine_attach(&backend->engine, conn, generation);

    if (status != RS_OK) {
        rs_win_socket_close((SOCKET)socket, &backend->calls);
        return status;
    }
    rio_socket_bind_slot(backend, conn, (SOCKET)socket);
    status = rs_win_socket_tune((SOCKET)socket, &backend->tuning, &backend->calls);
    if (status == RS_OK && !rs_win_extensions_fit(&backend->extensions, (SOCKET)socket)) {
        status = RS_E_OS; /* RIO's functions are another provider's */
    }
    if (status == RS_OK) {
        status = rio_queue_make(backend, conn);
    }
    if (status != RS_OK) {
        rio_socket_close(backend, conn);
        rs_rio_engine_detach(&backend->engine, conn);
        return status == RS_E_NO_BUFFERS ? status : RS_E_OS;
    }
    return RS_OK;
}

void rs_rio_discard_socket(rs_backend *backend, uintptr_t socket) {
    rs_win_socket_close((SOCKET)socket, &backend->calls); /* no queue yet: a plain socket */
}

/* ---- connecting: RIO has no call for it, so it goes through the port */

/* A socket that is set up and joined to the port; 0 or the error. It stays with the slot. */
static uint32_t rio_connect_socket(rs_backend *backend, uint32_t conn, uint32_t from_ip) {
    uint32_t os_error = 0;
    SOCKET socket = rs_win_socket_open(WSA_FLAG_REGISTERED_IO, &backend->calls, &os_error);

    rio_socket_bind_slot(backend, conn, socket);
    if (socket == INVALID_SOCKET) {
        return os_error;
    }
    if (rs_win_socket_tune(socket, &backend->tuning, &backend->calls) != RS_OK) {
        return (uint32_t)WSAGetLastError();
    }
    backend->calls.count[RS_WIN_ASSOCIATE]++;
    if (CreateIoCompletionPort((HANDLE)socket, backend->port, RS_RIO_KEY_CONNECT, 0) == NULL) {
        return GetLastError();
    }
    if (!rs_win_extensions_fit(&backend->extensions, socket)) {
        return WSAEINVALIDPROVIDER; /* ConnectEx is another provider's */
    }
    return rs_win_socket_bind_from(socket, from_ip, &backend->port_reuse_failed, &backend->calls);
}

/* The outcome of CONNECT. Its request queue is made only now: an AcceptEx or ConnectEx socket is
 * complete after its update of context. */
static void rio_connect_end(rs_backend *backend, uint32_t conn, rs_status status) {
    rs_rio_socket *io = &backend->sockets[conn];

    if (status == RS_OK && io->socket != INVALID_SOCKET) {
        status = rs_win_socket_update_connect(io->socket, &backend->calls);
    }
    if (status == RS_OK && io->socket != INVALID_SOCKET) {
        status = rio_queue_make(backend, conn);
    }
    rs_rio_engine_connected(&backend->engine, conn, status);
    rs_rio_run(backend, conn);
}

static rs_status rio_error(uint32_t os_error) {
    rs_status status = rs_win_error_status(os_error);

    return status == RS_OK ? RS_E_OS : status;
}

void rs_rio_connect_start(rs_backend *backend, const rs_op *op) {
    const uint32_t conn = op->conn;
    rs_rio_socket *io = &backend->sockets[conn];
    struct sockaddr_in name = rs_win_sockaddr(op->u.addr);
    uint32_t os_error = rio_connect_socket(backend, conn, op->bytes);
    DWORD bytes = 0;

    if (io->socket == INVALID_SOCKET || os_error != 0) {
        rio_connect_end(backend, conn, rio_error(os_error));
        return;
    }
    memset(&io->connect, 0, sizeof io->connect);
    io->connect.hEvent = backend->port_event;
    backend->port_dirty = true;
    backend->calls.count[RS_WIN_CONNECTEX]++;
    if (!backend->extensions.connect_ex(io->socket, (const struct sockaddr *)&name,
                                        (int)sizeof name, NULL, 0, &bytes, &io->connect)) {
        os_error = (uint32_t)WSAGetLastError();
        if (os_error != WSA_IO_PENDING) {
            rio_connect_end(backend, conn, rio_error(os_error));
        }
    }
}

void rs_rio_connect_packet(rs_backend *backend, OVERLAPPED *overlapped) {
    rs_rio_socket *io = (rs_rio_socket *)(void *)overlapped; /* its first member */
    size_t conn = (size_t)(io - backend->sockets);

    RS_ASSERT(conn < backend->engine.conns_max);
    RS_ASSERT(backend->conns[conn].connect_busy);
    /* Internal holds the NTSTATUS: reading it saves WSAGetOverlappedResult's call. */
    rio_connect_end(backend, (uint32_t)conn, rs_win_error_status((uint32_t)overlapped->Internal));
}

/* ---- the end */

void rs_rio_socket_shutdown(rs_backend *backend, uint32_t conn) {
    int rc;

    RS_ASSERT(backend->sockets[conn].socket != INVALID_SOCKET);
    backend->calls.count[RS_WIN_SHUTDOWN]++;
    rc = backend->api.shutdown_socket(backend->sockets[conn].socket, SD_SEND);
    rs_rio_engine_shut_down(&backend->engine, conn,
                            rc == 0 ? RS_OK : rio_error((uint32_t)WSAGetLastError()));
}

static void rio_make_resetting(rs_backend *backend, SOCKET socket) {
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    backend->calls.count[RS_WIN_SETSOCKOPT]++;
    /* It fails on a socket that is already reset: then there is nothing left to do. */
    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, (const char *)&now, (int)sizeof now);
}

/* closesocket cancels what is posted, so that a close with a receive pending is only graceful
 * behind a shutdown. */
static void rio_make_graceful(rs_backend *backend, uint32_t conn) {
    SOCKET socket = backend->sockets[conn].socket;

    if (backend->conns[conn].posted > 0) {
        backend->calls.count[RS_WIN_SHUTDOWN]++;
        /* It fails when the connection is gone: just as good. */
        (void)backend->api.shutdown_socket(socket, SD_SEND);
    } else if (!backend->sockets[conn].end_read) {
        rs_win_socket_discard(socket, backend->discard, &backend->calls);
    }
}

void rs_rio_socket_end(rs_backend *backend, uint32_t conn, bool abort_it) {
    rs_rio_socket *io = &backend->sockets[conn];

    /* What was never committed might never complete. */
    rs_rio_commit(backend, conn, rs_rio_engine_take_touched(&backend->engine, conn));
    if (io->socket != INVALID_SOCKET && abort_it) {
        rio_make_resetting(backend, io->socket);
    } else if (io->rq != RIO_INVALID_RQ) {
        rio_make_graceful(backend, conn);
    }
    rio_socket_close(backend, conn);
    rs_rio_engine_socket_gone(&backend->engine, conn);
}
