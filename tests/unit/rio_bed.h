/* A RIO played by hand under the real engine: requests that were posted wait in a table until the
 * test (or fuzzer) lets them complete; closesocket cancels them. Every rule of the seam and of RIO
 * that can be seen from here is checked on the way:
 *   - no post on a closed socket, never more posted than the request queue holds;
 *   - no closesocket twice, none with uncommitted requests, none before the sends of a plain CLOSE;
 *   - every accepted op has exactly one completion, sends in order, CLOSE last;
 *   - at the end every slot is free and the quota is back. */
#ifndef RS_TESTS_RIO_BED_H
#define RS_TESTS_RIO_BED_H

#include <string.h>

#include "core/assert.h"
#include "rio/rio_engine.h"

#define BED_CONNS 4u
#define BED_SENDS 3u
#define BED_REQS (BED_CONNS * (1u + BED_SENDS))
#define BED_READY (BED_CONNS * (4u + BED_SENDS))
#define BED_OUT 64u

typedef struct bed_post {
    bool used, committed;
    uint32_t dir;
    uint64_t socket_context, request_context;
    uint32_t bytes;
    uint64_t order;
} bed_post;

/* What the caller of the seam is still owed. */
typedef struct bed_owed {
    uint32_t recvs, sends, shutdowns, connects, closes;
    uint64_t next_send_tag, next_send_due; /* tags of sends count up: they must come back so */
    uint32_t generation;
    bool bound, has_socket, has_queue, plain_closing;
    uint32_t aborts, shutdown_calls;
    bool connecting; /* ConnectEx outstanding */
} bed_owed;

typedef struct bed {
    rs_rio_engine engine;
    rs_rio_conn conns[BED_CONNS];
    rs_rio_req reqs[BED_REQS];
    uint32_t touched[BED_CONNS];
    rs_completion ready[BED_READY];
    bed_post posts[BED_REQS];
    bed_owed owed[BED_CONNS];
    uint64_t order;
    uint32_t commits, closesockets;
    rs_status post_fails; /* what the next posts return */
    uint32_t post_fails_count;
    uint8_t slice[256];
    rs_completion out[BED_OUT]; /* what the last bed_poll handed out */
    uint32_t out_count;
} bed;

static inline void bed_init(bed *b, bool defer) {
    memset(b, 0, sizeof *b);
    rs_rio_engine_init(&b->engine, b->conns, b->reqs, b->touched, b->ready, BED_CONNS, BED_SENDS,
                       defer);
}

static inline uint32_t bed_posted(const bed *b, uint32_t conn, uint32_t dirs) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < BED_REQS; i++) {
        count += b->posts[i].used && (uint32_t)b->posts[i].socket_context == conn &&
                 (b->posts[i].dir & dirs) != 0;
    }
    return count;
}

/* The oldest post of one direction of a connection; NULL = none. */
static inline bed_post *bed_oldest(bed *b, uint32_t conn, uint32_t dirs) {
    bed_post *oldest = NULL;
    for (uint32_t i = 0; i < BED_REQS; i++) {
        bed_post *post = &b->posts[i];
        if (post->used && (uint32_t)post->socket_context == conn && (post->dir & dirs) != 0 &&
            (oldest == NULL || post->order < oldest->order)) {
            oldest = post;
        }
    }
    return oldest;
}

static inline void bed_post_request(bed *b, uint32_t conn, uint32_t req, uint32_t dir) {
    bed_post *post = NULL;
    RS_ASSERT(b->owed[conn].has_queue);
    if (b->post_fails_count > 0) {
        b->post_fails_count--;
        rs_rio_engine_posted(&b->engine, conn, req, b->post_fails);
        return;
    }
    for (uint32_t i = 0; i < BED_REQS && post == NULL; i++) {
        post = b->posts[i].used ? NULL : &b->posts[i];
    }
    RS_ASSERT(post != NULL);
    *post = (bed_post){
        .used = true,
        .committed = !b->engine.defer,
        .dir = dir,
        .socket_context = rs_rio_engine_socket_context(&b->engine, conn),
        .request_context = rs_rio_engine_request_context(&b->engine, req),
        .bytes = b->reqs[req].bytes,
        .order = b->order++,
    };
    rs_rio_engine_posted(&b->engine, conn, req, RS_OK);
    RS_ASSERT(bed_posted(b, conn, RS_RIO_DIR_RECV) <= 1);
    RS_ASSERT(bed_posted(b, conn, RS_RIO_DIR_SEND) <= BED_SENDS);
}

