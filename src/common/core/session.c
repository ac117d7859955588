/* SPDX-License-Identifier: MIT */
/* The session state machine. Handlers only change state and mark the session touched; ops are
 * made in one place, session_collect, once per batch. */
#include "core/session.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"
#include "core/frame.h"
#include "core/proxy_header.h"

#define SESSION_NONE UINT32_MAX

/* ---- whose thread */

#if defined(_WIN32)
/* MinGW's thread-local variables are a call and a search: handle.c asks the thread's block. */
static inline void thread_owns(const rs_sessions *table) {
    (void)table;
}
static inline bool thread_has(const rs_session *session) {
    (void)session;
    return false;
}
#else
static RS_THREAD_LOCAL const rs_session_ops *thread_ops; /* of the last table made on this thread */

static inline void thread_owns(const rs_sessions *table) {
    thread_ops = &table->ops;
}
static inline bool thread_has(const rs_session *session) {
    return session->ops == thread_ops;
}
#endif

/* ---- table */

static void sessions_free_push(rs_sessions *table, uint32_t index) {
    RS_ASSERT(index < table->cfg.slot_count);
    RS_ASSERT((table->free_head == SESSION_NONE) == (table->free_tail == SESSION_NONE));
    RS_ASSERT(table->sessions[index].state == RS_SESSION_FREE);
    table->free_next[index] = SESSION_NONE;
    if (table->free_tail == SESSION_NONE) {
        table->free_head = index;
    } else {
        table->free_next[table->free_tail] = index;
    }
    table->free_tail = index;
}

static uint32_t sessions_free_pop(rs_sessions *table) {
    uint32_t index = table->free_head;
    RS_ASSERT(table->free_tail != SESSION_NONE);
    RS_ASSERT(index != SESSION_NONE);
    RS_ASSERT(index < table->cfg.slot_count);
    table->free_head = table->free_next[index];
    if (table->free_head == SESSION_NONE) {
        table->free_tail = SESSION_NONE;
    }
    return index;
}

static void sessions_slot_init(rs_sessions *table, uint32_t index) {
    rs_slot *session;
    RS_ASSERT(index < table->cfg.slot_count);
    session = &table->sessions[index];
    RS_ASSERT(table->ops.send != NULL);
    memset(session, 0, sizeof *session);
    session->handle = (rs_session){.ops = &table->ops, .index = index, .generation = 1};
    rs_sendq_init(&session->sendq);
    if (table->links != NULL) {
        table->links[index] = (rs_slot_link){.sink = index, .source = index};
    }
    sessions_free_push(table, index);
}

static uint32_t answer_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    RS_ASSERT(block_bytes > 0);
    RS_ASSERT(cfg->recv_bytes <= UINT32_MAX - block_bytes);
    return (cfg->recv_bytes + block_bytes - 1u) / block_bytes;
}

uint32_t rs_sessions_reserve_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    uint32_t behind_one = 1u + answer_blocks(cfg, block_bytes);
    RS_ASSERT(cfg->sends_in_flight > 0);
    RS_ASSERT(cfg->sends_in_flight <= RS_SENDS_IN_FLIGHT_MAX);
    if (cfg->blocks_handed > 0) {
        return cfg->sends_in_flight + answer_blocks(cfg, block_bytes);
    }
    return behind_one > cfg->sends_in_flight ? behind_one : cfg->sends_in_flight;
}

uint64_t rs_sessions_blocks(const rs_sessions_config *cfg, uint32_t block_bytes) {
    RS_ASSERT(cfg->slot_count > 0);
    RS_ASSERT(cfg->shared_blocks > 0);
    return (uint64_t)cfg->slot_count * rs_sessions_reserve_blocks(cfg, block_bytes) +
           cfg->blocks_handed + cfg->shared_blocks;
}

static void session_arm(rs_slot *session);
static void session_count(void *ctx, rs_session *handle, const uint8_t *data, uint32_t bytes);
static bool sessions_reclaim(void *ctx, const rs_sendq *asker);
static rs_session_ops session_ops(const rs_sessions_config *cfg);

/* The limit up to which the replies to a whole slice find their blocks and room in the queue. */
static void sessions_easy_init(rs_sessions *table, uint32_t blocks, bool coalesce) {
    uint32_t limit = table->sendq_pool.queued_bytes_max;
    uint32_t recv_bytes = table->cfg.recv_bytes;
    uint32_t room = limit > recv_bytes ? limit - recv_bytes : 0;
    uint32_t with_room = room / table->sendq_pool.blocks->block_bytes;
    RS_ASSERT(blocks > 0);
    RS_ASSERT(table->answer_blocks > 0);
    table->easy = blocks < with_room ? blocks : with_room;
    /* Without coalescing, small replies take the blocks of longer ones behind them, unless
     * promised. */
    table->careful = (!coalesce && table->answer_blocks > 1u) || recv_bytes > limit;
}

static void sessions_pool_init(rs_sessions *table, const rs_sessions_memory *memory) {
    uint32_t block_bytes = memory->blocks->block_bytes;
    rs_sendq_config cfg = {
        .blocks = memory->blocks,
        .entries = memory->entries,
        .entry_count = memory->entry_count,
        .members = table->cfg.slot_count,
        .queued_bytes_max = memory->queued_bytes_max,
        .reserve = rs_sessions_reserve_blocks(&table->cfg, block_bytes),
        .shared_max = table->cfg.shared_blocks,
        .coalesce = memory->coalesce,
        .reclaim = sessions_reclaim,
        .reclaim_ctx = table,
    };
    RS_ASSERT(memory->entries != NULL);
    RS_ASSERT(cfg.reserve > 0);
    rs_sendq_pool_init(&table->sendq_pool, &cfg);
    table->answer_blocks = answer_blocks(&table->cfg, block_bytes);
    RS_ASSERT(table->answer_blocks < cfg.reserve);
    sessions_easy_init(table, cfg.reserve - table->answer_blocks, memory->coalesce);
}

void rs_sessions_init(rs_sessions *table, const rs_sessions_config *cfg, const rs_app *app,
                      const rs_sessions_memory *memory, uint64_t now_ns) {
    RS_ASSERT(cfg->slot_count >= cfg->sessions_max);
    RS_ASSERT(cfg->slot_count <= RS_SESSIONS_MAX);
    RS_ASSERT(cfg->recv_bytes >= cfg->frame_bytes_max);
    RS_ASSERT(cfg->frame_bytes_max >= RS_FRAME_HEADER_BYTES);
    RS_ASSERT(cfg->frame_bytes_max <= RS_FRAME_BYTES_MAX);
    RS_ASSERT(cfg->sends_in_flight >= 1);
    RS_ASSERT(cfg->sends_in_flight <= RS_SENDS_IN_FLIGHT_MAX);
    RS_ASSERT(!cfg->proxy || cfg->recv_bytes >= RS_PROXY_V1_BYTES_MAX);
    RS_ASSERT(memory->sessions != NULL);
    RS_ASSERT(memory->cold != NULL);
    RS_ASSERT((memory->low_marks != NULL) == (app->on_low != NULL));
    RS_ASSERT((memory->links != NULL) == cfg->pause_slow);
    RS_ASSERT((memory->tickets != NULL) == (cfg->left != NULL));
    RS_ASSERT((memory->recv_base == NULL) != (memory->recv_scattered == NULL));
    RS_ASSERT(cfg->recvs >= 1);
    RS_ASSERT(cfg->recvs <= RS_RECVS_IN_FLIGHT_MAX);
    RS_ASSERT((memory->slices != NULL) == (cfg->recvs > 1));
    RS_ASSERT(cfg->sessions_max > 0);
    RS_ASSERT(app->on_message != NULL);
    RS_ASSERT(memory->blocks->count >= rs_sessions_blocks(cfg, memory->blocks->block_bytes));
    RS_ASSERT(memory->entries != NULL);
    memset(table, 0, sizeof *table);
    table->cfg = *cfg;
    table->app = *app;
    table->sessions = memory->sessions;
    table->cold = memory->cold;
    table->free_next = memory->free_next;
    table->open = memory->open;
    table->low_marks = memory->low_marks;
    table->tickets = memory->tickets;
    table->links = memory->links;
    table->slices = memory->slices;
    RS_ASSERT((memory->rates != NULL) == (cfg->rate_max != 0));
    if (cfg->rate_max != 0) {
        table->rates = memory->rates;
        table->counted = app->on_message;
        table->app.on_message = session_count;
    }
    table->free_head = table->free_tail = SESSION_NONE;
    table->touched = table->touched_end = memory->touched;
    if (app->framer == rs_framer_u16) {
        table->app.framer = NULL;
    }
    table->frame_lengths =
        app->raw || table->app.framer != NULL ? 0 : rs_frame_lengths(cfg->frame_bytes_max);
    table->recv_base = memory->recv_base;
    table->recv_scattered = memory->recv_scattered;
    table->region = memory->region;
    table->ops = session_ops(cfg);
    thread_owns(table);
    table->now_ns = now_ns;
    table->now_ms = now_ns / 1000000u;
    rs_timers_init(&table->timers, memory->timer_nodes, cfg->slot_count, table->now_ms);
    sessions_pool_init(table, memory);
    rs_histogram_init(&table->send_ns);
    for (uint32_t i = 0; i < cfg->slot_count; i++) {
        sessions_slot_init(table, i);
    }
}

/* Two with little time between are one: what waited for the first is not all read yet. */
RS_COLD static void sessions_were_away(rs_sessions *table, uint64_t now_ns) {
    RS_ASSERT(now_ns > table->now_ns);
    RS_ASSERT(table->away_ns <= table->back_ns);
    if (table->now_ns - table->back_ns >= RS_AWAY_NS) {
        table->away_ns = table->now_ns;
    }
    table->back_ns = now_ns;
}

void rs_sessions_set_time(rs_sessions *table, uint64_t now_ns) {
    RS_ASSERT(table->back_ns <= table->now_ns);
    RS_DEBUG_ASSERT(table->expired_ms <= table->now_ms);
    if (now_ns > table->now_ns) {
        if (now_ns - table->now_ns >= RS_AWAY_NS) {
            sessions_were_away(table, now_ns);
        }
        table->now_ns = now_ns;
        table->now_ms = now_ns / 1000000u;
    }
}

/* Bytes are counted once a message, at its session; sends by the histogram of their times. */
void rs_sessions_add_counters(const rs_sessions *table, rs_counters *into) {
    uint32_t used = 0;
    RS_ASSERT(into != &table->counters);
    RS_ASSERT(table->open_count <= table->used_count);
    rs_counters_add(into, &table->counters);
    into->send_ops += table->send_ns.count + table->send_run_count;
    for (uint32_t i = 0; i < table->cfg.slot_count && used < table->used_count; i++) {
        const rs_slot *session = &table->sessions[i];
        used += session->state != RS_SESSION_FREE ? 1u : 0u;
        into->bytes_in += session->bytes_in;
        into->bytes_out += session->bytes_out;
    }
}

uint64_t rs_sessions_queued_bytes(const rs_sessions *table) {
    uint64_t bytes = 0;
    RS_ASSERT(table->used_count <= table->cfg.slot_count);
    RS_ASSERT(table->sessions != NULL);
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        bytes += rs_sendq_bytes(&table->sendq_pool, &table->sessions[i].sendq);
    }
    return bytes;
}

bool rs_sessions_reserve(rs_sessions *table, uint32_t *conn, uint32_t *generation) {
    RS_ASSERT(table->open_count <= table->used_count);
    if (table->open_count >= table->cfg.sessions_max || table->free_head == SESSION_NONE ||
        !rs_sendq_join(&table->sendq_pool, &table->sessions[table->free_head].sendq)) {
        return false;
    }
    *conn = sessions_free_pop(table);
    RS_ASSERT(table->sessions[*conn].state == RS_SESSION_FREE);
    *generation = table->sessions[*conn].handle.generation;
    table->used_count++;
    RS_ASSERT(table->used_count <= table->cfg.slot_count);
    RS_ASSERT(*generation != 0);
    return true;
}

