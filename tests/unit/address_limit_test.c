/* SPDX-License-Identifier: MIT */
/* The limit of connections an address: which addresses count together, that a count falls again,
 * that the table stays bounded however many addresses come and go, and that ends on other threads
 * lose no count. A pass: who may enter and who not, as counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seam/atomics.h"
#include "seam/os.h"
#include "server/address_limit.h"

#define THREADS 3u
#define HANDED 2000u
#define RING 64u

static rs_address_limit *limit;

static void limit_open(uint32_t max, uint32_t connections) {
    rs_error error;
    assert_int_equal(rs_address_limit_open(&limit, max, connections, &error), RS_OK);
}

static rs_addr addr_of(const char *text, uint16_t port) {
    rs_addr addr;
    assert_true(rs_addr_parse(text, &addr));
    addr.port = port;
    return addr;
}

/* Its ticket; 0: refused. */
static uint32_t enter(const char *text) {
    static uint16_t port;
    const rs_addr addr = addr_of(text, ++port);
    uint32_t ticket = 99;
    const bool entered = rs_address_limit_enter(limit, &addr, &ticket);
    assert_true(entered == (ticket != 0));
    return ticket;
}

static void test_limit_counts_an_address_whatever_its_port(void **state) {
    uint32_t first;
    (void)state;
    limit_open(2, 10);
    first = enter("10.0.0.1");
    assert_true(first != 0 && enter("10.0.0.1") != 0);
    assert_int_equal(enter("10.0.0.1"), 0);
    assert_true(enter("10.0.0.2") != 0);
    rs_address_limit_leave(limit, first);
    assert_true(enter("10.0.0.1") != 0);
    assert_int_equal(enter("10.0.0.1"), 0);
    assert_int_equal(rs_address_limit_entered(limit), 3);
    rs_address_limit_close(limit);
}

/* Pairs that count together, and pairs that do not. */
static void test_limit_counts_ipv6_by_64_bits(void **state) {
    static const struct {
        const char *a, *b;
        bool together;
    } pairs[] = {
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"10.0.0.1", "::ffff:10.0.0.1", true},
        {"10.0.0.1", "::ffff:10.0.0.2", false},
        {"10.0.0.1", "::a00:1", false},
        {"fe80::1%2", "fe80::1%2", true},
        {"fe80::1%2", "fe80::2%2", false},
        {"fe80::1%2", "fe80::1%3", false},
        {"fe80::1%2", "febf::1%2", false},
        {"fec0::1", "fec0::2", true},
        {"::1", "::1", true},
        {"::1", "127.0.0.1", false},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        limit_open(1, 4);
        assert_true(enter(pairs[i].a) != 0);
        if ((enter(pairs[i].b) == 0) != pairs[i].together) {
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
        }
        rs_address_limit_close(limit);
    }
}

static void test_limit_does_not_count_who_is_unknown(void **state) {
    const rs_addr unknown[] = {{.port = 0}, {.family = RS_ADDR_V6, .port = 7}};
    (void)state;
    limit_open(1, 1);
    for (uint32_t i = 0; i < 8u; i++) {
        uint32_t ticket = 99;
        assert_true(rs_address_limit_enter(limit, &unknown[i % 2u], &ticket));
        assert_int_equal(ticket, 0);
    }
    assert_int_equal(rs_address_limit_entered(limit), 0);
    rs_address_limit_close(limit);
}

/* As many addresses at once as were said, replaced one by one by many more. */
static void test_limit_table_is_bounded_and_forgets(void **state) {
    enum { LIVE = 100 };
    uint32_t ticket[LIVE] = {0};
    (void)state;
    limit_open(1, LIVE);
    for (uint32_t i = 0; i < LIVE * 200u; i++) {
        const rs_addr addr = {.ip = 0x0A000000u + i};
        uint32_t again;
        if (i >= LIVE) {
            rs_address_limit_leave(limit, ticket[i % LIVE]);
        }
        assert_true(rs_address_limit_enter(limit, &addr, &ticket[i % LIVE]));
        assert_false(rs_address_limit_enter(limit, &addr, &again));
        assert_true(ticket[i % LIVE] <= LIVE + LIVE / 4u + 1u);
    }
    assert_int_equal(rs_address_limit_entered(limit), LIVE);
    for (uint32_t i = 0; i < LIVE; i++) {
        rs_address_limit_leave(limit, ticket[i]);
    }
    assert_int_equal(rs_address_limit_entered(limit), 0);
    rs_address_limit_close(limit);
}

/* ---- ends on other threads */

typedef struct leaver {
    rs_atomic_u32 ticket[RING]; /* 0: the place is free */
    rs_os_thread *thread;
} leaver;

static leaver leavers[THREADS];

static void leaver_main(void *arg) {
    leaver *self = arg;
    for (uint32_t i = 0; i < HANDED; i++) {
        uint32_t ticket;
        while ((ticket = rs_atomic_exchange_u32(&self->ticket[i % RING], 0)) == 0) {
            rs_os_relax();
        }
        rs_address_limit_leave(limit, ticket);
    }
}

/* Each thread ends connections of the same few addresses while others come: all may enter, because
 * no more are there at once than may be, and nothing is left of them. */
static void test_limit_ends_on_other_threads(void **state) {
    rs_error error;
    (void)state;
    limit_open(THREADS * (RING + 1u), THREADS * (RING + 1u));
    for (uint32_t t = 0; t < THREADS; t++) {
        assert_int_equal(rs_os_thread_start(&leavers[t].thread, leaver_main, &leavers[t], &error),
                         RS_OK);
    }
    for (uint32_t i = 0; i < HANDED; i++) {
        for (uint32_t t = 0; t < THREADS; t++) {
            const rs_addr addr = {.ip = 0x0A000001u + (i + t) % 5u};
            uint32_t ticket;
            while (rs_atomic_load_u32(&leavers[t].ticket[i % RING]) != 0) {
                rs_os_relax();
            }
            assert_true(rs_address_limit_enter(limit, &addr, &ticket));
            rs_atomic_store_u32(&leavers[t].ticket[i % RING], ticket);
        }
    }
    for (uint32_t t = 0; t < THREADS; t++) {
        rs_os_thread_join(leavers[t].thread);
    }
    assert_int_equal(rs_address_limit_entered(limit), 0);
    rs_address_limit_close(limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_counts_an_address_whatever_its_port),
        cmocka_unit_test(test_limit_counts_ipv6_by_64_bits),
        cmocka_unit_test(test_limit_does_not_count_who_is_unknown),
        cmocka_unit_test(test_limit_table_is_bounded_and_forgets),
        cmocka_unit_test(test_limit_ends_on_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
