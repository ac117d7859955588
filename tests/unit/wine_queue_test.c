/* SPDX-License-Identifier: MIT */
/* Queues of the RIO provider without any I/O: one completion queue, one request queue, an engine
 * played by the test. A pass is the capacity, order and results that RIO documents. The last case
 * plays random steps (seed printed, or given as the argument) and checks the sums after each. */
#include "queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned seed = 1;
static int retired;

static void retire(rs_rio_rq *rq) {
    (void)rq;
    retired++;
}

typedef struct fixture {
    rs_rio_cq cq;
    rs_rio_rq rq;
} fixture;

static void make(fixture *f, uint32_t size, uint32_t recvs, uint32_t sends) {
    memset(f, 0, sizeof *f);
    retired = 0;
    f->cq.size = size;
    f->rq.stream = true;
    f->rq.context = 42;
    f->rq.retire = retire;
    rs_atomic_store_u32(&f->rq.holders, RS_RIO_DIRECTIONS + 1);
    assert_int_equal(rs_queue_attach(&f->rq.lane[0], &f->rq, &f->cq, RS_RIO_RECV, recvs), 0);
    assert_int_equal(rs_queue_attach(&f->rq.lane[1], &f->rq, &f->cq, RS_RIO_SEND, sends), 0);
}

static void close_all(fixture *f) {
    rs_queue_result out;
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        rs_rio_lane *lane = &f->rq.lane[d];
        if (!lane->closing) {
            rs_queue_close(lane);
        }
        if (lane->running > 0) {
            rs_queue_finish(lane, RS_RIO_ABORTED, 0);
            rs_queue_abort(lane);
        }
    }
    rs_queue_drop(&f->rq);
    while (rs_queue_take(&f->cq, &out)) {
    }
    assert_int_equal(retired, 1);
    assert_int_equal(f->cq.charged, 0);
    assert_null(f->cq.first_lane);
}

static rs_rio_request *ask(rs_rio_lane *lane, uint32_t length, uint64_t context) {
    rs_rio_request *request = rs_queue_accept(lane);
    if (request != NULL) {
        request->data.length = length;
        request->context = context;
    }
    return request;
}

/* All that was asked of the lane is committed and ends well, one by one. */
static void commit_and_finish(rs_rio_lane *lane) {
    rs_queue_commit(lane);
    while (lane->committed > 0) {
        rs_queue_start(lane, 1);
        rs_queue_finish(lane, 0, 1);
    }
}

static void test_queue_charge_is_the_sum_of_limits(void **state) {
    fixture f;
    rs_rio_lane more;
    (void)state;
    make(&f, 8, 3, 4);
    assert_int_equal(f.cq.charged, 7);
    assert_int_equal(rs_queue_attach(&more, &f.rq, &f.cq, RS_RIO_RECV, 2), RS_RIO_E_NO_BUFFERS);
    assert_int_equal(f.cq.charged, 7);
    close_all(&f);
}

static void test_queue_request_counts_until_taken(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_RECV];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 1);
    assert_non_null(ask(lane, 10, 1));
    assert_null(ask(lane, 10, 2));
    rs_queue_commit(lane);
    rs_queue_start(lane, 1);
    rs_queue_finish(lane, 0, 4);
    assert_null(ask(lane, 10, 2));
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.bytes, 4);
    assert_int_equal(out.socket_context, 42);
    assert_non_null(ask(lane, 10, 2));
    close_all(&f);
}

static void test_queue_receive_of_whole_length_ends_full_or_with_the_stream(void **state) {
    static const uint64_t last[] = {6, 0}; /* the rest, or the end */
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        fixture f;
        rs_rio_lane *lane = &f.rq.lane[RS_RIO_RECV];
        rs_queue_result out;
        make(&f, 8, 1, 1);
        ask(lane, 10, 1)->wait_all = true;
        rs_queue_commit(lane);
        rs_queue_start(lane, 1);
        rs_queue_finish(lane, 0, 4);
        assert_false(rs_queue_take(&f.cq, &out));
        assert_int_equal(rs_queue_startable(lane), 1);
        rs_queue_start(lane, 1);
        rs_queue_finish(lane, 0, last[i]);
        assert_true(rs_queue_take(&f.cq, &out));
        assert_int_equal(out.status, RS_RIO_OK);
        assert_int_equal(out.bytes, 4 + last[i]);
        close_all(&f);
    }
}

