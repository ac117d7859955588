/* SPDX-License-Identifier: MIT */
/* What a shard of the board has to tell all others: frames in order, and how far each of the others
 * has been told. Bounded; nothing is dropped. One thread. */
#ifndef RS_APPS_BOARD_LOG_H
#define RS_APPS_BOARD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/app.h"
#include "core/limits.h"

typedef struct rs_board_told {
    uint64_t piece;
    uint32_t at;
} rs_board_told;

typedef struct rs_board_log {
    uint8_t *memory; /* [piece_count * piece_bytes] */
    uint32_t *used;  /* [piece_count]: bytes; no frame crosses from one piece into the next */
    uint32_t piece_bytes, piece_count, reserve;
    uint32_t own, shards;
    uint64_t last, first; /* the piece that is filled, the oldest not told to all; piece i lies in
                             place i % piece_count */
    rs_board_told told[RS_SHARDS_MAX];
} rs_board_log;

/* rs_board_log_open: a log of shard `own` for all others of `shards`. reserve: of the pieces, those
 * for which rs_board_log_has_room does not answer; piece_count > reserve + 1. False: out of memory;
 * close it then too. */
bool rs_board_log_open(rs_board_log *log, uint32_t own, uint32_t shards, uint32_t piece_bytes,
                       uint32_t piece_count, uint32_t reserve);
void rs_board_log_close(rs_board_log *log);

/* rs_board_log_has_room: one more frame, of whatever length, does not touch the reserve. */
static inline bool rs_board_log_has_room(const rs_board_log *log) {
    return log->last - log->first + 1u + log->reserve < log->piece_count;
}

/* rs_board_log_add: [1, piece_bytes] bytes; that there is room is the caller's promise
 * (asserted). */
void rs_board_log_add(rs_board_log *log, const uint8_t *frame, uint32_t bytes);

/* rs_board_log_tell: as much as the others take now, in messages of whole frames. True: all of it.
 */
bool rs_board_log_tell(rs_board_log *log, const rs_peers *peers);

#endif
