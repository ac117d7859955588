/* SPDX-License-Identifier: MIT */
/* The io_uring engine: one ring per completion queue, one operation per lane at a time.
 *
 * Default operations are RECV and SEND with MSG_WAITALL: measured cheapest on this kernel, fixed
 * buffers included. Several sends of a stream go out as one SENDMSG. Everything here runs under
 * the completion queue's lock unless a comment says otherwise. */
#include "uring.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gate.h"
#include "lazy.h"
#include "linux_abi.h"
#include "uring_burst.h"
#include "uring_message.h"
#include "uring_standing.h"

/* Bounded wait for cancelled requests when a completion queue is closed under them. */
#define URING_DRAIN_ROUNDS 100
#define URING_DRAIN_ROUND_NS 2000000
#define URING_FILES_MAX 32768u

static rs_uring_cq *uring_of(const rs_cq *cq) {
    return cq->engine;
}

static rs_cq *uring_cq_of(const rs_rio_lane *lane) {
    return (rs_cq *)lane->cq;
}

bool rs_engine_uring_usable(const char **why) {
    rs_settings *settings = &rs_provider_state()->settings;
    rs_ring ring;
    if (!rs_gate_open(why)) {
        return false;
    }
    if (rs_ring_open(&ring, 1, RS_RING_IRQ) != 0) {
        *why = "io_uring is forbidden or unknown here (sysctl kernel.io_uring_disabled, or the "
               "container's seccomp profile)";
        return false;
    }
    if (settings->multishot != RS_MULTISHOT_OFF &&
        !rs_uring_standing_offered(&ring, settings->multishot == RS_MULTISHOT_REFUSED)) {
        settings->multishot = RS_MULTISHOT_OFF;
    }
    rs_ring_close(&ring);
    return true;
}

/* ---- errors ---- */

static int32_t uring_status(int32_t error) {
    static const struct {
        int32_t linux_error, winsock_error;
    } map[] = {
        {LX_ECONNRESET, WSAECONNRESET},
        {LX_ECANCELED, WSA_OPERATION_ABORTED},
        {LX_ETIMEDOUT, WSAETIMEDOUT},
        {LX_ENOTCONN, WSAENOTCONN},
        {LX_EFAULT, WSAEFAULT},
        {LX_ENOMEM, WSAENOBUFS},
        {LX_ENOBUFS, WSAENOBUFS},
        {LX_EMSGSIZE, WSAEMSGSIZE},
        {LX_EINVAL, WSAEINVAL},
        {LX_ENOTSOCK, WSAENOTSOCK},
        {LX_EDESTADDRREQ, WSAEDESTADDRREQ},
        {LX_EOPNOTSUPP, WSAEOPNOTSUPP},
        {LX_EAFNOSUPPORT, WSAEAFNOSUPPORT},
        {LX_EADDRNOTAVAIL, WSAEADDRNOTAVAIL},
        {LX_ENETDOWN, WSAENETDOWN},
        {LX_ENETUNREACH, WSAENETUNREACH},
        {LX_EHOSTUNREACH, WSAEHOSTUNREACH},
        {LX_ECONNREFUSED, WSAECONNRESET},
        {LX_ECONNABORTED, WSAECONNABORTED},
    };

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (map[i].linux_error == error) {
            return map[i].winsock_error;
        }
    }
    return WSAECONNABORTED;
}

static bool uring_was_reset(const rs_rio_rq *rq) {
    return rs_gate_was_reset(rq->fd, rq->received);
}

/* ---- preparing operations ---- */

static bool uring_is_fixed(rs_uring_cq *uring, const rs_rio_segment *data) {
    rs_provider *provider = rs_provider_state();
    const rs_buffer *buffer;
    lx_iovec iov;
    lx_rsrc_update2 update = {0};
    if (uring->fixed == NULL || data->length == 0 || data->buffer >= LX_FIXED_BUFFERS_MAX) {
        return false;
    }
    if (uring->fixed[data->buffer] == 0) {
        buffer = rs_handle_at(&provider->buffers, data->buffer);
        iov.base = buffer->base;
        iov.length = buffer->length;
        update.offset = data->buffer;
        update.data = (uint64_t)(intptr_t)&iov;
        update.nr = 1;
        /* Exceeding RLIMIT_MEMLOCK is not an error: that buffer is used by plain operations. */
        uring->fixed[data->buffer] =
            rs_ring_register(&uring->ring, LX_REGISTER_BUFFERS_UPDATE, &update, sizeof update) == 1
                ? 1
                : 2;
    }
    return uring->fixed[data->buffer] == 1;
}

