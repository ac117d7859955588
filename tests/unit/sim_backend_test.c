/* SPDX-License-Identifier: MIT */
/* The simulated back end against itself: one server and one client instance in a world.
 *
 * Each fault is made certain and must show what it says, and be counted; each breach of the
 * contract by the user must be told (through the hook, and once as an assertion in a child
 * process); the same seed must be the same run. What all back ends have in common is in the
 * conformance suite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "child.h"
#include "sim_backend.h"

#define SLOTS 12u
#define MEMORY 4096u
#define SEEN_MAX 256u

static const char *self;

typedef struct side {
    rs_backend *backend;
    uint8_t memory[MEMORY];
    rs_region_id region;
    rs_completion seen[SEEN_MAX];
    uint32_t seen_count;
} side;

typedef struct bed {
    rs_sim_config cfg;
    rs_sim_world *world;
    side server, client;
    uint16_t port;
    const char *violation;
} bed;

static void note_violation(void *ctx, const char *what) {
    bed *b = ctx;
    b->violation = what;
}

static void side_open(bed *b, side *s) {
    rs_backend_config cfg = {.conns_max = SLOTS,
                             .sends_per_conn = 2,
                             .poll_max = 64,
                             .tuning = rs_tuning_default(),
                             .world = b->world};
    assert_int_equal(rs_sim_backend.open(&s->backend, &cfg, NULL), RS_OK);
    assert_int_equal(
        rs_sim_backend.register_memory(s->backend, s->memory, MEMORY, NULL, &s->region, NULL),
        RS_OK);
}

static void bed_open(bed *b, uint64_t seed) {
    rs_addr addr = {.ip = 0x7F000001u};
    memset(b, 0, sizeof *b);
    b->cfg = rs_sim_config_default(seed);
    b->cfg.pipe_bytes = 64;
    b->cfg.on_violation = note_violation;
    b->cfg.violation_ctx = b;
    b->world = rs_sim_world_open(&b->cfg);
    side_open(b, &b->server);
    side_open(b, &b->client);
    assert_int_equal(rs_sim_backend.listen(b->server.backend, &addr, &b->port, NULL), RS_OK);
}

/* One fault of the server's, certain from now on; RS_SIM_FAULTS = none. */
static void bed_fault(side *s, rs_sim_fault fault) {
    rs_sim_faults faults = {.chance = {0}};
    if (fault < RS_SIM_FAULTS) {
        faults.chance[fault] = RS_SIM_CERTAIN;
    }
    rs_sim_set_instance_faults(s->backend, &faults);
}

static void side_poll(side *s) {
    rs_completion out[64];
    uint32_t count = rs_sim_backend.poll(s->backend, out, 64, 100000);
    assert_true(s->seen_count + count <= SEEN_MAX);
    memcpy(s->seen + s->seen_count, out, count * sizeof out[0]);
    s->seen_count += count;
}

static void bed_run(bed *b) {
    for (uint32_t i = 0; i < 60; i++) {
        side_poll(&b->server);
        side_poll(&b->client);
    }
}

static const rs_completion *seen(const side *s, rs_op_kind kind) {
    for (uint32_t i = 0; i < s->seen_count; i++) {
        if (s->seen[i].kind == kind) {
            return &s->seen[i];
        }
    }
    return NULL;
}

static uint32_t seen_times(const side *s, rs_op_kind kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->seen_count; i++) {
        count += s->seen[i].kind == kind ? 1u : 0u;
    }
    return count;
}

static void assert_seen(const side *s, rs_op_kind kind, rs_status status) {
    assert_non_null(seen(s, kind));
    assert_int_equal(seen(s, kind)->status, status);
}

static rs_status side_submit(side *s, rs_op op) {
    rs_status why = RS_OK;
    op.region = s->region.value;
    op.generation = op.generation == 0 ? 1 : op.generation;
    return rs_sim_backend.submit(s->backend, &op, 1, &why) == 1 ? RS_OK : why;
}

static rs_status side_recv(side *s) {
    return side_submit(s, (rs_op){.kind = RS_OP_RECV, .bytes = 32, .u.data = s->memory});
}

static rs_status side_send(side *s) {
    return side_submit(s, (rs_op){.kind = RS_OP_SEND, .bytes = 20, .u.data = s->memory + 1000});
}

