/* Options to configuration, a loop of one-second statistics, and the JSON object at the end. */
#include "server/server_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/echo.h"
#include "core/json.h"
#include "core/options.h"
#include "ringside.h"
#include "seam/atomics.h"
#include "seam/files.h"
#include "seam/os.h"
#include "server/printer.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

#define MAIN_OPTIONS_MAX 48u
#define MAIN_HELP_BYTES 16384u
#define MAIN_JSON_BYTES 32768u
#define MAIN_TICK_MS 20u

typedef enum main_app { MAIN_APP_ECHO, MAIN_APP_RAW } main_app;

typedef struct server_args {
    rs_server_config cfg;
    uint32_t port;
    int app, logic;
    int buffers, accept_mode, gqcs, rio_wait, rio_notify_by, rio_registration;
    bool stats;
    double duration_s;
    const char *json_path;
} server_args;

typedef struct option_list {
    rs_option option[MAIN_OPTIONS_MAX];
    size_t count;
} option_list;

typedef struct server_run {
    const char *program;
    const rs_backend_api *backend;
    server_args args;
    option_list list; /* into args: what was asked for, for the record */
    rs_server *server;
    rs_printer *out, *err; /* from the start of the server on */
    rs_atomic_u32 stop_asked;
    rs_os_usage usage_start;
    uint64_t start_ns, end_ns;
} server_run;

/* ---- options */

static rs_option *list_add(option_list *list, const char *name, rs_option_kind kind, void *target,
                           const char *unit, const char *help) {
    rs_option *option = &list->option[list->count++];
    *option = (rs_option){
        .name = name, .kind = kind, .target = target, .unit = unit, .help = help, .choices = ""};
    return option;
}

static void list_range(option_list *list, const char *name, rs_option_kind kind, void *target,
                       int64_t min, int64_t max, const char *unit, const char *help) {
    rs_option *option = list_add(list, name, kind, target, unit, help);
    option->min = min;
    option->max = max;
}

static void list_choice(option_list *list, const char *name, int *target, const char *choices,
                        const char *help) {
    list_add(list, name, RS_OPT_CHOICE, target, "", help)->choices = choices;
}

static void list_server(option_list *list, server_args *args) {
    rs_server_config *cfg = &args->cfg;
    list_add(list, "host", RS_OPT_ADDR, &cfg->addr.ip, "", "IPv4 address to listen on");
    list_range(list, "port", RS_OPT_U32, &args->port, 0, 65535, "", "TCP port; 0 picks a free one");
    list_range(list, "workers", RS_OPT_U32, &cfg->workers, 1, RS_SHARDS_MAX, "threads",
               "shards, one thread each");
    list_choice(list, "app", &args->app, "echo|raw",
                "echo: frames back as they came; raw: bytes, unframed");
    list_choice(list, "logic", &args->logic, "io|thread",
                "where the application runs: on the workers, or on one thread for all of them");
    list_range(list, "max-sessions", RS_OPT_U32, &cfg->sessions_max, 1, RS_SESSIONS_MAX, "sessions",
               "of the whole server; more connections than this are closed");
    list_range(list, "max-frame", RS_OPT_U32, &cfg->frame_bytes_max, RS_FRAME_HEADER_BYTES,
               RS_FRAME_BYTES_MAX, "bytes", "longest frame, header included");
    list_range(list, "recv-buffer", RS_OPT_U32, &cfg->recv_bytes, 0, 1 << 20, "bytes",
               "receive slice of a session; 0 = max-frame in whole pages");
    list_range(list, "send-block", RS_OPT_U32, &cfg->send_block_bytes, 0, 1 << 20, "bytes",
               "one send block, at least 4096; 0 = max-frame in whole pages");
    list_range(list, "send-blocks", RS_OPT_U32, &cfg->send_blocks, 0, 1 << 24, "blocks",
               "send blocks of a worker; 0 = what its sessions need, and 64 for broadcasts");
    list_range(list, "max-queued", RS_OPT_U32, &cfg->queued_bytes_max, 1, RS_QUEUED_BYTES_MAX,
               "bytes",
               "limit of a session's send queue: it is read from only while the answers fit; "
               "closed as slow-consumer when none of its sends completes for a second, or the "
               "application sends more");
    list_range(list, "sends-in-flight", RS_OPT_U32, &cfg->sends_in_flight, 1,
               RS_SENDS_IN_FLIGHT_MAX, "sends", "sends a session may have with the kernel");
    list_range(list, "idle-timeout", RS_OPT_U32, &cfg->idle_timeout_ms, 0, 86400000, "ms",
               "no whole frame for so long ends a session; 0 = never");
    list_range(list, "drain-timeout", RS_OPT_U32, &cfg->drain_timeout_ms, 0, 600000, "ms",
               "time to flush what is queued when a session or the server ends");
    list_add(list, "coalesce", RS_OPT_BOOL, &cfg->coalesce, "",
             "gather messages behind a send in flight into one block");
    list_choice(list, "buffers", &args->buffers, "slab|heap",
                "page-aligned slab, or unaligned memory of malloc");
    list_add(list, "large-pages", RS_OPT_BOOL, &cfg->large_pages, "",
             "ask for large pages for the slab");
    list_range(list, "pin", RS_OPT_I32, &cfg->pin_first_cpu, -1, 4095, "",
               "worker i on processor PIN + i; -1 = wherever the system likes");
    list_add(list, "stats", RS_OPT_BOOL, &args->stats, "", "print one line a second");
    list_add(list, "json", RS_OPT_STRING, (void *)&args->json_path, "",
             "write the final figures to this file");
    list_range(list, "duration", RS_OPT_DOUBLE, &args->duration_s, 0, 86400, "s",
               "stop by itself after so long; 0 = run until Ctrl+C");
}

