/* SPDX-License-Identifier: MIT */
/* c3: with an event and a completion routine together, the routine is called and the event is not
 * used.
 *
 * Experiment: one WSARecv with both, then a byte, then an alertable wait. Documented: hEvent is
 * ignored when there is a routine (Winsock, WSARecv). Refuted by: an event that is set, or a
 * routine that is not called. */
#include "notes/note_net.h"

enum { CALLED, EVENT_SET };
static const note_figure figures[] = {
    [CALLED] = {"routine called", "", NOTE_LEAST},
    [EVENT_SET] = {"event set", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[CALLED].value == 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "the routine was not called; the event was %s",
                        seen[EVENT_SET].value > 0 ? "set" : "not set either");
    }
    return note_say(seen[EVENT_SET].value > 0 ? NOTE_IN_PART : NOTE_HOLDS,
                    "the routine was called; the event was %s",
                    seen[EVENT_SET].value > 0 ? "set as well" : "left alone");
}

#ifdef _WIN32

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags) {
    (void)flags;
    overlapped->Offset = error == 0 && bytes == 1; /* the caller's: sockets do not use it */
}

static void run(note *self) {
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *byte = note_memory(self, 1);
    note_socket pair[2];
    DWORD flags = 0;
    NOTE_NEED(self, overlapped != NULL && byte != NULL && note_pair(self, pair), "a pair");
    overlapped->hEvent = note_event(self);
    NOTE_NEED(self, overlapped->hEvent != NULL, "an event");
    WSABUF buffer = {.len = 1, .buf = byte};
    const int rc = WSARecv(pair[0], &buffer, 1, NULL, &flags, overlapped, routine);
    NOTE_NEED(self, rc != 0 && WSAGetLastError() == WSA_IO_PENDING, "WSARecv");
    NOTE_NEED(self, note_send(pair[1], "x", 1) == 1, "send");
    for (uint32_t i = 0; i < 20 && overlapped->Offset == 0; i++) {
        (void)SleepEx(50, TRUE);
    }
    note_add(self, CALLED, overlapped->Offset);
    note_add(self, EVENT_SET, WaitForSingleObject(overlapped->hEvent, 50) == WAIT_OBJECT_0);
}

#endif

const note_entry note_c3 = {
    .file = NOTE_FILE("c3_routine_beside_event"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
