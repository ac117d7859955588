/* SPDX-License-Identifier: MIT */
/* The loop: poll, count the completions, collect the ops of the touched connections, submit.
 *
 * Clock: one reading after each poll, which is the time of every reply in that batch, and one
 * before each submit of at most RUN_OPS operations, which is the time of every request in it. So a
 * latency is off by at most the time one such batch takes to handle: some microseconds, more where
 * --dequeue-batch is raised. */
#include "loadgen/loadgen_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

#define RUN_NS_PER_S 1000000000.0
#define RUN_OPS 64u
#define RUN_CONNECTING_MAX 256u /* at once, but for --ramp */
#define RUN_TICK_NS UINT64_C(100000000)
#define RUN_FAST_TICK_NS UINT64_C(10000000) /* with slow readers: their pause */
#define RUN_APART_NS UINT64_C(20000000)     /* board: between two checks of what is in view */
#define RUN_CLOSE_GRACE_NS UINT64_C(5000000000)
#define RUN_PROGRESS_NS UINT64_C(1000000000)
#define RUN_CREW_NS UINT64_C(500000) /* between two looks for the other threads */
#define RUN_SERIES_NS UINT64_C(1000000000)
#define RUN_SERIES_ROWS_MAX 86400u      /* a day, the longest --seconds */
#define RUN_BLOCK_BYTES UINT64_C(16384) /* of one send; one frame if that is longer */
#define RUN_ISSUE_MAX 65536u      /* messages assigned per turn: a turn stays short at any rate */
#define RUN_UNSENT_ENTRIES 65536u /* in the histogram, for what was never sent */
#define RUN_BOOKS_WORDS 25u
#define RUN_STREAM_BYTES 65536u /* of a receive, where replies are longer */
#define RUN_IDLE_RECV_BYTES RS_CACHE_LINE_BYTES

_Static_assert(RUN_OPS >= RS_CLIENT_OPS_MAX, "one client's ops always fit");

/* ---- memory */

static uint32_t run_line_up(uint64_t bytes) {
    return (uint32_t)((bytes + RS_CACHE_LINE_BYTES - 1u) / RS_CACHE_LINE_BYTES *
                      RS_CACHE_LINE_BYTES);
}

/* A slice holds a whole window of the longest frames, up to RUN_BLOCK_BYTES, and at least one. */
static uint32_t run_slice_bytes(const rs_load_settings *s, uint32_t frame_bytes) {
    const uint64_t window = (uint64_t)s->depth * frame_bytes;
    const uint64_t capped = window < RUN_BLOCK_BYTES ? window : RUN_BLOCK_BYTES;
    return run_line_up(capped > frame_bytes ? capped : frame_bytes);
}

/* Cuts the pages: per sender its send blocks and its receive slice; per silent one a slice. */
static void run_cut(rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    const uint32_t ring = rs_track_ring(s->depth);
    uint8_t *at = run->pages;
    for (uint32_t i = 0; i < run->total; i++) {
        const bool sends = i < s->connections;
        const uint32_t recv_bytes = sends ? run->load.recv_bytes : RUN_IDLE_RECV_BYTES;
        uint8_t *send_base = sends ? at : NULL;

        at += sends ? (size_t)s->sends_in_flight * run->load.block_bytes : 0;
        rs_client_init(&run->clients[i], &run->load, i,
                       sends ? run->sent_ns + (size_t)i * ring : NULL, send_base, at, recv_bytes);
        run->clients[i].group = s->per_connection_path == NULL ? rs_load_target_of(s, i)
                                : sends                        ? i
                                                               : UINT32_MAX;
        at += recv_bytes;
    }
    RS_ASSERT((size_t)(at - (uint8_t *)run->pages) <= run->pages_bytes);
}

static bool run_allocate_bots(rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    if (s->app != RS_LOAD_BOARD) {
        return true;
    }
    run->load.bots = &run->bots;
    return rs_bots_open(&run->bots, s->seed, s->connections, s->depth);
}

/* A group for each target, or each connection that sends; the first thread's take the results of
 * all. */
static bool run_allocate_groups(rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    if (s->per_connection_path != NULL) {
        run->groups = s->first == 0 ? s->connections_all : s->connections;
    } else {
        run->groups = s->targets > 1 ? s->targets : 0;
    }
    if (run->groups == 0) {
        return true;
    }
    run->load.groups = calloc(run->groups, sizeof *run->load.groups);
    for (uint32_t i = 0; run->load.groups != NULL && i < run->groups; i++) {
        run->load.groups[i].target = s->per_connection_path != NULL ? rs_load_target_of(s, i) : i;
        rs_histogram_init(&run->load.groups[i].latency);
    }
    return run->load.groups != NULL;
}

