/* SPDX-License-Identifier: MIT */
/* The connection engine's cases one by one; engine_bed.h plays the kernels and checks the rules at
 * every step. A pass: the completions, calls and counts named in each test, and nothing left at its
 * end. The fuzz target fuzz_conn_engine walks the combinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/child.h"
#include "unit/random.h"
#include "unit/engine_bed.h"

#define GEN 7u

static const char *self;
static uint64_t seed;
static bed b;

static void open_one_of(bed_kernel kernel, uint32_t conn) {
    bed_init(&b, kernel, true);
    bed_attach(&b, conn, GEN);
}

static void open_one(uint32_t conn) {
    open_one_of(BED_RIO, conn);
}

static void expect_out(uint32_t at, rs_op_kind kind, rs_status status, uint32_t bytes) {
    assert_true(at < b.out_count);
    assert_int_equal(b.out[at].kind, kind);
    assert_int_equal(b.out[at].status, status);
    assert_int_equal(b.out[at].bytes, bytes);
}

static void expect_next(uint32_t conn, rs_engine_do what) {
    assert_int_equal(rs_engine_next(&b.engine, conn, RS_ENGINE_BOTH).kind, what);
}

static void test_engine_receive_completes_with_its_tag(void **state) {
    (void)state;
    open_one(1);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL);
    bed_complete(&b, bed_oldest(&b, 1, RS_ENGINE_RECV), RS_OK, 9);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL); /* not handed out yet */
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_OK, 9);
    assert_int_equal(b.out[0].tag, 1000u + RS_OP_RECV);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    bed_finish(&b);
}

static void test_engine_batch_commits_each_queue_and_direction_once(void **state) {
    (void)state;
    open_one(0);
    bed_attach(&b, 2, GEN);
    for (uint32_t i = 0; i < BED_SENDS; i++) {
        assert_int_equal(bed_submit_deferred(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    }
    assert_int_equal(bed_submit_deferred(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_SEND, 2, GEN, 0), RS_OK);
    bed_commit_all(&b);
    assert_int_equal(b.commits, 3); /* 0: receive and send; 2: send */
    bed_finish(&b);
}

/* The bed refuses a closesocket with a request that was not committed. */
static void test_engine_close_takes_the_commit_of_its_batch_along(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(b.commits, 2);
    bed_commit_all(&b);
    assert_int_equal(b.commits, 2);
    bed_finish(&b);
}

static void test_engine_without_deferring_touches_nothing(void **state) {
    uint32_t dirs;
    (void)state;
    bed_init(&b, BED_RIO, false);
    bed_attach(&b, 0, GEN);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(rs_rio_ledger_touched(&b.ledger, &dirs), RS_ENGINE_NONE);
    bed_finish(&b);
}

static void test_engine_sends_beyond_the_reserved_are_refused(void **state) {
    (void)state;
    open_one(0);
    for (uint32_t i = 0; i < BED_SENDS; i++) {
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    }
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_FULL);
    assert_int_equal(bed_posted(&b, 0, RS_ENGINE_SEND), BED_SENDS);
    bed_finish(&b);
}

static void test_engine_send_done_out_of_order_waits_for_the_earlier_ones(void **state) {
    bed_post *second;
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    second = bed_oldest(&b, 0, RS_ENGINE_SEND) + 1;
    bed_complete(&b, second, RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, 15);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_OK, 15);
    expect_out(1, RS_OP_SEND, RS_OK, 16);
    bed_finish(&b);
}

static void test_engine_failed_post_completes_behind_the_earlier_sends(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    b.call_fails_count = 1;
    b.call_fails = RS_E_NO_BUFFERS;
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
    bed_finish(&b);
}

/* The peer must not read on behind a gap: not what was held with the failed one, nor what the owner
 * submits before it has seen the failure. Receiving goes on. */
