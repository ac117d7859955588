/* SPDX-License-Identifier: MIT */
/* One seed from its drawing to its end. */
#include "sim_run.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/proxy_header.h"

#define STEPS_MAX 60000u
#define FRAME_TYPE_AT 2u
#define FRAME_TYPE_DISMISS 2u

uint64_t sim_draw(sim_run *run) {
    uint64_t z = (run->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 32)) * 0xD6E8FEB86659FD93u;
    z = (z ^ (z >> 29)) * 0xD6E8FEB86659FD93u;
    return z ^ (z >> 32);
}

/* ---- the server's application: echo, with what the checks need to know */

static void app_timer(void *arg, rs_session *session) {
    sim_run *run = arg;
    SIM_CHECK(run, rs_session_user(session) == rs_session_id_of(session));
    SIM_CHECK(run, run->opened > run->ended);
    run->timers_ran++;
    if (sim_one_in(run, 2)) {
        (void)rs_session_set_timer(session, sim_between(run, 0, 50), app_timer, run, NULL);
    }
}

/* Some; and one in four is cancelled. */
static void app_set_timers(sim_run *run, rs_session *session) {
    for (uint32_t i = 0; run->server.timers > 0 && i < sim_between(run, 0, 3); i++) {
        rs_timer timer;
        rs_status status =
            rs_session_set_timer(session, sim_between(run, 0, 200), app_timer, run, &timer);
        SIM_CHECK(run, (status == RS_OK) == (timer != 0));
        SIM_CHECK(run, status == RS_OK || status == RS_E_FULL);
        if (sim_one_in(run, 4)) {
            (void)rs_session_cancel_timer(session, timer);
        }
    }
}

static void app_on_low(void *ctx, rs_session *session) {
    sim_run *run = ctx;
    uint32_t index = rs_session_id_index(rs_session_id_of(session));
    uint32_t queued = 0;
    SIM_CHECK(run, rs_session_user(session) == rs_session_id_of(session));
    SIM_CHECK(run, run->low_wanted[index]);
    if (!run->with_logic) {
        SIM_CHECK(run, rs_session_queued_bytes(session, &queued) == RS_OK);
        SIM_CHECK(run, queued <= run->low_marks[index]);
    }
    run->low_wanted[index] = false;
    run->lows_told++;
}

static void app_ask_low(sim_run *run, rs_session *session) {
    uint32_t index = rs_session_id_index(rs_session_id_of(session));
    uint32_t mark = sim_between(run, 0, 300);
    rs_status status = rs_session_notify_low(session, mark);
    SIM_CHECK(run, status == RS_OK || status == RS_E_CLOSED);
    if (status == RS_OK) {
        run->low_marks[index] = mark;
        run->low_wanted[index] = true;
    }
}

static void app_on_open(void *ctx, rs_session *session) {
    sim_run *run = ctx;
    SIM_CHECK(run, rs_session_user(session) == 0);
    rs_session_set_user(session, rs_session_id_of(session));
    run->opened++;
    if (run->server.proxy_protocol) {
        rs_peer peer;
        SIM_CHECK(run, rs_session_peer(session, &peer) == RS_OK);
        SIM_CHECK(run, peer.addr.ip >> 8 == SIM_PROXIED_NET);
    }
    if (run->some_id == 0 || sim_one_in(run, 2)) {
        run->some_id = rs_session_id_of(session);
        run->some = session;
    }
    app_set_timers(run, session);
    run->low_wanted[rs_session_id_index(rs_session_id_of(session))] = false;
}

static void app_send_shared(sim_run *run, rs_session *session, const uint8_t *data,
                            uint32_t bytes) {
    rs_shared shared;
    if (!rs_shared_acquire(session, &shared)) {
        run->has_dismissals = run->cut_short = true;
        rs_session_close(session);
        return;
    }
    SIM_CHECK(run, bytes <= shared.room);
    memcpy(shared.data, data, bytes);
    (void)rs_shared_send(session, &shared, bytes);
    rs_shared_release(session, &shared);
}

