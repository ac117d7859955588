/* SPDX-License-Identifier: MIT */
/* The traffic: connections that a back end of its own opens, under the same faults. Each sends
 * frames and checks what comes back against them; some read slowly, half-close, leave early, reset,
 * or are reset while they still connect. */
#include "chaos.h"

#include <string.h>

#include "core/assert.h"
#include "core/frame.h"
#include "core/limits.h"
#include "seam/os.h"

#define SLOTS_MAX 32u
#define STREAM_BYTES 16384u
#define RECV_BYTES 4096u
#define CHUNK_BYTES_MAX 3000u
#define FRAMES_MAX 8u
#define POLL_MAX 64u
#define POLL_NS 1000000
#define SILENT_NS UINT64_C(60000000000) /* whatever fails, a completion comes long before */
#define NEVER UINT32_MAX

typedef enum client_mode {
    CLIENT_ECHO,    /* sends all, half-closes, reads to the end */
    CLIENT_SLOW,    /* the same in small reads, far between */
    CLIENT_LEAVE,   /* closes as soon as all is sent */
    CLIENT_DEAF,    /* the same, and never reads */
    CLIENT_BABBLE,  /* ends with what is no frame */
    CLIENT_RESET,   /* resets half-way */
    CLIENT_GIVE_UP, /* resets while it connects */
    CLIENT_MODES
} client_mode;

typedef struct client_conn {
    bool used, connected, recv_out, shutdown_out, shutdown_done, closing, aborting, ended, failed;
    client_mode mode;
    uint32_t generation;
    uint32_t sends_out;
    uint32_t total, sent, back; /* bytes of the stream */
    uint32_t reset_at;
    uint32_t rest; /* turns until the next read */
} client_conn;

typedef struct client {
    const rs_backend_api *api;
    const chaos_client_plan *plan;
    chaos_client_result *result;
    rs_backend *backend;
    rs_region_id region;
    uint8_t *memory; /* for each slot: the stream, then what is received */
    uint32_t opened, used;
    client_conn conns[SLOTS_MAX];
} client;

static uint8_t *client_stream(const client *c, uint32_t slot) {
    return c->memory + (size_t)slot * (STREAM_BYTES + RECV_BYTES);
}

/* ---- ops */

static rs_op client_op(const client *c, uint32_t slot, rs_op_kind kind) {
    return (rs_op){.kind = (uint8_t)kind,
                   .region = c->region.value,
                   .conn = slot,
                   .generation = c->conns[slot].generation};
}

static void client_submit(client *c, const rs_op *ops, uint32_t count) {
    rs_status why;
    if (count > 0 && c->api->submit(c->backend, ops, count, &why) != count) {
        chaos_fail("the client's op was refused: %s", rs_status_name(why));
    }
}

static void client_close(client *c, uint32_t slot, bool aborts) {
    client_conn *conn = &c->conns[slot];
    rs_op op = client_op(c, slot, RS_OP_CLOSE);
    if (conn->aborting || (conn->closing && !aborts)) {
        return;
    }
    conn->closing = true;
    conn->aborting = aborts;
    op.flags = aborts ? RS_OPF_ABORT : 0;
    client_submit(c, &op, 1);
}

/* ---- one connection */

static void client_write_stream(client *c, uint32_t slot) {
    uint8_t *at = client_stream(c, slot);
    client_conn *conn = &c->conns[slot];
    const uint32_t frames = 1u + chaos_draw(FRAMES_MAX);
    const uint32_t most = c->plan->frame_bytes_max - RS_FRAME_HEADER_BYTES;
    for (uint32_t i = 0; i < frames; i++) {
        const uint32_t payload = chaos_draw(4) == 0 ? chaos_draw(most + 1u) : chaos_draw(64);
        if (conn->total + payload + RS_FRAME_HEADER_BYTES > STREAM_BYTES) {
            break;
        }
        (void)rs_frame_header(at + conn->total, 1, payload);
        conn->total += RS_FRAME_HEADER_BYTES;
        for (uint32_t byte = 0; byte < payload; byte++) {
            at[conn->total + byte] = (uint8_t)(c->opened * 31u + (conn->total + byte) * 7u);
        }
        conn->total += payload;
    }
    if (conn->mode == CLIENT_BABBLE && conn->total + 2u <= STREAM_BYTES) {
        at[conn->total++] = 1; /* a length shorter than its header */
        at[conn->total++] = 0;
    }
}

