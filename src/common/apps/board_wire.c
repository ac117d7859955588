/* SPDX-License-Identifier: MIT */
/* One table of payloads serves both directions; the header has the bytes. */
#include "apps/board_wire.h"

#include <string.h>

#include "core/assert.h"

/* A payload as its fields in order: i id, s seq, x, y, w width, h height, v view, d direction,
 * r why, q request, c reason, n name (the rest). NULL: not a type. */
static const char *wire_layout(uint32_t type) {
    switch (type) {
    case RS_BOARD_LOGIN:
        return "n";
    case RS_BOARD_MOVE:
        return "d";
    case RS_BOARD_LOGOUT:
        return "";
    case RS_BOARD_ASK:
        return "i";
    case RS_BOARD_WELCOME:
        return "ixywhv";
    case RS_BOARD_MOVED:
        return "isxy";
    case RS_BOARD_ARRIVED:
    case RS_BOARD_PLAYER:
        return "isxyn";
    case RS_BOARD_LEFT:
        return "isr";
    case RS_BOARD_REFUSED:
        return "qc";
    default:
        return NULL;
    }
}

static uint8_t *wire_u8(rs_board_frame *frame, char field) {
    switch (field) {
    case 'v':
        return &frame->view;
    case 'd':
        return &frame->direction;
    case 'r':
        return &frame->why;
    case 'q':
        return &frame->request;
    default:
        RS_ASSERT(field == 'c');
        return &frame->reason;
    }
}

static uint16_t *wire_u16(rs_board_frame *frame, char field) {
    return field == 'x'   ? &frame->x
           : field == 'y' ? &frame->y
           : field == 'w' ? &frame->width
           : field == 'h' ? &frame->height
                          : NULL;
}

static uint32_t *wire_u32(rs_board_frame *frame, char field) {
    return field == 'i' ? &frame->id : field == 's' ? &frame->seq : NULL;
}

static uint32_t wire_field_bytes(rs_board_frame *frame, char field) {
    return wire_u32(frame, field) != NULL ? 4u : wire_u16(frame, field) != NULL ? 2u : 1u;
}

static void wire_put(uint8_t *to, uint32_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(value >> (8u * i) & 0xFFu);
    }
}

static uint32_t wire_get(const uint8_t *from, uint32_t bytes) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint32_t)from[i] << (8u * i);
    }
    return value;
}

static uint32_t wire_value(rs_board_frame *frame, char field) {
    const uint32_t *word = wire_u32(frame, field);
    const uint16_t *half = wire_u16(frame, field);
    return word != NULL ? *word : half != NULL ? *half : *wire_u8(frame, field);
}

static void wire_set(rs_board_frame *frame, char field, uint32_t value) {
    uint32_t *word = wire_u32(frame, field);
    uint16_t *half = wire_u16(frame, field);
    if (word != NULL) {
        *word = value;
    } else if (half != NULL) {
        *half = (uint16_t)value;
    } else {
        *wire_u8(frame, field) = (uint8_t)value;
    }
}

bool rs_board_name_is_legal(const uint8_t *name, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes && i < RS_BOARD_NAME_MAX; i++) {
        if (name[i] < 0x21u || name[i] > 0x7Eu) {
            return false;
        }
    }
    return bytes > 0 && bytes <= RS_BOARD_NAME_MAX;
}

uint32_t rs_board_encode(const rs_board_frame *frame, uint8_t out[RS_BOARD_FRAME_BYTES_MAX]) {
    rs_board_frame copy = *frame;
    const char *field = wire_layout(frame->type);
    uint32_t at = RS_FRAME_HEADER_BYTES;
    RS_ASSERT(field != NULL);
    for (; *field != '\0'; field++) {
        if (*field == 'n') {
            RS_ASSERT(rs_board_name_is_legal((const uint8_t *)copy.name, copy.name_bytes));
            memcpy(out + at, copy.name, copy.name_bytes);
            at += copy.name_bytes;
        } else {
            uint32_t bytes = wire_field_bytes(&copy, *field);
            wire_put(out + at, wire_value(&copy, *field), bytes);
            at += bytes;
        }
    }
    return rs_frame_header(out, frame->type, at - RS_FRAME_HEADER_BYTES);
}

/* What the fields alone do not say. */
static bool wire_is_legal(const rs_board_frame *frame, uint32_t ignored) {
    return frame->direction < RS_BOARD_DIRECTIONS &&
           ignored <=
               (frame->type == RS_BOARD_MOVE ? RS_BOARD_MOVE_BYTES_MAX - RS_BOARD_MOVE_BYTES : 0u);
}

static bool wire_read(const uint8_t *data, uint32_t bytes, rs_board_frame *out) {
    const char *field = wire_layout(out->type);
    uint32_t at = RS_FRAME_HEADER_BYTES;
    if (field == NULL) {
        return false;
    }
    for (; *field != '\0' && *field != 'n'; field++) {
        uint32_t wide = wire_field_bytes(out, *field);
        if (wide > bytes - at) {
            return false;
        }
        wire_set(out, *field, wire_get(data + at, wide));
        at += wide;
    }
    if (*field == 'n') {
        if (!rs_board_name_is_legal(data + at, bytes - at)) {
            return false;
        }
        out->name_bytes = (uint8_t)(bytes - at);
        memcpy(out->name, data + at, out->name_bytes);
        at = bytes;
    }
    return wire_is_legal(out, bytes - at);
}

bool rs_board_decode(const uint8_t *data, uint32_t bytes, rs_board_frame *out) {
    *out = (rs_board_frame){.type = 0};
    if (bytes < RS_FRAME_HEADER_BYTES || wire_get(data, 2) != bytes) {
        return false;
    }
    out->type = rs_frame_type(data);
    if (wire_read(data, bytes, out)) {
        return true;
    }
    *out = (rs_board_frame){.type = rs_frame_type(data)};
    return false;
}

void rs_board_step(uint32_t direction, uint16_t width, uint16_t height, uint16_t *x, uint16_t *y) {
    static const int8_t step_x[RS_BOARD_DIRECTIONS] = {0, 1, 1, 1, 0, -1, -1, -1};
    static const int8_t step_y[RS_BOARD_DIRECTIONS] = {-1, -1, 0, 1, 1, 1, 0, -1};
    int32_t to_x, to_y;
    RS_ASSERT(direction < RS_BOARD_DIRECTIONS && *x < width && *y < height);
    to_x = *x + step_x[direction];
    to_y = *y + step_y[direction];
    if (to_x >= 0 && to_x < width && to_y >= 0 && to_y < height) {
        *x = (uint16_t)to_x;
        *y = (uint16_t)to_y;
    }
}
