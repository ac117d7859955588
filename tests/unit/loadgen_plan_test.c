/* SPDX-License-Identifier: MIT */
/* Plans of odd rates. A pass: the two directions (when is message i due, how many are due now)
 * agree to the nanosecond, nothing drifts over a day, and roles are shared out exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_plan.h"

#define START_NS UINT64_C(123456789)
#define NS_PER_S UINT64_C(1000000000)

static void test_plan_intended_time_is_the_first_at_which_it_is_due(void **state) {
    static const uint32_t rates[] = {1, 3, 7, 1000, 99999, 1000003, RS_PLAN_RATE_MAX};
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        const rs_plan plan = {.start_ns = START_NS, .rate = rates[r], .connections = 5};

        for (uint64_t index = 0; index < 100000; index += 1u + index / 7u) {
            const uint64_t at_ns = rs_plan_intended_ns(&plan, index);

            assert_true(rs_plan_due(&plan, at_ns) > index);
            assert_true(rs_plan_due(&plan, at_ns - 1u) <= index);
        }
    }
}

static void test_plan_before_the_start_nothing_is_due(void **state) {
    const rs_plan plan = {.start_ns = START_NS, .rate = 10, .connections = 1};
    (void)state;
    assert_int_equal(rs_plan_due(&plan, START_NS - 1u), 0);
    assert_int_equal(rs_plan_due(&plan, START_NS), 1);
}

static void test_plan_does_not_drift_over_a_day(void **state) {
    const rs_plan plan = {.start_ns = START_NS, .rate = 999983, .connections = 5};
    (void)state;
    assert_true(rs_plan_intended_ns(&plan, UINT64_C(86400) * 999983u) ==
                START_NS + UINT64_C(86400) * NS_PER_S);
}

static void test_plan_index_covers_each_message_once(void **state) {
    const rs_plan plan = {.start_ns = 0, .rate = 1, .connections = 7};
    uint8_t seen[70] = {0};
    (void)state;
    for (uint32_t connection = 0; connection < 7; connection++) {
        for (uint64_t sequence = 0; sequence < 10; sequence++) {
            seen[rs_plan_index(&plan, connection, sequence)]++;
        }
    }
    for (size_t i = 0; i < sizeof seen; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void test_plan_roles_are_shared_out_exactly(void **state) {
    uint32_t count[4] = {0};
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        count[rs_plan_role_of(i, 40, 10, 25, 50)]++;
    }
    assert_int_equal(count[RS_ROLE_RESET], 4);
    assert_int_equal(count[RS_ROLE_HALF_CLOSE], 10);
    assert_int_equal(count[RS_ROLE_SLOW], 20);
    assert_int_equal(count[RS_ROLE_NORMAL], 6);
}

static void test_plan_quota_stays_within_twice_the_mean(void **state) {
    uint32_t lives[20] = {0};
    uint64_t sum = 0;
    (void)state;
    for (uint32_t life = 0; life < 10000; life++) {
        const uint32_t quota = rs_plan_quota(1, 3, life, 10);

        assert_in_range(quota, 1, 19);
        sum += quota;
        lives[quota]++;
    }
    assert_in_range(sum, 95000, 105000);
    for (uint32_t quota = 1; quota < 20; quota++) { /* each as often as the others */
        assert_in_range(lives[quota], 400, 660);
    }
    assert_int_equal(rs_plan_quota(1, 3, 5, 1), 1);
}

static void test_plan_due_of_the_connections_adds_up_to_what_is_due(void **state) {
    const rs_plan plan = {.start_ns = 1000, .rate = 30011, .connections = 7};
    (void)state;
    for (uint64_t now_ns = 990; now_ns < 1000000; now_ns += 997) {
        uint64_t sum = 0;

        for (uint32_t i = 0; i < plan.connections; i++) {
            const uint64_t due = rs_plan_due_of(&plan, i, now_ns);

            sum += due;
            assert_true(due == 0 ||
                        rs_plan_intended_ns(&plan, rs_plan_index(&plan, i, due - 1u)) <= now_ns);
        }
        assert_int_equal(sum, rs_plan_due(&plan, now_ns));
    }
}

/* ---- Poisson arrivals */

static rs_plan_arrivals arrivals, others;

static rs_plan poisson_plan(rs_plan_arrivals *from, uint64_t seed, uint32_t rate) {
    memset(from, 0, sizeof *from);
    from->seed = seed;
    return (rs_plan){.start_ns = START_NS, .rate = rate, .connections = 5, .poisson = from};
}

static void test_plan_poisson_due_and_intended_agree(void **state) {
    static const uint32_t rates[] = {1, 7, 1000, 99999, 1000003};
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        const rs_plan plan = poisson_plan(&arrivals, 1, rates[r]);
        uint64_t before_ns = START_NS;

        for (uint64_t index = 0; index < 3u * RS_PLAN_BLOCK; index++) {
            const uint64_t at_ns = rs_plan_intended_ns(&plan, index);

            assert_true(at_ns >= before_ns);
            assert_true(rs_plan_due(&plan, at_ns) > index);
            assert_true(at_ns == START_NS || rs_plan_due(&plan, at_ns - 1u) <= index);
            before_ns = at_ns;
        }
        assert_int_equal(rs_plan_due(&plan, START_NS - 1u), 0);
    }
}

