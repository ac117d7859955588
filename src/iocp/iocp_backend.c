/* Completions from a port, one instance, one thread; only wake comes from others.
 *
 * Every result goes through a ready ring, whether a packet brought it or the call itself (skip on
 * success). What is in the ring still counts as in flight, which bounds it: per connection CONNECT,
 * RECV, SHUTDOWN, CLOSE and its SENDs, and the accepts of one visit to the port.
 *
 * Receives are posted late, at the next poll, after all the sends of the batch: by then a peer that
 * answers at once has answered, so that the receive ends inline and costs neither a packet nor a
 * second wake-up. A lone connection loses nothing by it, since poll posts before it waits.
 *
 * Closing: CLOSE waits for the sends in the kernel (FLUSHING), closes the socket (CLOSING), and
 * completes when every request of the connection is back (CLOSED). */
#include "iocp/iocp_backend.h"

#include "win/win.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "seam/ready_ring.h"
#include "seam/send_window.h"
#include "win/win_accept.h"
#include "win/win_error.h"
#include "win/win_socket.h"

#define IOCP_OTHER_OPS 4u /* of a connection beside its SENDs: CONNECT, RECV, SHUTDOWN, CLOSE */
#define IOCP_NS_PER_MS 1000000
#define IOCP_WAIT_MS_MAX 86400000 /* poll may return early: a day stands for anything longer */
#define IOCP_DISCARD_BYTES 65536u
#define IOCP_DISCARD_READS_MAX 4u
#define IOCP_NO_CONN UINT32_MAX

/* Completion keys. */
enum { IOCP_KEY_CONN = 1, IOCP_KEY_ACCEPT = 2, IOCP_KEY_WAKE = 3 };

/* Of rs_backend.wake: a packet is posted only for a thread that sleeps or is about to. */
enum { IOCP_RUNNING = 0, IOCP_SLEEPING = 1, IOCP_WOKEN = 2 };

typedef enum iocp_kind {
    IOCP_RECV,
    IOCP_PROBE,   /* the zero-byte WSARecv that waits for data */
    IOCP_DISCARD, /* reads what nobody will, at close */
    IOCP_CONNECT,
    IOCP_SEND
} iocp_kind;

typedef struct iocp_request {
    OVERLAPPED overlapped; /* first: the packet brings its address */
    uint32_t conn;
    uint8_t kind;         /* iocp_kind */
    uint8_t first, count; /* SEND: which of the window */
    bool posted;          /* in the kernel: a packet will come */
} iocp_request;

typedef enum iocp_state {
    IOCP_FREE = 0,
    IOCP_CONNECTING,
    IOCP_OPEN,
    IOCP_FLUSHING, /* plain CLOSE: waits for the sends before it */
    IOCP_CLOSING,  /* the socket is closed; requests are still in the kernel */
    IOCP_CLOSED    /* CLOSE is in the ready ring */
} iocp_state;

typedef struct iocp_conn {
    SOCKET socket; /* INVALID_SOCKET: none (free, closed, or none could be made) */
    uint32_t generation;
    uint8_t state;           /* iocp_state */
    uint8_t broken;          /* rs_status that every op completes with; RS_OK = none */
    uint8_t kernel_sends;    /* WSASend requests in the kernel */
    uint8_t sends_in_flight; /* SENDs until polled, as are the next two */
    bool recv_in_flight;
    bool shutdown_in_flight;
    bool recv_queued;      /* accepted, not yet posted */
    bool recv_listed;      /* has an entry in recv_list */
    bool shutdown_waiting; /* behind the sends */
    bool shutdown_done;    /* our stream has ended */
    bool escalated;        /* an abort was accepted: none may follow */
    bool end_read;         /* the peer's stream ended, nothing is left to discard */
    rs_send_window window;
    uint32_t recv_bytes;
    uint8_t *recv_data;
    uint64_t recv_tag;
    uint64_t shutdown_tag;
    uint64_t close_tag; /* of CONNECT until that completed */
    iocp_request in;    /* receives one way or another, and ConnectEx: never two at once */
} iocp_conn;

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
    rs_ready_ring ready;
    rs_completion *records;   /* the ready ring's */
    iocp_conn *conns;         /* [conns_max] */
    rs_send_slot *send_slots; /* [conns_max][sends_per_conn] */
    iocp_request *send_ops;   /* likewise; the request of a gather is that of its first SEND */
    uint32_t *recv_list;      /* [conns_max]: ring of connections with a receive to post */
    uint32_t recv_head, recv_count;
    OVERLAPPED_ENTRY *entries; /* [tuning.dequeue_batch] */
    uint8_t *discard;          /* [IOCP_DISCARD_BYTES], written and never read */
    uint64_t regions;          /* bit i: region i is registered */
    rs_win_calls calls;
    uint64_t inline_completions, packets, wakes, sends_joined;
    rs_atomic_u32 wake;
    rs_atomic_u32 wake_posts;
};

_Static_assert(RS_REGIONS_MAX == 64u, "one bit a region");
_Static_assert(RS_WIN_CALLS + 4u <= RS_BACKEND_STATS_MAX, "all figures fit the record");

static void iocp_after_sends(rs_backend *backend, uint32_t index);
static void iocp_close_check(rs_backend *backend, uint32_t index);

/* ---- completions */

static void iocp_complete(rs_backend *backend, uint32_t index, rs_op_kind kind, rs_status status,
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
    if ((flags & RS_CF_INLINE) != 0) {
        backend->inline_completions++;
        backend->inline_since++;
    }
    rs_ready_push(&backend->ready, &record);
}

