/* One registration per concurrent request (--rio-registration session).
 *
 * The page of RIOSend can be read so that one buffer id must not serve two requests at once, even
 * for disjoint slices, and Microsoft's own ctsTraffic does read it so. In this mode an id is taken
 * for a request and given back with its completion; an idle id for the same pages is used again,
 * otherwise one is registered, over the pages of the slice alone. The same memory is thus
 * registered as often as it is in flight at once, which Windows allows.
 *
 * Pure C: knows which pages and which node; the caller registers and deregisters. The pool is of
 * fixed size and never runs dry: it holds more nodes than requests can be in flight, and takes the
 * idle node that was not used for the longest time. One thread. */
#ifndef RS_RIO_RIO_REGS_H
#define RS_RIO_RIO_REGS_H

#include <stdbool.h>
#include <stdint.h>

#define RS_RIO_REG_NONE UINT32_MAX

typedef struct rs_rio_reg {
    uintptr_t first; /* address of the first page; 0 = this node was never registered */
    uint32_t bytes;  /* whole pages */
    uint16_t region;
    bool busy;
    uint32_t next, prev;             /* idle ones: least recently used first */
    uint32_t chain_next, chain_prev; /* idle ones of one hash bucket */
} rs_rio_reg;

typedef struct rs_rio_regs {
    rs_rio_reg *nodes; /* [count] */
    uint32_t *buckets; /* [bucket_count], a power of two */
    uint32_t count, bucket_count;
    uint32_t lru_first, lru_last;
    uint32_t busy_count;
    uint64_t registered, evicted; /* how often */
} rs_rio_regs;

/* rs_rio_regs_nodes: how many nodes a pool needs for so many requests in flight: as many again may
 * lie idle before one has to be registered anew. */
static inline uint32_t rs_rio_regs_nodes(uint32_t requests) {
    return 2u * requests + 64u;
}

/* rs_rio_regs_init: nodes and buckets are zeroed memory of the caller's. */
void rs_rio_regs_init(rs_rio_regs *regs, rs_rio_reg *nodes, uint32_t count, uint32_t *buckets,
                      uint32_t bucket_count);

/* What the caller must do before it uses the node: deregister the id that it had (old), register
 * [node->first, + node->bytes). */
typedef struct rs_rio_reg_take {
    uint32_t node;
    bool deregister; /* the node's former id is still registered */
    bool register_it;
} rs_rio_reg_take;

/* rs_rio_regs_take: a node whose pages hold [data, data + bytes) of a region, now busy. */
rs_rio_reg_take rs_rio_regs_take(rs_rio_regs *regs, uint16_t region, const void *data,
                                 uint32_t bytes);

/* rs_rio_regs_give: idle again. rs_rio_regs_fail: its registration failed; it holds nothing. */
void rs_rio_regs_give(rs_rio_regs *regs, uint32_t node);
void rs_rio_regs_fail(rs_rio_regs *regs, uint32_t node);

/* rs_rio_regs_drop: empties the next idle node that is registered over a region, for the caller to
 * deregister; RS_RIO_REG_NONE when there is none left. *cursor: 0 at first, then left alone. */
uint32_t rs_rio_regs_drop(rs_rio_regs *regs, uint16_t region, uint32_t *cursor);

#endif
