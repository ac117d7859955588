/* SPDX-License-Identifier: MIT */
/* The RIO table, and what a provider adds to it: the real call, or its failure. Stands between
 * rio_api.c, whose copy loads the table under another name (CMakeLists.txt), and rio_backend.c;
 * --rio-verify checks from above what the driver does here. */
#define CHAOS_REAL_CALLS
#include "chaos_calls.h"

#include <string.h>

#include "chaos.h"
#include "core/assert.h"
#include "rio/rio_api.h"
#include "seam/os.h"

#define CQS_MAX 8u
#define RQS_MAX 512u
#define RESULTS_MAX 4096u
#define REQUESTS_MAX 4096u
#define BATCH_MAX 1024u
#define NS_PER_MS 1000000u

typedef struct rio_request {
    chaos_cq *cq;
    uint64_t context; /* RequestContext: a driver's own do not repeat */
    chaos_dir dir;
    chaos_side side;
    chaos_ref ref;
} rio_request;

typedef struct rio_held {
    RIORESULT result;
    uint64_t due_ns;
} rio_held;

struct chaos_cq {
    RIO_CQ cq;
    chaos_side side;
    RIO_NOTIFICATION_COMPLETION how;
    bool notifies; /* how was given */
    bool armed;    /* by the driver, and not fired since */
    uint32_t capacity, charged;
    uint32_t count;
    rio_held held[RESULTS_MAX];
};

typedef struct rio_rq {
    RIO_RQ rq;
    chaos_cq *cq;
    SOCKET socket;
    chaos_side side;
    chaos_ref ref;
    uint32_t charge;
    uint64_t free_ns; /* closed: when its charge comes back; 0 = open */
} rio_rq;

static struct {
    chaos_cq cqs[CQS_MAX];
    rio_rq rqs[RQS_MAX];
    uint32_t rq_count;
    rio_request requests[REQUESTS_MAX];
    uint32_t request_count;
} rio;

static rs_rio_api real;

void chaos_rio_begin(void) {
    rio.rq_count = rio.request_count = 0;
    for (uint32_t i = 0; i < CQS_MAX; i++) {
        rio.cqs[i].cq = RIO_INVALID_CQ;
    }
}

static BOOL fail_rio(uint32_t code) {
    WSASetLastError((int)code);
    return FALSE;
}

/* ---- completion queues */

static chaos_cq *cq_find(RIO_CQ cq) {
    for (uint32_t i = 0; i < CQS_MAX; i++) {
        if (rio.cqs[i].cq == cq) {
            return &rio.cqs[i];
        }
    }
    return NULL;
}

chaos_cq *chaos_cq_of(HANDLE port_or_event) {
    for (uint32_t i = 0; i < CQS_MAX; i++) {
        chaos_cq *cq = &rio.cqs[i];
        if (cq->cq != RIO_INVALID_CQ && cq->notifies &&
            port_or_event == (cq->how.Type == RIO_IOCP_COMPLETION ? cq->how.Iocp.IocpHandle
                                                                  : cq->how.Event.EventHandle)) {
            return cq;
        }
    }
    return NULL;
}

uint64_t chaos_cq_due_ns(const chaos_cq *cq, bool waits) {
    uint64_t due_ns = UINT64_MAX;
    for (uint32_t i = 0; (cq->armed || waits) && i < cq->count; i++) {
        due_ns = cq->held[i].due_ns < due_ns ? cq->held[i].due_ns : due_ns;
    }
    return due_ns;
}

bool chaos_cq_may_fire(const chaos_cq *cq) {
    return cq->armed || !chaos.verified;
}

void chaos_cq_fired(chaos_cq *cq) {
    cq->armed = false;
}

