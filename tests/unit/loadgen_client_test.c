/* SPDX-License-Identifier: MIT */
/* One connection of the load generator against a kernel and a server played by hand: what it sends
 * is collected, and handed back whole, damaged, in pieces or in another order. A pass: each fault
 * in its own column and in no other, and every connection ends in a CLOSE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/frame.h"
#include "core/status.h"
#include "loadgen/loadgen_client.h"

#define FRAME 32u
#define DEPTH 4u
#define BLOCK (FRAME * DEPTH)
#define LONG 70000u /* of a message that no frame holds */
#define NOW UINT64_C(1000000000)

typedef struct client_bed {
    rs_load_settings settings;
    rs_load load;
    rs_client client;
    uint64_t sent_ns[64];
    uint8_t send_area[LONG];
    uint8_t recv_area[BLOCK];
    uint8_t wire[LONG]; /* what the client sent, not yet answered */
    uint32_t wire_bytes;
    rs_op recv; /* the RECV in flight; kind NONE = none */
    uint32_t connects, closes, aborts, fins;
    uint32_t send_short; /* so many bytes less are sent than asked */
    bool sends_wait;     /* a SEND's completion is kept in `sent` */
    rs_completion sent;
    rs_push push;
    uint64_t sum; /* of a server that is pushed to */
} client_bed;

static client_bed *bed_new(void) {
    client_bed *bed = calloc(1, sizeof *bed);
    assert_non_null(bed);
    bed->settings = (rs_load_settings){.connections = 1,
                                       .depth = DEPTH,
                                       .size = rs_sizes_one(FRAME),
                                       .churn_messages = 3,
                                       .verify = true,
                                       .coalesce = true,
                                       .sends_in_flight = 2};
    bed->load.settings = &bed->settings;
    bed->load.gate = RS_GATE_OPEN;
    bed->load.messages_left = UINT64_MAX;
    bed->load.lives_left = UINT64_MAX;
    bed->load.connect_permits = UINT64_MAX;
    bed->load.timeout_ns = bed->load.connect_timeout_ns = 1000;
    bed->load.not_done = bed->load.senders_left = 1;
    bed->load.block_bytes = bed->load.recv_bytes = BLOCK;
    rs_payload_init(&bed->load.payload, 1, &bed->settings.size, NULL);
    return bed;
}

/* Carries out what the client asks for; sends complete at once. */
static void bed_turn_at(client_bed *bed, uint64_t now_ns) {
    rs_op ops[RS_CLIENT_OPS_MAX];
    const uint32_t count = rs_client_emit(&bed->client, &bed->load, now_ns, ops);
    for (uint32_t i = 0; i < count; i++) {
        const rs_op *op = &ops[i];
        rs_completion done = {.kind = op->kind, .generation = op->generation, .tag = op->tag};

        switch (op->kind) {
        case RS_OP_CONNECT:
            bed->connects++;
            break;
        case RS_OP_RECV:
            assert_int_equal(bed->recv.kind, RS_OP_NONE);
            bed->recv = *op;
            break;
        case RS_OP_SEND:
            assert_true(bed->wire_bytes + op->bytes <= sizeof bed->wire);
            memcpy(bed->wire + bed->wire_bytes, op->u.data, op->bytes);
            bed->wire_bytes += op->bytes;
            done.bytes = op->bytes - bed->send_short;
            if (bed->sends_wait) {
                bed->sent = done;
                break;
            }
            rs_client_completed(&bed->client, &bed->load, &done, now_ns);
            break;
        case RS_OP_SHUTDOWN:
            bed->fins++;
            break;
        default:
            assert_int_equal(op->kind, RS_OP_CLOSE);
            bed->closes++;
            bed->aborts += (op->flags & RS_OPF_ABORT) != 0;
            break;
        }
    }
}

static void bed_turn(client_bed *bed) {
    bed_turn_at(bed, NOW);
}

static void bed_complete(client_bed *bed, rs_op_kind kind, rs_status status, uint32_t bytes) {
    const rs_completion done = {.kind = (uint8_t)kind,
                                .status = (uint16_t)status,
                                .generation = bed->client.generation,
                                .bytes = bytes};
    if (kind == RS_OP_RECV) {
        bed->recv.kind = RS_OP_NONE;
    }
    rs_client_completed(&bed->client, &bed->load, &done, NOW + 50u);
    bed_turn(bed);
}

static void bed_open(client_bed *bed) {
    rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                   BLOCK);
    bed->client.again = true;
    bed_turn(bed);
    assert_int_equal(bed->connects, 1);
    bed_complete(bed, RS_OP_CONNECT, RS_OK, 0);
}

static void bed_deliver(client_bed *bed, const uint8_t *data, uint32_t bytes) {
    while (bytes > 0) {
        const uint32_t part = bytes < bed->recv.bytes ? bytes : bed->recv.bytes;

        assert_int_equal(bed->recv.kind, RS_OP_RECV);
        memcpy(bed->recv.u.data, data, part);
        data += part;
        bytes -= part;
        bed_complete(bed, RS_OP_RECV, RS_OK, part);
    }
}

/* Takes the wire's bytes for a server that answers them. */
static uint32_t bed_take(client_bed *bed, uint8_t *out) {
    const uint32_t bytes = bed->wire_bytes;
    memcpy(out, bed->wire, bytes);
    bed->wire_bytes = 0;
    return bytes;
}

static uint64_t bed_faults(const client_bed *bed) {
    const rs_track_columns *c = &bed->load.columns;
    const rs_load_ends *e = &bed->load.ends;
    return c->lost + c->wrong + c->reordered + c->duplicated + e->refused + e->reset + e->closed +
           e->timed_out + e->failed;
}

