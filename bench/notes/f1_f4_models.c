/* SPDX-License-Identifier: MIT */
/* f1: select, then WSAAsyncSelect and WSAEventSelect, then overlapped, then IOCP, in order of
 *     performance.
 * f4: synchronous calls with notification against asynchronous calls with notification.
 *
 * Experiment, the ladder in short: 48 connections, 8 of which get a byte; one thread finds and
 * receives them by select, WSAEventSelect, overlapped events, routines and a port. Time a message,
 * the models taking turns. f4 sets the mean of the first two, which are told that a call would
 * succeed, against the mean of the other three, which are told that one has ended.
 * Documented: no figures. Refuted by: an order that the intervals of the ratios do not show.
 * WSAAsyncSelect needs a window: it is in the ladder alone. */
#include "notes/note_net.h"

#define SOCKETS 48u
#define BUSY 8u
#define TURNS 8u
#define ROUNDS 5u
#define MODELS 5u

enum { SELECT_NS, EVENT_NS, OVERLAPPED_NS, ROUTINE_NS, PORT_NS };
enum { SELECT_EVENT = MODELS, EVENT_OVERLAPPED, OVERLAPPED_PORT, SELECT_PORT };
#define MODEL_ROWS                                                                                 \
    [SELECT_NS] = {"a message by select", "ns", NOTE_MEDIAN},                                      \
    [EVENT_NS] = {"by WSAEventSelect", "ns", NOTE_MEDIAN},                                         \
    [OVERLAPPED_NS] = {"by overlapped events", "ns", NOTE_MEDIAN},                                 \
    [ROUTINE_NS] = {"by completion routines", "ns", NOTE_MEDIAN},                                  \
    [PORT_NS] = {"by a port", "ns", NOTE_MEDIAN}
static const note_figure f1_figures[] = {
    MODEL_ROWS,
    [SELECT_EVENT] = {"select to WSAEventSelect", "", NOTE_MEDIAN},
    [EVENT_OVERLAPPED] = {"WSAEventSelect to overlapped events", "", NOTE_MEDIAN},
    [OVERLAPPED_PORT] = {"overlapped events to port", "", NOTE_MEDIAN},
    [SELECT_PORT] = {"select to port", "", NOTE_MEDIAN},
};

static note_verdict f1_judge(const note_seen *seen) {
    char words[4][64];
    uint32_t in_order = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const note_seen *ratio = &seen[SELECT_EVENT + i];
        note_ratio_words(ratio, words[i], sizeof words[i]);
        in_order += i < 3 && note_ratio_differs(ratio) && ratio->low > 1;
    }
    const note_seen *ends = &seen[SELECT_PORT];
    const bool some = in_order > 0 || (note_ratio_differs(ends) && ends->low > 1);
    return note_say(in_order == 3 ? NOTE_HOLDS
                    : some        ? NOTE_IN_PART
                                  : NOTE_DOES_NOT_HOLD,
                    "time a message, each to the next: select %s, WSAEventSelect %s, overlapped "
                    "%s; select to port %s",
                    words[0], words[1], words[2], words[3]);
}

enum { GROUPS = MODELS };
static const note_figure f4_figures[] = {
    MODEL_ROWS,
    [GROUPS] = {"synchronous group to asynchronous group", "", NOTE_MEDIAN},
};

static note_verdict f4_judge(const note_seen *seen) {
    return note_by_ratio(&seen[GROUPS], "time of synchronous calls with notification to that of "
                                        "asynchronous ones");
}

#ifdef _WIN32

typedef struct link {
    OVERLAPPED overlapped; /* first: what a completion gives */
    note_socket served, client;
    HANDLE event;
    char byte;
} link;

static uint32_t routines; /* of the thread of run */

static bool post(link *l, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    WSABUF buffer = {.len = 1, .buf = &l->byte};
    DWORD flags = 0;
    l->overlapped = (OVERLAPPED){.hEvent = l->event};
    return WSARecv(l->served, &buffer, 1, NULL, &flags, &l->overlapped, routine) == 0 ||
           WSAGetLastError() == WSA_IO_PENDING;
}

static void CALLBACK on_end(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags) {
    (void)flags;
    routines += error == 0 && bytes == 1 && post((link *)overlapped, on_end);
}

/* Each takes what is there, one message at least; how many. 0: failed, or none within 1 s. */
static uint32_t by_select(link *all) {
    struct timeval wait = {.tv_sec = 1};
    uint32_t taken = 0;
    char byte;
    fd_set set;
    FD_ZERO(&set);
    for (uint32_t i = 0; i < SOCKETS; i++) {
        set.fd_array[i] = all[i].served;
    }
    set.fd_count = SOCKETS;
    (void)select(0, &set, NULL, NULL, &wait); /* none: the set is empty */
    for (uint32_t i = 0; i < set.fd_count; i++) {
        taken += note_recv(set.fd_array[i], &byte, 1) == 1;
    }
    return taken;
}

/* The index of an event that is set; SOCKETS: none within 1 s. */
static uint32_t wait_event(const link *all) {
    HANDLE event[SOCKETS];
    for (uint32_t i = 0; i < SOCKETS; i++) {
        event[i] = all[i].event;
    }
    const DWORD told = WSAWaitForMultipleEvents(SOCKETS, event, FALSE, 1000, FALSE);
    return told < WSA_WAIT_EVENT_0 + SOCKETS ? told - WSA_WAIT_EVENT_0 : SOCKETS;
}

