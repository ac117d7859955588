/* SPDX-License-Identifier: MIT */
/* Cases about the server on the back end under test: one shard, stepped by the case, its clock the
 * instance's; the clients are the harness's own side.
 *
 * A pass is decided by what the clients receive, by the shard's counters, and at the end of every
 * case: the shard stops by itself, nothing is outstanding, every send block is free. */
#include "server_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "apps/echo.h"
#include "core/assert.h"
#include "core/frame.h"
#include "core/session.h"
#include "core/slab.h"
#include "server/logic.h"
#include "server/shard.h"

#define SERVER_SMALL_BUFFER 16384
#define SERVER_STREAM_BYTES 200000u
#define SERVER_BULK_BYTES 262144u
#define SERVER_QUIET_RESTS 4u /* a busy machine may keep the server from its turn */
#define SERVER_STEPS_MAX 20000000u

/* ---- cases */

void conf_case_server_echoes_frames_of_all_sizes(conf_run *run) {
    const uint32_t sizes[] = {3, 4, 5, 64, 1000, 4095, 4096};
    server_fixture *fixture = server_make(run, NULL);
    server_start(fixture);
    server_connect(run, 2);
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        server_echo(run, 2, sizes[i]);
    }
    CONF_CHECK(run, server_counters(fixture)->messages_in == sizeof sizes / sizeof sizes[0]);
    server_disconnect(run, 2);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_end(fixture);
}

static uint32_t server_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Frames of random sizes back to back; returns their bytes. */
static uint32_t server_fill_stream(uint8_t *to, uint32_t bytes_max, uint32_t *random) {
    uint32_t at = 0;
    for (;;) {
        uint32_t bytes = RS_FRAME_HEADER_BYTES + server_random(random) % 600u;

        if (at + bytes > bytes_max) {
            return at;
        }
        server_frame(to + at, bytes, at);
        at += bytes;
    }
}

/* The stream goes out in random pieces and must come back the same. */
static void server_stream(conf_run *run, uint32_t slot, uint32_t seed) {
    conf_side *client = &run->client;
    uint8_t *stream = conf_big_tx(client), *back = conf_big_rx(client);
    uint32_t random = seed, sent = 0, got = 0, send = CONF_NOTHING, recv = CONF_NOTHING;
    const uint32_t total = server_fill_stream(stream, SERVER_STREAM_BYTES, &random);
    conf_wait wait = conf_wait_start(run);
    while (got < total) {
        if (sent < total && (send == CONF_NOTHING || conf_done(client, send))) {
            uint32_t most = server_random(&random) % 8u == 0 ? 5000u : 40u;
            uint32_t bytes = 1u + server_random(&random) % most;

            bytes = bytes < total - sent ? bytes : total - sent;
            send = conf_must(client, conf_op_send(client, slot, stream + sent, bytes));
            sent += bytes;
        }
        if (recv == CONF_NOTHING) {
            recv = conf_must(client, conf_op_recv(client, slot, back + got, total - got));
        }
        conf_wait_step(run, &wait, __FILE__, __LINE__, "the whole stream comes back");
        if (conf_done(client, recv)) {
            CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
            CONF_CHECK(run, conf_result(client, recv)->bytes > 0);
            got += conf_result(client, recv)->bytes;
            recv = CONF_NOTHING;
        }
    }
    CONF_CHECK(run, memcmp(stream, back, total) == 0);
}

void conf_case_server_random_fragmentation_echoes_equal(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.frame_bytes_max = 700; /* one receive slice of a page holds several */
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t seed = 1; seed <= 3u; seed++) {
        server_stream(run, 0, seed);
    }
    server_end(fixture);
}

void conf_case_server_malformed_frame_closes_only_that_session(conf_run *run) {
    const uint8_t malformed[3][3] = {{0, 0, 1}, {2, 0, 1}, {0x01, 0x10, 1}}; /* 0, 2, 4097 long */
    server_fixture *fixture = server_make(run, NULL);
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t i = 0; i < 3u; i++) {
        server_connect(run, 1);
        server_echo(run, 1, 20);
        (void)conf_send(&run->client, 1, malformed[i], 3);
        server_ends(run, 1);
        server_disconnect(run, 1);
        server_echo(run, 0, 30);
        CONF_CHECK(run, server_closed(fixture, RS_CLOSE_PROTOCOL) == i + 1u);
    }
    server_end(fixture);
}

/* ---- framers */

typedef struct framed_app {
    conf_run *run;
    uint32_t frames;
} framed_app;

/* The first byte says how many sixteens follow. */
static uint32_t framed_bytes(uint8_t first) {
    return 1u + 16u * first;
}

static uint32_t framed_framer(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    RS_ASSERT(bytes > 0 && bytes_max == CONF_SLICE_BYTES);
    return framed_bytes(data[0]);
}

