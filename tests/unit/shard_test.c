/* SPDX-License-Identifier: MIT */
/* The shard over a back end played by the test, one connection. A refused send takes those behind
 * it along, because the stream would have a gap; messages are all delivered, in order, and never
 * slept over; nobody is inside the back end when it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/echo.h"
#include "core/frame.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "server/shard.h"

#define READY_MAX 16u
#define STEPS_MAX 50u

struct rs_backend {
    rs_completion ready[READY_MAX];
    uint32_t ready_count;
    rs_op recv; /* outstanding, kind RS_OP_NONE if none */
    bool refuse_next_send, loses_receives;
    uint32_t sends_refused, sends_taken;
    uint64_t bytes_sent;
    uint32_t resets;    /* CLOSE with RS_OPF_ABORT */
    bool closes_wait;   /* a plain CLOSE completes with the reset that follows it */
    int64_t slept_ns;   /* the timeout of the last poll */
    uintptr_t attached; /* the last one's socket */
    bool may_refuse;
    rs_shard *watched;       /* NULL, or of this one ... */
    uint32_t ended_at_close; /* ... the sessions that had ended before its peer was told */
    void (*on_stats)(void);
    void (*on_wake)(void);
    rs_atomic_u32 wake_blocks, in_wake, closed, closed_in_wake;
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
    rs_atomic_store_u32(&backend->closed_in_wake, rs_atomic_load_u32(&backend->in_wake));
    rs_atomic_store_u32(&backend->closed, 1);
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
    (void)conn;
    (void)generation;
    backend->attached = socket;
    return RS_OK;
}

static void fake_discard(rs_backend *backend, uintptr_t socket) {
    (void)socket;
    assert_true(backend->may_refuse);
}

static bool fake_take(const rs_op *op) {
    if (op->kind != RS_OP_RECV && op->kind != RS_OP_SEND && fake.watched != NULL) {
        fake.ended_at_close = rs_shard_ended(fake.watched);
        fake.watched = NULL;
    }
    if (op->kind == RS_OP_RECV) {
        fake.recv = *op;
    } else if (op->kind == RS_OP_SEND && fake.refuse_next_send) {
        fake.refuse_next_send = false;
        fake.sends_refused++;
        return false;
    } else if (op->kind == RS_OP_SEND) {
        fake.sends_taken++;
        fake.bytes_sent += op->bytes;
        fake_ready(RS_OP_SEND, RS_OK, op, op->bytes);
    } else if (op->kind == RS_OP_CLOSE) {
        fake.resets += (op->flags & RS_OPF_ABORT) != 0;
        if (fake.loses_receives || (fake.closes_wait && (op->flags & RS_OPF_ABORT) == 0)) {
            return true;
        }
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
    backend->slept_ns = timeout_ns;
    assert_true(count <= cap);
    memcpy(out, backend->ready, count * sizeof *out);
    backend->ready_count = 0;
    return count;
}

static void fake_wake(rs_backend *backend) {
    rs_atomic_store_u32(&backend->in_wake, 1);
    if (backend->on_wake != NULL) {
        backend->on_wake();
    }
    while (rs_atomic_load_u32(&backend->wake_blocks) != 0) {
        rs_os_sleep_ms(1);
    }
    rs_atomic_store_u32(&backend->in_wake, 0);
}

static rs_status fake_register(rs_backend *backend, void *base, size_t bytes,
                               const rs_region_cut *cut, rs_region_id *out, rs_error *error) {
    (void)cut;
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
    memset(out, 0, sizeof *out);
    if (backend->on_stats != NULL) {
        backend->on_stats();
    }
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

typedef struct bench {
    rs_server_config server;
    rs_shard_config cfg;
    rs_shard *shard;
    rs_logic *logic;
} bench;

/* A configuration to change before bench_open. */
static void bench_make(bench *b, rs_app app) {
    memset(b, 0, sizeof *b);
    rs_server_config_init(&b->server, &fake_api);
    b->server.app = app;
    b->server.sends_in_flight = 4;
    b->cfg = (rs_shard_config){.sessions_max = 2, .server = &b->server};
}

/* The shard with its one connection, whose receive is out. */
static void bench_open(bench *b) {
    rs_error error;
    const rs_addr addr = {.ip = 0x7F000001u};
    uint16_t port;
    if (b->server.logic_thread) {
        assert_int_equal(rs_logic_open(&b->logic, &b->server.app, 1, false, &error), RS_OK);
        b->cfg.logic = b->logic;
    }
    assert_int_equal(rs_shard_open(&b->shard, &b->cfg, &error), RS_OK);
    assert_int_equal(rs_shard_listen(b->shard, &addr, &port, &error), RS_OK);
    assert_true(rs_shard_step(b->shard, 0));
    assert_int_equal(fake.recv.kind, RS_OP_RECV);
}

static void bench_receive(uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++) {
        (void)rs_frame_header(fake.recv.u.data + i * 8, 1, 5);
    }
    fake_ready(RS_OP_RECV, RS_OK, &fake.recv, frames * 8);
    fake.recv.kind = RS_OP_NONE;
}

static rs_session_id bench_id(const bench *b) {
    return rs_session_id_of(&rs_shard_sessions(b->shard)->sessions[0].handle);
}

/* Stops; the peer answers our end with its own. */
static void bench_end(bench *b) {
    uint32_t steps = 0;
    fake.on_stats = NULL;
    rs_shard_stop(b->shard);
    while (rs_shard_step(b->shard, 0) && steps < STEPS_MAX) {
        steps++;
        if (b->logic != NULL) {
            (void)rs_logic_step(b->logic);
        }
        if (fake.recv.kind == RS_OP_RECV) {
            fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0);
            fake.recv.kind = RS_OP_NONE;
        }
    }
    assert_int_equal(rs_shard_outstanding(b->shard), 0);
}