static void uring_prepare_recv(lx_sqe *sqe, rs_rio_lane *lane, const rs_rio_request *request,
                               bool fixed) {
    if (fixed && !request->wait_all) {
        sqe->opcode = LX_OP_READ_FIXED;
        sqe->off = UINT64_MAX; /* a socket has no position */
        sqe->buf_index = (uint16_t)request->data.buffer;
        return;
    }
    sqe->opcode = LX_OP_RECV;
    sqe->op_flags = request->wait_all ? LX_MSG_WAITALL : 0;
    /* The last receive emptied the socket, so a first attempt would almost certainly fail. */
    if (lane->calm > 0 && rs_provider_state()->settings.poll_first) {
        sqe->ioprio = LX_RECVSEND_POLL_FIRST;
    }
}

static void uring_prepare_send(lx_sqe *sqe, const rs_rio_request *request, bool fixed) {
    sqe->opcode = LX_OP_SEND;
    sqe->op_flags = LX_MSG_NOSIGNAL | LX_MSG_WAITALL;
    if (!fixed) {
        return;
    }
    sqe->buf_index = (uint16_t)request->data.buffer;
    if (rs_provider_state()->settings.ops == RS_OPS_ZC) {
        sqe->opcode = LX_OP_SEND_ZC;
        sqe->ioprio = LX_RECVSEND_FIXED_BUF;
    } else {
        sqe->opcode = LX_OP_WRITE_FIXED;
        sqe->op_flags = 0;
        sqe->off = UINT64_MAX;
    }
}

static bool uring_needs_message(const rs_rio_lane *lane, uint32_t count) {
    return count > 1 || !lane->rq->stream;
}

/* An operation on the lane's socket, its kind still to be filled in. */
static lx_sqe *uring_sqe(rs_rio_lane *lane) {
    lx_sqe *sqe = rs_ring_prepare(&uring_of(uring_cq_of(lane))->ring);
    sqe->user_data = (uint64_t)(intptr_t)lane;
    sqe->fd = lane->rq->fd;
    if (lane->rq->file >= 0) {
        sqe->fd = lane->rq->file;
        sqe->flags = LX_SQE_FIXED_FILE;
    }
    return sqe;
}

static void uring_prepare(rs_rio_lane *lane, uint32_t count) {
    rs_uring_cq *uring = uring_of(uring_cq_of(lane));
    const rs_rio_request *request = lane->head;
    bool fixed = count == 1 && lane->rq->stream && uring_is_fixed(uring, &request->data);
    lx_sqe *sqe = uring_sqe(lane);
    if (uring_needs_message(lane, count)) {
        rs_uring_message_prepare(lane, count, sqe);
        return;
    }
    sqe->addr = (uint64_t)(intptr_t)request->data.at + request->done;
    sqe->len = request->data.length - request->done;
    if (lane->direction == RS_RIO_RECV) {
        uring_prepare_recv(sqe, lane, request, fixed);
    } else {
        uring_prepare_send(sqe, request, fixed);
    }
}

static void uring_cancel(rs_rio_lane *lane);

static void uring_cancel_one(uint64_t user_data, rs_uring_cq *uring) {
    lx_sqe *sqe = rs_ring_prepare(&uring->ring);
    sqe->opcode = LX_OP_ASYNC_CANCEL;
    sqe->fd = -1;
    sqe->addr = user_data;
    sqe->user_data = RS_URING_IGNORED;
}

