/* SPDX-License-Identifier: MIT */
/* e1: overlapped writes without an offset all land at 0.
 *
 * Experiment: "AAAA", "BB" and "C" are written to an overlapped file, one after the other, all with
 * offset 0; then to another with offsets 0, 4 and 6. What is in the files?
 * Documented: an overlapped handle has no file position: Offset says where (I/O, WriteFile).
 * Refuted by: writes that follow one another without offsets. */
#include "notes/note_file.h"

#include <string.h>

enum { AT_0_BYTES, AT_0_AS_SAID, OFFSETS_BYTES, OFFSETS_AS_SAID };
static const note_figure figures[] = {
    [AT_0_BYTES] = {"bytes of the file, offsets 0", "B", NOTE_MEDIAN},
    [AT_0_AS_SAID] = {"it is CBAA: each over the one before", "", NOTE_LEAST},
    [OFFSETS_BYTES] = {"bytes of the file, offsets 0, 4, 6", "B", NOTE_MEDIAN},
    [OFFSETS_AS_SAID] = {"it is AAAABBC", "", NOTE_LEAST},
};

static note_verdict judge(const note_seen *seen) {
    return note_say(seen[AT_0_AS_SAID].value == 0      ? NOTE_DOES_NOT_HOLD
                    : seen[OFFSETS_AS_SAID].value == 0 ? NOTE_IN_PART
                                                       : NOTE_HOLDS,
                    "three writes of 4, 2 and 1 bytes made a file of %.0f bytes without offsets, "
                    "%.0f with them",
                    seen[AT_0_BYTES].value, seen[OFFSETS_BYTES].value);
}

#ifdef _WIN32

static void one(note *self, const DWORD *offset, const char *expected, uint32_t figure) {
    static const char *const text[] = {"AAAA", "BB", "C"};
    OVERLAPPED *overlapped = note_memory(self, 4 * sizeof *overlapped);
    char *read = note_memory(self, 64);
    const HANDLE file = note_file(self, 0);
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && read != NULL && file != NULL, "a file");
    for (uint32_t i = 0; i < 3; i++) {
        overlapped[i] = (OVERLAPPED){.Offset = offset[i], .hEvent = note_event(self)};
        (void)WriteFile(file, text[i], (DWORD)strlen(text[i]), NULL, &overlapped[i]);
        NOTE_NEED(self, GetOverlappedResult(file, &overlapped[i], &moved, TRUE), "WriteFile");
    }
    overlapped[3].hEvent = note_event(self);
    (void)ReadFile(file, read, 64, NULL, &overlapped[3]);
    NOTE_NEED(self, GetOverlappedResult(file, &overlapped[3], &moved, TRUE), "ReadFile");
    note_add(self, figure, moved);
    note_add(self, figure + 1, moved == strlen(expected) && memcmp(read, expected, moved) == 0);
}

static void run(note *self) {
    one(self, (const DWORD[]){0, 0, 0}, "CBAA", AT_0_BYTES);
    one(self, (const DWORD[]){0, 4, 6}, "AAAABBC", OFFSETS_BYTES);
}

#endif

const note_entry note_e1 = {
    .file = NOTE_FILE("e1_writes_at_offsets"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
