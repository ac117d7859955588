/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing; a removal closes the gap behind it, so that a search may
 * stop at the first free entry. */
#include "loadgen/loadgen_sight.h"

#include <stddef.h>
#include <stdlib.h>

#include "core/assert.h"

#define SIGHT_SIZE_MIN 8u

static uint32_t sight_home(const rs_sight *sight, uint32_t id) {
    return (uint32_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & (sight->size - 1u);
}

/* Its entry, or the free one where it would stand. size > 0. */
static rs_sight_entry *sight_place(const rs_sight *sight, uint32_t id) {
    uint32_t at = sight_home(sight, id);
    while (sight->entry[at].bot != RS_SIGHT_FREE && sight->entry[at].id != id) {
        at = (at + 1u) & (sight->size - 1u);
    }
    return &sight->entry[at];
}

rs_sight_entry *rs_sight_find(const rs_sight *sight, uint32_t id) {
    rs_sight_entry *entry;
    if (sight->count == 0) {
        return NULL;
    }
    entry = sight_place(sight, id);
    return entry->bot != RS_SIGHT_FREE ? entry : NULL;
}

static void sight_grow(rs_sight *sight) {
    const rs_sight old = *sight;
    sight->size = old.size > 0 ? 2u * old.size : SIGHT_SIZE_MIN;
    sight->entry = malloc(sight->size * sizeof *sight->entry);
    if (sight->entry == NULL) {
        rs_fatal("malloc", 0, "out of memory for the players in view");
    }
    for (uint32_t i = 0; i < sight->size; i++) {
        sight->entry[i].bot = RS_SIGHT_FREE;
    }
    for (uint32_t i = 0; i < old.size; i++) {
        if (old.entry[i].bot != RS_SIGHT_FREE) {
            *sight_place(sight, old.entry[i].id) = old.entry[i];
        }
    }
    free(old.entry);
}

void rs_sight_add(rs_sight *sight, uint32_t id, uint32_t bot, uint32_t seq) {
    rs_sight_entry *entry;
    RS_ASSERT(bot != RS_SIGHT_FREE);
    if (2u * (sight->count + 1u) > sight->size) {
        sight_grow(sight);
    }
    entry = sight_place(sight, id);
    RS_ASSERT(entry->bot == RS_SIGHT_FREE);
    *entry = (rs_sight_entry){.id = id, .bot = bot, .seq = seq, .arrived = seq};
    sight->count++;
}

void rs_sight_remove(rs_sight *sight, rs_sight_entry *entry) {
    const uint32_t mask = sight->size - 1u;
    uint32_t hole = (uint32_t)(entry - sight->entry);
    uint32_t at = hole;
    RS_ASSERT(sight->count > 0 && entry->bot != RS_SIGHT_FREE);
    sight->count--;
    for (;;) {
        at = (at + 1u) & mask;
        if (sight->entry[at].bot == RS_SIGHT_FREE) {
            break;
        }
        /* It may move to the hole unless its home lies behind the hole. */
        if (((at - sight_home(sight, sight->entry[at].id)) & mask) >= ((at - hole) & mask)) {
            sight->entry[hole] = sight->entry[at];
            hole = at;
        }
    }
    sight->entry[hole].bot = RS_SIGHT_FREE;
}

static rs_sight_order sight_late(rs_sight_entry *entry, uint32_t seq) {
    const uint32_t back = entry->seq - seq; /* 0: the newest itself */
    const uint64_t bit = back > 0 ? UINT64_C(1) << ((back - 1u) % RS_SIGHT_GAP_MAX) : 0;
    if (seq <= entry->arrived || back > RS_SIGHT_GAP_MAX) {
        return RS_SIGHT_STALE;
    }
    if ((entry->missing & bit) == 0) {
        return RS_SIGHT_DUPLICATE;
    }
    entry->missing &= ~bit;
    return RS_SIGHT_REORDERED;
}

rs_sight_order rs_sight_order_of(rs_sight_entry *entry, uint32_t seq, uint32_t *lost) {
    *lost = 0;
    if (seq <= entry->seq) {
        return sight_late(entry, seq);
    }
    *lost = seq - entry->seq - 1u;
    /* The newest so far becomes bit *lost, those skipped the bits below it. */
    if (*lost >= RS_SIGHT_GAP_MAX) {
        entry->missing = UINT64_MAX;
    } else {
        entry->missing = *lost + 1u < RS_SIGHT_GAP_MAX ? entry->missing << (*lost + 1u) : 0;
        entry->missing |= (UINT64_C(1) << *lost) - 1u;
    }
    entry->seq = seq;
    return RS_SIGHT_NEXT;
}

void rs_sight_clear(rs_sight *sight) {
    free(sight->entry);
    *sight = (rs_sight){.entry = NULL};
}
