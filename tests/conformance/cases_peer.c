/* SPDX-License-Identifier: MIT */
/* Cases about who is at the other end of a server's connections, over both families.
 *
 * A pass is decided by comparing what the server was told with the client's own address, and with
 * the bytes that the client sent and got. */
#include "server_fixture.h"

#include "core/assert.h"

#define SERVER_PEERS 3u

typedef struct server_peers {
    conf_run *run;
    rs_peer opened, heard, ended; /* as told in on_open, on_message and on_close, each the latest */
    uint32_t open_count, close_count;
} server_peers;

static void peers_ask(server_peers *peers, const rs_session *session, rs_peer *out) {
    CONF_STATUS(peers->run, rs_session_peer(session, out), RS_OK);
}

static void peers_on_open(void *ctx, rs_session *session) {
    server_peers *peers = ctx;
    peers_ask(peers, session, &peers->opened);
    peers->open_count++;
}

static void peers_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    server_peers *peers = ctx;
    (void)rs_session_send(session, data, bytes);
    peers_ask(peers, session, &peers->heard);
}

static void peers_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    server_peers *peers = ctx;
    (void)reason;
    peers_ask(peers, session, &peers->ended);
    peers->close_count++;
}

/* Each client is known by the address that it has itself, to its end, and what it sent and got is
 * counted. */
static void server_tells_peers(conf_run *run) {
    server_peers peers = {.run = run};
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.app = (rs_app){.ctx = &peers,
                                   .on_open = peers_on_open,
                                   .on_message = peers_on_message,
                                   .on_close = peers_on_close};
    server_start(fixture);
    for (uint32_t i = 0; i < SERVER_PEERS; i++) {
        const rs_addr server = conf_server_addr(run);
        rs_addr client;
        server_connect(run, i);
        client = run->api->local(run->client.backend, i);
        CONF_CHECK(run, client.port != 0);
        CONF_WAIT(run, peers.open_count == i + 1u);
        CONF_CHECK(run, rs_addr_equal(&peers.opened.addr, &client));
        CONF_CHECK(run, rs_addr_equal(&peers.opened.local, &server));
        CONF_CHECK(run, peers.opened.bytes_in == 0 && peers.opened.bytes_out == 0);
        server_echo(run, i, 100);
        server_echo(run, i, 50 + i);
        CONF_CHECK(run, rs_addr_equal(&peers.heard.addr, &client));
        CONF_CHECK(run, peers.heard.bytes_in == 150u + i);
        CONF_CHECK(run, peers.heard.age_ms >= peers.opened.age_ms);
        (void)conf_close(&run->client, i, i == 1u ? RS_OPF_ABORT : (uint8_t)0);
        CONF_WAIT(run, peers.close_count == i + 1u);
        CONF_CHECK(run, rs_addr_equal(&peers.ended.addr, &client));
        CONF_CHECK(run, rs_addr_equal(&peers.ended.local, &server));
        CONF_CHECK(run, peers.ended.bytes_in == 150u + i && peers.ended.bytes_out == 150u + i);
    }
    server_end(fixture);
}

void conf_case_server_knows_its_peers(conf_run *run) {
    server_tells_peers(run);
}

void conf_case_server_knows_its_ipv6_peers(conf_run *run) {
    RS_ASSERT(rs_addr_parse("::1", &run->host));
    server_tells_peers(run);
}

/* A listener on :: has clients of both families, and those of IPv4 are known as such. */
void conf_case_server_serves_both_families(conf_run *run) {
    const char *const hosts[] = {"127.0.0.1", "::1"};
    server_peers peers = {.run = run};
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.app = (rs_app){.ctx = &peers,
                                   .on_open = peers_on_open,
                                   .on_message = peers_on_message,
                                   .on_close = peers_on_close};
    run->host = (rs_addr){.family = RS_ADDR_V6};
    server_start(fixture);
    for (uint32_t i = 0; i < 2u; i++) {
        rs_addr client;
        RS_ASSERT(rs_addr_parse(hosts[i], &run->host));
        server_connect(run, i);
        client = run->api->local(run->client.backend, i);
        CONF_CHECK(run, client.family == run->host.family);
        server_echo(run, i, 100);
        CONF_CHECK(run, rs_addr_equal(&peers.heard.addr, &client));
        CONF_CHECK(run, peers.heard.local.family == run->host.family);
        CONF_CHECK(run, peers.heard.local.port == run->server.port);
    }
    server_end(fixture);
}
