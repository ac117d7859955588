/* SPDX-License-Identifier: MIT */
/* The life of every connection of one back end: which ops are in flight, which call comes next,
 * when a connection is over. Pure C, no system call: a driver asks for the next action, carries it
 * out and reports the result. Registered I/O, IOCP and epoll differ in their drivers, in
 * gather_max, partial_sends and cancels_recv of rs_engine_config, and in when they call
 * rs_engine_next. docs/life-of-a-connection.md follows one connection through it.
 *
 *   FREE -bind-> OPEN -CLOSE-> CLOSING -socket_gone, all requests back-> CLOSED -take-> FREE
 *   FREE -CONNECT-> CONNECTING -connected-> OPEN, or CLOSING when a CLOSE came first
 *
 * In CLOSING a plain CLOSE first waits for the sends before it and, if receives can be cancelled,
 * for the receives; then comes the CLOSE action. An abort, direct or as the escalation of a plain
 * CLOSE, is immediate. Then the connection drains: requests that the kernel still has keep their
 * buffers until they are finished; only then does CLOSE complete. A connection that cannot continue
 * (its CONNECT failed, or `broken`) is aborted while OPEN; requests in flight and later ones
 * complete with its status until the owner closes it.
 *
 * If a send fails, those behind it that the kernel does not have yet and a SHUTDOWN fail too: the
 * peer must not read on after a gap. Receiving continues.
 *
 * An op: refused, or held -action and call-> with the kernel, or finished by the call itself
 * -finished-> in the ready ring, those of a direction in the order of submission -take-> its record
 * is free again.
 *
 * Contract points 1, 2, 4, 5 and 8 of seam/backend.h. One thread; allocates nothing. */
#ifndef RS_SEAM_CONN_ENGINE_H
#define RS_SEAM_CONN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/limits.h"
#include "core/op.h"
#include "core/status.h"
#include "seam/ready_ring.h"

#define RS_ENGINE_NONE UINT32_MAX

/* Directions, as bits. */
#define RS_ENGINE_RECV 0x1u
#define RS_ENGINE_SEND 0x2u
#define RS_ENGINE_BOTH (RS_ENGINE_RECV | RS_ENGINE_SEND)

/* Bits of rs_engine_conn.todo; the directions are there too, for held requests. */
#define RS_ENGINE_TODO_SHUTDOWN 0x4u
#define RS_ENGINE_TODO_END 0x8u  /* CLOSE was accepted, or the connection is broken; stays set */
#define RS_ENGINE_TODO_GAP 0x10u /* a send failed: later ones fail too; stays set */

typedef enum rs_conn_phase {
    RS_CONN_FREE = 0,
    RS_CONN_CONNECTING,
    RS_CONN_OPEN,
    RS_CONN_CLOSING, /* a CLOSE was accepted; its completion has not been made yet */
    RS_CONN_CLOSED   /* the completion of CLOSE waits in the ready ring */
} rs_conn_phase;

typedef enum rs_req_state {
    RS_REQ_FREE = 0,
    RS_REQ_HELD,   /* accepted; the kernel does not have it */
    RS_REQ_POSTED, /* the kernel has it and owns its buffer */
    RS_REQ_DONE    /* over, while an earlier one of its direction is not */
} rs_req_state;

/* One RECV or SEND. A driver may keep an array of its own with the same indices. */
typedef struct rs_engine_req {
    rs_op op;       /* RS_OP_RECV or RS_OP_SEND */
    uint32_t done;  /* bytes the kernel has accepted; the rest starts at op.u.data + done. A RECV
                     * that is DONE: received */
    uint8_t state;  /* rs_req_state */
    uint8_t status; /* rs_status, when DONE */
    uint8_t run;    /* POSTED: SENDs of the call, this one the first */
    bool called;    /* DONE: its own call ended it */
} rs_engine_req;

