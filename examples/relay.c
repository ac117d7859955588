/* SPDX-License-Identifier: MIT */
/* A relay: each connection goes on to another server. relay [BACK_END [PORT [TARGET_PORT]]]
 *
 * rs_session_set_source is all of its flow control: a side is read from only while the queue of the
 * other has room, so a reader may be as slow as it likes, and little is held for it. An end of one
 * side, a half-close too, ends the other once it has been sent everything. */
#include <stdio.h>
#include <stdlib.h>

#include <ringside/ringside.h>

typedef struct pair {
    rs_session *end[2]; /* who has come, whom we have gone to; NULL: not there, or gone */
    bool connecting;
} pair;

static rs_connect target = {.timeout_ms = 5000};
static uint32_t queued_max; /* so far, for one session; there is one worker */

static void on_open(void *ctx, rs_session *session) {
    pair *both = (pair *)(uintptr_t)rs_session_user(session);
    (void)ctx;
    if (both == NULL) { /* it has come: it waits for the other side */
        rs_connect to = target;
        both = calloc(1, sizeof *both);
        to.user = (uint64_t)(uintptr_t)both;
        if (both != NULL) {
            both->end[0] = session;
            (void)rs_session_set_user(session, to.user);
            both->connecting = rs_server_connect(rs_session_server(session), 0, &to) == RS_OK;
        }
        (void)(both != NULL && both->connecting ? rs_session_pause : rs_session_close)(session);
        return;
    }
    both->connecting = false;
    both->end[1] = session;
    if (both->end[0] == NULL) { /* it has gone meanwhile */
        (void)rs_session_close(session);
    } else {
        (void)rs_session_set_source(both->end[0], both->end[1]);
        (void)rs_session_set_source(both->end[1], both->end[0]);
        (void)rs_session_resume(both->end[0]);
    }
}

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    const pair *both = (const pair *)(uintptr_t)rs_session_user(session);
    rs_session *to = both->end[session == both->end[0] ? 1 : 0];
    uint32_t queued = 0;
    (void)ctx;
    (void)rs_session_send(to, data, bytes); /* a failure has closed both */
    (void)rs_session_queued_bytes(to, &queued);
    queued_max = queued > queued_max ? queued : queued_max;
}

static void on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    pair *both = (pair *)(uintptr_t)rs_session_user(session);
    (void)ctx, (void)reason;
    if (both != NULL) {
        const int which = session == both->end[0] ? 0 : 1;
        rs_session *other = both->end[1 - which];
        both->end[which] = NULL;
        if (other != NULL) {
            (void)rs_session_close(other); /* on_close once more */
        } else if (!both->connecting) {
            free(both);
        }
    }
}

static void on_connect_failed(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                              rs_status why, uint32_t left) {
    pair *both = (pair *)(uintptr_t)user;
    (void)ctx, (void)server, (void)shard, (void)why, (void)left;
    both->connecting = false;
    both->end[0] != NULL ? (void)rs_session_close(both->end[0]) : free(both);
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "relay: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    const uint16_t port = (uint16_t)(argc > 3 ? atoi(argv[3]) : 4001);
    const rs_app app = {.raw = true,
                        .on_open = on_open,
                        .on_message = on_message,
                        .on_close = on_close,
                        .on_connect_failed = on_connect_failed};
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (rs_addr_resolve("127.0.0.1", port, &target.addr, &error) != RS_OK ||
        rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &app);
    if (rs_server_config_set(cfg, "port", argc > 2 ? argv[2] : "4000", &error) != RS_OK ||
        rs_server_config_set(cfg, "slow-consumer", "pause", &error) != RS_OK ||
        rs_server_config_set(cfg, "max-frame", "65535", &error) != RS_OK ||
        rs_server_config_set(cfg, "max-sessions", "64", &error) != RS_OK ||
        rs_server_config_set(cfg, "idle-timeout", "0", &error) != RS_OK ||
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg);
    (void)printf("listening on 127.0.0.1:%u\n", rs_server_port(server));
    (void)fflush(stdout);
    (void)rs_stop_signal_wait(UINT32_MAX); /* until Ctrl+C */
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_free(server);
    (void)printf("at most %u bytes were queued for a session\n", queued_max);
    return 0;
}
