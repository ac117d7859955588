/* SPDX-License-Identifier: MIT */
/* b7: WSARecv with data there completes in the call; without, it pends, and only then is it
 * "overlapped".
 * b8: WSASend completes in the call while there is room, and pends when the buffer is full.
 *
 * Experiment: each request in both states of its socket, on sockets of a port, one of them with
 * FILE_SKIP_COMPLETION_PORT_ON_SUCCESS. Was it done when the call came back? Did a packet come for
 * it?
 *
 * Documented: a request that completes in the call returns 0, and its packet is queued all the
 * same, unless skipped (Winsock, WSARecv, WSASend; SetFileCompletionNotificationModes).
 *
 * Refuted by: a request that pends although it can be done, or the other way round. */
#include "notes/note_net.h"

#define CASES 4u /* possible, impossible at first; then both with skip-on-success */

enum { DONE_IN_CALL, PACKET = CASES };
static const note_figure recv_figures[] = {
    {"data there: done in the call", "", NOTE_LEAST},
    {"nothing there: done in the call", "", NOTE_MOST},
    {"data there, skip: done in the call", "", NOTE_LEAST},
    {"nothing there, skip: done in the call", "", NOTE_MOST},
    {"data there: packets", "", NOTE_MEDIAN},
    {"nothing there: packets", "", NOTE_MEDIAN},
    {"data there, skip: packets", "", NOTE_MEDIAN},
    {"nothing there, skip: packets", "", NOTE_MEDIAN},
};
static const note_figure send_figures[] = {
    {"room: done in the call", "", NOTE_LEAST},
    {"no room: done in the call", "", NOTE_MOST},
    {"room, skip: done in the call", "", NOTE_LEAST},
    {"no room, skip: done in the call", "", NOTE_MOST},
    {"room: packets", "", NOTE_MEDIAN},
    {"no room: packets", "", NOTE_MEDIAN},
    {"room, skip: packets", "", NOTE_MEDIAN},
    {"no room, skip: packets", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const note_seen *done = &seen[DONE_IN_CALL], *packet = &seen[PACKET];
    if (done[0].value != 1 || done[2].value != 1 || done[1].value != 0 || done[3].value != 0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "done in the call when possible: %.0f, with skip %.0f; when not: %.0f, "
                        "with skip %.0f",
                        done[0].value, done[2].value, done[1].value, done[3].value);
    }
    const bool as_documented = packet[0].value == 1 && packet[1].value == 1 &&
                               packet[2].value == 0 && packet[3].value == 1;
    return note_say(as_documented ? NOTE_HOLDS : NOTE_IN_PART,
                    "done in the call when possible, pending when not; packets that came: %.0f and "
                    "%.0f, with skip-on-success %.0f and %.0f%s",
                    packet[0].value, packet[1].value, packet[2].value, packet[3].value,
                    as_documented ? "" : ", where 1, 1, 0, 1 are documented");
}

#ifdef _WIN32

#define LONG_BYTES 262144u /* of a send that finds no room: a little room does not suffice it */

typedef struct request {
    OVERLAPPED overlapped;
    char bytes[LONG_BYTES];
} request;

/* The state of the socket before the request. */
static bool prepare(bool send, bool possible, note_socket mine, note_socket peer) {
    if (send && !possible) {
        (void)note_fill(mine, 50); /* how much does not matter */
        note_blocking(mine, true);
    }
    return send || !possible || (note_send(peer, "x", 1) == 1 && note_readable(mine, 1000));
}

static void one(note *self, bool send, uint32_t which) {
    const HANDLE port = note_port(self, 1);
    request *r = note_memory(self, sizeof *r);
    const bool possible = which % 2 == 0, skip = which >= 2;
    const size_t bytes = send && !possible ? LONG_BYTES : 64;
    note_reader reader = {.slow = false};
    note_socket pair[2];
    DWORD moved = 0;
    ULONG_PTR key = 0;
    NOTE_NEED(self, r != NULL && note_pair_sized(self, pair, 16384, 16384), "a pair");
    const note_socket mine = pair[1], peer = pair[0];
    NOTE_NEED(self, note_attach(self, port, mine, 0), "a port");
    NOTE_NEED(self, !skip || note_skip_on_success(self, mine), "skip-on-success");
    NOTE_NEED(self, prepare(send, possible, mine, peer), "send");
    const int rc = send ? note_post_send(mine, r->bytes, bytes, &r->overlapped, &moved)
                        : note_post_recv(mine, r->bytes, bytes, &r->overlapped, &moved);
    NOTE_NEED(self, rc == 0 || rc == WSA_IO_PENDING, "the request");
    const bool reads = send && !possible; /* makes room */
    NOTE_NEED(self, reads ? note_reader_start(self, &reader, peer) : true, "a reader");
    NOTE_NEED(self, send || possible || note_send(peer, "x", 1) == 1, "send");
    note_add(self, DONE_IN_CALL + which, rc == 0);
    note_add(self, PACKET + which,
             note_take(port, rc == 0 ? 30 : 2000, &moved, &key) == &r->overlapped);
    note_close(self, mine);
    if (reads) {
        note_reader_join(&reader);
    }
}

static void run_recv(note *self) {
    for (uint32_t i = 0; i < CASES; i++) {
        one(self, false, i);
    }
}

static void run_send(note *self) {
    for (uint32_t i = 0; i < CASES; i++) {
        one(self, true, i);
    }
}

#endif

#define KINDS (NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART))

const note_entry note_b7 = {
    .file = NOTE_FILE("b7_b8_in_the_call_or_later"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(recv_figures),
    .kinds = KINDS,
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run_recv),
};

const note_entry note_b8 = {
    .file = NOTE_FILE("b7_b8_in_the_call_or_later"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(send_figures),
    .kinds = KINDS,
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run_send),
};
