/* SPDX-License-Identifier: MIT */
/* Who is where on the board: players in lists by sector, so that finding those near a cell costs
 * what is near it and not what is on the board. Pure C; knows no frames and sends nothing. One
 * thread for each map. */
#ifndef RS_APPS_BOARD_MAP_H
#define RS_APPS_BOARD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/board_wire.h"
#include "core/app.h"

#define RS_BOARD_PLAYERS_MAX 65536u /* 16 bits of an id are the index, 16 the generation */
#define RS_BOARD_NONE UINT32_MAX

typedef struct rs_board_player {
    uint32_t next, before; /* in its sector's list; RS_BOARD_NONE at its ends */
    uint32_t id;           /* 0: not on the board */
    uint32_t seq;          /* moves so far */
    uint16_t x, y;
    uint16_t generation; /* of the id, the last one used */
    uint8_t name_bytes;
    char name[RS_BOARD_NAME_MAX];
    rs_session *session; /* where its frames go; NULL: not on this shard, or ended */
} rs_board_player;

typedef struct rs_board_map {
    rs_board_player *players; /* [player_count], by index */
    uint32_t *sectors;        /* [columns * rows]: the first player of each */
    uint32_t player_count;
    uint32_t shift; /* a sector has 2^shift by 2^shift cells */
    uint32_t columns, rows;
    uint16_t width, height; /* of the board, in cells */
    uint8_t view;
} rs_board_map;

static inline uint32_t rs_board_index(uint32_t id) {
    return id & (RS_BOARD_PLAYERS_MAX - 1u);
}

/* rs_board_map_open: an empty board. width, height > 0; view odd; player_count in [1,
 * RS_BOARD_PLAYERS_MAX]. False: out of memory; close it then too. */
bool rs_board_map_open(rs_board_map *map, uint16_t width, uint16_t height, uint8_t view,
                       uint32_t player_count);
void rs_board_map_close(rs_board_map *map);

/* rs_board_map_find: the player with exactly this id; NULL if there is none. Any id is legal. */
rs_board_player *rs_board_map_find(const rs_board_map *map, uint32_t id);

/* rs_board_map_add: the player (its id not 0, not on the board) stands at its x, y from now on.
 * rs_board_map_remove: it does not; its id is 0. rs_board_map_move: it stands at x, y. */
void rs_board_map_add(rs_board_map *map, rs_board_player *player);
void rs_board_map_remove(rs_board_map *map, rs_board_player *player);
void rs_board_map_move(rs_board_map *map, rs_board_player *player, uint16_t x, uint16_t y);

/* All players near two cells (of a move; the same cell twice is legal): at least those in view of
 * either. The map must not change meanwhile.
 *
 *     rs_board_scan scan = rs_board_scan_of(map, x, y, to_x, to_y);
 *     while ((player = rs_board_scan_next(&scan)) != NULL) */
typedef struct rs_board_scan {
    const rs_board_map *map;
    uint32_t next; /* index */
    uint32_t column, column_first, column_last, row, row_last;
} rs_board_scan;

rs_board_scan rs_board_scan_of(const rs_board_map *map, uint16_t x, uint16_t y, uint16_t to_x,
                               uint16_t to_y);

static inline rs_board_player *rs_board_scan_next(rs_board_scan *scan) {
    const rs_board_map *map = scan->map;
    rs_board_player *player;
    while (scan->next == RS_BOARD_NONE) {
        if (scan->column == scan->column_last) {
            if (scan->row == scan->row_last) {
                return NULL;
            }
            scan->row++;
            scan->column = scan->column_first;
        } else {
            scan->column++;
        }
        scan->next = map->sectors[scan->row * map->columns + scan->column];
    }
    player = &map->players[scan->next];
    scan->next = player->next;
    return player;
}

#endif
