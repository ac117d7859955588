/* SPDX-License-Identifier: MIT */
/* What must hold after every step, and at the end. */
#include "sim_run.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/assert.h"

void sim_fail(sim_run *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "sim: step %llu, %llu ns: ", (unsigned long long)run->steps,
                  (unsigned long long)rs_sim_now_ns(run->world));
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    run->fail();
}

/* What the sessions think they hold, against what the pools and the back end know. */
typedef struct check_sums {
    uint32_t used, open;
    uint32_t awaited;  /* of open: their PROXY headers */
    uint32_t requests; /* in flight */
    uint32_t own_blocks, shared_blocks;
    uint32_t spoken_for, members, above;
} check_sums;

/* What it is owed is set aside, and nothing else is. */
static void check_reserve(sim_run *run, const rs_slot *session, check_sums *sums) {
    const rs_sendq_pool *pool = &rs_slot_table(session)->sendq_pool;
    const rs_sendq *queue = &session->sendq;
    SIM_CHECK(run,
              queue->member == (rs_session_takes(session) || session->state == RS_SESSION_PROXY));
    SIM_CHECK(run, queue->promised <= queue->due);
    SIM_CHECK(run, queue->member || queue->room == 0);
    if (queue->member) {
        sums->members++;
        sums->spoken_for += queue->promised;
        sums->spoken_for += queue->owned < pool->reserve ? pool->reserve - queue->owned : 0;
    } else {
        SIM_CHECK(run, queue->due == 0);
    }
    sums->above += queue->owned > pool->reserve ? 1 : 0;
}

static void check_pool(sim_run *run, const rs_sendq_pool *pool, const check_sums *sums) {
    uint32_t above = 0;
    for (const rs_sendq *at = pool->above_first; at != NULL; at = at->above_next) {
        SIM_CHECK(run, at->owned > pool->reserve && ++above <= pool->members_max);
    }
    SIM_CHECK(run, above == sums->above);
    SIM_CHECK(run, pool->spoken_for == sums->spoken_for && pool->members == sums->members);
    SIM_CHECK(run, pool->spoken_for <= pool->blocks->free_count);
    SIM_CHECK(run, pool->shared_live <= pool->shared_max);
    SIM_CHECK(run, pool->blocks->count - pool->blocks->free_count ==
                       sums->own_blocks + pool->shared_live);
}

/* What the session says is out is with the back end, and nothing else is. */
static void check_requests(sim_run *run, const rs_slot *session, check_sums *sums) {
    const rs_backend *backend = run->server_backend;
    uint32_t conn = session->handle.index;
    uint32_t ends = rs_sim_in_flight_of(backend, conn, RS_OP_SHUTDOWN);
    uint32_t closes = rs_sim_in_flight_of(backend, conn, RS_OP_CLOSE);
    SIM_CHECK(run, rs_sim_in_flight_of(backend, conn, RS_OP_RECV) == session->recv_in_flight);
    SIM_CHECK(run, rs_sim_in_flight_of(backend, conn, RS_OP_SEND) == session->sendq.in_flight);
    SIM_CHECK(run, closes == (session->state == RS_SESSION_CLOSING ? 1u : 0u));
    SIM_CHECK(run, ends == 0 || session->state == RS_SESSION_LINGER ||
                       session->state == RS_SESSION_CLOSING);
    sums->requests += session->sendq.in_flight + session->recv_in_flight;
    sums->requests += ends + closes;
}

/* Each receive slice is in one place. */
static void check_slices(sim_run *run, const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    const rs_slot_slices *slices =
        table->slices != NULL ? &table->slices[session->handle.index] : NULL;
    uint32_t seen = 0, count = session->recv_in_flight;
    SIM_CHECK(run, (slices != NULL) == (run->server.tuning.recvs > 1));
    SIM_CHECK(run, session->recv_in_flight <= run->server.tuning.recvs);
    if (slices == NULL || session->state == RS_SESSION_FREE) {
        return;
    }
    for (uint32_t i = 0; i < slices->free_count; i++, count++) {
        seen |= 1u << slices->free[i];
    }
    for (uint32_t i = 0; i < slices->wait_count; i++, count++) {
        seen |= 1u << slices->waits[(slices->wait_head + i) % RS_RECVS_IN_FLIGHT_MAX];
    }
    if (slices->holds != RS_SLICE_NONE) {
        seen |= 1u << slices->holds;
        count++;
    }
    SIM_CHECK(run, count == run->server.tuning.recvs);
    for (uint32_t i = 0; i < count - session->recv_in_flight; i++, seen &= seen - 1u) {
        SIM_CHECK(run, seen != 0); /* as many different ones */
    }
    SIM_CHECK(run, seen == 0 && (session->held == 0 || slices->holds != RS_SLICE_NONE));
    SIM_CHECK(run, session->state != RS_SESSION_OPEN || slices->wait_count == 0 ||
                       session->touched == 1);
}