/* What leaves the ready ring is in flight no longer: its place may be asked for again. */
static void iocp_retire(rs_backend *backend, const rs_completion *record) {
    iocp_conn *conn = &backend->conns[record->conn];
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
        RS_ASSERT(conn->state == IOCP_CLOSED);
        RS_ASSERT(conn->sends_in_flight == 0 && !conn->recv_in_flight);
        conn->state = IOCP_FREE;
        break;
    default:
        break; /* CONNECT: counted by the state */
    }
}

/* Did the call leave a request in the kernel? If not, *os_error is its result: 0 or an error. */
static bool iocp_is_pending(const rs_backend *backend, bool succeeded, uint32_t *os_error) {
    *os_error = succeeded ? 0 : (uint32_t)WSAGetLastError();
    return *os_error == WSA_IO_PENDING || (succeeded && !backend->skip);
}

/* ---- receiving */

/* Wine 8 takes the error of a reset off the socket while no receive is pending, so that the next
 * one reads an end of stream; but a reset connection has no peer any more, a half-closed one has.
 * Once we have ended our own stream both have none, and the end counts as orderly. Windows needs no
 * such question. One call for each connection that ends. */
static rs_status iocp_end_status(rs_backend *backend, const iocp_conn *conn) {
    struct sockaddr_in peer;
    int bytes = (int)sizeof peer;
    if (!backend->on_wine || conn->socket == INVALID_SOCKET || conn->shutdown_done) {
        return RS_OK;
    }
    backend->calls.count[RS_WIN_GETPEERNAME]++;
    return getpeername(conn->socket, (struct sockaddr *)&peer, &bytes) == 0 ? RS_OK : RS_E_RESET;
}

static void iocp_recv_complete(rs_backend *backend, uint32_t index, rs_status status,
                               uint32_t bytes, uint8_t flags) {
    iocp_conn *conn = &backend->conns[index];
    RS_ASSERT(conn->recv_in_flight);
    RS_ASSERT(bytes <= conn->recv_bytes);
    if (status == RS_OK && bytes == 0) {
        status = iocp_end_status(backend, conn);
    }
    conn->end_read = conn->end_read || (status == RS_OK && bytes == 0);
    iocp_complete(backend, index, RS_OP_RECV, status, bytes, conn->recv_tag, flags);
}

/* Starts one WSARecv. False: it has ended already, *os_error and *bytes say how. */
static bool iocp_recv_call(rs_backend *backend, uint32_t index, iocp_kind kind, WSABUF *buffer,
                           uint32_t *os_error, DWORD *bytes) {
    iocp_conn *conn = &backend->conns[index];
    DWORD flags = 0;
    int rc;
    RS_ASSERT(!conn->in.posted);
    memset(&conn->in.overlapped, 0, sizeof conn->in.overlapped);
    conn->in.kind = (uint8_t)kind;
    backend->calls.count[RS_WIN_WSARECV]++;
    *bytes = 0;
    rc = WSARecv(conn->socket, buffer, 1, bytes, &flags, &conn->in.overlapped, NULL);
    conn->in.posted = iocp_is_pending(backend, rc == 0, os_error);
    return conn->in.posted;
}

static void iocp_recv_start(rs_backend *backend, uint32_t index, bool probe, uint8_t flags) {
    iocp_conn *conn = &backend->conns[index];
    WSABUF buffer = {.buf = (char *)conn->recv_data, .len = conn->recv_bytes};
    WSABUF nothing = {.buf = (char *)conn->recv_data, .len = 0};
    uint32_t os_error;
    DWORD bytes;
    if (probe) {
        if (iocp_recv_call(backend, index, IOCP_PROBE, &nothing, &os_error, &bytes)) {
            return;
        }
        if (os_error != 0) {
            iocp_recv_complete(backend, index, rs_win_error_status(os_error), 0, flags);
            return;
        }
    }
    if (!iocp_recv_call(backend, index, IOCP_RECV, &buffer, &os_error, &bytes)) {
        iocp_recv_complete(backend, index, rs_win_error_status(os_error), bytes, flags);
    }
}

static void iocp_recv_list(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    uint32_t tail = backend->recv_head + backend->recv_count;
    if (conn->recv_listed) {
        return; /* the entry of a receive that a close took back serves this one */
    }
    RS_ASSERT(backend->recv_count < backend->conns_max);
    backend->recv_list[tail % backend->conns_max] = index;
    backend->recv_count++;
    conn->recv_listed = true;
}

/* Posts what submit accepted: at most poll_max receives and inline_max inline completions, so that
 * connections with data at hand do not keep the others, and the port, from their turn. */
static void iocp_recv_flush(rs_backend *backend) {
    uint32_t budget = backend->poll_max;
    while (backend->recv_count > 0 && budget > 0 &&
           backend->inline_since < backend->tuning.inline_max) {
        uint32_t index = backend->recv_list[backend->recv_head];
        iocp_conn *conn = &backend->conns[index];
        backend->recv_head = (backend->recv_head + 1u) % backend->conns_max;
        backend->recv_count--;
        budget--;
        conn->recv_listed = false;
        if (conn->recv_queued && conn->state != IOCP_CONNECTING) {
            conn->recv_queued = false;
            iocp_recv_start(backend, index, backend->tuning.zero_byte_recv, RS_CF_INLINE);
        }
    }
}

