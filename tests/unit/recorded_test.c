/* Lists of settings: what runs of one cell share, what cells share, what is a cell's own. A pass:
 * every entry stands exactly where it belongs. */
#include "compare/recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char list[RS_SETTINGS_BYTES], out[RS_SETTINGS_BYTES];

static void start(const char *words) {
    memset(list, 0, sizeof list);
    (void)strcpy(list, words);
}

static void test_recorded_merge_marks_what_varies(void **state) {
    (void)state;
    start("");
    rs_recorded_merge(list, "port=1, rate=50, app=echo");
    assert_string_equal(list, "port=1, rate=50, app=echo");
    rs_recorded_merge(list, "port=2, rate=50, app=echo");
    assert_string_equal(list, "port=varies, rate=50, app=echo");
    rs_recorded_merge(list, "port=3, rate=5, app=echo");
    assert_string_equal(list, "port=varies, rate=varies, app=echo");
    rs_recorded_merge(list, "");
    assert_string_equal(list, "port=varies, rate=varies, app=echo");
}

/* rate=5 is no part of rate=50, nor rate of rate_min. */
static void test_recorded_entries_are_told_apart_whole(void **state) {
    (void)state;
    start("rate=5, rate_min=98");
    rs_recorded_keep(list, "rate=50, rate_min=98");
    assert_string_equal(list, "rate_min=98");
    start("rate=5");
    rs_recorded_keep(list, "rate_min=5");
    assert_string_equal(list, "");
}

static void test_recorded_rest_is_what_the_others_have_not(void **state) {
    (void)state;
    start("a=1, b=2, c=3");
    rs_recorded_keep(list, "b=2, a=1, c=4");
    assert_string_equal(list, "a=1, b=2");
    rs_recorded_keep(list, ""); /* a cell that is not known says nothing */
    assert_string_equal(list, "a=1, b=2");
    rs_recorded_rest(out, "a=1, b=2, c=3", list);
    assert_string_equal(out, "c=3");
    rs_recorded_rest(out, "b=2, a=1, c=4", list);
    assert_string_equal(out, "c=4");
    rs_recorded_rest(out, "a=1", list);
    assert_string_equal(out, "");
}

static void test_recorded_list_of_full_length_is_cut_and_ends(void **state) {
    char longest[RS_SETTINGS_BYTES];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[3] = '=';
    longest[sizeof longest - 1u] = '\0';
    start("");
    rs_recorded_merge(list, longest);
    rs_recorded_merge(list, "xxx=short");
    assert_string_equal(list, "xxx=varies");
    start("");
    rs_recorded_merge(list, longest);
    rs_recorded_rest(out, list, "");
    assert_string_equal(out, longest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_merge_marks_what_varies),
        cmocka_unit_test(test_recorded_entries_are_told_apart_whole),
        cmocka_unit_test(test_recorded_rest_is_what_the_others_have_not),
        cmocka_unit_test(test_recorded_list_of_full_length_is_cut_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
