/* SPDX-License-Identifier: MIT */
/* Three kernels played by hand under the real connection engine, one for each set of capabilities:
 * what was asked waits in a table until the test (or fuzzer) lets it end. Every rule of the seam
 * and of the APIs that can be seen from here is checked on the way:
 *   - no call on a closed socket, never more in flight than was reserved, receives and sends in
 *     their order and no more sends in one call than may be gathered;
 *   - no closesocket twice, none before the sends of a plain CLOSE; RIO: none with uncommitted
 *     requests; IOCP: none with a receive pending, unless it resets;
 *   - every accepted op has exactly one completion, those of a direction in order, CLOSE last;
 *   - at the end every slot is free. */
#ifndef RS_TESTS_ENGINE_BED_H
#define RS_TESTS_ENGINE_BED_H

#include <string.h>

#include "core/assert.h"
#include "rio/rio_ledger.h"
#include "seam/conn_engine.h"

#define BED_CONNS 4u
#define BED_SENDS 3u
#define BED_RECVS_MAX 5u
#define BED_REQS (BED_CONNS * (BED_RECVS_MAX + BED_SENDS))
#define BED_OUT 64u
#define BED_OP_BYTES 16u
#define BED_MEMORY 16384u

typedef enum bed_kernel {
    BED_RIO,   /* one buffer a request, everything pends, nothing is taken back */
    BED_IOCP,  /* gathers, may end in the call, gives a receive back */
    BED_EPOLL, /* gathers, takes parts, never keeps a request */
    BED_KERNELS
} bed_kernel;

typedef struct bed_post {
    bool used, committed, cancelled;
    uint32_t conn, dir, at;
    uint32_t bytes;
    uint64_t socket_context, request_context;
    uint64_t order;
} bed_post;

/* What the caller of the seam is still owed, and what the kernel knows of the connection. */
typedef struct bed_owed {
    uint32_t recvs, sends, shutdowns, connects, closes;
    uint64_t next_send_tag, next_send_due; /* tags of sends count up: they must come back so */
    uint64_t next_send_start;              /* and go to the kernel so */
    uint64_t next_recv_tag, next_recv_due, next_recv_start; /* likewise */
    uint32_t generation;
    bool bound, has_socket, has_queue;
    bool abort_taken;
    bool send_failed; /* after which no send may reach the kernel: the stream would have a gap */
    uint32_t aborts, shutdown_calls, cancels;
    bool connecting;     /* CONNECT outstanding */
    uint32_t may;        /* epoll: readiness; IOCP: the turn of a receive */
    uint32_t room, came; /* epoll: bytes that the socket takes and has */
} bed_owed;

typedef struct bed {
    rs_engine engine;
    rs_rio_ledger ledger;
    bed_kernel kernel;
    bool defer; /* RIO: requests want a commit */
    uint64_t memory[BED_MEMORY / sizeof(uint64_t)];
    uint32_t stamps[BED_REQS], touched[BED_CONNS];
    uint8_t dirs[BED_CONNS];
    bed_post posts[BED_REQS];
    bed_owed owed[BED_CONNS];
    uint64_t order;
    uint32_t commits, closesockets, calls;
    rs_status call_fails; /* what the next calls end with */
    uint32_t call_fails_count;
    uint32_t inline_count; /* IOCP: so many of the next calls end at once */
    uint32_t joined;       /* the most SENDs in one call */
    uint8_t slice[256];
    rs_completion out[BED_OUT]; /* what the last bed_poll handed out */
    uint32_t out_count;
} bed;

static inline void bed_init_with(bed *b, bed_kernel kernel, bool defer, uint32_t recvs) {
    const rs_engine_config cfg = {
        .conns_max = BED_CONNS,
        .recvs_per_conn = recvs,
        .sends_per_conn = BED_SENDS,
        .accepts_max = 2,
        .poll_max = BED_OUT,
        .gather_max = kernel == BED_RIO ? 1u : RS_GATHER_MAX,
        .partial_sends = kernel == BED_EPOLL,
        .cancels_recv = kernel == BED_IOCP,
    };
    RS_ASSERT(recvs <= BED_RECVS_MAX);
    memset(b, 0, sizeof *b);
    b->kernel = kernel;
    b->defer = kernel == BED_RIO && defer;
    RS_ASSERT(rs_engine_bytes(&cfg) <= sizeof b->memory);
    rs_engine_init(&b->engine, &cfg, b->memory);
    rs_rio_ledger_init(&b->ledger, &b->engine, b->stamps, b->touched, b->dirs);
}

