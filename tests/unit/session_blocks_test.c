/* SPDX-License-Identifier: MIT */
/* Who gets the send blocks (core/sendq.h) when there are not enough: the session table against a
 * kernel played by hand, whose greedy sessions never have a send completed. A pass is that a
 * session whose sends complete is always answered, that only those above their reserve are cut, and
 * that every block is back at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/frame.h"
#include "unit/session_bed.h"

#define RESERVE 3u
#define COMMON(open) (BED_BLOCKS - RESERVE * (open))
#define LONGEST BED_RECV_BYTES

static uint32_t make_frame(uint8_t *out, uint32_t bytes, uint8_t fill) {
    (void)rs_frame_header(out, 1, bytes - RS_FRAME_HEADER_BYTES);
    memset(out + RS_FRAME_HEADER_BYTES, fill, bytes - RS_FRAME_HEADER_BYTES);
    return bytes;
}

static rs_session_state state_of(const bed *b, uint32_t conn) {
    return (rs_session_state)b->sessions[conn].state;
}

static bool asks_to_receive(const bed *b, uint32_t conn) {
    return bed_find(b, conn, RS_OP_RECV) != UINT32_MAX;
}

/* The longest frame again and again, of which none is read back, until the session stops asking. */
static uint32_t flood(bed *b, uint32_t conn) {
    uint8_t frame[LONGEST];
    uint32_t frames = 0;
    (void)make_frame(frame, LONGEST, 'g');
    (void)bed_collect(b);
    while (asks_to_receive(b, conn) && frames < 100) {
        (void)bed_receive(b, conn, frame, LONGEST);
        (void)bed_collect(b);
        frames++;
    }
    return frames;
}

/* `frames` of the longest there and back, each read as soon as it is sent. */
static void reads_and_writes(bed *b, uint32_t conn, uint32_t frames) {
    uint8_t frame[LONGEST];
    for (uint32_t i = 0; i < frames; i++) {
        uint32_t back = 0, at;
        (void)make_frame(frame, LONGEST, (uint8_t)i);
        assert_int_equal(bed_receive(b, conn, frame, LONGEST), LONGEST);
        (void)bed_collect(b);
        while ((at = bed_find(b, conn, RS_OP_SEND)) != UINT32_MAX) {
            uint32_t bytes = b->outstanding[at].bytes;
            assert_memory_equal(b->outstanding[at].u.data, frame + back, bytes);
            back += bytes;
            bed_finish(b, at, RS_OK, bytes);
            (void)bed_collect(b);
        }
        assert_int_equal(back, LONGEST);
        assert_true(asks_to_receive(b, conn));
    }
}

static void end(bed *b) {
    rs_sessions_close_all(&b->table, true);
    for (uint32_t round = 0; round < 100 && b->table.used_count > 0; round++) {
        (void)bed_collect(b);
        while (b->outstanding_count > 0) {
            uint32_t at = 0;
            while (at + 1 < b->outstanding_count && b->outstanding[at].kind == RS_OP_CLOSE) {
                at++; /* CLOSE comes last */
            }
            bed_finish(b, at, RS_E_ABORTED, 0);
        }
    }
    assert_int_equal(b->table.used_count, 0);
    assert_int_equal(b->opened, b->closed);
    assert_true(bed_is_idle(b));
}

/* A session that is sent to as by an application that answers more than it was asked. */
static rs_status give(bed *b, uint32_t conn, uint32_t blocks) {
    static const uint8_t data[BED_BLOCKS * BED_BLOCK_BYTES] = {0};
    return rs_session_send(&b->sessions[conn].handle, data, blocks * BED_BLOCK_BYTES);
}

