/* SPDX-License-Identifier: MIT */
/* The rules of buffers, queues and requests; what memory is in flight is rio_verify_shadow.c's. */
#include "rio/rio_verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "rio/rio_verify_shadow.h"

#define RV_SOCKET_BUCKETS 4096u
#define RV_REQUEST_BUCKETS 4096u
#define RV_RECORD_BUCKETS 16384u
#define RV_TEXT_BYTES 320u
/* Records of closed objects are kept this long, so that a late use of a handle is recognised. */
#define RV_TOMBS 4096u

typedef enum rv_kind { RV_BUFFER, RV_CQ, RV_RQ } rv_kind;

/* The target of a handle of the caller. First in each record. */
typedef struct rv_record {
    struct rv_record *chain; /* of its bucket */
    rv_kind kind;
} rv_record;

struct rs_rv_buffer {
    rv_record record;
    struct rs_rv_buffer *next; /* live ones */
    struct rs_rv_buffer *prev;
    uint8_t *base;
    uint32_t bytes;
    uint32_t in_flight;
    uintptr_t inner;
    bool dead;
};

struct rs_rv_cq {
    rv_record record;
    struct rs_rv_cq *next;
    uint32_t entries, reserved;
    uint32_t in_flight, uncommitted;
    uint64_t thread; /* 0: not used yet */
    uintptr_t inner;
    bool notifies, dead;
};

struct rs_rv_rq {
    rv_record record;
    struct rs_rv_rq *next; /* of its socket's bucket */
    rs_rv_rq_config cfg;
    uint64_t thread;
    uintptr_t inner;
    uint32_t recvs, sends; /* in flight */
    uint32_t recvs_uncommitted, sends_uncommitted;
    rs_rv_request *first; /* in flight */
    bool closed, dead;
};

struct rs_rv_request {
    _Alignas(16) uint8_t scratch[RS_RV_SCRATCH_BYTES];
    struct rs_rv_request *next, *prev; /* of the request queue */
    struct rs_rv_request *chain;       /* hash chain: is this address a request? */
    rs_rv_rq *rq;
    rs_rv_post post;
    uint64_t sum;              /* SEND: of the data's bytes when posted */
    bool marked[RS_RV_SLICES]; /* the shadow knows it */
};

struct rs_rio_verify {
    rs_rv_options options;
    uint32_t violations;
    uint32_t in_flight;
    rs_rv_buffer *buffers;
    rs_rv_cq *cqs;
    rs_rv_rq *sockets[RV_SOCKET_BUCKETS];
    rs_rv_request *requests[RV_REQUEST_BUCKETS];
    rs_rv_shadow shadow;
    rv_record *records[RV_RECORD_BUCKETS];
    rv_record *tombs[RV_TOMBS];
    uint32_t tomb_next;
    const char *call; /* that is being checked */
    uintptr_t queue;
    const rs_rv_slice *slice;
};

const char *rs_rv_name(rs_rv_check check) {
    static const char *const names[] = {
#define X(name, text) #name,
        RS_RV_TABLE(X)
#undef X
    };
    return (unsigned)check < RS_RV_CHECKS ? names[check] : "RS_RV_?";
}

/* "; RIOSend, queue 0x1234, buffer 0x5678 from 100 for 50", as far as it is known. */
static void rv_where(const rs_rio_verify *verify, char *out, size_t size) {
    const rs_rv_slice *slice = verify->slice;
    int used;
    out[0] = '\0';
    if (verify->call == NULL) {
        return;
    }
    used = snprintf(out, size, "; %s, queue %p", verify->call, (void *)verify->queue);
    if (slice != NULL && used > 0 && (size_t)used < size) {
        (void)snprintf(out + used, size - (size_t)used, ", buffer %p from %lu for %lu",
                       (const void *)slice->buffer, (unsigned long)slice->offset,
                       (unsigned long)slice->bytes);
    }
}

