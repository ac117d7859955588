/* SPDX-License-Identifier: MIT */
/* c14: a thread's pending I/O is cancelled when the thread ends.
 *
 * Experiment: a thread posts a WSARecv and ends; its socket has an event, or a port. Is the request
 * over within 0.3 s, and with what status? If not, do bytes that come later complete it?
 * Documented: a thread's pending I/O is cancelled when it ends; since Windows Vista not if the
 * handle is bound to a completion port (Winsock, WSARecv; I/O, "Canceling Pending I/O Operations").
 * Refuted by: a request without a port that outlives its thread. */
#include "notes/note_net.h"

enum { CANCELLED_EVENT, STATUS_EVENT, CANCELLED_PORT, LIVES_ON };
static const note_figure figures[] = {
    [CANCELLED_EVENT] = {"without a port: over when the thread was", "", NOTE_LEAST},
    [STATUS_EVENT] = {"with the error", "", NOTE_MEDIAN},
    [CANCELLED_PORT] = {"with a port: over when the thread was", "", NOTE_MOST},
    [LIVES_ON] = {"requests that later bytes completed", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    const bool alone = seen[CANCELLED_EVENT].value > 0, at_port = seen[CANCELLED_PORT].value > 0;
    if (!alone && !at_port) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "both requests outlived their thread; later bytes completed %.0f",
                        seen[LIVES_ON].value);
    }
    return note_say(alone && at_port ? NOTE_HOLDS : NOTE_IN_PART,
                    "without a port the request %s (%.0f), with one it %s",
                    alone ? "was cancelled" : "lived on", seen[STATUS_EVENT].value,
                    at_port ? "was cancelled" : "lived on");
}

#ifdef _WIN32

typedef struct request {
    OVERLAPPED overlapped;
    note_socket pair[2];
    int rc;
    char byte;
} request;

static void post(void *arg) {
    request *r = arg;
    DWORD bytes = 0;
    r->rc = note_post_recv(r->pair[0], &r->byte, 1, &r->overlapped, &bytes);
}

/* A request whose thread is over; NULL: note_failed has said why. */
static request *begin(note *self, HANDLE event, HANDLE port) {
    request *r = note_memory(self, sizeof *r);
    rs_os_thread *thread;
    if (r == NULL || !note_pair(self, r->pair) ||
        (port != NULL && !note_attach(self, port, r->pair[0], 0))) {
        return NULL;
    }
    r->overlapped.hEvent = event;
    if (rs_os_thread_start(&thread, post, r, NULL) != RS_OK) {
        return NULL;
    }
    rs_os_thread_join(thread);
    return r->rc == WSA_IO_PENDING ? r : NULL;
}

static void run(note *self) {
    const HANDLE event = note_event(self), port = note_port(self, 1);
    request *alone = begin(self, event, NULL), *at_port = begin(self, NULL, port);
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    NOTE_NEED(self, alone != NULL && at_port != NULL, "a request");
    const int status = note_await(alone->pair[0], &alone->overlapped, 300, &bytes);
    note_add(self, CANCELLED_EVENT, status != WAIT_TIMEOUT);
    note_add(self, STATUS_EVENT, status == WAIT_TIMEOUT ? 0 : status);
    const bool over = note_take(port, 300, &bytes, &key) == &at_port->overlapped;
    note_add(self, CANCELLED_PORT, over);
    NOTE_NEED(self, note_send(alone->pair[1], "x", 1) == 1, "send");
    NOTE_NEED(self, note_send(at_port->pair[1], "x", 1) == 1, "send");
    note_add(self, LIVES_ON,
             status == WAIT_TIMEOUT &&
                 note_await(alone->pair[0], &alone->overlapped, 1000, &bytes) == 0 && bytes == 1);
    note_add(self, LIVES_ON, !over && note_take(port, 1000, &bytes, &key) == &at_port->overlapped);
}

#endif

const note_entry note_c14 = {
    .file = NOTE_FILE("c14_thread_ends"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
