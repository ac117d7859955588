/* SPDX-License-Identifier: MIT */
/* The cost of the session layer alone: one 32-byte frame echoed, no back end, no kernel.
 *
 * session_cost_turn is a turn of the loop over 64 sessions with a message each: receive
 * completions, the ops made of them, send completions. bench/session_cost.sh runs it under
 * callgrind with
 * --toggle-collect=session_cost_turn and divides by the messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/echo.h"
#include "core/assert.h"
#include "core/frame.h"
#include "core/session.h"

#define TURNS 2000u
#define SLOTS 64u /* sessions, one message each a turn */
#define OPS (RS_SESSION_OPS_MAX * SLOTS)
#define BLOCKS 192u
#define BLOCK_BYTES 4096u
#define FRAME_BYTES 32u

typedef struct cost_bed {
    rs_sessions table;
    rs_slot sessions[SLOTS];
    rs_slot_cold cold[SLOTS];
    uint32_t free_next[SLOTS];
    uint32_t open[SLOTS];
    rs_slot *touched[2 * SLOTS];
    rs_timer_node timer_nodes[SLOTS];
    rs_slab blocks;
    rs_slab_entry slab_entries[BLOCKS];
    rs_sendq_entry entries[BLOCKS + SLOTS];
    uint8_t recv[SLOTS * BLOCK_BYTES];
    uint8_t block_memory[BLOCKS * BLOCK_BYTES];
    uint32_t op_count;
    rs_op ops[OPS];
} cost_bed;

static void cost_bed_init(cost_bed *b) {
    rs_sessions_config cfg = {
        .sessions_max = SLOTS,
        .slot_count = SLOTS,
        .recvs = 1,
        .recv_bytes = BLOCK_BYTES,
        .frame_bytes_max = BLOCK_BYTES,
        .sends_in_flight = RS_SENDS_IN_FLIGHT_DEFAULT,
        .idle_timeout_ms = 60000,
        .drain_timeout_ms = 2000,
        .shared_blocks = BLOCKS - SLOTS * 2u,
    };
    rs_sessions_memory memory = {
        .sessions = b->sessions,
        .cold = b->cold,
        .free_next = b->free_next,
        .open = b->open,
        .touched = b->touched,
        .timer_nodes = b->timer_nodes,
        .blocks = &b->blocks,
        .entries = b->entries,
        .entry_count = BLOCKS + SLOTS,
        .recv_base = b->recv,
        .queued_bytes_max = RS_QUEUED_BYTES_DEFAULT,
        .coalesce = true,
    };
    rs_slab_init(&b->blocks, b->block_memory, NULL, b->slab_entries, BLOCK_BYTES, BLOCKS);
    rs_sessions_init(&b->table, &cfg, &rs_app_echo, &memory, 1000000000u);
}

/* One turn of a shard's loop with a message from each session: all receives, one batch of ops, all
 * sends. */
void session_cost_turn(cost_bed *b, const rs_completion *received, const rs_completion *sent);

void session_cost_turn(cost_bed *b, const rs_completion *received, const rs_completion *sent) {
    rs_sessions_set_time(&b->table, b->table.now_ns + 1000);
    (void)rs_sessions_complete(&b->table, received, SLOTS);
    rs_sessions_expire(&b->table, b->table.now_ms);
    b->op_count = rs_sessions_collect(&b->table, b->ops, OPS);
    (void)rs_sessions_complete(&b->table, sent, SLOTS);
    (void)rs_sessions_collect(&b->table, b->ops, OPS);
}

/* Called through this, so that it is not inlined into main. */
static void (*volatile turn)(cost_bed *, const rs_completion *,
                             const rs_completion *) = session_cost_turn;

static void open_session(cost_bed *b, rs_completion *received, rs_completion *sent) {
    uint32_t conn, generation;
    RS_ASSERT(rs_sessions_reserve(&b->table, &conn, &generation));
    rs_sessions_open(&b->table, conn, NULL);
    RS_ASSERT(rs_sessions_collect(&b->table, b->ops, OPS) == 1);
    *received = (rs_completion){
        .kind = RS_OP_RECV, .conn = conn, .generation = generation, .bytes = FRAME_BYTES};
    *sent = *received;
    sent->kind = RS_OP_SEND;
}

int main(void) {
    static rs_completion received[SLOTS], sent[SLOTS];
    rs_counters counted = {0};
    cost_bed *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return 1;
    }
    cost_bed_init(b);
    for (uint32_t i = 0; i < SLOTS; i++) {
        open_session(b, &received[i], &sent[i]);
        (void)rs_frame_header(b->recv + i * BLOCK_BYTES, 1, FRAME_BYTES - RS_FRAME_HEADER_BYTES);
    }
    for (uint32_t i = 0; i < TURNS; i++) {
        turn(b, received, sent);
        RS_ASSERT(b->op_count == 2 * SLOTS && b->ops[0].kind == RS_OP_SEND);
    }
    RS_ASSERT(b->table.counters.messages_in == TURNS * SLOTS);
    rs_sessions_add_counters(&b->table, &counted);
    RS_ASSERT(counted.bytes_in == (uint64_t)TURNS * SLOTS * FRAME_BYTES);
    RS_ASSERT(counted.bytes_out == counted.bytes_in);
    (void)printf("%u messages\n", TURNS * SLOTS);
    free(b);
    return 0;
}
