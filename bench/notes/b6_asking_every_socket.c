/* SPDX-License-Identifier: MIT */
/* b6: non-blocking sockets must all be asked, so a socket model is needed.
 *
 * Experiment: N connections, one of which gets a message. All N are asked with recv until it is
 * found; N is 16, 128, 1,024 and 4,096. The time of one such turn is what a message costs.
 *
 * Documented: a non-blocking recv with nothing there fails with WSAEWOULDBLOCK (Winsock, recv):
 * each of those is a call into the system.
 *
 * Refuted by: a cost that does not grow with N: 64 times the sockets less than 8 times the time, or
 * 256 times, where so many can be had, less than 32.
 * What each socket model makes of the same load: the ladder. */
#include "notes/note_net.h"

#include <math.h>
#include <stdio.h>

#define SIZES 4u
#define LEAST 1024u
#define MOST 4096u
#define MESSAGES 5u

enum { US_16, US_128, US_1024, US_4096, GROWTH, GROWTH_4096 };
static const note_figure figures[] = {
    [US_16] = {"a message among 16 sockets", "us", NOTE_MEDIAN},
    [US_128] = {"among 128", "us", NOTE_MEDIAN},
    [US_1024] = {"among 1,024", "us", NOTE_MEDIAN},
    [US_4096] = {"among 4,096", "us", NOTE_MEDIAN},
    [GROWTH] = {"1,024 sockets to 16", "", NOTE_MEDIAN},
    [GROWTH_4096] = {"4,096 sockets to 16", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const bool all = seen[GROWTH_4096].count > 0;
    const bool grows = seen[GROWTH].value >= 8 && (!all || seen[GROWTH_4096].value >= 32);
    char most[64] = "so many could not be had";
    if (all) {
        (void)snprintf(most, sizeof most, "%.0f, %.0f times as much", seen[US_4096].value,
                       seen[GROWTH_4096].value);
    }
    return note_say(grows ? NOTE_HOLDS : NOTE_DOES_NOT_HOLD,
                    "a message costs %.0f us among 16 sockets, %.0f among 128 and %.0f among 1,024 "
                    "when all are asked: %.0f times as much for 64 times the sockets; among 4,096: "
                    "%s",
                    seen[US_16].value, seen[US_128].value, seen[US_1024].value, seen[GROWTH].value,
                    most);
}

/* Asks all sockets in turn; the one that had something, or count. */
static uint32_t ask_all(const note_socket *socket, uint32_t count) {
    uint32_t found = count;
    char byte;
    for (uint32_t i = 0; i < count; i++) {
        if (note_recv(socket[i], &byte, 1) == 1) {
            found = i;
        }
    }
    return found;
}

/* One more connection, asked without blocking. */
static bool connect_one(note *self, note_socket listener, const struct sockaddr_in *address,
                        note_socket pair[2]) {
    pair[1] = note_tcp_try(self);
    if (pair[1] == NOTE_NO_SOCKET || !note_connect(pair[1], address)) {
        return false;
    }
    pair[0] = note_accept_try(self, listener);
    if (pair[0] == NOTE_NO_SOCKET) {
        return false;
    }
    note_blocking(pair[0], false);
    return true;
}

/* The median of the time to find a message among `count` sockets; NAN: something failed. */
static double ask(note *self, const note_socket *server, const note_socket *client, uint32_t count,
                  uint32_t figure) {
    double us[MESSAGES];
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const uint32_t busy = i * 7919u % count;
        if (note_send(client[busy], "m", 1) != 1 || !note_readable(server[busy], 1000)) {
            return NAN;
        }
        const uint64_t start_ns = rs_os_now_ns();
        const uint32_t found = ask_all(server, count);
        us[i] = note_us_since(start_ns);
        note_add(self, figure, us[i]);
        if (found != busy) {
            return NAN;
        }
    }
    note_sort(us, MESSAGES);
    return note_percentile(us, MESSAGES, 50);
}

static void run(note *self) {
    static const uint32_t size[SIZES] = {16, 128, LEAST, MOST};
    static note_socket server[MOST], client[MOST];
    double median[SIZES];
    struct sockaddr_in address;
    static uint32_t most = MOST; /* once: thousands of sockets take long to make */
    uint32_t made = 0;
    const note_socket listener = note_listen(self, 64, &address);
    NOTE_NEED(self, listener != NOTE_NO_SOCKET, "listen");
    while (made < most) {
        note_socket pair[2];
        if (!connect_one(self, listener, &address, pair)) {
            break;
        }
        server[made] = pair[0];
        client[made] = pair[1];
        made++;
    }
    NOTE_NEED(self, made >= LEAST, "1,024 connections");
    for (uint32_t s = 0; s < SIZES && size[s] <= made; s++) {
        median[s] = ask(self, server, client, size[s], US_16 + s);
        NOTE_NEED(self, median[s] > 0, "a message where it was sent");
    }
    note_add(self, GROWTH, median[2] / median[0]);
    most = LEAST;
    if (made == MOST) {
        note_add(self, GROWTH_4096, median[3] / median[0]);
    }
}

const note_entry note_b6 = {
    .file = NOTE_FILE("b6_asking_every_socket"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = run,
    .command = "compare --ladder",
    .bound_s = 40,
};
