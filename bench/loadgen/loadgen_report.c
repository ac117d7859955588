/* SPDX-License-Identifier: MIT */
/* Figures of a finished run. Values not measured are null, or "-" in the table, never 0. */
#include "loadgen/loadgen_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "loadgen/loadgen_groups.h"
#include "server/record.h"

#define REPORT_NS_PER_S 1e9
#define REPORT_NS_PER_US 1e3
#define REPORT_MIB 1048576.0
#define REPORT_HEX_BYTES (3u * RS_LOAD_SHOWN_BYTES + 1u)

/* X(text, value): the columns of which any makes the run void. */
#define REPORT_FAULTS(X)                                                                           \
    X("lost", run->load.columns.lost + run->bots.columns.lost)                                     \
    X("wrong", run->load.columns.wrong + run->bots.columns.wrong)                                  \
    X("reordered", run->load.columns.reordered + run->bots.columns.reordered)                      \
    X("duplicated", run->load.columns.duplicated + run->bots.columns.duplicated)                   \
    X("unknown", run->bots.columns.unknown)                                                        \
    X("stale", run->bots.columns.stale)                                                            \
    X("refused", run->load.ends.refused)                                                           \
    X("reset", run->load.ends.reset)                                                               \
    X("closed", run->load.ends.closed)                                                             \
    X("timed_out", run->load.ends.timed_out)                                                       \
    X("failed", run->load.ends.failed)                                                             \
    X("stuck", run->stuck)

/* ---- derived figures; negative = not known */

/* Board: what viewers were told of in the measured time, the movers included; else negative. */
static double report_deliveries(const rs_load_run *run) {
    return run->load.bots != NULL && rs_load_run_seconds(run) > 0.0
               ? (double)(run->load.measured + run->load.measured_told)
               : -1.0;
}

static double report_deliveries_rate(const rs_load_run *run) {
    const double deliveries = report_deliveries(run);
    return deliveries > 0.0 ? deliveries / rs_load_run_seconds(run) : -1.0;
}

/* Whole frames of the measured time, one way. */
static double report_bytes_rate(const rs_load_run *run, uint64_t bytes) {
    return bytes > 0 && rs_load_run_rate(run) >= 0.0 ? (double)bytes / rs_load_run_seconds(run)
                                                     : -1.0;
}

static double report_sent_rate(const rs_load_run *run) {
    return report_bytes_rate(run, run->load.bots != NULL
                                      ? run->load.measured * run->settings->size.max
                                      : run->load.measured_sent_bytes);
}

static double report_received_rate(const rs_load_run *run) {
    return report_bytes_rate(run, run->load.measured_received_bytes);
}

static double report_scaled(double value, double unit) {
    return value >= 0.0 ? value / unit : -1.0;
}

static double report_lives_rate(const rs_load_run *run) {
    const double seconds = rs_load_run_seconds(run);
    return seconds > 0.0 && run->settings->churn
               ? (double)(run->after.lives - run->before.lives) / seconds
               : -1.0;
}

static double report_per_message(const rs_load_run *run, uint64_t before, uint64_t after) {
    return run->load.measured > 0 && rs_load_run_seconds(run) > 0.0
               ? (double)(after - before) / (double)run->load.measured
               : -1.0;
}

static bool report_knows_cpu(const rs_load_run *run) {
    return (run->before.usage.known & run->after.usage.known & RS_USE_CPU) != 0;
}

static double report_cpu_ns(const rs_load_run *run) {
    const rs_os_usage *before = &run->before.usage, *after = &run->after.usage;
    return report_knows_cpu(run) ? report_per_message(run, before->user_ns + before->kernel_ns,
                                                      after->user_ns + after->kernel_ns)
                                 : -1.0;
}

static uint64_t report_calls(const rs_backend_stats *stats) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < stats->count; i++) {
        sum += stats->stat[i].is_call ? stats->stat[i].value : 0;
    }
    return sum;
}

