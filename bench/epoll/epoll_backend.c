/* Readiness turned into completions. One instance, one thread; only wake comes from others.
 *
 * A connection is watched once, for both directions and edge-triggered, and never again: what an
 * edge said is remembered in `readable` and `writable` until a call shows that it is used up (a
 * short read, a short write: epoll(7), questions and answers, 9). So a message costs one recv, one
 * send and its share of one epoll_wait.
 *
 * Results wait in a ready ring. What is in it still counts as in flight, which bounds it:
 * per connection CONNECT + RECV + SHUTDOWN + CLOSE + its SENDs, and the ACCEPTs of one poll. */
#include "epoll_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "posix/posix_error.h"
#include "seam/atomics.h"
#include "seam/ready_ring.h"

#define EPOLL_SPARE_FILES 32u        /* standard streams, epoll, eventfd, listener, reserve, logs */
#define EPOLL_POLLS_WITHOUT_WAIT 16u /* then the kernel is asked, however full the ready ring */
#define EPOLL_DISCARD_BYTES 65536u
#define EPOLL_DISCARD_READS_MAX 4u
#define EPOLL_NO_CONN UINT32_MAX
#define EPOLL_NS_PER_S 1000000000
#define EPOLL_NS_PER_MS 1000000
#define EPOLL_WAIT_MS_MAX                                                                          \
    86400000               /* poll may return early, so a day stands for anything longer           \
                            */
#define EPOLL_OTHER_OPS 4u /* of a connection, beside its SENDs: CONNECT, RECV, SHUTDOWN, CLOSE */

/* Values of epoll_event.data that are no {generation, connection}: no slot has these indices. */
#define EPOLL_DATA_WAKE UINT64_MAX
#define EPOLL_DATA_LISTENER (UINT64_MAX - 1u)

/* X(member, name, enters the kernel) */
#define EPOLL_STATS(X)                                                                             \
    X(recv_calls, "recv", true)                                                                    \
    X(send_calls, "send", true)                                                                    \
    X(sendmsg_calls, "sendmsg", true)                                                              \
    X(epoll_wait_calls, "epoll_wait", true)                                                        \
    X(epoll_ctl_calls, "epoll_ctl", true)                                                          \
    X(accept_calls, "accept4", true)                                                               \
    X(socket_calls, "socket", true)                                                                \
    X(connect_calls, "connect", true)                                                              \
    X(sockopt_calls, "sockopt", true)                                                              \
    X(shutdown_calls, "shutdown", true)                                                            \
    X(close_calls, "close", true)                                                                  \
    X(wakes, "wake-ups", false)                                                                    \
    X(inline_completions, "inline completions", false)                                             \
    X(stale_events, "stale events", false)

typedef struct epoll_counters {
#define X(member, name, is_call) uint64_t member;
    EPOLL_STATS(X)
#undef X
} epoll_counters;

typedef enum epoll_state {
    EPOLL_FREE = 0,
    EPOLL_CONNECTING,
    EPOLL_OPEN,
    EPOLL_FLUSHING, /* plain CLOSE accepted: waits for the SENDs before it */
    EPOLL_CLOSED    /* the descriptor is gone; the CLOSE completion waits in the ready ring */
} epoll_state;

typedef struct epoll_send {
    const uint8_t *data;
    uint32_t bytes;
    uint32_t done;
    uint64_t tag;
} epoll_send;

typedef struct epoll_conn {
    int fd; /* -1: none (free, closed, or its CONNECT failed) */
    uint32_t generation;
    uint8_t state;           /* epoll_state */
    bool readable : 1;       /* a recv may have something to say */
    bool writable : 1;       /* a send may take something */
    bool ended : 1;          /* an end or an error was signalled: a short read proves nothing */
    bool recv_waiting : 1;   /* a RECV waits for readable; then readable is clear */
    bool recv_in_flight : 1; /* until its completion was polled, as are the next two */
    bool shutdown_in_flight : 1;
    bool shutdown_waiting : 1; /* behind the sends */
    bool escalated : 1;        /* an abort was accepted: none may follow */
    bool end_read : 1;         /* recv returned 0: nothing is left to discard */
    uint8_t sends_in_flight;
    uint8_t send_head, send_count; /* ring of those not yet with the kernel */
    uint8_t broken; /* rs_status that every further op completes with; RS_OK = none */
    uint32_t recv_bytes;
    uint8_t *recv_data;
    uint64_t recv_tag;
    uint64_t shutdown_tag;
    uint64_t close_tag; /* of CONNECT until that completed */
} epoll_conn;

struct rs_backend {
    int epoll_fd, wake_fd, listen_fd, reserve_fd;
    uint32_t conns_max, sends_per_conn, poll_max;
    uint32_t accepts_ready; /* ACCEPT records in the ready ring */
    uint32_t polls_without_wait;
    bool has_pwait2;
    rs_tuning tuning;
    rs_ready_ring ready;
    epoll_conn *conns;          /* [conns_max] */
    epoll_send *sends;          /* [conns_max][sends_per_conn] */
    rs_completion *records;     /* the ready ring's */
    struct epoll_event *events; /* [tuning.dequeue_batch] */
    uint8_t *discard;           /* [EPOLL_DISCARD_BYTES], written and never read */
    uint64_t regions;           /* bit i: region i is registered */
    epoll_counters counters;
    rs_atomic_u32 wake_pending;
    rs_atomic_u32 wake_writes;
};

