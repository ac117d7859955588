/* compare: from the command line to tables, a report and an exit code.
 *
 * 0: every run was sound. 1: a run was void, or something needed is missing. 2: bad command line.
 * 130: interrupted; what was measured is kept. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/agree.h"
#include "compare/agreement.h"
#include "compare/clocks.h"
#include "compare/past.h"
#include "compare/process.h"
#include "compare/report.h"
#include "compare/result.h"
#include "compare/runner.h"
#include "compare/schedule.h"
#include "compare/settings.h"
#include "compare/targets.h"
#include "core/assert.h"
#include "seam/files.h"
#include "seam/os.h"
#include "seam/printer.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

#define MAIN_TEXT_OF(number) #number
#define MAIN_NUMBER(number) MAIN_TEXT_OF(number)

#if defined(__clang__) && defined(_MSC_VER)
#define MAIN_COMPILER "clang-cl " __clang_version__
#elif defined(__clang__)
#define MAIN_COMPILER "clang " __clang_version__
#elif defined(_MSC_VER)
#define MAIN_COMPILER "MSVC " MAIN_NUMBER(_MSC_FULL_VER)
#else
#define MAIN_COMPILER "gcc " __VERSION__
#endif

#define MAIN_TEXT_BYTES 16384u
#define MAIN_LINE_BYTES 8192u
#define MAIN_ROOM_BYTES 262144u /* for the reports: a quick comparison's have half of it */
#define MAIN_OVERHEAD_S 0.4     /* of a run beyond its load: a first guess, then what was seen */
#define MAIN_OVERHEAD_WINE_S 1.0
#define MAIN_SEARCH_COST 11.0 /* loads in one search for capacity */
#define MAIN_EXIT_INTERRUPTED 130

typedef struct compare_main {
    rs_compare_settings settings;
    rs_target target[RS_SERVERS_MAX];
    rs_results results;
    rs_runner runner;
    rs_schedule schedule;
    rs_atomic_u32 stop;
    double cost_s[RS_SERVERS_MAX], factor[RS_SCENARIOS_MAX];
    bool skip[RS_SCENARIOS_MAX * RS_SERVERS_MAX]; /* [scenarios][subjects] */
    rs_table table;
    char folder[RS_ARG_BYTES]; /* where this program lies */
    char out[RS_ARG_BYTES];    /* --out, absolute */
    FILE *runs;                /* runs.csv */
    char *text;                /* RS_REPORT_BYTES, for one report after the other */
    rs_printer *print, *err;   /* standard output and error: nobody waits for who reads them */
    bool progress;
    rs_compare_run dropped; /* of a warm-up */
} compare_main;