static double report_calls_per_message(const rs_load_run *run) {
    return report_per_message(run, report_calls(&run->before.stats),
                              report_calls(&run->after.stats));
}

const rs_histogram *rs_report_latency(const rs_load_run *run) {
    return run->settings->rate != 0 ? &run->load.corrected : &run->load.uncorrected;
}

uint64_t rs_report_percentile_ns(const rs_load_run *run, uint32_t percent_x1000) {
    const rs_histogram *latency = rs_report_latency(run);
    return rs_histogram_enough(latency->count, percent_x1000)
               ? rs_histogram_percentile(latency, percent_x1000)
               : latency->max;
}

/* One message, and the shortest latency's worth of them, are at the edges of the measured time. Of
 * random arrivals fewer may have been due than the rate says, in a time of few messages. */
bool rs_report_overloaded(const rs_load_run *run) {
    const double seconds = rs_load_run_seconds(run), asked = run->settings->rate;
    const double even = asked * seconds, random = (double)run->load.due;
    const double due =
        run->settings->arrivals == RS_ARRIVALS_POISSON && random < even ? random : even;
    const double wanted = due * run->settings->rate_min_percent / 100.0;
    const double under_way = run->load.corrected.count > 0
                                 ? asked * (double)run->load.corrected.min / REPORT_NS_PER_S
                                 : 0.0; /* of a push: as many at either edge */
    return asked > 0.0 && seconds > 0.0 && run->load.measured > 0 &&
           (double)run->load.measured + under_way + 1.0 < wanted;
}

bool rs_report_paced_late(const rs_load_run *run) {
    return run->load.pacing.count > 0 && rs_report_latency(run)->count > 0 &&
           rs_histogram_percentile(&run->load.pacing, 99000) >
               rs_histogram_percentile(rs_report_latency(run), 50000) / RS_REPORT_PACING_SHARE;
}

/* Own CPU time of the measurement, of one processor for each thread. */
static double report_own_share(const rs_load_run *run) {
    const rs_os_usage *before = &run->before.usage, *after = &run->after.usage;
    const double seconds = rs_load_run_seconds(run);
    return report_knows_cpu(run) && seconds > 0.0
               ? (double)(after->user_ns + after->kernel_ns - before->user_ns - before->kernel_ns) /
                     (seconds * REPORT_NS_PER_S * run->settings->threads)
               : -1.0;
}

bool rs_report_own_limit(const rs_load_run *run) {
    return report_own_share(run) > RS_REPORT_OWN_SHARE &&
           (run->settings->rate == 0 || rs_report_overloaded(run) || rs_report_paced_late(run));
}

/* Connections that were served, of a ramp. */
static double report_connect_rate(const rs_load_run *run) {
    return run->ramp_ns != 0
               ? (double)run->settings->connections * REPORT_NS_PER_S / (double)run->ramp_ns
               : -1.0;
}

/* ---- is it valid? */

/* A ramp alone measures its first replies. */
static bool report_measured_nothing(const rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    if (s->ramp && s->seconds <= 0.0) {
        return run->ramp_ns == 0;
    }
    return run->load.measured == 0;
}

static void report_void_by_figures(const rs_load_run *run, char *out, size_t bytes) {
    if (run->found.tries > 0 && !(run->found.rate_per_s > 0)) {
        (void)snprintf(out, bytes, "--find-rate: no rate held p%g within %g us",
                       run->settings->find_x1000 / 1000.0,
                       (double)run->settings->find_ns / REPORT_NS_PER_US);
        return;
    }
    if (run->load.columns.ok == 0) {
        (void)snprintf(out, bytes, "no reply was verified");
    } else if (report_measured_nothing(run)) {
        (void)snprintf(out, bytes, "nothing was measured: every reply came before the measurement");
    } else if (rs_report_overloaded(run)) {
        (void)snprintf(out, bytes,
                       "overloaded: %.0f of %u messages/s requested (%.1f %%, --rate-min %g %%), "
                       "%" PRIu64 " never sent",
                       rs_load_run_rate(run), run->settings->rate,
                       100.0 * rs_load_run_rate(run) / run->settings->rate,
                       run->settings->rate_min_percent, run->load.never_sent);
    }
}

