/* SPDX-License-Identifier: MIT */
/* b14: several receives outstanding on one socket may be handled in the wrong order by several
 * workers.
 *
 * Experiment: the peer sends numbers of four bytes; 1 or 4 receives of four bytes are outstanding,
 * 1 or 4 workers take their packets. Each worker counts up as it begins to handle one: is its
 * number the next? Then it posts the receive again.
 *
 * Documented: packets leave a port in order, each to one thread; nothing orders the threads after
 * that (Windows, I/O Completion Ports). WSARecv should not be called for one socket by several
 * threads at once (Winsock, WSARecv): so posting is locked here.
 *
 * Refuted by: nothing; that no swap is seen proves nothing, so the verdict is "cannot tell" then.
 */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define NUMBERS 1500u

enum { SWAPPED_1_1, SWAPPED_4_1, SWAPPED_1_4, SWAPPED_4_4, HANDLED };
static const note_figure figures[] = {
    [SWAPPED_1_1] = {"out of order: 1 receive, 1 worker", "", NOTE_SUM},
    [SWAPPED_4_1] = {"4 receives, 1 worker", "", NOTE_SUM},
    [SWAPPED_1_4] = {"1 receive, 4 workers", "", NOTE_SUM},
    [SWAPPED_4_4] = {"4 receives, 4 workers", "", NOTE_SUM},
    [HANDLED] = {"numbers handled", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    const double single = seen[SWAPPED_1_1].value + seen[SWAPPED_1_4].value;
    if (single > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "%.0f came out of order even with one receive", single);
    }
    if (seen[SWAPPED_4_4].value == 0) {
        return note_say(NOTE_CANNOT_TELL, "of %.0f numbers none was handled out of order",
                        seen[HANDLED].value);
    }
    return note_say(NOTE_HOLDS,
                    "with 4 receives and 4 workers %.0f were handled out of order, with 4 receives "
                    "and 1 worker %.0f, with one receive none",
                    seen[SWAPPED_4_4].value, seen[SWAPPED_4_1].value);
}

#ifdef _WIN32

typedef struct receive {
    OVERLAPPED overlapped;
    uint32_t number;
} receive;

typedef struct shared {
    note_socket socket;
    HANDLE port;
    CRITICAL_SECTION posting;
    rs_atomic_u32 handled, swapped;
    receive receive[4];
} shared;

static bool post(shared *s, receive *r) {
    DWORD moved = 0;
    r->overlapped = (OVERLAPPED){.hEvent = NULL};
    EnterCriticalSection(&s->posting);
    const int rc = note_post_recv(s->socket, &r->number, sizeof r->number, &r->overlapped, &moved);
    LeaveCriticalSection(&s->posting);
    return rc == 0 || rc == WSA_IO_PENDING;
}

static void work(void *arg) {
    shared *s = arg;
    while (rs_atomic_load_u32(&s->handled) < NUMBERS) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        receive *r = (receive *)note_take(s->port, 200, &bytes, &key);
        if (r == NULL || bytes != sizeof r->number) {
            return; /* the end of the stream, or nothing more */
        }
        if (rs_atomic_add_u32(&s->handled, 1) != r->number) {
            (void)rs_atomic_add_u32(&s->swapped, 1);
        }
        (void)post(s, r); /* a failure shows as numbers that are not handled */
    }
}

static void one(note *self, uint32_t receives, uint32_t workers, uint32_t figure) {
    note_socket pair[2];
    rs_os_thread *thread[4] = {NULL};
    shared *s = note_memory(self, sizeof *s);
    uint32_t *number = note_memory(self, NUMBERS * sizeof *number);
    const HANDLE port = note_port(self, workers);
    NOTE_NEED(self, s != NULL && number != NULL && note_pair(self, pair), "a pair");
    NOTE_NEED(self, note_attach(self, port, pair[0], 0), "a port");
    s->socket = pair[0];
    s->port = port;
    InitializeCriticalSection(&s->posting);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        number[i] = i;
    }
    for (uint32_t i = 0; i < receives; i++) {
        NOTE_NEED(self, post(s, &s->receive[i]), "WSARecv");
    }
    for (uint32_t i = 0; i < workers; i++) {
        if (rs_os_thread_start(&thread[i], work, s, NULL) != RS_OK) {
            note_failed(self, "a thread");
        }
    }
    const bool sent = note_send(pair[1], number, NUMBERS * 4u) == (int64_t)NUMBERS * 4;
    for (uint32_t i = 0; i < workers; i++) {
        rs_os_thread_join(thread[i]);
    }
    DeleteCriticalSection(&s->posting);
    NOTE_NEED(self, sent, "send");
    note_add(self, figure, rs_atomic_load_u32(&s->swapped));
    note_add(self, HANDLED, rs_atomic_load_u32(&s->handled));
    note_close_all(self);
}

static void run(note *self) {
    one(self, 1, 1, SWAPPED_1_1);
    one(self, 4, 1, SWAPPED_4_1);
    one(self, 1, 4, SWAPPED_1_4);
    one(self, 4, 4, SWAPPED_4_4);
}

#endif

const note_entry note_b14 = {
    .file = NOTE_FILE("b14_receives_of_many_workers"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