static int main_fail(const compare_main *self, const char *why, const char *what) {
    rs_printer_say(self->err, "compare: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

static void main_on_stop(void *arg) {
    rs_atomic_store_u32(arg, 1);
}

/* ---- the programs */

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

static int main_cannot_write(const compare_main *self, const rs_error *error) {
    rs_printer_say(self->err, "compare: %s\n", error->text);
    return EXIT_FAILURE;
}

/* Makes a folder; out: its absolute path. */
static int main_make_folder(const compare_main *self, const char *path, char out[RS_ARG_BYTES]) {
    rs_error error;
    if (rs_files_make(path, &error) != RS_OK) {
        return main_cannot_write(self, &error);
    }
    return rs_files_absolute(path, out, RS_ARG_BYTES) ? 0
                                                      : main_fail(self, "too long a path", path);
}

/* Before anything of an earlier comparison is touched: is there room for this one? */
static int main_find_room(compare_main *self) {
    static const char *const names[] = {"results.json", "results.csv", "runs.csv", "report.md",
                                        "report.html"};
    char path[RS_ARG_BYTES * 2];
    rs_error error;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", self->out, names[i]);
        if (rs_file_check(path, i == 0 ? MAIN_ROOM_BYTES : 1, &error) != RS_OK) {
            return main_cannot_write(self, &error);
        }
    }
    return rs_runner_can_write(&self->runner) ? 0
                                              : main_cannot_write(self, &self->runner.unwritable);
}

static int main_make_folders(compare_main *self) {
    char runs[RS_ARG_BYTES * 2];
    int failed = main_make_folder(self, self->settings.out, self->out);
    (void)snprintf(runs, sizeof runs, "%s/runs", self->out);
    failed = failed != 0 ? failed : main_make_folder(self, runs, self->runner.out);
    for (uint32_t i = 0; failed == 0 && i < self->results.subjects; i++) {
        rs_target *target = &self->target[i];
        char prefix[RS_ARG_BYTES];
        if (target->wine) {
            failed = main_make_folder(self, target->prefix, prefix);
            memcpy(target->prefix, prefix, failed == 0 ? sizeof prefix : 0);
        }
    }
    return failed != 0 ? failed : main_find_room(self);
}

/* ---- placement, platform, banner */

static rs_platform main_platform(const compare_main *self) {
    bool wine = rs_os_is_wine();
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        wine = wine || self->target[i].wine;
    }
    return wine ? RS_PLATFORM_WINE : RS_TARGETS_WINDOWS ? RS_PLATFORM_WINDOWS : RS_PLATFORM_LINUX;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
main_banner_add(rs_results *results, const char *what, const char *format, ...) {
    va_list list;
    RS_ASSERT(results->banners < RS_BANNER_MAX);
    rs_banner_line *line = &results->banner[results->banners++];
    line->what = what;
    va_start(list, format);
    (void)vsnprintf(line->text, sizeof line->text, format, list);
    va_end(list);
}

static void main_place(compare_main *self) {
    rs_runner *runner = &self->runner;
    static rs_cpu cpu[RS_CPUS_MAX];
    char text[128];
    const rs_placement placement =
        rs_placement_choose(cpu, self->settings.free ? 0 : rs_machine_cpus(cpu));
    const bool with_wine = self->results.platform == RS_PLATFORM_WINE && !RS_TARGETS_WINDOWS;
    runner->server_cpu = placement.server;
    runner->load_cpu = placement.load;
    rs_placement_text(&placement, with_wine ? "server and wineserver" : "server", text,
                      sizeof text);
    main_banner_add(&self->results, "placement", "%s", text);
}

/* Which counters tell CPU time: tried now, on this machine as busy as it is. */
static void main_clocks(compare_main *self) {
    static const struct {
        rs_clock_kind kind;
        const char *what;
    } kinds[] = {{RS_CLOCK_PROCESS, "CPU, server"},
                 {RS_CLOCK_MACHINE, "CPU, machine"},
                 {RS_CLOCK_OWN, "CPU, load"}};
    char text[200];
    rs_clocks_choose(&self->results, !self->settings.no_instrument_test);
    self->runner.process_counter = rs_clocks_used(&self->results, RS_CLOCK_PROCESS);
    self->runner.machine_counter = rs_clocks_used(&self->results, RS_CLOCK_MACHINE);
    self->runner.load_untold = rs_clocks_used(&self->results, RS_CLOCK_OWN) < 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rs_clocks_text(&self->results, kinds[i].kind, text, sizeof text);
        main_banner_add(&self->results, kinds[i].what, "%s", text);
    }
}

static void main_banner(compare_main *self) {
    rs_results *results = &self->results;
    const rs_compare_settings *s = &self->settings;
    char machine[160];
    rs_machine_name(machine, sizeof machine);
    main_banner_add(results, "machine", "%s", machine);
    main_banner_add(results, "system", "%s", rs_os_platform());
    main_banner_add(results, "commit", "%s, %s", RS_COMMIT, MAIN_COMPILER);
    main_place(self);
    main_banner_add(results, "method",
                    "%u runs of each server in each scenario, interleaved A B B A, one more "
                    "dropped at the start; medians; 95 %% bootstrap intervals of paired ratios",
                    s->repeats);
    main_banner_add(results, "one run", "%.1f s after %.1f s of warm-up, a fresh server each time",
                    s->seconds, s->warmup_s);
    main_banner_add(results, "CPU time",
                    "of the whole load, warm-up included, over all its messages");
    main_clocks(self);
    if (s->rates_of[0] != '\0') {
        main_banner_add(results, "fixed rates", "those of an earlier comparison (--rates-of)");
    }
    for (uint32_t i = 0; i < s->sets; i++) {
        if (results->banners + 2 < RS_BANNER_MAX) {
            main_banner_add(results, "set", "%s %s=%s", s->set[i].server, s->set[i].option,
                            s->set[i].value);
        }
    }
}

/* ---- progress */

