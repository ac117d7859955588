/* SPDX-License-Identifier: MIT */
/* The thirteen functions with the checks before and after. A handle that the program holds is the
 * address of the checker's record; the provider's own handle is in there. */
#include "rio/rio_verify_table.h"

#include "core/assert.h"

/* Calls at the same time that are looked at; more than that go unseen. */
#define CHECKED_USES_MAX 64u
#define CHECKED_YIELD_USES 4u

/* A queue that a thread's call uses now or is about to use. */
typedef struct checked_use {
    uintptr_t queue; /* 0: free */
    DWORD thread;
    rs_rv_check check; /* what a second one is */
} checked_use;

static struct {
    SRWLOCK lock;
    rs_rio_api inner;
    rs_rio_verify *verify;
    uint32_t users;
    bool any_thread;
    SRWLOCK uses_lock; /* innermost */
    uint32_t uses_begun;
    checked_use uses[CHECKED_USES_MAX];
} checked = {.lock = SRWLOCK_INIT, .uses_lock = SRWLOCK_INIT};

/* Records a use. Returns the thread that uses the same queue, 0 = none. */
static DWORD checked_begin_use(uintptr_t queue, rs_rv_check check) {
    checked_use *free_use = NULL;
    DWORD other = 0;
    bool yields;
    AcquireSRWLockExclusive(&checked.uses_lock);
    yields = ++checked.uses_begun % CHECKED_YIELD_USES == 0;
    for (uint32_t i = 0; i < CHECKED_USES_MAX; i++) {
        checked_use *use = &checked.uses[i];

        if (use->queue == queue && use->check == check) {
            other = use->thread;
        }
        free_use = use->queue == 0 ? use : free_use;
    }
    if (free_use != NULL) {
        *free_use = (checked_use){queue, GetCurrentThreadId(), check};
    }
    ReleaseSRWLockExclusive(&checked.uses_lock);
    if (yields) {
        (void)SwitchToThread(); /* gives another thread the chance to enter illegally */
    }
    return other;
}

static void checked_end_use(uintptr_t queue, rs_rv_check check) {
    DWORD thread = GetCurrentThreadId();
    AcquireSRWLockExclusive(&checked.uses_lock);
    for (uint32_t i = 0; i < CHECKED_USES_MAX; i++) {
        checked_use *use = &checked.uses[i];

        if (use->queue == queue && use->thread == thread && use->check == check) {
            use->queue = 0;
            break;
        }
    }
    ReleaseSRWLockExclusive(&checked.uses_lock);
}

static void checked_enter(const char *call, uintptr_t queue) {
    AcquireSRWLockExclusive(&checked.lock);
    rs_rv_enter(checked.verify, call, queue);
}

static void checked_leave(void) {
    DWORD os_error = GetLastError(); /* the provider's, for the program */
    ReleaseSRWLockExclusive(&checked.lock);
    SetLastError(os_error);
}

/* The same for a call that must have the queue for itself. check: RS_RV_RQ_THREAD, _CQ_THREAD. */
static void checked_enter_alone(const char *call, uintptr_t queue, rs_rv_check check) {
    DWORD other = checked.any_thread ? checked_begin_use(queue, check) : 0;
    checked_enter(call, queue);
    if (other != 0) {
        rs_rv_two_threads(checked.verify, check, other);
    }
}

static void checked_leave_alone(uintptr_t queue, rs_rv_check check) {
    if (checked.any_thread) {
        checked_end_use(queue, check);
    }
    checked_leave();
}

static uint64_t checked_thread(void) {
    return GetCurrentThreadId();
}

/* ---- handles. The records are found, not trusted: a program may pass anything. */

static uintptr_t checked_number(const void *handle) {
    return (uintptr_t)handle;
}

static rs_rv_cq *checked_cq(RIO_CQ cq) {
    return cq == RIO_INVALID_CQ ? NULL : rs_rv_cq_find(checked.verify, checked_number(cq));
}

static rs_rv_rq *checked_rq(RIO_RQ rq) {
    return rq == RIO_INVALID_RQ ? NULL : rs_rv_rq_find(checked.verify, checked_number(rq));
}

