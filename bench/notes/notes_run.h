/* SPDX-License-Identifier: MIT */
/* Runs one entry: its repeats, each bounded in time; its verdict. Main thread. */
#ifndef RS_NOTES_NOTES_RUN_H
#define RS_NOTES_NOTES_RUN_H

#include "notes/note_table.h"

#define NOTES_REPEATS_MAX 10u

/* The words of an entry that has nothing to run on this system. */
#define NOTES_WINDOWS_ALONE "it is about Winsock: run it on Windows"

typedef struct notes_result {
    const note_row *row; /* its entry is not NULL */
    note_verdict verdict;
    note_seen seen[NOTE_FIGURES_MAX];
    bool ran;
    bool broken; /* it did not end, or its child could not be started: a fault of this program */
    double ms;   /* of all repeats */
} notes_result;

/* notes_run: the entry of a row, `repeats` times. An entry that does not end is given up: its
 * thread is left to the end of the process. */
void notes_run(const note_row *row, uint32_t repeats, notes_result *out);

/* notes_run_inner: the child's side of an entry with .child: one run, its samples printed. Returns
 * main's answer. */
int notes_run_inner(const char *id);

#endif
