/* SPDX-License-Identifier: MIT */
/* The public API: shards on threads, and how connections are spread over them. */
#include "ringside/ringside.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "server/logic.h"
#include "server/server_config.h"
#include "server/server_stats.h"
#include "server/shard.h"

#define SERVER_HOST_BYTES 256u /* a name has 253 characters at most */

typedef enum worker_state {
    WORKER_STARTING,
    WORKER_OPEN, /* it has its shard, which may be posted to */
    WORKER_READY,
    WORKER_FAILED,
    WORKER_ENDED
} worker_state;

typedef struct server_worker {
    rs_server *server;
    uint32_t index;
    rs_os_thread *thread;
    rs_shard *shard;
    rs_atomic_u32 state;  /* worker_state; every member above is written before it changes */
    rs_os_event *settled; /* set once it is READY, FAILED or ENDED, ... */
    rs_os_event
        *finished; /* ... and once it is ENDED or FAILED; each waiter sets it for the next */
    rs_status status;
    rs_error error;
} server_worker;

struct rs_server {
    rs_server_config cfg;
    rs_addr addrs[RS_LISTENERS_MAX]; /* where it listens; the ports as bound */
    uint32_t addr_count;
    uint32_t routed[RS_SHARDS_MAX]; /* sockets assigned to each worker; written by the listening
                                       shard only */
    uint32_t route_next;            /* the same */
    uint32_t worker_count;
    rs_address_limit *addresses; /* the listening shard enters; NULL: no limit */
    rs_logic *logic;             /* NULL: callbacks run on the workers */
    rs_os_thread *logic_thread;
    rs_os_event *stats_turn; /* set: nobody reads the statistics */
    rs_os_event *stats_answered;
    rs_server_stats *stats;     /* of whoever has the turn, for the public functions */
    rs_os_event *room;          /* a full mailbox has been read; one waiter sets it for the next */
    rs_atomic_u32 room_waiters; /* in rs_server_wait_room */
    server_worker workers[RS_SHARDS_MAX];
};

/* ---- workers */

#define ROUTE_NO_ROOM UINT32_MAX

/* Slots in use of each worker, ROUTE_NO_ROOM where none is free; returns the sessions of the whole
 * server. Each worker says what is over, the listening one knows what it gave: no word has two
 * writers, and what is under way counts. */
static uint32_t route_count(const rs_server *server, uint32_t *used) {
    uint32_t sessions = 0;
    RS_ASSERT(server->worker_count > 0);
    RS_ASSERT(server->worker_count <= RS_SHARDS_MAX);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        const rs_shard *shard = server->workers[i].shard;
        sessions += server->routed[i] - rs_shard_ended(shard);
        used[i] = server->routed[i] - rs_shard_freed(shard);
        if (used[i] >= rs_shard_slots(shard)) {
            used[i] = ROUTE_NO_ROOM;
        }
    }
    return sessions;
}

/* The least filled one; among equals in turn. */
static uint32_t route_pick(rs_server *server, const uint32_t *used) {
    uint32_t best = server->route_next++ % server->worker_count;
    RS_ASSERT(server->worker_count > 0);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        best = used[i] < used[best] ? i : best;
    }
    RS_ASSERT(best < server->worker_count);
    return best;
}

/* A worker whose mailbox is full is skipped: better unbalanced than lost. */
static rs_route worker_route(void *ctx, const rs_arrival *arrival) {
    server_worker *self = ctx;
    rs_server *server = self->server;
    uint32_t used[RS_SHARDS_MAX];
    uint32_t target;
    RS_ASSERT(self->index == 0);
    if (route_count(server, used) >= server->cfg.sessions_max) {
        return RS_ROUTE_NO_ROOM;
    }
    while (used[target = route_pick(server, used)] != ROUTE_NO_ROOM) {
        if (target == self->index) {
            server->routed[target]++;
            return RS_ROUTE_HERE;
        }
        if (rs_shard_post(server->workers[target].shard, RS_MESSAGE_ATTACH, 0, NULL, arrival,
                          sizeof *arrival) == RS_OK) {
            server->routed[target]++;
            return RS_ROUTE_TAKEN;
        }
        used[target] = ROUTE_NO_ROOM;
    }
    return RS_ROUTE_NO_ROOM;
}