static void check_session(sim_run *run, const rs_slot *session, check_sums *sums) {
    const rs_sendq_pool *pool = &rs_slot_table(session)->sendq_pool;
    const rs_sendq *queue = &session->sendq;
    uint32_t block_bytes = pool->blocks->block_bytes;
    uint32_t bytes = 0, flying = 0, entries = 0, own = 0;
    for (const rs_sendq_entry *at = queue->head; at != NULL; at = rs_sendq_after(pool, at)) {
        if (entries == queue->in_flight) {
            SIM_CHECK(run, at == queue->unsent);
            flying = bytes;
        }
        bytes += at->bytes;
        entries++;
        own += rs_sendq_is_own(pool, at) ? 1 : 0;
        SIM_CHECK(run, at->bytes > 0 || (at == queue->head && at == queue->tail));
        SIM_CHECK(run, entries <= pool->entry_count);
    }
    flying = queue->unsent == NULL ? bytes : flying;
    SIM_CHECK(run, queue->unsent_bytes == bytes - flying);
    SIM_CHECK(run, bytes + queue->room <= run->server.queued_bytes_max);
    SIM_CHECK(run, queue->room == 0 || (rs_sendq_is_own(pool, queue->tail) &&
                                        queue->tail->bytes + queue->room <= block_bytes));
    sums->shared_blocks += entries - own;
    SIM_CHECK(run, session->sendq.shared == entries - own);
    SIM_CHECK(run, session->sendq.shared <= pool->entries_each);
    own += session->sendq.spare != RS_SENDQ_NONE ? 1 : 0;
    SIM_CHECK(run, own == session->sendq.owned);
    sums->own_blocks += own;
    check_reserve(run, session, sums);
    SIM_CHECK(run, bytes == rs_sendq_bytes(pool, queue));
    SIM_CHECK(run, session->sendq.in_flight <= entries);
    SIM_CHECK(run, session->sendq.in_flight <= run->server.sends_in_flight);
    check_requests(run, session, sums);
    check_slices(run, session);
    sums->used += session->state != RS_SESSION_FREE ? 1 : 0;
    sums->awaited += session->state == RS_SESSION_PROXY ? 1 : 0;
    sums->open += rs_session_takes(session) || session->state == RS_SESSION_PROXY ? 1 : 0;
    if (session->state == RS_SESSION_FREE) {
        SIM_CHECK(run, session->recv_in_flight == 0 && entries == 0);
        SIM_CHECK(run, session->sendq.spare == RS_SENDQ_NONE);
    }
}

/* All accepted ones, or those whose PROXY header has come. */
void sim_check_opened(sim_run *run) {
    const uint64_t accepted = rs_shard_sessions(run->shard)->counters.accepted;
    SIM_CHECK(run, run->opened <= accepted);
    SIM_CHECK(run, run->opened == accepted || run->server.proxy_protocol);
}

/* Each other's inverse, and only of sessions that are open. */
static void check_link(sim_run *run, const rs_sessions *table, uint32_t index) {
    const rs_slot_link *link = &table->links[index];
    SIM_CHECK(run, link->sink < table->cfg.slot_count && link->source < table->cfg.slot_count);
    SIM_CHECK(run, link->sink == index || table->links[link->sink].source == index);
    SIM_CHECK(run, link->source == index || table->links[link->source].sink == index);
    SIM_CHECK(run, (link->sink == index && link->source == index) ||
                       rs_session_takes(&table->sessions[index]));
}

