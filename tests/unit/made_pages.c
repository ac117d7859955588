/* SPDX-License-Identifier: MIT */
/* made_pages FOLDER: a page of each kind of comparison, of made-up results: what tests/pages.sh
 * looks at in a browser. The figures are such as push at the edges: names of full length, ratios
 * beyond the scale, unknown figures, runs that were disturbed or void. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/map.h"
#include "compare/question.h"
#include "compare/report.h"
#include "random.h"

#define PAGES_REPEATS 5u
#define PAGES_CELLS (RS_SCENARIOS_MAX * RS_SERVERS_MAX)

static rs_results results;
static rs_compare_run run[PAGES_CELLS * PAGES_REPEATS];
static rs_cell cell[PAGES_CELLS];
static rs_map grid;
static rs_table table;
static test_random random_state;

/* About 1, within the share either way. */
static double pages_noise(double share) {
    return 1 + share * ((double)test_random_below(&random_state, 2001) / 1000.0 - 1);
}

static void pages_add(const char *name, bool wine, const char *calls) {
    rs_subject *subject = &results.subject[results.subjects++];
    (void)snprintf(subject->name, sizeof subject->name, "%s", name);
    (void)snprintf(subject->platform, sizeof subject->platform, "Windows 10.0 under Wine 10.0");
    subject->wine = wine;
    subject->calls = calls;
    rs_settings_add(&subject->settings, "max_sessions", "1024");
    rs_settings_add(&subject->settings, "a_setting_with_a_long_name", "and-a-long-value-beside");
}

static void pages_begin(rs_comparison kind, rs_platform platform) {
    memset(&results, 0, sizeof results);
    memset(run, 0, sizeof run);
    random_state = (test_random){7};
    results.kind = kind;
    results.platform = platform;
    results.repeats = PAGES_REPEATS;
    results.unfit_percent = 25;
    results.run = run;
    results.cell = cell;
    results.clocks_tested = true;
    results.clocks = 2;
    results.clock[0] = (rs_clock){RS_CLOCK_PROCESS, 0, "schedstat", {.error = 0.031}, true};
    results.clock[1] = (rs_clock){RS_CLOCK_OWN, 0, "process times", {.error = 0.024}, true};
    results.banners = 2;
    results.banner[0] =
        (rs_banner_line){"machine", "a processor with a name of its own, 2 of them"};
    results.banner[1] = (rs_banner_line){"method", "made-up figures, of a test of this page"};
}

static void pages_scenarios(uint32_t sets) {
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        if ((rs_scenario_at(i)->sets & sets) != 0) {
            results.scenario[results.scenarios++] = rs_scenario_at(i);
        }
    }
}

static void pages_control(uint32_t of) {
    rs_subject *control = &results.subject[results.subjects++];
    *control = results.subject[of];
    memcpy(control->name + strlen(control->name), "+control", sizeof "+control");
    control->control = true;
    control->of = of;
}

static void pages_calls(rs_compare_run *to, double calls) {
    static const char *const name[] = {
        "recv",    "send",    "epoll_wait", "GetQueuedCompletionStatusEx",
        "WSARecv", "WSASend", "RIONotify",  "RIODequeueCompletion",
        "accept"};
    to->calls = sizeof name / sizeof name[0];
    for (uint32_t i = 0; i < to->calls; i++) {
        (void)snprintf(to->call[i].name, sizeof to->call[i].name, "%s", name[i]);
        to->call[i].per_message = calls / (2 << i);
    }
}

/* speed: of this subject in this scenario, over the floor's. */
static void pages_run(rs_compare_run *to, const rs_scenario *scenario, double speed) {
    const double rate = 90000 * speed * pages_noise(0.03);
    const double cpu = 9.1 / speed * pages_noise(0.04);
    to->state = RS_RUN_OK;
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        to->value[i] = NAN;
    }
    to->value[RS_METRIC_RATE] = rate;
    for (uint32_t i = RS_METRIC_P50; i <= RS_METRIC_MAX; i++) {
        to->value[i] =
            scenario->connections * 1e6 / rate * pow(1.7, i - RS_METRIC_P50) * pages_noise(0.1);
    }
    to->value[RS_METRIC_CPU] = cpu * 0.6;
    to->value[RS_METRIC_CPU_USER] = cpu * 0.2;
    to->value[RS_METRIC_CPU_KERNEL] = cpu * 0.4;
    to->value[RS_METRIC_CPU_WINE] = cpu * 0.4;
    to->value[RS_METRIC_CPU_SUM] = cpu;
    to->value[RS_METRIC_CALLS] = 2 / sqrt(speed);
    to->value[RS_METRIC_MEMORY] = 123456789;
    pages_calls(to, to->value[RS_METRIC_CALLS]);
}

