/* SPDX-License-Identifier: MIT */
/* Completions not yet returned by poll: a ring of fixed capacity.
 *
 * Owns nothing: the records are the back end's, allocated once, as many as the sum of everything
 * that can be in flight. Overflow is therefore our own bug and asserted. One thread. */
#ifndef RS_SEAM_READY_RING_H
#define RS_SEAM_READY_RING_H

#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/op.h"

typedef struct rs_ready_ring {
    rs_completion *records; /* [capacity] */
    uint32_t capacity;
    uint32_t head; /* oldest record */
    uint32_t count;
} rs_ready_ring;

/* rs_ready_init: an empty ring over records[0..capacity), capacity in [1, UINT32_MAX / 2]. */
static inline void rs_ready_init(rs_ready_ring *ring, rs_completion *records, uint32_t capacity) {
    RS_ASSERT(records != NULL);
    RS_ASSERT(capacity > 0);
    RS_ASSERT(capacity <= UINT32_MAX / 2u);
    *ring = (rs_ready_ring){.records = records, .capacity = capacity};
}

/* rs_ready_next: appends a record, which the caller fills in. There is room (asserted). */
static inline rs_completion *rs_ready_next(rs_ready_ring *ring) {
    uint32_t tail = ring->head + ring->count;
    RS_ASSERT(ring->count < ring->capacity);
    ring->count++;
    return &ring->records[tail < ring->capacity ? tail : tail - ring->capacity];
}

/* rs_ready_take: removes the oldest record (asserted to exist); its content stays valid until the
 * next append. An empty ring restarts at its first record, so that light traffic stays in a few
 * cache lines. */
static inline const rs_completion *rs_ready_take(rs_ready_ring *ring) {
    const rs_completion *oldest = &ring->records[ring->head];
    RS_ASSERT(ring->count > 0);
    ring->count--;
    ring->head = ring->count == 0 || ring->head + 1u == ring->capacity ? 0 : ring->head + 1u;
    return oldest;
}

#endif
