/* SPDX-License-Identifier: MIT */
/* Two bytes choose the maximum, the rest is a stream from a peer.
 *
 * The stream is taken apart twice: by rs_frame_parse with all bytes at hand, and with one byte
 * more at a time as a slow peer would send it; each answer is compared with what the format says,
 * tried length by length. The stream lies in a block of exactly its size. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Could these first bytes begin a legal frame? All lengths that agree with them are tried. */
static bool could_be_legal(const uint8_t *data, uint32_t bytes, uint32_t max) {
    for (uint32_t high = 0; high <= 255u; high++) {
        const uint32_t length = data[0] + 256u * (bytes > 1 ? data[1] : high);
        if (length >= 3 && length <= max) {
            return true;
        }
    }
    return false;
}

static rs_status reference_parse(const uint8_t *data, uint32_t bytes, uint32_t max, uint32_t *out) {
    *out = 0;
    if (bytes > 0 && !could_be_legal(data, bytes, max)) {
        return RS_E_PROTOCOL;
    }
    if (bytes < 2) {
        return RS_E_AGAIN;
    }
    *out = data[0] + 256u * data[1];
    return *out > bytes ? RS_E_AGAIN : RS_OK;
}

static rs_status parse_checked(const uint8_t *data, uint32_t bytes, uint32_t max, uint32_t *out) {
    uint32_t expected = 0;
    const rs_status status = rs_frame_parse(data, bytes, max, out);
    RS_ASSERT(status == reference_parse(data, bytes, max, &expected));
    RS_ASSERT(*out == expected);
    RS_ASSERT(status != RS_OK || (*out >= RS_FRAME_HEADER_BYTES && *out <= bytes));
    return status;
}

/* One byte more at a time from at on: the same verdict as with all of them, never taken back. */
static void feed_slowly(const uint8_t *at, uint32_t bytes, uint32_t max, rs_status whole) {
    for (uint32_t have = 0; have <= bytes; have++) {
        uint32_t got = 0;
        const rs_status status = parse_checked(at, have, max, &got);
        if (status != RS_E_AGAIN) {
            RS_ASSERT(status == whole);
            RS_ASSERT(status != RS_OK || got == have);
            return;
        }
    }
    RS_ASSERT(whole == RS_E_AGAIN);
}

static void take_apart(const uint8_t *stream, uint32_t bytes, uint32_t max) {
    uint32_t read = 0;
    for (;;) {
        uint32_t got = 0;
        const rs_status status = parse_checked(stream + read, bytes - read, max, &got);
        feed_slowly(stream + read, bytes - read, max, status);
        if (status != RS_OK) {
            return;
        }
        uint8_t header[RS_FRAME_HEADER_BYTES];
        const uint8_t *frame = stream + read;
        RS_ASSERT(rs_frame_header(header, rs_frame_type(frame), got - 3u) == got);
        RS_ASSERT(memcmp(header, frame, sizeof header) == 0);
        read += got;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    const uint32_t max = 3u + (data[0] + 256u * data[1]) % (RS_FRAME_BYTES_MAX - 2u);
    const uint32_t bytes = (uint32_t)(size - 2);
    uint8_t *stream = malloc(bytes > 0 ? bytes : 1);
    RS_ASSERT(stream != NULL);
    memcpy(stream, data + 2, bytes);
    take_apart(stream, bytes, max);
    free(stream);
    return 0;
}
