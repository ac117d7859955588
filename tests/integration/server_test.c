/* SPDX-License-Identifier: MIT */
/* The public API over real sockets, native: several shards, other threads, starting and stopping.
 *
 * Clients are blocking sockets with a receive timeout that only bounds a hang. A pass is the bytes,
 * counts and statuses that ringside.h promises. Runs under the thread sanitizer too. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/echo.h"
#include "core/frame.h"
#include "core/limits.h"
#include "core/session.h"
#include "epoll/epoll_backend.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "client.h"
#include "server/server_config.h"

#define CLIENTS 60u
#define WAIT_STEPS 2000u /* of 5 ms: bounds a hang, decides nothing else */

static uint32_t address_max; /* of the next start */
static uint32_t drain_ms = 300;
static bool with_logic; /* set by main alone: every test runs in both modes */

static rs_server *start(uint32_t workers, rs_app app, uint32_t sessions_max) {
    rs_server_config cfg;
    rs_server *server = NULL;
    rs_error error = {.text = ""};
    rs_status status;
    rs_server_config_init(&cfg, &rs_epoll_backend);
    cfg.port = 0;
    cfg.workers = workers;
    cfg.app = app;
    cfg.sessions_max = sessions_max;
    cfg.address_max = address_max;
    cfg.drain_timeout_ms = drain_ms;
    cfg.logic_thread = with_logic;
    status = rs_server_start(&server, &cfg, &error);
    if (status != RS_OK) {
        print_error("%s\n", error.text);
    }
    assert_int_equal(status, RS_OK);
    return server;
}

static void stop(rs_server *server, rs_server_stats *stats) {
    rs_error error = {.text = ""};
    rs_server_stop(server);
    rs_server_stop(server);
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    assert_true(rs_server_has_ended(server));
    rs_server_stats_read(server, stats);
    assert_int_equal(stats->sessions_used, 0);
    rs_server_free(server);
}

static uint32_t client_read(int fd, uint8_t *out, uint32_t bytes) {
    uint32_t got = 0;
    while (got < bytes) {
        ssize_t n = recv(fd, out + got, bytes - got, 0);
        if (n <= 0) {
            break;
        }
        got += (uint32_t)n;
    }
    return got;
}

static void client_echo(int fd, uint8_t fill) {
    uint8_t frame[200], back[200];
    uint32_t bytes = rs_frame_header(frame, 1, 150);
    memset(frame + RS_FRAME_HEADER_BYTES, fill, 150);
    assert_int_equal(send(fd, frame, bytes, MSG_NOSIGNAL), bytes);
    assert_int_equal(client_read(fd, back, bytes), bytes);
    assert_memory_equal(frame, back, bytes);
}

/* Of any thread. False: it was not set in time. */
static bool is_set_in_time(const rs_atomic_u32 *flag) {
    for (uint32_t i = 0; i < WAIT_STEPS && rs_atomic_load_u32(flag) == 0; i++) {
        rs_os_sleep_ms(5);
    }
    return rs_atomic_load_u32(flag) != 0;
}

/* Until the server's figures are as wanted; stats: the newest. */
#define WAIT_FOR_FIGURES(server, stats, condition)                                                 \
    do {                                                                                           \
        rs_server_stats_read((server), (stats));                                                   \
        for (uint32_t steps = 0; !(condition); steps++) {                                          \
            assert_true(steps < WAIT_STEPS);                                                       \
            rs_os_sleep_ms(5);                                                                     \
            rs_server_stats_read((server), (stats));                                               \
        }                                                                                          \
    } while (0)

static rs_server_stats *new_stats(void) {
    rs_server_stats *stats = calloc(1, sizeof *stats);
    assert_non_null(stats);
    return stats;
}

/* ---- cases */

static void test_server_three_workers_share_the_connections(void **state) {
    int fd[CLIENTS];
    rs_server_stats *stats = new_stats();
    rs_server *server = start(3, rs_app_echo, 100);
    (void)state;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        fd[i] = client_open(server);
    }
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < CLIENTS; i++) {
            client_echo(fd[i], (uint8_t)(i + round));
        }
        rs_server_stats_read(server, stats);
        assert_int_equal(stats->counters.messages_in, (round + 1) * CLIENTS);
        assert_int_equal(stats->sessions_open, CLIENTS);
    }
    assert_true(stats->counters.mailbox_messages >=
                CLIENTS / 3 * 2); /* two of three went by message */
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)close(fd[i]);
    }
    stop(server, stats);
    assert_int_equal(stats->counters.accepted, CLIENTS);
    free(stats);
}

typedef struct push_app {
    rs_atomic_u64 last_id; /* of the newest session */
    rs_atomic_u32 closed;
} push_app;

static void push_on_open(void *ctx, rs_session *session) {
    rs_atomic_store_u64(&((push_app *)ctx)->last_id, rs_session_id_of(session));
}

static void push_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)session;
    (void)data;
    (void)bytes;
}

static void push_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    (void)session;
    (void)reason;
    (void)rs_atomic_add_u32(&((push_app *)ctx)->closed, 1);
}

