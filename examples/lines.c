/* SPDX-License-Identifier: MIT */
/* A server of lines: each comes back in capitals; QUIT ends. lines [BACK_END [PORT]] */
#include <stdio.h>
#include <string.h>

#include <ringside/ringside.h>

#define LINE_BYTES "1024" /* the longest line; who sends more is closed */

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    uint8_t line[1024];
    (void)ctx;
    for (uint32_t i = 0; i < bytes; i++) { /* bytes include the '\n' */
        line[i] = data[i] >= 'a' && data[i] <= 'z' ? (uint8_t)(data[i] - 'a' + 'A') : data[i];
    }
    (void)rs_session_send(session, line, bytes);
    if (bytes >= 5 && memcmp(line, "QUIT", 4) == 0) {
        (void)rs_session_close(session);
    }
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "lines: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    rs_server_config *cfg;
    rs_server *server;
    rs_left left;
    rs_error error;
    if (rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &(rs_app){.framer = rs_framer_line, .on_message = on_message});
    if (rs_server_config_set(cfg, "port", argc > 2 ? argv[2] : "4000", &error) != RS_OK ||
        rs_server_config_set(cfg, "max-frame", LINE_BYTES, &error) != RS_OK ||
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg);
    (void)printf("listening on 127.0.0.1:%u\n", rs_server_port(server));
    (void)fflush(stdout);
    (void)rs_stop_signal_wait(UINT32_MAX); /* until Ctrl+C */
    rs_server_drain(server, 30000);
    while (!rs_server_has_ended(server) && rs_server_left(server, &left) == RS_OK) {
        (void)fprintf(stderr, "%u sessions, %llu bytes\n", left.sessions,
                      (unsigned long long)left.bytes);
        rs_sleep_ms(200);
    }
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_free(server);
    return 0;
}
