/* SPDX-License-Identifier: MIT */
/* b17: 95 % of a game's packets are moves, so their size matters.
 *
 * Experiment: 32 viewers are told of 20 moves a turn, in moves of 4 and of 32 bytes; one thread
 * sends them to every viewer and reads them there. Time and bytes a move, the sizes taking turns.
 *
 * Documented: nothing; it is arithmetic for the wire and a matter of measuring for the processor.
 *
 * Refuted by: moves of 32 bytes costing no more. That 95 % of the packets are moves is the notes'
 * own observation of a game, and not tested. */
#include "notes/note_net.h"

#define VIEWERS 32u
#define MOVES 20u
#define SMALL 4u
#define LARGE 32u
#define TURNS 10u
#define ROUNDS 7u

enum { NS_SMALL, NS_LARGE, RATIO };
static const note_figure figures[] = {
    [NS_SMALL] = {"a move of 4 bytes, both ends", "ns", NOTE_MEDIAN},
    [NS_LARGE] = {"a move of 32 bytes", "ns", NOTE_MEDIAN},
    [RATIO] = {"time of 32 bytes to that of 4", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    note_verdict verdict = note_by_ratio(&seen[RATIO], "8 times the bytes; in time, 32 to 4 bytes");
    if (verdict.kind == NOTE_DOES_NOT_HOLD && seen[RATIO].high > 1) {
        verdict.kind = NOTE_IN_PART; /* of the wire alone */
    }
    return verdict;
}

/* Nanoseconds a move; 0: it failed. */
static double play(note_socket (*viewer)[2], uint32_t bytes) {
    static char moves[MOVES * LARGE], seen[MOVES * LARGE];
    const size_t turn = (size_t)MOVES * bytes;
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t t = 0; t < TURNS; t++) {
        for (uint32_t v = 0; v < VIEWERS; v++) {
            if (note_send(viewer[v][1], moves, turn) != (int64_t)turn) {
                return 0;
            }
        }
        for (uint32_t v = 0; v < VIEWERS; v++) {
            if (note_recv_all(viewer[v][0], seen, turn) != turn) {
                return 0;
            }
        }
    }
    return (double)(rs_os_now_ns() - start_ns) / (TURNS * VIEWERS * MOVES);
}

static void run(note *self) {
    note_socket viewer[VIEWERS][2];
    for (uint32_t v = 0; v < VIEWERS; v++) {
        NOTE_NEED(self, note_pair(self, viewer[v]), "a viewer");
        note_timeout(viewer[v][0], 2000);
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const uint32_t first = i % 2 == 0 ? SMALL : LARGE, second = SMALL + LARGE - first;
        const double a = play(viewer, first), b = play(viewer, second);
        NOTE_NEED(self, a > 0 && b > 0, "a turn");
        if (i > 0) { /* the first warms up */
            note_add(self, NS_SMALL, first == SMALL ? a : b);
            note_add(self, NS_LARGE, first == SMALL ? b : a);
            note_add(self, RATIO, first == SMALL ? b / a : a / b);
        }
    }
}

const note_entry note_b17 = {
    .file = NOTE_FILE("b17_size_of_a_move"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
};
