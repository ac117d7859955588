/* SPDX-License-Identifier: MIT */
/* a7: workers have to exist before connections are accepted.
 *
 * Experiment: 32 connections are accepted, attached to a port, and given a receive each, with no
 * thread at the port. Their clients send. After 200 ms the first thread comes and takes what is
 * there.
 *
 * Documented: packets wait in the port until a thread takes them; a port needs no thread (Windows,
 * I/O Completion Ports).
 *
 * Refuted by: every packet being there. What the statement is right in: nobody is served
 * meanwhile. */
#include "notes/note_net.h"

#define CONNECTIONS 32u
#define LATE_MS 200u

enum { PACKETS, RIGHT_BYTES, FIRST_US };
static const note_figure figures[] = {
    [PACKETS] = {"packets that had waited, of 32", "", NOTE_LEAST},
    [RIGHT_BYTES] = {"with the right bytes", "", NOTE_LEAST},
    [FIRST_US] = {"to take all, once there is a thread", "us", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[PACKETS].value < CONNECTIONS || seen[RIGHT_BYTES].value < CONNECTIONS) {
        return note_say(NOTE_HOLDS, "of %u receives %.0f packets were there, %.0f right",
                        CONNECTIONS, seen[PACKETS].value, seen[RIGHT_BYTES].value);
    }
    return note_say(NOTE_DOES_NOT_HOLD,
                    "not for safety: all %u completions waited in the port for %u ms, whole, and "
                    "were taken in %.0f us. The order is good manners: nobody is served meanwhile",
                    CONNECTIONS, LATE_MS, seen[FIRST_US].value);
}

#ifdef _WIN32

typedef struct receive {
    OVERLAPPED overlapped;
    char buffer[16];
} receive;

static void run(note *self) {
    const HANDLE port = note_port(self, 0);
    receive *r = note_memory(self, CONNECTIONS * sizeof *r);
    note_socket pair[2];
    uint32_t packets = 0, right = 0;
    NOTE_NEED(self, r != NULL, "memory");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        DWORD moved = 0;
        const char byte = (char)i;
        NOTE_NEED(self, note_pair(self, pair) && note_attach(self, port, pair[0], i), "a pair");
        const int rc = note_post_recv(pair[0], r[i].buffer, 16, &r[i].overlapped, &moved);
        NOTE_NEED(self, rc == 0 || rc == WSA_IO_PENDING, "WSARecv");
        NOTE_NEED(self, note_send(pair[1], &byte, 1) == 1, "send");
    }
    rs_os_sleep_ms(LATE_MS);
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        const receive *taken = (receive *)note_take(port, 0, &bytes, &key);
        packets += taken != NULL;
        right += taken != NULL && taken == &r[key] && bytes == 1 && taken->buffer[0] == (char)key;
    }
    note_add(self, FIRST_US, note_us_since(start_ns));
    note_add(self, PACKETS, packets);
    note_add(self, RIGHT_BYTES, right);
}

#endif

const note_entry note_a7 = {
    .file = NOTE_FILE("a7_workers_before_accept"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
