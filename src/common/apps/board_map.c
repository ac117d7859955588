/* SPDX-License-Identifier: MIT */
/* Lists of players by sector. */
#include "apps/board_map.h"

#include <stdlib.h>

#include "core/assert.h"

#define MAP_SHIFT 3u           /* 8 by 8 cells: see docs/board.md */
#define MAP_SECTORS_MAX 65536u /* of a large board: then sectors grow */

static uint32_t map_sectors_along(uint32_t cells, uint32_t shift) {
    RS_ASSERT(cells > 0);
    RS_ASSERT(shift < 32u);
    return (cells + (1u << shift) - 1u) >> shift;
}

bool rs_board_map_open(rs_board_map *map, uint16_t width, uint16_t height, uint8_t view,
                       uint32_t player_count) {
    uint32_t shift = MAP_SHIFT;
    RS_ASSERT(width > 0);
    RS_ASSERT(height > 0);
    RS_ASSERT(view % 2u == 1u);
    RS_ASSERT(player_count > 0);
    RS_ASSERT(player_count <= RS_BOARD_PLAYERS_MAX);
    while ((uint64_t)map_sectors_along(width, shift) * map_sectors_along(height, shift) >
           MAP_SECTORS_MAX) {
        shift++;
    }
    *map = (rs_board_map){.player_count = player_count,
                          .shift = shift,
                          .columns = map_sectors_along(width, shift),
                          .rows = map_sectors_along(height, shift),
                          .width = width,
                          .height = height,
                          .view = view};
    map->players = calloc(player_count, sizeof *map->players);
    map->sectors = calloc((size_t)map->columns * map->rows, sizeof *map->sectors);
    if (map->players == NULL || map->sectors == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < map->columns * map->rows; i++) {
        map->sectors[i] = RS_BOARD_NONE;
    }
    return true;
}

void rs_board_map_close(rs_board_map *map) {
    free(map->players);
    free(map->sectors);
    *map = (rs_board_map){.players = NULL};
}

rs_board_player *rs_board_map_find(const rs_board_map *map, uint32_t id) {
    uint32_t index = rs_board_index(id);
    return id != 0 && index < map->player_count && map->players[index].id == id
               ? &map->players[index]
               : NULL;
}

static uint32_t *map_sector(const rs_board_map *map, uint16_t x, uint16_t y) {
    RS_ASSERT(x < map->width);
    RS_ASSERT(y < map->height);
    return &map->sectors[((uint32_t)y >> map->shift) * map->columns + ((uint32_t)x >> map->shift)];
}

static void map_link(rs_board_map *map, rs_board_player *player) {
    uint32_t index = (uint32_t)(player - map->players);
    uint32_t *first = map_sector(map, player->x, player->y);
    RS_ASSERT(index < map->player_count);
    RS_ASSERT(rs_board_index(player->id) == index);
    player->before = RS_BOARD_NONE;
    player->next = *first;
    if (*first != RS_BOARD_NONE) {
        map->players[*first].before = index;
    }
    *first = index;
}

static void map_unlink(rs_board_map *map, const rs_board_player *player) {
    RS_ASSERT(rs_board_index(player->id) == (uint32_t)(player - map->players));
    RS_ASSERT(player->next == RS_BOARD_NONE || player->next < map->player_count);
    if (player->before == RS_BOARD_NONE) {
        *map_sector(map, player->x, player->y) = player->next;
    } else {
        map->players[player->before].next = player->next;
    }
    if (player->next != RS_BOARD_NONE) {
        map->players[player->next].before = player->before;
    }
}

void rs_board_map_add(rs_board_map *map, rs_board_player *player) {
    RS_ASSERT(player->id != 0);
    RS_ASSERT(player->x < map->width);
    RS_ASSERT(player->y < map->height);
    map_link(map, player);
}

void rs_board_map_remove(rs_board_map *map, rs_board_player *player) {
    RS_ASSERT(player->id != 0);
    map_unlink(map, player);
    player->id = 0;
    player->session = NULL;
}

void rs_board_map_move(rs_board_map *map, rs_board_player *player, uint16_t x, uint16_t y) {
    RS_ASSERT(player->id != 0);
    RS_ASSERT(x < map->width);
    RS_ASSERT(y < map->height);
    if (map_sector(map, x, y) == map_sector(map, player->x, player->y)) {
        player->x = x;
        player->y = y;
        return;
    }
    map_unlink(map, player);
    player->x = x;
    player->y = y;
    map_link(map, player);
}

/* The sectors from cell `least` - reach to cell `most` + reach, as far as the board goes. */
static void map_range(const rs_board_map *map, uint32_t a, uint32_t b, uint32_t cells,
                      uint32_t *first, uint32_t *last) {
    uint32_t reach = map->view / 2u;
    uint32_t least = a < b ? a : b;
    uint32_t most = (a < b ? b : a) + reach;
    RS_ASSERT(a < cells);
    RS_ASSERT(b < cells);
    *first = (least > reach ? least - reach : 0u) >> map->shift;
    *last = (most < cells ? most : cells - 1u) >> map->shift;
    RS_ASSERT(*first <= *last);
}

rs_board_scan rs_board_scan_of(const rs_board_map *map, uint16_t x, uint16_t y, uint16_t to_x,
                               uint16_t to_y) {
    rs_board_scan scan = {.map = map};
    map_range(map, x, to_x, map->width, &scan.column_first, &scan.column_last);
    map_range(map, y, to_y, map->height, &scan.row, &scan.row_last);
    scan.column = scan.column_first;
    scan.next = map->sectors[scan.row * map->columns + scan.column];
    return scan;
}