static bool worker_is_empty(void *ctx) {
    const server_worker *self = ctx;
    uint32_t used[RS_SHARDS_MAX];
    RS_ASSERT(self->index == 0); /* it knows what it gave */
    return route_count(self->server, used) == 0;
}

static void worker_stop(void *ctx) {
    const server_worker *self = ctx;
    RS_ASSERT(self->index == 0);
    rs_server_stop(self->server);
}

static rs_status worker_tell(void *ctx, uint32_t index, const void *data, uint32_t bytes) {
    const server_worker *self = ctx;
    const server_worker *to;
    RS_ASSERT(index < self->server->worker_count);
    to = &self->server->workers[index];
    RS_ASSERT(index != self->index);
    switch ((worker_state)rs_atomic_load_u32(&to->state)) {
    case WORKER_STARTING:
        return RS_E_FULL;
    case WORKER_FAILED:
        return RS_E_CLOSED;
    default:
        return rs_shard_post(to->shard, RS_MESSAGE_PEER, self->index, NULL, data, bytes);
    }
}

/* Called by a shard whose mailbox has been read. */
static void server_tell_room(void *ctx, uint32_t from) {
    rs_server *server = ctx;
    RS_ASSERT(from < RS_ROOM_SEEKERS);
    if (from == RS_ROOM_OTHERS) {
        rs_os_event_set(server->room);
    } else if (from == RS_ROOM_LOGIC) {
        RS_ASSERT(server->logic != NULL);
        rs_logic_tell_room(server->logic);
    } else {
        RS_ASSERT(from < server->worker_count);
        rs_shard_tell_room(server->workers[from].shard);
    }
}

static rs_status worker_open(server_worker *worker) {
    rs_server *server = worker->server;
    rs_shard_config cfg = {
        .index = worker->index,
        .sessions_max =
            (server->cfg.sessions_max + server->worker_count - 1) / server->worker_count,
        .server = &server->cfg,
        .instance = server,
        .tell_room = server_tell_room,
        .tell_room_ctx = server,
        .route = server->worker_count > 1 && worker->index == 0 ? worker_route : NULL,
        .route_ctx = worker,
        .addresses = server->addresses,
        .counted = server->worker_count > 1,
        .is_empty = server->worker_count > 1 ? worker_is_empty : NULL,
        .stop = worker_stop,
        .server_ctx = worker,
        .peers = {.count = server->logic == NULL ? server->worker_count : 0,
                  .tell = worker_tell,
                  .ctx = worker},
        .logic = server->logic,
    };
    RS_ASSERT(worker->index < server->worker_count);
    RS_ASSERT(worker->shard == NULL);
    if (server->cfg.pin_first_cpu >= 0) {
        uint32_t cpu = (uint32_t)server->cfg.pin_first_cpu + worker->index;
        rs_status status = rs_os_pin_self(cpu);
        if (status != RS_OK) {
            return rs_error_set(&worker->error, status, "pin", 0,
                                "no processor %u to pin worker %u to", cpu, worker->index);
        }
    }
    return rs_shard_open(&worker->shard, &cfg, &worker->error);
}

static void worker_enter(server_worker *worker, worker_state state) {
    RS_ASSERT(rs_atomic_load_u32(&worker->state) < (uint32_t)state);
    rs_atomic_store_u32(&worker->state, state);
    rs_os_event_set(worker->settled);
    if (state != WORKER_READY) {
        rs_os_event_set(worker->finished);
    }
}

/* Waits until a worker has started or failed. */
static worker_state worker_settled(server_worker *worker) {
    (void)rs_os_event_wait(worker->settled, UINT32_MAX);
    rs_os_event_set(worker->settled);
    RS_ASSERT(rs_atomic_load_u32(&worker->state) != WORKER_STARTING);
    return (worker_state)rs_atomic_load_u32(&worker->state);
}

/* On all addresses or on none: who came in by the first of them is sent away again. */
static rs_status worker_listen(server_worker *worker) {
    rs_server *server = worker->server;
    rs_status status = RS_OK;
    uint32_t i;
    RS_ASSERT(server->addr_count > 0);
    for (i = 0; i < server->addr_count && status == RS_OK; i++) {
        rs_addr *addr = &server->addrs[i];
        status = rs_shard_listen(worker->shard, addr, &addr->port, &worker->error);
    }
    if (status != RS_OK && i > 1) {
        rs_shard_stop(worker->shard);
        while (rs_shard_step(worker->shard, RS_FOREVER)) {
        }
    }
    return status;
}

