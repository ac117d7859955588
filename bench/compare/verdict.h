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
#define RS_VERDICT_PAIRS_MIN 5u /* of one clause: the interval of five has 93.75 % */
#define RS_VERDICT_CONTROL_WIDTH                                                                   \
    0.1 /* an interval of the control beyond 1 -+ this: too much noise */
#define RS_VERDICT_UNSETTLED_NAMED 4u

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
    bool is_quick;  /* --quick: it does not measure what the rule needs */
    uint32_t runs, voided, disturbed; /* of all that were made */
    uint32_t unfit_percent;           /* more runs than this disturbed or void: unfit */
    uint32_t repeats;                 /* for the command that would settle a clause */
    bool cpu_untested;                /* whether the CPU counters tell the truth was not tried */
    bool has_control;
    rs_interval control_rate, control_cpu; /* iocp_server against itself */
    char lacking[160]; /* scenarios of the rule that were not measured; "": none */
    const rs_verdict_cell *cell;
    uint32_t cells;
    double pool_growth_bytes; /* non-paged pool of the machine under rio_server; NAN: not known */
} rs_verdict_input;

typedef enum rs_verdict_kind {
    RS_VERDICT_CANNOT, /* the platform, or the data, cannot decide */
    RS_VERDICT_UNFIT,  /* too many runs were disturbed or void: the figures are no basis at all */
    RS_VERDICT_WORTH,
    RS_VERDICT_NOT_WORTH
} rs_verdict_kind;

typedef struct rs_verdict {
    rs_verdict_kind kind;
    char text[768]; /* one line: the decision and what it rests on, or what is missing for it */
} rs_verdict;

/* A clause of the rule: a bound, and an interval on one side of it, or not. */
typedef enum rs_clause {
    RS_CLAUSE_UNSETTLED, /* the interval holds the bound, or rests on too few pairs */
    RS_CLAUSE_BETTER,
    RS_CLAUSE_WORSE
} rs_clause;

/* rs_clause_at_least, rs_clause_at_most: BETTER when the whole interval keeps the bound, which
 * counts itself; WORSE when none of it does. */
rs_clause rs_clause_at_least(const rs_interval *ratio, double bound);
rs_clause rs_clause_at_most(const rs_interval *ratio, double bound);

/* rs_verdict_is_unfit: more than unfit_percent of the runs were disturbed or void. */
bool rs_verdict_is_unfit(uint32_t runs, uint32_t disturbed_or_void, uint32_t unfit_percent);

/* rs_verdict_control: what the control says of the comparison: BETTER: as it should be; WORSE: a
 * difference where there is none; UNSETTLED: an interval too wide, or too few pairs. */
rs_clause rs_verdict_control(const rs_interval *ratio);

/* rs_verdict_judge: applies the rule. Clauses are joined as in three-valued logic: a settled loss
 * decides whatever else is open; otherwise one open clause leaves all open, and the text names it
 * and the command that settles it. A gain in CPU time counts when the whole machine spends less as
 * well: on Windows much of a server's work is done in the system's threads and DPCs, which are in
 * no process's time. */
void rs_verdict_judge(const rs_verdict_input *input, rs_verdict *out);

#endif
