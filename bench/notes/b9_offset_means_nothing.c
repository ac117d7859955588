/* SPDX-License-Identifier: MIT */
/* b9: Offset in OVERLAPPED means nothing to a socket.
 *
 * Experiment: 500 overlapped sends and as many receives, each with random Offset and OffsetHigh.
 * The peer sends back what it gets; every byte has to be where it would be without them.
 *
 * Documented: Offset counts on devices that have a file pointer; for others it is to be zero
 * (Windows, OVERLAPPED). Zero is what a program should have there; this one has not, to see.
 *
 * Refuted by: a request that fails, or a byte out of place. */
#include "notes/note_net.h"

#define ROUNDS 500u
#define BYTES 64u

enum { DONE, REFUSED, WRONG };
static const note_figure figures[] = {
    [DONE] = {"requests with random offsets", "", NOTE_SUM},
    [REFUSED] = {"that failed", "", NOTE_SUM},
    [WRONG] = {"bytes out of place", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[REFUSED].value > 0 || seen[WRONG].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "%.0f requests failed, %.0f bytes out of place",
                        seen[REFUSED].value, seen[WRONG].value);
    }
    return note_say(NOTE_HOLDS, "%.0f requests with random offsets, no byte out of place",
                    seen[DONE].value);
}

#ifdef _WIN32

typedef struct requests {
    OVERLAPPED overlapped;
    char bytes[BYTES];
} requests;

static bool one(note_socket socket, requests *r, bool send, uint64_t *random) {
    DWORD moved = 0;
    r->overlapped.Offset = note_random(random);
    r->overlapped.OffsetHigh = note_random(random);
    int rc = send ? note_post_send(socket, r->bytes, BYTES, &r->overlapped, &moved)
                  : note_post_recv(socket, r->bytes, BYTES, &r->overlapped, &moved);
    rc = rc == WSA_IO_PENDING ? note_await(socket, &r->overlapped, 2000, &moved) : rc;
    return rc == 0 && moved == BYTES;
}

static void run(note *self) {
    note_socket pair[2];
    uint64_t random = 9, at = 0, wrong = 0;
    uint32_t refused = 0;
    requests *out = note_memory(self, sizeof *out), *in = note_memory(self, sizeof *in);
    NOTE_NEED(self, out != NULL && in != NULL && note_pair(self, pair), "a pair");
    out->overlapped.hEvent = note_event(self);
    in->overlapped.hEvent = note_event(self);
    NOTE_NEED(self, out->overlapped.hEvent != NULL && in->overlapped.hEvent != NULL, "events");
    for (uint32_t i = 0; i < ROUNDS && refused == 0; i++) {
        for (uint32_t k = 0; k < BYTES; k++) {
            out->bytes[k] = note_pattern(at + k);
        }
        refused += !one(pair[1], out, true, &random);
        refused += !one(pair[0], in, false, &random); /* all 64 are there: nothing else is sent */
        for (uint32_t k = 0; k < BYTES; k++) {
            wrong += in->bytes[k] != note_pattern(at + k);
        }
        at += BYTES;
        note_add(self, DONE, 2);
    }
    note_add(self, REFUSED, refused);
    note_add(self, WRONG, (double)wrong);
}

#endif

const note_entry note_b9 = {
    .file = NOTE_FILE("b9_offset_means_nothing"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