static void iocp_recv_packet(rs_backend *backend, uint32_t index, rs_status status,
                             uint32_t bytes) {
    iocp_conn *conn = &backend->conns[index];
    if (conn->in.kind == IOCP_DISCARD) {
        return; /* the close check behind us is all that waits for it */
    }
    if (conn->in.kind == IOCP_PROBE && status == RS_OK) {
        if (conn->state == IOCP_OPEN) {
            iocp_recv_start(backend, index, false, 0);
            return;
        }
        status = RS_E_ABORTED;
    }
    iocp_recv_complete(backend, index, status, bytes, 0);
}

/* ---- sending */

static rs_send_slot *iocp_slots(const rs_backend *backend, uint32_t index) {
    return &backend->send_slots[(size_t)index * backend->sends_per_conn];
}

static void iocp_sends_report(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    rs_send_slot slot;
    while (rs_send_window_take(&conn->window, iocp_slots(backend, index), &slot)) {
        iocp_complete(backend, index, RS_OP_SEND, (rs_status)slot.status, slot.sent, slot.tag,
                      slot.flags);
    }
}

static void iocp_send_call(rs_backend *backend, uint32_t index, uint32_t first, uint32_t count) {
    iocp_conn *conn = &backend->conns[index];
    rs_send_slot *slots = iocp_slots(backend, index);
    iocp_request *request = &backend->send_ops[(size_t)index * backend->sends_per_conn + first];
    WSABUF buffers[RS_GATHER_MAX];
    uint32_t os_error;
    DWORD bytes = 0;
    int rc;
    RS_ASSERT(!request->posted);
    RS_ASSERT(count >= 1 && count <= RS_GATHER_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const rs_send_slot *slot = rs_send_window_at(&conn->window, slots, first, i);
        buffers[i] = (WSABUF){.buf = (char *)slot->data, .len = slot->bytes};
    }
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->first = (uint8_t)first;
    request->count = (uint8_t)count;
    backend->calls.count[RS_WIN_WSASEND]++;
    backend->sends_joined += count - 1u;
    rc = WSASend(conn->socket, buffers, count, &bytes, 0, &request->overlapped, NULL);
    request->posted = iocp_is_pending(backend, rc == 0, &os_error);
    if (request->posted) {
        conn->kernel_sends++;
    } else {
        rs_send_window_finish(&conn->window, slots, first, count, rs_win_error_status(os_error),
                              bytes, RS_CF_INLINE);
    }
}

/* Hands everything waiting to the kernel, adjacent SENDs in one call. */
static void iocp_sends_start(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    uint32_t first, count;
    while ((count = rs_send_window_start(&conn->window, RS_GATHER_MAX, &first)) > 0) {
        iocp_send_call(backend, index, first, count);
    }
    iocp_sends_report(backend, index);
}

/* Ends what never reached the kernel. */
static void iocp_sends_fail(rs_backend *backend, uint32_t index, rs_status status) {
    iocp_conn *conn = &backend->conns[index];
    uint32_t first, count;
    while ((count = rs_send_window_start(&conn->window, RS_GATHER_MAX, &first)) > 0) {
        rs_send_window_finish(&conn->window, iocp_slots(backend, index), first, count, status, 0,
                              RS_CF_INLINE);
    }
    iocp_sends_report(backend, index);
}

static void iocp_send_packet(rs_backend *backend, const iocp_request *request, rs_status status,
                             uint32_t bytes) {
    iocp_conn *conn = &backend->conns[request->conn];
    RS_ASSERT(conn->kernel_sends > 0);
    conn->kernel_sends--;
    rs_send_window_finish(&conn->window, iocp_slots(backend, request->conn), request->first,
                          request->count, status, bytes, 0);
    iocp_sends_report(backend, request->conn);
    iocp_after_sends(backend, request->conn);
}

/* ---- closing */

static rs_status iocp_shutdown_call(rs_backend *backend, iocp_conn *conn) {
    int rc;
    if (conn->broken != RS_OK || conn->socket == INVALID_SOCKET) {
        return conn->broken != RS_OK ? (rs_status)conn->broken : RS_E_ABORTED;
    }
    backend->calls.count[RS_WIN_SHUTDOWN]++;
    conn->shutdown_done = true;
    rc = shutdown(conn->socket, SD_SEND);
    return rc == 0 ? RS_OK : rs_win_error_status((uint32_t)WSAGetLastError());
}

static void iocp_shutdown_complete(rs_backend *backend, uint32_t index, rs_status status) {
    iocp_conn *conn = &backend->conns[index];
    conn->shutdown_waiting = false;
    iocp_complete(backend, index, RS_OP_SHUTDOWN, status, 0, conn->shutdown_tag, RS_CF_INLINE);
}

/* Unread input makes the kernel answer a close with a reset, which would overtake our last sends:
 * so it is read first, into nothing. A receive that is pending means there is none. */
static void iocp_discard_input(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    WSABUF buffer = {.buf = (char *)backend->discard, .len = IOCP_DISCARD_BYTES};
    for (uint32_t i = 0; i < IOCP_DISCARD_READS_MAX; i++) {
        uint32_t os_error;
        DWORD bytes;
        if (conn->end_read || conn->in.posted ||
            iocp_recv_call(backend, index, IOCP_DISCARD, &buffer, &os_error, &bytes) ||
            os_error != 0 || bytes == 0) {
            return;
        }
    }
}