static void bed_connect(bed *b) {
    rs_addr addr = {.ip = 0x7F000001u, .port = b->port};
    assert_int_equal(side_submit(&b->client, (rs_op){.kind = RS_OP_CONNECT, .u.addr = &addr}),
                     RS_OK);
    bed_run(b);
}

static rs_status bed_attach(bed *b) {
    assert_seen(&b->server, RS_OP_ACCEPT, RS_OK);
    return rs_sim_backend.attach(b->server.backend, 0, 1, seen(&b->server, RS_OP_ACCEPT)->socket);
}

/* A connection from client slot 0 to server slot 0, nothing of it left to be seen. */
static void bed_pair(bed *b, uint64_t seed) {
    bed_open(b, seed);
    bed_connect(b);
    assert_int_equal(bed_attach(b), RS_OK);
    b->server.seen_count = b->client.seen_count = 0;
}

static void side_finish(bed *b, side *s, bool close) {
    bed_fault(s, RS_SIM_FAULTS);
    if (close) {
        rs_status status = side_submit(s, (rs_op){.kind = RS_OP_CLOSE, .flags = RS_OPF_ABORT});
        assert_true(status == RS_OK || status == RS_E_CLOSED || status == RS_E_STALE);
    }
    rs_sim_backend.unlisten(s->backend);
    rs_sim_advance(b->world, 1000000000);
    bed_run(b);
}

static void bed_close(bed *b) {
    side_finish(b, &b->server, true);
    side_finish(b, &b->client, true);
    assert_int_equal(rs_sim_in_flight(b->server.backend), 0);
    assert_int_equal(rs_sim_in_flight(b->client.backend), 0);
    rs_sim_backend.close(b->server.backend);
    rs_sim_backend.close(b->client.backend);
    rs_sim_world_close(b->world);
}

/* ---- faults */

static void test_sim_receive_and_send_end_short(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 1);
    bed_fault(&b.server, RS_SIM_SHORT_SEND);
    bed_fault(&b.client, RS_SIM_SHORT_RECV);
    assert_int_equal(side_send(&b.client), RS_OK);
    assert_int_equal(side_send(&b.server), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_SEND, RS_OK);
    assert_true(seen(&b.server, RS_OP_SEND)->bytes < 20);
    assert_int_equal(rs_sim_fault_count(b.world, RS_SIM_SHORT_SEND), 1);
    bed_close(&b);
    bed_pair(&b, 2);
    bed_fault(&b.server, RS_SIM_SHORT_RECV);
    assert_int_equal(side_send(&b.client), RS_OK);
    bed_run(&b);
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    assert_in_range(seen(&b.server, RS_OP_RECV)->bytes, 1, 19);
    assert_int_equal(rs_sim_fault_count(b.world, RS_SIM_SHORT_RECV), 1);
    bed_close(&b);
}

static void test_sim_reset_strikes_in_each_state(void **state) {
    bed b;
    (void)state;
    bed_open(&b, 3);
    bed_fault(&b.server, RS_SIM_RESET_BEFORE_ATTACH);
    bed_connect(&b);
    assert_int_equal(bed_attach(&b), RS_OK);
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_RECV, RS_E_RESET);
    bed_close(&b);

    bed_pair(&b, 4);
    bed_fault(&b.server, RS_SIM_RESET_RECEIVING);
    assert_int_equal(side_recv(&b.server), RS_OK);
    assert_int_equal(side_recv(&b.client), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_RECV, RS_E_RESET);
    assert_seen(&b.client, RS_OP_RECV, RS_E_RESET);
    bed_close(&b);

    bed_pair(&b, 5);
    bed_fault(&b.server, RS_SIM_RESET_SENDING);
    assert_int_equal(side_send(&b.server), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_SEND, RS_E_RESET);
    bed_close(&b);

    bed_pair(&b, 6);
    assert_int_equal(side_submit(&b.client, (rs_op){.kind = RS_OP_SHUTDOWN}), RS_OK);
    bed_run(&b);
    bed_fault(&b.server, RS_SIM_RESET_HALF_CLOSED);
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_RECV, RS_E_RESET);
    bed_close(&b);

    bed_pair(&b, 7);
    bed_fault(&b.server, RS_SIM_RESET_CLOSING);
    assert_int_equal(side_recv(&b.client), RS_OK);
    bed_run(&b);
    assert_int_equal(side_submit(&b.server, (rs_op){.kind = RS_OP_CLOSE}), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_CLOSE, RS_OK);
    assert_seen(&b.client, RS_OP_RECV, RS_E_RESET);
    bed_close(&b);
}

