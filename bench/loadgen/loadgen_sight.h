/* SPDX-License-Identifier: MIT */
/* Whom one bot of --app board has in view, by id, and which of their moves it was told of.
 *
 * A hash table that grows with what is in view; rs_sight_add alone allocates. One thread. */
#ifndef RS_LOADGEN_SIGHT_H
#define RS_LOADGEN_SIGHT_H

#include <stdint.h>

#define RS_SIGHT_GAP_MAX 64u /* how many numbers back a missing move is still remembered */

typedef struct rs_sight_entry {
    uint64_t missing;      /* bit i: move seq - 1 - i was skipped and has not come since */
    uint32_t id, bot;      /* bot: the owner's; never RS_SIGHT_FREE */
    uint32_t seq, arrived; /* number of the newest move told of; of the one it arrived with */
} rs_sight_entry;

#define RS_SIGHT_FREE UINT32_MAX

typedef struct rs_sight {
    rs_sight_entry *entry; /* [size]; those with bot == RS_SIGHT_FREE are free */
    uint32_t size, count;  /* size: 0 or a power of two, at least twice the count */
} rs_sight;

/* What a move's number says about its place among those before it. */
typedef enum rs_sight_order {
    RS_SIGHT_NEXT,      /* the one behind the newest; *lost of them were skipped */
    RS_SIGHT_REORDERED, /* skipped before */
    RS_SIGHT_DUPLICATE, /* told of before, since it arrived */
    RS_SIGHT_STALE      /* not behind its arrival, or too old to tell */
} rs_sight_order;

/* rs_sight_find: NULL: not in view. Valid until the next add or remove. */
rs_sight_entry *rs_sight_find(const rs_sight *sight, uint32_t id);

/* rs_sight_add: id must not be in view (asserted); bot != RS_SIGHT_FREE; seq: of its arrival. Ends
 * the process when there is no memory. */
void rs_sight_add(rs_sight *sight, uint32_t id, uint32_t bot, uint32_t seq);

void rs_sight_remove(rs_sight *sight, rs_sight_entry *entry);

/* rs_sight_order_of: books move `seq` of the entry. *lost: with NEXT, how many were skipped; else
 * 0.
 */
rs_sight_order rs_sight_order_of(rs_sight_entry *entry, uint32_t seq, uint32_t *lost);

/* rs_sight_clear: nobody in view; frees the memory. */
void rs_sight_clear(rs_sight *sight);

#endif
