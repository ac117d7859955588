/* SPDX-License-Identifier: MIT */
/* Connections of the simulated network: what becomes of each op, and when.
 *
 * Everything that may let an op proceed ends in sim_settle_link, which does all that can be done
 * at both ends until nothing moves any more: no op calls back into another. */
#include "sim_internal.h"

#include <string.h>

#include "core/assert.h"

#define SIM_LINK_INDEX_BITS 20u

/* ---- links */

/* A port of its own for each connection that lives. */
static rs_ends link_ends(const sim_link *link, const rs_addr *target) {
    rs_ends ends = {.peer = *target, .local = *target};
    if (rs_addr_is_any(target)) {
        ends.local.ip = ends.peer.ip = target->family == RS_ADDR_V6 ? 0 : 0x7F000001u;
        ends.local.ip6[15] = ends.peer.ip6[15] = target->family == RS_ADDR_V6 ? 1 : 0;
    }
    ends.peer.port = (uint16_t)(49152u + link->index % 16384u);
    return ends;
}

static sim_link *link_open(rs_sim_world *world, const rs_addr *target) {
    sim_link *link = world->free_links;
    if (link != NULL) {
        world->free_links = link->next_free;
    } else {
        if (world->link_count == world->link_capacity) {
            world->link_capacity = world->link_capacity == 0 ? 16 : world->link_capacity * 2;
            world->links = sim_grow(world->links, world->link_capacity, sizeof(sim_link *));
        }
        link = sim_alloc(1, sizeof *link);
        link->index = world->link_count;
        link->pipe[0].data = sim_alloc(1, world->cfg.pipe_bytes);
        link->pipe[1].data = sim_alloc(1, world->cfg.pipe_bytes);
        world->links[world->link_count++] = link;
    }
    link->used = true;
    link->ends = link_ends(link, target);
    link->accepted = false;
    memset(link->end, 0, sizeof link->end);
    for (uint32_t i = 0; i < 2; i++) {
        link->pipe[i] = (sim_pipe){.data = link->pipe[i].data};
    }
    world->links_used++;
    return link;
}

static void link_release(rs_sim_world *world, sim_link *link) {
    RS_ASSERT(link->used && link->end[0].closed && link->end[1].closed);
    link->used = false;
    link->serial++;
    link->next_free = world->free_links;
    world->free_links = link;
    world->links_used--;
}

static uintptr_t link_socket(const sim_link *link) {
    uintptr_t serial = link->serial & 0x7FFu;
    return (serial << SIM_LINK_INDEX_BITS | link->index) + 1u;
}

sim_link *sim_link_of_socket(rs_sim_world *world, uintptr_t socket) {
    uintptr_t index = (socket - 1u) & ((1u << SIM_LINK_INDEX_BITS) - 1u);
    if (index >= world->link_count || !world->links[index]->used ||
        !world->links[index]->accepted || link_socket(world->links[index]) != socket) {
        return NULL;
    }
    return world->links[index];
}

void sim_link_reset(sim_link *link, uint32_t end) {
    link->end[end].reset = true;
    link->pipe[1 - end].count = 0; /* a reset takes what was not yet received with it */
}

void sim_link_close_end(rs_sim_world *world, sim_link *link, uint32_t end, bool abort) {
    sim_end *other = &link->end[1 - end];
    RS_ASSERT(link->used && !link->end[end].closed);
    link->end[end].closed = true;
    link->end[end].backend = NULL;
    link->pipe[1 - end].count = 0;
    link->pipe[end].fin = true;
    if (abort) {
        sim_link_reset(link, 1 - end);
    }
    if (other->ghost) {
        other->closed = true;
    }
    if (other->closed) {
        link_release(world, link);
    }
}

/* ---- pipes */

