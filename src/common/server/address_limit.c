/* SPDX-License-Identifier: MIT */
/* See address_limit.h. Chains of entries by hash; 0 ends a chain. */
#include "server/address_limit.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"
#include "seam/atomics.h"
#include "seam/os.h"

typedef struct limit_key {
    uint64_t high, low; /* an IPv6 address, or ::ffff:a.b.c.d */
    uint32_t scope;
} limit_key;

typedef struct limit_entry {
    limit_key key;
    uint32_t next; /* of its chain, or of the free ones */
    rs_atomic_u32 count;
} limit_entry;

struct rs_address_limit {
    uint32_t max;
    uint32_t bucket_mask;
    uint32_t free_head;
    uint32_t entry_count; /* at[1] to at[entry_count] */
    uint64_t seed;        /* so that nobody can choose addresses of one chain */
    uint32_t *buckets;    /* [bucket_mask + 1] */
    limit_entry *at;      /* [entry_count + 1] */
};

static uint64_t limit_half(const uint8_t *bytes) {
    uint64_t half = 0;
    for (uint32_t i = 0; i < 8u; i++) {
        half = half << 8 | bytes[i];
    }
    return half;
}

static limit_key limit_key_of(const rs_addr *peer) {
    limit_key key = {.low = UINT64_C(0xFFFF00000000) | peer->ip};
    RS_ASSERT(peer->family <= RS_ADDR_V6);
    if (peer->family == RS_ADDR_V6) {
        key.high = limit_half(peer->ip6);
        key.low = 0;
        if (key.high >> 54 == 0xFE80u >> 6) { /* fe80::/10 */
            key.low = limit_half(peer->ip6 + 8);
            key.scope = peer->scope;
        }
    }
    return key;
}

static bool limit_key_equal(const limit_key *a, const limit_key *b) {
    return a->high == b->high && a->low == b->low && a->scope == b->scope;
}

/* The last steps of splitmix64. */
static uint64_t limit_mix(uint64_t value) {
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

static uint32_t *limit_bucket(const rs_address_limit *limit, const limit_key *key) {
    uint64_t hash = limit_mix(limit->seed ^ key->high);
    hash = limit_mix(hash ^ key->low);
    hash = limit_mix(hash ^ key->scope);
    RS_ASSERT((limit->bucket_mask & (limit->bucket_mask + 1u)) == 0);
    return &limit->buckets[hash & limit->bucket_mask];
}

static void limit_free(rs_address_limit *limit, uint32_t *link) {
    const uint32_t at = *link;
    RS_ASSERT(at >= 1 && at <= limit->entry_count);
    RS_ASSERT(rs_atomic_load_u32(&limit->at[at].count) == 0);
    *link = limit->at[at].next;
    limit->at[at].next = limit->free_head;
    limit->free_head = at;
}

/* The entry of this key, or 0. Entries of nobody that it meets are freed; key NULL: all of them. */
static uint32_t limit_find(rs_address_limit *limit, uint32_t *link, const limit_key *key) {
    RS_ASSERT(link >= limit->buckets);
    while (*link != 0) {
        limit_entry *entry = &limit->at[*link];
        if (key != NULL && limit_key_equal(&entry->key, key)) {
            return *link;
        }
        if (rs_atomic_load_u32(&entry->count) == 0) {
            limit_free(limit, link);
        } else {
            link = &entry->next;
        }
    }
    return 0;
}

/* At least a fifth of the entries are of nobody then (rs_address_limit_open), so that few entries
 * are looked at for each connection. */
static void limit_sweep(rs_address_limit *limit) {
    RS_ASSERT(limit->free_head == 0);
    for (uint32_t i = 0; i <= limit->bucket_mask; i++) {
        (void)limit_find(limit, &limit->buckets[i], NULL);
    }
    RS_ASSERT(limit->free_head != 0); /* no more are entered than were said */
}

static uint32_t limit_add(rs_address_limit *limit, uint32_t *bucket, const limit_key *key) {
    uint32_t at;
    if (limit->free_head == 0) {
        limit_sweep(limit);
    }
    at = limit->free_head;
    RS_ASSERT(at >= 1 && at <= limit->entry_count);
    limit->free_head = limit->at[at].next;
    limit->at[at].key = *key;
    limit->at[at].next = *bucket;
    *bucket = at;
    return at;
}

bool rs_address_limit_enter(rs_address_limit *limit, const rs_addr *peer, uint32_t *ticket) {
    const limit_key key = limit_key_of(peer);
    uint32_t *bucket = limit_bucket(limit, &key);
    uint32_t at;
    *ticket = 0;
    if (rs_addr_is_any(peer)) {
        return true;
    }
    at = limit_find(limit, bucket, &key);
    if (at == 0) {
        at = limit_add(limit, bucket, &key);
    } else if (rs_atomic_load_u32(&limit->at[at].count) >= limit->max) {
        return false;
    }
    (void)rs_atomic_add_u32(&limit->at[at].count, 1);
    *ticket = at;
    return true;
}

void rs_address_limit_leave(void *opaque, uint32_t ticket) {
    rs_address_limit *limit = opaque;
    uint32_t before;
    RS_ASSERT(ticket >= 1 && ticket <= limit->entry_count);
    before = rs_atomic_add_u32(&limit->at[ticket].count, UINT32_MAX);
    RS_ASSERT(before >= 1 && before <= limit->max);
}

uint64_t rs_address_limit_entered(const rs_address_limit *limit) {
    uint64_t entered = 0;
    for (uint32_t i = 1; i <= limit->entry_count; i++) {
        entered += rs_atomic_load_u32(&limit->at[i].count);
    }
    return entered;
}

rs_status rs_address_limit_open(rs_address_limit **out, uint32_t max, uint32_t connections,
                                rs_error *error) {
    rs_address_limit *limit = calloc(1, sizeof *limit);
    RS_ASSERT(max >= 1);
    RS_ASSERT(connections >= 1 && connections <= 2u * RS_SESSIONS_MAX);
    *out = NULL;
    if (limit != NULL) {
        limit->max = max;
        limit->entry_count = connections + connections / 4u + 1u;
        limit->bucket_mask = 1;
        while (limit->bucket_mask < limit->entry_count) {
            limit->bucket_mask = limit->bucket_mask * 2u + 1u;
        }
        limit->seed = rs_os_now_ns() ^ (uint64_t)(uintptr_t)limit;
        limit->buckets = calloc((size_t)limit->bucket_mask + 1u, sizeof *limit->buckets);
        limit->at = calloc((size_t)limit->entry_count + 1u, sizeof *limit->at);
    }
    if (limit == NULL || limit->buckets == NULL || limit->at == NULL) {
        rs_address_limit_close(limit);
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0,
                            "out of memory for --max-per-address: lower --max-sessions");
    }
    for (uint32_t i = limit->entry_count; i >= 1; i--) {
        limit->at[i].next = limit->free_head;
        limit->free_head = i;
    }
    *out = limit;
    return RS_OK;
}

void rs_address_limit_close(rs_address_limit *limit) {
    if (limit == NULL) {
        return;
    }
    free(limit->buckets);
    free(limit->at);
    free(limit);
}