static void test_engine_failed_send_takes_those_behind_it_along(void **state) {
    (void)state;
    for (uint32_t kernel = 0; kernel < BED_KERNELS; kernel++) {
        open_one_of((bed_kernel)kernel, 0);
        b.owed[0].may = RS_ENGINE_BOTH;
        b.call_fails_count = 1;
        b.call_fails = RS_E_NO_BUFFERS;
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
        assert_int_equal(bed_poll(&b, 8), 2);
        expect_out(0, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
        expect_out(1, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
        assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
        assert_int_equal(b.owed[0].shutdown_calls, 0);
        assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
        assert_int_equal(bed_poll(&b, 8), 1);
        expect_out(0, RS_OP_SHUTDOWN, RS_E_NO_BUFFERS, 0);
        bed_finish(&b);
    }
}

static void test_engine_plain_close_waits_for_the_sends_before_it(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.closesockets, 0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_CLOSED);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, 16);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(b.owed[0].aborts, 0);
    assert_int_equal(bed_poll(&b, 8), 1); /* the receive is still RIO's, so no CLOSE yet */
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_E_RESET, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0); /* whatever RIO calls it: we closed */
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_abort_closes_at_once_and_drains(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.owed[0].aborts, 1);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_escalated_close_completes_once(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_E_CLOSED);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.owed[0].aborts, 1);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_finish(&b);
}

static void test_engine_escalation_after_the_socket_is_closed_does_nothing(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_E_CLOSED);
    bed_finish(&b);
}

static void test_engine_shutdown_goes_behind_the_sends(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(b.owed[0].shutdown_calls, 0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_INVALID);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, 16);
    assert_int_equal(b.owed[0].shutdown_calls, 1);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_SHUTDOWN, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_close_behind_shutdown_keeps_the_order(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_OK, 16);
    expect_out(1, RS_OP_SHUTDOWN, RS_OK, 0);
    expect_out(2, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_connect_posts_what_waited_for_it(void **state) {
    (void)state;
    bed_init(&b, BED_RIO, true);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_posted(&b, 3, RS_ENGINE_BOTH), 0);
    bed_connected(&b, 3, RS_OK);
    assert_int_equal(bed_posted(&b, 3, RS_ENGINE_BOTH), 2);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_CONNECT, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_failed_connect_fails_what_waited_and_stays_bound(void **state) {
    (void)state;
    bed_init(&b, BED_RIO, true);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 3, GEN, 0), RS_OK);
    bed_connected(&b, 3, RS_E_REFUSED);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_CONNECT, RS_E_REFUSED, 0);
    expect_out(1, RS_OP_RECV, RS_E_REFUSED, 0);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 3, GEN, 0), RS_OK); /* it completes, failed */
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_E_REFUSED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_close_while_connecting_waits_for_the_packet(void **state) {
    (void)state;
    bed_init(&b, BED_RIO, true);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 3, GEN, 0), RS_OK);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_connected(&b, 3, RS_OK); /* it had won the race */
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_CONNECT, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_RECV, RS_E_ABORTED, 0);
    expect_out(2, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_stale_generation_is_refused(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN + 1, 0), RS_E_STALE);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN - 1, 0), RS_E_STALE);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 0, GEN, 0), RS_E_INVALID); /* not free */
    bed_finish(&b);
}

static rs_status submit_raw(const rs_op *op) {
    rs_status why;
    uint32_t taken = rs_engine_submit(&b.engine, op, 1, &why);
    assert_int_equal(taken, why == RS_OK ? 1 : 0);
    return why;
}

static void test_engine_malformed_ops_are_refused(void **state) {
    rs_op op = {.kind = RS_OP_RECV, .conn = 0, .generation = GEN, .bytes = 0, .u.data = b.slice};
    (void)state;
    open_one(0);
    assert_int_equal(submit_raw(&op), RS_E_INVALID);
    op.kind = RS_OP_SEND;
    assert_int_equal(submit_raw(&op), RS_E_INVALID);
    op.bytes = 1;
    op.u.data = NULL;
    assert_int_equal(submit_raw(&op), RS_E_INVALID);
    op.conn = BED_CONNS;
    assert_int_equal(submit_raw(&op), RS_E_INVALID);
    op.conn = 0;
    op.kind = 99;
    assert_int_equal(submit_raw(&op), RS_E_INVALID);
    op.kind = RS_OP_RECV;
    op.conn = 1;
    op.generation = 0;
    assert_int_equal(submit_raw(&op), RS_E_CLOSED); /* a free slot */
    bed_finish(&b);
}

static void test_engine_broken_connection_is_aborted_and_fails_what_follows(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    rs_engine_broken(&b.engine, 0, RS_E_NO_BUFFERS);
    expect_next(0, RS_DO_ABORT);
    bed_run(&b, 0);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
    expect_out(1, RS_OP_SHUTDOWN, RS_E_NO_BUFFERS, 0);
    expect_out(2, RS_OP_RECV, RS_E_NO_BUFFERS, 0);
    bed_finish(&b);
}

