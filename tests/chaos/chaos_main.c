/* SPDX-License-Identifier: MIT */
/* chaos_test: a server and its clients over the IOCP or the RIO back end, with faults under both,
 * seed after seed (chaos.h says how).
 *
 * Each seed draws settings, faults and clients. A pass: no crash and no hang, the contract of the
 * seam holds, each failure ends the session it belongs to and is in the counter it belongs to, a
 * seed without failures returns every stream whole, and afterwards nothing is left open. A failure
 * prints the seed and the command that plays it again. A fault that never happened in a long run
 * fails it. */
#include "chaos.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/options.h"
#include "core/session.h"
#include "iocp/iocp_settings.h"
#include "rio/rio_settings.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "server/server_config.h"
#include "win/win_socket.h"

#define RULES_PER_SEED CHAOS_RULES_MAX
#define SEEDS_FOR_ALL 100u   /* a run of so many has to see everything, */
#define SEEDS_TO_MAKE_UP 60u /* with so many more */
#define SEED_MS_MAX 240000u  /* 1 s does, but on a busy machine */
#define STOP_MS_MAX 60000u
#define FRAME_BYTES_MAX 4096u

typedef struct main_options {
    bool rio;
    uint32_t seeds, first_seed, seed, fatal;
    bool verbose;
    bool is_fatal; /* --fatal was given */
} main_options;

static const rs_option main_rows[] = {
    RS_ROW_CHOICE(main_options, rio, "backend", "iocp|rio", 0, "which back end"),
    RS_ROW_UINT(main_options, seeds, "seeds", 1, UINT32_MAX / 16u, SEEDS_FOR_ALL, "",
                "how many to play"),
    RS_ROW_UINT(main_options, first_seed, "first-seed", 1, UINT32_MAX / 16u, 1, "",
                "the first of them"),
    RS_ROW_UINT(main_options, seed, "seed", 1, UINT32_MAX / 16u, 1, "", "play this one alone"),
    RS_ROW_UINT(main_options, fatal, "fatal", 0, 1000, 0, "",
                "the n-th failure that has to end the process; exit code 77: no so many"),
    RS_ROW_BOOL(main_options, verbose, "verbose", false, "name what did not happen"),
};
static const rs_option_table main_table = {main_rows, RS_ROWS(main_rows), NULL};

static main_options options;
static rs_atomic_u32 main_seed;   /* the one being played; 0 = the run is over */
static rs_atomic_u32 main_passed; /* seeds so far, for the watchdog */

/* ---- failing */

static void main_say_seed(void) {
    const unsigned seed = rs_atomic_load_u32(&main_seed);
    (void)fprintf(stderr, "chaos: seed %u failed; replay: chaos_test --backend %s --seed %u\n",
                  seed, options.rio ? "rio" : "iocp", seed);
    (void)fflush(stderr);
}

void chaos_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "chaos: ");
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    chaos_seam_dump();
    main_say_seed();
    _Exit(1);
}

static void main_aborted(int number) {
    (void)number;
    main_say_seed();
    _Exit(1);
}

static LONG WINAPI main_crashed(EXCEPTION_POINTERS *what) {
    (void)fprintf(stderr, "chaos: exception %lx at %p\n",
                  (unsigned long)what->ExceptionRecord->ExceptionCode,
                  what->ExceptionRecord->ExceptionAddress);
    main_say_seed();
    _Exit(1);
}

static void main_watch(void *arg) {
    uint32_t passed = 0, waited_ms = 0;
    (void)arg;
    while (rs_atomic_load_u32(&main_seed) != 0) {
        rs_os_sleep_ms(100);
        waited_ms += 100;
        if (rs_atomic_load_u32(&main_passed) != passed) {
            passed = rs_atomic_load_u32(&main_passed);
            waited_ms = 0;
        }
        if (waited_ms >= SEED_MS_MAX) {
            chaos_fail("hangs: no end after %u s", SEED_MS_MAX / 1000u);
        }
    }
}

/* ---- a seed's settings */

typedef struct seed_run {
    chaos_plan plan;
    rs_server_config server;
    chaos_client_plan client;
    rs_iocp_settings iocp;
    rs_rio_settings rio;
    bool stops_early; /* the server, while clients are there */
    bool gentle;      /* nothing fails */
    uint32_t closes;  /* the application ends one session in so many messages; 0: none */
    uint64_t random;
    rs_server *running;
} seed_run;

