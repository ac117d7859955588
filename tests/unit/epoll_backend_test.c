/* SPDX-License-Identifier: MIT */
/* What only the epoll back end has, beside the conformance suite: how it runs out of descriptors,
 * what it refuses to open, and how many kernel calls a message costs. Two instances over loopback,
 * polled in turn; a pass is decided by completions and by the back end's own counters. */
#include "epoll/epoll_backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/options.h"
#include "seam/os.h"

#define LOOPBACK 0x7F000001u
#define ROUNDS_MAX 1000000u
#define CONNS 8u

typedef struct bed {
    rs_backend *server, *client;
    rs_addr addr;
    rs_completion accepted, last[8]; /* latest ACCEPT; latest of each kind, whoever's it was */
    uint32_t seen[8];                /* completions by kind */
    uint8_t memory[4096];
} bed;

static const rs_backend_api *const api = &rs_epoll_backend;

static rs_backend_config bed_config(void) {
    return (rs_backend_config){
        .conns_max = CONNS, .sends_per_conn = 16, .poll_max = 64, .tuning = rs_tuning_default()};
}

static void bed_open_client(bed *b, bool lone_sends) {
    const rs_backend_config cfg = bed_config();
    rs_backend_config client = cfg;
    rs_error error;
    client.lone_sends = lone_sends;
    memset(b, 0, sizeof *b);
    b->addr.ip = LOOPBACK;
    assert_int_equal(api->open(&b->server, &cfg, &error), RS_OK);
    assert_int_equal(api->open(&b->client, &client, &error), RS_OK);
    assert_int_equal(api->listen(b->server, &b->addr, &b->addr.port, &error), RS_OK);
}

static void bed_open(bed *b) {
    bed_open_client(b, false);
}

static void bed_turn(bed *b) {
    rs_completion out[64];
    for (uint32_t side = 0; side < 2u; side++) {
        uint32_t count = api->poll(side == 0 ? b->server : b->client, out, 64, 0);
        for (uint32_t i = 0; i < count; i++) {
            b->last[out[i].kind] = out[i];
            b->seen[out[i].kind]++;
            if (out[i].kind == RS_OP_ACCEPT) {
                b->accepted = out[i];
            }
        }
    }
}

static void bed_until(bed *b, rs_op_kind kind, uint32_t count) {
    for (uint32_t i = 0; b->seen[kind] < count; i++) {
        assert_true(i < ROUNDS_MAX);
        bed_turn(b);
    }
}

static void bed_submit(rs_backend *backend, const rs_op *ops, uint32_t count) {
    rs_status why;
    assert_int_equal(api->submit(backend, ops, count, &why), count);
}

static void bed_one(bed *b, rs_backend *backend, rs_op_kind kind, uint32_t conn, uint32_t bytes) {
    rs_op op = {.kind = (uint8_t)kind, .conn = conn, .generation = 1, .bytes = bytes};
    if (kind == RS_OP_CONNECT) {
        op.u.addr = &b->addr;
    } else {
        op.u.data = b->memory;
    }
    bed_submit(backend, &op, 1);
}

/* A connected pair on slot conn of both sides. */
static void bed_connect(bed *b, uint32_t conn) {
    uint32_t accepts = b->seen[RS_OP_ACCEPT], connects = b->seen[RS_OP_CONNECT];
    bed_one(b, b->client, RS_OP_CONNECT, conn, 0);
    bed_until(b, RS_OP_ACCEPT, accepts + 1u);
    assert_int_equal(b->accepted.status, RS_OK);
    assert_int_equal(api->attach(b->server, conn, 1, b->accepted.socket), RS_OK);
    bed_until(b, RS_OP_CONNECT, connects + 1u);
}

static void bed_close(bed *b, uint32_t client_conns, uint32_t server_conns) {
    for (uint32_t i = 0; i < client_conns; i++) {
        bed_one(b, b->client, RS_OP_CLOSE, i, 0);
    }
    for (uint32_t i = 0; i < server_conns; i++) {
        bed_one(b, b->server, RS_OP_CLOSE, i, 0);
    }
    bed_until(b, RS_OP_CLOSE, client_conns + server_conns);
    api->unlisten(b->server);
    while (b->accepted.status != RS_E_CLOSED) {
        bed_turn(b);
    }
    api->close(b->server);
    api->close(b->client);
}

