/* SPDX-License-Identifier: MIT */
/* What only the IOCP back end decides, beside the conformance suite: whose turn it is when
 * receives and sends end in the call, and how a close takes a receive back. One instance against
 * plain sockets over loopback; completions, the kernel's answers and the back end's own counters
 * decide. */
#include "iocp/iocp_backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "seam/os.h"
#include "win/win.h"

#define LOOPBACK 0x7F000001u
#define CONNS 3u
#define PATIENCE_MS 20000u /* so long for what must come */

typedef struct bed {
    rs_backend *backend;
    rs_addr addr;
    SOCKET peer[CONNS + 1u];
    uintptr_t accepted; /* not attached yet; 0: none */
    uint32_t poll_max;
    rs_completion last[8]; /* latest of each kind */
    uint32_t seen[8];      /* completions by kind */
    uint8_t memory[64];
} bed;

static const rs_backend_api *const api = &rs_iocp_backend;

static void bed_open(bed *b, uint32_t inline_max, bool zero_byte_recv, uint32_t poll_max) {
    rs_iocp_settings own;
    rs_error error;
    memset(b, 0, sizeof *b);
    rs_options_defaults(&rs_iocp_options, &own);
    own.inline_max = inline_max;
    own.zero_byte_recv = zero_byte_recv;
    const rs_backend_config cfg = {.conns_max = CONNS,
                                   .sends_per_conn = 4,
                                   .poll_max = poll_max,
                                   .tuning = rs_tuning_default(),
                                   .own = &own};
    b->poll_max = poll_max;
    b->addr.ip = LOOPBACK;
    assert_int_equal(api->open(&b->backend, &cfg, &error), RS_OK);
    assert_int_equal(api->listen(b->backend, &b->addr, &b->addr.port, &error), RS_OK);
}

static uint32_t bed_poll(bed *b, int64_t timeout_ns) {
    rs_completion out[16];
    uint32_t count = api->poll(b->backend, out, b->poll_max, timeout_ns);
    for (uint32_t i = 0; i < count; i++) {
        b->last[out[i].kind] = out[i];
        b->seen[out[i].kind]++;
        if (out[i].kind == RS_OP_ACCEPT && out[i].status == RS_OK) {
            assert_int_equal(b->accepted, 0);
            b->accepted = out[i].socket;
        }
    }
    return count;
}

static void bed_until(bed *b, rs_op_kind kind, uint32_t count) {
    const uint64_t end_ns = rs_os_now_ns() + PATIENCE_MS * 1000000ull;
    while (b->seen[kind] < count) {
        assert_true(rs_os_now_ns() < end_ns);
        (void)bed_poll(b, 10000000);
    }
}

static void bed_submit(bed *b, rs_op_kind kind, uint32_t conn, uint32_t generation, uint8_t flags) {
    rs_status why;
    rs_op op = {.kind = (uint8_t)kind, .flags = flags, .conn = conn, .generation = generation};
    if (kind == RS_OP_CONNECT) {
        op.u.addr = &b->addr;
    } else if (kind == RS_OP_RECV || kind == RS_OP_SEND) {
        op.bytes = 1;
        op.u.data = &b->memory[conn];
    }
    assert_int_equal(api->submit(b->backend, &op, 1, &why), 1);
}

static SOCKET plain_socket(void) {
    const DWORD patience_ms = PATIENCE_MS;
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(s != INVALID_SOCKET);
    assert_int_equal(
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&patience_ms, (int)sizeof patience_ms),
        0);
    return s;
}

static struct sockaddr_in plain_name(uint16_t port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    name.sin_addr.s_addr = htonl(LOOPBACK);
    return name;
}

static void peer_connect(bed *b, uint32_t which) {
    const struct sockaddr_in name = plain_name(b->addr.port);
    b->peer[which] = plain_socket();
    assert_int_equal(connect(b->peer[which], (const struct sockaddr *)&name, (int)sizeof name), 0);
}

/* The socket that was accepted for the latest peer_connect. */
static uintptr_t bed_accepted(bed *b) {
    uintptr_t accepted;
    while (b->accepted == 0) {
        bed_until(b, RS_OP_ACCEPT, b->seen[RS_OP_ACCEPT] + 1u);
    }
    accepted = b->accepted;
    b->accepted = 0;
    return accepted;
}

/* The peer's byte has arrived: a receive ends in its call. */
static void byte_arrives(bed *b, uint32_t which, uintptr_t at) {
    u_long bytes = 0;
    assert_int_equal(send(b->peer[which], "x", 1, 0), 1);
    for (uint32_t i = 0; bytes == 0; i++) {
        assert_true(i < PATIENCE_MS);
        assert_int_equal(ioctlsocket((SOCKET)at, (long)FIONREAD, &bytes), 0);
        Sleep(1);
    }
}

