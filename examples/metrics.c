/* SPDX-License-Identifier: MIT */
/* An echo server that writes its metrics to a file once a second, for Prometheus' textfile
 * collector. metrics [BACK_END [PORT [FILE]]] */
#include <stdio.h>
#include <string.h>

#include <ringside/ringside.h>

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes);
}

static void on_log(void *ctx, const rs_log_line *line) {
    static const char *const level[] = {"info", "warning", "error"};
    (void)ctx;
    (void)fprintf(stderr, "%s: %s\n", level[line->level], line->text);
}

/* Whoever reads the file sees the old text or the new one, never a part. */
static void write_metrics(rs_server *server, const char *path) {
    static char text[RS_METRICS_BYTES], next[1024];
    size_t bytes = rs_server_metrics(server, text, sizeof text);
    FILE *file;
    (void)snprintf(next, sizeof next, "%s.next", path);
    file = fopen(next, "wb");
    if (file == NULL) {
        perror(next);
        return;
    }
    (void)fwrite(text, 1, bytes < sizeof text ? bytes : sizeof text - 1, file);
    (void)fclose(file);
    (void)remove(path); /* Windows does not rename onto a file */
    if (rename(next, path) != 0) {
        perror(path);
    }
}

static void show_open(void *ctx, const char *name, const char *of, uint64_t value) {
    if (of == NULL && strcmp(name, "sessions_open") == 0) {
        *(uint64_t *)ctx = value;
    }
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "metrics: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    const char *path = argc > 3 ? argv[3] : "ringside.prom";
    const rs_app app = {.on_message = on_message};
    uint64_t open = 0;
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &app);
    rs_server_config_set_log(cfg, on_log, NULL);
    if (rs_server_config_set(cfg, "port", argc > 2 ? argv[2] : "4000", &error) != RS_OK ||
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg);
    (void)printf("listening on 127.0.0.1:%u\n", rs_server_port(server));
    (void)fflush(stdout);
    while (rs_stop_signal_wait(1000) == RS_E_TIMED_OUT) {
        write_metrics(server, path);
    }
    (void)rs_server_stats_visit(server, show_open, &open);
    (void)printf("stopping with %u sessions open\n", (unsigned)open);
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    write_metrics(server, path); /* the final figures */
    rs_server_free(server);
    return 0;
}
