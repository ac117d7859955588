/* The window of SENDs in flight: small cases by hand, then random histories of adding, starting in
 * runs, finishing runs in any order and taking. A pass is every SEND taken exactly once, in the
 * order of submission, with its share of the bytes of its run. The seed is printed and may be given
 * as the argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/op.h"
#include "seam/send_window.h"

static uint8_t data[1] = {0};
static uint64_t seed = 20261121;

static void add(rs_send_window *window, rs_send_slot *slots, uint32_t bytes, uint64_t tag) {
    assert_true(rs_send_window_add(window, slots, data, bytes, tag));
}

static void take(rs_send_window *window, rs_send_slot *slots, uint64_t tag, rs_status status,
                 uint32_t sent) {
    rs_send_slot slot;
    assert_true(rs_send_window_take(window, slots, &slot));
    assert_int_equal(slot.tag, tag);
    assert_int_equal(slot.status, status);
    assert_int_equal(slot.sent, sent);
}

static void test_send_window_full_refuses(void **state) {
    rs_send_slot slots[2];
    rs_send_window window;
    (void)state;
    rs_send_window_init(&window, 2);
    add(&window, slots, 1, 1);
    add(&window, slots, 1, 2);
    assert_false(rs_send_window_add(&window, slots, data, 1, 3));
}

static void test_send_window_run_shares_its_bytes_in_order(void **state) {
    rs_send_slot slots[4];
    rs_send_window window;
    rs_send_slot slot;
    uint32_t first;
    (void)state;
    rs_send_window_init(&window, 4);
    add(&window, slots, 10, 1);
    add(&window, slots, 20, 2);
    add(&window, slots, 30, 3);
    assert_int_equal(rs_send_window_start(&window, 8, &first), 3);
    assert_false(rs_send_window_take(&window, slots, &slot));
    rs_send_window_finish(&window, slots, first, 3, RS_OK, 25, RS_CF_INLINE); /* ended short */
    take(&window, slots, 1, RS_OK, 10);
    take(&window, slots, 2, RS_OK, 15);
    take(&window, slots, 3, RS_OK, 0);
    assert_false(rs_send_window_take(&window, slots, &slot));
}

static void test_send_window_late_run_holds_back_an_earlier_end(void **state) {
    rs_send_slot slots[3];
    rs_send_window window;
    rs_send_slot slot;
    uint32_t first, second;
    (void)state;
    rs_send_window_init(&window, 3);
    add(&window, slots, 5, 1);
    assert_int_equal(rs_send_window_start(&window, 8, &first), 1);
    add(&window, slots, 5, 2);
    assert_int_equal(rs_send_window_start(&window, 8, &second), 1);
    rs_send_window_finish(&window, slots, second, 1, RS_OK, 5, 0);
    assert_false(rs_send_window_take(&window, slots, &slot));
    rs_send_window_finish(&window, slots, first, 1, RS_E_RESET, 0, 0);
    take(&window, slots, 1, RS_E_RESET, 0);
    take(&window, slots, 2, RS_OK, 5);
}

static void test_send_window_start_takes_at_most_max(void **state) {
    rs_send_slot slots[3];
    rs_send_window window;
    uint32_t first;
    (void)state;
    rs_send_window_init(&window, 3);
    for (uint64_t tag = 1; tag <= 3; tag++) {
        add(&window, slots, 1, tag);
    }
    assert_int_equal(rs_send_window_start(&window, 2, &first), 2);
    assert_int_equal(first, 0);
    assert_int_equal(rs_send_window_start(&window, 2, &first), 1);
    assert_int_equal(first, 2);
    assert_int_equal(rs_send_window_start(&window, 2, &first), 0);
}

static uint32_t next_random(uint64_t *random, uint32_t below) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % below;
}

typedef struct window_run {
    uint32_t first, count, bytes;
} window_run;

/* One history: each SEND's bytes are its tag, so that a share gone wrong shows. */
static void play(uint64_t *random, uint32_t capacity) {
    rs_send_slot slots[RS_SENDS_IN_FLIGHT_MAX];
    window_run runs[RS_SENDS_IN_FLIGHT_MAX];
    uint32_t run_count = 0;
    uint64_t added = 0, taken = 0;
    rs_send_window window;
    rs_send_slot slot;
    rs_send_window_init(&window, capacity);
    for (uint32_t step = 0; step < 400; step++) {
        uint32_t choice = next_random(random, 3);
        if (choice == 0 && rs_send_window_add(&window, slots, data, (uint32_t)added + 1u, added)) {
            added++;
        } else if (choice == 1) {
            window_run run = {0};
            run.count = rs_send_window_start(&window, 1u + next_random(random, 4), &run.first);
            for (uint32_t i = 0; i < run.count; i++) {
                run.bytes += rs_send_window_at(&window, slots, run.first, i)->bytes;
            }
            if (run.count > 0) {
                runs[run_count++] = run;
            }
        } else if (run_count > 0) {
            uint32_t pick = next_random(random, run_count);
            rs_send_window_finish(&window, slots, runs[pick].first, runs[pick].count, RS_OK,
                                  runs[pick].bytes, 0);
            runs[pick] = runs[--run_count];
        }
        while (rs_send_window_take(&window, slots, &slot)) {
            assert_int_equal(slot.tag, taken);
            assert_int_equal(slot.sent, (uint32_t)taken + 1u);
            taken++;
        }
        assert_int_equal(window.count, added - taken);
    }
    assert_true(taken > 0);
}

static void test_send_window_random_histories_report_each_once_in_order(void **state) {
    uint64_t random = seed;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t round = 0; round < 2000; round++) {
        play(&random, 1u + next_random(&random, RS_SENDS_IN_FLIGHT_MAX));
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send_window_full_refuses),
        cmocka_unit_test(test_send_window_run_shares_its_bytes_in_order),
        cmocka_unit_test(test_send_window_late_run_holds_back_an_earlier_end),
        cmocka_unit_test(test_send_window_start_takes_at_most_max),
        cmocka_unit_test(test_send_window_random_histories_report_each_once_in_order),
    };
    if (argc > 1) {
        seed = strtoull(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
