/* SPDX-License-Identifier: MIT */
/* The session table against a kernel played by hand (session_bed.h): each test drives one
 * situation and passes when the ops wanted, the bytes offered, the counters and the close reason
 * are exactly those that the design asks for, and nothing is left in use at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/frame.h"
#include "unit/session_bed.h"

static uint32_t make_frame(uint8_t *out, uint32_t payload_bytes, uint8_t fill) {
    uint32_t bytes = rs_frame_header(out, 1, payload_bytes);
    memset(out + RS_FRAME_HEADER_BYTES, fill, payload_bytes);
    return bytes;
}

/* A session that has asked for its first receive. */
static uint32_t open_one(bed *b, uint32_t sends_in_flight) {
    bed_init(b, 1000, true, sends_in_flight);
    uint32_t conn = bed_open(b);
    (void)bed_collect(b);
    return conn;
}

/* One more frame has come, of 13 bytes in all, and its echo is under way. */
static void echo_one(bed *b, uint32_t conn) {
    uint8_t frame[16];
    (void)bed_receive(b, conn, frame, make_frame(frame, 10, 1));
    (void)bed_collect(b);
}

/* Its peer has ended, and its CLOSE has not completed in time: the escalation is asked for. */
static void open_with_close_that_hangs(bed *b) {
    uint32_t conn = open_one(b, 1);
    bed_finish(b, bed_find(b, conn, RS_OP_RECV), RS_OK, 0);
    (void)bed_collect(b);
    assert_int_equal(bed_count(b, conn, RS_OP_CLOSE), 1);
    bed_advance_ms(b, RS_CLOSE_STRAGGLER_MS + 100);
    (void)bed_collect(b);
    assert_int_equal(bed_count(b, conn, RS_OP_CLOSE), 2); /* of which one completes */
}

/* Finishes whatever is outstanding in the way an orderly close does, until the table is empty. */
static void run_to_free(bed *b) {
    for (uint32_t round = 0; round < 100 && b->table.used_count > 0; round++) {
        (void)bed_collect(b);
        while (b->outstanding_count > 0) {
            rs_op op = b->outstanding[0];
            bool aborts = op.kind == RS_OP_RECV;
            bed_finish(b, 0, aborts ? RS_E_ABORTED : RS_OK, op.kind == RS_OP_SEND ? op.bytes : 0);
        }
        bed_advance_ms(b, 300);
    }
    assert_int_equal(b->table.used_count, 0);
    assert_int_equal(b->table.open_count, 0);
    assert_true(bed_is_idle(b));
    assert_int_equal(b->table.timers.armed_count, 0);
    assert_int_equal(b->opened, b->closed);
}

static void test_session_open_asks_for_one_receive(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 2);
    conn = bed_open(&b);
    assert_int_equal(bed_collect(&b), 1);
    assert_int_equal(b.outstanding[0].kind, RS_OP_RECV);
    assert_int_equal(b.outstanding[0].bytes, BED_RECV_BYTES);
    assert_int_equal(b.outstanding[0].region, 7);
    assert_ptr_equal(b.outstanding[0].u.data, b.recv + conn * BED_RECV_BYTES);
    assert_int_equal(bed_collect(&b), 0);
    assert_int_equal(b.opened, 1);
    run_to_free(&b);
}

/* Of a table with one session so far: an open one has counted the same. */
static void check_bytes(const bed *b, uint32_t conn, uint32_t bytes) {
    rs_counters counted = {0};
    rs_sessions_add_counters(&b->table, &counted);
    assert_int_equal(counted.bytes_in, bytes);
    assert_int_equal(counted.bytes_out, bytes);
    if (b->table.open_count == 1) {
        rs_peer peer;
        const rs_session *session = &b->sessions[conn].handle;
        assert_int_equal(rs_session_peer(session, &peer), RS_OK);
        assert_int_equal(peer.bytes_in, bytes);
        assert_int_equal(peer.bytes_out, bytes);
    }
}

static void test_session_echo_is_right_at_every_split(void **state) {
    uint8_t stream[96];
    uint32_t bytes = 0;
    (void)state;
    bytes += make_frame(stream, 0, 0);
    bytes += make_frame(stream + bytes, 17, 0xA1);
    bytes += make_frame(stream + bytes, 60, 0xB2);
    for (uint32_t split = 1; split < bytes; split++) {
        bed b;
        uint8_t out[sizeof stream];
        uint32_t got = 0;
        uint32_t conn;
        bed_init(&b, 1000, true, 1);
        conn = bed_open(&b);
        (void)bed_collect(&b);
        assert_int_equal(bed_receive(&b, conn, stream, split), split);
        (void)bed_collect(&b);
        assert_int_equal(bed_receive(&b, conn, stream + split, bytes - split), bytes - split);
        for (uint32_t i = 0; i < 10 && got < bytes; i++) {
            uint32_t at;
            (void)bed_collect(&b);
            at = bed_find(&b, conn, RS_OP_SEND);
            assert_int_not_equal(at, UINT32_MAX);
            memcpy(out + got, b.outstanding[at].u.data, b.outstanding[at].bytes);
            got += b.outstanding[at].bytes;
            bed_finish(&b, at, RS_OK, b.outstanding[at].bytes);
        }
        assert_int_equal(got, bytes);
        assert_memory_equal(out, stream, bytes);
        assert_int_equal(b.messages, 3);
        assert_int_equal(b.table.counters.messages_in, 3);
        check_bytes(&b, conn, bytes);
        run_to_free(&b);
        check_bytes(&b, conn, bytes);
    }
}

static void test_session_longest_frame_byte_by_byte_fits(void **state) {
    bed b;
    uint8_t frame[BED_RECV_BYTES];
    uint32_t bytes = make_frame(frame, BED_RECV_BYTES - RS_FRAME_HEADER_BYTES, 0x5C);
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.echo = false;
    conn = bed_open(&b);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < bytes; i++) {
            (void)bed_collect(&b);
            assert_int_equal(bed_receive(&b, conn, frame + i, 1), 1);
        }
    }
    assert_int_equal(b.messages, 3);
    run_to_free(&b);
}

static void test_session_partial_frame_moves_only_when_it_must(void **state) {
    bed b;
    uint8_t stream[160];
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.echo = false;
    conn = bed_open(&b);
    (void)bed_collect(&b);
    /* 40 whole bytes, then 10 of a frame of 40: it still fits behind its beginning. */
    (void)make_frame(stream, 37, 1);
    (void)make_frame(stream + 40, 37, 2);
    (void)bed_receive(&b, conn, stream, 50);
    (void)bed_collect(&b);
    assert_int_equal(b.table.counters.moved_bytes, 0);
    (void)bed_receive(&b, conn, stream + 50, 30);
    assert_int_equal(b.messages, 2);
    /* 40 whole bytes, then 80 bytes of a frame of 100: 40 + 100 > 128, so it moves. */
    (void)bed_collect(&b);
    (void)make_frame(stream, 37, 3);
    (void)make_frame(stream + 40, 85, 4);
    (void)bed_receive(&b, conn, stream, 120);
    assert_int_equal(b.messages, 3);
    (void)bed_collect(&b);
    assert_int_equal(b.table.counters.moved_bytes, 0);
    (void)bed_receive(&b, conn, stream + 120, 8);
    assert_int_equal(b.messages, 4);
    (void)bed_collect(&b);
    (void)make_frame(stream, 37, 5);
    (void)make_frame(stream + 40, 97, 6);
    (void)bed_receive(&b, conn, stream, 120);
    (void)bed_collect(&b);
    assert_int_equal(b.table.counters.moved_bytes, 80);
    run_to_free(&b);
}

static void test_session_malformed_frame_ends_only_that_session(void **state) {
    static const uint8_t bad[][3] = {{0, 0, 0}, {1, 0, 9}, {2, 0, 9}, {129, 0, 9}, {255, 255, 9}};
    (void)state;
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bed b;
        uint32_t victim, other;
        bed_init(&b, 1000, true, 1);
        victim = bed_open(&b);
        other = bed_open(&b);
        (void)bed_collect(&b);
        (void)bed_receive(&b, victim, bad[i], 3);
        assert_int_equal(b.table.counters.closed[RS_CLOSE_PROTOCOL], 1);
        assert_int_equal(b.table.open_count, 1);
        assert_int_equal(b.sessions[other].state, RS_SESSION_OPEN);
        (void)bed_collect(&b);
        assert_int_equal(bed_count(&b, victim, RS_OP_CLOSE), 1);
        assert_int_equal(bed_count(&b, other, RS_OP_CLOSE), 0);
        run_to_free(&b);
    }
}

static void test_session_frames_before_a_bad_one_are_answered(void **state) {
    bed b;
    uint8_t stream[16];
    uint32_t conn, at;
    (void)state;
    conn = open_one(&b, 1);
    (void)make_frame(stream, 5, 9);
    memset(stream + 8, 0, 3);
    (void)bed_receive(&b, conn, stream, 11);
    (void)bed_collect(&b);
    at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_not_equal(at, UINT32_MAX);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 0);
    bed_finish(&b, at, RS_OK, 8);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1);
    run_to_free(&b);
}

static void test_session_silence_ends_it_as_idle(void **state) {
    bed b;
    (void)state;
    (void)open_one(&b, 1);
    bed_advance_ms(&b, 900);
    assert_int_equal(b.table.open_count, 1);
    bed_advance_ms(&b, 200);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_IDLE], 1);
    run_to_free(&b);
}

static void test_session_half_frame_in_drops_is_idle_too(void **state) {
    bed b;
    uint8_t frame[64];
    uint32_t conn = open_one(&b, 1);
    (void)state;
    (void)make_frame(frame, 60, 1);
    for (uint32_t i = 0; i < 12 && b.table.open_count == 1; i++) {
        (void)bed_collect(&b);
        (void)bed_receive(&b, conn, frame + i, 1);
        bed_advance_ms(&b, 100);
    }
    assert_int_equal(b.table.counters.closed[RS_CLOSE_IDLE], 1);
    run_to_free(&b);
}

static void test_session_whole_frames_keep_it_alive(void **state) {
    bed b;
    uint8_t frame[8];
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.echo = false;
    conn = bed_open(&b);
    (void)make_frame(frame, 1, 1);
    for (uint32_t i = 0; i < 30; i++) {
        (void)bed_collect(&b);
        (void)bed_receive(&b, conn, frame, 4);
        bed_advance_ms(&b, 900);
    }
    assert_int_equal(b.table.open_count, 1);
    assert_int_equal(b.messages, 30);
    run_to_free(&b);
}

