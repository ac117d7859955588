/* SPDX-License-Identifier: MIT */
/* See region_set.h. */
#include "seam/region_set.h"

#include "core/assert.h"

rs_status rs_region_set_acquire(rs_region_set *set, rs_region_id *out, rs_error *error) {
    for (uint16_t i = 0; i < RS_REGIONS_MAX; i++) {
        if ((set->taken >> i & 1u) == 0) {
            set->taken |= UINT64_C(1) << i;
            out->value = i;
            return RS_OK;
        }
    }
    return rs_error_set(error, RS_E_NO_BUFFERS, "register_memory", 0,
                        "all %u memory regions are in use", RS_REGIONS_MAX);
}

void rs_region_set_release(rs_region_set *set, rs_region_id region) {
    RS_ASSERT(region.value < RS_REGIONS_MAX);
    RS_ASSERT((set->taken >> region.value & 1u) != 0);
    set->taken &= ~(UINT64_C(1) << region.value);
}

rs_region_piece rs_region_piece_of(const rs_region_cut *cut, uint32_t index) {
    uint64_t behind = (uint64_t)cut->slices * cut->slice_bytes;
    RS_ASSERT(index < rs_region_cut_pieces(cut));
    if (index < cut->slices) {
        return (rs_region_piece){index, cut->slice_bytes, (uint64_t)index * cut->slice_bytes};
    }
    return (rs_region_piece){index, cut->block_bytes,
                             behind + (uint64_t)(index - cut->slices) * cut->block_bytes};
}

rs_region_piece rs_region_piece_at(const rs_region_cut *cut, uint64_t offset) {
    uint64_t behind = (uint64_t)cut->slices * cut->slice_bytes;
    RS_ASSERT(offset < rs_region_cut_bytes(cut));
    RS_ASSERT(cut->block_bytes > 0 || offset < behind);
    return rs_region_piece_of(
        cut, offset < behind ? (uint32_t)(offset / cut->slice_bytes)
                             : cut->slices + (uint32_t)((offset - behind) / cut->block_bytes));
}
