/* SPDX-License-Identifier: MIT */
/* The books of one connection against scripts of replies, and a seeded random one against a model
 * of one entry a request. A pass: each request in exactly one column, and in the right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_track.h"

#define DEPTH 8u
#define RING 64u
#define TIMEOUT_NS 1000u

typedef struct track_bed {
    uint64_t sent_ns[RING];
    rs_track track;
    rs_track_columns columns;
} track_bed;

static void bed_init(track_bed *bed) {
    memset(bed, 0, sizeof *bed);
    assert_int_equal(rs_track_ring(DEPTH), RING);
    rs_track_init(&bed->track, bed->sent_ns, RING);
}

static void bed_send(track_bed *bed, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        rs_track_send(&bed->track, 100u + bed->track.next, &bed->columns);
    }
}

/* A right reply, as the payload module would judge it; returns its request's time. */
static uint64_t bed_reply(track_bed *bed, uint64_t sequence) {
    const rs_payload_verdict verdict =
        sequence == bed->track.expected ? RS_PAYLOAD_EXPECTED : RS_PAYLOAD_OTHER;
    return rs_track_reply(&bed->track, verdict, &sequence, &bed->columns);
}

static void bed_wrong(track_bed *bed) {
    uint64_t sequence = bed->track.expected;
    assert_int_equal(rs_track_reply(&bed->track, RS_PAYLOAD_WRONG, &sequence, &bed->columns), 0);
}

static void assert_books_balance(const rs_track_columns *c) {
    assert_int_equal(c->sent, c->ok + c->reordered + c->taken_wrong + c->lost + c->abandoned +
                                  c->outstanding);
    assert_int_equal(c->received, c->ok + c->reordered + c->wrong + c->duplicated);
}

static void assert_columns(const track_bed *bed, uint64_t ok, uint64_t lost, uint64_t wrong,
                           uint64_t reordered, uint64_t duplicated) {
    assert_books_balance(&bed->columns);
    assert_int_equal(bed->columns.ok, ok);
    assert_int_equal(bed->columns.lost, lost);
    assert_int_equal(bed->columns.wrong, wrong);
    assert_int_equal(bed->columns.reordered, reordered);
    assert_int_equal(bed->columns.duplicated, duplicated);
}

static void test_track_replies_in_order_are_ok_and_give_their_send_time(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    for (uint32_t round = 0; round < 100; round++) {
        bed_send(&bed, DEPTH);
        for (uint64_t i = 0; i < DEPTH; i++) {
            const uint64_t sequence = (uint64_t)round * DEPTH + i;

            assert_int_equal(bed_reply(&bed, sequence), 100u + sequence);
        }
    }
    assert_columns(&bed, 100u * DEPTH, 0, 0, 0, 0);
    assert_int_equal(bed.columns.outstanding, 0);
}

static void test_track_damaged_reply_is_one_wrong_one(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 3);
    bed_reply(&bed, 0);
    bed_wrong(&bed);
    bed_reply(&bed, 2);
    assert_columns(&bed, 2, 0, 1, 0, 0);
    assert_int_equal(bed.columns.outstanding, 0);
    assert_false(rs_track_expire(&bed.track, UINT64_MAX, TIMEOUT_NS, &bed.columns));
    bed_send(&bed, 2);
    bed_wrong(&bed);
    bed_wrong(&bed);
    assert_false(rs_track_expire(&bed.track, UINT64_MAX, TIMEOUT_NS, &bed.columns));
    rs_track_end(&bed.track, false, &bed.columns);
    assert_columns(&bed, 2, 0, 3, 0, 0);
}

