/* SPDX-License-Identifier: MIT */
/* What the two applications of broken_server share: connections, and which fault strikes when. */
#ifndef RS_INTEGRATION_BROKEN_SERVER_H
#define RS_INTEGRATION_BROKEN_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNS_MAX 64
#define BUFFER_BYTES 65536u

typedef enum broken_mode {
    MODE_NONE,
    MODE_FLIP,
    MODE_DROP,
    MODE_DUPLICATE,
    MODE_REORDER,
    MODE_GARBAGE,
    MODE_RESET,
    MODE_CLOSE,
    MODE_SILENT,
    MODE_SLOW,
    MODE_REFUSE,
    MODE_LATE,
    MODE_COUNT
} broken_mode;

typedef struct broken_conn {
    int fd;     /* -1 = none */
    bool muted; /* its stream was ended: reads and says nothing */
    uint32_t used;
    uint64_t sum; /* of pushed frames, since the last receipt */
    uint8_t data[BUFFER_BYTES];
} broken_conn;

typedef struct broken_server {
    broken_mode mode;
    const char *board; /* --board: its fault; NULL: an echo server */
    uint32_t frames, fault_frame;
    bool struck;
    int64_t accept_ms; /* late: when the next connection may be accepted */
    int listener;
    broken_conn conns[CONNS_MAX];
} broken_server;

/* conn_write: all of it; the client may be gone meanwhile, which is its right. */
void conn_write(const broken_conn *conn, const uint8_t *data, size_t bytes);

/* The board game, with the fault server->board (broken_board.c). board_knows: is it one of its
 * faults? board_frame: one frame of this connection. board_gone: it has ended. */
bool board_knows(const char *fault);
void board_frame(broken_server *server, uint32_t conn, const uint8_t *data, uint32_t bytes);
void board_gone(broken_server *server, uint32_t conn);

#endif
