/* SPDX-License-Identifier: MIT */
/* Changing a threshold or a word of the rule is a decision: docs/decisions.md. */
#include "compare/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

const char rs_verdict_rule[] =
    "RIO is worth it when, in at least one scenario with 256 connections or more, rio_server moves "
    "at least 15 % more messages a second than iocp_server or takes at least 30 % less CPU time "
    "per message, and the whole machine takes less too; and it is in no scenario of --full more "
    "than 5 % worse (rate, CPU time per message of its own or of the whole machine, p99 at a fixed "
    "rate); and the machine's non-paged pool grows by at most 64 MiB. Each figure is the median of "
    "at least five paired runs that nobody disturbed. A clause is settled when its interval (95 %; "
    "93.75 % of five pairs) lies wholly on one side of its bound; one that is not leaves the "
    "decision open, unless a settled loss decides alone. There is no decision when the control, "
    "iocp_server against itself, shows a difference or an interval beyond 0.90 to 1.10, when a run "
    "was void, or when too many runs were disturbed.";

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
verdict_say(rs_verdict *out, rs_verdict_kind kind, const char *format, ...) {
    va_list list;
    va_start(list, format);
    out->kind = kind;
    (void)vsnprintf(out->text, sizeof out->text, format, list);
    va_end(list);
}

/* ---- clauses */

rs_clause rs_clause_at_least(const rs_interval *ratio, double bound) {
    if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        return RS_CLAUSE_UNSETTLED;
    }
    return ratio->low >= bound   ? RS_CLAUSE_BETTER
           : ratio->high < bound ? RS_CLAUSE_WORSE
                                 : RS_CLAUSE_UNSETTLED;
}

rs_clause rs_clause_at_most(const rs_interval *ratio, double bound) {
    if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        return RS_CLAUSE_UNSETTLED;
    }
    return ratio->high <= bound ? RS_CLAUSE_BETTER
           : ratio->low > bound ? RS_CLAUSE_WORSE
                                : RS_CLAUSE_UNSETTLED;
}

static rs_clause clause_or(rs_clause a, rs_clause b) {
    if (a == RS_CLAUSE_BETTER || b == RS_CLAUSE_BETTER) {
        return RS_CLAUSE_BETTER;
    }
    return a == RS_CLAUSE_WORSE && b == RS_CLAUSE_WORSE ? RS_CLAUSE_WORSE : RS_CLAUSE_UNSETTLED;
}

static rs_clause clause_and(rs_clause a, rs_clause b) {
    if (a == RS_CLAUSE_WORSE || b == RS_CLAUSE_WORSE) {
        return RS_CLAUSE_WORSE;
    }
    return a == RS_CLAUSE_BETTER && b == RS_CLAUSE_BETTER ? RS_CLAUSE_BETTER : RS_CLAUSE_UNSETTLED;
}

bool rs_verdict_is_unfit(uint32_t runs, uint32_t disturbed_or_void, uint32_t unfit_percent) {
    return disturbed_or_void * 100.0 > (double)unfit_percent * runs;
}

rs_clause rs_verdict_control(const rs_interval *ratio) {
    if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        return RS_CLAUSE_UNSETTLED;
    }
    if (rs_stats_is_difference(ratio)) {
        return RS_CLAUSE_WORSE;
    }
    return ratio->low >= 1 - RS_VERDICT_CONTROL_WIDTH && ratio->high <= 1 + RS_VERDICT_CONTROL_WIDTH
               ? RS_CLAUSE_BETTER
               : RS_CLAUSE_UNSETTLED;
}

/* ---- gains */

static bool verdict_may_gain(const rs_verdict_cell *cell) {
    return cell->may_gain && cell->connections >= RS_VERDICT_CONNECTIONS_MIN;
}

/* The cell makes RIO worth it by itself, or does not. */
static rs_clause verdict_gain(const rs_verdict_cell *cell) {
    const rs_clause cpu = clause_and(rs_clause_at_most(&cell->cpu, RS_VERDICT_CPU_GAIN),
                                     rs_clause_at_most(&cell->machine, 1));
    return cell->fixed_rate ? cpu
                            : clause_or(rs_clause_at_least(&cell->rate, RS_VERDICT_RATE_GAIN), cpu);
}

/* ---- losses: all figures of all cells, in turn */

typedef struct verdict_figure {
    const char *scenario, *what;
    rs_interval ratio;
    rs_clause clause; /* no more than 5 % worse */
} verdict_figure;

#define VERDICT_FIGURES 3u /* of each cell */

static verdict_figure verdict_figure_at(const rs_verdict_cell *cell, uint32_t index) {
    verdict_figure figure = {.scenario = cell->scenario};
    switch (index) {
    case 0:
        figure.what = cell->fixed_rate ? "p99" : "rate";
        figure.ratio = cell->fixed_rate ? cell->p99 : cell->rate;
        break;
    case 1:
        figure.what = "CPU per message";
        figure.ratio = cell->cpu;
        break;
    default:
        figure.what = "whole machine's CPU per message";
        figure.ratio = cell->machine;
        break;
    }
    figure.clause = index == 0 && !cell->fixed_rate
                        ? rs_clause_at_least(&figure.ratio, RS_VERDICT_RATE_LOSS)
                        : rs_clause_at_most(&figure.ratio, RS_VERDICT_COST_LOSS);
    return figure;
}

