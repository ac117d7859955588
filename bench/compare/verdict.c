/* SPDX-License-Identifier: MIT */
/* Changing a threshold or a word of the rule is a decision: docs/decisions.md. */
#include "compare/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/assert.h"

const char rs_verdict_rule[] =
    "RIO is worth it when, in at least one scenario with 256 connections or more, rio_server moves "
    "at least 15 % more messages a second than iocp_server or takes at least 30 % less CPU time "
    "per message, and the whole machine takes less too; and it is nowhere more than 5 % worse "
    "(rate, CPU time per message of its own or of the whole machine, p99 at a fixed rate); and the "
    "machine's non-paged pool grows by at most 64 MiB. Each figure is the median of paired runs "
    "that nobody disturbed, and counts only when its 95 % interval does not hold 1.";

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

static bool verdict_is_rate_gain(const rs_verdict_cell *cell) {
    return !cell->fixed_rate && rs_stats_is_difference(&cell->rate) &&
           cell->rate.middle >= RS_VERDICT_RATE_GAIN;
}

static bool verdict_is_cpu_gain(const rs_verdict_cell *cell) {
    return rs_stats_is_difference(&cell->cpu) && cell->cpu.middle <= RS_VERDICT_CPU_GAIN;
}

static bool verdict_machine_agrees(const rs_verdict_cell *cell) {
    return rs_stats_is_difference(&cell->machine) && cell->machine.middle < 1;
}

static bool verdict_may_gain(const rs_verdict_cell *cell) {
    return cell->may_gain && cell->connections >= RS_VERDICT_CONNECTIONS_MIN;
}

static bool verdict_is_gain(const rs_verdict_cell *cell) {
    return verdict_may_gain(cell) && (verdict_is_rate_gain(cell) ||
                                      (verdict_is_cpu_gain(cell) && verdict_machine_agrees(cell)));
}

/* What a cell loses in, or NULL. */
static const char *verdict_loss(const rs_verdict_cell *cell, const rs_interval **ratio) {
    *ratio = &cell->rate;
    if (!cell->fixed_rate && rs_stats_is_difference(&cell->rate) &&
        cell->rate.middle < RS_VERDICT_RATE_LOSS) {
        return "rate";
    }
    *ratio = &cell->cpu;
    if (rs_stats_is_difference(&cell->cpu) && cell->cpu.middle > RS_VERDICT_COST_LOSS) {
        return "CPU per message";
    }
    *ratio = &cell->machine;
    if (rs_stats_is_difference(&cell->machine) && cell->machine.middle > RS_VERDICT_COST_LOSS) {
        return "whole machine's CPU per message";
    }
    *ratio = &cell->p99;
    if (cell->fixed_rate && rs_stats_is_difference(&cell->p99) &&
        cell->p99.middle > RS_VERDICT_COST_LOSS) {
        return "p99";
    }
    return NULL;
}

/* True: nothing can be decided, and *out says why. */
static bool verdict_cannot(const rs_verdict_input *input, rs_verdict *out) {
    if (input->platform == RS_PLATFORM_WINE) {
        verdict_say(
            out, RS_VERDICT_CANNOT,
            "Wine cannot decide whether RIO is worth it on Windows: these figures are about "
            "Wine and not Windows.%s",
            input->has_floor ? " Each server is set against the native floor instead." : "");
    } else if (input->is_survey) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: trade-offs and the ladder answer other questions. compare "
                    "without --tradeoffs and --ladder decides.");
    } else if (input->platform == RS_PLATFORM_LINUX || !input->has_pair) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: it needs iocp_server and rio_server measured on Windows.");
    } else if (input->voided > 0) {
        verdict_say(out, RS_VERDICT_CANNOT, "No decision: %u run%s void.", input->voided,
                    input->voided == 1 ? " was" : "s were");
    } else if (input->disturbed != NULL) {
        verdict_say(
            out, RS_VERDICT_CANNOT,
            "No decision: other programs disturbed the runs of %s; fewer than %u pairs were "
            "left alone.",
            input->disturbed, RS_STATS_PAIRS_MIN);
    } else if (input->cpu_untested) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: whether this machine can tell CPU time was not tested.");
    } else {
        return false;
    }
    return true;
}