bool chaos_cq_entry(const chaos_cq *cq, OVERLAPPED_ENTRY *entry) {
    memset(entry, 0, sizeof *entry);
    if (!cq->notifies || cq->how.Type != RIO_IOCP_COMPLETION) {
        return false;
    }
    entry->lpCompletionKey = (ULONG_PTR)cq->how.Iocp.CompletionKey;
    entry->lpOverlapped = cq->how.Iocp.Overlapped;
    return true;
}

bool chaos_cq_is_notify(const chaos_cq *cq, const OVERLAPPED_ENTRY *entry) {
    OVERLAPPED_ENTRY notify;
    return chaos_cq_entry(cq, &notify) && entry->lpCompletionKey == notify.lpCompletionKey &&
           entry->lpOverlapped == notify.lpOverlapped;
}

static RIO_CQ PASCAL FAR chaos_create_cq(DWORD entries, PRIO_NOTIFICATION_COMPLETION how) {
    const chaos_side side = chaos_here();
    uint32_t code;
    RIO_CQ made;
    if (chaos_fails(CHAOS_RIO_CREATE_CQ, &code)) {
        (void)fail_rio(code);
        return RIO_INVALID_CQ;
    }
    made = real.fn.RIOCreateCompletionQueue(entries, how);
    if (made != RIO_INVALID_CQ) {
        chaos_lock();
        chaos_cq *cq = cq_find(RIO_INVALID_CQ);
        RS_ASSERT(cq != NULL);
        cq->cq = made;
        cq->side = side;
        cq->notifies = how != NULL;
        if (how != NULL) {
            cq->how = *how;
        }
        cq->armed = false;
        /* With late capacity the system has room for a third: closed queues are then missed. */
        cq->capacity = chaos.capacity_ms != 0 ? entries / 3u : entries;
        cq->charged = cq->count = 0;
        chaos_unlock();
        chaos_count(side, CHAOS_CQS, 1);
    }
    return made;
}

static VOID PASCAL FAR chaos_close_cq(RIO_CQ handle) {
    chaos_cq *cq = cq_find(handle);
    RS_ASSERT(cq != NULL);
    if (cq->count > 0) {
        chaos_fail("a completion queue was closed with %u results in it", cq->count);
    }
    chaos_count(cq->side, CHAOS_CQS, -1);
    chaos_lock();
    cq->cq = RIO_INVALID_CQ;
    chaos_unlock();
    real.fn.RIOCloseCompletionQueue(handle);
}

/* The real one may still be armed when a held result has fired ours. */
static INT PASCAL FAR chaos_notify(RIO_CQ handle) {
    chaos_cq *cq = cq_find(handle);
    uint32_t code = 0;
    INT rc;
    RS_ASSERT(cq != NULL);
    if (chaos_fails(CHAOS_RIO_NOTIFY, &code) && code != WSAEALREADY) {
        return (INT)code;
    }
    rc = real.fn.RIONotify(handle);
    if (rc != ERROR_SUCCESS && rc != WSAEALREADY) {
        return rc;
    }
    rc = cq->armed || (code != 0 && !chaos.verified) ? WSAEALREADY : ERROR_SUCCESS;
    cq->armed = true;
    return rc;
}

/* ---- results */

static bool request_take(chaos_cq *cq, uint64_t context, bool take, rio_request *out) {
    bool found = false;
    chaos_lock();
    for (uint32_t i = 0; i < rio.request_count && !found; i++) {
        if (rio.requests[i].cq == cq && rio.requests[i].context == context) {
            *out = rio.requests[i];
            found = true;
            if (take) {
                rio.requests[i] = rio.requests[--rio.request_count];
            }
        }
    }
    chaos_unlock();
    return found;
}

