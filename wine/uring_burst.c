/* SPDX-License-Identifier: MIT */
/* Buffers provided to the kernel, and datagrams from them. See uring_burst.h. */
#include "uring_burst.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gate.h"
#include "uring_message.h"

#define BURST_ENTRIES_MIN 16u
#define BURST_ENTRIES_MAX 32768u            /* the kernel's own limit of a buffer ring */
#define BURST_BYTES_MAX ((size_t)256 << 20) /* address space; memory is taken as it is used */
#define BURST_PAYLOAD_MIN 2048u
#define BURST_GROUPS 65536u
#define BURST_HEAD_BYTES                                                                           \
    ((uint32_t)sizeof(lx_recvmsg_out) + RS_URING_NAME_MAX + RS_URING_CONTROL_MAX)

_Static_assert((sizeof(lx_recvmsg_out) + RS_URING_NAME_MAX) % 4 == 0, "control data's place");

typedef struct burst {
    lx_msghdr header;
    lx_buf *ring; /* and the buffers behind it */
    char *buffers;
    size_t bytes;
    uint32_t entries, each, payload, limit;
    uint16_t tail, group;
    bool asked_local;
    bool spoilt;       /* to be made anew when nothing stands */
    bool renewing;     /* being cancelled */
    uint32_t standing; /* operations */
    uint32_t free_count;
    uint16_t free[]; /* numbers of the buffers that the kernel does not have */
} burst;

/* ---- making and giving back */

static uint32_t burst_entries(uint32_t limit, uint32_t each) {
    uint32_t entries = BURST_ENTRIES_MIN;
    while (entries < limit && entries < BURST_ENTRIES_MAX &&
           (size_t)entries * 2 * each <= BURST_BYTES_MAX) {
        entries *= 2;
    }
    return entries;
}

int64_t rs_uring_ring_register(rs_uring_cq *uring, const lx_buf *ring, uint32_t entries,
                               uint16_t *group) {
    int64_t result = -LX_EEXIST;
    lx_buf_reg reg;
    memset(&reg, 0, sizeof reg);
    reg.ring_addr = (uint64_t)(intptr_t)ring;
    reg.ring_entries = entries;
    for (uint32_t i = 0; i < BURST_GROUPS && result == -LX_EEXIST; i++) {
        reg.bgid = *group = uring->next_group++;
        result = rs_ring_register(&uring->ring, LX_REGISTER_PBUF_RING, &reg, 1);
    }
    return result;
}

void rs_uring_ring_unregister(rs_uring_cq *uring, uint16_t group) {
    lx_buf_reg reg;
    memset(&reg, 0, sizeof reg);
    reg.bgid = group;
    (void)rs_ring_register(&uring->ring, LX_UNREGISTER_PBUF_RING, &reg,
                           1); /* a group of ours: cannot fail */
}

/* The ring's tail shares a word with the first entry's number, which stays what it is. */
void rs_uring_ring_publish(lx_buf *ring, uint16_t tail) {
    rs_atomic_u32 *word = (rs_atomic_u32 *)(void *)&ring[0].bid;
    rs_atomic_store_u32(word, ring[0].bid | (uint32_t)tail << 16);
}

static bool burst_register(burst *b, rs_uring_cq *uring) {
    int64_t result = rs_uring_ring_register(uring, b->ring, b->entries, &b->group);
    uring->no_bursts = result == -LX_EINVAL;
    return result == 0;
}

