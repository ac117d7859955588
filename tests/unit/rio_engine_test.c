/* The RIO engine's cases one by one; rio_bed.h plays RIO and checks the rules at every step. A
 * pass: the completions, calls and counts named in each test, and nothing left at its end. The
 * fuzz target fuzz_rio_engine walks the combinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/child.h"
#include "unit/random.h"
#include "unit/rio_bed.h"

#define GEN 7u

static const char *self;
static uint64_t seed;
static bed b;

static void open_one(uint32_t conn) {
    bed_init(&b, true);
    assert_int_equal(bed_attach(&b, conn, GEN), RS_OK);
}

static void expect_out(uint32_t at, rs_op_kind kind, rs_status status, uint32_t bytes) {
    assert_true(at < b.out_count);
    assert_int_equal(b.out[at].kind, kind);
    assert_int_equal(b.out[at].status, status);
    assert_int_equal(b.out[at].bytes, bytes);
}

static void expect_next(uint32_t conn, rs_rio_do what) {
    uint32_t req;
    assert_int_equal(rs_rio_engine_next(&b.engine, conn, &req), what);
}

static void test_rio_engine_receive_completes_with_its_tag(void **state) {
    (void)state;
    open_one(1);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL);
    bed_complete(&b, bed_oldest(&b, 1, RS_RIO_DIR_RECV), RS_OK, 9);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_FULL); /* not handed out yet */
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_OK, 9);
    assert_int_equal(b.out[0].tag, 1000u + RS_OP_RECV);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    bed_finish(&b);
}

static void test_rio_engine_batch_commits_each_queue_and_direction_once(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_attach(&b, 2, GEN), RS_OK);
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
static void test_rio_engine_close_takes_the_commit_of_its_batch_along(void **state) {
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

static void test_rio_engine_without_deferring_touches_nothing(void **state) {
    uint32_t dirs;
    (void)state;
    bed_init(&b, false);
    assert_int_equal(bed_attach(&b, 0, GEN), RS_OK);
    assert_int_equal(bed_submit_deferred(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(rs_rio_engine_touched(&b.engine, &dirs), RS_RIO_NONE);
    bed_finish(&b);
}

static void test_rio_engine_sends_beyond_the_reserved_are_refused(void **state) {
    (void)state;
    open_one(0);
    for (uint32_t i = 0; i < BED_SENDS; i++) {
        assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    }
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_FULL);
    assert_int_equal(bed_posted(&b, 0, RS_RIO_DIR_SEND), BED_SENDS);
    bed_finish(&b);
}

static void test_rio_engine_send_done_out_of_order_waits_for_the_earlier_ones(void **state) {
    bed_post *second;
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    second = bed_oldest(&b, 0, RS_RIO_DIR_SEND) + 1;
    bed_complete(&b, second, RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_OK, 15);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_OK, 15);
    expect_out(1, RS_OP_SEND, RS_OK, 16);
    bed_finish(&b);
}

static void test_rio_engine_failed_post_completes_behind_the_earlier_sends(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    b.post_fails_count = 1;
    b.post_fails = RS_E_NO_BUFFERS;
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
    bed_finish(&b);
}

static void test_rio_engine_plain_close_waits_for_the_sends_before_it(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.closesockets, 0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_CLOSED);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_OK, 16);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(b.owed[0].aborts, 0);
    assert_int_equal(bed_poll(&b, 8), 1); /* the receive is still RIO's, so no CLOSE yet */
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_RECV), RS_E_RESET, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0); /* whatever RIO calls it: we closed */
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_rio_engine_abort_closes_at_once_and_drains(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.owed[0].aborts, 1);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_SEND, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_rio_engine_escalated_close_completes_once(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_E_CLOSED);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_OK);
    assert_int_equal(b.owed[0].aborts, 1);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, RS_OPF_ABORT), RS_E_CLOSED);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed_poll(&b, 8), 0);
    bed_finish(&b);
}