static void main_costs(compare_main *self) {
    const rs_compare_settings *s = &self->settings;
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        self->cost_s[i] = s->seconds + s->warmup_s +
                          (self->target[i].wine ? MAIN_OVERHEAD_WINE_S : MAIN_OVERHEAD_S);
    }
    for (uint32_t i = 0; i < s->scenarios; i++) {
        self->factor[i] = s->scenario[i]->kind == RS_SCENARIO_CAPACITY
                              ? MAIN_SEARCH_COST * RS_CAPACITY_SHARE
                          : s->scenario[i]->kind == RS_SCENARIO_RAMP ? 0.5
                                                                     : 1;
    }
}

/* A third of the weight to the newest: follows a slower machine without jumping. */
static void main_cost_learn(compare_main *self, const rs_turn *turn, double took_s) {
    double *cost = &self->cost_s[turn->server];
    if (!turn->warmup) { /* the first may have made a Wine prefix */
        *cost += (took_s / self->factor[turn->scenario] - *cost) / 3;
    }
}

static void main_progress(const compare_main *self, uint32_t index, const rs_turn *turn,
                          const rs_scenario *scenario) {
    const rs_schedule *schedule = &self->schedule;
    const double left_s = rs_schedule_left_s(schedule, index, self->cost_s, self->factor);
    const uint32_t left = (uint32_t)(left_s + 0.5);
    if (self->progress) {
        rs_printer_say(self->err, "\rcompare: %u of %u: %s %s%s, %u:%02u left      ",
                       rs_schedule_taken(schedule, index) + 1,
                       rs_schedule_taken(schedule, rs_schedule_count(schedule)), scenario->name,
                       self->target[turn->server].name, turn->warmup ? " (warm-up)" : "", left / 60,
                       left % 60);
    }
}

static void main_progress_end(const compare_main *self) {
    if (self->progress) {
        rs_printer_say(self->err, "\r%78s\r", "");
    }
}

/* ---- runs */