/* The listening shard listens only when all are open: every accepted client can be served. */
static rs_status worker_start(server_worker *worker) {
    rs_status status = worker_open(worker);
    if (status == RS_OK) {
        rs_atomic_store_u32(&worker->state, WORKER_OPEN);
        status = rs_shard_start(worker->shard, &worker->error);
    }
    if (status == RS_OK && worker->index == 0) {
        rs_server *server = worker->server;
        for (uint32_t i = 1; i < server->worker_count; i++) {
            if (worker_settled(&server->workers[i]) == WORKER_FAILED) {
                return RS_E_CLOSED; /* the other worker's error is the one to report */
            }
        }
        status = worker_listen(worker);
    }
    return status;
}

static void worker_main(void *arg) {
    server_worker *worker = arg;
    RS_ASSERT(rs_atomic_load_u32(&worker->state) == WORKER_STARTING);
    worker->status = worker_start(worker);
    if (worker->status != RS_OK) {
        if (worker->shard != NULL) {
            rs_shard_quiesce(worker->shard);
        }
        worker_enter(worker, WORKER_FAILED);
        return;
    }
    worker_enter(worker, WORKER_READY);
    RS_ASSERT(worker->shard != NULL);
    while (rs_shard_step(worker->shard, RS_FOREVER)) {
    }
    rs_shard_quiesce(worker->shard);
    worker_enter(worker, WORKER_ENDED);
}

/* ---- start */

static rs_status server_open_events(rs_server *server, rs_error *error) {
    rs_status status = rs_os_event_open(&server->stats_turn, error);
    RS_ASSERT(server->worker_count <= RS_SHARDS_MAX);
    if (status == RS_OK) {
        rs_os_event_set(server->stats_turn);
        status = rs_os_event_open(&server->stats_answered, error);
    }
    if (status == RS_OK) {
        status = rs_os_event_open(&server->room, error);
    }
    for (uint32_t i = 0; i < server->worker_count && status == RS_OK; i++) {
        server->workers[i] = (server_worker){.server = server, .index = i};
        status = rs_os_event_open(&server->workers[i].settled, error);
        if (status == RS_OK) {
            status = rs_os_event_open(&server->workers[i].finished, error);
        }
    }
    return status;
}

static void server_release(rs_server *server) {
    RS_ASSERT(server->logic_thread == NULL);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        rs_os_event_close(server->workers[i].settled);
        rs_os_event_close(server->workers[i].finished);
    }
    rs_os_event_close(server->stats_turn);
    rs_os_event_close(server->stats_answered);
    rs_os_event_close(server->room);
    rs_logic_close(server->logic);
    rs_address_limit_close(server->addresses);
    free(server->stats);
    free(server);
}

/* Before the workers: the first message may come as soon as one listens. */
static rs_status server_launch_logic(rs_server *server, rs_error *error) {
    rs_status status;
    RS_ASSERT(server->logic == NULL);
    if (!server->cfg.logic_thread) {
        return RS_OK;
    }
    status = rs_logic_open(&server->logic, &server->cfg.app, server->worker_count, true, error);
    return status != RS_OK
               ? status
               : rs_os_thread_start(&server->logic_thread, rs_logic_run, server->logic, error);
}

static rs_status server_launch(rs_server *server, rs_error *error) {
    RS_ASSERT(server->worker_count > 0);
    /* Worker 0 waits for the others, so it starts last. */
    for (uint32_t i = server->worker_count; i-- > 0;) {
        rs_status status =
            rs_os_thread_start(&server->workers[i].thread, worker_main, &server->workers[i], error);
        if (status != RS_OK) {
            for (uint32_t j = 0; j <= i; j++) { /* these never ran */
                server->workers[j].status = RS_E_CLOSED;
                worker_enter(&server->workers[j], WORKER_FAILED);
            }
            return status;
        }
    }
    return RS_OK;
}

static rs_status server_settle(rs_server *server, rs_error *error) {
    rs_status status = RS_OK;
    for (uint32_t i = server->worker_count; i-- > 0;) {
        server_worker *worker = &server->workers[i];
        if (worker_settled(worker) == WORKER_FAILED && worker->status != RS_E_CLOSED) {
            status = worker->status;
            RS_ASSERT(status != RS_OK);
            *error = worker->error;
        }
    }
    return status;
}

