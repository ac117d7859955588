/* SPDX-License-Identifier: MIT */
/* The RIO back end with its notification by event, where an event stands for the port: an AcceptEx
 * or ConnectEx that is started clears it, and a packet that is there already must be found all the
 * same. Set up: an instance that listens, and a plain listener with a full backlog, at which a
 * ConnectEx hangs. A pass: poll does not sleep over an ACCEPT, whether the ConnectEx cleared its
 * event or it came into the sleep. And: what an attach that fails and a close leave; that a wake
 * ends one sleep, a completion every one; that polling keeps its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rio/rio_backend.h"
#include "rio/rio_instance.h"
#include "seam/os.h"
#include "net/net_address.h"
#include "win/win_socket.h"

#define LONG_NS INT64_C(20000000000) /* nobody waits so long unless it was overlooked */
#define FILLERS 6u
#define OUT_MAX 16u

static const rs_backend_api *const api = &rs_rio_backend;
static rs_win_calls calls;

static SOCKET plain_socket(void) {
    uint32_t os_error;
    u_long on = 1;
    SOCKET opened = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    assert_true(opened != INVALID_SOCKET);
    assert_int_equal(ioctlsocket(opened, (long)FIONBIO, &on), 0);
    return opened;
}

static void plain_connect(SOCKET socket, rs_addr addr) {
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, &addr);
    (void)connect(socket, &name.any, name_bytes); /* in progress, or refused */
}

/* A listener that takes nobody, and connections enough to fill it. */
static rs_addr make_hanging(SOCKET *listener, SOCKET *fillers) {
    rs_addr addr = {.ip = 0x7F000001u};
    rs_sockaddr name;
    int bytes = rs_sockaddr_write(&name, &addr);
    *listener = plain_socket();
    assert_int_equal(bind(*listener, &name.any, bytes), 0);
    assert_int_equal(listen(*listener, 1), 0);
    assert_int_equal(getsockname(*listener, &name.any, &bytes), 0);
    addr.port = rs_sockaddr_read(&name).port;
    for (uint32_t i = 0; i < FILLERS; i++) {
        fillers[i] = plain_socket();
        plain_connect(fillers[i], addr);
    }
    Sleep(50);
    return addr;
}

/* Polls until a completion of this kind; the others are counted only. */
static rs_completion poll_until(rs_backend *backend, rs_op_kind kind, int64_t timeout_ns) {
    uint64_t end_ns = rs_os_now_ns() + (uint64_t)LONG_NS;
    rs_completion out[OUT_MAX];
    for (;;) {
        uint32_t count = api->poll(backend, out, OUT_MAX, timeout_ns);

        for (uint32_t i = 0; i < count; i++) {
            if (out[i].kind == kind) {
                assert_true(rs_os_now_ns() < end_ns);
                return out[i];
            }
        }
        assert_true(rs_os_now_ns() < end_ns);
    }
}

/* An instance with its notification by event that listens at *addr, and has nothing to do. A wait
 * other than RS_RIO_WAIT_NOTIFY needs no event. */
static rs_backend *open_listening_by(rs_addr *addr, rs_rio_wait_mode wait) {
    rs_backend_config cfg = {
        .conns_max = 4, .sends_per_conn = 1, .poll_max = OUT_MAX, .tuning = rs_tuning_default()};
    rs_rio_settings own;
    rs_error error = {.text = ""};
    rs_completion out[OUT_MAX];
    rs_backend *backend;
    rs_status status;
    cfg.tuning.accepts = 2;
    cfg.tuning.dequeue_batch = 1;
    rs_options_defaults(&rs_rio_options, &own);
    own.wait = wait;
    own.notify_by = wait == RS_RIO_WAIT_NOTIFY ? RS_RIO_NOTIFY_EVENT : RS_RIO_NOTIFY_IOCP;
    cfg.own = &own;
    status = api->open(&backend, &cfg, &error);
    if (status == RS_E_RIO_UNAVAILABLE) {
        print_message("%s\n", error.text);
        skip();
    }
    assert_int_equal(status, RS_OK);
    *addr = (rs_addr){.ip = 0x7F000001u};
    assert_int_equal(api->listen(backend, addr, &addr->port, &error), RS_OK);
    while (api->poll(backend, out, OUT_MAX, 1000000) > 0) {
    }
    return backend;
}