static bool run_allocate_push(rs_load_run *run) {
    if (!rs_load_pushes(run->settings) || rs_load_sinks(run->settings)) {
        return true;
    }
    run->load.push = calloc(run->settings->connections, sizeof *run->load.push);
    return run->load.push != NULL;
}

static rs_status run_allocate(rs_load_run *run, rs_error *error) {
    const rs_load_settings *s = run->settings;
    const size_t slices = (size_t)s->sends_in_flight * run->load.block_bytes + run->load.recv_bytes;
    const size_t bytes = s->connections * slices + (size_t)s->idle * RUN_IDLE_RECV_BYTES;
    run->pages_bytes = (bytes + RS_PAGE_BYTES - 1u) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    run->pages = rs_os_pages_alloc(run->pages_bytes, NULL);
    run->clients = calloc(run->total, sizeof *run->clients);
    run->touched = calloc(run->total, sizeof *run->touched);
    run->emitting = calloc(run->total, sizeof *run->emitting);
    run->completions = calloc(s->dequeue_batch, sizeof *run->completions);
    if (s->series_path != NULL) {
        run->series_max = s->seconds > 0 ? (uint32_t)s->seconds + 1u : RUN_SERIES_ROWS_MAX;
        run->series = calloc(run->series_max, sizeof *run->series);
    }
    run->waiting = calloc(s->connect_rate != 0 ? run->total : 1u, sizeof *run->waiting);
    run->sent_ns = calloc((size_t)s->connections * rs_track_ring(s->depth), sizeof *run->sent_ns);
    if (run->pages == NULL || run->clients == NULL || run->touched == NULL ||
        run->emitting == NULL || run->completions == NULL || run->sent_ns == NULL ||
        run->waiting == NULL ||
        !rs_alarms_open(&run->thinking, s->think_s > 0 ? s->connections : 1u) ||
        (s->series_path != NULL && run->series == NULL) || !run_allocate_bots(run) ||
        !run_allocate_groups(run) || !run_allocate_push(run)) {
        return rs_error_set(
            error, RS_E_NO_MEMORY, "calloc", 0,
            "out of memory for %u connections: lower --connections, --depth or --size", run->total);
    }
    return RS_OK;
}

static rs_status run_open_backend(rs_load_run *run, rs_error *error) {
    const rs_load_settings *s = run->settings;
    rs_backend_config cfg = {
        .conns_max = run->total,
        .sends_per_conn = s->sends_in_flight,
        .lone_sends = !s->coalesce,
        .poll_max = s->dequeue_batch,
        .fine_waits = s->rate != 0 || s->think_s > 0 || s->connect_rate != 0,
        .tuning = rs_tuning_default(),
    };
    rs_region_id region;
    rs_status status;
    cfg.tuning.dequeue_batch = s->dequeue_batch;
    cfg.tuning.sndbuf_bytes = s->sndbuf_bytes;
    cfg.tuning.rcvbuf_bytes = s->rcvbuf_bytes;
    cfg.tuning.nodelay = s->nodelay;
    status = run->api->open(&run->backend, &cfg, error);
    if (status != RS_OK) {
        return status;
    }
    status =
        run->api->register_memory(run->backend, run->pages, run->pages_bytes, NULL, &region, error);
    if (status == RS_OK) {
        run->load.region = region.value;
        run->region_held = true;
    }
    return status;
}

static void run_init_load(rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    rs_load *load = &run->load;
    load->settings = s;
    rs_payload_init(&load->payload, s->seed, &s->size,
                    s->reply.count > 0 && !rs_load_sinks(s) ? &s->reply : NULL);
    load->block_bytes = run_slice_bytes(s, s->size.max);
    load->block_bytes += rs_load_pushes(s) ? run_line_up(RS_PUSH_ASK_BYTES) : 0;
    const uint32_t reply_bytes =
        rs_load_streams(s) ? RUN_STREAM_BYTES : rs_payload_reply_max(&load->payload);
    /* A full receive does not tell what is left, and costs epoll another one. */
    load->recv_bytes =
        (s->app == RS_LOAD_BOARD ? RS_LOAD_BOARD_RECV_BYTES : run_slice_bytes(s, reply_bytes)) +
        RS_CACHE_LINE_BYTES;
    load->messages_left = s->messages != 0 ? s->messages : UINT64_MAX;
    load->lives_left = s->churn_total != 0 ? s->churn_total : UINT64_MAX;
    load->timeout_ns = (uint64_t)(s->timeout_s * RUN_NS_PER_S);
    load->connect_timeout_ns = (uint64_t)(s->connect_timeout_s * RUN_NS_PER_S);
    load->think = (rs_plan_think){.mean_ns = (uint64_t)(s->think_s * RUN_NS_PER_S),
                                  .seed = s->seed,
                                  .exponential = s->think_exponential};
    load->connect_permits = s->connect_rate != 0 ? 0 : UINT64_MAX;
    run->connects = (rs_plan){.rate = s->connect_rate, .connections = 1};
    load->not_done = run->total;
    load->senders_left = s->connections;
    rs_histogram_init(&load->uncorrected);
    rs_histogram_init(&load->corrected);
    rs_histogram_init(&load->first_reply);
}

