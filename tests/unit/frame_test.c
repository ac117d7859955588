/* SPDX-License-Identifier: MIT */
/* The frame parser over every length the header can say, every cut of a set of frames and every
 * first byte, against the plain reading of the format. Passes when status and length agree
 * everywhere. Short inputs lie in blocks of exactly their size, so that a sanitizer sees a byte
 * read too far. */
#include "core/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "unit/child.h"

static const char *self;
static uint8_t wire[RS_FRAME_BYTES_MAX + 1u];

static const uint32_t maxima[] = {3,   4,   5,    127,  128,  254,   255,  256,
                                  257, 258, 1000, 4095, 4096, 65534, 65535};
#define MAXIMA_COUNT (sizeof maxima / sizeof maxima[0])

static void wire_set_length(uint32_t length) {
    wire[0] = (uint8_t)(length & 0xFFu);
    wire[1] = (uint8_t)(length >> 8);
}

/* A copy that ends where the input ends. */
static rs_status parse_exact(const uint8_t *data, uint32_t bytes, uint32_t max, uint32_t *out) {
    uint8_t *copy = malloc(bytes > 0 ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    const rs_status status = rs_frame_parse(bytes > 0 ? copy : NULL, bytes, max, out);
    free(copy);
    return status;
}

static void test_frame_every_length_is_judged_by_the_format(void **state) {
    (void)state;
    for (size_t m = 0; m < MAXIMA_COUNT; m++) {
        for (uint32_t length = 0; length <= 65535u; length++) {
            const bool legal = length >= 3 && length <= maxima[m];
            uint32_t got = 77;
            wire_set_length(length);
            const rs_status whole = rs_frame_parse(wire, 65535u, maxima[m], &got);
            assert_int_equal(whole, legal ? RS_OK : RS_E_PROTOCOL);
            assert_int_equal(got, legal ? length : 0);
            const rs_status header = rs_frame_parse(wire, 2, maxima[m], &got);
            assert_int_equal(header, legal ? RS_E_AGAIN : RS_E_PROTOCOL);
            assert_int_equal(got, legal ? length : 0);
        }
    }
}

static void test_frame_with_exactly_its_bytes_is_whole(void **state) {
    (void)state;
    for (uint32_t length = 3; length <= 65535u; length++) {
        uint32_t got = 0;
        wire_set_length(length);
        assert_int_equal(rs_frame_parse(wire, length, 65535u, &got), RS_OK);
        assert_int_equal(got, length);
        assert_int_equal(rs_frame_parse(wire, length - 1, 65535u, &got), RS_E_AGAIN);
        assert_int_equal(got, length);
    }
}

/* The answer to a cut of a legal frame, from the format alone. */
static void check_cut(uint32_t length, uint32_t cut) {
    uint32_t got = 77;
    const rs_status status = parse_exact(wire, cut, 65535u, &got);
    assert_int_equal(status, cut < length ? RS_E_AGAIN : RS_OK);
    assert_int_equal(got, cut < 2 ? 0 : length);
}

static void test_frame_cut_at_every_position_is_again_until_whole(void **state) {
    (void)state;
    static const uint32_t lengths[] = {3, 4, 5, 32, 255, 256, 257, 258, 511, 512, 4095, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        wire_set_length(lengths[i]);
        for (uint32_t cut = 0; cut <= lengths[i]; cut++) {
            check_cut(lengths[i], cut);
        }
    }
    wire_set_length(65535u);
    for (uint32_t cut = 0; cut <= 65535u; cut += cut < 70 || cut > 65500u ? 1u : 61u) {
        check_cut(65535u, cut);
    }
}

static void test_frame_first_byte_is_refused_once_no_length_fits(void **state) {
    (void)state;
    for (uint32_t max = 3; max <= 1024u; max++) {
        for (uint32_t low = 0; low <= 255u; low++) {
            const uint8_t byte = (uint8_t)low;
            uint32_t got = 77;
            bool possible = false;
            for (uint32_t high = 0; high <= 255u && !possible; high++) {
                const uint32_t length = low | high << 8;
                possible = length >= 3 && length <= max;
            }
            const rs_status status = rs_frame_parse(&byte, 1, max, &got);
            assert_int_equal(status, possible ? RS_E_AGAIN : RS_E_PROTOCOL);
            assert_int_equal(got, 0);
        }
    }
}

static void test_frame_without_bytes_is_again(void **state) {
    (void)state;
    for (size_t m = 0; m < MAXIMA_COUNT; m++) {
        uint32_t got = 77;
        assert_int_equal(rs_frame_parse(NULL, 0, maxima[m], &got), RS_E_AGAIN);
        assert_int_equal(got, 0);
    }
}

static void test_frame_header_reads_back_for_every_payload(void **state) {
    (void)state;
    for (uint32_t payload = 0; payload <= 65532u; payload++) {
        uint8_t header[RS_FRAME_HEADER_BYTES];
        uint32_t got = 0;
        assert_int_equal(rs_frame_header(header, (uint8_t)payload, payload), payload + 3);
        const rs_status status = rs_frame_parse(header, sizeof header, 65535u, &got);
        assert_int_equal(status, payload == 0 ? RS_OK : RS_E_AGAIN);
        assert_int_equal(got, payload + 3);
        assert_int_equal(rs_frame_type(header), (uint8_t)payload);
    }
}

static void test_frame_stream_of_many_is_taken_apart_in_order(void **state) {
    (void)state;
    uint32_t written = 0, read = 0, count = 0;
    for (uint32_t payload = 0; written + payload + 3 <= 65535u; payload++) {
        written += rs_frame_header(wire + written, (uint8_t)payload, payload);
    }
    while (read < written) {
        uint32_t got = 0;
        assert_int_equal(rs_frame_parse(wire + read, written - read, 65535u, &got), RS_OK);
        assert_int_equal(rs_frame_type(wire + read), (uint8_t)count);
        assert_int_equal(got, count + 3);
        read += got;
        count++;
    }
    assert_int_equal(read, written);
    assert_true(count > 300);
}

static void test_frame_maximum_of_ours_out_of_range_is_asserted(void **state) {
    (void)state;
    const child_result low = child_run(self, "low");
    const child_result high = child_run(self, "high");
    const child_result payload = child_run(self, "payload");
    assert_true(child_asserted(&low, "frame_bytes_max"));
    assert_true(child_asserted(&high, "frame_bytes_max"));
    assert_true(child_asserted(&payload, "payload_bytes"));
}

static int run_child(const char *name) {
    uint32_t got;
    if (strcmp(name, "low") == 0) {
        (void)rs_frame_parse(wire, 4, RS_FRAME_HEADER_BYTES - 1u, &got);
    } else if (strcmp(name, "high") == 0) {
        (void)rs_frame_parse(wire, 4, RS_FRAME_BYTES_MAX + 1u, &got);
    } else {
        (void)rs_frame_header(wire, 0, 65533u);
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        return run_child(name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_every_length_is_judged_by_the_format),
        cmocka_unit_test(test_frame_with_exactly_its_bytes_is_whole),
        cmocka_unit_test(test_frame_cut_at_every_position_is_again_until_whole),
        cmocka_unit_test(test_frame_first_byte_is_refused_once_no_length_fits),
        cmocka_unit_test(test_frame_without_bytes_is_again),
        cmocka_unit_test(test_frame_header_reads_back_for_every_payload),
        cmocka_unit_test(test_frame_stream_of_many_is_taken_apart_in_order),
        cmocka_unit_test(test_frame_maximum_of_ours_out_of_range_is_asserted),
    };
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
