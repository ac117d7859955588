/* One instance of the epoll back end, as its files share it; nobody else includes this.
 *
 * Readiness turned into completions. One instance, one thread; only wake comes from others.
 *
 * A connection is watched once, for both directions and edge-triggered, and never again: what an
 * edge said is remembered in `readable` and `writable` until a call shows that it is used up (a
 * short read, a short write: epoll(7), questions and answers, 9). So a message costs one recv, one
 * send and its share of one epoll_wait.
 *
 * Results wait in a ready ring. What is in it still counts as in flight, which bounds it:
 * per connection CONNECT + RECV + SHUTDOWN + CLOSE + its SENDs, and the ACCEPTs of one poll. */
#ifndef RS_EPOLL_EPOLL_INSTANCE_H
#define RS_EPOLL_EPOLL_INSTANCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/conn_ops.h"
#include "seam/ready_ring.h"
#include "seam/region_set.h"
#include "seam/retry.h"

#define RS_EPOLL_DISCARD_BYTES 65536u /* of rs_backend.discard */

/* Values of epoll_event.data that are no {generation, connection}: no slot has these indices. */
#define RS_EPOLL_DATA_WAKE UINT64_MAX
#define RS_EPOLL_DATA_LISTENER (UINT64_MAX - 1u)

/* X(member, name, enters the kernel) */
#define RS_EPOLL_STATS(X)                                                                          \
    X(recv_calls, "recv", true)                                                                    \
    X(send_calls, "send", true)                                                                    \
    X(sendmsg_calls, "sendmsg", true)                                                              \
    X(epoll_wait_calls, "epoll_wait", true)                                                        \
    X(epoll_pwait2_calls, "epoll_pwait2", true)                                                    \
    X(epoll_ctl_calls, "epoll_ctl", true)                                                          \
    X(accept_calls, "accept4", true)                                                               \
    X(socket_calls, "socket", true)                                                                \
    X(bind_calls, "bind", true)                                                                    \
    X(connect_calls, "connect", true)                                                              \
    X(setsockopt_calls, "setsockopt", true)                                                        \
    X(getsockopt_calls, "getsockopt", true)                                                        \
    X(shutdown_calls, "shutdown", true)                                                            \
    X(close_calls, "close", true)                                                                  \
    X(wakes, "wake-ups", false)                                                                    \
    X(inline_completions, "inline completions", false)                                             \
    X(stale_events, "stale events", false)

typedef struct rs_epoll_counters {
#define X(member, name, is_call) uint64_t member;
    RS_EPOLL_STATS(X)
#undef X
} rs_epoll_counters;

typedef struct rs_epoll_send {
    const uint8_t *data;
    uint32_t bytes;
    uint32_t done;
    uint64_t tag;
} rs_epoll_send;

typedef struct rs_epoll_conn {
    int fd;                    /* -1: none (free, closed, or its CONNECT failed) */
    rs_conn_ops ops;           /* CLOSING: a plain CLOSE waits for the SENDs before it */
    bool readable : 1;         /* a recv may have something to say */
    bool writable : 1;         /* a send may take something */
    bool ended : 1;            /* an end or an error was signalled: a short read proves nothing */
    bool recv_waiting : 1;     /* a RECV waits for readable; then readable is clear */
    bool shutdown_waiting : 1; /* behind the sends */
    bool end_read : 1;         /* recv returned 0: nothing is left to discard */
    uint8_t send_head, send_count; /* ring of those not yet with the kernel */
    uint8_t broken; /* rs_status that every further op completes with; RS_OK = none */
    uint32_t recv_bytes;
    uint8_t *recv_data;
    uint64_t recv_tag;
    uint64_t shutdown_tag;
    uint64_t close_tag; /* of CONNECT until that completed */
} rs_epoll_conn;

