/* SPDX-License-Identifier: MIT */
/* A cell of the board is two characters wide, because a character is twice as high as wide. */
#include "board_client/play_game.h"

#include <stdio.h>
#include <string.h>

#define PLAY_ESCAPE 0x1Bu
#define PLAY_CTRL_C 0x03u
#define PLAY_CTRL_D 0x04u

/* ---- the game */

static play_other *game_find(play_game *game, uint32_t id) {
    for (uint32_t i = 0; i < game->others; i++) {
        if (game->other[i].id == id) {
            return &game->other[i];
        }
    }
    return NULL;
}

static void game_arrived(play_game *game, const rs_board_frame *frame) {
    play_other *other = game_find(game, frame->id);
    if (other == NULL && game->others == PLAY_OTHERS_MAX) {
        game->beyond++;
        return;
    }
    other = other != NULL ? other : &game->other[game->others++];
    *other = (play_other){.id = frame->id, .x = frame->x, .y = frame->y};
    memcpy(other->name, frame->name, sizeof other->name);
}

static void game_left(play_game *game, uint32_t id) {
    play_other *other = game_find(game, id);
    if (other != NULL) {
        *other = game->other[--game->others];
    } else if (game->beyond > 0) {
        game->beyond--;
    }
}

static void game_moved(play_game *game, const rs_board_frame *frame) {
    play_other *other;
    if (frame->id == game->id) {
        game->x = frame->x;
        game->y = frame->y;
        game->seq = frame->seq;
        return;
    }
    other = game_find(game, frame->id);
    if (other != NULL) {
        other->x = frame->x;
        other->y = frame->y;
    }
}

static const char *game_welcome(play_game *game, const rs_board_frame *frame) {
    if (game->welcomed || frame->view == 0 || frame->x >= frame->width ||
        frame->y >= frame->height) {
        return "the server's WELCOME makes no sense";
    }
    game->welcomed = true;
    game->id = frame->id;
    game->x = frame->x;
    game->y = frame->y;
    game->width = frame->width;
    game->height = frame->height;
    game->view = frame->view;
    return NULL;
}

const char *play_game_frame(play_game *game, const uint8_t *data, uint32_t bytes) {
    rs_board_frame frame;
    if (!rs_board_decode(data, bytes, &frame)) {
        return "the server sent what is no frame of the board game";
    }
    switch (frame.type) {
    case RS_BOARD_WELCOME:
        return game_welcome(game, &frame);
    case RS_BOARD_MOVED:
        game_moved(game, &frame);
        return NULL;
    case RS_BOARD_ARRIVED:
        game_arrived(game, &frame);
        return NULL;
    case RS_BOARD_LEFT:
        game_left(game, frame.id);
        return NULL;
    case RS_BOARD_REFUSED:
        return "the server refused: the board is full";
    default:
        return "the server sent a frame that nobody asked for";
    }
}

/* ---- drawing */

void play_screen_size(play_screen *screen, uint32_t columns, uint32_t rows) {
    screen->columns = columns < PLAY_COLUMNS_MAX ? columns : PLAY_COLUMNS_MAX;
    screen->rows = rows < PLAY_ROWS_MAX ? rows : PLAY_ROWS_MAX;
}

static void screen_put(play_screen *screen, uint32_t column, uint32_t row, char character,
                       play_colour colour) {
    if (column < screen->columns && row < screen->rows) {
        screen->cell[row][column] = (play_cell){.character = character, .colour = (uint8_t)colour};
    }
}

static void screen_text(play_screen *screen, uint32_t column, uint32_t row, const char *text,
                        play_colour colour) {
    for (; *text != '\0'; text++) {
        screen_put(screen, column++, row, *text, colour);
    }
}

static void screen_clear(play_screen *screen) {
    for (uint32_t row = 0; row < screen->rows; row++) {
        for (uint32_t column = 0; column < screen->columns; column++) {
            screen_put(screen, column, row, ' ', PLAY_PLAIN);
        }
    }
}

