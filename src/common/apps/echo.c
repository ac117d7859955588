/* SPDX-License-Identifier: MIT */
/* Echo: the message goes back as it came, or in the size that it asks for. A session's word is the
 * sum of the frames that asked for nothing, since the last receipt. */
#include "apps/echo.h"

#include <stdbool.h>
#include <string.h>

#include "apps/asked_wire.h"
#include "core/assert.h"

#define ECHO_PIECE_BYTES 4096u /* a short body is repeated up to here, to be sent in few calls */

static void echo_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
}

/* The first `left` bytes of the body without end. */
static void echo_repeat(rs_session *session, const uint8_t *body, uint32_t bytes, uint32_t left) {
    uint8_t piece[ECHO_PIECE_BYTES];
    rs_status status = RS_OK;
    RS_ASSERT(bytes > 0);
    if (bytes <= sizeof piece / 2u && bytes < left) {
        uint32_t used = 0;

        for (; used + bytes <= sizeof piece && used < left; used += bytes) {
            memcpy(piece + used, body, bytes);
        }
        body = piece;
        bytes = used;
    }
    while (left > 0 && status == RS_OK) {
        const uint32_t part = bytes < left ? bytes : left;

        status = rs_session_send(session, body, part);
        left -= part;
    }
}

/* A frame without a reply, or the one that asks what of such frames there was. False: neither. */
static bool echo_pushed(rs_session *session, const uint8_t *data, uint32_t bytes) {
    const bool receipt = rs_frame_type(data) == RS_RECEIPT_TYPE && bytes > RS_FRAME_HEADER_BYTES;
    const uint32_t at = receipt ? RS_FRAME_HEADER_BYTES : RS_ASKED_BODY_AT;
    uint8_t reply[RS_RECEIPT_BYTES];
    uint64_t sum;
    if (!receipt && (rs_frame_type(data) != RS_ASKED_TYPE || !rs_asked_is_pushed(data, bytes))) {
        return false;
    }
    sum = rs_sum_add(rs_session_user(session), data + at, bytes - at);
    (void)rs_session_set_user(session, receipt ? 0 : sum); /* this is the session's thread */
    if (receipt) {
        rs_receipt(sum, reply);
        echo_on_message(NULL, session, reply, sizeof reply);
    }
    return true;
}

static void echo_on_asked(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    uint8_t head[RS_ASKED_HEAD_BYTES];
    uint32_t reply_bytes;
    RS_ASSERT(bytes >= RS_FRAME_HEADER_BYTES);
    if (echo_pushed(session, data, bytes)) {
        return;
    }
    if (rs_frame_type(data) != RS_ASKED_TYPE) {
        echo_on_message(ctx, session, data, bytes);
        return;
    }
    reply_bytes = rs_asked_bytes(data, bytes);
    if (reply_bytes == 0) {
        (void)rs_session_reject(session);
        return;
    }
    data += RS_ASKED_BODY_AT;
    bytes -= RS_ASKED_BODY_AT;
    rs_asked_head(data, bytes, reply_bytes, head);
    if (rs_session_send(session, head, sizeof head) == RS_OK) {
        echo_repeat(session, data, bytes, reply_bytes - (uint32_t)sizeof head);
    }
}

const rs_app rs_app_echo = {.on_message = echo_on_message};
const rs_app rs_app_asked = {.on_message = echo_on_asked};
const rs_app rs_app_raw = {.raw = true, .on_message = echo_on_message};
