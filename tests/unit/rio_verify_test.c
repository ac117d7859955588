/* SPDX-License-Identifier: MIT */
/* The checker of RIO's callers, each check shown firing once. Set up: one completion queue, one
 * request queue of 1 receive and 2 sends, one registration of three pages; a provider is not
 * needed, since the checker only hears what was called and what came back. A pass: exactly the
 * expected violation was reported, and none in the run that keeps every rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rio/rio_verify.h"
#include "unit/child.h"

#define THREAD 11u
#define SOCKET_A 100u
#define MEMORY_BYTES (3u * 4096u)

typedef struct bench {
    rs_rio_verify *verify;
    uint32_t count[RS_RV_CHECKS];
    rs_rv_cq *cq;
    rs_rv_rq *rq;
    rs_rv_buffer *buffer;
    uint8_t memory[MEMORY_BYTES];
    int descriptors[8];
    rs_rv_origin origin;
} bench;

static const char *self;
static bench b;

static void count_violation(void *ctx, rs_rv_check check, const char *text) {
    bench *at = ctx;
    assert_true(strstr(text, rs_rv_name(check)) != NULL);
    at->count[check]++;
}

static rs_rv_rq *make_queue(uint64_t socket) {
    rs_rv_rq_config cfg = {.socket = socket,
                           .context = socket + 1,
                           .recvs = 1,
                           .sends = 2,
                           .recv_buffers = 1,
                           .send_buffers = 1,
                           .recv_cq = b.cq,
                           .send_cq = b.cq};
    rs_rv_rq *rq = rs_rv_rq_prepare(b.verify, &cfg, THREAD);
    rs_rv_rq_opened(b.verify, rq, 77);
    return rq;
}

static void set_up(bool unique_ids) {
    rs_rv_options options = {.unique_ids = unique_ids, .report = count_violation, .ctx = &b};
    memset(&b, 0, sizeof b);
    b.verify = rs_rv_open(&options);
    assert_non_null(b.verify);
    b.cq = rs_rv_cq_open(b.verify, 8, true, 5);
    b.buffer = rs_rv_register(b.verify, b.memory, MEMORY_BYTES, 6);
    b.rq = make_queue(SOCKET_A);
}

/* The same for a program of others: only what the documents rule out, any thread. */
static void set_up_stranger(bool datagram) {
    rs_rv_options options = {
        .any_thread = true, .documented_only = true, .report = count_violation, .ctx = &b};
    rs_rv_rq_config cfg = {.socket = SOCKET_A,
                           .context = SOCKET_A + 1,
                           .recvs = 2,
                           .sends = 2,
                           .recv_buffers = 1,
                           .send_buffers = 1,
                           .datagram = datagram};
    memset(&b, 0, sizeof b);
    b.verify = rs_rv_open(&options);
    assert_non_null(b.verify);
    cfg.recv_cq = cfg.send_cq = b.cq = rs_rv_cq_open(b.verify, 8, true, 5);
    b.buffer = rs_rv_register(b.verify, b.memory, MEMORY_BYTES, 6);
    b.rq = rs_rv_rq_prepare(b.verify, &cfg, THREAD);
    rs_rv_rq_opened(b.verify, b.rq, 77);
}

static uint32_t violations(void) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < RS_RV_CHECKS; i++) {
        total += b.count[i];
    }
    return total;
}

/* Exactly this one, and nothing else, was reported until now. */
static void expect_one(rs_rv_check check) {
    assert_int_equal(b.count[check], 1);
    assert_int_equal(violations(), 1);
}

static rs_rv_request *post(bool is_recv, uint32_t slot, uint32_t offset, uint32_t bytes) {
    rs_rv_post what = {.is_recv = is_recv,
                       .count = 1,
                       .slice = {{&b.descriptors[slot], b.buffer, offset, bytes}},
                       .context = 40 + slot};
    return rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
}

