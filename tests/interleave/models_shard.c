/* SPDX-License-Identifier: MIT */
/* A shard's messages, sleep and end against threads that post and stop: no message is lost, none is
 * counted twice, and the back end is never touched after it was closed. */
#include <string.h>

#include "models.h"
#include "seam/wake_word.h"
#include "server/shard.h"

/* ---- a back end without a network: it sleeps and wakes as IOCP's does */

struct rs_backend {
    rs_wake_word wake;
    uint32_t port;
    bool closed;
};

static rs_backend instance;

static rs_status fake_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    (void)cfg, (void)error;
    memset(&instance, 0, sizeof instance);
    *out = &instance;
    return RS_OK;
}

static void fake_close(rs_backend *backend) {
    backend->closed = true;
}

static void fake_unlisten(rs_backend *backend) {
    (void)backend;
}

static uint32_t fake_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    (void)backend, (void)ops, (void)why;
    return count;
}

static uint32_t fake_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                          int64_t timeout_ns) {
    (void)out, (void)cap;
    if (timeout_ns > 0 && rs_wake_may_sleep(&backend->wake)) {
        xp_await(&backend->port);
    }
    (void)rs_wake_take(&backend->wake);
    return 0;
}

static void fake_wake(rs_backend *backend) {
    if (backend->closed) {
        xp_fail("a back end is woken after it was closed");
    }
    if (rs_wake_needs_signal(&backend->wake)) {
        xp_signal(&backend->port);
    }
    if (backend->closed) {
        xp_fail("a back end is closed while it is being woken");
    }
}

static rs_status fake_register(rs_backend *backend, void *base, size_t bytes,
                               const rs_region_cut *cut, rs_region_id *out, rs_error *error) {
    (void)cut;
    (void)backend, (void)base, (void)bytes, (void)error;
    out->value = 1;
    return RS_OK;
}

static void fake_release(rs_backend *backend, rs_region_id region) {
    (void)backend, (void)region;
}

static void fake_stats(const rs_backend *backend, rs_backend_stats *out) {
    (void)backend;
    memset(out, 0, sizeof *out);
}

static const rs_backend_api fake = {.name = "fake",
                                    .open = fake_open,
                                    .close = fake_close,
                                    .unlisten = fake_unlisten,
                                    .submit = fake_submit,
                                    .poll = fake_poll,
                                    .wake = fake_wake,
                                    .register_memory = fake_register,
                                    .release_memory = fake_release,
                                    .stats = fake_stats};

/* ---- the shard */

#define STALE_ID 1u

static rs_shard *shard;
static uint32_t accepted, refused;
static rs_server_stats asked;
static rs_shard_stats_request request;

static void on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx, (void)session, (void)data, (void)bytes;
}

static void shard_begin(void) {
    rs_server_config server;
    rs_shard_config cfg = {.sessions_max = 1, .server = &server};
    rs_error error;
    memset(&server, 0, sizeof server);
    server.backend = &fake;
    server.tuning = rs_tuning_default();
    server.app = (rs_app){.on_message = on_message};
    server.workers = 1;
    server.sessions_max = 1;
    server.frame_bytes_max = 64;
    server.queued_bytes_max = 4096;
    server.sends_in_flight = 1;
    if (rs_shard_open(&shard, &cfg, &error) != RS_OK) {
        xp_fail(error.text);
    }
    accepted = refused = 0;
    memset(&asked, 0, sizeof asked);
    request.into = &asked;
    if (rs_os_event_open(&request.answered, &error) != RS_OK) {
        xp_fail(error.text);
    }
}

static void shard_run(void) {
    while (rs_shard_step(shard, RS_FOREVER)) {
    }
    rs_shard_quiesce(shard);
    if (!instance.closed) {
        xp_fail("nothing is outstanding, and the back end is still open");
    }
}

static void shard_stopper(void) {
    rs_shard_stop(shard);
}

static void shard_count(rs_status status) {
    accepted += status == RS_OK;
    refused += status == RS_E_CLOSED;
}

static void shard_poster(void) {
    shard_count(rs_shard_post(shard, RS_MESSAGE_CLOSE, STALE_ID, NULL, NULL, 0));
}

static void shard_poster_that_stops(void) {
    shard_poster();
    shard_poster();
    rs_shard_stop(shard);
}

/* As rs_server_stats_read: who was told RS_OK is answered, however the shard ends. */
static void shard_asker(void) {
    if (rs_shard_ask_stats(shard, &request) == RS_OK) {
        (void)rs_os_event_wait(request.answered, UINT32_MAX);
    }
    rs_shard_stop(shard);
}

static void shard_end(void) {
    rs_server_stats stats;
    memset(&stats, 0, sizeof stats);
    rs_shard_stats_add(shard, &stats);
    if (stats.messages_dropped != accepted) {
        xp_fail("the dropped messages are not the posted ones");
    }
    rs_shard_close(shard);
    rs_os_event_close(request.answered);
}

static void post_end(void) {
    if (accepted + refused == 0) {
        xp_fail("a post was neither taken nor refused");
    }
    shard_end();
}

const xp_model xp_model_shard_post = {.name = "shard: post and stop",
                                      .begin = shard_begin,
                                      .thread = {shard_run, shard_poster, shard_stopper},
                                      .end = post_end,
                                      .runs_max = 500000};

const xp_model xp_model_shard_post_twice = {.name = "shard: post twice, then stop",
                                            .begin = shard_begin,
                                            .thread = {shard_run, shard_poster_that_stops},
                                            .end = post_end,
                                            .runs_max = 500000};

const xp_model xp_model_shard_ask = {.name = "shard: a question and its answer",
                                     .begin = shard_begin,
                                     .thread = {shard_run, shard_asker},
                                     .end = shard_end,
                                     .runs_max = 500000};
