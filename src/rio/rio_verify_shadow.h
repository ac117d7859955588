/* SPDX-License-Identifier: MIT */
/* What --rio-verify knows of memory: who uses each byte, by address and not by buffer id, since one
 * piece of memory may be registered many times; and whether its contents are what they were.
 *
 * Pure C. Memory is taken as it goes; out of it, the process ends (RS_FATAL): there is nothing to
 * check with. The caller serialises the calls. */
#ifndef RS_RIO_RIO_VERIFY_SHADOW_H
#define RS_RIO_RIO_VERIFY_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_RV_PAGE_BUCKETS 16384u

/* A byte of shadow for each byte that ever was in flight: free, being received into, or sent n
 * times. All zero is empty. */
typedef struct rs_rv_shadow {
    struct rs_rv_page *pages[RS_RV_PAGE_BUCKETS];
} rs_rv_shadow;

/* rs_rv_shadow_acquire: marks [at, at + bytes) as in flight. False, with nothing marked: a receive
 * overlaps anything in flight, or a send overlaps a receive. */
bool rs_rv_shadow_acquire(rs_rv_shadow *shadow, const uint8_t *at, uint32_t bytes, bool is_recv);

/* rs_rv_shadow_release: in flight no more. The same range as was taken. */
void rs_rv_shadow_release(rs_rv_shadow *shadow, const uint8_t *at, uint32_t bytes, bool is_recv);

/* rs_rv_shadow_free: all of its memory. */
void rs_rv_shadow_free(rs_rv_shadow *shadow);

/* ---- contents */

/* rs_rv_sum: of what is sent. rs_rv_poison, rs_rv_is_poison: of what is received into. */
uint64_t rs_rv_sum(const uint8_t *data, uint32_t bytes);
void rs_rv_poison(uint8_t *data, uint32_t bytes);
bool rs_rv_is_poison(const uint8_t *data, uint32_t bytes);

/* ---- what both halves of the checker use */

/* rs_rv_alloc: zeroed; never NULL. */
void *rs_rv_alloc(size_t bytes);

static inline uint32_t rs_rv_hash(uint64_t key, uint32_t buckets) {
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % buckets;
}

#endif
