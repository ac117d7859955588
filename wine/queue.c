/* SPDX-License-Identifier: MIT */
/* Lanes, pools, capacity and the ready list. See queue.h for the rules. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

struct rs_rio_pool {
    rs_rio_pool *next;
    rs_rio_request request[];
};

static bool queue_grow(rs_rio_lane *lane, uint32_t count) {
    rs_rio_pool *pool;
    if (count == 0) {
        return true;
    }
    pool = calloc(1, sizeof *pool + count * sizeof pool->request[0]);
    if (pool == NULL) {
        return false;
    }
    pool->next = lane->pools;
    lane->pools = pool;
    lane->pooled += count;
    for (uint32_t i = 0; i < count; i++) {
        pool->request[i].lane = lane;
        pool->request[i].next = lane->free;
        lane->free = &pool->request[i];
    }
    return true;
}

static void queue_free_pools(rs_rio_lane *lane) {
    while (lane->pools != NULL) {
        rs_rio_pool *pool = lane->pools;
        lane->pools = pool->next;
        free(pool);
    }
    lane->free = NULL;
    lane->pooled = 0;
}

static bool queue_has_room(const rs_rio_cq *cq, uint32_t more) {
    RS_ASSERT(cq->charged <= cq->size);
    return more <= cq->size - cq->charged;
}

int rs_queue_attach(rs_rio_lane *lane, rs_rio_rq *rq, rs_rio_cq *cq, rs_rio_direction direction,
                    uint32_t limit) {
    if (!queue_has_room(cq, limit)) {
        return RS_RIO_E_NO_BUFFERS;
    }
    memset(lane, 0, sizeof *lane);
    lane->rq = rq;
    lane->cq = cq;
    lane->direction = direction;
    if (!queue_grow(lane, limit)) {
        return RS_RIO_E_NO_BUFFERS;
    }
    lane->limit = limit;
    lane->attached = true;
    cq->charged += limit;
    cq->lanes++;
    lane->cq_next = cq->first_lane;
    if (lane->cq_next != NULL) {
        lane->cq_next->cq_previous = lane;
    }
    cq->first_lane = lane;
    return RS_RIO_OK;
}

static void queue_unlink(rs_rio_lane *lane) {
    if (lane->cq_previous != NULL) {
        lane->cq_previous->cq_next = lane->cq_next;
    } else {
        RS_ASSERT(lane->cq->first_lane == lane);
        lane->cq->first_lane = lane->cq_next;
    }
    if (lane->cq_next != NULL) {
        lane->cq_next->cq_previous = lane->cq_previous;
    }
    lane->cq_next = lane->cq_previous = NULL;
}

/* Releases the charge; the lane no longer holds its request queue. */
static void queue_release(rs_rio_lane *lane) {
    RS_ASSERT(lane->attached && lane->outstanding == 0 && lane->queued == 0);
    RS_ASSERT(lane->cq->charged >= lane->limit && lane->cq->lanes > 0);
    lane->attached = false;
    lane->cq->charged -= lane->limit;
    lane->cq->lanes--;
    queue_unlink(lane);
    queue_free_pools(lane);
}

void rs_queue_detach(rs_rio_lane *lane) {
    queue_release(lane);
}

int rs_queue_resize_lane(rs_rio_lane *lane, uint32_t limit) {
    if (limit < lane->outstanding) {
        return RS_RIO_E_TOO_MANY_REFS;
    }
    if (limit > lane->limit && !queue_has_room(lane->cq, limit - lane->limit)) {
        return RS_RIO_E_NO_BUFFERS;
    }
    if (limit > lane->pooled && !queue_grow(lane, limit - lane->pooled)) {
        return RS_RIO_E_NO_BUFFERS;
    }
    lane->cq->charged = lane->cq->charged - lane->limit + limit;
    lane->limit = limit;
    return RS_RIO_OK;
}

int rs_queue_resize_cq(rs_rio_cq *cq, uint32_t size) {
    if (size < cq->charged) {
        return RS_RIO_E_TOO_MANY_REFS;
    }
    cq->size = size;
    return RS_RIO_OK;
}

rs_rio_request *rs_queue_accept(rs_rio_lane *lane) {
    rs_rio_request *request = lane->free;
    if (lane->outstanding >= lane->limit) {
        return NULL;
    }
    RS_ASSERT(request != NULL && !lane->closing);
    lane->free = request->next;
    memset(request, 0, sizeof *request);
    request->lane = lane;
    if (lane->tail != NULL) {
        lane->tail->next = request;
    } else {
        lane->head = request;
    }
    lane->tail = request;
    lane->queued++;
    lane->outstanding++;
    lane->cq->accepted++;
    return request;
}

void rs_queue_commit(rs_rio_lane *lane) {
    lane->committed = lane->queued;
}

static bool queue_gathers(const rs_rio_lane *lane) {
    return lane->direction == RS_RIO_SEND && lane->rq->stream;
}