static void framed_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    framed_app *app = ctx;
    CONF_CHECK(app->run, bytes == framed_bytes(data[0]));
    app->frames++;
    (void)rs_session_send(session, data, bytes);
}

static void server_send(conf_run *run, uint32_t slot, const uint8_t *data, uint32_t bytes) {
    const uint32_t sent = conf_send(&run->client, slot, data, bytes);
    CONF_WAIT(run, conf_done(&run->client, sent));
}

/* Each frame in two pieces, the second after the server has seen the first. */
void conf_case_server_frames_are_those_of_the_framer(conf_run *run) {
    framed_app app = {.run = run};
    uint8_t frame[CONF_SLICE_BYTES];
    uint64_t total = 0;
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.app =
        (rs_app){.ctx = &app, .framer = framed_framer, .on_message = framed_on_message};
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t i = 0; i < 25u; i++) {
        const uint32_t bytes = framed_bytes((uint8_t)(i * 10u));
        const uint32_t cut = i % 3u == 0 ? 1u : i % 3u == 1u ? bytes / 2u : bytes - 1u;
        conf_fill(frame, bytes, i);
        frame[0] = (uint8_t)(i * 10u);
        server_send(run, 0, frame, cut);
        CONF_WAIT(run, server_counters(fixture)->bytes_in == total + cut);
        if (cut < bytes) {
            CONF_CHECK(run, app.frames == i);
            server_send(run, 0, frame + cut, bytes - cut);
        }
        server_receive(run, 0, bytes);
        CONF_CHECK(run, memcmp(conf_rx(&run->client, 0), frame, bytes) == 0);
        total += bytes;
    }
    CONF_CHECK(run, app.frames == 25u && server_counters(fixture)->messages_in == 25u);
    server_disconnect(run, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_end(fixture);
}

/* One line there and back. */
static void server_echo_line(conf_run *run, uint32_t slot, uint32_t bytes) {
    uint8_t line[CONF_SLICE_BYTES];
    memset(line, 'l', bytes);
    line[bytes - 1u] = '\n';
    server_send(run, slot, line, bytes);
    server_receive(run, slot, bytes);
    CONF_CHECK(run, memcmp(conf_rx(&run->client, slot), line, bytes) == 0);
}

void conf_case_server_line_too_long_closes_only_that_session(conf_run *run) {
    enum { LINE_MAX = 64 };
    uint8_t endless[LINE_MAX];
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.app.framer = rs_framer_line;
    fixture->config.frame_bytes_max = LINE_MAX;
    server_start(fixture);
    server_connect(run, 0);
    memset(endless, 'x', sizeof endless);
    for (uint32_t i = 0; i < 3u; i++) {
        server_connect(run, 1);
        server_echo_line(run, 1, 1);
        server_echo_line(run, 1, LINE_MAX);
        (void)conf_send(&run->client, 1, endless, sizeof endless);
        server_ends(run, 1);
        server_disconnect(run, 1);
        server_echo_line(run, 0, 10);
        CONF_CHECK(run, server_closed(fixture, RS_CLOSE_PROTOCOL) == i + 1u);
    }
    CONF_CHECK(run, server_counters(fixture)->messages_in == 9u);
    server_end(fixture);
}

static void server_idle_case(conf_run *run, const uint8_t *bytes, uint32_t count) {
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.idle_timeout_ms = 60;
    server_start(fixture);
    server_connect(run, 0);
    if (count > 0) {
        (void)conf_send(&run->client, 0, bytes, count);
    }
    server_ends(run, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_IDLE) == 1);
    server_end(fixture);
}

void conf_case_server_silent_session_is_closed_idle(conf_run *run) {
    server_idle_case(run, NULL, 0);
}

/* Who says nothing goes; who has sent a frame stays, however long it is silent after that. */
void conf_case_server_first_frame_must_come_in_time(conf_run *run) {
    const uint8_t half[] = {20, 0, 1, 'h', 'a', 'l', 'f'};
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.idle_timeout_ms = 0;
    fixture->config.handshake_ms = 5000;
    server_start(fixture);
    for (uint32_t i = 0; i < 3u; i++) {
        server_connect(run, i);
    }
    server_echo(run, 0, 10);
    (void)conf_send(&run->client, 1, half, sizeof half);
    conf_settle(run);
    fixture->away_ns += UINT64_C(10000000000);
    server_ends(run, 1);
    server_ends(run, 2);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_HANDSHAKE) == 2);
    fixture->away_ns += UINT64_C(10000000000);
    server_echo(run, 0, 20);
    server_end(fixture);
}

