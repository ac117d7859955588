/* SPDX-License-Identifier: MIT */
/* d4: only so much memory may be locked.
 *
 * Experiment: memory is locked (VirtualLock, mlock) in steps of 64 KiB until that is refused, at
 * most 64 MiB; where there is RIO it is registered in steps of 1 MiB and of 64 MiB, at most 1 GiB.
 * How much was locked, what is the error, and does a step work again after all is released? All of
 * it in a process of its own, which on Linux gives up the right of root to lock without end.
 * Documented: VirtualLock ends a little below the minimum working set (Memory, VirtualLock), mlock
 * at RLIMIT_MEMLOCK; requests fail with WSAENOBUFS when no more can be locked (Winsock, WSASend).
 * Refuted by: memory that stays refused after all is released; no end within the bound tells
 * nothing. */
#include "notes/note_kernel.h"

#ifdef _WIN32
#define LOCK(address, bytes) (VirtualLock((address), (bytes)) != FALSE)
#define UNLOCK(address, bytes) ((void)VirtualUnlock((address), (bytes)))
#else
#include <sys/mman.h>
#include <unistd.h>
#define LOCK(address, bytes) (mlock((address), (bytes)) == 0)
#define UNLOCK(address, bytes) ((void)munlock((address), (bytes)))
#endif

#define STEP 65536u
#define BOUND (1024u * STEP)
#define NOBODY 65534u

enum { ENDING, LOCKED_KIB, ERROR_CODE, AGAIN, RIO_1_MIB, RIO_64_MIB, REFUSED };
static const note_figure figures[] = {
    [ENDING] = {"exit code of the process (-1: crash, -2: stuck)", "", NOTE_LEAST},
    [LOCKED_KIB] = {"locked before it was refused, or 65,536", "KiB", NOTE_LEAST},
    [ERROR_CODE] = {"error", "", NOTE_MEDIAN},
    [AGAIN] = {"a step works after the release", "", NOTE_LEAST},
    [RIO_1_MIB] = {"registered with RIO in steps of 1 MiB, or 1,024", "MiB", NOTE_LEAST},
    [RIO_64_MIB] = {"in steps of 64 MiB", "MiB", NOTE_LEAST},
    [REFUSED] = {"was refused", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[ENDING].value != 0 || seen[REFUSED].count == 0) {
        return note_say(NOTE_CANNOT_TELL, "the process that locks did not end as it should: %.0f",
                        seen[ENDING].value);
    }
    if (seen[REFUSED].value == 0) {
        return note_say(NOTE_CANNOT_TELL, "%.0f KiB could be locked: the end is further out",
                        seen[LOCKED_KIB].value);
    }
    return note_say(seen[AGAIN].value > 0 ? NOTE_HOLDS : NOTE_IN_PART,
                    "after %.0f KiB the next 64 were refused, error %.0f; after the release they "
                    "%s",
                    seen[LOCKED_KIB].value, seen[ERROR_CODE].value,
                    seen[AGAIN].value > 0 ? "could be locked" : "were still refused");
}

#ifdef _WIN32

/* MiB registered before a step was refused. */
static double registered(note_rio *rio, size_t step_mib) {
    static RIO_BUFFERID id[1024];
    char *memory = VirtualAlloc(NULL, step_mib << 20, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    uint32_t count = 0;
    while (memory != NULL && count < 1024 / step_mib) { /* the same memory: each locks it anew */
        id[count] = rio->fn.RIORegisterBuffer(memory, (DWORD)(step_mib << 20));
        if (id[count] == RIO_INVALID_BUFFERID) {
            break;
        }
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        rio->fn.RIODeregisterBuffer(id[i]);
    }
    if (memory != NULL) {
        (void)VirtualFree(memory, 0, MEM_RELEASE);
    }
    return (double)(count * step_mib);
}

#endif

static void run(note *self) {
    char *memory = rs_os_pages_alloc(BOUND, NULL);
    size_t locked = 0;
    NOTE_NEED(self, memory != NULL, "memory");
#ifndef _WIN32
    NOTE_NEED(self, geteuid() != 0 || seteuid(NOBODY) == 0, "seteuid");
#endif
    while (locked < BOUND && LOCK(memory + locked, STEP)) {
        locked += STEP;
    }
    note_add(self, LOCKED_KIB, (double)locked / 1024);
    note_add(self, REFUSED, locked < BOUND);
    if (locked < BOUND) {
        note_add(self, ERROR_CODE, note_error());
    }
    for (size_t at = 0; at < locked; at += STEP) {
        UNLOCK(memory + at, STEP);
    }
    const bool again = LOCK(memory, STEP);
    note_add(self, AGAIN, again);
    if (again) {
        UNLOCK(memory, STEP);
    }
    rs_os_pages_free(memory, BOUND);
#ifdef _WIN32
    note_rio rio;
    if (!rs_os_is_wine() && note_rio_open(self, &rio, 1, 1)) { /* one that is lent locks nothing */
        note_add(self, RIO_1_MIB, registered(&rio, 1));
        note_add(self, RIO_64_MIB, registered(&rio, 64));
        note_rio_close(self, &rio);
    }
#endif
}

const note_entry note_d4 = {
    .file = NOTE_FILE("d4_limit_of_locks"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_IN_PART) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
    .child = true,
};
