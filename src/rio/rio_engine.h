/* The RIO back end's decisions: which requests exist, what must be called next, when a connection
 * is over. No Windows in here; rio_backend.c carries the decisions out and tells the results.
 *
 * Life of a slot:
 *
 *   FREE -attach-> OPEN -CLOSE-> CLOSING: flushing -sends done-> ending -closesocket-> draining
 *   FREE -CONNECT-> CONNECTING -packet-> OPEN ...          (or straight to ending)
 *   draining -last request dequeued-> CLOSED -CLOSE record handed out-> FREE
 *
 * The capitals are seam/conn_ops.h's. Flushing exists because RIO knows no cancelling but
 * closesocket: sends accepted before a plain CLOSE would be cancelled with the rest, so they are
 * waited for first. Draining exists because the requests that closesocket cancelled still come
 * through the completion queue, and until then own their buffers.
 *
 * A completion is found again by what it carries: SocketContext = {generation, connection} and
 * RequestContext = {sequence, request}. One that names no request in flight is RS_E_CORRUPT: the
 * queue is not to be trusted any more. One thread; allocates nothing. */
#ifndef RS_RIO_RIO_ENGINE_H
#define RS_RIO_RIO_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/op.h"
#include "core/status.h"
#include "rio/rio_quota.h"
#include "seam/conn_ops.h"
#include "seam/ready_ring.h"

#define RS_RIO_NONE UINT32_MAX

#define RS_RIO_DIR_RECV 0x1u
#define RS_RIO_DIR_SEND 0x2u

typedef enum rs_rio_req_state {
    RS_RIO_REQ_FREE = 0,
    RS_RIO_REQ_HELD,   /* accepted, not yet handed to RIO */
    RS_RIO_REQ_POSTED, /* RIO's: counts against the request queue, its slice is the kernel's */
    RS_RIO_REQ_DONE    /* over, but an earlier send of the connection is not */
} rs_rio_req_state;

/* One request's record, reused; its twin in rio_backend.c holds the RIO_BUF. */
typedef struct rs_rio_req {
    uint64_t tag;
    uint8_t *data;
    uint32_t bytes;
    uint32_t done_bytes;
    uint32_t sequence; /* of this use of the record */
    uint16_t region;
    uint8_t state;  /* rs_rio_req_state */
    uint8_t status; /* rs_status, when DONE */
} rs_rio_req;

typedef struct rs_rio_conn {
    rs_conn_ops ops;
    uint8_t send_head;  /* oldest send whose completion was not yet made */
    uint8_t send_count; /* sends from there on */
    uint8_t send_held;  /* the youngest of them, not yet handed to RIO */
    uint8_t posted;     /* requests that RIO has */
    uint8_t touched;    /* RS_RIO_DIR_*: deferred requests that want a commit */
    uint8_t broken;     /* rs_status that every further request completes with; RS_OK = none */
    bool listed : 1;    /* in the touched list */
    bool recv_held : 1;
    bool connect_busy : 1;     /* ConnectEx is outstanding */
    bool shutdown_waiting : 1; /* behind the sends */
    bool flushing : 1;         /* CLOSING, and the sends before a plain CLOSE come first */
    bool socket_gone : 1;      /* closesocket was called; CLOSING then means draining */
    uint64_t shutdown_tag;
    uint64_t close_tag;
    uint64_t connect_tag;
} rs_rio_conn;

typedef struct rs_rio_engine {
    rs_rio_conn *conns; /* [conns_max] */
    rs_rio_req *reqs;   /* [conns_max][1 + sends]: the receive, then the sends */
    uint32_t *touched;  /* [conns_max] */
    uint32_t conns_max;
    uint32_t sends_per_conn;
    uint32_t touched_count;
    uint32_t sequence;
    uint32_t posted; /* requests that RIO has, all connections */
    uint32_t bound;  /* slots that are not free */
    bool defer;
    rs_rio_quota quota; /* one connection's share for every slot that is not free */
    rs_ready_ring ready;
    uint64_t corrupt_context; /* what an RS_E_CORRUPT was about */
} rs_rio_engine;

/* What RIO said about one request; status is already translated. */
typedef struct rs_rio_result {
    uint64_t socket_context;
    uint64_t request_context;
    uint32_t bytes;
    rs_status status;
} rs_rio_result;

/* rs_rio_engine_ready_max: completions that can be waiting at once: per connection CONNECT, RECV,
 * SHUTDOWN, CLOSE and its SENDs. */
static inline uint32_t rs_rio_engine_ready_max(uint32_t conns_max, uint32_t sends_per_conn) {
    return conns_max * (RS_CONN_OTHER_OPS + sends_per_conn);
}

/* rs_rio_engine_reqs: request records for these limits. */
static inline uint32_t rs_rio_engine_reqs(uint32_t conns_max, uint32_t sends_per_conn) {
    return conns_max * (RS_RIO_RECVS_PER_CONN + sends_per_conn);
}

