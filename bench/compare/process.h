/* SPDX-License-Identifier: MIT */
/* Child processes and the machine, as the comparison needs them: two implementations,
 * process_posix.c and process_win.c.
 *
 * A child is ended by its handle or process id alone, never by a name, and does not outlive the
 * program: a job object on Windows, the parent-death signal on Linux. Main thread only. */
#ifndef RS_COMPARE_PROCESS_H
#define RS_COMPARE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/args.h"
#include "compare/ending.h"
#include "compare/placement.h"
#include "core/status.h"

typedef struct rs_process {
    bool running;
    int exit_code;                /* once ended; -1: by a signal or an exception */
    char ending[RS_ENDING_BYTES]; /* once ended: the same in words */
    int64_t id;                   /* process id */
    void *handle;                 /* Windows */
    uint64_t used_ns;             /* CPU time of its whole life, once ended */
} rs_process;

typedef struct rs_process_spec {
    const rs_args *args;              /* text[0] is the program */
    const char *out_path, *err_path;  /* its standard output and error; input is empty */
    int32_t cpu;                      /* processor to run on, or RS_CPU_ANY */
    const char *env_name, *env_value; /* one more variable, or NULL */
} rs_process_spec;

/* Ways to read CPU time, the best first: which of them can be trusted is found out (clocks.h). */
#define RS_COUNTERS 2u
extern const char *const rs_process_counters[RS_COUNTERS];
extern const char *const rs_machine_counters[RS_COUNTERS];

/* What a process has used so far; NAN: not known. */
typedef struct rs_process_usage {
    double cpu_ns[RS_COUNTERS]; /* all threads, also those that have ended */
    double user_share;          /* of it, [0, 1] */
    double memory_bytes;
    double switches; /* times that its threads were given a processor; NAN once one has ended that
                      * had used more than two ticks */
    double faults;   /* page faults */
} rs_process_usage;

/* rs_process_start: RS_E_OS with *error filled when the program cannot be started. */
rs_status rs_process_start(rs_process *process, const rs_process_spec *spec, rs_error *error);

/* rs_process_has_ended: never blocks. */
bool rs_process_has_ended(rs_process *process);

/* rs_process_interrupt: asks it to stop as Ctrl+C would. */
void rs_process_interrupt(const rs_process *process);

/* rs_process_kill: ends it and waits; nothing if it has ended. */
void rs_process_kill(rs_process *process);

/* rs_process_close: forgets an ended process (asserted). */
void rs_process_close(rs_process *process);

void rs_process_usage_read(const rs_process *process, rs_process_usage *out);

/* rs_process_cpu_ns: one counter of it alone. */
double rs_process_cpu_ns(const rs_process *process, uint32_t counter);

/* rs_process_self: this process, for the two functions above alone. */
void rs_process_self(rs_process *out);

/* rs_process_find_wineserver: the wineserver of a prefix as a process that is not our child: its
 * usage can be read; rs_process_end_wineserver ends it. False: none. */
bool rs_process_find_wineserver(const char *prefix, rs_process *out);

/* rs_process_move: to a processor, or with RS_CPU_ANY to all that this program may use. */
void rs_process_move(const rs_process *process, int32_t cpu);
void rs_process_end_wineserver(rs_process *process);

/* ---- the machine */

/* CPU time of the whole machine so far, over all processor groups; NAN: not known. */
typedef struct rs_machine_usage {
    double busy_ns;  /* of processes */
    double stack_ns; /* of interrupts and what they leave to be done at once (DPCs, softirqs): on
                      * loopback our own traffic, and in no process's time */
} rs_machine_usage;

void rs_machine_usage_read(rs_machine_usage *out);

/* rs_machine_cost_ns: everything that is not idle, by one counter; NAN: not known. */
double rs_machine_cost_ns(uint32_t counter);

/* rs_machine_pool_bytes: the machine's non-paged pool; NAN: there is none. */
double rs_machine_pool_bytes(void);

/* rs_machine_cpus: the processors this process may use, ascending; 0: not known. */
uint32_t rs_machine_cpus(rs_cpu out[RS_CPUS_MAX]);

/* rs_machine_name: processor and memory in one line. */
void rs_machine_name(char *out, size_t bytes);

bool rs_stderr_is_terminal(void);

/* ---- files */

/* rs_files_make: a folder and those above it. RS_E_OS, with "PATH: why", when there is none
 * afterwards, or none to write in. */
rs_status rs_files_make(const char *path, rs_error *error);
bool rs_files_exist(const char *path);
/* rs_files_absolute: the path from the root, with the platform's own separators. */
bool rs_files_absolute(const char *path, char *out, size_t bytes);
/* rs_files_own_folder: where this program lies. */
bool rs_files_own_folder(char *out, size_t bytes);

#endif