static uint32_t seed_draw(seed_run *run, uint32_t below) {
    uint64_t z = run->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static uint32_t seed_one_of(seed_run *run, const uint32_t *values, uint32_t count) {
    return values[seed_draw(run, count)];
}

static void app_open(void *ctx, rs_session *session) {
    (void)ctx;
    chaos_session_opened(session);
}

static void app_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    const seed_run *run = ctx;
    (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
    if (run->closes != 0 && chaos_draw(run->closes) == 0) {
        rs_session_close(session);
    }
}

static void app_close(void *ctx, rs_session *session, rs_close_reason reason) {
    (void)ctx;
    chaos_session_closed(session, reason);
}

/* The rules: each seed has the next few rows, so that every row has its turn. */
static uint32_t seed_first_row(uint32_t seed, uint32_t count) {
    return seed * RULES_PER_SEED % count;
}

static uint32_t seed_rules(seed_run *run, uint32_t seed) {
    uint32_t count, needs = 0;
    const chaos_row *rows = chaos_rows(run->plan.rio, &count);
    for (uint32_t i = 0; i < RULES_PER_SEED; i++) {
        const uint32_t at = (seed_first_row(seed, count) + i) % count;
        const chaos_row *row = &rows[at];
        chaos_rule *rule = &run->plan.rules[run->plan.rule_count];
        if (row->code == 0 || (row->where & CHAOS_FATAL) != 0) {
            continue;
        }
        const uint32_t turn = (seed * RULES_PER_SEED + i) / count;
        const bool client = (row->where & CHAOS_ON_SERVER) == 0 ||
                            ((row->where & CHAOS_ON_CLIENT) != 0 && (turn + i) % 2u == 1u);
        *rule = (chaos_rule){.row = at, .side = client ? CHAOS_CLIENT : CHAOS_SERVER, .nth = 1u};
        if ((row->where & CHAOS_BY_CLOSES) == 0) {
            rule->nth += seed_draw(run, 1u << seed_draw(run, 4));
        }
        run->plan.rule_count++;
        needs |= row->where;
    }
    return needs;
}

/* One row that ends the process. */
static uint32_t seed_fatal(seed_run *run, uint32_t wanted) {
    uint32_t count, seen = 0;
    const chaos_row *rows = chaos_rows(run->plan.rio, &count);
    for (uint32_t i = 0; i < count; i++) {
        if ((rows[i].where & CHAOS_FATAL) != 0 && seen++ == wanted) {
            run->plan.rules[0] = (chaos_rule){.row = i, .side = CHAOS_SERVER, .nth = 1};
            run->plan.rules[0].nth += rows[i].call == CHAOS_PROVIDER_WAIT; /* the first tries it */
            run->plan.rule_count = 1;
            printf("chaos: %s fails with %u\n", chaos_call_name(rows[i].call), rows[i].code);
            (void)fflush(stdout);
            for (uint32_t at = 0; rows[i].call == CHAOS_ACCEPTCONN && at < count; at++) {
                if (rows[at].call == CHAOS_ACCEPTEX && rows[at].code == WSAENOTSOCK) {
                    run->plan.rules[1] = (chaos_rule){.row = at, .side = CHAOS_SERVER, .nth = 2};
                    run->plan.rule_count = 2;
                }
            }
            return rows[i].where;
        }
    }
    printf("chaos: no more\n");
    exit(77);
}

static void seed_faults(seed_run *run) {
    static const uint32_t often[] = {0, 0, CHAOS_ONE / 400u, CHAOS_ONE / 60u};
    static const uint32_t sometimes[] = {0, CHAOS_ONE / 20u, CHAOS_ONE / 4u};
    chaos_plan *plan = &run->plan;
    for (uint32_t side = 0; side < CHAOS_SIDES && !run->gentle; side++) {
        plan->fail[side] = seed_one_of(run, often, 4);
    }
    plan->late = seed_one_of(run, sometimes, 3);
    plan->late_ns_max = 1u << (10u + seed_draw(run, 13)); /* up to 4 ms */
    plan->swap = seed_one_of(run, sometimes, 3);
    plan->pending = seed_one_of(run, sometimes, 3);
    plan->doubled = seed_one_of(run, sometimes, 3);
    plan->spurious = seed_draw(run, 3) == 0 ? CHAOS_ONE / 20u : 0;
    plan->short_send = run->gentle || seed_draw(run, 4) != 0 ? 0 : CHAOS_ONE / 50u;
    plan->capacity_ms = run->gentle || seed_draw(run, 4) != 0 ? 0 : 400;
    plan->own_wait = seed_draw(run, 2) == 0;
}

static void seed_settings(seed_run *run, uint32_t needs) {
    static const uint32_t batches[] = {1, 3, 16, 256}, accepts[] = {1, 2, 8, 32};
    rs_server_config *server = &run->server;
    rs_tuning *tuning = &server->tuning;
    rs_options_defaults(&rs_iocp_options, &run->iocp);
    rs_options_defaults(&rs_rio_options, &run->rio);
    tuning->dequeue_batch = seed_one_of(run, batches, 4);
    tuning->accepts = seed_one_of(run, accepts, 4);
    tuning->accept_mode = (needs & CHAOS_BY_THREAD) != 0 || seed_draw(run, 6) == 0
                              ? RS_ACCEPT_THREAD
                              : RS_ACCEPT_OVERLAPPED;
    if ((needs & CHAOS_FATAL) != 0 && (needs & CHAOS_BY_THREAD) == 0) {
        tuning->accept_mode = RS_ACCEPT_OVERLAPPED; /* so the second AcceptEx is a repeated one */
        tuning->accepts = 1;
    }
    run->iocp.skip_on_success = seed_draw(run, 3) != 0 && (needs & CHAOS_BY_PACKET) == 0;
    run->iocp.inline_max = 1u + seed_draw(run, 64);
    run->iocp.zero_byte_recv = seed_draw(run, 3) == 0;
    run->iocp.gqcs_single = (needs & CHAOS_BY_SINGLE) != 0 || seed_draw(run, 4) == 0;
    run->rio.wait = seed_draw(run, 3) == 0 ? RS_RIO_WAIT_SPIN : RS_RIO_WAIT_NOTIFY;
    run->rio.notify_by = (needs & CHAOS_BY_EVENT) != 0 || seed_draw(run, 4) == 0
                             ? RS_RIO_NOTIFY_EVENT
                             : RS_RIO_NOTIFY_IOCP;
    run->rio.registration = seed_draw(run, 3) == 0 ? RS_RIO_REG_REQUEST : RS_RIO_REG_SLAB;
    run->rio.defer = seed_draw(run, 4) != 0;
    run->rio.verify = seed_draw(run, 3) == 0;
    if ((needs & (CHAOS_BY_NOTIFY | CHAOS_BY_PROVIDER)) != 0) {
        run->rio.notify_by = RS_RIO_NOTIFY_IOCP;
        run->rio.wait = RS_RIO_WAIT_NOTIFY;
        run->plan.own_wait = (needs & CHAOS_BY_PROVIDER) != 0;
        run->rio.verify = false;
        run->iocp.gqcs_single = run->iocp.gqcs_single && (needs & CHAOS_FATAL) == 0;
    } else if (run->rio.notify_by == RS_RIO_NOTIFY_IOCP && seed_draw(run, 8) == 0) {
        run->rio.wait = RS_RIO_WAIT_POLL;
    }
    run->plan.verified = run->rio.verify;
    server->backend_settings = run->plan.rio ? (const void *)&run->rio : &run->iocp;
}

static void seed_draw_all(seed_run *run, uint32_t seed) {
    const rs_backend_api *api = chaos_api(options.rio);
    uint32_t needs = 0;
    memset(run, 0, sizeof *run);
    run->random = seed * UINT64_C(0x9E3779B97F4A7C15);
    run->plan.seed = seed;
    run->plan.rio = options.rio;
    run->gentle = seed % 8u == 0 && !options.is_fatal;
    if (options.is_fatal) {
        needs = seed_fatal(run, options.fatal);
    } else if (!run->gentle) {
        needs = seed_rules(run, seed);
    }
    rs_server_config_init(&run->server, api);
    if (!options.is_fatal) {
        seed_faults(run);
    }
    seed_settings(run, needs);
    run->closes = (needs & CHAOS_BY_CLOSES) != 0           ? 3u
                  : !run->gentle && seed_draw(run, 4) == 0 ? 16u
                                                           : 0;
    run->server.app =
        (rs_app){.ctx = run, .on_open = app_open, .on_message = app_message, .on_close = app_close};
    run->server.port = 0;
    run->server.workers = 1u + (seed_draw(run, 6) == 0);
    run->server.sessions_max = run->gentle ? 32u : 2u + seed_draw(run, 24);
    run->server.sends_in_flight = 1u + seed_draw(run, 4);
    run->server.frame_bytes_max = FRAME_BYTES_MAX;
    run->server.drain_timeout_ms = 300;
    run->server.idle_timeout_ms = 30000;
    run->server.coalesce = seed_draw(run, 2) == 0;
    run->stops_early = !run->gentle && seed_draw(run, 8) == 0;

    if ((needs & CHAOS_BY_CLOSES) != 0) { /* few such calls are made: the rules have all of them */
        run->plan.fail[CHAOS_SERVER] = run->plan.fail[CHAOS_CLIENT] = 0;
        run->server.sessions_max = 32;
        run->stops_early = false;
    }

    run->client.gentle = run->gentle;
    run->client.leaves = (needs & CHAOS_BY_CLOSES) != 0;
    run->client.slots = 2u + seed_draw(run, 10);
    run->client.connections = (needs & CHAOS_BY_CLOSES) != 0 ? 60u : 8u + seed_draw(run, 32);
    run->client.sends_per_conn = 1u + seed_draw(run, 4);
    run->client.frame_bytes_max = FRAME_BYTES_MAX;
    run->client.asks = 1u + seed_draw(run, 16);
    run->client.backend = (rs_backend_config){
        .conns_max = run->client.slots,
        .sends_per_conn = run->client.sends_per_conn,
        .poll_max = 64,
        .fine_waits = (needs & CHAOS_BY_ALARM) != 0 || seed_draw(run, 4) == 0,
        .tuning = run->server.tuning,
        .own = run->server.backend_settings,
    };
    if (!options.is_fatal && seed_draw(run, 3) == 0 &&
        (run->plan.rio || !run->iocp.zero_byte_recv)) {
        run->server.tuning.recvs = 2u + seed_draw(run, seed_draw(run, 3) == 0 ? 15 : 3);
    }
    run->server.logic_thread = !options.is_fatal && seed_draw(run, 4) == 0;
    run->plan.logic_thread = run->server.logic_thread;
}

static void seed_print(const seed_run *run) {
    uint32_t count;
    const chaos_row *rows = chaos_rows(run->plan.rio, &count);
    printf("  receives %u, accepts %u%s, batch %u, workers %u%s, sessions %u, fail %u %u, late %u "
           "< %u us, swap "
           "%u, "
           "pending %u, short %u, spurious %u, capacity %u ms\n",
           run->server.tuning.recvs, run->server.tuning.accepts,
           run->server.tuning.accept_mode == RS_ACCEPT_THREAD ? " by thread" : "",
           run->server.tuning.dequeue_batch, run->server.workers,
           run->server.logic_thread ? " and a logic thread" : "", run->server.sessions_max,
           run->plan.fail[CHAOS_SERVER], run->plan.fail[CHAOS_CLIENT], run->plan.late,
           run->plan.late_ns_max / 1000u, run->plan.swap, run->plan.pending, run->plan.short_send,
           run->plan.spurious, run->plan.capacity_ms);
    if (run->plan.rio) {
        printf("  wait %d, by event %d, by session %d, defer %d, verify %d, own wait %d\n",
               (int)run->rio.wait, (int)run->rio.notify_by, (int)run->rio.registration,
               (int)run->rio.defer, (int)run->rio.verify, (int)run->plan.own_wait);
    } else {
        printf("  skip %d, inline %u, probe %d, single %d\n", (int)run->iocp.skip_on_success,
               run->iocp.inline_max, (int)run->iocp.zero_byte_recv, (int)run->iocp.gqcs_single);
    }
    for (uint32_t i = 0; i < run->plan.rule_count; i++) {
        const chaos_rule *rule = &run->plan.rules[i];
        printf("  %s: %s %u (0x%x) from call %u on\n",
               rule->side == CHAOS_SERVER ? "server" : "client",
               chaos_call_name(rows[rule->row].call), rows[rule->row].code, rows[rule->row].code,
               rule->nth);
    }
    (void)fflush(stdout);
}

/* ---- playing it */

static void seed_ask(void *ctx) {
    seed_run *run = ctx;
    rs_server_stats stats;
    if (run->stops_early && chaos_draw(4) == 0) {
        rs_server_stop(run->running);
    }
    rs_server_stats_read(run->running, &stats);
}

/* A start that fails does so for a failure that was injected, says why, and leaves nothing. */
static void seed_start(seed_run *run) {
    rs_error error;
    for (;;) {
        const uint32_t injected = chaos_injected(CHAOS_SERVER);
        memset(&error, 0, sizeof error);
        if (rs_server_start(&run->running, &run->server, &error) == RS_OK) {
            return;
        }
        if (chaos_injected(CHAOS_SERVER) == injected) {
            chaos_fail("the server does not start: %s", error.text);
        }
        if (error.text[0] == '\0' || run->running != NULL) {
            chaos_fail("a start failed without a word");
        }
        chaos_nothing_open(CHAOS_SERVER);
    }
}

static void seed_stop(seed_run *run, rs_server_stats *stats) {
    const uint64_t end_ns = rs_os_now_ns() + UINT64_C(1000000) * STOP_MS_MAX;
    rs_error error;
    rs_server_stop(run->running);
    while (!rs_server_has_ended(run->running)) {
        if (rs_os_now_ns() > end_ns) {
            chaos_fail("the server does not stop");
        }
        rs_os_sleep_ms(1);
    }
    if (rs_server_join(run->running, &error) != RS_OK) {
        chaos_fail("the server has not stopped as it should: %s", error.text);
    }
    rs_server_stats_read(run->running, stats);
    rs_server_free(run->running);
}

static void must_equal(const char *what, uint64_t is, uint64_t should) {
    if (is != should) {
        chaos_fail("%s is %llu, %llu at the seam", what, (unsigned long long)is,
                   (unsigned long long)should);
    }
}

static uint64_t backend_stat(const rs_server_stats *stats, const char *name) {
    for (uint32_t i = 0; i < stats->backend.count; i++) {
        if (strcmp(stats->backend.stat[i].name, name) == 0) {
            return stats->backend.stat[i].value;
        }
    }
    return 0;
}

static void seed_check(const seed_run *run, const rs_server_stats *stats,
                       const chaos_client_result *client) {
    const chaos_sums *sums = chaos_seam_sums();
    const rs_counters *counters = &stats->counters;
    must_equal("accepted", counters->accepted, sums->opened);
    must_equal("on_close", sums->closed, sums->opened);
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        must_equal(rs_close_reason_text((rs_close_reason)i), counters->closed[i],
                   sums->closed_for[i]);
    }
    must_equal("accept_failed", counters->accept_failed, sums->accept_failed + sums->attach_failed);
    must_equal("failures to accept", sums->accept_failed, sums->accepts_told);
    must_equal("refused", counters->refused, sums->discarded);
    must_equal("request queues refused", backend_stat(stats, "request queues refused"),
               sums->queues_refused);
    must_equal("quarantined", counters->quarantined, 0);
    must_equal("stale_completions", counters->stale_completions, 0);
    must_equal("sessions_used", stats->sessions_used, 0);
    if (run->gentle) {
        must_equal("streams that came back whole", client->whole, run->client.connections);
        must_equal("sessions that ended orderly", counters->closed[RS_CLOSE_PEER],
                   run->client.connections);
    }
}

