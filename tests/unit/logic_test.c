/* SPDX-License-Identifier: MIT */
/* The hand-over to a logic thread: a session table played by hand (session_bed.h) on one side, an
 * application that notes what it is told on the other. First stepped on one thread, with rings so
 * small that both sides must wait; then with a thread of its own, random traffic and a seed.
 *
 * A pass is: each session's callbacks in order, every message once, every reply at the peer in the
 * order of its request, what is stale dropped and counted, nothing in use at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/frame.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "server/logic.h"
#include "unit/random.h"

#define BED_BLOCKS 256u
#include "unit/session_bed.h"

#define SMALL_RING 512u /* three of the longest records */
#define OUT_BYTES 65536u

typedef struct note {
    rs_session *proxy;
    rs_session_id id;
    uint32_t opened, closed, messages; /* of this slot, all its generations */
    bool open;
} note;

/* The application's: touched by callbacks alone while a thread runs. */
typedef struct bench_app {
    note notes[BED_SLOTS];
    uint32_t replies;     /* for each message, that many copies */
    bool close_on_first;  /* rs_session_close at the first message of a session */
    bool reject_on_first; /* rs_session_reject */
    bool share;           /* replies by rs_shared_* */
    bool keep;            /* hold at a message, and answer nothing */
    uint32_t long_bytes;  /* not 0: one reply of so many bytes instead */
    rs_close_reason last; /* why the last one ended */
} bench_app;

typedef struct bench {
    bed bed;
    bench_app app;
    rs_logic *logic;
    rs_logic_channel *channel;
    rs_atomic_u32 shard_wakes;
    uint8_t out[BED_SLOTS][OUT_BYTES]; /* what reached each peer, of all generations */
    uint32_t out_bytes[BED_SLOTS];
} bench;

static uint64_t seed;

static note *note_of(bench_app *app, const rs_session *proxy) {
    uint32_t index = rs_session_id_index(rs_session_id_of(proxy));
    RS_ASSERT(index < BED_SLOTS && rs_session_id_shard(rs_session_id_of(proxy)) == 3);
    return &app->notes[index];
}

static void on_open(void *ctx, rs_session *proxy) {
    note *n = note_of(ctx, proxy);
    RS_ASSERT(!n->open && rs_session_user(proxy) == 0 && n->id != rs_session_id_of(proxy));
    n->proxy = proxy;
    n->id = rs_session_id_of(proxy);
    n->open = true;
    n->opened++;
    rs_session_set_user(proxy, n->id ^ 0x55u);
}

static void reply(bench_app *app, rs_session *proxy, const uint8_t *data, uint32_t bytes) {
    rs_shared shared;
    if (!app->share) {
        (void)rs_session_send(proxy, data, bytes);
        return;
    }
    RS_ASSERT(rs_shared_acquire(proxy, &shared) && shared.room >= bytes);
    memcpy(shared.data, data, bytes);
    (void)rs_shared_send(proxy, &shared, bytes);
    rs_shared_release(proxy, &shared);
}

static void on_message(void *ctx, rs_session *proxy, const uint8_t *data, uint32_t bytes) {
    static const uint8_t zeros[1024] = {0};
    bench_app *app = ctx;
    note *n = note_of(app, proxy);
    RS_ASSERT(n->open && n->id == rs_session_id_of(proxy) && n->proxy == proxy);
    RS_ASSERT(rs_session_user(proxy) == (n->id ^ 0x55u));
    n->messages++;
    if (app->keep) {
        rs_session_hold(proxy);
        return;
    }
    if (app->long_bytes > 0) {
        RS_ASSERT(rs_session_send(proxy, zeros, app->long_bytes) == RS_OK);
        return;
    }
    for (uint32_t i = 0; i < app->replies; i++) {
        reply(app, proxy, data, bytes);
    }
    if (app->reject_on_first) {
        rs_session_reject(proxy);
    }
    if (app->close_on_first) {
        rs_session_close(proxy);
        rs_session_close(proxy);
        RS_ASSERT(rs_session_send(proxy, data, bytes) == RS_E_CLOSED);
    }
}