static rs_backend *open_listening(rs_addr *addr) {
    return open_listening_by(addr, RS_RIO_WAIT_NOTIFY);
}

static void close_listening(rs_backend *backend) {
    api->unlisten(backend);
    while (poll_until(backend, RS_OP_ACCEPT, LONG_NS).status != RS_E_CLOSED) {
    }
    api->close(backend);
}

static void test_rio_port_packet_behind_a_cleared_event_is_found(void **state) {
    rs_op op = {.kind = RS_OP_CONNECT, .generation = 1};
    rs_addr addr, hanging;
    SOCKET listener, fillers[FILLERS], client;
    rs_completion accepted;
    rs_backend *backend = open_listening(&addr);
    rs_status why;
    (void)state;
    hanging = make_hanging(&listener, fillers);
    client = plain_socket();
    plain_connect(client, addr);
    Sleep(100); /* its packet is in the port, and its event set */
    op.u.addr = &hanging;
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    accepted = poll_until(backend, RS_OP_ACCEPT, LONG_NS);
    assert_int_equal(accepted.status, RS_OK);
    api->discard(backend, accepted.socket);
    op = (rs_op){.kind = RS_OP_CLOSE, .flags = RS_OPF_ABORT, .generation = 1};
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    (void)poll_until(backend, RS_OP_CLOSE, LONG_NS);
    close_listening(backend);
    for (uint32_t i = 0; i < FILLERS; i++) {
        rs_win_socket_close(fillers[i], &calls);
    }
    rs_win_socket_close(client, &calls);
    rs_win_socket_close(listener, &calls);
}

/* The AcceptEx that follows the first packet clears the event of the second. */
static void test_rio_port_packet_behind_an_accept_is_found(void **state) {
    rs_addr addr;
    SOCKET client[2];
    rs_backend *backend = open_listening(&addr);
    (void)state;
    for (uint32_t i = 0; i < 2u; i++) {
        client[i] = plain_socket();
        plain_connect(client[i], addr);
    }
    Sleep(100); /* both packets are in the port */
    for (uint32_t i = 0; i < 2u; i++) {
        rs_completion accepted = poll_until(backend, RS_OP_ACCEPT, i == 0 ? 0 : LONG_NS);

        assert_int_equal(accepted.status, RS_OK);
        api->discard(backend, accepted.socket);
    }
    close_listening(backend);
    rs_win_socket_close(client[0], &calls);
    rs_win_socket_close(client[1], &calls);
}

typedef struct late_client {
    SOCKET socket;
    rs_addr addr;
} late_client;

static DWORD WINAPI connect_later(void *ctx) {
    const late_client *client = ctx;
    Sleep(200); /* the poll is asleep by now */
    plain_connect(client->socket, client->addr);
    return 0;
}

/* The event of the port ends the sleep, and what is in the port is read then. */
static void test_rio_port_packet_while_asleep_is_read(void **state) {
    late_client client;
    rs_completion accepted;
    rs_backend *backend = open_listening(&client.addr);
    HANDLE thread;
    (void)state;
    client.socket = plain_socket();
    thread = CreateThread(NULL, 0, connect_later, &client, 0, NULL);
    assert_non_null(thread);
    accepted = poll_until(backend, RS_OP_ACCEPT, LONG_NS);
    assert_int_equal(accepted.status, RS_OK);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
    api->discard(backend, accepted.socket);
    close_listening(backend);
    rs_win_socket_close(client.socket, &calls);
}

/* What is no TCP socket is closed, and the slot is free; the end of the instance asserts that. */
static void test_rio_attach_that_fails_leaves_the_slot_free(void **state) {
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    (void)state;
    for (uint32_t generation = 1; generation <= 2u; generation++) {
        SOCKET datagrams = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

        assert_true(datagrams != INVALID_SOCKET);
        assert_int_equal(api->attach(backend, 1, generation, datagrams), RS_E_OS);
        assert_int_equal(closesocket(datagrams), SOCKET_ERROR); /* it was */
    }
    close_listening(backend);
}

