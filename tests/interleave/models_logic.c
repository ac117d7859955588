/* SPDX-License-Identifier: MIT */
/* The hand-over to the logic thread, with rings that hold three records: open, messages, replies,
 * close and end, with all the sleeping that full and empty rings ask for. */
#include <string.h>

#include "models.h"
#include "server/logic.h"
#include "unit/session_bed.h"

#define MESSAGES 3u
#define FRAME_BYTES 64u /* as long as what an opening tells */

static bed table;
static rs_logic *logic;
static rs_logic_channel *channel;
static uint32_t shard_port;
static uint32_t opened, closed, delivered, replied;

static void app_open(void *ctx, rs_session *session) {
    (void)ctx, (void)session;
    opened++;
}

static void app_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    if (opened != 1 || closed != 0 || bytes != FRAME_BYTES || data[2] != delivered) {
        xp_fail("a message is lost, doubled or out of order");
    }
    delivered++;
    (void)rs_session_send(session, data, bytes);
}

static void app_close(void *ctx, rs_session *session, rs_close_reason reason) {
    (void)ctx, (void)session, (void)reason;
    closed++;
}

static void wake_shard(void *ctx) {
    xp_signal(ctx);
}

static void logic_begin(void) {
    rs_app app = {.on_open = app_open, .on_message = app_message, .on_close = app_close};
    rs_logic_channel_config cfg = {.shard = 3,
                                   .sessions = &table.table,
                                   .slot_count = BED_SLOTS,
                                   .payload_max = FRAME_BYTES,
                                   .block_bytes = BED_BLOCK_BYTES,
                                   .ring_bytes = 256,
                                   .wake = wake_shard,
                                   .wake_ctx = &shard_port};
    rs_error error;
    bed_init(&table, 4096, true, 2);
    shard_port = opened = closed = delivered = replied = 0;
    if (rs_logic_open(&logic, &app, 4, true, &error) != RS_OK ||
        rs_logic_attach(logic, &cfg, &channel, &table.table.app, &error) != RS_OK) {
        xp_fail(error.text);
    }
}

/* The kernel has all the time: what is sent is sent at once. */
static void logic_finish_sends(void) {
    uint32_t at;
    (void)bed_collect(&table);
    while ((at = bed_find(&table, 0, RS_OP_SEND)) != UINT32_MAX) {
        const rs_op *op = &table.outstanding[at];
        for (uint32_t i = 0; i < op->bytes; i += FRAME_BYTES) {
            if (op->u.data[i + 2] != replied) {
                xp_fail("a reply is lost, doubled or out of order");
            }
            replied++;
        }
        bed_finish(&table, at, RS_OK, op->bytes);
        (void)bed_collect(&table);
    }
    while ((at = bed_find(&table, 0, RS_OP_SHUTDOWN)) != UINT32_MAX ||
           (at = bed_find(&table, 0, RS_OP_CLOSE)) != UINT32_MAX) {
        bed_finish(&table, at, RS_OK, 0);
        (void)bed_collect(&table);
    }
}

static void logic_turn(void) {
    rs_logic_channel_turn(channel);
    logic_finish_sends();
}

/* The tail of a poll: sleep unless there is something. */
static void logic_shard_sleep(void) {
    if (rs_logic_channel_sleep(channel)) {
        xp_await(&shard_port);
    }
    rs_logic_channel_awake(channel);
}

static void logic_shard(void) {
    uint8_t frame[FRAME_BYTES] = {FRAME_BYTES, 0, 0};
    uint32_t conn = bed_open(&table);
    RS_ASSERT(conn == 0);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        frame[2] = (uint8_t)i;
        (void)bed_collect(&table);
        RS_ASSERT(bed_receive(&table, conn, frame, FRAME_BYTES) == FRAME_BYTES);
        logic_turn();
    }
    (void)bed_collect(&table);
    bed_finish(&table, bed_find(&table, conn, RS_OP_RECV), RS_OK, 0); /* the peer's end */
    logic_turn();
    while (table.table.used_count > 0) {
        logic_shard_sleep();
        logic_turn();
    }
    rs_logic_channel_end(channel);
    rs_logic_stop(logic);
}

static void logic_thread(void) {
    rs_logic_run(logic);
}

static void logic_end(void) {
    if (delivered != MESSAGES || replied != MESSAGES || opened != 1 || closed != 1) {
        xp_fail("not every callback came, or not every reply");
    }
    rs_logic_close(logic);
}

const xp_model xp_model_logic = {.name = "logic thread",
                                 .begin = logic_begin,
                                 .thread = {logic_shard, logic_thread},
                                 .end = logic_end,
                                 .deviations_max = 2,
                                 .runs_max = 2000000};