typedef double (*pages_speed_fn)(uint32_t scenario, uint32_t subject);

static void pages_fill(pages_speed_fn speed) {
    for (uint32_t i = 0; i < results.scenarios * results.subjects * PAGES_REPEATS; i++) {
        const uint32_t subject = i / PAGES_REPEATS % results.subjects;
        const uint32_t scenario = i / PAGES_REPEATS / results.subjects;
        const uint32_t end = results.subject[subject].connections_max;
        if (end != 0 && results.scenario[scenario]->connections > end) {
            rs_result_beyond(&run[i], "ends at %u", end);
        } else if (rs_results_wants(&results, scenario, subject)) {
            const rs_subject *of = &results.subject[subject];
            pages_run(&run[i], results.scenario[scenario],
                      speed(scenario, of->control ? of->of : subject));
            run[i].disturbed = i % 17 == 3;
        }
    }
}

static double pages_servers_speed(uint32_t scenario, uint32_t subject) {
    const double rio[] = {0.95, 1, 0.85, 1.01, 1.4, 0.3};
    return subject == 0   ? 1
           : subject == 1 ? 0.11 + 0.06 * scenario
           : subject == 2 ? rio[scenario % 6]
                          : 0.015;
}

static void pages_servers(void) {
    pages_begin(RS_COMPARE_SERVERS, RS_PLATFORM_WINE);
    pages_scenarios(RS_IN_QUICK);
    pages_add("epoll_server", false, NULL);
    pages_add("iocp_server", true, NULL);
    pages_add("rio_server", true, NULL);
    pages_add("a_server_whose_name_has_the_full_length", true, NULL);
    pages_control(0);
    pages_fill(pages_servers_speed);
    rs_result_void(&run[7], "loadgen: connection 12, offset 4711: expected 0x41, got 0x00");
}

/* The one with the longest words. */
static void pages_question(void) {
    pages_servers();
    results.question = rs_question_find("fifteen-thirty");
}

/* The handicaps against the server with none. */
static double pages_calibrate_speed(uint32_t scenario, uint32_t subject) {
    (void)scenario;
    return subject == 0 ? 1 : 1 / (1 + rs_handicap_percent[subject - 1] / 100.0);
}

static void pages_calibrate(void) {
    pages_begin(RS_COMPARE_CALIBRATE, RS_PLATFORM_LINUX);
    results.scenario[results.scenarios++] = rs_scenario_find(RS_SCENARIO_BASE);
    pages_add("epoll_handicap", false, NULL);
    for (uint32_t i = 0; i < RS_HANDICAPS; i++) {
        char name[RS_NAME_BYTES];
        (void)snprintf(name, sizeof name, "epoll_handicap+%.20s", rs_handicaps[i].value);
        pages_add(name, false, NULL);
        results.subject[results.subjects - 1].changed = &rs_handicaps[i];
    }
    pages_fill(pages_calibrate_speed);
}

static double pages_windows_speed(uint32_t scenario, uint32_t subject) {
    return subject == 1 ? 0.97 + 0.05 * (scenario % 9) : 1;
}

static void pages_windows(void) {
    pages_begin(RS_COMPARE_SERVERS, RS_PLATFORM_WINDOWS);
    pages_scenarios(RS_IN_FULL);
    pages_add("iocp_server", false, NULL);
    pages_add("rio_server", false, NULL);
    pages_control(0);
    pages_fill(pages_windows_speed);
}

static double pages_tradeoffs_speed(uint32_t scenario, uint32_t subject) {
    return subject % 5 == 1 ? 1 + 0.1 * scenario : subject % 7 == 2 ? 0.8 : 1;
}