static void test_engine_abort_from_elsewhere_is_a_reset(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_E_RESET, 0);
    bed_finish(&b);
}

static rs_status complete_raw(uint64_t socket_context, uint64_t request_context, uint32_t bytes) {
    rs_rio_result result = {
        .socket_context = socket_context, .request_context = request_context, .bytes = bytes};
    uint32_t conn, req;
    return rs_rio_ledger_find(&b.ledger, &result, &conn, &req);
}

static void test_engine_result_of_no_request_in_flight_is_corrupt(void **state) {
    const bed_post *post;
    uint64_t socket, request;
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    post = bed_oldest(&b, 0, RS_ENGINE_RECV);
    socket = post->socket_context;
    request = post->request_context;
    assert_int_equal(complete_raw(socket + (1ull << 32), request, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket | 0xFFFFFFu, request, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request + 1, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request + (1ull << 32), 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request, 17), RS_E_CORRUPT); /* more than asked */
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_OK, 16);
    assert_int_equal(complete_raw(socket, request, 16), RS_E_CORRUPT); /* twice */
    assert_int_equal(bed_poll(&b, 8), 1);
    bed_finish(&b);
}

/* One request does not come back: its slot stays taken, the others go on. When it comes after all
 * the slot is free again. */
static void test_engine_lost_request_keeps_the_slot_and_holds_up_nobody(void **state) {
    bed_post *lost;
    (void)state;
    open_one(1);
    bed_attach(&b, 2, GEN);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 2, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 2, RS_ENGINE_RECV), RS_OK, 5);
    assert_int_equal(bed_poll(&b, 8), 1); /* no CLOSE of the other one */
    assert_int_equal(b.engine.conns[1].phase, RS_CONN_CLOSING);
    assert_int_equal(b.engine.bound, 2);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, RS_OPF_ABORT), RS_OK); /* does nothing */
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_CLOSED);
    lost = bed_oldest(&b, 1, RS_ENGINE_RECV);
    bed_complete(&b, lost, RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_attach(&b, 1, GEN + 1);
    bed_finish(&b);
}

static void test_engine_slot_is_bound_again_only_after_its_close_was_handed_out(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.engine.conns[0].phase, RS_CONN_CLOSED);
    assert_int_equal(b.engine.bound, 1);
    assert_int_equal(bed_poll(&b, 8), 1);
    assert_int_equal(b.engine.bound, 0);
    bed_attach(&b, 0, GEN + 1);
    bed_finish(&b);
}

static void test_engine_unbound_slot_is_free(void **state) {
    (void)state;
    bed_init(&b, BED_RIO, true);
    rs_engine_bind(&b.engine, 2, GEN);
    rs_engine_unbind(&b.engine, 2);
    bed_finish(&b);
}

/* ---- what all kernels have in common: which ops are let in. bed_expects says it by counting, and
 * bed_submit asserts it each time; here are the cases that a walk might miss. */

static void test_engine_free_slot_takes_only_a_connect(void **state) {
    (void)state;
    for (bed_kernel kernel = 0; kernel < BED_KERNELS; kernel++) {
        bed_init(&b, kernel, true);
        assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, 0, 0), RS_E_CLOSED); /* as it was born */
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, 0, RS_OPF_ABORT), RS_E_CLOSED);
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_E_STALE);
        assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 0, GEN, 0), RS_OK);
        assert_int_equal(b.engine.conns[0].phase, RS_CONN_CONNECTING);
        assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 0, GEN, 0), RS_E_INVALID);
        bed_finish(&b);
    }
}

static void test_engine_other_generations_are_stale(void **state) {
    static const rs_op_kind kinds[] = {RS_OP_RECV, RS_OP_SEND, RS_OP_SHUTDOWN, RS_OP_CLOSE};
    rs_engine_conn before;
    (void)state;
    open_one(0);
    before = b.engine.conns[0];
    for (uint32_t i = 0; i < 4u; i++) {
        assert_int_equal(bed_submit(&b, kinds[i], 0, GEN - 1u, RS_OPF_ABORT), RS_E_STALE);
        assert_int_equal(bed_submit(&b, kinds[i], 0, GEN + 1u, RS_OPF_ABORT), RS_E_STALE);
    }
    assert_memory_equal(&b.engine.conns[0], &before, sizeof before);
    bed_finish(&b);
}

