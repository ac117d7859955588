/* SPDX-License-Identifier: MIT */
/* Frames in, frames out, one copy of the board a thread.
 *
 * A send may end the session that it goes to, and on_close then comes in the middle of a walk over
 * those in view. So no callback changes the lists of players but at its end: who has ended is noted
 * and leaves the board then (copy_begin, copy_end). */
#include "apps/board.h"

#include <stdlib.h>
#include <string.h>

#include "apps/board_log.h"
#include "apps/board_wire.h"
#include "core/assert.h"
#include "core/handle.h"
#include "seam/os.h"

#define BOARD_LOG_BYTES (256u * 1024u) /* of moves that a shard may be ahead of another */
#define BOARD_PIECE_BYTES_MAX 4096u
#define BOARD_LEFT_BYTES 12u
#define BOARD_SECOND_NS 1000000000u

static const rs_option board_rows[] = {
    RS_ROW_UINT(rs_board_settings, width, "board-width", 1, 65535, 400, "cells",
                "app board: cells from west to east"),
    RS_ROW_UINT(rs_board_settings, height, "board-height", 1, 65535, 400, "cells",
                "app board: cells from north to south"),
    RS_ROW_UINT(rs_board_settings, view, "board-view", 1, 255, 15, "cells",
                "app board: side of the square that a player sees, odd"),
    RS_ROW_UINT(rs_board_settings, rate, "board-rate", 0, 1000000, 1000, "frames/s",
                "app board: a session that sends more in a second is a flood, and ends as "
                "protocol; 0 = no limit"),
    RS_ROW_BOOL(rs_board_settings, share, "board-share", true,
                "app board: a frame for several viewers goes from one block to all of them; off: "
                "a copy for each"),
};
const rs_option_table rs_board_options = {board_rows, RS_ROWS(board_rows), NULL};

/* A session: what it plays, and what it has asked for that waits for room in the log. */
typedef struct board_seat {
    rs_session *session;
    uint64_t second_ns;    /* a second that began then has seen ... */
    uint32_t frames;       /* ... so many */
    uint32_t player;       /* index; RS_BOARD_NONE: not logged in */
    uint32_t next, before; /* among those that wait */
    bool waits;
    rs_board_frame asked;
} board_seat;

/* One copy of the board, with those players that are moved here. */
typedef struct board_copy {
    rs_board *board;
    uint32_t number;
    rs_board_map map;
    rs_board_log log;    /* with several copies */
    uint32_t *free_ring; /* [own_count]: own players not in use, the oldest first, so that an id
                            rests before its index is used again */
    uint32_t free_first, free_count;
    uint32_t *ended; /* [own_count]: players whose session has ended */
    uint32_t ended_count;
    uint32_t depth;                 /* callbacks under way */
    uint32_t wait_first, wait_last; /* seats */
    uint64_t random;
} board_copy;

struct rs_board {
    rs_board_settings settings;
    uint32_t copy_count;
    uint32_t own_count;   /* players of a copy: [number * own_count, ) are its own */
    uint32_t seats_shard; /* seats of a shard */
    board_seat *seats;    /* [shards * seats_shard] */
    uint32_t *indexes;    /* [copies * 2 * own_count]: free_ring and ended of each */
    board_copy copies[RS_SHARDS_MAX];
};

static bool board_has_peers(const rs_board *board) {
    RS_DEBUG_ASSERT(board->copy_count > 0);
    return board->copy_count > 1;
}

static uint32_t board_seat_number(const rs_board *board, const rs_session *session) {
    rs_session_id id = rs_session_id_of(session);
    uint32_t index = rs_session_id_index(id);
    RS_ASSERT(index < board->seats_shard);
    return rs_session_id_shard(id) * board->seats_shard + index;
}

static board_seat *board_seat_of(const rs_board *board, const rs_session *session) {
    return &board->seats[board_seat_number(board, session)];
}

static board_copy *board_copy_of(rs_board *board, const rs_session *session) {
    uint32_t shard = rs_session_id_shard(rs_session_id_of(session));
    RS_DEBUG_ASSERT(shard < RS_SHARDS_MAX);
    return &board->copies[board_has_peers(board) ? shard : 0];
}

/* ---- a frame to many */

typedef struct board_out {
    rs_session *lender; /* whose shard has the block; NULL: there is none */
    bool asked;
    uint32_t bytes;
    rs_shared shared;
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
} board_out;

