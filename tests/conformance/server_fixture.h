/* SPDX-License-Identifier: MIT */
/* One shard on the back end under test, stepped by the case, its clock the instance's; the clients
 * are the harness's own side. */
#ifndef RS_CONFORMANCE_SERVER_FIXTURE_H
#define RS_CONFORMANCE_SERVER_FIXTURE_H

#include "harness.h"

#include "core/slab.h"
#include "server/logic.h"
#include "server/shard.h"

#define SERVER_FRAME_TYPE 7u
#define SERVER_LEAST_BLOCKS UINT32_MAX /* as config.send_blocks: as few as it starts with */

typedef struct server_fixture {
    conf_run *run;
    rs_shard *shard;
    rs_address_limit *addresses; /* NULL: no limit */
    rs_logic *logic;             /* NULL: callbacks on the shard */
    rs_server_config config;
    rs_server_stats stats; /* as of the last server_count */
    uint64_t away_ns;      /* what the server's clock is ahead: it was away for so long */
    uint64_t frozen_ns;    /* unless 0, what its clock stands at: a slow machine ends nobody */
    bool running;
} server_fixture;

/* server_make: the client side, and a configuration to change before server_start: an echo of 16
 * sessions. setup nullable. */
server_fixture *server_make(conf_run *run, const conf_setup *setup);

/* server_start: opens and starts the shard (and with run->logic_thread a logic thread, stepped
 * too), and listens. server_turn: one turn of both; what run->server_turn is set to. */
void server_start(server_fixture *fixture);
void server_turn(void *fixture, int64_t max_wait_ns);

/* server_end: stops it, or sees the end of a stop in progress; then nothing may be left. Frees. */
void server_end(server_fixture *fixture);

/* server_counters: as of now. server_closed: sessions that ended for this reason. */
const rs_counters *server_counters(server_fixture *fixture);
uint64_t server_closed(server_fixture *fixture, rs_close_reason reason);

/* ---- clients, by slot */

void server_connect(conf_run *run, uint32_t slot);
void server_disconnect(conf_run *run, uint32_t slot);

/* server_frame: a frame of `bytes` in all at `to`, its payload the pattern from `offset` on. */
void server_frame(uint8_t *to, uint32_t bytes, uint64_t offset);

/* server_receive: exactly `bytes`, into the slot's slice. */
void server_receive(conf_run *run, uint32_t slot, uint32_t bytes);

/* server_echo: one frame there and back. */
void server_echo(conf_run *run, uint32_t slot, uint32_t bytes);

/* server_ends: the server ends this connection: an end of stream or a reset, no byte before it. */
void server_ends(conf_run *run, uint32_t slot);

#endif
