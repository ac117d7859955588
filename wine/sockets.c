/* SPDX-License-Identifier: MIT */
/* A hash map of request queues by socket, and a set of flagged sockets. Fixed bucket arrays: Wine's
 * handles are small multiples of 4, so that neighbours spread by themselves. */
#include "sockets.h"

#include <stdlib.h>

#include "core/assert.h"

#define SOCKETS_BUCKETS 16384u

typedef struct flagged_socket {
    SOCKET socket;
    struct flagged_socket *next;
} flagged_socket;

static struct {
    rs_rio_rq *queue[SOCKETS_BUCKETS];
    flagged_socket *flagged[SOCKETS_BUCKETS];
    bool watching;
} sockets;

static uint32_t sockets_bucket(uintptr_t socket_handle) {
    return (uint32_t)(socket_handle >> 2) % SOCKETS_BUCKETS;
}

static rs_rio_rq **sockets_link(uintptr_t socket_handle) {
    rs_rio_rq **link = &sockets.queue[sockets_bucket(socket_handle)];
    while (*link != NULL && (*link)->socket != socket_handle) {
        link = &(*link)->next;
    }
    return link;
}

bool rs_socket_add(rs_rio_rq *rq) {
    rs_provider *provider = rs_provider_state();
    bool added = false;
    rs_rio_rq **link;
    AcquireSRWLockExclusive(&provider->lock);
    link = sockets_link(rq->socket);
    if (*link == NULL) {
        rq->handle = rs_handle_open(&provider->rqs, rq);
        if (rq->handle) {
            rq->next = NULL;
            *link = rq;
            added = true;
        }
    }
    ReleaseSRWLockExclusive(&provider->lock);
    return added;
}

rs_rio_rq *rs_socket_take(SOCKET s) {
    rs_provider *provider = rs_provider_state();
    rs_rio_rq **link, *rq;
    AcquireSRWLockExclusive(&provider->lock);
    link = sockets_link(s);
    rq = *link;
    if (rq != NULL) {
        *link = rq->next;
        (void)rs_handle_close(&provider->rqs, rq->handle); /* the object is in hand */
    }
    ReleaseSRWLockExclusive(&provider->lock);
    return rq;
}

rs_rio_rq *rs_socket_find(SOCKET s) {
    rs_provider *provider = rs_provider_state();
    rs_rio_rq *rq;
    AcquireSRWLockShared(&provider->lock);
    rq = *sockets_link(s);
    ReleaseSRWLockShared(&provider->lock);
    return rq;
}

void rs_socket_watch(void) {
    sockets.watching = true;
}

static flagged_socket **sockets_flag_link(SOCKET s) {
    flagged_socket **link = &sockets.flagged[sockets_bucket(s)];
    while (*link != NULL && (*link)->socket != s) {
        link = &(*link)->next;
    }
    return link;
}

void rs_socket_flag(SOCKET s, bool registered_io) {
    rs_provider *provider = rs_provider_state();
    flagged_socket **link, *entry;
    AcquireSRWLockExclusive(&provider->lock);
    link = sockets_flag_link(s);
    entry = *link;
    if (entry != NULL && !registered_io) {
        *link = entry->next;
        free(entry);
    } else if (entry == NULL && registered_io) {
        entry = calloc(1, sizeof *entry);
        if (entry !=
            NULL) { /* without memory the socket is refused, as it would be for lack of memory */
            entry->socket = s;
            *link = entry;
        }
    }
    ReleaseSRWLockExclusive(&provider->lock);
}

bool rs_socket_may(SOCKET s) {
    rs_provider *provider = rs_provider_state();
    bool may;
    if (!sockets.watching) {
        return true;
    }
    AcquireSRWLockShared(&provider->lock);
    may = *sockets_flag_link(s) != NULL;
    ReleaseSRWLockShared(&provider->lock);
    return may;
}

/* The lane stops; what is in progress is cancelled after what was committed has been submitted. */
static void sockets_close_lane(rs_rio_lane *lane) {
    const rs_engine *engine = rs_provider_state()->engine;
    rs_cq *cq = (rs_cq *)lane->cq;
    rs_cq_lock(cq);
    if (!cq->core.dead) {
        engine->harvest(cq); /* what has ended before: the socket still shows whether by a reset */
        engine->cancel(lane);
        engine->flush(cq);
    }
    rs_queue_close(lane);
    if (!cq->core.dead) {
        engine->harvest(cq); /* it has ended by now: the slices are not used after this */
    }
    rs_cq_leave(cq);
}

/* A completion queue that the program closed is freed with its last lane. */
static void sockets_bury(rs_rio_cq *core) {
    rs_provider *provider = rs_provider_state();
    rs_cq *cq = (rs_cq *)core;
    bool last;
    AcquireSRWLockExclusive(&provider->lock);
    rs_cq_lock(cq);
    last = core->dead && core->lanes == 0;
    rs_cq_unlock(cq);
    ReleaseSRWLockExclusive(&provider->lock);
    if (last) {
        free(cq);
    }
}

int rs_provider_close(SOCKET s) {
    rs_rio_rq *rq = rs_socket_take(s);
    rs_rio_cq *cq[RS_RIO_DIRECTIONS];
    bool dead[RS_RIO_DIRECTIONS];
    rs_socket_flag(s, false);
    if (rq == NULL) {
        return closesocket(s);
    }
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        cq[d] = rq->lane[d].cq;
        dead[d] = cq[d]->dead;
    }
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        sockets_close_lane(&rq->lane[d]);
    }
    rs_provider_state()->engine->close_rq(rq);
    rs_queue_drop(rq);
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        if (dead[d] && (d == 0 || cq[d] != cq[0])) {
            sockets_bury(cq[d]);
        }
    }
    return closesocket(s);
}

int rs_provider_shutdown(SOCKET s, int how) {
    rs_rio_rq *rq = rs_socket_find(s);
    if (rq != NULL) {
        rs_cq *cq = (rs_cq *)rq->lane[RS_RIO_SEND].cq;
        rs_cq_lock(cq);
        if (!cq->core.dead) {
            rs_provider_state()->engine->harvest(cq);
            rs_provider_state()->engine->flush(cq);
        }
        rs_cq_leave(cq);
    }
    return shutdown(s, how);
}
