/* SPDX-License-Identifier: MIT */
/* The wire format: little-endian uint16 length (whole frame), uint8 type, payload. Its public part
 * is in ringside/session.h.
 *
 * Pure functions over bytes of a peer: any input is legal, nothing is asserted about it. */
#ifndef RS_CORE_FRAME_H
#define RS_CORE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/status.h"
#include "ringside/session.h"

/* rs_frame_parse: looks for one frame at the start of data[0..bytes).
 *
 * Params   data: bytes readable bytes, nullable when bytes is 0; bytes: any number.
 *          frame_bytes_max: [RS_FRAME_HEADER_BYTES, RS_FRAME_BYTES_MAX] (asserted: it is ours).
 * Returns  RS_OK          *frame_bytes = length of the whole frame, <= bytes
 *          RS_E_AGAIN     incomplete; *frame_bytes = its length if known yet, else 0
 *          RS_E_PROTOCOL  length below the header or above the maximum, told as early as it can
 *                         be known (at times from one byte); *frame_bytes = 0
 *          Given more bytes of the same stream, only RS_E_AGAIN can change.
 * Thread   any; reads at most two bytes.  Bounds  O(1), no loop. */
rs_status rs_frame_parse(const uint8_t *data, uint32_t bytes, uint32_t frame_bytes_max,
                         uint32_t *frame_bytes);

#define RS_FRAMER_U32_BYTES 4u /* the header of rs_framer_u32 */

/* rs_frame_lengths: how many different ones a frame may have. */
static inline uint32_t rs_frame_lengths(uint32_t frame_bytes_max) {
    return frame_bytes_max - RS_FRAME_HEADER_BYTES + 1u;
}

/* rs_frame_is_whole: as rs_frame_parse, for the common case: is there a whole frame at the start of
 * data[0..bytes)? Then *frame_bytes is its length. lengths: as above; 0: none is one. */
static inline bool rs_frame_is_whole(const uint8_t *data, uint32_t bytes, uint32_t lengths,
                                     uint32_t *frame_bytes) {
    if (bytes < RS_FRAME_HEADER_BYTES) {
        return false;
    }
    *frame_bytes = data[0] | (uint32_t)data[1] << 8;
    return *frame_bytes - RS_FRAME_HEADER_BYTES < lengths && *frame_bytes <= bytes;
}

#endif