static uintptr_t bed_pair(bed *b, uint32_t conn) {
    uintptr_t socket;
    peer_connect(b, conn);
    socket = bed_accepted(b);
    assert_int_equal(api->attach(b->backend, conn, 1, socket), RS_OK);
    return socket;
}

static void bed_close_conn(bed *b, uint32_t conn, uint32_t generation) {
    const uint32_t closed = b->seen[RS_OP_CLOSE];
    bed_submit(b, RS_OP_CLOSE, conn, generation, RS_OPF_ABORT);
    bed_until(b, RS_OP_CLOSE, closed + 1u);
}

static void bed_end(bed *b) {
    const uint64_t end_ns = rs_os_now_ns() + PATIENCE_MS * 1000000ull;
    for (uint32_t i = 0; i <= CONNS; i++) {
        if (b->peer[i] != 0) {
            (void)closesocket(b->peer[i]);
        }
    }
    api->unlisten(b->backend);
    while (b->last[RS_OP_ACCEPT].status != RS_E_CLOSED) {
        assert_true(rs_os_now_ns() < end_ns);
        (void)bed_poll(b, 10000000);
    }
    api->close(b->backend);
}

static uint64_t bed_stat(const bed *b, const char *name) {
    rs_backend_stats stats;
    api->stats(b->backend, &stats);
    for (uint32_t i = 0; i < stats.count; i++) {
        if (strcmp(stats.stat[i].name, name) == 0) {
            return stats.stat[i].value;
        }
    }
    fail_msg("no counter %s", name);
    return 0;
}

static void test_iocp_receives_with_data_at_hand_take_turns(void **state) {
    bed b;
    (void)state;
    bed_open(&b, 1, false, 16);
    for (uint32_t i = 0; i < 3u; i++) {
        byte_arrives(&b, i, bed_pair(&b, i));
    }
    for (uint32_t i = 0; i < 3u; i++) {
        bed_submit(&b, RS_OP_RECV, i, 1, 0);
    }
    for (uint32_t i = 1; i <= 3u; i++) {
        assert_int_equal(bed_poll(&b, 0), 1); /* inline_max a poll */
        assert_int_equal(b.last[RS_OP_RECV].conn, i - 1u);
        assert_int_equal(b.last[RS_OP_RECV].flags, RS_CF_INLINE);
    }
    for (uint32_t i = 0; i < 3u; i++) {
        bed_close_conn(&b, i, 1);
    }
    bed_end(&b);
}

/* Slot 2 is closed and taken again while its first receive still waits for its turn. */
static void test_iocp_slot_taken_again_has_one_turn(void **state) {
    uintptr_t next;
    bed b;
    (void)state;
    bed_open(&b, 1, false, 16);
    byte_arrives(&b, 0, bed_pair(&b, 0));
    byte_arrives(&b, 1, bed_pair(&b, 1));
    (void)bed_pair(&b, 2);
    peer_connect(&b, 3);
    next = bed_accepted(&b);
    for (uint32_t i = 0; i < 3u; i++) {
        bed_submit(&b, RS_OP_RECV, i, 1, 0);
    }
    bed_submit(&b, RS_OP_CLOSE, 2, 1, RS_OPF_ABORT);
    assert_int_equal(bed_poll(&b, 0), 3); /* the byte of 0; of 2 the receive and the close */
    assert_int_equal(b.seen[RS_OP_CLOSE], 1);
    assert_int_equal(api->attach(b.backend, 2, 2, next), RS_OK);
    bed_submit(&b, RS_OP_RECV, 0, 1, 0);
    bed_submit(&b, RS_OP_RECV, 2, 2, 0); /* as many turns as connections, and no more */
    byte_arrives(&b, 3, next);
    bed_until(&b, RS_OP_RECV, 4);
    assert_int_equal(b.last[RS_OP_RECV].conn, 2);
    assert_int_equal(b.last[RS_OP_RECV].generation, 2);
    bed_close_conn(&b, 0, 1);
    bed_close_conn(&b, 1, 1);
    bed_close_conn(&b, 2, 2);
    bed_end(&b);
}

/* Sends that all end in their calls leave the port its turn: a connection waits there. */
static void test_iocp_sends_that_end_at_once_leave_the_port_its_turn(void **state) {
    const uint64_t end_ns = rs_os_now_ns() + PATIENCE_MS * 1000000ull;
    uint64_t inline_before;
    uint32_t accepts;
    char byte;
    bed b;
    (void)state;
    bed_open(&b, 4, false, 16);
    (void)bed_pair(&b, 0);
    inline_before = bed_stat(&b, "inline completions");
    accepts = b.seen[RS_OP_ACCEPT];
    peer_connect(&b, 1);
    while (b.seen[RS_OP_ACCEPT] == accepts) {
        assert_true(rs_os_now_ns() < end_ns);
        bed_submit(&b, RS_OP_SEND, 0, 1, 0);
        assert_true(bed_poll(&b, 0) >= 1); /* never without something to hand out */
        assert_int_equal(recv(b.peer[0], &byte, 1, 0), 1);
    }
    assert_true(bed_stat(&b, "inline completions") > inline_before);
    api->discard(b.backend, b.accepted);
    bed_close_conn(&b, 0, 1);
    bed_end(&b);
}

