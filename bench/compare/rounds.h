/* SPDX-License-Identifier: MIT */
/* Rounds beyond those of --repeat: which pairs still need them (--width).
 *
 * Pure. Main thread, since it reads results that grow. */
#ifndef RS_COMPARE_ROUNDS_H
#define RS_COMPARE_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/result.h"

#define RS_ROUNDS_MOST 3u /* times --repeat, at most RS_REPEATS_MAX: ours */

/* rs_rounds_extra: how many may follow so many rounds. */
uint32_t rs_rounds_extra(uint32_t repeats);

/* rs_rounds_want: more[scenarios][subjects]: this subject's ratio of rate or of CPU time to what it
 * is set against is wide (rs_stats_is_wide) over the undisturbed pairs so far, or a ratio to this
 * subject is. A search for a capacity, which takes as long as ten other runs, is left as it is.
 * width: share of the ratio, above 0. */
void rs_rounds_want(const rs_results *results, double width, bool *more);

#endif
