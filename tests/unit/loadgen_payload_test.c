/* SPDX-License-Identifier: MIT */
/* Messages of several sizes and identities. A pass: what was built is recognised as itself and as
 * nothing else, and every single flipped byte is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_payload.h"

#define SEED 42u

static rs_payload payload;
static uint8_t message[RS_FRAME_BYTES_MAX];

/* Of one size; its replies are the requests. */
static void init(rs_payload *out, uint64_t seed, uint32_t bytes) {
    const rs_sizes one = rs_sizes_one(bytes);
    rs_payload_init(out, seed, &one, NULL);
}

/* The message, as long as its header says. */
static rs_payload_verdict check(uint32_t connection, uint64_t expected, uint64_t *found) {
    return rs_payload_check(&payload, connection, expected, message,
                            message[0] | (uint32_t)message[1] << 8, found);
}

static const uint32_t sizes[] = {3, 4, 14, 15, 16, 23, 32, 33, 512, 4096, RS_FRAME_BYTES_MAX};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void test_payload_every_size_is_recognised(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint64_t found = 0;

        init(&payload, SEED, sizes[i]);
        rs_payload_build(&payload, 7, UINT64_C(1) << 40, message);
        assert_int_equal(message[0] | message[1] << 8, sizes[i]);
        assert_int_equal(check(7, UINT64_C(1) << 40, &found), RS_PAYLOAD_EXPECTED);
        assert_true(found == UINT64_C(1) << 40);
    }
}

static void test_payload_flipped_byte_is_never_expected(void **state) {
    (void)state;
    for (size_t i = 0; i + 1 < SIZES; i++) {
        uint64_t found;

        init(&payload, SEED, sizes[i]);
        rs_payload_build(&payload, 3, 99, message);
        for (uint32_t at = 0; at < sizes[i]; at++) {
            message[at] ^= 0x10;
            assert_int_not_equal(rs_payload_check(&payload, 3, 99, message, sizes[i], &found),
                                 RS_PAYLOAD_EXPECTED);
            message[at] ^= 0x10;
        }
    }
}

static void test_payload_flipped_byte_is_wrong_where_the_pattern_is_long(void **state) {
    (void)state;
    init(&payload, SEED, 64);
    rs_payload_build(&payload, 3, 99, message);
    for (uint32_t bit = 0; bit < 64u * 8u; bit++) {
        uint64_t found;

        message[bit / 8u] ^= (uint8_t)(1u << (bit % 8u));
        assert_int_equal(rs_payload_check(&payload, 3, 99, message, 64, &found), RS_PAYLOAD_WRONG);
        message[bit / 8u] ^= (uint8_t)(1u << (bit % 8u));
    }
}

static void test_payload_other_sequence_is_named(void **state) {
    uint64_t found = 0;
    (void)state;
    init(&payload, SEED, 32);
    rs_payload_build(&payload, 3, 101, message);
    assert_int_equal(check(3, 99, &found), RS_PAYLOAD_OTHER);
    assert_int_equal(found, 101);
}

static void test_payload_other_connection_is_wrong(void **state) {
    uint64_t found;
    (void)state;
    init(&payload, SEED, 32);
    rs_payload_build(&payload, 4, 99, message);
    assert_int_equal(check(3, 99, &found), RS_PAYLOAD_WRONG);
}

static void test_payload_other_seed_is_wrong(void **state) {
    static rs_payload other;
    uint64_t found;
    (void)state;
    init(&payload, SEED, 32);
    init(&other, SEED + 1u, 32);
    rs_payload_build(&other, 3, 99, message);
    assert_int_equal(check(3, 99, &found), RS_PAYLOAD_WRONG);
}