/* Six frames in a second where five may come: five are answered, and the end follows. */
void conf_case_server_more_frames_than_its_rate_end_a_session(conf_run *run) {
    enum { RATE = 5, BYTES = 10 };
    server_fixture *fixture = server_make(run, NULL);
    uint8_t frames[(RATE + 1) * BYTES];
    fixture->config.rate_max = RATE;
    fixture->frozen_ns = conf_now_ns(run);
    server_start(fixture);
    for (uint32_t i = 0; i <= RATE; i++) {
        server_frame(frames + (size_t)i * BYTES, BYTES, i);
    }
    for (uint32_t i = 0; i < 2u; i++) {
        server_connect(run, i);
        (void)conf_send(&run->client, i, frames, (RATE + 1u - i) * BYTES);
        if (i == 0 && run->logic_thread) { /* as a malformed frame, it ends before these replies */
            CONF_WAIT(run, server_closed(fixture, RS_CLOSE_RATE) == 1);
            continue;
        }
        server_receive(run, i, RATE * BYTES);
        CONF_CHECK(run, memcmp(conf_rx(&run->client, i), frames, (size_t)RATE * BYTES) == 0);
    }
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_RATE) == 1);
    if (!run->logic_thread) {
        server_ends(run, 0);
    }
    fixture->away_ns += UINT64_C(1100000000);
    server_echo(run, 1, 20);
    server_end(fixture);
}

/* The server was away for longer than the idle timeout (stopped, suspended, in a slow callback).
 * Frames that came meanwhile are served, however many polls they take; only those who sent no whole
 * frame are cut. */
void conf_case_server_frames_that_wait_come_before_idleness(conf_run *run) {
    const uint8_t half[] = {20, 0, 1, 'h', 'a', 'l', 'f'};
    enum { SENDERS = 12, ALL = 14 };
    server_fixture *fixture = server_make(run, NULL);
    uint8_t frame[100];
    uint32_t sent[ALL];

    fixture->config.idle_timeout_ms = 5000;
    fixture->config.tuning.dequeue_batch = 2;
    server_start(fixture);
    for (uint32_t i = 0; i < ALL; i++) {
        server_connect(run, i);
        server_echo(run, i, 10);
    }
    conf_settle(run);
    run->server_turn = NULL; /* away */
    server_frame(frame, sizeof frame, 1);
    for (uint32_t i = 0; i < SENDERS; i++) {
        sent[i] = conf_send(&run->client, i, frame, sizeof frame);
    }
    sent[SENDERS] = conf_send(&run->client, SENDERS, half, sizeof half);
    conf_settle(run);
    fixture->away_ns += UINT64_C(10000000000);
    run->server_turn = server_turn;
    for (uint32_t i = 0; i < SENDERS; i++) {
        server_receive(run, i, sizeof frame);
        CONF_CHECK(run, memcmp(conf_rx(&run->client, i), frame, sizeof frame) == 0);
        CONF_WAIT(run, conf_done(&run->client, sent[i]));
    }
    for (uint32_t i = SENDERS; i < ALL; i++) {
        server_ends(run, i);
    }
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_IDLE) == ALL - SENDERS);
    for (uint32_t i = 0; i < SENDERS; i++) {
        server_echo(run, i, 10);
    }
    server_end(fixture);
}

void conf_case_server_half_finished_frame_is_closed_idle(conf_run *run) {
    const uint8_t half[] = {20, 0, 1, 'h', 'a', 'l', 'f'};
    server_idle_case(run, half, sizeof half);
}

/* Sends frames without end and reads nothing, until the server has closed it for that. */
static void server_flood_until_closed(conf_run *run, server_fixture *fixture, uint32_t slot,
                                      rs_close_reason reason) {
    conf_side *client = &run->client;
    uint8_t *frames = conf_big_tx(client);
    uint32_t send = CONF_NOTHING;
    conf_wait wait = conf_wait_start(run);
    for (uint32_t i = 0; i < 16u; i++) {
        server_frame(frames + i * 4096u, 4096, i);
    }
    while (server_closed(fixture, reason) == 0) {
        if (send == CONF_NOTHING || conf_done(client, send)) {
            send = conf_must(client, conf_op_send(client, slot, frames, 16u * 4096u));
        }
        conf_wait_step(run, &wait, __FILE__, __LINE__, "the server closes it");
    }
}

/* Nothing more is read from it, and when no send has completed for a second it goes; no idle
 * timeout is needed for that. */
void conf_case_server_never_reader_ends_as_slow_consumer(conf_run *run) {
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = SERVER_SMALL_BUFFER});
    fixture->config.idle_timeout_ms = 0;
    fixture->config.queued_bytes_max = 4u * 4096u; /* the pool has blocks for more than that */
    server_start(fixture);
    server_connect(run, 0);
    server_connect(run, 1);
    server_flood_until_closed(run, fixture, 0, RS_CLOSE_SLOW_CONSUMER);
    CONF_CHECK(run, server_counters(fixture)->closed[RS_CLOSE_SLOW_CONSUMER] == 1);
    CONF_CHECK(run, server_counters(fixture)->pauses > 0);
    server_echo(run, 1, 100); /* nobody else is disturbed */
    server_end(fixture);
}

