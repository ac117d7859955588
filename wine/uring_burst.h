/* SPDX-License-Identifier: MIT */
/* Posted receives of a datagram socket: a multishot RECVMSG that takes datagrams for as long as
 * it has buffers, also while the program does something else. Windows fills posted receives as
 * datagrams come; one operation after the other would lose what the socket's buffer cannot hold.
 * An empty datagram ends a multishot operation: a chain of them stands, so that the next goes on.
 *
 * Each request that is in progress has lent the kernel one of the lane's own buffers, all of one
 * size; whichever is filled first belongs to the oldest request, whose slice gets a copy. So order
 * is kept, and posting a receive costs no system call. Under the completion queue's lock. */
#ifndef RS_WINE_URING_BURST_H
#define RS_WINE_URING_BURST_H

#include "uring.h"

#define RS_BURST_CHAIN 8u

/* rs_uring_ring_register: a ring of buffers (a power of two of them, at a page) under a number that
 * is free; 0 or -errno. rs_uring_ring_unregister: nothing takes from it any more.
 * rs_uring_ring_publish: the kernel sees the entries up to tail. */
int64_t rs_uring_ring_register(rs_uring_cq *uring, const lx_buf *ring, uint32_t entries,
                               uint16_t *group);
void rs_uring_ring_unregister(rs_uring_cq *uring, uint16_t group);
void rs_uring_ring_publish(lx_buf *ring, uint16_t tail);

typedef enum rs_burst_next {
    RS_BURST_GOES,   /* nothing is to be done */
    RS_BURST_SUBMIT, /* RS_BURST_CHAIN operations, in one call */
    RS_BURST_RENEW,  /* cancel the pending operations: larger buffers are needed, or few are left */
    RS_BURST_CANNOT  /* no memory, or a kernel older than 6.0: one receive after the other */
} rs_burst_next;

/* rs_uring_burst_start: lends buffers for what is committed, and says what is next. */
rs_burst_next rs_uring_burst_start(rs_rio_lane *lane, rs_uring_cq *uring);

/* rs_uring_burst_prepare: fills in the at-th operation of the chain; the descriptor is there. */
void rs_uring_burst_prepare(rs_rio_lane *lane, uint32_t at, lx_sqe *sqe);

/* rs_uring_burst_complete: one completion. error_status: its Linux error as Winsock's. Returns: the
 * lane lives, and may be started. The last completion of a closing lane may release it. */
bool rs_uring_burst_complete(rs_rio_lane *lane, rs_uring_cq *uring, const lx_cqe *cqe,
                             int32_t error_status);

/* rs_uring_burst_discard: gives buffers and ring back; nothing stands. uring NULL: it is closed. */
void rs_uring_burst_discard(rs_rio_lane *lane, rs_uring_cq *uring);

#endif