static uint32_t pipe_write(const rs_sim_world *world, sim_pipe *pipe, const uint8_t *data,
                           uint32_t bytes) {
    uint32_t capacity = world->cfg.pipe_bytes;
    uint32_t room = capacity - pipe->count;
    uint32_t count = bytes < room ? bytes : room;
    uint32_t tail = (pipe->head + pipe->count) % capacity;
    uint32_t first = count < capacity - tail ? count : capacity - tail;
    memcpy(pipe->data + tail, data, first);
    memcpy(pipe->data, data + first, count - first);
    pipe->count += count;
    return count;
}

static void pipe_read(const rs_sim_world *world, sim_pipe *pipe, uint8_t *data, uint32_t bytes) {
    uint32_t capacity = world->cfg.pipe_bytes;
    uint32_t first = bytes < capacity - pipe->head ? bytes : capacity - pipe->head;
    RS_ASSERT(bytes <= pipe->count);
    memcpy(data, pipe->data + pipe->head, first);
    memcpy(data + first, pipe->data, bytes - first);
    pipe->head = (pipe->head + bytes) % capacity;
    pipe->count -= bytes;
}

/* ---- results */

/* The op has its result; its completion follows those of its direction. */
static void op_done(rs_backend *backend, sim_op *op, rs_status status, uint32_t bytes,
                    uint64_t extra_ns) {
    rs_sim_world *world = backend->world;
    sim_conn *conn = &backend->conns[op->op.conn];
    uint64_t due = world->now_ns + sim_latency(world) + extra_ns;
    uint64_t *lane = op->op.kind == RS_OP_RECV ? &conn->due_in : &conn->due_out;
    RS_ASSERT(op->state == SIM_OP_WAITING || op->state == SIM_OP_ACTIVE);
    if (sim_roll(backend, RS_SIM_LATENCY_SPIKE)) {
        due += sim_below(world, world->cfg.slow_ns_max + 1);
    }
    if (op->op.kind == RS_OP_CLOSE || op->op.kind == RS_OP_CONNECT) {
        due = due > conn->due_in ? due : conn->due_in;
        due = due > conn->due_out ? due : conn->due_out;
        conn->due_in = conn->due_out = due;
    }
    *lane = due > *lane ? due : *lane;
    op->state = SIM_OP_DONE;
    op->status = status;
    op->bytes_done = bytes;
    sim_schedule(world, &(sim_event){.due_ns = *lane,
                                     .kind = SIM_EV_DELIVER,
                                     .backend = backend,
                                     .op = op,
                                     .serial = op->serial});
}

static bool op_is_pending(const sim_op *op) {
    return op->state == SIM_OP_WAITING || op->state == SIM_OP_ACTIVE;
}

/* What every op of this connection meets now; RS_OK = nothing. */
static rs_status conn_failure(const sim_conn *conn) {
    if (conn->broken != RS_OK) {
        return (rs_status)conn->broken;
    }
    return conn->link != NULL && conn->link->end[conn->end].reset ? RS_E_RESET : RS_OK;
}

static uint64_t slow_ns(rs_backend *backend, const sim_conn *conn) {
    return conn->slow ? sim_below(backend->world, backend->world->cfg.slow_ns_max + 1) : 0;
}

/* ---- sending */

/* Sabotage: the bytes just written are not those of the buffer. */
static void send_sabotage(rs_backend *backend, sim_pipe *pipe, uint32_t count) {
    uint32_t capacity = backend->world->cfg.pipe_bytes;
    if (count > 0 && sim_sabotage_now(backend, RS_SIM_CORRUPT_BYTE)) {
        pipe->data[(pipe->head + pipe->count - 1) % capacity] ^= 0x40;
    } else if (count > 0 && sim_sabotage_now(backend, RS_SIM_SWALLOW_BYTE)) {
        pipe->count--;
    }
}

