/* SPDX-License-Identifier: MIT */
/* See handicap_clock.h. */
#include "handicap/handicap_clock.h"

#include "win/win.h"

uint64_t handicap_used(void) {
    ULONG64 cycles = 0;
    return QueryThreadCycleTime(GetCurrentThread(), &cycles) ? cycles : 0;
}