static burst *burst_make(uint32_t limit, uint32_t payload) {
    uint32_t each = (BURST_HEAD_BYTES + payload + 63u) & ~63u;
    uint32_t entries = burst_entries(limit, each);
    burst *b = calloc(1, sizeof *b + entries * sizeof b->free[0]);
    if (b == NULL) {
        return NULL;
    }
    b->bytes = entries * sizeof *b->ring + (size_t)entries * each;
    b->ring = VirtualAlloc(NULL, b->bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (b->ring == NULL) {
        free(b);
        return NULL;
    }
    b->buffers = (char *)(b->ring + entries);
    b->entries = entries;
    b->each = each;
    b->payload = each - BURST_HEAD_BYTES;
    b->limit = limit;
    for (uint32_t i = entries; i > 0; i--) {
        b->free[b->free_count++] = (uint16_t)(i - 1);
    }
    return b;
}

static void burst_free(burst *b) {
    (void)VirtualFree(b->ring, 0, MEM_RELEASE); /* ours, and whole: cannot fail */
    free(b);
}

/* False, and from then on for the whole queue, when the kernel has no buffer rings (they came with
 * 5.19, the multishot RECVMSG with 6.0); false for lack of memory as well. */
static bool burst_open(rs_rio_lane *lane, rs_uring_cq *uring) {
    uint32_t payload = lane->widest > BURST_PAYLOAD_MIN ? lane->widest : BURST_PAYLOAD_MIN;
    burst *b;
    if (uring->no_bursts) {
        return false;
    }
    b = burst_make(lane->limit, payload);
    if (b != NULL && !burst_register(b, uring)) {
        burst_free(b);
        b = NULL;
    }
    lane->engine = b;
    return b != NULL;
}

void rs_uring_burst_discard(rs_rio_lane *lane, rs_uring_cq *uring) {
    burst *b = lane->engine;
    if (b == NULL) {
        return;
    }
    if (uring != NULL) {
        rs_uring_ring_unregister(uring, b->group);
    }
    lane->engine = NULL;
    burst_free(b);
}

/* ---- lending */

static void burst_lend(burst *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        lx_buf *entry = &b->ring[b->tail++ & (b->entries - 1)];
        entry->bid = b->free[--b->free_count];
        entry->addr = (uint64_t)(intptr_t)(b->buffers + (size_t)entry->bid * b->each);
        entry->len = b->each;
    }
    rs_uring_ring_publish(b->ring, b->tail);
}

/* Larger slices, or more of them, than the buffers were made for. */
static bool burst_is_outgrown(const rs_rio_lane *lane, const burst *b) {
    return lane->widest > b->payload ||
           (lane->limit > b->limit && burst_entries(lane->limit, b->each) > b->entries);
}

/* Under the lock, with nothing standing. */
static burst *burst_renew(rs_rio_lane *lane, rs_uring_cq *uring) {
    rs_queue_rerun(lane, lane->running);
    rs_uring_burst_discard(lane, uring);
    return burst_open(lane, uring) ? lane->engine : NULL;
}

rs_burst_next rs_uring_burst_start(rs_rio_lane *lane, rs_uring_cq *uring) {
    burst *b = lane->engine;
    uint32_t count;
    RS_ASSERT(b != NULL || !lane->standing);
    if (rs_queue_startable(lane) + lane->running == 0) {
        return RS_BURST_GOES;
    }
    if (b != NULL && burst_is_outgrown(lane, b)) {
        b->spoilt = true;
    }
    if (lane->standing && !b->renewing && (b->spoilt || b->standing < RS_BURST_CHAIN / 2)) {
        b->renewing = true;
        return RS_BURST_RENEW;
    }
    if (!lane->standing && (b == NULL || b->spoilt)) {
        b = burst_renew(lane, uring);
        if (b == NULL) {
            return RS_BURST_CANNOT;
        }
    }
    if (b->spoilt) {
        return RS_BURST_GOES; /* all of it again at the end */
    }
    if (lane->asks_local) {
        rs_uring_ask_local(lane, &b->asked_local);
    }
    count = rs_queue_startable(lane);
    count = count < b->free_count ? count : b->free_count;
    if (count > 0) {
        burst_lend(b, count);
        rs_queue_start(lane, count);
    }
    return lane->standing ? RS_BURST_GOES : RS_BURST_SUBMIT;
}

