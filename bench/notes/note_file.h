/* SPDX-License-Identifier: MIT */
/* A file for the experiments about files: overlapped, in the temporary folder, gone with its
 * handle. Windows alone. */
#ifndef RS_NOTES_NOTE_FILE_H
#define RS_NOTES_NOTE_FILE_H

#include "notes/note_net.h"

#ifdef _WIN32

/* note_file: a new one, closed behind run. flags: added to FILE_FLAG_OVERLAPPED. NULL: note_failed
 * has said why. note_file_fill: writes `bytes` of `from`, a multiple of a page, at its start. */
HANDLE note_file(note *self, DWORD flags);
bool note_file_fill(note *self, HANDLE file, const char *from, DWORD bytes);

#endif

#endif