/* Encoded once: every viewer of the shard gets the same bytes of one block. Those of another shard
 * (logic thread) get a copy. */
static void out_send(board_out *out, rs_session *to) {
    RS_ASSERT(out->bytes > 0);
    RS_ASSERT(out->bytes <= RS_BOARD_FRAME_BYTES_MAX);
    if (!out->asked) {
        out->asked = true;
        if (rs_shared_acquire(to, &out->shared)) {
            memcpy(out->shared.data, out->data, out->bytes);
            out->lender = to;
        }
    }
    if (out->lender != NULL && to->ops == out->lender->ops) {
        (void)rs_shared_send(to, &out->shared, out->bytes); /* a failure has closed it */
    } else {
        (void)rs_session_send(to, out->data, out->bytes);
    }
}

static void out_begin(const board_copy *copy, board_out *out, const rs_board_frame *frame) {
    out->lender = NULL;
    out->asked = !copy->board->settings.share;
    out->bytes = rs_board_encode(frame, out->data);
    RS_ASSERT(out->bytes <= RS_BOARD_FRAME_BYTES_MAX);
}

static void out_end(board_out *out) {
    RS_ASSERT(out->lender == NULL || out->asked);
    if (out->lender != NULL) {
        rs_shared_release(out->lender, &out->shared);
    }
}

static void frame_send(rs_session *to, const rs_board_frame *frame) {
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
    RS_ASSERT(to != NULL);
    (void)rs_session_send(to, data, rs_board_encode(frame, data));
}

/* ARRIVED, or PLAYER. */
static rs_board_frame frame_of(const rs_board_player *player, rs_board_type type) {
    rs_board_frame frame = {.type = (uint8_t)type,
                            .id = player->id,
                            .seq = player->seq,
                            .x = player->x,
                            .y = player->y,
                            .name_bytes = player->name_bytes};
    RS_ASSERT(player->name_bytes <= RS_BOARD_NAME_MAX);
    RS_ASSERT(type == RS_BOARD_ARRIVED || type == RS_BOARD_PLAYER);
    memcpy(frame.name, player->name, player->name_bytes);
    return frame;
}

static rs_board_frame frame_left(const rs_board_player *player, rs_board_why why) {
    RS_ASSERT(player->id != 0);
    return (rs_board_frame){
        .type = RS_BOARD_LEFT, .id = player->id, .seq = player->seq, .why = (uint8_t)why};
}

/* ---- what happens on a copy, whoever moved */

static bool copy_sees(const board_copy *copy, const rs_board_player *player, uint16_t x,
                      uint16_t y) {
    RS_ASSERT(player->id != 0);
    return rs_board_in_view(copy->map.view, player->x, player->y, x, y);
}

static void copy_log(board_copy *copy, const board_out *out) {
    RS_ASSERT(out->bytes > 0);
    if (board_has_peers(copy->board)) {
        rs_board_log_add(&copy->log, out->data, out->bytes);
    }
}

static bool copy_owns(const board_copy *copy, const rs_board_player *player) {
    uint32_t index = (uint32_t)(player - copy->map.players);
    RS_ASSERT(index < copy->map.player_count);
    return index / copy->board->own_count == copy->number;
}

static void copy_arrive(board_copy *copy, rs_board_player *player) {
    rs_board_frame frame = frame_of(player, RS_BOARD_ARRIVED);
    rs_board_scan scan = rs_board_scan_of(&copy->map, player->x, player->y, player->x, player->y);
    rs_board_player *other;
    board_out arrived;
    RS_ASSERT(player->id != 0);
    out_begin(copy, &arrived, &frame);
    while ((other = rs_board_scan_next(&scan)) != NULL) {
        if (!copy_sees(copy, other, player->x, player->y)) {
            continue;
        }
        if (other->session != NULL) {
            out_send(&arrived, other->session);
        }
        if (player->session != NULL) {
            frame = frame_of(other, RS_BOARD_ARRIVED);
            frame_send(player->session, &frame);
        }
    }
    rs_board_map_add(&copy->map, player);
    if (copy_owns(copy, player)) {
        copy_log(copy, &arrived);
    }
    out_end(&arrived);
}

