/* SPDX-License-Identifier: MIT */
/* Argument checks, limits and error codes of the 13 functions; the work is queue.c's and the
 * engine's. Each function follows its own page in the Windows SDK documentation. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "lazy.h"
#include "sockets.h"
#include "wait.h"

#define TABLE_FLAGS_SEND (RIO_MSG_DONT_NOTIFY | RIO_MSG_DEFER | RIO_MSG_COMMIT_ONLY)
#define TABLE_FLAGS_RECV (TABLE_FLAGS_SEND | RIO_MSG_WAITALL)

/* One call of RIOSend(Ex) or RIOReceive(Ex). */
typedef struct table_call {
    RIO_RQ queue;
    rs_rio_direction direction;
    const RIO_BUF *data;
    ULONG count;
    const RIO_BUF *local, *remote, *control, *out_flags;
    DWORD flags;
    PVOID context;
} table_call;

static uint64_t table_number(const void *handle) {
    return (uint64_t)(uintptr_t)handle;
}

static BOOL table_fail(int error) {
    WSASetLastError(error);
    return FALSE;
}

rs_cq *rs_table_cq(RIO_CQ handle) {
    return rs_handle_find(&rs_provider_state()->cqs, table_number(handle));
}

static rs_rio_rq *table_rq(RIO_RQ handle) {
    return rs_handle_find(&rs_provider_state()->rqs, table_number(handle));
}

/* ---- buffers ---- */

static bool table_is_writable(const char *base, DWORD length) {
    const DWORD writable =
        PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    const char *at = base;
    MEMORY_BASIC_INFORMATION info;
    while (at < base + length) {
        if (!VirtualQuery(at, &info, sizeof info) || info.State != MEM_COMMIT ||
            !(info.Protect & writable) || (info.Protect & PAGE_GUARD)) {
            return false;
        }
        at = (const char *)info.BaseAddress + info.RegionSize;
    }
    return true;
}

static RIO_BUFFERID PASCAL table_register_buffer(PCHAR base, DWORD length) {
    rs_provider *provider = rs_provider_state();
    rs_buffer *buffer;
    uint64_t handle;
    if (length == 0 || base == NULL || !table_is_writable(base, length)) {
        WSASetLastError(length == 0 ? WSAEINVAL : WSAEFAULT);
        return RIO_INVALID_BUFFERID;
    }
    buffer = calloc(1, sizeof *buffer);
    AcquireSRWLockExclusive(&provider->lock);
    handle = buffer != NULL ? rs_handle_open(&provider->buffers, buffer) : 0;
    if (handle) {
        buffer->base = base;
        buffer->length = length;
        buffer->index = (uint32_t)handle - 1;
    }
    ReleaseSRWLockExclusive(&provider->lock);
    if (!handle) {
        free(buffer);
        WSASetLastError(WSAENOBUFS);
        return RIO_INVALID_BUFFERID;
    }
    return (RIO_BUFFERID)(uintptr_t)handle;
}

static VOID PASCAL table_deregister_buffer(RIO_BUFFERID id) {
    rs_provider *provider = rs_provider_state();
    rs_buffer *buffer;
    AcquireSRWLockExclusive(&provider->lock);
    buffer = rs_handle_find(&provider->buffers, table_number(id));
    if (buffer != NULL) {
        if (provider->engine->forget_buffer != NULL) {
            provider->engine->forget_buffer(buffer);
        }
        (void)rs_handle_close(&provider->buffers, table_number(id)); /* found just above */
    }
    ReleaseSRWLockExclusive(&provider->lock);
    free(buffer);
}

/* A slice of a registration; NULL is "not asked for". 0 or a Winsock error. */
static int table_segment(rs_rio_segment *out, const RIO_BUF *slice, ULONG bytes_min) {
    rs_provider *provider = rs_provider_state();
    const rs_buffer *buffer;
    if (slice == NULL) {
        return 0;
    }
    buffer = rs_handle_find(&provider->buffers, table_number(slice->BufferId));
    if (buffer == NULL) {
        return rs_handle_was(&provider->buffers, table_number(slice->BufferId)) ? WSAEFAULT
                                                                                : WSAEINVAL;
    }
    if (slice->Offset > buffer->length || slice->Length > buffer->length - slice->Offset ||
        slice->Length < bytes_min) {
        return WSAEINVAL;
    }
    out->at = buffer->base + slice->Offset;
    out->length = slice->Length;
    out->buffer = buffer->index;
    return 0;
}

