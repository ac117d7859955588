/* SPDX-License-Identifier: MIT */
/* See note_file.h. */
#include "notes/note_file.h"

#include "core/assert.h"
#include "notes/note_state.h"

HANDLE note_file(note *self, DWORD flags) {
    wchar_t folder[MAX_PATH], name[MAX_PATH];
    if (GetTempPathW(MAX_PATH, folder) == 0 || GetTempFileNameW(folder, L"rsn", 0, name) == 0) {
        note_failed(self, "GetTempFileName");
        return NULL;
    }
    const HANDLE file = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                                    flags | FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        note_failed(self, "CreateFile");
        return NULL;
    }
    RS_ASSERT(self->handles < NOTE_HANDLES_MAX);
    self->handle[self->handles++] = file;
    return file;
}

bool note_file_fill(note *self, HANDLE file, const char *from, DWORD bytes) {
    OVERLAPPED overlapped = {.hEvent = note_event(self)};
    DWORD moved = 0;
    (void)WriteFile(file, from, bytes, NULL, &overlapped); /* its result says */
    if (GetOverlappedResult(file, &overlapped, &moved, TRUE) && moved == bytes) {
        return true;
    }
    note_failed(self, "WriteFile");
    return false;
}
