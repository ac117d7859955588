/* SPDX-License-Identifier: MIT */
/* The arrays of a shard's application timers (core/app_timers.h), wherever their table is: on the
 * shard, or with a logic thread on that. Zeroed: there are none. */
#ifndef RS_SERVER_TIMER_MEMORY_H
#define RS_SERVER_TIMER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/app_timers.h"
#include "core/assert.h"

typedef struct rs_timer_memory {
    rs_timer_node *nodes;    /* [timers] */
    uint32_t *generations;   /* [timers] */
    rs_timer_entry *entries; /* [timers] */
    uint32_t *first;         /* [slots] */
} rs_timer_memory;

/* rs_timer_memory_alloc: false: no memory. The caller frees it either way. */
static inline bool rs_timer_memory_alloc(rs_timer_memory *out, uint32_t timers, uint32_t slots) {
    RS_ASSERT(out->nodes == NULL);
    RS_ASSERT(timers > 0 && slots > 0);
    out->nodes = calloc(timers, sizeof *out->nodes);
    out->generations = calloc(timers, sizeof *out->generations);
    out->entries = calloc(timers, sizeof *out->entries);
    out->first = calloc(slots, sizeof *out->first);
    return out->nodes != NULL && out->generations != NULL && out->entries != NULL &&
           out->first != NULL;
}

static inline void rs_timer_memory_free(const rs_timer_memory *memory) {
    RS_ASSERT(memory != NULL);
    free(memory->nodes);
    free(memory->generations);
    free(memory->entries);
    free(memory->first);
}

#endif
