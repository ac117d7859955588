/* SPDX-License-Identifier: MIT */
/* One word between a thread that may sleep in its port and the threads that wake it, so that a
 * wake-up costs a system call only if it is needed.
 *
 * The sleeper announces, checks its condition, sleeps, and resets the word; a waker exchanges first
 * and signals only a sleeper. Both sides use read-modify-writes of the same word, so one of them
 * sees the other: no wake is lost, and none is counted twice (tests/interleave runs every order).
 * After a wake without a sleeper the next rs_wake_may_sleep fails. */
#ifndef RS_SEAM_WAKE_WORD_H
#define RS_SEAM_WAKE_WORD_H

#include "seam/atomics.h"

typedef enum rs_wake_state { RS_WAKE_RUNNING, RS_WAKE_SLEEPING, RS_WAKE_WOKEN } rs_wake_state;

typedef struct rs_wake_word {
    rs_atomic_u32 state; /* rs_wake_state; 0 at first */
} rs_wake_word;

/* rs_wake_may_sleep: the sleeper's announcement; false: already woken, do not sleep. */
static inline bool rs_wake_may_sleep(rs_wake_word *word) {
    return rs_atomic_cas_u32(&word->state, RS_WAKE_RUNNING, RS_WAKE_SLEEPING);
}

/* rs_wake_take: the sleeper woke up, or did not sleep: consumes a wake. True: there was one. Writes
 * that wakers made before rs_wake_needs_signal are visible from here on. */
static inline bool rs_wake_take(rs_wake_word *word) {
    return rs_atomic_exchange_u32(&word->state, RS_WAKE_RUNNING) == RS_WAKE_WOKEN;
}

/* rs_wake_is_pending: is there a wake that was not consumed? Called by the sleeper. */
static inline bool rs_wake_is_pending(const rs_wake_word *word) {
    return rs_atomic_load_u32(&word->state) == RS_WAKE_WOKEN;
}

/* rs_wake_needs_signal: any thread: records a wake; true: the sleeper sleeps or is about to, and no
 * other waker was told so: the caller must end its wait. */
static inline bool rs_wake_needs_signal(rs_wake_word *word) {
    return rs_atomic_exchange_u32(&word->state, RS_WAKE_WOKEN) == RS_WAKE_SLEEPING;
}

#endif