/* What was sent of it before is not told: nobody knows what the peer has. */
static void test_queue_failed_request_has_no_bytes(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 1);
    (void)ask(lane, 10, 1);
    rs_queue_commit(lane);
    rs_queue_start(lane, 1);
    rs_queue_finish(lane, 0, 4);
    rs_queue_start(lane, 1);
    rs_queue_finish(lane, RS_RIO_ABORTED, 0);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.status, RS_RIO_ABORTED);
    assert_int_equal(out.bytes, 0);
    close_all(&f);
}

/* Bytes that the socket took before the close are not the whole slice: it is told as not sent. */
static void test_queue_send_cut_short_by_the_close_is_aborted(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 2);
    (void)ask(lane, 10, 1);
    (void)ask(lane, 10, 2);
    rs_queue_commit(lane);
    rs_queue_start(lane, 2);
    rs_queue_close(lane);
    rs_queue_finish(lane, 0, 14);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.status, RS_RIO_OK);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.status, RS_RIO_ABORTED);
    assert_int_equal(out.bytes, 0);
    close_all(&f);
}

static void test_queue_detached_lane_gives_its_charge_back(void **state) {
    fixture f;
    (void)state;
    make(&f, 8, 3, 4);
    rs_queue_detach(&f.rq.lane[RS_RIO_RECV]);
    assert_int_equal(f.cq.charged, 4);
    rs_queue_detach(&f.rq.lane[RS_RIO_SEND]);
    assert_int_equal(f.cq.charged, 0);
    assert_int_equal(f.cq.lanes, 0);
}

static void test_queue_uncommitted_requests_do_not_start(void **state) {
    (void)state;
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        fixture f;
        rs_rio_lane *lane = &f.rq.lane[d];
        make(&f, 8, 4, 4);
        (void)ask(lane, 10, 1);
        assert_int_equal(rs_queue_startable(lane), 0);
        rs_queue_commit(lane);
        (void)ask(lane, 10, 2);
        assert_int_equal(rs_queue_startable(lane), 1);
        close_all(&f);
    }
}

static void test_queue_sends_are_gathered_and_split_again(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 3);
    for (uint64_t i = 0; i < 3; i++) {
        (void)ask(lane, 10, i);
    }
    rs_queue_commit(lane);
    assert_int_equal(rs_queue_startable(lane), 3);
    rs_queue_start(lane, 3);
    rs_queue_finish(lane, 0, 15); /* cut in the middle of the second */
    assert_int_equal(f.cq.ready, 1);
    assert_int_equal(lane->head->done, 5);
    assert_int_equal(rs_queue_startable(lane), 2);
    rs_queue_start(lane, 2);
    rs_queue_finish(lane, 0, 15);
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(rs_queue_take(&f.cq, &out));
        assert_int_equal(out.request_context, i);
        assert_int_equal(out.bytes, 10);
    }
    close_all(&f);
}

static void test_queue_gather_is_bounded_by_count_and_bytes(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    (void)state;
    make(&f, 64, 1, 40);
    for (uint64_t i = 0; i < 20; i++) {
        (void)ask(lane, 10, i);
    }
    rs_queue_commit(lane);
    assert_int_equal(rs_queue_startable(lane), RS_RIO_GATHER_MAX);
    lane->head->data.length = RS_RIO_GATHER_BYTES_MAX + 1;
    assert_int_equal(rs_queue_startable(lane), 1);
    close_all(&f);
}

static void test_queue_failure_finishes_the_first_request_only(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 2);
    (void)ask(lane, 10, 1);
    (void)ask(lane, 10, 2);
    rs_queue_commit(lane);
    rs_queue_start(lane, 2);
    rs_queue_finish(lane, 10054, 0);
    assert_int_equal(f.cq.ready, 1);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.status, 10054);
    assert_int_equal(rs_queue_startable(lane), 1);
    close_all(&f);
}

static void test_queue_close_gives_the_charge_back_by_and_by(void **state) {
    fixture f;
    rs_queue_result out;
    (void)state;
    make(&f, 8, 4, 2);
    (void)ask(&f.rq.lane[RS_RIO_RECV], 10, 1);
    rs_queue_commit(&f.rq.lane[RS_RIO_RECV]);
    rs_queue_start(&f.rq.lane[RS_RIO_RECV], 1);
    (void)ask(&f.rq.lane[RS_RIO_RECV], 10, 2);
    rs_queue_close(&f.rq.lane[RS_RIO_SEND]);
    assert_int_equal(f.cq.charged, 4);
    rs_queue_close(&f.rq.lane[RS_RIO_RECV]);
    rs_queue_drop(&f.rq);
    assert_int_equal(f.cq.charged, 2); /* what was not outstanding came back at once */
    rs_queue_finish(&f.rq.lane[RS_RIO_RECV], RS_RIO_ABORTED, 0);
    rs_queue_abort(&f.rq.lane[RS_RIO_RECV]);
    assert_int_equal(f.cq.charged, 2);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(f.cq.charged, 1);
    assert_int_equal(retired, 0);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(out.status, RS_RIO_ABORTED);
    assert_int_equal(out.request_context, 2);
    assert_int_equal(retired, 1);
    assert_int_equal(f.cq.charged, 0);
}