static rs_session_id wait_for_id(const push_app *app) {
    rs_session_id id = 0;
    for (uint32_t i = 0; i < WAIT_STEPS && id == 0; i++) {
        rs_os_sleep_ms(5);
        id = rs_atomic_load_u64(&app->last_id);
    }
    assert_true(id != 0);
    return id;
}

static void test_server_other_threads_may_send_and_close(void **state) {
    push_app app = {.closed = {0}};
    rs_app callbacks = {.ctx = &app,
                        .on_open = push_on_open,
                        .on_message = push_on_message,
                        .on_close = push_on_close};
    rs_server_stats *stats = new_stats();
    rs_server *server = start(2, callbacks, 10);
    int fd = client_open(server);
    rs_session_id id = wait_for_id(&app);
    uint8_t back[64];
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t word = i;
        assert_int_equal(rs_server_send(server, id, &word, sizeof word), RS_OK);
        assert_int_equal(client_read(fd, back, sizeof word), sizeof word);
        assert_memory_equal(back, &word, sizeof word);
    }
    assert_int_equal(rs_server_send(server, id, back, RS_FRAME_BYTES_DEFAULT + 1), RS_E_INVALID);
    assert_int_equal(rs_server_send(server, id, back, 0), RS_E_INVALID);
    assert_int_equal(rs_server_send(server, (uint64_t)63 << 52 | 1, back, 1), RS_E_INVALID);
    assert_int_equal(rs_server_close_session(server, id), RS_OK);
    assert_int_equal(client_read(fd, back, 1), 0); /* our end of stream */
    (void)close(fd);
    assert_true(is_set_in_time(&app.closed));
    assert_int_equal(rs_server_send(server, id, "x", 1), RS_OK); /* posted, then found stale */
    rs_server_stats_read(server, stats);
    stop(server, stats);
    assert_int_equal(stats->messages_dropped, 1);
    assert_int_equal(stats->counters.closed[RS_CLOSE_LOCAL], 1);
    assert_int_equal(rs_atomic_load_u32(&app.closed), 1);
    free(stats);
}

static void later_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)data;
    (void)bytes;
    rs_session_hold(session);
    rs_atomic_store_u64(&((push_app *)ctx)->last_id, rs_session_id_of(session));
}

/* The client has half-closed long before another thread answers, and still gets the answer. */
static void test_server_other_threads_may_answer_later(void **state) {
    push_app app = {.closed = {0}};
    rs_app callbacks = {.ctx = &app, .on_message = later_on_message, .on_close = push_on_close};
    rs_server_stats *stats = new_stats();
    drain_ms = 30000; /* a reply that is late on a busy machine must not be lost */
    rs_server *server = start(2, callbacks, 10);
    drain_ms = 300;
    uint8_t frame[8] = {0}, back[8];
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        int fd = client_open(server);
        rs_session_id id;
        rs_atomic_store_u64(&app.last_id, 0);
        (void)rs_frame_header(frame, 1, sizeof frame - RS_FRAME_HEADER_BYTES);
        assert_int_equal(send(fd, frame, sizeof frame, MSG_NOSIGNAL), sizeof frame);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        id = wait_for_id(&app);
        assert_int_equal(rs_server_send(server, id, frame, sizeof frame), RS_OK);
        assert_int_equal(rs_server_release_session(server, id), RS_OK);
        assert_int_equal(rs_server_release_session(server, id), RS_OK); /* nothing to give back */
        assert_int_equal(client_read(fd, back, sizeof back), sizeof back);
        assert_memory_equal(back, frame, sizeof back);
        assert_int_equal(client_read(fd, back, 1), 0);
        (void)close(fd);
    }
    assert_int_equal(rs_server_release_session(server, (uint64_t)63 << 52 | 1), RS_E_INVALID);
    stop(server, stats);
    assert_int_equal(stats->counters.closed[RS_CLOSE_PEER], 20);
    assert_int_equal(stats->counters.expired_holds, 0);
    assert_true(stats->counters.held_ends > 0);
    assert_int_equal(rs_atomic_load_u32(&app.closed), 20);
    assert_true(stats->counters.refused_releases + stats->messages_dropped == 20);
    free(stats);
}

/* The first byte of a message after its header says how long the answer is. */
static void long_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    static const uint8_t zeros[300000] = {0};
    (void)ctx;
    (void)bytes;
    (void)rs_session_send(session, zeros, data[RS_FRAME_HEADER_BYTES] * UINT32_C(10000));
}

/* One send is whole or not at all, however long it is, wherever the callbacks run. */
static void test_server_long_send_is_whole_or_nothing(void **state) {
    static uint8_t back[300000];
    rs_app callbacks = {.on_message = long_on_message};
    rs_server_stats *stats = new_stats();
    rs_server *server = start(2, callbacks, 10);
    (void)state;
    for (uint32_t round = 0; round < 8; round++) {
        bool fits = round % 2 == 0; /* 250,000 bytes, or more than may be queued */
        uint8_t frame[4];
        int fd = client_open(server);
        frame[rs_frame_header(frame, 1, 1) - 1] = fits ? 25 : 30;
        assert_int_equal(send(fd, frame, sizeof frame, MSG_NOSIGNAL), sizeof frame);
        assert_int_equal(client_read(fd, back, fits ? 250000 : 1), fits ? 250000 : 0);
        (void)close(fd);
    }
    stop(server, stats);
    assert_int_equal(stats->counters.closed[RS_CLOSE_SLOW_CONSUMER], 4);
    assert_int_equal(stats->counters.messages_out, 4);
    free(stats);
}