static void rv_report(rs_rio_verify *verify, rs_rv_check check, const void *object,
                      uint64_t detail) {
    static const char *const texts[] = {
#define X(name, text) text,
        RS_RV_TABLE(X)
#undef X
    };
    char text[RV_TEXT_BYTES], where[RV_TEXT_BYTES / 2];
    RS_ASSERT((unsigned)check < RS_RV_CHECKS);
    verify->violations++;
    rv_where(verify, where, sizeof where);
    (void)snprintf(text, sizeof text, "%s: %s%s (%p, %llu)", rs_rv_name(check), texts[check], where,
                   object, (unsigned long long)detail);
    if (verify->options.report == NULL) {
        RS_FATAL("rio_verify", 0, text);
    }
    verify->options.report(verify->options.ctx, check, text);
}

/* ---- records */

static rv_record **rv_record_bucket(rs_rio_verify *verify, uintptr_t handle) {
    return &verify->records[rs_rv_hash(handle, RV_RECORD_BUCKETS)];
}

static void rv_record_add(rs_rio_verify *verify, rv_record *record, rv_kind kind) {
    rv_record **bucket = rv_record_bucket(verify, (uintptr_t)record);
    RS_ASSERT(record->chain == NULL);
    record->kind = kind;
    record->chain = *bucket;
    *bucket = record;
}

static void rv_record_free(rs_rio_verify *verify, rv_record *record) {
    rv_record **at = rv_record_bucket(verify, (uintptr_t)record);
    while (*at != record) {
        RS_ASSERT(*at != NULL);
        at = &(*at)->chain;
    }
    *at = record->chain;
    free(record);
}

/* Frees a record, later. */
static void rv_bury(rs_rio_verify *verify, rv_record *record) {
    RS_ASSERT(verify->tomb_next < RV_TOMBS);
    RS_ASSERT(record != verify->tombs[verify->tomb_next]);
    if (verify->tombs[verify->tomb_next] != NULL) {
        rv_record_free(verify, verify->tombs[verify->tomb_next]);
    }
    verify->tombs[verify->tomb_next] = record;
    verify->tomb_next = (verify->tomb_next + 1u) % RV_TOMBS;
}

static void *rv_record_find(const rs_rio_verify *verify, uintptr_t handle, rv_kind kind) {
    rv_record *record = verify->records[rs_rv_hash(handle, RV_RECORD_BUCKETS)];
    while (record != NULL && ((uintptr_t)record != handle || record->kind != kind)) {
        record = record->chain;
    }
    return record;
}

rs_rv_buffer *rs_rv_buffer_find(const rs_rio_verify *verify, uintptr_t handle) {
    return rv_record_find(verify, handle, RV_BUFFER);
}

rs_rv_cq *rs_rv_cq_find(rs_rio_verify *verify, uintptr_t handle) {
    rs_rv_cq *cq = rv_record_find(verify, handle, RV_CQ);
    if (cq == NULL) {
        rv_report(verify, RS_RV_CQ_DEAD, (void *)handle, 0);
    }
    return cq;
}

rs_rv_rq *rs_rv_rq_find(rs_rio_verify *verify, uintptr_t handle) {
    rs_rv_rq *rq = rv_record_find(verify, handle, RV_RQ);
    if (rq == NULL) {
        rv_report(verify, RS_RV_RQ_CLOSED, (void *)handle, 0);
    }
    return rq;
}

void rs_rv_enter(rs_rio_verify *verify, const char *call, uintptr_t queue) {
    verify->call = call;
    verify->queue = queue;
    verify->slice = NULL;
}

void rs_rv_two_threads(rs_rio_verify *verify, rs_rv_check check, uint64_t other_thread) {
    rv_report(verify, check, (void *)verify->queue, other_thread);
}

/* ---- buffers */

