/* SPDX-License-Identifier: MIT */
/* The steps of one poll. */
#include "rio/rio_wait.h"

#include "core/assert.h"

void rs_rio_wait_init(rs_rio_waiter *waiter, rs_rio_wait_mode mode, uint32_t spin_us,
                      uint32_t backoff) {
    *waiter = (rs_rio_waiter){
        .mode = mode,
        .spin_ns = mode == RS_RIO_WAIT_SPIN ? (uint64_t)spin_us * 1000u : 0,
        .backoff_max = backoff,
    };
}

void rs_rio_wait_by_itself(rs_rio_waiter *waiter, bool wakes_itself) {
    waiter->wakes_itself = wakes_itself;
}

void rs_rio_wait_begin(rs_rio_waiter *waiter, int64_t timeout_ns) {
    RS_ASSERT(timeout_ns >= 0);
    waiter->last = RS_RIO_STEP_RETURN;
    waiter->looked = false;
    waiter->slept = false;
    waiter->idle = false;
    waiter->spinning = false;
    waiter->timeout_ns = timeout_ns;
    waiter->start_ns = 0;
}

static void wait_start_clock(rs_rio_waiter *waiter, uint64_t now_ns) {
    if (waiter->start_ns == 0) {
        waiter->start_ns = now_ns;
        waiter->look_ns = now_ns + RS_RIO_PORT_LOOK_NS;
    }
}

static bool wait_timed_out(const rs_rio_waiter *waiter, uint64_t now_ns) {
    RS_ASSERT(now_ns >= waiter->start_ns);
    return waiter->timeout_ns != RS_FOREVER &&
           now_ns - waiter->start_ns >= (uint64_t)waiter->timeout_ns;
}

/* Something to return: at once, unless the port has not been read for too long. */
static rs_rio_step wait_found(rs_rio_waiter *waiter) {
    if (waiter->looked) {
        waiter->busy_polls = 0;
        return RS_RIO_STEP_RETURN;
    }
    if (++waiter->busy_polls < RS_RIO_BUSY_POLLS_MAX) {
        return RS_RIO_STEP_RETURN;
    }
    waiter->busy_polls = 0;
    return RS_RIO_STEP_PORT;
}

/* ---- the spin before a sleep */

static void wait_begin_idle(rs_rio_waiter *waiter) {
    RS_ASSERT(!waiter->slept);
    waiter->idle = true;
    waiter->spinning = waiter->spin_ns > 0 && waiter->backoff_left == 0;
    waiter->backoff_left -= waiter->backoff_left > 0 ? 1u : 0u;
}

static void wait_spin_found(rs_rio_waiter *waiter) {
    RS_ASSERT(waiter->idle);
    waiter->spinning = false;
    waiter->spins_found++;
    waiter->backoff = 0;
}

static void wait_spin_missed(rs_rio_waiter *waiter) {
    const uint32_t next = waiter->backoff == 0 ? 1u : 2u * waiter->backoff;
    RS_ASSERT(waiter->backoff_left == 0);
    waiter->spinning = false;
    waiter->spins_missed++;
    waiter->backoff = next < waiter->backoff_max ? next : waiter->backoff_max;
    waiter->backoff_left = waiter->backoff;
}

static bool wait_spins(rs_rio_waiter *waiter, uint64_t now_ns) {
    if (!waiter->idle) {
        wait_begin_idle(waiter);
    }
    if (waiter->spinning && now_ns - waiter->start_ns >= waiter->spin_ns) {
        wait_spin_missed(waiter);
    }
    return waiter->mode == RS_RIO_WAIT_POLL || waiter->spinning;
}

/* Nothing found yet, time left. */
static rs_rio_step wait_idle(rs_rio_waiter *waiter, uint64_t now_ns) {
    RS_ASSERT(now_ns >= waiter->start_ns);
    if (wait_spins(waiter, now_ns)) {
        if (now_ns >= waiter->look_ns) {
            waiter->look_ns = now_ns + RS_RIO_PORT_LOOK_NS;
            return RS_RIO_STEP_PORT;
        }
        return RS_RIO_STEP_DEQUEUE;
    }
    if (!waiter->armed && !waiter->wakes_itself) {
        return RS_RIO_STEP_ARM;
    }
    RS_ASSERT(waiter->mode != RS_RIO_WAIT_POLL);
    return RS_RIO_STEP_SLEEP;
}

static rs_rio_step wait_decide(rs_rio_waiter *waiter, uint64_t now_ns, bool found) {
    switch (waiter->last) {
    case RS_RIO_STEP_RETURN: /* the poll has just begun */
        return RS_RIO_STEP_DEQUEUE;
    case RS_RIO_STEP_ARM: /* a completion from before the arming would not fire it in time */
        return RS_RIO_STEP_DEQUEUE;
    case RS_RIO_STEP_SLEEP:
        return waiter->armed && !waiter->wakes_itself ? RS_RIO_STEP_RETURN : RS_RIO_STEP_DEQUEUE;
    default:
        break;
    }
    if (found) {
        if (waiter->spinning) {
            wait_spin_found(waiter);
        }
        return wait_found(waiter);
    }
    if (waiter->slept) {
        return RS_RIO_STEP_RETURN; /* a spurious wake-up: early is allowed, sleeping twice is not */
    }
    wait_start_clock(waiter, now_ns);
    if (wait_timed_out(waiter, now_ns)) {
        return waiter->looked ? RS_RIO_STEP_RETURN : RS_RIO_STEP_PORT;
    }
    return wait_idle(waiter, now_ns);
}

rs_rio_step rs_rio_wait_next(rs_rio_waiter *waiter, uint64_t now_ns, bool found) {
    rs_rio_step step = wait_decide(waiter, now_ns, found);
    RS_ASSERT(step != RS_RIO_STEP_SLEEP || waiter->armed || waiter->wakes_itself);
    RS_ASSERT(step != RS_RIO_STEP_SLEEP || !waiter->slept);
    waiter->last = step;
    if (step == RS_RIO_STEP_PORT || step == RS_RIO_STEP_SLEEP) {
        waiter->looked = true;
    }
    if (step == RS_RIO_STEP_SLEEP) {
        waiter->slept = true;
        waiter->busy_polls = 0;
    }
    return step;
}

void rs_rio_wait_took(rs_rio_waiter *waiter, uint32_t completions) {
    waiter->busy_polls += completions / RS_RIO_BUSY_COMPLETIONS;
}

int64_t rs_rio_wait_sleep_ns(const rs_rio_waiter *waiter, uint64_t now_ns) {
    uint64_t passed = now_ns - waiter->start_ns;
    if (waiter->timeout_ns == RS_FOREVER) {
        return RS_FOREVER;
    }
    return passed >= (uint64_t)waiter->timeout_ns ? 0 : waiter->timeout_ns - (int64_t)passed;
}

void rs_rio_wait_armed(rs_rio_waiter *waiter) {
    RS_ASSERT(waiter->mode != RS_RIO_WAIT_POLL);
    RS_ASSERT(!waiter->wakes_itself);
    waiter->armed = true;
}

void rs_rio_wait_fired(rs_rio_waiter *waiter) {
    waiter->armed = false;
}