/* What is shown of a message is what was built, from any byte on; a flip is found where it is. */
static void test_payload_bytes_and_first_difference(void **state) {
    (void)state;
    for (size_t i = 0; i + 2 < SIZES; i++) {
        init(&payload, SEED, sizes[i]);
        rs_payload_build(&payload, 3, 99, message);
        assert_int_equal(rs_payload_differs(&payload, 3, 99, message, sizes[i]), sizes[i]);
        assert_int_equal(rs_payload_differs(&payload, 3, 99, message, sizes[i] + 5u), sizes[i]);
        assert_int_equal(rs_payload_differs(&payload, 3, 99, message, 2), 2);
        for (uint32_t at = 0; at < sizes[i]; at++) {
            uint8_t shown[16];
            const uint32_t left = sizes[i] - at;
            const uint32_t count = rs_payload_bytes(&payload, 3, 99, at, shown, sizeof shown);

            assert_int_equal(count, left < sizeof shown ? left : sizeof shown);
            assert_memory_equal(shown, message + at, count);
            message[at] ^= 0x10;
            assert_int_equal(rs_payload_differs(&payload, 3, 99, message, sizes[i]), at);
            message[at] ^= 0x10;
        }
    }
}

static void test_payload_small_frames_tell_neighbours_apart(void **state) {
    uint32_t same_sequence = 0, same_conn = 0;
    (void)state;
    init(&payload, SEED, 11); /* eight bytes of pattern, no identity */
    for (uint64_t sequence = 0; sequence < 1000; sequence++) {
        uint64_t found;

        rs_payload_build(&payload, 0, sequence, message);
        same_sequence += check(0, sequence + 1u, &found) == RS_PAYLOAD_EXPECTED;
        same_conn += check(1, sequence, &found) == RS_PAYLOAD_EXPECTED;
    }
    /* Patterns start at 4096 places: about one in so many collides. */
    assert_true(same_sequence < 5);
    assert_true(same_conn < 5);
}

/* What a server makes of the request, by the words of asked_wire.h and none of its code but the
 * digest. */
static uint32_t answer(const uint8_t *request, uint32_t bytes, uint8_t *reply) {
    const uint32_t asked = request[3] | (uint32_t)request[4] << 8;
    const uint64_t digest = rs_asked_digest(request + 5, bytes - 5u);
    reply[0] = request[3];
    reply[1] = request[4];
    reply[2] = 2;
    for (uint32_t i = 0; i < 8; i++) {
        reply[3 + i] = (uint8_t)(digest >> (8u * i));
    }
    for (uint32_t i = 11; i < asked; i++) {
        reply[i] = request[5u + (i - 11u) % (bytes - 5u)];
    }
    return asked;
}

static void test_payload_replies_of_other_sizes_are_recognised(void **state) {
    static const uint32_t rows[][2] = {{17, 11},   {17, 12},  {17, 23},   {17, 5000},  {32, 32},
                                       {5000, 11}, {300, 23}, {300, 311}, {300, 65535}};
    static uint8_t reply[RS_FRAME_BYTES_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const rs_sizes one = rs_sizes_one(rows[i][0]), other = rs_sizes_one(rows[i][1]);
        uint64_t found = 0;
        uint32_t bytes;

        rs_payload_init(&payload, SEED, &one, &other);
        assert_int_equal(rs_payload_build(&payload, 3, 99, message), rows[i][0]);
        bytes = answer(message, rows[i][0], reply);
        assert_int_equal(bytes, rows[i][1]);
        assert_int_equal(rs_payload_check(&payload, 3, 99, reply, bytes, &found),
                         RS_PAYLOAD_EXPECTED);
        assert_int_equal(rs_payload_check(&payload, 3, 98, reply, bytes, &found),
                         bytes < 23 ? RS_PAYLOAD_WRONG : RS_PAYLOAD_OTHER);
        assert_int_equal(rs_payload_check(&payload, 4, 99, reply, bytes, &found), RS_PAYLOAD_WRONG);
        for (uint32_t at = 0; at < bytes; at += 1u + at / 64u) {
            reply[at] ^= 0x10;
            assert_int_not_equal(rs_payload_check(&payload, 3, 99, reply, bytes, &found),
                                 RS_PAYLOAD_EXPECTED);
            assert_int_equal(rs_payload_differs(&payload, 3, 99, reply, bytes), at);
            reply[at] ^= 0x10;
        }
        /* A byte of the request that does not come back shows in the digest. */
        for (uint32_t at = 5; at < rows[i][0]; at += 1u + at / 64u) {
            message[at] ^= 0x10;
            bytes = answer(message, rows[i][0], reply);
            assert_int_not_equal(rs_payload_check(&payload, 3, 99, reply, bytes, &found),
                                 RS_PAYLOAD_EXPECTED);
            message[at] ^= 0x10;
        }
    }
}

