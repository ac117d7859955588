/* SPDX-License-Identifier: MIT */
/* A wait without wineserver: the thread sleeps in io_uring_enter. Another thread waits at the port
 * for it and signals an eventfd that the ring polls. */
#include "wait.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gate.h"
#include "lazy.h"
#include "linux_abi.h"
#include "uring.h"

#define WAIT_PACKETS_MAX 256u /* taken from the port ahead of the program */
#define WAIT_BATCH 64u
/* Bounds the search for the stop packet, in case another thread took it from the port. */
#define WAIT_ROTATIONS_MAX 65536u

/* A send mostly completes while it is submitted, and a wait for one completion would end there and
 * then. A program that did nothing at so many such ends in a row can wait for its sends and one
 * completion more. It may be a send that it needs this time: then it has lost the patience, and
 * from now on twice as many ends make such a wait, so that it happens a dozen times to any program.
 * A shorter patience than the system's tick costs more than the end, since the timer is set for it.
 */
#define WAIT_UNUSED_ENDS_MIN 64u
#define WAIT_UNUSED_ENDS_MAX (1u << 20)
#define WAIT_PATIENCE_US 10000u

typedef struct wait_bridge {
    int event_fd;
    uint32_t unused_ends; /* waits in a row that ended by sends alone and led to no request, */
    uint32_t unused_min;  /* and how many of them make the next one patient */
    bool ended_by_sends, was_patient;
    uint32_t accepted, received; /* the queue's counts at that end */
    HANDLE port, thread;
    SRWLOCK lock;
    CONDITION_VARIABLE room;
    OVERLAPPED_ENTRY packet[WAIT_PACKETS_MAX];
    ULONG first;
    rs_atomic_u32 count;
    /* The end, under the lock: the thread holds what it could not stash for the closer. */
    bool quit, stop_taken;
    OVERLAPPED_ENTRY held[WAIT_BATCH];
    ULONG held_count;
    OVERLAPPED stop; /* its address marks the packet that ends the thread */
} wait_bridge;

static void wait_ring(const wait_bridge *bridge) {
    uint64_t one = 1;
    (void)rs_gate_call6(LX_SYS_WRITE, bridge->event_fd, (intptr_t)&one, sizeof one, 0, 0, 0);
}

/* Under the lock: passes one packet to the program, now or when the queue is closed. */
static void wait_stash_one(wait_bridge *bridge, const OVERLAPPED_ENTRY *entry) {
    ULONG count;
    if (entry->lpOverlapped == &bridge->stop) {
        bridge->stop_taken = true;
        return;
    }
    while ((count = rs_atomic_load_u32(&bridge->count)) == WAIT_PACKETS_MAX && !bridge->quit) {
        (void)SleepConditionVariableSRW(&bridge->room, &bridge->lock, INFINITE, 0);
    }
    if (count == WAIT_PACKETS_MAX) {
        bridge->held[bridge->held_count++] = *entry;
        return;
    }
    bridge->packet[(bridge->first + count) % WAIT_PACKETS_MAX] = *entry;
    rs_atomic_store_u32(&bridge->count, count + 1);
}

/* Returns: the thread stays at the port. */
static bool wait_stash(wait_bridge *bridge, const OVERLAPPED_ENTRY *entries, ULONG count) {
    bool stays;
    AcquireSRWLockExclusive(&bridge->lock);
    for (ULONG i = 0; i < count; i++) {
        wait_stash_one(bridge, &entries[i]);
    }
    stays = !bridge->quit;
    ReleaseSRWLockExclusive(&bridge->lock);
    return stays;
}

static DWORD WINAPI wait_stand_at_port(void *argument) {
    wait_bridge *bridge = argument;
    OVERLAPPED_ENTRY entries[WAIT_BATCH];
    ULONG count = 0;
    while (
        GetQueuedCompletionStatusEx(bridge->port, entries, WAIT_BATCH, &count, INFINITE, FALSE)) {
        if (!wait_stash(bridge, entries, count)) {
            return 0;
        }
        wait_ring(bridge);
    }
    return 0; /* the program closed its port */
}

