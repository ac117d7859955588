/* Lists of send entries over a shared pool; see the header for who may touch what. */
#include "core/sendq.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

void rs_sendq_pool_init(rs_sendq_pool *pool, const rs_sendq_config *cfg) {
    uint32_t own = cfg->blocks->count;
    uint64_t owed = (uint64_t)cfg->members * cfg->reserve + cfg->shared_max;
    RS_ASSERT(cfg->entry_count < RS_SENDQ_NONE && cfg->entry_count >= own + cfg->members);
    RS_ASSERT(cfg->queued_bytes_max > 0 && cfg->reserve > 0 && cfg->members > 0);
    RS_ASSERT(own >= owed && cfg->shared_max > 0 && cfg->reclaim != NULL);
    *pool = (rs_sendq_pool){
        .blocks = cfg->blocks,
        .entries = cfg->entries,
        .entry_count = cfg->entry_count,
        .own_count = own,
        .free_head = RS_SENDQ_NONE,
        .fresh = own,
        .entries_each = (cfg->entry_count - own) / cfg->members,
        .queued_bytes_max = cfg->queued_bytes_max,
        .reserve = cfg->reserve,
        .members_max = cfg->members,
        .shared_max = cfg->shared_max,
        .reclaim = cfg->reclaim,
        .reclaim_ctx = cfg->reclaim_ctx,
        .coalesce = cfg->coalesce,
    };
}

void rs_sendq_init(rs_sendq *queue) {
    *queue = (rs_sendq){.spare = RS_SENDQ_NONE,
                        .head = RS_SENDQ_NONE,
                        .tail = RS_SENDQ_NONE,
                        .unsent = RS_SENDQ_NONE};
}

/* ---- who may have which block */

static void above_push(rs_sendq_pool *pool, rs_sendq *queue) {
    queue->above_before = pool->above_last;
    queue->above_next = NULL;
    if (pool->above_last == NULL) {
        pool->above_first = queue;
    } else {
        pool->above_last->above_next = queue;
    }
    pool->above_last = queue;
}

static void above_remove(rs_sendq_pool *pool, rs_sendq *queue) {
    if (queue->above_before == NULL) {
        RS_ASSERT(pool->above_first == queue);
        pool->above_first = queue->above_next;
    } else {
        queue->above_before->above_next = queue->above_next;
    }
    if (queue->above_next == NULL) {
        RS_ASSERT(pool->above_last == queue);
        pool->above_last = queue->above_before;
    } else {
        queue->above_next->above_before = queue->above_before;
    }
    queue->above_before = queue->above_next = NULL;
}

/* Of its reserve, what it has not taken yet. */
static uint32_t sendq_untaken(const rs_sendq_pool *pool, const rs_sendq *queue) {
    return queue->owned < pool->reserve ? pool->reserve - queue->owned : 0;
}

/* Cuts others until so much is there. */
static bool pool_make_common(rs_sendq_pool *pool, const rs_sendq *asker, uint32_t blocks) {
    while (rs_sendq_common(pool) < blocks) {
        if (!pool->reclaim(pool->reclaim_ctx, asker)) {
            return false;
        }
    }
    return true;
}

bool rs_sendq_join(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(!queue->member && queue->owned == 0 && rs_sendq_is_empty(queue));
    if (!pool_make_common(pool, queue, pool->reserve)) {
        return false;
    }
    RS_ASSERT(pool->members < pool->members_max);
    pool->spoken_for += pool->reserve;
    pool->members++;
    queue->member = true;
    queue->due = queue->promised = 0;
    return true;
}

void rs_sendq_leave(rs_sendq_pool *pool, rs_sendq *queue) {
    if (queue->member) {
        pool->spoken_for -= sendq_untaken(pool, queue) + queue->promised;
        queue->due = queue->promised = 0;
        queue->member = false;
        pool->members--;
    }
}

/* What lies beyond the reserve if `due` more blocks are taken. */
static uint32_t sendq_beyond(const rs_sendq_pool *pool, const rs_sendq *queue, uint32_t due) {
    uint32_t untaken = sendq_untaken(pool, queue);
    return due > untaken ? due - untaken : 0;
}

