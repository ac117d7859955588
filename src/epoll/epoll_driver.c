/* SPDX-License-Identifier: MIT */
/* The epoll driver: turns the engine's actions into socket calls and edges into readiness. */
#include "epoll/epoll_instance.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/assert.h"
#include "net/net_address.h"
#include "posix/posix_error.h"

#define EPOLL_DISCARD_READS_MAX 4u

/* ---- receiving and sending */

/* The first error stays: it is the cause of a later end or failure of the connection. */
static rs_status epoll_failed(rs_epoll_conn *conn, int os_error) {
    RS_ASSERT(os_error != 0);
    if (conn->error == RS_OK) {
        conn->error = (uint8_t)rs_posix_status(os_error);
    }
    return (rs_status)conn->error;
}

static void epoll_recv(rs_backend *backend, uint32_t index, uint32_t at, bool called) {
    rs_epoll_conn *conn;
    const rs_engine_req *req = &backend->engine.reqs[at];
    rs_status status = RS_OK;
    ssize_t got;
    RS_DEBUG_ASSERT(index < backend->engine.cfg.conns_max);
    conn = &backend->conns[index];
    RS_DEBUG_ASSERT(conn->fd >= 0);
    do {
        backend->counters.recv_calls++;
        got = recv(conn->fd, req->op.u.data, req->op.bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        if (!conn->ended && (size_t)got < req->op.bytes) {
            conn->may &= (uint8_t)~RS_ENGINE_RECV;
        }
    } else if (got == 0) {
        conn->end_read = true; /* an error first reported by a send appears here as an end */
        status = (rs_status)conn->error;
    } else if (errno == EAGAIN) {
        conn->may &= (uint8_t)~RS_ENGINE_RECV;
        conn->ended = false;
        return; /* it goes on waiting */
    } else {
        status = epoll_failed(conn, errno);
        got = 0;
    }
    rs_engine_finished(&backend->engine, index, at, status, (uint32_t)got, called);
}

/* One call for several held sends; *asked = the bytes it offered. */
static ssize_t epoll_sendmsg(rs_backend *backend, uint32_t index, const rs_engine_action *action,
                             size_t *asked) {
    struct iovec parts[RS_GATHER_MAX];
    RS_ASSERT(action->count > 1);
    RS_ASSERT(action->count <= RS_GATHER_MAX);
    *asked = 0;
    for (uint32_t i = 0; i < action->count; i++) {
        const rs_engine_req *req =
            &backend->engine.reqs[rs_engine_send_behind(&backend->engine, index, action->at, i)];

        parts[i].iov_base = req->op.u.data + req->done;
        parts[i].iov_len = req->op.bytes - req->done;
        *asked += parts[i].iov_len;
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = action->count};
    backend->counters.sendmsg_calls++;
    return sendmsg(backend->conns[index].fd, &message, MSG_NOSIGNAL);
}

static void epoll_send(rs_backend *backend, uint32_t index, const rs_engine_action *action,
                       bool called) {
    rs_epoll_conn *conn;
    const rs_engine_req *req = &backend->engine.reqs[action->at];
    rs_status status = RS_OK;
    size_t asked = req->op.bytes - req->done;
    ssize_t taken;
    RS_DEBUG_ASSERT(index < backend->engine.cfg.conns_max);
    conn = &backend->conns[index];
    RS_DEBUG_ASSERT(conn->fd >= 0);
    RS_DEBUG_ASSERT(asked > 0);
    if (action->count == 1) {
        backend->counters.send_calls++;
        taken = send(conn->fd, req->op.u.data + req->done, asked, MSG_NOSIGNAL);
    } else {
        taken = epoll_sendmsg(backend, index, action, &asked);
    }
    if (taken < 0 && errno == EINTR) {
        return; /* the engine says it again */
    }
    if ((taken >= 0 && (size_t)taken < asked) || (taken < 0 && errno == EAGAIN)) {
        conn->may &= (uint8_t)~RS_ENGINE_SEND;
    }
    if (taken < 0) {
        if (errno == EAGAIN) {
            return;
        }
        status = epoll_failed(conn, errno);
        taken = 0;
    }
    rs_engine_finished(&backend->engine, index, action->at, status, (uint32_t)taken, called);
}

/* ---- the end of a connection */

static void epoll_shutdown(rs_backend *backend, uint32_t index) {
    const rs_epoll_conn *conn = &backend->conns[index];
    rs_status status = (rs_status)conn->error;
    RS_ASSERT(conn->fd >= 0);
    if (status == RS_OK) {
        backend->counters.shutdown_calls++;
        status = shutdown(conn->fd, SHUT_WR) == 0 ? RS_OK : rs_posix_status(errno);
    }
    rs_engine_shut_down(&backend->engine, index, status);
}

void rs_epoll_descriptor_close(rs_backend *backend, int fd) {
    RS_ASSERT(fd >= 0);
    backend->counters.close_calls++;
    /* Closed even after EINTR: close(2), "Dealing with error returns". */
    (void)close(fd);
}

/* Closing with unread bytes makes Linux reset the connection and drop what it has not yet sent (RFC
 * 2525, 2.17), so unread input is discarded first, within a bound. */
static void epoll_discard_input(rs_backend *backend, const rs_epoll_conn *conn) {
    RS_ASSERT(conn->fd >= 0);
    for (uint32_t reads = 0; !conn->end_read && reads < EPOLL_DISCARD_READS_MAX; reads++) {
        backend->counters.recv_calls++;
        if (recv(conn->fd, backend->discard, RS_EPOLL_DISCARD_BYTES, MSG_DONTWAIT | MSG_TRUNC) <
            (ssize_t)RS_EPOLL_DISCARD_BYTES) {
            return;
        }
    }
}

static void epoll_make_resetting(rs_backend *backend, int fd) {
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    backend->counters.setsockopt_calls++;
    int failed = setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    RS_ASSERT(failed == 0);
}

static void epoll_socket_end(rs_backend *backend, uint32_t index, bool abort_it) {
    rs_epoll_conn *conn;
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    conn = &backend->conns[index];
    if (conn->fd >= 0) {
        if (abort_it) {
            epoll_make_resetting(backend, conn->fd);
        } else {
            epoll_discard_input(backend, conn);
        }
        rs_epoll_descriptor_close(backend, conn->fd);
        conn->fd = -1;
    }
    if (backend->engine.conns[index].connect_busy) {
        rs_engine_connected(&backend->engine, index, RS_E_ABORTED); /* nobody else will say so */
    }
    rs_engine_socket_gone(&backend->engine, index);
}

/* ---- actions */

void rs_epoll_run(rs_backend *backend, uint32_t index, bool called) {
    const rs_epoll_conn *conn;
    RS_DEBUG_ASSERT(index < backend->engine.cfg.conns_max);
    conn = &backend->conns[index];
    for (;;) { /* terminates: every iteration removes something from the todo list or the readiness
                */
        const rs_engine_action action = rs_engine_next(&backend->engine, index, conn->may);

        switch (action.kind) {
        case RS_DO_RECV:
            epoll_recv(backend, index, action.at, called);
            break;
        case RS_DO_SEND:
            epoll_send(backend, index, &action, called);
            break;
        case RS_DO_SHUTDOWN:
            epoll_shutdown(backend, index);
            break;
        case RS_DO_CLOSE:
        case RS_DO_ABORT:
            epoll_socket_end(backend, index, action.kind == RS_DO_ABORT);
            break;
        default:
            return;
        }
    }
}

/* ---- attaching */

bool rs_epoll_watch(rs_backend *backend, int fd, uint64_t data, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    RS_ASSERT(fd >= 0);
    backend->counters.epoll_ctl_calls++;
    return epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool epoll_watch_conn(rs_backend *backend, uint32_t index) {
    const rs_epoll_conn *conn = &backend->conns[index];
    RS_ASSERT(backend->engine.conns[index].phase != RS_CONN_FREE);
    return rs_epoll_watch(backend, conn->fd,
                          (uint64_t)backend->engine.conns[index].generation << 32 | index,
                          EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

rs_status rs_epoll_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                          uintptr_t socket) {
    RS_ASSERT(socket <= INT32_MAX);
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    rs_engine_bind(&backend->engine, index, generation);
    /* Nothing was sent yet, so there is room. */
    backend->conns[index] = (rs_epoll_conn){.fd = (int)socket, .may = RS_ENGINE_SEND};
    if (!epoll_watch_conn(backend, index)) {
        rs_status status = rs_posix_status(errno);

        rs_epoll_descriptor_close(backend, (int)socket);
        backend->conns[index].fd = -1;
        rs_engine_unbind(&backend->engine, index);
        return status == RS_E_NO_BUFFERS ? status : RS_E_OS;
    }
    return RS_OK;
}

rs_addr rs_epoll_local_addr(rs_backend *backend, int fd) {
    rs_sockaddr name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t bytes = sizeof name;
    backend->counters.getsockname_calls++;
    return getsockname(fd, &name.any, &bytes) == 0 ? rs_sockaddr_read(&name) : (rs_addr){.port = 0};
}

rs_addr rs_epoll_local(rs_backend *backend, uint32_t index) {
    const rs_epoll_conn *conn = &backend->conns[index];
    return conn->fd >= 0 ? rs_epoll_local_addr(backend, conn->fd) : (rs_addr){.port = 0};
}

void rs_epoll_discard(rs_backend *backend, uintptr_t socket) {
    RS_ASSERT(socket <= INT32_MAX);
    rs_epoll_descriptor_close(backend, (int)socket);
}

/* ---- connecting */

bool rs_epoll_set_int(rs_backend *backend, int fd, int level, int option, int value) {
    RS_ASSERT(fd >= 0);
    backend->counters.setsockopt_calls++;
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* On a listener too: what it accepts inherits all three (tcp(7), socket(7)). */
static bool epoll_tune(rs_backend *backend, int fd) {
    const rs_tuning *tuning = &backend->tuning;
    return (!tuning->nodelay || rs_epoll_set_int(backend, fd, IPPROTO_TCP, TCP_NODELAY, 1)) &&
           (tuning->sndbuf_bytes < 0 ||
            rs_epoll_set_int(backend, fd, SOL_SOCKET, SO_SNDBUF, tuning->sndbuf_bytes)) &&
           (tuning->rcvbuf_bytes < 0 ||
            rs_epoll_set_int(backend, fd, SOL_SOCKET, SO_RCVBUF, tuning->rcvbuf_bytes));
}

int rs_epoll_socket(rs_backend *backend, int family) {
    int fd;
    backend->counters.socket_calls++;
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !epoll_tune(backend, fd)) {
        int os_error = errno;

        rs_epoll_descriptor_close(backend, fd);
        errno = os_error;
        return -1;
    }
    return fd;
}

/* The port is chosen by connect, which knows the destination: chosen by bind, it would have to be
 * free towards all (ip(7), IP_BIND_ADDRESS_NO_PORT). Kernels before 4.2 do not know the option. */
static bool epoll_bind_from(rs_backend *backend, int fd, const rs_addr *from) {
    rs_sockaddr name;
    const socklen_t name_bytes = rs_sockaddr_write(&name, from);
    (void)rs_epoll_set_int(backend, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    backend->counters.bind_calls++;
    return bind(fd, &name.any, name_bytes) == 0;
}

/* A new socket connecting to its server; 0 or the errno. The descriptor stays with the slot either
 * way. */
static int epoll_connect_start(rs_backend *backend, uint32_t index, const rs_op *op) {
    rs_epoll_conn *conn = &backend->conns[index];
    rs_sockaddr name;
    const socklen_t name_bytes = rs_sockaddr_write(&name, op->u.addr);
    const rs_addr from = rs_op_from(op);
    conn->fd = rs_epoll_socket(backend, name.any.sa_family);
    if (conn->fd < 0 ||
        ((op->flags & RS_OPF_FROM) != 0 && !epoll_bind_from(backend, conn->fd, &from))) {
        return errno;
    }
    backend->counters.connect_calls++;
    if (connect(conn->fd, &name.any, name_bytes) != 0 && errno != EINPROGRESS) {
        return errno;
    }
    /* Watched only now: an unconnected socket would report a hang-up at once. */
    return epoll_watch_conn(backend, index) ? 0 : errno;
}

/* The result of CONNECT, then everything submitted behind it. */
void rs_epoll_connect_end(rs_backend *backend, uint32_t index, int os_error) {
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    backend->conns[index].may |= RS_ENGINE_SEND;
    rs_engine_connected(&backend->engine, index, rs_posix_status(os_error));
}

static void epoll_connect(rs_backend *backend, const rs_op *op) {
    int os_error;
    backend->conns[op->conn] = (rs_epoll_conn){.fd = -1};
    os_error = epoll_connect_start(backend, op->conn, op);
    if (os_error != 0) {
        rs_epoll_connect_end(backend, op->conn, os_error);
    }
}

/* ---- submit */

uint32_t rs_epoll_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t taken = 0;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    *why = RS_OK;
    while (taken < count && *why == RS_OK) {
        const rs_op *op = &ops[taken];
        uint32_t run = rs_engine_submit(&backend->engine, op, count - taken, why);

        if (run > 0) {
            if (op->kind == RS_OP_CONNECT) {
                epoll_connect(backend, op);
            }
            if (rs_engine_wants(&backend->engine, op->conn, backend->conns[op->conn].may)) {
                rs_epoll_run(backend, op->conn, true);
            }
        }
        taken += run;
    }
    return taken;
}