typedef struct run_totals {
    uint64_t seeds, sessions, whole, failed, refused, accept_failed, bytes;
    uint64_t closed[RS_CLOSE_REASONS];
} run_totals;

static void seed_play(uint32_t seed, run_totals *totals) {
    static seed_run run;
    chaos_client_result client;
    rs_server_stats stats;
    const uint64_t start_ns = rs_os_now_ns();
    rs_atomic_store_u32(&main_seed, seed);
    seed_draw_all(&run, seed);
    printf("chaos_test --backend %s --seed %u%s\n", options.rio ? "rio" : "iocp", seed,
           run.gentle ? " # nothing fails" : "");
    if (options.verbose) {
        seed_print(&run);
    }
    (void)fflush(stdout);
    chaos_begin(&run.plan);
    seed_start(&run);
    run.client.addr = (rs_addr){.ip = 0x7F000001u, .port = rs_server_port(run.running)};
    run.client.ask = seed_ask;
    run.client.ctx = &run;
    chaos_client_run(chaos_api(options.rio), &run.client, &client);
    seed_stop(&run, &stats);
    seed_check(&run, &stats, &client);
    chaos_end();
    totals->seeds++;
    totals->sessions += stats.counters.accepted;
    totals->refused += stats.counters.refused;
    totals->accept_failed += stats.counters.accept_failed;
    totals->whole += client.whole;
    totals->failed += client.failed;
    totals->bytes += client.bytes_back;
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        totals->closed[i] += stats.counters.closed[i];
    }
    if (options.verbose) {
        printf("  %llu ms\n", (unsigned long long)(rs_os_now_ns() - start_ns) / 1000000u);
    }
    (void)rs_atomic_add_u32(&main_passed, 1);
}

