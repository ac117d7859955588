/* SPDX-License-Identifier: MIT */
/* Building and checking of messages; no state beyond the table. */
#include "loadgen/loadgen_payload.h"

#include <stdbool.h>
#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

#define PAYLOAD_FRAME_TYPE 1u

_Static_assert((RS_PAYLOAD_STARTS & (RS_PAYLOAD_STARTS - 1u)) == 0, "a start is masked");

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t payload_mix(uint64_t value) {
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

static void payload_store(uint8_t *out, uint64_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8u * i));
    }
}

static uint64_t payload_load(const uint8_t *data, uint32_t bytes) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)data[i] << (8u * i);
    }
    return value;
}

void rs_payload_init(rs_payload *payload, uint64_t seed, const rs_sizes *sizes,
                     const rs_sizes *replies) {
    RS_ASSERT(sizes->count > 0 && sizes->min >= RS_FRAME_HEADER_BYTES &&
              sizes->max <= RS_FRAME_BYTES_MAX);
    payload->key = payload_mix(seed);
    payload->sizes = *sizes;
    payload->replies = replies != NULL ? *replies : (rs_sizes){.count = 0};
    RS_ASSERT(replies == NULL ||
              (sizes->min >= RS_PAYLOAD_ASKING_BYTES && replies->min >= RS_ASKED_HEAD_BYTES &&
               replies->max <= RS_FRAME_BYTES_MAX));
    for (uint32_t i = 0; i < sizeof payload->table; i++) {
        payload->table[i] = (uint8_t)(payload_mix(payload->key + i) >> 56);
    }
}

/* Distinct for all that a run can reach: 20 bits of connection, 43 of sequence. */
static uint64_t payload_draw(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                             bool reply) {
    return payload_mix(payload->key ^ (uint64_t)connection << 44 ^ sequence << 1 ^ reply);
}

uint32_t rs_payload_request_bytes(const rs_payload *payload, uint32_t connection,
                                  uint64_t sequence) {
    return payload->sizes.min == payload->sizes.max /* nothing to draw: the common case */
               ? payload->sizes.min
               : rs_sizes_draw(&payload->sizes, payload_draw(payload, connection, sequence, false));
}

uint32_t rs_payload_reply_bytes(const rs_payload *payload, uint32_t connection, uint64_t sequence) {
    return payload->replies.count == 0
               ? rs_payload_request_bytes(payload, connection, sequence)
               : rs_sizes_draw(&payload->replies,
                               payload_draw(payload, connection, sequence, true));
}

uint32_t rs_payload_reply_max(const rs_payload *payload) {
    return payload->replies.count == 0 ? payload->sizes.max : payload->replies.max;
}

/* Where the pattern of a message starts. One multiplication each: this runs twice per message. */
static const uint8_t *payload_pattern(const rs_payload *payload, uint32_t connection,
                                      uint64_t sequence) {
    uint64_t h = (sequence ^ payload->key) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (h >> 32) ^ connection) * UINT64_C(0xD6E8FEB86659FD93);
    return payload->table + (h >> 52);
}

_Static_assert(RS_PAYLOAD_STARTS == 1u << 12, "payload_pattern takes the top 12 bits");

static void payload_identity(uint8_t *out, uint32_t connection, uint64_t sequence) {
    payload_store(out, connection, 4);
    payload_store(out + 4, sequence, 8);
}

static bool payload_asks(const rs_payload *payload) {
    return payload->replies.count > 0;
}

static void payload_header(uint8_t *out, uint8_t type, uint32_t frame_bytes) {
    (void)rs_frame_header(out, type, frame_bytes - RS_FRAME_HEADER_BYTES);
}

uint32_t rs_payload_build(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint8_t *out) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    const uint32_t bytes = rs_payload_request_bytes(payload, connection, sequence);
    uint32_t at = RS_FRAME_HEADER_BYTES;
    payload_header(out, payload_asks(payload) ? RS_ASKED_TYPE : PAYLOAD_FRAME_TYPE, bytes);
    if (payload_asks(payload)) {
        payload_store(out + at, rs_payload_reply_bytes(payload, connection, sequence), 2);
        at = RS_ASKED_BODY_AT;
    }
    if (bytes >= RS_PAYLOAD_ID_FRAME_BYTES) {
        payload_identity(out + at, connection, sequence);
        at += RS_PAYLOAD_ID_BYTES;
    }
    memcpy(out + at, pattern, bytes - at);
    return bytes;
}