static inline void bed_init(bed *b, bed_kernel kernel, bool defer) {
    bed_init_with(b, kernel, defer, 1);
}

static inline uint64_t bed_recv_tag(uint64_t nth) {
    return 1000u + RS_OP_RECV + (nth << 16);
}

static inline uint32_t bed_posted(const bed *b, uint32_t conn, uint32_t dirs) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BED_REQS; i++) {
        count += b->posts[i].used && b->posts[i].conn == conn && (b->posts[i].dir & dirs) != 0;
    }
    return count;
}

/* The oldest post of one direction of a connection; NULL = none. */
static inline bed_post *bed_oldest(bed *b, uint32_t conn, uint32_t dirs) {
    bed_post *oldest = NULL;
    for (uint32_t i = 0; i < BED_REQS; i++) {
        bed_post *post = &b->posts[i];
        if (post->used && post->conn == conn && (post->dir & dirs) != 0 &&
            (oldest == NULL || post->order < oldest->order)) {
            oldest = post;
        }
    }
    return oldest;
}

static inline uint32_t bed_min(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* ---- what the engine asks for */

/* The bytes of a call; its sends are the next in order. */
static inline uint32_t bed_call_bytes(bed *b, uint32_t conn, const rs_engine_action *action) {
    uint32_t bytes = 0;
    if (action->kind == RS_DO_RECV) {
        const rs_engine_req *req = &b->engine.reqs[action->at];
        RS_ASSERT(req->state == RS_REQ_HELD);
        RS_ASSERT(req->op.tag == bed_recv_tag(b->owed[conn].next_recv_start));
        return req->op.bytes;
    }
    RS_ASSERT(action->count >= 1 && action->count <= b->engine.cfg.gather_max);
    b->joined = action->count > b->joined ? action->count : b->joined;
    for (uint32_t i = 0; i < action->count; i++) {
        const rs_engine_req *req =
            &b->engine.reqs[rs_engine_send_behind(&b->engine, conn, action->at, i)];
        RS_ASSERT(req->state == RS_REQ_HELD && req->done < req->op.bytes);
        RS_ASSERT(req->op.tag == b->owed[conn].next_send_start + i);
        RS_ASSERT(req->done == 0 || (i == 0 && b->kernel == BED_EPOLL));
        bytes += req->op.bytes - req->done;
    }
    return bytes;
}

static inline void bed_pend(bed *b, uint32_t conn, const rs_engine_action *action, uint32_t bytes) {
    bool is_recv = action->kind == RS_DO_RECV;
    bed_post *post = NULL;
    for (uint32_t i = 0; i < BED_REQS && post == NULL; i++) {
        post = b->posts[i].used ? NULL : &b->posts[i];
    }
    RS_ASSERT(post != NULL);
    *post = (bed_post){
        .used = true,
        .committed = !b->defer,
        .conn = conn,
        .dir = is_recv ? RS_ENGINE_RECV : RS_ENGINE_SEND,
        .at = action->at,
        .bytes = bytes,
        .socket_context = rs_rio_ledger_socket_context(&b->ledger, conn),
        .request_context = rs_rio_ledger_stamp(&b->ledger, action->at),
        .order = b->order++,
    };
    rs_engine_pending(&b->engine, conn, action->at);
    if (b->defer) {
        rs_rio_ledger_touch(&b->ledger, conn, post->dir);
    }
    RS_ASSERT(bed_posted(b, conn, RS_ENGINE_RECV) <= b->engine.cfg.recvs_per_conn);
    RS_ASSERT(bed_posted(b, conn, RS_ENGINE_SEND) <= BED_SENDS);
}

/* A stream socket's recv or send: as much as there is; nothing: not ready any more. */
static inline void bed_try(bed *b, uint32_t conn, const rs_engine_action *action, uint32_t asked) {
    bed_owed *owed = &b->owed[conn];
    uint32_t *have = action->kind == RS_DO_RECV ? &owed->came : &owed->room;
    uint32_t bytes = bed_min(asked, *have);
    *have -= bytes;
    if (bytes < asked) {
        owed->may &= ~(action->kind == RS_DO_RECV ? RS_ENGINE_RECV : RS_ENGINE_SEND);
    }
    if (bytes > 0) {
        rs_engine_finished(&b->engine, conn, action->at, RS_OK, bytes, true);
    }
}

static inline void bed_call(bed *b, uint32_t conn, const rs_engine_action *action) {
    bed_owed *owed = &b->owed[conn];
    uint32_t asked = bed_call_bytes(b, conn, action);
    uint64_t sends = owed->sends;
    RS_ASSERT(owed->has_queue);
    RS_ASSERT(action->kind == RS_DO_SEND || owed->cancels == 0);
    RS_ASSERT(action->kind == RS_DO_RECV || !owed->send_failed);
    b->calls++;
    if (b->call_fails_count > 0) {
        b->call_fails_count--;
        owed->send_failed = owed->send_failed || action->kind == RS_DO_SEND;
        rs_engine_finished(&b->engine, conn, action->at, b->call_fails, 0, true);
    } else if (b->kernel == BED_EPOLL) {
        uint64_t untold = b->engine.conns[conn].sends_untold;
        uint64_t receives = b->engine.conns[conn].recvs_untold;
        bed_try(b, conn, action, asked);
        RS_ASSERT(sends == owed->sends);
        if (action->kind == RS_DO_SEND) {
            owed->next_send_start += untold - b->engine.conns[conn].sends_untold;
        } else {
            owed->next_recv_start += receives - b->engine.conns[conn].recvs_untold;
        }
        return;
    } else if (b->kernel == BED_IOCP && b->inline_count > 0) {
        b->inline_count--;
        rs_engine_finished(&b->engine, conn, action->at, RS_OK, asked, true);
    } else {
        bed_pend(b, conn, action, asked);
    }
    if (action->kind == RS_DO_SEND) {
        owed->next_send_start += action->count;
    } else {
        owed->next_recv_start++;
    }
}

static inline void bed_commit(bed *b, uint32_t conn, uint32_t dirs) {
    for (uint32_t i = 0; i < BED_REQS; i++) {
        bed_post *post = &b->posts[i];
        if (post->used && post->conn == conn && (post->dir & dirs) != 0) {
            post->committed = true;
        }
    }
    b->commits += (dirs & RS_ENGINE_RECV) != 0;
    b->commits += (dirs & RS_ENGINE_SEND) != 0;
}

static inline void bed_closesocket(bed *b, uint32_t conn, bool abort_it) {
    bed_owed *owed = &b->owed[conn];
    RS_ASSERT(owed->has_socket);
    bed_commit(b, conn, rs_rio_ledger_take_touched(&b->ledger, conn));
    for (uint32_t i = 0; i < BED_REQS; i++) {
        const bed_post *post = &b->posts[i];
        RS_ASSERT(!post->used || post->conn != conn || post->committed);
    }
    if (!abort_it && !owed->connecting) {
        RS_ASSERT(b->engine.conns[conn].sends_untold == 0);
        RS_ASSERT(bed_posted(b, conn, RS_ENGINE_SEND) == 0);
        RS_ASSERT(b->kernel != BED_IOCP || bed_posted(b, conn, RS_ENGINE_RECV) == 0);
    }
    owed->has_socket = false;
    owed->has_queue = false;
    owed->aborts += abort_it;
    b->closesockets++;
    if (b->kernel == BED_EPOLL && owed->connecting) {
        owed->connecting = false; /* a closed descriptor reports nothing */
        rs_engine_connected(&b->engine, conn, RS_E_ABORTED);
    }
    rs_engine_socket_gone(&b->engine, conn);
}

static inline void bed_cancel_recv(bed *b, uint32_t conn) {
    RS_ASSERT(b->kernel == BED_IOCP && b->owed[conn].cancels == 0);
    RS_ASSERT(bed_posted(b, conn, RS_ENGINE_SEND) == 0);
    for (uint32_t i = 0; i < BED_REQS; i++) {
        b->posts[i].cancelled |= b->posts[i].used && b->posts[i].conn == conn;
    }
    b->owed[conn].cancels++;
    rs_engine_recv_cancelled(&b->engine, conn);
}

static inline void bed_shutdown(bed *b, uint32_t conn) {
    RS_ASSERT(b->owed[conn].has_socket && bed_posted(b, conn, RS_ENGINE_SEND) == 0);
    b->owed[conn].shutdown_calls++;
    rs_engine_shut_down(&b->engine, conn, RS_OK);
}

static inline void bed_run(bed *b, uint32_t conn) {
    for (uint32_t turn = 0; turn < 32; turn++) {
        uint32_t may = b->kernel == BED_RIO ? RS_ENGINE_BOTH : b->owed[conn].may;
        const rs_engine_action action = rs_engine_next(&b->engine, conn, may);
        switch (action.kind) {
        case RS_DO_NONE:
            return;
        case RS_DO_RECV:
        case RS_DO_SEND:
            bed_call(b, conn, &action);
            break;
        case RS_DO_SHUTDOWN:
            bed_shutdown(b, conn);
            break;
        case RS_DO_CANCEL_RECV:
            bed_cancel_recv(b, conn);
            break;
        default:
            bed_closesocket(b, conn, action.kind == RS_DO_ABORT);
            break;
        }
    }
    RS_UNREACHABLE("the engine never comes to rest");
}

static inline void bed_commit_all(bed *b) {
    uint32_t dirs, conn;
    while ((conn = rs_rio_ledger_touched(&b->ledger, &dirs)) != RS_ENGINE_NONE) {
        RS_ASSERT(dirs != 0 && b->owed[conn].has_queue);
        bed_commit(b, conn, dirs);
    }
    for (uint32_t i = 0; i < BED_REQS; i++) {
        RS_ASSERT(!b->posts[i].used || b->posts[i].committed);
    }
}

/* ---- what the caller of the seam does */

/* IOCP: everything may be called at once unless a test takes receives back; epoll: nothing is there
 * to read, and there is room for ten sends. */
static inline bed_owed bed_bound(const bed *b, uint32_t generation) {
    return (bed_owed){
        .generation = generation,
        .bound = true,
        .has_socket = true,
        .may = b->kernel == BED_EPOLL ? RS_ENGINE_SEND : RS_ENGINE_BOTH,
        .room = 10u * BED_OP_BYTES,
    };
}

static inline void bed_attach(bed *b, uint32_t conn, uint32_t generation) {
    rs_engine_bind(&b->engine, conn, generation);
    b->owed[conn] = bed_bound(b, generation);
    b->owed[conn].has_queue = true;
}

static inline void bed_owe(bed *b, const rs_op *op, bool closing) {
    bed_owed *owed = &b->owed[op->conn];
    if (op->kind == RS_OP_CONNECT) {
        *owed = bed_bound(b, op->generation);
        owed->connects = 1;
        owed->connecting = true;
        return;
    }
    owed->recvs += op->kind == RS_OP_RECV;
    owed->sends += op->kind == RS_OP_SEND;
    owed->next_send_tag += op->kind == RS_OP_SEND;
    owed->next_recv_tag += op->kind == RS_OP_RECV;
    owed->shutdowns += op->kind == RS_OP_SHUTDOWN;
    owed->closes += op->kind == RS_OP_CLOSE && !closing;
    owed->abort_taken |= op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;
}

static inline rs_op bed_op(bed *b, rs_op_kind kind, uint32_t conn, uint32_t generation,
                           uint8_t flags) {
    static const rs_addr addr = {.ip = 0x7F000001u, .port = 1};
    rs_op op = {.kind = (uint8_t)kind, .flags = flags, .conn = conn, .generation = generation};
    if (kind == RS_OP_CONNECT) {
        op.u.addr = &addr;
    } else {
        op.u.data = b->slice;
        op.bytes = BED_OP_BYTES;
    }
    op.tag = kind == RS_OP_SEND   ? b->owed[conn].next_send_tag
             : kind == RS_OP_RECV ? bed_recv_tag(b->owed[conn].next_recv_tag)
                                  : 1000u + kind;
    return op;
}

/* What the contract says to an op, by plain counting. */
static inline rs_status bed_expects(const bed *b, const rs_op *op) {
    const bed_owed *owed = &b->owed[op->conn];
    if (op->kind == RS_OP_CONNECT) {
        return owed->bound ? RS_E_INVALID : RS_OK;
    }
    if (op->generation != owed->generation) {
        return RS_E_STALE;
    }
    if (!owed->bound || owed->closes > 0) {
        bool escalates = op->kind == RS_OP_CLOSE && (op->flags & RS_OPF_ABORT) != 0;
        return owed->bound && escalates && !owed->abort_taken ? RS_OK : RS_E_CLOSED;
    }
    switch (op->kind) {
    case RS_OP_RECV:
        return owed->recvs == b->engine.cfg.recvs_per_conn ? RS_E_FULL : RS_OK;
    case RS_OP_SEND:
        return owed->shutdowns > 0 ? RS_E_INVALID : owed->sends < BED_SENDS ? RS_OK : RS_E_FULL;
    case RS_OP_SHUTDOWN:
        return owed->shutdowns > 0 ? RS_E_FULL : RS_OK;
    default:
        return RS_OK;
    }
}

/* `count` equal ops, as a batch without the commit that ends it. Sends get their tags here. Returns
 * why one was refused, or RS_OK. */
static inline rs_status bed_submit_run(bed *b, rs_op_kind kind, uint32_t conn, uint32_t generation,
                                       uint8_t flags, uint32_t count) {
    bool closing = b->owed[conn].closes > 0;
    rs_status status = RS_OK;
    rs_op ops[8];
    RS_ASSERT(count <= 8);
    for (uint32_t i = 0; i < count; i++) {
        ops[i] = bed_op(b, kind, conn, generation, flags);
        ops[i].tag += kind == RS_OP_SEND ? i : kind == RS_OP_RECV ? (uint64_t)i << 16 : 0;
    }
    for (uint32_t done = 0; done < count && status == RS_OK;) {
        uint32_t taken = rs_engine_submit(&b->engine, ops + done, count - done, &status);
        for (uint32_t i = 0; i < taken; i++) {
            RS_ASSERT(bed_expects(b, &ops[done + i]) == RS_OK);
            bed_owe(b, &ops[done + i], closing);
        }
        RS_ASSERT(status == RS_OK || bed_expects(b, &ops[done + taken]) == status);
        if (taken > 0) {
            bed_run(b, conn);
        }
        done += taken;
    }
    return status;
}

static inline rs_status bed_submit_deferred(bed *b, rs_op_kind kind, uint32_t conn,
                                            uint32_t generation, uint8_t flags) {
    return bed_submit_run(b, kind, conn, generation, flags, 1);
}

static inline rs_status bed_submit(bed *b, rs_op_kind kind, uint32_t conn, uint32_t generation,
                                   uint8_t flags) {
    rs_status status = bed_submit_deferred(b, kind, conn, generation, flags);
    bed_commit_all(b);
    return status;
}

/* ---- what the kernel does */

static inline void bed_connected(bed *b, uint32_t conn, rs_status status) {
    RS_ASSERT(b->owed[conn].connecting);
    b->owed[conn].connecting = false;
    b->owed[conn].has_queue = status == RS_OK && b->owed[conn].has_socket;
    rs_engine_connected(&b->engine, conn, status);
    bed_run(b, conn);
    bed_commit_all(b);
}

static inline void bed_broken(bed *b, uint32_t conn, rs_status status) {
    rs_engine_broken(&b->engine, conn, status);
    b->owed[conn].abort_taken = b->engine.conns[conn].abort_taken;
    bed_run(b, conn);
}

/* epoll: an edge, with `bytes` more to take or to come. IOCP: the turn of a receive. */
static inline void bed_ready(bed *b, uint32_t conn, uint32_t dirs, uint32_t bytes) {
    bed_owed *owed = &b->owed[conn];
    owed->room += (dirs & RS_ENGINE_SEND) != 0 ? bytes : 0;
    owed->came += (dirs & RS_ENGINE_RECV) != 0 ? bytes : 0;
    owed->may |= dirs;
    if (owed->has_socket) {
        bed_run(b, conn);
    }
}

/* Lets one request of the kernel's end. */
static inline void bed_complete(bed *b, bed_post *post, rs_status status, uint32_t bytes) {
    rs_rio_result result = {
        .socket_context = post->socket_context,
        .request_context = post->request_context,
        .bytes = bytes,
        .status = status,
    };
    uint32_t conn = post->conn, at = post->at;
    RS_ASSERT(b->kernel != BED_EPOLL);
    if (b->kernel == BED_RIO) {
        rs_status found = rs_rio_ledger_find(&b->ledger, &result, &conn, &at);
        RS_ASSERT(found == RS_OK && conn == post->conn && at == post->at);
    }
    post->used = false;
    rs_engine_finished(&b->engine, conn, at, status, bytes, false);
    bed_run(b, conn);
}

/* ---- what comes out */

static inline void bed_settle_account(bed *b, const rs_completion *record) {
    bed_owed *owed = &b->owed[record->conn];
    RS_ASSERT(owed->bound && record->generation == owed->generation);
    switch (record->kind) {
    case RS_OP_RECV:
        RS_ASSERT(owed->recvs-- > 0);
        RS_ASSERT(record->tag == bed_recv_tag(owed->next_recv_due++));
        break;
    case RS_OP_SEND:
        RS_ASSERT(owed->sends-- > 0);
        RS_ASSERT(record->tag == owed->next_send_due++);
        break;
    case RS_OP_SHUTDOWN:
        RS_ASSERT(owed->shutdowns-- > 0);
        break;
    case RS_OP_CONNECT:
        RS_ASSERT(owed->connects-- > 0);
        break;
    default:
        RS_ASSERT(record->kind == RS_OP_CLOSE && owed->closes-- > 0);
        RS_ASSERT(owed->recvs + owed->sends + owed->shutdowns + owed->connects == 0);
        RS_ASSERT(!owed->has_socket && bed_posted(b, record->conn, RS_ENGINE_BOTH) == 0);
        owed->bound = false;
        break;
    }
}

static inline uint32_t bed_poll(bed *b, uint32_t cap) {
    bed_commit_all(b);
    b->out_count = rs_engine_take(&b->engine, b->out, bed_min(cap, BED_OUT));
    for (uint32_t i = 0; i < b->out_count; i++) {
        bed_settle_account(b, &b->out[i]);
    }
    return b->out_count;
}

/* Closes and drains everything; then nothing may be left. */
static inline void bed_finish(bed *b) {
    b->call_fails_count = 0;
    for (uint32_t conn = 0; conn < BED_CONNS; conn++) {
        bed_post *post;
        if (!b->owed[conn].bound) {
            continue;
        }
        (void)bed_submit(b, RS_OP_CLOSE, conn, b->owed[conn].generation, RS_OPF_ABORT);
        if (b->owed[conn].connecting) {
            bed_connected(b, conn, RS_E_ABORTED);
        }
        while ((post = bed_oldest(b, conn, RS_ENGINE_BOTH)) != NULL) {
            bed_complete(b, post, RS_E_ABORTED, 0);
        }
    }
    while (bed_poll(b, BED_OUT) > 0) {
    }
    RS_ASSERT(b->engine.bound == 0 && b->engine.posted == 0);
    for (uint32_t i = 0; i < BED_CONNS * b->engine.reqs_per_conn; i++) {
        RS_ASSERT(b->engine.reqs[i].state == RS_REQ_FREE);
    }
    for (uint32_t i = 0; i < BED_REQS; i++) {
        RS_ASSERT(!b->posts[i].used);
    }
    for (uint32_t conn = 0; conn < BED_CONNS; conn++) {
        RS_ASSERT(b->engine.conns[conn].phase == RS_CONN_FREE && !b->owed[conn].bound);
    }
}

#endif
