/* SPDX-License-Identifier: MIT */
/* os.h on the platform at hand: the same test for every port. Clocks are only compared with each
 * other; memory is written to; figures are checked to be known or absent, and to move. Signals are
 * POSIX only: the process sends itself one. */
#include "seam/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/limits.h"
#include "seam/atomics.h"

#if !defined(_WIN32)
#include <signal.h>
#endif

#define HUGE_BYTES ((size_t)4 * 1024 * 1024)

static void test_os_clock_is_monotonic_and_never_zero(void **state) {
    uint64_t last = rs_os_now_ns();
    (void)state;
    assert_true(last != 0);
    for (uint32_t i = 0; i < 10000u; i++) {
        uint64_t now = rs_os_now_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void test_os_sleep_lasts_at_least_its_time(void **state) {
    uint64_t start = rs_os_now_ns();
    (void)state;
    rs_os_sleep_ms(20);
    assert_true(rs_os_now_ns() - start >= UINT64_C(19000000)); /* clocks tick differently */
}

static void count_up(void *arg) {
    (void)rs_atomic_add_u32(arg, 1);
}

static void test_os_threads_run_and_join(void **state) {
    rs_atomic_u32 count = {0};
    rs_os_thread *threads[8];
    rs_error error;
    (void)state;
    for (uint32_t i = 0; i < 8u; i++) {
        assert_int_equal(rs_os_thread_start(&threads[i], count_up, &count, &error), RS_OK);
    }
    for (uint32_t i = 0; i < 8u; i++) {
        rs_os_thread_join(threads[i]);
    }
    rs_os_thread_join(NULL);
    assert_int_equal(rs_atomic_load_u32(&count), 8);
}

static void test_os_event_counts_once_and_resets_itself(void **state) {
    rs_os_event *event;
    rs_error error;
    uint64_t start;
    (void)state;
    assert_int_equal(rs_os_event_open(&event, &error), RS_OK);
    assert_false(rs_os_event_wait(event, 0));
    rs_os_event_set(event);
    rs_os_event_set(event);
    assert_true(rs_os_event_wait(event, UINT32_MAX));
    start = rs_os_now_ns();
    assert_false(rs_os_event_wait(event, 20));
    assert_true(rs_os_now_ns() - start >= UINT64_C(15000000)); /* clocks tick differently */
    rs_os_event_close(event);
    rs_os_event_close(NULL);
}

typedef struct event_pair {
    rs_os_event *ping, *pong;
} event_pair;

#define EVENT_ROUNDS 2000u

static void answer_pings(void *arg) {
    event_pair *pair = arg;
    for (uint32_t i = 0; i < EVENT_ROUNDS; i++) {
        if (!rs_os_event_wait(pair->ping, 10000)) {
            return;
        }
        rs_os_event_set(pair->pong);
    }
}

/* A wake-up lost in either direction ends a wait by its timeout. */
static void test_os_event_wakes_another_thread_each_time(void **state) {
    event_pair pair;
    rs_os_thread *thread;
    rs_error error;
    uint32_t answered = 0;
    (void)state;
    assert_int_equal(rs_os_event_open(&pair.ping, &error), RS_OK);
    assert_int_equal(rs_os_event_open(&pair.pong, &error), RS_OK);
    assert_int_equal(rs_os_thread_start(&thread, answer_pings, &pair, &error), RS_OK);
    for (uint32_t i = 0; i < EVENT_ROUNDS; i++) {
        rs_os_event_set(pair.ping);
        if (!rs_os_event_wait(pair.pong, 10000)) {
            break;
        }
        answered++;
    }
    rs_os_thread_join(thread);
    assert_int_equal(answered, EVENT_ROUNDS);
    rs_os_event_close(pair.ping);
    rs_os_event_close(pair.pong);
}

static void pin_somewhere(void *arg) {
    rs_status *status = arg;
    status[0] = rs_os_pin_self(0);
    status[1] = rs_os_pin_self(1000000);
}

static void test_os_pin_takes_a_processor_and_refuses_none(void **state) {
    rs_status status[2] = {RS_E_OS, RS_E_OS};
    rs_os_thread *thread;
    rs_error error;
    (void)state;
    assert_int_equal(rs_os_thread_start(&thread, pin_somewhere, status, &error), RS_OK);
    rs_os_thread_join(thread);
    /* processor 0 may lie outside what this process was given */
    assert_true(status[0] == RS_OK || status[0] == RS_E_INVALID);
    assert_int_equal(status[1], RS_E_INVALID);
    assert_true(rs_os_cpu_count() >= 1);
    rs_os_relax();
}

static void test_os_pages_are_zeroed_aligned_and_writable(void **state) {
    bool large = true;
    uint8_t *pages = rs_os_pages_alloc(3u * RS_PAGE_BYTES, NULL);
    uint8_t *huge = rs_os_pages_alloc(HUGE_BYTES + RS_PAGE_BYTES, &large);
    (void)state;
    assert_non_null(pages);
    assert_non_null(huge); /* large says whether they are: both are right */
    assert_int_equal((uintptr_t)pages % RS_PAGE_BYTES, 0);
    for (size_t i = 0; i < 3u * RS_PAGE_BYTES; i++) {
        assert_int_equal(pages[i], 0);
    }
    memset(pages, 1, 3u * RS_PAGE_BYTES);
    memset(huge, 1, HUGE_BYTES + RS_PAGE_BYTES);
    rs_os_pages_free(pages, 3u * RS_PAGE_BYTES);
    rs_os_pages_free(huge, HUGE_BYTES + RS_PAGE_BYTES);
    rs_os_pages_free(NULL, RS_PAGE_BYTES);
}

static void test_os_usage_grows_and_unknown_figures_stay_unknown(void **state) {
    rs_os_usage before, after;
    const uint64_t start = rs_os_now_ns();
    (void)state;
    rs_os_usage_read(&before);
    assert_true((before.known & RS_USE_CPU) != 0);
    do { /* until the clock of the accounting has moved, bounded */
        rs_os_usage_read(&after);
    } while (after.user_ns + after.kernel_ns == before.user_ns + before.kernel_ns &&
             rs_os_now_ns() - start < UINT64_C(20000000000));
    assert_true(after.user_ns + after.kernel_ns > before.user_ns + before.kernel_ns);
    if ((after.known & RS_USE_WORKING_SET) != 0) {
        assert_true(after.working_set_bytes > RS_PAGE_BYTES);
        assert_true(after.working_set_peak_bytes >= after.working_set_bytes / 2u);
    }
    if ((after.known & RS_USE_CYCLES) == 0) {
        assert_int_equal(after.cycles, 0);
    }
}

static void test_os_resolves_addresses_and_names(void **state) {
    static const char *const unknown[] = {"",      "1.2.3", "256.0.0.1",
                                          "::1::", "[::1]", "no such host"};
    rs_addr addr;
    rs_error error;
    (void)state;
    assert_int_equal(rs_os_resolve("10.1.2.3", &addr, &error), RS_OK);
    assert_int_equal(addr.ip, 0x0A010203);
    assert_int_equal(rs_os_resolve("::1", &addr, &error), RS_OK);
    assert_int_equal(addr.family, RS_ADDR_V6);
    assert_int_equal(rs_os_resolve("localhost", &addr, &error), RS_OK);
    assert_true(addr.family == RS_ADDR_V4 && addr.ip >> 24 == 127); /* before ::1 */
    assert_int_equal(addr.port, 0);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        error.text[0] = '\0';
        assert_int_equal(rs_os_resolve(unknown[i], &addr, &error), RS_E_ADDRESS);
        assert_non_null(strstr(error.text, unknown[i]));
    }
}

static void test_os_platform_names_the_system(void **state) {
    (void)state;
    assert_non_null(rs_os_platform());
    assert_ptr_equal(rs_os_platform(), rs_os_platform());
#if defined(_WIN32)
    assert_non_null(strstr(rs_os_platform(), rs_os_is_wine() ? "Wine" : "Windows"));
#else
    assert_non_null(strstr(rs_os_platform(), "Linux"));
    assert_false(rs_os_is_wine());
#endif
}

static void test_os_stop_is_called_once_on_the_signal(void **state) {
    static rs_atomic_u32 stops; /* outlives the test: the handler keeps it */
    (void)state;
    assert_int_equal(rs_os_on_stop(count_up, &stops), RS_OK);
#if !defined(_WIN32)
    uint64_t start = rs_os_now_ns();
    assert_int_equal(raise(SIGPIPE), 0); /* ignored */
    assert_int_equal(rs_atomic_load_u32(&stops), 0);
    assert_int_equal(raise(SIGTERM), 0);
    while (rs_atomic_load_u32(&stops) == 0 && rs_os_now_ns() - start < UINT64_C(20000000000)) {
        rs_os_sleep_ms(1);
    }
    assert_int_equal(rs_atomic_load_u32(&stops), 1);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_os_clock_is_monotonic_and_never_zero),
        cmocka_unit_test(test_os_sleep_lasts_at_least_its_time),
        cmocka_unit_test(test_os_threads_run_and_join),
        cmocka_unit_test(test_os_event_counts_once_and_resets_itself),
        cmocka_unit_test(test_os_event_wakes_another_thread_each_time),
        cmocka_unit_test(test_os_pin_takes_a_processor_and_refuses_none),
        cmocka_unit_test(test_os_pages_are_zeroed_aligned_and_writable),
        cmocka_unit_test(test_os_usage_grows_and_unknown_figures_stay_unknown),
        cmocka_unit_test(test_os_resolves_addresses_and_names),
        cmocka_unit_test(test_os_platform_names_the_system),
        cmocka_unit_test(test_os_stop_is_called_once_on_the_signal),
    };
    return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
