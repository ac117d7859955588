/* SPDX-License-Identifier: MIT */
/* Reading and writing of the three header bytes; the payload is the application's. The framers that
 * are built in. */
#include "core/frame.h"

#include <string.h>

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

uint32_t rs_framer_u16(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    uint32_t frame_bytes;
    const rs_status status = rs_frame_parse(data, bytes, bytes_max, &frame_bytes);
    RS_ASSERT(status != RS_OK || frame_bytes <= bytes);
    return status == RS_E_PROTOCOL ? RS_FRAMER_MALFORMED : frame_bytes;
}

/* The bytes so far are its low ones: the others can only make it longer. */
uint32_t rs_framer_u32(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    const uint32_t known = bytes < RS_FRAMER_U32_BYTES ? bytes : RS_FRAMER_U32_BYTES;
    uint32_t length = 0;
    RS_ASSERT(bytes_max <= RS_FRAME_BYTES_MAX);
    for (uint32_t i = 0; i < known; i++) {
        length |= (uint32_t)data[i] << 8 * i;
    }
    if (length > bytes_max || (known == RS_FRAMER_U32_BYTES && length < RS_FRAMER_U32_BYTES)) {
        return RS_FRAMER_MALFORMED;
    }
    return known == RS_FRAMER_U32_BYTES ? length : RS_FRAMER_MORE;
}

uint32_t rs_framer_line(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    const uint8_t *end = memchr(data, '\n', bytes < bytes_max ? bytes : bytes_max);
    RS_ASSERT(bytes_max > 0);
    if (end == NULL) {
        return bytes < bytes_max ? RS_FRAMER_MORE : RS_FRAMER_MALFORMED;
    }
    return (uint32_t)(end - data) + 1u;
}