static void list_refuse(option_list *list, size_t from, const rs_backend_api *backend,
                        uint32_t setting, const char *who) {
    for (size_t i = from; i < list->count; i++) {
        if ((backend->settings & setting) == 0) {
            list->option[i].refusal = who;
        }
    }
}

static void list_sockets(option_list *list, server_args *args, const rs_backend_api *backend) {
    rs_tuning *tuning = &args->cfg.tuning;
    size_t at = list->count;
    list_range(list, "sndbuf", RS_OPT_I32, &tuning->sndbuf_bytes, -1, 1 << 30, "bytes",
               "SO_SNDBUF; 0 = no buffering, -1 = the system's default");
    list_refuse(list, at, backend, RS_SET_SNDBUF, "this server's sockets have no send buffer");
    at = list->count;
    list_range(list, "rcvbuf", RS_OPT_I32, &tuning->rcvbuf_bytes, -1, 1 << 30, "bytes",
               "SO_RCVBUF; -1 = the system's default");
    list_refuse(list, at, backend, RS_SET_RCVBUF, "this server's sockets have no receive buffer");
    list_add(list, "nodelay", RS_OPT_BOOL, &tuning->nodelay, "", "TCP_NODELAY");
    list_range(list, "dequeue-batch", RS_OPT_U32, &tuning->dequeue_batch, 1,
               RS_COMPLETIONS_PER_POLL_MAX, "completions", "most completions taken in one call");
    at = list->count;
    list_choice(list, "accept", &args->accept_mode, "overlapped|thread",
                "AcceptEx on the port, or a thread in accept()");
    list_refuse(list, at, backend, RS_SET_ACCEPT_MODE, "only iocp_server and rio_server can");
    at = list->count;
    list_range(list, "accepts", RS_OPT_U32, &tuning->accepts, 1, RS_ACCEPTS_MAX, "accepts",
               "AcceptEx calls outstanding");
    list_refuse(list, at, backend, RS_SET_ACCEPTS, "only iocp_server and rio_server can");
    list_range(list, "backlog", RS_OPT_U32, &tuning->backlog, 1, 65535, "connections",
               "listen() backlog");
    at = list->count;
    list_add(list, "backlog-hint", RS_OPT_BOOL, &tuning->backlog_hint, "",
             "pass the backlog as SOMAXCONN_HINT");
    list_refuse(list, at, backend, RS_SET_BACKLOG_HINT, "only iocp_server and rio_server can");
}

