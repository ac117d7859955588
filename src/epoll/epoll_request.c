/* Submit: which ops are taken, and receiving and sending as far as the socket goes along. */
#include "epoll/epoll_instance.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/assert.h"
#include "posix/posix_error.h"

#define EPOLL_NO_CONN UINT32_MAX

_Static_assert(RS_SENDS_IN_FLIGHT_MAX <= UINT8_MAX, "the send ring counts in a byte");
_Static_assert(RS_GATHER_MAX >= RS_SENDS_IN_FLIGHT_MAX, "one sendmsg empties the send ring");

/* ---- completions */

void rs_epoll_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
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

    backend->counters.inline_completions += (record.flags & RS_CF_INLINE) != 0;
    rs_ready_push(&backend->ready, &record);
}

/* ---- receiving */

void rs_epoll_recv_complete(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes,
                            uint8_t flags) {
    rs_epoll_conn *conn = &backend->conns[index];

    conn->recv_waiting = false;
    rs_epoll_complete(backend, index, RS_OP_RECV, status, bytes, conn->recv_tag, flags);
}

static void epoll_recv_failed(rs_backend *backend, uint32_t index, int os_error, uint8_t flags) {
    rs_epoll_conn *conn = &backend->conns[index];

    if (os_error == EAGAIN) {
        conn->readable = false;
        conn->ended = false;
        return; /* it goes on waiting */
    }
    if (conn->broken == RS_OK) {
        conn->broken = (uint8_t)rs_posix_status(os_error);
    }
    rs_epoll_recv_complete(backend, index, (rs_status)conn->broken, 0, flags);
}