rs_rv_buffer *rs_rv_register(rs_rio_verify *verify, void *base, uint32_t bytes, uintptr_t inner) {
    rs_rv_buffer *buffer = rs_rv_alloc(sizeof *buffer);
    *buffer = (rs_rv_buffer){.next = verify->buffers, .base = base, .bytes = bytes, .inner = inner};
    if (buffer->next != NULL) {
        buffer->next->prev = buffer;
    }
    verify->buffers = buffer;
    rv_record_add(verify, &buffer->record, RV_BUFFER);
    return buffer;
}

uintptr_t rs_rv_buffer_inner(const rs_rv_buffer *buffer) {
    return buffer->inner;
}

void rs_rv_deregister(rs_rio_verify *verify, rs_rv_buffer *buffer) {
    if (buffer->dead) {
        rv_report(verify, RS_RV_BUFFER_DEAD, buffer, 0);
        return;
    }
    if (buffer->in_flight > 0) {
        rv_report(verify, RS_RV_DEREGISTER_BUSY, buffer, buffer->in_flight);
    }
    buffer->dead = true;
    if (buffer->prev != NULL) {
        buffer->prev->next = buffer->next;
    } else {
        verify->buffers = buffer->next;
    }
    if (buffer->next != NULL) {
        buffer->next->prev = buffer->prev;
    }
    if (buffer->in_flight == 0) {
        rv_bury(verify, &buffer->record); /* else the last of its requests does it */
    }
}

/* ---- completion queues */

rs_rv_cq *rs_rv_cq_open(rs_rio_verify *verify, uint32_t entries, bool notifies, uintptr_t inner) {
    rs_rv_cq *cq = rs_rv_alloc(sizeof *cq);
    *cq = (rs_rv_cq){.next = verify->cqs, .entries = entries, .notifies = notifies, .inner = inner};
    verify->cqs = cq;
    rv_record_add(verify, &cq->record, RV_CQ);
    return cq;
}

uintptr_t rs_rv_cq_inner(const rs_rv_cq *cq) {
    return cq->inner;
}

static void rv_cq_use(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread) {
    if (cq->dead) {
        rv_report(verify, RS_RV_CQ_DEAD, cq, 0);
    }
    if (cq->thread == 0) {
        cq->thread = thread;
    }
    if (cq->thread != thread && !verify->options.any_thread) {
        rv_report(verify, RS_RV_CQ_THREAD, cq, thread);
    }
}

void rs_rv_cq_close(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread) {
    rv_cq_use(verify, cq, thread);
    /* Its page has an answer: what completes later is dropped, and who closes it keeps count. */
    if (cq->in_flight > 0 && !verify->options.documented_only) {
        rv_report(verify, RS_RV_CQ_BUSY, cq, cq->in_flight);
    }
    cq->dead = true; /* kept to the end: there are few */
}

void rs_rv_cq_resized(rs_rio_verify *verify, rs_rv_cq *cq, uint32_t entries, uint64_t thread) {
    rv_cq_use(verify, cq, thread);
    cq->entries = entries;
    if (cq->reserved > entries) {
        rv_report(verify, RS_RV_CQ_FULL, cq, cq->reserved);
    }
}

void rs_rv_dequeue(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread) {
    rv_cq_use(verify, cq, thread);
}

void rs_rv_notify(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread) {
    rv_cq_use(verify, cq, thread);
    if (!cq->notifies) {
        rv_report(verify, RS_RV_NOTIFY_POLLED, cq, 0);
    }
    if (cq->uncommitted > 0 && !verify->options.documented_only) {
        rv_report(verify, RS_RV_UNCOMMITTED, cq, cq->uncommitted);
    }
}

void rs_rv_notified(rs_rio_verify *verify, const rs_rv_cq *cq, bool already) {
    if (already) {
        rv_report(verify, RS_RV_NOTIFY_TWICE, cq, 0);
    }
}

/* ---- request queues */

