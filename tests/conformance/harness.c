/* SPDX-License-Identifier: MIT */
/* The ledger, the pump and the stream helpers. One thread; the back ends see it as their shard. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/assert.h"
#include "core/options.h"
#include "seam/region_set.h"
#include "seam/os.h"

#define CONF_WAIT_NS_MAX UINT64_C(30000000000) /* without a completion; slow is no fault */
#define CONF_WAIT_ROUNDS_MAX 20000000u
#define CONF_SETTLED_ROUNDS 60u /* idle rounds after which nothing more is expected */
#define CONF_IDLE_POLL_NS 1000000
#define CONF_LOOPBACK_FIRST 0x7F010001u /* 127.1.0.1; all of 127/8 is this machine */
#define CONF_LOOPBACKS 0x7EFFFEu
#define CONF_SMALL_SEND_BYTES (CONF_SLICE_BYTES / RS_SENDS_IN_FLIGHT_MAX)
#define CONF_BLOCK_BYTES_MAX (UINT64_C(64) * 1024 * 1024)

/* ---- failing */

static void harness_print_side(const conf_side *side) {
    uint32_t first = side->op_count > CONF_OPS_MAX ? side->op_count - CONF_OPS_MAX : 0;
    uint32_t shown = 0;
    if (side->backend == NULL) {
        print_error("conf: a server stands in for this side\n");
        return;
    }
    print_error("conf: %s: %u requests outstanding, %u accepted sockets waiting\n", side->name,
                side->outstanding, side->accepted_count - side->accepted_taken);
    for (uint32_t i = first; i < side->op_count && shown < 16u; i++) {
        const conf_op *one = &side->ops[i % CONF_OPS_MAX];

        if (!one->done && !one->no_completion) {
            print_error("conf:   #%u kind %u, slot %u, generation %u, %u bytes\n", i,
                        (unsigned)one->op.kind, one->op.conn, one->op.generation, one->op.bytes);
            shown++;
        }
    }
}

void conf_failed(conf_run *run, const char *file, int line, const char *what) {
    print_error("conf: not so: %s\n", what);
    if (run->opened) {
        harness_print_side(&run->server);
        harness_print_side(&run->client);
    }
    _fail(file, line);
}

void conf_check_status(conf_run *run, const char *file, int line, const char *what,
                       rs_status actual, rs_status expected) {
    if (actual != expected) {
        print_error("conf: %s is %s, expected %s\n", what, rs_status_name(actual),
                    rs_status_name(expected));
        conf_failed(run, file, line, "the status is as expected");
    }
}

/* ---- completions: what holds in every case */

static void harness_accepted(conf_side *side, const rs_completion *record) {
    conf_run *run = side->run;
    CONF_CHECK(run, side->listening && !side->listener_ended);
    if (record->status == RS_E_CLOSED) {
        side->listener_ended = side->more_listeners == 0;
        side->more_listeners -= side->more_listeners > 0 ? 1u : 0u;
        return;
    }
    if (record->status != RS_OK) {
        side->accept_failures++;
        return;
    }
    CONF_CHECK(run, record->socket != RS_SOCKET_NONE);
    CONF_CHECK(run, side->accepted_count - side->accepted_taken < CONF_CONNS_MAX);
    side->accepted[side->accepted_count % CONF_CONNS_MAX] = record->socket;
    side->accepted_count++;
}

static void harness_check_order(conf_side *side, const rs_completion *record, uint32_t index) {
    conf_slot *slot = &side->slots[record->conn];
    uint32_t *last = record->kind == RS_OP_SEND ? &slot->last_send : &slot->last_recv;
    if (record->kind == RS_OP_SEND || record->kind == RS_OP_RECV) {
        CONF_CHECK(side->run, *last < index + 1u); /* kept as index + 1; 0 = none yet */
        *last = index + 1u;
    }
}

static void harness_check_result(conf_side *side, const rs_completion *record, const rs_op *op) {
    conf_run *run = side->run;
    CONF_CHECK(run, record->kind == op->kind);
    CONF_CHECK(run, record->conn == op->conn);
    CONF_CHECK(run, record->generation == op->generation);
    CONF_CHECK(run, record->bytes <= op->bytes);
    CONF_CHECK(run,
               record->kind != RS_OP_SEND || record->status != RS_OK || record->bytes == op->bytes);
    CONF_CHECK(run, record->kind != RS_OP_CLOSE || record->status == RS_OK);
    if ((record->flags & RS_CF_INLINE) != 0) {
        side->inline_seen++;
        CONF_STATUS(run, (rs_status)record->status, RS_OK);
        CONF_CHECK(run, record->kind == RS_OP_RECV || record->kind == RS_OP_SEND);
    }
}