static void bench_close(bench *b) {
    rs_shard_close(b->shard);
    rs_logic_close(b->logic);
}

/* Three frames arrive at once; refuse: the first reply's send is refused. */
static void run(bool refuse) {
    bench b;
    bench_make(&b, rs_app_echo);
    b.server.coalesce = false;
    bench_open(&b);
    bench_receive(3);
    fake.refuse_next_send = refuse;
    assert_true(rs_shard_step(b.shard, 0));
    assert_int_equal(fake.sends_refused, refuse ? 1 : 0);
    assert_int_equal(fake.sends_taken, refuse ? 0 : 3);
    assert_int_equal(rs_shard_sessions(b.shard)->open_count, refuse ? 0 : 1);
    bench_end(&b);
    assert_int_equal(fake.sends_taken, refuse ? 0 : 3);
    bench_close(&b);
}

static void test_shard_refused_send_takes_those_behind_it_along(void **state) {
    (void)state;
    run(true);
}

static void test_shard_sends_that_are_not_refused_all_go_out(void **state) {
    (void)state;
    run(false);
}

/* More than one turn takes: the rest is not forgotten, and no turn sleeps before it is taken. */
static void test_shard_messages_of_many_turns_are_all_delivered(void **state) {
    const uint32_t messages = RS_MESSAGES_PER_STEP_MAX * 2u + 88u;
    rs_server_stats *stats = calloc(1, sizeof *stats);
    bench b;
    (void)state;
    assert_non_null(stats);
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    for (uint32_t i = 0; i < messages; i++) {
        assert_int_equal(rs_shard_post(b.shard, RS_MESSAGE_SEND, bench_id(&b), NULL, "x", 1),
                         RS_OK);
    }
    for (uint32_t turn = 0; turn < 3; turn++) {
        assert_true(rs_shard_step(b.shard, RS_FOREVER));
        assert_int_equal(fake.slept_ns, 0); /* there was a message when it polled */
    }
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_true(fake.slept_ns > 0);
    assert_true(rs_shard_step(b.shard, 0));
    assert_int_equal(fake.bytes_sent, messages);
    rs_shard_stats_add(b.shard, stats);
    assert_int_equal(stats->counters.mailbox_messages, messages);
    assert_int_equal(stats->messages_dropped, 0);
    bench_end(&b);
    bench_close(&b);
    free(stats);
}

static void count_shard_timer(void *arg, rs_server *server, uint32_t shard) {
    (void)server;
    (void)shard;
    ++*(uint32_t *)arg;
}

/* Poll sleeps until the next timer and no longer; it is called in the first turn at or after its
 * tick, and nothing remembers it then. */