/* A client that sends the side's big buffer again and again, and reads as fast as it can. */
typedef struct server_reader {
    uint32_t send, recv; /* ops, or CONF_NOTHING */
    uint64_t sent, got;
} server_reader;

static void server_reader_step(conf_run *run, uint32_t slot, server_reader *reader, uint32_t bytes,
                               uint64_t total) {
    conf_side *client = &run->client;
    if (reader->sent < total && (reader->send == CONF_NOTHING || conf_done(client, reader->send))) {
        reader->send = conf_must(client, conf_op_send(client, slot, conf_big_tx(client), bytes));
        reader->sent += bytes;
    }
    if (reader->recv != CONF_NOTHING && conf_done(client, reader->recv)) {
        const conf_op *done = conf_result(client, reader->recv);
        const uint8_t *back = conf_rx(client, slot);

        CONF_STATUS(run, done->status, RS_OK);
        CONF_CHECK(run, done->bytes > 0);
        for (uint32_t i = 0; i < done->bytes; i++) {
            CONF_CHECK(run, back[i] == conf_big_tx(client)[(reader->got + i) % bytes]);
        }
        reader->got += done->bytes;
        reader->recv = CONF_NOTHING;
    }
    if (reader->recv == CONF_NOTHING && reader->got < total) {
        reader->recv = conf_recv(client, slot);
    }
}

/* The server sends two small blocks a turn and could read sixteen times that: it reads no more than
 * its queue has room for, and closes nobody who reads. */
void conf_case_server_deep_pipelines_of_long_frames_are_served(conf_run *run) {
    enum { READERS = 16, DEPTH = 8, ROUNDS = 2, FRAME = RS_FRAME_BYTES_MAX };
    server_fixture *fixture = server_make(run, NULL);
    server_reader readers[READERS] = {{0}};
    const uint64_t total = (uint64_t)ROUNDS * DEPTH * FRAME;
    uint64_t got = 0;

    fixture->config.frame_bytes_max = FRAME;
    fixture->config.send_block_bytes = 4096;
    fixture->config.sessions_max = 64;
    fixture->frozen_ns = conf_now_ns(run);
    server_start(fixture);
    for (uint32_t i = 0; i < DEPTH; i++) {
        server_frame(conf_big_tx(&run->client) + (size_t)i * FRAME, FRAME, i);
    }
    for (uint32_t i = 0; i < READERS; i++) {
        server_connect(run, i);
        readers[i].send = readers[i].recv = CONF_NOTHING;
    }
    conf_wait wait = conf_wait_start(run);
    while (got < READERS * total) {
        got = 0;
        for (uint32_t i = 0; i < READERS; i++) {
            server_reader_step(run, i, &readers[i], DEPTH * FRAME, total);
            got += readers[i].got;
        }
        conf_wait_step(run, &wait, __FILE__, __LINE__, "every frame comes back");
    }
    CONF_CHECK(run, server_counters(fixture)->messages_out == READERS * ROUNDS * DEPTH);
    /* With a logic thread, the ring to it may be full before any queue is. */
    CONF_CHECK(run, run->logic_thread || server_counters(fixture)->pauses > 0);
    server_end(fixture);
}

/* Sends from the side's big buffer, whatever it holds, until nothing moves any more or `bytes_max`
 * are out. Returns the bytes that were submitted; the last send may still be in flight. */
static uint64_t server_send_until_stuck(conf_run *run, server_fixture *fixture, uint32_t slot,
                                        uint64_t bytes_max) {
    conf_side *client = &run->client;
    uint64_t sent = 0, read;
    uint32_t send;
    do {
        send =
            conf_must(client, conf_op_send(client, slot, conf_big_tx(client), SERVER_BULK_BYTES));
        sent += SERVER_BULK_BYTES;
        for (uint32_t quiet = 0; quiet < SERVER_QUIET_RESTS; quiet++) {
            read = server_counters(fixture)->bytes_in;
            if (conf_done_or_settled(run, client, send)) {
                break;
            }
            /* What the server reads is no completion of ours. */
            quiet = server_counters(fixture)->bytes_in == read ? quiet : 0;
        }
    } while (conf_done(client, send) && conf_result(client, send)->status == RS_OK &&
             sent < bytes_max);
    return sent;
}

/* 64 of the longest frames at once, and all of them back. */
static void server_echo_deep(conf_run *run, uint32_t slot) {
    conf_side *client = &run->client;
    const uint32_t total = 64u * 4096u;
    uint8_t *back = conf_big_rx(client);
    uint32_t sent = conf_must(client, conf_op_send(client, slot, conf_big_tx(client), total));
    uint32_t got = 0;
    while (got < total) {
        uint32_t recv = conf_must(client, conf_op_recv(client, slot, back + got, total - got));

        CONF_WAIT(run, conf_done(client, recv));
        CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
        CONF_CHECK(run, conf_result(client, recv)->bytes > 0);
        got += conf_result(client, recv)->bytes;
    }
    CONF_CHECK(run, memcmp(back, conf_big_tx(client), total) == 0);
    CONF_WAIT(run, conf_done(client, sent));
}

