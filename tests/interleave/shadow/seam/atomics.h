/* SPDX-License-Identifier: MIT */
/* Stands before the real seam/atomics.h in the include path of the interleaving tests: the same
 * functions, each a step of the explorer. */
#ifndef RS_SEAM_ATOMICS_H
#define RS_SEAM_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

#include "explore.h"

typedef struct rs_atomic_u32 {
    uint32_t v;
} rs_atomic_u32;
typedef struct rs_atomic_u64 {
    uint64_t v;
} rs_atomic_u64;

static inline uint32_t rs_atomic_load_u32(const rs_atomic_u32 *a) {
    return (uint32_t)xp_load(&a->v, 4);
}
static inline void rs_atomic_store_u32(rs_atomic_u32 *a, uint32_t value) {
    xp_store(&a->v, 4, value);
}
static inline uint32_t rs_atomic_exchange_u32(rs_atomic_u32 *a, uint32_t value) {
    return (uint32_t)xp_rmw(&a->v, 4, XP_EXCHANGE, value, 0);
}
static inline uint32_t rs_atomic_add_u32(rs_atomic_u32 *a, uint32_t value) {
    return (uint32_t)xp_rmw(&a->v, 4, XP_ADD, value, 0);
}
static inline bool rs_atomic_cas_u32(rs_atomic_u32 *a, uint32_t expected, uint32_t desired) {
    return xp_rmw(&a->v, 4, XP_CAS, desired, expected) == expected;
}
static inline uint64_t rs_atomic_load_u64(const rs_atomic_u64 *a) {
    return xp_load(&a->v, 8);
}
static inline void rs_atomic_store_u64(rs_atomic_u64 *a, uint64_t value) {
    xp_store(&a->v, 8, value);
}

#endif
