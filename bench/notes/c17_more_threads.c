/* SPDX-License-Identifier: MIT */
/* c17: one thread can serve, several only make it harder; several are needed to use several cores.
 *
 * Experiment: 400 packets of a port, with 20 us of computing each and with none, taken by 1, 2
 * and 4 workers. Time a packet, and the processor time of the process.
 * Documented: nothing; a port is made for as many running threads as processors (I/O, "I/O
 * Completion Ports"). Refuted by: two workers that are no faster on two processors. More than this
 * machine's processors cannot be shown here. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define PACKETS 400u
#define COMPUTE_NS 20000u
#define SIZES 3u /* 1, 2, 4 workers */
#define ROUNDS 5u
#define END_KEY 1u

enum { LONG_US, SHORT_US = SIZES, CPU_US = 2 * SIZES, SPEED_UP = 3 * SIZES, SHORT_GAIN, CORES };
static const note_figure figures[] = {
    [LONG_US] = {"a packet of 20 us, 1 worker", "us", NOTE_MEDIAN},
    {"2 workers", "us", NOTE_MEDIAN},
    {"4 workers", "us", NOTE_MEDIAN},
    [SHORT_US] = {"an empty packet, 1 worker", "us", NOTE_MEDIAN},
    {"2 workers", "us", NOTE_MEDIAN},
    {"4 workers", "us", NOTE_MEDIAN},
    [CPU_US] = {"CPU an empty packet, 1 worker", "us", NOTE_MEDIAN},
    {"2 workers", "us", NOTE_MEDIAN},
    {"4 workers", "us", NOTE_MEDIAN},
    [SPEED_UP] = {"packets of 20 us: 1 worker to 2", "", NOTE_MEDIAN},
    [SHORT_GAIN] = {"empty packets: 1 worker to 2", "", NOTE_MEDIAN},
    [CORES] = {"processors", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    char much[96], little[96];
    note_ratio_words(&seen[SPEED_UP], much, sizeof much);
    note_ratio_words(&seen[SHORT_GAIN], little, sizeof little);
    if (seen[CORES].value < 2) {
        return note_say(NOTE_CANNOT_TELL, "one processor");
    }
    /* Between the two the figures are too uneven: a gain of 1.3 is neither seen nor ruled out. */
    return note_say(seen[SPEED_UP].low > 1      ? NOTE_HOLDS
                    : seen[SPEED_UP].high < 1.3 ? NOTE_DOES_NOT_HOLD
                                                : NOTE_CANNOT_TELL,
                    "one worker serves all; the second makes packets of 20 us faster by %s, empty "
                    "ones by %s; on %.0f processors",
                    much, little, seen[CORES].value);
}

#ifdef _WIN32

typedef struct shared {
    HANDLE port;
    bool computes;
    rs_atomic_u32 taken;
} shared;

static void work(void *arg) {
    shared *s = arg;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    while (GetQueuedCompletionStatus(s->port, &bytes, &key, &overlapped, 3000) && key != END_KEY) {
        const uint64_t start_ns = rs_os_now_ns();
        while (s->computes && rs_os_now_ns() - start_ns < COMPUTE_NS) {
            rs_os_relax();
        }
        (void)rs_atomic_add_u32(&s->taken, 1);
    }
}

static double cpu_us(void) {
    rs_os_usage usage;
    rs_os_usage_read(&usage);
    return (double)(usage.user_ns + usage.kernel_ns) / 1e3;
}

/* Microseconds a packet; 0: one was not taken. */
static double one(note *self, uint32_t workers, bool computes, double *cpu) {
    rs_os_thread *thread[4] = {NULL};
    shared *s = note_memory(self, sizeof *s);
    const HANDLE port = note_port(self, workers);
    bool good = true;
    if (s == NULL || port == NULL) {
        return 0;
    }
    s->port = port;
    s->computes = computes;
    for (uint32_t i = 0; i < PACKETS + workers; i++) {
        good = PostQueuedCompletionStatus(s->port, 0, i < PACKETS ? 0 : END_KEY, NULL) && good;
    }
    const double before = cpu_us();
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < workers; i++) {
        good = rs_os_thread_start(&thread[i], work, s, NULL) == RS_OK && good;
    }
    for (uint32_t i = 0; i < workers; i++) {
        rs_os_thread_join(thread[i]);
    }
    const double took = note_us_since(start_ns) / PACKETS;
    *cpu = (cpu_us() - before) / PACKETS;
    return good && rs_atomic_load_u32(&s->taken) == PACKETS ? took : 0;
}

static void run(note *self) {
    static const uint32_t workers[SIZES] = {1, 2, 4};
    note_add(self, CORES, rs_os_cpu_count());
    for (uint32_t round = 0; round < ROUNDS; round++) {
        double many[SIZES], few[SIZES], cpu = 0;
        for (uint32_t i = 0; i < SIZES; i++) {
            const uint32_t w = round % 2 == 0 ? i : SIZES - 1 - i;
            many[w] = one(self, workers[w], true, &cpu);
            few[w] = one(self, workers[w], false, &cpu);
            NOTE_NEED(self, many[w] > 0 && few[w] > 0, "a packet");
            note_add(self, LONG_US + w, many[w]);
            note_add(self, SHORT_US + w, few[w]);
            note_add(self, CPU_US + w, cpu);
        }
        note_add(self, SPEED_UP, many[0] / many[1]);
        note_add(self, SHORT_GAIN, few[0] / few[1]);
        note_close_all(self); /* ports */
    }
}

#endif

const note_entry note_c17 = {
    .file = NOTE_FILE("c17_more_threads"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario many-small",
};
