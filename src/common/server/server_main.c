/* SPDX-License-Identifier: MIT */
/* Which application, start and end. */
#include "server/server_main.h"

#include <stdio.h>

#include "apps/board.h"
#include "apps/echo.h"
#include "apps/slow.h"
#include "apps/work.h"
#include "core/assert.h"
#include "server/record.h"
#include "server/server_run.h"

static void run_on_stop(void *arg) {
    rs_server_run *run = arg;
    rs_atomic_store_u32(&run->stop_asked, 1);
}

/* The figures first: they must not wait for whoever reads what is printed. */
static int run_end(rs_server_run *run, rs_server_stats *stats) {
    rs_error error = {.call = NULL};
    int exit_code = 0;
    RS_ASSERT(run->server != NULL);
    rs_server_stop(run->server);
    if (rs_server_join(run->server, &error) != RS_OK) {
        rs_printer_say(run->err, "%s: %s\n", run->options.program, error.text);
        exit_code = 1;
    }
    run->end_ns = rs_os_now_ns();
    rs_server_stats_read(run->server, stats);
    if (!rs_server_run_record(run, stats)) {
        exit_code = 1;
    }
    rs_console_end(run, stats);
    rs_server_free(run->server);
    run->server = NULL;
    return exit_code;
}

/* *board: NULL for the applications that have no state. */
static rs_status run_choose_app(rs_server_run *run, rs_board **board, rs_error *error) {
    rs_server_config *cfg = &run->cfg;
    const rs_board_config board_cfg = {.settings = *(const rs_board_settings *)run->app_settings,
                                       .workers = cfg->workers,
                                       .sessions_max = cfg->sessions_max,
                                       .frame_bytes_max = cfg->frame_bytes_max,
                                       .logic_thread = cfg->logic_thread};
    rs_status status = RS_OK;
    switch (run->args.app) {
    case RS_SERVER_RAW:
        cfg->app = rs_app_raw;
        break;
    case RS_SERVER_SLOW:
        cfg->app = rs_app_slow;
        break;
    case RS_SERVER_BOARD:
        status = rs_board_open(board, &board_cfg, error);
        cfg->app = status == RS_OK ? rs_board_app(*board) : cfg->app;
        break;
    default:
        cfg->app = run->args.asked ? rs_app_asked : rs_app_echo;
        break;
    }
    return status;
}

static int run_failed(const rs_server_run *run, rs_status status, const rs_error *error) {
    RS_ASSERT(status != RS_OK);
    (void)fprintf(stderr, "%s: %s\n", run->options.program,
                  error->text[0] != '\0' ? error->text : rs_status_text(status));
    return status == RS_E_INVALID ? 2 : 1;
}

static int run_server(rs_server_run *run) {
    rs_error error = {.call = NULL};
    int exit_code = rs_record_check(run->options.program, "json", run->args.json_path);
    static rs_server_stats stats[2]; /* now and before; large */
    rs_status status;
    RS_ASSERT(run->server == NULL);
    RS_ASSERT(run->cfg.app.on_message != NULL);
    if (exit_code != 0) {
        return exit_code;
    }
    if (!rs_console_open(run)) {
        return 1;
    }
    run->cfg.log = rs_console_log;
    run->cfg.log_ctx = run;
    status = rs_server_start(&run->server, &run->cfg, &error);
    if (status != RS_OK) {
        rs_console_close(run);
        return run_failed(run, status, &error);
    }
    if (rs_os_on_stop(run_on_stop, run) != RS_OK) {
        (void)fprintf(stderr, "%s: cannot install the Ctrl+C handler\n", run->options.program);
        return 1; /* the process ends with its threads */
    }
    rs_server_stats_read(run->server, &stats[1]);
    rs_console_banner(run, &stats[1]);
    run->start_ns = rs_os_now_ns();
    rs_os_usage_read(&run->usage_start);
    rs_server_run_loop(run, &stats[0], &stats[1]);
    exit_code = run_end(run, &stats[0]);
    rs_console_close(run);
    return exit_code;
}

static int run_app(rs_server_run *run) {
    rs_error error = {.text = ""};
    rs_board *board = NULL;
    rs_status status = run_choose_app(run, &board, &error);
    int exit_code;
    if (status != RS_OK) {
        return run_failed(run, status, &error);
    }
    if (run->args.work_us > 0) {
        const rs_app inner = run->cfg.app;
        run->cfg.app = rs_work_app(&inner, run->args.work_us);
    }
    exit_code = run_server(run);
    if (run->server == NULL) { /* else its threads still run, until the process has ended */
        rs_board_close(board);
    }
    return exit_code;
}

int rs_server_main(const char *program, const rs_backend_api *backend, void *settings,
                   const rs_option_table *const *others, int argc, const char *const *argv) {
    static rs_server_run run; /* outlives main: the console handler may still look at it */
    static rs_board_settings board_settings;
    int exit_code;
    rs_os_begin();
    run.options.program = program;
    rs_server_config_init(&run.cfg, backend);
    run.app_options = &rs_board_options;
    run.app_settings = &board_settings;
    exit_code = rs_server_run_read(&run, settings, others, argc, argv);
    return exit_code >= 0 ? exit_code : run_app(&run);
}
