/* SPDX-License-Identifier: MIT */
/* What a back end brings to the conformance suite, and the suite's entry.
 *
 * An instance is one small main: a descriptor and a call of conf_main. The cases, the harness and
 * the runner are a library that knows no back end. */
#ifndef RS_CONFORMANCE_H
#define RS_CONFORMANCE_H

#include <stdint.h>

#include "seam/backend.h"

/* A case that this instance cannot run, and why. */
typedef struct conf_skip {
    const char *name;
    const char *reason;
} conf_skip;

typedef struct conf_instance {
    const char *name; /* "epoll", "sim", "iocp", "rio", ... */
    const rs_backend_api *api;

    /* Simulated back end: the network that both sides of a case live in (cfg.world). NULL for the
     * real ones. world_open never returns NULL; a fresh world per case. */
    void *(*world_open)(void);
    void (*world_close)(void *world);

    /* The clock that poll's timeouts run on; NULL = rs_os_now_ns. */
    uint64_t (*now_ns)(void *world);

    /* Called when both sides had nothing to report: a virtual clock moves on here. NULL = a real
     * clock, poll sleeps a moment instead. */
    void (*idle)(void *world);

    /* Last word on every configuration before open(), e.g. cfg->own. Nullable. */
    void (*prepare)(rs_backend_config *cfg);

    /* Changes cfg so that open() must say RS_E_RIO_UNAVAILABLE. NULL: there is no such state. */
    void (*make_unavailable)(rs_backend_config *cfg);

    uint32_t cycles;        /* connect/close cycles of the leak case; 0 = 2000 */
    const conf_skip *skips; /* [skip_count] */
    uint32_t skip_count;
    uint32_t skip_budget; /* more skips than this fail the run */
} conf_instance;

/* conf_main: runs every case (or --only NAME), or prints their names (--list). --once: the cases of
 * servers without their repetition with a logic thread, for further instances of a back end that
 * has run them: who runs the callbacks is above the seam. --seam: without the cases of servers, for
 * a back end that has run them over another kernel. Returns the exit code: 0 only when at least one
 * case ran, none failed, and each was run or skipped by name. */
int conf_main(const conf_instance *instance, int argc, char **argv);

#endif
