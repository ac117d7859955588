/* register_memory where there is nothing to register: the bookkeeping of the contract alone.
 *
 * Which region ids are taken, one bit each. One thread. */
#ifndef RS_SEAM_REGION_SET_H
#define RS_SEAM_REGION_SET_H

#include <stdint.h>

#include "seam/backend.h"

typedef struct rs_region_set {
    uint64_t taken; /* bit i: region i is registered */
} rs_region_set;

_Static_assert(RS_REGIONS_MAX == 64u, "one bit a region");

/* rs_region_set_take: *out = the lowest free id. RS_E_NO_BUFFERS when there is none; *error
 * filled. */
rs_status rs_region_set_take(rs_region_set *set, rs_region_id *out, rs_error *error);

/* rs_region_set_give: a taken id (asserted) is free again. */
void rs_region_set_give(rs_region_set *set, rs_region_id region);

#endif
