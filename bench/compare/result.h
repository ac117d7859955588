/* SPDX-License-Identifier: MIT */
/* What was measured: the runs as they came, and the medians of each server in each scenario.
 *
 * Pure. Every figure is a double, NAN for "this platform or this scenario cannot tell" (printed as
 * "-", null in JSON; never 0). The metric table is the one list of columns: reports, CSV, JSON and
 * docs/compare.md follow it. */
#ifndef RS_COMPARE_RESULT_H
#define RS_COMPARE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/instrument.h"
#include "compare/json_read.h"
#include "compare/recorded.h"
#include "compare/scenario.h"
#include "compare/stats.h"
#include "compare/tradeoff.h"
#include "compare/verdict.h"
#include "core/options.h"

#define RS_SERVERS_MAX 64u /* two servers with every setting of the trade-offs */
#define RS_REPEATS_MAX 100u
#define RS_BUILDS_MAX 3u  /* cmake/RingsideLayouts.cmake makes as many */
#define RS_CALLS_MAX 20u  /* kernel calls that a server names */
#define RS_NAME_BYTES 40u /* of a server, a kernel call */
#define RS_WHY_BYTES 256u /* why a run is void */
#define RS_DISTURBED 0.10 /* of one CPU, by other processes, during a run: ours */
#define RS_LIMIT_BYTES 200u
#define RS_BANNER_MAX 16u

_Static_assert(RS_REPEATS_MAX <= RS_STATS_SAMPLES_MAX, "the statistics hold every repeat");

