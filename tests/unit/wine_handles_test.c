/* SPDX-License-Identifier: MIT */
/* Handles of the RIO provider: a live one finds its object, any other value finds nothing.
 * Tables are built, emptied and refilled; a pass is the object found, or NULL. */
#include "handles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static rs_handle_table *make_table(void) {
    rs_handle_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    return table;
}

static void free_table(rs_handle_table *table) {
    for (uint32_t i = 0; i < RS_HANDLE_CHUNKS; i++) {
        free(table->chunk[i]);
    }
    free(table);
}

static void test_handles_live_handle_finds_its_object(void **state) {
    rs_handle_table *table = make_table();
    int one, two;
    uint64_t a = rs_handle_open(table, &one), b = rs_handle_open(table, &two);
    (void)state;
    assert_ptr_equal(rs_handle_find(table, a), &one);
    assert_ptr_equal(rs_handle_find(table, b), &two);
    assert_int_equal(table->live, 2);
    free_table(table);
}

static void test_handles_invented_handle_finds_nothing(void **state) {
    rs_handle_table *table = make_table();
    int object;
    uint64_t a = rs_handle_open(table, &object);
    (void)state;
    assert_null(rs_handle_find(table, 0));
    assert_null(rs_handle_find(table, 0xFFFFFFFFu));
    assert_null(rs_handle_find(table, a + 1));
    assert_null(rs_handle_find(table, a + (1ull << 32)));
    assert_false(rs_handle_was(table, a + (1ull << 32)));
    assert_false(rs_handle_was(table, 0xFFFFFFFFu));
    assert_false(rs_handle_was(table, (uint32_t)a)); /* generations begin at 1 */
    free_table(table);
}

static void test_handles_closed_handle_stays_dead_when_its_slot_lives_again(void **state) {
    rs_handle_table *table = make_table();
    int one, two;
    uint64_t a = rs_handle_open(table, &one), b;
    (void)state;
    assert_ptr_equal(rs_handle_close(table, a), &one);
    assert_null(rs_handle_close(table, a));
    assert_true(rs_handle_was(table, a));
    b = rs_handle_open(table, &two);
    assert_int_equal((uint32_t)a, (uint32_t)b);
    assert_null(rs_handle_find(table, a));
    assert_true(rs_handle_was(table, a));
    assert_false(rs_handle_was(table, b));
    free_table(table);
}

static void test_handles_grow_over_chunks_and_keep_all(void **state) {
    enum { COUNT = 3 * 1024 + 5 };
    static int object[COUNT];
    static uint64_t handle[COUNT];
    rs_handle_table *table = make_table();

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        handle[i] = rs_handle_open(table, &object[i]);
        assert_true(handle[i] >> 32 > 0); /* never RIO_INVALID_BUFFERID */
    }
    for (int i = 0; i < COUNT; i++) {
        assert_ptr_equal(rs_handle_find(table, handle[i]), &object[i]);
        assert_ptr_equal(rs_handle_at(table, (uint32_t)i), &object[i]);
    }
    free_table(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles_live_handle_finds_its_object),
        cmocka_unit_test(test_handles_invented_handle_finds_nothing),
        cmocka_unit_test(test_handles_closed_handle_stays_dead_when_its_slot_lives_again),
        cmocka_unit_test(test_handles_grow_over_chunks_and_keep_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
