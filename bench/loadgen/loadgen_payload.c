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

void rs_payload_init(rs_payload *payload, uint64_t seed, uint32_t frame_bytes) {
    uint32_t length;
    RS_ASSERT(frame_bytes >= RS_FRAME_HEADER_BYTES && frame_bytes <= RS_FRAME_BYTES_MAX);
    payload->key = payload_mix(seed);
    payload->frame_bytes = frame_bytes;
    length =
        rs_frame_header(payload->header, PAYLOAD_FRAME_TYPE, frame_bytes - RS_FRAME_HEADER_BYTES);
    RS_ASSERT(length == frame_bytes);
    for (uint32_t i = 0; i < sizeof payload->table; i++) {
        payload->table[i] = (uint8_t)(payload_mix(payload->key + i) >> 56);
    }
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

void rs_payload_build(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                      uint8_t *out) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    uint32_t at = RS_FRAME_HEADER_BYTES;
    memcpy(out, payload->header, RS_FRAME_HEADER_BYTES);
    if (payload->frame_bytes >= RS_PAYLOAD_ID_FRAME_BYTES) {
        payload_identity(out + at, connection, sequence);
        at = RS_PAYLOAD_ID_FRAME_BYTES;
    }
    memcpy(out + at, pattern, payload->frame_bytes - at);
}

/* Is this intact, of this connection, whatever its number? */
static rs_payload_verdict payload_identify(const rs_payload *payload, uint32_t connection,
                                           const uint8_t *data, uint64_t *sequence) {
    const uint8_t *identity = data + RS_FRAME_HEADER_BYTES;
    uint64_t found = payload_load(identity + 4, 8);
    bool intact =
        memcmp(data, payload->header, RS_FRAME_HEADER_BYTES) == 0 &&
        payload_load(identity, 4) == connection &&
        memcmp(data + RS_PAYLOAD_ID_FRAME_BYTES, payload_pattern(payload, connection, found),
               payload->frame_bytes - RS_PAYLOAD_ID_FRAME_BYTES) == 0;
    if (!intact) {
        return RS_PAYLOAD_WRONG;
    }
    *sequence = found;
    return RS_PAYLOAD_OTHER;
}

rs_payload_verdict rs_payload_check(const rs_payload *payload, uint32_t connection,
                                    uint64_t expected, const uint8_t *data, uint64_t *sequence) {
    const uint8_t *pattern = payload_pattern(payload, connection, expected);
    uint8_t head[RS_PAYLOAD_ID_FRAME_BYTES];
    memcpy(head, payload->header, RS_FRAME_HEADER_BYTES);
    *sequence = expected;
    if (payload->frame_bytes < RS_PAYLOAD_ID_FRAME_BYTES) {
        bool same = memcmp(data, head, RS_FRAME_HEADER_BYTES) == 0 &&
                    memcmp(data + RS_FRAME_HEADER_BYTES, pattern,
                           payload->frame_bytes - RS_FRAME_HEADER_BYTES) == 0;
        return same ? RS_PAYLOAD_EXPECTED : RS_PAYLOAD_WRONG;
    }
    payload_identity(head + RS_FRAME_HEADER_BYTES, connection, expected);
    if (memcmp(data, head, sizeof head) == 0 &&
        memcmp(data + sizeof head, pattern, payload->frame_bytes - sizeof head) == 0) {
        return RS_PAYLOAD_EXPECTED;
    }
    return payload_identify(payload, connection, data, sequence);
}

uint32_t rs_payload_bytes(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint32_t from, uint8_t *out, uint32_t bytes) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    const bool named = payload->frame_bytes >= RS_PAYLOAD_ID_FRAME_BYTES;
    const uint32_t head_bytes = named ? RS_PAYLOAD_ID_FRAME_BYTES : RS_FRAME_HEADER_BYTES;
    uint8_t head[RS_PAYLOAD_ID_FRAME_BYTES];
    uint32_t count = 0;
    memcpy(head, payload->header, RS_FRAME_HEADER_BYTES);
    payload_identity(head + RS_FRAME_HEADER_BYTES, connection, sequence);
    for (; count < bytes && from + count < payload->frame_bytes; count++) {
        const uint32_t at = from + count;
        out[count] = at < head_bytes ? head[at] : pattern[at - head_bytes];
    }
    return count;
}

uint32_t rs_payload_differs(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes) {
    uint32_t at = 0;
    uint8_t expected;
    while (at < bytes && rs_payload_bytes(payload, connection, sequence, at, &expected, 1) == 1 &&
           data[at] == expected) {
        at++;
    }
    return at;
}
