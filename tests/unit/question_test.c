/* SPDX-License-Identifier: MIT */
/* The register of questions: that each entry is whole and names what exists, and its rule on
 * made-up intervals until each answer has come. A pass is the answer by name and by words. */
#include "compare/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/map.h"
#include "compare/scenario.h"

static rs_map grid;
static rs_question_input input;
static rs_answer answer;

/* ---- the register */

static bool exists(const char *scenario) {
    return rs_scenario_find(scenario) != NULL || rs_map_find(&grid, scenario) != NULL;
}

static void test_question_entries_are_whole_and_numbered(void **state) {
    (void)state;
    uint32_t experiments = 0, here = 0;
    rs_map_make(&grid);
    for (uint32_t i = 0; i < rs_question_count(); i++) {
        const rs_question *question = rs_question_at(i);
        assert_int_equal(question->number, i + 1);
        assert_ptr_equal(rs_question_find(question->name), question);
        assert_non_null(strchr(question->question, '?'));
        assert_non_null(question->asker);
        assert_non_null(question->known);
        assert_int_equal(strncmp(question->link, "https://", 8), 0);
        assert_true((question->answered_by == NULL) == (question->answered_link == NULL));
        assert_true((question->hypothesis != NULL) == (question->clauses > 0));
        assert_true(question->hypothesis != NULL || question->leaves_open != NULL);
        experiments += question->hypothesis != NULL;
        here += question->hypothesis != NULL && question->why_windows == NULL;
    }
    assert_int_equal(rs_question_count(), 18);
    assert_true(experiments >= 12);
    assert_true(here >= 4);
}

static void test_question_clauses_name_what_exists_and_what_is_measured(void **state) {
    (void)state;
    rs_map_make(&grid);
    for (uint32_t i = 0; i < rs_question_count(); i++) {
        const rs_question *question = rs_question_at(i);
        bool late = false, cells = false;
        assert_true(question->clauses <= RS_QUESTION_CLAUSES_MAX);
        for (uint32_t k = 0; k < question->clauses; k++) {
            const rs_question_clause *clause = &question->clause[k];
            const rs_scenario *scenario = rs_scenario_find(clause->scenario);
            assert_true(exists(clause->scenario));
            assert_true(rs_question_uses(question, clause->scenario));
            assert_true(rs_question_measures(question, clause->server));
            assert_true(clause->change < (int32_t)question->changes);
            assert_true(clause->change >= 0 || clause->over != RS_OVER_DEFAULTS);
            assert_true(clause->change < 0 || clause->over != RS_OVER_IOCP);
            /* wineserver would be what is measured */
            assert_true(clause->over != RS_OVER_IOCP || question->why_windows != NULL);
            if (clause->change >= 0) {
                const rs_tradeoff *change = &question->change[clause->change];
                assert_true(rs_tradeoff_applies(change, clause->server));
                assert_true(rs_tradeoff_shows_in(change, clause->scenario));
            }
            late = late || (scenario != NULL && rs_scenario_is_late(scenario));
            cells = cells || scenario == NULL;
        }
        assert_false(late && cells);
    }
}

static void test_question_find_by_name_or_number_and_nothing_else(void **state) {
    (void)state;
    assert_ptr_equal(rs_question_find("13"), rs_question_find("gqcs-ex"));
    assert_null(rs_question_find("0"));
    assert_null(rs_question_find("013"));
    assert_null(rs_question_find("19"));
    assert_null(rs_question_find("gqcs"));
    assert_null(rs_question_find(""));
    assert_true(rs_question_asks(rs_question_find("skip-fairness"), RS_METRIC_LEAST));
    assert_false(rs_question_asks(rs_question_find("gqcs-ex"), RS_METRIC_LEAST));
}

static void test_question_clause_words_say_bound_and_what_it_is_over(void **state) {
    (void)state;
    char words[RS_QUESTION_WORDS_BYTES];
    rs_question_clause_words(rs_question_find("gqcs-ex"), 0, words);
    assert_string_equal(words, "wide: the processor time a message of iocp_server with gqcs=single "
                               "is at least 1.05 times that of its defaults");
    rs_question_clause_words(rs_question_find("sends-k"), 0, words);
    assert_string_equal(words, "large: the rate of rio_server with sends-in-flight=1 "
                               "send-block=4096 is at most 0.95 times that of its defaults");
    rs_question_clause_words(rs_question_find("web-server"), 1, words);
    assert_string_equal(words, "churn: the rate of rio_server is within 0.95 and 1.05 times that "
                               "of iocp_server");
    rs_question_clause_words(rs_question_find("look-up"), 0, words);
    assert_string_equal(words, "ping-pong: no run of rio_server is void");
    rs_question_clause_words(rs_question_find("send-completion"), 0, words);
    assert_string_equal(words, "ping-pong: the completions a dequeue of rio_server is at least "
                               "1.50");
}

