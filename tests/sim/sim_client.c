/* SPDX-License-Identifier: MIT */
/* The scripted clients: what they send, when they read, how they go. */
#include "sim_run.h"

#include <string.h>

#define FRAME_TYPE_ECHO 1u
#define FRAME_TYPE_DISMISS 2u

/* ---- plans */

static void plan_frame(sim_run *run, sim_client *client, uint8_t type) {
    uint32_t bytes = sim_between(run, RS_FRAME_HEADER_BYTES, run->server.frame_bytes_max);
    uint8_t *at = client->plan + client->plan_bytes;
    if (bytes > SIM_PLAN_BYTES - client->plan_bytes) {
        return;
    }
    at[0] = (uint8_t)bytes;
    at[1] = (uint8_t)(bytes >> 8);
    at[2] = type;
    for (uint32_t i = RS_FRAME_HEADER_BYTES; i < bytes; i++) {
        at[i] = (uint8_t)sim_draw(run);
    }
    client->plan_bytes += bytes;
    client->echo_bytes = client->plan_bytes;
}

static void plan_tail(sim_run *run, sim_client *client, uint32_t length) {
    uint8_t *at = client->plan + client->plan_bytes;
    if (SIM_PLAN_BYTES - client->plan_bytes < RS_FRAME_HEADER_BYTES + 8u) {
        return;
    }
    at[0] = (uint8_t)length;
    at[1] = (uint8_t)(length >> 8);
    client->plan_bytes += sim_between(run, 2, 8); /* whatever the plan held before */
}

/* A PROXY header, of which nothing may come back. */
static void plan_proxy_header(sim_run *run, sim_client *client) {
    static const char v1[] = "PROXY TCP4 192.0.2.7 198.51.100.1 50122 4000\r\n";
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xC0\0\x02\x09\xC6\x33\x64\x01"
                             "\xC3\xCA\x0F\xA0\x04\0\x01x";
    const bool text = sim_one_in(run, 2);
    SIM_CHECK(run, client->plan_bytes == 0);
    client->plan_bytes = text ? sizeof v1 - 1u : sizeof v2 - 1u;
    memcpy(client->plan, text ? v1 : v2, client->plan_bytes);
    client->echo_bytes = client->received = client->plan_bytes;
}

/* Nobody's header: the session ends, and nothing is echoed. */
static void spoil_proxy_header(sim_run *run, sim_client *client) {
    client->plan[sim_between(run, 0, 11)] ^= 0x80u;
    client->echo_bytes = client->received;
}

void sim_client_draw(sim_run *run, sim_client *client) {
    uint32_t frames = sim_between(run, 0, 12);
    uint32_t frame_max = run->server.frame_bytes_max;
    client->manner = (uint8_t)sim_between(run, 0, SIM_MANNERS - 1u);
    if (sim_one_in(run, 2)) {
        client->manner = SIM_MANNER_GOOD;
    }
    client->plan_bytes = client->echo_bytes = client->sent = client->received = 0;
    client->shutdown_posted = client->end_seen = client->failed = false;
    client->pause = sim_between(run, 0, 8);
    run->has_greedy = run->has_greedy || client->manner == SIM_MANNER_GREEDY ||
                      client->manner == SIM_MANNER_FLOOD || client->manner == SIM_MANNER_LEAVE;
    client->patience = sim_between(run, 20, 400);
    if (run->server.proxy_protocol) {
        plan_proxy_header(run, client);
    }
    if (client->manner == SIM_MANNER_FLOOD || client->manner == SIM_MANNER_GREEDY) {
        frames = SIM_PLAN_BYTES / 8u;
    }
    for (uint32_t i = frames; i > 0; i--) {
        plan_frame(run, client, FRAME_TYPE_ECHO);
    }
    if (client->manner == SIM_MANNER_BAD) {
        plan_tail(run, client,
                  sim_one_in(run, 2) ? sim_between(run, 0, 2)
                                     : sim_between(run, frame_max + 1, 65535));
    } else if (client->manner == SIM_MANNER_SILENT && frame_max > 10) {
        plan_tail(run, client, frame_max);
    } else if (client->manner == SIM_MANNER_DISMISS) {
        plan_frame(run, client, FRAME_TYPE_DISMISS);
    }
    if (run->server.app.raw) {
        client->echo_bytes = client->plan_bytes;
    }
    if (run->server.proxy_protocol && client->manner == SIM_MANNER_BAD && sim_one_in(run, 2)) {
        spoil_proxy_header(run, client);
    }
    client->go_at = client->plan_bytes > 0 ? sim_between(run, 0, client->plan_bytes) : 0;
}