static void iocp_socket_close(rs_backend *backend, uint32_t index, bool abort_it) {
    iocp_conn *conn = &backend->conns[index];
    SOCKET socket = conn->socket;
    if (conn->shutdown_waiting) {
        iocp_shutdown_complete(backend, index, RS_E_ABORTED);
    }
    conn->state = IOCP_CLOSING;
    if (socket != INVALID_SOCKET && abort_it) {
        if (conn->kernel_sends > 0) {
            /* Wine 8 keeps a pending send, and with it the connection, past closesocket. */
            backend->calls.count[RS_WIN_CANCELIOEX]++;
            (void)CancelIoEx((HANDLE)socket, NULL); /* fails when all have just ended */
        }
        rs_win_socket_abort(socket, &backend->calls);
    } else if (socket != INVALID_SOCKET) {
        if (!conn->end_read && conn->broken == RS_OK) {
            /* With a receive pending, a close is graceful only after a shutdown. */
            (void)iocp_shutdown_call(backend, conn);
            iocp_discard_input(backend, index);
        }
        rs_win_socket_close(socket, &backend->calls); /* and cancels what is pending */
    }
    conn->socket = INVALID_SOCKET;
    iocp_close_check(backend, index);
}

static void iocp_close_check(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    if (conn->state != IOCP_CLOSING || conn->in.posted || conn->kernel_sends > 0) {
        return;
    }
    RS_ASSERT(conn->window.count == 0);
    RS_ASSERT(!conn->recv_queued && !conn->shutdown_waiting);
    conn->state = IOCP_CLOSED;
    iocp_complete(backend, index, RS_OP_CLOSE, RS_OK, 0, conn->close_tag, 0);
}

/* What waits for the last send to leave the kernel: SHUTDOWN, then CLOSE. */
static void iocp_after_sends(rs_backend *backend, uint32_t index) {
    iocp_conn *conn = &backend->conns[index];
    if (conn->window.count > 0 || conn->state == IOCP_CONNECTING) {
        return;
    }
    if (conn->shutdown_waiting) {
        iocp_shutdown_complete(backend, index, iocp_shutdown_call(backend, conn));
    }
    if (conn->state == IOCP_FLUSHING) {
        iocp_socket_close(backend, index, false);
    } else {
        iocp_close_check(backend, index);
    }
}

static void iocp_cancel_in(rs_backend *backend, iocp_conn *conn) {
    if (conn->in.posted && conn->socket != INVALID_SOCKET) {
        backend->calls.count[RS_WIN_CANCELIOEX]++;
        /* It fails when the request has ended; its packet is in the port. */
        (void)CancelIoEx((HANDLE)conn->socket, &conn->in.overlapped);
    }
}

/* ---- connecting and attaching */

static void iocp_bind_slot(rs_backend *backend, uint32_t index, uint32_t generation, SOCKET socket,
                           iocp_state state) {
    iocp_conn *conn = &backend->conns[index];
    bool listed = conn->recv_listed;
    RS_ASSERT(conn->state == IOCP_FREE);
    RS_ASSERT(!conn->in.posted && conn->kernel_sends == 0);
    RS_ASSERT(conn->sends_in_flight == 0 && !conn->recv_in_flight);
    *conn = (iocp_conn){
        .socket = socket,
        .generation = generation,
        .state = (uint8_t)state,
        .recv_listed = listed,
        .in = {.conn = index},
    };
    rs_send_window_init(&conn->window, backend->sends_per_conn);
}

