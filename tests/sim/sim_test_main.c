/* SPDX-License-Identifier: MIT */
/* sim_test: the whole session layer and shard against the simulated back end, seed after seed.
 *
 * Each seed draws a configuration, an application, faults and clients (sim_run.h) and is played to
 * its end; every invariant is checked after every step. A failure, also an assertion of the
 * product, prints the seed and the command that replays it, and ends with exit code 1. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/options.h"
#include "seam/os.h"
#include "sim_run.h"

/* A run of this many seeds must have seen every fault happen. */
#define SEEDS_FOR_ALL_FAULTS 1000u

/* For the handler of abort, which gets no argument. */
static uint32_t main_seed;
static int main_mistake;
static const char *const main_mistakes[] = {"none", "corrupt",    "swallow", "double",
                                            "lose", "lose-close", "leak",    "scribble"};

static void main_fail(void) {
    (void)fprintf(stderr, "sim: seed %u failed; replay: sim_test --seed %u%s%s\n",
                  (unsigned)main_seed, (unsigned)main_seed, main_mistake != 0 ? " --mistake " : "",
                  main_mistake != 0 ? main_mistakes[main_mistake] : "");
    (void)fflush(stderr);
    _Exit(1);
}

static void main_aborted(int number) {
    (void)number;
    main_fail();
}

typedef struct main_options {
    uint32_t seeds, first_seed, seed;
    int mistake;
    bool verbose;
} main_options;

static const rs_option main_rows[] = {
    RS_ROW_UINT(main_options, seeds, "seeds", 1, UINT32_MAX, 20000, "", "how many seeds to play"),
    RS_ROW_UINT(main_options, first_seed, "first-seed", 0, UINT32_MAX, 1, "", "the first of them"),
    RS_ROW_UINT(main_options, seed, "seed", 0, UINT32_MAX, 0, "",
                "play this one alone, twice, and compare"),
    RS_ROW_CHOICE(main_options, mistake, "mistake",
                  "none|corrupt|swallow|double|lose|lose-close|leak|scribble", 0,
                  "a deliberate mistake that the checks must find"),
    RS_ROW_BOOL(main_options, verbose, "verbose", false, "print each seed's trace"),
};
static const rs_option_table main_table = {main_rows, RS_ROWS(main_rows), NULL};

static uint64_t main_play(sim_run *run, uint32_t seed, sim_totals *totals) {
    main_seed = seed;
    sim_run_seed(run, seed, (sim_mistake)main_mistake, main_fail, totals);
    return run->trace;
}

static void main_print(const sim_totals *totals, uint64_t trace, double seconds) {
    printf("sim: %llu seeds in %.1f s, %llu steps, trace %016llx\n",
           (unsigned long long)totals->seeds, seconds, (unsigned long long)totals->steps,
           (unsigned long long)trace);
    printf(
        "  sessions %llu, messages %llu, bytes echoed and verified %llu, complete streams %llu\n",
        (unsigned long long)totals->sessions, (unsigned long long)totals->messages,
        (unsigned long long)totals->bytes_back, (unsigned long long)totals->complete_streams);
    printf("  refused %llu, for their address %llu, while off %llu, drained %llu, linked "
           "%llu, stale completions dropped %llu, closes escalated %llu, timers %llu, low water "
           "%llu\n"
           "  closed:",
           (unsigned long long)totals->refused, (unsigned long long)totals->refused_address,
           (unsigned long long)totals->refused_off, (unsigned long long)totals->drained,
           (unsigned long long)totals->linked, (unsigned long long)totals->stale,
           (unsigned long long)totals->escalated, (unsigned long long)totals->timers,
           (unsigned long long)totals->lows);
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        printf(" %s %llu", rs_close_reason_text((rs_close_reason)i),
               (unsigned long long)totals->closed[i]);
    }
    printf("\n  faults:");
    for (uint32_t i = 0; i < RS_SIM_FAULTS; i++) {
        printf(" %s %llu", rs_sim_fault_name((rs_sim_fault)i),
               (unsigned long long)totals->faults[i]);
    }
    printf("\n");
}

/* A long run in which a fault or a reason never occurred has tested less than it says. */
static int main_check_coverage(const sim_totals *totals) {
    int missing = 0;
    for (uint32_t i = 0; i < RS_SIM_FAULTS && totals->seeds >= SEEDS_FOR_ALL_FAULTS; i++) {
        if (totals->faults[i] == 0 && i != RS_SIM_LISTENER_FAILURE) {
            (void)fprintf(stderr, "sim: the fault %s never happened\n",
                          rs_sim_fault_name((rs_sim_fault)i));
            missing = 1;
        }
    }
    for (uint32_t i = 0; i < RS_CLOSE_REASONS && totals->seeds >= SEEDS_FOR_ALL_FAULTS; i++) {
        if (totals->closed[i] == 0) {
            (void)fprintf(stderr, "sim: no session ended by %s\n",
                          rs_close_reason_text((rs_close_reason)i));
            missing = 1;
        }
    }
    if (totals->seeds >= SEEDS_FOR_ALL_FAULTS &&
        (totals->stale == 0 || totals->refused == 0 || totals->refused_address == 0 ||
         totals->refused_off == 0 || totals->drained == 0 || totals->linked == 0 ||
         totals->escalated == 0 || totals->timers == 0 || totals->lows == 0)) {
        (void)fprintf(stderr,
                      "sim: no stale completion, refusal, drain, link, forced close, timer or "
                      "low water was seen\n");
        missing = 1;
    }
    return missing;
}

static int main_replay(sim_run *run, uint32_t seed, sim_totals *totals) {
    uint64_t first = main_play(run, seed, totals);
    uint64_t second = main_play(run, seed, totals);
    printf("sim: seed %u: trace %016llx, again %016llx\n", (unsigned)seed,
           (unsigned long long)first, (unsigned long long)second);
    return first == second ? 0 : 1;
}

int main(int argc, char **argv) {
    static sim_run run;
    static sim_totals totals;
    main_options options;
    rs_options all = {.program = "sim_test", .summary = "plays the server in a simulated network"};
    uint64_t trace = 0, start_ns = rs_os_now_ns();
    rs_options_add(&all, &main_table, &options, NULL);
    const int exit_code = rs_options_read(&all, argc, (const char *const *)argv);
    if (exit_code >= 0) {
        return exit_code;
    }
    main_mistake = options.mistake;
    (void)signal(SIGABRT, main_aborted);
    if (rs_options_given(&all, "seed")) {
        return main_replay(&run, options.seed, &totals);
    }
    printf("sim: seeds %u to %u\n", (unsigned)options.first_seed,
           (unsigned)(options.first_seed + options.seeds - 1));
    (void)fflush(stdout);
    for (uint32_t i = 0; i < options.seeds; i++) {
        uint64_t one = main_play(&run, options.first_seed + i, &totals);
        trace = (trace ^ one) * 0x9E3779B97F4A7C15u;
        if (options.verbose) {
            printf("seed %u steps %llu trace %016llx\n", (unsigned)main_seed,
                   (unsigned long long)run.steps, (unsigned long long)one);
        }
    }
    main_print(&totals, trace, (double)(rs_os_now_ns() - start_ns) / 1e9);
    return main_check_coverage(&totals);
}