/* The first file that cannot be written is named; after it nothing more is. */
static bool main_write(compare_main *self, const char *name, const char *text, size_t bytes) {
    char path[RS_ARG_BYTES * 2];
    rs_error *error = &self->runner.unwritable;
    if (error->text[0] != '\0') {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/%s", self->out, name);
    return rs_file_replace(path, text, bytes, error) == RS_OK ||
           main_cannot_write(self, error) == 0;
}

/* The file of single runs begins anew with its head, and grows from there. */
static bool main_runs_open(compare_main *self) {
    char path[RS_ARG_BYTES * 2];
    rs_text text;
    rs_text_init(&text, self->text, MAIN_LINE_BYTES);
    rs_report_runs_csv_head(&text);
    if (!main_write(self, "runs.csv", self->text, text.used)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/runs.csv", self->out);
    self->runs = fopen(path, "ab");
    return self->runs != NULL || main_fail(self, "cannot be opened", path) == 0;
}

/* What cannot be written ends the comparison: said once, in one line. */
static bool main_is_unwritable(const compare_main *self) {
    return self->runner.unwritable.text[0] != '\0';
}

/* Flushed at once: a run that is done stays, whatever happens next. */
static void main_keep(compare_main *self, const rs_turn *turn) {
    rs_text text;
    const rs_compare_run *run =
        rs_results_run(&self->results, turn->scenario, turn->server, turn->repeat);
    if (run->state == RS_RUN_NOT || main_is_unwritable(self)) {
        return;
    }
    rs_text_init(&text, self->text, MAIN_LINE_BYTES);
    rs_report_runs_csv_line(&self->results, turn->scenario, turn->server, turn->repeat, &text);
    if (fputs(self->text, self->runs) < 0 || fflush(self->runs) != 0) {
        (void)rs_error_set(&self->runner.unwritable, RS_E_OS, "fflush", 0,
                           "%.100s/runs.csv: it cannot be written", self->out);
        (void)rs_runner_can_write(&self->runner); /* knows why */
    }
    if (run->state == RS_RUN_VOID) {
        main_progress_end(self);
        rs_printer_say(self->err, "compare: void: %s %s, run %u: %s\n",
                       self->target[turn->server].name,
                       self->settings.scenario[turn->scenario]->name, turn->repeat + 1, run->why);
    }
}

/* Median rates of the base scenario so far; NAN when there is none. */
static double main_base_rate(compare_main *self, uint32_t server) {
    double sample[RS_REPEATS_MAX];
    for (uint32_t i = 0; i < self->settings.early; i++) {
        if (strcmp(self->settings.scenario[i]->name, RS_SCENARIO_BASE) == 0) {
            for (uint32_t r = 0; r < self->settings.repeats; r++) {
                const rs_compare_run *run = rs_results_run(&self->results, i, server, r);
                sample[r] = run->state == RS_RUN_OK ? run->value[RS_METRIC_RATE] : NAN;
            }
            return rs_stats_median(sample, self->settings.repeats);
        }
    }
    return NAN;
}

/* FIXED: a share of the slowest server's rate, the same for all. CAPACITY: from half its own on. */
static double main_rate(compare_main *self, const rs_turn *turn) {
    const rs_scenario *scenario = self->settings.scenario[turn->scenario];
    double slowest = NAN;
    if (!rs_scenario_is_late(scenario)) {
        return 0;
    }
    if (scenario->kind == RS_SCENARIO_CAPACITY) {
        return main_base_rate(self, turn->server) / 2;
    }
    if (self->settings.rates_of[0] != '\0') {
        return self->results.fixed_rate[turn->scenario]; /* by main_rates_of */
    }
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        slowest = fmin(slowest, main_base_rate(self, i)); /* a NAN gives way */
    }
    self->results.fixed_rate[turn->scenario] = slowest * scenario->percent / 100;
    return self->results.fixed_rate[turn->scenario];
}

/* True: the run is decided without being tried, and *run says how. */
static bool main_needs_no_run(const compare_main *self, const rs_turn *turn, double rate,
                              rs_compare_run *run) {
    const rs_scenario *scenario = self->settings.scenario[turn->scenario];
    const rs_subject *subject = &self->results.subject[turn->server];
    if (turn->warmup) {
        return false;
    }
    if (subject->connections_max != 0 && rs_scenario_sockets(scenario) > subject->connections_max) {
        rs_result_beyond(run, "ends at %u connections: %s", subject->connections_max,
                         subject->limit);
        return true;
    }
    if (rs_scenario_is_late(scenario) && !(rate > 0)) {
        rs_result_void(run, "no sound run of " RS_SCENARIO_BASE " to take the rate from");
        return true;
    }
    return false;
}

/* The settings of this cell: those of its runs. */
static void main_record(compare_main *self, const rs_turn *turn, const rs_compare_run *run) {
    const rs_subject *subject = &self->results.subject[turn->server];
    rs_recorded *recorded =
        &self->results.recorded[turn->scenario * self->results.subjects + turn->server];
    if (run->state == RS_RUN_OK) {
        rs_recorded_merge(&recorded->server, &subject->settings);
        rs_recorded_merge(&recorded->load, &subject->load_settings);
    }
}

static void main_turn(compare_main *self, uint32_t index, const rs_turn *turn) {
    const rs_scenario *scenario =
        turn->warmup ? rs_scenario_warmup() : self->settings.scenario[turn->scenario];
    rs_target *target = &self->target[turn->server];
    rs_compare_run *run =
        turn->warmup ? &self->dropped
                     : rs_results_run(&self->results, turn->scenario, turn->server, turn->repeat);
    const double start_s = (double)rs_os_now_ns() / 1e9;
    const double rate = turn->warmup ? 0 : main_rate(self, turn);
    char base[128];
    main_progress(self, index, turn, scenario);
    if (turn->warmup) {
        (void)snprintf(base, sizeof base, "warmup.%s", target->name);
    } else {
        (void)snprintf(base, sizeof base, "%s.%s.%u", scenario->name, target->name,
                       turn->repeat + 1);
    }
    if (!main_needs_no_run(self, turn, rate, run)) {
        rs_runner_turn(&self->runner, target, scenario, rate, base, run,
                       &self->results.subject[turn->server]);
        main_cost_learn(self, turn, (double)rs_os_now_ns() / 1e9 - start_s);
    }
    if (!turn->warmup) {
        main_record(self, turn, run);
        main_keep(self, turn);
    }
}

static void main_turns(compare_main *self) {
    const uint32_t count = rs_schedule_count(&self->schedule);
    for (uint32_t i = 0;
         i < count && rs_atomic_load_u32(&self->stop) == 0 && !main_is_unwritable(self); i++) {
        const rs_turn turn = rs_schedule_turn(&self->schedule, i);
        if (!rs_schedule_skips(&self->schedule, &turn)) {
            main_turn(self, i, &turn);
        }
    }
    main_progress_end(self);
    if (main_is_unwritable(self)) {
        (void)main_cannot_write(self, &self->runner.unwritable);
    }
    self->results.interrupted = rs_atomic_load_u32(&self->stop) != 0;
}

static void main_end_wine(compare_main *self) {
    for (uint32_t i = 0; i < self->results.subjects; i++) {
        rs_target *target = &self->target[i];
        if (target->wine && rs_process_find_wineserver(target->prefix, &target->wineserver)) {
            rs_process_end_wineserver(&target->wineserver);
        }
    }
}

/* ---- reports */

typedef void (*main_report_fn)(const rs_results *, rs_table *, rs_text *);

static bool main_report_one(compare_main *self, const char *name, main_report_fn fn) {
    rs_text text;
    rs_text_init(&text, self->text, RS_REPORT_BYTES);
    fn(&self->results, &self->table, &text);
    if (text.overflow) {
        rs_printer_say(self->err, "compare: %s: longer than 4 MiB, cut\n", name);
    }
    return main_write(self, name, self->text, text.used) && !text.overflow;
}

static void main_report_csv(const rs_results *results, rs_table *scratch, rs_text *text) {
    (void)scratch;
    rs_report_csv(results, text);
}

/* Waits for a reader who takes his time, but no longer once the program was asked to stop. */
static bool main_flush(compare_main *self) {
    while (!rs_printer_flush(self->print)) {
        if (rs_atomic_load_u32(&self->stop) != 0) {
            return false;
        }
    }
    return true;
}

/* In pieces, no more at once than the printer's queue has room for. */
static bool main_print(compare_main *self, const char *text) {
    const size_t piece = RS_PRINTER_LINE_BYTES - 1;
    size_t left = strlen(text);
    while (left > 0) {
        for (uint32_t i = 0; i < RS_PRINTER_LINES && left > 0; i++) {
            const size_t bytes = left < piece ? left : piece;
            rs_printer_say(self->print, "%.*s", (int)bytes, text);
            text += bytes;
            left -= bytes;
        }
        if (!main_flush(self)) {
            return false;
        }
    }
    return !rs_printer_has_failed(self->print) ||
           main_fail(self, "it cannot be written", "standard output") == 0;
}

static bool main_report(compare_main *self) {
    rs_text text;
    size_t length = 0;
    bool ok = main_report_one(self, "report.html", rs_report_html);
    ok = main_report_one(self, "report.md", rs_report_markdown) && ok;
    ok = main_report_one(self, "results.csv", main_report_csv) && ok;
    const bool fits = rs_report_json(&self->results, self->text, RS_REPORT_BYTES, &length);
    ok = fits && main_write(self, "results.json", self->text, length) && ok;
    rs_text_init(&text, self->text, RS_REPORT_BYTES);
    rs_report_console(&self->results, &self->table, &text);
    if (ok) {
        rs_text_raw(&text, "\nreport: ");
        rs_text_raw(&text, self->out);
        rs_text_raw(&text, "/report.html (and .md, results.csv, results.json, runs.csv, runs/)\n");
    }
    (void)rs_printer_flush(self->err); /* both may go to one terminal */
    return main_print(self, self->text) && ok;
}

/* ---- all of it */

static bool main_allocate(compare_main *self) {
    rs_results *results = &self->results;
    const rs_compare_settings *s = &self->settings;
    const size_t cells = (size_t)results->subjects * s->scenarios;
    results->scenarios = s->scenarios;
    results->repeats = s->repeats;
    for (uint32_t i = 0; i < s->scenarios; i++) {
        results->scenario[i] = s->scenario[i]; /* memcpy of pointers to const: C4090 before 17.3 */
    }
    results->run = calloc(cells * s->repeats, sizeof *results->run);
    results->cell = calloc(cells, sizeof *results->cell);
    results->recorded = calloc(cells, sizeof *results->recorded);
    self->text = malloc(RS_REPORT_BYTES);
    return results->run != NULL && results->cell != NULL && results->recorded != NULL &&
           self->text != NULL;
}

static void main_plan(compare_main *self) {
    const rs_compare_settings *s = &self->settings;
    const rs_results *results = &self->results;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            self->skip[i * results->subjects + k] = !rs_results_wants(results, i, k);
        }
    }
    self->schedule = (rs_schedule){.servers = results->subjects,
                                   .repeats = s->repeats,
                                   .early = s->early,
                                   .late = s->scenarios - s->early,
                                   .skip = self->skip};
}

