/* SPDX-License-Identifier: MIT */
/* The notes without their experiments: no statement is missing from the table, every rule can give
 * every verdict that it says it can, samples are put together right, reports hold what was seen.
 * A pass of a rule is the verdict over made-up observations, and words to it. */
#include "notes/notes_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/stats.h"
#include "notes/note_state.h"

#define RUNS_MAX 8u
#define REPORT_BYTES 65536u
#define REPORT_NODES 4096u

/* The statements of the notes, as they were listed when this program was asked for. */
static const char *const all_ids[] = {
    "a1",  "a2",  "a3",  "a4",  "a5",  "a6",  "a7",  "b1",  "b2",  "b3",  "b4",  "b5",
    "b6",  "b7",  "b8",  "b9",  "b10", "b11", "b12", "b13", "b14", "b15", "b16", "b17",
    "c1",  "c2",  "c3",  "c4",  "c5",  "c6",  "c7",  "c8",  "c9",  "c10", "c11", "c12",
    "c13", "c14", "c15", "c16", "c17", "d1",  "d2",  "d3",  "d4",  "d5",  "d6",  "d7",
    "d8",  "d9",  "d10", "e1",  "e2",  "e3",  "f1",  "f2",  "f3",  "f4",
};
#define ALL_IDS (sizeof all_ids / sizeof all_ids[0])

/* ---- the table */

static void test_table_names_every_statement_once(void **state) {
    (void)state;
    assert_int_equal(NOTE_ROWS, ALL_IDS);
    for (size_t i = 0; i < ALL_IDS; i++) {
        assert_string_equal(note_rows[i].id, all_ids[i]);
        assert_ptr_equal(note_find(all_ids[i]), &note_rows[i]);
        assert_true(strlen(note_rows[i].statement) > 20);
    }
    assert_null(note_find("a0"));
    assert_null(note_find(""));
}

static void test_table_entries_are_whole(void **state) {
    char name[16];
    (void)state;
    for (uint32_t i = 0; i < NOTE_ROWS; i++) {
        const note_entry *entry = note_rows[i].entry;
        (void)snprintf(name, sizeof name, "%s_", note_rows[i].id); /* or one of a family */
        assert_memory_equal(entry->file, "bench/notes/", 12);
        assert_non_null(strstr(entry->file, name));
        assert_non_null(entry->judge);
        assert_in_range(entry->figures, 1, NOTE_FIGURES_MAX);
        assert_true(entry->where != NOTE_WINDOWS_KERNEL || entry->cannot != NULL);
#ifdef _WIN32
        assert_non_null(entry->run);
#else
        assert_true((entry->run != NULL) == (entry->where == NOTE_ANYWHERE));
#endif
    }
}

/* ---- the rules */

typedef struct rule_case {
    const char *id;
    note_kind expected;
    note_seen seen[NOTE_FIGURES_MAX];
} rule_case;

#define SEEN(number)                                                                               \
    { .value = (number), .low = (number), .high = (number), .count = 5 }
#define BETWEEN(number, from, to)                                                                  \
    { .value = (number), .low = (from), .high = (to), .count = 5 }
#define UNSEEN                                                                                     \
    { .count = 0 }

static const rule_case cases[] = {
#include "unit/notes_cases_ab.h"
#include "unit/notes_cases_cf.h"
};
#define CASES (sizeof cases / sizeof cases[0])

static note_verdict rule_apply(const note_entry *entry, const rule_case *from) {
    note_seen seen[NOTE_FIGURES_MAX];
    for (uint32_t i = 0; i < NOTE_FIGURES_MAX; i++) {
        seen[i] = from->seen[i].count > 0 ? from->seen[i]
                                          : (note_seen){.value = NAN, .low = NAN, .high = NAN};
    }
    return entry->judge(seen);
}

static void test_rules_give_the_verdict_expected(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const note_row *row = note_find(cases[i].id);
        assert_non_null(row);
        assert_non_null(row->entry);
        const note_verdict verdict = rule_apply(row->entry, &cases[i]);
        if (verdict.kind != cases[i].expected || strlen(verdict.words) < 10) {
            fail_msg("case %zu, %s: '%s' (%s), expected '%s'", i, cases[i].id,
                     notes_kind_name(verdict.kind), verdict.words,
                     notes_kind_name(cases[i].expected));
        }
    }
}