_Static_assert(RS_SENDS_IN_FLIGHT_MAX <= UINT8_MAX, "the send ring counts in a byte");
_Static_assert(RS_GATHER_MAX >= RS_SENDS_IN_FLIGHT_MAX, "one sendmsg empties the send ring");
_Static_assert(RS_REGIONS_MAX == 64u, "one bit a region");

/* ---- completions */

static void epoll_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
                           uint32_t bytes, uint64_t tag, uint8_t flags) {
    const rs_completion record = {
        .kind = (uint8_t)kind,
        .flags = flags,
        .status = (uint16_t)status,
        .conn = index,
        .generation = backend->conns[index].generation,
        .bytes = bytes,
        .tag = tag,
        .socket = RS_SOCKET_NONE,
    };

    backend->counters.inline_completions += (flags & RS_CF_INLINE) != 0;
    rs_ready_push(&backend->ready, &record);
}

static void epoll_complete_accept(rs_backend *backend, rs_status status, uintptr_t socket) {
    const rs_completion record = {
        .kind = RS_OP_ACCEPT, .status = (uint16_t)status, .socket = socket};

    backend->accepts_ready++;
    rs_ready_push(&backend->ready, &record);
}

/* What leaves the ready ring is in flight no longer: its place may be asked for again. */
static void epoll_retire(rs_backend *backend, const rs_completion *record) {
    epoll_conn *conn = &backend->conns[record->conn];

    switch (record->kind) {
    case RS_OP_SEND:
        RS_ASSERT(conn->sends_in_flight > 0);
        conn->sends_in_flight--;
        break;
    case RS_OP_RECV:
        RS_ASSERT(conn->recv_in_flight);
        conn->recv_in_flight = false;
        break;
    case RS_OP_SHUTDOWN:
        RS_ASSERT(conn->shutdown_in_flight);
        conn->shutdown_in_flight = false;
        break;
    case RS_OP_ACCEPT:
        RS_ASSERT(backend->accepts_ready > 0);
        backend->accepts_ready--;
        break;
    case RS_OP_CLOSE:
        RS_ASSERT(conn->state == EPOLL_CLOSED);
        RS_ASSERT(conn->sends_in_flight == 0 && !conn->recv_in_flight);
        conn->state = EPOLL_FREE;
        break;
    default:
        break; /* CONNECT: counted by the state */
    }
}

/* ---- receiving */

static void epoll_recv_complete(rs_backend *backend, uint32_t index, rs_status status,
                                uint32_t bytes, uint8_t flags) {
    epoll_conn *conn = &backend->conns[index];

    conn->recv_waiting = false;
    epoll_complete(backend, index, RS_OP_RECV, status, bytes, conn->recv_tag, flags);
}

static void epoll_recv_failed(rs_backend *backend, uint32_t index, int os_error, uint8_t flags) {
    epoll_conn *conn = &backend->conns[index];

    if (os_error == EAGAIN) {
        conn->readable = false;
        conn->ended = false;
        return; /* it goes on waiting */
    }
    if (conn->broken == RS_OK) {
        conn->broken = (uint8_t)rs_posix_status(os_error);
    }
    epoll_recv_complete(backend, index, (rs_status)conn->broken, 0, flags);
}

