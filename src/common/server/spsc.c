/* SPDX-License-Identifier: MIT */
/* Positions are multiples of a header's size, so a header always fits before the end. */
#include "server/spsc.h"

#include <string.h>

#include "core/assert.h"

#define SPSC_SKIP 0u /* kind of a record that only fills the end of the memory */
#define SPSC_UNIT 16u

_Static_assert(sizeof(rs_spsc_record) == SPSC_UNIT, "a power of two: it divides every capacity");

static rs_spsc_record *spsc_at(const rs_spsc *ring, uint32_t position) {
    void *at = ring->memory + (position & (ring->capacity - 1));
    RS_DEBUG_ASSERT(position % SPSC_UNIT == 0);
    return at;
}

void rs_spsc_init(rs_spsc *ring, uint8_t *memory, uint32_t capacity) {
    RS_ASSERT(capacity >= 64);
    RS_ASSERT(capacity <= UINT32_C(1) << 31);
    RS_ASSERT((capacity & (capacity - 1)) == 0);
    RS_ASSERT((uintptr_t)memory % SPSC_UNIT == 0);
    memset(ring, 0, sizeof *ring);
    ring->memory = memory;
    ring->capacity = capacity;
}

/* Room for this many bytes; reads the reader's word only if the copy is not enough. */
static bool spsc_has_room(rs_spsc *ring, uint32_t need) {
    RS_DEBUG_ASSERT(need > 0);
    RS_DEBUG_ASSERT(need <= ring->capacity);
    if (ring->capacity - (ring->write_at - ring->read_seen) >= need) {
        return true;
    }
    ring->read_seen = rs_atomic_load_u32(&ring->read);
    RS_ASSERT(ring->write_at - ring->read_seen <= ring->capacity);
    return ring->capacity - (ring->write_at - ring->read_seen) >= need;
}

rs_status rs_spsc_push(rs_spsc *ring, uint32_t kind, uint64_t value, const void *data,
                       uint32_t bytes) {
    uint32_t to_end = ring->capacity - (ring->write_at & (ring->capacity - 1));
    uint32_t need = (uint32_t)rs_spsc_record_bytes(bytes);
    uint32_t skip = need > to_end ? to_end : 0;
    rs_spsc_record *record;
    RS_ASSERT(kind != SPSC_SKIP);
    RS_ASSERT(bytes < ring->capacity / 2);
    RS_ASSERT(need <= ring->capacity / 2);
    RS_ASSERT(data != NULL || bytes == 0);
    if (!spsc_has_room(ring, skip + need)) {
        return RS_E_FULL;
    }
    if (skip > 0) {
        *spsc_at(ring, ring->write_at) =
            (rs_spsc_record){.kind = SPSC_SKIP, .bytes = skip - SPSC_UNIT};
        ring->write_at += skip;
    }
    record = spsc_at(ring, ring->write_at);
    *record = (rs_spsc_record){.value = value, .kind = kind, .bytes = bytes};
    if (bytes > 0) {
        memcpy(record + 1, data, bytes);
    }
    ring->write_at += need;
    rs_atomic_store_u32(&ring->written, ring->write_at);
    return RS_OK;
}

/* The record at read_at, possibly a skip; NULL if everything has been read. */
static const rs_spsc_record *spsc_next(rs_spsc *ring) {
    if (ring->read_at == ring->written_seen) {
        ring->written_seen = rs_atomic_load_u32(&ring->written);
        if (ring->read_at == ring->written_seen) {
            return NULL;
        }
    }
    return spsc_at(ring, ring->read_at);
}

const rs_spsc_record *rs_spsc_peek(rs_spsc *ring) {
    const rs_spsc_record *record = spsc_next(ring);
    if (record != NULL && record->kind == SPSC_SKIP) {
        ring->read_at += (uint32_t)rs_spsc_record_bytes(record->bytes);
        RS_ASSERT((ring->read_at & (ring->capacity - 1)) == 0);
        record = spsc_next(ring);
        RS_ASSERT(record != NULL);
        RS_ASSERT(record->kind != SPSC_SKIP); /* written together */
    }
    return record;
}

void rs_spsc_done(rs_spsc *ring) {
    const rs_spsc_record *record = spsc_at(ring, ring->read_at);
    RS_ASSERT(ring->read_at != ring->written_seen);
    RS_ASSERT(record->kind != SPSC_SKIP);
    ring->read_at += (uint32_t)rs_spsc_record_bytes(record->bytes);
    rs_atomic_store_u32(&ring->read, ring->read_at);
    RS_DEBUG_ASSERT(ring->read_at % SPSC_UNIT == 0);
}