static void test_rio_engine_escalation_after_the_socket_is_closed_does_nothing(void **state) {
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

static void test_rio_engine_shutdown_goes_behind_the_sends(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(b.owed[0].shutdown_calls, 0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_E_INVALID);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_OK, 16);
    assert_int_equal(b.owed[0].shutdown_calls, 1);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(1, RS_OP_SHUTDOWN, RS_OK, 0);
    bed_finish(&b);
}

static void test_rio_engine_close_behind_shutdown_keeps_the_order(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_SEND), RS_OK, 16);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_OK, 16);
    expect_out(1, RS_OP_SHUTDOWN, RS_OK, 0);
    expect_out(2, RS_OP_CLOSE, RS_OK, 0);
    bed_finish(&b);
}

static void test_rio_engine_connect_posts_what_waited_for_it(void **state) {
    (void)state;
    bed_init(&b, true);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 3, GEN, 0), RS_OK);
    assert_int_equal(bed_posted(&b, 3, 3u), 0);
    bed_connected(&b, 3, RS_OK);
    assert_int_equal(bed_posted(&b, 3, 3u), 2);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_CONNECT, RS_OK, 0);
    bed_finish(&b);
}

static void test_rio_engine_failed_connect_fails_what_waited_and_stays_bound(void **state) {
    (void)state;
    bed_init(&b, true);
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

static void test_rio_engine_close_while_connecting_waits_for_the_packet(void **state) {
    (void)state;
    bed_init(&b, true);
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

static void test_rio_engine_stale_generation_is_refused(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN + 1, 0), RS_E_STALE);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN - 1, 0), RS_E_STALE);
    assert_int_equal(bed_submit(&b, RS_OP_CONNECT, 0, GEN, 0), RS_E_INVALID); /* not free */
    bed_finish(&b);
}

static void test_rio_engine_malformed_ops_are_refused(void **state) {
    rs_op op = {.kind = RS_OP_RECV, .conn = 0, .generation = GEN, .bytes = 0, .u.data = b.slice};
    (void)state;
    open_one(0);
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_INVALID);
    op.kind = RS_OP_SEND;
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_INVALID);
    op.bytes = 1;
    op.u.data = NULL;
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_INVALID);
    op.conn = BED_CONNS;
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_INVALID);
    op.conn = 0;
    op.kind = 99;
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_INVALID);
    op.kind = RS_OP_RECV;
    op.conn = 1;
    op.generation = 0;
    assert_int_equal(rs_rio_engine_submit(&b.engine, &op), RS_E_CLOSED); /* a free slot */
    bed_finish(&b);
}

static void test_rio_engine_broken_connection_is_aborted_and_fails_what_follows(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    rs_rio_engine_broken(&b.engine, 0, RS_E_NO_BUFFERS);
    expect_next(0, RS_RIO_DO_ABORT);
    bed_run(&b, 0);
    assert_int_equal(b.closesockets, 1);
    assert_int_equal(bed_submit(&b, RS_OP_SEND, 0, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_SHUTDOWN, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_RECV), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 3);
    expect_out(0, RS_OP_SEND, RS_E_NO_BUFFERS, 0);
    expect_out(1, RS_OP_SHUTDOWN, RS_E_NO_BUFFERS, 0);
    expect_out(2, RS_OP_RECV, RS_E_NO_BUFFERS, 0);
    bed_finish(&b);
}

static void test_rio_engine_abort_from_elsewhere_is_a_reset(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_RECV), RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 1);
    expect_out(0, RS_OP_RECV, RS_E_RESET, 0);
    bed_finish(&b);
}

static rs_status complete_raw(uint64_t socket_context, uint64_t request_context, uint32_t bytes) {
    rs_rio_result result = {
        .socket_context = socket_context, .request_context = request_context, .bytes = bytes};
    uint32_t conn, req;
    return rs_rio_engine_complete(&b.engine, &result, &conn, &req);
}

