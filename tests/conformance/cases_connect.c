/* SPDX-License-Identifier: MIT */
/* Cases about the connections that a server opens. The client's side listens for them.
 *
 * A pass is decided by what the application was told, in which order, and by the bytes that come
 * back; at the end of every case nothing is left. */
#include "server_fixture.h"

#include <string.h>

#include "core/assert.h"

#define CONNECT_USER 0x1234567890u
#define CONNECT_PORT_NOBODY 1u /* tcpmux: below the ports that a system gives out */

typedef struct connect_app {
    conf_run *run;
    uint32_t opened, closed, failed;
    uint64_t user; /* told last */
    rs_status why;
    uint32_t left;
    rs_peer peer;
} connect_app;

static void connect_on_open(void *ctx, rs_session *session) {
    connect_app *app = ctx;
    app->opened++;
    app->user = rs_session_user(session);
    CONF_STATUS(app->run, rs_session_peer(session, &app->peer), RS_OK);
}

static void connect_on_message(void *ctx, rs_session *session, const uint8_t *data,
                               uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes);
}

static void connect_on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    connect_app *app = ctx;
    (void)session;
    (void)reason;
    app->closed++;
}

static void connect_on_failed(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                              rs_status why, uint32_t left) {
    connect_app *app = ctx;
    (void)server;
    CONF_CHECK(app->run, shard == 0);
    app->failed++;
    app->user = user;
    app->why = why;
    app->left = left;
}

static server_fixture *connect_start(conf_run *run, connect_app *app) {
    server_fixture *fixture = server_make(run, NULL);
    *app = (connect_app){.run = run};
    fixture->config.app = (rs_app){.ctx = app,
                                   .on_open = connect_on_open,
                                   .on_message = connect_on_message,
                                   .on_close = connect_on_close,
                                   .on_connect_failed = connect_on_failed};
    server_start(fixture);
    return fixture;
}

static void connect_post(server_fixture *fixture, const rs_connect *to) {
    CONF_STATUS(fixture->run,
                rs_shard_post(fixture->shard, RS_MESSAGE_CONNECT, 0, NULL, to, sizeof *to), RS_OK);
}

/* One that the client's side listens for becomes a session like any other. */
static void connect_out(conf_run *run, const char *host) {
    connect_app app;
    server_fixture *fixture = connect_start(run, &app);
    rs_connect to = {.timeout_ms = 60000, .user = CONNECT_USER};
    conf_side *other = &run->client;
    rs_error error = {0};
    uint32_t slot = 3;
    RS_ASSERT(rs_addr_parse(host, &to.addr));
    CONF_STATUS(run, run->api->listen(other->backend, &to.addr, &to.addr.port, &error), RS_OK);
    other->listening = true;
    other->listener_ended = false;
    for (uint32_t i = 0; i < 3u; i++) {
        connect_post(fixture, &to);
        CONF_WAIT(run, app.opened == i + 1u && other->accepted_count == i + 1u);
        CONF_CHECK(run, app.user == CONNECT_USER && app.failed == 0);
        CONF_CHECK(run, rs_addr_equal(&app.peer.addr, &to.addr));
        CONF_CHECK(run, app.peer.local.port != 0 && app.peer.local.family == to.addr.family);
        conf_attach(other, slot);
        server_echo(run, slot, 200u + i);
        server_disconnect(run, slot);
        CONF_WAIT(run, app.closed == i + 1u);
    }
    CONF_CHECK(run, server_counters(fixture)->connected == 3u);
    run->api->unlisten(other->backend);
    CONF_WAIT(run, other->listener_ended);
    other->listening = false;
    server_end(fixture);
}

void conf_case_server_connects_out(conf_run *run) {
    connect_out(run, "127.0.0.1");
}

void conf_case_server_connects_out_over_ipv6(conf_run *run) {
    connect_out(run, "::1");
}

/* Each attempt is told, with how many are left, and the slots are free again. */
void conf_case_server_tells_failed_connects(conf_run *run) {
    connect_app app;
    server_fixture *fixture = connect_start(run, &app);
    const rs_connect to = {.addr = {.ip = conf_loopback(), .port = CONNECT_PORT_NOBODY},
                           .timeout_ms = 60000,
                           .retries = 2,
                           .retry_ms = 5,
                           .user = 7};
    connect_post(fixture, &to);
    for (uint32_t i = 0; i < 3u; i++) {
        CONF_WAIT(run, app.failed == i + 1u);
        CONF_CHECK(run, app.user == 7 && app.left == 2u - i);
        CONF_STATUS(run, app.why, RS_E_REFUSED);
    }
    CONF_CHECK(run, app.opened == 0 && server_counters(fixture)->connect_failed == 3u);
    CONF_WAIT(run, rs_shard_outstanding(fixture->shard) == 1u); /* the listener */
    server_end(fixture);
}

/* What waits for another attempt is told that there is none. */
void conf_case_server_stop_ends_connects(conf_run *run) {
    connect_app app;
    server_fixture *fixture = connect_start(run, &app);
    const rs_connect to = {.addr = {.ip = conf_loopback(), .port = CONNECT_PORT_NOBODY},
                           .timeout_ms = 60000,
                           .retries = 9,
                           .retry_ms = 600000,
                           .user = 8};
    connect_post(fixture, &to);
    CONF_WAIT(run, app.failed == 1u && app.left == 9u);
    rs_shard_stop(fixture->shard);
    CONF_WAIT(run, app.failed == 2u);
    CONF_STATUS(run, app.why, RS_E_CLOSED);
    CONF_CHECK(run, app.left == 0 && app.user == 8);
    server_end(fixture);
}