/* X(name, key in CSV and JSON, unit, source: of docs/compare.md). */
#define RS_METRIC_TABLE(X)                                                                         \
    X(RATE, "rate", "1/s",                                                                         \
      "loadgen: replies in the measured time (connections in ramp, churn; deliveries in board; "   \
      "in "                                                                                        \
      "board-bots the number of bots)")                                                            \
    X(P50, "p50_us", "us",                                                                         \
      "loadgen: reply latency, within 1/64; from the intended send in an open loop")               \
    X(P90, "p90_us", "us", "the same")                                                             \
    X(P99, "p99_us", "us", "the same")                                                             \
    X(P99_9, "p99_9_us", "us", "the same")                                                         \
    X(P99_99, "p99_99_us", "us", "the same")                                                       \
    X(MAX, "max_us", "us", "the same")                                                             \
    X(CPU, "cpu_server_us", "us/msg",                                                              \
      "server process. Linux: /proc/PID/task/*/schedstat, in ns, or /proc/PID/stat, in ticks of "  \
      "10 ms, once threads have ended. Windows: QueryProcessCycleTime, by the rate of the "        \
      "time-stamp counter; GetProcessTimes where it passes the test")                              \
    X(CPU_USER, "cpu_user_us", "us/msg",                                                           \
      "its user part, by the ratio in /proc/PID/stat or GetProcessTimes")                          \
    X(CPU_KERNEL, "cpu_kernel_us", "us/msg", "its kernel part, likewise")                          \
    X(CPU_WINE, "cpu_wineserver_us", "us/msg", "schedstat of the prefix's wineserver")             \
    X(CPU_SUM, "cpu_sum_us", "us/msg", "server and wineserver")                                    \
    X(CPU_MACHINE, "cpu_machine_us", "us/msg",                                                     \
      "the whole machine, loadgen, system threads and interrupts too. Linux: /proc/schedstat "     \
      "(needs CONFIG_SCHEDSTATS). Windows: all cycles less QueryIdleProcessorCycleTimeEx")         \
    X(CALLS, "kernel_calls", "1/msg", "server: calls it made to the system, counted by itself")    \
    X(DEQUEUED, "completions_per_dequeue", "count",                                                \
      "server: completions that a dequeue took, mean over those that took any")                    \
    X(CPU_LOAD, "cpu_loadgen_us", "us/msg",                                                        \
      "loadgen: getrusage, GetProcessTimes, of the measured time")                                 \
    X(LEAST, "least_share", "share",                                                               \
      "loadgen, where a question asks for it: messages of the connection that had fewest over "    \
      "the "                                                                                       \
      "mean of all")                                                                               \
    X(SEND_P50, "send_p50_us", "us",                                                               \
      "server: from the post of a send until its completion was seen, within 1/64")                \
    X(SEND_P90, "send_p90_us", "us", "the same")                                                   \
    X(SEND_P99, "send_p99_us", "us", "the same")                                                   \
    X(SEND_P99_9, "send_p99_9_us", "us", "the same")                                               \
    X(SEND_P99_99, "send_p99_99_us", "us", "the same")                                             \
    X(SEND_MAX, "send_max_us", "us", "the same")                                                   \
    X(SPIN_HITS, "spin_hits", "share",                                                             \
      "rio_server with --rio-wait spin: spins that found a completion, of all spins")              \
    X(PACING, "pacing_p99_us", "us",                                                               \
      "loadgen, in an open loop: p99 of actual less intended send, its own part of the latency")   \
    X(SWITCHES, "context_switches", "1/msg",                                                       \
      "server: getrusage; under Wine its turns on a processor in schedstat, null once threads "    \
      "have ended")                                                                                \
    X(FAULTS, "page_faults", "count",                                                              \
      "server: getrusage, GetProcessMemoryInfo; under Wine /proc/PID/stat")                        \
    X(MEMORY, "memory_growth_bytes", "bytes", "server's working set: largest less that at start")  \
    X(MEMORY_EACH, "memory_each_bytes", "bytes", "the same for each connection")                   \
    X(POOL, "pool_growth_bytes", "bytes",                                                          \
      "machine's non-paged pool, largest under load less before: GetPerformanceInfo")              \
    X(POOL_EACH, "pool_each_bytes", "bytes", "the same for each connection")                       \
    X(LOCKED, "locked_bytes", "bytes", "server: pages locked at its end")                          \
    X(MESSAGES, "messages", "count",                                                               \
      "server, warm-up included; of a ladder server what loadgen sent; in board the deliveries")   \
    X(OTHERS, "others_cpu", "CPUs",                                                                \
      "processes' CPU time (/proc/stat, NtQuerySystemInformation over all processor groups) less " \
      "server, wineserver, loadgen")                                                               \
    X(STACK, "stack_cpu", "CPUs",                                                                  \
      "interrupts, softirqs, DPCs: on loopback mostly the network stack, for us; in no process's " \
      "time")

typedef enum rs_metric {
#define X(name, key, unit, source) RS_METRIC_##name,
    RS_METRIC_TABLE(X)
#undef X
        RS_METRICS
} rs_metric;

typedef struct rs_metric_info {
    const char *key, *unit, *source;
} rs_metric_info;

extern const rs_metric_info rs_metric_infos[RS_METRICS];

typedef struct rs_compare_call {
    char name[RS_NAME_BYTES];
    double per_message;
} rs_compare_call;

typedef enum rs_compare_run_state {
    RS_RUN_NOT,
    RS_RUN_OK,
    RS_RUN_VOID,
    RS_RUN_BEYOND /* not tried: the server's model cannot hold so many connections */
} rs_compare_run_state;

typedef struct rs_compare_run {
    rs_compare_run_state state;
    bool paced_late; /* loadgen's pacing error is no small part of the latency, it says */
    bool disturbed;  /* others used more than RS_DISTURBED of a CPU */
    double value[RS_METRICS];
    rs_compare_call call[RS_CALLS_MAX];
    uint32_t calls;
    char why[RS_WHY_BYTES]; /* VOID, BEYOND: names the reason; printable, one line */
} rs_compare_run;