static void test_queue_silent_completions_are_not_loud(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    (void)state;
    make(&f, 8, 1, 2);
    ask(lane, 1, 1)->silent = true;
    (void)ask(lane, 1, 2);
    rs_queue_commit(lane);
    rs_queue_start(lane, 1);
    rs_queue_finish(lane, 0, 1);
    assert_int_equal(f.cq.ready, 1);
    assert_int_equal(f.cq.ready_loud, 0);
    rs_queue_start(lane, 1);
    rs_queue_finish(lane, 0, 1);
    assert_int_equal(f.cq.ready_loud, 1);
    close_all(&f);
}

/* Datagrams: receives join those in progress and finish one by one, whatever each brought; sends
 * run in chains that nothing joins, and what a broken chain leaves is run again. */
static void test_queue_datagrams_finish_one_by_one(void **state) {
    fixture f;
    rs_rio_lane *recv = &f.rq.lane[RS_RIO_RECV], *send = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 4, 4);
    f.rq.stream = false;
    recv->many = send->many = true;
    for (uint64_t i = 1; i <= 3; i++) {
        (void)ask(recv, 10, i);
        (void)ask(send, 10, i);
    }
    rs_queue_commit(recv);
    assert_int_equal(rs_queue_startable(recv), 3);
    rs_queue_start(recv, 2);
    assert_int_equal(rs_queue_startable(recv), 1);
    rs_queue_finish(recv, 0, 4);
    rs_queue_finish(recv, 10040, 0);
    assert_int_equal(recv->running, 0);
    assert_true(rs_queue_take(&f.cq, &out) && out.request_context == 1 && out.bytes == 4);
    assert_true(rs_queue_take(&f.cq, &out) && out.request_context == 2 && out.status == 10040);
    rs_queue_commit(send);
    rs_queue_start(send, 3);
    (void)ask(send, 10, 4);
    rs_queue_commit(send);
    assert_int_equal(rs_queue_startable(send), 0);
    rs_queue_finish(send, 10040, 0); /* and the two behind it were not sent */
    rs_queue_rerun(send, 1);
    rs_queue_rerun(send, 1);
    assert_int_equal(rs_queue_startable(send), 3);
    close_all(&f);
}

/* An operation that stands without requests keeps its lane until it ends. */
static void test_queue_standing_operation_keeps_its_lane(void **state) {
    fixture f;
    rs_rio_lane *recv = &f.rq.lane[RS_RIO_RECV];
    (void)state;
    make(&f, 8, 4, 1);
    recv->many = true;
    rs_queue_stand(recv, true);
    rs_queue_close(recv);
    assert_true(recv->attached);
    assert_int_equal(f.cq.charged, 1);
    rs_queue_stand(recv, false);
    assert_false(recv->attached);
    assert_int_equal(f.cq.charged, 1);
    close_all(&f);
}

/* What was taken is loud no longer: a queue emptied by its program does not notify at the next
 * arming. */
static void test_queue_taken_completions_are_not_loud(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
    rs_queue_result out;
    (void)state;
    make(&f, 8, 1, 3);
    (void)ask(lane, 1, 1);
    ask(lane, 1, 2)->silent = true;
    (void)ask(lane, 1, 3);
    commit_and_finish(lane);
    assert_int_equal(f.cq.ready_loud, 2);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(f.cq.ready_loud, 1);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(f.cq.ready_loud, 1);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(f.cq.ready_loud, 0);
    close_all(&f);
}

static void test_queue_counts_sends_and_receives(void **state) {
    fixture f;
    rs_queue_result out;
    (void)state;
    make(&f, 8, 2, 2);
    for (uint32_t direction = 0; direction < RS_RIO_DIRECTIONS; direction++) {
        rs_rio_lane *lane = &f.rq.lane[direction];
        (void)ask(lane, 1, 1);
        (void)ask(lane, 1, 2);
        commit_and_finish(lane);
    }
    assert_int_equal(f.cq.accepted, 4);
    assert_int_equal(f.cq.received, 2);
    assert_int_equal(f.cq.ready_sends, 2);
    for (uint32_t left = 3; left > 0; left--) { /* receives first */
        assert_true(rs_queue_take(&f.cq, &out));
    }
    assert_int_equal(f.cq.ready_sends, 1);
    assert_true(rs_queue_take(&f.cq, &out));
    assert_int_equal(f.cq.ready_sends, 0);
    assert_int_equal(f.cq.received, 2);
    close_all(&f);
}

