/* SPDX-License-Identifier: MIT */
/* What the parts of the provider share: the queue objects as Windows sees them, the engine that
 * carries requests out, and the process-wide state.
 *
 * Locks, in order: rs_provider.lock, then a completion queue's spin lock. A request queue's lanes
 * are guarded by the locks of their completion queues; handles are looked up without a lock. */
#ifndef RS_WINE_PROVIDER_H
#define RS_WINE_PROVIDER_H

#include "rio/rio_abi.h"

#include "handles.h"
#include "queue.h"
#include "settings.h"

typedef struct rs_cq {
    rs_rio_cq core; /* first: a rs_rio_cq of ours is a rs_cq */
    rs_atomic_u32 locked;
    bool notifies;
    RIO_NOTIFICATION_COMPLETION notification;
    void *engine;          /* the engine's part */
    void *waiter;          /* ringside_rio_wait's part */
    bool waits_here;       /* the program sleeps in it: it will be back for its lazy commits */
    bool left_unsent;      /* its last dequeue left them to the wait that is next */
    uint32_t unsent;       /* lazy commits since the last flush */
    rs_atomic_u32 commits; /* counts lazy commits, for the ticker */
    uint32_t ticker_saw;
} rs_cq;

typedef struct rs_buffer {
    char *base;
    uint32_t length;
    uint32_t index; /* of its handle */
} rs_buffer;

/* How requests are carried out. All but open_* and close_* run under the queue's lock. */
typedef struct rs_engine {
    const char *name; /* "wine-io_uring", "emulated" */
    bool (*open_cq)(rs_cq *cq);
    void (*close_cq)(rs_cq *cq);   /* no completion follows; the lanes are forgotten afterwards */
    int (*open_rq)(rs_rio_rq *rq); /* 0 or a Winsock error */
    /* before the first request: 0 or a Winsock error. WSAENOTCONN: there is no connection yet, and
     * it is asked again. */
    int (*bind_rq)(rs_rio_rq *rq);
    void (*close_rq)(rs_rio_rq *rq);   /* after cancel, before closesocket */
    void (*free_rq)(rs_rio_rq *rq);    /* the request queue's memory goes */
    void (*start)(rs_rio_lane *lane);  /* begin what may run */
    void (*flush)(rs_cq *cq);          /* hand what start prepared to the kernel */
    void (*harvest)(rs_cq *cq);        /* finished requests to the ready list, successors started */
    void (*cancel)(rs_rio_lane *lane); /* the operation in progress */
    void (*arm)(rs_cq *cq, bool on);   /* completions must lead to rs_cq_leave, or need not */
    void (*forget_buffer)(const rs_buffer *buffer); /* deregistered */
} rs_engine;

typedef struct rs_provider {
    const rs_engine *engine;
    rs_settings settings;
    SRWLOCK lock; /* the tables and the socket map */
    rs_handle_table cqs, rqs, buffers;
} rs_provider;

/* The one state of the DLL. */
rs_provider *rs_provider_state(void);

extern const rs_engine rs_engine_uring;
extern const rs_engine rs_engine_emulated;

/* rs_engine_uring_usable: the Unix half is there and the kernel grants a ring; else *why. Settings
 * that ask for what the kernel does not offer are taken back. */
bool rs_engine_uring_usable(const char **why);

void rs_cq_lock(rs_cq *cq);
/* rs_cq_unlock: unlocks. rs_cq_leave: unlocks, and notifies if the queue is armed and holds a
 * completion that may. */
void rs_cq_unlock(rs_cq *cq);
void rs_cq_leave(rs_cq *cq);

/* rs_provider_address_out: writes a Winsock address (or as much as fits) into a segment. */
void rs_provider_address_out(const rs_rio_segment *segment, const void *address, uint32_t length);

#endif