static void deferred(bool is_recv, uint32_t slot, uint32_t offset, rs_rv_request **out) {
    rs_rv_post what = {.is_recv = is_recv,
                       .flags = RS_RV_DEFER,
                       .count = 1,
                       .slice = {{&b.descriptors[slot], b.buffer, offset, 64}}};
    *out = rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
}

static void commit(bool is_recv) {
    rs_rv_post what = {.is_recv = is_recv, .flags = RS_RV_COMMIT_ONLY};
    assert_null(rs_rv_post_begin(b.verify, b.rq, &what, THREAD));
}

static void complete(rs_rv_request *request, uint32_t bytes) {
    assert_true(rs_rv_complete(b.verify, b.cq, request, true, bytes, &b.origin));
}

/* The end of a well-behaved program; leaks = what it still reports. */
static void tear_down(uint32_t leaks) {
    uint32_t before = violations();
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    rs_rv_cq_close(b.verify, b.cq, THREAD);
    rs_rv_deregister(b.verify, b.buffer);
    assert_int_equal(violations(), before);
    assert_int_equal(rs_rv_close(b.verify), before + leaks);
    assert_int_equal(b.count[RS_RV_LEAK], leaks);
}

static void test_verify_of_a_caller_who_keeps_every_rule_is_silent(void **state) {
    rs_rv_request *recv, *first, *second;
    (void)state;
    set_up(false);
    deferred(true, 0, 0, &recv);
    deferred(false, 1, 4096, &first);
    deferred(false, 2, 4096, &second); /* the same bytes sent twice are only read */
    commit(true);
    commit(false);
    rs_rv_notify(b.verify, b.cq, THREAD);
    rs_rv_notified(b.verify, b.cq, false);
    rs_rv_dequeue(b.verify, b.cq, THREAD);
    memset(b.memory, 7, 10); /* what the kernel received */
    complete(recv, 10);
    complete(first, 64);
    complete(second, 64);
    recv = post(true, 0, 0, 64); /* slices are free again, and so are descriptors */
    complete(recv, 0);
    assert_int_equal(violations(), 0);
    tear_down(0);
}

static void test_verify_completion_gives_the_callers_contexts_back(void **state) {
    rs_rv_request *request;
    (void)state;
    set_up(false);
    request = post(false, 3, 0, 64);
    complete(request, 64);
    assert_int_equal(b.origin.socket_context, SOCKET_A + 1);
    assert_int_equal(b.origin.request_context, 43);
    tear_down(0);
}

static void test_verify_refused_post_leaves_no_mark(void **state) {
    rs_rv_request *request;
    (void)state;
    set_up(true);
    rs_rv_post_refused(b.verify, post(true, 0, 0, 64));
    deferred(true, 0, 0, &request);
    rs_rv_post_refused(b.verify, request);
    rs_rv_notify(b.verify, b.cq, THREAD); /* nothing is uncommitted */
    assert_int_equal(violations(), 0);
    tear_down(0);
}

static void test_verify_request_queue_of_another_thread_is_reported(void **state) {
    rs_rv_post what = {.is_recv = false, .flags = RS_RV_COMMIT_ONLY};
    (void)state;
    set_up(false);
    (void)rs_rv_post_begin(b.verify, b.rq, &what, THREAD + 1);
    expect_one(RS_RV_RQ_THREAD);
    tear_down(0);
}

static void test_verify_completion_queue_of_another_thread_is_reported(void **state) {
    (void)state;
    set_up(false);
    rs_rv_dequeue(b.verify, b.cq, THREAD + 1);
    expect_one(RS_RV_CQ_THREAD);
    tear_down(0);
}

