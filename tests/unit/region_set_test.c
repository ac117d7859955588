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
        assert_int_equal(rs_region_set_take(&set, &region, &error), RS_OK);
        assert_int_equal(region.value, i);
    }
    assert_int_equal(rs_region_set_take(&set, &region, &error), RS_E_NO_BUFFERS);
    assert_string_equal(error.call, "register_memory");
    region.value = RS_REGIONS_MAX / 2u;
    rs_region_set_give(&set, region);
    assert_int_equal(rs_region_set_take(&set, &region, &error), RS_OK);
    assert_int_equal(region.value, RS_REGIONS_MAX / 2u);
}

static void test_region_set_give_of_a_free_id_stops_the_process(void **state) {
    child_result result = child_run(self, "free");
    (void)state;
    assert_true(child_asserted(&result, "(set->taken >> region.value & 1u) != 0"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_region_set_gives_each_id_once),
        cmocka_unit_test(test_region_set_give_of_a_free_id_stops_the_process),
    };

    self = argv[0];
    if (child_case(argc, argv) != NULL) {
        rs_region_set set = {.taken = 0};
        rs_region_set_give(&set, (rs_region_id){.value = 3});
        return 0;
    }
    return cmocka_run_group_tests_name("region_set", tests, NULL, NULL);
}
