/* SPDX-License-Identifier: MIT */
/* See loadgen_push.h. Without `sum` (--verify off) the words count frames and have no digest. */
#include "loadgen/loadgen_push.h"

#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

static uint64_t push_sum(uint64_t sum, const uint8_t *body, uint32_t bytes, bool digest) {
    return digest ? rs_sum_add(sum, body, bytes) : (sum + 1u) % RS_SUM_FRAMES_MAX;
}

void rs_push_add(rs_push *push, const uint8_t *frame, uint32_t bytes, bool sum) {
    RS_ASSERT(bytes > RS_ASKED_BODY_AT);
    push->unasked.sum =
        push_sum(push->unasked.sum, frame + RS_ASKED_BODY_AT, bytes - RS_ASKED_BODY_AT, sum);
    push->unasked.bytes += bytes;
    push->unasked.frames++;
}

bool rs_push_is_half(const rs_push *push, uint32_t depth) {
    RS_ASSERT(depth > 0);
    return push->unasked.frames >= (depth + 1u) / 2u;
}

bool rs_push_is_due(const rs_push *push, uint32_t depth) {
    return push->unasked.frames > 0 && (push->count == 0 || rs_push_is_half(push, depth));
}

uint32_t rs_push_ask(rs_push *push, uint32_t connection, uint64_t sequence, bool sum,
                     uint8_t *out) {
    RS_ASSERT(push->count < RS_PUSH_ASKED_MAX); /* two halves fill the window */
    RS_ASSERT(push->unasked.frames > 0);
    (void)rs_frame_header(out, RS_RECEIPT_TYPE, RS_PAYLOAD_ID_BYTES);
    rs_payload_identity(out + RS_FRAME_HEADER_BYTES, connection, sequence);
    push->unasked.sum =
        push_sum(push->unasked.sum, out + RS_FRAME_HEADER_BYTES, RS_PAYLOAD_ID_BYTES, sum);
    push->asked[push->count++] = push->unasked;
    push->unasked = (rs_push_part){.sum = 0};
    return RS_PUSH_ASK_BYTES;
}

void rs_push_take(rs_push *push, const uint8_t *data, uint32_t bytes, bool sum,
                  rs_push_receipt *out) {
    const rs_push_part due = push->asked[0];
    uint64_t got = 0;
    *out = (rs_push_receipt){.frames = 0};
    if (push->count == 0) {
        return;
    }
    rs_receipt(due.sum, out->expected);
    out->is_receipt = rs_receipt_read(data, bytes, &got);
    push->count--;
    memmove(&push->asked[0], &push->asked[1], sizeof push->asked[0]);
    out->frames = due.frames;
    out->bytes = due.bytes;
    out->is_right =
        out->is_receipt && (sum ? got == due.sum : rs_sum_frames(got) == rs_sum_frames(due.sum));
    if (out->is_receipt && rs_sum_frames(got) < rs_sum_frames(due.sum)) {
        out->lost = rs_sum_frames(due.sum) - rs_sum_frames(got);
        out->lost = out->lost < due.frames ? out->lost : due.frames;
    }
}