/* Clients that never read, as many as there may be but for four, and hardly a block beyond the
 * reserves: who reads is served, however much it sends ahead, and whoever comes is taken in. */
void conf_case_server_greedy_clients_leave_others_their_blocks(conf_run *run) {
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = SERVER_SMALL_BUFFER});
    conf_side *client = &run->client;
    fixture->config.send_blocks = SERVER_LEAST_BLOCKS;
    fixture->config.idle_timeout_ms = 0; /* some say nothing for as long as the others flood */
    server_start(fixture);
    for (uint32_t i = 0; i < 64u; i++) {
        server_frame(conf_big_tx(client) + i * 4096u, 4096, i);
    }
    server_connect(run, 0);
    server_connect(run, 1);
    for (uint32_t i = 4; i < 16u; i++) {
        server_connect(run, i);
        (void)server_send_until_stuck(run, fixture, i, 16u * 1024u * 1024u);
        server_echo(run, 0, 100);
    }
    server_connect(run, 2);
    server_connect(run, 3);
    for (uint32_t round = 0; round < 3u; round++) {
        for (uint32_t i = 0; i < 4u; i++) {
            server_echo_deep(run, i);
        }
    }
    CONF_CHECK(run, server_counters(fixture)->refused == 0);
    for (uint32_t i = 4; i < 16u; i++) {
        (void)conf_close(client, i, RS_OPF_ABORT);
    }
    /* One that was above its reserve for long may have been cut for who reads; one that was first
     * may have read ahead, over a logic thread's blocks, up to its own limit. */
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_RESET) +
                           server_closed(fixture, RS_CLOSE_NO_BUFFERS) +
                           server_closed(fixture, RS_CLOSE_SLOW_CONSUMER) ==
                       12u);
    server_echo_deep(run, 0);
    server_end(fixture);
}

/* Reads what the client was sent, which is what it sent: its big buffer, again and again. */
static void server_read_back(conf_run *run, uint32_t slot, uint64_t bytes_max, uint64_t *got) {
    conf_side *client = &run->client;
    uint8_t *back = conf_big_rx(client);
    while (*got < bytes_max) {
        uint32_t recv = conf_must(client, conf_op_recv(client, slot, back, SERVER_BULK_BYTES));
        uint32_t at = (uint32_t)(*got % SERVER_BULK_BYTES), bytes;

        CONF_WAIT(run, conf_done(client, recv));
        CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
        bytes = conf_result(client, recv)->bytes;
        CONF_CHECK(run, bytes > 0);
        for (uint32_t i = 0; i < bytes; i++) {
            CONF_CHECK(run, back[i] == conf_big_tx(client)[(at + i) % SERVER_BULK_BYTES]);
        }
        *got += bytes;
    }
}

/* The server was away (stopped, suspended) while a session waited for room in its queue: what the
 * client has read meanwhile counts, and that nothing was sent in that time does not. */
void conf_case_server_reader_is_served_after_the_server_was_away(conf_run *run) {
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = SERVER_SMALL_BUFFER});
    uint64_t sent, got = 0;
    fixture->config.queued_bytes_max = 5u * 4096u;
    fixture->config.idle_timeout_ms = 0;
    fixture->frozen_ns = conf_now_ns(run);
    server_start(fixture);
    for (uint32_t i = 0; i < SERVER_BULK_BYTES / 4096u; i++) {
        server_frame(conf_big_tx(&run->client) + (size_t)i * 4096u, 4096, i);
    }
    server_connect(run, 0);
    sent = server_send_until_stuck(run, fixture, 0, 32u * 1024u * 1024u);
    CONF_CHECK(run, server_counters(fixture)->pauses > 0);
    run->server_turn = NULL; /* away */
    server_read_back(run, 0, 4096, &got);
    conf_settle(run);
    fixture->away_ns += UINT64_C(60000000000);
    run->server_turn = server_turn;
    server_read_back(run, 0, sent, &got);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_SLOW_CONSUMER) == 0);
    server_disconnect(run, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_end(fixture);
}

/* Far longer than the server waits for who it does not wait for, turn by turn: no absence. */
static void server_wait_long(conf_run *run, server_fixture *fixture) {
    for (uint32_t i = 0; i < 10u; i++) {
        fixture->away_ns += (RS_AWAY_MS - 100u) * UINT64_C(1000000);
        conf_settle(run);
    }
}

/* A raw application, and with slow-consumer=pause any, reads no more than it can send on: its
 * client may pause for as long as it likes, and gets every byte. */
