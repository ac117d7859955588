/* SPDX-License-Identifier: MIT */
/* compare: from the command line to tables, a report and an exit code.
 *
 * 0: every run was sound. 1: a run was void, or something needed is missing. 2: bad command line.
 * 3: more runs were disturbed than --disturbed-max allows. 130: interrupted; what was measured is
 * kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/agree.h"
#include "compare/banner.h"
#include "compare/map_resume.h"
#include "compare/past.h"
#include "compare/preflight.h"
#include "compare/process.h"
#include "compare/question.h"
#include "compare/rates.h"
#include "compare/reports.h"
#include "compare/rounds.h"
#include "compare/settings.h"
#include "compare/targets.h"
#include "compare/turns.h"
#include "seam/os.h"

#define MAIN_TEXT_BYTES 16384u
#define MAIN_EXIT_UNFIT 3
#define MAIN_EXIT_INTERRUPTED 130

typedef struct compare_main {
    rs_compare_settings settings;
    rs_target target[RS_SERVERS_MAX];
    rs_results results;
    rs_runner runner;
    rs_reports reports;
    rs_turns turns;
    rs_atomic_u32 stop;
    bool skip[RS_SCENARIOS_MAX * RS_SERVERS_MAX]; /* [scenarios][subjects] */
    bool more[RS_SCENARIOS_MAX * RS_SERVERS_MAX]; /* likewise */
    char folder[RS_ARG_BYTES];                    /* where this program lies */
    char made[RS_MAP_MADE_BYTES];                 /* how the cells of a map are measured */
} compare_main;

static int main_fail(const compare_main *self, const char *why, const char *what) {
    (void)rs_reports_fail(&self->reports, what, why);
    return EXIT_FAILURE;
}

static void main_on_stop(void *arg) {
    rs_atomic_store_u32(arg, 1);
}

static int main_find_targets(compare_main *self) {
    char why[256];
    self->results.kind = self->settings.kind;
    self->results.scenarios_given = self->settings.scenarios_given;
    self->results.question = self->settings.question;
    self->results.options = &self->settings.options;
    self->results.unfit_percent = self->settings.unfit_percent;
    self->results.quick = self->settings.kind == RS_COMPARE_SERVERS && !self->settings.full &&
                          !self->settings.scenarios_given;
    const int failed = rs_targets_find(self->target, &self->results, &self->settings, self->folder,
                                       why, sizeof why);
    if (failed != 0) {
        rs_printer_say(self->reports.err, "compare: %s\n", why);
    }
    return failed;
}

static int main_find_tools(compare_main *self) {
    rs_runner *runner = &self->runner;
    const char *given = self->settings.loadgen;
    const bool found =
        given[0] != '\0'
            ? rs_files_absolute(given, runner->loadgen, sizeof runner->loadgen)
            : rs_targets_join(runner->loadgen, self->folder, "loadgen" RS_TARGETS_SUFFIX);
    if (!found) {
        return main_fail(self, "no such program; build it first",
                         given[0] != '\0' ? given : "loadgen");
    }
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        if (self->target[i].wine &&
            !rs_targets_join(runner->wine_script, self->folder, "../../../scripts/wine.sh")) {
            return main_fail(self, "no such file; it starts the Windows programs",
                             "scripts/wine.sh");
        }
    }
    return 0;
}

static int main_make_prefixes(compare_main *self) {
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        rs_target *target = &self->target[i];
        char prefix[RS_ARG_BYTES];
        if (target->wine) {
            if (!rs_reports_make_folder(&self->reports, target->prefix, prefix)) {
                return EXIT_FAILURE;
            }
            memcpy(target->prefix, prefix, sizeof prefix);
        }
    }
    return 0;
}

