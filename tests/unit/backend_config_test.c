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
    assert_int_equal(rs_backend_config_check(cfg, &error), RS_OK);
    *value = max;
    assert_int_equal(rs_backend_config_check(cfg, &error), RS_OK);
    *value = 0;
    assert_int_equal(rs_backend_config_check(cfg, &error), RS_E_INVALID);
    *value = max + 1u;
    assert_int_equal(rs_backend_config_check(cfg, &error), RS_E_INVALID);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backend_config_every_number_has_its_bounds),
    };
    return cmocka_run_group_tests_name("backend_config", tests, NULL, NULL);
}
