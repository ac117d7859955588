/* SPDX-License-Identifier: MIT */
/* Pairs of made-up results.json: equal, drifted, with cells missing, with void runs, at fixed
 * rates, of different machines. A pass is the count of figures and ratios that agree, and the
 * answer. */
#include "compare/agreement.h"
#include "compare/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define NODES 1024u

typedef struct side {
    char text[8192];
    rs_json_node node[NODES];
    rs_json_doc doc;
} side;

static side first, second;
static rs_table table;

/* One cell: five runs around `rate`, a ratio interval around `ratio`, half as wide as `width`. */
static size_t add_cell(char *out, size_t bytes, const char *scenario, double rate, double ratio,
                       double width) {
    size_t used = (size_t)snprintf(
        out, bytes,
        "{\"scenario\":\"%s\",\"server\":\"rio_server\","
        "\"rate_ratio\":{\"median\":%.3f,\"low\":%.3f,\"high\":%.3f,\"pairs\":5},\"runs\":[",
        scenario, ratio, ratio - width, ratio + width);
    for (int i = -2; i <= 2; i++) {
        used += (size_t)snprintf(out + used, bytes - used, "%s{\"rate\":%.3f,\"cpu_sum_us\":null}",
                                 i > -2 ? "," : "", rate + i);
    }
    used += (size_t)snprintf(out + used, bytes - used, "]}");
    return used;
}

static void make(side *to, const char *machine, double rate, double ratio, const char *scenario) {
    size_t used = (size_t)snprintf(to->text, sizeof to->text,
                                   "{\"banner\":{\"machine\":\"%s\"},\"cells\":[", machine);
    used += add_cell(to->text + used, sizeof to->text - used, "wide", rate, ratio, 0.1);
    if (scenario != NULL) {
        used += (size_t)snprintf(to->text + used, sizeof to->text - used, ",");
        used += add_cell(to->text + used, sizeof to->text - used, scenario, rate, ratio, 0.1);
    }
    used += (size_t)snprintf(to->text + used, sizeof to->text - used, "]}");
    assert_true(rs_json_read_parse(&to->doc, to->text, used, to->node, NODES));
}

static void test_agreement_of_equal_results(void **state) {
    (void)state;
    rs_agreement count;
    make(&first, "a", 100, 1.5, "ramp");
    make(&second, "a", 100, 1.5, "ramp");
    assert_true(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.ratios, 2);
    assert_int_equal(count.ratios_agreed, 2);
    assert_int_equal(count.figures, 2); /* no CPU time is known: no row */
    assert_int_equal(count.agreed, 2);
    assert_int_equal(count.missing, 0);
    assert_int_equal(table.rows, 4);
    assert_string_equal(table.cell[0][3], "100 (98.0 to 102)");
    assert_string_equal(table.cell[0][5], "yes");
}

static void test_agreement_overlap_decides(void **state) {
    (void)state;
    rs_agreement count;
    make(&first, "a", 100, 1.5, NULL);
    make(&second, "a", 103, 1.69, NULL); /* 98..102 and 101..105; 1.4..1.6 and 1.59..1.79 */
    assert_true(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.agreed, 1);
    make(&second, "a", 105, 1.71, NULL); /* 103..107; 1.61..1.81 */
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.agreed, 0);
    assert_int_equal(count.ratios_agreed, 0);
    assert_string_equal(table.cell[1][2], "rate / baseline");
    assert_string_equal(table.cell[1][5], "NO");
    assert_false(rs_agreement_of(&second.doc, &first.doc, &table, &count)); /* either way round */
}

static void test_agreement_a_drift_of_both_servers_is_told_apart(void **state) {
    (void)state;
    rs_agreement count;
    make(&first, "a", 100, 1.5, NULL);
    make(&second, "a", 200, 1.5, NULL);
    assert_true(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.agreed, 0);
    assert_int_equal(count.ratios_agreed, 1);
}

static void test_agreement_missing_cells_are_no_agreement(void **state) {
    (void)state;
    rs_agreement count;
    make(&first, "a", 100, 1.5, "ramp");
    make(&second, "a", 100, 1.5, NULL);
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.missing, 1);
    assert_false(rs_agreement_of(&second.doc, &first.doc, &table, &count));
    assert_int_equal(count.missing, 1);
    make(&second, "a", 100, 1.5, "churn");
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.missing, 2);
}

static void test_agreement_too_few_runs_are_missing(void **state) {
    (void)state;
    rs_agreement count;
    static const char few[] = "{\"cells\":[{\"scenario\":\"wide\",\"server\":\"rio_server\","
                              "\"runs\":[{\"rate\":100},{\"void\":true},{\"rate\":101}]}]}";
    make(&first, "a", 100, 1.5, NULL);
    assert_true(rs_json_read_parse(&second.doc, few, sizeof few - 1, second.node, NODES));
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.missing, 1);
    assert_int_equal(count.figures, 0);
}