static void test_shard_poll_sleeps_until_the_next_timer(void **state) {
    uint32_t calls = 0;
    const rs_timer_call call = {.shard = count_shard_timer, .arg = &calls};
    rs_timer timer = 0;
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    b.server.timers = 1;
    b.server.idle_timeout_ms = 0;
    bench_open(&b);
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_true(fake.slept_ns == RS_FOREVER);
    assert_int_equal(
        rs_shard_ops(b.shard)->timer_set(rs_shard_ops(b.shard), NULL, 30, call, &timer), RS_OK);
    assert_true(timer != 0);
    do {
        assert_true(rs_shard_step(b.shard, RS_FOREVER));
        assert_in_range(fake.slept_ns, 0, (30u + 2u * RS_TIMER_TICK_MS) * 1000000u);
        rs_os_sleep_ms(1);
    } while (calls == 0);
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_true(fake.slept_ns == RS_FOREVER);
    assert_int_equal(calls, 1);
    bench_end(&b);
    bench_close(&b);
}

/* ---- a hold in the ring, its release in the mailbox */

static bench *overtaking;

static void hold_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    rs_session_id id = rs_session_id_of(session);
    (void)ctx;
    (void)rs_session_send(session, data, bytes);
    rs_session_hold(session);
    assert_int_equal(rs_shard_post(overtaking->shard, RS_MESSAGE_RELEASE, id, NULL, NULL, 0),
                     RS_OK);
    assert_int_equal(rs_shard_post(overtaking->shard, RS_MESSAGE_CLOSE, id, NULL, NULL, 0), RS_OK);
}

/* While the shard reads its messages: it has already checked the ring in this turn. */
static void run_callbacks(void) {
    fake.on_stats = NULL;
    assert_true(rs_logic_step(overtaking->logic));
}

/* ---- no room for a connection */

static void accept_one(uintptr_t socket) {
    const rs_op nothing = {.kind = RS_OP_ACCEPT};
    fake_ready(RS_OP_ACCEPT, RS_OK, &nothing, 0);
    fake.ready[fake.ready_count - 1].socket = socket;
}

/* In one turn two clients come, then the one before them is seen to have left: the first gets its
 * place. A third, who comes right behind that one's end, does not get it before the second. */
static void test_shard_newcomers_wait_for_the_end_of_a_session_in_turn(void **state) {
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    b.cfg.sessions_max = 1;
    bench_open(&b);
    accept_one(11);
    accept_one(12);
    for (uintptr_t socket = 11; socket <= 13; socket++) {
        fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0); /* the peer has ended its stream */
        fake.recv.kind = RS_OP_NONE;
        if (socket == 12) {
            accept_one(13);
        }
        for (uint32_t i = 0; fake.recv.kind == RS_OP_NONE; i++) {
            assert_true(i < STEPS_MAX);
            assert_true(rs_shard_step(b.shard, 0));
        }
        assert_int_equal(fake.attached, socket);
    }
    assert_int_equal(rs_shard_sessions(b.shard)->counters.refused, 0);
    bench_end(&b);
    bench_close(&b);
}

/* A client that sees the end of its connection finds room when it comes back. */
static void test_shard_publishes_an_end_before_the_peer_is_told(void **state) {
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    assert_int_equal(rs_shard_ended(b.shard), 0);
    fake.watched = b.shard;
    fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0);
    fake.recv.kind = RS_OP_NONE;
    assert_true(rs_shard_step(b.shard, 0));
    assert_null(fake.watched);
    assert_int_equal(fake.ended_at_close, 1);
    bench_end(&b);
    bench_close(&b);
}

/* Who has given a socket counts it until this shard says that it has ended. */
static void test_shard_counts_a_given_socket_that_it_refuses(void **state) {
    const rs_arrival arrival = {.socket = 7};
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    b.cfg.sessions_max = 1;
    bench_open(&b);
    fake.may_refuse = true;
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(
            rs_shard_post(b.shard, RS_MESSAGE_ATTACH, 0, NULL, &arrival, sizeof arrival), RS_OK);
        assert_true(rs_shard_step(b.shard, 0));
        assert_int_equal(rs_shard_refused(b.shard), i);
        assert_int_equal(rs_shard_ended(b.shard), i);
        assert_int_equal(rs_shard_freed(b.shard), i);
    }
    bench_end(&b);
    bench_close(&b);
}

