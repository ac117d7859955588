/* SPDX-License-Identifier: MIT */
/* Who may come, who may stay, and what is left: a server's end by the public headers, over several
 * shards and real sockets.
 *
 * A pass is the counts, statuses and ends that ringside.h promises, in both modes. Runs under the
 * thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "library_bed.h"

enum { SHARDS = 3, CLIENTS = 9, LONG_MS = 3600000 };

typedef struct ends {
    atomic_uint opened, shutdowns, others, posts;
    _Atomic rs_status left; /* what rs_server_left says in a callback */
} ends;

static void on_open(void *ctx, rs_session *session) {
    rs_left left;
    ((ends *)ctx)->left = rs_server_left(rs_session_server(session), &left);
    ((ends *)ctx)->opened++;
}

/* A frame of type 9 drains the server, from wherever this runs. */
static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    if (rs_frame_type(data) == 9) {
        rs_server_drain(rs_session_server(session), LONG_MS);
    }
    (void)rs_session_send(session, data, bytes);
}

static void on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    ends *app = ctx;
    (void)session;
    (void)atomic_fetch_add(reason == RS_CLOSE_SHUTDOWN ? &app->shutdowns : &app->others, 1);
}

static void on_post(void *arg, rs_server *server, uint32_t shard) {
    (void)server;
    (void)shard;
    ((ends *)arg)->posts++;
}

static void echo(int fd, uint8_t type) {
    uint8_t frame[8] = {0}, back[8];
    (void)rs_frame_header(frame, type, sizeof frame - RS_FRAME_HEADER_BYTES);
    assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
    read_all(fd, back, sizeof back);
    assert_memory_equal(back, frame, sizeof back);
}

static bool at_end(int fd) {
    uint8_t byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

static rs_server *start_ends(ends *app, int *fd) {
    const rs_app callbacks = {
        .ctx = app, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    rs_server *server;
    memset(app, 0, sizeof *app);
    server = start(&callbacks, "3", "1024");
    for (uint32_t i = 0; i < CLIENTS; i++) {
        fd[i] = client_open(server);
        echo(fd[i], 1);
    }
    assert_int_equal(app->opened, CLIENTS);
    assert_int_equal(app->left, RS_E_THREAD);
    return server;
}

static uint32_t sessions_left(rs_server *server) {
    rs_left left = {.sessions = 0};
    assert_int_equal(rs_server_left(server, &left), RS_OK);
    return left.sessions;
}

static void wait_for_left(rs_server *server, uint32_t sessions) {
    for (uint32_t i = 0; sessions_left(server) != sessions; i++) {
        assert_true(i < WAIT_STEPS);
        rs_sleep_ms(5);
    }
}

static bool has_ended_in_time(rs_server *server) {
    for (uint32_t i = 0; i < WAIT_STEPS && !rs_server_has_ended(server); i++) {
        rs_sleep_ms(5);
    }
    return rs_server_has_ended(server);
}

/* ---- the cases */

static void test_library_newcomers_are_turned_away_while_off(void **state) {
    static ends app;
    int fd[CLIENTS], late;
    rs_server *server;
    (void)state;
    server = start_ends(&app, fd);
    rs_server_accept(server, false);
    late = client_open(server);
    assert_true(at_end(late));
    (void)close(late);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        echo(fd[i], 2);
    }
    rs_server_accept(server, true);
    late = client_open(server);
    echo(late, 3);
    (void)close(late);
    assert_int_equal(figure(server, "refused_off", NULL), 1);
    assert_int_equal(app.opened, CLIENTS + 1);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)close(fd[i]);
    }
    stop(server);
}

/* All shards stay until the last session of any has ended. */
static void test_library_a_drain_waits_for_the_last_session_of_any_shard(void **state) {
    static ends app;
    int fd[CLIENTS];
    rs_server *server;
    rs_error error;
    (void)state;
    server = start_ends(&app, fd);
    wait_for_left(server, CLIENTS);
    echo(fd[0], 9);
    for (uint32_t i = 0; i + 1 < CLIENTS; i++) {
        (void)close(fd[i]);
        wait_for_left(server, CLIENTS - 1 - i);
        echo(fd[CLIENTS - 1], 1);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(rs_server_post(server, i, on_post, &app), RS_OK);
    }
    for (uint32_t i = 0; i < WAIT_STEPS && app.posts < SHARDS; i++) {
        rs_sleep_ms(5);
    }
    assert_int_equal(app.posts, SHARDS);
    assert_false(rs_server_has_ended(server));
    (void)close(fd[CLIENTS - 1]);
    assert_true(has_ended_in_time(server));
    assert_int_equal(sessions_left(server), 0);
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    rs_server_free(server);
    assert_int_equal(app.shutdowns, 0);
    assert_int_equal(app.others, CLIENTS);
}

static void test_library_a_drain_ends_at_its_deadline(void **state) {
    static ends app;
    int fd[CLIENTS];
    rs_server *server;
    rs_error error;
    (void)state;
    server = start_ends(&app, fd);
    rs_server_drain(server, LONG_MS);
    rs_server_drain(server, 50); /* the last call counts */
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_true(at_end(fd[i]));
        (void)close(fd[i]);
    }
    assert_true(has_ended_in_time(server));
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    assert_int_equal(figure(server, "closed", "shutdown"), CLIENTS);
    assert_int_equal(figure(server, "queued_bytes", NULL), 0);
    rs_server_free(server);
    assert_int_equal(app.shutdowns, CLIENTS);
}

static void test_library_a_stop_ends_a_drain(void **state) {
    static ends app;
    int fd[CLIENTS];
    rs_server *server;
    (void)state;
    server = start_ends(&app, fd);
    rs_server_drain(server, LONG_MS);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)shutdown(fd[i], SHUT_WR);
    }
    rs_server_accept(server, false); /* nobody comes anyway */
    stop(server);
    assert_int_equal(app.shutdowns + app.others, CLIENTS);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)close(fd[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_newcomers_are_turned_away_while_off),
        cmocka_unit_test(test_library_a_drain_waits_for_the_last_session_of_any_shard),
        cmocka_unit_test(test_library_a_drain_ends_at_its_deadline),
        cmocka_unit_test(test_library_a_stop_ends_a_drain),
    };
    int failed = cmocka_run_group_tests_name("library_end", tests, NULL, NULL);
    with_logic = true;
    return failed +
           cmocka_run_group_tests_name("library_end with a logic thread", tests, NULL, NULL);
}