/* What the outside of the processes told about one run. */
typedef struct rs_observed {
    double cpu_ns, user_share; /* of the server; user_share [0, 1] or NAN */
    double wine_ns;            /* NAN: none */
    double machine_ns;         /* of everything; NAN: not known */
    bool load_untold;          /* loadgen's own times are not fit to be shown */
    double others_cpus;        /* NAN: not known */
    double stack_cpus;         /* NAN: not known */
    double memory_start_bytes, memory_peak_bytes, pool_growth_bytes; /* NAN: not known */
    double least_share;                                              /* NAN: not asked for */
    double switches, faults; /* used where the server itself cannot tell; NAN: not known */
} rs_observed;

/* rs_result_read: fills a run from both sides' JSON and what was observed. Sets VOID with the
 * reason when the load generator says so or a figure that must be there is missing. */
void rs_result_read(rs_compare_run *run, const rs_scenario *scenario, const rs_json_doc *server,
                    const rs_json_doc *load, const rs_observed *observed);

/* rs_result_least_share: of loadgen's rows for each connection, a CSV text with a head: the
 * smallest count of measured messages over the mean. NAN: no row, or something that is none. */
double rs_result_least_share(const char *csv);

/* rs_result_void: the run proves nothing. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
rs_result_void(rs_compare_run *run, const char *format, ...);

/* rs_result_beyond: the run was not tried, for the reason given. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
rs_result_beyond(rs_compare_run *run, const char *format, ...);

/* rs_result_clean: what other programs wrote ends up on terminals: printable ASCII, one line. */
void rs_result_clean(char *text);

/* What is compared with what. */
typedef enum rs_comparison {
    RS_COMPARE_SERVERS,
    RS_COMPARE_TRADEOFFS, /* one setting at a time against the server's own defaults */
    RS_COMPARE_CALIBRATE, /* a server with known handicaps against itself */
    RS_COMPARE_LADDER,    /* the older Winsock models beside the servers */
    RS_COMPARE_MAP        /* the servers over the cells of map.h */
} rs_comparison;

/* One measured program. */
typedef struct rs_subject {
    char name[RS_NAME_BYTES];
    const rs_tradeoff *changed; /* another subject with this setting changed; NULL: as it is */
    uint32_t of;                /* that subject; the two are set against each other */
    const char *calls;          /* the ladder: which kind its model makes; NULL: not known */
    bool control;               /* `of` itself once more, under another name */
    bool wine;                  /* a Windows program under Wine */
    uint32_t connections_max;   /* where its model ends, as its JSON says; 0: it names no end */
    char limit[RS_LIMIT_BYTES]; /* why there; "" with 0 */
    char platform[160];         /* as its JSON says */
    char provider[RS_NAME_BYTES];
    rs_setting_list settings;      /* of its newest run, as its JSON says */
    rs_setting_list load_settings; /* loadgen's, of that run */
} rs_subject;

typedef struct rs_cell {
    uint32_t ok, voided, disturbed, paced_late;
    bool beyond; /* the model ends below what this scenario asks for */
    double median[RS_METRICS], rate_spread, cpu_spread;
    double rate_low, rate_high, cpu_low, cpu_high; /* smallest and largest of the runs */
    rs_compare_call call[RS_CALLS_MAX];
    uint32_t calls;
    bool has_ratio; /* against the baseline; those below are set */
    rs_interval rate, cpu, p99, machine;
} rs_cell;

/* A counter of CPU time, and whether it is fit for use here. */
typedef enum rs_clock_kind {
    RS_CLOCK_PROCESS, /* a server, wineserver */
    RS_CLOCK_MACHINE,
    RS_CLOCK_OWN /* loadgen, of itself */
} rs_clock_kind;

typedef struct rs_clock {
    rs_clock_kind kind;
    uint32_t counter; /* of those in process.h */
    const char *name; /* static */
    rs_instrument_result result;
    bool is_used;
} rs_clock;

typedef struct rs_banner_line {
    const char *what; /* static */
    char text[224];
} rs_banner_line;

