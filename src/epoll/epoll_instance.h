/* SPDX-License-Identifier: MIT */
/* One instance of the epoll back end, as its files share it; not included elsewhere.
 *
 * Readiness turned into completions. One instance, one thread; only wake is called from others.
 *
 * A connection is registered once, for both directions and edge-triggered: `may` keeps the
 * readiness of an edge until a call exhausts it (a short read, a short write: epoll(7), questions
 * and answers, 9). So a message costs one recv, one send and its share of one epoll_wait. The
 * kernel never keeps a request: what it does not accept stays held in the engine. */
#ifndef RS_EPOLL_EPOLL_INSTANCE_H
#define RS_EPOLL_EPOLL_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/conn_engine.h"
#include "seam/region_set.h"
#include "seam/retry.h"

#define RS_EPOLL_DISCARD_BYTES 65536u /* of rs_backend.discard */

/* Values of epoll_event.data that are not {generation, connection}: no slot has these indices. */
#define RS_EPOLL_DATA_WAKE UINT64_MAX
#define RS_EPOLL_DATA_LISTENER (UINT64_MAX - RS_LISTENERS_MAX) /* and the next ones */

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
    X(getsockname_calls, "getsockname", true)                                                      \
    X(shutdown_calls, "shutdown", true)                                                            \
    X(close_calls, "close", true)                                                                  \
    X(wakes, "wake-ups", false)                                                                    \
    X(stale_events, "stale events", false)

typedef struct rs_epoll_counters {
#define X(member, name, is_call) uint64_t member;
    RS_EPOLL_STATS(X)
#undef X
} rs_epoll_counters;

/* The Linux part of a connection; the engine has its state. */
typedef struct rs_epoll_conn {
    int fd;        /* -1: none (free, closed, or its CONNECT failed) */
    uint8_t may;   /* RS_ENGINE_RECV, _SEND: directions that the socket is ready for */
    uint8_t error; /* rs_status of the first failed call; RS_OK = none */
    bool ended;    /* an end or an error was signalled: a short read does not mean empty */
    bool end_read; /* recv returned 0: nothing is left to discard */
} rs_epoll_conn;

typedef struct rs_epoll_listener {
    int fd;
    rs_addr addr; /* as bound */
} rs_epoll_listener;

struct rs_backend {
    int epoll_fd, wake_fd, reserve_fd;
    rs_epoll_listener listeners[RS_LISTENERS_MAX];
    uint32_t listener_count;
    uint32_t poll_max;
    uint32_t polls_without_wait;
    bool has_pwait2;
    bool accept_paused; /* no listener is watched: nothing could be accepted */
    rs_retry accept_retry;
    rs_tuning tuning;
    rs_engine engine;
    void *engine_memory;
    rs_epoll_conn *conns;       /* [conns_max] */
    struct epoll_event *events; /* [tuning.dequeue_batch] */
    uint8_t *discard;           /* [RS_EPOLL_DISCARD_BYTES], written, never read */
    rs_region_set regions;
    rs_epoll_counters counters;
    rs_atomic_u32 wake_pending;
    rs_atomic_u32 wake_writes;
};

/* ---- epoll_driver.c */

uint32_t rs_epoll_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);
rs_status rs_epoll_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                          uintptr_t socket);
rs_addr rs_epoll_local(rs_backend *backend, uint32_t index);
void rs_epoll_discard(rs_backend *backend, uintptr_t socket);

/* rs_epoll_connect_end: the outcome of CONNECT. */
void rs_epoll_connect_end(rs_backend *backend, uint32_t index, int os_error);

/* rs_epoll_run: carries out the engine's next actions for a connection, as far as its socket is
 * ready. called: by submit, so that completions count as inline. */
void rs_epoll_run(rs_backend *backend, uint32_t index, bool called);

void rs_epoll_descriptor_close(rs_backend *backend, int fd);

/* rs_epoll_watch: adds fd to the epoll set; false with errno set. */
bool rs_epoll_watch(rs_backend *backend, int fd, uint64_t data, uint32_t events);

/* rs_epoll_socket: a non-blocking TCP socket of AF_INET or AF_INET6, tuned; -1 with errno set. */
/* rs_epoll_local_addr: of a descriptor; 0.0.0.0:0 if it has none. */
rs_addr rs_epoll_local_addr(rs_backend *backend, int fd);

int rs_epoll_socket(rs_backend *backend, int family);

bool rs_epoll_set_int(rs_backend *backend, int fd, int level, int option, int value);

/* ---- epoll_accept.c */

rs_status rs_epoll_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                          rs_error *error);
void rs_epoll_unlisten(rs_backend *backend);

/* rs_epoll_accept_batch: accepts connections that wait at a listener, by its index, as far as there
 * is room. */
void rs_epoll_accept_batch(rs_backend *backend, uint32_t index);

/* rs_epoll_accept_resume: watches the listeners again when the wait after a failure is over.
 * Returns the longest wait of poll; timeout_ns if no accept waits. */
int64_t rs_epoll_accept_resume(rs_backend *backend, int64_t timeout_ns);

/* ---- epoll_poll.c */

uint32_t rs_epoll_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);
void rs_epoll_wake(rs_backend *backend);

#endif
