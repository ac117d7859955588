/* SPDX-License-Identifier: MIT */
/* The send queue of a session: bytes gathered in blocks behind the sends in flight.
 *
 * Entries form a list per session. The first `in_flight` entries belong to the kernel; bytes are
 * appended only to a last entry that is not yet in flight. A queue that runs empty keeps the block
 * of its last send: an entry without bytes, which stands alone. Each send block has the entry of
 * its own index; the entries behind those name parts of shared blocks, which several sessions send.
 *
 * Who may have which block. Each member (a queue between rs_sendq_join and rs_sendq_leave) has a
 * reserve of blocks that no other queue can take; unreserved blocks form the common pool. A queue
 * above its reserve uses the common pool and is in a list, the one that has waited longest for a
 * send first. If an append needs a block and the common pool is empty, `reclaim` is asked to close
 * one of those. A caller that can wait uses rs_sendq_promise instead, which closes nobody and
 * leaves what future members and broadcasts will need. Frames for many sessions use the common pool
 * too, at most shared_max blocks at once; small ones are packed behind each other into one block,
 * so that a session which is sent all of them needs one entry. Not synchronised; all is O(entries
 * in flight) but rs_sendq_discard, which walks one queue. */
#ifndef RS_CORE_SENDQ_H
#define RS_CORE_SENDQ_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slab.h"
#include "core/status.h"

#define RS_SENDQ_NONE UINT32_MAX

typedef struct rs_sendq_entry {
    uint8_t *data;      /* the bytes */
    uint64_t posted_ns; /* when it went to the back end */
    rs_slice slice;     /* the block they lie in */
    uint32_t next;      /* RS_SENDQ_NONE = last */
    uint32_t bytes;
} rs_sendq_entry;

typedef struct rs_sendq {
    rs_sendq_entry *head, *tail; /* NULL when there is none */
    rs_sendq_entry *unsent;      /* first entry not in flight; NULL if all are */
    uint32_t room;               /* bytes that may be appended directly to the tail */
    uint32_t unsent_bytes;       /* of the entries not in flight */
    uint32_t spare;     /* block kept while only broadcasts are queued; RS_SENDQ_NONE if none */
    uint32_t owned;     /* blocks of its own, the ones kept included */
    uint32_t due;       /* blocks promised to later replies, ... */
    uint32_t promised;  /* ... and those of them set aside in the common pool */
    uint32_t in_flight; /* entries */
    uint16_t shared;    /* entries of shared blocks */
    bool member;
    struct rs_sendq *above_before, *above_next; /* while owned > reserve */
} rs_sendq;

/* What all queues of a shard draw from. */
typedef struct rs_sendq_pool {
    rs_slab *blocks;                /* send blocks */
    rs_sendq_entry *entries;        /* [entry_count]: one a block, ... */
    rs_sendq_entry *shared_entries; /* ... and from here on for shared blocks; these are listed: */
    uint32_t entry_count;
    uint32_t free_head;
    uint32_t fresh;            /* entries from here on were never used and are in no list */
    uint32_t entries_each;     /* shared entries a queue may have: those of all fit the pool */
    uint32_t queued_bytes_max; /* per session */
    uint32_t room_kept;        /* of a block that an empty queue keeps */
    uint32_t reserve;          /* blocks of a member */
    uint32_t spoken_for;       /* of the free blocks: owed to members, <= free_count */
    uint32_t members, members_max;
    uint32_t shared_live, shared_max;
    uint64_t shared_copied_bytes; /* bytes of shared frames copied for one queue */
    rs_sendq *above_first, *above_last;
    rs_slice pack; /* the block that small shared frames go to; generation 0 = none */
    uint32_t pack_used;
    rs_slice packed; /* the frame packed last, ... */
    uint8_t *packed_at;
    uint32_t packed_bytes;
    bool (*reclaim)(void *ctx, const rs_sendq *asker);
    void *reclaim_ctx;
    bool coalesce; /* false: every append starts a block of its own while there are blocks */
} rs_sendq_pool;

