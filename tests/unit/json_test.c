/* SPDX-License-Identifier: MIT */
/* The writer's text, compared whole: structure, escapes, numbers at the ends of their ranges; and
 * every buffer size from one byte up, with guard bytes behind it. */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "unit/child.h"
#include "unit/random.h"

static const char *self;
static uint64_t seed;
static char out[4096];

static void check_text(rs_json *json, const char *expected) {
    size_t length = 0;
    assert_true(rs_json_finish(json, &length));
    assert_string_equal(out, expected);
    assert_int_equal(length, strlen(expected));
}

static void write_everything(rs_json *json) {
    rs_json_object(json, NULL);
    rs_json_string(json, "name", "rio");
    rs_json_array(json, "list");
    rs_json_u64(json, NULL, 1);
    rs_json_object(json, NULL);
    rs_json_end(json);
    rs_json_array(json, NULL);
    rs_json_end(json);
    rs_json_null(json, NULL);
    rs_json_end(json);
    rs_json_object(json, "in");
    rs_json_bool(json, "a", true);
    rs_json_bool(json, "b", false);
    rs_json_i64(json, "c", -5);
    rs_json_end(json);
    rs_json_double(json, "d", 2.5);
    rs_json_end(json);
}

static const char everything[] = "{\"name\":\"rio\",\"list\":[1,{},[],null],"
                                 "\"in\":{\"a\":true,\"b\":false,\"c\":-5},\"d\":2.5}";

static void test_json_nested_values_are_separated_and_closed(void **state) {
    (void)state;
    rs_json json;
    rs_json_init(&json, out, sizeof out);
    write_everything(&json);
    check_text(&json, everything);
}

static void test_json_every_buffer_size_is_kept_within(void **state) {
    (void)state;
    const size_t need = sizeof everything; /* terminator included */
    for (size_t bytes = 1; bytes <= need + 2; bytes++) {
        rs_json json;
        size_t length = 0;
        memset(out, 'g', sizeof out);
        rs_json_init(&json, out, bytes);
        write_everything(&json);
        assert_int_equal(rs_json_finish(&json, &length), bytes >= need);
        assert_true(length < bytes);
        assert_int_equal(out[length], '\0');
        assert_int_equal(strncmp(out, everything, length), 0);
        for (size_t i = bytes; i < need + 10; i++) {
            assert_int_equal(out[i], 'g');
        }
    }
}

static void test_json_unfinished_object_is_reported(void **state) {
    (void)state;
    rs_json json;
    size_t length;
    rs_json_init(&json, out, sizeof out);
    assert_false(rs_json_finish(&json, &length)); /* nothing at all is no JSON either */
    rs_json_object(&json, NULL);
    assert_false(rs_json_finish(&json, &length));
    rs_json_end(&json);
    assert_true(rs_json_finish(&json, &length));
}

static void test_json_strings_are_escaped(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"say \"hi\" \\ /", "\"say \\\"hi\\\" \\\\ /\""},
        {"a\nb\tc\rd", "\"a\\nb\\tc\\u000dd\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\xB2", "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\xB2\""},
        {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\""}, /* the last code point */
        {"\x80", "\"\xEF\xBF\xBD\""},                 /* a tail alone */
        {"\xC3", "\"\xEF\xBF\xBD\""},                 /* cut short */
        {"\xC3x", "\"\xEF\xBF\xBDx\""},               /* a lead alone */
        {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* overlong */
        {"\xE0\x9F\xBF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* surrogate */
        {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xF0\x9F\x8E", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xFF", "\"\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_json json;
        rs_json_init(&json, out, sizeof out);
        rs_json_string(&json, NULL, cases[i][0]);
        check_text(&json, cases[i][1]);
    }
}

static void test_json_keys_are_escaped_and_null_is_a_value(void **state) {
    (void)state;
    rs_json json;
    rs_json_init(&json, out, sizeof out);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "a\"b", NULL);
    rs_json_end(&json);
    check_text(&json, "{\"a\\\"b\":null}");
}

/* Every byte value, and every pair of a lead byte and another: the text must stay well-formed as
 * far as quotes, escapes and control characters go, and never read past the end. */
static void test_json_any_bytes_give_no_control_character(void **state) {
    (void)state;
    for (uint32_t pair = 0; pair < 65536u; pair++) {
        char *text = malloc(3);
        rs_json json;
        size_t length;
        assert_non_null(text);
        text[0] = (char)(pair & 0xFFu);
        text[1] = (char)(pair >> 8);
        text[2] = '\0';
        rs_json_init(&json, out, sizeof out);
        rs_json_string(&json, NULL, text);
        free(text);
        assert_true(rs_json_finish(&json, &length));
        assert_true(length >= 2 && out[0] == '"' && out[length - 1] == '"');
        for (size_t i = 0; i < length; i++) {
            assert_true((uint8_t)out[i] >= 0x20u);
        }
    }
}