/* One recv for the RECV that waits; readiness is known. */
static void epoll_recv_try(rs_backend *backend, uint32_t index, uint8_t flags) {
    epoll_conn *conn = &backend->conns[index];
    ssize_t got;

    RS_ASSERT(conn->recv_waiting && conn->readable);
    do {
        backend->counters.recv_calls++;
        got = recv(conn->fd, conn->recv_data, conn->recv_bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        conn->readable = conn->ended || (size_t)got == conn->recv_bytes;
        epoll_recv_complete(backend, index, RS_OK, (uint32_t)got, flags);
    } else if (got == 0) {
        conn->end_read = true; /* an error that a send reported first shows here as an end */
        epoll_recv_complete(backend, index, (rs_status)conn->broken, 0, flags);
    } else {
        epoll_recv_failed(backend, index, errno, flags);
    }
}

/* ---- sending */

static epoll_send *epoll_send_at(rs_backend *backend, uint32_t index, uint32_t offset) {
    uint32_t slot = backend->conns[index].send_head + offset;

    if (slot >= backend->sends_per_conn) {
        slot -= backend->sends_per_conn;
    }
    return &backend->sends[(size_t)index * backend->sends_per_conn + slot];
}

static void epoll_send_complete(rs_backend *backend, uint32_t index, rs_status status,
                                uint8_t flags) {
    epoll_conn *conn = &backend->conns[index];
    const epoll_send *send = epoll_send_at(backend, index, 0);

    RS_ASSERT(conn->send_count > 0);
    epoll_complete(backend, index, RS_OP_SEND, status, send->done, send->tag, flags);
    conn->send_count--;
    conn->send_head =
        (uint8_t)(conn->send_head + 1u == backend->sends_per_conn ? 0u : conn->send_head + 1u);
}

static void epoll_sends_fail(rs_backend *backend, uint32_t index, rs_status status, uint8_t flags) {
    while (backend->conns[index].send_count > 0) {
        epoll_send_complete(backend, index, status, flags);
    }
}

/* Shares `taken` bytes out among the oldest sends; those it fills are complete. */
static void epoll_sends_advance(rs_backend *backend, uint32_t index, size_t taken, uint8_t flags) {
    while (taken > 0) {
        epoll_send *send = epoll_send_at(backend, index, 0);
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
    const epoll_conn *conn = &backend->conns[index];
    struct iovec parts[RS_GATHER_MAX];
    uint32_t count;

    *asked = 0;
    for (count = 0; count < conn->send_count && count < RS_GATHER_MAX; count++) {
        const epoll_send *send = epoll_send_at(backend, index, count);

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

/* Sends what is queued, as far as the socket takes it. The rest waits for EPOLLOUT. */
static void epoll_sends_flush(rs_backend *backend, uint32_t index, uint8_t flags) {
    epoll_conn *conn = &backend->conns[index];

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
            epoll_sends_fail(backend, index, (rs_status)conn->broken, flags);
        }
    }
}

/* ---- the end of a connection */

static void epoll_shutdown_complete(rs_backend *backend, uint32_t index, rs_status status) {
    epoll_conn *conn = &backend->conns[index];

    conn->shutdown_waiting = false;
    epoll_complete(backend, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag, 0);
}

static void epoll_shutdown_now(rs_backend *backend, uint32_t index) {
    epoll_conn *conn = &backend->conns[index];
    rs_status status = (rs_status)conn->broken;

    RS_ASSERT(conn->shutdown_waiting && conn->send_count == 0);
    if (status == RS_OK) {
        backend->counters.shutdown_calls++;
        status = shutdown(conn->fd, SHUT_WR) == 0 ? RS_OK : rs_posix_status(errno);
    }
    epoll_shutdown_complete(backend, index, status);
}

static void epoll_descriptor_close(rs_backend *backend, int fd) {
    backend->counters.close_calls++;
    /* EINTR included, Linux has closed it: close(2), "Dealing with error returns". */
    (void)close(fd);
}

/* Closing with unread bytes makes Linux reset the connection and drop what it has not yet sent
 * (RFC 2525, 2.17), so what has arrived is taken off first, within a bound. */
static void epoll_discard_input(rs_backend *backend, const epoll_conn *conn) {
    for (uint32_t reads = 0; !conn->end_read && reads < EPOLL_DISCARD_READS_MAX; reads++) {
        backend->counters.recv_calls++;
        if (recv(conn->fd, backend->discard, EPOLL_DISCARD_BYTES, MSG_DONTWAIT | MSG_TRUNC) <
            (ssize_t)EPOLL_DISCARD_BYTES) {
            return;
        }
    }
}

static void epoll_make_resetting(rs_backend *backend, int fd) {
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    backend->counters.sockopt_calls++;
    int failed = setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    RS_ASSERT(failed == 0);
}

/* Cancels what is left, gives the descriptor back and completes the CLOSE. */
static void epoll_close_now(rs_backend *backend, uint32_t index, bool abort_it) {
    epoll_conn *conn = &backend->conns[index];

    RS_ASSERT(conn->state == EPOLL_OPEN || conn->state == EPOLL_FLUSHING);
    epoll_sends_fail(backend, index, RS_E_ABORTED, 0);
    if (conn->shutdown_waiting) {
        epoll_shutdown_complete(backend, index, RS_E_ABORTED);
    }
    if (conn->fd >= 0) {
        if (abort_it) {
            epoll_make_resetting(backend, conn->fd);
        } else {
            epoll_discard_input(backend, conn);
        }
        epoll_descriptor_close(backend, conn->fd);
        conn->fd = -1;
    }
    conn->state = EPOLL_CLOSED;
    epoll_complete(backend, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag, 0);
}

/* After each step that may have emptied the send queue: whatever waited for that. */
static void epoll_after_sends(rs_backend *backend, uint32_t index) {
    epoll_conn *conn = &backend->conns[index];

    if (conn->send_count > 0) {
        return;
    }
    if (conn->shutdown_waiting) {
        epoll_shutdown_now(backend, index);
    }
    if (conn->state == EPOLL_FLUSHING) {
        epoll_close_now(backend, index, false);
    }
}

/* ---- connections */

static void epoll_bind_slot(rs_backend *backend, uint32_t index, uint32_t generation, int fd,
                            epoll_state state) {
    epoll_conn *conn = &backend->conns[index];

    RS_ASSERT(conn->state == EPOLL_FREE);
    *conn = (epoll_conn){.fd = fd, .generation = generation, .state = (uint8_t)state};
}

static bool epoll_watch(rs_backend *backend, int fd, uint64_t data, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};

    backend->counters.epoll_ctl_calls++;
    return epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool epoll_watch_conn(rs_backend *backend, uint32_t index) {
    const epoll_conn *conn = &backend->conns[index];

    return epoll_watch(backend, conn->fd, (uint64_t)conn->generation << 32 | index,
                       EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static rs_status epoll_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                              uintptr_t socket) {
    RS_ASSERT(index < backend->conns_max);
    RS_ASSERT(socket <= INT32_MAX);
    epoll_bind_slot(backend, index, generation, (int)socket, EPOLL_OPEN);
    if (!epoll_watch_conn(backend, index)) {
        rs_status status = rs_posix_status(errno);

        epoll_descriptor_close(backend, (int)socket);
        backend->conns[index].fd = -1;
        backend->conns[index].state = EPOLL_FREE;
        return status == RS_E_NO_BUFFERS ? status : RS_E_OS;
    }
    backend->conns[index].writable = true; /* nothing was sent yet, so there is room */
    return RS_OK;
}

static void epoll_discard(rs_backend *backend, uintptr_t socket) {
    RS_ASSERT(socket <= INT32_MAX);
    epoll_descriptor_close(backend, (int)socket);
}

static struct sockaddr_in epoll_sockaddr(const rs_addr *addr) {
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(addr->port),
        .sin_addr = {.s_addr = htonl(addr->ip)},
    };
}

static bool epoll_set_int(rs_backend *backend, int fd, int level, int option, int value) {
    backend->counters.sockopt_calls++;
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* On a listener too: what it accepts inherits all three (tcp(7), socket(7)). */
static bool epoll_tune(rs_backend *backend, int fd) {
    const rs_tuning *tuning = &backend->tuning;

    return (!tuning->nodelay || epoll_set_int(backend, fd, IPPROTO_TCP, TCP_NODELAY, 1)) &&
           (tuning->sndbuf_bytes < 0 ||
            epoll_set_int(backend, fd, SOL_SOCKET, SO_SNDBUF, tuning->sndbuf_bytes)) &&
           (tuning->rcvbuf_bytes < 0 ||
            epoll_set_int(backend, fd, SOL_SOCKET, SO_RCVBUF, tuning->rcvbuf_bytes));
}

static int epoll_socket(rs_backend *backend) {
    int fd;

    backend->counters.socket_calls++;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !epoll_tune(backend, fd)) {
        int os_error = errno;

        epoll_descriptor_close(backend, fd);
        errno = os_error;
        return -1;
    }
    return fd;
}

/* A new socket on its way to addr; 0 or the errno. The descriptor stays with the slot either way.
 */
static int epoll_connect_start(rs_backend *backend, uint32_t index, const rs_addr *addr) {
    const struct sockaddr_in name = epoll_sockaddr(addr);
    epoll_conn *conn = &backend->conns[index];

    conn->fd = epoll_socket(backend);
    if (conn->fd < 0) {
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

/* The outcome of CONNECT, then whatever was submitted behind it. */
static void epoll_connect_end(rs_backend *backend, uint32_t index, int os_error) {
    epoll_conn *conn = &backend->conns[index];
    rs_status status = rs_posix_status(os_error);

    RS_ASSERT(conn->state == EPOLL_CONNECTING);
    conn->state = EPOLL_OPEN;
    epoll_complete(backend, index, RS_OP_CONNECT, status, 0, conn->close_tag, 0);
    if (status == RS_OK) {
        conn->writable = true;
        return;
    }
    conn->broken = (uint8_t)status;
    epoll_sends_fail(backend, index, status, 0);
    if (conn->recv_waiting) {
        epoll_recv_complete(backend, index, status, 0, 0);
    }
    epoll_after_sends(backend, index);
}

/* ---- submit */

static rs_status epoll_check(const rs_backend *backend, const rs_op *op) {
    const epoll_conn *conn;

    if (op->conn >= backend->conns_max) {
        return RS_E_INVALID;
    }
    conn = &backend->conns[op->conn];
    if (op->kind == RS_OP_CONNECT) {
        return conn->state == EPOLL_FREE && op->u.addr != NULL ? RS_OK : RS_E_INVALID;
    }
    if (op->generation != conn->generation) {
        return RS_E_STALE;
    }
    if (conn->state == EPOLL_FLUSHING || conn->state == EPOLL_CLOSED) {
        bool escalates = op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;

        return escalates && !conn->escalated ? RS_OK : RS_E_CLOSED;
    }
    return conn->state == EPOLL_FREE ? RS_E_CLOSED : RS_OK;
}

static rs_status epoll_submit_connect(rs_backend *backend, const rs_op *op) {
    int os_error;

    epoll_bind_slot(backend, op->conn, op->generation, -1, EPOLL_CONNECTING);
    backend->conns[op->conn].close_tag = op->tag;
    os_error = epoll_connect_start(backend, op->conn, op->u.addr);
    if (os_error != 0) {
        epoll_connect_end(backend, op->conn, os_error);
    }
    return RS_OK;
}

static rs_status epoll_submit_recv(rs_backend *backend, const rs_op *op) {
    epoll_conn *conn = &backend->conns[op->conn];

    if (op->u.data == NULL || op->bytes == 0) {
        return RS_E_INVALID;
    }
    if (conn->recv_in_flight) {
        return RS_E_FULL;
    }
    conn->recv_in_flight = true;
    conn->recv_waiting = true;
    conn->recv_data = op->u.data;
    conn->recv_bytes = op->bytes;
    conn->recv_tag = op->tag;
    if (conn->fd < 0 && conn->state == EPOLL_OPEN) {
        epoll_recv_complete(backend, op->conn, (rs_status)conn->broken, 0, RS_CF_INLINE);
    } else if (conn->readable) {
        epoll_recv_try(backend, op->conn, RS_CF_INLINE);
    }
    return RS_OK;
}

/* Only queues; submit flushes once for a run of sends on one connection. */
static rs_status epoll_submit_send(rs_backend *backend, const rs_op *op) {
    epoll_conn *conn = &backend->conns[op->conn];

    if (op->u.data == NULL || op->bytes == 0 || conn->shutdown_in_flight) {
        return RS_E_INVALID; /* nothing can follow the end of our stream */
    }
    if (conn->sends_in_flight >= backend->sends_per_conn) {
        return RS_E_FULL;
    }
    RS_ASSERT(conn->send_count < backend->sends_per_conn);
    *epoll_send_at(backend, op->conn, conn->send_count) =
        (epoll_send){.data = op->u.data, .bytes = op->bytes, .tag = op->tag};
    conn->sends_in_flight++;
    conn->send_count++;
    return RS_OK;
}

static rs_status epoll_submit_shutdown(rs_backend *backend, const rs_op *op) {
    epoll_conn *conn = &backend->conns[op->conn];

    if (conn->shutdown_in_flight) {
        return RS_E_FULL;
    }
    conn->shutdown_in_flight = true;
    conn->shutdown_waiting = true;
    conn->shutdown_tag = op->tag;
    if (conn->state == EPOLL_OPEN) {
        epoll_after_sends(backend, op->conn);
    }
    return RS_OK;
}

static rs_status epoll_submit_close(rs_backend *backend, const rs_op *op) {
    epoll_conn *conn = &backend->conns[op->conn];
    bool abort_it = (op->flags & RS_OPF_ABORT) != 0;

    conn->escalated = abort_it;
    if (conn->state == EPOLL_CLOSED) {
        return RS_OK; /* an abort behind a close that is through: nothing is left to cancel */
    }
    if (conn->state == EPOLL_FLUSHING) {
        epoll_close_now(backend, op->conn, true);
        return RS_OK;
    }
    if (conn->state == EPOLL_CONNECTING) {
        epoll_connect_end(backend, op->conn, ECANCELED);
    }
    conn->close_tag = op->tag;
    if (conn->recv_waiting) {
        epoll_recv_complete(backend, op->conn, RS_E_ABORTED, 0, 0);
    }
    if (abort_it || conn->send_count == 0) {
        epoll_close_now(backend, op->conn, abort_it);
    } else {
        conn->state = EPOLL_FLUSHING;
    }
    return RS_OK;
}

static rs_status epoll_submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status = epoll_check(backend, op);

    if (status != RS_OK) {
        return status;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return epoll_submit_recv(backend, op);
    case RS_OP_SEND:
        return epoll_submit_send(backend, op);
    case RS_OP_CONNECT:
        return epoll_submit_connect(backend, op);
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
    epoll_conn *conn = &backend->conns[index];

    if (conn->fd < 0 && conn->state == EPOLL_OPEN) {
        epoll_sends_fail(backend, index, (rs_status)conn->broken, RS_CF_INLINE);
        return;
    }
    epoll_sends_flush(backend, index, RS_CF_INLINE);
}

static uint32_t epoll_submit(rs_backend *backend, const rs_op *ops, uint32_t count,
                             rs_status *why) {
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

/* ---- listening */

static rs_status epoll_listen_fail(rs_backend *backend, int fd, const char *call,
                                   const rs_addr *addr, rs_error *error) {
    int os_error = errno;
    rs_status status = rs_posix_status(os_error);

    if (fd >= 0) {
        epoll_descriptor_close(backend, fd);
    }
    if (status != RS_E_ADDRESS_IN_USE && status != RS_E_ADDRESS && status != RS_E_ACCESS) {
        status = RS_E_OS;
    }
    return rs_error_set(error, status, call, (uint32_t)os_error,
                        "cannot listen on %u.%u.%u.%u:%u: %s; choose another --host or --port",
                        addr->ip >> 24, (addr->ip >> 16) & 255u, (addr->ip >> 8) & 255u,
                        addr->ip & 255u, (unsigned)addr->port, strerror(os_error));
}

static rs_status epoll_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                              rs_error *error) {
    struct sockaddr_in name = epoll_sockaddr(addr);
    socklen_t name_bytes = sizeof(name);
    int fd;

    RS_ASSERT(backend->listen_fd < 0);
    fd = epoll_socket(backend);
    /* SO_REUSEADDR on Linux lets a restart pass over TIME_WAIT, never over a live listener. */
    if (fd < 0 || !epoll_set_int(backend, fd, SOL_SOCKET, SO_REUSEADDR, 1)) {
        return epoll_listen_fail(backend, fd, "socket", addr, error);
    }
    if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) != 0) {
        return epoll_listen_fail(backend, fd, "bind", addr, error);
    }
    if (listen(fd, (int)backend->tuning.backlog) != 0) {
        return epoll_listen_fail(backend, fd, "listen", addr, error);
    }
    if (getsockname(fd, (struct sockaddr *)&name, &name_bytes) != 0) {
        return epoll_listen_fail(backend, fd, "getsockname", addr, error);
    }
    /* Level-triggered: a burst beyond one poll's share simply shows again in the next. */
    if (!epoll_watch(backend, fd, EPOLL_DATA_LISTENER, EPOLLIN)) {
        return epoll_listen_fail(backend, fd, "epoll_ctl", addr, error);
    }
    backend->listen_fd = fd;
    *port_out = ntohs(name.sin_port);
    return RS_OK;
}

static void epoll_unlisten(rs_backend *backend) {
    if (backend->listen_fd < 0) {
        return;
    }
    epoll_descriptor_close(backend, backend->listen_fd);
    backend->listen_fd = -1;
    epoll_complete_accept(backend, RS_E_CLOSED, RS_SOCKET_NONE);
}

/* Out of descriptors: the reserve one is given up for a moment, so that the connection is refused
 * now instead of waiting in the backlog, where it would keep the listener ready for ever. */
static void epoll_accept_refuse(rs_backend *backend) {
    int fd;

    if (backend->reserve_fd >= 0) {
        epoll_descriptor_close(backend, backend->reserve_fd);
    }
    backend->counters.accept_calls++;
    fd = accept4(backend->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        epoll_descriptor_close(backend, fd);
    }
    backend->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* tried again next time */
}

/* What a failed accept4 means: false = no more for now. */
static bool epoll_accept_failed(rs_backend *backend, int os_error) {
    switch (os_error) {
    case EAGAIN:
        return false;
    case EINTR:
        return true;
    case EMFILE:
    case ENFILE:
        epoll_accept_refuse(backend);
        epoll_complete_accept(backend, RS_E_NO_BUFFERS, RS_SOCKET_NONE);
        return false;
    case ENOBUFS:
    case ENOMEM:
        epoll_complete_accept(backend, RS_E_NO_BUFFERS, RS_SOCKET_NONE);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP: /* the listener itself: no connection will come any more */
        (void)epoll_ctl(backend->epoll_fd, EPOLL_CTL_DEL, backend->listen_fd, NULL);
        epoll_complete_accept(backend, RS_E_LISTENER, RS_SOCKET_NONE);
        return false;
    default: /* network errors of the one connection: accept(2), "Error handling" */
        epoll_complete_accept(backend, rs_posix_status(os_error), RS_SOCKET_NONE);
        return true;
    }
}

static void epoll_accept_batch(rs_backend *backend) {
    bool more = true;

    /* One place stays free for the last completion, after unlisten. */
    while (more && backend->accepts_ready < backend->tuning.accepts) {
        int fd;

        backend->counters.accept_calls++;
        fd = accept4(backend->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            epoll_complete_accept(backend, RS_OK, (uintptr_t)fd);
        } else {
            more = epoll_accept_failed(backend, errno);
        }
    }
}

/* ---- poll */

static int epoll_take_error(rs_backend *backend, int fd) {
    int os_error = 0;
    socklen_t bytes = sizeof(os_error);

    backend->counters.sockopt_calls++;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os_error, &bytes) != 0) {
        return errno;
    }
    return os_error;
}

