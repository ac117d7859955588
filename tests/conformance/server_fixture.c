/* SPDX-License-Identifier: MIT */
/* See server_fixture.h. */
#include "server_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "apps/echo.h"
#include "core/assert.h"
#include "core/frame.h"

void server_turn(void *ctx, int64_t max_wait_ns) {
    server_fixture *fixture = ctx;
    if (fixture->running) {
        fixture->running = rs_shard_step(fixture->shard, max_wait_ns);
    }
    if (fixture->running && fixture->logic != NULL) {
        (void)rs_logic_step(fixture->logic);
    }
}

static uint64_t server_now_ns(void *ctx) {
    const server_fixture *fixture = ctx;
    return (fixture->frozen_ns != 0 ? fixture->frozen_ns : conf_now_ns(fixture->run)) +
           fixture->away_ns;
}

/* The client side, and a configuration to change before server_start. On the heap: it holds
 * histograms. */
server_fixture *server_make(conf_run *run, const conf_setup *setup) {
    server_fixture *fixture = calloc(1, sizeof *fixture);
    RS_ASSERT(fixture != NULL);
    conf_open_client(run, setup);
    fixture->run = run;
    rs_server_config_init(&fixture->config, run->api);
    fixture->config.tuning = run->config.tuning;
    fixture->config.backend_settings = run->config.own;
    fixture->config.world = run->world;
    fixture->config.app = rs_app_echo;
    fixture->config.sessions_max = 16;
    fixture->config.drain_timeout_ms = 10000; /* of a test that waits for an event, not for it */
    return fixture;
}

void server_start(server_fixture *fixture) {
    conf_run *run = fixture->run;
    const rs_addr any_port = conf_host_addr(run);
    rs_error error = {0};
    rs_shard_config cfg = {
        .sessions_max = fixture->config.sessions_max,
        .server = &fixture->config,
        .clock = {.now_ns = server_now_ns, .ctx = fixture},
    };
    if (run->logic_thread) {
        CONF_STATUS(run, rs_logic_open(&fixture->logic, &fixture->config.app, 1, false, &error),
                    RS_OK);
        cfg.logic = fixture->logic;
    }
    if (fixture->config.address_max != 0) {
        CONF_STATUS(run,
                    rs_address_limit_open(&fixture->addresses, fixture->config.address_max,
                                          RS_SERVER_CONNECTIONS_MAX(fixture->config.sessions_max),
                                          &error),
                    RS_OK);
        cfg.addresses = fixture->addresses;
    }
    if (fixture->config.send_blocks == SERVER_LEAST_BLOCKS) {
        fixture->config.send_blocks = (uint32_t)rs_shard_send_blocks_least(&cfg);
    }
    CONF_STATUS(run, rs_shard_open(&fixture->shard, &cfg, &error), RS_OK);
    CONF_STATUS(run, rs_shard_start(fixture->shard, &error), RS_OK);
    CONF_STATUS(run, rs_shard_listen(fixture->shard, &any_port, &run->server.port, &error), RS_OK);
    fixture->running = true;
    run->server_turn = server_turn;
    run->server_ctx = fixture;
}

const rs_counters *server_counters(server_fixture *fixture) {
    memset(&fixture->stats, 0, sizeof fixture->stats);
    rs_shard_stats_add(fixture->shard, &fixture->stats);
    return &fixture->stats.counters;
}

uint64_t server_closed(server_fixture *fixture, rs_close_reason reason) {
    return server_counters(fixture)->closed[reason];
}

/* Stops it, or sees the end of a stop in progress; then nothing may be left. The clients go first:
 * a stopping server lingers for their end of stream. */
void server_end(server_fixture *fixture) {
    conf_run *run = fixture->run;
    const rs_slab *blocks = rs_shard_blocks(fixture->shard);
    for (uint32_t i = 0; i < run->config.conns_max; i++) {
        if (run->client.slots[i].bound && !run->client.slots[i].closing) {
            (void)conf_close(&run->client, i, 0);
        }
    }
    rs_shard_stop(fixture->shard);
    CONF_WAIT(run, !fixture->running);
    CONF_CHECK(run, rs_shard_outstanding(fixture->shard) == 0);
    CONF_CHECK(run, blocks->free_count == blocks->count);
    CONF_CHECK(run, server_counters(fixture)->stale_completions == 0);
    CONF_CHECK(run, run->logic_thread == (fixture->logic != NULL));
    CONF_CHECK(run,
               fixture->addresses == NULL || rs_address_limit_entered(fixture->addresses) == 0);
    rs_shard_close(fixture->shard);
    rs_address_limit_close(fixture->addresses);
    rs_logic_close(fixture->logic);
    run->server_turn = NULL;
    free(fixture);
}

/* ---- clients */

void server_connect(conf_run *run, uint32_t slot) {
    uint32_t connect = conf_connect(&run->client, slot, conf_server_addr(run));
    CONF_WAIT(run, conf_done(&run->client, connect));
    CONF_STATUS(run, conf_result(&run->client, connect)->status, RS_OK);
}

/* A frame of `bytes` in all at `to`, its payload the pattern from `offset` on. */
void server_frame(uint8_t *to, uint32_t bytes, uint64_t offset) {
    RS_ASSERT(bytes >= RS_FRAME_HEADER_BYTES);
    (void)rs_frame_header(to, SERVER_FRAME_TYPE, bytes - RS_FRAME_HEADER_BYTES);
    conf_fill(to + RS_FRAME_HEADER_BYTES, bytes - RS_FRAME_HEADER_BYTES, offset);
}

/* Receives exactly `bytes` into the slot's slice. */
void server_receive(conf_run *run, uint32_t slot, uint32_t bytes) {
    conf_side *client = &run->client;
    uint32_t got = 0;
    while (got < bytes) {
        uint32_t recv =
            conf_must(client, conf_op_recv(client, slot, conf_rx(client, slot) + got, bytes - got));

        CONF_WAIT(run, conf_done(client, recv));
        CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
        CONF_CHECK(run, conf_result(client, recv)->bytes > 0);
        got += conf_result(client, recv)->bytes;
    }
}

/* One frame there and back. */
void server_echo(conf_run *run, uint32_t slot, uint32_t bytes) {
    uint8_t frame[CONF_SLICE_BYTES];
    server_frame(frame, bytes, bytes);
    uint32_t sent = conf_send(&run->client, slot, frame, bytes);
    server_receive(run, slot, bytes);
    CONF_CHECK(run, memcmp(conf_rx(&run->client, slot), frame, bytes) == 0);
    CONF_WAIT(run, conf_done(&run->client, sent));
}

/* The server ends this connection: an end of stream or a reset, and no byte before it. */
void server_ends(conf_run *run, uint32_t slot) {
    uint32_t recv = conf_recv(&run->client, slot);
    CONF_WAIT(run, conf_done(&run->client, recv));
    const conf_op *told = conf_result(&run->client, recv);
    CONF_CHECK(run, told->bytes == 0);
    CONF_CHECK(run, told->status == RS_OK || told->status == RS_E_RESET);
}

void server_disconnect(conf_run *run, uint32_t slot) {
    uint32_t closed = conf_close(&run->client, slot, 0);
    CONF_WAIT(run, conf_done(&run->client, closed));
}
