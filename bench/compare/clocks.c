/* SPDX-License-Identifier: MIT */
#include "compare/clocks.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "compare/instrument.h"
#include "compare/process.h"
#include "core/assert.h"
#include "seam/os.h"

_Static_assert(2 * RS_COUNTERS + 1 <= RS_INSTRUMENTS_MAX, "the test holds every counter");

/* Read as the comparison will read them, but of this process. */
typedef struct clocks_bed {
    rs_process self;
    const rs_results *results;
    volatile uint64_t sink; /* so that the work is done */
} clocks_bed;

static double clocks_now(void *arg) {
    (void)arg;
    return (double)rs_os_now_ns();
}

static void clocks_burn(void *arg, uint64_t turns) {
    clocks_bed *bed = arg;
    uint64_t x = bed->sink;
    for (; turns > 0; turns--) {
        x = x * 6364136223846793005u + 1442695040888963407u;
    }
    bed->sink = x;
}

static void clocks_sleep_until(void *arg, double ns) {
    const double left_ms = (ns - clocks_now(arg)) / 1e6;
    if (left_ms > 0) {
        rs_os_sleep_ms((uint32_t)ceil(left_ms));
    }
}

static double clocks_read(void *arg, uint32_t instrument) {
    clocks_bed *bed = arg;
    const rs_clock *clock = &bed->results->clock[instrument];
    rs_os_usage own;
    switch (clock->kind) {
    case RS_CLOCK_PROCESS:
        return rs_process_cpu_ns(&bed->self, clock->counter);
    case RS_CLOCK_MACHINE:
        return rs_machine_cost_ns(clock->counter);
    case RS_CLOCK_OWN:
        rs_os_usage_read(&own);
        return (own.known & RS_USE_CPU) != 0 ? (double)own.user_ns + (double)own.kernel_ns : NAN;
    }
    RS_UNREACHABLE("a clock is one of three kinds");
}

static void clocks_add(rs_results *results, rs_clock_kind kind, uint32_t counter,
                       const char *name) {
    RS_ASSERT(results->clocks < RS_INSTRUMENTS_MAX);
    results->clock[results->clocks++] =
        (rs_clock){.kind = kind, .counter = counter, .name = name, .result = {.error = NAN}};
}

static void clocks_list(rs_results *results) {
    results->clocks = 0;
    for (uint32_t i = 0; i < RS_COUNTERS; i++) {
        clocks_add(results, RS_CLOCK_PROCESS, i, rs_process_counters[i]);
    }
    for (uint32_t i = 0; i < RS_COUNTERS; i++) {
        clocks_add(results, RS_CLOCK_MACHINE, i, rs_machine_counters[i]);
    }
    clocks_add(results, RS_CLOCK_OWN, 0, "process times");
}

static void clocks_test(rs_results *results, clocks_bed *from) {
    rs_instrument_bed bed = {.now_ns = clocks_now,
                             .burn = clocks_burn,
                             .sleep_until = clocks_sleep_until,
                             .read_ns = clocks_read,
                             .arg = from,
                             .instruments = results->clocks};
    rs_instrument_result result[RS_INSTRUMENTS_MAX];
    for (uint32_t i = 0; i < results->clocks; i++) {
        bed.is_machine[i] = results->clock[i].kind == RS_CLOCK_MACHINE;
    }
    rs_instrument_test(&bed, result);
    for (uint32_t i = 0; i < results->clocks; i++) {
        results->clock[i].result = result[i];
    }
}

int rs_clocks_used(const rs_results *results, rs_clock_kind kind) {
    for (uint32_t i = 0; i < results->clocks; i++) {
        if (results->clock[i].kind == kind && results->clock[i].is_used) {
            return (int)results->clock[i].counter;
        }
    }
    return -1;
}

void rs_clocks_choose(rs_results *results, bool test) {
    clocks_bed bed = {.results = results, .sink = 1};
    rs_process_self(&bed.self);
    clocks_list(results);
    results->clocks_tested = test;
    if (test) {
        clocks_test(results, &bed);
    }
    for (uint32_t i = 0; i < results->clocks; i++) {
        rs_clock *clock = &results->clock[i];
        const bool fit =
            test ? rs_instrument_is_trusted(&clock->result) : rs_is_known(clocks_read(&bed, i));
        clock->is_used = fit && rs_clocks_used(results, clock->kind) < 0;
    }
}

static void clocks_text_one(const rs_results *results, const rs_clock *clock, char *out,
                            size_t bytes) {
    const char *no = clock->is_used ? "" : "not ";
    if (!results->clocks_tested) {
        (void)snprintf(out, bytes, "%s%s (not tested)", no, clock->name);
    } else if (rs_is_known(clock->result.error)) {
        (void)snprintf(out, bytes, "%s%s (%.1f %% off at %u %% load)", no, clock->name,
                       clock->result.error * 100, clock->result.load);
    } else {
        (void)snprintf(out, bytes, "%s%s (it cannot tell)", no, clock->name);
    }
}

void rs_clocks_text(const rs_results *results, rs_clock_kind kind, char *out, size_t bytes) {
    char one[128];
    size_t used = 0;
    const int head = snprintf(
        out, bytes, "%s", rs_clocks_used(results, kind) < 0 ? "this machine cannot tell: " : "");
    used = head > 0 ? (size_t)head : 0;
    for (uint32_t i = 0; i < results->clocks && used < bytes; i++) {
        if (results->clock[i].kind == kind) {
            clocks_text_one(results, &results->clock[i], one, sizeof one);
            const int more = snprintf(out + used, bytes - used, "%s%s",
                                      results->clock[i].counter > 0 ? "; " : "", one);
            used += more > 0 ? (size_t)more : 0;
        }
    }
}