static void uring_start_burst(rs_rio_lane *lane) {
    rs_ring *ring = &uring_of(uring_cq_of(lane))->ring;
    switch (rs_uring_burst_start(lane, uring_of(uring_cq_of(lane)))) {
    case RS_BURST_GOES:
        break;
    case RS_BURST_SUBMIT:
        rs_ring_reserve(ring, RS_BURST_CHAIN);
        for (uint32_t i = 0; i < RS_BURST_CHAIN; i++) {
            rs_uring_burst_prepare(lane, i, uring_sqe(lane));
        }
        break;
    case RS_BURST_RENEW:
        uring_cancel(lane); /* its end brings us back here */
        break;
    case RS_BURST_CANNOT:
        lane->many = false;
        break;
    }
}

/* A failure ends the chain, and what follows is sent by the next one. */
static void uring_start_sends(rs_rio_lane *lane) {
    uint32_t count = rs_queue_startable(lane);
    const rs_rio_request *request = lane->head;
    if (count == 0) {
        return;
    }
    if (!rs_uring_message_open(lane)) {
        rs_queue_start(lane, 1);
        rs_queue_finish(lane, WSAENOBUFS, 0);
        return;
    }
    rs_ring_reserve(&uring_of(uring_cq_of(lane))->ring, count);
    for (uint32_t i = 0; i < count; i++, request = request->next) {
        lx_sqe *sqe = uring_sqe(lane);
        rs_uring_message_send(lane, i, request, sqe);
        sqe->flags |= i + 1 < count ? LX_SQE_LINK : 0;
    }
    rs_queue_start(lane, count);
}

/* Under the lock: a request need not look its descriptor up, nor count its uses. */
static void uring_register_file(rs_rio_rq *rq) {
    rs_cq *cq = uring_cq_of(&rq->lane[RS_RIO_RECV]);
    rs_uring_cq *uring = uring_of(cq);
    int32_t fd = rq->fd;
    lx_rsrc_update2 update = {0};
    if (rq->file >= 0 || uring->files_max == 0 || rq->lane[RS_RIO_SEND].cq != &cq->core) {
        return;
    }
    if (uring->files_free_count > 0) {
        update.offset = uring->files_free[--uring->files_free_count];
    } else if (uring->files_used < uring->files_max) {
        update.offset = uring->files_used++;
    } else {
        return;
    }
    update.data = (uint64_t)(intptr_t)&fd;
    update.nr = 1;
    if (rs_ring_register(&uring->ring, LX_REGISTER_FILES_UPDATE2, &update, sizeof update) == 1) {
        rq->file = (int)update.offset;
    } else {
        uring->files_free[uring->files_free_count++] = update.offset;
    }
}

/* False: plain receives. A connection that lives is worth a place in the file table, too. */
static bool uring_start_standing(rs_rio_lane *lane) {
    rs_standing_next next = rs_uring_standing_start(lane, uring_of(uring_cq_of(lane)));
    if (next == RS_STANDING_SUBMIT) {
        uring_register_file(lane->rq);
        rs_uring_standing_prepare(lane, uring_sqe(lane));
    }
    if (!lane->closing && rs_uring_standing_wants_watch(lane)) {
        rs_uring_standing_watch(lane, uring_sqe(lane));
    }
    return next != RS_STANDING_NO;
}

static bool uring_is_stream_receive(const rs_rio_lane *lane) {
    return lane->direction == RS_RIO_RECV && lane->rq->stream;
}

static void uring_start(rs_rio_lane *lane) {
    uint32_t count;
    if (uring_is_stream_receive(lane) && uring_start_standing(lane)) {
        return;
    }
    if (lane->many && lane->direction == RS_RIO_SEND) {
        uring_start_sends(lane);
        return;
    }
    if (lane->many) {
        uring_start_burst(lane);
    }
    count = lane->many ? 0 : rs_queue_startable(lane);
    if (count == 0) {
        return;
    }
    if (uring_needs_message(lane, count) && !rs_uring_message_open(lane)) {
        count = 1; /* no memory to gather: one by one */
        if (!lane->rq->stream) {
            rs_queue_start(lane, 1);
            rs_queue_finish(lane, WSAENOBUFS, 0);
            return;
        }
    }
    rs_queue_start(lane, count);
    uring_prepare(lane, count);
}

static void uring_flush(rs_cq *cq) {
    rs_ring_submit(&uring_of(cq)->ring);
    rs_lazy_done(cq);
}