/* The first pending SEND moves what fits. True when that let anything proceed. */
static bool send_move(rs_backend *backend, sim_conn *conn, sim_op *op) {
    sim_link *link = conn->link;
    sim_pipe *pipe = &link->pipe[conn->end];
    uint32_t count;
    if (conn->broken_out) {
        op_done(backend, op, RS_E_RESET, 0, 0);
        return true;
    }
    if (link->end[1 - conn->end].closed) {
        sim_link_reset(link, conn->end); /* nobody is there any more */
        return true;
    }
    if (pipe->swallow || link->end[1 - conn->end].reads) {
        op_done(backend, op, RS_OK, op->op.bytes, 0);
        return true;
    }
    count = pipe_write(backend->world, pipe, op->op.u.data + op->bytes_done,
                       op->op.bytes - op->bytes_done);
    send_sabotage(backend, pipe, count);
    op->bytes_done += count;
    if (op->bytes_done == op->op.bytes) {
        op_done(backend, op, RS_OK, op->bytes_done, 0);
    }
    return count > 0;
}

static bool conn_sends(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    bool moved = false;
    for (uint32_t i = 0; i < conn->send_count; i++) {
        sim_op *op = sim_send_at(backend, index, i);
        rs_status failure = conn_failure(conn);
        if (op->state == SIM_OP_DONE) {
            continue;
        }
        if (op->state != SIM_OP_ACTIVE) {
            break;
        }
        if (failure != RS_OK) {
            op_done(backend, op, failure, 0, 0);
            moved = true;
            continue;
        }
        if (conn->state == SIM_CONN_CONNECTING || !send_move(backend, conn, op)) {
            break;
        }
        moved = true;
        if (op->state != SIM_OP_DONE) {
            i--; /* it moved in part, or the connection has just failed: look at it again */
        }
    }
    return moved;
}

static bool conn_sends_pending(const rs_backend *backend, uint32_t index) {
    const sim_conn *conn = &backend->conns[index];
    return conn->send_count > 0 &&
           sim_send_at(backend, index, conn->send_count - 1)->state != SIM_OP_DONE;
}

static bool conn_shutdown(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    sim_op *op = sim_op_at(backend, index, SIM_OP_AT_SHUTDOWN);
    rs_status failure = conn_failure(conn);
    if (op->state != SIM_OP_ACTIVE || conn_sends_pending(backend, index) ||
        (failure == RS_OK && conn->state == SIM_CONN_CONNECTING)) {
        return false;
    }
    if (failure == RS_OK) {
        conn->link->pipe[conn->end].fin = true;
    }
    op_done(backend, op, failure, 0, 0);
    return true;
}

/* ---- receiving */

static void recv_give(rs_backend *backend, sim_conn *conn, sim_op *op, uint32_t count) {
    sim_pipe *pipe = &conn->link->pipe[1 - conn->end];
    if (!backend->world->cfg.unchecked && sim_sum(op->op.u.data, op->op.bytes) != op->sum) {
        sim_violation(backend->world, "a RECV buffer was touched while in flight");
    }
    if (count > 1 && sim_roll(backend, RS_SIM_SHORT_RECV)) {
        count = 1u + (uint32_t)sim_below(backend->world, count - 1);
    }
    pipe_read(backend->world, pipe, op->op.u.data, count);
    if (!backend->world->cfg.unchecked) {
        op->sum = sim_sum(op->op.u.data, op->op.bytes);
    }
    op_done(backend, op, RS_OK, count, slow_ns(backend, conn));
}

/* The oldest receive that has no result yet; NULL: none. */
static sim_op *conn_oldest_recv(const rs_backend *backend, uint32_t index) {
    for (uint32_t i = 0; i < backend->conns[index].recv_count; i++) {
        sim_op *op = sim_recv_at(backend, index, i);
        if (op_is_pending(op)) {
            return op;
        }
    }
    return NULL;
}