static void test_engine_no_send_beside_a_shutdown_but_after_it(void **state) {
    (void)state;
    for (bed_kernel kernel = 0; kernel < BED_KERNELS; kernel++) {
        open_one_of(kernel, 0);
        assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
        assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_E_FULL);
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_INVALID);
        assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK); /* that way is open */
        assert_int_equal(bed_poll(&b, 8), 1);
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK); /* the kernel refuses it */
        bed_finish(&b);
    }
}

static void test_engine_close_in_the_ring_still_lets_an_abort_in(void **state) {
    (void)state;
    for (bed_kernel kernel = 0; kernel < BED_KERNELS; kernel++) {
        open_one_of(kernel, 0);
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
        assert_int_equal(b.engine.conns[0].phase, RS_CONN_CLOSED);
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
        assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_E_CLOSED);
        assert_int_equal(b.closesockets, 1);
        assert_int_equal(bed_poll(&b, 8), 1);
        assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
        bed_finish(&b);
    }
}

/* ---- IOCP: gathered sends, calls that end at once, a receive that is asked back */

static void test_engine_gathered_sends_share_the_bytes_in_order(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, 3), RS_OK);
    assert_int_equal(b.calls, 1);
    assert_int_equal(b.joined, 3);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, BED_OP_BYTES + 5u); /* short */
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_OK, BED_OP_BYTES);
    expect_out(1, RS_OP_SEND, RS_OK, 5);
    expect_out(2, RS_OP_SEND, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_run_ends_where_an_op_is_refused(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, BED_SENDS + 1u), RS_E_FULL);
    assert_int_equal(b.calls, 1);
    assert_int_equal(b.joined, BED_SENDS);
    bed_finish(&b);
}

static void test_engine_run_wraps_in_the_ring_of_records(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 1);
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 1, GEN, 0, 2), RS_OK);
    bed_complete(&b, bed_oldest(&b, 1, RS_ENGINE_SEND), RS_OK, 2u * BED_OP_BYTES);
    assert_int_equal(bed_poll(&b, 8), 2);
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 1, GEN, 0, 3), RS_OK); /* records 2, 0, 1 */
    bed_complete(&b, bed_oldest(&b, 1, RS_ENGINE_SEND), RS_OK, 3u * BED_OP_BYTES);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(2, RS_OP_SEND, RS_OK, BED_OP_BYTES);
    bed_finish(&b);
}

static void test_engine_send_ended_in_its_call_waits_for_the_earlier_ones(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    b.inline_count = 1;
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_E_RESET, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_E_RESET, 0);
    expect_out(1, RS_OP_SEND, RS_OK, BED_OP_BYTES);
    assert_int_equal(b.out[1].flags, RS_CF_INLINE);
    assert_int_equal(b.engine.inline_completions, 1);
    bed_finish(&b);
}

static void test_engine_inline_is_a_receive_or_send_that_went_well(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    b.inline_count = 1;
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    b.call_fails_count = 1;
    b.call_fails = RS_E_RESET;
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 3);
    assert_int_equal(b.out[0].flags, RS_CF_INLINE);
    assert_int_equal(b.out[1].flags, 0);
    assert_int_equal(b.out[2].flags, 0);
    assert_int_equal(b.engine.inline_completions, 1);
    bed_finish(&b);
}

static void test_engine_plain_close_asks_the_receive_back_behind_the_sends(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.owed[0].cancels, 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_SEND), RS_OK, BED_OP_BYTES);
    assert_int_equal(b.owed[0].cancels, 1);
    assert_int_equal(b.closesockets, 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_E_ABORTED, 0);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(b.owed[0].aborts, 0);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(1, RS_OP_RECV, RS_E_ABORTED, 0); /* ours, and no reset of the peer's */
    expect_out(2, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_abort_does_not_wait_for_the_receive(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.owed[0].cancels, 1);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(b.owed[0].aborts, 1);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_OK, 7); /* it had won the race */
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_OK, 7);
    bed_finish(&b);
}

