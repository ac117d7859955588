/* SPDX-License-Identifier: MIT */
/* See asked_wire.h. */
#include "apps/asked_wire.h"

#include "core/assert.h"
#include "core/frame.h"

#define ASKED_WORD 8u

static uint64_t asked_load(const uint8_t *data, uint32_t bytes) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)data[i] << (8u * i);
    }
    return value;
}

static void asked_store(uint8_t *out, uint64_t word) {
    for (uint32_t i = 0; i < ASKED_WORD; i++) {
        out[i] = (uint8_t)(word >> (8u * i));
    }
}

/* Both steps can be undone, so that two bodies that differ in one word never meet again. */
static uint64_t asked_mix(uint64_t digest, uint64_t word) {
    digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return digest ^ (digest >> 29);
}

uint64_t rs_asked_digest(const uint8_t *body, uint32_t bytes) {
    uint64_t digest = bytes;
    uint32_t at = 0;
    for (; at + ASKED_WORD <= bytes; at += ASKED_WORD) {
        digest = asked_mix(digest, asked_load(body + at, ASKED_WORD));
    }
    return asked_mix(digest, asked_load(body + at, bytes - at));
}

uint32_t rs_asked_bytes(const uint8_t *frame, uint32_t bytes) {
    uint32_t asked;
    if (bytes <= RS_ASKED_BODY_AT) {
        return 0;
    }
    asked = (uint32_t)asked_load(frame + RS_FRAME_HEADER_BYTES, 2);
    return asked >= RS_ASKED_HEAD_BYTES ? asked : 0;
}

void rs_asked_head(const uint8_t *body, uint32_t bytes, uint32_t reply_bytes, uint8_t *out) {
    const uint64_t digest = rs_asked_digest(body, bytes);
    RS_ASSERT(reply_bytes >= RS_ASKED_HEAD_BYTES);
    RS_ASSERT(reply_bytes <= RS_FRAME_BYTES_MAX);
    (void)rs_frame_header(out, RS_ASKED_TYPE, reply_bytes - RS_FRAME_HEADER_BYTES);
    asked_store(out + RS_FRAME_HEADER_BYTES, digest);
}

/* ---- pushed frames */

bool rs_asked_is_pushed(const uint8_t *frame, uint32_t bytes) {
    return bytes > RS_ASKED_BODY_AT && asked_load(frame + RS_FRAME_HEADER_BYTES, 2) == 0;
}

uint64_t rs_sum_add(uint64_t sum, const uint8_t *body, uint32_t bytes) {
    const uint64_t digest =
        asked_mix(sum >> RS_SUM_FRAMES_BITS, rs_asked_digest(body, bytes)) >> RS_SUM_FRAMES_BITS;
    RS_ASSERT(bytes > 0 && bytes <= RS_FRAME_BYTES_MAX);
    return digest << RS_SUM_FRAMES_BITS | ((rs_sum_frames(sum) + 1u) & (RS_SUM_FRAMES_MAX - 1u));
}

void rs_receipt(uint64_t sum, uint8_t *out) {
    (void)rs_frame_header(out, RS_RECEIPT_TYPE, RS_RECEIPT_BYTES - RS_FRAME_HEADER_BYTES);
    asked_store(out + RS_FRAME_HEADER_BYTES, sum);
}

bool rs_receipt_read(const uint8_t *data, uint32_t bytes, uint64_t *sum) {
    if (bytes != RS_RECEIPT_BYTES || asked_load(data, 2) != RS_RECEIPT_BYTES ||
        rs_frame_type(data) != RS_RECEIPT_TYPE) {
        return false;
    }
    *sum = asked_load(data + RS_FRAME_HEADER_BYTES, ASKED_WORD);
    return true;
}