static const rs_verdict_cell *verdict_find_wide(const rs_verdict_input *input) {
    for (uint32_t i = 0; i < input->cells; i++) {
        const rs_verdict_cell *cell = &input->cell[i];
        if (verdict_may_gain(cell) && cell->rate.count > 0) {
            return cell;
        }
    }
    return NULL;
}

/* CPU time that no counter could tell may be the gain, and may be the loss. */
static bool verdict_lacks_cpu(const rs_verdict_input *input) {
    for (uint32_t i = 0; i < input->cells; i++) {
        if (input->cell[i].cpu.count == 0) {
            return true;
        }
    }
    return false;
}

/* No gain so far; but one would be there if the machine's part of it were known. */
static bool verdict_lacks_machine(const rs_verdict_input *input) {
    for (uint32_t i = 0; i < input->cells; i++) {
        const rs_verdict_cell *cell = &input->cell[i];
        if (verdict_may_gain(cell) && verdict_is_cpu_gain(cell) && cell->machine.count == 0) {
            return true;
        }
    }
    return false;
}

static void verdict_gain(const rs_verdict_input *input, rs_verdict *out) {
    for (uint32_t i = 0; i < input->cells; i++) {
        const rs_verdict_cell *cell = &input->cell[i];
        if (verdict_is_gain(cell)) {
            verdict_say(out, RS_VERDICT_WORTH,
                        "RIO is worth it on this machine: in %s its rate is %.2f times and its CPU "
                        "time per message %.2f times that of IOCP, with no loss above 5 %%.",
                        cell->scenario, cell->rate.middle, cell->cpu.middle);
            return;
        }
    }
    if (verdict_lacks_machine(input)) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: rio_server's own CPU time per message is lower, but this machine "
                    "cannot tell the whole machine's.");
        return;
    }
    verdict_say(out, RS_VERDICT_NOT_WORTH,
                "RIO is not worth it on this machine: at 256 connections or more it gains neither "
                "15 %% in rate nor 30 %% in CPU time per message.");
}

void rs_verdict_judge(const rs_verdict_input *input, rs_verdict *out) {
    RS_ASSERT(input->cells == 0 || input->cell != NULL);
    if (verdict_cannot(input, out)) {
        return;
    }
    for (uint32_t i = 0; i < input->cells; i++) {
        const rs_interval *ratio;
        const char *what = verdict_loss(&input->cell[i], &ratio);
        if (what != NULL) {
            verdict_say(out, RS_VERDICT_NOT_WORTH,
                        "RIO is not worth it on this machine: in %s its %s is %.2f times that of "
                        "IOCP.",
                        input->cell[i].scenario, what, ratio->middle);
            return;
        }
    }
    if (verdict_find_wide(input) == NULL) {
        verdict_say(out, RS_VERDICT_CANNOT,
                    "No decision: no scenario with 256 connections or more was measured.");
    } else if (verdict_lacks_cpu(input)) {
        verdict_say(out, RS_VERDICT_CANNOT, "No decision: this machine cannot tell CPU time.");
    } else if (input->pool_growth_bytes > RS_VERDICT_POOL_MAX_BYTES) {
        verdict_say(out, RS_VERDICT_NOT_WORTH,
                    "RIO is not worth it on this machine: the non-paged pool grew by %.0f MiB.",
                    input->pool_growth_bytes / (1024 * 1024));
    } else {
        verdict_gain(input, out);
        if (out->kind == RS_VERDICT_WORTH && !rs_is_known(input->pool_growth_bytes)) {
            verdict_say(out, RS_VERDICT_CANNOT,
                        "No decision: the growth of the non-paged pool is not known.");
        }
    }
}
