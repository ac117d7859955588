/* SPDX-License-Identifier: MIT */
/* Region ids: all of them, once each; one more is refused; a returned one is the next given out.
 * Giving back what was not taken must end the process (in a child). */
#include "seam/region_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/child.h"

static const char *self;

static void test_region_set_gives_each_id_once(void **state) {
    rs_region_set set = {.taken = 0};
    rs_region_id region;
    rs_error error;
    (void)state;
    for (uint32_t i = 0; i < RS_REGIONS_MAX; i++) {
        assert_int_equal(rs_region_set_acquire(&set, &region, &error), RS_OK);
        assert_int_equal(region.value, i);
    }
    assert_int_equal(rs_region_set_acquire(&set, &region, &error), RS_E_NO_BUFFERS);
    assert_string_equal(error.call, "register_memory");
    region.value = RS_REGIONS_MAX / 2u;
    rs_region_set_release(&set, region);
    assert_int_equal(rs_region_set_acquire(&set, &region, &error), RS_OK);
    assert_int_equal(region.value, RS_REGIONS_MAX / 2u);
}

static void test_region_set_give_of_a_free_id_stops_the_process(void **state) {
    child_result result = child_run(self, "free");
    (void)state;
    assert_true(child_asserted(&result, "(set->taken >> region.value & 1u) != 0"));
}

/* Three slices of 10 bytes, two blocks of 25, no gap between: each byte is in one piece, and each
 * piece is where it says. */
static void test_region_cut_each_byte_is_in_one_piece(void **state) {
    const rs_region_cut cut = {.slices = 3, .slice_bytes = 10, .blocks = 2, .block_bytes = 25};
    uint64_t offset = 0;
    (void)state;
    assert_int_equal(rs_region_cut_pieces(&cut), 5);
    assert_int_equal(rs_region_cut_bytes(&cut), 80);
    for (uint32_t index = 0; index < 5; index++) {
        rs_region_piece piece = rs_region_piece_of(&cut, index);
        assert_int_equal(piece.start, offset);
        assert_int_equal(piece.bytes, index < 3 ? 10 : 25);
        for (; offset < piece.start + piece.bytes; offset++) {
            assert_int_equal(rs_region_piece_at(&cut, offset).index, index);
            assert_int_equal(rs_region_piece_at(&cut, offset).start, piece.start);
        }
    }
    assert_int_equal(offset, 80);
}

/* In one piece: no blocks, whose size is then never looked at. */
static void test_region_cut_may_be_one_piece(void **state) {
    const rs_region_cut cut = {.slices = 1, .slice_bytes = 7};
    (void)state;
    assert_int_equal(rs_region_piece_at(&cut, 6).index, 0);
    assert_int_equal(rs_region_piece_of(&cut, 0).bytes, 7);
}

static void test_region_cut_behind_its_end_stops_the_process(void **state) {
    child_result result = child_run(self, "behind");
    (void)state;
    assert_true(child_asserted(&result, "offset < rs_region_cut_bytes(cut)"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_region_set_gives_each_id_once),
        cmocka_unit_test(test_region_set_give_of_a_free_id_stops_the_process),
        cmocka_unit_test(test_region_cut_each_byte_is_in_one_piece),
        cmocka_unit_test(test_region_cut_may_be_one_piece),
        cmocka_unit_test(test_region_cut_behind_its_end_stops_the_process),
    };
    self = argv[0];
    if (child_case(argc, argv) != NULL) {
        rs_region_set set = {.taken = 0};
        const rs_region_cut cut = {.slices = 1, .slice_bytes = 7};
        if (strcmp(child_case(argc, argv), "behind") == 0) {
            (void)rs_region_piece_at(&cut, 7);
        } else {
            rs_region_set_release(&set, (rs_region_id){.value = 3});
        }
        return 0;
    }
    return cmocka_run_group_tests_name("region_set", tests, NULL, NULL);
}
