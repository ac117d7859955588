/* SPDX-License-Identifier: MIT */
/* Each call goes to the provider of the session. */
#include "core/handle.h"

#include "core/assert.h"

rs_status rs_session_send(rs_session *session, const void *data, uint32_t bytes) {
    return session->ops->send(session, data, bytes);
}

void rs_session_close(rs_session *session) {
    session->ops->close(session, RS_CLOSE_LOCAL);
}

void rs_session_reject(rs_session *session) {
    session->ops->close(session, RS_CLOSE_PROTOCOL);
}

void rs_session_hold(rs_session *session) {
    session->ops->hold(session);
}

void rs_session_release(rs_session *session) {
    session->ops->release(session);
}

void rs_session_pause(rs_session *session) {
    session->ops->pause(session);
}

void rs_session_resume(rs_session *session) {
    session->ops->resume(session);
}

bool rs_shared_acquire(rs_session *session, rs_shared *out) {
    return session->ops->shared_acquire(session, out);
}

rs_status rs_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes) {
    return session->ops->shared_send(session, shared, bytes);
}

void rs_shared_release(rs_session *session, rs_shared *shared) {
    session->ops->shared_release(session, shared);
}

rs_session_id rs_session_id_of(const rs_session *session) {
    return rs_session_id_make(session->ops->shard, session->index, session->generation);
}

void rs_session_set_user(rs_session *session, uint64_t user) {
    session->user = user;
}

uint64_t rs_session_user(const rs_session *session) {
    return session->user;
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

rs_slice rs_shared_take_back(rs_slab *blocks, rs_shared *shared) {
    const rs_slice slice = rs_shared_slice(shared);
    RS_ASSERT(rs_slab_data(blocks, slice) == shared->data);
    rs_slab_take_back(blocks, slice);
    *shared = (rs_shared){.room = shared->room};
    return slice;
}
