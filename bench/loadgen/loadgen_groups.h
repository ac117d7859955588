/* SPDX-License-Identifier: MIT */
/* Results by target and by connection, of a finished run. */
#ifndef RS_LOADGEN_GROUPS_H
#define RS_LOADGEN_GROUPS_H

#include <stddef.h>

#include "core/json.h"
#include "loadgen/loadgen_run.h"

/* rs_groups_print: with several targets a line for each, to run->out. */
void rs_groups_print(const rs_load_run *run);

/* rs_groups_json: "targets", an array; null where there is one only. */
void rs_groups_json(rs_json *json, const rs_load_run *run);

/* rs_groups_csv: --per-connection: a head and a row for each connection that sends. As snprintf:
 * returns the bytes it needs without the terminator. */
size_t rs_groups_csv(const rs_load_run *run, char *out, size_t out_bytes);

/* rs_groups_list: the same as a JSON array, an object a line. */
size_t rs_groups_list(const rs_load_run *run, char *out, size_t out_bytes);

/* rs_groups_silent: the first target at which nothing listens: all its connections were refused.
 * UINT32_MAX: none. */
uint32_t rs_groups_silent(const rs_load_run *run);

#endif