/* ---- completions ---- */

static int32_t uring_failure(rs_rio_lane *lane, int32_t error) {
    if (error == LX_EPIPE) {
        return uring_was_reset(lane->rq) ? WSAECONNRESET : WSAESHUTDOWN;
    }
    return uring_status(error);
}

static void uring_finish_bytes(rs_rio_lane *lane, uint32_t bytes) {
    const rs_rio_request *request = lane->head;
    bool stream_end = bytes == 0 && lane->rq->stream && request->data.length > request->done;
    if (lane->direction == RS_RIO_RECV) {
        lane->rq->received += bytes;
    }
    if (stream_end && lane->direction == RS_RIO_SEND) {
        rs_queue_finish(lane, WSAECONNABORTED, 0);
    } else if (stream_end && request->done == 0 && !lane->closing && uring_was_reset(lane->rq)) {
        rs_queue_finish(lane, WSAECONNRESET, 0);
    } else if (!lane->rq->stream) {
        rs_uring_message_finish(lane, bytes);
    } else { /* 0 bytes end a receive of whole length too: see rs_queue_finish */
        rs_uring_stream_addresses(lane);
        rs_queue_finish(lane, RS_RIO_OK, bytes);
    }
}

static void uring_finish(rs_rio_lane *lane, int32_t result) {
    if (result >= 0) {
        uring_finish_bytes(lane, (uint32_t)result);
    } else if (result == -LX_EINTR || (result == -LX_ECANCELED && !lane->closing)) {
        /* The thread that submitted it has exited: Linux cancels, Windows does not. Or a datagram
         * before it in its chain could not be sent. */
        rs_queue_rerun(lane, lane->many ? 1 : lane->running);
    } else {
        rs_queue_finish(lane, lane->closing ? WSA_OPERATION_ABORTED : uring_failure(lane, -result),
                        0);
    }
}

/* After an end of either: the next operation, or the end of the lane when neither is pending. */
static void uring_go_on_standing(rs_rio_lane *lane) {
    if (lane->closing && !lane->standing && lane->running == 0) {
        rs_uring_standing_discard(lane, uring_of(uring_cq_of(lane)));
        rs_queue_abort(lane);
        rs_queue_stand(lane, false); /* it may be gone after this */
    } else if (!lane->cq->dead) {
        uring_start(lane);
    }
}

static void uring_complete_standing(rs_rio_lane *lane, const lx_cqe *cqe) {
    rs_uring_standing_took(lane, cqe);
    if (cqe->res >= 0 && lane->running > 0) {
        uring_finish_bytes(lane, (uint32_t)cqe->res);
    } else if (!rs_uring_standing_is_harmless(cqe->res) && lane->running > 0 && !lane->closing) {
        rs_queue_finish(lane, uring_failure(lane, -cqe->res), 0);
    }
    if (!(cqe->flags & LX_CQE_F_MORE)) {
        rs_uring_standing_over(lane);
    }
    uring_go_on_standing(lane);
}

/* The poll beside a standing receive ended. */
static void uring_complete_watch(rs_rio_lane *lane, int32_t result) {
    if (rs_uring_standing_alarm(lane, result)) {
        uring_cancel_one((uint64_t)(intptr_t)lane, uring_of(uring_cq_of(lane)));
    }
    uring_go_on_standing(lane);
}

static void uring_complete(rs_rio_lane *lane, const lx_cqe *cqe) {
    if (uring_is_stream_receive(lane) && rs_uring_standing_is_active(lane)) {
        uring_complete_standing(lane, cqe);
        return;
    }
    if (lane->many && lane->direction == RS_RIO_RECV) {
        if (rs_uring_burst_complete(lane, uring_of(uring_cq_of(lane)), cqe,
                                    cqe->res < 0 ? uring_status(-cqe->res) : 0) &&
            !lane->cq->dead) {
            uring_start(lane);
        }
        return;
    }
    if (cqe->flags & LX_CQE_F_MORE) {
        /* Zero copy: this is the result, but the buffer is free only at the second completion. */
        lane->head->status = cqe->res;
        return;
    }
    lane->calm = cqe->flags & LX_CQE_F_SOCK_NONEMPTY ? 0 : lane->calm + 1;
    uring_finish(lane, cqe->flags & LX_CQE_F_NOTIF ? lane->head->status : cqe->res);
    if (lane->running > 0) {
        return; /* of a chain */
    }
    if (lane->closing) {
        if (uring_is_stream_receive(lane) && !lane->standing) {
            rs_uring_standing_discard(lane, uring_of(uring_cq_of(lane)));
        }
        rs_queue_abort(lane);
    } else if (!lane->cq->dead) {
        uring_start(lane);
    }
}

