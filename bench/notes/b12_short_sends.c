/* SPDX-License-Identifier: MIT */
/* b12: a send completes short only when it fails or the connection is cut.
 *
 * Experiment: up to 1,000 times an overlapped send of 1 MiB, whose peer reads a random part of it
 * and then resets the connection; every tenth time the peer reads all. Status and byte count of
 * each completion.
 *
 * Documented: the byte count of a completion is what was transferred; a stream socket that blocks
 * sends all (Winsock, WSASend, send). That a successful overlapped send is whole is said nowhere
 * in so many words.
 *
 * Refuted by: a completion that says success and fewer bytes. */
#include "notes/note_net.h"

#define ASKED (1u << 20)
#define ROUNDS 1000u
#define RUN_MS 1200u

enum { WHOLE, SUCCESS_SHORT, FAILED_SOME, FAILED_NONE };
static const note_figure figures[] = {
    [WHOLE] = {"succeeded, whole", "", NOTE_SUM},
    [SUCCESS_SHORT] = {"succeeded, short", "", NOTE_SUM},
    [FAILED_SOME] = {"failed, with a byte count", "", NOTE_SUM},
    [FAILED_NONE] = {"failed, with none", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    const double failed = seen[FAILED_SOME].value + seen[FAILED_NONE].value;
    if (seen[SUCCESS_SHORT].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "%.0f sends succeeded with fewer bytes than asked for",
                        seen[SUCCESS_SHORT].value);
    }
    if (failed < 1) {
        return note_say(NOTE_CANNOT_TELL, "no reset cut a send");
    }
    return note_say(
        NOTE_HOLDS,
        "%.0f sends were cut by a reset: all of them failed, %.0f with a count of bytes "
        "that had gone; %.0f others went whole",
        failed, seen[FAILED_SOME].value, seen[WHOLE].value);
}

#ifdef _WIN32

static bool one(note *self, char *data, char *sink, bool cut, uint64_t *random) {
    note_socket pair[2];
    OVERLAPPED *overlapped = note_memory(self, 2 * sizeof *overlapped);
    int rc[2];
    DWORD moved[2] = {0, 0};
    if (overlapped == NULL || !note_pair_sized(self, pair, 16384, 16384)) {
        return false;
    }
    note_timeout(pair[0], 2000);
    for (uint32_t i = 0; i < 2;
         i++) { /* Windows may buffer the first whole: then the second pends */
        overlapped[i].hEvent = note_event(self);
        rc[i] = note_post_send(pair[1], data, ASKED, &overlapped[i], &moved[i]);
    }
    const size_t part = cut ? note_random(random) % (ASKED + ASKED / 2) : 2 * ASKED;
    (void)note_recv_all(pair[0], sink, part); /* the sends' completions tell */
    if (cut) {
        note_reset(self, pair[0]);
    }
    for (uint32_t i = 0; i < 2; i++) {
        const int end =
            rc[i] == WSA_IO_PENDING ? note_await(pair[1], &overlapped[i], 2000, &moved[i]) : rc[i];
        if (end == WAIT_TIMEOUT) {
            return false;
        }
        note_add(self, WHOLE, end == 0 && moved[i] == ASKED);
        note_add(self, SUCCESS_SHORT, end == 0 && moved[i] != ASKED);
        note_add(self, FAILED_SOME, end != 0 && moved[i] > 0);
        note_add(self, FAILED_NONE, end != 0 && moved[i] == 0);
    }
    note_close_all(self);
    return true;
}

static void run(note *self) {
    const uint64_t start_ns = rs_os_now_ns();
    uint64_t random = 12;
    char *data = note_memory(self, ASKED), *sink = note_memory(self, 2 * ASKED);
    NOTE_NEED(self, data != NULL && sink != NULL, "memory");
    for (uint32_t i = 1; i <= ROUNDS && note_us_since(start_ns) < RUN_MS * 1e3; i++) {
        NOTE_NEED(self, one(self, data, sink, i % 10 != 0, &random), "a pair, or a completion");
    }
}

#endif

const note_entry note_b12 = {
    .file = NOTE_FILE("b12_short_sends"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
