/* SPDX-License-Identifier: MIT */
/* The seam's functions on the simulated network: arguments and buffers are checked here, what
 * becomes of an op is in sim_link.c. */
#include "sim_backend.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "sim_internal.h"

#define SIM_POISON 0xDB
#define SIM_NOT_HELD UINT32_MAX
#define SIM_STORM_MAX 16u
#define SIM_EMPTY_WORLD_NS 1000000u /* what a poll without end lets pass when nothing is due */

/* ---- open, close */

static rs_status open_check(const rs_backend_config *cfg, rs_error *error) {
    const rs_tuning *tuning = &cfg->tuning;
    if (cfg->world == NULL) {
        return rs_error_set(error, RS_E_INVALID, "open", 0, "the simulated back end needs a world");
    }
    if (cfg->conns_max == 0 || cfg->conns_max > RS_SESSIONS_MAX || cfg->sends_per_conn == 0 ||
        cfg->sends_per_conn > RS_SENDS_IN_FLIGHT_MAX || cfg->poll_max == 0 ||
        cfg->poll_max > RS_COMPLETIONS_PER_POLL_MAX) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "%u connections, %u sends each, %u completions a poll: out of range",
                            cfg->conns_max, cfg->sends_per_conn, cfg->poll_max);
    }
    if (tuning->recvs == 0 || tuning->recvs > RS_RECVS_IN_FLIGHT_MAX) {
        return rs_error_set(error, RS_E_INVALID, "open", 0, "%u receives: out of range",
                            tuning->recvs);
    }
    if (tuning->backlog == 0 || tuning->backlog > 65535u || tuning->dequeue_batch == 0 ||
        tuning->dequeue_batch > RS_COMPLETIONS_PER_POLL_MAX || tuning->accepts == 0 ||
        tuning->accepts > RS_ACCEPTS_MAX) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "dequeue batch %u, accepts %u, backlog %u: out of range",
                            tuning->dequeue_batch, tuning->accepts, tuning->backlog);
    }
    return RS_OK;
}

static void backend_free(rs_backend *backend) {
    free(backend->conns);
    free(backend->ops);
    free(backend->held);
    free(backend->ready);
    free(backend);
}

static rs_status sim_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    rs_status status = open_check(cfg, error);
    rs_backend *backend;
    size_t op_count =
        (size_t)cfg->conns_max * (SIM_OP_AT_RECVS + cfg->tuning.recvs + cfg->sends_per_conn);
    *out = NULL;
    if (status != RS_OK) {
        return status;
    }
    backend = sim_alloc(1, sizeof *backend);
    backend->world = cfg->world;
    backend->cfg = *cfg;
    backend->faults = backend->world->cfg.faults;
    if (sim_roll(backend, RS_SIM_OPEN_NO_MEMORY)) {
        free(backend);
        return rs_error_set(error, RS_E_NO_MEMORY, "open", 0, "out of memory (simulated)");
    }
    backend->conns = sim_alloc(cfg->conns_max, sizeof *backend->conns);
    backend->ops = sim_alloc(op_count, sizeof *backend->ops);
    backend->held = sim_alloc(op_count, sizeof(sim_op *));
    backend->number = ++backend->world->backend_number;
    backend->next = backend->world->backends;
    backend->world->backends = backend;
    *out = backend;
    return RS_OK;
}

/* What an instance must not leave behind; stale completions are nobody's. */
static void close_check(rs_backend *backend) {
    rs_sim_world *world = backend->world;
    for (uint32_t i = 0; i < backend->cfg.conns_max; i++) {
        if (backend->conns[i].state != SIM_CONN_FREE) {
            sim_violation(world, "an instance closed with a connection slot bound");
            return;
        }
    }
    if (backend->in_flight != 0) {
        sim_violation(world, "an instance closed with ops in flight");
    }
    if (backend->listeners_due > 0) {
        sim_violation(world, "an instance closed before its listeners' last completions");
    }
}