static void test_rules_come_out_every_way(void **state) {
    (void)state;
    for (uint32_t r = 0; r < NOTE_ROWS; r++) {
        uint32_t kinds = 0, ways = 0;
        for (size_t i = 0; i < CASES; i++) {
            kinds |= strcmp(cases[i].id, note_rows[r].id) == 0 ? NOTE_BIT(cases[i].expected) : 0;
        }
        for (uint32_t kind = 0; kind < NOTE_KINDS; kind++) {
            ways += kinds >> kind & 1u;
        }
        if (kinds != note_rows[r].entry->kinds || ways < 2) {
            fail_msg("%s: verdicts with a case 0x%x, the entry names 0x%x", note_rows[r].id, kinds,
                     note_rows[r].entry->kinds);
        }
    }
}

/* ---- samples */

enum { A_MEDIAN, A_SUM, A_MOST, A_LEAST };
static const note_figure sample_figures[] = {
    [A_MEDIAN] = {"a median", "us", NOTE_MEDIAN},
    [A_SUM] = {"a sum", "", NOTE_SUM},
    [A_MOST] = {"the most", "", NOTE_MOST},
    [A_LEAST] = {"the least", "", NOTE_LEAST},
};

static note_verdict sample_judge(const note_seen *seen) {
    return note_say(seen[A_SUM].value > 0 ? NOTE_DOES_NOT_HOLD : NOTE_HOLDS, "a rule <b> | %.0f",
                    seen[A_SUM].value);
}

static const note_entry sample_entry = {
    .file = "bench/notes/x1_sample.c",
    .figure = sample_figures,
    .figures = NOTE_COUNT(sample_figures),
    .judge = sample_judge,
    .command = "compare --tradeoffs x",
};

static note subject;

static void test_samples_merge_by_their_kind(void **state) {
    note_seen seen[NOTE_FIGURES_MAX];
    (void)state;
    note_init(&subject, &sample_entry);
    for (uint32_t i = 0; i < 5; i++) {
        static const double values[] = {7, 3, 4, 9, 5};
        for (uint32_t figure = A_MEDIAN; figure <= A_LEAST; figure++) {
            note_add(&subject, figure, values[i]);
            note_add(&subject, figure, NAN);
        }
    }
    note_merge_all(&subject, seen);
    assert_true(seen[A_MEDIAN].value == 5 && seen[A_MEDIAN].count == 5);
    assert_true(seen[A_MEDIAN].low == 3 && seen[A_MEDIAN].high == 9 && seen[A_MEDIAN].p99 == 9);
    assert_true(seen[A_SUM].value == 28 && seen[A_SUM].low == 28);
    assert_true(seen[A_MOST].value == 9);
    assert_true(seen[A_LEAST].value == 3);
    note_init(&subject, &sample_entry);
    note_merge_all(&subject, seen);
    assert_true(!rs_is_known(seen[A_SUM].value) && seen[A_SUM].count == 0);
}

static void test_samples_beyond_the_room_are_left_out(void **state) {
    note_seen seen[NOTE_FIGURES_MAX];
    (void)state;
    note_init(&subject, &sample_entry);
    for (uint32_t i = 0; i < 3 * NOTE_SAMPLES_MAX; i++) {
        note_add(&subject, A_MEDIAN, i < NOTE_SAMPLES_MAX ? 1 : 2);
        note_add(&subject, A_SUM, 1);
    }
    note_merge_all(&subject, seen);
    assert_int_equal(seen[A_MEDIAN].count, NOTE_SAMPLES_MAX);
    assert_true(seen[A_MEDIAN].value == 1);
    assert_true(seen[A_SUM].value == 3 * NOTE_SAMPLES_MAX);
}

static void test_failed_call_is_no_verdict_about_the_statement(void **state) {
    note_seen seen[NOTE_FIGURES_MAX];
    (void)state;
    note_init(&subject, &sample_entry);
    note_add(&subject, A_SUM, 0);
    note_merge_all(&subject, seen);
    assert_int_equal(note_judged(&subject, seen).kind, NOTE_HOLDS);
    note_failed(&subject, "connect");
    note_failed(&subject, "something later");
    const note_verdict verdict = note_judged(&subject, seen);
    assert_int_equal(verdict.kind, NOTE_CANNOT_TELL);
    assert_memory_equal(verdict.words, "connect failed", 14);
}

