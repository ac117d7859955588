/* SPDX-License-Identifier: MIT */
/* Cases about who may still come, and how a server ends: with whoever is left, or by a deadline.
 *
 * A pass is decided by what each client sees, by the close reasons, and by the counts of what is
 * left. */
#include "server_fixture.h"

#include <string.h>

#define END_PIECES 200u
#define END_PIECE_BYTES 4000u
#define END_DEADLINE_MS 5000u
#define END_LONG_MS 3600000u

/* Off means for newcomers alone, and only while it is off. */
void conf_case_server_turns_away_who_comes_while_off(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    server_start(fixture);
    server_connect(run, 0);
    server_echo(run, 0, 10);
    rs_shard_accept(fixture->shard, false);
    for (uint32_t i = 1; i < 4u; i++) {
        server_connect(run, i); /* the system accepts; the server closes at once */
        server_ends(run, i);
        server_disconnect(run, i);
    }
    CONF_CHECK(run, server_counters(fixture)->refused_off == 3u);
    CONF_CHECK(run, rs_shard_refused(fixture->shard) == 3u);
    server_echo(run, 0, 20);
    rs_shard_accept(fixture->shard, true);
    server_connect(run, 4);
    server_echo(run, 4, 30);
    CONF_CHECK(run, server_counters(fixture)->refused_off == 3u);
    CONF_CHECK(run, server_counters(fixture)->accepted == 2u);
    server_end(fixture);
}

/* Two clients are there, and nobody else gets in. */
static server_fixture *end_draining(conf_run *run, uint32_t timeout_ms) {
    server_fixture *fixture = server_make(run, NULL);
    fixture->frozen_ns = conf_now_ns(run);
    fixture->config.idle_timeout_ms = 0;
    server_start(fixture);
    for (uint32_t i = 0; i < 2u; i++) {
        server_connect(run, i);
        server_echo(run, i, 10);
    }
    rs_shard_drain(fixture->shard, timeout_ms);
    CONF_WAIT(run, rs_shard_outstanding(fixture->shard) == 2u); /* without the listener */
    uint32_t refused = conf_connect(&run->client, 2, conf_server_addr(run));
    CONF_WAIT(run, conf_done(&run->client, refused));
    CONF_CHECK(run, conf_result(&run->client, refused)->status != RS_OK);
    server_echo(run, 0, 20);
    return fixture;
}

void conf_case_server_drain_lets_sessions_finish(conf_run *run) {
    server_fixture *fixture = end_draining(run, END_LONG_MS);
    server_disconnect(run, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1u);
    CONF_CHECK(run, fixture->running);
    server_echo(run, 1, 30);
    server_disconnect(run, 1);
    CONF_WAIT(run, !fixture->running);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_PEER) == 2u);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_SHUTDOWN) == 0);
    server_end(fixture);
}

/* The last call counts. */
void conf_case_server_drain_ends_the_rest_at_its_deadline(conf_run *run) {
    server_fixture *fixture = end_draining(run, END_LONG_MS);
    rs_shard_drain(fixture->shard, END_DEADLINE_MS);
    server_echo(run, 1, 30);
    fixture->away_ns += (END_DEADLINE_MS - 1u) * UINT64_C(1000000);
    server_echo(run, 0, 40);
    CONF_CHECK(run, server_counters(fixture)->accepted == 2u);
    CONF_CHECK(run, fixture->stats.sessions_open == 2u);
    fixture->away_ns += UINT64_C(1000000);
    for (uint32_t i = 0; i < 2u; i++) {
        server_ends(run, i);
        server_disconnect(run, i);
    }
    CONF_WAIT(run, !fixture->running);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_SHUTDOWN) == 2u);
    CONF_CHECK(run, server_counters(fixture)->escalated_closes == 0);
    server_end(fixture);
}

/* More than any buffer between takes: what is left is told while the client does not read, and all
 * of it still arrives. */
void conf_case_server_tells_what_is_left(conf_run *run) {
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = 16384});
    uint8_t piece[END_PIECE_BYTES];
    fixture->config.queued_bytes_max = END_PIECES * END_PIECE_BYTES;
    fixture->config.send_blocks = 1000;
    server_start(fixture);
    server_connect(run, 0);
    server_echo(run, 0, 10);
    const rs_session_id id =
        rs_session_id_of(&rs_shard_sessions(fixture->shard)->sessions[0].handle);
    for (uint32_t i = 0; i < END_PIECES; i++) {
        conf_fill(piece, sizeof piece, (uint64_t)i * sizeof piece);
        CONF_STATUS(run,
                    rs_shard_post(fixture->shard, RS_MESSAGE_SEND, id, NULL, piece, sizeof piece),
                    RS_OK);
    }
    rs_shard_drain(fixture->shard, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_SHUTDOWN) == 1u);
    conf_settle(run);
    (void)server_counters(fixture);
    CONF_CHECK(run, fixture->running && fixture->stats.sessions_used == 1u);
    CONF_CHECK(run, fixture->stats.queued_bytes > 0);
    CONF_CHECK(run, fixture->stats.queued_bytes <= END_PIECES * END_PIECE_BYTES);
    for (uint32_t i = 0; i < END_PIECES; i++) {
        conf_fill(piece, sizeof piece, (uint64_t)i * sizeof piece);
        server_receive(run, 0, sizeof piece);
        CONF_CHECK(run, memcmp(conf_rx(&run->client, 0), piece, sizeof piece) == 0);
    }
    server_ends(run, 0);
    (void)server_counters(fixture);
    CONF_CHECK(run, fixture->stats.queued_bytes == 0);
    server_end(fixture);
}