static void on_close(void *ctx, rs_session *proxy, rs_close_reason reason) {
    bench_app *app = ctx;
    note *n = note_of(app, proxy);
    RS_ASSERT(n->open && n->id == rs_session_id_of(proxy));
    RS_ASSERT(rs_session_user(proxy) == (n->id ^ 0x55u));
    RS_ASSERT(rs_session_send(proxy, "x", 1) == RS_E_CLOSED);
    n->open = false;
    n->closed++;
    app->last = reason;
}

static void wake(void *ctx) {
    (void)rs_atomic_add_u32(ctx, 1);
}

static bench *bench_open(uint32_t ring_bytes, uint32_t queued_max, bool threaded) {
    static bench b;
    rs_error error = {.text = ""};
    rs_app app = {
        .ctx = &b.app, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    rs_logic_channel_config cfg = {.shard = 3,
                                   .sessions = &b.bed.table,
                                   .slot_count = BED_SLOTS,
                                   .payload_max = BED_RECV_BYTES,
                                   .block_bytes = BED_RECV_BYTES,
                                   .ring_bytes = ring_bytes,
                                   .wake = wake,
                                   .wake_ctx = &b.shard_wakes};
    memset(&b, 0, sizeof b);
    bed_init(&b.bed, queued_max, true, 2);
    b.app.replies = 1;
    assert_int_equal(rs_logic_open(&b.logic, &app, 4, threaded, &error), RS_OK);
    assert_int_equal(rs_logic_attach(b.logic, &cfg, &b.channel, &b.bed.table.app, &error), RS_OK);
    return &b;
}

/* The kernel takes every send whole. */
static void kernel_sends(bench *b) {
    uint32_t i = 0;
    (void)bed_collect(&b->bed);
    while (i < b->bed.outstanding_count) {
        rs_op op = b->bed.outstanding[i];
        if (op.kind != RS_OP_SEND) {
            i++;
            continue;
        }
        RS_ASSERT(b->out_bytes[op.conn] + op.bytes <= OUT_BYTES);
        memcpy(b->out[op.conn] + b->out_bytes[op.conn], op.u.data, op.bytes);
        b->out_bytes[op.conn] += op.bytes;
        bed_finish(&b->bed, i, RS_OK, op.bytes);
        (void)bed_collect(&b->bed);
        i = 0;
    }
}

/* Both sides turn until neither has anything to do. */
static void settle(bench *b) {
    bool more = true;
    while (more) {
        rs_logic_channel_turn(b->channel);
        kernel_sends(b);
        more = rs_logic_step(b->logic);
    }
    rs_logic_channel_turn(b->channel);
    kernel_sends(b);
}

static void bench_close_with(bench *b, rs_os_thread *thread) {
    uint32_t opened = 0, closed = 0;
    rs_sessions_close_all(&b->bed.table, true);
    for (uint32_t round = 0; round < 100 && b->bed.table.used_count > 0; round++) {
        (void)bed_collect(&b->bed);
        while (b->bed.outstanding_count > 0) {
            bed_finish(&b->bed, 0, RS_E_ABORTED, 0);
        }
    }
    rs_logic_channel_end(b->channel);
    rs_logic_stop(b->logic);
    rs_os_thread_join(thread);
    assert_int_equal(b->bed.table.used_count, 0);
    assert_int_equal(b->bed.blocks.free_count, BED_BLOCKS);
    for (uint32_t i = 0; i < BED_SLOTS; i++) {
        assert_false(b->app.notes[i].open);
        opened += b->app.notes[i].opened;
        closed += b->app.notes[i].closed;
    }
    assert_int_equal(opened, b->bed.table.counters.accepted);
    assert_int_equal(opened, closed);
    rs_logic_close(b->logic);
}

static void bench_close(bench *b) {
    bench_close_with(b, NULL);
}

/* count frames of `bytes` each, numbered from `first`, back to back. */
static uint32_t frames(uint8_t *out, uint32_t count, uint32_t bytes, uint8_t first) {
    for (uint32_t i = 0; i < count; i++) {
        (void)rs_frame_header(out + i * bytes, (uint8_t)(first + i), bytes - RS_FRAME_HEADER_BYTES);
        memset(out + i * bytes + RS_FRAME_HEADER_BYTES, (uint8_t)(first + i),
               bytes - RS_FRAME_HEADER_BYTES);
    }
    return count * bytes;
}

static uint32_t open_one(bench *b) {
    uint32_t conn = bed_open(&b->bed);
    assert_int_not_equal(conn, UINT32_MAX);
    (void)bed_collect(&b->bed);
    return conn;
}

static void end_of_stream(bench *b, uint32_t conn, rs_status status) {
    bed_finish(&b->bed, bed_find(&b->bed, conn, RS_OP_RECV), status, 0);
}

static void test_logic_callbacks_wait_for_its_thread_and_keep_order(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t bytes = frames(in, 3, 8, 1), conn = open_one(b);
    (void)state;
    (void)bed_receive(&b->bed, conn, in, bytes);
    assert_int_equal(b->app.notes[conn].opened, 0); /* nothing ran on the shard */
    assert_int_equal(b->bed.sessions[conn].holds, 3);
    assert_true(rs_logic_step(b->logic));
    assert_false(rs_logic_step(b->logic));
    assert_int_equal(b->app.notes[conn].messages, 3);
    assert_true(b->app.notes[conn].id == rs_session_id_of(&b->bed.sessions[conn].handle));
    assert_int_equal(b->bed.table.counters.messages_out, 0); /* not before the shard's turn */
    settle(b);
    assert_int_equal(b->bed.sessions[conn].holds, 0);
    assert_int_equal(b->out_bytes[conn], bytes);
    assert_memory_equal(b->out[conn], in, bytes);
    assert_int_equal(b->bed.table.counters.messages_out, 3);
    bench_close(b);
}

static void test_logic_half_close_gets_every_reply(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t bytes = frames(in, 3, 8, 1), conn = open_one(b);
    (void)state;
    (void)bed_receive(&b->bed, conn, in, bytes);
    (void)bed_collect(&b->bed);
    end_of_stream(b, conn, RS_OK);
    assert_int_equal(b->bed.sessions[conn].state, RS_SESSION_HELD);
    settle(b);
    assert_int_equal(b->out_bytes[conn], bytes);
    assert_memory_equal(b->out[conn], in, bytes);
    assert_int_equal(b->app.last, RS_CLOSE_PEER);
    assert_int_equal(b->app.notes[conn].closed, 1);
    bench_close(b);
}

static void test_logic_stale_records_reach_nobody(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b), next = UINT32_MAX;
    rs_counters stats = {0};
    uint64_t dropped = 0;
    (void)state;
    (void)bed_receive(&b->bed, conn, in, frames(in, 2, 8, 1));
    (void)bed_collect(&b->bed);
    (void)rs_logic_step(b->logic); /* two replies are in progress */
    end_of_stream(b, conn, RS_E_RESET);
    for (uint32_t i = 0; i < BED_SLOTS && next != conn; i++) { /* the slot is used again */
        (void)bed_collect(&b->bed);
        while (bed_find(&b->bed, conn, RS_OP_CLOSE) != UINT32_MAX) {
            bed_finish(&b->bed, bed_find(&b->bed, conn, RS_OP_CLOSE), RS_OK, 0);
        }
        if (i > 0) {
            rs_session_close(&b->bed.sessions[next].handle);
            (void)bed_collect(&b->bed);
            end_of_stream(b, next, RS_OK);
            (void)bed_collect(&b->bed);
            while (bed_count(&b->bed, next, RS_OP_SHUTDOWN) > 0) {
                bed_finish(&b->bed, bed_find(&b->bed, next, RS_OP_SHUTDOWN), RS_OK, 0);
            }
            bed_finish(&b->bed, bed_find(&b->bed, next, RS_OP_CLOSE), RS_OK, 0);
        }
        next = open_one(b);
    }
    assert_int_equal(next, conn);
    rs_logic_channel_turn(b->channel);
    kernel_sends(b);
    rs_logic_channel_stats(b->channel, &stats, &dropped);
    assert_int_equal(dropped, 2); /* the sends; the releases are no loss */
    assert_int_equal(b->out_bytes[conn], 0);
    settle(b);
    assert_int_equal(b->app.notes[conn].opened, 2);
    assert_int_equal(b->app.notes[conn].closed, 1);
    assert_int_equal(b->out_bytes[conn], 0);
    bench_close(b);
}

