/* SPDX-License-Identifier: MIT */
/* From two JSON texts and a few observations to runs, from runs to medians and ratios. */
#include "compare/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

const rs_metric_info rs_metric_infos[RS_METRICS] = {
#define X(name, key, unit, source) {key, unit, source},
    RS_METRIC_TABLE(X)
#undef X
};

/* ---- one run */

void rs_result_clean(char *text) {
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            *text = ' ';
        }
    }
}

static void result_end(rs_compare_run *run, rs_compare_run_state state) {
    rs_result_clean(run->why);
    run->state = state;
}

void rs_result_void(rs_compare_run *run, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(run->why, sizeof run->why, format, list);
    va_end(list);
    result_end(run, RS_RUN_VOID);
}

void rs_result_beyond(rs_compare_run *run, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(run->why, sizeof run->why, format, list);
    va_end(list);
    result_end(run, RS_RUN_BEYOND);
}

/* Six metrics from `first` on, of a histogram in ns; one of nothing has none. */
static void result_read_points(rs_compare_run *run, rs_metric first, const rs_json_doc *doc,
                               const char *histogram) {
    static const char *const points[] = {"p50", "p90", "p99", "p99_9", "p99_99", "max"};
    const rs_json_node *from = rs_json_read_get(doc, NULL, histogram);
    const bool empty = from != NULL && rs_json_read_number(doc, from, "count") <= 0;
    for (uint32_t i = 0; i < sizeof points / sizeof points[0] && from != NULL && !empty; i++) {
        run->value[first + i] = rs_json_read_number(doc, from, points[i]) / 1000;
    }
}

static void result_read_latency(rs_compare_run *run, const rs_scenario *scenario,
                                const rs_json_doc *load) {
    const char *which = rs_scenario_is_open(scenario)        ? "latency_corrected_ns"
                        : scenario->kind == RS_SCENARIO_RAMP ? "first_reply_ns"
                                                             : "latency_ns";
    result_read_points(run, RS_METRIC_P50, load, which);
}

static double result_spin_hits(const rs_json_doc *server) {
    const double found = rs_json_read_number(server, NULL, "backend_counters.spins_found");
    const double missed = rs_json_read_number(server, NULL, "backend_counters.spins_missed");
    return found + missed > 0 ? found / (found + missed) : NAN;
}

/* Of the board a message is a delivery: one viewer told of one move. */
static double result_own_cpu(const rs_scenario *scenario, const rs_json_doc *load) {
    if (scenario->kind != RS_SCENARIO_BOARD) {
        return rs_json_read_number(load, NULL, "cpu.ns_per_message");
    }
    return (rs_json_read_number(load, NULL, "cpu.user_ns") +
            rs_json_read_number(load, NULL, "cpu.kernel_ns")) /
           rs_json_read_number(load, NULL, "board.measured_deliveries");
}

static double result_rate(const rs_scenario *scenario, const rs_json_doc *load) {
    if (scenario->kind == RS_SCENARIO_RAMP) {
        return scenario->connections * 1e9 / rs_json_read_number(load, NULL, "ramp_ns");
    }
    return rs_json_read_number(load, NULL,
                               scenario->kind == RS_SCENARIO_CHURN   ? "lives_per_s"
                               : scenario->kind == RS_SCENARIO_BOARD ? "board.deliveries_per_s"
                                                                     : "rate_per_s");
}

/* CPU time of the whole load over the messages of the whole load: both include the warm-up. The
 * server's own idea of its times is not asked: nobody tested it. */