/* ---- the whole run */

/* The first row that never happened; count = there is none. */
static uint32_t main_missing(const chaos_row *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if ((rows[i].where & CHAOS_FATAL) == 0 && rows[i].hits == 0) {
            return i;
        }
    }
    return count;
}

/* A few seeds more, of those that have what was missed among their rules: not every call is made in
 * every run as often as its rule wants. */
static void main_make_up(uint32_t seed, run_totals *totals) {
    uint32_t count;
    const chaos_row *rows = chaos_rows(options.rio, &count);
    for (uint32_t played = 0; played < SEEDS_TO_MAKE_UP; seed++) {
        const uint32_t missing = main_missing(rows, count);
        if (missing == count) {
            return;
        }
        if ((missing + count - seed_first_row(seed, count)) % count < RULES_PER_SEED) {
            seed_play(seed, totals);
            played++;
        }
    }
}

static int main_report(const run_totals *totals, double seconds) {
    uint32_t count, missing = 0, kinds = 0;
    uint64_t hits = 0;
    const chaos_row *rows = chaos_rows(options.rio, &count);
    const bool all = totals->seeds >= SEEDS_FOR_ALL;
    for (uint32_t i = 0; i < count; i++) {
        if ((rows[i].where & CHAOS_FATAL) != 0) {
            continue;
        }
        kinds++;
        hits += rows[i].hits;
        if (rows[i].hits == 0) {
            missing++;
            if (all || options.verbose) {
                (void)fprintf(stderr, "chaos: never happened: %s %u (0x%x)\n",
                              chaos_call_name(rows[i].call), rows[i].code, rows[i].code);
            }
        }
    }
    printf("chaos: %s: %llu seeds in %.1f s: %llu faults of %u kinds, %u kinds missing\n",
           options.rio ? "rio" : "iocp", (unsigned long long)totals->seeds, seconds,
           (unsigned long long)hits, kinds, missing);
    printf("  sessions %llu, streams whole %llu, failed %llu, bytes back %llu\n",
           (unsigned long long)totals->sessions, (unsigned long long)totals->whole,
           (unsigned long long)totals->failed, (unsigned long long)totals->bytes);
    printf("  refused %llu, failed to accept %llu, closed:", (unsigned long long)totals->refused,
           (unsigned long long)totals->accept_failed);
    for (uint32_t i = 0; i < RS_CLOSE_REASONS; i++) {
        printf(" %s %llu", rs_close_reason_text((rs_close_reason)i),
               (unsigned long long)totals->closed[i]);
    }
    printf("\n");
    return all && missing > 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    static run_totals totals;
    rs_options all = {.program = "chaos_test",
                      .summary = "a server and its clients, with faults under both"};
    const uint64_t start_ns = rs_os_now_ns();
    rs_os_thread *watch;
    rs_error error;
    rs_options_add(&all, &main_table, &options, NULL);
    const int exit_code = rs_options_read(&all, argc, (const char *const *)argv);
    if (exit_code >= 0) {
        return exit_code;
    }
    options.is_fatal = rs_options_given(&all, "fatal");
    if (options.is_fatal || rs_options_given(&all, "seed")) {
        options.first_seed = options.seed;
        options.seeds = 1;
    }
    /* Wine's last WSACleanup closes what another thread opens meanwhile: here it never is the last.
     */
    if (rs_win_socket_start(&error) != RS_OK) {
        (void)fprintf(stderr, "chaos: %s\n", error.text);
        return 1;
    }
    (void)signal(SIGABRT, main_aborted);
    (void)SetUnhandledExceptionFilter(main_crashed);
    rs_atomic_store_u32(&main_seed, options.first_seed);
    if (rs_os_thread_start(&watch, main_watch, NULL, &error) != RS_OK) {
        (void)fprintf(stderr, "chaos: %s\n", error.text);
        return 1;
    }
    for (uint32_t i = 0; i < options.seeds; i++) {
        seed_play(options.first_seed + i, &totals);
    }
    if (options.seeds >= SEEDS_FOR_ALL) {
        main_make_up(options.first_seed + options.seeds, &totals);
    }
    rs_atomic_store_u32(&main_seed, 0);
    rs_os_thread_join(watch);
    return main_report(&totals, (double)(rs_os_now_ns() - start_ns) / 1e9);
}
