/* SPDX-License-Identifier: MIT */
/* register_memory for back ends that need no registration: only the bookkeeping of the contract.
 *
 * Which region ids are taken, one bit each; where the pieces of a region are. One thread. */
#ifndef RS_SEAM_REGION_SET_H
#define RS_SEAM_REGION_SET_H

#include <stdint.h>

#include "seam/backend.h"

typedef struct rs_region_set {
    uint64_t taken; /* bit i: region i is registered */
} rs_region_set;

_Static_assert(RS_REGIONS_MAX == 64u, "one bit a region");

/* rs_region_set_acquire: *out = the lowest free id. RS_E_NO_BUFFERS when there is none; *error
 * filled. */
rs_status rs_region_set_acquire(rs_region_set *set, rs_region_id *out, rs_error *error);

/* rs_region_set_release: a taken id (asserted) is free again. */
void rs_region_set_release(rs_region_set *set, rs_region_id region);

/* rs_region_cut_pieces, rs_region_cut_bytes: of the whole. */
static inline uint32_t rs_region_cut_pieces(const rs_region_cut *cut) {
    return cut->slices + cut->blocks;
}
static inline uint64_t rs_region_cut_bytes(const rs_region_cut *cut) {
    return (uint64_t)cut->slices * cut->slice_bytes + (uint64_t)cut->blocks * cut->block_bytes;
}

typedef struct rs_region_piece {
    uint32_t index;
    uint32_t bytes;
    uint64_t start; /* from the beginning of the region */
} rs_region_piece;

/* rs_region_piece_of: the piece with this index, [0, pieces) (asserted). */
rs_region_piece rs_region_piece_of(const rs_region_cut *cut, uint32_t index);

/* rs_region_piece_at: the piece that holds the byte there, [0, bytes of the whole) (asserted). */
rs_region_piece rs_region_piece_at(const rs_region_cut *cut, uint64_t offset);

#endif