static void test_engine_receive_waits_for_its_turn_and_ends_with_a_close(void **state) {
    (void)state;
    open_one_of(BED_IOCP, 0);
    b.owed[0].may = RS_ENGINE_SEND;
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(b.calls, 0);
    bed_ready(&b, 0, RS_ENGINE_RECV, 0);
    assert_int_equal(b.calls, 1);
    bed_complete(&b, bed_oldest(&b, 0, RS_ENGINE_RECV), RS_OK, 4);
    b.owed[0].may = RS_ENGINE_SEND;
    assert_int_equal(bed_poll(&b, 8), 1);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

/* ---- several receives */

static void open_with_recvs(bed_kernel kernel, uint32_t recvs) {
    bed_init_with(&b, kernel, true, recvs);
    bed_attach(&b, 1, GEN);
}

/* The n-th oldest receive that the kernel has. */
static bed_post *posted_recv(uint32_t n) {
    bed_post *found = NULL;
    for (uint64_t order = 0; order < b.order; order++) {
        for (uint32_t i = 0; i < BED_REQS; i++) {
            bed_post *post = &b.posts[i];
            if (post->used && post->order == order && post->dir == RS_ENGINE_RECV && n-- == 0) {
                found = post;
            }
        }
    }
    assert_non_null(found);
    return found;
}

static void test_engine_takes_as_many_receives_as_were_reserved(void **state) {
    (void)state;
    open_with_recvs(BED_RIO, 3);
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 3), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL);
    assert_int_equal(bed_posted(&b, 1, RS_ENGINE_RECV), 3);
    assert_int_equal(b.commits, 1);
    bed_complete(&b, posted_recv(0), RS_OK, 9);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL); /* not handed out yet */
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_OK, 9);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    bed_finish(&b);
}

static void test_engine_receive_done_out_of_order_waits_for_the_earlier_ones(void **state) {
    (void)state;
    open_with_recvs(BED_IOCP, 4);
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 4), RS_OK);
    bed_complete(&b, posted_recv(2), RS_OK, 3);
    bed_complete(&b, posted_recv(1), RS_OK, 2);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, posted_recv(0), RS_OK, 1);
    assert_int_equal(bed_poll(&b, 8), 3);
    for (uint32_t i = 0; i < 3; i++) {
        expect_out(i, RS_OP_RECV, RS_OK, i + 1u);
    }
    bed_finish(&b);
}

/* Its packet is in the port when the call behind it ends at once. */
static void test_engine_receive_ended_in_its_call_waits_for_the_earlier_one(void **state) {
    (void)state;
    open_with_recvs(BED_IOCP, 2);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    b.inline_count = 1;
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, posted_recv(0), RS_OK, 5);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_OK, 5);
    expect_out(1, RS_OP_RECV, RS_OK, BED_OP_BYTES);
    assert_int_equal(b.out[0].flags, 0);
    assert_int_equal(b.out[1].flags, RS_CF_INLINE);
    bed_finish(&b);
}

/* Round the ring, with one always left, so that it begins anew nowhere. */
static void test_engine_receives_go_round_the_ring(void **state) {
    (void)state;
    open_with_recvs(BED_RIO, 3);
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 2), RS_OK);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
        bed_complete(&b, posted_recv(0), RS_OK, 1u + i);
        assert_int_equal(bed_poll(&b, 8), 1);
        expect_out(0, RS_OP_RECV, RS_OK, 1u + i);
    }
    bed_complete(&b, posted_recv(1), RS_E_RESET, 0);
    bed_complete(&b, posted_recv(0), RS_OK, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_OK, 0);
    expect_out(1, RS_OP_RECV, RS_E_RESET, 0);
    bed_finish(&b);
}

