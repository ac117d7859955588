/* SPDX-License-Identifier: MIT */
/* c10: completions leave a port first in, first out; waiting threads are released last in, first
 * out.
 *
 * Experiment: 2,000 numbered packets to one reader; then 8 threads wait, and 40 packets come one at
 * a time, each after the one before was taken and its thread waits again: how many threads ever got
 * one? Documented: packets are queued first in, first out, threads released last in, first out
 * (I/O, "I/O Completion Ports"). Refuted by: a packet out of order; a second thread. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define NUMBERS 2000u
#define THREADS 8u
#define ROUNDS 40u
#define END_KEY 1u

enum { OUT_OF_ORDER, RELEASED };
static const note_figure figures[] = {
    [OUT_OF_ORDER] = {"packets out of order, of 2,000", "", NOTE_SUM},
    [RELEASED] = {"threads of 8 that ever got one", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[OUT_OF_ORDER].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "%.0f packets left out of order",
                        seen[OUT_OF_ORDER].value);
    }
    return note_say(seen[RELEASED].value > 1 ? NOTE_IN_PART : NOTE_HOLDS,
                    "packets left in order; of 8 waiting threads %.0f did all the work%s",
                    seen[RELEASED].value, seen[RELEASED].value > 1 ? ", not one" : "");
}

#ifdef _WIN32

typedef struct shared {
    HANDLE port;
    rs_atomic_u32 next, taken;
    rs_atomic_u32 got[THREADS];
} shared;

static void work(void *arg) {
    shared *s = arg;
    const uint32_t me = rs_atomic_add_u32(&s->next, 1);
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    while (GetQueuedCompletionStatus(s->port, &bytes, &key, &overlapped, 10000) && key != END_KEY) {
        (void)rs_atomic_add_u32(&s->got[me], 1);
        (void)rs_atomic_add_u32(&s->taken, 1);
    }
}

static void numbered(note *self) {
    const HANDLE port = note_port(self, 1);
    uint32_t swapped = 0;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        NOTE_NEED(self, PostQueuedCompletionStatus(port, i, 0, NULL), "PostQueuedCompletionStatus");
    }
    for (uint32_t i = 0; i < NUMBERS; i++) {
        NOTE_NEED(self, GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 1000),
                  "GetQueuedCompletionStatus");
        swapped += bytes != i;
    }
    note_add(self, OUT_OF_ORDER, swapped);
}

static void run(note *self) {
    rs_os_thread *thread[THREADS] = {NULL};
    shared *s = note_memory(self, sizeof *s);
    uint32_t released = 0;
    bool posted = true;
    numbered(self);
    NOTE_NEED(self, s != NULL, "memory");
    s->port = note_port(self, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        posted = rs_os_thread_start(&thread[i], work, s, NULL) == RS_OK && posted;
    }
    rs_os_sleep_ms(50); /* all wait */
    for (uint32_t i = 0; i < ROUNDS; i++) {
        posted = PostQueuedCompletionStatus(s->port, 0, 0, NULL) && posted;
        for (uint32_t ms = 0; ms < 1000 && rs_atomic_load_u32(&s->taken) <= i; ms++) {
            rs_os_sleep_ms(1);
        }
        rs_os_sleep_ms(3); /* it waits again */
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        posted = PostQueuedCompletionStatus(s->port, 0, END_KEY, NULL) && posted;
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        rs_os_thread_join(thread[i]);
        released += rs_atomic_load_u32(&s->got[i]) > 0;
    }
    NOTE_NEED(self, posted && rs_atomic_load_u32(&s->taken) == ROUNDS, "a packet");
    note_add(self, RELEASED, released);
}

#endif

const note_entry note_c10 = {
    .file = NOTE_FILE("c10_port_order"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