/* ---- requests ---- */

static int table_check_commit(const table_call *call) {
    bool bare = call->flags == RIO_MSG_COMMIT_ONLY && call->data == NULL && call->count == 0 &&
                call->local == NULL && call->remote == NULL && call->control == NULL &&
                call->out_flags == NULL && call->context == NULL;
    return bare ? 0 : WSAEINVAL;
}

static int table_check(const table_call *call, const rs_rio_rq *rq) {
    DWORD allowed = call->direction == RS_RIO_SEND ? TABLE_FLAGS_SEND : TABLE_FLAGS_RECV;
    if (call->flags & ~allowed) {
        return WSAEINVAL;
    }
    if (call->flags & RIO_MSG_COMMIT_ONLY) {
        return table_check_commit(call);
    }
    if (call->count > 1 || (call->count == 1) != (call->data != NULL)) {
        return WSAEINVAL;
    }
    if (rq->stream && call->count == 0) {
        return WSAEINVAL; /* documented for bound UDP sockets only */
    }
    if (!rq->stream && call->flags & RIO_MSG_WAITALL) {
        return WSAEOPNOTSUPP;
    }
    if (call->direction == RS_RIO_SEND && call->local != NULL) {
        return WSAEINVAL; /* reserved */
    }
    return 0;
}

static int table_segments(rs_rio_request *out, const table_call *call) {
    ULONG address = sizeof(SOCKADDR_INET);
    int error = table_segment(&out->data, call->data, 0);
    if (!error) {
        error = table_segment(&out->local, call->local, address);
    }
    if (!error) {
        error = table_segment(&out->remote, call->remote, address);
    }
    if (!error) {
        error = table_segment(&out->control, call->control, sizeof(RIO_CMSG_BUFFER));
    }
    if (!error) {
        error = table_segment(&out->flags, call->out_flags, sizeof(ULONG));
    }
    return error;
}

/* More was committed than one operation carries: send as much as the kernel takes now, since the
 * program may not call again for a while. Terminates: each round completes a request. */
static void table_push(rs_cq *cq, const rs_rio_lane *lane) {
    const rs_engine *engine = rs_provider_state()->engine;
    uint32_t before;
    do {
        engine->flush(cq);
        before = lane->committed;
        engine->harvest(cq);
    } while (lane->committed < before);
}

/* Under the lock: everything accepted so far may start, and starts now or with the next flush. The
 * program of an armed queue is about to sleep: nothing is delayed then. */
static void table_commit(rs_cq *cq, rs_rio_lane *lane, bool may_wait) {
    const rs_provider *provider = rs_provider_state();
    bool joins = lane->standing && lane->rq->stream; /* waits for nothing before it */
    bool idle;
    rs_queue_commit(lane);
    if (!joins && (lane->standing || (lane->running > 0 && lane->committed > lane->running))) {
        provider->engine->harvest(cq); /* is the one before us done already? */
    }
    idle = lane->running == 0;
    provider->engine->start(lane);
    if (idle && lane->direction == RS_RIO_SEND && lane->committed > lane->running) {
        table_push(cq, lane);
    } else if (may_wait && !cq->core.armed && provider->settings.lazy &&
               provider->engine == &rs_engine_uring) {
        rs_lazy_commit(cq);
    } else {
        provider->engine->flush(cq);
    }
}

static BOOL table_commit_only(rs_rio_lane *lane) {
    rs_cq *cq = (rs_cq *)lane->cq;
    rs_cq_lock(cq);
    if (cq->core.dead) {
        rs_cq_unlock(cq);
        return table_fail(WSAEINVAL);
    }
    if (lane->committed < lane->queued) {
        table_commit(cq, lane, true);
    }
    rs_cq_leave(cq);
    return TRUE;
}

/* Under the lock: fills in a request of the lane's own. */
static void table_fill(rs_rio_lane *lane, rs_rio_request *request, const rs_rio_request *filled) {
    rs_rio_request *next = request->next;
    *request = *filled;
    request->next = next;
    if (filled->data.length > lane->widest) {
        lane->widest = filled->data.length;
    }
    lane->asks_local = lane->asks_local || filled->local.at != NULL;
}

