/* SPDX-License-Identifier: MIT */
/* The order of things: server up, sample, load, sample, server down, read both JSON files. */
#include "compare/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/schedule.h"
#include "core/assert.h"
#include "seam/files.h"
#include "seam/os.h"

#define RUNNER_START_S 60.0    /* a new Wine prefix takes ten */
#define RUNNER_STOP_S 15.0     /* the servers drain for two */
#define RUNNER_STOP_VOID_S 3.0 /* the run counts no more */
#define RUNNER_GRACE_S 40.0    /* beyond the load's own time: its connect and reply time-outs */
#define RUNNER_SLOW_REPLY_S                                                                        \
    20u /* ladder: one makes a thread per connection; map: MiB in flight                           \
         */
#define RUNNER_TICK_MS 5u
#define RUNNER_SAMPLE_TICKS 20u
#define RUNNER_BISECT_STEPS 6u
#define RUNNER_RATE_SHARE 0.98 /* of the rate asked for: as loadgen's --rate-min by default */
#define RUNNER_LINE_BYTES 512u
#define RUNNER_ROOM_BYTES 65536u /* what two programs write in a run: half of it */
#define RUNNER_ROOM_S 0.5        /* between two looks for it while a server does not listen */

/* One run under way. */
typedef struct runner_turn {
    rs_runner *runner;
    rs_target *target;
    const rs_scenario *scenario;
    const char *base;
    rs_compare_run *out;
    double rate;
    uint32_t port;
    bool interrupted;
    rs_observed observed;
    double pool_start;
    double capacity; /* the search's result */
    double load_ns;  /* CPU time of the load generator, over all its starts */
} runner_turn;

static double runner_now_s(void) {
    return (double)rs_os_now_ns() / 1e9;
}

static void runner_path(const runner_turn *turn, const rs_runner_side *side, const char *what,
                        char out[RS_ARG_BYTES * 2]) {
    (void)snprintf(out, RS_ARG_BYTES * 2, "%s/%s.%s.%s", turn->runner->out, turn->base, side->name,
                   what);
}

static size_t runner_read(const char *path, char *text, size_t bytes) {
    FILE *file = fopen(path, "rb");
    size_t got = 0;
    if (file != NULL) {
        got = fread(text, 1, bytes - 1, file);
        (void)fclose(file); /* read only: nothing can be lost */
    }
    text[got] = '\0';
    return got;
}

void rs_runner_first_line(const char *path, char *out, size_t bytes) {
    (void)runner_read(path, out, bytes);
    out[strcspn(out, "\r\n")] = '\0';
}

/* The first line of a program's standard error: what it says when it gives up. */
static void runner_complaint(const runner_turn *turn, const rs_runner_side *side, char *out,
                             size_t bytes) {
    char path[RS_ARG_BYTES * 2];
    runner_path(turn, side, "err", path);
    rs_runner_first_line(path, out, bytes);
}

static bool runner_should_stop(runner_turn *turn) {
    turn->interrupted = turn->interrupted || rs_atomic_load_u32(turn->runner->stop) != 0;
    return turn->interrupted;
}

/* ---- command lines */

/* An option that --set gives takes the place of the scenario's. */
static void runner_set(rs_args *args, const char *option, const char *value) {
    for (uint32_t i = 0; i + 1 < args->count; i++) {
        if (strcmp(args->text[i], option) == 0) {
            (void)snprintf(args->text[i + 1], RS_ARG_BYTES, "%s", value);
            return;
        }
    }
    rs_args_add(args, "%s", option);
    rs_args_add(args, "%s", value);
}

static void runner_server_args(const runner_turn *turn, rs_args *args) {
    const rs_target *target = turn->target;
    char json[RS_ARG_BYTES * 2];
    rs_args_init(args);
    if (target->wine) {
        rs_args_add(args, "%s", turn->runner->wine_script);
    }
    rs_args_add(args, "%s", target->program);
    rs_args_add(args, "--host");
    rs_args_add(args, "127.0.0.1");
    rs_args_add(args, "--port");
    rs_args_add(args, "0");
    rs_scenario_server_args(turn->scenario, target->streams, args);
    runner_path(turn, &turn->runner->server, "json", json);
    rs_args_add(args, "--json");
    rs_args_add(args, target->wine ? "Z:%s" : "%s", json);
    for (uint32_t i = 0; i + 1 < target->extra.count; i += 2) {
        runner_set(args, target->extra.text[i], target->extra.text[i + 1]);
    }
}