static void epoll_conn_event(rs_backend *backend, uint32_t index, uint32_t events) {
    const uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    epoll_conn *conn = &backend->conns[index];

    if (conn->state == EPOLL_CONNECTING) {
        epoll_connect_end(backend, index, epoll_take_error(backend, conn->fd));
    }
    if ((events & (EPOLLIN | end)) != 0) {
        conn->readable = true;
        conn->ended = conn->ended || (events & end) != 0;
        if (conn->recv_waiting) {
            epoll_recv_try(backend, index, 0);
        }
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        conn->writable = true;
        if (conn->send_count > 0 || conn->state == EPOLL_FLUSHING) {
            epoll_sends_flush(backend, index, 0);
            epoll_after_sends(backend, index);
        }
    }
}

static void epoll_event_dispatch(rs_backend *backend, const struct epoll_event *event) {
    uint64_t data = event->data.u64;
    uint32_t index = (uint32_t)data;

    if (data == EPOLL_DATA_LISTENER) {
        if (backend->listen_fd >= 0) {
            epoll_accept_batch(backend);
        }
        return;
    }
    if (data == EPOLL_DATA_WAKE) {
        /* An exchange, so that what a waker wrote before its own exchange is seen after poll. The
         * eventfd is edge-triggered and never read: each write is an edge. */
        (void)rs_atomic_exchange_u32(&backend->wake_pending, 0);
        backend->counters.wakes++;
        return;
    }
    RS_ASSERT(index < backend->conns_max);
    if (backend->conns[index].fd < 0 ||
        backend->conns[index].generation != (uint32_t)(data >> 32)) {
        backend->counters.stale_events++;
        return;
    }
    epoll_conn_event(backend, index, event->events);
}