static bool wait_open_port(wait_bridge *bridge, HANDLE port) {
    if (port == NULL || bridge->port == port) {
        return true;
    }
    if (bridge->port != NULL) {
        return false;
    }
    bridge->port = port;
    bridge->thread = CreateThread(NULL, 65536, wait_stand_at_port, bridge, 0, NULL);
    if (bridge->thread == NULL) {
        bridge->port = NULL;
    }
    return bridge->thread != NULL;
}

static wait_bridge *wait_open(rs_cq *cq) {
    wait_bridge *bridge;
    bool taken;
    if (cq->waiter != NULL) {
        return cq->waiter;
    }
    bridge = calloc(1, sizeof *bridge);
    if (bridge == NULL) {
        return NULL;
    }
    bridge->unused_min = WAIT_UNUSED_ENDS_MIN;
    bridge->event_fd = (int)rs_gate_call6(LX_SYS_EVENTFD2, 0, LX_EFD_CLOEXEC, 0, 0, 0, 0);
    InitializeSRWLock(&bridge->lock);
    InitializeConditionVariable(&bridge->room);
    rs_cq_lock(cq); /* wake may come from another thread at the same time */
    taken = cq->waiter != NULL || bridge->event_fd < 0;
    if (!taken) {
        cq->waiter = bridge;
    }
    rs_cq_unlock(cq);
    if (taken) {
        rs_gate_close_fd(bridge->event_fd);
        free(bridge);
    }
    return cq->waiter;
}

static ULONG wait_take(wait_bridge *bridge, OVERLAPPED_ENTRY *entries, ULONG capacity) {
    ULONG held, count;
    if (rs_atomic_load_u32(&bridge->count) == 0) {
        return 0;
    }
    AcquireSRWLockExclusive(&bridge->lock);
    held = rs_atomic_load_u32(&bridge->count);
    count = held < capacity ? held : capacity;
    for (ULONG i = 0; i < count; i++) {
        entries[i] = bridge->packet[(bridge->first + i) % WAIT_PACKETS_MAX];
    }
    bridge->first = (bridge->first + count) % WAIT_PACKETS_MAX;
    rs_atomic_store_u32(&bridge->count, held - count);
    ReleaseSRWLockExclusive(&bridge->lock);
    WakeAllConditionVariable(&bridge->room);
    return count;
}

static void wait_arm_wake(const wait_bridge *bridge, rs_uring_cq *uring) {
    lx_sqe *sqe;
    if (uring->wake_armed) {
        return;
    }
    uring->wake_armed = true;
    sqe = rs_ring_prepare(&uring->ring);
    sqe->opcode = LX_OP_POLL_ADD;
    sqe->fd = bridge->event_fd;
    sqe->op_flags = LX_POLLIN;
    sqe->len = LX_POLL_ADD_MULTI;
    sqe->user_data = RS_URING_WAKE;
}

/* Under the lock: is there anything to return for? */
static bool wait_look(rs_cq *cq, rs_uring_cq *uring) {
    bool woken;
    rs_provider_state()->engine->harvest(cq);
    woken = uring->woken;
    uring->woken = false;
    return woken || cq->core.ready > 0;
}

/* What did the program do with the last wait's end? */
static void wait_learn(wait_bridge *bridge, const rs_cq *cq) {
    bool tells = bridge->ended_by_sends && cq->core.received == bridge->received;
    bridge->ended_by_sends = false;
    if (!tells) { /* or it took a receive as well, that came right behind */
        return;
    }
    if (cq->core.accepted == bridge->accepted) {
        bridge->unused_ends += bridge->unused_ends < bridge->unused_min;
        return;
    }
    bridge->unused_ends = 0;
    if (bridge->was_patient && bridge->unused_min < WAIT_UNUSED_ENDS_MAX) {
        bridge->unused_min *= 2;
    }
}

static void wait_ended(wait_bridge *bridge, const rs_cq *cq) {
    bridge->ended_by_sends = cq->core.ready > 0 && cq->core.ready == cq->core.ready_sends;
    bridge->accepted = cq->core.accepted;
    bridge->received = cq->core.received;
}

