/* SPDX-License-Identifier: MIT */
/* Opening and closing an instance of the epoll back end, its memory and its statistics. */
#include "epoll/epoll_backend.h"

#include "epoll/epoll_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/assert.h"
#include "seam/backend_config.h"

#define EPOLL_FINE_SLACK_NS 1ul
#define EPOLL_SPARE_FILES 32u   /* standard streams, logs, what libraries open */
#define EPOLL_INSTANCE_FILES 4u /* epoll, eventfd, listener, reserve */

/* Descriptors reserved by all instances of this process: they share one limit, and each worker of a
 * server has an instance. */
static rs_atomic_u32 epoll_files_spoken_for;

/* ---- memory: nothing to register, so only the bookkeeping of the contract */

static rs_status epoll_register_memory(rs_backend *backend, void *base, size_t bytes,
                                       const rs_region_cut *cut, rs_region_id *out,
                                       rs_error *error) {
    (void)cut;
    RS_ASSERT(base != NULL);
    RS_ASSERT(bytes > 0);
    return rs_region_set_acquire(&backend->regions, out, error);
}

static void epoll_release_memory(rs_backend *backend, rs_region_id region) {
    rs_region_set_release(&backend->regions, region);
}

/* ---- statistics */

static void epoll_stats(const rs_backend *backend, rs_backend_stats *out) {
    const rs_epoll_counters *counters = &backend->counters;
    const rs_backend_stat stats[] = {
        {"eventfd write", rs_atomic_load_u32(&backend->wake_writes), true},
        {"inline completions", backend->engine.inline_completions, false},
#define X(member, name, is_call) {name, counters->member, is_call},
        RS_EPOLL_STATS(X)
#undef X
    };
    _Static_assert(sizeof stats / sizeof stats[0] <= RS_BACKEND_STATS_MAX, "they fit the record");
    memset(out, 0, sizeof *out);
    out->count = (uint32_t)(sizeof stats / sizeof stats[0]);
    memcpy(out->stat, stats, sizeof stats);
    out->provider = "linux";
}

/* ---- descriptors */

/* Raises the limit as far as the system allows, for the other parts of the process too. */
static rs_status epoll_files_limit(rlim_t *out, rs_error *error) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return rs_error_set(error, RS_E_OS, "getrlimit", (uint32_t)errno,
                            "cannot read the open file limit");
    }
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        limit.rlim_cur = setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
    }
    *out = limit.rlim_cur;
    return RS_OK;
}

/* Each connection is one descriptor. */
static uint32_t epoll_files_of(uint32_t conns_max) {
    RS_ASSERT(conns_max > 0);
    RS_ASSERT(conns_max <= RS_SESSIONS_MAX);
    return conns_max + EPOLL_INSTANCE_FILES;
}

static void epoll_files_release(uint32_t conns_max) {
    (void)rs_atomic_add_u32(&epoll_files_spoken_for, 0u - epoll_files_of(conns_max));
}

static rs_status epoll_files_acquire(uint32_t conns_max, rs_error *error) {
    uint32_t own = epoll_files_of(conns_max);
    uint32_t others, all;
    rlim_t limit = 0;
    rs_status status = epoll_files_limit(&limit, error);
    if (status != RS_OK) {
        return status;
    }
    others = rs_atomic_add_u32(&epoll_files_spoken_for, own);
    all = others + own + EPOLL_SPARE_FILES;
    if (all <= limit) {
        return RS_OK;
    }
    epoll_files_release(conns_max);
    return rs_error_set(error, RS_E_NO_BUFFERS, "setrlimit", 0,
                        "%u connections, and %u open files for other workers, need a limit of "
                        "%u and it is %llu: raise it (ulimit -n) or lower --max-sessions",
                        conns_max, others, all, (unsigned long long)limit);
}

/* ---- open and close */

static void epoll_close(rs_backend *backend) {
    if (backend == NULL) {
        return;
    }
    RS_ASSERT(backend->listener_count == 0);
    RS_ASSERT(backend->engine.ready.count == 0);
    RS_ASSERT(backend->engine.bound == 0);
    const int files[] = {backend->reserve_fd, backend->wake_fd, backend->epoll_fd};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] >= 0) {
            (void)close(files[i]); /* nothing of ours can be lost in them */
        }
    }
    free(backend->discard);
    free(backend->events);
    free(backend->conns);
    free(backend->engine_memory);
    epoll_files_release(backend->engine.cfg.conns_max);
    free(backend);
}

