/* SPDX-License-Identifier: MIT */
/* Opening and closing an instance of the RIO back end, its memory and its statistics. */
#include "rio/rio_backend.h"

#include "rio/rio_instance.h"
#include "rio/rio_verify_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/backend_config.h"
#include "seam/os.h"
#include "seam/region_set.h"

/* ---- listening */

static rs_status rio_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                            rs_error *error) {
    backend->port_dirty = true;
    if (addr->family == RS_ADDR_V6 && backend->extensions[RS_ADDR_V6].connect_ex == NULL) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "listen", 0,
                            "no registered I/O over IPv6 here; choose an IPv4 --host");
    }
    return rs_win_accept_listen(backend->accept, addr, port_out, error);
}

static void rio_unlisten(rs_backend *backend) {
    backend->port_dirty = true;
    rs_win_accept_unlisten(backend->accept);
}

/* ---- memory */

/* Whole, or in pieces. If one fails, rs_rio_region_end undoes the others. */
static rs_status rio_register_pieces(rs_backend *backend, rs_rio_region *region, rs_error *error) {
    uint32_t count = rs_region_cut_pieces(&region->cut);
    uint32_t os_error;
    if (backend->own.registration == RS_RIO_REG_REQUEST) {
        return RS_OK; /* registered with each request */
    }
    region->ids = calloc(count, sizeof *region->ids);
    if (region->ids == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "out of memory for %u registrations: lower --max-sessions", count);
    }
    for (; region->id_count < count; region->id_count++) {
        rs_region_piece piece = rs_region_piece_of(&region->cut, region->id_count);
        RIO_BUFFERID id =
            backend->api.fn.RIORegisterBuffer((PCHAR)region->base + piece.start, piece.bytes);

        backend->counters.registrations++;
        if (id == RIO_INVALID_BUFFERID) {
            os_error = (uint32_t)WSAGetLastError();
            return rs_error_set(
                error, RS_E_NO_BUFFERS, "RIORegisterBuffer", os_error,
                "cannot register %u MiB of buffers (error %u): %s, or lower --max-sessions",
                region->bytes >> 20, os_error, rs_rio_memory_advice(&backend->api));
        }
        region->ids[region->id_count] = id;
    }
    return RS_OK;
}

static rs_status rio_register_memory(rs_backend *backend, void *base, size_t bytes,
                                     const rs_region_cut *cut, rs_region_id *out, rs_error *error) {
    bool in_pieces = cut != NULL && backend->own.registration == RS_RIO_REG_SESSION;
    uint16_t i = 0;
    rs_status status;
    RS_ASSERT(base != NULL);
    RS_ASSERT(bytes > 0);
    RS_ASSERT(cut == NULL || rs_region_cut_bytes(cut) <= bytes);
    if (bytes > UINT32_MAX) {
        return rs_error_set(error, RS_E_INVALID, "RIORegisterBuffer", 0,
                            "%llu MiB in one piece: RIO registers up to 4095, lower --max-sessions",
                            (unsigned long long)bytes >> 20);
    }
    while (i < RS_REGIONS_MAX && backend->regions[i].base != NULL) {
        i++;
    }
    if (i == RS_REGIONS_MAX) {
        return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0,
                            "all %u memory regions are in use", RS_REGIONS_MAX);
    }
    backend->regions[i] = (rs_rio_region){
        .base = base,
        .bytes = (uint32_t)bytes,
        .cut = in_pieces ? *cut : (rs_region_cut){.slices = 1, .slice_bytes = (uint32_t)bytes},
    };
    status = rio_register_pieces(backend, &backend->regions[i], error);
    if (status != RS_OK) {
        rs_rio_region_end(backend, i);
    }
    out->value = i;
    return status;
}

static void rio_release_memory(rs_backend *backend, rs_region_id region) {
    RS_ASSERT(region.value < RS_REGIONS_MAX);
    RS_ASSERT(backend->regions[region.value].base != NULL);
    RS_ASSERT(backend->engine.posted == 0); /* or RIO might still write there */
    rs_rio_region_end(backend, region.value);
}

/* ---- statistics */

#define X(member, name, is_call) +1
enum { RS_RIO_STAT_COUNT = 0 RS_RIO_STATS(X) };
#undef X
_Static_assert(RS_RIO_STAT_COUNT + 3u + RS_WIN_CALLS <= RS_BACKEND_STATS_MAX,
               "they fit the record");