static rs_rv_rq **rv_socket_bucket(rs_rio_verify *verify, uint64_t socket) {
    return &verify->sockets[rs_rv_hash(socket, RV_SOCKET_BUCKETS)];
}

/* The request queue of an open socket. */
static rs_rv_rq *rv_socket_find(rs_rio_verify *verify, uint64_t socket) {
    rs_rv_rq *rq = *rv_socket_bucket(verify, socket);
    while (rq != NULL && (rq->cfg.socket != socket || rq->closed)) {
        rq = rq->next;
    }
    return rq;
}

static void rv_reserve(rs_rio_verify *verify, rs_rv_cq *cq, uint32_t entries) {
    cq->reserved += entries;
    if (cq->reserved > cq->entries) {
        rv_report(verify, RS_RV_CQ_FULL, cq, cq->reserved);
    }
}

rs_rv_rq *rs_rv_rq_prepare(rs_rio_verify *verify, const rs_rv_rq_config *cfg, uint64_t thread) {
    rs_rv_rq **bucket = rv_socket_bucket(verify, cfg->socket);
    rs_rv_rq *rq = rs_rv_alloc(sizeof *rq);
    RS_ASSERT(cfg->recv_cq != NULL);
    RS_ASSERT(cfg->send_cq != NULL);
    rv_cq_use(verify, cfg->recv_cq, thread);
    if (cfg->send_cq != cfg->recv_cq) {
        rv_cq_use(verify, cfg->send_cq, thread);
    }
    if (rv_socket_find(verify, cfg->socket) != NULL) {
        rv_report(verify, RS_RV_SOCKET_TWICE, rq, cfg->socket);
    }
    if (cfg->recv_buffers != 1 || cfg->send_buffers != 1 || cfg->recvs + cfg->sends == 0) {
        rv_report(verify, RS_RV_FLAGS, rq, cfg->recv_buffers);
    }
    *rq = (rs_rv_rq){.next = *bucket, .cfg = *cfg, .thread = thread};
    *bucket = rq;
    rv_record_add(verify, &rq->record, RV_RQ);
    rv_reserve(verify, cfg->recv_cq, cfg->recvs);
    rv_reserve(verify, cfg->send_cq, cfg->sends);
    return rq;
}

uintptr_t rs_rv_rq_inner(const rs_rv_rq *rq) {
    return rq->inner;
}

