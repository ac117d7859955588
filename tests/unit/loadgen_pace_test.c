/* SPDX-License-Identifier: MIT */
/* Sleeps of a made-up system: how late each ends is given, the clock is a number. A pass: the
 * margin covers what the system overruns by, within its bounds, and comes back down when that is
 * over. */
#include "loadgen/loadgen_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* Sends every 5 ms on a system whose sleeps end at the next multiple of tick_ns, and then by
 * polling, which costs nothing here. Returns the worst error of the last ten. */
static uint64_t pace_worst_ns(rs_pace *pace, uint64_t tick_ns) {
    uint64_t now_ns = START, worst_ns = 0;
    for (uint32_t i = 1; i <= 50; i++) {
        const uint64_t due_ns = START + i * 5u * MS;
        const uint64_t sleep_ns = rs_pace_sleep_ns(pace, now_ns, due_ns);

        if (sleep_ns > 0) {
            const uint64_t until_ns = now_ns + sleep_ns;

            now_ns = (until_ns + tick_ns - 1u) / tick_ns * tick_ns;
            rs_pace_woke(pace, until_ns, now_ns);
        }
        now_ns = now_ns > due_ns ? now_ns : due_ns;
        if (i > 40 && now_ns - due_ns > worst_ns) {
            worst_ns = now_ns - due_ns;
        }
    }
    return worst_ns;
}

static void test_pace_learns_what_sleeps_overrun_by(void **state) {
    static const uint64_t ticks[] = {1, 60000, 500000, 1000000, 1900000};
    (void)state;
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        rs_pace pace;

        rs_pace_init(&pace, START);
        assert_int_equal(pace_worst_ns(&pace, ticks[i]), 0);
    }
}

/* A tick of 15.6 ms cannot be made good within the bound; the error then shows, and is reported. */
static void test_pace_spins_no_longer_than_its_bound(void **state) {
    rs_pace pace;
    (void)state;
    rs_pace_init(&pace, START);
    assert_true(pace_worst_ns(&pace, 15625000) > MS);
    assert_true(pace.margin_ns <= RS_PACE_MARGIN_MAX_NS);
    assert_int_equal(rs_pace_sleep_ns(&pace, START, START + 5u * MS) > 0, 1);
}

static void test_pace_forgets_a_late_sleep_by_time_alone(void **state) {
    rs_pace pace;
    (void)state;
    rs_pace_init(&pace, START);
    rs_pace_woke(&pace, START, START + 50u * MS);
    assert_int_equal(pace.margin_ns, RS_PACE_MARGIN_MAX_NS);
    for (uint32_t i = 1; i <= 200; i++) { /* a high rate: nothing is ever slept for */
        assert_int_equal(rs_pace_sleep_ns(&pace, START + i * 100u * MS, START + i * 100u * MS + 9u),
                         0);
    }
    assert_int_equal(pace.margin_ns, RS_PACE_MARGIN_MIN_NS);
    assert_int_equal(rs_pace_sleep_ns(&pace, START, START + 1020000u), 1000000);
    assert_int_equal(rs_pace_sleep_ns(&pace, START + 5u, START), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pace_learns_what_sleeps_overrun_by),
        cmocka_unit_test(test_pace_spins_no_longer_than_its_bound),
        cmocka_unit_test(test_pace_forgets_a_late_sleep_by_time_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
