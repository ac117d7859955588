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
    CONF_CHECK(app->run, rs_shard_ops(app->fixture->shard)->own == arg);
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

/* ---- timers */

#define LOOP_TIMERS 6u

typedef struct timed_app timed_app;

/* What one timer has been set for, and told. */
typedef struct timed {
    timed_app *app;
    rs_timer timer;
    uint64_t due_ns;
    uint32_t calls, again_ms; /* not 0: it sets itself once more */
} timed;

struct timed_app {
    conf_run *run;
    server_fixture *fixture;
    timed of_session[LOOP_TIMERS], of_shard;
    rs_session *session;
    uint32_t closed, shard_ms;
    rs_status full, closing;
};

static uint64_t timed_now_ns(const timed_app *app) {
    return conf_now_ns(app->run) + app->fixture->away_ns;
}

static void timed_check(timed *one) {
    CONF_CHECK(one->app->run, one->timer != 0 && timed_now_ns(one->app) >= one->due_ns);
    one->calls++;
    one->timer = 0;
}

static void timed_of_session(void *arg, rs_session *session);

static rs_status timed_set(timed_app *app, timed *one, rs_session *session, uint32_t ms) {
    one->app = app;
    one->due_ns = timed_now_ns(app) + (uint64_t)ms * 1000000u;
    return rs_session_set_timer(session, ms, timed_of_session, one, &one->timer);
}

static void timed_of_session(void *arg, rs_session *session) {
    timed *one = arg;
    timed_app *app = one->app;
    CONF_CHECK(app->run, session == app->session && app->closed == 0);
    timed_check(one);
    if (one->again_ms != 0) {
        CONF_STATUS(app->run, timed_set(app, one, session, one->again_ms), RS_OK);
        one->again_ms = 0;
    }
}

static void timed_of_shard(void *arg, rs_server *server, uint32_t shard) {
    timed *one = arg;
    CONF_CHECK(one->app->run, server == NULL && shard == 0);
    timed_check(one);
}

static rs_status timed_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    timed_app *app = ctx;
    rs_session_ops *ops = rs_shard_ops(app->fixture->shard);
    const rs_timer_call call = {.shard = timed_of_shard, .arg = &app->of_shard};
    (void)server;
    (void)shard;
    (void)own;
    app->of_shard.app = app;
    app->of_shard.due_ns = timed_now_ns(app) + (uint64_t)app->shard_ms * 1000000u;
    return ops->timer_set(ops, NULL, app->shard_ms, call, &app->of_shard.timer);
}

static void timed_open(void *ctx, rs_session *session) {
    timed_app *app = ctx;
    static const uint32_t ms[LOOP_TIMERS - 1u] = {40, 0, 25, 25, 3000};
    rs_timer none = 1;
    app->session = session;
    app->of_session[0].again_ms = 20;
    for (uint32_t i = 0; i < LOOP_TIMERS - 1u; i++) {
        CONF_STATUS(app->run, timed_set(app, &app->of_session[i], session, ms[i]), RS_OK);
    }
    /* With the shard's there are as many as may be; until one is cancelled, and set in its place.
     */
    app->full = rs_session_set_timer(session, 0, timed_of_session, NULL, &none);
    CONF_CHECK(app->run, none == 0);
    for (uint32_t i = 0; i < 2u; i++) {
        CONF_STATUS(app->run, rs_session_cancel_timer(session, app->of_session[3].timer), RS_OK);
    }
    CONF_STATUS(app->run, timed_set(app, &app->of_session[5], session, 2900), RS_OK);
    CONF_STATUS(app->run, rs_session_cancel_timer(session, app->of_session[3].timer), RS_OK);
    CONF_STATUS(app->run, rs_session_set_timer(session, 0, NULL, NULL, NULL), RS_E_INVALID);
}

static void timed_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes);
}

/* How many more can be set. */
static uint32_t timed_room(timed_app *app) {
    rs_session_ops *ops = rs_shard_ops(app->fixture->shard);
    const rs_timer_call call = {.shard = timed_of_shard, .arg = &app->of_shard};
    rs_timer set[LOOP_TIMERS + 1u] = {0};
    uint32_t count = 0;
    while (count <= LOOP_TIMERS && ops->timer_set(ops, NULL, 0, call, &set[count]) == RS_OK) {
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        ops->timer_cancel(ops, set[i]);
    }
    return count;
}

static void timed_close(void *ctx, rs_session *session, rs_close_reason reason) {
    timed_app *app = ctx;
    (void)reason;
    CONF_CHECK(app->run, timed_room(app) == LOOP_TIMERS - 1u); /* the shard's is set */
    app->closing = rs_session_set_timer(session, 0, timed_of_session, NULL, NULL);
    app->closed++;
}

