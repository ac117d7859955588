/* SPDX-License-Identifier: MIT */
/* The board game over several shards in one simulated world, seed after seed: connections that
 * fail, short receives, refused ops, late completions, full mailboxes. The clients believe nothing
 * (unit/board_bot.h). When faults and moves have ended, each knows exactly whom it has in view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apps/board.h"
#include "core/frame.h"
#include "server/shard.h"
#include "sim_backend.h"
#include "unit/board_bot.h"
#include "unit/random.h"

#define SEEDS 120u
#define SHARDS 3u
#define BOTS 12u
#define ROUNDS 2500u
#define SETTLE_ROUNDS 20000u
#define VIEW 5u

typedef enum bot_state { BOT_AWAY, BOT_CONNECTING, BOT_THERE, BOT_CLOSING } bot_state;

typedef struct sim_bot {
    uint8_t rx[64], tx[RS_BOARD_FRAME_BYTES_MAX]; /* with the kernel at times */
    uint8_t in[128];
    uint32_t in_bytes, generation, moves;
    bot_state state;
    bool receives, sends, over, asked_in;
    board_bot bot;
} sim_bot;

typedef struct sim_game {
    rs_sim_world *world;
    rs_server_config server;
    rs_board *board;
    rs_shard *shards[SHARDS];
    uint16_t port[SHARDS];
    uint32_t shard_count;
    rs_backend *backend; /* of the bots */
    rs_region_id region;
    test_random random;
    bool calm; /* no more faults, no more moves */
    uint32_t fulls, ends;
    sim_bot bots[BOTS];
} sim_game;

static sim_game g; /* one at a time */

static uint64_t game_now(void *ctx) {
    return rs_sim_now_ns(ctx);
}

/* ctx: the number of the shard that tells, as an address in g.shards. */
static rs_status game_tell(void *ctx, uint32_t to, const void *data, uint32_t bytes) {
    uint32_t from = (uint32_t)((rs_shard **)ctx - g.shards);
    if (!g.calm && test_random_below(&g.random, 3) == 0) {
        g.fulls++;
        return RS_E_FULL;
    }
    return rs_shard_post(g.shards[to], RS_MESSAGE_PEER, from, NULL, data, bytes);
}

static void game_faults(bool on) {
    static const uint8_t kinds[] = {
        RS_SIM_SHORT_RECV,       RS_SIM_SHORT_SEND,      RS_SIM_RESET_RECEIVING,
        RS_SIM_RESET_SENDING,    RS_SIM_HALF_CLOSE,      RS_SIM_LATE_COMPLETION,
        RS_SIM_REFUSED_SUBMIT,   RS_SIM_NO_BUFFERS_SEND, RS_SIM_LATENCY_SPIKE,
        RS_SIM_STALE_COMPLETION, RS_SIM_SLOW_READER};
    rs_sim_faults faults;
    memset(&faults, 0, sizeof faults);
    for (size_t i = 0; on && i < sizeof kinds; i++) {
        faults.chance[kinds[i]] = test_random_below(&g.random, 3) == 0 ? 300 : 0;
    }
    rs_sim_set_faults(g.world, &faults);
    for (uint32_t i = 1; !on && i <= g.shard_count; i++) {
        rs_sim_set_instance_faults(rs_sim_instance(g.world, i), &faults);
    }
}

static void game_open(uint64_t seed) {
    rs_sim_config world = rs_sim_config_default(seed);
    rs_error error = {.text = ""};
    rs_board_config board = {
        .settings = {.width = 12, .height = 9, .view = VIEW, .share = seed % 3u != 0},
        .workers = 1u + (uint32_t)(seed % SHARDS),
        .sessions_max = SHARDS * BOTS,
        .frame_bytes_max = 64};
    rs_backend_config cfg = {
        .conns_max = BOTS, .sends_per_conn = 1, .poll_max = 32, .tuning = rs_tuning_default()};
    memset(&g, 0, sizeof g);
    g.random.state = seed;
    g.shard_count = board.workers;
    world.strict = true;
    g.world = rs_sim_world_open(&world);
    assert_int_equal(rs_board_open(&g.board, &board, &error), RS_OK);
    rs_server_config_init(&g.server, &rs_sim_backend);
    g.server.app = rs_board_app(g.board);
    g.server.world = g.world;
    g.server.frame_bytes_max = 64;
    g.server.heap_buffers = true;
    game_faults(true);
    for (uint32_t i = 0; i < g.shard_count; i++) {
        rs_addr addr = {.ip = 0x7F000001u, .port = 0};
        rs_shard_config shard = {
            .index = i,
            .sessions_max = BOTS,
            .server = &g.server,
            .clock = {.now_ns = game_now, .ctx = g.world},
            .peers = {.count = g.shard_count, .tell = game_tell, .ctx = &g.shards[i]}};
        assert_int_equal(rs_shard_open(&g.shards[i], &shard, &error), RS_OK);
        assert_int_equal(rs_shard_listen(g.shards[i], &addr, &g.port[i], &error), RS_OK);
    }
    rs_sim_set_faults(g.world, &(rs_sim_faults){.chance = {0}});
    cfg.world = g.world;
    assert_int_equal(rs_sim_backend.open(&g.backend, &cfg, &error), RS_OK);
    assert_int_equal(
        rs_sim_backend.register_memory(g.backend, g.bots, sizeof g.bots, NULL, &g.region, &error),
        RS_OK);
}

