/* SPDX-License-Identifier: MIT */
/* Two-level table: chunks are never moved or freed, so a lookup needs no lock. See handles.h. */
#include "handles.h"

#include <stdlib.h>

#include "core/assert.h"

static rs_handle_slot *handles_slot(const rs_handle_table *table, uint32_t index) {
    return &table->chunk[index / RS_HANDLE_CHUNK][index % RS_HANDLE_CHUNK];
}

/* The slot of a handle, whatever its generation; NULL if there is none. */
static rs_handle_slot *handles_named(const rs_handle_table *table, uint64_t handle) {
    uint32_t number = (uint32_t)handle;
    if (number == 0 || number > table->used) {
        return NULL;
    }
    return handles_slot(table, number - 1);
}

static bool handles_grow(rs_handle_table *table) {
    uint32_t chunk = table->used / RS_HANDLE_CHUNK;
    if (chunk >= RS_HANDLE_CHUNKS) {
        return false;
    }
    if (table->chunk[chunk] == NULL) {
        table->chunk[chunk] = calloc(RS_HANDLE_CHUNK, sizeof *table->chunk[chunk]);
    }
    return table->chunk[chunk] != NULL;
}

static bool handles_take(rs_handle_table *table, uint32_t *index) {
    if (table->first_free) {
        *index = table->first_free - 1;
        table->first_free = handles_slot(table, *index)->next_free;
        return true;
    }
    if (!handles_grow(table)) {
        return false;
    }
    *index = table->used++;
    return true;
}

uint64_t rs_handle_open(rs_handle_table *table, void *object) {
    rs_handle_slot *slot;
    uint32_t index;
    RS_ASSERT(object);
    if (!handles_take(table, &index)) {
        return 0;
    }
    slot = handles_slot(table, index);
    RS_ASSERT(slot->object == NULL);
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->object = object;
    table->live++;
    return (uint64_t)slot->generation << 32 | (index + 1);
}

void *rs_handle_find(const rs_handle_table *table, uint64_t handle) {
    const rs_handle_slot *slot = handles_named(table, handle);
    return slot != NULL && slot->generation == handle >> 32 ? slot->object : NULL;
}

bool rs_handle_was(const rs_handle_table *table, uint64_t handle) {
    const rs_handle_slot *slot = handles_named(table, handle);
    uint32_t generation = (uint32_t)(handle >> 32);
    if (slot == NULL || generation == 0) {
        return false;
    }
    return generation < slot->generation ||
           (generation == slot->generation && slot->object == NULL);
}

void *rs_handle_close(rs_handle_table *table, uint64_t handle) {
    void *object = rs_handle_find(table, handle);
    rs_handle_slot *slot;
    if (object == NULL) {
        return NULL;
    }
    slot = handles_named(table, handle);
    slot->object = NULL;
    slot->next_free = table->first_free;
    table->first_free = (uint32_t)handle;
    RS_ASSERT(table->live > 0);
    table->live--;
    return object;
}

void *rs_handle_at(const rs_handle_table *table, uint32_t index) {
    RS_ASSERT(index < table->used);
    return handles_slot(table, index)->object;
}
