/* SPDX-License-Identifier: MIT */
/* Alarms set and taken at random, beside a plain array. A pass: each is taken once, none before its
 * time, always the earliest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadgen/loadgen_alarms.h"
#include "random.h"

#define ROOM 100u
#define STEPS 20000u

static uint64_t seed;

static void test_alarms_are_taken_in_order_once_and_not_early(void **state) {
    test_random random = {.state = seed};
    uint64_t at_ns[ROOM] = {0}; /* 0: not set */
    uint32_t set = 0, taken = 0;
    rs_alarms alarms;
    (void)state;
    assert_true(rs_alarms_open(&alarms, ROOM));
    for (uint64_t now_ns = 1; now_ns <= STEPS; now_ns++) {
        const uint32_t who = (uint32_t)(test_random_next(&random) % ROOM);
        uint64_t least = UINT64_MAX;
        uint32_t found = ROOM;

        if (at_ns[who] == 0) {
            at_ns[who] = now_ns + test_random_next(&random) % 300u;
            rs_alarms_set(&alarms, at_ns[who], who);
            set++;
        }
        for (uint32_t i = 0; i < ROOM; i++) {
            least = at_ns[i] != 0 && at_ns[i] < least ? at_ns[i] : least;
        }
        assert_true(rs_alarms_next_ns(&alarms) == least);
        if (rs_alarms_take(&alarms, now_ns, &found)) {
            assert_true(least <= now_ns && at_ns[found] == least);
            at_ns[found] = 0;
            taken++;
        } else {
            assert_true(least > now_ns);
        }
    }
    assert_true(taken > STEPS / 4u);
    assert_int_equal(alarms.count, set - taken);
    rs_alarms_close(&alarms);
}

static void test_alarms_without_one_have_no_time(void **state) {
    rs_alarms alarms;
    uint32_t who;
    (void)state;
    assert_true(rs_alarms_open(&alarms, 1));
    assert_true(rs_alarms_next_ns(&alarms) == UINT64_MAX);
    assert_false(rs_alarms_take(&alarms, UINT64_MAX, &who));
    rs_alarms_set(&alarms, 5, 3);
    assert_false(rs_alarms_take(&alarms, 4, &who));
    assert_true(rs_alarms_take(&alarms, 5, &who));
    assert_int_equal(who, 3);
    rs_alarms_close(&alarms);
    rs_alarms_close(&alarms);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alarms_are_taken_in_order_once_and_not_early),
        cmocka_unit_test(test_alarms_without_one_have_no_time),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