static void harness_completed(conf_side *side, const rs_completion *record) {
    conf_run *run = side->run;
    uint32_t index = (uint32_t)record->tag;
    conf_op *one = &side->ops[index % CONF_OPS_MAX];
    conf_slot *slot;
    CONF_CHECK(run, record->tag == one->op.tag); /* the whole of it: intact, and not overwritten */
    CONF_CHECK(run, index < side->op_count);
    CONF_CHECK(run, !one->done && !one->no_completion);
    harness_check_result(side, record, &one->op);
    harness_check_order(side, record, index);
    slot = &side->slots[record->conn];
    CONF_CHECK(run, slot->bound && slot->generation == record->generation);
    if (record->kind == RS_OP_CLOSE) {
        CONF_CHECK(run, slot->in_flight == 0); /* CLOSE comes last */
        slot->bound = false;
    } else {
        CONF_CHECK(run, slot->in_flight > 0);
        slot->in_flight--;
    }
    one->done = true;
    one->status = (rs_status)record->status;
    one->bytes = record->bytes;
    side->outstanding--;
}

uint32_t conf_poll_side(conf_side *side, uint32_t cap, int64_t timeout_ns) {
    rs_completion out[CONF_POLL_MAX + 1u];
    uint32_t count;
    memset(&out[cap], 0xA5, sizeof out[cap]);
    const rs_completion guard = out[cap];
    count = side->run->api->poll(side->backend, out, cap, timeout_ns);
    CONF_CHECK(side->run, count <= cap);
    CONF_CHECK(side->run, memcmp(&out[cap], &guard, sizeof guard) == 0);
    for (uint32_t i = 0; i < count; i++) {
        if (out[i].kind == RS_OP_ACCEPT) {
            harness_accepted(side, &out[i]);
        } else {
            harness_completed(side, &out[i]);
        }
    }
    return count;
}

/* ---- driving */

uint64_t conf_now_ns(const conf_run *run) {
    return run->instance->now_ns != NULL ? run->instance->now_ns(run->world) : rs_os_now_ns();
}

/* A side that a server stands in for is driven by the server's own turns. */
static uint32_t harness_turn(conf_run *run, conf_side *side, int64_t timeout_ns) {
    if (side->backend != NULL) {
        return conf_poll_side(side, run->cap, timeout_ns);
    }
    if (run->server_turn != NULL) {
        run->server_turn(run->server_ctx, timeout_ns);
    }
    return 0;
}

uint32_t conf_pump(conf_run *run) {
    uint32_t count = harness_turn(run, &run->server, 0);
    count += harness_turn(run, &run->client, 0);
    if (count > 0) {
        run->idle_rounds = 0;
        return count;
    }
    run->idle_rounds++;
    if (run->instance->idle != NULL) {
        run->instance->idle(run->world);
    } else {
        conf_side *side = run->idle_rounds % 2u == 0 ? &run->server : &run->client;

        count = harness_turn(run, side, CONF_IDLE_POLL_NS);
        run->idle_rounds = count > 0 ? 0 : run->idle_rounds;
    }
    return count;
}

void conf_settle(conf_run *run) {
    conf_wait wait = conf_wait_start(run);
    run->idle_rounds = 0;
    while (run->idle_rounds < CONF_SETTLED_ROUNDS) {
        conf_wait_step(run, &wait, __FILE__, __LINE__, "the traffic comes to rest");
    }
}

bool conf_done_or_settled(conf_run *run, const conf_side *side, uint32_t op) {
    conf_wait wait = conf_wait_start(run);
    while (!conf_done(side, op) && run->idle_rounds < CONF_SETTLED_ROUNDS) {
        conf_wait_step(run, &wait, __FILE__, __LINE__, "the traffic comes to rest");
    }
    return conf_done(side, op);
}

conf_wait conf_wait_start(conf_run *run) {
    run->idle_rounds = 0;
    return (conf_wait){.deadline_ns = rs_os_now_ns() + CONF_WAIT_NS_MAX};
}

