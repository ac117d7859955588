/* SPDX-License-Identifier: MIT */
/* Reports of a run: whether it is valid, the table, the JSON. */
#ifndef RS_LOADGEN_REPORT_H
#define RS_LOADGEN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "loadgen/loadgen_run.h"

#define RS_REPORT_OWN_SHARE 0.95 /* of one processor, above which loadgen is the limit */
#define RS_REPORT_PACING_SHARE                                                                     \
    10u /* largest pacing error, as a fraction of the p50 latency: 1 /                             \
         */

/* rs_report_void: why the run is void, in one line; "" if it is valid. */
void rs_report_void(const rs_load_run *run, char *out, size_t bytes);

/* rs_report_overloaded: open loop: the rate stayed below --rate-min of the one asked for. */
bool rs_report_overloaded(const rs_load_run *run);

/* rs_report_paced_late: open loop: the p99 of loadgen's own pacing error is above a tenth of the
 * p50 latency it reports, which then is partly its own. */
bool rs_report_paced_late(const rs_load_run *run);

/* rs_report_latency: what the run's latency is: corrected in an open loop. */
const rs_histogram *rs_report_latency(const rs_load_run *run);

/* rs_report_percentile_ns: of that latency; with too few values for it, the maximum. */
uint64_t rs_report_percentile_ns(const rs_load_run *run, uint32_t percent_x1000);

/* rs_report_own_limit: loadgen itself was the limit: it used more than RS_REPORT_OWN_SHARE of a
 * processor for each of its threads, in a closed loop, or in an open one that missed its rate or
 * was paced late (an open loop polls between its sends, so alone that says nothing). */
bool rs_report_own_limit(const rs_load_run *run);

/* rs_report_print: the table, to run->out. */
void rs_report_print(const rs_load_run *run, const char *void_reason);

/* rs_report_write_json: to settings->json_path, which is replaced whole or stays as it was; NULL:
 * nothing is to be done. RS_E_OS, RS_E_NO_MEMORY. */
rs_status rs_report_write_json(const rs_load_run *run, const char *void_reason, rs_error *error);

#endif
