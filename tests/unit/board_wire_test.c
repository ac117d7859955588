/* SPDX-License-Identifier: MIT */
/* The frames of the board game: each type's bytes as docs/board.md has them, every length of every
 * type against the table there, names byte by byte, and steps against the edges. Passes when only
 * legal frames are taken and each comes out of its own encoding unchanged. */
#include "apps/board_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* A copy that ends where the frame ends. */
static bool decode_exact(const uint8_t *data, uint32_t bytes, rs_board_frame *out) {
    uint8_t *copy = malloc(bytes > 0 ? bytes : 1);
    bool taken;
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    taken = rs_board_decode(copy, bytes, out);
    free(copy);
    return taken;
}

/* By member: what lies between them is nobody's. */
static void expect_equal(const rs_board_frame *a, const rs_board_frame *b) {
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->direction, b->direction);
    assert_int_equal(a->view, b->view);
    assert_int_equal(a->why, b->why);
    assert_int_equal(a->request, b->request);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->name_bytes, b->name_bytes);
    assert_int_equal(a->x, b->x);
    assert_int_equal(a->y, b->y);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->seq, b->seq);
    assert_memory_equal(a->name, b->name, sizeof a->name);
}

static void expect_bytes(const rs_board_frame *frame, const char *bytes, uint32_t count) {
    uint8_t out[RS_BOARD_FRAME_BYTES_MAX];
    rs_board_frame back;
    assert_int_equal(rs_board_encode(frame, out), count);
    assert_memory_equal(out, bytes, count);
    assert_true(decode_exact(out, count, &back));
    expect_equal(&back, frame);
}

#define EXPECT(bytes, ...)                                                                         \
    do {                                                                                           \
        const rs_board_frame frame_ = {__VA_ARGS__};                                               \
        expect_bytes(&frame_, bytes, sizeof(bytes) - 1u);                                          \
    } while (0)

static void test_board_wire_has_the_bytes_of_its_document(void **state) {
    (void)state;
    EXPECT("\x06\x00\x01"
           "ann",
           .type = RS_BOARD_LOGIN, .name = "ann", .name_bytes = 3);
    EXPECT("\x04\x00\x02\x07", .type = RS_BOARD_MOVE, .direction = 7);
    EXPECT("\x03\x00\x03", .type = RS_BOARD_LOGOUT);
    EXPECT("\x07\x00\x04\x44\x33\x22\x11", .type = RS_BOARD_ASK, .id = 0x11223344u);
    EXPECT("\x10\x00\x81\x44\x33\x22\x11\x02\x01\x04\x03\x90\x01\x91\x01\x0f",
           .type = RS_BOARD_WELCOME, .id = 0x11223344u, .x = 0x102, .y = 0x304, .width = 400,
           .height = 401, .view = 15);
    EXPECT("\x0f\x00\x82\x01\x00\x02\x00\xff\x00\x00\x80\x05\x00\x06\x00", .type = RS_BOARD_MOVED,
           .id = 0x20001u, .seq = 0x800000FFu, .x = 5, .y = 6);
    EXPECT("\x11\x00\x83\x01\x00\x02\x00\x09\x00\x00\x00\x05\x00\x06\x00"
           "ab",
           .type = RS_BOARD_ARRIVED, .id = 0x20001u, .seq = 9, .x = 5, .y = 6, .name = "ab",
           .name_bytes = 2);
    EXPECT("\x0c\x00\x84\x01\x00\x02\x00\x09\x00\x00\x00\x01", .type = RS_BOARD_LEFT,
           .id = 0x20001u, .seq = 9, .why = RS_BOARD_GONE);
    EXPECT("\x1f\x00\x85\x01\x00\x02\x00\x09\x00\x00\x00\x05\x00\x06\x00"
           "0123456789abcdef",
           .type = RS_BOARD_PLAYER, .id = 0x20001u, .seq = 9, .x = 5, .y = 6,
           .name = "0123456789abcdef", .name_bytes = 16);
    EXPECT("\x05\x00\x86\x04\x01", .type = RS_BOARD_REFUSED, .request = RS_BOARD_ASK,
           .reason = RS_BOARD_STALE);
}

/* Shortest and longest whole frame of a type; 0: there is none. */
static void legal_lengths(uint32_t type, uint32_t *least, uint32_t *most) {
    static const struct {
        uint32_t type, least, most;
    } rows[] = {{0x01, 4, 19},  {0x02, 4, 32},  {0x03, 3, 3},   {0x04, 7, 7},   {0x81, 16, 16},
                {0x82, 15, 15}, {0x83, 16, 31}, {0x84, 12, 12}, {0x85, 16, 31}, {0x86, 5, 5}};
    *least = *most = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == type) {
            *least = rows[i].least;
            *most = rows[i].most;
        }
    }
}