static void rv_rq_free(rs_rio_verify *verify, rs_rv_rq *rq) {
    rs_rv_rq **at = rv_socket_bucket(verify, rq->cfg.socket);
    RS_ASSERT(!rq->dead);
    while (*at != rq) {
        RS_ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = rq->next;
    RS_ASSERT(rq->cfg.recv_cq->reserved >= rq->cfg.recvs);
    rq->cfg.recv_cq->reserved -= rq->cfg.recvs;
    RS_ASSERT(rq->cfg.send_cq->reserved >= rq->cfg.sends);
    rq->cfg.send_cq->reserved -= rq->cfg.sends;
    rq->closed = true;
    rq->dead = true;
    rv_bury(verify, &rq->record);
}

void rs_rv_rq_opened(rs_rio_verify *verify, rs_rv_rq *rq, uintptr_t inner) {
    RS_ASSERT(rq->inner == 0);
    RS_ASSERT(!rq->closed);
    rq->inner = inner;
    if (inner == 0) {
        rv_rq_free(verify, rq);
    }
}

static bool rv_rq_use(rs_rio_verify *verify, rs_rv_rq *rq, uint64_t thread) {
    if (rq->closed) {
        rv_report(verify, RS_RV_RQ_CLOSED, rq, rq->cfg.socket);
        return false;
    }
    if (rq->thread != thread && !verify->options.any_thread) {
        rv_report(verify, RS_RV_RQ_THREAD, rq, thread);
    }
    return true;
}

void rs_rv_rq_resized(rs_rio_verify *verify, rs_rv_rq *rq, uint32_t recvs, uint32_t sends,
                      uint64_t thread) {
    if (!rv_rq_use(verify, rq, thread)) {
        return;
    }
    RS_ASSERT(rq->cfg.recv_cq->reserved >= rq->cfg.recvs);
    rq->cfg.recv_cq->reserved -= rq->cfg.recvs;
    RS_ASSERT(rq->cfg.send_cq->reserved >= rq->cfg.sends);
    rq->cfg.send_cq->reserved -= rq->cfg.sends;
    rq->cfg.recvs = recvs;
    rq->cfg.sends = sends;
    rv_reserve(verify, rq->cfg.recv_cq, recvs);
    rv_reserve(verify, rq->cfg.send_cq, sends);
}

static rs_rv_cq *rv_cq_of(const rs_rv_rq *rq, bool is_recv) {
    return is_recv ? rq->cfg.recv_cq : rq->cfg.send_cq;
}

static void rv_commit(rs_rv_rq *rq, bool is_recv) {
    uint32_t *uncommitted = is_recv ? &rq->recvs_uncommitted : &rq->sends_uncommitted;
    RS_ASSERT(rv_cq_of(rq, is_recv)->uncommitted >= *uncommitted);
    rv_cq_of(rq, is_recv)->uncommitted -= *uncommitted;
    *uncommitted = 0;
}

void rs_rv_socket_close(rs_rio_verify *verify, uint64_t socket, uint64_t thread) {
    rs_rv_rq *rq = rv_socket_find(verify, socket);
    if (rq == NULL) {
        return; /* a socket without a request queue */
    }
    (void)rv_rq_use(verify, rq, thread);
    if (rq->recvs_uncommitted + rq->sends_uncommitted > 0) {
        rv_report(verify, RS_RV_UNCOMMITTED, rq, rq->recvs_uncommitted + rq->sends_uncommitted);
    }
    rv_commit(rq, true);
    rv_commit(rq, false);
    rq->closed = true;
    /* What is not outstanding is released now, the rest when it completes. */
    rq->cfg.recv_cq->reserved -= rq->cfg.recvs - rq->recvs;
    rq->cfg.send_cq->reserved -= rq->cfg.sends - rq->sends;
    rq->cfg.recvs = rq->recvs;
    rq->cfg.sends = rq->sends;
    if (rq->first == NULL) {
        rv_rq_free(verify, rq);
    }
}

/* ---- requests */

static uint8_t *rv_bytes(const rs_rv_slice *slice) {
    RS_ASSERT(slice->buffer != NULL);
    return slice->buffer->base + slice->offset;
}

/* A slice lies in a live registration and overlaps none in flight; then it is in flight itself. */
static bool rv_check_slice(rs_rio_verify *verify, rs_rv_request *request, uint32_t which) {
    rs_rv_slice *slice;
    rs_rv_buffer *buffer;
    RS_ASSERT(which < RS_RV_SLICES);
    slice = &request->post.slice[which];
    buffer = slice->buffer;
    if (slice->descriptor == NULL) {
        return false;
    }
    verify->slice = slice;
    if (buffer == NULL || buffer->dead) {
        rv_report(verify, RS_RV_BUFFER_DEAD, buffer, slice->offset);
        slice->buffer = NULL;
        return false;
    }
    if (slice->offset > buffer->bytes || slice->bytes > buffer->bytes - slice->offset) {
        rv_report(verify, RS_RV_RANGE, buffer, (uint64_t)slice->offset + slice->bytes);
        return false;
    }
    if (!rs_rv_shadow_acquire(&verify->shadow, rv_bytes(slice), slice->bytes,
                              request->post.is_recv)) {
        rv_report(verify, RS_RV_OVERLAP, rv_bytes(slice), slice->bytes);
        return false;
    }
    return true;
}

static void rv_check_slices(rs_rio_verify *verify, rs_rv_request *request) {
    const rs_rv_slice *data = &request->post.slice[0];
    if (data->buffer != NULL && data->buffer->in_flight > 0 && verify->options.unique_ids) {
        verify->slice = data;
        rv_report(verify, RS_RV_ID_SHARED, data->buffer, data->buffer->in_flight);
    }
    for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
        request->marked[i] = rv_check_slice(verify, request, i);
    }
    verify->slice = NULL;
    if (!request->marked[0]) {
        return;
    }
    if (request->post.is_recv) {
        rs_rv_poison(rv_bytes(data), data->bytes);
    } else {
        request->sum = rs_rv_sum(rv_bytes(data), data->bytes);
    }
}

