/* SPDX-License-Identifier: MIT */
/* Session events from fuzzed bytes: opens, receives, completions in any order with any status,
 * time, local closes, broadcasts, holds, stops. A crash or a failed assertion is a finding; so is
 * anything left in use after everything was closed. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz/script.h"
#include "unit/session_bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where a PROXY header is awaited, it comes in front of them in half of the cases. */
static void step_receive(bed *b, script *s) {
    static const uint8_t header[16] = "\r\n\r\n\0\r\nQUIT\n\x20";
    uint8_t bytes[BED_RECV_BYTES + sizeof header];
    uint32_t conn = script_byte(s) % BED_SLOTS;
    uint32_t count = script_byte(s) % BED_RECV_BYTES, before = 0;
    if (bed_find(b, conn, RS_OP_RECV) == UINT32_MAX) {
        return;
    }
    if (b->sessions[conn].state == RS_SESSION_PROXY && script_byte(s) % 2u == 0) {
        before = sizeof header;
        memcpy(bytes, header, sizeof header);
    }
    for (uint32_t i = 0; i < count; i++) {
        bytes[before + i] = script_byte(s);
    }
    (void)bed_receive(b, conn, bytes, before + count);
}

/* Per connection and direction completions keep their order; a CLOSE comes last. */
static void step_finish(bed *b, script *s) {
    static const rs_status results[] = {RS_OK,           RS_OK,        RS_OK,  RS_E_RESET,
                                        RS_E_NO_BUFFERS, RS_E_ABORTED, RS_E_OS};
    uint32_t pick, at;
    rs_op op;
    rs_status status = results[script_byte(s) % 7];
    uint8_t cut = script_byte(s);
    if (b->outstanding_count == 0) {
        return;
    }
    pick = script_byte(s) % b->outstanding_count;
    op = b->outstanding[pick];
    if (op.kind == RS_OP_CLOSE) {
        if (bed_count(b, op.conn, RS_OP_RECV) + bed_count(b, op.conn, RS_OP_SEND) +
                bed_count(b, op.conn, RS_OP_SHUTDOWN) >
            0) {
            return;
        }
        bed_finish(b, bed_find(b, op.conn, RS_OP_CLOSE), RS_OK, 0);
        while ((at = bed_find(b, op.conn, RS_OP_CLOSE)) != UINT32_MAX) { /* its escalation */
            b->outstanding[at] = b->outstanding[--b->outstanding_count];
        }
        return;
    }
    at = bed_find(b, op.conn, (rs_op_kind)op.kind);
    op = b->outstanding[at];
    bed_finish(b, at, status,
               op.kind == RS_OP_SEND && status == RS_OK
                   ? (cut < 8 && op.bytes > 1 ? op.bytes - 1 : op.bytes)
                   : 0);
}

static void step_stale(bed *b, script *s) {
    rs_completion late = {.kind = (uint8_t)(RS_OP_RECV + script_byte(s) % 2),
                          .conn = script_byte(s),
                          .generation = 0,
                          .bytes = 1};
    (void)rs_sessions_complete(&b->table, &late, 1);
}

static void step_share(bed *b, script *s) {
    rs_shared shared;
    if (!rs_shared_acquire(&b->sessions[0].handle, &shared)) {
        return;
    }
    memset(shared.data, 1, shared.room);
    for (uint32_t i = 0; i < BED_SLOTS; i++) {
        if (rs_session_takes(&b->sessions[i])) {
            (void)rs_shared_send(&b->sessions[i].handle, &shared, 1 + script_byte(s) % shared.room);
        }
    }
    rs_shared_release(&b->sessions[0].handle, &shared);
}

/* More than was asked for, so that blocks run out. */
static void step_give(bed *b, script *s) {
    static const uint8_t data[16u * BED_BLOCK_BYTES] = {0};
    uint32_t slot = script_byte(s) % BED_SLOTS;
    uint32_t bytes = 1u + script_byte(s) * 4u;
    if (rs_session_takes(&b->sessions[slot])) {
        (void)rs_session_send(&b->sessions[slot].handle, data, bytes);
    }
}

/* With slow-consumer=pause: of any two, ended or not. */
static void step_link(bed *b, script *s) {
    rs_session *to = &b->sessions[script_byte(s) % BED_SLOTS].handle;
    uint8_t from = script_byte(s);
    (void)rs_session_set_source(to, from < 64 ? NULL : &b->sessions[from % BED_SLOTS].handle);
}

