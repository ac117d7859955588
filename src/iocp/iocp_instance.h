/* One instance of the IOCP back end, as its files share it; nobody else includes this.
 *
 * Completions from a port, one instance, one thread; only wake comes from others.
 *
 * Every result goes through a ready ring, whether a packet brought it or the call itself (skip on
 * success). What is in the ring still counts as in flight, which bounds it: per connection CONNECT,
 * RECV, SHUTDOWN, CLOSE and its SENDs, and the accepts of one visit to the port.
 *
 * Receives are posted late, at the next poll, after all the sends of the batch: by then a peer that
 * answers at once has answered, so that the receive ends inline and costs neither a packet nor a
 * second wake-up. A lone connection loses nothing by it, since poll posts before it waits.
 *
 * Closing: a plain CLOSE waits for the sends in the kernel (`flushing`), ends our stream, asks the
 * receive back and waits for its packet (`unposting`), closes the socket, and completes when every
 * request of the connection is back. closesocket with a receive pending is seen to reset the peer
 * on Windows, which then loses what it has not read. An abort closes at once. */
#ifndef RS_IOCP_IOCP_INSTANCE_H
#define RS_IOCP_IOCP_INSTANCE_H

#include "win/win.h"

#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/conn_ops.h"
#include "seam/ready_ring.h"
#include "seam/region_set.h"
#include "seam/send_window.h"
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

typedef struct rs_iocp_request {
    OVERLAPPED overlapped; /* first: the packet brings its address */
    uint32_t conn;
    uint8_t kind;         /* rs_iocp_kind */
    uint8_t first, count; /* SEND: which of the window */
    bool posted;          /* in the kernel: a packet will come */
} rs_iocp_request;

typedef struct rs_iocp_conn {
    SOCKET socket; /* INVALID_SOCKET: none (free, closed, or none could be made) */
    rs_conn_ops ops;
    uint8_t broken;        /* rs_status that every op completes with; RS_OK = none */
    uint8_t kernel_sends;  /* WSASend requests in the kernel */
    bool flushing;         /* CLOSING, and the sends before a plain CLOSE come first */
    bool unposting;        /* CLOSING, and the receive's packet comes before closesocket */
    bool recv_queued;      /* accepted, not yet posted */
    bool recv_listed;      /* has an entry in recv_list */
    bool shutdown_waiting; /* behind the sends */
    bool shutdown_done;    /* our stream has ended */
    bool end_read;         /* the peer's stream ended, nothing is left to discard */
    rs_send_window window;
    uint32_t recv_bytes;
    uint8_t *recv_data;
    uint64_t recv_tag;
    uint64_t shutdown_tag;
    uint64_t close_tag; /* of CONNECT until that completed */
    rs_iocp_request in; /* receives one way or another, and ConnectEx: never two at once */
} rs_iocp_conn;

struct rs_backend {
    HANDLE port;
    uint32_t conns_max, sends_per_conn, poll_max;
    rs_tuning tuning;
    bool skip;              /* skip on success: asked for, and the provider allows it */
    bool port_reuse_failed; /* SO_REUSE_UNICASTPORT is unknown here: not asked again */
    bool started;           /* WSAStartup */
    bool on_wine;
    uint32_t accepts_ready; /* ACCEPT records in the ready ring */
    uint32_t inline_since;  /* inline completions since the port was asked last */
    rs_win_extensions extensions;
    rs_win_accept *accept;
    rs_win_alarm *alarm; /* NULL: poll's time-outs end at the clock tick */
    rs_ready_ring ready;
    rs_completion *records;    /* the ready ring's */
    rs_iocp_conn *conns;       /* [conns_max] */
    rs_send_slot *send_slots;  /* [conns_max][sends_per_conn] */
    rs_iocp_request *send_ops; /* likewise; the request of a gather is that of its first SEND */
    uint32_t *recv_list;       /* [conns_max]: ring of connections with a receive to post */
    uint32_t recv_head, recv_count;
    OVERLAPPED_ENTRY *entries; /* [tuning.dequeue_batch] */
    uint8_t *discard;          /* [RS_WIN_DISCARD_BYTES], written and never read */
    rs_region_set regions;
    rs_win_calls calls;
    uint64_t inline_completions, packets, wakes, alarms, sends_joined;
    rs_wake_word wake;
    rs_atomic_u32 wake_posts;
};