/* The body from its start, as often as there is room; what asks for no possible reply ends the
 * session. */
static void test_server_frames_get_the_reply_size_they_ask_for(void **state) {
    static const uint8_t good[] = {8, 0, 2, 30, 0, 'a', 'b', 'c'}, other[] = {5, 0, 1, 30, 0};
    static const uint8_t bad[][8] = {{8, 0, 2, 10, 0, 'a', 'b', 'c'}, {5, 0, 2, 30, 0}, {3, 0, 2}};
    static const char body[] = "abcabcabcabcabcabca"; /* 30 - 11 */
    rs_server *server = start(1, rs_app_asked, 10);
    rs_server_stats *stats = new_stats();
    uint8_t back[30];
    int fd = client_open(server);
    (void)state;
    assert_int_equal(send(fd, good, sizeof good, MSG_NOSIGNAL), sizeof good);
    assert_int_equal(client_read(fd, back, sizeof back), sizeof back);
    assert_int_equal(back[0] | back[1] << 8, 30);
    assert_int_equal(back[2], 2);
    assert_memory_equal(back + 11, body, sizeof body - 1u);
    assert_int_equal(send(fd, other, sizeof other, MSG_NOSIGNAL), sizeof other);
    assert_int_equal(client_read(fd, back, sizeof other), sizeof other);
    assert_memory_equal(back, other, sizeof other);
    (void)close(fd);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fd = client_open(server);
        assert_int_equal(send(fd, bad[i], bad[i][0], MSG_NOSIGNAL), bad[i][0]);
        assert_int_equal(client_read(fd, back, 1), 0);
        (void)close(fd);
    }
    stop(server, stats);
    assert_int_equal(stats->counters.closed[RS_CLOSE_PROTOCOL], 3);
    free(stats);
}

static void test_server_connection_beyond_the_limit_is_closed_and_counted(void **state) {
    int fd[5];
    uint8_t byte;
    rs_server_stats *stats = new_stats();
    rs_server *server = start(1, rs_app_echo, 3);
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        fd[i] = client_open(server);
        client_echo(fd[i], 1);
    }
    for (uint32_t i = 3; i < 5; i++) {
        fd[i] = client_open(server);
        assert_int_equal(client_read(fd[i], &byte, 1), 0);
    }
    client_echo(fd[0], 2);
    for (uint32_t i = 0; i < 5; i++) {
        (void)close(fd[i]);
    }
    stop(server, stats);
    assert_int_equal(stats->counters.accepted, 3);
    assert_int_equal(stats->counters.refused, 2);
    free(stats);
}

typedef struct flood {
    const rs_server *server;
    uint64_t echoed;
} flood;

static void flood_run(void *arg) {
    flood *f = arg;
    uint8_t frame[64], back[64];
    uint32_t bytes = rs_frame_header(frame, 1, 40);
    int fd = client_open(f->server);
    memset(frame + RS_FRAME_HEADER_BYTES, 7, 40);
    while (send(fd, frame, bytes, MSG_NOSIGNAL) == (ssize_t)bytes &&
           client_read(fd, back, bytes) == bytes) {
        f->echoed++;
    }
    (void)close(fd);
}

static void test_server_stops_under_load_with_nothing_in_use(void **state) {
    rs_server_stats *stats = new_stats();
    rs_server *server = start(2, rs_app_echo, 50);
    rs_os_thread *threads[6];
    flood floods[6];
    rs_error error;
    uint64_t echoed = 0;
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        floods[i] = (flood){.server = server};
        assert_int_equal(rs_os_thread_start(&threads[i], flood_run, &floods[i], &error), RS_OK);
    }
    WAIT_FOR_FIGURES(server, stats,
                     stats->counters.messages_in >= 2000 && stats->sessions_open == 6);
    rs_server_stop(server);
    for (uint32_t i = 0; i < 6; i++) {
        rs_os_thread_join(threads[i]);
        echoed += floods[i].echoed;
    }
    stop(server, stats);
    assert_true(echoed >= 2000 - 6);
    assert_true(stats->counters.messages_in >= echoed);
    assert_int_equal(stats->counters.closed[RS_CLOSE_SHUTDOWN] +
                         stats->counters.closed[RS_CLOSE_PEER] +
                         stats->counters.closed[RS_CLOSE_RESET],
                     6);
    free(stats);
}

/* Whether a new connection is served; otherwise it has been closed. */
static bool client_served(const rs_server *server, int *fd) {
    uint8_t frame[4], back[4];
    *fd = client_open(server);
    (void)rs_frame_header(frame, 1, 1);
    frame[3] = 9;
    if (send(*fd, frame, sizeof frame, MSG_NOSIGNAL) != (ssize_t)sizeof frame) {
        return false;
    }
    return client_read(*fd, back, sizeof back) == sizeof back;
}

/* Our end first, then the server's: it has let go of the session by then. */
static void client_leave(int fd) {
    uint8_t byte;
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(client_read(fd, &byte, 1), 0);
    (void)close(fd);
}

#define LIMIT 12u

