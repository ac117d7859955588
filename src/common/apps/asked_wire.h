/* SPDX-License-Identifier: MIT */
/* Frames that ask for a reply of another size: of an echo server, so that requests can be long and
 * replies short, or the other way round, and every byte of both is still checked.
 *
 *   request:  header (type RS_ASKED_TYPE) | uint16 bytes of the reply | body, 1 byte or more
 *   reply:    header (type RS_ASKED_TYPE) | uint64 digest of the body | the body, cut or repeated
 *
 * All little-endian. Pure functions, any thread. */
#ifndef RS_APPS_ASKED_WIRE_H
#define RS_APPS_ASKED_WIRE_H

#include <stdint.h>

#include "core/limits.h"

#define RS_ASKED_TYPE 2u
#define RS_ASKED_BODY_AT (RS_FRAME_HEADER_BYTES + 2u) /* in a request */
#define RS_ASKED_DIGEST_BYTES 8u
#define RS_ASKED_HEAD_BYTES (RS_FRAME_HEADER_BYTES + RS_ASKED_DIGEST_BYTES) /* of a reply */

/* rs_asked_digest: changes with any byte of body[0..bytes), and with bytes. Not against people who
 * look for a collision. */
uint64_t rs_asked_digest(const uint8_t *body, uint32_t bytes);

/* rs_asked_bytes: the length of reply that a whole frame asks for. 0: it asks for none that there
 * can be (below RS_ASKED_HEAD_BYTES, no body). */
uint32_t rs_asked_bytes(const uint8_t *frame, uint32_t bytes);

/* rs_asked_head: the reply's first RS_ASKED_HEAD_BYTES, of reply_bytes in all
 * [RS_ASKED_HEAD_BYTES, RS_FRAME_BYTES_MAX] (asserted), to out. */
void rs_asked_head(const uint8_t *body, uint32_t bytes, uint32_t reply_bytes, uint8_t *out);

#endif
