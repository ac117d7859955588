/* SPDX-License-Identifier: MIT */
/* What a run writes beside its JSON: the whole latency histogram, and a row a second. */
#ifndef RS_LOADGEN_OUTPUT_H
#define RS_LOADGEN_OUTPUT_H

#include <stddef.h>

#include "core/histogram.h"
#include "loadgen/loadgen_run.h"

/* rs_output_hdr: the percentile distribution as HdrHistogram prints it, in milliseconds, with one
 * row for each bucket that holds a value: its plotter takes it.
 *
 * Params   out: out_bytes bytes, NULL only with out_bytes 0.
 * Returns  the bytes it needs without the terminator (like snprintf); what fits is written, always
 *          terminated. */
size_t rs_output_hdr(const rs_histogram *histogram, char *out, size_t out_bytes);

/* rs_output_series: the run's rows as CSV with a head; what is not known is empty. As above. */
size_t rs_output_series(const rs_load_run *run, char *out, size_t out_bytes);

/* rs_output_check: can the files of --hdr and --series be written? As rs_record_check. */
int rs_output_check(const rs_load_settings *settings);

/* rs_output_write: both files, those that were asked for. *error filled: the first that failed. */
rs_status rs_output_write(const rs_load_run *run, rs_error *error);

#endif
