/* SPDX-License-Identifier: MIT */
/* The library as its users see it: the public headers alone, over real sockets, native.
 *
 * A pass is the bytes, counts and statuses that ringside.h promises. Clients are blocking sockets
 * with a receive timeout that only bounds a hang. Runs under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "library_bed.h"

#define CLIENTS 20u
#define LINES 20u
#define LINE_BYTES 24u
/* ---- the server in each callback, and calls from the wrong thread */

typedef struct stranger {
    rs_server *server; /* as the starter was told */
    rs_session *_Atomic session[2];
    atomic_uint wrong, calls, asked, closed;
    rs_status status[5]; /* of session 0's callback calling session 1, the server, and 0 itself */
} stranger;

static void note(stranger *app, const rs_session *session) {
    app->calls++;
    if (rs_session_server(session) == NULL) {
        app->wrong++;
    }
}

static void stranger_open(void *ctx, rs_session *session) {
    stranger *app = ctx;
    note(app, session);
    (void)rs_session_set_user(session, 9);
    app->session[rs_session_id_shard(rs_session_id_of(session))] = session;
}

static void stranger_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    stranger *app = ctx;
    rs_session *other = app->session[session == app->session[0] ? 1 : 0];
    note(app, session);
    app->wrong += rs_session_user(session) != 9;
    app->status[0] = rs_session_send(other, data, bytes);
    app->status[1] = rs_server_stats_visit(rs_session_server(session), look, NULL);
    app->status[2] = rs_server_wait_room(rs_session_server(session), 0);
    app->status[3] = rs_session_set_source(session, other);
    app->status[4] = rs_session_set_source(session, NULL);
    app->asked = 1;
}

static void stranger_close(void *ctx, rs_session *session, rs_close_reason reason) {
    (void)reason;
    note(ctx, session);
    ((stranger *)ctx)->closed++;
}

static void test_library_session_calls_from_a_wrong_thread_are_refused(void **state) {
    static stranger app;
    const rs_app callbacks = {.ctx = &app,
                              .on_open = stranger_open,
                              .on_message = stranger_message,
                              .on_close = stranger_close};
    rs_server *server;
    rs_shared shared = {.room = 0};
    uint8_t frame[8] = {0};
    int fd[2];
    (void)state;
    memset(&app, 0, sizeof app);
    server = start(&callbacks, "2", "1024");
    fd[0] = client_open(server);
    fd[1] = client_open(server);
    wait_for_sessions(server, 2);
    for (uint32_t i = 0; i < WAIT_STEPS && (app.session[0] == NULL || app.session[1] == NULL);
         i++) {
        rs_sleep_ms(5);
    }
    for (uint32_t i = 0; i < 2; i++) {
        rs_session *session = app.session[i];
        assert_non_null(session);
        assert_int_equal(rs_session_send(session, "x", 1), RS_E_THREAD);
        assert_int_equal(rs_session_close(session), RS_E_THREAD);
        assert_int_equal(rs_session_hold(session), RS_E_THREAD);
        assert_int_equal(rs_session_release(session), RS_E_THREAD);
        assert_int_equal(rs_session_pause(session), RS_E_THREAD);
        assert_int_equal(rs_session_resume(session), RS_E_THREAD);
        assert_int_equal(rs_session_set_user(session, 7), RS_E_THREAD);
        assert_int_equal(rs_session_set_source(session, NULL), RS_E_THREAD);
        assert_int_equal(rs_shared_send(session, &shared, 1), RS_E_THREAD);
        assert_int_equal(rs_shared_release(session, &shared), RS_E_THREAD);
        assert_false(rs_shared_acquire(session, &shared));
        assert_int_equal(rs_session_user(session), 0);
        assert_int_equal(rs_session_id_of(session), 0);
        assert_null(rs_session_server(session));
    }
    assert_non_null(strstr(rs_status_text(RS_E_THREAD), "rs_server_send"));
    (void)rs_frame_header(frame, 1, sizeof frame - RS_FRAME_HEADER_BYTES);
    assert_int_equal(send(fd[0], frame, sizeof frame, 0), sizeof frame);
    assert_true(is_set_in_time(&app.asked));
    /* The logic thread has the sessions of all shards. */
    assert_int_equal(app.status[0], with_logic ? RS_OK : RS_E_THREAD);
    assert_int_equal(app.status[1], RS_E_THREAD);
    assert_int_equal(app.status[2], RS_E_THREAD);
    assert_int_equal(app.status[3], with_logic ? RS_E_INVALID : RS_E_THREAD);
    assert_int_equal(app.status[4], RS_E_UNSUPPORTED); /* slow-consumer=close */
    (void)close(fd[0]);
    (void)close(fd[1]);
    stop(server);
    assert_int_equal(app.closed, 2);
    assert_int_equal(app.calls, 5);
    assert_int_equal(app.wrong, 0);
}