static bool conn_receives(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    sim_op *op = conn_oldest_recv(backend, index);
    rs_status failure = conn_failure(conn);
    sim_pipe *pipe;
    if (op == NULL || op->state != SIM_OP_ACTIVE) {
        return false;
    }
    if (failure != RS_OK) {
        op_done(backend, op, failure, 0, 0);
        return true;
    }
    if (conn->state == SIM_CONN_CONNECTING) {
        return false;
    }
    pipe = &conn->link->pipe[1 - conn->end];
    if (pipe->count > 0) {
        recv_give(backend, conn, op, pipe->count < op->op.bytes ? pipe->count : op->op.bytes);
        return true;
    }
    if (pipe->fin) {
        op_done(backend, op, RS_OK, 0, 0);
        return true;
    }
    return false;
}

/* ---- closing */

static void conn_cancel_op(rs_backend *backend, sim_op *op) {
    uint64_t late = 0;
    if (!op_is_pending(op)) {
        return;
    }
    if (sim_roll(backend, RS_SIM_LATE_COMPLETION)) {
        late = sim_below(backend->world, backend->world->cfg.slow_ns_max + 1);
    }
    op_done(backend, op, RS_E_ABORTED, 0, late);
}

void sim_cancel(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    conn_cancel_op(backend, sim_op_at(backend, index, SIM_OP_AT_CONNECT));
    for (uint32_t i = 0; i < conn->recv_count; i++) {
        conn_cancel_op(backend, sim_recv_at(backend, index, i));
    }
    if (!conn->aborting && conn->link != NULL) {
        return; /* a plain CLOSE: sends and FIN still go out */
    }
    for (uint32_t i = 0; i < conn->send_count; i++) {
        conn_cancel_op(backend, sim_send_at(backend, index, i));
    }
    conn_cancel_op(backend, sim_op_at(backend, index, SIM_OP_AT_SHUTDOWN));
}

static bool conn_closes(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    sim_op *op = sim_op_at(backend, index, SIM_OP_AT_CLOSE);
    if (conn->state != SIM_CONN_CLOSING || conn->close_done || conn_sends_pending(backend, index) ||
        op_is_pending(sim_op_at(backend, index, SIM_OP_AT_SHUTDOWN)) ||
        conn_oldest_recv(backend, index) != NULL ||
        op_is_pending(sim_op_at(backend, index, SIM_OP_AT_CONNECT))) {
        return false;
    }
    if (conn->link != NULL) {
        sim_link_close_end(backend->world, conn->link, conn->end, conn->aborting);
        conn->link = NULL;
    }
    conn->close_done = true;
    op_done(backend, op, RS_OK, 0, 0);
    return true;
}

/* ---- settling */

static bool conn_moves(rs_backend *backend, uint32_t index) {
    bool moved = conn_sends(backend, index);
    moved = conn_shutdown(backend, index) || moved;
    moved = conn_receives(backend, index) || moved;
    return conn_closes(backend, index) || moved;
}

void sim_settle_link(rs_sim_world *world, sim_link *link) {
    bool moved = true;
    (void)world;
    while (moved && link->used) {
        moved = false;
        for (uint32_t i = 0; i < 2 && link->used; i++) {
            if (link->end[i].backend != NULL) {
                moved = conn_moves(link->end[i].backend, link->end[i].conn) || moved;
            }
        }
    }
}

void sim_settle(rs_backend *backend, uint32_t index) {
    sim_conn *conn = &backend->conns[index];
    if (conn->link != NULL) {
        sim_settle_link(backend->world, conn->link);
        return;
    }
    while (conn_moves(backend, index)) {
        /* until nothing moves: without a link each turn ends at least one op */
    }
}

/* ---- connecting */

/* :: serves IPv4 too; apart from that an address is reached in its own family. */
static bool listener_hears(const rs_backend *listener, const rs_addr *target) {
    for (uint32_t i = 0; i < listener->listening; i++) {
        const rs_addr *own = &listener->listen_addr[i];
        if (own->port == target->port &&
            (own->family == target->family || (own->family == RS_ADDR_V6 && rs_addr_is_any(own)))) {
            return true;
        }
    }
    return false;
}

