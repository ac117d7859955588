/* SPDX-License-Identifier: MIT */
/* The board game over sessions and mailboxes played by the test, against a referee.
 *
 * Clients and referee are those of board_bot.h. Random walks with log in, log out, lost
 * connections, sends that fail and full mailboxes, on one copy and on several: whenever everything
 * told has been heard, each client must know exactly whom the referee has in its view, and all
 * copies must agree. */
#include "apps/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "apps/board_log.h"
#include "core/assert.h"
#include "core/handle.h"
#include "core/limits.h"
#include "seam/os.h"
#include "unit/board_bot.h"
#include "unit/random.h"

#define SHARDS 3u
#define CLIENTS 16u /* of a shard */
#define KNOWN_MAX (SHARDS * CLIENTS)
#define BOX_MAX 512u

/* A session and the client behind it. */
typedef struct client {
    rs_session handle; /* first: the application's session */
    bool open, paused;
    rs_close_reason reason; /* of its end */
    board_bot bot;
} client;

typedef struct box_message {
    uint32_t from, bytes;
    uint8_t data[256];
} box_message;

typedef struct shard {
    rs_session_ops ops;
    client clients[CLIENTS];
    box_message box[BOX_MAX];
    uint32_t box_count;
    uint32_t generation;
} shard;

typedef struct bed {
    rs_board *board;
    rs_app app;
    uint32_t shards;
    test_random random;
    uint32_t fail_one_in; /* sends that end the session; 0 = none */
    uint32_t full_one_in; /* messages to a shard that find its mailbox full */
    uint32_t box_max;
    uint32_t lent, fulls, pauses, shared_sends;
    const rs_session_ops *lender[RS_SHARED_BLOCKS]; /* whose block it is */
    shard shard[SHARDS];
    uint8_t block[RS_SHARED_BLOCKS][64];
} bed;

static bed b; /* one at a time */

/* ---- sessions */

static client *client_of(rs_session *session) {
    return (client *)(void *)session;
}

static void fake_end(client *c, rs_close_reason reason) {
    if (c->open) {
        c->open = c->bot.plays = false;
        c->reason = reason;
        b.app.on_close(b.app.ctx, &c->handle, reason);
    }
}

static rs_status fake_send(rs_session *session, const uint8_t *data, uint32_t bytes) {
    client *c = client_of(session);
    if (!c->open) {
        return RS_E_CLOSED;
    }
    if (b.fail_one_in > 0 && test_random_next(&b.random) % b.fail_one_in == 0) {
        fake_end(c, RS_CLOSE_SLOW_CONSUMER);
        return RS_E_FULL;
    }
    bot_take(&c->bot, data, bytes);
    return RS_OK;
}

static void fake_close(rs_session *session, rs_close_reason reason) {
    fake_end(client_of(session), reason);
}

static void fake_pause(rs_session *session) {
    client_of(session)->paused = true;
    b.pauses++;
}

static void fake_resume(rs_session *session) {
    client_of(session)->paused = false;
}

/* Now and then there is no block. */
static bool fake_shared_acquire(rs_session *session, rs_shared *out) {
    if (test_random_next(&b.random) % 8u == 0) {
        return false;
    }
    assert_true(b.lent < RS_SHARED_BLOCKS);
    b.lender[b.lent] = session->ops;
    *out = (rs_shared){.data = b.block[b.lent], .room = 64, .index = b.lent, .generation = 1};
    b.lent++;
    return true;
}

static rs_status fake_shared_send(rs_session *session, const rs_shared *shared, uint32_t bytes) {
    assert_true(shared->data == b.block[shared->index] && bytes <= shared->room);
    assert_ptr_equal(session->ops, b.lender[shared->index]);
    b.shared_sends++;
    return fake_send(session, shared->data, bytes);
}

static void fake_shared_release(rs_session *session, rs_shared *shared) {
    (void)session;
    assert_true(shared->generation == 1 && b.lent > 0);
    b.lent--;
    shared->generation = 0;
}