/* Not what is sent to it: so its own queue may fill. */
static void app_link(sim_run *run, rs_session *session) {
    rs_status status;
    if (run->links && run->some != NULL && sim_one_in(run, 4)) {
        run->cut_short = true;
        status = rs_session_set_source(session, sim_one_in(run, 4) ? NULL : run->some);
        SIM_CHECK(run, status == RS_OK || status == RS_E_CLOSED);
        run->linked += status == RS_OK;
    }
}

static void app_leak(sim_run *run, rs_session *session) {
    rs_shared shared;
    if (run->mistake == SIM_MISTAKE_LEAK && !run->leaked) {
        run->leaked = rs_shared_acquire(session, &shared);
    }
}

static const rs_slot *slot_of(const sim_run *run, const rs_session *session) {
    uint32_t index = rs_session_id_index(rs_session_id_of(session));
    return &rs_shard_sessions(run->shard)->sessions[index];
}

static void app_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    sim_run *run = ctx;
    SIM_CHECK(run, rs_session_user(session) == rs_session_id_of(session));
    SIM_CHECK(run,
              bytes > 0 && (run->with_logic || slot_of(run, session)->state == RS_SESSION_OPEN));
    run->messages++;
    app_leak(run, session);
    app_link(run, session);
    if (run->shared_app) {
        app_send_shared(run, session, data, bytes);
    } else {
        (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
    }
    if (run->server.app.on_low != NULL && sim_one_in(run, 4)) {
        app_ask_low(run, session);
    }
    if (!run->server.app.raw && data[FRAME_TYPE_AT] == FRAME_TYPE_DISMISS) {
        run->has_dismissals = true;
        rs_session_close(session);
    }
}

static void app_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    sim_run *run = ctx;
    SIM_CHECK(run, rs_session_user(session) == rs_session_id_of(session));
    rs_session_set_user(session, 0);
    run->low_wanted[rs_session_id_index(rs_session_id_of(session))] = false;
    run->some = run->some == session ? NULL : run->some;
    run->ended++;
    sim_check_reason(run, reason);
}

static rs_status app_on_shard_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    sim_run *run = ctx;
    SIM_CHECK(run, server == NULL && shard == 0 && run->opened == 0);
    *own = run;
    run->shard_starts++;
    return RS_OK;
}

static void app_on_shard_end(void *ctx, rs_server *server, uint32_t shard, void *own) {
    sim_run *run = ctx;
    SIM_CHECK(run, server == NULL && shard == 0 && own == ctx && run->opened == run->ended);
    run->shard_ends++;
}

static void app_posted(void *arg, rs_server *server, uint32_t shard) {
    sim_run *run = arg;
    SIM_CHECK(run, server == NULL && shard == 0);
    SIM_CHECK(run, run->shard_starts == 1 && run->shard_ends == 0);
    SIM_CHECK(run, rs_shard_ops(run->shard)->own == arg);
    run->posts_ran++;
}

/* ---- drawing */

/* A third of the worlds have no faults; the others a few kinds each, rare or frequent. */
static void draw_faults(sim_run *run) {
    static const uint8_t never[] = {RS_SIM_LISTENER_FAILURE, RS_SIM_OPEN_NO_MEMORY,
                                    RS_SIM_NO_BUFFERS_REGISTER, RS_SIM_CONNECT_REFUSED};
    rs_sim_faults *client = &run->client_faults, *server = &run->server_faults;
    run->faultless = sim_one_in(run, 3);
    if (run->faultless) {
        return;
    }
    for (uint32_t i = 0; i < RS_SIM_FAULTS; i++) {
        if (sim_one_in(run, 4)) {
            server->chance[i] = sim_between(run, 100, sim_one_in(run, 4) ? 20000 : 3000);
        }
    }
    for (uint32_t i = 0; i < sizeof never; i++) {
        server->chance[never[i]] = 0; /* the first ends the process; the others end the seed */
    }
    if (sim_one_in(run, 100)) {
        server->chance[RS_SIM_OPEN_NO_MEMORY] = RS_SIM_CERTAIN / 2;
        server->chance[RS_SIM_NO_BUFFERS_REGISTER] = RS_SIM_CERTAIN / 2;
    }
    client->chance[RS_SIM_SHORT_RECV] = sim_between(run, 0, 20000);
    client->chance[RS_SIM_SLOW_READER] = sim_between(run, 0, 2000);
    client->chance[RS_SIM_STALE_COMPLETION] = sim_between(run, 0, 2000);
    client->chance[RS_SIM_CONNECT_REFUSED] = sim_between(run, 0, 5000);
}

