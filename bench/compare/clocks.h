/* SPDX-License-Identifier: MIT */
/* Which counters this comparison reads CPU time from: the best of those that pass the test of
 * instrument.h on this machine, now. Main thread, before the first run. */
#ifndef RS_COMPARE_CLOCKS_H
#define RS_COMPARE_CLOCKS_H

#include <stdbool.h>

#include "compare/result.h"

/* rs_clocks_choose: fills results->clock and tells which of process.h's counters to read.
 *
 * Params   test: false takes the first counter of each kind that says anything at all.
 * Takes    about 1.5 s with the test. */
void rs_clocks_choose(rs_results *results, bool test);

/* rs_clocks_used: which counter of a kind is read; -1: none is fit for it. */
int rs_clocks_used(const rs_results *results, rs_clock_kind kind);

/* rs_clocks_text: "schedstat (0.3 % off at 5 % load); not /proc/PID/stat (21 % off at 5 % load)".
 */
void rs_clocks_text(const rs_results *results, rs_clock_kind kind, char *out, size_t bytes);

#endif