static void test_verify_unknown_or_deregistered_id_is_reported(void **state) {
    rs_rv_buffer *kept;
    (void)state;
    set_up(false);
    kept = b.buffer;
    b.buffer = rs_rv_register(b.verify, b.memory, 64, 9);
    rs_rv_deregister(b.verify, b.buffer);
    complete(post(false, 0, 0, 64), 64);
    expect_one(RS_RV_BUFFER_DEAD);
    b.buffer = NULL;
    complete(post(false, 0, 0, 64), 64);
    assert_int_equal(b.count[RS_RV_BUFFER_DEAD], 2);
    b.buffer = kept;
    tear_down(0);
}

static void test_verify_slice_beyond_its_registration_is_reported(void **state) {
    (void)state;
    set_up(false);
    complete(post(false, 0, MEMORY_BYTES - 63, 64), 64);
    expect_one(RS_RV_RANGE);
    complete(post(false, 0, MEMORY_BYTES + 1, UINT32_MAX), 0);
    assert_int_equal(b.count[RS_RV_RANGE], 2);
    tear_down(0);
}

static void test_verify_overlap_of_receive_and_send_is_reported(void **state) {
    rs_rv_request *recv, *send;
    (void)state;
    set_up(false);
    recv = post(true, 0, 4000, 200); /* over a page's end */
    send = post(false, 1, 4199, 64);
    expect_one(RS_RV_OVERLAP);
    complete(send, 64);
    complete(recv, 0);
    tear_down(0);
}

static void test_verify_overlap_through_two_registrations_is_reported(void **state) {
    rs_rv_buffer *first, *second;
    rs_rv_request *recv, *send;
    (void)state;
    set_up(false);
    first = b.buffer;
    second = rs_rv_register(b.verify, b.memory, MEMORY_BYTES, 8);
    recv = post(true, 0, 0, 64);
    b.buffer = second;
    send = post(false, 1, 63, 64);
    expect_one(RS_RV_OVERLAP);
    complete(recv, 0);
    complete(send, 64);
    rs_rv_deregister(b.verify, second);
    b.buffer = first;
    tear_down(0);
}

static void test_verify_id_in_two_requests_is_reported_when_ids_are_to_be_unique(void **state) {
    rs_rv_request *first, *second;
    (void)state;
    set_up(true);
    first = post(false, 0, 0, 64);
    second = post(false, 1, 4096, 64);
    expect_one(RS_RV_ID_SHARED);
    complete(first, 64);
    complete(second, 64);
    tear_down(0);
}

static void test_verify_descriptor_in_two_requests_is_reported(void **state) {
    rs_rv_request *first, *second;
    (void)state;
    set_up(false);
    first = post(false, 0, 0, 64);
    second = post(false, 0, 4096, 64);
    expect_one(RS_RV_DESCRIPTOR_BUSY);
    complete(first, 64);
    complete(second, 64);
    tear_down(0);
}

static void test_verify_write_to_a_receive_slice_in_flight_is_reported(void **state) {
    rs_rv_request *recv;
    (void)state;
    set_up(false);
    recv = post(true, 0, 0, 64);
    b.memory[40] = 1; /* beyond the 10 bytes that the kernel will say it wrote */
    complete(recv, 10);
    expect_one(RS_RV_RECV_TOUCHED);
    tear_down(0);
}

static void test_verify_write_to_a_send_slice_in_flight_is_reported(void **state) {
    rs_rv_request *send;
    (void)state;
    set_up(false);
    send = post(false, 0, 0, 61);
    b.memory[60] ^= 1;
    complete(send, 61);
    expect_one(RS_RV_SEND_TOUCHED);
    tear_down(0);
}

static void test_verify_deregistration_in_use_is_reported(void **state) {
    rs_rv_request *send;
    (void)state;
    set_up(false);
    send = post(false, 0, 0, 64);
    rs_rv_deregister(b.verify, b.buffer);
    expect_one(RS_RV_DEREGISTER_BUSY);
    complete(send, 64);
    b.buffer = rs_rv_register(b.verify, b.memory, MEMORY_BYTES, 6);
    tear_down(0);
}