static void test_sim_peer_ends_early_and_its_later_bytes_are_lost(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 8);
    bed_fault(&b.server, RS_SIM_HALF_CLOSE);
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_RECV, RS_OK);
    assert_int_equal(seen(&b.server, RS_OP_RECV)->bytes, 0);
    assert_int_equal(side_send(&b.client), RS_OK);
    bed_run(&b);
    assert_seen(&b.client, RS_OP_SEND, RS_OK);
    bed_close(&b);
}

static void test_sim_cancelled_receive_completes_late_but_before_close(void **state) {
    bed b;
    uint64_t start_ns;
    (void)state;
    bed_pair(&b, 9);
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    bed_fault(&b.server, RS_SIM_LATE_COMPLETION);
    start_ns = rs_sim_now_ns(b.world);
    assert_int_equal(side_submit(&b.server, (rs_op){.kind = RS_OP_CLOSE}), RS_OK);
    while (seen(&b.server, RS_OP_CLOSE) == NULL) {
        side_poll(&b.server);
        assert_true(rs_sim_now_ns(b.world) - start_ns < 10 * b.cfg.slow_ns_max);
    }
    assert_seen(&b.server, RS_OP_RECV, RS_E_ABORTED);
    assert_true(seen(&b.server, RS_OP_RECV) < seen(&b.server, RS_OP_CLOSE));
    assert_true(rs_sim_now_ns(b.world) - start_ns > 2 * b.cfg.latency_ns_max);
    bed_close(&b);
}

static void test_sim_no_buffers_and_refusals(void **state) {
    bed b;
    (void)state;
    bed_open(&b, 10);
    bed_connect(&b);
    bed_fault(&b.server, RS_SIM_NO_BUFFERS_ATTACH);
    assert_int_equal(bed_attach(&b), RS_E_NO_BUFFERS);
    bed_close(&b);

    bed_pair(&b, 11);
    bed_fault(&b.server, RS_SIM_NO_BUFFERS_RECV);
    bed_fault(&b.client, RS_SIM_NO_BUFFERS_SEND);
    assert_int_equal(side_recv(&b.server), RS_OK);
    assert_int_equal(side_send(&b.client), RS_OK);
    bed_run(&b);
    assert_seen(&b.server, RS_OP_RECV, RS_E_NO_BUFFERS);
    assert_seen(&b.client, RS_OP_SEND, RS_E_NO_BUFFERS);
    bed_fault(&b.server, RS_SIM_REFUSED_SUBMIT);
    assert_int_equal(side_recv(&b.server), RS_E_CLOSED);
    bed_close(&b);
}

static void test_sim_opening_fails_for_want_of_memory(void **state) {
    rs_sim_config cfg = rs_sim_config_default(12);
    rs_backend_config backend_cfg = {
        .conns_max = 1, .sends_per_conn = 1, .poll_max = 1, .tuning = rs_tuning_default()};
    rs_backend *backend;
    rs_region_id region;
    rs_error error = {.text = ""};
    uint8_t memory[16];
    (void)state;
    cfg.faults.chance[RS_SIM_OPEN_NO_MEMORY] = RS_SIM_CERTAIN;
    backend_cfg.world = rs_sim_world_open(&cfg);
    assert_int_equal(rs_sim_backend.open(&backend, &backend_cfg, &error), RS_E_NO_MEMORY);
    assert_null(backend);
    assert_true(error.text[0] != '\0');
    cfg.faults.chance[RS_SIM_OPEN_NO_MEMORY] = 0;
    cfg.faults.chance[RS_SIM_NO_BUFFERS_REGISTER] = RS_SIM_CERTAIN;
    rs_sim_set_faults(backend_cfg.world, &cfg.faults);
    assert_int_equal(rs_sim_backend.open(&backend, &backend_cfg, &error), RS_OK);
    assert_int_equal(rs_sim_backend.register_memory(backend, memory, 16, NULL, &region, &error),
                     RS_E_NO_BUFFERS);
    rs_sim_backend.close(backend);
    rs_sim_world_close(backend_cfg.world);
}