static void rio_straggler(rs_backend *backend, uint32_t conn) {
    const rs_engine_conn *state = &backend->engine.conns[conn];
    char text[200];
    if (backend->verified) {
        (void)snprintf(text, sizeof text,
                       "connection %u: %u requests and %u connects outstanding %u ms after its "
                       "reset (provider %s)",
                       conn, state->sends_posted + (unsigned)state->recvs_posted,
                       (unsigned)state->connect_busy, RS_CLOSE_STRAGGLER_MS, backend->api.provider);
        RS_FATAL("closesocket", 0, text);
    }
}

static void rio_stats(const rs_backend *backend, rs_backend_stats *out) {
    rs_win_calls calls = backend->calls;
    memset(out, 0, sizeof *out);
    calls.count[RS_WIN_POST] += rs_atomic_load_u32(&backend->wake_posts);
    rs_win_calls_stats(&calls, out);
#define X(member, name, is_call) rs_win_stats_add(out, name, backend->counters.member, is_call);
    RS_RIO_STATS(X)
#undef X
    rs_win_stats_add(out, "spins_found", backend->waiter.spins_found, false);
    rs_win_stats_add(out, "spins_missed", backend->waiter.spins_missed, false);
    out->provider =
        rs_win_provider_text(backend->api.provider, &backend->extensions[RS_ADDR_V4].provider);
}

/* ---- close */

static void rio_free(rs_backend *backend) {
    free(backend->engine_memory);
    free(backend->stamps);
    free(backend->touched);
    free(backend->dirs);
    free(backend->sockets);
    free(backend->slots);
    free(backend->results);
    free(backend->entries);
    free(backend->discard);
    free(backend);
}

static void rio_close_handle(HANDLE handle) {
    if (handle != NULL) {
        (void)CloseHandle(handle); /* ours, and nothing is pending on it */
    }
}

/* Close order: the queue before its port, both before the OVERLAPPED. */
static void rio_close(rs_backend *backend) {
    if (backend == NULL) {
        return;
    }
    RS_ASSERT(backend->engine.bound == 0);
    RS_ASSERT(backend->engine.posted == 0);
    RS_ASSERT(backend->engine.ready.count == 0);
    rs_win_accept_close(backend->accept);
    for (uint16_t i = 0; i < RS_REGIONS_MAX; i++) {
        if (backend->regions[i].base != NULL) {
            rs_rio_region_end(backend, i);
        }
    }
    if (backend->cq != RIO_INVALID_CQ) {
        backend->api.fn.RIOCloseCompletionQueue(backend->cq);
    }
    rio_close_handle(backend->port);
    rio_close_handle(backend->notify_event);
    rio_close_handle(backend->port_event);
    if (backend->verified) {
        (void)rs_rio_verify_unwrap(); /* a violation has stopped the process */
    }
    if (backend->started) {
        rs_win_socket_stop();
    }
    rio_free(backend);
}

/* ---- open */

/* The accepts of one read of the port (each packet may also end a listener), and those not yet
 * returned. */
static uint32_t rio_accept_records_max(const rs_tuning *tuning) {
    return tuning->accepts + 2u * tuning->dequeue_batch + RS_WIN_ACCEPT_OUT_MAX * 2u;
}

static rs_status rio_allocate(rs_backend *backend, const rs_backend_config *cfg, rs_error *error) {
    uint32_t conns = cfg->conns_max;
    uint32_t reqs = rs_engine_reqs(conns, cfg->tuning.recvs, cfg->sends_per_conn);
    const rs_engine_config engine = {
        .conns_max = conns,
        .recvs_per_conn = cfg->tuning.recvs,
        .sends_per_conn = cfg->sends_per_conn,
        .accepts_max = rio_accept_records_max(&cfg->tuning),
        .poll_max = cfg->poll_max,
        .gather_max = 1, /* RIO has no gather */
    };
    uint32_t batch = cfg->tuning.dequeue_batch;
    backend->engine_memory = calloc(1, rs_engine_bytes(&engine));
    backend->stamps = calloc(reqs, sizeof *backend->stamps);
    backend->touched = calloc(conns, sizeof *backend->touched);
    backend->dirs = calloc(conns, sizeof *backend->dirs);
    backend->sockets = calloc(conns, sizeof *backend->sockets);
    backend->slots = calloc(reqs, sizeof *backend->slots);
    backend->results = calloc(batch, sizeof *backend->results);
    backend->entries = calloc(batch, sizeof *backend->entries);
    backend->discard = malloc(RS_WIN_DISCARD_BYTES);
    if (backend->engine_memory == NULL || backend->stamps == NULL || backend->touched == NULL ||
        backend->dirs == NULL || backend->sockets == NULL || backend->slots == NULL ||
        backend->results == NULL || backend->entries == NULL || backend->discard == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                            "out of memory for %u connections: lower --max-sessions", conns);
    }
    rs_engine_init(&backend->engine, &engine, backend->engine_memory);
    rs_rio_ledger_init(&backend->ledger, &backend->engine, backend->stamps, backend->touched,
                       backend->dirs);
    for (uint32_t i = 0; i < conns; i++) {
        backend->sockets[i].socket = INVALID_SOCKET;
    }
    for (uint32_t i = 0; i < reqs; i++) {
        backend->slots[i].own = RIO_INVALID_BUFFERID;
    }
    return RS_OK;
}