static void list_iocp(option_list *list, server_args *args, const rs_backend_api *backend) {
    rs_tuning *tuning = &args->cfg.tuning;
    size_t at = list->count;
    list_add(list, "skip-on-success", RS_OPT_BOOL, &tuning->skip_on_success, "",
             "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS");
    list_range(list, "inline-max", RS_OPT_U32, &tuning->inline_max, 1, 65536, "completions",
               "inline completions before the port gets its turn");
    list_refuse(list, at, backend, RS_SET_SKIP, "only iocp_server can");
    at = list->count;
    list_add(list, "zero-byte-recv", RS_OPT_BOOL, &tuning->zero_byte_recv, "",
             "wait with a zero-byte WSARecv, so that no page is locked while idle");
    list_refuse(list, at, backend, RS_SET_ZERO_BYTE_RECV, "only iocp_server can");
    at = list->count;
    list_choice(list, "gqcs", &args->gqcs, "ex|single",
                "GetQueuedCompletionStatusEx, or one completion a call");
    list_refuse(list, at, backend, RS_SET_GQCS_SINGLE, "only iocp_server can");
}

static void list_rio(option_list *list, server_args *args, const rs_backend_api *backend) {
    rs_tuning *tuning = &args->cfg.tuning;
    size_t at = list->count;
    list_choice(list, "rio-wait", &args->rio_wait, "poll|spin|notify",
                "how a worker waits on its completion queue");
    list_range(list, "spin-us", RS_OPT_U32, &tuning->spin_us, 0, 1000000, "us",
               "time to poll before arming the notification");
    list_choice(list, "rio-notify-by", &args->rio_notify_by, "iocp|event",
                "what RIONotify signals");
    list_choice(list, "rio-registration", &args->rio_registration, "slab|session",
                "one registration a worker, or one for each session's requests");
    list_add(list, "rio-defer", RS_OPT_BOOL, &tuning->rio_defer, "",
             "defer requests and commit once per queue and direction");
    list_add(list, "rio-verify", RS_OPT_BOOL, &tuning->rio_verify, "",
             "check every use of RIO against its contract");
    list_add(list, "rio-provider", RS_OPT_STRING, (void *)&tuning->rio_provider, "",
             "DLL to take the RIO functions from where the system has none");
    list_refuse(list, at, backend, RS_SET_RIO, "only rio_server can");
}

static void args_defaults(server_args *args, const rs_backend_api *backend) {
    memset(args, 0, sizeof *args);
    rs_server_config_init(&args->cfg, backend);
    args->port = args->cfg.addr.port;
    args->rio_wait = (int)args->cfg.tuning.rio_wait;
    args->rio_notify_by = (int)args->cfg.tuning.rio_notify_by;
    args->rio_registration = (int)args->cfg.tuning.rio_registration;
    args->accept_mode = (int)args->cfg.tuning.accept_mode;
}

static void args_apply(server_args *args) {
    rs_server_config *cfg = &args->cfg;
    cfg->addr.port = (uint16_t)args->port;
    cfg->app = args->app == MAIN_APP_RAW ? rs_app_raw : rs_app_echo;
    cfg->heap_buffers = args->buffers == 1;
    cfg->logic_thread = args->logic == 1;
    cfg->tuning.accept_mode = (rs_accept_mode)args->accept_mode;
    cfg->tuning.gqcs_single = args->gqcs == 1;
    cfg->tuning.rio_wait = (rs_rio_wait)args->rio_wait;
    cfg->tuning.rio_notify_by = (rs_rio_notify_by)args->rio_notify_by;
    cfg->tuning.rio_registration = (rs_rio_registration)args->rio_registration;
}

