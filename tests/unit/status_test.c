/* SPDX-License-Identifier: MIT */
/* The status table against a second, hand-written list of its numbers: they stand in JSON files,
 * so a renumbering must fail here. Passes when every entry has that number and a name and a text of
 * its own, and whatever is outside the table is named as unknown. */
#include "core/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

typedef struct entry {
    rs_status status;
    int number;
    const char *name;
    const char *text;
} entry;

static const entry table[] = {
#define X(name, number, text) {name, number, #name, text},
    RS_STATUS_TABLE(X)
#undef X
};
#define TABLE_COUNT ((int)(sizeof table / sizeof table[0]))

static const char *const published[] = {
    "RS_OK",
    "RS_E_AGAIN",
    "RS_E_INVALID",
    "RS_E_NO_MEMORY",
    "RS_E_NO_BUFFERS",
    "RS_E_FULL",
    "RS_E_CLOSED",
    "RS_E_STALE",
    "RS_E_RESET",
    "RS_E_ABORTED",
    "RS_E_REFUSED",
    "RS_E_TIMED_OUT",
    "RS_E_UNREACHABLE",
    "RS_E_ADDRESS_IN_USE",
    "RS_E_ADDRESS",
    "RS_E_ACCESS",
    "RS_E_UNSUPPORTED",
    "RS_E_RIO_UNAVAILABLE",
    "RS_E_PROTOCOL",
    "RS_E_TRUNCATED",
    "RS_E_OS",
    "RS_E_CORRUPT",
    "RS_E_LISTENER",
    "RS_E_USAGE",
};
#define PUBLISHED_COUNT ((int)(sizeof published / sizeof published[0]))

static void test_status_published_numbers_keep_their_names(void **state) {
    (void)state;
    assert_true(TABLE_COUNT >= PUBLISHED_COUNT);
    for (int i = 0; i < PUBLISHED_COUNT; i++) {
        assert_string_equal(rs_status_name((rs_status)i), published[i]);
    }
}

static void test_status_table_entries_are_unique(void **state) {
    (void)state;
    for (int i = 0; i < TABLE_COUNT; i++) {
        assert_int_equal(table[i].status, table[i].number);
        for (int k = i + 1; k < TABLE_COUNT; k++) {
            assert_int_not_equal(table[i].number, table[k].number);
            assert_string_not_equal(table[i].name, table[k].name);
            assert_string_not_equal(table[i].text, table[k].text);
        }
    }
}

static void test_status_name_and_text_come_from_the_table(void **state) {
    (void)state;
    for (int i = 0; i < TABLE_COUNT; i++) {
        assert_string_equal(rs_status_name(table[i].status), table[i].name);
        assert_string_equal(rs_status_text(table[i].status), table[i].text);
        assert_true(strlen(rs_status_text(table[i].status)) > 0);
        assert_null(strchr(rs_status_text(table[i].status), '\n'));
    }
}

static void test_status_outside_the_table_is_named_unknown(void **state) {
    (void)state;
    for (int i = TABLE_COUNT; i < TABLE_COUNT + 1000; i++) {
        assert_string_equal(rs_status_name((rs_status)i), "RS_E_?");
        assert_string_equal(rs_status_text((rs_status)i), "unknown status");
    }
}

static void test_status_error_set_fills_all_and_returns_the_status(void **state) {
    (void)state;
    rs_error error;
    memset(&error, 0x5A, sizeof error);
    assert_int_equal(rs_error_set(&error, RS_E_FULL, "bind", 98, "port %d: %s", 4000, "in use"),
                     RS_E_FULL);
    assert_string_equal(error.call, "bind");
    assert_int_equal(error.os_error, 98);
    assert_string_equal(error.text, "port 4000: in use");
}

static void test_status_error_set_without_a_record_returns_the_status(void **state) {
    (void)state;
    assert_int_equal(rs_error_set(NULL, RS_E_OS, "open", 1, "%s", "text"), RS_E_OS);
}

static void test_status_error_set_with_a_long_text_cuts_it(void **state) {
    (void)state;
    struct {
        rs_error error;
        char guard;
    } box = {.guard = 'g'};
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)rs_error_set(&box.error, RS_E_OS, NULL, 0, "%s", text);
    assert_int_equal(strlen(box.error.text), sizeof box.error.text - 1);
    assert_int_equal(box.guard, 'g');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_published_numbers_keep_their_names),
        cmocka_unit_test(test_status_table_entries_are_unique),
        cmocka_unit_test(test_status_name_and_text_come_from_the_table),
        cmocka_unit_test(test_status_outside_the_table_is_named_unknown),
        cmocka_unit_test(test_status_error_set_fills_all_and_returns_the_status),
        cmocka_unit_test(test_status_error_set_without_a_record_returns_the_status),
        cmocka_unit_test(test_status_error_set_with_a_long_text_cuts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
