/* SPDX-License-Identifier: MIT */
/* Runs a small program of two or three threads once for every order in which its atomic
 * operations can happen, on one thread of the system.
 *
 * The code under test is the real one, compiled against shadow/seam/atomics.h, whose operations
 * call xp_load, xp_store and xp_rmw. Before each load and each read-modify-write the explorer
 * chooses who goes on; what lies between two of them runs undisturbed (a race of plain accesses is
 * the thread sanitizer's to find).
 *
 * Memory model: total store order, as on x86. A store goes to the thread's own buffer and reaches
 * memory later, in order, at a moment that the explorer chooses; a load sees the thread's own
 * buffer first; a read-modify-write and an event wait for the buffer to be empty. So a lost
 * wake-up that needs a store to pass a later load is found, as it is not under plain interleaving.
 *
 * Exhaustive up to equivalence: two neighbouring steps of different threads on different words may
 * be swapped without a visible difference, and of all orders that differ only so one is run (sleep
 * sets, Godefroid 1996). With deviations_max
 * all orders are run that need at most so many deviations from letting each thread go on as long as
 * it can, its stores arriving at once: a deviation is a switch away from a thread that could go on,
 * or a store held back while its thread goes on. A deadlock, an assertion, xp_fail and a run longer
 * than XP_STEPS_MAX are faults. Single-threaded; one exploration at a time. */
#ifndef RS_TESTS_INTERLEAVE_EXPLORE_H
#define RS_TESTS_INTERLEAVE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XP_THREADS_MAX 4u
#define XP_STEPS_MAX 2048u /* of one run; a longer one waits for something in vain */

typedef struct xp_model {
    const char *name;
    void (*begin)(void); /* fresh state, before the threads; its atomics are not steps */
    void (*thread[XP_THREADS_MAX])(void); /* the first NULL ends the list */
    void (*end)(void);                    /* what must hold when all have ended; nullable */
    uint64_t runs_max;                    /* more is a fault: the model is too large */
    uint32_t deviations_max; /* 0: every order; else those within so many deviations, see above */
    bool torn;               /* on purpose: a read-modify-write is a load and a later store */
} xp_model;

typedef struct xp_result {
    bool failed;
    uint64_t runs;   /* complete ones */
    uint64_t pruned; /* given up because an equivalent one was run */
    uint32_t steps;  /* of the longest run */
    char fault[256];
} xp_result;

/* xp_explore: every run until the first fault. A fault prints the steps that led to it. */
void xp_explore(const xp_model *model, xp_result *out);

/* xp_fail: ends the run, from a thread or from end; does not return from a thread. */
void xp_fail(const char *why);

/* ---- for shadow/seam/atomics.h; bytes: 4 or 8 */

typedef enum xp_rmw_kind { XP_EXCHANGE, XP_ADD, XP_CAS } xp_rmw_kind;

uint64_t xp_load(const void *word, uint32_t bytes);
void xp_store(void *word, uint32_t bytes, uint64_t value);

/* xp_rmw: the value before. XP_CAS stores only where that is expected. */
uint64_t xp_rmw(void *word, uint32_t bytes, xp_rmw_kind kind, uint64_t operand, uint64_t expected);

/* ---- for what waits */

/* xp_await: goes on when *word is not 0, and sets it to 0: an auto-reset event. */
void xp_await(uint32_t *word);

/* xp_signal: sets *word to 1, as SetEvent does. */
void xp_signal(uint32_t *word);

/* xp_relax: for a loop that looks again and again: goes on when a word that the thread has read
 * since it last went on, or since the start, has another value. */
void xp_relax(void);

/* ---- for code that allocates: an arena that begins anew with each run; free does nothing */

void *xp_calloc(size_t count, size_t bytes);
void xp_free(void *memory);

#endif