static int print_help(const server_run *run, const option_list *list) {
    char *text = malloc(MAIN_HELP_BYTES);
    if (text == NULL) {
        return 1;
    }
    (void)rs_options_help(run->program, "a Ringside server; every option has a default",
                          list->option, list->count, text, MAIN_HELP_BYTES);
    (void)fputs(text, stdout);
    free(text);
    return 0;
}

/* True: go on. False: *exit_code says how it ended. */
static bool args_read(server_run *run, int argc, const char *const *argv, int *exit_code) {
    option_list *list = &run->list;
    char error[256];
    args_defaults(&run->args, run->backend);
    list_server(list, &run->args);
    list_sockets(list, &run->args, run->backend);
    list_iocp(list, &run->args, run->backend);
    list_rio(list, &run->args, run->backend);
    switch (rs_options_parse(list->option, list->count, argc, argv, error, sizeof error)) {
    case RS_OPTIONS_HELP:
        *exit_code = print_help(run, list);
        return false;
    case RS_OPTIONS_ERROR:
        (void)fprintf(stderr, "%s: %s\n", run->program, error);
        *exit_code = 2;
        return false;
    case RS_OPTIONS_RUN:
        break;
    }
    args_apply(&run->args);
    return true;
}

/* ---- JSON */

static void json_known(rs_json *json, const char *key, bool known, uint64_t value) {
    if (known) {
        rs_json_u64(json, key, value);
    } else {
        rs_json_null(json, key);
    }
}

static void json_histogram(rs_json *json, const char *key, const rs_histogram *histogram) {
    rs_json_object(json, key);
    rs_json_u64(json, "count", histogram->count);
    rs_json_double(json, "mean", rs_histogram_mean(histogram));
    rs_json_u64(json, "p50", rs_histogram_percentile(histogram, 50000));
    rs_json_u64(json, "p99", rs_histogram_percentile(histogram, 99000));
    rs_json_u64(json, "max", histogram->count != 0 ? histogram->max : 0);
    rs_json_end(json);
}

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

static uint64_t kernel_calls_total(const rs_backend_stats *stats) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < stats->count; i++) {
        total += stats->stat[i].is_call ? stats->stat[i].value : 0;
    }
    return total;
}

static void json_backend(rs_json *json, const rs_server_stats *stats) {
    uint64_t total = kernel_calls_total(&stats->backend);
    rs_json_object(json, "kernel_calls");
    for (uint32_t i = 0; i < stats->backend.count; i++) {
        if (stats->backend.stat[i].is_call) {
            rs_json_u64(json, stats->backend.stat[i].name, stats->backend.stat[i].value);
        }
    }
    rs_json_end(json);
    rs_json_object(json, "backend_counters");
    for (uint32_t i = 0; i < stats->backend.count; i++) {
        if (!stats->backend.stat[i].is_call) {
            rs_json_u64(json, stats->backend.stat[i].name, stats->backend.stat[i].value);
        }
    }
    rs_json_end(json);
    rs_json_u64(json, "kernel_calls_total", total);
    if (stats->counters.messages_in != 0) {
        rs_json_double(json, "kernel_calls_per_message",
                       (double)total / (double)stats->counters.messages_in);
    } else {
        rs_json_null(json, "kernel_calls_per_message");
    }
}

static void json_usage(rs_json *json, const server_run *run) {
    rs_os_usage now;
    const rs_os_usage *then = &run->usage_start;
    rs_os_usage_read(&now);
    json_known(json, "user_ns", now.known & RS_USE_CPU, now.user_ns - then->user_ns);
    json_known(json, "kernel_ns", now.known & RS_USE_CPU, now.kernel_ns - then->kernel_ns);
    json_known(json, "cycles", now.known & RS_USE_CYCLES, now.cycles - then->cycles);
    json_known(json, "context_switches", now.known & RS_USE_SWITCHES,
               now.context_switches - then->context_switches);
    json_known(json, "page_faults", now.known & RS_USE_FAULTS, now.page_faults - then->page_faults);
    json_known(json, "working_set_bytes", now.known & RS_USE_WORKING_SET, now.working_set_bytes);
    json_known(json, "working_set_peak_bytes", now.known & RS_USE_WORKING_SET,
               now.working_set_peak_bytes);
    json_known(json, "nonpaged_pool_bytes", now.known & RS_USE_NONPAGED, now.nonpaged_pool_bytes);
    json_known(json, "nonpaged_pool_machine_bytes", now.known & RS_USE_NONPAGED_MACHINE,
               now.nonpaged_pool_machine_bytes);
    json_known(json, "locked_bytes", now.known & RS_USE_LOCKED, now.locked_bytes);
}

