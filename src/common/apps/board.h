/* SPDX-License-Identifier: MIT */
/* The board game as an application of the server. docs/board.md has the rules, board_wire.h the
 * frames.
 *
 * Every shard has a copy of the whole board. A player is moved by its own shard alone, which tells
 * the others what happened, in order, as the frames that viewers get; each shard then serves its
 * own viewers from its own copy. With a logic thread there is one copy, on that thread.
 *
 * Nothing told is lost: what a full mailbox refuses stays in the shard's log. A log without room
 * makes the shard stop reading from those who move, one by one, until it has some: log room for
 * the departure of every player is always left, for nobody can be kept from leaving. */
#ifndef RS_APPS_BOARD_H
#define RS_APPS_BOARD_H

#include "apps/board_map.h"
#include "core/app.h"
#include "core/options.h"
#include "core/status.h"

typedef struct rs_board_settings {
    uint32_t width, height; /* cells */
    uint32_t view;          /* side of the square that a player sees, odd */
    uint32_t rate;          /* frames a second of one session; more end it; 0 = any number */
    bool share;             /* frames for several viewers by rs_shared_send */
} rs_board_settings;

extern const rs_option_table rs_board_options;

typedef struct rs_board_config {
    rs_board_settings settings;
    uint32_t workers;         /* shards of the server */
    uint32_t sessions_max;    /* of the server */
    uint32_t frame_bytes_max; /* of the server, at least RS_BOARD_FRAME_BYTES_MAX */
    bool logic_thread;        /* of the server */
} rs_board_config;

typedef struct rs_board rs_board;

/* rs_board_open: an empty board, for one server. RS_E_INVALID (a setting, or max-frame too short)
 * or RS_E_NO_MEMORY; *error filled, *out NULL. */
rs_status rs_board_open(rs_board **out, const rs_board_config *cfg, rs_error *error);

/* rs_board_app: the callbacks; ctx is the board. */
rs_app rs_board_app(rs_board *board);

/* rs_board_close: when the server has been joined. NULL is accepted. */
void rs_board_close(rs_board *board);

/* For tests that compare the copies: how many there are, and one of them. Only while no callback
 * can come. */
uint32_t rs_board_copies(const rs_board *board);
const rs_board_map *rs_board_copy(const rs_board *board, uint32_t shard);

#endif