static void result_arrived(chaos_cq *cq, RIORESULT result) {
    const uint64_t now_ns = rs_os_now_ns();
    const bool late = chaos_happens(CHAOS_LATE, chaos.late);
    rio_request request;
    uint32_t code;
    if (!request_take(cq, result.RequestContext, false, &request)) {
        chaos_fail("a RIORESULT of no request");
    }
    if (result.Status == 0) {
        if (chaos_fails(request.dir == CHAOS_DIR_RECV ? CHAOS_RESULT_RECV : CHAOS_RESULT_SEND,
                        &code)) {
            result.Status = (LONG)code;
            result.BytesTransferred = 0;
        } else if (request.dir == CHAOS_DIR_SEND && result.BytesTransferred > 1 &&
                   chaos_happens(CHAOS_SHORT_SEND, chaos.short_send)) {
            result.BytesTransferred--;
            chaos_told_short(request.ref);
        }
    }
    RS_ASSERT(cq->count < RESULTS_MAX);
    cq->held[cq->count++] = (rio_held){
        .result = result,
        .due_ns = late ? now_ns + chaos_draw(chaos.late_ns_max + 1u) : now_ns,
    };
}

static ULONG results_release(chaos_cq *cq, RIORESULT *out, ULONG capacity) {
    const uint64_t now_ns = rs_os_now_ns();
    uint32_t kept = 0;
    ULONG given = 0;
    for (uint32_t i = 1; i < cq->count; i++) {
        if (chaos_happens(CHAOS_REORDERED, chaos.swap)) {
            const rio_held one = cq->held[i];
            cq->held[i] = cq->held[i - 1u];
            cq->held[i - 1u] = one;
        }
    }
    for (uint32_t i = 0; i < cq->count; i++) {
        rio_request request;
        if (given == capacity || cq->held[i].due_ns > now_ns) {
            cq->held[kept++] = cq->held[i];
            continue;
        }
        out[given] = cq->held[i].result;
        (void)request_take(cq, out[given].RequestContext, true, &request);
        chaos_count(request.side, CHAOS_PENDING, -1);
        if (out[given].Status != 0) {
            chaos_told(request.ref, request.dir, (uint32_t)out[given].Status);
        }
        given++;
    }
    cq->count = kept;
    return given;
}

static ULONG PASCAL FAR chaos_dequeue(RIO_CQ handle, PRIORESULT out, ULONG capacity) {
    RIORESULT got[BATCH_MAX];
    chaos_cq *cq = cq_find(handle);
    uint32_t code;
    ULONG count;
    RS_ASSERT(cq != NULL && capacity <= BATCH_MAX);
    if (chaos_fails(CHAOS_RIO_DEQUEUE, &code)) {
        return code;
    }
    count = real.fn.RIODequeueCompletion(handle, got, capacity);
    if (count == RIO_CORRUPT_CQ) {
        return count;
    }
    for (ULONG i = 0; i < count; i++) {
        result_arrived(cq, got[i]);
    }
    return results_release(cq, out, capacity);
}

/* ---- request queues */

static rio_rq *rq_find(RIO_RQ rq) {
    for (uint32_t i = 0; i < rio.rq_count; i++) {
        if (rio.rqs[i].rq == rq && rio.rqs[i].free_ns == 0) {
            return &rio.rqs[i];
        }
    }
    return NULL;
}

/* Charges that have come back. */
static void capacity_settle(uint64_t now_ns) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rio.rq_count; i++) {
        if (rio.rqs[i].free_ns != 0 && rio.rqs[i].free_ns <= now_ns) {
            rio.rqs[i].cq->charged -= rio.rqs[i].charge;
        } else {
            rio.rqs[kept++] = rio.rqs[i];
        }
    }
    rio.rq_count = kept;
}

static bool capacity_lacks(chaos_cq *cq, uint32_t charge) {
    bool lacks;
    chaos_lock();
    capacity_settle(rs_os_now_ns());
    lacks = cq->charged + charge > cq->capacity;
    chaos_unlock();
    return lacks && chaos_happens(CHAOS_CAPACITY_LATE, CHAOS_ONE);
}