static void rv_check_queue(rs_rio_verify *verify, rs_rv_rq *rq, const rs_rv_post *post) {
    const rs_rv_request *other = verify->options.documented_only ? NULL : rq->first;
    for (; other != NULL; other = other->next) {
        if (post->count > 0 && other->post.slice[0].descriptor == post->slice[0].descriptor) {
            rv_report(verify, RS_RV_DESCRIPTOR_BUSY, post->slice[0].descriptor, 0);
        }
    }
    if (post->is_recv ? rq->recvs >= rq->cfg.recvs : rq->sends >= rq->cfg.sends) {
        rv_report(verify, RS_RV_RQ_FULL, rq, post->is_recv ? rq->recvs : rq->sends);
    }
}

static void rv_link(rs_rio_verify *verify, rs_rv_request *request) {
    rs_rv_rq *rq = request->rq;
    rs_rv_request **bucket =
        &verify->requests[rs_rv_hash((uint64_t)(uintptr_t)request, RV_REQUEST_BUCKETS)];
    RS_ASSERT(request->chain == NULL);
    RS_ASSERT(request->next == NULL);
    request->chain = *bucket;
    *bucket = request;
    request->next = rq->first;
    if (rq->first != NULL) {
        rq->first->prev = request;
    }
    rq->first = request;
    *(request->post.is_recv ? &rq->recvs : &rq->sends) += 1u;
    rv_cq_of(rq, request->post.is_recv)->in_flight++;
    verify->in_flight++;
    for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
        if (request->post.slice[i].buffer != NULL) {
            request->post.slice[i].buffer->in_flight++;
        }
    }
}

/* Removes the address from its hash chain; false if it is not in one. */
static bool rv_unchain(rs_rio_verify *verify, const rs_rv_request *request) {
    rs_rv_request **at =
        &verify->requests[rs_rv_hash((uint64_t)(uintptr_t)request, RV_REQUEST_BUCKETS)];
    while (*at != NULL && *at != request) {
        at = &(*at)->chain;
    }
    if (*at == NULL) {
        return false;
    }
    *at = request->chain;
    return true;
}

/* A slice is in flight no more. */
static void rv_land(rs_rio_verify *verify, const rs_rv_slice *slice, bool is_recv, bool marked) {
    RS_ASSERT(slice->buffer == NULL || slice->buffer->in_flight > 0);
    if (marked) {
        rs_rv_shadow_release(&verify->shadow, rv_bytes(slice), slice->bytes, is_recv);
    }
    if (slice->buffer != NULL && --slice->buffer->in_flight == 0 && slice->buffer->dead) {
        rv_bury(verify, &slice->buffer->record);
    }
}