static int epoll_wait_call(rs_backend *backend, int64_t timeout_ns) {
    int batch = (int)backend->tuning.dequeue_batch;

    backend->counters.epoll_wait_calls++;
    if (timeout_ns == RS_FOREVER) {
        return epoll_wait(backend->epoll_fd, backend->events, batch, -1);
    }
    if (timeout_ns > 0 && backend->has_pwait2) {
        const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / EPOLL_NS_PER_S),
                                         .tv_nsec = (long)(timeout_ns % EPOLL_NS_PER_S)};
        int count = epoll_pwait2(backend->epoll_fd, backend->events, batch, &timeout, NULL);

        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        backend->has_pwait2 = false; /* before Linux 5.11, or a filter that does not know it */
    }
    int64_t timeout_ms = (timeout_ns + EPOLL_NS_PER_MS - 1) / EPOLL_NS_PER_MS;
    return epoll_wait(backend->epoll_fd, backend->events, batch,
                      (int)(timeout_ms < EPOLL_WAIT_MS_MAX ? timeout_ms : EPOLL_WAIT_MS_MAX));
}

/* Asks the kernel once, and turns what it says into completions. */
static void epoll_gather(rs_backend *backend, int64_t timeout_ns) {
    int count = epoll_wait_call(backend, timeout_ns);

    backend->polls_without_wait = 0;
    if (count < 0) {
        if (errno != EINTR) {
            RS_FATAL("epoll_wait", errno, "the wait for events failed");
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        epoll_event_dispatch(backend, &backend->events[i]);
    }
}

/* What is ready is handed out first, without a system call; but every few polls the kernel is
 * asked all the same, or connections that never run dry would starve the others. */
static uint32_t epoll_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                           int64_t timeout_ns) {
    bool idle = backend->ready.count == 0;
    uint32_t count;

    RS_ASSERT(cap > 0 && cap <= backend->poll_max);
    RS_ASSERT(timeout_ns >= 0);
    if (idle || ++backend->polls_without_wait >= EPOLL_POLLS_WITHOUT_WAIT) {
        epoll_gather(backend, idle ? timeout_ns : 0);
    }
    count = rs_ready_pop(&backend->ready, out, cap);
    for (uint32_t i = 0; i < count; i++) {
        epoll_retire(backend, &out[i]);
    }
    return count;
}