static uint64_t bed_stat(const rs_backend *backend, const char *name) {
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

static void test_epoll_backend_message_costs_one_recv_and_one_send(void **state) {
    bed b;
    (void)state;
    bed_open(&b);
    bed_connect(&b, 0);
    for (uint32_t i = 1; i <= 100u; i++) {
        bed_one(&b, b.server, RS_OP_RECV, 0, 64);
        bed_one(&b, b.client, RS_OP_SEND, 0, 32);
        bed_until(&b, RS_OP_RECV, i);
    }
    assert_int_equal(bed_stat(b.server, "recv"), 100); /* no try before data, none after */
    assert_int_equal(bed_stat(b.client, "send"), 100);
    assert_int_equal(bed_stat(b.client, "epoll_ctl"), 2); /* the wake-up and the connection */
    bed_close(&b, 1, 1);
}

static void adjacent_sends(bool lone, uint32_t sendmsg, uint32_t send) {
    rs_op ops[16];
    bed b;
    bed_open_client(&b, lone);
    bed_connect(&b, 0);
    for (uint32_t i = 0; i < 16u; i++) {
        ops[i] = (rs_op){.kind = RS_OP_SEND, .generation = 1, .bytes = 8, .u.data = b.memory};
    }
    bed_submit(b.client, ops, 16);
    assert_int_equal(bed_stat(b.client, "sendmsg"), sendmsg);
    assert_int_equal(bed_stat(b.client, "send"), send);
    bed_until(&b, RS_OP_SEND, 16);
    bed_close(&b, 1, 1);
}

static void test_epoll_backend_adjacent_sends_leave_in_one_call(void **state) {
    (void)state;
    adjacent_sends(false, 1, 0);
    adjacent_sends(true, 0, 16);
}

/* What the socket did not take waits for its word that there is room; nothing is tried before. */
static void test_epoll_backend_full_socket_is_not_asked_again(void **state) {
    static uint8_t much[16u << 20];
    rs_op op = {.kind = RS_OP_SEND, .generation = 1, .bytes = sizeof much, .u.data = much};
    bed b;
    (void)state;
    bed_open(&b);
    bed_connect(&b, 0);
    bed_submit(b.client, &op, 1);
    assert_int_equal(bed_stat(b.client, "send"), 1);
    assert_int_equal(b.seen[RS_OP_SEND], 0);
    op = (rs_op){.kind = RS_OP_CLOSE, .generation = 1, .flags = RS_OPF_ABORT};
    bed_submit(b.client, &op, 1);
    bed_until(&b, RS_OP_CLOSE, 1);
    b.seen[RS_OP_CLOSE] = 0;
    bed_close(&b, 0, 1);
}

/* A descriptor that cannot be watched: attach says so, and the slot can be used. */
static void test_epoll_backend_slot_of_a_failed_attach_is_free(void **state) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bed b;
    (void)state;
    assert_true(file >= 0);
    bed_open(&b);
    assert_int_equal(api->attach(b.server, 0, 1, (uintptr_t)file), RS_E_OS);
    assert_int_equal(fcntl(file, F_GETFD), -1); /* it was closed */
    bed_connect(&b, 0);
    bed_close(&b, 1, 1);
}

/* The kernel watches a connection until nobody holds it any more. Here somebody does, when its slot
 * is another connection's already: that one is not asked for what happens on the first. */