/* One of the hosts: text, bytes long. */
static rs_status server_resolve_one(const rs_server_config *cfg, const char *text, size_t bytes,
                                    rs_addr *out, rs_error *error) {
    char host[SERVER_HOST_BYTES];
    uint16_t port = cfg->port;
    rs_error why;
    RS_ASSERT(text != NULL);
    if (!rs_addr_split(text, bytes, host, sizeof host, &port)) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--host: '%.60s' is no list of hosts; allowed: addresses and names, "
                            "each with :PORT or without, an IPv6 address with a port in brackets",
                            cfg->host);
    }
    if (rs_os_resolve(host, out, &why) != RS_OK) {
        return rs_error_set(error, RS_E_INVALID, why.call, why.os_error, "--host: %.180s",
                            why.text);
    }
    out->port = port;
    return RS_OK;
}

static rs_status server_resolve(const rs_server_config *cfg, rs_addr *out, uint32_t *count,
                                rs_error *error) {
    const char *text = cfg->host;
    rs_status status;
    *count = 0;
    for (;;) {
        const size_t bytes = strcspn(text, ",");
        if (*count == RS_LISTENERS_MAX) {
            return rs_error_set(error, RS_E_INVALID, NULL, 0,
                                "--host: more than %u hosts; allowed: at most %u", RS_LISTENERS_MAX,
                                RS_LISTENERS_MAX);
        }
        status = server_resolve_one(cfg, text, bytes, &out[*count], error);
        if (status != RS_OK) {
            return status;
        }
        ++*count;
        RS_ASSERT(*count <= RS_LISTENERS_MAX);
        if (text[bytes] == '\0') {
            return RS_OK;
        }
        text += bytes + 1;
    }
}

rs_status rs_server_start(rs_server **out, const rs_server_config *cfg, rs_error *error) {
    rs_server *server;
    rs_addr addrs[RS_LISTENERS_MAX] = {{.port = 0}};
    uint32_t addr_count = 0;
    rs_status status = rs_server_config_check(cfg, error);
    *out = NULL;
    if (status == RS_OK) {
        status = server_resolve(cfg, addrs, &addr_count, error);
    }
    if (status != RS_OK) {
        return status;
    }
    server = calloc(1, sizeof *server);
    if (server == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    server->stats = calloc(1, sizeof *server->stats);
    if (server->stats == NULL) {
        free(server);
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    server->cfg = *cfg;
    memcpy(server->addrs, addrs, sizeof addrs);
    server->addr_count = addr_count;
    server->worker_count = cfg->workers;
    RS_ASSERT(server->worker_count > 0);
    RS_ASSERT(server->worker_count <= RS_SHARDS_MAX);
    status = server_open_events(server, error);
    if (status == RS_OK && cfg->address_max != 0) {
        status = rs_address_limit_open(&server->addresses, cfg->address_max,
                                       RS_SERVER_CONNECTIONS_MAX(cfg->sessions_max), error);
    }
    if (status == RS_OK) {
        status = server_launch_logic(server, error);
    }
    if (status != RS_OK) {
        server_release(server); /* no thread ever ran */
        return status;
    }
    *out = server; /* callbacks may come before this call returns */
    status = server_launch(server, error);
    if (status == RS_OK) {
        status = server_settle(server, error);
    }
    if (status != RS_OK) {
        rs_error ignored;
        rs_server_stop(server);
        (void)rs_server_join(server, &ignored); /* the first error is the one to report */
        *out = NULL;
        rs_server_free(server);
    }
    return status;
}

/* ---- stop */

void rs_server_stop(rs_server *server) {
    RS_ASSERT(server->worker_count > 0);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        server_worker *worker = &server->workers[i];
        if (worker_settled(worker) == WORKER_READY) {
            rs_shard_stop(worker->shard);
        }
    }
}

/* The worker that listens carries it out: it stops the others. */
void rs_server_drain(rs_server *server, uint32_t timeout_ms) {
    server_worker *first = &server->workers[0];
    RS_ASSERT(server->worker_count > 0);
    if (worker_settled(first) == WORKER_READY) {
        rs_shard_drain(first->shard, timeout_ms);
    }
}

void rs_server_accept(rs_server *server, bool on) {
    server_worker *first = &server->workers[0];
    RS_ASSERT(server->worker_count > 0);
    if (worker_settled(first) != WORKER_FAILED) {
        rs_shard_accept(first->shard, on);
    }
}

bool rs_server_has_ended(const rs_server *server) {
    RS_ASSERT(server->worker_count > 0);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        uint32_t state = rs_atomic_load_u32(&server->workers[i].state);
        if (state != WORKER_ENDED && state != WORKER_FAILED) {
            return false;
        }
    }
    return true;
}