static void runner_load_args(const runner_turn *turn, rs_args *args) {
    const double share =
        turn->runner->share * (rs_scenario_is_search(turn->scenario) ? RS_CAPACITY_SHARE : 1);
    const rs_load_time whole =
        rs_scenario_time(turn->scenario, turn->runner->seconds, turn->runner->warmup_s);
    const rs_load_time time = {
        .seconds = whole.seconds * share, .warmup_s = whole.warmup_s * share, .rate = turn->rate};
    char json[RS_ARG_BYTES * 2];
    rs_args_init(args);
    rs_args_add(args, "%s", turn->runner->loadgen);
    rs_args_add(args, "--host");
    rs_args_add(args, "127.0.0.1");
    rs_args_u32(args, "--port", turn->port);
    rs_scenario_load_args(turn->scenario, &time, args);
    if (turn->target->streams || turn->scenario->send_block != 0 || turn->scenario->least_s > 0) {
        rs_args_u32(args, "--timeout", RUNNER_SLOW_REPLY_S);
    }
    runner_path(turn, &turn->runner->load, "json", json);
    rs_args_add(args, "--json");
    rs_args_add(args, "%s", json);
    if (turn->runner->each_connection) {
        runner_path(turn, &turn->runner->load, "connections.csv", json);
        rs_args_add(args, "--per-connection");
        rs_args_add(args, "%s", json);
    }
}

static int32_t runner_cpu(const runner_turn *turn, const rs_runner_side *side) {
    return turn->scenario->kind == RS_SCENARIO_SCALING ? RS_CPU_ANY : side->cpu;
}

/* Starts one of the two; its output goes to files, because Wine wants no pipes. */
static bool runner_start(runner_turn *turn, rs_runner_side *side, const rs_args *args,
                         const char *prefix) {
    char out[RS_ARG_BYTES * 2], err[RS_ARG_BYTES * 2];
    rs_error error = {.call = NULL};
    rs_process_spec spec = {
        .args = args, .out_path = out, .err_path = err, .cpu = runner_cpu(turn, side)};
    if (args->overflow) {
        rs_result_void(turn->out, "%s: its command line is too long", side->name);
        return false;
    }
    runner_path(turn, side, "out", out);
    runner_path(turn, side, "err", err);
    if (prefix != NULL) {
        spec.env_name = "WINEPREFIX";
        spec.env_value = prefix;
    }
    if (rs_process_start(&side->process, &spec, &error) != RS_OK) {
        rs_result_void(turn->out, "%s: %s", side->name, error.text);
        return false;
    }
    return true;
}

/* ---- the server's life */

/* The port of "listening on HOST:PORT"; 0: not yet there as a whole line. */
static uint32_t runner_port(const runner_turn *turn) {
    char path[RS_ARG_BYTES * 2], text[RUNNER_LINE_BYTES];
    runner_path(turn, &turn->runner->server, "out", path);
    (void)runner_read(path, text, sizeof text);
    const char *line = strstr(text, "listening on ");
    if (line == NULL || strchr(line, '\n') == NULL) {
        return 0;
    }
    line = strchr(line, ':');
    const unsigned long port = line != NULL ? strtoul(line + 1, NULL, 10) : 0;
    return port <= 65535 ? (uint32_t)port : 0;
}

bool rs_runner_can_write(rs_runner *runner) {
    char path[RS_ARG_BYTES * 2];
    (void)snprintf(path, sizeof path, "%s/room", runner->out);
    return rs_file_check(path, RUNNER_ROOM_BYTES, &runner->unwritable) == RS_OK;
}

/* Of a run that went wrong: was it the disk? Then that is the reason, whatever else was said. */
static bool runner_is_unwritable(runner_turn *turn) {
    if (rs_runner_can_write(turn->runner)) {
        return false;
    }
    rs_result_void(turn->out, "%s", turn->runner->unwritable.text);
    return true;
}

