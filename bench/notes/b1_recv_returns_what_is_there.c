/* SPDX-License-Identifier: MIT */
/* b1: a recv blocks only while the receive buffer is empty. Data that are there are returned at
 * once, fewer than asked for if need be, and whatever the PSH bit of their segments was.
 *
 * Experiment: the peer sends half of what is asked for; a blocking recv is called when it is
 * there. Then a recv with nothing there, for which the peer sends 60 ms later.
 *
 * Documented: recv returns what is there, up to the length asked for, and waits when nothing is
 * (Winsock, recv; POSIX, recv). No flag of a segment is mentioned.
 *
 * Refuted by: a recv that waits for the other half, or that returns without data and without end.
 * A program cannot set PSH: that it makes no difference is seen by b2, as far as it can be. */
#include "notes/note_net.h"

#define HALF 4096u
#define ASKED (2 * HALF)
#define LATE_MS 60u

enum { GOT, AT_ONCE_US, EMPTY_GOT, EMPTY_MS };
static const note_figure figures[] = {
    [GOT] = {"returned with half there", "bytes", NOTE_LEAST},
    [AT_ONCE_US] = {"time of that call", "us", NOTE_MEDIAN},
    [EMPTY_GOT] = {"returned with nothing there", "bytes", NOTE_LEAST},
    [EMPTY_MS] = {"time of that call", "ms", NOTE_MEDIAN},
};

/* At once: in less than half of the time after which more would come. */
static note_verdict judge(const note_seen *seen) {
    if (seen[GOT].value != HALF || seen[AT_ONCE_US].value > LATE_MS * 500.0) {
        return note_say(NOTE_DOES_NOT_HOLD, "asked for %u, with %u there: %.0f bytes after %.0f us",
                        ASKED, HALF, seen[GOT].value, seen[AT_ONCE_US].value);
    }
    if (seen[EMPTY_GOT].value < 1 || seen[EMPTY_MS].value < LATE_MS / 2.0) {
        return note_say(NOTE_IN_PART,
                        "data are returned at once, but with none there recv came back after "
                        "%.0f ms with %.0f bytes",
                        seen[EMPTY_MS].value, seen[EMPTY_GOT].value);
    }
    return note_say(NOTE_HOLDS,
                    "asked for %u, it returned the %.0f that were there after %.0f us; with none "
                    "there it waited the %.0f ms until some came",
                    ASKED, seen[GOT].value, seen[AT_ONCE_US].value, seen[EMPTY_MS].value);
}

static const char data[HALF];

static void send_late(void *arg) {
    rs_os_sleep_ms(LATE_MS);
    (void)note_send(*(const note_socket *)arg, data, 1); /* judge sees what arrives */
}

static void run(note *self) {
    note_socket pair[2];
    char buffer[ASKED];
    rs_os_thread *peer;
    NOTE_NEED(self, note_pair(self, pair), "a pair of sockets");
    note_timeout(pair[0], 2000);
    NOTE_NEED(self, note_send(pair[1], data, sizeof data) == (int64_t)sizeof data, "send");
    rs_os_sleep_ms(20); /* now it is there, all of it */

    uint64_t start_ns = rs_os_now_ns();
    note_add(self, GOT, (double)note_recv(pair[0], buffer, ASKED));
    note_add(self, AT_ONCE_US, note_us_since(start_ns));

    NOTE_NEED(self, rs_os_thread_start(&peer, send_late, &pair[1], NULL) == RS_OK, "a thread");
    start_ns = rs_os_now_ns();
    note_add(self, EMPTY_GOT, (double)note_recv(pair[0], buffer, ASKED));
    note_add(self, EMPTY_MS, note_us_since(start_ns) / 1e3);
    rs_os_thread_join(peer);
}

const note_entry note_b1 = {
    .file = NOTE_FILE("b1_recv_returns_what_is_there"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
