/* SPDX-License-Identifier: MIT */
/* a6: an AcceptEx that waits for first bytes can be held by a silent client.
 *
 * Experiment: one AcceptEx outstanding, with room for first bytes. A silent client connects, then
 * one that sends. Is the second served within 0.3 s? The same with no room for first bytes, where
 * the one AcceptEx is posted again as soon as it has completed.
 *
 * Documented: with no room for data AcceptEx completes as soon as there is a connection;
 * SO_CONNECT_TIME is there to find clients that hold one which waits for data (Winsock, AcceptEx).
 *
 * Refuted by: the second client being served in the first case. */
#include "notes/note_net.h"

#define PATIENCE_MS 300u

enum { SERVED_WAITING, SERVED_AT_ONCE };
static const note_figure figures[] = {
    [SERVED_WAITING] = {"talking clients served, AcceptEx with bytes", "", NOTE_MOST},
    [SERVED_AT_ONCE] = {"AcceptEx without", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[SERVED_AT_ONCE].value == 0) {
        return note_say(NOTE_CANNOT_TELL, "without bytes the talking client was not served either");
    }
    if (seen[SERVED_WAITING].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "the talking client was served beside a silent one");
    }
    return note_say(NOTE_HOLDS,
                    "with one AcceptEx that waits for bytes, a silent client kept the talking one "
                    "waiting for %u ms and longer; without bytes it was served",
                    PATIENCE_MS);
}

#ifdef _WIN32

/* Was a connection taken that bytes come from, within the time? */
static bool talker_served(note *self, DWORD recv_bytes) {
    struct sockaddr_in address;
    const note_socket listener = note_listen(self, 8, &address);
    const note_socket silent = note_tcp(self), talker = note_tcp(self);
    note_accepting *a = note_memory(self, 2 * sizeof *a); /* one after the other */
    const HANDLE port = note_port(self, 1);
    LPFN_ACCEPTEX accept_ex = NULL;
    if (a == NULL || !note_attach(self, port, listener, 0) ||
        !note_extension(self, listener, (GUID)WSAID_ACCEPTEX, &accept_ex, sizeof accept_ex) ||
        !note_accept_post(self, accept_ex, listener, &a[0], recv_bytes) ||
        !note_connect(silent, &address) || !note_connect(talker, &address) ||
        note_send(talker, "hello", 5) != 5) {
        note_failed(self, "two clients");
        return false;
    }
    for (uint32_t i = 0; i < 2; i++) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        if (note_take(port, PATIENCE_MS, &bytes, &key) == NULL) {
            return false;
        }
        if (bytes > 0 || note_readable(a[i].socket, 50)) {
            return true;
        }
        if (i == 0 && !note_accept_post(self, accept_ex, listener, &a[1], recv_bytes)) {
            return false;
        }
    }
    return false;
}

static void run(note *self) {
    note_add(self, SERVED_WAITING, talker_served(self, 64));
    note_add(self, SERVED_AT_ONCE, talker_served(self, 0));
}

#endif

const note_entry note_a6 = {
    .file = NOTE_FILE("a6_silent_client_holds_acceptex"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