/* What the application sends of itself waits for nobody. */
static void test_session_own_sends_beyond_the_limit_end_it_at_once(void **state) {
    bed b;
    uint8_t frame[64] = {0};
    uint32_t conn;
    (void)state;
    bed_init(&b, 150, true, 1);
    conn = bed_open(&b);
    for (uint32_t i = 0; i < 3; i++) {
        (void)bed_collect(&b);
        assert_int_equal(rs_session_send(&b.sessions[conn].handle, frame, 60),
                         i < 2 ? RS_OK : RS_E_FULL);
    }
    assert_int_equal(b.table.counters.closed[RS_CLOSE_SLOW_CONSUMER], 1);
    (void)bed_collect(&b);
    assert_int_not_equal(bed_find(&b, conn, RS_OP_CLOSE), UINT32_MAX);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_CLOSE)].flags, RS_OPF_ABORT);
    run_to_free(&b);
}

static void test_session_kernel_without_buffers_ends_it_as_no_buffers(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_E_NO_BUFFERS, 0);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_NO_BUFFERS], 1);
    run_to_free(&b);
}

static void test_session_short_send_ends_it_as_truncated(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    echo_one(&b, conn);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 12);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_TRUNCATED_SEND], 1);
    run_to_free(&b);
}

static void test_session_reset_is_counted_in_either_direction(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_E_RESET, 0);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_RESET], 1);
    run_to_free(&b);
    conn = bed_open(&b);
    (void)bed_collect(&b);
    echo_one(&b, conn);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_E_RESET, 0);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_RESET], 2);
    run_to_free(&b);
}

static void test_session_half_close_delivers_the_tail_first(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    echo_one(&b, conn);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 0);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 13);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_CLOSE)].flags, 0);
    run_to_free(&b);
}

static void test_session_local_close_shuts_down_and_waits_for_the_peer(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    rs_session_close(&b.sessions[conn].handle);
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_SHUTDOWN), 1);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 0);
    (void)bed_receive(&b, conn, (const uint8_t *)"xyz", 3); /* thrown away */
    assert_int_equal(b.messages, 0);
    (void)bed_collect(&b);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1);
    run_to_free(&b);
}

static void test_session_rejected_is_flushed_and_ends_as_protocol(void **state) {
    bed b;
    uint32_t conn = open_one(&b, 1);
    (void)state;
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "no", 2), RS_OK);
    rs_session_reject(&b.sessions[conn].handle);
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_PROTOCOL);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_PROTOCOL], 1);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_SEND), 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 2);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1); /* without a wait for the peer's FIN */
    run_to_free(&b);
}

static void test_session_close_that_hangs_is_forced(void **state) {
    bed b;
    uint32_t conn, at;
    (void)state;
    conn = open_one(&b, 1);
    echo_one(&b, conn);
    rs_session_close(&b.sessions[conn].handle); /* its send never completes */
    (void)bed_collect(&b);
    bed_advance_ms(&b, 300);
    (void)bed_collect(&b);
    at = bed_find(&b, conn, RS_OP_CLOSE);
    assert_int_not_equal(at, UINT32_MAX);
    assert_int_equal(b.outstanding[at].flags, RS_OPF_ABORT);
    assert_int_equal(b.table.counters.escalated_closes, 1);
    run_to_free(&b);
}

static void test_session_plain_close_that_hangs_is_escalated_once(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    open_with_close_that_hangs(&b);
    bed_advance_ms(&b, RS_CLOSE_STRAGGLER_MS - 100);
    assert_int_equal(b.table.quarantined, 0);
    bed_advance_ms(&b, 200);
    assert_int_equal(bed_collect(&b), 0);
    assert_int_equal(b.table.quarantined, 1); /* nothing harder is left: nobody waits for it */
    assert_int_equal(b.table.used_count, 1);
    bed_advance_ms(&b, 10 * RS_CLOSE_STRAGGLER_MS);
    assert_int_equal(b.table.counters.quarantined, 1); /* given up once */
    b.outstanding_count = 1; /* the first CLOSE is the one with a completion, however late */
    bed_finish(&b, 0, RS_OK, 0);
    assert_int_equal(b.table.quarantined, 0);
    run_to_free(&b);
    conn = bed_open(&b);
    assert_false(b.sessions[conn].quarantined);
}

/* The escalation finds the close through already: what the slot waits for is still to come. */
static void test_session_refused_escalation_leaves_the_close_to_complete(void **state) {
    bed b;
    (void)state;
    open_with_close_that_hangs(&b);
    b.outstanding_count = 1;
    rs_sessions_refused(&b.table, &b.outstanding[1], RS_E_CLOSED);
    assert_int_equal(b.table.used_count, 1);
    assert_int_equal(b.table.counters.refused_ops, 1);
    bed_finish(&b, 0, RS_OK, 0);
    assert_int_equal(b.table.used_count, 0);
    assert_int_equal(b.table.counters.stale_completions, 0);
    run_to_free(&b);
}

static void test_session_slot_rests_until_its_close_completes(void **state) {
    bed b;
    uint32_t conn[BED_SLOTS - 2];
    (void)state;
    bed_init(&b, 1000, true, 1);
    for (uint32_t i = 0; i < BED_SLOTS - 2; i++) {
        conn[i] = bed_open(&b);
        assert_int_not_equal(conn[i], UINT32_MAX);
    }
    assert_int_equal(bed_open(&b), UINT32_MAX); /* sessions_max */
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < BED_SLOTS - 2; i++) {
        bed_finish(&b, bed_find(&b, conn[i], RS_OP_RECV), RS_E_RESET, 0);
    }
    (void)bed_collect(&b);
    /* All of them close; two slots of slack are left. */
    assert_int_not_equal(bed_open(&b), UINT32_MAX);
    assert_int_not_equal(bed_open(&b), UINT32_MAX);
    assert_int_equal(bed_open(&b), UINT32_MAX);
    bed_finish(&b, bed_find(&b, conn[0], RS_OP_CLOSE), RS_OK, 0);
    assert_int_equal(bed_open(&b), conn[0]);
    run_to_free(&b);
}

static void test_session_stale_ids_and_completions_are_dropped(void **state) {
    bed b;
    uint32_t conn;
    rs_session_id old;
    rs_completion late;
    (void)state;
    bed_init(&b, 1000, true, 1);
    conn = bed_open(&b);
    old = rs_session_id_of(&b.sessions[conn].handle);
    assert_ptr_equal(rs_sessions_find(&b.table, old), &b.sessions[conn]);
    assert_null(rs_sessions_find(&b.table, 0));
    assert_null(rs_sessions_find(&b.table, old + ((uint64_t)1 << 52)));
    assert_null(rs_sessions_find(&b.table, rs_session_id_make(3, RS_SESSIONS_MAX - 1, 1)));
    (void)bed_collect(&b);
    late = (rs_completion){.kind = RS_OP_RECV,
                           .conn = conn,
                           .generation = b.sessions[conn].handle.generation - 1,
                           .bytes = 5};
    (void)rs_sessions_complete(&b.table, &late, 1);
    late.conn = 12345;
    (void)rs_sessions_complete(&b.table, &late, 1);
    assert_int_equal(b.table.counters.stale_completions, 2);
    assert_true(b.sessions[conn].recv_in_flight);
    run_to_free(&b);
    assert_null(rs_sessions_find(&b.table, old));
}

static void test_session_generation_wraps_past_zero(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.sessions[0].handle.generation = UINT32_MAX;
    conn = bed_open(&b);
    assert_int_equal(conn, 0);
    run_to_free(&b);
    assert_int_equal(b.sessions[0].handle.generation, 1);
}

static void test_session_gathers_behind_a_send_in_flight(void **state) {
    bed b;
    uint8_t frame[8];
    uint32_t conn, at;
    (void)state;
    conn = open_one(&b, 1);
    (void)make_frame(frame, 5, 1);
    for (uint32_t i = 0; i < 5; i++) {
        (void)bed_collect(&b);
        (void)bed_receive(&b, conn, frame, 8);
    }
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_SEND), 1);
    at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_equal(b.outstanding[at].bytes, 8);
    bed_finish(&b, at, RS_OK, 8);
    (void)bed_collect(&b);
    at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_equal(b.outstanding[at].bytes, 32); /* four messages in one send */
    run_to_free(&b);
}

static void test_session_without_coalescing_sends_each_alone(void **state) {
    bed b;
    uint8_t stream[32];
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, false, 4);
    conn = bed_open(&b);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < 4; i++) {
        (void)make_frame(stream + i * 8, 5, (uint8_t)i);
    }
    (void)bed_receive(&b, conn, stream, 32);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_SEND), 4);
    run_to_free(&b);
}

static void test_session_shared_block_is_freed_by_its_last_send(void **state) {
    bed b;
    rs_shared shared;
    uint32_t conn[3];
    (void)state;
    bed_init(&b, 1000, true, 1);
    for (uint32_t i = 0; i < 3; i++) {
        conn[i] = bed_open(&b);
    }
    assert_true(rs_shared_acquire(&b.sessions[conn[0]].handle, &shared));
    memset(shared.data, 0x77, 10);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(rs_shared_send(&b.sessions[conn[i]].handle, &shared, 10), RS_OK);
    }
    rs_shared_release(&b.sessions[conn[0]].handle, &shared);
    assert_int_equal(b.blocks.free_count, BED_BLOCKS - 1);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t at = bed_find(&b, conn[i], RS_OP_SEND);
        assert_ptr_equal(b.outstanding[at].u.data,
                         b.outstanding[bed_find(&b, conn[2], RS_OP_SEND)].u.data);
        assert_int_equal(b.outstanding[at].u.data[9], 0x77);
        assert_int_equal(b.blocks.free_count, BED_BLOCKS - 1);
        bed_finish(&b, at, RS_OK, 10);
    }
    assert_int_equal(b.blocks.free_count, BED_BLOCKS);
    run_to_free(&b);
}

/* A release too many takes nobody's reference: not that of a send under way, not that of whoever
 * has the block next. */
