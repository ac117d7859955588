/* SPDX-License-Identifier: MIT */
/* child.h itself: what the parent says arrives, whatever stands in it, and a child that does not
 * understand ends. A program whose arguments were split would take them for none and start itself
 * again, and so on. */
#include "unit/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#if !defined(_WIN32)
#include <sys/stat.h>
#endif

static const char *self;

static void test_child_case_with_blanks_arrives_as_one(void **state) {
    (void)state;
    const child_result result = child_run(self, "two words and \xc3\xbc");
    assert_true(result.exited);
    assert_int_equal(result.code, 7);
    assert_string_equal(result.text, "two words and \xc3\xbc");
}

static void test_child_without_a_case_ends(void **state) {
    child_result result = {.exited = false};
    (void)state;
    child_spawn(self, "no case", "no file", &result);
    assert_true(result.exited);
    assert_int_equal(result.code, CHILD_EXIT_LOST);
}

static void copy_program(const char *to) {
    static char bytes[65536];
    FILE *in = fopen(self, "rb"), *out = fopen(to, "wb");
    size_t got;
    assert_non_null(in);
    assert_non_null(out);
    while ((got = fread(bytes, 1, sizeof bytes, in)) > 0) {
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    }
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
#if !defined(_WIN32)
    assert_int_equal(chmod(to, 0700), 0);
#endif
}

static void test_child_program_with_blank_and_umlaut_is_found(void **state) {
    char path[480];
    (void)state;
    const int length = snprintf(path, sizeof path, "%s sp ace \xc3\xbc.exe", self);
    assert_in_range(length, 1, sizeof path - 1);
    copy_program(path);
    const child_result result = child_run(path, "one");
    (void)remove(path);
    assert_true(result.exited);
    assert_int_equal(result.code, 7);
    assert_string_equal(result.text, "one");
}

int main(int argc, char **argv) {
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        (void)fputs(name, stderr);
        return 7;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_child_case_with_blanks_arrives_as_one),
        cmocka_unit_test(test_child_without_a_case_ends),
        cmocka_unit_test(test_child_program_with_blank_and_umlaut_is_found),
    };
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
