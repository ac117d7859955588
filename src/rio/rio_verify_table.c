/* The thirteen functions with the checks before and after. A handle that the program holds is the
 * address of the checker's record; the provider's own handle is in there. */
#include "rio/rio_verify_table.h"

#include "core/assert.h"

static struct {
    SRWLOCK lock;
    rs_rio_api inner;
    rs_rio_verify *verify;
    uint32_t users;
} checked = {.lock = SRWLOCK_INIT};

static void checked_enter(void) {
    AcquireSRWLockExclusive(&checked.lock);
}

static void checked_leave(void) {
    DWORD os_error = GetLastError(); /* the provider's, for the program */

    ReleaseSRWLockExclusive(&checked.lock);
    SetLastError(os_error);
}

static uint64_t checked_thread(void) {
    return GetCurrentThreadId();
}

/* ---- handles */

static rs_rv_cq *checked_cq(RIO_CQ cq) {
    return (rs_rv_cq *)(void *)cq;
}

static rs_rv_rq *checked_rq(RIO_RQ rq) {
    return (rs_rv_rq *)(void *)rq;
}

static rs_rv_buffer *checked_buffer(RIO_BUFFERID id) {
    return id == RIO_INVALID_BUFFERID ? NULL : (rs_rv_buffer *)(void *)id;
}

static RIO_CQ inner_cq(RIO_CQ cq) {
    return cq == RIO_INVALID_CQ ? cq : (RIO_CQ)rs_rv_cq_inner(checked_cq(cq));
}

static RIO_RQ inner_rq(RIO_RQ rq) {
    return rq == RIO_INVALID_RQ ? rq : (RIO_RQ)rs_rv_rq_inner(checked_rq(rq));
}

static RIO_BUFFERID inner_id(RIO_BUFFERID id) {
    rs_rv_buffer *buffer = checked_buffer(id);

    return buffer == NULL ? RIO_INVALID_BUFFERID : (RIO_BUFFERID)rs_rv_buffer_inner(buffer);
}

/* ---- buffers */

static RIO_BUFFERID PASCAL FAR checked_RIORegisterBuffer(PCHAR data, DWORD bytes) {
    RIO_BUFFERID id;

    checked_enter();
    id = checked.inner.fn.RIORegisterBuffer(data, bytes);
    if (id != RIO_INVALID_BUFFERID) {
        id = (RIO_BUFFERID)(void *)rs_rv_register(checked.verify, data, bytes, (uintptr_t)id);
    }
    checked_leave();
    return id;
}

static void PASCAL FAR checked_RIODeregisterBuffer(RIO_BUFFERID id) {
    RIO_BUFFERID inner;

    checked_enter();
    inner = inner_id(id);
    if (checked_buffer(id) != NULL) {
        rs_rv_deregister(checked.verify, checked_buffer(id));
    }
    checked.inner.fn.RIODeregisterBuffer(inner);
    checked_leave();
}

/* ---- completion queues */

static RIO_CQ PASCAL FAR checked_RIOCreateCompletionQueue(DWORD entries,
                                                          PRIO_NOTIFICATION_COMPLETION how) {
    RIO_CQ cq;

    checked_enter();
    cq = checked.inner.fn.RIOCreateCompletionQueue(entries, how);
    if (cq != RIO_INVALID_CQ) {
        cq = (RIO_CQ)(void *)rs_rv_cq_open(checked.verify, entries, how != NULL, (uintptr_t)cq);
    }
    checked_leave();
    return cq;
}

static void PASCAL FAR checked_RIOCloseCompletionQueue(RIO_CQ cq) {
    checked_enter();
    if (cq != RIO_INVALID_CQ) {
        rs_rv_cq_close(checked.verify, checked_cq(cq), checked_thread());
    }
    checked.inner.fn.RIOCloseCompletionQueue(inner_cq(cq));
    checked_leave();
}

static BOOL PASCAL FAR checked_RIOResizeCompletionQueue(RIO_CQ cq, DWORD entries) {
    BOOL done;

    checked_enter();
    done = checked.inner.fn.RIOResizeCompletionQueue(inner_cq(cq), entries);
    if (done) {
        rs_rv_cq_resized(checked.verify, checked_cq(cq), entries, checked_thread());
    }
    checked_leave();
    return done;
}

