/* SPDX-License-Identifier: MIT */
/* --resume: what a map has measured so far, cell by cell, in the folder "cells" of its results. */
#ifndef RS_COMPARE_MAP_RESUME_H
#define RS_COMPARE_MAP_RESUME_H

#include <stdbool.h>

#include "compare/map_cell.h"
#include "compare/reports.h"
#include "compare/settings.h"

/* rs_map_made: how cells are measured now: machine, commit, servers, times, options. */
void rs_map_made(const rs_results *results, const rs_compare_settings *settings,
                 char out[RS_MAP_MADE_BYTES]);

/* rs_map_resume: fills the results from the cells that are there and marks those to be skipped.
 * Without --resume it removes them instead: what a later --resume finds is of one map.
 *
 * Params   skip: [scenarios][subjects].
 * Returns  0; 2: a cell was measured in another way (a line says which and how); 1: no memory, or
 *          no folder. */
int rs_map_resume(rs_results *results, const rs_compare_settings *settings, rs_reports *reports,
                  const char *made, bool *skip);

/* rs_map_resume_lines: the lines of their runs in runs.csv, which has begun anew. */
void rs_map_resume_lines(const rs_results *results, rs_reports *reports);

#endif