/* ---- replies that are the request */

static bool payload_is_echo(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes) {
    uint8_t head[RS_PAYLOAD_ID_FRAME_BYTES];
    uint32_t at = RS_FRAME_HEADER_BYTES;
    if (bytes != rs_payload_request_bytes(payload, connection, sequence)) {
        return false;
    }
    payload_header(head, PAYLOAD_FRAME_TYPE, bytes);
    if (bytes >= RS_PAYLOAD_ID_FRAME_BYTES) {
        payload_identity(head + at, connection, sequence);
        at = RS_PAYLOAD_ID_FRAME_BYTES;
    }
    return memcmp(data, head, at) == 0 &&
           memcmp(data + at, payload_pattern(payload, connection, sequence), bytes - at) == 0;
}

/* ---- replies of a size of their own */

/* The whole reply, in payload->reply. Returns its length. */
static uint32_t payload_make_reply(rs_payload *payload, uint32_t connection, uint64_t sequence) {
    const uint32_t sent = rs_payload_build(payload, connection, sequence, payload->request);
    const uint32_t bytes = rs_payload_reply_bytes(payload, connection, sequence);
    const uint8_t *body = payload->request + RS_ASKED_BODY_AT;
    const uint32_t body_bytes = sent - RS_ASKED_BODY_AT;
    if (!payload_asks(payload)) {
        memcpy(payload->reply, payload->request, bytes);
        return bytes;
    }
    rs_asked_head(body, body_bytes, bytes, payload->reply);
    for (uint32_t at = RS_ASKED_HEAD_BYTES; at < bytes;) {
        const uint32_t part = body_bytes < bytes - at ? body_bytes : bytes - at;

        memcpy(payload->reply + at, body, part);
        at += part;
    }
    return bytes;
}

static bool payload_is_reply(rs_payload *payload, uint32_t connection, uint64_t sequence,
                             const uint8_t *data, uint32_t bytes) {
    if (!payload_asks(payload)) {
        return payload_is_echo(payload, connection, sequence, data, bytes);
    }
    return bytes == rs_payload_reply_bytes(payload, connection, sequence) &&
           payload_make_reply(payload, connection, sequence) == bytes &&
           memcmp(data, payload->reply, bytes) == 0;
}

/* ---- of both */

rs_payload_verdict rs_payload_check(rs_payload *payload, uint32_t connection, uint64_t expected,
                                    const uint8_t *data, uint32_t bytes, uint64_t *sequence) {
    const uint32_t at = payload_asks(payload) ? RS_ASKED_HEAD_BYTES : RS_FRAME_HEADER_BYTES;
    *sequence = expected;
    if (payload_is_reply(payload, connection, expected, data, bytes)) {
        return RS_PAYLOAD_EXPECTED;
    }
    if (bytes < at + RS_PAYLOAD_ID_BYTES) {
        return RS_PAYLOAD_WRONG;
    }
    *sequence = payload_load(data + at + 4, 8); /* is it intact, whatever its number? */
    return payload_is_reply(payload, connection, *sequence, data, bytes) ? RS_PAYLOAD_OTHER
                                                                         : RS_PAYLOAD_WRONG;
}

uint32_t rs_payload_bytes(rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint32_t from, uint8_t *out, uint32_t bytes) {
    const uint32_t all = payload_make_reply(payload, connection, sequence);
    const uint32_t left = from < all ? all - from : 0;
    bytes = bytes < left ? bytes : left;
    memcpy(out, payload->reply + (from < all ? from : 0), bytes);
    return bytes;
}

uint32_t rs_payload_differs(rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes) {
    const uint32_t all = payload_make_reply(payload, connection, sequence);
    uint32_t at = 0;
    while (at < bytes && at < all && data[at] == payload->reply[at]) {
        at++;
    }
    return at;
}