static void draw_world(sim_run *run) {
    run->world_config = rs_sim_config_default(run->seed);
    run->world_config.pipe_bytes = sim_between(run, 16, sim_one_in(run, 2) ? 128 : 4096);
    run->world_config.latency_ns_max = sim_between(run, 0, 200000);
    run->world_config.slow_ns_max = 20000000;
    run->world_config.burst_max = 6;
    run->world_config.strict = true;
}

/* The default's format, by a framer of the application's own. */
static uint32_t app_framer(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    return rs_framer_u16(data, bytes, bytes_max);
}

static void draw_server(sim_run *run) {
    rs_server_config *cfg = &run->server;
    rs_server_config_init(cfg, &rs_sim_backend);
    cfg->app = (rs_app){.ctx = run,
                        .raw = sim_one_in(run, 5),
                        .on_open = app_on_open,
                        .on_message = app_on_message,
                        .on_close = app_on_close,
                        .on_shard_start = app_on_shard_start,
                        .on_shard_end = app_on_shard_end};
    cfg->world = run->world;
    cfg->frame_bytes_max = sim_between(run, RS_FRAME_HEADER_BYTES, 200);
    cfg->proxy_protocol = sim_one_in(run, 5);
    cfg->recv_bytes = cfg->frame_bytes_max + sim_between(run, 0, 300) +
                      (cfg->proxy_protocol ? RS_PROXY_V1_BYTES_MAX : 0);
    cfg->send_block_bytes = sim_between(run, cfg->recv_bytes, 610);
    cfg->queued_bytes_max =
        sim_one_in(run, 4) ? sim_between(run, cfg->recv_bytes, 1500) : 4 * SIM_PLAN_BYTES;
    cfg->sends_in_flight = sim_between(run, 1, 4);
    cfg->idle_timeout_ms = sim_one_in(run, 3) ? sim_between(run, 10, 200) : 0;
    cfg->drain_timeout_ms = sim_between(run, 10, 500);
    cfg->coalesce = !sim_one_in(run, 4);
    cfg->heap_buffers = true; /* so that a sanitizer knows where each arena ends */
    cfg->tuning.dequeue_batch = sim_between(run, 1, 64);
    cfg->tuning.backlog = sim_between(run, 1, 32);
    cfg->tuning.recvs = sim_one_in(run, 3) ? sim_between(run, 2, sim_one_in(run, 3) ? 16 : 4) : 1;
    run->shared_app = sim_one_in(run, 4);
    run->posts = sim_one_in(run, 6);
    run->sessions_max = sim_between(run, 1, SIM_CLIENTS_MAX);
    run->stop_early = sim_one_in(run, 8);
    run->stop_at = sim_between(run, 5, 400);
    run->with_logic = sim_one_in(run, 4) && run->mistake == SIM_MISTAKE_NONE;
    run->few_blocks = sim_one_in(run, 3);
    cfg->timers = sim_one_in(run, 3) ? sim_between(run, 1, 10) : 0;
    cfg->handshake_ms =
        cfg->idle_timeout_ms != 0 && sim_one_in(run, 2) ? sim_between(run, 10, 200) : 0;
    cfg->rate_max = sim_one_in(run, 8) ? sim_between(run, 1, 20) : 0;
    cfg->address_max = sim_one_in(run, 8) ? sim_between(run, 1, SIM_CLIENTS_MAX) : 0;
    cfg->app.on_low = sim_one_in(run, 3) ? app_on_low : NULL;
    cfg->app.framer = sim_one_in(run, 3) ? app_framer : NULL;
    run->drains = sim_one_in(run, 2);
    run->drain_ms = sim_one_in(run, 2) ? SIM_DRAIN_LONG_MS : sim_between(run, 0, 300);
    run->toggles = sim_one_in(run, 8);
    cfg->pause_slow = sim_one_in(run, 4);
    run->links = cfg->pause_slow && sim_one_in(run, 3);
}