rs_status rs_load_run_open(rs_load_run *run, const rs_load_settings *settings,
                           const rs_backend_api *api, rs_error *error) {
    rs_status status;
    run->settings = settings;
    run->api = api;
    run->total = settings->connections + settings->idle;
    run_init_load(run);
    status = run_allocate(run, error);
    if (status == RS_OK) {
        run_cut(run);
        status = run_open_backend(run, error);
    }
    return status;
}

void rs_load_run_close(rs_load_run *run) {
    if (run->stuck > 0) {
        return; /* the kernel may still hold buffers: the process ends with them */
    }
    if (run->region_held) {
        run->api->release_memory(run->backend, (rs_region_id){.value = run->load.region});
    }
    run->api->close(run->backend);
    run->backend = NULL;
    if (run->pages != NULL) {
        rs_os_pages_free(run->pages, run->pages_bytes);
    }
    rs_bots_close(&run->bots);
    rs_alarms_close(&run->thinking);
    free(run->waiting);
    free(run->load.groups);
    free(run->load.push);
    free(run->series);
    free(run->sent_ns);
    free(run->completions);
    free(run->emitting);
    free(run->touched);
    free(run->clients);
}

/* ---- several runs as one */

/* Structs of 64-bit counters alone. */
_Static_assert(sizeof(rs_track_columns) == 10u * sizeof(uint64_t), "summed as an array");
_Static_assert(sizeof(rs_load_ends) == 12u * sizeof(uint64_t), "summed as an array");
_Static_assert(sizeof(rs_load_books) == RUN_BOOKS_WORDS * sizeof(uint64_t), "summed as an array");

static void run_sum(void *into, const void *from, size_t bytes) {
    uint64_t a[RUN_BOOKS_WORDS], b[RUN_BOOKS_WORDS];
    RS_ASSERT(bytes <= sizeof a && bytes % sizeof a[0] == 0);
    memcpy(a, into, bytes);
    memcpy(b, from, bytes);
    for (size_t i = 0; i < bytes / sizeof a[0]; i++) {
        a[i] += b[i];
    }
    memcpy(into, a, bytes);
}

static void run_sum_cost(rs_load_run_cost *into, const rs_load_run_cost *from) {
    into->lives += from->lives;
    for (uint32_t i = 0; i < into->stats.count && i < from->stats.count; i++) {
        into->stats.stat[i].value += from->stats.stat[i].value;
    }
}