static void sim_close(rs_backend *backend) {
    rs_backend **at;
    if (backend == NULL) {
        return;
    }
    close_check(backend);
    sim_purge_events(backend->world, backend);
    for (at = &backend->world->backends; *at != backend; at = &(*at)->next) {
        RS_ASSERT(*at != NULL);
    }
    *at = backend->next;
    backend_free(backend);
}

/* ---- listening */

static bool port_is_taken(const rs_sim_world *world, uint16_t port) {
    for (const rs_backend *at = world->backends; at != NULL; at = at->next) {
        for (uint32_t i = 0; i < at->listening; i++) {
            if (at->listen_addr[i].port == port) {
                return true;
            }
        }
    }
    return false;
}

static bool sim_addr_is_here(const rs_addr *addr) {
    static const uint8_t loopback[16] = {[15] = 1};
    return rs_addr_is_any(addr) ||
           (addr->family == RS_ADDR_V6 ? memcmp(addr->ip6, loopback, sizeof loopback) == 0
                                       : addr->ip >> 24 == 127u);
}

static rs_status sim_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                            rs_error *error) {
    rs_sim_world *world = backend->world;
    uint16_t port = addr->port;
    if (backend->listeners_due > backend->listening || backend->listening == RS_LISTENERS_MAX) {
        return rs_error_set(error, RS_E_INVALID, "listen", 0,
                            "this instance has %u listeners, or a last completion is due",
                            RS_LISTENERS_MAX);
    }
    if (!sim_addr_is_here(addr)) {
        return rs_error_set(error, RS_E_ADDRESS, "bind", 0, "the simulated network is loopback");
    }
    while (port == 0) {
        port = port_is_taken(world, world->next_port) ? 0 : world->next_port;
        world->next_port =
            world->next_port == UINT16_MAX ? 40000u : (uint16_t)(world->next_port + 1u);
    }
    if (port_is_taken(world, port)) {
        return rs_error_set(error, RS_E_ADDRESS_IN_USE, "bind", 0, "port %u is in use",
                            (unsigned)port);
    }
    if (backend->listening == 0) {
        backend->listener_broken = false;
        backend->accept_due_ns = world->now_ns;
    }
    backend->listen_addr[backend->listening] = *addr;
    backend->listen_addr[backend->listening].port = port;
    backend->listening++;
    backend->listeners_due++;
    *port_out = port;
    return RS_OK;
}

static void sim_unlisten(rs_backend *backend) {
    rs_sim_world *world = backend->world;
    uint64_t due = world->now_ns + sim_latency(world);
    sim_event event = {.kind = SIM_EV_RECORD, .backend = backend};
    event.due_ns = due > backend->accept_due_ns ? due : backend->accept_due_ns;
    event.completion =
        (rs_completion){.kind = RS_OP_ACCEPT, .status = RS_E_CLOSED, .socket = RS_SOCKET_NONE};
    for (; backend->listening > 0; backend->listening--) {
        sim_schedule(world, &event);
    }
}

/* ---- slots */

static void stale_maybe(rs_backend *backend, uint32_t conn) {
    const sim_conn *c = &backend->conns[conn];
    rs_sim_world *world = backend->world;
    sim_event event = {.kind = SIM_EV_RECORD, .backend = backend};
    if (c->generation_before == 0 || c->generation_before == c->generation ||
        !sim_roll(backend, RS_SIM_STALE_COMPLETION)) {
        return;
    }
    event.due_ns = world->now_ns + sim_latency(world);
    event.completion = (rs_completion){
        .kind = (uint8_t)(RS_OP_RECV + sim_below(world, 4)),
        .status = (uint16_t)(sim_below(world, 2) == 0 ? RS_OK : RS_E_ABORTED),
        .conn = conn,
        .generation = c->generation_before,
        .bytes = (uint32_t)sim_below(world, 100),
        .tag = sim_random(world),
    };
    sim_schedule(world, &event);
}