static void test_board_wire_takes_only_the_lengths_of_a_type(void **state) {
    (void)state;
    for (uint32_t type = 0; type <= 255u; type++) {
        uint32_t least, most;
        legal_lengths(type, &least, &most);
        for (uint32_t bytes = 3; bytes <= 64u; bytes++) {
            uint8_t wire[64];
            rs_board_frame frame;
            memset(wire, 'a', sizeof wire); /* a legal name */
            wire[0] = (uint8_t)bytes;
            wire[1] = 0;
            wire[2] = (uint8_t)type;
            if (type == RS_BOARD_MOVE) {
                wire[3] = 3;
            }
            assert_int_equal(decode_exact(wire, bytes, &frame), bytes >= least && bytes <= most);
            assert_int_equal(frame.type, type);
        }
    }
}

static void test_board_wire_refuses_a_length_that_is_not_the_frames(void **state) {
    static const uint8_t move[] = {5, 0, 2, 1};
    static const uint8_t high[] = {4, 1, 2, 1};
    static const uint8_t cut[] = {2, 0, 2, 1};
    rs_board_frame frame;
    (void)state;
    assert_false(decode_exact(move, 4, &frame));
    assert_false(decode_exact(high, 4, &frame));
    assert_false(decode_exact(move, 2, &frame));
    assert_false(rs_board_decode(cut, 2, &frame));
    assert_int_equal(frame.type, 0); /* the byte behind its end was not read */
    assert_false(decode_exact(move, 0, &frame));
}

static void test_board_wire_knows_eight_directions(void **state) {
    (void)state;
    for (uint32_t direction = 0; direction <= 255u; direction++) {
        const uint8_t move[] = {4, 0, 2, (uint8_t)direction};
        rs_board_frame frame;
        assert_int_equal(decode_exact(move, 4, &frame), direction < 8u);
        assert_int_equal(frame.direction, direction < 8u ? direction : 0u);
    }
}

static void test_board_wire_names_are_printable(void **state) {
    uint8_t name[RS_BOARD_NAME_MAX + 1u];
    (void)state;
    for (uint32_t bytes = 0; bytes <= RS_BOARD_NAME_MAX + 1u; bytes++) {
        memset(name, '~', sizeof name);
        assert_int_equal(rs_board_name_is_legal(name, bytes), bytes >= 1 && bytes <= 16u);
        for (uint32_t at = 0; at < bytes && bytes <= 16u; at++) {
            for (uint32_t value = 0; value <= 255u; value++) {
                name[at] = (uint8_t)value;
                assert_int_equal(rs_board_name_is_legal(name, bytes),
                                 value > 0x20u && value < 0x7Fu);
            }
            name[at] = '!';
        }
    }
}

static void test_board_step_stays_on_the_board(void **state) {
    static const int dx[] = {0, 1, 1, 1, 0, -1, -1, -1};
    static const int dy[] = {-1, -1, 0, 1, 1, 1, 0, -1};
    (void)state;
    for (int cell = 0; cell < 12; cell++) { /* 4 by 3 */
        for (uint32_t direction = 0; direction < RS_BOARD_DIRECTIONS; direction++) {
            uint16_t x = (uint16_t)(cell % 4), y = (uint16_t)(cell / 4);
            int to_x = x + dx[direction], to_y = y + dy[direction];
            bool inside = to_x >= 0 && to_x < 4 && to_y >= 0 && to_y < 3;
            rs_board_step(direction, 4, 3, &x, &y);
            assert_int_equal(x, inside ? to_x : cell % 4);
            assert_int_equal(y, inside ? to_y : cell / 4);
        }
    }
    for (uint32_t direction = 0; direction < RS_BOARD_DIRECTIONS; direction++) {
        uint16_t x = 0, y = 0;
        rs_board_step(direction, 1, 1, &x, &y);
        assert_int_equal(x + y, 0);
    }
}

static void test_board_view_is_a_square_and_symmetric(void **state) {
    static const uint16_t from[] = {0, 3, 40, 65534};
    static const uint32_t views[] = {1, 3, 15, 255};
    (void)state;
    for (size_t v = 0; v < 4; v++) {
        int reach = (int)views[v] / 2;
        for (size_t f = 0; f < 4; f++) {
            for (int d = -300; d <= 300; d++) {
                int at = from[f] + d;
                bool near = abs(d) <= reach;
                if (at < 0 || at > 65534) {
                    continue;
                }
                assert_int_equal(rs_board_in_view(views[v], from[f], 7, (uint16_t)at, 7), near);
                assert_int_equal(rs_board_in_view(views[v], 7, from[f], 7, (uint16_t)at), near);
                assert_int_equal(rs_board_in_view(views[v], (uint16_t)at, 7, from[f], 7), near);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board_wire_has_the_bytes_of_its_document),
        cmocka_unit_test(test_board_wire_takes_only_the_lengths_of_a_type),
        cmocka_unit_test(test_board_wire_refuses_a_length_that_is_not_the_frames),
        cmocka_unit_test(test_board_wire_knows_eight_directions),
        cmocka_unit_test(test_board_wire_names_are_printable),
        cmocka_unit_test(test_board_step_stays_on_the_board),
        cmocka_unit_test(test_board_view_is_a_square_and_symmetric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