typedef struct rs_sendq_config {
    rs_slab *blocks;         /* count >= members * reserve + shared_max */
    rs_sendq_entry *entries; /* [entry_count], the caller's; entry_count >= blocks + members */
    uint32_t entry_count;
    uint32_t members; /* queues at most */
    uint32_t queued_bytes_max;
    uint32_t reserve;    /* >= 1 */
    uint32_t shared_max; /* shared blocks alive at once, >= 1 */
    bool coalesce;

    /* reclaim: the common pool is too small for asker (nullable): close one queue above its
     * reserve, other than asker, which releases all it can. False: there is none. */
    bool (*reclaim)(void *ctx, const rs_sendq *asker);
    void *reclaim_ctx;
} rs_sendq_config;

/* rs_sendq_pool_init: all entries free, no members. Bounds: O(1). */
void rs_sendq_pool_init(rs_sendq_pool *pool, const rs_sendq_config *cfg);

void rs_sendq_init(rs_sendq *queue);

static inline bool rs_sendq_is_empty(const rs_sendq *queue) {
    RS_DEBUG_ASSERT(queue->in_flight == 0 || queue->head != queue->unsent);
    return queue->unsent_bytes == 0 && queue->in_flight == 0;
}

/* rs_sendq_is_own: the entry of a block of the queue's own, not a part of a shared one. */
static inline bool rs_sendq_is_own(const rs_sendq_pool *pool, const rs_sendq_entry *entry) {
    RS_DEBUG_ASSERT(entry != NULL);
    return entry < pool->shared_entries;
}

/* rs_sendq_after: the next entry of a queue; NULL behind its last. */
static inline rs_sendq_entry *rs_sendq_after(const rs_sendq_pool *pool,
                                             const rs_sendq_entry *entry) {
    RS_ASSERT(entry->next == RS_SENDQ_NONE || entry->next < pool->entry_count);
    return entry->next != RS_SENDQ_NONE ? &pool->entries[entry->next] : NULL;
}

/* rs_sendq_common: free unreserved blocks. */
static inline uint32_t rs_sendq_common(const rs_sendq_pool *pool) {
    RS_ASSERT(pool->blocks->free_count >= pool->spoken_for);
    return pool->blocks->free_count - pool->spoken_for;
}

/* rs_sendq_join: an empty queue becomes a member: its reserve is set aside. False: the common pool
 * is too small, even after reclaim. */
bool rs_sendq_join(rs_sendq_pool *pool, rs_sendq *queue);

/* rs_sendq_leave: the reserve and the promise return to the common pool; queued bytes stay. Nothing
 * may be appended afterwards. Idempotent. */
void rs_sendq_leave(rs_sendq_pool *pool, rs_sendq *queue);

/* rs_sendq_clear_room: of a queue that has left, after each rs_sendq_complete: it keeps its block,
 * and rs_sendq_extend says no. */
static inline void rs_sendq_clear_room(rs_sendq *queue) {
    RS_ASSERT(!queue->member);
    queue->room = 0;
}

/* rs_sendq_promise: the next `due` blocks the queue appends to will be there: those beyond its
 * reserve are set aside. Replaces an earlier promise. False: the common pool has only the reserves
 * of future members and the shared blocks; an earlier promise stays. */
bool rs_sendq_promise(rs_sendq_pool *pool, rs_sendq *queue, uint32_t due);

/* rs_sendq_bytes: queued, in flight or not. O(in flight). */
static inline uint32_t rs_sendq_bytes(const rs_sendq_pool *pool, const rs_sendq *queue) {
    const rs_sendq_entry *entry = queue->head;
    uint32_t bytes = queue->unsent_bytes;
    for (uint32_t i = 0; i < queue->in_flight; i++) {
        RS_ASSERT(entry != NULL);
        bytes += entry->bytes;
        entry = rs_sendq_after(pool, entry);
    }
    return bytes;
}