static bool json_build(const server_run *run, const rs_server_stats *stats, char *text,
                       size_t *length) {
    rs_json json;
    rs_json_init(&json, text, MAIN_JSON_BYTES);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "program", run->program);
    rs_json_string(&json, "backend", run->backend->name);
    rs_json_string(&json, "provider", stats->backend.provider);
    rs_json_string(&json, "platform", rs_os_platform());
    rs_json_bool(&json, "wine", rs_os_is_wine());
    if (rs_os_is_wine()) {
        rs_json_string(&json, "warning",
                       "taken under Wine: not a statement about Windows, nor about RIO against "
                       "IOCP");
    }
    rs_json_string(&json, "commit", RS_COMMIT);
    rs_options_json(&json, "settings", run->list.option, run->list.count, "json");
    rs_json_u64(&json, "run_ns", run->end_ns - run->start_ns);
    rs_json_u64(&json, "messages", stats->counters.messages_in);
    rs_json_u64(&json, "bytes", stats->counters.bytes_in + stats->counters.bytes_out);
    json_counters(&json, &stats->counters);
    json_backend(&json, stats);
    json_histogram(&json, "completions_per_batch", &stats->batch);
    json_histogram(&json, "send_completion_ns", &stats->send_ns);
    rs_json_u64(&json, "mails_dropped", stats->mails_dropped);
    rs_json_u64(&json, "registered_bytes", stats->registered_bytes);
    rs_json_bool(&json, "large_pages", stats->large_pages);
    rs_json_u64(&json, "send_blocks_low", stats->blocks_low);
    rs_json_u64(&json, "sessions_in_use", stats->sessions_used);
    json_usage(&json, run);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}

/* Found out before the run, not after it; an earlier result stays until there is a new one. */
static int json_check(const server_run *run) {
    rs_error error = {.text = ""};
    const rs_status status = run->args.json_path != NULL
                                 ? rs_file_check(run->args.json_path, MAIN_JSON_BYTES, &error)
                                 : RS_OK;
    if (status != RS_OK) {
        (void)fprintf(stderr, "%s: --json: %s\n", run->program, error.text);
    }
    return status == RS_OK ? 0 : status == RS_E_INVALID ? 2 : 1;
}

static bool json_write(const server_run *run, const rs_server_stats *stats) {
    rs_error error = {.text = "out of memory for the figures"};
    size_t length = 0;
    char *text = malloc(MAIN_JSON_BYTES + 1u);
    bool ok = text != NULL && json_build(run, stats, text, &length);
    if (ok) {
        text[length++] = '\n';
        ok = rs_file_replace(run->args.json_path, text, length, &error) == RS_OK;
    }
    free(text);
    if (!ok) {
        rs_printer_say(run->err, "%s: --json: %s\n", run->program, error.text);
    }
    return ok;
}

/* ---- running */

static void run_on_stop(void *arg) {
    server_run *run = arg;
    rs_atomic_store_u32(&run->stop_asked, 1);
}

