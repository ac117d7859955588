/* SPDX-License-Identifier: MIT */
/* The referee of --app board with made-up frames: each fault is told from what is right, and what
 * is in view at the end from what should be. A pass: every frame in one column, and in the right
 * one; and a table of who is in view that agrees with a plain list through seeded changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/loadgen_bots.h"
#include "random.h"

#define BOTS 3u
#define SEED 7u
#define SIDE 30u
#define VIEW 15u
#define ID(bot) ((bot) + 100u)

typedef struct bots_bed {
    rs_bots bots;
    rs_bots_event event; /* of the newest frame */
    uint32_t expected[BOTS];
} bots_bed;

static void bed_frame(bots_bed *bed, uint32_t bot, const rs_board_frame *frame) {
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
    const uint32_t bytes = rs_board_encode(frame, data);
    rs_bots_frame(&bed->bots, bot, bed->expected[bot], data, bytes, &bed->event);
}

static rs_board_frame bed_login(bots_bed *bed, uint32_t bot) {
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
    rs_board_frame login;
    const uint32_t bytes = rs_bots_request(&bed->bots, bot, 0, 4, 1, data);
    assert_true(rs_board_decode(data, bytes, &login));
    assert_int_equal(login.type, RS_BOARD_LOGIN);
    return login;
}

static void bed_welcome(bots_bed *bed, uint32_t bot, uint16_t x, uint16_t y) {
    const rs_board_frame frame = {.type = RS_BOARD_WELCOME,
                                  .id = ID(bot),
                                  .x = x,
                                  .y = y,
                                  .width = SIDE,
                                  .height = SIDE,
                                  .view = VIEW};
    bed_frame(bed, bot, &frame);
}

/* What the server should say of the bot after its move seq. */
static rs_board_frame bed_of(bots_bed *bed, uint32_t bot, rs_board_type type, uint32_t seq) {
    const rs_bots_move *move = &bed->bots.move[(size_t)bot * bed->bots.ring + seq];
    rs_board_frame frame = bed_login(bed, bot);
    frame.type = (uint8_t)type;
    frame.id = ID(bot);
    frame.seq = seq;
    frame.x = move->x;
    frame.y = move->y;
    frame.why = RS_BOARD_GONE;
    return frame;
}

static void bed_tell(bots_bed *bed, uint32_t viewer, uint32_t of, rs_board_type type,
                     uint32_t seq) {
    const rs_board_frame frame = bed_of(bed, of, type, seq);
    bed_frame(bed, viewer, &frame);
}

static void bed_move(bots_bed *bed, uint32_t bot, uint32_t count) {
    uint8_t data[RS_BOARD_MOVE_BYTES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t seq = bed->bots.bot[bot].sent + 1u;
        rs_board_frame frame;
        assert_int_equal(rs_bots_request(&bed->bots, bot, seq, 4 + seq % 29u, 1000 + seq, data),
                         4 + seq % 29u);
        assert_true(rs_board_decode(data, 4 + seq % 29u, &frame));
        assert_int_equal(frame.direction, rs_bots_direction(SEED, bot, seq));
    }
}

/* Three bots in the middle, each told of the others. */
static bots_bed *bed_open(void) {
    static bots_bed bed;
    memset(&bed, 0, sizeof bed);
    assert_true(rs_bots_open(&bed.bots, SEED, BOTS, 4));
    for (uint32_t i = 0; i < BOTS; i++) {
        bed_welcome(&bed, i, (uint16_t)(14 + i), 15);
        assert_true(bed.event.is_reply && bed.event.verdict == RS_PAYLOAD_EXPECTED);
        bed.expected[i] = 1;
    }
    for (uint32_t i = 0; i < BOTS; i++) {
        for (uint32_t k = 0; k < BOTS; k++) {
            if (i != k) {
                bed_tell(&bed, i, k, RS_BOARD_ARRIVED, 0);
            }
        }
    }
    assert_int_equal(bed.bots.columns.arrivals, BOTS * (BOTS - 1));
    assert_int_equal(rs_bots_apart(&bed.bots, false), 0);
    return &bed;
}

static void bed_close(bots_bed *bed) {
    rs_bots_close(&bed->bots);
}

/* Exactly these columns of faults; X: the name of one. */
#define FAULTS(X) X(lost) X(wrong) X(reordered) X(duplicated) X(unknown) X(stale)
static void assert_faults(const bots_bed *bed, rs_bots_columns want) {
#define X(name)                                                                                    \
    if (bed->bots.columns.name != want.name) {                                                     \
        fail_msg(#name " is %u, expected %u", (unsigned)bed->bots.columns.name,                    \
                 (unsigned)want.name);                                                             \
    }
    FAULTS(X)
#undef X
}
#define NO_FAULT ((rs_bots_columns){.lost = 0})

