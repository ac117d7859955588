/* SPDX-License-Identifier: MIT */
/* One io_uring, mapped and driven from the Windows half.
 *
 * Reading completions and preparing submissions are plain memory accesses; only rs_ring_enter and
 * rs_ring_open enter the kernel. Not thread-safe: the owner's lock covers every call except
 * rs_ring_enter with nothing prepared, which any thread may make. */
#ifndef RS_WINE_RING_H
#define RS_WINE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "linux_abi.h"
#include "seam/atomics.h"

/* How completions reach the ring. IRQ: by themselves; the thread that submitted is interrupted.
 * COOP: when that thread next enters the kernel, which the ring's flag asks it to; asleep there, it
 * is woken. SINGLE: only when the one thread that submits asks for them; nobody else may touch the
 * ring. */
typedef enum rs_ring_mode { RS_RING_IRQ, RS_RING_COOP, RS_RING_SINGLE } rs_ring_mode;

typedef struct rs_ring {
    int fd;
    rs_ring_mode mode;
    uint32_t features; /* what the kernel says it has */
    bool enabled;      /* SINGLE: the first submitter becomes the owner */
    rs_atomic_u32 *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail, *cq_flags;
    lx_sqe *sqes;
    lx_cqe *cqes;
    uint32_t sq_mask, sq_entries, cq_mask;
    uint32_t tail; /* prepared up to here; published to the kernel by rs_ring_submit */
    uint64_t map_bytes, sqe_bytes;
    void *map;
    uint64_t enters, patient; /* statistics: calls, and those that waited for more than one */
} rs_ring;

/* rs_ring_open: returns 0 or -errno. entries is a wish: the kernel's own limits apply. */
int rs_ring_open(rs_ring *ring, uint32_t entries, rs_ring_mode mode);
void rs_ring_close(rs_ring *ring);

/* rs_ring_prepare: a zeroed submission entry; submits what is prepared when the ring is full. */
lx_sqe *rs_ring_prepare(rs_ring *ring);

/* rs_ring_reserve: the next count entries go to the kernel in one call, as a chain must. */
void rs_ring_reserve(rs_ring *ring, uint32_t count);

/* rs_ring_pending: prepared and not yet given to the kernel. */
uint32_t rs_ring_pending(const rs_ring *ring);

/* rs_ring_submit: gives everything prepared to the kernel, in one call when it can. */
void rs_ring_submit(rs_ring *ring);

/* rs_ring_poke: enters the kernel only if the ring's flags say that completions wait there; what is
 * prepared goes along. */
void rs_ring_poke(rs_ring *ring);

/* rs_ring_peek: the next completion into *out; false = none. */
bool rs_ring_peek(rs_ring *ring, lx_cqe *out);
bool rs_ring_empty(const rs_ring *ring);

/* rs_ring_wait: publishes what is prepared, gives it to the kernel and sleeps until a completion
 * stands in the ring or the time is over (timeout_ns < 0: no limit); one system call. For
 * patience_us it sleeps on until there are least of them, where the kernel can. */
void rs_ring_publish(rs_ring *ring);
bool rs_ring_has_patience(const rs_ring *ring);
void rs_ring_wait(rs_ring *ring, int64_t timeout_ns, uint32_t least, uint32_t patience_us);

/* rs_ring_pending_sends: of those prepared. */
uint32_t rs_ring_pending_sends(const rs_ring *ring);

/* rs_ring_set_event: every completion signals this eventfd while the event is switched on. */
int rs_ring_set_event(rs_ring *ring, int event_fd);
void rs_ring_switch_event(rs_ring *ring, bool on);

/* rs_ring_register: io_uring_register as it is. */
int64_t rs_ring_register(rs_ring *ring, unsigned opcode, const void *argument, unsigned count);

#endif