/* Joins a socket to the port and sets it up; on failure it is still open. */
static rs_status iocp_adopt(rs_backend *backend, SOCKET socket) {
    /* The event of the file handle is nobody's; not to set it is always safe. */
    UCHAR modes = FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (backend->skip) {
        modes = (UCHAR)(modes | FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    }
    backend->calls.count[RS_WIN_ASSOCIATE]++;
    if (CreateIoCompletionPort((HANDLE)socket, backend->port, IOCP_KEY_CONN, 0) == NULL) {
        return rs_win_error_status(GetLastError());
    }
    backend->calls.count[RS_WIN_MODES]++;
    if (!SetFileCompletionNotificationModes((HANDLE)socket, modes)) {
        return rs_win_error_status(GetLastError());
    }
    return rs_win_socket_tune(socket, &backend->tuning, &backend->calls);
}

static rs_status iocp_attach(rs_backend *backend, uint32_t index, uint32_t generation,
                             uintptr_t socket) {
    rs_status status;
    RS_ASSERT(index < backend->conns_max);
    RS_ASSERT(backend->conns[index].state == IOCP_FREE);
    status = iocp_adopt(backend, (SOCKET)socket);
    if (status != RS_OK) {
        rs_win_socket_close((SOCKET)socket, &backend->calls);
        return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY ? RS_E_NO_BUFFERS : RS_E_OS;
    }
    iocp_bind_slot(backend, index, generation, (SOCKET)socket, IOCP_OPEN);
    return RS_OK;
}

static void iocp_discard_socket(rs_backend *backend, uintptr_t socket) {
    rs_win_socket_close((SOCKET)socket, &backend->calls);
}

/* Returns RS_E_AGAIN when a packet will come, else the outcome. */
static rs_status iocp_connect_start(rs_backend *backend, uint32_t index, const rs_addr *addr) {
    iocp_conn *conn = &backend->conns[index];
    struct sockaddr_in name = rs_win_sockaddr(addr);
    uint32_t os_error = 0;
    DWORD bytes = 0;
    rs_status status;
    BOOL succeeded;
    conn->socket = rs_win_socket_open(0, &backend->calls, &os_error);
    if (conn->socket == INVALID_SOCKET) {
        return rs_win_error_status(os_error);
    }
    status = iocp_adopt(backend, conn->socket);
    if (status != RS_OK) {
        return status;
    }
    os_error = rs_win_socket_bind_any(conn->socket, &backend->port_reuse_failed, &backend->calls);
    if (os_error != 0) {
        return rs_win_error_status(os_error);
    }
    memset(&conn->in.overlapped, 0, sizeof conn->in.overlapped);
    conn->in.kind = IOCP_CONNECT;
    backend->calls.count[RS_WIN_CONNECTEX]++;
    succeeded =
        backend->extensions.connect_ex(conn->socket, (const struct sockaddr *)&name,
                                       (int)sizeof name, NULL, 0, &bytes, &conn->in.overlapped);
    conn->in.posted = iocp_is_pending(backend, succeeded, &os_error);
    return conn->in.posted ? RS_E_AGAIN : rs_win_error_status(os_error);
}

/* The outcome of CONNECT, then whatever was submitted behind it. */
static void iocp_connect_end(rs_backend *backend, uint32_t index, rs_status status) {
    iocp_conn *conn = &backend->conns[index];
    if (status == RS_OK && conn->socket != INVALID_SOCKET) {
        status = rs_win_socket_update_connect(conn->socket, &backend->calls);
    }
    conn->broken = (uint8_t)status;
    iocp_complete(backend, index, RS_OP_CONNECT, status, 0, conn->close_tag, 0);
    if (conn->state == IOCP_CONNECTING) {
        conn->state = IOCP_OPEN;
    }
    if (status != RS_OK) {
        iocp_sends_fail(backend, index, status);
        if (conn->recv_queued) {
            conn->recv_queued = false;
            iocp_recv_complete(backend, index, status, 0, 0);
        }
    } else {
        iocp_sends_start(backend, index);
        if (conn->recv_queued) {
            iocp_recv_list(backend, index);
        }
    }
    iocp_after_sends(backend, index);
}

/* ---- submit */

static rs_status iocp_check(const rs_backend *backend, const rs_op *op) {
    const iocp_conn *conn;
    if (op->conn >= backend->conns_max) {
        return RS_E_INVALID;
    }
    conn = &backend->conns[op->conn];
    if (op->kind == RS_OP_CONNECT) {
        return conn->state == IOCP_FREE && op->u.addr != NULL ? RS_OK : RS_E_INVALID;
    }
    if (op->generation != conn->generation) {
        return RS_E_STALE;
    }
    if (conn->state >= IOCP_FLUSHING) {
        bool escalates = op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;
        return escalates && !conn->escalated ? RS_OK : RS_E_CLOSED;
    }
    return conn->state == IOCP_FREE ? RS_E_CLOSED : RS_OK;
}

static rs_status iocp_submit_connect(rs_backend *backend, const rs_op *op) {
    rs_status status;
    iocp_bind_slot(backend, op->conn, op->generation, INVALID_SOCKET, IOCP_CONNECTING);
    backend->conns[op->conn].close_tag = op->tag;
    status = iocp_connect_start(backend, op->conn, op->u.addr);
    if (status != RS_E_AGAIN) {
        iocp_connect_end(backend, op->conn, status);
    }
    return RS_OK;
}

static rs_status iocp_submit_recv(rs_backend *backend, const rs_op *op) {
    iocp_conn *conn = &backend->conns[op->conn];
    if (op->u.data == NULL || op->bytes == 0) {
        return RS_E_INVALID;
    }
    if (conn->recv_in_flight) {
        return RS_E_FULL;
    }
    RS_ASSERT(!conn->in.posted || conn->in.kind == IOCP_CONNECT);
    conn->recv_in_flight = true;
    conn->recv_data = op->u.data;
    conn->recv_bytes = op->bytes;
    conn->recv_tag = op->tag;
    if (conn->broken != RS_OK) {
        iocp_recv_complete(backend, op->conn, (rs_status)conn->broken, 0, RS_CF_INLINE);
        return RS_OK;
    }
    conn->recv_queued = true;
    if (conn->state == IOCP_OPEN) {
        iocp_recv_list(backend, op->conn);
    }
    return RS_OK;
}

/* Only queues; submit starts a run of sends on one connection together. */
static rs_status iocp_submit_send(rs_backend *backend, const rs_op *op) {
    iocp_conn *conn = &backend->conns[op->conn];
    bool added;
    if (op->u.data == NULL || op->bytes == 0 || conn->shutdown_in_flight) {
        return RS_E_INVALID; /* nothing can follow the end of our stream */
    }
    if (conn->sends_in_flight >= backend->sends_per_conn) {
        return RS_E_FULL;
    }
    added = rs_send_window_add(&conn->window, iocp_slots(backend, op->conn), op->u.data, op->bytes,
                               op->tag);
    RS_ASSERT(added);
    conn->sends_in_flight++;
    return RS_OK;
}

static rs_status iocp_submit_shutdown(rs_backend *backend, const rs_op *op) {
    iocp_conn *conn = &backend->conns[op->conn];
    if (conn->shutdown_in_flight) {
        return RS_E_FULL;
    }
    conn->shutdown_in_flight = true;
    conn->shutdown_waiting = true;
    conn->shutdown_tag = op->tag;
    iocp_after_sends(backend, op->conn);
    return RS_OK;
}

static rs_status iocp_submit_close(rs_backend *backend, const rs_op *op) {
    iocp_conn *conn = &backend->conns[op->conn];
    bool abort_it = (op->flags & RS_OPF_ABORT) != 0;
    bool connecting = conn->state == IOCP_CONNECTING;
    conn->escalated = abort_it;
    if (conn->state >= IOCP_CLOSING) {
        return RS_OK; /* an abort behind a close that is through: nothing is left to cancel */
    }
    if (conn->state == IOCP_FLUSHING) {
        iocp_socket_close(backend, op->conn, true);
        return RS_OK;
    }
    if (connecting) {
        /* Its packet still wants the tag of CONNECT, and comes before CLOSE is reported. */
        iocp_cancel_in(backend, conn);
        iocp_complete(backend, op->conn, RS_OP_CONNECT, RS_E_ABORTED, 0, conn->close_tag, 0);
        iocp_sends_fail(backend, op->conn, RS_E_ABORTED);
    }
    conn->close_tag = op->tag;
    if (conn->recv_queued) {
        conn->recv_queued = false;
        iocp_recv_complete(backend, op->conn, RS_E_ABORTED, 0, RS_CF_INLINE);
    }
    if (abort_it || connecting || conn->window.count == 0) {
        iocp_socket_close(backend, op->conn, abort_it || connecting);
        return RS_OK;
    }
    conn->state = IOCP_FLUSHING;
    iocp_cancel_in(backend, conn);
    return RS_OK;
}

static rs_status iocp_submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status = iocp_check(backend, op);
    if (status != RS_OK) {
        return status;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return iocp_submit_recv(backend, op);
    case RS_OP_SEND:
        return iocp_submit_send(backend, op);
    case RS_OP_CONNECT:
        return iocp_submit_connect(backend, op);
    case RS_OP_SHUTDOWN:
        return iocp_submit_shutdown(backend, op);
    case RS_OP_CLOSE:
        return iocp_submit_close(backend, op);
    default:
        return RS_E_INVALID;
    }
}

