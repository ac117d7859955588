/* SPDX-License-Identifier: MIT */
/* When one poll dequeues, looks at the port, arms the notification, sleeps, returns.
 *
 * Pure decisions: the caller carries each step out and tells what came of it. The order is
 * race-free: arm, dequeue once more, then sleep. RIONotify is one-shot, so `armed` outlives a poll:
 * a notification that was armed and not needed still comes, and an empty queue after it is a
 * spurious wake-up, not a fault.
 *
 * A spin that found nothing was processor time for nothing: the next sleep begins without one,
 * after a second miss the next two, then four, up to the back-off; a spin that finds something ends
 * that. One thread. */
#ifndef RS_RIO_RIO_WAIT_H
#define RS_RIO_RIO_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "rio/rio_settings.h"
#include "seam/backend.h"

/* While data keep coming, or while spinning, the port (accepts, connects, wake-ups) is read only
 * now and then: each read is a kernel call. */
#define RS_RIO_BUSY_POLLS_MAX 16u
#define RS_RIO_BUSY_COMPLETIONS 16u /* count as one poll: a full batch takes long */
#define RS_RIO_PORT_LOOK_NS 250000u

typedef enum rs_rio_step {
    RS_RIO_STEP_RETURN,
    RS_RIO_STEP_DEQUEUE, /* RIODequeueCompletion; no kernel call */
    RS_RIO_STEP_PORT,    /* look at the port without waiting */
    RS_RIO_STEP_ARM,     /* RIONotify, then rs_rio_wait_armed */
    RS_RIO_STEP_SLEEP    /* wait at the port for sleep_ns, then read it */
} rs_rio_step;

typedef struct rs_rio_waiter {
    rs_rio_wait_mode mode;
    uint64_t spin_ns;
    uint32_t backoff_max;  /* sleeps */
    uint32_t backoff;      /* sleeps without a spin, after the last miss */
    uint32_t backoff_left; /* ... until the next spin */
    uint64_t spins_found, spins_missed;
    bool wakes_itself;   /* the sleep ends with the first completion, without a notification */
    bool armed;          /* a notification is still to come */
    uint32_t busy_polls; /* work since the port was read, in polls */
    /* of the poll in progress */
    rs_rio_step last;
    bool looked; /* the port was seen in this poll */
    bool slept;
    bool idle;     /* nothing was found at first */
    bool spinning; /* the spin of this poll is not decided yet */
    int64_t timeout_ns;
    uint64_t start_ns; /* 0: the clock was not needed yet */
    uint64_t look_ns;  /* spinning: when to read the port next */
} rs_rio_waiter;

/* rs_rio_wait_init: backoff: most sleeps in a row without a spin; 0: each has one. */
void rs_rio_wait_init(rs_rio_waiter *waiter, rs_rio_wait_mode mode, uint32_t spin_us,
                      uint32_t backoff);

/* rs_rio_wait_by_itself: from now on, or no longer: SLEEP sees completions without being armed. */
void rs_rio_wait_by_itself(rs_rio_waiter *waiter, bool wakes_itself);

/* rs_rio_wait_begin: a poll starts. Its clock starts at the first now_ns that is read. */
void rs_rio_wait_begin(rs_rio_waiter *waiter, int64_t timeout_ns);

/* rs_rio_wait_next: the next step of this poll. found: are there completions (or a wake-up) to
 * return? now_ns is not read at the start of a poll, when something was found, or when the poll
 * has no time: a busy loop needs no clock. */
rs_rio_step rs_rio_wait_next(rs_rio_waiter *waiter, uint64_t now_ns, bool found);

/* rs_rio_wait_took: the DEQUEUE just asked for took this many completions. */
void rs_rio_wait_took(rs_rio_waiter *waiter, uint32_t completions);

/* rs_rio_wait_sleep_ns: how long the SLEEP just asked for may take; RS_FOREVER = no limit. */
int64_t rs_rio_wait_sleep_ns(const rs_rio_waiter *waiter, uint64_t now_ns);

/* rs_rio_wait_armed: RIONotify was accepted (or said that it already was). */
void rs_rio_wait_armed(rs_rio_waiter *waiter);

/* rs_rio_wait_fired: the notification arrived; it must be armed anew before the next sleep. */
void rs_rio_wait_fired(rs_rio_waiter *waiter);

#endif