static void copy_free(board_copy *copy, const rs_board_player *player) {
    uint32_t own_count = copy->board->own_count;
    RS_ASSERT(copy->free_count < own_count);
    RS_ASSERT(copy_owns(copy, player));
    copy->free_ring[(copy->free_first + copy->free_count++) % own_count] =
        (uint32_t)(player - copy->map.players);
}

static void copy_leave(board_copy *copy, rs_board_player *player) {
    rs_board_frame frame = frame_left(player, RS_BOARD_GONE);
    rs_board_scan scan = rs_board_scan_of(&copy->map, player->x, player->y, player->x, player->y);
    rs_board_player *other;
    board_out left;
    RS_ASSERT(player->session == NULL);
    RS_ASSERT(player->id != 0);
    out_begin(copy, &left, &frame);
    while ((other = rs_board_scan_next(&scan)) != NULL) {
        if (other->session != NULL && copy_sees(copy, other, player->x, player->y)) {
            out_send(&left, other->session);
        }
    }
    rs_board_map_remove(&copy->map, player);
    if (copy_owns(copy, player)) {
        copy_log(copy, &left);
        copy_free(copy, player);
    }
    out_end(&left);
}

/* One of two that now have each other in view, or no longer. */
static void copy_change(const board_copy *copy, rs_board_player *player, rs_board_player *other,
                        board_out *out, rs_board_type type) {
    rs_board_frame frame;
    RS_ASSERT(player != other);
    RS_ASSERT(type == RS_BOARD_LEFT || type == RS_BOARD_ARRIVED);
    if (other->session != NULL) {
        if (out->bytes == 0) {
            frame = type == RS_BOARD_LEFT ? frame_left(player, RS_BOARD_OUT_OF_VIEW)
                                          : frame_of(player, type);
            out_begin(copy, out, &frame);
        }
        out_send(out, other->session);
    }
    if (player->session != NULL) {
        frame =
            type == RS_BOARD_LEFT ? frame_left(other, RS_BOARD_OUT_OF_VIEW) : frame_of(other, type);
        frame_send(player->session, &frame);
    }
}

/* Everybody near both places but the player itself. */
static void copy_move_seen(board_copy *copy, rs_board_player *player, uint16_t from_x,
                           uint16_t from_y, board_out *moved) {
    rs_board_scan scan = rs_board_scan_of(&copy->map, from_x, from_y, player->x, player->y);
    rs_board_player *other;
    board_out arrived = {.bytes = 0};
    board_out left = {.bytes = 0};
    RS_ASSERT(moved->bytes > 0);
    while ((other = rs_board_scan_next(&scan)) != NULL) {
        bool before, after;
        if (other == player || (other->session == NULL && player->session == NULL)) {
            continue;
        }
        before = copy_sees(copy, other, from_x, from_y);
        after = copy_sees(copy, other, player->x, player->y);
        if (before && after) {
            if (other->session != NULL) {
                out_send(moved, other->session);
            }
        } else if (after) {
            copy_change(copy, player, other, &arrived, RS_BOARD_ARRIVED);
        } else if (before) {
            copy_change(copy, player, other, &left, RS_BOARD_LEFT);
        }
    }
    out_end(&arrived);
    out_end(&left);
}

static void copy_move(board_copy *copy, rs_board_player *player, uint16_t x, uint16_t y) {
    uint16_t from_x = player->x, from_y = player->y;
    rs_board_frame frame = {.type = RS_BOARD_MOVED, .id = player->id, .x = x, .y = y};
    board_out moved;
    RS_ASSERT(player->id != 0);
    RS_ASSERT(x < copy->map.width);
    RS_ASSERT(y < copy->map.height);
    frame.seq = ++player->seq;
    rs_board_map_move(&copy->map, player, x, y);
    out_begin(copy, &moved, &frame);
    if (copy_owns(copy, player)) {
        copy_log(copy, &moved);
    }
    if (player->session != NULL) {
        out_send(&moved, player->session);
    }
    copy_move_seen(copy, player, from_x, from_y, &moved);
    out_end(&moved);
}

/* ---- callbacks: begin and end */

static void copy_begin(board_copy *copy) {
    copy->depth++;
}

/* The last one to end takes off the board whose sessions have ended meanwhile, also by what this
 * sends. */
static void copy_end(board_copy *copy) {
    RS_ASSERT(copy->depth > 0);
    RS_ASSERT(copy->ended_count <= copy->board->own_count);
    while (copy->depth == 1 && copy->ended_count > 0) {
        copy_leave(copy, &copy->map.players[copy->ended[--copy->ended_count]]);
    }
    copy->depth--;
}

