/* SPDX-License-Identifier: MIT */
/* What an application runs on the loop of a shard, by the public headers, over real sockets.
 *
 * A pass is the counts, orders and statuses that loop.h promises, in both modes. Runs under the
 * thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <pthread.h>

#include <cmocka.h>

#include "library_bed.h"

static void nothing(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)session;
    (void)data;
    (void)bytes;
}

/* ---- shards: a context each, between start and end */

enum { SHARDS = 3, POSTERS = 3, POSTS = 4000 };

typedef struct posted_shard {
    uint32_t started, ended, early, late, last[POSTERS]; /* of its callbacks' thread alone */
} posted_shard;

typedef struct posts {
    posted_shard shard[SHARDS];
    atomic_uint calls, wrong, from_start;
    rs_status next_status; /* of a post to another shard from on_shard_start */
} posts;

static posts all;

typedef struct post {
    uint32_t poster, number, shard;
} post;

static void from_start(void *arg, rs_server *server, uint32_t shard) {
    posted_shard *own = rs_server_own(server, shard);
    (void)arg;
    all.wrong += own != &all.shard[shard] || own->started != 1;
    all.from_start++;
}

static rs_status on_shard_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    posts *app = ctx;
    rs_status status = rs_server_post(server, shard, from_start, NULL);
    app->wrong += server == NULL || shard >= SHARDS || *own != NULL || status != RS_OK;
    app->shard[shard].started++;
    *own = &app->shard[shard];
    status = rs_server_post(server, (shard + 1) % SHARDS, from_start, NULL);
    app->wrong += status != RS_OK && status != RS_E_CLOSED;
    app->from_start += status != RS_OK; /* as if it had come */
    return RS_OK;
}

static void on_shard_end(void *ctx, rs_server *server, uint32_t shard, void *own) {
    posts *app = ctx;
    app->wrong += own != &app->shard[shard] || rs_server_own(server, shard) != own;
    app->shard[shard].ended++;
}

static void on_post(void *arg, rs_server *server, uint32_t shard) {
    const post *one = arg;
    posted_shard *own = rs_server_own(server, shard);
    all.wrong += own != &all.shard[shard] || one->shard != shard;
    if (own != NULL) {
        all.wrong += own->last[one->poster] + 1 != one->number;
        own->last[one->poster] = one->number;
        own->early += own->started != 1;
        own->late += own->ended != 0;
    }
    all.calls++;
}

typedef struct poster {
    rs_server *server;
    uint32_t number, taken, closed;
    post sent[POSTS];
} poster;

/* To one shard after the other, until the server stops. */
static void *post_many(void *arg) {
    poster *self = arg;
    uint32_t next[SHARDS] = {0};
    for (uint32_t i = 0; i < POSTS; i++) {
        post *one = &self->sent[i];
        rs_status status;
        *one = (post){.poster = self->number, .number = next[i % SHARDS] + 1, .shard = i % SHARDS};
        while ((status = rs_server_post(self->server, one->shard, on_post, one)) == RS_E_FULL) {
            (void)rs_server_wait_room(self->server, 20000);
        }
        if (status == RS_OK) {
            next[i % SHARDS]++;
            self->taken++;
        } else {
            self->closed += status == RS_E_CLOSED;
        }
    }
    return NULL;
}

static void test_library_each_post_is_run_once_and_in_order(void **state) {
    const rs_app app = {.ctx = &all,
                        .on_message = nothing,
                        .on_shard_start = on_shard_start,
                        .on_shard_end = on_shard_end};
    static poster posters[POSTERS];
    pthread_t thread[POSTERS];
    rs_error error = {.text = ""};
    rs_server *server;
    uint32_t taken = 0;
    (void)state;
    memset(&all, 0, sizeof all);
    server = start(&app, "3", "64");
    for (uint32_t i = 0; i < POSTERS; i++) {
        posters[i] = (poster){.server = server, .number = i};
        assert_int_equal(pthread_create(&thread[i], NULL, post_many, &posters[i]), 0);
    }
    while (all.calls < POSTS / 2) {
        rs_sleep_ms(1);
    }
    assert_null(rs_server_own(server, 0)); /* not our thread */
    assert_int_equal(rs_server_post(server, SHARDS, on_post, NULL), RS_E_INVALID);
    assert_int_equal(rs_server_post(server, 0, NULL, NULL), RS_E_INVALID);
    rs_server_stop(server);
    for (uint32_t i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(posters[i].taken + posters[i].closed, POSTS);
        taken += posters[i].taken;
    }
    assert_int_equal(rs_server_join(server, &error), RS_OK);
    assert_int_equal(rs_server_post(server, 0, on_post, NULL), RS_E_CLOSED);
    rs_server_free(server);
    assert_int_equal(all.calls, taken);
    assert_int_equal(all.wrong, 0);
    assert_int_equal(all.from_start, 2 * SHARDS);
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(all.shard[i].started, 1);
        assert_int_equal(all.shard[i].ended, 1);
        assert_int_equal(all.shard[i].early + all.shard[i].late, 0);
    }
}

/* ---- a start that fails */

typedef struct refusal {
    atomic_uint started, ended, posted;
} refusal;

static void refusal_posted(void *arg, rs_server *server, uint32_t shard) {
    (void)server;
    (void)shard;
    ((refusal *)arg)->posted++;
}