/* The end of a run of sends. Those behind a CONNECT wait for its outcome. */
static void iocp_run_end(rs_backend *backend, uint32_t index) {
    const iocp_conn *conn = &backend->conns[index];
    if (conn->state == IOCP_CONNECTING) {
        return;
    }
    RS_ASSERT(conn->state == IOCP_OPEN);
    if (conn->broken != RS_OK) {
        iocp_sends_fail(backend, index, (rs_status)conn->broken);
    } else {
        iocp_sends_start(backend, index);
    }
}

static uint32_t iocp_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    uint32_t sending = IOCP_NO_CONN; /* the connection of the run of sends under way */
    rs_status status = RS_OK;
    uint32_t taken;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    for (taken = 0; taken < count; taken++) {
        const rs_op *op = &ops[taken];
        if (sending != IOCP_NO_CONN && (op->kind != RS_OP_SEND || op->conn != sending)) {
            iocp_run_end(backend, sending);
            sending = IOCP_NO_CONN;
        }
        status = iocp_submit_one(backend, op);
        if (status != RS_OK) {
            break;
        }
        if (op->kind == RS_OP_SEND) {
            sending = op->conn;
        }
    }
    if (sending != IOCP_NO_CONN) {
        iocp_run_end(backend, sending);
    }
    *why = status;
    return taken;
}

/* ---- poll */

static void iocp_accepted(rs_backend *backend, const rs_completion *records, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        backend->accepts_ready++;
        rs_ready_push(&backend->ready, &records[i]);
    }
}

static void iocp_conn_packet(rs_backend *backend, OVERLAPPED *overlapped, uint32_t bytes) {
    iocp_request *request = (iocp_request *)(void *)overlapped;
    uint32_t index = request->conn;
    rs_status status = rs_win_error_status((uint32_t)overlapped->Internal);
    RS_ASSERT(index < backend->conns_max);
    RS_ASSERT(request->posted);
    request->posted = false;
    switch (request->kind) {
    case IOCP_SEND:
        iocp_send_packet(backend, request, status, bytes);
        break;
    case IOCP_CONNECT:
        if (backend->conns[index].state == IOCP_CONNECTING) {
            iocp_connect_end(backend, index, status);
        }
        break; /* otherwise a close reported it and waits for us */
    default:
        iocp_recv_packet(backend, index, status, bytes);
        break;
    }
    iocp_close_check(backend, index);
}

static void iocp_packet(rs_backend *backend, ULONG_PTR key, OVERLAPPED *overlapped,
                        uint32_t bytes) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    backend->packets++;
    switch (key) {
    case IOCP_KEY_CONN:
        iocp_conn_packet(backend, overlapped, bytes);
        break;
    case IOCP_KEY_ACCEPT:
        iocp_accepted(backend, accepted,
                      rs_win_accept_packet(backend->accept, overlapped, bytes, accepted));
        break;
    default:
        RS_ASSERT(key == IOCP_KEY_WAKE);
        backend->wakes++;
        break;
    }
}

static DWORD iocp_wait_ms(const rs_backend *backend, int64_t timeout_ns) {
    int64_t ms;
    if (timeout_ns > 0 && rs_win_accept_is_starved(backend->accept)) {
        return RS_WIN_ACCEPT_RETRY_MS;
    }
    if (timeout_ns == RS_FOREVER) {
        return INFINITE;
    }
    ms = timeout_ns / IOCP_NS_PER_MS + (timeout_ns % IOCP_NS_PER_MS != 0);
    return (DWORD)(ms < IOCP_WAIT_MS_MAX ? ms : IOCP_WAIT_MS_MAX);
}

static void iocp_dequeue_failed(const char *call) {
    DWORD os_error = GetLastError();
    if (os_error != WAIT_TIMEOUT) {
        RS_FATAL(call, os_error, "the completion port is of no more use");
    }
}

