/* SPDX-License-Identifier: MIT */
/* Counters: every member of the table is summed, none twice, and every close reason has a text of
 * its own. Set up: two records whose members all differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/counters.h"

#define WORDS (sizeof(rs_counters) / sizeof(uint64_t))

static void test_counters_add_sums_every_member(void **state) {
    rs_counters a, b, sum;
    uint64_t words_a[WORDS], words_b[WORDS], words_sum[WORDS];
    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        words_a[i] = 1000 + i;
        words_b[i] = 7 * i + 3;
    }
    memcpy(&a, words_a, sizeof a);
    memcpy(&b, words_b, sizeof b);
    sum = a;
    rs_counters_add(&sum, &b);
    memcpy(words_sum, &sum, sizeof sum);
    for (size_t i = 0; i < WORDS; i++) {
        assert_int_equal(words_sum[i], words_a[i] + words_b[i]);
    }
}

static void test_close_reasons_have_texts_of_their_own(void **state) {
    (void)state;
    for (int i = 0; i < RS_CLOSE_REASONS; i++) {
        const char *text = rs_close_reason_text((rs_close_reason)i);
        assert_string_not_equal(text, "?");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(text, rs_close_reason_text((rs_close_reason)j));
        }
    }
    assert_string_equal(rs_close_reason_text((rs_close_reason)RS_CLOSE_REASONS), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters_add_sums_every_member),
        cmocka_unit_test(test_close_reasons_have_texts_of_their_own),
    };
    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
