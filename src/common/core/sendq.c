/* SPDX-License-Identifier: MIT */
/* Lists of send entries over a shared pool; the header says who owns what. */
#include "core/sendq.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

void rs_sendq_pool_init(rs_sendq_pool *pool, const rs_sendq_config *cfg) {
    uint32_t own = cfg->blocks->count;
    uint32_t block_bytes = cfg->blocks->block_bytes;
    uint32_t each;
    uint64_t owed = (uint64_t)cfg->members * cfg->reserve + cfg->shared_max;
    RS_ASSERT(cfg->entry_count < RS_SENDQ_NONE);
    RS_ASSERT(cfg->entry_count >= own + cfg->members);
    RS_ASSERT(cfg->queued_bytes_max > 0);
    RS_ASSERT(cfg->reserve > 0);
    RS_ASSERT(cfg->members > 0);
    RS_ASSERT(own >= owed);
    RS_ASSERT(cfg->shared_max > 0);
    RS_ASSERT(cfg->reclaim != NULL);
    RS_ASSERT(cfg->entries != NULL);
    each = (cfg->entry_count - own) / cfg->members;
    *pool = (rs_sendq_pool){
        .blocks = cfg->blocks,
        .entries = cfg->entries,
        .entry_count = cfg->entry_count,
        .shared_entries = cfg->entries + own,
        .free_head = RS_SENDQ_NONE,
        .fresh = own,
        .entries_each = each < UINT16_MAX ? each : UINT16_MAX,
        .room_kept = block_bytes < cfg->queued_bytes_max ? block_bytes : cfg->queued_bytes_max,
        .queued_bytes_max = cfg->queued_bytes_max,
        .reserve = cfg->reserve,
        .members_max = cfg->members,
        .shared_max = cfg->shared_max,
        .reclaim = cfg->reclaim,
        .reclaim_ctx = cfg->reclaim_ctx,
        .coalesce = cfg->coalesce,
    };
    pool->room_kept = cfg->coalesce ? pool->room_kept : 0;
}

void rs_sendq_init(rs_sendq *queue) {
    *queue = (rs_sendq){.spare = RS_SENDQ_NONE};
}

/* ---- who may have which block */