static rs_status bed_tell(void *ctx, uint32_t to, const void *data, uint32_t bytes) {
    shard *s = &b.shard[to];
    const shard *self = ctx;
    assert_true(s != self && to < b.shards && bytes > 0 && bytes <= sizeof s->box[0].data);
    if (s->box_count == b.box_max ||
        (b.full_one_in > 0 && test_random_next(&b.random) % b.full_one_in == 0)) {
        b.fulls++;
        return RS_E_FULL;
    }
    s->box[s->box_count].from = (uint32_t)(self - b.shard);
    s->box[s->box_count].bytes = bytes;
    memcpy(s->box[s->box_count].data, data, bytes);
    s->box_count++;
    return RS_OK;
}

/* ---- the bed */

static void bed_open_with(uint32_t shards, bool logic_thread, uint32_t width, uint32_t height,
                          uint32_t view, uint64_t seed) {
    rs_board_config cfg = {
        .settings = {.width = width, .height = height, .view = view, .share = seed % 5u != 4u},
        .workers = shards,
        .sessions_max = shards * CLIENTS,
        .frame_bytes_max = 256,
        .logic_thread = logic_thread};
    rs_error error = {.text = ""};
    memset(&b, 0, sizeof b);
    b.random.state = seed;
    b.shards = shards;
    b.box_max = BOX_MAX;
    assert_int_equal(rs_board_open(&b.board, &cfg, &error), RS_OK);
    b.app = rs_board_app(b.board);
    for (uint32_t s = 0; s < shards; s++) {
        b.shard[s].ops = (rs_session_ops){.shard = s,
                                          .thread = rs_thread_key(),
                                          .send = fake_send,
                                          .close = fake_close,
                                          .pause = fake_pause,
                                          .resume = fake_resume,
                                          .shared_acquire = fake_shared_acquire,
                                          .shared_send = fake_shared_send,
                                          .shared_release = fake_shared_release};
    }
}

static void bed_open(uint32_t shards, uint32_t width, uint32_t height, uint32_t view,
                     uint64_t seed) {
    bed_open_with(shards, false, width, height, view, seed);
}

static client *bed_connect(uint32_t s, uint32_t index) {
    client *c = &b.shard[s].clients[index];
    assert_false(c->open);
    *c = (client){.handle = {.ops = &b.shard[s].ops, .index = index}, .open = true};
    c->handle.generation = ++b.shard[s].generation;
    b.app.on_open(b.app.ctx, &c->handle);
    return c;
}

static void bed_ask(client *c, const rs_board_frame *frame) {
    uint8_t data[RS_BOARD_FRAME_BYTES_MAX];
    uint32_t bytes = rs_board_encode(frame, data);
    assert_true(c->open && !c->paused);
    b.app.on_message(b.app.ctx, &c->handle, data, bytes);
    assert_int_equal(b.lent, 0);
}

static void bed_log_in(client *c) {
    static const rs_board_frame login = {
        .type = RS_BOARD_LOGIN, .name = "somebody", .name_bytes = 8};
    bed_ask(c, &login);
}

static void bed_move(client *c, uint32_t direction) {
    rs_board_frame move = {.type = RS_BOARD_MOVE, .direction = (uint8_t)direction};
    bed_ask(c, &move);
}

static void bed_log_out(client *c) {
    static const rs_board_frame logout = {.type = RS_BOARD_LOGOUT};
    bed_ask(c, &logout);
}

/* One turn of a shard: what was told, then the end of the turn. True: it has more to tell. */
static bool bed_turn(uint32_t s) {
    shard *self = &b.shard[s];
    rs_peers peers = {
        .shard = s, .count = b.shards, .bytes_max = 256, .tell = bed_tell, .ctx = self};
    uint32_t heard = self->box_count;
    bool more = false;
    for (uint32_t i = 0; i < heard; i++) {
        b.app.on_peer(b.app.ctx, s, self->box[i].from, self->box[i].data, self->box[i].bytes);
    }
    self->box_count -= heard;
    memmove(self->box, self->box + heard, self->box_count * sizeof self->box[0]);
    if (rs_board_copies(b.board) > 1) {
        more = b.app.on_turn(b.app.ctx, &peers);
    }
    return more;
}

/* Until everything told has been heard. */
static void bed_settle(void) {
    bool more = true;
    for (uint32_t turns = 0; more; turns++) {
        assert_true(turns < 100000u);
        more = false;
        for (uint32_t s = 0; s < b.shards; s++) {
            more = bed_turn(s) || more;
        }
        for (uint32_t s = 0; s < b.shards; s++) {
            more = more || b.shard[s].box_count > 0;
        }
    }
}

