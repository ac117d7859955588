/* SPDX-License-Identifier: MIT */
/* The lock-free parts over every order of their atomic operations (explore.h): the mailbox, the
 * ring of records, the wake word of the back ends, the arming of RIO's notification, the shard's
 * messages with its sleep and its end, the hand-over to the logic thread.
 *
 * A pass is: no run deadlocks, loses, doubles, reorders or tears anything, and all runs were seen.
 * Each model is also run with its read-modify-writes torn into a load and a later store, and must
 * fail then: a model that cannot fail proves nothing. The first cases are about the explorer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explore.h"
#include "models.h"

static xp_result run(const xp_model *model) {
    xp_result result;
    xp_explore(model, &result);
    print_message("%s%s: %llu runs, %llu cut short as equivalent, %u steps in the longest%s%s\n",
                  model->name, model->torn ? " (torn)" : "", (unsigned long long)result.runs,
                  (unsigned long long)result.pruned, result.steps, result.failed ? ": " : "",
                  result.fault);
    return result;
}

static void holds(const xp_model *model) {
    xp_result result = run(model);
    assert_false(result.failed);
    assert_true(result.runs > 0);
}

static void fails_when_torn(const xp_model *model) {
    xp_model torn = *model;
    torn.torn = true;
    xp_result result = run(&torn);
    assert_true(result.failed);
    assert_null(strstr(result.fault, "explore.c")); /* not by a limit of the explorer */
}

static void test_explorer_counts_orders_of_one_word(void **state) {
    (void)state;
    assert_int_equal(run(&xp_model_same_word).runs,
                     20); /* two threads, three steps each: 6 over 3 */
}

static void test_explorer_runs_independent_steps_once(void **state) {
    (void)state;
    assert_int_equal(run(&xp_model_other_words).runs, 1);
}

static void test_explorer_finds_a_store_that_passes_a_load(void **state) {
    (void)state;
    assert_true(run(&xp_model_store_buffering).failed);
    holds(&xp_model_store_buffering_fenced);
}

static void test_explorer_finds_a_deadlock(void **state) {
    (void)state;
    assert_string_equal(run(&xp_model_deadlock).fault, "deadlock: every thread waits");
}

#define CASE(name)                                                                                 \
    static void test_##name##_holds_in_every_order(void **state) {                                 \
        (void)state;                                                                               \
        holds(&xp_model_##name);                                                                   \
    }
#define CASE_THAT_CAN_FAIL(name)                                                                   \
    CASE(name)                                                                                     \
    static void test_##name##_fails_when_torn(void **state) {                                      \
        (void)state;                                                                               \
        fails_when_torn(&xp_model_##name);                                                         \
    }

CASE_THAT_CAN_FAIL(mailbox)
CASE_THAT_CAN_FAIL(mailbox_full)
CASE(spsc)
CASE_THAT_CAN_FAIL(wake_word)
CASE_THAT_CAN_FAIL(rio_arm)
CASE_THAT_CAN_FAIL(shard_post)
CASE_THAT_CAN_FAIL(shard_post_twice)
CASE_THAT_CAN_FAIL(shard_ask)
CASE_THAT_CAN_FAIL(logic)

/* An argument runs the cases of that name (* and ?). */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explorer_counts_orders_of_one_word),
        cmocka_unit_test(test_explorer_runs_independent_steps_once),
        cmocka_unit_test(test_explorer_finds_a_store_that_passes_a_load),
        cmocka_unit_test(test_explorer_finds_a_deadlock),
        cmocka_unit_test(test_mailbox_holds_in_every_order),
        cmocka_unit_test(test_mailbox_fails_when_torn),
        cmocka_unit_test(test_mailbox_full_holds_in_every_order),
        cmocka_unit_test(test_mailbox_full_fails_when_torn),
        cmocka_unit_test(test_spsc_holds_in_every_order),
        cmocka_unit_test(test_wake_word_holds_in_every_order),
        cmocka_unit_test(test_wake_word_fails_when_torn),
        cmocka_unit_test(test_rio_arm_holds_in_every_order),
        cmocka_unit_test(test_rio_arm_fails_when_torn),
        cmocka_unit_test(test_shard_post_holds_in_every_order),
        cmocka_unit_test(test_shard_post_fails_when_torn),
        cmocka_unit_test(test_shard_post_twice_holds_in_every_order),
        cmocka_unit_test(test_shard_post_twice_fails_when_torn),
        cmocka_unit_test(test_shard_ask_holds_in_every_order),
        cmocka_unit_test(test_shard_ask_fails_when_torn),
        cmocka_unit_test(test_logic_holds_in_every_order),
        cmocka_unit_test(test_logic_fails_when_torn),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
