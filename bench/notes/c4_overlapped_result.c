/* SPDX-License-Identifier: MIT */
/* c4: WSAGetOverlappedResult says how a request ended, waiting for it or not.
 *
 * Experiment: a pending WSARecv is asked for without waiting; then waiting, while a thread sends 5
 * bytes 50 ms later; then one that a reset ends. Documented: FALSE and WSA_IO_INCOMPLETE (996)
 * while it is pending; with fWait it returns when the request is over; a failed one is FALSE and
 * its error (Winsock, WSAGetOverlappedResult). Refuted by: another answer. */
#include "notes/note_net.h"

enum { PENDING, BYTES, WAITED_MS, AFTER_RESET };
static const note_figure figures[] = {
    [PENDING] = {"while pending: error", "", NOTE_MEDIAN},
    [BYTES] = {"waiting: bytes, of 5", "", NOTE_LEAST},
    [WAITED_MS] = {"waited, of 50", "ms", NOTE_MEDIAN},
    [AFTER_RESET] = {"after a reset: error", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const bool tells = seen[PENDING].value == 996 && seen[BYTES].value == 5;
    const bool reset = seen[AFTER_RESET].value == 10054 || seen[AFTER_RESET].value == 64;
    return note_say(!tells  ? NOTE_DOES_NOT_HOLD
                    : reset ? NOTE_HOLDS
                            : NOTE_IN_PART,
                    "while pending it says %.0f; it waited %.0f ms for %.0f bytes; a reset is %.0f",
                    seen[PENDING].value, seen[WAITED_MS].value, seen[BYTES].value,
                    seen[AFTER_RESET].value);
}

#ifdef _WIN32

typedef struct late {
    note_socket socket;
    rs_os_thread *thread;
} late;

static void send_late(void *arg) {
    const late *l = arg;
    rs_os_sleep_ms(50);
    (void)note_send(l->socket, "hello", 5); /* a failure shows as bytes that do not come */
}

/* The answer: 0 or the error. */
static int ask(note_socket socket, OVERLAPPED *overlapped, BOOL wait, DWORD *bytes) {
    DWORD flags = 0;
    return WSAGetOverlappedResult(socket, overlapped, bytes, wait, &flags) ? 0 : WSAGetLastError();
}

static void run(note *self) {
    OVERLAPPED *overlapped = note_memory(self, 2 * sizeof *overlapped);
    char *buffer = note_memory(self, 64);
    note_socket pair[2];
    DWORD bytes = 0;
    NOTE_NEED(self, overlapped != NULL && buffer != NULL && note_pair(self, pair), "a pair");
    overlapped[0].hEvent = note_event(self);
    overlapped[1].hEvent = note_event(self);
    NOTE_NEED(self, overlapped[1].hEvent != NULL, "an event");
    NOTE_NEED(self, note_post_recv(pair[0], buffer, 64, &overlapped[0], &bytes) == WSA_IO_PENDING,
              "WSARecv");
    note_add(self, PENDING, ask(pair[0], &overlapped[0], FALSE, &bytes));

    late l = {.socket = pair[1]};
    const uint64_t start_ns = rs_os_now_ns();
    NOTE_NEED(self, rs_os_thread_start(&l.thread, send_late, &l, NULL) == RS_OK, "a thread");
    const int rc = ask(pair[0], &overlapped[0], TRUE, &bytes);
    note_add(self, WAITED_MS, note_us_since(start_ns) / 1e3);
    rs_os_thread_join(l.thread);
    note_add(self, BYTES, rc == 0 ? bytes : 0);

    NOTE_NEED(self, note_post_recv(pair[0], buffer, 64, &overlapped[1], &bytes) == WSA_IO_PENDING,
              "WSARecv");
    note_reset(self, pair[1]);
    note_add(self, AFTER_RESET, ask(pair[0], &overlapped[1], TRUE, &bytes));
}

#endif

const note_entry note_c4 = {
    .file = NOTE_FILE("c4_overlapped_result"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