static rs_rv_buffer *checked_buffer(RIO_BUFFERID id) {
    return rs_rv_buffer_find(checked.verify, checked_number(id));
}

static RIO_CQ inner_cq(const rs_rv_cq *cq) {
    return cq == NULL ? RIO_INVALID_CQ : (RIO_CQ)rs_rv_cq_inner(cq);
}

static RIO_RQ inner_rq(const rs_rv_rq *rq) {
    return rq == NULL ? RIO_INVALID_RQ : (RIO_RQ)rs_rv_rq_inner(rq);
}

static RIO_BUFFERID inner_id(RIO_BUFFERID id) {
    rs_rv_buffer *buffer = checked_buffer(id);
    return buffer == NULL ? RIO_INVALID_BUFFERID : (RIO_BUFFERID)rs_rv_buffer_inner(buffer);
}

/* ---- buffers */

static RIO_BUFFERID PASCAL FAR checked_RIORegisterBuffer(PCHAR data, DWORD bytes) {
    RIO_BUFFERID id;
    checked_enter("RIORegisterBuffer", 0);
    id = checked.inner.fn.RIORegisterBuffer(data, bytes);
    if (id != RIO_INVALID_BUFFERID) {
        id = (RIO_BUFFERID)(void *)rs_rv_register(checked.verify, data, bytes, (uintptr_t)id);
    }
    checked_leave();
    return id;
}

static void PASCAL FAR checked_RIODeregisterBuffer(RIO_BUFFERID id) {
    rs_rv_buffer *buffer;
    checked_enter("RIODeregisterBuffer", 0);
    buffer = checked_buffer(id);
    if (buffer != NULL) {
        RIO_BUFFERID inner = (RIO_BUFFERID)rs_rv_buffer_inner(buffer);

        rs_rv_deregister(checked.verify, buffer);
        checked.inner.fn.RIODeregisterBuffer(inner);
    }
    checked_leave();
}

/* ---- completion queues */

static RIO_CQ PASCAL FAR checked_RIOCreateCompletionQueue(DWORD entries,
                                                          PRIO_NOTIFICATION_COMPLETION how) {
    RIO_CQ cq;
    checked_enter("RIOCreateCompletionQueue", 0);
    cq = checked.inner.fn.RIOCreateCompletionQueue(entries, how);
    if (cq != RIO_INVALID_CQ) {
        cq = (RIO_CQ)(void *)rs_rv_cq_open(checked.verify, entries, how != NULL, (uintptr_t)cq);
    }
    checked_leave();
    return cq;
}

static void PASCAL FAR checked_RIOCloseCompletionQueue(RIO_CQ handle) {
    rs_rv_cq *cq;
    checked_enter_alone("RIOCloseCompletionQueue", checked_number(handle), RS_RV_CQ_THREAD);
    cq = checked_cq(handle);
    if (cq != NULL) {
        rs_rv_cq_close(checked.verify, cq, checked_thread());
    }
    checked.inner.fn.RIOCloseCompletionQueue(inner_cq(cq));
    checked_leave_alone(checked_number(handle), RS_RV_CQ_THREAD);
}

static BOOL PASCAL FAR checked_RIOResizeCompletionQueue(RIO_CQ handle, DWORD entries) {
    rs_rv_cq *cq;
    BOOL done;
    checked_enter_alone("RIOResizeCompletionQueue", checked_number(handle), RS_RV_CQ_THREAD);
    cq = checked_cq(handle);
    done = checked.inner.fn.RIOResizeCompletionQueue(inner_cq(cq), entries);
    if (done && cq != NULL) {
        rs_rv_cq_resized(checked.verify, cq, entries, checked_thread());
    }
    checked_leave_alone(checked_number(handle), RS_RV_CQ_THREAD);
    return done;
}

static INT PASCAL FAR checked_RIONotify(RIO_CQ handle) {
    rs_rv_cq *cq;
    INT rc;
    checked_enter("RIONotify", checked_number(handle));
    cq = checked_cq(handle);
    if (cq != NULL) {
        rs_rv_notify(checked.verify, cq, checked_thread());
    }
    rc = checked.inner.fn.RIONotify(inner_cq(cq));
    if (cq != NULL) {
        rs_rv_notified(checked.verify, cq, rc == WSAEALREADY);
    }
    checked_leave();
    return rc;
}

