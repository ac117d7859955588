/* SPDX-License-Identifier: MIT */
/* PROXY headers of both versions: what is given, every cut of each, and a table of malformed ones.
 * Passes when length, addresses and verdict are those of the specification. Each input lies in a
 * block of exactly its size, so that a sanitizer sees a byte read too far. */
#include "core/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define SLICE 4096u

/* A literal and its bytes, which may be zeros. */
typedef struct bytes {
    const char *at;
    uint32_t count;
} bytes;
#define B(literal)                                                                                 \
    { literal, sizeof literal - 1u }

static rs_status parse_exact(const char *data, uint32_t count, uint32_t max, rs_proxy_header *out) {
    uint8_t *copy = malloc(count > 0 ? count : 1u);
    rs_status status;
    assert_non_null(copy);
    memcpy(copy, data, count);
    status = rs_proxy_header_parse(copy, count, max, out);
    free(copy);
    return status;
}

/* ---- good ones */

typedef struct good {
    bytes header;
    const char *peer, *local; /* as rs_addr_text; NULL: not given */
} good;

#define V2_TCP4 "\xC0\x00\x02\x07\xC6\x33\x64\x01\xC3\xCA\x0F\xA0"
#define V2_TCP6                                                                                    \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x08\xC3\xCA" \
    "\x0F\xA0"
#define V2_MAPPED                                                                                  \
    "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\x00\x02\x07\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x08"       \
    "\xC3\xCA\x0F\xA0"
#define HEX54 "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"

