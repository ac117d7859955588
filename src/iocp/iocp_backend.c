/* SPDX-License-Identifier: MIT */
/* Opening and closing an instance of the IOCP back end, its memory and its statistics. */
#include "iocp/iocp_backend.h"

#include "iocp/iocp_instance.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/backend_config.h"
#include "seam/os.h"

_Static_assert(RS_WIN_CALLS + 5u <= RS_BACKEND_STATS_MAX, "all figures fit the record");

/* ---- listening */

static rs_status iocp_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                             rs_error *error) {
    if (addr->family == RS_ADDR_V6 && backend->extensions[RS_ADDR_V6].connect_ex == NULL) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "listen", 0,
                            "no IPv6 here; choose an IPv4 --host");
    }
    return rs_win_accept_listen(backend->accept, addr, port_out, error);
}

static void iocp_unlisten(rs_backend *backend) {
    rs_win_accept_unlisten(backend->accept);
}

/* ---- memory: nothing to register, so only the bookkeeping of the contract */

static rs_status iocp_register_memory(rs_backend *backend, void *base, size_t bytes,
                                      const rs_region_cut *cut, rs_region_id *out,
                                      rs_error *error) {
    (void)cut;
    RS_ASSERT(base != NULL);
    RS_ASSERT(bytes > 0);
    return rs_region_set_acquire(&backend->regions, out, error);
}

static void iocp_release_memory(rs_backend *backend, rs_region_id region) {
    rs_region_set_release(&backend->regions, region);
}

/* ---- statistics */

static void iocp_stats(const rs_backend *backend, rs_backend_stats *out) {
    rs_win_calls calls = backend->calls;
    memset(out, 0, sizeof *out);
    calls.count[RS_WIN_POST] += rs_atomic_load_u32(&backend->wake_posts) + backend->alarms;
    rs_win_calls_stats(&calls, out);
    rs_win_stats_add(out, "inline completions", backend->engine.inline_completions, false);
    rs_win_stats_add(out, "packets", backend->packets, false);
    rs_win_stats_add(out, "wake-ups", backend->wakes, false);
    rs_win_stats_add(out, "alarms", backend->alarms, false);
    rs_win_stats_add(out, "sends joined", backend->sends_joined, false);
    out->provider = rs_win_provider_text(backend->on_wine ? "wine" : "windows",
                                         &backend->extensions[RS_ADDR_V4].provider);
}

/* ---- open and close */

static void iocp_close(rs_backend *backend) {
    if (backend == NULL) {
        return;
    }
    RS_ASSERT(backend->engine.ready.count == 0);
    RS_ASSERT(backend->engine.bound == 0);
    RS_ASSERT(backend->engine.posted == 0);
    rs_win_accept_close(backend->accept);
    rs_win_alarm_close(backend->alarm);
    if (backend->port != NULL) {
        (void)CloseHandle(backend->port); /* ours, and nothing is pending on it */
    }
    if (backend->started) {
        rs_win_socket_stop();
    }
    free(backend->discard);
    free(backend->entries);
    free(backend->recv_list);
    free(backend->requests);
    free(backend->conns);
    free(backend->engine_memory);
    free(backend);
}

static rs_status iocp_allocate(rs_backend *backend, const rs_backend_config *cfg, rs_error *error) {
    const uint32_t conns = cfg->conns_max;
    const uint32_t reqs = rs_engine_reqs(conns, cfg->tuning.recvs, cfg->sends_per_conn);
    /* ACCEPT records: those of one read of the port (each packet may also end a listener), and
     * those not yet polled. */
    const rs_engine_config engine = {
        .conns_max = conns,
        .recvs_per_conn = cfg->tuning.recvs,
        .sends_per_conn = cfg->sends_per_conn,
        .accepts_max = cfg->tuning.accepts + cfg->tuning.dequeue_batch +
                       RS_WIN_ACCEPT_OUT_MAX * 2u + RS_LISTENERS_MAX,
        .poll_max = cfg->poll_max,
        .gather_max = cfg->lone_sends ? 1u : RS_GATHER_MAX,
        .cancels_recv = true,
    };
    backend->engine_memory = calloc(1, rs_engine_bytes(&engine));
    backend->conns = calloc(conns, sizeof *backend->conns);
    backend->requests = calloc(reqs, sizeof *backend->requests);
    backend->recv_list = calloc(conns, sizeof *backend->recv_list);
    backend->entries = calloc(backend->tuning.dequeue_batch, sizeof *backend->entries);
    backend->discard = malloc(RS_WIN_DISCARD_BYTES);
    if (backend->engine_memory == NULL || backend->conns == NULL || backend->requests == NULL ||
        backend->recv_list == NULL || backend->entries == NULL || backend->discard == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "out of memory for %u connections: lower --max-sessions", conns);
    }
    for (uint32_t i = 0; i < conns; i++) {
        backend->conns[i].socket = INVALID_SOCKET;
    }
    for (uint32_t i = 0; i < reqs; i++) {
        backend->requests[i].conn = i / (reqs / conns);
    }
    rs_engine_init(&backend->engine, &engine, backend->engine_memory);
    return RS_OK;
}

