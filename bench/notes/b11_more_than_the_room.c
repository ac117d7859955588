/* SPDX-License-Identifier: MIT */
/* b11: with room for 70 of 100 bytes, 70 go at once and 30 overlapped, and the completion says
 * 100.
 *
 * Experiment: two pairs are filled until they take no more, and their peers read until a send
 * would be taken again. On one pair the room that is left now is measured by filling it. On the
 * other an overlapped send of 1 MiB, more than that room, is made: does it pend, does it end
 * before the peer reads on, and what does the completion say?
 *
 * Documented: the byte count of an overlapped send's completion is that of the whole request
 * (Winsock, WSASend); how the stack cuts it is not visible.
 *
 * Refuted by: a completion with less than was asked for. */
#include "notes/note_net.h"

#define ASKED (1u << 20)

enum { ROOM, PENDED, BEFORE_READ, SAID };
static const note_figure figures[] = {
    [ROOM] = {"room that was left, on the twin", "bytes", NOTE_MEDIAN},
    [PENDED] = {"sends of 1 MiB that pended", "", NOTE_LEAST},
    [BEFORE_READ] = {"that ended before the peer read on", "", NOTE_MOST},
    [SAID] = {"bytes that the completion said", "bytes", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[ROOM].value < 1 || seen[ROOM].value >= ASKED) {
        return note_say(NOTE_CANNOT_TELL, "there was room for %.0f bytes", seen[ROOM].value);
    }
    if (seen[SAID].value != ASKED) {
        return note_say(NOTE_DOES_NOT_HOLD, "the completion said %.0f of %u", seen[SAID].value,
                        ASKED);
    }
    if (seen[PENDED].value == 0 || seen[BEFORE_READ].value > 0) {
        return note_say(NOTE_IN_PART,
                        "the completion says all %u, but with room for %.0f the whole of it was "
                        "taken before the peer read on",
                        ASKED, seen[ROOM].value);
    }
    return note_say(NOTE_HOLDS,
                    "with room for %.0f, a send of %u pended until the peer read, and its one "
                    "completion said %.0f; how much went at once nobody is told",
                    seen[ROOM].value, ASKED, seen[SAID].value);
}

#ifdef _WIN32

/* Fills a pair, then reads at [0] until [1] would take a send. */
static bool leave_some_room(note *self, note_socket pair[2]) {
    static char sink[4096];
    if (!note_pair_sized(self, pair, 65536, 65536)) {
        return false;
    }
    (void)note_fill(pair[1], 50); /* how much does not matter */
    note_timeout(pair[0], 1000);
    for (uint32_t i = 0; i < 1000 && !note_writable(pair[1], 5); i++) {
        if (note_recv(pair[0], sink, sizeof sink) <= 0) {
            return false;
        }
    }
    return note_writable(pair[1], 0);
}

static void run(note *self) {
    note_socket twin[2], pair[2];
    note_reader reader = {.slow = false};
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *data = note_memory(self, ASKED);
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && data != NULL, "memory");
    overlapped->hEvent = note_event(self);
    NOTE_NEED(self, leave_some_room(self, twin) && leave_some_room(self, pair), "a full pair");
    note_add(self, ROOM, (double)note_fill(twin[1], 50));
    note_blocking(pair[1], true);
    const int rc = note_post_send(pair[1], data, ASKED, overlapped, &moved);
    NOTE_NEED(self, rc == 0 || rc == WSA_IO_PENDING, "WSASend");
    note_add(self, PENDED, rc == WSA_IO_PENDING);
    note_add(self, BEFORE_READ, note_await(pair[1], overlapped, 100, &moved) != WAIT_TIMEOUT);
    note_timeout(pair[0], 0);
    NOTE_NEED(self, note_reader_start(self, &reader, pair[0]), "a reader");
    const int ended = note_await(pair[1], overlapped, 5000, &moved);
    note_close(self, pair[1]);
    note_reader_join(&reader);
    NOTE_NEED(self, ended == 0, "the send");
    note_add(self, SAID, moved);
}

#endif

const note_entry note_b11 = {
    .file = NOTE_FILE("b11_more_than_the_room"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
