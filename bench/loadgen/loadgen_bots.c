/* SPDX-License-Identifier: MIT */
/* A bot's name says which one it is, so an arrival is known even before that bot's own WELCOME. */
#include "loadgen/loadgen_bots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define BOTS_STRANGER (RS_SIGHT_FREE - 1u) /* as a number of a bot */
#define BOTS_RING_MIN 256u
#define BOTS_RING_MAX 65536u
#define BOTS_MOVES (1u << 20) /* remembered in all, if each bot's share is within these bounds */
#define BOTS_NOBODY UINT32_MAX
#define BOTS_NAME_BYTES 24u /* any seed and number, and the terminator */

/* ---- memory */

static uint32_t bots_ring(uint32_t count, uint32_t depth) {
    uint32_t ring = BOTS_RING_MIN;
    while (ring < BOTS_RING_MAX && (uint64_t)ring * 2u * count <= BOTS_MOVES) {
        ring *= 2u;
    }
    while (ring < 2u * depth) {
        ring *= 2u;
    }
    return ring;
}

uint64_t rs_bots_bytes_each(uint32_t count, uint32_t depth) {
    return sizeof(rs_bot) + (uint64_t)bots_ring(count, depth) * sizeof(rs_bots_move);
}

bool rs_bots_open(rs_bots *bots, uint32_t seed, uint32_t count, uint32_t depth) {
    *bots = (rs_bots){.seed = seed, .count = count, .ring = bots_ring(count, depth), .heads = 1};
    while (bots->heads < 2u * count) {
        bots->heads *= 2u;
    }
    bots->bot = calloc(count, sizeof *bots->bot);
    bots->move = calloc((size_t)count * bots->ring, sizeof *bots->move);
    bots->head = calloc(bots->heads, sizeof *bots->head);
    bots->next = calloc(count, sizeof *bots->next);
    return bots->bot != NULL && bots->move != NULL && bots->head != NULL && bots->next != NULL;
}

void rs_bots_close(rs_bots *bots) {
    for (uint32_t i = 0; bots->bot != NULL && i < bots->count; i++) {
        rs_sight_clear(&bots->bot[i].sight);
    }
    free(bots->next);
    free(bots->head);
    free(bots->move);
    free(bots->bot);
    *bots = (rs_bots){.count = 0};
}

/* ---- requests */

uint32_t rs_bots_direction(uint32_t seed, uint32_t bot, uint32_t seq) {
    uint64_t h = (uint64_t)seed << 32 ^ (uint64_t)bot << 20 ^ seq / RS_BOTS_STEPS_EACH_WAY;
    h = (h ^ h >> 31) * UINT64_C(0xD6E8FEB86659FD93);
    h = (h ^ h >> 29) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 61);
}

static rs_bots_move *bots_slot(const rs_bots *bots, uint32_t bot, uint32_t seq) {
    return &bots->move[(size_t)bot * bots->ring + (seq & (bots->ring - 1u))];
}

/* Returns its length. */
static uint32_t bots_name(const rs_bots *bots, uint32_t bot, char name[BOTS_NAME_BYTES]) {
    const int n = snprintf(name, BOTS_NAME_BYTES, "b%" PRIx32 ".%" PRIx32, bots->seed, bot);
    RS_ASSERT(n > 0 && (uint32_t)n <= RS_BOARD_NAME_MAX);
    return (uint32_t)n;
}

static uint32_t bots_login(const rs_bots *bots, uint32_t bot, uint8_t *out) {
    rs_board_frame frame = {.type = RS_BOARD_LOGIN};
    char name[BOTS_NAME_BYTES];
    frame.name_bytes = (uint8_t)bots_name(bots, bot, name);
    memcpy(frame.name, name, frame.name_bytes);
    return rs_board_encode(&frame, out);
}

uint32_t rs_bots_request(rs_bots *bots, uint32_t bot, uint64_t sequence, uint32_t move_bytes,
                         uint64_t now_ns, uint8_t *out) {
    rs_bot *self = &bots->bot[bot];
    const rs_board_frame frame = {
        .type = RS_BOARD_MOVE,
        .direction = (uint8_t)rs_bots_direction(bots->seed, bot, (uint32_t)sequence)};
    if (sequence == 0) {
        return bots_login(bots, bot, out);
    }
    RS_ASSERT(self->welcomed && sequence == (uint64_t)self->sent + 1u);
    RS_ASSERT(move_bytes >= RS_BOARD_MOVE_BYTES && move_bytes <= RS_BOARD_MOVE_BYTES_MAX);
    rs_board_step(frame.direction, bots->width, bots->height, &self->x, &self->y);
    self->sent++;
    *bots_slot(bots, bot, self->sent) =
        (rs_bots_move){.sent_ns = now_ns, .seq = self->sent, .x = self->x, .y = self->y};
    (void)rs_board_encode(&frame, out);
    memset(out + RS_BOARD_MOVE_BYTES, 0, move_bytes - RS_BOARD_MOVE_BYTES);
    out[0] = (uint8_t)move_bytes;
    return move_bytes;
}

