/* SPDX-License-Identifier: MIT */
/* The send queue against a plain byte array as model: a seeded script of appends, posts and
 * completions; a pass is the same bytes in the same order, and every block and entry back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sendq.h"

#define BLOCKS 8u
#define BLOCK_BYTES 16u
#define SHARED_ENTRIES 10u
#define ENTRIES (BLOCKS + SHARED_ENTRIES)
#define QUEUED_MAX 100u
#define RESERVE 2u
#define KEPT 2u /* for broadcasts, where not all that is common is */

typedef struct queue_bed {
    uint8_t memory[BLOCKS * BLOCK_BYTES];
    rs_slab_entry slab_entries[BLOCKS];
    rs_slab slab;
    rs_sendq_entry entries[ENTRIES];
    rs_sendq_pool pool;
    rs_sendq queue;
} queue_bed;

static bool nobody_to_cut(void *ctx, const rs_sendq *asker) {
    (void)ctx;
    (void)asker;
    return false;
}

static void queue_bed_init(queue_bed *b, bool coalesce) {
    rs_slab_init(&b->slab, b->memory, NULL, b->slab_entries, BLOCK_BYTES, BLOCKS);
    rs_sendq_pool_init(&b->pool, &(rs_sendq_config){.blocks = &b->slab,
                                                    .entries = b->entries,
                                                    .entry_count = ENTRIES,
                                                    .members = 1,
                                                    .queued_bytes_max = QUEUED_MAX,
                                                    .reserve = RESERVE,
                                                    .shared_max = BLOCKS - RESERVE,
                                                    .coalesce = coalesce,
                                                    .reclaim = nobody_to_cut});
    rs_sendq_init(&b->queue);
    assert_true(rs_sendq_join(&b->pool, &b->queue));
}

/* As a session does: asks only when it must. */
static rs_status append(queue_bed *b, const uint8_t *data, uint32_t bytes) {
    uint8_t *to;
    if (!rs_sendq_extend(&b->queue, bytes, &to)) {
        return rs_sendq_append(&b->pool, &b->queue, data, bytes);
    }
    memcpy(to, data, bytes);
    return RS_OK;
}

static uint32_t complete(queue_bed *b) {
    uint64_t posted_ns;
    return rs_sendq_complete(&b->pool, &b->queue, &posted_ns);
}

static void assert_all_back(queue_bed *b) {
    rs_sendq_leave(&b->pool, &b->queue);
    assert_true(rs_sendq_is_empty(&b->queue));
    assert_int_equal(rs_sendq_bytes(&b->pool, &b->queue), 0);
    assert_int_equal(b->queue.in_flight, 0);
    assert_int_equal(b->slab.free_count, BLOCKS);
    assert_int_equal(b->queue.owned, 0);
    assert_int_equal(b->queue.shared, 0);
    assert_int_equal(b->pool.spoken_for, 0);
    assert_int_equal(b->pool.shared_live, 0);
    assert_null(b->pool.above_first);
}

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Model: what was queued, byte by byte, and how much of it has been completed. */
static void run_script(uint32_t seed, bool coalesce) {
    static uint8_t model[200000];
    queue_bed b;
    uint32_t queued = 0, completed = 0, posted = 0;
    queue_bed_init(&b, coalesce);
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t choice = next_random(&seed) % 3;
        if (choice == 0) {
            uint32_t bytes = 1 + next_random(&seed) % 40;
            for (uint32_t i = 0; i < bytes; i++) {
                model[queued + i] = (uint8_t)(next_random(&seed));
            }
            uint32_t blocks_before = b.slab.free_count;
            rs_status status = append(&b, model + queued, bytes);
            if (status == RS_OK) {
                queued += bytes;
            } else if (status == RS_E_FULL) {
                assert_true(queued - completed + bytes > QUEUED_MAX);
                assert_int_equal(b.slab.free_count, blocks_before);
            } else {
                assert_int_equal(status, RS_E_NO_BUFFERS);
                assert_int_equal(rs_sendq_bytes(&b.pool, &b.queue),
                                 queued - completed); /* all or nothing */
            }
        } else if (choice == 1) {
            if (b.queue.unsent_bytes > 0) {
                rs_sendq_entry *entry = rs_sendq_post(&b.pool, &b.queue, step);
                assert_memory_equal(rs_slab_data(&b.slab, entry->slice), model + posted,
                                    entry->bytes);
                posted += entry->bytes;
            } else {
                assert_int_equal(posted, queued);
            }
        } else if (b.queue.in_flight > 0) {
            completed += complete(&b);
        }
        assert_int_equal(rs_sendq_bytes(&b.pool, &b.queue), queued - completed);
    }
    rs_sendq_discard(&b.pool, &b.queue);
    while (b.queue.in_flight > 0) {
        completed += complete(&b);
    }
    assert_int_equal(completed, posted);
    rs_sendq_discard(&b.pool, &b.queue); /* the block it may have kept */
    assert_all_back(&b);
}