/* Of the common part, what is not to be read ahead into. */
static uint64_t pool_kept(const rs_sendq_pool *pool) {
    return (uint64_t)(pool->members_max - pool->members) * pool->reserve +
           (pool->shared_max - pool->shared_live);
}

bool rs_sendq_promise(rs_sendq_pool *pool, rs_sendq *queue, uint32_t due) {
    uint32_t beyond = sendq_beyond(pool, queue, due);
    RS_ASSERT(queue->member);
    if (beyond > queue->promised &&
        rs_sendq_common(pool) < beyond - queue->promised + pool_kept(pool)) {
        return false;
    }
    pool->spoken_for += beyond - queue->promised; /* modulo 2^32: it may be less */
    queue->due = due;
    queue->promised = beyond;
    return true;
}

/* Room for this many blocks more: of the reserve, of what was promised, or of the common part. */
static bool sendq_make_room(rs_sendq_pool *pool, const rs_sendq *queue, uint32_t blocks) {
    uint32_t mine = sendq_untaken(pool, queue) + queue->promised;
    return blocks <= mine || pool_make_common(pool, queue, blocks - mine);
}

/* One of the blocks that sendq_make_room found. */
static rs_slice sendq_take(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_slice slice = {.index = 0};
    bool taken = rs_slab_acquire(pool->blocks, &slice);
    RS_ASSERT(taken && queue->member);
    if (queue->owned < pool->reserve) {
        pool->spoken_for--;
    } else if (queue->promised > 0) {
        queue->promised--;
        pool->spoken_for--;
    }
    queue->due -= queue->due > 0 ? 1u : 0u;
    queue->owned++;
    if (queue->owned == pool->reserve + 1u) {
        above_push(pool, queue);
    }
    return slice;
}

/* A block of its own is free again. */
static void sendq_given_back(rs_sendq_pool *pool, rs_sendq *queue) {
    if (queue->owned > pool->reserve) {
        above_remove(pool, queue);
        if (queue->owned - 1u > pool->reserve) {
            above_push(pool, queue); /* it gets on: others have waited longer */
        }
    }
    queue->owned--;
    if (queue->member && queue->owned < pool->reserve) {
        uint32_t beyond = sendq_beyond(pool, queue, queue->due);
        pool->spoken_for++;
        if (beyond < queue->promised) {
            pool->spoken_for -= queue->promised - beyond;
            queue->promised = beyond;
        }
    }
}

/* ---- shared blocks */

static bool pack_is(const rs_sendq_pool *pool, rs_slice slice) {
    return pool->pack.generation != 0 && pool->pack.index == slice.index;
}

/* The last reference but the pool's own has gone, or another block takes its place. */
static void pack_leave(rs_sendq_pool *pool) {
    rs_slice pack = pool->pack;
    pool->pack = pool->packed = (rs_slice){.index = 0};
    pool->pack_used = 0;
    rs_slab_drop(pool->blocks, pack);
    pool->shared_live -= rs_slab_is_live(pool->blocks, pack) ? 0u : 1u;
}

static void shared_drop(rs_sendq_pool *pool, rs_slice slice) {
    uint32_t refs;
    rs_slab_drop(pool->blocks, slice);
    refs = pool->blocks->entries[slice.index].refs;
    if (refs == 0) {
        RS_ASSERT(pool->shared_live > 0);
        pool->shared_live--;
    } else if (refs == 1 && pack_is(pool, slice)) {
        pack_leave(pool);
    }
}

bool rs_sendq_shared_acquire(rs_sendq_pool *pool, rs_slice *out) {
    if (pool->shared_live >= pool->shared_max || rs_sendq_common(pool) == 0 ||
        !rs_slab_acquire(pool->blocks, out)) {
        return false;
    }
    pool->shared_live++;
    return true;
}

void rs_sendq_shared_release(rs_sendq_pool *pool, rs_slice slice) {
    shared_drop(pool, slice);
    if (pool->pack.generation != 0 && pool->blocks->entries[pool->pack.index].refs == 1) {
        pack_leave(pool); /* nobody was sent what went there */
    }
}

/* Copies a small frame behind the one packed before it, so that who was sent both has them in one
 * piece. False: it stays where it is. */