static void draw(sim_run *run) {
    draw_world(run);
    draw_faults(run);
    run->client_count = sim_between(run, 1, SIM_CLIENTS_MAX);
}

/* ---- opening */

static uint64_t clock_now(void *ctx) {
    return rs_sim_now_ns(ctx);
}

/* False when a fault kept the server from starting: that is the end of the seed. */
static bool open_server(sim_run *run) {
    rs_shard_config cfg = {.sessions_max = run->sessions_max,
                           .server = &run->server,
                           .clock = {.now_ns = clock_now, .ctx = run->world}};
    rs_addr addr = {.ip = 0x7F000001u, .port = 0};
    rs_error error = {.text = ""};
    rs_status status;
    rs_sim_set_faults(run->world, &run->server_faults);
    if (run->with_logic) {
        SIM_CHECK(run, rs_logic_open(&run->logic, &run->server.app, 1, false, &error) == RS_OK);
        cfg.logic = run->logic;
    }
    if (run->server.address_max != 0) {
        SIM_CHECK(run, rs_address_limit_open(&run->addresses, run->server.address_max,
                                             RS_SERVER_CONNECTIONS_MAX(run->sessions_max),
                                             &error) == RS_OK);
        cfg.addresses = run->addresses;
    }
    if (run->few_blocks) {
        run->server.send_blocks =
            (uint32_t)rs_shard_send_blocks_least(&cfg) + sim_between(run, 0, 20);
    }
    status = rs_shard_open(&run->shard, &cfg, &error);
    if (status != RS_OK) {
        SIM_CHECK(run, run->shard == NULL && error.text[0] != '\0');
        SIM_CHECK(run, run->server_faults.chance[RS_SIM_OPEN_NO_MEMORY] != 0);
        SIM_CHECK(run, status == RS_E_NO_MEMORY || status == RS_E_NO_BUFFERS);
        return false;
    }
    SIM_CHECK(run, rs_shard_start(run->shard, &error) == RS_OK);
    run->server_backend = rs_sim_instance(run->world, 1);
    SIM_CHECK(run, run->server_backend != NULL);
    SIM_CHECK(run, rs_shard_listen(run->shard, &addr, &run->port, &error) == RS_OK);
    return true;
}

static void open_clients(sim_run *run) {
    rs_backend_config cfg = {.conns_max = run->client_count,
                             .sends_per_conn = SIM_CLIENT_SENDS,
                             .poll_max = 32,
                             .tuning = rs_tuning_default(),
                             .world = run->world};
    rs_error error = {.text = ""};
    rs_sim_set_faults(run->world, &run->client_faults);
    SIM_CHECK(run, rs_sim_backend.open(&run->backend, &cfg, &error) == RS_OK);
    SIM_CHECK(run, rs_sim_backend.register_memory(run->backend, run->clients,
                                                  sizeof(sim_client) * SIM_CLIENTS_MAX, NULL,
                                                  &run->region, &error) == RS_OK);
    /* Many rounds use every slot again and again, those kept for closing sessions included. */
    uint32_t rounds_max = sim_one_in(run, 3) ? 24 : 3;
    for (uint32_t i = 0; i < run->client_count; i++) {
        run->clients[i].rounds_left = sim_between(run, 1, rounds_max);
        run->clients[i].pause = sim_between(run, 0, 10);
    }
}