static rs_status rio_open_verify(rs_backend *backend, rs_error *error) {
    const rs_rv_options options = {.unique_ids = backend->own.registration == RS_RIO_REG_REQUEST};
    if (!backend->own.verify) {
        return RS_OK;
    }
    backend->verified = rs_rio_verify_wrap(&backend->api, &options);
    return backend->verified ? RS_OK
                             : rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0,
                                            "out of memory for --rio-verify; run without it");
}

/* IPv6 is another entry of the catalogue: served if its RIO is the same. */
static void rio_probe_v6(rs_backend *backend) {
    uint32_t os_error = 0;
    SOCKET probe = rs_win_socket_open(AF_INET6, WSA_FLAG_REGISTERED_IO, &backend->calls, &os_error);
    if (probe == INVALID_SOCKET) {
        return;
    }
    if (rs_rio_api_serves(&backend->api, probe)) {
        (void)rs_win_probe_v6(&backend->extensions[RS_ADDR_V6], WSA_FLAG_REGISTERED_IO,
                              &backend->calls);
    }
    rs_win_socket_close(probe, &backend->calls);
}

static rs_status rio_open_winsock(rs_backend *backend, rs_error *error) {
    uint32_t os_error = 0;
    SOCKET probe;
    rs_status status = rs_win_socket_start(error);
    if (status != RS_OK) {
        return status;
    }
    backend->started = true;
    status = rs_rio_api_load(&backend->api, backend->own.provider, error);
    if (status != RS_OK) {
        return status;
    }
    probe = rs_win_socket_open(AF_INET, WSA_FLAG_REGISTERED_IO, &backend->calls, &os_error);
    if (probe == INVALID_SOCKET) {
        return rs_error_set(error, RS_E_OS, "WSASocket", os_error,
                            "cannot create a registered I/O socket (error %u)", os_error);
    }
    status = rs_win_socket_extensions(probe, &backend->extensions[RS_ADDR_V4], error);
    rs_win_socket_close(probe, &backend->calls);
    rio_probe_v6(backend);
    if (status == RS_OK && backend->api.module == NULL &&
        backend->api.entry != backend->extensions[RS_ADDR_V4].provider.entry) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "WSAIoctl", 0,
                            "RIO's functions are of Winsock's catalogue entry %u and sockets of "
                            "%u: a provider was installed or removed; restart",
                            backend->api.entry, backend->extensions[RS_ADDR_V4].provider.entry);
    }
    return status;
}

static rs_status rio_open_handles(rs_backend *backend, rs_error *error) {
    bool by_event = backend->own.notify_by == RS_RIO_NOTIFY_EVENT;
    backend->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (by_event) {
        backend->notify_event = CreateEventW(NULL, TRUE, FALSE, NULL);
        backend->port_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    }
    if (backend->port == NULL ||
        (by_event && (backend->notify_event == NULL || backend->port_event == NULL))) {
        uint32_t os_error = GetLastError();

        return rs_error_set(error, RS_E_OS, "CreateIoCompletionPort", os_error,
                            "cannot create a completion port or its events (error %u)", os_error);
    }
    return RS_OK;
}