uint64_t rs_server_ended_count(const rs_server *server) {
    uint64_t ended = 0;
    for (uint32_t i = 0; i < server->worker_count; i++) {
        ended += rs_shard_ended(server->workers[i].shard);
        ended += rs_shard_refused(server->workers[i].shard);
    }
    return ended;
}

rs_status rs_server_join(rs_server *server, rs_error *error) {
    rs_status status = RS_OK;
    for (uint32_t i = 0; i < server->worker_count; i++) {
        server_worker *worker = &server->workers[i];
        rs_os_thread_join(worker->thread);
        worker->thread = NULL;
        if (worker->shard != NULL && rs_shard_outstanding(worker->shard) > 0) {
            status = rs_error_set(error, RS_E_TIMED_OUT, NULL, 0,
                                  "worker %u gave up: %u sessions or listeners still had "
                                  "operations outstanding",
                                  i, rs_shard_outstanding(worker->shard));
        }
    }
    if (server->logic_thread != NULL) {
        RS_ASSERT(server->logic != NULL);
        rs_logic_stop(server->logic);
        rs_os_thread_join(server->logic_thread);
        server->logic_thread = NULL;
    }
    return status;
}

void rs_server_free(rs_server *server) {
    if (server == NULL) {
        return;
    }
    for (uint32_t i = 0; i < server->worker_count; i++) {
        RS_ASSERT(server->workers[i].thread == NULL);
        rs_shard_close(server->workers[i].shard);
    }
    RS_ASSERT(server->logic_thread == NULL);
    server_release(server);
}

uint16_t rs_server_port(const rs_server *server) {
    return server->addrs[0].port;
}

void rs_server_address(const rs_server *server, rs_addr *out) {
    *out = server->addrs[0];
}

uint32_t rs_server_addresses(const rs_server *server, rs_addr *out, uint32_t max) {
    RS_ASSERT(server->addr_count > 0);
    for (uint32_t i = 0; i < server->addr_count && i < max; i++) {
        out[i] = server->addrs[i];
    }
    return server->addr_count;
}

/* ---- from any thread */

/* NULL: it has none yet, or failed before it had one. */
static rs_shard *worker_shard(const server_worker *worker) {
    return rs_atomic_load_u32(&worker->state) != WORKER_STARTING ? worker->shard : NULL;
}

/* The caller as rs_shard_want_room knows it. */
static uint32_t server_caller(const rs_server *server) {
    RS_ASSERT(server->worker_count > 0);
    if (server->logic != NULL) {
        return rs_logic_is_here(server->logic) ? RS_ROOM_LOGIC : RS_ROOM_OTHERS;
    }
    for (uint32_t i = 0; i < server->worker_count; i++) {
        const server_worker *worker = &server->workers[i];
        const rs_shard *shard = worker_shard(worker);
        if (shard != NULL && rs_shard_is_here(shard)) {
            return i;
        }
    }
    return RS_ROOM_OTHERS;
}

typedef struct server_message {
    uint32_t kind;
    uint64_t value;
    void *pointer;
    const void *data; /* [0, bytes) */
    uint32_t bytes;
} server_message;

static rs_status message_post(rs_shard *shard, const server_message *message) {
    return rs_shard_post(shard, message->kind, message->value, message->pointer, message->data,
                         message->bytes);
}

/* A full mailbox: the caller is told of room. Then once more, because it may just have been made.
 */
static rs_status server_post(rs_server *server, uint32_t index, const server_message *message) {
    rs_shard *shard;
    rs_status status;
    if (index >= server->worker_count) {
        return RS_E_INVALID;
    }
    shard = worker_shard(&server->workers[index]);
    if (shard == NULL) {
        return RS_E_CLOSED;
    }
    status = message_post(shard, message);
    if (status != RS_E_FULL) {
        return status;
    }
    rs_shard_want_room(shard, server_caller(server));
    return message_post(shard, message);
}

