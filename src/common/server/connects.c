/* SPDX-License-Identifier: MIT */
/* See connects.h. */
#include "server/connects.h"

#include "core/assert.h"

#define CONNECTS_NS_PER_MS 1000000u

static uint64_t connects_in_ms(const rs_connects *connects, uint32_t ms) {
    return connects->sessions->now_ns + (uint64_t)ms * CONNECTS_NS_PER_MS;
}

static void connects_tell(const rs_connects *connects, uint64_t user, rs_status why,
                          uint32_t left) {
    const rs_app *app = &connects->sessions->app;
    RS_ASSERT(why != RS_OK);
    connects->sessions->counters.connect_failed++;
    if (app->on_connect_failed != NULL) {
        app->on_connect_failed(app->ctx, connects->server, connects->shard, user, why, left);
    }
}

static void connects_free(rs_connects *connects, rs_pending_connect *pending) {
    RS_ASSERT(connects->count > 0 && pending->state != RS_CONNECT_FREE);
    pending->state = RS_CONNECT_FREE;
    connects->count--;
}

/* An attempt has failed. What is told may begin another connection: nothing is used after it. */
static void connects_failed(rs_connects *connects, rs_pending_connect *pending, rs_status why) {
    const uint64_t user = pending->to.user;
    const uint32_t left = connects->stopped ? 0 : pending->to.retries;
    if (left > 0) {
        pending->to.retries = left - 1u;
        pending->state = RS_CONNECT_WAITING;
        pending->due_ns = connects_in_ms(connects, pending->to.retry_ms);
    } else {
        connects_free(connects, pending);
    }
    connects_tell(connects, user, why, left);
}

static void connects_submit(rs_connects *connects, rs_op op, rs_status *why) {
    const bool taken = connects->api->submit(connects->backend, &op, 1, why) == 1;
    RS_ASSERT(taken == (*why == RS_OK));
}

static void connects_try(rs_connects *connects, rs_pending_connect *pending) {
    rs_status why = RS_OK;
    if (!rs_sessions_reserve(connects->sessions, &pending->conn, &pending->generation)) {
        connects_failed(connects, pending, RS_E_NO_BUFFERS);
        return;
    }
    pending->state = RS_CONNECT_TRYING;
    pending->due_ns = connects_in_ms(connects, pending->to.timeout_ms);
    connects_submit(connects,
                    (rs_op){.kind = RS_OP_CONNECT,
                            .conn = pending->conn,
                            .generation = pending->generation,
                            .u.addr = &pending->to.addr,
                            .tag = (uint64_t)(pending - connects->at)},
                    &why);
    if (why != RS_OK) {
        rs_sessions_unreserve(connects->sessions, pending->conn);
        connects_failed(connects, pending, why);
    }
}

/* The slot is free again when the CLOSE completes. */
static void connects_close(rs_connects *connects, const rs_pending_connect *pending) {
    rs_status why = RS_OK;
    rs_sessions_abandon(connects->sessions, pending->conn);
    connects_submit(connects,
                    (rs_op){.kind = RS_OP_CLOSE,
                            .flags = RS_OPF_ABORT,
                            .conn = pending->conn,
                            .generation = pending->generation},
                    &why);
    RS_ASSERT(why == RS_OK);
}

static void connects_give_up(rs_connects *connects, rs_pending_connect *pending, rs_status why) {
    RS_ASSERT(pending->state == RS_CONNECT_TRYING);
    pending->state = RS_CONNECT_ENDING;
    pending->why = (uint8_t)why;
    connects_close(connects, pending);
}

void rs_connects_add(rs_connects *connects, const rs_connect *to) {
    rs_pending_connect *pending = NULL;
    if (connects->stopped || connects->count == RS_CONNECTS_MAX) {
        connects_tell(connects, to->user, connects->stopped ? RS_E_CLOSED : RS_E_FULL, 0);
        return;
    }
    for (uint32_t i = 0; i < RS_CONNECTS_MAX && pending == NULL; i++) {
        pending = connects->at[i].state == RS_CONNECT_FREE ? &connects->at[i] : NULL;
    }
    RS_ASSERT(pending != NULL);
    *pending = (rs_pending_connect){.to = *to, .state = RS_CONNECT_WAITING};
    connects->count++;
    connects_try(connects, pending);
}

void rs_connects_complete(rs_connects *connects, const rs_completion *completion) {
    rs_pending_connect *pending;
    rs_status status = (rs_status)completion->status;
    rs_ends ends = {0};
    RS_ASSERT(completion->kind == RS_OP_CONNECT);
    RS_ASSERT(completion->tag < RS_CONNECTS_MAX);
    pending = &connects->at[completion->tag];
    RS_ASSERT(pending->conn == completion->conn);
    RS_ASSERT(pending->generation == completion->generation);
    if (pending->state == RS_CONNECT_ENDING) {
        connects_failed(connects, pending, (rs_status)pending->why);
        return;
    }
    RS_ASSERT(pending->state == RS_CONNECT_TRYING);
    if (status == RS_OK) {
        ends = (rs_ends){.peer = pending->to.addr,
                         .local = connects->api->local(connects->backend, completion->conn)};
        /* Nobody listens, and the system chose that very port for our end: TCP connects a socket to
         * itself (RFC 9293, 3.5, simultaneous open), which would answer with what we send. */
        status = rs_addr_equal(&ends.peer, &ends.local) ? RS_E_REFUSED : RS_OK;
    }
    if (status != RS_OK) {
        connects_close(connects, pending);
        connects_failed(connects, pending, status);
        return;
    }
    connects_free(connects, pending);
    connects->sessions->counters.connected++;
    rs_sessions_open_out(connects->sessions, completion->conn, &ends, pending->to.user);
}

void rs_connects_expire(rs_connects *connects) {
    for (uint32_t i = 0; i < RS_CONNECTS_MAX && connects->count > 0; i++) {
        rs_pending_connect *pending = &connects->at[i];
        if (pending->due_ns > connects->sessions->now_ns) {
            continue;
        }
        if (pending->state == RS_CONNECT_TRYING) {
            connects_give_up(connects, pending, RS_E_TIMED_OUT);
        } else if (pending->state == RS_CONNECT_WAITING) {
            connects_try(connects, pending);
        }
    }
}

void rs_connects_stop(rs_connects *connects) {
    connects->stopped = true;
    for (uint32_t i = 0; i < RS_CONNECTS_MAX && connects->count > 0; i++) {
        rs_pending_connect *pending = &connects->at[i];
        if (pending->state == RS_CONNECT_TRYING) {
            connects_give_up(connects, pending, RS_E_CLOSED);
        } else if (pending->state == RS_CONNECT_WAITING) {
            connects_failed(connects, pending, RS_E_CLOSED);
        }
    }
}

uint64_t rs_connects_next_ns(const rs_connects *connects) {
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < RS_CONNECTS_MAX && connects->count > 0; i++) {
        const rs_pending_connect *pending = &connects->at[i];
        if ((pending->state == RS_CONNECT_TRYING || pending->state == RS_CONNECT_WAITING) &&
            pending->due_ns < next) {
            next = pending->due_ns;
        }
    }
    return next;
}
