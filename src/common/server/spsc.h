/* SPDX-License-Identifier: MIT */
/* A ring of records of any length between two threads: one writer, one reader, no lock.
 *
 * The bytes are copied in and read in place, so a record never wraps: the rest of the memory is
 * skipped if the next record does not fit there. Positions count bytes and wrap at 2^32; each side
 * keeps a copy of the other's and reads it again only if it must. Nothing here waits or wakes: the
 * user does (server/logic.c). */
#ifndef RS_SERVER_SPSC_H
#define RS_SERVER_SPSC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/status.h"
#include "seam/atomics.h"

typedef struct rs_spsc_record {
    uint64_t value;
    uint32_t kind;  /* the user's; 0 is the ring's own */
    uint32_t bytes; /* of payload, which follows this header */
} rs_spsc_record;

/* The two sides' words are on separate cache lines, or each would slow the other down. */
typedef struct rs_spsc {
    uint8_t *memory;
    uint32_t capacity; /* bytes, a power of two */
    uint8_t pad_0[RS_CACHE_LINE_BYTES];
    rs_atomic_u32 written; /* what the reader may see */
    uint32_t write_at;
    uint32_t read_seen;
    uint8_t pad_1[RS_CACHE_LINE_BYTES];
    rs_atomic_u32 read; /* what the writer may use again */
    uint32_t read_at;
    uint32_t written_seen;
    uint8_t pad_2[RS_CACHE_LINE_BYTES];
} rs_spsc;

/* rs_spsc_record_bytes: the size of one record in a ring. */
static inline uint64_t rs_spsc_record_bytes(uint64_t payload) {
    return (sizeof(rs_spsc_record) + payload + sizeof(rs_spsc_record) - 1) /
           sizeof(rs_spsc_record) * sizeof(rs_spsc_record);
}

/* rs_spsc_init: empty.
 *
 * Params   memory: capacity bytes, 16-byte aligned, the caller's; capacity: a power of two,
 *          [64, 2^31], at least twice rs_spsc_record_bytes of the largest payload, so that one fits
 *          an empty ring wherever it stands (asserted at each push).
 * Thread   before the two begin. */
void rs_spsc_init(rs_spsc *ring, uint8_t *memory, uint32_t capacity);

/* rs_spsc_push: the writer's. RS_OK, or RS_E_FULL: nothing was written.
 *
 * Params   kind: not 0; data: [0, bytes), nullable if bytes is 0. */
rs_status rs_spsc_push(rs_spsc *ring, uint32_t kind, uint64_t value, const void *data,
                       uint32_t bytes);

/* rs_spsc_peek: the reader's next record, NULL when there is none; valid until rs_spsc_done. */
const rs_spsc_record *rs_spsc_peek(rs_spsc *ring);

/* rs_spsc_done: releases the peeked record (asserted to exist) to the writer. */
void rs_spsc_done(rs_spsc *ring);

/* rs_spsc_reader_moved: the reader has released room since the last push. Writer: after a refused
 * push, whether another try may succeed. */
static inline bool rs_spsc_reader_moved(const rs_spsc *ring) {
    return rs_atomic_load_u32(&ring->read) != ring->read_seen;
}

/* rs_spsc_is_read: everything written has been released. Writer. */
static inline bool rs_spsc_is_read(const rs_spsc *ring) {
    return rs_atomic_load_u32(&ring->read) == ring->write_at;
}

/* rs_spsc_pending: bytes written and not yet read, at most the capacity: a bound for a reader that
 * reads only what is there now. Reader. */
static inline uint32_t rs_spsc_pending(const rs_spsc *ring) {
    return rs_atomic_load_u32(&ring->written) - ring->read_at;
}

/* rs_spsc_payload: its first byte, 8-byte aligned. */
static inline const uint8_t *rs_spsc_payload(const rs_spsc_record *record) {
    return (const uint8_t *)(record + 1);
}

#endif
