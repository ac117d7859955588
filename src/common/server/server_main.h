/* SPDX-License-Identifier: MIT */
/* The one main of all servers: options, the line that says it listens, statistics, the end.
 *
 * The servers differ in the back end that they pass and in nothing else. */
#ifndef RS_SERVER_SERVER_MAIN_H
#define RS_SERVER_SERVER_MAIN_H

#include "core/options.h"
#include "seam/backend.h"

/* rs_server_main: runs until Ctrl+C, the end of --duration, or a failure.
 *
 * Params   settings: the struct of the back end's own settings, to be filled; outlives the call.
 *          NULL for a back end that has none. others: the settings of other back ends, refused with
 *          their tables' texts; NULL behind the last.
 * Returns  the exit code: 0; 1 (could not start, or gave up on the way out); 2 (bad option). */
int rs_server_main(const char *program, const rs_backend_api *backend, void *settings,
                   const rs_option_table *const *others, int argc, const char *const *argv);

#endif