void rs_uring_burst_prepare(rs_rio_lane *lane, uint32_t at, lx_sqe *sqe) {
    burst *b = lane->engine;
    b->header.name_length = RS_URING_NAME_MAX;
    b->header.control_length = RS_URING_CONTROL_MAX;
    sqe->opcode = LX_OP_RECVMSG;
    sqe->flags |= LX_SQE_BUFFER_SELECT;
    sqe->flags |= at + 1 < RS_BURST_CHAIN ? LX_SQE_LINK : 0;
    sqe->ioprio = LX_RECV_MULTISHOT;
    sqe->addr = (uint64_t)(intptr_t)&b->header;
    sqe->len = 1;
    sqe->buf_index = b->group;
    b->standing++;
    b->renewing = false;
    rs_queue_stand(lane, true);
}

/* ---- what came */

static void burst_take(rs_rio_lane *lane, burst *b, uint32_t number) {
    char *buffer = b->buffers + (size_t)number * b->each;
    const rs_rio_segment *data = &lane->head->data;
    const lx_recvmsg_out *out = (const lx_recvmsg_out *)(const void *)buffer;
    uint8_t *name = (uint8_t *)buffer + sizeof *out;
    uint8_t *control = name + RS_URING_NAME_MAX;
    uint32_t length = out->payload_length < b->payload ? out->payload_length : b->payload;
    rs_uring_datagram datagram = {
        .name = name,
        .control = (const lx_cmsghdr *)(const void *)control,
        .control_length = out->control_length,
        .bytes = length < data->length ? length : data->length,
        .truncated = (out->flags & LX_MSG_TRUNC) != 0 || out->payload_length > data->length,
    };
    RS_ASSERT(lane->running > 0 && number < b->entries);
    if (out->name_length < RS_URING_NAME_MAX) {
        memset(name + out->name_length, 0, RS_URING_NAME_MAX - out->name_length);
    }
    if (data->at != NULL) {
        memcpy(data->at, control + RS_URING_CONTROL_MAX, datagram.bytes);
    }
    rs_uring_datagram_finish(lane, &datagram);
    b->free[b->free_count++] = (uint16_t)number;
}

/* Ends of an operation that concern no request: an empty datagram, no buffer was left, it was
 * cancelled, or the thread that submitted it has exited. */
static bool burst_is_harmless(int32_t result) {
    return result >= 0 || result == -LX_ENOBUFS || result == -LX_ECANCELED || result == -LX_EINTR ||
           result == -LX_EAGAIN;
}

static void burst_failed(rs_rio_lane *lane, rs_uring_cq *uring, int32_t result,
                         int32_t error_status) {
    burst *b = lane->engine;
    if (result == -LX_EINVAL) {
        uring->no_bursts = true; /* the kernel has buffer rings, and not this operation */
    } else if (lane->running > 0) {
        rs_queue_finish(lane, error_status, 0);
    }
    b->spoilt = true; /* the kernel has more buffers than requests wait */
}

/* No operation is pending. Returns: the lane is alive. */
static bool burst_end(rs_rio_lane *lane, rs_uring_cq *uring) {
    if (lane->closing) {
        rs_uring_burst_discard(lane, uring);
        rs_queue_rerun(lane, lane->running);
        rs_queue_abort(lane);
        rs_queue_stand(lane, false); /* it may be gone after this */
        return false;
    }
    lane->standing = false;
    if (lane->cq->dead) {
        rs_queue_rerun(lane, lane->running);
    }
    return true;
}

bool rs_uring_burst_complete(rs_rio_lane *lane, rs_uring_cq *uring, const lx_cqe *cqe,
                             int32_t error_status) {
    burst *b = lane->engine;
    RS_ASSERT(b != NULL && b->standing > 0);
    if (cqe->flags & LX_CQE_F_BUFFER) {
        burst_take(lane, b, cqe->flags >> LX_CQE_BUFFER_SHIFT);
    }
    if (cqe->flags & LX_CQE_F_MORE) {
        return !lane->closing;
    }
    if (!burst_is_harmless(cqe->res) && !lane->closing) {
        burst_failed(lane, uring, cqe->res, error_status);
    }
    return --b->standing > 0 ? !lane->closing : burst_end(lane, uring);
}