static void test_verify_request_beyond_the_queues_depth_is_reported(void **state) {
    rs_rv_request *request[3];
    (void)state;
    set_up(false);
    for (uint32_t i = 0; i < 3; i++) {
        request[i] = post(false, i, i * 64, 64);
    }
    expect_one(RS_RV_RQ_FULL);
    for (uint32_t i = 0; i < 3; i++) {
        complete(request[i], 64);
    }
    tear_down(0);
}

static void test_verify_reservation_beyond_the_completion_queue_is_reported(void **state) {
    (void)state;
    set_up(false);
    (void)make_queue(SOCKET_A + 1); /* 3 + 3 of 8 */
    assert_int_equal(violations(), 0);
    (void)make_queue(SOCKET_A + 2);
    expect_one(RS_RV_CQ_FULL);
    rs_rv_socket_close(b.verify, SOCKET_A + 1, THREAD);
    rs_rv_socket_close(b.verify, SOCKET_A + 2, THREAD);
    rs_rv_cq_resized(b.verify, b.cq, 3, THREAD); /* what is reserved now just fits */
    expect_one(RS_RV_CQ_FULL);
    rs_rv_rq_resized(b.verify, b.rq, 2, 2, THREAD);
    assert_int_equal(b.count[RS_RV_CQ_FULL], 2);
    tear_down(0);
}

static void test_verify_completion_queue_closed_in_use_is_reported(void **state) {
    rs_rv_request *send;
    (void)state;
    set_up(false);
    send = post(false, 0, 0, 64);
    rs_rv_cq_close(b.verify, b.cq, THREAD);
    expect_one(RS_RV_CQ_BUSY);
    complete(send, 64);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    rs_rv_deregister(b.verify, b.buffer);
    assert_int_equal(rs_rv_close(b.verify), 1);
}

/* RIOCloseCompletionQueue's page has it so: later completions are dropped. The buffer of a request
 * whose completion nobody will see is still in use. */
static void test_verify_documented_queue_closed_in_use_is_allowed_its_buffer_is_not(void **state) {
    (void)state;
    set_up_stranger(true);
    (void)post(true, 0, 0, 64);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    rs_rv_cq_close(b.verify, b.cq, THREAD);
    assert_int_equal(b.count[RS_RV_CQ_BUSY], 0);
    rs_rv_deregister(b.verify, b.buffer);
    expect_one(RS_RV_DEREGISTER_BUSY);
    (void)rs_rv_close(b.verify);
}

static void test_verify_use_of_a_closed_completion_queue_is_reported(void **state) {
    (void)state;
    set_up(false);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    rs_rv_cq_close(b.verify, b.cq, THREAD);
    rs_rv_dequeue(b.verify, b.cq, THREAD);
    expect_one(RS_RV_CQ_DEAD);
    rs_rv_deregister(b.verify, b.buffer);
    assert_int_equal(rs_rv_close(b.verify), 1);
}

static void test_verify_second_notify_before_the_first_fired_is_reported(void **state) {
    (void)state;
    set_up(false);
    rs_rv_notify(b.verify, b.cq, THREAD);
    rs_rv_notified(b.verify, b.cq, true);
    expect_one(RS_RV_NOTIFY_TWICE);
    tear_down(0);
}

static void test_verify_notify_on_a_polled_queue_is_reported(void **state) {
    rs_rv_cq *polled;
    (void)state;
    set_up(false);
    polled = rs_rv_cq_open(b.verify, 4, false, 5);
    rs_rv_notify(b.verify, polled, THREAD);
    expect_one(RS_RV_NOTIFY_POLLED);
    rs_rv_cq_close(b.verify, polled, THREAD);
    tear_down(0);
}

static void test_verify_sleep_on_uncommitted_requests_is_reported(void **state) {
    rs_rv_request *send;
    (void)state;
    set_up(false);
    deferred(false, 0, 0, &send);
    commit(true); /* the other direction's commit does not start it */
    rs_rv_notify(b.verify, b.cq, THREAD);
    expect_one(RS_RV_UNCOMMITTED);
    commit(false);
    complete(send, 64);
    tear_down(0);
}

