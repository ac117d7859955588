/* SPDX-License-Identifier: MIT */
/* Texts that RFC 8259 allows and texts it does not, each with its verdict; the bounds on depth,
 * nodes and numbers at and one past their ends; and what core/json.h writes, read back. A pass is
 * the expected verdict and values; a refused text must say why and where. */
#include "compare/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/json.h"

#define NODES 64u

static rs_json_node node[NODES];
static rs_json_doc doc;

static bool known(double value) {
    return fabs(value) <= DBL_MAX; /* isnan of MinGW warns under -Wconversion */
}

static bool reads(const char *text) {
    return rs_json_read_parse(&doc, text, strlen(text), node, NODES);
}

static void test_json_read_valid_texts_are_accepted(void **state) {
    (void)state;
    static const char *const valid[] = {"null",
                                        "true",
                                        " false ",
                                        "0",
                                        "-0",
                                        "1.5e+3",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        "[1,2]",
                                        "[[]]",
                                        "{\"\":0}",
                                        "1E5",
                                        "\t1",
                                        "\"\\u0041\"",
                                        "\"\xC3\xA9\"",
                                        "\"\\ud83d\\ude00\"",
                                        "\"\xF0\x9F\x98\x80\"",
                                        "{\"a\":{\"b\":[null,{}]}}",
                                        "\r\n[ ]\n"};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        assert_true(reads(valid[i]));
        assert_null(doc.error);
    }
}

static void test_json_read_invalid_texts_are_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const invalid[] = {"",
                                          " ",
                                          "nul",
                                          "tru",
                                          "01",
                                          "-",
                                          "1.",
                                          ".5",
                                          "1e",
                                          "+1",
                                          "0x1",
                                          "NaN",
                                          "Infinity",
                                          "'a'",
                                          "\"",
                                          "\"\n\"",
                                          "\"\\x\"",
                                          "\"\\u12\"",
                                          "[1,]",
                                          "[,1]",
                                          "[1 2]",
                                          "[",
                                          "]",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{\"a\":1,}",
                                          "{a:1}",
                                          "{\"a\" 1}",
                                          "{,}",
                                          "1 2",
                                          "[]x",
                                          "\"\x80\"",
                                          "\"\xC0\x80\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"\xF4\x90\x80\x80\"",
                                          "\"\xE2\x82\"",
                                          "\"\\ud800\"",
                                          "\"\\udc00\"",
                                          "\"\\ud800\\u0041\"",
                                          "1e999",
                                          "// c\n1",
                                          "[1}",
                                          "{\"a\":1]",
                                          "\"\\",
                                          "{\"a\":1,\"b\"}"};
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        assert_false(reads(invalid[i]));
        assert_non_null(doc.error);
        assert_true(doc.error_at <= strlen(invalid[i]));
    }
}

static void test_json_read_zero_byte_inside_the_text_is_refused(void **state) {
    (void)state;
    assert_false(rs_json_read_parse(&doc, "1\0", 2, node, NODES));
    assert_false(rs_json_read_parse(&doc, "\"a\0\"", 4, node, NODES));
}

static void test_json_read_every_cut_of_a_text_is_refused(void **state) {
    (void)state;
    static const char text[] = "{\"a\":[1,\"b\\u0041\",null],\"c\":{\"d\":-2.5e1}}";
    assert_true(reads(text));
    for (size_t bytes = 0; bytes + 1 < sizeof text; bytes++) {
        assert_false(rs_json_read_parse(&doc, text, bytes, node, NODES));
    }
}

static void test_json_read_depth_is_bounded_exactly(void **state) {
    (void)state;
    char text[2 * RS_JSON_READ_DEPTH_MAX + 3];
    for (uint32_t depth = RS_JSON_READ_DEPTH_MAX; depth <= RS_JSON_READ_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(rs_json_read_parse(&doc, text, 2u * depth, node, NODES),
                         depth == RS_JSON_READ_DEPTH_MAX);
    }
}

static void test_json_read_nodes_are_bounded_exactly(void **state) {
    (void)state;
    assert_true(rs_json_read_parse(&doc, "[1,2]", 5, node, 3));
    assert_false(rs_json_read_parse(&doc, "[1,2]", 5, node, 2));
    assert_string_equal(doc.error, "too many values");
}

static void test_json_read_number_length_is_bounded_exactly(void **state) {
    (void)state;
    char text[RS_JSON_READ_NUMBER_MAX + 1];
    memset(text, '0', sizeof text);
    text[1] = '.';
    assert_true(rs_json_read_parse(&doc, text, RS_JSON_READ_NUMBER_MAX, node, NODES));
    assert_false(rs_json_read_parse(&doc, text, RS_JSON_READ_NUMBER_MAX + 1, node, NODES));
}

