/* SPDX-License-Identifier: MIT */
/* See the header: everything follows from the index. */
#include "compare/schedule.h"

#include <math.h>

#include "compare/scenario.h"
#include "compare/stats.h"
#include "core/assert.h"

#define SCHEDULE_DRAWN_MAX 64u /* servers, and scenarios */
#define BISECT_BACK 0.9        /* of a rate that did not hold again */

/* Rounds: the dropped one, those that count, and those of some. */
static uint32_t schedule_block_runs(const rs_schedule *schedule, uint32_t scenarios) {
    return schedule->servers * (1 + schedule->repeats + schedule->extra) * scenarios;
}

uint32_t rs_schedule_count(const rs_schedule *schedule) {
    return schedule->servers + schedule_block_runs(schedule, schedule->early) +
           schedule_block_runs(schedule, schedule->late);
}

/* Number `place` of the numbers [0, count) in an order that (seed, salt) draws (Fisher, Yates). */
static uint32_t schedule_drawn(const rs_schedule *schedule, uint64_t salt, uint32_t count,
                               uint32_t place) {
    uint32_t order[SCHEDULE_DRAWN_MAX];
    uint64_t state = schedule->seed ^ (salt * 0xD1B54A32D192ED03u);
    RS_ASSERT(count <= SCHEDULE_DRAWN_MAX);
    order[0] = 0;
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t at = (uint32_t)(rs_stats_random(&state) % (i + 1));
        order[i] = i;
        order[i] = order[at];
        order[at] = i;
    }
    return order[place];
}

/* Run `index` of a block of `scenarios` scenarios, from scenario `first` on: rounds outermost,
 * servers innermost. */
static rs_turn schedule_block(const rs_schedule *schedule, uint32_t index, uint32_t first,
                              uint32_t scenarios) {
    const uint32_t in_round = scenarios * schedule->servers;
    const uint32_t round = index / in_round;
    const uint64_t salt = (uint64_t)first + 1 + (uint64_t)round * (RS_SCENARIOS_MAX + 1) * 64u;
    const uint32_t scenario =
        schedule_drawn(schedule, salt, scenarios, index % in_round / schedule->servers);
    const uint64_t own = salt + (uint64_t)(first + scenario + 1) * 64u;
    return (rs_turn){
        .repeat = round > 0 ? round - 1 : 0,
        .dropped = round == 0,
        .scenario = first + scenario,
        .server = schedule_drawn(schedule, own, schedule->servers, index % schedule->servers)};
}

rs_turn rs_schedule_turn(const rs_schedule *schedule, uint32_t index) {
    const uint32_t early_runs = schedule_block_runs(schedule, schedule->early);
    RS_ASSERT(index < rs_schedule_count(schedule));
    if (index < schedule->servers) {
        return (rs_turn){.server = index, .warmup = true, .dropped = true};
    }
    index -= schedule->servers;
    if (schedule->by_scenario && index < early_runs) {
        const uint32_t own_runs = schedule_block_runs(schedule, 1);
        return schedule_block(schedule, index % own_runs, index / own_runs, 1);
    }
    const rs_turn turn = index < early_runs ? schedule_block(schedule, index, 0, schedule->early)
                                            : schedule_block(schedule, index - early_runs,
                                                             schedule->early, schedule->late);
    RS_ASSERT(turn.repeat < schedule->repeats + schedule->extra);
    return turn;
}

bool rs_schedule_skips(const rs_schedule *schedule, const rs_turn *turn) {
    const uint32_t pair = turn->scenario * schedule->servers + turn->server;
    if (turn->warmup) {
        return false;
    }
    return (schedule->skip != NULL && schedule->skip[pair]) ||
           (turn->repeat >= schedule->repeats && (schedule->more == NULL || !schedule->more[pair]));
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