static void above_push(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(queue->owned > pool->reserve);
    RS_ASSERT((pool->above_first == NULL) == (pool->above_last == NULL));
    RS_ASSERT(queue->above_before == NULL);
    RS_ASSERT(queue->above_next == NULL);
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
    RS_ASSERT(queue->owned > pool->reserve);
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

/* The unused part of its reserve. */
static uint32_t sendq_untaken(const rs_sendq_pool *pool, const rs_sendq *queue) {
    RS_ASSERT(pool->reserve > 0);
    RS_ASSERT(queue->owned <= pool->blocks->count);
    return queue->owned < pool->reserve ? pool->reserve - queue->owned : 0;
}

/* Cuts others until so much is there. */
static bool pool_make_common(rs_sendq_pool *pool, const rs_sendq *asker, uint32_t blocks) {
    RS_ASSERT(blocks > 0);
    RS_ASSERT(blocks <= pool->blocks->count);
    while (rs_sendq_common(pool) < blocks) {
        if (!pool->reclaim(pool->reclaim_ctx, asker)) {
            return false;
        }
    }
    return true;
}

bool rs_sendq_join(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(!queue->member);
    RS_ASSERT(queue->owned == 0);
    RS_ASSERT(rs_sendq_is_empty(queue));
    if (!pool_make_common(pool, queue, pool->reserve)) {
        return false;
    }
    RS_ASSERT(pool->members < pool->members_max);
    pool->spoken_for += pool->reserve;
    pool->members++;
    queue->member = true;
    queue->due = queue->promised = 0;
    RS_ASSERT(pool->spoken_for <= pool->blocks->free_count);
    return true;
}

void rs_sendq_leave(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(queue->promised <= queue->due);
    if (queue->member) {
        RS_ASSERT(pool->members > 0);
        RS_ASSERT(pool->spoken_for >= sendq_untaken(pool, queue) + queue->promised);
        pool->spoken_for -= sendq_untaken(pool, queue) + queue->promised;
        queue->due = queue->promised = 0;
        queue->member = false;
        queue->room = 0;
        pool->members--;
    }
    RS_ASSERT(queue->promised == 0);
}

/* The blocks beyond the reserve if `due` more are taken. */
static uint32_t sendq_beyond(const rs_sendq_pool *pool, const rs_sendq *queue, uint32_t due) {
    uint32_t untaken = sendq_untaken(pool, queue);
    RS_ASSERT(queue->member);
    return due > untaken ? due - untaken : 0;
}

/* The part of the common pool that reading ahead must leave alone. */
static uint64_t pool_kept(const rs_sendq_pool *pool) {
    RS_ASSERT(pool->members <= pool->members_max);
    RS_ASSERT(pool->shared_live <= pool->shared_max);
    return (uint64_t)(pool->members_max - pool->members) * pool->reserve +
           (pool->shared_max - pool->shared_live);
}

bool rs_sendq_promise(rs_sendq_pool *pool, rs_sendq *queue, uint32_t due) {
    uint32_t beyond = sendq_beyond(pool, queue, due);
    RS_ASSERT(queue->member);
    RS_ASSERT(queue->promised <= queue->due);
    if (beyond > queue->promised &&
        rs_sendq_common(pool) < beyond - queue->promised + pool_kept(pool)) {
        return false;
    }
    pool->spoken_for += beyond - queue->promised; /* modulo 2^32: it may be less */
    queue->due = due;
    queue->promised = beyond;
    RS_ASSERT(pool->spoken_for <= pool->blocks->free_count);
    return true;
}

/* Makes room for this many more blocks: from the reserve, the promise or the common pool. */
static bool sendq_make_room(rs_sendq_pool *pool, const rs_sendq *queue, uint32_t blocks) {
    uint32_t mine = sendq_untaken(pool, queue) + queue->promised;
    RS_ASSERT(queue->member);
    return blocks <= mine || pool_make_common(pool, queue, blocks - mine);
}

/* One of the blocks that sendq_make_room found. */
static rs_slice sendq_acquire(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_slice slice = {.index = 0};
    bool taken = rs_slab_acquire(pool->blocks, &slice);
    RS_ASSERT(taken);
    RS_ASSERT(queue->member);
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
    RS_ASSERT(queue->promised <= queue->due);
    return slice;
}

/* A block of its own is free again. */
static void sendq_released(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(queue->owned > 0);
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
    RS_ASSERT(pool->spoken_for <= pool->blocks->free_count);
}

/* ---- shared blocks */

static bool pack_is(const rs_sendq_pool *pool, rs_slice slice) {
    RS_ASSERT(pool->pack.generation != 0 || pool->pack_used == 0);
    RS_ASSERT(pool->pack_used <= pool->blocks->block_bytes);
    return pool->pack.generation != 0 && pool->pack.index == slice.index;
}

/* The last reference except the pool's is gone, or another block replaces it. */
static void pack_leave(rs_sendq_pool *pool) {
    rs_slice pack = pool->pack;
    RS_ASSERT(pool->shared_live > 0);
    RS_ASSERT(pack.generation != 0);
    pool->pack = pool->packed = (rs_slice){.index = 0};
    pool->pack_used = 0;
    rs_slab_release(pool->blocks, pack);
    pool->shared_live -= rs_slab_is_live(pool->blocks, pack) ? 0u : 1u;
}

static void shared_release(rs_sendq_pool *pool, rs_slice slice) {
    uint32_t refs;
    RS_ASSERT(pool->shared_live > 0);
    RS_ASSERT(rs_slab_is_live(pool->blocks, slice));
    rs_slab_release(pool->blocks, slice);
    refs = pool->blocks->entries[slice.index].refs;
    if (refs == 0) {
        pool->shared_live--;
    } else if (refs == 1 && pack_is(pool, slice)) {
        pack_leave(pool);
    }
}

bool rs_sendq_shared_acquire(rs_sendq_pool *pool, rs_slice *out) {
    RS_ASSERT(pool->spoken_for <= pool->blocks->free_count);
    if (pool->shared_live >= pool->shared_max || rs_sendq_common(pool) == 0 ||
        !rs_slab_acquire(pool->blocks, out)) {
        return false;
    }
    pool->shared_live++;
    RS_ASSERT(pool->shared_live <= pool->shared_max);
    return true;
}

void rs_sendq_shared_release(rs_sendq_pool *pool, rs_slice slice) {
    RS_ASSERT(pool->pack.generation == 0 || rs_slab_is_live(pool->blocks, pool->pack));
    shared_release(pool, slice);
    if (pool->pack.generation != 0 && pool->blocks->entries[pool->pack.index].refs == 1) {
        pack_leave(pool); /* nobody was sent what went there */
    }
}

/* Copies a small frame behind the one packed before it, so that a session that gets both has them
 * in one piece. False: it stays where it is. */
static bool shared_pack(rs_sendq_pool *pool, rs_slice slice, uint32_t bytes) {
    uint32_t room = pool->blocks->block_bytes - pool->pack_used;
    rs_slice fresh;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(pool->pack_used <= pool->blocks->block_bytes);
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
    RS_ASSERT(pool->pack_used <= pool->blocks->block_bytes);
    RS_ASSERT(!pack_is(pool, slice));
    memcpy(pool->packed_at, rs_slab_data(pool->blocks, slice), bytes);
    return true;
}

/* Returns where the frame then lies: *slice becomes the block that holds it. */
static uint8_t *shared_pack_if_small(rs_sendq_pool *pool, rs_slice *slice, uint32_t bytes) {
    bool packed = pool->packed.generation == slice->generation &&
                  pool->packed.index == slice->index && bytes <= pool->packed_bytes;
    RS_ASSERT(rs_slab_is_live(pool->blocks, *slice));
    RS_ASSERT(bytes > 0);
    if (packed || shared_pack(pool, *slice, bytes)) {
        RS_ASSERT(rs_slab_is_live(pool->blocks, pool->pack));
        *slice = pool->pack;
        return pool->packed_at;
    }
    return rs_slab_data(pool->blocks, *slice);
}

/* ---- entries */

static uint32_t sendq_index_of(const rs_sendq_pool *pool, const rs_sendq_entry *entry) {
    RS_ASSERT(pool->entries != NULL);
    RS_ASSERT(entry >= pool->entries);
    RS_ASSERT(entry < pool->entries + pool->entry_count);
    return (uint32_t)(entry - pool->entries);
}

/* Frees the entry, and its block if it is the queue's own. */
RS_COLD static void sendq_entry_release(rs_sendq_pool *pool, rs_sendq *queue,
                                        rs_sendq_entry *entry) {
    RS_ASSERT(queue->owned + queue->shared > 0);
    if (rs_sendq_is_own(pool, entry)) {
        rs_slab_release(pool->blocks, entry->slice);
        sendq_released(pool, queue);
        return;
    }
    RS_ASSERT(queue->shared > 0);
    queue->shared--;
    entry->next = pool->free_head;
    pool->free_head = sendq_index_of(pool, entry);
    shared_release(pool, entry->slice);
}

static void sendq_spare_release(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(queue->spare == RS_SENDQ_NONE || queue->spare < pool->blocks->count);
    RS_ASSERT(queue->spare == RS_SENDQ_NONE || queue->owned > 0);
    if (queue->spare != RS_SENDQ_NONE) {
        sendq_entry_release(pool, queue, &pool->entries[queue->spare]);
        queue->spare = RS_SENDQ_NONE;
    }
}

static void sendq_link(rs_sendq_pool *pool, rs_sendq *queue, rs_sendq_entry *entry) {
    RS_ASSERT(entry->bytes == 0 || !rs_sendq_is_own(pool, entry));
    entry->next = RS_SENDQ_NONE;
    if (queue->tail == NULL) {
        RS_ASSERT(queue->head == NULL);
        queue->head = entry;
    } else {
        queue->tail->next = sendq_index_of(pool, entry);
    }
    queue->tail = entry;
    if (queue->unsent == NULL) {
        queue->unsent = entry;
    }
}

/* The empty entry of a queue that has run empty. */
static rs_sendq_entry *sendq_kept(const rs_sendq *queue) {
    RS_ASSERT(queue->unsent == NULL || queue->unsent->bytes > 0 || queue->unsent == queue->head);
    return queue->unsent != NULL && queue->unsent->bytes == 0 ? queue->unsent : NULL;
}

/* A broadcast comes first: the block is kept beside the list. */
static void sendq_set_kept_aside(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *kept = sendq_kept(queue);
    if (kept != NULL) {
        RS_ASSERT(queue->spare == RS_SENDQ_NONE);
        RS_ASSERT(kept == queue->tail);
        queue->spare = sendq_index_of(pool, kept);
        queue->head = queue->tail = queue->unsent = NULL;
    }
    queue->room = 0;
    RS_ASSERT(queue->unsent == NULL || queue->unsent->bytes > 0);
}

static void sendq_link_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice, uint8_t *data,
                              uint32_t bytes) {
    rs_sendq_entry *entry;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(queue->shared < pool->entries_each);
    if (pool->free_head != RS_SENDQ_NONE) {
        entry = &pool->entries[pool->free_head];
        pool->free_head = entry->next;
    } else {
        RS_ASSERT(pool->fresh < pool->entry_count);
        entry = &pool->entries[pool->fresh++];
    }
    sendq_set_kept_aside(pool, queue);
    rs_slab_hold(pool->blocks, slice);
    entry->slice = slice;
    entry->bytes = bytes;
    entry->data = data;
    queue->shared++;
    queue->unsent_bytes += bytes;
    sendq_link(pool, queue, entry);
}