static void print_stats_line(const server_run *run, const rs_server_stats *now,
                             const rs_server_stats *before, uint64_t elapsed_ns) {
    double seconds = (double)elapsed_ns / 1e9;
    uint64_t messages = now->counters.messages_in - before->counters.messages_in;
    uint64_t bytes = now->counters.bytes_in - before->counters.bytes_in + now->counters.bytes_out -
                     before->counters.bytes_out;
    uint64_t calls = kernel_calls_total(&now->backend) - kernel_calls_total(&before->backend);
    rs_printer_say(run->out,
                   "sessions %u accepted %" PRIu64 " refused %" PRIu64
                   " messages/s %.0f MB/s %.2f kernel-calls/message %.2f\n",
                   now->sessions_open, now->counters.accepted, now->counters.refused,
                   (double)messages / seconds, (double)bytes / seconds / 1e6,
                   messages != 0 ? (double)calls / (double)messages : 0.0);
}

/* Ends that a client may not have meant, and what decides about each; NULL: not our doing. */
static const char *cut_advice(rs_close_reason reason) {
    switch (reason) {
    case RS_CLOSE_PROTOCOL:
        return "malformed frame, or one above --max-frame";
    case RS_CLOSE_IDLE:
        return "no whole frame for --idle-timeout";
    case RS_CLOSE_SLOW_CONSUMER:
        return "it did not read what it was sent, up to --max-queued";
    case RS_CLOSE_NO_BUFFERS:
        return "no send block left: --send-blocks, or the system is out of memory";
    case RS_CLOSE_TRUNCATED_SEND:
        return "the system sent less than was asked for";
    case RS_CLOSE_ERROR:
        return "the system reported an error";
    default:
        return NULL;
    }
}

/* One line for all that were cut since `before`: whoever is cut is told nothing by TCP. */
static void print_cuts(const server_run *run, const rs_counters *now, const rs_counters *before) {
    char line[RS_PRINTER_LINE_BYTES];
    size_t at = 0;
    for (unsigned i = 0; i < RS_CLOSE_REASONS; i++) {
        const char *advice = cut_advice((rs_close_reason)i);
        uint64_t count = now->closed[i] - before->closed[i];
        if (advice != NULL && count > 0) {
            at += (size_t)snprintf(line + at, sizeof line - at, "%s %" PRIu64 " %s (%s)",
                                   at == 0 ? "" : ",", count,
                                   rs_close_reason_text((rs_close_reason)i), advice);
        }
    }
    if (now->refused != before->refused) {
        at += (size_t)snprintf(line + at, sizeof line - at,
                               "%s %" PRIu64 " refused (--max-sessions are open)",
                               at == 0 ? "" : ",", now->refused - before->refused);
    }
    if (at > 0) {
        rs_printer_say(run->err, "%s: cut off:%s\n", run->program, line);
    }
}

static bool run_is_over(const server_run *run) {
    double seconds = (double)(rs_os_now_ns() - run->start_ns) / 1e9;
    return rs_atomic_load_u32(&run->stop_asked) != 0 || rs_server_has_ended(run->server) ||
           (run->args.duration_s > 0 && seconds >= run->args.duration_s);
}

/* Asks the workers for figures only when there is something to say. */
static void run_loop(server_run *run, rs_server_stats *now, rs_server_stats *before) {
    uint64_t printed_ns = run->start_ns;
    uint64_t ended = 0;
    while (!run_is_over(run)) {
        uint64_t now_ns;
        rs_os_sleep_ms(MAIN_TICK_MS);
        now_ns = rs_os_now_ns();
        if (now_ns - printed_ns < 1000000000u) {
            continue;
        }
        if (run->args.stats || rs_server_ended_count(run->server) != ended) {
            ended = rs_server_ended_count(run->server);
            rs_server_stats_read(run->server, now);
            if (run->args.stats) {
                print_stats_line(run, now, before, now_ns - printed_ns);
            }
            print_cuts(run, &now->counters, &before->counters);
            *before = *now;
        }
        printed_ns = now_ns;
    }
}