static void epoll_wake(rs_backend *backend) {
    const uint64_t one = 1;

    if (rs_atomic_exchange_u32(&backend->wake_pending, 1) != 0) {
        return; /* an earlier wake has not been seen yet: one poll answers both */
    }
    (void)rs_atomic_add_u32(&backend->wake_writes, 1);
    if (write(backend->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one)) {
        RS_FATAL("write(eventfd)", errno, "cannot wake the shard");
    }
}

/* ---- memory: nothing to register, so only the bookkeeping of the contract */

static rs_status epoll_register_memory(rs_backend *backend, void *base, size_t bytes,
                                       rs_region_id *out, rs_error *error) {
    RS_ASSERT(base != NULL && bytes > 0);
    for (uint16_t i = 0; i < RS_REGIONS_MAX; i++) {
        if ((backend->regions >> i & 1u) == 0) {
            backend->regions |= UINT64_C(1) << i;
            out->value = i;
            return RS_OK;
        }
    }
    return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0,
                        "all %u memory regions are taken", RS_REGIONS_MAX);
}

static void epoll_release_memory(rs_backend *backend, rs_region_id region) {
    RS_ASSERT(region.value < RS_REGIONS_MAX);
    RS_ASSERT((backend->regions >> region.value & 1u) != 0);
    backend->regions &= ~(UINT64_C(1) << region.value);
}

