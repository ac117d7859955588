/* SPDX-License-Identifier: MIT */
/* b5: with SO_SNDBUF = 0 the caller's buffer is the send buffer: a send pends until the peer's
 * stack has the bytes.
 *
 * Experiment: one overlapped send of 1 byte, 64 KiB and 1 MiB, with the default buffer and with 0,
 * to a peer that reads and to one that does not. Does the call complete at once or pend, and how
 * long until the end?
 *
 * Documented: SO_SNDBUF = 0 turns send buffering off, and a send then completes when its bytes are
 * acknowledged (Winsock, High-Performance Windows Sockets Applications).
 *
 * Refuted by: a send of 1 byte that completes in the call although there is no buffer. */
#include "notes/note_net.h"

#define WAYS 4u  /* buffer default or 0, peer reading or not */
#define SIZES 3u /* 1, 64 KiB, 1 MiB */
#define STUCK_MS 200u

enum {
    PENDED, /* [WAYS][SIZES] */
    TOOK_US = WAYS * SIZES
};
#define PENDED_ROWS(way)                                                                           \
    {"1 B, " way ": pended", "", NOTE_LEAST}, {"64 KiB: pended", "", NOTE_LEAST}, {                \
        "1 MiB: pended", "", NOTE_LEAST                                                            \
    }
#define TOOK_ROWS(way)                                                                             \
    {"1 B, " way ": took, or given up", "us", NOTE_MEDIAN},                                        \
        {"64 KiB: took, or given up", "us", NOTE_MEDIAN}, {                                        \
        "1 MiB: took, or given up", "us", NOTE_MEDIAN                                              \
    }
static const note_figure figures[] = {
    PENDED_ROWS("buffer, peer reads"),    PENDED_ROWS("buffer, peer does not"),
    PENDED_ROWS("no buffer, peer reads"), PENDED_ROWS("no buffer, peer does not"),
    TOOK_ROWS("buffer, peer reads"),      TOOK_ROWS("buffer, peer does not"),
    TOOK_ROWS("no buffer, peer reads"),   TOOK_ROWS("no buffer, peer does not"),
};

static note_verdict judge(const note_seen *seen) {
    const note_seen *plain = &seen[PENDED], *none = &seen[PENDED + 2 * SIZES];
    if (none[0].value == 0 && none[SIZES].value == 0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "with SO_SNDBUF = 0 a byte completes in the call all the same (%.0f us, "
                        "%.0f with a buffer): it was copied into some buffer",
                        seen[TOOK_US + 2 * SIZES].value, seen[TOOK_US].value);
    }
    if (plain[0].value > 0 || none[0].value == 0) {
        return note_say(NOTE_IN_PART, "a byte pends with a buffer: %.0f, without one: %.0f",
                        plain[0].value, none[0].value);
    }
    return note_say(NOTE_HOLDS,
                    "a byte pends without a buffer and completes at once with one; without one it "
                    "took %.0f us, and %.0f us with a peer that does not read: its stack took it",
                    seen[TOOK_US + 2 * SIZES].value, seen[TOOK_US + 3 * SIZES].value);
}

#ifdef _WIN32

static void one(note *self, uint32_t way, uint32_t size) {
    static const size_t bytes[SIZES] = {1, 65536, 1u << 20};
    note_socket pair[2];
    note_reader reader = {.slow = false};
    const bool reads = way % 2 == 0;
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *data = note_memory(self, bytes[size]);
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && data != NULL && note_pair(self, pair), "a pair");
    NOTE_NEED(self, way < 2 || note_set(pair[1], SOL_SOCKET, SO_SNDBUF, 0), "SO_SNDBUF");
    overlapped->hEvent = note_event(self);
    NOTE_NEED(self, overlapped->hEvent != NULL, "an event");
    NOTE_NEED(self, !reads || note_reader_start(self, &reader, pair[0]), "a reader");
    const uint64_t start_ns = rs_os_now_ns();
    const int rc = note_post_send(pair[1], data, bytes[size], overlapped, &moved);
    const int ended = rc == WSA_IO_PENDING ? note_await(pair[1], overlapped, STUCK_MS, &moved) : rc;
    note_add(self, TOOK_US + way * SIZES + size, note_us_since(start_ns));
    note_add(self, PENDED + way * SIZES + size, rc == WSA_IO_PENDING);
    if (ended == WAIT_TIMEOUT) { /* the peer takes no more: that is its answer */
        (void)CancelIoEx((HANDLE)pair[1], NULL);
        (void)note_await(pair[1], overlapped, 2000, &moved);
    }
    note_close(self, pair[1]);
    if (reads) {
        note_reader_join(&reader);
    }
    NOTE_NEED(self, ended == 0 || ended == WAIT_TIMEOUT, "WSASend");
}

static void run(note *self) {
    for (uint32_t i = 0; i < WAYS * SIZES; i++) {
        one(self, i / SIZES, i % SIZES);
        note_close_all(self);
    }
}

#endif

const note_entry note_b5 = {
    .file = NOTE_FILE("b5_no_send_buffer"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
