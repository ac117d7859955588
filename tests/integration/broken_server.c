/* SPDX-License-Identifier: MIT */
/* A frame echo server, or with --board the board game, that does one thing wrong, to show that
 * loadgen notices.
 *
 * One process, one poll loop, loopback, ends by itself after a minute. The fault strikes once, at
 * the FAULT_FRAME-th frame it sees, or the one that --at names (silent, slow, refuse, late: from
 * the start); frames that ask for a receipt do not count. late: right in all but that it accepts
 * one connection each LATE_MS. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apps/asked_wire.h"
#include "broken_server.h"
#include "core/frame.h"

#define FAULT_FRAME 50u
#define LIFE_SECONDS 60u
#define HEADER_BYTES 3u
#define SLOW_PIECE_BYTES 7u
#define LATE_MS 300

static const char *const mode_names[MODE_COUNT] = {"none",    "flip",    "drop",   "duplicate",
                                                   "reorder", "garbage", "reset",  "close",
                                                   "silent",  "slow",    "refuse", "late"};

static void die(const char *call) {
    (void)fprintf(stderr, "broken_server: %s: %s\n", call, strerror(errno));
    exit(EXIT_FAILURE);
}

static void conn_end(broken_conn *conn, bool abort_it) {
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (abort_it && setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0) {
        die("setsockopt");
    }
    (void)close(conn->fd);
    conn->fd = -1;
    conn->used = 0;
}

void conn_write(const broken_conn *conn, const uint8_t *data, size_t bytes) {
    while (bytes > 0 && conn->fd >= 0) {
        const ssize_t sent = send(conn->fd, data, bytes, MSG_NOSIGNAL);

        if (sent <= 0) {
            return;
        }
        data += sent;
        bytes -= (size_t)sent;
    }
}

static bool is_receipt(const uint8_t *frame) {
    return rs_frame_type(frame) == RS_RECEIPT_TYPE;
}

/* What is due for one whole frame: nothing, a receipt, or the frame. */
static void conn_answer(broken_conn *conn, const uint8_t *data, uint32_t bytes) {
    const bool receipt = is_receipt(data);
    uint8_t reply[RS_RECEIPT_BYTES];
    if (!receipt && (rs_frame_type(data) != RS_ASKED_TYPE || !rs_asked_is_pushed(data, bytes))) {
        conn_write(conn, data, bytes);
        return;
    }
    data += receipt ? HEADER_BYTES : RS_ASKED_BODY_AT;
    bytes -= receipt ? HEADER_BYTES : RS_ASKED_BODY_AT;
    conn->sum = rs_sum_add(conn->sum, data, bytes);
    if (receipt) {
        rs_receipt(conn->sum, reply);
        conn->sum = 0;
        conn_write(conn, reply, sizeof reply);
    }
}

static void conn_write_slowly(const broken_conn *conn, const uint8_t *data, size_t bytes) {
    const struct timespec pause = {.tv_nsec = 200000};
    while (bytes > 0) {
        const size_t part = bytes < SLOW_PIECE_BYTES ? bytes : SLOW_PIECE_BYTES;

        conn_write(conn, data, part);
        (void)nanosleep(&pause, NULL);
        data += part;
        bytes -= part;
    }
}

/* Echoes the frame at data with the fault; next_bytes: of a whole frame behind it, else 0. Returns
 * how many bytes were taken. */
static uint32_t strike(broken_server *server, broken_conn *conn, uint8_t *data, uint32_t bytes,
                       uint32_t next_bytes) {
    static const uint8_t garbage[] = {2, 0, 0};
    if (server->mode == MODE_REORDER && next_bytes == 0) {
        conn_answer(conn, data, bytes);
        return bytes; /* nothing to swap it with yet */
    }
    server->struck = true;
    switch (server->mode) {
    case MODE_FLIP:
        data[bytes - 1] ^= 0x40;
        conn_answer(conn, data, bytes);
        return bytes;
    case MODE_DROP:
        return bytes;
    case MODE_DUPLICATE:
        conn_answer(conn, data, bytes);
        conn_answer(conn, data, bytes);
        return bytes;
    case MODE_REORDER:
        conn_answer(conn, data + bytes, next_bytes);
        conn_answer(conn, data, bytes);
        return bytes + next_bytes;
    case MODE_GARBAGE:
        conn_write(conn, garbage, sizeof garbage);
        return bytes;
    case MODE_CLOSE: /* closed outright, with requests unread, it would be a reset */
        (void)shutdown(conn->fd, SHUT_WR);
        conn->muted = true;
        return bytes;
    default:
        conn_end(conn, true);
        return bytes;
    }
}

static uint32_t frame_at(const broken_conn *conn, uint32_t at) {
    uint32_t bytes;
    if (conn->used < at + HEADER_BYTES) {
        return 0;
    }
    bytes = conn->data[at] | (uint32_t)conn->data[at + 1] << 8;
    return bytes >= HEADER_BYTES && at + bytes <= conn->used ? bytes : 0;
}