static void test_logic_full_rings_both_ways_lose_nothing(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[BED_RECV_BYTES];
    const uint32_t count = BED_RECV_BYTES / 3u;
    uint32_t bytes = frames(in, count, 3, 1), conn = open_one(b);
    rs_counters stats = {0};
    uint64_t dropped = 0;
    (void)state;
    b->app.replies = 3;
    (void)bed_receive(&b->bed, conn, in, bytes); /* 42 records of 32 bytes, and 168 back */
    settle(b);
    assert_int_equal(b->app.notes[conn].messages, count);
    assert_int_equal(b->out_bytes[conn], bytes * 3u);
    for (uint32_t i = 0; i < count * 3u; i++) {
        assert_memory_equal(b->out[conn] + i * 3u, in + i / 3u * 3u, 3);
    }
    rs_logic_channel_stats(b->channel, &stats, &dropped);
    assert_true(stats.logic_fulls > 4);
    assert_int_equal(dropped, 0);
    bench_close(b);
}

/* The replies taken while a push waits overflow the send queue and end the very session whose
 * message is waiting: that message must not come after its on_close. */
static void test_logic_session_that_ends_while_its_message_waits(void **state) {
    bench *b = bench_open(SMALL_RING, 100, false);
    uint8_t in[BED_RECV_BYTES];
    uint32_t conn = open_one(b), other = open_one(b);
    (void)state;
    b->app.replies = 8;
    (void)bed_receive(&b->bed, conn, in, frames(in, BED_RECV_BYTES / 3u, 3, 1));
    assert_int_equal(b->bed.table.counters.closed[RS_CLOSE_SLOW_CONSUMER], 1);
    settle(b);
    assert_int_equal(b->app.last, RS_CLOSE_SLOW_CONSUMER);
    assert_int_equal(b->app.notes[conn].closed, 1);
    assert_true(b->app.notes[conn].messages < BED_RECV_BYTES / 3u);
    b->app.replies = 1;
    (void)bed_receive(&b->bed, other, in, frames(in, 1, 8, 1)); /* nobody else is disturbed */
    settle(b);
    assert_int_equal(b->out_bytes[other], 8);
    bench_close(b);
}

