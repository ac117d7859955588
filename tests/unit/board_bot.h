/* SPDX-License-Identifier: MIT */
/* A client of the board game that believes nothing: it keeps what it has been told and accepts only
 * what the rules of docs/board.md allow (cmocka's assertions). board_bots_agree is the referee:
 * everybody's position in one list, every pair looked at. */
#ifndef RS_TESTS_BOARD_BOT_H
#define RS_TESTS_BOARD_BOT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "apps/board_wire.h"

#define BOT_KNOWN_MAX 256u

typedef struct bot_known {
    uint32_t id, seq;
    uint16_t x, y;
    char name[RS_BOARD_NAME_MAX + 1u];
} bot_known;

typedef struct board_bot {
    bool plays;          /* between WELCOME and the LEFT of its own id */
    uint32_t frames;     /* received, */
    rs_board_frame last; /* the last of them */
    uint32_t refused;
    bot_known self;
    bot_known others[BOT_KNOWN_MAX];
    uint32_t others_count;
} board_bot;

static inline bot_known *bot_find(board_bot *bot, uint32_t id) {
    for (uint32_t i = 0; i < bot->others_count; i++) {
        if (bot->others[i].id == id) {
            return &bot->others[i];
        }
    }
    return NULL;
}

static inline void bot_moved(board_bot *bot, const rs_board_frame *f) {
    bot_known *k = f->id == bot->self.id ? &bot->self : bot_find(bot, f->id);
    assert_non_null(k);
    assert_int_equal(f->seq, k->seq + 1u);
    assert_true(abs(f->x - k->x) <= 1 && abs(f->y - k->y) <= 1);
    k->seq = f->seq;
    k->x = f->x;
    k->y = f->y;
}

static inline void bot_arrived(board_bot *bot, const rs_board_frame *f) {
    bot_known known = {.id = f->id, .seq = f->seq, .x = f->x, .y = f->y};
    assert_null(bot_find(bot, f->id));
    assert_true(bot->others_count < BOT_KNOWN_MAX && f->id != bot->self.id);
    memcpy(known.name, f->name, sizeof known.name);
    if (bot->others_count < BOT_KNOWN_MAX) { /* gcc 14 does not know that the assertion ends it */
        bot->others[bot->others_count++] = known;
    }
}

/* A move that took it out of view has the next number; one's own move, and an end, the last. */
static inline void bot_left(board_bot *bot, const rs_board_frame *f) {
    bot_known *k = bot_find(bot, f->id);
    if (f->id == bot->self.id) {
        assert_int_equal(f->why, RS_BOARD_GONE);
        assert_int_equal(f->seq, bot->self.seq);
        bot->plays = false;
        bot->others_count = 0;
        bot->self.id = 0;
        return;
    }
    assert_non_null(k);
    assert_true(f->seq == k->seq || (f->why == RS_BOARD_OUT_OF_VIEW && f->seq == k->seq + 1u));
    *k = bot->others[--bot->others_count];
}

static inline void bot_take(board_bot *bot, const uint8_t *data, uint32_t bytes) {
    rs_board_frame f;
    assert_true(rs_board_decode(data, bytes, &f));
    bot->frames++;
    bot->last = f;
    if (f.type == RS_BOARD_WELCOME) {
        assert_false(bot->plays);
        bot->plays = true;
        bot->others_count = 0;
        bot->self = (bot_known){.id = f.id, .x = f.x, .y = f.y};
        return;
    }
    if (f.type == RS_BOARD_REFUSED) {
        bot->refused++;
        return;
    }
    assert_true(bot->plays);
    switch (f.type) {
    case RS_BOARD_MOVED:
        bot_moved(bot, &f);
        break;
    case RS_BOARD_ARRIVED:
        bot_arrived(bot, &f);
        break;
    case RS_BOARD_LEFT:
        bot_left(bot, &f);
        break;
    default:
        assert_int_equal(f.type, RS_BOARD_PLAYER);
        break;
    }
}

/* Whom i has in view, and nobody else, with the newest of each. */
static inline void board_bot_agrees(board_bot *const bots[], uint32_t count, uint32_t i,
                                    uint32_t view) {
    const bot_known *self = &bots[i]->self;
    uint32_t seen = 0;
    for (uint32_t j = 0; j < count; j++) {
        const bot_known *other = &bots[j]->self;
        const bot_known *told;
        if (i == j || abs(self->x - other->x) > (int)(view / 2u) ||
            abs(self->y - other->y) > (int)(view / 2u)) {
            continue;
        }
        seen++;
        told = bot_find(bots[i], other->id);
        assert_non_null(told);
        assert_int_equal(told->seq, other->seq);
        assert_true(told->x == other->x && told->y == other->y);
        assert_string_equal(told->name, "somebody");
    }
    assert_int_equal(bots[i]->others_count, seen);
}

#endif