/* ---- room in the mailbox */

static uint32_t rooms_told, room_wakes, room_of;

static void on_room(void *ctx, rs_server *server, uint32_t shard) {
    (void)ctx;
    (void)server;
    assert_int_equal(shard, 0);
    rooms_told++;
}

static void on_room_wake(void) {
    room_wakes++;
}

static void tell_room(void *ctx, uint32_t from) {
    (void)ctx;
    room_of = from;
    rooms_told++;
}

static void test_shard_is_woken_and_tells_its_application_of_room_once(void **state) {
    rs_app app = rs_app_echo;
    bench b;
    (void)state;
    app.on_room = on_room;
    bench_make(&b, app);
    bench_open(&b);
    rooms_told = room_wakes = 0;
    fake.on_wake = on_room_wake;
    rs_shard_tell_room(b.shard);
    rs_shard_tell_room(b.shard);
    assert_int_equal(room_wakes, 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(rs_shard_step(b.shard, 0));
        assert_int_equal(rooms_told, 1);
    }
    fake.on_wake = NULL;
    bench_end(&b);
    bench_close(&b);
}

static void test_shard_tells_of_room_who_wanted_it_once(void **state) {
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    b.cfg.tell_room = tell_room;
    bench_open(&b);
    rooms_told = 0;
    rs_shard_want_room(b.shard, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(rs_shard_post(b.shard, RS_MESSAGE_NOTHING, 0, NULL, NULL, 0), RS_OK);
        assert_true(rs_shard_step(b.shard, 0));
        assert_int_equal(rooms_told, 1);
        assert_int_equal(room_of, 2);
    }
    bench_end(&b);
    bench_close(&b);
}

static void test_shard_message_does_not_overtake_what_was_done_before(void **state) {
    rs_server_stats *stats = calloc(1, sizeof *stats);
    rs_shard_stats_request request = {.into = stats};
    rs_error error;
    bench b;
    (void)state;
    assert_non_null(stats);
    assert_int_equal(rs_os_event_open(&request.answered, &error), RS_OK);
    bench_make(&b, (rs_app){.on_message = hold_on_message});
    b.server.logic_thread = true;
    bench_open(&b);
    overtaking = &b;
    bench_receive(1);
    fake.on_stats = run_callbacks;
    assert_int_equal(rs_shard_ask_stats(b.shard, &request), RS_OK);
    assert_true(rs_shard_step(b.shard, 0));
    assert_int_equal(rs_shard_sessions(b.shard)->counters.refused_releases, 0);
    assert_int_equal(rs_shard_sessions(b.shard)->counters.closed[RS_CLOSE_LOCAL], 1);
    assert_int_equal(fake.bytes_sent, 8); /* the answer was sent before the close was asked for */
    bench_end(&b);
    bench_close(&b);
    rs_os_event_close(request.answered);
    free(stats);
}

/* ---- deadlines after an absence */

static uint64_t fake_now_ns;

static uint64_t fake_now(void *ctx) {
    (void)ctx;
    return fake_now_ns;
}

static uint64_t idle_cuts(const bench *b) {
    return rs_shard_sessions(b->shard)->counters.closed[RS_CLOSE_IDLE];
}

static void idle_open(bench *b) {
    bench_make(b, rs_app_echo);
    fake_now_ns = 1;
    b->server.idle_timeout_ms = 1000;
    b->cfg.clock.now_ns = fake_now;
    bench_open(b);
}

/* The first poll is cut short and finds nothing (a signal does that), the second one finds the
 * frame: it came in time, and so it is served. */
