/* SPDX-License-Identifier: MIT */
/* The io_uring engine's part of a completion queue, for those who sleep on the ring itself. */
#ifndef RS_WINE_URING_H
#define RS_WINE_URING_H

#include "provider.h"
#include "ring.h"

typedef struct rs_standing_slab rs_standing_slab; /* uring_standing.c */

typedef struct rs_uring_cq {
    rs_ring ring;
    int event_fd;  /* signalled by completions while armed; -1 = a queue without notification */
    HANDLE helper; /* sleeps on event_fd and notifies */
    rs_atomic_u32 quit;
    bool wake_armed; /* the multishot poll of ringside_rio_wait's eventfd stands */
    bool woken;      /* it fired since the last look */
    uint32_t files_used, files_max;
    uint32_t *files_free; /* stack of slots of the ring's file table */
    uint32_t files_free_count;
    uint16_t next_group;     /* of buffers, for uring_burst.c */
    bool no_bursts;          /* the kernel has no buffer rings */
    bool standing_refused;   /* no standing receives, or no more of them */
    uint32_t standing_lanes; /* that have a ring of slices */
    rs_standing_slab *slabs; /* their memory, */
    void *pages_free;        /* and the pages that are not in use */
    uint8_t *fixed; /* per buffer index: 0 = not tried, 1 = registered with the ring, 2 = no room */
} rs_uring_cq;

/* user_data of what is no request. A request's is its lane's address. */
#define RS_URING_IGNORED 0u
#define RS_URING_WAKE 1u
#define RS_URING_WATCH 1u /* with a lane's address: the poll beside its standing receive */

#endif