void conf_wait_step(conf_run *run, conf_wait *wait, const char *file, int line, const char *what) {
    wait->rounds++;
    if (wait->rounds > CONF_WAIT_ROUNDS_MAX ||
        (wait->rounds % 64u == 0 && rs_os_now_ns() > wait->deadline_ns)) {
        print_error("conf: waited in vain: a completion was lost, or never came\n");
        conf_failed(run, file, line, what);
    }
    if (conf_pump(run) > 0) {
        wait->deadline_ns = rs_os_now_ns() + CONF_WAIT_NS_MAX;
    }
}

/* ---- set-up */

rs_backend_config conf_config(conf_run *run, const conf_setup *setup) {
    static const conf_setup nothing = {0};
    const conf_setup *want = setup != NULL ? setup : &nothing;
    rs_backend_config cfg = {
        .conns_max = want->conns != 0 ? want->conns : 16u,
        .sends_per_conn = want->sends != 0 ? want->sends : 2u,
        .poll_max = CONF_POLL_MAX,
        .keeps_accepted = true,
        .tuning = rs_tuning_default(),
        .world = run->world,
    };
    if (rs_option_named(run->api->tuning, "accepts")) {
        cfg.tuning.accepts = want->accepts != 0 ? want->accepts : CONF_ACCEPTS;
    }
    /* Of RIO nobody knows what they do (question 8): no case may rest on it. */
    if (want->buffer_bytes != 0 && strcmp(run->api->name, "rio") != 0) {
        if (rs_option_named(run->api->tuning, "sndbuf")) {
            cfg.tuning.sndbuf_bytes = want->buffer_bytes;
        }
        if (rs_option_named(run->api->tuning, "rcvbuf")) {
            cfg.tuning.rcvbuf_bytes = want->buffer_bytes;
        }
    }
    if (want->recvs != 0 && rs_option_named(run->api->tuning, "recvs")) {
        cfg.tuning.recvs = want->recvs;
    }
    if (run->instance->prepare != NULL) {
        run->instance->prepare(&cfg);
    }
    RS_ASSERT(cfg.conns_max <= CONF_CONNS_MAX);
    return cfg;
}

static void harness_open_side(conf_run *run, conf_side *side, const char *name) {
    rs_backend_config cfg = run->config;
    rs_error error = {0};
    rs_status status;
    side->run = run;
    side->name = name;
    cfg.fine_waits = side == &run->client; /* every case with both kinds of waits */
    for (uint32_t i = 0; i < CONF_CONNS_MAX; i++) {
        side->slots[i].generation = 100u + 7u * i; /* nothing that could pass for an index */
    }
    status = run->api->open(&side->backend, &cfg, &error);
    if (status != RS_OK) {
        print_error("conf: open: %s: %s\n", rs_status_name(status), error.text);
    }
    CONF_STATUS(run, status, RS_OK);
    const rs_region_cut cut = {.slices = run->config.conns_max * 2u,
                               .slice_bytes = CONF_SLICE_BYTES,
                               .blocks = 2,
                               .block_bytes = CONF_BIG_BYTES};
    side->memory_bytes = (size_t)rs_region_cut_bytes(&cut);
    side->memory = rs_os_pages_alloc(side->memory_bytes, NULL);
    CONF_CHECK(run, side->memory != NULL);
    status = run->api->register_memory(side->backend, side->memory, side->memory_bytes, &cut,
                                       &side->region, &error);
    CONF_STATUS(run, status, RS_OK);
}

void conf_open_client(conf_run *run, const conf_setup *setup) {
    RS_ASSERT(!run->opened);
    if (run->instance->world_open != NULL) {
        run->world = run->instance->world_open();
    }
    run->config = conf_config(run, setup);
    run->cap = run->config.poll_max;
    harness_open_side(run, &run->client, "client");
    run->opened = true;
}

void conf_open(conf_run *run, const conf_setup *setup) {
    conf_open_client(run, setup);
    harness_open_side(run, &run->server, "server");
}

uint32_t conf_loopback(void) {
    static uint32_t own; /* the only thread's */
    if (own == 0) {
        own = CONF_LOOPBACK_FIRST + (uint32_t)(rs_os_now_ns() % CONF_LOOPBACKS);
    }
    return own;
}

