/* SPDX-License-Identifier: MIT */
/* The files of a comparison and what it prints: where they go, whether there is room, who writes.
 *
 * What they say is report.h's. The first file that cannot be written is named, once; after it
 * nothing more is written (runner->unwritable). Main thread. */
#ifndef RS_COMPARE_REPORTS_H
#define RS_COMPARE_REPORTS_H

#include <stdbool.h>
#include <stdio.h>

#include "compare/report.h"
#include "compare/runner.h"
#include "compare/schedule.h"
#include "seam/printer.h"

typedef struct rs_reports {
    rs_runner *runner; /* its out, the folder of raw files, lies below ours */
    rs_printer *print; /* standard output and error: nobody waits for who reads them */
    rs_printer *err;
    char folder[RS_ARG_BYTES]; /* absolute */
    FILE *runs;                /* runs.csv */
    char *text;                /* RS_REPORT_BYTES, for one report after the other */
    rs_table table;
} rs_reports;

/* rs_reports_fail: one line on standard error. False, for a caller's return. */
bool rs_reports_fail(const rs_reports *self, const char *what, const char *why);

/* rs_reports_make_folder: and those above it; out: its absolute path. */
bool rs_reports_make_folder(const rs_reports *self, const char *path, char out[RS_ARG_BYTES]);

/* rs_reports_open: the folders, and room in them for a comparison, before anything of an earlier
 * one is touched. Allocates. */
bool rs_reports_open(rs_reports *self, const char *path);

/* rs_reports_begin: runs.csv begins anew with its head, and grows from there. */
bool rs_reports_begin(rs_reports *self);

/* rs_reports_keep: the line of a run that is done, flushed at once: it stays, whatever happens. */
void rs_reports_keep(rs_reports *self, const rs_results *results, const rs_turn *turn);

/* rs_reports_keep_cell: a cell of a map whose runs are done, in a file of its own, written beside
 * it and renamed. made: how it was measured. */
void rs_reports_keep_cell(rs_reports *self, const rs_results *results, uint32_t scenario,
                          const char *made);

/* rs_reports_ended: something could not be written, so no other run will do better. */
bool rs_reports_ended(const rs_reports *self);

/* rs_reports_say_why: that, on standard error. */
void rs_reports_say_why(const rs_reports *self);

/* rs_reports_write: every report, and the tables on standard output: waits for a reader who takes
 * his time, but no longer once the program was asked to stop. False: not all was written. */
bool rs_reports_write(rs_reports *self, const rs_results *results);

/* rs_reports_close: false: runs.csv is not whole. */
bool rs_reports_close(rs_reports *self);

#endif
