/* SPDX-License-Identifier: MIT */
#include "compare/instrument.h"

#include <math.h>
#include <string.h>

#include "compare/stats.h"
#include "core/assert.h"

#define INSTRUMENT_SLICE_NS 350000.0
#define INSTRUMENT_SLICES 100u         /* at each load: 35 ms, no multiple of any clock tick */
#define INSTRUMENT_BURSTS 10u          /* at each load below 100 %, which is one burst */
#define INSTRUMENT_SETTLE_NS 1000000.0 /* many counters are brought up to date by a pause only */
#define INSTRUMENT_CALIBRATIONS 20u
#define INSTRUMENT_TURNS_MIN 64u
#define INSTRUMENT_TURNS_MAX (UINT64_C(1) << 40)
#define INSTRUMENT_LONG 1.5 /* medians: a longer slice was interrupted */
#define INSTRUMENT_ATTEMPTS 3u

static const uint32_t instrument_load[] = {5, 20, 50, 100};
#define INSTRUMENT_LOADS (sizeof instrument_load / sizeof instrument_load[0])

_Static_assert(INSTRUMENT_SLICES <= RS_STATS_SAMPLES_MAX, "the statistics hold every slice");

/* What was seen of one burst. */
typedef struct instrument_burst {
    double charge[RS_INSTRUMENTS_MAX];   /* from before it until after the pause that settles */
    double overhead[RS_INSTRUMENTS_MAX]; /* of reading the other counters, in that */
    double pause[RS_INSTRUMENTS_MAX];    /* charged between the burst before and this one */
    double window_ns, pause_ns;          /* by the clock */
    double work_ns;                      /* the known work */
} instrument_burst;

typedef struct instrument_level {
    instrument_burst burst[INSTRUMENT_BURSTS];
    uint32_t bursts;
} instrument_level;

typedef struct instrument_reading {
    double value[RS_INSTRUMENTS_MAX], at_ns[RS_INSTRUMENTS_MAX];
} instrument_reading;

typedef struct instrument_run {
    const rs_instrument_bed *bed;
    uint64_t slice_turns;
    instrument_reading last; /* after the burst before */
    double slice_ns[INSTRUMENT_SLICES];
    uint32_t slices; /* of this level so far */
    uint32_t interrupted;
    instrument_level level[INSTRUMENT_LOADS];
} instrument_run;

static double instrument_now(const instrument_run *run) {
    return run->bed->now_ns(run->bed->arg);
}

static void instrument_sleep_until(const instrument_run *run, double ns) {
    run->bed->sleep_until(run->bed->arg, ns);
}

static double instrument_burn(const instrument_run *run, uint64_t turns) {
    const double start_ns = instrument_now(run);
    run->bed->burn(run->bed->arg, turns);
    return instrument_now(run) - start_ns;
}

static void instrument_read(const instrument_run *run, instrument_reading *out) {
    for (uint32_t i = 0; i < run->bed->instruments; i++) {
        out->value[i] = run->bed->read_ns(run->bed->arg, i);
        out->at_ns[i] = instrument_now(run);
    }
}

/* How many turns a slice has: from the fastest of several tries, the others were interrupted. */
static void instrument_calibrate(instrument_run *run) {
    uint64_t turns = INSTRUMENT_TURNS_MIN;
    double best_ns = instrument_burn(run, turns);
    while (best_ns < INSTRUMENT_SLICE_NS && turns < INSTRUMENT_TURNS_MAX) {
        turns *= 2;
        best_ns = instrument_burn(run, turns);
    }
    for (uint32_t i = 0; i < INSTRUMENT_CALIBRATIONS; i++) {
        best_ns = fmin(best_ns, instrument_burn(run, turns));
    }
    run->slice_turns = (uint64_t)((double)turns * INSTRUMENT_SLICE_NS / best_ns) + 1;
}

/* ---- measuring */

static void instrument_do_burst(instrument_run *run, instrument_burst *burst, uint32_t slices) {
    instrument_reading before, after;
    instrument_read(run, &before);
    const double start_ns = instrument_now(run);
    for (uint32_t i = 0; i < slices; i++) {
        run->slice_ns[run->slices++] = instrument_burn(run, run->slice_turns);
    }
    instrument_sleep_until(run, instrument_now(run) + INSTRUMENT_SETTLE_NS);
    const double woken_ns = instrument_now(run);
    instrument_read(run, &after);
    for (uint32_t i = 0; i < run->bed->instruments; i++) {
        burst->charge[i] = after.value[i] - before.value[i];
        burst->overhead[i] = start_ns - before.at_ns[i] + after.at_ns[i] - woken_ns;
        burst->pause[i] = before.value[i] - run->last.value[i];
    }
    burst->pause_ns = before.at_ns[0] - run->last.at_ns[0];
    burst->window_ns = after.at_ns[0] - before.at_ns[0];
    run->last = after;
}

/* What each burst was worth: its slices by the clock, with the median for those that somebody
 * interrupted. */
static void instrument_price(instrument_run *run, instrument_level *level) {
    const double usual = rs_stats_median(run->slice_ns, run->slices);
    const uint32_t each = run->slices / level->bursts;
    for (uint32_t i = 0; i < run->slices; i++) {
        const double ns = run->slice_ns[i];
        const bool whole = ns <= INSTRUMENT_LONG * usual;
        level->burst[i / each].work_ns += whole ? ns : usual;
        run->interrupted += whole ? 0 : 1;
    }
}