static void iocp_dequeue_one(rs_backend *backend, DWORD wait_ms) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    BOOL succeeded;
    backend->calls.count[RS_WIN_GQCS]++;
    succeeded = GetQueuedCompletionStatus(backend->port, &bytes, &key, &overlapped, wait_ms);
    if (!succeeded && overlapped == NULL) {
        iocp_dequeue_failed("GetQueuedCompletionStatus");
        return;
    }
    iocp_packet(backend, key, overlapped, bytes); /* FALSE with a record: the request failed */
}

static void iocp_dequeue(rs_backend *backend, DWORD wait_ms) {
    ULONG count = 0;
    if (backend->tuning.gqcs_single) {
        iocp_dequeue_one(backend, wait_ms);
        return;
    }
    backend->calls.count[RS_WIN_GQCSEX]++;
    if (!GetQueuedCompletionStatusEx(backend->port, backend->entries, backend->tuning.dequeue_batch,
                                     &count, wait_ms, FALSE)) {
        iocp_dequeue_failed("GetQueuedCompletionStatusEx");
        return;
    }
    RS_ASSERT(count <= backend->tuning.dequeue_batch);
    for (ULONG i = 0; i < count; i++) {
        const OVERLAPPED_ENTRY *entry = &backend->entries[i];
        iocp_packet(backend, entry->lpCompletionKey, entry->lpOverlapped,
                    entry->dwNumberOfBytesTransferred);
    }
}

/* Asks the port once. A wake that came while nobody slept posted no packet: it is seen here. */
static void iocp_visit_port(rs_backend *backend, int64_t timeout_ns) {
    bool may_sleep =
        timeout_ns > 0 && rs_atomic_cas_u32(&backend->wake, IOCP_RUNNING, IOCP_SLEEPING);
    iocp_dequeue(backend, may_sleep ? iocp_wait_ms(backend, timeout_ns) : 0);
    (void)rs_atomic_exchange_u32(&backend->wake, IOCP_RUNNING);
    backend->inline_since = 0;
}

static uint32_t iocp_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                          int64_t timeout_ns) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t count;
    RS_ASSERT(cap > 0 && cap <= backend->poll_max);
    RS_ASSERT(timeout_ns >= 0);
    if (backend->inline_since >= backend->tuning.inline_max &&
        backend->accepts_ready <= backend->tuning.accepts) {
        iocp_visit_port(backend, 0); /* its turn: accepts and slower peers must not starve */
    }
    iocp_recv_flush(backend);
    iocp_accepted(backend, accepted, rs_win_accept_retry(backend->accept, accepted));
    if (backend->ready.count == 0) {
        iocp_visit_port(backend, backend->recv_count == 0 ? timeout_ns : 0);
    }
    count = rs_ready_pop(&backend->ready, out, cap);
    for (uint32_t i = 0; i < count; i++) {
        iocp_retire(backend, &out[i]);
    }
    return count;
}

static void iocp_wake(rs_backend *backend) {
    if (rs_atomic_exchange_u32(&backend->wake, IOCP_WOKEN) != IOCP_SLEEPING) {
        return; /* it runs, or somebody else has posted */
    }
    (void)rs_atomic_add_u32(&backend->wake_posts, 1);
    if (!PostQueuedCompletionStatus(backend->port, 0, IOCP_KEY_WAKE, NULL)) {
        RS_FATAL("PostQueuedCompletionStatus", GetLastError(), "cannot wake the shard");
    }
}

/* ---- listening */

static rs_status iocp_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                             rs_error *error) {
    return rs_win_accept_listen(backend->accept, addr, port_out, error);
}

static void iocp_unlisten(rs_backend *backend) {
    rs_win_accept_unlisten(backend->accept);
}

/* ---- memory: nothing to register, so only the bookkeeping of the contract */

static rs_status iocp_register_memory(rs_backend *backend, void *base, size_t bytes,
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

static void iocp_release_memory(rs_backend *backend, rs_region_id region) {
    RS_ASSERT(region.value < RS_REGIONS_MAX);
    RS_ASSERT((backend->regions >> region.value & 1u) != 0);
    backend->regions &= ~(UINT64_C(1) << region.value);
}

/* ---- statistics */

static void iocp_stats(const rs_backend *backend, rs_backend_stats *out) {
    rs_win_calls calls = backend->calls;
    memset(out, 0, sizeof *out);
    calls.count[RS_WIN_POST] += rs_atomic_load_u32(&backend->wake_posts);
    rs_win_calls_stats(&calls, out);
    rs_win_stats_add(out, "inline completions", backend->inline_completions);
    rs_win_stats_add(out, "packets", backend->packets);
    rs_win_stats_add(out, "wake-ups", backend->wakes);
    rs_win_stats_add(out, "sends joined", backend->sends_joined);
    out->provider = backend->on_wine ? "wine" : "windows";
}

/* ---- open and close */

static void iocp_close(rs_backend *backend) {
    if (backend == NULL) {
        return;
    }
    RS_ASSERT(backend->ready.count == 0);
    for (uint32_t i = 0; backend->conns != NULL && i < backend->conns_max; i++) {
        RS_ASSERT(backend->conns[i].state == IOCP_FREE);
        RS_ASSERT(!backend->conns[i].in.posted);
    }
    rs_win_accept_close(backend->accept);
    if (backend->port != NULL) {
        (void)CloseHandle(backend->port); /* ours, and nothing is pending on it */
    }
    if (backend->started) {
        rs_win_socket_stop();
    }
    free(backend->discard);
    free(backend->entries);
    free(backend->recv_list);
    free(backend->send_ops);
    free(backend->send_slots);
    free(backend->conns);
    free(backend->records);
    free(backend);
}

static rs_status iocp_check_config(const rs_backend_config *cfg, rs_error *error) {
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
        tuning->backlog > 65535u || tuning->inline_max == 0) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "dequeue batch %u, accepts %u, backlog %u, inline completions %u: at "
                            "most %u, %u, 65535, and none of them 0",
                            tuning->dequeue_batch, tuning->accepts, tuning->backlog,
                            tuning->inline_max, RS_COMPLETIONS_PER_POLL_MAX, RS_ACCEPTS_MAX);
    }
    return RS_OK;
}