rs_addr conf_host_addr(const conf_run *run) {
    return run->host.family == RS_ADDR_V4 && run->host.ip == 0 ? (rs_addr){.ip = conf_loopback()}
                                                               : run->host;
}

void conf_listen(conf_run *run) {
    const rs_addr any_port = conf_host_addr(run);
    rs_error error = {0};
    CONF_STATUS(run, run->api->listen(run->server.backend, &any_port, &run->server.port, &error),
                RS_OK);
    CONF_CHECK(run, run->server.port != 0);
    run->server.listening = true;
    run->server.listener_ended = false;
}

void conf_open_listening(conf_run *run, const conf_setup *setup) {
    conf_open(run, setup);
    conf_listen(run);
}

rs_addr conf_server_addr(const conf_run *run) {
    rs_addr addr = conf_host_addr(run);
    addr.port = run->server.port;
    return addr;
}

static void harness_abort_slots(conf_side *side) {
    if (side->backend == NULL) {
        return; /* a server stood in for it, and has ended */
    }
    for (uint32_t i = 0; i < side->run->config.conns_max; i++) {
        const conf_slot *slot = &side->slots[i];

        if (slot->bound && !slot->escalated) {
            (void)conf_close(side, i, RS_OPF_ABORT);
        }
    }
}

static void harness_discard_accepted(conf_side *side) {
    while (side->accepted_taken < side->accepted_count) {
        side->run->api->discard(side->backend,
                                side->accepted[side->accepted_taken++ % CONF_CONNS_MAX]);
    }
}

static void harness_close_side(conf_side *side) {
    if (side->backend == NULL) {
        return;
    }
    harness_discard_accepted(side);
    side->run->api->release_memory(side->backend, side->region);
    side->run->api->close(side->backend); /* asserts that nothing is bound any more */
    rs_os_pages_free(side->memory, side->memory_bytes);
}

/* "inline completions" counts what carries the flag, and nothing else. */
static void harness_check_inline(const conf_side *side) {
    rs_backend_stats stats;
    if (side->backend == NULL) {
        return; /* a server stood in for this side, and took its completions */
    }
    side->run->api->stats(side->backend, &stats);
    for (uint32_t i = 0; i < stats.count; i++) {
        if (strcmp(stats.stat[i].name, "inline completions") == 0) {
            CONF_CHECK(side->run, stats.stat[i].value == side->inline_seen);
        }
    }
}

void conf_finish(conf_run *run) {
    if (!run->opened) {
        return;
    }
    harness_abort_slots(&run->client);
    harness_abort_slots(&run->server);
    if (run->server.listening) {
        run->api->unlisten(run->server.backend);
        CONF_WAIT(run, run->server.listener_ended);
    }
    CONF_WAIT(run, run->server.outstanding == 0 && run->client.outstanding == 0);
    harness_check_inline(&run->client);
    harness_check_inline(&run->server);
    harness_close_side(&run->client);
    harness_close_side(&run->server);
    run->opened = false;
    if (run->instance->world_close != NULL) {
        run->instance->world_close(run->world);
    }
}

/* ---- requests */

uint8_t *conf_rx(conf_side *side, uint32_t slot) {
    RS_ASSERT(slot < side->run->config.conns_max);
    return side->memory + (size_t)slot * 2u * CONF_SLICE_BYTES;
}

uint8_t *conf_tx(conf_side *side, uint32_t slot) {
    return conf_rx(side, slot) + CONF_SLICE_BYTES;
}

uint8_t *conf_big_rx(conf_side *side) {
    return side->memory + (size_t)side->run->config.conns_max * 2u * CONF_SLICE_BYTES;
}

uint8_t *conf_big_tx(conf_side *side) {
    return conf_big_rx(side) + CONF_BIG_BYTES;
}

static void harness_enter(conf_side *side, const rs_op *op) {
    conf_op *one = &side->ops[side->op_count % CONF_OPS_MAX];
    conf_slot *slot = &side->slots[op->conn];
    RS_ASSERT(one->op.kind == RS_OP_NONE || one->done || one->no_completion);
    *one = (conf_op){.op = *op};
    side->op_count++;
    if (op->kind == RS_OP_CLOSE && slot->closing) {
        one->no_completion = true; /* the escalation of a plain close */
        slot->escalated = true;
        return;
    }
    side->outstanding++;
    if (op->kind == RS_OP_CLOSE) {
        slot->closing = true;
        slot->escalated = (op->flags & RS_OPF_ABORT) != 0;
    } else {
        slot->in_flight++;
    }
}

