/* The two ends of a process that cannot go on. */
#include "core/assert.h"

#include <stdio.h>
#include <stdlib.h>

void rs_assert_failed(const char *file, int line, const char *condition) {
    (void)fprintf(stderr, "ringside: %s:%d: assertion failed: %s\n", file, line, condition);
    (void)fflush(stderr);
    abort();
}

void rs_fatal(const char *call, unsigned long os_error, const char *why) {
    (void)fprintf(stderr, "ringside: fatal: %s: %s (error %lu)\n", call, why, os_error);
    (void)fflush(stderr);
    _Exit(RS_EXIT_FATAL);
}
