/* SPDX-License-Identifier: MIT */
/* Rings of slices, one page each, and the multishot RECV that takes from them. */
#include "uring_standing.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "uring_burst.h"

#define STANDING_PAGE_BYTES 4096u  /* a ring of buffers begins at a page */
#define STANDING_SLAB_BYTES 65536u /* what Windows gives at least */
#define STANDING_ENTRIES_MIN 16u
#define STANDING_ENTRIES_MAX (STANDING_PAGE_BYTES / (uint32_t)sizeof(lx_buf))
#define STANDING_LANES_MAX 32768u /* half of the numbers there are for rings of buffers */
#define STANDING_CALM_MIN 4u      /* receives in a row that emptied the socket */

typedef struct rs_standing_slab {
    rs_standing_slab *next;
    char *pages;
} rs_standing_slab;

typedef struct standing {
    lx_buf *ring;
    uint32_t entries;
    uint16_t head; /* as many slices did the kernel take */
    uint16_t tail; /* as many did it get */
    uint16_t group;
    bool active;                /* the operation is with the kernel */
    bool watched;               /* so is the poll beside it */
    bool hung_up;               /* it found something: plain receives from now on */
    const rs_rio_request *last; /* that has lent its slice; if any is in progress */
} standing;

/* ---- memory */

static bool standing_add_slab(rs_uring_cq *uring) {
    rs_standing_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) {
        return false;
    }
    slab->pages = VirtualAlloc(NULL, STANDING_SLAB_BYTES, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (slab->pages == NULL) {
        free(slab);
        return false;
    }
    slab->next = uring->slabs;
    uring->slabs = slab;
    for (uint32_t at = 0; at < STANDING_SLAB_BYTES; at += STANDING_PAGE_BYTES) {
        void **page = (void **)(void *)(slab->pages + at);
        *page = uring->pages_free;
        uring->pages_free = page;
    }
    return true;
}

static lx_buf *standing_take_page(rs_uring_cq *uring) {
    void **page;
    if (uring->pages_free == NULL && !standing_add_slab(uring)) {
        return NULL;
    }
    page = uring->pages_free;
    uring->pages_free = *page;
    memset(page, 0, STANDING_PAGE_BYTES);
    return (lx_buf *)(void *)page;
}

static void standing_give_page(rs_uring_cq *uring, lx_buf *ring) {
    void **page = (void **)(void *)ring;
    *page = uring->pages_free;
    uring->pages_free = page;
}

void rs_uring_standing_close(rs_uring_cq *uring) {
    while (uring->slabs != NULL) {
        rs_standing_slab *slab = uring->slabs;
        uring->slabs = slab->next;
        (void)VirtualFree(slab->pages, 0, MEM_RELEASE); /* ours, and whole: cannot fail */
        free(slab);
    }
    uring->pages_free = NULL;
}

/* What the kernel or the machine's limits refuse once is not asked for again. */
static standing *standing_make(rs_rio_lane *lane, rs_uring_cq *uring) {
    standing *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->entries = STANDING_ENTRIES_MIN;
    while (s->entries < lane->limit && s->entries < STANDING_ENTRIES_MAX) {
        s->entries *= 2;
    }
    s->ring = standing_take_page(uring);
    if (s->ring != NULL && rs_uring_ring_register(uring, s->ring, s->entries, &s->group) != 0) {
        standing_give_page(uring, s->ring);
        s->ring = NULL;
    }
    if (s->ring == NULL) {
        uring->standing_refused = true;
        free(s);
        return NULL;
    }
    uring->standing_lanes++;
    lane->engine = s;
    return s;
}

void rs_uring_standing_discard(rs_rio_lane *lane, rs_uring_cq *uring) {
    standing *s = lane->engine;
    if (s == NULL) {
        return;
    }
    RS_ASSERT(!s->active && !s->watched);
    rs_uring_ring_unregister(uring, s->group);
    standing_give_page(uring, s->ring);
    uring->standing_lanes--;
    lane->engine = NULL;
    free(s);
}

/* ---- is it there? */

/* Without a socket it fails in any case: on the missing descriptor if its flags are known. */
static bool standing_ask(rs_ring *ring, bool ask_wrongly) {
    lx_sqe *sqe = rs_ring_prepare(ring);
    lx_cqe cqe;
    sqe->opcode = LX_OP_RECV;
    sqe->fd = -1;
    sqe->flags = LX_SQE_BUFFER_SELECT;
    sqe->ioprio = LX_RECV_MULTISHOT | (ask_wrongly ? LX_RECVSEND_UNKNOWN : 0);
    rs_ring_submit(ring);
    return rs_ring_peek(ring, &cqe) && cqe.res == -LX_EBADF;
}

bool rs_uring_standing_offered(rs_ring *ring, bool ask_wrongly) {
    rs_uring_cq uring = {.ring = *ring};
    lx_buf *page = standing_take_page(&uring);
    uint16_t group;
    bool offered;
    offered = page != NULL &&
              rs_uring_ring_register(&uring, page, STANDING_ENTRIES_MIN, &group) == 0 &&
              standing_ask(ring, ask_wrongly);
    rs_uring_standing_close(&uring); /* the ring, which still has the page, is closed next */
    return offered;
}