/* ---- ops */

static uint32_t client_index(const sim_run *run, const sim_client *client) {
    return (uint32_t)(client - run->clients);
}

static bool client_submit(sim_run *run, const sim_client *client, rs_op op) {
    rs_status why = RS_OK;
    op.conn = client_index(run, client);
    op.generation = client->generation;
    op.region = run->region.value;
    op.tag = ((uint64_t)op.conn << 32) | client->generation;
    if (rs_sim_backend.submit(run->backend, &op, 1, &why) == 1) {
        return true;
    }
    SIM_CHECK(run, why == RS_E_CLOSED);
    return false;
}

static void client_connect(sim_run *run, sim_client *client) {
    rs_addr addr = {.ip = 0x7F000001u, .port = run->port};
    client->generation++;
    sim_client_draw(run, client);
    client->state = SIM_CLIENT_CONNECTING;
    SIM_CHECK(run, client_submit(run, client, (rs_op){.kind = RS_OP_CONNECT, .u.addr = &addr}));
}

static void client_close(sim_run *run, sim_client *client, bool abort) {
    client->state = SIM_CLIENT_CLOSING;
    client->close_in_flight = true;
    SIM_CHECK(run, client_submit(run, client,
                                 (rs_op){.kind = RS_OP_CLOSE, .flags = abort ? RS_OPF_ABORT : 0}));
}

static void client_recv(sim_run *run, sim_client *client) {
    rs_op op = {.kind = RS_OP_RECV, .bytes = sim_between(run, 1, SIM_RX_BYTES)};
    op.u.data = client->rx;
    client->recv_in_flight = client_submit(run, client, op);
    client->failed = client->failed || !client->recv_in_flight;
}

static void client_send(sim_run *run, sim_client *client) {
    uint32_t left = client->plan_bytes - client->sent;
    uint32_t most = sim_one_in(run, 4) ? 3 : 400;
    rs_op op = {.kind = RS_OP_SEND, .bytes = sim_between(run, 1, left < most ? left : most)};
    op.u.data = client->plan + client->sent;
    if (client_submit(run, client, op)) {
        client->sent += op.bytes;
        client->sends_in_flight++;
    } else {
        client->failed = true;
    }
}

/* ---- completions */

static void client_received(sim_run *run, sim_client *client, uint32_t bytes) {
    SIM_CHECK(run, bytes <= SIM_RX_BYTES);
    if (client->received + bytes > client->echo_bytes || client->received + bytes > client->sent) {
        sim_fail(run, "client %u got %u bytes where %u can come back and %u were sent",
                 client_index(run, client), client->received + bytes, client->echo_bytes,
                 client->sent);
    }
    for (uint32_t i = 0; i < bytes; i++) {
        if (client->rx[i] != client->plan[client->received + i]) {
            sim_fail(run, "client %u: byte %u came back as %02x, not %02x",
                     client_index(run, client), client->received + i, client->rx[i],
                     client->plan[client->received + i]);
        }
    }
    client->received += bytes;
    run->bytes_back += bytes;
}

static uint64_t sim_refused(const rs_sessions *table) {
    return table->counters.refused + table->counters.refused_address + table->counters.refused_off;
}

