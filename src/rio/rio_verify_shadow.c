/* SPDX-License-Identifier: MIT */
#include "rio/rio_verify_shadow.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

#define RV_FREE 0u
#define RV_SENDS_MAX 254u
#define RV_RECEIVING 255u
#define RV_POISON 0xA5u

typedef struct rs_rv_page {
    struct rs_rv_page *next;
    uintptr_t number;
    uint8_t shadow[RS_PAGE_BYTES];
} rs_rv_page;

void *rs_rv_alloc(size_t bytes) {
    void *memory = calloc(1, bytes);
    RS_ASSERT(bytes > 0);
    if (memory == NULL) {
        RS_FATAL("rio_verify", 0, "out of memory");
    }
    return memory;
}

static uint8_t *shadow_of(rs_rv_shadow *shadow, uintptr_t address) {
    uintptr_t number = address / RS_PAGE_BYTES;
    rs_rv_page **bucket = &shadow->pages[rs_rv_hash(number, RS_RV_PAGE_BUCKETS)];
    rs_rv_page *page = *bucket;
    while (page != NULL && page->number != number) {
        page = page->next;
    }
    if (page == NULL) {
        page = rs_rv_alloc(sizeof *page);
        page->number = number;
        page->next = *bucket;
        *bucket = page;
    }
    return page->shadow + address % RS_PAGE_BYTES;
}

static bool shadow_is_free(const uint8_t *shadow, uint32_t bytes, bool is_recv) {
    RS_ASSERT(bytes <= RS_PAGE_BYTES);
    for (uint32_t i = 0; i < bytes; i++) {
        if (is_recv ? shadow[i] != RV_FREE : shadow[i] >= RV_SENDS_MAX) {
            return false;
        }
    }
    return true;
}

static void shadow_mark(uint8_t *shadow, uint32_t bytes, bool is_recv, bool on) {
    RS_ASSERT(bytes <= RS_PAGE_BYTES);
    if (is_recv) {
        RS_ASSERT(bytes == 0 || shadow[0] == (on ? RV_FREE : RV_RECEIVING));
        memset(shadow, on ? (int)RV_RECEIVING : (int)RV_FREE, bytes);
        return;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        RS_ASSERT(on ? shadow[i] < RV_SENDS_MAX : shadow[i] > RV_FREE);
        shadow[i] = (uint8_t)(on ? shadow[i] + 1u : shadow[i] - 1u);
    }
}

/* Page by page. With check: is all of it free? Without: marks it on or off. */
static bool shadow_walk(rs_rv_shadow *shadow, const uint8_t *from, uint32_t left, bool is_recv,
                        bool check, bool on) {
    uintptr_t at = (uintptr_t)from;
    while (left > 0) {
        uint32_t part = RS_PAGE_BYTES - (uint32_t)(at % RS_PAGE_BYTES);
        uint8_t *bytes = shadow_of(shadow, at);

        part = part < left ? part : left;
        if (check && !shadow_is_free(bytes, part, is_recv)) {
            return false;
        }
        if (!check) {
            shadow_mark(bytes, part, is_recv, on);
        }
        at += part;
        left -= part;
    }
    return true;
}

bool rs_rv_shadow_acquire(rs_rv_shadow *shadow, const uint8_t *at, uint32_t bytes, bool is_recv) {
    return shadow_walk(shadow, at, bytes, is_recv, true, true) &&
           shadow_walk(shadow, at, bytes, is_recv, false, true);
}

void rs_rv_shadow_release(rs_rv_shadow *shadow, const uint8_t *at, uint32_t bytes, bool is_recv) {
    (void)shadow_walk(shadow, at, bytes, is_recv, false, false); /* marks only */
}

void rs_rv_shadow_free(rs_rv_shadow *shadow) {
    for (uint32_t i = 0; i < RS_RV_PAGE_BUCKETS; i++) {
        while (shadow->pages[i] != NULL) {
            rs_rv_page *page = shadow->pages[i];

            shadow->pages[i] = page->next;
            free(page);
        }
    }
}

/* ---- contents */

uint64_t rs_rv_sum(const uint8_t *data, uint32_t bytes) {
    uint64_t sum = bytes + 1u;
    for (; bytes >= 8; bytes -= 8, data += 8) {
        uint64_t word;

        memcpy(&word, data, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    for (; bytes > 0; bytes--, data++) {
        sum = (sum ^ *data) * UINT64_C(0x100000001B3);
    }
    return sum;
}

void rs_rv_poison(uint8_t *data, uint32_t bytes) {
    memset(data, (int)RV_POISON, bytes);
}

bool rs_rv_is_poison(const uint8_t *data, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        if (data[i] != RV_POISON) {
            return false;
        }
    }
    return true;
}