static rs_status refusal_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    refusal *app = ctx;
    (void)own;
    if (shard == 1) {
        return rs_server_post(server, shard, refusal_posted, app) == RS_OK ? RS_E_ACCESS : RS_E_OS;
    }
    app->started++;
    return RS_OK;
}

static void refusal_end(void *ctx, rs_server *server, uint32_t shard, void *own) {
    (void)server;
    (void)shard;
    (void)own;
    ((refusal *)ctx)->ended++;
}

static void test_library_a_shard_that_does_not_start_ends_the_others(void **state) {
    static refusal app;
    const rs_app callbacks = {.ctx = &app,
                              .on_message = nothing,
                              .on_shard_start = refusal_start,
                              .on_shard_end = refusal_end};
    rs_error error = {.text = ""};
    rs_server *server;
    (void)state;
    memset(&app, 0, sizeof app);
    assert_int_equal(start_with(&server, &callbacks, "3", "64", NULL, &error), RS_E_ACCESS);
    assert_null(server);
    assert_non_null(strstr(error.text, "worker 1"));
    assert_int_equal(app.started, 2);
    assert_int_equal(app.ended, 2);
    assert_int_equal(app.posted, 1);
}

/* ---- timers */

typedef struct ticker {
    atomic_uint shard_calls, session_calls, wrong, opened;
    rs_session *_Atomic session;
    rs_timer _Atomic timer;
    rs_status full; /* of one timer more than the setting */
} ticker;

static void ticker_session(void *arg, rs_session *session) {
    ticker *app = arg;
    app->wrong += session != app->session;
    app->session_calls++;
}

/* Again and again, up to the end. */
static void ticker_shard(void *arg, rs_server *server, uint32_t shard) {
    ticker *app = arg;
    app->wrong += rs_server_set_timer(server, shard, 0, ticker_shard, arg, NULL) != RS_OK;
    app->wrong += rs_server_set_timer(server, 7, 0, ticker_shard, arg, NULL) != RS_E_INVALID;
    app->shard_calls++;
}

static rs_status ticker_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    (void)own;
    return rs_server_set_timer(server, shard, 5, ticker_shard, ctx, NULL);
}

static void ticker_open(void *ctx, rs_session *session) {
    ticker *app = ctx;
    rs_timer timer;
    app->session = session;
    app->wrong += rs_session_set_timer(session, 1, ticker_session, app, NULL) != RS_OK;
    app->wrong += rs_session_set_timer(session, 3600000, ticker_session, app, &timer) != RS_OK;
    app->timer = timer;
    app->full = rs_session_set_timer(session, 0, ticker_session, app, NULL);
    app->wrong += rs_server_cancel_timer(rs_session_server(session), timer) != RS_OK;
    app->wrong += rs_session_set_timer(session, 3600000, ticker_session, app, &timer) != RS_OK;
    app->opened++;
}

static void test_library_timers_run_on_their_shard(void **state) {
    static const char *const settings[] = {"timers", "3", NULL};
    static ticker app;
    const rs_app callbacks = {
        .ctx = &app, .on_open = ticker_open, .on_message = nothing, .on_shard_start = ticker_start};
    rs_error error = {.text = ""};
    rs_timer timer = 1;
    rs_server *server;
    int fd;
    (void)state;
    memset(&app, 0, sizeof app);
    assert_int_equal(start_with(&server, &callbacks, "2", "64", settings, &error), RS_OK);
    fd = client_open(server);
    assert_true(is_set_in_time(&app.session_calls));
    assert_true(is_set_in_time(&app.shard_calls));
    assert_int_equal(rs_server_set_timer(server, 0, 0, ticker_shard, &app, &timer), RS_E_THREAD);
    assert_int_equal(timer, 0);
    assert_int_equal(rs_server_cancel_timer(server, app.timer), RS_E_THREAD);
    assert_int_equal(rs_session_set_timer(app.session, 0, ticker_session, &app, &timer),
                     RS_E_THREAD);
    assert_int_equal(rs_session_cancel_timer(app.session, app.timer), RS_E_THREAD);
    assert_int_equal(rs_server_cancel_timer(server, UINT64_MAX), RS_E_INVALID);
    (void)close(fd);
    stop(server);
    assert_int_equal(app.full, RS_E_FULL);
    assert_int_equal(app.session_calls, 1);
    assert_int_equal(app.wrong, 0);
}

static rs_status no_timers_start(void *ctx, rs_server *server, uint32_t shard, void **own) {
    (void)ctx;
    (void)own;
    return rs_server_set_timer(server, shard, 5, ticker_shard, ctx, NULL);
}

static void test_library_has_no_timers_unless_they_are_asked_for(void **state) {
    const rs_app callbacks = {.on_message = nothing, .on_shard_start = no_timers_start};
    rs_error error = {.text = ""};
    rs_server *server;
    (void)state;
    assert_int_equal(start_with(&server, &callbacks, "1", "64", NULL, &error), RS_E_FULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_each_post_is_run_once_and_in_order),
        cmocka_unit_test(test_library_a_shard_that_does_not_start_ends_the_others),
        cmocka_unit_test(test_library_timers_run_on_their_shard),
        cmocka_unit_test(test_library_has_no_timers_unless_they_are_asked_for),
    };
    int failed = cmocka_run_group_tests_name("loop", tests, NULL, NULL);
    with_logic = true;
    return failed + cmocka_run_group_tests_name("loop with a logic thread", tests, NULL, NULL);
}