static void test_epoll_backend_event_of_an_earlier_connection_is_dropped(void **state) {
    uint64_t recvs;
    int held;
    bed b;
    (void)state;
    bed_open(&b);
    bed_one(&b, b.client, RS_OP_CONNECT, 0, 0);
    bed_until(&b, RS_OP_ACCEPT, 1);
    held = dup((int)b.accepted.socket);
    assert_true(held >= 0);
    assert_int_equal(api->attach(b.server, 0, 1, b.accepted.socket), RS_OK);
    bed_until(&b, RS_OP_CONNECT, 1);
    bed_one(&b, b.server, RS_OP_CLOSE, 0, 0);
    bed_until(&b, RS_OP_CLOSE, 1);
    bed_one(&b, b.client, RS_OP_CONNECT, 1, 0);
    bed_until(&b, RS_OP_ACCEPT, 2);
    assert_int_equal(api->attach(b.server, 0, 2, b.accepted.socket), RS_OK);
    bed_until(&b, RS_OP_CONNECT, 2);
    bed_submit(b.server,
               &(rs_op){.kind = RS_OP_RECV, .generation = 2, .bytes = 64, .u.data = b.memory}, 1);
    recvs = bed_stat(b.server, "recv");
    bed_one(&b, b.client, RS_OP_SEND, 0, 32); /* to the first one */
    bed_until(&b, RS_OP_SEND, 1);
    for (uint32_t i = 0; i < ROUNDS_MAX && bed_stat(b.server, "stale events") == 0 &&
                         bed_stat(b.server, "recv") == recvs;
         i++) {
        bed_turn(&b);
    }
    assert_int_equal(bed_stat(b.server, "recv"), recvs);
    assert_int_equal(b.seen[RS_OP_RECV], 0);
    assert_int_equal(close(held), 0);
    bed_submit(b.server, &(rs_op){.kind = RS_OP_CLOSE, .generation = 2}, 1);
    bed_until(&b, RS_OP_CLOSE, 2);
    b.seen[RS_OP_CLOSE] = 0;
    bed_close(&b, 2, 0);
}

/* From here on no descriptor is left to this process; returns the limit to put back. */
static struct rlimit files_use_up(void) {
    struct rlimit before, low;
    int first_free = dup(0);
    assert_true(first_free > 0);
    assert_int_equal(close(first_free), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)first_free; /* every descriptor below is taken */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    return before;
}

