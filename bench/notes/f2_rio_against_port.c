/* SPDX-License-Identifier: MIT */
/* f2: RIO removes the overhead of overlapped I/O.
 *
 * Experiment: one connection, messages of 64 bytes to and fro, the near end with WSARecv, WSASend
 * and a port, and with RIO and a polled queue. Time a message, the ways taking turns. A thread that
 * polls is not one that sleeps: what that is worth by itself, and with many connections, is for
 * compare. Documented: RIO is for less time a message and less jitter ("Registered Input/Output API
 * Extensions"). Refuted by: messages that take no less time. */
#include "notes/note_kernel.h"

#define MESSAGES 300u
#define BYTES 64u
#define ROUNDS 9u

enum { PORT_NS, RIO_NS, RATIO };
static const note_figure figures[] = {
    [PORT_NS] = {"a message by overlapped I/O and a port", "ns", NOTE_MEDIAN},
    [RIO_NS] = {"by RIO", "ns", NOTE_MEDIAN},
    [RATIO] = {"port to RIO", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_by_ratio(&seen[RATIO], "time of overlapped I/O to that of RIO");
}

#ifdef _WIN32

typedef struct link {
    OVERLAPPED recv, send;
    HANDLE port;
    note_socket pair[2];
    char bytes[BYTES];
} link;

static bool started(int rc) {
    return rc == 0 || rc == WSA_IO_PENDING;
}

static bool port_message(link *l) {
    char read[BYTES];
    DWORD moved = 0;
    ULONG_PTR key = 0;
    l->recv = (OVERLAPPED){.hEvent = NULL};
    l->send = (OVERLAPPED){.hEvent = NULL};
    return note_send(l->pair[1], read, BYTES) == BYTES &&
           started(note_post_recv(l->pair[0], l->bytes, BYTES, &l->recv, &moved)) &&
           note_take(l->port, 1000, &moved, &key) == &l->recv && moved == BYTES &&
           started(note_post_send(l->pair[0], l->bytes, BYTES, &l->send, &moved)) &&
           note_take(l->port, 1000, &moved, &key) == &l->send &&
           note_recv_all(l->pair[1], read, BYTES) == BYTES;
}

static bool rio_message(note_rio *rio) {
    RIORESULT result;
    char read[BYTES];
    return note_send(rio->peer, rio->memory, BYTES) == BYTES && note_rio_recv(rio, 0, BYTES) == 0 &&
           note_rio_take(rio, 1000, &result) && result.BytesTransferred == BYTES &&
           note_rio_send(rio, 0, BYTES) == 0 && note_rio_take(rio, 1000, &result) &&
           note_recv_all(rio->peer, read, BYTES) == BYTES;
}

/* Nanoseconds a message; 0: one failed. rio: NULL for the port. */
static double play(link *l, note_rio *rio) {
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < MESSAGES; i++) {
        if (!(rio != NULL ? rio_message(rio) : port_message(l))) {
            return 0;
        }
    }
    return (double)(rs_os_now_ns() - start_ns) / MESSAGES;
}

static void run(note *self) {
    link *l = note_memory(self, sizeof *l);
    note_rio rio;
    NOTE_NEED(self, l != NULL && note_pair(self, l->pair), "a pair");
    l->port = note_port(self, 1);
    NOTE_NEED(self, note_attach(self, l->port, l->pair[0], 0), "a port");
    NOTE_NEED(self, note_rio_open(self, &rio, 4, 1), "Registered I/O");
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const bool port_first = i % 2 == 0;
        const double a = play(l, port_first ? NULL : &rio), b = play(l, port_first ? &rio : NULL);
        NOTE_NEED(self, a > 0 && b > 0, "a message");
        note_add(self, PORT_NS, port_first ? a : b);
        note_add(self, RIO_NS, port_first ? b : a);
        note_add(self, RATIO, port_first ? a / b : b / a);
    }
    note_rio_close(self, &rio);
}

#endif

const note_entry note_f2 = {
    .file = NOTE_FILE("f2_rio_against_port"),
    .where = NOTE_WINDOWS_KERNEL,
    .cannot = "Registered I/O; one that is lent is io_uring",
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare",
};
