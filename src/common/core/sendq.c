/* Lists of send entries over a shared pool; see the header for who may touch what. */
#include "core/sendq.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"

void rs_sendq_pool_init(rs_sendq_pool *pool, rs_slab *blocks, rs_sendq_entry *entries,
                        uint32_t entry_count, uint32_t queued_bytes_max, bool coalesce) {
    RS_ASSERT(entry_count > blocks->count && entry_count < RS_SENDQ_NONE);
    RS_ASSERT(queued_bytes_max > 0);
    *pool = (rs_sendq_pool){
        .blocks = blocks,
        .entries = entries,
        .entry_count = entry_count,
        .own_count = blocks->count,
        .free_head = blocks->count,
        .free_count = entry_count - blocks->count,
        .keep_above = blocks->count / 2,
        .queued_bytes_max = queued_bytes_max,
        .coalesce = coalesce,
    };
    for (uint32_t i = blocks->count; i < entry_count; i++) {
        entries[i].next = i + 1 < entry_count ? i + 1 : RS_SENDQ_NONE;
    }
}

void rs_sendq_init(rs_sendq *queue) {
    *queue = (rs_sendq){.spare = RS_SENDQ_NONE,
                        .head = RS_SENDQ_NONE,
                        .tail = RS_SENDQ_NONE,
                        .unsent = RS_SENDQ_NONE};
}

static uint32_t sendq_shared_acquire(rs_sendq_pool *pool) {
    uint32_t index = pool->free_head;
    if (index != RS_SENDQ_NONE) {
        pool->free_head = pool->entries[index].next;
        pool->free_count--;
    }
    return index;
}

/* The entry is done with; one of a block of ours goes with its block. */
RS_COLD static void sendq_entry_release(rs_sendq_pool *pool, uint32_t index) {
    rs_slab_drop(pool->blocks, pool->entries[index].slice);
    if (index >= pool->own_count) {
        pool->entries[index].next = pool->free_head;
        pool->free_head = index;
        pool->free_count++;
        RS_ASSERT(pool->free_count <= pool->entry_count - pool->own_count);
    }
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

/* The entry that may still grow: last, not in flight, a block of ours, with room. */
static rs_sendq_entry *sendq_open_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *tail;
    if (queue->unsent == RS_SENDQ_NONE || queue->tail >= pool->own_count) {
        return NULL;
    }
    tail = &pool->entries[queue->tail];
    return tail->bytes == pool->blocks->block_bytes ? NULL : tail;
}

RS_COLD static rs_sendq_entry *sendq_acquire_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    rs_sendq_entry *tail;
    rs_slice slice;
    if (!rs_slab_acquire(pool->blocks, &slice)) {
        return NULL;
    }
    tail = &pool->entries[slice.index];
    tail->data = rs_slab_data(pool->blocks, slice);
    tail->slice = slice;
    tail->bytes = 0;
    sendq_link(pool, queue, slice.index);
    return tail;
}

static rs_sendq_entry *sendq_new_tail(rs_sendq_pool *pool, rs_sendq *queue) {
    uint32_t spare = queue->spare;
    if (spare == RS_SENDQ_NONE) {
        return sendq_acquire_tail(pool, queue);
    }
    queue->spare = RS_SENDQ_NONE;
    pool->entries[spare].bytes = 0;
    sendq_link(pool, queue, spare);
    return &pool->entries[spare];
}

static void sendq_fill(rs_sendq *queue, rs_sendq_entry *tail, const uint8_t *data, uint32_t bytes) {
    memcpy(tail->data + tail->bytes, data, bytes);
    tail->bytes += bytes;
    queue->queued_bytes += bytes;
}

/* More than the present tail has room for. */
RS_COLD static rs_status sendq_append_long(rs_sendq_pool *pool, rs_sendq *queue,
                                           rs_sendq_entry *tail, const uint8_t *data,
                                           uint32_t bytes) {
    for (;;) {
        uint32_t room = pool->blocks->block_bytes - tail->bytes;
        uint32_t part = room < bytes ? room : bytes;
        sendq_fill(queue, tail, data, part);
        data += part;
        bytes -= part;
        if (bytes == 0) {
            return RS_OK;
        }
        tail = sendq_acquire_tail(pool, queue);
        if (tail == NULL) {
            return RS_E_NO_BUFFERS;
        }
    }
}

rs_status rs_sendq_append(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data,
                          uint32_t bytes) {
    rs_sendq_entry *tail = NULL;
    RS_ASSERT(bytes > 0 && queue->queued_bytes <= pool->queued_bytes_max);
    if (bytes > pool->queued_bytes_max - queue->queued_bytes) {
        return RS_E_FULL;
    }
    if (pool->coalesce) {
        tail = sendq_open_tail(pool, queue);
    }
    if (tail == NULL) {
        tail = sendq_new_tail(pool, queue);
        if (tail == NULL) {
            return RS_E_NO_BUFFERS;
        }
    }
    if (bytes > pool->blocks->block_bytes - tail->bytes) {
        return sendq_append_long(pool, queue, tail, data, bytes);
    }
    sendq_fill(queue, tail, data, bytes);
    return RS_OK;
}

rs_status rs_sendq_append_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                 uint32_t bytes) {
    uint32_t index;
    RS_ASSERT(bytes > 0 && bytes <= pool->blocks->block_bytes);
    if (bytes > pool->queued_bytes_max - queue->queued_bytes) {
        return RS_E_FULL;
    }
    index = sendq_shared_acquire(pool);
    if (index == RS_SENDQ_NONE) {
        return RS_E_NO_BUFFERS;
    }
    rs_slab_hold(pool->blocks, slice);
    pool->entries[index].slice = slice;
    pool->entries[index].bytes = bytes;
    pool->entries[index].data = rs_slab_data(pool->blocks, slice);
    sendq_link(pool, queue, index);
    queue->queued_bytes += bytes;
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
    if (queue->head == RS_SENDQ_NONE && queue->spare == RS_SENDQ_NONE && index < pool->own_count &&
        pool->blocks->free_count > pool->keep_above) {
        queue->spare = index;
    } else {
        sendq_entry_release(pool, index);
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
    sendq_entry_release(pool, at);
}

void rs_sendq_discard(rs_sendq_pool *pool, rs_sendq *queue) {
    uint32_t index = queue->unsent;
    uint32_t last_in_flight = RS_SENDQ_NONE;
    uint32_t at = queue->head;
    if (queue->spare != RS_SENDQ_NONE) {
        sendq_entry_release(pool, queue->spare);
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
        sendq_entry_release(pool, index);
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