/* ---- what a session asks for */

static uint16_t copy_random(board_copy *copy, uint32_t below) {
    RS_ASSERT(below > 0);
    RS_ASSERT(copy->random != 0);
    copy->random ^= copy->random >> 12;
    copy->random ^= copy->random << 25;
    copy->random ^= copy->random >> 27;
    return (uint16_t)((copy->random * 0x2545F4914F6CDD1Du >> 32) % below);
}

static rs_board_player *copy_new_player(board_copy *copy, const rs_board_frame *login,
                                        rs_session *session) {
    rs_board_player *player;
    uint32_t index;
    RS_ASSERT(session != NULL);
    RS_ASSERT(login->name_bytes <= RS_BOARD_NAME_MAX);
    RS_ASSERT(copy->free_count <= copy->board->own_count);
    if (copy->free_count == 0) {
        return NULL;
    }
    index = copy->free_ring[copy->free_first];
    copy->free_first = (copy->free_first + 1u) % copy->board->own_count;
    copy->free_count--;
    player = &copy->map.players[index];
    RS_ASSERT(player->id == 0);
    player->generation = (uint16_t)(player->generation + 1u);
    player->generation = player->generation == 0 ? 1 : player->generation;
    player->id = (uint32_t)player->generation << 16 | index;
    player->seq = 0;
    player->x = copy_random(copy, copy->map.width);
    player->y = copy_random(copy, copy->map.height);
    player->session = session;
    player->name_bytes = login->name_bytes;
    memcpy(player->name, login->name, login->name_bytes);
    return player;
}

static void seat_refuse(board_seat *seat, rs_board_type request, rs_board_refusal reason) {
    rs_board_frame frame = {
        .type = RS_BOARD_REFUSED, .request = (uint8_t)request, .reason = (uint8_t)reason};
    RS_ASSERT(seat->session != NULL);
    frame_send(seat->session, &frame);
}

static void seat_log_in(board_copy *copy, board_seat *seat, const rs_board_frame *login) {
    rs_board_player *player = copy_new_player(copy, login, seat->session);
    rs_board_frame frame = {.type = RS_BOARD_WELCOME,
                            .width = copy->map.width,
                            .height = copy->map.height,
                            .view = copy->map.view};
    RS_ASSERT(seat->player == RS_BOARD_NONE);
    RS_ASSERT(login->type == RS_BOARD_LOGIN);
    if (player == NULL) {
        seat_refuse(seat, RS_BOARD_LOGIN, RS_BOARD_FULL);
        return;
    }
    seat->player = (uint32_t)(player - copy->map.players);
    frame.id = player->id;
    frame.x = player->x;
    frame.y = player->y;
    frame_send(seat->session, &frame);
    copy_arrive(copy, player);
}

static void seat_log_out(board_copy *copy, board_seat *seat) {
    rs_board_player *player = &copy->map.players[seat->player];
    rs_board_frame frame = frame_left(player, RS_BOARD_GONE);
    RS_ASSERT(seat->player != RS_BOARD_NONE);
    frame_send(seat->session, &frame);
    if (seat->player != RS_BOARD_NONE) { /* that did not end it */
        seat->player = RS_BOARD_NONE;
        player->session = NULL;
        copy_leave(copy, player);
    }
}

static void seat_move(board_copy *copy, const board_seat *seat, const rs_board_frame *frame) {
    rs_board_player *player = &copy->map.players[seat->player];
    uint16_t x = player->x, y = player->y;
    RS_ASSERT(seat->player != RS_BOARD_NONE);
    RS_ASSERT(frame->type == RS_BOARD_MOVE);
    rs_board_step(frame->direction, copy->map.width, copy->map.height, &x, &y);
    copy_move(copy, player, x, y);
}

static void seat_answer(const board_copy *copy, board_seat *seat, uint32_t id) {
    const rs_board_player *player = rs_board_map_find(&copy->map, id);
    RS_ASSERT(seat->player != RS_BOARD_NONE);
    if (player != NULL) {
        rs_board_frame frame = frame_of(player, RS_BOARD_PLAYER);
        frame_send(seat->session, &frame);
    } else {
        seat_refuse(seat, RS_BOARD_ASK, RS_BOARD_STALE);
    }
}

