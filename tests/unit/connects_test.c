/* SPDX-License-Identifier: MIT */
/* The connections that a shard opens, over a back end played by hand: it remembers every op, takes
 * it unless told to refuse, and the test completes those. A pass: what the application is told, in
 * which order, and that slots and pending connects are free again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/session_bed.h"

#include "server/connects.h"

#define OPS 8u

static struct {
    rs_op op[OPS];
    uint32_t count;
    uint32_t failed, left;
    rs_status why, refuse;
    uint64_t user;
} seen;

static uint32_t fake_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    (void)backend;
    assert_int_equal(count, 1);
    assert_true(seen.count < OPS);
    seen.op[seen.count++] = *ops;
    *why = seen.refuse;
    return seen.refuse == RS_OK ? 1 : 0;
}

static rs_addr fake_local(rs_backend *backend, uint32_t conn) {
    (void)backend;
    return (rs_addr){.ip = 0x7F000001u, .port = (uint16_t)(1000u + conn)};
}

static void on_connect_failed(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                              rs_status why, uint32_t left) {
    (void)ctx;
    (void)server;
    assert_int_equal(shard, 3);
    seen.failed++;
    seen.user = user;
    seen.why = why;
    seen.left = left;
}

static const rs_connect target = {
    .addr = {.ip = 0x0A000001u, .port = 80}, .timeout_ms = 500, .user = 77};

static void begin(bed *b, rs_connects *connects) {
    static rs_backend_api api;
    api.submit = fake_submit;
    api.local = fake_local;
    memset(&seen, 0, sizeof seen);
    bed_init(b, 1000, true, 1);
    b->table.app.on_connect_failed = on_connect_failed;
    *connects = (rs_connects){.sessions = &b->table, .api = &api, .shard = 3};
}

static void advance_ms(bed *b, rs_connects *connects, uint32_t ms) {
    b->now_ns += (uint64_t)ms * 1000000u;
    rs_sessions_set_time(&b->table, b->now_ns);
    rs_connects_expire(connects);
}

/* The latest op of the fake, completed. */
static void complete(bed *b, rs_connects *connects, uint32_t at, rs_status status) {
    const rs_completion record = {.kind = seen.op[at].kind,
                                  .status = (uint16_t)status,
                                  .conn = seen.op[at].conn,
                                  .generation = seen.op[at].generation,
                                  .tag = seen.op[at].tag};
    if (rs_sessions_complete(&b->table, &record, 1) == 0) {
        assert_int_equal(record.kind, RS_OP_CONNECT);
        rs_connects_complete(connects, &record);
    }
}

static void test_connect_that_succeeds_is_a_session(void **state) {
    bed b;
    rs_connects connects;
    rs_peer peer;
    (void)state;
    begin(&b, &connects);
    rs_connects_add(&connects, &target);
    assert_int_equal(seen.op[0].kind, RS_OP_CONNECT);
    assert_int_equal(seen.op[0].u.addr->port, 80);
    assert_int_equal(b.opened, 0);
    assert_int_equal(rs_connects_next_ns(&connects), b.now_ns + 500000000u);
    complete(&b, &connects, 0, RS_OK);
    assert_int_equal(b.opened, 1);
    assert_int_equal(connects.count, 0);
    assert_int_equal(rs_connects_next_ns(&connects), UINT64_MAX);
    assert_int_equal(b.table.counters.connected, 1);
    assert_int_equal(b.table.counters.accepted, 0);
    assert_int_equal(rs_session_user(&b.sessions[seen.op[0].conn].handle), 77);
    assert_int_equal(rs_session_peer(&b.sessions[seen.op[0].conn].handle, &peer), RS_OK);
    assert_true(rs_addr_equal(&peer.addr, &target.addr));
    assert_int_equal(peer.local.port, 1000u + seen.op[0].conn);
}

/* Nobody listens at a port that the system chose for the socket's own end. */
static void test_connect_to_itself_is_refused(void **state) {
    bed b;
    rs_connects connects;
    rs_connect to = target;
    (void)state;
    begin(&b, &connects);
    to.addr = fake_local(NULL, 0);
    rs_connects_add(&connects, &to);
    assert_int_equal(seen.op[0].conn, 0);
    complete(&b, &connects, 0, RS_OK);
    assert_int_equal(b.opened, 0);
    assert_int_equal(b.table.counters.connected, 0);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.why, RS_E_REFUSED);
    assert_int_equal(seen.op[1].kind, RS_OP_CLOSE);
    assert_int_equal(seen.op[1].flags, RS_OPF_ABORT);
    complete(&b, &connects, 1, RS_OK);
    assert_int_equal(b.table.used_count, 0);
}

/* The connection is closed at the time-out and told when the kernel has let go of it, also if it
 * had succeeded meanwhile; then comes the next attempt. */
