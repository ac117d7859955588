/* SPDX-License-Identifier: MIT */
#include "compare/banner.h"

#include <stdarg.h>
#include <stdio.h>

#include "compare/clocks.h"
#include "compare/rounds.h"
#include "compare/targets.h"
#include "core/assert.h"
#include "seam/os.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

#define BANNER_TEXT_OF(number) #number
#define BANNER_NUMBER(number) BANNER_TEXT_OF(number)

#if defined(__clang__) && defined(_MSC_VER)
#define BANNER_COMPILER "clang-cl " __clang_version__
#elif defined(__clang__)
#define BANNER_COMPILER "clang " __clang_version__
#elif defined(_MSC_VER)
#define BANNER_COMPILER "MSVC " BANNER_NUMBER(_MSC_FULL_VER)
#else
#define BANNER_COMPILER "gcc " __VERSION__
#endif

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
banner_add(rs_results *results, const char *what, const char *format, ...) {
    va_list list;
    RS_ASSERT(results->banners < RS_BANNER_MAX);
    rs_banner_line *line = &results->banner[results->banners++];
    line->what = what;
    va_start(list, format);
    (void)vsnprintf(line->text, sizeof line->text, format, list);
    va_end(list);
}

static rs_platform banner_platform(const rs_results *results) {
    bool wine = rs_os_is_wine();
    for (uint32_t i = 0; i < results->subjects; i++) {
        wine = wine || results->subject[i].wine;
    }
    return wine ? RS_PLATFORM_WINE : RS_TARGETS_WINDOWS ? RS_PLATFORM_WINDOWS : RS_PLATFORM_LINUX;
}

static void banner_place(rs_results *results, rs_runner *runner, rs_placement_wish wish) {
    static rs_cpu cpu[RS_CPUS_MAX];
    char text[128];
    const rs_placement placement = rs_placement_choose(cpu, rs_machine_cpus(cpu), wish);
    const bool with_wine = results->platform == RS_PLATFORM_WINE && !RS_TARGETS_WINDOWS;
    runner->server.cpu = placement.server;
    runner->load.cpu = placement.load;
    rs_placement_text(&placement, with_wine ? "server and wineserver" : "server", text,
                      sizeof text);
    banner_add(results, "placement", "%s", text);
}

/* Which counters tell CPU time: tried now, on this machine as busy as it is. */
static void banner_clocks(rs_results *results, rs_runner *runner, bool test) {
    static const struct {
        rs_clock_kind kind;
        const char *what;
    } kinds[] = {{RS_CLOCK_PROCESS, "CPU, server"},
                 {RS_CLOCK_MACHINE, "CPU, machine"},
                 {RS_CLOCK_OWN, "CPU, load"}};
    char text[200];
    rs_clocks_choose(results, test);
    runner->process_counter = rs_clocks_used(results, RS_CLOCK_PROCESS);
    runner->machine_counter = rs_clocks_used(results, RS_CLOCK_MACHINE);
    runner->load_untold = rs_clocks_used(results, RS_CLOCK_OWN) < 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rs_clocks_text(results, kinds[i].kind, text, sizeof text);
        banner_add(results, kinds[i].what, "%s", text);
    }
}

void rs_banner_make(rs_results *results, rs_runner *runner, const rs_compare_settings *settings) {
    char machine[160];
    results->platform = banner_platform(results);
    rs_machine_name(machine, sizeof machine);
    banner_add(results, "machine", "%s", machine);
    banner_add(results, "system", "%s", rs_os_platform());
    banner_add(results, "commit", "%s, %s", RS_COMMIT, BANNER_COMPILER);
    banner_place(results, runner, settings->placement);
    banner_add(
        results, "method",
        "%u run%s of each server in each scenario, in random order within a round (--seed %u), "
        "a first round dropped; medians; %.4g %% intervals of paired ratios (sign test)",
        settings->repeats, settings->repeats == 1 ? "" : "s", settings->seed,
        rs_stats_level(settings->repeats) * 100);
    if (settings->width_percent > 0) {
        banner_add(
            results, "more runs",
            "up to %u in all where the interval of a ratio of rate or CPU time is wider than "
            "%u %% of it (--width); such intervals hold the median with 93 to 94 %% where they say "
            "95",
            settings->repeats + rs_rounds_extra(settings->repeats), settings->width_percent);
    }
    if (settings->builds > 1) {
        banner_add(results, "builds",
                   "%u of each server in turn, the same objects linked in another order",
                   settings->builds);
    }
    banner_add(results, "one run", "%.1f s after %.1f s of warm-up, a fresh server each time",
               settings->seconds, settings->warmup_s);
    banner_add(results, "CPU time", "of the whole load, warm-up included, over all its messages");
    banner_clocks(results, runner, !settings->no_instrument_test);
    if (settings->rates_of[0] != '\0') {
        banner_add(results, "fixed rates", "those of an earlier comparison (--rates-of)");
    }
    for (uint32_t i = 0; i < settings->sets && results->banners + 2 < RS_BANNER_MAX; i++) {
        banner_add(results, "set", "%s %s=%s", settings->set[i].server, settings->set[i].option,
                   settings->set[i].value);
    }
}