typedef struct rs_engine_conn {
    uint32_t generation;
    uint8_t phase;        /* rs_conn_phase */
    uint8_t todo;         /* RS_ENGINE_RECV, _SEND: held; RS_ENGINE_TODO_* */
    uint8_t broken;       /* rs_status that every further request completes with; RS_OK = none */
    uint8_t gap;          /* the same for every further SEND and SHUTDOWN */
    uint8_t sends;        /* SENDs accepted and not yet taken */
    uint8_t sends_untold; /* of these: without a completion, the oldest at send_head */
    uint8_t sends_held;   /* of these the youngest: not with the kernel */
    uint8_t send_head;
    uint8_t sends_posted; /* calls that the kernel has; each may carry several SENDs */
    uint8_t recvs;        /* the same of RECVs */
    uint8_t recvs_held;
    uint8_t recvs_untold;
    uint8_t recv_head; /* 0 when there is none untold */
    uint8_t recvs_posted;
    bool shutdown;       /* a SHUTDOWN was accepted and is not yet taken */
    bool recv_cancelled; /* all that were posted */
    bool connect_busy;   /* CONNECT is outstanding, also behind a CLOSE */
    bool abort_taken;    /* an abort was accepted: none may follow */
    bool socket_gone;    /* CLOSING then means draining */
    uint64_t shutdown_tag;
    uint64_t close_tag;
    uint64_t connect_tag;
} rs_engine_conn;

_Static_assert(sizeof(rs_engine_conn) <= 64, "a connection's state is within a cache line");
_Static_assert(RS_SENDS_IN_FLIGHT_MAX <= UINT8_MAX, "sends are counted in bytes");
_Static_assert(RS_RECVS_IN_FLIGHT_MAX <= UINT8_MAX, "and so are receives");

typedef struct rs_engine_config {
    uint32_t conns_max;      /* [1, RS_SESSIONS_MAX] */
    uint32_t recvs_per_conn; /* [1, RS_RECVS_IN_FLIGHT_MAX] */
    uint32_t sends_per_conn; /* [1, RS_SENDS_IN_FLIGHT_MAX] */
    uint32_t accepts_max;    /* ACCEPT records that may wait at once */
    uint32_t poll_max;       /* completions of one poll */
    uint32_t gather_max;     /* SENDs per call, [1, RS_GATHER_MAX] */
    bool partial_sends;      /* a short send leaves the rest held (epoll); else it is a truncated
                              * send */
    bool cancels_recv;       /* receives can be cancelled, and are before a plain close (IOCP) */
} rs_engine_config;

typedef struct rs_engine {
    rs_engine_conn *conns; /* [conns_max] */
    rs_engine_req *reqs;   /* [conns_max][recvs + sends]: the first receive, the sends, the other
                            * receives: with one receive no index needs their number */
    rs_ready_ring ready;
    rs_engine_config cfg;
    uint32_t reqs_per_conn;
    uint32_t accepts; /* ACCEPT records in the ready ring */
    rs_ends *ends;    /* of the latest accepted connections, in a ring */
    uint32_t ends_at;
    uint32_t posted; /* calls that the kernel has, all connections */
    uint32_t bound;  /* slots that are not free */
    uint64_t inline_completions;
} rs_engine;

/* rs_engine_reqs: request records for these limits. */
static inline uint32_t rs_engine_reqs(uint32_t conns_max, uint32_t recvs_per_conn,
                                      uint32_t sends_per_conn) {
    RS_ASSERT(conns_max > 0);
    RS_ASSERT(recvs_per_conn > 0);
    RS_ASSERT(sends_per_conn > 0);
    return conns_max * (recvs_per_conn + sends_per_conn);
}

/* rs_engine_recv_at: index of a connection's first record, which is that of a receive; its other
 * records follow. */
static inline uint32_t rs_engine_recv_at(const rs_engine *engine, uint32_t conn) {
    RS_DEBUG_ASSERT(conn <= engine->cfg.conns_max);
    return conn * engine->reqs_per_conn;
}

/* rs_engine_bytes: the memory that init needs. */
size_t rs_engine_bytes(const rs_engine_config *cfg);

/* rs_engine_init: all slots free. memory: rs_engine_bytes zeroed bytes of the caller's, aligned as
 * malloc does. */
void rs_engine_init(rs_engine *engine, const rs_engine_config *cfg, void *memory);

/* ---- requests */

/* rs_engine_bind: a free slot becomes OPEN under generation. _unbind: free again, before any op was
 * accepted (asserted). */
void rs_engine_bind(rs_engine *engine, uint32_t conn, uint32_t generation);
void rs_engine_unbind(rs_engine *engine, uint32_t conn);

/* rs_engine_submit: accepts ops[0] and, if it is a SEND and gather_max > 1, the SENDs of its
 * connection right behind it. count >= 1. Returns how many were accepted; *why = RS_OK, or why
 * ops[returned] was refused (seam/backend.h). If any were accepted, the caller continues with the
 * actions of ops[0].conn. The driver carries out a CONNECT from the op itself and reports its
 * result with rs_engine_connected. */
