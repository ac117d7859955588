/* See region_set.h. */
#include "seam/region_set.h"

#include "core/assert.h"

rs_status rs_region_set_take(rs_region_set *set, rs_region_id *out, rs_error *error) {
    for (uint16_t i = 0; i < RS_REGIONS_MAX; i++) {
        if ((set->taken >> i & 1u) == 0) {
            set->taken |= UINT64_C(1) << i;
            out->value = i;
            return RS_OK;
        }
    }
    return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0,
                        "all %u memory regions are taken", RS_REGIONS_MAX);
}

void rs_region_set_give(rs_region_set *set, rs_region_id region) {
    RS_ASSERT(region.value < RS_REGIONS_MAX);
    RS_ASSERT((set->taken >> region.value & 1u) != 0);
    set->taken &= ~(UINT64_C(1) << region.value);
}
