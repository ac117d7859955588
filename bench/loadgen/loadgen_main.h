/* SPDX-License-Identifier: MIT */
/* The load generator's main, given a back end; the two *_main_*.c files choose that. */
#ifndef RS_LOADGEN_MAIN_H
#define RS_LOADGEN_MAIN_H

#include <stdbool.h>

#include "seam/backend.h"

/* rs_loadgen_main: exit code 0 = every reply was right, 1 = void run or failure, 2 = usage.
 * on_terminal: stderr is one (progress auto). */
int rs_loadgen_main(const rs_backend_api *backend, bool on_terminal, int argc,
                    const char *const *argv);

#endif