/* The limit is that of the whole server, however the sessions are spread: those of one worker
 * leave, all come back, and one more is refused; for any number of workers. */
static void test_server_limit_is_of_all_workers_together(void **state) {
    rs_server_stats *stats = new_stats();
    (void)state;
    for (uint32_t workers = 1; workers <= 5; workers++) {
        for (uint32_t limit = 1; limit <= LIMIT; limit += LIMIT - 1) {
            rs_server *server = start(workers, rs_app_echo, limit);
            uint32_t refused = 0, left = 0;
            int fd[LIMIT], over;
            for (uint32_t i = 0; i < limit; i++) {
                assert_true(client_served(server, &fd[i]));
            }
            for (uint32_t round = 0; round < 3; round++) {
                assert_false(client_served(server, &over));
                (void)close(over);
                refused++;
                for (uint32_t i = round % workers; i < limit; i += workers) {
                    client_leave(fd[i]);
                    left++;
                }
                for (uint32_t i = round % workers; i < limit; i += workers) {
                    assert_true(client_served(server, &fd[i]));
                }
            }
            for (uint32_t i = 0; i < limit; i++) {
                client_leave(fd[i]);
            }
            stop(server, stats);
            assert_int_equal(stats->counters.accepted, limit + left);
            assert_int_equal(stats->counters.refused, refused);
            assert_int_equal(stats->counters.closed[RS_CLOSE_PEER], limit + left);
        }
    }
    free(stats);
}

/* One that is served, of another address of this machine. */
static int client_from(const rs_server *server, const char *host) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, host, &from.sin_addr), 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    to.sin_port = htons(rs_server_port(server));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    client_echo(fd, 1);
    return fd;
}

/* Two of one address over any number of workers, whoever has them; an end on any worker makes room.
 * Clients of another address are not concerned. */
static void test_server_limit_of_an_address_is_of_all_workers_together(void **state) {
    enum { MOST = 2, ROUNDS = 6 };
    rs_server_stats *stats = new_stats();
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers++) {
        rs_server *server;
        int fd[MOST], other, over;
        address_max = MOST;
        server = start(workers, rs_app_echo, 16);
        address_max = 0;
        other = client_from(server, "127.0.0.2");
        for (uint32_t i = 0; i < MOST; i++) {
            assert_true(client_served(server, &fd[i]));
        }
        for (uint32_t round = 0; round < ROUNDS; round++) {
            assert_false(client_served(server, &over));
            (void)close(over);
            client_leave(fd[round % MOST]);
            assert_true(client_served(server, &fd[round % MOST]));
        }
        for (uint32_t i = 0; i < MOST; i++) {
            client_leave(fd[i]);
        }
        client_leave(other);
        stop(server, stats);
        assert_int_equal(stats->counters.accepted, MOST + ROUNDS + 1u);
        assert_int_equal(stats->counters.refused_address, ROUNDS);
        assert_int_equal(stats->counters.refused, 0);
    }
    free(stats);
}

typedef struct spread_app {
    rs_atomic_u32 opened[2]; /* by worker */
    rs_atomic_u64 last_id;
} spread_app;

static void spread_on_open(void *ctx, rs_session *session) {
    spread_app *app = ctx;
    rs_session_id id = rs_session_id_of(session);
    (void)rs_atomic_add_u32(&app->opened[rs_session_id_shard(id)], 1);
    rs_atomic_store_u64(&app->last_id, id);
}

#define SPREAD 16u

/* Everybody on one worker leaves: those who come next are that worker's, not every other one. */
static void test_server_fills_the_emptiest_worker(void **state) {
    spread_app app = {.last_id = {0}};
    rs_app callbacks = {
        .ctx = &app, .on_open = spread_on_open, .on_message = rs_app_echo.on_message};
    rs_server_stats *stats = new_stats();
    rs_server *server = start(2, callbacks, 100);
    int fd[SPREAD], kept[SPREAD];
    uint32_t worker[SPREAD], kept_count = 0;
    (void)state;
    for (uint32_t i = 0; i < SPREAD; i++) {
        assert_true(client_served(server, &fd[i]));
        worker[i] = rs_session_id_shard(rs_atomic_load_u64(&app.last_id));
    }
    assert_int_equal(rs_atomic_load_u32(&app.opened[0]), SPREAD / 2u);
    assert_int_equal(rs_atomic_load_u32(&app.opened[1]), SPREAD / 2u);
    for (uint32_t i = 0; i < SPREAD; i++) {
        if (worker[i] == 0) {
            kept[kept_count++] = fd[i];
        } else {
            client_leave(fd[i]);
        }
    }
    WAIT_FOR_FIGURES(server, stats, stats->sessions_used <= kept_count); /* the slots are back */
    rs_atomic_store_u32(&app.opened[0], 0);
    rs_atomic_store_u32(&app.opened[1], 0);
    for (uint32_t i = 0; i < kept_count; i++) {
        assert_true(client_served(server, &fd[i]));
    }
    assert_int_equal(rs_atomic_load_u32(&app.opened[1]), kept_count);
    for (uint32_t i = 0; i < kept_count; i++) {
        client_leave(fd[i]);
        client_leave(kept[i]);
    }
    stop(server, stats);
    free(stats);
}

/* ---- a worker that does not get on */

