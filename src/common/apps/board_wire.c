/* SPDX-License-Identifier: MIT */
/* Both directions of each frame; the header has the bytes. */
#include "apps/board_wire.h"

#include <string.h>

#include "core/assert.h"

static uint8_t *put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value & 0xFFu);
    to[1] = (uint8_t)(value >> 8 & 0xFFu);
    return to + 2;
}

static uint8_t *put_u32(uint8_t *to, uint32_t value) {
    return put_u16(put_u16(to, value), value >> 16);
}

static uint16_t get_u16(const uint8_t *from) {
    return (uint16_t)(from[0] | (uint32_t)from[1] << 8);
}

static uint32_t get_u32(const uint8_t *from) {
    return get_u16(from) | (uint32_t)get_u16(from + 2) << 16;
}

bool rs_board_name_is_legal(const uint8_t *name, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes && i < RS_BOARD_NAME_MAX; i++) {
        if (name[i] < 0x21u || name[i] > 0x7Eu) {
            return false;
        }
    }
    return bytes > 0 && bytes <= RS_BOARD_NAME_MAX;
}

static uint8_t *put_name(uint8_t *to, const rs_board_frame *frame) {
    RS_ASSERT(rs_board_name_is_legal((const uint8_t *)frame->name, frame->name_bytes));
    memcpy(to, frame->name, frame->name_bytes);
    return to + frame->name_bytes;
}

/* MOVED, and the beginning of ARRIVED and PLAYER. */
static uint8_t *put_place(uint8_t *to, const rs_board_frame *frame) {
    to = put_u32(put_u32(to, frame->id), frame->seq);
    return put_u16(put_u16(to, frame->x), frame->y);
}

static uint8_t *put_welcome(uint8_t *to, const rs_board_frame *frame) {
    to = put_u16(put_u16(put_u32(to, frame->id), frame->x), frame->y);
    to = put_u16(put_u16(to, frame->width), frame->height);
    *to = frame->view;
    return to + 1;
}

static uint8_t *put_payload(uint8_t *to, const rs_board_frame *frame) {
    switch (frame->type) {
    case RS_BOARD_MOVED:
        return put_place(to, frame);
    case RS_BOARD_ARRIVED:
    case RS_BOARD_PLAYER:
        return put_name(put_place(to, frame), frame);
    case RS_BOARD_LEFT:
        to = put_u32(put_u32(to, frame->id), frame->seq);
        *to = frame->why;
        return to + 1;
    case RS_BOARD_WELCOME:
        return put_welcome(to, frame);
    case RS_BOARD_REFUSED:
        to[0] = frame->request;
        to[1] = frame->reason;
        return to + 2;
    case RS_BOARD_LOGIN:
        return put_name(to, frame);
    case RS_BOARD_MOVE:
        *to = frame->direction;
        return to + 1;
    case RS_BOARD_ASK:
        return put_u32(to, frame->id);
    default:
        RS_ASSERT(frame->type == RS_BOARD_LOGOUT);
        return to;
    }
}

uint32_t rs_board_encode(const rs_board_frame *frame, uint8_t out[RS_BOARD_FRAME_BYTES_MAX]) {
    const uint8_t *end = put_payload(out + RS_FRAME_HEADER_BYTES, frame);
    RS_ASSERT(end <= out + RS_BOARD_FRAME_BYTES_MAX);
    return rs_frame_header(out, frame->type, (uint32_t)(end - out) - RS_FRAME_HEADER_BYTES);
}

/* Bytes of a payload, and how many more there may be; false: not a type. */
static bool wire_bytes(uint32_t type, uint32_t *least, uint32_t *more) {
    *more = 0;
    switch (type) {
    case RS_BOARD_MOVE:
        *least = 1;
        *more = RS_BOARD_MOVE_BYTES_MAX - RS_BOARD_MOVE_BYTES;
        return true;
    case RS_BOARD_LOGIN:
        *least = 1;
        *more = RS_BOARD_NAME_MAX - 1u;
        return true;
    case RS_BOARD_ARRIVED:
    case RS_BOARD_PLAYER:
        *least = 13;
        *more = RS_BOARD_NAME_MAX - 1u;
        return true;
    case RS_BOARD_MOVED:
        *least = 12;
        return true;
    case RS_BOARD_WELCOME:
        *least = 13;
        return true;
    case RS_BOARD_LEFT:
        *least = 9;
        return true;
    case RS_BOARD_ASK:
        *least = 4;
        return true;
    case RS_BOARD_REFUSED:
        *least = 2;
        return true;
    default:
        *least = 0;
        return type == RS_BOARD_LOGOUT;
    }
}

