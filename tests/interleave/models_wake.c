/* SPDX-License-Identifier: MIT */
/* Sleeping and waking: the wake word as iocp_poll.c and rio_poll.c use it, and rio_wait.c's order
 * of arming, looking and sleeping against a completion queue of our own. */
#include <stddef.h>

#include "models.h"
#include "rio/rio_wait.h"
#include "seam/wake_word.h"

/* ---- the wake word: two wakers leave work, one worker takes it */

static rs_wake_word wake;
static rs_atomic_u32 work[2];
static uint32_t packet; /* the port: an event is enough, packets of a kind are alike */
static uint32_t done;

static void word_begin(void) {
    rs_atomic_store_u32(&wake.state, RS_WAKE_RUNNING);
    rs_atomic_store_u32(&work[0], 0);
    rs_atomic_store_u32(&work[1], 0);
    packet = 0;
    done = 0;
}

static void word_wake(uint32_t which) {
    rs_atomic_store_u32(&work[which], 1);
    if (rs_wake_needs_signal(&wake)) {
        xp_signal(&packet);
    }
}

static void word_waker_0(void) {
    word_wake(0);
}

static void word_waker_1(void) {
    word_wake(1);
}

/* As a poll of the IOCP back end: announce, sleep, take; then the shard looks for its messages. */
static void word_worker(void) {
    while (done < 2) {
        if (rs_wake_may_sleep(&wake)) {
            xp_await(&packet);
        }
        (void)rs_wake_take(&wake);
        for (uint32_t i = 0; i < 2; i++) {
            if (rs_atomic_load_u32(&work[i]) != 0) {
                rs_atomic_store_u32(&work[i], 0);
                done++;
            }
        }
    }
}

const xp_model xp_model_wake_word = {.name = "wake word",
                                     .begin = word_begin,
                                     .thread = {word_worker, word_waker_0, word_waker_1},
                                     .runs_max = 1000000};

/* ---- RIO: a completion queue with a one-shot notification, and wakes beside it
 *
 * The kernel: a completion enters the queue, and if the notification is armed it fires, once; a
 * notification that is armed over a queue that is not empty fires at once (RIONotify's page). Its
 * steps are read-modify-writes of one word each, as a lock of the kernel's would make them. */

#define KERNEL_COMPLETIONS 2u

static rs_rio_waiter waiter;
static rs_atomic_u32 queued, armed; /* the kernel's */
static uint32_t port;               /* notification or wake-up */
static uint32_t notified;           /* what the packet at the port says */
static uint32_t dequeued;
static rs_atomic_u32 message;

static void arm_begin(void) {
    rs_rio_wait_init(&waiter, RS_RIO_WAIT_NOTIFY, 0, 0);
    rs_atomic_store_u32(&wake.state, RS_WAKE_RUNNING);
    rs_atomic_store_u32(&queued, 0);
    rs_atomic_store_u32(&armed, 0);
    rs_atomic_store_u32(&message, 0);
    port = notified = dequeued = done = 0;
}

static void kernel_fire(void) {
    if (rs_atomic_exchange_u32(&armed, 0) == 1) {
        notified = 1;
        xp_signal(&port);
    }
}

static void arm_kernel(void) {
    for (uint32_t i = 0; i < KERNEL_COMPLETIONS; i++) {
        (void)rs_atomic_add_u32(&queued, 1);
        kernel_fire();
    }
}

static void arm_waker(void) {
    rs_atomic_store_u32(&message, 1);
    if (rs_wake_needs_signal(&wake)) {
        xp_signal(&port);
    }
}

/* RIONotify: arms, then fires if something is there. */
static void arm_notify(void) {
    (void)rs_atomic_exchange_u32(&armed, 1);
    if (rs_atomic_add_u32(&queued, 0) > 0) {
        kernel_fire();
    }
    rs_rio_wait_armed(&waiter);
}

static void arm_sleep(void) {
    if (!rs_wake_may_sleep(&wake)) {
        return;
    }
    xp_await(&port);
    if (notified != 0) {
        notified = 0;
        rs_rio_wait_fired(&waiter);
    }
    (void)rs_wake_take(&wake);
}

/* One poll, as rs_rio_poll carries the steps out. */
static uint32_t arm_poll(void) {
    uint32_t found = 0;
    rs_rio_step step;
    rs_rio_wait_begin(&waiter, RS_FOREVER);
    do {
        step = rs_rio_wait_next(&waiter, 1, found > 0 || rs_wake_is_pending(&wake));
        if (step == RS_RIO_STEP_DEQUEUE) {
            uint32_t count = rs_atomic_exchange_u32(&queued, 0);
            found += count;
        } else if (step == RS_RIO_STEP_ARM) {
            arm_notify();
        } else if (step == RS_RIO_STEP_SLEEP) {
            arm_sleep();
        }
    } while (step != RS_RIO_STEP_RETURN);
    if (rs_wake_is_pending(&wake)) {
        (void)rs_wake_take(&wake);
    }
    return found;
}

static void arm_worker(void) {
    while (dequeued < KERNEL_COMPLETIONS || done == 0) {
        dequeued += arm_poll();
        if (rs_atomic_load_u32(&message) != 0) {
            rs_atomic_store_u32(&message, 0);
            done = 1;
        }
    }
}

const xp_model xp_model_rio_arm = {.name = "RIO: arm, look, sleep",
                                   .begin = arm_begin,
                                   .thread = {arm_worker, arm_kernel, arm_waker},
                                   .runs_max = 5000000};