/* ---- chat: each line to everybody */

typedef struct chat_line {
    rs_session *session;
    uint8_t frame[LINE_BYTES];
} chat_line;

typedef struct chat {
    chat_line waiting[2][CLIENTS]; /* each shard's thread its own */
    uint32_t count[2];
    atomic_uint fulls, rooms, lost;
} chat;

static void chat_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    chat *app = ctx;
    uint32_t shard = rs_session_id_shard(rs_session_id_of(session));
    rs_status status = rs_server_broadcast(rs_session_server(session), NULL, 0, data, bytes);
    if (status == RS_E_FULL && !with_logic) {
        chat_line *line = &app->waiting[shard][app->count[shard]++];
        line->session = session;
        memcpy(line->frame, data, bytes);
        app->fulls++;
        (void)rs_session_pause(session);
    } else if (status != RS_OK) {
        app->lost++;
    }
}

static void chat_room(void *ctx, rs_server *server, uint32_t shard) {
    chat *app = ctx;
    app->rooms++;
    while (app->count[shard] > 0) {
        const chat_line *line = &app->waiting[shard][app->count[shard] - 1];
        if (rs_server_broadcast(server, NULL, 0, line->frame, LINE_BYTES) != RS_OK) {
            return;
        }
        app->count[shard]--;
        (void)rs_session_resume(line->session);
    }
}

static void chat_with_mailbox(const char *mailbox, chat *app) {
    const rs_app callbacks = {.ctx = app, .on_message = chat_message, .on_room = chat_room};
    static uint8_t lines[LINES * LINE_BYTES], back[CLIENTS * LINES * LINE_BYTES];
    rs_server *server;
    int fd[CLIENTS];
    memset(app, 0, sizeof *app);
    server = start(&callbacks, "2", mailbox);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        fd[i] = client_open(server);
    }
    wait_for_sessions(server, CLIENTS);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        for (uint32_t k = 0; k < LINES; k++) {
            uint8_t *line = &lines[k * LINE_BYTES];
            memset(line, (int)i, LINE_BYTES);
            (void)rs_frame_header(line, (uint8_t)k, LINE_BYTES - RS_FRAME_HEADER_BYTES);
        }
        assert_int_equal(send(fd[i], lines, sizeof lines, 0), sizeof lines);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        uint32_t next[CLIENTS] = {0}; /* each sender's lines in its order */
        read_all(fd[i], back, sizeof back);
        for (uint32_t k = 0; k < CLIENTS * LINES; k++) {
            const uint8_t *line = &back[k * LINE_BYTES];
            assert_in_range(line[3], 0, CLIENTS - 1);
            assert_int_equal(rs_frame_type(line), next[line[3]]);
            next[line[3]]++;
        }
    }
    assert_int_equal(app->lost, 0);
    assert_int_equal(figure(server, "messages_out", NULL), CLIENTS * CLIENTS * LINES);
    assert_int_equal(figure(server, "messages_dropped", NULL), 0);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)close(fd[i]);
    }
    stop(server);
}

static void test_library_chat_delivers_every_line(void **state) {
    static chat app;
    (void)state;
    chat_with_mailbox("1024", &app);
}

/* The smallest mailbox is full all the time: who is told of room loses nothing. */
static void test_library_room_event_lets_a_chat_deliver_every_line(void **state) {
    static chat app;
    (void)state;
    if (with_logic) {
        return; /* a pause does not stop what is on its way to the logic thread */
    }
    for (uint32_t round = 0; round < 10 && app.fulls == 0; round++) {
        chat_with_mailbox("16", &app);
    }
    assert_true(app.fulls > 0 && app.rooms > 0);
}

/* ---- broadcasts to some */

