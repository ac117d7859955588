/* SPDX-License-Identifier: MIT */
/* One instance of the IOCP back end, as its files share it; not included elsewhere.
 *
 * Completions from a port, one instance, one thread; only wake is called from others.
 *
 * Receives are posted late, at the next poll, after all sends of the batch: by then a fast peer has
 * answered, so that the receive completes inline without a packet or a second wake-up. A single
 * connection loses nothing, because poll posts before it waits.
 *
 * Closing: a plain CLOSE waits for the sends in the kernel, ends our stream, cancels the receives
 * and waits for their packets, closes the socket, and completes. On Windows closesocket with a
 * receive pending has been seen to reset the connection, so that the peer loses unread data. An
 * abort closes at once and completes when every request of the connection has returned. */
#ifndef RS_IOCP_IOCP_INSTANCE_H
#define RS_IOCP_IOCP_INSTANCE_H

#include "win/win.h"

#include "iocp/iocp_settings.h"
#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/conn_engine.h"
#include "seam/region_set.h"
#include "seam/wake_word.h"
#include "win/win_accept.h"
#include "win/win_alarm.h"
#include "win/win_socket.h"

/* Completion keys. */
enum { RS_IOCP_KEY_CONN = 1, RS_IOCP_KEY_ACCEPT = 2, RS_IOCP_KEY_WAKE = 3, RS_IOCP_KEY_ALARM = 4 };

typedef enum rs_iocp_kind {
    RS_IOCP_RECV,
    RS_IOCP_PROBE, /* the zero-byte WSARecv that waits for data */
    RS_IOCP_CONNECT,
    RS_IOCP_SEND
} rs_iocp_kind;

/* The kernel's part of one engine record; the first receive's also serves ConnectEx, never both at
 * once. */
typedef struct rs_iocp_request {
    OVERLAPPED overlapped; /* first: the packet brings its address */
    uint32_t conn;
    uint8_t kind; /* rs_iocp_kind */
} rs_iocp_request;

/* The Windows part of a connection; the engine has its state. */
typedef struct rs_iocp_conn {
    SOCKET socket;      /* INVALID_SOCKET: none (free, closed, or could not be created) */
    bool recv_listed;   /* has an entry in recv_list */
    bool shutdown_done; /* our stream has ended */
    bool end_read;      /* the peer's stream ended, nothing is left to discard */
} rs_iocp_conn;

struct rs_backend {
    HANDLE port;
    uint32_t poll_max;
    rs_tuning tuning;
    rs_iocp_settings own;
    bool skip;              /* skip on success: asked for, and the provider allows it */
    bool port_reuse_failed; /* SO_REUSE_UNICASTPORT is not supported here: do not retry */
    bool started;           /* WSAStartup */
    bool on_wine;
    bool prepares; /* sockets are associated before they are accepted */
    rs_win_inherit inherit;
    uint32_t inline_since;           /* inline completions since the last look at the port */
    rs_win_extensions extensions[2]; /* by rs_family */
    rs_win_accept *accept;
    rs_win_alarm *alarm; /* NULL: poll's timeouts end at a clock tick */
    rs_engine engine;
    void *engine_memory;
    rs_iocp_conn *conns;       /* [conns_max] */
    rs_iocp_request *requests; /* one per engine record; a gather uses that of its first SEND */
    uint32_t *recv_list;       /* [conns_max]: ring of connections with a receive to post */
    uint32_t recv_head, recv_count;
    OVERLAPPED_ENTRY *entries; /* [tuning.dequeue_batch] */
    uint8_t *discard;          /* [RS_WIN_DISCARD_BYTES], written, never read */
    rs_region_set regions;
    rs_win_calls calls;
    uint64_t packets, wakes, alarms, sends_joined;
    rs_wake_word wake;
    rs_atomic_u32 wake_posts;
};

/* ---- iocp_driver.c */

rs_status rs_iocp_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                         uintptr_t socket);
rs_addr rs_iocp_local(rs_backend *backend, uint32_t index);
void rs_iocp_discard_socket(rs_backend *backend, uintptr_t socket);
uint32_t rs_iocp_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);

/* rs_iocp_adopt: associates a socket with the port, arg is the back end. Returns 0 or the Windows
 * error; the socket stays open. */
uint32_t rs_iocp_adopt(void *arg, SOCKET socket);

/* rs_iocp_recv_flush: posts what submit accepted, within the bounds of one poll. */
void rs_iocp_recv_flush(rs_backend *backend);

/* rs_iocp_conn_packet: a request of a connection has completed. */
void rs_iocp_conn_packet(rs_backend *backend, OVERLAPPED *overlapped, uint32_t bytes);

/* ---- iocp_poll.c */

uint32_t rs_iocp_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);
void rs_iocp_wake(rs_backend *backend);

#endif