static void test_session_release_of_a_shared_block_twice_is_refused(void **state) {
    bed b, other;
    rs_shared shared, copy, next;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    conn = bed_open(&b);
    rs_session *session = &b.sessions[conn].handle;
    assert_true(rs_shared_acquire(session, &shared));
    memset(shared.data, 0x77, 40);
    copy = shared;
    assert_int_equal(rs_shared_send(session, &shared, 40), RS_OK);
    rs_shared_release(session, &shared);
    assert_null(shared.data);
    for (uint32_t i = 0; i < 3; i++) { /* its send is still to be done */
        rs_shared_release(session, i == 0 ? &copy : &shared);
        assert_int_equal(b.table.counters.refused_releases, i + 1);
        assert_int_equal(rs_shared_send(session, i == 0 ? &copy : &shared, 40), RS_E_INVALID);
    }
    (void)bed_collect(&b);
    const uint32_t at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_equal(b.outstanding[at].bytes, 40);
    assert_int_equal(b.outstanding[at].u.data[39], 0x77);
    bed_finish(&b, at, RS_OK, 40);
    assert_int_equal(b.blocks.free_count, BED_BLOCKS);
    assert_true(rs_shared_acquire(session, &next));
    assert_int_equal(next.index, copy.index); /* the same block, another use of it */
    rs_shared_release(session, &copy);
    assert_int_equal(rs_shared_send(session, &copy, 5), RS_E_INVALID);
    assert_int_equal(b.blocks.free_count, BED_BLOCKS - 1);
    bed_init(&other, 1000, true, 1); /* its first block has the same numbers */
    (void)bed_open(&other);
    rs_shared strange;
    do {
        assert_true(rs_shared_acquire(&other.sessions[0].handle, &strange));
        strange.generation = next.generation;
    } while (strange.index != next.index);
    assert_int_equal(rs_shared_send(session, &strange, 5), RS_E_INVALID);
    rs_shared_release(session, &strange);
    assert_int_equal(b.blocks.free_count, BED_BLOCKS - 1);
    assert_int_equal(b.table.counters.refused_releases, 5);
    rs_shared_release(session, &next);
    assert_int_equal(b.table.counters.refused_releases, 5);
    assert_int_equal(b.blocks.free_count, BED_BLOCKS);
    assert_int_equal(b.sessions[conn].state, RS_SESSION_OPEN);
    assert_int_equal(bed_collect(&b), 0); /* nothing of it all was sent */
    run_to_free(&b);
}

static void test_session_nothing_is_appended_to_a_shared_block(void **state) {
    bed b;
    rs_shared shared;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    conn = bed_open(&b);
    assert_true(rs_shared_acquire(&b.sessions[conn].handle, &shared));
    memset(shared.data, 0x77, 10);
    assert_int_equal(rs_shared_send(&b.sessions[conn].handle, &shared, 10), RS_OK);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "abc", 3), RS_OK);
    rs_shared_release(&b.sessions[conn].handle, &shared);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_SEND)].bytes, 10);
    run_to_free(&b);
}

/* Three sessions, their receives out. */
enum { AUDIENCE = 3 };

static void open_audience(bed *b, uint32_t queued_max) {
    bed_init(b, queued_max, true, 2);
    for (uint32_t i = 0; i < AUDIENCE; i++) {
        assert_int_not_equal(bed_open(b), UINT32_MAX);
    }
    (void)bed_collect(b);
}

/* The kernel takes every send of a connection; returns how many bytes, each of them `fill`. */
static uint32_t take_sends(bed *b, uint32_t conn, uint8_t fill) {
    uint32_t bytes = 0, at;
    while ((at = bed_find(b, conn, RS_OP_SEND)) != UINT32_MAX) {
        rs_op op = b->outstanding[at];
        for (uint32_t i = 0; i < op.bytes; i++) {
            assert_int_equal(op.u.data[i], fill);
        }
        bytes += op.bytes;
        bed_finish(b, at, RS_OK, op.bytes);
        (void)bed_collect(b);
    }
    return bytes;
}

/* Of one block, and longer than that. */
static void test_session_broadcast_reaches_all_and_keeps_no_block(void **state) {
    const uint32_t sizes[] = {5, BED_BLOCK_BYTES, BED_BLOCK_BYTES + 1, BED_RECV_BYTES};
    uint8_t frame[BED_RECV_BYTES];
    bed b;
    (void)state;
    open_audience(&b, 1000);
    for (uint8_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(frame, i + 1, sizeof frame);
        assert_int_equal(rs_sessions_broadcast(&b.table, NULL, 0, frame, sizes[i]), 0);
        (void)bed_collect(&b);
        for (uint32_t conn = 0; conn < AUDIENCE; conn++) {
            assert_int_equal(take_sends(&b, conn, (uint8_t)(i + 1)), sizes[i]);
        }
        /* Of its own blocks a session keeps the last. */
        assert_int_equal(b.blocks.free_count,
                         BED_BLOCKS - (sizes[i] > BED_BLOCK_BYTES ? AUDIENCE : 0u));
    }
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

static void test_session_broadcast_to_some_counts_who_is_gone(void **state) {
    uint8_t frame[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    rs_session_id ids[4];
    bed b;
    (void)state;
    open_audience(&b, 1000);
    ids[0] = rs_session_id_of(&b.sessions[0].handle);
    ids[1] = rs_session_id_of(&b.sessions[2].handle) + 1; /* another use of the slot */
    ids[2] = rs_session_id_of(&b.sessions[1].handle);
    ids[3] = ids[0];
    rs_session_close(&b.sessions[1].handle);
    assert_int_equal(rs_sessions_broadcast(&b.table, ids, 4, frame, 8), 2);
    (void)bed_collect(&b);
    assert_int_equal(take_sends(&b, 0, 9), 16);
    assert_int_equal(take_sends(&b, 2, 9), 0);
    assert_int_equal(rs_sessions_broadcast(&b.table, NULL, 0, frame, 8), 0);
    (void)bed_collect(&b);
    assert_int_equal(take_sends(&b, 0, 9) + take_sends(&b, 2, 9), 16);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

/* One of them does not read. */
static void test_session_broadcast_ends_who_cannot_take_it(void **state) {
    uint8_t frame[50];
    bed b;
    (void)state;
    open_audience(&b, 120);
    memset(frame, 7, sizeof frame);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(rs_sessions_broadcast(&b.table, NULL, 0, frame, sizeof frame), 0);
        (void)bed_collect(&b);
        assert_int_equal(take_sends(&b, 0, 7), sizeof frame);
        assert_int_equal(take_sends(&b, 2, 7), sizeof frame);
    }
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    assert_int_equal(b.table.open_count, AUDIENCE - 1);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

static void test_session_refused_op_counts_as_failed(void **state) {
    bed b;
    rs_op op;
    (void)state;
    (void)open_one(&b, 1);
    op = b.outstanding[0];
    b.outstanding_count = 0;
    rs_sessions_refused(&b.table, &op, RS_E_FULL);
    assert_int_equal(b.table.counters.refused_ops, 1);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_ERROR], 1);
    run_to_free(&b);
}

static void test_session_close_all_flushes_then_forces(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    conn = bed_open(&b);
    (void)bed_open(&b);
    (void)bed_collect(&b);
    echo_one(&b, conn);
    rs_sessions_close_all(&b.table, false);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_SHUTDOWN], 2);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_SHUTDOWN), 0); /* not before its send is done */
    rs_sessions_close_all(&b.table, true);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_CLOSE)].flags, RS_OPF_ABORT);
    run_to_free(&b);
}

static void test_session_send_after_its_end_is_closed(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    conn = bed_open(&b);
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "x", 1), RS_E_CLOSED);
    run_to_free(&b);
}

static void test_session_reserve_undone_frees_the_slot(void **state) {
    bed b;
    uint32_t conn, generation;
    (void)state;
    bed_init(&b, 1000, true, 1);
    assert_true(rs_sessions_reserve(&b.table, &conn, &generation));
    assert_int_equal(b.table.used_count, 1);
    rs_sessions_unreserve(&b.table, conn);
    assert_int_equal(b.table.used_count, 0);
    run_to_free(&b);
}

static void test_session_raw_application_gets_bytes_as_they_come(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.table.app.raw = true;
    conn = bed_open(&b);
    (void)bed_collect(&b);
    (void)bed_receive(&b, conn, (const uint8_t *)"\0\0\0", 3); /* no frame, and no matter */
    assert_int_equal(b.messages, 1);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_SEND)].bytes, 3);
    run_to_free(&b);
}

/* ---- holds */

/* A frame in, no answer yet, a hold for it; the receive is out again. */
static uint32_t open_with_hold(bed *b, uint32_t sends_in_flight) {
    uint8_t frame[8];
    uint32_t conn;
    conn = open_one(b, sends_in_flight);
    b->echo = false;
    (void)bed_receive(b, conn, frame, make_frame(frame, 5, 1));
    rs_session_hold(&b->sessions[conn].handle);
    (void)bed_collect(b);
    return conn;
}

static void test_session_end_of_stream_waits_for_the_last_hold(void **state) {
    bed b;
    uint32_t conn, at;
    (void)state;
    conn = open_with_hold(&b, 2);
    rs_session_hold(&b.sessions[conn].handle);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(b.closed, 0);
    assert_int_equal(b.table.open_count, 1);
    assert_int_equal(b.table.counters.held_ends, 1);
    assert_int_equal(bed_collect(&b), 0); /* above all no receive: the stream has ended */
    assert_ptr_equal(rs_sessions_find(&b.table, rs_session_id_of(&b.sessions[conn].handle)),
                     &b.sessions[conn]);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "one", 3), RS_OK);
    assert_int_equal(bed_collect(&b), 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 3);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 0); /* one is left */
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "four", 4), RS_OK);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_PEER], 1);
    assert_int_equal(b.table.open_count, 0);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "late", 4), RS_E_CLOSED);
    assert_int_equal(bed_collect(&b), 1);
    at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_equal(b.outstanding[at].bytes, 4); /* flushed before the close */
    bed_finish(&b, at, RS_OK, 4);
    assert_int_equal(bed_collect(&b), 1);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1);
    assert_int_equal(b.table.counters.expired_holds, 0);
    run_to_free(&b);
}

static void test_session_hold_given_back_in_time_delays_nothing(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 0);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.table.counters.held_ends, 0);
    run_to_free(&b);
}

/* A mistake of one caller: refused and counted, whatever state the session is in. */
static void test_session_release_of_no_hold_is_refused(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    rs_session_release(&b.sessions[conn].handle);
    rs_session_release(&b.sessions[conn].handle);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.table.counters.refused_releases, 2);
    assert_int_equal(b.sessions[conn].holds, 0);
    rs_session_hold(&b.sessions[conn].handle); /* counts as ever */
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(b.closed, 0);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    rs_session_release(&b.sessions[conn].handle); /* it has ended: nothing happens */
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(b.table.counters.refused_releases, 2);
    assert_int_equal(b.closed, 1);
    run_to_free(&b);
}

static void test_session_reset_ends_it_in_spite_of_holds(void **state) {
    (void)state;
    for (int held = 0; held < 2; held++) { /* before and after the peer's FIN */
        bed b;
        uint32_t conn = open_with_hold(&b, 1);
        if (held) {
            bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
            assert_int_equal(rs_session_send(&b.sessions[conn].handle, "x", 1), RS_OK);
            (void)bed_collect(&b);
            bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_E_RESET, 0);
        } else {
            bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_E_RESET, 0);
        }
        assert_int_equal(b.closed, 1);
        assert_int_equal(b.last_reason, RS_CLOSE_RESET);
        rs_session_release(&b.sessions[conn].handle); /* too late, and no matter */
        rs_session_hold(&b.sessions[conn].handle);
        assert_int_equal(b.closed, 1);
        run_to_free(&b);
    }
}