/* Checks each result and gives it the program's own contexts back; drops those of nobody. */
static ULONG checked_results(rs_rv_cq *cq, RIORESULT *results, ULONG count) {
    ULONG kept = 0;
    for (ULONG i = 0; i < count; i++) {
        rs_rv_request *request = (rs_rv_request *)(uintptr_t)results[i].RequestContext;
        rs_rv_origin origin;

        if (rs_rv_complete(checked.verify, cq, request, results[i].Status == 0,
                           results[i].BytesTransferred, &origin)) {
            results[kept] = results[i];
            results[kept].SocketContext = origin.socket_context;
            results[kept].RequestContext = origin.request_context;
            kept++;
        }
    }
    return kept;
}

static ULONG PASCAL FAR checked_RIODequeueCompletion(RIO_CQ handle, PRIORESULT results,
                                                     ULONG capacity) {
    rs_rv_cq *cq;
    ULONG count;
    checked_enter_alone("RIODequeueCompletion", checked_number(handle), RS_RV_CQ_THREAD);
    cq = checked_cq(handle);
    if (cq != NULL) {
        rs_rv_dequeue(checked.verify, cq, checked_thread());
    }
    count = checked.inner.fn.RIODequeueCompletion(inner_cq(cq), results, capacity);
    if (count != RIO_CORRUPT_CQ) {
        count = checked_results(cq, results, count);
    }
    checked_leave_alone(checked_number(handle), RS_RV_CQ_THREAD);
    return count;
}

static BOOL WINAPI checked_wait(RIO_CQ handle, HANDLE port, OVERLAPPED_ENTRY *entries,
                                ULONG capacity, ULONG *taken, DWORD timeout_ms) {
    rs_rv_cq *cq;
    RIO_CQ inner;
    checked_enter("ringside_rio_wait", checked_number(handle));
    cq = checked_cq(handle);
    if (cq != NULL) {
        rs_rv_dequeue(checked.verify, cq, checked_thread());
    }
    inner = inner_cq(cq);
    checked_leave();
    return checked.inner.wait(inner, port, entries, capacity, taken, timeout_ms);
}

static void WINAPI checked_wake(RIO_CQ handle) {
    RIO_CQ inner;
    checked_enter("ringside_rio_wake", checked_number(handle));
    inner = inner_cq(checked_cq(handle));
    checked_leave();
    checked.inner.wake(inner);
}

/* ---- request queues and sockets */

