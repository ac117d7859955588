/* SPDX-License-Identifier: MIT */
#include "compare/turns.h"

#include <stdio.h>
#include <string.h>

#include "compare/rates.h"
#include "compare/rounds.h"
#include "seam/os.h"

#define TURNS_DROPPED_SHARE 0.25 /* of a run's time for one that does not count: ours */

static void turns_progress(const rs_turns *self, uint32_t index, const rs_turn *turn,
                           const rs_scenario *scenario) {
    const rs_schedule *schedule = &self->schedule;
    const uint32_t left = (uint32_t)(rs_cost_left_s(&self->cost, schedule, index) + 0.5);
    if (self->progress) {
        rs_printer_say(self->reports->err, "\rcompare: %u of %u: %s %s%s, %u:%02u left      ",
                       rs_schedule_taken(schedule, index) + 1,
                       rs_schedule_taken(schedule, rs_schedule_count(schedule)), scenario->name,
                       self->target[turn->server].name, turn->dropped ? " (warm-up)" : "",
                       left / 60, left % 60);
    }
}

static void turns_progress_end(const rs_turns *self) {
    if (self->progress) {
        rs_printer_say(self->reports->err, "\r%78s\r", "");
    }
}

/* True: the run is decided without being tried, and *run says how. */
static bool turns_need_no_run(const rs_turns *self, const rs_turn *turn, double rate,
                              rs_compare_run *run) {
    const rs_scenario *scenario = self->results->scenario[turn->scenario];
    const rs_subject *subject = &self->results->subject[turn->server];
    if (turn->warmup) {
        return false;
    }
    if (subject->connections_max != 0 && rs_scenario_sockets(scenario) > subject->connections_max) {
        rs_result_beyond(run, "ends at %u connections: %s", subject->connections_max,
                         subject->limit);
        return true;
    }
    if (rs_scenario_is_late(scenario) && !(rate > 0)) {
        rs_result_void(run, "no sound run of " RS_SCENARIO_BASE " to take the rate from");
        return true;
    }
    return false;
}

/* What is left of a run: its line in runs.csv, its settings, a word if it is void. */
static void turns_keep(rs_turns *self, const rs_turn *turn, const rs_compare_run *run) {
    const rs_results *results = self->results;
    const rs_subject *subject = &results->subject[turn->server];
    rs_recorded *recorded = &results->recorded[turn->scenario * results->subjects + turn->server];
    if (run->state == RS_RUN_NOT) {
        return;
    }
    if (run->state == RS_RUN_OK) {
        rs_recorded_merge(&recorded->server, &subject->settings);
        rs_recorded_merge(&recorded->load, &subject->load_settings);
    }
    rs_reports_keep(self->reports, results, turn);
    if (run->state == RS_RUN_VOID) {
        turns_progress_end(self);
        rs_printer_say(self->reports->err, "compare: void: %s %s, run %u: %s\n",
                       self->target[turn->server].name, results->scenario[turn->scenario]->name,
                       turn->repeat + 1, run->why);
    }
}

static void turns_one(rs_turns *self, uint32_t index, const rs_turn *turn) {
    rs_results *results = self->results;
    rs_target *target = &self->target[turn->server];
    const rs_scenario *scenario =
        turn->warmup ? rs_scenario_warmup() : results->scenario[turn->scenario];
    rs_compare_run *run = turn->dropped
                              ? &self->dropped
                              : rs_results_run(results, turn->scenario, turn->server, turn->repeat);
    const double start_s = (double)rs_os_now_ns() / 1e9;
    const double rate = rs_rates_turn(results, turn, self->rates_given);
    char base[128];
    turns_progress(self, index, turn, scenario);
    if (turn->dropped) {
        (void)snprintf(base, sizeof base, "warmup.%s", target->name);
    } else {
        (void)snprintf(base, sizeof base, "%s.%s.%u", scenario->name, target->name,
                       turn->repeat + 1);
    }
    if (!turns_need_no_run(self, turn, rate, run)) {
        if (target->builds > 0) { /* both of a pair have the same order of objects */
            memcpy(target->program, target->build[turn->repeat % target->builds],
                   sizeof target->program);
        }
        self->runner->share = turn->dropped ? TURNS_DROPPED_SHARE : 1;
        rs_runner_turn(self->runner, target, scenario, rate, base, run,
                       &results->subject[turn->server]);
        rs_cost_learn(&self->cost, turn, (double)rs_os_now_ns() / 1e9 - start_s);
    }
    if (!turn->dropped) {
        turns_keep(self, turn, run);
    }
}

/* Turn `index` was made: the last of its scenario, in a schedule by scenarios? */
static void turns_keep_cell(const rs_turns *self, uint32_t index, const rs_turn *turn) {
    const rs_schedule *schedule = &self->schedule;
    for (uint32_t i = index + 1; i < rs_schedule_count(schedule); i++) {
        const rs_turn next = rs_schedule_turn(schedule, i);
        if (next.scenario != turn->scenario) {
            break;
        }
        if (!rs_schedule_skips(schedule, &next)) {
            return;
        }
    }
    rs_reports_keep_cell(self->reports, self->results, turn->scenario, self->made);
}

void rs_turns_run(rs_turns *self) {
    const uint32_t count = rs_schedule_count(&self->schedule);
    const rs_atomic_u32 *stop = self->runner->stop;
    uint32_t repeat = 0;
    for (uint32_t i = 0;
         i < count && rs_atomic_load_u32(stop) == 0 && !rs_reports_ended(self->reports); i++) {
        const rs_turn turn = rs_schedule_turn(&self->schedule, i);
        if (turn.repeat >= self->schedule.repeats && turn.repeat != repeat) { /* a round begins */
            rs_rounds_want(self->results, self->width, self->more);
        }
        repeat = turn.repeat;
        if (!rs_schedule_skips(&self->schedule, &turn)) {
            turns_one(self, i, &turn);
            if (self->made != NULL && !turn.warmup && rs_atomic_load_u32(stop) == 0) {
                turns_keep_cell(self, i, &turn);
            }
        }
    }
    turns_progress_end(self);
    if (rs_reports_ended(self->reports)) {
        rs_reports_say_why(self->reports);
    }
    self->results->interrupted = rs_atomic_load_u32(stop) != 0;
}
