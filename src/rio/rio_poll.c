/* SPDX-License-Identifier: MIT */
/* One poll: the completion queue, the port, sleeping; wake.
 *
 * Two ways to sleep, and a third if the provider has one (rs_rio_wait_fn). By IOCP, RIONotify posts
 * a packet to the port, where accepts, connects and wake-ups arrive too: one wait for everything.
 * By event, RIONotify sets an event; a port cannot be waited for beside it by documented means, and
 * a thread pool in between would be a second thread in the path under measurement. Instead AcceptEx
 * and ConnectEx carry a second event in their OVERLAPPED, which is set when they complete, in
 * addition to the packet; the shard waits for both and then reads the port without waiting.
 * Starting such a request clears the event, so a completion in between would be missed: after each
 * start the port is read until it is empty before the next wait (port_dirty). */
#include "rio/rio_instance.h"

#include "core/assert.h"
#include "seam/os.h"
#include "win/win_error.h"

#define RS_RIO_NS_PER_MS 1000000
#define RS_RIO_WAIT_MS_MAX 86400000 /* poll may return early: at most a day */

/* ---- the completion queue */

static void rio_result(rs_backend *backend, const RIORESULT *from) {
    const rs_rio_result result = {
        .socket_context = from->SocketContext,
        .request_context = from->RequestContext,
        .bytes = from->BytesTransferred,
        .status = rs_win_error_status((uint32_t)from->Status),
    };
    uint32_t conn, req;
    if (rs_rio_ledger_find(&backend->ledger, &result, &conn, &req) != RS_OK) {
        RS_FATAL("RIODequeueCompletion", from->Status,
                 "a completion without a request in flight: the queue is corrupt");
    }
    rs_engine_finished(&backend->engine, conn, req, result.status, result.bytes, false);
    if (result.bytes == 0 && result.status == RS_OK) {
        backend->sockets[conn].end_read = true; /* sends are never empty: a receive */
    }
    rs_rio_request_over(backend, req);
    rs_rio_run(backend, conn);
}

static void rio_dequeue(rs_backend *backend) {
    ULONG count;
    backend->counters.dequeues++;
    count = backend->api.fn.RIODequeueCompletion(backend->cq, backend->results,
                                                 backend->tuning.dequeue_batch);
    if (count == RIO_CORRUPT_CQ) {
        RS_FATAL("RIODequeueCompletion", 0, "RIO_CORRUPT_CQ: cannot continue safely");
    }
    RS_ASSERT(count <= backend->tuning.dequeue_batch);
    rs_rio_wait_took(&backend->waiter, count);
    for (ULONG i = 0; i < count; i++) {
        rio_result(backend, &backend->results[i]);
    }
    if (count > 0) {
        rs_rio_commit_all(backend);
    }
}

static void rio_arm(rs_backend *backend) {
    INT os_error;
    backend->counters.notifies++;
    os_error = backend->api.fn.RIONotify(backend->cq);
    if (os_error != ERROR_SUCCESS && os_error != WSAEALREADY) {
        RS_FATAL("RIONotify", os_error, "cannot arm the notification");
    }
    rs_rio_wait_armed(&backend->waiter);
}

static void rio_notified(rs_backend *backend) {
    backend->counters.notifications++;
    rs_rio_wait_fired(&backend->waiter);
}

/* ---- the port */

static void rio_packet(rs_backend *backend, const OVERLAPPED_ENTRY *entry) {
    rs_completion accepts[RS_WIN_ACCEPT_OUT_MAX];
    switch (entry->lpCompletionKey) {
    case RS_RIO_KEY_NOTIFY:
        rio_notified(backend);
        break;
    case RS_RIO_KEY_ACCEPT:
        backend->port_dirty = true;
        rs_engine_accepted(&backend->engine, accepts,
                           rs_win_accept_packet(backend->accept, entry->lpOverlapped,
                                                entry->dwNumberOfBytesTransferred, accepts));
        break;
    case RS_RIO_KEY_CONNECT:
        rs_rio_connect_packet(backend, entry->lpOverlapped);
        break;
    default:
        RS_ASSERT(entry->lpCompletionKey == RS_RIO_KEY_WAKE);
        break;
    }
}