static rs_status epoll_check_config(const rs_backend_config *cfg, rs_error *error) {
    rs_status status = rs_backend_config_read(cfg, NULL, NULL, 0, error);
    if (status == RS_OK && cfg->tuning.accept_mode != RS_ACCEPT_OVERLAPPED) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "open", 0,
                            "the epoll back end has no accept thread; it accepts in its own loop");
    }
    if (status == RS_OK && cfg->tuning.recvs > 1) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "open", 0,
                            "the epoll back end leaves no receive with the kernel, so that several "
                            "would be no different from one");
    }
    return status;
}

static rs_status epoll_allocate(rs_backend *backend, const rs_backend_config *cfg,
                                rs_error *error) {
    const rs_engine_config engine = {
        .conns_max = cfg->conns_max,
        .recvs_per_conn = 1,
        .sends_per_conn = cfg->sends_per_conn,
        .accepts_max = cfg->tuning.accepts + RS_LISTENERS_MAX, /* and their last completions */
        .poll_max = cfg->poll_max,
        .gather_max = cfg->lone_sends ? 1u : RS_GATHER_MAX,
        .partial_sends = true,
    };
    backend->engine.cfg = engine; /* what close returns if this fails */
    backend->engine_memory = calloc(1, rs_engine_bytes(&engine));
    backend->conns = calloc(cfg->conns_max, sizeof *backend->conns);
    backend->events = calloc(backend->tuning.dequeue_batch, sizeof *backend->events);
    backend->discard = malloc(RS_EPOLL_DISCARD_BYTES);
    if (backend->engine_memory == NULL || backend->conns == NULL || backend->events == NULL ||
        backend->discard == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "out of memory for %u connections: lower --max-sessions",
                            cfg->conns_max);
    }
    for (uint32_t i = 0; i < cfg->conns_max; i++) {
        backend->conns[i].fd = -1;
    }
    rs_engine_init(&backend->engine, &engine, backend->engine_memory);
    return RS_OK;
}

static rs_status epoll_open_files(rs_backend *backend, rs_error *error) {
    backend->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (backend->epoll_fd < 0) {
        return rs_error_set(error, RS_E_OS, "epoll_create1", (uint32_t)errno,
                            "cannot create an epoll instance: %s", strerror(errno));
    }
    backend->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    backend->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (backend->wake_fd < 0 || backend->reserve_fd < 0 ||
        !rs_epoll_watch(backend, backend->wake_fd, RS_EPOLL_DATA_WAKE, EPOLLIN | EPOLLET)) {
        return rs_error_set(error, RS_E_OS, "eventfd", (uint32_t)errno,
                            "cannot set up the wake-up: %s", strerror(errno));
    }
    return RS_OK;
}

static rs_status epoll_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_backend *backend;
    rs_status status;
    *out = NULL;
    status = epoll_check_config(cfg, error);
    if (status == RS_OK) {
        status = epoll_files_acquire(cfg->conns_max, error);
    }
    if (status != RS_OK) {
        return status;
    }
    backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        epoll_files_release(cfg->conns_max);
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a back end");
    }
    backend->epoll_fd = backend->wake_fd = backend->reserve_fd = -1;
    backend->poll_max = cfg->poll_max;
    backend->tuning = cfg->tuning;
    backend->has_pwait2 = true;
    if (cfg->fine_waits) { /* removes the 50 us that Linux adds to a wait; if refused, they stay */
        (void)prctl(PR_SET_TIMERSLACK, EPOLL_FINE_SLACK_NS, 0, 0, 0);
    }
    status = epoll_allocate(backend, cfg, error);
    if (status == RS_OK) {
        status = epoll_open_files(backend, error);
    }
    if (status != RS_OK) {
        epoll_close(backend);
        return status;
    }
    *out = backend;
    return RS_OK;
}

const rs_backend_api rs_epoll_backend = {
    .name = "epoll",
    .tuning = "sndbuf rcvbuf nodelay dequeue-batch accepts backlog",
    .open = epoll_open,
    .close = epoll_close,
    .listen = rs_epoll_listen,
    .unlisten = rs_epoll_unlisten,
    .attach = rs_epoll_attach,
    .local = rs_epoll_local,
    .discard = rs_epoll_discard,
    .submit = rs_epoll_submit,
    .poll = rs_epoll_poll,
    .wake = rs_epoll_wake,
    .register_memory = epoll_register_memory,
    .release_memory = epoll_release_memory,
    .stats = epoll_stats,
};
