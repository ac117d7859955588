/* SPDX-License-Identifier: MIT */
/* The free list is a stack threaded through the entries: last freed, first used again, so that a
 * lightly loaded shard works on a few warm blocks instead of cycling through all of them. */
#include "core/slab.h"

#define SLAB_END UINT32_MAX

void rs_slab_init(rs_slab *slab, uint8_t *base, uint8_t **scattered, rs_slab_entry *entries,
                  uint32_t block_bytes, uint32_t count) {
    RS_ASSERT((base != NULL) != (scattered != NULL));
    RS_ASSERT(entries != NULL);
    RS_ASSERT(block_bytes > 0);
    RS_ASSERT(count > 0);
    RS_ASSERT(count < SLAB_END);
    *slab = (rs_slab){
        .base = base,
        .scattered = scattered,
        .entries = entries,
        .block_bytes = block_bytes,
        .count = count,
        .free_count = count,
        .free_head = 0,
        .free_low = count,
    };
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (rs_slab_entry){.next_free = i + 1 < count ? i + 1 : SLAB_END};
    }
}

bool rs_slab_acquire(rs_slab *slab, rs_slice *out) {
    const uint32_t index = slab->free_head;
    if (index == SLAB_END) {
        RS_ASSERT(slab->free_count == 0);
        return false;
    }
    RS_ASSERT(index < slab->count);
    RS_ASSERT(slab->free_count > 0);
    rs_slab_entry *entry = &slab->entries[index];
    RS_ASSERT(entry->refs == 0);
    slab->free_head = entry->next_free;
    slab->free_count--;
    if (slab->free_count < slab->free_low) {
        slab->free_low = slab->free_count;
    }
    entry->refs = 1;
    entry->generation++;
    if (entry->generation == 0) {
        entry->generation = 1; /* 0 stays the generation of no handle */
    }
    out->index = index;
    out->generation = entry->generation;
    RS_ASSERT(slab->free_low <= slab->free_count);
    return true;
}

void rs_slab_hold(rs_slab *slab, rs_slice slice) {
    RS_ASSERT(rs_slab_is_live(slab, slice));
    RS_ASSERT(slab->entries[slice.index].refs < UINT32_MAX);
    slab->entries[slice.index].refs++;
}

void rs_slab_release(rs_slab *slab, rs_slice slice) {
    RS_ASSERT(rs_slab_is_live(slab, slice));
    rs_slab_entry *entry = &slab->entries[slice.index];
    entry->refs--;
    if (entry->refs == 0) {
        RS_ASSERT(slab->free_count < slab->count);
        entry->next_free = slab->free_head;
        slab->free_head = slice.index;
        slab->free_count++;
    }
}

/* A free block is never its own successor, so a newly acquired block is not lent. */
void rs_slab_lend(rs_slab *slab, rs_slice slice) {
    RS_ASSERT(rs_slab_is_live(slab, slice));
    RS_ASSERT(slab->entries[slice.index].next_free != slice.index);
    slab->entries[slice.index].next_free = slice.index;
}

void rs_slab_return(rs_slab *slab, rs_slice slice) {
    RS_ASSERT(rs_slab_is_lent(slab, slice));
    slab->entries[slice.index].next_free = SLAB_END;
}