void rs_epoll_recv_try(rs_backend *backend, uint32_t index, uint8_t flags) {
    rs_epoll_conn *conn = &backend->conns[index];
    ssize_t got;

    RS_ASSERT(conn->recv_waiting && conn->readable);
    do {
        backend->counters.recv_calls++;
        got = recv(conn->fd, conn->recv_data, conn->recv_bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        conn->readable = conn->ended || (size_t)got == conn->recv_bytes;
        rs_epoll_recv_complete(backend, index, RS_OK, (uint32_t)got, flags);
    } else if (got == 0) {
        conn->end_read = true; /* an error that a send reported first shows here as an end */
        rs_epoll_recv_complete(backend, index, (rs_status)conn->broken, 0, flags);
    } else {
        epoll_recv_failed(backend, index, errno, flags);
    }
}

/* ---- sending */

static rs_epoll_send *epoll_send_at(rs_backend *backend, uint32_t index, uint32_t offset) {
    uint32_t slot = backend->conns[index].send_head + offset;

    if (slot >= backend->sends_per_conn) {
        slot -= backend->sends_per_conn;
    }
    return &backend->sends[(size_t)index * backend->sends_per_conn + slot];
}

static void epoll_send_complete(rs_backend *backend, uint32_t index, rs_status status,
                                uint8_t flags) {
    rs_epoll_conn *conn = &backend->conns[index];
    const rs_epoll_send *send = epoll_send_at(backend, index, 0);

    RS_ASSERT(conn->send_count > 0);
    rs_epoll_complete(backend, index, RS_OP_SEND, status, send->done, send->tag, flags);
    conn->send_count--;
    conn->send_head =
        (uint8_t)(conn->send_head + 1u == backend->sends_per_conn ? 0u : conn->send_head + 1u);
}

void rs_epoll_sends_fail(rs_backend *backend, uint32_t index, rs_status status, uint8_t flags) {
    while (backend->conns[index].send_count > 0) {
        epoll_send_complete(backend, index, status, flags);
    }
}

/* Shares `taken` bytes out among the oldest sends; those it fills are complete. */
static void epoll_sends_advance(rs_backend *backend, uint32_t index, size_t taken, uint8_t flags) {
    while (taken > 0) {
        rs_epoll_send *send = epoll_send_at(backend, index, 0);
        size_t left = send->bytes - send->done;
        size_t part = taken < left ? taken : left;

        RS_ASSERT(backend->conns[index].send_count > 0);
        send->done += (uint32_t)part;
        taken -= part;
        if (send->done == send->bytes) {
            epoll_send_complete(backend, index, RS_OK, flags);
        }
    }
}

/* One call for all queued sends; *asked = the bytes it offered. */
static ssize_t epoll_send_call(rs_backend *backend, uint32_t index, size_t *asked) {
    const rs_epoll_conn *conn = &backend->conns[index];
    struct iovec parts[RS_GATHER_MAX];
    uint32_t count;

    *asked = 0;
    for (count = 0; count < conn->send_count && count < RS_GATHER_MAX; count++) {
        const rs_epoll_send *send = epoll_send_at(backend, index, count);

        /* iovec is not const-correct; sending does not write to it */
        parts[count].iov_base = (void *)(uintptr_t)(send->data + send->done);
        parts[count].iov_len = send->bytes - send->done;
        *asked += parts[count].iov_len;
    }
    if (count == 1) {
        backend->counters.send_calls++;
        return send(conn->fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    backend->counters.sendmsg_calls++;
    return sendmsg(conn->fd, &message, MSG_NOSIGNAL);
}

void rs_epoll_sends_flush(rs_backend *backend, uint32_t index, uint8_t flags) {
    rs_epoll_conn *conn = &backend->conns[index];

    while (conn->send_count > 0 && conn->writable) {
        size_t asked;
        ssize_t taken = epoll_send_call(backend, index, &asked);
        int os_error = errno;

        if (taken >= 0) {
            conn->writable = (size_t)taken == asked;
            epoll_sends_advance(backend, index, (size_t)taken, flags);
        } else if (os_error == EAGAIN) {
            conn->writable = false;
        } else if (os_error != EINTR) {
            if (conn->broken == RS_OK) {
                conn->broken = (uint8_t)rs_posix_status(os_error);
            }
            rs_epoll_sends_fail(backend, index, (rs_status)conn->broken, flags);
        }
    }
}

/* ---- submit */

static rs_status epoll_submit_recv(rs_backend *backend, const rs_op *op) {
    rs_epoll_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_recv(&conn->ops, op);

    if (status != RS_OK) {
        return status;
    }
    conn->recv_waiting = true;
    conn->recv_data = op->u.data;
    conn->recv_bytes = op->bytes;
    conn->recv_tag = op->tag;
    if (conn->fd < 0 && conn->ops.phase == RS_CONN_OPEN) {
        rs_epoll_recv_complete(backend, op->conn, (rs_status)conn->broken, 0, RS_CF_INLINE);
    } else if (conn->readable) {
        rs_epoll_recv_try(backend, op->conn, RS_CF_INLINE);
    }
    return RS_OK;
}

/* Only queues; submit flushes once for a run of sends on one connection. */
static rs_status epoll_submit_send(rs_backend *backend, const rs_op *op) {
    rs_epoll_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_send(&conn->ops, op, backend->sends_per_conn);

    if (status != RS_OK) {
        return status;
    }
    RS_ASSERT(conn->send_count < backend->sends_per_conn);
    *epoll_send_at(backend, op->conn, conn->send_count) =
        (rs_epoll_send){.data = op->u.data, .bytes = op->bytes, .tag = op->tag};
    conn->send_count++;
    return RS_OK;
}

static rs_status epoll_submit_shutdown(rs_backend *backend, const rs_op *op) {
    rs_epoll_conn *conn = &backend->conns[op->conn];
    rs_status status = rs_conn_ops_take_shutdown(&conn->ops);

    if (status != RS_OK) {
        return status;
    }
    conn->shutdown_waiting = true;
    conn->shutdown_tag = op->tag;
    if (conn->ops.phase == RS_CONN_OPEN) {
        rs_epoll_after_sends(backend, op->conn);
    }
    return RS_OK;
}

static rs_status epoll_submit_close(rs_backend *backend, const rs_op *op) {
    rs_epoll_conn *conn = &backend->conns[op->conn];
    bool abort_it = rs_conn_ops_take_close(&conn->ops, op);

    if (conn->ops.phase == RS_CONN_CLOSED) {
        return RS_OK; /* an abort behind a close that is through: nothing is left to cancel */
    }
    if (conn->ops.phase == RS_CONN_CLOSING) {
        rs_epoll_close_now(backend, op->conn, true);
        return RS_OK;
    }
    if (conn->ops.phase == RS_CONN_CONNECTING) {
        rs_epoll_connect_end(backend, op->conn, ECANCELED);
    }
    conn->close_tag = op->tag;
    if (conn->recv_waiting) {
        rs_epoll_recv_complete(backend, op->conn, RS_E_ABORTED, 0, 0);
    }
    if (abort_it || conn->send_count == 0) {
        rs_epoll_close_now(backend, op->conn, abort_it);
    } else {
        conn->ops.phase = RS_CONN_CLOSING;
    }
    return RS_OK;
}

static rs_status epoll_submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status = RS_E_INVALID;

    if (op->conn < backend->conns_max) {
        status = rs_conn_ops_check(&backend->conns[op->conn].ops, op);
    }
    if (status != RS_OK) {
        return status;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return epoll_submit_recv(backend, op);
    case RS_OP_SEND:
        return epoll_submit_send(backend, op);
    case RS_OP_CONNECT:
        rs_epoll_connect(backend, op);
        return RS_OK;
    case RS_OP_SHUTDOWN:
        return epoll_submit_shutdown(backend, op);
    case RS_OP_CLOSE:
        return epoll_submit_close(backend, op);
    default:
        return RS_E_INVALID;
    }
}

/* The end of a run of sends: one kernel call for all of them. */
static void epoll_sends_start(rs_backend *backend, uint32_t index) {
    rs_epoll_conn *conn = &backend->conns[index];

    if (conn->fd < 0 && conn->ops.phase == RS_CONN_OPEN) {
        rs_epoll_sends_fail(backend, index, (rs_status)conn->broken, RS_CF_INLINE);
        return;
    }
    rs_epoll_sends_flush(backend, index, RS_CF_INLINE);
}

uint32_t rs_epoll_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t sending = EPOLL_NO_CONN; /* the connection of the run of sends under way */
    rs_status status = RS_OK;
    uint32_t taken;

    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    for (taken = 0; taken < count; taken++) {
        const rs_op *op = &ops[taken];

        if (sending != EPOLL_NO_CONN && (op->kind != RS_OP_SEND || op->conn != sending)) {
            epoll_sends_start(backend, sending);
            sending = EPOLL_NO_CONN;
        }
        status = epoll_submit_one(backend, op);
        if (status != RS_OK) {
            break;
        }
        if (op->kind == RS_OP_SEND) {
            sending = op->conn;
        }
    }
    if (sending != EPOLL_NO_CONN) {
        epoll_sends_start(backend, sending);
    }
    *why = status;
    return taken;
}
