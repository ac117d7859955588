/* SPDX-License-Identifier: MIT */
/* Messages of several sizes and identities. A pass: what was built is recognised as itself and as
 * nothing else, and every single flipped byte is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_payload.h"

#define SEED 42u

static rs_payload payload;
static uint8_t message[RS_FRAME_BYTES_MAX];

static const uint32_t sizes[] = {3, 4, 14, 15, 16, 23, 32, 33, 512, 4096, RS_FRAME_BYTES_MAX};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void test_payload_every_size_is_recognised(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint64_t found = 0;

        rs_payload_init(&payload, SEED, sizes[i]);
        rs_payload_build(&payload, 7, UINT64_C(1) << 40, message);
        assert_int_equal(message[0] | message[1] << 8, sizes[i]);
        assert_int_equal(rs_payload_check(&payload, 7, UINT64_C(1) << 40, message, &found),
                         RS_PAYLOAD_EXPECTED);
        assert_true(found == UINT64_C(1) << 40);
    }
}

static void test_payload_flipped_byte_is_never_expected(void **state) {
    (void)state;
    for (size_t i = 0; i + 1 < SIZES; i++) {
        uint64_t found;

        rs_payload_init(&payload, SEED, sizes[i]);
        rs_payload_build(&payload, 3, 99, message);
        for (uint32_t at = 0; at < sizes[i]; at++) {
            message[at] ^= 0x10;
            assert_int_not_equal(rs_payload_check(&payload, 3, 99, message, &found),
                                 RS_PAYLOAD_EXPECTED);
            message[at] ^= 0x10;
        }
    }
}

static void test_payload_flipped_byte_is_wrong_where_the_pattern_is_long(void **state) {
    (void)state;
    rs_payload_init(&payload, SEED, 64);
    rs_payload_build(&payload, 3, 99, message);
    for (uint32_t bit = 0; bit < 64u * 8u; bit++) {
        uint64_t found;

        message[bit / 8u] ^= (uint8_t)(1u << (bit % 8u));
        assert_int_equal(rs_payload_check(&payload, 3, 99, message, &found), RS_PAYLOAD_WRONG);
        message[bit / 8u] ^= (uint8_t)(1u << (bit % 8u));
    }
}

static void test_payload_other_sequence_is_named(void **state) {
    uint64_t found = 0;
    (void)state;
    rs_payload_init(&payload, SEED, 32);
    rs_payload_build(&payload, 3, 101, message);
    assert_int_equal(rs_payload_check(&payload, 3, 99, message, &found), RS_PAYLOAD_OTHER);
    assert_int_equal(found, 101);
}

static void test_payload_other_connection_is_wrong(void **state) {
    uint64_t found;
    (void)state;
    rs_payload_init(&payload, SEED, 32);
    rs_payload_build(&payload, 4, 99, message);
    assert_int_equal(rs_payload_check(&payload, 3, 99, message, &found), RS_PAYLOAD_WRONG);
}

static void test_payload_other_seed_is_wrong(void **state) {
    static rs_payload other;
    uint64_t found;
    (void)state;
    rs_payload_init(&payload, SEED, 32);
    rs_payload_init(&other, SEED + 1u, 32);
    rs_payload_build(&other, 3, 99, message);
    assert_int_equal(rs_payload_check(&payload, 3, 99, message, &found), RS_PAYLOAD_WRONG);
}

/* What is shown of a message is what was built, from any byte on; a flip is found where it is. */
static void test_payload_bytes_and_first_difference(void **state) {
    (void)state;
    for (size_t i = 0; i + 2 < SIZES; i++) {
        rs_payload_init(&payload, SEED, sizes[i]);
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
    rs_payload_init(&payload, SEED, 11); /* eight bytes of pattern, no identity */
    for (uint64_t sequence = 0; sequence < 1000; sequence++) {
        uint64_t found;

        rs_payload_build(&payload, 0, sequence, message);
        same_sequence +=
            rs_payload_check(&payload, 0, sequence + 1u, message, &found) == RS_PAYLOAD_EXPECTED;
        same_conn +=
            rs_payload_check(&payload, 1, sequence, message, &found) == RS_PAYLOAD_EXPECTED;
    }
    /* Patterns start at 4096 places: about one in so many collides. */
    assert_true(same_sequence < 5);
    assert_true(same_conn < 5);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