static INT PASCAL FAR checked_RIONotify(RIO_CQ cq) {
    INT rc;

    checked_enter();
    if (cq != RIO_INVALID_CQ) {
        rs_rv_notify(checked.verify, checked_cq(cq), checked_thread());
    }
    rc = checked.inner.fn.RIONotify(inner_cq(cq));
    if (cq != RIO_INVALID_CQ) {
        rs_rv_notified(checked.verify, checked_cq(cq), rc == WSAEALREADY);
    }
    checked_leave();
    return rc;
}

/* Checks each result and gives it the program's own contexts back; drops those of nobody. */
static ULONG checked_results(RIO_CQ cq, RIORESULT *results, ULONG count) {
    ULONG kept = 0;

    for (ULONG i = 0; i < count; i++) {
        rs_rv_request *request = (rs_rv_request *)(uintptr_t)results[i].RequestContext;
        rs_rv_origin origin;

        if (rs_rv_complete(checked.verify, checked_cq(cq), request, results[i].Status == 0,
                           results[i].BytesTransferred, &origin)) {
            results[kept] = results[i];
            results[kept].SocketContext = origin.socket_context;
            results[kept].RequestContext = origin.request_context;
            kept++;
        }
    }
    return kept;
}

static ULONG PASCAL FAR checked_RIODequeueCompletion(RIO_CQ cq, PRIORESULT results,
                                                     ULONG capacity) {
    ULONG count;

    checked_enter();
    if (cq != RIO_INVALID_CQ) {
        rs_rv_dequeue(checked.verify, checked_cq(cq), checked_thread());
    }
    count = checked.inner.fn.RIODequeueCompletion(inner_cq(cq), results, capacity);
    if (count != RIO_CORRUPT_CQ) {
        count = checked_results(cq, results, count);
    }
    checked_leave();
    return count;
}

static BOOL WINAPI checked_wait(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                                ULONG *taken, DWORD timeout_ms) {
    checked_enter();
    rs_rv_dequeue(checked.verify, checked_cq(cq), checked_thread());
    checked_leave();
    return checked.inner.wait(inner_cq(cq), port, entries, capacity, taken, timeout_ms);
}

static void WINAPI checked_wake(RIO_CQ cq) {
    checked.inner.wake(inner_cq(cq));
}

/* ---- request queues and sockets */

static RIO_RQ PASCAL FAR checked_RIOCreateRequestQueue(SOCKET socket, ULONG recvs,
                                                       ULONG recv_buffers, ULONG sends,
                                                       ULONG send_buffers, RIO_CQ recv_cq,
                                                       RIO_CQ send_cq, PVOID context) {
    const rs_rv_rq_config cfg = {
        .socket = socket,
        .context = (uintptr_t)context,
        .recvs = recvs,
        .sends = sends,
        .recv_buffers = recv_buffers,
        .send_buffers = send_buffers,
        .recv_cq = checked_cq(recv_cq),
        .send_cq = checked_cq(send_cq),
    };
    rs_rv_rq *rq;
    RIO_RQ inner;

    if (recv_cq == RIO_INVALID_CQ || send_cq == RIO_INVALID_CQ) {
        return checked.inner.fn.RIOCreateRequestQueue(socket, recvs, recv_buffers, sends,
                                                      send_buffers, inner_cq(recv_cq),
                                                      inner_cq(send_cq), context);
    }
    checked_enter();
    rq = rs_rv_rq_prepare(checked.verify, &cfg, checked_thread());
    inner = checked.inner.fn.RIOCreateRequestQueue(socket, recvs, recv_buffers, sends, send_buffers,
                                                   inner_cq(recv_cq), inner_cq(send_cq), rq);
    rs_rv_rq_opened(checked.verify, rq, (uintptr_t)inner);
    checked_leave();
    return inner == RIO_INVALID_RQ ? RIO_INVALID_RQ : (RIO_RQ)(void *)rq;
}

