/* SPDX-License-Identifier: MIT */
/* io_uring through the gate: set-up, submission, completion. See ring.h for who may call. */
#include "ring.h"

#include <string.h>

#include "core/assert.h"
#include "gate.h"

#define RING_ENTRIES_MIN 256u
#define RING_ENTRIES_MAX 4096u
/* A submission is retried this often when the kernel is short of memory or of ring space. */
#define RING_SUBMIT_ATTEMPTS 1000

static int64_t ring_enter(rs_ring *ring, uint32_t submit, uint32_t wait, uint32_t flags,
                          const void *argument, uint64_t size) {
    ring->enters++;
    return rs_gate_call6(LX_SYS_URING_ENTER, ring->fd, submit, wait, flags, (intptr_t)argument,
                         (int64_t)size);
}

static void *ring_map(int fd, uint64_t bytes, int64_t offset) {
    int64_t at = rs_gate_call6(LX_SYS_MMAP, 0, (int64_t)bytes, LX_PROT_RW, LX_MAP_SHARED_POPULATE,
                               fd, offset);
    return at < 0 && at > -4096 ? NULL : (void *)(intptr_t)at;
}

static uint32_t ring_flags(rs_ring_mode mode) {
    uint32_t flags = LX_SETUP_CQSIZE | LX_SETUP_CLAMP | LX_SETUP_SUBMIT_ALL;
    if (mode == RS_RING_COOP) {
        flags |= LX_SETUP_COOP_TASKRUN | LX_SETUP_TASKRUN_FLAG;
    } else if (mode == RS_RING_SINGLE) {
        flags |= LX_SETUP_SINGLE_ISSUER | LX_SETUP_DEFER_TASKRUN | LX_SETUP_TASKRUN_FLAG |
                 LX_SETUP_R_DISABLED;
    }
    return flags;
}

static rs_atomic_u32 *ring_word(char *map, uint32_t offset) {
    return (rs_atomic_u32 *)(void *)(map + offset);
}

static void ring_bind(rs_ring *ring, const lx_uring_params *p) {
    char *map = ring->map;
    uint32_t *array = (uint32_t *)(void *)(map + p->sq_off.array);
    ring->sq_head = ring_word(map, p->sq_off.head);
    ring->sq_tail = ring_word(map, p->sq_off.tail);
    ring->sq_flags = ring_word(map, p->sq_off.flags);
    ring->cq_head = ring_word(map, p->cq_off.head);
    ring->cq_tail = ring_word(map, p->cq_off.tail);
    ring->cq_flags = ring_word(map, p->cq_off.flags);
    ring->cqes = (lx_cqe *)(void *)(map + p->cq_off.cqes);
    ring->sq_entries = p->sq_entries;
    ring->sq_mask = p->sq_entries - 1;
    ring->cq_mask = p->cq_entries - 1;
    for (uint32_t i = 0; i < p->sq_entries; i++) {
        array[i] = i; /* the indirection table is never used: slot i is entry i */
    }
}

static int ring_map_all(rs_ring *ring, const lx_uring_params *p) {
    uint64_t sq_bytes = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
    uint64_t cq_bytes = p->cq_off.cqes + p->cq_entries * sizeof(lx_cqe);
    ring->map_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    ring->sqe_bytes = p->sq_entries * sizeof(lx_sqe);
    ring->map = ring_map(ring->fd, ring->map_bytes, 0);
    ring->sqes = ring->map != NULL ? ring_map(ring->fd, ring->sqe_bytes, LX_OFF_SQES) : NULL;
    if (ring->sqes == NULL) {
        rs_ring_close(ring);
        return -LX_ENOMEM;
    }
    ring_bind(ring, p);
    return 0;
}

int rs_ring_open(rs_ring *ring, uint32_t entries, rs_ring_mode mode) {
    lx_uring_params p;
    int64_t fd;
    if (entries < RING_ENTRIES_MIN) {
        entries = RING_ENTRIES_MIN;
    }
    memset(ring, 0, sizeof *ring);
    memset(&p, 0, sizeof p);
    p.flags = ring_flags(mode);
    /* The completion side holds every request of the queue; beyond the kernel's maximum it keeps
     * the rest itself and says so by the overflow flag. */
    p.cq_entries = entries > 0x8000u ? 0x10000u : entries * 2;
    fd = rs_gate_call6(LX_SYS_URING_SETUP, entries > RING_ENTRIES_MAX ? RING_ENTRIES_MAX : entries,
                       (intptr_t)&p, 0, 0, 0, 0);
    if (fd < 0) {
        ring->fd = -1;
        return (int)fd;
    }
    ring->fd = (int)fd;
    ring->mode = mode;
    ring->features = p.features;
    ring->enabled = mode != RS_RING_SINGLE;
    return ring_map_all(ring, &p);
}

void rs_ring_close(rs_ring *ring) {
    if (ring->sqes != NULL) {
        (void)rs_gate_call6(LX_SYS_MUNMAP, (intptr_t)ring->sqes, (int64_t)ring->sqe_bytes, 0, 0, 0,
                            0); /* our own mapping: cannot fail */
    }
    if (ring->map != NULL) {
        (void)rs_gate_call6(LX_SYS_MUNMAP, (intptr_t)ring->map, (int64_t)ring->map_bytes, 0, 0, 0,
                            0); /* our own mapping: cannot fail */
    }
    rs_gate_close_fd(ring->fd);
    memset(ring, 0, sizeof *ring);
    ring->fd = -1;
}