/* ---- frames */

/* NULL: *fault is its column. */
static const rs_bots_move *bots_recall(rs_bots *bots, uint32_t mover, uint32_t seq,
                                       uint64_t **fault) {
    const rs_bot *bot = &bots->bot[mover];
    if (seq > bot->sent) {
        *fault = &bots->columns.wrong; /* not made yet */
        return NULL;
    }
    if (bot->sent - seq >= bots->ring) {
        *fault = &bots->columns.stale;
        return NULL;
    }
    return bots_slot(bots, mover, seq);
}

static bool bots_sees(const rs_bots *bots, const rs_bot *self, uint16_t x, uint16_t y) {
    return rs_board_in_view(bots->view, self->seen_x, self->seen_y, x, y);
}

/* A position that one frame tells, and another may have told before. */
static bool bots_start(rs_bots *bots, uint32_t bot, const rs_board_frame *frame) {
    rs_bot *self = &bots->bot[bot];
    if (self->has_id) {
        return frame->id == self->id && frame->x == bots_slot(bots, bot, 0)->x &&
               frame->y == bots_slot(bots, bot, 0)->y;
    }
    self->has_id = true;
    self->id = frame->id;
    *bots_slot(bots, bot, 0) = (rs_bots_move){.x = frame->x, .y = frame->y};
    return true;
}

static void bots_reply(rs_bots_event *event, bool right, uint64_t expected, uint64_t sequence) {
    event->is_reply = true;
    event->sequence = sequence;
    event->verdict = !right                 ? RS_PAYLOAD_WRONG
                     : sequence == expected ? RS_PAYLOAD_EXPECTED
                                            : RS_PAYLOAD_OTHER;
}

/* The board is the same for all. */
static bool bots_board(rs_bots *bots, const rs_board_frame *frame) {
    if (bots->view == 0 && frame->view > 0) {
        bots->width = frame->width;
        bots->height = frame->height;
        bots->view = frame->view;
    }
    return bots->view > 0 && frame->view == bots->view && frame->width == bots->width &&
           frame->height == bots->height && frame->x < frame->width && frame->y < frame->height;
}

static void bots_welcome(rs_bots *bots, uint32_t bot, uint64_t expected,
                         const rs_board_frame *frame, rs_bots_event *event) {
    rs_bot *self = &bots->bot[bot];
    bool right = bots_board(bots, frame);
    if (right && !self->welcomed) {
        right = bots_start(bots, bot, frame);
        self->welcomed = right;
        self->x = self->seen_x = frame->x;
        self->y = self->seen_y = frame->y;
    }
    bots_reply(event, right, expected, 0);
}

static void bots_moved_self(rs_bots *bots, uint32_t bot, uint64_t expected,
                            const rs_board_frame *frame, rs_bots_event *event) {
    rs_bot *self = &bots->bot[bot];
    const rs_bots_move *move = bots_slot(bots, bot, frame->seq);
    const bool right =
        frame->seq > 0 && frame->seq == move->seq && frame->x == move->x && frame->y == move->y;
    if (right && frame->seq >= expected) {
        self->seen_x = frame->x;
        self->seen_y = frame->y;
    }
    bots_reply(event, right, expected, frame->seq);
}

/* Where the move belongs among those that this viewer was told of. True: it is one of them. */
static bool bots_order(rs_bots *bots, rs_sight_entry *entry, uint32_t seq) {
    rs_bots_columns *columns = &bots->columns;
    uint32_t lost = 0;
    switch (rs_sight_order_of(entry, seq, &lost)) {
    case RS_SIGHT_NEXT:
        columns->lost += lost;
        return true;
    case RS_SIGHT_REORDERED:
        columns->lost--; /* it was only late */
        columns->reordered++;
        return false;
    case RS_SIGHT_DUPLICATE:
        columns->duplicated++;
        return false;
    case RS_SIGHT_STALE:
        columns->stale++;
        return false;
    }
    RS_UNREACHABLE("an order is one of four");
}

