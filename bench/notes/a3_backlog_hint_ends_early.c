/* SPDX-License-Identifier: MIT */
/* a3: a backlog of SOMAXCONN_HINT(65535) reaches only about 16,000; more dynamic ports lift that.
 * The notes leave open why.
 *
 * Experiment: one listener that never accepts, asked for 65,535. Clients connect from 127.0.0.1
 * until one fails or hears nothing for 0.3 s. If the client's end has no port left for that, more
 * connect from 127.0.0.2 and 127.0.0.3, which have ports of their own. How each filling ended
 * names what ended it: no local port (WSAEADDRNOTAVAIL, WSAENOBUFS, WSAEADDRINUSE), or the queue
 * (refused, or no answer).
 *
 * Documented: the hint is adjusted to [200, 65535] (Winsock, listen). The dynamic range is 49152
 * to 65535, 16,384 ports, and a connection is the four of two addresses and two ports (Windows
 * Server, "The default dynamic port range for TCP/IP has changed").
 *
 * Refuted by: the first filling ends although ports are left, that is by the queue. */
#include "notes/note_net.h"

#define SOURCES 3u
#define RUN_S 25.0
#ifdef _WIN32
#define ASK SOMAXCONN_HINT(65535)
#define END_NO_PORT(e) ((e) == WSAEADDRNOTAVAIL || (e) == WSAENOBUFS || (e) == WSAEADDRINUSE)
#define END_NO_SOCKET(e) ((e) == WSAEMFILE)
#else
#define ASK 65535
#define END_NO_PORT(e) ((e) == EADDRNOTAVAIL || (e) == EADDRINUSE)
#define END_NO_SOCKET(e) ((e) == EMFILE || (e) == ENFILE)
#endif

enum end { BY_QUEUE, BY_PORTS, BY_SOCKETS, BY_TIME, BY_OTHER };

enum { HELD_ONE, END_ONE, HELD_ALL, END_ALL, LOWEST, HIGHEST };
static const note_figure figures[] = {
    [HELD_ONE] = {"held, from one address", "", NOTE_MEDIAN},
    [END_ONE] = {"ended by (0 queue, 1 ports, 2 sockets, 3 time)", "", NOTE_MOST},
    [HELD_ALL] = {"held, from three addresses", "", NOTE_MEDIAN},
    [END_ALL] = {"ended by", "", NOTE_MOST},
    [LOWEST] = {"lowest local port of every eighth client", "", NOTE_LEAST},
    [HIGHEST] = {"highest", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    static const char *const ends[] = {"the listener's queue was full", "no local port was left",
                                       "this process got no more sockets", "time was up",
                                       "a call failed"};
    const double one = seen[HELD_ONE].value, all = seen[HELD_ALL].value;
    const uint32_t end = (uint32_t)seen[END_ONE].value;
    if (end == BY_QUEUE) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "the end came after %.0f from one address: %s, while its local ports reach "
                        "from %.0f to %.0f. More ports lift nothing here",
                        one, ends[end], seen[LOWEST].value, seen[HIGHEST].value);
    }
    if (end != BY_PORTS) {
        return note_say(NOTE_CANNOT_TELL, "after %.0f connections %s", one,
                        ends[end <= BY_OTHER ? end : BY_OTHER]);
    }
    if (all < one * 1.2) {
        return note_say(NOTE_IN_PART,
                        "no local port was left after %.0f from one address, but three addresses "
                        "reach only %.0f",
                        one, all);
    }
    return note_say(NOTE_HOLDS,
                    "one client address ends after %.0f connections, because it has no port left "
                    "(%.0f to %.0f); three addresses reach %.0f in the same queue (then %s). The "
                    "limit is the client's range of ports, not the listener's queue",
                    one, seen[LOWEST].value, seen[HIGHEST].value, all,
                    ends[(uint32_t)seen[END_ALL].value]);
}

/* Connects from one address until the end. Adds to *held; returns an enum end. */
static enum end fill(note *self, uint32_t ip, const struct sockaddr_in *address, uint64_t start_ns,
                     uint32_t *held) {
    const struct sockaddr_in from = note_address(ip, 0);
    while (note_us_since(start_ns) < RUN_S * 1e6) {
        const note_socket client = note_tcp_try(self);
        if (client == NOTE_NO_SOCKET) {
            return END_NO_SOCKET(note_error()) ? BY_SOCKETS : BY_OTHER;
        }
        note_blocking(client, false);
        int error = ip != NOTE_LOOPBACK && !note_bind(client, &from) ? note_error() : 0;
        error = error != 0 ? error : note_connect_begin(client, address);
        if (error == 0 && !note_writable(client, 300)) {
            return BY_QUEUE;
        }
        error = error != 0 ? error : note_connect_error(client);
        if (error != 0) {
            return END_NO_PORT(error)        ? BY_PORTS
                   : note_was_refused(error) ? BY_QUEUE
                   : END_NO_SOCKET(error)    ? BY_SOCKETS
                                             : BY_OTHER;
        }
        if (++*held % 8 == 1) {
            note_add(self, LOWEST, note_local_port(client));
            note_add(self, HIGHEST, note_local_port(client));
        }
    }
    return BY_TIME;
}

static void run(note *self) {
    struct sockaddr_in address;
    uint32_t held = 0;
    NOTE_NEED(self, note_listen(self, ASK, &address) != NOTE_NO_SOCKET, "listen");
    const uint64_t start_ns = rs_os_now_ns();
    enum end end = fill(self, NOTE_LOOPBACK, &address, start_ns, &held);
    note_add(self, HELD_ONE, held);
    note_add(self, END_ONE, end);
    for (uint32_t i = 1; end == BY_PORTS && i < SOURCES; i++) {
        end = fill(self, NOTE_LOOPBACK + i, &address, start_ns, &held);
    }
    note_add(self, HELD_ALL, held);
    note_add(self, END_ALL, end);
}

const note_entry note_a3 = {
    .file = NOTE_FILE("a3_backlog_hint_ends_early"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
    .command = "netsh int ipv4 show dynamicport tcp",
    .bound_s = 40,
};
