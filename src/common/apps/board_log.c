/* SPDX-License-Identifier: MIT */
/* Pieces of one message each, reused when all others have been told them. */
#include "apps/board_log.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

bool rs_board_log_open(rs_board_log *log, uint32_t own, uint32_t shards, uint32_t piece_bytes,
                       uint32_t piece_count, uint32_t reserve) {
    RS_ASSERT(own < shards);
    RS_ASSERT(shards <= RS_SHARDS_MAX);
    RS_ASSERT(piece_bytes > 0);
    RS_ASSERT(piece_count > reserve + 1u);
    *log = (rs_board_log){.piece_bytes = piece_bytes,
                          .piece_count = piece_count,
                          .reserve = reserve,
                          .own = own,
                          .shards = shards};
    log->memory = malloc((size_t)piece_bytes * piece_count);
    log->used = calloc(piece_count, sizeof *log->used);
    return log->memory != NULL && log->used != NULL;
}

void rs_board_log_close(rs_board_log *log) {
    free(log->memory);
    free(log->used);
    *log = (rs_board_log){.memory = NULL};
}

void rs_board_log_add(rs_board_log *log, const uint8_t *frame, uint32_t bytes) {
    uint32_t place = (uint32_t)(log->last % log->piece_count);
    RS_ASSERT(bytes > 0);
    RS_ASSERT(bytes <= log->piece_bytes);
    if (bytes > log->piece_bytes - log->used[place]) {
        log->last++;
        RS_ASSERT(log->last - log->first < log->piece_count);
        place = (uint32_t)(log->last % log->piece_count);
        log->used[place] = 0;
    }
    memcpy(log->memory + (size_t)place * log->piece_bytes + log->used[place], frame, bytes);
    log->used[place] += bytes;
}

/* False: that shard takes no more now. One that has ended takes everything. */
static bool log_tell_one(rs_board_log *log, const rs_peers *peers, uint32_t shard) {
    rs_board_told *told = &log->told[shard];
    for (;;) {
        uint32_t place = (uint32_t)(told->piece % log->piece_count);
        uint32_t bytes = log->used[place] - told->at;
        RS_ASSERT(told->piece <= log->last);
        RS_ASSERT(told->at <= log->used[place]);
        if (bytes > 0 && peers->tell(peers->ctx, shard,
                                     log->memory + (size_t)place * log->piece_bytes + told->at,
                                     bytes) == RS_E_FULL) {
            return false;
        }
        told->at = log->used[place];
        if (told->piece == log->last) {
            return true;
        }
        told->piece++;
        told->at = 0;
    }
}

/* All has been told: the piece is filled from its beginning again, which is in the cache. */
static void log_start_over(rs_board_log *log) {
    log->used[log->last % log->piece_count] = 0;
    for (uint32_t shard = 0; shard < log->shards; shard++) {
        log->told[shard].at = 0;
    }
}

bool rs_board_log_tell(rs_board_log *log, const rs_peers *peers) {
    uint64_t first = log->last;
    bool all = true;
    RS_ASSERT(peers->shard == log->own);
    RS_ASSERT(peers->count == log->shards);
    RS_ASSERT(peers->bytes_max >= log->piece_bytes);
    for (uint32_t shard = 0; shard < log->shards; shard++) {
        if (shard == log->own) {
            continue;
        }
        all = log_tell_one(log, peers, shard) && all;
        first = log->told[shard].piece < first ? log->told[shard].piece : first;
    }
    log->first = first;
    if (all) {
        log_start_over(log);
    }
    return all;
}