static void result_read_cpu(rs_compare_run *run, const rs_scenario *scenario,
                            const rs_json_doc *server, const rs_json_doc *load,
                            const rs_observed *observed, double messages) {
    const rs_json_node *wine = rs_json_read_get(server, NULL, "wine");
    run->value[RS_METRIC_CPU] = observed->cpu_ns / messages / 1000;
    run->value[RS_METRIC_CPU_USER] = run->value[RS_METRIC_CPU] * observed->user_share;
    run->value[RS_METRIC_CPU_KERNEL] = run->value[RS_METRIC_CPU] * (1 - observed->user_share);
    run->value[RS_METRIC_CPU_WINE] = observed->wine_ns / messages / 1000;
    run->value[RS_METRIC_CPU_SUM] =
        run->value[RS_METRIC_CPU] +
        (rs_is_known(observed->wine_ns) ? run->value[RS_METRIC_CPU_WINE] : 0);
    if (wine != NULL && wine->number > 0 && !rs_is_known(observed->wine_ns)) {
        run->value[RS_METRIC_CPU_SUM] = NAN; /* a Windows program cannot see its wineserver */
    }
    run->value[RS_METRIC_CPU_MACHINE] = observed->machine_ns / messages / 1000;
    if (!observed->load_untold) {
        run->value[RS_METRIC_CPU_LOAD] = result_own_cpu(scenario, load) / 1000;
    }
}

static void result_read_calls(rs_compare_run *run, const rs_json_doc *server, double messages) {
    const rs_json_node *node =
        rs_json_read_child(server, rs_json_read_get(server, NULL, "kernel_calls"));
    for (run->calls = 0; node != NULL && run->calls < RS_CALLS_MAX;
         node = rs_json_read_next(server, node)) {
        rs_compare_call *call = &run->call[run->calls];
        if (node->kind == RS_JSON_IS_NUMBER && node->number > 0) {
            rs_json_read_key(server, node, call->name, sizeof call->name);
            rs_result_clean(call->name);
            call->per_message = node->number / messages;
            run->calls++;
        }
    }
}

/* What the server says, else what was seen of it from outside. */
static double result_either(const rs_json_doc *server, const char *key, double observed) {
    const double own = rs_json_read_number(server, NULL, key);
    return rs_is_known(own) ? own : observed;
}

static void result_read_memory(rs_compare_run *run, const rs_scenario *scenario,
                               const rs_json_doc *server, const rs_observed *observed) {
    const double connections = rs_scenario_sockets(scenario);
    double peak = rs_json_read_number(server, NULL, "working_set_peak_bytes");
    if (!rs_is_known(peak)) {
        peak = observed->memory_peak_bytes;
    }
    run->value[RS_METRIC_MEMORY] = peak - observed->memory_start_bytes;
    run->value[RS_METRIC_MEMORY_EACH] = run->value[RS_METRIC_MEMORY] / connections;
    run->value[RS_METRIC_POOL] = observed->pool_growth_bytes;
    run->value[RS_METRIC_POOL_EACH] = observed->pool_growth_bytes / connections;
    run->value[RS_METRIC_LOCKED] = rs_json_read_number(server, NULL, "locked_bytes");
}

/* A server of streams says "messages": null; it sees bytes. Ours, as --app raw, counts pieces. */
static bool result_is_stream(const rs_scenario *scenario, const rs_json_doc *server) {
    const rs_json_node *messages = rs_json_read_get(server, NULL, "messages");
    return rs_scenario_is_raw(scenario) || (messages != NULL && messages->kind == RS_JSON_IS_NULL);
}

static double result_messages(const rs_scenario *scenario, const rs_json_doc *server,
                              const rs_json_doc *load) {
    return result_is_stream(scenario, server) ? rs_json_read_number(load, NULL, "counts.sent")
                                              : rs_json_read_number(server, NULL, "messages");
}

