/* SPDX-License-Identifier: MIT */
/* One byte chooses a framer that is built in, two the maximum, the rest is a stream from a peer.
 *
 * The stream is taken apart with all bytes at hand, and each frame again with one byte more at a
 * time as a slow peer would send it: both must say the same, which is what the format says, read
 * plainly, and an answer is never taken back. The bytes lie in blocks of exactly their size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t ask(rs_framer framer, const uint8_t *data, uint32_t bytes, uint32_t max) {
    uint8_t *copy = malloc(bytes);
    uint32_t answer;
    RS_ASSERT(copy != NULL);
    memcpy(copy, data, bytes);
    answer = framer(copy, bytes, max);
    free(copy);
    return answer;
}

/* The frame's length if it is here in full, 0 if more is needed, UINT32_MAX if it is malformed,
 * told no earlier than with its whole header, or with max bytes of a line. */
static uint32_t plainly(rs_framer framer, const uint8_t *data, uint32_t bytes, uint32_t max) {
    uint32_t header = 2, least = 3, length = 0;
    if (framer == rs_framer_line) {
        for (uint32_t i = 0; i < bytes && i < max; i++) {
            if (data[i] == '\n') {
                return i + 1u;
            }
        }
        return bytes < max ? 0 : UINT32_MAX;
    }
    if (framer == rs_framer_u32) {
        header = least = 4;
    }
    if (bytes < header) {
        return 0;
    }
    for (uint32_t i = header; i > 0; i--) {
        length = length * 256u + data[i - 1u];
    }
    if (length < least || length > max) {
        return UINT32_MAX;
    }
    return length <= bytes ? length : 0;
}

/* One byte more at a time: returns the last answer, of which nothing was taken back. */
static uint32_t slowly(rs_framer framer, const uint8_t *data, uint32_t bytes, uint32_t max) {
    uint32_t answer = RS_FRAMER_MORE;
    for (uint32_t have = 1; have <= bytes; have++) {
        const uint32_t now = ask(framer, data, have, max);
        const uint32_t plain = plainly(framer, data, have, max);
        RS_ASSERT(answer == RS_FRAMER_MORE || now == answer);
        RS_ASSERT(now == RS_FRAMER_MALFORMED || (now <= max && (now > have || now == plain)));
        RS_ASSERT(now <= have || plain == 0 || plain == now);
        if (now == RS_FRAMER_MALFORMED || (now != RS_FRAMER_MORE && now <= have)) {
            return now;
        }
        answer = now;
    }
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const rs_framer framers[] = {rs_framer_u16, rs_framer_u32, rs_framer_line};
    uint32_t bytes, max;
    rs_framer framer;
    if (size < 3 || size > 4096) {
        return 0;
    }
    framer = framers[data[0] % 3u];
    max = 3u + (data[1] + 256u * data[2]) % (RS_FRAME_BYTES_MAX - 2u);
    bytes = (uint32_t)(size - 3);
    data += 3;
    while (bytes > 0) {
        const uint32_t whole = ask(framer, data, bytes, max);
        const uint32_t slow = slowly(framer, data, bytes, max);
        const uint32_t plain = plainly(framer, data, bytes, max);
        RS_ASSERT(slow == whole);
        RS_ASSERT(plain == 0 || plain == whole);
        RS_ASSERT(whole != RS_FRAMER_MALFORMED || bytes < 4u || plain == whole);
        if (whole == RS_FRAMER_MORE || whole == RS_FRAMER_MALFORMED || whole > bytes) {
            return 0;
        }
        data += whole;
        bytes -= whole;
    }
    return 0;
}