static bool shared_pack(rs_sendq_pool *pool, rs_slice slice, uint32_t bytes) {
    uint32_t room = pool->blocks->block_bytes - pool->pack_used;
    rs_slice fresh;
    if (bytes > pool->blocks->block_bytes / 2u) {
        return false;
    }
    if (pool->pack.generation == 0 || bytes > room) {
        if (!rs_sendq_shared_acquire(pool, &fresh)) {
            return false;
        }
        if (pool->pack.generation != 0) {
            pack_leave(pool);
        }
        pool->pack = fresh;
    }
    pool->packed = slice;
    pool->packed_bytes = bytes;
    pool->packed_at = rs_slab_data(pool->blocks, pool->pack) + pool->pack_used;
    pool->pack_used += bytes;
    memcpy(pool->packed_at, rs_slab_data(pool->blocks, slice), bytes);
    return true;
}

/* Returns where the frame then lies: *slice becomes the block that holds it. */
static uint8_t *shared_pack_if_small(rs_sendq_pool *pool, rs_slice *slice, uint32_t bytes) {
    bool packed = pool->packed.generation == slice->generation &&
                  pool->packed.index == slice->index && bytes <= pool->packed_bytes;
    RS_ASSERT(rs_slab_is_live(pool->blocks, *slice));
    if (packed || shared_pack(pool, *slice, bytes)) {
        *slice = pool->pack;
        return pool->packed_at;
    }
    return rs_slab_data(pool->blocks, *slice);
}

/* ---- entries */

/* The entry is done with; one of a block of ours goes with its block. */
RS_COLD static void sendq_entry_release(rs_sendq_pool *pool, rs_sendq *queue, uint32_t index) {
    if (index < pool->own_count) {
        rs_slab_drop(pool->blocks, pool->entries[index].slice);
        sendq_given_back(pool, queue);
        return;
    }
    RS_ASSERT(queue->shared > 0);
    queue->shared--;
    pool->entries[index].next = pool->free_head;
    pool->free_head = index;
    shared_drop(pool, pool->entries[index].slice);
}

static void sendq_link(rs_sendq_pool *pool, rs_sendq *queue, uint32_t index) {
    pool->entries[index].next = RS_SENDQ_NONE;
    if (queue->tail == RS_SENDQ_NONE) {
        queue->head = index;
    } else {
        pool->entries[queue->tail].next = index;
    }
    queue->tail = index;
    if (queue->unsent == RS_SENDQ_NONE) {
        queue->unsent = index;
    }
}

static void sendq_link_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice, uint8_t *data,
                              uint32_t bytes) {
    uint32_t index = pool->free_head;
    if (index != RS_SENDQ_NONE) {
        pool->free_head = pool->entries[index].next;
    } else {
        index = pool->fresh++;
        RS_ASSERT(index < pool->entry_count);
    }
    rs_slab_hold(pool->blocks, slice);
    pool->entries[index].slice = slice;
    pool->entries[index].bytes = bytes;
    pool->entries[index].data = data;
    queue->shared++;
    queue->queued_bytes += bytes;
    sendq_link(pool, queue, index);
}

/* The entry that may still grow: last, not in flight, a block of ours, with room. */
static rs_sendq_entry *sendq_open_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *tail;
    if (queue->unsent == RS_SENDQ_NONE || queue->tail >= pool->own_count) {
        return NULL;
    }
    tail = &pool->entries[queue->tail];
    return tail->bytes == pool->blocks->block_bytes ? NULL : tail;
}

RS_COLD static rs_sendq_entry *sendq_take_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *tail;
    rs_slice slice;
    if (!sendq_make_room(pool, queue, 1)) {
        return NULL;
    }
    slice = sendq_take(pool, queue);
    tail = &pool->entries[slice.index];
    tail->data = rs_slab_data(pool->blocks, slice);
    tail->slice = slice;
    tail->bytes = 0;
    sendq_link(pool, queue, slice.index);
    return tail;
}

static inline rs_sendq_entry *sendq_new_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    uint32_t spare = queue->spare;
    if (spare == RS_SENDQ_NONE) {
        return sendq_take_tail(pool, queue);
    }
    queue->spare = RS_SENDQ_NONE;
    pool->entries[spare].bytes = 0;
    sendq_link(pool, queue, spare);
    return &pool->entries[spare];
}