static const good goods[] = {
    {B("PROXY TCP4 192.0.2.7 198.51.100.1 50122 4000\r\n"), "192.0.2.7:50122", "198.51.100.1:4000"},
    {B("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535",
     "255.255.255.255:65535"},
    {B("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0", "0.0.0.0:0"},
    {B("PROXY TCP6 2001:db8::7 2001:DB8::8 50122 4000\r\n"), "[2001:db8::7]:50122",
     "[2001:db8::8]:4000"},
    {B("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "65535 65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {B("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7:1", "[::1]:2"},
    {B("PROXY UNKNOWN\r\n"), NULL, NULL},
    {B("PROXY UNKNOWN \r\n"), NULL, NULL},
    {B("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), /* 107 bytes */
     NULL, NULL},
    {B("PROXY UNKNOWN \x01\xFF\0 anything\r\n"), NULL, NULL},
    {B(V2 "\x21\x11\0\x0C" V2_TCP4), "192.0.2.7:50122", "198.51.100.1:4000"},
    {B(V2 "\x21\x12\0\x0C" V2_TCP4), "192.0.2.7:50122", "198.51.100.1:4000"},
    {B(V2 "\x21\x11\0\x10" V2_TCP4 "\x04\0\x01x"), "192.0.2.7:50122", "198.51.100.1:4000"},
    {B(V2 "\x21\x21\0\x24" V2_TCP6), "[2001:db8::7]:50122", "[2001:db8::8]:4000"},
    {B(V2 "\x21\x22\0\x24" V2_TCP6), "[2001:db8::7]:50122", "[2001:db8::8]:4000"},
    {B(V2 "\x21\x21\0\x24" V2_MAPPED), "192.0.2.7:50122", "[2001:db8::8]:4000"},
    {B(V2 "\x20\0\0\0"), NULL, NULL},
    {B(V2 "\x20\x11\0\x0C" V2_TCP4), NULL, NULL},
    {B(V2 "\x20\xFF\0\x01x"), NULL, NULL}, /* LOCAL: whatever the family */
    {B(V2 "\x20\x21\0\x01x"), NULL, NULL},
    {B(V2 "\x21\0\0\0"), NULL, NULL},
    {B(V2 "\x21\0\0\x03xyz"), NULL, NULL},
    {B(V2 "\x21\x01\0\x03xyz"), NULL, NULL},
    {B(V2 "\x21\x10\0\x03xyz"), NULL, NULL},
    {B(V2 "\x21\x31\0\xD8" HEX54 HEX54 HEX54 HEX54), NULL, NULL},
    {B(V2 "\x21\x32\0\xDB" HEX54 HEX54 HEX54 HEX54 "\x04\0\0"), NULL, NULL},
};
#define GOODS (sizeof goods / sizeof goods[0])

static void check_good(const good *one, const rs_proxy_header *got) {
    char text[RS_ADDR_TEXT_BYTES];
    assert_int_equal(got->bytes, one->header.count);
    assert_int_equal(got->given, one->peer != NULL);
    if (got->given) {
        assert_string_equal(rs_addr_text(&got->ends.peer, text), one->peer);
        assert_string_equal(rs_addr_text(&got->ends.local, text), one->local);
    }
}

static void test_proxy_header_says_whose_connection_it_is(void **state) {
    (void)state;
    for (size_t i = 0; i < GOODS; i++) {
        rs_proxy_header got;
        assert_int_equal(parse_exact(goods[i].header.at, goods[i].header.count, SLICE, &got),
                         RS_OK);
        check_good(&goods[i], &got);
    }
}

static void test_proxy_header_is_incomplete_at_every_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < GOODS; i++) {
        for (uint32_t cut = 0; cut < goods[i].header.count; cut++) {
            rs_proxy_header got;
            assert_int_equal(parse_exact(goods[i].header.at, cut, SLICE, &got), RS_E_AGAIN);
        }
    }
}

/* Whatever it is, even what looks like a part of a header. */
static void test_proxy_header_ends_where_the_stream_begins(void **state) {
    static const bytes behind[] = {B("\r\n"), B("\n"), B("\0"), B(" 1"), B("PROXY TCP4 "), B(V2)};
    char both[512];
    (void)state;
    for (size_t i = 0; i < GOODS; i++) {
        for (size_t j = 0; j < sizeof behind / sizeof behind[0]; j++) {
            const uint32_t count = goods[i].header.count;
            rs_proxy_header got;
            memcpy(both, goods[i].header.at, count);
            memcpy(both + count, behind[j].at, behind[j].count);
            assert_int_equal(parse_exact(both, count + behind[j].count, SLICE, &got), RS_OK);
            check_good(&goods[i], &got);
        }
    }
}

/* ---- bad ones */

#define TCP4_BAD(rest) B("PROXY TCP4 " rest "\r\n")
#define TCP6_BAD(rest) B("PROXY TCP6 " rest "\r\n")
#define V2_BAD(rest) B(V2 rest)

static const bytes bads[] = {
    /* neither version */
    B("GET / HTTP/1.1\r\n"),
    B("\n"),
    B("\0"),
    B("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
    B("PROXX"),
    B("PROXY\r\n"),
    B("PROXY\tTCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
    B(" PROXY UNKNOWN\r\n"),
    B("\r\n\r\n\r"),
    /* version 1: protocol and spaces */
    B("PROXY \r\n"),
    B("PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n"),
    B("PROXY TCP4\r\n"),
    B("PROXY TCP 192.0.2.7 198.51.100.1 1 2\r\n"),
    B("PROXY UNKNOWNS\r\n"),
    B("PROXY UNKNOWX\r\n"),
    B("PROXY unknown\r\n"),
    B("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
    TCP4_BAD(" 192.0.2.7 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7  198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1  1 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1  2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 2 "),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 2 3"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 "),
    TCP4_BAD("192.0.2.7 198.51.100.1"),
    TCP4_BAD("192.0.2.7"),
    TCP4_BAD("192.0.2.7\t198.51.100.1 1 2"),
    /* ... addresses */
    TCP4_BAD("192.0.2 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.256 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.07 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7.9 198.51.100.1 1 2"),
    TCP4_BAD("192.0..7 198.51.100.1 1 2"),
    TCP4_BAD("+1.0.2.7 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7 example 1 2"),
    TCP4_BAD("192.0.2.7\0 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1\0x 1 2"),
    TCP4_BAD("::1 198.51.100.1 1 2"),
    TCP4_BAD("192.0.2.7 ::1 1 2"),
    TCP4_BAD("::ffff:192.0.2.7 198.51.100.1 1 2"),
    TCP6_BAD("192.0.2.7 ::1 1 2"),
    TCP6_BAD("::1 198.51.100.1 1 2"),
    TCP6_BAD("::1%2 ::2 1 2"),
    TCP6_BAD("::1 fe80::1%1 1 2"),
    TCP6_BAD("1::2::3 ::1 1 2"),
    TCP6_BAD("1:2:3:4:5:6:7 ::1 1 2"),
    TCP6_BAD("1:2:3:4:5:6:7:8:9 ::1 1 2"),
    TCP6_BAD("12345::1 ::1 1 2"),
    TCP6_BAD("[::1] ::1 1 2"),
    TCP6_BAD("0000:0000:0000:0000:0000:0000:000.000.000.0000 ::1 1 2"),
    /* ... ports */
    TCP4_BAD("192.0.2.7 198.51.100.1 65536 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 65536"),
    TCP4_BAD("192.0.2.7 198.51.100.1 01 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 00"),
    TCP4_BAD("192.0.2.7 198.51.100.1 -1 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 +2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1 2x"),
    TCP4_BAD("192.0.2.7 198.51.100.1 1\0 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 0x1 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 100000 2"),
    TCP4_BAD("192.0.2.7 198.51.100.1 4294967297 2"),
    /* ... the end of the line */
    B("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"),
    B("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rx"),
    B("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\r\n"),
    B("PROXY UNKNOWN\n"),
    B("PROXY UNKNOWN a\nb\r\n"),
    B("PROXY UNKNOWN a\rb\r\n"),
    B("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655355\r\n"), /* 108 bytes */
    /* version 2 */
    V2_BAD("\x11\x11\0\x0C" V2_TCP4),
    V2_BAD("\x31\x11\0\x0C" V2_TCP4),
    V2_BAD("\x01\x11\0\x0C" V2_TCP4),
    V2_BAD("\x22\x11\0\x0C" V2_TCP4),
    V2_BAD("\x2F\0\0\0"),
    V2_BAD("\x21\x41\0\x0C" V2_TCP4),
    V2_BAD("\x21\xF1\0\x0C" V2_TCP4),
    V2_BAD("\x21\x13\0\x0C" V2_TCP4),
    V2_BAD("\x21\x1F\0\x0C" V2_TCP4),
    V2_BAD("\x21\x11\0\0"),
    V2_BAD("\x21\x11\0\x0B" V2_TCP4),
    V2_BAD("\x21\x21\0\x0C" V2_TCP4),
    V2_BAD("\x21\x21\0\x23" V2_TCP6),
    V2_BAD("\x21\x31\0\xD7" HEX54 HEX54 HEX54 HEX54),
    V2_BAD("\x21\x11\x0F\xF1" V2_TCP4), /* 4,097 bytes */
    V2_BAD("\x21\x11\xFF\xFF" V2_TCP4),
    V2_BAD("\x20\0\xFF\xFF"),
};

static void test_proxy_header_that_is_malformed_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        rs_proxy_header got;
        if (parse_exact(bads[i].at, bads[i].count, SLICE, &got) != RS_E_PROTOCOL) {
            fail_msg("row %u is not refused: %s", (unsigned)i, bads[i].at);
        }
    }
}

/* Byte by byte too: the verdict is told at some point, and never another one. */
static void test_proxy_header_that_is_malformed_is_never_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        bool refused = false;
        for (uint32_t cut = 0; cut <= bads[i].count; cut++) {
            rs_proxy_header got;
            const rs_status status = parse_exact(bads[i].at, cut, SLICE, &got);
            assert_int_equal(status, refused || status != RS_E_AGAIN ? RS_E_PROTOCOL : RS_E_AGAIN);
            refused = status == RS_E_PROTOCOL;
        }
        assert_true(refused);
    }
}

/* A first byte that begins neither version is the last. */
static void test_proxy_header_every_first_byte(void **state) {
    (void)state;
    for (int first = 0; first < 256; first++) {
        const char byte = (char)first;
        rs_proxy_header got;
        assert_int_equal(parse_exact(&byte, 1, SLICE, &got),
                         first == 'P' || first == '\r' ? RS_E_AGAIN : RS_E_PROTOCOL);
    }
}

/* The longest that is allowed is read; one byte more is refused as soon as the length is there. */
static void test_proxy_header_is_bounded(void **state) {
    static char header[16u + 1000u] = V2 "\x21\x11\x03\xE8" V2_TCP4;
    rs_proxy_header got;
    (void)state;
    assert_int_equal(parse_exact(header, sizeof header, sizeof header, &got), RS_OK);
    assert_int_equal(got.bytes, sizeof header);
    assert_int_equal(parse_exact(header, 16, sizeof header, &got), RS_E_AGAIN);
    assert_int_equal(parse_exact(header, 15, sizeof header - 1u, &got), RS_E_AGAIN);
    assert_int_equal(parse_exact(header, 16, sizeof header - 1u, &got), RS_E_PROTOCOL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy_header_says_whose_connection_it_is),
        cmocka_unit_test(test_proxy_header_is_incomplete_at_every_cut),
        cmocka_unit_test(test_proxy_header_ends_where_the_stream_begins),
        cmocka_unit_test(test_proxy_header_that_is_malformed_is_refused),
        cmocka_unit_test(test_proxy_header_that_is_malformed_is_never_taken),
        cmocka_unit_test(test_proxy_header_every_first_byte),
        cmocka_unit_test(test_proxy_header_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