static void test_blocks_greedy_session_waits_and_others_are_served(void **state) {
    bed b;
    uint32_t greedy[3], reader;
    (void)state;
    bed_init(&b, 5000, true, 2);
    for (uint32_t i = 0; i < 3; i++) {
        greedy[i] = bed_open(&b);
        (void)flood(&b, greedy[i]);
        assert_int_equal(state_of(&b, greedy[i]), RS_SESSION_PAUSED);
    }
    reader = bed_open(&b);
    assert_int_not_equal(reader, UINT32_MAX);
    (void)bed_collect(&b);
    reads_and_writes(&b, reader, 200);
    assert_int_equal(b.closed, 0);
    end(&b);
}

/* A raw session reads on while the answers to a whole slice fit its reserve: those that are sent to
 * and read nothing take nothing of the common part. */
static void test_blocks_raw_sessions_live_on_their_reserves(void **state) {
    bed b;
    (void)state;
    bed_init(&b, 5000, true, 2);
    b.table.app.raw = true;
    for (uint32_t i = 0; i < BED_SLOTS - 2; i++) {
        uint32_t conn = bed_open(&b);
        assert_int_not_equal(flood(&b, conn), 0);
        assert_in_range(b.sessions[conn].sendq.owned, 1, RESERVE);
    }
    assert_int_equal(rs_sendq_common(&b.table.sendq_pool), COMMON(BED_SLOTS - 2));
    assert_int_equal(b.closed, 0);
    end(&b);
}

/* One that reads nothing has all blocks but the reserves; one that reads waits behind its own send.
 */
static void open_greedy_and_reader(bed *b, uint32_t *greedy, uint32_t *reader) {
    uint8_t frame[LONGEST];
    bed_init(b, 5000, true, 1);
    b->table.cfg.idle_timeout_ms = 0;
    b->table.sendq_pool.shared_max++; /* so that nothing is left over */
    *greedy = bed_open(b);
    *reader = bed_open(b);
    (void)flood(b, *greedy);
    (void)make_frame(frame, LONGEST, 'r');
    (void)bed_receive(b, *reader, frame, LONGEST);
    (void)bed_collect(b);
    assert_int_equal(state_of(b, *reader), RS_SESSION_PAUSED);
}

/* A frame answered, and the next RECV wanted while the answer is in flight. */
static void reads_and_writes_ahead(bed *b, uint32_t conn) {
    uint8_t frame[LONGEST];
    uint32_t at;
    while ((at = bed_find(b, conn, RS_OP_SEND)) != UINT32_MAX) {
        bed_finish(b, at, RS_OK, b->outstanding[at].bytes);
        (void)bed_collect(b);
    }
    (void)make_frame(frame, LONGEST, 'r');
    assert_int_equal(bed_receive(b, conn, frame, LONGEST), LONGEST);
    (void)bed_collect(b);
}

/* Reading ahead is deferred, not bought with somebody's session, as long as all get on. */
static void test_blocks_peer_that_does_not_read_goes_after_a_second(void **state) {
    bed b;
    uint32_t greedy, reader;
    (void)state;
    open_greedy_and_reader(&b, &greedy, &reader);
    bed_advance_ms(&b, 999);
    bed_finish(&b, bed_find(&b, reader, RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    (void)bed_collect(&b);
    reads_and_writes_ahead(&b, reader);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 2);
    reads_and_writes_ahead(&b, reader);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_NO_BUFFERS);
    assert_int_not_equal(bed_find(&b, greedy, RS_OP_CLOSE), UINT32_MAX);
    end(&b);
}

/* The process was stopped, or the machine: nobody is found stalled by the time that passed
 * meanwhile, whoever wants blocks. */