static void test_bots_right_moves_are_deliveries_with_their_time(void **state) {
    bots_bed *bed = bed_open();
    (void)state;
    bed_move(bed, 1, 3);
    for (uint32_t seq = 1; seq <= 3; seq++) {
        bed_tell(bed, 0, 1, RS_BOARD_MOVED, seq);
        assert_false(bed->event.is_reply);
        assert_int_equal(bed->event.sent_ns, 1000 + seq);
        assert_int_equal(bed->event.mover, 1);
        assert_int_equal(bed->event.seq, seq);
        bed_tell(bed, 1, 1, RS_BOARD_MOVED, seq);
        assert_true(bed->event.is_reply && bed->event.verdict == RS_PAYLOAD_EXPECTED);
        assert_int_equal(bed->event.sequence, seq);
        bed->expected[1]++;
    }
    assert_int_equal(bed->bots.columns.deliveries, 3);
    assert_faults(bed, NO_FAULT);
    assert_int_equal(rs_bots_apart(&bed->bots, false), 3); /* bot 2 was told of none */
    assert_faults(bed, NO_FAULT);
    assert_int_equal(rs_bots_apart(&bed->bots, true), 3);
    assert_faults(bed, (rs_bots_columns){.lost = 3});
    bed_close(bed);
}

static void test_bots_order_of_moves(void **state) {
    bots_bed *bed = bed_open();
    (void)state;
    bed_move(bed, 1, 8);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 1);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 4);
    assert_faults(bed, (rs_bots_columns){.lost = 2});
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 3);
    assert_int_equal(bed->event.sent_ns, 0);
    assert_faults(bed, (rs_bots_columns){.lost = 1, .reordered = 1});
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 3);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 4);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 1);
    assert_faults(bed, (rs_bots_columns){.lost = 1, .reordered = 1, .duplicated = 3});
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 0);
    assert_faults(bed, (rs_bots_columns){.lost = 1, .reordered = 1, .duplicated = 3, .stale = 1});
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 2);
    assert_faults(bed, (rs_bots_columns){.reordered = 2, .duplicated = 3, .stale = 1});
    assert_int_equal(bed->bots.columns.deliveries, 2);
    bed_close(bed);
}

static void test_bots_wrong_moves(void **state) {
    bots_bed *bed = bed_open();
    rs_board_frame frame;
    (void)state;
    bed_move(bed, 1, 2);
    frame = bed_of(bed, 1, RS_BOARD_MOVED, 1);
    frame.x++;
    bed_frame(bed, 0, &frame); /* the position */
    bed_frame(bed, 1, &frame); /* the mover itself: its reply is wrong */
    assert_true(bed->event.is_reply && bed->event.verdict == RS_PAYLOAD_WRONG);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 3); /* not made yet */
    frame.id = 999;
    bed_frame(bed, 0, &frame);
    assert_faults(bed, (rs_bots_columns){.wrong = 2, .unknown = 1});
    bed_tell(bed, 0, 1, RS_BOARD_PLAYER, 1); /* not asked for */
    rs_bots_frame(&bed->bots, 0, 1, (const uint8_t *)"\x04\x00\x82\x01", 4, &bed->event);
    assert_faults(bed, (rs_bots_columns){.wrong = 4, .unknown = 1});
    frame.type = RS_BOARD_REFUSED;
    bed_frame(bed, 0, &frame);
    assert_true(bed->event.is_refused);
    bed_close(bed);
}

static void test_bots_arrivals_and_departures(void **state) {
    bots_bed *bed = bed_open();
    rs_board_frame frame;
    (void)state;
    bed_move(bed, 1, 3);
    bed_tell(bed, 0, 1, RS_BOARD_ARRIVED, 0);
    assert_faults(bed, (rs_bots_columns){.duplicated = 1});
    bed_tell(bed, 0, 1, RS_BOARD_LEFT, 2); /* move 1 was not told */
    assert_faults(bed, (rs_bots_columns){.duplicated = 1, .lost = 1});
    bed_tell(bed, 0, 1, RS_BOARD_LEFT, 2);
    assert_faults(bed, (rs_bots_columns){.duplicated = 1, .lost = 1, .unknown = 1});
    bed_tell(bed, 0, 1, RS_BOARD_ARRIVED, 2);
    bed_tell(bed, 0, 1, RS_BOARD_MOVED, 2); /* older than its arrival */
    assert_faults(bed, (rs_bots_columns){.duplicated = 1, .lost = 1, .unknown = 1, .stale = 1});
    bed_tell(bed, 0, 1, RS_BOARD_LEFT, 1);
    assert_faults(bed, (rs_bots_columns){.duplicated = 1, .lost = 1, .unknown = 1, .stale = 2});
    frame = bed_of(bed, 1, RS_BOARD_ARRIVED, 3);
    frame.id += 50u; /* another id than it has */
    bed_frame(bed, 0, &frame);
    frame = bed_of(bed, 1, RS_BOARD_ARRIVED, 3);
    frame.y ^= 1u;
    bed_frame(bed, 0, &frame);
    frame = bed_of(bed, 1, RS_BOARD_LEFT, 3);
    frame.why = RS_BOARD_OUT_OF_VIEW; /* it stands beside us */
    bed_frame(bed, 0, &frame);
    assert_int_equal(bed->bots.columns.wrong, 3);
    assert_int_equal(bed->bots.columns.departures, 1);
    bed_tell(bed, 0, 1, RS_BOARD_ARRIVED, 4); /* not made yet */
    assert_int_equal(bed->bots.columns.wrong, 4);
    assert_null(rs_sight_find(&bed->bots.bot[0].sight, ID(1)));
    bed_close(bed);
}