/* Queries Winsock before the first connection. */
static rs_status iocp_probe(rs_backend *backend, rs_error *error) {
    uint32_t os_error = 0;
    rs_status status;
    SOCKET probe = rs_win_socket_open(AF_INET, 0, &backend->calls, &os_error);
    if (probe == INVALID_SOCKET) {
        return rs_error_set(error, RS_E_OS, "WSASocket", os_error,
                            "cannot create a TCP socket (error %u)", os_error);
    }
    status = rs_win_socket_extensions(probe, &backend->extensions[RS_ADDR_V4], error);
    backend->skip = backend->own.skip_on_success && backend->extensions[RS_ADDR_V4].provider.ifs;
    if (rs_win_probe_v6(&backend->extensions[RS_ADDR_V6], 0, &backend->calls)) {
        backend->skip = backend->skip && backend->extensions[RS_ADDR_V6].provider.ifs;
    }
    rs_win_socket_close(probe, &backend->calls);
    return status;
}

static rs_status iocp_open_port(rs_backend *backend, rs_error *error) {
    rs_win_accept_config cfg = {.key = RS_IOCP_KEY_ACCEPT,
                                .tuning = &backend->tuning,
                                .provider = {&backend->extensions[RS_ADDR_V4].provider,
                                             &backend->extensions[RS_ADDR_V6].provider},
                                .calls = &backend->calls};
    backend->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (backend->port == NULL) {
        uint32_t os_error = GetLastError();
        return rs_error_set(error, RS_E_OS, "CreateIoCompletionPort", os_error,
                            "cannot create a completion port (error %u)", os_error);
    }
    cfg.port = backend->port;
    cfg.prepare = backend->prepares ? rs_iocp_adopt : NULL;
    cfg.prepare_arg = backend;
    return rs_win_accept_open(&backend->accept, &cfg, error);
}

static rs_status iocp_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_backend *backend;
    rs_iocp_settings own;
    rs_status status = rs_backend_config_read(cfg, &rs_iocp_options, &own, sizeof own, error);
    *out = NULL;
    if (status == RS_OK && own.zero_byte_recv && cfg->tuning.recvs > 1) {
        /* The receives that follow probes would be posted in the order of the probes' packets. */
        status = rs_error_set(error, RS_E_INVALID, "open", 0,
                              "--recvs: '%u' receives and --zero-byte-recv do not go together; "
                              "allowed with it: 1",
                              cfg->tuning.recvs);
    }
    if (status != RS_OK) {
        return status;
    }
    backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a back end");
    }
    backend->poll_max = cfg->poll_max;
    backend->tuning = cfg->tuning;
    backend->own = own;
    backend->on_wine = rs_os_is_wine();
    backend->prepares = cfg->keeps_accepted && cfg->tuning.accept_mode == RS_ACCEPT_OVERLAPPED;
    status = iocp_allocate(backend, cfg, error);
    if (status == RS_OK) {
        status = rs_win_socket_start(error);
        backend->started = status == RS_OK;
    }
    if (status == RS_OK) {
        status = iocp_probe(backend, error);
    }
    if (status == RS_OK) {
        status = iocp_open_port(backend, error);
    }
    if (status == RS_OK && cfg->fine_waits) {
        status = rs_win_alarm_open(&backend->alarm, backend->port, RS_IOCP_KEY_ALARM, error);
    }
    if (status != RS_OK) {
        iocp_close(backend);
        return status;
    }
    *out = backend;
    return RS_OK;
}

/* A probe may precede each receive; a poll may return only probes, that is, nothing. */
static uint32_t iocp_settle_polls(const rs_backend *backend, uint64_t due, uint32_t *dry_max) {
    const uint32_t batch = backend->own.gqcs_single ? 1 : backend->tuning.dequeue_batch;
    const uint32_t probes = backend->own.zero_byte_recv ? backend->engine.cfg.conns_max : 0;
    *dry_max = probes / batch;
    return (uint32_t)((due + probes) / batch);
}

const rs_backend_api rs_iocp_backend = {
    .name = "iocp",
    .tuning = "sndbuf rcvbuf nodelay dequeue-batch recvs accept accepts backlog backlog-hint",
    .options = &rs_iocp_options,
    .settings_bytes = sizeof(rs_iocp_settings),
    .open = iocp_open,
    .close = iocp_close,
    .listen = iocp_listen,
    .unlisten = iocp_unlisten,
    .attach = rs_iocp_attach,
    .local = rs_iocp_local,
    .discard = rs_iocp_discard_socket,
    .submit = rs_iocp_submit,
    .poll = rs_iocp_poll,
    .wake = rs_iocp_wake,
    .register_memory = iocp_register_memory,
    .release_memory = iocp_release_memory,
    .stats = iocp_stats,
    .settle_polls = iocp_settle_polls,
};