static void client_open(client *c, uint32_t slot) {
    client_conn *conn = &c->conns[slot];
    rs_op op;
    *conn = (client_conn){.used = true, .generation = ++c->opened, .reset_at = NEVER};
    conn->mode = (client_mode)chaos_draw(c->plan->gentle ? CLIENT_LEAVE : CLIENT_MODES);
    if (c->plan->leaves && chaos_draw(4) != 0) {
        conn->mode = chaos_draw(2) == 0 ? CLIENT_DEAF : CLIENT_BABBLE;
    }
    client_write_stream(c, slot);
    if (conn->mode == CLIENT_RESET) {
        conn->reset_at = chaos_draw(conn->total + 1u);
    }
    c->used++;
    op = client_op(c, slot, RS_OP_CONNECT);
    op.u.addr = &c->plan->addr;
    client_submit(c, &op, 1);
    if (conn->mode == CLIENT_GIVE_UP) {
        client_close(c, slot, chaos_draw(2) == 0);
    }
}

static bool client_reads(client_conn *conn) {
    if (conn->recv_out || conn->ended || conn->failed || conn->mode == CLIENT_DEAF) {
        return false;
    }
    if (conn->rest > 0) {
        conn->rest--;
        return false;
    }
    return true;
}

static bool client_leaves(const client_conn *conn) {
    return conn->mode == CLIENT_LEAVE || conn->mode == CLIENT_DEAF;
}

/* What it wants now, in one batch. */
static void client_step(client *c, uint32_t slot) {
    client_conn *conn = &c->conns[slot];
    rs_op ops[RS_SENDS_IN_FLIGHT_MAX + 2u];
    uint32_t count = 0;
    if (!conn->used || conn->closing || !conn->connected) {
        return;
    }
    while (!conn->failed && conn->sent < conn->total && conn->sends_out < c->plan->sends_per_conn) {
        const uint32_t left = conn->total - conn->sent;
        const uint32_t bytes = 1u + chaos_draw(left < CHUNK_BYTES_MAX ? left : CHUNK_BYTES_MAX);
        ops[count] = client_op(c, slot, RS_OP_SEND);
        ops[count].u.data = client_stream(c, slot) + conn->sent;
        ops[count].bytes = bytes;
        conn->sent += bytes;
        conn->sends_out++;
        count++;
    }
    if (client_reads(conn)) {
        ops[count] = client_op(c, slot, RS_OP_RECV);
        ops[count].u.data = client_stream(c, slot) + STREAM_BYTES;
        ops[count].bytes = conn->mode == CLIENT_SLOW ? 1u + chaos_draw(512) : RECV_BYTES;
        conn->rest = conn->mode == CLIENT_SLOW ? chaos_draw(4) : 0;
        conn->recv_out = true;
        count++;
    }
    if (!conn->failed && conn->sent == conn->total && !conn->shutdown_out && !conn->shutdown_done &&
        !client_leaves(conn)) {
        ops[count] = client_op(c, slot, RS_OP_SHUTDOWN);
        conn->shutdown_out = true;
        count++;
    }
    client_submit(c, ops, count);
    if (conn->failed || conn->back >= conn->reset_at) {
        client_close(c, slot, conn->back >= conn->reset_at || chaos_draw(2) == 0);
    } else if ((conn->ended && conn->sends_out == 0 && !conn->shutdown_out) ||
               (client_leaves(conn) && conn->sent == conn->total)) {
        client_close(c, slot, false);
    }
}

/* ---- completions */

static void client_received(client *c, const rs_completion *record) {
    client_conn *conn = &c->conns[record->conn];
    const uint8_t *stream = client_stream(c, record->conn);
    conn->recv_out = false;
    if (record->status != RS_OK) {
        conn->failed = true;
        return;
    }
    if (record->bytes == 0) {
        conn->ended = true;
        return;
    }
    if (record->bytes > conn->total - conn->back ||
        memcmp(stream + conn->back, stream + STREAM_BYTES, record->bytes) != 0) {
        chaos_fail("connection %u: %u bytes behind %u of %u are not what was sent", record->conn,
                   record->bytes, conn->back, conn->total);
    }
    conn->back += record->bytes;
    c->result->bytes_back += record->bytes;
}

