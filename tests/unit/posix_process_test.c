/* SPDX-License-Identifier: MIT */
/* What compare reads of a process: of this one, whose threads use a known amount of CPU time. */
#include "compare/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "compare/stats.h"
#include "seam/os.h"

#define BURNT_NS UINT64_C(300000000)
#define SLACK_NS 40000000.0 /* of ticks, user and kernel, before and after */

static uint64_t thread_ns(void) {
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void burn(void *arg) {
    (void)arg;
    while (thread_ns() < BURNT_NS) {
    }
}

static void test_process_usage_keeps_threads_that_have_ended(void **state) {
    (void)state;
    const rs_process self = {.id = getpid()};
    rs_process_usage before, after;
    rs_os_thread *thread;
    rs_error error = {.call = NULL};
    rs_process_usage_read(&self, &before);
    assert_true(rs_is_known(before.switches));
    assert_int_equal(rs_os_thread_start(&thread, burn, NULL, &error), RS_OK);
    rs_os_thread_join(thread);
    rs_process_usage_read(&self, &after);
    assert_true(after.cpu_ns[0] - before.cpu_ns[0] > (double)BURNT_NS - SLACK_NS);
    assert_false(rs_is_known(after.switches));
}

static void test_process_usage_of_a_living_thread_is_exact(void **state) {
    (void)state;
    const rs_process self = {.id = getpid()};
    rs_process_usage before, after;
    rs_process_usage_read(&self, &before);
    const uint64_t start = thread_ns();
    while (thread_ns() - start < BURNT_NS) {
    }
    rs_process_usage_read(&self, &after);
    assert_true(after.cpu_ns[0] - before.cpu_ns[0] >= (double)BURNT_NS);
    assert_true(rs_is_known(after.switches));
    assert_true(after.faults >= before.faults);
    assert_true(after.memory_bytes > 0);
}

static void test_process_usage_of_nobody_is_not_known(void **state) {
    (void)state;
    const rs_process nobody = {.id = INT32_MAX};
    rs_process_usage usage;
    rs_process_usage_read(&nobody, &usage);
    assert_false(rs_is_known(usage.cpu_ns[0]));
    assert_false(rs_is_known(usage.switches));
    assert_false(rs_is_known(usage.memory_bytes));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_usage_of_a_living_thread_is_exact),
        cmocka_unit_test(test_process_usage_keeps_threads_that_have_ended),
        cmocka_unit_test(test_process_usage_of_nobody_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
