/* SPDX-License-Identifier: MIT */
/* One instance of the RIO back end, as its files share it; not included elsewhere. */
#ifndef RS_RIO_RIO_INSTANCE_H
#define RS_RIO_RIO_INSTANCE_H

#include "rio/rio_api.h"
#include "rio/rio_ledger.h"
#include "rio/rio_settings.h"
#include "rio/rio_wait.h"
#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/conn_engine.h"
#include "seam/wake_word.h"
#include "win/win_accept.h"
#include "win/win_socket.h"

_Static_assert(sizeof(PVOID) == 8, "a context of 64 bits goes through PVOID: x64 and ARM64 only");

/* Completion keys of the port. */
enum { RS_RIO_KEY_NOTIFY = 1, RS_RIO_KEY_ACCEPT = 2, RS_RIO_KEY_CONNECT = 3, RS_RIO_KEY_WAKE = 4 };

/* X(member, name, enters the kernel). Deferred requests do not, their commit does; a request that
 * is not deferred may. RIODequeueCompletion reads memory. */
#define RS_RIO_STATS(X)                                                                            \
    X(receives, "RIOReceive", !backend->own.defer)                                                 \
    X(sends, "RIOSend", !backend->own.defer)                                                       \
    X(recv_commits, "RIOReceive commit", true)                                                     \
    X(send_commits, "RIOSend commit", true)                                                        \
    X(dequeues, "RIODequeueCompletion", false)                                                     \
    X(notifies, "RIONotify", true)                                                                 \
    X(request_queues, "RIOCreateRequestQueue", true)                                               \
    X(registrations, "RIORegisterBuffer", true)                                                    \
    X(event_waits, "WaitForMultipleObjects", true)                                                 \
    X(provider_waits, "ringside_rio_wait", true)                                                   \
    X(queues_refused, "request queues refused", false)                                             \
    X(notifications, "RIO notifications", false)                                                   \
    X(wakes, "wake-ups", false)

typedef struct rs_rio_counters {
#define X(member, name, is_call) uint64_t member;
    RS_RIO_STATS(X)
#undef X
} rs_rio_counters;

/* The Windows part of a connection; the engine has its state. */
typedef struct rs_rio_socket {
    OVERLAPPED connect; /* ConnectEx: its packet has this address */
    SOCKET socket;      /* INVALID_SOCKET: none */
    RIO_RQ rq;          /* closed with the socket; RIO_INVALID_RQ: none */
    bool end_read;      /* the peer's stream ended */
} rs_rio_socket;

/* One request's descriptor, unchanged while the request is in flight: read literally, RIOSend's
 * page requires that of the RIO_BUF too, not only of the bytes. */
typedef struct rs_rio_slot {
    RIO_BUF buf;
    RIO_BUFFERID own; /* --rio-registration request; else RIO_INVALID_BUFFERID */
} rs_rio_slot;

typedef struct rs_rio_region {
    uint8_t *base; /* NULL: free */
    uint32_t bytes;
    rs_region_cut cut;
    uint32_t id_count;
    RIO_BUFFERID *ids; /* [id_count]: its own, or one a piece; NULL with one a request */
} rs_rio_region;

struct rs_backend {
    rs_rio_api api;
    rs_engine engine;
    rs_rio_ledger ledger;
    rs_rio_waiter waiter;
    rs_tuning tuning;
    rs_rio_settings own;
    uint32_t poll_max;
    bool started;           /* WSAStartup */
    bool verified;          /* the table is the checking one */
    bool port_reuse_failed; /* SO_REUSE_UNICASTPORT is not supported here: do not retry */
    HANDLE port;
    HANDLE notify_event; /* --rio-notify-by event: RIONotify sets it */
    HANDLE port_event;   /* ... and this one signals the port: see rio_poll.c */
    bool port_dirty;     /* ... which may have packets that the event no longer signals */
    RIO_CQ cq;
    OVERLAPPED notify_overlapped;    /* RIO's alone, for the life of the queue */
    rs_win_extensions extensions[2]; /* by rs_family */
    rs_win_inherit inherit;
    bool served; /* accepted sockets have the provider of api */
    rs_win_accept *accept;
    rs_rio_region regions[RS_REGIONS_MAX];
    rs_win_calls calls;
    rs_rio_counters counters;
    rs_wake_word wake;
    rs_atomic_u32 wake_posts;
    /* memory, all of it from open */
    void *engine_memory;
    uint32_t *stamps, *touched; /* the ledger's, like the next */
    uint8_t *dirs;
    rs_rio_socket *sockets;    /* [conns_max] */
    rs_rio_slot *slots;        /* one a request record */
    RIORESULT *results;        /* [tuning.dequeue_batch] */
    OVERLAPPED_ENTRY *entries; /* [tuning.dequeue_batch] */
    uint8_t *discard;          /* [RS_WIN_DISCARD_BYTES], written, never read */
};

/* ---- rio_driver.c */

uint32_t rs_rio_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);
rs_status rs_rio_attach(rs_backend *backend, uint32_t conn, uint32_t generation, uintptr_t socket);
rs_addr rs_rio_local(rs_backend *backend, uint32_t conn);
void rs_rio_discard_socket(rs_backend *backend, uintptr_t socket);
void rs_rio_connect_packet(rs_backend *backend, OVERLAPPED *overlapped);

/* rs_rio_run: carries out the engine's next actions for a connection. */
void rs_rio_run(rs_backend *backend, uint32_t conn);

/* rs_rio_commit_all: one commit per touched queue and direction. */
void rs_rio_commit_all(rs_backend *backend);

/* rs_rio_request_over: RIO no longer uses the request's descriptor. */
void rs_rio_request_over(rs_backend *backend, uint32_t req);

/* rs_rio_region_end: deregisters a region. */
void rs_rio_region_end(rs_backend *backend, uint16_t region);

/* ---- rio_poll.c */

uint32_t rs_rio_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);
void rs_rio_wake(rs_backend *backend);

#endif