static void test_logic_closed_by_the_application_gets_no_more(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.close_on_first = true;
    (void)bed_receive(&b->bed, conn, in, frames(in, 3, 8, 1));
    settle(b);
    assert_int_equal(b->app.notes[conn].messages, 1);
    assert_int_equal(b->out_bytes[conn], 8); /* sent before the close */
    assert_int_equal(b->app.last, RS_CLOSE_LOCAL);
    assert_int_equal(b->bed.table.counters.closed[RS_CLOSE_LOCAL], 1);
    bench_close(b);
}

static void test_logic_rejected_ends_as_protocol(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.reject_on_first = b->app.close_on_first = true;
    (void)bed_receive(&b->bed, conn, in, frames(in, 3, 8, 1));
    settle(b);
    assert_int_equal(b->app.notes[conn].messages, 1);
    assert_int_equal(b->app.last, RS_CLOSE_PROTOCOL);
    assert_int_equal(b->bed.table.counters.closed[RS_CLOSE_PROTOCOL], 1);
    bench_close(b);
}

static void test_logic_long_send_is_one_send(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.long_bytes = BED_RECV_BYTES * 5u + 1u;
    (void)bed_receive(&b->bed, conn, in, frames(in, 1, 8, 1));
    settle(b);
    assert_int_equal(b->out_bytes[conn], BED_RECV_BYTES * 5u + 1u);
    assert_int_equal(b->bed.table.counters.messages_out, 1);
    bench_close(b);
}

/* As on a shard: all of a send or nothing of it. The kernel takes what it is given at every turn,
 * so a beginning that was queued would be at the peer before the rest is refused. */
static void test_logic_send_above_the_limit_delivers_nothing(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.long_bytes = 1001;
    (void)bed_receive(&b->bed, conn, in, frames(in, 1, 8, 1));
    settle(b);
    assert_int_equal(b->bed.table.counters.closed[RS_CLOSE_SLOW_CONSUMER], 1);
    assert_int_equal(b->app.last, RS_CLOSE_SLOW_CONSUMER);
    assert_int_equal(b->out_bytes[conn], 0);
    assert_int_equal(b->bed.table.counters.messages_out, 0);
    bench_close(b);
}