static void test_blocks_absence_is_not_counted_against_a_peer(void **state) {
    bed b;
    uint32_t greedy, reader;
    (void)state;
    open_greedy_and_reader(&b, &greedy, &reader);
    assert_int_equal(rs_sessions_next_ms(&b.table), RS_AWAY_MS / 2u); /* no sleep is an absence */
    bed_away_ms(&b, 60000);
    bed_finish(&b, bed_find(&b, reader, RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    (void)bed_collect(&b);
    bed_advance_ms(&b, 999);
    reads_and_writes_ahead(&b, reader);
    assert_int_equal(b.closed, 0);
    bed_advance_ms(&b, 2);
    reads_and_writes_ahead(&b, reader);
    assert_int_equal(b.closed, 1);
    assert_int_not_equal(bed_find(&b, greedy, RS_OP_CLOSE), UINT32_MAX);
    end(&b);
}

static void test_blocks_paused_session_goes_on_when_its_sends_complete(void **state) {
    bed b;
    uint32_t conn, sent = 0, at;
    (void)state;
    bed_init(&b, 5000, true, 2);
    conn = bed_open(&b);
    uint32_t frames = flood(&b, conn);
    assert_int_equal(state_of(&b, conn), RS_SESSION_PAUSED);
    assert_in_range(frames, 1, BED_BLOCKS);
    while ((at = bed_find(&b, conn, RS_OP_SEND)) != UINT32_MAX) {
        sent += b.outstanding[at].bytes;
        bed_finish(&b, at, RS_OK, b.outstanding[at].bytes);
        (void)bed_collect(&b);
    }
    assert_int_equal(sent, frames * LONGEST);
    assert_int_equal(state_of(&b, conn), RS_SESSION_OPEN);
    reads_and_writes(&b, conn, 10);
    assert_int_equal(b.closed, 0);
    end(&b);
}

static void test_blocks_every_session_may_read_ahead_to_the_end_at_once(void **state) {
    bed b;
    uint32_t conn[4];
    (void)state;
    bed_init(&b, 5000, true, 2);
    for (uint32_t i = 0; i < 4; i++) {
        conn[i] = bed_open(&b);
    }
    /* All RECVs out first, then all frames at once: each was promised what it needs. */
    for (uint32_t round = 0; round < 20; round++) {
        uint8_t frame[LONGEST];
        (void)make_frame(frame, LONGEST, (uint8_t)round);
        (void)bed_collect(&b);
        for (uint32_t i = 0; i < 4; i++) {
            if (asks_to_receive(&b, conn[i])) {
                (void)bed_receive(&b, conn[i], frame, LONGEST);
            }
        }
    }
    assert_int_equal(b.closed, 0);
    /* What is left is for the two slots that are not open, and for broadcasts. */
    assert_in_range(rs_sendq_common(&b.table.sendq_pool), 2 * RESERVE + BED_SHARED_BLOCKS,
                    2 * RESERVE + BED_SHARED_BLOCKS + 1);
    end(&b);
}

/* Another thread has the messages: nothing is queued, and all the answers come at once. */
static void hand_over_and_answer(bed *b, uint32_t frame_bytes, uint32_t answers_a_turn) {
    uint8_t frame[LONGEST];
    uint32_t handed[4] = {0}, left = 0;
    b->echo = false;
    (void)bed_collect(b);
    (void)make_frame(frame, frame_bytes, 'h');
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t conn = 0; conn < 4; conn++) {
            if (asks_to_receive(b, conn)) {
                (void)bed_receive(b, conn, frame, frame_bytes);
                rs_session_hand_over(&b->sessions[conn], frame_bytes);
                handed[conn]++;
                left++;
            }
        }
        (void)bed_collect(b);
    }
    assert_true(left >= 4);
    for (uint32_t i = 0; left > 0; i++) {
        uint32_t conn = i % 4;
        if (handed[conn] > 0) {
            assert_int_equal(rs_session_send(&b->sessions[conn].handle, frame, frame_bytes), RS_OK);
            rs_session_handed_back(&b->sessions[conn], frame_bytes);
            handed[conn]--;
            left--;
        }
        if (i % answers_a_turn == 0) {
            (void)bed_collect(b);
        }
    }
    (void)bed_collect(b);
    assert_int_equal(b->closed, 0);
}

