/* SPDX-License-Identifier: MIT */
/* Fixed-size blocks of one memory region, with references and generations.
 *
 * Owns the free list; the memory and the entry table are the caller's (one allocation at start-up,
 * none later). Not synchronised: one shard, one slab. A block is free when its reference count is
 * zero; each acquire gives it a new generation, so that a stale handle is caught (until that one
 * block has been acquired 2^32 times more). Nothing here blocks or allocates. */
#ifndef RS_CORE_SLAB_H
#define RS_CORE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"

typedef struct rs_slice {
    uint32_t index;
    uint32_t generation; /* of the block when it was acquired; never 0 */
} rs_slice;

typedef struct rs_slab_entry {
    uint32_t next_free; /* of a live block: its own index says that it is lent */
    uint32_t generation;
    uint32_t refs; /* 0 = free */
} rs_slab_entry;

typedef struct rs_slab {
    uint8_t *base;          /* contiguous: block i at base + i * block_bytes; NULL if scattered */
    uint8_t **scattered;    /* [count] block addresses (--buffers heap); NULL if contiguous */
    rs_slab_entry *entries; /* [count] */
    uint32_t block_bytes;
    uint32_t count;
    uint32_t free_count;
    uint32_t free_head;
    uint32_t free_low; /* the lowest free_count so far */
} rs_slab;

/* rs_slab_init: all blocks free, every generation 0 (so a zeroed handle is never live).
 *
 * Params   exactly one of base (block_bytes * count bytes, any alignment) and scattered (count
 *          pointers to block_bytes bytes each) is non-NULL; entries: [count]; block_bytes in
 *          [1, UINT32_MAX]; count in [1, UINT32_MAX - 1].
 * Owner    the caller frees all three, when no slice is held any more.
 * Bounds   O(count). */
void rs_slab_init(rs_slab *slab, uint8_t *base, uint8_t **scattered, rs_slab_entry *entries,
                  uint32_t block_bytes, uint32_t count);

/* rs_slab_acquire: one block with one reference, the one freed last first (it is still cached).
 *
 * Returns  false when none is free; *out is unchanged then.
 * Thread   the owner's.  Bounds  O(1). */
bool rs_slab_acquire(rs_slab *slab, rs_slice *out);

/* rs_slab_hold / rs_slab_release: one reference more / less; the last release frees. The handle
 * must be live (asserted: a stale generation is our bug). At most UINT32_MAX references (asserted).
 * Thread   the owner's.  Bounds  O(1). */
void rs_slab_hold(rs_slab *slab, rs_slice slice);
void rs_slab_release(rs_slab *slab, rs_slice slice);

/* rs_slab_lend: one of the references of a live block (asserted) is now held by someone who might
 * return it twice. rs_slab_return: it has been returned; it was lent (asserted). Neither changes
 * the number of references. Thread   the owner's.  Bounds  O(1). */
void rs_slab_lend(rs_slab *slab, rs_slice slice);
void rs_slab_return(rs_slab *slab, rs_slice slice);

/* rs_slab_is_live: does the handle name the block's current generation, with references? Any handle
 * is accepted, even an invalid one. */
static inline bool rs_slab_is_live(const rs_slab *slab, rs_slice slice) {
    return slice.index < slab->count && slab->entries[slice.index].refs != 0 &&
           slab->entries[slice.index].generation == slice.generation;
}

/* rs_slab_is_lent: lent and not returned. Any handle, as above. */
static inline bool rs_slab_is_lent(const rs_slab *slab, rs_slice slice) {
    return rs_slab_is_live(slab, slice) && slab->entries[slice.index].next_free == slice.index;
}

/* rs_slab_data: address of the block, block_bytes long. The handle must be live (asserted). */
static inline uint8_t *rs_slab_data(const rs_slab *slab, rs_slice slice) {
    RS_ASSERT(rs_slab_is_live(slab, slice));
    return slab->base != NULL ? slab->base + (size_t)slice.index * slab->block_bytes
                              : slab->scattered[slice.index];
}

#endif