static void bots_moved_other(rs_bots *bots, const rs_bot *self, const rs_board_frame *frame,
                             rs_bots_event *event) {
    rs_sight_entry *entry = rs_sight_find(&self->sight, frame->id);
    const rs_bots_move *move;
    uint64_t *fault = &bots->columns.wrong;
    if (entry == NULL) {
        bots->columns.unknown++;
        return;
    }
    if (entry->bot == BOTS_STRANGER) {
        bots->columns.strangers++;
        return;
    }
    move = bots_recall(bots, entry->bot, frame->seq, &fault);
    if (move == NULL) {
        (*fault)++;
        return;
    }
    if (!bots_order(bots, entry, frame->seq)) {
        return;
    }
    if (frame->x != move->x || frame->y != move->y || !bots_sees(bots, self, move->x, move->y)) {
        bots->columns.wrong++;
        return;
    }
    bots->columns.deliveries++;
    event->sent_ns = move->sent_ns;
    event->mover = entry->bot;
    event->seq = frame->seq;
}

/* Which of our bots has this name; BOTS_STRANGER: none. */
static uint32_t bots_named(const rs_bots *bots, const rs_board_frame *frame) {
    const char *dot = strchr(frame->name, '.');
    char again[BOTS_NAME_BYTES];
    unsigned long number;
    if (dot == NULL) {
        return BOTS_STRANGER;
    }
    number = strtoul(dot + 1, NULL, 16);
    if (number >= bots->count) {
        return BOTS_STRANGER;
    }
    (void)bots_name(bots, (uint32_t)number, again);
    return strcmp(again, frame->name) == 0 ? (uint32_t)number : BOTS_STRANGER;
}

static void bots_arrived(rs_bots *bots, uint32_t viewer, const rs_board_frame *frame) {
    rs_bot *self = &bots->bot[viewer];
    const uint32_t bot = bots_named(bots, frame);
    const rs_bots_move *move;
    uint64_t *fault = &bots->columns.wrong;
    if (rs_sight_find(&self->sight, frame->id) != NULL) {
        bots->columns.duplicated++;
        return;
    }
    if (bot == BOTS_STRANGER) {
        bots->columns.strangers++;
        rs_sight_add(&self->sight, frame->id, bot, frame->seq);
        return;
    }
    if (bot == viewer || (!bots->bot[bot].has_id && !bots_start(bots, bot, frame)) ||
        bots->bot[bot].id != frame->id) {
        bots->columns.wrong++;
        return;
    }
    move = bots_recall(bots, bot, frame->seq, &fault);
    if (frame->seq <= bots->bot[bot].sent) {
        rs_sight_add(&self->sight, frame->id, bot, frame->seq);
    }
    if (move == NULL || frame->x != move->x || frame->y != move->y ||
        !bots_sees(bots, self, move->x, move->y)) {
        (*fault)++;
        return;
    }
    bots->columns.arrivals++;
}

/* LEFT of one of ours: which column it belongs to. Out of view means that it is not in view from
 * where its last move, or ours, has led. */
static uint64_t *bots_departure(rs_bots *bots, const rs_bot *self, rs_sight_entry *entry,
                                const rs_board_frame *frame) {
    uint64_t *fault = &bots->columns.wrong;
    uint32_t lost = 0;
    const rs_bots_move *move = bots_recall(bots, entry->bot, frame->seq, &fault);
    if (move == NULL) {
        return fault;
    }
    if (frame->seq < entry->seq) {
        return &bots->columns.stale;
    }
    if (frame->seq > entry->seq) {
        (void)rs_sight_order_of(entry, frame->seq, &lost);
        bots->columns.lost += lost;
    }
    return frame->why == RS_BOARD_OUT_OF_VIEW && bots_sees(bots, self, move->x, move->y)
               ? &bots->columns.wrong
               : &bots->columns.departures;
}

static void bots_left(rs_bots *bots, rs_bot *self, const rs_board_frame *frame) {
    rs_sight_entry *entry = rs_sight_find(&self->sight, frame->id);
    if (entry == NULL) {
        bots->columns.unknown++;
        return;
    }
    if (entry->bot == BOTS_STRANGER) {
        bots->columns.strangers++;
    } else {
        *bots_departure(bots, self, entry, frame) += 1u;
    }
    rs_sight_remove(&self->sight, entry);
}

