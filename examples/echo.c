/* SPDX-License-Identifier: MIT */
/* An echo server: each frame goes back as it came. echo [BACK_END [PORT]] */
#include <stdio.h>
#include <string.h>

#include <ringside/ringside.h>

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "echo: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    const rs_app app = {.on_message = on_message};
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &app);
    if (rs_server_config_set(cfg, "port", argc > 2 ? argv[2] : "4000", &error) != RS_OK ||
        rs_server_config_set(cfg, "workers", "2", &error) != RS_OK ||
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg); /* the server has read it */
    (void)printf("listening on 127.0.0.1:%u\n", rs_server_port(server));
    (void)fflush(stdout);
    (void)rs_stop_signal_wait(UINT32_MAX); /* until Ctrl+C */
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_free(server);
    return 0;
}
