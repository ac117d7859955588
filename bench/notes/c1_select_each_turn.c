/* SPDX-License-Identifier: MIT */
/* c1: select must be told all sockets anew each turn, and holds 64.
 *
 * Experiment: FD_SETSIZE is raised to 512 before the header. One turn over 16, 64 and 512
 * sockets, the last of which has a byte: fill the set, call select, look for it. Is the last of 512
 * found?
 * Documented: select overwrites the sets it is given; FD_SETSIZE is 64 by default and may be
 * defined to another value before winsock2.h (Winsock, select). Refuted by: a turn that does not
 * grow (32 times the sockets, less than 4 times the time), or more than 64 that work. */
#ifdef _WIN32
#define FD_SETSIZE 512
#endif
#include "notes/note_net.h"

#define SIZES 3u
#define MOST 512u
#define TURNS 15u

enum { US_16, US_64, US_512, GROWTH, SERVED };
static const note_figure figures[] = {
    [US_16] = {"a turn over 16 sockets", "us", NOTE_MEDIAN},
    [US_64] = {"over 64", "us", NOTE_MEDIAN},
    [US_512] = {"over 512", "us", NOTE_MEDIAN},
    [GROWTH] = {"512 sockets to 16, of the fastest fifth", "", NOTE_MEDIAN},
    [SERVED] = {"most sockets of which the last was found", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[GROWTH].value < 4) {
        return note_say(NOTE_DOES_NOT_HOLD, "a turn over 512 sockets costs %.1f times one over 16",
                        seen[GROWTH].value);
    }
    return note_say(seen[SERVED].value > 64 ? NOTE_IN_PART : NOTE_HOLDS,
                    "a turn over 512 sockets costs %.0f times one over 16 (%.0f us to %.0f); %.0f "
                    "sockets work%s",
                    seen[GROWTH].value, seen[US_512].value, seen[US_16].value, seen[SERVED].value,
                    seen[SERVED].value > 64 ? ": 64 is FD_SETSIZE's default and not the end" : "");
}

#ifdef _WIN32

/* One turn over count sockets. Is the last one among those that are readable? */
static bool turn(const note_socket *socket, uint32_t count) {
    struct timeval now = {.tv_sec = 0}; /* do not wait */
    bool found = false;
    fd_set set;
    FD_ZERO(&set);
    for (uint32_t i = 0; i < count; i++) {
        set.fd_array[i] = socket[i]; /* FD_SET would look for it first: quadratic */
    }
    set.fd_count = count;
    if (select(0, &set, NULL, NULL, &now) < 1) {
        return false;
    }
    for (uint32_t i = 0; i < set.fd_count; i++) {
        found = set.fd_array[i] == socket[count - 1] || found;
    }
    return found;
}

static void run(note *self) {
    static const uint32_t size[SIZES] = {16, 64, MOST};
    static note_socket pair[MOST][2], server[MOST];
    double us[SIZES][TURNS], cheap[SIZES];
    bool found[SIZES] = {true, true, true};
    for (uint32_t i = 0; i < MOST; i++) {
        NOTE_NEED(self, note_pair(self, pair[i]), "a pair");
        server[i] = pair[i][0];
    }
    for (uint32_t s = 0; s < SIZES; s++) {
        NOTE_NEED(self, note_send(pair[size[s] - 1][1], "m", 1) == 1, "send");
        NOTE_NEED(self, note_readable(server[size[s] - 1], 1000), "a byte");
    }
    for (uint32_t i = 0; i < TURNS * SIZES; i++) { /* the sizes take turns */
        const uint32_t s = i % SIZES;
        const uint64_t start_ns = rs_os_now_ns();
        found[s] = turn(server, size[s]) && found[s];
        us[s][i / SIZES] = note_us_since(start_ns);
        note_add(self, US_16 + s, us[s][i / SIZES]);
    }
    for (uint32_t s = 0; s < SIZES; s++) {
        note_sort(us[s], TURNS);
        cheap[s] = note_percentile(us[s], TURNS, 20); /* a busy machine adds to some, or to many */
    }
    note_add(self, SERVED, found[2] ? MOST : found[1] ? 64 : found[0] ? 16 : 0);
    note_add(self, GROWTH, cheap[SIZES - 1] / cheap[0]);
}

#endif

const note_entry note_c1 = {
    .file = NOTE_FILE("c1_select_each_turn"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --ladder",
};
