/* SPDX-License-Identifier: MIT */
/* d1: a pending overlapped request locks the pages of its buffer.
 *
 * Experiment: 16 pages are the buffer of a WSARecv: how many are locked before it, while it is
 * pending, and after it? The same pages registered with RIO. Documented: the pages of a pending
 * request's buffer are locked, and may run into a limit ("High-performance Windows Sockets
 * applications"; RIORegisterBuffer: the memory is locked until it is deregistered). Refuted by: no
 * locked page while it is pending. */
#include "notes/note_kernel.h"

#define PAGES 16u

enum { BEFORE, PENDING, AFTER, REGISTERED };
static const note_figure figures[] = {
    [BEFORE] = {"pages locked before, of 16", "", NOTE_MEDIAN},
    [PENDING] = {"while WSARecv was pending", "", NOTE_LEAST},
    [AFTER] = {"after it", "", NOTE_MOST},
    [REGISTERED] = {"while registered with RIO", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    const double most = seen[PENDING].value;
    if (seen[PENDING].count == 0) {
        return note_say(NOTE_CANNOT_TELL, "QueryWorkingSetEx tells nothing");
    }
    return note_say(most <= seen[BEFORE].value                               ? NOTE_DOES_NOT_HOLD
                    : most < PAGES || seen[AFTER].value > seen[BEFORE].value ? NOTE_IN_PART
                                                                             : NOTE_HOLDS,
                    "of 16 pages %.0f were locked before, %.0f while pending, %.0f after; "
                    "registered with RIO: %.0f",
                    seen[BEFORE].value, most, seen[AFTER].value, seen[REGISTERED].value);
}

#ifdef _WIN32

static void run(note *self) {
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *pages = note_pages(self, PAGES);
    note_socket pair[2];
    note_rio rio;
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && pages != NULL && note_pair(self, pair), "a pair");
    overlapped->hEvent = note_event(self);
    NOTE_NEED(self, overlapped->hEvent != NULL, "an event");
    note_add(self, BEFORE, note_locked(pages, PAGES));
    const int rc = note_post_recv(pair[0], pages, (size_t)PAGES * NOTE_PAGE, overlapped, &moved);
    NOTE_NEED(self, rc == WSA_IO_PENDING, "WSARecv");
    note_add(self, PENDING, note_locked(pages, PAGES));
    NOTE_NEED(self, note_send(pair[1], "x", 1) == 1, "send");
    NOTE_NEED(self, note_await(pair[0], overlapped, 1000, &moved) == 0, "the end of WSARecv");
    note_add(self, AFTER, note_locked(pages, PAGES));
    if (note_rio_open(self, &rio, 1, PAGES)) {
        note_add(self, REGISTERED, note_locked(rio.memory, PAGES));
        note_rio_close(self, &rio);
    }
}

#endif

const note_entry note_d1 = {
    .file = NOTE_FILE("d1_pending_locks_pages"),
    .where = NOTE_WINDOWS_KERNEL,
    .cannot = "page locks: a request is a poll of wineserver or Linux, the memory stays as it is",
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