uint32_t rs_engine_submit(rs_engine *engine, const rs_op *ops, uint32_t count, rs_status *why);

/* ---- actions */

typedef enum rs_engine_do {
    RS_DO_NONE,
    RS_DO_RECV,        /* receive for the record `at`; then rs_engine_pending or _finished */
    RS_DO_SEND,        /* send `count` records in one call; likewise */
    RS_DO_SHUTDOWN,    /* end our stream, then rs_engine_shut_down */
    RS_DO_CANCEL_RECV, /* cancel all posted receives, then rs_engine_recv_cancelled */
    RS_DO_CLOSE,       /* close the socket, then rs_engine_socket_gone */
    RS_DO_ABORT        /* the same with a reset */
} rs_engine_do;

typedef struct rs_engine_action {
    uint32_t kind;  /* rs_engine_do */
    uint32_t at;    /* RECV, SEND: index of the (first) record */
    uint32_t count; /* SEND: records, those behind the first by rs_engine_send_behind */
} rs_engine_action;

rs_engine_action rs_engine_next_todo(const rs_engine *engine, uint32_t conn, uint32_t todo);

/* rs_engine_wants: may rs_engine_next have an action? Faster than calling it. */
static inline bool rs_engine_wants(const rs_engine *engine, uint32_t conn, uint32_t may) {
    RS_DEBUG_ASSERT(conn < engine->cfg.conns_max);
    return (engine->conns[conn].todo & (may | ~(uint32_t)RS_ENGINE_BOTH)) != 0;
}

/* rs_engine_next: the next call for a connection; repeat until it returns RS_DO_NONE. may: the
 * directions in which a call can be made now, RS_ENGINE_RECV | RS_ENGINE_SEND (epoll: those in
 * which the socket is ready; IOCP: receives in their turn). */
static inline rs_engine_action rs_engine_next(const rs_engine *engine, uint32_t conn,
                                              uint32_t may) {
    const uint32_t todo = engine->conns[conn].todo & (may | ~(uint32_t)RS_ENGINE_BOTH);
    RS_DEBUG_ASSERT(conn < engine->cfg.conns_max);
    if (todo == 0) {
        return (rs_engine_action){.kind = RS_DO_NONE};
    }
    return rs_engine_next_todo(engine, conn, todo);
}

/* rs_engine_send_behind: the record of the i-th SEND behind `at`. */
uint32_t rs_engine_send_behind(const rs_engine *engine, uint32_t conn, uint32_t at, uint32_t i);

/* rs_engine_pending: the call for the RECV or SEND at `at` left a request with the kernel;
 * _finished follows. */
void rs_engine_pending(rs_engine *engine, uint32_t conn, uint32_t at);

/* rs_engine_finished: the call for the action at `at` completed at once (called), or the request it
 * left with the kernel has. bytes: transferred, for a gather in total; no more than requested
 * (asserted). A failure is reported by its cause: our own close, or the peer or network. */
void rs_engine_finished(rs_engine *engine, uint32_t conn, uint32_t at, rs_status status,
                        uint32_t bytes, bool called);

void rs_engine_shut_down(rs_engine *engine, uint32_t conn, rs_status status);
void rs_engine_recv_cancelled(rs_engine *engine, uint32_t conn);
void rs_engine_socket_gone(rs_engine *engine, uint32_t conn);

/* rs_engine_connected: the result of a CONNECT; after a CLOSE it is always RS_E_ABORTED. */
void rs_engine_connected(rs_engine *engine, uint32_t conn, rs_status status);

/* rs_engine_broken: the connection cannot continue: the next action is to abort it, and requests in
 * flight and later ones complete with status. */
void rs_engine_broken(rs_engine *engine, uint32_t conn, rs_status status);

/* ---- completions */

/* rs_engine_accepted: adds count ACCEPT records. There is room (asserted). What their `ends` point
 * to (nullable) is copied, and stays until the poll after the one that returns the record. */
void rs_engine_accepted(rs_engine *engine, const rs_completion *records, uint32_t count);

/* rs_engine_take: removes up to cap completions. A CLOSE among them frees its slot. */
uint32_t rs_engine_take(rs_engine *engine, rs_completion *out, uint32_t cap);

#endif