/* early: 0, or with what it fails at once, on a lane that has run nothing yet. */
static BOOL table_queue(rs_rio_lane *lane, const rs_rio_request *filled, bool defer, int early) {
    rs_cq *cq = (rs_cq *)lane->cq;
    rs_rio_request *request;
    rs_cq_lock(cq);
    request = cq->core.dead ? NULL : rs_queue_accept(lane);
    if (request == NULL) {
        int error = cq->core.dead ? WSAEINVAL : WSAENOBUFS;
        rs_cq_unlock(cq);
        return table_fail(error);
    }
    table_fill(lane, request, filled);
    if (early) {
        rs_queue_commit(lane);
        rs_queue_start(lane, 1);
        rs_queue_finish(lane, early, 0);
    } else if (!defer) {
        table_commit(cq, lane, false);
    }
    rs_cq_leave(cq);
    return TRUE;
}

/* Takes the socket over, once it has a connection. A request before that is accepted and fails, as
 * one does whose connection has gone, and leaves the socket as it is. */
static int table_bind(rs_rio_rq *rq) {
    int error = rq->bound ? 0 : rs_provider_state()->engine->bind_rq(rq);
    rq->bound = error == 0;
    return error;
}

static BOOL table_request(const table_call *call) {
    rs_rio_rq *rq = table_rq(call->queue);
    rs_rio_lane *lane = rq != NULL ? &rq->lane[call->direction] : NULL;
    rs_rio_request filled = {.lane = lane};
    int error = rq != NULL ? table_check(call, rq) : WSAEINVAL;
    int early;
    if (error) {
        return table_fail(error);
    }
    if (call->flags & RIO_MSG_COMMIT_ONLY) {
        return table_commit_only(lane);
    }
    error = table_segments(&filled, call);
    if (error) {
        return table_fail(error);
    }
    early = table_bind(rq);
    if (early && early != WSAENOTCONN) {
        return table_fail(early);
    }
    filled.context = table_number(call->context);
    filled.silent = (call->flags & RIO_MSG_DONT_NOTIFY) != 0;
    filled.wait_all = (call->flags & RIO_MSG_WAITALL) != 0;
    return table_queue(lane, &filled, (call->flags & RIO_MSG_DEFER) != 0, early);
}

static BOOL table_post(rs_rio_direction direction, RIO_RQ queue, PRIO_BUF data, ULONG count,
                       PRIO_BUF local, PRIO_BUF remote, PRIO_BUF control, PRIO_BUF out_flags,
                       DWORD flags, PVOID context) {
    return table_request(&(const table_call){queue, direction, data, count, local, remote, control,
                                             out_flags, flags, context});
}

static int PASCAL table_receive_ex(RIO_RQ queue, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                   PRIO_BUF remote, PRIO_BUF control, PRIO_BUF out_flags,
                                   DWORD flags, PVOID context) {
    return table_post(RS_RIO_RECV, queue, data, count, local, remote, control, out_flags, flags,
                      context);
}

static BOOL PASCAL table_send_ex(RIO_RQ queue, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                 PRIO_BUF remote, PRIO_BUF control, PRIO_BUF out_flags, DWORD flags,
                                 PVOID context) {
    return table_post(RS_RIO_SEND, queue, data, count, local, remote, control, out_flags, flags,
                      context);
}

static BOOL PASCAL table_receive(RIO_RQ queue, PRIO_BUF data, ULONG count, DWORD flags,
                                 PVOID context) {
    return table_post(RS_RIO_RECV, queue, data, count, NULL, NULL, NULL, NULL, flags, context);
}

static BOOL PASCAL table_send(RIO_RQ queue, PRIO_BUF data, ULONG count, DWORD flags,
                              PVOID context) {
    return table_post(RS_RIO_SEND, queue, data, count, NULL, NULL, NULL, NULL, flags, context);
}

/* ---- completion queues ---- */

