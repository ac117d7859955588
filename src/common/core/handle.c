/* SPDX-License-Identifier: MIT */
/* Each call goes to the provider of the session, if it comes from the thread of that provider. */
#include "core/handle.h"

#include "core/assert.h"
#include "core/compiler.h"

/* The address of something that each thread has for itself. On Windows the thread's own block,
 * because MinGW's thread-local variables are a call and a search. */
#if defined(_WIN64) && (defined(__x86_64__) || defined(_M_X64))
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Warray-bounds" /* gcc 12 takes the offset for an address */
#endif
#include <intrin.h>

static inline const void *thread_key(void) {
    return (const void *)(uintptr_t)__readgsqword(0x30);
}
#else
static RS_THREAD_LOCAL char thread_mark;

static inline const void *thread_key(void) {
    return &thread_mark;
}
#endif

const void *rs_thread_key(void) {
    return thread_key();
}

static inline bool is_ours(const rs_session *session) {
    RS_DEBUG_ASSERT(session->ops != NULL);
    return RS_LIKELY(session->ops->thread == thread_key());
}

rs_status rs_session_send_of(rs_session *session, const void *data, uint32_t bytes) {
    return is_ours(session) ? session->ops->send(session, data, bytes) : RS_E_THREAD;
}

static rs_status session_call(rs_session *session, void (*call)(rs_session *session)) {
    RS_ASSERT(call != NULL);
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    call(session);
    return RS_OK;
}

static rs_status session_end(rs_session *session, rs_close_reason reason) {
    RS_ASSERT(reason == RS_CLOSE_LOCAL || reason == RS_CLOSE_PROTOCOL);
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    session->ops->close(session, reason);
    return RS_OK;
}

rs_status rs_session_close(rs_session *session) {
    return session_end(session, RS_CLOSE_LOCAL);
}

rs_status rs_session_reject(rs_session *session) {
    return session_end(session, RS_CLOSE_PROTOCOL);
}

rs_status rs_session_peer(const rs_session *session, rs_peer *out) {
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    session->ops->peer(session, out);
    return RS_OK;
}

rs_status rs_session_hold(rs_session *session) {
    return session_call(session, session->ops->hold);
}

rs_status rs_session_release(rs_session *session) {
    return session_call(session, session->ops->release);
}

rs_status rs_session_pause(rs_session *session) {
    return session_call(session, session->ops->pause);
}

rs_status rs_session_resume(rs_session *session) {
    return session_call(session, session->ops->resume);
}

bool rs_shared_acquire(rs_session *session, rs_shared *out) {
    return is_ours(session) && session->ops->shared_acquire(session, out);
}

rs_status rs_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes) {
    return is_ours(session) ? session->ops->shared_send(session, shared, bytes) : RS_E_THREAD;
}

rs_status rs_shared_release(rs_session *session, rs_shared *shared) {
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    session->ops->shared_release(session, shared);
    return RS_OK;
}

rs_session_id rs_session_id_of(const rs_session *session) {
    RS_DEBUG_ASSERT(session->generation != 0);
    return is_ours(session)
               ? rs_session_id_make(session->ops->shard, session->index, session->generation)
               : 0;
}

rs_server *rs_session_server(const rs_session *session) {
    return is_ours(session) ? session->ops->server : NULL;
}

void *rs_session_own(const rs_session *session) {
    return is_ours(session) ? session->ops->own : NULL;
}

rs_status rs_session_queued_bytes(const rs_session *session, uint32_t *out) {
    return is_ours(session) ? session->ops->queued_bytes(session, out) : RS_E_THREAD;
}

rs_status rs_session_notify_low(rs_session *session, uint32_t bytes) {
    return is_ours(session) ? session->ops->notify_low(session, bytes) : RS_E_THREAD;
}

rs_status rs_session_set_source(rs_session *session, rs_session *source) {
    if (!is_ours(session) || (source != NULL && !is_ours(source))) {
        return RS_E_THREAD;
    }
    return source == NULL || source->ops == session->ops ? session->ops->set_source(session, source)
                                                         : RS_E_INVALID;
}

rs_status rs_session_set_timer(rs_session *session, uint32_t ms, rs_session_fn fn, void *arg,
                               rs_timer *out) {
    const rs_timer_call call = {.session = fn, .arg = arg};
    rs_timer timer = 0;
    rs_status status = fn == NULL ? RS_E_INVALID : RS_E_THREAD;
    if (fn != NULL && is_ours(session)) {
        status = session->ops->timer_set(session->ops, session, ms, call, &timer);
    }
    if (out != NULL) {
        *out = timer;
    }
    return status;
}

rs_status rs_session_cancel_timer(rs_session *session, rs_timer timer) {
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    session->ops->timer_cancel(session->ops, timer);
    return RS_OK;
}

rs_status rs_session_set_user(rs_session *session, uint64_t user) {
    if (!is_ours(session)) {
        return RS_E_THREAD;
    }
    session->user = user;
    return RS_OK;
}

uint64_t rs_session_user(const rs_session *session) {
    return is_ours(session) ? session->user : 0;
}

/* ---- shared blocks */

void rs_shared_lend(rs_slab *blocks, rs_slice slice, rs_shared *out) {
    RS_ASSERT(blocks->block_bytes > 0);
    rs_slab_lend(blocks, slice);
    *out = (rs_shared){.data = rs_slab_data(blocks, slice),
                       .room = blocks->block_bytes,
                       .index = slice.index,
                       .generation = slice.generation};
}

/* Another shard's may have the same numbers, not the same address. */
bool rs_shared_is_lent(const rs_slab *blocks, const rs_shared *shared) {
    const rs_slice slice = rs_shared_slice(shared);
    return rs_slab_is_lent(blocks, slice) && rs_slab_data(blocks, slice) == shared->data;
}

rs_slice rs_shared_return(rs_slab *blocks, rs_shared *shared) {
    const rs_slice slice = rs_shared_slice(shared);
    RS_ASSERT(rs_shared_is_lent(blocks, shared));
    rs_slab_return(blocks, slice);
    *shared = (rs_shared){.room = shared->room};
    return slice;
}