typedef struct rs_results {
    rs_platform platform;
    rs_subject subject[RS_SERVERS_MAX];
    const rs_scenario *scenario[RS_SCENARIOS_MAX];
    double fixed_rate[RS_SCENARIOS_MAX]; /* messages a second asked for; 0 = closed loop */
    uint32_t subjects, scenarios;
    uint32_t repeats;          /* room for them */
    uint32_t extra;            /* of those: made only of pairs whose interval is wide (--width) */
    int32_t baseline;          /* subject that the others are set against; -1: none */
    rs_compare_run *run;       /* [scenarios][subjects][repeats] */
    rs_cell *cell;             /* [scenarios][subjects] */
    rs_recorded *recorded;     /* [scenarios][subjects]; NULL: settings are not known by cell */
    const rs_options *options; /* what compare itself was asked for; NULL: not known */
    rs_verdict verdict;
    rs_banner_line banner[RS_BANNER_MAX];
    uint32_t banners;
    bool interrupted;
    rs_comparison kind;
    uint32_t ratios, differences, discoveries; /* trade-offs: at 95 % each, and of all together */
    bool quick;                                /* --quick: not what the rule needs */
    uint32_t unfit_percent;                    /* of the runs disturbed or void: more is unfit */
    bool scenarios_given;                      /* trade-offs: every row in these, not in its own */
    const struct rs_question *question;        /* that these runs are about; NULL: none */
    rs_clock clock[RS_INSTRUMENTS_MAX];
    uint32_t clocks;
    bool clocks_tested;
} rs_results;

/* rs_results_wants: this pair is part of the comparison. A control is in one scenario. With
 * trade-offs a row is measured only where it can show, and the defaults wherever one of their rows
 * is. */
bool rs_results_wants(const rs_results *results, uint32_t scenario, uint32_t subject);

rs_compare_run *rs_results_run(const rs_results *results, uint32_t scenario, uint32_t subject,
                               uint32_t repeat);
rs_cell *rs_results_cell(const rs_results *results, uint32_t scenario, uint32_t subject);

/* rs_results_ratio: of one figure, a subject over the subject `of`, paired by round; of -1: the
 * figure itself. calm: without pairs that have a disturbed run. */
rs_interval rs_results_ratio(const rs_results *results, uint32_t scenario, uint32_t subject,
                             int32_t of, rs_metric metric, bool calm);

/* rs_results_baseline: which subject the others are compared with: on Windows iocp_server; with
 * Linux underneath epoll_server, the native floor; of a ladder iocp_server everywhere; -1
 * otherwise. Under Wine rio_server is never set against iocp_server. */
int32_t rs_results_baseline(const rs_results *results);

/* rs_results_base_is_iocp: it is iocp_server, and not the floor. */
bool rs_results_base_is_iocp(const rs_results *results);

/* rs_results_base_of: the subject that a subject's ratios are to: its own defaults, itself (of a
 * control), or the baseline; -1: it has none. */
int32_t rs_results_base_of(const rs_results *results, uint32_t subject);

/* rs_results_base_name: what a subject with a ratio is set against. */
const char *rs_results_base_name(const rs_results *results, uint32_t subject);

/* rs_results_summarise: fills every cell and the verdict. */
void rs_results_summarise(rs_results *results);

/* rs_results_made: runs that were made, void ones included. rs_results_voided: void runs in all.
 * rs_results_disturbed: runs that count and were disturbed. */
uint32_t rs_results_made(const rs_results *results);
uint32_t rs_results_voided(const rs_results *results);
uint32_t rs_results_disturbed(const rs_results *results);

/* rs_results_control_scenario: where the controls are measured: many-small, or the first. */
uint32_t rs_results_control_scenario(const rs_results *results);

/* rs_results_paced_late: runs that count and whose latency is partly loadgen's own. */
uint32_t rs_results_paced_late(const rs_results *results);

/* rs_results_warning: what every output says by itself about the platform; "" on Windows. */
const char *rs_results_warning(const rs_results *results);

/* rs_results_platform: "Wine", "Windows", "Linux": where a subject ran. Static string. */
const char *rs_results_platform(const rs_results *results, uint32_t subject);

#endif