/* Both sides count; a run in which they disagree, or nothing came back, proves nothing. */
static bool result_is_sound(rs_compare_run *run, const rs_scenario *scenario,
                            const rs_json_doc *server, const rs_json_doc *load) {
    const rs_json_node *valid = rs_json_read_get(load, NULL, "valid");
    const double sent = rs_json_read_number(load, NULL, "counts.sent");
    const double seen = result_messages(scenario, server, load);
    const double bytes = rs_json_read_number(server, NULL, "bytes");
    const double waits = rs_json_read_number(load, NULL, "counts.port_waits");
    if (valid == NULL || valid->kind != RS_JSON_IS_BOOL || !(valid->number > 0)) {
        char reason[RS_WHY_BYTES / 2];
        rs_json_read_text(load, rs_json_read_get(load, NULL, "void_reason"), reason, sizeof reason);
        rs_result_void(run, "loadgen: %s", reason[0] != '\0' ? reason : "no statement of validity");
    } else if (waits > 0) {
        rs_result_void(run,
                       "loadgen waited %.0f times for a free local port: the rate is that of the "
                       "port range, not the server's",
                       waits);
    } else if (!(seen > 0) || !(sent > 0)) {
        rs_result_void(run, "no message was counted");
    } else if (seen < sent) {
        rs_result_void(run, "the server counted %.0f messages, loadgen sent %.0f", seen, sent);
    } else if (result_is_stream(scenario, server) && !(bytes >= 2 * sent * scenario->frame_bytes)) {
        rs_result_void(run, "the server counted %.0f bytes both ways, loadgen sent %.0f messages",
                       bytes, sent);
    }
    return run->state != RS_RUN_VOID;
}

static bool result_is_true(const rs_json_doc *doc, const char *key) {
    const rs_json_node *node = rs_json_read_get(doc, NULL, key);
    return node != NULL && node->kind == RS_JSON_IS_BOOL && node->number > 0;
}

/* The field number `index` of a line; false: there is none, or it is no number. */
static bool result_field(const char *line, uint32_t index, double *out) {
    char *end = NULL;
    for (; index > 0; index--) {
        line += strcspn(line, ",\n");
        if (*line++ != ',') {
            return false;
        }
    }
    *out = strtod(line, &end);
    return end != line && (*end == ',' || *end == '\n');
}

double rs_result_least_share(const char *csv) {
    const char *end = strchr(csv, '\n'), *column = strstr(csv, ",measured,");
    double least = NAN, sum = 0, value = NAN;
    uint32_t index = 1, rows = 0;
    if (end == NULL || column == NULL || column > end) {
        return NAN;
    }
    for (const char *at = csv; at < column; at++) {
        index += *at == ',';
    }
    for (const char *line = end + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (!result_field(line, index, &value) || strchr(line, '\n') == NULL) {
            return NAN;
        }
        least = fmin(least, value); /* a NAN gives way */
        sum += value;
        rows++;
    }
    return sum > 0 ? least * rows / sum : NAN;
}

void rs_result_read(rs_compare_run *run, const rs_scenario *scenario, const rs_json_doc *server,
                    const rs_json_doc *load, const rs_observed *observed) {
    memset(run, 0, sizeof *run);
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        run->value[i] = NAN;
    }
    if (!result_is_sound(run, scenario, server, load)) {
        return;
    }
    const double messages = scenario->kind == RS_SCENARIO_BOARD
                                ? rs_json_read_number(load, NULL, "board.deliveries")
                                : result_messages(scenario, server, load);
    run->value[RS_METRIC_MESSAGES] = messages;
    run->value[RS_METRIC_RATE] = result_rate(scenario, load);
    result_read_latency(run, scenario, load);
    result_read_cpu(run, scenario, server, load, observed, messages);
    result_read_calls(run, server, messages);
    result_read_memory(run, scenario, server, observed);
    run->value[RS_METRIC_CALLS] =
        rs_json_read_number(server, NULL, "kernel_calls_total") / messages;
    run->value[RS_METRIC_DEQUEUED] =
        rs_json_read_number(server, NULL, "completions_per_batch.mean");
    run->value[RS_METRIC_LEAST] = observed->least_share;
    result_read_points(run, RS_METRIC_SEND_P50, server, "send_completion_ns");
    run->value[RS_METRIC_SPIN_HITS] = result_spin_hits(server);
    run->value[RS_METRIC_PACING] = rs_json_read_number(load, NULL, "pacing_ns.p99") / 1000;
    run->paced_late = result_is_true(load, "paced_late");
    run->value[RS_METRIC_SWITCHES] =
        result_either(server, "context_switches", observed->switches) / messages;
    run->value[RS_METRIC_FAULTS] = result_either(server, "page_faults", observed->faults);
    run->value[RS_METRIC_OTHERS] = observed->others_cpus;
    run->value[RS_METRIC_STACK] = observed->stack_cpus;
    run->disturbed = observed->others_cpus > RS_DISTURBED;
    run->state = RS_RUN_OK;
    if (!(run->value[RS_METRIC_RATE] > 0) || !rs_is_known(run->value[RS_METRIC_P50])) {
        rs_result_void(run, "loadgen reported no rate or no latency");
    }
}