static void test_rio_engine_result_of_no_request_in_flight_is_corrupt(void **state) {
    const bed_post *post;
    uint64_t socket, request;
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 0, GEN, 0), RS_OK);
    post = bed_oldest(&b, 0, RS_RIO_DIR_RECV);
    socket = post->socket_context;
    request = post->request_context;
    assert_int_equal(complete_raw(socket + (1ull << 32), request, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket | 0xFFFFFFu, request, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request + 1, 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request + (1ull << 32), 1), RS_E_CORRUPT);
    assert_int_equal(complete_raw(socket, request, 17), RS_E_CORRUPT); /* more than asked */
    bed_complete(&b, bed_oldest(&b, 0, RS_RIO_DIR_RECV), RS_OK, 16);
    assert_int_equal(complete_raw(socket, request, 16), RS_E_CORRUPT); /* twice */
    assert_int_equal(bed_poll(&b, 8), 1);
    bed_finish(&b);
}

/* One request does not come back: its slot stays taken, the others go on. When it comes after all
 * the slot is free again. */
static void test_rio_engine_lost_request_keeps_the_slot_and_holds_up_nobody(void **state) {
    bed_post *lost;
    (void)state;
    open_one(1);
    assert_int_equal(bed_attach(&b, 2, GEN), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, 0), RS_OK);
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 2, GEN, 0), RS_OK);
    bed_complete(&b, bed_oldest(&b, 2, RS_RIO_DIR_RECV), RS_OK, 5);
    assert_int_equal(bed_poll(&b, 8), 1); /* no CLOSE of the other one */
    assert_int_equal(b.conns[1].ops.phase, RS_CONN_CLOSING);
    assert_int_equal(b.engine.quota.held, 2 * b.engine.quota.conn_entries);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 1, GEN, RS_OPF_ABORT), RS_OK); /* does nothing */
    assert_int_equal(bed_submit(&b, RS_OP_RECV, 1, GEN, 0), RS_E_CLOSED);
    lost = bed_oldest(&b, 1, RS_RIO_DIR_RECV);
    bed_complete(&b, lost, RS_E_ABORTED, 0);
    assert_int_equal(bed_poll(&b, 8), 2);
    expect_out(0, RS_OP_RECV, RS_E_ABORTED, 0);
    expect_out(1, RS_OP_CLOSE, RS_OK, 0);
    assert_int_equal(bed_attach(&b, 1, GEN + 1), RS_OK);
    bed_finish(&b);
}

static void test_rio_engine_slot_is_bound_again_only_after_its_close_was_handed_out(void **state) {
    (void)state;
    open_one(0);
    assert_int_equal(bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0), RS_OK);
    assert_int_equal(b.conns[0].ops.phase, RS_CONN_CLOSED);
    assert_int_equal(b.engine.quota.held, b.engine.quota.conn_entries);
    assert_int_equal(bed_poll(&b, 8), 1);
    assert_int_equal(b.engine.quota.held, 0);
    assert_int_equal(bed_attach(&b, 0, GEN + 1), RS_OK);
    bed_finish(&b);
}

static void test_rio_engine_detached_slot_gives_its_quota_back(void **state) {
    (void)state;
    bed_init(&b, true);
    assert_int_equal(rs_rio_engine_attach(&b.engine, 2, GEN), RS_OK);
    rs_rio_engine_detach(&b.engine, 2);
    bed_finish(&b);
}

