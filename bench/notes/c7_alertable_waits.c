/* SPDX-License-Identifier: MIT */
/* c7: frequent alertable waits cost.
 *
 * Experiment: 32 connections get a byte each; one thread takes them by completion routines, in an
 * alertable wait, or from a port, and asks for the next. Time a message, the ways taking turns; and
 * what an alertable wait costs that finds nothing.
 * Documented: an alertable wait enters the kernel, and each APC is delivered by a return from it
 * (Synchronization, "Asynchronous Procedure Calls"); no figures. Refuted by: routines that cost no
 * more than a port. */
#include "notes/note_net.h"

#define PAIRS 32u
#define TURNS 8u
#define ROUNDS 7u

enum { EMPTY_NS, ROUTINE_NS, PORT_NS, RATIO };
static const note_figure figures[] = {
    [EMPTY_NS] = {"an alertable wait that finds nothing", "ns", NOTE_MEDIAN},
    [ROUTINE_NS] = {"a message by routine", "ns", NOTE_MEDIAN},
    [PORT_NS] = {"a message by port", "ns", NOTE_MEDIAN},
    [RATIO] = {"time by routine to that by port", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_by_ratio(&seen[RATIO], "time of routines in alertable waits to that of a port");
}

#ifdef _WIN32

typedef struct link {
    OVERLAPPED overlapped;
    note_socket pair[2];
    char byte;
} link;

static uint32_t done; /* of the thread of run */

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags) {
    (void)flags;
    (void)overlapped;
    done += error == 0 && bytes == 1;
}

static bool post(link *l, bool by_routine) {
    WSABUF buffer = {.len = 1, .buf = &l->byte};
    DWORD flags = 0;
    l->overlapped = (OVERLAPPED){.hEvent = NULL};
    return WSARecv(l->pair[0], &buffer, 1, NULL, &flags, &l->overlapped,
                   by_routine ? routine : NULL) == 0 ||
           WSAGetLastError() == WSA_IO_PENDING;
}

/* Nanoseconds a message; 0: one did not come. port: NULL for routines. */
static double turns(link *l, HANDLE port) {
    const uint64_t start_ns = rs_os_now_ns();
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    for (uint32_t t = 0; t < TURNS; t++) {
        done = 0;
        for (uint32_t i = 0; i < PAIRS; i++) {
            if (!post(&l[i], port == NULL) || note_send(l[i].pair[1], "x", 1) != 1) {
                return 0;
            }
        }
        while (done < PAIRS) {
            if (port == NULL ? SleepEx(2000, TRUE) != WAIT_IO_COMPLETION
                             : note_take(port, 2000, &bytes, &key) == NULL) {
                return 0;
            }
            done += port != NULL;
        }
    }
    return (double)(rs_os_now_ns() - start_ns) / (TURNS * PAIRS);
}

static void run(note *self) {
    const HANDLE port = note_port(self, 1);
    link *by_routine = note_memory(self, PAIRS * sizeof *by_routine);
    link *by_port = note_memory(self, PAIRS * sizeof *by_port);
    NOTE_NEED(self, by_routine != NULL && by_port != NULL && port != NULL, "memory");
    for (uint32_t i = 0; i < PAIRS; i++) {
        NOTE_NEED(self, note_pair(self, by_routine[i].pair), "a pair");
        NOTE_NEED(self, note_pair(self, by_port[i].pair), "a pair");
        NOTE_NEED(self, note_attach(self, port, by_port[i].pair[0], 0), "a port");
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const bool first = i % 2 == 0;
        const double a = turns(first ? by_routine : by_port, first ? NULL : port);
        const double b = turns(first ? by_port : by_routine, first ? port : NULL);
        NOTE_NEED(self, a > 0 && b > 0, "a turn");
        note_add(self, ROUTINE_NS, first ? a : b);
        note_add(self, PORT_NS, first ? b : a);
        note_add(self, RATIO, first ? a / b : b / a);
        const uint64_t start_ns = rs_os_now_ns();
        for (uint32_t n = 0; n < 100; n++) {
            (void)SleepEx(0, TRUE);
        }
        note_add(self, EMPTY_NS, (double)(rs_os_now_ns() - start_ns) / 100);
    }
}

#endif

const note_entry note_c7 = {
    .file = NOTE_FILE("c7_alertable_waits"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --ladder",
};