/* What --set asks is refused at once, not by one void run after the other. */
static int main_check_sets(compare_main *self) {
    char why[256];
    for (uint32_t i = 0; i < self->results.subjects && self->settings.sets > 0; i++) {
        if (self->results.subject[i].changed == NULL && self->target[i].extra.count > 0 &&
            !rs_preflight(&self->runner, &self->target[i], why, sizeof why)) {
            rs_printer_say(self->reports.err, "compare: --set: %s\n", why);
            return 2;
        }
    }
    return 0;
}

static int main_allocate(compare_main *self) {
    rs_results *results = &self->results;
    const rs_compare_settings *s = &self->settings;
    const size_t cells = (size_t)results->subjects * s->scenarios;
    results->scenarios = s->scenarios;
    results->extra = s->width_percent > 0 ? rs_rounds_extra(s->repeats) : 0;
    results->repeats = s->repeats + results->extra;
    for (uint32_t i = 0; i < s->scenarios; i++) {
        results->scenario[i] = s->scenario[i]; /* memcpy of pointers to const: C4090 before 17.3 */
    }
    results->run = calloc(cells * results->repeats, sizeof *results->run);
    results->cell = calloc(cells, sizeof *results->cell);
    results->recorded = calloc(cells, sizeof *results->recorded);
    return results->run != NULL && results->cell != NULL && results->recorded != NULL
               ? 0
               : main_fail(self, "out of memory", "compare");
}

/* The rates that an earlier comparison asked for. */
static int main_rates_of(compare_main *self) {
    rs_past past = {0};
    const rs_scenario *lacking = NULL;
    bool ok = true;
    if (self->settings.rates_of[0] != '\0') {
        ok = rs_past_read(&past, "--rates-of", self->settings.rates_of);
        lacking = ok ? rs_rates_past(&self->results, &past.doc) : NULL;
    }
    if (lacking != NULL) {
        rs_printer_say(self->reports.err, "compare: --rates-of: %s: asked for no rate in %s\n",
                       past.path, lacking->name);
    }
    rs_past_free(&past);
    return ok && lacking == NULL ? 0 : 2;
}

static void main_plan(compare_main *self) {
    const rs_compare_settings *s = &self->settings;
    const rs_results *results = &self->results;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            self->skip[i * results->subjects + k] = !rs_results_wants(results, i, k);
        }
    }
    self->turns =
        (rs_turns){.results = &self->results,
                   .target = self->target,
                   .runner = &self->runner,
                   .reports = &self->reports,
                   .schedule = {.servers = results->subjects,
                                .repeats = s->repeats,
                                .extra = results->extra,
                                .early = s->early,
                                .late = s->scenarios - s->early,
                                .seed = s->seed,
                                .by_scenario = s->map,
                                .skip = self->skip,
                                .more = self->more},
                   .more = self->more,
                   .width = s->width_percent / 100.0,
                   .made = s->map ? self->made : NULL,
                   .rates_given = s->rates_of[0] != '\0',
                   .progress = s->progress == 1 || (s->progress == 0 && rs_stderr_is_terminal())};
    rs_cost_init(&self->turns.cost, results, s->seconds + s->warmup_s);
}

static int main_open_reports(compare_main *self) {
    return rs_reports_open(&self->reports, self->settings.out) ? 0 : EXIT_FAILURE;
}

static int main_watch_stop(compare_main *self) {
    return rs_os_on_stop(main_on_stop, &self->stop) == RS_OK
               ? 0
               : main_fail(self, "cannot install the Ctrl+C handler", "compare");
}

/* A --resume that does not fit leaves the reports that are there as they are. */
static int main_begin_map(compare_main *self) {
    rs_map_made(&self->results, &self->settings, self->made);
    const int failed =
        rs_map_resume(&self->results, &self->settings, &self->reports, self->made, self->skip);
    if (failed != 0) {
        return failed;
    }
    if (!rs_reports_begin(&self->reports)) {
        return EXIT_FAILURE;
    }
    rs_map_resume_lines(&self->results, &self->reports);
    return 0;
}

