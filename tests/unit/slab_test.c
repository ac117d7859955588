/* SPDX-License-Identifier: MIT */
/* The slab against a model: an array that says which handle each block was given out with and how
 * often it is held. Random scripts of acquire, hold and drop; after every step counts and the life
 * of present and past handles agree, and each block's bytes are as its owner left them. */
#include "core/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "unit/child.h"
#include "unit/random.h"

#define BLOCKS 37u
#define BLOCK_BYTES 48u
#define PAST_MAX 512u
#define STEPS 100000u

typedef struct model {
    rs_slab slab;
    rs_slab_entry entries[BLOCKS];
    uint8_t memory[BLOCKS * BLOCK_BYTES];
    uint8_t *scattered[BLOCKS];
    rs_slice held[BLOCKS]; /* by block */
    uint32_t refs[BLOCKS];
    uint32_t held_count, held_most;
    rs_slice past[PAST_MAX]; /* handles that have died, the latest ones */
    uint32_t past_count;
} model;

static const char *self;
static uint64_t seed;

static model *model_make(bool scattered) {
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        m->scattered[i] = scattered ? malloc(BLOCK_BYTES) : NULL;
    }
    rs_slab_init(&m->slab, scattered ? NULL : m->memory, scattered ? m->scattered : NULL,
                 m->entries, BLOCK_BYTES, BLOCKS);
    return m;
}

static void model_free(model *m) {
    for (uint32_t i = 0; i < BLOCKS; i++) {
        free(m->scattered[i]);
    }
    free(m);
}

static void model_acquire(model *m) {
    rs_slice slice = {.index = 9999, .generation = 9999};
    const bool got = rs_slab_acquire(&m->slab, &slice);
    assert_int_equal(got, m->held_count < BLOCKS);
    if (!got) {
        assert_int_equal(slice.index, 9999);
        return;
    }
    assert_in_range(slice.index, 0, BLOCKS - 1);
    assert_int_not_equal(slice.generation, 0);
    assert_int_equal(m->refs[slice.index], 0);
    m->held[slice.index] = slice;
    m->refs[slice.index] = 1;
    m->held_count++;
    m->held_most = m->held_count > m->held_most ? m->held_count : m->held_most;
    memset(rs_slab_data(&m->slab, slice), (int)(slice.index + 1), BLOCK_BYTES);
}

static void check_bytes(const model *m, uint32_t block) {
    const uint8_t *data = rs_slab_data(&m->slab, m->held[block]);
    for (uint32_t i = 0; i < BLOCK_BYTES; i++) {
        assert_int_equal(data[i], block + 1);
    }
}

static void model_drop(model *m, uint32_t block) {
    check_bytes(m, block);
    rs_slab_release(&m->slab, m->held[block]);
    m->refs[block]--;
    if (m->refs[block] == 0) {
        m->held_count--;
        m->past[m->past_count++ % PAST_MAX] = m->held[block];
    }
}

static void model_check(const model *m) {
    assert_int_equal(m->slab.free_count, BLOCKS - m->held_count);
    assert_int_equal(m->slab.free_low, BLOCKS - m->held_most);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(rs_slab_is_live(&m->slab, m->held[i]), m->refs[i] > 0);
    }
}

static void model_check_past(const model *m) {
    const uint32_t count = m->past_count < PAST_MAX ? m->past_count : PAST_MAX;
    for (uint32_t i = 0; i < count; i++) {
        assert_false(rs_slab_is_live(&m->slab, m->past[i]));
    }
}

static void run_script(bool scattered) {
    test_random random = {seed + scattered};
    model *m = model_make(scattered);
    for (uint32_t step = 0; step < STEPS; step++) {
        /* The bias swings, so that the slab runs both full and empty. */
        const bool filling = step / 500u % 2u == 0;
        const uint32_t block = test_random_below(&random, BLOCKS);
        const uint32_t what = test_random_below(&random, 10);
        if (what < (filling ? 6u : 2u)) {
            model_acquire(m);
        } else if (m->refs[block] > 0 && what == 9) {
            rs_slab_hold(&m->slab, m->held[block]);
            m->refs[block]++;
        } else if (m->refs[block] > 0) {
            model_drop(m, block);
        }
        model_check(m);
        if (step % 97u == 0) {
            model_check_past(m);
        }
    }
    assert_int_equal(m->held_most, BLOCKS);
    assert_true(m->past_count > PAST_MAX);
    model_free(m);
}

static void test_slab_contiguous_follows_the_model(void **state) {
    (void)state;
    run_script(false);
}

static void test_slab_scattered_follows_the_model(void **state) {
    (void)state;
    run_script(true);
}

static void test_slab_contiguous_blocks_lie_side_by_side(void **state) {
    (void)state;
    model *m = model_make(false);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        rs_slice slice;
        assert_true(rs_slab_acquire(&m->slab, &slice));
        assert_ptr_equal(rs_slab_data(&m->slab, slice), m->memory + slice.index * BLOCK_BYTES);
    }
    model_free(m);
}