static void rv_unlink(rs_rio_verify *verify, rs_rv_request *request) {
    rs_rv_rq *rq = request->rq;
    RS_ASSERT(verify->in_flight > 0);
    RS_ASSERT(rv_cq_of(rq, request->post.is_recv)->in_flight > 0);
    RS_ASSERT((request->post.is_recv ? rq->recvs : rq->sends) > 0);
    if (request->prev != NULL) {
        request->prev->next = request->next;
    } else {
        rq->first = request->next;
    }
    if (request->next != NULL) {
        request->next->prev = request->prev;
    }
    *(request->post.is_recv ? &rq->recvs : &rq->sends) -= 1u;
    rv_cq_of(rq, request->post.is_recv)->in_flight--;
    verify->in_flight--;
    for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
        rv_land(verify, &request->post.slice[i], request->post.is_recv, request->marked[i]);
    }
    if (rq->closed) {
        rv_cq_of(rq, request->post.is_recv)->reserved--;
        *(request->post.is_recv ? &rq->cfg.recvs : &rq->cfg.sends) -= 1u;
    }
}

static bool rv_slices_fit(const rs_rv_rq *rq, const rs_rv_post *post) {
    bool has_data = post->slice[0].descriptor != NULL;
    if (post->count != (has_data ? 1u : 0u)) {
        return false;
    }
    return has_data || rq->cfg.datagram;
}

static bool rv_flags_fit(const rs_rv_rq *rq, const rs_rv_post *post) {
    if ((post->flags & RS_RV_COMMIT_ONLY) != 0) {
        for (uint32_t i = 0; i < RS_RV_SLICES; i++) {
            if (post->slice[i].descriptor != NULL) {
                return false;
            }
        }
        return post->flags == RS_RV_COMMIT_ONLY && post->count == 0 && post->context == 0;
    }
    return post->flags < RS_RV_COMMIT_ONLY && rv_slices_fit(rq, post) &&
           ((post->flags & RS_RV_WAITALL) == 0 || (post->is_recv && !rq->cfg.datagram));
}

rs_rv_request *rs_rv_post_begin(rs_rio_verify *verify, rs_rv_rq *rq, const rs_rv_post *post,
                                uint64_t thread) {
    rs_rv_request *request;
    if (!rv_rq_use(verify, rq, thread)) {
        return NULL;
    }
    if (!rv_flags_fit(rq, post)) {
        rv_report(verify, RS_RV_FLAGS, rq, post->flags);
    }
    if ((post->flags & RS_RV_DEFER) == 0) {
        rv_commit(rq, post->is_recv); /* it starts those before it too */
    }
    if ((post->flags & RS_RV_COMMIT_ONLY) != 0) {
        return NULL;
    }
    request = rs_rv_alloc(sizeof *request);
    request->rq = rq;
    request->post = *post;
    rv_check_queue(verify, rq, post);
    rv_check_slices(verify, request);
    rv_link(verify, request);
    if ((post->flags & RS_RV_DEFER) != 0) {
        *(post->is_recv ? &rq->recvs_uncommitted : &rq->sends_uncommitted) += 1u;
        rv_cq_of(rq, post->is_recv)->uncommitted++;
    }
    return request;
}

void *rs_rv_scratch(rs_rv_request *request) {
    return request->scratch;
}

void rs_rv_post_refused(rs_rio_verify *verify, rs_rv_request *request) {
    rs_rv_rq *rq;
    if (request == NULL) {
        return; /* a commit, or one that was reported */
    }
    rq = request->rq;
    if ((request->post.flags & RS_RV_DEFER) != 0) {
        uint32_t *uncommitted =
            request->post.is_recv ? &rq->recvs_uncommitted : &rq->sends_uncommitted;

        *uncommitted -= *uncommitted > 0;
        rv_cq_of(rq, request->post.is_recv)->uncommitted--;
    }
    (void)rv_unchain(verify, request);
    rv_unlink(verify, request);
    free(request);
}

static void rv_check_contents(rs_rio_verify *verify, const rs_rv_request *request, bool succeeded,
                              uint32_t bytes) {
    const rs_rv_slice *data = &request->post.slice[0];
    if (!request->marked[0]) {
        return; /* none, or reported when it was posted */
    }
    verify->slice = data;
    if (request->post.is_recv) {
        /* The content of the slice after an error is not documented. */
        if (succeeded && !rs_rv_is_poison(rv_bytes(data) + bytes, data->bytes - bytes)) {
            rv_report(verify, RS_RV_RECV_TOUCHED, rv_bytes(data), bytes);
        }
    } else if (rs_rv_sum(rv_bytes(data), data->bytes) != request->sum) {
        rv_report(verify, RS_RV_SEND_TOUCHED, rv_bytes(data), data->bytes);
    }
    verify->slice = NULL;
}

