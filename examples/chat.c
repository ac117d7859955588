/* SPDX-License-Identifier: MIT */
/* A chat room: each frame goes to everybody, whatever shard they are on. chat [BACK_END [PORT]]
 *
 * A callback must not wait. When a mailbox is full, the line stays here, its sender is paused, and
 * on_room sends it again: nothing is lost, and nobody but the sender waits. */
#include <stdio.h>
#include <string.h>

#include <ringside/ringside.h>

#define WORKERS 2u
#define SESSIONS 1000
#define LINE_BYTES 512u

typedef struct line {
    rs_session *from;
    uint32_t bytes;
    uint8_t frame[LINE_BYTES];
} line;

/* Each shard's thread uses its own: no locks. One line a session at most, because it is paused. */
typedef struct room {
    line waiting[SESSIONS];
    uint32_t count;
} room;

static room rooms[WORKERS];

static room *room_of(const rs_session *session) {
    return &rooms[rs_session_id_shard(rs_session_id_of(session))];
}

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    rs_server *server = rs_session_server(session);
    (void)ctx;
    if (rs_server_broadcast(server, NULL, 0, data, bytes) == RS_E_FULL) {
        room *here = room_of(session);
        line *kept = &here->waiting[here->count++];
        kept->from = session;
        kept->bytes = bytes; /* at most LINE_BYTES: the setting max-frame */
        memcpy(kept->frame, data, bytes);
        (void)rs_session_pause(session);
    }
}

static void on_room(void *ctx, rs_server *server, uint32_t shard) {
    room *here = &rooms[shard];
    (void)ctx;
    while (here->count > 0) {
        const line *kept = &here->waiting[here->count - 1];
        if (rs_server_broadcast(server, NULL, 0, kept->frame, kept->bytes) == RS_E_FULL) {
            return; /* on_room comes again */
        }
        here->count--;
        (void)rs_session_resume(kept->from);
    }
}

static void on_close(void *ctx, rs_session *session, rs_close_reason reason) {
    room *here = room_of(session);
    (void)ctx;
    (void)reason;
    for (uint32_t i = 0; i < here->count; i++) {
        if (here->waiting[i].from == session) {
            here->waiting[i] = here->waiting[--here->count];
            return;
        }
    }
}

static int fail(const rs_error *error) {
    (void)fprintf(stderr, "chat: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    const rs_backend_api *backend = argc > 1 ? rs_backend_named(argv[1]) : rs_backend_best();
    const rs_app app = {.on_message = on_message, .on_close = on_close, .on_room = on_room};
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (rs_server_config_open(&cfg, backend, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_set_app(cfg, &app);
    if (rs_server_config_set(cfg, "port", argc > 2 ? argv[2] : "4000", &error) != RS_OK ||
        rs_server_config_set(cfg, "workers", "2", &error) != RS_OK ||
        rs_server_config_set(cfg, "max-sessions", "1000", &error) != RS_OK ||
        rs_server_config_set(cfg, "max-frame", "512", &error) != RS_OK ||
        rs_server_start(&server, cfg, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_config_close(cfg);
    (void)printf("listening on 127.0.0.1:%u\n", rs_server_port(server));
    (void)fflush(stdout);
    (void)rs_stop_signal_wait(UINT32_MAX);
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return fail(&error);
    }
    rs_server_free(server);
    return 0;
}
