/* What the session layer alone costs: one 32-byte frame echoed, no back end, no kernel.
 *
 * session_cost_turn is everything the session layer does for one message: the receive completion,
 * the ops it makes of it, the completion of the send. Run it under callgrind with
 * --toggle-collect=session_cost_turn (bench/session_cost.sh does): instructions / messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/echo.h"
#include "core/assert.h"
#include "core/frame.h"
#include "core/session.h"

#define MESSAGES 100000u
#define SLOTS 64u
#define BLOCKS 192u
#define BLOCK_BYTES 4096u
#define FRAME_BYTES 32u

typedef struct cost_bed {
    rs_sessions table;
    rs_session sessions[SLOTS];
    uint32_t free_next[SLOTS];
    rs_timer_node timer_nodes[SLOTS];
    rs_slab blocks;
    rs_slab_entry slab_entries[BLOCKS];
    rs_sendq_entry entries[BLOCKS];
    uint8_t recv[SLOTS * BLOCK_BYTES];
    uint8_t block_memory[BLOCKS * BLOCK_BYTES];
    rs_op ops[RS_SESSION_OPS_MAX * 4];
} cost_bed;

static void cost_bed_init(cost_bed *b)
{
    rs_sessions_config cfg = {
        .sessions_max = SLOTS,
        .slot_count = SLOTS,
        .recv_bytes = BLOCK_BYTES,
        .frame_bytes_max = BLOCK_BYTES,
        .sends_in_flight = RS_SENDS_IN_FLIGHT_DEFAULT,
        .idle_timeout_ms = 60000,
        .drain_timeout_ms = 2000,
    };
    rs_sessions_memory memory = {
        .sessions = b->sessions,
        .free_next = b->free_next,
        .timer_nodes = b->timer_nodes,
        .blocks = &b->blocks,
        .entries = b->entries,
        .entry_count = BLOCKS,
        .recv_base = b->recv,
        .queued_bytes_max = RS_QUEUED_BYTES_DEFAULT,
        .coalesce = true,
    };
    rs_slab_init(&b->blocks, b->block_memory, NULL, b->slab_entries, BLOCK_BYTES, BLOCKS);
    rs_sessions_init(&b->table, &cfg, &rs_app_echo, &memory, 1000000000u);
}

void session_cost_turn(cost_bed *b, rs_completion *received, rs_completion *sent);

void session_cost_turn(cost_bed *b, rs_completion *received, rs_completion *sent)
{
    rs_sessions_set_time(&b->table, b->table.now_ns + 1000);
    rs_sessions_complete(&b->table, received);
    rs_sessions_expire(&b->table);
    (void)rs_sessions_collect(&b->table, b->ops, RS_SESSION_OPS_MAX * 4);
    rs_sessions_complete(&b->table, sent);
    (void)rs_sessions_collect(&b->table, b->ops + 2, RS_SESSION_OPS_MAX * 2);
}

int main(void)
{
    cost_bed *b = calloc(1, sizeof *b);
    rs_completion received = {.kind = RS_OP_RECV, .generation = 1, .bytes = FRAME_BYTES};
    rs_completion sent = {.kind = RS_OP_SEND, .generation = 1, .bytes = FRAME_BYTES};
    uint8_t frame[FRAME_BYTES] = {0};
    uint32_t conn, generation;
    if (b == NULL) {
        return 1;
    }
    cost_bed_init(b);
    (void)rs_frame_header(frame, 1, FRAME_BYTES - RS_FRAME_HEADER_BYTES);
    RS_ASSERT(rs_sessions_reserve(&b->table, &conn, &generation));
    RS_ASSERT(generation == 1);
    rs_sessions_open(&b->table, conn);
    received.conn = sent.conn = conn;
    RS_ASSERT(rs_sessions_collect(&b->table, b->ops, RS_SESSION_OPS_MAX) == 1);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        memcpy(b->recv + conn * BLOCK_BYTES, frame, FRAME_BYTES);
        session_cost_turn(b, &received, &sent);
        RS_ASSERT(b->ops[0].kind == RS_OP_SEND && b->ops[0].bytes == FRAME_BYTES);
    }
    RS_ASSERT(b->table.counters.messages_in == MESSAGES);
    (void)printf("%u messages\n", MESSAGES);
    free(b);
    return 0;
}
