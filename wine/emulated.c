/* SPDX-License-Identifier: MIT */
/* The emulated engine: RIO's table over overlapped Winsock calls, for kernels and containers that
 * forbid io_uring. Same queues, limits and order; none of the savings: each operation is a call.
 *
 * Sockets share one private port and one thread, so that the two completion queues of a socket may
 * differ. A socket that the program has associated with its own port, for ConnectEx say, uses an
 * event per direction instead. Calls run under the completion queue's lock. A socket made without
 * WSA_FLAG_OVERLAPPED is synchronous to Wine, its calls block: each runs on a thread of the pool,
 * without the lock. (Under riorun there are none: the hooks add the flag.) */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gate.h"
#include "linux_abi.h"
#include "provider.h"

#define EMULATED_BATCH 64u
#define EMULATED_MARK 0x52494F21u /* in the offset of our OVERLAPPEDs, which no socket uses */
#define EMULATED_DRAIN_ROUNDS 100 /* of a millisecond: for cancelled calls to end */

typedef struct emulated_lane {
    OVERLAPPED overlapped; /* first: the port hands it back */
    rs_rio_lane *lane;     /* NULL: freed with its call not over */
    HANDLE event, wait;    /* NULL = completions come through the private port */
    struct emulated_lane *next_spare;
    bool out;             /* a call's packet or signal is to come */
    bool blocks;          /* calls run on a thread of the pool, */
    rs_atomic_u32 inside; /* and this many are not over */
    WSABUF buffers[RS_RIO_GATHER_MAX];
    SOCKADDR_INET address;
    INT address_bytes;
    DWORD flags;
} emulated_lane;

static struct {
    INIT_ONCE once;
    HANDLE port;
    bool gate; /* Linux calls work: this is Wine, with the Unix half loaded */
    SRWLOCK lock;
    emulated_lane *spare; /* with an event each, see emulated_keep */
} emulated = {.lock = SRWLOCK_INIT};

static void emulated_start(rs_rio_lane *lane);

static rs_cq *emulated_cq_of(const rs_rio_lane *lane) {
    return (rs_cq *)lane->cq;
}

/* ---- ends of operations ---- */

static void emulated_addresses(rs_rio_lane *lane, const emulated_lane *part) {
    static const RIO_CMSG_BUFFER no_control = {sizeof(RIO_CMSG_BUFFER)};
    const rs_rio_request *request = lane->head;
    SOCKADDR_INET own, peer = part->address;
    int size = sizeof own;
    ULONG flags = part->flags;
    if (request->remote.at != NULL && lane->direction == RS_RIO_RECV) {
        if (lane->rq->stream) {
            int peer_size = sizeof peer;
            (void)getpeername(lane->rq->socket, (struct sockaddr *)&peer, &peer_size);
        }
        rs_provider_address_out(&request->remote, &peer, sizeof peer);
    }
    memset(&own, 0, sizeof own);
    if (request->local.at != NULL &&
        getsockname(lane->rq->socket, (struct sockaddr *)&own, &size) == 0) {
        rs_provider_address_out(&request->local, &own, sizeof own);
    }
    rs_provider_address_out(&request->control, &no_control, sizeof no_control);
    rs_provider_address_out(&request->flags, &flags, sizeof flags);
}

/* Wine 8 reports a reset that came while no receive was pending as the end of the stream. */
static bool emulated_was_reset(const rs_rio_rq *rq) {
    int fd = emulated.gate ? rs_gate_socket_fd(rq->socket) : -1;
    bool reset = rs_gate_was_reset(fd, rq->received);
    rs_gate_close_fd(fd);
    return reset;
}

