/* SPDX-License-Identifier: MIT */
/* The alarm at a real completion port. A pass: each time it is set it rings, once, never before its
 * time, beside packets of others, and closes whether it rang or not. Waits are bounded; how late it
 * rings is printed and decides nothing. */
#include "win/win_alarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seam/os.h"

#define KEY 7u
#define OTHER 8u
#define MS UINT64_C(1000000)
#define PATIENCE_MS 10000u

typedef struct alarm_bed {
    HANDLE port;
    rs_win_alarm *alarm;
    rs_win_calls calls;
} alarm_bed;

static void bed_open(alarm_bed *bed) {
    rs_error error = {.call = NULL};
    *bed = (alarm_bed){.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1)};
    assert_non_null(bed->port);
    assert_int_equal(rs_win_alarm_open(&bed->alarm, bed->port, KEY, &error), RS_OK);
}

static void bed_close(alarm_bed *bed) {
    rs_win_alarm_close(bed->alarm);
    assert_true(CloseHandle(bed->port));
}

/* The key of the next packet; 0: none came in time. */
static ULONG_PTR bed_take(const alarm_bed *bed, DWORD wait_ms) {
    OVERLAPPED *record = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    return GetQueuedCompletionStatus(bed->port, &bytes, &key, &record, wait_ms) ? key : 0;
}

static void bed_set(alarm_bed *bed, uint64_t in_ns) {
    const uint64_t now_ns = rs_os_now_ns();
    rs_win_alarm_set(bed->alarm, now_ns, now_ns + in_ns, &bed->calls);
}

static void test_alarm_rings_each_time_and_not_before(void **state) {
    alarm_bed bed;
    (void)state;
    bed_open(&bed);
    for (uint32_t i = 0; i < 20; i++) {
        const uint64_t due_ns = rs_os_now_ns() + 3 * MS;

        bed_set(&bed, 3 * MS);
        assert_int_equal(bed_take(&bed, PATIENCE_MS), KEY);
        assert_true(rs_os_now_ns() + MS / 2 >= due_ns); /* two clocks */
        if (i == 0) {
            print_message("fine timer %d, late by %.0f us\n", rs_win_alarm_is_fine(bed.alarm),
                          ((double)rs_os_now_ns() - (double)due_ns) / 1000);
        }
        rs_win_alarm_rang(bed.alarm);
    }
    assert_int_equal(bed.calls.count[RS_WIN_SETTIMER], 20);
    assert_int_equal(bed_take(&bed, 20), 0);
    bed_close(&bed);
}

static void test_alarm_in_the_past_rings_at_once(void **state) {
    alarm_bed bed;
    const uint64_t now_ns = rs_os_now_ns();
    (void)state;
    bed_open(&bed);
    rs_win_alarm_set(bed.alarm, now_ns, now_ns - MS, &bed.calls);
    assert_int_equal(bed_take(&bed, PATIENCE_MS), KEY);
    bed_close(&bed);
}

/* One that is set for later stays; for an earlier time it is set anew. */
static void test_alarm_keeps_the_earliest_time(void **state) {
    alarm_bed bed;
    (void)state;
    bed_open(&bed);
    bed_set(&bed, 60000 * MS);
    bed_set(&bed, 70000 * MS);
    assert_int_equal(bed.calls.count[RS_WIN_SETTIMER], 1);
    bed_set(&bed, 2 * MS);
    assert_int_equal(bed.calls.count[RS_WIN_SETTIMER], 2);
    assert_int_equal(bed_take(&bed, PATIENCE_MS), KEY);
    bed_close(&bed);
}

static void test_alarm_leaves_the_port_to_others(void **state) {
    alarm_bed bed;
    (void)state;
    bed_open(&bed);
    bed_set(&bed, 60000 * MS); /* never rings: closing ends it */
    assert_true(PostQueuedCompletionStatus(bed.port, 0, OTHER, NULL));
    assert_int_equal(bed_take(&bed, PATIENCE_MS), OTHER);
    assert_int_equal(bed_take(&bed, 20), 0);
    bed_close(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alarm_rings_each_time_and_not_before),
        cmocka_unit_test(test_alarm_in_the_past_rings_at_once),
        cmocka_unit_test(test_alarm_keeps_the_earliest_time),
        cmocka_unit_test(test_alarm_leaves_the_port_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
