/* SPDX-License-Identifier: MIT */
/* Each number of a back end's configuration at both ends of its range and one beyond them; the
 * refusal names the value. */
#include "seam/backend_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static rs_backend_config good(void) {
    return (rs_backend_config){
        .conns_max = 10, .sends_per_conn = 2, .poll_max = 64, .tuning = rs_tuning_default()};
}

static void bounds(rs_backend_config *cfg, uint32_t *value, uint32_t max) {
    const uint32_t before = *value;
    rs_error error;
    char text[32];
    *value = 1;
    assert_int_equal(rs_backend_config_read(cfg, NULL, NULL, 0, &error), RS_OK);
    *value = max;
    assert_int_equal(rs_backend_config_read(cfg, NULL, NULL, 0, &error), RS_OK);
    *value = 0;
    assert_int_equal(rs_backend_config_read(cfg, NULL, NULL, 0, &error), RS_E_INVALID);
    *value = max + 1u;
    assert_int_equal(rs_backend_config_read(cfg, NULL, NULL, 0, &error), RS_E_INVALID);
    (void)snprintf(text, sizeof text, "%u", (unsigned)(max + 1u));
    assert_non_null(strstr(error.text, text));
    *value = before;
}

static void test_backend_config_every_number_has_its_bounds(void **state) {
    rs_backend_config cfg = good();
    (void)state;
    bounds(&cfg, &cfg.conns_max, RS_SESSIONS_MAX);
    bounds(&cfg, &cfg.sends_per_conn, RS_SENDS_IN_FLIGHT_MAX);
    bounds(&cfg, &cfg.poll_max, RS_COMPLETIONS_PER_POLL_MAX);
    bounds(&cfg, &cfg.tuning.dequeue_batch, RS_COMPLETIONS_PER_POLL_MAX);
    bounds(&cfg, &cfg.tuning.accepts, RS_ACCEPTS_MAX);
    bounds(&cfg, &cfg.tuning.backlog, 65535u);
}

typedef struct own {
    uint32_t depth;
    bool deep;
} own;

static const rs_option own_rows[] = {
    RS_ROW_UINT(own, depth, "depth", 1, 9, 4, "", "how deep"),
    RS_ROW_BOOL(own, deep, "deep", true, "deep at all"),
};
static const rs_option_table own_options = {own_rows, RS_ROWS(own_rows), "only that one can"};

static void test_backend_config_own_settings_are_the_defaults_or_those_given(void **state) {
    const own given = {.depth = 9}, wrong = {.depth = 10};
    rs_backend_config cfg = good();
    rs_error error;
    own got = {.depth = 77};
    (void)state;
    assert_int_equal(rs_backend_config_read(&cfg, &own_options, &got, sizeof got, &error), RS_OK);
    assert_int_equal(got.depth, 4);
    assert_true(got.deep);
    cfg.own = &given;
    assert_int_equal(rs_backend_config_read(&cfg, &own_options, &got, sizeof got, &error), RS_OK);
    assert_int_equal(got.depth, 9);
    assert_false(got.deep);
    cfg.own = &wrong;
    assert_int_equal(rs_backend_config_read(&cfg, &own_options, &got, sizeof got, &error),
                     RS_E_INVALID);
    assert_string_equal(error.text, "--depth: '10' is out of range; allowed: 1 to 9");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backend_config_every_number_has_its_bounds),
        cmocka_unit_test(test_backend_config_own_settings_are_the_defaults_or_those_given),
    };
    return cmocka_run_group_tests_name("backend_config", tests, NULL, NULL);
}