static void test_client_open_fills_its_depth_in_one_send(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, BLOCK);
    assert_int_equal(bed->load.columns.sent, DEPTH);
    bed_turn(bed);
    assert_int_equal(bed->wire_bytes, BLOCK);
    free(bed);
}

static void test_client_whole_replies_are_ok_and_answered_by_new_requests(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->load.recording = true;
    bed_open(bed);
    for (uint32_t round = 0; round < 50; round++) {
        bed_deliver(bed, data, bed_take(bed, data));
    }
    assert_int_equal(bed->load.columns.ok, 50u * DEPTH);
    assert_int_equal(bed->load.measured, 50u * DEPTH);
    assert_int_equal(bed->load.uncorrected.count, 50u * DEPTH);
    assert_int_equal(bed->load.uncorrected.max, 50);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void run_trickle(rs_load_app app) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    bed->settings.app = app;
    bed_open(bed);
    for (uint32_t round = 0; round < 5; round++) {
        const uint32_t bytes = bed_take(bed, data);

        for (uint32_t i = 0; i < bytes; i++) {
            bed_deliver(bed, data + i, 1);
        }
    }
    assert_true(bed->load.columns.ok >= 5u * DEPTH - DEPTH);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_replies_byte_by_byte_are_ok(void **state) {
    (void)state;
    run_trickle(RS_LOAD_ECHO);
    run_trickle(RS_LOAD_RAW);
}

static void run_flip(rs_load_app app) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    uint32_t bytes;
    bed->settings.app = app;
    bed_open(bed);
    bytes = bed_take(bed, data);
    data[FRAME + 20] ^= 1;
    bed_deliver(bed, data, bytes);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_int_equal(bed->load.columns.ok, DEPTH - 1u);
    assert_int_equal(bed_faults(bed), 1);
    assert_true(bed->load.wrong.seen && bed->load.wrong.asked);
    assert_int_equal(bed->load.wrong.sequence, 1);
    assert_int_equal(bed->load.wrong.offset, 20);
    assert_int_equal(bed->load.wrong.got_bytes, FRAME);
    assert_int_equal(bed->load.wrong.got_shown, FRAME - 20u);
    assert_int_equal(bed->load.wrong.expected_shown, FRAME - 20u);
    assert_int_equal(bed->load.wrong.got[0], bed->load.wrong.expected[0] ^ 1);
    assert_memory_equal(bed->load.wrong.got + 1, bed->load.wrong.expected + 1, FRAME - 21u);
    free(bed);
}

static void test_client_flipped_byte_is_wrong(void **state) {
    (void)state;
    run_flip(RS_LOAD_ECHO);
    run_flip(RS_LOAD_RAW);
}

static void run_drop(rs_load_app app) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    bed->settings.app = app;
    bed_open(bed);
    (void)bed_take(bed, data);
    bed_deliver(bed, data, FRAME);
    bed_deliver(bed, data + 2u * FRAME, 2u * FRAME);
    assert_int_equal(bed_faults(bed), 0); /* it may still come */
    bed_deliver(bed, data, bed_take(bed, data));
    assert_true(bed->load.columns.outstanding > 0);
    (void)rs_client_tick(&bed->client, &bed->load, NOW + 100000u);
    assert_int_equal(bed->load.columns.lost, bed_faults(bed) - bed->load.ends.timed_out);
    assert_true(bed->load.columns.lost >= 1);
    assert_int_equal(bed->load.columns.wrong + bed->load.columns.reordered, 0);
    free(bed);
}

/* Its length is looked at even where its bytes are not. */
static void test_client_reply_of_another_size_is_wrong(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.verify = false;
    bed_open(bed);
    (void)bed_take(bed, data);
    (void)rs_frame_header(data, 1, FRAME - 1u - RS_FRAME_HEADER_BYTES);
    bed_deliver(bed, data, FRAME - 1u);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_int_equal(bed->load.columns.ok, 0);
    assert_int_equal(bed_faults(bed), 1);
    free(bed);
}

static void test_client_send_that_is_cut_short_is_a_failure(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->send_short = 1;
    bed_open(bed);
    assert_int_equal(bed->load.ends.failed, 1);
    assert_int_equal(bed_faults(bed), 1u + DEPTH); /* and its requests are lost */
    free(bed);
}

static void test_client_dropped_reply_is_lost(void **state) {
    (void)state;
    run_drop(RS_LOAD_ECHO);
    run_drop(RS_LOAD_RAW);
}

static void test_client_duplicated_reply_is_duplicated(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed_open(bed);
    (void)bed_take(bed, data);
    bed_deliver(bed, data, FRAME);
    bed_deliver(bed, data, FRAME);
    bed_deliver(bed, data + FRAME, 3u * FRAME);
    assert_int_equal(bed->load.columns.duplicated, 1);
    assert_int_equal(bed->load.columns.ok, DEPTH);
    assert_int_equal(bed_faults(bed), 1);
    free(bed);
}

static void test_client_swapped_replies_are_reordered(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed_open(bed);
    (void)bed_take(bed, data);
    bed_deliver(bed, data + FRAME, FRAME);
    bed_deliver(bed, data, FRAME);
    bed_deliver(bed, data + 2u * FRAME, 2u * FRAME);
    assert_int_equal(bed->load.columns.reordered, 1);
    assert_int_equal(bed_faults(bed), 1);
    free(bed);
}

static void test_client_reply_of_impossible_length_ends_the_connection(void **state) {
    static const uint8_t hopeless[] = {1, 0, 0};
    client_bed *bed = bed_new();
    (void)state;
    bed_open(bed);
    bed_deliver(bed, hopeless, sizeof hopeless);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_int_equal(bed->load.columns.lost, DEPTH);
    assert_int_equal(bed->closes, 1);
    free(bed);
}