static void check_double(double value, const char *expected) {
    rs_json json;
    rs_json_init(&json, out, sizeof out);
    rs_json_double(&json, NULL, value);
    check_text(&json, expected);
}

static void test_json_doubles_have_up_to_six_decimals(void **state) {
    (void)state;
    const double huge = 1e308;
    check_double(0, "0");
    check_double(-0.0, "0");
    check_double(1, "1");
    check_double(-1.5, "-1.5");
    check_double(0.1, "0.1");
    check_double(0.000001, "0.000001");
    check_double(0.0000004, "0");
    check_double(-0.0000004, "0");
    check_double(0.9999996, "1");
    check_double(123456.789, "123456.789");
    check_double(1.05, "1.05");
    check_double(999999999999.0, "999999999999");
    check_double(999999999999.5, "999999999999.5");
    check_double(-7.9999999, "-8");
    check_double(1e12, "1000000000000");
    check_double(-1e15, "-1000000000000000");
    check_double(huge * 10, "null");
    check_double(-huge * 10, "null");
    check_double(huge * 10 - huge * 10, "null");
}

static void test_json_random_doubles_read_back(void **state) {
    (void)state;
    test_random random = {seed};
    for (uint32_t i = 0; i < 100000u; i++) {
        const double value = (double)(int64_t)test_random_wide(&random, 60) /
                             (double)test_random_wide(&random, 40 + 1);
        const double signed_value = i % 2 ? value : -value;
        rs_json json;
        size_t length;
        if (!(value < 1e18)) {
            continue; /* divided by zero */
        }
        rs_json_init(&json, out, sizeof out);
        rs_json_double(&json, NULL, signed_value);
        assert_true(rs_json_finish(&json, &length));
        const double off = strtod(out, NULL) - signed_value;
        const double allowed = 5.1e-7 + value * 1e-15 + (value >= 1e12 ? 0.5 : 0);
        assert_true(off <= allowed && -off <= allowed);
    }
}

static void test_json_largest_finite_double_fits(void **state) {
    (void)state;
    rs_json json;
    size_t length;
    rs_json_init(&json, out, sizeof out);
    rs_json_double(&json, NULL, -1.7976931348623157e308);
    assert_true(rs_json_finish(&json, &length));
    assert_int_equal(length, 310);
}

static void test_json_integers_at_the_ends_of_their_ranges(void **state) {
    (void)state;
    rs_json json;
    rs_json_init(&json, out, sizeof out);
    rs_json_array(&json, NULL);
    rs_json_u64(&json, NULL, 0);
    rs_json_u64(&json, NULL, UINT64_MAX);
    rs_json_i64(&json, NULL, INT64_MAX);
    rs_json_i64(&json, NULL, INT64_MIN);
    rs_json_i64(&json, NULL, 0);
    rs_json_end(&json);
    check_text(&json, "[0,18446744073709551615,9223372036854775807,-9223372036854775808,0]");
}

static void test_json_misuse_is_asserted(void **state) {
    (void)state;
    const child_result no_key = child_run(self, "no_key");
    const child_result in_array = child_run(self, "in_array");
    const child_result deep = child_run(self, "deep");
    const child_result end = child_run(self, "end");
    assert_true(child_asserted(&no_key, "json->array[level]"));
    assert_true(child_asserted(&in_array, "json->array[level]"));
    assert_true(child_asserted(&deep, "RS_JSON_DEPTH_MAX"));
    assert_true(child_asserted(&end, "json->depth > 0"));
}

static int run_child(const char *name) {
    rs_json json;
    rs_json_init(&json, out, sizeof out);
    if (strcmp(name, "no_key") == 0) {
        rs_json_object(&json, NULL);
        rs_json_u64(&json, NULL, 1);
    } else if (strcmp(name, "in_array") == 0) {
        rs_json_array(&json, NULL);
        rs_json_u64(&json, "key", 1);
    } else if (strcmp(name, "deep") == 0) {
        for (uint32_t i = 0; i <= RS_JSON_DEPTH_MAX; i++) {
            rs_json_array(&json, NULL);
        }
    } else {
        rs_json_end(&json);
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        return run_child(name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_nested_values_are_separated_and_closed),
        cmocka_unit_test(test_json_every_buffer_size_is_kept_within),
        cmocka_unit_test(test_json_unfinished_object_is_reported),
        cmocka_unit_test(test_json_strings_are_escaped),
        cmocka_unit_test(test_json_keys_are_escaped_and_null_is_a_value),
        cmocka_unit_test(test_json_any_bytes_give_no_control_character),
        cmocka_unit_test(test_json_doubles_have_up_to_six_decimals),
        cmocka_unit_test(test_json_random_doubles_read_back),
        cmocka_unit_test(test_json_largest_finite_double_fits),
        cmocka_unit_test(test_json_integers_at_the_ends_of_their_ranges),
        cmocka_unit_test(test_json_misuse_is_asserted),
    };
    self = argv[0];
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
