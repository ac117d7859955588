/* SPDX-License-Identifier: MIT */
/* Cases about who is at the other end of a server's connections, over both families.
 *
 * A pass is decided by comparing what the server was told with the client's own address, and with
 * the bytes that the client sent and got. */
#include "server_fixture.h"

#include <string.h>

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

/* Two connections of an address are served and others end, untold to the application; with the end
 * of one there is room for the next. */
static void server_limits_address(conf_run *run) {
    enum { MOST = 2 };
    server_peers peers = {.run = run};
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.address_max = MOST;
    fixture->config.app = (rs_app){.ctx = &peers,
                                   .on_open = peers_on_open,
                                   .on_message = peers_on_message,
                                   .on_close = peers_on_close};
    server_start(fixture);
    for (uint32_t i = 0; i < MOST; i++) {
        server_connect(run, i);
        server_echo(run, i, 30);
    }
    for (uint32_t i = MOST; i < MOST + 3u; i++) {
        server_connect(run, i);
    }
    for (uint32_t i = MOST; i < MOST + 3u; i++) {
        server_ends(run, i);
        server_disconnect(run, i);
    }
    CONF_CHECK(run, server_counters(fixture)->refused_address == 3u);
    CONF_CHECK(run, server_counters(fixture)->refused == 0);
    for (uint32_t round = 0; round < 3u; round++) { /* who leaves may come back at once */
        server_disconnect(run, 0);
        server_connect(run, 0);
        server_echo(run, 0, 40 + round);
        server_echo(run, 1, 50);
    }
    CONF_WAIT(run, peers.close_count == 3u);
    CONF_CHECK(run, peers.open_count == MOST + 3u);
    CONF_CHECK(run, server_counters(fixture)->refused_address == 3u);
    server_end(fixture);
}

void conf_case_server_limits_connections_of_an_address(conf_run *run) {
    server_limits_address(run);
}

void conf_case_server_limits_connections_of_an_ipv6_address(conf_run *run) {
    RS_ASSERT(rs_addr_parse("::1", &run->host));
    server_limits_address(run);
}

/* On an IPv4 and an IPv6 address, with ports of their own: each session tells the one it came by.
 */
void conf_case_server_listens_on_several_addresses(conf_run *run) {
    server_peers peers = {.run = run};
    server_fixture *fixture = server_make(run, NULL);
    rs_addr at[2];
    rs_error error = {0};
    fixture->config.app =
        (rs_app){.ctx = &peers, .on_open = peers_on_open, .on_message = peers_on_message};
    server_start(fixture);
    at[0] = conf_server_addr(run);
    RS_ASSERT(rs_addr_parse("::1", &at[1]));
    CONF_STATUS(run, rs_shard_listen(fixture->shard, &at[1], &at[1].port, &error), RS_OK);
    for (uint32_t i = 0; i < 4u; i++) {
        run->host = at[i % 2u];
        run->server.port = at[i % 2u].port;
        server_connect(run, i);
        server_echo(run, i, 100);
        CONF_CHECK(run, rs_addr_equal(&peers.opened.local, &at[i % 2u]));
    }
    server_end(fixture);
}

