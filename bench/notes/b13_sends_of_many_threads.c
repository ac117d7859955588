/* SPDX-License-Identifier: MIT */
/* b13: sends of many threads on one socket do not mix; each stays whole.
 *
 * Experiment: four threads send records on one blocking socket, which say of themselves who sent
 * them and how long they are; the peer reads them. First records of 100 and 1,000 bytes, then also
 * of 10,000 and 100,000, longer than the buffers, so that a send has to wait in its middle.
 *
 * Documented: one stream socket should not have WSASend called from several threads at once: a
 * provider may split a large send, and the parts may mix (Winsock, WSASend).
 *
 * Refuted by: a record with somebody else's bytes in it. */
#include <string.h>

#include "notes/note_net.h"

#define THREADS 4u
#define RUN_MS 300u
#define LONGEST 100000u

enum { SMALL_READ, SMALL_BROKEN, LARGE_READ, LARGE_BROKEN };
static const note_figure figures[] = {
    [SMALL_READ] = {"records of 100 and 1,000 read", "", NOTE_SUM},
    [SMALL_BROKEN] = {"runs of them that broke", "", NOTE_SUM},
    [LARGE_READ] = {"records of 100 to 100,000 read", "", NOTE_SUM},
    [LARGE_BROKEN] = {"runs of them that broke", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[SMALL_READ].value < 1) {
        return note_say(NOTE_CANNOT_TELL, "no record was read");
    }
    if (seen[SMALL_BROKEN].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "records of 1,000 bytes and less mixed, after %.0f whole ones: a send that "
                        "finds no room waits in its middle, and lets others in",
                        seen[SMALL_READ].value);
    }
    if (seen[LARGE_BROKEN].value > 0) {
        return note_say(
            NOTE_IN_PART,
            "%.0f records of 1,000 bytes and less stayed whole, but with records longer "
            "than the buffer %.0f runs had mixed ones, after %.0f records",
            seen[SMALL_READ].value, seen[LARGE_BROKEN].value, seen[LARGE_READ].value);
    }
    return note_say(NOTE_HOLDS, "%.0f records of four threads, up to 100,000 bytes: all whole",
                    seen[SMALL_READ].value + seen[LARGE_READ].value);
}

typedef struct record {
    uint32_t magic, thread, bytes; /* bytes: with this head; the rest is of the thread's letter */
} record;

typedef struct sender {
    note_socket socket;
    uint32_t thread, bytes;
    char *data; /* [bytes] */
} sender;

static void send_records(void *arg) {
    const sender *s = arg;
    const record head = {.magic = 0x4e6f7465, .thread = s->thread, .bytes = s->bytes};
    const uint64_t start_ns = rs_os_now_ns();
    memset(s->data, 'a' + (int)s->thread, s->bytes);
    memcpy(s->data, &head, sizeof head);
    while (note_us_since(start_ns) < RUN_MS * 1e3 &&
           note_send(s->socket, s->data, s->bytes) == (int64_t)s->bytes) {
    }
}

typedef struct reader {
    note_socket socket;
    uint32_t read;
    bool broken;
    char data[LONGEST];
} reader;

static bool record_is_whole(reader *r) {
    record head;
    memcpy(&head, r->data, sizeof head);
    if (head.magic != 0x4e6f7465 || head.thread >= THREADS || head.bytes > LONGEST ||
        note_recv_all(r->socket, r->data, head.bytes - sizeof head) != head.bytes - sizeof head) {
        return false;
    }
    for (uint32_t i = 0; i < head.bytes - sizeof head; i++) {
        if (r->data[i] != 'a' + (int)head.thread) {
            return false;
        }
    }
    return true;
}

static void read_records(void *arg) {
    reader *r = arg;
    while (!r->broken && note_recv_all(r->socket, r->data, sizeof(record)) == sizeof(record)) {
        r->broken = !record_is_whole(r);
        r->read += !r->broken;
    }
    while (note_recv(r->socket, r->data, LONGEST) > 0) { /* so that the senders make progress */
    }
}

static void run(note *self) {
    static const uint32_t size[2][THREADS] = {{100, 100, 1000, 1000}, {100, 1000, 10000, LONGEST}};
    for (uint32_t phase = 0; phase < 2; phase++) {
        note_socket pair[2];
        sender s[THREADS];
        rs_os_thread *peer, *thread[THREADS] = {NULL};
        reader *r = note_memory(self, sizeof *r);
        NOTE_NEED(self, r != NULL && note_pair_sized(self, pair, 16384, 16384), "a pair");
        r->socket = pair[0];
        NOTE_NEED(self, rs_os_thread_start(&peer, read_records, r, NULL) == RS_OK, "a thread");
        for (uint32_t i = 0; i < THREADS; i++) {
            s[i] = (sender){.socket = pair[1],
                            .thread = i,
                            .bytes = size[phase][i],
                            .data = note_memory(self, LONGEST)};
            if (s[i].data == NULL ||
                rs_os_thread_start(&thread[i], send_records, &s[i], NULL) != RS_OK) {
                note_failed(self, "a thread");
            }
        }
        for (uint32_t i = 0; i < THREADS; i++) {
            rs_os_thread_join(thread[i]);
        }
        note_close(self, pair[1]);
        rs_os_thread_join(peer);
        note_add(self, SMALL_READ + 2 * phase, r->read);
        note_add(self, SMALL_BROKEN + 2 * phase, r->broken);
    }
}

const note_entry note_b13 = {
    .file = NOTE_FILE("b13_sends_of_many_threads"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
};