static ULONG rio_port_dequeue(rs_backend *backend, DWORD wait_ms) {
    ULONG count = 0;
    backend->calls.count[RS_WIN_GQCSEX]++;
    if (!GetQueuedCompletionStatusEx(backend->port, backend->entries, backend->tuning.dequeue_batch,
                                     &count, wait_ms, FALSE)) {
        DWORD os_error = GetLastError();

        if (os_error != WAIT_TIMEOUT) {
            RS_FATAL("GetQueuedCompletionStatusEx", os_error, "the completion port is unusable");
        }
        return 0;
    }
    return count;
}

/* The provider's own wait, which watches the completion queue as well. */
static ULONG rio_provider_dequeue(rs_backend *backend, DWORD wait_ms) {
    ULONG count = 0;
    DWORD os_error;
    backend->counters.provider_waits++;
    if (backend->api.wait(backend->cq, backend->port, backend->entries,
                          backend->tuning.dequeue_batch, &count, wait_ms)) {
        return count;
    }
    os_error = GetLastError();
    if (os_error != WAIT_TIMEOUT) {
        RS_FATAL("ringside_rio_wait", os_error, "the provider's wait failed");
    }
    return 0;
}

/* Reads a batch of packets from the port; true if it is known to be empty. */
static bool rio_port_read(rs_backend *backend, DWORD wait_ms) {
    ULONG count;
    if (backend->engine.accepts > 0) {
        return false; /* these are returned first, or one poll could read accepts without end */
    }
    count = backend->api.wait != NULL ? rio_provider_dequeue(backend, wait_ms)
                                      : rio_port_dequeue(backend, wait_ms);
    if (count == 0) {
        return true;
    }
    for (ULONG i = 0; i < count; i++) {
        rio_packet(backend, &backend->entries[i]);
    }
    rs_rio_commit_all(backend); /* connects that came through have posted */
    return false;
}

static bool rio_has_ready(const rs_backend *backend) {
    return backend->engine.ready.count > 0;
}

/* ---- accepts */