/* ---- all of them */

rs_compare_run *rs_results_run(const rs_results *results, uint32_t scenario, uint32_t subject,
                               uint32_t repeat) {
    RS_ASSERT(scenario < results->scenarios);
    RS_ASSERT(subject < results->subjects);
    RS_ASSERT(repeat < results->repeats);
    return &results->run[(scenario * results->subjects + subject) * results->repeats + repeat];
}

rs_cell *rs_results_cell(const rs_results *results, uint32_t scenario, uint32_t subject) {
    RS_ASSERT(scenario < results->scenarios);
    RS_ASSERT(subject < results->subjects);
    return &results->cell[scenario * results->subjects + subject];
}

static bool results_has_row_in(const rs_results *results, uint32_t subject, const char *scenario) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        const rs_subject *row = &results->subject[i];
        if (row->changed != NULL && row->of == subject &&
            rs_tradeoff_shows_in(row->changed, scenario)) {
            return true;
        }
    }
    return false;
}

uint32_t rs_results_control_scenario(const rs_results *results) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (strcmp(results->scenario[i]->name, RS_SCENARIO_BASE) == 0) {
            return i;
        }
    }
    return 0;
}

bool rs_results_wants(const rs_results *results, uint32_t scenario, uint32_t subject) {
    const char *name = results->scenario[scenario]->name;
    const rs_tradeoff *changed = results->subject[subject].changed;
    if (results->subject[subject].control) {
        return scenario == rs_results_control_scenario(results);
    }
    if (results->kind != RS_COMPARE_TRADEOFFS || results->scenarios_given) {
        return true;
    }
    return changed != NULL ? rs_tradeoff_shows_in(changed, name)
                           : results_has_row_in(results, subject, name);
}