static void runner_died(runner_turn *turn, const char *when) {
    char complaint[RS_WHY_BYTES / 2];
    runner_complaint(turn, &turn->runner->server, complaint, sizeof complaint);
    rs_result_void(turn->out, "%s ended %s with %s%s%s", turn->target->name, when,
                   turn->runner->server.process.ending, complaint[0] != '\0' ? ": " : "",
                   complaint);
}

static bool runner_await_port(runner_turn *turn) {
    const double deadline_s = runner_now_s() + RUNNER_START_S;
    double look_s = runner_now_s() + RUNNER_ROOM_S;
    while (!runner_should_stop(turn)) {
        turn->port = runner_port(turn);
        if (turn->port != 0) {
            return true;
        }
        if (rs_process_has_ended(&turn->runner->server.process)) {
            runner_died(turn, "at start");
            return false;
        }
        if (runner_now_s() > look_s) { /* its line may be one that no disk took */
            look_s = runner_now_s() + RUNNER_ROOM_S;
            if (runner_is_unwritable(turn)) {
                return false;
            }
        }
        if (runner_now_s() > deadline_s) {
            rs_result_void(turn->out, "%s: not listening after %.0f s", turn->target->name,
                           RUNNER_START_S);
            return false;
        }
        rs_os_sleep_ms(RUNNER_TICK_MS);
    }
    return false;
}

static bool runner_await_wineserver(runner_turn *turn) {
    rs_target *target = turn->target;
    if (!target->wine) {
        return true;
    }
    if (!rs_process_find_wineserver(target->prefix, &target->wineserver)) {
        rs_result_void(turn->out, "%s: its wineserver was not found", target->name);
        return false;
    }
    rs_process_move(&target->wineserver, runner_cpu(turn, &turn->runner->server));
    return true;
}

static bool runner_server_up(runner_turn *turn) {
    rs_runner *runner = turn->runner;
    rs_args args;
    runner_server_args(turn, &args);
    return runner_start(turn, &runner->server, &args,
                        turn->target->wine ? turn->target->prefix : NULL) &&
           runner_await_port(turn) && runner_await_wineserver(turn);
}

/* Asks, waits, kills. A server that had to be killed has no figures and voids the run. */
static void runner_server_down(runner_turn *turn) {
    rs_process *server = &turn->runner->server.process;
    const bool counts = turn->out->state != RS_RUN_VOID && !turn->interrupted;
    const double deadline_s = runner_now_s() + (counts ? RUNNER_STOP_S : RUNNER_STOP_VOID_S);
    rs_process_interrupt(server);
    while (!rs_process_has_ended(server) && runner_now_s() < deadline_s) {
        rs_os_sleep_ms(RUNNER_TICK_MS);
    }
    const bool wedged = !rs_process_has_ended(server);
    rs_process_kill(server);
    if (!counts) {
        return;
    }
    if (wedged) {
        rs_result_void(turn->out, "%s did not stop within %.0f s and was killed",
                       turn->target->name, RUNNER_STOP_S);
    } else if (server->exit_code != 0) {
        runner_died(turn, "at its stop");
    }
}

/* ---- the load */

typedef struct runner_sample {
    rs_process_usage server, wine;
    rs_machine_usage machine;
    double machine_ns; /* by the counter that is trusted */
    double at_s;
} runner_sample;

static void runner_sample_take(const runner_turn *turn, runner_sample *out) {
    rs_process_usage_read(&turn->runner->server.process, &out->server);
    for (uint32_t i = 0; i < RS_COUNTERS; i++) {
        out->wine.cpu_ns[i] = NAN;
    }
    if (turn->target->wineserver.id != 0) {
        rs_process_usage_read(&turn->target->wineserver, &out->wine);
    }
    rs_machine_usage_read(&out->machine);
    out->machine_ns = turn->runner->machine_counter >= 0
                          ? rs_machine_cost_ns((uint32_t)turn->runner->machine_counter)
                          : NAN;
    out->at_s = runner_now_s();
}