/* ---- the rule */

static rs_question_seen seen(double low, double high) {
    return (rs_question_seen){
        .ratio = {.middle = (low + high) / 2, .low = low, .high = high, .count = 10}, .made = 10};
}

static void judge(const char *name, rs_answer_kind want, const char *words) {
    rs_question_judge(rs_question_find(name), &input, &answer);
    if (answer.kind != want || strstr(answer.text, words) == NULL) {
        fail_msg("%s: %s, '%s'; wanted %s, '%s'", name, rs_answer_name(answer.kind), answer.text,
                 rs_answer_name(want), words);
    }
}

static void see(rs_platform platform, rs_question_seen first, rs_question_seen second) {
    input = (rs_question_input){
        .platform = platform, .controls = 1, .repeats = 10, .seen = {first, second}};
}

static void test_question_all_clauses_hold_and_the_platform_is_named(void **state) {
    (void)state;
    see(RS_PLATFORM_WINE, seen(1.2, 1.4), seen(0.9, 1.02));
    judge("gqcs-ex", RS_ANSWER_HOLDS, "Under Wine the prediction holds.");
    assert_int_equal(answer.clause[0], RS_CLAUSE_BETTER);
    input.platform = RS_PLATFORM_WINDOWS;
    judge("gqcs-ex", RS_ANSWER_HOLDS, "On Windows the prediction holds.");
}

static void test_question_a_clause_that_fails_decides_before_one_that_is_open(void **state) {
    (void)state;
    see(RS_PLATFORM_WINE, seen(0.97, 1.04), seen(0.9, 1.2));
    judge("gqcs-ex", RS_ANSWER_FAILS, "fails in: wide: the processor time");
    assert_int_equal(answer.clause[0], RS_CLAUSE_WORSE);
    assert_int_equal(answer.clause[1], RS_CLAUSE_UNSETTLED);
}

static void test_question_an_open_clause_leaves_it_open_and_names_the_command(void **state) {
    (void)state;
    see(RS_PLATFORM_WINE, seen(1.2, 1.4), seen(0.9, 1.2));
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "1 of 2 clauses are open");
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "compare --question 13 --repeat 20");
    input.repeats = RS_REPEATS_MAX;
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "--repeat 100");
    input.seen[0].ratio.count = 2; /* a clear ratio of too few pairs */
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "2 of 2 clauses are open");
    input.seen[1].ratio.count = 0;
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "2 of 2 clauses have too few undisturbed runs");
}

static void test_question_same_holds_within_and_fails_outside(void **state) {
    (void)state;
    see(RS_PLATFORM_WINDOWS, seen(0.96, 1.04), seen(0.96, 1.04));
    judge("notify-by", RS_ANSWER_HOLDS, "holds");
    input.seen[1] = seen(1.06, 1.2);
    judge("notify-by", RS_ANSWER_FAILS, "many-small");
    input.seen[1] = seen(0.8, 0.94);
    judge("notify-by", RS_ANSWER_FAILS, "many-small");
    input.seen[1] = seen(1.02, 1.2); /* a difference, but maybe one within the bound */
    judge("notify-by", RS_ANSWER_NOT_SEPARABLE, "1 of 2");
    input.seen[1] = seen(0.9, 1.1);
    judge("notify-by", RS_ANSWER_NOT_SEPARABLE, "1 of 2");
    input.seen[1] = seen(1.06, 1.2);
    input.seen[1].ratio.count = 2;
    judge("notify-by", RS_ANSWER_NOT_SEPARABLE, "1 of 2");
    input.seen[1] = seen(0.96, 1.04);
    input.seen[1].ratio.count = 4; /* as many as the other bounds want, and one less */
    judge("notify-by", RS_ANSWER_NOT_SEPARABLE, "1 of 2");
}

static void test_question_sound_is_about_void_runs(void **state) {
    (void)state;
    see(RS_PLATFORM_WINDOWS, seen(1, 2), seen(1, 2));
    judge("churn-buffers", RS_ANSWER_HOLDS, "holds");
    input.seen[1].voided = 1;
    judge("churn-buffers", RS_ANSWER_FAILS, "no run of rio_server is void");
    input.seen[1].voided = 0;
    input.seen[1].made = 4;
    judge("churn-buffers", RS_ANSWER_NOT_SEPARABLE, "1 of 2");
}