static void uring_harvest(rs_cq *cq) {
    rs_uring_cq *uring = uring_of(cq);
    lx_cqe cqe;
    if (rs_ring_empty(&uring->ring)) {
        rs_ring_poke(&uring->ring);
    }
    while (rs_ring_peek(&uring->ring, &cqe)) {
        if (cqe.user_data > RS_URING_WAKE && cqe.user_data & RS_URING_WATCH) {
            uring_complete_watch((rs_rio_lane *)(intptr_t)(cqe.user_data - RS_URING_WATCH),
                                 cqe.res);
        } else if (cqe.user_data > RS_URING_WAKE) {
            uring_complete((rs_rio_lane *)(intptr_t)cqe.user_data, &cqe);
        } else if (cqe.user_data == RS_URING_WAKE) {
            uring->woken = true;
            uring->wake_armed = (cqe.flags & LX_CQE_F_MORE) != 0;
        }
    }
}

static void uring_cancel(rs_rio_lane *lane) {
    rs_uring_cq *uring = uring_of(uring_cq_of(lane));
    if (uring_is_stream_receive(lane) && !lane->standing) {
        rs_uring_standing_discard(lane, uring);
    } else if (lane->many && lane->direction == RS_RIO_RECV && !lane->standing) {
        rs_uring_burst_discard(lane, uring);
    }
    if (lane->running == 0 && !lane->standing) {
        return;
    }
    uring_cancel_one((uint64_t)(intptr_t)lane, uring);
    if (uring_is_stream_receive(lane) && rs_uring_standing_watched(lane)) {
        uring_cancel_one((uint64_t)(intptr_t)lane | RS_URING_WATCH, uring);
    }
}

/* ---- notification ---- */

static void uring_arm(rs_cq *cq, bool on) {
    rs_ring_switch_event(&uring_of(cq)->ring, on);
}

/* A Windows thread, because it calls wineserver; it sleeps inside the gate. */
static DWORD WINAPI uring_helper(void *argument) {
    rs_cq *cq = argument;
    rs_uring_cq *uring = uring_of(cq);
    uint64_t count;
    for (;;) {
        int64_t got =
            rs_gate_call6(LX_SYS_READ, uring->event_fd, (intptr_t)&count, sizeof count, 0, 0, 0);
        if (rs_atomic_load_u32(&uring->quit) || (got < 0 && got != -LX_EINTR)) {
            return 0;
        }
        rs_cq_lock(cq);
        if (cq->core.armed && uring->ring.mode == RS_RING_SINGLE) {
            cq->core.woken = true; /* only the owner may check; it may find nothing */
        } else if (cq->core.armed) {
            uring_harvest(cq);
            uring_flush(cq); /* successors: completions that may not notify must not stop them */
        }
        rs_cq_leave(cq);
    }
}

static bool uring_open_helper(rs_cq *cq) {
    rs_uring_cq *uring = uring_of(cq);
    uring->event_fd = (int)rs_gate_call6(LX_SYS_EVENTFD2, 0, LX_EFD_CLOEXEC, 0, 0, 0, 0);
    if (uring->event_fd < 0 || rs_ring_set_event(&uring->ring, uring->event_fd) != 0) {
        return false;
    }
    uring->helper = CreateThread(NULL, 65536, uring_helper, cq, 0, NULL);
    return uring->helper != NULL;
}

