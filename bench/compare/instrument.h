/* SPDX-License-Identifier: MIT */
/* Can this machine tell CPU time? Known work, burnt in bursts at several loads, has to be charged
 * alike by every counter that a comparison is about to use.
 *
 * Pure: clock, work and counters are the caller's. Process times on many systems are samples of a
 * clock tick; the same work has been seen charged twice, or not at all, as it came to lie between
 * two ticks. What the work costs is read off the clock, slice by slice, so that a processor that
 * runs slower at a low load changes nothing; a slice that another program interrupted counts as an
 * ordinary one. */
#ifndef RS_COMPARE_INSTRUMENT_H
#define RS_COMPARE_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#define RS_INSTRUMENTS_MAX 8u
#define RS_INSTRUMENT_ERROR_MAX 0.05 /* of the known work; above it a counter is not used */

typedef struct rs_instrument_bed {
    double (*now_ns)(void *arg);                       /* monotonic */
    void (*burn)(void *arg, uint64_t turns);           /* each turn is the same work */
    void (*sleep_until)(void *arg, double ns);         /* or later */
    double (*read_ns)(void *arg, uint32_t instrument); /* CPU time so far; NAN: cannot */
    void *arg;
    uint32_t instruments;
    /* Those that count the whole machine: what they count in the pauses is taken off, and a burst
     * that somebody else disturbed is outvoted (median). Of a process every burst has to be right.
     */
    bool is_machine[RS_INSTRUMENTS_MAX];
} rs_instrument_bed;

typedef struct rs_instrument_result {
    double error;  /* the largest at any load, as a share of the known work; NAN: it cannot tell */
    uint32_t load; /* percent: where that was */
} rs_instrument_result;

/* rs_instrument_test: about 1.2 s of the bed's clock; up to three times that where others interrupt
 * the work and no counter of a process has passed. out: one for each instrument. */
void rs_instrument_test(const rs_instrument_bed *bed, rs_instrument_result *out);

/* rs_instrument_is_trusted: at most RS_INSTRUMENT_ERROR_MAX off. */
bool rs_instrument_is_trusted(const rs_instrument_result *result);

#endif