static void test_engine_held_receives_end_behind_the_posted_ones(void **state) {
    (void)state;
    open_with_recvs(BED_IOCP, 4);
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 2), RS_OK);
    b.owed[1].may = RS_ENGINE_SEND;
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 2), RS_OK);
    assert_int_equal(bed_posted(&b, 1, RS_ENGINE_RECV), 2);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, 0), RS_OK);
    assert_int_equal(b.owed[1].cancels, 1);
    assert_true(posted_recv(0)->cancelled && posted_recv(1)->cancelled);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, posted_recv(1), RS_E_ABORTED, 0);
    assert_int_equal(b.closesockets, 0);
    bed_complete(&b, posted_recv(0), RS_OK, 6); /* it had won the race */
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_poll(&b, 8), 5);
    expect_out(0, RS_OP_RECV, RS_OK, 6);
    for (uint32_t i = 1; i < 4; i++) {
        expect_out(i, RS_OP_RECV, RS_E_ABORTED, 0);
    }
    expect_out(4, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_close_drains_every_receive(void **state) {
    (void)state;
    open_with_recvs(BED_RIO, 3);
    assert_int_equal(bed_submit_run(&b, RS_OP_RECV, 1, GEN, 0, 3), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.closesockets, 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(b.engine.conns[1].phase, RS_CONN_CLOSING);
        bed_complete(&b, posted_recv(2u - i), RS_E_ABORTED, 0);
    }
    assert_int_equal(bed_poll(&b, 8), 4);
    expect_out(3, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_broken_connection_fails_its_held_receives(void **state) {
    (void)state;
    open_with_recvs(BED_RIO, 2);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    bed_broken(&b, 1, RS_E_NO_BUFFERS);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, posted_recv(0), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_NO_BUFFERS, 0);
    expect_out(1, RS_OP_RECV, RS_E_NO_BUFFERS, 0);
    bed_finish(&b);
}

/* ---- epoll: readiness, parts, nothing left with the kernel */

static void test_engine_send_taken_in_part_goes_on_with_those_behind(void **state) {
    (void)state;
    open_one_of(BED_EPOLL, 0);
    b.owed[0].room = BED_OP_BYTES + 4u;
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, 2), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 1);
    assert_int_equal(b.out[0].flags, RS_CF_INLINE);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(b.calls, 1); /* not ready */
    bed_ready(&b, 0, RS_ENGINE_SEND, 12);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_SEND, RS_OK, BED_OP_BYTES);
    bed_ready(&b, 0, RS_ENGINE_SEND, 100);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_SEND, RS_OK, BED_OP_BYTES);
    bed_finish(&b);
}

static void test_engine_failed_call_ends_what_it_offered(void **state) {
    (void)state;
    open_one_of(BED_EPOLL, 0);
    b.owed[0].room = 4;
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, 3), RS_OK);
    b.call_fails_count = 1;
    b.call_fails = RS_E_RESET;
    bed_ready(&b, 0, RS_ENGINE_SEND, 0);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_E_RESET, 4);
    expect_out(2, RS_OP_SEND, RS_E_RESET, 0);
    bed_finish(&b);
}

