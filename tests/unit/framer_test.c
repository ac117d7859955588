/* SPDX-License-Identifier: MIT */
/* Framers, alone and in a session (session_bed.h).
 *
 * Alone: every length that a header can say and every cut, each in a block of exactly its size,
 * against the plain reading of the format. In a session: a stream whose frames are known, received
 * in every two and three pieces, byte by byte, and in random pieces over many slices; passes when
 * the messages are exactly those frames, and a malformed one ends the session behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/frame.h"
#include "unit/random.h"
#include "unit/session_bed.h"

#define STREAM_BYTES 4096u
#define STREAM_FRAMES 512u

static uint64_t seed;

/* ---- alone */

static uint32_t ask_exact(rs_framer framer, const uint8_t *data, uint32_t bytes, uint32_t max) {
    uint8_t *copy = malloc(bytes);
    uint32_t answer;
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    answer = framer(copy, bytes, max);
    free(copy);
    return answer;
}

static const uint32_t maxima[] = {3, 4, 5, 254, 255, 256, 257, 258, 4096, 65534, 65535};
#define MAXIMA_COUNT (sizeof maxima / sizeof maxima[0])

/* With so many of the header's bytes there, is a legal length possible? The others may be any, and
 * make it least as zeros, or if that is below the header, with a single one in the next. */
static bool u32_may_be_legal(uint32_t length, uint32_t known, uint32_t max) {
    const uint64_t low = known < 4u ? length & ((UINT64_C(1) << 8u * known) - 1u) : length;
    uint64_t least = low;
    if (known < 4u && low < RS_FRAMER_U32_BYTES && known > 0) {
        least = low + (UINT64_C(1) << 8u * known);
    }
    return known == 0 || (least >= RS_FRAMER_U32_BYTES && least <= max);
}

static void check_u32(uint32_t length, uint32_t max) {
    const uint8_t wire[6] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
                             (uint8_t)(length >> 24)};
    for (uint32_t bytes = 1; bytes <= sizeof wire; bytes++) {
        const uint32_t answer = ask_exact(rs_framer_u32, wire, bytes, max);
        if (bytes >= RS_FRAMER_U32_BYTES) {
            assert_int_equal(answer,
                             u32_may_be_legal(length, 4, max) ? length : RS_FRAMER_MALFORMED);
        } else if (answer != RS_FRAMER_MORE) { /* told early, and never of one that may be legal */
            assert_int_equal(answer, RS_FRAMER_MALFORMED);
            assert_false(u32_may_be_legal(length, bytes, max));
        }
        if (answer == RS_FRAMER_MALFORMED) {
            return;
        }
    }
}

static void test_framer_u32_judges_every_length_by_the_format(void **state) {
    test_random random = {seed};
    (void)state;
    for (size_t m = 0; m < MAXIMA_COUNT; m++) {
        for (uint32_t length = 0; length <= 70000u; length++) {
            check_u32(length, maxima[m]);
        }
        for (uint32_t i = 0; i < 1000u; i++) {
            check_u32((uint32_t)test_random_wide(&random, 32), maxima[m]);
        }
        check_u32(UINT32_MAX, maxima[m]);
    }
}

static void test_framer_u16_says_what_the_parser_says(void **state) {
    uint8_t wire[4] = {0};
    (void)state;
    for (uint32_t length = 0; length <= 65535u; length++) {
        wire[0] = (uint8_t)length;
        wire[1] = (uint8_t)(length >> 8);
        for (uint32_t bytes = 1; bytes <= sizeof wire; bytes++) {
            uint32_t frame_bytes;
            const rs_status status = rs_frame_parse(wire, bytes, 4096, &frame_bytes);
            const uint32_t answer = ask_exact(rs_framer_u16, wire, bytes, 4096);
            assert_int_equal(answer, status == RS_E_PROTOCOL ? RS_FRAMER_MALFORMED : frame_bytes);
        }
    }
}