static void runner_watch(runner_turn *turn) {
    rs_process_usage now;
    const double pool = rs_machine_pool_bytes() - turn->pool_start;
    rs_process_usage_read(&turn->runner->server.process, &now);
    turn->observed.memory_peak_bytes = fmax(turn->observed.memory_peak_bytes, now.memory_bytes);
    turn->observed.pool_growth_bytes = fmax(turn->observed.pool_growth_bytes, pool);
}

/* False: the run is void or over. */
static bool runner_await_load(runner_turn *turn) {
    rs_runner *runner = turn->runner;
    const rs_load_time time = rs_scenario_time(turn->scenario, runner->seconds, runner->warmup_s);
    const double deadline_s = runner_now_s() + time.seconds + time.warmup_s + RUNNER_GRACE_S;
    for (uint32_t tick = 0; !rs_process_has_ended(&runner->load.process); tick++) {
        if (runner_should_stop(turn)) {
            return false;
        }
        if (rs_process_has_ended(&runner->server.process)) {
            runner_died(turn, "under load");
            return false;
        }
        if (runner_now_s() > deadline_s) {
            rs_result_void(turn->out, "loadgen against %s did not end in time", turn->target->name);
            return false;
        }
        if (tick % RUNNER_SAMPLE_TICKS == RUNNER_SAMPLE_TICKS - 1) {
            runner_watch(turn);
        }
        rs_os_sleep_ms(RUNNER_TICK_MS);
    }
    return true;
}

static bool runner_parse(runner_turn *turn, rs_runner_side *side, rs_json_doc *doc) {
    char path[RS_ARG_BYTES * 2], complaint[RS_WHY_BYTES / 2];
    runner_path(turn, side, "json", path);
    const size_t bytes = runner_read(path, side->text, sizeof side->text);
    if (bytes > 0 && rs_json_read_parse(doc, side->text, bytes, side->node, RS_RUNNER_NODES)) {
        return true;
    }
    runner_complaint(turn, side, complaint, sizeof complaint);
    rs_result_void(turn->out, "%s of %s: %s%s%s",
                   side == &turn->runner->load ? "loadgen's figures" : "figures",
                   turn->target->name, bytes > 0 ? doc->error : "none were written",
                   complaint[0] != '\0' ? ": " : "", complaint);
    return false;
}

/* Connections that end because they are too many are an answer of a search for how many there may
 * be; whatever else is wrong is wrong. */
static bool runner_is_overload(const runner_turn *turn, const rs_json_doc *doc) {
    static const char *const wrong[] = {"counts.wrong",   "counts.reordered", "counts.duplicated",
                                        "counts.unknown", "counts.stale",     "counts.failed",
                                        "counts.stuck"};
    bool none = turn->scenario->kind == RS_SCENARIO_BOTS;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        none = none && rs_json_read_number(doc, NULL, wrong[i]) <= 0; /* not one that is missing */
    }
    return none;
}

/* What the load generator found wrong voids the run before the server's own end can hide it. */
static bool runner_load_is_valid(runner_turn *turn) {
    rs_json_doc doc;
    char reason[RS_WHY_BYTES / 2];
    if (turn->runner->load.process.exit_code == 0) {
        return true;
    }
    if (runner_parse(turn, &turn->runner->load, &doc)) {
        if (runner_is_overload(turn, &doc)) {
            return true;
        }
        rs_json_read_text(&doc, rs_json_read_get(&doc, NULL, "void_reason"), reason, sizeof reason);
        rs_result_void(turn->out, "loadgen ended with %s: %s", turn->runner->load.process.ending,
                       reason);
    }
    return false;
}

static bool runner_load_once(runner_turn *turn) {
    rs_runner *runner = turn->runner;
    rs_args args;
    runner_load_args(turn, &args);
    const bool ok = runner_start(turn, &runner->load, &args, NULL) && runner_await_load(turn);
    rs_process_kill(&runner->load.process);
    turn->load_ns += (double)runner->load.process.used_ns;
    return ok && runner_load_is_valid(turn);
}