static bool checked_is_datagram(SOCKET socket) {
    int type = 0, size = sizeof type;
    return getsockopt(socket, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0 && type == SOCK_DGRAM;
}

static RIO_RQ PASCAL FAR checked_RIOCreateRequestQueue(SOCKET socket, ULONG recvs,
                                                       ULONG recv_buffers, ULONG sends,
                                                       ULONG send_buffers, RIO_CQ recv_cq,
                                                       RIO_CQ send_cq, PVOID context) {
    rs_rv_rq_config cfg = {
        .socket = socket,
        .context = (uintptr_t)context,
        .recvs = recvs,
        .sends = sends,
        .recv_buffers = recv_buffers,
        .send_buffers = send_buffers,
        .datagram = checked_is_datagram(socket),
    };
    rs_rv_rq *rq = NULL;
    RIO_RQ inner;
    checked_enter("RIOCreateRequestQueue", checked_number(recv_cq));
    cfg.recv_cq = checked_cq(recv_cq);
    cfg.send_cq = checked_cq(send_cq);
    if (cfg.recv_cq != NULL && cfg.send_cq != NULL) {
        rq = rs_rv_rq_prepare(checked.verify, &cfg, checked_thread());
    }
    inner = checked.inner.fn.RIOCreateRequestQueue(socket, recvs, recv_buffers, sends, send_buffers,
                                                   inner_cq(cfg.recv_cq), inner_cq(cfg.send_cq),
                                                   rq != NULL ? (PVOID)rq : context);
    if (rq != NULL) {
        rs_rv_rq_opened(checked.verify, rq, (uintptr_t)inner);
    }
    checked_leave();
    return inner == RIO_INVALID_RQ ? RIO_INVALID_RQ : (RIO_RQ)(void *)rq;
}

static BOOL PASCAL FAR checked_RIOResizeRequestQueue(RIO_RQ handle, DWORD recvs, DWORD sends) {
    rs_rv_rq *rq;
    BOOL done;
    checked_enter_alone("RIOResizeRequestQueue", checked_number(handle), RS_RV_RQ_THREAD);
    rq = checked_rq(handle);
    done = checked.inner.fn.RIOResizeRequestQueue(inner_rq(rq), recvs, sends);
    if (done && rq != NULL) {
        rs_rv_rq_resized(checked.verify, rq, recvs, sends, checked_thread());
    }
    checked_leave_alone(checked_number(handle), RS_RV_RQ_THREAD);
    return done;
}

static int PASCAL FAR checked_closesocket(SOCKET socket) {
    int rc;
    checked_enter("closesocket", 0);
    rs_rv_socket_close(checked.verify, socket, checked_thread());
    rc = checked.inner.close_socket(socket);
    checked_leave();
    return rc;
}

/* ---- requests */

typedef struct checked_args {
    bool is_recv, extended;
    RIO_RQ rq;
    PRIO_BUF buffer[RS_RV_SLICES]; /* data, local, remote, control, flags */
    ULONG count;
    DWORD flags;
    PVOID context;
} checked_args;

_Static_assert(RS_RV_SLICES * sizeof(RIO_BUF) <= RS_RV_SCRATCH_BYTES,
               "the descriptors fit the scratch room");

/* The descriptors with the provider's ids, in room that lives as long as the request. */
static void checked_translate(const checked_args *args, RIO_BUF *room, PRIO_BUF *out) {
    for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
        out[i] = NULL;
        if (args->buffer[i] != NULL) {
            room[i] = *args->buffer[i];
            room[i].BufferId = inner_id(room[i].BufferId);
            out[i] = &room[i];
        }
    }
}

static BOOL checked_call(const checked_args *args, const rs_rv_rq *checked_queue, PRIO_BUF *buffer,
                         PVOID context) {
    const RIO_EXTENSION_FUNCTION_TABLE *fn = &checked.inner.fn;
    RIO_RQ rq = inner_rq(checked_queue);
    if (!args->extended) {
        return args->is_recv ? fn->RIOReceive(rq, buffer[0], args->count, args->flags, context)
                             : fn->RIOSend(rq, buffer[0], args->count, args->flags, context);
    }
    return args->is_recv ? fn->RIOReceiveEx(rq, buffer[0], args->count, buffer[1], buffer[2],
                                            buffer[3], buffer[4], args->flags, context)
                         : fn->RIOSendEx(rq, buffer[0], args->count, buffer[1], buffer[2],
                                         buffer[3], buffer[4], args->flags, context);
}

static const char *checked_call_name(const checked_args *args) {
    if (args->extended) {
        return args->is_recv ? "RIOReceiveEx" : "RIOSendEx";
    }
    return args->is_recv ? "RIOReceive" : "RIOSend";
}

static rs_rv_post checked_post(const checked_args *args) {
    rs_rv_post post = {
        .is_recv = args->is_recv,
        .flags = args->flags,
        .count = args->count,
        .context = (uintptr_t)args->context,
    };
    for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
        const RIO_BUF *buffer = args->buffer[i];

        if (buffer != NULL) {
            post.slice[i] = (rs_rv_slice){.descriptor = buffer,
                                          .buffer = checked_buffer(buffer->BufferId),
                                          .offset = buffer->Offset,
                                          .bytes = buffer->Length};
        }
    }
    return post;
}

/* Under the lock. */
static BOOL checked_submit(const checked_args *args) {
    _Alignas(16) uint8_t own_room[RS_RV_SCRATCH_BYTES];
    const rs_rv_post post = checked_post(args);
    rs_rv_rq *rq = checked_rq(args->rq);
    rs_rv_request *request = NULL;
    PRIO_BUF buffer[RS_RV_SLICES] = {NULL};
    BOOL accepted;

    if (rq != NULL) {
        request = rs_rv_post_begin(checked.verify, rq, &post, checked_thread());
    }
    checked_translate(args, request != NULL ? rs_rv_scratch(request) : (RIO_BUF *)(void *)own_room,
                      buffer);
    /* A commit must not have a context, and one that has is to be refused. */
    accepted = checked_call(args, rq, buffer, request != NULL ? (PVOID)request : args->context);
    if (!accepted) {
        rs_rv_post_refused(checked.verify, request);
    }
    return accepted;
}