typedef struct stuck_app {
    rs_atomic_u32 stuck, let_go;
    rs_atomic_u64 id; /* of the session whose callback does not return */
} stuck_app;

static void stuck_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    stuck_app *app = ctx;
    if (data[RS_FRAME_HEADER_BYTES] == 0xEEu) {
        rs_atomic_store_u64(&app->id, rs_session_id_of(session));
        rs_atomic_store_u32(&app->stuck, 1);
        (void)is_set_in_time(&app->let_go);
    }
    (void)rs_session_send(session, data, bytes);
}

/* Worker 1 is in a callback and its mailbox is full: what it would have been given is served by
 * the other one, and nothing is lost of what it was given before. */
static void test_server_full_mailbox_loses_no_connection(void **state) {
    static stuck_app app;
    rs_app callbacks = {.ctx = &app, .on_message = stuck_on_message};
    rs_server_stats *stats = new_stats();
    rs_server *server;
    uint8_t frame[4], back[4];
    int first[2], fd[6], held = -1;
    (void)state;
    if (with_logic) {
        free(stats);
        return; /* the workers are never in a callback */
    }
    memset(&app, 0, sizeof app);
    server = start(2, callbacks, 100);
    (void)rs_frame_header(frame, 1, 1);
    frame[3] = 0xEE;
    for (uint32_t i = 0; i < 2; i++) { /* one on each worker */
        assert_true(client_served(server, &first[i]));
    }
    for (uint32_t i = 0; i < 2 && held < 0; i++) {
        assert_int_equal(send(first[i], frame, 4, MSG_NOSIGNAL), 4);
        assert_true(is_set_in_time(&app.stuck));
        if (rs_session_id_shard(rs_atomic_load_u64(&app.id)) == 1) {
            held = first[i];
            break;
        }
        rs_atomic_store_u32(&app.let_go, 1); /* the listening worker: let it go at once */
        assert_int_equal(client_read(first[i], back, 4), 4);
        rs_atomic_store_u32(&app.stuck, 0);
        rs_atomic_store_u32(&app.let_go, 0);
    }
    assert_true(held >= 0);
    for (uint32_t i = 0; rs_server_send(server, (uint64_t)1 << 52 | 7, "x", 1) == RS_OK; i++) {
        assert_true(i < 4 * RS_MAILBOX_SLOTS_DEFAULT);
    }
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(client_served(server, &fd[i]));
    }
    rs_atomic_store_u32(&app.let_go, 1);
    assert_int_equal(client_read(held, back, 4), 4);
    for (uint32_t i = 0; i < 6; i++) {
        client_leave(fd[i]);
    }
    client_leave(first[0]);
    client_leave(first[1]);
    stop(server, stats);
    assert_int_equal(stats->counters.accepted, 8);
    assert_int_equal(stats->counters.refused, 0);
    free(stats);
}

/* ---- a full house and frames for everybody */

#define HOUSE_MAX 1000u
#define HOUSE_BROADCASTS 8u
#define HOUSE_ROUNDS 20u

typedef struct house {
    rs_session *session[HOUSE_MAX];
    rs_atomic_u32 count;
    uint32_t sent;
} house;

static void house_on_open(void *ctx, rs_session *session) {
    house *h = ctx;
    h->session[rs_atomic_load_u32(&h->count)] = session;
    (void)rs_atomic_add_u32(&h->count, 1);
}

/* Eight in this turn, each to everybody and with its number. */
static void house_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    house *h = ctx;
    (void)data;
    (void)bytes;
    for (uint32_t n = 0; n < HOUSE_BROADCASTS; n++, h->sent++) {
        rs_shared shared;
        RS_ASSERT(rs_shared_acquire(session, &shared));
        (void)rs_frame_header(shared.data, 7, 2);
        shared.data[3] = (uint8_t)(h->sent & 0xFFu);
        shared.data[4] = (uint8_t)(h->sent >> 8);
        for (uint32_t i = 0; i < rs_atomic_load_u32(&h->count); i++) {
            (void)rs_shared_send(h->session[i], &shared, 5);
        }
        rs_shared_release(session, &shared);
    }
}

