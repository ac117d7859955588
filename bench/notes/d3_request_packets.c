/* SPDX-License-Identifier: MIT */
/* d3: each pending request has a request packet in non-paged pool.
 *
 * Experiment: the non-paged pool charged to the process, before and after 2,000 receives are posted
 * on 8 connections: of 512 bytes, of 0 bytes, and with RIO. Bytes a pending receive.
 * Documented: "an IRP ... is allocated from non-paged pool" for a request (Windows drivers,
 * "IRPs"); of RIO: requests sit in a queue that is made once (RIOCreateRequestQueue). Refuted by: a
 * pool that does not grow with them. */
#include "notes/note_kernel.h"

#define CONNECTIONS 8u
#define EACH 250u /* receives a connection */
#define RECEIVES (CONNECTIONS * EACH)

enum { PLAIN, ZERO, REGISTERED };
static const note_figure figures[] = {
    [PLAIN] = {"pool a pending receive of 512 bytes", "B", NOTE_MEDIAN},
    [ZERO] = {"of 0 bytes", "B", NOTE_MEDIAN},
    [REGISTERED] = {"of 512 bytes with RIO", "B", NOTE_MEDIAN},
};

/* An IRP alone is over 200 bytes; 64 leave room for what else the process does meanwhile. */
static note_verdict judge(const note_seen *seen) {
    if (seen[PLAIN].count == 0) {
        return note_say(NOTE_CANNOT_TELL, "the pool of this process is not told");
    }
    return note_say(seen[PLAIN].value < 64                                      ? NOTE_DOES_NOT_HOLD
                    : seen[REGISTERED].count > 0 && seen[REGISTERED].value < 64 ? NOTE_IN_PART
                                                                                : NOTE_HOLDS,
                    "a pending receive holds %.0f bytes of pool, one of 0 bytes %.0f, one with RIO "
                    "%.0f beyond its queue",
                    seen[PLAIN].value, seen[ZERO].value, seen[REGISTERED].value);
}

#ifdef _WIN32

static void plain(note *self, size_t bytes, uint32_t figure) {
    OVERLAPPED *overlapped = note_memory(self, RECEIVES * sizeof *overlapped);
    char *buffer = note_memory(self, 512);
    const HANDLE port = note_port(self, 1);
    note_socket pair[CONNECTIONS][2];
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && buffer != NULL, "memory");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        NOTE_NEED(self, note_pair(self, pair[i]), "a pair");
        NOTE_NEED(self, note_attach(self, port, pair[i][0], 0), "a port");
    }
    const double before = note_pool();
    for (uint32_t i = 0; i < RECEIVES; i++) { /* into one buffer: nothing is sent */
        const int rc = note_post_recv(pair[i / EACH][0], buffer, bytes, &overlapped[i], &moved);
        NOTE_NEED(self, rc == WSA_IO_PENDING, "WSARecv");
    }
    note_add(self, figure, (note_pool() - before) / RECEIVES);
    note_close_all(self);
}

static void registered(note *self) {
    static note_rio rio[CONNECTIONS];
    uint32_t opened = 0, posted = 0;
    while (opened < CONNECTIONS && note_rio_open(self, &rio[opened], EACH, 1)) {
        opened++;
    }
    const double before = note_pool();
    for (uint32_t i = 0; i < opened * EACH; i++) {
        posted += note_rio_recv(&rio[i / EACH], 0, 512) == 0;
    }
    if (posted == RECEIVES) {
        note_add(self, REGISTERED, (note_pool() - before) / RECEIVES);
    }
    while (opened > 0) {
        note_rio_close(self, &rio[--opened]);
    }
}

static void run(note *self) {
    plain(self, 512, PLAIN);
    plain(self, 0, ZERO);
    registered(self);
}

#endif

const note_entry note_d3 = {
    .file = NOTE_FILE("d3_request_packets"),
    .where = NOTE_WINDOWS_KERNEL,
    .cannot = "request packets and no pool: a request there is an object of wineserver",
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