static void slot_bind(rs_backend *backend, uint32_t index, uint32_t generation,
                      sim_conn_state state) {
    sim_conn *conn = &backend->conns[index];
    uint32_t before = conn->generation;
    RS_ASSERT(conn->state == SIM_CONN_FREE);
    for (uint32_t i = 0; i < sim_ops_per_conn(backend); i++) {
        RS_ASSERT(sim_op_at(backend, index, i)->state == SIM_OP_IDLE);
    }
    *conn =
        (sim_conn){.state = (uint8_t)state, .generation = generation, .generation_before = before};
    stale_maybe(backend, index);
}

static rs_status sim_attach(rs_backend *backend, uint32_t conn, uint32_t generation,
                            uintptr_t socket) {
    rs_sim_world *world = backend->world;
    sim_link *link = sim_link_of_socket(world, socket);
    if (link == NULL) {
        sim_violation(world, "attach: no accepted socket of that value");
        return RS_E_OS;
    }
    if (conn >= backend->cfg.conns_max || backend->conns[conn].state != SIM_CONN_FREE) {
        sim_violation(world, "attach: the slot is not free");
        return RS_E_OS;
    }
    link->accepted = false;
    if (sim_roll(backend, RS_SIM_NO_BUFFERS_ATTACH)) {
        sim_link_close_end(world, link, 1, true);
        sim_settle_link(world, link);
        return RS_E_NO_BUFFERS;
    }
    slot_bind(backend, conn, generation, SIM_CONN_OPEN);
    backend->conns[conn].link = link;
    backend->conns[conn].end = 1;
    link->end[1].backend = backend;
    link->end[1].conn = conn;
    return RS_OK;
}

static rs_addr sim_local(rs_backend *backend, uint32_t conn) {
    const sim_conn *c = &backend->conns[conn];
    if (c->link == NULL) {
        return (rs_addr){.port = 0};
    }
    return c->end == 1 ? c->link->ends.local : c->link->ends.peer;
}

static void sim_discard(rs_backend *backend, uintptr_t socket) {
    sim_link *link = sim_link_of_socket(backend->world, socket);
    if (link == NULL) {
        sim_violation(backend->world, "discard: no accepted socket of that value");
        return;
    }
    link->accepted = false;
    sim_link_close_end(backend->world, link, 1, false);
    sim_settle_link(backend->world, link);
}

/* ---- buffers */

static bool op_has_buffer(const rs_op *op) {
    return op->kind == RS_OP_RECV || op->kind == RS_OP_SEND;
}

/* Two buffers in flight may share bytes only when both are read alone (a broadcast's slice). */
static void buffer_check_overlap(rs_backend *backend, const rs_op *op) {
    uintptr_t begin = (uintptr_t)op->u.data, end = begin + op->bytes;
    for (uint32_t i = 0; i < backend->held_count; i++) {
        const rs_op *other = &backend->held[i]->op;
        uintptr_t other_begin = (uintptr_t)other->u.data;
        if (begin < other_begin + other->bytes && other_begin < end &&
            (op->kind == RS_OP_RECV || other->kind == RS_OP_RECV)) {
            sim_violation(backend->world, "buffers in flight overlap");
        }
    }
}

static void buffer_check_piece(rs_backend *backend, const rs_op *op) {
    const sim_region *region = &backend->regions[op->region - 1u];
    uint64_t offset = (uint64_t)(op->u.data - region->base);
    rs_region_piece piece = rs_region_piece_at(&region->cut, offset);
    if (op->bytes > piece.start + piece.bytes - offset) {
        sim_violation(backend->world,
                      "a buffer crosses from one piece of its region into the next");
    }
}

static void buffer_take(rs_backend *backend, sim_op *op) {
    op->held_at = SIM_NOT_HELD;
    if (!op_has_buffer(&op->op) || backend->world->cfg.unchecked) {
        return;
    }
    buffer_check_overlap(backend, &op->op);
    buffer_check_piece(backend, &op->op);
    if (op->op.kind == RS_OP_RECV) {
        memset(op->op.u.data, SIM_POISON, op->op.bytes);
    }
    op->sum = sim_sum(op->op.u.data, op->op.bytes);
    op->held_at = backend->held_count;
    backend->held[backend->held_count++] = op;
}

