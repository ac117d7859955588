/* SPDX-License-Identifier: MIT */
/* b6: non-blocking sockets must all be asked, so a socket model is needed.
 *
 * Experiment: N connections, one of which gets a message. All N are asked with recv until it is
 * found; N is 16, 128 and 1,024. The time of one such turn is what a message costs.
 *
 * Documented: a non-blocking recv with nothing there fails with WSAEWOULDBLOCK (Winsock, recv):
 * each of those is a call into the system.
 *
 * Refuted by: a cost that does not grow with N: 64 times the sockets less than 8 times the time.
 * What each socket model makes of the same load: the ladder. */
#include "notes/note_net.h"

#define SIZES 3u
#define MOST 1024u
#define MESSAGES 9u

enum { US_16, US_128, US_1024, GROWTH };
static const note_figure figures[] = {
    [US_16] = {"a message among 16 sockets", "us", NOTE_MEDIAN},
    [US_128] = {"among 128", "us", NOTE_MEDIAN},
    [US_1024] = {"among 1,024", "us", NOTE_MEDIAN},
    [GROWTH] = {"1,024 sockets to 16", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_say(seen[GROWTH].value >= 8 ? NOTE_HOLDS : NOTE_DOES_NOT_HOLD,
                    "a message costs %.0f us among 16 sockets, %.0f among 128 and %.0f among 1,024 "
                    "when all are asked: %.0f times as much for 64 times the sockets",
                    seen[US_16].value, seen[US_128].value, seen[US_1024].value, seen[GROWTH].value);
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

static void run(note *self) {
    static const uint32_t size[SIZES] = {16, 128, MOST};
    static note_socket server[MOST], client[MOST];
    double median[SIZES];
    struct sockaddr_in address;
    const note_socket listener = note_listen(self, 64, &address);
    NOTE_NEED(self, listener != NOTE_NO_SOCKET, "listen");
    for (uint32_t i = 0; i < MOST; i++) {
        client[i] = note_tcp(self);
        NOTE_NEED(self, client[i] != NOTE_NO_SOCKET && note_connect(client[i], &address),
                  "connect");
        server[i] = note_accept(self, listener);
        NOTE_NEED(self, server[i] != NOTE_NO_SOCKET, "accept");
        note_blocking(server[i], false);
    }
    for (uint32_t s = 0; s < SIZES; s++) {
        double us[MESSAGES];
        for (uint32_t i = 0; i < MESSAGES; i++) {
            const uint32_t busy = i * 7919u % size[s];
            NOTE_NEED(self, note_send(client[busy], "m", 1) == 1, "send");
            NOTE_NEED(self, note_readable(server[busy], 1000), "a message");
            const uint64_t start_ns = rs_os_now_ns();
            const uint32_t found = ask_all(server, size[s]);
            us[i] = note_us_since(start_ns);
            note_add(self, US_16 + s, us[i]);
            NOTE_NEED(self, found == busy, "the message where it was sent");
        }
        note_sort(us, MESSAGES);
        median[s] = note_percentile(us, MESSAGES, 50);
    }
    note_add(self, GROWTH, median[SIZES - 1] / median[0]);
}

const note_entry note_b6 = {
    .file = NOTE_FILE("b6_asking_every_socket"),
    .figure = figures,
    .figures = NOTE_COUNT(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = run,
    .command = "compare --ladder",
};
