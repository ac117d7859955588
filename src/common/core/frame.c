/* SPDX-License-Identifier: MIT */
/* Reading and writing of the three header bytes; the payload is the application's. */
#include "core/frame.h"

#include "core/assert.h"

/* The low byte alone decides if even the shortest valid length with that byte is too long. */
static rs_status frame_parse_short(const uint8_t *data, uint32_t bytes, uint32_t frame_bytes_max) {
    if (bytes == 0) {
        return RS_E_AGAIN;
    }
    const uint32_t low = data[0];
    const uint32_t least = low < RS_FRAME_HEADER_BYTES ? low + 256u : low;
    return least > frame_bytes_max ? RS_E_PROTOCOL : RS_E_AGAIN;
}

rs_status rs_frame_parse(const uint8_t *data, uint32_t bytes, uint32_t frame_bytes_max,
                         uint32_t *frame_bytes) {
    RS_ASSERT(frame_bytes_max >= RS_FRAME_HEADER_BYTES);
    RS_ASSERT(frame_bytes_max <= RS_FRAME_BYTES_MAX);
    *frame_bytes = 0;
    if (bytes < 2) {
        return frame_parse_short(data, bytes, frame_bytes_max);
    }
    const uint32_t length = data[0] | (uint32_t)data[1] << 8;
    if (length < RS_FRAME_HEADER_BYTES || length > frame_bytes_max) {
        return RS_E_PROTOCOL;
    }
    *frame_bytes = length;
    return length <= bytes ? RS_OK : RS_E_AGAIN;
}

uint32_t rs_frame_header(uint8_t *out, uint8_t type, uint32_t payload_bytes) {
    RS_ASSERT(payload_bytes <= RS_FRAME_BYTES_MAX - RS_FRAME_HEADER_BYTES);
    const uint32_t length = payload_bytes + RS_FRAME_HEADER_BYTES;
    out[0] = (uint8_t)(length & 0xFFu);
    out[1] = (uint8_t)(length >> 8);
    out[2] = type;
    return length;
}