/* The first figure that is settled as a loss. */
static bool verdict_find_loss(const rs_verdict_input *input, verdict_figure *out) {
    for (uint32_t i = 0; i < input->cells * VERDICT_FIGURES; i++) {
        *out = verdict_figure_at(&input->cell[i / VERDICT_FIGURES], i % VERDICT_FIGURES);
        if (out->clause == RS_CLAUSE_WORSE) {
            return true;
        }
    }
    return false;
}

/* ---- what is open */

typedef struct verdict_open {
    char text[480];
    size_t used;
    uint32_t count;
    bool more_runs; /* would settle one of them */
} verdict_open;

static void open_add(verdict_open *open, const char *scenario, const char *what,
                     const rs_interval *ratio) {
    char why[64];
    open->more_runs = open->more_runs || ratio->count > 0;
    if (open->count++ >= RS_VERDICT_UNSETTLED_NAMED) {
        return;
    }
    if (ratio->count == 0) {
        (void)snprintf(why, sizeof why, "not known");
    } else if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        (void)snprintf(why, sizeof why, "%u undisturbed pairs", ratio->count);
    } else {
        (void)snprintf(why, sizeof why, "%.2f to %.2f", ratio->low, ratio->high);
    }
    const int bytes =
        snprintf(open->text + open->used, sizeof open->text - open->used, "%s%s in %.20s (%s)",
                 open->used > 0 ? ", " : "", what, scenario, why);
    open->used += (size_t)bytes;
    RS_ASSERT(open->used < sizeof open->text);
}

static void open_collect(const rs_verdict_input *input, rs_clause gain, verdict_open *open) {
    for (uint32_t i = 0; i < input->cells && gain == RS_CLAUSE_UNSETTLED; i++) {
        const rs_verdict_cell *cell = &input->cell[i];
        if (verdict_may_gain(cell) && verdict_gain(cell) == RS_CLAUSE_UNSETTLED) {
            open_add(open, cell->scenario, "a gain", &cell->rate);
        }
    }
    for (uint32_t i = 0; i < input->cells * VERDICT_FIGURES; i++) {
        const verdict_figure figure =
            verdict_figure_at(&input->cell[i / VERDICT_FIGURES], i % VERDICT_FIGURES);
        if (figure.clause == RS_CLAUSE_UNSETTLED) {
            open_add(open, figure.scenario, figure.what, &figure.ratio);
        }
    }
}

static void verdict_say_open(const rs_verdict_input *input, const verdict_open *open,
                             rs_verdict *out) {
    char more[32] = "", command[64] = "";
    const uint32_t twice = input->repeats * 2;
    if (open->count > RS_VERDICT_UNSETTLED_NAMED) {
        (void)snprintf(more, sizeof more, " and %u more", open->count - RS_VERDICT_UNSETTLED_NAMED);
    }
    if (open->more_runs) {
        (void)snprintf(command, sizeof command, " More runs settle it: compare --full --repeat %u.",
                       twice < 10    ? 10u
                       : twice > 100 ? 100u
                                     : twice);
    }
    verdict_say(out, RS_VERDICT_CANNOT, "No decision. Not settled: %s%s.%s", open->text, more,
                command);
}

/* ---- the rule */

static void verdict_say_control(const rs_verdict_input *input, rs_verdict *out) {
    const bool rate = rs_verdict_control(&input->control_rate) != RS_CLAUSE_BETTER;
    const rs_interval *ratio = rate ? &input->control_rate : &input->control_cpu;
    const char *what = rate ? "rate" : "CPU per message";
    if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: of the control's %s there are %u undisturbed pairs, and %u are "
                    "needed: compare --full on a machine that does nothing else.",
                    what, ratio->count, RS_VERDICT_PAIRS_MIN);
    } else if (rs_stats_is_difference(ratio)) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: a server differs from itself here: the control's %s is %.2f "
                    "(%.2f to %.2f). Run compare --full again; if it remains, something on this "
                    "machine favours one run over the next.",
                    what, ratio->middle, ratio->low, ratio->high);
    } else {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: the control's %s is %.2f to %.2f, so this comparison cannot tell "
                    "10 %% from nothing: compare --full --repeat %u, or a quieter machine.",
                    what, ratio->low, ratio->high,
                    input->repeats * 2 > 100 ? 100 : input->repeats * 2);
    }
}