static int main_find_targets(compare_main *self) {
    char why[256];
    self->results.kind = self->settings.kind;
    self->results.scenarios_given = self->settings.scenarios_given;
    self->results.options = &self->settings.options;
    const int failed = rs_targets_find(self->target, &self->results, &self->settings, self->folder,
                                       why, sizeof why);
    if (failed != 0) {
        rs_printer_say(self->err, "compare: %s\n", why);
    }
    return failed;
}

/* The rates that an earlier comparison asked for. */
static int main_rates_of(compare_main *self) {
    const char *folder = self->settings.rates_of;
    rs_past past = {0};
    bool ok = rs_past_read(&past, "--rates-of", folder);
    for (uint32_t i = 0; ok && i < self->results.scenarios; i++) {
        const rs_scenario *scenario = self->results.scenario[i];
        if (scenario->kind == RS_SCENARIO_FIXED) {
            self->results.fixed_rate[i] = rs_agreement_rate_asked(&past.doc, scenario->name);
            ok = self->results.fixed_rate[i] > 0;
            if (!ok) {
                rs_printer_say(self->err, "compare: --rates-of: %s: asked for no rate in %s\n",
                               past.path, scenario->name);
            }
        }
    }
    rs_past_free(&past);
    return ok ? 0 : 2;
}