static uint64_t stat_of(const rs_backend *backend, const char *name) {
    rs_backend_stats stats;
    api->stats(backend, &stats);
    for (uint32_t i = 0; i < stats.count; i++) {
        if (strcmp(stats.stat[i].name, name) == 0) {
            return stats.stat[i].value;
        }
    }
    fail_msg("no counter %s", name);
    return 0;
}

/* closesocket cancels the receive: on Windows the peer may then see a reset, unless our stream has
 * ended before. */
static void test_rio_close_over_a_receive_ends_our_stream_first(void **state) {
    static uint8_t memory[4096];
    rs_op op = {.kind = RS_OP_RECV, .conn = 1, .generation = 1, .bytes = 8, .u = {.data = memory}};
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    SOCKET client = plain_socket();
    rs_completion out[OUT_MAX];
    rs_region_id region;
    rs_error error;
    rs_status why;
    uint64_t before;
    (void)state;
    assert_int_equal(api->register_memory(backend, memory, sizeof memory, NULL, &region, &error),
                     RS_OK);
    op.region = region.value;
    plain_connect(client, addr);
    assert_int_equal(api->attach(backend, 1, 1, poll_until(backend, RS_OP_ACCEPT, LONG_NS).socket),
                     RS_OK);
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    assert_int_equal(api->poll(backend, out, OUT_MAX, 0), 0); /* posted */
    before = stat_of(backend, "shutdown");
    op = (rs_op){.kind = RS_OP_CLOSE, .conn = 1, .generation = 1};
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    assert_int_equal(stat_of(backend, "shutdown"), before + 1u);
    (void)poll_until(backend, RS_OP_CLOSE, LONG_NS);
    api->release_memory(backend, region);
    close_listening(backend);
    rs_win_socket_close(client, &calls);
}

/* ---- sleeping and waking */

static uint64_t poll_ns(rs_backend *backend, int64_t timeout_ns) {
    const uint64_t start_ns = rs_os_now_ns();
    rs_completion out[OUT_MAX];
    assert_int_equal(api->poll(backend, out, OUT_MAX, timeout_ns), 0);
    return rs_os_now_ns() - start_ns;
}

static rs_backend *waking;

/* Stands where the port is read for the last time before the sleep, and finds nothing. */
static BOOL WINAPI wakes_instead(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                                 ULONG *taken, DWORD timeout_ms) {
    (void)cq, (void)port, (void)entries, (void)capacity, (void)timeout_ms;
    waking->api.wait = NULL;
    api->wake(waking);
    *taken = 0;
    SetLastError(WAIT_TIMEOUT);
    return FALSE;
}

/* A wake after the last look signals nothing, since nobody sleeps yet: the sleep must not begin. */
static void test_rio_wake_before_the_sleep_is_seen(void **state) {
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    (void)state;
    waking = backend;
    backend->api.wait = wakes_instead;
    backend->port_dirty = true; /* or the port is not read there */
    assert_true(poll_ns(backend, LONG_NS) < (uint64_t)LONG_NS / 2);
    assert_null(backend->api.wait);
    close_listening(backend);
}

static void test_rio_wake_is_seen_once(void **state) {
    enum { SLEEPS = 5 };
    const int64_t sleep_ns = 50000000;
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    uint64_t slept_ns = 0;
    (void)state;
    api->wake(backend);
    assert_true(poll_ns(backend, LONG_NS) < (uint64_t)LONG_NS / 2);
    for (int i = 0; i < SLEEPS; i++) { /* one of them may end early */
        slept_ns += poll_ns(backend, sleep_ns);
    }
    assert_true(slept_ns >= (uint64_t)sleep_ns * (SLEEPS - 1) / 2);
    close_listening(backend);
}

static DWORD WINAPI poll_for_a_while(void *backend) {
    rs_completion out[OUT_MAX];
    return (DWORD)api->poll(backend, out, OUT_MAX, 50000000);
}

static void test_rio_polling_keeps_its_time(void **state) {
    rs_addr addr;
    rs_backend *backend = open_listening_by(&addr, RS_RIO_WAIT_POLL);
    HANDLE thread = CreateThread(NULL, 0, poll_for_a_while, backend, 0, NULL);
    (void)state;
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
    close_listening(backend);
}

static DWORD WINAPI send_later(void *client) {
    Sleep(200); /* the poll is asleep by now */
    return (DWORD)send((SOCKET)(uintptr_t)client, "x", 1, 0);
}