static void harness_bind(conf_side *side, uint32_t index) {
    conf_slot *slot = &side->slots[index];
    RS_ASSERT(!slot->bound);
    slot->bound = true;
    slot->closing = slot->escalated = false;
    slot->last_recv = slot->last_send = 0;
    slot->in_flight = 0;
}

/* The generation counts up when an op or an attach binds the slot anew. */
static void harness_number(conf_side *side, rs_op *op, uint32_t index) {
    if (op->kind == RS_OP_CONNECT) {
        op->generation = ++side->slots[op->conn].generation;
    }
    op->tag = (uint64_t)~index << 32 | index;
}

uint32_t conf_submit(conf_side *side, const rs_op *ops, uint32_t count, rs_status *why,
                     uint32_t *first) {
    rs_op batch[64];
    uint32_t taken;
    RS_ASSERT(count > 0 && count <= sizeof batch / sizeof batch[0]);
    for (uint32_t i = 0; i < count; i++) {
        batch[i] = ops[i];
        harness_number(side, &batch[i], side->op_count + i);
    }
    if (first != NULL) {
        *first = side->op_count;
    }
    *why = RS_E_UNSUPPORTED;
    taken = side->run->api->submit(side->backend, batch, count, why);
    CONF_CHECK(side->run, taken <= count);
    CONF_CHECK(side->run, taken == count || *why != RS_OK);
    for (uint32_t i = 0; i < taken; i++) {
        if (batch[i].kind == RS_OP_CONNECT) {
            harness_bind(side, batch[i].conn);
        }
        harness_enter(side, &batch[i]);
    }
    memset(batch, 0xEE, sizeof batch); /* the records are ours again: nobody may still read them */
    return taken;
}

rs_op conf_op_recv(conf_side *side, uint32_t slot, uint8_t *data, uint32_t bytes) {
    rs_op op = conf_op_plain(side, slot, RS_OP_RECV, 0);
    op.u.data = data;
    op.bytes = bytes;
    return op;
}

rs_op conf_op_send(conf_side *side, uint32_t slot, uint8_t *data, uint32_t bytes) {
    rs_op op = conf_op_recv(side, slot, data, bytes);
    op.kind = RS_OP_SEND;
    return op;
}

rs_op conf_op_plain(const conf_side *side, uint32_t slot, rs_op_kind kind, uint8_t flags) {
    return (rs_op){
        .kind = (uint8_t)kind,
        .flags = flags,
        .region = side->region.value,
        .conn = slot,
        .generation = side->slots[slot].generation,
    };
}

uint32_t conf_must(conf_side *side, rs_op op) {
    rs_status why;
    uint32_t index;
    uint32_t taken = conf_submit(side, &op, 1, &why, &index);
    if (taken != 1) {
        print_error("conf: refused with %s\n", rs_status_name(why));
    }
    CONF_CHECK(side->run, taken == 1);
    return index;
}

void conf_must_refuse(conf_side *side, rs_op op, rs_status expected) {
    rs_status why;
    CONF_CHECK(side->run, conf_submit(side, &op, 1, &why, NULL) == 0);
    CONF_STATUS(side->run, why, expected);
}

uint32_t conf_recv(conf_side *side, uint32_t slot) {
    return conf_must(side, conf_op_recv(side, slot, conf_rx(side, slot), CONF_SLICE_BYTES));
}

/* Small sends take turns in sixteen parts of the slot's slice, so that all may be in flight. A
 * larger one takes the whole slice, and its case sees to it that no other is in flight. */
uint32_t conf_send(conf_side *side, uint32_t slot, const void *data, uint32_t bytes) {
    uint8_t *to = conf_tx(side, slot);
    RS_ASSERT(bytes <= CONF_SLICE_BYTES);
    if (bytes <= CONF_SMALL_SEND_BYTES) {
        to += (size_t)(side->op_count % RS_SENDS_IN_FLIGHT_MAX) * CONF_SMALL_SEND_BYTES;
    }
    memcpy(to, data, bytes);
    return conf_must(side, conf_op_send(side, slot, to, bytes));
}