/* True when the newest load kept its p99 within the bound and its rate near the one asked for. */
static bool runner_is_good(runner_turn *turn) {
    const double asked =
        turn->scenario->kind == RS_SCENARIO_BOTS ? rs_scenario_moves(turn->rate) : turn->rate;
    rs_json_doc doc;
    if (turn->runner->load.process.exit_code != 0) {
        return false; /* an overload */
    }
    if (!runner_parse(turn, &turn->runner->load, &doc)) {
        return false;
    }
    double p99_us = rs_json_read_number(&doc, NULL, "latency_corrected_ns.p99") / 1000;
    if (!rs_is_known(p99_us)) { /* too few messages for a p99: all must be within */
        p99_us = rs_json_read_number(&doc, NULL, "latency_corrected_ns.max") / 1000;
    }
    return p99_us <= rs_scenario_bound_us(turn->scenario) &&
           rs_json_read_number(&doc, NULL, "rate_per_s") > RUNNER_RATE_SHARE * asked;
}

/* Every step is a load of its own against the same server; the file that stays is the last one's,
 * which confirmed the rate. None did: the rate is 0, a result like any other. */
static bool runner_search(runner_turn *turn) {
    rs_bisect bisect;
    bool more = true;
    rs_bisect_init(&bisect, turn->rate, RUNNER_BISECT_STEPS);
    while (more) {
        turn->rate = bisect.next;
        const bool too_many = turn->scenario->kind == RS_SCENARIO_BOTS && turn->rate > RS_BOTS_MAX;
        if (!too_many && !runner_load_once(turn)) {
            return false;
        }
        more = rs_bisect_feed(&bisect, !too_many && runner_is_good(turn));
        if (turn->out->state == RS_RUN_VOID) {
            return false;
        }
    }
    turn->capacity = bisect.result;
    return true;
}

/* What a process used in between, by the counter that is trusted. */
static double runner_used(const runner_turn *turn, const rs_process_usage *before,
                          const rs_process_usage *after) {
    const int32_t counter = turn->runner->process_counter;
    return counter >= 0 ? after->cpu_ns[counter] - before->cpu_ns[counter] : NAN;
}

/* The same by any counter: good enough to tell ourselves from others. */
static double runner_used_about(const rs_process_usage *before, const rs_process_usage *after) {
    for (uint32_t i = 0; i < RS_COUNTERS; i++) {
        const double used_ns = after->cpu_ns[i] - before->cpu_ns[i];
        if (rs_is_known(used_ns)) {
            return used_ns;
        }
    }
    return NAN;
}

static void runner_observe(runner_turn *turn, const runner_sample *before,
                           const runner_sample *after) {
    rs_observed *observed = &turn->observed;
    const double took_ns = (after->at_s - before->at_s) * 1e9;
    const double wine_ns = runner_used_about(&before->wine, &after->wine);
    const double own_ns = runner_used_about(&before->server, &after->server) + turn->load_ns +
                          (rs_is_known(wine_ns) ? wine_ns : 0);
    const double others_ns = after->machine.busy_ns - before->machine.busy_ns - own_ns;
    observed->cpu_ns = runner_used(turn, &before->server, &after->server);
    observed->wine_ns = runner_used(turn, &before->wine, &after->wine);
    observed->machine_ns = after->machine_ns - before->machine_ns;
    observed->load_untold = turn->runner->load_untold;
    observed->user_share = after->server.user_share;
    observed->switches = after->server.switches - before->server.switches;
    observed->faults = after->server.faults - before->server.faults;
    observed->others_cpus = rs_is_known(others_ns) ? fmax(0, others_ns / took_ns) : NAN;
    observed->stack_cpus = (after->machine.stack_ns - before->machine.stack_ns) / took_ns;
}

static bool runner_load(runner_turn *turn) {
    runner_sample before, after;
    runner_sample_take(turn, &before);
    turn->observed.memory_start_bytes = before.server.memory_bytes;
    turn->observed.memory_peak_bytes = before.server.memory_bytes;
    turn->pool_start = rs_machine_pool_bytes();
    turn->observed.pool_growth_bytes = turn->pool_start - turn->pool_start; /* 0, or not known */
    const bool ok =
        rs_scenario_is_search(turn->scenario) ? runner_search(turn) : runner_load_once(turn);
    if (!ok) {
        return false;
    }
    runner_sample_take(turn, &after);
    runner_observe(turn, &before, &after);
    return true;
}

/* ---- reading */