static void emulated_finish(rs_rio_lane *lane, int32_t error, DWORD bytes) {
    const rs_rio_request *request = lane->head;
    if (lane->closing && error) {
        error = WSA_OPERATION_ABORTED;
    }
    if (error && error != WSAEMSGSIZE) {
        rs_queue_finish(lane, error, 0);
        return;
    }
    if (lane->direction == RS_RIO_RECV) {
        lane->rq->received += bytes;
    }
    if (!error && bytes == 0 && lane->direction == RS_RIO_RECV && lane->rq->stream &&
        request->data.length > 0 && request->done == 0 && !lane->closing &&
        emulated_was_reset(lane->rq)) {
        rs_queue_finish(lane, WSAECONNRESET, 0);
        return;
    }
    emulated_addresses(lane, lane->engine);
    if (error && request->data.at != NULL) {
        rs_queue_finish(lane, error, 0);
        return; /* a truncated datagram; not if no payload was requested */
    }
    if (bytes == 0 && lane->rq->stream && lane->direction == RS_RIO_SEND &&
        request->data.length > request->done) {
        rs_queue_finish(lane, WSAECONNABORTED, 0);
        return;
    }
    rs_queue_finish(lane, RS_RIO_OK, bytes);
}

/* ---- beginnings ---- */

static int emulated_call_recv(rs_rio_lane *lane, emulated_lane *part, DWORD *bytes) {
    SOCKET s = lane->rq->socket;
    part->flags = 0;
    if (lane->rq->stream) {
        return WSARecv(s, part->buffers, 1, bytes, &part->flags, &part->overlapped, NULL);
    }
    memset(&part->address, 0, sizeof part->address);
    part->address_bytes = sizeof part->address;
    return WSARecvFrom(s, part->buffers, 1, bytes, &part->flags, (struct sockaddr *)&part->address,
                       &part->address_bytes, &part->overlapped, NULL);
}

static int emulated_call_send(rs_rio_lane *lane, emulated_lane *part, DWORD count, DWORD *bytes) {
    const rs_rio_segment *remote = &lane->head->remote;
    SOCKET s = lane->rq->socket;
    if (remote->at == NULL) {
        return WSASend(s, part->buffers, count, bytes, 0, &part->overlapped, NULL);
    }
    memcpy(&part->address, remote->at, sizeof part->address);
    part->address_bytes = part->address.si_family == AF_INET6 ? (INT)sizeof(struct sockaddr_in6)
                                                              : (INT)sizeof(struct sockaddr_in);
    return WSASendTo(s, part->buffers, 1, bytes, 0, (const struct sockaddr *)&part->address,
                     part->address_bytes, &part->overlapped, NULL);
}

static void emulated_fill(rs_rio_lane *lane, emulated_lane *part, uint32_t count) {
    const rs_rio_request *request = lane->head;
    for (uint32_t i = 0; i < count; i++, request = request->next) {
        part->buffers[i].buf = request->data.at + request->done;
        part->buffers[i].len = request->data.length - request->done;
    }
    memset(&part->overlapped, 0, sizeof part->overlapped);
    part->overlapped.Offset = EMULATED_MARK;
    part->overlapped.OffsetHigh = (DWORD)(uintptr_t)part;
    if (part->event != NULL) {
        /* The low bit keeps the packet out of the program's port. */
        part->overlapped.hEvent = (HANDLE)((uintptr_t)part->event | 1u);
    }
}

static int emulated_call(rs_rio_lane *lane, DWORD count, DWORD *bytes) {
    emulated_lane *part = lane->engine;
    int result = lane->direction == RS_RIO_RECV ? emulated_call_recv(lane, part, bytes)
                                                : emulated_call_send(lane, part, count, bytes);
    return result == 0 ? 0 : WSAGetLastError();
}

static bool emulated_begin_blocking(rs_rio_lane *lane);

/* One call. Returns true if it completed at once, successfully or not, and no packet follows. */
static bool emulated_begin(rs_rio_lane *lane, uint32_t count) {
    emulated_lane *part = lane->engine;
    DWORD bytes = 0;
    int error;
    rs_queue_start(lane, count);
    emulated_fill(lane, part, count);
    if (part->blocks) {
        return emulated_begin_blocking(lane);
    }
    error = emulated_call(lane, count, &bytes);
    /* With an event, a success is signalled too, or about to be. */
    part->out = error == WSA_IO_PENDING || (error == 0 && part->event != NULL);
    if (!part->out) {
        emulated_finish(lane, error, bytes);
    }
    return !part->out;
}