static int32_t results_find(const rs_results *results, const char *name) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (strcmp(results->subject[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t rs_results_baseline(const rs_results *results) {
    if (results->platform == RS_PLATFORM_WINDOWS || results->kind == RS_COMPARE_LADDER) {
        return results_find(results, "iocp_server");
    }
    const int32_t floor = results_find(results, "epoll_server");
    return floor >= 0 && !results->subject[floor].wine ? floor : -1;
}

/* The figures of one metric over the repeats; NAN where a run is void or missing. */
static void results_column(const rs_results *results, uint32_t scenario, uint32_t subject,
                           rs_metric metric, double *out) {
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        out[i] = run->state == RS_RUN_OK ? run->value[metric] : NAN;
    }
}

static double results_call_of(const rs_compare_run *run, const char *name) {
    for (uint32_t i = 0; i < run->calls; i++) {
        if (strcmp(run->call[i].name, name) == 0) {
            return run->call[i].per_message;
        }
    }
    return 0;
}

static bool results_has_call(const rs_cell *cell, const char *name) {
    for (uint32_t i = 0; i < cell->calls; i++) {
        if (strcmp(cell->call[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void results_median_call(const rs_results *results, uint32_t scenario, uint32_t subject,
                                rs_compare_call *call) {
    double sample[RS_REPEATS_MAX];
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        sample[i] = run->state == RS_RUN_OK ? results_call_of(run, call->name) : NAN;
    }
    call->per_message = rs_stats_median(sample, results->repeats);
}

/* Every call that any run names, each with its median. */
static void results_calls(const rs_results *results, uint32_t scenario, uint32_t subject,
                          rs_cell *cell) {
    cell->calls = 0;
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        for (uint32_t k = 0; run->state == RS_RUN_OK && k < run->calls; k++) {
            if (cell->calls < RS_CALLS_MAX && !results_has_call(cell, run->call[k].name)) {
                cell->call[cell->calls] = run->call[k];
                results_median_call(results, scenario, subject, &cell->call[cell->calls]);
                cell->calls++;
            }
        }
    }
}

static void results_count(const rs_results *results, uint32_t scenario, uint32_t subject,
                          rs_cell *cell) {
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        cell->ok += run->state == RS_RUN_OK;
        cell->voided += run->state == RS_RUN_VOID;
        cell->disturbed += run->state == RS_RUN_OK && run->disturbed;
        cell->paced_late += run->state == RS_RUN_OK && run->paced_late;
        cell->beyond = cell->beyond || run->state == RS_RUN_BEYOND;
    }
}

bool rs_results_base_is_iocp(const rs_results *results) {
    return results->baseline >= 0 && results->baseline == results_find(results, "iocp_server");
}

/* Models of a ladder under Wine: those that pay for wineserver as iocp_server does, and not RIO. */
static bool results_base_fits(const rs_results *results, uint32_t subject) {
    return results->baseline != (int32_t)subject &&
           (results->platform != RS_PLATFORM_WINE || !rs_results_base_is_iocp(results) ||
            (results->subject[subject].wine == results->subject[results->baseline].wine &&
             strcmp(results->subject[subject].name, "rio_server") != 0));
}

int32_t rs_results_base_of(const rs_results *results, uint32_t subject) {
    if (results->subject[subject].changed != NULL || results->subject[subject].control) {
        return (int32_t)results->subject[subject].of;
    }
    return results_base_fits(results, subject) ? results->baseline : -1;
}

const char *rs_results_base_name(const rs_results *results, uint32_t subject) {
    const int32_t base = rs_results_base_of(results, subject);
    RS_ASSERT(base >= 0);
    return results->subject[base].name;
}

rs_interval rs_results_ratio(const rs_results *results, uint32_t scenario, uint32_t subject,
                             int32_t of, rs_metric metric, bool calm) {
    double own[RS_REPEATS_MAX], base[RS_REPEATS_MAX];
    results_column(results, scenario, subject, metric, own);
    if (of >= 0) {
        results_column(results, scenario, (uint32_t)of, metric, base);
    }
    for (uint32_t i = 0; i < results->repeats; i++) {
        if (of < 0) {
            base[i] = 1;
        }
        if (calm && (rs_results_run(results, scenario, subject, i)->disturbed ||
                     (of >= 0 && rs_results_run(results, scenario, (uint32_t)of, i)->disturbed))) {
            own[i] = NAN;
        }
    }
    return rs_stats_ratio(own, base, results->repeats);
}

static rs_interval results_ratio(const rs_results *results, uint32_t scenario, uint32_t subject,
                                 rs_metric metric, bool calm) {
    return rs_results_ratio(results, scenario, subject, rs_results_base_of(results, subject),
                            metric, calm);
}

static void results_range(const double *sample, uint32_t count, double *low, double *high) {
    *low = NAN;
    *high = NAN;
    for (uint32_t i = 0; i < count; i++) {
        *low = fmin(*low, sample[i]); /* a NAN gives way */
        *high = fmax(*high, sample[i]);
    }
}

static void results_fill_cell(const rs_results *results, uint32_t scenario, uint32_t subject) {
    rs_cell *cell = rs_results_cell(results, scenario, subject);
    double sample[RS_REPEATS_MAX];
    memset(cell, 0, sizeof *cell);
    results_count(results, scenario, subject, cell);
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        results_column(results, scenario, subject, (rs_metric)i, sample);
        cell->median[i] = rs_stats_median(sample, results->repeats);
    }
    results_column(results, scenario, subject, RS_METRIC_RATE, sample);
    cell->rate_spread = rs_stats_spread(sample, results->repeats);
    results_range(sample, results->repeats, &cell->rate_low, &cell->rate_high);
    results_column(results, scenario, subject, RS_METRIC_CPU_SUM, sample);
    cell->cpu_spread = rs_stats_spread(sample, results->repeats);
    results_range(sample, results->repeats, &cell->cpu_low, &cell->cpu_high);
    results_calls(results, scenario, subject, cell);
    cell->has_ratio = rs_results_base_of(results, subject) >= 0;
    if (cell->has_ratio) { /* of a control what the rule sees of it */
        const bool calm = results->subject[subject].control;
        cell->rate = results_ratio(results, scenario, subject, RS_METRIC_RATE, calm);
        cell->cpu = results_ratio(results, scenario, subject, RS_METRIC_CPU_SUM, calm);
        cell->p99 = results_ratio(results, scenario, subject, RS_METRIC_P99, calm);
        cell->machine = results_ratio(results, scenario, subject, RS_METRIC_CPU_MACHINE, calm);
    }
}

/* What the decision rests on: pairs in which neither run was disturbed. */
static rs_verdict_cell results_verdict_cell(const rs_results *results, uint32_t index,
                                            uint32_t rio) {
    const rs_scenario *scenario = results->scenario[index];
    return (rs_verdict_cell){
        .scenario = scenario->name,
        .connections = scenario->connections,
        .may_gain = !rs_scenario_counts_connections(scenario),
        .fixed_rate = scenario->kind == RS_SCENARIO_FIXED || scenario->kind == RS_SCENARIO_BOARD,
        .rate = results_ratio(results, index, rio, RS_METRIC_RATE, true),
        .cpu = results_ratio(results, index, rio, RS_METRIC_CPU_SUM, true),
        .machine = results_ratio(results, index, rio, RS_METRIC_CPU_MACHINE, true),
        .p99 = results_ratio(results, index, rio, RS_METRIC_P99, true)};
}

/* Scenarios of the rule, --full's, that were not measured, as a list. */
static void results_lacking(const rs_results *results, char *out, size_t bytes) {
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < rs_scenario_count() && used < bytes; i++) {
        const rs_scenario *scenario = rs_scenario_at(i);
        bool measured = (scenario->sets & RS_IN_FULL) == 0;
        for (uint32_t k = 0; k < results->scenarios; k++) {
            measured = measured || results->scenario[k] == scenario;
        }
        if (!measured) {
            used += (size_t)snprintf(out + used, bytes - used, "%s%s", used > 0 ? ", " : "",
                                     scenario->name);
        }
    }
}

static void results_judge_control(const rs_results *results, rs_verdict_input *input) {
    const uint32_t scenario = rs_results_control_scenario(results);
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (results->subject[i].control && (int32_t)results->subject[i].of == results->baseline) {
            const rs_cell *cell = rs_results_cell(results, scenario, i);
            input->has_control = true;
            input->control_rate = cell->rate;
            input->control_cpu = cell->cpu;
        }
    }
}

static void results_judge(rs_results *results) {
    rs_verdict_cell cell[RS_SCENARIOS_MAX];
    rs_verdict_input input = {.platform = results->platform,
                              .runs = rs_results_made(results),
                              .voided = rs_results_voided(results),
                              .disturbed = rs_results_disturbed(results),
                              .unfit_percent = results->unfit_percent,
                              .repeats = results->repeats - results->extra,
                              .is_quick = results->quick,
                              .cell = cell,
                              .pool_growth_bytes = NAN};
    const int32_t rio = results_find(results, "rio_server");
    input.is_survey = results->kind != RS_COMPARE_SERVERS;
    input.has_pair = rio >= 0 && results->baseline >= 0 && !input.is_survey;
    input.has_floor = results->baseline >= 0 && !rs_results_base_is_iocp(results);
    input.cpu_untested = !results->clocks_tested;
    results_lacking(results, input.lacking, sizeof input.lacking);
    results_judge_control(results, &input);
    for (uint32_t i = 0; input.has_pair && i < results->scenarios; i++) {
        const double pool = rs_results_cell(results, i, (uint32_t)rio)->median[RS_METRIC_POOL];
        cell[input.cells++] = results_verdict_cell(results, i, (uint32_t)rio);
        if (!(input.pool_growth_bytes >= pool) && rs_is_known(pool)) {
            input.pool_growth_bytes = pool;
        }
    }
    rs_verdict_judge(&input, &results->verdict);
}

/* Of some hundred ratios one in twenty differs by chance: which remain? */
static void results_discover(rs_results *results) {
    rs_interval *ratio[RS_STATS_DISCOVERIES_MAX];
    uint32_t count = 0;
    results->differences = 0;
    for (uint32_t i = 0; i < results->scenarios * results->subjects; i++) {
        rs_cell *cell = &results->cell[i];
        rs_interval *const own[] = {&cell->rate, &cell->cpu, &cell->p99};
        const bool is_row = results->kind == RS_COMPARE_TRADEOFFS &&
                            results->subject[i % results->subjects].changed != NULL &&
                            rs_results_wants(results, i / results->subjects, i % results->subjects);
        for (size_t k = 0; is_row && k < sizeof own / sizeof own[0]; k++) {
            if (own[k]->count >= RS_STATS_PAIRS_MIN && count < RS_STATS_DISCOVERIES_MAX) {
                results->differences += rs_stats_is_difference(own[k]);
                ratio[count++] = own[k];
            }
        }
    }
    results->ratios = count;
    results->discoveries = rs_stats_discoveries(ratio, count, RS_STATS_FALSE_DISCOVERIES);
}

void rs_results_summarise(rs_results *results) {
    results->baseline = rs_results_baseline(results);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            results_fill_cell(results, i, k);
        }
    }
    results_discover(results);
    results_judge(results);
}