bool rs_rv_complete(rs_rio_verify *verify, rs_rv_cq *cq, rs_rv_request *request, bool succeeded,
                    uint32_t bytes, rs_rv_origin *origin) {
    rs_rv_rq *rq;
    if (!rv_unchain(verify, request)) {
        rv_report(verify, RS_RV_COMPLETION, request, bytes);
        return false;
    }
    rq = request->rq;
    if ((request->post.count > 0 && bytes > request->post.slice[0].bytes) ||
        rv_cq_of(rq, request->post.is_recv) != cq) {
        rv_report(verify, RS_RV_COMPLETION, request, bytes);
        bytes = 0;
    }
    *origin =
        (rs_rv_origin){.socket_context = rq->cfg.context, .request_context = request->post.context};
    rv_check_contents(verify, request, succeeded, bytes);
    rv_unlink(verify, request);
    free(request);
    if (rq->closed && rq->first == NULL && !rq->dead) {
        rv_rq_free(verify, rq);
    }
    return true;
}

/* ---- opening, and what is left at the end */

rs_rio_verify *rs_rv_open(const rs_rv_options *options) {
    rs_rio_verify *verify = calloc(1, sizeof *verify);
    if (verify != NULL) {
        verify->options = *options;
    }
    return verify;
}

void rs_rv_share_ids(rs_rio_verify *verify) {
    verify->options.unique_ids = false;
}

static void rv_close_requests(rs_rio_verify *verify) {
    if (verify->in_flight > 0 && !verify->options.documented_only) {
        rv_report(verify, RS_RV_LEAK, "requests", verify->in_flight);
    }
    for (uint32_t i = 0; i < RV_REQUEST_BUCKETS; i++) {
        while (verify->requests[i] != NULL) {
            rs_rv_request *request = verify->requests[i];

            verify->requests[i] = request->chain;
            rv_unlink(verify, request); /* buries a deregistered buffer with its last request */
            free(request);
        }
    }
}

static void rv_close_queues(rs_rio_verify *verify) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < RV_SOCKET_BUCKETS; i++) {
        while (verify->sockets[i] != NULL) {
            rs_rv_rq *rq = verify->sockets[i];

            verify->sockets[i] = rq->next;
            left++;
            free(rq);
        }
    }
    while (verify->cqs != NULL) {
        rs_rv_cq *cq = verify->cqs;

        verify->cqs = cq->next;
        left += !cq->dead;
        free(cq);
    }
    if (left > 0 && !verify->options.documented_only) {
        rv_report(verify, RS_RV_LEAK, "queues", left);
    }
}

static void rv_close_memory(rs_rio_verify *verify) {
    uint32_t left = 0;
    while (verify->buffers != NULL) {
        rs_rv_buffer *buffer = verify->buffers;

        verify->buffers = buffer->next;
        left++;
        free(buffer);
    }
    if (left > 0 && !verify->options.documented_only) {
        rv_report(verify, RS_RV_LEAK, "registrations", left);
    }
    rs_rv_shadow_free(&verify->shadow);
    for (uint32_t i = 0; i < RV_TOMBS; i++) {
        free(verify->tombs[i]);
    }
}

uint32_t rs_rv_close(rs_rio_verify *verify) {
    uint32_t violations;
    rs_rv_enter(verify, NULL, 0);
    rv_close_requests(verify);
    rv_close_queues(verify);
    rv_close_memory(verify);
    violations = verify->violations;
    free(verify);
    return violations;
}