static void house_run(uint32_t sessions) {
    static house h;
    static int fd[HOUSE_MAX];
    rs_app callbacks = {.ctx = &h, .on_open = house_on_open, .on_message = house_on_message};
    rs_server_stats *stats = new_stats();
    uint8_t frame[4], expected[5 * HOUSE_BROADCASTS], got[5 * HOUSE_BROADCASTS];
    rs_server *server;
    memset(&h, 0, sizeof h);
    server = start(1, callbacks, sessions);
    for (uint32_t i = 0; i < sessions; i++) {
        fd[i] = client_open(server);
    }
    for (uint32_t i = 0; rs_atomic_load_u32(&h.count) < sessions; i++) {
        assert_true(i < WAIT_STEPS);
        rs_os_sleep_ms(5);
    }
    (void)rs_frame_header(frame, 1, 1);
    frame[3] = 0;
    for (uint32_t round = 0; round < HOUSE_ROUNDS; round++) {
        assert_int_equal(send(fd[round], frame, 4, MSG_NOSIGNAL), 4);
        for (uint32_t n = 0; n < HOUSE_BROADCASTS; n++) {
            uint32_t number = round * HOUSE_BROADCASTS + n;
            (void)rs_frame_header(expected + 5 * n, 7, 2);
            expected[5 * n + 3] = (uint8_t)(number & 0xFFu);
            expected[5 * n + 4] = (uint8_t)(number >> 8);
        }
        for (uint32_t i = 0; i < sessions; i++) {
            assert_int_equal(client_read(fd[i], got, sizeof got), sizeof got);
            assert_memory_equal(got, expected, sizeof got);
        }
    }
    rs_server_stats_read(server, stats); /* the last sends may not have been counted yet */
    for (uint32_t i = 0;
         !with_logic && i < WAIT_STEPS && stats->counters.send_ops < HOUSE_ROUNDS * sessions; i++) {
        rs_os_sleep_ms(5);
        rs_server_stats_read(server, stats);
    }
    assert_int_equal(stats->sessions_open, sessions);
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        assert_int_equal(stats->counters.closed[i], 0);
    }
    assert_int_equal(stats->counters.shared_sends, HOUSE_ROUNDS * HOUSE_BROADCASTS * sessions);
    if (!with_logic) { /* there the frames lie behind each other: one piece, nothing to copy */
        assert_int_equal(stats->counters.shared_copied_bytes, 0);
        assert_int_equal(stats->counters.send_ops, HOUSE_ROUNDS * sessions);
    }
    for (uint32_t i = 0; i < sessions; i++) {
        (void)close(fd[i]);
    }
    stop(server, stats);
    free(stats);
}

static void test_server_eight_broadcasts_in_a_turn_close_nobody_of_64(void **state) {
    (void)state;
    house_run(64);
}

static void test_server_eight_broadcasts_in_a_turn_close_nobody_of_1000(void **state) {
    (void)state;
    house_run(HOUSE_MAX);
}

/* ---- shards that tell each other */

#define TOLD_COUNT 40000u
#define TOLD_WORKERS 3u

/* Each shard counts for every other one, which must hear every number in turn. */
typedef struct told_shard {
    uint32_t sent[TOLD_WORKERS], heard[TOLD_WORKERS], fulls;
} told_shard;

typedef struct told_app {
    rs_atomic_u32 counting, let_go, wrong, done; /* done: of the shards, those that heard all */
    told_shard shards[TOLD_WORKERS];
} told_app;

static bool told_on_turn(void *ctx, const rs_peers *peers) {
    told_app *app = ctx;
    told_shard *self = &app->shards[peers->shard];
    bool all = true;
    if (rs_atomic_load_u32(&app->counting) == 0) {
        return true;
    }
    for (uint32_t to = 0; to < peers->count; to++) {
        rs_status status = RS_OK;
        while (to != peers->shard && self->sent[to] < TOLD_COUNT && status == RS_OK) {
            status = peers->tell(peers->ctx, to, &self->sent[to], sizeof self->sent[to]);
            self->sent[to] += status == RS_OK ? 1u : 0u;
        }
        self->fulls += status == RS_E_FULL ? 1u : 0u;
        all = all && status == RS_OK;
    }
    return !all;
}

static void told_on_peer(void *ctx, uint32_t to, uint32_t from, const uint8_t *data,
                         uint32_t bytes) {
    told_app *app = ctx;
    told_shard *self = &app->shards[to];
    uint32_t number;
    bool all = true;
    memcpy(&number, data, sizeof number);
    if (bytes != sizeof number || from == to || number != self->heard[from]) {
        rs_atomic_store_u32(&app->wrong, 1);
    }
    if (to == 1 && number == 0) {
        (void)is_set_in_time(&app->let_go); /* its mailbox is full before it goes on */
    }
    self->heard[from]++;
    for (uint32_t i = 0; i < TOLD_WORKERS; i++) {
        all = all && (i == to || self->heard[i] == TOLD_COUNT);
    }
    if (all) {
        (void)rs_atomic_add_u32(&app->done, 1);
    }
}

static void told_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes);
}

/* Full mailboxes delay and lose nothing, and a shard that has something to tell need not be woken:
 * nobody sends anything. */
static void test_server_shards_tell_each_other_all_of_it(void **state) {
    static told_app app;
    rs_app callbacks = {.ctx = &app,
                        .on_message = told_on_message,
                        .on_turn = told_on_turn,
                        .on_peer = told_on_peer};
    rs_server_stats *stats = new_stats();
    rs_server *server;
    uint32_t fulls = 0, steps = 0;
    int fd[TOLD_WORKERS];
    (void)state;
    memset(&app, 0, sizeof app);
    server = start(TOLD_WORKERS, callbacks, 100);
    for (uint32_t i = 0; i < TOLD_WORKERS; i++) { /* a first turn on each */
        assert_true(client_served(server, &fd[i]));
    }
    rs_atomic_store_u32(&app.counting, 1);
    rs_os_sleep_ms(50);
    rs_atomic_store_u32(&app.let_go, 1);
    while (!with_logic && rs_atomic_load_u32(&app.done) < TOLD_WORKERS && steps++ < WAIT_STEPS) {
        rs_os_sleep_ms(5);
    }
    for (uint32_t i = 0; i < TOLD_WORKERS; i++) {
        client_leave(fd[i]);
    }
    stop(server, stats);
    assert_int_equal(rs_atomic_load_u32(&app.wrong), 0);
    assert_int_equal(rs_atomic_load_u32(&app.done), with_logic ? 0 : TOLD_WORKERS);
    for (uint32_t i = 0; i < TOLD_WORKERS; i++) {
        fulls += app.shards[i].fulls;
    }
    assert_true(with_logic || fulls > 0);
    assert_int_equal(stats->messages_dropped, 0);
    free(stats);
}