static void test_framer_line_ends_at_the_first_line_end(void **state) {
    uint8_t wire[12];
    (void)state;
    for (uint32_t max = 3; max <= sizeof wire; max++) {
        for (uint32_t end = 0; end <= sizeof wire; end++) { /* sizeof wire: none */
            for (uint32_t bytes = 1; bytes <= sizeof wire; bytes++) {
                const bool whole = end < bytes && end < max;
                memset(wire, 'x', sizeof wire);
                memset(wire + end, '\n', sizeof wire - end); /* only the first counts */
                const uint32_t answer = ask_exact(rs_framer_line, wire, bytes, max);
                assert_int_equal(answer, whole          ? end + 1u
                                         : bytes >= max ? RS_FRAMER_MALFORMED
                                                        : RS_FRAMER_MORE);
            }
        }
    }
}

/* ---- in a session */

/* A framer of an application: "12:" and twelve bytes, at most two digits. */
static uint32_t own_framer(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    uint32_t length = 0;
    for (uint32_t i = 0; i < bytes && i < 3u; i++) {
        if (data[i] == ':' && i > 0) {
            length += i + 1u;
            return length <= bytes_max ? length : RS_FRAMER_MALFORMED;
        }
        if (data[i] < '0' || data[i] > '9' || i == 2u) {
            return RS_FRAMER_MALFORMED;
        }
        length = length * 10u + (data[i] - (uint32_t)'0');
    }
    return RS_FRAMER_MORE;
}

/* The default format, but not by the function that the session layer knows. */
static uint32_t own_u16(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    return rs_framer_u16(data, bytes, bytes_max);
}

typedef enum kind {
    KIND_DEFAULT,
    KIND_U16,
    KIND_OWN_U16,
    KIND_U32,
    KIND_LINE,
    KIND_OWN,
    KINDS
} kind;

static rs_framer framer_of(kind which) {
    static const rs_framer framers[KINDS] = {NULL,          rs_framer_u16,  own_u16,
                                             rs_framer_u32, rs_framer_line, own_framer};
    return framers[which];
}

/* A frame of about `payload` bytes; returns its length. */
static uint32_t make(kind which, uint8_t *to, uint32_t payload, uint32_t number) {
    uint32_t head;
    switch (which) {
    case KIND_U32:
        head = 4;
        memset(to, 0, head);
        to[0] = (uint8_t)(payload + head);
        break;
    case KIND_LINE:
        memset(to, 'a' + (int)(number % 26u), payload);
        to[payload] = '\n';
        return payload + 1u;
    case KIND_OWN:
        payload = payload < 99u ? payload : 99u;
        head = 0;
        if (payload >= 10u) {
            to[head++] = (uint8_t)('0' + payload / 10u);
        }
        to[head++] = (uint8_t)('0' + payload % 10u);
        to[head++] = ':';
        break;
    default:
        head = rs_frame_header(to, 1, payload) - payload;
        break;
    }
    memset(to + head, (int)number, payload);
    return head + payload;
}

static uint32_t make_malformed(kind which, uint8_t *to) {
    static const uint8_t u16[] = {0, 1, 7}, u32[] = {0, 0, 1, 0}, own[] = {'4', 'x'};
    switch (which) {
    case KIND_U32:
        memcpy(to, u32, sizeof u32);
        return sizeof u32;
    case KIND_LINE:
        memset(to, 'x', BED_RECV_BYTES);
        return BED_RECV_BYTES;
    case KIND_OWN:
        memcpy(to, own, sizeof own);
        return sizeof own;
    default:
        memcpy(to, u16, sizeof u16);
        return sizeof u16;
    }
}

/* What the application was given, against what it should be. */
typedef struct told {
    bed bed;
    const uint8_t *stream;
    uint32_t bytes, frames; /* given so far */
    const uint32_t *ends;   /* of the frames in the stream */
    bool pause;
} told;

static void told_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    told *t = ctx;
    assert_int_equal(t->bytes + bytes, t->ends[t->frames]);
    assert_memory_equal(data, t->stream + t->bytes, bytes);
    t->bytes += bytes;
    t->frames++;
    if (t->pause && t->frames % 2u == 0) {
        (void)rs_session_pause(session);
    }
}

static void told_close(void *ctx, rs_session *session, rs_close_reason reason) {
    bed_on_close(&((told *)ctx)->bed, session, reason);
}