static void test_json_read_path_finds_the_value(void **state) {
    (void)state;
    assert_true(reads("{\"a\":{\"b\":{\"c\":7}},\"a2\":1,\"a\":2,\"n\":null,\"s\":\"5\"}"));
    assert_true(rs_json_read_number(&doc, NULL, "a.b.c") == 7);
    assert_true(rs_json_read_number(&doc, NULL, "a2") == 1);
    assert_true(!known(rs_json_read_number(&doc, NULL, "a.b")));
    assert_true(!known(rs_json_read_number(&doc, NULL, "a.b.c.d")));
    assert_true(!known(rs_json_read_number(&doc, NULL, "n")));
    assert_true(!known(rs_json_read_number(&doc, NULL, "s")));
    assert_null(rs_json_read_get(&doc, NULL, "x"));
    assert_ptr_equal(rs_json_read_get(&doc, NULL, ""), &node[0]);
}

static void test_json_read_strings_are_decoded_and_cut(void **state) {
    (void)state;
    char out[32], small[4];
    assert_true(reads("[\"a\\\"\\\\\\/\\n\\u0041\\u00e9\\ud83d\\ude00\",12]"));
    const rs_json_node *text = rs_json_read_child(&doc, &node[0]);
    rs_json_read_text(&doc, text, out, sizeof out);
    assert_string_equal(out, "a\"\\/\nA\xC3\xA9\xF0\x9F\x98\x80");
    rs_json_read_text(&doc, text, small, sizeof small);
    assert_string_equal(small, "a\"\\");
    rs_json_read_text(&doc, rs_json_read_next(&doc, text), out, sizeof out);
    assert_string_equal(out, "12");
    rs_json_read_text(&doc, &node[0], out, sizeof out);
    assert_string_equal(out, "");
    rs_json_read_text(&doc, NULL, out, sizeof out);
    assert_string_equal(out, "");
}

static void test_json_read_members_are_walked_in_order(void **state) {
    (void)state;
    char key[8];
    const char *names[] = {"x", "y", "z"};
    uint32_t count = 0;
    assert_true(reads("{\"x\":[1,2],\"y\":{},\"z\":3}"));
    assert_int_equal(node[0].count, 3);
    for (const rs_json_node *at = rs_json_read_child(&doc, &node[0]); at != NULL;
         at = rs_json_read_next(&doc, at)) {
        rs_json_read_key(&doc, at, key, sizeof key);
        assert_string_equal(key, names[count++]);
    }
    assert_int_equal(count, 3);
}

static void test_json_read_takes_what_the_writer_writes(void **state) {
    (void)state;
    char text[2048], back[64];
    size_t length;
    rs_json json;
    rs_json_init(&json, text, sizeof text);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "odd \" \\ \n \x01 key", "tab\t, \xC3\xA9, bad \xFF");
    rs_json_double(&json, "double", DBL_MAX);
    rs_json_double(&json, "nan", NAN);
    rs_json_i64(&json, "least", INT64_MIN);
    rs_json_end(&json);
    assert_true(rs_json_finish(&json, &length));
    assert_true(rs_json_read_parse(&doc, text, length, node, NODES));
    rs_json_read_text(&doc, rs_json_read_child(&doc, &node[0]), back, sizeof back);
    assert_string_equal(back, "tab\t, \xC3\xA9, bad \xEF\xBF\xBD");
    assert_true(rs_json_read_number(&doc, NULL, "least") == (double)INT64_MIN);
    assert_true(!known(rs_json_read_number(&doc, NULL, "nan")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_read_valid_texts_are_accepted),
        cmocka_unit_test(test_json_read_invalid_texts_are_refused_with_a_reason),
        cmocka_unit_test(test_json_read_zero_byte_inside_the_text_is_refused),
        cmocka_unit_test(test_json_read_every_cut_of_a_text_is_refused),
        cmocka_unit_test(test_json_read_depth_is_bounded_exactly),
        cmocka_unit_test(test_json_read_nodes_are_bounded_exactly),
        cmocka_unit_test(test_json_read_number_length_is_bounded_exactly),
        cmocka_unit_test(test_json_read_path_finds_the_value),
        cmocka_unit_test(test_json_read_strings_are_decoded_and_cut),
        cmocka_unit_test(test_json_read_members_are_walked_in_order),
        cmocka_unit_test(test_json_read_takes_what_the_writer_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