static void test_sim_accept_fails_bursts_and_breaks(void **state) {
    bed b;
    (void)state;
    bed_open(&b, 13);
    bed_fault(&b.server, RS_SIM_ACCEPT_FAILURE);
    bed_connect(&b);
    assert_seen(&b.server, RS_OP_ACCEPT, RS_E_RESET);
    bed_close(&b);

    bed_open(&b, 14);
    bed_fault(&b.server, RS_SIM_ACCEPT_BURST);
    bed_connect(&b);
    assert_in_range(seen_times(&b.server, RS_OP_ACCEPT), 2, 1 + b.cfg.burst_max);
    for (uint32_t i = 0; i < b.server.seen_count; i++) {
        rs_sim_backend.discard(b.server.backend, b.server.seen[i].socket);
    }
    bed_close(&b);

    bed_open(&b, 15);
    bed_fault(&b.server, RS_SIM_LISTENER_FAILURE);
    bed_connect(&b);
    assert_seen(&b.server, RS_OP_ACCEPT, RS_E_LISTENER);
    assert_seen(&b.client, RS_OP_CONNECT, RS_E_REFUSED);
    bed_close(&b);

    bed_open(&b, 16);
    bed_fault(&b.client, RS_SIM_CONNECT_REFUSED);
    bed_connect(&b);
    assert_seen(&b.client, RS_OP_CONNECT, RS_E_REFUSED);
    assert_null(seen(&b.server, RS_OP_ACCEPT));
    bed_close(&b);
}

static void test_sim_stale_completion_carries_the_older_generation(void **state) {
    bed b;
    rs_addr addr = {.ip = 0x7F000001u};
    (void)state;
    bed_open(&b, 17);
    addr.port = b.port;
    bed_connect(&b);
    rs_sim_backend.discard(b.server.backend, seen(&b.server, RS_OP_ACCEPT)->socket);
    assert_int_equal(side_submit(&b.client, (rs_op){.kind = RS_OP_CLOSE}), RS_OK);
    bed_run(&b);
    b.client.seen_count = b.server.seen_count = 0;
    bed_fault(&b.client, RS_SIM_STALE_COMPLETION);
    assert_int_equal(
        side_submit(&b.client, (rs_op){.kind = RS_OP_CONNECT, .generation = 2, .u.addr = &addr}),
        RS_OK);
    bed_run(&b);
    uint32_t stale = 0;
    for (uint32_t i = 0; i < b.client.seen_count; i++) {
        stale += b.client.seen[i].generation == 1 ? 1u : 0u;
    }
    assert_true(stale > 0);
    assert_int_equal(stale, rs_sim_fault_count(b.world, RS_SIM_STALE_COMPLETION));
    rs_sim_backend.discard(b.server.backend, seen(&b.server, RS_OP_ACCEPT)->socket);
    bed_fault(&b.client, RS_SIM_FAULTS);
    assert_int_equal(side_submit(&b.client, (rs_op){.kind = RS_OP_CLOSE, .generation = 2}), RS_OK);
    bed_close(&b);
}