static void told_open(void *ctx, rs_session *session) {
    bed_on_open(&((told *)ctx)->bed, session);
}

static uint32_t told_init(told *t, kind which, const uint8_t *stream, const uint32_t *ends,
                          bool pause) {
    const rs_app app = {.ctx = t,
                        .framer = framer_of(which),
                        .on_open = told_open,
                        .on_message = told_message,
                        .on_close = told_close};
    uint32_t conn;
    t->stream = stream;
    t->ends = ends;
    t->bytes = t->frames = 0;
    t->pause = pause;
    bed_init_app(&t->bed, &app, 1000, true, 1, 0, 0);
    conn = bed_open(&t->bed);
    (void)bed_collect(&t->bed);
    return conn;
}

/* All of it arrives: as much as there is room for, again and again; a paused session is resumed. */
static void told_receive(told *t, uint32_t conn, const uint8_t *data, uint32_t bytes) {
    while (bytes > 0 && t->bed.closed == 0) {
        const uint32_t took = bed_receive(&t->bed, conn, data, bytes);
        data += took;
        bytes -= took;
        (void)bed_collect(&t->bed);
        for (uint32_t i = 0; i < STREAM_FRAMES && bed_find(&t->bed, conn, RS_OP_RECV) == UINT32_MAX;
             i++) {
            (void)rs_session_resume(&t->bed.sessions[conn].handle);
            (void)bed_collect(&t->bed);
        }
    }
}

static void told_end(told *t, uint32_t conn, uint32_t frames, bool malformed) {
    assert_int_equal(t->frames, frames);
    assert_int_equal(t->bed.table.counters.messages_in, frames);
    if (!malformed) {
        assert_int_equal(t->bed.closed, 0);
        bed_finish(&t->bed, bed_find(&t->bed, conn, RS_OP_RECV), RS_OK, 0);
    }
    assert_int_equal(t->bed.closed, 1);
    assert_int_equal(t->bed.last_reason, malformed ? RS_CLOSE_PROTOCOL : RS_CLOSE_PEER);
}

/* Short frames, and one as long as is allowed at the end. */
static uint32_t make_stream(kind which, uint8_t *stream, uint32_t *ends, bool malformed) {
    static const uint32_t payloads[] = {0, 1, 12, 3};
    uint32_t at = 0;
    for (uint32_t i = 0; i < 4u; i++) {
        at += make(which, stream + at, payloads[i], i);
        ends[i] = at;
    }
    return malformed ? at + make_malformed(which, stream + at) : at;
}

static void receive_in_three(kind which, uint32_t from, uint32_t to, bool malformed, bool pause) {
    static told t;
    uint8_t stream[STREAM_BYTES];
    uint32_t ends[5] = {0};
    const uint32_t bytes = make_stream(which, stream, ends, malformed);
    const uint32_t conn = told_init(&t, which, stream, ends, pause);
    from = from < bytes ? from : bytes;
    to = to < bytes ? to : bytes;
    told_receive(&t, conn, stream, from);
    told_receive(&t, conn, stream + from, to - from);
    told_receive(&t, conn, stream + to, bytes - to);
    told_end(&t, conn, 4, malformed);
}

static void test_framer_frames_are_whole_at_every_split(void **state) {
    (void)state;
    for (uint32_t which = 0; which < KINDS; which++) {
        for (uint32_t from = 0; from <= 40u; from++) {
            for (uint32_t to = from; to <= 40u; to++) {
                for (uint32_t how = 0; how < 4u; how++) {
                    receive_in_three((kind)which, from, to, (how & 1u) != 0, (how & 2u) != 0);
                }
            }
        }
    }
}

