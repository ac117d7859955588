/* SPDX-License-Identifier: MIT */
/* What a shard says to the log, with a clock of the test's own: a pass is the exact line, once,
 * when it is due. */
#include "server/shard_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECOND_NS 1000000000u

typedef struct heard {
    uint32_t lines;
    rs_log_level level;
    char event[32], text[1024], fields[512];
} heard;

static void hear(void *ctx, const rs_log_line *line) {
    heard *log = ctx;
    size_t at = 0;
    log->lines++;
    log->level = line->level;
    log->fields[0] = '\0';
    (void)snprintf(log->event, sizeof log->event, "%s", line->event);
    (void)snprintf(log->text, sizeof log->text, "%s", line->text);
    for (uint32_t i = 0; i < line->field_count; i++) {
        const rs_log_field *field = &line->fields[i];
        at += (size_t)(field->text != NULL
                           ? snprintf(log->fields + at, sizeof log->fields - at, "%s=%s ",
                                      field->name, field->text)
                           : snprintf(log->fields + at, sizeof log->fields - at, "%s=%u ",
                                      field->name, (unsigned)field->number));
        assert_true(at < sizeof log->fields);
    }
}

static void test_shard_log_counts_cuts_in_one_line_a_second(void **state) {
    heard out = {.lines = 0};
    rs_shard_log log = {.fn = hear, .ctx = &out, .shard = 3};
    rs_counters counters;
    uint64_t now_ns = 5 * (uint64_t)SECOND_NS;
    (void)state;
    memset(&counters, 0, sizeof counters);
    counters.closed[RS_CLOSE_PEER] = 1; /* nobody's fault */
    rs_shard_log_cuts(&log, &counters, 1, now_ns);
    assert_int_equal(out.lines, 0);
    assert_false(log.unsaid);
    counters.closed[RS_CLOSE_IDLE] = 2;
    rs_shard_log_cuts(&log, &counters, 3, now_ns);
    assert_int_equal(out.lines, 1);
    assert_int_equal(out.level, RS_LOG_WARNING);
    assert_string_equal(out.event, "cut");
    assert_string_equal(out.text, "cut off: 2 idle (no whole frame for --idle-timeout)");
    assert_string_equal(out.fields, "worker=3 idle=2 ");
    now_ns += SECOND_NS / 2;
    counters.closed[RS_CLOSE_IDLE] = 3;
    counters.refused = 4;
    rs_shard_log_cuts(&log, &counters, 8, now_ns);
    assert_int_equal(out.lines, 1);
    assert_true(log.unsaid);
    assert_int_equal(rs_shard_log_wait_ms(&log, 10000, now_ns), 500);
    assert_int_equal(rs_shard_log_wait_ms(&log, 20, now_ns), 20);
    now_ns += SECOND_NS / 2;
    assert_int_equal(rs_shard_log_wait_ms(&log, 10000, now_ns), 0);
    rs_shard_log_cuts(&log, &counters, 8, now_ns);
    assert_int_equal(out.lines, 2);
    assert_string_equal(out.fields, "worker=3 idle=1 refused=4 ");
    rs_shard_log_cuts(&log, &counters, 8, now_ns + SECOND_NS);
    assert_int_equal(out.lines, 2);
}

static void test_shard_log_has_room_for_every_reason(void **state) {
    heard out = {.lines = 0};
    rs_shard_log log = {.fn = hear, .ctx = &out};
    rs_counters counters;
    (void)state;
    memset(&counters, 0xff, sizeof counters); /* the longest numbers */
    rs_shard_log_cuts(&log, &counters, 1, 1);
    assert_non_null(strstr(out.text, "18446744073709551615 protocol (malformed"));
    assert_non_null(strstr(out.text, "18446744073709551615 refused (their address"));
}

static void test_shard_log_ends_with_what_is_unsaid(void **state) {
    heard out = {.lines = 0};
    rs_shard_log log = {.fn = hear, .ctx = &out};
    rs_counters counters;
    (void)state;
    memset(&counters, 0, sizeof counters);
    counters.accepted = 7;
    counters.messages_in = 9;
    counters.closed[RS_CLOSE_RATE] = 1;
    rs_shard_log_end(&log, &counters);
    assert_int_equal(out.lines, 2);
    assert_string_equal(out.event, "ended");
    assert_int_equal(out.level, RS_LOG_INFO);
    assert_string_equal(out.fields, "worker=0 sessions=7 messages=9 ");
    log.fn = NULL;
    rs_shard_log_end(&log, &counters); /* nobody listens */
    assert_int_equal(out.lines, 2);
}

static void test_shard_log_tells_of_a_layered_provider(void **state) {
    heard out = {.lines = 0};
    const rs_shard_log log = {.fn = hear, .ctx = &out};
    (void)state;
    rs_shard_log_provider(&log, "windows");
    assert_int_equal(out.lines, 0);
    rs_shard_log_provider(&log, "windows (layered)");
    assert_int_equal(out.lines, 1);
    assert_string_equal(out.fields, "worker=0 provider=windows (layered) ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shard_log_counts_cuts_in_one_line_a_second),
        cmocka_unit_test(test_shard_log_has_room_for_every_reason),
        cmocka_unit_test(test_shard_log_ends_with_what_is_unsaid),
        cmocka_unit_test(test_shard_log_tells_of_a_layered_provider),
    };
    return cmocka_run_group_tests_name("shard_log", tests, NULL, NULL);
}