static void test_blocks_answers_of_another_thread_find_theirs(void **state) {
    static const uint32_t sizes[] = {LONGEST, 64, 40, 3};
    (void)state;
    for (uint32_t i = 0; i < 2u * sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t turn = 1; turn <= 8; turn *= 2) {
            bed b;
            bed_init_handed(&b, 5000, i % 2u == 0, 1 + i / 2u % 2u, 1);
            for (uint32_t conn = 0; conn < 4; conn++) {
                assert_int_equal(bed_open(&b), conn);
            }
            hand_over_and_answer(&b, sizes[i / 2u], turn);
            for (uint32_t at = 0; at < b.outstanding_count;) { /* all of it is read */
                if (b.outstanding[at].kind == RS_OP_SEND) {
                    bed_finish(&b, at, RS_OK, b.outstanding[at].bytes);
                    (void)bed_collect(&b);
                    at = 0;
                } else {
                    at++;
                }
            }
            for (uint32_t conn = 0; conn < 4; conn++) {
                assert_true(asks_to_receive(&b, conn));
            }
            end(&b);
        }
    }
}

/* Its queue has no room for more answers, and another session takes every block that is common. */
static void test_blocks_full_queue_keeps_those_of_what_is_handed_over(void **state) {
    uint8_t frame[LONGEST];
    uint32_t full, other, handed = 0;
    bed b;
    (void)state;
    bed_init_handed(&b, 600, true, 1, 1);
    b.echo = false;
    full = bed_open(&b);
    other = bed_open(&b);
    (void)make_frame(frame, LONGEST, 'f');
    (void)bed_collect(&b);
    while (asks_to_receive(&b, full)) {
        (void)bed_receive(&b, full, frame, LONGEST);
        rs_session_hand_over(&b.sessions[full], LONGEST);
        handed++;
        (void)bed_collect(&b);
    }
    assert_int_equal(handed, 600u / LONGEST);
    b.table.sendq_pool.queued_bytes_max = 5000;
    while (rs_sendq_common(&b.table.sendq_pool) > 0) {
        assert_int_equal(rs_session_send(&b.sessions[other].handle, frame, BED_BLOCK_BYTES), RS_OK);
    }
    for (uint32_t i = 0; i < handed; i++) {
        assert_int_equal(rs_session_send(&b.sessions[full].handle, frame, LONGEST), RS_OK);
        rs_session_handed_back(&b.sessions[full], LONGEST);
    }
    (void)bed_collect(&b);
    assert_int_equal(b.closed, 0);
    end(&b);
}

/* Four sessions take turns, and nothing is read but one session's; the long answer comes last. */
static void test_blocks_small_answers_do_not_take_those_of_a_long_one(void **state) {
    uint8_t slice[LONGEST] = {0};
    uint32_t at = 0;
    bed b;
    (void)state;
    bed_init(&b, 5000, false, 2);
    while (at < 30) {
        at += make_frame(slice + at, 3, 's');
    }
    (void)make_frame(slice + at, LONGEST - at, 'l');
    for (uint32_t conn = 0; conn < 4; conn++) {
        assert_int_equal(bed_open(&b), conn);
    }
    for (uint32_t round = 0; round < 20; round++) {
        (void)bed_collect(&b);
        for (uint32_t conn = 0; conn < 4; conn++) {
            if (asks_to_receive(&b, conn)) {
                (void)bed_receive(&b, conn, slice, LONGEST);
            }
        }
    }
    assert_int_equal(b.closed, 0);
    end(&b);
}

static void test_blocks_who_has_waited_longest_is_cut_for_who_asks(void **state) {
    bed b;
    uint32_t conn[3];
    (void)state;
    bed_init(&b, 5000, true, 1);
    for (uint32_t i = 0; i < 3; i++) {
        conn[i] = bed_open(&b);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(give(&b, conn[i], BED_BLOCKS / 3), RS_OK);
    }
    assert_int_equal(b.blocks.free_count, 0);
    (void)bed_collect(&b);
    bed_advance_ms(&b, 5); /* the first gets on, so the second has waited longest */
    bed_finish(&b, bed_find(&b, conn[0], RS_OP_SEND), RS_OK, BED_BLOCK_BYTES);
    assert_int_equal(give(&b, conn[2], 2), RS_OK);
    assert_int_equal(state_of(&b, conn[1]), RS_SESSION_CUT);
    assert_int_equal(b.closed, 0); /* not inside somebody else's send */
    assert_int_equal(give(&b, conn[1], 1), RS_E_CLOSED);
    rs_session_close(&b.sessions[conn[1]].handle);
    (void)bed_collect(&b);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.last_reason, RS_CLOSE_NO_BUFFERS);
    assert_int_equal(bed_count(&b, conn[1], RS_OP_CLOSE), 1);
    end(&b);
}