static void buffer_give_back(rs_backend *backend, sim_op *op) {
    if (op->held_at == SIM_NOT_HELD) {
        return;
    }
    if (sim_sum(op->op.u.data, op->op.bytes) != op->sum) {
        sim_violation(backend->world, op->op.kind == RS_OP_RECV
                                          ? "a RECV buffer was touched while in flight"
                                          : "a SEND buffer was changed while in flight");
    }
    backend->held[op->held_at] = backend->held[--backend->held_count];
    backend->held[op->held_at]->held_at = op->held_at;
    op->held_at = SIM_NOT_HELD;
}

static bool buffer_is_registered(const rs_backend *backend, const rs_op *op) {
    const sim_region *region;
    if (op->u.data == NULL || op->bytes == 0 || op->region == 0 || op->region > RS_REGIONS_MAX) {
        return false;
    }
    region = &backend->regions[op->region - 1];
    return region->used && op->u.data >= region->base && op->bytes <= region->bytes &&
           (size_t)(op->u.data - region->base) <= region->bytes - op->bytes;
}

/* ---- submit */

static rs_status submit_check_slot(const rs_backend *backend, const rs_op *op) {
    const sim_conn *conn;
    if (op->conn >= backend->cfg.conns_max || op->kind < RS_OP_CONNECT || op->kind > RS_OP_CLOSE) {
        return RS_E_INVALID;
    }
    conn = &backend->conns[op->conn];
    if (op->kind == RS_OP_CONNECT) {
        return conn->state == SIM_CONN_FREE && op->u.addr != NULL ? RS_OK : RS_E_INVALID;
    }
    if (op->generation != conn->generation) {
        return RS_E_STALE;
    }
    if (conn->state == SIM_CONN_FREE) {
        return RS_E_CLOSED;
    }
    if (conn->state == SIM_CONN_CLOSING) {
        bool escalates = op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;
        return escalates && !conn->escalated ? RS_OK : RS_E_CLOSED;
    }
    return RS_OK;
}

static rs_status submit_check(const rs_backend *backend, const rs_op *op) {
    const sim_conn *conn = &backend->conns[op->conn < backend->cfg.conns_max ? op->conn : 0];
    rs_status status = submit_check_slot(backend, op);
    if (status != RS_OK) {
        return status;
    }
    if (op_has_buffer(op) && !buffer_is_registered(backend, op)) {
        return RS_E_INVALID;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return conn->recv_count < backend->cfg.tuning.recvs ? RS_OK : RS_E_FULL;
    case RS_OP_SEND:
        if (conn->shut) {
            return RS_E_INVALID; /* nothing can follow the end of our stream */
        }
        return conn->send_count < backend->cfg.sends_per_conn ? RS_OK : RS_E_FULL;
    case RS_OP_SHUTDOWN:
        return conn->shut ? RS_E_FULL : RS_OK;
    default:
        return RS_OK;
    }
}

static sim_op *submit_place(rs_backend *backend, const rs_op *op) {
    sim_conn *conn = &backend->conns[op->conn];
    switch (op->kind) {
    case RS_OP_RECV:
        return sim_recv_at(backend, op->conn, conn->recv_count++);
    case RS_OP_SEND:
        return sim_send_at(backend, op->conn, conn->send_count++);
    case RS_OP_SHUTDOWN:
        conn->shut = true;
        return sim_op_at(backend, op->conn, SIM_OP_AT_SHUTDOWN);
    case RS_OP_CONNECT:
        slot_bind(backend, op->conn, op->generation, SIM_CONN_CONNECTING);
        return sim_op_at(backend, op->conn, SIM_OP_AT_CONNECT);
    default:
        return sim_op_at(backend, op->conn, SIM_OP_AT_CLOSE);
    }
}

static void submit_start_later(rs_backend *backend, sim_op *op) {
    rs_sim_world *world = backend->world;
    sim_schedule(world, &(sim_event){.due_ns = world->now_ns + sim_latency(world),
                                     .kind = SIM_EV_START,
                                     .backend = backend,
                                     .op = op,
                                     .serial = op->serial});
}

