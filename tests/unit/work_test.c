/* SPDX-License-Identifier: MIT */
/* An application behind busy work: it is called as before, and its messages take the time that was
 * asked for. A pass: the same arguments arrive, and a time within wide bounds of a busy machine. */
#include "apps/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "seam/os.h"

static int context;
static const uint8_t frame[5] = {1, 2, 3, 4, 5};
static uint32_t messages;

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    assert_ptr_equal(ctx, &context);
    assert_null(session);
    assert_ptr_equal(data, frame);
    assert_int_equal(bytes, sizeof frame);
    messages++;
}

/* The fastest of several messages, in ns. */
static uint64_t fastest_ns(uint32_t work_us) {
    const rs_app inner = {.ctx = &context, .raw = true, .on_message = on_message};
    const rs_app app = rs_work_app(&inner, work_us);
    uint64_t best_ns = UINT64_MAX;
    assert_true(app.raw);
    assert_null(app.on_open);
    for (int i = 0; i < 50; i++) {
        const uint64_t start_ns = rs_os_now_ns();
        app.on_message(app.ctx, NULL, frame, sizeof frame);
        const uint64_t took_ns = rs_os_now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return best_ns;
}

static void test_work_takes_its_time_and_calls_on(void **state) {
    (void)state;
    messages = 0;
    const uint64_t none_ns = fastest_ns(0), some_ns = fastest_ns(400);
    assert_int_equal(messages, 100);
    assert_true(none_ns < 100000);
    assert_true(some_ns > 150000 && some_ns < 1600000); /* a processor changes its speed */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_takes_its_time_and_calls_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
