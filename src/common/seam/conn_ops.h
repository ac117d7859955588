/* The ops of one connection that are in flight, and which further ones the contract lets in.
 *
 * Points 4, 5 and 8 of seam/backend.h as arithmetic over a few flags: the life of a slot, stale
 * generations, the second receive, more sends than reserved, the second CLOSE and the one abort
 * that may follow a plain one. A back end embeds one in each connection; how ops are carried out,
 * and when an in-flight one is over, is its own affair. What waits in a ready ring is still in
 * flight: retire follows once poll has handed it out.
 *
 *   FREE -bind-> OPEN, or CONNECTING -its outcome-> OPEN
 *   CONNECTING, OPEN -CLOSE-> CLOSING -all else has completed-> CLOSED -retire-> FREE
 *
 * bind and retire make the first step and the last; for those between, the back end writes `phase`.
 * Pure bookkeeping over the caller's memory; one thread. */
#ifndef RS_SEAM_CONN_OPS_H
#define RS_SEAM_CONN_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/op.h"
#include "core/status.h"

#define RS_CONN_OTHER_OPS                                                                          \
    4u /* in flight at most beside the SENDs: CONNECT, RECV, SHUTDOWN, CLOSE */

typedef enum rs_conn_phase {
    RS_CONN_FREE = 0,
    RS_CONN_CONNECTING,
    RS_CONN_OPEN,
    RS_CONN_CLOSING, /* a CLOSE was accepted, and its completion has yet to be made */
    RS_CONN_CLOSED   /* the completion of CLOSE waits in the ready ring */
} rs_conn_phase;

typedef struct rs_conn_ops {
    uint32_t generation;
    uint8_t phase;           /* rs_conn_phase */
    uint8_t sends_in_flight; /* SENDs accepted and not yet retired, as are the next two */
    bool recv_in_flight : 1;
    bool shutdown_in_flight : 1;
    bool abort_taken : 1; /* an abort was accepted: none may follow */
} rs_conn_ops;

_Static_assert(RS_SENDS_IN_FLIGHT_MAX <= UINT8_MAX, "sends are counted in a byte");

/* rs_conn_ops_bind: a free slot (asserted, with nothing in flight) becomes CONNECTING or OPEN under
 * generation. */
void rs_conn_ops_bind(rs_conn_ops *ops, uint32_t generation, rs_conn_phase phase);

/* rs_conn_ops_unbind: takes a bind back before any op was taken (asserted). */
void rs_conn_ops_unbind(rs_conn_ops *ops);

/* rs_conn_ops_check: is the connection in a state for op? The first question for each; after RS_OK
 * follows the take of its kind, or bind for a CONNECT. Changes nothing.
 *
 * Returns  RS_OK, RS_E_INVALID (CONNECT of a bound slot, or to no address), RS_E_STALE, or
 *          RS_E_CLOSED, which is also the answer to any op behind a CLOSE but the first abort. */
rs_status rs_conn_ops_check(const rs_conn_ops *ops, const rs_op *op);

/* rs_conn_ops_take_recv / _send / _shutdown: the op is in flight from now on, or RS_E_INVALID (no
 * bytes; a SEND behind a SHUTDOWN) or RS_E_FULL (more than was reserved), and nothing has changed.
 * sends_max: [1, RS_SENDS_IN_FLIGHT_MAX]. */
rs_status rs_conn_ops_take_recv(rs_conn_ops *ops, const rs_op *op);
rs_status rs_conn_ops_take_send(rs_conn_ops *ops, const rs_op *op, uint32_t sends_max);
rs_status rs_conn_ops_take_shutdown(rs_conn_ops *ops);

/* rs_conn_ops_take_close: notes what kind of CLOSE check let in; true = an abort. The caller looks
 * at the phase for whether it is the first, and moves it on when what it ends at once is over. */
bool rs_conn_ops_take_close(rs_conn_ops *ops, const rs_op *op);

/* rs_conn_ops_is_closing: was a CLOSE accepted and taken up, and not yet retired? */
static inline bool rs_conn_ops_is_closing(const rs_conn_ops *ops) {
    return ops->phase >= RS_CONN_CLOSING;
}

/* rs_conn_ops_retire: poll hands out a completion of this kind: its place may be asked for again.
 * That it was in flight, and that CLOSE comes last, is asserted; CLOSE frees the slot. */
void rs_conn_ops_retire(rs_conn_ops *ops, rs_op_kind kind);

#endif