static int main_prepare(compare_main *self) {
    const rs_compare_settings *s = &self->settings;
    int failed;
    if (!rs_files_own_folder(self->folder, sizeof self->folder)) {
        return main_fail(self, "cannot tell where this program lies", "compare");
    }
    failed = main_find_targets(self);
    failed = failed != 0 ? failed : main_find_tools(self);
    failed = failed != 0 ? failed : main_make_folders(self);
    if (failed != 0) {
        return failed;
    }
    if (!main_allocate(self)) {
        return main_fail(self, "out of memory", "compare");
    }
    failed = s->rates_of[0] != '\0' ? main_rates_of(self) : 0;
    if (failed != 0) {
        return failed;
    }
    self->results.platform = main_platform(self);
    self->runner.seconds = s->seconds;
    self->runner.warmup_s = s->warmup_s;
    self->runner.stop = &self->stop;
    main_plan(self);
    self->progress = s->progress == 1 || (s->progress == 0 && rs_stderr_is_terminal());
    main_banner(self);
    main_costs(self);
    if (rs_os_on_stop(main_on_stop, &self->stop) != RS_OK) {
        return main_fail(self, "no way to notice Ctrl+C", "compare");
    }
    return main_runs_open(self) ? 0 : EXIT_FAILURE;
}

static int main_compare(compare_main *self) {
    int exit_code = main_prepare(self);
    if (exit_code != 0) {
        return exit_code;
    }
    main_turns(self);
    main_end_wine(self);
    rs_results_summarise(&self->results);
    if (!main_report(self) || fclose(self->runs) != 0 || main_is_unwritable(self)) {
        exit_code = EXIT_FAILURE;
    }
    const uint32_t voided = rs_results_voided(&self->results);
    if (voided > 0) {
        rs_printer_say(self->err, "compare: %u runs were void\n", voided);
        exit_code = EXIT_FAILURE;
    }
    return rs_atomic_load_u32(&self->stop) != 0 ? MAIN_EXIT_INTERRUPTED : exit_code;
}

static int main_go(compare_main *self) {
    rs_error error = {.text = ""};
    int exit_code = EXIT_FAILURE;
    if (rs_printer_open(&self->print, RS_OS_STDOUT, &error) == RS_OK &&
        rs_printer_open(&self->err, RS_OS_STDERR, &error) == RS_OK) {
        exit_code = main_compare(self);
    } else {
        (void)fprintf(stderr, "compare: %s\n", error.text);
    }
    (void)rs_printer_close(self->print);
    (void)rs_printer_close(self->err);
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
