/* SPDX-License-Identifier: MIT */
/* Messages without replies (--reply-size 0): what a connection has sent since it last asked for a
 * receipt (apps/asked_wire.h), and what the receipts under way must say.
 *
 * A receipt is asked for when none is under way, so that nothing stays unproven for longer than a
 * round trip, and else when half a window has been sent, so that the window moves on meanwhile. So
 * at most two are under way. Pure; one thread. */
#ifndef RS_LOADGEN_PUSH_H
#define RS_LOADGEN_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "loadgen/loadgen_payload.h"

#define RS_PUSH_ASK_BYTES (RS_FRAME_HEADER_BYTES + RS_PAYLOAD_ID_BYTES) /* of a frame that asks */
#define RS_PUSH_ASKED_MAX 2u

typedef struct rs_push_part {
    uint64_t sum;    /* as the server should have it */
    uint64_t bytes;  /* whole frames */
    uint32_t frames; /* without the one that asks */
} rs_push_part;

typedef struct rs_push {
    rs_push_part unasked;
    rs_push_part asked[RS_PUSH_ASKED_MAX]; /* [0, count), the oldest first */
    uint32_t count;
} rs_push;

/* What a receipt says of the messages it stands for, the oldest unproven ones. */
typedef struct rs_push_receipt {
    uint32_t frames, lost;
    uint64_t bytes;                     /* of frames */
    bool is_receipt, is_right;          /* it can be read as one; it says what it should */
    uint8_t expected[RS_RECEIPT_BYTES]; /* what it should have been; nothing if frames is 0 */
} rs_push_receipt;

/* rs_push_add: a message was built; with `sum` its body counts, else its number alone. */
void rs_push_add(rs_push *push, const uint8_t *frame, uint32_t bytes, bool sum);

/* rs_push_is_half: half a window of `depth` [1, ..] messages is unasked for. */
bool rs_push_is_half(const rs_push *push, uint32_t depth);

/* rs_push_is_due: a receipt should be asked for now. */
bool rs_push_is_due(const rs_push *push, uint32_t depth);

/* rs_push_ask: the frame that asks for a receipt of all messages of `connection` below `sequence`,
 * RS_PUSH_ASK_BYTES to out. Only when one is due. Returns its length. */
uint32_t rs_push_ask(rs_push *push, uint32_t connection, uint64_t sequence, bool sum, uint8_t *out);

/* rs_push_take: judges the reply data[0..bytes), any bytes; it stands for the oldest receipt asked
 * for. Frames 0: none was. A receipt of fewer frames says how many are lost; of the rest it proves
 * nothing. */
void rs_push_take(rs_push *push, const uint8_t *data, uint32_t bytes, bool sum,
                  rs_push_receipt *out);

#endif