static void test_session_failures_of_its_own_end_it_in_spite_of_holds(void **state) {
    static const uint8_t big[BED_BLOCKS * BED_BLOCK_BYTES * 2] = {0};
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    (void)bed_receive(&b, conn, (const uint8_t *)"\1\0\0", 3);
    assert_int_equal(b.last_reason, RS_CLOSE_PROTOCOL);
    run_to_free(&b);
    conn = open_with_hold(&b, 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, big, sizeof big), RS_E_FULL);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    run_to_free(&b);
    conn = open_with_hold(&b, 1);
    bed_advance_ms(&b, 1100);
    assert_int_equal(b.last_reason, RS_CLOSE_IDLE);
    run_to_free(&b);
}

static void test_session_own_close_cuts_the_wait_short(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER); /* that came first */
    run_to_free(&b);
    conn = open_with_hold(&b, 1);
    rs_session_close(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_LOCAL);
    run_to_free(&b);
}

static void test_session_stop_waits_for_holds(void **state) {
    bed b;
    uint8_t frame[8];
    uint32_t conn, other;
    (void)state;
    conn = open_with_hold(&b, 1);
    other = bed_open(&b);
    (void)bed_collect(&b);
    rs_sessions_close_all(&b.table, false);
    assert_int_equal(b.closed, 1); /* the other one, which holds nothing up */
    assert_int_equal(b.sessions[other].state, RS_SESSION_DRAINING);
    /* A frame that comes now is not for the application, and no receive follows it. */
    (void)bed_receive(&b, conn, frame, make_frame(frame, 5, 1));
    assert_int_equal(b.messages, 1);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 0);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "answer", 6), RS_OK);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.closed, 2);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_SHUTDOWN], 2);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_SEND)].bytes, 6);
    assert_int_equal(bed_count(&b, conn, RS_OP_SHUTDOWN), 0); /* only once that is out */
    run_to_free(&b);
}

static void test_session_stop_and_end_of_stream_keep_the_first_reason(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    rs_sessions_close_all(&b.table, false);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    assert_int_equal(b.closed, 0);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.last_reason, RS_CLOSE_SHUTDOWN);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_CLOSE), 1); /* no lingering: the FIN is here */
    run_to_free(&b);
    conn = open_with_hold(&b, 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    rs_sessions_close_all(&b.table, false);
    rs_session_release(&b.sessions[conn].handle);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    run_to_free(&b);
}

static void test_session_hold_never_given_back_ends_by_the_deadline(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
    bed_advance_ms(&b, 150);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 100); /* the drain time-out is 200 */
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    assert_int_equal(b.table.counters.expired_holds, 1);
    run_to_free(&b);
}

static void test_session_forced_stop_ends_held_sessions(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    conn = open_with_hold(&b, 1);
    rs_sessions_close_all(&b.table, false);
    assert_int_equal(b.closed, 0);
    rs_sessions_close_all(&b.table, true);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_SHUTDOWN);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_CLOSE)].flags, RS_OPF_ABORT);
    run_to_free(&b);
}

static void test_session_next_user_of_a_slot_inherits_no_hold(void **state) {
    bed b;
    uint32_t conn = UINT32_MAX, first;
    (void)state;
    first = open_with_hold(&b, 1);
    bed_finish(&b, bed_find(&b, first, RS_OP_RECV), RS_E_RESET, 0);
    run_to_free(&b);
    for (uint32_t i = 0; i < BED_SLOTS && conn != first; i++) {
        conn = bed_open(&b);
        (void)bed_collect(&b);
        bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0);
        assert_int_equal(b.closed, i + 2u);
        run_to_free(&b);
    }
    assert_int_equal(conn, first);
}

/* ---- pauses */

/* Two frames came in one piece; the session paused itself after the first. */
static uint32_t open_paused(bed *b) {
    uint8_t stream[16];
    uint32_t conn;
    bed_init(b, 1000, true, 2);
    b->pause = true;
    conn = bed_open(b);
    (void)bed_collect(b);
    (void)make_frame(stream, 5, 1);
    (void)make_frame(stream + 8, 5, 2);
    (void)bed_receive(b, conn, stream, 16);
    assert_int_equal(b->messages, 1);
    (void)bed_collect(b);
    assert_int_equal(bed_find(b, conn, RS_OP_RECV), UINT32_MAX);
    return conn;
}

static void finish_sends(bed *b, uint32_t conn) {
    uint32_t at;
    while ((at = bed_find(b, conn, RS_OP_SEND)) != UINT32_MAX) {
        bed_finish(b, at, RS_OK, b->outstanding[at].bytes);
        (void)bed_collect(b);
    }
}

static void test_session_paused_gives_no_message_until_it_is_resumed(void **state) {
    bed b;
    uint32_t conn = open_paused(&b);
    (void)state;
    finish_sends(&b, conn); /* what it answers goes on, and wakes nothing */
    assert_int_equal(b.messages, 1);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
    rs_session_resume(&b.sessions[conn].handle);
    assert_int_equal(b.messages, 1); /* not inside the call */
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 2);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX); /* the second paused it again */
    b.pause = false;
    rs_session_resume(&b.sessions[conn].handle);
    rs_session_resume(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 2);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    run_to_free(&b);
}

static void test_session_paused_keeps_what_comes_and_the_end_behind_it(void **state) {
    bed b;
    uint8_t frame[8];
    uint32_t conn;
    (void)state;
    for (uint32_t raw = 0; raw < 2; raw++) {
        bed_init(&b, 1000, true, 2);
        b.table.app.raw = raw != 0;
        conn = bed_open(&b);
        (void)bed_collect(&b);
        rs_session_pause(&b.sessions[conn].handle); /* the receive is out already */
        (void)make_frame(frame, 5, 1);
        (void)bed_receive(&b, conn, frame, 8);
        (void)bed_collect(&b);
        assert_int_equal(b.messages, 0);
        assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
        rs_session_resume(&b.sessions[conn].handle);
        (void)bed_collect(&b);
        assert_int_equal(b.messages, 1);
        rs_session_pause(&b.sessions[conn].handle);
        (void)bed_receive(&b, conn, frame, 0); /* its FIN */
        (void)bed_collect(&b);
        assert_int_equal(b.closed, 0);
        rs_session_resume(&b.sessions[conn].handle);
        (void)bed_collect(&b);
        assert_int_equal(b.closed, 1);
        assert_int_equal(b.last_reason, RS_CLOSE_PEER);
        run_to_free(&b);
    }
}

/* Half a frame is held and the rest asked for: nothing waits to be delivered. */
static void test_session_paused_and_resumed_in_the_middle_of_a_frame(void **state) {
    bed b;
    uint8_t frame[16];
    uint32_t bytes = make_frame(frame, 10, 1);
    uint32_t conn = open_one(&b, 2);
    (void)state;
    (void)bed_receive(&b, conn, frame, 5);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    rs_session_pause(&b.sessions[conn].handle);
    rs_session_resume(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    (void)bed_receive(&b, conn, frame + 5, bytes - 5);
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 1);
    run_to_free(&b);
}

static void test_session_paused_and_frames_before_the_end_are_delivered(void **state) {
    bed b;
    uint8_t stream[16];
    uint32_t conn = open_one(&b, 2);
    (void)state;
    rs_session_pause(&b.sessions[conn].handle);
    (void)make_frame(stream, 5, 1);
    (void)make_frame(stream + 8, 5, 2);
    (void)bed_receive(&b, conn, stream, 16);
    b.sessions[conn].recv_in_flight = 1; /* as if it had asked again before the pause */
    (void)rs_sessions_complete(&b.table,
                               &(rs_completion){.kind = RS_OP_RECV,
                                                .conn = conn,
                                                .generation = b.sessions[conn].handle.generation},
                               1);
    (void)bed_collect(&b);
    rs_session_resume(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 2);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_SEND)].bytes, 16);
    run_to_free(&b);
}

static void test_session_paused_is_idle_by_its_sends_alone(void **state) {
    bed b;
    uint32_t conn = open_paused(&b);
    (void)state;
    bed_advance_ms(&b, 900);
    finish_sends(&b, conn);
    for (uint32_t i = 0; i < 50; i++) {
        bed_advance_ms(&b, 100); /* five seconds of a pause that nobody waits for */
        (void)bed_collect(&b);
    }
    assert_int_equal(b.closed, 0);
    assert_int_equal(rs_session_send(&b.sessions[conn].handle, "abc", 3), RS_OK);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < 30 && b.closed == 0; i++) {
        bed_advance_ms(&b, 100);
        (void)bed_collect(&b);
    }
    assert_int_equal(b.last_reason, RS_CLOSE_IDLE); /* nobody takes it */
    run_to_free(&b);
}

static void test_session_paused_ends_by_reset_stop_and_close(void **state) {
    bed b;
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        static const rs_close_reason expected[] = {RS_CLOSE_RESET, RS_CLOSE_SHUTDOWN,
                                                   RS_CLOSE_LOCAL};
        uint32_t conn = open_paused(&b);
        if (way == 0) {
            bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_E_RESET, 0);
        } else if (way == 1) {
            rs_sessions_close_all(&b.table, false);
        } else {
            rs_session_close(&b.sessions[conn].handle);
        }
        assert_int_equal(b.closed, 1);
        assert_int_equal(b.last_reason, expected[way]);
        rs_session_resume(&b.sessions[conn].handle);
        run_to_free(&b);
        assert_int_equal(b.messages, 1);
    }
}

static void test_session_raw_waits_for_room_and_asks_for_no_more(void **state) {
    bed b;
    uint8_t bytes[BED_RECV_BYTES] = {0};
    uint32_t conn, at;
    (void)state;
    bed_init(&b, 100, true, 1);
    b.table.app.raw = true;
    conn = bed_open(&b);
    (void)bed_collect(&b);
    at = bed_find(&b, conn, RS_OP_RECV);
    assert_int_equal(b.outstanding[at].bytes, 100); /* not 128: it could not be queued */
    assert_int_equal(bed_receive(&b, conn, bytes, 40), 40);
    (void)bed_collect(&b);
    at = bed_find(&b, conn, RS_OP_RECV);
    assert_int_equal(b.outstanding[at].bytes, 60);
    assert_int_equal(bed_receive(&b, conn, bytes, 60), 60);
    (void)bed_collect(&b);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
    assert_int_equal(b.table.counters.pauses, 1);
    finish_sends(&b, conn);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    assert_int_equal(b.closed, 0);
    run_to_free(&b);
}

