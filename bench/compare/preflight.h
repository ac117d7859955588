/* SPDX-License-Identifier: MIT */
/* The options of --set, shown to each server before the first run. */
#ifndef RS_COMPARE_PREFLIGHT_H
#define RS_COMPARE_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "compare/runner.h"

/* rs_preflight: starts the target with its extra options and --help behind them: a program of ours
 * ends with 2 and a line if it knows one of them not, or not with that value, else with 0. What
 * ends otherwise, or not within a minute, is taken: a program that is not ours need not know
 * --help.
 *
 * Params   runner: out and wine_script are set; why: the program's line, [bytes].
 * Returns  false: the options are refused. */
bool rs_preflight(const rs_runner *runner, const rs_target *target, char *why, size_t bytes);

#endif