/* The holds of messages in progress are not the application's to give back. */
static void test_logic_release_of_no_hold_is_refused(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b), bytes = frames(in, 3, 8, 1);
    (void)state;
    (void)bed_receive(&b->bed, conn, in, bytes);
    for (uint32_t i = 0; i < 5; i++) {
        rs_logic_channel_release(b->channel, &b->bed.sessions[conn]);
    }
    assert_int_equal(b->bed.sessions[conn].holds, 3);
    assert_int_equal(b->bed.table.counters.refused_releases, 5);
    (void)bed_collect(&b->bed);
    end_of_stream(b, conn, RS_OK);
    assert_int_equal(b->bed.sessions[conn].state, RS_SESSION_HELD); /* three answers are owed */
    (void)rs_logic_step(b->logic);
    rs_session_release(b->app.notes[conn].proxy);
    settle(b);
    assert_int_equal(b->bed.table.counters.refused_releases, 5); /* its session had ended */
    assert_int_equal(b->out_bytes[conn], bytes);
    assert_memory_equal(b->out[conn], in, bytes);
    bench_close(b);
}

static void test_logic_shared_blocks_are_copied(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[BED_RECV_BYTES];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.share = true;
    for (uint32_t i = 0; i < RS_SHARED_BLOCKS; i++) { /* more than there are: all come back */
        (void)bed_receive(&b->bed, conn, in, frames(in, 2, 10, (uint8_t)i));
        settle(b);
        assert_memory_equal(b->out[conn] + i * 20u, in, 20);
    }
    bench_close(b);
}

/* On the logic thread blocks are its own: a release too many is refused and counted there too. */
static void test_logic_release_of_a_shared_block_twice_is_refused(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint32_t conn = open_one(b);
    rs_counters counters = {.refused_releases = 0};
    uint64_t dropped = 0;
    rs_shared shared, copy, next;
    (void)state;
    (void)rs_logic_step(b->logic);
    rs_session *proxy = b->app.notes[conn].proxy;
    assert_true(rs_shared_acquire(proxy, &shared));
    memset(shared.data, 0x33, 20);
    copy = shared;
    assert_int_equal(rs_shared_send(proxy, &shared, 20), RS_OK);
    rs_shared_release(proxy, &shared);
    rs_shared_release(proxy, &shared);
    rs_shared_release(proxy, &copy);
    assert_int_equal(rs_shared_send(proxy, &shared, 20), RS_E_INVALID);
    assert_int_equal(rs_shared_send(proxy, &copy, 20), RS_E_INVALID);
    assert_true(rs_shared_acquire(proxy, &next));
    assert_int_equal(next.index, copy.index);
    memset(next.data, 0x44, 20);
    rs_shared_release(proxy, &copy);
    assert_int_equal(rs_shared_send(proxy, &next, 20), RS_OK);
    rs_shared_release(proxy, &next);
    settle(b);
    rs_logic_channel_stats(b->channel, &counters, &dropped);
    assert_int_equal(counters.refused_releases, 3);
    assert_int_equal(b->out_bytes[conn], 40);
    assert_int_equal(b->out[conn][19], 0x33);
    assert_int_equal(b->out[conn][20], 0x44);
    bench_close(b);
}

static void test_logic_application_may_answer_later(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    b->app.keep = true;
    (void)bed_receive(&b->bed, conn, in, frames(in, 2, 8, 1));
    settle(b);
    assert_int_equal(b->bed.sessions[conn].holds, 2); /* its own; the messages' are back */
    end_of_stream(b, conn, RS_OK);
    settle(b);
    assert_int_equal(b->app.notes[conn].closed, 0);
    assert_int_equal(rs_session_send(b->app.notes[conn].proxy, "late", 4), RS_OK);
    rs_session_release(b->app.notes[conn].proxy);
    rs_session_release(b->app.notes[conn].proxy);
    settle(b);
    assert_int_equal(b->out_bytes[conn], 4);
    assert_int_equal(b->app.notes[conn].closed, 1);
    assert_int_equal(b->app.last, RS_CLOSE_PEER);
    bench_close(b);
}

