/* SPDX-License-Identifier: MIT */
/* c11: a port lets no more threads run than its concurrency; one that blocks lets another in.
 *
 * Experiment: ports of concurrency 1 and 2, four threads, 16 packets. A packet costs 10 ms of
 * computing, or 10 ms of Sleep. How many threads were inside a packet at once?
 * Documented: the system releases threads up to the concurrency value, and another when a running
 * one "enters a wait state for other reasons" (I/O, "I/O Completion Ports"). Refuted by: more at
 * once that compute; no more that sleep. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define THREADS 4u
#define PACKETS 16u
#define PACKET_MS 10u
#define END_KEY 1u

enum { COMPUTE_1, COMPUTE_2, SLEEP_1, SLEEP_2 };
static const note_figure figures[] = {
    [COMPUTE_1] = {"most at once, concurrency 1, computing", "", NOTE_MOST},
    [COMPUTE_2] = {"concurrency 2, computing", "", NOTE_MOST},
    [SLEEP_1] = {"concurrency 1, sleeping", "", NOTE_MOST},
    [SLEEP_2] = {"concurrency 2, sleeping", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    const double one = seen[COMPUTE_1].value, two = seen[COMPUTE_2].value;
    const bool limits = one <= 1 && two <= 2;
    const bool lets_in = seen[SLEEP_1].value > 1 && seen[SLEEP_2].value > 2;
    return note_say(!limits   ? NOTE_DOES_NOT_HOLD
                    : lets_in ? NOTE_HOLDS
                              : NOTE_IN_PART,
                    "with concurrency 1 and 2, at most %.0f and %.0f computed at once; of those "
                    "that sleep, %.0f and %.0f",
                    one, two, seen[SLEEP_1].value, seen[SLEEP_2].value);
}

#ifdef _WIN32

typedef struct shared {
    HANDLE port;
    bool sleeps;
    rs_atomic_u32 inside, most, taken;
} shared;

static void packet(shared *s) {
    const uint64_t start_ns = rs_os_now_ns();
    const uint32_t at_once = rs_atomic_add_u32(&s->inside, 1) + 1;
    uint32_t most = rs_atomic_load_u32(&s->most);
    while (at_once > most && !rs_atomic_cas_u32(&s->most, most, at_once)) {
        most = rs_atomic_load_u32(&s->most);
    }
    if (s->sleeps) {
        rs_os_sleep_ms(PACKET_MS);
    }
    while (!s->sleeps && note_us_since(start_ns) < PACKET_MS * 1e3) {
        rs_os_relax();
    }
    (void)rs_atomic_add_u32(&s->inside, UINT32_MAX); /* - 1 */
    (void)rs_atomic_add_u32(&s->taken, 1);
}

static void work(void *arg) {
    shared *s = arg;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    while (GetQueuedCompletionStatus(s->port, &bytes, &key, &overlapped, 5000) && key != END_KEY) {
        packet(s);
    }
}

static void one(note *self, DWORD concurrency, bool sleeps, uint32_t figure) {
    rs_os_thread *thread[THREADS] = {NULL};
    shared *s = note_memory(self, sizeof *s);
    bool good = true;
    NOTE_NEED(self, s != NULL, "memory");
    s->port = note_port(self, concurrency);
    s->sleeps = sleeps;
    for (uint32_t i = 0; i < THREADS; i++) {
        good = rs_os_thread_start(&thread[i], work, s, NULL) == RS_OK && good;
    }
    rs_os_sleep_ms(30); /* all wait */
    for (uint32_t i = 0; i < PACKETS + THREADS; i++) {
        good = PostQueuedCompletionStatus(s->port, 0, i < PACKETS ? 0 : END_KEY, NULL) && good;
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        rs_os_thread_join(thread[i]);
    }
    NOTE_NEED(self, good && rs_atomic_load_u32(&s->taken) == PACKETS, "a packet");
    note_add(self, figure, rs_atomic_load_u32(&s->most));
}

static void run(note *self) {
    one(self, 1, false, COMPUTE_1);
    one(self, 2, false, COMPUTE_2);
    one(self, 1, true, SLEEP_1);
    one(self, 2, true, SLEEP_2);
}

#endif

const note_entry note_c11 = {
    .file = NOTE_FILE("c11_port_concurrency"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