static void test_bots_out_of_view_is_not_told(void **state) {
    bots_bed *bed = bed_open();
    (void)state;
    /* Until bot 1 has walked out of bot 0's view: its moves there are wrong, leaving is right. */
    for (uint32_t seq = 1; seq < 200; seq++) {
        rs_board_frame frame;
        bed_move(bed, 1, 1);
        frame = bed_of(bed, 1, RS_BOARD_MOVED, seq);
        if (!rs_board_in_view(VIEW, 14, 15, frame.x, frame.y)) {
            bed_frame(bed, 0, &frame);
            assert_faults(bed, (rs_bots_columns){.wrong = 1});
            frame.type = RS_BOARD_LEFT;
            frame.why = RS_BOARD_OUT_OF_VIEW;
            bed_frame(bed, 0, &frame);
            assert_int_equal(bed->bots.columns.departures, 1);
            frame.type = RS_BOARD_ARRIVED;
            bed_frame(bed, 0, &frame);
            assert_faults(bed, (rs_bots_columns){.wrong = 2});
            bed_close(bed);
            return;
        }
        bed_frame(bed, 0, &frame);
    }
    fail_msg("the bot never left the view");
}

static void test_bots_end_with_who_should_be_in_view(void **state) {
    bots_bed *bed = bed_open();
    (void)state;
    bed_tell(bed, 0, 1, RS_BOARD_LEFT, 0);
    assert_int_equal(rs_bots_apart(&bed->bots, true), 1); /* it is there, and not told of */
    assert_faults(bed, (rs_bots_columns){.lost = 1});
    rs_bots_leave(&bed->bots, 1);
    assert_int_equal(rs_bots_apart(&bed->bots, true), 1); /* bot 2 was not told that it left */
    assert_faults(bed, (rs_bots_columns){.lost = 1, .stale = 1});
    bed_tell(bed, 2, 1, RS_BOARD_LEFT, 0);
    assert_int_equal(rs_bots_apart(&bed->bots, true), 0);
    bed_close(bed);
}

static void test_bots_log_in(void **state) {
    static bots_bed bed;
    rs_board_frame frame;
    (void)state;
    memset(&bed, 0, sizeof bed);
    assert_true(rs_bots_open(&bed.bots, SEED, BOTS, 4));
    assert_int_equal(rs_bots_apart(&bed.bots, true), 0);
    bed_welcome(&bed, 0, 14, 15);
    /* Told of bot 1 before its own WELCOME: that must then say the same. */
    frame = bed_login(&bed, 1);
    frame.type = RS_BOARD_ARRIVED;
    frame.id = ID(1);
    frame.x = 15;
    frame.y = 15;
    bed_frame(&bed, 0, &frame);
    assert_int_equal(bed.bots.columns.arrivals, 1);
    bed_welcome(&bed, 1, 16, 15);
    assert_int_equal(bed.event.verdict, RS_PAYLOAD_WRONG);
    bed_welcome(&bed, 1, 15, 15);
    assert_int_equal(bed.event.verdict, RS_PAYLOAD_EXPECTED);
    bed_welcome(&bed, 2, SIDE, 15); /* outside the board */
    assert_int_equal(bed.event.verdict, RS_PAYLOAD_WRONG);
    bed_tell(&bed, 2, 1, RS_BOARD_ARRIVED, 0); /* before its WELCOME */
    assert_faults(&bed, (rs_bots_columns){.wrong = 1});
    bed_tell(&bed, 0, 0, RS_BOARD_ARRIVED, 0); /* itself */
    assert_faults(&bed, (rs_bots_columns){.wrong = 2});
    bed_close(&bed);
}