/* Twice the depth: what was overtaken stays known while the window is full. */
static void test_track_ring_holds_the_window_and_what_it_overtook(void **state) {
    static uint64_t sent_ns[4096];
    (void)state;
    for (uint32_t depth = 1; depth <= 1000; depth++) {
        const uint32_t ring = rs_track_ring(depth);
        rs_track_columns columns = {0};
        uint64_t sequence = depth - 1u;
        rs_track track;

        assert_true(ring >= 2u * depth && ring <= sizeof sent_ns / sizeof sent_ns[0]);
        memset(sent_ns, 0, sizeof sent_ns);
        rs_track_init(&track, sent_ns, ring);
        for (uint32_t i = 0; i < depth; i++) {
            rs_track_send(&track, 1, &columns);
        }
        assert_int_equal(rs_track_reply(&track, RS_PAYLOAD_OTHER, &sequence, &columns), 1);
        for (uint32_t i = 0; i < depth; i++) {
            rs_track_send(&track, 2, &columns);
        }
        assert_int_equal(columns.lost, 0);
        rs_track_end(&track, false, &columns);
        assert_int_equal(columns.lost, 2u * depth - 1u);
    }
}

static void test_track_dropped_reply_is_lost_at_the_end(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 3);
    bed_reply(&bed, 0);
    bed_reply(&bed, 2);
    assert_int_equal(bed.columns.outstanding, 1);
    rs_track_end(&bed.track, false, &bed.columns);
    assert_columns(&bed, 2, 1, 0, 0, 0);
}

static void test_track_dropped_reply_is_lost_after_the_timeout(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 2);
    bed_reply(&bed, 1);
    assert_false(rs_track_expire(&bed.track, 100u + TIMEOUT_NS - 1u, TIMEOUT_NS, &bed.columns));
    assert_columns(&bed, 1, 0, 0, 0, 0);
    assert_false(rs_track_expire(&bed.track, 100u + TIMEOUT_NS, TIMEOUT_NS, &bed.columns));
    assert_columns(&bed, 1, 1, 0, 0, 0);
}

static void test_track_dropped_reply_is_lost_once_its_place_is_needed(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 2);
    bed_reply(&bed, 1);
    for (uint64_t sequence = 2; sequence < RING; sequence++) {
        bed_send(&bed, 1);
        bed_reply(&bed, sequence);
    }
    assert_columns(&bed, RING - 1u, 0, 0, 0, 0);
    bed_send(&bed, 1);
    assert_columns(&bed, RING - 1u, 1, 0, 0, 0);
}

static void test_track_missing_next_reply_tells_that_the_connection_is_dead(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    assert_false(rs_track_expire(&bed.track, UINT64_MAX, TIMEOUT_NS, &bed.columns));
    bed_send(&bed, 1);
    assert_false(rs_track_expire(&bed.track, 100u + TIMEOUT_NS - 1u, TIMEOUT_NS, &bed.columns));
    assert_true(rs_track_expire(&bed.track, 100u + TIMEOUT_NS, TIMEOUT_NS, &bed.columns));
}

static void test_track_swapped_replies_are_one_reordered(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 3);
    assert_int_equal(bed_reply(&bed, 1), 101);
    assert_int_equal(bed_reply(&bed, 0), 100);
    bed_reply(&bed, 2);
    assert_columns(&bed, 2, 0, 0, 1, 0);
    assert_int_equal(bed.columns.outstanding, 0);
}

static void test_track_second_reply_is_duplicated(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 2);
    bed_reply(&bed, 0);
    assert_int_equal(bed_reply(&bed, 0), 0);
    bed_reply(&bed, 1);
    assert_columns(&bed, 2, 0, 0, 0, 1);
}

static void test_track_very_old_reply_is_duplicated(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    for (uint64_t sequence = 0; sequence < 3u * RING; sequence++) {
        bed_send(&bed, 1);
        bed_reply(&bed, sequence);
    }
    bed_send(&bed, 1);
    assert_int_equal(bed_reply(&bed, 0), 0);
    assert_columns(&bed, 3u * RING, 0, 0, 0, 1);
}

static void test_track_reply_nobody_asked_for_is_wrong(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    assert_int_equal(bed_reply(&bed, 0), 0);
    assert_int_equal(bed_reply(&bed, 5), 0);
    bed_wrong(&bed);
    assert_columns(&bed, 0, 0, 3, 0, 0);
}

