/* SPDX-License-Identifier: MIT */
/* The RIO driver: turns the engine's actions into RIO and socket calls and reports the results. */
#include "rio/rio_instance.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/region_set.h"
#include "net/net_address.h"
#include "win/win_error.h"

/* The status of a failed call; never RS_OK. */
static rs_status rio_error(uint32_t os_error) {
    rs_status status = rs_win_error_status(os_error);
    return status == RS_OK ? RS_E_OS : status;
}

static rs_status rio_failure(void) {
    return rio_error((uint32_t)WSAGetLastError());
}

/* ---- descriptors */

static bool rio_op_fits(const rs_backend *backend, const rs_op *op) {
    const rs_rio_region *region;
    uintptr_t offset;
    if (op->region >= RS_REGIONS_MAX) {
        return false;
    }
    region = &backend->regions[op->region];
    offset = (uintptr_t)op->u.data - (uintptr_t)region->base;
    return region->base != NULL && offset <= region->bytes && op->bytes <= region->bytes - offset;
}

static rs_status slot_register(rs_backend *backend, rs_rio_slot *slot, const rs_op *op) {
    RS_ASSERT(slot->own == RIO_INVALID_BUFFERID);
    backend->counters.registrations++;
    slot->own = backend->api.fn.RIORegisterBuffer((PCHAR)op->u.data, op->bytes);
    if (slot->own == RIO_INVALID_BUFFERID) {
        return rio_failure();
    }
    slot->buf = (RIO_BUF){.BufferId = slot->own, .Offset = 0, .Length = op->bytes};
    return RS_OK;
}

static rs_status slot_fill(rs_backend *backend, uint32_t at) {
    const rs_op *op = &backend->engine.reqs[at].op;
    const rs_rio_region *region;
    rs_rio_slot *slot = &backend->slots[at];
    rs_region_piece piece = {.start = 0};
    RS_ASSERT(op->region < RS_REGIONS_MAX);
    region = &backend->regions[op->region];
    RS_ASSERT(region->base != NULL);
    RS_ASSERT(slot->own == RIO_INVALID_BUFFERID);
    if (backend->own.registration == RS_RIO_REG_REQUEST) {
        return slot_register(backend, slot, op);
    }
    if (backend->own.registration == RS_RIO_REG_SESSION) {
        piece = rs_region_piece_at(&region->cut, (uint64_t)(op->u.data - region->base));
    }
    slot->buf = (RIO_BUF){
        .BufferId = region->ids[piece.index],
        .Offset = (ULONG)((uint64_t)(op->u.data - region->base) - piece.start),
        .Length = op->bytes,
    };
    return RS_OK;
}

void rs_rio_request_over(rs_backend *backend, uint32_t req) {
    rs_rio_slot *slot = &backend->slots[req];
    if (slot->own != RIO_INVALID_BUFFERID) {
        backend->api.fn.RIODeregisterBuffer(slot->own);
        slot->own = RIO_INVALID_BUFFERID;
    }
}

void rs_rio_region_end(rs_backend *backend, uint16_t index) {
    rs_rio_region *region;
    RS_ASSERT(index < RS_REGIONS_MAX);
    region = &backend->regions[index];
    RS_ASSERT(region->ids != NULL || region->id_count == 0);
    for (uint32_t i = 0; i < region->id_count; i++) {
        backend->api.fn.RIODeregisterBuffer(region->ids[i]);
    }
    free(region->ids);
    *region = (rs_rio_region){.base = NULL};
}

/* ---- posts */

static void rio_post(rs_backend *backend, uint32_t conn, uint32_t req, bool is_recv) {
    RIO_RQ rq = backend->sockets[conn].rq;
    DWORD flags = backend->own.defer ? RIO_MSG_DEFER : 0;
    PVOID context = (PVOID)(uintptr_t)rs_rio_ledger_stamp(&backend->ledger, req);
    rs_status status = slot_fill(backend, req);
    BOOL accepted;
    RS_ASSERT(rq != RIO_INVALID_RQ);
    if (status == RS_OK) {
        PRIO_BUF buf = &backend->slots[req].buf;

        if (is_recv) {
            backend->counters.receives++;
            accepted = backend->api.fn.RIOReceive(rq, buf, 1, flags, context);
        } else {
            backend->counters.sends++;
            accepted = backend->api.fn.RIOSend(rq, buf, 1, flags, context);
        }
        if (!accepted) {
            status = rio_failure();
            rs_rio_request_over(backend, req);
        }
    }
    if (status != RS_OK) {
        rs_engine_finished(&backend->engine, conn, req, status, 0, false);
        return;
    }
    rs_engine_pending(&backend->engine, conn, req);
    if (backend->own.defer) {
        rs_rio_ledger_touch(&backend->ledger, conn, is_recv ? RS_ENGINE_RECV : RS_ENGINE_SEND);
    }
}

