/* SPDX-License-Identifier: MIT */
/* One poll: reads the port, handles packets, returns completions; wake. */
#include "iocp/iocp_instance.h"

#include "core/assert.h"
#include "seam/os.h"
#include "win/win_error.h"

#define IOCP_NS_PER_MS 1000000
#define IOCP_WAIT_MS_MAX 86400000 /* poll may return early: at most a day */

/* ---- packets */

static void iocp_packet(rs_backend *backend, ULONG_PTR key, OVERLAPPED *overlapped,
                        uint32_t bytes) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    backend->packets++;
    switch (key) {
    case RS_IOCP_KEY_CONN:
        rs_iocp_conn_packet(backend, overlapped, bytes);
        break;
    case RS_IOCP_KEY_ACCEPT:
        rs_engine_accepted(&backend->engine, accepted,
                           rs_win_accept_packet(backend->accept, overlapped, bytes, accepted));
        break;
    case RS_IOCP_KEY_ALARM:
        rs_win_alarm_rang(backend->alarm);
        backend->alarms++;
        break;
    default:
        RS_ASSERT(key == RS_IOCP_KEY_WAKE);
        backend->wakes++;
        break;
    }
}

/* ---- the port */

static DWORD iocp_wait_ms(const rs_backend *backend, int64_t timeout_ns) {
    uint32_t retry_ms = rs_win_accept_retry_ms(backend->accept);
    int64_t ms;
    if (timeout_ns == RS_FOREVER) {
        return retry_ms > 0 ? retry_ms : INFINITE;
    }
    ms = timeout_ns / IOCP_NS_PER_MS + (timeout_ns % IOCP_NS_PER_MS != 0);
    if (retry_ms > 0 && ms > retry_ms) {
        return retry_ms;
    }
    return (DWORD)(ms < IOCP_WAIT_MS_MAX ? ms : IOCP_WAIT_MS_MAX);
}

static void iocp_dequeue_failed(const char *call) {
    DWORD os_error = GetLastError();
    if (os_error != WAIT_TIMEOUT) {
        RS_FATAL(call, os_error, "the completion port is unusable");
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
    if (backend->own.gqcs_single) {
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

/* The port's own timeout stays: it ends the wait if the alarm fails. */
static void iocp_set_alarm(rs_backend *backend, int64_t timeout_ns) {
    if (backend->alarm != NULL && timeout_ns != RS_FOREVER) {
        const uint64_t now_ns = rs_os_now_ns();
        rs_win_alarm_set(backend->alarm, now_ns, now_ns + (uint64_t)timeout_ns, &backend->calls);
    }
}

/* Reads the port, and sleeps there if allowed. A wake while nobody slept posted no packet: it is
 * consumed here. A poll does this last, or it could sleep through a wake that came during it. */
static void iocp_wait_port(rs_backend *backend, int64_t timeout_ns) {
    bool may_sleep = timeout_ns > 0 && rs_wake_may_sleep(&backend->wake);
    if (may_sleep) {
        iocp_set_alarm(backend, timeout_ns);
    }
    iocp_dequeue(backend, may_sleep ? iocp_wait_ms(backend, timeout_ns) : 0);
    (void)rs_wake_take(&backend->wake);
    backend->inline_since = 0;
}

static bool iocp_is_idle(const rs_backend *backend) {
    return backend->engine.ready.count == 0 && backend->recv_count == 0;
}

/* More connections than AcceptEx stood: as many as one look at the port would bring. */
static void iocp_take_burst(rs_backend *backend) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t taken = 0;
    bool is_idle = iocp_is_idle(backend);
    while (backend->engine.accepts <= backend->tuning.accepts &&
           taken++ < backend->tuning.dequeue_batch &&
           rs_win_accept_in_burst(backend->accept, is_idle)) {
        rs_engine_accepted(&backend->engine, accepted,
                           rs_win_accept_take(backend->accept, accepted));
        is_idle = true; /* it is its turn */
    }
}

/* Nothing to return: the time to post accepts, a batch after each look at an empty port. */
static void iocp_refill_accepts(rs_backend *backend) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    while (backend->engine.ready.count == 0 && rs_win_accept_owes(backend->accept)) {
        iocp_dequeue(backend, 0);
        if (backend->engine.ready.count == 0) {
            rs_engine_accepted(&backend->engine, accepted,
                               rs_win_accept_refill(backend->accept, accepted));
        }
    }
}

/* ---- poll */

uint32_t rs_iocp_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns) {
    rs_completion accepted[RS_WIN_ACCEPT_OUT_MAX];
    RS_ASSERT(cap > 0);
    RS_ASSERT(cap <= backend->poll_max);
    RS_ASSERT(timeout_ns >= 0);
    if (backend->inline_since >= backend->own.inline_max &&
        backend->engine.accepts <= backend->tuning.accepts) {
        iocp_dequeue(backend, 0); /* accepts and slower peers must not starve */
        backend->inline_since = 0;
    }
    rs_iocp_recv_flush(backend);
    rs_engine_accepted(&backend->engine, accepted, rs_win_accept_retry(backend->accept, accepted));
    iocp_take_burst(backend);
    if (backend->recv_count == 0) {
        iocp_refill_accepts(backend);
    }
    if (backend->engine.ready.count == 0) {
        iocp_wait_port(backend, backend->recv_count == 0 ? timeout_ns : 0);
    }
    return rs_engine_take(&backend->engine, out, cap);
}

void rs_iocp_wake(rs_backend *backend) {
    if (!rs_wake_needs_signal(&backend->wake)) {
        return;
    }
    (void)rs_atomic_add_u32(&backend->wake_posts, 1);
    if (!PostQueuedCompletionStatus(backend->port, 0, RS_IOCP_KEY_WAKE, NULL)) {
        RS_FATAL("PostQueuedCompletionStatus", GetLastError(), "cannot wake the shard");
    }
}
