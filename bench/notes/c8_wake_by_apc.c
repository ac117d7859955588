/* SPDX-License-Identifier: MIT */
/* c8: QueueUserAPC can be used on purpose, as a wake-up.
 *
 * Experiment: a thread sleeps in an alertable wait, at a port or at an event; another wakes it by
 * QueueUserAPC, PostQueuedCompletionStatus or SetEvent, 40 times each. Time from the call to the
 * thread's first instruction. Documented: an APC ends SleepEx with WAIT_IO_COMPLETION
 * (Synchronization, QueueUserAPC). Refuted by: a sleeper that is not woken. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#define WAYS 3u
#define ROUNDS 40u
#define SLEEP_MS 1000u

enum { APC_US, PORT_US, EVENT_US, WOKEN };
static const note_figure figures[] = {
    [APC_US] = {"woken by QueueUserAPC after", "us", NOTE_MEDIAN},
    [PORT_US] = {"by PostQueuedCompletionStatus", "us", NOTE_MEDIAN},
    [EVENT_US] = {"by SetEvent", "us", NOTE_MEDIAN},
    [WOKEN] = {"times QueueUserAPC woke, of 40", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    return note_say(seen[WOKEN].value == ROUNDS ? NOTE_HOLDS : NOTE_DOES_NOT_HOLD,
                    "an APC woke %.0f times of 40, after %.0f us; a packet after %.0f, an event "
                    "after %.0f",
                    seen[WOKEN].value, seen[APC_US].value, seen[PORT_US].value,
                    seen[EVENT_US].value);
}

#ifdef _WIN32

typedef struct sleeper {
    HANDLE thread, port, event; /* thread: its own, to queue APCs to */
    rs_os_event *ready, *woke;
    uint32_t way;
    uint64_t woken_ns; /* 0: its sleep ran out */
} sleeper;

static void CALLBACK nothing(ULONG_PTR argument) {
    (void)argument;
}

static void sleep_on(void *arg) {
    sleeper *s = arg;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    bool woken;
    (void)DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &s->thread,
                          0, FALSE, DUPLICATE_SAME_ACCESS); /* NULL shows */
    for (uint32_t i = 0; i < ROUNDS; i++) {
        rs_os_event_set(s->ready);
        woken = s->way == 0   ? SleepEx(SLEEP_MS, TRUE) == WAIT_IO_COMPLETION
                : s->way == 1 ? GetQueuedCompletionStatus(s->port, &bytes, &key, &overlapped,
                                                          SLEEP_MS) != FALSE
                              : WaitForSingleObject(s->event, SLEEP_MS) == WAIT_OBJECT_0;
        s->woken_ns = woken ? rs_os_now_ns() : 0;
        (void)ResetEvent(s->event);
        rs_os_event_set(s->woke);
    }
}

static bool wake(const sleeper *s) {
    return s->way == 0   ? s->thread != NULL && QueueUserAPC(nothing, s->thread, 0) != 0
           : s->way == 1 ? PostQueuedCompletionStatus(s->port, 0, 0, NULL) != FALSE
                         : SetEvent(s->event) != FALSE;
}

static void one(note *self, sleeper *s) {
    rs_os_thread *thread;
    uint32_t woken = 0;
    bool called = true;
    NOTE_NEED(self, rs_os_thread_start(&thread, sleep_on, s, NULL) == RS_OK, "a thread");
    for (uint32_t i = 0; i < ROUNDS; i++) {
        (void)rs_os_event_wait(s->ready, 5000);
        rs_os_sleep_ms(2); /* it sleeps now */
        const uint64_t start_ns = rs_os_now_ns();
        called = wake(s) && called;
        (void)rs_os_event_wait(s->woke, 5000);
        if (s->woken_ns >= start_ns) {
            woken++;
            note_add(self, APC_US + s->way, (double)(s->woken_ns - start_ns) / 1e3);
        }
    }
    rs_os_thread_join(thread);
    (void)CloseHandle(s->thread); /* ours */
    if (s->way == 0) {
        note_add(self, WOKEN, woken);
    }
    NOTE_NEED(self, called, "a wake-up");
}

static void run(note *self) {
    sleeper s = {.port = note_port(self, 1), .event = note_event(self)};
    const bool opened = s.port != NULL && s.event != NULL &&
                        rs_os_event_open(&s.ready, NULL) == RS_OK &&
                        rs_os_event_open(&s.woke, NULL) == RS_OK;
    for (s.way = 0; opened && s.way < WAYS; s.way++) {
        one(self, &s);
    }
    rs_os_event_close(s.ready);
    rs_os_event_close(s.woke);
    NOTE_NEED(self, opened, "an event");
}

#endif

const note_entry note_c8 = {
    .file = NOTE_FILE("c8_wake_by_apc"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