/* The stream ended in order: was all of it there? Only what can cut it short excuses it. */
static void client_ended(sim_run *run, sim_client *client) {
    const rs_sessions *table = rs_shard_sessions(run->shard);
    bool complete = client->received == client->echo_bytes;
    client->end_seen = true;
    run->complete_streams += complete ? 1 : 0;
    if (client->manner != SIM_MANNER_GOOD || client->failed || client->sent != client->plan_bytes ||
        !client->shutdown_posted || run->server_faults.chance[RS_SIM_HALF_CLOSE] != 0 ||
        run->server.idle_timeout_ms != 0 || run->stopping || run->cut_short ||
        sim_refused(table) != 0) {
        return;
    }
    if (!complete) {
        sim_fail(run, "client %u: the stream ended in order after %u of %u bytes",
                 client_index(run, client), client->received, client->echo_bytes);
    }
}

/* Whoever reads is never reset by a server without faults, whatever the others do. */
static void client_cut(sim_run *run, sim_client *client) {
    const rs_sessions *table = rs_shard_sessions(run->shard);
    if (client->manner == SIM_MANNER_GOOD && !client->failed && run->faultless &&
        run->server.idle_timeout_ms == 0 && !run->posts && !run->stopping && !run->cut_short &&
        sim_refused(table) == 0) {
        sim_fail(run, "client %u reads, and was reset after %u of %u bytes",
                 client_index(run, client), client->received, client->echo_bytes);
    }
    client->failed = true;
}

static void client_on_recv(sim_run *run, sim_client *client, const rs_completion *completion) {
    SIM_CHECK(run, client->recv_in_flight);
    client->recv_in_flight = false;
    if (completion->status != RS_OK) {
        client_cut(run, client);
    } else if (completion->bytes == 0) {
        client_ended(run, client);
    } else {
        client_received(run, client, completion->bytes);
    }
}

static void client_on_close(sim_run *run, sim_client *client) {
    SIM_CHECK(run, client->close_in_flight && client->sends_in_flight == 0);
    SIM_CHECK(run, !client->recv_in_flight && !client->shutdown_in_flight);
    client->close_in_flight = false;
    client->rounds_left--;
    client->state =
        client->rounds_left > 0 && !run->stopping ? SIM_CLIENT_REST : SIM_CLIENT_FINISHED;
    client->pause = sim_between(run, 0, 6);
    run->clients_finished += client->state == SIM_CLIENT_FINISHED ? 1 : 0;
}

static void client_complete(sim_run *run, const rs_completion *completion) {
    sim_client *client = &run->clients[completion->conn];
    SIM_CHECK(run, completion->conn < run->client_count);
    if (completion->generation != client->generation) {
        SIM_CHECK(run, completion->generation < client->generation);
        return; /* the fault STALE_COMPLETION */
    }
    SIM_CHECK(run, completion->tag == (((uint64_t)completion->conn << 32) | client->generation));
    switch (completion->kind) {
    case RS_OP_CONNECT:
        SIM_CHECK(run, client->state == SIM_CLIENT_CONNECTING);
        client->state = SIM_CLIENT_OPEN;
        client->failed = completion->status != RS_OK;
        break;
    case RS_OP_RECV:
        client_on_recv(run, client, completion);
        break;
    case RS_OP_SEND:
        SIM_CHECK(run, client->sends_in_flight > 0);
        client->sends_in_flight--;
        client->failed = client->failed || completion->status != RS_OK;
        break;
    case RS_OP_SHUTDOWN:
        SIM_CHECK(run, client->shutdown_in_flight);
        client->shutdown_in_flight = false;
        break;
    default:
        SIM_CHECK(run, completion->kind == RS_OP_CLOSE);
        client_on_close(run, client);
    }
}

/* ---- acting */