static rs_status server_post_to(rs_server *server, rs_session_id id, uint32_t kind,
                                const void *data, uint32_t bytes) {
    const server_message message = {.kind = kind, .value = id, .data = data, .bytes = bytes};
    return server_post(server, rs_session_id_shard(id), &message);
}

rs_status rs_server_send(rs_server *server, rs_session_id id, const void *data, uint32_t bytes) {
    return bytes == 0 || bytes > server->cfg.frame_bytes_max
               ? RS_E_INVALID
               : server_post_to(server, id, RS_MESSAGE_SEND, data, bytes);
}

rs_status rs_server_close_session(rs_server *server, rs_session_id id) {
    return server_post_to(server, id, RS_MESSAGE_CLOSE, NULL, 0);
}

rs_status rs_server_release_session(rs_server *server, rs_session_id id) {
    return server_post_to(server, id, RS_MESSAGE_RELEASE, NULL, 0);
}

rs_status rs_server_post(rs_server *server, uint32_t shard, rs_shard_fn fn, void *arg) {
    const server_message message = {
        .kind = RS_MESSAGE_POST, .pointer = arg, .data = &fn, .bytes = sizeof fn};
    return fn == NULL ? RS_E_INVALID : server_post(server, shard, &message);
}

rs_status rs_server_connect(rs_server *server, uint32_t shard, const rs_connect *to) {
    rs_connect copy = *to;
    const server_message message = {
        .kind = RS_MESSAGE_CONNECT, .data = &copy, .bytes = sizeof copy};
    copy.timeout_ms = to->timeout_ms != 0 ? to->timeout_ms : RS_CONNECT_TIMEOUT_MS_DEFAULT;
    if (copy.timeout_ms > RS_CONNECT_TIMEOUT_MS_MAX || copy.retry_ms > RS_CONNECT_TIMEOUT_MS_MAX ||
        copy.addr.port == 0 || copy.addr.family > RS_ADDR_V6 || rs_addr_is_any(&copy.addr)) {
        return RS_E_INVALID;
    }
    return server_post(server, shard, &message);
}

rs_status rs_addr_resolve(const char *host, uint16_t port, rs_addr *out, rs_error *error) {
    rs_status status = rs_os_resolve(host, out, error);
    if (status == RS_OK) {
        out->port = port;
    }
    return status;
}

/* NULL: the caller does not run the callbacks of this shard, which exists. */
static rs_session_ops *server_ops(rs_server *server, uint32_t shard) {
    uint32_t caller = server_caller(server);
    return caller == shard || caller == RS_ROOM_LOGIC ? rs_shard_ops(server->workers[shard].shard)
                                                      : NULL;
}

void *rs_server_own(rs_server *server, uint32_t shard) {
    const rs_session_ops *ops = shard < server->worker_count ? server_ops(server, shard) : NULL;
    return ops != NULL ? ops->own : NULL;
}

rs_status rs_server_set_timer(rs_server *server, uint32_t shard, uint32_t ms, rs_shard_fn fn,
                              void *arg, rs_timer *out) {
    const rs_timer_call call = {.shard = fn, .arg = arg};
    rs_timer timer = 0;
    rs_status status = RS_E_INVALID;
    if (fn != NULL && shard < server->worker_count) {
        rs_session_ops *ops = server_ops(server, shard);
        status = ops != NULL ? ops->timer_set(ops, NULL, ms, call, &timer) : RS_E_THREAD;
    }
    if (out != NULL) {
        *out = timer;
    }
    return status;
}

rs_status rs_server_cancel_timer(rs_server *server, rs_timer timer) {
    uint32_t shard = rs_session_id_shard(timer);
    rs_session_ops *ops;
    if (shard >= server->worker_count) {
        return RS_E_INVALID;
    }
    ops = server_ops(server, shard);
    if (ops == NULL) {
        return RS_E_THREAD;
    }
    ops->timer_cancel(ops, timer);
    return RS_OK;
}

/* ---- broadcasts: claimed on all shards first, then written; or on none */

typedef struct server_broadcast {
    const rs_session_id *ids; /* NULL: all sessions */
    uint32_t count;
    const void *data;
    uint32_t bytes;
} server_broadcast;

