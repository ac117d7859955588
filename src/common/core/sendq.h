/* The send queue of a session: bytes gathered in blocks behind the sends in flight.
 *
 * Entries come from one pool per shard and form a list per session. The first `in_flight` entries
 * belong to the kernel; bytes are appended only to a last entry that is not yet in flight and is
 * ours alone. Each send block has the entry of its own index; the entries behind those are for
 * shared blocks, which several sessions send. Not synchronised. */
#ifndef RS_CORE_SENDQ_H
#define RS_CORE_SENDQ_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slab.h"
#include "core/status.h"

#define RS_SENDQ_NONE UINT32_MAX

typedef struct rs_sendq_entry {
    uint8_t *data;      /* the block's bytes */
    uint64_t posted_ns; /* when it went to the back end */
    rs_slice slice;
    uint32_t next; /* RS_SENDQ_NONE = last */
    uint32_t bytes;
} rs_sendq_entry;

/* What all queues of a shard draw from. */
typedef struct rs_sendq_pool {
    rs_slab *blocks;         /* send blocks */
    rs_sendq_entry *entries; /* [entry_count]: one a block, the rest for shared slices */
    uint32_t entry_count;
    uint32_t own_count; /* entries below are their block's; the others are shared, and listed: */
    uint32_t free_head;
    uint32_t free_count;
    uint32_t keep_above;       /* free blocks above which an idle queue may keep one */
    uint32_t queued_bytes_max; /* per session */
    bool coalesce;             /* false: every append starts a block of its own */
} rs_sendq_pool;

typedef struct rs_sendq {
    uint32_t head, tail;   /* RS_SENDQ_NONE when empty */
    uint32_t unsent;       /* first entry not in flight; RS_SENDQ_NONE if all are */
    uint32_t spare;        /* block kept for the next append; RS_SENDQ_NONE if none */
    uint32_t in_flight;    /* entries */
    uint32_t queued_bytes; /* in flight ones included */
} rs_sendq;

/* rs_sendq_pool_init: all entries free. entries: entry_count > blocks->count elements, the
 * caller's. */
void rs_sendq_pool_init(rs_sendq_pool *pool, rs_slab *blocks, rs_sendq_entry *entries,
                        uint32_t entry_count, uint32_t queued_bytes_max, bool coalesce);

void rs_sendq_init(rs_sendq *queue);

static inline bool rs_sendq_is_empty(const rs_sendq *queue) {
    return queue->head == RS_SENDQ_NONE;
}

/* rs_sendq_append: copies data[0..bytes), bytes > 0, across as many blocks as it takes.
 * RS_OK; RS_E_FULL: queued_bytes_max would be passed, nothing queued; RS_E_NO_BUFFERS: blocks or
 * entries ran out, a part may be queued (the caller ends the session). */
rs_status rs_sendq_append(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data,
                          uint32_t bytes);

/* rs_sendq_append_shared: adds the first bytes of a live block, taking a reference. Errors as
 * rs_sendq_append, nothing queued on any. */
rs_status rs_sendq_append_shared(rs_sendq_pool *pool, rs_sendq *queue, rs_slice slice,
                                 uint32_t bytes);

/* rs_sendq_post: marks the next unsent entry as in flight and returns it; NULL if there is none.
 * From here to rs_sendq_complete its bytes are not touched. */
rs_sendq_entry *rs_sendq_post(rs_sendq_pool *pool, rs_sendq *queue, uint64_t now_ns);

/* rs_sendq_complete: the oldest entry in flight (asserted to exist) is done: drops its block, or
 * keeps it for the next append when the queue is empty and the pool has plenty.
 * *posted_ns (nullable) = when it was posted. Returns its bytes. */
uint32_t rs_sendq_complete(rs_sendq_pool *pool, rs_sendq *queue, uint64_t *posted_ns);

/* rs_sendq_refuse: the posted entry with these data (asserted to exist) did not reach the kernel:
 * drops it alone. Its elders may still be in flight and keep their blocks. */
void rs_sendq_refuse(rs_sendq_pool *pool, rs_sendq *queue, const uint8_t *data, uint32_t bytes);

/* rs_sendq_discard: drops every entry that is not in flight, and the block kept. */
void rs_sendq_discard(rs_sendq_pool *pool, rs_sendq *queue);

#endif