static void pages_tradeoffs(void) {
    static const char *const names[] = {"iocp_server", "rio_server"};
    pages_begin(RS_COMPARE_TRADEOFFS, RS_PLATFORM_WINE);
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        if (rs_tradeoffs_use(rs_scenario_at(i)->name)) {
            results.scenario[results.scenarios++] = rs_scenario_at(i);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        const uint32_t of = results.subjects;
        pages_add(names[i], true, NULL);
        for (uint32_t k = 0; k < rs_tradeoff_count(); k++) {
            const rs_tradeoff *row = rs_tradeoff_at(k);
            if (rs_tradeoff_applies(row, names[i])) {
                char name[RS_NAME_BYTES];
                (void)snprintf(name, sizeof name, "%.10s+%.15s=%.10s", names[i], row->option,
                               row->value);
                pages_add(name, true, NULL);
                results.subject[results.subjects - 1].changed = row;
                results.subject[results.subjects - 1].of = of;
            }
        }
    }
    pages_control(0);
    pages_fill(pages_tradeoffs_speed);
}

static double pages_ladder_speed(uint32_t scenario, uint32_t subject) {
    const double speed[] = {0.25, 0.12, 0.004, 0.13, 0.14, 0.16, 0.1, 0.2, 0.21, 1};
    return speed[subject % 10] / (1 + scenario);
}

static void pages_ladder(void) {
    static const struct {
        const char *name, *calls;
    } model[] = {{"ladder_thread", "blocking"},
                 {"ladder_select", "sync, notified"},
                 {"ladder_async_select", "sync, notified"},
                 {"ladder_event_select", "sync, notified"},
                 {"ladder_overlapped_event", "async, notified"},
                 {"ladder_overlapped_apc", "async, notified"},
                 {"ladder_overlapped_alertable", "async, notified"},
                 {"ladder_iocp_pool", "async, notified"},
                 {"iocp_server", "async, notified"},
                 {"rio_server", "async, notified"}};
    pages_begin(RS_COMPARE_LADDER, RS_PLATFORM_WINE);
    pages_scenarios(RS_IN_LADDER);
    for (size_t i = 0; i < sizeof model / sizeof model[0]; i++) {
        pages_add(model[i].name, true, model[i].calls);
    }
    results.subject[3].connections_max = 63;
    (void)snprintf(results.subject[3].limit, RS_LIMIT_BYTES, "a wait takes 64 events");
    pages_control(8);
    pages_fill(pages_ladder_speed);
}

static double pages_map_speed(uint32_t scenario, uint32_t subject) {
    return subject == 0 ? 1 : subject == 1 ? 0.1 + scenario * 0.01 : 0.6 + scenario * 0.02;
}

static void pages_map(void) {
    pages_begin(RS_COMPARE_MAP, RS_PLATFORM_WINE);
    rs_map_make(&grid);
    for (uint32_t i = 0; i < grid.cells; i++) {
        results.scenario[results.scenarios++] = &grid.cell[i].scenario;
    }
    pages_add("epoll_server", false, NULL);
    pages_add("iocp_server", true, NULL);
    pages_add("rio_server", true, NULL);
    pages_control(0);
    pages_fill(pages_map_speed);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*make)(void);
    } page[] = {
        {"report", pages_servers},  {"question", pages_question},   {"calibrate", pages_calibrate},
        {"windows", pages_windows}, {"tradeoffs", pages_tradeoffs}, {"ladder", pages_ladder},
        {"map", pages_map}};
    char *out = malloc(RS_REPORT_BYTES);
    bool ok = argc == 2 && out != NULL;
    for (size_t i = 0; ok && i < sizeof page / sizeof page[0]; i++) {
        char path[1024];
        rs_compare_text text;
        rs_compare_text_init(&text, out, RS_REPORT_BYTES);
        page[i].make();
        rs_results_summarise(&results);
        if (results.question != NULL) {
            rs_question_decide(&results);
        }
        rs_report_html(&results, &table, &text);
        (void)snprintf(path, sizeof path, "%s/%s.html", argv[1], page[i].name);
        FILE *file = fopen(path, "wb");
        ok = file != NULL && fwrite(out, 1, text.used, file) == text.used && !text.overflow;
        ok = (file == NULL || fclose(file) == 0) && ok;
    }
    free(out);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