/* The figures first: they must not wait for whoever reads what is printed. */
static int run_end(server_run *run, rs_server_stats *stats, const rs_server_stats *before) {
    rs_error error = {.call = NULL};
    int exit_code = 0;
    rs_server_stop(run->server);
    if (rs_server_join(run->server, &error) != RS_OK) {
        rs_printer_say(run->err, "%s: %s\n", run->program, error.text);
        exit_code = 1;
    }
    run->end_ns = rs_os_now_ns();
    rs_server_stats_read(run->server, stats);
    if (run->args.json_path != NULL && !json_write(run, stats)) {
        exit_code = 1;
    }
    print_cuts(run, &stats->counters, &before->counters);
    rs_printer_say(run->out,
                   "stopped: sessions %" PRIu64 " messages %" PRIu64 " bytes in %" PRIu64
                   " out %" PRIu64 " kernel calls %" PRIu64 "\n",
                   stats->counters.accepted, stats->counters.messages_in, stats->counters.bytes_in,
                   stats->counters.bytes_out, kernel_calls_total(&stats->backend));
    rs_server_free(run->server);
    return exit_code;
}

/* What serves: figures mean nothing without it. */
static void print_banner(const server_run *run, const rs_server_stats *stats) {
    const rs_addr *addr = &run->args.cfg.addr;
    rs_printer_say(run->out, "listening on %u.%u.%u.%u:%u\n", addr->ip >> 24, addr->ip >> 16 & 255u,
                   addr->ip >> 8 & 255u, addr->ip & 255u, rs_server_port(run->server));
    rs_printer_say(run->out,
                   "%s, commit %s: back end %s, provider %s, %s, %u worker%s, %u sessions, "
                   "%.1f MiB of buffers\n",
                   run->program, RS_COMMIT, run->backend->name, stats->backend.provider,
                   rs_os_platform(), run->args.cfg.workers, run->args.cfg.workers == 1 ? "" : "s",
                   run->args.cfg.sessions_max, (double)stats->registered_bytes / (1024 * 1024));
    if (rs_os_is_wine()) {
        rs_printer_say(run->out, "under Wine: no figure of this run is about Windows\n");
    }
}

/* From here on Ctrl+C is heard, and nothing waits for who reads what is printed. */
static bool run_open(server_run *run, rs_server_stats **stats) {
    rs_error error = {.text = ""};
    *stats = calloc(2, sizeof **stats);
    if (*stats != NULL && rs_printer_open(&run->out, RS_OS_STDOUT, &error) == RS_OK &&
        rs_printer_open(&run->err, RS_OS_STDERR, &error) == RS_OK &&
        rs_os_on_stop(run_on_stop, run) == RS_OK) {
        return true;
    }
    (void)fprintf(stderr, "%s: out of memory, or no way to notice Ctrl+C\n", run->program);
    return false;
}

static int run_server(server_run *run) {
    rs_error error = {.call = NULL};
    int exit_code = json_check(run);
    rs_server_stats *stats;
    rs_status status;
    if (exit_code != 0) {
        return exit_code;
    }
    status = rs_server_start(&run->server, &run->args.cfg, &error);
    if (status != RS_OK) {
        (void)fprintf(stderr, "%s: %s\n", run->program,
                      error.text[0] != '\0' ? error.text : rs_status_text(status));
        return status == RS_E_INVALID ? 2 : 1;
    }
    if (!run_open(run, &stats)) {
        free(stats);
        return 1; /* the process ends with its threads */
    }
    rs_server_stats_read(run->server, &stats[1]);
    print_banner(run, &stats[1]);
    run->start_ns = rs_os_now_ns();
    rs_os_usage_read(&run->usage_start);
    run_loop(run, &stats[0], &stats[1]);
    exit_code = run_end(run, &stats[0], &stats[1]);
    free(stats);
    (void)rs_printer_close(run->out); /* what nobody reads is given up */
    (void)rs_printer_close(run->err);
    return exit_code;
}

int rs_server_main(const char *program, const rs_backend_api *backend, int argc,
                   const char *const *argv) {
    static server_run run; /* outlives main: the console handler may still look at it */
    int exit_code = 0;
    rs_os_begin();
    run.program = program;
    run.backend = backend;
    if (!args_read(&run, argc, argv, &exit_code)) {
        return exit_code;
    }
    return run_server(&run);
}