static void report_hex(char *out, size_t bytes, const uint8_t *data, uint32_t count) {
    out[0] = '\0';
    for (size_t i = 0; i < count && 3u * i + 3u < bytes; i++) {
        (void)snprintf(out + 3u * i, bytes - 3u * i, "%02x ", data[i]);
    }
    const size_t length = strlen(out);
    if (length > 0) {
        out[length - 1u] = '\0'; /* the last blank */
    }
}

/* The first wrong reply in words. Returns as snprintf. */
static int report_wrong(const rs_load_run *run, char *out, size_t bytes) {
    const rs_load_wrong *wrong = &run->load.wrong;
    char expected[REPORT_HEX_BYTES], got[REPORT_HEX_BYTES];
    if (wrong->pushed_lost > 0) {
        return snprintf(out, bytes,
                        "connection %u: %u of the %u messages from %" PRIu64
                        " on did not arrive, by the server's receipt: ",
                        wrong->connection, wrong->pushed_lost, wrong->pushed, wrong->sequence);
    }
    if (wrong->pushed > 0) {
        return snprintf(out, bytes,
                        "connection %u: the %u messages from %" PRIu64
                        " on did not arrive as they were sent, by the server's receipt: ",
                        wrong->connection, wrong->pushed, wrong->sequence);
    }
    report_hex(expected, sizeof expected, wrong->expected, wrong->expected_shown);
    report_hex(got, sizeof got, wrong->got, wrong->got_shown);
    if (!wrong->asked) {
        return snprintf(out, bytes, "connection %u: %u bytes that no request was for, got %s: ",
                        wrong->connection, wrong->got_bytes, got);
    }
    return snprintf(out, bytes,
                    "connection %u, reply %" PRIu64 ", offset %u: expected %s, got %s: ",
                    wrong->connection, wrong->sequence, wrong->offset,
                    expected[0] != '\0' ? expected : "the end", got[0] != '\0' ? got : "the end");
}

/* The obvious cause, if the counts show one; else "". Returns its length. */
static size_t report_void_cause(const rs_load_run *run, char *out, size_t bytes) {
    const rs_load_ends *ends = &run->load.ends;
    const uint32_t silent = rs_groups_silent(run);
    char target[RS_LOAD_TARGET_BYTES];
    int n = 0;
    out[0] = '\0';
    if (silent != UINT32_MAX) {
        n = snprintf(out, bytes,
                     "nothing listens on %s: ", rs_load_target_text(run->settings, silent, target));
    } else if (ends->unserved > 0 && run->load.columns.received == 0) {
        n = snprintf(out, bytes,
                     "the server ended every connection after a frame of %s%u bytes, without a "
                     "reply (its --max-frame?): ",
                     run->settings->size.min < run->settings->size.max ? "up to " : "",
                     run->settings->size.max);
    } else if (ends->unserved > 0) {
        n = snprintf(out, bytes,
                     "the server served %" PRIu64 " connections and ended %" PRIu64
                     " before their first reply (its --max-sessions?): ",
                     ends->connected - ends->unserved, ends->unserved);
    } else if (run->settings->reply.count > 0 && run->load.wrong.seen &&
               run->load.columns.ok == 0) {
        n = snprintf(out, bytes,
                     "no reply had the size asked for (the server's --sized-replies?): ");
    } else if (ends->reset + ends->closed > 0 &&
               (uint64_t)run->settings->depth * run->settings->reply.max >
                   RS_QUEUED_BYTES_DEFAULT) {
        n = snprintf(out, bytes,
                     "the server ended connections (--depth x --reply-size above its "
                     "--max-queued?): ");
    } else if (run->load.wrong.seen) {
        n = report_wrong(run, out, bytes);
    }
    return n > 0 ? (size_t)n : 0;
}