static void test_track_our_own_break_abandons(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    bed_send(&bed, 5);
    bed_reply(&bed, 0);
    bed_reply(&bed, 3);
    rs_track_end(&bed.track, true, &bed.columns);
    assert_columns(&bed, 2, 0, 0, 0, 0);
    assert_int_equal(bed.columns.abandoned, 3);
    bed_send(&bed, 1); /* the next life */
    assert_int_equal(bed_reply(&bed, 5), 105);
}

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Model: for each request whether it was answered, and the highest one answered so far. */
static void test_track_random_replies_match_a_model(void **state) {
    enum { REQUESTS = 20000 };
    static uint8_t answered[REQUESTS];
    uint32_t seed = 20240229u;
    uint64_t ok = 0, reordered = 0, duplicated = 0, top = 0;
    track_bed bed;

    (void)state;
    (void)printf("seed %u\n", seed);
    bed_init(&bed);
    while (bed.track.next < REQUESTS) {
        uint64_t sequence;

        if (bed.columns.outstanding < DEPTH && bed.track.next - bed.track.expected < DEPTH) {
            bed_send(&bed, 1);
        }
        sequence = bed.track.next - 1u - next_random(&seed) % DEPTH;
        if (sequence >= bed.track.next) {
            continue; /* before the first */
        }
        bed_reply(&bed, sequence);
        if (answered[sequence]) {
            duplicated++;
        } else if (sequence < top) {
            reordered++;
        } else {
            ok++;
            top = sequence + 1u;
        }
        answered[sequence] = 1;
    }
    assert_books_balance(&bed.columns);
    assert_int_equal(bed.columns.ok, ok);
    assert_int_equal(bed.columns.reordered, reordered);
    assert_int_equal(bed.columns.duplicated, duplicated);
    rs_track_end(&bed.track, false, &bed.columns);
    assert_int_equal(bed.columns.lost, REQUESTS - ok - reordered);
}

/* Of five requests: two proven, of two one lost, one damaged. */
static void test_track_receipts_settle_the_oldest(void **state) {
    track_bed bed;
    (void)state;
    bed_init(&bed);
    for (uint32_t i = 0; i < 5; i++) {
        rs_track_send(&bed.track, 1 + i, &bed.columns);
    }
    rs_track_receipt(&bed.track, 2, 0, true, &bed.columns);
    assert_int_equal(bed.columns.ok, 2);
    rs_track_receipt(&bed.track, 2, 1, false, &bed.columns);
    assert_int_equal(bed.columns.lost, 1);
    assert_int_equal(bed.columns.wrong, 0);
    assert_int_equal(bed.columns.taken_wrong, 1);
    rs_track_receipt(&bed.track, 1, 0, false, &bed.columns);
    assert_int_equal(bed.columns.wrong, 1);
    assert_int_equal(bed.columns.received, 4);
    assert_int_equal(bed.columns.outstanding, 0);
    assert_int_equal(bed.track.expected, 5);
    rs_track_receipt(&bed.track, 0, 0, false, &bed.columns); /* that nobody asked for */
    assert_int_equal(bed.columns.wrong, 2);
    assert_books_balance(&bed.columns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_track_replies_in_order_are_ok_and_give_their_send_time),
        cmocka_unit_test(test_track_damaged_reply_is_one_wrong_one),
        cmocka_unit_test(test_track_ring_holds_the_window_and_what_it_overtook),
        cmocka_unit_test(test_track_dropped_reply_is_lost_at_the_end),
        cmocka_unit_test(test_track_dropped_reply_is_lost_after_the_timeout),
        cmocka_unit_test(test_track_dropped_reply_is_lost_once_its_place_is_needed),
        cmocka_unit_test(test_track_missing_next_reply_tells_that_the_connection_is_dead),
        cmocka_unit_test(test_track_swapped_replies_are_one_reordered),
        cmocka_unit_test(test_track_second_reply_is_duplicated),
        cmocka_unit_test(test_track_very_old_reply_is_duplicated),
        cmocka_unit_test(test_track_reply_nobody_asked_for_is_wrong),
        cmocka_unit_test(test_track_our_own_break_abandons),
        cmocka_unit_test(test_track_random_replies_match_a_model),
        cmocka_unit_test(test_track_receipts_settle_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