static void files_put_back(const struct rlimit *before) {
    assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

/* Twice over, so that the reserve descriptor must have been opened again. */
static void test_epoll_backend_out_of_descriptors_refuses_and_goes_on(void **state) {
    struct rlimit before;
    bed b;
    (void)state;
    bed_open(&b);
    bed_connect(&b, 0);
    bed_one(&b, b.client, RS_OP_CONNECT, 1, 0); /* its descriptor is there; accept4 needs one */
    before = files_use_up();
    bed_until(&b, RS_OP_ACCEPT, 2);
    files_put_back(&before);
    assert_int_equal(b.accepted.status, RS_E_NO_BUFFERS);
    bed_one(&b, b.client, RS_OP_RECV, 1, 64); /* that one was not left waiting: it was closed */
    bed_until(&b, RS_OP_RECV, 1);
    assert_int_equal(b.last[RS_OP_RECV].bytes, 0);
    bed_one(&b, b.client, RS_OP_CONNECT, 3, 0);
    before = files_use_up();
    bed_until(&b, RS_OP_ACCEPT, 3);
    bed_one(&b, b.client, RS_OP_RECV, 3, 64);
    bed_until(&b, RS_OP_RECV, 2);
    files_put_back(&before);
    assert_int_equal(b.accepted.status, RS_E_NO_BUFFERS);
    assert_int_equal(b.last[RS_OP_RECV].bytes, 0);
    bed_connect(&b, 2);
    assert_int_equal(b.accepted.status, RS_OK);
    bed_one(&b, b.server, RS_OP_CLOSE, 2, 0);
    bed_until(&b, RS_OP_CLOSE, 1);
    b.seen[RS_OP_CLOSE] = 0;
    bed_close(&b, 4, 1);
}

/* Somebody else of the process has taken the reserve descriptor as well: nothing can be refused,
 * the connection waits in the backlog. The loop must not turn on it without pause, and serves it
 * when there is room again. */
static void test_epoll_backend_without_its_reserve_waits_and_goes_on(void **state) {
    rs_completion out[64];
    struct rlimit before, low;
    uint64_t tries, start_ns;
    bed b;
    (void)state;
    bed_open(&b);
    bed_one(&b, b.client, RS_OP_CONNECT, 0, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 3; /* below the reserve's own number: given up, it cannot be opened again */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    tries = bed_stat(b.server, "accept4");
    start_ns = rs_os_now_ns();
    while (rs_os_now_ns() - start_ns < UINT64_C(300000000)) {
        (void)api->poll(b.server, out, 64, INT64_C(300000000));
    }
    tries = bed_stat(b.server, "accept4") - tries;
    files_put_back(&before);
    assert_in_range(tries, 2, 24); /* waits of 10, 20, 40, 80 and 160 ms; two calls each */
    bed_until(&b, RS_OP_ACCEPT, 1);
    assert_int_equal(b.accepted.status, RS_OK);
    api->discard(b.server, b.accepted.socket);
    bed_close(&b, 1, 0);
}

/* One poll reports no more accepts than it was told to keep room for. */
static void test_epoll_backend_accepts_no_more_at_once_than_it_has_room_for(void **state) {
    enum { ACCEPTS = 3 };
    rs_backend_config cfg = bed_config();
    rs_completion out[64];
    rs_error error;
    uint32_t count = 0, all = 0;
    bed b;
    (void)state;
    memset(&b, 0, sizeof b);
    b.addr.ip = LOOPBACK;
    assert_int_equal(api->open(&b.client, &cfg, &error), RS_OK);
    cfg.tuning.accepts = ACCEPTS;
    assert_int_equal(api->open(&b.server, &cfg, &error), RS_OK);
    assert_int_equal(api->listen(b.server, &b.addr, &b.addr.port, &error), RS_OK);
    for (uint32_t i = 0; i < CONNS; i++) {
        bed_one(&b, b.client, RS_OP_CONNECT, i, 0);
    }
    for (uint32_t i = 0; i < CONNS; i += count) { /* in the backlog, all of them */
        count = api->poll(b.client, out, 64, RS_FOREVER);
    }
    for (uint32_t i = 0; all < CONNS; i++) {
        assert_true(i < ROUNDS_MAX);
        count = api->poll(b.server, out, 64, 0);
        assert_true(count <= ACCEPTS);
        assert_true(i > 0 || count == ACCEPTS);
        all += count;
        for (uint32_t k = 0; k < count; k++) {
            assert_int_equal(out[k].kind, RS_OP_ACCEPT);
            assert_int_equal(out[k].status, RS_OK);
            api->discard(b.server, out[k].socket);
        }
    }
    bed_close(&b, CONNS, 0);
}

/* The first thing that was not so; 0 = all is well. */
static int files_of_two_instances(void) {
    const struct rlimit low = {.rlim_cur = 100, .rlim_max = 200};
    rs_backend_config cfg = bed_config();
    rs_backend *first, *second;
    rs_error error = {.call = NULL};
    cfg.conns_max = 100;
    if (setrlimit(RLIMIT_NOFILE, &low) != 0 || api->open(&first, &cfg, &error) != RS_OK) {
        return 1;
    }
    if (api->open(&second, &cfg, &error) != RS_E_NO_BUFFERS || second != NULL ||
        strstr(error.text, "other workers") == NULL || strstr(error.text, "ulimit") == NULL) {
        return 2;
    }
    cfg.conns_max = 40; /* the refused one has taken nothing */
    if (api->open(&second, &cfg, &error) != RS_OK) {
        return 3;
    }
    api->close(second);
    api->close(first);
    cfg.conns_max = 150; /* and what was given back is there again */
    if (api->open(&first, &cfg, &error) != RS_OK) {
        return 4;
    }
    api->close(first);
    return 0;
}

/* What two instances need together is more than there is: each alone would have fitted. In a child,
 * which cannot put its limit back either. */
static void test_epoll_backend_file_limit_is_one_for_all_instances(void **state) {
    int result = -1;
    pid_t child = fork();
    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        _exit(files_of_two_instances());
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
}

static void test_epoll_backend_beyond_the_file_limit_does_not_open(void **state) {
    rs_backend_config cfg = bed_config();
    struct rlimit before, low;
    rs_backend *backend;
    rs_error error;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max == RLIM_INFINITY || before.rlim_max >= RS_SESSIONS_MAX) {
        print_message("the limit of open files is above every configuration: not tried\n");
        skip();
    }
    low = before;
    cfg.conns_max = RS_SESSIONS_MAX;
    assert_int_equal(api->open(&backend, &cfg, &error), RS_E_NO_BUFFERS);
    assert_null(backend);
    assert_non_null(strstr(error.text, "ulimit"));
    low.rlim_cur = 64; /* the soft limit, however, is raised when it is too low */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    cfg.conns_max = 100;
    assert_int_equal(api->open(&backend, &cfg, &error), RS_OK);
    api->close(backend);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(low.rlim_cur >= 100);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_epoll_backend_accept_thread_is_refused(void **state) {
    rs_backend_config cfg = bed_config();
    rs_backend *backend;
    rs_error error;
    (void)state;
    cfg.tuning.accept_mode = RS_ACCEPT_THREAD;
    assert_int_equal(api->open(&backend, &cfg, &error), RS_E_UNSUPPORTED);
    assert_null(backend);
    assert_true(error.text[0] != '\0');
    assert_false(rs_option_named(api->tuning, "accept"));
}

/* From the address `further` behind `from`. */
static void bed_connect_from(bed *b, const char *from, uint32_t further) {
    rs_addr route[2] = {b->addr};
    rs_op op = {.kind = RS_OP_CONNECT, .flags = RS_OPF_FROM, .generation = 1, .bytes = further};
    assert_true(rs_addr_parse(from, &route[1]));
    op.u.addr = route;
    bed_submit(b->client, &op, 1);
}

static void test_epoll_backend_connects_from_the_address_asked_for(void **state) {
    const uint32_t from_ip = LOOPBACK + 4u; /* 127.0.0.5 */
    struct sockaddr_in peer = {.sin_family = AF_UNSPEC};
    socklen_t bytes = sizeof peer;
    bed b;
    (void)state;
    bed_open(&b);
    bed_connect_from(&b, "127.0.0.2", 3);
    bed_until(&b, RS_OP_ACCEPT, 1);
    assert_int_equal(getpeername((int)b.accepted.socket, (struct sockaddr *)&peer, &bytes), 0);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), from_ip);
    api->discard(b.server, b.accepted.socket);
    bed_until(&b, RS_OP_CONNECT, 1);
    assert_int_equal(b.last[RS_OP_CONNECT].status, RS_OK);
    assert_int_equal(bed_stat(b.client, "bind"), 1);
    bed_close(&b, 1, 0);
}