/* One whose clauses are all counts is answered on a busy machine too, and says so. */
static void test_question_of_counts_stands_without_calm_runs(void **state) {
    (void)state;
    see(RS_PLATFORM_WINE, seen(1, 2), seen(0.9, 1.2));
    input.unfit = true;
    input.controls = 0;
    judge("pause-resume", RS_ANSWER_HOLDS, "Under Wine the prediction holds. It rests on counts");
    input.seen[0].voided = 1;
    judge("pause-resume", RS_ANSWER_FAILS, "no run of rio_server with recvs=8 is void");
    judge("skip-fairness", RS_ANSWER_NOT_SEPARABLE, "No answer: too many runs"); /* it has a p99 */
    assert_true(rs_question_counts(&rs_question_find("skip-fairness")->clause[0]));
    assert_false(rs_question_counts(&rs_question_find("skip-fairness")->clause[1]));
}

static void test_question_of_any_needs_one_clause_to_hold_or_all_to_fail(void **state) {
    (void)state;
    see(RS_PLATFORM_WINDOWS, seen(1.0, 1.1), seen(0.8, 0.9));
    input.seen[2] = seen(1.16, 1.3);
    input.seen[3] = seen(0.6, 0.8);
    judge("fifteen-thirty", RS_ANSWER_HOLDS, "since 256x16x32: the rate of rio_server");
    input.seen[2] = seen(1.0, 1.1);
    judge("fifteen-thirty", RS_ANSWER_NOT_SEPARABLE, "1 of 4 clauses");
    input.seen[3] = seen(0.71, 0.8);
    judge("fifteen-thirty", RS_ANSWER_FAILS, "fails in: wide");
}

static void test_question_wine_never_answers_across_servers(void **state) {
    (void)state;
    for (uint32_t i = 0; i < rs_question_count(); i++) {
        const rs_question *question = rs_question_at(i);
        if (question->why_windows != NULL) {
            see(RS_PLATFORM_WINE, seen(2, 3), seen(2, 3));
            judge(question->name, RS_ANSWER_CANNOT, "This machine cannot answer: ");
            judge(question->name, RS_ANSWER_CANNOT, "On Windows: bench\\compare.cmd --question ");
            assert_false(answer.judged);
        }
    }
    see(RS_PLATFORM_LINUX, seen(1.2, 1.4), seen(0.9, 1.02)); /* native servers alone */
    judge("gqcs-ex", RS_ANSWER_CANNOT, "no server of Windows");
}

static void test_question_needs_calm_runs_and_a_control_that_agrees(void **state) {
    (void)state;
    see(RS_PLATFORM_WINE, seen(1.2, 1.4), seen(0.9, 1.02));
    input.unfit = true;
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "No answer: too many runs");
    input.unfit = false;
    input.controls = 0;
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "No answer: there was no control");
    input.controls = 2;
    input.control_fails = true;
    judge("gqcs-ex", RS_ANSWER_NOT_SEPARABLE, "differs from itself");
    input.control_fails = false;
    judge("gqcs-ex", RS_ANSWER_HOLDS, "holds");
}

/* ---- from results */

#define REPEATS 7u
#define SUBJECTS 4u /* iocp_server, the two changes of gqcs-ex, the control */
static rs_results results;
static rs_compare_run run[SUBJECTS * REPEATS];
static rs_cell cell[SUBJECTS];

/* CPU time of each, from which the ratios follow. */
static void make_results(rs_platform platform, const double cpu[SUBJECTS]) {
    const rs_question *question = rs_question_find("gqcs-ex");
    memset(&results, 0, sizeof results);
    memset(run, 0, sizeof run);
    results.platform = platform;
    results.question = question;
    results.kind = RS_COMPARE_TRADEOFFS;
    results.unfit_percent = 25;
    results.clocks_tested = true;
    results.subjects = SUBJECTS;
    results.scenarios = 1;
    results.repeats = REPEATS;
    results.scenario[0] = rs_scenario_find("wide");
    results.run = run;
    results.cell = cell;
    for (uint32_t i = 0; i < SUBJECTS; i++) {
        (void)snprintf(results.subject[i].name, RS_NAME_BYTES, "%s",
                       i == 0 ? "iocp_server" : "a variant of it");
        results.subject[i].changed = i == 1 || i == 2 ? &question->change[i - 1] : NULL;
        results.subject[i].control = i == 3;
        results.subject[i].wine = platform == RS_PLATFORM_WINE;
        for (uint32_t k = 0; k < REPEATS; k++) {
            rs_compare_run *to = rs_results_run(&results, 0, i, k);
            to->state = RS_RUN_OK;
            to->value[RS_METRIC_RATE] = 1000 + k;
            to->value[RS_METRIC_CPU_SUM] = cpu[i] * (1 + k / 1000.0);
        }
    }
    rs_results_summarise(&results);
}