static BOOL checked_request(const checked_args *args) {
    uintptr_t queue = checked_number(args->rq);
    BOOL accepted;
    if ((args->flags & RIO_MSG_COMMIT_ONLY) != 0) {
        checked_enter(checked_call_name(args), queue);
        accepted = checked_submit(args);
        checked_leave();
        return accepted;
    }
    checked_enter_alone(checked_call_name(args), queue, RS_RV_RQ_THREAD);
    accepted = checked_submit(args);
    checked_leave_alone(queue, RS_RV_RQ_THREAD);
    return accepted;
}

static BOOL PASCAL FAR checked_RIOReceive(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                          PVOID context) {
    const checked_args args = {.is_recv = true,
                               .rq = rq,
                               .buffer = {data},
                               .count = count,
                               .flags = flags,
                               .context = context};
    return checked_request(&args);
}

static BOOL PASCAL FAR checked_RIOSend(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                       PVOID context) {
    const checked_args args = {
        .rq = rq, .buffer = {data}, .count = count, .flags = flags, .context = context};
    return checked_request(&args);
}

static int PASCAL FAR checked_RIOReceiveEx(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                           PRIO_BUF remote, PRIO_BUF control, PRIO_BUF flags_out,
                                           DWORD flags, PVOID context) {
    const checked_args args = {.is_recv = true,
                               .extended = true,
                               .rq = rq,
                               .buffer = {data, local, remote, control, flags_out},
                               .count = count,
                               .flags = flags,
                               .context = context};
    return checked_request(&args);
}

static BOOL PASCAL FAR checked_RIOSendEx(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                         PRIO_BUF remote, PRIO_BUF control, PRIO_BUF flags_out,
                                         DWORD flags, PVOID context) {
    const checked_args args = {.extended = true,
                               .rq = rq,
                               .buffer = {data, local, remote, control, flags_out},
                               .count = count,
                               .flags = flags,
                               .context = context};
    return checked_request(&args);
}

/* ---- wrapping */

static bool checked_open(const rs_rio_api *api, const rs_rv_options *options) {
    if (checked.users > 0) {
        if (!options->unique_ids) {
            rs_rv_share_ids(checked.verify);
        }
        return true;
    }
    checked.inner = *api;
    checked.any_thread = options->any_thread;
    checked.verify = rs_rv_open(options);
    return checked.verify != NULL;
}

bool rs_rio_verify_wrap(rs_rio_api *api, const rs_rv_options *options) {
    bool opened;
    AcquireSRWLockExclusive(&checked.lock);
    opened = checked_open(api, options);
    checked.users += opened;
    ReleaseSRWLockExclusive(&checked.lock);
    if (!opened) {
        return false;
    }
#define X(function) api->fn.function = checked_##function;
    RS_RIO_FUNCTION_TABLE(X)
#undef X
    api->close_socket = checked_closesocket;
    if (api->wait != NULL) {
        api->wait = checked_wait;
        api->wake = checked_wake;
    }
    return true;
}

/* Under the lock. */
static uint32_t checked_close(void) {
    uint32_t violations = rs_rv_close(checked.verify);
    checked.verify = NULL;
    return violations;
}

uint32_t rs_rio_verify_unwrap(void) {
    uint32_t violations = 0;
    AcquireSRWLockExclusive(&checked.lock);
    RS_ASSERT(checked.users > 0);
    if (--checked.users == 0) {
        violations = checked_close();
    }
    ReleaseSRWLockExclusive(&checked.lock);
    return violations;
}

void rs_rio_verify_finish(void) {
    if (TryAcquireSRWLockExclusive(&checked.lock)) {
        if (checked.verify != NULL) {
            (void)checked_close(); /* its reports have been made */
        }
        ReleaseSRWLockExclusive(&checked.lock);
    }
}