/* ---- commits */

static bool rio_commit_one(rs_backend *backend, RIO_RQ rq, uint32_t dir) {
    RS_ASSERT(dir == RS_ENGINE_RECV || dir == RS_ENGINE_SEND);
    if (dir == RS_ENGINE_RECV) {
        backend->counters.recv_commits++;
        return backend->api.fn.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    }
    backend->counters.send_commits++;
    return backend->api.fn.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
}

/* Sends first: what the peer waits for leaves before we receive more. After a failed commit,
 * requests may never start; only closing the socket returns them. */
static void rio_commit(rs_backend *backend, uint32_t conn, uint32_t dirs) {
    static const uint32_t order[] = {RS_ENGINE_SEND, RS_ENGINE_RECV};
    RIO_RQ rq = backend->sockets[conn].rq;
    for (uint32_t i = 0; i < 2; i++) {
        if ((dirs & order[i]) == 0) {
            continue;
        }
        RS_ASSERT(rq != RIO_INVALID_RQ);
        if (!rio_commit_one(backend, rq, order[i])) {
            rs_engine_broken(&backend->engine, conn, rio_failure());
        }
    }
}

/* ---- request queues */

/* The configured receives and sends, one buffer each: RIO has no gather
 * (RIOCreateRequestQueue: MaxReceiveDataBuffers and MaxSendDataBuffers must be 1). */
static rs_status rio_queue_make(rs_backend *backend, uint32_t conn) {
    rs_rio_socket *io = &backend->sockets[conn];
    PVOID context = (PVOID)(uintptr_t)rs_rio_ledger_socket_context(&backend->ledger, conn);
    rs_status status;
    RS_ASSERT(io->rq == RIO_INVALID_RQ);
    RS_ASSERT(io->socket != INVALID_SOCKET);
    backend->counters.request_queues++;
    io->rq = backend->api.fn.RIOCreateRequestQueue(io->socket, backend->engine.cfg.recvs_per_conn,
                                                   1, backend->engine.cfg.sends_per_conn, 1,
                                                   backend->cq, backend->cq, context);
    if (io->rq != RIO_INVALID_RQ) {
        return RS_OK;
    }
    status = rs_win_error_status((uint32_t)WSAGetLastError());
    backend->counters.queues_refused++;
    return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY ? RS_E_NO_BUFFERS : RS_E_OS;
}

static void rio_socket_bind_slot(rs_backend *backend, uint32_t conn, SOCKET socket) {
    rs_rio_socket *io;
    RS_ASSERT(conn < backend->engine.cfg.conns_max);
    io = &backend->sockets[conn];
    RS_ASSERT(io->socket == INVALID_SOCKET);
    RS_ASSERT(io->rq == RIO_INVALID_RQ);
    *io = (rs_rio_socket){.socket = socket, .rq = RIO_INVALID_RQ};
}

/* Through the provider, which must see the close of a socket with a request queue. */
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
            RS_FATAL("closesocket", WSAGetLastError(), "its requests cannot be drained");
        }
    }
    io->socket = INVALID_SOCKET;
    io->rq = RIO_INVALID_RQ;
}

/* Its provider is IPv4's or IPv6's whose functions we have. Accepted sockets have the listeners'
 * provider, which rs_win_accept_listen has compared; so the first one speaks for all. */
static bool rio_socket_is_served(rs_backend *backend, SOCKET socket) {
    const rs_win_extensions *v6 = &backend->extensions[RS_ADDR_V6];
    backend->served = backend->served ||
                      rs_win_extensions_fit(&backend->extensions[RS_ADDR_V4], socket) ||
                      (v6->connect_ex != NULL && rs_win_extensions_fit(v6, socket));
    return backend->served;
}

