/* SPDX-License-Identifier: MIT */
/* e2: a cached file is served in the call: nothing overlaps.
 *
 * Experiment: 1 MiB is written and then read, 64 KiB a call, through an overlapped handle: with the
 * system's cache, and with FILE_FLAG_NO_BUFFERING. How many reads are not over when
 * the call comes back, and how long is it?
 * Documented: a read that the cache can serve completes in the call; with FILE_FLAG_NO_BUFFERING it
 * goes to the device ("Asynchronous disk I/O appears as synchronous on Windows"; CreateFile).
 * Refuted by: cached reads that go on
 * after their call. */
#include "notes/note_kernel.h"
#include "notes/note_file.h"

#define READS 16u
#define BYTES 65536u

enum { CACHED_LATER, DIRECT_LATER, CACHED_SAID, CACHED_US, DIRECT_US };
static const note_figure figures[] = {
    [CACHED_LATER] = {"cached reads that went on after the call, of 16", "", NOTE_MEDIAN},
    [DIRECT_LATER] = {"reads without the cache that did", "", NOTE_MEDIAN},
    [CACHED_SAID] = {"cached reads that said ERROR_IO_PENDING", "", NOTE_MEDIAN},
    [CACHED_US] = {"a cached call", "us", NOTE_MEDIAN},
    [DIRECT_US] = {"a call without the cache", "us", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const double cached = seen[CACHED_LATER].value, direct = seen[DIRECT_LATER].value;
    return note_say(cached > READS / 2.0                 ? NOTE_DOES_NOT_HOLD
                    : cached > 0 || direct < READS / 2.0 ? NOTE_IN_PART
                                                         : NOTE_HOLDS,
                    "of 16 cached reads %.0f went on after the call (%.0f said pending), of 16 "
                    "without the cache %.0f; a call took %.0f us and %.0f",
                    cached, seen[CACHED_SAID].value, direct, seen[CACHED_US].value,
                    seen[DIRECT_US].value);
}

#ifdef _WIN32

static void one(note *self, DWORD flags, uint32_t which) {
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *pages = note_pages(self, READS * BYTES / NOTE_PAGE); /* aligned, as it must be */
    const HANDLE file = note_file(self, flags), event = note_event(self);
    uint32_t said = 0, later = 0;
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && pages != NULL && file != NULL, "a file");
    NOTE_NEED(self, note_file_fill(self, file, pages, READS * BYTES), "WriteFile");
    for (uint32_t i = 0; i < READS; i++) {
        *overlapped = (OVERLAPPED){.Offset = i * BYTES, .hEvent = event};
        const uint64_t start_ns = rs_os_now_ns();
        const BOOL done = ReadFile(file, pages, BYTES, NULL, overlapped);
        const DWORD error = done ? 0 : GetLastError();
        later += error == ERROR_IO_PENDING && !HasOverlappedIoCompleted(overlapped);
        note_add(self, CACHED_US + which, note_us_since(start_ns));
        said += error == ERROR_IO_PENDING;
        NOTE_NEED(self, done || error == ERROR_IO_PENDING, "ReadFile");
        NOTE_NEED(self, GetOverlappedResult(file, overlapped, &moved, TRUE) && moved == BYTES,
                  "ReadFile");
    }
    note_add(self, CACHED_LATER + which, later);
    if (which == 0) {
        note_add(self, CACHED_SAID, said);
    }
    rs_os_pages_free(pages, READS * BYTES);
}

static void run(note *self) {
    one(self, 0, 0);
    one(self, FILE_FLAG_NO_BUFFERING, 1);
}

#endif

const note_entry note_e2 = {
    .file = NOTE_FILE("e2_cached_files"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