static RIO_RQ PASCAL FAR chaos_create_rq(SOCKET socket, ULONG recvs, ULONG recv_bufs, ULONG sends,
                                         ULONG send_bufs, RIO_CQ recv_cq, RIO_CQ send_cq,
                                         PVOID context) {
    chaos_cq *cq = cq_find(recv_cq);
    const chaos_ref ref = chaos_ref_of(socket);
    const uint32_t charge = recvs + sends;
    uint32_t code = 0;
    RIO_RQ made = RIO_INVALID_RQ;
    RS_ASSERT(cq != NULL && recv_cq == send_cq);
    if (capacity_lacks(cq, charge)) {
        code = WSAENOBUFS;
    } else if (!chaos_fails(CHAOS_RIO_CREATE_RQ, &code)) {
        made = real.fn.RIOCreateRequestQueue(socket, recvs, recv_bufs, sends, send_bufs, recv_cq,
                                             send_cq, context);
        code = made == RIO_INVALID_RQ ? (uint32_t)WSAGetLastError() : 0;
    }
    if (made == RIO_INVALID_RQ) {
        chaos_told(ref, CHAOS_DIR_NONE, code);
        chaos_told(ref, CHAOS_DIR_NONE, WSAEINVALIDPROVIDER); /* RS_E_OS: but for want of room */
        chaos_told_queue();
        (void)fail_rio(code);
        return made;
    }
    chaos_lock();
    RS_ASSERT(rio.rq_count < RQS_MAX);
    rio.rqs[rio.rq_count++] = (rio_rq){
        .rq = made, .cq = cq, .socket = socket, .side = cq->side, .ref = ref, .charge = charge};
    cq->charged += charge;
    chaos_unlock();
    chaos_count(cq->side, CHAOS_RQS, 1);
    return made;
}

static BOOL rio_post(RIO_RQ handle, PRIO_BUF data, ULONG count, DWORD flags, PVOID context,
                     bool receives) {
    const bool commits = (flags & RIO_MSG_COMMIT_ONLY) != 0;
    const chaos_dir dir = receives ? CHAOS_DIR_RECV : CHAOS_DIR_SEND;
    const chaos_call call = commits ? (receives ? CHAOS_RIO_COMMIT_RECV : CHAOS_RIO_COMMIT_SEND)
                                    : (receives ? CHAOS_RIO_RECEIVE : CHAOS_RIO_SEND);
    uint32_t code = 0;
    rio_rq *found;
    rio_rq rq;
    chaos_lock();
    found = rq_find(handle);
    RS_ASSERT(found != NULL);
    rq = *found;
    chaos_unlock();
    if (!chaos_fails(call, &code) &&
        !(receives ? real.fn.RIOReceive : real.fn.RIOSend)(handle, data, count, flags, context)) {
        code = (uint32_t)WSAGetLastError();
    }
    if (code != 0) {
        chaos_told(rq.ref, commits ? CHAOS_DIR_NONE : dir, code);
        return fail_rio(code);
    }
    if (!commits) {
        chaos_lock();
        RS_ASSERT(rio.request_count < REQUESTS_MAX);
        rio.requests[rio.request_count++] = (rio_request){
            .cq = rq.cq, .context = (uintptr_t)context, .dir = dir, .side = rq.side, .ref = rq.ref};
        chaos_unlock();
        chaos_count(rq.side, CHAOS_PENDING, 1);
    }
    return TRUE;
}

static BOOL PASCAL FAR chaos_receive(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                     PVOID context) {
    return rio_post(rq, data, count, flags, context, true);
}

static BOOL PASCAL FAR chaos_rio_send(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                      PVOID context) {
    return rio_post(rq, data, count, flags, context, false);
}