void rs_report_void(const rs_load_run *run, char *out, size_t bytes) {
    const size_t cause = report_void_cause(run, out, bytes);
    size_t used = cause;
#define X(text, value)                                                                             \
    if ((value) != 0 && used < bytes) {                                                            \
        const int n = snprintf(out + used, bytes - used, "%s%s %" PRIu64,                          \
                               used > cause ? ", " : "", text, (uint64_t)(value));                 \
        used += n > 0 ? (size_t)n : 0;                                                             \
    }
    REPORT_FAULTS(X)
#undef X
    if (used == 0) {
        report_void_by_figures(run, out, bytes);
    }
}

/* ---- JSON */

static void json_maybe(rs_json *json, const char *key, double value) {
    if (value < 0.0) {
        rs_json_null(json, key);
    } else {
        rs_json_double(json, key, value);
    }
}

/* Over the whole run, warm-up included: an error there is an error. */
static void json_counts(rs_json *json, const rs_load_run *run) {
    const rs_track_columns *columns = &run->load.columns;
    const rs_load_ends *ends = &run->load.ends;
    rs_json_object(json, "counts");
    rs_json_u64(json, "sent", columns->sent);
    rs_json_u64(json, "received", columns->received);
    rs_json_u64(json, "ok", columns->ok);
#define X(text, value) rs_json_u64(json, text, value);
    REPORT_FAULTS(X)
#undef X
    rs_json_u64(json, "abandoned", columns->abandoned);
    rs_json_u64(json, "connected", ends->connected);
    rs_json_u64(json, "unserved", ends->unserved);
    rs_json_u64(json, "lives", ends->lives);
    rs_json_u64(json, "resets_made", ends->resets_made);
    rs_json_u64(json, "half_closes_made", ends->half_closes_made);
    rs_json_u64(json, "slow_dropped", ends->slow_dropped);
    rs_json_u64(json, "port_waits", ends->port_waits);
    rs_json_end(json);
}

static void json_wrong(rs_json *json, const rs_load_run *run) {
    const rs_load_wrong *wrong = &run->load.wrong;
    char hex[REPORT_HEX_BYTES];
    if (!wrong->seen) {
        rs_json_null(json, "first_wrong");
        return;
    }
    rs_json_object(json, "first_wrong");
    rs_json_u64(json, "connection", wrong->connection);
    rs_json_bool(json, "asked", wrong->asked);
    rs_json_u64(json, "reply", wrong->sequence);
    rs_json_u64(json, "pushed", wrong->pushed);
    rs_json_u64(json, "pushed_lost", wrong->pushed_lost);
    rs_json_u64(json, "bytes", wrong->got_bytes);
    rs_json_u64(json, "offset", wrong->offset);
    report_hex(hex, sizeof hex, wrong->expected, wrong->expected_shown);
    rs_json_string(json, "expected", hex);
    report_hex(hex, sizeof hex, wrong->got, wrong->got_shown);
    rs_json_string(json, "got", hex);
    rs_json_end(json);
}

/* Deliveries in `counts` style over the whole run; those measured apart. */
static void json_board(rs_json *json, const rs_load_run *run) {
    const rs_bots_columns *columns = &run->bots.columns;
    const double deliveries = report_deliveries(run);
    if (run->load.bots == NULL) {
        rs_json_null(json, "board");
        return;
    }
    rs_json_object(json, "board");
    rs_json_u64(json, "width", run->bots.width);
    rs_json_u64(json, "height", run->bots.height);
    rs_json_u64(json, "view", run->bots.view);
    rs_json_u64(json, "deliveries", columns->deliveries);
    rs_json_u64(json, "arrivals", columns->arrivals);
    rs_json_u64(json, "departures", columns->departures);
    rs_json_u64(json, "strangers", columns->strangers);
    json_maybe(json, "measured_deliveries", deliveries);
    json_maybe(json, "deliveries_per_s", report_deliveries_rate(run));
    json_maybe(json, "deliveries_per_move",
               deliveries > 0.0 && run->load.measured > 0 ? deliveries / (double)run->load.measured
                                                          : -1.0);
    rs_json_end(json);
}