/* ---- a full queue */

#define FULL_LIMIT 600u

/* A client that sends frames and reads nothing: no more is read from it once the next answers might
 * not fit. */
static uint32_t open_full(bed *b, uint32_t idle_timeout_ms, uint32_t sends_in_flight) {
    uint8_t frame[64];
    uint32_t conn, sent = 0;
    bed_init(b, FULL_LIMIT, true, sends_in_flight);
    b->table.cfg.idle_timeout_ms = idle_timeout_ms;
    conn = bed_open(b);
    (void)make_frame(frame, 57, 1);
    (void)bed_collect(b);
    while (bed_find(b, conn, RS_OP_RECV) != UINT32_MAX) {
        assert_true(sent + BED_RECV_BYTES <= FULL_LIMIT);
        sent += bed_receive(b, conn, frame, 60);
        (void)bed_collect(b);
    }
    assert_true(sent + BED_RECV_BYTES > FULL_LIMIT);
    assert_int_equal(rs_sendq_bytes(&b->table.sendq_pool, &b->sessions[conn].sendq), sent);
    assert_int_equal(b->sessions[conn].state, RS_SESSION_PAUSED);
    assert_int_equal(b->table.counters.pauses, 1);
    assert_int_equal(b->table.timers.armed_count, 1);
    assert_int_equal(b->closed, 0);
    return conn;
}

static void finish_one_send(bed *b, uint32_t conn) {
    uint32_t at = bed_find(b, conn, RS_OP_SEND);
    assert_int_not_equal(at, UINT32_MAX);
    bed_finish(b, at, RS_OK, b->outstanding[at].bytes);
    (void)bed_collect(b);
}

static void test_session_full_reads_on_when_there_is_room(void **state) {
    (void)state;
    for (uint32_t idle = 0; idle < 2; idle++) {
        for (uint32_t sends = 1; sends < 5; sends++) {
            bed b;
            uint32_t conn = open_full(&b, idle * 60000u, sends);
            finish_one_send(&b, conn);
            assert_int_equal(b.sessions[conn].state, RS_SESSION_OPEN);
            assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
            assert_int_equal(b.table.timers.armed_count, idle);
            bed_advance_ms(&b, 5000);
            assert_int_equal(b.closed, 0);
            run_to_free(&b);
        }
    }
}

static void test_session_full_ends_when_no_send_completes(void **state) {
    static const uint32_t idle_ms[] = {0, 500, 60000};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        bed b;
        uint32_t conn = open_full(&b, idle_ms[i], 2);
        bed_advance_ms(&b, idle_ms[i] == 500 ? 450 : 950);
        (void)bed_collect(&b);
        assert_int_equal(b.closed, 0);
        bed_advance_ms(&b, 100);
        assert_int_equal(b.closed, 1);
        assert_int_equal(b.last_reason, idle_ms[i] == 500 ? RS_CLOSE_IDLE : RS_CLOSE_SLOW_CONSUMER);
        (void)conn;
        run_to_free(&b);
    }
}

/* Slow, but it takes something: each send has a second, also one posted long before. */
static void test_session_full_and_slow_is_served(void **state) {
    static const uint8_t more[BED_BLOCK_BYTES] = {0};
    bed b;
    uint32_t conn = open_full(&b, 0, 2);
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(rs_session_send(&b.sessions[conn].handle, more, BED_BLOCK_BYTES), RS_OK);
        (void)bed_collect(&b);
        bed_advance_ms(&b, 900);
        (void)bed_collect(&b);
        assert_int_equal(b.closed, 0);
        finish_one_send(&b, conn);
        assert_int_equal(b.sessions[conn].state, RS_SESSION_PAUSED);
        assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
    }
    bed_advance_ms(&b, 1050);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    run_to_free(&b);
}

/* The deadline is found long past: we were away, so the time begins anew. */
static void test_session_full_is_not_blamed_for_our_absence(void **state) {
    bed b;
    uint32_t conn = open_full(&b, 0, 2);
    (void)state;
    bed_advance_ms(&b, 60000);
    (void)bed_collect(&b);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 950);
    assert_int_equal(b.closed, 0);
    assert_int_equal(b.sessions[conn].state, RS_SESSION_PAUSED);
    bed_advance_ms(&b, 100);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    run_to_free(&b);
}

/* While the application does not want more, the peer is not to blame. */
static void test_session_full_and_paused_by_the_application_waits(void **state) {
    bed b;
    uint32_t conn = open_full(&b, 0, 2);
    (void)state;
    rs_session_pause(&b.sessions[conn].handle);
    for (uint32_t i = 0; i < 50; i++) {
        bed_advance_ms(&b, 100);
        (void)bed_collect(&b);
    }
    assert_int_equal(b.closed, 0);
    rs_session_resume(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    assert_int_equal(b.sessions[conn].state, RS_SESSION_PAUSED);
    bed_advance_ms(&b, 950);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 100);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    run_to_free(&b);
}

static void test_session_receives_no_more_than_may_be_queued(void **state) {
    bed b;
    uint8_t frame[BED_RECV_BYTES];
    uint32_t conn;
    (void)state;
    bed_init(&b, 100, true, 1);
    conn = bed_open(&b);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_RECV)].bytes, 100);
    (void)make_frame(frame, 57, 1);
    (void)bed_receive(&b, conn, frame, 40); /* the rest fits the limit, what follows might not */
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_RECV)].bytes, 60);
    (void)bed_receive(&b, conn, frame + 40, 20);
    (void)bed_collect(&b);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX); /* less than half is left */
    finish_sends(&b, conn);
    assert_int_equal(b.outstanding[bed_find(&b, conn, RS_OP_RECV)].bytes, 100);
    /* One frame that may never be queued: received, and the end of it. */
    (void)make_frame(frame, BED_RECV_BYTES - RS_FRAME_HEADER_BYTES, 1);
    (void)bed_receive(&b, conn, frame, 100);
    (void)bed_collect(&b);
    assert_int_equal(bed_receive(&b, conn, frame + 100, 28), 28);
    assert_int_equal(b.last_reason, RS_CLOSE_SLOW_CONSUMER);
    run_to_free(&b);
}

/* Bytes of broadcasts fill the queue like others, though no block of its own holds them. */
static void test_session_full_of_broadcasts_reads_no_more(void **state) {
    bed b;
    rs_shared shared;
    uint8_t frame[8];
    uint32_t conn;
    (void)state;
    bed_init(&b, 300, true, 1);
    conn = bed_open(&b);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(rs_shared_acquire(&b.sessions[conn].handle, &shared));
        memset(shared.data, 1, 60);
        assert_int_equal(rs_shared_send(&b.sessions[conn].handle, &shared, 60), RS_OK);
        rs_shared_release(&b.sessions[conn].handle, &shared);
        (void)bed_collect(&b);
    }
    (void)bed_receive(&b, conn, frame, make_frame(frame, 5, 1));
    (void)bed_collect(&b);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
    finish_sends(&b, conn);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    assert_int_equal(b.closed, 0);
    run_to_free(&b);
}

/* So do messages whose answers another thread still has; for those nobody is to blame. */
static void test_session_full_of_answers_to_come_reads_no_more(void **state) {
    bed b;
    uint8_t frame[120];
    uint32_t conn;
    (void)state;
    bed_init_handed(&b, 300, true, 1, 1);
    b.table.cfg.idle_timeout_ms = 0;
    b.echo = false;
    conn = bed_open(&b);
    for (uint32_t i = 0; i < 2; i++) {
        (void)bed_collect(&b);
        (void)bed_receive(&b, conn, frame, make_frame(frame, 117, 1));
        rs_session_hand_over(&b.sessions[conn], 120);
    }
    (void)bed_collect(&b);
    assert_int_equal(bed_find(&b, conn, RS_OP_RECV), UINT32_MAX);
    bed_advance_ms(&b, 1100);
    assert_int_equal(b.closed, 0);
    rs_session_handed_back(&b.sessions[conn], 120);
    rs_session_handed_back(&b.sessions[conn], 120);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 1);
    run_to_free(&b);
}

/* ---- figures */

/* Posted at one time and completed 12,345 ns later: that, in nanoseconds, is what is recorded.
 */
static void test_session_send_times_are_nanoseconds_from_post_to_completion(void **state) {
    static rs_histogram times;
    bed b;
    uint8_t frame[8];
    uint32_t conn, at;
    (void)state;
    conn = open_one(&b, 1);
    (void)bed_receive(&b, conn, frame, make_frame(frame, 5, 1));
    (void)bed_collect(&b);
    b.now_ns += 12345;
    rs_sessions_set_time(&b.table, b.now_ns);
    at = bed_find(&b, conn, RS_OP_SEND);
    assert_int_not_equal(at, UINT32_MAX);
    bed_finish(&b, at, RS_OK, 8);
    rs_histogram_init(&times);
    rs_sessions_add_send_ns(&b.table, &times);
    assert_int_equal(times.count, 1);
    assert_int_equal(times.max, 12345);
    run_to_free(&b);
}

static void test_session_raw_bytes_keep_it_alive_and_silence_does_not(void **state) {
    bed b;
    uint32_t conn;
    (void)state;
    bed_init(&b, 1000, true, 1);
    b.echo = false;
    b.table.app.raw = true;
    conn = bed_open(&b);
    for (uint32_t i = 0; i < 30; i++) {
        (void)bed_collect(&b);
        (void)bed_receive(&b, conn, (const uint8_t *)"x", 1);
        bed_advance_ms(&b, 900);
    }
    assert_int_equal(b.table.open_count, 1);
    assert_int_equal(b.messages, 30);
    bed_advance_ms(&b, 200);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_IDLE], 1);
    run_to_free(&b);
}

/* ---- the first frame */

static uint32_t handshake_open(bed *b, uint32_t handshake_ms, uint32_t idle_ms) {
    uint32_t conn;
    bed_init(b, 4096, true, 2);
    b->table.cfg.handshake_ms = handshake_ms;
    b->table.cfg.idle_timeout_ms = idle_ms;
    conn = bed_open(b);
    (void)bed_collect(b);
    return conn;
}

static void handshake_ends(bed *b, rs_close_reason reason, uint32_t count) {
    assert_int_equal(b->table.counters.closed[reason], count);
    assert_int_equal(b->closed, count);
    (void)bed_collect(b);
}

