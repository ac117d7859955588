/* SPDX-License-Identifier: MIT */
/* The wait between two tries. A pass: it doubles from the first to the bound and no further, is
 * counted from the failure, and starts over after a success. */
#include "seam/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NS_PER_MS 1000000u

static void test_retry_wait_doubles_up_to_its_bound(void **state) {
    rs_retry retry = {.wait_ms = 0};
    uint32_t expected = RS_RETRY_FIRST_MS;
    uint64_t now_ns = 7;
    (void)state;
    for (uint32_t i = 0; i < 40u; i++) {
        assert_int_equal(rs_retry_failed(&retry, now_ns), expected);
        assert_false(rs_retry_is_due(&retry, now_ns + (uint64_t)expected * NS_PER_MS - 1u));
        now_ns += (uint64_t)expected * NS_PER_MS;
        assert_true(rs_retry_is_due(&retry, now_ns));
        expected = expected * 2u < RS_RETRY_MAX_MS ? expected * 2u : RS_RETRY_MAX_MS;
    }
    assert_int_equal(retry.wait_ms, RS_RETRY_MAX_MS);
}

static void test_retry_starts_over_after_a_success(void **state) {
    rs_retry retry = {.wait_ms = 0};
    (void)state;
    for (uint32_t i = 0; i < 5u; i++) {
        (void)rs_retry_failed(&retry, 1);
    }
    rs_retry_succeeded(&retry);
    assert_int_equal(rs_retry_failed(&retry, 1), RS_RETRY_FIRST_MS);
}

/* Ten seconds without a handle: some thirty tries, and not one each turn of the loop. */
static void test_retry_makes_few_tries_in_ten_seconds(void **state) {
    rs_retry retry = {.wait_ms = 0};
    uint64_t now_ns = 0;
    uint32_t tries = 0;
    (void)state;
    while (now_ns < UINT64_C(10000000000)) {
        if (tries == 0 || rs_retry_is_due(&retry, now_ns)) {
            (void)rs_retry_failed(&retry, now_ns);
            tries++;
        }
        now_ns += NS_PER_MS;
    }
    assert_in_range(tries, 20, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_wait_doubles_up_to_its_bound),
        cmocka_unit_test(test_retry_starts_over_after_a_success),
        cmocka_unit_test(test_retry_makes_few_tries_in_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