static void test_ratio_differs_when_its_interval_leaves_1_out(void **state) {
    const note_seen same = BETWEEN(1.1, 0.9, 1.3), more = BETWEEN(1.1, 1.05, 1.3);
    const note_seen few = {.value = 2, .low = 2, .high = 2, .count = 2};
    char words[64];
    (void)state;
    assert_false(note_ratio_differs(&same));
    assert_true(note_ratio_differs(&more));
    assert_false(note_ratio_differs(&few));
    note_ratio_words(&same, words, sizeof words);
    assert_string_equal(words, "no difference (1.10, 0.90 to 1.30)");
    note_ratio_words(&more, words, sizeof words);
    assert_string_equal(words, "1.10 (1.05 to 1.30)");
    assert_int_equal(note_by_ratio(&more, "x").kind, NOTE_HOLDS);
    assert_int_equal(note_by_ratio(&same, "x").kind, NOTE_DOES_NOT_HOLD);
    assert_int_equal(note_by_ratio(&few, "x").kind, NOTE_CANNOT_TELL);
}

static void test_percentile_is_a_value_that_was_seen(void **state) {
    double values[] = {40, 10, 30, 20};
    (void)state;
    note_sort(values, 4);
    assert_true(values[0] == 10 && values[3] == 40);
    assert_true(note_percentile(values, 4, 0) == 10);
    assert_true(note_percentile(values, 4, 50) == 20);
    assert_true(note_percentile(values, 4, 99) == 40);
    assert_false(rs_is_known(note_percentile(values, 0, 50)));
}

/* ---- running */

static void run_adds(note *self) {
    note_add(self, A_SUM, 2);
}

static uint32_t runs_that_fail;

static void run_fails(note *self) {
    runs_that_fail++;
    note_add(self, A_SUM, 0);
    NOTE_NEED(self, false, "a call");
    note_add(self, A_SUM, 1);
}

static void run_does_not_end(note *self) {
    note_add(self, A_SUM, 0);
    for (;;) {
        rs_os_sleep_ms(50);
    }
}

static void run_entry(note_run_fn fn, uint32_t repeats, notes_result *out) {
    static note_entry entry[RUNS_MAX]; /* one each: a run that is given up still looks at its own */
    static note_row row[RUNS_MAX];
    static uint32_t at;
    assert_in_range(at, 0, RUNS_MAX - 1);
    entry[at] = sample_entry;
    entry[at].run = fn;
    entry[at].bound_s = 1;
    row[at] = (note_row){.id = "x1", .statement = "a statement", .entry = &entry[at]};
    notes_run(&row[at], repeats, out);
    at++;
}

static void test_run_repeats_and_judges(void **state) {
    notes_result out;
    (void)state;
    run_entry(run_adds, 3, &out);
    assert_true(out.ran && !out.broken);
    assert_true(out.seen[A_SUM].value == 6);
    assert_int_equal(out.verdict.kind, NOTE_DOES_NOT_HOLD);
}

static void test_run_that_fails_is_not_repeated(void **state) {
    notes_result out;
    (void)state;
    run_entry(run_fails, 3, &out);
    assert_int_equal(runs_that_fail, 1);
    assert_false(out.broken); /* of the machine, not of the program */
    assert_int_equal(out.verdict.kind, NOTE_CANNOT_TELL);
    assert_true(out.seen[A_SUM].value == 0);
}

static void test_run_that_does_not_end_is_given_up(void **state) {
    notes_result out;
    (void)state;
    run_entry(run_does_not_end, 3, &out);
    assert_true(out.broken);
    assert_int_equal(out.verdict.kind, NOTE_CANNOT_TELL);
}

static void test_run_where_there_is_nothing_to_run(void **state) {
    notes_result out;
    (void)state;
    run_entry(NULL, 3, &out);
    assert_false(out.broken || out.ran);
    assert_int_equal(out.verdict.kind, NOTE_CANNOT_TELL);
}

/* ---- reports */

static char report[REPORT_BYTES];
static notes_results results;