/* Half a frame is none; the deadline does not move for it. */
static void test_session_without_a_first_frame_ends_as_handshake(void **state) {
    static const uint8_t half[] = {20, 0, 1, 'h'};
    static bed b;
    uint32_t conn = handshake_open(&b, 300, 0);
    (void)state;
    bed_advance_ms(&b, 200);
    (void)bed_receive(&b, conn, half, sizeof half);
    (void)bed_collect(&b);
    bed_advance_ms(&b, 90);
    handshake_ends(&b, RS_CLOSE_HANDSHAKE, 0);
    bed_advance_ms(&b, 30);
    handshake_ends(&b, RS_CLOSE_HANDSHAKE, 1);
    run_to_free(&b);
}

/* With the first frame its time is over: only idleness counts, from that frame on, or nothing. */
static void test_session_first_frame_ends_the_handshake(void **state) {
    static const uint8_t frame[] = {4, 0, 1, 'f'};
    static bed b;
    (void)state;
    for (uint32_t idle_ms = 0; idle_ms <= 500; idle_ms += 500) {
        uint32_t conn = handshake_open(&b, 300, idle_ms);
        bed_advance_ms(&b, 250);
        (void)bed_receive(&b, conn, frame, sizeof frame);
        (void)bed_collect(&b);
        bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, sizeof frame);
        bed_advance_ms(&b, 450);
        handshake_ends(&b, RS_CLOSE_HANDSHAKE, 0);
        bed_advance_ms(&b, 100);
        handshake_ends(&b, RS_CLOSE_IDLE, idle_ms == 0 ? 0 : 1);
        rs_sessions_close_all(&b.table, true);
        run_to_free(&b);
    }
}

/* An idle timeout that is shorter comes first. While the application has it paused, the peer cannot
 * send: the time begins when it goes on. */
static void test_session_handshake_beside_idleness_and_a_pause(void **state) {
    static bed b;
    uint32_t conn = handshake_open(&b, 300, 200);
    rs_session *session;
    (void)state;
    bed_advance_ms(&b, 220);
    handshake_ends(&b, RS_CLOSE_IDLE, 1);
    run_to_free(&b);
    conn = handshake_open(&b, 300, 0);
    session = &b.table.sessions[conn].handle;
    assert_int_equal(rs_session_pause(session), RS_OK);
    bed_advance_ms(&b, 900);
    handshake_ends(&b, RS_CLOSE_HANDSHAKE, 0);
    assert_int_equal(rs_session_resume(session), RS_OK);
    (void)bed_collect(&b);
    bed_advance_ms(&b, 280);
    handshake_ends(&b, RS_CLOSE_HANDSHAKE, 0);
    bed_advance_ms(&b, 330);
    handshake_ends(&b, RS_CLOSE_HANDSHAKE, 1);
    run_to_free(&b);
}

/* ---- the rate of frames */

/* Frames of 3 bytes in one receive; returns how many the application had. */
static uint32_t rate_receive(bed *b, uint32_t conn, uint32_t frames) {
    uint8_t data[BED_RECV_BYTES];
    uint32_t before = b->messages;
    for (uint32_t i = 0; i < frames; i++) {
        (void)rs_frame_header(data + (size_t)3 * i, 1, 0);
    }
    (void)bed_receive(b, conn, data, frames * 3u);
    (void)bed_collect(b);
    return b->messages - before;
}

static uint32_t rate_open(bed *b, uint32_t rate_max) {
    uint32_t conn;
    bed_init_rate(b, 4096, true, 2, 0, rate_max);
    b->table.cfg.idle_timeout_ms = 0;
    b->echo = false;
    conn = bed_open(b);
    (void)bed_collect(b);
    return conn;
}

/* As many in each second as allowed; one more within it ends the session, and is not delivered. */
static void test_session_above_its_rate_ends_as_rate(void **state) {
    static bed b;
    uint32_t conn = rate_open(&b, 10), other;
    (void)state;
    for (uint32_t second = 0; second < 3; second++) {
        assert_int_equal(rate_receive(&b, conn, 7), 7);
        bed_advance_ms(&b, 600);
        assert_int_equal(rate_receive(&b, conn, 3), 3);
        bed_advance_ms(&b, 450);
    }
    other = bed_open(&b);
    (void)bed_collect(&b);
    assert_int_equal(rate_receive(&b, conn, 10), 10);
    bed_advance_ms(&b, 450);
    assert_int_equal(b.closed, 0);
    assert_int_equal(rate_receive(&b, conn, 2), 0);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_RATE], 1);
    assert_int_equal(rate_receive(&b, other, 10), 10);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

/* Ten seconds of frames have waited for us: they are taken, and no more than that. */
static void test_session_rate_counts_no_frames_of_our_absence(void **state) {
    static bed b;
    uint32_t conn = rate_open(&b, 4);
    uint32_t taken = 0;
    (void)state;
    assert_int_equal(rate_receive(&b, conn, 1), 1);
    bed_away_ms(&b, 10000);
    for (uint32_t i = 0; i < 11; i++) {
        taken += rate_receive(&b, conn, 4);
    }
    assert_int_equal(taken, 44);
    assert_int_equal(b.closed, 0);
    assert_int_equal(rate_receive(&b, conn, 1), 0);
    assert_int_equal(b.table.counters.closed[RS_CLOSE_RATE], 1);
    run_to_free(&b);
}

/* ... nor more than it can have sent meanwhile, however long it was silent before. */
static void test_session_rate_gives_nothing_for_silence(void **state) {
    static bed b;
    uint32_t conn = rate_open(&b, 4);
    (void)state;
    assert_int_equal(rate_receive(&b, conn, 1), 1);
    bed_advance_ms(&b, 60000);
    bed_away_ms(&b, 600);
    assert_int_equal(rate_receive(&b, conn, 8), 8);
    assert_int_equal(rate_receive(&b, conn, 1), 0);
    run_to_free(&b);
    conn = rate_open(&b, 4);
    bed_away_ms(&b, 600);
    bed_advance_ms(&b, 60000);
    assert_int_equal(rate_receive(&b, conn, 4), 4);
    assert_int_equal(rate_receive(&b, conn, 1), 0);
    run_to_free(&b);
}

/* Two absences with a turn between in which nothing of this session was read. */
static void test_session_rate_counts_no_frames_of_two_absences(void **state) {
    static bed b;
    uint32_t conn = rate_open(&b, 4);
    (void)state;
    bed_away_ms(&b, 3000);
    bed_away_ms(&b, 3000);
    assert_int_equal(rate_receive(&b, conn, 28), 28);
    assert_int_equal(rate_receive(&b, conn, 1), 0);
    run_to_free(&b);
}

/* A sleep is no absence: with sessions whose frames are counted, none is as long as one. */
static void test_session_rate_keeps_sleeps_short(void **state) {
    static bed b;
    uint32_t conn = rate_open(&b, 4);
    (void)state;
    assert_true(rs_sessions_next_ms(&b.table) < RS_AWAY_MS);
    assert_int_equal(rate_receive(&b, conn, 5), 4);
    run_to_free(&b);
    assert_int_equal(rs_sessions_next_ms(&b.table), UINT64_MAX);
}

/* ---- a PROXY header before the stream */

#define PROXY_V1 "PROXY TCP4 192.0.2.7 198.51.100.1 50122 4000\r\n"
#define PROXY_V1_BYTES (sizeof PROXY_V1 - 1u)

static void bed_init_proxy(bed *b) {
    bed_init(b, 4096, true, 2);
    b->table.cfg.proxy = true;
}

static uint32_t proxy_open(bed *b) {
    uint32_t conn = bed_open(b);
    (void)bed_collect(b);
    return conn;
}

static void proxy_receive(bed *b, uint32_t conn, const void *data, uint32_t bytes) {
    if (bytes > 0) {
        assert_int_equal(bed_receive(b, conn, data, bytes), bytes);
        (void)bed_collect(b);
    }
}

static void proxy_check_peer(const bed *b, uint32_t conn, uint64_t bytes_in) {
    rs_peer peer;
    char text[RS_ADDR_TEXT_BYTES];
    assert_int_equal(rs_session_peer(&b->table.sessions[conn].handle, &peer), RS_OK);
    assert_string_equal(rs_addr_text(&peer.addr, text), "192.0.2.7:50122");
    assert_string_equal(rs_addr_text(&peer.local, text), "198.51.100.1:4000");
    assert_int_equal(peer.bytes_in, bytes_in);
}

/* Header, a whole frame and a half one, in two pieces; the rest follows. */
static void test_session_proxy_header_in_every_two_pieces(void **state) {
    static bed b;
    uint8_t stream[PROXY_V1_BYTES + 26u];
    (void)state;
    memcpy(stream, PROXY_V1, PROXY_V1_BYTES);
    (void)make_frame(stream + PROXY_V1_BYTES, 10, 7);
    (void)make_frame(stream + PROXY_V1_BYTES + 13, 10, 8);
    for (uint32_t cut = 0; cut <= PROXY_V1_BYTES + 17u; cut++) {
        uint32_t conn;
        bed_init_proxy(&b);
        conn = proxy_open(&b);
        assert_int_equal(b.opened, 0);
        proxy_receive(&b, conn, stream, cut);
        assert_int_equal(b.opened, cut >= PROXY_V1_BYTES ? 1 : 0);
        assert_int_equal(b.messages, cut >= PROXY_V1_BYTES + 13u ? 1 : 0);
        proxy_receive(&b, conn, stream + cut, PROXY_V1_BYTES + 17u - cut);
        assert_int_equal(b.opened, 1);
        assert_int_equal(b.messages, 1);
        proxy_check_peer(&b, conn, 17);
        proxy_receive(&b, conn, stream + PROXY_V1_BYTES + 17, 9);
        assert_int_equal(b.messages, 2);
        proxy_check_peer(&b, conn, 26);
        assert_int_equal(b.table.counters.accepted, 1);
        rs_sessions_close_all(&b.table, true);
        run_to_free(&b);
        assert_int_equal(b.table.counters.closed[RS_CLOSE_SHUTDOWN], 1);
    }
}

static uint32_t proxy_raw_bytes;

static void proxy_on_raw(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)session;
    assert_memory_equal(data, &"abcdef"[proxy_raw_bytes], bytes);
    proxy_raw_bytes += bytes;
}

static void test_session_proxy_header_before_raw_bytes(void **state) {
    static bed b;
    (void)state;
    for (uint32_t behind = 0; behind <= 6u; behind++) {
        uint32_t conn;
        bed_init_proxy(&b);
        b.table.app.raw = true;
        b.table.frame_lengths = 0;
        b.table.app.on_message = proxy_on_raw;
        proxy_raw_bytes = 0;
        conn = proxy_open(&b);
        proxy_receive(&b, conn, PROXY_V1 "abcdef", PROXY_V1_BYTES + behind);
        assert_int_equal(proxy_raw_bytes, behind);
        proxy_receive(&b, conn, &"abcdef"[behind], 6u - behind);
        assert_int_equal(proxy_raw_bytes, 6);
        rs_sessions_close_all(&b.table, true);
        run_to_free(&b);
    }
}