static void json_cpu(rs_json *json, const rs_load_run *run) {
    const rs_os_usage *before = &run->before.usage, *after = &run->after.usage;
    if (report_cpu_ns(run) < 0.0) {
        rs_json_null(json, "cpu");
        return;
    }
    rs_json_object(json, "cpu");
    rs_json_u64(json, "user_ns", after->user_ns - before->user_ns);
    rs_json_u64(json, "kernel_ns", after->kernel_ns - before->kernel_ns);
    json_maybe(json, "user_ns_per_message",
               report_per_message(run, before->user_ns, after->user_ns));
    json_maybe(json, "kernel_ns_per_message",
               report_per_message(run, before->kernel_ns, after->kernel_ns));
    json_maybe(json, "ns_per_message", report_cpu_ns(run));
    json_maybe(json, "share", report_own_share(run));
    rs_json_bool(json, "own_limit", rs_report_own_limit(run));
    rs_json_end(json);
}

/* Of the measurement alone. */
static void json_calls(rs_json *json, const rs_load_run *run) {
    const rs_backend_stats *before = &run->before.stats, *after = &run->after.stats;
    if (rs_load_run_seconds(run) < 0.0) {
        rs_json_null(json, "kernel_calls");
    } else {
        rs_json_object(json, "kernel_calls");
        for (uint32_t i = 0; i < after->count; i++) {
            if (after->stat[i].is_call) {
                rs_json_u64(json, after->stat[i].name,
                            after->stat[i].value - before->stat[i].value);
            }
        }
        rs_json_end(json);
    }
    json_maybe(json, "kernel_calls_per_message", report_calls_per_message(run));
}

static void json_known(rs_json *json, const char *key, uint64_t value) {
    if (value != 0) {
        rs_json_u64(json, key, value);
    } else {
        rs_json_null(json, key);
    }
}

static void json_series(rs_json *json, const rs_load_run *run) {
    if (run->series == NULL) {
        rs_json_null(json, "series");
        return;
    }
    rs_json_array(json, "series");
    for (uint32_t i = 0; i < run->series_count; i++) {
        const rs_load_second *row = &run->series[i];

        rs_json_object(json, NULL);
        rs_json_double(json, "second", row->at_s);
        rs_json_double(json, "rate_per_s", row->rate_per_s);
        json_maybe(json, "p50_ns", row->p50_ns);
        json_maybe(json, "p99_ns", row->p99_ns);
        json_maybe(json, "cpu", row->cpu);
        rs_json_end(json);
    }
    rs_json_end(json);
}

static void json_setup(rs_json *json, const rs_load_run *run) {
    json_known(json, "setup_ns", run->setup_ns);
    json_known(json, "ramp_ns", run->ramp_ns);
    json_maybe(json, "connects_per_s", report_connect_rate(run));
    if (run->settings->churn) { /* connections of all times: no one start to count from */
        rs_json_null(json, "first_reply_ns");
    } else {
        rs_histogram_json(json, "first_reply_ns", &run->load.first_reply);
    }
}

/* Requested and achieved rate of an open loop; null in a closed one. */
static void json_asked(rs_json *json, const rs_load_run *run) {
    const double asked = run->settings->rate, rate = rs_load_run_rate(run);
    if (run->settings->rate == 0) {
        rs_json_null(json, "rate_asked_per_s");
        rs_json_null(json, "rate_share");
        rs_json_null(json, "overloaded");
        rs_json_null(json, "never_sent");
        rs_json_null(json, "paced_late");
    } else {
        rs_json_double(json, "rate_asked_per_s", asked);
        json_maybe(json, "rate_share", rate / asked);
        rs_json_bool(json, "overloaded", rs_report_overloaded(run));
        rs_json_u64(json, "never_sent", run->load.never_sent);
        rs_json_bool(json, "paced_late", rs_report_paced_late(run));
    }
    rs_histogram_json(json, "pacing_ns", &run->load.pacing);
}