uint32_t conf_shutdown(conf_side *side, uint32_t slot) {
    return conf_must(side, conf_op_plain(side, slot, RS_OP_SHUTDOWN, 0));
}

uint32_t conf_close(conf_side *side, uint32_t slot, uint8_t flags) {
    return conf_must(side, conf_op_plain(side, slot, RS_OP_CLOSE, flags));
}

uint32_t conf_connect(conf_side *side, uint32_t slot, rs_addr addr) {
    rs_op op = conf_op_plain(side, slot, RS_OP_CONNECT, 0);
    op.u.addr = &addr; /* read before submit returns */
    return conf_must(side, op);
}

void conf_attach(conf_side *side, uint32_t slot) {
    conf_run *run = side->run;
    uintptr_t socket;
    RS_ASSERT(side->accepted_taken < side->accepted_count);
    socket = side->accepted[side->accepted_taken++ % CONF_CONNS_MAX];
    harness_bind(side, slot);
    side->slots[slot].generation++;
    CONF_STATUS(run, run->api->attach(side->backend, slot, side->slots[slot].generation, socket),
                RS_OK);
}

bool conf_done(const conf_side *side, uint32_t op) {
    const conf_op *one = &side->ops[op % CONF_OPS_MAX];
    RS_ASSERT((uint32_t)one->op.tag == op);
    return one->done;
}

const conf_op *conf_result(const conf_side *side, uint32_t op) {
    CONF_CHECK(side->run, conf_done(side, op));
    return &side->ops[op % CONF_OPS_MAX];
}

conf_pair conf_pair_open(conf_run *run, uint32_t client, uint32_t server) {
    uint32_t connect = conf_connect(&run->client, client, conf_server_addr(run));
    CONF_WAIT(run, conf_done(&run->client, connect) &&
                       run->server.accepted_taken < run->server.accepted_count);
    CONF_STATUS(run, conf_result(&run->client, connect)->status, RS_OK);
    conf_attach(&run->server, server);
    return (conf_pair){.client = client, .server = server};
}

void conf_pair_close(conf_run *run, conf_pair pair) {
    uint32_t client = conf_close(&run->client, pair.client, 0);
    uint32_t server = conf_close(&run->server, pair.server, 0);
    CONF_WAIT(run, conf_done(&run->client, client) && conf_done(&run->server, server));
}

void conf_echo_once(conf_run *run, conf_pair pair, const void *data, uint32_t bytes) {
    conf_side *ends[2] = {&run->client, &run->server};
    const uint32_t slots[2] = {pair.client, pair.server};
    for (uint32_t from = 0; from < 2u; from++) {
        conf_side *to = ends[1u - from];
        uint32_t slot = slots[1u - from], got = 0;
        uint32_t sent = conf_send(ends[from], slots[from], data, bytes);

        while (got < bytes) {
            uint32_t recv =
                conf_must(to, conf_op_recv(to, slot, conf_rx(to, slot) + got, bytes - got));

            CONF_WAIT(run, conf_done(to, recv));
            CONF_STATUS(run, conf_result(to, recv)->status, RS_OK);
            CONF_CHECK(run, conf_result(to, recv)->bytes > 0);
            got += conf_result(to, recv)->bytes;
        }
        CONF_CHECK(run, memcmp(conf_rx(to, slot), data, bytes) == 0);
        CONF_WAIT(run, conf_done(ends[from], sent));
        CONF_STATUS(run, conf_result(ends[from], sent)->status, RS_OK);
    }
}

/* ---- numbered streams */

uint8_t conf_pattern(uint64_t offset) {
    uint64_t mixed = (offset + 1u) * UINT64_C(0x9E3779B97F4A7C15); /* odd: every offset differs */
    return (uint8_t)(mixed >> 56);
}

void conf_fill(uint8_t *data, uint32_t bytes, uint64_t offset) {
    for (uint32_t i = 0; i < bytes; i++) {
        data[i] = conf_pattern(offset + i);
    }
}

conf_sender conf_sender_make(conf_side *side, uint32_t slot, uint64_t total) {
    conf_sender sender = {
        .side = side,
        .slot = slot,
        .total = total,
        .chunk_bytes = CONF_BIG_BYTES / side->run->config.sends_per_conn,
    };
    if (sender.chunk_bytes > 65536u) {
        sender.chunk_bytes = 65536u;
    }
    for (uint32_t i = 0; i < RS_SENDS_IN_FLIGHT_MAX; i++) {
        sender.ops[i] = CONF_NOTHING;
    }
    return sender;
}

