/* See conn_ops.h. */
#include "seam/conn_ops.h"

#include <stddef.h>

#include "core/assert.h"

static bool conn_ops_is_idle(const rs_conn_ops *ops) {
    return ops->sends_in_flight == 0 && !ops->recv_in_flight && !ops->shutdown_in_flight;
}

void rs_conn_ops_bind(rs_conn_ops *ops, uint32_t generation, rs_conn_phase phase) {
    RS_ASSERT(ops->phase == RS_CONN_FREE);
    RS_ASSERT(conn_ops_is_idle(ops));
    RS_ASSERT(phase == RS_CONN_CONNECTING || phase == RS_CONN_OPEN);
    *ops = (rs_conn_ops){.generation = generation, .phase = (uint8_t)phase};
}

void rs_conn_ops_unbind(rs_conn_ops *ops) {
    RS_ASSERT(ops->phase == RS_CONN_OPEN);
    RS_ASSERT(conn_ops_is_idle(ops));
    ops->phase = RS_CONN_FREE;
}

rs_status rs_conn_ops_check(const rs_conn_ops *ops, const rs_op *op) {
    if (op->kind == RS_OP_CONNECT) {
        return ops->phase == RS_CONN_FREE && op->u.addr != NULL ? RS_OK : RS_E_INVALID;
    }
    if (op->generation != ops->generation) {
        return RS_E_STALE;
    }
    if (rs_conn_ops_is_closing(ops)) {
        bool escalates = op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;

        return escalates && !ops->abort_taken ? RS_OK : RS_E_CLOSED;
    }
    return ops->phase == RS_CONN_FREE ? RS_E_CLOSED : RS_OK;
}

rs_status rs_conn_ops_take_recv(rs_conn_ops *ops, const rs_op *op) {
    RS_DEBUG_ASSERT(ops->phase == RS_CONN_CONNECTING || ops->phase == RS_CONN_OPEN);
    if (op->u.data == NULL || op->bytes == 0) {
        return RS_E_INVALID;
    }
    if (ops->recv_in_flight) {
        return RS_E_FULL;
    }
    ops->recv_in_flight = true;
    return RS_OK;
}

rs_status rs_conn_ops_take_send(rs_conn_ops *ops, const rs_op *op, uint32_t sends_max) {
    RS_DEBUG_ASSERT(ops->phase == RS_CONN_CONNECTING || ops->phase == RS_CONN_OPEN);
    if (op->u.data == NULL || op->bytes == 0 || ops->shutdown_in_flight) {
        return RS_E_INVALID; /* nothing can follow the end of our stream */
    }
    if (ops->sends_in_flight >= sends_max) {
        return RS_E_FULL;
    }
    ops->sends_in_flight++;
    return RS_OK;
}

rs_status rs_conn_ops_take_shutdown(rs_conn_ops *ops) {
    RS_DEBUG_ASSERT(ops->phase == RS_CONN_CONNECTING || ops->phase == RS_CONN_OPEN);
    if (ops->shutdown_in_flight) {
        return RS_E_FULL;
    }
    ops->shutdown_in_flight = true;
    return RS_OK;
}

bool rs_conn_ops_take_close(rs_conn_ops *ops, const rs_op *op) {
    bool abort_it = (op->flags & RS_OPF_ABORT) != 0;

    RS_ASSERT(ops->phase != RS_CONN_FREE);
    RS_ASSERT(!rs_conn_ops_is_closing(ops) || (abort_it && !ops->abort_taken));
    ops->abort_taken = abort_it;
    return abort_it;
}

void rs_conn_ops_retire(rs_conn_ops *ops, rs_op_kind kind) {
    switch (kind) {
    case RS_OP_SEND:
        RS_ASSERT(ops->sends_in_flight > 0);
        ops->sends_in_flight--;
        break;
    case RS_OP_RECV:
        RS_ASSERT(ops->recv_in_flight);
        ops->recv_in_flight = false;
        break;
    case RS_OP_SHUTDOWN:
        RS_ASSERT(ops->shutdown_in_flight);
        ops->shutdown_in_flight = false;
        break;
    case RS_OP_CLOSE:
        RS_ASSERT(ops->phase == RS_CONN_CLOSED);
        RS_ASSERT(conn_ops_is_idle(ops));
        ops->phase = RS_CONN_FREE;
        break;
    default:
        break; /* CONNECT: counted by the phase */
    }
}