static void json_found(rs_json *json, const rs_load_run *run) {
    if (run->found.tries == 0) {
        rs_json_null(json, "find_rate");
        return;
    }
    rs_json_object(json, "find_rate");
    rs_json_double(json, "percent", run->settings->find_x1000 / 1000.0);
    rs_json_u64(json, "bound_ns", run->settings->find_ns);
    rs_json_u64(json, "tries", run->found.tries);
    rs_json_double(json, "rate_per_s", run->found.rate_per_s);
    rs_json_end(json);
}

typedef struct report_figures {
    const rs_load_run *run;
    const char *void_reason;
} report_figures;

static void json_members(rs_json *json, const void *ctx) {
    const rs_load_run *run = ((const report_figures *)ctx)->run;
    const char *void_reason = ((const report_figures *)ctx)->void_reason;
    rs_backend_stats stats;
    run->api->stats(run->backend, &stats);
    rs_record_head(json, "loadgen", run->api->name, stats.provider);
    rs_json_bool(json, "valid", void_reason[0] == '\0');
    rs_json_string(json, "void_reason", void_reason[0] == '\0' ? NULL : void_reason);
    rs_json_bool(json, "interrupted", run->interrupted);
    rs_options_json(json, "settings", &run->settings->options, "json");
    json_counts(json, run);
    json_wrong(json, run);
    json_board(json, run);
    json_maybe(json, "measured_s", rs_load_run_seconds(run));
    rs_json_u64(json, "measured_messages", run->load.measured);
    json_maybe(json, "rate_per_s", rs_load_run_rate(run));
    json_asked(json, run);
    json_found(json, run);
    json_maybe(json, "mb_per_s", report_scaled(report_sent_rate(run), 1e6));
    json_maybe(json, "sent_mib_per_s", report_scaled(report_sent_rate(run), REPORT_MIB));
    rs_json_string(json, "pushed_proof",
                   rs_load_sinks(run->settings)    ? "kernel"
                   : rs_load_pushes(run->settings) ? "receipts"
                                                   : NULL);
    json_maybe(json, "received_mib_per_s", report_scaled(report_received_rate(run), REPORT_MIB));
    json_maybe(json, "lives_per_s", report_lives_rate(run));
    rs_histogram_json(json, "latency_ns", &run->load.uncorrected);
    rs_histogram_json(json, "latency_corrected_ns", &run->load.corrected);
    rs_json_string(json, "latency_clock", "one reading per batch of completions, one per submit");
    json_setup(json, run);
    json_cpu(json, run);
    json_calls(json, run);
    json_series(json, run);
    rs_groups_json(json, run);
}

rs_status rs_report_write_json(const rs_load_run *run, const char *void_reason, rs_error *error) {
    const report_figures figures = {run, void_reason};
    return rs_record_write(run->settings->json_path, json_members, &figures, error);
}

/* ---- the table */

static void print_latency(rs_printer *out, const char *name, const rs_histogram *histogram) {
    static const uint32_t points[] = {50000, 90000, 99000, 99900, 99990};
    if (histogram->count == 0) {
        return;
    }
    rs_printer_say(out, "%-22s", name);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        if (rs_histogram_enough(histogram->count, points[i])) {
            rs_printer_say(out, " %10.1f",
                           (double)rs_histogram_percentile(histogram, points[i]) /
                               REPORT_NS_PER_US);
        } else {
            rs_printer_say(out, " %10s", "-");
        }
    }
    rs_printer_say(out, " %10.1f %10.1f\n", (double)histogram->max / REPORT_NS_PER_US,
                   rs_histogram_mean(histogram) / REPORT_NS_PER_US);
}