static void submit_close(rs_backend *backend, const rs_op *op) {
    sim_conn *conn = &backend->conns[op->conn];
    conn->aborting = conn->escalated = (op->flags & RS_OPF_ABORT) != 0;
    if (conn->state != SIM_CONN_CLOSING) {
        conn->state = SIM_CONN_CLOSING;
        if (conn->link != NULL && sim_roll(backend, RS_SIM_RESET_CLOSING)) {
            sim_link_reset(conn->link, conn->end);
            if (!conn->link->end[1 - conn->end].closed) {
                sim_link_reset(conn->link, 1 - conn->end);
            }
        }
    }
    sim_cancel(backend, op->conn);
    sim_settle(backend, op->conn);
}

/* The connection has failed under the caller's hands: not a breach, a race. */
static bool submit_refuses(rs_backend *backend, const rs_op *op) {
    sim_conn *conn;
    if (op->kind == RS_OP_CLOSE || op->kind == RS_OP_CONNECT ||
        !sim_roll(backend, RS_SIM_REFUSED_SUBMIT)) {
        return false;
    }
    conn = &backend->conns[op->conn];
    if (conn->link != NULL) {
        sim_link_reset(conn->link, 0);
        sim_link_reset(conn->link, 1);
        sim_settle(backend, op->conn);
    }
    return true;
}

static rs_status submit_one(rs_backend *backend, const rs_op *op) {
    rs_status status = submit_check(backend, op);
    sim_op *slot;
    if (status != RS_OK) {
        return status;
    }
    if (submit_refuses(backend, op)) {
        return RS_E_CLOSED;
    }
    if (op->kind == RS_OP_CLOSE && backend->conns[op->conn].state == SIM_CONN_CLOSING) {
        submit_close(backend, op); /* an escalation: no completion of its own */
        return RS_OK;
    }
    slot = submit_place(backend, op);
    RS_ASSERT(slot->state == SIM_OP_IDLE);
    *slot = (sim_op){.op = *op, .state = SIM_OP_WAITING, .serial = slot->serial + 1};
    if (op->kind == RS_OP_CONNECT) {
        slot->addr = *op->u.addr;
    }
    buffer_take(backend, slot);
    backend->in_flight++;
    backend->op_count++;
    stale_maybe(backend, op->conn);
    if (op->kind == RS_OP_CLOSE) {
        submit_close(backend, op);
    } else {
        submit_start_later(backend, slot);
    }
    return RS_OK;
}

static uint32_t sim_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    rs_status status = RS_OK;
    uint32_t taken = 0;
    RS_ASSERT(count <= RS_OPS_PER_SUBMIT_MAX);
    backend->submit_count++;
    while (taken < count && (status = submit_one(backend, &ops[taken])) == RS_OK) {
        taken++;
    }
    if (backend->world->cfg.strict && (status == RS_E_INVALID || status == RS_E_FULL)) {
        sim_violation(backend->world, "submit: an op that the contract forbids");
    }
    *why = status;
    return taken;
}

/* ---- poll */

static void op_finish(rs_backend *backend, sim_op *op) {
    sim_conn *conn = &backend->conns[op->op.conn];
    RS_ASSERT(op->state == SIM_OP_DONE && backend->in_flight > 0);
    buffer_give_back(backend, op);
    op->state = SIM_OP_IDLE;
    backend->in_flight--;
    if (op->op.kind == RS_OP_RECV) {
        RS_ASSERT(op == sim_recv_at(backend, op->op.conn, 0));
        conn->recv_head = (conn->recv_head + 1) % backend->cfg.tuning.recvs;
        conn->recv_count--;
    } else if (op->op.kind == RS_OP_SEND) {
        RS_ASSERT(op == sim_send_at(backend, op->op.conn, 0));
        conn->send_head = (conn->send_head + 1) % backend->cfg.sends_per_conn;
        conn->send_count--;
    } else if (op->op.kind == RS_OP_CLOSE) {
        RS_ASSERT(conn->state == SIM_CONN_CLOSING && conn->send_count + conn->recv_count == 0);
        conn->state = SIM_CONN_FREE;
    }
}