static void server_waits_case(conf_run *run, bool raw, uint32_t recv_bytes,
                              uint32_t queued_bytes_max) {
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = SERVER_SMALL_BUFFER});
    uint64_t sent, got = 0;
    fixture->config.app = raw ? rs_app_raw : rs_app_echo;
    fixture->config.pause_slow = !raw;
    fixture->frozen_ns = conf_now_ns(run);
    fixture->config.idle_timeout_ms = 0;
    fixture->config.recv_bytes = recv_bytes;
    fixture->config.frame_bytes_max = 4096;
    fixture->config.send_block_bytes = 4096;
    fixture->config.queued_bytes_max = queued_bytes_max;
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t i = 0; i < SERVER_BULK_BYTES / 4096u; i++) {
        server_frame(conf_big_tx(&run->client) + (size_t)i * 4096u, 4096, i);
    }
    sent = server_send_until_stuck(run, fixture, 0, 32u * 1024u * 1024u);
    CONF_CHECK(run, server_counters(fixture)->pauses > 0);
    server_wait_long(run, fixture);
    CONF_CHECK(run, server_counters(fixture)->closed[RS_CLOSE_SLOW_CONSUMER] == 0);
    server_read_back(run, 0, sent, &got);
    server_disconnect(run, 0);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_end(fixture);
}

void conf_case_server_raw_waits_for_who_does_not_read(conf_run *run) {
    server_waits_case(run, true, 0, RS_QUEUED_BYTES_DEFAULT);
}

void conf_case_server_raw_reads_no_more_than_it_may_queue(conf_run *run) {
    server_waits_case(run, true, 65536, 5000);
}

void conf_case_server_pause_waits_for_who_does_not_read(conf_run *run) {
    server_waits_case(run, false, 0, RS_QUEUED_BYTES_DEFAULT);
}

void conf_case_server_pause_reads_no_more_than_it_may_queue(conf_run *run) {
    server_waits_case(run, false, 65536, 5000);
}

/* ---- a relay: what comes from one goes to the other */

#define RELAY_READS 16u
#define RELAY_HOLDS_MAX (256u * 1024u)

typedef struct relay_app {
    conf_run *run;
    rs_session *end[2];
    uint32_t count, peak; /* of the bytes queued */
} relay_app;

static rs_session *relay_other(const relay_app *app, const rs_session *session) {
    return app->end[session == app->end[0] ? 1 : 0];
}

static void relay_open(void *ctx, rs_session *session) {
    relay_app *app = ctx;
    CONF_CHECK(app->run, app->count < 2u);
    app->end[app->count++] = session;
    if (app->count == 2u) {
        CONF_STATUS(app->run, rs_session_set_source(app->end[0], app->end[1]), RS_OK);
        CONF_STATUS(app->run, rs_session_set_source(app->end[1], app->end[0]), RS_OK);
    }
}

static void relay_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    relay_app *app = ctx;
    rs_session *to = relay_other(app, session);
    uint32_t queued = 0;
    CONF_STATUS(app->run, rs_session_send(to, data, bytes), RS_OK);
    (void)rs_session_queued_bytes(to, &queued);
    app->peak = queued > app->peak ? queued : app->peak;
}

static void relay_close(void *ctx, rs_session *session, rs_close_reason reason) {
    relay_app *app = ctx;
    rs_session *to = relay_other(app, session);
    (void)reason;
    app->end[session == app->end[0] ? 0 : 1] = NULL;
    if (to != NULL) {
        CONF_STATUS(app->run, rs_session_set_source(to, session), RS_E_CLOSED);
        (void)rs_session_close(to);
    }
}

/* The next bytes for the reader. True: they came without a turn of the relay. */
static bool relay_read(conf_run *run, uint64_t *got) {
    conf_side *client = &run->client;
    uint32_t recv = conf_must(client, conf_op_recv(client, 1, conf_rx(client, 1), 4096));
    bool there;
    run->server_turn = NULL;
    there = conf_done_or_settled(run, client, recv);
    run->server_turn = server_turn;
    CONF_WAIT(run, conf_done(client, recv));
    CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
    for (uint32_t i = 0; i < conf_result(client, recv)->bytes; i++) {
        CONF_CHECK(run,
                   conf_rx(client, 1)[i] == conf_big_tx(client)[(*got + i) % SERVER_BULK_BYTES]);
    }
    *got += conf_result(client, recv)->bytes;
    return there;
}

/* A sender that always has more, a reader that takes a little at a time. What counts is not time:
 * whenever the reader finds nothing, the relay had something to give. */
