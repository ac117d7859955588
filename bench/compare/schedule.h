/* SPDX-License-Identifier: MIT */
/* Which run comes when: interleaved A B B A, so that a drift of the machine meets every server.
 *
 * One dropped warm-up run of each server; then the early scenarios, round by round, each round in
 * the opposite order of servers; then in the same way those that need the others' results. Computed
 * from the index, nothing stored. Pure. */
#ifndef RS_COMPARE_SCHEDULE_H
#define RS_COMPARE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rs_schedule {
    uint32_t servers, repeats;
    uint32_t early, late; /* scenarios: [0, early) first, [early, early + late) afterwards */
    const bool *skip;     /* [early + late][servers]: pairs that are not measured; NULL: all are */
} rs_schedule;

typedef struct rs_turn {
    uint32_t server, scenario, repeat;
    bool warmup; /* its result is dropped */
} rs_turn;

/* rs_schedule_count: indices, those to be skipped included. */
uint32_t rs_schedule_count(const rs_schedule *schedule);

/* rs_schedule_skips: this turn is not taken. */
bool rs_schedule_skips(const rs_schedule *schedule, const rs_turn *turn);

/* rs_schedule_taken: turns among the indices [0, index) that are taken. */
uint32_t rs_schedule_taken(const rs_schedule *schedule, uint32_t index);

/* rs_schedule_turn: run number index; index < rs_schedule_count() (asserted). */
rs_turn rs_schedule_turn(const rs_schedule *schedule, uint32_t index);

/* rs_schedule_left_s: seconds that the runs from index on will take. cost_s: [servers], what one
 * run of each takes; scenario_factor: [early + late], how many plain runs a scenario is worth. */
double rs_schedule_left_s(const rs_schedule *schedule, uint32_t index, const double *cost_s,
                          const double *scenario_factor);

/* Bisection for the highest rate that is still good. */
#define RS_BISECT_CONFIRMS 8u

typedef struct rs_bisect {
    double good, bad; /* highest rate known good (0: none), lowest known bad (INFINITY: none) */
    double next;      /* to try */
    double result;    /* once over: the rate that held when tried again; 0: none did */
    uint32_t steps_left, confirms_left;
    bool again; /* next has failed once */
} rs_bisect;

/* rs_bisect_init: first tries `start` (> 0, asserted), doubles while good, then halves the gap,
 * `steps` rates in all. A rate is bad when it fails twice: once may be a stall of the machine. The
 * highest good rate may have held by luck: so it has to hold again, or a tenth less has to, and so
 * on (RS_BISECT_CONFIRMS rates). */
void rs_bisect_init(rs_bisect *bisect, double start, uint32_t steps);

/* rs_bisect_feed: the answer for bisect->next. False when the search is over; the last rate tried
 * is then the result, unless that is 0. */
bool rs_bisect_feed(rs_bisect *bisect, bool good);

#endif