/* What stands at dx, dy from the north-west corner of the view. */
static void draw_cell(const play_game *game, play_screen *screen, uint32_t dx, uint32_t dy) {
    const uint32_t reach = game->view / 2u;
    const uint32_t x = game->x + dx - reach, y = game->y + dy - reach; /* wraps outside */
    const bool inside = x < game->width && y < game->height;
    screen_put(screen, 2u * dx, dy, inside ? '.' : '#', inside ? PLAY_DIM : PLAY_WALL);
    screen_put(screen, 2u * dx + 1u, dy, inside ? ' ' : '#', inside ? PLAY_DIM : PLAY_WALL);
}

static void draw_others(const play_game *game, play_screen *screen) {
    const uint32_t reach = game->view / 2u, list = 2u * game->view + 2u;
    for (uint32_t i = 0; i < game->others; i++) {
        const play_other *other = &game->other[i];
        const uint32_t dx = other->x + reach - game->x, dy = other->y + reach - game->y;

        if (dx < game->view && dy < game->view) {
            screen_put(screen, 2u * dx, dy, other->name[0], PLAY_OTHER);
        }
        if (i + 3u < screen->rows) {
            screen_text(screen, list, i + 1u, other->name, PLAY_OTHER);
        }
    }
}

static void draw_bar(const play_game *game, play_screen *screen) {
    char text[PLAY_COLUMNS_MAX + 1u];
    const uint32_t row = screen->rows - 1u;
    for (uint32_t i = 0; i < screen->columns; i++) {
        screen_put(screen, i, row, ' ', PLAY_BAR);
    }
    (void)snprintf(text, sizeof text, " %s  at %u,%u of %ux%u  moves %u  arrows: walk  q: quit",
                   game->name, game->x, game->y, game->width, game->height, game->seq);
    screen_text(screen, 0, row, text, PLAY_BAR);
}

void play_game_draw(const play_game *game, play_screen *screen) {
    char text[PLAY_COLUMNS_MAX + 1u];
    screen_clear(screen);
    if (screen->columns < PLAY_COLUMNS_MIN || screen->rows < PLAY_ROWS_MIN) {
        screen_text(screen, 0, 0, "too small", PLAY_PLAIN);
        return;
    }
    if (!game->welcomed) {
        screen_text(screen, 0, 0, "logging in ...", PLAY_PLAIN);
        return;
    }
    for (uint32_t dy = 0; dy < game->view; dy++) {
        for (uint32_t dx = 0; dx < game->view; dx++) {
            draw_cell(game, screen, dx, dy);
        }
    }
    (void)snprintf(text, sizeof text, "in view: %u", game->others + game->beyond);
    screen_text(screen, 2u * game->view + 2u, 0, text, PLAY_PLAIN);
    draw_others(game, screen);
    screen_put(screen, 2u * (game->view / 2u), game->view / 2u, '@', PLAY_SELF);
    draw_bar(game, screen);
}

/* ---- keys */

static uint32_t key_arrow(uint8_t byte) {
    switch (byte) {
    case 'A':
        return 0;
    case 'B':
        return 4;
    case 'C':
        return 2;
    case 'D':
        return 6;
    default:
        return PLAY_KEY_NONE;
    }
}

static uint32_t key_plain(uint8_t byte) {
    switch (byte) {
    case 'k':
        return key_arrow('A');
    case 'j':
        return key_arrow('B');
    case 'l':
        return key_arrow('C');
    case 'h':
        return key_arrow('D');
    case 'q':
    case 'Q':
    case PLAY_CTRL_C:
    case PLAY_CTRL_D:
        return PLAY_KEY_QUIT;
    default:
        return PLAY_KEY_NONE;
    }
}

uint32_t play_key(play_keys *keys, uint8_t byte) {
    if (byte == PLAY_ESCAPE) {
        keys->state = 1;
    } else if (keys->state == 1 && (byte == '[' || byte == 'O')) {
        keys->state = 2;
    } else if (keys->state == 2) {
        keys->state = byte >= '0' && byte <= ';' ? 2u : 0u; /* parameters, or the last byte */
        return key_arrow(byte);
    } else {
        keys->state = 0;
        return key_plain(byte);
    }
    return PLAY_KEY_NONE;
}
