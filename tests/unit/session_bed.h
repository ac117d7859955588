/* SPDX-License-Identifier: MIT */
/* A bed for the session table without any back end: small pools, a kernel played by hand.
 *
 * bed_collect takes the ops that the sessions want and remembers each as outstanding; a test then
 * finishes them one by one with bed_finish, in any order and with any result. The application
 * echoes and notes what it was told. Used by the unit tests and the fuzz target. */
#ifndef RS_TESTS_UNIT_SESSION_BED_H
#define RS_TESTS_UNIT_SESSION_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "core/session.h"

#define BED_SLOTS 6u
#ifndef BED_BLOCKS /* more for a test that may not run out of them */
#define BED_BLOCKS                                                                                 \
    36u /* reserves of 3 for each slot (of 4 with 4 sends in flight), and the rest                 \
         */
#endif
#define BED_BLOCK_BYTES 64u
#define BED_RECV_BYTES 128u
#define BED_RECVS_MAX 4u
#define BED_SHARED_ENTRIES 12u
#define BED_ENTRIES (BED_BLOCKS + BED_SHARED_ENTRIES)
#define BED_SHARED_BLOCKS 6u
#define BED_OPS 256u

typedef struct bed {
    rs_sessions table;
    rs_slot sessions[BED_SLOTS];
    rs_slot_cold cold[BED_SLOTS];
    uint32_t free_next[BED_SLOTS];
    uint32_t open[BED_SLOTS];
    rs_slot *touched[2 * BED_SLOTS];
    rs_timer_node timer_nodes[BED_SLOTS];
    rs_slot_rate rates[BED_SLOTS];
    rs_slab blocks;
    rs_slab_entry slab_entries[BED_BLOCKS];
    rs_sendq_entry entries[BED_ENTRIES];
    rs_slot_slices slices[BED_SLOTS];
    uint8_t recv[BED_SLOTS * BED_RECVS_MAX * BED_RECV_BYTES];
    uint8_t block_memory[BED_BLOCKS * BED_BLOCK_BYTES];
    rs_op outstanding[BED_OPS];
    uint32_t outstanding_count;
    uint32_t opened, closed, messages;
    rs_close_reason last_reason;
    bool echo;
    bool pause; /* each message is the last before rs_session_resume */
    uint64_t now_ns;
} bed;

static inline void bed_on_open(void *ctx, rs_session *session) {
    (void)session;
    ((bed *)ctx)->opened++;
}

static inline void bed_on_message(void *ctx, rs_session *session, const uint8_t *data,
                                  uint32_t bytes) {
    bed *b = ctx;
    b->messages++;
    if (b->echo) {
        (void)rs_session_send(session, data, bytes);
    }
    if (b->pause) {
        rs_session_pause(session);
    }
}

static inline void bed_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    bed *b = ctx;
    (void)session;
    b->closed++;
    b->last_reason = reason;
}

/* bed_is_idle: every block, entry and promise is back. */
static inline bool bed_is_idle(const bed *b) {
    const rs_sendq_pool *pool = &b->table.sendq_pool;
    uint32_t listed = 0;
    for (uint32_t at = pool->free_head; at != RS_SENDQ_NONE; at = pool->entries[at].next) {
        listed++;
    }
    return b->blocks.free_count == BED_BLOCKS && pool->spoken_for == 0 && pool->shared_live == 0 &&
           pool->pack.generation == 0 && pool->above_first == NULL && pool->above_last == NULL &&
           listed == pool->fresh - BED_BLOCKS;
}

/* queued_max, coalesce, sends_in_flight and recvs are what tests vary; blocks_handed is not 0 where
 * messages are handed to another thread. */
static inline void bed_init_recvs(bed *b, const rs_app *app, uint32_t queued_max, bool coalesce,
                                  uint32_t sends_in_flight, uint32_t blocks_handed,
                                  uint32_t rate_max, uint32_t recvs) {
    rs_sessions_config cfg = {
        .shard = 3,
        .sessions_max = BED_SLOTS - 2,
        .slot_count = BED_SLOTS,
        .recvs = recvs,
        .recv_bytes = BED_RECV_BYTES,
        .frame_bytes_max = BED_RECV_BYTES,
        .sends_in_flight = sends_in_flight,
        .idle_timeout_ms = 1000,
        .drain_timeout_ms = 200,
        .blocks_handed = blocks_handed,
        .rate_max = rate_max,
        .shared_blocks = BED_SHARED_BLOCKS,
    };
    rs_sessions_memory memory;
    memset(b, 0, sizeof *b);
    b->echo = true;
    b->now_ns = 5000000000u;
    rs_slab_init(&b->blocks, b->block_memory, NULL, b->slab_entries, BED_BLOCK_BYTES, BED_BLOCKS);
    memory = (rs_sessions_memory){
        .sessions = b->sessions,
        .cold = b->cold,
        .free_next = b->free_next,
        .open = b->open,
        .touched = b->touched,
        .timer_nodes = b->timer_nodes,
        .rates = rate_max != 0 ? b->rates : NULL,
        .slices = recvs > 1 ? b->slices : NULL,
        .blocks = &b->blocks,
        .entries = b->entries,
        .entry_count = BED_ENTRIES,
        .recv_base = b->recv,
        .region = 7,
        .queued_bytes_max = queued_max,
        .coalesce = coalesce,
    };
    rs_sessions_init(&b->table, &cfg, app, &memory, b->now_ns);
}

