/* SPDX-License-Identifier: MIT */
/* b10: three overlapped sends of 100, 200 and 150 bytes on one socket complete in that order, each
 * in full.
 *
 * Experiment: rounds of three overlapped sends of random sizes up to 32 KiB, posted one behind the
 * other; their packets are taken from a completion port by one thread. The peer checks every byte
 * of the stream, and reads so slowly at times that sends pend.
 *
 * Documented: several WSASend on one socket transmit in the order of the calls; of the order in
 * which completions are told the page says nothing (Winsock, WSASend).
 *
 * Refuted by: a packet of a later send before that of an earlier one; one with fewer bytes than
 * asked for on a live connection; a byte out of place at the peer. */
#include "notes/note_net.h"

#define SENDS 3u
#define SIZE_MAX_BYTES 32768u
#define ROUNDS 10000u
#define RUN_MS 1200u /* or as many rounds as fit */

enum { DONE, PENDED, SWAPPED, CUT_SHORT, WRONG_BYTES };
static const note_figure figures[] = {
    [DONE] = {"rounds of three", "", NOTE_SUM},
    [PENDED] = {"sends that pended", "", NOTE_SUM},
    [SWAPPED] = {"completed out of order", "", NOTE_SUM},
    [CUT_SHORT] = {"completed short", "", NOTE_SUM},
    [WRONG_BYTES] = {"bytes out of place at the peer", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[DONE].value < 1) {
        return note_say(NOTE_CANNOT_TELL, "no round was finished");
    }
    if (seen[CUT_SHORT].value > 0 || seen[WRONG_BYTES].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "%.0f sends completed short, %.0f bytes arrived out of place, %.0f packets "
                        "came out of order",
                        seen[CUT_SHORT].value, seen[WRONG_BYTES].value, seen[SWAPPED].value);
    }
    if (seen[SWAPPED].value > 0) {
        return note_say(NOTE_IN_PART,
                        "the bytes stay in order and whole, but %.0f packets left the port before "
                        "that of an earlier send",
                        seen[SWAPPED].value);
    }
    return note_say(NOTE_HOLDS, "%.0f rounds of three, %.0f sends of which pended: all in order",
                    seen[DONE].value, seen[PENDED].value);
}

#ifdef _WIN32

typedef struct sender {
    OVERLAPPED overlapped[SENDS];
    uint32_t size[SENDS];
    char bytes[SENDS][SIZE_MAX_BYTES];
    uint64_t at, random; /* place in the stream */
} sender;

static bool post_round(note *self, sender *from, note_socket socket) {
    for (uint32_t i = 0; i < SENDS; i++) {
        DWORD moved = 0;
        from->size[i] = 1u + note_random(&from->random) % SIZE_MAX_BYTES;
        for (uint32_t k = 0; k < from->size[i]; k++) {
            from->bytes[i][k] = note_pattern(from->at++);
        }
        from->overlapped[i] = (OVERLAPPED){.hEvent = NULL};
        const int rc =
            note_post_send(socket, from->bytes[i], from->size[i], &from->overlapped[i], &moved);
        if (rc != 0 && rc != WSA_IO_PENDING) {
            return false;
        }
        note_add(self, PENDED, rc == WSA_IO_PENDING);
    }
    return true;
}

static bool take_round(note *self, const sender *from, HANDLE port) {
    for (uint32_t i = 0; i < SENDS; i++) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        const OVERLAPPED *done = note_take(port, 5000, &bytes, &key);
        if (done == NULL) {
            return false;
        }
        const uint32_t which = (uint32_t)(done - from->overlapped);
        note_add(self, SWAPPED, which != i);
        note_add(self, CUT_SHORT, bytes != from->size[which]);
    }
    return true;
}

static void run(note *self) {
    note_socket pair[2];
    sender *from = note_memory(self, sizeof *from);
    note_reader peer = {.slow = true};
    const HANDLE port = note_port(self, 1);
    NOTE_NEED(self, from != NULL && note_pair_sized(self, pair, 65536, 0), "a pair");
    NOTE_NEED(self, note_attach(self, port, pair[1], 0), "a port");
    from->random = 10;
    NOTE_NEED(self, note_reader_start(self, &peer, pair[0]), "a thread");
    const uint64_t start_ns = rs_os_now_ns();
    bool good = true;
    for (uint32_t round = 0; good && round < ROUNDS && note_us_since(start_ns) < RUN_MS * 1e3;
         round++) {
        good = post_round(self, from, pair[1]) && take_round(self, from, port);
        note_add(self, DONE, good);
    }
    note_close(self, pair[1]);
    note_reader_join(&peer);
    note_add(self, WRONG_BYTES, (double)(peer.wrong + (from->at - peer.received)));
    NOTE_NEED(self, good, "a send or its packet");
}

#endif

const note_entry note_b10 = {
    .file = NOTE_FILE("b10_sends_complete_in_order"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