/* ---- bots */

static bool bot_submit(sim_bot *bot, rs_op op) {
    rs_status why = RS_OK;
    op.conn = (uint32_t)(bot - g.bots);
    op.generation = bot->generation;
    op.region = g.region.value;
    return rs_sim_backend.submit(g.backend, &op, 1, &why) == 1;
}

static void bot_close(sim_bot *bot, bool abort) {
    if (bot->state == BOT_THERE || bot->state == BOT_CONNECTING) {
        bot->state = BOT_CLOSING;
        g.ends++;
        assert_true(
            bot_submit(bot, (rs_op){.kind = RS_OP_CLOSE, .flags = abort ? RS_OPF_ABORT : 0}));
    }
}

static void bot_connect(sim_bot *bot) {
    rs_addr addr = {.ip = 0x7F000001u, .port = g.port[test_random_below(&g.random, g.shard_count)]};
    uint32_t generation = bot->generation + 1u;
    memset(bot, 0, sizeof *bot);
    bot->generation = generation;
    bot->state = BOT_CONNECTING;
    assert_true(bot_submit(bot, (rs_op){.kind = RS_OP_CONNECT, .u.addr = &addr}));
}

static void bot_say(sim_bot *bot, const rs_board_frame *frame) {
    rs_op op = {.kind = RS_OP_SEND, .u.data = bot->tx};
    op.bytes = rs_board_encode(frame, bot->tx);
    bot->sends = bot_submit(bot, op);
    bot->over = bot->over || !bot->sends;
}

static void bot_act(sim_bot *bot) {
    static const rs_board_frame login = {
        .type = RS_BOARD_LOGIN, .name = "somebody", .name_bytes = 8};
    static const rs_board_frame logout = {.type = RS_BOARD_LOGOUT};
    rs_board_frame move = {.type = RS_BOARD_MOVE};
    uint32_t dice = test_random_below(&g.random, 200);
    move.direction = (uint8_t)(dice % RS_BOARD_DIRECTIONS);
    if (!bot->bot.plays) {
        if (!bot->asked_in) {
            bot->asked_in = true;
            bot->moves = 0;
            bot_say(bot, &login);
        }
    } else if (!g.calm && dice == 0) {
        bot_close(bot, dice % 2u == 0);
    } else if (!g.calm && dice == 1 && bot->bot.self.seq == bot->moves) {
        bot->asked_in = false;
        bot_say(bot, &logout);
        bot->moves = UINT32_MAX; /* until it has logged in again */
    } else if (!g.calm && dice < 100 && bot->moves != UINT32_MAX) {
        bot->moves++;
        bot_say(bot, &move);
    }
}

static void bot_step(sim_bot *bot) {
    if (bot->state == BOT_AWAY) {
        bot_connect(bot);
    } else if (bot->state == BOT_THERE && bot->over) {
        bot_close(bot, true);
    } else if (bot->state == BOT_THERE) {
        if (!bot->receives) {
            rs_op op = {.kind = RS_OP_RECV, .bytes = sizeof bot->rx, .u.data = bot->rx};
            bot->receives = bot_submit(bot, op);
            bot->over = bot->over || !bot->receives;
        }
        if (!bot->sends) {
            bot_act(bot);
        }
    }
}

static void bot_received(sim_bot *bot, uint32_t bytes) {
    uint32_t at = 0, frame;
    assert_true(bot->in_bytes + bytes <= sizeof bot->in);
    memcpy(bot->in + bot->in_bytes, bot->rx, bytes);
    bot->in_bytes += bytes;
    while (rs_frame_parse(bot->in + at, bot->in_bytes - at, RS_BOARD_FRAME_BYTES_MAX, &frame) ==
           RS_OK) {
        bot_take(&bot->bot, bot->in + at, frame);
        at += frame;
    }
    memmove(bot->in, bot->in + at, bot->in_bytes - at);
    bot->in_bytes -= at;
}