static void print_maybe(rs_printer *out, const char *name, double value, const char *unit) {
    if (value >= 0.0) {
        rs_printer_say(out, "%-22s %.2f %s\n", name, value, unit);
    }
}

static void print_counts(const rs_load_run *run) {
    rs_printer *out = run->out;
    const rs_load_ends *ends = &run->load.ends;
    rs_printer_say(out, "%-22s sent %" PRIu64 "  received %" PRIu64, "messages",
                   run->load.columns.sent, run->load.columns.received);
    if (run->load.columns.abandoned > 0) {
        rs_printer_say(out, "  abandoned %" PRIu64, run->load.columns.abandoned);
    }
    rs_printer_say(out, "\n%-22s", "errors");
#define X(text, value) rs_printer_say(out, " %s %" PRIu64 " ", text, (uint64_t)(value));
    REPORT_FAULTS(X)
#undef X
    rs_printer_say(out, "\n%-22s connected %" PRIu64 "  ended well %" PRIu64, "connections",
                   ends->connected, ends->lives);
    if (ends->resets_made + ends->half_closes_made + ends->slow_dropped + ends->port_waits > 0) {
        rs_printer_say(out,
                       "  reset by us %" PRIu64 "  half-closed by us %" PRIu64
                       "  slow ones dropped %" PRIu64 "  waits for a local port %" PRIu64,
                       ends->resets_made, ends->half_closes_made, ends->slow_dropped,
                       ends->port_waits);
    }
    rs_printer_say(out, "\n");
}

static void print_board(const rs_load_run *run) {
    const rs_bots *bots = &run->bots;
    if (run->load.bots == NULL) {
        return;
    }
    rs_printer_say(run->out,
                   "%-22s %u x %u cells, view %u; verified deliveries %" PRIu64
                   ", arrivals %" PRIu64 ", departures %" PRIu64 "\n",
                   "board", bots->width, bots->height, bots->view, bots->columns.deliveries,
                   bots->columns.arrivals, bots->columns.departures);
    if (bots->columns.strangers > 0) {
        rs_printer_say(run->out, "%-22s %" PRIu64 " frames about other players, not judged\n", "",
                       bots->columns.strangers);
    }
    print_maybe(run->out, "deliveries", report_deliveries_rate(run), "a second");
}

static void print_latencies(const rs_load_run *run) {
    rs_printer *out = run->out;
    const rs_load *load = &run->load;
    if (load->uncorrected.count + load->first_reply.count == 0) {
        return;
    }
    rs_printer_say(out, "%-22s %10s %10s %10s %10s %10s %10s %10s\n", "latency, us", "p50", "p90",
                   "p99", "p99.9", "p99.99", "max", "mean");
    print_latency(out, run->settings->rate != 0 ? "  from intended send" : "", &load->corrected);
    if (rs_load_pushes(run->settings)) {
        rs_printer_say(out, "%-22s %10s %10s %10s %10s %10s %10s %10s\n", "  from actual send", "-",
                       "-", "-", "-", "-", "-", "-"); /* nothing is answered */
    }
    print_latency(out, "  from actual send", &load->uncorrected);
    print_latency(out, "  own pacing error", &load->pacing);
    if (run->settings->ramp) {
        print_latency(out, "  first reply (ramp)", &load->first_reply);
    }
}

static void print_rate(const rs_load_run *run) {
    rs_printer *out = run->out;
    const rs_load_settings *s = run->settings;
    print_maybe(out, "rate", rs_load_run_rate(run), "messages/s");
    if (s->rate != 0 && rs_load_run_rate(run) >= 0.0) {
        rs_printer_say(out, "%-22s %u messages/s; %.1f %% reached, %" PRIu64 " never sent\n",
                       "rate asked for", s->rate, 100.0 * rs_load_run_rate(run) / s->rate,
                       run->load.never_sent);
    }
}