/* ---- iocp_request.c */

/* rs_iocp_complete: one more record for poll to hand out. */
void rs_iocp_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
                      uint32_t bytes, uint64_t tag, uint8_t flags);

/* rs_iocp_is_pending: did the call leave a request in the kernel? If not, *os_error is its result:
 * 0 or an error. */
bool rs_iocp_is_pending(const rs_backend *backend, bool succeeded, uint32_t *os_error);

/* rs_iocp_told: what the outcome of a request means: after our own close any failure is that close,
 * before it an abort is none of ours. */
rs_status rs_iocp_told(rs_status status, bool closed);

/* rs_iocp_recv_call: starts one WSARecv. False: it has ended already, *os_error and *bytes say
 * how. */
bool rs_iocp_recv_call(rs_backend *backend, uint32_t index, rs_iocp_kind kind, WSABUF *buffer,
                       uint32_t *os_error, DWORD *bytes);

/* rs_iocp_recv_list: puts down a RECV to be posted by the next poll. */
void rs_iocp_recv_list(rs_backend *backend, uint32_t index);

/* rs_iocp_recv_flush: posts what submit accepted, within the bounds of one poll. */
void rs_iocp_recv_flush(rs_backend *backend);

void rs_iocp_recv_packet(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes);

/* rs_iocp_recv_complete: the RECV in flight is over. */
void rs_iocp_recv_complete(rs_backend *backend, uint32_t index, rs_status status, uint32_t bytes,
                           uint8_t flags);

/* rs_iocp_sends_start: hands everything waiting to the kernel, adjacent SENDs in one call. */
void rs_iocp_sends_start(rs_backend *backend, uint32_t index);

/* rs_iocp_sends_fail: ends what never reached the kernel. */
void rs_iocp_sends_fail(rs_backend *backend, uint32_t index, rs_status status);

void rs_iocp_send_packet(rs_backend *backend, const rs_iocp_request *request, rs_status status,
                         uint32_t bytes);
uint32_t rs_iocp_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);

/* ---- iocp_socket.c */

rs_status rs_iocp_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                         uintptr_t socket);
void rs_iocp_discard_socket(rs_backend *backend, uintptr_t socket);

/* rs_iocp_connect: a CONNECT that was taken; a failure at once is its completion. */
void rs_iocp_connect(rs_backend *backend, const rs_op *op);

/* rs_iocp_connect_end: the outcome of CONNECT, then whatever was submitted behind it. */
void rs_iocp_connect_end(rs_backend *backend, uint32_t index, rs_status status);

/* rs_iocp_after_sends: what waits for the last send to leave the kernel: SHUTDOWN, then CLOSE. */
void rs_iocp_after_sends(rs_backend *backend, uint32_t index);

/* rs_iocp_cancel_in: asks for the pending receive or connect back. */
void rs_iocp_cancel_in(rs_backend *backend, rs_iocp_conn *conn);

void rs_iocp_socket_close(rs_backend *backend, uint32_t index, bool abort_it);

/* rs_iocp_after_in: a receive or connect has left the kernel: what a close waits it for. */
void rs_iocp_after_in(rs_backend *backend, uint32_t index);

/* rs_iocp_close_check: completes the CLOSE once nothing of the connection is in the kernel. */
void rs_iocp_close_check(rs_backend *backend, uint32_t index);

/* ---- iocp_poll.c */

uint32_t rs_iocp_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);
void rs_iocp_wake(rs_backend *backend);

#endif