void conf_case_server_relay_holds_little_and_never_runs_dry(conf_run *run) {
    relay_app app = {.run = run};
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = SERVER_SMALL_BUFFER});
    uint64_t sent, got = 0;
    uint32_t looked = 0;
    fixture->config.app = (rs_app){.ctx = &app,
                                   .raw = true,
                                   .on_open = relay_open,
                                   .on_message = relay_message,
                                   .on_close = relay_close};
    fixture->config.pause_slow = true;
    fixture->config.idle_timeout_ms = 0;
    fixture->frozen_ns = conf_now_ns(run);
    server_start(fixture);
    server_connect(run, 0);
    server_connect(run, 1);
    CONF_WAIT(run, app.count == 2u);
    conf_fill(conf_big_tx(&run->client), SERVER_BULK_BYTES, 0);
    sent = server_send_until_stuck(run, fixture, 0, 32u * 1024u * 1024u);
    server_wait_long(run, fixture);
    CONF_CHECK(run, server_counters(fixture)->pauses > 0);
    for (uint32_t i = 0; i < RELAY_READS; i++) {
        const bool has_more = run->client.outstanding > 0; /* the sender's */
        const rs_sessions *table = rs_shard_sessions(fixture->shard);
        uint32_t holds = rs_sendq_bytes(&table->sendq_pool, &table->sessions[1].sendq);

        looked += has_more ? 1u : 0u;
        CONF_CHECK(run, relay_read(run, &got) || !has_more || holds > 0);
        conf_settle(run);
    }
    CONF_CHECK(run, looked > 0);
    server_read_back(run, 1, sent, &got);
    CONF_CHECK(run, app.peak <= RELAY_HOLDS_MAX && (app.peak > 0 || run->logic_thread));
    server_disconnect(run, 0);
    server_ends(run, 1); /* on_close ends the other */
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_LOCAL) == 1);
    server_end(fixture);
}

/* ---- broadcasts */

#define SERVER_CROWD 64u
#define SERVER_BROADCASTS 1000u

typedef struct server_crowd {
    rs_session *session[SERVER_CROWD];
    uint32_t count;
    uint32_t bytes; /* of each broadcast, 5 or more */
} server_crowd;

static void crowd_on_open(void *ctx, rs_session *session) {
    server_crowd *crowd = ctx;
    RS_ASSERT(crowd->count < SERVER_CROWD);
    crowd->session[crowd->count++] = session;
}

static void crowd_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    server_crowd *crowd = ctx;
    (void)reason;
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (crowd->session[i] == session) {
            crowd->session[i] = crowd->session[--crowd->count];
        }
    }
}

/* One message: a thousand broadcasts, numbered. */
static void crowd_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    server_crowd *crowd = ctx;
    (void)data;
    (void)bytes;
    for (uint32_t n = 0; n < SERVER_BROADCASTS; n++) {
        rs_shared shared;

        RS_ASSERT(rs_shared_acquire(session, &shared));
        server_frame(shared.data, crowd->bytes, n);
        for (uint32_t i = 0; i < crowd->count; i++) {
            (void)rs_shared_send(crowd->session[i], &shared, crowd->bytes);
        }
        rs_shared_release(session, &shared);
    }
}

static void server_broadcast_case(conf_run *run, uint32_t bytes) {
    server_crowd crowd = {.count = 0, .bytes = bytes};
    server_fixture *fixture = server_make(run, &(conf_setup){.conns = SERVER_CROWD});
    uint8_t expected[CONF_SLICE_BYTES];
    uint32_t part = CONF_SLICE_BYTES / bytes, done = 0;
    fixture->config.sessions_max = SERVER_CROWD;
    fixture->config.app = (rs_app){.ctx = &crowd,
                                   .on_open = crowd_on_open,
                                   .on_message = crowd_on_message,
                                   .on_close = crowd_on_close};
    server_start(fixture);
    for (uint32_t i = 0; i < SERVER_CROWD; i++) {
        server_connect(run, i);
    }
    CONF_WAIT(run, crowd.count == SERVER_CROWD);
    server_frame(expected, 5, 0);
    (void)conf_send(&run->client, 0, expected, 5);
    while (done < SERVER_BROADCASTS) {
        part = part < SERVER_BROADCASTS - done ? part : SERVER_BROADCASTS - done;
        for (uint32_t n = 0; n < part; n++) {
            server_frame(expected + n * bytes, bytes, done + n);
        }
        for (uint32_t i = 0; i < SERVER_CROWD; i++) {
            server_receive(run, i, part * bytes);
            CONF_CHECK(run, memcmp(conf_rx(&run->client, i), expected, part * bytes) == 0);
        }
        done += part;
    }
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        CONF_CHECK(run, server_counters(fixture)->closed[i] == 0);
    }
    server_end(fixture);
}

void conf_case_server_thousand_broadcasts_in_a_turn_close_nobody(conf_run *run) {
    server_broadcast_case(run, 5);
}

void conf_case_server_thousand_longer_broadcasts_close_nobody(conf_run *run) {
    server_broadcast_case(run, 200);
}

