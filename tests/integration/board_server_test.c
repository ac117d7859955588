/* SPDX-License-Identifier: MIT */
/* The board game on a real server: epoll, one to four workers, callbacks there and on the logic
 * thread. The clients are those of unit/board_bot.h, all on this thread; each walks, logs out and
 * in, leaves and comes back. Strangers send garbage and floods meanwhile. A pass: no client was
 * told anything that the rules do not allow, when all have stopped each knows exactly whom it has
 * in view, and nobody was cut but the strangers. Runs under the thread sanitizer too. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/board.h"
#include "core/frame.h"
#include "epoll/epoll_backend.h"
#include "ringside/ringside.h"
#include "server/server_config.h"
#include "server/server_stats.h"
#include "seam/os.h"
#include "client.h"
#include "unit/board_bot.h"
#include "unit/random.h"

#define WALKERS 60u
#define STRANGERS 6u
#define STEPS 400u
#define SETTLE_STEPS 4000u /* of 5 ms: bounds a hang, decides nothing else */
#define VIEW 7u

typedef struct walker {
    int fd;
    bool asked; /* an answer is due before the next step */
    uint32_t moves;
    board_bot bot;
    uint8_t in[4096];
    uint32_t in_bytes;
} walker;

typedef struct game {
    rs_board *board;
    rs_server *server;
    rs_server_stats stats;
    test_random random;
    walker walkers[WALKERS];
    int strangers[STRANGERS];
    uint32_t rejected; /* strangers whose end has been seen */
} game;

static game g; /* one at a time */

static void game_open(uint32_t workers, bool logic, uint32_t rate, uint32_t side) {
    rs_board_config board = {
        .settings = {.width = side, .height = side, .view = VIEW, .rate = rate, .share = true},
        .workers = workers,
        .sessions_max = WALKERS + STRANGERS,
        .logic_thread = logic};
    rs_server_config cfg;
    rs_error error = {.text = ""};
    rs_server_config_init(&cfg, &rs_epoll_backend);
    board.frame_bytes_max = cfg.frame_bytes_max;
    cfg.port = 0;
    cfg.workers = workers;
    cfg.sessions_max = board.sessions_max;
    cfg.logic_thread = logic;
    assert_int_equal(rs_board_open(&g.board, &board, &error), RS_OK);
    cfg.app = rs_board_app(g.board);
    assert_int_equal(rs_server_start(&g.server, &cfg, &error), RS_OK);
}

static void game_close(void) {
    rs_error error;
    rs_server_stop(g.server);
    assert_int_equal(rs_server_join(g.server, &error), RS_OK);
    rs_server_stats_read(g.server, &g.stats);
    rs_server_free(g.server);
    rs_board_close(g.board);
}

/* ---- walkers */

static void walker_send(walker *w, const rs_board_frame *frame) {
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
    uint32_t bytes = rs_board_encode(frame, data);
    assert_int_equal(send(w->fd, data, bytes, MSG_NOSIGNAL), bytes);
}

static void walker_log_in(walker *w) {
    static const rs_board_frame login = {
        .type = RS_BOARD_LOGIN, .name = "somebody", .name_bytes = 8};
    walker_send(w, &login);
    w->asked = true;
    w->moves = 0;
}

static void walker_connect(walker *w) {
    memset(w, 0, sizeof *w);
    w->fd = client_open(g.server);
    walker_log_in(w);
}

/* Whole frames so far, in order. */
static void walker_take(walker *w) {
    uint32_t at = 0, bytes;
    while (rs_frame_parse(w->in + at, w->in_bytes - at, RS_BOARD_FRAME_BYTES_MAX, &bytes) ==
           RS_OK) {
        bot_take(&w->bot, w->in + at, bytes);
        at += bytes;
    }
    memmove(w->in, w->in + at, w->in_bytes - at);
    w->in_bytes -= at;
    if (w->bot.plays && w->bot.self.seq == w->moves) {
        w->asked = false;
    }
}

static void walker_read(walker *w) {
    ssize_t got;
    while ((got = recv(w->fd, w->in + w->in_bytes, sizeof w->in - w->in_bytes, MSG_DONTWAIT)) > 0) {
        w->in_bytes += (uint32_t)got;
        walker_take(w);
    }
    assert_true(got < 0 && (errno == EAGAIN || errno == EINTR)); /* nobody cuts a walker */
}

static void walker_step(walker *w) {
    static const rs_board_frame logout = {.type = RS_BOARD_LOGOUT};
    rs_board_frame move = {.type = RS_BOARD_MOVE};
    uint32_t dice = test_random_below(&g.random, 100);
    if (dice == 0) {
        (void)close(w->fd);
        walker_connect(w);
    } else if (w->asked) {
        return;
    } else if (dice == 1) {
        walker_send(w, &logout);
        walker_log_in(w);
    } else {
        move.direction = (uint8_t)(dice % RS_BOARD_DIRECTIONS);
        walker_send(w, &move);
        w->moves++;
        w->asked = dice < 70; /* some do not wait */
    }
}

static void walkers_read(int timeout_ms) {
    struct pollfd fds[WALKERS];
    for (uint32_t i = 0; i < WALKERS; i++) {
        fds[i] = (struct pollfd){.fd = g.walkers[i].fd, .events = POLLIN};
    }
    (void)poll(fds, WALKERS, timeout_ms);
    for (uint32_t i = 0; i < WALKERS; i++) {
        if (fds[i].revents != 0) {
            walker_read(&g.walkers[i]);
        }
    }
}

/* ---- strangers */