/* By their seed, within their range, as often as their weights say; requests and replies apart. */
static void test_payload_sizes_follow_seed_and_weights(void **state) {
    static rs_payload other;
    rs_sizes requests, replies;
    uint32_t large = 0, same = 0, equal = 0;
    uint64_t found = 0;
    (void)state;
    assert_null(rs_sizes_parse(&requests, "17..512:3,4k", 3, RS_FRAME_BYTES_MAX));
    assert_null(rs_sizes_parse(&replies, "23..65535", 11, RS_FRAME_BYTES_MAX));
    rs_payload_init(&payload, SEED, &requests, &replies);
    rs_payload_init(&other, SEED + 1u, &requests, &replies);
    for (uint64_t i = 0; i < 4000; i++) {
        const uint32_t bytes = rs_payload_request_bytes(&payload, 5, i);

        assert_true((bytes >= 17 && bytes <= 512) || bytes == 4096);
        assert_int_equal(rs_payload_build(&payload, 5, i, message), bytes);
        assert_int_equal(message[0] | message[1] << 8, bytes);
        assert_int_equal(message[3] | message[4] << 8, rs_payload_reply_bytes(&payload, 5, i));
        assert_true(rs_payload_reply_bytes(&payload, 5, i) >= 23);
        large += bytes == 4096;
        same += bytes == rs_payload_request_bytes(&other, 5, i) && bytes != 4096;
        equal += bytes == rs_payload_request_bytes(&payload, 6, i) && bytes != 4096;
    }
    assert_in_range(large, 850, 1150); /* a quarter; 5 deviations */
    assert_true(same < 50);
    assert_true(equal < 50);
    rs_payload_init(&payload, SEED, &requests, NULL);
    for (uint64_t i = 0; i < 200; i++) {
        const uint32_t bytes = rs_payload_build(&payload, 5, i, message);

        assert_int_equal(check(5, i, &found), RS_PAYLOAD_EXPECTED);
        assert_int_equal(check(5, i + 1u, &found), RS_PAYLOAD_OTHER);
        assert_int_equal(found, i);
        if (bytes > 17) { /* right bytes of another length */
            message[0] = (uint8_t)(bytes - 1u);
            message[1] = (uint8_t)((bytes - 1u) >> 8);
            assert_int_equal(check(5, i, &found), RS_PAYLOAD_WRONG);
        }
    }
}

static void test_payload_sizes_are_drawn_to_both_ends(void **state) {
    rs_sizes parts;
    bool seen[10] = {false};
    (void)state;
    assert_null(rs_sizes_parse(&parts, "3..5:2,7,9:1000000", 3, 9));
    assert_int_equal(parts.min, 3);
    assert_int_equal(parts.max, 9);
    for (uint64_t random = 0; random < 30u * (UINT64_C(1000000) + 3u); random += 333333u) {
        seen[rs_sizes_draw(&parts, random)] = true;
    }
    for (uint64_t random = 0; random < 3; random++) {
        for (uint64_t turn = 0; turn < 3; turn++) {
            seen[rs_sizes_draw(&parts, random + turn * UINT64_C(1000003))] = true;
        }
    }
    assert_true(seen[3] && seen[4] && seen[5] && !seen[6] && seen[7] && !seen[8] && seen[9]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_every_size_is_recognised),
        cmocka_unit_test(test_payload_flipped_byte_is_never_expected),
        cmocka_unit_test(test_payload_flipped_byte_is_wrong_where_the_pattern_is_long),
        cmocka_unit_test(test_payload_other_sequence_is_named),
        cmocka_unit_test(test_payload_other_connection_is_wrong),
        cmocka_unit_test(test_payload_other_seed_is_wrong),
        cmocka_unit_test(test_payload_bytes_and_first_difference),
        cmocka_unit_test(test_payload_small_frames_tell_neighbours_apart),
        cmocka_unit_test(test_payload_replies_of_other_sizes_are_recognised),
        cmocka_unit_test(test_payload_sizes_follow_seed_and_weights),
        cmocka_unit_test(test_payload_sizes_are_drawn_to_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
