/* The capacity sum of the completion queue. Set up: sums for small and extreme configurations. A
 * pass: exactly cq_entries / conn_entries connections fit, and everything comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rio/rio_quota.h"
#include "unit/child.h"

static const char *self;

static void test_quota_of_one_connection_counts_receive_sends_and_slack(void **state) {
    rs_rio_quota quota;
    (void)state;
    rs_rio_quota_init(&quota, 1, 2);
    assert_int_equal(quota.conn_entries, 3);
    assert_int_equal(quota.cq_entries, (1 + 16) * 3);
}

static void test_quota_of_the_largest_configuration_fits_the_documented_maximum(void **state) {
    rs_rio_quota quota;
    (void)state;
    rs_rio_quota_init(&quota, RS_SESSIONS_MAX, RS_SENDS_IN_FLIGHT_MAX);
    assert_true(quota.cq_entries <= RS_RIO_CQ_ENTRIES_MAX);
    assert_true(quota.cq_entries / quota.conn_entries > RS_SESSIONS_MAX);
}

static void test_quota_full_refuses_until_one_is_released(void **state) {
    rs_rio_quota quota;
    uint32_t count = 0;
    (void)state;
    rs_rio_quota_init(&quota, 10, 1);
    while (rs_rio_quota_reserve(&quota)) {
        count++;
        assert_true(count <= quota.cq_entries);
    }
    assert_int_equal(count, 10 + RS_RIO_CLOSING_SLACK(10));
    assert_false(rs_rio_quota_reserve(&quota));
    rs_rio_quota_release(&quota);
    assert_true(rs_rio_quota_reserve(&quota));
    for (; count > 0; count--) {
        rs_rio_quota_release(&quota);
    }
    assert_int_equal(quota.held, 0);
    assert_int_equal(quota.held_high, quota.cq_entries);
}

static void test_quota_released_without_reservation_stops_the_process(void **state) {
    child_result result = child_run(self, "release");
    (void)state;
    assert_true(child_asserted(&result, "quota->held >= quota->conn_entries"));
}

static int run_child(void) {
    rs_rio_quota quota;
    rs_rio_quota_init(&quota, 1, 1);
    rs_rio_quota_release(&quota);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_of_one_connection_counts_receive_sends_and_slack),
        cmocka_unit_test(test_quota_of_the_largest_configuration_fits_the_documented_maximum),
        cmocka_unit_test(test_quota_full_refuses_until_one_is_released),
        cmocka_unit_test(test_quota_released_without_reservation_stops_the_process),
    };
    if (child_case(argc, argv) != NULL) {
        return run_child();
    }
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