static void stranger_step(int *fd) {
    uint8_t garbage[64];
    uint32_t bytes = 4u + test_random_below(&g.random, 60);
    if (*fd < 0) {
        *fd = client_open(g.server);
    }
    for (uint32_t i = 0; i < bytes; i++) {
        garbage[i] = (uint8_t)test_random_next(&g.random);
    }
    if (test_random_below(&g.random, 2) == 0) {
        (void)rs_frame_header(garbage, garbage[2] % 8u, bytes - RS_FRAME_HEADER_BYTES);
    }
    (void)send(*fd, garbage, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (recv(*fd, garbage, sizeof garbage, MSG_DONTWAIT) == 0) {
        g.rejected++;
        (void)close(*fd);
        *fd = -1;
    }
}

/* ---- tests */

static bool all_know_what_they_see(void) {
    for (uint32_t i = 0; i < WALKERS; i++) {
        const board_bot *self = &g.walkers[i].bot;
        uint32_t seen = 0;
        if (g.walkers[i].asked) {
            return false;
        }
        for (uint32_t j = 0; j < WALKERS; j++) {
            const bot_known *other = &g.walkers[j].bot.self;
            const bot_known *told = bot_find(&g.walkers[i].bot, other->id);
            if (i != j && rs_board_in_view(VIEW, self->self.x, self->self.y, other->x, other->y)) {
                seen++;
                if (told == NULL || told->seq != other->seq) {
                    return false;
                }
            }
        }
        if (seen != self->others_count) {
            return false;
        }
    }
    return true;
}

static void settle(void) {
    board_bot *bots[WALKERS];
    for (uint32_t steps = 0; !all_know_what_they_see(); steps++) {
        assert_true(steps < SETTLE_STEPS);
        walkers_read(5);
    }
    for (uint32_t i = 0; i < WALKERS; i++) {
        bots[i] = &g.walkers[i].bot;
    }
    for (uint32_t i = 0; i < WALKERS; i++) {
        board_bot_agrees(bots, WALKERS, i, VIEW);
    }
}

static void walk(uint32_t workers, bool logic) {
    game_open(workers, logic, 0, 24);
    for (uint32_t i = 0; i < WALKERS; i++) {
        walker_connect(&g.walkers[i]);
    }
    for (uint32_t i = 0; i < STRANGERS; i++) {
        g.strangers[i] = -1;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        for (uint32_t i = 0; i < WALKERS; i++) {
            walker_step(&g.walkers[i]);
        }
        stranger_step(&g.strangers[step % STRANGERS]);
        walkers_read(step % 16u == 0 ? 1 : 0);
    }
    for (uint32_t i = 0; i < STRANGERS; i++) {
        (void)close(g.strangers[i]);
    }
    settle();
    for (uint32_t i = 0; i < WALKERS; i++) {
        (void)close(g.walkers[i].fd);
    }
    game_close();
    assert_true(g.rejected > 0);
    assert_true(g.stats.counters.closed[RS_CLOSE_PROTOCOL] >= g.rejected);
    assert_int_equal(g.stats.counters.closed[RS_CLOSE_SLOW_CONSUMER], 0);
    assert_int_equal(g.stats.counters.closed[RS_CLOSE_NO_BUFFERS], 0);
    assert_int_equal(g.stats.counters.closed[RS_CLOSE_LOCAL], 0);
}

static void test_board_server_walks(void **state) {
    static const uint32_t workers[] = {1, 2, 4};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int logic = 0; logic < 2; logic++) {
            memset(&g, 0, sizeof g);
            g.random.state = i * 2u + (uint32_t)logic;
            walk(workers[i], logic != 0);
        }
    }
}

/* All see the one who floods; it goes, they stay. */
static void test_board_server_flood_ends_alone(void **state) {
    uint8_t moves[4096];
    int flood;
    bool ended = false;
    (void)state;
    for (uint32_t workers = 1; workers <= 2; workers++) {
        memset(&g, 0, sizeof g);
        game_open(workers, false, 50, 4); /* a slow machine gets as far within a second */
        for (uint32_t i = 0; i < WALKERS; i++) {
            walker_connect(&g.walkers[i]);
        }
        settle();
        flood = client_open(g.server);
        assert_int_equal(send(flood,
                              "\x06\x00\x01"
                              "bad",
                              6, MSG_NOSIGNAL),
                         6);
        for (uint32_t i = 0; i < sizeof moves; i += 4) {
            const uint8_t move[] = {4, 0, RS_BOARD_MOVE, (uint8_t)(i / 4u % 8u)};
            memcpy(moves + i, move, 4);
        }
        ended = false;
        for (uint32_t steps = 0; !ended; steps++) {
            uint8_t back[4096];
            ssize_t got;
            assert_true(steps < SETTLE_STEPS);
            (void)send(flood, moves, sizeof moves, MSG_NOSIGNAL | MSG_DONTWAIT);
            while ((got = recv(flood, back, sizeof back, MSG_DONTWAIT)) > 0) {
            }
            ended = got == 0 || (errno != EAGAIN && errno != EINTR);
            walkers_read(1);
        }
        (void)close(flood);
        settle();
        for (uint32_t i = 0; i < WALKERS; i++) {
            (void)close(g.walkers[i].fd);
        }
        game_close();
        assert_int_equal(g.stats.counters.closed[RS_CLOSE_PROTOCOL], 1);
        assert_int_equal(g.stats.counters.closed[RS_CLOSE_SLOW_CONSUMER], 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board_server_walks),
        cmocka_unit_test(test_board_server_flood_ends_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
