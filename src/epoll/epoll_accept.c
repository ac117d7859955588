/* SPDX-License-Identifier: MIT */
/* Listening, and accepting in the shard's own loop. */
#include "epoll/epoll_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/assert.h"
#include "net/net_address.h"
#include "posix/posix_error.h"
#include "seam/os.h"

#define EPOLL_NS_PER_MS 1000000

static void epoll_complete_accept(rs_backend *backend, rs_status status) {
    const rs_completion record = {
        .kind = RS_OP_ACCEPT, .status = (uint16_t)status, .socket = RS_SOCKET_NONE};
    rs_engine_accepted(&backend->engine, &record, 1);
}

/* Our own end is the listener's address, unless that stands for all of this machine. */
static void epoll_accepted(rs_backend *backend, const rs_epoll_listener *listener, int fd,
                           const rs_sockaddr *peer) {
    const rs_ends ends = {.peer = rs_sockaddr_read(peer),
                          .local = rs_addr_is_any(&listener->addr)
                                       ? rs_epoll_local_addr(backend, fd)
                                       : listener->addr};
    const rs_completion record = {
        .kind = RS_OP_ACCEPT, .status = RS_OK, .ends = &ends, .socket = (uintptr_t)fd};
    rs_engine_accepted(&backend->engine, &record, 1);
}

/* ---- listening */

static rs_status epoll_listen_fail(rs_backend *backend, int fd, const char *call,
                                   const rs_addr *addr, rs_error *error) {
    int os_error = errno;
    rs_status status = rs_posix_status(os_error);
    char text[RS_ADDR_TEXT_BYTES];
    if (fd >= 0) {
        rs_epoll_descriptor_close(backend, fd);
    }
    if (status != RS_E_ADDRESS_IN_USE && status != RS_E_ADDRESS && status != RS_E_ACCESS) {
        status = RS_E_OS;
    }
    return rs_error_set(error, status, call, (uint32_t)os_error,
                        "cannot listen on %s: %s; choose another --host or --port",
                        rs_addr_text(addr, text), strerror(os_error));
}

