/* SPDX-License-Identifier: MIT */
/* The table of Windows error numbers, walked as a whole, then the codes that decide something,
 * each written out here a second time from the documentation. A pass is: no number twice, every
 * entry's class and status agree, and the written-out ones translate as they must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include <cmocka.h>

#include "win/win_error.h"

static void test_win_error_table_has_no_code_twice(void **state) {
    size_t count = 0;
    const rs_win_error *table = rs_win_error_table(&count);
    (void)state;
    assert_true(count > 60);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            assert_int_not_equal(table[i].code, table[j].code);
        }
    }
}

/* What each class may say to the layers above. */
static bool class_allows(rs_win_class class_of, rs_status status) {
    switch (class_of) {
    case RS_WIN_NONE:
        return status == RS_OK;
    case RS_WIN_AGAIN:
        return status == RS_E_OS; /* never RS_E_AGAIN: the call or request it is of has ended */
    case RS_WIN_PEER:
        return status == RS_E_RESET || status == RS_E_REFUSED || status == RS_E_TIMED_OUT ||
               status == RS_E_UNREACHABLE;
    case RS_WIN_LOCAL:
        return status == RS_E_ABORTED;
    case RS_WIN_BUG:
        return status == RS_E_INVALID;
    case RS_WIN_RESOURCES:
        return status == RS_E_NO_BUFFERS || status == RS_E_NO_MEMORY;
    case RS_WIN_FATAL:
        return status == RS_E_ACCESS || status == RS_E_UNSUPPORTED ||
               status == RS_E_ADDRESS_IN_USE || status == RS_E_ADDRESS;
    }
    return false;
}

static void test_win_error_class_and_status_agree(void **state) {
    size_t count = 0;
    const rs_win_error *table = rs_win_error_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        rs_win_error found = rs_win_error_find(table[i].code);
        if (!class_allows(table[i].class_of, table[i].status)) {
            print_error("code %u\n", table[i].code);
        }
        assert_true(class_allows(table[i].class_of, table[i].status));
        assert_int_equal(found.status, table[i].status);
        assert_int_equal(rs_win_error_status(table[i].code), table[i].status);
    }
}

/* A Win32 or Winsock number and the NTSTATUS of the same event mean the same. */
static void test_win_error_families_agree_on_one_event(void **state) {
    static const struct {
        uint32_t code, nt;
        rs_status status;
    } rows[] = {
        {10054, 0xC000020Du, RS_E_RESET},       {1225, 0xC0000236u, RS_E_REFUSED},
        {10061, 0xC0000236u, RS_E_REFUSED},     {995, 0xC0000120u, RS_E_ABORTED},
        {735, 0x8000000Au, RS_E_ABORTED},       {10055, 0xC000009Au, RS_E_NO_BUFFERS},
        {1450, 0xC000009Au, RS_E_NO_BUFFERS},   {10024, 0xC000011Fu, RS_E_NO_BUFFERS},
        {10060, 0xC00000B5u, RS_E_TIMED_OUT},   {1236, 0xC0000241u, RS_E_ABORTED},
        {10061, 0xC00000BCu, RS_E_REFUSED},     {10051, 0xC00000BEu, RS_E_UNREACHABLE},
        {10064, 0xC0000350u, RS_E_UNREACHABLE}, {1256, 0xC0000350u, RS_E_UNREACHABLE},
        {10055, 0xC0000209u, RS_E_NO_BUFFERS},  {995, 0xC000020Bu, RS_E_ABORTED},
        {64, 0xC00000C9u, RS_E_RESET},          {64, 0xC000020Du, RS_E_RESET},
        {10065, 0xC000023Du, RS_E_UNREACHABLE}, {997, 0x00000103u, RS_E_OS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(rs_win_error_status(rows[i].code), rows[i].status);
        assert_int_equal(rs_win_error_status(rows[i].nt), rows[i].status);
    }
}

static void test_win_error_listening_errors_are_told_apart(void **state) {
    (void)state;
    assert_int_equal(rs_win_error_status(10048), RS_E_ADDRESS_IN_USE);
    assert_int_equal(rs_win_error_status(10049), RS_E_ADDRESS);
    assert_int_equal(rs_win_error_status(10013), RS_E_ACCESS);
}

/* Winsock has one number for an abort by this side, NTSTATUS tells it apart; a connection that
 * nobody here closed and that ends with 10053 was given up by the network. */
static void test_win_error_abort_by_this_side_is_local(void **state) {
    (void)state;
    assert_int_equal(rs_win_error_find(0xC0000241u).class_of, RS_WIN_LOCAL);
    assert_int_equal(rs_win_error_find(0xC000013Bu).class_of, RS_WIN_LOCAL);
    assert_int_equal(rs_win_error_find(0xC000020Bu).class_of, RS_WIN_LOCAL);
    assert_int_equal(rs_win_error_find(10053).class_of, RS_WIN_PEER);
}

static void test_win_error_shortage_of_ports_is_of_resources(void **state) {
    (void)state;
    assert_int_equal(rs_win_error_find(0xC0000209u).class_of, RS_WIN_RESOURCES);
}

static void test_win_error_unknown_code_is_fatal(void **state) {
    rs_win_error found = rs_win_error_find(0xC0FFEE00u);
    (void)state;
    assert_int_equal(found.code, 0xC0FFEE00u);
    assert_int_equal(found.class_of, RS_WIN_FATAL);
    assert_int_equal(found.status, RS_E_OS);
}

static void test_win_error_zero_is_success(void **state) {
    (void)state;
    assert_int_equal(rs_win_error_find(0).class_of, RS_WIN_NONE);
    assert_int_equal(rs_win_error_status(0), RS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_win_error_table_has_no_code_twice),
        cmocka_unit_test(test_win_error_class_and_status_agree),
        cmocka_unit_test(test_win_error_families_agree_on_one_event),
        cmocka_unit_test(test_win_error_listening_errors_are_told_apart),
        cmocka_unit_test(test_win_error_abort_by_this_side_is_local),
        cmocka_unit_test(test_win_error_shortage_of_ports_is_of_resources),
        cmocka_unit_test(test_win_error_unknown_code_is_fatal),
        cmocka_unit_test(test_win_error_zero_is_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
