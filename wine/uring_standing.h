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

/* rs_uring_standing_is_active: the operation is with the kernel.
 *
 * A reset that comes right behind data may not end the operation: it takes both wake-ups for one,
 * reads the data, and waits (Linux up to 6.18 at least). So a poll for errors and the hang-up
 * stands beside it, under the lane's number with RS_URING_WATCH. wants_watch: it does not yet;
 * watch: fills it in; watched: it is with the kernel; alarm: it ended, with this result. Returns:
 * the receive has to be cancelled, and plain ones will find what it is. */
bool rs_uring_standing_is_active(const rs_rio_lane *lane);
bool rs_uring_standing_wants_watch(const rs_rio_lane *lane);
void rs_uring_standing_watch(rs_rio_lane *lane, lx_sqe *sqe);
bool rs_uring_standing_watched(const rs_rio_lane *lane);
bool rs_uring_standing_alarm(rs_rio_lane *lane, int32_t result);

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
