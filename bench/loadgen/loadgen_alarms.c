/* SPDX-License-Identifier: MIT */
/* A binary heap. */
#include "loadgen/loadgen_alarms.h"

#include <stddef.h>
#include <stdlib.h>

#include "core/assert.h"

bool rs_alarms_open(rs_alarms *alarms, uint32_t room) {
    *alarms = (rs_alarms){.heap = calloc(room, sizeof *alarms->heap), .room = room};
    return alarms->heap != NULL;
}

void rs_alarms_close(rs_alarms *alarms) {
    free(alarms->heap);
    *alarms = (rs_alarms){.heap = NULL};
}

void rs_alarms_set(rs_alarms *alarms, uint64_t at_ns, uint32_t who) {
    uint32_t at = alarms->count;
    RS_ASSERT(alarms->count < alarms->room);
    alarms->count++;
    for (; at > 0 && alarms->heap[(at - 1u) / 2u].at_ns > at_ns; at = (at - 1u) / 2u) {
        alarms->heap[at] = alarms->heap[(at - 1u) / 2u];
    }
    alarms->heap[at] = (rs_alarm){.at_ns = at_ns, .who = who};
}

/* Puts the last one where the first was, or below. */
static void alarms_sink(rs_alarms *alarms) {
    const uint32_t count = alarms->count;
    const rs_alarm last = alarms->heap[count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2u * at + 1u;
        child += child + 1u < count && alarms->heap[child + 1u].at_ns < alarms->heap[child].at_ns;
        if (child >= count || alarms->heap[child].at_ns >= last.at_ns) {
            break;
        }
        alarms->heap[at] = alarms->heap[child];
        at = child;
    }
    alarms->heap[at] = last;
}

bool rs_alarms_take(rs_alarms *alarms, uint64_t now_ns, uint32_t *who) {
    if (rs_alarms_next_ns(alarms) > now_ns || alarms->count == 0) {
        return false;
    }
    *who = alarms->heap[0].who;
    alarms->count--;
    alarms_sink(alarms);
    return true;
}

uint64_t rs_alarms_next_ns(const rs_alarms *alarms) {
    return alarms->count > 0 ? alarms->heap[0].at_ns : UINT64_MAX;
}