void conf_case_server_refuses_beyond_max_sessions(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.sessions_max = 4;
    server_start(fixture);
    for (uint32_t i = 0; i < 4u; i++) {
        server_connect(run, i);
        server_echo(run, i, 10);
    }
    for (uint32_t i = 4; i < 8u; i++) {
        server_connect(run, i); /* the kernel accepts; the server closes at once */
        server_ends(run, i);
    }
    CONF_CHECK(run, server_counters(fixture)->refused == 4u);
    server_disconnect(run, 2);
    CONF_WAIT(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_connect(run, 9); /* there is room for one again */
    for (uint32_t i = 0; i < 4u; i++) {
        server_echo(run, i == 2u ? 9u : i, 50);
    }
    server_end(fixture);
}

void conf_case_server_half_close_gets_every_reply(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    conf_side *client = &run->client;
    const uint32_t total = 50u * 1000u;
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t i = 0; i < 50u; i++) {
        server_frame(conf_big_tx(client) + i * 1000u, 1000, i);
    }
    uint32_t sent = conf_must(client, conf_op_send(client, 0, conf_big_tx(client), total));
    uint32_t shutdown = conf_shutdown(client, 0);
    uint32_t got = 0, recv;
    do {
        recv = conf_must(client, conf_op_recv(client, 0, conf_big_rx(client) + got, 65536));
        CONF_WAIT(run, conf_done(client, recv));
        CONF_STATUS(run, conf_result(client, recv)->status, RS_OK);
        got += conf_result(client, recv)->bytes;
    } while (conf_result(client, recv)->bytes > 0);
    CONF_CHECK(run, got == total);
    CONF_CHECK(run, memcmp(conf_big_rx(client), conf_big_tx(client), total) == 0);
    CONF_WAIT(run, conf_done(client, sent) && conf_done(client, shutdown));
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_PEER) == 1);
    server_end(fixture);
}

void conf_case_server_reset_is_counted(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    server_start(fixture);
    server_connect(run, 0);
    for (uint32_t i = 1; i <= 5u; i++) {
        server_connect(run, i);
        server_echo(run, i, 10);
        (void)conf_close(&run->client, i, RS_OPF_ABORT);
        CONF_WAIT(run, server_closed(fixture, RS_CLOSE_RESET) == i);
    }
    server_echo(run, 0, 10);
    server_end(fixture);
}

/* Everybody sends; the server is told to stop; every client gets whole frames as it sent them, as
 * many as the server took, and then the end. */
void conf_case_server_stop_under_load_drains(conf_run *run) {
    server_fixture *fixture = server_make(run, &(conf_setup){.sends = 1});
    conf_side *client = &run->client;
    uint32_t got[8] = {0}, recv[8];
    uint64_t echoed = 0;
    server_start(fixture);
    for (uint32_t i = 0; i < 8u; i++) {
        server_connect(run, i);
        server_echo(run, i, 100);
    }
    const rs_counters before = *server_counters(fixture);
    for (uint32_t i = 0; i < 8u; i++) {
        uint8_t *frames = conf_tx(client, i);

        for (uint32_t k = 0; k < 40u; k++) {
            server_frame(frames + k * 100u, 100, k);
        }
        (void)conf_must(client, conf_op_send(client, i, frames, 4000));
        recv[i] = conf_must(client, conf_op_recv(client, i, conf_rx(client, i), 4000));
    }
    CONF_WAIT(run, server_counters(fixture)->messages_in > before.messages_in);
    rs_shard_stop(fixture->shard);
    for (uint32_t i = 0; i < 8u; i++) {
        for (;;) {
            CONF_WAIT(run, conf_done(client, recv[i]));
            const conf_op *told = conf_result(client, recv[i]);
            got[i] += told->bytes;
            CONF_STATUS(run, told->status, RS_OK); /* an orderly end, though we still sent */
            if (told->bytes == 0 || got[i] == 4000u) {
                break;
            }
            recv[i] = conf_must(
                client, conf_op_recv(client, i, conf_rx(client, i) + got[i], 4000u - got[i]));
        }
        CONF_CHECK(run, memcmp(conf_rx(client, i), conf_tx(client, i), got[i]) == 0);
        CONF_CHECK(run, got[i] % 100u == 0); /* no frame was cut */
        echoed += got[i] / 100u;
        (void)conf_close(client, i, 0);
    }
    CONF_WAIT(run, !fixture->running);
    CONF_CHECK(run, echoed == server_counters(fixture)->messages_in - before.messages_in);
    server_end(fixture);
}

void conf_case_server_cycles_leave_nothing_behind(conf_run *run) {
    server_fixture *fixture = server_make(run, NULL);
    server_start(fixture);
    for (uint32_t i = 0; i < 300u; i++) {
        uint32_t slot = i % 16u;

        server_connect(run, slot);
        server_echo(run, slot, 3u + i);
        if (i % 3u == 0) {
            (void)conf_close(&run->client, slot, RS_OPF_ABORT);
        } else {
            (void)conf_close(&run->client, slot, 0);
        }
        CONF_WAIT(run, run->client.outstanding == 0);
    }
    CONF_WAIT(run, rs_shard_outstanding(fixture->shard) == 1u); /* the listener */
    CONF_CHECK(run, server_counters(fixture)->accepted == 300u);
    server_end(fixture);
}
