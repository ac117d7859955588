/* SPDX-License-Identifier: MIT */
/* d6: WSAENOBUFS should end the client and not the server.
 *
 * Experiment: 16 sessions echo a byte each turn, from a port; after half of the turns the send of
 * one fails with WSAENOBUFS: it is made to, since no program can bring this about at will. The
 * server closes that one and goes on. Where there is RIO the same with 8 sessions, and there the
 * error is real: one session sends more than its request queue holds. Are the others served, and
 * how long does a turn take?
 * Documented: WSAENOBUFS is returned for the one request (Winsock, WSASend; RIOSend). Refuted by:
 * others that lose a message, or turns of twice the time. At length: both servers under load with a
 * send that fails so. */
#include "notes/note_kernel.h"

#define SESSIONS 16u
#define RIO_SESSIONS 8u
#define RIO_DEPTH 4u
#define TURNS 20u /* before, and after */
#define VICTIM 3u

enum { ENDED, LOST, SLOWER, RIO_ENDED, RIO_LOST };
static const note_figure figures[] = {
    [ENDED] = {"sessions that ended, of 1", "", NOTE_LEAST},
    [LOST] = {"answers the other 15 missed, of 600", "", NOTE_SUM},
    [SLOWER] = {"turn after it to turn before", "", NOTE_MEDIAN},
    [RIO_ENDED] = {"with RIO: sessions that ended, of 1", "", NOTE_LEAST},
    [RIO_LOST] = {"with RIO: answers the other 7 missed, of 280", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    const bool rio = seen[RIO_ENDED].count > 0, lost = rio && seen[RIO_LOST].value > 0;
    const bool one = seen[ENDED].value == 1 && (!rio || seen[RIO_ENDED].value == 1);
    return note_say(seen[LOST].value > 0 || lost || !one ? NOTE_DOES_NOT_HOLD
                    : seen[SLOWER].low > 2               ? NOTE_IN_PART
                                                         : NOTE_HOLDS,
                    "the session ended alone; the others missed %.0f answers, and a turn took %.2f "
                    "times as long; with RIO: %s",
                    seen[LOST].value, seen[SLOWER].value,
                    !rio   ? "not here"
                    : lost ? "others missed answers"
                           : "the same, with an error that was real");
}

#ifdef _WIN32

typedef struct session {
    OVERLAPPED recv, send;
    note_socket served, client;
    bool open;
    char in, out;
} session;

typedef struct server {
    HANDLE port;
    const session *fails; /* whose next send finds no buffers */
    uint32_t open;
    session session[SESSIONS];
} server;

static bool post(session *s) {
    DWORD moved = 0;
    s->recv = (OVERLAPPED){.hEvent = NULL};
    const int rc = note_post_recv(s->served, &s->in, 1, &s->recv, &moved);
    return rc == 0 || rc == WSA_IO_PENDING;
}

/* The server's rule: an error of one request is the end of one session. */
static void echo(note *self, server *v, session *s) {
    DWORD moved = 0;
    s->out = s->in;
    s->send = (OVERLAPPED){.hEvent = NULL};
    const int rc =
        v->fails == s ? WSAENOBUFS : note_post_send(s->served, &s->out, 1, &s->send, &moved);
    if ((rc != 0 && rc != WSA_IO_PENDING) || !post(s)) {
        note_close(self, s->served);
        s->open = false;
        v->open--;
    }
}

/* One message of every session; the microseconds it took. *missed: answers of open ones. */
static double turn(note *self, server *v, uint32_t *missed) {
    const uint64_t start_ns = rs_os_now_ns();
    uint32_t arrived = 0, sent = 0;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    char byte;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        sent += v->session[i].open && note_send(v->session[i].client, "m", 1) == 1;
    }
    while (arrived < sent) {
        const OVERLAPPED *done = note_take(v->port, 1000, &bytes, &key);
        if (done == NULL) {
            break;
        }
        if (done == &v->session[key].recv) {
            echo(self, v, &v->session[key]);
            arrived++;
        }
    }
    for (uint32_t i = 0; i < SESSIONS; i++) {
        session *s = &v->session[i];
        *missed += s->open && note_recv(s->client, &byte, 1) != 1;
    }
    return note_us_since(start_ns);
}

static void with_port(note *self) {
    server *v = note_memory(self, sizeof *v);
    uint32_t missed = 0;
    double before[TURNS], after[TURNS];
    NOTE_NEED(self, v != NULL, "memory");
    v->port = note_port(self, 1);
    NOTE_NEED(self, v->port != NULL, "a port");
    for (uint32_t i = 0; i < SESSIONS; i++) {
        session *s = &v->session[i];
        note_socket pair[2];
        NOTE_NEED(self, note_pair(self, pair), "a pair");
        *s = (session){.served = pair[0], .client = pair[1], .open = true};
        note_timeout(s->client, 1000);
        NOTE_NEED(self, note_attach(self, v->port, s->served, i) && post(s), "WSARecv");
    }
    v->open = SESSIONS;
    for (uint32_t i = 0; i < TURNS; i++) {
        before[i] = turn(self, v, &missed);
    }
    v->fails = &v->session[VICTIM];
    missed += turn(self, v, &missed) < 0;
    for (uint32_t i = 0; i < TURNS; i++) {
        after[i] = turn(self, v, &missed);
    }
    note_sort(before, TURNS);
    note_sort(after, TURNS);
    note_add(self, ENDED, !v->session[VICTIM].open ? SESSIONS - v->open : 0);
    note_add(self, LOST, missed);
    note_add(self, SLOWER, note_percentile(after, TURNS, 50) / note_percentile(before, TURNS, 50));
}

/* One byte to and fro; false: it was not answered. */
static bool rio_turn(note_rio *rio) {
    RIORESULT result;
    char byte;
    return note_send(rio->peer, "m", 1) == 1 && note_rio_recv(rio, 0, 1) == 0 &&
           note_rio_take(rio, 1000, &result) && note_rio_send(rio, 0, 1) == 0 &&
           note_rio_take(rio, 1000, &result) && note_recv(rio->peer, &byte, 1) == 1;
}

static void with_rio(note *self) {
    static note_rio rio[RIO_SESSIONS];
    uint32_t opened = 0, missed = 0, ended = 0;
    while (opened < RIO_SESSIONS && note_rio_open(self, &rio[opened], RIO_DEPTH, 1)) {
        note_timeout(rio[opened++].peer, 1000);
    }
    for (uint32_t t = 0; opened == RIO_SESSIONS && t < 2 * TURNS; t++) {
        for (uint32_t i = 0; t == TURNS && i < 4 * RIO_DEPTH && ended == 0; i++) {
            if (note_rio_send(&rio[VICTIM], 0, 1) == WSAENOBUFS) { /* more than its queue holds */
                note_rio_close(self, &rio[VICTIM]);
                ended++;
            }
        }
        for (uint32_t i = 0; i < RIO_SESSIONS; i++) {
            missed += i != VICTIM && !rio_turn(&rio[i]);
        }
    }
    for (uint32_t i = 0; i < opened; i++) {
        if (ended == 0 || i != VICTIM) {
            note_rio_close(self, &rio[i]);
        }
    }
    if (opened == RIO_SESSIONS) {
        note_add(self, RIO_ENDED, ended);
        note_add(self, RIO_LOST, missed);
    }
}

static void run(note *self) {
    with_port(self);
    with_rio(self);
}

#endif

const note_entry note_d6 = {
    .file = NOTE_FILE("d6_no_buffers_ends_one"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "ctest --preset windows -R integration.no_buffers",
};
