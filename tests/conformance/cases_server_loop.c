/* SPDX-License-Identifier: MIT */
/* Cases about what an application may do on the loop of a shard: posts, start and end.
 *
 * A pass is decided by the order of what the application was told, and by what the client gets. */
#include "server_fixture.h"

#include <string.h>

#include "core/assert.h"

typedef struct loop_app {
    conf_run *run;
    server_fixture *fixture;
    char told[64]; /* a letter for each callback */
    uint32_t count;
    rs_session *session;
    uint32_t queued;
    rs_status queued_status;
} loop_app;

static void loop_note(loop_app *app, char what) {
    CONF_CHECK(app->run, app->count + 1u < sizeof app->told);
    app->told[app->count++] = what;
}

static rs_status loop_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    CONF_CHECK(((loop_app *)ctx)->run, server == NULL && shard == 0 && *own == NULL);
    loop_note(ctx, 's');
    *own = ctx;
    return RS_OK;
}

static void loop_end(void *ctx, rs_server *server, uint32_t shard, void *own) {
    CONF_CHECK(((loop_app *)ctx)->run, server == NULL && shard == 0 && own == ctx);
    loop_note(ctx, 'e');
}

static void loop_open(void *ctx, rs_session *session) {
    loop_app *app = ctx;
    CONF_CHECK(app->run, rs_session_own(session) == ctx);
    app->session = session;
    loop_note(app, 'o');
}

static void loop_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    loop_app *app = ctx;
    CONF_CHECK(app->run, rs_session_own(session) == ctx);
    loop_note(app, 'm');
    (void)rs_session_send(session, data, bytes);
    app->queued_status = rs_session_queued_bytes(session, &app->queued);
}

static void loop_close(void *ctx, rs_session *session, rs_close_reason reason) {
    loop_app *app = ctx;
    (void)reason;
    CONF_CHECK(app->run, rs_session_own(session) == ctx);
    app->session = NULL;
    loop_note(app, 'c');
}

static void loop_posted(void *arg, rs_server *server, uint32_t shard) {
    loop_app *app = arg;
    CONF_CHECK(app->run, server == NULL && shard == 0);
    CONF_CHECK(app->run, rs_shard_own(app->fixture->shard) == arg);
    loop_note(app, 'p');
    if (app->session != NULL) {
        CONF_STATUS(app->run, rs_session_send(app->session, "p", 1), RS_OK);
    }
}

static rs_status loop_post(loop_app *app) {
    const rs_shard_fn fn = loop_posted;
    return rs_shard_post(app->fixture->shard, RS_MESSAGE_POST, 0, app, &fn, sizeof fn);
}

static server_fixture *loop_make(conf_run *run, loop_app *app) {
    server_fixture *fixture = server_make(run, NULL);
    memset(app, 0, sizeof *app);
    app->run = run;
    app->fixture = fixture;
    fixture->config.app = (rs_app){.ctx = app,
                                   .on_open = loop_open,
                                   .on_message = loop_message,
                                   .on_close = loop_close,
                                   .on_shard_start = loop_start,
                                   .on_shard_end = loop_end};
    return fixture;
}

/* Sends around a post; the last post comes when the shard has read its last message already. */
void conf_case_server_posts_run_between_start_and_end(conf_run *run) {
    loop_app app;
    server_fixture *fixture = loop_make(run, &app);
    rs_session_id id;
    const char *back = (const char *)conf_rx(&run->client, 0);
    server_start(fixture);
    CONF_CHECK(run, strcmp(app.told, "s") == 0);
    server_connect(run, 0);
    CONF_WAIT(run, app.session != NULL);
    id = rs_session_id_of(&rs_shard_sessions(fixture->shard)->sessions[0].handle);
    CONF_STATUS(run, rs_shard_post(fixture->shard, RS_MESSAGE_SEND, id, NULL, "a", 1), RS_OK);
    CONF_STATUS(run, loop_post(&app), RS_OK);
    CONF_STATUS(run, rs_shard_post(fixture->shard, RS_MESSAGE_SEND, id, NULL, "b", 1), RS_OK);
    server_receive(run, 0, 3);
    /* What a post sends on a logic thread comes back later; what was sent before it does not. */
    CONF_CHECK(run, memcmp(back, run->logic_thread ? "abp" : "apb", 3) == 0);
    CONF_WAIT(run, rs_sendq_is_empty(&rs_shard_sessions(fixture->shard)->sessions[0].sendq));
    server_echo(run, 0, 20);
    CONF_STATUS(run, app.queued_status, run->logic_thread ? RS_E_UNSUPPORTED : RS_OK);
    CONF_CHECK(run, app.queued == (run->logic_thread ? 0u : 20u));
    server_disconnect(run, 0);
    CONF_WAIT(run, app.session == NULL);
    rs_shard_stop(fixture->shard);
    CONF_WAIT(run, !fixture->running);
    CONF_STATUS(run, loop_post(&app), RS_OK);
    server_end(fixture);
    CONF_CHECK(run, strcmp(app.told, "sopmcpe") == 0);
}
