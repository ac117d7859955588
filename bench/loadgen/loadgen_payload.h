/* SPDX-License-Identifier: MIT */
/* The load generator's messages, content and length: a function of (seed, connection, sequence)
 * alone.
 *
 *   frame header (core/frame.h) | uint32 connection | uint64 sequence | pattern
 *
 * The pattern is a stretch of one random table; the identity decides where it starts. So building
 * is a copy and checking a comparison, and a byte of another message does not pass for ours.
 * A message longer than RS_FRAME_BYTES_MAX, which only a server without frames returns, has the
 * header of the longest frame. It is checked piece by piece as it comes back.
 * Frames below RS_PAYLOAD_ID_FRAME_BYTES have no room for the identity and carry a pattern alone:
 * damage is found in them too, but lost, duplicated and reordered all count as wrong. From
 * RS_PAYLOAD_SURE_FRAME_BYTES on, a damaged identity is told from that of another message.
 *
 * The reply is the request as it was; or, where replies have sizes of their own, what
 * apps/asked_wire.h says: the size asked for stands behind the request's header, and the reply has
 * a digest of all that follows it, then that, cut or repeated. Where they have 0 bytes there is no
 * reply, and loadgen_push.h checks. */
#ifndef RS_LOADGEN_PAYLOAD_H
#define RS_LOADGEN_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/asked_wire.h"
#include "core/limits.h"
#include "loadgen/loadgen_sizes.h"

#define RS_PAYLOAD_ID_BYTES 12u
#define RS_PAYLOAD_ID_FRAME_BYTES (RS_FRAME_HEADER_BYTES + RS_PAYLOAD_ID_BYTES)
#define RS_PAYLOAD_SURE_FRAME_BYTES (RS_PAYLOAD_ID_FRAME_BYTES + 8u)
#define RS_PAYLOAD_ASKING_BYTES (RS_ASKED_BODY_AT + RS_PAYLOAD_ID_BYTES) /* the shortest to ask */
#define RS_PAYLOAD_BYTES_MAX 262144u /* of a message without frames: ours, 256 KiB */
#define RS_PAYLOAD_STARTS                                                                          \
    4096u /* places a pattern may start at: small, so that it stays cached                         \
           */

typedef struct rs_payload {
    uint64_t key;
    uint32_t one_bytes; /* of every message and reply, which the request is; 0: it differs */
    uint8_t one_header[RS_FRAME_HEADER_BYTES];
    rs_sizes sizes;
    rs_sizes replies; /* count 0: the reply is the request */
    uint8_t table[RS_PAYLOAD_STARTS + RS_PAYLOAD_BYTES_MAX];
    uint8_t request[RS_PAYLOAD_BYTES_MAX], reply[RS_PAYLOAD_BYTES_MAX]; /* to build in */
} rs_payload;

typedef enum rs_payload_verdict {
    RS_PAYLOAD_EXPECTED, /* exactly the message that was expected */
    RS_PAYLOAD_OTHER,    /* intact, of this connection, with another sequence number */
    RS_PAYLOAD_WRONG     /* none of this connection's messages */
} rs_payload_verdict;

/* rs_payload_init: fills the table from seed. sizes: of the messages, within
 * [RS_FRAME_HEADER_BYTES, RS_PAYLOAD_BYTES_MAX]; replies: theirs, within [RS_ASKED_HEAD_BYTES,
 * RS_FRAME_BYTES_MAX] or all 0, and with messages of RS_PAYLOAD_ASKING_BYTES or more, or NULL (all
 * asserted). */
void rs_payload_init(rs_payload *payload, uint64_t seed, const rs_sizes *sizes,
                     const rs_sizes *replies);

/* rs_payload_request_bytes, rs_payload_reply_bytes: how long that message and its reply are. */
uint32_t rs_payload_drawn_bytes(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                                bool reply); /* theirs; inline is the common case */
static inline uint32_t rs_payload_request_bytes(const rs_payload *payload, uint32_t connection,
                                                uint64_t sequence) {
    return payload->one_bytes != 0 ? payload->one_bytes
                                   : rs_payload_drawn_bytes(payload, connection, sequence, false);
}
static inline uint32_t rs_payload_reply_bytes(const rs_payload *payload, uint32_t connection,
                                              uint64_t sequence) {
    return payload->one_bytes != 0 ? payload->one_bytes
                                   : rs_payload_drawn_bytes(payload, connection, sequence, true);
}

/* rs_payload_reply_max: the longest reply; where messages have none, a receipt. */
uint32_t rs_payload_reply_max(const rs_payload *payload);

/* rs_payload_identity: the RS_PAYLOAD_ID_BYTES of a message, to out. */
void rs_payload_identity(uint8_t *out, uint32_t connection, uint64_t sequence);

/* rs_payload_build: writes one message to out. Returns its length. */
uint32_t rs_payload_build(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint8_t *out);

/* rs_payload_check: what the whole reply data[0..bytes) is, where the one to `expected` should be.
 * *sequence is set for EXPECTED and OTHER. Any bytes are legal. */
rs_payload_verdict rs_payload_check(rs_payload *payload, uint32_t connection, uint64_t expected,
                                    const uint8_t *data, uint32_t bytes, uint64_t *sequence);

/* rs_payload_part: how many of data[0..bytes) are, from the first one on, what the message has from
 * byte `from` on; the reply is the message (asserted), and has from + bytes bytes at least. */
uint32_t rs_payload_part(const rs_payload *payload, uint32_t connection, uint64_t sequence,
                         uint32_t from, const uint8_t *data, uint32_t bytes);

/* rs_payload_bytes: what the reply to a message has from byte `from` on, at most `bytes` of it, to
 * out. Returns how many. */
uint32_t rs_payload_bytes(rs_payload *payload, uint32_t connection, uint64_t sequence,
                          uint32_t from, uint8_t *out, uint32_t bytes);

/* rs_payload_differs: the first byte at which data[0..bytes) is not that reply; the shorter of both
 * if one ends with the other begun. */
uint32_t rs_payload_differs(rs_payload *payload, uint32_t connection, uint64_t sequence,
                            const uint8_t *data, uint32_t bytes);

#endif
