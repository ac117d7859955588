/* SPDX-License-Identifier: MIT */
/* The ready ring against counting: records are numbered in their tag, pushed and popped in random
 * steps; they come out in order, once each. One push too many, or one taken from an empty ring,
 * must end the process (in a child). */
#include "seam/ready_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/child.h"

#define CAPACITY 37u
#define STEPS 100000u

static const char *self;

static void push_number(rs_ready_ring *ring, uint64_t number) {
    *rs_ready_next(ring) = (rs_completion){.kind = RS_OP_SEND, .tag = number};
}

static void test_ready_ring_random_pushes_and_pops_keep_order(void **state) {
    rs_completion records[CAPACITY];
    rs_ready_ring ring;
    uint64_t in = 0, back = 0;
    uint32_t random = 12345u;
    (void)state;
    rs_ready_init(&ring, records, CAPACITY);
    for (uint32_t step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        uint32_t room = CAPACITY - ring.count, cap = (random >> 8) % (CAPACITY + 1u);
        for (uint32_t i = 0; i < (random >> 20) % (room + 1u); i++) {
            push_number(&ring, in++);
        }
        for (uint32_t i = 0; i < cap && ring.count > 0; i++) {
            assert_int_equal(rs_ready_take(&ring)->tag, back++);
        }
        assert_int_equal(ring.count, in - back);
    }
    assert_true(back > STEPS);
}

static void test_ready_ring_emptied_starts_over_at_its_first_record(void **state) {
    rs_completion records[CAPACITY];
    rs_ready_ring ring;
    (void)state;
    rs_ready_init(&ring, records, CAPACITY);
    push_number(&ring, 1);
    push_number(&ring, 2);
    assert_int_equal(rs_ready_take(&ring)->tag, 1);
    assert_int_equal(ring.head, 1);
    assert_int_equal(rs_ready_take(&ring)->tag, 2);
    assert_int_equal(ring.head, 0);
    assert_int_equal(ring.count, 0);
}

static void test_ready_ring_full_takes_exactly_its_capacity(void **state) {
    rs_completion records[CAPACITY];
    rs_ready_ring ring;
    (void)state;
    rs_ready_init(&ring, records, CAPACITY);
    for (uint64_t i = 0; i < CAPACITY; i++) {
        push_number(&ring, i);
    }
    for (uint64_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(rs_ready_take(&ring)->tag, i);
    }
    assert_int_equal(ring.count, 0);
}

static void run_child(const char *name) {
    rs_completion records[2];
    rs_ready_ring ring;
    rs_ready_init(&ring, records, 2);
    if (strcmp(name, "empty") == 0) {
        (void)rs_ready_take(&ring);
    }
    for (uint64_t i = 0; i < 3u; i++) {
        push_number(&ring, i);
    }
}

static void test_ready_ring_overflow_and_underflow_stop_the_process(void **state) {
    child_result result = child_run(self, "overflow");
    (void)state;
    assert_true(child_asserted(&result, "ring->count < ring->capacity"));
    result = child_run(self, "empty");
    assert_true(child_asserted(&result, "ring->count > 0"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_ring_random_pushes_and_pops_keep_order),
        cmocka_unit_test(test_ready_ring_emptied_starts_over_at_its_first_record),
        cmocka_unit_test(test_ready_ring_full_takes_exactly_its_capacity),
        cmocka_unit_test(test_ready_ring_overflow_and_underflow_stop_the_process),
    };
    const char *name = child_case(argc, argv);
    self = argv[0];
    if (name != NULL) {
        run_child(name);
        return 0;
    }
    return cmocka_run_group_tests_name("ready_ring", tests, NULL, NULL);
}