rs_status rs_rio_attach(rs_backend *backend, uint32_t conn, uint32_t generation, uintptr_t socket) {
    rs_status status;
    RS_ASSERT(conn < backend->engine.cfg.conns_max);
    rs_engine_bind(&backend->engine, conn, generation);
    rio_socket_bind_slot(backend, conn, (SOCKET)socket);
    status = rs_win_socket_tune_accepted((SOCKET)socket, &backend->tuning, &backend->inherit,
                                         &backend->calls);
    if (status == RS_OK && !rio_socket_is_served(backend, (SOCKET)socket)) {
        status = RS_E_OS; /* RIO's functions are another provider's */
    }
    if (status == RS_OK) {
        status = rio_queue_make(backend, conn);
    }
    if (status != RS_OK) {
        rio_socket_close(backend, conn);
        rs_engine_unbind(&backend->engine, conn);
        return status == RS_E_NO_BUFFERS ? status : RS_E_OS;
    }
    return RS_OK;
}

rs_addr rs_rio_local(rs_backend *backend, uint32_t conn) {
    SOCKET socket = backend->sockets[conn].socket;
    return socket != INVALID_SOCKET ? rs_win_socket_local(socket, &backend->calls)
                                    : (rs_addr){.port = 0};
}

void rs_rio_discard_socket(rs_backend *backend, uintptr_t socket) {
    rs_win_socket_close((SOCKET)socket, &backend->calls); /* no queue yet: a plain socket */
}

/* ---- the end */

static void rio_socket_shutdown(rs_backend *backend, uint32_t conn) {
    int rc;
    RS_ASSERT(backend->sockets[conn].socket != INVALID_SOCKET);
    backend->calls.count[RS_WIN_SHUTDOWN]++;
    rc = shutdown(backend->sockets[conn].socket, SD_SEND); /* behind every send's completion */
    rs_engine_shut_down(&backend->engine, conn, rc == 0 ? RS_OK : rio_failure());
}

/* closesocket cancels posted requests, so a close with receives pending is graceful only after a
 * shutdown. */
static void rio_make_graceful(rs_backend *backend, uint32_t conn) {
    SOCKET socket = backend->sockets[conn].socket;
    RS_ASSERT(socket != INVALID_SOCKET);
    if (backend->engine.conns[conn].recvs_posted > 0) {
        backend->calls.count[RS_WIN_SHUTDOWN]++;
        /* Fails if the connection is gone, which is as good. */
        (void)shutdown(socket, SD_SEND);
    } else if (!backend->sockets[conn].end_read) {
        rs_win_socket_discard(socket, backend->discard, &backend->calls);
    }
}

static void rio_socket_end(rs_backend *backend, uint32_t conn, bool abort_it) {
    rs_rio_socket *io = &backend->sockets[conn];
    /* Uncommitted requests might never complete. */
    rio_commit(backend, conn, rs_rio_ledger_take_touched(&backend->ledger, conn));
    if (io->socket != INVALID_SOCKET && abort_it) {
        rs_win_socket_reset_at_close(io->socket, &backend->calls);
    } else if (io->rq != RIO_INVALID_RQ) {
        rio_make_graceful(backend, conn);
    }
    rio_socket_close(backend, conn);
    rs_engine_socket_gone(&backend->engine, conn);
}

/* ---- actions */

void rs_rio_run(rs_backend *backend, uint32_t conn) {
    for (;;) { /* terminates: every iteration removes something from the todo list */
        const rs_engine_action action = rs_engine_next(&backend->engine, conn, RS_ENGINE_BOTH);

        switch (action.kind) {
        case RS_DO_RECV:
        case RS_DO_SEND:
            rio_post(backend, conn, action.at, action.kind == RS_DO_RECV);
            break;
        case RS_DO_SHUTDOWN:
            rio_socket_shutdown(backend, conn);
            break;
        case RS_DO_CLOSE:
        case RS_DO_ABORT:
            rio_socket_end(backend, conn, action.kind == RS_DO_ABORT);
            break;
        default:
            return;
        }
    }
}

void rs_rio_commit_all(rs_backend *backend) {
    uint32_t dirs, conn;
    while ((conn = rs_rio_ledger_touched(&backend->ledger, &dirs)) != RS_ENGINE_NONE) {
        rio_commit(backend, conn, dirs);
        rs_rio_run(backend, conn);
    }
}