static void test_logic_sleeping_shard_is_woken_once(void **state) {
    bench *b = bench_open(SMALL_RING, 1000, false);
    uint8_t in[64];
    uint32_t conn = open_one(b);
    (void)state;
    (void)bed_receive(&b->bed, conn, in, frames(in, 3, 8, 1));
    (void)rs_logic_step(b->logic);
    assert_int_equal(rs_atomic_load_u32(&b->shard_wakes), 0); /* it was awake */
    assert_false(rs_logic_channel_sleep(b->channel));         /* records are there */
    rs_logic_channel_awake(b->channel);
    settle(b);
    (void)bed_receive(&b->bed, conn, in, frames(in, 3, 8, 1));
    assert_true(rs_logic_channel_sleep(b->channel));
    (void)rs_logic_step(b->logic);
    assert_int_equal(rs_atomic_load_u32(&b->shard_wakes), 1);
    rs_logic_channel_awake(b->channel);
    settle(b);
    assert_int_equal(rs_atomic_load_u32(&b->shard_wakes), 1);
    bench_close(b);
}

/* ---- with a thread */

#define IN_BYTES (OUT_BYTES / 4u)

typedef struct peers {
    uint8_t in[BED_SLOTS][IN_BYTES]; /* what each sent, since its slot was opened */
    uint32_t in_bytes[BED_SLOTS];
    uint32_t checked;
} peers;

/* One turn of a shard whose peers send and half-close at random. */
static void random_turn(bench *b, test_random *random, peers *p) {
    uint32_t conn = test_random_below(random, BED_SLOTS);
    bed *t = &b->bed;
    uint32_t recv = bed_find(t, conn, RS_OP_RECV);
    if (t->sessions[conn].state != RS_SESSION_OPEN || recv == UINT32_MAX) {
        (void)bed_open(t);
    } else if (test_random_below(random, 40) == 0 ||
               p->in_bytes[conn] + BED_RECV_BYTES > IN_BYTES) {
        end_of_stream(b, conn, RS_OK);
    } else {
        uint32_t size = 3u + test_random_below(random, 20);
        uint32_t count = 1u + test_random_below(random, t->outstanding[recv].bytes / size);
        uint8_t *in = p->in[conn] + p->in_bytes[conn];
        uint32_t bytes = frames(in, count, size, (uint8_t)p->in_bytes[conn]);
        p->in_bytes[conn] += bed_receive(t, conn, in, bytes);
    }
}

/* The ends of sessions: what each sent must have come back, byte for byte if once. */
static void reap(bench *b, peers *p) {
    bed *t = &b->bed;
    for (uint32_t conn = 0; conn < BED_SLOTS; conn++) {
        if (bed_count(t, conn, RS_OP_CLOSE) == 0) {
            continue;
        }
        assert_int_equal(b->out_bytes[conn], p->in_bytes[conn] * b->app.replies);
        if (b->app.replies == 1) {
            assert_memory_equal(b->out[conn], p->in[conn], p->in_bytes[conn]);
        }
        b->out_bytes[conn] = p->in_bytes[conn] = 0;
        p->checked++;
        bed_finish(t, bed_find(t, conn, RS_OP_CLOSE), RS_OK, 0);
    }
}

static void test_logic_thread_under_random_traffic_loses_nothing(void **state) {
    static peers p;
    (void)state;
    for (uint32_t replies = 1; replies <= 3; replies++) {
        bench *b = bench_open(SMALL_RING, 100000, true);
        test_random random = {.state = seed + replies};
        rs_os_thread *thread;
        rs_error error;
        rs_counters stats = {0};
        uint64_t dropped = 0;
        memset(&p, 0, sizeof p);
        b->app.replies = replies;
        assert_int_equal(rs_os_thread_start(&thread, rs_logic_run, b->logic, &error), RS_OK);
        for (uint32_t turn = 0; turn < 30000u; turn++) {
            random_turn(b, &random, &p);
            rs_logic_channel_turn(b->channel);
            kernel_sends(b);
            reap(b, &p);
            if (turn % 64u == 0 && rs_logic_channel_sleep(b->channel)) {
                rs_os_sleep_ms(0);
            }
            rs_logic_channel_awake(b->channel);
        }
        assert_true(p.checked > 100);
        rs_logic_channel_stats(b->channel, &stats, &dropped);
        assert_true(stats.logic_fulls > 0 && stats.logic_wakes > 0);
        assert_int_equal(dropped, 0);
        assert_int_equal(b->bed.table.counters.closed[RS_CLOSE_NO_BUFFERS], 0);
        bench_close_with(b, thread);
    }
}