/* ---- statistics */

static void epoll_stats(const rs_backend *backend, rs_backend_stats *out) {
    const epoll_counters *counters = &backend->counters;
    const rs_backend_stat stats[] = {
        {"eventfd write", rs_atomic_load_u32(&backend->wake_writes), true},
#define X(member, name, is_call) {name, counters->member, is_call},
        EPOLL_STATS(X)
#undef X
    };

    _Static_assert(sizeof(stats) / sizeof(stats[0]) <= RS_BACKEND_STATS_MAX, "they fit the record");
    memset(out, 0, sizeof(*out));
    out->count = (uint32_t)(sizeof(stats) / sizeof(stats[0]));
    memcpy(out->stat, stats, sizeof(stats));
    out->provider = "linux";
}

/* ---- open and close */

static void epoll_close(rs_backend *backend) {
    if (backend == NULL) {
        return;
    }
    RS_ASSERT(backend->listen_fd < 0);
    RS_ASSERT(backend->ready.count == 0);
    for (uint32_t i = 0; backend->conns != NULL && i < backend->conns_max; i++) {
        RS_ASSERT(backend->conns[i].state == EPOLL_FREE);
    }
    const int files[] = {backend->reserve_fd, backend->wake_fd, backend->epoll_fd};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i] >= 0) {
            (void)close(files[i]); /* nothing of ours can be lost in them */
        }
    }
    free(backend->discard);
    free(backend->events);
    free(backend->records);
    free(backend->sends);
    free(backend->conns);
    free(backend);
}

static rs_status epoll_check_config(const rs_backend_config *cfg, rs_error *error) {
    const rs_tuning *tuning = &cfg->tuning;

    if (cfg->conns_max == 0 || cfg->conns_max > RS_SESSIONS_MAX || cfg->sends_per_conn == 0 ||
        cfg->sends_per_conn > RS_SENDS_IN_FLIGHT_MAX || cfg->poll_max == 0 ||
        cfg->poll_max > RS_COMPLETIONS_PER_POLL_MAX) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "%u connections, %u sends each, %u completions a poll: at most %u, %u, "
                            "%u, and none of them 0",
                            cfg->conns_max, cfg->sends_per_conn, cfg->poll_max, RS_SESSIONS_MAX,
                            RS_SENDS_IN_FLIGHT_MAX, RS_COMPLETIONS_PER_POLL_MAX);
    }
    if (tuning->dequeue_batch == 0 || tuning->dequeue_batch > RS_COMPLETIONS_PER_POLL_MAX ||
        tuning->accepts == 0 || tuning->accepts > RS_ACCEPTS_MAX || tuning->backlog == 0 ||
        tuning->backlog > 65535u) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "dequeue batch %u, accepts %u, backlog %u: at most %u, %u, 65535, and "
                            "none of them 0",
                            tuning->dequeue_batch, tuning->accepts, tuning->backlog,
                            RS_COMPLETIONS_PER_POLL_MAX, RS_ACCEPTS_MAX);
    }
    if (tuning->accept_mode != RS_ACCEPT_OVERLAPPED) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "open", 0,
                            "the epoll back end has no accept thread; it accepts in its own loop");
    }
    return RS_OK;
}