static void test_shard_frame_that_waits_comes_before_idleness(void **state) {
    bench b;
    (void)state;
    idle_open(&b);
    assert_true(rs_shard_step(b.shard, RS_FOREVER)); /* as long as the deadline, and longer: */
    fake_now_ns += UINT64_C(5000000000);
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_int_equal(fake.slept_ns, 0);
    assert_int_equal(idle_cuts(&b), 0);
    bench_receive(1);
    for (uint32_t turn = 0; turn < 20; turn++) {
        assert_true(rs_shard_step(b.shard, RS_FOREVER));
    }
    assert_int_equal(fake.bytes_sent, 8);
    assert_int_equal(idle_cuts(&b), 0);
    assert_true(fake.slept_ns > 0); /* it is not due any more */
    fake_now_ns += 999 * UINT64_C(1000000);
    assert_true(rs_shard_step(b.shard, RS_FOREVER));
    assert_int_equal(idle_cuts(&b), 0);
    fake_now_ns += 20 * UINT64_C(1000000);
    for (uint32_t turn = 0; turn < 20; turn++) {
        (void)rs_shard_step(b.shard, RS_FOREVER);
    }
    assert_int_equal(idle_cuts(&b), 1);
    bench_end(&b);
    bench_close(&b);
}

/* Others keep every poll busy: a silent one is cut all the same. */
static void test_shard_idleness_is_found_under_load(void **state) {
    const rs_op other = {.conn = 1, .generation = 77};
    uint32_t turns = 0;
    bench b;
    (void)state;
    idle_open(&b);
    fake_now_ns += UINT64_C(5000000000);
    while (idle_cuts(&b) == 0 && turns < 1000) {
        fake_ready(RS_OP_RECV, RS_OK, &other, 1);
        assert_true(rs_shard_step(b.shard, RS_FOREVER));
        turns++;
    }
    assert_in_range(turns, 10, 100);
    bench_end(&b);
    bench_close(&b);
}

/* A stop whose time is over while completions wait: they are taken before anything is reset. */
static void test_shard_completions_that_wait_come_before_a_reset(void **state) {
    bench b;
    (void)state;
    idle_open(&b);
    rs_shard_stop(b.shard);
    assert_true(rs_shard_step(b.shard, 0));
    fake_now_ns += UINT64_C(60000000000);
    assert_true(rs_shard_step(b.shard, 0)); /* cut short */
    fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0);
    fake.recv.kind = RS_OP_NONE;
    for (uint32_t turn = 0; turn < 20; turn++) {
        (void)rs_shard_step(b.shard, 0);
    }
    assert_int_equal(rs_shard_outstanding(b.shard), 0);
    assert_int_equal(rs_shard_sessions(b.shard)->counters.escalated_closes, 0);
    bench_close(&b);
}

/* A close that does not get on, of a peer that does not read: when the time for the drain is over
 * it becomes a reset, long before it would alone. */
static void test_shard_drain_that_takes_too_long_resets(void **state) {
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    fake_now_ns = 1;
    b.server.drain_timeout_ms = 300;
    b.cfg.clock.now_ns = fake_now;
    bench_open(&b);
    fake.closes_wait = true;
    fake_ready(RS_OP_RECV, RS_OK, &fake.recv, 0);
    fake.recv.kind = RS_OP_NONE;
    assert_true(rs_shard_step(b.shard, 0));
    rs_shard_stop(b.shard);
    for (uint32_t turn = 0; turn < 20; turn++) {
        assert_true(rs_shard_step(b.shard, 0));
    }
    assert_int_equal(rs_shard_outstanding(b.shard), 1);
    assert_int_equal(fake.resets, 0);
    fake_now_ns += (uint64_t)b.server.drain_timeout_ms * 1000000u + 1u;
    for (uint32_t turn = 0; turn < 20; turn++) {
        (void)rs_shard_step(b.shard, 0);
    }
    assert_int_equal(fake.resets, 1);
    assert_int_equal(rs_shard_outstanding(b.shard), 0);
    bench_close(&b);
}

static void advance(bench *b, uint32_t ms) {
    fake_now_ns += ms * UINT64_C(1000000);
    for (uint32_t turn = 0; turn < 20; turn++) {
        (void)rs_shard_step(b->shard, 0);
    }
}

/* A request that the system never gives back: the connection is given up, a stop does not wait for
 * it, and the back end, which holds its buffers, stays. */