static bool client_reads(sim_run *run, const sim_client *client) {
    if (client->manner == SIM_MANNER_GREEDY) {
        return false;
    }
    if (client->manner == SIM_MANNER_FLOOD && client->sent < client->plan_bytes) {
        return sim_one_in(run, 40); /* else a server that waits for it would wait for ever */
    }
    return client->manner != SIM_MANNER_LEAVE || sim_one_in(run, 4);
}

static bool client_goes(sim_run *run, sim_client *client) {
    bool leaves = client->manner == SIM_MANNER_RESET || client->manner == SIM_MANNER_LEAVE;
    if (client->failed || client->end_seen || (leaves && client->sent >= client->go_at)) {
        client_close(run, client, client->manner == SIM_MANNER_RESET || client->failed);
        return true;
    }
    if (client->manner == SIM_MANNER_GREEDY && --client->patience == 0) {
        client_close(run, client, true);
        return true;
    }
    /* Silence that nobody will end, and the end of what a server that ignores it can do. */
    if (client->manner == SIM_MANNER_SILENT && client->sent == client->plan_bytes &&
        run->server.idle_timeout_ms == 0 && sim_one_in(run, 30)) {
        client_close(run, client, sim_one_in(run, 2));
        return true;
    }
    return false;
}

static bool client_shuts(const sim_client *client) {
    return client->sent == client->plan_bytes && !client->shutdown_posted &&
           (client->manner == SIM_MANNER_GOOD || client->manner == SIM_MANNER_BAD ||
            client->manner == SIM_MANNER_FLOOD || client->manner == SIM_MANNER_DISMISS);
}

static bool client_talks(sim_run *run, sim_client *client) {
    bool acted = false;
    if (client_goes(run, client)) {
        return true;
    }
    if (!client->recv_in_flight && client_reads(run, client)) {
        client_recv(run, client);
        acted = true;
    }
    if (client->sent < client->plan_bytes && client->sends_in_flight < SIM_CLIENT_SENDS) {
        client_send(run, client);
        acted = true;
    }
    if (client_shuts(client)) {
        client->shutdown_posted = client->shutdown_in_flight =
            client_submit(run, client, (rs_op){.kind = RS_OP_SHUTDOWN});
        client->failed = client->failed || !client->shutdown_posted;
        acted = true;
    }
    return acted;
}

/* A plain close waits for sends that a server which waits for this client to read never takes; a
 * kernel would have reset it for what came unread. */
static bool client_forces(sim_run *run, sim_client *client) {
    if (client->state != SIM_CLIENT_CLOSING || client->sends_in_flight == 0 ||
        client->patience == 0 || --client->patience > 0) {
        return false;
    }
    (void)client_submit(run, client, (rs_op){.kind = RS_OP_CLOSE, .flags = RS_OPF_ABORT});
    return true;
}

static bool client_acts(sim_run *run, sim_client *client) {
    if (client->state == SIM_CLIENT_FINISHED || client->state == SIM_CLIENT_CLOSING) {
        return client_forces(run, client);
    }
    if (client->pause > 0) {
        client->pause--;
        return true;
    }
    if (client->state == SIM_CLIENT_REST) {
        if (run->stopping) {
            client->state = SIM_CLIENT_FINISHED;
            run->clients_finished++;
        } else {
            client_connect(run, client);
        }
        return true;
    }
    if (sim_one_in(run, 6)) {
        client->pause = sim_between(run, 1, 5);
    }
    return client->state == SIM_CLIENT_OPEN && client_talks(run, client);
}

bool sim_clients_step(sim_run *run) {
    uint32_t cap = sim_between(run, 1, 32);
    uint32_t count = rs_sim_backend.poll(run->backend, run->completions, cap, 0);
    bool acted = count > 0;
    SIM_CHECK(run, count <= cap);
    for (uint32_t i = 0; i < count; i++) {
        client_complete(run, &run->completions[i]);
    }
    for (uint32_t i = 0; i < run->client_count; i++) {
        acted = client_acts(run, &run->clients[i]) || acted;
    }
    return acted;
}
