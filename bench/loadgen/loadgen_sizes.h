/* SPDX-License-Identifier: MIT */
/* How long messages are: one size, a range, or a short list of both with weights. Pure. */
#ifndef RS_LOADGEN_SIZES_H
#define RS_LOADGEN_SIZES_H

#include <stdint.h>

#define RS_SIZES_MAX 16u
#define RS_SIZES_WEIGHT_MAX 1000000u

typedef struct rs_sizes {
    uint32_t count;    /* 0: none was asked for */
    uint32_t min, max; /* of all */
    uint32_t weights;  /* their sum */
    struct {
        uint32_t least, most;
        uint32_t below; /* weights of this one and those before it */
    } part[RS_SIZES_MAX];
} rs_sizes;

/* rs_sizes_parse: "32", "32..512", "32:80,1k:15,2k..16k:5": every size within [min, max] bytes, a
 * weight within [1, RS_SIZES_WEIGHT_MAX], 1 unless given. Returns NULL, or what is wrong with it,
 * as it goes behind the value; *sizes is then undefined. */
const char *rs_sizes_parse(rs_sizes *sizes, const char *text, uint32_t min, uint32_t max);

/* rs_sizes_one: always the same. */
rs_sizes rs_sizes_one(uint32_t bytes);

/* rs_sizes_draw: the size that `random`, uniform over 64 bits, stands for. count > 0 (asserted). */
uint32_t rs_sizes_draw(const rs_sizes *sizes, uint64_t random);

#endif