/* What a poll does not get round to is posted before anybody sleeps. A sleep here has no end. */
static void test_iocp_does_not_sleep_over_receives_to_post(void **state) {
    bed b;
    (void)state;
    bed_open(&b, 64, false, 1);
    (void)bed_pair(&b, 0);
    byte_arrives(&b, 1, bed_pair(&b, 1));
    bed_submit(&b, RS_OP_RECV, 0, 1, 0);
    bed_submit(&b, RS_OP_RECV, 1, 1, 0);
    while (b.seen[RS_OP_RECV] == 0) {
        (void)bed_poll(&b, RS_FOREVER);
    }
    assert_int_equal(b.last[RS_OP_RECV].conn, 1);
    bed_close_conn(&b, 0, 1);
    bed_close_conn(&b, 1, 1);
    bed_end(&b);
}

static void test_iocp_close_ends_our_stream_before_its_receive_is_back(void **state) {
    char byte;
    bed b;
    (void)state;
    bed_open(&b, 64, false, 16);
    (void)bed_pair(&b, 0);
    bed_submit(&b, RS_OP_RECV, 0, 1, 0);
    assert_int_equal(bed_poll(&b, 0), 0); /* posted */
    bed_submit(&b, RS_OP_CLOSE, 0, 1, 0);
    assert_int_equal(recv(b.peer[0], &byte, 1, 0), 0); /* without a poll */
    bed_until(&b, RS_OP_CLOSE, 1);
    assert_int_equal(b.last[RS_OP_RECV].status, RS_E_ABORTED);
    bed_end(&b);
}

/* A probe that finds data after the close has asked it back does not become a receive. */
static void test_iocp_probe_on_a_closing_connection_stays_the_last(void **state) {
    uintptr_t socket;
    bed b;
    (void)state;
    bed_open(&b, 64, true, 16);
    socket = bed_pair(&b, 0);
    bed_submit(&b, RS_OP_RECV, 0, 1, 0);
    assert_int_equal(bed_poll(&b, 0), 0); /* the probe is out */
    assert_int_equal(bed_stat(&b, "WSARecv"), 1);
    byte_arrives(&b, 0, socket);
    Sleep(100); /* its packet is in the port, most likely; aborted it is either way */
    bed_submit(&b, RS_OP_CLOSE, 0, 1, 0);
    bed_until(&b, RS_OP_CLOSE, 1);
    assert_int_equal(b.last[RS_OP_RECV].status, RS_E_ABORTED);
    assert_int_equal(bed_stat(&b, "WSARecv"), 1);
    bed_end(&b);
}

static void test_iocp_receive_behind_a_connect_is_posted(void **state) {
    struct sockaddr_in name = plain_name(0);
    int name_bytes = (int)sizeof name;
    SOCKET listener, other;
    bed b;
    (void)state;
    bed_open(&b, 64, false, 16);
    listener = plain_socket();
    assert_int_equal(bind(listener, (const struct sockaddr *)&name, name_bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &name_bytes), 0);
    b.addr.port = ntohs(name.sin_port);
    bed_submit(&b, RS_OP_CONNECT, 0, 1, 0);
    bed_submit(&b, RS_OP_RECV, 0, 1, 0);
    bed_until(&b, RS_OP_CONNECT, 1);
    assert_int_equal(b.last[RS_OP_CONNECT].status, RS_OK);
    other = accept(listener, NULL, NULL);
    assert_true(other != INVALID_SOCKET);
    assert_int_equal(send(other, "x", 1, 0), 1);
    bed_until(&b, RS_OP_RECV, 1);
    assert_int_equal(b.last[RS_OP_RECV].bytes, 1);
    bed_close_conn(&b, 0, 1);
    (void)closesocket(other);
    (void)closesocket(listener);
    bed_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iocp_receives_with_data_at_hand_take_turns),
        cmocka_unit_test(test_iocp_slot_taken_again_has_one_turn),
        cmocka_unit_test(test_iocp_sends_that_end_at_once_leave_the_port_its_turn),
        cmocka_unit_test(test_iocp_does_not_sleep_over_receives_to_post),
        cmocka_unit_test(test_iocp_close_ends_our_stream_before_its_receive_is_back),
        cmocka_unit_test(test_iocp_probe_on_a_closing_connection_stays_the_last),
        cmocka_unit_test(test_iocp_receive_behind_a_connect_is_posted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