static int PASCAL FAR chaos_rio_closesocket(SOCKET socket) {
    rio_rq *found = NULL;
    uint32_t code;
    int rc;
    chaos_lock();
    for (uint32_t i = 0; i < rio.rq_count && found == NULL; i++) {
        if (rio.rqs[i].socket == socket && rio.rqs[i].free_ns == 0) {
            found = &rio.rqs[i];
        }
    }
    RS_ASSERT(found != NULL);
    found->free_ns = rs_os_now_ns() + (uint64_t)chaos.capacity_ms * NS_PER_MS;
    const chaos_side side = found->side;
    chaos_unlock();
    chaos_count(side, CHAOS_RQS, -1);
    if (real.module != NULL) {
        chaos_socket_gone(socket); /* the system's goes through chaos_closesocket */
    }
    rc = real.close_socket(socket);
    if (chaos_fails(CHAOS_RIO_CLOSESOCKET, &code)) {
        WSASetLastError((int)code);
        return SOCKET_ERROR;
    }
    return rc;
}

/* ---- memory */

static RIO_BUFFERID PASCAL FAR chaos_register(PCHAR data, DWORD bytes) {
    uint32_t code;
    RIO_BUFFERID made;
    if (chaos_fails(CHAOS_RIO_REGISTER, &code)) {
        chaos_told_all(code); /* with one registration a request, that of one */
        (void)fail_rio(code);
        return RIO_INVALID_BUFFERID;
    }
    made = real.fn.RIORegisterBuffer(data, bytes);
    if (made != RIO_INVALID_BUFFERID) {
        chaos_count(chaos_here(), CHAOS_BUFFERS, 1);
    }
    return made;
}

static VOID PASCAL FAR chaos_deregister(RIO_BUFFERID id) {
    chaos_count(chaos_here(), CHAOS_BUFFERS, -1);
    real.fn.RIODeregisterBuffer(id);
}

/* ---- a provider's own wait */

typedef struct wait_ctx {
    RIO_CQ cq;
    HANDLE port;
} wait_ctx;

static BOOL wait_read(void *ctx, OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *count,
                      DWORD wait_ms) {
    const wait_ctx *wait = ctx;
    return real.wait(wait->cq, wait->port, entries, capacity, count, wait_ms);
}

static BOOL WINAPI chaos_wait(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                              ULONG *taken, DWORD wait_ms) {
    wait_ctx ctx = {.cq = cq, .port = port};
    uint32_t code;
    if (chaos_fails(CHAOS_PROVIDER_WAIT, &code)) {
        SetLastError(code);
        return FALSE;
    }
    return chaos_port_read(port, cq_find(cq), true, wait_read, &ctx, entries, capacity, taken,
                           wait_ms);
}

static void WINAPI chaos_wake(RIO_CQ cq) {
    real.wake(cq);
    if (chaos_happens(CHAOS_DOUBLED_WAKE, chaos.doubled)) {
        real.wake(cq);
    }
}

/* ---- loading */

rs_status chaos_rio_api_load(rs_rio_api *out, const char *provider_path, rs_error *error);

rs_status rs_rio_api_load(rs_rio_api *out, const char *provider_path, rs_error *error) {
    const rs_status status = chaos_rio_api_load(out, provider_path, error);
    if (status != RS_OK) {
        return status;
    }
    chaos_lock();
    real = *out; /* the same for both sides */
    chaos_unlock();
    out->fn.RIOReceive = chaos_receive;
    out->fn.RIOSend = chaos_rio_send;
    out->fn.RIOCreateCompletionQueue = chaos_create_cq;
    out->fn.RIOCloseCompletionQueue = chaos_close_cq;
    out->fn.RIOCreateRequestQueue = chaos_create_rq;
    out->fn.RIODequeueCompletion = chaos_dequeue;
    out->fn.RIONotify = chaos_notify;
    out->fn.RIORegisterBuffer = chaos_register;
    out->fn.RIODeregisterBuffer = chaos_deregister;
    out->close_socket = chaos_rio_closesocket;
    out->wait = real.wait != NULL && chaos.own_wait ? chaos_wait : NULL;
    out->wake = out->wait != NULL ? chaos_wake : NULL;
    return RS_OK;
}