/* rs_sendq_extend: an append of so many bytes for which there is room that was asked for already:
 * *to is where the caller copies them. False: nothing was done, rs_sendq_append is to be asked; for
 * 0 bytes too. */
static inline bool rs_sendq_extend(rs_sendq *queue, uint32_t bytes, uint8_t **to) {
    rs_sendq_entry *tail = queue->tail;
    if (bytes - 1u >= queue->room) {
        return false;
    }
    *to = tail->data + tail->bytes;
    RS_DEBUG_ASSERT(queue->member);
    RS_DEBUG_ASSERT(queue->unsent != NULL);
    tail->bytes += bytes;
    queue->room -= bytes;
    queue->unsent_bytes += bytes;
    return true;
}

/* rs_sendq_append: copies data[0..bytes), bytes > 0, across as many blocks as it takes. RS_OK;
 * RS_E_FULL: queued_bytes_max would be exceeded; RS_E_NO_BUFFERS: no block is left. On either
 * nothing is queued. */
rs_status rs_sendq_append(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data,
                          uint32_t bytes);

/* rs_sendq_shared_acquire: a block from the common pool for a frame to many sessions. False: there
 * is none, or shared_max are alive. rs_sendq_shared_release: the caller's reference. */
bool rs_sendq_shared_acquire(rs_sendq_pool *pool, rs_slice *out);
void rs_sendq_shared_release(rs_sendq_pool *pool, rs_slice slice);

/* rs_sendq_append_shared: adds the first bytes of a live shared block, which are not written any
 * more. They are copied only behind bytes that wait already (up to RS_SHARED_COPY_MAX, into the
 * queue's reserve), or when it has entries_each shared entries; shared_copied_bytes counts that.
 * Errors as rs_sendq_append. */
rs_status rs_sendq_append_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                 uint32_t bytes);

/* rs_sendq_post: marks the next unsent entry (asserted to exist) as in flight and returns it. From
 * here to rs_sendq_complete its bytes are not touched. */
static inline rs_sendq_entry *rs_sendq_post(rs_sendq_pool *pool, rs_sendq *queue, uint64_t now_ns) {
    rs_sendq_entry *entry = queue->unsent;
    RS_ASSERT(entry->bytes - 1u < queue->unsent_bytes); /* 0 is too many */
    entry->posted_ns = now_ns;
    queue->unsent_bytes -= entry->bytes;
    queue->in_flight++;
    if (RS_LIKELY(entry == queue->tail)) {
        RS_ASSERT(queue->unsent_bytes == 0);
        queue->unsent = NULL;
        queue->room = 0;
    } else {
        queue->unsent = rs_sendq_after(pool, entry);
        RS_ASSERT(queue->unsent != NULL);
    }
    return entry;
}

/* rs_sendq_complete: the oldest entry in flight (asserted to exist) is done: drops its block, or
 * keeps it for the next append if the queue is empty: it is of its own reserve, so no other queue
 * lacks it. *posted_ns = when it was posted. Returns its bytes. */
uint32_t rs_sendq_complete(rs_sendq_pool *pool, rs_sendq *queue, uint64_t *posted_ns);

/* rs_sendq_oldest_ns: when the oldest entry in flight was posted; UINT64_MAX if none is. */
static inline uint64_t rs_sendq_oldest_ns(const rs_sendq *queue) {
    RS_ASSERT(queue->in_flight == 0 || queue->head != NULL);
    return queue->in_flight > 0 ? queue->head->posted_ns : UINT64_MAX;
}

/* rs_sendq_refuse: the posted entry with these data (asserted to exist) did not reach the kernel:
 * drops it alone. Earlier entries may still be in flight and keep their blocks. */
void rs_sendq_refuse(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data, uint32_t bytes);

/* rs_sendq_discard: drops every entry that is not in flight, and the blocks kept. */
void rs_sendq_discard(rs_sendq_pool *pool, rs_sendq *queue);

#endif