typedef struct roll {
    rs_session_id _Atomic id[600];
    atomic_uint count;
} roll;

static void roll_open(void *ctx, rs_session *session) {
    roll *app = ctx;
    app->id[app->count] = rs_session_id_of(session);
    app->count++;
}

static void roll_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)session;
    (void)data;
    (void)bytes;
}

#define MEMBERS_MAX 300u

/* All members but the first are named, with strangers among them. */
static void broadcast_to_some(const char *workers, uint32_t members) {
    static roll app;
    static int fd[MEMBERS_MAX];
    static rs_session_id ids[MEMBERS_MAX + 2];
    static const uint8_t too_long[65536] = {0};
    const rs_app callbacks = {.ctx = &app, .on_open = roll_open, .on_message = roll_message};
    rs_server *server;
    uint8_t frame[8], back[8];
    memset(&app, 0, sizeof app);
    memset(ids, 0, sizeof ids);
    server = start(&callbacks, workers, "1024");
    for (uint32_t i = 0; i < members; i++) {
        fd[i] = client_open(server); /* one after the other: id i is client i's */
        for (uint32_t k = 0; k < WAIT_STEPS && app.count <= i; k++) {
            rs_sleep_ms(1);
        }
        assert_int_equal(app.count, i + 1);
    }
    for (uint32_t i = 1; i < members; i++) {
        ids[i] = app.id[i];
    }
    ids[members] = app.id[1] + 1; /* a generation that is not there */
    (void)rs_frame_header(frame, 9, 5);
    assert_int_equal(rs_server_broadcast(server, ids, members + 2, frame, 8), RS_OK);
    for (uint32_t i = 1; i < members; i++) {
        read_all(fd[i], back, 8);
        assert_memory_equal(back, frame, 3);
    }
    assert_int_equal(recv(fd[0], back, 1, MSG_DONTWAIT), -1);
    assert_int_equal(figure(server, "messages_dropped", NULL), 1);
    assert_int_equal(figure(server, "messages_out", NULL), members - 1);
    assert_int_equal(rs_server_broadcast(server, ids, 1, frame, 0), RS_E_INVALID);
    assert_int_equal(rs_server_broadcast(server, ids, 1, too_long, sizeof too_long), RS_E_INVALID);
    assert_int_equal(rs_server_broadcast(server, ids, UINT32_MAX, frame, 8), RS_E_INVALID);
    for (uint32_t i = 0; i < members; i++) {
        (void)close(fd[i]);
    }
    stop(server);
}

static void test_library_broadcast_reaches_the_named_ones_only(void **state) {
    (void)state;
    broadcast_to_some("1", MEMBERS_MAX); /* more than one message takes */
    broadcast_to_some("2", 40);
}

/* ---- other threads wait for room */

typedef struct sender {
    rs_server *server;
    rs_session_id id;
    uint32_t waits;
    rs_status status;
} sender;

static void *send_many(void *arg) {
    sender *s = arg;
    uint8_t frame[8] = {0};
    (void)rs_frame_header(frame, 1, 5);
    for (uint32_t i = 0; i < 5000 && s->status == RS_OK; i++) {
        while ((s->status = rs_server_send(s->server, s->id, frame, 8)) == RS_E_FULL) {
            s->waits++;
            if (rs_server_wait_room(s->server, 20000) != RS_OK) {
                return NULL;
            }
        }
    }
    return NULL;
}

static void test_library_other_threads_wait_for_room(void **state) {
    static roll app;
    const rs_app callbacks = {.ctx = &app, .on_open = roll_open, .on_message = roll_message};
    pthread_t thread[3];
    sender senders[3];
    static uint8_t back[3 * 5000 * 8];
    uint32_t waits = 0;
    rs_server *server;
    int fd;
    (void)state;
    memset(&app, 0, sizeof app);
    server = start(&callbacks, "2", "16");
    fd = client_open(server);
    assert_true(is_set_in_time(&app.count));
    for (uint32_t i = 0; i < 3; i++) {
        senders[i] = (sender){.server = server, .id = app.id[0]};
        assert_int_equal(pthread_create(&thread[i], NULL, send_many, &senders[i]), 0);
    }
    read_all(fd, back, sizeof back);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(senders[i].status, RS_OK);
        waits += senders[i].waits;
    }
    assert_true(waits > 0);
    (void)close(fd);
    stop(server);
}

