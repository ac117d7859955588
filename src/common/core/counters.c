/* SPDX-License-Identifier: MIT */
/* Sums of counters, and the names of close reasons. */
#include "core/counters.h"

void rs_counters_add(rs_counters *into, const rs_counters *from) {
#define X(member, meaning) into->member += from->member;
    RS_COUNTER_TABLE(X)
#undef X
    for (unsigned reason = 0; reason < RS_CLOSE_REASONS; reason++) {
        into->closed[reason] += from->closed[reason];
    }
}

const char *rs_close_reason_text(rs_close_reason reason) {
    static const char *const text[] = {
#define X(name, number, label) [number] = label,
        RS_CLOSE_TABLE(X)
#undef X
    };
    return (unsigned)reason < RS_CLOSE_REASONS ? text[reason] : "?";
}