static void test_sim_time_faults_slow_spike_jump_and_storm(void **state) {
    bed b;
    rs_completion out[4];
    uint64_t start_ns;
    (void)state;
    bed_pair(&b, 18);
    bed_fault(&b.server, RS_SIM_SLOW_READER);
    bed_fault(&b.client, RS_SIM_LATENCY_SPIKE);
    start_ns = rs_sim_now_ns(b.world);
    assert_int_equal(side_send(&b.client), RS_OK);
    assert_int_equal(side_recv(&b.server), RS_OK);
    while (seen(&b.server, RS_OP_RECV) == NULL || seen(&b.client, RS_OP_SEND) == NULL) {
        side_poll(&b.server);
        side_poll(&b.client);
        assert_true(rs_sim_now_ns(b.world) - start_ns < 10 * b.cfg.slow_ns_max);
    }
    assert_int_equal(rs_sim_fault_count(b.world, RS_SIM_SLOW_READER), 1);
    assert_true(rs_sim_fault_count(b.world, RS_SIM_LATENCY_SPIKE) > 0);

    bed_fault(&b.server, RS_SIM_CLOCK_JUMP);
    start_ns = rs_sim_now_ns(b.world);
    (void)rs_sim_backend.poll(b.server.backend, out, 4, 1);
    assert_true(rs_sim_now_ns(b.world) - start_ns > 1);
    assert_int_equal(rs_sim_fault_count(b.world, RS_SIM_CLOCK_JUMP), 1);

    bed_fault(&b.server, RS_SIM_WAKE_STORM);
    (void)rs_sim_backend.poll(b.server.backend, out, 4, 1);
    start_ns = rs_sim_now_ns(b.world);
    assert_int_equal(rs_sim_backend.poll(b.server.backend, out, 4, 1000), 0);
    assert_int_equal(rs_sim_now_ns(b.world), start_ns); /* it came back at once */
    bed_close(&b);
}

/* ---- the clock, chance */

static void test_sim_poll_sleeps_to_its_deadline_or_the_next_event(void **state) {
    bed b;
    rs_completion out[4];
    uint64_t start_ns;
    (void)state;
    bed_pair(&b, 19);
    start_ns = rs_sim_now_ns(b.world);
    assert_int_equal(rs_sim_backend.poll(b.server.backend, out, 4, 0), 0);
    assert_int_equal(rs_sim_now_ns(b.world), start_ns);
    assert_int_equal(rs_sim_backend.poll(b.server.backend, out, 4, 7000), 0);
    assert_int_equal(rs_sim_now_ns(b.world), start_ns + 7000);
    rs_sim_backend.wake(b.server.backend);
    assert_int_equal(rs_sim_backend.poll(b.server.backend, out, 4, RS_FOREVER), 0);
    assert_int_equal(rs_sim_now_ns(b.world), start_ns + 7000);
    assert_int_equal(side_send(&b.server), RS_OK);
    assert_int_equal(rs_sim_backend.poll(b.server.backend, out, 4, RS_FOREVER), 1);
    assert_true(rs_sim_now_ns(b.world) <= start_ns + 7000 + 2 * b.cfg.latency_ns_max);
    bed_close(&b);
}

static void test_sim_full_pipe_blocks_its_sender(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 20);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(side_send(&b.server), RS_OK);
        bed_run(&b);
    }
    assert_int_equal(side_send(&b.server), RS_OK); /* 80 bytes into a pipe of 64 */
    bed_run(&b);
    assert_int_equal(seen_times(&b.server, RS_OP_SEND), 3);
    assert_int_equal(side_recv(&b.client), RS_OK);
    bed_run(&b);
    assert_int_equal(seen_times(&b.server, RS_OP_SEND), 4);
    bed_close(&b);
}

static uint64_t trace_of(uint64_t seed) {
    bed b;
    uint64_t trace;
    bed_pair(&b, seed);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(side_send(&b.client), RS_OK);
        assert_int_equal(side_recv(&b.server), RS_OK);
        bed_run(&b);
    }
    trace = rs_sim_trace(b.world);
    bed_close(&b);
    return trace;
}

static void test_sim_same_seed_is_the_same_run(void **state) {
    (void)state;
    assert_true(trace_of(21) == trace_of(21));
    assert_true(trace_of(21) != trace_of(22));
}

/* ---- breaches by the user */

static void assert_violation(bed *b, const char *what) {
    assert_non_null(b->violation);
    assert_string_equal(b->violation, what);
    b->violation = NULL;
}

static void test_sim_touching_a_buffer_in_flight_is_a_violation(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 23);
    assert_int_equal(side_send(&b.server), RS_OK);
    b.server.memory[1005] ^= 1;
    bed_run(&b);
    assert_violation(&b, "a SEND buffer was changed while in flight");
    assert_int_equal(side_recv(&b.server), RS_OK);
    bed_run(&b);
    b.server.memory[31] ^= 1;
    assert_int_equal(side_send(&b.client), RS_OK);
    bed_run(&b);
    assert_violation(&b, "a RECV buffer was touched while in flight");
    assert_int_equal(rs_sim_violations(b.world), 2);
    bed_close(&b);
}

