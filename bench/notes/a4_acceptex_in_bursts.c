/* SPDX-License-Identifier: MIT */
/* a4: AcceptEx helps when many connect at once.
 *
 * Experiment: 128 clients connect at the same moment; the server accepts each and sends it a byte.
 * Served by one thread in accept, and by one thread at a port with 1, 16 and 128 AcceptEx
 * outstanding, posted beforehand. The time until the last client has its byte, the ways taking
 * turns; and the calls that the server's thread makes for a connection while the clients wait.
 *
 * Documented: AcceptEx does in one call what takes several, and several can be outstanding
 * (Winsock, AcceptEx).
 *
 * Refuted by: accept being as quick as the best of the others. The calls do not decide: AcceptEx
 * needs more of them, but those of requests posted beforehand were made before the burst. `compare`
 * measures 512 clients with whole servers. */
#include "notes/note_net.h"

#define CLIENTS 128u
#define ROUNDS 3u

enum {
    ACCEPT_MS,
    ONE_MS,
    SOME_MS,
    MANY_MS,
    RATIO,
    ACCEPT_CALLS,
    ONE_CALLS,
    SOME_CALLS,
    MANY_CALLS
};
static const note_figure figures[] = {
    [ACCEPT_MS] = {"a thread in accept", "ms", NOTE_MEDIAN},
    [ONE_MS] = {"1 AcceptEx", "ms", NOTE_MEDIAN},
    [SOME_MS] = {"16 AcceptEx", "ms", NOTE_MEDIAN},
    [MANY_MS] = {"128 AcceptEx", "ms", NOTE_MEDIAN},
    [RATIO] = {"accept to 128 AcceptEx", "", NOTE_MEDIAN},
    [ACCEPT_CALLS] = {"calls a connection in the burst: accept", "", NOTE_MEDIAN},
    [ONE_CALLS] = {"with 1 AcceptEx", "", NOTE_MEDIAN},
    [SOME_CALLS] = {"with 16 AcceptEx", "", NOTE_MEDIAN},
    [MANY_CALLS] = {"with 128 AcceptEx", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const note_verdict by_time =
        note_by_ratio(&seen[RATIO], "time to serve a burst with accept to that with AcceptEx");
    return note_say(by_time.kind,
                    "%s; calls a connection in the burst: %.2f with accept, %.2f with "
                    "1 AcceptEx, %.2f with 16, %.2f with 128",
                    by_time.words, seen[ACCEPT_CALLS].value, seen[ONE_CALLS].value,
                    seen[SOME_CALLS].value, seen[MANY_CALLS].value);
}

#ifdef _WIN32

typedef struct server {
    note *self;
    note_socket listener;
    uint32_t posted; /* AcceptEx so far */
    HANDLE port;
    LPFN_ACCEPTEX accept_ex;
    note_accepting accepting[CLIENTS];
    uint32_t served;
    uint32_t calls; /* into the system, of the serving thread */
} server;

static void serve_accept(void *arg) {
    server *s = arg;
    while (s->served < CLIENTS) {
        const note_socket client = note_accept(s->self, s->listener);
        s->calls += 2; /* accept, send */
        if (client == NOTE_NO_SOCKET || note_send(client, "x", 1) != 1) {
            return;
        }
        s->served++;
    }
}

static bool post(server *s, note_accepting *accepting) {
    s->posted++;
    return note_accept_post(s->self, s->accept_ex, s->listener, accepting, 0);
}

static void serve_accept_ex(void *arg) {
    server *s = arg;
    while (s->served < CLIENTS) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        note_accepting *done = (note_accepting *)note_take(s->port, 3000, &bytes, &key);
        s->calls += 2; /* GetQueuedCompletionStatus, send */
        if (done == NULL || note_send(done->socket, "x", 1) != 1) {
            return;
        }
        s->served++;
        if (s->posted < CLIENTS) {
            s->calls += 2; /* WSASocket, AcceptEx */
            if (!post(s, done)) {
                return;
            }
        }
    }
}

/* Milliseconds until all clients have their byte; 0: a failure. outstanding 0: accept. *calls: of
 * the serving thread, a connection. */
static double burst(note *self, uint32_t outstanding, double *calls) {
    struct sockaddr_in address;
    note_socket client[CLIENTS];
    rs_os_thread *thread;
    char byte;
    uint32_t got = 0;
    const rs_os_thread_fn way = outstanding == 0 ? serve_accept : serve_accept_ex;
    server *s = note_memory(self, sizeof *s);
    const note_socket listener = note_listen(self, CLIENTS, &address);
    if (s == NULL || listener == NOTE_NO_SOCKET) {
        return 0;
    }
    s->self = self;
    s->listener = listener;
    s->port = note_port(self, 1);
    if (!note_attach(self, s->port, listener, 0) ||
        !note_extension(self, listener, (GUID)WSAID_ACCEPTEX, &s->accept_ex, sizeof s->accept_ex)) {
        return 0;
    }
    bool posted = true;
    for (uint32_t i = 0; posted && i < outstanding; i++) {
        posted = post(s, &s->accepting[i]);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        client[i] = note_tcp(self);
        note_blocking(client[i], false);
    }
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)note_connect_begin(client[i], &address); /* shows as a client that is not served */
    }
    if (!posted || rs_os_thread_start(&thread, way, s, NULL) != RS_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < CLIENTS && note_readable(client[i], 3000); i++) {
        got += note_recv(client[i], &byte, 1) == 1;
    }
    const double ms = note_us_since(start_ns) / 1e3;
    rs_os_thread_join(thread);
    *calls = (double)s->calls / CLIENTS;
    note_close_all(self);
    return got == CLIENTS ? ms : 0;
}

static void run(note *self) {
    static const uint32_t outstanding[] = {0, 1, 16, CLIENTS};
    double ms[4], calls = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t way = round % 2 == 0 ? i : 3 - i;
            ms[way] = burst(self, outstanding[way], &calls);
            NOTE_NEED(self, ms[way] > 0, "a burst of connections");
            note_add(self, ACCEPT_MS + way, ms[way]);
            note_add(self, ACCEPT_CALLS + way, calls);
        }
        note_add(self, RATIO, ms[0] / ms[3]);
    }
}

#endif

const note_entry note_a4 = {
    .file = NOTE_FILE("a4_acceptex_in_bursts"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario ramp",
};