static void test_sendq_random_scripts_keep_bytes_and_order(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        run_script(seed, seed % 2 == 0);
    }
}

static void test_sendq_append_never_touches_what_is_in_flight(void **state) {
    queue_bed b;
    rs_sendq_entry *entry;
    uint8_t before[BLOCK_BYTES];
    (void)state;
    queue_bed_init(&b, true);
    assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"abc", 3), RS_OK);
    entry = rs_sendq_post(&b.pool, &b.queue, 0);
    memcpy(before, rs_slab_data(&b.slab, entry->slice), BLOCK_BYTES);
    assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"def", 3), RS_OK);
    assert_memory_equal(before, rs_slab_data(&b.slab, entry->slice), BLOCK_BYTES);
    assert_int_equal(entry->bytes, 3);
    (void)complete(&b);
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

static void test_sendq_discard_keeps_what_is_in_flight(void **state) {
    queue_bed b;
    (void)state;
    queue_bed_init(&b, false);
    b.pool.shared_max = KEPT;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"abcd", 4), RS_OK);
    }
    (void)rs_sendq_post(&b.pool, &b.queue, 7);
    (void)rs_sendq_post(&b.pool, &b.queue, 9);
    rs_sendq_discard(&b.pool, &b.queue);
    assert_int_equal(rs_sendq_bytes(&b.pool, &b.queue), 8);
    assert_int_equal(b.slab.free_count, BLOCKS - 2);
    assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"e", 1), RS_OK);
    for (uint64_t expected = 7; expected <= 9; expected += 2) {
        uint64_t posted_ns = 0;
        assert_int_equal(rs_sendq_complete(&b.pool, &b.queue, &posted_ns), 4);
        assert_int_equal(posted_ns, expected);
    }
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

/* A frame for many, of `bytes`, all of them `fill`; its block is the caller's. */
static rs_slice shared_frame(queue_bed *b, uint8_t fill) {
    rs_slice shared;
    assert_true(rs_sendq_shared_acquire(&b->pool, &shared));
    memset(rs_slab_data(&b->slab, shared), fill, BLOCK_BYTES);
    return shared;
}

static void test_sendq_shared_entries_run_out_and_frames_are_copied(void **state) {
    queue_bed b;
    rs_slice shared;
    (void)state;
    queue_bed_init(&b, true);
    shared = shared_frame(&b, 's');
    /* One byte of the same frame again and again, each with the kernel before the next. */
    for (uint32_t i = 0; i < QUEUED_MAX; i++) {
        assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 1), RS_OK);
        if (i < SHARED_ENTRIES) {
            (void)rs_sendq_post(&b.pool, &b.queue, 0);
        }
    }
    assert_int_equal(b.queue.shared, SHARED_ENTRIES);
    assert_int_equal(b.queue.owned, (QUEUED_MAX - SHARED_ENTRIES + BLOCK_BYTES - 1) / BLOCK_BYTES);
    assert_int_equal(b.pool.shared_copied_bytes, QUEUED_MAX - SHARED_ENTRIES);
    assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 1), RS_E_FULL);
    rs_sendq_discard(&b.pool, &b.queue);
    for (uint32_t i = 0; i < SHARED_ENTRIES; i++) {
        (void)complete(&b);
    }
    rs_sendq_shared_release(&b.pool, shared);
    assert_all_back(&b);
}

