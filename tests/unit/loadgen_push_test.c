/* SPDX-License-Identifier: MIT */
/* Sums and receipts of pushed messages. A pass: a receipt is right exactly if the server, played
 * here by the words of asked_wire.h, had every message once, in order and unchanged; and a window
 * is never stuck for want of a receipt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_push.h"
#include "random.h"

#define FRAMES 40u
#define STEPS 3000u

static uint64_t seed;
static rs_payload payload;
static uint8_t frame[FRAMES][512];
static uint32_t frame_bytes[FRAMES];

/* Messages [0, count) of connection 3 and what asks for their receipt; the bytes of that to ask. */
static void push_all(rs_push *push, uint32_t count, bool sum, uint8_t ask[RS_PUSH_ASK_BYTES]) {
    const rs_sizes none = rs_sizes_one(0);
    rs_sizes sizes;
    assert_null(rs_sizes_parse(&sizes, "17..300", 3, RS_FRAME_BYTES_MAX));
    rs_payload_init(&payload, 1, &sizes, &none);
    assert_int_equal(rs_payload_reply_max(&payload), 11);
    *push = (rs_push){.count = 0};
    for (uint32_t i = 0; i < count; i++) {
        frame_bytes[i] = rs_payload_build(&payload, 3, i, frame[i]);
        assert_int_equal(frame[i][2], 2);
        assert_true(rs_asked_is_pushed(frame[i], frame_bytes[i]));
        assert_int_equal(rs_asked_bytes(frame[i], frame_bytes[i]), 0);
        rs_push_add(push, frame[i], frame_bytes[i], sum);
    }
    assert_int_equal(rs_push_ask(push, 3, count, sum, ask), 15);
    assert_int_equal(ask[0] | ask[1] << 8, 15);
    assert_int_equal(ask[2], 3);
}

static void take(rs_push push, uint64_t word, bool sum, rs_push_receipt *out) {
    uint8_t reply[RS_RECEIPT_BYTES] = {11, 0, 3};
    for (uint32_t i = 0; i < 8; i++) {
        reply[3 + i] = (uint8_t)(word >> (8u * i));
    }
    rs_push_take(&push, reply, sizeof reply, sum, out);
    assert_true(out->is_receipt);
    assert_int_equal(push.count, 0);
}

/* The server's word after messages [from, to). */
static uint64_t served(uint64_t word, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        word = rs_sum_add(word, frame[i] + 5, frame_bytes[i] - 5u);
    }
    return word;
}

static void test_push_receipt_of_all_is_right(void **state) {
    uint8_t ask[RS_PUSH_ASK_BYTES];
    rs_push_receipt receipt;
    rs_push push;
    uint64_t word, bytes = 0;
    (void)state;
    push_all(&push, FRAMES, true, ask);
    word = rs_sum_add(served(0, 0, FRAMES), ask + 3, 12);
    assert_int_equal(rs_sum_frames(word), FRAMES + 1u);
    take(push, word, true, &receipt);
    for (uint32_t i = 0; i < FRAMES; i++) {
        bytes += frame_bytes[i];
    }
    assert_true(receipt.is_right);
    assert_int_equal(receipt.frames, FRAMES);
    assert_int_equal(receipt.lost, 0);
    assert_int_equal(receipt.bytes, bytes);
    for (uint32_t bit = 0; bit < 64; bit++) { /* of the receipt itself */
        take(push, word ^ UINT64_C(1) << bit, true, &receipt);
        assert_false(receipt.is_right);
        assert_int_equal(receipt.frames, FRAMES);
    }
}

static void test_push_every_changed_byte_is_found(void **state) {
    uint8_t ask[RS_PUSH_ASK_BYTES];
    rs_push_receipt receipt;
    rs_push push;
    (void)state;
    push_all(&push, FRAMES, true, ask);
    for (uint32_t i = 0; i < FRAMES; i++) {
        for (uint32_t at = 5; at < frame_bytes[i]; at++) {
            frame[i][at] ^= 0x40;
            take(push, rs_sum_add(served(0, 0, FRAMES), ask + 3, 12), true, &receipt);
            frame[i][at] ^= 0x40;
            assert_false(receipt.is_right);
            assert_int_equal(receipt.lost, 0);
        }
    }
    ask[3] ^= 1; /* the receipt of another connection */
    take(push, rs_sum_add(served(0, 0, FRAMES), ask + 3, 12), true, &receipt);
    assert_false(receipt.is_right);
}

