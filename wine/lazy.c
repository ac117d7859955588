/* SPDX-License-Identifier: MIT */
/* The bound on a lazy commit's delay: a thread that looks once a millisecond while there is
 * traffic, and sleeps without a wake-up while there is none. Waking it is one system call, paid
 * once per burst of traffic and not per commit. */
#include "lazy.h"

#include "gate.h"
#include "linux_abi.h"
#include "uring.h"

#define LAZY_TICK_MS 1
#define LAZY_IDLE_TICKS 64u /* without a commit, then the ticker sleeps */

static struct {
    INIT_ONCE once;
    int event_fd;
    rs_atomic_u32 asleep;
} lazy;

/* Flushes a queue whose commits were all there at the tick before. Returns: it saw traffic. */
static bool lazy_look(rs_cq *cq) {
    uint32_t commits = rs_atomic_load_u32(&cq->commits);
    bool moved = commits != cq->ticker_saw;
    cq->ticker_saw = commits;
    if (moved) {
        return true;
    }
    rs_cq_lock(cq);
    if (cq->unsent > 0 && !cq->waits_here && !cq->core.dead) {
        rs_provider_state()->engine->flush(cq);
    }
    rs_cq_leave(cq);
    return false;
}

static bool lazy_look_at_all(rs_provider *provider) {
    bool moved = false;
    /* The lock keeps queues from being freed. */
    AcquireSRWLockShared(&provider->lock);
    for (uint32_t i = 0; i < provider->cqs.used; i++) {
        rs_cq *cq = rs_handle_at(&provider->cqs, i);
        if (cq != NULL && lazy_look(cq)) {
            moved = true;
        }
    }
    ReleaseSRWLockShared(&provider->lock);
    return moved;
}

static void lazy_sleep(void) {
    uint64_t count;
    while (rs_atomic_load_u32(&lazy.asleep)) {
        (void)rs_gate_call6(LX_SYS_READ, lazy.event_fd, (intptr_t)&count, sizeof count, 0, 0, 0);
    }
}

static DWORD WINAPI lazy_ticker(void *unused) {
    rs_provider *provider = rs_provider_state();
    uint32_t idle = 0;
    (void)unused;
    while (lazy.event_fd >= 0) {
        Sleep(LAZY_TICK_MS);
        idle = lazy_look_at_all(provider) ? 0 : idle + 1;
        if (idle < LAZY_IDLE_TICKS) {
            continue;
        }
        (void)rs_atomic_exchange_u32(&lazy.asleep, 1);
        /* A commit that did not see "asleep" yet is seen here, or the next one wakes us. */
        if (lazy_look_at_all(provider)) {
            (void)rs_atomic_exchange_u32(&lazy.asleep, 0);
        }
        lazy_sleep();
        idle = 0;
    }
    return 0;
}

static BOOL CALLBACK lazy_start(INIT_ONCE *once, void *unused, void **context) {
    HANDLE thread;
    (void)once;
    (void)unused;
    (void)context;
    lazy.event_fd = (int)rs_gate_call6(LX_SYS_EVENTFD2, 0, LX_EFD_CLOEXEC, 0, 0, 0, 0);
    thread = lazy.event_fd < 0 ? NULL : CreateThread(NULL, 65536, lazy_ticker, NULL, 0, NULL);
    if (thread == NULL) {
        return FALSE;
    }
    CloseHandle(thread);
    return TRUE;
}

static void lazy_wake(void) {
    uint64_t one = 1;
    if (rs_atomic_exchange_u32(&lazy.asleep, 0)) {
        (void)rs_gate_call6(LX_SYS_WRITE, lazy.event_fd, (intptr_t)&one, sizeof one, 0, 0, 0);
    }
}

void rs_lazy_commit(rs_cq *cq) {
    bool first = cq->unsent == 0;
    if (rs_ring_pending(&((rs_uring_cq *)cq->engine)->ring) == 0) {
        return; /* it needed no submission */
    }
    if (++cq->unsent >= RS_LAZY_COMMITS_MAX) {
        rs_provider_state()->engine->flush(cq);
        return;
    }
    if (cq->waits_here || rs_provider_state()->settings.ring == RS_RING_SINGLE) {
        return; /* such a program comes back; and of a SINGLE ring, no other thread may use it */
    }
    if (!InitOnceExecuteOnce(&lazy.once, lazy_start, NULL, NULL)) {
        rs_provider_state()->engine->flush(cq);
        return;
    }
    (void)rs_atomic_add_u32(&cq->commits, 1); /* a full fence before the look at asleep */
    if (first && rs_atomic_load_u32(&lazy.asleep)) {
        lazy_wake();
    }
}

void rs_lazy_done(rs_cq *cq) {
    cq->unsent = 0;
}
