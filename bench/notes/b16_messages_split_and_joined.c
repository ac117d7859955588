/* SPDX-License-Identifier: MIT */
/* b16: messages arrive split and joined, so the receiver puts them together.
 *
 * Experiment: up to 100,000 frames (two bytes of length, 1 to 300 of data) go through a stream
 * that is cut at random: sends of 1 to 2,000 bytes, receives of 1 to 4,096. The receiver puts them
 * together with the loop below and checks every byte.
 *
 * Documented: TCP is a stream of bytes; message boundaries are not kept (Winsock, send and recv).
 *
 * Refuted by: receives that hold one whole frame each; or, of the loop, a frame that is not whole.
 */
#include <string.h>

#include "notes/note_net.h"

#define FRAMES 100000u
#define DATA_MAX 300u
#define CUT_MAX 2000u
#define RECV_MAX 4096u
#define RUN_MS 1000u

enum { WHOLE, WRONG, SPLIT, JOINED };
static const note_figure figures[] = {
    [WHOLE] = {"frames put together", "", NOTE_SUM},
    [WRONG] = {"bytes out of place, or lost", "", NOTE_SUM},
    [SPLIT] = {"receives that ended within a frame", "", NOTE_SUM},
    [JOINED] = {"receives with several frames", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[WRONG].value > 0 || seen[WHOLE].value < 1) {
        return note_say(NOTE_DOES_NOT_HOLD, "putting them together failed: %.0f bytes wrong",
                        seen[WRONG].value);
    }
    if (seen[SPLIT].value == 0 || seen[JOINED].value == 0) {
        return note_say(NOTE_IN_PART, "%.0f receives ended within a frame, %.0f held several",
                        seen[SPLIT].value, seen[JOINED].value);
    }
    return note_say(NOTE_HOLDS,
                    "%.0f frames: %.0f receives ended within one, %.0f held several; put together, "
                    "every one is whole",
                    seen[WHOLE].value, seen[SPLIT].value, seen[JOINED].value);
}

typedef struct sender {
    note_socket socket;
    uint64_t data_bytes; /* sent, without lengths */
} sender;

static void send_frames(void *arg) {
    sender *s = arg;
    uint64_t random = 16;
    const uint64_t start_ns = rs_os_now_ns();
    unsigned char bytes[CUT_MAX + 2 + DATA_MAX];
    size_t used = 0, cut = 1;
    for (uint32_t i = 0; i < FRAMES && note_us_since(start_ns) < RUN_MS * 1e3; i++) {
        const uint32_t data = 1u + note_random(&random) % DATA_MAX;
        bytes[used++] = (unsigned char)data;
        bytes[used++] = (unsigned char)(data >> 8);
        for (uint32_t k = 0; k < data; k++) {
            bytes[used++] = (unsigned char)note_pattern(s->data_bytes++);
        }
        while (used >= cut) { /* the rest waits for the next frame */
            if (note_send(s->socket, bytes, cut) != (int64_t)cut) {
                return;
            }
            used -= cut;
            memmove(bytes, bytes + cut, used);
            cut = 1u + note_random(&random) % CUT_MAX;
        }
    }
    (void)note_send(s->socket, bytes, used); /* a loss shows at the receiver */
    note_shut_down(s->socket);
}

typedef struct receiver {
    unsigned char bytes[RECV_MAX + 2 + DATA_MAX];
    size_t used;
    uint64_t frames, data_bytes, wrong;
} receiver;

/* Takes the whole frames at the front; how many. */
static uint32_t take_frames(receiver *r) {
    size_t at = 0;
    uint32_t frames = 0;
    while (r->used - at >= 2) {
        const size_t data = r->bytes[at] | (size_t)r->bytes[at + 1] << 8;
        if (r->used - at < 2 + data) {
            break;
        }
        for (size_t k = 0; k < data; k++) {
            r->wrong += (char)r->bytes[at + 2 + k] != note_pattern(r->data_bytes++);
        }
        at += 2 + data;
        frames++;
    }
    r->used -= at;
    memmove(r->bytes, r->bytes + at, r->used);
    r->frames += frames;
    return frames;
}

static void run(note *self) {
    note_socket pair[2];
    rs_os_thread *thread;
    uint64_t random = 61;
    uint32_t split = 0, joined = 0;
    receiver *r = note_memory(self, sizeof *r);
    NOTE_NEED(self, r != NULL && note_pair(self, pair), "a pair");
    note_timeout(pair[0], 3000);
    sender s = {.socket = pair[1]};
    NOTE_NEED(self, rs_os_thread_start(&thread, send_frames, &s, NULL) == RS_OK, "a thread");
    while (r->frames < FRAMES) {
        /* Less than a frame is left over, so there is room. */
        const int64_t got =
            note_recv(pair[0], r->bytes + r->used, 1u + note_random(&random) % RECV_MAX);
        if (got <= 0) {
            break;
        }
        r->used += (size_t)got;
        joined += take_frames(r) > 1;
        split += r->used > 0;
    }
    rs_os_thread_join(thread);
    note_add(self, WHOLE, (double)r->frames);
    note_add(self, WRONG, (double)(r->wrong + (s.data_bytes - r->data_bytes)));
    note_add(self, SPLIT, split);
    note_add(self, JOINED, joined);
}

const note_entry note_b16 = {
    .file = NOTE_FILE("b16_messages_split_and_joined"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
    .command = "ctest --preset windows -R conf.iocp",
};