static void seat_do(board_copy *copy, board_seat *seat, const rs_board_frame *frame) {
    RS_ASSERT(copy->depth > 0);
    switch (frame->type) {
    case RS_BOARD_LOGIN:
        seat_log_in(copy, seat, frame);
        break;
    case RS_BOARD_MOVE:
        seat_move(copy, seat, frame);
        break;
    case RS_BOARD_LOGOUT:
        seat_log_out(copy, seat);
        break;
    default:
        RS_ASSERT(frame->type == RS_BOARD_ASK);
        seat_answer(copy, seat, frame->id);
        break;
    }
}

/* ---- waiting for room in the log */

static void seat_wait(board_copy *copy, board_seat *seat, const rs_board_frame *frame) {
    board_seat *seats = copy->board->seats;
    uint32_t number = (uint32_t)(seat - seats);
    RS_ASSERT(!seat->waits);
    RS_ASSERT((copy->wait_first == RS_BOARD_NONE) == (copy->wait_last == RS_BOARD_NONE));
    seat->waits = true;
    seat->asked = *frame;
    seat->next = RS_BOARD_NONE;
    seat->before = copy->wait_last;
    if (copy->wait_last == RS_BOARD_NONE) {
        copy->wait_first = number;
    } else {
        seats[copy->wait_last].next = number;
    }
    copy->wait_last = number;
    rs_session_pause(seat->session);
}

static void seat_wait_no_more(board_copy *copy, board_seat *seat) {
    board_seat *seats = copy->board->seats;
    RS_ASSERT(seat->waits);
    RS_ASSERT(copy->wait_first != RS_BOARD_NONE);
    seat->waits = false;
    if (seat->before == RS_BOARD_NONE) {
        copy->wait_first = seat->next;
    } else {
        seats[seat->before].next = seat->next;
    }
    if (seat->next == RS_BOARD_NONE) {
        copy->wait_last = seat->before;
    } else {
        seats[seat->next].before = seat->before;
    }
}

static void copy_resume(board_copy *copy) {
    copy_begin(copy);
    while (copy->wait_first != RS_BOARD_NONE && rs_board_log_has_room(&copy->log)) {
        board_seat *seat = &copy->board->seats[copy->wait_first];
        seat_wait_no_more(copy, seat);
        rs_session_resume(seat->session);
        seat_do(copy, seat, &seat->asked);
    }
    copy_end(copy);
}

/* ---- callbacks of a shard's sessions */

static void board_on_open(void *ctx, rs_session *session) {
    *board_seat_of(ctx, session) =
        (board_seat){.session = session, .second_ns = rs_os_now_ns(), .player = RS_BOARD_NONE};
}

/* The clock is read once in so many frames. */
static bool seat_floods(board_seat *seat, uint32_t rate) {
    uint64_t now_ns;
    RS_ASSERT(seat->session != NULL);
    if (rate == 0 || ++seat->frames <= rate) {
        return false;
    }
    now_ns = rs_os_now_ns();
    if (now_ns - seat->second_ns < BOARD_SECOND_NS) {
        return true;
    }
    seat->second_ns = now_ns;
    seat->frames = 1;
    return false;
}

/* The frames of a client, each in its time. */
static bool seat_may(const board_seat *seat, const rs_board_frame *frame) {
    RS_ASSERT(seat->session != NULL);
    switch (frame->type) {
    case RS_BOARD_LOGIN:
        return seat->player == RS_BOARD_NONE;
    case RS_BOARD_MOVE:
    case RS_BOARD_LOGOUT:
    case RS_BOARD_ASK:
        return seat->player != RS_BOARD_NONE;
    default:
        return false;
    }
}

static bool seat_must_wait(const board_copy *copy, const rs_board_frame *frame) {
    RS_ASSERT(copy->depth > 0);
    return board_has_peers(copy->board) &&
           (frame->type == RS_BOARD_MOVE || frame->type == RS_BOARD_LOGIN) &&
           !rs_board_log_has_room(&copy->log);
}

static void board_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    rs_board *board = ctx;
    board_copy *copy = board_copy_of(board, session);
    board_seat *seat = board_seat_of(board, session);
    rs_board_frame frame;
    copy_begin(copy);
    if (seat_floods(seat, board->settings.rate) || !rs_board_decode(data, bytes, &frame) ||
        !seat_may(seat, &frame)) {
        rs_session_reject(session);
    } else if (seat_must_wait(copy, &frame)) {
        seat_wait(copy, seat, &frame);
    } else {
        seat_do(copy, seat, &frame);
    }
    copy_end(copy);
}

