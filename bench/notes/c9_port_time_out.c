/* SPDX-License-Identifier: MIT */
/* c9: a time-out of GetQueuedCompletionStatus is no error.
 *
 * Experiment: an empty port is asked for 10 ms; then it gets a packet and is asked again.
 * Documented: FALSE, a NULL OVERLAPPED and WAIT_TIMEOUT (I/O, GetQueuedCompletionStatus): nothing
 * was dequeued and the port is as before. Refuted by: another answer, or a port that no longer
 * works. */
#include "notes/note_net.h"

enum { ERROR_CODE, OVERLAPPED_NULL, WAITED_MS, WORKS_AFTER };
static const note_figure figures[] = {
    [ERROR_CODE] = {"GetLastError (258: WAIT_TIMEOUT)", "", NOTE_MEDIAN},
    [OVERLAPPED_NULL] = {"the OVERLAPPED was NULL", "", NOTE_LEAST},
    [WAITED_MS] = {"waited, of 10", "ms", NOTE_MEDIAN},
    [WORKS_AFTER] = {"the next packet arrived", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    const bool told = seen[ERROR_CODE].value == 258 && seen[OVERLAPPED_NULL].value == 1;
    const bool works = seen[WORKS_AFTER].value == 1;
    return note_say(told && works ? NOTE_HOLDS
                    : works       ? NOTE_IN_PART
                                  : NOTE_DOES_NOT_HOLD,
                    "FALSE with %.0f after %.0f ms, OVERLAPPED %s; the port %s",
                    seen[ERROR_CODE].value, seen[WAITED_MS].value,
                    seen[OVERLAPPED_NULL].value == 1 ? "NULL" : "not NULL",
                    works ? "works on" : "no longer works");
}

#ifdef _WIN32

static void run(note *self) {
    OVERLAPPED posted = {.hEvent = NULL}, *overlapped = &posted;
    const HANDLE port = note_port(self, 1);
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    NOTE_NEED(self, port != NULL, "a port");
    const uint64_t start_ns = rs_os_now_ns();
    SetLastError(0);
    const BOOL got = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 10);
    note_add(self, ERROR_CODE, got ? 0 : GetLastError());
    note_add(self, WAITED_MS, note_us_since(start_ns) / 1e3);
    note_add(self, OVERLAPPED_NULL, overlapped == NULL);
    NOTE_NEED(self, PostQueuedCompletionStatus(port, 7, 5, &posted), "PostQueuedCompletionStatus");
    note_add(self, WORKS_AFTER,
             note_take(port, 1000, &bytes, &key) == &posted && bytes == 7 && key == 5);
}

#endif

const note_entry note_c9 = {
    .file = NOTE_FILE("c9_port_time_out"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