/* The fuzzer's walk in small, so that every build runs one. */
static void test_rio_engine_random_walk_loses_nothing(void **state) {
    static const rs_op_kind kinds[] = {RS_OP_RECV,     RS_OP_SEND,  RS_OP_SEND,
                                       RS_OP_SHUTDOWN, RS_OP_CLOSE, RS_OP_CONNECT};
    test_random random = {.state = seed};
    (void)state;
    for (uint32_t walk = 0; walk < 300; walk++) {
        bed_init(&b, walk % 3 != 0);
        for (uint32_t i = 0; i < 400; i++) {
            uint32_t conn = test_random_below(&random, BED_CONNS);
            bed_post *post = &b.posts[test_random_below(&random, BED_REQS)];
            uint32_t generation = b.owed[conn].generation + !b.owed[conn].bound;
            if (post->used && test_random_below(&random, 2) == 0) {
                bed_complete(&b, post, test_random_below(&random, 9) == 0 ? RS_E_RESET : RS_OK, 8);
            } else if (!b.owed[conn].bound && test_random_below(&random, 2) == 0) {
                assert_int_equal(bed_attach(&b, conn, generation), RS_OK);
            } else if (b.owed[conn].connecting && test_random_below(&random, 4) == 0) {
                bed_connected(&b, conn, test_random_below(&random, 3) == 0 ? RS_E_REFUSED : RS_OK);
            } else {
                (void)bed_submit(&b, kinds[test_random_below(&random, 6)], conn, generation,
                                 (uint8_t)test_random_below(&random, 2));
            }
            (void)bed_poll(&b, test_random_below(&random, 6));
        }
        bed_finish(&b);
    }
}

static void test_rio_engine_close_of_a_closed_socket_stops_the_process(void **state) {
    child_result result = child_run(self, "gone");
    (void)state;
    assert_true(child_asserted(&result, "!conn->socket_gone"));
}

static int run_child(void) {
    bed_init(&b, true);
    (void)bed_attach(&b, 0, GEN);
    (void)bed_submit(&b, RS_OP_CLOSE, 0, GEN, 0);
    rs_rio_engine_socket_gone(&b.engine, 0);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rio_engine_receive_completes_with_its_tag),
        cmocka_unit_test(test_rio_engine_batch_commits_each_queue_and_direction_once),
        cmocka_unit_test(test_rio_engine_close_takes_the_commit_of_its_batch_along),
        cmocka_unit_test(test_rio_engine_without_deferring_touches_nothing),
        cmocka_unit_test(test_rio_engine_sends_beyond_the_reserved_are_refused),
        cmocka_unit_test(test_rio_engine_send_done_out_of_order_waits_for_the_earlier_ones),
        cmocka_unit_test(test_rio_engine_failed_post_completes_behind_the_earlier_sends),
        cmocka_unit_test(test_rio_engine_plain_close_waits_for_the_sends_before_it),
        cmocka_unit_test(test_rio_engine_abort_closes_at_once_and_drains),
        cmocka_unit_test(test_rio_engine_escalated_close_completes_once),
        cmocka_unit_test(test_rio_engine_escalation_after_the_socket_is_closed_does_nothing),
        cmocka_unit_test(test_rio_engine_shutdown_goes_behind_the_sends),
        cmocka_unit_test(test_rio_engine_close_behind_shutdown_keeps_the_order),
        cmocka_unit_test(test_rio_engine_connect_posts_what_waited_for_it),
        cmocka_unit_test(test_rio_engine_failed_connect_fails_what_waited_and_stays_bound),
        cmocka_unit_test(test_rio_engine_close_while_connecting_waits_for_the_packet),
        cmocka_unit_test(test_rio_engine_stale_generation_is_refused),
        cmocka_unit_test(test_rio_engine_malformed_ops_are_refused),
        cmocka_unit_test(test_rio_engine_broken_connection_is_aborted_and_fails_what_follows),
        cmocka_unit_test(test_rio_engine_abort_from_elsewhere_is_a_reset),
        cmocka_unit_test(test_rio_engine_result_of_no_request_in_flight_is_corrupt),
        cmocka_unit_test(test_rio_engine_lost_request_keeps_the_slot_and_holds_up_nobody),
        cmocka_unit_test(test_rio_engine_slot_is_bound_again_only_after_its_close_was_handed_out),
        cmocka_unit_test(test_rio_engine_detached_slot_gives_its_quota_back),
        cmocka_unit_test(test_rio_engine_random_walk_loses_nothing),
        cmocka_unit_test(test_rio_engine_close_of_a_closed_socket_stops_the_process),
    };
    if (child_case(argc, argv) != NULL) {
        return run_child();
    }
    self = argv[0];
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