/* Also the longest frame, in the last slice and over its end. */
static void test_framer_random_pieces_over_many_slices(void **state) {
    static told t;
    static uint8_t stream[STREAM_BYTES];
    static uint32_t ends[STREAM_FRAMES];
    test_random random = {seed};
    (void)state;
    for (uint32_t round = 0; round < 600u; round++) {
        const kind which = (kind)(round % KINDS);
        const bool bytewise = round / KINDS % 4u == 0;
        uint32_t bytes = 0, frames = 0, at = 0, conn;
        while (bytes + BED_RECV_BYTES < STREAM_BYTES && frames < STREAM_FRAMES) {
            const uint32_t most = which == KIND_LINE ? BED_RECV_BYTES - 1u : BED_RECV_BYTES - 4u;
            const uint32_t payload =
                test_random_below(&random, 8) == 0 ? most : (uint32_t)test_random_wide(&random, 6);
            bytes += make(which, stream + bytes, payload, frames);
            ends[frames++] = bytes;
        }
        conn = told_init(&t, which, stream, ends, round / KINDS % 2u != 0);
        while (at < bytes) {
            uint32_t piece = bytewise ? 1u : 1u + (uint32_t)test_random_wide(&random, 8);
            piece = piece < bytes - at ? piece : bytes - at;
            told_receive(&t, conn, stream + at, piece);
            at += piece;
        }
        told_end(&t, conn, frames, false);
    }
}

/* As a frame of the default format does (session_test.c). */
static void test_framer_first_frame_ends_the_handshake(void **state) {
    static bed b;
    uint8_t frame[8];
    const rs_app app = {.ctx = &b,
                        .framer = rs_framer_u32,
                        .on_open = bed_on_open,
                        .on_message = bed_on_message,
                        .on_close = bed_on_close};
    uint32_t conn;
    (void)state;
    bed_init_app(&b, &app, 1000, true, 1, 0, 0);
    b.table.cfg.handshake_ms = 300;
    b.table.cfg.idle_timeout_ms = 0;
    conn = bed_open(&b);
    (void)bed_collect(&b);
    bed_advance_ms(&b, 250);
    (void)bed_receive(&b, conn, frame, make(KIND_U32, frame, 4, 1));
    (void)bed_collect(&b);
    bed_advance_ms(&b, 900);
    assert_int_equal(b.table.counters.messages_in, 1);
    assert_int_equal(b.closed, 0);
}

/* ---- a framer that breaks its contract */

static test_random wild;
static uint32_t wild_told;

static uint32_t wild_framer(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++) { /* all of them may be read */
        sum += data[i];
    }
    switch (test_random_below(&wild, 40)) {
    case 0:
        return RS_FRAMER_MALFORMED;
    case 1:
        return bytes_max + 1u + sum % 2u;
    default:
        return test_random_below(&wild, bytes_max + 1u);
    }
}

static void wild_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)session;
    assert_in_range(bytes, 1, BED_RECV_BYTES);
    wild_told += data[0] + (uint32_t)data[bytes - 1u];
}

static void test_framer_whatever_it_answers_stays_within_the_slice(void **state) {
    static bed b;
    static uint8_t stream[BED_RECV_BYTES];
    const rs_app app = {.ctx = &b,
                        .framer = wild_framer,
                        .on_open = bed_on_open,
                        .on_message = wild_message,
                        .on_close = bed_on_close};
    uint32_t ended = 0;
    (void)state;
    wild = (test_random){seed};
    memset(stream, 1, sizeof stream);
    for (uint32_t round = 0; round < 3000u; round++) {
        uint32_t conn;
        bed_init_app(&b, &app, 1000, true, 1, 0, 0);
        conn = bed_open(&b);
        for (uint32_t i = 0; i < 200u && b.closed == 0; i++) {
            (void)bed_collect(&b);
            (void)bed_receive(&b, conn, stream, 1u + test_random_below(&wild, BED_RECV_BYTES));
        }
        ended += b.closed;
        assert_true(b.closed == 0 || b.last_reason == RS_CLOSE_PROTOCOL);
    }
    assert_true(ended > 1000u);
    assert_true(wild_told > 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framer_u32_judges_every_length_by_the_format),
        cmocka_unit_test(test_framer_u16_says_what_the_parser_says),
        cmocka_unit_test(test_framer_line_ends_at_the_first_line_end),
        cmocka_unit_test(test_framer_frames_are_whole_at_every_split),
        cmocka_unit_test(test_framer_random_pieces_over_many_slices),
        cmocka_unit_test(test_framer_first_frame_ends_the_handshake),
        cmocka_unit_test(test_framer_whatever_it_answers_stays_within_the_slice),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests_name("framer", tests, NULL, NULL);
}