static void client_closed(client *c, client_conn *conn) {
    if (conn->back == conn->total && conn->ended && !conn->failed) {
        c->result->whole++;
    } else if (c->plan->gentle) {
        chaos_fail("a stream of %u bytes came back with %u%s%s", conn->total, conn->back,
                   conn->ended ? ", ended" : "", conn->failed ? ", failed" : "");
    }
    c->result->failed += conn->failed;
    conn->used = false;
    c->used--;
}

static void client_completed(client *c, const rs_completion *record) {
    client_conn *conn = &c->conns[record->conn];
    switch (record->kind) {
    case RS_OP_CONNECT:
        conn->connected = true;
        conn->failed = conn->failed || record->status != RS_OK;
        c->result->connected += record->status == RS_OK;
        break;
    case RS_OP_RECV:
        client_received(c, record);
        break;
    case RS_OP_SEND:
        conn->sends_out--;
        conn->failed = conn->failed || record->status != RS_OK;
        break;
    case RS_OP_SHUTDOWN:
        conn->shutdown_out = false;
        conn->shutdown_done = true;
        conn->failed = conn->failed || record->status != RS_OK;
        break;
    default:
        RS_ASSERT(record->kind == RS_OP_CLOSE);
        client_closed(c, conn);
        break;
    }
}

/* A plain CLOSE waits for the sends before it, and the server may have stopped reading. */
static void client_escalate(client *c) {
    for (uint32_t slot = 0; slot < c->plan->slots; slot++) {
        client_conn *conn = &c->conns[slot];
        if (conn->used && conn->closing && !conn->aborting && chaos_draw(64) == 0 &&
            !c->plan->gentle) {
            client_close(c, slot, true);
        }
    }
}

/* ---- all */

static void client_traffic(client *c) {
    uint64_t end_ns = rs_os_now_ns() + SILENT_NS;
    rs_completion out[POLL_MAX];
    for (uint32_t turn = 1; c->used > 0 || c->opened < c->plan->connections; turn++) {
        if (rs_os_now_ns() > end_ns) {
            chaos_fail("%u connections do not get on", c->used);
        }
        for (uint32_t slot = 0; slot < c->plan->slots; slot++) {
            if (!c->conns[slot].used && c->opened < c->plan->connections) {
                client_open(c, slot);
            }
            client_step(c, slot);
        }
        client_escalate(c);
        if (chaos_draw(16) == 0) {
            c->api->wake(c->backend);
        }
        const uint32_t cap = 1u + chaos_draw(POLL_MAX);
        const uint32_t count = c->api->poll(c->backend, out, cap, POLL_NS);
        for (uint32_t i = 0; i < count; i++) {
            client_completed(c, &out[i]);
        }
        if (count > 0) {
            end_ns = rs_os_now_ns() + SILENT_NS;
        }
        if (c->plan->asks != 0 && turn % c->plan->asks == 0) {
            c->plan->ask(c->plan->ctx);
        }
    }
}

/* Opening may fail, for a failure that was injected; nothing is then left of it. */
static void client_start(client *c, size_t bytes) {
    rs_error error;
    for (;;) {
        const uint32_t injected = chaos_injected(CHAOS_CLIENT);
        rs_status status = c->api->open(&c->backend, &c->plan->backend, &error);
        if (status == RS_OK) {
            status =
                c->api->register_memory(c->backend, c->memory, bytes, NULL, &c->region, &error);
            if (status == RS_OK) {
                return;
            }
            c->api->close(c->backend);
        }
        if (chaos_injected(CHAOS_CLIENT) == injected) {
            chaos_fail("the client does not open: %s", error.text);
        }
        chaos_nothing_open(CHAOS_CLIENT);
    }
}

void chaos_client_run(const rs_backend_api *api, const chaos_client_plan *plan,
                      chaos_client_result *result) {
    static client c;
    const size_t bytes = (size_t)plan->slots * (STREAM_BYTES + RECV_BYTES);
    RS_ASSERT(plan->slots <= SLOTS_MAX && plan->backend.poll_max >= POLL_MAX);
    memset(&c, 0, sizeof c);
    memset(result, 0, sizeof *result);
    c.api = api;
    c.plan = plan;
    c.result = result;
    c.memory = rs_os_pages_alloc(bytes, NULL);
    RS_ASSERT(c.memory != NULL);
    client_start(&c, bytes);
    client_traffic(&c);
    api->release_memory(c.backend, c.region);
    api->close(c.backend);
    rs_os_pages_free(c.memory, bytes);
}
