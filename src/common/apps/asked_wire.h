/* SPDX-License-Identifier: MIT */
/* Frames that ask for a reply of another size: of an echo server, so that requests can be long and
 * replies short, or the other way round, and every byte of both is still checked.
 *
 *   request:  header (type RS_ASKED_TYPE) | uint16 bytes of the reply | body, 1 byte or more
 *   reply:    header (type RS_ASKED_TYPE) | uint64 digest of the body | the body, cut or repeated
 *
 * A frame that asks for 0 bytes is pushed: it has no reply. What of them has arrived, a receipt
 * says: of those since the receipt before, or since the connection began.
 *
 *   request:  header (type RS_RECEIPT_TYPE) | body, 1 byte or more
 *   reply:    header (type RS_RECEIPT_TYPE) | uint64 sum over those frames and this one
 *
 * All little-endian. Pure functions, any thread. */
#ifndef RS_APPS_ASKED_WIRE_H
#define RS_APPS_ASKED_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"

#define RS_ASKED_TYPE 2u
#define RS_ASKED_BODY_AT (RS_FRAME_HEADER_BYTES + 2u) /* in a request */
#define RS_ASKED_DIGEST_BYTES 8u
#define RS_ASKED_HEAD_BYTES (RS_FRAME_HEADER_BYTES + RS_ASKED_DIGEST_BYTES) /* of a reply */

#define RS_RECEIPT_TYPE 3u
#define RS_RECEIPT_BYTES (RS_FRAME_HEADER_BYTES + 8u) /* of a reply */

/* A sum is one word: the number of frames, modulo RS_SUM_FRAMES_MAX, in its low bits; above them a
 * digest of their bodies in their order. 0: of none. */
#define RS_SUM_FRAMES_BITS 20u
#define RS_SUM_FRAMES_MAX (1u << RS_SUM_FRAMES_BITS)

/* rs_asked_digest: changes with any byte of body[0..bytes), and with bytes. Not against people who
 * look for a collision. */
uint64_t rs_asked_digest(const uint8_t *body, uint32_t bytes);

/* rs_asked_bytes: the length of reply that a whole frame asks for. 0: it asks for none that there
 * can be (below RS_ASKED_HEAD_BYTES, no body). */
uint32_t rs_asked_bytes(const uint8_t *frame, uint32_t bytes);

/* rs_asked_is_pushed: a whole frame of RS_ASKED_TYPE wants no reply. */
bool rs_asked_is_pushed(const uint8_t *frame, uint32_t bytes);

/* rs_asked_head: the reply's first RS_ASKED_HEAD_BYTES, of reply_bytes in all
 * [RS_ASKED_HEAD_BYTES, RS_FRAME_BYTES_MAX] (asserted), to out. */
void rs_asked_head(const uint8_t *body, uint32_t bytes, uint32_t reply_bytes, uint8_t *out);

/* rs_sum_add: the sum with one more body of [1, RS_FRAME_BYTES_MAX] bytes. A lost, another, or a
 * changed body leaves it the same once in 2^44 times. */
uint64_t rs_sum_add(uint64_t sum, const uint8_t *body, uint32_t bytes);

/* rs_sum_frames: how many it is of, modulo RS_SUM_FRAMES_MAX. */
static inline uint32_t rs_sum_frames(uint64_t sum) {
    return (uint32_t)(sum & (RS_SUM_FRAMES_MAX - 1u));
}

/* rs_receipt: the reply with that sum, RS_RECEIPT_BYTES to out. */
void rs_receipt(uint64_t sum, uint8_t *out);

/* rs_receipt_read: the sum of such a reply. False: data[0..bytes) is none. */
bool rs_receipt_read(const uint8_t *data, uint32_t bytes, uint64_t *sum);

#endif