static bool get_name(const uint8_t *from, uint32_t bytes, rs_board_frame *out) {
    if (!rs_board_name_is_legal(from, bytes)) {
        return false;
    }
    memcpy(out->name, from, bytes);
    out->name_bytes = (uint8_t)bytes;
    return true;
}

static void get_place(const uint8_t *from, rs_board_frame *out) {
    out->id = get_u32(from);
    out->seq = get_u32(from + 4);
    out->x = get_u16(from + 8);
    out->y = get_u16(from + 10);
}

static void get_welcome(const uint8_t *from, rs_board_frame *out) {
    out->id = get_u32(from);
    out->x = get_u16(from + 4);
    out->y = get_u16(from + 6);
    out->width = get_u16(from + 8);
    out->height = get_u16(from + 10);
    out->view = from[12];
}

/* A payload of a legal length. */
static bool get_payload(const uint8_t *from, uint32_t bytes, rs_board_frame *out) {
    RS_ASSERT(bytes <= RS_BOARD_MOVE_BYTES_MAX);
    switch (out->type) {
    case RS_BOARD_MOVE:
        out->direction = from[0];
        return out->direction < RS_BOARD_DIRECTIONS;
    case RS_BOARD_MOVED:
        get_place(from, out);
        return true;
    case RS_BOARD_ARRIVED:
    case RS_BOARD_PLAYER:
        get_place(from, out);
        return get_name(from + 12, bytes - 12u, out);
    case RS_BOARD_LOGIN:
        return get_name(from, bytes, out);
    case RS_BOARD_LEFT:
        out->id = get_u32(from);
        out->seq = get_u32(from + 4);
        out->why = from[8];
        return true;
    case RS_BOARD_ASK:
        out->id = get_u32(from);
        return true;
    case RS_BOARD_WELCOME:
        get_welcome(from, out);
        return true;
    case RS_BOARD_REFUSED:
        out->request = from[0];
        out->reason = from[1];
        return true;
    default:
        return true;
    }
}

bool rs_board_decode(const uint8_t *data, uint32_t bytes, rs_board_frame *out) {
    uint32_t least, more;
    memset(out, 0, sizeof *out);
    if (bytes < RS_FRAME_HEADER_BYTES || get_u16(data) != bytes) {
        return false;
    }
    out->type = rs_frame_type(data);
    bytes -= RS_FRAME_HEADER_BYTES;
    if (wire_bytes(out->type, &least, &more) && bytes - least <= more &&
        get_payload(data + RS_FRAME_HEADER_BYTES, bytes, out)) {
        return true;
    }
    memset(out, 0, sizeof *out);
    out->type = rs_frame_type(data);
    return false;
}

void rs_board_step(uint32_t direction, uint16_t width, uint16_t height, uint16_t *x, uint16_t *y) {
    static const int8_t step_x[RS_BOARD_DIRECTIONS] = {0, 1, 1, 1, 0, -1, -1, -1};
    static const int8_t step_y[RS_BOARD_DIRECTIONS] = {-1, -1, 0, 1, 1, 1, 0, -1};
    int32_t to_x, to_y;
    RS_ASSERT(direction < RS_BOARD_DIRECTIONS);
    RS_ASSERT(*x < width);
    RS_ASSERT(*y < height);
    to_x = *x + step_x[direction];
    to_y = *y + step_y[direction];
    if (to_x >= 0 && to_x < width && to_y >= 0 && to_y < height) {
        *x = (uint16_t)to_x;
        *y = (uint16_t)to_y;
    }
}