/* One pass: submit, sleep at most timeout_ns, look. */
static bool wait_pass(rs_cq *cq, wait_bridge *bridge, int64_t timeout_ns) {
    rs_uring_cq *uring = cq->engine;
    uint32_t sends;
    bool found;
    rs_cq_lock(cq);
    cq->waits_here = true;
    cq->left_unsent = false;
    wait_learn(bridge, cq);
    wait_arm_wake(bridge, uring);
    found = wait_look(cq, uring);
    if (found || timeout_ns == 0) {
        rs_provider_state()->engine->flush(cq);
        found = wait_look(cq, uring) || found;
        rs_cq_leave(cq);
        return found;
    }
    sends = bridge->unused_ends < bridge->unused_min ? 0 : rs_ring_pending_sends(&uring->ring);
    bridge->was_patient = sends > 0;
    rs_ring_publish(&uring->ring);
    rs_lazy_done(cq);
    rs_cq_unlock(cq);
    rs_ring_wait(&uring->ring, timeout_ns, sends + 1,
                 WAIT_PATIENCE_US); /* submits, sleeps: without the lock */
    rs_cq_lock(cq);
    found = wait_look(cq, uring);
    wait_ended(bridge, cq);
    rs_cq_leave(cq);
    return found;
}

BOOL rs_wait(rs_cq *cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *taken,
             DWORD timeout_ms) {
    int64_t timeout_ns = timeout_ms == INFINITE ? -1 : (int64_t)timeout_ms * 1000000;
    wait_bridge *bridge = wait_open(cq);
    ULONG count = 0;
    bool found;
    if (bridge == NULL || !wait_open_port(bridge, port)) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return FALSE;
    }
    if (rs_atomic_load_u32(&bridge->count) > 0) {
        timeout_ns = 0; /* packets wait: only submit and look */
    }
    found = wait_pass(cq, bridge, timeout_ns);
    if (entries != NULL) {
        count = wait_take(bridge, entries, capacity);
    }
    if (taken != NULL) {
        *taken = count;
    }
    if (!found && count == 0) {
        SetLastError(WAIT_TIMEOUT);
        return FALSE;
    }
    return TRUE;
}

void rs_wait_wake(rs_cq *cq) {
    const wait_bridge *bridge = wait_open(cq);
    if (bridge != NULL) {
        wait_ring(bridge);
    }
}

static void wait_post(const wait_bridge *bridge, const OVERLAPPED_ENTRY *entry) {
    (void)PostQueuedCompletionStatus(bridge->port, entry->dwNumberOfBytesTransferred,
                                     entry->lpCompletionKey,
                                     entry->lpOverlapped); /* a closed port wants none */
}

/* The thread has ended. Behind the packets it took are others, up to the stop packet: taking and
 * posting those as well keeps the order, and leaves no stop packet to the program. */
static void wait_give_back(wait_bridge *bridge) {
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    while (wait_take(bridge, &entry, 1) == 1) {
        wait_post(bridge, &entry);
    }
    for (ULONG i = 0; i < bridge->held_count; i++) {
        wait_post(bridge, &bridge->held[i]);
    }
    for (ULONG i = 0; !bridge->stop_taken && i < WAIT_ROTATIONS_MAX; i++) {
        if (!GetQueuedCompletionStatusEx(bridge->port, &entry, 1, &count, 0, FALSE)) {
            return;
        }
        bridge->stop_taken = entry.lpOverlapped == &bridge->stop;
        if (!bridge->stop_taken) {
            wait_post(bridge, &entry);
        }
    }
}

static void wait_stop(wait_bridge *bridge) {
    AcquireSRWLockExclusive(&bridge->lock); /* else the thread may miss it while going to sleep */
    bridge->quit = true;
    ReleaseSRWLockExclusive(&bridge->lock);
    WakeAllConditionVariable(&bridge->room);
    (void)PostQueuedCompletionStatus(bridge->port, 0, 0, &bridge->stop);
    (void)WaitForSingleObject(bridge->thread, INFINITE); /* just told to end */
    CloseHandle(bridge->thread);
    wait_give_back(bridge);
}

void rs_wait_close(rs_cq *cq) {
    wait_bridge *bridge = cq->waiter;
    if (bridge == NULL) {
        return;
    }
    if (bridge->thread != NULL) {
        wait_stop(bridge);
    }
    rs_gate_close_fd(bridge->event_fd);
    free(bridge);
    cq->waiter = NULL;
}
