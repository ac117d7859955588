/* SPDX-License-Identifier: MIT */
/* See the header: everything follows from the index. */
#include "compare/schedule.h"

#include <math.h>

#include "compare/stats.h"
#include "core/assert.h"

#define BISECT_BACK 0.9 /* of a rate that did not hold again */

uint32_t rs_schedule_count(const rs_schedule *schedule) {
    return schedule->servers +
           schedule->servers * schedule->repeats * (schedule->early + schedule->late);
}

/* Run `index` of a block of `scenarios` scenarios: rounds outermost, servers innermost. */
static rs_turn schedule_block(const rs_schedule *schedule, uint32_t index, uint32_t scenarios) {
    const uint32_t round = scenarios * schedule->servers;
    const uint32_t place = index % schedule->servers;
    rs_turn turn = {
        .repeat = index / round, .scenario = index % round / schedule->servers, .server = place};
    if (turn.repeat % 2 != 0) {
        turn.server = schedule->servers - 1 - place;
    }
    return turn;
}

rs_turn rs_schedule_turn(const rs_schedule *schedule, uint32_t index) {
    const uint32_t early_runs = schedule->servers * schedule->repeats * schedule->early;
    RS_ASSERT(index < rs_schedule_count(schedule));
    if (index < schedule->servers) {
        return (rs_turn){.server = index, .warmup = true};
    }
    index -= schedule->servers;
    if (index < early_runs) {
        return schedule_block(schedule, index, schedule->early);
    }
    rs_turn turn = schedule_block(schedule, index - early_runs, schedule->late);
    turn.scenario += schedule->early;
    RS_ASSERT(turn.repeat < schedule->repeats);
    return turn;
}

bool rs_schedule_skips(const rs_schedule *schedule, const rs_turn *turn) {
    return !turn->warmup && schedule->skip != NULL &&
           schedule->skip[turn->scenario * schedule->servers + turn->server];
}

uint32_t rs_schedule_taken(const rs_schedule *schedule, uint32_t index) {
    uint32_t taken = 0;
    RS_ASSERT(index <= rs_schedule_count(schedule));
    for (uint32_t i = 0; i < index; i++) {
        const rs_turn turn = rs_schedule_turn(schedule, i);
        taken += rs_schedule_skips(schedule, &turn) ? 0 : 1;
    }
    return taken;
}

double rs_schedule_left_s(const rs_schedule *schedule, uint32_t index, const double *cost_s,
                          const double *scenario_factor) {
    double left = 0;
    for (; index < rs_schedule_count(schedule); index++) {
        const rs_turn turn = rs_schedule_turn(schedule, index);
        if (!rs_schedule_skips(schedule, &turn)) {
            left += cost_s[turn.server] * scenario_factor[turn.scenario];
        }
    }
    return left;
}

void rs_bisect_init(rs_bisect *bisect, double start, uint32_t steps) {
    RS_ASSERT(start > 0);
    RS_ASSERT(steps > 0);
    *bisect = (rs_bisect){.good = 0,
                          .bad = INFINITY,
                          .next = start,
                          .steps_left = steps,
                          .confirms_left = RS_BISECT_CONFIRMS};
}

static bool bisect_confirm(rs_bisect *bisect, bool good) {
    RS_ASSERT(bisect->confirms_left > 0 && bisect->good > 0);
    bisect->confirms_left--;
    if (good) {
        bisect->result = bisect->next;
        return false;
    }
    bisect->next *= BISECT_BACK;
    return bisect->confirms_left > 0;
}

bool rs_bisect_feed(rs_bisect *bisect, bool good) {
    bisect->again = !good && !bisect->again;
    if (bisect->again) {
        return true;
    }
    if (bisect->steps_left == 0) {
        return bisect_confirm(bisect, good);
    }
    if (good) {
        bisect->good = bisect->next;
    } else {
        bisect->bad = bisect->next;
    }
    RS_ASSERT(bisect->good < bisect->bad);
    bisect->next = !rs_is_known(bisect->bad) ? bisect->good * 2 : (bisect->good + bisect->bad) / 2;
    bisect->steps_left--;
    if (bisect->steps_left == 0) {
        bisect->next = bisect->good;
        return bisect->good > 0;
    }
    return true;
}
