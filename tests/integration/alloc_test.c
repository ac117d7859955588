/* SPDX-License-Identifier: MIT */
/* Nothing is allocated after start-up: every call of our code for memory is counted, by the
 * linker's --wrap, while a server over epoll is under load. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/app.h"
#include "core/frame.h"
#include "epoll/epoll_backend.h"
#include "seam/atomics.h"
#include "client.h"
#include "server/server_config.h"

#define CLIENTS 32u
#define ROUNDS 20u
#define FRAMES 16u /* of a client in one round, in one write */
#define FRAME_BYTES 64u

static rs_atomic_u32 allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t bytes) {
    (void)rs_atomic_add_u32(&allocations, 1);
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    (void)rs_atomic_add_u32(&allocations, 1);
    return __real_calloc(count, bytes);
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    (void)rs_atomic_add_u32(&allocations, 1);
    return __real_mmap(at, bytes, protection, flags, fd, offset);
}

/* Echoes, and sends each session's last frame of a round as a broadcast would. */
static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    rs_shared shared;
    (void)ctx;
    if (rs_frame_type(data) == FRAMES - 1u && rs_shared_acquire(session, &shared)) {
        memcpy(shared.data, data, bytes);
        (void)rs_shared_send(session, &shared, bytes);
        rs_shared_release(session, &shared);
    } else {
        (void)rs_session_send(session, data, bytes);
    }
}

static void client_send(int fd) {
    uint8_t bytes[FRAMES * FRAME_BYTES] = {0};
    for (uint32_t i = 0; i < FRAMES; i++) {
        (void)rs_frame_header(bytes + i * FRAME_BYTES, (uint8_t)i,
                              FRAME_BYTES - RS_FRAME_HEADER_BYTES);
    }
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
}

static void client_take(int fd) {
    uint8_t bytes[FRAMES * FRAME_BYTES];
    assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
}

/* Each round: everybody sends, is answered, and every fourth client leaves and another comes. */
static void load(const rs_server *server) {
    int fds[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        fds[i] = client_open(server);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < CLIENTS; i++) {
            client_send(fds[i]);
        }
        for (uint32_t i = 0; i < CLIENTS; i++) {
            client_take(fds[i]);
            if (i % 4 == round % 4) {
                assert_int_equal(close(fds[i]), 0);
                fds[i] = client_open(server);
            }
        }
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
}

static void serve_without_allocating(bool logic_thread) {
    static rs_server_stats stats;
    rs_server_config cfg;
    rs_server *server = NULL;
    rs_error error;
    uint32_t before;
    rs_server_config_init(&cfg, &rs_epoll_backend);
    cfg.port = 0;
    cfg.workers = 2;
    cfg.app = (rs_app){.on_message = on_message};
    cfg.sessions_max = 2u * CLIENTS;
    cfg.logic_thread = logic_thread;
    before = rs_atomic_load_u32(&allocations);
    assert_int_equal(rs_server_start(&server, &cfg, &error), RS_OK);
    assert_true(rs_atomic_load_u32(&allocations) > before + 10); /* they are counted */
    before = rs_atomic_load_u32(&allocations);
    load(server);
    rs_server_stats_read(server, &stats);
    assert_int_equal(rs_atomic_load_u32(&allocations), before);
    assert_int_equal(stats.counters.messages_in, CLIENTS * ROUNDS * FRAMES);
    rs_server_stop(server);
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    assert_int_equal(rs_atomic_load_u32(&allocations), before);
    rs_server_free(server);
}

static void test_alloc_none_under_load(void **state) {
    (void)state;
    serve_without_allocating(false);
}

static void test_alloc_none_with_a_logic_thread(void **state) {
    (void)state;
    serve_without_allocating(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_none_under_load),
        cmocka_unit_test(test_alloc_none_with_a_logic_thread),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
