/* The pool of one registration a request, against a model that says which node is busy with which
 * pages and which are registered. A pass: an id never serves two requests, its pages always hold
 * the slice, idle ones over the same pages are used again, and what is registered is deregistered
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rio/rio_regs.h"
#include "unit/random.h"

#define REQUESTS 12u
#define NODES 88u /* rs_rio_regs_nodes(REQUESTS) */
#define BUCKETS 16u
#define PAGE 4096u

static uint64_t seed;

typedef struct model {
    rs_rio_regs regs;
    rs_rio_reg nodes[NODES];
    uint32_t buckets[BUCKETS];
    bool registered[NODES];
    uint32_t held[REQUESTS]; /* node, or RS_RIO_REG_NONE */
} model;

static void model_init(model *m) {
    memset(m, 0, sizeof *m);
    assert_int_equal(rs_rio_regs_nodes(REQUESTS), NODES);
    rs_rio_regs_init(&m->regs, m->nodes, NODES, m->buckets, BUCKETS);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        m->held[i] = RS_RIO_REG_NONE;
    }
}

static rs_rio_reg_take model_take(model *m, uint16_t region, uintptr_t at, uint32_t bytes) {
    rs_rio_reg_take take = rs_rio_regs_take(&m->regs, region, (const void *)at, bytes);
    const rs_rio_reg *node = &m->nodes[take.node];
    assert_int_equal(take.deregister, take.register_it && m->registered[take.node]);
    assert_true(take.register_it || m->registered[take.node]);
    m->registered[take.node] = true;
    assert_true(node->first <= at && at + bytes <= node->first + node->bytes);
    assert_true(node->first % PAGE == 0 && node->bytes % PAGE == 0);
    assert_int_equal(node->region, region);
    return take;
}

static void test_regs_idle_registration_of_the_same_page_is_used_again(void **state) {
    model m;
    rs_rio_reg_take first, second;
    (void)state;
    model_init(&m);
    first = model_take(&m, 1, 10 * PAGE + 5, 100);
    assert_true(first.register_it);
    rs_rio_regs_give(&m.regs, first.node);
    second = model_take(&m, 1, 10 * PAGE + 700, 64);
    assert_false(second.register_it);
    assert_int_equal(second.node, first.node);
}

static void test_regs_busy_registration_is_not_shared(void **state) {
    model m;
    rs_rio_reg_take first, second;
    (void)state;
    model_init(&m);
    first = model_take(&m, 1, 10 * PAGE, 100);
    second = model_take(&m, 1, 10 * PAGE + 200, 100);
    assert_true(second.register_it);
    assert_int_not_equal(second.node, first.node);
    assert_int_equal(m.regs.busy_count, 2);
}

static void test_regs_longer_slice_from_the_same_page_needs_its_own(void **state) {
    model m;
    rs_rio_reg_take take;
    (void)state;
    model_init(&m);
    take = model_take(&m, 1, 10 * PAGE, PAGE);
    rs_rio_regs_give(&m.regs, take.node);
    take = model_take(&m, 1, 10 * PAGE, PAGE + 1);
    assert_true(take.register_it);
    assert_int_equal(m.nodes[take.node].bytes, 2 * PAGE);
    rs_rio_regs_give(&m.regs, take.node);
    assert_true(model_take(&m, 2, 10 * PAGE, 1).register_it); /* another region's id is not ours */
}

static void test_regs_failed_registration_is_not_used_again(void **state) {
    model m;
    rs_rio_reg_take take;
    (void)state;
    model_init(&m);
    take = model_take(&m, 1, 10 * PAGE, 100);
    rs_rio_regs_fail(&m.regs, take.node);
    m.registered[take.node] = false;
    assert_true(model_take(&m, 1, 10 * PAGE, 100).register_it);
}

/* When all nodes are registered, the one that has been idle for longest makes room. */
static void test_regs_idle_for_longest_is_evicted_first(void **state) {
    model m;
    rs_rio_reg_take take;
    (void)state;
    model_init(&m);
    for (uint32_t i = 0; i < NODES; i++) {
        rs_rio_regs_give(&m.regs, model_take(&m, 1, (i + 1) * PAGE, 8).node);
    }
    take = model_take(&m, 1, PAGE, 8); /* the first is used once more */
    assert_false(take.register_it);
    rs_rio_regs_give(&m.regs, take.node);
    rs_rio_regs_give(&m.regs, model_take(&m, 1, (NODES + 1u) * PAGE, 8).node);
    assert_int_equal(m.regs.evicted, 1);
    for (uint32_t i = 0; i < NODES + 1u; i++) {
        if (i != 1) { /* the second had to go */
            take = model_take(&m, 1, (i + 1) * PAGE, 8);
            assert_false(take.register_it);
            rs_rio_regs_give(&m.regs, take.node);
        }
    }
    assert_true(model_take(&m, 1, 2 * PAGE, 8).register_it);
}

static void test_regs_drop_finds_every_idle_registration_of_a_region_once(void **state) {
    model m;
    uint32_t cursor = 0, count = 0, at;
    (void)state;
    model_init(&m);
    for (uint32_t i = 0; i < 10; i++) {
        m.held[i] = model_take(&m, (uint16_t)(i % 2), (i + 1) * PAGE, 8).node;
    }
    for (uint32_t i = 0; i < 10; i++) {
        rs_rio_regs_give(&m.regs, m.held[i]);
    }
    while ((at = rs_rio_regs_drop(&m.regs, 1, &cursor)) != RS_RIO_REG_NONE) {
        assert_true(m.registered[at]);
        m.registered[at] = false;
        count++;
    }
    assert_int_equal(count, 5);
    assert_false(model_take(&m, 0, PAGE, 8).register_it); /* region 0 is untouched */
    assert_true(model_take(&m, 1, 2 * PAGE, 8).register_it);
}

static void test_regs_random_use_keeps_ids_apart_and_never_runs_dry(void **state) {
    test_random random = {.state = seed};
    model m;
    (void)state;
    model_init(&m);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t request = test_random_below(&random, REQUESTS);
        if (m.held[request] != RS_RIO_REG_NONE) {
            rs_rio_regs_give(&m.regs, m.held[request]);
            m.held[request] = RS_RIO_REG_NONE;
            continue;
        }
        m.held[request] = model_take(&m, (uint16_t)test_random_below(&random, 3),
                                     PAGE + test_random_below(&random, 200 * PAGE),
                                     1 + test_random_below(&random, 3 * PAGE))
                              .node;
        for (uint32_t k = 0; k < REQUESTS; k++) {
            assert_true(k == request || m.held[k] != m.held[request]);
        }
    }
    assert_true(m.regs.evicted > 1000); /* the walk was wide enough to need it */
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regs_idle_registration_of_the_same_page_is_used_again),
        cmocka_unit_test(test_regs_busy_registration_is_not_shared),
        cmocka_unit_test(test_regs_longer_slice_from_the_same_page_needs_its_own),
        cmocka_unit_test(test_regs_failed_registration_is_not_used_again),
        cmocka_unit_test(test_regs_idle_for_longest_is_evicted_first),
        cmocka_unit_test(test_regs_drop_finds_every_idle_registration_of_a_region_once),
        cmocka_unit_test(test_regs_random_use_keeps_ids_apart_and_never_runs_dry),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