static server_fixture *timed_make(conf_run *run, timed_app *app) {
    server_fixture *fixture = server_make(run, NULL);
    memset(app, 0, sizeof *app);
    app->run = run;
    app->fixture = fixture;
    app->shard_ms = 15;
    fixture->config.timers = LOOP_TIMERS;
    fixture->config.app = (rs_app){.ctx = app,
                                   .on_open = timed_open,
                                   .on_message = timed_message,
                                   .on_close = timed_close,
                                   .on_shard_start = timed_start};
    return fixture;
}

/* Those that are due come, none early, none twice; those cancelled do not, and the session's own
 * end with it, though the time for them has come. */
void conf_case_server_timers_are_never_early_and_end_with_their_session(conf_run *run) {
    timed_app app;
    server_fixture *fixture = timed_make(run, &app);
    server_start(fixture);
    CONF_WAIT(run, app.of_shard.calls == 1); /* nothing else wakes the shard */
    app.shard_ms = 600000;
    CONF_STATUS(run, timed_start(&app, NULL, 0, NULL), RS_OK);
    server_connect(run, 0);
    CONF_WAIT(run, app.of_session[0].calls == 2);
    CONF_STATUS(run, app.full, RS_E_FULL);
    CONF_WAIT(run, app.of_session[1].calls == 1 && app.of_session[2].calls == 1);
    server_echo(run, 0, 20);
    server_disconnect(run, 0);
    CONF_WAIT(run, app.closed == 1);
    CONF_STATUS(run, app.closing, RS_E_CLOSED);
    fixture->away_ns += UINT64_C(600000000000);
    CONF_WAIT(run, app.of_shard.calls == 2);
    CONF_CHECK(run, app.of_session[3].calls == 0);
    CONF_CHECK(run, app.of_session[4].calls == 0 && app.of_session[5].calls == 0);
    server_end(fixture);
}

/* ---- what the kernel has taken */

#define LOW_MARK 50000u
#define LOW_TOTAL 240000u

typedef struct low_app {
    conf_run *run;
    uint32_t told[2]; /* at most LOW_MARK are queued; nothing is; ... */
    uint32_t queued;  /* ... as of then */
    uint32_t after_close;
    bool closed;
} low_app;

static void low_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    low_app *app = ctx;
    const uint8_t piece[8000] = {1};
    (void)data;
    (void)bytes;
    for (uint32_t sent = 0; sent < LOW_TOTAL; sent += sizeof piece) {
        CONF_STATUS(app->run, rs_session_send(session, piece, sizeof piece), RS_OK);
    }
    CONF_STATUS(app->run, rs_session_notify_low(session, 0), RS_OK); /* the next one replaces it */
    CONF_STATUS(app->run, rs_session_notify_low(session, LOW_MARK), RS_OK);
    CONF_CHECK(app->run, app->told[0] == 0);
}

static void low_told(void *ctx, rs_session *session) {
    low_app *app = ctx;
    uint32_t which = app->told[0] == 0 ? 0 : 1;
    app->after_close += app->closed ? 1u : 0u;
    app->told[which]++;
    if (rs_session_queued_bytes(session, &app->queued) == RS_OK) {
        CONF_CHECK(app->run, app->queued <= (which == 0 ? LOW_MARK : 0u));
    }
    if (which == 0) {
        CONF_STATUS(app->run, rs_session_notify_low(session, 0), RS_OK);
    }
}

static void low_close(void *ctx, rs_session *session, rs_close_reason reason) {
    low_app *app = ctx;
    (void)reason;
    app->closed = true;
    CONF_STATUS(app->run, rs_session_notify_low(session, 0), RS_E_CLOSED);
}

/* The client reads nothing for a while, then everything; the second time it leaves before that. */
void conf_case_server_low_water_is_told_once(conf_run *run) {
    const uint8_t ask[3] = {3, 0, 1};
    low_app app = {.run = run};
    server_fixture *fixture = server_make(run, &(conf_setup){.buffer_bytes = 16384});
    fixture->config.app =
        (rs_app){.ctx = &app, .on_message = low_message, .on_close = low_close, .on_low = low_told};
    fixture->frozen_ns = conf_now_ns(run);
    server_start(fixture);
    server_connect(run, 0);
    (void)conf_send(&run->client, 0, ask, sizeof ask);
    conf_settle(run);
    for (uint32_t got = 0; got < LOW_TOTAL; got += CONF_SLICE_BYTES) {
        server_receive(run, 0,
                       LOW_TOTAL - got < CONF_SLICE_BYTES ? LOW_TOTAL - got : CONF_SLICE_BYTES);
    }
    CONF_WAIT(run, app.told[1] == 1);
    CONF_CHECK(run, app.told[0] == 1);
    app.told[0] = app.told[1] = 0;
    (void)conf_send(&run->client, 0, ask, sizeof ask);
    CONF_WAIT(run, server_counters(fixture)->messages_in == 2);
    (void)conf_close(&run->client, 0, RS_OPF_ABORT);
    CONF_WAIT(run, app.closed);
    conf_settle(run);
    CONF_CHECK(run, app.told[0] <= 1 && app.told[1] == 0 && app.after_close == 0);
    server_end(fixture);
}