uint32_t rs_results_paced_late(const rs_results *results) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->scenarios * results->subjects; i++) {
        count += results->cell[i].paced_late;
    }
    return count;
}

static uint32_t results_count_state(const rs_results *results, rs_compare_run_state state,
                                    bool disturbed_alone) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->scenarios * results->subjects * results->repeats; i++) {
        const rs_compare_run *run = &results->run[i];
        count += run->state == state && (run->disturbed || !disturbed_alone);
    }
    return count;
}

uint32_t rs_results_voided(const rs_results *results) {
    return results_count_state(results, RS_RUN_VOID, false);
}

uint32_t rs_results_made(const rs_results *results) {
    return results_count_state(results, RS_RUN_OK, false) + rs_results_voided(results);
}

uint32_t rs_results_disturbed(const rs_results *results) {
    return results_count_state(results, RS_RUN_OK, true);
}

const char *rs_results_warning(const rs_results *results) {
    switch (results->platform) {
    case RS_PLATFORM_WINE:
        return "Taken under Wine: these figures are about Wine and not Windows. They say nothing "
               "about RIO against IOCP.";
    case RS_PLATFORM_LINUX:
        return "Taken on Linux with native servers: these figures are not about Windows.";
    case RS_PLATFORM_WINDOWS:
        return "";
    }
    RS_UNREACHABLE("the platform is one of three");
}

const char *rs_results_platform(const rs_results *results, uint32_t subject) {
    if (results->subject[subject].wine) {
        return "Wine";
    }
    return results->platform == RS_PLATFORM_WINDOWS ? "Windows" : "Linux";
}