/* The ready ring holds everything that can be in flight: each connection's, the accepts of one
 * visit to the port (each packet may bring a listener's end too), and those not yet polled. */
static size_t iocp_records_needed(const rs_backend *backend) {
    return (size_t)backend->conns_max * (IOCP_OTHER_OPS + backend->sends_per_conn) +
           backend->tuning.accepts + backend->tuning.dequeue_batch + RS_WIN_ACCEPT_OUT_MAX * 2u;
}

static rs_status iocp_allocate(rs_backend *backend, rs_error *error) {
    size_t conns = backend->conns_max;
    size_t sends = conns * backend->sends_per_conn;
    size_t records = iocp_records_needed(backend);
    backend->records = calloc(records, sizeof *backend->records);
    backend->conns = calloc(conns, sizeof *backend->conns);
    backend->send_slots = calloc(sends, sizeof *backend->send_slots);
    backend->send_ops = calloc(sends, sizeof *backend->send_ops);
    backend->recv_list = calloc(conns, sizeof *backend->recv_list);
    backend->entries = calloc(backend->tuning.dequeue_batch, sizeof *backend->entries);
    backend->discard = malloc(IOCP_DISCARD_BYTES);
    if (backend->records == NULL || backend->conns == NULL || backend->send_slots == NULL ||
        backend->send_ops == NULL || backend->recv_list == NULL || backend->entries == NULL ||
        backend->discard == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "no memory for %u connections: lower --max-sessions",
                            backend->conns_max);
    }
    for (size_t i = 0; i < conns; i++) {
        backend->conns[i].socket = INVALID_SOCKET;
    }
    for (size_t i = 0; i < sends; i++) {
        backend->send_ops[i].conn = (uint32_t)(i / backend->sends_per_conn);
        backend->send_ops[i].kind = IOCP_SEND;
    }
    rs_ready_init(&backend->ready, backend->records, (uint32_t)records);
    return RS_OK;
}

/* What has to be known of this Winsock before the first connection. */
static rs_status iocp_probe(rs_backend *backend, rs_error *error) {
    uint32_t os_error = 0;
    rs_status status;
    SOCKET probe = rs_win_socket_open(0, &backend->calls, &os_error);
    if (probe == INVALID_SOCKET) {
        return rs_error_set(error, RS_E_OS, "WSASocket", os_error,
                            "cannot make a TCP socket (error %u)", os_error);
    }
    status = rs_win_socket_extensions(probe, &backend->extensions, error);
    backend->skip = backend->tuning.skip_on_success && rs_win_socket_is_ifs(probe);
    rs_win_socket_close(probe, &backend->calls);
    return status;
}

static rs_status iocp_open_port(rs_backend *backend, rs_error *error) {
    rs_win_accept_config cfg = {.key = IOCP_KEY_ACCEPT,
                                .tuning = &backend->tuning,
                                .extensions = &backend->extensions,
                                .calls = &backend->calls};
    backend->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (backend->port == NULL) {
        uint32_t os_error = GetLastError();
        return rs_error_set(error, RS_E_OS, "CreateIoCompletionPort", os_error,
                            "cannot make a completion port (error %u)", os_error);
    }
    cfg.port = backend->port;
    return rs_win_accept_open(&backend->accept, &cfg, error);
}

static rs_status iocp_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_backend *backend;
    rs_status status = iocp_check_config(cfg, error);
    *out = NULL;
    if (status != RS_OK) {
        return status;
    }
    backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "no memory for a back end");
    }
    backend->conns_max = cfg->conns_max;
    backend->sends_per_conn = cfg->sends_per_conn;
    backend->poll_max = cfg->poll_max;
    backend->tuning = cfg->tuning;
    backend->on_wine = rs_os_is_wine();
    status = iocp_allocate(backend, error);
    if (status == RS_OK) {
        status = rs_win_socket_start(error);
        backend->started = status == RS_OK;
    }
    if (status == RS_OK) {
        status = iocp_probe(backend, error);
    }
    if (status == RS_OK) {
        status = iocp_open_port(backend, error);
    }
    if (status != RS_OK) {
        iocp_close(backend);
        return status;
    }
    *out = backend;
    return RS_OK;
}

const rs_backend_api rs_iocp_backend = {
    .name = "iocp",
    .settings = RS_SET_SNDBUF | RS_SET_RCVBUF | RS_SET_NODELAY | RS_SET_DEQUEUE_BATCH |
                RS_SET_ACCEPT_MODE | RS_SET_ACCEPTS | RS_SET_BACKLOG | RS_SET_BACKLOG_HINT |
                RS_SET_SKIP | RS_SET_ZERO_BYTE_RECV | RS_SET_GQCS_SINGLE,
    .open = iocp_open,
    .close = iocp_close,
    .listen = iocp_listen,
    .unlisten = iocp_unlisten,
    .attach = iocp_attach,
    .discard = iocp_discard_socket,
    .submit = iocp_submit,
    .poll = iocp_poll,
    .wake = iocp_wake,
    .register_memory = iocp_register_memory,
    .release_memory = iocp_release_memory,
    .stats = iocp_stats,
};
