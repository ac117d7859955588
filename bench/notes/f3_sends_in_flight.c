/* SPDX-License-Identifier: MIT */
/* f3: one send in flight and the rest queued, or several at once.
 *
 * Experiment: 400 messages of 64 bytes to a peer that reads: one send in flight, a message each;
 * eight in flight, a message each; one in flight, the eight that have gathered meanwhile in one.
 * Time a message, the ways taking turns. The notes leave it open; "holds" here means that one send
 * in flight, the rest joined, costs less than several at once.
 * Documented: several sends may be outstanding; few large ones are advised ("High-performance
 * Windows Sockets applications"). Refuted by: several at once that cost as little. */
#include "notes/note_net.h"

#define MESSAGES 400u
#define BYTES 64u
#define MANY 8u
#define ROUNDS 7u
#define WAYS 3u

enum { ONE_NS, SEVERAL_NS, JOINED_NS, ONE_SEVERAL, SEVERAL_JOINED };
static const note_figure figures[] = {
    [ONE_NS] = {"a message, one in flight", "ns", NOTE_MEDIAN},
    [SEVERAL_NS] = {"eight in flight", "ns", NOTE_MEDIAN},
    [JOINED_NS] = {"one in flight of eight messages", "ns", NOTE_MEDIAN},
    [ONE_SEVERAL] = {"one to eight in flight", "", NOTE_MEDIAN},
    [SEVERAL_JOINED] = {"eight in flight to joined", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_by_ratio(&seen[SEVERAL_JOINED],
                         "time of eight sends in flight to that of one of eight messages");
}

#ifdef _WIN32

typedef struct sender {
    OVERLAPPED overlapped[MANY];
    HANDLE port;
    note_socket pair[2];
    char bytes[BYTES * MANY];
} sender;

/* Nanoseconds a message; 0: a send failed. */
static double play(sender *s, uint32_t in_flight, uint32_t messages) {
    const uint64_t start_ns = rs_os_now_ns();
    DWORD moved = 0;
    ULONG_PTR key = 0;
    for (uint32_t sent = 0; sent < MESSAGES; sent += in_flight * messages) {
        for (uint32_t i = 0; i < in_flight; i++) {
            s->overlapped[i] = (OVERLAPPED){.hEvent = NULL};
            const int rc = note_post_send(s->pair[1], s->bytes, (size_t)BYTES * messages,
                                          &s->overlapped[i], &moved);
            if (rc != 0 && rc != WSA_IO_PENDING) {
                return 0;
            }
        }
        for (uint32_t i = 0; i < in_flight; i++) {
            if (note_take(s->port, 2000, &moved, &key) == NULL || moved != BYTES * messages) {
                return 0;
            }
        }
    }
    return (double)(rs_os_now_ns() - start_ns) / MESSAGES;
}

static void run(note *self) {
    static const uint32_t in_flight[WAYS] = {1, MANY, 1}, messages[WAYS] = {1, 1, MANY};
    sender *s = note_memory(self, sizeof *s);
    note_reader reader = {.slow = false};
    double ns[WAYS] = {1, 1, 1};
    NOTE_NEED(self, s != NULL && note_pair(self, s->pair), "a pair");
    s->port = note_port(self, 1);
    NOTE_NEED(self, note_attach(self, s->port, s->pair[1], 0), "a port");
    NOTE_NEED(self, note_reader_start(self, &reader, s->pair[0]), "a reader");
    for (uint32_t round = 0; round < ROUNDS && ns[0] * ns[1] * ns[2] > 0; round++) {
        for (uint32_t i = 0; i < WAYS; i++) {
            const uint32_t way = round % 2 == 0 ? i : WAYS - 1 - i;
            ns[way] = play(s, in_flight[way], messages[way]);
            note_add(self, ONE_NS + way, ns[way]);
        }
        note_add(self, ONE_SEVERAL, ns[0] / ns[1]);
        note_add(self, SEVERAL_JOINED, ns[1] / ns[2]);
    }
    note_close(self, s->pair[1]);
    note_reader_join(&reader);
    NOTE_NEED(self, ns[0] * ns[1] * ns[2] > 0, "WSASend");
}

#endif

const note_entry note_f3 = {
    .file = NOTE_FILE("f3_sends_in_flight"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario pipelined",
};