static void test_client_servers_end_of_stream_is_closed_and_its_debts_lost(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed_open(bed);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    assert_int_equal(bed->load.ends.closed, 1);
    assert_int_equal(bed->load.columns.lost, DEPTH);
    assert_int_equal(bed->closes, 1);
    bed_complete(bed, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed->client.state, RS_CLIENT_DONE);
    assert_int_equal(bed->load.not_done, 0);
    free(bed);
}

static void test_client_reset_is_reset(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed_open(bed);
    bed_complete(bed, RS_OP_RECV, RS_E_RESET, 0);
    assert_int_equal(bed->load.ends.reset, 1);
    assert_int_equal(bed_faults(bed), 1u + DEPTH);
    free(bed);
}

static void test_client_refused_connection_is_refused_and_closed(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                   BLOCK);
    bed->client.again = true;
    bed_turn(bed);
    bed_complete(bed, RS_OP_CONNECT, RS_E_REFUSED, 0);
    assert_int_equal(bed->load.ends.refused, 1);
    assert_int_equal(bed_faults(bed), 1);
    assert_int_equal(bed->closes, 1);
    free(bed);
}

static void test_client_without_a_local_port_tries_again(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->load.connect_timeout_ns = 1000000000;
    rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                   BLOCK);
    bed->client.again = true;
    bed_turn(bed);
    bed_complete(bed, RS_OP_CONNECT, RS_E_ADDRESS, 0);
    bed_complete(bed, RS_OP_CLOSE, RS_OK, 0);
    assert_false(rs_client_tick(&bed->client, &bed->load, NOW + 60u));
    assert_true(rs_client_tick(&bed->client, &bed->load, NOW + 200000000u));
    bed_turn(bed);
    assert_int_equal(bed->connects, 2);
    assert_int_equal(bed->load.ends.port_waits, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_silent_server_times_out(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed_open(bed);
    assert_false(rs_client_tick(&bed->client, &bed->load, NOW + 999u));
    assert_true(rs_client_tick(&bed->client, &bed->load, NOW + 1000u));
    assert_int_equal(bed->load.ends.timed_out, 1);
    assert_int_equal(bed->load.columns.lost, DEPTH);
    bed_turn(bed);
    assert_int_equal(bed->closes, 1);
    free(bed);
}

static void test_client_churn_closes_after_its_messages_and_connects_again(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.churn = true;
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, 3u * FRAME);
    bed_deliver(bed, data, bed_take(bed, data));
    assert_int_equal(bed->closes, 1);
    assert_int_equal(bed->aborts, 0);
    bed->recv.kind = RS_OP_NONE;
    bed_complete(bed, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed->connects, 2);
    assert_int_equal(bed->load.ends.lives, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_of_the_reset_role_aborts_and_abandons(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->settings.reset_percent = 100;
    bed->settings.churn_messages = 1;
    bed_open(bed);
    bed_turn(bed);
    assert_int_equal(bed->aborts, 1);
    assert_int_equal(bed->load.columns.abandoned, 1);
    assert_int_equal(bed->load.ends.resets_made, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

/* An abort would take back what the kernel does not have yet: the server would see no request. */
static void test_client_of_the_reset_role_waits_for_its_sends(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->settings.reset_percent = 100;
    bed->settings.churn_messages = 1;
    bed->sends_wait = true;
    bed_open(bed);
    bed_turn(bed);
    assert_int_equal(bed->sent.kind, RS_OP_SEND);
    assert_int_equal(bed->closes, 0);
    rs_client_completed(&bed->client, &bed->load, &bed->sent, NOW);
    bed_turn(bed);
    assert_int_equal(bed->aborts, 1);
    assert_int_equal(bed->load.ends.resets_made, 1);
    free(bed);
}

static void test_client_at_the_first_gate_sends_one_and_is_served_by_any_reply(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->load.gate = RS_GATE_FIRST;
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, FRAME);
    assert_true(rs_client_awaits_first(&bed->client, &bed->load));
    (void)bed_take(bed, data);
    data[FRAME - 1u] ^= 1; /* wrong, but it was served */
    bed_deliver(bed, data, FRAME);
    assert_false(rs_client_awaits_first(&bed->client, &bed->load));
    assert_int_equal(bed->wire_bytes, 0);
    bed->load.gate = RS_GATE_OPEN;
    bed_turn(bed);
    assert_int_equal(bed->wire_bytes, BLOCK);
    free(bed);
}

static void test_client_that_dies_at_the_first_gate_awaits_nothing(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->load.gate = RS_GATE_FIRST;
    bed_open(bed);
    bed_complete(bed, RS_OP_RECV, RS_E_RESET, 0);
    assert_false(rs_client_awaits_first(&bed->client, &bed->load));
    assert_int_equal(bed->load.ends.reset, 1);
    free(bed);
}

static void test_client_at_the_first_gate_keeps_to_the_messages_left(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->load.gate = RS_GATE_FIRST;
    bed->load.messages_left = 0;
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, 0);
    assert_int_equal(bed->load.messages_left, 0);
    assert_false(rs_client_awaits_first(&bed->client, &bed->load));
    free(bed);
}

/* Or the run would wait at the gate for one that has gone. */
static void test_client_misbehaves_only_behind_the_first_gate(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.reset_percent = 100;
    bed->settings.churn_messages = 1;
    bed->load.gate = RS_GATE_FIRST;
    bed_open(bed);
    bed_turn(bed);
    assert_int_equal(bed->closes, 0);
    bed_deliver(bed, data, bed_take(bed, data));
    assert_int_equal(bed->load.first_replies, 1);
    bed->load.gate = RS_GATE_OPEN;
    bed_turn(bed);
    bed_turn(bed);
    assert_int_equal(bed->aborts, 1);
    assert_int_equal(bed->load.columns.abandoned, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_of_the_half_close_role_takes_the_tail(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.half_close_percent = 100;
    bed->settings.churn_messages = 1;
    bed_open(bed);
    assert_int_equal(bed->fins, 1);
    assert_int_equal(bed->closes, 0);
    bed_deliver(bed, data, bed_take(bed, data));
    assert_int_equal(bed->closes, 0);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    assert_int_equal(bed->closes, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_half_close_with_a_missing_tail_is_lost(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->settings.half_close_percent = 100;
    bed->settings.churn_messages = 1;
    bed_open(bed);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    assert_int_equal(bed->load.columns.lost, 1);
    assert_int_equal(bed->load.ends.closed, 1);
    free(bed);
}

static void test_client_slow_reader_pauses_and_may_be_dropped(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.slow_percent = 100;
    bed_open(bed);
    (void)bed_take(bed, data);
    assert_true(bed->recv.bytes < BLOCK);
    memcpy(bed->recv.u.data, data, FRAME);
    bed_complete(bed, RS_OP_RECV, RS_OK, FRAME);
    assert_int_equal(bed->recv.kind, RS_OP_NONE);
    bed_turn_at(bed, NOW + 1000000000u);
    assert_int_equal(bed->recv.kind, RS_OP_RECV);
    bed_complete(bed, RS_OP_RECV, RS_E_RESET, 0);
    assert_int_equal(bed->load.ends.slow_dropped, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static void test_client_slow_reader_never_answered_is_a_failure(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->settings.slow_percent = 100;
    bed_open(bed);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    assert_int_equal(bed->load.ends.slow_dropped, 0);
    assert_int_equal(bed->load.ends.closed, 1);
    bed_complete(bed, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed->load.not_done, 0);
    free(bed);
}

static void test_client_finish_sees_a_reply_too_many(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    uint32_t bytes;
    (void)state;
    bed_open(bed);
    bed->load.gate = RS_GATE_SHUT;
    bed->load.ending = true;
    bytes = bed_take(bed, data);
    bed_deliver(bed, data, bytes);
    rs_client_finish(&bed->client, &bed->load, NOW, false);
    bed_turn(bed);
    assert_int_equal(bed->fins, 1);
    bed_deliver(bed, data + 3u * FRAME, FRAME);
    assert_int_equal(bed->load.columns.duplicated, 1);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    bed_complete(bed, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed->load.not_done, 0);
    free(bed);
}

/* Neither the beginning of a frame nor a whole one. */
static client_bed *bed_of_long_messages(void) {
    client_bed *bed = bed_new();
    bed->settings.app = RS_LOAD_RAW;
    bed->settings.size = rs_sizes_one(LONG);
    bed->settings.depth = bed->settings.sends_in_flight = 1;
    bed->load.block_bytes = LONG;
    rs_payload_init(&bed->load.payload, 1, &bed->settings.size, NULL);
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, LONG);
    return bed;
}

/* Each byte as it comes, in whatever pieces: here at most BLOCK. */
static void test_client_long_reply_is_checked_in_pieces(void **state) {
    static const uint32_t flips[] = {LONG, 0, 2, 3, 14, 15, BLOCK, 65535, LONG - 1u};
    static uint8_t data[LONG];
    (void)state;
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        client_bed *bed = bed_of_long_messages();
        const rs_load_wrong *wrong = &bed->load.wrong;
        const bool flipped = flips[i] < LONG;

        (void)bed_take(bed, data);
        data[flipped ? flips[i] : 0] ^= flipped ? 1 : 0;
        bed_deliver(bed, data, LONG - 1u);
        assert_int_equal(bed->load.columns.ok, 0); /* it is not whole */
        bed_deliver(bed, data + LONG - 1u, 1);
        assert_int_equal(bed->load.columns.ok, flipped ? 0 : 1);
        assert_int_equal(bed->load.columns.wrong, flipped ? 1 : 0);
        assert_int_equal(wrong->seen, flipped);
        assert_true(!flipped ||
                    (wrong->offset == flips[i] && wrong->got[0] == (wrong->expected[0] ^ 1u)));
        bed_deliver(bed, data, bed_take(bed, data)); /* the next one is itself again */
        assert_int_equal(bed->load.columns.ok, flipped ? 1 : 2);
        free(bed);
    }
}

static void test_client_byte_behind_a_long_reply_ends_the_connection(void **state) {
    static uint8_t data[LONG];
    client_bed *bed = bed_of_long_messages();
    (void)state;
    bed->load.gate = RS_GATE_SHUT;
    bed_deliver(bed, data, bed_take(bed, data));
    assert_int_equal(bed->load.columns.ok, 1);
    bed_deliver(bed, data, 1);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_false(bed->load.wrong.asked);
    assert_int_equal(bed_faults(bed), 1);
    assert_int_equal(bed->closes, 1);
    free(bed);
}

static void test_client_alone_sends_each_request_by_itself(void **state) {
    client_bed *bed = bed_new();
    rs_op ops[RS_CLIENT_OPS_MAX];
    (void)state;
    bed->settings.coalesce = false;
    bed->load.gate = RS_GATE_SHUT;
    bed_open(bed);
    bed->load.gate = RS_GATE_OPEN;
    assert_int_equal(rs_client_emit(&bed->client, &bed->load, NOW, ops), 2); /* --sends-in-flight */
    assert_int_equal(ops[0].bytes, FRAME);
    assert_int_equal(ops[1].bytes, FRAME);
    assert_int_equal(bed->load.columns.sent, 2);
    free(bed);
}

static void test_client_silent_one_takes_no_bytes(void **state) {
    uint8_t frame[FRAME] = {0};
    (void)state;
    (void)rs_frame_header(frame, 1, FRAME - RS_FRAME_HEADER_BYTES);
    for (uint32_t bytes = 1; bytes <= FRAME; bytes += FRAME - 1u) {
        client_bed *bed = bed_new();

        rs_client_init(&bed->client, &bed->load, 0, NULL, NULL, bed->recv_area, 64);
        bed->load.senders_left = 0;
        bed->client.again = true;
        bed_turn(bed);
        bed_complete(bed, RS_OP_CONNECT, RS_OK, 0);
        assert_int_equal(bed->load.columns.sent, 0);
        bed_deliver(bed, frame, bytes);
        assert_int_equal(bed->load.columns.wrong, 1);
        free(bed);
    }
}

/* An open loop of 1,000 messages a second on one connection, served but for the plan. */
static client_bed *bed_planned(void) {
    client_bed *bed = bed_new();
    bed->settings.rate = 1000;
    bed->load.plan = (rs_plan){.start_ns = NOW, .rate = 1000, .connections = 1};
    bed->load.recording = true;
    bed_open(bed);
    return bed;
}

static void bed_due(client_bed *bed, uint32_t count, uint64_t now_ns) {
    bed->client.due += count;
    bed_turn_at(bed, now_ns);
}

/* The replies to all that is on the wire, at now_ns. */
static void bed_answer(client_bed *bed, uint64_t now_ns) {
    uint8_t data[BLOCK];
    const uint32_t bytes = bed_take(bed, data);
    const rs_completion done = {
        .kind = RS_OP_RECV, .generation = bed->client.generation, .bytes = bytes};
    assert_true(bytes <= bed->recv.bytes);
    memcpy(bed->recv.u.data, data, bytes);
    bed->recv.kind = RS_OP_NONE;
    rs_client_completed(&bed->client, &bed->load, &done, now_ns);
    bed_turn_at(bed, now_ns);
}

/* Message 0 is due at NOW and goes out 5 ms late, its reply comes 1 ms after that: 6 ms corrected,
 * 1 ms from the actual send, 5 ms of pacing error. */
static void test_client_corrected_latency_counts_from_the_intended_send(void **state) {
    client_bed *bed = bed_planned();
    (void)state;
    bed_due(bed, 1, NOW + 5000000u);
    bed_answer(bed, NOW + 6000000u);
    assert_int_equal(bed->load.corrected.count, 1);
    assert_int_equal(bed->load.corrected.max, 6000000);
    assert_int_equal(bed->load.uncorrected.max, 1000000);
    assert_int_equal(bed->load.pacing.count, 1);
    assert_int_equal(bed->load.pacing.max, 5000000);
    free(bed);
}

/* Messages 0 to 3 fill the window; 4 and 5 become due behind it and wait for replies: their delay
 * is the server's and not the pacing's, and the corrected latency holds it. */
static void test_client_held_up_by_its_window_has_no_pacing_error(void **state) {
    client_bed *bed = bed_planned();
    (void)state;
    bed_due(bed, DEPTH, NOW + 3000000u);
    assert_int_equal(bed->load.pacing.count, DEPTH);
    bed_due(bed, 2, NOW + 5000000u);
    bed_answer(bed, NOW + 50000000u);
    assert_int_equal(bed->load.columns.sent, DEPTH + 2u);
    assert_int_equal(bed->load.pacing.count, DEPTH);
    assert_int_equal(bed->load.pacing.max, 3000000);
    bed_answer(bed, NOW + 51000000u);
    assert_int_equal(bed->load.corrected.max, 50000000);
    bed_due(bed, 1, NOW + 60000000u); /* message 6, due at 6 ms: the window is free again */
    assert_int_equal(bed->load.pacing.count, DEPTH + 1u);
    assert_int_equal(bed->load.pacing.max, 54000000);
    free(bed);
}

/* 100 were due in 0.1 s and 4 sent: 96 never were, and have waited 0 to 95 ms when the time ends.
 */
static void test_client_counts_what_was_never_sent(void **state) {
    client_bed *bed = bed_planned();
    (void)state;
    bed_due(bed, 100, NOW + 99000000u);
    assert_int_equal(bed->load.columns.sent, DEPTH);
    rs_client_count_unsent(&bed->client, &bed->load, NOW + 99000000u, NOW + 99000000u, 1000);
    assert_int_equal(bed->load.never_sent, 96);
    assert_int_equal(bed->load.corrected.count, 96);
    assert_int_equal(bed->load.corrected.max, 95000000);
    assert_int_equal(bed->load.corrected.min, 0);
    assert_in_range(rs_histogram_percentile(&bed->load.corrected, 50000), 46000000, 49000000);
    free(bed);
}

static void test_client_counts_the_unsent_in_a_few_entries_and_within_messages_left(void **state) {
    client_bed *bed = bed_planned();
    (void)state;
    bed->load.messages_left = 10 + DEPTH;
    bed_due(bed, 100, NOW + 99000000u);
    rs_client_count_unsent(&bed->client, &bed->load, NOW + 99000000u, NOW + 99000000u, 3);
    assert_int_equal(bed->load.never_sent, 10);
    assert_int_equal(bed->load.corrected.count, 10);
    assert_in_range(bed->load.corrected.min, 86000000, 88000000);
    assert_in_range(bed->load.corrected.max, 92000000, 95000000);
    free(bed);
}

static void test_client_tail_counts_for_latency_and_not_for_the_rate(void **state) {
    client_bed *bed = bed_planned();
    (void)state;
    bed_due(bed, 2, NOW + 1000000u);
    bed->load.tail = true;
    bed_answer(bed, NOW + 2000000u);
    assert_int_equal(bed->load.measured, 0);
    assert_int_equal(bed->load.corrected.count, 2);
    free(bed);
}

/* EADDRNOTAVAIL, EADDRINUSE, and what Windows says when a range of ports is used up. */
static void test_client_any_shortage_of_ports_is_a_wait_for_one(void **state) {
    static const rs_status shortages[] = {RS_E_ADDRESS, RS_E_ADDRESS_IN_USE, RS_E_NO_BUFFERS};
    (void)state;
    for (size_t i = 0; i < sizeof shortages / sizeof shortages[0]; i++) {
        client_bed *bed = bed_new();

        bed->load.connect_timeout_ns = 1000000000;
        rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                       BLOCK);
        bed->client.again = true;
        bed_turn(bed);
        bed_complete(bed, RS_OP_CONNECT, shortages[i], 0);
        assert_int_equal(bed->load.ends.port_waits, 1);
        assert_int_equal(bed_faults(bed), 0);
        free(bed);
    }
}

static rs_op bed_connects(client_bed *bed) {
    rs_op ops[RS_CLIENT_OPS_MAX];
    rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                   BLOCK);
    bed->client.again = true;
    assert_int_equal(rs_client_emit(&bed->client, &bed->load, NOW, ops), 1);
    assert_int_equal(ops[0].kind, RS_OP_CONNECT);
    return ops[0];
}

static void test_client_connects_from_each_source_in_turn(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    assert_int_equal(bed_connects(bed).flags, 0);
    bed->settings.route[0][1] = (rs_addr){.ip = 0x7F000002u};
    bed->settings.sources = 3;
    bed->load.connects = 0;
    for (uint32_t i = 0; i < 7; i++) {
        const rs_op op = bed_connects(bed);

        assert_int_equal(op.flags, RS_OPF_FROM);
        assert_int_equal(rs_op_from(&op).ip, 0x7F000002u + i % 3u);
    }
    free(bed);
}

/* A wrong reply is answered by no sooner request than a right one. */
static void test_client_thinks_between_a_reply_and_its_next_request(void **state) {
    client_bed *bed = bed_new();
    uint8_t data[BLOCK];
    (void)state;
    bed->settings.depth = 1;
    bed->load.think = (rs_plan_think){.mean_ns = 1000};
    bed_open(bed);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(bed_take(bed, data), FRAME);
        data[20] ^= i == 3;
        bed_deliver(bed, data, FRAME);
        assert_int_equal(bed->wire_bytes, 0);
        bed_turn_at(bed, NOW + 1049u); /* the reply came at NOW + 50 */
        assert_int_equal(bed->wire_bytes, 0);
        bed_turn_at(bed, NOW + 1050u);
        assert_int_equal(bed->load.columns.sent, i + 2u);
    }
    assert_int_equal(bed->load.columns.wrong, 1);
    free(bed);
}

static void test_client_connects_when_it_may(void **state) {
    client_bed *bed = bed_new();
    (void)state;
    bed->load.connect_permits = 0;
    rs_client_init(&bed->client, &bed->load, 0, bed->sent_ns, bed->send_area, bed->recv_area,
                   BLOCK);
    bed->client.again = true;
    bed_turn(bed);
    assert_int_equal(bed->connects, 0);
    assert_true(bed->client.again);
    bed->load.connect_permits = 1;
    bed_turn(bed);
    assert_int_equal(bed->connects, 1);
    assert_int_equal(bed->load.connect_permits, 0);
    free(bed);
}

/* ---- messages without replies */

static client_bed *bed_pushing(void) {
    client_bed *bed = bed_new();
    bed->settings.reply = rs_sizes_one(0);
    rs_payload_init(&bed->load.payload, 1, &bed->settings.size, &bed->settings.reply);
    bed->load.block_bytes = BLOCK + RS_PUSH_ASK_BYTES;
    bed->load.push = &bed->push;
    bed->load.recording = true;
    return bed;
}

/* Serves what is on the wire, up to the first receipt, but for message `drop` of it; damages
 * message `flip`. UINT32_MAX: none. Returns how many messages there were. */
static uint32_t bed_serve(client_bed *bed, uint32_t drop, uint32_t flip) {
    uint8_t *data = bed->wire, reply[RS_RECEIPT_BYTES];
    uint32_t at = 0, count = 0;
    while (at < bed->wire_bytes) {
        const uint32_t bytes = data[at] | (uint32_t)data[at + 1] << 8;
        const uint32_t type = data[at + 2];

        if (type == 3) {
            rs_receipt(rs_sum_add(bed->sum, data + at + 3, bytes - 3u), reply);
            bed->sum = 0;
            at += bytes;
            break;
        }
        assert_int_equal(bytes, FRAME);
        assert_int_equal(type, 2);
        data[at + FRAME - 1u] ^= count == flip ? 1 : 0;
        bed->sum = count == drop ? bed->sum : rs_sum_add(bed->sum, data + at + 5, FRAME - 5u);
        at += bytes;
        count++;
    }
    assert_true(count > 0);
    memmove(data, data + at, bed->wire_bytes - at);
    bed->wire_bytes -= at;
    bed_deliver(bed, reply, sizeof reply);
    return count;
}

static void test_client_pushes_a_window_and_moves_on_by_receipts(void **state) {
    client_bed *bed = bed_pushing();
    (void)state;
    bed_open(bed);
    assert_int_equal(bed->load.columns.sent, DEPTH);
    assert_int_equal(bed->wire_bytes, DEPTH * FRAME + 2u * RS_PUSH_ASK_BYTES);
    for (uint32_t i = 0; i < 100; i++) {
        const uint64_t before = bed->load.columns.ok;
        const uint32_t count = bed_serve(bed, UINT32_MAX, UINT32_MAX);

        assert_int_equal(bed->load.columns.ok, before + count);
        assert_int_equal(bed->load.columns.outstanding, DEPTH);
    }
    assert_int_equal(bed_faults(bed), 0);
    assert_int_equal(bed->load.measured, bed->load.columns.ok);
    assert_int_equal(bed->load.measured_sent_bytes, FRAME * bed->load.measured);
    assert_int_equal(bed->load.measured_received_bytes, 0);
    assert_int_equal(bed->load.uncorrected.count, 0);
    /* The gate shuts: all that is sent is proven. */
    bed->load.gate = RS_GATE_SHUT;
    for (uint32_t i = 0; bed->load.columns.outstanding > 0; i++) {
        assert_true(i < DEPTH);
        (void)bed_serve(bed, UINT32_MAX, UINT32_MAX);
    }
    assert_int_equal(bed->load.columns.ok, bed->load.columns.sent);
    assert_int_equal(bed->wire_bytes, 0);
    free(bed);
}

/* Messages are due by the plan; none has a latency, sent or not. */
static void test_client_pushes_when_it_is_due(void **state) {
    client_bed *bed = bed_pushing();
    (void)state;
    bed->settings.rate = 1000;
    bed->load.plan = (rs_plan){.start_ns = NOW, .rate = 1000, .connections = 1};
    bed_open(bed);
    assert_int_equal(bed->load.columns.sent, 0);
    bed->client.due = 2;
    bed_turn(bed);
    assert_int_equal(bed->load.columns.sent, 2);
    assert_int_equal(bed_serve(bed, UINT32_MAX, UINT32_MAX), 2);
    assert_int_equal(bed->load.columns.ok, 2);
    rs_client_count_unsent(&bed->client, &bed->load, NOW + 4500000u, NOW + 5000000u, 4);
    assert_int_equal(bed->load.never_sent, 3); /* five were due */
    assert_int_equal(bed->load.corrected.count + bed->load.uncorrected.count, 0);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

static client_bed *bed_of_a_sink(void) {
    client_bed *bed = bed_new();
    bed->settings.app = RS_LOAD_RAW;
    bed->settings.reply = rs_sizes_one(0);
    bed->settings.sends_in_flight = 1;
    bed->load.recording = true;
    bed->sends_wait = true;
    bed_open(bed);
    return bed;
}

static void test_client_of_a_sink_counts_what_the_kernel_took(void **state) {
    client_bed *bed = bed_of_a_sink();
    (void)state;
    assert_int_equal(bed->load.columns.sent, DEPTH);
    assert_int_equal(bed->load.columns.ok, 0);
    for (uint32_t i = 1; i < 50; i++) {
        rs_client_completed(&bed->client, &bed->load, &bed->sent, NOW);
        assert_int_equal(bed->load.columns.ok, i * DEPTH);
        bed_turn(bed);
        bed->wire_bytes = 0;
    }
    assert_int_equal(bed->load.measured_sent_bytes, 49u * DEPTH * FRAME);
    assert_int_equal(bed->load.uncorrected.count, 0);
    assert_int_equal(bed_faults(bed), 0);
    (void)rs_client_tick(&bed->client, &bed->load, NOW + 100000u); /* it takes no more */
    assert_int_equal(bed->load.columns.lost, DEPTH);
    assert_int_equal(bed->load.ends.timed_out, 1);
    free(bed);
}

static void test_client_of_a_sink_that_answers_is_wrong(void **state) {
    static const uint8_t byte = 0;
    client_bed *bed = bed_of_a_sink();
    (void)state;
    rs_client_completed(&bed->client, &bed->load, &bed->sent, NOW);
    bed_deliver(bed, &byte, 1);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_true(bed->load.wrong.seen && !bed->load.wrong.asked);
    assert_int_equal(bed->closes, 1);
    assert_int_equal(bed_faults(bed), 1);
    free(bed);
}

static void run_push_fault(bool flip) {
    client_bed *bed = bed_pushing();
    uint64_t ok;
    uint32_t count;
    bed_open(bed);
    (void)bed_serve(bed, UINT32_MAX, UINT32_MAX);
    ok = bed->load.measured;
    count = bed_serve(bed, flip ? UINT32_MAX : 0, flip ? 0 : UINT32_MAX);
    assert_int_equal(bed->load.columns.lost, flip ? 0 : 1);
    assert_int_equal(bed->load.columns.wrong, flip ? 1 : 0);
    assert_int_equal(bed_faults(bed), 1);
    assert_int_equal(bed->load.measured, ok); /* nothing of it is proven */
    assert_true(bed->load.wrong.seen);
    assert_int_equal(bed->load.wrong.pushed, count);
    assert_int_equal(bed->load.wrong.pushed_lost, flip ? 0 : 1);
    assert_int_equal(bed->load.wrong.sequence, ok);
    (void)bed_serve(bed, UINT32_MAX, UINT32_MAX); /* the next ones are for themselves */
    assert_int_equal(bed_faults(bed), 1);
    assert_true(bed->load.measured > ok);
    free(bed);
}

static void test_client_lost_push_is_lost(void **state) {
    (void)state;
    run_push_fault(false);
}

static void test_client_damaged_push_is_wrong(void **state) {
    (void)state;
    run_push_fault(true);
}

static void test_client_pushes_one_at_the_first_gate(void **state) {
    client_bed *bed = bed_pushing();
    (void)state;
    bed->load.gate = RS_GATE_FIRST;
    bed_open(bed);
    assert_int_equal(bed->wire_bytes, FRAME + RS_PUSH_ASK_BYTES);
    assert_true(rs_client_awaits_first(&bed->client, &bed->load));
    (void)bed_serve(bed, UINT32_MAX, UINT32_MAX);
    assert_int_equal(bed->load.first_replies, 1);
    assert_false(rs_client_awaits_first(&bed->client, &bed->load));
    free(bed);
}

/* Its stream ends behind what asks for the last receipt. */
static void test_client_half_close_waits_until_all_pushes_are_asked_for(void **state) {
    client_bed *bed = bed_pushing();
    uint32_t sent = 0;
    (void)state;
    bed->settings.half_close_percent = 100;
    bed->settings.churn_messages = 3;
    bed_open(bed);
    for (uint32_t i = 0; bed->load.columns.outstanding > 0; i++) {
        assert_true(i < 8);
        sent += bed_serve(bed, UINT32_MAX, UINT32_MAX);
        assert_true(bed->fins == 0 || bed->push.unasked.frames == 0);
    }
    assert_int_equal(bed->fins, 1);
    assert_int_equal(bed->load.columns.ok, sent);
    bed_complete(bed, RS_OP_RECV, RS_OK, 0);
    assert_int_equal(bed->closes, 1);
    assert_int_equal(bed_faults(bed), 0);
    free(bed);
}

/* A server without --sized-replies sends it back. */
static void test_client_push_that_comes_back_is_wrong(void **state) {
    client_bed *bed = bed_pushing();
    uint8_t data[sizeof bed->wire];
    uint32_t bytes;
    (void)state;
    bed_open(bed);
    bytes = bed_take(bed, data);
    assert_true(bytes >= FRAME);
    bed_deliver(bed, data, FRAME);
    assert_int_equal(bed->load.columns.wrong, 1);
    assert_int_equal(bed->load.columns.ok, 0);
    assert_true(bed->load.wrong.seen);
    assert_int_equal(bed->load.wrong.pushed, 0);
    assert_int_equal(bed->closes, 1);
    free(bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_open_fills_its_depth_in_one_send),
        cmocka_unit_test(test_client_thinks_between_a_reply_and_its_next_request),
        cmocka_unit_test(test_client_connects_when_it_may),
        cmocka_unit_test(test_client_pushes_a_window_and_moves_on_by_receipts),
        cmocka_unit_test(test_client_pushes_when_it_is_due),
        cmocka_unit_test(test_client_of_a_sink_counts_what_the_kernel_took),
        cmocka_unit_test(test_client_of_a_sink_that_answers_is_wrong),
        cmocka_unit_test(test_client_lost_push_is_lost),
        cmocka_unit_test(test_client_damaged_push_is_wrong),
        cmocka_unit_test(test_client_pushes_one_at_the_first_gate),
        cmocka_unit_test(test_client_half_close_waits_until_all_pushes_are_asked_for),
        cmocka_unit_test(test_client_push_that_comes_back_is_wrong),
        cmocka_unit_test(test_client_whole_replies_are_ok_and_answered_by_new_requests),
        cmocka_unit_test(test_client_replies_byte_by_byte_are_ok),
        cmocka_unit_test(test_client_flipped_byte_is_wrong),
        cmocka_unit_test(test_client_reply_of_another_size_is_wrong),
        cmocka_unit_test(test_client_send_that_is_cut_short_is_a_failure),
        cmocka_unit_test(test_client_dropped_reply_is_lost),
        cmocka_unit_test(test_client_duplicated_reply_is_duplicated),
        cmocka_unit_test(test_client_swapped_replies_are_reordered),
        cmocka_unit_test(test_client_reply_of_impossible_length_ends_the_connection),
        cmocka_unit_test(test_client_servers_end_of_stream_is_closed_and_its_debts_lost),
        cmocka_unit_test(test_client_reset_is_reset),
        cmocka_unit_test(test_client_refused_connection_is_refused_and_closed),
        cmocka_unit_test(test_client_without_a_local_port_tries_again),
        cmocka_unit_test(test_client_silent_server_times_out),
        cmocka_unit_test(test_client_churn_closes_after_its_messages_and_connects_again),
        cmocka_unit_test(test_client_of_the_reset_role_aborts_and_abandons),
        cmocka_unit_test(test_client_of_the_reset_role_waits_for_its_sends),
        cmocka_unit_test(test_client_at_the_first_gate_sends_one_and_is_served_by_any_reply),
        cmocka_unit_test(test_client_that_dies_at_the_first_gate_awaits_nothing),
        cmocka_unit_test(test_client_at_the_first_gate_keeps_to_the_messages_left),
        cmocka_unit_test(test_client_misbehaves_only_behind_the_first_gate),
        cmocka_unit_test(test_client_of_the_half_close_role_takes_the_tail),
        cmocka_unit_test(test_client_half_close_with_a_missing_tail_is_lost),
        cmocka_unit_test(test_client_slow_reader_pauses_and_may_be_dropped),
        cmocka_unit_test(test_client_slow_reader_never_answered_is_a_failure),
        cmocka_unit_test(test_client_finish_sees_a_reply_too_many),
        cmocka_unit_test(test_client_long_reply_is_checked_in_pieces),
        cmocka_unit_test(test_client_byte_behind_a_long_reply_ends_the_connection),
        cmocka_unit_test(test_client_alone_sends_each_request_by_itself),
        cmocka_unit_test(test_client_silent_one_takes_no_bytes),
        cmocka_unit_test(test_client_corrected_latency_counts_from_the_intended_send),
        cmocka_unit_test(test_client_held_up_by_its_window_has_no_pacing_error),
        cmocka_unit_test(test_client_counts_what_was_never_sent),
        cmocka_unit_test(test_client_counts_the_unsent_in_a_few_entries_and_within_messages_left),
        cmocka_unit_test(test_client_tail_counts_for_latency_and_not_for_the_rate),
        cmocka_unit_test(test_client_any_shortage_of_ports_is_a_wait_for_one),
        cmocka_unit_test(test_client_connects_from_each_source_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
