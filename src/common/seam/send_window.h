/* The SENDs of one connection that have no completion yet: which were handed to the kernel
 * together, and which may be reported.
 *
 * Pure bookkeeping over the caller's memory. A kernel call may carry several adjacent SENDs (a
 * gather) and kernel calls may end out of order (one inline, an earlier one through the port); each
 * SEND is still reported by itself and in the order of submission. One thread. */
#ifndef RS_SEAM_SEND_WINDOW_H
#define RS_SEAM_SEND_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/status.h"

typedef struct rs_send_slot {
    uint8_t *data;
    uint64_t tag;
    uint32_t bytes;
    uint32_t sent;  /* once done */
    uint8_t status; /* rs_status, once done */
    uint8_t flags;  /* RS_CF_*, once done */
    bool done;
} rs_send_slot;

_Static_assert(RS_SENDS_IN_FLIGHT_MAX <= UINT8_MAX, "the window counts in bytes");

typedef struct rs_send_window {
    uint8_t capacity; /* slots the caller keeps for this connection */
    uint8_t head;     /* index of the oldest */
    uint8_t count;    /* in the window */
    uint8_t started;  /* of these, from the head on: handed to the kernel, or finished */
} rs_send_window;

/* rs_send_window_init: empty. capacity: [1, RS_SENDS_IN_FLIGHT_MAX], elements of every `slots`
 * given below. */
void rs_send_window_init(rs_send_window *window, uint32_t capacity);

/* rs_send_window_add: one SEND at the end, not started; false when the window is full. */
bool rs_send_window_add(rs_send_window *window, rs_send_slot *slots, uint8_t *data, uint32_t bytes,
                        uint64_t tag);

/* rs_send_window_start: marks the SENDs not yet started, at most max, as one kernel call. *first =
 * index of the first; the next ones follow it modulo the capacity. Returns how many; 0 = none. */
uint32_t rs_send_window_start(rs_send_window *window, uint32_t max, uint32_t *first);

/* rs_send_window_at: the slot i behind first. */
static inline rs_send_slot *rs_send_window_at(const rs_send_window *window, rs_send_slot *slots,
                                              uint32_t first, uint32_t i) {
    return &slots[(first + i) % window->capacity];
}

/* rs_send_window_finish: the kernel call that carried [first, first + count) ended with status
 * after `bytes` bytes, which go to its SENDs in order. Each must be started and not done
 * (asserted), and bytes no more than they asked together (asserted). */
void rs_send_window_finish(rs_send_window *window, rs_send_slot *slots, uint32_t first,
                           uint32_t count, rs_status status, uint32_t bytes, uint8_t flags);

/* rs_send_window_take: removes the oldest SEND if it is done; false if there is none. */
bool rs_send_window_take(rs_send_window *window, const rs_send_slot *slots, rs_send_slot *out);

#endif