/* ---- the referee: every pair */

static uint32_t everybody(board_bot *out[KNOWN_MAX]) {
    uint32_t count = 0;
    for (uint32_t s = 0; s < b.shards; s++) {
        for (uint32_t i = 0; i < CLIENTS; i++) {
            if (b.shard[s].clients[i].open && b.shard[s].clients[i].bot.plays) {
                out[count++] = &b.shard[s].clients[i].bot;
            }
        }
    }
    return count;
}

static void referee_copies(board_bot *const players[], uint32_t count) {
    for (uint32_t copy = 0; copy < rs_board_copies(b.board); copy++) {
        const rs_board_map *map = rs_board_copy(b.board, copy);
        uint32_t there = 0;
        for (uint32_t i = 0; i < map->player_count; i++) {
            there += map->players[i].id != 0 ? 1u : 0u;
        }
        assert_int_equal(there, count);
        for (uint32_t i = 0; i < count; i++) {
            const bot_known *self = &players[i]->self;
            const rs_board_player *player = rs_board_map_find(map, self->id);
            assert_non_null(player);
            assert_int_equal(player->seq, self->seq);
            assert_int_equal(player->x, self->x);
            assert_int_equal(player->y, self->y);
        }
    }
}

static void referee(void) {
    board_bot *players[KNOWN_MAX];
    uint32_t count = everybody(players);
    for (uint32_t i = 0; i < count; i++) {
        board_bot_agrees(players, count, i, rs_board_copy(b.board, 0)->view);
    }
    referee_copies(players, count);
}

/* ---- tests */

static void walk_one_step(void) {
    uint32_t s = (uint32_t)(test_random_next(&b.random) % b.shards);
    uint32_t index = (uint32_t)(test_random_next(&b.random) % CLIENTS);
    uint32_t dice = (uint32_t)(test_random_next(&b.random) % 100u);
    client *c = &b.shard[s].clients[index];
    if (!c->open) {
        (void)bed_connect(s, index);
    } else if (dice == 0) {
        fake_end(c, RS_CLOSE_PEER); /* paused or not */
    } else if (c->paused) {
        (void)bed_turn(s);
    } else if (!c->bot.plays) {
        bed_log_in(c);
    } else if (dice == 1) {
        bed_log_out(c);
    } else {
        bed_move(c, dice % 8u);
    }
    if (dice % 4u == 0) {
        (void)bed_turn((uint32_t)(test_random_next(&b.random) % b.shards));
    }
}

static void walk(uint32_t steps, uint32_t settle_each) {
    for (uint32_t i = 0; i < steps; i++) {
        walk_one_step();
        if (i % settle_each == 0) {
            bed_settle();
            referee();
        }
    }
    bed_settle();
    referee();
    rs_board_close(b.board);
}

static void test_board_one_copy_agrees_with_the_referee_at_every_step(void **state) {
    static const uint32_t sizes[][3] = {{1, 1, 1},   {1, 1, 3},   {9, 7, 3},    {12, 40, 5},
                                        {40, 9, 15}, {33, 31, 7}, {17, 16, 255}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bed_open(1, sizes[i][0], sizes[i][1], sizes[i][2], i + 1);
        walk(4000, 1);
        bed_open(1, sizes[i][0], sizes[i][1], sizes[i][2], i + 100);
        b.fail_one_in = 60;
        walk(4000, 1);
    }
}

/* One copy for the sessions of several shards: a block is lent to those of its own shard only. */
static void test_board_logic_thread_has_one_copy_for_all_shards(void **state) {
    (void)state;
    bed_open_with(SHARDS, true, 20, 14, 7, 1);
    assert_int_equal(rs_board_copies(b.board), 1);
    walk(6000, 1);
    assert_true(b.shared_sends > 1000);
}

static void test_board_copies_agree_when_all_is_told(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        bed_open(2 + seed % 2u, 20, 14, seed % 3u == 0 ? 3 : 7, seed);
        b.fail_one_in = seed % 2u == 0 ? 200 : 0;
        b.full_one_in = seed % 4u < 2u ? 3 : 0;
        walk(6000, 37);
        assert_true(b.full_one_in == 0 || b.fulls > 0);
        assert_true(seed % 5u == 4u ? b.shared_sends == 0 : b.shared_sends > 1000);
    }
}

