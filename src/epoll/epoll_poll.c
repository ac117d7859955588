/* SPDX-License-Identifier: MIT */
/* One poll: waits for events, handles them, returns completions; wake. */
#include "epoll/epoll_instance.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"

#define EPOLL_POLLS_WITHOUT_WAIT                                                                   \
    16u /* then the kernel is asked, even if the ready ring is not empty */
#define EPOLL_NS_PER_S 1000000000
#define EPOLL_NS_PER_MS 1000000
#define EPOLL_WAIT_MS_MAX 86400000 /* poll may return early: at most a day */

/* ---- events */

static int epoll_take_error(rs_backend *backend, int fd) {
    int os_error = 0;
    socklen_t bytes = sizeof os_error;
    backend->counters.getsockopt_calls++;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os_error, &bytes) != 0) {
        return errno;
    }
    return os_error;
}

static void epoll_conn_event(rs_backend *backend, uint32_t index, uint32_t events) {
    const uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    rs_epoll_conn *conn = &backend->conns[index];
    if (backend->engine.conns[index].phase == RS_CONN_CONNECTING) {
        rs_epoll_connect_end(backend, index, epoll_take_error(backend, conn->fd));
    }
    if ((events & (EPOLLIN | end)) != 0) {
        conn->may |= RS_ENGINE_RECV;
        conn->ended = conn->ended || (events & end) != 0;
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        conn->may |= RS_ENGINE_SEND;
    }
    rs_epoll_run(backend, index, false);
}

static void epoll_event_dispatch(rs_backend *backend, const struct epoll_event *event) {
    uint64_t data = event->data.u64;
    uint32_t index = (uint32_t)data;
    if (data == RS_EPOLL_DATA_WAKE) {
        /* An exchange, so that what a waker wrote before its own exchange is seen after poll. The
         * eventfd is edge-triggered and never read: each write is an edge. */
        (void)rs_atomic_exchange_u32(&backend->wake_pending, 0);
        backend->counters.wakes++;
        return;
    }
    if (data >= RS_EPOLL_DATA_LISTENER) {
        index = (uint32_t)(data - RS_EPOLL_DATA_LISTENER);
        if (index < backend->listener_count && !backend->accept_paused) {
            rs_epoll_accept_batch(backend, index);
        }
        return;
    }
    RS_ASSERT(index < backend->engine.cfg.conns_max);
    if (backend->conns[index].fd < 0 ||
        backend->engine.conns[index].generation != (uint32_t)(data >> 32)) {
        backend->counters.stale_events++;
        return;
    }
    epoll_conn_event(backend, index, event->events);
}

static int epoll_wait_call(rs_backend *backend, int64_t timeout_ns) {
    int batch = (int)backend->tuning.dequeue_batch;
    if (timeout_ns == RS_FOREVER) {
        backend->counters.epoll_wait_calls++;
        return epoll_wait(backend->epoll_fd, backend->events, batch, -1);
    }
    if (timeout_ns > 0 && backend->has_pwait2) {
        const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / EPOLL_NS_PER_S),
                                         .tv_nsec = (long)(timeout_ns % EPOLL_NS_PER_S)};
        backend->counters.epoll_pwait2_calls++;
        int count = epoll_pwait2(backend->epoll_fd, backend->events, batch, &timeout, NULL);

        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        backend->has_pwait2 = false; /* before Linux 5.11, or a filter that does not know it */
    }
    backend->counters.epoll_wait_calls++;
    int64_t timeout_ms = (timeout_ns + EPOLL_NS_PER_MS - 1) / EPOLL_NS_PER_MS;
    return epoll_wait(backend->epoll_fd, backend->events, batch,
                      (int)(timeout_ms < EPOLL_WAIT_MS_MAX ? timeout_ms : EPOLL_WAIT_MS_MAX));
}

/* Asks the kernel once and turns its events into completions. */
static void epoll_gather(rs_backend *backend, int64_t timeout_ns) {
    int count = epoll_wait_call(backend, timeout_ns);
    backend->polls_without_wait = 0;
    if (count < 0) {
        if (errno != EINTR) {
            RS_FATAL("epoll_wait", errno, "waiting for events failed");
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        epoll_event_dispatch(backend, &backend->events[i]);
    }
}

/* ---- poll */

/* Ready completions are returned first, without a system call; but every few polls the kernel is
 * asked anyway, or busy connections would starve the others. */
uint32_t rs_epoll_poll(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns) {
    bool idle = backend->engine.ready.count == 0;
    RS_ASSERT(cap > 0);
    RS_ASSERT(cap <= backend->poll_max);
    RS_ASSERT(timeout_ns >= 0);
    if (idle || ++backend->polls_without_wait >= EPOLL_POLLS_WITHOUT_WAIT) {
        timeout_ns = rs_epoll_accept_resume(backend, timeout_ns);
        epoll_gather(backend, idle ? timeout_ns : 0);
    }
    return rs_engine_take(&backend->engine, out, cap);
}

void rs_epoll_wake(rs_backend *backend) {
    const uint64_t one = 1;
    if (rs_atomic_exchange_u32(&backend->wake_pending, 1) != 0) {
        return; /* an earlier wake is still pending: one poll serves both */
    }
    (void)rs_atomic_add_u32(&backend->wake_writes, 1);
    if (write(backend->wake_fd, &one, sizeof one) != (ssize_t)sizeof one) {
        RS_FATAL("write(eventfd)", errno, "cannot wake the shard");
    }
}
