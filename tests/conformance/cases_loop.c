/* SPDX-License-Identifier: MIT */
/* Cases about poll and wake, and about opening, memory and statistics.
 *
 * Set up: two idle sides, or a few pairs. A pass is decided by what poll returns. Clocks are read
 * only to tell a poll that slept its whole (long) timeout from one that was ended. */
#include "harness.h"

#include <string.h>

#include "core/options.h"
#include "seam/atomics.h"
#include "seam/os.h"

#define LOOP_BURST_MAX 256u
#define LOOP_LONG_NS INT64_C(20000000000) /* nobody waits so long unless a wake-up was lost */
#define LOOP_SHORT_NS INT64_C(30000000)
#define LOOP_WAKES 100000u
#define LOOP_EARLY_MAX 64u

void conf_case_poll_respects_cap(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 10u; i++) {
        conf_pair pair = conf_pair_open(run, i, i);

        (void)conf_recv(&run->server, pair.server);
        (void)conf_send(&run->server, pair.server, "x", 1);
        (void)conf_send(&run->client, pair.client, "y", 1);
    }
    for (run->cap = 1; run->cap <= 3u; run->cap++) { /* conf_poll_side checks count and bounds */
        for (uint32_t i = 0; i < 4u; i++) {
            (void)conf_pump(run);
        }
    }
    run->cap = 3;
    CONF_WAIT(run, run->server.outstanding == 0 && run->client.outstanding == 0);
    run->cap = run->config.poll_max;
}

void conf_case_poll_timeout_zero_never_sleeps(conf_run *run) {
    conf_open_listening(run, NULL);
    const uint64_t virtual_start_ns = conf_now_ns(run);
    const uint64_t start_ns = rs_os_now_ns();

    for (uint32_t i = 0; i < 1000u; i++) {
        CONF_CHECK(run, conf_poll_side(&run->server, run->cap, 0) == 0);
        CONF_CHECK(run, rs_os_now_ns() - start_ns < (uint64_t)LOOP_LONG_NS);
    }
    if (run->instance->now_ns != NULL) {
        CONF_CHECK(run, conf_now_ns(run) == virtual_start_ns);
    }
}

void conf_case_poll_timeout_ends(conf_run *run) {
    conf_open_listening(run, NULL);
    const uint64_t start_ns = rs_os_now_ns();

    /* With nothing to report it comes back by itself. */
    CONF_CHECK(run, conf_poll_side(&run->server, run->cap, 1) == 0);
    CONF_CHECK(run, conf_poll_side(&run->server, run->cap, LOOP_SHORT_NS) == 0);
    CONF_CHECK(run, rs_os_now_ns() - start_ns < (uint64_t)LOOP_LONG_NS);
}

/* A poll with a long timeout that must be ended by a wake. */
static void loop_poll_is_woken(conf_run *run) {
    const uint64_t start_ns = rs_os_now_ns();
    (void)conf_poll_side(&run->server, run->cap, LOOP_LONG_NS);
    CONF_CHECK(run, rs_os_now_ns() - start_ns < (uint64_t)LOOP_LONG_NS);
}

void conf_case_wake_before_poll_ends_it(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 10u; i++) {
        run->api->wake(run->server.backend);
        loop_poll_is_woken(run);
    }
}

typedef struct loop_waker {
    conf_run *run;
    rs_atomic_u32 asked, woken;
} loop_waker;

/* Wakes once for each time it is asked to, some while later, so that poll sleeps already. */
static void loop_waker_main(void *arg) {
    loop_waker *waker = arg;
    for (uint32_t i = 1; i <= 5u; i++) {
        while (rs_atomic_load_u32(&waker->asked) < i) {
            rs_os_sleep_ms(1);
        }
        rs_os_sleep_ms(10);
        rs_atomic_store_u32(&waker->woken, i);
        waker->run->api->wake(waker->run->server.backend);
    }
}