static void test_connect_that_takes_too_long_is_given_up(void **state) {
    static const rs_status ends[] = {RS_E_ABORTED, RS_OK};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        bed b;
        rs_connects connects;
        rs_connect to = target;
        (void)state;
        begin(&b, &connects);
        to.retries = 1;
        to.retry_ms = 200;
        rs_connects_add(&connects, &to);
        advance_ms(&b, &connects, 499);
        assert_int_equal(seen.count, 1);
        advance_ms(&b, &connects, 1);
        assert_int_equal(seen.count, 2);
        assert_int_equal(seen.op[1].kind, RS_OP_CLOSE);
        assert_int_equal(seen.op[1].flags, RS_OPF_ABORT);
        assert_int_equal(seen.failed, 0);
        complete(&b, &connects, 0, ends[i]);
        assert_int_equal(seen.failed, 1);
        assert_int_equal(seen.why, RS_E_TIMED_OUT);
        assert_int_equal(seen.left, 1);
        assert_int_equal(seen.user, 77);
        assert_int_equal(b.table.used_count, 1);
        complete(&b, &connects, 1, RS_OK);
        assert_int_equal(b.table.used_count, 0);
        assert_int_equal(b.opened, 0);
        advance_ms(&b, &connects, 199);
        assert_int_equal(seen.count, 2);
        advance_ms(&b, &connects, 1);
        assert_int_equal(seen.op[2].kind, RS_OP_CONNECT);
        complete(&b, &connects, 2, RS_E_REFUSED);
        assert_int_equal(seen.why, RS_E_REFUSED);
        assert_int_equal(seen.left, 0);
        assert_int_equal(connects.count, 0);
        complete(&b, &connects, 3, RS_OK);
        assert_int_equal(b.table.used_count, 0);
        assert_true(bed_is_idle(&b));
    }
}

static void test_connect_without_a_free_session_fails(void **state) {
    bed b;
    rs_connects connects;
    (void)state;
    begin(&b, &connects);
    b.table.cfg.sessions_max = 0;
    rs_connects_add(&connects, &target);
    assert_int_equal(seen.why, RS_E_NO_BUFFERS);
    assert_int_equal(seen.count, 0);
    assert_int_equal(connects.count, 0);
}

/* Nothing of it will complete: its slot is free at once. */
static void test_connect_that_the_back_end_refuses_fails(void **state) {
    bed b;
    rs_connects connects;
    (void)state;
    begin(&b, &connects);
    seen.refuse = RS_E_NO_BUFFERS;
    rs_connects_add(&connects, &target);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.why, RS_E_NO_BUFFERS);
    assert_int_equal(connects.count, 0);
    assert_int_equal(b.table.used_count, 0);
    assert_true(bed_is_idle(&b));
}

static void test_connect_beyond_the_limit_is_told(void **state) {
    bed b;
    rs_connects connects;
    rs_connect to = target;
    (void)state;
    begin(&b, &connects);
    b.table.cfg.sessions_max = 0;
    to.retries = 1;
    to.retry_ms = 1000;
    for (uint32_t i = 0; i < RS_CONNECTS_MAX; i++) {
        rs_connects_add(&connects, &to);
        assert_int_equal(seen.why, RS_E_NO_BUFFERS);
    }
    rs_connects_add(&connects, &to);
    assert_int_equal(seen.why, RS_E_FULL);
    assert_int_equal(seen.left, 0);
    assert_int_equal(connects.count, RS_CONNECTS_MAX);
    rs_connects_stop(&connects);
    assert_int_equal(connects.count, 0);
    assert_int_equal(seen.failed, 2u * RS_CONNECTS_MAX + 1u);
}

static void test_connect_under_way_ends_with_the_stop(void **state) {
    bed b;
    rs_connects connects;
    rs_connect to = target;
    (void)state;
    begin(&b, &connects);
    to.retries = 5;
    rs_connects_add(&connects, &to);
    rs_connects_stop(&connects);
    assert_int_equal(seen.op[1].kind, RS_OP_CLOSE);
    complete(&b, &connects, 0, RS_E_ABORTED);
    assert_int_equal(seen.why, RS_E_CLOSED);
    assert_int_equal(seen.left, 0);
    complete(&b, &connects, 1, RS_OK);
    assert_int_equal(b.table.used_count, 0);
    rs_connects_add(&connects, &to);
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.why, RS_E_CLOSED);
    assert_int_equal(seen.count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_that_succeeds_is_a_session),
        cmocka_unit_test(test_connect_to_itself_is_refused),
        cmocka_unit_test(test_connect_that_takes_too_long_is_given_up),
        cmocka_unit_test(test_connect_without_a_free_session_fails),
        cmocka_unit_test(test_connect_that_the_back_end_refuses_fails),
        cmocka_unit_test(test_connect_beyond_the_limit_is_told),
        cmocka_unit_test(test_connect_under_way_ends_with_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