static int table_check_notification(const RIO_NOTIFICATION_COMPLETION *how) {
    if (how == NULL) {
        return 0;
    }
    if (how->Type == RIO_EVENT_COMPLETION) {
        return how->Event.EventHandle != NULL ? 0 : WSAEINVAL;
    }
    if (how->Type == RIO_IOCP_COMPLETION) {
        return how->Iocp.IocpHandle != NULL && how->Iocp.Overlapped != NULL ? 0 : WSAEINVAL;
    }
    return WSAEINVAL;
}

static RIO_CQ table_no_cq(int error) {
    WSASetLastError(error);
    return RIO_INVALID_CQ;
}

static RIO_CQ PASCAL table_create_cq(DWORD size, PRIO_NOTIFICATION_COMPLETION how) {
    rs_provider *provider = rs_provider_state();
    int error = size < 1 || size > RIO_MAX_CQ_SIZE ? WSAEINVAL : table_check_notification(how);
    rs_cq *cq;
    if (error) {
        return table_no_cq(error);
    }
    cq = calloc(1, sizeof *cq);
    if (cq == NULL) {
        return table_no_cq(WSAENOBUFS);
    }
    cq->core.size = size;
    if (how != NULL) {
        cq->notifies = true;
        cq->notification = *how;
    }
    if (!provider->engine->open_cq(cq)) {
        free(cq);
        return table_no_cq(WSAENOBUFS);
    }
    AcquireSRWLockExclusive(&provider->lock);
    cq->core.handle = rs_handle_open(&provider->cqs, cq);
    ReleaseSRWLockExclusive(&provider->lock);
    if (!cq->core.handle) {
        cq->core.dead = true;
        provider->engine->close_cq(cq);
        free(cq);
        return table_no_cq(WSAENOBUFS);
    }
    return (RIO_CQ)(uintptr_t)cq->core.handle;
}

static void table_forget_lanes(rs_cq *cq) {
    rs_rio_lane *lane = cq->core.first_lane;
    cq->core.ready_head = cq->core.ready_tail = NULL;
    cq->core.ready = cq->core.ready_loud = 0;
    while (lane != NULL) {
        rs_rio_lane *next = lane->cq_next;
        rs_queue_forget(lane);
        lane = next;
    }
}

static VOID PASCAL table_close_cq(RIO_CQ handle) {
    rs_provider *provider = rs_provider_state();
    bool last;
    rs_cq *cq;
    AcquireSRWLockExclusive(&provider->lock);
    cq = rs_handle_close(&provider->cqs, table_number(handle));
    ReleaseSRWLockExclusive(&provider->lock);
    if (cq == NULL) {
        return;
    }
    rs_cq_lock(cq);
    cq->core.dead = true;
    cq->core.armed = false;
    rs_cq_unlock(cq);
    rs_wait_close(cq);
    provider->engine->close_cq(cq);
    rs_cq_lock(cq);
    table_forget_lanes(cq);
    last = cq->core.lanes == 0;
    rs_cq_unlock(cq);
    if (last) {
        free(cq);
    }
}

static ULONG PASCAL table_dequeue(RIO_CQ handle, PRIORESULT results, ULONG capacity) {
    const rs_engine *engine = rs_provider_state()->engine;
    rs_cq *cq = rs_table_cq(handle);
    rs_queue_result one;
    ULONG count = 0;
    bool leaves;
    if (cq == NULL || (results == NULL && capacity > 0)) {
        WSASetLastError(cq != NULL ? WSAEFAULT : WSAEINVAL);
        return RIO_CORRUPT_CQ;
    }
    rs_cq_lock(cq);
    /* Nothing is there, and the program sleeps next: its wait submits in the same system call. */
    leaves = cq->waits_here && !cq->left_unsent;
    if (!leaves) {
        engine->flush(cq);
    }
    if (cq->core.ready < capacity) {
        engine->harvest(cq);
    }
    while (count < capacity && rs_queue_take(&cq->core, &one)) {
        RIORESULT *result = &results[count++];
        result->Status = one.status;
        result->BytesTransferred = one.bytes;
        result->SocketContext = one.socket_context;
        result->RequestContext = one.request_context;
    }
    cq->left_unsent = leaves && count == 0;
    if (!cq->left_unsent) {
        engine->flush(cq); /* successors that the harvest started, too */
    }
    rs_cq_unlock(cq);
    return count;
}

#define RS_NOTIFY_PAUSE_MS 60

