/* SPDX-License-Identifier: MIT */
/* b15: one OVERLAPPED must not serve two requests at once.
 *
 * Experiment, in a process of its own: two receives, of 10 and of 20 bytes, on one socket with one
 * OVERLAPPED and its event; then 10 bytes come, and 0.1 s later 20 more. What does the OVERLAPPED
 * say after the first, and how much after both?
 *
 * Documented: each outstanding request needs an OVERLAPPED of its own, until it has completed
 * (Winsock, Overlapped I/O and Event Objects).
 *
 * Refuted by: being told the truth of both requests. */
#include "notes/note_net.h"

#define FIRST 10u
#define SECOND 20u

enum { ENDING, DONE_EARLY, SAID_FIRST, SAID_LAST, ARRIVED };
static const note_figure figures[] = {
    [ENDING] = {"exit code of the process (-1 crashed, -2 stuck)", "", NOTE_LEAST},
    [DONE_EARLY] = {"'done' while the second was pending", "", NOTE_MOST},
    [SAID_FIRST] = {"bytes it said then, of 10", "bytes", NOTE_MEDIAN},
    [SAID_LAST] = {"bytes it said in the end", "bytes", NOTE_MEDIAN},
    [ARRIVED] = {"bytes in the two buffers, of 30", "bytes", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[ENDING].value < 0) {
        return note_say(NOTE_HOLDS, "the process %s",
                        seen[ENDING].value == NOTE_CHILD_STUCK ? "got stuck" : "crashed");
    }
    if (seen[ARRIVED].count == 0) {
        return note_say(NOTE_CANNOT_TELL, "the requests were not made");
    }
    if (seen[DONE_EARLY].value > 0 || seen[ARRIVED].value < FIRST + SECOND) {
        return note_say(
            NOTE_HOLDS,
            "after 10 bytes it said done, with %.0f, though the second receive was "
            "pending; in the end %.0f, for 30 bytes in two requests (%.0f arrived): one "
            "completion is lost",
            seen[SAID_FIRST].value, seen[SAID_LAST].value, seen[ARRIVED].value);
    }
    return note_say(NOTE_IN_PART,
                    "nothing was seen to break: it became done with the second alone");
}

#ifdef _WIN32

static void run(note *self) {
    static char first[FIRST], second[SECOND];
    static const char data[] = "12345678901234567890";
    static OVERLAPPED both;
    note_socket pair[2];
    DWORD moved = 0;
    both.hEvent = note_event(self);
    NOTE_NEED(self, both.hEvent != NULL && note_pair(self, pair), "a pair");
    int rc = note_post_recv(pair[0], first, FIRST, &both, &moved);
    NOTE_NEED(self, rc == WSA_IO_PENDING, "the first WSARecv");
    rc = note_post_recv(pair[0], second, SECOND, &both, &moved);
    NOTE_NEED(self, rc == WSA_IO_PENDING, "the second WSARecv");

    NOTE_NEED(self, note_send(pair[1], data, FIRST) == (int64_t)FIRST, "send");
    rs_os_sleep_ms(100);
    note_add(self, DONE_EARLY, HasOverlappedIoCompleted(&both));
    note_add(self, SAID_FIRST, (double)both.InternalHigh);
    NOTE_NEED(self, note_send(pair[1], data, SECOND) == (int64_t)SECOND, "send");
    rs_os_sleep_ms(100);
    note_add(self, SAID_LAST, (double)both.InternalHigh);
    uint32_t arrived = 0;
    for (uint32_t i = 0; i < SECOND; i++) {
        arrived += i < FIRST && first[i] == data[i];
        arrived += second[i] == data[i];
    }
    note_add(self, ARRIVED, arrived);
}

#endif

const note_entry note_b15 = {
    .file = NOTE_FILE("b15_one_overlapped_twice"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_IN_PART) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .child = true,
};
