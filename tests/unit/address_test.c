/* SPDX-License-Identifier: MIT */
/* Addresses as text: tables of what is read and how it is written again, what is no address, and
 * random addresses there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"
#include "random.h"

#define RANDOM_ADDRESSES 20000u

static void test_address_is_read_and_written_as_rfc_5952_says(void **state) {
    static const struct {
        const char *read, *written;
    } cases[] = {
        {"0.0.0.0", "0.0.0.0:7"},
        {"127.0.0.1", "127.0.0.1:7"},
        {"255.255.255.255", "255.255.255.255:7"},
        {"::", "[::]:7"},
        {"::1", "[::1]:7"},
        {"1::", "[1::]:7"},
        {"2001:db8::1", "[2001:db8::1]:7"},
        {"2001:DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:7"},
        {"2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:7"},
        {"2001:0db8:0000:0000:0000:0000:0002:0001", "[2001:db8::2:1]:7"},
        {"1:0:0:2:0:0:0:3", "[1:0:0:2::3]:7"},
        {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:7"},
        {"0:2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:7"},
        {"::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:7"},
        {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:7"},
        {"fe80::1%2", "[fe80::1%2]:7"},
        {"fe80::1%4294967295", "[fe80::1%4294967295]:7"},
        {"::ffff:10.1.2.3", "10.1.2.3:7"},
        {"::FFFF:0a01:0203", "10.1.2.3:7"},
        {"64:ff9b::192.0.2.33", "[64:ff9b::c000:221]:7"},
        {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:7"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_addr addr;
        char text[RS_ADDR_TEXT_BYTES];
        assert_true(rs_addr_parse(cases[i].read, &addr));
        assert_int_equal(addr.port, 0);
        addr.port = 7;
        assert_string_equal(rs_addr_text(&addr, text), cases[i].written);
    }
}

static void test_address_that_is_none_is_refused(void **state) {
    static const char *const wrong[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "-1.2.3.4",
        "99999999999999999999.1.1.1",
        ":",
        ":::",
        ":1",
        "1:",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "12345::",
        "g::",
        "::1%",
        "::1%x",
        "::1%4294967296",
        "::1%1%1",
        "[::1]",
        "::1.2.3",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "localhost",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rs_addr addr = {.ip = 5, .port = 6};
        if (rs_addr_parse(wrong[i], &addr)) {
            fail_msg("'%s' was taken for an address", wrong[i]);
        }
        assert_true(addr.ip == 5 && addr.port == 6);
    }
}

static uint64_t address_seed;

static void test_address_random_ones_come_back_equal(void **state) {
    test_random random = {address_seed};
    (void)state;
    for (uint32_t i = 0; i < RANDOM_ADDRESSES; i++) {
        uint8_t ip6[16];
        char text[RS_ADDR_TEXT_BYTES];
        rs_addr addr, back;
        for (uint32_t at = 0; at < sizeof ip6; at++) {
            ip6[at] =
                test_random_below(&random, 3) == 0 ? (uint8_t)test_random_below(&random, 256) : 0;
        }
        addr = i % 4u == 0 ? (rs_addr){.ip = test_random_below(&random, UINT32_MAX)}
                           : rs_addr_from_v6(ip6, 0, test_random_below(&random, 3));
        assert_true(rs_addr_parse(rs_addr_host_text(&addr, text), &back));
        assert_true(rs_addr_equal(&addr, &back));
        back.port++;
        assert_false(rs_addr_equal(&addr, &back));
        back = addr;
        back.scope++;
        assert_false(rs_addr_equal(&addr, &back));
    }
}

static void test_address_any_is_no_address_of_a_peer(void **state) {
    rs_addr addr;
    (void)state;
    assert_true(rs_addr_parse("::", &addr) && rs_addr_is_any(&addr));
    assert_true(rs_addr_parse("0.0.0.0", &addr) && rs_addr_is_any(&addr));
    assert_true(rs_addr_parse("::1", &addr) && !rs_addr_is_any(&addr));
    assert_true(rs_addr_parse("0.0.0.1", &addr) && !rs_addr_is_any(&addr));
}

static void test_address_further_on_is_counted_over_32_bits(void **state) {
    static const struct {
        const char *from, *to;
        uint32_t count;
    } rows[] = {{"127.0.0.2", "127.0.0.2", 0},
                {"127.0.0.2", "127.0.1.1", 255},
                {"255.255.255.255", "0.0.0.0", 1},
                {"::1", "::2", 1},
                {"2001:db8::ff", "2001:db8::100", 1},
                {"2001:db8::fffe", "2001:db8::1:0001", 3},
                {"2001:db8::1:ffff:ffff", "2001:db8::1:0:0", 1}};
    rs_addr from, to;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(rs_addr_parse(rows[i].from, &from) && rs_addr_parse(rows[i].to, &to));
        from = rs_addr_plus(&from, rows[i].count);
        assert_true(rs_addr_equal(&from, &to));
    }
    assert_true(rs_addr_parse("fe80::1%2", &from));
    assert_int_equal(rs_addr_plus(&from, 1).scope, 2);
}

static void test_address_of_a_name_is_the_first_of_ipv4_else_the_first(void **state) {
    const char *const listed[] = {"fe80::1", "::1", "10.0.0.1", "::2", "10.0.0.2"};
    rs_addr chosen, next, want;
    (void)state;
    for (uint32_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        assert_true(rs_addr_parse(listed[i], &next));
        rs_addr_choose(&chosen, &next, i == 0);
        assert_true(rs_addr_parse(listed[i < 2 ? 0 : 2], &want));
        assert_true(rs_addr_equal(&chosen, &want));
    }
}

static void test_address_that_is_half_written_is_no_name(void **state) {
    (void)state;
    assert_true(rs_addr_may_be_name("localhost"));
    assert_true(rs_addr_may_be_name("1.2.3.example"));
    assert_false(rs_addr_may_be_name(""));
    assert_false(rs_addr_may_be_name("1.2.3"));
    assert_false(rs_addr_may_be_name("fe80::zz"));
}

typedef struct split {
    const char *text, *host; /* host NULL: refused */
    uint16_t port;           /* 7: as it was */
} split;