static inline void bed_commit(bed *b, uint32_t conn, uint32_t dirs) {
    for (uint32_t i = 0; i < BED_REQS; i++) {
        bed_post *post = &b->posts[i];
        if (post->used && (uint32_t)post->socket_context == conn && (post->dir & dirs) != 0) {
            post->committed = true;
        }
    }
    b->commits += (dirs & RS_RIO_DIR_RECV) != 0;
    b->commits += (dirs & RS_RIO_DIR_SEND) != 0;
}

static inline void bed_closesocket(bed *b, uint32_t conn, bool abort_it) {
    bed_owed *owed = &b->owed[conn];
    RS_ASSERT(owed->has_socket);
    bed_commit(b, conn, rs_rio_engine_take_touched(&b->engine, conn));
    for (uint32_t i = 0; i < BED_REQS; i++) {
        RS_ASSERT(!b->posts[i].used || (uint32_t)b->posts[i].socket_context != conn ||
                  b->posts[i].committed);
    }
    RS_ASSERT(abort_it || owed->connecting || bed_posted(b, conn, RS_RIO_DIR_SEND) == 0);
    owed->has_socket = false;
    owed->has_queue = false;
    owed->aborts += abort_it;
    b->closesockets++;
    rs_rio_engine_socket_gone(&b->engine, conn);
}

static inline void bed_run(bed *b, uint32_t conn) {
    uint32_t req;
    for (uint32_t turn = 0; turn < 32; turn++) {
        switch (rs_rio_engine_next(&b->engine, conn, &req)) {
        case RS_RIO_DO_NONE:
            return;
        case RS_RIO_DO_POST_RECV:
            bed_post_request(b, conn, req, RS_RIO_DIR_RECV);
            break;
        case RS_RIO_DO_POST_SEND:
            bed_post_request(b, conn, req, RS_RIO_DIR_SEND);
            break;
        case RS_RIO_DO_SHUTDOWN:
            RS_ASSERT(b->owed[conn].has_socket && bed_posted(b, conn, RS_RIO_DIR_SEND) == 0);
            b->owed[conn].shutdown_calls++;
            rs_rio_engine_shut_down(&b->engine, conn, RS_OK);
            break;
        case RS_RIO_DO_CLOSE:
            bed_closesocket(b, conn, false);
            break;
        case RS_RIO_DO_ABORT:
            bed_closesocket(b, conn, true);
            break;
        }
    }
    RS_UNREACHABLE("the engine never comes to rest");
}

static inline void bed_commit_all(bed *b) {
    uint32_t dirs, conn;
    while ((conn = rs_rio_engine_touched(&b->engine, &dirs)) != RS_RIO_NONE) {
        RS_ASSERT(dirs != 0 && b->owed[conn].has_queue);
        bed_commit(b, conn, dirs);
    }
    for (uint32_t i = 0; i < BED_REQS; i++) {
        RS_ASSERT(!b->posts[i].used || b->posts[i].committed);
    }
}

static inline rs_status bed_attach(bed *b, uint32_t conn, uint32_t generation) {
    rs_status status = rs_rio_engine_attach(&b->engine, conn, generation);
    if (status == RS_OK) {
        b->owed[conn] = (bed_owed){
            .generation = generation, .bound = true, .has_socket = true, .has_queue = true};
    }
    return status;
}

static inline void bed_owe(bed *b, const rs_op *op, bool closing) {
    bed_owed *owed = &b->owed[op->conn];
    owed->recvs += op->kind == RS_OP_RECV;
    owed->sends += op->kind == RS_OP_SEND;
    owed->next_send_tag += op->kind == RS_OP_SEND;
    owed->shutdowns += op->kind == RS_OP_SHUTDOWN;
    owed->closes += op->kind == RS_OP_CLOSE && !closing;
}