static void emulated_start(rs_rio_lane *lane) {
    uint32_t count = rs_queue_startable(lane);
    while (count > 0 && emulated_begin(lane, count)) {
        count = rs_queue_startable(lane);
    }
}

/* ---- completions ---- */

/* The operation in progress is over, under the queue's lock. */
static void emulated_end(rs_rio_lane *lane, int error, DWORD bytes) {
    emulated_finish(lane, error, bytes);
    if (lane->closing) {
        rs_queue_abort(lane);
    } else if (!lane->cq->dead) {
        emulated_start(lane);
    }
}

static void emulated_complete(emulated_lane *part) {
    rs_rio_lane *lane = part->lane;
    rs_cq *cq;
    DWORD bytes = 0, flags = 0;
    int error = 0;
    if (lane == NULL) {
        return;
    }
    cq = emulated_cq_of(lane);
    rs_cq_lock(cq);
    part->out = false;
    if (lane->running == 0) {
        rs_cq_unlock(cq); /* its queue was closed under it */
        return;
    }
    if (part->overlapped.Internal != 0) {
        error = WSA_OPERATION_ABORTED;
        if (!lane->closing &&
            !WSAGetOverlappedResult(lane->rq->socket, &part->overlapped, &bytes, FALSE, &flags)) {
            error = WSAGetLastError();
        }
    }
    part->flags = flags;
    emulated_end(lane, error, (DWORD)part->overlapped.InternalHigh);
    rs_cq_leave(cq);
}

/* ---- synchronous sockets ---- */

static DWORD WINAPI emulated_block(void *argument) {
    emulated_lane *part = argument;
    rs_rio_lane *lane = part->lane;
    rs_cq *cq = emulated_cq_of(lane);
    DWORD count, bytes = 0;
    int error = WSA_OPERATION_ABORTED;
    bool closing;
    rs_cq_lock(cq);
    closing = lane->closing || cq->core.dead;
    count = lane->running;
    rs_cq_unlock(cq);
    if (!closing) {
        error = emulated_call(lane, count, &bytes);
    }
    rs_cq_lock(cq);
    if (lane->running > 0) { /* else its queue was closed under it */
        emulated_end(lane, error, bytes);
    }
    (void)rs_atomic_add_u32(&part->inside, UINT32_MAX); /* minus one */
    rs_cq_leave(cq);
    return 0;
}

static bool emulated_begin_blocking(rs_rio_lane *lane) {
    emulated_lane *part = lane->engine;
    (void)rs_atomic_add_u32(&part->inside, 1);
    if (QueueUserWorkItem(emulated_block, part, WT_EXECUTELONGFUNCTION)) {
        return false;
    }
    (void)rs_atomic_add_u32(&part->inside, UINT32_MAX); /* minus one */
    emulated_finish(lane, WSAENOBUFS, 0);
    return true;
}

/* The program's own overlapped calls on the socket, DisconnectEx say, post their packets here too:
 * the program has no port there and waits for them in another way. */
static bool emulated_is_ours(const OVERLAPPED *overlapped) {
    return overlapped->Offset == EMULATED_MARK &&
           overlapped->OffsetHigh == (DWORD)(uintptr_t)overlapped;
}

static DWORD WINAPI emulated_serve(void *unused) {
    OVERLAPPED_ENTRY entries[EMULATED_BATCH];
    ULONG count = 0;
    (void)unused;
    while (GetQueuedCompletionStatusEx(emulated.port, entries, EMULATED_BATCH, &count, INFINITE,
                                       FALSE)) {
        for (ULONG i = 0; i < count; i++) {
            if (emulated_is_ours(entries[i].lpOverlapped)) {
                emulated_complete((emulated_lane *)(void *)entries[i].lpOverlapped);
            }
        }
    }
    return 0;
}