static void arm_mistake(sim_run *run) {
    static const uint8_t kinds[] = {
        [SIM_MISTAKE_CORRUPT] = RS_SIM_CORRUPT_BYTE,
        [SIM_MISTAKE_SWALLOW] = RS_SIM_SWALLOW_BYTE,
        [SIM_MISTAKE_DOUBLE] = RS_SIM_DOUBLE_COMPLETION,
        [SIM_MISTAKE_LOSE] = RS_SIM_LOSE_COMPLETION,
        [SIM_MISTAKE_LOSE_CLOSE] = RS_SIM_LOSE_CLOSE,
    };
    if (run->mistake > SIM_MISTAKE_NONE && run->mistake <= SIM_MISTAKE_LOSE_CLOSE) {
        rs_sim_sabotage_arm(run->server_backend, (rs_sim_sabotage)kinds[run->mistake],
                            sim_between(run, 1, 5));
    }
}

/* ---- playing */

static void scribble(sim_run *run) {
    rs_sessions *table = rs_shard_sessions(run->shard);
    for (uint32_t i = 0; run->mistake == SIM_MISTAKE_SCRIBBLE && i < table->cfg.slot_count; i++) {
        const rs_sendq *queue = &table->sessions[i].sendq;
        if (queue->in_flight > 0) {
            queue->head->data[0] ^= 1;
            run->mistake = SIM_MISTAKE_NONE;
        }
    }
}

static int64_t step_wait_ns(sim_run *run, bool clients_busy) {
    static const int64_t waits[] = {0, 20000, 1000000, 1000000000};
    return waits[sim_between(run, clients_busy ? 0 : 2, clients_busy ? 2 : 3)];
}

/* A message as from another thread. A stale id must reach nobody: a stranger who got these bytes
 * would see that they are not his. */
static void play_message(sim_run *run) {
    static const uint8_t foreign[3] = {3, 0, 0xEE};
    rs_sessions *table = rs_shard_sessions(run->shard);
    bool stale = rs_sessions_find(table, run->some_id) == NULL;
    if (!run->posts || run->some_id == 0 || !sim_one_in(run, 20)) {
        return;
    }
    if (sim_one_in(run, 2)) {
        const rs_shard_fn fn = app_posted;
        run->posts_asked +=
            rs_shard_post(run->shard, RS_MESSAGE_POST, 0, run, &fn, sizeof fn) == RS_OK;
    }
    if (stale) {
        (void)rs_shard_post(run->shard, RS_MESSAGE_SEND, run->some_id, NULL, foreign,
                            sizeof foreign);
    } else if (sim_one_in(run, 4)) {
        run->has_dismissals = run->cut_short = true;
        (void)rs_shard_post(run->shard, RS_MESSAGE_CLOSE, run->some_id, NULL, NULL, 0);
    }
}

/* One turn of the server, then of the clients. False when the server has stopped. */
static bool play_step(sim_run *run, bool *clients_busy) {
    bool runs;
    play_message(run);
    runs = rs_shard_step(run->shard, step_wait_ns(run, *clients_busy));
    SIM_CHECK(run, run->server.address_max == 0 ||
                       rs_shard_sessions(run->shard)->open_count <= run->server.address_max);
    if (runs && run->with_logic && !sim_one_in(run, 3)) { /* not always: it may lag behind */
        (void)rs_logic_step(run->logic);
    }
    /* Replies that came too late are lost, as the server says: its own count, since a logic thread
     * may hear of it after the client has. */
    if (rs_shard_sessions(run->shard)->counters.expired_holds > 0 ||
        rs_shard_sessions(run->shard)->counters.closed[RS_CLOSE_RATE] > 0) {
        run->cut_short = true;
    }
    run->steps++;
    sim_check_step(run);
    scribble(run);
    *clients_busy = sim_clients_step(run);
    SIM_CHECK(run, run->steps < STEPS_MAX);
    return runs;
}

/* From here on the clock does not leap: leaps that add up to the time the shard allows a drain make
 * it give up, as it says it does. */
static void play_end(sim_run *run) {
    rs_sim_faults faults = run->server_faults;
    faults.chance[RS_SIM_CLOCK_JUMP] = 0;
    rs_sim_set_instance_faults(run->server_backend, &faults);
}