rs_status rs_epoll_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                          rs_error *error) {
    rs_sockaddr name;
    socklen_t name_bytes = rs_sockaddr_write(&name, addr);
    rs_epoll_listener *listener = &backend->listeners[backend->listener_count];
    int fd;
    RS_ASSERT(backend->listener_count <= RS_LISTENERS_MAX);
    if (backend->listener_count == RS_LISTENERS_MAX) {
        return rs_error_set(error, RS_E_INVALID, "listen", 0, "more than %u listeners",
                            RS_LISTENERS_MAX);
    }
    fd = rs_epoll_socket(backend, name.any.sa_family);
    /* On Linux SO_REUSEADDR allows a restart during TIME_WAIT, never beside a live listener. */
    if (fd < 0 || !rs_epoll_set_int(backend, fd, SOL_SOCKET, SO_REUSEADDR, 1)) {
        return epoll_listen_fail(backend, fd, "socket", addr, error);
    }
    if (addr->family == RS_ADDR_V6 &&
        !rs_epoll_set_int(backend, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
        return epoll_listen_fail(backend, fd, "setsockopt", addr, error);
    }
    if (bind(fd, &name.any, name_bytes) != 0) {
        return epoll_listen_fail(backend, fd, "bind", addr, error);
    }
    if (listen(fd, (int)backend->tuning.backlog) != 0) {
        return epoll_listen_fail(backend, fd, "listen", addr, error);
    }
    if (getsockname(fd, &name.any, &name_bytes) != 0) {
        return epoll_listen_fail(backend, fd, "getsockname", addr, error);
    }
    /* Level-triggered: a burst beyond one poll's share simply shows again in the next. */
    if (!rs_epoll_watch(backend, fd, RS_EPOLL_DATA_LISTENER + backend->listener_count,
                        backend->accept_paused ? 0 : EPOLLIN)) {
        return epoll_listen_fail(backend, fd, "epoll_ctl", addr, error);
    }
    *listener = (rs_epoll_listener){.fd = fd, .addr = rs_sockaddr_read(&name)};
    backend->listener_count++;
    *port_out = listener->addr.port;
    return RS_OK;
}

void rs_epoll_unlisten(rs_backend *backend) {
    RS_ASSERT(backend->listener_count <= RS_LISTENERS_MAX);
    while (backend->listener_count > 0) {
        backend->listener_count--;
        rs_epoll_descriptor_close(backend, backend->listeners[backend->listener_count].fd);
        epoll_complete_accept(backend, RS_E_CLOSED);
    }
    backend->accept_paused = false;
    rs_retry_succeeded(&backend->accept_retry);
}

/* ---- accepting */

static void epoll_listeners_watch(rs_backend *backend, uint32_t events) {
    for (uint32_t i = 0; i < backend->listener_count; i++) {
        struct epoll_event event = {.events = events, .data = {.u64 = RS_EPOLL_DATA_LISTENER + i}};
        const int failed =
            epoll_ctl(backend->epoll_fd, EPOLL_CTL_MOD, backend->listeners[i].fd, &event);
        RS_ASSERT(failed == 0 || errno == ENOENT); /* a broken one is not in the set any more */
        backend->counters.epoll_ctl_calls++;
    }
}

/* Nothing could be accepted and the connection still waits: if watched, the listener would be ready
 * in every iteration. What is lacking, the others lack too. */
static void epoll_accept_pause(rs_backend *backend) {
    epoll_listeners_watch(backend, 0);
    backend->accept_paused = true;
    (void)rs_retry_failed(&backend->accept_retry, rs_os_now_ns());
}

int64_t rs_epoll_accept_resume(rs_backend *backend, int64_t timeout_ns) {
    int64_t wait_ns;
    if (!backend->accept_paused) {
        return timeout_ns;
    }
    if (rs_retry_is_due(&backend->accept_retry, rs_os_now_ns())) {
        RS_ASSERT(backend->listener_count > 0);
        backend->accept_paused = false;
        epoll_listeners_watch(backend, EPOLLIN);
        return timeout_ns;
    }
    wait_ns = (int64_t)backend->accept_retry.wait_ms * EPOLL_NS_PER_MS;
    return wait_ns < timeout_ns ? wait_ns : timeout_ns;
}

static void epoll_reserve_open(rs_backend *backend) {
    if (backend->reserve_fd < 0) {
        backend->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* else the next time */
    }
}

/* Out of descriptors: the reserve one is closed for a moment, so that the connection is refused now
 * instead of waiting in the backlog. False: it still waits, because another thread took the free
 * descriptor. */
static bool epoll_accept_refuse(rs_backend *backend, int listen_fd) {
    int fd;
    RS_ASSERT(listen_fd >= 0);
    epoll_reserve_open(backend);
    if (backend->reserve_fd >= 0) {
        rs_epoll_descriptor_close(backend, backend->reserve_fd);
        backend->reserve_fd = -1;
    }
    backend->counters.accept_calls++;
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        rs_epoll_descriptor_close(backend, fd);
    }
    epoll_reserve_open(backend);
    return fd >= 0;
}

/* Handles a failed accept4; false = no more for now. */
static bool epoll_accept_failed(rs_backend *backend, int listen_fd, int os_error) {
    RS_ASSERT(os_error != 0);
    switch (os_error) {
    case EAGAIN:
        return false;
    case EINTR:
        return true;
    case EMFILE:
    case ENFILE:
        if (!epoll_accept_refuse(backend, listen_fd)) {
            epoll_accept_pause(backend);
        }
        epoll_complete_accept(backend, RS_E_NO_BUFFERS);
        return false;
    case ENOBUFS:
    case ENOMEM:
        epoll_accept_pause(backend);
        epoll_complete_accept(backend, RS_E_NO_BUFFERS);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP: /* the listener itself: no more connections */
        (void)epoll_ctl(backend->epoll_fd, EPOLL_CTL_DEL, listen_fd, NULL);
        epoll_complete_accept(backend, RS_E_LISTENER);
        return false;
    default: /* network errors of the one connection: accept(2), "Error handling" */
        epoll_complete_accept(backend, rs_posix_status(os_error));
        return true;
    }
}

void rs_epoll_accept_batch(rs_backend *backend, uint32_t index) {
    const rs_epoll_listener *listener = &backend->listeners[index];
    bool more = true;
    RS_ASSERT(index < backend->listener_count);
    /* Entries stay free for the last completions, after unlisten. */
    while (more && backend->engine.accepts < backend->tuning.accepts) {
        rs_sockaddr peer = {.any = {.sa_family = AF_UNSPEC}};
        socklen_t bytes = sizeof peer;
        int fd;

        backend->counters.accept_calls++;
        fd = accept4(listener->fd, &peer.any, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            rs_retry_succeeded(&backend->accept_retry);
            epoll_accepted(backend, listener, fd, &peer);
        } else {
            more = epoll_accept_failed(backend, listener->fd, errno);
        }
    }
}