static void step(bed *b, script *s) {
    uint32_t slot;
    switch (script_byte(s) % 16) {
    case 0:
        (void)bed_open(b);
        break;
    case 1:
    case 2:
        step_receive(b, s);
        break;
    case 3:
    case 4:
    case 5:
        step_finish(b, s);
        break;
    case 6:
        bed_advance_ms(b, (uint64_t)script_byte(s) * 8);
        break;
    case 7:
        slot = script_byte(s) % BED_SLOTS;
        if (rs_session_takes(&b->sessions[slot])) {
            rs_session_close(&b->sessions[slot].handle);
        }
        break;
    case 10:
        rs_session_hold(&b->sessions[script_byte(s) % BED_SLOTS].handle);
        break;
    case 11:
        slot = script_byte(s) % BED_SLOTS;
        if (b->sessions[slot].holds > 0) {
            rs_session_release(&b->sessions[slot].handle);
        }
        break;
    case 13:
        rs_session_pause(&b->sessions[script_byte(s) % BED_SLOTS].handle);
        break;
    case 14:
        rs_session_resume(&b->sessions[script_byte(s) % BED_SLOTS].handle);
        break;
    case 15:
        step_give(b, s);
        break;
    case 12:
        rs_sessions_close_all(&b->table, false);
        break;
    case 8:
        step_stale(b, s);
        if (b->table.links != NULL) {
            step_link(b, s);
        }
        break;
    default:
        step_share(b, s);
        break;
    }
    (void)bed_collect(b);
}

static void finish_all(bed *b) {
    rs_sessions_close_all(&b->table, true);
    for (uint32_t round = 0; round < 64 && b->table.used_count > 0; round++) {
        (void)bed_collect(b);
        for (uint32_t conn = 0; conn < BED_SLOTS; conn++) {
            static const rs_op_kind order[] = {RS_OP_RECV, RS_OP_SEND, RS_OP_SHUTDOWN};
            for (uint32_t k = 0; k < 3; k++) {
                uint32_t at;
                while ((at = bed_find(b, conn, order[k])) != UINT32_MAX) {
                    bed_finish(b, at, RS_E_ABORTED, 0);
                }
            }
            if (bed_find(b, conn, RS_OP_CLOSE) != UINT32_MAX) {
                bed_finish(b, bed_find(b, conn, RS_OP_CLOSE), RS_OK, 0);
            }
        }
    }
    RS_ASSERT(b->table.used_count == 0);
    RS_ASSERT(b->table.open_count == 0);
    RS_ASSERT(bed_is_idle(b));
    RS_ASSERT(b->opened == b->closed);
    for (uint32_t i = 0; b->table.links != NULL && i < BED_SLOTS; i++) {
        RS_ASSERT(b->table.links[i].sink == i && b->table.links[i].source == i);
    }
}

/* An application's, that says anything: no frame may go beyond what has come. */
static uint32_t any_framer(const uint8_t *data, uint32_t bytes, uint32_t bytes_max) {
    uint32_t sum = bytes_max;
    for (uint32_t i = 0; i < bytes; i++) {
        sum = sum * 31u + data[i];
    }
    return sum % (bytes_max + 2u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bed b;
    static const rs_framer framers[] = {NULL, rs_framer_u32, rs_framer_line, any_framer};
    static rs_slot_link links[BED_SLOTS];
    script s = {.data = data, .size = size, .at = 0};
    uint8_t setting = script_byte(&s);
    bed_init(&b, setting & 1 ? 100 : 1000, (setting & 2) != 0, 1 + (setting >> 2) % 4u);
    b.table.app.raw = (setting & 64) != 0;
    b.table.app.framer = framers[(setting >> 4) % 4u];
    if (b.table.app.framer != NULL) {
        b.table.frame_lengths = 0;
    }
    b.table.cfg.proxy = (setting & 128) != 0;
    if (size % 2u != 0) {
        for (uint32_t i = 0; i < BED_SLOTS; i++) {
            links[i] = (rs_slot_link){.sink = i, .source = i};
        }
        b.table.links = links;
        b.table.cfg.pause_slow = true;
    }
    if (size % 3u == 0) {
        b.table.cfg.recvs = 2u + (uint32_t)(size / 3u % (BED_RECVS_MAX - 1u));
        b.table.slices = b.slices;
    }
    while (s.at < s.size) {
        step(&b, &s);
    }
    finish_all(&b);
    return 0;
}