static void test_agreement_of_nothing_is_none(void **state) {
    (void)state;
    rs_agreement count;
    static const char *const texts[] = {"{}", "[]", "{\"cells\":[]}", "{\"cells\":[null,1,[]]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(rs_json_read_parse(&first.doc, texts[i], strlen(texts[i]), first.node, NODES));
        assert_false(rs_agreement_of(&first.doc, &first.doc, &table, &count));
        assert_int_equal(count.figures, 0);
    }
}

/* One fixed-rate cell: three equal runs, ratios of rate and p99 with intervals of no width. */
static void make_fixed(side *to, double rate_asked, double rate_ratio, double p99_ratio) {
    const int used = snprintf(
        to->text, sizeof to->text,
        "{\"cells\":[{\"scenario\":\"fixed-50\",\"server\":\"rio_server\",\"rate_asked\":%.3f,"
        "\"rate_ratio\":{\"median\":%.3f,\"low\":%.3f,\"high\":%.3f,\"pairs\":5},"
        "\"cpu_ratio\":{\"median\":2,\"low\":1.9,\"high\":2.1,\"pairs\":5},"
        "\"p99_ratio\":{\"median\":%.3f,\"low\":%.3f,\"high\":%.3f,\"pairs\":5},"
        "\"runs\":[{\"rate\":%.3f,\"cpu_sum_us\":5},{\"rate\":%.3f,\"cpu_sum_us\":5},"
        "{\"rate\":%.3f,\"cpu_sum_us\":5}]}]}",
        rate_asked, rate_ratio, rate_ratio, rate_ratio, p99_ratio, p99_ratio, p99_ratio, rate_asked,
        rate_asked, rate_asked);
    assert_true(rs_json_read_parse(&to->doc, to->text, (size_t)used, to->node, NODES));
}

static void test_agreement_at_a_fixed_rate_leaves_the_rate_out(void **state) {
    (void)state;
    rs_agreement count;
    make_fixed(&first, 1000, 1.0, 3.0);
    make_fixed(&second, 1009, 0.9, 3.0);
    assert_true(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.ratios, 2);
    assert_int_equal(count.figures, 1);
    assert_string_equal(table.cell[0][2], "CPU us/msg");
    assert_string_equal(table.cell[2][2], "p99 / baseline");
    make_fixed(&second, 1000, 1.0, 3.1);
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.ratios_agreed, 1);
}

static void test_agreement_of_other_rates_compares_nothing(void **state) {
    (void)state;
    rs_agreement count;
    make_fixed(&first, 1000, 1.0, 3.0);
    make_fixed(&second, 1011, 1.0, 3.0);
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.other_rate, 1);
    assert_int_equal(count.missing, 0);
    assert_int_equal(table.rows, 0);
    make(&second, "a", 100, 1.5, "fixed-50"); /* no rate asked for at all */
    assert_false(rs_agreement_of(&first.doc, &second.doc, &table, &count));
    assert_int_equal(count.other_rate, 1);
}

static void test_agreement_rate_asked(void **state) {
    (void)state;
    make_fixed(&first, 1000, 1.0, 3.0);
    assert_int_equal((int)rs_agreement_rate_asked(&first.doc, "fixed-50"), 1000);
    assert_false(rs_is_known(rs_agreement_rate_asked(&first.doc, "fixed-80")));
    make(&first, "a", 100, 1.5, NULL);
    assert_false(rs_is_known(rs_agreement_rate_asked(&first.doc, "wide")));
}

static void test_agreement_note_names_what_differs(void **state) {
    (void)state;
    char note[256];
    make(&first, "one", 100, 1.5, NULL);
    make(&second, "one", 100, 1.5, NULL);
    rs_agreement_note(&first.doc, &second.doc, note, sizeof note);
    assert_string_equal(note, "");
    make(&second, "another", 100, 1.5, NULL);
    rs_agreement_note(&first.doc, &second.doc, note, sizeof note);
    assert_non_null(strstr(note, "machine"));
    assert_non_null(strstr(note, "another"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement_of_equal_results),
        cmocka_unit_test(test_agreement_overlap_decides),
        cmocka_unit_test(test_agreement_a_drift_of_both_servers_is_told_apart),
        cmocka_unit_test(test_agreement_missing_cells_are_no_agreement),
        cmocka_unit_test(test_agreement_too_few_runs_are_missing),
        cmocka_unit_test(test_agreement_of_nothing_is_none),
        cmocka_unit_test(test_agreement_at_a_fixed_rate_leaves_the_rate_out),
        cmocka_unit_test(test_agreement_of_other_rates_compares_nothing),
        cmocka_unit_test(test_agreement_rate_asked),
        cmocka_unit_test(test_agreement_note_names_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