static void instrument_do_level(instrument_run *run, instrument_level *level, uint32_t load) {
    level->bursts = load < 100 ? INSTRUMENT_BURSTS : 1;
    run->slices = 0;
    double due_ns = instrument_now(run);
    for (uint32_t i = 0; i < level->bursts; i++) {
        instrument_do_burst(run, &level->burst[i], INSTRUMENT_SLICES / level->bursts);
        /* By the plan, so that a system whose pauses are long catches up. */
        due_ns += INSTRUMENT_SLICE_NS * INSTRUMENT_SLICES / level->bursts * 100 / load;
        if (load < 100 && due_ns > instrument_now(run)) {
            instrument_sleep_until(run, due_ns);
        }
    }
    instrument_price(run, level);
}

/* ---- judging */

/* Of the bursts of one level; one burst alone has no median, and takes that of the level before. */
static double instrument_median_overhead(const instrument_level *level, uint32_t instrument) {
    double sample[INSTRUMENT_BURSTS];
    for (uint32_t i = 0; i < level->bursts; i++) {
        sample[i] = level->burst[i].overhead[instrument];
    }
    return rs_stats_median(sample, level->bursts);
}

/* What the rest of the machine does, as far as a counter sees it: its charge in the pauses. */
static double instrument_background(const instrument_run *run, uint32_t instrument) {
    double charge = 0, ns = 0;
    for (uint32_t i = 0; i < INSTRUMENT_LOADS; i++) {
        for (uint32_t k = 0; k < run->level[i].bursts; k++) {
            charge += run->level[i].burst[k].pause[instrument];
            ns += run->level[i].burst[k].pause_ns;
        }
    }
    return charge / ns;
}

/* Of a process: the sum has to be right, and no burst may be off by more than the sum may. */
static double instrument_error_process(const instrument_level *level, uint32_t instrument,
                                       double overhead) {
    double charged = 0, work = 0, worst = 0;
    for (uint32_t i = 0; i < level->bursts; i++) {
        const instrument_burst *burst = &level->burst[i];
        const double off = burst->charge[instrument] - overhead - burst->work_ns;
        charged += off;
        work += burst->work_ns;
        worst = fmax(worst, fabs(off));
        if (!rs_is_known(off)) {
            return NAN;
        }
    }
    return fmax(fabs(charged), worst) / work;
}

/* Of the machine: half of the bursts are right. */
static double instrument_error_machine(const instrument_level *level, uint32_t instrument,
                                       double overhead, double background) {
    double off[INSTRUMENT_BURSTS];
    for (uint32_t i = 0; i < level->bursts; i++) {
        const instrument_burst *burst = &level->burst[i];
        off[i] = (burst->charge[instrument] - overhead - background * burst->window_ns) /
                     burst->work_ns -
                 1;
        if (!rs_is_known(off[i])) {
            return NAN;
        }
    }
    return fabs(rs_stats_median(off, level->bursts));
}

static void instrument_judge(const instrument_run *run, uint32_t instrument,
                             rs_instrument_result *out) {
    const double background = instrument_background(run, instrument);
    *out = (rs_instrument_result){.error = -1};
    for (uint32_t i = 0; i < INSTRUMENT_LOADS; i++) {
        const instrument_level *level = &run->level[i];
        const double overhead =
            instrument_median_overhead(level->bursts > 1 ? level : level - 1, instrument);
        const double error = run->bed->is_machine[instrument]
                                 ? instrument_error_machine(level, instrument, overhead, background)
                                 : instrument_error_process(level, instrument, overhead);
        if (!(error <= out->error)) { /* larger, or NAN, which stays */
            *out = (rs_instrument_result){.error = error, .load = instrument_load[i]};
        }
        if (!rs_is_known(error)) {
            return;
        }
    }
}

static void instrument_attempt(instrument_run *run, const rs_instrument_bed *bed) {
    memset(run, 0, sizeof *run);
    run->bed = bed;
    instrument_calibrate(run);
    instrument_sleep_until(run, instrument_now(run) + INSTRUMENT_SETTLE_NS);
    instrument_read(run, &run->last);
    for (uint32_t i = 0; i < INSTRUMENT_LOADS; i++) {
        instrument_do_level(run, &run->level[i], instrument_load[i]);
    }
}

/* Keeps the better of two attempts: who disturbs makes a counter look worse, never better. */
static void instrument_keep(rs_instrument_result *best, const rs_instrument_result *now) {
    if (!rs_is_known(best->error) || now->error < best->error) {
        *best = *now;
    }
}

static bool instrument_has_one(const rs_instrument_bed *bed, const rs_instrument_result *out) {
    for (uint32_t i = 0; i < bed->instruments; i++) {
        if (!bed->is_machine[i] && rs_instrument_is_trusted(&out[i])) {
            return true;
        }
    }
    return false;
}

void rs_instrument_test(const rs_instrument_bed *bed, rs_instrument_result *out) {
    static instrument_run run; /* large; the main thread's */
    rs_instrument_result now;
    bool again = true;
    RS_ASSERT(bed->instruments >= 1 && bed->instruments <= RS_INSTRUMENTS_MAX);
    for (uint32_t attempt = 0; again && attempt < INSTRUMENT_ATTEMPTS; attempt++) {
        instrument_attempt(&run, bed);
        for (uint32_t i = 0; i < bed->instruments; i++) {
            instrument_judge(&run, i, &now);
            if (attempt == 0) {
                out[i] = now;
            } else {
                instrument_keep(&out[i], &now);
            }
        }
        again = run.interrupted > 0 && !instrument_has_one(bed, out);
    }
}

bool rs_instrument_is_trusted(const rs_instrument_result *result) {
    return result->error <= RS_INSTRUMENT_ERROR_MAX; /* false for a NAN */
}