uint32_t rs_queue_startable(const rs_rio_lane *lane) {
    const rs_rio_request *request = lane->head;
    uint64_t bytes = 0;
    uint32_t count = 0;
    if (lane->many && lane->direction == RS_RIO_RECV) {
        return lane->closing ? 0 : lane->committed - lane->running;
    }
    if (lane->running > 0 || lane->committed == 0 || lane->closing) {
        return 0;
    }
    if (lane->many) {
        return lane->committed < RS_RIO_CHAIN_MAX ? lane->committed : RS_RIO_CHAIN_MAX;
    }
    if (!queue_gathers(lane)) {
        return 1;
    }
    for (; count < lane->committed && count < RS_RIO_GATHER_MAX; request = request->next) {
        bytes += request->data.length - request->done;
        if (count > 0 && bytes > RS_RIO_GATHER_BYTES_MAX) {
            break;
        }
        count++;
    }
    return count;
}

void rs_queue_start(rs_rio_lane *lane, uint32_t count) {
    RS_ASSERT(lane->many || lane->running == 0);
    RS_ASSERT(count > 0 && count <= lane->committed - lane->running);
    lane->running += count;
}

/* Moves the head of the lane to the ready list. */
static void queue_complete(rs_rio_lane *lane, int32_t status) {
    rs_rio_request *request = lane->head;
    rs_rio_cq *cq = lane->cq;
    RS_ASSERT(request != NULL && lane->queued > 0);
    lane->head = request->next;
    if (lane->head == NULL) {
        lane->tail = NULL;
    }
    lane->queued--;
    lane->committed -= lane->committed > 0;
    request->status = status;
    request->next = NULL;
    if (cq->ready_tail != NULL) {
        cq->ready_tail->next = request;
    } else {
        cq->ready_head = request;
    }
    cq->ready_tail = request;
    cq->ready++;
    cq->ready_loud += !request->silent;
    cq->ready_sends += lane->direction == RS_RIO_SEND;
    cq->received += lane->direction == RS_RIO_RECV;
}

static bool queue_must_be_whole(const rs_rio_lane *lane, const rs_rio_request *request,
                                uint32_t share) {
    if (!lane->rq->stream || lane->closing) {
        return false;
    }
    return lane->direction == RS_RIO_SEND || (request->wait_all && share > 0);
}

void rs_queue_finish(rs_rio_lane *lane, int32_t status, uint64_t bytes) {
    uint32_t count = lane->many ? 1 : lane->running;
    RS_ASSERT(lane->running > 0);
    lane->running -= count;
    if (status != RS_RIO_OK) {
        queue_complete(lane, status);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        rs_rio_request *request = lane->head;
        uint32_t room = request->data.length - request->done;
        uint32_t share = bytes < room ? (uint32_t)bytes : room;

        request->done += share;
        bytes -= share;
        if (share < room && queue_must_be_whole(lane, request, share)) {
            return;
        }
        if (share < room && lane->closing && lane->direction == RS_RIO_SEND) {
            queue_complete(lane, RS_RIO_ABORTED); /* cut short by the close: not a sent slice */
            return;
        }
        queue_complete(lane, RS_RIO_OK);
    }
}

void rs_queue_rerun(rs_rio_lane *lane, uint32_t count) {
    RS_ASSERT(lane->running >= count);
    lane->running -= count;
}

void rs_queue_abort(rs_rio_lane *lane) {
    RS_ASSERT(lane->running == 0);
    while (lane->queued > 0) {
        queue_complete(lane, RS_RIO_ABORTED);
    }
}

/* A closed lane takes no more requests: it keeps the charge of those outstanding only. */
static void queue_settle(rs_rio_lane *lane) {
    if (lane->closing && lane->attached) {
        lane->cq->charged -= lane->limit - lane->outstanding;
        lane->limit = lane->outstanding;
    }
    if (lane->closing && lane->attached && lane->outstanding == 0 && !lane->standing) {
        queue_release(lane);
        rs_queue_drop(lane->rq);
    }
}

void rs_queue_stand(rs_rio_lane *lane, bool stands) {
    lane->standing = stands;
    queue_settle(lane);
}

void rs_queue_close(rs_rio_lane *lane) {
    RS_ASSERT(!lane->closing);
    lane->closing = true;
    if (lane->running == 0) {
        rs_queue_abort(lane);
    }
    queue_settle(lane);
}

void rs_queue_forget(rs_rio_lane *lane) {
    lane->running = lane->committed = lane->queued = lane->outstanding = 0;
    lane->head = lane->tail = NULL;
    lane->standing = false;
    queue_settle(lane);
}

bool rs_queue_take(rs_rio_cq *cq, rs_queue_result *out) {
    rs_rio_request *request = cq->ready_head;
    rs_rio_lane *lane;
    if (request == NULL) {
        return false;
    }
    lane = request->lane;
    cq->ready_head = request->next;
    if (cq->ready_head == NULL) {
        cq->ready_tail = NULL;
    }
    cq->ready--;
    cq->ready_loud -= !request->silent;
    cq->ready_sends -= lane->direction == RS_RIO_SEND;
    out->status = request->status;
    out->bytes = request->status == RS_RIO_OK ? request->done : 0;
    out->socket_context = lane->rq->context;
    out->request_context = request->context;
    RS_ASSERT(lane->outstanding > 0);
    lane->outstanding--;
    request->next = lane->free;
    lane->free = request;
    queue_settle(lane);
    return true;
}

void rs_queue_drop(rs_rio_rq *rq) {
    uint32_t before = rs_atomic_add_u32(&rq->holders, UINT32_MAX); /* minus one */
    RS_ASSERT(before > 0);
    if (before == 1) {
        rq->retire(rq);
    }
}
