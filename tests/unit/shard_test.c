/* The shard over a back end played by the test: one connection, three replies in one batch, and a
 * back end that refuses the first send but would take the others. A pass is that it never gets
 * them, because the stream would have a gap, and that the shard then stops with nothing in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/echo.h"
#include "core/frame.h"
#include "server/shard.h"

#define READY_MAX 16u
#define STEPS_MAX 50u

struct rs_backend {
    rs_completion ready[READY_MAX];
    uint32_t ready_count;
    rs_op recv; /* outstanding, kind RS_OP_NONE if none */
    bool refuse_next_send;
    uint32_t sends_refused, sends_taken;
};

static rs_backend fake;

static void fake_ready(rs_op_kind kind, rs_status status, const rs_op *op, uint32_t bytes) {
    assert_true(fake.ready_count < READY_MAX);
    fake.ready[fake.ready_count++] = (rs_completion){.kind = (uint8_t)kind,
                                                     .status = (uint16_t)status,
                                                     .conn = op->conn,
                                                     .generation = op->generation,
                                                     .bytes = bytes};
}

static rs_status fake_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    (void)cfg;
    (void)error;
    memset(&fake, 0, sizeof fake);
    *out = &fake;
    return RS_OK;
}

static void fake_close(rs_backend *backend) {
    assert_int_equal(backend->ready_count, 0);
}

static rs_status fake_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port,
                             rs_error *error) {
    const rs_op nothing = {.kind = RS_OP_ACCEPT};
    (void)backend;
    (void)addr;
    (void)error;
    *port = 1;
    fake_ready(RS_OP_ACCEPT, RS_OK, &nothing, 0);
    return RS_OK;
}

static void fake_unlisten(rs_backend *backend) {
    const rs_op nothing = {.kind = RS_OP_ACCEPT};
    (void)backend;
    fake_ready(RS_OP_ACCEPT, RS_E_CLOSED, &nothing, 0);
}

static rs_status fake_attach(rs_backend *backend, uint32_t conn, uint32_t generation,
                             uintptr_t socket) {
    (void)backend;
    (void)conn;
    (void)generation;
    (void)socket;
    return RS_OK;
}

static void fake_discard(rs_backend *backend, uintptr_t socket) {
    (void)backend;
    (void)socket;
    fail_msg("%s", "nothing is refused here");
}

static bool fake_take(const rs_op *op) {
    if (op->kind == RS_OP_RECV) {
        fake.recv = *op;
    } else if (op->kind == RS_OP_SEND && fake.refuse_next_send) {
        fake.refuse_next_send = false;
        fake.sends_refused++;
        return false;
    } else if (op->kind == RS_OP_SEND) {
        fake.sends_taken++;
        fake_ready(RS_OP_SEND, RS_OK, op, op->bytes);
    } else if (op->kind == RS_OP_CLOSE) {
        if (fake.recv.kind == RS_OP_RECV) {
            fake_ready(RS_OP_RECV, RS_E_ABORTED, &fake.recv, 0);
            fake.recv.kind = RS_OP_NONE;
        }
        fake_ready(RS_OP_CLOSE, RS_OK, op, 0);
    } else {
        fake_ready((rs_op_kind)op->kind, RS_OK, op, 0);
    }
    return true;
}

static uint32_t fake_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    (void)backend;
    for (uint32_t i = 0; i < count; i++) {
        if (!fake_take(&ops[i])) {
            *why = RS_E_FULL;
            return i;
        }
    }
    *why = RS_OK;
    return count;
}

static uint32_t fake_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                          int64_t timeout_ns) {
    uint32_t count = backend->ready_count;
    (void)timeout_ns;
    assert_true(count <= cap);
    memcpy(out, backend->ready, count * sizeof *out);
    backend->ready_count = 0;
    return count;
}

static void fake_wake(rs_backend *backend) {
    (void)backend;
}

static rs_status fake_register(rs_backend *backend, void *base, size_t bytes, rs_region_id *out,
                               rs_error *error) {
    (void)backend;
    (void)base;
    (void)bytes;
    (void)error;
    out->value = 0;
    return RS_OK;
}

static void fake_release(rs_backend *backend, rs_region_id region) {
    (void)backend;
    (void)region;
}

static void fake_stats(const rs_backend *backend, rs_backend_stats *out) {
    (void)backend;
    memset(out, 0, sizeof *out);
}

static const rs_backend_api fake_api = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .listen = fake_listen,
    .unlisten = fake_unlisten,
    .attach = fake_attach,
    .discard = fake_discard,
    .submit = fake_submit,
    .poll = fake_poll,
    .wake = fake_wake,
    .register_memory = fake_register,
    .release_memory = fake_release,
    .stats = fake_stats,
};

/* Three frames arrive at once; refuse: the first reply's send is refused. */
static void run(bool refuse) {
    rs_server_config server;
    rs_shard_config cfg = {.sessions_max = 2, .server = &server};
    rs_shard *shard = NULL;
    rs_error error;
    uint16_t port;
    uint32_t steps = 0;
    rs_server_config_init(&server, &fake_api);
    server.app = rs_app_echo;
    server.coalesce = false;
    server.sends_in_flight = 4;
    assert_int_equal(rs_shard_open(&shard, &cfg, &error), RS_OK);
    assert_int_equal(rs_shard_listen(shard, &server.addr, &port, &error), RS_OK);
    assert_true(rs_shard_step(shard, 0));
    assert_int_equal(fake.recv.kind, RS_OP_RECV);
    for (uint32_t i = 0; i < 3; i++) {
        (void)rs_frame_header(fake.recv.u.data + i * 8, 1, 5);
    }
    fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 24);
    fake.recv.kind = RS_OP_NONE;
    fake.refuse_next_send = refuse;
    assert_true(rs_shard_step(shard, 0));
    assert_int_equal(fake.sends_refused, refuse ? 1 : 0);
    assert_int_equal(fake.sends_taken, refuse ? 0 : 3);
    assert_int_equal(rs_shard_sessions(shard)->open_count, refuse ? 0 : 1);
    rs_shard_stop(shard);
    while (rs_shard_step(shard, 0) && steps < STEPS_MAX) {
        steps++;
        if (fake.recv.kind == RS_OP_RECV) { /* the peer answers our end with its own */
            fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0);
            fake.recv.kind = RS_OP_NONE;
        }
    }
    assert_int_equal(rs_shard_outstanding(shard), 0);
    assert_int_equal(fake.sends_taken, refuse ? 0 : 3);
    rs_shard_close(shard);
}

static void test_shard_refused_send_takes_those_behind_it_along(void **state) {
    (void)state;
    run(true);
}

static void test_shard_sends_that_are_not_refused_all_go_out(void **state) {
    (void)state;
    run(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shard_refused_send_takes_those_behind_it_along),
        cmocka_unit_test(test_shard_sends_that_are_not_refused_all_go_out),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
