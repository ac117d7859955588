/* SPDX-License-Identifier: MIT */
/* a1: a connection is complete for the client before accept is called; the backlog holds it.
 *
 * Experiment: a listener that does not accept. 20 clients connect, the first sends, and only then
 * is accept called, and the bytes are read.
 *
 * Documented: a request to a listening socket is acknowledged by the system and queued; accept
 * takes it from that queue (Winsock, listen).
 *
 * Refuted by: a connect that does not end before accept, or bytes that are lost. */
#include "notes/note_net.h"

#define CLIENTS 20u

enum { CONNECTED, CONNECT_US, SENT, RECEIVED };
static const note_figure figures[] = {
    [CONNECTED] = {"connected before accept", "", NOTE_LEAST},
    [CONNECT_US] = {"connect", "us", NOTE_MEDIAN},
    [SENT] = {"sent before accept", "bytes", NOTE_LEAST},
    [RECEIVED] = {"read after accept", "bytes", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[CONNECTED].value == 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "connect did not succeed while nobody accepted");
    }
    if (seen[SENT].value < 1 || seen[RECEIVED].value != seen[SENT].value) {
        return note_say(NOTE_IN_PART,
                        "connect succeeds, but of %.0f bytes sent before accept %.0f arrived",
                        seen[SENT].value, seen[RECEIVED].value);
    }
    return note_say(NOTE_HOLDS,
                    "connect took %.0f us with nobody accepting, and the %.0f bytes sent then were "
                    "read after accept",
                    seen[CONNECT_US].value, seen[RECEIVED].value);
}

static void run(note *self) {
    static const char hello[] = "sent before accept";
    char buffer[sizeof hello];
    struct sockaddr_in address;
    const note_socket listener = note_listen(self, 2 * CLIENTS, &address);
    note_socket first = NOTE_NO_SOCKET;
    NOTE_NEED(self, listener != NOTE_NO_SOCKET, "listen");
    for (uint32_t i = 0; i < CLIENTS; i++) {
        const note_socket client = note_tcp(self);
        NOTE_NEED(self, client != NOTE_NO_SOCKET, "socket");
        note_timeout(client, 2000);
        const uint64_t start_ns = rs_os_now_ns();
        const bool connected = note_connect(client, &address);
        note_add(self, CONNECT_US, note_us_since(start_ns));
        note_add(self, CONNECTED, connected);
        if (!connected) {
            return; /* that is the answer */
        }
        first = i == 0 ? client : first;
    }
    const int64_t sent = note_send(first, hello, sizeof hello);
    note_add(self, SENT, (double)sent);
    NOTE_NEED(self, sent > 0, "send");

    NOTE_NEED(self, note_readable(listener, 2000), "a connection to accept");
    const note_socket accepted = note_accept(self, listener);
    NOTE_NEED(self, accepted != NOTE_NO_SOCKET, "accept");
    note_timeout(accepted, 2000);
    note_add(self, RECEIVED, (double)note_recv_all(accepted, buffer, (size_t)sent));
}

const note_entry note_a1 = {
    .file = NOTE_FILE("a1_backlog_completes_connections"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
