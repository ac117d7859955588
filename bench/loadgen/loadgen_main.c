/* SPDX-License-Identifier: MIT */
/* From the command line to the exit code. */
#include "loadgen/loadgen_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loadgen/loadgen_output.h"
#include "loadgen/loadgen_report.h"
#include "loadgen/loadgen_run.h"
#include "loadgen/loadgen_settings.h"
#include "server/record.h"

#define MAIN_REASON_BYTES 512u

static void main_on_stop(void *arg) {
    rs_load_run_stop(arg);
}

static int main_fail(const rs_error *error, rs_status status) {
    (void)fprintf(stderr, "loadgen: %s\n",
                  error->text[0] != '\0' ? error->text : rs_status_text(status));
    return EXIT_FAILURE;
}

/* The figures first: they must not wait for the reader of the output. */
static int main_report(const rs_load_run *run) {
    rs_error error = {.text = ""};
    char reason[MAIN_REASON_BYTES];
    int exit_code;
    rs_report_void(run, reason, sizeof reason);
    exit_code = reason[0] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
    if (rs_report_write_json(run, reason, &error) != RS_OK) {
        rs_printer_say(run->err, "loadgen: --json: %s\n", error.text);
        exit_code = EXIT_FAILURE;
    }
    if (rs_output_write(run, &error) != RS_OK) {
        rs_printer_say(run->err, "loadgen: %s\n", error.text);
        exit_code = EXIT_FAILURE;
    }
    rs_report_print(run, reason);
    if (reason[0] != '\0') {
        rs_printer_say(run->err, "loadgen: void run: %s\n", reason);
    }
    return exit_code;
}

static int main_check_files(const rs_load_settings *settings) {
    const int failed = rs_record_check("loadgen", "json", settings->json_path);
    return failed != 0 ? failed : rs_output_check(settings);
}

static bool main_is_stdout(const char *path) {
    return path != NULL && strcmp(path, RS_RECORD_STDOUT) == 0;
}

/* The table makes room for figures that go to standard output. */
static rs_os_stream main_table_stream(const rs_load_settings *s) {
    return main_is_stdout(s->json_path) || main_is_stdout(s->hdr_path) ||
                   main_is_stdout(s->series_path)
               ? RS_OS_STDERR
               : RS_OS_STDOUT;
}

static rs_status main_open(rs_load_run *run, const rs_load_settings *settings,
                           const rs_backend_api *backend, rs_error *error) {
    rs_status status = rs_load_run_open(run, settings, backend, error);
    if (status == RS_OK) {
        status = rs_printer_open(&run->out, main_table_stream(settings), error);
    }
    if (status == RS_OK) {
        status = rs_printer_open(&run->err, RS_OS_STDERR, error);
    }
    return status == RS_OK ? rs_os_on_stop(main_on_stop, run) : status;
}

static int main_run(rs_load_run *run, const rs_load_settings *settings,
                    const rs_backend_api *backend, bool on_terminal) {
    rs_error error = {.call = NULL};
    rs_status status;
    int exit_code = main_check_files(settings);
    if (exit_code != 0) {
        return exit_code;
    }
    status = main_open(run, settings, backend, &error);
    if (status != RS_OK) {
        rs_load_run_close(run);
        return main_fail(&error, status);
    }
    run->progress = settings->progress == RS_PROGRESS_ON ||
                    (settings->progress == RS_PROGRESS_AUTO && on_terminal);
    rs_load_run_go(run);
    exit_code = main_report(run);
    rs_load_run_close(run);
    (void)rs_printer_close(run->out); /* what nobody reads is given up */
    (void)rs_printer_close(run->err);
    return exit_code;
}

int rs_loadgen_main(const rs_backend_api *backend, bool on_terminal, int argc,
                    const char *const *argv) {
    static rs_load_settings settings;
    static rs_load_run run; /* outlives main: the Ctrl+C handler may still use it */
    int exit_code;
    rs_os_begin();
    exit_code = rs_load_settings_read(&settings, argc, argv);

    if (exit_code >= 0) {
        return exit_code;
    }
    if (settings.pin >= 0 && rs_os_pin_self((uint32_t)settings.pin) != RS_OK) {
        (void)fprintf(stderr, "loadgen: --pin: '%d' is not possible; allowed: -1 to %u\n",
                      settings.pin, rs_os_cpu_count() - 1u);
        return 2;
    }
    return main_run(&run, &settings, backend, on_terminal);
}
