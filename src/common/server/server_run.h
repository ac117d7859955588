/* SPDX-License-Identifier: MIT */
/* One run of a server program, as its files share it; nobody else includes this.
 *
 *   server_run.c      the program's own options; its loop; the record of the run
 *   server_console.c  what is printed
 *   server_main.c     which application, start, end */
#ifndef RS_SERVER_SERVER_RUN_H
#define RS_SERVER_SERVER_RUN_H

#include "core/options.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "seam/printer.h"
#include "server/server_config.h"

typedef enum rs_server_app {
    RS_SERVER_ECHO,
    RS_SERVER_RAW,
    RS_SERVER_SLOW,
    RS_SERVER_BOARD
} rs_server_app;

typedef struct rs_server_args {
    rs_server_app app;
    bool asked;       /* echo: frames may ask for their reply's size */
    uint32_t work_us; /* busy work before each message */
    bool stats;
    double duration_s;
    const char *json_path;
} rs_server_args;

typedef struct rs_server_run {
    rs_server_config cfg;
    rs_server_args args;
    const rs_option_table *app_options; /* of applications, and where they land: the main's */
    void *app_settings;
    rs_options options;
    rs_server *server;
    rs_printer *out, *err; /* from before the start of the server on */
    rs_atomic_u32 stop_asked;
    rs_os_usage usage_start;
    uint64_t start_ns, end_ns;
} rs_server_run;

extern const rs_option_table rs_server_run_options;

/* rs_server_run_read: the command line. Returns as rs_options_read. */
int rs_server_run_read(rs_server_run *run, void *settings, const rs_option_table *const *others,
                       int argc, const char *const *argv);

/* rs_server_run_loop: waits until the run is over, and prints the lines of --stats. *now and
 * *before: the figures of this second and of the last one printed; scratch. */
void rs_server_run_loop(rs_server_run *run, rs_server_stats *now, rs_server_stats *before);

/* rs_server_run_record: writes --json. False: it could not, and has said so. */
bool rs_server_run_record(const rs_server_run *run, const rs_server_stats *stats);

/* rs_console_open: from here on nothing waits for who reads what is printed. False: no memory,
 * which stderr was told. rs_console_close: what is not read within a bound is given up. */
bool rs_console_open(rs_server_run *run);
void rs_console_close(rs_server_run *run);

/* rs_console_banner: what serves: figures mean nothing without it. */
void rs_console_banner(const rs_server_run *run, const rs_server_stats *stats);

/* rs_console_stats: the line of --stats. */
void rs_console_stats(const rs_server_run *run, const rs_server_stats *now,
                      const rs_server_stats *before, uint64_t elapsed_ns);

/* rs_console_log: an rs_log_fn, ctx the run: warnings and errors, a line each. */
void rs_console_log(void *ctx, const rs_log_line *line);

/* rs_console_end: the last line. */
void rs_console_end(const rs_server_run *run, const rs_server_stats *stats);

#endif