/* Each connection is one descriptor; the limit is raised as far as the system lets us. */
static rs_status epoll_reserve_files(uint32_t conns_max, rs_error *error) {
    rlim_t needed = (rlim_t)conns_max + EPOLL_SPARE_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return rs_error_set(error, RS_E_OS, "getrlimit", (uint32_t)errno,
                            "cannot read the limit of open files");
    }
    if (limit.rlim_cur >= needed) {
        return RS_OK;
    }
    if (limit.rlim_max >= needed) {
        limit.rlim_cur = limit.rlim_max; /* other shards of the process will need theirs */
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
            return RS_OK;
        }
    }
    return rs_error_set(error, RS_E_NO_BUFFERS, "setrlimit", 0,
                        "%u connections need %llu open files and the limit is %llu: raise it "
                        "(ulimit -n) or lower --max-sessions",
                        conns_max, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
}

static rs_status epoll_allocate(rs_backend *backend, rs_error *error) {
    size_t conns = backend->conns_max;
    /* Everything that can be in flight, and the last completion of the listener. */
    size_t records =
        conns * (EPOLL_OTHER_OPS + backend->sends_per_conn) + backend->tuning.accepts + 1u;

    backend->conns = calloc(conns, sizeof(*backend->conns));
    backend->sends = calloc(conns * backend->sends_per_conn, sizeof(*backend->sends));
    backend->records = calloc(records, sizeof(*backend->records));
    backend->events = calloc(backend->tuning.dequeue_batch, sizeof(*backend->events));
    backend->discard = malloc(EPOLL_DISCARD_BYTES);
    if (backend->conns == NULL || backend->sends == NULL || backend->records == NULL ||
        backend->events == NULL || backend->discard == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "no memory for %u connections: lower --max-sessions",
                            backend->conns_max);
    }
    for (size_t i = 0; i < conns; i++) {
        backend->conns[i].fd = -1;
    }
    rs_ready_init(&backend->ready, backend->records, (uint32_t)records);
    return RS_OK;
}

static rs_status epoll_open_files(rs_backend *backend, rs_error *error) {
    backend->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (backend->epoll_fd < 0) {
        return rs_error_set(error, RS_E_OS, "epoll_create1", (uint32_t)errno,
                            "cannot make an epoll instance: %s", strerror(errno));
    }
    backend->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    backend->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (backend->wake_fd < 0 || backend->reserve_fd < 0 ||
        !epoll_watch(backend, backend->wake_fd, EPOLL_DATA_WAKE, EPOLLIN | EPOLLET)) {
        return rs_error_set(error, RS_E_OS, "eventfd", (uint32_t)errno,
                            "cannot set up the wake-up: %s", strerror(errno));
    }
    return RS_OK;
}

static rs_status epoll_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_backend *backend;
    rs_status status;

    *out = NULL;
    status = epoll_check_config(cfg, error);
    if (status == RS_OK) {
        status = epoll_reserve_files(cfg->conns_max, error);
    }
    if (status != RS_OK) {
        return status;
    }
    backend = calloc(1, sizeof(*backend));
    if (backend == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "no memory for a back end");
    }
    backend->epoll_fd = backend->wake_fd = backend->listen_fd = backend->reserve_fd = -1;
    backend->conns_max = cfg->conns_max;
    backend->sends_per_conn = cfg->sends_per_conn;
    backend->poll_max = cfg->poll_max;
    backend->tuning = cfg->tuning;
    backend->has_pwait2 = true;
    status = epoll_allocate(backend, error);
    if (status == RS_OK) {
        status = epoll_open_files(backend, error);
    }
    if (status != RS_OK) {
        epoll_close(backend);
        return status;
    }
    *out = backend;
    return RS_OK;
}

const rs_backend_api rs_epoll_backend = {
    .name = "epoll",
    .settings = RS_SET_SNDBUF | RS_SET_RCVBUF | RS_SET_NODELAY | RS_SET_DEQUEUE_BATCH |
                RS_SET_ACCEPTS | RS_SET_BACKLOG,
    .open = epoll_open,
    .close = epoll_close,
    .listen = epoll_listen,
    .unlisten = epoll_unlisten,
    .attach = epoll_attach,
    .discard = epoll_discard,
    .submit = epoll_submit,
    .poll = epoll_poll,
    .wake = epoll_wake,
    .register_memory = epoll_register_memory,
    .release_memory = epoll_release_memory,
    .stats = epoll_stats,
};