void conf_case_wake_from_another_thread_ends_poll(conf_run *run) {
    loop_waker waker = {.run = run};
    rs_os_thread *thread;
    rs_error error = {0};
    conf_open_listening(run, NULL);
    CONF_STATUS(run, rs_os_thread_start(&thread, loop_waker_main, &waker, &error), RS_OK);
    for (uint32_t i = 1; i <= 5u; i++) {
        rs_atomic_store_u32(&waker.asked, i);
        do { /* it may return early, but not sleep over the wake */
            loop_poll_is_woken(run);
        } while (rs_atomic_load_u32(&waker.woken) < i);
    }
    rs_os_thread_join(thread);
}

static void loop_poll_until_done(conf_run *run, uint32_t op) {
    for (uint32_t polls = 0; !conf_done(&run->server, op); polls++) {
        CONF_CHECK(run, polls < LOOP_BURST_MAX);
        (void)conf_poll_side(&run->server, run->cap, LOOP_SHORT_NS);
        if (run->instance->idle != NULL) {
            run->instance->idle(run->world);
        }
    }
}

/* A back end that gives inline completions a bound asks its queue once more when they have reached
 * it: that look must not use up the wake and then let poll sleep. The last of a burst is a receive,
 * which may be posted by poll itself. The bounds are powers of two. */
void conf_case_wake_after_inline_completions_ends_poll(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    for (uint32_t burst = 1; burst <= LOOP_BURST_MAX; burst *= 2u) {
        (void)conf_send(&run->client, pair.client, "x", 1);
        conf_settle(run);
        for (uint32_t i = 1; i < burst; i++) {
            loop_poll_until_done(run, conf_send(&run->server, pair.server, "y", 1));
        }
        loop_poll_until_done(run, conf_recv(&run->server, pair.server));
        run->api->wake(run->server.backend);
        loop_poll_is_woken(run);
    }
}

void conf_case_wake_storm_coalesces(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t early = 0;
    uint64_t start_ns;

    for (uint32_t i = 0; i < LOOP_WAKES; i++) {
        run->api->wake(run->server.backend);
    }
    do { /* until a poll sleeps its time out again */
        start_ns = conf_now_ns(run);
        (void)conf_poll_side(&run->server, run->cap, LOOP_SHORT_NS);
        if (run->instance->idle != NULL && early > 0) {
            run->instance->idle(run->world);
        }
        early++;
    } while (early < LOOP_WAKES && conf_now_ns(run) - start_ns < (uint64_t)LOOP_SHORT_NS / 2u);
    CONF_CHECK(run, early <= LOOP_EARLY_MAX);
    conf_echo_once(run, pair, "calm again", 10);
}

static void loop_busy_round(conf_run *run, conf_sender *sender, conf_receiver *receiver) {
    (void)conf_sender_step(sender);
    (void)conf_pump(run);
    (void)conf_receiver_step(receiver);
}

/* One connection always has data; a message on another one must come through all the same. */
void conf_case_busy_connection_does_not_starve_another(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 4});
    conf_side *server = &run->server;
    conf_pair busy = conf_pair_open(run, 0, 0);
    conf_pair quiet = conf_pair_open(run, 1, 1);
    conf_sender sender = conf_sender_make(&run->client, busy.client, CONF_UNLIMITED);
    conf_receiver receiver = conf_receiver_make(server, busy.server);
    uint32_t recv;

    receiver.chunk_bytes = 512; /* so that there is always more to read than was asked for */
    recv = conf_recv(server, quiet.server);
    for (uint32_t i = 0; i < 50u; i++) {
        loop_busy_round(run, &sender, &receiver);
    }
    (void)conf_send(&run->client, quiet.client, "me too", 6);
    for (uint32_t rounds = 0; !conf_done(server, recv); rounds++) {
        CONF_CHECK(run, rounds < 10000u);
        loop_busy_round(run, &sender, &receiver);
    }
    CONF_CHECK(run, conf_result(server, recv)->bytes == 6u);
    CONF_CHECK(run, receiver.offset > 0 && !receiver.ended);
}

/* ---- opening */