static void ring_enable(rs_ring *ring) {
    if (!ring->enabled) {
        ring->enabled = true;
        (void)rs_ring_register(ring, LX_REGISTER_ENABLE_RINGS, NULL,
                               0); /* a failure shows in enter */
    }
}

uint32_t rs_ring_pending(const rs_ring *ring) {
    return ring->tail - rs_atomic_load_u32(ring->sq_head);
}

void rs_ring_publish(rs_ring *ring) {
    rs_atomic_store_u32(ring->sq_tail, ring->tail);
}

void rs_ring_submit(rs_ring *ring) {
    uint32_t pending = rs_ring_pending(ring);
    if (pending == 0) {
        return;
    }
    ring_enable(ring);
    rs_ring_publish(ring);
    for (int i = 0; pending > 0 && i < RING_SUBMIT_ATTEMPTS; i++) {
        bool ask = ring->mode != RS_RING_IRQ || i > 0;
        int64_t taken = ring_enter(ring, pending, 0, ask ? LX_ENTER_GETEVENTS : 0, NULL, 0);
        if (taken < 0 && taken != -LX_EINTR && taken != -LX_EAGAIN && taken != -LX_EBUSY) {
            RS_FATAL("io_uring_enter", (unsigned long)-taken, "a submission was refused");
        }
        pending = rs_ring_pending(ring);
    }
}

void rs_ring_reserve(rs_ring *ring, uint32_t count) {
    RS_ASSERT(count <= ring->sq_entries);
    if (rs_ring_pending(ring) + count > ring->sq_entries) {
        rs_ring_submit(ring);
    }
}

lx_sqe *rs_ring_prepare(rs_ring *ring) {
    lx_sqe *sqe;
    if (rs_ring_pending(ring) >= ring->sq_entries) {
        rs_ring_submit(ring);
        RS_ASSERT(rs_ring_pending(ring) < ring->sq_entries);
    }
    sqe = &ring->sqes[ring->tail++ & ring->sq_mask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

bool rs_ring_empty(const rs_ring *ring) {
    return rs_atomic_load_u32(ring->cq_head) == rs_atomic_load_u32(ring->cq_tail);
}

void rs_ring_poke(rs_ring *ring) {
    if (rs_atomic_load_u32(ring->sq_flags) & (LX_SQ_TASKRUN | LX_SQ_CQ_OVERFLOW)) {
        rs_ring_publish(ring);
        (void)ring_enter(ring, rs_ring_pending(ring), 0, LX_ENTER_GETEVENTS, NULL,
                         0); /* the next look tells, and the next submission */
    }
}

bool rs_ring_peek(rs_ring *ring, lx_cqe *out) {
    uint32_t head = rs_atomic_load_u32(ring->cq_head);
    if (head == rs_atomic_load_u32(ring->cq_tail)) {
        return false;
    }
    *out = ring->cqes[head & ring->cq_mask];
    rs_atomic_store_u32(ring->cq_head, head + 1);
    return true;
}

uint32_t rs_ring_pending_sends(const rs_ring *ring) {
    uint32_t count = 0;
    for (uint32_t i = rs_atomic_load_u32(ring->sq_head); i != ring->tail; i++) {
        uint8_t opcode = ring->sqes[i & ring->sq_mask].opcode;
        count += opcode == LX_OP_SEND || opcode == LX_OP_SENDMSG || opcode == LX_OP_WRITE_FIXED;
    }
    return count;
}

bool rs_ring_has_patience(const rs_ring *ring) {
    return (ring->features & LX_FEAT_MIN_TIMEOUT) != 0;
}

void rs_ring_wait(rs_ring *ring, int64_t timeout_ns, uint32_t least, uint32_t patience_us) {
    lx_timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    bool patient = least > 1 && rs_ring_has_patience(ring);
    lx_getevents_arg arg = {0, 0, patient ? patience_us : 0,
                            timeout_ns < 0 ? 0 : (uint64_t)(intptr_t)&ts};
    ring_enable(ring);
    ring->patient += patient;
    (void)ring_enter(ring, rs_ring_pending(ring), patient ? least : 1,
                     LX_ENTER_GETEVENTS | LX_ENTER_EXT_ARG, &arg,
                     sizeof arg); /* timeout and interruption are ordinary: the caller looks */
}

int rs_ring_set_event(rs_ring *ring, int event_fd) {
    int fd = event_fd;
    rs_ring_switch_event(ring, false);
    return (int)rs_ring_register(ring, LX_REGISTER_EVENTFD, &fd, 1);
}

void rs_ring_switch_event(rs_ring *ring, bool on) {
    /* The only bit there is, and ours alone to write; exchange is a full fence, which arming
     * needs before it looks at the ring again. */
    (void)rs_atomic_exchange_u32(ring->cq_flags, on ? 0 : LX_CQ_EVENTFD_DISABLED);
}

int64_t rs_ring_register(rs_ring *ring, unsigned opcode, const void *argument, unsigned count) {
    return rs_gate_call6(LX_SYS_URING_REGISTER, ring->fd, opcode, (intptr_t)argument, count, 0, 0);
}
