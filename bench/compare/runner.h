/* SPDX-License-Identifier: MIT */
/* One run: a fresh server, one load against it, both sides' figures.
 *
 * Owns the two child processes while the run lasts; whatever happens, both are gone when
 * rs_runner_turn returns. Every wait is bounded. Main thread. */
#ifndef RS_COMPARE_RUNNER_H
#define RS_COMPARE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/args.h"
#include "compare/process.h"
#include "compare/result.h"
#include "seam/atomics.h"

#define RS_RUNNER_JSON_BYTES 131072u
#define RS_RUNNER_NODES 4096u
#define RS_RUNNER_ROWS_BYTES                                                                       \
    524288u /* of all connections: more than 160 bytes for each of 3,000                           \
             */

/* A program to measure. */
typedef struct rs_target {
    char name[RS_NAME_BYTES];
    char program[RS_ARG_BYTES];              /* absolute */
    char build[RS_BUILDS_MAX][RS_ARG_BYTES]; /* that take its place in turn */
    uint32_t builds;                         /* 0: none does */
    bool wine;                               /* started by scripts/wine.sh in a prefix of its own */
    bool streams;                            /* a ladder server: has no frames */
    char prefix[RS_ARG_BYTES];
    rs_process wineserver; /* id 0: none seen yet */
    rs_args extra;         /* options of --set: pairs of name and value */
} rs_target;

/* One of the two programs of a run, and what it leaves. */
typedef struct rs_runner_side {
    const char *name; /* of its files: BASE.name.json, .out, .err */
    int32_t cpu;      /* RS_CPU_ANY: wherever the system likes */
    rs_process process;
    char text[RS_RUNNER_JSON_BYTES];
    rs_json_node node[RS_RUNNER_NODES];
} rs_runner_side;

typedef struct rs_runner {
    char out[RS_ARG_BYTES];                   /* folder of the raw files, absolute */
    char loadgen[RS_ARG_BYTES];               /* absolute */
    char wine_script[RS_ARG_BYTES];           /* absolute; "" where Wine is not used */
    int32_t process_counter, machine_counter; /* of process.h; -1: none tells the truth */
    bool each_connection;                     /* loadgen writes a row for each */
    bool load_untold;                         /* loadgen's own times do not */
    double seconds, warmup_s;
    double share;              /* of that time: less for a run that does not count */
    const rs_atomic_u32 *stop; /* not 0: end soon, the run does not count */
    rs_error unwritable;       /* text not "": nothing can be written below out, and why */
    rs_runner_side server, load;
    char rows[RS_RUNNER_ROWS_BYTES];
} rs_runner;

/* rs_runner_can_write: is there room below runner->out for what a run leaves there? Sets
 * runner->unwritable. */
bool rs_runner_can_write(rs_runner *runner);

/* rs_runner_first_line: of a file, such as a program's standard error; "" if it cannot be read. */
void rs_runner_first_line(const char *path, char *out, size_t bytes);

/* rs_runner_turn: does the run.
 *
 * Params   base: name of its files below runner->out, no folder part; rate: asked for, or where
 *          the search for capacity starts; 0 in a closed loop.
 * Returns  *out: OK, VOID with the reason, or NOT when the program was asked to stop, or nothing
 *          could be written any more (runner->unwritable): no other run will do better. *subject:
 *          what the server says of itself, when it got so far.
 * Bounds   the load's own time and RS_RUNNER_*_S of waiting. */
void rs_runner_turn(rs_runner *runner, rs_target *target, const rs_scenario *scenario, double rate,
                    const char *base, rs_compare_run *out, rs_subject *subject);

#endif
