/* SPDX-License-Identifier: MIT */
/* What RIO has, in addition to the connection engine's state: how many completion queue entries all
 * requests can take, which use of a record each request is, so that a completion names one request
 * and no other, and which queues have deferred requests that need a commit.
 *
 * SocketContext = {generation, connection}, RequestContext = {stamp, record}. A completion that
 * names no request in flight is RS_E_CORRUPT: the queue cannot be trusted. Pure C over the caller's
 * memory; one thread. */
#ifndef RS_RIO_RIO_LEDGER_H
#define RS_RIO_RIO_LEDGER_H

#include <stdint.h>

#include "core/status.h"
#include "seam/conn_engine.h"

#define RS_RIO_CQ_ENTRIES_MAX 0x8000000u /* RIO_MAX_CQ_SIZE, which pure C cannot see */

/* The system releases a reservation some time after closesocket; new connections meanwhile need
 * room beside the old ones. One in eight, and at least 16, may be in that state. */
#define RS_RIO_CLOSING_SLACK(conns) ((conns) / 8u + 16u)

_Static_assert((uint64_t)(RS_SESSIONS_MAX + RS_RIO_CLOSING_SLACK(RS_SESSIONS_MAX)) *
                       (RS_RECVS_IN_FLIGHT_MAX + RS_SENDS_IN_FLIGHT_MAX) <=
                   RS_RIO_CQ_ENTRIES_MAX,
               "the largest configuration still fits one completion queue");

/* rs_rio_cq_entries: (conns_max + slack for closing ones) * (receives + sends). A request queue
 * reserves its whole depth in the completion queue when it is made, used or not
 * (RIOCreateRequestQueue, remarks), and no call says how much is left. There are never more request
 * queues of ours than slots: one is free again only when its socket is closed and the last of its
 * completions is dequeued. conns_max in [1, RS_SESSIONS_MAX], recvs_per_conn in
 * [1, RS_RECVS_IN_FLIGHT_MAX], sends_per_conn in [1, RS_SENDS_IN_FLIGHT_MAX] (asserted). */
uint32_t rs_rio_cq_entries(uint32_t conns_max, uint32_t recvs_per_conn, uint32_t sends_per_conn);

typedef struct rs_rio_ledger {
    const rs_engine *engine;
    uint32_t *stamps;  /* [rs_engine_reqs]: of the latest use of each record */
    uint32_t *touched; /* [conns_max]: connections that need a commit, or did */
    uint8_t *dirs;     /* [conns_max]: RS_ENGINE_RECV, _SEND: what to commit; and whether listed */
    uint32_t touched_count;
    uint32_t stamp;
    uint64_t corrupt_context; /* what an RS_E_CORRUPT was about */
} rs_rio_ledger;

/* What RIO said about one request; status is already translated. */
typedef struct rs_rio_result {
    uint64_t socket_context;
    uint64_t request_context;
    uint32_t bytes;
    rs_status status;
} rs_rio_result;

/* rs_rio_ledger_init: empty. The arrays are zeroed memory of the caller. */
void rs_rio_ledger_init(rs_rio_ledger *ledger, const rs_engine *engine, uint32_t *stamps,
                        uint32_t *touched, uint8_t *dirs);

/* rs_rio_ledger_socket_context: for the request queue of a bound slot. */
uint64_t rs_rio_ledger_socket_context(const rs_rio_ledger *ledger, uint32_t conn);

/* rs_rio_ledger_stamp: a new use of a record; returns its RequestContext. */
uint64_t rs_rio_ledger_stamp(rs_rio_ledger *ledger, uint32_t at);

/* rs_rio_ledger_find: RS_OK: *conn and *at name the request in flight of a result; else
 * RS_E_CORRUPT. */
rs_status rs_rio_ledger_find(rs_rio_ledger *ledger, const rs_rio_result *result, uint32_t *conn,
                             uint32_t *at);

/* rs_rio_ledger_touch: a deferred request of one direction needs a commit. */
void rs_rio_ledger_touch(rs_rio_ledger *ledger, uint32_t conn, uint32_t dir);

/* rs_rio_ledger_touched: takes one connection off the list; RS_ENGINE_NONE when it is empty. *dirs
 * gets its directions, which are cleared. */
uint32_t rs_rio_ledger_touched(rs_rio_ledger *ledger, uint32_t *dirs);

/* rs_rio_ledger_take_touched: the same for one connection, before its socket is closed: an
 * uncommitted request may never complete. */
uint32_t rs_rio_ledger_take_touched(rs_rio_ledger *ledger, uint32_t conn);

#endif
