/* SPDX-License-Identifier: MIT */
/* The decision, by a rule that was fixed before anything was measured.
 *
 * Pure. It speaks on real Windows alone: under Wine much of a server's cost is the process
 * wineserver, so there the answer is that this platform cannot decide. */
#ifndef RS_COMPARE_VERDICT_H
#define RS_COMPARE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/stats.h"

#define RS_VERDICT_CONNECTIONS_MIN 256u
#define RS_VERDICT_RATE_GAIN 1.15
#define RS_VERDICT_CPU_GAIN 0.70
#define RS_VERDICT_RATE_LOSS 0.95
#define RS_VERDICT_COST_LOSS 1.05 /* CPU per message, and p99 at a fixed rate */
#define RS_VERDICT_POOL_MAX_BYTES (64.0 * 1024 * 1024)

/* The rule's own words, printed with every decision. */
extern const char rs_verdict_rule[];

typedef enum rs_platform {
    RS_PLATFORM_WINDOWS,
    RS_PLATFORM_WINE, /* Linux with Windows servers under Wine, or compare.exe itself under it */
    RS_PLATFORM_LINUX /* native servers alone */
} rs_platform;

/* One scenario: RIO over IOCP, paired. */
typedef struct rs_verdict_cell {
    const char *scenario;
    uint32_t connections;
    bool may_gain;   /* its rate is in messages: it may be the one that makes RIO worth it */
    bool fixed_rate; /* the rate is given: p99 takes its place */
    rs_interval rate, cpu, p99;
    rs_interval machine; /* CPU time per message of the whole machine */
} rs_verdict_cell;

typedef struct rs_verdict_input {
    rs_platform platform;
    bool has_pair;  /* iocp_server and rio_server were both measured */
    bool has_floor; /* a native server was measured beside those under Wine */
    bool is_survey; /* trade-offs or the ladder: other questions, which decide nothing */
    uint32_t voided;
    const char *disturbed; /* a scenario with too few pairs that nobody disturbed, or NULL */
    bool cpu_untested;     /* whether the CPU counters tell the truth was not tried */
    const rs_verdict_cell *cell;
    uint32_t cells;
    double pool_growth_bytes; /* non-paged pool of the machine under rio_server; NAN: not known */
} rs_verdict_input;

typedef enum rs_verdict_kind {
    RS_VERDICT_CANNOT, /* the platform, or the data, cannot decide */
    RS_VERDICT_WORTH,
    RS_VERDICT_NOT_WORTH
} rs_verdict_kind;

typedef struct rs_verdict {
    rs_verdict_kind kind;
    char text[512]; /* one line: the decision and what it rests on */
} rs_verdict;

/* rs_verdict_judge: applies the rule. Thresholds themselves count: exactly 15 % is a gain, exactly
 * 5 % is no loss. A gain or a loss counts when its interval does not hold 1. A gain in CPU time
 * counts when the whole machine spends less as well: on Windows much of a server's work is done in
 * the system's threads and DPCs, which are in no process's time. */
void rs_verdict_judge(const rs_verdict_input *input, rs_verdict *out);

#endif