/* The entry that may still grow: last, not in flight, its own block, with bytes and room. */
static rs_sendq_entry *sendq_open_tail(const rs_sendq_pool *pool, const rs_sendq *queue) {
    rs_sendq_entry *tail = queue->tail;
    RS_ASSERT(queue->unsent_bytes == 0 || tail != NULL);
    RS_ASSERT(tail == NULL || tail->next == RS_SENDQ_NONE);
    if (queue->unsent_bytes == 0 || !rs_sendq_is_own(pool, tail)) {
        return NULL;
    }
    return tail->bytes == pool->blocks->block_bytes ? NULL : tail;
}

/* Blocks that an append can use without taking one. */
static uint32_t sendq_blocks_kept(const rs_sendq *queue) {
    RS_ASSERT(queue->spare == RS_SENDQ_NONE || sendq_kept(queue) == NULL);
    return sendq_kept(queue) != NULL || queue->spare != RS_SENDQ_NONE ? 1u : 0u;
}

/* An entry without bytes at the end: the one kept, or a new one. */
static rs_sendq_entry *sendq_new_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *tail = sendq_kept(queue);
    rs_slice slice;
    RS_ASSERT(queue->member);
    if (tail != NULL) {
        return tail;
    }
    if (queue->spare != RS_SENDQ_NONE) {
        tail = &pool->entries[queue->spare];
        queue->spare = RS_SENDQ_NONE;
    } else if (sendq_make_room(pool, queue, 1)) {
        slice = sendq_acquire(pool, queue);
        tail = &pool->entries[slice.index];
        tail->data = rs_slab_data(pool->blocks, slice);
        tail->slice = slice;
    } else {
        return NULL;
    }
    tail->bytes = 0;
    sendq_link(pool, queue, tail);
    RS_ASSERT(queue->tail == tail);
    return tail;
}

