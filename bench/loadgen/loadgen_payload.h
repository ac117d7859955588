/* SPDX-License-Identifier: MIT */
/* The content of the load generator's messages: a function of (seed, connection, sequence) alone.
 *
 *   frame header (core/frame.h) | uint32 connection | uint64 sequence | pattern
 *
 * The pattern is a stretch of one random table; the identity decides where it starts. So building
 * is a copy and checking a comparison, and a byte of another message does not pass for ours.
 * Frames below RS_PAYLOAD_ID_FRAME_BYTES have no room for the identity and carry a pattern alone:
 * damage is found in them too, but lost, duplicated and reordered all count as wrong. From
 * RS_PAYLOAD_SURE_FRAME_BYTES on, a damaged identity is told from that of another message. */
#ifndef RS_LOADGEN_PAYLOAD_H
#define RS_LOADGEN_PAYLOAD_H

#include <stdint.h>

#include "core/limits.h"

#define RS_PAYLOAD_ID_BYTES 12u
#define RS_PAYLOAD_ID_FRAME_BYTES (RS_FRAME_HEADER_BYTES + RS_PAYLOAD_ID_BYTES)
#define RS_PAYLOAD_SURE_FRAME_BYTES (RS_PAYLOAD_ID_FRAME_BYTES + 8u)
#define RS_PAYLOAD_STARTS                                                                          \
    4096u /* places a pattern may start at: small, so that it stays cached                         \
           */

typedef struct rs_payload {
    uint64_t key;
    uint32_t frame_bytes;
    uint8_t header[RS_FRAME_HEADER_BYTES];
    uint8_t table[RS_PAYLOAD_STARTS + RS_FRAME_BYTES_MAX];
} rs_payload;

typedef enum rs_payload_verdict {
    RS_PAYLOAD_EXPECTED, /* exactly the message that was expected */
    RS_PAYLOAD_OTHER,    /* intact, of this connection, with another sequence number */
    RS_PAYLOAD_WRONG     /* none of this connection's messages */
} rs_payload_verdict;

/* rs_payload_init: fills the table from seed. frame_bytes: of every message,
 * [RS_FRAME_HEADER_BYTES, RS_FRAME_BYTES_MAX] (asserted). */
void rs_payload_init(rs_payload *payload, uint64_t seed, uint32_t frame_bytes);

/* rs_payload_build: writes one message, payload->frame_bytes long, to out. */
void rs_payload_build(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                      uint8_t *out);

/* rs_payload_check: what data[0..frame_bytes) is, where the reply to `expected` should be.
 * *sequence is set for EXPECTED and OTHER. Any bytes are legal. */
rs_payload_verdict rs_payload_check(const rs_payload *payload, uint32_t connection,
                                    uint64_t expected, const uint8_t *data, uint64_t *sequence);

/* rs_payload_bytes: what the message has from byte `from` on, at most `bytes` of it, to out.
 * Returns how many. Slow: for what is to be shown. */
uint32_t rs_payload_bytes(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint32_t from, uint8_t *out, uint32_t bytes);

/* rs_payload_differs: the first byte at which data[0..bytes) is not that message; the shorter of
 * both if one ends with the other begun. */
uint32_t rs_payload_differs(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes);

#endif