/* Nobody hears: who moves is paused one by one, may still leave, and all comes out in the end. */
static void full_log(client *c[CLIENTS]) {
    uint32_t moves = 0, pauses = b.pauses;
    b.box_max = 1;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        for (; !c[i]->paused; moves++) {
            assert_true(moves < 100000u);
            bed_move(c[i], (uint32_t)(test_random_next(&b.random) % 8u));
            if (moves % 16u == 0) {
                uint32_t heard = b.shard[1].box_count; /* shard 1 has no turn */
                (void)bed_turn(0);
                assert_true(b.shard[1].box_count >= heard);
            }
        }
    }
    assert_true(moves > 10000u); /* a quarter of a MiB of them */
    assert_int_equal(b.pauses - pauses, CLIENTS);
    fake_end(c[0], RS_CLOSE_RESET); /* while it waits */
    fake_end(c[CLIENTS - 1u], RS_CLOSE_RESET);
    fake_end(c[3], RS_CLOSE_RESET);
    c[CLIENTS - 1u] = bed_connect(0, CLIENTS - 1u); /* in line behind those who are left */
    bed_log_in(c[CLIENTS - 1u]);
    assert_true(c[CLIENTS - 1u]->paused);
    b.box_max = BOX_MAX;
    bed_settle();
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_false(c[i]->open && c[i]->paused);
    }
    referee();
}

static void test_board_full_log_pauses_those_who_move(void **state) {
    client *c[CLIENTS];
    (void)state;
    bed_open(2, 20, 20, 5, 7);
    for (uint32_t round = 0; round < 3; round++) { /* the log's pieces are used again */
        for (uint32_t i = 0; i < CLIENTS; i++) {
            if (!b.shard[0].clients[i].open) {
                c[i] = bed_connect(0, i);
                bed_log_in(c[i]);
            }
        }
        bed_settle();
        full_log(c);
    }
    rs_board_close(b.board);
}

static void test_board_ids_are_used_again_with_another_generation(void **state) {
    uint32_t first, id, rounds = 0;
    client *c, *asker;
    rs_board_frame ask = {.type = RS_BOARD_ASK};
    (void)state;
    bed_open(2, 5, 5, 3, 3);
    c = bed_connect(0, 0);
    asker = bed_connect(1, 0);
    bed_log_in(asker);
    bed_log_in(c);
    first = c->bot.self.id;
    bed_settle();
    ask.id = first;
    bed_ask(asker, &ask);
    assert_int_equal(asker->bot.last.type, RS_BOARD_PLAYER);
    assert_int_equal(asker->bot.last.id, first);
    do {
        bed_log_out(c);
        bed_log_in(c);
        id = c->bot.self.id;
        assert_int_not_equal(id, first);
        rounds++;
    } while (rs_board_index(id) != rs_board_index(first));
    assert_true(rounds >= CLIENTS); /* its index has rested longest */
    bed_settle();
    bed_ask(asker, &ask);
    assert_int_equal(asker->bot.last.type, RS_BOARD_REFUSED);
    assert_int_equal(asker->bot.last.request, RS_BOARD_ASK);
    assert_int_equal(asker->bot.last.reason, RS_BOARD_STALE);
    ask.id = id;
    bed_ask(asker, &ask);
    assert_int_equal(asker->bot.last.type, RS_BOARD_PLAYER);
    bed_log_out(c);
    bed_settle();
    for (uint32_t i = 0; i < 32u; i++) { /* ids of nobody, whose indexes are not in use either */
        ask.id = i % 2u == 0 ? i : UINT32_MAX - i;
        bed_ask(asker, &ask);
        assert_int_equal(asker->bot.last.type, RS_BOARD_REFUSED);
    }
    assert_true(asker->open);
    referee();
    rs_board_close(b.board);
}

/* A generation has 16 bits, and 0 is none of them. */
static void test_board_generations_wrap_without_an_id_of_nobody(void **state) {
    client *c;
    (void)state;
    bed_open(1, 3, 3, 3, 5);
    c = bed_connect(0, 0);
    for (uint32_t i = 0; i < 66000u * 34u; i++) { /* 34 players in turn */
        bed_log_in(c);
        assert_int_not_equal(c->bot.self.id >> 16, 0);
        bed_log_out(c);
    }
    rs_board_close(b.board);
}