static void test_verify_close_of_a_socket_with_uncommitted_requests_is_reported(void **state) {
    rs_rv_request *send;
    (void)state;
    set_up(false);
    deferred(false, 0, 0, &send);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    expect_one(RS_RV_UNCOMMITTED);
    complete(send, 0);
    tear_down(0);
}

static void test_verify_flags_ruled_out_are_reported(void **state) {
    rs_rv_post what = {.is_recv = true, .flags = RS_RV_COMMIT_ONLY | RS_RV_DEFER};
    (void)state;
    set_up(false);
    (void)rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
    expect_one(RS_RV_FLAGS);
    what = (rs_rv_post){.is_recv = false,
                        .flags = RS_RV_WAITALL, /* a flag of receives */
                        .count = 1,
                        .slice = {{b.descriptors, b.buffer, 0, 64}}};
    complete(rs_rv_post_begin(b.verify, b.rq, &what, THREAD), 64);
    assert_int_equal(b.count[RS_RV_FLAGS], 2);
    tear_down(0);
}

static void test_verify_request_after_closesocket_is_reported(void **state) {
    rs_rv_rq *closed;
    (void)state;
    set_up(false);
    closed = b.rq;
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    b.rq = make_queue(SOCKET_A); /* the handle's value is in use again */
    assert_int_equal(violations(), 0);
    b.rq = closed;
    assert_null(post(false, 0, 0, 64));
    expect_one(RS_RV_RQ_CLOSED);
    tear_down(0);
}

static void test_verify_second_queue_of_a_socket_is_reported(void **state) {
    (void)state;
    set_up(false);
    (void)make_queue(SOCKET_A);
    expect_one(RS_RV_SOCKET_TWICE);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    tear_down(0);
}

static void test_verify_completion_of_nothing_is_reported(void **state) {
    rs_rv_request *request;
    (void)state;
    set_up(false);
    request = post(false, 0, 0, 64);
    complete(request, 64);
    assert_false(rs_rv_complete(b.verify, b.cq, request, true, 64, &b.origin)); /* twice */
    expect_one(RS_RV_COMPLETION);
    request = post(true, 0, 0, 64);
    complete(request, 65); /* more than asked */
    assert_int_equal(b.count[RS_RV_COMPLETION], 2);
    b.count[RS_RV_RECV_TOUCHED] = 0;
    tear_down(0);
}

static void test_verify_leaks_are_reported_at_the_end(void **state) {
    (void)state;
    set_up(false);
    (void)post(true, 0, 0, 64);
    assert_int_equal(rs_rv_close(b.verify), 3); /* a request; queues; registrations */
    assert_int_equal(b.count[RS_RV_LEAK], 3);
}

static void test_verify_without_a_hook_stops_the_process(void **state) {
    child_result result = child_run(self, "fatal");
    (void)state;
    assert_true(result.exited);
    assert_int_equal(result.code, 3); /* RS_EXIT_FATAL */
    assert_non_null(strstr(result.text, "RS_RV_NOTIFY_POLLED"));
}

static void test_verify_names_are_all_different(void **state) {
    (void)state;
    for (uint32_t i = 0; i < RS_RV_CHECKS; i++) {
        for (uint32_t k = 0; k < i; k++) {
            assert_string_not_equal(rs_rv_name((rs_rv_check)i), rs_rv_name((rs_rv_check)k));
        }
    }
    assert_string_equal(rs_rv_name(RS_RV_CHECKS), "RS_RV_?");
}

static int run_child(void) {
    rs_rv_options options = {.unique_ids = false};
    rs_rio_verify *verify = rs_rv_open(&options);
    rs_rv_notify(verify, rs_rv_cq_open(verify, 4, false, 5), THREAD);
    return 0;
}