/* The clients of one family are not counted with the other's. */
void conf_case_server_limits_each_family(conf_run *run) {
    const char *const hosts[] = {"127.0.0.1", "::1"};
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.address_max = 1;
    run->host = (rs_addr){.family = RS_ADDR_V6};
    server_start(fixture);
    for (uint32_t i = 0; i < 2u; i++) {
        RS_ASSERT(rs_addr_parse(hosts[i], &run->host));
        server_connect(run, i);
        server_echo(run, i, 100);
        server_connect(run, 2u + i);
        server_ends(run, 2u + i);
    }
    CONF_CHECK(run, server_counters(fixture)->refused_address == 2u);
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

/* ---- PROXY headers */

#define PROXY_V1 "PROXY TCP4 192.0.2.7 198.51.100.1 50122 4000\r\n"
#define PROXY_V2                                                                                   \
    "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x27\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"                 \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x08\xC3\xCA\x0F\xA0\x04\0\0"

static server_fixture *proxied_start(conf_run *run, server_peers *peers, bool raw) {
    server_fixture *fixture = server_make(run, NULL);
    fixture->config.proxy_protocol = true;
    fixture->config.idle_timeout_ms = 0;
    fixture->config.handshake_ms = 5000;
    fixture->config.app = (rs_app){.ctx = peers,
                                   .raw = raw,
                                   .on_open = peers_on_open,
                                   .on_message = peers_on_message,
                                   .on_close = peers_on_close};
    server_start(fixture);
    return fixture;
}

/* The next send is another piece. */
static void proxied_send(conf_run *run, uint32_t slot, const void *data, uint32_t bytes) {
    const uint32_t send = conf_send(&run->client, slot, data, bytes);
    CONF_WAIT(run, conf_done(&run->client, send));
}

static void proxied_check(conf_run *run, const rs_peer *peer, const char *addr, const char *local) {
    char text[RS_ADDR_TEXT_BYTES];
    CONF_CHECK(run, strcmp(rs_addr_text(&peer->addr, text), addr) == 0);
    CONF_CHECK(run, strcmp(rs_addr_text(&peer->local, text), local) == 0);
}

/* A frame of 20 bytes behind the header, in the same send, echoed; more after that. */
static void proxied_at_once(conf_run *run, uint32_t slot, const void *header, uint32_t bytes) {
    uint8_t both[256];
    memcpy(both, header, bytes);
    server_frame(both + bytes, 20, 0);
    proxied_send(run, slot, both, bytes + 20u);
    server_receive(run, slot, 20);
    CONF_CHECK(run, memcmp(conf_rx(&run->client, slot), both + bytes, 20) == 0);
    server_echo(run, slot, 60);
}

static void server_takes_proxied(conf_run *run, bool raw) {
    server_peers peers = {.run = run};
    server_fixture *fixture = proxied_start(run, &peers, raw);
    for (uint32_t i = 0; i < 4u; i++) {
        server_connect(run, i);
    }
    for (uint32_t at = 0; at < sizeof PROXY_V1 - 1u; at += 23u) { /* in two pieces and a bit */
        const uint32_t left = (uint32_t)sizeof PROXY_V1 - 1u - at;
        conf_settle(run);
        CONF_CHECK(run, peers.open_count == 0);
        proxied_send(run, 0, &PROXY_V1[at], left < 23u ? left : 23u);
    }
    CONF_WAIT(run, peers.open_count == 1);
    proxied_check(run, &peers.opened, "192.0.2.7:50122", "198.51.100.1:4000");
    CONF_CHECK(run, peers.opened.bytes_in == 0);
    server_echo(run, 0, 100);
    CONF_CHECK(run, peers.heard.bytes_in == 100);
    proxied_at_once(run, 1, PROXY_V2, sizeof PROXY_V2 - 1u);
    proxied_check(run, &peers.opened, "[2001:db8::7]:50122", "[2001:db8::8]:4000");
    CONF_CHECK(run, peers.heard.bytes_in == 80 && peers.open_count == 2);
    proxied_send(run, 2, "PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n", 40);
    server_ends(run, 2);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_PROTOCOL) == 1);
    server_echo(run, 0, 40);
    server_echo(run, 1, 40);
    fixture->away_ns += UINT64_C(10000000000);
    server_ends(run, 3);
    CONF_CHECK(run, server_closed(fixture, RS_CLOSE_HANDSHAKE) == 1);
    CONF_CHECK(run, peers.open_count == 2 && peers.close_count == 0);
    (void)conf_close(&run->client, 1, 0);
    CONF_WAIT(run, peers.close_count == 1);
    proxied_check(run, &peers.ended, "[2001:db8::7]:50122", "[2001:db8::8]:4000");
    server_end(fixture);
}

void conf_case_server_knows_proxied_peers(conf_run *run) {
    server_takes_proxied(run, false);
}

void conf_case_server_knows_proxied_peers_of_raw_bytes(conf_run *run) {
    server_takes_proxied(run, true);
}

/* LOCAL: a balancer that asks whether we live. The addresses are those of the connection. */
void conf_case_server_knows_a_balancer_itself(conf_run *run) {
    server_peers peers = {.run = run};
    server_fixture *fixture = proxied_start(run, &peers, false);
    rs_addr client;
    server_connect(run, 0);
    client = run->api->local(run->client.backend, 0);
    proxied_at_once(run, 0, "\r\n\r\n\0\r\nQUIT\n\x20\0\0", 16);
    CONF_CHECK(run, rs_addr_equal(&peers.opened.addr, &client));
    server_end(fixture);
}