static uint64_t run_later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* The earlier of two times, of which 0 is none. */
static uint64_t run_earlier(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void run_merge_load(rs_load *into, const rs_load *from, uint32_t first) {
    run_sum(&into->columns, &from->columns, sizeof into->columns);
    run_sum(&into->ends, &from->ends, sizeof into->ends);
    if (!into->wrong.seen && from->wrong.seen) {
        into->wrong = from->wrong;
        into->wrong.connection += first;
    }
    into->first_replies += from->first_replies;
    into->measured += from->measured;
    into->measured_sent_bytes += from->measured_sent_bytes;
    into->measured_received_bytes += from->measured_received_bytes;
    into->due += from->due;
    into->never_sent += from->never_sent;
    rs_histogram_merge(&into->uncorrected, &from->uncorrected);
    rs_histogram_merge(&into->corrected, &from->corrected);
    rs_histogram_merge(&into->pacing, &from->pacing);
    rs_histogram_merge(&into->first_reply, &from->first_reply);
}

void rs_load_group_add(rs_load_group *into, const rs_load_group *from) {
    run_sum(&into->books, &from->books, sizeof into->books);
    rs_histogram_merge(&into->latency, &from->latency);
}

/* Targets are the same ones; connections follow those before them. */
static void run_merge_groups(rs_load_run *into, const rs_load_run *from, uint32_t first) {
    const bool each = into->settings->per_connection_path != NULL;
    for (uint32_t i = 0; i < from->groups; i++) {
        const rs_load_group *group = &from->load.groups[i];
        rs_load_group *sum = &into->load.groups[each ? first + i : i];

        RS_ASSERT((each ? first + i : i) < into->groups);
        sum->target = group->target;
        rs_load_group_add(sum, group);
    }
}

void rs_load_run_merge(rs_load_run *into, const rs_load_run *from, uint32_t first) {
    run_merge_groups(into, from, first);
    run_merge_load(&into->load, &from->load, first);
    into->measure_ns = run_earlier(into->measure_ns, from->measure_ns);
    into->end_ns = run_later(into->end_ns, from->end_ns);
    into->setup_ns = run_later(into->setup_ns, from->setup_ns);
    into->ramp_ns = into->ramp_ns != 0 && from->ramp_ns != 0
                        ? run_later(into->ramp_ns, from->ramp_ns)
                        : 0; /* of all, or none */
    into->stuck += from->stuck;
    into->interrupted = into->interrupted || from->interrupted;
    run_sum_cost(&into->before, &from->before);
    run_sum_cost(&into->after, &from->after);
}

void rs_load_run_stop(rs_load_run *run) {
    rs_atomic_store_u32(&run->stop, 1); /* seen at the next tick; the back end may be gone */
}

/* ---- results of groups: what a connection did is what it has changed in the sums */

static rs_load_books run_books(const rs_load *load) {
    return (rs_load_books){.columns = load->columns,
                           .ends = load->ends,
                           .measured = load->measured,
                           .sent_bytes = load->measured_sent_bytes,
                           .received_bytes = load->measured_received_bytes};
}

static void run_book_from(rs_load_run *run) {
    if (run->load.groups != NULL) {
        run->books = run_books(&run->load);
    }
}

static void run_book_to(rs_load_run *run, const rs_client *client) {
    uint64_t before[RUN_BOOKS_WORDS], now[RUN_BOOKS_WORDS], sum[RUN_BOOKS_WORDS];
    rs_load_books books;
    if (run->load.groups == NULL || client->group >= run->groups) {
        return;
    }
    books = run_books(&run->load);
    memcpy(before, &run->books, sizeof before);
    memcpy(now, &books, sizeof now);
    memcpy(sum, &run->load.groups[client->group].books, sizeof sum);
    for (size_t i = 0; i < RUN_BOOKS_WORDS; i++) {
        sum[i] += now[i] - before[i];
    }
    memcpy(&run->load.groups[client->group].books, sum, sizeof sum);
}

/* ---- the connections touched in this turn */

static void run_touch(rs_load_run *run, uint32_t index) {
    rs_client *client = &run->clients[index];
    if (!client->touched) {
        client->touched = true;
        RS_ASSERT(run->touched_count < run->total);
        run->touched[run->touched_count++] = index;
    }
}

static void run_touch_senders(rs_load_run *run) {
    for (uint32_t i = 0; i < run->settings->connections; i++) {
        run_touch(run, i);
    }
}

static void run_submit(rs_load_run *run, const rs_op *ops, uint32_t count) {
    rs_status why = RS_OK;
    if (count > 0 && run->api->submit(run->backend, ops, count, &why) != count) {
        rs_fatal("submit", (unsigned long)why, "the back end refused an operation within bounds");
    }
}

/* It may go on later: when it has thought, when its turn to connect has come. */
static void run_wait_for(rs_load_run *run, rs_client *client, uint64_t now_ns) {
    if (client->think_until_ns > now_ns && !client->thinking) {
        client->thinking = true;
        rs_alarms_set(&run->thinking, client->think_until_ns, client->index);
    }
    if (client->state == RS_CLIENT_UNUSED && client->again && !client->queued) {
        const uint32_t at = run->waiting_at + run->waiting_count++;

        RS_ASSERT(run->waiting_count <= run->total);
        client->queued = true;
        run->waiting[at < run->total ? at : at - run->total] = client->index;
    }
}

static void run_emit(rs_load_run *run) {
    uint32_t *list = run->touched;
    const uint32_t listed = run->touched_count;
    rs_op ops[RUN_OPS];
    uint32_t count = 0;
    uint64_t stamp_ns = 0;
    run->touched = run->emitting;
    run->emitting = list;
    run->touched_count = 0;
    for (uint32_t i = 0; i < listed; i++) {
        rs_client *client = &run->clients[list[i]];

        if (count == 0) {
            stamp_ns = rs_os_now_ns();
        }
        client->touched = false;
        run_book_from(run);
        count += rs_client_emit(client, &run->load, stamp_ns, &ops[count]);
        run_book_to(run, client);
        run_wait_for(run, client, stamp_ns);
        if (count + RS_CLIENT_OPS_MAX > RUN_OPS) {
            run_submit(run, ops, count);
            count = 0;
        }
    }
    run_submit(run, ops, count);
}

/* ---- connecting, pacing, ticks */

static void run_connect_more(rs_load_run *run) {
    const uint32_t limit = run->settings->ramp ? run->total : RUN_CONNECTING_MAX;
    uint32_t room = run->load.connecting < limit ? limit - run->load.connecting : 0;
    while (run->cursor < run->cursor_end && room > 0) {
        run->clients[run->cursor].again = true;
        run_touch(run, run->cursor);
        run->cursor++;
        room--;
    }
}

/* Those who have thought. */
static void run_think(rs_load_run *run) {
    uint32_t index;
    while (rs_alarms_take(&run->thinking, run->now_ns, &index)) {
        run->clients[index].thinking = false;
        run_touch(run, index);
    }
}

/* How many connections are due by now. What was due while nobody asked is not caught up. */
static uint64_t run_connects_due(rs_load_run *run) {
    const uint64_t due = rs_plan_due(&run->connects, run->now_ns);
    const bool idle = run->connects_idle;
    run->connects_idle = run->waiting_count == 0;
    if (!idle || due <= run->connects_issued) {
        return due;
    }
    run->connects.start_ns = run->now_ns;
    run->connects_issued = 0;
    return 1;
}

/* Lets the next ones connect. */
static void run_connect_paced(rs_load_run *run) {
    uint64_t due;
    if (run->settings->connect_rate == 0) {
        return;
    }
    due = run_connects_due(run);
    run->load.connect_permits = 0;
    while (run->waiting_count > 0 && run->connects_issued < due) {
        const uint32_t index = run->waiting[run->waiting_at];
        rs_client *client = &run->clients[index];

        run->waiting_at = run->waiting_at + 1u < run->total ? run->waiting_at + 1u : 0;
        run->waiting_count--;
        client->queued = false;
        if (client->state == RS_CLIENT_UNUSED && client->again) { /* else it came before its turn */
            run->connects_issued++;
            run->load.connect_permits++;
            run_touch(run, index);
        }
    }
}

/* Assigns due messages to their connections. */
static void run_pace(rs_load_run *run) {
    uint64_t due;
    if (run->settings->rate == 0 || run->load.gate != RS_GATE_OPEN) {
        return;
    }
    due = rs_plan_due(&run->load.plan, run->now_ns);
    due = due - run->issued < RUN_ISSUE_MAX ? due : run->issued + RUN_ISSUE_MAX;
    for (; run->issued < due; run->issued++) {
        const uint32_t index = (uint32_t)(run->issued % run->settings->connections);
        rs_client *client = &run->clients[index];

        if (client->state != RS_CLIENT_DONE && client->due < UINT32_MAX) {
            client->due++;
            run_touch(run, index);
        }
    }
}

static void run_tick(rs_load_run *run) {
    if (run->now_ns < run->tick_ns) {
        return;
    }
    run->tick_ns = run->now_ns + (run->settings->slow_percent > 0 ? RUN_FAST_TICK_NS : RUN_TICK_NS);
    for (uint32_t i = 0; i < run->total; i++) {
        run_book_from(run);
        if (rs_client_tick(&run->clients[i], &run->load, run->now_ns)) {
            run_touch(run, i);
        }
        run_book_to(run, &run->clients[i]);
    }
}

static int64_t run_wait_ns(rs_load_run *run, uint64_t now_ns) {
    uint64_t until_ns = run->tick_ns;
    if (run->touched_count > 0) {
        return 0;
    }
    if (run->phase == RS_PHASE_CONNECT && run->crew_joined) {
        until_ns = now_ns + RUN_CREW_NS < until_ns ? now_ns + RUN_CREW_NS : until_ns;
    }
    if (run->phase == RS_PHASE_WARMUP || run->phase == RS_PHASE_MEASURE) {
        const double length_s =
            run->phase == RS_PHASE_WARMUP ? run->settings->warmup_s : run->settings->seconds;
        const uint64_t end_ns = run->phase_ns + (uint64_t)(length_s * RUN_NS_PER_S);

        if (end_ns > run->phase_ns && end_ns < until_ns) {
            until_ns = end_ns;
        }
    }
    if (rs_alarms_next_ns(&run->thinking) < until_ns) {
        until_ns = rs_alarms_next_ns(&run->thinking);
    }
    if (run->waiting_count > 0) {
        const uint64_t next_ns = rs_plan_intended_ns(&run->connects, run->connects_issued);

        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    if (run->settings->rate != 0 && run->load.gate == RS_GATE_OPEN) {
        const uint64_t next_ns = rs_plan_intended_ns(&run->load.plan, run->issued);
        const uint64_t sleep_ns = rs_pace_sleep_ns(&run->pace, now_ns, next_ns);

        until_ns = now_ns + sleep_ns < until_ns ? now_ns + sleep_ns : until_ns;
    }
    return until_ns > now_ns ? (int64_t)(until_ns - now_ns) : 0;
}

/* ---- a row a second */

static const rs_histogram *run_latency(const rs_load_run *run) {
    return run->settings->rate != 0 ? &run->load.corrected : &run->load.uncorrected;
}

static void run_series_begin(rs_load_run *run) {
    run->series_from.ns = run->now_ns;
    run->series_from.measured = run->load.measured;
    run->series_from.latency = *run_latency(run);
    rs_os_usage_read(&run->series_from.usage);
}

static double run_series_percentile(const rs_histogram *latency, uint32_t percent_x1000) {
    return latency->count > 0 ? (double)rs_histogram_percentile(latency, percent_x1000) : -1.0;
}

static void run_series_add(rs_load_run *run) {
    rs_histogram *since = &run->series_from.since;
    const double ns = (double)(run->now_ns - run->series_from.ns);
    const rs_os_usage *then = &run->series_from.usage;
    rs_os_usage now;
    rs_os_usage_read(&now);
    rs_histogram_since(since, run_latency(run), &run->series_from.latency);
    run->series[run->series_count++] = (rs_load_second){
        .at_s = (double)(run->now_ns - run->measure_ns) / RUN_NS_PER_S,
        .rate_per_s = (double)(run->load.measured - run->series_from.measured) * RUN_NS_PER_S / ns,
        .p50_ns = run_series_percentile(since, 50000),
        .p99_ns = run_series_percentile(since, 99000),
        .cpu = (now.known & then->known & RS_USE_CPU) != 0
                   ? (double)(now.user_ns + now.kernel_ns - then->user_ns - then->kernel_ns) / ns
                   : -1.0,
    };
    run_series_begin(run);
}

/* The last row may be of half a second and more. */
static void run_series_step(rs_load_run *run, uint64_t least_ns) {
    if (run->series != NULL && run->series_count < run->series_max && run->measure_ns != 0 &&
        run->now_ns - run->series_from.ns >= least_ns) {
        run_series_add(run);
    }
}

/* ---- of the measured time */

double rs_load_run_seconds(const rs_load_run *run) {
    return run->end_ns > run->measure_ns && run->measure_ns != 0
               ? (double)(run->end_ns - run->measure_ns) / RUN_NS_PER_S
               : -1.0;
}

double rs_load_run_rate(const rs_load_run *run) {
    const double seconds = rs_load_run_seconds(run);
    return seconds > 0.0 && run->load.measured > 0 ? (double)run->load.measured / seconds : -1.0;
}

/* ---- phases */

static void run_enter(rs_load_run *run, rs_load_run_phase phase) {
    RS_ASSERT(phase > run->phase);
    run->phase = phase;
    run->phase_ns = run->now_ns;
}

static void run_cost(const rs_load_run *run, rs_load_run_cost *cost) {
    rs_os_usage_read(&cost->usage);
    cost->lives = run->load.ends.lives;
    run->api->stats(run->backend, &cost->stats);
}

/* All of [from, to) are connected, or never will be. */
static bool run_all_settled(const rs_load_run *run, uint32_t from, uint32_t to) {
    if (run->cursor < run->cursor_end || run->load.connecting > 0) {
        return false;
    }
    for (uint32_t i = from; i < to; i++) {
        const rs_client *client = &run->clients[i];

        if (client->state == RS_CLIENT_CONNECTING ||
            (client->state == RS_CLIENT_UNUSED && (client->again || client->retry)) ||
            (client->retry && client->state < RS_CLIENT_DONE)) {
            return false;
        }
    }
    return true;
}

static void run_start_sending(rs_load_run *run) {
    run->load.gate = RS_GATE_OPEN;
    run->load.plan = (rs_plan){
        .start_ns = run->now_ns,
        .rate = run->settings->rate,
        .connections = run->settings->connections,
        .poisson = run->settings->arrivals == RS_ARRIVALS_POISSON ? &run->arrivals : NULL,
    };
    run->arrivals.seed = run->settings->seed;
    for (uint32_t i = 0; i < run->settings->connections; i++) {
        run->clients[i].plan_base = run->clients[i].track.next;
        if (run->load.think.mean_ns != 0) {
            run->clients[i].think_until_ns =
                run->now_ns + rs_plan_first_think_ns(&run->load.think, i);
        }
    }
    run_touch_senders(run);
    run_enter(run, RS_PHASE_WARMUP);
}

static void run_start_connecting(rs_load_run *run) {
    run->cursor = 0;
    run->cursor_end = run->settings->connections;
    run->load.connect_ns = run->now_ns;
    run_enter(run, RS_PHASE_CONNECT);
    if (run->settings->churn) {
        run->setup_ns = run->now_ns - run->start_ns;
        run_start_sending(run); /* connecting is part of the load */
    } else {
        run->load.gate = RS_GATE_FIRST;
    }
}

/* A connect completes in the backlog, long before a slow server accepts: only a reply shows that it
 * has. The silent connections were opened before, and a listener accepts in order: the senders'
 * replies prove that they were accepted too. */
static bool run_all_served(const rs_load_run *run) {
    if (run->load.columns.outstanding > 0) {
        return false; /* the common case, without the search */
    }
    for (uint32_t i = 0; i < run->settings->connections; i++) {
        if (rs_client_awaits_first(&run->clients[i], &run->load)) {
            return false;
        }
    }
    return true;
}

/* Messages due by the previous turn have had their chance: they were delayed. */
static void run_count_unsent(rs_load_run *run) {
    const uint32_t connections = run->settings->connections;
    for (uint32_t i = 0; i < connections; i++) {
        rs_client_count_unsent(&run->clients[i], &run->load, run->paced_ns, run->end_ns,
                               1u + RUN_UNSENT_ENTRIES / connections);
    }
}

/* The measured time is over. In an open loop the replies still due count for latency: the slowest
 * are among them. */
static void run_end_measure(rs_load_run *run) {
    run_series_step(run, RUN_SERIES_NS / 2u);
    run->end_ns = run->now_ns;
    if (run->settings->rate != 0) {
        run->load.due = rs_plan_due(&run->load.plan, run->end_ns) -
                        rs_plan_due(&run->load.plan, run->measure_ns);
        run_count_unsent(run);
    }
    if (run->settings->messages == 0) { /* else the last reply is the end */
        run->load.tail = run->settings->rate != 0;
        run->load.recording = run->load.tail;
        run_cost(run, &run->after);
    }
}

static void run_start_drain(rs_load_run *run) {
    run->load.gate = RS_GATE_SHUT;
    run->load.ending = true;
    run->cursor_end = run->cursor;
    if (run->phase == RS_PHASE_MEASURE) {
        run_end_measure(run);
    }
    run_touch_senders(run);
    run_enter(run, RS_PHASE_DRAIN);
}

/* Are all runs of the crew as far? The last one lets the others go on. */
static bool run_crew_is_served(rs_load_run *run) {
    rs_load_crew *crew = run->crew;
    if (crew == NULL) {
        return true;
    }
    if (!run->crew_joined) {
        run->crew_joined = true;
        (void)rs_atomic_add_u32(&crew->served, 1);
    }
    return rs_atomic_load_u32(&crew->served) >= crew->threads;
}

static void run_connect_step(rs_load_run *run) {
    const rs_load *load = &run->load;
    if (!run->crew_joined &&
        (!run_all_settled(run, 0, run->settings->connections) || !run_all_served(run))) {
        return;
    }
    if (!run_crew_is_served(run)) {
        return;
    }
    run->setup_ns = run->now_ns - run->start_ns;
    if (run->settings->ramp && load->first_replies == run->settings->connections) {
        run->ramp_ns = load->last_reply_ns - load->connect_ns;
    }
    if (run->settings->ramp_only) {
        run_start_drain(run);
    } else {
        run_start_sending(run);
    }
}

static void run_start_measure(rs_load_run *run) {
    run_enter(run, RS_PHASE_MEASURE);
    run->measure_ns = run->now_ns;
    run->load.recording = true;
    run_cost(run, &run->before);
    run_series_begin(run);
}

static bool run_measure_is_over(const rs_load_run *run) {
    const double passed_s = (double)(run->now_ns - run->phase_ns) / RUN_NS_PER_S;
    const rs_load *load = &run->load;
    return (run->settings->seconds > 0.0 && passed_s >= run->settings->seconds) ||
           load->messages_left == 0 || load->senders_left == 0;
}

/* Board: every bot has in view whom it should; or has not for --timeout after the last reply. */
static bool run_is_settled(rs_load_run *run) {
    bool in_time;
    if (run->load.bots == NULL) {
        return true;
    }
    if (run->settle_ns == 0) {
        run->settle_ns = run->apart_ns = run->now_ns;
    }
    if (run->now_ns < run->apart_ns) {
        return false;
    }
    run->apart_ns = run->now_ns + RUN_APART_NS;
    in_time = run->now_ns - run->settle_ns < run->load.timeout_ns;
    return rs_bots_apart(run->load.bots, !in_time) == 0 || !in_time;
}

static void run_finish_all(rs_load_run *run, bool force) {
    for (uint32_t i = 0; i < run->total; i++) {
        run_book_from(run);
        rs_client_finish(&run->clients[i], &run->load, run->now_ns, force);
        run_book_to(run, &run->clients[i]);
        run_touch(run, i);
    }
}

/* All due replies have arrived or been given up. */
static void run_start_finish(rs_load_run *run) {
    if (run->load.recording && !run->load.tail) {
        run->end_ns =
            run->load.last_reply_ns > run->measure_ns ? run->load.last_reply_ns : run->now_ns;
        run_cost(run, &run->after);
    }
    run->load.recording = false;
    run_finish_all(run, false);
    run_enter(run, RS_PHASE_FINISH);
}

static void run_finish_step(rs_load_run *run) {
    const uint64_t passed_ns = run->now_ns - run->phase_ns;
    if (run->load.not_done == 0) {
        run_enter(run, RS_PHASE_OVER);
    } else if (!run->forced && passed_ns > run->load.timeout_ns + RUN_TICK_NS) {
        run->forced = true;
        run_finish_all(run, true);
    } else if (passed_ns > run->load.timeout_ns + RUN_CLOSE_GRACE_NS) {
        run->stuck = run->load.not_done;
        run_enter(run, RS_PHASE_OVER);
    }
}

static bool run_is_stopped(const rs_load_run *run) {
    return rs_atomic_load_u32(&run->stop) != 0 ||
           (run->crew != NULL && rs_atomic_load_u32(run->crew->stop) != 0);
}

static void run_phase_step(rs_load_run *run) {
    if (run_is_stopped(run) && run->phase < RS_PHASE_DRAIN) {
        run->interrupted = true;
        run_start_drain(run);
    }
    switch (run->phase) {
    case RS_PHASE_IDLE_CONNECT:
        if (run_all_settled(run, run->settings->connections, run->total)) {
            run_start_connecting(run);
        }
        break;
    case RS_PHASE_CONNECT:
        run_connect_step(run);
        break;
    case RS_PHASE_WARMUP:
        if ((double)(run->now_ns - run->phase_ns) >= run->settings->warmup_s * RUN_NS_PER_S) {
            run_start_measure(run);
        }
        break;
    case RS_PHASE_MEASURE:
        if (run_measure_is_over(run)) {
            run_start_drain(run);
        }
        break;
    case RS_PHASE_DRAIN:
        if (run->load.columns.outstanding == 0 && run_is_settled(run)) {
            run_start_finish(run);
        }
        break;
    case RS_PHASE_FINISH:
        run_finish_step(run);
        break;
    case RS_PHASE_OVER:
        break;
    }
}

/* ---- the loop */

static void run_progress(rs_load_run *run) {
    static const char *const names[] = {"connecting", "connecting", "warming up", "measuring",
                                        "draining",   "closing",    "over"};
    const rs_load *load = &run->load;
    const double passed_s = (double)(run->now_ns - run->start_ns) / RUN_NS_PER_S;
    uint64_t replies;
    double interval_s;
    if (!run->progress || run->now_ns - run->progress_ns < RUN_PROGRESS_NS) {
        return;
    }
    replies = load->columns.received - run->progress_replies;
    interval_s = (double)(run->now_ns - run->progress_ns) / RUN_NS_PER_S;
    rs_printer_say(run->err,
                   "%s%7.1f s  %-10s  %10.0f messages/s  unanswered %" PRIu64 "  connected %" PRIu64
                   "  lost %" PRIu64 "  wrong %" PRIu64 "  ended %" PRIu64 "\n",
                   run->crew != NULL ? "thread 1: " : "", passed_s, names[run->phase],
                   (double)replies / interval_s, load->columns.outstanding, load->ends.connected,
                   load->columns.lost, load->columns.wrong, load->ends.reset + load->ends.closed);
    run->progress_ns = run->now_ns;
    run->progress_replies = load->columns.received;
}

static void run_turn(rs_load_run *run) {
    const uint64_t before_ns = rs_os_now_ns();
    const int64_t wait_ns = run_wait_ns(run, before_ns);
    const uint32_t count =
        run->api->poll(run->backend, run->completions, run->settings->dequeue_batch, wait_ns);
    run->paced_ns = run->now_ns; /* of the turn before */
    run->now_ns = rs_os_now_ns();
    if (count == 0 && wait_ns > 0) {
        rs_pace_woke(&run->pace, before_ns + (uint64_t)wait_ns, run->now_ns);
    }
    for (uint32_t i = 0; i < count; i++) {
        const rs_completion *completion = &run->completions[i];

        RS_ASSERT(completion->conn < run->total);
        run_book_from(run);
        rs_client_completed(&run->clients[completion->conn], &run->load, completion, run->now_ns);
        run_book_to(run, &run->clients[completion->conn]);
        run_touch(run, completion->conn);
    }
    run_pace(run);
    run_tick(run);
    if (run->phase == RS_PHASE_MEASURE) {
        run_series_step(run, RUN_SERIES_NS);
    }
    run_phase_step(run);
    run_connect_more(run);
    run_connect_paced(run);
    run_think(run);
    run_emit(run);
    run_progress(run);
}

void rs_load_run_go(rs_load_run *run) {
    run->start_ns = run->now_ns = run->phase_ns = run->progress_ns = rs_os_now_ns();
    run->tick_ns = run->now_ns + RUN_FAST_TICK_NS;
    rs_pace_init(&run->pace, run->now_ns);
    run->cursor = run->settings->connections;
    run->cursor_end = run->total;
    while (run->phase != RS_PHASE_OVER) {
        run_turn(run);
    }
}