static void test_verify_of_a_stranger_knows_only_the_documented_rules(void **state) {
    rs_rv_request *one, *two;
    (void)state;
    set_up_stranger(false);
    one = post(false, 0, 0, 64);
    two = post(false, 0, 64, 64); /* the same descriptor, as on a stack */
    complete(one, 64);
    complete(two, 64);
    deferred(false, 1, 0, &one);
    rs_rv_notify(b.verify, b.cq, THREAD + 1); /* another thread, and one that commits later */
    rs_rv_notified(b.verify, b.cq, false);
    commit(false);
    rs_rv_dequeue(b.verify, b.cq, THREAD + 2);
    complete(one, 64);
    assert_int_equal(violations(), 0);
    (void)post(true, 0, 0, 64);
    assert_int_equal(rs_rv_close(b.verify), 0); /* the process ends, and all goes with it */
}

static void test_verify_two_threads_at_once_are_reported(void **state) {
    (void)state;
    set_up_stranger(false);
    rs_rv_enter(b.verify, "RIOSend", (uintptr_t)b.rq);
    rs_rv_two_threads(b.verify, RS_RV_RQ_THREAD, THREAD + 1);
    expect_one(RS_RV_RQ_THREAD);
    tear_down(0);
}

static void test_verify_handles_are_found_and_not_trusted(void **state) {
    (void)state;
    set_up_stranger(false);
    assert_ptr_equal(rs_rv_rq_find(b.verify, (uintptr_t)b.rq), b.rq);
    assert_ptr_equal(rs_rv_cq_find(b.verify, (uintptr_t)b.cq), b.cq);
    assert_ptr_equal(rs_rv_buffer_find(b.verify, (uintptr_t)b.buffer), b.buffer);
    assert_int_equal(violations(), 0);
    assert_null(rs_rv_buffer_find(b.verify, (uintptr_t)b.memory));
    assert_null(rs_rv_cq_find(b.verify, (uintptr_t)b.rq));
    expect_one(RS_RV_CQ_DEAD);
    assert_null(rs_rv_rq_find(b.verify, 12345));
    assert_int_equal(b.count[RS_RV_RQ_CLOSED], 1);
    assert_int_equal(violations(), 2);
    tear_down(0);
}

/* The slices of the Ex functions are in flight like the data. */
static void test_verify_address_slices_are_checked(void **state) {
    rs_rv_post what = {
        .is_recv = true,
        .count = 1,
        .slice = {{&b.descriptors[0], NULL, 0, 64}, {0}, {&b.descriptors[1], NULL, 64, 28}}};
    rs_rv_request *one, *two;
    (void)state;
    set_up_stranger(true);
    what.slice[0].buffer = what.slice[2].buffer = b.buffer;
    one = rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
    assert_int_equal(violations(), 0);
    what.slice[0].offset = 128; /* its address goes where the other's goes */
    two = rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
    expect_one(RS_RV_OVERLAP);
    complete(one, 64);
    complete(two, 64);
    what.slice[2].offset = MEMORY_BYTES - 8;
    complete(rs_rv_post_begin(b.verify, b.rq, &what, THREAD), 64);
    assert_int_equal(b.count[RS_RV_RANGE], 1);
    what.is_recv = false; /* read only: one address for all sends */
    what.slice[2].offset = 64;
    one = rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
    what.slice[0].offset = 256;
    two = rs_rv_post_begin(b.verify, b.rq, &what, THREAD);
    complete(one, 64);
    complete(two, 64);
    assert_int_equal(violations(), 2);
    tear_down(0);
}

static void test_verify_datagram_needs_no_payload(void **state) {
    const rs_rv_post what = {.is_recv = true};
    (void)state;
    set_up_stranger(true);
    complete(rs_rv_post_begin(b.verify, b.rq, &what, THREAD), 0);
    assert_int_equal(violations(), 0);
    tear_down(0);
    set_up_stranger(false);
    complete(rs_rv_post_begin(b.verify, b.rq, &what, THREAD), 0);
    expect_one(RS_RV_FLAGS);
    tear_down(0);
}

