/* SPDX-License-Identifier: MIT */
/* c13: GetQueuedCompletionStatusEx takes many completions at once.
 *
 * Experiment: 1,024 packets wait in a port; they are taken one a call, and up to 64 a call. Time a
 * packet, the ways taking turns. Documented: it fills an array of entries (I/O,
 * GetQueuedCompletionStatusEx). Refuted by: one entry a call; or no difference in time, which would
 * leave nothing to gain. */
#include "notes/note_net.h"

#define PACKETS 1024u
#define AT_ONCE 64u
#define ROUNDS 9u

enum { ONE_NS, MANY_NS, MOST, RATIO };
static const note_figure figures[] = {
    [ONE_NS] = {"a packet, one a call", "ns", NOTE_MEDIAN},
    [MANY_NS] = {"a packet, up to 64 a call", "ns", NOTE_MEDIAN},
    [MOST] = {"most in one call", "", NOTE_MOST},
    [RATIO] = {"time of one a call to that of many", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    note_verdict verdict = note_by_ratio(&seen[RATIO], "time of one a call to that of many");
    if (seen[MOST].value <= 1) {
        return note_say(NOTE_DOES_NOT_HOLD, "no call took more than one");
    }
    if (verdict.kind == NOTE_DOES_NOT_HOLD) {
        verdict.kind = NOTE_IN_PART; /* it takes many, and gains nothing */
    }
    return verdict;
}

#ifdef _WIN32

/* Nanoseconds a packet; 0: a packet was missing. */
static double take(HANDLE port, ULONG at_once, ULONG *most) {
    OVERLAPPED_ENTRY entry[AT_ONCE];
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    ULONG taken = 0, got = 1;
    for (uint32_t i = 0; i < PACKETS; i++) {
        if (!PostQueuedCompletionStatus(port, i, 0, NULL)) {
            return 0;
        }
    }
    const uint64_t start_ns = rs_os_now_ns();
    while (taken < PACKETS) {
        if (!(at_once == 1
                  ? GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 1000)
                  : GetQueuedCompletionStatusEx(port, entry, at_once, &got, 1000, FALSE))) {
            return 0;
        }
        *most = got > *most ? got : *most;
        taken += got;
    }
    return (double)(rs_os_now_ns() - start_ns) / PACKETS;
}

static void run(note *self) {
    const HANDLE port = note_port(self, 1);
    ULONG most = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const bool one_first = i % 2 == 0;
        const double a = take(port, one_first ? 1 : AT_ONCE, &most);
        const double b = take(port, one_first ? AT_ONCE : 1, &most);
        NOTE_NEED(self, a > 0 && b > 0, "a packet");
        note_add(self, ONE_NS, one_first ? a : b);
        note_add(self, MANY_NS, one_first ? b : a);
        note_add(self, RATIO, one_first ? a / b : b / a);
    }
    note_add(self, MOST, most);
}

#endif

const note_entry note_c13 = {
    .file = NOTE_FILE("c13_many_at_once"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario wide",
};