/* The same, out of line for those that are not in a hurry. */
RS_COLD static rs_sendq_entry *sendq_next_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    return sendq_new_tail(pool, queue);
}

static void sendq_fill(rs_sendq *queue, rs_sendq_entry *tail, const uint8_t *data, uint32_t bytes) {
    memcpy(tail->data + tail->bytes, data, bytes);
    tail->bytes += bytes;
    queue->queued_bytes += bytes;
}

/* More than the present tail (nullable) has room for. All of it, or nothing. */
RS_COLD static rs_status sendq_append_long(rs_sendq_pool *pool, rs_sendq *queue,
                                           rs_sendq_entry *tail, const uint8_t *data,
                                           uint32_t bytes) {
    uint32_t block_bytes = pool->blocks->block_bytes;
    uint32_t room = tail != NULL ? block_bytes - tail->bytes : 0;
    uint32_t blocks = (uint32_t)(((uint64_t)bytes - room + block_bytes - 1u) / block_bytes);
    RS_ASSERT(bytes > room);
    if (!sendq_make_room(pool, queue, blocks - (queue->spare != RS_SENDQ_NONE ? 1u : 0u))) {
        return RS_E_NO_BUFFERS;
    }
    for (;;) {
        uint32_t part = room < bytes ? room : bytes;
        if (part > 0) {
            sendq_fill(queue, tail, data, part);
        }
        data += part;
        bytes -= part;
        if (bytes == 0) {
            return RS_OK;
        }
        tail = sendq_next_tail(pool, queue);
        RS_ASSERT(tail != NULL);
        room = block_bytes;
    }
}

/* Without coalescing each append has a block of its own, but not at the price of the session, ...
 */
RS_COLD static bool sendq_is_short(const rs_sendq_pool *pool, const rs_sendq *queue) {
    return (queue->owned >= pool->reserve || queue->due > 0) &&
           rs_sendq_common(pool) <= pool_kept(pool);
}

/* ... nor of what the answers behind it were promised: the block is one more than those. */
RS_COLD static void sendq_ask_one_more(rs_sendq_pool *pool, rs_sendq *queue) {
    if (queue->due > 0 && sendq_open_tail(pool, queue) != NULL) {
        uint32_t beyond = sendq_beyond(pool, queue, ++queue->due);
        RS_ASSERT(beyond <= queue->promised + 1u);
        pool->spoken_for += beyond - queue->promised;
        queue->promised = beyond;
    }
}

rs_status rs_sendq_append(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data,
                          uint32_t bytes) {
    rs_sendq_entry *tail = NULL;
    RS_ASSERT(bytes > 0 && queue->queued_bytes <= pool->queued_bytes_max);
    if (bytes > pool->queued_bytes_max - queue->queued_bytes) {
        return RS_E_FULL;
    }
    if (pool->coalesce || sendq_is_short(pool, queue)) {
        tail = sendq_open_tail(pool, queue);
    } else {
        sendq_ask_one_more(pool, queue);
    }
    if (tail == NULL) {
        if (bytes > pool->blocks->block_bytes) {
            return sendq_append_long(pool, queue, NULL, data, bytes);
        }
        tail = sendq_new_tail(pool, queue);
        if (tail == NULL) {
            return RS_E_NO_BUFFERS;
        }
    } else if (bytes > pool->blocks->block_bytes - tail->bytes) {
        return sendq_append_long(pool, queue, tail, data, bytes);
    }
    sendq_fill(queue, tail, data, bytes);
    return RS_OK;
}

/* Into the entry that is last already, if that costs less than a send more. */
static bool sendq_extend_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                const uint8_t *data, uint32_t bytes) {
    rs_sendq_entry *tail = &pool->entries[queue->tail];
    if (queue->tail < pool->own_count) {
        if (bytes > RS_SHARED_COPY_MAX || bytes > pool->blocks->block_bytes - tail->bytes) {
            return false;
        }
        sendq_fill(queue, tail, data, bytes);
        return true;
    }
    if (tail->slice.index != slice.index || tail->data + tail->bytes != data) {
        return false;
    }
    tail->bytes += bytes;
    queue->queued_bytes += bytes;
    return true;
}

