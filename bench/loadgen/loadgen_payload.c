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

static inline bool payload_asks(const rs_payload *payload) {
    return payload->replies.count > 0;
}

static uint32_t payload_less(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static inline void payload_header(const rs_payload *payload, uint8_t *out, uint32_t frame_bytes) {
    if (payload->one_bytes != 0) {
        memcpy(out, payload->one_header, RS_FRAME_HEADER_BYTES);
    } else {
        (void)rs_frame_header(out, payload_asks(payload) ? RS_ASKED_TYPE : PAYLOAD_FRAME_TYPE,
                              payload_less(frame_bytes, RS_FRAME_BYTES_MAX) -
                                  RS_FRAME_HEADER_BYTES);
    }
}

void rs_payload_init(rs_payload *payload, uint64_t seed, const rs_sizes *sizes,
                     const rs_sizes *replies) {
    RS_ASSERT(sizes->count > 0 && sizes->min >= RS_FRAME_HEADER_BYTES &&
              sizes->max <= (replies == NULL ? RS_PAYLOAD_BYTES_MAX : RS_FRAME_BYTES_MAX));
    payload->key = payload_mix(seed);
    payload->sizes = *sizes;
    payload->replies = replies != NULL ? *replies : (rs_sizes){.count = 0};
    payload->one_bytes = replies == NULL && sizes->min == sizes->max ? sizes->min : 0;
    (void)rs_frame_header(payload->one_header, PAYLOAD_FRAME_TYPE,
                          payload_less(sizes->min, RS_FRAME_BYTES_MAX) - RS_FRAME_HEADER_BYTES);
    RS_ASSERT(replies == NULL ||
              (sizes->min >= RS_PAYLOAD_ASKING_BYTES && replies->max <= RS_FRAME_BYTES_MAX &&
               (replies->min >= RS_ASKED_HEAD_BYTES || replies->max == 0)));
    for (uint32_t i = 0; i < RS_PAYLOAD_STARTS + sizes->max; i++) {
        payload->table[i] = (uint8_t)(payload_mix(payload->key + i) >> 56);
    }
}

/* Distinct for all that a run can reach: 20 bits of connection, 43 of sequence. */
static uint64_t payload_draw(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                             bool reply) {
    return payload_mix(payload->key ^ (uint64_t)connection << 44 ^ sequence << 1 ^
                       (reply ? 1u : 0u));
}

uint32_t rs_payload_drawn_bytes(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                                bool reply) {
    reply = reply && payload->replies.count > 0;
    return rs_sizes_draw(reply ? &payload->replies : &payload->sizes,
                         payload_draw(payload, connection, sequence, reply));
}

uint32_t rs_payload_reply_max(const rs_payload *payload) {
    if (payload->replies.count == 0) {
        return payload->sizes.max;
    }
    return payload->replies.max == 0 ? RS_RECEIPT_BYTES : payload->replies.max;
}

/* Where the pattern of a message starts. One multiplication each: this runs twice per message. */
static const uint8_t *payload_pattern(const rs_payload *payload, uint32_t connection,
                                      uint64_t sequence) {
    uint64_t h = (sequence ^ payload->key) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (h >> 32) ^ connection) * UINT64_C(0xD6E8FEB86659FD93);
    return payload->table + (h >> 52);
}

_Static_assert(RS_PAYLOAD_STARTS == 1u << 12, "payload_pattern takes the top 12 bits");

/* As this machine stores numbers: only loadgen reads them. */
void rs_payload_identity(uint8_t *out, uint32_t connection, uint64_t sequence) {
    memcpy(out, &connection, sizeof connection);
    memcpy(out + sizeof connection, &sequence, sizeof sequence);
}

uint32_t rs_payload_build(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint8_t *out) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    const uint32_t bytes = rs_payload_request_bytes(payload, connection, sequence);
    uint32_t at = RS_FRAME_HEADER_BYTES;
    payload_header(payload, out, bytes);
    if (payload_asks(payload)) {
        const uint32_t asked = rs_payload_reply_bytes(payload, connection, sequence);

        out[at] = (uint8_t)asked;
        out[at + 1u] = (uint8_t)(asked >> 8);
        at = RS_ASKED_BODY_AT;
    }
    if (bytes >= RS_PAYLOAD_ID_FRAME_BYTES) {
        rs_payload_identity(out + at, connection, sequence);
        at += RS_PAYLOAD_ID_BYTES;
    }
    memcpy(out + at, pattern, bytes - at);
    return bytes;
}

/* ---- replies that are the request */

static bool payload_is_echo(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    uint8_t head[RS_PAYLOAD_ID_FRAME_BYTES];
    if (bytes != rs_payload_request_bytes(payload, connection, sequence)) {
        return false;
    }
    payload_header(payload, head, bytes);
    if (bytes < sizeof head) {
        return memcmp(data, head, RS_FRAME_HEADER_BYTES) == 0 &&
               memcmp(data + RS_FRAME_HEADER_BYTES, pattern, bytes - RS_FRAME_HEADER_BYTES) == 0;
    }
    rs_payload_identity(head + RS_FRAME_HEADER_BYTES, connection, sequence);
    return memcmp(data, head, sizeof head) == 0 &&
           memcmp(data + sizeof head, pattern, bytes - sizeof head) == 0;
}

uint32_t rs_payload_part(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                         uint32_t from, const uint8_t *data, uint32_t bytes) {
    const uint8_t *pattern = payload_pattern(payload, connection, sequence);
    uint8_t head[RS_PAYLOAD_ID_FRAME_BYTES];
    uint32_t at = 0;
    RS_ASSERT(!payload_asks(payload) && payload->sizes.min >= sizeof head);
    payload_header(payload, head, rs_payload_request_bytes(payload, connection, sequence));
    rs_payload_identity(head + RS_FRAME_HEADER_BYTES, connection, sequence);
    while (at < bytes && from + at < sizeof head && data[at] == head[from + at]) {
        at++;
    }
    if (at == bytes || from + at < sizeof head) {
        return at;
    }
    pattern += from + at - sizeof head;
    if (memcmp(data + at, pattern, bytes - at) == 0) {
        return bytes;
    }
    for (; data[at] == *pattern; at++) {
        pattern++;
    }
    return at;
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
    memcpy(sequence, data + at + 4, sizeof *sequence); /* is it intact, whatever its number? */
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