static void test_sim_overlapping_buffers_are_a_violation(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 24);
    assert_int_equal(side_recv(&b.server), RS_OK);
    assert_int_equal(
        side_submit(&b.server,
                    (rs_op){.kind = RS_OP_SEND, .bytes = 4, .u.data = b.server.memory + 31}),
        RS_OK);
    assert_violation(&b, "buffers in flight overlap");
    bed_run(&b);
    b.violation = NULL;
    assert_int_equal(side_send(&b.server), RS_OK);
    assert_int_equal(side_send(&b.server), RS_OK); /* a shared slice: both only read it */
    assert_null(b.violation);
    bed_close(&b);
}

static void test_sim_foreign_sockets_regions_and_leftovers_are_violations(void **state) {
    bed b;
    (void)state;
    bed_pair(&b, 25);
    assert_int_equal(rs_sim_backend.attach(b.server.backend, 1, 1, 12345), RS_E_OS);
    assert_violation(&b, "attach: no accepted socket of that value");
    rs_sim_backend.discard(b.server.backend, 12345);
    assert_violation(&b, "discard: no accepted socket of that value");
    assert_int_equal(side_recv(&b.server), RS_OK);
    rs_sim_backend.release_memory(b.server.backend, b.server.region);
    assert_violation(&b, "release_memory: an op in flight uses the region");
    assert_int_equal(side_submit(&b.server, (rs_op){.kind = RS_OP_SEND,
                                                    .bytes = 2,
                                                    .u.data = b.server.memory + MEMORY - 1}),
                     RS_E_INVALID);
    bed_close(&b);
}

/* No hook here: the process ends by an assertion. */
static void child_touches_a_buffer(void) {
    rs_sim_config cfg = rs_sim_config_default(27);
    side s = {.seen_count = 0};
    bed b = {.world = rs_sim_world_open(&cfg)};
    rs_addr addr = {.ip = 0x7F000001u};
    side_open(&b, &s);
    (void)rs_sim_backend.listen(s.backend, &addr, &addr.port, NULL);
    (void)side_submit(&s, (rs_op){.kind = RS_OP_CONNECT, .u.addr = &addr});
    (void)side_send(&s);
    s.memory[1000] ^= 1;
    for (uint32_t i = 0; i < 100; i++) {
        side_poll(&s);
    }
}

static void test_sim_violation_without_a_hook_ends_the_process(void **state) {
    child_result result = child_run(self, "touch");
    (void)state;
    assert_true(child_asserted(&result, "a SEND buffer was changed while in flight"));
}

int main(int argc, char **argv) {
    const char *child = child_case(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_receive_and_send_end_short),
        cmocka_unit_test(test_sim_reset_strikes_in_each_state),
        cmocka_unit_test(test_sim_peer_ends_early_and_its_later_bytes_are_lost),
        cmocka_unit_test(test_sim_cancelled_receive_completes_late_but_before_close),
        cmocka_unit_test(test_sim_no_buffers_and_refusals),
        cmocka_unit_test(test_sim_opening_fails_for_want_of_memory),
        cmocka_unit_test(test_sim_accept_fails_bursts_and_breaks),
        cmocka_unit_test(test_sim_stale_completion_carries_the_older_generation),
        cmocka_unit_test(test_sim_time_faults_slow_spike_jump_and_storm),
        cmocka_unit_test(test_sim_poll_sleeps_to_its_deadline_or_the_next_event),
        cmocka_unit_test(test_sim_full_pipe_blocks_its_sender),
        cmocka_unit_test(test_sim_same_seed_is_the_same_run),
        cmocka_unit_test(test_sim_touching_a_buffer_in_flight_is_a_violation),
        cmocka_unit_test(test_sim_overlapping_buffers_are_a_violation),
        cmocka_unit_test(test_sim_foreign_sockets_regions_and_leftovers_are_violations),
        cmocka_unit_test(test_sim_violation_without_a_hook_ends_the_process),
    };
    self = argv[0];
    if (child != NULL) {
        child_touches_a_buffer();
        return 0;
    }
    return cmocka_run_group_tests_name("sim_backend", tests, NULL, NULL);
}
