/* One word between a thread that may sleep in its port and those that wake it, so that a wake-up
 * costs a system call only when it is needed.
 *
 * The sleeper announces, looks at what it sleeps for, sleeps, and takes the word back; a waker
 * exchanges first and signals only a sleeper. Both sides use read-modify-writes of the same word,
 * so one of the two sees the other: no wake is lost, and none is counted twice
 * (tests/interleave runs every order of it). A wake that comes while nobody sleeps keeps the next
 * rs_wake_may_sleep from succeeding. */
#ifndef RS_SEAM_WAKE_WORD_H
#define RS_SEAM_WAKE_WORD_H

#include "seam/atomics.h"

typedef enum rs_wake_state { RS_WAKE_RUNNING, RS_WAKE_SLEEPING, RS_WAKE_WOKEN } rs_wake_state;

typedef struct rs_wake_word {
    rs_atomic_u32 state; /* rs_wake_state; 0 at first */
} rs_wake_word;

/* rs_wake_may_sleep: the sleeper's announcement; false: woken meanwhile, do not sleep. */
static inline bool rs_wake_may_sleep(rs_wake_word *word) {
    return rs_atomic_cas_u32(&word->state, RS_WAKE_RUNNING, RS_WAKE_SLEEPING);
}

/* rs_wake_take: the sleeper is back, or did not sleep: uses up a wake that has come. True: one had.
 * What wakers wrote before their rs_wake_needs_signal is seen from here on. */
static inline bool rs_wake_take(rs_wake_word *word) {
    return rs_atomic_exchange_u32(&word->state, RS_WAKE_RUNNING) == RS_WAKE_WOKEN;
}

/* rs_wake_is_pending: has a wake come that was not taken? The sleeper's. */
static inline bool rs_wake_is_pending(const rs_wake_word *word) {
    return rs_atomic_load_u32(&word->state) == RS_WAKE_WOKEN;
}

/* rs_wake_needs_signal: any thread: leaves the wake; true: the sleeper sleeps or is about to, and
 * nobody else has been told so: end its wait. */
static inline bool rs_wake_needs_signal(rs_wake_word *word) {
    return rs_atomic_exchange_u32(&word->state, RS_WAKE_WOKEN) == RS_WAKE_SLEEPING;
}

#endif