static void uring_close_helper(rs_uring_cq *uring) {
    uint64_t one = 1;
    if (uring->helper == NULL) {
        return;
    }
    (void)rs_atomic_exchange_u32(&uring->quit, 1);
    (void)rs_gate_call6(LX_SYS_WRITE, uring->event_fd, (intptr_t)&one, sizeof one, 0, 0, 0);
    (void)WaitForSingleObject(uring->helper, INFINITE); /* bounded: it was just woken */
    CloseHandle(uring->helper);
    uring->helper = NULL;
}

/* ---- queues ---- */

static void uring_open_files(rs_uring_cq *uring, uint32_t entries) {
    lx_rsrc_register files = {0};
    int64_t refused;
    files.nr = entries < URING_FILES_MAX ? entries : URING_FILES_MAX;
    files.flags = LX_RSRC_SPARSE;
    do { /* no table may be longer than the limit of open files, which is not asked for here */
        refused = rs_ring_register(&uring->ring, LX_REGISTER_FILES2, &files, sizeof files);
        files.nr /= refused < 0 ? 2 : 1;
    } while (refused == -LX_EMFILE && files.nr > 0);
    uring->files_free = refused < 0 ? NULL : calloc(files.nr, sizeof *uring->files_free);
    uring->files_max = uring->files_free != NULL ? files.nr : 0; /* 0: ordinary descriptors do */
}

static void uring_open_fixed(rs_uring_cq *uring) {
    lx_rsrc_register buffers = {0};
    buffers.nr = LX_FIXED_BUFFERS_MAX;
    buffers.flags = LX_RSRC_SPARSE;
    if (rs_ring_register(&uring->ring, LX_REGISTER_BUFFERS2, &buffers, sizeof buffers) == 0) {
        uring->fixed = calloc(LX_FIXED_BUFFERS_MAX, 1);
    }
}

static void uring_free(rs_uring_cq *uring) {
    rs_ring_close(&uring->ring);
    rs_uring_standing_close(uring);
    rs_gate_close_fd(uring->event_fd);
    free(uring->files_free);
    free(uring->fixed);
    free(uring);
}

static bool uring_open_cq(rs_cq *cq) {
    const rs_settings *settings = &rs_provider_state()->settings;
    rs_uring_cq *uring = calloc(1, sizeof *uring);
    if (uring == NULL) {
        return false;
    }
    uring->event_fd = -1;
    cq->engine = uring;
    if (rs_ring_open(&uring->ring, cq->core.size, settings->ring) != 0) {
        uring_free(uring);
        return false;
    }
    /* Before 6.13 a place is given back when all requests that began earlier have ended: one
     * connection's idle receive would keep another's from closing. */
    if (settings->files && uring->ring.features & LX_FEAT_RW_ATTR) {
        uring_open_files(uring, cq->core.size);
    }
    if (settings->ops != RS_OPS_PLAIN) {
        uring_open_fixed(uring);
    }
    if (cq->notifies && !uring_open_helper(cq)) {
        uring_free(uring);
        return false;
    }
    return true;
}

static bool uring_any_running(const rs_cq *cq) {
    for (const rs_rio_lane *lane = cq->core.first_lane; lane != NULL; lane = lane->cq_next) {
        if (lane->running > 0 || lane->standing) {
            return true;
        }
    }
    return false;
}

/* The kernel must release the buffers before their lanes are freed. */
static void uring_drain(rs_cq *cq) {
    rs_uring_cq *uring = uring_of(cq);
    RS_ASSERT(cq->core.dead); /* no successor is started */
    for (rs_rio_lane *lane = cq->core.first_lane; lane != NULL; lane = lane->cq_next) {
        uring_cancel(lane);
    }
    for (int i = 0; i < URING_DRAIN_ROUNDS && uring_any_running(cq); i++) {
        uring_flush(cq);
        rs_ring_wait(&uring->ring, URING_DRAIN_ROUND_NS, 1, 0);
        uring_harvest(cq);
    }
}

static void uring_close_cq(rs_cq *cq) {
    rs_uring_cq *uring = uring_of(cq);
    uring_close_helper(uring);
    rs_cq_lock(cq);
    uring_drain(cq);
    cq->engine = NULL;
    rs_cq_unlock(cq);
    uring_free(uring);
}

