/* SPDX-License-Identifier: MIT */
/* The frames of the board game (--app board), for server, load generator and client alike: pure C,
 * no server in it. docs/board.md has the bytes and sizes.
 *
 * Every frame is uint16 length (the whole frame), uint8 type, payload; all numbers little-endian.
 *
 *   type             payload                                            bytes in all
 *   LOGIN     0x01   name                                                4 to 19
 *   MOVE      0x02   u8 direction; up to 28 more bytes are ignored       4 to 32
 *   LOGOUT    0x03   -                                                   3
 *   ASK       0x04   u32 id                                              7
 *   WELCOME   0x81   u32 id, u16 x, u16 y, u16 width, u16 height, u8 view  16
 *   MOVED     0x82   u32 id, u32 seq, u16 x, u16 y                      15
 *   ARRIVED   0x83   u32 id, u32 seq, u16 x, u16 y, name                16 to 31
 *   LEFT      0x84   u32 id, u32 seq, u8 why                            12
 *   PLAYER    0x85   as ARRIVED: the answer to ASK                      16 to 31
 *   REFUSED   0x86   u8 request, u8 reason                               5
 *
 * What a client may rely on. A player's moves are numbered from 1 on (seq); its position before the
 * first is that of WELCOME. A player has in view whoever stands within view / 2 cells in both
 * directions. Each move goes to everybody who has the mover in view before and after it, the mover
 * always included: MOVED. Who loses it from view gets LEFT, who gains it ARRIVED, with the number
 * of that move; the mover gets LEFT and ARRIVED, with the other's latest number, for those that its
 * own move takes out of and into its view, behind its MOVED. So between ARRIVED and LEFT of a
 * player every MOVED of it has the number behind the last one, and none comes twice. After WELCOME
 * come ARRIVED for all who are in view already. LOGOUT is answered by LEFT of one's own id; the
 * connection stays, and may log in again under a new id. Anything else from a client that is not in
 * this table, or not in order (a move without log in, a second log in), ends its session. */
#ifndef RS_APPS_BOARD_WIRE_H
#define RS_APPS_BOARD_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/frame.h"

#define RS_BOARD_NAME_MAX 16u        /* bytes, each printable ASCII and no blank: 0x21 to 0x7E */
#define RS_BOARD_DIRECTIONS 8u       /* 0 = north (y - 1), clockwise: 2 = east (x + 1) */
#define RS_BOARD_MOVE_BYTES 4u       /* a MOVE without ignored bytes */
#define RS_BOARD_MOVE_BYTES_MAX 32u  /* ... and with as many as are taken */
#define RS_BOARD_MOVED_BYTES 15u     /* the frame that is sent most */
#define RS_BOARD_FRAME_BYTES_MAX 32u /* no frame of this protocol is longer */

typedef enum rs_board_type {
    RS_BOARD_LOGIN = 0x01,
    RS_BOARD_MOVE = 0x02,
    RS_BOARD_LOGOUT = 0x03,
    RS_BOARD_ASK = 0x04,
    RS_BOARD_WELCOME = 0x81,
    RS_BOARD_MOVED = 0x82,
    RS_BOARD_ARRIVED = 0x83,
    RS_BOARD_LEFT = 0x84,
    RS_BOARD_PLAYER = 0x85,
    RS_BOARD_REFUSED = 0x86
} rs_board_type;

typedef enum rs_board_why { /* of LEFT */
                            RS_BOARD_OUT_OF_VIEW = 0,
                            RS_BOARD_GONE = 1 /* logged out, or its connection ended */
} rs_board_why;

typedef enum rs_board_refusal { /* of REFUSED */
                                RS_BOARD_STALE =
                                    1, /* ASK: no player has this id any more, or ever had */
                                RS_BOARD_FULL = 2 /* LOGIN: no room for a player; the connection may
                                                     try again */
} rs_board_refusal;

/* A frame of any type; what its type does not have is 0. */
typedef struct rs_board_frame {
    uint8_t type;           /* rs_board_type */
    uint8_t direction;      /* MOVE */
    uint8_t view;           /* WELCOME: side of the square, odd */
    uint8_t why;            /* LEFT: rs_board_why */
    uint8_t request;        /* REFUSED: the type that was refused, ... */
    uint8_t reason;         /* ... and an rs_board_refusal */
    uint8_t name_bytes;     /* [1, RS_BOARD_NAME_MAX] */
    uint16_t x, y;          /* x to the east, y to the south, from 0 */
    uint16_t width, height; /* WELCOME */
    uint32_t id;
    uint32_t seq;                      /* moves of that player so far */
    char name[RS_BOARD_NAME_MAX + 1u]; /* zero-terminated here, not on the wire */
} rs_board_frame;

/* rs_board_encode: writes the frame. Its type must be known and its name legal (asserted): it is
 * the caller's own. Returns its length, [3, RS_BOARD_FRAME_BYTES_MAX]. */
uint32_t rs_board_encode(const rs_board_frame *frame, uint8_t out[RS_BOARD_FRAME_BYTES_MAX]);

/* rs_board_decode: reads one whole frame of `bytes` bytes (rs_frame_parse said so), of either
 * direction. Any bytes are legal input. False: not a frame of this protocol; *out is then all 0
 * but for its type. */
bool rs_board_decode(const uint8_t *data, uint32_t bytes, rs_board_frame *out);

/* rs_board_name_is_legal: [1, RS_BOARD_NAME_MAX] bytes, each 0x21 to 0x7E. */
bool rs_board_name_is_legal(const uint8_t *name, uint32_t bytes);

/* rs_board_step: a move. One that would leave the board leaves the position as it is (and is a move
 * all the same). direction < RS_BOARD_DIRECTIONS; *x < width, *y < height (asserted). */
void rs_board_step(uint32_t direction, uint16_t width, uint16_t height, uint16_t *x, uint16_t *y);

/* rs_board_in_view: does a player at (x, y) have (other_x, other_y) in view? Symmetric. */
static inline bool rs_board_in_view(uint32_t view, uint16_t x, uint16_t y, uint16_t other_x,
                                    uint16_t other_y) {
    const uint32_t reach = view / 2u;
    const uint32_t dx = (uint32_t)other_x + reach - x; /* wraps far above 2 * reach */
    const uint32_t dy = (uint32_t)other_y + reach - y;
    return dx <= 2u * reach && dy <= 2u * reach;
}

#endif