static void test_address_is_split_from_its_port(void **state) {
    static const split cases[] = {
        {"127.0.0.1", "127.0.0.1", 7},
        {"127.0.0.1:5000", "127.0.0.1", 5000},
        {"localhost:0", "localhost", 0},
        {"::1", "::1", 7},
        {"2001:db8::1:80", "2001:db8::1:80", 7},
        {"[::1]", "::1", 7},
        {"[fe80::1%2]:65535", "fe80::1%2", 65535},
        {"", NULL, 7},
        {":80", NULL, 7},
        {"[]:80", NULL, 7},
        {"[::1", NULL, 7},
        {"[::1]80", NULL, 7},
        {"a:", NULL, 7},
        {"a:65536", NULL, 7},
        {"a:8x", NULL, 7},
        {"a:123456", NULL, 7},
        {"0123456789abcdef", NULL, 7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[16] = "", text[32];
        uint16_t port = 7;
        const size_t bytes = strlen(cases[i].text);
        (void)snprintf(text, sizeof text, "%s,x:1",
                       cases[i].text); /* what follows is not looked at */
        assert_int_equal(rs_addr_split(text, bytes, host, sizeof host, &port),
                         cases[i].host != NULL);
        if (cases[i].host != NULL) {
            assert_string_equal(host, cases[i].host);
            assert_int_equal(port, cases[i].port);
        }
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_is_read_and_written_as_rfc_5952_says),
        cmocka_unit_test(test_address_that_is_none_is_refused),
        cmocka_unit_test(test_address_random_ones_come_back_equal),
        cmocka_unit_test(test_address_any_is_no_address_of_a_peer),
        cmocka_unit_test(test_address_further_on_is_counted_over_32_bits),
        cmocka_unit_test(test_address_of_a_name_is_the_first_of_ipv4_else_the_first),
        cmocka_unit_test(test_address_that_is_half_written_is_no_name),
        cmocka_unit_test(test_address_is_split_from_its_port),
    };
    address_seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
