/* SPDX-License-Identifier: MIT */
/* One frame of the board game, from either side.
 *
 * A frame that is taken is encoded again: the same bytes, but for what a MOVE may have ignored.
 * The frame lies in a block of exactly its size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/board_wire.h"
#include "core/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint32_t bytes = (uint32_t)size;
    uint8_t out[RS_BOARD_FRAME_BYTES_MAX];
    rs_board_frame frame;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    RS_ASSERT(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (rs_board_decode(copy, bytes, &frame)) {
        uint32_t length = rs_board_encode(&frame, out);
        RS_ASSERT(length == bytes || (frame.type == RS_BOARD_MOVE && length < bytes));
        RS_ASSERT(memcmp(out + 2, copy + 2, length - 2u) == 0);
        RS_ASSERT(bytes <= RS_BOARD_FRAME_BYTES_MAX);
    }
    free(copy);
    return 0;
}