static void open_two(bed *b, uint32_t conn[2]) {
    bed_init(b, 5000, true, 2);
    conn[0] = bed_open(b);
    conn[1] = bed_open(b);
}

static void test_blocks_asker_goes_when_there_is_nobody_else(void **state) {
    bed b;
    uint32_t conn[2];
    (void)state;
    open_two(&b, conn);
    assert_int_equal(give(&b, conn[1], 3), RS_OK); /* all of its own, no more */
    assert_int_equal(give(&b, conn[0], 3 + COMMON(2)), RS_OK);
    assert_int_equal(give(&b, conn[0], 1), RS_E_NO_BUFFERS);
    assert_int_equal(b.last_reason, RS_CLOSE_NO_BUFFERS);
    assert_int_equal(state_of(&b, conn[1]), RS_SESSION_OPEN);
    end(&b);
}

static void test_blocks_draining_session_above_its_reserve_is_cut_too(void **state) {
    bed b;
    uint32_t conn[2];
    (void)state;
    open_two(&b, conn);
    assert_int_equal(give(&b, conn[0], 3 + COMMON(2)), RS_OK);
    rs_session_close(&b.sessions[conn[0]].handle); /* flushes, if it is let */
    assert_int_equal(b.last_reason, RS_CLOSE_LOCAL);
    assert_int_equal(give(&b, conn[1], 10), RS_OK);
    (void)bed_collect(&b);
    assert_int_equal(b.outstanding[bed_find(&b, conn[0], RS_OP_CLOSE)].flags, RS_OPF_ABORT);
    assert_int_equal(b.closed, 1); /* told once */
    end(&b);
}

/* Kept blocks are of the reserve: all sessions idle with one each take nothing from who needs more.
 */
static void test_blocks_kept_by_idle_sessions_are_their_own(void **state) {
    bed b;
    uint32_t conn[4];
    (void)state;
    bed_init(&b, 5000, true, 2);
    for (uint32_t i = 0; i < 4; i++) {
        conn[i] = bed_open(&b);
        (void)bed_collect(&b);
        reads_and_writes(&b, conn[i], 3);
        assert_int_equal(b.sessions[conn[i]].sendq.owned, 1);
    }
    assert_int_equal(rs_sendq_common(&b.table.sendq_pool), COMMON(4));
    assert_int_equal(give(&b, conn[0], 3 + COMMON(4)), RS_OK);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(give(&b, conn[i], 3), RS_OK); /* the reserve is whole */
    }
    assert_int_equal(b.closed, 0);
    end(&b);
}

static void test_blocks_broadcast_to_all_needs_one_block(void **state) {
    bed b;
    uint32_t conn[4];
    (void)state;
    bed_init(&b, 6000, true, 2);
    for (uint32_t i = 0; i < 4; i++) {
        conn[i] = bed_open(&b);
    }
    /* 60 broadcasts of 5 bytes in one turn: five blocks' worth for all of them together. */
    for (uint32_t n = 0; n < 60; n++) {
        rs_shared shared;
        assert_true(rs_shared_acquire(&b.sessions[conn[0]].handle, &shared));
        memset(shared.data, (int)n, 5);
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(rs_shared_send(&b.sessions[conn[i]].handle, &shared, 5), RS_OK);
        }
        rs_shared_release(&b.sessions[conn[0]].handle, &shared);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(rs_sendq_bytes(&b.table.sendq_pool, &b.sessions[conn[i]].sendq), 300);
    }
    assert_int_equal(b.closed, 0);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t at, n = 0;
        (void)bed_collect(&b);
        while ((at = bed_find(&b, conn[i], RS_OP_SEND)) != UINT32_MAX) {
            for (uint32_t k = 0; k < b.outstanding[at].bytes; k++, n++) {
                assert_int_equal(b.outstanding[at].u.data[k], n / 5);
            }
            bed_finish(&b, at, RS_OK, b.outstanding[at].bytes);
            (void)bed_collect(&b);
        }
        assert_int_equal(n, 300);
    }
    end(&b);
}

