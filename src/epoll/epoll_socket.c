/* Sockets of the epoll back end: from accept or connect to the edge-triggered watch, and to the
 * end.
 */
#include "epoll/epoll_instance.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "posix/posix_error.h"

#define EPOLL_DISCARD_READS_MAX 4u

/* ---- the end of a connection */

static void epoll_shutdown_complete(rs_backend *backend, uint32_t index, rs_status status) {
    rs_epoll_conn *conn = &backend->conns[index];

    conn->shutdown_waiting = false;
    rs_epoll_complete(backend, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag, 0);
}

static void epoll_shutdown_now(rs_backend *backend, uint32_t index) {
    rs_epoll_conn *conn = &backend->conns[index];
    rs_status status = (rs_status)conn->broken;

    RS_ASSERT(conn->shutdown_waiting && conn->send_count == 0);
    if (status == RS_OK) {
        backend->counters.shutdown_calls++;
        status = shutdown(conn->fd, SHUT_WR) == 0 ? RS_OK : rs_posix_status(errno);
    }
    epoll_shutdown_complete(backend, index, status);
}

void rs_epoll_descriptor_close(rs_backend *backend, int fd) {
    backend->counters.close_calls++;
    /* EINTR included, Linux has closed it: close(2), "Dealing with error returns". */
    (void)close(fd);
}

/* Closing with unread bytes makes Linux reset the connection and drop what it has not yet sent
 * (RFC 2525, 2.17), so what has arrived is taken off first, within a bound. */
static void epoll_discard_input(rs_backend *backend, const rs_epoll_conn *conn) {
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
    int failed = setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    RS_ASSERT(failed == 0);
}

void rs_epoll_close_now(rs_backend *backend, uint32_t index, bool abort_it) {
    rs_epoll_conn *conn = &backend->conns[index];

    RS_ASSERT(conn->ops.phase == RS_CONN_OPEN || conn->ops.phase == RS_CONN_CLOSING);
    rs_epoll_sends_fail(backend, index, RS_E_ABORTED, 0);
    if (conn->shutdown_waiting) {
        epoll_shutdown_complete(backend, index, RS_E_ABORTED);
    }
    if (conn->fd >= 0) {
        if (abort_it) {
            epoll_make_resetting(backend, conn->fd);
        } else {
            epoll_discard_input(backend, conn);
        }
        rs_epoll_descriptor_close(backend, conn->fd);
        conn->fd = -1;
    }
    conn->ops.phase = RS_CONN_CLOSED;
    rs_epoll_complete(backend, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag, 0);
}

void rs_epoll_after_sends(rs_backend *backend, uint32_t index) {
    rs_epoll_conn *conn = &backend->conns[index];

    if (conn->send_count > 0) {
        return;
    }
    if (conn->shutdown_waiting) {
        epoll_shutdown_now(backend, index);
    }
    if (conn->ops.phase == RS_CONN_CLOSING) {
        rs_epoll_close_now(backend, index, false);
    }
}

/* ---- attaching */

static void epoll_bind_slot(rs_backend *backend, uint32_t index, uint32_t generation, int fd,
                            rs_conn_phase phase) {
    rs_epoll_conn *conn = &backend->conns[index];

    rs_conn_ops_bind(&conn->ops, generation, phase);
    *conn = (rs_epoll_conn){.fd = fd, .ops = conn->ops};
}

bool rs_epoll_watch(rs_backend *backend, int fd, uint64_t data, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};

    backend->counters.epoll_ctl_calls++;
    return epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool epoll_watch_conn(rs_backend *backend, uint32_t index) {
    const rs_epoll_conn *conn = &backend->conns[index];

    return rs_epoll_watch(backend, conn->fd, (uint64_t)conn->ops.generation << 32 | index,
                          EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

rs_status rs_epoll_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                          uintptr_t socket) {
    RS_ASSERT(index < backend->conns_max);
    RS_ASSERT(socket <= INT32_MAX);
    epoll_bind_slot(backend, index, generation, (int)socket, RS_CONN_OPEN);
    if (!epoll_watch_conn(backend, index)) {
        rs_status status = rs_posix_status(errno);

        rs_epoll_descriptor_close(backend, (int)socket);
        backend->conns[index].fd = -1;
        rs_conn_ops_unbind(&backend->conns[index].ops);
        return status == RS_E_NO_BUFFERS ? status : RS_E_OS;
    }
    backend->conns[index].writable = true; /* nothing was sent yet, so there is room */
    return RS_OK;
}

void rs_epoll_discard(rs_backend *backend, uintptr_t socket) {
    RS_ASSERT(socket <= INT32_MAX);
    rs_epoll_descriptor_close(backend, (int)socket);
}

/* ---- connecting */

struct sockaddr_in rs_epoll_sockaddr(const rs_addr *addr) {
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(addr->port),
        .sin_addr = {.s_addr = htonl(addr->ip)},
    };
}

bool rs_epoll_set_int(rs_backend *backend, int fd, int level, int option, int value) {
    backend->counters.setsockopt_calls++;
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
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

int rs_epoll_socket(rs_backend *backend) {
    int fd;

    backend->counters.socket_calls++;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
static bool epoll_bind_from(rs_backend *backend, int fd, uint32_t ip) {
    const rs_addr from = {.ip = ip};
    const struct sockaddr_in name = rs_epoll_sockaddr(&from);

    (void)rs_epoll_set_int(backend, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    backend->counters.bind_calls++;
    return bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
}

/* A new socket on its way to its server; 0 or the errno. The descriptor stays with the slot either
 * way. */
static int epoll_connect_start(rs_backend *backend, uint32_t index, const rs_op *op) {
    const struct sockaddr_in name = rs_epoll_sockaddr(op->u.addr);
    rs_epoll_conn *conn = &backend->conns[index];

    conn->fd = rs_epoll_socket(backend);
    if (conn->fd < 0 || (op->bytes != 0 && !epoll_bind_from(backend, conn->fd, op->bytes))) {
        return errno;
    }
    backend->counters.connect_calls++;
    if (connect(conn->fd, (const struct sockaddr *)&name, sizeof(name)) != 0 &&
        errno != EINPROGRESS) {
        return errno;
    }
    /* Watched only now: an unconnected socket would report a hang-up at once. */
    return epoll_watch_conn(backend, index) ? 0 : errno;
}

void rs_epoll_connect_end(rs_backend *backend, uint32_t index, int os_error) {
    rs_epoll_conn *conn = &backend->conns[index];
    rs_status status = rs_posix_status(os_error);

    RS_ASSERT(conn->ops.phase == RS_CONN_CONNECTING);
    conn->ops.phase = RS_CONN_OPEN;
    rs_epoll_complete(backend, index, RS_OP_CONNECT, status, 0, conn->close_tag, 0);
    if (status == RS_OK) {
        conn->writable = true;
        return;
    }
    conn->broken = (uint8_t)status;
    rs_epoll_sends_fail(backend, index, status, 0);
    if (conn->recv_waiting) {
        rs_epoll_recv_complete(backend, index, status, 0, 0);
    }
    rs_epoll_after_sends(backend, index);
}

void rs_epoll_connect(rs_backend *backend, const rs_op *op) {
    int os_error;

    epoll_bind_slot(backend, op->conn, op->generation, -1, RS_CONN_CONNECTING);
    backend->conns[op->conn].close_tag = op->tag;
    os_error = epoll_connect_start(backend, op->conn, op);
    if (os_error != 0) {
        rs_epoll_connect_end(backend, op->conn, os_error);
    }
}