static INT PASCAL table_notify(RIO_CQ handle) {
    const rs_engine *engine = rs_provider_state()->engine;
    rs_cq *cq = rs_table_cq(handle);
    if (cq == NULL || !cq->notifies) {
        return WSAEINVAL;
    }
    rs_cq_lock(cq);
    if (cq->core.armed) {
        rs_cq_unlock(cq);
        return WSAEALREADY;
    }
    if (cq->notification.Type == RIO_EVENT_COMPLETION && cq->notification.Event.NotifyReset) {
        (void)ResetEvent(cq->notification.Event.EventHandle); /* the program's handle */
    }
    engine->flush(cq);
    engine->harvest(cq);
    if (cq->core.ready_loud == 0) {
        if (rs_provider_state()->settings.notify_pause) {
            Sleep(RS_NOTIFY_PAUSE_MS);
        }
        engine->arm(cq, true);
        engine->harvest(cq); /* what completed between the check and the arming */
    }
    engine->flush(cq);
    cq->core.armed = true;
    rs_cq_leave(cq); /* fires at once when something waits */
    return ERROR_SUCCESS;
}

static BOOL PASCAL table_resize_cq(RIO_CQ handle, DWORD size) {
    rs_cq *cq = rs_table_cq(handle);
    int error;
    if (cq == NULL || size < 1 || size > RIO_MAX_CQ_SIZE) {
        return table_fail(WSAEINVAL);
    }
    rs_cq_lock(cq);
    error = rs_queue_resize_cq(&cq->core, size);
    rs_cq_unlock(cq);
    return error ? table_fail(error) : TRUE;
}

/* ---- request queues ---- */

static RIO_RQ table_no_rq(int error) {
    WSASetLastError(error);
    return RIO_INVALID_RQ;
}

/* Kind and family of the socket. 0 or a Winsock error. */
static int table_inspect(SOCKET s, rs_rio_rq *rq) {
    WSAPROTOCOL_INFOW info;
    int size = sizeof info;
    if (getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size) != 0) {
        return WSAGetLastError();
    }
    if (info.iSocketType != SOCK_STREAM && info.iSocketType != SOCK_DGRAM) {
        return WSAEOPNOTSUPP;
    }
    if (!rs_socket_may(s)) {
        return WSAEOPNOTSUPP; /* made without WSA_FLAG_REGISTERED_IO */
    }
    rq->stream = info.iSocketType == SOCK_STREAM;
    rq->ipv6 = info.iAddressFamily == AF_INET6;
    return 0;
}

static int table_attach(rs_rio_rq *rq, rs_cq *cq, rs_rio_direction direction, ULONG limit) {
    int error;
    rs_cq_lock(cq);
    error = cq->core.dead ? RS_RIO_E_INVALID
                          : rs_queue_attach(&rq->lane[direction], rq, &cq->core, direction, limit);
    rs_cq_unlock(cq);
    return error;
}

static void table_detach(rs_rio_rq *rq, rs_rio_direction direction) {
    rs_cq *cq = (rs_cq *)rq->lane[direction].cq;
    rs_cq_lock(cq);
    rs_queue_detach(&rq->lane[direction]);
    rs_cq_unlock(cq);
}

static int table_join(rs_rio_rq *rq, rs_cq *recv_cq, ULONG recvs, rs_cq *send_cq, ULONG sends) {
    int error = table_attach(rq, recv_cq, RS_RIO_RECV, recvs);
    if (error) {
        return error;
    }
    error = table_attach(rq, send_cq, RS_RIO_SEND, sends);
    if (error) {
        goto undo_recv;
    }
    error = rs_provider_state()->engine->open_rq(rq);
    if (error) {
        goto undo_send;
    }
    if (rs_socket_add(rq)) {
        return 0;
    }
    error = WSAEINVAL; /* a socket has one request queue */
    rs_provider_state()->engine->free_rq(rq);
undo_send:
    table_detach(rq, RS_RIO_SEND);
undo_recv:
    table_detach(rq, RS_RIO_RECV);
    return error;
}

/* The last holder is gone: the owner has closed the socket and both lanes are empty. */
static void table_retire(rs_rio_rq *rq) {
    rs_provider_state()->engine->free_rq(rq);
    free(rq);
}

