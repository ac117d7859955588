/* SPDX-License-Identifier: MIT */
/* Each tier of assertion fails once in a child process; the parent looks at how the child ended
 * and at what it said. The debug tier is compiled here both with and without RS_DEBUG_CHECKS: the
 * header is read twice. */
#undef RS_DEBUG_CHECKS
#define RS_DEBUG_CHECKS
#include "core/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "unit/child.h"

static void check_with_debug_checks(volatile int *value) {
    RS_DEBUG_ASSERT(++*value == 0);
}

#undef RS_DEBUG_CHECKS
#undef RS_DEBUG_ASSERT
#undef RS_CORE_ASSERT_H
#include "core/assert.h"

static void check_without_debug_checks(volatile int *value) {
    RS_DEBUG_ASSERT(++*value == 0);
}

static const char *self;

static void test_assert_that_fails_aborts_with_file_and_condition(void **state) {
    (void)state;
    const child_result result = child_run(self, "assert");
    assert_true(child_asserted(&result, "value == 1"));
    assert_non_null(strstr(result.text, "assert_test.c:"));
    assert_null(strstr(result.text, "still alive"));
#if defined(_WIN32)
    assert_int_equal(result.code, 3); /* abort()'s own; 0xC0000409: the fault was reported */
#endif
}

static void test_assert_that_holds_goes_on(void **state) {
    (void)state;
    const child_result result = child_run(self, "hold");
    assert_true(result.exited);
    assert_int_equal(result.code, 0);
    assert_string_equal(result.text, "still alive\n");
}

static void test_assert_fatal_exits_3_with_call_and_reason(void **state) {
    (void)state;
    const child_result result = child_run(self, "fatal");
    assert_true(result.exited);
    assert_int_equal(result.code, 3);
    assert_non_null(
        strstr(result.text, "fatal: RIODequeueCompletion: queue corrupt (error 10055)"));
    assert_null(strstr(result.text, "assertion failed"));
    assert_null(strstr(result.text, "atexit ran"));
}

static void test_assert_debug_with_checks_fails(void **state) {
    (void)state;
    const child_result result = child_run(self, "debug");
    assert_true(child_asserted(&result, "++*value == 0"));
}

static void test_assert_debug_without_checks_does_not_evaluate(void **state) {
    (void)state;
    volatile int value = 5;
    check_without_debug_checks(&value);
    assert_int_equal(value, 5);
}

static void test_assert_debug_with_checks_that_hold_evaluates_once(void **state) {
    (void)state;
    volatile int value = -1;
    check_with_debug_checks(&value);
    assert_int_equal(value, 0);
}

static void say_atexit(void) {
    (void)fprintf(stderr, "atexit ran\n");
}

static int run_child(const char *name) {
    volatile int value = 0;
    if (strcmp(name, "assert") == 0) {
        RS_ASSERT(value == 1);
    } else if (strcmp(name, "hold") == 0) {
        RS_ASSERT(value == 0);
    } else if (strcmp(name, "debug") == 0) {
        check_with_debug_checks(&value);
    } else if (strcmp(name, "fatal") == 0) {
        (void)atexit(say_atexit);
        RS_FATAL("RIODequeueCompletion", 10055, "queue corrupt");
    } else {
        return 97;
    }
    (void)fprintf(stderr, "still alive\n");
    return 0;
}

int main(int argc, char **argv) {
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        return run_child(name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assert_that_fails_aborts_with_file_and_condition),
        cmocka_unit_test(test_assert_that_holds_goes_on),
        cmocka_unit_test(test_assert_fatal_exits_3_with_call_and_reason),
        cmocka_unit_test(test_assert_debug_with_checks_fails),
        cmocka_unit_test(test_assert_debug_without_checks_does_not_evaluate),
        cmocka_unit_test(test_assert_debug_with_checks_that_hold_evaluates_once),
    };
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