/* True: the platform or the kind of comparison cannot decide, and *out says why. */
static bool verdict_is_other(const rs_verdict_input *input, rs_verdict *out) {
    if (input->platform == RS_PLATFORM_WINE) {
        verdict_say(
            out, RS_VERDICT_CANNOT,
            "Wine cannot decide whether RIO is worth it on Windows: these figures are about "
            "Wine and not Windows.%s",
            input->has_floor ? " Each server is set against the native floor instead." : "");
    } else if (input->is_survey) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: --tradeoffs, --ladder, --map and --calibrate answer other "
                    "questions. compare --full decides.");
    } else if (input->platform == RS_PLATFORM_LINUX || !input->has_pair) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: it needs iocp_server and rio_server measured on Windows.");
    } else {
        return false;
    }
    return true;
}

static bool verdict_has_wide(const rs_verdict_input *input) {
    for (uint32_t i = 0; i < input->cells; i++) {
        if (verdict_may_gain(&input->cell[i])) {
            return true;
        }
    }
    return false;
}

/* True: nothing can be decided from these runs, and *out says why. */
static bool verdict_cannot(const rs_verdict_input *input, rs_verdict *out) {
    if (input->voided > 0) {
        verdict_say(out, RS_VERDICT_CANNOT, "No decision: %u run%s void.", input->voided,
                    input->voided == 1 ? " was" : "s were");
    } else if (input->cpu_untested) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: whether this machine can tell CPU time was not tested: compare "
                    "--full without --no-instrument-test.");
    } else if (input->lacking[0] != '\0') {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "%s: the rule needs %s, which %s not measured. compare --full measures it.",
                    input->is_quick ? "Not judged by --quick" : "No decision", input->lacking,
                    strchr(input->lacking, ',') != NULL ? "were" : "was");
    } else if (!verdict_has_wide(input)) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: no scenario with 256 connections or more was measured.");
    } else if (!input->has_control) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: there was no control: compare --full without --no-control.");
    } else if (rs_verdict_control(&input->control_rate) != RS_CLAUSE_BETTER ||
               rs_verdict_control(&input->control_cpu) != RS_CLAUSE_BETTER) {
        verdict_say_control(input, out);
    } else {
        return false;
    }
    return true;
}

/* Any wide cell will do. */
static rs_clause verdict_any_gain(const rs_verdict_input *input, const rs_verdict_cell **which) {
    rs_clause gain = RS_CLAUSE_WORSE;
    for (uint32_t i = 0; i < input->cells; i++) {
        if (verdict_may_gain(&input->cell[i])) {
            const rs_clause one = verdict_gain(&input->cell[i]);
            *which = one == RS_CLAUSE_BETTER && *which == NULL ? &input->cell[i] : *which;
            gain = clause_or(gain, one);
        }
    }
    return gain;
}

static void verdict_rule(const rs_verdict_input *input, rs_verdict *out) {
    const rs_verdict_cell *which = NULL;
    const rs_clause gain = verdict_any_gain(input, &which);
    verdict_figure loss;
    verdict_open open = {.used = 0};
    if (verdict_find_loss(input, &loss)) {
        verdict_say(out, RS_VERDICT_NOT_WORTH,
                    "RIO is not worth it on this machine: in %s its %s is %.2f times that of IOCP "
                    "(%.2f to %.2f).",
                    loss.scenario, loss.what, loss.ratio.middle, loss.ratio.low, loss.ratio.high);
        return;
    }
    if (input->pool_growth_bytes > RS_VERDICT_POOL_MAX_BYTES) {
        verdict_say(out, RS_VERDICT_NOT_WORTH,
                    "RIO is not worth it on this machine: the non-paged pool grew by %.0f MiB.",
                    input->pool_growth_bytes / (1024 * 1024));
        return;
    }
    if (gain == RS_CLAUSE_WORSE) {
        verdict_say(out, RS_VERDICT_NOT_WORTH,
                    "RIO is not worth it on this machine: at 256 connections or more it gains "
                    "neither 15 %% in rate nor 30 %% in CPU time per message.");
        return;
    }
    open_collect(input, gain, &open);
    if (open.count > 0) {
        verdict_say_open(input, &open, out);
    } else if (!rs_is_known(input->pool_growth_bytes)) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: the growth of the non-paged pool is not known.");
    } else {
        RS_ASSERT(which != NULL);
        verdict_say(out, RS_VERDICT_WORTH,
                    "RIO is worth it on this machine: in %s its rate is %.2f times and its CPU "
                    "time per message %.2f times that of IOCP, with no loss above 5 %%.",
                    which->scenario, which->rate.middle, which->cpu.middle);
    }
}

void rs_verdict_judge(const rs_verdict_input *input, rs_verdict *out) {
    RS_ASSERT(input->cells == 0 || input->cell != NULL);
    if (rs_verdict_is_unfit(input->runs, input->disturbed + input->voided, input->unfit_percent)) {
        verdict_say(out, RS_VERDICT_UNFIT,
                    "Unfit: %u of %u runs were disturbed by other programs and %u were void, more "
                    "than %u %%: no decision, and no figure here is to be relied on. End other "
                    "programs and repeat it.",
                    input->disturbed, input->runs, input->voided, input->unfit_percent);
    } else if (!verdict_is_other(input, out) && !verdict_cannot(input, out)) {
        verdict_rule(input, out);
    }
}
