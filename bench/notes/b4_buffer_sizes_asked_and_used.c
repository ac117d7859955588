/* SPDX-License-Identifier: MIT */
/* b4: what setsockopt sets as buffer size is not what the stack uses.
 *
 * Experiment: SO_SNDBUF of one end and SO_RCVBUF of the other are set to 8 KiB, 64 KiB and 512 KiB
 * before they connect, and read back; then one end sends until no more is taken, the other does
 * not read. What was really taken is to be compared with twice what was asked for.
 *
 * Documented: SO_SNDBUF and SO_RCVBUF are the buffer space of the socket (Winsock, setsockopt).
 * Linux doubles the value for its own bookkeeping and reads back the double (socket(7)).
 *
 * Refuted by: reading back what was set, and taking twice that, within a tenth. */
#include "notes/note_net.h"

#define SIZES 3u

enum {
    SEND_8K,
    RECV_8K,
    TAKEN_8K,
    SEND_64K,
    RECV_64K,
    TAKEN_64K,
    SEND_512K,
    RECV_512K,
    TAKEN_512K
};
static const note_figure figures[] = {
    [SEND_8K] = {"8,192: SO_SNDBUF read back", "bytes", NOTE_MEDIAN},
    [RECV_8K] = {"SO_RCVBUF read back", "bytes", NOTE_MEDIAN},
    [TAKEN_8K] = {"taken by both ends", "bytes", NOTE_MEDIAN},
    [SEND_64K] = {"65,536: SO_SNDBUF read back", "bytes", NOTE_MEDIAN},
    [RECV_64K] = {"SO_RCVBUF read back", "bytes", NOTE_MEDIAN},
    [TAKEN_64K] = {"taken by both ends", "bytes", NOTE_MEDIAN},
    [SEND_512K] = {"524,288: SO_SNDBUF read back", "bytes", NOTE_MEDIAN},
    [RECV_512K] = {"SO_RCVBUF read back", "bytes", NOTE_MEDIAN},
    [TAKEN_512K] = {"taken by both ends", "bytes", NOTE_MEDIAN},
};

static const int size_asked[SIZES] = {8192, 65536, 524288};

static note_verdict judge(const note_seen *seen) {
    uint32_t told = 0, used = 0;
    for (uint32_t i = 0; i < SIZES; i++) {
        const double asked = size_asked[i], taken = seen[TAKEN_8K + 3 * i].value;
        told += seen[SEND_8K + 3 * i].value == asked && seen[RECV_8K + 3 * i].value == asked;
        used += taken >= 1.8 * asked && taken <= 2.2 * asked;
    }
    const note_kind kind = used < SIZES   ? NOTE_HOLDS
                           : told < SIZES ? NOTE_IN_PART
                                          : NOTE_DOES_NOT_HOLD;
    return note_say(kind,
                    "of 8, 64 and 512 KiB asked for at both ends %u read back as set; %.0f, %.0f "
                    "and %.0f KiB were taken in all, where 16, 128 and 1,024 were asked for",
                    told, seen[TAKEN_8K].value / 1024, seen[TAKEN_64K].value / 1024,
                    seen[TAKEN_512K].value / 1024);
}

static void run(note *self) {
    for (uint32_t i = 0; i < SIZES; i++) {
        note_socket pair[2];
        NOTE_NEED(self, note_pair_sized(self, pair, size_asked[i], size_asked[i]), "a pair");
        note_add(self, SEND_8K + 3 * i, note_get(pair[1], SOL_SOCKET, SO_SNDBUF));
        note_add(self, RECV_8K + 3 * i, note_get(pair[0], SOL_SOCKET, SO_RCVBUF));
        note_add(self, TAKEN_8K + 3 * i, (double)note_fill(pair[1], 50));
    }
}

const note_entry note_b4 = {
    .file = NOTE_FILE("b4_buffer_sizes_asked_and_used"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