static RIO_RQ PASCAL table_create_rq(SOCKET s, ULONG recvs, ULONG recv_buffers, ULONG sends,
                                     ULONG send_buffers, RIO_CQ recv_cq, RIO_CQ send_cq,
                                     PVOID context) {
    rs_cq *recv_queue = rs_table_cq(recv_cq);
    rs_cq *send_queue = rs_table_cq(send_cq);
    rs_rio_rq *rq;
    int error;
    if (recv_queue == NULL || send_queue == NULL || (recvs == 0 && sends == 0) ||
        recv_buffers != 1 || send_buffers != 1) {
        return table_no_rq(WSAEINVAL);
    }
    rq = calloc(1, sizeof *rq);
    if (rq == NULL) {
        return table_no_rq(WSAENOBUFS);
    }
    rq->socket = s;
    rq->context = table_number(context);
    rq->fd = rq->file = -1;
    rq->retire = table_retire;
    rs_atomic_store_u32(&rq->holders, RS_RIO_DIRECTIONS + 1);
    error = table_inspect(s, rq);
    if (!error) {
        error = table_join(rq, recv_queue, recvs, send_queue, sends);
    }
    if (error) {
        free(rq);
        return table_no_rq(error);
    }
    return (RIO_RQ)(uintptr_t)rq->handle;
}

static int table_resize_lane(rs_rio_lane *lane, DWORD limit) {
    rs_cq *cq = (rs_cq *)lane->cq;
    int error;
    rs_cq_lock(cq);
    error = cq->core.dead ? RS_RIO_E_INVALID : rs_queue_resize_lane(lane, limit);
    rs_cq_unlock(cq);
    return error;
}

static BOOL PASCAL table_resize_rq(RIO_RQ handle, DWORD recvs, DWORD sends) {
    rs_rio_rq *rq = table_rq(handle);
    DWORD before;
    int error;
    if (rq == NULL || (recvs == 0 && sends == 0)) {
        return table_fail(WSAEINVAL);
    }
    before = rq->lane[RS_RIO_RECV].limit;
    error = table_resize_lane(&rq->lane[RS_RIO_RECV], recvs);
    if (error) {
        return table_fail(error);
    }
    error = table_resize_lane(&rq->lane[RS_RIO_SEND], sends);
    if (error) {
        (void)table_resize_lane(&rq->lane[RS_RIO_RECV], before); /* back: it fitted before */
        return table_fail(error);
    }
    return TRUE;
}

/* ---- the table ---- */

static bool table_choose_engine(rs_provider *provider) {
    const char *why = "";
    if (!rs_settings_read(&provider->settings)) {
        return false;
    }
    provider->engine = &rs_engine_emulated;
    if (provider->settings.mode == RS_MODE_EMULATED) {
        return true;
    }
    if (rs_engine_uring_usable(&why)) {
        provider->engine = &rs_engine_uring;
        return true;
    }
    if (provider->settings.mode == RS_MODE_URING) {
        fprintf(stderr, "ringside_rio: %s\n", why);
        return false;
    }
    return true;
}

static BOOL CALLBACK table_initialise(INIT_ONCE *once, void *unused, void **context) {
    (void)once;
    (void)unused;
    (void)context;
    return table_choose_engine(rs_provider_state());
}

bool rs_table_fill(RIO_EXTENSION_FUNCTION_TABLE *out) {
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    if (!InitOnceExecuteOnce(&once, table_initialise, NULL, NULL)) {
        return false;
    }
    *out = (RIO_EXTENSION_FUNCTION_TABLE){
        .cbSize = sizeof *out,
        .RIOReceive = table_receive,
        .RIOReceiveEx = table_receive_ex,
        .RIOSend = table_send,
        .RIOSendEx = table_send_ex,
        .RIOCloseCompletionQueue = table_close_cq,
        .RIOCreateCompletionQueue = table_create_cq,
        .RIOCreateRequestQueue = table_create_rq,
        .RIODequeueCompletion = table_dequeue,
        .RIODeregisterBuffer = table_deregister_buffer,
        .RIONotify = table_notify,
        .RIORegisterBuffer = table_register_buffer,
        .RIOResizeCompletionQueue = table_resize_cq,
        .RIOResizeRequestQueue = table_resize_rq,
    };
    return true;
}