/* The application hears nothing of those that never had a header: a malformed or too long one, an
 * end, a reset, silence, a stop. */
static void test_session_without_a_proxy_header_is_nobodys(void **state) {
    /* of a header of 129 bytes */
    static const uint8_t too_long[16] = {'\r', '\n', '\r', '\n', 0,    '\r', '\n', 'Q',
                                         'U',  'I',  'T',  '\n', 0x21, 0,    0,    0x71};
    static const rs_close_reason reasons[] = {RS_CLOSE_PROTOCOL,  RS_CLOSE_PROTOCOL,
                                              RS_CLOSE_PEER,      RS_CLOSE_RESET,
                                              RS_CLOSE_HANDSHAKE, RS_CLOSE_SHUTDOWN};
    static bed b;
    (void)state;
    for (uint32_t way = 0; way < 6u; way++) {
        uint32_t conn;
        bed_init_proxy(&b);
        b.table.cfg.handshake_ms = 300;
        conn = proxy_open(&b);
        proxy_receive(&b, conn, too_long, 12);
        switch (way) {
        case 0:
            proxy_receive(&b, conn, "x", 1);
            break;
        case 1:
            proxy_receive(&b, conn, too_long + 12, 4);
            break;
        case 2:
        case 3:
            bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), way == 2 ? RS_OK : RS_E_RESET, 0);
            break;
        case 4:
            bed_advance_ms(&b, 320);
            break;
        default:
            rs_sessions_close_all(&b.table, false);
            break;
        }
        assert_int_equal(b.table.counters.closed[reasons[way]], 1);
        run_to_free(&b);
        assert_int_equal(b.opened + b.closed + b.messages, 0);
    }
}

/* Nobody can send to one whose header is awaited; it counts as one of max-sessions; one that this
 * side has opened needs none. */
static void test_session_that_awaits_a_proxy_header_takes_its_place_only(void **state) {
    static bed b;
    uint32_t conn[BED_SLOTS - 2u], none, generation;
    (void)state;
    bed_init_proxy(&b);
    assert_true(rs_sessions_reserve(&b.table, &conn[0], &generation));
    rs_sessions_open_out(&b.table, conn[0], NULL, 5);
    assert_int_equal(b.opened, 1);
    for (uint32_t i = 1; i < BED_SLOTS - 2u; i++) {
        const rs_session *session;
        conn[i] = proxy_open(&b);
        session = &b.table.sessions[conn[i]].handle;
        assert_null(
            rs_sessions_find(&b.table, rs_session_id_make(3, conn[i], session->generation)));
    }
    assert_false(rs_sessions_reserve(&b.table, &none, &generation));
    assert_int_equal(rs_sessions_broadcast(&b.table, NULL, 0, (const uint8_t *)"\4\0\1a", 4), 0);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < BED_SLOTS - 2u; i++) {
        assert_int_equal(bed_count(&b, conn[i], RS_OP_SEND), i == 0 ? 1 : 0);
        assert_int_equal(bed_count(&b, conn[i], RS_OP_RECV), 1);
    }
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

static void proxy_pause_on_open(void *ctx, rs_session *session) {
    bed_on_open(ctx, session);
    assert_int_equal(rs_session_pause(session), RS_OK);
}

static void proxy_close_on_open(void *ctx, rs_session *session) {
    bed_on_open(ctx, session);
    assert_int_equal(rs_session_close(session), RS_OK);
}

/* What is behind the header waits for the resume, or is not read any more. */
static void test_session_may_pause_or_close_at_its_proxy_header(void **state) {
    static bed b;
    uint32_t conn;
    (void)state;
    bed_init_proxy(&b);
    b.table.app.on_open = proxy_pause_on_open;
    conn = proxy_open(&b);
    proxy_receive(&b, conn, PROXY_V1 "\4\0\1a", PROXY_V1_BYTES + 4u);
    assert_int_equal(b.messages, 0);
    assert_int_equal(rs_session_resume(&b.table.sessions[conn].handle), RS_OK);
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 1);
    b.table.app.on_open = proxy_close_on_open;
    conn = proxy_open(&b);
    proxy_receive(&b, conn, PROXY_V1 "\4\0\1a", PROXY_V1_BYTES + 4u);
    assert_int_equal(b.messages, 1);
    assert_int_equal(b.opened, 2);
    assert_int_equal(b.last_reason, RS_CLOSE_LOCAL);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

/* The first frame has its time from the header on. */
static void test_session_first_frame_is_awaited_from_the_proxy_header_on(void **state) {
    static bed b;
    uint32_t conn;
    (void)state;
    bed_init_proxy(&b);
    b.table.cfg.handshake_ms = 300;
    conn = proxy_open(&b);
    bed_advance_ms(&b, 250);
    proxy_receive(&b, conn, PROXY_V1, PROXY_V1_BYTES);
    bed_advance_ms(&b, 280);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 40);
    assert_int_equal(b.last_reason, RS_CLOSE_HANDSHAKE);
    assert_int_equal(b.closed, 1);
    run_to_free(&b);
}

/* ---- low water */

static uint32_t low_marks[BED_SLOTS], low_told, low_again;

static void low_on_low(void *ctx, rs_session *session) {
    (void)ctx;
    low_told++;
    if (low_again > 0) {
        low_again--;
        assert_int_equal(rs_session_notify_low(session, 0), RS_OK);
    }
}

static rs_slot *low_open(bed *b) {
    uint32_t conn;
    bed_init(b, 4096, true, 2);
    b->table.app.on_low = low_on_low;
    b->table.low_marks = low_marks;
    low_told = low_again = 0;
    conn = bed_open(b);
    (void)bed_collect(b);
    return &b->table.sessions[conn];
}

/* Two blocks in flight and one behind them: each completion leaves a block less. */
static void test_session_low_water_is_told_at_the_mark_and_once(void **state) {
    static const uint8_t data[3 * BED_BLOCK_BYTES] = {0};
    static bed b;
    rs_slot *session = low_open(&b);
    uint32_t conn = session->handle.index, queued = 0;
    (void)state;
    assert_int_equal(rs_session_send(&session->handle, data, sizeof data), RS_OK);
    assert_int_equal(rs_session_notify_low(&session->handle, BED_BLOCK_BYTES), RS_OK);
    (void)bed_collect(&b);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    (void)bed_collect(&b);
    assert_int_equal(low_told, 0);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    assert_int_equal(low_told, 0); /* at the end of the turn */
    low_again = 1;
    (void)bed_collect(&b);
    assert_int_equal(low_told, 1);
    assert_int_equal(rs_session_queued_bytes(&session->handle, &queued), RS_OK);
    assert_int_equal(queued, BED_BLOCK_BYTES);
    bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    (void)bed_collect(&b);
    assert_int_equal(low_told, 2); /* asked for again: all of it */
    (void)bed_collect(&b);
    assert_int_equal(low_told, 2);
    assert_int_equal(rs_session_notify_low(&session->handle, 0), RS_OK); /* it is so already */
    assert_int_equal(low_told, 2);
    (void)bed_collect(&b);
    assert_int_equal(low_told, 3);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

/* Its last send completes with a failure, or short: nothing was handed over. */
static void test_session_low_water_of_one_that_ends_is_not_told(void **state) {
    static const uint8_t data[10] = {0};
    static bed b;
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        rs_slot *session = low_open(&b);
        uint32_t conn = session->handle.index;
        assert_int_equal(rs_session_send(&session->handle, data, sizeof data), RS_OK);
        (void)bed_collect(&b);
        assert_int_equal(rs_session_notify_low(&session->handle, 0), RS_OK);
        if (way == 0) {
            bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_E_RESET, 0);
        } else if (way == 1) {
            bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 9);
        } else {
            bed_finish(&b, bed_find(&b, conn, RS_OP_SEND), RS_OK, 10);
            assert_int_equal(rs_session_close(&session->handle), RS_OK);
        }
        (void)bed_collect(&b);
        assert_int_equal(b.closed, 1);
        assert_int_equal(low_told, 0);
        assert_int_equal(rs_session_notify_low(&session->handle, 0), RS_E_CLOSED);
        rs_sessions_close_all(&b.table, true);
        run_to_free(&b);
    }
}

static void test_session_low_water_needs_a_callback(void **state) {
    static bed b;
    rs_slot *session;
    (void)state;
    bed_init(&b, 4096, true, 2);
    session = &b.table.sessions[bed_open(&b)];
    assert_int_equal(rs_session_notify_low(&session->handle, 0), RS_E_UNSUPPORTED);
    rs_sessions_close_all(&b.table, true);
    run_to_free(&b);
}

/* What the session layer keeps of a session that does nothing; its buffers are apart. */
static void test_session_idle_takes_192_bytes_at_most(void **state) {
    const rs_sessions_memory memory = {.coalesce = true};
    (void)state;
    /* Addresses, age and the like are beside it, in memory.cold, which no message touches. */
    assert_in_range(sizeof *memory.sessions + sizeof *memory.free_next + sizeof *memory.open +
                        2u * sizeof *memory.touched + sizeof *memory.timer_nodes,
                    1, 192);
}

/* ---- several receives */

#define RECVS 3u

static uint32_t open_recvs(bed *b, uint32_t queued_max) {
    const rs_app app = bed_app(b);
    bed_init_recvs(b, &app, queued_max, true, 2, 0, 0, RECVS);
    uint32_t conn = bed_open(b);
    (void)bed_collect(b);
    assert_int_equal(bed_count(b, conn, RS_OP_RECV), RECVS);
    return conn;
}

static void test_session_recvs_have_slices_of_their_own(void **state) {
    bed b;
    uint32_t conn = open_recvs(&b, 1000);
    (void)state;
    for (uint32_t i = 0; i < RECVS; i++) {
        for (uint32_t j = 0; j < i; j++) {
            assert_true(b.outstanding[i].u.data >= b.outstanding[j].u.data + BED_RECV_BYTES ||
                        b.outstanding[j].u.data >= b.outstanding[i].u.data + BED_RECV_BYTES);
        }
    }
    echo_one(&b, conn);
    assert_int_equal(b.messages, 1);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), RECVS); /* one was asked for again */
    run_to_free(&b);
}

