/* SPDX-License-Identifier: MIT */
/* Runs the list against one instance under cmocka, so that ctest sees its closing lines.
 *
 * A pass is decided by counting: every case of the list either ran and passed or is skipped by
 * name within the budget; nothing at all is a failure. */
#include "conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/assert.h"
#include "harness.h"

typedef struct runner_case {
    const char *name;
    void (*fn)(conf_run *run);
    bool server; /* runs twice: callbacks on the shard, and handed over to a logic thread (--once:
                    the first alone; --logic: the second) */
} runner_case;

static const runner_case runner_cases[] = {
#define X(name) {#name, conf_case_##name, false},
    CONF_SEAM_CASES(X)
#undef X
#define X(name) {#name, conf_case_##name, true},
        CONF_SERVER_CASES(X)
#undef X
};

#define RUNNER_CASES (sizeof(runner_cases) / sizeof(runner_cases[0]))

typedef struct runner_state {
    const conf_instance *instance;
    const runner_case *one;
    uint32_t *ran, *skipped;
} runner_state;

static bool runner_is_once, runner_is_logic, runner_is_seam; /* --once, --logic, --seam */

static const conf_skip *runner_skip(const conf_instance *instance, const char *name) {
    for (uint32_t i = 0; i < instance->skip_count; i++) {
        if (strcmp(instance->skips[i].name, name) == 0) {
            return &instance->skips[i];
        }
    }
    return NULL;
}

/* The ledgers make it too large for a stack. A failed case leaks it: its sockets are in a state
 * that nothing may be asserted about. */
static conf_run *runner_new(const conf_instance *instance) {
    conf_run *run = calloc(1, sizeof *run);
    RS_ASSERT(run != NULL);
    run->instance = instance;
    run->api = instance->api;
    return run;
}

static void runner_once(const runner_state *state, bool logic_thread) {
    conf_run *run = runner_new(state->instance);
    run->logic_thread = logic_thread;
    state->one->fn(run);
    conf_finish(run);
    free(run);
}

static void runner_test(void **opaque) {
    const runner_state *state = *opaque;
    const conf_skip *skipped = runner_skip(state->instance, state->one->name);
    if (skipped != NULL) {
        ++*state->skipped;
        print_message("conf: %s skipped: %s\n", state->one->name, skipped->reason);
        skip();
    }
    if (!state->one->server || !runner_is_logic) {
        runner_once(state, false);
    }
    if (state->one->server && !runner_is_once) {
        print_message("conf: %s with a logic thread\n", state->one->name);
        runner_once(state, true);
    }
    ++*state->ran;
}

static bool runner_knows(const char *name) {
    for (size_t i = 0; i < RUNNER_CASES; i++) {
        if (strcmp(runner_cases[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool runner_skips_are_sound(const conf_instance *instance) {
    if (instance->skip_count > instance->skip_budget) {
        (void)fprintf(stderr, "conf: %u skips, the budget is %u\n", instance->skip_count,
                      instance->skip_budget);
        return false;
    }
    for (uint32_t i = 0; i < instance->skip_count; i++) {
        if (!runner_knows(instance->skips[i].name) || instance->skips[i].reason == NULL) {
            (void)fprintf(stderr, "conf: a skip without a case or a reason: %s\n",
                          instance->skips[i].name);
            return false;
        }
    }
    return true;
}

static int runner_run(const conf_instance *instance, const char *only) {
    static struct CMUnitTest tests[RUNNER_CASES + 1]; /* + 1: an empty list is told, not built */
    static runner_state states[RUNNER_CASES + 1];
    uint32_t ran = 0, skipped = 0, count = 0, wanted;
    int failed;
    for (size_t i = 0; i < RUNNER_CASES; i++) {
        if (runner_is_seam && runner_cases[i].server) {
            continue;
        }
        states[count] = (runner_state){instance, &runner_cases[i], &ran, &skipped};
        tests[count] = (struct CMUnitTest){.name = runner_cases[i].name,
                                           .test_func = runner_test,
                                           .initial_state = &states[count]};
        count++;
    }
    wanted = only != NULL ? 1u : count;
    if (only != NULL) {
        cmocka_set_test_filter(only);
    }
    /* The function behind cmocka_run_group_tests: the macro cannot name the group at run time. */
    failed = _cmocka_run_group_tests(instance->name, tests, count, NULL, NULL);
    (void)printf("conf: %s: %u of %u cases ran, %u skipped, %d failed\n", instance->name, ran,
                 wanted, skipped, failed);
    return failed == 0 && ran > 0 && ran + skipped == wanted ? 0 : 1;
}

int conf_main(const conf_instance *instance, int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < RUNNER_CASES; i++) {
            (void)printf("%s\n", runner_cases[i].name);
        }
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--only") == 0 && runner_knows(argv[2])) {
        return runner_run(instance, argv[2]);
    }
    runner_is_once = argc == 2 && strcmp(argv[1], "--once") == 0;
    runner_is_logic = argc == 2 && strcmp(argv[1], "--logic") == 0;
    runner_is_seam = argc == 2 && strcmp(argv[1], "--seam") == 0;
    if (argc != 1 && !runner_is_once && !runner_is_logic && !runner_is_seam) {
        (void)fprintf(stderr,
                      "usage: conformance_%s [--list | --only CASE | --once | --logic | --seam]\n",
                      instance->name);
        return 2;
    }
    return runner_skips_are_sound(instance) ? runner_run(instance, NULL) : 1;
}