/* ---- a worker that does not start */

static rs_atomic_u32 opens, listens;

static rs_status failing_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    if (rs_atomic_add_u32(&opens, 1) == 1) { /* the second one to ask */
        rs_os_sleep_ms(20);
        *out = NULL;
        return rs_error_set(error, RS_E_NO_BUFFERS, "open", 0, "no room for a second one");
    }
    return rs_epoll_backend.open(out, cfg, error);
}

static rs_status counted_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port,
                                rs_error *error) {
    (void)rs_atomic_add_u32(&listens, 1);
    return rs_epoll_backend.listen(backend, addr, port, error);
}

static void test_server_nobody_listens_when_one_worker_fails(void **state) {
    (void)state;
    for (uint32_t workers = 2; workers <= 4; workers++) {
        rs_backend_api api = rs_epoll_backend;
        rs_server_config cfg;
        rs_server *server = NULL;
        rs_error error = {.text = ""};
        api.open = failing_open;
        api.listen = counted_listen;
        rs_atomic_store_u32(&opens, 0);
        rs_atomic_store_u32(&listens, 0);
        rs_server_config_init(&cfg, &api);
        cfg.port = 0;
        cfg.workers = workers;
        cfg.app = rs_app_echo;
        cfg.sessions_max = 8;
        cfg.logic_thread = with_logic;
        assert_int_equal(rs_server_start(&server, &cfg, &error), RS_E_NO_BUFFERS);
        assert_null(server);
        assert_string_equal(error.text, "no room for a second one");
        assert_int_equal(rs_atomic_load_u32(&opens), workers);
        assert_int_equal(rs_atomic_load_u32(&listens), 0);
    }
}

/* ---- figures of a server that ends */

static rs_atomic_u32 in_close, close_goes_on;

static void slow_close(rs_backend *backend) {
    rs_atomic_store_u32(&in_close, 1);
    (void)is_set_in_time(&close_goes_on);
    rs_epoll_backend.close(backend);
}

typedef struct ending_reader {
    rs_server *server;
    rs_server_stats *stats;
    rs_atomic_u32 done;
} ending_reader;

static void ending_read(void *arg) {
    ending_reader *reader = arg;
    rs_server_stats_read(reader->server, reader->stats);
    rs_atomic_store_u32(&reader->done, 1);
}

/* A worker that takes no more messages and has not ended yet is still writing its figures. */
static void test_server_figures_of_a_worker_that_ends_are_its_last(void **state) {
    rs_server_stats *stats = new_stats();
    ending_reader reader = {.stats = stats};
    rs_backend_api api = rs_epoll_backend;
    rs_os_thread *thread;
    rs_server_config cfg;
    rs_error error = {.text = ""};
    (void)state;
    api.close = slow_close;
    rs_atomic_store_u32(&in_close, 0);
    rs_atomic_store_u32(&close_goes_on, 0);
    rs_server_config_init(&cfg, &api);
    cfg.port = 0;
    cfg.app = rs_app_echo;
    cfg.sessions_max = 4;
    cfg.logic_thread = with_logic;
    assert_int_equal(rs_server_start(&reader.server, &cfg, &error), RS_OK);
    rs_server_stop(reader.server);
    assert_true(is_set_in_time(&in_close));
    assert_int_equal(rs_os_thread_start(&thread, ending_read, &reader, &error), RS_OK);
    rs_os_sleep_ms(50); /* long enough for one that does not wait; too short fails nobody */
    assert_int_equal(rs_atomic_load_u32(&reader.done), 0);
    rs_atomic_store_u32(&close_goes_on, 1);
    rs_os_thread_join(thread);
    assert_int_equal(rs_atomic_load_u32(&reader.done), 1);
    stop(reader.server, stats);
    free(stats);
}

/* An application that reaches its server through the handle, while clients come all the time. */
typedef struct early_app {
    rs_server *server; /* what rs_server_start is to set */
    rs_atomic_u32 opened, without_handle, stop;
    uint16_t port;
} early_app;

static void early_on_open(void *ctx, rs_session *session) {
    early_app *app = ctx;
    (void)session;
    if (app->server == NULL || rs_server_port(app->server) != app->port) {
        (void)rs_atomic_add_u32(&app->without_handle, 1);
    }
    (void)rs_atomic_add_u32(&app->opened, 1);
}

static void early_knock(void *arg) {
    early_app *app = arg;
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(app->port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (uint32_t i = 0; rs_atomic_load_u32(&app->stop) == 0; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd >= 0) {
            (void)connect(fd, (const struct sockaddr *)&addr, sizeof addr);
            (void)close(fd);
        }
        if (i >= 5000) { /* on a slow machine: leave the system some ports */
            rs_os_sleep_ms(1);
        }
    }
}