static int main_prepare(compare_main *self) {
    static int (*const steps[])(compare_main *) = {
        main_find_targets, main_find_tools, main_open_reports, main_make_prefixes,
        main_check_sets,   main_allocate,   main_rates_of};
    self->runner.seconds = self->settings.seconds;
    self->runner.warmup_s = self->settings.warmup_s;
    self->runner.stop = &self->stop;
    self->runner.each_connection = self->settings.question != NULL &&
                                   rs_question_asks(self->settings.question, RS_METRIC_LEAST);
    self->reports.runner = &self->runner;
    if (self->settings.seed == 0) { /* before anything prints it */
        self->settings.seed = (uint32_t)(rs_os_now_ns() / 1000u) | 1u;
    }
    if (!rs_files_own_folder(self->folder, sizeof self->folder)) {
        return main_fail(self, "cannot tell where this program lies", "compare");
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int failed = steps[i](self);
        if (failed != 0) {
            return failed;
        }
    }
    rs_banner_make(&self->results, &self->runner, &self->settings);
    main_plan(self);
    const int failed = main_watch_stop(self);
    if (failed != 0) {
        return failed;
    }
    return self->settings.map                 ? main_begin_map(self)
           : rs_reports_begin(&self->reports) ? 0
                                              : EXIT_FAILURE;
}

static void main_end_wine(compare_main *self) {
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        rs_target *target = &self->target[i];
        if (target->wine && rs_process_find_wineserver(target->prefix, &target->wineserver)) {
            rs_process_end_wineserver(&target->wineserver);
        }
    }
}

static int main_compare(compare_main *self) {
    int exit_code = main_prepare(self);
    if (exit_code != 0) {
        return exit_code;
    }
    rs_turns_run(&self->turns);
    main_end_wine(self);
    rs_results_summarise(&self->results);
    if (self->results.question != NULL) {
        rs_question_decide(&self->results);
    }
    if (!rs_reports_write(&self->reports, &self->results) || !rs_reports_close(&self->reports) ||
        rs_reports_ended(&self->reports)) {
        exit_code = EXIT_FAILURE;
    }
    const uint32_t voided = rs_results_voided(&self->results);
    if (voided > 0) {
        rs_printer_say(self->reports.err, "compare: %u run%s void\n", voided,
                       voided == 1 ? " was" : "s were");
        exit_code = EXIT_FAILURE;
    }
    if (exit_code == 0 && self->results.verdict.kind == RS_VERDICT_UNFIT) {
        rs_printer_say(self->reports.err, "compare: unfit: too many runs were disturbed\n");
        exit_code = MAIN_EXIT_UNFIT;
    }
    return rs_atomic_load_u32(&self->stop) != 0 ? MAIN_EXIT_INTERRUPTED : exit_code;
}

static int main_go(compare_main *self) {
    rs_reports *reports = &self->reports;
    rs_error error = {.text = ""};
    int exit_code = EXIT_FAILURE;
    if (rs_printer_open(&reports->print, RS_OS_STDOUT, &error) == RS_OK &&
        rs_printer_open(&reports->err, RS_OS_STDERR, &error) == RS_OK) {
        exit_code = main_compare(self);
    } else {
        (void)fprintf(stderr, "compare: %s\n", error.text);
    }
    (void)rs_printer_close(reports->print);
    (void)rs_printer_close(reports->err);
    return exit_code;
}

int main(int argc, char **argv) {
    static compare_main self; /* outlives main: the watcher of Ctrl+C may still look at it */
    static char text[MAIN_TEXT_BYTES];
    const int exit_code = rs_compare_settings_read(&self.settings, argc, (const char *const *)argv,
                                                   text, sizeof text);
    if (exit_code == 0) {
        (void)fputs(text, stdout);
    } else if (exit_code > 0) {
        (void)fprintf(stderr, "compare: %s\n", text);
    }
    if (exit_code >= 0) {
        return exit_code;
    }
    return self.settings.agree[0][0] != '\0'
               ? rs_agree(self.settings.agree[0], self.settings.agree[1])
               : main_go(&self);
}
