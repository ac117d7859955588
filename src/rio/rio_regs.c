/* A pool of registrations: hash chains by first page, and one list of the idle ones by age. */
#include "rio/rio_regs.h"

#include "core/assert.h"
#include "core/limits.h"

static uint32_t regs_bucket(const rs_rio_regs *regs, uintptr_t first) {
    uint64_t page = (uint64_t)first / RS_PAGE_BYTES;

    return (uint32_t)((page * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (regs->bucket_count - 1u);
}

/* ---- the two lists that an idle node is in */

static void regs_link(rs_rio_regs *regs, uint32_t at) {
    rs_rio_reg *node = &regs->nodes[at];
    uint32_t *bucket = &regs->buckets[regs_bucket(regs, node->first)];

    node->chain_prev = RS_RIO_REG_NONE;
    node->chain_next = *bucket;
    if (*bucket != RS_RIO_REG_NONE) {
        regs->nodes[*bucket].chain_prev = at;
    }
    *bucket = at;
    node->prev = regs->lru_last;
    node->next = RS_RIO_REG_NONE;
    if (regs->lru_last != RS_RIO_REG_NONE) {
        regs->nodes[regs->lru_last].next = at;
    } else {
        regs->lru_first = at;
    }
    regs->lru_last = at;
}

static void regs_unlink(rs_rio_regs *regs, uint32_t at) {
    rs_rio_reg *node = &regs->nodes[at];

    if (node->chain_prev != RS_RIO_REG_NONE) {
        regs->nodes[node->chain_prev].chain_next = node->chain_next;
    } else {
        regs->buckets[regs_bucket(regs, node->first)] = node->chain_next;
    }
    if (node->chain_next != RS_RIO_REG_NONE) {
        regs->nodes[node->chain_next].chain_prev = node->chain_prev;
    }
    if (node->prev != RS_RIO_REG_NONE) {
        regs->nodes[node->prev].next = node->next;
    } else {
        regs->lru_first = node->next;
    }
    if (node->next != RS_RIO_REG_NONE) {
        regs->nodes[node->next].prev = node->prev;
    } else {
        regs->lru_last = node->prev;
    }
}

void rs_rio_regs_init(rs_rio_regs *regs, rs_rio_reg *nodes, uint32_t count, uint32_t *buckets,
                      uint32_t bucket_count) {
    RS_ASSERT(count > 0);
    RS_ASSERT(bucket_count > 0 && (bucket_count & (bucket_count - 1u)) == 0);
    *regs = (rs_rio_regs){
        .nodes = nodes,
        .buckets = buckets,
        .count = count,
        .bucket_count = bucket_count,
        .lru_first = RS_RIO_REG_NONE,
        .lru_last = RS_RIO_REG_NONE,
    };
    for (uint32_t i = 0; i < bucket_count; i++) {
        buckets[i] = RS_RIO_REG_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        regs_link(regs, i);
    }
}

static bool regs_holds(const rs_rio_reg *node, uint16_t region, uintptr_t first, uint32_t bytes) {
    return node->first == first && node->bytes >= bytes && node->region == region;
}

rs_rio_reg_take rs_rio_regs_take(rs_rio_regs *regs, uint16_t region, const void *data,
                                 uint32_t bytes) {
    uintptr_t start = (uintptr_t)data;
    uintptr_t first = start / RS_PAGE_BYTES * RS_PAGE_BYTES;
    uintptr_t end = (start + bytes + RS_PAGE_BYTES - 1u) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    rs_rio_reg_take take = {.node = regs->buckets[regs_bucket(regs, first)]};
    rs_rio_reg *node;

    RS_ASSERT(bytes > 0 && end - first <= UINT32_MAX);
    while (take.node != RS_RIO_REG_NONE &&
           !regs_holds(&regs->nodes[take.node], region, first, (uint32_t)(end - first))) {
        take.node = regs->nodes[take.node].chain_next;
    }
    if (take.node == RS_RIO_REG_NONE) {
        take.node = regs->lru_first;
        RS_ASSERT(take.node != RS_RIO_REG_NONE); /* more nodes than requests in flight */
        take.register_it = true;
        take.deregister = regs->nodes[take.node].first != 0;
        regs->registered++;
        regs->evicted += take.deregister;
    }
    regs_unlink(regs, take.node);
    node = &regs->nodes[take.node];
    RS_ASSERT(!node->busy);
    node->busy = true;
    if (take.register_it) {
        node->first = first;
        node->bytes = (uint32_t)(end - first);
        node->region = region;
    }
    regs->busy_count++;
    return take;
}

void rs_rio_regs_give(rs_rio_regs *regs, uint32_t at) {
    RS_ASSERT(at < regs->count && regs->nodes[at].busy);
    RS_ASSERT(regs->busy_count > 0);
    regs->nodes[at].busy = false;
    regs->busy_count--;
    regs_link(regs, at);
}

void rs_rio_regs_fail(rs_rio_regs *regs, uint32_t at) {
    regs->nodes[at].first = 0;
    regs->nodes[at].bytes = 0;
    rs_rio_regs_give(regs, at);
}

uint32_t rs_rio_regs_drop(rs_rio_regs *regs, uint16_t region, uint32_t *cursor) {
    while (*cursor < regs->count) {
        uint32_t at = (*cursor)++;
        rs_rio_reg *node = &regs->nodes[at];

        if (node->first != 0 && node->region == region && !node->busy) {
            regs_unlink(regs, at);
            node->first = 0;
            node->bytes = 0;
            regs_link(regs, at);
            return at;
        }
    }
    return RS_RIO_REG_NONE;
}