static void test_server_handle_is_there_before_the_first_callback(void **state) {
    early_app app = {.server = NULL};
    rs_server_stats *stats = new_stats();
    rs_os_thread *knocker;
    rs_error error = {.text = ""};
    rs_server *probe = start(1, rs_app_echo, 4);
    rs_server_config cfg;
    (void)state;
    app.port = rs_server_port(probe);
    stop(probe, stats);
    rs_server_config_init(&cfg, &rs_epoll_backend);
    cfg.port = app.port;
    cfg.workers = 4;
    cfg.sessions_max = 2000;
    cfg.logic_thread = with_logic;
    cfg.app = (rs_app){.on_open = early_on_open, .on_message = rs_app_echo.on_message, .ctx = &app};
    assert_int_equal(rs_os_thread_start(&knocker, early_knock, &app, &error), RS_OK);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t opened = rs_atomic_load_u32(&app.opened);
        app.server = NULL;
        assert_int_equal(rs_server_start(&app.server, &cfg, &error), RS_OK);
        for (uint32_t k = 0; rs_atomic_load_u32(&app.opened) == opened; k++) {
            assert_true(k < WAIT_STEPS);
            rs_os_sleep_ms(5);
        }
        stop(app.server, stats);
    }
    rs_atomic_store_u32(&app.stop, 1);
    rs_os_thread_join(knocker);
    assert_int_equal(rs_atomic_load_u32(&app.without_handle), 0);
    free(stats);
}

static void test_server_port_in_use_is_one_line(void **state) {
    rs_server_stats *stats = new_stats();
    rs_server *first = start(1, rs_app_echo, 4);
    rs_server *second = first;
    rs_server_config cfg;
    rs_error error = {.text = ""};
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers += 2) {
        rs_server_config_init(&cfg, &rs_epoll_backend);
        cfg.port = rs_server_port(first);
        cfg.app = rs_app_echo;
        cfg.workers = workers;
        cfg.sessions_max = 8;
        cfg.logic_thread = with_logic;
        assert_int_equal(rs_server_start(&second, &cfg, &error), RS_E_ADDRESS_IN_USE);
        assert_null(second);
        assert_non_null(strstr(error.text, "port"));
        assert_null(strchr(error.text, '\n'));
    }
    stop(first, stats);
    free(stats);
}

static void test_server_settings_out_of_range_are_refused(void **state) {
    rs_server *server;
    rs_error error = {.text = ""};
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        rs_server_config cfg;
        rs_server_config_init(&cfg, &rs_epoll_backend);
        cfg.app = rs_app_echo;
        cfg.workers = i == 0 ? 0 : 1;
        cfg.sessions_max = i == 1 ? 0 : 8;
        cfg.frame_bytes_max = i == 2 ? 2 : i == 3 ? RS_FRAME_BYTES_MAX + 1 : 4096;
        cfg.sends_in_flight = i == 4 ? RS_SENDS_IN_FLIGHT_MAX + 1 : 1;
        cfg.recv_bytes = i == 5 ? 100 : 0; /* shorter than a frame */
        cfg.queued_bytes_max = i == 6 ? 100 : 8192;
        cfg.proxy_protocol = i == 7; /* the address of every client is the balancer's then */
        cfg.address_max = i == 7 ? 1 : 0;
        cfg.logic_thread = with_logic;
        assert_int_equal(rs_server_start(&server, &cfg, &error), RS_E_INVALID);
        assert_null(server);
        assert_true(error.text[0] != '\0');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_three_workers_share_the_connections),
        cmocka_unit_test(test_server_other_threads_may_send_and_close),
        cmocka_unit_test(test_server_other_threads_may_answer_later),
        cmocka_unit_test(test_server_long_send_is_whole_or_nothing),
        cmocka_unit_test(test_server_frames_get_the_reply_size_they_ask_for),
        cmocka_unit_test(test_server_connection_beyond_the_limit_is_closed_and_counted),
        cmocka_unit_test(test_server_stops_under_load_with_nothing_in_use),
        cmocka_unit_test(test_server_limit_is_of_all_workers_together),
        cmocka_unit_test(test_server_limit_of_an_address_is_of_all_workers_together),
        cmocka_unit_test(test_server_fills_the_emptiest_worker),
        cmocka_unit_test(test_server_full_mailbox_loses_no_connection),
        cmocka_unit_test(test_server_eight_broadcasts_in_a_turn_close_nobody_of_64),
        cmocka_unit_test(test_server_eight_broadcasts_in_a_turn_close_nobody_of_1000),
        cmocka_unit_test(test_server_shards_tell_each_other_all_of_it),
        cmocka_unit_test(test_server_nobody_listens_when_one_worker_fails),
        cmocka_unit_test(test_server_figures_of_a_worker_that_ends_are_its_last),
        cmocka_unit_test(test_server_handle_is_there_before_the_first_callback),
        cmocka_unit_test(test_server_port_in_use_is_one_line),
        cmocka_unit_test(test_server_settings_out_of_range_are_refused),
    };
    int failed = cmocka_run_group_tests_name("server", tests, NULL, NULL);
    with_logic = true;
    return failed + cmocka_run_group_tests_name("server with a logic thread", tests, NULL, NULL);
}