/* More connections than AcceptEx stood: as many as one look at the port would bring. */
static void rio_take_burst(rs_backend *backend, bool is_idle) {
    rs_completion accepts[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t taken = 0;
    while (backend->engine.accepts <= backend->tuning.accepts &&
           taken++ < backend->tuning.dequeue_batch &&
           rs_win_accept_in_burst(backend->accept, is_idle)) {
        backend->port_dirty = true;
        rs_engine_accepted(&backend->engine, accepts, rs_win_accept_take(backend->accept, accepts));
        is_idle = true; /* it is its turn */
    }
}

/* The port has just been empty, and there is nothing to return: the time to post a batch. */
static void rio_refill_accepts(rs_backend *backend) {
    rs_completion accepts[RS_WIN_ACCEPT_OUT_MAX];
    if (!rio_has_ready(backend)) {
        rio_take_burst(backend, true);
    }
    if (!rio_has_ready(backend) && rs_win_accept_owes(backend->accept)) {
        rs_engine_accepted(&backend->engine, accepts,
                           rs_win_accept_refill(backend->accept, accepts));
    }
}

/* ---- sleeping */

static DWORD rio_wait_ms(const rs_backend *backend, uint64_t now_ns) {
    int64_t sleep_ns = rs_rio_wait_sleep_ns(&backend->waiter, now_ns);
    uint32_t retry_ms = rs_win_accept_retry_ms(backend->accept);
    int64_t ms = RS_RIO_WAIT_MS_MAX;
    if (sleep_ns != RS_FOREVER && sleep_ns / RS_RIO_NS_PER_MS < ms) {
        ms = sleep_ns / RS_RIO_NS_PER_MS + (sleep_ns % RS_RIO_NS_PER_MS != 0);
    } else if (sleep_ns == RS_FOREVER && retry_ms == 0) {
        return INFINITE;
    }
    if (retry_ms > 0 && ms > retry_ms) {
        ms = retry_ms;
    }
    return (DWORD)ms;
}

static void rio_sleep_for_events(rs_backend *backend, DWORD wait_ms) {
    const HANDLE events[] = {backend->notify_event, backend->port_event};
    DWORD rc;
    backend->counters.event_waits++;
    rc = WaitForMultipleObjects(2, events, FALSE, wait_ms);
    if (rc == WAIT_OBJECT_0) {
        rio_notified(backend);
    } else if (rc == WAIT_OBJECT_0 + 1u) {
        backend->port_dirty = true;
    } else if (rc != WAIT_TIMEOUT) {
        RS_FATAL("WaitForMultipleObjects", GetLastError(), "cannot wait for completions");
    }
}

/* Reads the port until it is empty; true if it was empty already. */
static bool rio_port_clean(rs_backend *backend) {
    bool was_clean = !backend->port_dirty;
    for (uint32_t i = 0; backend->port_dirty && i < RS_RIO_BUSY_POLLS_MAX; i++) {
        bool is_empty = rio_port_read(backend, 0);

        was_clean = is_empty && i == 0;
        backend->port_dirty = !is_empty;
    }
    return was_clean;
}

static void rio_sleep(rs_backend *backend, uint64_t now_ns) {
    DWORD wait_ms = rio_wait_ms(backend, now_ns);
    bool by_event = backend->notify_event != NULL;
    if (by_event && !rio_port_clean(backend)) {
        return; /* something was there: no sleep this time */
    }
    if (rs_win_accept_owes(backend->accept)) {
        if (!by_event) {
            (void)rio_port_read(backend, 0);
        }
        return; /* no sleep either: a batch of them follows */
    }
    if (!rs_wake_may_sleep(&backend->wake)) {
        return;
    }
    if (by_event) {
        rio_sleep_for_events(backend, wait_ms);
    } else {
        (void)rio_port_read(backend, wait_ms);
    }
    if (rs_wake_take(&backend->wake)) {
        backend->counters.wakes++;
    }
    if (by_event) {
        (void)rio_port_clean(backend);
    }
}

void rs_rio_wake(rs_backend *backend) {
    if (!rs_wake_needs_signal(&backend->wake)) {
        return;
    }
    if (backend->api.wait != NULL) {
        backend->api.wake(backend->cq);
        return;
    }
    (void)rs_atomic_add_u32(&backend->wake_posts, 1);
    if (backend->port_event != NULL
            ? !SetEvent(backend->port_event)
            : !PostQueuedCompletionStatus(backend->port, 0, RS_RIO_KEY_WAKE, NULL)) {
        RS_FATAL("PostQueuedCompletionStatus", GetLastError(), "cannot wake the shard");
    }
}

/* ---- poll */

static void rio_step(rs_backend *backend, rs_rio_step step, uint64_t now_ns) {
    switch (step) {
    case RS_RIO_STEP_DEQUEUE:
        rio_dequeue(backend);
        break;
    case RS_RIO_STEP_PORT:
        if (rio_port_read(backend, 0)) {
            rio_refill_accepts(backend);
        }
        break;
    case RS_RIO_STEP_ARM:
        rio_arm(backend);
        break;
    case RS_RIO_STEP_SLEEP:
        rio_sleep(backend, now_ns);
        rio_refill_accepts(backend);
        break;
    case RS_RIO_STEP_RETURN:
    default:
        break;
    }
}

/* Reading the clock is not free (85 ns under Wine), so it is read only when decisions depend on it:
 * at the first empty dequeue, and while spinning. */
static bool rio_needs_clock(const rs_backend *backend, uint64_t now_ns) {
    if (rio_has_ready(backend) || backend->waiter.timeout_ns == 0) {
        return false;
    }
    return now_ns == 0 || backend->waiter.mode != RS_RIO_WAIT_NOTIFY;
}

uint32_t rs_rio_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns) {
    rs_completion accepts[RS_WIN_ACCEPT_OUT_MAX];
    uint64_t now_ns = 0;
    rs_rio_step step;
    RS_ASSERT(cap > 0);
    RS_ASSERT(cap <= backend->poll_max);
    rs_engine_accepted(&backend->engine, accepts, rs_win_accept_retry(backend->accept, accepts));
    rio_take_burst(backend, false);
    rs_rio_wait_begin(&backend->waiter, timeout_ns);
    do {
        bool found = rio_has_ready(backend) || rs_wake_is_pending(&backend->wake);

        step = rs_rio_wait_next(&backend->waiter, now_ns, found);
        rio_step(backend, step, now_ns);
        if (rio_needs_clock(backend, now_ns)) {
            now_ns = rs_os_now_ns();
        }
    } while (step != RS_RIO_STEP_RETURN);
    if (rs_wake_is_pending(&backend->wake)) {
        (void)rs_wake_take(&backend->wake);
        backend->counters.wakes++;
    }
    return rs_engine_take(&backend->engine, out, cap);
}
