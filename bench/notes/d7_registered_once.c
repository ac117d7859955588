/* SPDX-License-Identifier: MIT */
/* d7: RIO takes the lock once instead of at each request.
 *
 * Experiment: messages of 512 bytes by RIOSend from memory that is registered once, once for 50
 * messages (a session), or once for each. Time a message until its completion.
 * Documented: RIORegisterBuffer locks the memory until it is deregistered, and is meant to be
 * called seldom (RIORegisterBuffer, remarks). Refuted by: registering for each request costing no
 * more. */
#include "notes/note_kernel.h"

#define MESSAGES 200u
#define SESSION 50u
#define BYTES 512u
#define PAGES 16u
#define WAYS 3u
#define ROUNDS 7u

enum { ONCE_US, SESSION_US, REQUEST_US, SESSION_RATIO, REQUEST_RATIO };
static const note_figure figures[] = {
    [ONCE_US] = {"a message, registered once", "us", NOTE_MEDIAN},
    [SESSION_US] = {"once for 50 messages", "us", NOTE_MEDIAN},
    [REQUEST_US] = {"once for each", "us", NOTE_MEDIAN},
    [SESSION_RATIO] = {"for 50 messages to once", "", NOTE_MEDIAN},
    [REQUEST_RATIO] = {"for each message to once", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_by_ratio(&seen[REQUEST_RATIO], "registering for each message to once");
}

#ifdef _WIN32

/* Microseconds a message; 0: one failed. every: messages a registration; 0: all. */
static double play(note_rio *rio, uint32_t every) {
    const RIO_BUFFERID id = rio->id;
    const uint64_t start_ns = rs_os_now_ns();
    char read[BYTES];
    bool good = true;
    for (uint32_t i = 0; i < MESSAGES && good; i++) {
        RIORESULT result;
        if (every > 0 && i % every == 0) {
            rio->id = rio->fn.RIORegisterBuffer(rio->memory, PAGES * NOTE_PAGE);
        }
        good = rio->id != RIO_INVALID_BUFFERID && note_rio_send(rio, 0, BYTES) == 0 &&
               note_rio_take(rio, 1000, &result) && result.Status == 0 &&
               note_recv_all(rio->peer, read, BYTES) == BYTES;
        if (every > 0 && (i + 1) % every == 0) {
            rio->fn.RIODeregisterBuffer(rio->id);
        }
    }
    const double us = note_us_since(start_ns) / MESSAGES;
    rio->id = id;
    return good ? us : 0;
}

static void run(note *self) {
    static const uint32_t every[WAYS] = {0, SESSION, 1};
    note_rio rio;
    NOTE_NEED(self, note_rio_open(self, &rio, 8, PAGES), "Registered I/O");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        double us[WAYS];
        for (uint32_t i = 0; i < WAYS; i++) {
            const uint32_t way = round % 2 == 0 ? i : WAYS - 1 - i;
            us[way] = play(&rio, every[way]);
            NOTE_NEED(self, us[way] > 0, "a message");
            note_add(self, ONCE_US + way, us[way]);
        }
        note_add(self, SESSION_RATIO, us[1] / us[0]);
        note_add(self, REQUEST_RATIO, us[2] / us[0]);
    }
    note_rio_close(self, &rio);
}

#endif

const note_entry note_d7 = {
    .file = NOTE_FILE("d7_registered_once"),
    .where = NOTE_WINDOWS_KERNEL,
    .cannot = "Registered I/O, and one that is lent locks no memory",
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario many-small",
};