/* It has not ended: patience is for these. */
static bool session_is_live(const rs_slot *session) {
    RS_ASSERT(session->state <= RS_SESSION_CLOSING);
    return rs_session_takes(session) || session->state == RS_SESSION_PROXY;
}

/* Who does not read may be waited for as long as he likes: he reads ahead within his reserve. */
static bool sessions_wait(const rs_sessions *table) {
    RS_DEBUG_ASSERT((table->links != NULL) == table->cfg.pause_slow);
    return table->app.raw || table->links != NULL;
}

/* Must each RECV check blocks and room for its replies? */
static bool session_needs_care(const rs_slot *session) {
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(session->sendq.promised <= session->sendq.due);
    return sessions_wait(rs_slot_table(session)) || rs_slot_table(session)->careful ||
           session->low != 0 || rs_slot_cold_of(session)->handed > 0 ||
           session->sendq.promised > 0 || session->sendq.shared > 0 ||
           session->sendq.owned > rs_slot_table(session)->easy;
}

static void session_set_careful(rs_slot *session) {
    session->careful = rs_slot_table(session)->slices != NULL || session_needs_care(session);
}

/* NULL: it has only one. */
static rs_slot_slices *session_slices(const rs_slot *session) {
    rs_slot_slices *slices = rs_slot_table(session)->slices;
    RS_ASSERT((slices != NULL) == (rs_slot_table(session)->cfg.recvs > 1));
    RS_ASSERT(session->handle.index < rs_slot_table(session)->cfg.slot_count);
    return slices != NULL ? &slices[session->handle.index] : NULL;
}

/* The kernel does not have the slice that recv_at is in. */
static bool session_has_slice(const rs_slot *session) {
    const rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(session->recv_in_flight <= rs_slot_table(session)->cfg.recvs);
    return slices != NULL ? slices->holds != RS_SLICE_NONE : session->recv_in_flight == 0;
}

static inline void session_touch(rs_slot *session) {
    if (session->touched == 0) {
        session->touched = 1;
        *rs_slot_table(session)->touched_end++ = session;
        RS_DEBUG_ASSERT(rs_slot_table(session)->touched_end - rs_slot_table(session)->touched <=
                        2 * (ptrdiff_t)rs_slot_table(session)->cfg.slot_count);
    }
}

static uint8_t *session_slice(const rs_slot *session, uint32_t which) {
    const rs_sessions *table = rs_slot_table(session);
    const size_t at = (size_t)session->handle.index * table->cfg.recvs + which;
    RS_ASSERT(session->handle.index < table->cfg.slot_count);
    RS_ASSERT(which < table->cfg.recvs);
    return table->recv_base != NULL ? table->recv_base + at * table->cfg.recv_bytes
                                    : table->recv_scattered[at];
}

/* To the beginning of its slice. */
static void session_rewind(rs_slot *session) {
    const rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(session_has_slice(session));
    session->recv_at = session_slice(session, slices != NULL ? slices->holds : 0);
    session->recv_room = rs_slot_table(session)->cfg.recv_bytes;
    RS_ASSERT(session->recv_at != NULL);
}

static void slices_free(rs_slot_slices *slices, uint32_t which) {
    RS_ASSERT(which < RS_RECVS_IN_FLIGHT_MAX);
    RS_ASSERT(slices->free_count < RS_RECVS_IN_FLIGHT_MAX);
    slices->free[slices->free_count++] = (uint8_t)which;
}

/* Nothing is in its slice. */
static void session_empty_slice(rs_slot *session) {
    rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(session_has_slice(session));
    session->held = 0;
    if (slices == NULL) {
        session_rewind(session);
        return;
    }
    slices_free(slices, slices->holds);
    slices->holds = RS_SLICE_NONE;
    session->recv_room = 0;
}

/* Nothing is in any of its slices. */
static void session_empty_slices(rs_slot *session) {
    const uint32_t recvs = rs_slot_table(session)->cfg.recvs;
    rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(session->recv_in_flight == 0);
    if (slices == NULL) {
        session_empty_slice(session);
        return;
    }
    session->held = session->recv_room = 0;
    *slices = (rs_slot_slices){.holds = RS_SLICE_NONE};
    for (uint32_t i = 0; i < recvs; i++) {
        slices_free(slices, recvs - 1u - i);
    }
    RS_ASSERT(slices->free_count == recvs);
}

/* Those that a broadcast visits, if they take sends. */
static void sessions_list_open(rs_sessions *table, uint32_t index) {
    RS_ASSERT(table->open_count < table->cfg.slot_count);
    RS_ASSERT(index < table->cfg.slot_count);
    RS_ASSERT(session_is_live(&table->sessions[index]));
    table->free_next[index] = table->open_count;
    table->open[table->open_count++] = index;
}

void rs_sessions_give_ticket(rs_sessions *table, uint32_t conn, uint32_t ticket) {
    RS_ASSERT(conn < table->cfg.slot_count);
    RS_ASSERT(table->sessions[conn].state == RS_SESSION_FREE);
    RS_ASSERT(table->tickets[conn] == 0);
    table->tickets[conn] = ticket;
}

RS_COLD static void sessions_return_ticket(rs_sessions *table, uint32_t index) {
    uint32_t ticket;
    RS_ASSERT(index < table->cfg.slot_count);
    RS_ASSERT(table->cfg.left != NULL);
    ticket = table->tickets[index];
    table->tickets[index] = 0;
    if (ticket != 0) {
        table->cfg.left(table->cfg.left_ctx, ticket);
    }
}

static void sessions_unlist_open(rs_sessions *table, uint32_t index) {
    uint32_t at = table->free_next[index];
    uint32_t last;
    RS_ASSERT(table->open_count > 0);
    RS_ASSERT(at < table->open_count);
    RS_ASSERT(table->open[at] == index);
    last = table->open[--table->open_count];
    RS_ASSERT(last < table->cfg.slot_count);
    table->open[at] = last;
    table->free_next[last] = at;
    if (table->tickets != NULL) {
        sessions_return_ticket(table, index);
    }
}

static rs_slot *sessions_begin(rs_sessions *table, uint32_t conn, const rs_ends *ends,
                               rs_session_state state) {
    rs_slot *session;
    RS_ASSERT(table->used_count > table->open_count);
    RS_ASSERT(conn < table->cfg.slot_count);
    session = &table->sessions[conn];
    RS_ASSERT(session->handle.index == conn);
    RS_ASSERT(session->state == RS_SESSION_FREE);
    RS_ASSERT(rs_sendq_is_empty(&session->sendq));
    session->state = (uint8_t)state;
    session_empty_slices(session);
    session->abort = session->peer_ended = false;
    session->abort_posted = false;
    session->handle.user = 0;
    session->holds = 0;
    table->cold[conn] = (rs_slot_cold){.opened_ms = table->now_ms};
    if (ends != NULL) {
        table->cold[conn].ends = *ends;
    }
    session->pause = session->low = 0;
    session->last_frame_ms = table->now_ms | (table->cfg.handshake_ms != 0 ? RS_AWAITED : 0);
    if (table->rates != NULL) {
        table->rates[conn] = (rs_slot_rate){.start_ms = table->now_ms};
    }
    sessions_list_open(table, conn);
    if (table->cfg.idle_timeout_ms != 0 || table->cfg.handshake_ms != 0) {
        session_arm(session);
    }
    session_touch(session);
    return session;
}

static void session_opened(rs_slot *session, uint64_t user) {
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    RS_ASSERT(rs_sendq_is_empty(&session->sendq));
    session->handle.user = user;
    session_set_careful(session);
    if (table->app.on_open != NULL) {
        table->app.on_open(table->app.ctx, &session->handle);
    }
}

void rs_sessions_open(rs_sessions *table, uint32_t conn, const rs_ends *ends) {
    table->counters.accepted++;
    if (table->cfg.proxy) {
        (void)sessions_begin(table, conn, ends, RS_SESSION_PROXY);
    } else {
        session_opened(sessions_begin(table, conn, ends, RS_SESSION_OPEN), 0);
    }
}

void rs_sessions_open_out(rs_sessions *table, uint32_t conn, const rs_ends *ends, uint64_t user) {
    session_opened(sessions_begin(table, conn, ends, RS_SESSION_OPEN), user);
}

void rs_sessions_abandon(rs_sessions *table, uint32_t conn) {
    rs_slot *session;
    RS_ASSERT(conn < table->cfg.slot_count && table->used_count > table->open_count);
    session = &table->sessions[conn];
    RS_ASSERT(session->state == RS_SESSION_FREE && !session->recv_in_flight);
    rs_sendq_leave(&table->sendq_pool, &session->sendq);
    session->abort = session->abort_posted = true;
    session->state = RS_SESSION_CLOSING;
    rs_timers_arm(&table->timers, conn, table->now_ms + RS_CLOSE_STRAGGLER_MS);
}

void rs_sessions_unreserve(rs_sessions *table, uint32_t conn) {
    RS_ASSERT(conn < table->cfg.slot_count);
    RS_ASSERT(table->used_count > 0);
    RS_ASSERT(table->sessions[conn].state == RS_SESSION_FREE);
    RS_ASSERT(rs_sendq_is_empty(&table->sessions[conn].sendq));
    rs_sendq_leave(&table->sendq_pool, &table->sessions[conn].sendq);
    table->used_count--;
    sessions_free_push(table, conn);
    RS_ASSERT(table->used_count >= table->open_count);
}

/* Its patience begins again; whether its first frame is awaited stays as it is. */
static void session_restart(rs_slot *session) {
    RS_ASSERT(rs_slot_table(session)->now_ms < RS_AWAITED);
    session->last_frame_ms = rs_slot_table(session)->now_ms | (session->last_frame_ms & RS_AWAITED);
}

/* ---- ending */

static bool reason_flushes(rs_close_reason reason) {
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    return reason == RS_CLOSE_PEER || reason == RS_CLOSE_LOCAL || reason == RS_CLOSE_SHUTDOWN ||
           reason == RS_CLOSE_PROTOCOL || reason == RS_CLOSE_IDLE || reason == RS_CLOSE_HANDSHAKE ||
           reason == RS_CLOSE_RATE;
}

/* Our side ended first and the peer may still be sending: wait for its FIN before the close. Not
 * for a peer that broke the protocol or fell silent. */
static bool reason_lingers(rs_close_reason reason) {
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    return reason == RS_CLOSE_LOCAL || reason == RS_CLOSE_SHUTDOWN;
}

/* An orderly close, by the peer or by the server, deferred while replies are owed. */
static bool reason_waits(rs_close_reason reason) {
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    return reason == RS_CLOSE_PEER || reason == RS_CLOSE_SHUTDOWN;
}

/* ---- who is read from while whose queue has room */

static rs_slot *session_sink(const rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    uint32_t index = session->handle.index;
    RS_DEBUG_ASSERT(index < table->cfg.slot_count);
    RS_DEBUG_ASSERT(table->links == NULL || table->links[index].sink < table->cfg.slot_count);
    return &table->sessions[table->links != NULL ? table->links[index].sink : index];
}

/* Its queue has more room, or it is nobody's sink any more. */
static void session_wake_source(const rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    rs_slot *source;
    RS_ASSERT(table->links != NULL);
    RS_ASSERT(table->links[session->handle.index].source < table->cfg.slot_count);
    source = &table->sessions[table->links[session->handle.index].source];
    if (source->state == RS_SESSION_PAUSED) {
        session_touch(source);
    }
}

/* If it has another source than itself, no longer, and the other way round. */
static void session_leave_source(const rs_slot *session) {
    rs_slot_link *links = rs_slot_table(session)->links;
    uint32_t index = session->handle.index;
    uint32_t source = links[index].source;
    RS_ASSERT(links[source].sink == index || source == index);
    RS_ASSERT(source < rs_slot_table(session)->cfg.slot_count);
    if (source != index) {
        links[source].sink = source;
        session_wake_source(session);
        links[index].source = index;
    }
}