static void echo_frames(broken_server *server, broken_conn *conn) {
    uint32_t at = 0, bytes;
    while (conn->fd >= 0 && !conn->muted && (bytes = frame_at(conn, at)) > 0) {
        const uint32_t next = frame_at(conn, at + bytes);
        const bool due = server->mode != MODE_NONE && server->mode < MODE_SILENT &&
                         !server->struck && !is_receipt(conn->data + at) &&
                         ++server->frames >= server->fault_frame;

        if (due) {
            at += strike(server, conn, conn->data + at, bytes,
                         next > 0 && is_receipt(conn->data + at + bytes) ? 0 : next);
        } else if (server->mode == MODE_SLOW) {
            conn_write_slowly(conn, conn->data + at, bytes);
            at += bytes;
        } else {
            conn_answer(conn, conn->data + at, bytes);
            at += bytes;
        }
    }
    if (conn->fd >= 0) {
        memmove(conn->data, conn->data + at, conn->used - at);
        conn->used -= at;
    }
}

static void play_frames(broken_server *server, uint32_t index) {
    broken_conn *conn = &server->conns[index];
    uint32_t at = 0, bytes;
    while ((bytes = frame_at(conn, at)) > 0) {
        board_frame(server, index, conn->data + at, bytes);
        at += bytes;
    }
    memmove(conn->data, conn->data + at, conn->used - at);
    conn->used -= at;
}

static void conn_read(broken_server *server, uint32_t index) {
    broken_conn *conn = &server->conns[index];
    const ssize_t got = recv(conn->fd, conn->data + conn->used, BUFFER_BYTES - conn->used, 0);
    if (got <= 0) {
        conn_end(conn, false);
        if (server->board != NULL) {
            board_gone(server, index);
        }
        return;
    }
    conn->used += (uint32_t)got;
    if (server->board != NULL) {
        play_frames(server, index);
    } else if (server->mode == MODE_SILENT || conn->muted) {
        conn->used = 0;
    } else {
        echo_frames(server, conn);
    }
}

static void accept_one(broken_server *server) {
    const int fd = accept(server->listener, NULL, NULL);
    const int on = 1;
    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* only speed */
    for (int i = 0; i < CONNS_MAX; i++) {
        if (server->conns[i].fd < 0) {
            server->conns[i].fd = fd;
            server->conns[i].used = 0;
            server->conns[i].sum = 0;
            server->conns[i].muted = false;
            return;
        }
    }
    (void)close(fd);
}

static int64_t now_ms(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        die("clock_gettime");
    }
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until the listener may be looked at again. */
static int accept_delay(const broken_server *server) {
    const int64_t left = server->accept_ms - now_ms();
    return server->mode == MODE_LATE && left > 0 ? (int)left : 0;
}

static void turn(broken_server *server) {
    const int delay = accept_delay(server);
    struct pollfd fds[CONNS_MAX + 1];
    for (int i = 0; i < CONNS_MAX; i++) {
        fds[i] = (struct pollfd){.fd = server->conns[i].fd, .events = POLLIN};
    }
    fds[CONNS_MAX] = (struct pollfd){.fd = delay > 0 ? -1 : server->listener, .events = POLLIN};
    if (poll(fds, CONNS_MAX + 1, delay > 0 ? delay : -1) < 0 && errno != EINTR) {
        die("poll");
    }
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        if (fds[i].fd >= 0 && fds[i].revents != 0) {
            conn_read(server, i);
        }
    }
    if (fds[CONNS_MAX].revents != 0) {
        accept_one(server);
        server->accept_ms = now_ms() + LATE_MS;
    }
}

/* Bound but not listening: connections are refused, and nobody else gets the port. */
static void open_listener(broken_server *server) {
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof name;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 ||
        bind(server->listener, (const struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&name, &bytes) != 0) {
        die("bind");
    }
    if (server->mode != MODE_REFUSE && listen(server->listener, CONNS_MAX) != 0) {
        die("listen");
    }
    (void)printf("listening on 127.0.0.1:%u\n", ntohs(name.sin_port));
    (void)fflush(stdout);
}

/* --board FAULT: its own kinds; else the mode. */
static broken_mode mode_read(int argc, char **argv, const char **board) {
    const bool whole = argc == 3 || (argc == 5 && strcmp(argv[3], "--at") == 0);
    if (whole && strcmp(argv[1], "--board") == 0 && board_knows(argv[2])) {
        *board = argv[2];
        return MODE_NONE;
    }
    if (whole && strcmp(argv[1], "--mode") == 0) {
        for (int i = 0; i < MODE_COUNT; i++) {
            if (strcmp(argv[2], mode_names[i]) == 0) {
                return (broken_mode)i;
            }
        }
    }
    (void)fprintf(stderr, "broken_server: --mode none|flip|drop|duplicate|reorder|garbage|reset|"
                          "close|silent|slow|refuse|late, or --board FAULT (broken_board.c) "
                          "[--at FRAME]\n");
    exit(2);
}

int main(int argc, char **argv) {
    static broken_server server;
    server.mode = mode_read(argc, argv, &server.board);
    server.fault_frame = argc == 5 ? (uint32_t)strtoul(argv[4], NULL, 10) : FAULT_FRAME;
    for (int i = 0; i < CONNS_MAX; i++) {
        server.conns[i].fd = -1;
    }
    (void)alarm(LIFE_SECONDS); /* the default action ends the process */
    open_listener(&server);
    while (server.mode != MODE_REFUSE) {
        turn(&server);
    }
    (void)pause();
    return EXIT_SUCCESS;
}