static rs_completion op_completion(const sim_op *op) {
    return (rs_completion){.kind = op->op.kind,
                           .status = (uint16_t)op->status,
                           .conn = op->op.conn,
                           .generation = op->op.generation,
                           .bytes = op->bytes_done,
                           .tag = op->op.tag,
                           .socket = RS_SOCKET_NONE};
}

static void record_taken(rs_backend *backend, const sim_ready *ready) {
    if (ready->completion.kind != RS_OP_ACCEPT) {
        return;
    }
    if (ready->completion.status == RS_E_CLOSED) {
        backend->listeners_due--;
        return;
    }
    backend->accepts_due--;
    if (ready->link != NULL) {
        ready->link->accepted = true;
    }
}

static void trace_add(rs_backend *backend, const rs_completion *completion) {
    rs_sim_world *world = backend->world;
    uint64_t word = ((uint64_t)completion->kind << 56) ^ ((uint64_t)completion->status << 40) ^
                    ((uint64_t)completion->generation << 20) ^ completion->bytes;
    word ^= ((uint64_t)completion->conn << 32) ^ ((uint64_t)backend->number << 60);
    world->trace = (world->trace ^ word) * 0x9E3779B97F4A7C15u;
    world->trace = (world->trace ^ world->now_ns ^ (world->trace >> 31)) * 0xBF58476D1CE4E5B9u;
}

/* Sabotage on one completion; how many records it makes: 0, 1 or 2. */
static uint32_t completion_sabotage(rs_backend *backend, const rs_completion *completion) {
    if (completion->kind == RS_OP_SEND) {
        if (sim_sabotage_now(backend, RS_SIM_DOUBLE_COMPLETION)) {
            return 2;
        }
        return sim_sabotage_now(backend, RS_SIM_LOSE_COMPLETION) ? 0 : 1;
    }
    return completion->kind == RS_OP_CLOSE && sim_sabotage_now(backend, RS_SIM_LOSE_CLOSE) ? 0 : 1;
}

static uint32_t ready_take(rs_backend *backend, rs_completion *out, uint32_t cap) {
    uint32_t count = 0;
    while (count < cap && backend->ready_count > 0) {
        sim_ready ready = backend->ready[backend->ready_head];
        uint32_t copies = 1;
        backend->ready_head = (backend->ready_head + 1) % backend->ready_capacity;
        backend->ready_count--;
        if (ready.op != NULL) {
            ready.completion = op_completion(ready.op);
            op_finish(backend, ready.op);
            copies = completion_sabotage(backend, &ready.completion);
        } else {
            record_taken(backend, &ready);
        }
        if (copies == 2) {
            sim_push_ready(backend, &(sim_ready){.completion = ready.completion});
        }
        if (copies > 0) {
            trace_add(backend, &ready.completion);
            out[count++] = ready.completion;
        }
    }
    return count;
}

/* Something became ready for another instance: that one is to run now. */
static uint64_t ready_of_others(const rs_backend *backend) {
    uint64_t count = 0;
    for (const rs_backend *at = backend->world->backends; at != NULL; at = at->next) {
        count += at == backend ? 0 : at->ready_count;
    }
    return count;
}

static void poll_sleep(rs_backend *backend, int64_t timeout_ns) {
    rs_sim_world *world = backend->world;
    uint64_t others = ready_of_others(backend);
    uint64_t deadline =
        timeout_ns == RS_FOREVER ? UINT64_MAX : world->now_ns + (uint64_t)timeout_ns;
    while (backend->ready_count == 0) {
        uint64_t next = rs_sim_next_ns(world);
        if (next == UINT64_MAX && deadline == UINT64_MAX) {
            sim_run_until(world, world->now_ns + SIM_EMPTY_WORLD_NS);
            return;
        }
        if (next > deadline || next == UINT64_MAX) {
            sim_run_until(world, deadline);
            return;
        }
        sim_run_until(world, next);
        if (ready_of_others(backend) > others) {
            return;
        }
    }
}