static void runner_settings(const rs_json_doc *doc, rs_setting_list *out) {
    const rs_json_node *node = rs_json_read_child(doc, rs_json_read_get(doc, NULL, "settings"));
    out->count = 0;
    for (; node != NULL; node = rs_json_read_next(doc, node)) {
        char name[sizeof out->setting[0].name], value[sizeof out->setting[0].value];
        rs_json_read_key(doc, node, name, sizeof name);
        rs_json_read_text(doc, node, value, sizeof value);
        rs_settings_add(out, name, value);
    }
}

static void runner_subject(const rs_json_doc *doc, rs_subject *subject) {
    const rs_json_node *wine = rs_json_read_get(doc, NULL, "wine");
    rs_json_read_text(doc, rs_json_read_get(doc, NULL, "platform"), subject->platform,
                      sizeof subject->platform);
    rs_json_read_text(doc, rs_json_read_get(doc, NULL, "provider"), subject->provider,
                      sizeof subject->provider);
    subject->wine =
        subject->wine || (wine != NULL && wine->kind == RS_JSON_IS_BOOL && wine->number > 0);
    const double most = rs_json_read_number(doc, NULL, "connections_max");
    if (most >= 1 && most <= UINT32_MAX) {
        subject->connections_max = (uint32_t)most;
        rs_json_read_text(doc, rs_json_read_get(doc, NULL, "limit"), subject->limit,
                          sizeof subject->limit);
        rs_result_clean(subject->limit);
    }
    runner_settings(doc, &subject->settings);
}

static double runner_least_share(const runner_turn *turn) {
    rs_runner *runner = turn->runner;
    char path[RS_ARG_BYTES * 2];
    if (!runner->each_connection) {
        return NAN;
    }
    runner_path(turn, &runner->load, "connections.csv", path);
    (void)runner_read(path, runner->rows, sizeof runner->rows);
    return rs_result_least_share(runner->rows);
}

static void runner_collect(runner_turn *turn, rs_subject *subject) {
    rs_runner *runner = turn->runner;
    rs_json_doc server, load;
    if (!runner_parse(turn, &runner->load, &load) ||
        !runner_parse(turn, &runner->server, &server)) {
        return;
    }
    turn->observed.least_share = runner_least_share(turn);
    rs_result_read(turn->out, turn->scenario, &server, &load, &turn->observed);
    if (rs_scenario_is_search(turn->scenario) && turn->out->state == RS_RUN_OK) {
        turn->out->value[RS_METRIC_RATE] = turn->capacity;
    }
    runner_subject(&server, subject);
    runner_settings(&load, &subject->load_settings);
}

/* What a run before this one has left under its names; there may be none. */
static void runner_remove_old(const runner_turn *turn) {
    char path[RS_ARG_BYTES * 2];
    runner_path(turn, &turn->runner->server, "json", path);
    (void)remove(path);
    runner_path(turn, &turn->runner->load, "json", path);
    (void)remove(path);
    runner_path(turn, &turn->runner->server, "out", path);
    (void)remove(path);
}

void rs_runner_turn(rs_runner *runner, rs_target *target, const rs_scenario *scenario, double rate,
                    const char *base, rs_compare_run *out, rs_subject *subject) {
    runner_turn turn = {.runner = runner,
                        .target = target,
                        .scenario = scenario,
                        .base = base,
                        .out = out,
                        .rate = rate};
    memset(out, 0, sizeof *out);
    runner->server.name = "server";
    runner->load.name = "load";
    RS_ASSERT(!runner->server.process.running && !runner->load.process.running);
    if (runner_is_unwritable(&turn)) {
        out->state = RS_RUN_NOT;
        return;
    }
    runner_remove_old(&turn);
    const bool ok = runner_server_up(&turn) && runner_load(&turn);
    runner_server_down(&turn);
    RS_ASSERT(!runner->server.process.running && !runner->load.process.running);
    if (ok && out->state != RS_RUN_VOID && !turn.interrupted) {
        runner_collect(&turn, subject);
    }
    rs_process_close(&runner->server.process);
    rs_process_close(&runner->load.process);
    if (turn.interrupted || (out->state == RS_RUN_VOID && runner_is_unwritable(&turn))) {
        out->state = RS_RUN_NOT;
    }
}
