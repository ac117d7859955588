/* SPDX-License-Identifier: MIT */
/* The statistics of the public header: figures by name, and as Prometheus text. */
#include "server/server_stats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/assert.h"

typedef struct figure {
    const char *name, *help;
    const char *label, *of; /* {label="of"}; NULL: none */
    bool gauge;             /* else it only grows */
    uint64_t value;
} figure;

typedef void (*figure_fn)(void *ctx, const figure *one);

/* A histogram as Prometheus' summaries have it, but for the sum, which nobody keeps. */
static void figures_of(const char *name, const char *help, const rs_histogram *histogram,
                       figure_fn fn, void *ctx) {
    static const struct {
        const char *text;
        uint32_t percent_x1000;
    } at[] = {{"0.5", 50000}, {"0.9", 90000}, {"0.99", 99000}, {"1", 100000}};
    RS_ASSERT(histogram != NULL);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        const figure quantile = {
            name,       help, "quantile",
            at[i].text, true, rs_histogram_percentile(histogram, at[i].percent_x1000)};
        fn(ctx, &quantile);
    }
}

static void figures_each(const rs_server_stats *stats, figure_fn fn, void *ctx) {
    const figure plain[] = {
#define X(member, meaning) {#member, meaning, NULL, NULL, false, stats->counters.member},
        RS_COUNTER_TABLE(X)
#undef X
            {"messages_dropped", "messages for sessions that had ended", NULL, NULL, false,
             stats->messages_dropped},
        {"registered_bytes", "bytes of registered buffers", NULL, NULL, true,
         stats->registered_bytes},
        {"send_blocks_low", "fewest free send blocks of a shard so far", NULL, NULL, true,
         stats->blocks_low},
        {"queued_bytes", "bytes sent that the system has not taken yet", NULL, NULL, true,
         stats->queued_bytes},
        {"sessions_open", "open sessions", NULL, NULL, true, stats->sessions_open},
        {"sessions_used", "sessions open or still closing", NULL, NULL, true, stats->sessions_used},
        {"large_pages", "1: every worker's buffers have them", NULL, NULL, true,
         stats->large_pages ? 1u : 0u},
    };
    RS_ASSERT(fn != NULL);
    RS_ASSERT(stats->backend.count <= RS_BACKEND_STATS_MAX);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        fn(ctx, &plain[i]);
    }
    for (unsigned i = 0; i < RS_CLOSE_REASONS; i++) {
        const figure closed = {"closed", "sessions that ended, by reason",
                               "reason", rs_close_reason_text((rs_close_reason)i),
                               false,    stats->counters.closed[i]};
        fn(ctx, &closed);
    }
    for (uint32_t i = 0; i < stats->backend.count; i++) {
        const rs_backend_stat *stat = &stats->backend.stat[i];
        const figure counted = {"backend", "what the back end counts, kernel calls above all",
                                "name",    stat->name,
                                false,     stat->value};
        fn(ctx, &counted);
    }
    figures_of("completions_per_batch", "completions per poll that returned any", &stats->batch, fn,
               ctx);
    figures_of("send_completion_ns", "from the post of a send to its completion", &stats->send_ns,
               fn, ctx);
}

typedef struct visit {
    rs_stat_fn fn;
    void *ctx;
} visit;

static void visit_figure(void *ctx, const figure *one) {
    const visit *to = ctx;
    RS_ASSERT(one->name != NULL);
    to->fn(to->ctx, one->name, one->of, one->value);
}

void rs_stats_visit(const rs_server_stats *stats, rs_stat_fn fn, void *ctx) {
    visit to = {fn, ctx};
    figures_each(stats, visit_figure, &to);
}

/* ---- text */

typedef struct metrics {
    char *out;
    size_t room, bytes; /* of out; needed so far */
    const char *name;   /* of the figure before: its head is written */
} metrics;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
metrics_add(metrics *to, const char *format, ...) {
    size_t room = to->bytes < to->room ? to->room - to->bytes : 0;
    va_list args;
    int added;
    va_start(args, format);
    added = vsnprintf(room > 0 ? to->out + to->bytes : NULL, room, format, args);
    va_end(args);
    RS_ASSERT(added >= 0);
    to->bytes += (size_t)added;
}

static void metrics_figure(void *ctx, const figure *one) {
    metrics *to = ctx;
    const char *suffix = one->gauge ? "" : "_total";
    RS_ASSERT(one->label == NULL || one->of != NULL);
    if (to->name != one->name) {
        metrics_add(to, "# HELP ringside_%s%s %s\n# TYPE ringside_%s%s %s\n", one->name, suffix,
                    one->help, one->name, suffix, one->gauge ? "gauge" : "counter");
        to->name = one->name;
    }
    metrics_add(to, "ringside_%s%s", one->name, suffix);
    if (one->label != NULL) {
        metrics_add(to, "{%s=\"%s\"}", one->label, one->of);
    }
    metrics_add(to, " %" PRIu64 "\n", one->value);
}

size_t rs_stats_metrics(const rs_server_stats *stats, char *out, size_t out_bytes) {
    metrics to = {.out = out, .room = out_bytes};
    RS_ASSERT(out != NULL || out_bytes == 0);
    figures_each(stats, metrics_figure, &to);
    return to.bytes;
}
