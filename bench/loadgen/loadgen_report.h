/* What a run says about itself: is it valid, the table for a person, the JSON for programs. */
#ifndef RS_LOADGEN_REPORT_H
#define RS_LOADGEN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "loadgen/loadgen_run.h"

/* rs_report_void: why the run must not be used, in one line; "" when it may. */
void rs_report_void(const rs_run *run, char *out, size_t bytes);

/* rs_report_print: the table, to stdout. */
void rs_report_print(const rs_run *run, const char *void_reason);

/* rs_report_write_json: to settings->json_path. false: the file could not be written. */
bool rs_report_write_json(const rs_run *run, const char *void_reason);

#endif