/* A peer that does not read holds a block of each broadcast; it goes when they run out, and only
 * it, and only after it has been given a second. */
static void test_blocks_of_broadcasts_come_back_from_who_does_not_read(void **state) {
    bed b;
    rs_shared shared;
    uint32_t conn[2];
    (void)state;
    bed_init(&b, 5000, true, 2);
    b.table.cfg.idle_timeout_ms = 0;
    b.table.sendq_pool.shared_max = 2;
    b.table.sendq_pool.entries_each = 3;
    conn[0] = bed_open(&b);
    conn[1] = bed_open(&b);
    for (uint32_t n = 0; n < 2; n++) {
        assert_true(rs_shared_acquire(&b.sessions[conn[0]].handle, &shared));
        memset(shared.data, 'b', shared.room);
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(rs_shared_send(&b.sessions[conn[i]].handle, &shared, shared.room),
                             RS_OK);
        }
        rs_shared_release(&b.sessions[conn[0]].handle, &shared);
        (void)bed_collect(&b);
        bed_finish(&b, bed_find(&b, conn[1], RS_OP_SEND), RS_OK, shared.room);
    }
    assert_false(rs_shared_acquire(&b.sessions[conn[1]].handle, &shared));
    bed_advance_ms(&b, 900);
    assert_false(rs_shared_acquire(&b.sessions[conn[1]].handle, &shared));
    assert_int_equal(state_of(&b, conn[0]), RS_SESSION_OPEN);
    bed_away_ms(&b, 2000); /* an absence does not count */
    assert_false(rs_shared_acquire(&b.sessions[conn[1]].handle, &shared));
    assert_int_equal(rs_sessions_next_ms(&b.table), RS_AWAY_MS / 2u);
    bed_advance_ms(&b, 999);
    assert_false(rs_shared_acquire(&b.sessions[conn[1]].handle, &shared));
    assert_int_equal(rs_session_send(&b.sessions[conn[1]].handle, "a copy", 6), RS_OK);
    assert_int_equal(state_of(&b, conn[0]), RS_SESSION_OPEN);
    bed_advance_ms(&b, 2);
    (void)rs_shared_acquire(&b.sessions[conn[1]].handle, &shared);
    (void)bed_collect(&b);
    assert_int_equal(b.last_reason, RS_CLOSE_NO_BUFFERS);
    for (uint32_t at; (at = bed_find(&b, conn[0], RS_OP_SEND)) != UINT32_MAX;) {
        bed_finish(&b, at, RS_E_ABORTED, 0);
    }
    assert_true(rs_shared_acquire(&b.sessions[conn[1]].handle, &shared));
    rs_shared_release(&b.sessions[conn[1]].handle, &shared);
    assert_int_equal(b.closed, 1);
    end(&b);
}

static void share(bed *b, uint32_t conn, const rs_shared *shared, uint32_t bytes) {
    assert_int_equal(rs_shared_send(&b->sessions[conn].handle, shared, bytes), RS_OK);
}

/* The session that is cut for a broadcast held the last part of the block that it is packed into.
 */
