/* SPDX-License-Identifier: MIT */
/* a5: accept has no completion routine; it is the reactor's way in a proactor's server.
 *
 * Experiment: the ways to hear of a connection. accept: the listener's event of WSAEventSelect
 * (FD_ACCEPT) says that a call would succeed, which is readiness. AcceptEx: completes by an event,
 * and by a port; while it is outstanding an alertable wait is offered, and no routine comes.
 *
 * Documented: accept and WSAAccept take no OVERLAPPED; AcceptEx takes one and, unlike WSARecv, has
 * no parameter for a routine: that is a matter of its declaration (Winsock, AcceptEx), so no
 * program that uses one can be compiled.
 *
 * Refuted by: a routine called for an accepted connection. */
#include "notes/note_net.h"

enum { READY, BY_EVENT, BY_PORT, BY_ROUTINE };
static const note_figure figures[] = {
    [READY] = {"FD_ACCEPT told of a connection", "", NOTE_LEAST},
    [BY_EVENT] = {"AcceptEx completed by its event", "", NOTE_LEAST},
    [BY_PORT] = {"AcceptEx completed by a port", "", NOTE_LEAST},
    [BY_ROUTINE] = {"routines called in an alertable wait", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[BY_ROUTINE].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "a routine was called for a connection");
    }
    if (seen[BY_EVENT].value == 0 || seen[BY_PORT].value == 0) {
        return note_say(NOTE_IN_PART,
                        "no routine, but AcceptEx is no way out here: by event %.0f, "
                        "by port %.0f",
                        seen[BY_EVENT].value, seen[BY_PORT].value);
    }
    return note_say(NOTE_HOLDS,
                    "accept knows readiness alone (FD_ACCEPT: %s); AcceptEx completes by event and "
                    "by port, and no routine can be given to it",
                    seen[READY].value > 0 ? "told" : "not told");
}

#ifdef _WIN32

static bool arrive(note *self, const struct sockaddr_in *address) {
    const note_socket client = note_tcp(self);
    return client != NOTE_NO_SOCKET && note_connect(client, address);
}

static void run(note *self) {
    struct sockaddr_in address;
    const note_socket listener = note_listen(self, 8, &address);
    note_accepting *a = note_memory(self, 2 * sizeof *a);
    const HANDLE port = note_port(self, 1), event = note_event(self);
    LPFN_ACCEPTEX accept_ex = NULL;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    NOTE_NEED(self, listener != NOTE_NO_SOCKET && a != NULL && event != NULL, "listen");
    NOTE_NEED(self,
              note_extension(self, listener, (GUID)WSAID_ACCEPTEX, &accept_ex, sizeof accept_ex),
              "WSAIoctl");

    /* accept: told that it would succeed. */
    NOTE_NEED(self, WSAEventSelect(listener, event, FD_ACCEPT) == 0, "WSAEventSelect");
    NOTE_NEED(self, arrive(self, &address), "connect");
    note_add(self, READY, WaitForSingleObject(event, 1000) == WAIT_OBJECT_0);
    (void)WSAEventSelect(listener, NULL, 0); /* the socket stays non-blocking */
    NOTE_NEED(self, note_accept(self, listener) != NOTE_NO_SOCKET, "accept");
    (void)ResetEvent(event); /* ours */

    /* AcceptEx by event; an alertable wait beside it would run a routine. */
    a[0].overlapped.hEvent = event;
    NOTE_NEED(self, note_accept_post(self, accept_ex, listener, &a[0], 0), "AcceptEx");
    NOTE_NEED(self, arrive(self, &address), "connect");
    note_add(self, BY_EVENT, WaitForSingleObject(event, 1000) == WAIT_OBJECT_0);
    note_add(self, BY_ROUTINE, SleepEx(50, TRUE) == WAIT_IO_COMPLETION);

    NOTE_NEED(self, note_attach(self, port, listener, 5), "a port");
    NOTE_NEED(self, note_accept_post(self, accept_ex, listener, &a[1], 0), "AcceptEx");
    NOTE_NEED(self, arrive(self, &address), "connect");
    note_add(self, BY_PORT, note_take(port, 1000, &bytes, &key) == &a[1].overlapped && key == 5);
}

#endif

const note_entry note_a5 = {
    .file = NOTE_FILE("a5_accept_has_no_routine"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