/* ---- configuration, text */

static void test_library_settings_are_checked_by_name(void **state) {
    const rs_app app = {.on_message = roll_message};
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    (void)state;
    assert_int_equal(rs_server_config_open(&cfg, rs_backend_rio(), &error), RS_E_UNSUPPORTED);
    assert_null(cfg);
    assert_int_equal(rs_server_config_open(&cfg, rs_backend_named("epoll"), &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "workers", "0", &error), RS_E_INVALID);
    assert_non_null(strstr(error.text, "workers"));
    assert_int_equal(rs_server_config_set(cfg, "no-such", "1", &error), RS_E_INVALID);
    assert_int_equal(rs_server_config_set(cfg, "help", "1", &error), RS_E_INVALID);
    assert_int_equal(rs_server_config_set(cfg, "port", "0", &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "max-sessions", "5", &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "max-sessions", "6", &error), RS_OK);
    assert_int_equal(rs_server_start(&server, cfg, &error), RS_E_INVALID); /* no application */
    rs_server_config_set_app(cfg, &app);
    assert_int_equal(rs_server_start(&server, cfg, &error), RS_OK);
    rs_server_config_close(cfg);
    stop(server);
    rs_server_config_close(NULL);
    assert_null(rs_backend_named("kqueue"));
    assert_string_equal(rs_backend_name(rs_backend_best()), "epoll");
    assert_string_equal(rs_version(), RS_VERSION_TEXT);
}

static void test_library_metrics_are_prometheus_text(void **state) {
    const rs_app app = {.on_message = roll_message};
    static char text[RS_METRICS_BYTES];
    rs_server *server = start(&app, "2", "1024");
    int fd = client_open(server);
    size_t bytes;
    (void)state;
    wait_for_sessions(server, 1);
    bytes = rs_server_metrics(server, text, sizeof text);
    assert_in_range(bytes, 1000, sizeof text - 1);
    assert_int_equal(strlen(text), bytes);
    assert_non_null(
        strstr(text, "# TYPE ringside_sessions_open gauge\nringside_sessions_open 1\n"));
    assert_non_null(strstr(text, "ringside_accepted_total 1\n"));
    assert_non_null(strstr(text, "ringside_closed_total{reason=\"slow-consumer\"} 0\n"));
    assert_non_null(strstr(text, "ringside_large_pages 0\n"));
    assert_non_null(strstr(text, "ringside_completions_per_batch{quantile=\"0.5\"} 1\n"));
    assert_non_null(strstr(text, "\nringside_send_completion_ns{quantile=\"1\"} 0\n"));
    assert_true(rs_server_metrics(server, NULL, 0) >= bytes - 100);
    (void)close(fd);
    stop(server);
}

/* ---- several addresses */

static void test_library_listens_on_several_addresses_or_on_none(void **state) {
    const rs_app app = {.on_message = roll_message};
    const char *both[] = {"host", "127.0.0.1,127.0.0.2:0", NULL};
    const char *taken[] = {"host", NULL, NULL};
    const char *wrong[] = {"host", "127.0.0.1,", NULL};
    const char *many[] = {"host", "::,::,::,::,::,::,::,::,::", NULL};
    rs_server *server = NULL, *other = NULL;
    rs_addr at[RS_LISTENERS_MAX];
    char text[RS_ADDR_TEXT_BYTES], hosts[2 * RS_ADDR_TEXT_BYTES];
    rs_error error;
    (void)state;
    assert_int_equal(start_with(&server, &app, "2", "1024", both, &error), RS_OK);
    assert_int_equal(rs_server_addresses(server, at, RS_LISTENERS_MAX), 2);
    assert_int_equal(rs_server_addresses(server, NULL, 0), 2);
    assert_int_equal(at[0].ip, 0x7F000001);
    assert_int_equal(at[1].ip, 0x7F000002);
    assert_int_equal(at[0].port, rs_server_port(server));
    assert_int_not_equal(at[1].port, 0);
    (void)snprintf(hosts, sizeof hosts, "127.0.0.1,%s", rs_addr_text(&at[1], text));
    taken[1] = hosts;
    assert_int_equal(start_with(&other, &app, "2", "1024", taken, &error), RS_E_ADDRESS_IN_USE);
    assert_null(other);
    assert_non_null(strstr(error.text, text));
    assert_int_equal(start_with(&other, &app, "1", "1024", wrong, &error), RS_E_INVALID);
    assert_non_null(strstr(error.text, "is no list of hosts"));
    assert_int_equal(start_with(&other, &app, "1", "1024", many, &error), RS_E_INVALID);
    assert_non_null(strstr(error.text, "at most 8"));
    stop(server);
}

