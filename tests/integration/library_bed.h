/* SPDX-License-Identifier: MIT */
/* A server over the public headers alone, with its callbacks on the shards or on a logic thread,
 * and its figures by name: for the tests of the library. */
#ifndef RS_INTEGRATION_LIBRARY_BED_H
#define RS_INTEGRATION_LIBRARY_BED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "client.h"

#define WAIT_STEPS 2000u /* of 5 ms: bounds a hang, decides nothing else */

static bool with_logic; /* set by main alone: every test runs in both modes */

/* settings: names and values in turn, NULL behind the last; nullable. Returns what rs_server_start
 * says; *error says why. */
static inline rs_status start_with(rs_server **server, const rs_app *app, const char *workers,
                                   const char *mailbox, const char *const *settings,
                                   rs_error *error) {
    rs_server_config *cfg;
    rs_status status;
    assert_int_equal(rs_server_config_open(&cfg, rs_backend_epoll(), error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "port", "0", error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "workers", workers, error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "mailbox", mailbox, error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "max-sessions", "600", error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "drain-timeout", "300", error), RS_OK);
    assert_int_equal(rs_server_config_set(cfg, "logic", with_logic ? "thread" : "io", error),
                     RS_OK);
    for (uint32_t i = 0; settings != NULL && settings[i] != NULL; i += 2) {
        assert_int_equal(rs_server_config_set(cfg, settings[i], settings[i + 1], error), RS_OK);
    }
    rs_server_config_set_app(cfg, app);
    status = rs_server_start(server, cfg, error);
    rs_server_config_close(cfg);
    return status;
}

static inline rs_server *start(const rs_app *app, const char *workers, const char *mailbox) {
    rs_server *server = NULL;
    rs_error error = {.text = ""};
    if (start_with(&server, app, workers, mailbox, NULL, &error) != RS_OK) {
        fail_msg("%s", error.text);
    }
    return server;
}

static inline void stop(rs_server *server) {
    rs_error error = {.text = ""};
    rs_server_stop(server);
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    rs_server_free(server);
}

static inline bool is_set_in_time(const atomic_uint *flag) {
    for (uint32_t i = 0; i < WAIT_STEPS && *flag == 0; i++) {
        rs_sleep_ms(5);
    }
    return *flag != 0;
}

static inline void read_all(int fd, uint8_t *out, uint32_t bytes) {
    assert_int_equal(recv(fd, out, bytes, MSG_WAITALL), bytes);
}

/* ---- figures by name */

typedef struct wanted {
    const char *name, *of;
    uint64_t value;
    uint32_t seen;
} wanted;

static inline void look(void *ctx, const char *name, const char *of, uint64_t value) {
    wanted *want = ctx;
    if (strcmp(name, want->name) == 0 && (want->of == NULL) == (of == NULL) &&
        (of == NULL || strcmp(of, want->of) == 0)) {
        want->value = value;
        want->seen++;
    }
}

static inline uint64_t figure(rs_server *server, const char *name, const char *of) {
    wanted want = {.name = name, .of = of};
    assert_int_equal(rs_server_stats_visit(server, look, &want), RS_OK);
    assert_int_equal(want.seen, 1);
    return want.value;
}

static inline void wait_for_sessions(rs_server *server, uint64_t count) {
    for (uint32_t i = 0; figure(server, "sessions_open", NULL) != count; i++) {
        assert_true(i < WAIT_STEPS);
        rs_sleep_ms(5);
    }
}

#endif