static rs_status rio_open_queue(rs_backend *backend, rs_error *error) {
    const rs_engine_config *cfg = &backend->engine.cfg;
    uint32_t entries = rs_rio_cq_entries(cfg->conns_max, cfg->recvs_per_conn, cfg->sends_per_conn);
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};
    if (backend->notify_event != NULL) {
        how.Type = RIO_EVENT_COMPLETION;
        how.Event.EventHandle = backend->notify_event;
        how.Event.NotifyReset = TRUE;
    } else {
        how.Iocp.IocpHandle = backend->port;
        how.Iocp.CompletionKey = (PVOID)(uintptr_t)RS_RIO_KEY_NOTIFY;
        how.Iocp.Overlapped = &backend->notify_overlapped;
    }
    backend->cq = backend->api.fn.RIOCreateCompletionQueue(
        entries, backend->own.wait == RS_RIO_WAIT_POLL ? NULL : &how);
    if (backend->cq == RIO_INVALID_CQ) {
        uint32_t os_error = (uint32_t)WSAGetLastError();

        return rs_error_set(
            error, RS_E_NO_BUFFERS, "RIOCreateCompletionQueue", os_error,
            "cannot create a completion queue of %u entries (error %u): lower --max-sessions, "
            "--recvs or --sends-in-flight",
            entries, os_error);
    }
    return RS_OK;
}

/* The provider's own wait, if it has a working one; decided before any other thread can wake. */
static void rio_probe_wait(rs_backend *backend) {
    ULONG count = 0;
    if (backend->notify_event != NULL) {
        backend->api.wait = NULL; /* events were requested: wait for them */
    }
    if (backend->api.wait != NULL &&
        !backend->api.wait(backend->cq, backend->port, backend->entries, 1, &count, 0) &&
        GetLastError() != WAIT_TIMEOUT) {
        backend->api.wait = NULL; /* then as on Windows */
    }
    RS_ASSERT(count == 0);
    rs_rio_wait_by_itself(&backend->waiter, backend->api.wait != NULL);
}

static rs_status rio_open_accept(rs_backend *backend, rs_error *error) {
    const rs_win_accept_config cfg = {
        .port = backend->port,
        .key = RS_RIO_KEY_ACCEPT,
        .event = backend->port_event,
        .socket_flags = WSA_FLAG_REGISTERED_IO,
        .tuning = &backend->tuning,
        .provider = {&backend->extensions[RS_ADDR_V4].provider,
                     &backend->extensions[RS_ADDR_V6].provider},
        .calls = &backend->calls,
    };
    rio_probe_wait(backend);
    return rs_win_accept_open(&backend->accept, &cfg, error);
}

static rs_status rio_open_all(rs_backend *backend, const rs_backend_config *cfg, rs_error *error) {
    rs_status status = rio_allocate(backend, cfg, error);
    if (status == RS_OK) {
        status = rio_open_winsock(backend, error);
    }
    if (status == RS_OK) {
        status = rio_open_verify(backend, error);
    }
    if (status == RS_OK) {
        status = rio_open_handles(backend, error);
    }
    if (status == RS_OK) {
        status = rio_open_queue(backend, error);
    }
    if (status == RS_OK) {
        status = rio_open_accept(backend, error);
    }
    return status;
}

static rs_status rio_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_backend *backend;
    rs_rio_settings own;
    rs_status status = rs_backend_config_read(cfg, &rs_rio_options, &own, sizeof own, error);
    *out = NULL;
    if (status != RS_OK) {
        return status;
    }
    backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a back end");
    }
    backend->own = own;
    backend->tuning = cfg->tuning;
    backend->poll_max = cfg->poll_max;
    rs_rio_wait_init(&backend->waiter, backend->own.wait, backend->own.spin_us,
                     backend->own.spin_backoff);
    status = rio_open_all(backend, cfg, error);
    if (status != RS_OK) {
        rio_close(backend);
        return status;
    }
    *out = backend;
    return RS_OK;
}

const rs_backend_api rs_rio_backend = {
    .name = "rio",
    /* What SO_SNDBUF and SO_RCVBUF do to a RIO socket nobody says: question 8 sets them. */
    .tuning = "sndbuf rcvbuf nodelay dequeue-batch recvs accept accepts backlog backlog-hint",
    .options = &rs_rio_options,
    .settings_bytes = sizeof(rs_rio_settings),
    .open = rio_open,
    .close = rio_close,
    .listen = rio_listen,
    .unlisten = rio_unlisten,
    .attach = rs_rio_attach,
    .local = rs_rio_local,
    .discard = rs_rio_discard_socket,
    .submit = rs_rio_submit,
    .poll = rs_rio_poll,
    .wake = rs_rio_wake,
    .register_memory = rio_register_memory,
    .release_memory = rio_release_memory,
    .stats = rio_stats,
    .straggler = rio_straggler,
};
