/* SPDX-License-Identifier: MIT */
/* The capacity sum of the completion queue, for small and extreme configurations. */
#include "rio/rio_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_quota_counts_receive_sends_and_slack(void **state) {
    (void)state;
    assert_int_equal(rs_rio_cq_entries(1, 1, 2), (1 + 16) * 3);
    assert_int_equal(rs_rio_cq_entries(1000, 1, 1), (1000 + 125 + 16) * 2);
    assert_int_equal(rs_rio_cq_entries(1000, 4, 2), (1000 + 125 + 16) * 6);
}

static void test_quota_of_the_largest_configuration_fits_the_documented_maximum(void **state) {
    const uint32_t entries =
        rs_rio_cq_entries(RS_SESSIONS_MAX, RS_RECVS_IN_FLIGHT_MAX, RS_SENDS_IN_FLIGHT_MAX);
    (void)state;
    assert_true(entries <= RS_RIO_CQ_ENTRIES_MAX);
    assert_true(entries / (1u + RS_SENDS_IN_FLIGHT_MAX) > RS_SESSIONS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_counts_receive_sends_and_slack),
        cmocka_unit_test(test_quota_of_the_largest_configuration_fits_the_documented_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
