/* How many completion queue entries the RIO back end needs, and who holds them.
 *
 * A request queue reserves its whole depth in the completion queue when it is made, used or not
 * (RIOCreateRequestQueue, remarks), and there is no call that says how much is left: so the sum is
 * kept here. Pure C; the shard's thread. */
#ifndef RS_RIO_RIO_QUOTA_H
#define RS_RIO_RIO_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"

#define RS_RIO_RECVS_PER_CONN 1u         /* the seam allows one RECV in flight a connection */
#define RS_RIO_CQ_ENTRIES_MAX 0x8000000u /* RIO_MAX_CQ_SIZE, which pure C cannot see */

/* The system takes a reservation back some time after closesocket; new connections meanwhile need
 * room beside the old ones. One in eight, and never fewer than 16, may be in that state. */
#define RS_RIO_CLOSING_SLACK(conns) ((conns) / 8u + 16u)

_Static_assert((uint64_t)(RS_SESSIONS_MAX + RS_RIO_CLOSING_SLACK(RS_SESSIONS_MAX)) *
                       (RS_RIO_RECVS_PER_CONN + RS_SENDS_IN_FLIGHT_MAX) <=
                   RS_RIO_CQ_ENTRIES_MAX,
               "the largest configuration still fits one completion queue");

typedef struct rs_rio_quota {
    uint32_t conn_entries; /* one connection's: its receive and its sends */
    uint32_t cq_entries;   /* the completion queue's size */
    uint32_t held;         /* entries of request queues that exist; <= cq_entries */
    uint32_t held_high;    /* the most that were ever held */
} rs_rio_quota;

/* rs_rio_quota_init: the written sum: (conns_max + slack for closing ones) * (1 + sends).
 * conns_max in [1, RS_SESSIONS_MAX], sends_per_conn in [1, RS_SENDS_IN_FLIGHT_MAX] (asserted). */
void rs_rio_quota_init(rs_rio_quota *quota, uint32_t conns_max, uint32_t sends_per_conn);

/* rs_rio_quota_reserve: takes one connection's entries before its request queue is made; false
 * when the completion queue could not hold them (nothing is taken). */
bool rs_rio_quota_reserve(rs_rio_quota *quota);

/* rs_rio_quota_release: gives one connection's entries back: its queue was not made after all, or
 * its socket is closed and the last of its completions is dequeued. */
void rs_rio_quota_release(rs_rio_quota *quota);

#endif