static rs_backend *listener_find(rs_sim_world *world, const rs_addr *target) {
    for (rs_backend *at = world->backends; at != NULL; at = at->next) {
        if (listener_hears(at, target)) {
            return at;
        }
    }
    return NULL;
}

static void listener_tell(rs_backend *listener, sim_link *link, rs_status status) {
    rs_sim_world *world = listener->world;
    sim_event event = {.due_ns = world->now_ns + sim_latency(world),
                       .kind = SIM_EV_RECORD,
                       .backend = listener,
                       .link = link};
    event.completion = (rs_completion){.kind = RS_OP_ACCEPT,
                                       .status = (uint16_t)status,
                                       .ends = link != NULL ? &link->ends : NULL,
                                       .socket = link != NULL ? link_socket(link) : RS_SOCKET_NONE};
    if (event.due_ns > listener->accept_due_ns) {
        listener->accept_due_ns = event.due_ns;
    }
    listener->accepts_due++;
    sim_schedule(world, &event);
}

/* Hands end 1 of a new link to the listener, or lets it fail. */
static void listener_offer(rs_backend *listener, sim_link *link) {
    if (sim_roll(listener, RS_SIM_ACCEPT_FAILURE)) {
        link->end[1].closed = true;
        sim_link_reset(link, 0);
        listener_tell(listener, NULL, RS_E_RESET);
        return;
    }
    if (sim_roll(listener, RS_SIM_RESET_BEFORE_ATTACH)) {
        sim_link_reset(link, 0);
        sim_link_reset(link, 1);
    }
    listener_tell(listener, link, RS_OK);
}

/* Strangers: some stay silent, some talk nonsense, some never read. */
static void listener_burst(rs_backend *listener) {
    rs_sim_world *world = listener->world;
    uint64_t count = 1 + sim_below(world, world->cfg.burst_max);
    for (uint64_t i = 0; i < count && listener->accepts_due < listener->cfg.tuning.backlog; i++) {
        sim_link *link = link_open(world, &listener->listen_addr[0]);
        uint64_t nonsense = sim_random(world);
        link->end[0].ghost = true;
        link->end[0].reads = (nonsense & 3u) != 0;
        if ((nonsense & 12u) != 0) {
            (void)pipe_write(world, &link->pipe[0], (const uint8_t *)&nonsense, sizeof nonsense);
        }
        sim_schedule(world,
                     &(sim_event){.due_ns = world->now_ns +
                                            sim_below(world, 20 * world->cfg.latency_ns_max + 1),
                                  .kind = SIM_EV_GHOST,
                                  .link = link,
                                  .serial = link->serial});
        listener_offer(listener, link);
        if (link->end[1].closed) {
            link->end[0].closed = true;
            link_release(world, link);
        }
    }
}

void sim_ghost_ends(rs_sim_world *world, sim_link *link) {
    bool abort = (sim_random(world) & 1u) != 0;
    if (!link->end[0].closed) {
        sim_link_close_end(world, link, 0, abort);
        sim_settle_link(world, link);
    }
}

static rs_status connect_result(rs_backend *backend, const sim_op *op, rs_backend **listener) {
    *listener = listener_find(backend->world, &op->addr);
    if (*listener == NULL || (*listener)->listener_broken ||
        (*listener)->accepts_due >= (*listener)->cfg.tuning.backlog) {
        return RS_E_REFUSED;
    }
    if (sim_roll(*listener, RS_SIM_LISTENER_FAILURE)) {
        (*listener)->listener_broken = true;
        listener_tell(*listener, NULL, RS_E_LISTENER);
        return RS_E_REFUSED;
    }
    return sim_roll(backend, RS_SIM_CONNECT_REFUSED) ? RS_E_REFUSED : RS_OK;
}