/* An address that is nobody's here (192.0.2.0/24 is for documents): a wait for a port, to loadgen.
 */
static void test_epoll_backend_connect_from_a_foreign_address_says_so(void **state) {
    bed b;
    (void)state;
    bed_open(&b);
    bed_connect_from(&b, "192.0.2.1", 0);
    bed_until(&b, RS_OP_CONNECT, 1);
    assert_int_equal(b.last[RS_OP_CONNECT].status, RS_E_ADDRESS);
    bed_close(&b, 1, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoll_backend_message_costs_one_recv_and_one_send),
        cmocka_unit_test(test_epoll_backend_adjacent_sends_leave_in_one_call),
        cmocka_unit_test(test_epoll_backend_full_socket_is_not_asked_again),
        cmocka_unit_test(test_epoll_backend_slot_of_a_failed_attach_is_free),
        cmocka_unit_test(test_epoll_backend_event_of_an_earlier_connection_is_dropped),
        cmocka_unit_test(test_epoll_backend_out_of_descriptors_refuses_and_goes_on),
        cmocka_unit_test(test_epoll_backend_without_its_reserve_waits_and_goes_on),
        cmocka_unit_test(test_epoll_backend_accepts_no_more_at_once_than_it_has_room_for),
        cmocka_unit_test(test_epoll_backend_file_limit_is_one_for_all_instances),
        cmocka_unit_test(test_epoll_backend_beyond_the_file_limit_does_not_open),
        cmocka_unit_test(test_epoll_backend_accept_thread_is_refused),
        cmocka_unit_test(test_epoll_backend_connects_from_the_address_asked_for),
        cmocka_unit_test(test_epoll_backend_connect_from_a_foreign_address_says_so),
    };
    return cmocka_run_group_tests_name("epoll_backend", tests, NULL, NULL);
}