static void session_leave_sink(const rs_slot *session) {
    const rs_slot *sink = session_sink(session);
    RS_ASSERT(rs_slot_table(session)->links != NULL);
    if (sink != session) {
        session_leave_source(sink);
    }
    RS_ASSERT(session_sink(session) == session);
}

RS_COLD static void session_defer_end(rs_slot *session, rs_close_reason reason) {
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(reason_waits(reason));
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(session->holds > 0);
    RS_ASSERT(session->sendq.member);
    session->reason = (uint8_t)reason;
    session->state = RS_SESSION_HELD;
    table->counters.held_ends++;
    rs_timers_arm(&table->timers, session->handle.index,
                  table->now_ms + table->cfg.drain_timeout_ms);
}

RS_COLD static void session_end_timers(rs_sessions *table, uint32_t index) {
    rs_timer timer;
    RS_ASSERT(table->app_timers != NULL && table->app_wheel != NULL);
    RS_ASSERT(index < table->cfg.slot_count);
    while ((timer = rs_timer_table_first(table->app_timers, index)) != 0) {
        const bool was_set = rs_timer_table_take(table->app_timers, timer, NULL, NULL);
        RS_ASSERT(was_set);
        rs_timer_wheel_cancel(table->app_wheel, timer);
    }
}

RS_COLD static void session_finish(rs_slot *session, rs_close_reason reason) {
    rs_sessions *table = rs_slot_table(session);
    const bool known = session->state != RS_SESSION_PROXY;
    RS_ASSERT(session_is_live(session) || session->state == RS_SESSION_CUT);
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    session->holds = 0;
    session->low = 0;
    session->reason = (uint8_t)reason;
    session->abort = !reason_flushes(reason);
    rs_sendq_leave(&table->sendq_pool, &session->sendq);
    session->state = RS_SESSION_DRAINING;
    sessions_unlist_open(table, session->handle.index);
    table->counters.closed[reason]++;
    if (session->abort) {
        rs_sendq_discard(&table->sendq_pool, &session->sendq);
    }
    rs_timers_arm(&table->timers, session->handle.index,
                  table->now_ms + table->cfg.drain_timeout_ms);
    session_touch(session);
    if (table->app_timers != NULL) {
        session_end_timers(table, session->handle.index);
    }
    if (table->links != NULL) {
        session_leave_source(session);
        session_leave_sink(session);
    }
    if (known && table->app.on_close != NULL) {
        table->app.on_close(table->app.ctx, &session->handle, reason);
    }
    RS_ASSERT(!session->sendq.member);
    RS_ASSERT(session->state == RS_SESSION_DRAINING);
}

RS_COLD static void session_end(rs_slot *session, rs_close_reason reason) {
    RS_ASSERT(session->state <= RS_SESSION_CLOSING);
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    if (session->state == RS_SESSION_PROXY || session->state == RS_SESSION_OPEN ||
        session->state == RS_SESSION_PAUSED) {
        if (session->holds > 0 && reason_waits(reason)) {
            session_defer_end(session, reason);
        } else {
            session_finish(session, reason);
        }
    } else if (session->state == RS_SESSION_HELD && !reason_waits(reason)) {
        /* The application's close only cuts the wait short: the deferred end came first. */
        session_finish(session,
                       reason == RS_CLOSE_LOCAL ? (rs_close_reason)session->reason : reason);
    }
}

/* A permanent failure: queued data can no longer be delivered. */
RS_COLD static void session_fail(rs_slot *session, rs_close_reason reason) {
    RS_ASSERT(session->state != RS_SESSION_FREE);
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    if (session_is_live(session)) {
        session_end(session, reason);
    } else if (session->state != RS_SESSION_CLOSING) {
        session->abort = true;
        rs_sendq_discard(&rs_slot_table(session)->sendq_pool, &session->sendq);
        session_touch(session);
    }
    /* CLOSING: the close under way cancels requests; that is no news. */
}

/* ---- cutting: a session above its reserve goes, so that others have theirs */

static rs_slot *session_of_queue(rs_sendq *queue) {
    uint8_t *at = (uint8_t *)queue - offsetof(rs_slot, sendq);
    RS_ASSERT(queue != NULL);
    return (rs_slot *)(void *)at;
}

/* Unsent blocks are free at once; blocks in flight, within its reserve, when they complete. */
RS_COLD static void session_cut(rs_slot *session, rs_close_reason reason) {
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(session->state > RS_SESSION_PROXY); /* else it has no block */
    RS_ASSERT(session->state != RS_SESSION_CUT);
    RS_ASSERT(reason < RS_CLOSE_REASONS);
    RS_ASSERT(!session->quarantined);
    if (rs_session_takes(session)) {
        session->state = RS_SESSION_CUT;
        session->reason = (uint8_t)reason;
        rs_sendq_leave(&table->sendq_pool, &session->sendq);
    } else {
        table->counters.escalated_closes += session->abort ? 0u : 1u;
        session->abort = true;
    }
    rs_sendq_discard(&table->sendq_pool, &session->sendq);
    RS_ASSERT(session->sendq.owned <= table->sendq_pool.reserve);
    session_touch(session);
}

/* The one above its reserve that has waited longest for a send to complete. */
static bool sessions_reclaim(void *ctx, const rs_sendq *asker) {
    rs_sessions *table = ctx;
    rs_sendq *queue = table->sendq_pool.above_first;
    if (queue != NULL && queue == asker) {
        queue = queue->above_next;
    }
    if (queue == NULL) {
        return false;
    }
    RS_ASSERT(queue != asker);
    RS_ASSERT(queue->owned > table->sendq_pool.reserve);
    session_cut(session_of_queue(queue), RS_CLOSE_NO_BUFFERS);
    return true;
}

/* The time of an absence says nothing about the peer, which may have been away too, or may have
 * read what we have not been told yet: all deadlines start again. */
static bool queue_is_stalled(const rs_sessions *table, const rs_sendq *queue) {
    uint64_t since_ns = rs_sendq_oldest_ns(queue);
    RS_ASSERT(table->back_ns <= table->now_ns);
    since_ns = since_ns > table->back_ns ? since_ns : table->back_ns;
    return since_ns < table->now_ns && table->now_ns - since_ns >= RS_STALLED_NS;
}

/* For a caller that can wait: closes only a session whose peer does not read. */
RS_COLD static bool sessions_reclaim_stalled(rs_sessions *table, const rs_sendq *asker) {
    const rs_sendq *first = table->sendq_pool.above_first;
    RS_ASSERT(first == NULL || first->owned > table->sendq_pool.reserve);
    return first != NULL && first != asker && queue_is_stalled(table, first) &&
           sessions_reclaim(table, asker);
}

/* Shared blocks are in no list. The search visits all slots, at most once a millisecond. */
RS_COLD static void sessions_reclaim_shared(rs_sessions *table) {
    rs_slot *oldest = NULL;
    uint64_t oldest_ns = UINT64_MAX;
    RS_ASSERT(table->searched_ms <= table->now_ms);
    if (table->searched_ms == table->now_ms || sessions_reclaim_stalled(table, NULL)) {
        return;
    }
    table->searched_ms = table->now_ms;
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        rs_slot *session = &table->sessions[i];
        uint64_t posted_ns = rs_sendq_oldest_ns(&session->sendq);
        if (session->sendq.shared > 0 && !session->abort && session->state != RS_SESSION_CUT &&
            queue_is_stalled(table, &session->sendq) && posted_ns < oldest_ns) {
            oldest = session;
            oldest_ns = posted_ns;
        }
    }
    if (oldest != NULL) {
        session_cut(oldest, RS_CLOSE_NO_BUFFERS);
    }
}

static rs_close_reason reason_of(rs_status status) {
    RS_ASSERT(status != RS_OK);
    switch (status) {
    case RS_E_RESET:
    case RS_E_ABORTED:
    case RS_E_TIMED_OUT:
        return RS_CLOSE_RESET;
    case RS_E_NO_BUFFERS:
    case RS_E_NO_MEMORY:
        return RS_CLOSE_NO_BUFFERS;
    default:
        return RS_CLOSE_ERROR;
    }
}

RS_COLD static void session_free(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(table->used_count > 0);
    RS_ASSERT(!session->sendq.member);
    RS_ASSERT(session->sendq.unsent_bytes == 0);
    RS_ASSERT(session->state == RS_SESSION_CLOSING);
    RS_ASSERT(!session->recv_in_flight);
    RS_ASSERT(session->sendq.in_flight == 0);
    RS_ASSERT(session->holds == 0);
    RS_ASSERT(!session->quarantined || table->quarantined > 0);
    rs_sendq_discard(&table->sendq_pool, &session->sendq);
    rs_timers_cancel(&table->timers, session->handle.index);
    table->counters.bytes_in += session->bytes_in;
    table->counters.bytes_out += session->bytes_out;
    session->bytes_in = session->bytes_out = 0;
    table->quarantined -= session->quarantined ? 1u : 0u;
    session->quarantined = false;
    session->state = RS_SESSION_FREE;
    session->handle.generation++;
    if (session->handle.generation == 0) {
        session->handle.generation = 1; /* so that no session id is ever 0 */
    }
    table->used_count--;
    sessions_free_push(table, session->handle.index);
}

/* ---- receiving */

/* Makes room for the rest of a partial frame of `need` bytes. Moved only if necessary: a frame that
 * still fits behind its beginning is received in place. */
static void session_make_room(rs_slot *session, uint32_t need) {
    rs_sessions *table = rs_slot_table(session);
    uint32_t held = session->held;
    RS_ASSERT(held < need);
    RS_ASSERT(need <= table->cfg.recv_bytes);
    if (need - held > session->recv_room) {
        const uint8_t *from = session->recv_at - held;
        session_rewind(session);
        memmove(session->recv_at, from, held);
        table->counters.moved_bytes += held;
        session->recv_at += held;
        session->recv_room -= held;
    }
    RS_ASSERT(session->recv_room >= need - held);
}

/* As the application's framer says; whatever it does, a frame is within the bytes held. A frame of
 * unknown length gets the room of the longest, so that it is moved once. */
RS_COLD static void session_frame(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    const uint32_t bytes_max = table->cfg.frame_bytes_max;
    RS_ASSERT(session_has_slice(session));
    RS_ASSERT(session->held > 0);
    do {
        const uint8_t *data = session->recv_at - session->held;
        const uint32_t bytes = table->app.framer(data, session->held, bytes_max);
        const uint32_t need = bytes != RS_FRAMER_MORE ? bytes : bytes_max;
        if (need > bytes_max || (bytes == RS_FRAMER_MORE && session->held >= bytes_max)) {
            session_end(session, RS_CLOSE_PROTOCOL);
            return;
        }
        if (bytes == RS_FRAMER_MORE || bytes > session->held) {
            session_make_room(session, need);
            return;
        }
        session->held -= bytes;
        session->last_frame_ms = table->now_ms;
        table->counters.messages_in++;
        table->app.on_message(table->app.ctx, &session->handle, data, bytes);
    } while (session->held > 0 && session->state == RS_SESSION_OPEN);
    if (session->held == 0) {
        session_empty_slice(session);
    }
}

/* No whole frame: a partial one, an invalid one, or raw bytes; or the framer must be asked. */
static void session_parse_rest(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    const uint8_t *data = session->recv_at - session->held;
    uint32_t bytes = session->held;
    uint32_t frame_bytes = 0;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    RS_ASSERT(session->held <= table->cfg.recv_bytes);
    if (table->app.raw) {
        session_empty_slice(session);
        session->last_frame_ms = table->now_ms;
        table->counters.messages_in++;
        table->app.on_message(table->app.ctx, &session->handle, data, bytes);
    } else if (table->app.framer != NULL) {
        session_frame(session);
    } else if (rs_frame_parse(data, bytes, table->cfg.frame_bytes_max, &frame_bytes) ==
               RS_E_AGAIN) {
        session_make_room(session, frame_bytes != 0 ? frame_bytes : RS_FRAME_HEADER_BYTES);
    } else {
        session_end(session, RS_CLOSE_PROTOCOL);
    }
}

