/* SPDX-License-Identifier: MIT */
/* Which run comes when: interleaved at random, so that neither a drift of the machine nor a period
 * in it favours a server.
 *
 * One dropped warm-up run of each server; then the early scenarios, round by round; then in the
 * same way those that need the others' results. In a round the servers of a scenario come one after
 * the other, so that a pair is near in time; their order, and that of the scenarios, is drawn from
 * the seed. The first round of each block is dropped. Computed from the index, nothing stored.
 * Pure. */
#ifndef RS_COMPARE_SCHEDULE_H
#define RS_COMPARE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rs_schedule {
    uint32_t servers, repeats;
    uint32_t extra;       /* rounds after those: of the pairs in `more` only */
    uint32_t early, late; /* scenarios: [0, early) first, [early, early + late) afterwards */
    uint64_t seed;        /* the same one gives the same order */
    bool by_scenario;     /* every round of an early scenario before the next: each can be kept */
    const bool *skip;     /* [early + late][servers]: pairs that are not measured; NULL: all are */
    const bool *more;     /* [early + late][servers]; NULL: none */
} rs_schedule;

typedef struct rs_turn {
    uint32_t server, scenario;
    uint32_t repeat; /* of those that count */
    bool warmup;     /* the first run of a server, in whatever scenario every server can do */
    bool dropped;    /* its result does not count: a warm-up, or of the first round */
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