/* The first waits where it is; those behind it would each be a send of their own. */
static void test_sendq_small_frames_apart_gather_behind_the_first(void **state) {
    queue_bed b;
    const rs_sendq_entry *entry;
    (void)state;
    queue_bed_init(&b, true);
    for (uint8_t i = 0; i < 5; i++) {
        rs_slice elsewhere = shared_frame(&b, '-'); /* one that goes to somebody else */
        rs_slice shared = shared_frame(&b, (uint8_t)('a' + i));
        assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 1), RS_OK);
        rs_sendq_shared_release(&b.pool, shared);
        b.pool.pack_used++; /* ... lies between this one and the next */
        rs_sendq_shared_release(&b.pool, elsewhere);
    }
    assert_int_equal(b.queue.shared, 1);
    assert_int_equal(b.queue.owned, 1);
    assert_int_equal(b.pool.shared_copied_bytes, 4);
    entry = rs_sendq_post(&b.pool, &b.queue, 0);
    assert_int_equal(entry->bytes, 1);
    assert_int_equal(entry->data[0], 'a');
    entry = rs_sendq_post(&b.pool, &b.queue, 0);
    assert_int_equal(entry->bytes, 4);
    assert_memory_equal(entry->data, "bcde", 4);
    (void)complete(&b);
    (void)complete(&b);
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

/* A queue that has used its reserve links each frame where it lies, and takes nobody's block. */
static void test_sendq_frames_gather_in_the_reserve_alone(void **state) {
    queue_bed b;
    rs_slice shared;
    (void)state;
    queue_bed_init(&b, true);
    for (uint32_t i = 0; i < RESERVE; i++) {
        for (uint32_t byte = 0; byte < BLOCK_BYTES; byte++) {
            assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"r", 1), RS_OK);
        }
    }
    assert_int_equal(b.queue.owned, RESERVE);
    shared = shared_frame(&b, 's');
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 1), RS_OK);
    }
    assert_int_equal(b.queue.owned, RESERVE);
    assert_int_equal(b.queue.shared, 3);
    rs_sendq_shared_release(&b.pool, shared);
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

static void test_sendq_small_frames_for_many_lie_behind_each_other(void **state) {
    static const uint8_t expected[6] = {'a', 'a', 'a', 'b', 'b', 'b'};
    queue_bed b;
    rs_sendq_entry *entry = NULL;
    (void)state;
    queue_bed_init(&b, true);
    for (uint8_t fill = 'a'; fill <= 'c'; fill++) {
        rs_slice shared = shared_frame(&b, fill);
        assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 3), RS_OK);
        rs_sendq_shared_release(&b.pool, shared);
        if (fill == 'b') {
            assert_int_equal(b.queue.shared, 1);
            entry = rs_sendq_post(&b.pool, &b.queue, 1);
            assert_int_equal(entry->bytes, 6);
            assert_memory_equal(entry->data, expected, 6);
        }
    }
    assert_int_equal(entry->bytes, 6); /* it is with the kernel: the third goes by itself */
    assert_int_equal(b.queue.shared, 2);
    assert_int_equal(b.slab.free_count, BLOCKS - 1);
    (void)complete(&b);
    assert_int_equal(b.slab.free_count, BLOCKS - 1);
    (void)rs_sendq_post(&b.pool, &b.queue, 1);
    (void)complete(&b);
    assert_all_back(&b);
}

static void test_sendq_frame_that_nobody_took_leaves_no_block(void **state) {
    queue_bed b;
    rs_slice shared;
    (void)state;
    queue_bed_init(&b, true);
    for (uint32_t i = 0; i < QUEUED_MAX / 4; i++) {
        assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"full", 4), RS_OK);
    }
    shared = shared_frame(&b, 'x');
    assert_int_equal(rs_sendq_append_shared(&b.pool, &b.queue, shared, 3), RS_E_FULL);
    rs_sendq_shared_release(&b.pool, shared);
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

