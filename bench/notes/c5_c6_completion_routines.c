/* SPDX-License-Identifier: MIT */
/* c5: a completion routine runs in the thread that made the request; no other can take its work.
 * c6: completions that arrive while a routine runs are called within the same alertable wait.
 *
 * Experiments: c5: thread A makes a request, its bytes come, thread B waits alertably for 0.2 s,
 * then A does. Where did the routine run? c6: a routine makes the next of 100 requests, whose
 * bytes are there already, so that each completes while one runs. How many does one SleepEx call?
 * Documented: the routine is an APC of the thread that made the request and runs when that thread
 * waits alertably (Winsock, WSARecv); SleepEx calls all that are queued (Synchronization,
 * "Alertable I/O"). Refuted by: c5: a routine in B; c6: fewer than 100. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define CHAIN 100u

enum { IN_OTHER, IN_OWN };
static const note_figure c5_figures[] = {
    [IN_OTHER] = {"routines run in another thread's wait", "", NOTE_MOST},
    [IN_OWN] = {"in the requesting thread's wait", "", NOTE_LEAST},
};

static note_verdict c5_judge(const note_seen *seen) {
    if (seen[IN_OTHER].value > 0) {
        return note_say(NOTE_DOES_NOT_HOLD, "another thread's wait ran the routine");
    }
    return note_say(seen[IN_OWN].value > 0 ? NOTE_HOLDS : NOTE_CANNOT_TELL,
                    seen[IN_OWN].value > 0 ? "another thread waited 0.2 s and got nothing; the "
                                             "requesting thread got it at once"
                                           : "the routine ran nowhere");
}

enum { BY_ONE_WAIT };
static const note_figure c6_figures[] = {
    [BY_ONE_WAIT] = {"routines run by one SleepEx, of 100", "", NOTE_LEAST},
};

static note_verdict c6_judge(const note_seen *seen) {
    return note_say(seen[BY_ONE_WAIT].value == CHAIN ? NOTE_HOLDS
                    : seen[BY_ONE_WAIT].value > 1    ? NOTE_IN_PART
                                                     : NOTE_DOES_NOT_HOLD,
                    "one SleepEx ran %.0f of a chain of 100", seen[BY_ONE_WAIT].value);
}

#ifdef _WIN32

typedef struct chain {
    OVERLAPPED overlapped; /* first: what the routine is given */
    note_socket socket;
    uint32_t left;
    rs_atomic_u32 ran;
    DWORD thread;
    char byte;
} chain;

static bool next(chain *c);

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags) {
    chain *c = (chain *)overlapped;
    (void)flags;
    if (error == 0 && bytes == 1) {
        c->thread = GetCurrentThreadId();
        (void)rs_atomic_add_u32(&c->ran, 1);
        (void)(--c->left > 0 && next(c)); /* a failure ends the chain: the count shows it */
    }
}

static bool next(chain *c) {
    WSABUF buffer = {.len = 1, .buf = &c->byte};
    DWORD flags = 0;
    c->overlapped = (OVERLAPPED){.hEvent = NULL};
    return WSARecv(c->socket, &buffer, 1, NULL, &flags, &c->overlapped, routine) == 0 ||
           WSAGetLastError() == WSA_IO_PENDING;
}

static void wait_elsewhere(void *arg) {
    (void)arg;
    (void)SleepEx(200, TRUE);
}

static chain *begin(note *self, uint32_t length) {
    static const char bytes[CHAIN] = {0};
    chain *c = note_memory(self, sizeof *c);
    note_socket pair[2];
    if (c == NULL || !note_pair(self, pair)) {
        return NULL;
    }
    c->socket = pair[0];
    c->left = length;
    return next(c) && note_send(pair[1], bytes, length) == (int64_t)length ? c : NULL;
}

static void run_c5(note *self) {
    chain *c = begin(self, 1);
    rs_os_thread *thread;
    NOTE_NEED(self, c != NULL, "a request");
    NOTE_NEED(self, rs_os_thread_start(&thread, wait_elsewhere, NULL, NULL) == RS_OK, "a thread");
    rs_os_thread_join(thread);
    note_add(self, IN_OTHER, rs_atomic_load_u32(&c->ran));
    (void)SleepEx(1000, TRUE);
    note_add(self, IN_OWN, c->thread == GetCurrentThreadId());
}

static void run_c6(note *self) {
    chain *c = begin(self, CHAIN);
    NOTE_NEED(self, c != NULL, "a request");
    rs_os_sleep_ms(20); /* all bytes are there */
    (void)SleepEx(1000, TRUE);
    note_add(self, BY_ONE_WAIT, rs_atomic_load_u32(&c->ran));
    for (uint32_t i = 0; i < 2 * CHAIN && c->left > 0; i++) {
        (void)SleepEx(10, TRUE); /* no routine is left for a later wait */
    }
}

#endif

const note_entry note_c5 = {
    .file = NOTE_FILE("c5_c6_completion_routines"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(c5_figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = c5_judge,
    .run = NOTE_ON_WINDOWS(run_c5),
};

const note_entry note_c6 = {
    .file = NOTE_FILE("c5_c6_completion_routines"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(c6_figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = c6_judge,
    .run = NOTE_ON_WINDOWS(run_c6),
};
