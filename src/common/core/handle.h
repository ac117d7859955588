/* SPDX-License-Identifier: MIT */
/* A session as an application holds it: its operations and its id. The caller of the application
 * (the session table on a shard, or the logic thread) has one of these for each session, in front
 * of its own data, and implements ringside/session.h. Any number of operation tables; none knows
 * another. Thread: the callback's. */
#ifndef RS_CORE_HANDLE_H
#define RS_CORE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/app.h"
#include "core/assert.h"
#include "core/limits.h"
#include "core/slab.h"

/* What a timer calls; session is for a timer of a session, shard for the others. */
typedef struct rs_timer_call {
    rs_session_fn session;
    rs_shard_fn shard;
    void *arg;
} rs_timer_call;

/* Each implements the function of its name in the public header, on the right thread; close
 * rs_session_reject too. */
typedef struct rs_session_ops rs_session_ops;
struct rs_session_ops {
    uint32_t shard;     /* of all sessions with these operations */
    const void *thread; /* whose they are, by rs_thread_key: no other thread may call them */
    rs_server *server;  /* nullable in tests */
    void *own;          /* what on_shard_start has set */
    rs_status (*send)(rs_session *session, const uint8_t *data, uint32_t bytes);
    void (*close)(rs_session *session, rs_close_reason reason); /* LOCAL or PROTOCOL */
    void (*peer)(const rs_session *session, rs_peer *out);
    void (*hold)(rs_session *session);
    void (*release)(rs_session *session);
    void (*pause)(rs_session *session);
    void (*resume)(rs_session *session);
    bool (*shared_acquire)(rs_session *session, rs_shared *out);
    rs_status (*shared_send)(rs_session *session, const rs_shared *shared, uint32_t bytes);
    void (*shared_release)(rs_session *session, rs_shared *shared);
    rs_status (*queued_bytes)(const rs_session *session, uint32_t *out);

    rs_status (*notify_low)(rs_session *session, uint32_t bytes);
    rs_status (*set_source)(rs_session *session, rs_session *source);

    /* session NULL: a timer of the shard. *out is 0 before the call. */
    rs_status (*timer_set)(rs_session_ops *ops, const rs_session *session, uint32_t ms,
                           rs_timer_call call, rs_timer *out);
    void (*timer_cancel)(rs_session_ops *ops, rs_timer timer);
};

/* rs_thread_key: of the calling thread; no two that run have the same. */
const void *rs_thread_key(void);

/* rs_session_send_of: rs_session_send (core/session.c) of a session of any kind. */
rs_status rs_session_send_of(rs_session *session, const void *data, uint32_t bytes);

struct rs_session {
    rs_session_ops *ops;
    uint32_t index; /* of its slot in the shard's table */
    uint32_t generation;
    uint64_t user;
};

static inline rs_session_id rs_session_id_make(uint32_t shard, uint32_t index,
                                               uint32_t generation) {
    RS_DEBUG_ASSERT(index < RS_SESSIONS_MAX && shard < RS_SHARDS_MAX);
    return ((uint64_t)shard << 52) | ((uint64_t)index << 32) | generation;
}
static inline uint32_t rs_session_id_index(rs_session_id id) {
    return (uint32_t)(id >> 32) & (RS_SESSIONS_MAX - 1u);
}
static inline uint32_t rs_session_id_generation(rs_session_id id) {
    return (uint32_t)id;
}

/* ---- shared blocks: what both kinds of operations do with the application's reference */

static inline rs_slice rs_shared_slice(const rs_shared *shared) {
    return (rs_slice){.index = shared->index, .generation = shared->generation};
}

/* rs_shared_lend: the caller's reference of an acquired block becomes the application's. */
void rs_shared_lend(rs_slab *blocks, rs_slice slice, rs_shared *out);

/* rs_shared_is_lent: acquired here and not released? Any *shared is accepted. */
bool rs_shared_is_lent(const rs_slab *blocks, const rs_shared *shared);

/* rs_shared_return: the reference of a lent block (asserted) is the caller's again; *shared is
 * invalid afterwards. */
rs_slice rs_shared_return(rs_slab *blocks, rs_shared *shared);

#endif