/* `bytes` have been received behind those held, and `left` of them all are held now. */
static void session_keep(rs_slot *session, uint32_t bytes, uint32_t left) {
    RS_ASSERT(bytes <= session->recv_room);
    RS_ASSERT(left <= session->held + bytes);
    RS_ASSERT(session_has_slice(session));
    session->recv_at += bytes;
    session->recv_room -= bytes;
    session->held = left;
}

/* What is behind the last whole frame. */
RS_COLD static void session_parsed(rs_slot *session, uint32_t bytes, uint32_t left) {
    RS_ASSERT(session_has_slice(session));
    session_keep(session, bytes, left);
    if (left == 0) {
        session_empty_slice(session);
    } else if (session->state == RS_SESSION_OPEN) {
        session_parse_rest(session);
    }
}

/* Delivers the whole frames. Returns how many bytes are left behind them. */
static inline uint32_t session_dispatch(rs_sessions *table, rs_slot *session, const uint8_t *data,
                                        uint32_t left) {
    uint32_t frame_bytes;
    RS_DEBUG_ASSERT(session->state == RS_SESSION_OPEN);
    while (rs_frame_is_whole(data, left, table->frame_lengths, &frame_bytes)) {
        RS_DEBUG_ASSERT(frame_bytes <= left);
        const uint8_t *frame = data;
        data += frame_bytes;
        left -= frame_bytes;
        session->last_frame_ms = table->now_ms;
        table->counters.messages_in++;
        table->app.on_message(table->app.ctx, &session->handle, frame, frame_bytes);
        if (left == 0 || session->state != RS_SESSION_OPEN) {
            break;
        }
    }
    return left;
}

RS_COLD static void session_parse_behind(rs_slot *session, uint32_t bytes) {
    uint32_t left = session->held + bytes;
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    RS_ASSERT(left > 0);
    RS_ASSERT(bytes <= session->recv_room);
    left =
        session_dispatch(rs_slot_table(session), session, session->recv_at - session->held, left);
    session_parsed(session, bytes, left);
}

/* What is behind the header waits as during a pause: it is delivered with the ops of this turn,
 * once what on_open has sent leaves room for the replies. */
RS_COLD static void session_read_proxy(rs_slot *session, uint32_t bytes) {
    rs_sessions *table = rs_slot_table(session);
    rs_slot_cold *cold = rs_slot_cold_of(session);
    rs_proxy_header header;
    rs_status status;
    session_keep(session, bytes, session->held + bytes);
    status = rs_proxy_header_parse(session->recv_at - session->held, session->held,
                                   table->cfg.recv_bytes, &header);
    if (status == RS_E_AGAIN) {
        RS_ASSERT(session->recv_room > 0);
        return;
    }
    if (status != RS_OK) {
        session_end(session, RS_CLOSE_PROTOCOL);
        return;
    }
    session->held -= header.bytes;
    session->bytes_in -= header.bytes;
    if (session->held == 0) {
        session_empty_slice(session);
    }
    session_restart(session);
    cold->opened_ms = table->now_ms;
    cold->ends = header.given ? header.ends : cold->ends;
    session->state = RS_SESSION_OPEN;
    session_opened(session, 0);
    if (session->held > 0 && session->state == RS_SESSION_OPEN) {
        session->state = RS_SESSION_PAUSED;
    }
}

/* ---- several receives */

static bool session_book_receive(rs_slot *session);
static void session_wait_for_queue(rs_slot *session);

/* What is missing to the frame whose beginning is held, or the room there is where that is not
 * known: to a PROXY header, and where a framer says. */
static uint32_t session_missing(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    uint32_t need = 0;
    RS_ASSERT(session->held > 0);
    RS_ASSERT(session->recv_room > 0);
    if (session->state == RS_SESSION_PROXY) {
        return session->recv_room;
    }
    if (table->app.framer != NULL) {
        need = table->cfg.frame_bytes_max - session->held;
        return need < session->recv_room ? need : session->recv_room;
    }
    (void)rs_frame_parse(session->recv_at - session->held, session->held,
                         table->cfg.frame_bytes_max, &need);
    need = need != 0 ? need : RS_FRAME_HEADER_BYTES;
    RS_ASSERT(need > session->held);
    RS_ASSERT(need - session->held <= session->recv_room);
    return need - session->held;
}

/* How many bytes are read next: the whole of the oldest slice that waits, or of its bytes those
 * that the frame lacks. */
static uint32_t session_next_bytes(const rs_slot *session) {
    const rs_slot_slices *slices = session_slices(session);
    uint32_t bytes, missing;
    RS_ASSERT(slices->wait_count > 0);
    RS_ASSERT(slices->read < slices->bytes[slices->waits[slices->wait_head]]);
    bytes = slices->bytes[slices->waits[slices->wait_head]] - slices->read;
    if (session->held == 0) {
        return bytes;
    }
    missing = session_missing(session);
    return bytes < missing ? bytes : missing;
}

/* Brings them behind what is held: by a copy, or the slice itself if nothing is. Returns how many.
 */
static uint32_t session_bring(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    rs_slot_slices *slices = session_slices(session);
    const uint32_t bytes = session_next_bytes(session);
    const uint32_t which = slices->waits[slices->wait_head];
    uint8_t *from = session_slice(session, which) + slices->read;
    RS_ASSERT(bytes > 0);
    RS_ASSERT((session->held > 0) == (slices->holds != RS_SLICE_NONE));
    if (session->held > 0) {
        memcpy(session->recv_at, from, bytes);
        table->counters.moved_bytes += bytes;
        slices->read += bytes;
        if (slices->read < slices->bytes[which]) {
            return bytes;
        }
        slices_free(slices, which);
    } else {
        session->recv_at = from;
        session->recv_room = table->cfg.recv_bytes - slices->read;
        slices->holds = (uint8_t)which;
    }
    slices->read = 0;
    slices->wait_head = (uint8_t)((slices->wait_head + 1u) % RS_RECVS_IN_FLIGHT_MAX);
    slices->wait_count--;
    return bytes;
}

/* Reads what waits, as long as it may be answered. */
static void session_read(rs_slot *session) {
    rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(slices != NULL);
    while (slices->wait_count > 0 &&
           (session->state == RS_SESSION_OPEN || session->state == RS_SESSION_PROXY)) {
        if (session->state == RS_SESSION_PROXY) {
            session_read_proxy(session, session_bring(session));
        } else if (!session_needs_care(session) || session_book_receive(session)) {
            session_parse_behind(session, session_bring(session));
        } else {
            slices->frame_is_seen = true;
            session_wait_for_queue(session);
        }
    }
    RS_ASSERT(slices->wait_count + slices->free_count <= rs_slot_table(session)->cfg.recvs);
}

/* The end of the stream, a failure, or input that is discarded: its slice is free again. */
static void session_on_recv_nothing(rs_slot *session, const rs_completion *completion) {
    slices_free(session_slices(session), (uint32_t)completion->tag);
    RS_ASSERT(session->state != RS_SESSION_FREE);
    if (completion->status != RS_OK) {
        session->peer_ended = true;
        session_fail(session, reason_of((rs_status)completion->status));
    } else if (completion->bytes == 0) {
        session->peer_ended = true;
        if (session->state != RS_SESSION_PAUSED) {
            session_end(session, RS_CLOSE_PEER);
        }
    }
}

static void session_on_one_of_recvs(rs_slot *session, const rs_completion *completion) {
    rs_sessions *table = rs_slot_table(session);
    rs_slot_slices *slices = session_slices(session);
    const uint32_t which = (uint32_t)completion->tag;
    RS_ASSERT(which < table->cfg.recvs);
    RS_ASSERT(completion->bytes <= table->cfg.recv_bytes);
    RS_ASSERT(session->recv_in_flight > 0);
    session->recv_in_flight--;
    session->bytes_in += completion->bytes;
    table->counters.recv_ops++;
    session_touch(session);
    if (completion->status != RS_OK || completion->bytes == 0 ||
        (session->state != RS_SESSION_OPEN && session->state != RS_SESSION_PAUSED &&
         session->state != RS_SESSION_PROXY)) {
        session_on_recv_nothing(session, completion);
        return;
    }
    slices->bytes[which] = completion->bytes;
    slices->waits[(slices->wait_head + slices->wait_count) % RS_RECVS_IN_FLIGHT_MAX] =
        (uint8_t)which;
    slices->wait_count++;
    session_read(session);
}

/* ---- what came */

/* Paused: received bytes wait in the slice, and the end of the stream behind them. Ended: further
 * input is discarded. */
RS_COLD static void session_on_recv_else(rs_slot *session, const rs_completion *completion) {
    rs_sessions *table = rs_slot_table(session);
    if (table->slices != NULL) {
        session_on_one_of_recvs(session, completion);
        return;
    }
    RS_ASSERT(session->recv_in_flight == 1);
    RS_ASSERT(session->state != RS_SESSION_FREE);
    session->recv_in_flight = 0;
    table->counters.recv_ops++;
    session_touch(session);
    if (completion->status != RS_OK) {
        session->peer_ended = true;
        session_fail(session, reason_of((rs_status)completion->status));
        return;
    }
    RS_ASSERT(completion->bytes <= session->recv_room);
    session->bytes_in += completion->bytes;
    session->peer_ended = session->peer_ended || completion->bytes == 0;
    if (session->state == RS_SESSION_PAUSED) {
        session_keep(session, completion->bytes, session->held + completion->bytes);
    } else if (completion->bytes == 0) {
        session_end(session, RS_CLOSE_PEER);
    } else if (session->state == RS_SESSION_OPEN) {
        session_parse_behind(session, completion->bytes);
    } else if (session->state == RS_SESSION_PROXY) {
        session_read_proxy(session, completion->bytes);
    }
}

/* The common case: the session is open, untouched in this batch, nothing was held and nothing
 * stays; then the next receive position does not change. */
static inline void session_on_recv(rs_sessions *table, rs_slot *session,
                                   const rs_completion *completion) {
    uint32_t left;
    if (!RS_LIKELY(session->recv_in_flight == 1 && session->touched == 0 &&
                   session->state == RS_SESSION_OPEN &&
                   completion->bytes - 1u < session->recv_room && session->held == 0)) {
        session_on_recv_else(session, completion);
        return;
    }
    session->recv_in_flight = 0;
    RS_DEBUG_ASSERT(session->recv_room <= table->cfg.recv_bytes);
    session->touched = 1;
    *table->touched_end++ = session;
    table->counters.recv_ops++;
    session->bytes_in += completion->bytes;
    left = session_dispatch(table, session, session->recv_at, completion->bytes);
    if (left > 0) {
        session_parsed(session, completion->bytes, left);
    }
}

/* How many frames may have come since then while we were away, and are read now. */
static int64_t sessions_missed(const rs_sessions *table, uint64_t start_ms) {
    uint64_t from_ms = table->away_ns / 1000000u;
    uint64_t to_ms = table->back_ns / 1000000u;
    RS_ASSERT(table->away_ns <= table->back_ns);
    RS_ASSERT(table->cfg.rate_max > 0);
    from_ms = from_ms > start_ms ? from_ms : start_ms;
    if (to_ms <= from_ms || table->now_ms - to_ms >= 1000u) {
        return 0;
    }
    return (int64_t)((to_ms - from_ms + 999u) / 1000u * table->cfg.rate_max);
}

/* In front of the application's on_message. What came while we were away came in its own time: it
 * is counted in the turns after that, and as many more may come. */