/* An application that is told of room, without sessions. */
typedef struct room {
    rs_logic *logic;
    rs_logic_channel *channel;
    uint32_t told;
    uint32_t again; /* so often it is full once more, and room is made at once */
    rs_os_event *enough;
} room;

static void on_room(void *ctx, rs_server *server, uint32_t shard) {
    room *r = ctx;
    RS_ASSERT(server == NULL && shard == 0);
    r->told++;
    if (r->told <= r->again) {
        rs_logic_tell_room(r->logic);
    } else {
        rs_os_event_set(r->enough);
    }
}

static void room_open(room *r, bool threaded) {
    const rs_app app = {.ctx = r, .on_message = on_message, .on_room = on_room};
    rs_error error = {.text = ""};
    memset(r, 0, sizeof *r);
    assert_int_equal(rs_os_event_open(&r->enough, &error), RS_OK);
    assert_int_equal(rs_logic_open(&r->logic, &app, 1, threaded, &error), RS_OK);
}

static void room_attach(room *r, rs_sessions *none) {
    const rs_logic_channel_config cfg = {.sessions = none,
                                         .slot_count = 1,
                                         .payload_max = BED_RECV_BYTES,
                                         .block_bytes = BED_RECV_BYTES,
                                         .ring_bytes = SMALL_RING};
    rs_error error = {.text = ""};
    rs_app app;
    assert_int_equal(rs_logic_attach(r->logic, &cfg, &r->channel, &app, &error), RS_OK);
}

static void room_close(room *r, rs_os_thread *thread) {
    rs_logic_channel_end(r->channel);
    rs_logic_stop(r->logic);
    rs_os_thread_join(thread);
    rs_logic_close(r->logic);
    rs_os_event_close(r->enough);
}

static void test_logic_room_is_told_once_when_there_is_a_shard(void **state) {
    static rs_sessions none;
    room r;
    (void)state;
    room_open(&r, false);
    rs_logic_tell_room(r.logic);
    (void)rs_logic_step(r.logic);
    assert_int_equal(r.told, 0);
    room_attach(&r, &none);
    for (uint32_t i = 0; i < 3; i++) {
        (void)rs_logic_step(r.logic);
        assert_int_equal(r.told, 1);
    }
    room_close(&r, NULL);
}

/* Told in on_room, when no record has come and the thread is about to sleep. */
static void test_logic_thread_does_not_sleep_over_room(void **state) {
    static rs_sessions none;
    rs_os_thread *thread;
    rs_error error;
    room r;
    (void)state;
    room_open(&r, true);
    r.again = 5;
    room_attach(&r, &none);
    assert_int_equal(rs_os_thread_start(&thread, rs_logic_run, r.logic, &error), RS_OK);
    rs_logic_tell_room(r.logic);
    (void)rs_os_event_wait(r.enough, UINT32_MAX);
    room_close(&r, thread);
    assert_int_equal(r.told, 6);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logic_callbacks_wait_for_its_thread_and_keep_order),
        cmocka_unit_test(test_logic_half_close_gets_every_reply),
        cmocka_unit_test(test_logic_stale_records_reach_nobody),
        cmocka_unit_test(test_logic_full_rings_both_ways_lose_nothing),
        cmocka_unit_test(test_logic_session_that_ends_while_its_message_waits),
        cmocka_unit_test(test_logic_closed_by_the_application_gets_no_more),
        cmocka_unit_test(test_logic_rejected_ends_as_protocol),
        cmocka_unit_test(test_logic_long_send_is_one_send),
        cmocka_unit_test(test_logic_send_above_the_limit_delivers_nothing),
        cmocka_unit_test(test_logic_release_of_no_hold_is_refused),
        cmocka_unit_test(test_logic_shared_blocks_are_copied),
        cmocka_unit_test(test_logic_release_of_a_shared_block_twice_is_refused),
        cmocka_unit_test(test_logic_application_may_answer_later),
        cmocka_unit_test(test_logic_sleeping_shard_is_woken_once),
        cmocka_unit_test(test_logic_thread_under_random_traffic_loses_nothing),
        cmocka_unit_test(test_logic_room_is_told_once_when_there_is_a_shard),
        cmocka_unit_test(test_logic_thread_does_not_sleep_over_room),
    };
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests_name("logic", tests, NULL, NULL);
}
