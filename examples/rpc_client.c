/* SPDX-License-Identifier: MIT */
/* A client of a request and reply service: connects out, asks CALLS questions one by one, checks
 * the replies and ends. Any server that echoes frames is a service, examples/echo.c for one.
 *
 *     rpc_client [BACK_END [PORT [HOST]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringside/ringside.h>

#define CALLS 100u
#define QUESTION 1u /* frame type */

typedef struct client {
    uint32_t asked;
    int result; /* of the program; read when the server has ended */
} client;

static void ask(rs_session *session, client *self) {
    uint8_t frame[RS_FRAME_HEADER_BYTES + sizeof self->asked];
    uint32_t bytes = rs_frame_header(frame, QUESTION, sizeof self->asked);
    self->asked++;
    memcpy(frame + RS_FRAME_HEADER_BYTES, &self->asked, sizeof self->asked);
    (void)rs_session_send(session, frame, bytes); /* a failure has closed the session */
}

static void on_open(void *ctx, rs_session *session) {
    char text[RS_ADDR_TEXT_BYTES];
    rs_peer peer;
    if (rs_session_peer(session, &peer) == RS_OK) {
        (void)printf("connected to %s\n", rs_addr_text(&peer.addr, text));
    }
    ask(session, ctx);
}

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    client *self = ctx;
    if (bytes != RS_FRAME_HEADER_BYTES + sizeof self->asked ||
        memcmp(data + RS_FRAME_HEADER_BYTES, &self->asked, sizeof self->asked) != 0) {
        (void)rs_session_reject(session); /* not the reply to our question */
    } else if (self->asked < CALLS) {
        ask(session, self);
    } else {
        self->result = 0;
        (void)rs_session_close(session);
    }
}

static void on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    const client *self = ctx;
    (void)printf("%u calls, closed: %s\n", self->asked, rs_close_reason_text(reason));
    rs_server_stop(rs_session_server(session));
}

static void on_connect_failed(void *ctx, rs_server *server, uint32_t shard, uint64_t user,
                              rs_status why, uint32_t left) {
    (void)ctx;
    (void)shard;
    (void)user;
    (void)printf("not connected: %s; %u attempts left\n", rs_status_text(why), left);
    if (left == 0) {
        rs_server_stop(server);
    }
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "rpc_client: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    const unsigned long port = argc > 2 ? strtoul(argv[2], NULL, 10) : 4000;
    client self = {.result = 1};
    const rs_app app = {.ctx = &self,
                        .on_open = on_open,
                        .on_message = on_message,
                        .on_close = on_close,
                        .on_connect_failed = on_connect_failed};
    rs_connect to = {.timeout_ms = 5000, .retries = 5, .retry_ms = 200};
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (rs_addr_resolve(argc > 3 ? argv[3] : "127.0.0.1", (uint16_t)port, &to.addr, &error) !=
            RS_OK ||
        rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &app);
    if (rs_server_config_set(cfg, "port", "0", &error) != RS_OK || /* nobody is told of it */
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg);
    if (rs_server_connect(server, 0, &to) != RS_OK) {
        (void)fprintf(stderr, "rpc_client: not an address to connect to\n");
        rs_server_stop(server);
    }
    while (!rs_server_has_ended(server) && rs_stop_signal_wait(10) == RS_E_TIMED_OUT) {
    }
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_free(server);
    return self.result;
}