static void test_slab_block_freed_last_is_given_out_first(void **state) {
    (void)state;
    rs_slice a, b, again;
    model *m = model_make(false);
    assert_true(rs_slab_acquire(&m->slab, &a));
    assert_true(rs_slab_acquire(&m->slab, &b));
    rs_slab_release(&m->slab, a);
    assert_true(rs_slab_acquire(&m->slab, &again));
    assert_int_equal(again.index, a.index);
    assert_int_not_equal(again.generation, a.generation);
    assert_false(rs_slab_is_live(&m->slab, a));
    assert_true(rs_slab_is_live(&m->slab, again));
    assert_true(rs_slab_is_live(&m->slab, b));
    model_free(m);
}

static void test_slab_generation_at_its_end_skips_zero(void **state) {
    (void)state;
    rs_slice slice;
    model *m = model_make(false);
    m->entries[m->slab.free_head].generation = UINT32_MAX;
    assert_true(rs_slab_acquire(&m->slab, &slice));
    assert_int_equal(slice.generation, 1);
    model_free(m);
}

static void test_slab_handle_never_given_out_is_not_live(void **state) {
    (void)state;
    model *m = model_make(false);
    assert_false(rs_slab_is_live(&m->slab, (rs_slice){0, 0}));
    assert_false(rs_slab_is_live(&m->slab, (rs_slice){0, 1}));
    assert_false(rs_slab_is_live(&m->slab, (rs_slice){BLOCKS, 1}));
    assert_false(rs_slab_is_live(&m->slab, (rs_slice){UINT32_MAX, UINT32_MAX}));
    model_free(m);
}

/* Whether a block is lent is a matter of one use of it: whatever the free list looked like. */
static void test_slab_lent_until_taken_back_or_freed(void **state) {
    (void)state;
    model *m = model_make(false);
    rs_slice slice[BLOCKS];
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < BLOCKS; i++) {
            assert_true(rs_slab_acquire(&m->slab, &slice[i]));
            assert_false(rs_slab_is_lent(&m->slab, slice[i]));
            rs_slab_lend(&m->slab, slice[i]);
            assert_true(rs_slab_is_lent(&m->slab, slice[i]));
        }
        assert_false(rs_slab_is_lent(&m->slab, (rs_slice){slice[0].index, 0}));
        assert_false(rs_slab_is_lent(&m->slab, (rs_slice){BLOCKS, 1}));
        for (uint32_t i = 0; i < BLOCKS; i++) {
            if (i % 2 == round % 2) {
                rs_slab_return(&m->slab, slice[i]);
                assert_false(rs_slab_is_lent(&m->slab, slice[i]));
                assert_true(rs_slab_is_live(&m->slab, slice[i]));
            }
            rs_slab_release(&m->slab, slice[i]);
            assert_false(rs_slab_is_lent(&m->slab, slice[i]));
        }
    }
    assert_int_equal(m->slab.free_count, BLOCKS);
    model_free(m);
}

static void test_slab_use_of_a_stale_handle_is_asserted(void **state) {
    (void)state;
    static const char *const cases[] = {"hold", "drop", "data"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const child_result result = child_run(self, cases[i]);
        assert_true(child_asserted(&result, "rs_slab_is_live"));
    }
}

static int run_child(const char *name) {
    static uint8_t memory[4 * BLOCK_BYTES];
    static rs_slab_entry entries[4];
    rs_slab slab;
    rs_slice stale, present;
    rs_slab_init(&slab, memory, NULL, entries, BLOCK_BYTES, 4);
    if (!rs_slab_acquire(&slab, &stale)) {
        return 0;
    }
    rs_slab_release(&slab, stale);
    if (!rs_slab_acquire(&slab, &present) || present.index != stale.index) {
        return 0;
    }
    if (strcmp(name, "hold") == 0) {
        rs_slab_hold(&slab, stale);
    } else if (strcmp(name, "drop") == 0) {
        rs_slab_release(&slab, stale);
    } else {
        (void)rs_slab_data(&slab, stale);
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *name = child_case(argc, argv);
    if (name != NULL) {
        return run_child(name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slab_contiguous_follows_the_model),
        cmocka_unit_test(test_slab_scattered_follows_the_model),
        cmocka_unit_test(test_slab_contiguous_blocks_lie_side_by_side),
        cmocka_unit_test(test_slab_block_freed_last_is_given_out_first),
        cmocka_unit_test(test_slab_generation_at_its_end_skips_zero),
        cmocka_unit_test(test_slab_handle_never_given_out_is_not_live),
        cmocka_unit_test(test_slab_lent_until_taken_back_or_freed),
        cmocka_unit_test(test_slab_use_of_a_stale_handle_is_asserted),
    };
    self = argv[0];
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
