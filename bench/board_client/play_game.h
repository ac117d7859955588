/* SPDX-License-Identifier: MIT */
/* What one player knows of the board game, and how it looks on a screen of characters. Pure. */
#ifndef RS_BOARD_CLIENT_PLAY_GAME_H
#define RS_BOARD_CLIENT_PLAY_GAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/board_wire.h"

#define PLAY_OTHERS_MAX 512u /* that are remembered; further ones are counted alone */
#define PLAY_COLUMNS_MAX 200u
#define PLAY_ROWS_MAX 100u
#define PLAY_COLUMNS_MIN 20u /* below this there is nothing to see */
#define PLAY_ROWS_MIN 6u

typedef enum play_colour {
    PLAY_PLAIN,
    PLAY_DIM,
    PLAY_SELF,
    PLAY_OTHER,
    PLAY_WALL,
    PLAY_BAR,
    PLAY_COLOURS
} play_colour;

typedef struct play_cell {
    char character; /* printable ASCII */
    uint8_t colour; /* play_colour */
} play_cell;

typedef struct play_screen {
    uint32_t columns, rows;
    play_cell cell[PLAY_ROWS_MAX][PLAY_COLUMNS_MAX];
} play_screen;

typedef struct play_other {
    uint32_t id;
    uint16_t x, y;
    char name[RS_BOARD_NAME_MAX + 1u];
} play_other;

typedef struct play_game {
    char name[RS_BOARD_NAME_MAX + 1u];
    bool welcomed;
    uint32_t id, seq; /* ours; seq: moves that the server has confirmed */
    uint32_t asked;   /* moves sent */
    uint16_t x, y, width, height;
    uint8_t view;
    play_other other[PLAY_OTHERS_MAX];
    uint32_t others, beyond; /* beyond: in view too, but there was no room to remember them */
} play_game;

/* play_game_frame: takes one whole frame of the server. NULL, or why the game cannot go on (a
 * static text). Any bytes are legal. */
const char *play_game_frame(play_game *game, const uint8_t *data, uint32_t bytes);

/* play_game_draw: the view around the player, who is in view, and a line below. The screen's size
 * is set by the caller; it is cut where it is too small. */
void play_game_draw(const play_game *game, play_screen *screen);

/* play_screen_size: sets the size, within what a screen holds. */
void play_screen_size(play_screen *screen, uint32_t columns, uint32_t rows);

/* Keys, as a terminal sends them: arrows as ESC [ A to D or ESC O A to D, and h j k l. */
typedef struct play_keys {
    uint32_t state; /* bytes of an escape sequence so far */
} play_keys;

#define PLAY_KEY_NONE UINT32_MAX
#define PLAY_KEY_QUIT (UINT32_MAX - 1u)

/* play_key: one byte from the terminal. A direction of the game, PLAY_KEY_QUIT (q, Ctrl+C, end of
 * input), or PLAY_KEY_NONE. */
uint32_t play_key(play_keys *keys, uint8_t byte);

#endif
