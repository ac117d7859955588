/* SPDX-License-Identifier: MIT */
/* The two ways to end a process that cannot continue. */
#include "core/assert.h"

#include <stdio.h>
#include <stdlib.h>

void rs_assert_failed(const char *file, int line, const char *condition) {
    (void)fprintf(stderr, "ringside: %s:%d: assertion failed: %s\n", file, line, condition);
    (void)fflush(stderr);
#if defined(_UCRT) || defined(_MSC_VER)
    /* Else the universal run-time reports a fault to Windows, which may take seconds, and the
     * process ends with 0xC0000409; older run-times do neither. */
    (void)_set_abort_behavior(0, _WRITE_ABORT_MSG | _CALL_REPORTFAULT);
#endif
    abort();
}

void rs_fatal(const char *call, unsigned long os_error, const char *why) {
    (void)fprintf(stderr, "ringside: fatal: %s: %s (error %lu)\n", call, why, os_error);
    (void)fflush(stderr);
    _Exit(RS_EXIT_FATAL);
}