static BOOL PASCAL FAR checked_RIOResizeRequestQueue(RIO_RQ rq, DWORD recvs, DWORD sends) {
    BOOL done;

    checked_enter();
    done = checked.inner.fn.RIOResizeRequestQueue(inner_rq(rq), recvs, sends);
    if (done) {
        rs_rv_rq_resized(checked.verify, checked_rq(rq), recvs, sends, checked_thread());
    }
    checked_leave();
    return done;
}

static int PASCAL FAR checked_closesocket(SOCKET socket) {
    int rc;

    checked_enter();
    rs_rv_socket_close(checked.verify, socket, checked_thread());
    rc = checked.inner.close_socket(socket);
    checked_leave();
    return rc;
}

/* ---- requests */

typedef struct checked_args {
    bool is_recv, extended;
    RIO_RQ rq;
    PRIO_BUF buffer[5]; /* data, local, remote, control, flags */
    ULONG count;
    DWORD flags;
    PVOID context;
} checked_args;

_Static_assert(5 * sizeof(RIO_BUF) <= RS_RV_SCRATCH_BYTES, "five descriptors fit the scratch room");

/* The descriptors with the provider's ids, in room that lives as long as the request. */
static void checked_translate(const checked_args *args, RIO_BUF *room, PRIO_BUF *out) {
    for (uint32_t i = 0; i < 5; i++) {
        out[i] = NULL;
        if (args->buffer[i] != NULL) {
            room[i] = *args->buffer[i];
            room[i].BufferId = inner_id(room[i].BufferId);
            out[i] = &room[i];
        }
    }
}

static BOOL checked_call(const checked_args *args, PRIO_BUF *buffer, PVOID context) {
    const RIO_EXTENSION_FUNCTION_TABLE *fn = &checked.inner.fn;
    RIO_RQ rq = inner_rq(args->rq);

    if (!args->extended) {
        return args->is_recv ? fn->RIOReceive(rq, buffer[0], args->count, args->flags, context)
                             : fn->RIOSend(rq, buffer[0], args->count, args->flags, context);
    }
    return args->is_recv ? fn->RIOReceiveEx(rq, buffer[0], args->count, buffer[1], buffer[2],
                                            buffer[3], buffer[4], args->flags, context)
                         : fn->RIOSendEx(rq, buffer[0], args->count, buffer[1], buffer[2],
                                         buffer[3], buffer[4], args->flags, context);
}

static BOOL checked_request(const checked_args *args) {
    const RIO_BUF *data = args->buffer[0];
    const rs_rv_post post = {
        .is_recv = args->is_recv,
        .flags = args->flags,
        .count = args->count,
        .buffer = data != NULL ? checked_buffer(data->BufferId) : NULL,
        .offset = data != NULL ? data->Offset : 0,
        .bytes = data != NULL ? data->Length : 0,
        .descriptor = data,
        .context = (uintptr_t)args->context,
    };
    _Alignas(16) uint8_t own_room[RS_RV_SCRATCH_BYTES];
    PRIO_BUF buffer[5];
    rs_rv_request *request;
    BOOL accepted;

    checked_enter();
    request = rs_rv_post_begin(checked.verify, checked_rq(args->rq), &post, checked_thread());
    checked_translate(args, request != NULL ? rs_rv_scratch(request) : (RIO_BUF *)(void *)own_room,
                      buffer);
    accepted = checked_call(args, buffer, request);
    if (!accepted) {
        rs_rv_post_refused(checked.verify, request);
    }
    checked_leave();
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
    checked.verify = rs_rv_open(options);
    return checked.verify != NULL;
}

bool rs_rio_verify_wrap(rs_rio_api *api, const rs_rv_options *options) {
    bool opened;

    checked_enter();
    opened = checked_open(api, options);
    checked.users += opened;
    checked_leave();
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

uint32_t rs_rio_verify_unwrap(void) {
    uint32_t violations = 0;

    checked_enter();
    RS_ASSERT(checked.users > 0);
    if (--checked.users == 0) {
        violations = rs_rv_close(checked.verify);
        checked.verify = NULL;
    }
    checked_leave();
    return violations;
}