static void test_engine_plain_close_lets_held_sends_leave(void **state) {
    (void)state;
    open_one_of(BED_EPOLL, 0);
    b.owed[0].room = 4;
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, 2), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0); /* it has nothing to wait for */
    assert_int_equal(b.closesockets, 0);
    bed_ready(&b, 0, RS_ENGINE_SEND, 100);
    assert_int_equal(b.owed[0].shutdown_calls, 1);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_poll(&b, 8), 4);
    expect_out(3, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_escalation_ends_held_sends(void **state) {
    (void)state;
    open_one_of(BED_EPOLL, 0);
    b.owed[0].room = 4;
    assert_int_equal(bed_submit_run(&b, RS_OP_SEND, 0, GEN, 0, 2), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_E_ABORTED, 4);
    expect_out(1, RS_OP_SEND, RS_E_ABORTED, 0);
    expect_out(2, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_engine_close_while_connecting_ends_at_once_where_nothing_pends(void **state) {
    (void)state;
    bed_init(&b, BED_EPOLL, false);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 4);
    expect_out(0, RS_OP_CONNECT, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_RECV, RS_E_ABORTED, 0);
    expect_out(2, RS_OP_SEND, RS_E_ABORTED, 0);
    expect_out(3, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

/* ---- accepts */

static void test_engine_accepts_go_through_the_same_ring(void **state) {
    rs_ends ends = {.peer = {.ip = 7, .port = 8}};
    const rs_completion records[] = {
        {.kind = RS_OP_ACCEPT, .status = RS_OK, .ends = &ends, .socket = 4},
        {.kind = RS_OP_ACCEPT, .status = RS_OK, .socket = 5}};
    rs_completion out[4];
    (void)state;
    bed_init(&b, BED_RIO, true);
    rs_engine_accepted(&b.engine, records, 2);
    ends.peer.port = 9; /* the next one's */
    assert_int_equal(b.engine.accepts, 2);
    assert_int_equal(rs_engine_take(&b.engine, out, 4), 2);
    assert_int_equal(out[1].socket, 5);
    assert_int_equal(out[0].ends->peer.port, 8);
    assert_null(out[1].ends);
    assert_int_equal(b.engine.accepts, 0);
    bed_finish(&b);
}

/* ---- the fuzzer's walk in small, so that every build runs one */

static void walk_step(test_random *random) {
    static const rs_op_kind kinds[] = {RS_OP_RECV,     RS_OP_SEND,  RS_OP_SEND,
                                       RS_OP_SHUTDOWN, RS_OP_CLOSE, RS_OP_CONNECT};
    uint32_t conn = test_random_below(random, BED_CONNS);
    bed_post *post = &b.posts[test_random_below(random, BED_REQS)];
    uint32_t generation = b.owed[conn].generation + !b.owed[conn].bound;
    if (b.kernel != BED_RIO && test_random_below(random, 4) == 0) {
        b.inline_count = test_random_below(random, 3);
        bed_ready(&b, conn, 1u + test_random_below(random, 3), test_random_below(random, 40));
    } else if (post->used && test_random_below(random, 2) == 0) {
        uint32_t bytes = test_random_below(random, post->bytes + 1u);
        bool ok = test_random_below(random, 9) != 0;
        bed_complete(&b, post, ok ? RS_OK : RS_E_RESET, ok ? bytes : 0);
    } else if (!b.owed[conn].bound && test_random_below(random, 2) == 0) {
        bed_attach(&b, conn, generation);
    } else if (b.owed[conn].connecting && test_random_below(random, 4) == 0) {
        bed_connected(&b, conn, test_random_below(random, 3) == 0 ? RS_E_REFUSED : RS_OK);
    } else {
        (void)bed_submit_run(&b, kinds[test_random_below(random, 6)], conn, generation,
                             (uint8_t)test_random_below(random, 2),
                             1u + test_random_below(random, 3));
    }
    (void)bed_poll(&b, test_random_below(random, 6));
}

static void test_engine_random_walk_loses_nothing(void **state) {
    test_random random = {.state = seed};
    (void)state;
    for (uint32_t walk = 0; walk < 900; walk++) {
        bed_init_with(&b, walk % BED_KERNELS, walk % 2 != 0, 1u + walk / 6u % BED_RECVS_MAX);
        for (uint32_t i = 0; i < 400; i++) {
            walk_step(&random);
        }
        bed_finish(&b);
    }
}

static void test_engine_close_of_a_closed_socket_stops_the_process(void **state) {
    child_result result = child_run(self, "gone");
    (void)state;
    assert_true(child_asserted(&result, "!conn->socket_gone"));
}

static void test_engine_what_must_not_be_stops_the_process(void **state) {
    child_result result = child_run(self, "bound");
    (void)state;
    assert_true(child_asserted(&result, "conn->phase == RS_CONN_FREE"));
    result = child_run(self, "twice");
    assert_true(child_asserted(&result, "was_posted || req->state == RS_REQ_HELD"));
    result = child_run(self, "more");
    assert_true(child_asserted(&result, "bytes == 0"));
    result = child_run(self, "received");
    assert_true(child_asserted(&result, "bytes <= req->op.bytes"));
}

static void run_child(const char *name) {
    open_one(0);
    if (strcmp(name, "gone") == 0) {
        (void)bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0);
        rs_engine_socket_gone(&b.engine, 0);
    } else if (strcmp(name, "bound") == 0) {
        rs_engine_bind(&b.engine, 0, GEN + 1u);
    } else if (strcmp(name, "received") == 0) {
        (void)bed_submit(&b, RS_OP_RECV, 0, GEN, 0);
        rs_engine_finished(&b.engine, 0, 0, RS_OK, BED_OP_BYTES + 1u, false);
    } else {
        (void)bed_submit(&b, RS_OP_SEND, 0, GEN, 0);
        rs_engine_finished(&b.engine, 0, 1, RS_OK, BED_OP_BYTES + (name[0] == 'm'), false);
        rs_engine_finished(&b.engine, 0, 1, RS_OK, BED_OP_BYTES, false);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_receive_completes_with_its_tag),
        cmocka_unit_test(test_engine_batch_commits_each_queue_and_direction_once),
        cmocka_unit_test(test_engine_close_takes_the_commit_of_its_batch_along),
        cmocka_unit_test(test_engine_without_deferring_touches_nothing),
        cmocka_unit_test(test_engine_sends_beyond_the_reserved_are_refused),
        cmocka_unit_test(test_engine_send_done_out_of_order_waits_for_the_earlier_ones),
        cmocka_unit_test(test_engine_failed_post_completes_behind_the_earlier_sends),
        cmocka_unit_test(test_engine_failed_send_takes_those_behind_it_along),
        cmocka_unit_test(test_engine_plain_close_waits_for_the_sends_before_it),
        cmocka_unit_test(test_engine_abort_closes_at_once_and_drains),
        cmocka_unit_test(test_engine_escalated_close_completes_once),
        cmocka_unit_test(test_engine_escalation_after_the_socket_is_closed_does_nothing),
        cmocka_unit_test(test_engine_shutdown_goes_behind_the_sends),
        cmocka_unit_test(test_engine_close_behind_shutdown_keeps_the_order),
        cmocka_unit_test(test_engine_connect_posts_what_waited_for_it),
        cmocka_unit_test(test_engine_failed_connect_fails_what_waited_and_stays_bound),
        cmocka_unit_test(test_engine_close_while_connecting_waits_for_the_packet),
        cmocka_unit_test(test_engine_stale_generation_is_refused),
        cmocka_unit_test(test_engine_malformed_ops_are_refused),
        cmocka_unit_test(test_engine_broken_connection_is_aborted_and_fails_what_follows),
        cmocka_unit_test(test_engine_abort_from_elsewhere_is_a_reset),
        cmocka_unit_test(test_engine_result_of_no_request_in_flight_is_corrupt),
        cmocka_unit_test(test_engine_lost_request_keeps_the_slot_and_holds_up_nobody),
        cmocka_unit_test(test_engine_slot_is_bound_again_only_after_its_close_was_handed_out),
        cmocka_unit_test(test_engine_unbound_slot_is_free),
        cmocka_unit_test(test_engine_free_slot_takes_only_a_connect),
        cmocka_unit_test(test_engine_other_generations_are_stale),
        cmocka_unit_test(test_engine_no_send_beside_a_shutdown_but_after_it),
        cmocka_unit_test(test_engine_close_in_the_ring_still_lets_an_abort_in),
        cmocka_unit_test(test_engine_gathered_sends_share_the_bytes_in_order),
        cmocka_unit_test(test_engine_run_ends_where_an_op_is_refused),
        cmocka_unit_test(test_engine_run_wraps_in_the_ring_of_records),
        cmocka_unit_test(test_engine_send_ended_in_its_call_waits_for_the_earlier_ones),
        cmocka_unit_test(test_engine_inline_is_a_receive_or_send_that_went_well),
        cmocka_unit_test(test_engine_plain_close_asks_the_receive_back_behind_the_sends),
        cmocka_unit_test(test_engine_abort_does_not_wait_for_the_receive),
        cmocka_unit_test(test_engine_receive_waits_for_its_turn_and_ends_with_a_close),
        cmocka_unit_test(test_engine_takes_as_many_receives_as_were_reserved),
        cmocka_unit_test(test_engine_receive_done_out_of_order_waits_for_the_earlier_ones),
        cmocka_unit_test(test_engine_receive_ended_in_its_call_waits_for_the_earlier_one),
        cmocka_unit_test(test_engine_receives_go_round_the_ring),
        cmocka_unit_test(test_engine_held_receives_end_behind_the_posted_ones),
        cmocka_unit_test(test_engine_close_drains_every_receive),
        cmocka_unit_test(test_engine_broken_connection_fails_its_held_receives),
        cmocka_unit_test(test_engine_send_taken_in_part_goes_on_with_those_behind),
        cmocka_unit_test(test_engine_failed_call_ends_what_it_offered),
        cmocka_unit_test(test_engine_plain_close_lets_held_sends_leave),
        cmocka_unit_test(test_engine_escalation_ends_held_sends),
        cmocka_unit_test(test_engine_close_while_connecting_ends_at_once_where_nothing_pends),
        cmocka_unit_test(test_engine_accepts_go_through_the_same_ring),
        cmocka_unit_test(test_engine_random_walk_loses_nothing),
        cmocka_unit_test(test_engine_close_of_a_closed_socket_stops_the_process),
        cmocka_unit_test(test_engine_what_must_not_be_stops_the_process),
    };
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        run_child(name);
        return 0;
    }
    self = argv[0];
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
