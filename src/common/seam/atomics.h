/* SPDX-License-Identifier: MIT */
/* The few atomic operations that cross threads: C11 where the compiler has it, Interlocked on
 * MSVC, whose <stdatomic.h> is still behind an experimental switch (Visual Studio 2022).
 *
 * There a load or a store is a plain volatile access, which /volatile:ms (cmake/RingsideTarget)
 * makes acquire and release on every processor: an Interlocked one would put a locked instruction
 * where the other compilers have a move, and into every figure of the comparison.
 * RS_INTERLOCKED takes that branch where it would not be needed: the preset clangcl runs it. */
#ifndef RS_SEAM_ATOMICS_H
#define RS_SEAM_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#define RS_INTERLOCKED 1
#endif

#if defined(RS_INTERLOCKED)

#include <intrin.h>

typedef struct rs_atomic_u32 {
    volatile long v;
} rs_atomic_u32;
typedef struct rs_atomic_u64 {
    volatile __int64 v;
} rs_atomic_u64;

static inline uint32_t rs_atomic_load_u32(const rs_atomic_u32 *a) {
    return (uint32_t)a->v;
}
static inline void rs_atomic_store_u32(rs_atomic_u32 *a, uint32_t value) {
    a->v = (long)value;
}
static inline uint32_t rs_atomic_exchange_u32(rs_atomic_u32 *a, uint32_t value) {
    return (uint32_t)_InterlockedExchange(&a->v, (long)value);
}
static inline uint32_t rs_atomic_add_u32(rs_atomic_u32 *a, uint32_t value) {
    return (uint32_t)_InterlockedExchangeAdd(&a->v, (long)value);
}
static inline bool rs_atomic_cas_u32(rs_atomic_u32 *a, uint32_t expected, uint32_t desired) {
    return (uint32_t)_InterlockedCompareExchange(&a->v, (long)desired, (long)expected) == expected;
}
static inline uint64_t rs_atomic_load_u64(const rs_atomic_u64 *a) {
    return (uint64_t)a->v; /* one access: x64 and ARM64 only, as Registered I/O requires too */
}
static inline void rs_atomic_store_u64(rs_atomic_u64 *a, uint64_t value) {
    a->v = (__int64)value;
}

#else

#include <stdatomic.h>

typedef struct rs_atomic_u32 {
    _Atomic uint32_t v;
} rs_atomic_u32;
typedef struct rs_atomic_u64 {
    _Atomic uint64_t v;
} rs_atomic_u64;

/* Loads acquire, stores release, exchange, add and cas do both (sequentially consistent). */
static inline uint32_t rs_atomic_load_u32(const rs_atomic_u32 *a) {
    return atomic_load_explicit(&a->v, memory_order_acquire);
}
static inline void rs_atomic_store_u32(rs_atomic_u32 *a, uint32_t value) {
    atomic_store_explicit(&a->v, value, memory_order_release);
}
static inline uint32_t rs_atomic_exchange_u32(rs_atomic_u32 *a, uint32_t value) {
    return atomic_exchange(&a->v, value);
}
static inline uint32_t rs_atomic_add_u32(rs_atomic_u32 *a, uint32_t value) {
    return atomic_fetch_add(&a->v, value); /* the value before */
}
static inline bool rs_atomic_cas_u32(rs_atomic_u32 *a, uint32_t expected, uint32_t desired) {
    return atomic_compare_exchange_strong(&a->v, &expected, desired);
}
static inline uint64_t rs_atomic_load_u64(const rs_atomic_u64 *a) {
    return atomic_load_explicit(&a->v, memory_order_acquire);
}
static inline void rs_atomic_store_u64(rs_atomic_u64 *a, uint64_t value) {
    atomic_store_explicit(&a->v, value, memory_order_release);
}

#endif

#endif