static void test_bots_strangers_are_not_judged(void **state) {
    static const char *const names[] = {"human", "b7.3", "b7.01", "b8.1", "."};
    bots_bed *bed = bed_open();
    (void)state;
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rs_board_frame frame = {.type = RS_BOARD_ARRIVED, .id = 500 + i, .seq = 70, .x = 1};
        (void)snprintf(frame.name, sizeof frame.name, "%s", names[i]);
        frame.name_bytes = (uint8_t)strlen(names[i]);
        bed_frame(bed, 0, &frame);
        frame.type = RS_BOARD_MOVED;
        frame.seq = 72;
        bed_frame(bed, 0, &frame);
        assert_int_equal(rs_bots_apart(&bed->bots, true), 0);
        frame.type = RS_BOARD_LEFT;
        bed_frame(bed, 0, &frame);
    }
    assert_faults(bed, NO_FAULT);
    assert_int_equal(bed->bots.columns.strangers, 15);
    bed_close(bed);
}

/* What the referee no longer remembers is a fault, not a guess. */
static void test_bots_memory_has_an_end(void **state) {
    bots_bed *bed = bed_open();
    rs_board_frame frame;
    (void)state;
    bed_move(bed, 1, 1);
    frame = bed_of(bed, 1, RS_BOARD_MOVED, 1);
    bed_move(bed, 1, bed->bots.ring);
    bed_frame(bed, 0, &frame);
    assert_faults(bed, (rs_bots_columns){.stale = 1});
    bed_close(bed);
}

static uint64_t test_sight_seed;

static void test_sight_against_a_list(void **state) {
    enum { IDS = 200 };
    bool in[IDS] = {false};
    rs_sight sight = {.entry = NULL};
    test_random random = {test_sight_seed};
    uint32_t count = 0;
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t id = test_random_below(&random, IDS);
        rs_sight_entry *entry = rs_sight_find(&sight, id * 4096u);
        assert_int_equal(entry != NULL, in[id]);
        if (entry != NULL) {
            assert_int_equal(entry->bot, id);
            rs_sight_remove(&sight, entry);
            count--;
        } else if (test_random_below(&random, 1 + i / 5000) == 0) {
            rs_sight_add(&sight, id * 4096u, id, 0);
            count++;
        } else {
            continue;
        }
        in[id] = !in[id];
        assert_int_equal(sight.count, count);
    }
    for (uint32_t id = 0; id < IDS; id++) {
        assert_int_equal(rs_sight_find(&sight, id * 4096u) != NULL, in[id]);
    }
    rs_sight_clear(&sight);
}

static void test_sight_remembers_gaps(void **state) {
    (void)state;
    for (uint32_t gap = 0; gap < RS_SIGHT_GAP_MAX + 3u; gap++) {
        rs_sight_entry entry = {.seq = 10, .arrived = 9};
        uint32_t lost = 0;
        assert_int_equal(rs_sight_order_of(&entry, 11 + gap, &lost), RS_SIGHT_NEXT);
        assert_int_equal(lost, gap);
        assert_int_equal(rs_sight_order_of(&entry, 11 + gap, &lost), RS_SIGHT_DUPLICATE);
        assert_int_equal(lost, 0);
        if (gap < RS_SIGHT_GAP_MAX) {
            assert_int_equal(rs_sight_order_of(&entry, 10, &lost), RS_SIGHT_DUPLICATE);
        }
        for (uint32_t seq = 10 + gap; seq > 10; seq--) {
            const bool told = 11 + gap - seq <= RS_SIGHT_GAP_MAX;
            assert_int_equal(rs_sight_order_of(&entry, seq, &lost),
                             told ? RS_SIGHT_REORDERED : RS_SIGHT_STALE);
            assert_int_equal(rs_sight_order_of(&entry, seq, &lost),
                             told ? RS_SIGHT_DUPLICATE : RS_SIGHT_STALE);
        }
        assert_int_equal(rs_sight_order_of(&entry, 9, &lost), RS_SIGHT_STALE);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bots_right_moves_are_deliveries_with_their_time),
        cmocka_unit_test(test_bots_order_of_moves),
        cmocka_unit_test(test_bots_wrong_moves),
        cmocka_unit_test(test_bots_arrivals_and_departures),
        cmocka_unit_test(test_bots_out_of_view_is_not_told),
        cmocka_unit_test(test_bots_end_with_who_should_be_in_view),
        cmocka_unit_test(test_bots_log_in),
        cmocka_unit_test(test_bots_strangers_are_not_judged),
        cmocka_unit_test(test_bots_memory_has_an_end),
        cmocka_unit_test(test_sight_against_a_list),
        cmocka_unit_test(test_sight_remembers_gaps),
    };
    test_sight_seed = test_seed(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
