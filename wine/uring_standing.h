/* SPDX-License-Identifier: MIT */
/* Posted receives of a stream: a multishot RECV that stands while the connection lives. The kernel
 * polls the socket once, not once a receive, and posting one is a store to a ring of buffers that
 * both share: the program's own slices, in the order of posting. So nothing is copied, and nothing
 * is read from the socket that no receive was posted for.
 *
 * A connection gets it when its receives have emptied the socket several times in a row; a plain
 * receive, which tries first and then polls, is the better one for a socket that always has data,
 * and for a connection that soon ends. Receives of whole length, and empty ones, are plain too.
 * Needs Linux 6.0. Under the completion queue's lock. */
#ifndef RS_WINE_URING_STANDING_H
#define RS_WINE_URING_STANDING_H

#include "uring.h"

typedef enum rs_standing_next {
    RS_STANDING_NO,    /* a plain receive, if none is in progress */
    RS_STANDING_GOES,  /* nothing is to be done */
    RS_STANDING_SUBMIT /* the operation is to be submitted */
} rs_standing_next;

/* rs_uring_standing_offered: the kernel has this operation; a ring for the question alone. */
bool rs_uring_standing_offered(rs_ring *ring, bool ask_wrongly);

/* rs_uring_standing_start: lends the slices of what is committed, and says what is next. */
rs_standing_next rs_uring_standing_start(rs_rio_lane *lane, rs_uring_cq *uring);

/* rs_uring_standing_prepare: fills in the operation; the descriptor is there. */
void rs_uring_standing_prepare(rs_rio_lane *lane, lx_sqe *sqe);

/* rs_uring_standing_took: what a completion says about the ring and about the socket; its bytes are
 * the oldest request's. rs_uring_standing_over: it was the last of its operation; the requests in
 * progress can be run again. */
void rs_uring_standing_took(rs_rio_lane *lane, const lx_cqe *cqe);
void rs_uring_standing_over(rs_rio_lane *lane);

/* rs_uring_standing_is_harmless: an end that concerns no request: no slice was left, it was
 * cancelled, or the thread that submitted it has exited. */
bool rs_uring_standing_is_harmless(int32_t result);

/* rs_uring_standing_discard: gives the ring of buffers back; nothing stands. */
void rs_uring_standing_discard(rs_rio_lane *lane, rs_uring_cq *uring);

/* rs_uring_standing_close: the memory of all rings; the queue's ring is closed. */
void rs_uring_standing_close(rs_uring_cq *uring);

#endif