static void expect_rejected(const uint8_t *data, uint32_t bytes, bool logged_in) {
    client *bad, *good;
    bed_open(1, 3, 3, 3, 9);
    good = bed_connect(0, 1);
    bed_log_in(good);
    bad = bed_connect(0, 0);
    if (logged_in) {
        bed_log_in(bad);
        assert_int_equal(good->bot.others_count, 1);
    }
    b.app.on_message(b.app.ctx, &bad->handle, data, bytes);
    assert_false(bad->open);
    assert_int_equal(bad->reason, RS_CLOSE_PROTOCOL);
    assert_true(good->open);
    assert_int_equal(good->bot.others_count, 0);
    assert_true(!logged_in || good->bot.last.why == RS_BOARD_GONE);
    referee();
    rs_board_close(b.board);
}

static void test_board_hostile_frames_end_their_session_alone(void **state) {
    static const struct {
        bool logged_in;
        uint32_t bytes;
        uint8_t data[40];
    } bad[] = {
        {false, 4, {4, 0, 2, 1}},           /* a move without log in */
        {false, 3, {3, 0, 3}},              /* log out */
        {false, 7, {7, 0, 4, 1, 0, 1, 0}},  /* ask */
        {true, 4, {4, 0, 1, 'a'}},          /* a second log in */
        {true, 4, {4, 0, 2, 8}},            /* a direction there is not */
        {true, 4, {4, 0, 2, 255}},          /* another one */
        {true, 3, {3, 0, 2}},               /* none */
        {true, 33, {33, 0, 2, 1}},          /* too long */
        {true, 4, {4, 0, 3, 0}},            /* log out with something */
        {true, 6, {6, 0, 4, 1, 0, 1}},      /* half an id */
        {true, 3, {3, 0, 0}},               /* unknown types */
        {true, 3, {3, 0, 5}},               /* ... */
        {true, 3, {3, 0, 255}},             /* ... */
        {true, 15, {15, 0, 0x82, 1, 0, 1}}, /* what only the server says */
        {false, 5, {5, 0, 0x86, 1, 1}},     /* ... */
        {false, 3, {3, 0, 1}},              /* no name */
        {false, 4, {4, 0, 1, ' '}},         /* a bad one */
        {false, 5, {5, 0, 1, 'a', 0x1B}},   /* that a terminal would obey */
        {false, 20, {20,  0,   1,   'a', 'a', 'a', 'a', 'a', 'a', 'a',
                     'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'}}, /* a long one */
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_rejected(bad[i].data, bad[i].bytes, bad[i].logged_in);
    }
}

/* 100 frames a second: the first one of the next second is one of its 100. */
static void flood_at_its_limit(void) {
    client *c = bed_connect(0, 2);
    uint64_t from_ns;
    uint32_t moves = 0;
    bed_log_in(c);
    for (uint32_t i = 1; i < 100; i++) {
        bed_move(c, i % 8u);
    }
    rs_os_sleep_ms(1001);
    from_ns = rs_os_now_ns();
    for (; c->open && moves < 100000u; moves++) {
        bed_move(c, moves % 8u);
    }
    if (rs_os_now_ns() - from_ns < 1000000000u) { /* else that second ended meanwhile */
        assert_int_equal(moves, 101);
    }
    assert_int_equal(c->reason, RS_CLOSE_PROTOCOL);
}

static void test_board_flood_ends_as_protocol(void **state) {
    rs_board_config cfg = {.settings = {.width = 5, .height = 5, .view = 3, .rate = 100},
                           .workers = 1,
                           .sessions_max = CLIENTS,
                           .frame_bytes_max = 256};
    rs_error error;
    client *c, *viewer;
    uint32_t moves = 0;
    (void)state;
    bed_open(1, 5, 5, 3, 4);
    rs_board_close(b.board);
    assert_int_equal(rs_board_open(&b.board, &cfg, &error), RS_OK);
    b.app = rs_board_app(b.board);
    viewer = bed_connect(0, 1);
    bed_log_in(viewer);
    c = bed_connect(0, 0);
    bed_log_in(c);
    for (; c->open && moves < 100000u; moves++) {
        bed_move(c, moves % 8u);
    }
    assert_in_range(moves, 100, 1000); /* a slow machine has more seconds for them */
    assert_int_equal(c->reason, RS_CLOSE_PROTOCOL);
    for (uint32_t i = 0; i < 150; i++) { /* in two seconds */
        bed_move(viewer, i % 8u);
        if (i == 75) {
            rs_os_sleep_ms(1001);
        }
    }
    assert_true(viewer->open);
    flood_at_its_limit();
    referee();
    rs_board_close(b.board);
}