static BOOL CALLBACK emulated_initialise(INIT_ONCE *once, void *unused, void **context) {
    const char *why = NULL; /* without it only resets are told worse */
    HANDLE thread;
    (void)once;
    (void)unused;
    (void)context;
    emulated.gate = rs_gate_open(&why);
    emulated.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    thread = emulated.port != NULL ? CreateThread(NULL, 0, emulated_serve, NULL, 0, NULL) : NULL;
    if (thread == NULL) {
        return FALSE;
    }
    CloseHandle(thread);
    return TRUE;
}

/* ---- queues ---- */

static bool emulated_open_cq(rs_cq *cq) {
    (void)cq;
    return InitOnceExecuteOnce(&emulated.once, emulated_initialise, NULL, NULL) != 0;
}

static void emulated_cancel(rs_rio_lane *lane) {
    emulated_lane *part = lane->engine;
    if (lane->running > 0) {
        (void)CancelIoEx((HANDLE)lane->rq->socket, &part->overlapped); /* too late is as well */
    }
}

static void emulated_close_cq(rs_cq *cq) {
    bool running = true;
    for (int i = 0; i < EMULATED_DRAIN_ROUNDS && running; i++) { /* their ends come by themselves */
        running = false;
        rs_cq_lock(cq);
        for (rs_rio_lane *lane = cq->core.first_lane; lane != NULL; lane = lane->cq_next) {
            emulated_cancel(lane);
            running = running || lane->running > 0;
        }
        rs_cq_unlock(cq);
        if (running) {
            Sleep(1);
        }
    }
}

/* An event that has been waited for keeps its wait, and both serve a later lane: closed, its number
 * could be that of a new event while the pool's thread, still about to wait for the old one, would
 * take the new one's signal and know nobody to give it to. (Wine 8 does, on a busy machine.) */
static void emulated_keep(emulated_lane *part) {
    AcquireSRWLockExclusive(&emulated.lock);
    part->next_spare = emulated.spare;
    emulated.spare = part;
    ReleaseSRWLockExclusive(&emulated.lock);
}

/* One that was kept, or NULL. */
static emulated_lane *emulated_reuse(void) {
    emulated_lane *part;
    AcquireSRWLockExclusive(&emulated.lock);
    part = emulated.spare;
    if (part != NULL) {
        emulated.spare = part->next_spare;
    }
    ReleaseSRWLockExclusive(&emulated.lock);
    return part;
}

static void emulated_free_rq(rs_rio_rq *rq) {
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        emulated_lane *part = rq->lane[d].engine;
        rq->lane[d].engine = NULL;
        if (part != NULL && part->out) {
            part->lane = NULL; /* Winsock still has its memory, which stays */
        } else if (part != NULL && part->event != NULL) {
            emulated_keep(part); /* a returning callback no longer uses it */
        } else {
            free(part);
        }
    }
}

static int emulated_open_rq(rs_rio_rq *rq) {
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        emulated_lane *part = calloc(1, sizeof *part);
        if (part == NULL) {
            emulated_free_rq(rq);
            return WSAENOBUFS;
        }
        part->lane = &rq->lane[d];
        rq->lane[d].engine = part;
    }
    return 0;
}

static void CALLBACK emulated_signalled(void *argument, BOOLEAN timed_out) {
    (void)timed_out; /* there is no time limit */
    emulated_complete(argument);
}

static bool emulated_use_event(rs_rio_lane *lane) {
    emulated_lane *part = lane->engine, *kept;
    HANDLE event;
    if (part->event != NULL) {
        return true; /* since an earlier try, which failed for the other lane */
    }
    kept = emulated_reuse();
    if (kept != NULL) {
        kept->lane = lane;
        lane->engine = kept;
        free(part);
        return true;
    }
    event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (event == NULL) {
        return false;
    }
    if (!RegisterWaitForSingleObject(&part->wait, event, emulated_signalled, part, INFINITE,
                                     WT_EXECUTEDEFAULT)) {
        CloseHandle(event);
        return false;
    }
    part->event = event;
    return true;
}