static void test_queue_resize_keeps_the_sums(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_RECV];
    (void)state;
    make(&f, 8, 2, 2);
    (void)ask(lane, 1, 1);
    (void)ask(lane, 1, 2);
    assert_int_equal(rs_queue_resize_lane(lane, 1), RS_RIO_E_TOO_MANY_REFS);
    assert_int_equal(rs_queue_resize_lane(lane, 7), RS_RIO_E_NO_BUFFERS);
    assert_int_equal(rs_queue_resize_cq(&f.cq, 3), RS_RIO_E_TOO_MANY_REFS);
    assert_int_equal(rs_queue_resize_cq(&f.cq, 9), 0);
    assert_int_equal(rs_queue_resize_lane(lane, 7), 0);
    assert_int_equal(f.cq.charged, 9);
    assert_non_null(ask(lane, 1, 3));
    close_all(&f);
}

static void test_queue_forget_drops_everything_without_completion(void **state) {
    fixture f;
    rs_rio_lane *lane = &f.rq.lane[RS_RIO_RECV];
    (void)state;
    make(&f, 8, 2, 2);
    (void)ask(lane, 1, 1);
    rs_queue_commit(lane);
    rs_queue_start(lane, 1);
    rs_queue_forget(lane);
    assert_int_equal(lane->outstanding, 0);
    assert_int_equal(f.cq.ready, 0);
    close_all(&f);
}

/* Every accepted request completes once and in order; the lane's counts stay consistent. */
static void test_queue_random_steps_keep_the_sums(void **state) {
    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 200; round++) {
        fixture f;
        rs_rio_lane *lane = &f.rq.lane[RS_RIO_SEND];
        uint64_t asked = 0, taken = 0;
        rs_queue_result out;

        make(&f, 16, 1, (uint32_t)rand() % 12 + 1);
        for (int step = 0; step < 300; step++) {
            uint32_t can = rs_queue_startable(lane);
            switch (rand() % 5) {
            case 0:
                asked += ask(lane, (uint32_t)rand() % 40 + 1, asked) != NULL;
                break;
            case 1:
                rs_queue_commit(lane);
                break;
            case 2:
                if (can > 0) {
                    rs_queue_start(lane, (uint32_t)rand() % can + 1);
                }
                break;
            case 3:
                if (lane->running > 0) {
                    rs_queue_finish(lane, rand() % 8 ? 0 : 10054, (uint64_t)rand() % 100 + 1);
                }
                break;
            default:
                if (rs_queue_take(&f.cq, &out)) {
                    assert_int_equal(out.request_context, taken);
                    taken++;
                }
            }
            assert_int_equal(lane->outstanding, asked - taken);
            assert_int_equal(lane->queued + f.cq.ready, lane->outstanding);
            assert_true(lane->running <= lane->committed && lane->committed <= lane->queued);
            assert_true(lane->outstanding <= lane->limit);
        }
        close_all(&f);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_charge_is_the_sum_of_limits),
        cmocka_unit_test(test_queue_request_counts_until_taken),
        cmocka_unit_test(test_queue_receive_of_whole_length_ends_full_or_with_the_stream),
        cmocka_unit_test(test_queue_failed_request_has_no_bytes),
        cmocka_unit_test(test_queue_send_cut_short_by_the_close_is_aborted),
        cmocka_unit_test(test_queue_detached_lane_gives_its_charge_back),
        cmocka_unit_test(test_queue_uncommitted_requests_do_not_start),
        cmocka_unit_test(test_queue_sends_are_gathered_and_split_again),
        cmocka_unit_test(test_queue_gather_is_bounded_by_count_and_bytes),
        cmocka_unit_test(test_queue_failure_finishes_the_first_request_only),
        cmocka_unit_test(test_queue_close_gives_the_charge_back_by_and_by),
        cmocka_unit_test(test_queue_silent_completions_are_not_loud),
        cmocka_unit_test(test_queue_datagrams_finish_one_by_one),
        cmocka_unit_test(test_queue_standing_operation_keeps_its_lane),
        cmocka_unit_test(test_queue_taken_completions_are_not_loud),
        cmocka_unit_test(test_queue_counts_sends_and_receives),
        cmocka_unit_test(test_queue_resize_keeps_the_sums),
        cmocka_unit_test(test_queue_forget_drops_everything_without_completion),
        cmocka_unit_test(test_queue_random_steps_keep_the_sums),
    };
    if (argc > 1) {
        seed = (unsigned)strtoul(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