static void sendq_fill(rs_sendq *queue, rs_sendq_entry *tail, const uint8_t *data, uint32_t bytes) {
    RS_ASSERT(bytes > 0);
    RS_ASSERT(tail == queue->tail);
    memcpy(tail->data + tail->bytes, data, bytes);
    tail->bytes += bytes;
    queue->unsent_bytes += bytes;
}

/* After the slow path of an append: the room that the next appends may use directly. */
static void sendq_set_room(const rs_sendq_pool *pool, rs_sendq *queue) {
    uint32_t in_block = pool->blocks->block_bytes - queue->tail->bytes;
    uint32_t in_queue = pool->queued_bytes_max - rs_sendq_bytes(pool, queue);
    RS_ASSERT(rs_sendq_is_own(pool, queue->tail));
    RS_ASSERT(queue->unsent_bytes > 0);
    RS_ASSERT(queue->tail->bytes <= pool->blocks->block_bytes);
    queue->room = in_block < in_queue ? in_block : in_queue;
    queue->room = pool->coalesce ? queue->room : 0;
}

/* More than the present tail (nullable) has room for. All of it, or nothing. */
static rs_status sendq_append_long(rs_sendq_pool *pool, rs_sendq *queue, rs_sendq_entry *tail,
                                   const uint8_t *data, uint32_t bytes) {
    uint32_t block_bytes = pool->blocks->block_bytes;
    uint32_t room = tail != NULL ? block_bytes - tail->bytes : 0;
    uint32_t blocks = (uint32_t)(((uint64_t)bytes - room + block_bytes - 1u) / block_bytes);
    RS_ASSERT(bytes > room);
    RS_ASSERT(tail == NULL || tail == queue->tail);
    RS_ASSERT(queue->member);
    if (!sendq_make_room(pool, queue, blocks - sendq_blocks_kept(queue))) {
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
        tail = sendq_new_tail(pool, queue);
        RS_ASSERT(tail != NULL);
        room = block_bytes;
    }
}

