/* SPDX-License-Identifier: MIT */
/* From the command line to the exit code. */
#include "loadgen/loadgen_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/schedule.h"
#include "loadgen/loadgen_crew.h"
#include "loadgen/loadgen_output.h"
#include "loadgen/loadgen_report.h"
#include "loadgen/loadgen_run.h"
#include "loadgen/loadgen_settings.h"
#include "server/record.h"

#define MAIN_REASON_BYTES 512u
#define MAIN_BISECT_STEPS 8u
#define MAIN_NS_PER_US 1e3

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
                   main_is_stdout(s->series_path) || main_is_stdout(s->per_connection_path)
               ? RS_OS_STDERR
               : RS_OS_STDOUT;
}

static rs_status main_open(rs_load_run *run, const rs_load_settings *settings, rs_error *error) {
    rs_status status = rs_printer_open(&run->out, main_table_stream(settings), error);
    if (status == RS_OK) {
        status = rs_printer_open(&run->err, RS_OS_STDERR, error);
    }
    return status == RS_OK ? rs_os_on_stop(main_on_stop, run) : status;
}

/* ---- one run, or a search of many */

typedef struct main_loads {
    rs_load_run *run;
    rs_load_settings *settings; /* its rate is set by the search */
    const rs_backend_api *backend;
    bool progress;
} main_loads;

/* A whole run; it stays open for its report. False: it could not begin, and a line says why. */
static bool main_load(const main_loads *loads) {
    rs_load_run *run = loads->run;
    rs_error error = {.call = NULL};
    rs_status status;
    run->progress = loads->progress;
    status = rs_crew_load(run, loads->settings, loads->backend, &error);
    if (status != RS_OK) {
        (void)main_fail(&error, status);
    }
    return status == RS_OK;
}

/* Empties the run for another one; a stop that was asked for stays asked for. */
static void main_again(const main_loads *loads) {
    rs_load_run *run = loads->run;
    rs_printer *out = run->out, *err = run->err;
    const uint32_t stop = rs_atomic_load_u32(&run->stop);
    rs_load_run_close(run);
    memset(run, 0, sizeof *run);
    run->out = out;
    run->err = err;
    rs_atomic_store_u32(&run->stop, stop);
}

/* Was the last run good? An overloaded one was not; any other fault ends the search. */
static bool main_is_good(const main_loads *loads, bool *fault) {
    const rs_load_run *run = loads->run;
    const rs_load_settings *s = loads->settings;
    const double ns = (double)rs_report_percentile_ns(run, s->find_x1000);
    char reason[MAIN_REASON_BYTES];
    bool good;
    rs_report_void(run, reason, sizeof reason);
    *fault = run->interrupted || (reason[0] != '\0' && !rs_report_overloaded(run));
    good = reason[0] == '\0' && ns <= (double)s->find_ns;
    if (s->progress != RS_PROGRESS_OFF) {
        rs_printer_say(run->err, "loadgen: --find-rate: %u messages/s: p%g %.1f us%s: %s\n",
                       s->rate, s->find_x1000 / 1000.0, ns / MAIN_NS_PER_US,
                       rs_report_overloaded(run) ? ", rate missed" : "",
                       good ? "good" : "too much");
    }
    return good;
}

/* The first try: half of what a closed loop reaches. 0: it failed. */
static double main_search_start(const main_loads *loads) {
    char reason[MAIN_REASON_BYTES];
    double rate;
    if (!main_load(loads)) {
        return 0;
    }
    rs_report_void(loads->run, reason, sizeof reason);
    rate = reason[0] == '\0' && !loads->run->interrupted ? rs_load_run_rate(loads->run) / 2.0 : 0.0;
    return rate > 1.0 ? rate : 0.0;
}

/* As compare's capacity: a rate fails when two loads of it fail, and the one found must hold again.
 * The run that stays open is the last. False: none could begin. */
static bool main_search(const main_loads *loads) {
    rs_load_run *run = loads->run;
    rs_bisect bisect;
    uint32_t tries = 0;
    bool more = true, fault = false;
    const double start = main_search_start(loads);
    if (start <= 0) {
        return run->backend != NULL; /* its report says why */
    }
    for (rs_bisect_init(&bisect, start, MAIN_BISECT_STEPS); more && !fault;) {
        loads->settings->rate =
            bisect.next < RS_PLAN_RATE_MAX ? (uint32_t)bisect.next : RS_PLAN_RATE_MAX;
        loads->settings->rate += loads->settings->rate == 0;
        main_again(loads);
        if (!main_load(loads)) {
            return false;
        }
        tries++;
        more = rs_bisect_feed(&bisect, main_is_good(loads, &fault));
    }
    run->found.tries = tries;
    run->found.rate_per_s = fault ? 0.0 : bisect.result;
    return true;
}

static int main_run(rs_load_run *run, rs_load_settings *settings, const rs_backend_api *backend,
                    bool on_terminal) {
    const main_loads loads = {.run = run,
                              .settings = settings,
                              .backend = backend,
                              .progress = settings->progress == RS_PROGRESS_ON ||
                                          (settings->progress == RS_PROGRESS_AUTO && on_terminal)};
    rs_error error = {.call = NULL};
    rs_status status;
    int exit_code = main_check_files(settings);
    if (exit_code != 0) {
        return exit_code;
    }
    status = main_open(run, settings, &error);
    if (status != RS_OK) {
        return main_fail(&error, status);
    }
    if (settings->find_rate != NULL ? main_search(&loads) : main_load(&loads)) {
        exit_code = main_report(run);
    } else {
        exit_code = EXIT_FAILURE;
    }
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