static int uring_open_rq(rs_rio_rq *rq) {
    rq->fd = -1;
    rq->file = -1;
    return 0;
}

/* The descriptor is taken at the first request that finds a connection: AcceptEx puts another one
 * behind the handle when it completes. No lock is held. */
static int uring_bind_rq(rs_rio_rq *rq) {
    rq->fd = rs_gate_socket_fd(rq->socket);
    if (rq->fd < 0) {
        return rq->fd == RS_GATE_FULL ? WSAENOBUFS : WSAENOTSOCK;
    }
    if (rq->stream && rs_gate_never_connected(rq->fd)) {
        rs_gate_close_fd(rq->fd);
        rq->fd = -1;
        return WSAENOTCONN;
    }
    if (!rq->stream) { /* the kernel fills them only while one of our threads runs */
        rs_gate_make_room(rq->fd, rq->lane[RS_RIO_RECV].limit);
    }
    rq->lane[RS_RIO_SEND].many = !rq->stream;
    rq->lane[RS_RIO_RECV].many = !rq->stream; /* until that is seen to be impossible */
    return 0;
}

static void uring_unregister_file(rs_rio_rq *rq) {
    rs_cq *cq = uring_cq_of(&rq->lane[RS_RIO_RECV]);
    rs_uring_cq *uring;
    int32_t none = -1;
    lx_rsrc_update2 update = {0};
    rs_cq_lock(cq);
    uring = uring_of(cq);
    if (uring != NULL) {
        update.offset = (uint32_t)rq->file;
        update.data = (uint64_t)(intptr_t)&none;
        update.nr = 1;
        (void)rs_ring_register(&uring->ring, LX_REGISTER_FILES_UPDATE2, &update,
                               sizeof update); /* a slot of ours: cannot fail */
        uring->files_free[uring->files_free_count++] = update.offset;
    }
    rs_cq_unlock(cq);
    rq->file = -1;
}

static void uring_close_rq(rs_rio_rq *rq) {
    int fd = rq->fd;
    if (rq->file >= 0) {
        uring_unregister_file(rq);
    }
    rq->fd = -1;
    rs_gate_close_fd(fd);
}

static void uring_free_rq(rs_rio_rq *rq) {
    if (rq->lane[RS_RIO_RECV].many && !rq->stream) {
        rs_uring_burst_discard(&rq->lane[RS_RIO_RECV], NULL); /* left when its ring was closed */
    }
    for (int d = 0; d < RS_RIO_DIRECTIONS; d++) {
        free(rq->lane[d].engine);
    }
}

static void uring_forget_buffer(const rs_buffer *buffer) {
    rs_provider *provider = rs_provider_state();
    lx_iovec none = {NULL, 0};
    lx_rsrc_update2 update = {0};
    update.offset = buffer->index;
    update.data = (uint64_t)(intptr_t)&none;
    update.nr = 1;
    for (uint32_t i = 0; i < provider->cqs.used; i++) {
        rs_cq *cq = rs_handle_at(&provider->cqs, i);
        if (cq == NULL || uring_of(cq)->fixed == NULL || buffer->index >= LX_FIXED_BUFFERS_MAX) {
            continue;
        }
        rs_cq_lock(cq);
        if (uring_of(cq)->fixed[buffer->index] == 1) {
            (void)rs_ring_register(&uring_of(cq)->ring, LX_REGISTER_BUFFERS_UPDATE, &update,
                                   sizeof update); /* emptying a slot: nothing depends on it */
        }
        uring_of(cq)->fixed[buffer->index] = 0;
        rs_cq_unlock(cq);
    }
}

const rs_engine rs_engine_uring = {
    .name = "wine-io_uring",
    .open_cq = uring_open_cq,
    .close_cq = uring_close_cq,
    .open_rq = uring_open_rq,
    .bind_rq = uring_bind_rq,
    .close_rq = uring_close_rq,
    .free_rq = uring_free_rq,
    .start = uring_start,
    .flush = uring_flush,
    .harvest = uring_harvest,
    .cancel = uring_cancel,
    .arm = uring_arm,
    .forget_buffer = uring_forget_buffer,
};