/* Each block keeps its time: nothing drifts, and the rate is the one asked for. */
static void test_plan_poisson_keeps_the_rate(void **state) {
    const rs_plan plan = poisson_plan(&arrivals, 3, 1024000); /* a block a millisecond */
    (void)state;
    for (uint64_t block = 0; block < 100000; block += 997) {
        const uint64_t from_ns = START_NS + block * 1000000u;

        assert_true(rs_plan_intended_ns(&plan, block * RS_PLAN_BLOCK) >= from_ns);
        assert_true(rs_plan_intended_ns(&plan, (block + 1u) * RS_PLAN_BLOCK - 1u) <
                    from_ns + 1000000u);
    }
}

/* Gaps of independent arrivals: their standard deviation is their mean, 63.2 % are shorter than it,
 * and one in e^3 is longer than three. Of 102,400: three deviations of those shares. */
static void test_plan_poisson_gaps_are_exponential(void **state) {
    const rs_plan plan = poisson_plan(&arrivals, 42, 1000000); /* a mean of 1,000 ns */
    const uint64_t count = 100u * RS_PLAN_BLOCK;
    double square = 0;
    uint32_t shorter = 0, longer = 0;
    (void)state;
    for (uint64_t i = 1; i < count; i++) {
        const double gap =
            (double)(rs_plan_intended_ns(&plan, i) - rs_plan_intended_ns(&plan, i - 1u));

        square += (gap - 1000) * (gap - 1000);
        shorter += gap < 1000;
        longer += gap > 3000;
    }
    assert_true(square / (double)count > 0.97e6 && square / (double)count < 1.03e6);
    assert_true(shorter > 0.627 * (double)count && shorter < 0.637 * (double)count);
    assert_true(longer > 0.047 * (double)count && longer < 0.053 * (double)count);
}

/* The same seed is the same plan, whatever was asked for before; another seed is another one. */
static void test_plan_poisson_follows_from_the_seed(void **state) {
    const rs_plan plan = poisson_plan(&arrivals, 5, 1000), same = poisson_plan(&others, 5, 1000);
    uint32_t equal = 0;
    (void)state;
    for (uint64_t i = 0; i < 50u * RS_PLAN_BLOCK; i += 311) {
        (void)rs_plan_intended_ns(&plan, i * 7u % 40000u);
        assert_true(rs_plan_intended_ns(&plan, i) == rs_plan_intended_ns(&same, i));
    }
    const rs_plan other = poisson_plan(&others, 6, 1000);
    for (uint64_t i = 0; i < RS_PLAN_BLOCK; i++) {
        equal += rs_plan_intended_ns(&plan, i) == rs_plan_intended_ns(&other, i);
    }
    assert_true(equal < 3);
}

/* The mean of 20,000 is within 5 deviations, as many are above it as should be (1 / e), and
 * connections, messages and seeds differ. */
static void test_plan_think_times_have_their_mean(void **state) {
    const rs_plan_think fixed = {.mean_ns = 1000000, .seed = 3};
    const rs_plan_think other = {.mean_ns = 1000000, .seed = 4, .exponential = true};
    rs_plan_think random = fixed;
    double sum = 0, first = 0;
    uint32_t above = 0, same = 0;
    (void)state;
    random.exponential = true;
    for (uint64_t i = 0; i < 20000; i++) {
        const uint64_t ns = rs_plan_think_ns(&random, 7, i);

        assert_true(rs_plan_think_ns(&fixed, 7, i) == 1000000);
        assert_true(ns == rs_plan_think_ns(&random, 7, i));
        same += ns == rs_plan_think_ns(&random, 7, i + 1u);
        same += ns == rs_plan_think_ns(&random, 8, i);
        same += ns == rs_plan_think_ns(&other, 7, i);
        sum += (double)ns;
        above += ns > 1000000;
        assert_true(rs_plan_first_think_ns(&fixed, (uint32_t)i) <= 1000000);
        first += (double)rs_plan_first_think_ns(&fixed, (uint32_t)i);
    }
    assert_in_range((uint64_t)(sum / 20000), 964000, 1036000);
    assert_in_range(above, 7358 - 341, 7358 + 341);
    assert_in_range((uint64_t)(first / 20000), 489000, 511000);
    assert_true(same < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_intended_time_is_the_first_at_which_it_is_due),
        cmocka_unit_test(test_plan_before_the_start_nothing_is_due),
        cmocka_unit_test(test_plan_does_not_drift_over_a_day),
        cmocka_unit_test(test_plan_index_covers_each_message_once),
        cmocka_unit_test(test_plan_roles_are_shared_out_exactly),
        cmocka_unit_test(test_plan_think_times_have_their_mean),
        cmocka_unit_test(test_plan_quota_stays_within_twice_the_mean),
        cmocka_unit_test(test_plan_poisson_due_and_intended_agree),
        cmocka_unit_test(test_plan_poisson_keeps_the_rate),
        cmocka_unit_test(test_plan_poisson_gaps_are_exponential),
        cmocka_unit_test(test_plan_poisson_follows_from_the_seed),
        cmocka_unit_test(test_plan_due_of_the_connections_adds_up_to_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
