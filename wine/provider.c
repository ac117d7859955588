/* SPDX-License-Identifier: MIT */
/* The provider's state, the queue lock, and notification. */
#include "provider.h"

#include <string.h>

#include "core/assert.h"

#define PROVIDER_SPINS 64u

static rs_provider provider = {.lock = SRWLOCK_INIT};

_Static_assert(RS_RIO_ABORTED == WSA_OPERATION_ABORTED, "queue.h: number");
_Static_assert(RS_RIO_E_INVALID == WSAEINVAL, "queue.h: number");
_Static_assert(RS_RIO_E_TOO_MANY_REFS == WSAETOOMANYREFS, "queue.h: number");
_Static_assert(RS_RIO_E_NO_BUFFERS == WSAENOBUFS, "queue.h: number");

rs_provider *rs_provider_state(void) {
    return &provider;
}

/* Held for less than a microsecond unless a system call is made under it, and contended only when
 * the helper or the ticker meets the owner: a word is enough, and cheaper than any of Wine's. */
void rs_cq_lock(rs_cq *cq) {
    uint32_t spins = 0;
    while (rs_atomic_exchange_u32(&cq->locked, 1)) {
        if (++spins < PROVIDER_SPINS) {
            YieldProcessor();
        } else {
            (void)SwitchToThread(); /* either way the lock is tried again */
        }
    }
}

void rs_cq_unlock(rs_cq *cq) {
    rs_atomic_store_u32(&cq->locked, 0);
}

static void provider_notify(const RIO_NOTIFICATION_COMPLETION *how) {
    BOOL done;
    if (how->Type == RIO_EVENT_COMPLETION) {
        done = SetEvent(how->Event.EventHandle);
    } else {
        done =
            PostQueuedCompletionStatus(how->Iocp.IocpHandle, 0, (ULONG_PTR)how->Iocp.CompletionKey,
                                       (OVERLAPPED *)how->Iocp.Overlapped);
    }
    (void)done; /* a handle that the program closed: nobody to notify */
}

void rs_cq_leave(rs_cq *cq) {
    bool fire = cq->core.armed && (cq->core.ready_loud > 0 || cq->core.woken);
    RIO_NOTIFICATION_COMPLETION how = cq->notification;
    if (fire) {
        cq->core.armed = cq->core.woken = false;
        provider.engine->arm(cq, false);
    }
    rs_cq_unlock(cq);
    if (fire) {
        provider_notify(&how); /* a wineserver call: not under the lock */
    }
}

void rs_provider_address_out(const rs_rio_segment *segment, const void *address, uint32_t length) {
    if (segment->at != NULL) {
        memcpy(segment->at, address, length < segment->length ? length : segment->length);
    }
}
