/* SPDX-License-Identifier: MIT */
/* See server_run.h. */
#include "server/server_run.h"

#include <stdio.h>

#include "core/assert.h"
#include "seam/backend_config.h"
#include "server/record.h"
#include "server/server_config.h"

#define RUN_TICK_MS 20u

static const rs_option run_rows[] = {
    RS_ROW_CHOICE(
        rs_server_args, app, "app", "echo|raw|slow|board", RS_SERVER_ECHO,
        "echo: frames back as they came; raw: bytes, unframed; slow: an echo, one message "
        "in 100 of which takes 5 ms; board: the board game"),
    RS_ROW_BOOL(rs_server_args, asked, "sized-replies", false,
                "with --app echo: a frame of type 2 gets as many bytes back as it asks for "
                "(loadgen --reply-size)"),
    RS_ROW_UINT(rs_server_args, work_us, "work-us", 0, 1000000, 0, "us",
                "busy work of the application before each message"),
    RS_ROW_BOOL(rs_server_args, stats, "stats", false, "print one line per second"),
    RS_ROW_STRING(rs_server_args, json_path, "json", NULL, "write the final figures to this file"),
    RS_ROW_DOUBLE(rs_server_args, duration_s, "duration", 0, 86400, 0, "s",
                  "stop after this time; 0 = run until Ctrl+C"),
};
const rs_option_table rs_server_run_options = {run_rows, RS_ROWS(run_rows), NULL};

int rs_server_run_read(rs_server_run *run, void *settings, const rs_option_table *const *others,
                       int argc, const char *const *argv) {
    int exit_code;
    run->options.summary = "a Ringside server; every option has a default";
    run->cfg.backend_settings = settings;
    rs_options_add(&run->options, &rs_server_options, &run->cfg, NULL);
    rs_options_add(&run->options, &rs_server_run_options, &run->args, NULL);
    rs_options_add(&run->options, run->app_options, run->app_settings, NULL);
    rs_backend_options_add(&run->options, run->cfg.backend, &run->cfg.tuning, settings, others);
    exit_code = rs_options_read(&run->options, argc, argv);
    if (exit_code < 0 && run->args.asked && run->args.app != RS_SERVER_ECHO) {
        (void)fprintf(stderr, "%s: --sized-replies: 'on' needs --app echo\n", run->options.program);
        return 2;
    }
    return exit_code;
}

/* ---- while it runs */

static bool run_is_over(const rs_server_run *run) {
    double seconds = (double)(rs_os_now_ns() - run->start_ns) / 1e9;
    return rs_atomic_load_u32(&run->stop_asked) != 0 || rs_server_has_ended(run->server) ||
           (run->args.duration_s > 0 && seconds >= run->args.duration_s);
}

void rs_server_run_loop(rs_server_run *run, rs_server_stats *now, rs_server_stats *before) {
    uint64_t printed_ns = run->start_ns;
    RS_ASSERT(run->server != NULL);
    RS_ASSERT(run->start_ns > 0);
    while (!run_is_over(run)) {
        uint64_t now_ns;
        rs_os_sleep_ms(RUN_TICK_MS);
        now_ns = rs_os_now_ns();
        if (!run->args.stats || now_ns - printed_ns < 1000000000u) {
            continue;
        }
        rs_server_stats_read(run->server, now);
        rs_console_stats(run, now, before, now_ns - printed_ns);
        *before = *now;
        printed_ns = now_ns;
    }
}

/* ---- the record */

typedef struct run_figures {
    const rs_server_run *run;
    const rs_server_stats *stats;
} run_figures;

static void json_counters(rs_json *json, const rs_counters *counters) {
    rs_json_object(json, "counters");
#define X(member, meaning) rs_json_u64(json, #member, counters->member);
    RS_COUNTER_TABLE(X)
#undef X
    rs_json_end(json);
    rs_json_object(json, "closed");
    for (unsigned i = 0; i < RS_CLOSE_REASONS; i++) {
        rs_json_u64(json, rs_close_reason_text((rs_close_reason)i), counters->closed[i]);
    }
    rs_json_end(json);
}

static void json_members(rs_json *json, const void *ctx) {
    const rs_server_run *run = ((const run_figures *)ctx)->run;
    const rs_server_stats *stats = ((const run_figures *)ctx)->stats;
    rs_record_head(json, run->options.program, run->cfg.backend->name, stats->backend.provider);
    rs_options_json(json, "settings", &run->options, "json");
    rs_json_u64(json, "run_ns", run->end_ns - run->start_ns);
    rs_json_u64(json, "messages", stats->counters.messages_in);
    rs_json_u64(json, "bytes", stats->counters.bytes_in + stats->counters.bytes_out);
    json_counters(json, &stats->counters);
    rs_record_calls(json, &stats->backend, stats->counters.messages_in);
    rs_record_histogram(json, "completions_per_batch", &stats->batch);
    rs_record_histogram(json, "send_completion_ns", &stats->send_ns);
    rs_json_u64(json, "messages_dropped", stats->messages_dropped);
    rs_json_u64(json, "registered_bytes", stats->registered_bytes);
    rs_json_bool(json, "large_pages", stats->large_pages);
    rs_json_u64(json, "send_blocks_low", stats->blocks_low);
    rs_json_u64(json, "sessions_in_use", stats->sessions_used);
    rs_record_usage(json, &run->usage_start);
}

bool rs_server_run_record(const rs_server_run *run, const rs_server_stats *stats) {
    rs_error error = {.text = ""};
    const run_figures figures = {run, stats};
    RS_ASSERT(run->end_ns >= run->start_ns);
    RS_ASSERT(run->err != NULL);
    if (rs_record_write(run->args.json_path, json_members, &figures, &error) == RS_OK) {
        return true;
    }
    rs_printer_say(run->err, "%s: --json: %s\n", run->options.program, error.text);
    return false;
}
