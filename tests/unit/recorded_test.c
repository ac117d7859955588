/* SPDX-License-Identifier: MIT */
/* Lists of settings: what runs of one cell share, what cells share, what is a cell's own. A pass:
 * every setting stands exactly where it belongs. */
#include "compare/recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* name, value, name, value, ..., NULL */
static rs_setting_list list_of(const char *const *words) {
    rs_setting_list list = {.count = 0};
    for (; words[0] != NULL; words += 2) {
        rs_settings_add(&list, words[0], words[1]);
    }
    return list;
}
#define LIST(...) list_of((const char *const[]){__VA_ARGS__, NULL})

static void is(const rs_setting_list *list, const char *words) {
    char text[RS_SETTINGS_BYTES];
    rs_settings_text(list, text, sizeof text);
    assert_string_equal(text, words);
}

static void test_recorded_merge_marks_what_varies(void **state) {
    (void)state;
    rs_setting_list list = {.count = 0}, run = LIST("port", "1", "rate", "50", "app", "echo");
    rs_recorded_merge(&list, &run);
    is(&list, "port=1, rate=50, app=echo");
    run = LIST("port", "2", "rate", "50", "app", "echo");
    rs_recorded_merge(&list, &run);
    is(&list, "port=varies, rate=50, app=echo");
    run = LIST("app", "echo", "rate", "5", "port", "3");
    rs_recorded_merge(&list, &run);
    is(&list, "port=varies, rate=varies, app=echo");
    run.count = 0;
    rs_recorded_merge(&list, &run);
    is(&list, "port=varies, rate=varies, app=echo");
}

static void test_recorded_rest_is_what_the_others_have_not(void **state) {
    (void)state;
    const rs_setting_list first = LIST("a", "1", "b", "2", "c", "3");
    const rs_setting_list second = LIST("b", "2", "a", "1", "c", "4");
    const rs_setting_list unknown = {.count = 0};
    rs_setting_list common = first, rest;
    rs_recorded_keep(&common, &second);
    is(&common, "a=1, b=2");
    rs_recorded_keep(&common, &unknown); /* a cell that is not known says nothing */
    is(&common, "a=1, b=2");
    rs_recorded_rest(&rest, &first, &common);
    is(&rest, "c=3");
    rs_recorded_rest(&rest, &second, &common);
    is(&rest, "c=4");
    rs_recorded_rest(&rest, &common, &first);
    is(&rest, "");
}

static void test_recorded_list_of_full_length_is_cut_and_ends(void **state) {
    char longest[64], text[100];
    rs_setting_list list = {.count = 0};
    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1u] = '\0';
    for (uint32_t i = 0; i < RS_SETTINGS_MAX + 1u; i++) {
        rs_settings_add(&list, longest, longest);
    }
    assert_int_equal(list.count, RS_SETTINGS_MAX);
    assert_int_equal(strlen(list.setting[0].name), sizeof list.setting[0].name - 1u);
    assert_int_equal(strlen(list.setting[0].value), sizeof list.setting[0].value - 1u);
    rs_settings_text(&list, text, sizeof text);
    assert_int_equal(strlen(text), sizeof text - 1u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_merge_marks_what_varies),
        cmocka_unit_test(test_recorded_rest_is_what_the_others_have_not),
        cmocka_unit_test(test_recorded_list_of_full_length_is_cut_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