bool conf_sender_step(conf_sender *sender) {
    conf_side *side = sender->side;
    while (sender->offset < sender->total) {
        uint32_t *op = &sender->ops[sender->next];
        uint64_t left = sender->total - sender->offset;
        uint32_t bytes = left < sender->chunk_bytes ? (uint32_t)left : sender->chunk_bytes;
        uint8_t *data = conf_big_tx(side) + (size_t)sender->next * sender->chunk_bytes;

        if (*op != CONF_NOTHING) {
            if (!conf_done(side, *op)) {
                return false;
            }
            CONF_STATUS(side->run, conf_result(side, *op)->status, RS_OK);
        }
        conf_fill(data, bytes, sender->offset);
        *op = conf_must(side, conf_op_send(side, sender->slot, data, bytes));
        sender->offset += bytes;
        sender->next = (sender->next + 1u) % side->run->config.sends_per_conn;
    }
    return true;
}

bool conf_sender_done(const conf_sender *sender) {
    if (sender->offset < sender->total && sender->total != CONF_UNLIMITED) {
        return false;
    }
    for (uint32_t i = 0; i < sender->side->run->config.sends_per_conn; i++) {
        if (sender->ops[i] != CONF_NOTHING && !conf_done(sender->side, sender->ops[i])) {
            return false;
        }
    }
    return true;
}

conf_receiver conf_receiver_make(conf_side *side, uint32_t slot) {
    return (conf_receiver){
        .side = side,
        .slot = slot,
        .op = CONF_NOTHING,
        .chunk_bytes = 65536u,
        .data = conf_big_rx(side),
    };
}

static void harness_receiver_take(conf_receiver *receiver) {
    const conf_op *got = conf_result(receiver->side, receiver->op);
    receiver->status = got->status;
    receiver->ended = got->status != RS_OK || got->bytes == 0;
    for (uint32_t i = 0; i < got->bytes; i++) {
        if (receiver->data[i] != conf_pattern(receiver->offset + i)) {
            print_error("conf: byte %llu of the stream is wrong\n",
                        (unsigned long long)(receiver->offset + i));
            CONF_CHECK(receiver->side->run,
                       receiver->data[i] == conf_pattern(receiver->offset + i));
        }
    }
    receiver->offset += got->bytes;
}

bool conf_receiver_step(conf_receiver *receiver) {
    if (!receiver->ended && receiver->op != CONF_NOTHING) {
        if (!conf_done(receiver->side, receiver->op)) {
            return false;
        }
        harness_receiver_take(receiver);
    }
    if (!receiver->ended) {
        receiver->op =
            conf_must(receiver->side, conf_op_recv(receiver->side, receiver->slot, receiver->data,
                                                   receiver->chunk_bytes));
    }
    return receiver->ended;
}

void conf_receive_end(conf_run *run, conf_receiver *receiver, uint64_t bytes) {
    CONF_WAIT(run, conf_receiver_step(receiver));
    CONF_STATUS(run, receiver->status, RS_OK);
    CONF_CHECK(run, receiver->offset == bytes);
}

static bool harness_transferred(conf_sender *sender, conf_receiver *receiver) {
    (void)conf_sender_step(sender);
    return conf_receiver_step(receiver) ||
           (conf_sender_done(sender) && receiver->offset == sender->total);
}

void conf_transfer(conf_run *run, conf_sender *sender, conf_receiver *receiver) {
    CONF_WAIT(run, harness_transferred(sender, receiver));
    CONF_STATUS(run, receiver->status, RS_OK);
    CONF_CHECK(run, receiver->offset == sender->total);
}

void conf_block(conf_run *run, conf_sender *sender) {
    conf_wait wait = conf_wait_start(run);
    run->idle_rounds = 0;
    while (run->idle_rounds < CONF_SETTLED_ROUNDS) {
        CONF_CHECK(run, sender->offset < CONF_BLOCK_BYTES_MAX); /* somebody's buffer is endless */
        (void)conf_sender_step(sender);
        conf_wait_step(run, &wait, __FILE__, __LINE__, "the sender comes to a stop");
    }
    CONF_CHECK(run, !conf_sender_done(sender));
}