static void session_count(void *ctx, rs_session *handle, const uint8_t *data, uint32_t bytes) {
    rs_slot *session = (rs_slot *)(void *)handle;
    rs_sessions *table = rs_slot_table(session);
    rs_slot_rate *rate = &table->rates[handle->index];
    RS_ASSERT(table->cfg.rate_max > 0 && table->counted != NULL);
    RS_ASSERT(rate->start_ms <= table->now_ms);
    if (table->now_ms - rate->start_ms >= 1000u) {
        rate->frames = -sessions_missed(table, rate->start_ms);
        rate->start_ms = table->now_ms;
    }
    if (rate->frames >= (int64_t)table->cfg.rate_max) {
        session_end(session, RS_CLOSE_RATE);
        return;
    }
    rate->frames++;
    table->counted(ctx, handle, data, bytes);
}

/* ---- sending */

RS_COLD static void sessions_end_send_run(rs_sessions *table, uint64_t next_ns) {
    RS_ASSERT(next_ns != table->send_run_ns);
    RS_ASSERT(table->send_run_count > 0 || table->send_run_ns == 0);
    rs_histogram_record_n(&table->send_ns, table->send_run_ns, table->send_run_count);
    table->send_run_ns = next_ns;
    table->send_run_count = 0;
}

static inline void sessions_record_send(rs_sessions *table, uint64_t ns) {
    RS_DEBUG_ASSERT(ns <= table->now_ns);
    if (ns != table->send_run_ns) {
        sessions_end_send_run(table, ns);
    }
    table->send_run_count++;
}

void rs_sessions_add_send_ns(const rs_sessions *table, rs_histogram *into) {
    RS_ASSERT(into != &table->send_ns);
    rs_histogram_merge(into, &table->send_ns);
    rs_histogram_record_n(into, table->send_run_ns, table->send_run_count);
}

static bool session_is_low(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(table->low_marks != NULL);
    RS_ASSERT(session->handle.index < table->cfg.slot_count);
    return rs_sendq_bytes(&table->sendq_pool, &session->sendq) <=
           table->low_marks[session->handle.index];
}

/* More to send, or it or the application may wait for this. */
RS_COLD static void session_sent(rs_slot *session, bool more) {
    RS_ASSERT(session->state != RS_SESSION_FREE);
    if (rs_slot_table(session)->links != NULL) {
        session_wake_source(session);
    }
    if (!more && session->low == 0 && session->state == RS_SESSION_OPEN) {
        return; /* careful for another reason */
    }
    RS_ASSERT(session->low == 0 || session->careful);
    if (session->low == RS_LOW_WANTED && session_is_low(session)) {
        session->low = RS_LOW_DUE;
    }
    if (!rs_session_takes(session)) {
        rs_sendq_clear_room(&session->sendq);
    }
    if ((session->pause & RS_PAUSE_FULL) != 0) {
        session_restart(session);
    }
    session_touch(session);
}

/* The oldest send is over. Returns the bytes it had. */
static inline uint32_t session_send_back(rs_sessions *table, rs_slot *session) {
    const bool more = session->sendq.unsent_bytes > 0;
    uint64_t posted_ns;
    uint32_t asked = rs_sendq_complete(&table->sendq_pool, &session->sendq, &posted_ns);
    sessions_record_send(table, table->now_ns - posted_ns);
    if (more || session->state != RS_SESSION_OPEN || session->careful) {
        session_sent(session, more);
    }
    return asked;
}

RS_COLD static void session_sent_short(rs_slot *session, uint32_t bytes) {
    RS_ASSERT(session->state != RS_SESSION_FREE);
    session->bytes_out += bytes;
    session_fail(session, RS_CLOSE_TRUNCATED_SEND);
}

static inline void session_on_send(rs_sessions *table, rs_slot *session,
                                   const rs_completion *completion) {
    uint32_t asked = session_send_back(table, session);
    RS_DEBUG_ASSERT(session->state != RS_SESSION_FREE);
    if (completion->bytes != asked) {
        session_sent_short(session, completion->bytes);
        return;
    }
    session->bytes_out += asked;
}

static void session_queued(rs_slot *session) {
    RS_DEBUG_ASSERT(rs_session_takes(session));
    RS_DEBUG_ASSERT(session->sendq.unsent_bytes > 0);
    rs_slot_table(session)->counters.messages_out++;
    session_touch(session);
}

/* A result of the send queue: failures end the session. It may use more than what the replies to a
 * RECV leave free. */
RS_COLD static rs_status session_asked(rs_slot *session, rs_status status) {
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(status == RS_OK || status == RS_E_FULL || status == RS_E_NO_BUFFERS);
    if (status == RS_OK) {
        session->careful = session->careful || session->sendq.owned > rs_slot_table(session)->easy;
        session_queued(session);
    } else if (status == RS_E_FULL) {
        session_end(session, RS_CLOSE_SLOW_CONSUMER);
    } else {
        session_end(session, RS_CLOSE_NO_BUFFERS);
    }
    return status;
}

/* ---- completions */

RS_COLD static void session_on_other(rs_slot *session, const rs_completion *completion) {
    RS_ASSERT(session->state != RS_SESSION_FREE);
    RS_ASSERT(completion->generation == session->handle.generation);
    switch (completion->kind) {
    case RS_OP_RECV:
        session_on_recv_else(session, completion);
        break;
    case RS_OP_SEND:
        (void)session_send_back(rs_slot_table(session), session);
        session_fail(session, reason_of((rs_status)completion->status));
        break;
    case RS_OP_SHUTDOWN:
        RS_ASSERT(session->state >= RS_SESSION_LINGER);
        if (completion->status != RS_OK) {
            session_fail(session, RS_CLOSE_RESET);
        }
        break;
    case RS_OP_CLOSE:
        RS_ASSERT(session->state == RS_SESSION_CLOSING);
        session_free(session);
        break;
    default:
        RS_UNREACHABLE("a completion of a kind that sessions never ask for");
    }
}

uint32_t rs_sessions_complete(rs_sessions *table, const rs_completion *completions,
                              uint32_t count) {
    const rs_completion *end = completions + count;
    const rs_completion *at = completions;
    for (; at != end; at++) {
        rs_slot *session;
        /* A free slot already has the generation of its next use, for which no op was issued; that
         * of an ACCEPT is 0. */
        if (at->conn >= table->cfg.slot_count ||
            table->sessions[at->conn].handle.generation != at->generation) {
            if (at->kind == RS_OP_ACCEPT) {
                break;
            }
            table->counters.stale_completions++;
            continue;
        }
        session = &table->sessions[at->conn];
        RS_DEBUG_ASSERT(session->state != RS_SESSION_FREE || at->kind == RS_OP_CONNECT);
        if (at->kind == RS_OP_RECV && at->status == RS_OK) {
            session_on_recv(table, session, at);
        } else if (at->kind == RS_OP_SEND && at->status == RS_OK) {
            session_on_send(table, session, at);
        } else if (at->kind == RS_OP_CONNECT) {
            break;
        } else {
            session_on_other(session, at);
        }
    }
    return (uint32_t)(at - completions);
}

/* Only this send failed: earlier ones are still with the kernel, and so are their blocks. */
RS_COLD static void session_send_refused(rs_slot *session, const rs_op *op, rs_status why) {
    RS_ASSERT(op->kind == RS_OP_SEND);
    RS_ASSERT(why != RS_OK);
    rs_sendq_refuse(&rs_slot_table(session)->sendq_pool, &session->sendq, op->u.data, op->bytes);
    session_touch(session);
    session_fail(session, reason_of(why));
}

void rs_sessions_refused(rs_sessions *table, const rs_op *op, rs_status why) {
    rs_completion failed = {
        .kind = op->kind,
        .status = (uint16_t)why,
        .conn = op->conn,
        .generation = op->generation,
        .tag = op->tag,
    };
    RS_ASSERT(op->conn < table->cfg.slot_count);
    RS_ASSERT(op->generation == table->sessions[op->conn].handle.generation);
    RS_ASSERT(why != RS_OK);
    RS_ASSERT(table->sessions[op->conn].state != RS_SESSION_FREE);
    RS_ASSERT(op->kind != RS_OP_ACCEPT);
    table->counters.refused_ops++;
    if (op->kind == RS_OP_SEND) {
        session_send_refused(&table->sessions[op->conn], op, why);
    } else if (op->kind != RS_OP_CLOSE) {
        /* A second CLOSE cannot fail: the first one's completion is still to come. */
        (void)rs_sessions_complete(table, &failed, 1);
    }
}

/* ---- patience */

/* Since when the peer has been idle. While paused it cannot send frames: what counts is whether it
 * accepts what is in flight. */
static uint64_t session_silent_since_ms(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    uint64_t heard_ms = session->last_frame_ms & ~RS_AWAITED;
    uint64_t posted_ms;
    RS_ASSERT(heard_ms <= table->now_ms);
    if (session->state != RS_SESSION_PAUSED) {
        return heard_ms;
    }
    if (session->sendq.in_flight == 0) {
        return table->now_ms;
    }
    posted_ms = rs_sendq_oldest_ns(&session->sendq) / 1000000u;
    RS_ASSERT(posted_ms <= table->now_ms);
    return posted_ms > heard_ms ? posted_ms : heard_ms;
}

/* For how long it may, and what it ends as then; 0: for ever. */
static uint32_t session_patience_ms(const rs_slot *session, rs_close_reason *why) {
    const rs_sessions_config *cfg = &rs_slot_table(session)->cfg;
    uint32_t patience_ms = cfg->idle_timeout_ms;
    bool stalls = (session->pause & RS_PAUSE_FULL) != 0;
    bool awaited = (session->last_frame_ms & RS_AWAITED) != 0;
    RS_ASSERT(session_is_live(session));
    RS_ASSERT(!stalls || session->state == RS_SESSION_PAUSED);
    RS_ASSERT(!awaited || cfg->handshake_ms != 0);
    *why = RS_CLOSE_IDLE;
    if (awaited && (patience_ms == 0 || patience_ms > cfg->handshake_ms)) {
        patience_ms = cfg->handshake_ms;
        *why = RS_CLOSE_HANDSHAKE;
    }
    if (stalls && (patience_ms == 0 || patience_ms > RS_STALLED_MS)) {
        patience_ms = RS_STALLED_MS;
        *why = RS_CLOSE_SLOW_CONSUMER;
    }
    return patience_ms;
}

/* One timer node serves all, the earliest deadline counts. */
static void session_arm(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    rs_close_reason why;
    uint32_t patience_ms = session_patience_ms(session, &why);
    RS_ASSERT(session_is_live(session));
    RS_ASSERT(session->handle.index < table->cfg.slot_count);
    if (patience_ms == 0) {
        rs_timers_cancel(&table->timers, session->handle.index);
    } else {
        rs_timers_arm(&table->timers, session->handle.index,
                      session_silent_since_ms(session) + patience_ms);
    }
}

/* ---- ops */

/* The common state of the ops of one batch. */
typedef struct session_batch {
    rs_sendq_pool *pool;
    uint64_t now_ns;
    uint32_t sends_in_flight; /* at most, of one session */
    uint16_t region;
} session_batch;

static inline session_batch sessions_batch(rs_sessions *table) {
    RS_DEBUG_ASSERT(table->cfg.sends_in_flight > 0);
    return (session_batch){.pool = &table->sendq_pool,
                           .now_ns = table->now_ns,
                           .sends_in_flight = table->cfg.sends_in_flight,
                           .region = table->region};
}

/* Made anew each time: a template of 32 bytes in each session costs more (8 instructions for an
 * echoed frame) and is a sixth of what an idle one may take. The tag is not ours. */
static inline void session_op(const rs_slot *session, rs_op *op, rs_op_kind kind, uint16_t region) {
    RS_DEBUG_ASSERT(session->state != RS_SESSION_FREE);
    RS_DEBUG_ASSERT(session->handle.generation != 0);
    op->kind = (uint8_t)kind;
    op->flags = 0;
    op->region = region;
    op->conn = session->handle.index;
    op->generation = session->handle.generation;
}

