/* SPDX-License-Identifier: MIT */
/* The bots of --app board: what they send, and a referee for all that they are told.
 *
 * All bots are in this process, and a bot's walk is a function of (seed, bot, number of the move).
 * So the referee knows where each stands after each of its moves, and judges every frame: each move
 * of a player in view must come once, in order, with the right position. Pure, but for the memory
 * of what is in view (loadgen_sight.h); time comes in from outside. One thread. */
#ifndef RS_LOADGEN_BOTS_H
#define RS_LOADGEN_BOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/board_wire.h"
#include "loadgen/loadgen_payload.h"
#include "loadgen/loadgen_sight.h"

#define RS_BOTS_FIRST_MOVE 1u     /* number of a bot's first move; its log in is 0 */
#define RS_BOTS_STEPS_EACH_WAY 8u /* moves until a bot turns */

/* Beside the requests' own (loadgen_track.h): what viewers were told. */
typedef struct rs_bots_columns {
    uint64_t deliveries; /* right: a move that a viewer was told of, the mover included */
    uint64_t arrivals;   /* right */
    uint64_t departures; /* right */
    uint64_t lost;       /* moves not told; players in view at the end and not told of */
    uint64_t wrong;      /* not a frame, or a position, number, id that cannot be */
    uint64_t reordered;  /* right, but overtaken by a later one */
    uint64_t duplicated; /* told before; arrivals of who is in view */
    uint64_t unknown;    /* of a player that is not in view */
    uint64_t stale;      /* older than its arrival or than the referee's memory; players that have
                            left and are still in view at the end */
    uint64_t strangers;  /* frames about players that are not ours: not judged */
} rs_bots_columns;

typedef struct rs_bots_move {
    uint64_t sent_ns; /* 0: the position before the first move */
    uint32_t seq;
    uint16_t x, y; /* after it */
} rs_bots_move;

typedef struct rs_bot {
    rs_sight sight;
    uint32_t id;
    uint32_t sent;           /* moves made */
    uint16_t x, y;           /* after the last of them */
    uint16_t seen_x, seen_y; /* after the last one that the server confirmed */
    bool has_id, welcomed;   /* has_id alone: told of by an arrival before its own WELCOME */
    bool left;               /* its connection is over */
} rs_bot;

typedef struct rs_bots {
    uint32_t seed, count;
    rs_bot *bot;           /* [count] */
    rs_bots_move *move;    /* [count][ring]: the newest moves of each */
    uint32_t ring;         /* a power of two */
    uint32_t *head, *next; /* [heads], [count]: of the last check, who stands where */
    uint32_t heads;
    uint16_t width, height; /* as WELCOME said; 0: none yet */
    uint8_t view;
    rs_bots_columns columns;
} rs_bots;

/* What a frame was, for the one who keeps the time. */
typedef struct rs_bots_event {
    bool is_refused;            /* the server takes no more players, or nothing of the kind */
    bool is_reply;              /* to a request of this bot's: verdict and sequence hold */
    rs_payload_verdict verdict; /* as of a reply that should be `expected` */
    uint64_t sequence;          /* 0 = the log in, n = move n */
    uint64_t sent_ns;           /* a right move of another: when it was sent; else 0 */
    uint32_t mover, seq;        /* with sent_ns: which */
} rs_bots_event;

/* rs_bots_open: for `count` bots with at most `depth` moves unanswered. False: no memory.
 * rs_bots_close in any case. */
bool rs_bots_open(rs_bots *bots, uint32_t seed, uint32_t count, uint32_t depth);
void rs_bots_close(rs_bots *bots);

/* rs_bots_bytes_each: bytes that rs_bots_open takes for each bot, about. */
uint64_t rs_bots_bytes_each(uint32_t count, uint32_t depth);

/* rs_bots_request: writes request `sequence` of the bot (0: LOGIN, n: its MOVE n, in order), a MOVE
 * of move_bytes, sent at now_ns (not 0). Returns its length, <= RS_BOARD_FRAME_BYTES_MAX. */
uint32_t rs_bots_request(rs_bots *bots, uint32_t bot, uint64_t sequence, uint32_t move_bytes,
                         uint64_t now_ns, uint8_t *out);

/* rs_bots_frame: judges one whole frame that the bot received; any bytes are legal. expected: the
 * request whose reply is due. Faults are counted here, but for those of replies (the track's). */
void rs_bots_frame(rs_bots *bots, uint32_t bot, uint64_t expected, const uint8_t *data,
                   uint32_t bytes, rs_bots_event *event);

/* rs_bots_leave: the bot's connection is over; it is no longer expected anywhere. */
void rs_bots_leave(rs_bots *bots, uint32_t bot);

/* rs_bots_apart: the referee's last check, when every move has its reply: how far what the bots
 * have in view is from where they stand: players missing, players too many, moves not told.
 * book: these faults are counted. */
uint64_t rs_bots_apart(rs_bots *bots, bool book);

/* rs_bots_direction: of the bot's move `seq`, from 1 on. */
uint32_t rs_bots_direction(uint32_t seed, uint32_t bot, uint32_t seq);

#endif