/* Fills a message with the next ids of a shard, from ids[*at] on, and the bytes. */
static void broadcast_fill(rs_message *message, const server_broadcast *cast, uint32_t shard,
                           uint32_t *at) {
    uint32_t count = 0;
    uint8_t *to = message->payload;
    RS_ASSERT(cast->bytes > 0);
    if (cast->ids == NULL) {
        message->value = RS_MESSAGE_TO_ALL;
    } else {
        for (; *at < cast->count && count < RS_BROADCAST_IDS; ++*at) {
            if (cast->ids[*at] != 0 && rs_session_id_shard(cast->ids[*at]) == shard) {
                memcpy(to, &cast->ids[*at], sizeof cast->ids[*at]);
                to += sizeof cast->ids[*at];
                count++;
            }
        }
        message->value = count;
    }
    memcpy(to, cast->data, cast->bytes);
    message->kind = RS_MESSAGE_BROADCAST;
    message->pointer = NULL;
    message->bytes = (uint32_t)(to - message->payload) + cast->bytes;
}

/* Of one shard: a message for each RS_BROADCAST_IDS of its ids. */
static uint32_t broadcast_messages(const server_broadcast *cast, uint32_t shard) {
    uint32_t ids = 0;
    RS_ASSERT(shard < RS_SHARDS_MAX);
    if (cast->ids == NULL) {
        return 1;
    }
    for (uint32_t i = 0; i < cast->count; i++) {
        ids += cast->ids[i] != 0 && rs_session_id_shard(cast->ids[i]) == shard ? 1u : 0u;
    }
    return (ids + RS_BROADCAST_IDS - 1u) / RS_BROADCAST_IDS;
}

/* The claims of one broadcast, as a list through the messages' pointers; in reverse order. */
typedef struct broadcast_claims {
    rs_message *last[RS_SHARDS_MAX]; /* NULL: none on this shard */
} broadcast_claims;

static void broadcast_abandon(rs_server *server, broadcast_claims *claims) {
    for (uint32_t i = 0; i < server->worker_count; i++) {
        while (claims->last[i] != NULL) {
            rs_message *message = claims->last[i];
            claims->last[i] = message->pointer;
            message->kind = RS_MESSAGE_NOTHING;
            message->bytes = 0;
            rs_shard_publish(server->workers[i].shard, message);
        }
    }
}

/* RS_E_FULL: *full is the shard that was. One that is closing is left out. */
static rs_status broadcast_claim(rs_server *server, const server_broadcast *cast,
                                 broadcast_claims *claims, rs_shard **full) {
    RS_ASSERT(cast->bytes > 0);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        rs_shard *shard = worker_shard(&server->workers[i]);
        uint32_t count = shard != NULL ? broadcast_messages(cast, i) : 0;
        claims->last[i] = NULL;
        for (uint32_t k = 0; k < count; k++) {
            rs_message *message;
            rs_status status = rs_shard_claim(shard, &message);
            if (status == RS_E_CLOSED) {
                break;
            }
            if (status == RS_E_FULL) {
                *full = shard;
                for (i++; i < server->worker_count; i++) {
                    claims->last[i] = NULL;
                }
                return status;
            }
            message->pointer = claims->last[i];
            claims->last[i] = message;
        }
    }
    return RS_OK;
}

static rs_status broadcast_try(rs_server *server, const server_broadcast *cast, rs_shard **full) {
    broadcast_claims claims;
    rs_status status = broadcast_claim(server, cast, &claims, full);
    if (status != RS_OK) {
        broadcast_abandon(server, &claims);
        return status;
    }
    for (uint32_t i = 0; i < server->worker_count; i++) {
        uint32_t at = 0;
        while (claims.last[i] != NULL) {
            rs_message *message = claims.last[i];
            claims.last[i] = message->pointer;
            broadcast_fill(message, cast, i, &at);
            RS_ASSERT(at <= cast->count);
            rs_shard_publish(server->workers[i].shard, message);
        }
    }
    return RS_OK;
}

rs_status rs_server_broadcast(rs_server *server, const rs_session_id *ids, uint32_t count,
                              const void *data, uint32_t bytes) {
    const server_broadcast cast = {.ids = ids, .count = count, .data = data, .bytes = bytes};
    rs_shard *full = NULL, *sought = NULL;
    rs_status status;
    if (bytes == 0 || bytes > server->cfg.frame_bytes_max ||
        count / RS_BROADCAST_IDS >= server->cfg.mailbox_messages) {
        return RS_E_INVALID;
    }
    for (;;) { /* each shard that is full is sought once, or again after another one */
        status = broadcast_try(server, &cast, &full);
        if (status != RS_E_FULL || full == sought) {
            return status;
        }
        sought = full;
        rs_shard_want_room(full, server_caller(server));
    }
}