/* Made without WSA_FLAG_OVERLAPPED. */
static bool emulated_is_synchronous(SOCKET s) {
    typedef LONG(WINAPI * query_file)(HANDLE file, void *status, void *out, ULONG size, int what);
    const int file_mode_information = 16;
    const ULONG synchronous = 0x30; /* FILE_SYNCHRONOUS_IO_ALERT, _NONALERT */
    FARPROC found = GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtQueryInformationFile");
    void *status[2];
    ULONG mode = 0;
    query_file query;

    memcpy(&query, &found, sizeof query);
    return query != NULL &&
           query((HANDLE)s, status, &mode, sizeof mode, file_mode_information) == 0 &&
           (mode & synchronous);
}

/* One call is in progress, and what comes meanwhile has to find room in the socket. */
static void emulated_make_room(const rs_rio_rq *rq) {
    int fd = emulated.gate ? rs_gate_socket_fd(rq->socket) : -1;
    rs_gate_make_room(fd, rq->lane[RS_RIO_RECV].limit);
    rs_gate_close_fd(fd);
}

static bool emulated_never_connected(SOCKET s) {
    int fd = emulated.gate ? rs_gate_socket_fd(s) : -1;
    bool never = rs_gate_never_connected(fd);
    rs_gate_close_fd(fd);
    return never;
}

/* At the first request that finds a connection: AcceptEx and ConnectEx need the socket as it is
 * until they complete, and their packets are the program's. */
static int emulated_bind_rq(rs_rio_rq *rq) {
    HANDLE handle = (HANDLE)rq->socket;
    UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (rq->stream && emulated_never_connected(rq->socket)) {
        return WSAENOTCONN;
    }
    if (!rq->stream) {
        emulated_make_room(rq);
    }
    if (emulated_is_synchronous(rq->socket)) {
        for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
            ((emulated_lane *)rq->lane[d].engine)->blocks = true;
        }
        return 0;
    }

    if (CreateIoCompletionPort(handle, emulated.port, 0, 0) != NULL &&
        SetFileCompletionNotificationModes(handle, modes)) {
        return 0;
    }
    return emulated_use_event(&rq->lane[RS_RIO_RECV]) && emulated_use_event(&rq->lane[RS_RIO_SEND])
               ? 0
               : WSAENOBUFS;
}

/* A call on a thread of the pool must be over before the handle's number can be another socket's.
 * Cancelling what has not begun yet does nothing, and so it is done again. */
static void emulated_close_rq(rs_rio_rq *rq) {
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        emulated_lane *part = rq->lane[d].engine;
        for (int i = 0; i < EMULATED_DRAIN_ROUNDS && rs_atomic_load_u32(&part->inside) > 0; i++) {
            (void)CancelIoEx((HANDLE)rq->socket, &part->overlapped); /* too early is no harm */
            Sleep(1);
        }
    }
}

static void emulated_nothing(rs_cq *cq) {
    (void)cq; /* completions come by themselves */
}

static void emulated_arm(rs_cq *cq, bool on) {
    (void)cq; /* every completion passes rs_cq_leave */
    (void)on;
}

const rs_engine rs_engine_emulated = {
    .name = "emulated",
    .open_cq = emulated_open_cq,
    .close_cq = emulated_close_cq,
    .open_rq = emulated_open_rq,
    .bind_rq = emulated_bind_rq,
    .close_rq = emulated_close_rq,
    .free_rq = emulated_free_rq,
    .start = emulated_start,
    .flush = emulated_nothing,
    .harvest = emulated_nothing,
    .cancel = emulated_cancel,
    .arm = emulated_arm,
    .forget_buffer = NULL,
};