static void play_stop(sim_run *run) {
    play_end(run);
    run->stopping = true;
    rs_shard_stop(run->shard);
}

static void play_drain(sim_run *run) {
    play_end(run);
    run->draining = true;
    run->cut_short = run->cut_short || run->drain_ms < SIM_DRAIN_LONG_MS;
    rs_shard_drain(run->shard, run->drain_ms);
}

static void play_toggle(sim_run *run) {
    if (run->toggles && sim_one_in(run, 30)) {
        run->off = !run->off;
        rs_shard_accept(run->shard, !run->off);
    }
}

static void play(sim_run *run) {
    bool busy = true, runs = true;
    while (run->clients_finished < run->client_count && runs) {
        if (run->stop_early && run->steps == run->stop_at) {
            (run->drains ? play_drain : play_stop)(run);
        }
        play_toggle(run);
        runs = play_step(run, &busy);
    }
    run->drained = run->draining && !runs;
    play_stop(run);
    while (runs) {
        runs = play_step(run, &busy);
    }
    while (run->clients_finished < run->client_count) { /* a server that is gone ends them all */
        if (!sim_clients_step(run)) {
            rs_sim_advance(run->world, 1000000);
        }
        run->steps++;
        SIM_CHECK(run, run->steps < STEPS_MAX);
    }
}

/* ---- the end */

static void add_totals(const sim_run *run, sim_totals *totals) {
    const rs_counters *counters = &rs_shard_sessions(run->shard)->counters;
    totals->steps += run->steps;
    totals->sessions += run->opened;
    totals->messages += run->messages;
    totals->bytes_back += run->bytes_back;
    totals->complete_streams += run->complete_streams;
    totals->timers += run->timers_ran;
    totals->lows += run->lows_told;
    totals->refused += counters->refused;
    totals->refused_address += counters->refused_address;
    totals->refused_off += counters->refused_off;
    totals->drained += run->drained;
    totals->linked += run->linked;
    totals->stale += counters->stale_completions;
    totals->escalated += counters->escalated_closes;
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        totals->closed[i] += counters->closed[i];
    }
}

static void finish(sim_run *run, sim_totals *totals) {
    sim_check_end(run);
    add_totals(run, totals);
    rs_shard_quiesce(run->shard);
    SIM_CHECK(run, run->opened == run->ended);
    sim_check_opened(run);
    SIM_CHECK(run, run->addresses == NULL || rs_address_limit_entered(run->addresses) == 0);
    rs_shard_close(run->shard);
    rs_address_limit_close(run->addresses);
    SIM_CHECK(run, run->shard_starts == 1 && run->shard_ends == 1);
    SIM_CHECK(run, run->posts_ran == run->posts_asked);
    SIM_CHECK(run, rs_sim_instance(run->world, 1) == NULL);
    rs_sim_backend.release_memory(run->backend, run->region);
    rs_sim_backend.close(run->backend);
    SIM_CHECK(run, rs_sim_links(run->world) == 0);
}

void sim_run_seed(sim_run *run, uint64_t seed, sim_mistake mistake, void (*fail)(void),
                  sim_totals *totals) {
    memset(run, 0, sizeof *run);
    run->seed = run->random = seed;
    run->mistake = mistake;
    run->fail = fail;
    draw(run);
    run->world = rs_sim_world_open(&run->world_config);
    draw_server(run);
    run->clients = calloc(SIM_CLIENTS_MAX, sizeof *run->clients);
    RS_ASSERT(run->clients != NULL);
    if (open_server(run)) {
        open_clients(run);
        arm_mistake(run);
        play(run);
        finish(run, totals);
    }
    run->trace = rs_sim_trace(run->world);
    totals->seeds++;
    for (uint32_t i = 0; i < RS_SIM_FAULTS; i++) {
        totals->faults[i] += rs_sim_fault_count(run->world, (rs_sim_fault)i);
    }
    rs_logic_close(run->logic);
    rs_sim_world_close(run->world);
    free(run->clients);
}