struct rs_backend {
    int epoll_fd, wake_fd, listen_fd, reserve_fd;
    uint32_t conns_max, sends_per_conn, poll_max;
    uint32_t accepts_ready; /* ACCEPT records in the ready ring */
    uint32_t polls_without_wait;
    bool has_pwait2;
    bool accept_paused; /* the listener is not watched: nothing could be accepted */
    rs_retry accept_retry;
    rs_tuning tuning;
    rs_ready_ring ready;
    rs_epoll_conn *conns;       /* [conns_max] */
    rs_epoll_send *sends;       /* [conns_max][sends_per_conn] */
    rs_completion *records;     /* the ready ring's */
    struct epoll_event *events; /* [tuning.dequeue_batch] */
    uint8_t *discard;           /* [RS_EPOLL_DISCARD_BYTES], written and never read */
    rs_region_set regions;
    rs_epoll_counters counters;
    rs_atomic_u32 wake_pending;
    rs_atomic_u32 wake_writes;
};

/* ---- epoll_request.c */

/* rs_epoll_complete: one more record for poll to hand out. */
void rs_epoll_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
                       uint32_t bytes, uint64_t tag, uint8_t flags);

/* rs_epoll_recv_complete: the RECV that waits is over. */
void rs_epoll_recv_complete(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes,
                            uint8_t flags);

/* rs_epoll_recv_try: one recv for the RECV that waits; readiness is known. */
void rs_epoll_recv_try(rs_backend *backend, uint32_t index, uint8_t flags);

/* rs_epoll_sends_flush: sends what is queued, as far as the socket takes it. The rest waits for
 * EPOLLOUT. */
void rs_epoll_sends_flush(rs_backend *backend, uint32_t index, uint8_t flags);

/* rs_epoll_sends_fail: ends what is queued. */
void rs_epoll_sends_fail(rs_backend *backend, uint32_t index, rs_status status, uint8_t flags);

uint32_t rs_epoll_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);

/* ---- epoll_socket.c */

rs_status rs_epoll_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                          uintptr_t socket);
void rs_epoll_discard(rs_backend *backend, uintptr_t socket);

/* rs_epoll_connect: a CONNECT that was taken; a failure at once is its completion. */
void rs_epoll_connect(rs_backend *backend, const rs_op *op);

/* rs_epoll_connect_end: the outcome of CONNECT, then whatever was submitted behind it. */
void rs_epoll_connect_end(rs_backend *backend, uint32_t index, int os_error);

/* rs_epoll_after_sends: after each step that may have emptied the send queue: whatever waited for
 * that. */
void rs_epoll_after_sends(rs_backend *backend, uint32_t index);

/* rs_epoll_close_now: cancels what is left, gives the descriptor back and completes the CLOSE. */
void rs_epoll_close_now(rs_backend *backend, uint32_t index, bool abort_it);

void rs_epoll_descriptor_close(rs_backend *backend, int fd);

/* rs_epoll_watch: adds fd to the epoll set; false with errno set. */
bool rs_epoll_watch(rs_backend *backend, int fd, uint64_t data, uint32_t events);

/* rs_epoll_socket: a non-blocking TCP socket, tuned; -1 with errno set. */
int rs_epoll_socket(rs_backend *backend);

bool rs_epoll_set_int(rs_backend *backend, int fd, int level, int option, int value);
struct sockaddr_in rs_epoll_sockaddr(const rs_addr *addr);

/* ---- epoll_accept.c */

rs_status rs_epoll_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                          rs_error *error);
void rs_epoll_unlisten(rs_backend *backend);

/* rs_epoll_accept_batch: accepts what has come, as far as there is room for it. */
void rs_epoll_accept_batch(rs_backend *backend);

/* rs_epoll_accept_resume: watches the listener again when the wait after a failure is over. Returns
 * how long poll may wait at most; timeout_ns when no accept waits. */
int64_t rs_epoll_accept_resume(rs_backend *backend, int64_t timeout_ns);

/* ---- epoll_poll.c */

uint32_t rs_epoll_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);
void rs_epoll_wake(rs_backend *backend);

#endif