/* Without coalescing each append has its own block, but never at the cost of the session, ... */
static bool sendq_is_short(const rs_sendq_pool *pool, const rs_sendq *queue) {
    RS_ASSERT(!pool->coalesce);
    RS_ASSERT(queue->member);
    return (queue->owned >= pool->reserve || queue->due > 0) &&
           rs_sendq_common(pool) <= pool_kept(pool);
}

/* ... nor of blocks promised to later replies: the block is one more than those. */
static void sendq_ask_one_more(rs_sendq_pool *pool, rs_sendq *queue) {
    RS_ASSERT(queue->promised <= queue->due);
    if (queue->due > 0 && sendq_open_tail(pool, queue) != NULL) {
        uint32_t beyond = sendq_beyond(pool, queue, ++queue->due);
        RS_ASSERT(beyond <= queue->promised + 1u);
        pool->spoken_for += beyond - queue->promised;
        queue->promised = beyond;
    }
}

static rs_status sendq_append_to(rs_sendq_pool *pool, rs_sendq *queue, rs_sendq_entry *tail,
                                 const uint8_t *data, uint32_t bytes) {
    uint32_t room = pool->blocks->block_bytes - (tail != NULL ? tail->bytes : 0);
    RS_ASSERT(bytes > 0);
    RS_ASSERT(tail == NULL || tail->bytes < pool->blocks->block_bytes);
    if (bytes > room) {
        return sendq_append_long(pool, queue, tail, data, bytes);
    }
    if (tail == NULL) {
        tail = sendq_new_tail(pool, queue);
    }
    if (tail == NULL) {
        return RS_E_NO_BUFFERS;
    }
    sendq_fill(queue, tail, data, bytes);
    return RS_OK;
}

rs_status rs_sendq_append(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data,
                          uint32_t bytes) {
    rs_sendq_entry *tail = NULL;
    rs_status status;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(rs_sendq_bytes(pool, queue) <= pool->queued_bytes_max);
    RS_ASSERT(queue->member);
    if (bytes > pool->queued_bytes_max - rs_sendq_bytes(pool, queue)) {
        return RS_E_FULL;
    }
    if (pool->coalesce || sendq_is_short(pool, queue)) {
        tail = sendq_open_tail(pool, queue);
    } else {
        sendq_ask_one_more(pool, queue);
    }
    status = sendq_append_to(pool, queue, tail, data, bytes);
    if (status == RS_OK) {
        sendq_set_room(pool, queue);
    }
    return status;
}

/* Into the last entry, if that is cheaper than one more send. */
static bool sendq_extend_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                const uint8_t *data, uint32_t bytes) {
    rs_sendq_entry *tail = queue->tail;
    RS_ASSERT(tail != NULL);
    RS_ASSERT(bytes > 0);
    if (rs_sendq_is_own(pool, tail)) {
        if (bytes > RS_SHARED_COPY_MAX || bytes > pool->blocks->block_bytes - tail->bytes) {
            return false;
        }
        sendq_fill(queue, tail, data, bytes);
        sendq_set_room(pool, queue);
        pool->shared_copied_bytes += bytes;
        return true;
    }
    if (tail->slice.index != slice.index || tail->data + tail->bytes != data) {
        return false;
    }
    tail->bytes += bytes;
    queue->unsent_bytes += bytes;
    return true;
}

/* Something waits already, and the frame is small: behind it, copied into a block that those to
 * come go to as well. Only into a block that is the queue's without asking: no entry runs out for
 * it. */