static void test_shard_lost_request_holds_up_no_stop(void **state) {
    static rs_shard *volatile left; /* for good, and seen to be: the buffers are the system's */
    bench b;
    (void)state;
    idle_open(&b);
    fake.loses_receives = true;
    advance(&b, 1100);
    assert_int_equal(idle_cuts(&b), 1);
    advance(&b, RS_CLOSE_STRAGGLER_MS + 100);
    assert_int_equal(rs_shard_outstanding(b.shard), 2); /* reset now; and the listener */
    advance(&b, RS_CLOSE_STRAGGLER_MS + 100);
    assert_int_equal(rs_shard_outstanding(b.shard), 1);
    assert_int_equal(rs_shard_sessions(b.shard)->counters.quarantined, 1);
    assert_int_equal(rs_shard_sessions(b.shard)->used_count, 1);
    rs_shard_stop(b.shard);
    advance(&b, 1);
    assert_false(rs_shard_step(b.shard, 0));
    assert_int_equal(rs_shard_outstanding(b.shard), 0);
    rs_shard_close(b.shard);
    assert_int_equal(rs_atomic_load_u32(&fake.closed), 0);
    left = b.shard;
    assert_non_null(left);
}

/* ---- other threads at the end */

static void post_one(void *arg) {
    bench *b = arg;
    (void)rs_shard_post(b->shard, RS_MESSAGE_SEND, 1, NULL, "x", 1);
}

static void quiesce(void *arg) {
    bench *b = arg;
    rs_shard_quiesce(b->shard);
}

static void wait_for(const rs_atomic_u32 *flag) {
    for (uint32_t i = 0; i < 20000 && rs_atomic_load_u32(flag) == 0; i++) {
        rs_os_sleep_ms(1);
    }
    assert_int_equal(rs_atomic_load_u32(flag), 1);
}

static void test_shard_back_end_stays_while_a_poster_wakes_it(void **state) {
    rs_os_thread *poster, *ender;
    rs_error error;
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    bench_end(&b);
    rs_atomic_store_u32(&fake.wake_blocks, 1);
    assert_int_equal(rs_os_thread_start(&poster, post_one, &b, &error), RS_OK);
    wait_for(&fake.in_wake);
    assert_int_equal(rs_os_thread_start(&ender, quiesce, &b, &error), RS_OK);
    rs_os_sleep_ms(50); /* long enough for one that does not wait; too short fails nobody */
    assert_int_equal(rs_atomic_load_u32(&fake.closed), 0);
    rs_atomic_store_u32(&fake.wake_blocks, 0);
    rs_os_thread_join(poster);
    rs_os_thread_join(ender);
    assert_int_equal(rs_atomic_load_u32(&fake.closed), 1);
    assert_int_equal(rs_atomic_load_u32(&fake.closed_in_wake), 0);
    assert_int_equal(rs_shard_post(b.shard, RS_MESSAGE_SEND, 1, NULL, "x", 1), RS_E_CLOSED);
    bench_close(&b);
}

static rs_shard *woken;

static void step_woken(void) {
    assert_true(rs_shard_step(woken, 0));
}

/* The turn that a post's own wake brings finds the message: there may be no other wake. */
static void test_shard_message_is_there_when_it_is_announced(void **state) {
    bench b;
    (void)state;
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    woken = b.shard;
    fake.on_wake = step_woken;
    assert_int_equal(rs_shard_post(b.shard, RS_MESSAGE_SEND, bench_id(&b), NULL, "hello", 5),
                     RS_OK);
    assert_int_equal(fake.bytes_sent, 5);
    fake.on_wake = NULL;
    bench_end(&b);
    bench_close(&b);
}

/* Who asks for figures behind the last turn gets them: it waits for the answer. */
static void test_shard_question_behind_the_last_turn_is_answered(void **state) {
    static rs_server_stats figures;
    rs_shard_stats_request request = {.into = &figures};
    rs_error error;
    bench b;
    (void)state;
    assert_int_equal(rs_os_event_open(&request.answered, &error), RS_OK);
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    bench_end(&b);
    memset(&figures, 0, sizeof figures);
    assert_int_equal(rs_shard_ask_stats(b.shard, &request), RS_OK);
    rs_shard_quiesce(b.shard);
    assert_true(rs_os_event_wait(request.answered, 0));
    assert_int_equal(figures.counters.accepted, 1);
    assert_int_equal(rs_shard_ask_stats(b.shard, &request), RS_E_CLOSED);
    rs_os_event_close(request.answered);
    bench_close(&b);
}

/* ---- a question behind a full mailbox */

