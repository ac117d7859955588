/* SPDX-License-Identifier: MIT */
/* c2: WSAEventSelect and overlapped events end at 64 handles.
 *
 * Experiment: one wait over 63, 64 and 65 events, the last of which is set. Documented: at most
 * WSA_MAXIMUM_WAIT_EVENTS, which is 64 (Winsock, WSAWaitForMultipleEvents). Refuted by: 65 that
 * work, or 64 that do not. */
#include "notes/note_net.h"

enum { TOLD_63, TOLD_64, TOLD_65, ERROR_65 };
static const note_figure figures[] = {
    [TOLD_63] = {"63 events: the last was told", "", NOTE_LEAST},
    [TOLD_64] = {"64 events: the last was told", "", NOTE_LEAST},
    [TOLD_65] = {"65 events: the last was told", "", NOTE_MOST},
    [ERROR_65] = {"65 events: error", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[TOLD_65].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "a wait over 65 events works");
    }
    return note_say(seen[TOLD_63].value > 0 && seen[TOLD_64].value > 0 ? NOTE_HOLDS : NOTE_IN_PART,
                    "63: %s, 64: %s, 65: error %.0f", seen[TOLD_63].value > 0 ? "works" : "fails",
                    seen[TOLD_64].value > 0 ? "works" : "fails", seen[ERROR_65].value);
}

#ifdef _WIN32

static void run(note *self) {
    HANDLE event[65];
    for (uint32_t i = 0; i < 65; i++) {
        event[i] = note_event(self);
        NOTE_NEED(self, event[i] != NULL, "an event");
    }
    for (uint32_t count = 63; count <= 65; count++) {
        NOTE_NEED(self, SetEvent(event[count - 1]), "SetEvent");
        const DWORD told = WSAWaitForMultipleEvents(count, event, FALSE, 0, FALSE);
        const int error = WSAGetLastError();
        note_add(self, TOLD_63 + count - 63, told == WSA_WAIT_EVENT_0 + count - 1);
        if (count == 65 && told == WSA_WAIT_FAILED) {
            note_add(self, ERROR_65, error);
        }
        NOTE_NEED(self, ResetEvent(event[count - 1]), "ResetEvent");
    }
}

#endif

const note_entry note_c2 = {
    .file = NOTE_FILE("c2_handles_in_one_wait"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --ladder",
};