void sim_check_step(sim_run *run) {
    const rs_sessions *table = rs_shard_sessions(run->shard);
    const rs_slab *blocks = rs_shard_blocks(run->shard);
    uint32_t in_use = blocks->count - blocks->free_count;
    uint32_t in_flight = rs_sim_in_flight(run->server_backend);
    check_sums sums = {.used = 0};
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        check_session(run, &table->sessions[i], &sums);
    }
    for (uint32_t i = 0; table->links != NULL && i < table->cfg.slot_count; i++) {
        check_link(run, table, i);
    }
    SIM_CHECK(run, sums.used == table->used_count);
    SIM_CHECK(run, sums.open == table->open_count);
    SIM_CHECK(run, sums.open <= run->sessions_max);
    if (run->with_logic) { /* it is told later */
        SIM_CHECK(run, run->opened <= table->counters.accepted && run->ended <= run->opened);
    } else {
        sim_check_opened(run);
        SIM_CHECK(run, run->opened - run->ended == sums.open - sums.awaited);
    }
    SIM_CHECK(run, in_flight == sums.requests);
    SIM_CHECK(run, in_use >= sums.own_blocks);
    SIM_CHECK(run, in_use <= sums.own_blocks + sums.shared_blocks);
    check_pool(run, &table->sendq_pool, &sums);
}

static bool happened(const sim_run *run, rs_sim_fault fault) {
    return rs_sim_fault_count(run->world, fault) > 0;
}

/* Could this be? A reason that nothing in this world can have caused is a mistake. */
void sim_check_reason(sim_run *run, rs_close_reason reason) {
    switch (reason) {
    case RS_CLOSE_LOCAL:
        SIM_CHECK(run, run->has_dismissals);
        break;
    case RS_CLOSE_SHUTDOWN:
        SIM_CHECK(run, run->stopping || (run->draining && run->drain_ms < SIM_DRAIN_LONG_MS));
        break;
    case RS_CLOSE_PROTOCOL:
        SIM_CHECK(run, !run->server.app.raw);
        break;
    case RS_CLOSE_IDLE:
        SIM_CHECK(run, run->server.idle_timeout_ms != 0);
        break;
    case RS_CLOSE_HANDSHAKE:
        SIM_CHECK(run, run->server.handshake_ms != 0);
        break;
    case RS_CLOSE_RATE:
        SIM_CHECK(run, run->server.rate_max != 0);
        break;
    case RS_CLOSE_SLOW_CONSUMER:
        SIM_CHECK(run, run->server.queued_bytes_max < SIM_PLAN_BYTES);
        SIM_CHECK(run, !run->server.pause_slow || run->linked > 0);
        break;
    case RS_CLOSE_TRUNCATED_SEND:
        SIM_CHECK(run, happened(run, RS_SIM_SHORT_SEND));
        break;
    case RS_CLOSE_ERROR:
        SIM_CHECK(run, happened(run, RS_SIM_REFUSED_SUBMIT));
        break;
    case RS_CLOSE_NO_BUFFERS:
        /* Ours never, unless somebody who did not read was in the way. */
        SIM_CHECK(run, happened(run, RS_SIM_NO_BUFFERS_RECV) ||
                           happened(run, RS_SIM_NO_BUFFERS_SEND) || run->has_greedy);
        break;
    default:
        SIM_CHECK(run, reason == RS_CLOSE_PEER || reason == RS_CLOSE_RESET);
    }
}

void sim_check_end(sim_run *run) {
    const rs_sessions *table = rs_shard_sessions(run->shard);
    const rs_slab *blocks = rs_shard_blocks(run->shard);
    uint64_t closed = 0;
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        closed += table->counters.closed[i];
    }
    SIM_CHECK(run, rs_shard_outstanding(run->shard) == 0);
    SIM_CHECK(run, table->used_count == 0 && table->open_count == 0);
    SIM_CHECK(run, blocks->free_count == blocks->count);
    SIM_CHECK(run, table->sendq_pool.spoken_for == 0 && table->sendq_pool.shared_live == 0);
    SIM_CHECK(run, table->sendq_pool.above_first == NULL);
    SIM_CHECK(run, table->timers.armed_count == 0);
    SIM_CHECK(run, closed == table->counters.accepted);
    SIM_CHECK(run, run->with_logic || run->opened == run->ended);
    SIM_CHECK(run, rs_sim_in_flight(run->server_backend) == 0);
    SIM_CHECK(run, rs_sim_in_flight(run->backend) == 0);
    SIM_CHECK(run, rs_sim_violations(run->world) == 0);
}
