/* SPDX-License-Identifier: MIT */
/* b2: a blocked recv returns when a segment with PSH arrives.
 *
 * Experiment: a recv of 64 KiB waits. The peer sends 16 KiB in one call; then eight times 2 KiB,
 * 10 ms apart. How much does each recv return, and when? Every send call ends with PSH on its last
 * segment, so what is seen is whether recv waits for more than one send call.
 *
 * Documented: Windows completes a receive at PSH, when its buffer is full, or half a second after
 * data arrived (registry entry IgnorePushBitOnReceives); MSG_PUSH_IMMEDIATE asks it not to hold
 * back a partly filled one (Winsock, WSARecv). Linux: whatever is there (recv(2)).
 *
 * Refuted by: a recv that waits for more although a send call has ended. A segment without PSH
 * cannot be made by a program: that half is not decided here. */
#include "notes/note_net.h"

#define ROOM 65536u
#define ONE_CALL 16384u
#define PIECE 2048u
#define PIECES 8u

enum { ONE_GOT, ONE_US, PIECE_RECVS, PIECE_GOT };
static const note_figure figures[] = {
    [ONE_GOT] = {"first recv, 16 KiB sent in one call", "bytes", NOTE_MEDIAN},
    [ONE_US] = {"after the send call", "us", NOTE_MEDIAN},
    [PIECE_RECVS] = {"recvs for eight sends of 2 KiB", "", NOTE_MEDIAN},
    [PIECE_GOT] = {"first recv of those", "bytes", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[PIECE_RECVS].value < PIECES / 2.0) {
        return note_say(NOTE_DOES_NOT_HOLD,
                        "eight sends 10 ms apart ended %.0f recvs only, the first with %.0f bytes: "
                        "recv waits for more than a send call's end",
                        seen[PIECE_RECVS].value, seen[PIECE_GOT].value);
    }
    return note_say(
        NOTE_IN_PART,
        "a recv ends when a send call's bytes are there (%.0f of 16 KiB, %.0f us after "
        "it; %.0f recvs for eight sends), and such a call ends with PSH; whether PSH is "
        "needed for it cannot be seen by a program",
        seen[ONE_GOT].value, seen[ONE_US].value, seen[PIECE_RECVS].value);
}

typedef struct sender {
    note_socket socket;
    uint64_t sent_ns; /* before the first call */
} sender;

static const char data[ONE_CALL];

static void send_in_one(void *arg) {
    sender *peer = arg;
    rs_os_sleep_ms(20);
    peer->sent_ns = rs_os_now_ns();
    (void)note_send(peer->socket, data, ONE_CALL); /* judge sees what arrives */
}

static void send_in_pieces(void *arg) {
    const sender *peer = arg;
    for (uint32_t i = 0; i < PIECES; i++) {
        rs_os_sleep_ms(10);
        (void)note_send(peer->socket, data, PIECE);
    }
}

static void run(note *self) {
    static char buffer[ROOM];
    note_socket pair[2];
    rs_os_thread *thread;
    sender peer;
    NOTE_NEED(self, note_pair(self, pair), "a pair");
    note_timeout(pair[0], 2000);
    peer = (sender){.socket = pair[1]};
    NOTE_NEED(self, rs_os_thread_start(&thread, send_in_one, &peer, NULL) == RS_OK, "a thread");
    const int64_t first = note_recv(pair[0], buffer, ROOM);
    const uint64_t got_ns = rs_os_now_ns();
    rs_os_thread_join(thread);
    note_add(self, ONE_GOT, (double)first);
    note_add(self, ONE_US, (double)(got_ns - peer.sent_ns) / 1e3);
    NOTE_NEED(self,
              first > 0 &&
                  note_recv_all(pair[0], buffer, ONE_CALL - (size_t)first) + (size_t)first ==
                      ONE_CALL,
              "recv");

    NOTE_NEED(self, rs_os_thread_start(&thread, send_in_pieces, &peer, NULL) == RS_OK, "a thread");
    uint32_t recvs = 0;
    for (size_t done = 0; done < PIECE * PIECES; recvs++) {
        const int64_t got = note_recv(pair[0], buffer, ROOM);
        if (recvs == 0) {
            note_add(self, PIECE_GOT, (double)got);
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    rs_os_thread_join(thread);
    note_add(self, PIECE_RECVS, recvs);
}

const note_entry note_b2 = {
    .file = NOTE_FILE("b2_recv_and_push"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