/* A frame over three slices, byte by byte: what is in front of it and behind it stays in place. */
static void test_session_recvs_put_a_frame_of_several_slices_together(void **state) {
    bed b;
    uint8_t stream[64];
    uint32_t conn = open_recvs(&b, 1000);
    uint32_t first = make_frame(stream, 5, 1);
    uint32_t bytes = first + make_frame(stream + first, 20, 2);
    (void)state;
    bytes += make_frame(stream + bytes, 7, 3);
    (void)bed_receive(&b, conn, stream, first + 1);
    (void)bed_receive(&b, conn, stream + first + 1, 4);
    (void)bed_receive(&b, conn, stream + first + 5, bytes - first - 5);
    assert_int_equal(b.messages, 3);
    assert_int_equal(b.table.counters.moved_bytes, 22);
    (void)bed_collect(&b);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), RECVS);
    assert_memory_equal(b.outstanding[bed_find(&b, conn, RS_OP_SEND)].u.data, stream, bytes);
    run_to_free(&b);
}

static void test_session_recvs_wait_in_their_slices_during_a_pause(void **state) {
    bed b;
    uint8_t stream[64];
    uint32_t conn = open_recvs(&b, 1000);
    uint32_t bytes = make_frame(stream, 5, 1);
    (void)state;
    bytes += make_frame(stream + bytes, 5, 2);
    bytes += make_frame(stream + bytes, 5, 3);
    b.pause = true;
    (void)bed_receive(&b, conn, stream, 10); /* the first, and a part of the second */
    (void)bed_receive(&b, conn, stream + 10, bytes - 10);
    bed_finish(&b, bed_find(&b, conn, RS_OP_RECV), RS_OK, 0); /* and the end */
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 1);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 0);
    for (uint32_t i = 2; i < 4; i++) {
        rs_session_resume(&b.sessions[conn].handle);
        (void)bed_collect(&b);
        assert_int_equal(b.messages, i);
        assert_int_equal(b.closed, 0);
    }
    rs_session_resume(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_PEER);
    run_to_free(&b);
}

/* A peer that does not read: what its queue has no room for stays in the slices, so that memory is
 * bounded, and goes on when a send completes. */
static void test_session_recvs_are_read_only_while_the_replies_fit(void **state) {
    bed b;
    uint8_t frame[BED_RECV_BYTES];
    uint32_t conn = open_recvs(&b, 3 * BED_RECV_BYTES / 2);
    const uint32_t bytes = make_frame(frame, 97, 1);
    (void)state;
    for (uint32_t i = 0; i < RECVS; i++) {
        (void)bed_receive(&b, conn, frame, bytes);
    }
    (void)bed_collect(&b);
    assert_int_equal(b.messages, 1);
    assert_int_equal(b.sessions[conn].state, RS_SESSION_PAUSED);
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), 0);
    for (uint32_t i = 2; i <= RECVS; i++) {
        while (bed_find(&b, conn, RS_OP_SEND) != UINT32_MAX && b.messages < i) {
            uint32_t at = bed_find(&b, conn, RS_OP_SEND);
            bed_finish(&b, at, RS_OK, b.outstanding[at].bytes);
            (void)bed_collect(&b);
        }
        assert_int_equal(b.messages, i);
    }
    assert_int_equal(b.closed, 0);
    run_to_free(&b);
}

static void test_session_recvs_of_an_ended_session_are_discarded(void **state) {
    bed b;
    uint8_t frame[16];
    uint32_t conn = open_recvs(&b, 1000);
    const uint32_t bytes = make_frame(frame, 5, 1);
    (void)state;
    rs_session_close(&b.sessions[conn].handle);
    (void)bed_collect(&b);
    for (uint32_t i = 0; i < RECVS; i++) {
        (void)bed_receive(&b, conn, frame, bytes);
    }
    assert_int_equal(b.messages, 0);
    (void)bed_collect(&b); /* lingers for the peer's end */
    assert_int_equal(bed_count(&b, conn, RS_OP_RECV), RECVS);
    run_to_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_open_asks_for_one_receive),
        cmocka_unit_test(test_session_echo_is_right_at_every_split),
        cmocka_unit_test(test_session_longest_frame_byte_by_byte_fits),
        cmocka_unit_test(test_session_partial_frame_moves_only_when_it_must),
        cmocka_unit_test(test_session_malformed_frame_ends_only_that_session),
        cmocka_unit_test(test_session_frames_before_a_bad_one_are_answered),
        cmocka_unit_test(test_session_silence_ends_it_as_idle),
        cmocka_unit_test(test_session_half_frame_in_drops_is_idle_too),
        cmocka_unit_test(test_session_without_a_first_frame_ends_as_handshake),
        cmocka_unit_test(test_session_first_frame_ends_the_handshake),
        cmocka_unit_test(test_session_handshake_beside_idleness_and_a_pause),
        cmocka_unit_test(test_session_above_its_rate_ends_as_rate),
        cmocka_unit_test(test_session_rate_counts_no_frames_of_our_absence),
        cmocka_unit_test(test_session_rate_gives_nothing_for_silence),
        cmocka_unit_test(test_session_rate_counts_no_frames_of_two_absences),
        cmocka_unit_test(test_session_rate_keeps_sleeps_short),
        cmocka_unit_test(test_session_proxy_header_in_every_two_pieces),
        cmocka_unit_test(test_session_proxy_header_before_raw_bytes),
        cmocka_unit_test(test_session_without_a_proxy_header_is_nobodys),
        cmocka_unit_test(test_session_that_awaits_a_proxy_header_takes_its_place_only),
        cmocka_unit_test(test_session_may_pause_or_close_at_its_proxy_header),
        cmocka_unit_test(test_session_first_frame_is_awaited_from_the_proxy_header_on),
        cmocka_unit_test(test_session_low_water_is_told_at_the_mark_and_once),
        cmocka_unit_test(test_session_low_water_of_one_that_ends_is_not_told),
        cmocka_unit_test(test_session_low_water_needs_a_callback),
        cmocka_unit_test(test_session_idle_takes_192_bytes_at_most),
        cmocka_unit_test(test_session_whole_frames_keep_it_alive),
        cmocka_unit_test(test_session_own_sends_beyond_the_limit_end_it_at_once),
        cmocka_unit_test(test_session_kernel_without_buffers_ends_it_as_no_buffers),
        cmocka_unit_test(test_session_short_send_ends_it_as_truncated),
        cmocka_unit_test(test_session_reset_is_counted_in_either_direction),
        cmocka_unit_test(test_session_half_close_delivers_the_tail_first),
        cmocka_unit_test(test_session_local_close_shuts_down_and_waits_for_the_peer),
        cmocka_unit_test(test_session_rejected_is_flushed_and_ends_as_protocol),
        cmocka_unit_test(test_session_close_that_hangs_is_forced),
        cmocka_unit_test(test_session_plain_close_that_hangs_is_escalated_once),
        cmocka_unit_test(test_session_refused_escalation_leaves_the_close_to_complete),
        cmocka_unit_test(test_session_slot_rests_until_its_close_completes),
        cmocka_unit_test(test_session_stale_ids_and_completions_are_dropped),
        cmocka_unit_test(test_session_generation_wraps_past_zero),
        cmocka_unit_test(test_session_gathers_behind_a_send_in_flight),
        cmocka_unit_test(test_session_without_coalescing_sends_each_alone),
        cmocka_unit_test(test_session_shared_block_is_freed_by_its_last_send),
        cmocka_unit_test(test_session_release_of_a_shared_block_twice_is_refused),
        cmocka_unit_test(test_session_nothing_is_appended_to_a_shared_block),
        cmocka_unit_test(test_session_broadcast_reaches_all_and_keeps_no_block),
        cmocka_unit_test(test_session_broadcast_to_some_counts_who_is_gone),
        cmocka_unit_test(test_session_broadcast_ends_who_cannot_take_it),
        cmocka_unit_test(test_session_refused_op_counts_as_failed),
        cmocka_unit_test(test_session_close_all_flushes_then_forces),
        cmocka_unit_test(test_session_send_after_its_end_is_closed),
        cmocka_unit_test(test_session_reserve_undone_frees_the_slot),
        cmocka_unit_test(test_session_raw_application_gets_bytes_as_they_come),
        cmocka_unit_test(test_session_end_of_stream_waits_for_the_last_hold),
        cmocka_unit_test(test_session_hold_given_back_in_time_delays_nothing),
        cmocka_unit_test(test_session_release_of_no_hold_is_refused),
        cmocka_unit_test(test_session_reset_ends_it_in_spite_of_holds),
        cmocka_unit_test(test_session_failures_of_its_own_end_it_in_spite_of_holds),
        cmocka_unit_test(test_session_own_close_cuts_the_wait_short),
        cmocka_unit_test(test_session_stop_waits_for_holds),
        cmocka_unit_test(test_session_stop_and_end_of_stream_keep_the_first_reason),
        cmocka_unit_test(test_session_hold_never_given_back_ends_by_the_deadline),
        cmocka_unit_test(test_session_forced_stop_ends_held_sessions),
        cmocka_unit_test(test_session_next_user_of_a_slot_inherits_no_hold),
        cmocka_unit_test(test_session_paused_gives_no_message_until_it_is_resumed),
        cmocka_unit_test(test_session_paused_keeps_what_comes_and_the_end_behind_it),
        cmocka_unit_test(test_session_paused_and_resumed_in_the_middle_of_a_frame),
        cmocka_unit_test(test_session_recvs_have_slices_of_their_own),
        cmocka_unit_test(test_session_recvs_put_a_frame_of_several_slices_together),
        cmocka_unit_test(test_session_recvs_wait_in_their_slices_during_a_pause),
        cmocka_unit_test(test_session_recvs_are_read_only_while_the_replies_fit),
        cmocka_unit_test(test_session_recvs_of_an_ended_session_are_discarded),
        cmocka_unit_test(test_session_paused_and_frames_before_the_end_are_delivered),
        cmocka_unit_test(test_session_paused_is_idle_by_its_sends_alone),
        cmocka_unit_test(test_session_paused_ends_by_reset_stop_and_close),
        cmocka_unit_test(test_session_raw_waits_for_room_and_asks_for_no_more),
        cmocka_unit_test(test_session_full_reads_on_when_there_is_room),
        cmocka_unit_test(test_session_full_ends_when_no_send_completes),
        cmocka_unit_test(test_session_full_and_slow_is_served),
        cmocka_unit_test(test_session_full_is_not_blamed_for_our_absence),
        cmocka_unit_test(test_session_full_and_paused_by_the_application_waits),
        cmocka_unit_test(test_session_receives_no_more_than_may_be_queued),
        cmocka_unit_test(test_session_full_of_broadcasts_reads_no_more),
        cmocka_unit_test(test_session_full_of_answers_to_come_reads_no_more),
        cmocka_unit_test(test_session_send_times_are_nanoseconds_from_post_to_completion),
        cmocka_unit_test(test_session_raw_bytes_keep_it_alive_and_silence_does_not),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