static uint32_t by_event(link *all) {
    const uint32_t i = wait_event(all);
    WSANETWORKEVENTS events;
    char byte;
    return i < SOCKETS && WSAEnumNetworkEvents(all[i].served, all[i].event, &events) == 0 &&
           note_recv(all[i].served, &byte, 1) == 1;
}

static uint32_t by_overlapped(link *all) {
    const uint32_t i = wait_event(all);
    DWORD bytes = 0, flags = 0;
    return i < SOCKETS &&
           WSAGetOverlappedResult(all[i].served, &all[i].overlapped, &bytes, FALSE, &flags) &&
           bytes == 1 && ResetEvent(all[i].event) && post(&all[i], NULL);
}

static uint32_t by_routine(link *all) {
    (void)all;
    routines = 0;
    (void)SleepEx(1000, TRUE);
    return routines;
}

static HANDLE models_port;

static uint32_t by_port(link *all) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    (void)all;
    link *l = (link *)note_take(models_port, 1000, &bytes, &key);
    return l != NULL && bytes == 1 && post(l, NULL);
}

static bool prepare(note *self, link *all, uint32_t model) {
    bool good = true;
    for (uint32_t i = 0; i < SOCKETS && good; i++) {
        note_socket pair[2];
        good = note_pair(self, pair);
        all[i].served = pair[0];
        all[i].client = pair[1];
        all[i].event = model == EVENT_NS || model == OVERLAPPED_NS ? note_event(self) : NULL;
        if (model == EVENT_NS) {
            good = good && WSAEventSelect(pair[0], all[i].event, FD_READ) == 0;
        } else if (model != SELECT_NS) {
            good = good && (model != PORT_NS || note_attach(self, models_port, pair[0], 0)) &&
                   post(&all[i], model == ROUTINE_NS ? on_end : NULL);
        }
    }
    return good;
}

/* Nanoseconds a message of the receiving side; 0: one was missing. */
static double turns(link *all, uint32_t (*serve)(link *)) {
    uint64_t ns = 0;
    for (uint32_t t = 0; t < TURNS; t++) {
        for (uint32_t i = 0; i < BUSY; i++) {
            if (note_send(all[(t + i * (SOCKETS / BUSY)) % SOCKETS].client, "x", 1) != 1) {
                return 0;
            }
        }
        const uint64_t start_ns = rs_os_now_ns();
        for (uint32_t taken = 0, now; taken < BUSY; taken += now) {
            now = serve(all);
            if (now == 0) {
                return 0;
            }
        }
        ns += rs_os_now_ns() - start_ns;
    }
    return (double)ns / (TURNS * BUSY);
}

/* figure: what to do with the times of a round. */
static void measure(note *self, void (*round_done)(note *, const double *)) {
    static uint32_t (*const serve[MODELS])(link *) = {by_select, by_event, by_overlapped,
                                                      by_routine, by_port};
    link *all[MODELS];
    models_port = note_port(self, 1);
    for (uint32_t m = 0; m < MODELS; m++) {
        all[m] = note_memory(self, SOCKETS * sizeof *all[m]);
        NOTE_NEED(self, all[m] != NULL && prepare(self, all[m], m), "a model's sockets");
    }
    for (uint32_t round = 0; round <= ROUNDS; round++) { /* the first warms up */
        double ns[MODELS];
        for (uint32_t i = 0; i < MODELS; i++) {
            const uint32_t m = round % 2 == 0 ? i : MODELS - 1 - i;
            ns[m] = turns(all[m], serve[m]);
            NOTE_NEED(self, ns[m] > 0, "a message");
            if (round > 0) {
                note_add(self, m, ns[m]);
            }
        }
        if (round > 0) {
            round_done(self, ns);
        }
    }
    /* No routine is left for another entry of this thread: each has a thread of its own. */
}

static void f1_round(note *self, const double *ns) {
    note_add(self, SELECT_EVENT, ns[SELECT_NS] / ns[EVENT_NS]);
    note_add(self, EVENT_OVERLAPPED, ns[EVENT_NS] / ns[OVERLAPPED_NS]);
    note_add(self, OVERLAPPED_PORT, ns[OVERLAPPED_NS] / ns[PORT_NS]);
    note_add(self, SELECT_PORT, ns[SELECT_NS] / ns[PORT_NS]);
}

static void f4_round(note *self, const double *ns) {
    note_add(self, GROUPS,
             (ns[SELECT_NS] + ns[EVENT_NS]) / 2 /
                 ((ns[OVERLAPPED_NS] + ns[ROUTINE_NS] + ns[PORT_NS]) / 3));
}

static void run_f1(note *self) {
    measure(self, f1_round);
}

static void run_f4(note *self) {
    measure(self, f4_round);
}

#endif

const note_entry note_f1 = {
    .file = NOTE_FILE("f1_f4_models"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(f1_figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = f1_judge,
    .run = NOTE_ON_WINDOWS(run_f1),
    .command = "compare --ladder",
};

const note_entry note_f4 = {
    .file = NOTE_FILE("f1_f4_models"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(f4_figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = f4_judge,
    .run = NOTE_ON_WINDOWS(run_f4),
    .command = "compare --ladder",
};