typedef struct asking {
    rs_shard *shard;
    rs_shard_stats_request request;
    rs_status status;
    rs_atomic_u32 said;
} asking;

static void ask(void *arg) {
    asking *a = arg;
    a->status = rs_shard_ask_stats(a->shard, &a->request);
    rs_atomic_store_u32(&a->said, 1);
}

static void fill_mailbox(bench *b) {
    uint32_t count = 0;
    while (rs_shard_post(b->shard, RS_MESSAGE_CLOSE, 1, NULL, NULL, 0) == RS_OK) {
        count++;
    }
    assert_int_equal(count, RS_MAILBOX_SLOTS_DEFAULT);
}

/* The turn that makes room, or the end, wakes who waits for it. */
static void question_behind_a_full_mailbox(bool quiesces) {
    static rs_server_stats figures;
    asking a = {.request = {.into = &figures}};
    rs_os_thread *asker;
    rs_error error;
    bench b;
    assert_int_equal(rs_os_event_open(&a.request.answered, &error), RS_OK);
    bench_make(&b, rs_app_echo);
    bench_open(&b);
    if (quiesces) {
        bench_end(&b);
    }
    a.shard = b.shard;
    fill_mailbox(&b);
    assert_int_equal(rs_os_thread_start(&asker, ask, &a, &error), RS_OK);
    rs_os_sleep_ms(50); /* long enough for it to wait; too short fails nobody */
    assert_int_equal(rs_atomic_load_u32(&a.said), 0);
    if (quiesces) {
        rs_shard_quiesce(b.shard);
    } else {
        assert_true(rs_shard_step(b.shard, 0));
    }
    wait_for(&a.said);
    rs_os_thread_join(asker);
    assert_int_equal(a.status, quiesces ? RS_E_CLOSED : RS_OK);
    if (!quiesces) {
        for (uint32_t i = 0; i <= RS_MAILBOX_SLOTS_DEFAULT / RS_MESSAGES_PER_STEP_MAX; i++) {
            assert_true(rs_shard_step(b.shard, 0));
        }
        assert_true(rs_os_event_wait(a.request.answered, 0));
        bench_end(&b);
    }
    rs_os_event_close(a.request.answered);
    bench_close(&b);
}

static void test_shard_question_waits_for_room_in_the_mailbox(void **state) {
    (void)state;
    question_behind_a_full_mailbox(false);
}

static void test_shard_question_that_waits_for_room_is_refused_at_the_end(void **state) {
    (void)state;
    question_behind_a_full_mailbox(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shard_refused_send_takes_those_behind_it_along),
        cmocka_unit_test(test_shard_sends_that_are_not_refused_all_go_out),
        cmocka_unit_test(test_shard_messages_of_many_turns_are_all_delivered),
        cmocka_unit_test(test_shard_poll_sleeps_until_the_next_timer),
        cmocka_unit_test(test_shard_newcomers_wait_for_the_end_of_a_session_in_turn),
        cmocka_unit_test(test_shard_publishes_an_end_before_the_peer_is_told),
        cmocka_unit_test(test_shard_counts_a_given_socket_that_it_refuses),
        cmocka_unit_test(test_shard_is_woken_and_tells_its_application_of_room_once),
        cmocka_unit_test(test_shard_tells_of_room_who_wanted_it_once),
        cmocka_unit_test(test_shard_message_does_not_overtake_what_was_done_before),
        cmocka_unit_test(test_shard_frame_that_waits_comes_before_idleness),
        cmocka_unit_test(test_shard_idleness_is_found_under_load),
        cmocka_unit_test(test_shard_completions_that_wait_come_before_a_reset),
        cmocka_unit_test(test_shard_drain_that_takes_too_long_resets),
        cmocka_unit_test(test_shard_lost_request_holds_up_no_stop),
        cmocka_unit_test(test_shard_back_end_stays_while_a_poster_wakes_it),
        cmocka_unit_test(test_shard_message_is_there_when_it_is_announced),
        cmocka_unit_test(test_shard_question_behind_the_last_turn_is_answered),
        cmocka_unit_test(test_shard_question_waits_for_room_in_the_mailbox),
        cmocka_unit_test(test_shard_question_that_waits_for_room_is_refused_at_the_end),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
