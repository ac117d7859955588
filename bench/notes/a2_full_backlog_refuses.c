/* SPDX-License-Identifier: MIT */
/* a2: when the backlog is full, connect fails with WSAECONNREFUSED (10061).
 *
 * Experiment: four listeners with backlogs of 1, 5, 50 and 200 that never accept. Clients connect
 * to each until one is not connected within 0.1 s. Those four are then watched for 2.5 s: Windows
 * asks three times, half a second apart, before it says refused.
 *
 * Documented: a client whose request finds the queue full gets WSAECONNREFUSED (Winsock, listen).
 * Linux may drop the request instead, so that the client tries again (listen(2)).
 *
 * Refuted by: a connect that fails otherwise, or hears nothing. */
#include "notes/note_net.h"

#define LISTENERS 4u
#define CLIENTS_MAX 1200u /* of one listener */

enum { HELD_1, HELD_5, HELD_50, HELD_200, REFUSED, SILENT, OTHERWISE };
static const note_figure figures[] = {
    [HELD_1] = {"connections held, backlog 1", "", NOTE_MEDIAN},
    [HELD_5] = {"backlog 5", "", NOTE_MEDIAN},
    [HELD_50] = {"backlog 50", "", NOTE_MEDIAN},
    [HELD_200] = {"backlog 200", "", NOTE_MEDIAN},
    [REFUSED] = {"of four next ones: refused", "", NOTE_LEAST},
    [SILENT] = {"heard nothing for 2.5 s", "", NOTE_MOST},
    [OTHERWISE] = {"ended otherwise", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[HELD_200].value >= CLIENTS_MAX) {
        return note_say(NOTE_CANNOT_TELL, "%u clients did not fill a backlog of 200", CLIENTS_MAX);
    }
    const note_kind kind = seen[REFUSED].value == LISTENERS ? NOTE_HOLDS
                           : seen[REFUSED].value > 0        ? NOTE_IN_PART
                                                            : NOTE_DOES_NOT_HOLD;
    return note_say(kind,
                    "backlogs of 1, 5, 50 and 200 held %.0f, %.0f, %.0f and %.0f; of the four "
                    "connects after that %.0f were refused, %.0f heard nothing, %.0f ended "
                    "otherwise",
                    seen[HELD_1].value, seen[HELD_5].value, seen[HELD_50].value,
                    seen[HELD_200].value, seen[REFUSED].value, seen[SILENT].value,
                    seen[OTHERWISE].value);
}

/* Connects until one is not; *next: that one, if it is still under way. Returns the others. */
static uint32_t fill(note *self, const struct sockaddr_in *address, note_socket *next, int *error) {
    for (uint32_t held = 0; held < CLIENTS_MAX; held++) {
        *next = note_tcp(self);
        if (*next == NOTE_NO_SOCKET) {
            return held;
        }
        note_blocking(*next, false);
        *error = note_connect_begin(*next, address);
        if (*error != 0 || !note_writable(*next, 100)) {
            return held;
        }
        *error = note_connect_error(*next);
        if (*error != 0) {
            return held;
        }
    }
    return CLIENTS_MAX;
}

static void run(note *self) {
    static const int backlog[LISTENERS] = {1, 5, 50, 200};
    struct sockaddr_in address;
    note_socket next[LISTENERS];
    int error[LISTENERS];
    uint32_t refused = 0, silent = 0;
    for (uint32_t i = 0; i < LISTENERS; i++) {
        NOTE_NEED(self, note_listen(self, backlog[i], &address) != NOTE_NO_SOCKET, "listen");
        note_add(self, HELD_1 + i, fill(self, &address, &next[i], &error[i]));
        NOTE_NEED(self, next[i] != NOTE_NO_SOCKET, "socket");
    }
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < LISTENERS; i++) {
        const double over_ms = note_us_since(start_ns) / 1e3;
        const uint32_t left_ms = over_ms < 2500 ? 2500u - (uint32_t)over_ms : 0;
        if (error[i] == 0 && note_writable(next[i], left_ms)) {
            error[i] = note_connect_error(next[i]);
        } else {
            silent += error[i] == 0;
        }
        refused += note_was_refused(error[i]);
    }
    note_add(self, REFUSED, refused);
    note_add(self, SILENT, silent);
    note_add(self, OTHERWISE, LISTENERS - refused - silent);
}

const note_entry note_a2 = {
    .file = NOTE_FILE("a2_full_backlog_refuses"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
};
