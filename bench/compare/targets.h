/* SPDX-License-Identifier: MIT */
/* Which programs are measured: the command line's, or the list that its kind of comparison has.
 *
 * Fills the targets (how to start each) and, at the same index, the subjects of the results (what
 * is shown of each). Main thread, before the first run. */
#ifndef RS_COMPARE_TARGETS_H
#define RS_COMPARE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "compare/result.h"
#include "compare/runner.h"
#include "compare/settings.h"

#if defined(_WIN32)
#define RS_TARGETS_WINDOWS true
#define RS_TARGETS_SUFFIX ".exe"
#else
#define RS_TARGETS_WINDOWS false
#define RS_TARGETS_SUFFIX ""
#endif

/* rs_targets_join: the absolute path of folder/rest; false: there is no such file. */
bool rs_targets_join(char out[RS_ARG_BYTES], const char *folder, const char *rest);

/* rs_targets_find: fills target[0..results->subjects) and the subjects. A program that was not
 * built is left out of a list of ours with a line on stderr, and an error where it was named.
 *
 * Params   target: [RS_SERVERS_MAX], zeroed; folder: where compare lies; results->kind is set.
 * Returns  0, or the program's exit code; why: the error line, [bytes]. */
int rs_targets_find(rs_target *target, rs_results *results, const rs_compare_settings *settings,
                    const char *folder, char *why, size_t bytes);

#endif