/* ---- lending */

static bool standing_can_take(const rs_rio_request *request) {
    return !request->wait_all && request->done == 0 && request->data.length > 0;
}

static void standing_lend(rs_rio_lane *lane, standing *s) {
    const rs_rio_request *request = lane->running > 0 ? s->last->next : lane->head;
    uint16_t before = s->tail;
    while (lane->running < lane->committed && lane->running < s->entries &&
           standing_can_take(request)) {
        uint32_t at = s->tail++ & (s->entries - 1);
        s->ring[at].addr = (uint64_t)(intptr_t)request->data.at;
        s->ring[at].len = request->data.length;
        s->ring[at].bid = (uint16_t)at;
        rs_queue_start(lane, 1);
        s->last = request;
        request = request->next;
    }
    if (s->tail != before) {
        rs_uring_ring_publish(s->ring, s->tail);
    }
}

static bool standing_is_due(const rs_rio_lane *lane) {
    const standing *s = lane->engine;
    if (s != NULL && s->hung_up) {
        return false;
    }
    return lane->calm >= STANDING_CALM_MIN ||
           rs_provider_state()->settings.multishot == RS_MULTISHOT_ALWAYS;
}

static standing *standing_open(rs_rio_lane *lane, rs_uring_cq *uring) {
    const rs_settings *settings = &rs_provider_state()->settings;
    if (lane->engine != NULL) {
        return lane->engine;
    }
    if (settings->multishot == RS_MULTISHOT_OFF || settings->ops != RS_OPS_PLAIN ||
        uring->standing_refused || uring->standing_lanes >= STANDING_LANES_MAX) {
        return NULL;
    }
    return standing_make(lane, uring);
}

rs_standing_next rs_uring_standing_start(rs_rio_lane *lane, rs_uring_cq *uring) {
    standing *s = lane->engine;
    if (s != NULL && s->active) {
        if (!lane->closing) {
            standing_lend(lane, s);
        }
        return RS_STANDING_GOES;
    }
    if (lane->closing || lane->running > 0 || lane->committed == 0 || !standing_is_due(lane) ||
        !standing_can_take(lane->head)) {
        return RS_STANDING_NO;
    }
    s = standing_open(lane, uring);
    if (s == NULL) {
        return RS_STANDING_NO;
    }
    s->tail = s->head; /* what an ended operation did not take is lent anew */
    lane->many = true;
    standing_lend(lane, s);
    return RS_STANDING_SUBMIT;
}

void rs_uring_standing_prepare(rs_rio_lane *lane, lx_sqe *sqe) {
    const rs_settings *settings = &rs_provider_state()->settings;
    standing *s = lane->engine;
    sqe->opcode = LX_OP_RECV;
    sqe->flags |= LX_SQE_BUFFER_SELECT;
    sqe->buf_index = s->group;
    sqe->ioprio = LX_RECV_MULTISHOT;
    sqe->ioprio |= settings->poll_first ? LX_RECVSEND_POLL_FIRST : 0;
    s->active = true;
    rs_queue_stand(lane, true);
}

bool rs_uring_standing_wants_watch(const rs_rio_lane *lane) {
    const standing *s = lane->engine;
    return s != NULL && s->active && !s->watched;
}

void rs_uring_standing_watch(rs_rio_lane *lane, lx_sqe *sqe) {
    standing *s = lane->engine;
    sqe->opcode = LX_OP_POLL_ADD;
    sqe->op_flags = LX_POLLERR | LX_POLLHUP;
    sqe->user_data |= RS_URING_WATCH;
    s->watched = true;
}

bool rs_uring_standing_watched(const rs_rio_lane *lane) {
    const standing *s = lane->engine;
    return s != NULL && s->watched;
}

bool rs_uring_standing_is_active(const rs_rio_lane *lane) {
    const standing *s = lane->engine;
    return s != NULL && s->active;
}

bool rs_uring_standing_alarm(rs_rio_lane *lane, int32_t result) {
    standing *s = lane->engine;
    s->watched = false;
    s->hung_up = s->hung_up || result >= 0;
    lane->standing = s->active;
    return result >= 0 && s->active && !lane->closing;
}

/* ---- what came */

void rs_uring_standing_took(rs_rio_lane *lane, const lx_cqe *cqe) {
    standing *s = lane->engine;
    if (cqe->flags & LX_CQE_F_BUFFER) {
        RS_ASSERT(cqe->flags >> LX_CQE_BUFFER_SHIFT == (s->head & (s->entries - 1)));
        s->head++;
    }
    if (cqe->flags & LX_CQE_F_SOCK_NONEMPTY || cqe->res == -LX_ENOBUFS) {
        lane->calm = 0; /* more than was asked for: plain receives for a while */
    }
}

void rs_uring_standing_over(rs_rio_lane *lane) {
    standing *s = lane->engine;
    rs_queue_rerun(lane, lane->running);
    lane->many = false;
    s->active = false;
    lane->standing = s->watched;
}

bool rs_uring_standing_is_harmless(int32_t result) {
    return result >= 0 || result == -LX_ENOBUFS || result == -LX_ECANCELED || result == -LX_EINTR ||
           result == -LX_EAGAIN;
}