/* Is any mailbox full? Then its shard will set the event when it has read. */
static bool server_seek_room(rs_server *server) {
    bool full = false;
    RS_ASSERT(server->worker_count <= RS_SHARDS_MAX);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        rs_shard *shard = worker_shard(&server->workers[i]);
        if (shard != NULL && rs_shard_is_full(shard)) {
            rs_shard_want_room(shard, RS_ROOM_OTHERS);
            full = full || rs_shard_is_full(shard);
        }
    }
    return full;
}

/* Counted before it seeks: whoever takes the event that was set for this one passes it on. */
rs_status rs_server_wait_room(rs_server *server, uint32_t timeout_ms) {
    bool room;
    if (server_caller(server) != RS_ROOM_OTHERS) {
        return RS_E_THREAD;
    }
    (void)rs_atomic_add_u32(&server->room_waiters, 1);
    room = !server_seek_room(server) || rs_os_event_wait(server->room, timeout_ms);
    if (rs_atomic_add_u32(&server->room_waiters, UINT32_MAX) > 1u && room) {
        rs_os_event_set(server->room);
    }
    return room ? RS_OK : RS_E_TIMED_OUT;
}

static void worker_stats_add(server_worker *worker, rs_server_stats *into) {
    rs_shard_stats_request request = {.into = into, .answered = worker->server->stats_answered};
    RS_ASSERT(request.answered != NULL);
    RS_ASSERT(worker->shard != NULL);
    if (rs_shard_ask_stats(worker->shard, &request) == RS_OK) {
        (void)rs_os_event_wait(request.answered, UINT32_MAX);
        return;
    }
    /* It is closing: its figures are final in a moment. */
    (void)rs_os_event_wait(worker->finished, UINT32_MAX);
    rs_os_event_set(worker->finished);
    rs_shard_stats_add(worker->shard, into);
}

/* The turn is the caller's. */
static void server_stats_sum(rs_server *server, rs_server_stats *out) {
    RS_ASSERT(out != NULL);
    memset(out, 0, sizeof *out);
    rs_histogram_init(&out->batch);
    rs_histogram_init(&out->send_ns);
    out->blocks_low = UINT64_MAX;
    out->large_pages = true;
    for (uint32_t i = 0; i < server->worker_count; i++) {
        worker_stats_add(&server->workers[i], out);
    }
}

/* RS_OK: server->stats has the figures, and the turn is the caller's until server_stats_end. */
static rs_status server_stats_begin(rs_server *server) {
    if (server_caller(server) != RS_ROOM_OTHERS) {
        return RS_E_THREAD;
    }
    (void)rs_os_event_wait(server->stats_turn, UINT32_MAX);
    server_stats_sum(server, server->stats);
    return RS_OK;
}

static void server_stats_end(rs_server *server) {
    RS_ASSERT(server->stats != NULL);
    rs_os_event_set(server->stats_turn);
}

void rs_server_stats_read(rs_server *server, rs_server_stats *out) {
    (void)rs_os_event_wait(server->stats_turn, UINT32_MAX);
    server_stats_sum(server, out);
    rs_os_event_set(server->stats_turn);
}

rs_status rs_server_stats_visit(rs_server *server, rs_stat_fn fn, void *ctx) {
    rs_status status = server_stats_begin(server);
    if (status == RS_OK) {
        rs_stats_visit(server->stats, fn, ctx);
        server_stats_end(server);
    }
    return status;
}

rs_status rs_server_left(rs_server *server, rs_left *out) {
    rs_status status = server_stats_begin(server);
    if (status == RS_OK) {
        *out = (rs_left){.sessions = server->stats->sessions_used,
                         .bytes = server->stats->queued_bytes};
        server_stats_end(server);
    }
    return status;
}

size_t rs_server_metrics(rs_server *server, char *out, size_t out_bytes) {
    size_t bytes = 0;
    if (server_stats_begin(server) == RS_OK) {
        bytes = rs_stats_metrics(server->stats, out, out_bytes);
        server_stats_end(server);
    }
    return bytes;
}

const char *rs_version(void) {
    return RS_VERSION_TEXT;
}

const char *rs_backend_name(const rs_backend_api *backend) {
    RS_ASSERT(backend != NULL);
    return backend->name;
}