static void test_push_lost_doubled_and_swapped_messages_are_found(void **state) {
    uint8_t ask[RS_PUSH_ASK_BYTES];
    rs_push_receipt receipt;
    rs_push push;
    (void)state;
    push_all(&push, FRAMES, true, ask);
    for (uint32_t i = 0; i + 1u < FRAMES; i++) {
        const uint64_t word = served(0, 0, i);

        take(push, rs_sum_add(served(word, i + 1u, FRAMES), ask + 3, 12), true, &receipt);
        assert_false(receipt.is_right);
        assert_int_equal(receipt.lost, 1);
        take(push, rs_sum_add(served(served(word, i, i + 1u), i, FRAMES), ask + 3, 12), true,
             &receipt);
        assert_false(receipt.is_right);
        assert_int_equal(receipt.lost, 0);
        take(push,
             rs_sum_add(served(served(served(word, i + 1u, i + 2u), i, i + 1u), i + 2u, FRAMES),
                        ask + 3, 12),
             true, &receipt);
        assert_false(receipt.is_right);
        assert_int_equal(receipt.lost, 0);
    }
    take(push, 0, true, &receipt); /* none, and not the one that asked either */
    assert_int_equal(receipt.lost, FRAMES);
}

/* --verify off: the number counts alone. */
static void test_push_without_sums_counts(void **state) {
    uint8_t ask[RS_PUSH_ASK_BYTES];
    rs_push_receipt receipt;
    rs_push push;
    (void)state;
    push_all(&push, FRAMES, false, ask);
    frame[7][9] ^= 1;
    take(push, rs_sum_add(served(0, 0, FRAMES), ask + 3, 12), false, &receipt);
    assert_true(receipt.is_right);
    take(push, rs_sum_add(served(0, 2, FRAMES), ask + 3, 12), false, &receipt);
    assert_false(receipt.is_right);
    assert_int_equal(receipt.lost, 2);
}

static void test_push_reply_that_is_no_receipt_stands_for_one(void **state) {
    static const uint8_t other[] = {11, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}, brief[] = {3, 0, 3};
    uint8_t ask[RS_PUSH_ASK_BYTES];
    rs_push_receipt receipt;
    rs_push push, again;
    (void)state;
    push_all(&push, 4, true, ask);
    again = push;
    rs_push_take(&push, other, sizeof other, true, &receipt);
    assert_true(!receipt.is_receipt && !receipt.is_right);
    assert_int_equal(receipt.frames, 4);
    assert_int_equal(receipt.lost, 0);
    rs_push_take(&again, brief, sizeof brief, false, &receipt);
    assert_true(!receipt.is_receipt && !receipt.is_right);
    rs_push_take(&again, other, sizeof other, true, &receipt); /* nobody asked for it */
    assert_int_equal(receipt.frames, 0);
    assert_false(receipt.is_right);
}

/* A server and a client in random steps: at most two receipts are under way, each is right, and
 * with none under way nothing is left unasked. */
static void test_push_window_never_waits_for_nothing(void **state) {
    test_random random = {.state = seed};
    const rs_sizes none = rs_sizes_one(0), one = rs_sizes_one(32);
    (void)state;
    rs_payload_init(&payload, 1, &one, &none);
    for (uint32_t depth = 1; depth < 12; depth++) {
        uint64_t words[RS_PUSH_ASKED_MAX], word = 0, sent = 0, proven = 0;
        uint32_t open = 0;
        rs_push push = {.count = 0};

        for (uint32_t step = 0; step < STEPS; step++) {
            uint32_t room = depth - (uint32_t)(sent - proven);

            room = room > 0 ? (uint32_t)(test_random_next(&random) % (room + 1u)) : 0;
            for (bool more = true; more && room > 0; room--) {
                (void)rs_payload_build(&payload, 0, sent++, frame[0]);
                rs_push_add(&push, frame[0], 32, true);
                word = rs_sum_add(word, frame[0] + 5, 27);
                more = !rs_push_is_half(&push, depth);
            }
            if (rs_push_is_due(&push, depth)) {
                assert_in_range(open, 0, RS_PUSH_ASKED_MAX - 1u);
                (void)rs_push_ask(&push, 0, sent, true, frame[0]);
                words[open++] = rs_sum_add(word, frame[0] + 3, 12);
                word = 0;
            }
            assert_true(open > 0 || push.unasked.frames == 0);
            assert_true(open > 0 || sent == proven);
            if (open > 0 && test_random_next(&random) % 2u == 0) {
                uint8_t reply[RS_RECEIPT_BYTES];
                rs_push_receipt receipt;

                rs_receipt(words[0], reply);
                rs_push_take(&push, reply, sizeof reply, true, &receipt);
                assert_true(receipt.is_right);
                assert_true(receipt.frames > 0);
                assert_int_equal(receipt.bytes, 32u * receipt.frames);
                proven += receipt.frames;
                words[0] = words[1];
                open--;
            }
        }
        assert_true(proven > STEPS / 8u);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_receipt_of_all_is_right),
        cmocka_unit_test(test_push_every_changed_byte_is_found),
        cmocka_unit_test(test_push_lost_doubled_and_swapped_messages_are_found),
        cmocka_unit_test(test_push_without_sums_counts),
        cmocka_unit_test(test_push_reply_that_is_no_receipt_stands_for_one),
        cmocka_unit_test(test_push_window_never_waits_for_nothing),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