/* Each completion that comes into a sleep ends it: the notification is armed anew every time. */
static void test_rio_every_sleep_ends_at_a_completion(void **state) {
    static uint8_t memory[4096];
    rs_op op = {.conn = 1, .generation = 1, .bytes = 8, .u = {.data = memory}};
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    SOCKET client = plain_socket();
    rs_region_id region;
    rs_error error;
    rs_status why;
    uint64_t armed;
    (void)state;
    assert_int_equal(api->register_memory(backend, memory, sizeof memory, NULL, &region, &error),
                     RS_OK);
    op.region = region.value;
    plain_connect(client, addr);
    assert_int_equal(api->attach(backend, 1, 1, poll_until(backend, RS_OP_ACCEPT, LONG_NS).socket),
                     RS_OK);
    armed = stat_of(backend, "RIONotify"); /* it may be armed already: for the first sleep */
    for (int i = 0; i < 3; i++) {
        HANDLE thread;
        op.kind = RS_OP_RECV;
        assert_int_equal(api->submit(backend, &op, 1, &why), 1);
        thread = CreateThread(NULL, 0, send_later, (void *)(uintptr_t)client, 0, NULL);
        assert_non_null(thread);
        assert_int_equal(poll_until(backend, RS_OP_RECV, LONG_NS).bytes, 1);
        assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        (void)CloseHandle(thread);
    }
    assert_true(stat_of(backend, "RIONotify") >= armed + 2);
    op = (rs_op){.kind = RS_OP_CLOSE, .conn = 1, .generation = 1};
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    (void)poll_until(backend, RS_OP_CLOSE, LONG_NS);
    api->release_memory(backend, region);
    close_listening(backend);
    rs_win_socket_close(client, &calls);
}

/* A send that waits for its connect is deferred, and committed when the connection is there. */
static void test_rio_send_behind_a_connect_leaves(void **state) {
    static uint8_t memory[4096] = "sent";
    rs_op connects = {.kind = RS_OP_CONNECT, .conn = 2, .generation = 1};
    rs_op op = {.kind = RS_OP_SEND, .conn = 2, .generation = 1, .bytes = 4, .u = {.data = memory}};
    rs_addr addr;
    rs_backend *backend = open_listening(&addr);
    rs_completion accepted;
    rs_region_id region;
    rs_error error;
    rs_status why;
    (void)state;
    assert_int_equal(api->register_memory(backend, memory, sizeof memory, NULL, &region, &error),
                     RS_OK);
    op.region = region.value;
    connects.u.addr = &addr;
    assert_int_equal(api->submit(backend, &connects, 1, &why), 1);
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    accepted = poll_until(backend, RS_OP_ACCEPT, LONG_NS);
    assert_int_equal(poll_until(backend, RS_OP_SEND, LONG_NS).bytes, 4);
    api->discard(backend, accepted.socket);
    op = (rs_op){.kind = RS_OP_CLOSE, .flags = RS_OPF_ABORT, .conn = 2, .generation = 1};
    assert_int_equal(api->submit(backend, &op, 1, &why), 1);
    (void)poll_until(backend, RS_OP_CLOSE, LONG_NS);
    api->release_memory(backend, region);
    close_listening(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rio_wake_before_the_sleep_is_seen),
        cmocka_unit_test(test_rio_wake_is_seen_once),
        cmocka_unit_test(test_rio_polling_keeps_its_time),
        cmocka_unit_test(test_rio_every_sleep_ends_at_a_completion),
        cmocka_unit_test(test_rio_send_behind_a_connect_leaves),
        cmocka_unit_test(test_rio_port_packet_behind_a_cleared_event_is_found),
        cmocka_unit_test(test_rio_port_packet_behind_an_accept_is_found),
        cmocka_unit_test(test_rio_port_packet_while_asleep_is_read),
        cmocka_unit_test(test_rio_attach_that_fails_leaves_the_slot_free),
        cmocka_unit_test(test_rio_close_over_a_receive_ends_our_stream_first),
    };
    rs_error error;
    int failed;
    if (rs_win_socket_start(&error) != RS_OK) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rs_win_socket_stop();
    return failed;
}