/* Of a session only what it is told last. */
typedef struct guest {
    rs_session handle;
    uint8_t type, reason;
    bool paused;
} guest;

static rs_status guest_send(rs_session *session, const uint8_t *data, uint32_t bytes) {
    guest *g = (guest *)(void *)session;
    assert_true(bytes >= RS_FRAME_HEADER_BYTES);
    g->type = rs_frame_type(data);
    g->reason = g->type == RS_BOARD_REFUSED ? data[4] : 0;
    return RS_OK;
}

static void guest_ask(guest *g, rs_board_type type) {
    const uint8_t login[] = {4, 0, RS_BOARD_LOGIN, 'g'};
    const uint8_t logout[] = {3, 0, RS_BOARD_LOGOUT};
    if (type == RS_BOARD_LOGIN) {
        b.app.on_message(b.app.ctx, &g->handle, login, sizeof login);
    } else {
        b.app.on_message(b.app.ctx, &g->handle, logout, sizeof logout);
    }
}

static bool guest_no_block(rs_session *session, rs_shared *out) {
    (void)session;
    (void)out;
    return false;
}

/* More sessions than ids: one is refused, and is let in when another has left. */
static void test_board_full_refuses_and_lets_in_later(void **state) {
    const uint32_t count = RS_BOARD_PLAYERS_MAX + 1u;
    rs_board_config cfg = {.settings = {.width = 65535, .height = 65535, .view = 1},
                           .workers = 1,
                           .sessions_max = count,
                           .frame_bytes_max = 256};
    rs_session_ops ops = {
        .thread = rs_thread_key(), .send = guest_send, .shared_acquire = guest_no_block};
    guest *guests = calloc(count, sizeof *guests);
    guest late = {.type = 0};
    rs_error error;
    (void)state;
    assert_non_null(guests);
    assert_int_equal(rs_board_open(&b.board, &cfg, &error), RS_OK);
    b.app = rs_board_app(b.board);
    for (uint32_t i = 0; i < count; i++) {
        guests[i].handle = (rs_session){.ops = &ops, .index = i, .generation = 1};
        b.app.on_open(b.app.ctx, &guests[i].handle);
        guest_ask(&guests[i], RS_BOARD_LOGIN);
        assert_true(guests[i].type != RS_BOARD_REFUSED || i == count - 1u);
    }
    assert_int_equal(guests[count - 1u].type, RS_BOARD_REFUSED);
    assert_int_equal(guests[count - 1u].reason, RS_BOARD_FULL);
    late.handle =
        (rs_session){.ops = &ops, .index = count + RS_CLOSING_SLACK(count) - 1u, .generation = 1};
    b.app.on_open(b.app.ctx, &late.handle); /* while others are still closing */
    b.app.on_close(b.app.ctx, &late.handle, RS_CLOSE_PEER);
    guest_ask(&guests[77], RS_BOARD_LOGOUT);
    guest_ask(&guests[count - 1u], RS_BOARD_LOGIN);
    assert_int_not_equal(guests[count - 1u].type, RS_BOARD_REFUSED);
    guest_ask(&guests[77], RS_BOARD_LOGIN);
    assert_int_equal(guests[77].type, RS_BOARD_REFUSED);
    rs_board_close(b.board);
    free(guests);
}

static void guest_pause(rs_session *session) {
    ((guest *)(void *)session)->paused = true;
}

static rs_status tell_nobody(void *ctx, uint32_t to, const void *data, uint32_t bytes) {
    (void)to;
    (void)data;
    (void)bytes;
    return *(const rs_status *)ctx;
}

/* The log is full, and then everybody leaves: each departure has its place in it. A shard that has
 * ended holds nobody up. */