static void board_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    board_copy *copy = board_copy_of(ctx, session);
    board_seat *seat = board_seat_of(ctx, session);
    (void)reason;
    copy_begin(copy);
    if (seat->waits) {
        seat_wait_no_more(copy, seat);
    }
    if (seat->player != RS_BOARD_NONE) {
        RS_ASSERT(copy->ended_count < copy->board->own_count);
        copy->map.players[seat->player].session = NULL;
        copy->ended[copy->ended_count++] = seat->player;
        seat->player = RS_BOARD_NONE;
    }
    copy_end(copy);
}

/* ---- between shards */

static bool board_on_turn(void *ctx, const rs_peers *peers) {
    rs_board *board = ctx;
    board_copy *copy;
    RS_ASSERT(peers->shard < board->copy_count);
    copy = &board->copies[peers->shard];
    (void)rs_board_log_tell(&copy->log, peers);
    if (copy->wait_first != RS_BOARD_NONE) {
        copy_resume(copy);
    }
    return !rs_board_log_tell(&copy->log, peers) || copy->wait_first != RS_BOARD_NONE;
}

static void copy_apply(board_copy *copy, const rs_board_frame *frame) {
    rs_board_player *player = &copy->map.players[rs_board_index(frame->id)];
    RS_ASSERT(!copy_owns(copy, player));
    RS_ASSERT(copy->depth > 0);
    RS_ASSERT(board_has_peers(copy->board));
    switch (frame->type) {
    case RS_BOARD_ARRIVED:
        RS_ASSERT(player->id == 0);
        player->id = frame->id;
        player->seq = frame->seq;
        player->x = frame->x;
        player->y = frame->y;
        player->name_bytes = frame->name_bytes;
        memcpy(player->name, frame->name, frame->name_bytes);
        copy_arrive(copy, player);
        break;
    case RS_BOARD_MOVED:
        RS_ASSERT(player->id == frame->id);
        RS_ASSERT(player->seq + 1u == frame->seq);
        copy_move(copy, player, frame->x, frame->y);
        break;
    default:
        RS_ASSERT(frame->type == RS_BOARD_LEFT);
        RS_ASSERT(player->id == frame->id);
        copy_leave(copy, player);
        break;
    }
}

static void board_on_peer(void *ctx, uint32_t to, uint32_t from, const uint8_t *data,
                          uint32_t bytes) {
    rs_board *board = ctx;
    board_copy *copy;
    RS_ASSERT(to < board->copy_count);
    copy = &board->copies[to];
    RS_ASSERT(from < board->copy_count);
    RS_ASSERT(to != from);
    copy_begin(copy);
    while (bytes > 0) {
        rs_board_frame frame;
        uint32_t frame_bytes;
        rs_status whole = rs_frame_parse(data, bytes, RS_BOARD_FRAME_BYTES_MAX, &frame_bytes);
        bool known = whole == RS_OK && rs_board_decode(data, frame_bytes, &frame);
        RS_ASSERT(known);
        RS_ASSERT(rs_board_index(frame.id) / board->own_count == from);
        copy_apply(copy, &frame);
        data += frame_bytes;
        bytes -= frame_bytes;
    }
    copy_end(copy);
}

/* ---- open and close */

static bool copy_open_log(board_copy *copy, const rs_board_config *cfg) {
    uint32_t piece_bytes =
        cfg->frame_bytes_max < BOARD_PIECE_BYTES_MAX ? cfg->frame_bytes_max : BOARD_PIECE_BYTES_MAX;
    uint32_t reserve = copy->board->own_count / (piece_bytes / BOARD_LEFT_BYTES) + 2u;
    RS_ASSERT(cfg->frame_bytes_max >= RS_BOARD_FRAME_BYTES_MAX);
    return !board_has_peers(copy->board) ||
           rs_board_log_open(&copy->log, copy->number, copy->board->copy_count, piece_bytes,
                             BOARD_LOG_BYTES / piece_bytes + reserve, reserve);
}