static int report_setup(void **state) {
    static note_row row = {.statement = "statement <1> with | in it", .entry = &sample_entry};
    notes_result *result = &results.result[0];
    (void)state;
    row.id = note_rows[0].id;
    memset(&results, 0, sizeof results);
    results.platform = "Wine 8.0 (reports Windows 10)";
    results.commit = "abc";
    results.wine = true;
    results.repeats = 5;
    results.count = 1;
    *result = (notes_result){.row = &row, .ran = true, .ms = 12};
    note_init(&subject, &sample_entry);
    for (uint32_t i = 0; i < 5; i++) {
        note_add(&subject, A_MEDIAN, 10 + i);
    }
    note_add(&subject, A_SUM, 3);
    note_merge_all(&subject, result->seen);
    result->verdict = note_judged(&subject, result->seen);
    return 0;
}

static void test_report_for_a_terminal_says_what_was_seen(void **state) {
    rs_compare_text text;
    (void)state;
    rs_compare_text_init(&text, report, sizeof report);
    notes_report_entry(&results.result[0], &text);
    assert_non_null(strstr(report, "does not hold: a rule <b> | 3"));
    assert_non_null(strstr(report, "12 us (10 to 14), p99 14"));
    assert_non_null(strstr(report, "compare --tradeoffs x"));
    assert_null(strstr(report, "the most")); /* nothing was added */
}

static void test_report_as_page_escapes(void **state) {
    rs_compare_text text;
    (void)state;
    rs_compare_text_init(&text, report, sizeof report);
    notes_report_html(&results, &text);
    assert_false(text.overflow);
    assert_non_null(strstr(report, "statement &lt;1&gt;"));
    assert_non_null(strstr(report, "a rule &lt;b&gt;"));
    assert_non_null(strstr(report, "does not hold"));
    assert_non_null(strstr(report, "Under Wine"));
}

static void test_report_table_comes_from_the_json(void **state) {
    static rs_json_node nodes[REPORT_NODES];
    static char table[REPORT_BYTES];
    rs_json_doc doc;
    rs_json json;
    rs_compare_text text;
    size_t bytes = 0;
    (void)state;
    rs_json_init(&json, report, sizeof report);
    notes_report_json(&results, &json);
    assert_true(rs_json_finish(&json, &bytes));
    assert_true(rs_json_read_parse(&doc, report, bytes, nodes, REPORT_NODES));
    rs_compare_text_init(&text, table, sizeof table);
    notes_report_markdown(&doc, 1, &text);
    assert_false(text.overflow);
    assert_non_null(strstr(table, "| id | statement | Wine 8.0 | Windows |"));
    assert_non_null(strstr(table, " | does not hold | not run yet |\n| a2 |"));
    assert_non_null(strstr(table, " | not run yet | not run yet |\n| a3 |"));
    assert_non_null(strstr(table, "*Wine 8.0*: a rule "));
    assert_null(strstr(table, "<b> | 3")); /* no new cell, no markup */
    for (size_t i = 0; i < ALL_IDS; i++) {
        char start[16];
        (void)snprintf(start, sizeof start, "\n| %s |", all_ids[i]);
        assert_non_null(strstr(table, start));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_names_every_statement_once),
        cmocka_unit_test(test_table_entries_are_whole),
        cmocka_unit_test(test_rules_give_the_verdict_expected),
        cmocka_unit_test(test_rules_come_out_every_way),
        cmocka_unit_test(test_samples_merge_by_their_kind),
        cmocka_unit_test(test_samples_beyond_the_room_are_left_out),
        cmocka_unit_test(test_failed_call_is_no_verdict_about_the_statement),
        cmocka_unit_test(test_ratio_differs_when_its_interval_leaves_1_out),
        cmocka_unit_test(test_percentile_is_a_value_that_was_seen),
        cmocka_unit_test(test_run_repeats_and_judges),
        cmocka_unit_test(test_run_that_fails_is_not_repeated),
        cmocka_unit_test(test_run_that_does_not_end_is_given_up),
        cmocka_unit_test(test_run_where_there_is_nothing_to_run),
        cmocka_unit_test_setup(test_report_for_a_terminal_says_what_was_seen, report_setup),
        cmocka_unit_test_setup(test_report_as_page_escapes, report_setup),
        cmocka_unit_test_setup(test_report_table_comes_from_the_json, report_setup),
    };
    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
