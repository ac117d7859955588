/* SPDX-License-Identifier: MIT */
/* d5: locking and the request packet may cost more than the wait they save.
 *
 * Experiment: the same receive of 64 bytes, once with its bytes there (skip-on-success: done in the
 * call), once posted before they come, its packet taken from the port afterwards. What the calls
 * cost, without the wait in between.
 * Documented: nothing in figures. Refuted by: a pending receive that costs no more. */
#include "notes/note_net.h"

#define ROUNDS 120u
#define BYTES 64u

enum { AT_ONCE_NS, POST_NS, TAKE_NS, RATIO };
static const note_figure figures[] = {
    [AT_ONCE_NS] = {"a receive done in the call", "ns", NOTE_MEDIAN},
    [POST_NS] = {"posting one that pends", "ns", NOTE_MEDIAN},
    [TAKE_NS] = {"taking its packet", "ns", NOTE_MEDIAN},
    [RATIO] = {"pending (both calls) to done in the call", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_by_ratio(&seen[RATIO], "cost of a receive that pends to one done in the call");
}

#ifdef _WIN32

static void run(note *self) {
    const HANDLE port = note_port(self, 1);
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *bytes = note_memory(self, BYTES);
    note_socket pair[2];
    DWORD moved = 0;
    ULONG_PTR key = 0;
    NOTE_NEED(self, overlapped != NULL && bytes != NULL && note_pair(self, pair), "a pair");
    NOTE_NEED(self, note_attach(self, port, pair[0], 0), "a port");
    NOTE_NEED(self, note_skip_on_success(self, pair[0]), "skip-on-success");
    for (uint32_t i = 0; i < ROUNDS; i++) {
        NOTE_NEED(self, note_send(pair[1], bytes, BYTES) == BYTES, "send");
        NOTE_NEED(self, note_readable(pair[0], 1000), "bytes");
        *overlapped = (OVERLAPPED){.hEvent = NULL};
        uint64_t start_ns = rs_os_now_ns();
        int rc = note_post_recv(pair[0], bytes, BYTES, overlapped, &moved);
        const double at_once = note_us_since(start_ns) * 1e3;
        NOTE_NEED(self, rc == 0, "a receive done in the call");

        *overlapped = (OVERLAPPED){.hEvent = NULL};
        start_ns = rs_os_now_ns();
        rc = note_post_recv(pair[0], bytes, BYTES, overlapped, &moved);
        const double post = note_us_since(start_ns) * 1e3;
        NOTE_NEED(self, rc == WSA_IO_PENDING, "a receive that pends");
        NOTE_NEED(self, note_send(pair[1], bytes, BYTES) == BYTES, "send");
        for (uint32_t ms = 0; ms < 1000 && !HasOverlappedIoCompleted(overlapped); ms++) {
            rs_os_sleep_ms(1);
        }
        start_ns = rs_os_now_ns();
        const bool taken = note_take(port, 1000, &moved, &key) == overlapped;
        const double take = note_us_since(start_ns) * 1e3;
        NOTE_NEED(self, taken && moved == BYTES, "its packet");
        if (i >= ROUNDS / 10) { /* warm */
            note_add(self, AT_ONCE_NS, at_once);
            note_add(self, POST_NS, post);
            note_add(self, TAKE_NS, take);
            note_add(self, RATIO, (post + take) / at_once);
        }
    }
}

#endif

const note_entry note_d5 = {
    .file = NOTE_FILE("d5_cost_of_pending"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