/* This and the following functions write ops from out on and return the position of the next one.
 */
static inline rs_op *session_collect_send(session_batch batch, rs_slot *session, rs_op *out) {
    const rs_sendq_entry *entry = rs_sendq_post(batch.pool, &session->sendq, batch.now_ns);
    RS_DEBUG_ASSERT(!session->abort);
    RS_DEBUG_ASSERT(session->sendq.in_flight <= batch.sends_in_flight);
    session_op(session, out, RS_OP_SEND, batch.region);
    out->bytes = entry->bytes;
    out->u.data = entry->data;
    return out + 1;
}

static inline bool session_may_send(session_batch batch, const rs_slot *session) {
    RS_DEBUG_ASSERT(session->sendq.in_flight <= batch.sends_in_flight);
    return session->sendq.unsent_bytes > 0 && session->sendq.in_flight < batch.sends_in_flight;
}

RS_COLD static rs_op *session_flush(rs_slot *session, rs_op *out) {
    const session_batch batch = sessions_batch(rs_slot_table(session));
    RS_ASSERT(!session->abort);
    RS_ASSERT(batch.sends_in_flight > 0);
    while (session_may_send(batch, session)) {
        out = session_collect_send(batch, session, out);
    }
    RS_ASSERT(session->sendq.in_flight <= batch.sends_in_flight);
    return out;
}

static inline rs_op *session_collect_recv(uint16_t region, rs_slot *session, rs_op *out) {
    RS_DEBUG_ASSERT(session->recv_in_flight == 0);
    RS_DEBUG_ASSERT(session->recv_room > 0);
    session_op(session, out, RS_OP_RECV, region);
    out->bytes = session->recv_room;
    out->u.data = session->recv_at;
    session->recv_in_flight = 1;
    return out + 1;
}

/* As many as it has slices for. The tag is the slice. */
static rs_op *session_collect_recvs(rs_slot *session, rs_op *out) {
    const rs_sessions *table = rs_slot_table(session);
    const uint32_t limit = table->sendq_pool.queued_bytes_max;
    rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(slices != NULL);
    RS_ASSERT(slices->wait_count == 0);
    while (slices->free_count > 0) {
        const uint32_t which = slices->free[--slices->free_count];

        session_op(session, out, RS_OP_RECV, table->region);
        out->bytes = table->cfg.recv_bytes < limit ? table->cfg.recv_bytes : limit;
        out->u.data = session_slice(session, which);
        out->tag = which;
        out++;
        session->recv_in_flight++;
    }
    RS_ASSERT(session->recv_in_flight <= table->cfg.recvs);
    return out;
}

/* Who may wait for ever: within the reserve, and one chunk at a time at another thread, so that an
 * echo never exceeds queued_bytes_max. */
static bool session_may_receive_waiting(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    const rs_sendq_pool *pool = &table->sendq_pool;
    const rs_sendq *queue = &session_sink(session)->sendq;
    RS_ASSERT(sessions_wait(table));
    RS_ASSERT(pool->reserve >= table->answer_blocks);
    return queue->owned <= pool->reserve - table->answer_blocks &&
           rs_slot_cold_of(session)->handed == 0 &&
           rs_sendq_bytes(pool, queue) <= pool->queued_bytes_max / 2u;
}

/* Blocks that the replies to a full slice may take, and those to messages with another thread. The
 * latter come turn by turn: as many blocks as may be in flight are not full. */
static uint32_t session_due(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    uint32_t block_bytes = table->sendq_pool.blocks->block_bytes;
    RS_ASSERT((rs_slot_cold_of(session)->handed == 0) ==
              (rs_slot_cold_of(session)->handed_bytes == 0));
    RS_ASSERT(table->answer_blocks > 0);
    if (rs_slot_cold_of(session)->handed == 0) {
        return table->answer_blocks;
    }
    return table->answer_blocks + table->cfg.sends_in_flight +
           (rs_slot_cold_of(session)->handed_bytes + block_bytes - 1u) / block_bytes;
}

/* Bytes queued, and the bytes of replies still to come if everything is echoed. */
static uint64_t session_load(const rs_slot *session) {
    RS_ASSERT(session->held <= rs_slot_table(session)->cfg.recv_bytes);
    return (uint64_t)rs_sendq_bytes(&rs_slot_table(session)->sendq_pool,
                                    &session_sink(session)->sendq) +
           rs_slot_cold_of(session)->handed_bytes + session->held;
}

/* The bytes to be read next. They are not yet known, and less than a whole slice is enough, down to
 * half of the limit. With several receives they are; what a pause has left comes first. */
static uint32_t session_wants(const rs_slot *session) {
    const rs_slot_slices *slices = session_slices(session);
    const uint32_t half = rs_slot_table(session)->sendq_pool.queued_bytes_max / 2u;
    RS_ASSERT(session->recv_room <= rs_slot_table(session)->cfg.recv_bytes);
    if (slices == NULL) {
        return session->recv_room < half ? session->recv_room : half;
    }
    if (slices->wait_count == 0 ||
        (session->state == RS_SESSION_PAUSED && session->held > 0 && !slices->frame_is_seen)) {
        return 0;
    }
    return session_next_bytes(session);
}

/* Would the replies to them exceed queued_bytes_max? With nothing queued there is nothing to wait
 * for. */
static bool session_is_full(const rs_slot *session) {
    const rs_sessions *table = rs_slot_table(session);
    const rs_sendq *queue = &session_sink(session)->sendq;
    RS_ASSERT(table->sendq_pool.queued_bytes_max > 0);
    return (!rs_sendq_is_empty(queue) || rs_slot_cold_of(session)->handed > 0) &&
           session_load(session) + session_wants(session) > table->sendq_pool.queued_bytes_max;
}

/* With one receive at a time: that is over. */
static bool session_may_book(const rs_slot *session) {
    return session->recv_in_flight == 0 || rs_slot_table(session)->slices != NULL;
}

/* Sets aside the blocks that the replies may take. False: there are none, or no room in the queue.
 * An empty queue's blocks always exist, except for messages with another thread: those return soon,
 * and no session is closed for that. */
RS_COLD static bool session_book_receive(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    rs_sendq *queue = &session->sendq;
    bool may;
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(session_may_book(session));
    RS_ASSERT(!session->peer_ended || session->state == RS_SESSION_PAUSED || table->slices != NULL);
    if (sessions_wait(table)) {
        return session_may_receive_waiting(session) &&
               ((table->app.raw && table->slices == NULL) || !session_is_full(session));
    }
    if (rs_slot_cold_of(session)->handed ==
        0) { /* else the earlier promise is for replies still to come */
        (void)rs_sendq_promise(&table->sendq_pool, queue, 0);
    }
    if (session_is_full(session)) {
        return false;
    }
    do {
        may = rs_sendq_promise(&table->sendq_pool, queue, session_due(session));
    } while (!may && rs_slot_cold_of(session)->handed == 0 &&
             sessions_reclaim_stalled(table, queue));
    session_set_careful(session);
    return may || (rs_slot_cold_of(session)->handed == 0 && rs_sendq_is_empty(queue));
}

/* A paused session that does not read because its queue is full, and for no other reason, has
 * RS_STALLED_MS for each send. */
RS_COLD static void session_watch(rs_slot *session) {
    bool full = (session->pause & RS_PAUSE_APP) == 0 && session_may_book(session) &&
                !sessions_wait(rs_slot_table(session)) && rs_slot_cold_of(session)->handed == 0 &&
                session_is_full(session);
    RS_ASSERT(session->state == RS_SESSION_PAUSED);
    RS_ASSERT(!session->abort);
    if (full == ((session->pause & RS_PAUSE_FULL) != 0)) {
        return;
    }
    session->pause ^= RS_PAUSE_FULL;
    if (full) {
        session_restart(session);
    }
    session_arm(session);
}

RS_COLD static void session_wait_for_queue(rs_slot *session) {
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    session->pause |= RS_PAUSE_QUEUE;
    session->state = RS_SESSION_PAUSED;
    rs_slot_table(session)->counters.pauses++;
    session_watch(session);
}

/* A RECV if allowed, and no longer than the queue has room for. A pause ends when one of its sends
 * completes or a message returns from another thread. */
RS_COLD static rs_op *session_recv_carefully(rs_slot *session, rs_op *out) {
    uint32_t limit = rs_slot_table(session)->sendq_pool.queued_bytes_max;
    uint64_t load = session_load(session);
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    RS_ASSERT(session->careful);
    RS_ASSERT(session->recv_in_flight == 0);
    RS_ASSERT(session->pause == 0);
    if (!session_book_receive(session)) {
        session_wait_for_queue(session);
        return out;
    }
    (void)session_collect_recv(rs_slot_table(session)->region, session, out);
    if (load < limit && out->bytes > limit - load) { /* else a frame that cannot be queued at all */
        out->bytes = limit - (uint32_t)load;
    }
    RS_ASSERT(out->bytes > 0);
    return out + 1;
}

/* Without asking: there is nothing to reply to. */
static rs_op *session_collect_first(rs_slot *session, rs_op *out) {
    RS_ASSERT(session->state == RS_SESSION_PROXY || session->state == RS_SESSION_LINGER);
    RS_ASSERT(!session->abort);
    if (rs_slot_table(session)->slices != NULL) {
        return session_collect_recvs(session, out);
    }
    return session->recv_in_flight
               ? out
               : session_collect_recv(rs_slot_table(session)->region, session, out);
}

static rs_op *session_close_op(rs_slot *session, rs_op *out) {
    RS_ASSERT(session->state > RS_SESSION_CUT);
    RS_ASSERT(!session->abort_posted);
    RS_ASSERT(session->abort || rs_sendq_is_empty(&session->sendq));
    RS_ASSERT(!session->sendq.member);
    session_op(session, out, RS_OP_CLOSE, 0);
    out->bytes = 0;
    out->u.data = NULL;
    out->flags = session->abort ? RS_OPF_ABORT : 0;
    session->abort_posted = session->abort;
    session->state = RS_SESSION_CLOSING;
    rs_timers_arm(&rs_slot_table(session)->timers, session->handle.index,
                  rs_slot_table(session)->now_ms + RS_CLOSE_STRAGGLER_MS);
    return out + 1;
}

/* The next op of an ending session, once its queue is empty. */
static rs_op *session_collect_end(rs_slot *session, rs_op *out) {
    RS_ASSERT(session->state == RS_SESSION_DRAINING || session->state == RS_SESSION_LINGER);
    RS_ASSERT(!session->sendq.member);
    RS_ASSERT(session->abort || rs_sendq_is_empty(&session->sendq));
    RS_ASSERT(session->holds == 0);
    if (session->abort || session->peer_ended ||
        !reason_lingers((rs_close_reason)session->reason)) {
        return session_close_op(session, out);
    }
    if (session->state != RS_SESSION_LINGER) {
        session->state = RS_SESSION_LINGER;
        session_op(session, out, RS_OP_SHUTDOWN, 0);
        out->bytes = 0;
        out->u.data = NULL;
        out++;
    }
    if (!session->recv_in_flight) {
        session_empty_slices(session);
        out = session_collect_first(session, out);
    }
    return out;
}

/* What came while it was paused. With its only receive in flight nothing did: what is held is the
 * beginning of a frame, seen before. */
RS_COLD static void session_deliver(rs_slot *session) {
    rs_slot_slices *slices = session_slices(session);
    RS_ASSERT(session->state == RS_SESSION_OPEN);
    RS_ASSERT(session->pause == 0);
    RS_ASSERT(!session->abort);
    if (slices != NULL) {
        slices->frame_is_seen = false;
    }
    if (session->held > 0 && session_has_slice(session)) {
        session_parse_behind(session, 0);
    }
    if (slices != NULL) {
        session_read(session);
    }
    if (session->peer_ended && session->state == RS_SESSION_OPEN) {
        session_end(session, RS_CLOSE_PEER);
    }
}