static void test_board_everybody_may_leave_when_the_log_is_full(void **state) {
    enum { GUESTS = 1000 };
    static guest guests[GUESTS];
    const uint8_t move[] = {4, 0, RS_BOARD_MOVE, 2};
    rs_board_config cfg = {.settings = {.width = 65535, .height = 65535, .view = 1},
                           .workers = 2,
                           .sessions_max = 2u * GUESTS,
                           .frame_bytes_max = 256};
    rs_session_ops ops = {.thread = rs_thread_key(),
                          .send = guest_send,
                          .pause = guest_pause,
                          .shared_acquire = guest_no_block};
    rs_status answer = RS_E_FULL;
    rs_peers peers = {.count = 2, .bytes_max = 256, .tell = tell_nobody, .ctx = &answer};
    rs_error error;
    (void)state;
    memset(guests, 0, sizeof guests);
    assert_int_equal(rs_board_open(&b.board, &cfg, &error), RS_OK);
    b.app = rs_board_app(b.board);
    for (uint32_t i = 0; i < GUESTS; i++) {
        guests[i].handle = (rs_session){.ops = &ops, .index = i, .generation = 1};
        b.app.on_open(b.app.ctx, &guests[i].handle);
        guest_ask(&guests[i], RS_BOARD_LOGIN);
    }
    for (uint32_t moves = 0; !guests[0].paused; moves++) {
        assert_true(moves < 100000u);
        b.app.on_message(b.app.ctx, &guests[0].handle, move, sizeof move);
    }
    assert_true(b.app.on_turn(b.app.ctx, &peers));
    for (uint32_t i = 0; i < GUESTS; i++) {
        b.app.on_close(b.app.ctx, &guests[i].handle, RS_CLOSE_PEER);
    }
    assert_true(b.app.on_turn(b.app.ctx, &peers));
    answer = RS_E_CLOSED;
    assert_false(b.app.on_turn(b.app.ctx, &peers));
    rs_board_close(b.board);
}

static void test_board_refuses_settings_that_it_cannot_honour(void **state) {
    rs_board_config cfg = {.settings = {.width = 5, .height = 5, .view = 3, .rate = 0},
                           .workers = 1,
                           .sessions_max = 10,
                           .frame_bytes_max = 31};
    rs_board *board;
    rs_error error;
    (void)state;
    assert_int_equal(rs_board_open(&board, &cfg, &error), RS_E_INVALID);
    assert_null(board);
    cfg.frame_bytes_max = 32;
    cfg.settings.view = 4;
    assert_int_equal(rs_board_open(&board, &cfg, &error), RS_E_INVALID);
    cfg.settings.view = 5;
    cfg.settings.width = 0;
    assert_int_equal(rs_board_open(&board, &cfg, &error), RS_E_INVALID);
    cfg.settings.width = 65535;
    cfg.settings.height = 65535;
    cfg.workers = RS_SHARDS_MAX;
    cfg.sessions_max = 1000;
    assert_int_equal(rs_board_open(&board, &cfg, &error), RS_OK);
    assert_int_equal(rs_board_copies(board), RS_SHARDS_MAX);
    assert_in_range(rs_board_copy(board, 0)->columns * rs_board_copy(board, 0)->rows, 1, 65536);
    rs_board_close(board);
    cfg.logic_thread = true;
    assert_int_equal(rs_board_open(&board, &cfg, &error), RS_OK);
    assert_int_equal(rs_board_copies(board), 1);
    rs_board_close(board);
    rs_board_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_board_one_copy_agrees_with_the_referee_at_every_step),
        cmocka_unit_test(test_board_logic_thread_has_one_copy_for_all_shards),
        cmocka_unit_test(test_board_copies_agree_when_all_is_told),
        cmocka_unit_test(test_board_full_log_pauses_those_who_move),
        cmocka_unit_test(test_board_ids_are_used_again_with_another_generation),
        cmocka_unit_test(test_board_generations_wrap_without_an_id_of_nobody),
        cmocka_unit_test(test_board_hostile_frames_end_their_session_alone),
        cmocka_unit_test(test_board_flood_ends_as_protocol),
        cmocka_unit_test(test_board_full_refuses_and_lets_in_later),
        cmocka_unit_test(test_board_everybody_may_leave_when_the_log_is_full),
        cmocka_unit_test(test_board_refuses_settings_that_it_cannot_honour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