/* One op without the commit that ends a batch. Sends get their tag here. */
static inline rs_status bed_submit_deferred(bed *b, rs_op_kind kind, uint32_t conn,
                                            uint32_t generation, uint8_t flags) {
    static const rs_addr addr = {.ip = 0x7F000001u, .port = 1};
    bool closing = b->owed[conn].closes > 0;
    rs_op op = {.kind = (uint8_t)kind, .flags = flags, .conn = conn, .generation = generation};
    rs_status status;
    if (kind == RS_OP_CONNECT) {
        op.u.addr = &addr;
    } else {
        op.u.data = b->slice;
        op.bytes = 16;
    }
    op.tag = kind == RS_OP_SEND ? b->owed[conn].next_send_tag : 1000u + kind;
    status = rs_rio_engine_submit(&b->engine, &op);
    if (status != RS_OK) {
        return status;
    }
    if (kind == RS_OP_CONNECT) {
        b->owed[conn] = (bed_owed){.generation = generation,
                                   .bound = true,
                                   .has_socket = true,
                                   .connects = 1,
                                   .connecting = true};
    } else {
        bed_owe(b, &op, closing);
    }
    bed_run(b, conn);
    return RS_OK;
}

static inline rs_status bed_submit(bed *b, rs_op_kind kind, uint32_t conn, uint32_t generation,
                                   uint8_t flags) {
    rs_status status = bed_submit_deferred(b, kind, conn, generation, flags);
    bed_commit_all(b);
    return status;
}

static inline void bed_connected(bed *b, uint32_t conn, rs_status status) {
    RS_ASSERT(b->owed[conn].connecting);
    b->owed[conn].connecting = false;
    b->owed[conn].has_queue = status == RS_OK && b->owed[conn].has_socket;
    rs_rio_engine_connected(&b->engine, conn, status);
    bed_run(b, conn);
    bed_commit_all(b);
}

/* Lets one posted request come out of the completion queue. */
static inline rs_status bed_complete(bed *b, bed_post *post, rs_status status, uint32_t bytes) {
    rs_rio_result result = {
        .socket_context = post->socket_context,
        .request_context = post->request_context,
        .bytes = bytes,
        .status = status,
    };
    uint32_t conn, req;
    rs_status outcome = rs_rio_engine_complete(&b->engine, &result, &conn, &req);
    RS_ASSERT(outcome == RS_OK);
    post->used = false;
    RS_ASSERT(conn == (uint32_t)post->socket_context);
    bed_run(b, conn);
    return outcome;
}

static inline void bed_settle_account(bed *b, const rs_completion *record) {
    bed_owed *owed = &b->owed[record->conn];
    RS_ASSERT(owed->bound && record->generation == owed->generation);
    switch (record->kind) {
    case RS_OP_RECV:
        RS_ASSERT(owed->recvs-- > 0);
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
        RS_ASSERT(!owed->has_socket && bed_posted(b, record->conn, 3u) == 0);
        owed->bound = false;
        break;
    }
}

static inline uint32_t bed_poll(bed *b, uint32_t cap) {
    bed_commit_all(b);
    b->out_count = rs_rio_engine_take(&b->engine, b->out, cap < BED_OUT ? cap : BED_OUT);
    for (uint32_t i = 0; i < b->out_count; i++) {
        bed_settle_account(b, &b->out[i]);
    }
    return b->out_count;
}

/* Closes and drains everything; then nothing may be left. */
static inline void bed_finish(bed *b) {
    for (uint32_t conn = 0; conn < BED_CONNS; conn++) {
        bed_post *post;
        if (!b->owed[conn].bound) {
            continue;
        }
        (void)bed_submit(b, RS_OP_CLOSE, conn, b->owed[conn].generation, RS_OPF_ABORT);
        if (b->owed[conn].connecting) {
            bed_connected(b, conn, RS_E_ABORTED);
        }
        while ((post = bed_oldest(b, conn, 3u)) != NULL) {
            (void)bed_complete(b, post, RS_E_ABORTED, 0);
        }
    }
    while (bed_poll(b, BED_OUT) > 0) {
    }
    RS_ASSERT(b->engine.bound == 0 && b->engine.posted == 0 && b->engine.quota.held == 0);
    for (uint32_t i = 0; i < BED_REQS; i++) {
        RS_ASSERT(b->reqs[i].state == RS_RIO_REQ_FREE && !b->posts[i].used);
    }
    for (uint32_t conn = 0; conn < BED_CONNS; conn++) {
        RS_ASSERT(b->conns[conn].ops.phase == RS_CONN_FREE && !b->owed[conn].bound);
    }
}

#endif
