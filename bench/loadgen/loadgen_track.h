/* SPDX-License-Identifier: MIT */
/* The books of one connection: which requests are unanswered, since when, and what each reply was.
 *
 * Every request ends in exactly one column: answered in order (ok), reordered, wrong, lost, or
 * abandoned (we broke the connection off ourselves). A request that later replies have overtaken
 * is "skipped" until its own reply comes (reordered) or it is given up (lost). Pure; time comes in
 * from outside. */
#ifndef RS_LOADGEN_TRACK_H
#define RS_LOADGEN_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "loadgen/loadgen_payload.h"

/* Sums over all connections. sent = ok + reordered + taken_wrong + lost + abandoned + outstanding.
 */
typedef struct rs_track_columns {
    uint64_t sent;
    uint64_t received;    /* replies of any kind */
    uint64_t ok;          /* right, in order */
    uint64_t lost;        /* never answered */
    uint64_t wrong;       /* replies that are none of ours, or damaged */
    uint64_t reordered;   /* right, but overtaken by a later one */
    uint64_t duplicated;  /* right, but answered before */
    uint64_t abandoned;   /* unanswered when we broke the connection ourselves */
    uint64_t taken_wrong; /* requests that a wrong reply, or a short receipt, was counted for */
    uint64_t outstanding;
} rs_track_columns;

typedef struct rs_track {
    uint64_t *sent_ns; /* [mask + 1], by sequence; 0 = answered */
    uint64_t mask;
    uint64_t next;     /* sequence of the next request */
    uint64_t expected; /* of the next reply if none is missing: [expected, next) are unanswered */
    uint32_t outstanding;
    uint32_t skipped; /* unanswered ones below expected */
} rs_track;

/* rs_track_ring: entries of sent_ns that a depth needs; a power of two, at least 2 * depth. */
uint32_t rs_track_ring(uint32_t depth);

/* rs_track_init: sent_ns: ring zeroed entries, the caller's; ring from rs_track_ring. */
void rs_track_init(rs_track *track, uint64_t *sent_ns, uint32_t ring);

/* rs_track_send: books the request track->next as sent at now_ns (not 0). At most ring / 2 are
 * unanswered in order (asserted). One skipped a whole ring ago counts as lost now. */
void rs_track_send(rs_track *track, uint64_t now_ns, rs_track_columns *columns);

/* rs_track_reply: books one reply as the payload module judged it.
 * Returns  the time its request was sent, when it answers one (ok or reordered): *sequence then
 *          names it; else 0. */
uint64_t rs_track_reply(rs_track *track, rs_payload_verdict verdict, uint64_t *sequence,
                        rs_track_columns *columns);

/* rs_track_receipt: books one receipt, of the `frames` oldest requests, of which `lost` did not
 * arrive; is_right: it proves the rest, else none. In order: nothing is skipped (asserted). */
void rs_track_receipt(rs_track *track, uint32_t frames, uint32_t lost, bool is_right,
                      rs_track_columns *columns);

/* rs_track_expire: skipped requests sent timeout_ns or longer ago become lost.
 * Returns  true when the next reply due has been missing for that long: the connection is dead. */
bool rs_track_expire(rs_track *track, uint64_t now_ns, uint64_t timeout_ns,
                     rs_track_columns *columns);

/* rs_track_end: the connection is gone; what is unanswered becomes abandoned (we broke it off) or
 * lost. The next connection in its place goes on with the same numbers. */
void rs_track_end(rs_track *track, bool we_broke_it, rs_track_columns *columns);

#endif