/* True when this poll is to return at once. */
static bool poll_is_woken(rs_backend *backend) {
    bool woken = rs_atomic_exchange_u32(&backend->woken, 0) != 0;
    if (backend->storm_left > 0) {
        backend->storm_left--;
        backend->storm_count++;
        return true;
    }
    if (sim_roll(backend, RS_SIM_WAKE_STORM)) {
        backend->storm_left = 1 + (uint32_t)sim_below(backend->world, SIM_STORM_MAX);
    }
    return woken;
}

static uint32_t sim_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                         int64_t timeout_ns) {
    rs_sim_world *world = backend->world;
    RS_ASSERT(cap > 0 && cap <= backend->cfg.poll_max && timeout_ns >= 0);
    backend->poll_count++;
    if (timeout_ns > 0 && sim_roll(backend, RS_SIM_CLOCK_JUMP)) {
        sim_run_until(world, world->now_ns + sim_below(world, world->cfg.clock_jump_ns_max + 1));
    }
    sim_run_until(world, world->now_ns);
    if (!poll_is_woken(backend) && timeout_ns > 0 && backend->ready_count == 0) {
        poll_sleep(backend, timeout_ns);
    }
    return ready_take(backend, out, cap);
}

static void sim_wake(rs_backend *backend) {
    rs_atomic_store_u32(&backend->woken, 1);
}

/* ---- memory, statistics */

static rs_status sim_register(rs_backend *backend, void *base, size_t bytes,
                              const rs_region_cut *cut, rs_region_id *out, rs_error *error) {
    const rs_region_cut whole = {.slices = 1, .slice_bytes = (uint32_t)bytes};
    uint16_t i = 0;
    if (base == NULL || bytes == 0 || (cut != NULL && rs_region_cut_bytes(cut) > bytes)) {
        return rs_error_set(error, RS_E_INVALID, "register_memory", 0, "a region is not empty");
    }
    if (sim_roll(backend, RS_SIM_NO_BUFFERS_REGISTER)) {
        return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0,
                            "the system will not lock it (simulated)");
    }
    while (i < RS_REGIONS_MAX && backend->regions[i].used) {
        i++;
    }
    if (i == RS_REGIONS_MAX) {
        return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0, "at most %u regions",
                            RS_REGIONS_MAX);
    }
    backend->regions[i] =
        (sim_region){.base = base, .bytes = bytes, .cut = cut != NULL ? *cut : whole, .used = true};
    out->value = (uint16_t)(i + 1);
    return RS_OK;
}

static void sim_release(rs_backend *backend, rs_region_id region) {
    if (region.value == 0 || region.value > RS_REGIONS_MAX ||
        !backend->regions[region.value - 1].used) {
        sim_violation(backend->world, "release_memory: no such region");
        return;
    }
    for (uint32_t i = 0; i < backend->held_count; i++) {
        if (backend->held[i]->op.region == region.value) {
            sim_violation(backend->world, "release_memory: an op in flight uses the region");
            return;
        }
    }
    backend->regions[region.value - 1].used = false;
}

static void sim_stats(const rs_backend *backend, rs_backend_stats *out) {
    *out = (rs_backend_stats){.provider = "sim"};
    out->stat[out->count++] = (rs_backend_stat){"submit", backend->submit_count, true};
    out->stat[out->count++] = (rs_backend_stat){"poll", backend->poll_count, true};
    out->stat[out->count++] = (rs_backend_stat){"ops", backend->op_count, false};
    out->stat[out->count++] = (rs_backend_stat){"early polls", backend->storm_count, false};
}

const rs_backend_api rs_sim_backend = {
    .name = "sim",
    .tuning = "dequeue-batch recvs backlog",
    .open = sim_open,
    .close = sim_close,
    .listen = sim_listen,
    .unlisten = sim_unlisten,
    .attach = sim_attach,
    .local = sim_local,
    .discard = sim_discard,
    .submit = sim_submit,
    .poll = sim_poll,
    .wake = sim_wake,
    .register_memory = sim_register,
    .release_memory = sim_release,
    .stats = sim_stats,
};
