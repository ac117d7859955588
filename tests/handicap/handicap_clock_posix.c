/* SPDX-License-Identifier: MIT */
/* See handicap_clock.h. */
#include "handicap/handicap_clock.h"

#include <time.h>

uint64_t handicap_used(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