/* ---- connecting: RIO has no call for it, so it goes through the port */

/* A socket that is set up and associated with the port; 0 or the error. It stays with the slot. */
static uint32_t rio_connect_socket(rs_backend *backend, uint32_t conn, const rs_addr *from) {
    const rs_win_extensions *extensions = &backend->extensions[from->family];
    uint32_t os_error = 0;
    SOCKET socket = rs_win_socket_open(from->family == RS_ADDR_V6 ? AF_INET6 : AF_INET,
                                       WSA_FLAG_REGISTERED_IO, &backend->calls, &os_error);
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
    if (extensions->connect_ex == NULL || !rs_win_extensions_fit(extensions, socket)) {
        return WSAEINVALIDPROVIDER; /* ConnectEx is another provider's */
    }
    return rs_win_socket_bind_from(socket, from, &backend->port_reuse_failed, &backend->calls);
}

/* The result of CONNECT. The request queue is created only now: a ConnectEx socket is complete
 * after its context update. */
static void rio_connect_end(rs_backend *backend, uint32_t conn, rs_status status) {
    rs_rio_socket *io = &backend->sockets[conn];
    RS_ASSERT(backend->engine.conns[conn].connect_busy);
    if (status == RS_OK && io->socket != INVALID_SOCKET) {
        status = rs_win_socket_update_connect(io->socket, &backend->calls);
    }
    if (status == RS_OK && io->socket != INVALID_SOCKET) {
        status = rio_queue_make(backend, conn);
    }
    rs_engine_connected(&backend->engine, conn, status);
    rs_rio_run(backend, conn);
}

static void rio_connect_start(rs_backend *backend, const rs_op *op) {
    const uint32_t conn = op->conn;
    rs_rio_socket *io = &backend->sockets[conn];
    const rs_addr from = rs_op_from(op);
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, op->u.addr);
    uint32_t os_error = rio_connect_socket(backend, conn, &from);
    DWORD bytes = 0;
    RS_ASSERT(op->kind == RS_OP_CONNECT);
    if (io->socket == INVALID_SOCKET || os_error != 0) {
        rio_connect_end(backend, conn, rio_error(os_error));
        return;
    }
    memset(&io->connect, 0, sizeof io->connect);
    io->connect.hEvent = backend->port_event;
    backend->port_dirty = true;
    backend->calls.count[RS_WIN_CONNECTEX]++;
    if (!backend->extensions[from.family].connect_ex(io->socket, &name.any, name_bytes, NULL, 0,
                                                     &bytes, &io->connect)) {
        os_error = (uint32_t)WSAGetLastError();
        if (os_error != WSA_IO_PENDING) {
            rio_connect_end(backend, conn, rio_error(os_error));
        }
    }
}

void rs_rio_connect_packet(rs_backend *backend, OVERLAPPED *overlapped) {
    rs_rio_socket *io = (rs_rio_socket *)(void *)overlapped; /* its first member */
    size_t conn = (size_t)(io - backend->sockets);
    RS_ASSERT(conn < backend->engine.cfg.conns_max);
    RS_ASSERT(backend->engine.conns[conn].connect_busy);
    /* Internal holds the NTSTATUS: reading it saves WSAGetOverlappedResult's call. */
    rio_connect_end(backend, (uint32_t)conn, rs_win_error_status((uint32_t)overlapped->Internal));
}

/* ---- submit */

static bool rio_op_is_io(const rs_op *op) {
    return op->kind == RS_OP_RECV || op->kind == RS_OP_SEND;
}

/* The engine checks everything except memory, which it does not know. */
static rs_status rio_submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status;
    if (rio_op_is_io(op) && !rio_op_fits(backend, op)) {
        return RS_E_INVALID;
    }
    if (rs_engine_submit(&backend->engine, op, 1, &status) == 0) {
        return status;
    }
    if (op->kind == RS_OP_CONNECT) {
        rio_connect_start(backend, op);
    } else {
        rs_rio_run(backend, op->conn);
    }
    return RS_OK;
}

uint32_t rs_rio_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t taken = 0;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    *why = RS_OK;
    while (taken < count) {
        *why = rio_submit_one(backend, &ops[taken]);
        if (*why != RS_OK) {
            break;
        }
        taken++;
    }
    rs_rio_commit_all(backend);
    return taken;
}