static void test_sendq_broadcasts_never_touch_a_reserve(void **state) {
    queue_bed b;
    rs_slice shared[BLOCKS];
    uint32_t count = 0;
    (void)state;
    queue_bed_init(&b, true);
    while (count < BLOCKS && rs_sendq_shared_acquire(&b.pool, &shared[count])) {
        count++;
    }
    assert_int_equal(count, BLOCKS - RESERVE);
    for (uint32_t i = 0; i < RESERVE * BLOCK_BYTES / 4; i++) {
        assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"mine", 4), RS_OK);
    }
    assert_int_equal(rs_sendq_append(&b.pool, &b.queue, (const uint8_t *)"!", 1), RS_E_NO_BUFFERS);
    while (count > 0) {
        rs_sendq_shared_release(&b.pool, shared[--count]);
    }
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

static void test_sendq_refused_send_leaves_its_elders_in_flight(void **state) {
    queue_bed b;
    rs_sendq_entry *entry[3];
    (void)state;
    for (uint32_t refused = 0; refused < 3; refused++) {
        queue_bed_init(&b, false);
        for (uint32_t i = 0; i < 3; i++) {
            const uint8_t byte = (uint8_t)i;
            assert_int_equal(rs_sendq_append(&b.pool, &b.queue, &byte, 1), RS_OK);
            entry[i] = rs_sendq_post(&b.pool, &b.queue, 0);
        }
        rs_sendq_refuse(&b.pool, &b.queue, entry[refused]->data, 1);
        assert_int_equal(b.queue.in_flight, 2);
        assert_int_equal(rs_sendq_bytes(&b.pool, &b.queue), 2);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(rs_slab_is_live(&b.slab, entry[i]->slice), i != refused);
        }
        (void)complete(&b);
        (void)complete(&b);
        rs_sendq_discard(&b.pool, &b.queue);
        assert_all_back(&b);
    }
}

/* A block for each append while there are blocks that are kept for nobody; then the last is filled,
 * and nothing is lost. */
static void test_sendq_without_coalescing_the_last_block_is_filled(void **state) {
    queue_bed b;
    uint8_t got[BLOCKS + 10];
    uint32_t bytes = 0;
    (void)state;
    queue_bed_init(&b, false);
    b.pool.shared_max = KEPT;
    for (uint8_t i = 0; i < sizeof got; i++) {
        assert_int_equal(rs_sendq_append(&b.pool, &b.queue, &i, 1), RS_OK);
        assert_int_equal(b.slab.free_count, i < BLOCKS - KEPT ? BLOCKS - 1u - i : KEPT);
    }
    while (b.queue.unsent_bytes > 0) {
        const rs_sendq_entry *entry = rs_sendq_post(&b.pool, &b.queue, 0);
        assert_int_equal(entry->bytes, bytes < BLOCKS - KEPT - 1u ? 1 : sizeof got - bytes);
        memcpy(got + bytes, entry->data, entry->bytes);
        bytes += entry->bytes;
    }
    assert_int_equal(bytes, sizeof got);
    for (uint8_t i = 0; i < sizeof got; i++) {
        assert_int_equal(got[i], i);
    }
    while (b.queue.in_flight > 0) {
        (void)complete(&b);
    }
    rs_sendq_discard(&b.pool, &b.queue);
    assert_all_back(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sendq_without_coalescing_the_last_block_is_filled),
        cmocka_unit_test(test_sendq_random_scripts_keep_bytes_and_order),
        cmocka_unit_test(test_sendq_append_never_touches_what_is_in_flight),
        cmocka_unit_test(test_sendq_discard_keeps_what_is_in_flight),
        cmocka_unit_test(test_sendq_shared_entries_run_out_and_frames_are_copied),
        cmocka_unit_test(test_sendq_small_frames_for_many_lie_behind_each_other),
        cmocka_unit_test(test_sendq_small_frames_apart_gather_behind_the_first),
        cmocka_unit_test(test_sendq_frames_gather_in_the_reserve_alone),
        cmocka_unit_test(test_sendq_frame_that_nobody_took_leaves_no_block),
        cmocka_unit_test(test_sendq_broadcasts_never_touch_a_reserve),
        cmocka_unit_test(test_sendq_refused_send_leaves_its_elders_in_flight),
    };
    return cmocka_run_group_tests_name("sendq", tests, NULL, NULL);
}