static inline void bed_init_app(bed *b, const rs_app *app, uint32_t queued_max, bool coalesce,
                                uint32_t sends_in_flight, uint32_t blocks_handed,
                                uint32_t rate_max) {
    bed_init_recvs(b, app, queued_max, coalesce, sends_in_flight, blocks_handed, rate_max, 1);
}

/* bed_app: the bed's own. */
static inline rs_app bed_app(bed *b) {
    return (rs_app){
        .ctx = b, .on_open = bed_on_open, .on_message = bed_on_message, .on_close = bed_on_close};
}

static inline void bed_init_rate(bed *b, uint32_t queued_max, bool coalesce,
                                 uint32_t sends_in_flight, uint32_t blocks_handed,
                                 uint32_t rate_max) {
    const rs_app app = bed_app(b);
    bed_init_app(b, &app, queued_max, coalesce, sends_in_flight, blocks_handed, rate_max);
}

static inline void bed_init_handed(bed *b, uint32_t queued_max, bool coalesce,
                                   uint32_t sends_in_flight, uint32_t blocks_handed) {
    bed_init_rate(b, queued_max, coalesce, sends_in_flight, blocks_handed, 0);
}

static inline void bed_init(bed *b, uint32_t queued_max, bool coalesce, uint32_t sends_in_flight) {
    bed_init_handed(b, queued_max, coalesce, sends_in_flight, 0);
}

/* bed_open: a connection is attached; its slot, or UINT32_MAX when it was refused. */
static inline uint32_t bed_open(bed *b) {
    uint32_t conn, generation;
    if (!rs_sessions_reserve(&b->table, &conn, &generation)) {
        return UINT32_MAX;
    }
    rs_sessions_open(&b->table, conn, NULL);
    return conn;
}

/* bed_collect: everything the sessions want now goes to the kernel; returns how many ops. */
static inline uint32_t bed_collect(bed *b) {
    uint32_t before = b->outstanding_count;
    uint32_t count;
    do {
        RS_ASSERT(BED_OPS - b->outstanding_count >= RS_SESSION_OPS_MAX);
        count = rs_sessions_collect(&b->table, b->outstanding + b->outstanding_count,
                                    BED_OPS - b->outstanding_count);
        b->outstanding_count += count;
    } while (count > 0);
    return b->outstanding_count - before;
}

/* bed_find: index of the oldest outstanding op of a kind on a connection; UINT32_MAX none. */
static inline uint32_t bed_find(const bed *b, uint32_t conn, rs_op_kind kind) {
    for (uint32_t i = 0; i < b->outstanding_count; i++) {
        if (b->outstanding[i].conn == conn && b->outstanding[i].kind == kind) {
            return i;
        }
    }
    return UINT32_MAX;
}

static inline uint32_t bed_count(const bed *b, uint32_t conn, rs_op_kind kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->outstanding_count; i++) {
        count += b->outstanding[i].conn == conn && b->outstanding[i].kind == kind;
    }
    return count;
}

/* bed_finish: the op at this index completes. */
static inline void bed_finish(bed *b, uint32_t at, rs_status status, uint32_t bytes) {
    rs_op op = b->outstanding[at];
    rs_completion completion = {
        .kind = op.kind,
        .status = (uint16_t)status,
        .conn = op.conn,
        .generation = op.generation,
        .bytes = bytes,
        .tag = op.kind == RS_OP_RECV && b->table.slices != NULL ? op.tag : 0,
    };
    memmove(&b->outstanding[at], &b->outstanding[at + 1],
            (b->outstanding_count - at - 1) * sizeof b->outstanding[0]);
    b->outstanding_count--;
    (void)rs_sessions_complete(&b->table, &completion, 1);
}

/* bed_away_ms: no turn for so long. */
static inline void bed_away_ms(bed *b, uint64_t ms) {
    b->now_ns += ms * 1000000u;
    rs_sessions_set_time(&b->table, b->now_ns);
    rs_sessions_expire(&b->table, b->table.now_ms);
}

/* bed_advance_ms: turns in which nothing happens; deadlines are looked at in the last. */
static inline void bed_advance_ms(bed *b, uint64_t ms) {
    while (ms >= RS_AWAY_MS) {
        b->now_ns += RS_AWAY_MS / 2u * 1000000u;
        rs_sessions_set_time(&b->table, b->now_ns);
        ms -= RS_AWAY_MS / 2u;
    }
    bed_away_ms(b, ms);
}

/* bed_receive: the outstanding RECV of conn gets these bytes, at most what it has room for;
 * returns how many it took. */
static inline uint32_t bed_receive(bed *b, uint32_t conn, const uint8_t *data, uint32_t bytes) {
    uint32_t at = bed_find(b, conn, RS_OP_RECV);
    uint32_t part;
    RS_ASSERT(at != UINT32_MAX);
    part = bytes < b->outstanding[at].bytes ? bytes : b->outstanding[at].bytes;
    if (part > 0) {
        memcpy(b->outstanding[at].u.data, data, part);
    }
    bed_finish(b, at, RS_OK, part);
    return part;
}

#endif
