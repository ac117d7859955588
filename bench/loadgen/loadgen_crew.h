/* SPDX-License-Identifier: MIT */
/* A load on one thread or several: each thread has a run of its own, with its own back end and its
 * share of the connections. They begin to send together, and their results become one. */
#ifndef RS_LOADGEN_CREW_H
#define RS_LOADGEN_CREW_H

#include "loadgen/loadgen_run.h"

/* rs_crew_load: the whole load of settings, settings->threads of it. run, zeroed but for out, err,
 * progress and stop, is the first thread's, on the calling one, and has the results of all: still
 * open, whatever is returned, with settings as its own. RS_OK, or as rs_load_run_open or
 * rs_os_thread_start, with *error filled. */
rs_status rs_crew_load(rs_load_run *run, const rs_load_settings *settings,
                       const rs_backend_api *api, rs_error *error);

#endif