/* ---- the log */

typedef struct heard {
    atomic_uint listening, ended, cuts, protocol, wrong;
    char listens[128]; /* the line; whole before `listening` counts */
} heard;

static uint64_t field_of(const rs_log_line *line, const char *name) {
    for (uint32_t i = 0; i < line->field_count; i++) {
        if (strcmp(line->fields[i].name, name) == 0) {
            return line->fields[i].number;
        }
    }
    return 0;
}

static void hear(void *ctx, const rs_log_line *line) {
    heard *log = ctx;
    if (strcmp(line->fields[0].name, "worker") != 0 || strchr(line->text, '\n') != NULL) {
        log->wrong++;
    }
    if (strcmp(line->event, "listening") == 0) {
        (void)snprintf(log->listens, sizeof log->listens, "%d %s %s %s", (int)line->level,
                       line->text, line->fields[1].text, line->fields[2].text);
        log->listening++;
    } else if (strcmp(line->event, "ended") == 0) {
        log->ended++;
    } else if (strcmp(line->event, "cut") == 0) {
        log->wrong += line->level != RS_LOG_WARNING;
        log->protocol += (unsigned)field_of(line, "protocol");
        log->cuts++;
    } else {
        log->wrong++;
    }
}

/* Five malformed frames over two workers: all are told, the first ones while the server runs, in
 * at most one line a second from each worker. A session that ends of itself is none of them. */
static void test_library_log_tells_who_was_cut(void **state) {
    static heard log;
    const rs_app app = {.on_message = roll_message};
    char expected[128];
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    (void)state;
    memset(&log, 0, sizeof log);
    assert_int_equal(rs_server_config_open(&cfg, rs_backend_epoll(), &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "port", "0", &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "workers", "2", &error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "logic", with_logic ? "thread" : "io", &error),
                     RS_OK);
    rs_server_config_set_app(cfg, &app);
    rs_server_config_set_log(cfg, hear, &log);
    assert_int_equal(rs_server_start(&server, cfg, &error), RS_OK);
    rs_server_config_close(cfg);
    assert_int_equal(log.listening, 1);
    (void)snprintf(expected, sizeof expected, "0 listening on 127.0.0.1:%u 127.0.0.1:%u epoll",
                   rs_server_port(server), rs_server_port(server));
    assert_string_equal(log.listens, expected);
    (void)close(client_open(server));
    for (uint32_t i = 0; i < 5; i++) {
        const uint8_t malformed[3] = {0, 0, 1};
        uint8_t byte;
        int fd = client_open(server);
        assert_int_equal(send(fd, malformed, sizeof malformed, 0), sizeof malformed);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
        (void)close(fd);
    }
    assert_true(is_set_in_time(&log.cuts));
    stop(server);
    assert_int_equal(log.protocol, 5);
    assert_in_range(log.cuts, 1, 6);
    assert_int_equal(log.ended, 2);
    assert_int_equal(log.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_session_calls_from_a_wrong_thread_are_refused),
        cmocka_unit_test(test_library_chat_delivers_every_line),
        cmocka_unit_test(test_library_room_event_lets_a_chat_deliver_every_line),
        cmocka_unit_test(test_library_broadcast_reaches_the_named_ones_only),
        cmocka_unit_test(test_library_other_threads_wait_for_room),
        cmocka_unit_test(test_library_settings_are_checked_by_name),
        cmocka_unit_test(test_library_metrics_are_prometheus_text),
        cmocka_unit_test(test_library_log_tells_who_was_cut),
        cmocka_unit_test(test_library_listens_on_several_addresses_or_on_none),
    };
    int failed = cmocka_run_group_tests_name("library", tests, NULL, NULL);
    with_logic = true;
    return failed + cmocka_run_group_tests_name("library with a logic thread", tests, NULL, NULL);
}