static void bot_complete(const rs_completion *completion) {
    sim_bot *bot = &g.bots[completion->conn];
    if (completion->generation != bot->generation) {
        return;
    }
    switch (completion->kind) {
    case RS_OP_CONNECT:
        if (bot->state == BOT_CONNECTING) {
            bot->state = BOT_THERE;
            bot->over = completion->status != RS_OK;
        }
        break;
    case RS_OP_RECV:
        bot->receives = false;
        bot->over = bot->over || completion->status != RS_OK || completion->bytes == 0;
        if (completion->status == RS_OK && bot->state == BOT_THERE) {
            bot_received(bot, completion->bytes);
        }
        break;
    case RS_OP_SEND:
        bot->sends = false;
        bot->over = bot->over || completion->status != RS_OK;
        break;
    default:
        assert_int_equal(completion->kind, RS_OP_CLOSE);
        bot->state = BOT_AWAY;
        break;
    }
}

/* ---- a game */

static void game_round(void) {
    rs_completion completions[32];
    uint32_t count;
    for (uint32_t i = 0; i < g.shard_count; i++) {
        assert_true(rs_shard_step(g.shards[i], 20000));
    }
    for (uint32_t i = 0; i < BOTS; i++) {
        bot_step(&g.bots[i]);
    }
    count = rs_sim_backend.poll(g.backend, completions, 32, 20000);
    for (uint32_t i = 0; i < count; i++) {
        bot_complete(&completions[i]);
    }
}

static bool game_agrees(void) {
    for (uint32_t i = 0; i < BOTS; i++) {
        sim_bot *bot = &g.bots[i];
        uint32_t seen = 0;
        if (bot->state != BOT_THERE || !bot->bot.plays || bot->bot.self.seq != bot->moves) {
            return false;
        }
        for (uint32_t j = 0; j < BOTS; j++) {
            const bot_known *other = &g.bots[j].bot.self;
            const bot_known *told = bot_find(&bot->bot, other->id);
            if (i != j &&
                rs_board_in_view(VIEW, bot->bot.self.x, bot->bot.self.y, other->x, other->y)) {
                seen++;
                if (told == NULL || told->seq != other->seq) {
                    return false;
                }
            }
        }
        if (seen != bot->bot.others_count) {
            return false;
        }
    }
    return true;
}

static void game_settle(void) {
    board_bot *bots[BOTS];
    g.calm = true;
    game_faults(false);
    for (uint32_t rounds = 0; !game_agrees(); rounds++) {
        assert_true(rounds < SETTLE_ROUNDS);
        game_round();
    }
    for (uint32_t i = 0; i < BOTS; i++) {
        bots[i] = &g.bots[i].bot;
    }
    for (uint32_t i = 0; i < BOTS; i++) {
        board_bot_agrees(bots, BOTS, i, VIEW);
    }
}

static void game_close(void) {
    rs_completion completions[32];
    bool runs = true;
    for (uint32_t i = 0; i < BOTS; i++) {
        bot_close(&g.bots[i], true);
    }
    for (uint32_t i = 0; i < g.shard_count; i++) {
        rs_shard_stop(g.shards[i]);
    }
    for (uint32_t rounds = 0; runs; rounds++) {
        uint32_t count = rs_sim_backend.poll(g.backend, completions, 32, 1000000);
        assert_true(rounds < SETTLE_ROUNDS);
        for (uint32_t i = 0; i < count; i++) {
            bot_complete(&completions[i]);
        }
        runs = false;
        for (uint32_t i = 0; i < g.shard_count; i++) {
            runs = rs_shard_step(g.shards[i], 1000000) || runs;
        }
        for (uint32_t i = 0; i < BOTS; i++) {
            runs = runs || g.bots[i].state != BOT_AWAY;
        }
    }
    for (uint32_t i = 0; i < g.shard_count; i++) {
        assert_int_equal(rs_shard_outstanding(g.shards[i]), 0);
        rs_shard_quiesce(g.shards[i]);
    }
    for (uint32_t i = 0; i < g.shard_count; i++) {
        rs_shard_close(g.shards[i]);
    }
    rs_sim_backend.release_memory(g.backend, g.region);
    rs_sim_backend.close(g.backend);
    rs_sim_world_close(g.world);
    rs_board_close(g.board);
}

static void test_sim_board_survives_faults(void **state) {
    uint32_t fulls = 0, ends = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        game_open(seed);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            game_round();
        }
        game_settle();
        fulls += g.fulls;
        ends += g.ends;
        game_close();
    }
    assert_true(fulls > SEEDS && ends > SEEDS); /* there were faults */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sim_board_survives_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
