/* SPDX-License-Identifier: MIT */
/* What stands above the figures: the machine, the placement, the method, the counters of CPU time.
 *
 * Looks at the machine and tries its counters (clocks.h), so it tells the runner too which
 * processors and counters to use. Main thread, before the first run. */
#ifndef RS_COMPARE_BANNER_H
#define RS_COMPARE_BANNER_H

#include "compare/runner.h"
#include "compare/settings.h"

/* rs_banner_make: fills results->platform, ->banner and ->clock, and the runner's placement and
 * counters. results->subject is set. Takes about 1.5 s with the test of the counters. */
void rs_banner_make(rs_results *results, rs_runner *runner, const rs_compare_settings *settings);

#endif
