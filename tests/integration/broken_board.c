/* SPDX-License-Identifier: MIT */
/* The board game in the shortest form, each connection told of each player by itself, with one
 * fault. It shares the frames with the real server, and nothing else.
 *
 * The faults strike at the fault_frame-th MOVED to another than the mover, once; but hidden (nobody
 * is told of the first players) and ghost (the first player is not told who leaves) always. */
#include <string.h>

#include "apps/board_wire.h"
#include "broken_server.h"

#define BOARD_SIDE 24u
#define BOARD_VIEW 15u
#define HIDDEN 8u

typedef struct board_player {
    bool here;
    rs_board_frame at;                      /* ARRIVED as of now */
    bool sees[CONNS_MAX];                   /* whom it was told of, or should have been */
    uint8_t held[RS_BOARD_FRAME_BYTES_MAX]; /* swapped: waits for the next move of held_id */
    uint32_t held_bytes, held_id;
} board_player;

static board_player players[CONNS_MAX];
static uint32_t logins;

static const char *const faults[] = {"none",    "dropped", "duplicated", "swapped", "misplaced",
                                     "unknown", "stale",   "hidden",     "ghost",   "short"};

bool board_knows(const char *fault) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(fault, faults[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool board_is(const broken_server *server, const char *fault) {
    return strcmp(server->board, fault) == 0;
}

static void board_release(broken_server *server, uint32_t conn) {
    conn_write(&server->conns[conn], players[conn].held, players[conn].held_bytes);
    players[conn].held_bytes = 0;
}

static void board_send(broken_server *server, uint32_t conn, uint8_t type, const rs_board_frame *of,
                       uint8_t why) {
    uint8_t out[RS_BOARD_FRAME_BYTES_MAX];
    board_player *viewer = &players[conn];
    rs_board_frame frame = *of;
    uint32_t bytes;
    frame.type = type;
    frame.why = why;
    bytes = rs_board_encode(&frame, out);
    if (viewer->held_bytes > 0 && frame.id == viewer->held_id && type != RS_BOARD_MOVED) {
        board_release(server, conn); /* nothing came to swap it with: in order, and once more */
        server->struck = false;
    }
    conn_write(&server->conns[conn], out, bytes);
    if (viewer->held_bytes > 0 && frame.id == viewer->held_id) {
        board_release(server, conn);
    }
}

/* MOVED with the fault. */
static void board_strike(broken_server *server, uint32_t conn, const rs_board_frame *moved) {
    board_player *viewer = &players[conn];
    rs_board_frame frame = *moved;
    server->struck = true;
    if (board_is(server, "swapped")) {
        frame.type = RS_BOARD_MOVED;
        viewer->held_id = frame.id;
        viewer->held_bytes = rs_board_encode(&frame, viewer->held);
    } else if (board_is(server, "short")) {
        static const uint8_t frame_too_short[] = {4, 0, RS_BOARD_MOVED, 0};
        conn_write(&server->conns[conn], frame_too_short, sizeof frame_too_short);
    } else if (!board_is(server, "dropped")) {
        frame.x = (uint16_t)(frame.x ^ (board_is(server, "misplaced") ? 1u : 0));
        frame.id += board_is(server, "unknown") ? 1000u : 0;
        board_send(server, conn, RS_BOARD_MOVED, &frame, 0);
        if (board_is(server, "duplicated")) {
            board_send(server, conn, RS_BOARD_MOVED, &frame, 0);
        }
    }
}

static void board_tell_move(broken_server *server, uint32_t conn, const rs_board_frame *moved) {
    const bool once = !board_is(server, "none") && !board_is(server, "hidden") &&
                      !board_is(server, "ghost") && !board_is(server, "stale");
    if (once && !server->struck && ++server->frames >= server->fault_frame) {
        board_strike(server, conn, moved);
    } else {
        board_send(server, conn, RS_BOARD_MOVED, moved, 0);
    }
}

/* viewer gains or loses `of`, or is told of its move. moved: `of` has moved just now. */
static void board_update(broken_server *server, uint32_t viewer, uint32_t of, bool moved) {
    board_player *self = &players[viewer];
    const rs_board_frame *at = &players[of].at;
    const bool sees =
        players[of].here && rs_board_in_view(BOARD_VIEW, self->at.x, self->at.y, at->x, at->y);
    const bool saw = self->sees[of];
    if (viewer == of || !self->here) {
        return;
    }
    self->sees[of] = sees;
    if (board_is(server, "hidden") && at->id <= HIDDEN) {
        return;
    }
    if (saw && sees && moved) {
        board_tell_move(server, viewer, at);
    } else if (sees && !saw) {
        board_send(server, viewer, RS_BOARD_ARRIVED, at, 0);
        if (board_is(server, "stale") && !server->struck && at->seq > 0) {
            server->struck = true;
            board_send(server, viewer, RS_BOARD_MOVED, at, 0);
        }
    } else if (saw && !sees && board_is(server, "ghost") && self->at.id == 1) {
        self->sees[of] = true; /* never told that it left */
    } else if (saw && !sees) {
        board_send(server, viewer, RS_BOARD_LEFT, at,
                   players[of].here ? RS_BOARD_OUT_OF_VIEW : RS_BOARD_GONE);
    }
}

static void board_login(broken_server *server, uint32_t conn, const rs_board_frame *login) {
    board_player *self = &players[conn];
    memset(self, 0, sizeof *self);
    self->here = true;
    self->at = *login;
    self->at.id = ++logins;
    self->at.x = (uint16_t)(logins * 5u % BOARD_SIDE);
    self->at.y = (uint16_t)(logins * 7u % BOARD_SIDE);
    self->at.width = self->at.height = BOARD_SIDE;
    self->at.view = BOARD_VIEW;
    board_send(server, conn, RS_BOARD_WELCOME, &self->at, 0);
}

void board_frame(broken_server *server, uint32_t conn, const uint8_t *data, uint32_t bytes) {
    board_player *self = &players[conn];
    rs_board_frame frame;
    if (!rs_board_decode(data, bytes, &frame)) {
        return;
    }
    if (frame.type == RS_BOARD_LOGIN && !self->here) {
        board_login(server, conn, &frame);
    } else if (frame.type == RS_BOARD_MOVE && self->here) {
        rs_board_step(frame.direction, BOARD_SIDE, BOARD_SIDE, &self->at.x, &self->at.y);
        self->at.seq++;
        board_send(server, conn, RS_BOARD_MOVED, &self->at, 0);
    } else {
        return;
    }
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        board_update(server, i, conn, frame.type == RS_BOARD_MOVE);
        board_update(server, conn, i, false);
    }
}

void board_gone(broken_server *server, uint32_t conn) {
    if (!players[conn].here) {
        return;
    }
    players[conn].here = false;
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        board_update(server, i, conn, false);
        players[i].sees[conn] = false;
        players[conn].sees[i] = false;
    }
}