/* Limits of the latency figures. */
static void print_notes(const rs_load_run *run) {
    rs_printer *out = run->out;
    if (rs_report_overloaded(run)) {
        rs_printer_say(out, "overloaded: the server could not take this load%s\n",
                       rs_load_pushes(run->settings)
                           ? ""
                           : "; requests that were never sent\ncount with the time they waited");
    }
    if (rs_report_paced_late(run)) {
        rs_printer_say(out,
                       "paced late: the p99 of loadgen's own pacing error is above 1/%u of the p50 "
                       "latency\n",
                       RS_REPORT_PACING_SHARE);
    }
    if (rs_report_own_limit(run)) {
        rs_printer_say(out,
                       "own limit: loadgen used %.0f %% of a processor for each thread: the server "
                       "may be able to "
                       "do more\n",
                       100.0 * report_own_share(run));
    }
    if (run->interrupted) {
        rs_printer_say(out, "interrupted: the measurement is shorter than requested\n");
    }
}

void rs_report_print(const rs_load_run *run, const char *void_reason) {
    static const char *const app_names[] = {"echo", "raw", "board"};
    const rs_load_settings *s = run->settings;
    rs_printer *out = run->out;
    rs_printer_say(out,
                   "loadgen %s: %u thread%s, %u connections (+ %u idle) x depth %u x %s bytes%s%s, "
                   "%s, %s loop, verify %s\n",
                   RS_COMMIT, s->threads, s->threads == 1 ? "" : "s", s->connections, s->idle,
                   s->depth, s->size_text, s->reply_text != NULL ? ", replies of " : "",
                   s->reply_text != NULL ? s->reply_text : "", app_names[s->app],
                   s->rate != 0 ? "open" : "closed", s->verify ? "on" : "off");
    rs_printer_say(out, "%-22s %s, back end %s\n", "platform", rs_os_platform(), run->api->name);
    if (rs_os_is_wine()) {
        rs_printer_say(out, "%-22s measured under Wine: not about Windows\n", "note");
    }
    print_counts(run);
    print_maybe(out, "set-up", run->setup_ns != 0 ? (double)run->setup_ns / 1e6 : -1.0, "ms");
    print_maybe(out, "measured", rs_load_run_seconds(run), "s");
    print_rate(run);
    print_board(run);
    print_maybe(out, rs_load_pushes(s) ? "pushed" : "sent",
                report_scaled(report_sent_rate(run), REPORT_MIB),
                rs_load_sinks(s)    ? "MiB/s that the kernel has taken; the server proves none"
                : rs_load_pushes(s) ? "MiB/s, as the server's receipts prove"
                                    : "MiB/s");
    print_maybe(out, "received", report_scaled(report_received_rate(run), REPORT_MIB), "MiB/s");
    print_maybe(out, "churn", report_lives_rate(run), "connections/s");
    if (s->ramp) {
        print_maybe(out, "ramp", run->ramp_ns != 0 ? (double)run->ramp_ns / 1e6 : -1.0, "ms");
        print_maybe(out, "connect rate", report_connect_rate(run), "connections/s");
    }
    print_latencies(run);
    rs_groups_print(run);
    if (run->found.tries > 0) {
        rs_printer_say(out, "%-22s %.0f messages/s with p%g within %g us, %u tries\n",
                       "highest rate", run->found.rate_per_s, s->find_x1000 / 1000.0,
                       (double)s->find_ns / REPORT_NS_PER_US, run->found.tries);
    }
    print_maybe(out, "own CPU", report_cpu_ns(run), "ns/message");
    print_maybe(out, "own kernel calls", report_calls_per_message(run), "a message");
    print_notes(run);
    if (void_reason[0] != '\0') {
        rs_printer_say(out, "VOID: this run is not a valid measurement: %s\n", void_reason);
    }
}
