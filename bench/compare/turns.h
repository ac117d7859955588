/* SPDX-License-Identifier: MIT */
/* The runs, one after the other, in the schedule's order; and how far they are. */
#ifndef RS_COMPARE_TURNS_H
#define RS_COMPARE_TURNS_H

#include <stdbool.h>

#include "compare/cost.h"
#include "compare/reports.h"
#include "compare/runner.h"

typedef struct rs_turns {
    rs_results *results;
    rs_target *target; /* [results->subjects] */
    rs_runner *runner;
    rs_reports *reports;
    rs_schedule schedule;
    bool *more;   /* the schedule's: kept as the results ask for */
    double width; /* of an interval that is wide, rounds.h; unused without extra rounds */
    rs_cost cost;
    const char *made;       /* a map: how its cells are measured, each kept as it ends; or NULL */
    bool rates_given;       /* results->fixed_rate is an earlier comparison's */
    bool progress;          /* is shown */
    rs_compare_run dropped; /* of a warm-up */
} rs_turns;

/* rs_turns_run: until all are done, something cannot be written, or the program is asked to stop
 * (results->interrupted). Main thread. */
void rs_turns_run(rs_turns *self);

#endif
