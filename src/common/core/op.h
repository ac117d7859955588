/* SPDX-License-Identifier: MIT */
/* Requests to a back end and their completions: plain data, the vocabulary of the seam.
 *
 * Lives in core because the session layer builds ops without knowing any back end. Any thread may
 * hold these records; seam/backend.h defines them. */
#ifndef RS_CORE_OP_H
#define RS_CORE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/address.h"

#define RS_SOCKET_NONE UINTPTR_MAX

typedef enum rs_op_kind {
    RS_OP_NONE = 0,
    RS_OP_ACCEPT = 1,   /* completions only: the standing request of listen() */
    RS_OP_CONNECT = 2,  /* u.addr, bytes; binds the slot like attach(), then connects */
    RS_OP_RECV = 3,     /* u.data, bytes = room > 0; at most cfg.tuning.recvs in flight */
    RS_OP_SEND = 4,     /* u.data, bytes > 0; at most cfg.sends_per_conn in flight */
    RS_OP_SHUTDOWN = 5, /* end of our stream (FIN) after every earlier SEND */
    RS_OP_CLOSE = 6     /* completes last; RS_OPF_ABORT = reset instead of orderly close */
} rs_op_kind;

#define RS_OPF_ABORT 0x01u /* CLOSE */
#define RS_OPF_FROM 0x02u  /* CONNECT: u.addr[1] is a local address, to be counted on by bytes */

typedef struct rs_op {
    uint8_t kind;    /* rs_op_kind */
    uint8_t flags;   /* RS_OPF_* */
    uint16_t region; /* RECV, SEND: the registered region that holds [data, data + bytes) */
    uint32_t conn;   /* connection slot, [0, cfg.conns_max) */
    uint32_t generation;
    uint32_t bytes; /* CONNECT: see RS_OPF_FROM; without it the local address is the system's */
    union {
        uint8_t *data;       /* RECV, SEND */
        const rs_addr *addr; /* CONNECT; read before submit returns */
    } u;
    uint64_t tag; /* returned intact in the completion */
} rs_op;

/* rs_op_from: the local address of a CONNECT; port 0, and 0.0.0.0 or :: for the system's choice. */
static inline rs_addr rs_op_from(const rs_op *op) {
    const rs_addr any = {.family = op->u.addr->family};
    return (op->flags & RS_OPF_FROM) != 0 ? rs_addr_plus(&op->u.addr[1], op->bytes) : any;
}

/* RECV and SEND with RS_OK that completed inside their own system call, without a packet, event or
 * notification. "Inline completions" means this in the statistics of every back end. */
#define RS_CF_INLINE 0x01u

typedef struct rs_completion {
    uint8_t kind;        /* rs_op_kind */
    uint8_t flags;       /* RS_CF_* */
    uint16_t status;     /* rs_status */
    uint32_t conn;       /* unused (0) for ACCEPT, */
    uint32_t generation; /* as this is: no connection has generation 0 */
    uint32_t bytes; /* RECV: 0 with RS_OK = orderly end of the peer's stream. SEND: count sent */
    union {
        uint64_t tag;
        const rs_ends *ends; /* ACCEPT with RS_OK: valid until the next poll; NULL: unknown */
    };
    uintptr_t socket; /* ACCEPT with RS_OK: the new socket, ours to attach() or discard() */
} rs_completion;

/* rs_op_ended_inline: the flags of a completion whose own call ended it (called) or not. */
static inline uint8_t rs_op_ended_inline(bool called, rs_op_kind kind, int status) {
    return called && status == 0 && (kind == RS_OP_RECV || kind == RS_OP_SEND) ? RS_CF_INLINE : 0;
}

_Static_assert(sizeof(rs_op) == 32, "two ops a cache line");
_Static_assert(sizeof(rs_completion) == 32, "two completions a cache line");

#endif