RS_COLD static rs_op *session_collect_paused(rs_slot *session, rs_op *out) {
    bool waits;
    RS_ASSERT(session->state == RS_SESSION_PAUSED);
    RS_ASSERT(session->sendq.member);
    out = session_flush(session, out);
    waits = (session->pause & RS_PAUSE_APP) != 0 ||
            (session_may_book(session) && !session_book_receive(session));
    session_watch(session);
    if (waits) {
        return out;
    }
    session->pause = 0;
    session->state = RS_SESSION_OPEN;
    session_restart(session);
    session_deliver(session);
    session_touch(session); /* open and ended sessions need more than this */
    return out;
}

/* One that is ending. */
static rs_op *session_collect_ending(rs_slot *session, rs_op *out) {
    RS_ASSERT(session->state >= RS_SESSION_CUT);
    if (session->state == RS_SESSION_CUT) {
        session_finish(session, (rs_close_reason)session->reason);
    }
    RS_ASSERT(session->state > RS_SESSION_CUT);
    RS_ASSERT(session->holds == 0);
    if (session->state == RS_SESSION_CLOSING) {
        return session->abort && !session->abort_posted ? session_close_op(session, out) : out;
    }
    if (!session->abort) {
        out = session_flush(session, out);
    }
    if (session->abort || rs_sendq_is_empty(&session->sendq)) {
        out = session_collect_end(session, out);
    }
    return out;
}

/* May send, and ask again. */
RS_COLD static void session_tell_low(rs_slot *session) {
    const rs_app *app = &rs_slot_table(session)->app;
    RS_ASSERT(session->low == RS_LOW_DUE && app->on_low != NULL);
    RS_ASSERT(session->careful);
    RS_ASSERT(rs_session_takes(session));
    if (!session_is_low(session)) { /* more was sent in this turn */
        session->low = RS_LOW_WANTED;
        return;
    }
    session->low = 0;
    app->on_low(app->ctx, &session->handle);
}

/* Everything except an open session that receives without checks. */
RS_COLD static rs_op *session_collect_else(rs_slot *session, rs_op *out) {
    RS_ASSERT(session->state <= RS_SESSION_CLOSING);
    if (session->low == RS_LOW_DUE && rs_session_takes(session)) {
        session_tell_low(session);
    }
    switch ((rs_session_state)session->state) {
    case RS_SESSION_FREE:
        return out;
    case RS_SESSION_PROXY:
        return session_collect_first(session, out);
    case RS_SESSION_OPEN:
        out = session_flush(session, out);
        if (rs_slot_table(session)->slices != NULL) {
            return session_collect_recvs(session, out);
        }
        return session->recv_in_flight ? out : session_recv_carefully(session, out);
    case RS_SESSION_HELD:
        return session_flush(session, out);
    case RS_SESSION_PAUSED:
        return session_collect_paused(session, out);
    default:
        return session_collect_ending(session, out);
    }
}

static inline rs_op *session_collect(session_batch batch, rs_slot *session, rs_op *out) {
    RS_DEBUG_ASSERT(session->touched == 1);
    if (session->state != RS_SESSION_OPEN || session->careful) {
        session->touched = 0;
        return session_collect_else(session, out);
    }
    if (session_may_send(batch, session)) {
        out = session_collect_send(batch, session, out);
        if (session->sendq.unsent_bytes > 0) {
            out = session_flush(session, out);
        }
    }
    if (session->recv_in_flight == 0) {
        out = session_collect_recv(batch.region, session, out);
    }
    session->touched = 0;
    return out;
}

/* Those before `from` are done; others, and the same again, may have been added behind. */
static void sessions_drop_touched(rs_sessions *table, rs_slot **from) {
    size_t count = (size_t)(table->touched_end - from);
    RS_ASSERT(table->touched_end - table->touched <= 2 * (ptrdiff_t)table->cfg.slot_count);
    RS_DEBUG_ASSERT(from >= table->touched);
    RS_DEBUG_ASSERT(from <= table->touched_end);
    if (count > 0) {
        memmove(table->touched, from, count * sizeof *from);
    }
    table->touched_end = table->touched + count;
}

uint32_t rs_sessions_collect(rs_sessions *table, rs_op *ops, uint32_t cap) {
    const rs_op *last = ops + (cap - RS_SESSION_OPS_MAX); /* up to here there is room for one */
    const session_batch batch = sessions_batch(table);
    rs_op *out = ops;
    RS_ASSERT(cap >= RS_SESSION_OPS_MAX);
    while (table->touched_end != table->touched && out <= last) {
        rs_slot **end = table->touched_end; /* each is in there once */
        rs_slot **at = table->touched;
        while (at != end && out <= last) {
            size_t fit = (size_t)(last - out) / RS_SESSION_OPS_MAX + 1u;
            rs_slot **stop = fit < (size_t)(end - at) ? at + fit : end;
            while (at != stop) {
                out = session_collect(batch, *at++, out);
            }
        }
        sessions_drop_touched(table, at);
    }
    RS_DEBUG_ASSERT(out <= ops + cap);
    return (uint32_t)(out - ops);
}

/* ---- time */

/* A reset was the last resort, and a request has not returned: the kernel owns its slot and
 * buffers, and we no longer wait for them. */
RS_COLD static void session_quarantine(rs_slot *session) {
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(session->state == RS_SESSION_CLOSING);
    RS_ASSERT(!session->quarantined);
    RS_ASSERT(session->abort_posted);
    RS_ASSERT(table->quarantined < table->used_count);
    RS_ASSERT(session->abort);
    session->quarantined = true;
    table->quarantined++;
    table->straggler = session->handle.index;
    table->counters.quarantined++;
}

/* A straggler: its sends, its FIN or its close have been pending too long. */
static void session_escalate(rs_slot *session) {
    RS_ASSERT(session->state != RS_SESSION_FREE);
    RS_ASSERT(!rs_session_takes(session));
    RS_ASSERT(session->state != RS_SESSION_FREE);
    if (session->abort_posted) {
        return;
    }
    rs_slot_table(session)->counters.escalated_closes++;
    session->abort = true;
    rs_sendq_discard(&rs_slot_table(session)->sendq_pool, &session->sendq);
    session_touch(session);
}

/* Its queue is full and none of its sends has completed. Our own absence does not count: a session
 * found long after the deadline gets the time again. */
RS_COLD static void session_stalled(rs_slot *session, uint64_t late_ms) {
    RS_ASSERT((session->pause & RS_PAUSE_FULL) != 0);
    RS_ASSERT(session->state == RS_SESSION_PAUSED);
    if (late_ms > RS_AWAY_MS) {
        session_restart(session);
        session_arm(session);
    } else {
        session_end(session, RS_CLOSE_SLOW_CONSUMER);
    }
}

RS_COLD static void session_expired(rs_slot *session, uint64_t upto_ms) {
    rs_sessions *table = rs_slot_table(session);
    uint64_t deadline;
    uint32_t patience_ms;
    rs_close_reason why;
    RS_ASSERT(session->state != RS_SESSION_FREE);
    RS_ASSERT(upto_ms <= table->now_ms);
    if (session->state == RS_SESSION_CUT) {
        return; /* it ends with this turn */
    }
    if (session->state == RS_SESSION_HELD) {
        table->counters.expired_holds++;
        session_finish(session, (rs_close_reason)session->reason);
        return;
    }
    if (!session_is_live(session)) {
        if (session->abort_posted) {
            session_quarantine(session);
        } else {
            session_escalate(session);
        }
        return;
    }
    patience_ms = session_patience_ms(session, &why);
    deadline = session_silent_since_ms(session) + patience_ms;
    if (patience_ms == 0 || deadline > upto_ms) {
        session_arm(session);
    } else if (why == RS_CLOSE_SLOW_CONSUMER) {
        session_stalled(session, upto_ms - deadline);
    } else {
        session_end(session, why);
    }
}

void rs_sessions_expire(rs_sessions *table, uint64_t upto_ms) {
    uint32_t index;
    RS_ASSERT(upto_ms <= table->now_ms);
    if (table->expired_ms >= upto_ms) {
        return;
    }
    table->expired_ms = upto_ms;
    while ((index = rs_timers_take_expired(&table->timers, upto_ms)) != RS_TIMER_NONE) {
        RS_ASSERT(index < table->cfg.slot_count);
        session_expired(&table->sessions[index], upto_ms);
    }
}

void rs_sessions_run_timers(rs_sessions *table) {
    rs_timer timer;
    RS_ASSERT(table->app_timers != NULL);
    RS_ASSERT(table->app_wheel != NULL);
    while ((timer = rs_timer_wheel_take(table->app_wheel, table->now_ms)) != 0) {
        uint32_t owner;
        rs_timer_call call;
        const bool was_set = rs_timer_table_take(table->app_timers, timer, &owner, &call);
        RS_ASSERT(was_set);
        if (owner == RS_TIMER_NO_OWNER) {
            call.shard(call.arg, table->cfg.server, table->cfg.shard);
        } else if (rs_session_takes(&table->sessions[owner])) { /* else CUT: it ends this turn */
            call.session(call.arg, &table->sessions[owner].handle);
        }
    }
}

uint64_t rs_sessions_next_ms(const rs_sessions *table) {
    const rs_sendq_pool *pool = &table->sendq_pool;
    uint64_t next_ms = rs_timers_next_ms(&table->timers, table->now_ms);
    bool may_stall = pool->above_first != NULL || pool->shared_live > 0;
    bool counts = table->rates != NULL && table->open_count > 0;
    RS_DEBUG_ASSERT(pool->shared_live <= pool->shared_max);
    return (may_stall || counts) && next_ms > RS_AWAY_MS / 2u ? RS_AWAY_MS / 2u : next_ms;
}

/* ---- from outside */

rs_slot *rs_sessions_find(rs_sessions *table, rs_session_id id) {
    uint32_t index = rs_session_id_index(id);
    if (rs_session_id_shard(id) != table->cfg.shard || index >= table->cfg.slot_count) {
        return NULL;
    }
    if (table->sessions[index].handle.generation != rs_session_id_generation(id) ||
        !rs_session_takes(&table->sessions[index])) {
        return NULL;
    }
    RS_ASSERT(table->sessions[index].handle.index == index);
    return &table->sessions[index];
}

void rs_sessions_close_all(rs_sessions *table, bool abort) {
    RS_ASSERT(table->open_count <= table->used_count);
    RS_ASSERT(table->used_count <= table->cfg.slot_count);
    for (uint32_t i = 0; i < table->cfg.slot_count; i++) {
        rs_slot *session = &table->sessions[i];
        session_end(session, RS_CLOSE_SHUTDOWN);
        if (abort && session->state == RS_SESSION_HELD) {
            session_finish(session, (rs_close_reason)session->reason);
        }
        if (abort && session->state != RS_SESSION_FREE) {
            session_escalate(session);
        }
    }
}

/* ---- what an application may do: the operations of a session of this table */

static rs_slot *slot_of(rs_session *handle) {
    rs_slot *slot = (rs_slot *)(void *)handle;
    RS_DEBUG_ASSERT(slot == &rs_slot_table(slot)->sessions[handle->index]); /* and no copy of it */
    return slot;
}

RS_COLD static rs_status session_send_asking(rs_slot *session, const uint8_t *data,
                                             uint32_t bytes) {
    if (!rs_session_takes(session)) {
        return RS_E_CLOSED;
    }
    return session_asked(session, rs_sendq_append(&rs_slot_table(session)->sendq_pool,
                                                  &session->sendq, data, bytes));
}

/* The copy comes last: nothing has to be kept in registers across it. */
static inline rs_status session_send(rs_session *handle, const uint8_t *data, uint32_t bytes) {
    rs_slot *session = slot_of(handle);
    uint8_t *to;
    if (!rs_sendq_extend(&session->sendq, bytes, &to)) {
        return session_send_asking(session, data, bytes);
    }
    session_queued(session);
    memcpy(to, data, bytes);
    return RS_OK;
}