static void test_blocks_broadcast_survives_what_it_cuts(void **state) {
    bed b;
    rs_shared first, large, frame;
    uint32_t greedy, reader, at, last;
    (void)state;
    bed_init(&b, 5000, true, 4);
    b.table.cfg.sends_in_flight = 16; /* so that all of it is seen at once */
    b.table.sendq_pool.entries_each = 1;
    greedy = bed_open(&b);
    reader = bed_open(&b);
    assert_int_equal(give(&b, reader, b.table.sendq_pool.reserve), RS_OK);
    assert_true(rs_shared_acquire(&b.sessions[reader].handle, &large));
    memset(large.data, 'l', large.room);
    share(&b, reader, &large, large.room);
    rs_shared_release(&b.sessions[reader].handle, &large);
    assert_true(rs_shared_acquire(&b.sessions[reader].handle, &first));
    memset(first.data, 'f', 20);
    assert_true(rs_shared_acquire(&b.sessions[reader].handle, &frame));
    for (uint32_t i = 0; i < 30; i++) {
        frame.data[i] = (uint8_t)i;
    }
    assert_int_equal(give(&b, greedy, b.blocks.free_count - 1), RS_OK);
    share(&b, greedy, &first, 20);
    share(&b, greedy, &frame, 30);
    assert_int_equal(b.blocks.free_count, 0);
    share(&b, reader, &frame, 30);
    assert_int_equal(state_of(&b, greedy), RS_SESSION_CUT);
    rs_shared_release(&b.sessions[reader].handle, &first);
    rs_shared_release(&b.sessions[reader].handle, &frame);
    (void)bed_collect(&b);
    last = UINT32_MAX;
    for (at = 0; at < b.outstanding_count; at++) {
        if (b.outstanding[at].conn == reader && b.outstanding[at].kind == RS_OP_SEND) {
            last = at;
        }
    }
    assert_int_equal(b.outstanding[last].bytes, 30);
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(b.outstanding[last].u.data[i], i);
    }
    end(&b);
}

static void test_blocks_refused_when_no_reserve_can_be_set_aside(void **state) {
    bed b;
    uint32_t conn, generation;
    (void)state;
    bed_init(&b, 5000, true, 2);
    b.table.sendq_pool.spoken_for = BED_BLOCKS - 2; /* as if others had been promised the rest */
    assert_false(rs_sessions_reserve(&b.table, &conn, &generation));
    b.table.sendq_pool.spoken_for = 0;
    assert_true(rs_sessions_reserve(&b.table, &conn, &generation));
    rs_sessions_unreserve(&b.table, conn);
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_greedy_session_waits_and_others_are_served),
        cmocka_unit_test(test_blocks_raw_sessions_live_on_their_reserves),
        cmocka_unit_test(test_blocks_peer_that_does_not_read_goes_after_a_second),
        cmocka_unit_test(test_blocks_absence_is_not_counted_against_a_peer),
        cmocka_unit_test(test_blocks_paused_session_goes_on_when_its_sends_complete),
        cmocka_unit_test(test_blocks_every_session_may_read_ahead_to_the_end_at_once),
        cmocka_unit_test(test_blocks_answers_of_another_thread_find_theirs),
        cmocka_unit_test(test_blocks_full_queue_keeps_those_of_what_is_handed_over),
        cmocka_unit_test(test_blocks_small_answers_do_not_take_those_of_a_long_one),
        cmocka_unit_test(test_blocks_who_has_waited_longest_is_cut_for_who_asks),
        cmocka_unit_test(test_blocks_asker_goes_when_there_is_nobody_else),
        cmocka_unit_test(test_blocks_draining_session_above_its_reserve_is_cut_too),
        cmocka_unit_test(test_blocks_kept_by_idle_sessions_are_their_own),
        cmocka_unit_test(test_blocks_broadcast_to_all_needs_one_block),
        cmocka_unit_test(test_blocks_of_broadcasts_come_back_from_who_does_not_read),
        cmocka_unit_test(test_blocks_broadcast_survives_what_it_cuts),
        cmocka_unit_test(test_blocks_refused_when_no_reserve_can_be_set_aside),
    };
    return cmocka_run_group_tests_name("session_blocks", tests, NULL, NULL);
}