static void test_verify_closed_socket_reserves_what_is_outstanding(void **state) {
    rs_rv_request *one;
    (void)state;
    set_up_stranger(false);
    one = post(true, 0, 0, 64);
    rs_rv_socket_close(b.verify, SOCKET_A, THREAD);
    rs_rv_cq_resized(b.verify, b.cq, 1, THREAD); /* exactly the one that is to come */
    assert_int_equal(violations(), 0);
    complete(one, 0);
    rs_rv_cq_resized(b.verify, b.cq, 0, THREAD);
    assert_int_equal(violations(), 0);
    tear_down(0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_of_a_caller_who_keeps_every_rule_is_silent),
        cmocka_unit_test(test_verify_completion_gives_the_callers_contexts_back),
        cmocka_unit_test(test_verify_refused_post_leaves_no_mark),
        cmocka_unit_test(test_verify_request_queue_of_another_thread_is_reported),
        cmocka_unit_test(test_verify_completion_queue_of_another_thread_is_reported),
        cmocka_unit_test(test_verify_unknown_or_deregistered_id_is_reported),
        cmocka_unit_test(test_verify_slice_beyond_its_registration_is_reported),
        cmocka_unit_test(test_verify_overlap_of_receive_and_send_is_reported),
        cmocka_unit_test(test_verify_overlap_through_two_registrations_is_reported),
        cmocka_unit_test(test_verify_id_in_two_requests_is_reported_when_ids_are_to_be_unique),
        cmocka_unit_test(test_verify_descriptor_in_two_requests_is_reported),
        cmocka_unit_test(test_verify_write_to_a_receive_slice_in_flight_is_reported),
        cmocka_unit_test(test_verify_write_to_a_send_slice_in_flight_is_reported),
        cmocka_unit_test(test_verify_deregistration_in_use_is_reported),
        cmocka_unit_test(test_verify_request_beyond_the_queues_depth_is_reported),
        cmocka_unit_test(test_verify_reservation_beyond_the_completion_queue_is_reported),
        cmocka_unit_test(test_verify_completion_queue_closed_in_use_is_reported),
        cmocka_unit_test(test_verify_documented_queue_closed_in_use_is_allowed_its_buffer_is_not),
        cmocka_unit_test(test_verify_use_of_a_closed_completion_queue_is_reported),
        cmocka_unit_test(test_verify_second_notify_before_the_first_fired_is_reported),
        cmocka_unit_test(test_verify_notify_on_a_polled_queue_is_reported),
        cmocka_unit_test(test_verify_sleep_on_uncommitted_requests_is_reported),
        cmocka_unit_test(test_verify_close_of_a_socket_with_uncommitted_requests_is_reported),
        cmocka_unit_test(test_verify_flags_ruled_out_are_reported),
        cmocka_unit_test(test_verify_request_after_closesocket_is_reported),
        cmocka_unit_test(test_verify_second_queue_of_a_socket_is_reported),
        cmocka_unit_test(test_verify_completion_of_nothing_is_reported),
        cmocka_unit_test(test_verify_leaks_are_reported_at_the_end),
        cmocka_unit_test(test_verify_without_a_hook_stops_the_process),
        cmocka_unit_test(test_verify_names_are_all_different),
        cmocka_unit_test(test_verify_of_a_stranger_knows_only_the_documented_rules),
        cmocka_unit_test(test_verify_two_threads_at_once_are_reported),
        cmocka_unit_test(test_verify_handles_are_found_and_not_trusted),
        cmocka_unit_test(test_verify_address_slices_are_checked),
        cmocka_unit_test(test_verify_datagram_needs_no_payload),
        cmocka_unit_test(test_verify_closed_socket_reserves_what_is_outstanding),
    };
    if (child_case(argc, argv) != NULL) {
        return run_child();
    }
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