/* rs_rio_engine_init: all slots free. The arrays are zeroed memory of the caller's: conns and
 * touched [conns_max], reqs [rs_rio_engine_reqs], ready [rs_rio_engine_ready_max]. */
void rs_rio_engine_init(rs_rio_engine *engine, rs_rio_conn *conns, rs_rio_req *reqs,
                        uint32_t *touched, rs_completion *ready, uint32_t conns_max,
                        uint32_t sends_per_conn, bool defer);

/* ---- requests */

/* rs_rio_engine_attach / _detach: a free slot becomes OPEN under generation; and back again when
 * the system would not make its request queue. RS_E_NO_BUFFERS: the completion queue is full. */
rs_status rs_rio_engine_attach(rs_rio_engine *engine, uint32_t conn, uint32_t generation);
void rs_rio_engine_detach(rs_rio_engine *engine, uint32_t conn);

/* rs_rio_engine_submit: accepts or refuses one op, as the seam says. After RS_OK call
 * rs_rio_engine_next for op->conn until it says RS_RIO_DO_NONE. CONNECT binds the slot; the
 * caller starts ConnectEx and reports through rs_rio_engine_connected. */
rs_status rs_rio_engine_submit(rs_rio_engine *engine, const rs_op *op);

typedef enum rs_rio_do {
    RS_RIO_DO_NONE,
    RS_RIO_DO_POST_RECV, /* RIOReceive for *req, then rs_rio_engine_posted */
    RS_RIO_DO_POST_SEND, /* RIOSend for *req, then rs_rio_engine_posted */
    RS_RIO_DO_SHUTDOWN,  /* shutdown(SD_SEND), then rs_rio_engine_shut_down */
    RS_RIO_DO_CLOSE,     /* commit what is touched, closesocket, then rs_rio_engine_socket_gone */
    RS_RIO_DO_ABORT      /* the same with a reset */
} rs_rio_do;

/* rs_rio_engine_next: what to call next for a connection. *req: index of the record to post. */
rs_rio_do rs_rio_engine_next(const rs_rio_engine *engine, uint32_t conn, uint32_t *req);

/* rs_rio_engine_posted: the outcome of a post. RS_OK: RIO has it, one completion will come.
 * Otherwise none will, and the failure becomes the request's completion. */
void rs_rio_engine_posted(rs_rio_engine *engine, uint32_t conn, uint32_t req, rs_status status);

void rs_rio_engine_shut_down(rs_rio_engine *engine, uint32_t conn, rs_status status);

/* rs_rio_engine_connected: the outcome of ConnectEx and of making the request queue. */
void rs_rio_engine_connected(rs_rio_engine *engine, uint32_t conn, rs_status status);

/* rs_rio_engine_broken: the connection cannot go on (a commit failed): the next action is to abort
 * it, and what is in flight or follows completes with status. */
void rs_rio_engine_broken(rs_rio_engine *engine, uint32_t conn, rs_status status);

void rs_rio_engine_socket_gone(rs_rio_engine *engine, uint32_t conn);

/* ---- commits: one a touched queue and direction */

/* rs_rio_engine_touched: takes one connection off the touched list; RS_RIO_NONE when it is empty.
 * *dirs gets its RS_RIO_DIR_* bits, which are cleared. */
uint32_t rs_rio_engine_touched(rs_rio_engine *engine, uint32_t *dirs);

/* rs_rio_engine_take_touched: the same for one connection, before its socket is closed: an
 * uncommitted request may never complete. */
uint32_t rs_rio_engine_take_touched(rs_rio_engine *engine, uint32_t conn);

/* ---- completions */

/* rs_rio_engine_complete: takes one result in. RS_OK: *conn is the connection to ask
 * rs_rio_engine_next about, *req the record that is free again. RS_E_CORRUPT: it belongs to no
 * request in flight. */
rs_status rs_rio_engine_complete(rs_rio_engine *engine, const rs_rio_result *result, uint32_t *conn,
                                 uint32_t *req);

/* rs_rio_engine_take: hands out up to cap waiting completions. A CLOSE among them frees its
 * slot. */
uint32_t rs_rio_engine_take(rs_rio_engine *engine, rs_completion *out, uint32_t cap);

/* rs_rio_engine_contexts: what to pass as SocketContext and RequestContext. */
static inline uint64_t rs_rio_engine_socket_context(const rs_rio_engine *engine, uint32_t conn) {
    return (uint64_t)engine->conns[conn].ops.generation << 32 | conn;
}
static inline uint64_t rs_rio_engine_request_context(const rs_rio_engine *engine, uint32_t req) {
    return (uint64_t)engine->reqs[req].sequence << 32 | req;
}

#endif