rs_status rs_sendq_append_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                 uint32_t bytes) {
    const uint8_t *original = rs_slab_data(pool->blocks, slice);
    uint8_t *data;
    RS_ASSERT(bytes > 0 && bytes <= pool->blocks->block_bytes);
    if (bytes > pool->queued_bytes_max - queue->queued_bytes) {
        return RS_E_FULL;
    }
    data = shared_pack_if_small(pool, &slice, bytes);
    if (pool->coalesce && queue->unsent != RS_SENDQ_NONE &&
        sendq_extend_shared(pool, queue, slice, data, bytes)) {
        return RS_OK;
    }
    if (queue->shared == pool->entries_each) {
        /* Not from `data`: a reclaim may free the block that it was packed into. */
        return rs_sendq_append(pool, queue, original, bytes);
    }
    sendq_link_shared(pool, queue, slice, data, bytes);
    return RS_OK;
}

rs_sendq_entry *rs_sendq_post(rs_sendq_pool *pool, rs_sendq *queue, uint64_t now_ns) {
    rs_sendq_entry *entry;
    if (queue->unsent == RS_SENDQ_NONE) {
        return NULL;
    }
    entry = &pool->entries[queue->unsent];
    RS_ASSERT(entry->bytes > 0);
    entry->posted_ns = now_ns;
    queue->unsent = entry->next;
    queue->in_flight++;
    return entry;
}

uint32_t rs_sendq_complete(rs_sendq_pool *pool, rs_sendq *queue, uint64_t *posted_ns) {
    uint32_t index = queue->head;
    uint32_t bytes;
    RS_ASSERT(queue->in_flight > 0);
    RS_ASSERT(index != RS_SENDQ_NONE && index != queue->unsent);
    bytes = pool->entries[index].bytes;
    if (posted_ns != NULL) {
        *posted_ns = pool->entries[index].posted_ns;
    }
    queue->head = pool->entries[index].next;
    if (queue->head == RS_SENDQ_NONE) {
        queue->tail = RS_SENDQ_NONE;
    }
    queue->in_flight--;
    RS_ASSERT(queue->queued_bytes >= bytes);
    queue->queued_bytes -= bytes;
    /* Request and reply, the commonest traffic: the same block again, no way through the pool. */
    if (queue->head == RS_SENDQ_NONE && queue->spare == RS_SENDQ_NONE && index < pool->own_count) {
        queue->spare = index;
    } else {
        sendq_entry_release(pool, queue, index);
    }
    return bytes;
}

void rs_sendq_refuse(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data, uint32_t bytes) {
    uint32_t before = RS_SENDQ_NONE;
    uint32_t at = queue->head;
    RS_ASSERT(queue->in_flight > 0);
    while (pool->entries[at].data != data || pool->entries[at].bytes != bytes) {
        before = at;
        at = pool->entries[at].next;
        RS_ASSERT(at != queue->unsent);
    }
    if (before == RS_SENDQ_NONE) {
        queue->head = pool->entries[at].next;
    } else {
        pool->entries[before].next = pool->entries[at].next;
    }
    if (queue->tail == at) {
        queue->tail = before;
    }
    queue->in_flight--;
    queue->queued_bytes -= bytes;
    sendq_entry_release(pool, queue, at);
}

void rs_sendq_discard(rs_sendq_pool *pool, rs_sendq *queue) {
    uint32_t index = queue->unsent;
    uint32_t last_in_flight = RS_SENDQ_NONE;
    uint32_t at = queue->head;
    if (queue->spare != RS_SENDQ_NONE) {
        sendq_entry_release(pool, queue, queue->spare);
        queue->spare = RS_SENDQ_NONE;
    }
    for (uint32_t i = 0; i < queue->in_flight; i++) {
        last_in_flight = at;
        at = pool->entries[at].next;
    }
    RS_ASSERT(at == index);
    while (index != RS_SENDQ_NONE) {
        uint32_t next = pool->entries[index].next;
        queue->queued_bytes -= pool->entries[index].bytes;
        sendq_entry_release(pool, queue, index);
        index = next;
    }
    queue->unsent = RS_SENDQ_NONE;
    queue->tail = last_in_flight;
    if (last_in_flight == RS_SENDQ_NONE) {
        queue->head = RS_SENDQ_NONE;
    } else {
        pool->entries[last_in_flight].next = RS_SENDQ_NONE;
    }
}
