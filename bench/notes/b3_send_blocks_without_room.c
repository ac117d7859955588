/* SPDX-License-Identifier: MIT */
/* b3: send blocks when less room is left than was asked for.
 *
 * Experiment: the peer does not read. Non-blocking: send 4 MiB once, and again until it says that
 * it would block. Blocking, on another pair: send 4 MiB; is the call back after 0.1 s? Then the
 * peer reads, and the call says how much it took.
 *
 * Documented: without room in the transport a blocking send waits; a non-blocking one takes what
 * fits, at least a byte, or fails with WSAEWOULDBLOCK (Winsock, send).
 *
 * Refuted by: a blocking call that comes back before the peer reads, or with a part. */
#include "notes/note_net.h"

#define ASKED (4u << 20)

enum { PART, UNTIL_BLOCKED, BACK_EARLY, BLOCKING_TOOK, BLOCKED_MS };
static const note_figure figures[] = {
    [PART] = {"first non-blocking send of 4 MiB took", "bytes", NOTE_MEDIAN},
    [UNTIL_BLOCKED] = {"taken until it would block", "bytes", NOTE_MEDIAN},
    [BACK_EARLY] = {"blocking sends back before the peer read", "", NOTE_SUM},
    [BLOCKING_TOOK] = {"blocking send took", "bytes", NOTE_LEAST},
    [BLOCKED_MS] = {"it blocked for", "ms", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[BACK_EARLY].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "a blocking send of 4 MiB came back while the peer had not read a byte");
    }
    if (seen[BLOCKING_TOOK].value < ASKED) {
        return note_say(NOTE_IN_PART, "it blocks, but came back with %.0f of 4 MiB",
                        seen[BLOCKING_TOOK].value);
    }
    return note_say(NOTE_HOLDS,
                    "blocking, it came back when all 4 MiB were taken, not before. Non-blocking it "
                    "took %.0f bytes of them, %.0f until it would have blocked",
                    seen[PART].value, seen[UNTIL_BLOCKED].value);
}

typedef struct blocking {
    note_socket socket;
    const char *data;
    rs_os_event *back;
    int64_t took;
    double ms;
} blocking;

static void send_blocking(void *arg) {
    blocking *b = arg;
    const uint64_t start_ns = rs_os_now_ns();
    b->took = note_send(b->socket, b->data, ASKED);
    b->ms = note_us_since(start_ns) / 1e3;
    rs_os_event_set(b->back);
}

static void run(note *self) {
    note_socket pair[2], other[2];
    rs_os_thread *thread;
    char *data = note_memory(self, ASKED), *into = note_memory(self, ASKED);
    NOTE_NEED(self, data != NULL && into != NULL && note_pair(self, pair) && note_pair(self, other),
              "two pairs");
    note_blocking(pair[1], false);
    const int64_t part = note_send(pair[1], data, ASKED);
    NOTE_NEED(self, part > 0, "send");
    note_add(self, PART, (double)part);
    note_add(self, UNTIL_BLOCKED, (double)part + (double)note_fill(pair[1], 20));

    blocking b = {.socket = other[1], .data = data};
    NOTE_NEED(self, rs_os_event_open(&b.back, NULL) == RS_OK, "an event");
    NOTE_NEED(self, rs_os_thread_start(&thread, send_blocking, &b, NULL) == RS_OK, "a thread");
    note_add(self, BACK_EARLY, rs_os_event_wait(b.back, 100));
    note_timeout(other[0], 2000);
    (void)note_recv_all(other[0], into, ASKED); /* took says what went */
    rs_os_thread_join(thread);
    rs_os_event_close(b.back);
    note_add(self, BLOCKING_TOOK, (double)b.took);
    note_add(self, BLOCKED_MS, b.ms);
}

const note_entry note_b3 = {
    .file = NOTE_FILE("b3_send_blocks_without_room"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