/* The common case first: a session of the table that this thread made last costs one compare, two
 * instructions of a message's 200. */
rs_status rs_session_send(rs_session *session, const void *data, uint32_t bytes) {
    if (RS_LIKELY(thread_has(session))) {
        return session_send(session, data, bytes);
    }
    return rs_session_send_of(session, data, bytes);
}

static void session_close(rs_session *handle, rs_close_reason reason) {
    session_end(slot_of(handle), reason);
}

static void session_peer(const rs_session *handle, rs_peer *out) {
    const rs_slot *session = (const rs_slot *)(const void *)handle;
    const rs_slot_cold *cold = rs_slot_cold_of(session);
    RS_ASSERT(cold->opened_ms <= rs_slot_table(session)->now_ms);
    *out = (rs_peer){.addr = cold->ends.peer,
                     .local = cold->ends.local,
                     .age_ms = rs_slot_table(session)->now_ms - cold->opened_ms,
                     .bytes_in = session->bytes_in,
                     .bytes_out = session->bytes_out};
}

static void session_hold(rs_session *handle) {
    rs_slot *session = slot_of(handle);
    if (rs_session_takes(session)) {
        RS_ASSERT(session->holds < UINT32_MAX);
        session->holds++;
    }
}

static void session_release(rs_session *handle) {
    rs_slot *session = slot_of(handle);
    RS_ASSERT(session->state != RS_SESSION_HELD || session->holds > 0);
    if (!rs_session_takes(session)) {
        return;
    }
    if (session->holds == 0) { /* a caller's mistake must not stop the server for others */
        rs_slot_table(session)->counters.refused_releases++;
        return;
    }
    session->holds--;
    if (session->holds == 0 && session->state == RS_SESSION_HELD) {
        session_finish(session, (rs_close_reason)session->reason);
    }
}

static void session_pause(rs_session *handle) {
    rs_slot *session = slot_of(handle);
    RS_ASSERT(session->state <= RS_SESSION_CLOSING);
    if (session->state == RS_SESSION_OPEN || session->state == RS_SESSION_PAUSED) {
        session->state = RS_SESSION_PAUSED;
        session->pause = RS_PAUSE_APP; /* whatever it waited for: an armed timer checks it */
    }
}

static void session_resume(rs_session *handle) {
    rs_slot *session = slot_of(handle);
    RS_ASSERT(session->state != RS_SESSION_OPEN || session->pause == 0);
    if (session->state == RS_SESSION_PAUSED) {
        session->pause &= (uint8_t)~RS_PAUSE_APP;
        session_touch(session);
    }
}

bool rs_sessions_shared_acquire(rs_sessions *table, rs_shared *out) {
    rs_slice slice;
    if (!rs_sendq_shared_acquire(&table->sendq_pool, &slice)) {
        sessions_reclaim_shared(table);
        if (!rs_sendq_shared_acquire(&table->sendq_pool, &slice)) {
            return false;
        }
    }
    rs_shared_lend(table->sendq_pool.blocks, slice, out);
    RS_ASSERT(table->sendq_pool.shared_live > 0);
    return true;
}

void rs_sessions_shared_release(rs_sessions *table, rs_shared *shared) {
    if (rs_shared_is_lent(table->sendq_pool.blocks, shared)) {
        rs_sendq_shared_release(&table->sendq_pool,
                                rs_shared_return(table->sendq_pool.blocks, shared));
    } else {
        table->counters.refused_releases++;
    }
}

static bool session_shared_acquire(rs_session *handle, rs_shared *out) {
    return rs_sessions_shared_acquire(rs_slot_table(slot_of(handle)), out);
}

static rs_status session_shared_send(rs_session *handle, const rs_shared *shared, uint32_t bytes) {
    rs_slot *session = slot_of(handle);
    rs_sessions *table = rs_slot_table(session);
    rs_sendq_pool *pool = &table->sendq_pool;
    rs_status status;
    if (!rs_shared_is_lent(pool->blocks, shared)) {
        return RS_E_INVALID;
    }
    if (!rs_session_takes(session)) {
        return RS_E_CLOSED;
    }
    session->careful = true; /* these bytes are in no block of its own */
    status = rs_sendq_append_shared(pool, &session->sendq, rs_shared_slice(shared), bytes);
    table->counters.shared_sends++;
    table->counters.shared_copied_bytes = pool->shared_copied_bytes;
    return session_asked(session, status);
}

static void session_shared_release(rs_session *handle, rs_shared *shared) {
    rs_sessions_shared_release(rs_slot_table(slot_of(handle)), shared);
}

/* A broadcast's failure is told at the end of the turn: on_close may change whatever its caller
 * walks along. */
static void session_broadcast(rs_slot *session, const rs_shared *shared, const uint8_t *data,
                              uint32_t bytes) {
    rs_sendq_pool *pool = &rs_slot_table(session)->sendq_pool;
    rs_status status;
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(bytes > 0);
    if (shared->generation != 0) {
        session->careful = true; /* these bytes are in no block of its own */
        status = rs_sendq_append_shared(pool, &session->sendq, rs_shared_slice(shared), bytes);
    } else {
        status = rs_sendq_append(pool, &session->sendq, data, bytes);
    }
    if (status == RS_OK) {
        (void)session_asked(session, RS_OK);
    } else {
        session_cut(session, status == RS_E_FULL ? RS_CLOSE_SLOW_CONSUMER : RS_CLOSE_NO_BUFFERS);
    }
}

uint32_t rs_sessions_broadcast(rs_sessions *table, const rs_session_id *ids, uint32_t count,
                               const uint8_t *data, uint32_t bytes) {
    rs_shared shared = {.generation = 0};
    uint32_t lost = 0;
    RS_ASSERT(bytes > 0);
    count = ids != NULL ? count : table->open_count;
    if (bytes <= table->sendq_pool.blocks->block_bytes &&
        rs_sessions_shared_acquire(table, &shared)) {
        memcpy(shared.data, data, bytes);
    }
    for (uint32_t i = 0; i < count; i++) {
        rs_slot *session =
            ids != NULL ? rs_sessions_find(table, ids[i]) : &table->sessions[table->open[i]];
        if (session != NULL && rs_session_takes(session)) {
            session_broadcast(session, &shared, data, bytes);
        } else {
            lost += ids != NULL ? 1u : 0u;
        }
    }
    if (shared.generation != 0) {
        rs_sessions_shared_release(table, &shared);
    }
    RS_ASSERT(lost <= count);
    return lost;
}

static rs_status session_queued_bytes(const rs_session *handle, uint32_t *out) {
    const rs_slot *session = (const rs_slot *)(const void *)handle;
    RS_ASSERT(session->state != RS_SESSION_FREE);
    RS_ASSERT(out != NULL);
    *out = rs_sendq_bytes(&rs_slot_table(session)->sendq_pool, &session->sendq);
    return RS_OK;
}

/* What is queued already may be little enough. */
static rs_status session_notify_low(rs_session *handle, uint32_t bytes) {
    rs_slot *session = slot_of(handle);
    rs_sessions *table = rs_slot_table(session);
    if (table->low_marks == NULL) {
        return RS_E_UNSUPPORTED;
    }
    RS_ASSERT(session->state != RS_SESSION_FREE);
    if (!rs_session_takes(session)) {
        return RS_E_CLOSED;
    }
    RS_ASSERT(table->app.on_low != NULL);
    table->low_marks[handle->index] = bytes;
    session->low = session_is_low(session) ? RS_LOW_DUE : RS_LOW_WANTED;
    session->careful = true;
    session_touch(session);
    return RS_OK;
}

static rs_status session_set_source(rs_session *handle, rs_session *source_handle) {
    rs_slot *session = slot_of(handle);
    rs_slot *source = source_handle != NULL ? slot_of(source_handle) : session;
    rs_sessions *table = rs_slot_table(session);
    RS_ASSERT(rs_slot_table(source) == table);
    if (table->links == NULL) {
        return RS_E_UNSUPPORTED;
    }
    if (!rs_session_takes(session) || !rs_session_takes(source)) {
        return RS_E_CLOSED;
    }
    session_leave_source(session);
    if (source != session) {
        session_leave_sink(source);
        table->links[handle->index].source = source->handle.index;
        table->links[source->handle.index].sink = handle->index;
        RS_ASSERT(session_sink(source) == session);
    }
    session_wake_source(session);
    return RS_OK;
}

static rs_status session_timer_set(rs_session_ops *ops, const rs_session *handle, uint32_t ms,
                                   rs_timer_call call, rs_timer *out) {
    const rs_sessions *table = (const rs_sessions *)(void *)ops;
    RS_ASSERT((table->app_timers == NULL) == (table->app_wheel == NULL));
    RS_ASSERT(handle == NULL || handle->index < table->cfg.slot_count);
    if (handle != NULL && !rs_session_takes(&table->sessions[handle->index])) {
        return RS_E_CLOSED;
    }
    if (table->app_timers != NULL) {
        *out = rs_timer_table_set(table->app_timers,
                                  handle != NULL ? handle->index : RS_TIMER_NO_OWNER, call);
    }
    if (*out == 0) {
        return RS_E_FULL;
    }
    rs_timer_wheel_arm(table->app_wheel, *out, ms);
    return RS_OK;
}

static void session_timer_cancel(rs_session_ops *ops, rs_timer timer) {
    const rs_sessions *table = (const rs_sessions *)(void *)ops;
    RS_ASSERT((table->app_timers == NULL) == (table->app_wheel == NULL));
    if (table->app_timers != NULL && rs_timer_table_take(table->app_timers, timer, NULL, NULL)) {
        rs_timer_wheel_cancel(table->app_wheel, timer);
    }
}

static rs_session_ops session_ops(const rs_sessions_config *cfg) {
    RS_ASSERT(cfg->shard < RS_SHARDS_MAX);
    return (rs_session_ops){.shard = cfg->shard,
                            .thread = rs_thread_key(),
                            .server = cfg->server,
                            .send = session_send,
                            .close = session_close,
                            .peer = session_peer,
                            .hold = session_hold,
                            .release = session_release,
                            .pause = session_pause,
                            .resume = session_resume,
                            .shared_acquire = session_shared_acquire,
                            .shared_send = session_shared_send,
                            .shared_release = session_shared_release,
                            .queued_bytes = session_queued_bytes,
                            .notify_low = session_notify_low,
                            .set_source = session_set_source,
                            .timer_set = session_timer_set,
                            .timer_cancel = session_timer_cancel};
}

/* ---- messages that another thread has */

void rs_session_hand_over(rs_slot *session, uint32_t bytes) {
    RS_ASSERT(bytes > 0);
    RS_ASSERT(rs_slot_cold_of(session)->handed < UINT32_MAX);
    RS_ASSERT(rs_session_takes(session));
    RS_ASSERT(bytes <= UINT32_MAX - rs_slot_cold_of(session)->handed_bytes);
    session_hold(&session->handle);
    rs_slot_cold_of(session)->handed++;
    rs_slot_cold_of(session)->handed_bytes += bytes;
    session->careful = true;
}

void rs_session_handed_back(rs_slot *session, uint32_t bytes) {
    if (rs_session_takes(session)) {
        RS_ASSERT(rs_slot_cold_of(session)->handed > 0);
        RS_ASSERT(rs_slot_cold_of(session)->handed_bytes >= bytes);
        rs_slot_cold_of(session)->handed--;
        rs_slot_cold_of(session)->handed_bytes -= bytes;
        /* Replies of several turns may have taken more blocks than their bytes need. */
        (void)rs_sendq_promise(&rs_slot_table(session)->sendq_pool, &session->sendq,
                               session_due(session));
        if (session->state == RS_SESSION_PAUSED) {
            session_touch(session);
        }
    }
    session_release(&session->handle);
}