static void connect_start(rs_backend *backend, sim_op *op) {
    sim_conn *conn = &backend->conns[op->op.conn];
    rs_backend *listener;
    rs_status status = connect_result(backend, op, &listener);
    conn->state = SIM_CONN_OPEN;
    if (status != RS_OK) {
        conn->broken = (uint16_t)status;
    } else {
        sim_link *link = link_open(backend->world, &op->addr);
        link->end[0] = (sim_end){.backend = backend, .conn = op->op.conn};
        conn->link = link;
        conn->end = 0;
        listener_offer(listener, link);
        if (sim_roll(listener, RS_SIM_ACCEPT_BURST)) {
            listener_burst(listener);
        }
    }
    op_done(backend, op, status, 0, 0);
}

/* ---- an op is taken up */

static void network_resets(sim_link *link) {
    for (uint32_t i = 0; i < 2; i++) {
        if (!link->end[i].closed) {
            sim_link_reset(link, i);
        }
    }
}

static bool link_is_half_closed(const sim_link *link) {
    return link->pipe[0].fin != link->pipe[1].fin;
}

/* Faults of the connection that strike as a RECV or SEND starts. */
static void data_faults(rs_backend *backend, const sim_op *op) {
    sim_conn *conn = &backend->conns[op->op.conn];
    bool receives = op->op.kind == RS_OP_RECV;
    sim_link *link = conn->link;
    if (link == NULL || conn_failure(conn) != RS_OK) {
        return;
    }
    if (sim_roll(backend, receives ? RS_SIM_RESET_RECEIVING : RS_SIM_RESET_SENDING) ||
        (link_is_half_closed(link) && sim_roll(backend, RS_SIM_RESET_HALF_CLOSED))) {
        network_resets(link);
        return;
    }
    if (receives && !link->pipe[1 - conn->end].fin && sim_roll(backend, RS_SIM_HALF_CLOSE)) {
        link->pipe[1 - conn->end].fin = true;
        link->pipe[1 - conn->end].swallow = true;
    }
    if (receives && !conn->slow && sim_roll(backend, RS_SIM_SLOW_READER)) {
        conn->slow = true;
    }
}

/* A SEND that the network takes only in part: what fits of a random part, then nothing more. */
static void send_short(rs_backend *backend, sim_op *op) {
    sim_conn *conn = &backend->conns[op->op.conn];
    uint32_t part = (uint32_t)sim_below(backend->world, op->op.bytes);
    part = pipe_write(backend->world, &conn->link->pipe[conn->end], op->op.u.data, part);
    conn->broken_out = true;
    op_done(backend, op, RS_OK, part, 0);
}

/* Faults of the one op; true when that was its end. Its turn must have come, or its end would
 * overtake its elders'. */
static bool op_faults(rs_backend *backend, sim_op *op) {
    sim_conn *conn = &backend->conns[op->op.conn];
    bool receives = op->op.kind == RS_OP_RECV;
    if (conn->link == NULL || conn_failure(conn) != RS_OK || conn->broken_out ||
        op != (receives ? sim_recv_at(backend, op->op.conn, 0)
                        : sim_send_at(backend, op->op.conn, 0))) {
        return false;
    }
    if (sim_roll(backend, receives ? RS_SIM_NO_BUFFERS_RECV : RS_SIM_NO_BUFFERS_SEND)) {
        conn->broken_out = conn->broken_out || !receives;
        op_done(backend, op, RS_E_NO_BUFFERS, 0, 0);
        return true;
    }
    if (!receives && !conn->link->end[1 - conn->end].closed &&
        !conn->link->pipe[conn->end].swallow && sim_roll(backend, RS_SIM_SHORT_SEND)) {
        send_short(backend, op);
        return true;
    }
    return false;
}

void sim_start(rs_backend *backend, sim_op *op) {
    uint32_t conn = op->op.conn;
    op->state = SIM_OP_ACTIVE;
    if (op->op.kind == RS_OP_CONNECT) {
        connect_start(backend, op);
    } else if (op->op.kind == RS_OP_RECV || op->op.kind == RS_OP_SEND) {
        data_faults(backend, op);
        (void)op_faults(backend, op);
    }
    sim_settle(backend, conn);
}