static bool sendq_gathers(const rs_sendq_pool *pool, const rs_sendq *queue, uint32_t bytes) {
    RS_ASSERT(pool->reserve > 0);
    RS_ASSERT(bytes > 0);
    return pool->coalesce && queue->unsent_bytes > 0 && bytes <= RS_SHARED_COPY_MAX &&
           (queue->spare != RS_SENDQ_NONE || queue->owned < pool->reserve);
}

rs_status rs_sendq_append_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                 uint32_t bytes) {
    const uint8_t *original = rs_slab_data(pool->blocks, slice);
    uint8_t *data;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(bytes <= pool->blocks->block_bytes);
    RS_ASSERT(queue->member);
    if (bytes > pool->queued_bytes_max - rs_sendq_bytes(pool, queue)) {
        return RS_E_FULL;
    }
    data = shared_pack_if_small(pool, &slice, bytes);
    if (pool->coalesce && queue->unsent_bytes > 0 &&
        sendq_extend_shared(pool, queue, slice, data, bytes)) {
        return RS_OK;
    }
    if (queue->shared == pool->entries_each || sendq_gathers(pool, queue, bytes)) {
        /* Not from `data`: a reclaim may free the block that it was packed into. */
        rs_status status = rs_sendq_append(pool, queue, original, bytes);
        pool->shared_copied_bytes += status == RS_OK ? bytes : 0u;
        return status;
    }
    sendq_link_shared(pool, queue, slice, data, bytes);
    return RS_OK;
}

/* The oldest, which was sent, leaves the list. */
RS_COLD static void sendq_drop_head(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *entry = queue->head;
    RS_ASSERT(entry != queue->unsent);
    RS_ASSERT(entry != NULL);
    queue->head = rs_sendq_after(pool, entry);
    if (queue->head == NULL) {
        RS_ASSERT(entry == queue->tail);
        RS_ASSERT(queue->unsent == NULL);
        queue->tail = NULL;
    }
    sendq_entry_release(pool, queue, entry);
}

uint32_t rs_sendq_complete(rs_sendq_pool *pool, rs_sendq *queue, uint64_t *posted_ns) {
    rs_sendq_entry *entry = queue->head;
    uint32_t bytes;
    RS_ASSERT(queue->in_flight > 0);
    queue->in_flight--;
    bytes = entry->bytes;
    *posted_ns = entry->posted_ns;
    /* Request and reply, the most common traffic: the same block again, without the pool. */
    if (RS_LIKELY(entry == queue->tail && rs_sendq_is_own(pool, entry))) {
        RS_ASSERT(queue->unsent_bytes == 0);
        entry->bytes = 0;
        queue->unsent = entry;
        queue->room = pool->room_kept;
    } else {
        sendq_drop_head(pool, queue);
    }
    return bytes;
}

void rs_sendq_refuse(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data, uint32_t bytes) {
    rs_sendq_entry *before = NULL;
    rs_sendq_entry *at = queue->head;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(queue->in_flight > 0);
    while (at->data != data || at->bytes != bytes) {
        before = at;
        at = rs_sendq_after(pool, at);
        RS_ASSERT(at != NULL);
        RS_ASSERT(at != queue->unsent);
    }
    if (before == NULL) {
        queue->head = rs_sendq_after(pool, at);
    } else {
        before->next = at->next;
    }
    if (queue->tail == at) {
        queue->tail = before;
    }
    queue->in_flight--;
    sendq_entry_release(pool, queue, at);
}

void rs_sendq_discard(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *at = queue->unsent;
    rs_sendq_entry *last = NULL; /* in flight */
    rs_sendq_entry *next = queue->head;
    sendq_spare_release(pool, queue);
    for (uint32_t i = 0; i < queue->in_flight; i++) {
        RS_ASSERT(next != NULL);
        last = next;
        next = rs_sendq_after(pool, next);
    }
    RS_ASSERT(next == at);
    for (; at != NULL; at = next) {
        next = rs_sendq_after(pool, at);
        queue->unsent_bytes -= at->bytes;
        sendq_entry_release(pool, queue, at);
    }
    RS_ASSERT(queue->unsent_bytes == 0);
    queue->room = 0;
    queue->unsent = NULL;
    queue->tail = last;
    if (last == NULL) {
        queue->head = NULL;
    } else {
        last->next = RS_SENDQ_NONE;
    }
    RS_ASSERT(queue->spare == RS_SENDQ_NONE);
}