static void test_question_reads_its_clauses_from_results(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINE, (const double[]){10, 12, 10.2, 10});
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(answer.kind, RS_ANSWER_HOLDS);
    assert_int_equal(input.controls, 1);
    assert_int_equal(input.seen[0].ratio.count, REPEATS);
    assert_true(fabs(input.seen[0].ratio.middle - 1.2) < 1e-9);
    assert_true(fabs(input.seen[1].ratio.middle - 1.02) < 1e-9);
    rs_question_decide(&results);
    assert_non_null(strstr(results.verdict.text, "Question 13, Does Get"));
    assert_non_null(strstr(results.verdict.text, "Under Wine the prediction holds."));
    assert_int_equal(results.verdict.kind, RS_VERDICT_CANNOT);
}

static void test_question_leaves_out_disturbed_pairs(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINE, (const double[]){10, 12, 10.2, 10});
    results.unfit_percent = 100;
    for (uint32_t k = 0; k < 3; k++) {
        rs_results_run(&results, 0, 0, k)->disturbed = true;
    }
    rs_results_summarise(&results);
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(input.seen[0].ratio.count, REPEATS - 3);
}

static void test_question_control_that_differs_takes_the_answer_away(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINE, (const double[]){10, 12, 10.2, 10.8});
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(answer.kind, RS_ANSWER_NOT_SEPARABLE);
    assert_non_null(strstr(answer.text, "differs from itself"));
}

static void test_question_unfit_stays_unfit(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINE, (const double[]){10, 12, 10.2, 10});
    for (uint32_t i = 0; i < SUBJECTS * REPEATS; i++) {
        run[i].disturbed = true;
    }
    rs_results_summarise(&results);
    rs_question_decide(&results);
    assert_int_equal(results.verdict.kind, RS_VERDICT_UNFIT);
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(answer.kind, RS_ANSWER_NOT_SEPARABLE);
}

static void test_question_what_was_not_measured_is_open(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINE, (const double[]){10, 12, 10.2, 10});
    results.scenario[0] = rs_scenario_find("ping-pong");
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(answer.kind, RS_ANSWER_NOT_SEPARABLE);
    assert_false(rs_is_known(input.seen[0].ratio.middle));
    results.question = rs_question_find("rate-from"); /* across servers: not looked at here */
    rs_question_answer(&results, &input, &answer);
    assert_int_equal(answer.kind, RS_ANSWER_CANNOT);
    assert_false(rs_is_known(input.seen[0].ratio.middle));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question_entries_are_whole_and_numbered),
        cmocka_unit_test(test_question_clauses_name_what_exists_and_what_is_measured),
        cmocka_unit_test(test_question_find_by_name_or_number_and_nothing_else),
        cmocka_unit_test(test_question_clause_words_say_bound_and_what_it_is_over),
        cmocka_unit_test(test_question_all_clauses_hold_and_the_platform_is_named),
        cmocka_unit_test(test_question_a_clause_that_fails_decides_before_one_that_is_open),
        cmocka_unit_test(test_question_an_open_clause_leaves_it_open_and_names_the_command),
        cmocka_unit_test(test_question_same_holds_within_and_fails_outside),
        cmocka_unit_test(test_question_sound_is_about_void_runs),
        cmocka_unit_test(test_question_of_counts_stands_without_calm_runs),
        cmocka_unit_test(test_question_of_any_needs_one_clause_to_hold_or_all_to_fail),
        cmocka_unit_test(test_question_wine_never_answers_across_servers),
        cmocka_unit_test(test_question_needs_calm_runs_and_a_control_that_agrees),
        cmocka_unit_test(test_question_reads_its_clauses_from_results),
        cmocka_unit_test(test_question_leaves_out_disturbed_pairs),
        cmocka_unit_test(test_question_control_that_differs_takes_the_answer_away),
        cmocka_unit_test(test_question_unfit_stays_unfit),
        cmocka_unit_test(test_question_what_was_not_measured_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