void rs_bots_frame(rs_bots *bots, uint32_t bot, uint64_t expected, const uint8_t *data,
                   uint32_t bytes, rs_bots_event *event) {
    rs_bot *self = &bots->bot[bot];
    rs_board_frame frame;
    const bool whole = rs_board_decode(data, bytes, &frame);
    *event = (rs_bots_event){.is_reply = false};
    if (whole && frame.type == RS_BOARD_WELCOME) {
        bots_welcome(bots, bot, expected, &frame, event);
    } else if (whole && frame.type == RS_BOARD_REFUSED) {
        event->is_refused = true;
    } else if (!whole || !self->welcomed) {
        bots->columns.wrong++;
    } else if (frame.type == RS_BOARD_MOVED && frame.id == self->id) {
        bots_moved_self(bots, bot, expected, &frame, event);
    } else if (frame.type == RS_BOARD_MOVED) {
        bots_moved_other(bots, self, &frame, event);
    } else if (frame.type == RS_BOARD_ARRIVED) {
        bots_arrived(bots, bot, &frame);
    } else if (frame.type == RS_BOARD_LEFT) {
        bots_left(bots, self, &frame);
    } else {
        bots->columns.wrong++; /* nothing else was asked for */
    }
}

void rs_bots_leave(rs_bots *bots, uint32_t bot) {
    bots->bot[bot].left = true;
    rs_sight_clear(&bots->bot[bot].sight);
}

/* ---- the last check */

static bool bots_is_here(const rs_bot *bot) {
    return bot->welcomed && !bot->left;
}

static uint32_t *bots_head(const rs_bots *bots, uint32_t cell_x, uint32_t cell_y) {
    const uint64_t h = ((uint64_t)cell_x << 32 | cell_y) * UINT64_C(0x9E3779B97F4A7C15);
    return &bots->head[(uint32_t)(h >> 40) & (bots->heads - 1u)];
}

static void bots_sort(rs_bots *bots) {
    for (uint32_t i = 0; i < bots->heads; i++) {
        bots->head[i] = BOTS_NOBODY;
    }
    for (uint32_t i = 0; i < bots->count; i++) {
        const rs_bot *bot = &bots->bot[i];

        if (bots_is_here(bot)) {
            const uint32_t side = bots->view;
            uint32_t *head = bots_head(bots, bot->x / side, bot->y / side);
            bots->next[i] = *head;
            *head = i;
        }
    }
}

/* How many of that cell the bot should have in view. Cells may share a list. */
static uint32_t bots_in_cell(const rs_bots *bots, const rs_bot *self, uint32_t x, uint32_t y) {
    uint32_t count = 0;
    for (uint32_t i = *bots_head(bots, x, y); i != BOTS_NOBODY; i = bots->next[i]) {
        const rs_bot *other = &bots->bot[i];

        count += other != self && other->x / bots->view == x && other->y / bots->view == y &&
                 rs_board_in_view(bots->view, self->x, self->y, other->x, other->y);
    }
    return count;
}

static uint32_t bots_in_view(const rs_bots *bots, const rs_bot *self) {
    const uint32_t cell_x = self->x / bots->view, cell_y = self->y / bots->view;
    uint32_t count = 0;
    for (uint32_t x = cell_x > 0 ? cell_x - 1u : 0; x <= cell_x + 1u; x++) {
        for (uint32_t y = cell_y > 0 ? cell_y - 1u : 0; y <= cell_y + 1u; y++) {
            count += bots_in_cell(bots, self, x, y);
        }
    }
    return count;
}

static void bots_compare(const rs_bots *bots, const rs_bot *self, uint64_t *lost, uint64_t *stale) {
    uint32_t right = 0;
    for (uint32_t i = 0; i < self->sight.size; i++) {
        const rs_sight_entry *entry = &self->sight.entry[i];
        const rs_bot *other;

        if (entry->bot == RS_SIGHT_FREE || entry->bot == BOTS_STRANGER) {
            continue;
        }
        other = &bots->bot[entry->bot];
        if (bots_is_here(other) &&
            rs_board_in_view(bots->view, self->x, self->y, other->x, other->y)) {
            right++;
            *lost += other->sent - entry->seq;
        } else {
            *stale += 1u;
        }
    }
    *lost += bots_in_view(bots, self) - right;
}

uint64_t rs_bots_apart(rs_bots *bots, bool book) {
    uint64_t lost = 0, stale = 0;
    if (bots->view == 0) {
        return 0; /* nobody has logged in */
    }
    bots_sort(bots);
    for (uint32_t i = 0; i < bots->count; i++) {
        if (bots_is_here(&bots->bot[i])) {
            bots_compare(bots, &bots->bot[i], &lost, &stale);
        }
    }
    if (book) {
        bots->columns.lost += lost;
        bots->columns.stale += stale;
    }
    return lost + stale;
}