static bool copy_open(board_copy *copy, const rs_board_config *cfg) {
    const rs_board_settings *settings = &cfg->settings;
    uint32_t own_count = copy->board->own_count;
    RS_ASSERT(own_count > 0);
    RS_ASSERT(copy->number < copy->board->copy_count);
    copy->wait_first = copy->wait_last = RS_BOARD_NONE;
    copy->random = 0x9E3779B97F4A7C15u * (copy->number + 1u);
    copy->free_ring = copy->board->indexes + 2u * (size_t)own_count * copy->number;
    copy->ended = copy->free_ring + own_count;
    if (!rs_board_map_open(&copy->map, (uint16_t)settings->width, (uint16_t)settings->height,
                           (uint8_t)settings->view, own_count * copy->board->copy_count) ||
        !copy_open_log(copy, cfg)) {
        return false;
    }
    for (uint32_t i = 0; i < own_count; i++) {
        copy_free(copy, &copy->map.players[copy->number * own_count + i]);
    }
    return true;
}

static rs_status board_check(const rs_board_config *cfg, rs_error *error) {
    rs_status status = rs_options_check(&rs_board_options, &cfg->settings, error);
    RS_ASSERT(cfg->workers > 0);
    RS_ASSERT(cfg->workers <= RS_SHARDS_MAX);
    if (status != RS_OK) {
        return status;
    }
    if (cfg->settings.view % 2u == 0) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0, "--board-view %u: allowed: odd numbers",
                            cfg->settings.view);
    }
    if (cfg->frame_bytes_max < RS_BOARD_FRAME_BYTES_MAX) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--max-frame %u: --app board takes %u and more", cfg->frame_bytes_max,
                            RS_BOARD_FRAME_BYTES_MAX);
    }
    return RS_OK;
}

rs_status rs_board_open(rs_board **out, const rs_board_config *cfg, rs_error *error) {
    rs_status status = board_check(cfg, error);
    uint32_t share = (cfg->sessions_max + cfg->workers - 1u) / cfg->workers;
    uint32_t own_sessions;
    rs_board *board;
    bool whole;
    *out = NULL;
    if (status != RS_OK) {
        return status;
    }
    board = calloc(1, sizeof *board);
    if (board == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    board->settings = cfg->settings;
    board->copy_count = cfg->logic_thread ? 1 : cfg->workers;
    board->seats_shard = share + RS_CLOSING_SLACK(share); /* as many as the shard has slots */
    own_sessions = board->seats_shard * (cfg->workers / board->copy_count);
    board->own_count = RS_BOARD_PLAYERS_MAX / board->copy_count;
    board->own_count = own_sessions < board->own_count ? own_sessions : board->own_count;
    RS_ASSERT(board->own_count > 0);
    board->seats = calloc((size_t)board->seats_shard * cfg->workers, sizeof *board->seats);
    board->indexes =
        calloc(2u * (size_t)board->own_count * board->copy_count, sizeof *board->indexes);
    whole = board->seats != NULL && board->indexes != NULL;
    for (uint32_t i = 0; i < board->copy_count && whole; i++) {
        board->copies[i].board = board;
        board->copies[i].number = i;
        whole = copy_open(&board->copies[i], cfg);
    }
    if (!whole) {
        rs_board_close(board);
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0,
                            "out of memory for a board of %u by %u cells", cfg->settings.width,
                            cfg->settings.height);
    }
    *out = board;
    return RS_OK;
}

rs_app rs_board_app(rs_board *board) {
    return (rs_app){.ctx = board,
                    .on_open = board_on_open,
                    .on_message = board_on_message,
                    .on_close = board_on_close,
                    .on_turn = board_on_turn,
                    .on_peer = board_on_peer};
}

void rs_board_close(rs_board *board) {
    if (board == NULL) {
        return;
    }
    RS_ASSERT(board->copy_count <= RS_SHARDS_MAX);
    for (uint32_t i = 0; i < board->copy_count; i++) {
        rs_board_map_close(&board->copies[i].map);
        rs_board_log_close(&board->copies[i].log);
    }
    free(board->indexes);
    free(board->seats);
    free(board);
}

uint32_t rs_board_copies(const rs_board *board) {
    RS_ASSERT(board->copy_count > 0);
    return board->copy_count;
}

const rs_board_map *rs_board_copy(const rs_board *board, uint32_t shard) {
    RS_ASSERT(shard < board->copy_count);
    return &board->copies[shard].map;
}
