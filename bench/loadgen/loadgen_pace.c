/* SPDX-License-Identifier: MIT */
/* One number, learnt from the sleeps themselves. */
#include "loadgen/loadgen_pace.h"

#include "core/assert.h"

void rs_pace_init(rs_pace *pace, uint64_t now_ns) {
    *pace = (rs_pace){.margin_ns = RS_PACE_MARGIN_START_NS, .decayed_ns = now_ns};
}

/* By time and not by sleep: at a high rate there are no sleeps to learn from. */
static void pace_decay(rs_pace *pace, uint64_t now_ns) {
    if (now_ns < pace->decayed_ns + RS_PACE_DECAY_NS) {
        return;
    }
    pace->decayed_ns = now_ns;
    pace->margin_ns -= pace->margin_ns / 16u;
    if (pace->margin_ns < RS_PACE_MARGIN_MIN_NS) {
        pace->margin_ns = RS_PACE_MARGIN_MIN_NS;
    }
}

uint64_t rs_pace_sleep_ns(rs_pace *pace, uint64_t now_ns, uint64_t due_ns) {
    RS_ASSERT(pace->margin_ns > 0);
    pace_decay(pace, now_ns);
    return due_ns > now_ns + pace->margin_ns ? due_ns - now_ns - pace->margin_ns : 0;
}

void rs_pace_woke(rs_pace *pace, uint64_t until_ns, uint64_t now_ns) {
    const uint64_t late_ns = now_ns > until_ns ? now_ns - until_ns : 0;
    const uint64_t wanted_ns = late_ns + late_ns / 4u;
    if (wanted_ns > pace->margin_ns) {
        pace->margin_ns = wanted_ns;
    }
    if (pace->margin_ns > RS_PACE_MARGIN_MAX_NS) {
        pace->margin_ns = RS_PACE_MARGIN_MAX_NS;
    }
}