static void loop_must_not_open(conf_run *run, const rs_backend_config *cfg, rs_status expected) {
    rs_backend *backend = (rs_backend *)run; /* not NULL, so that clearing it shows */
    rs_error error = {0};
    CONF_STATUS(run, run->api->open(&backend, cfg, &error), expected);
    CONF_CHECK(run, backend == NULL);
    CONF_CHECK(run, error.text[0] != '\0');
    run->api->close(backend); /* NULL is accepted */
}

void conf_case_open_with_impossible_config_fails_with_message(conf_run *run) {
    rs_backend_config good, cfg;
    conf_open(run, NULL);
    good = cfg = conf_config(run, NULL);
    cfg.conns_max = 0;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg.conns_max = RS_SESSIONS_MAX + 1u;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg = good;
    cfg.sends_per_conn = 0;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg.sends_per_conn = RS_SENDS_IN_FLIGHT_MAX + 1u;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg = good;
    cfg.tuning.recvs = 0;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg.tuning.recvs = RS_RECVS_IN_FLIGHT_MAX + 1u;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg.tuning.recvs = 2;
    if (!rs_option_named(run->api->tuning, "recvs")) {
        loop_must_not_open(run, &cfg, RS_E_UNSUPPORTED);
    }
    cfg = good;
    cfg.poll_max = 0;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
    cfg.poll_max = RS_COMPLETIONS_PER_POLL_MAX + 1u;
    loop_must_not_open(run, &cfg, RS_E_INVALID);
}

void conf_case_not_available_is_a_status_of_its_own(conf_run *run) {
    rs_backend_config cfg;
    conf_open(run, NULL); /* where it is available, that status does not come */
    cfg = conf_config(run, NULL);
    if (run->instance->make_unavailable != NULL) {
        run->instance->make_unavailable(&cfg);
        loop_must_not_open(run, &cfg, RS_E_RIO_UNAVAILABLE);
    }
}

void conf_case_regions_up_to_the_limit(conf_run *run) {
    rs_region_id regions[RS_REGIONS_MAX], over;
    rs_error error = {0};
    size_t bytes = (size_t)RS_REGIONS_MAX * RS_PAGE_BYTES;
    rs_backend *backend;
    uint8_t *pages = rs_os_pages_alloc(bytes, NULL);
    CONF_CHECK(run, pages != NULL);
    conf_open(run, NULL);
    backend = run->client.backend;
    for (uint32_t i = 1; i < RS_REGIONS_MAX; i++) { /* the harness has taken one */
        CONF_STATUS(run,
                    run->api->register_memory(backend, pages + (size_t)i * RS_PAGE_BYTES,
                                              RS_PAGE_BYTES, NULL, &regions[i], &error),
                    RS_OK);
    }
    CONF_STATUS(run, run->api->register_memory(backend, pages, RS_PAGE_BYTES, NULL, &over, &error),
                RS_E_NO_BUFFERS);
    CONF_CHECK(run, error.text[0] != '\0');
    run->api->release_memory(backend, regions[7]);
    CONF_STATUS(run,
                run->api->register_memory(backend, pages, RS_PAGE_BYTES, NULL, &regions[7], &error),
                RS_OK);
    for (uint32_t i = 1; i < RS_REGIONS_MAX; i++) {
        run->api->release_memory(backend, regions[i]);
    }
    rs_os_pages_free(pages, bytes);
}

void conf_case_stats_name_their_calls(conf_run *run) {
    rs_backend_stats stats;
    uint64_t sum = 0;
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_echo_once(run, pair, "counted", 7);
    memset(&stats, 0xFF, sizeof stats);
    run->api->stats(run->server.backend, &stats);
    CONF_CHECK(run, stats.provider != NULL && stats.provider[0] != '\0');
    CONF_CHECK(run, stats.count > 0 && stats.count <= RS_BACKEND_STATS_MAX);
    for (uint32_t i = 0; i < stats.count; i++) {
        CONF_CHECK(run, stats.stat[i].name != NULL && stats.stat[i].name[0] != '\0');
        for (uint32_t k = 0; k < i; k++) {
            CONF_CHECK(run, strcmp(stats.stat[i].name, stats.stat[k].name) != 0);
        }
        sum += stats.stat[i].value;
    }
    CONF_CHECK(run, sum > 0);
}
