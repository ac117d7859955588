/* SPDX-License-Identifier: MIT */
/* The option table of loadgen, and the combinations that make no sense. */
#include "loadgen/loadgen_settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "apps/board_wire.h"
#include "core/address.h"
#include "core/assert.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "core/options.h"
#include "loadgen/loadgen_bots.h"
#include "loadgen/loadgen_payload.h"
#include "loadgen/loadgen_plan.h"
#include "seam/os.h"

#define SETTINGS_SECONDS_MAX 86400
#define SETTINGS_SECONDS_DEFAULT 10.0
#define SETTINGS_EXIT_USAGE 2
#define SETTINGS_SIZE_DEFAULT "32"
#define SETTINGS_MOVE_DEFAULT "4" /* RS_BOARD_MOVE_BYTES */
#define SETTINGS_SOURCES_MAX 65535
#define SETTINGS_SHOWN_CHARS 60u /* of a value in an error */
#define SETTINGS_THINK_MAX 3600
#define SETTINGS_CONNECT_RATE_MAX 10000000
#define SETTINGS_SEED_STEP 0x9E3779B9u /* between threads: other patterns */
#define SETTINGS_FIND_SECONDS 2.0      /* of each try of --find-rate */
#define SETTINGS_FIND_WARMUP_S 0.5
#define SETTINGS_RATE_MIN_DEFAULT 98.0 /* per cent; ours */

#define SETTINGS_LOOPBACK(ip) ((ip) >> 24 == 127u)
#define SETTINGS_SOURCE_FIRST 0x7F000002u /* 127.0.0.2 */
/* An address has some 16,000 ports on Windows and 28,000 on Linux, each not to be had for 60 to 120
 * s after use: these last for 30,000 connections a second. */
#define SETTINGS_CHURN_SOURCES 250u

static const rs_option load_rows[] = {
    RS_ROW_STRING(
        rs_load_settings, host, "host", "127.0.0.1",
        "the server: an IPv4 or IPv6 address, or a name, whose first IPv4 address counts"),
    RS_ROW_UINT(rs_load_settings, port, "port", 1, 65535, 4000, "", "port of the server"),
    RS_ROW_LIST(rs_load_settings, target_list, "target",
                "HOST:PORT of several servers; connections go to them in turn (instead of --host "
                "and --port)"),
    RS_ROW_STRING(rs_load_settings, source_text, "source", "0.0.0.0",
                  "first local address to connect from, IPv4 or IPv6 as the server's; 0.0.0.0 = "
                  "127.0.0.2 if the server is on 127.0.0.0/8"),
    RS_ROW_UINT(rs_load_settings, sources, "sources", 0, SETTINGS_SOURCES_MAX, 0, "",
                "local addresses to connect from in turn, each with its own range of ports; "
                "0 = the system's choice (250 unless given, with --churn and a server on "
                "127.0.0.0/8)"),
    RS_ROW_UINT(rs_load_settings, connections, "connections", 1, RS_SESSIONS_MAX, 64, "",
                "connections that send"),
    RS_ROW_UINT(rs_load_settings, threads, "threads", 1, RS_LOAD_THREADS_MAX, 1, "threads",
                "each with its own share of the connections; the results are merged exactly"),
    RS_ROW_UINT(rs_load_settings, idle, "idle", 0, RS_SESSIONS_MAX - 1, 0, "",
                "additional connections that send nothing"),
    RS_ROW_UINT(rs_load_settings, depth, "depth", 1, RS_LOAD_DEPTH_MAX, 1, "",
                "unanswered requests per connection"),
    RS_ROW_STRING(
        rs_load_settings, size_text, "size", SETTINGS_SIZE_DEFAULT,
        "frame length in bytes, header included, 3 to 65535 (15 to 262144 with --app raw, if one "
        "is above 65535): one, a range as 32..512, or a list with weights as 32:80,1k:15,16k:5; "
        "below 15 a frame has no sequence number, "
        "and a lost or reordered reply counts as wrong; with --app board of a move, 4 to "
        "32 (4 unless given)"),
    RS_ROW_STRING(
        rs_load_settings, reply_text, "reply-size", NULL,
        "length of the replies, 11 to 65535 bytes, as --size, or 0: none, and receipts say "
        "what has arrived; the server needs --sized-replies; requests then have 17 bytes "
        "or more (as the request unless given). With --app raw 0 alone: a server that takes "
        "bytes and answers nothing"),
    RS_ROW_DOUBLE(rs_load_settings, seconds, "seconds", 0, SETTINGS_SECONDS_MAX,
                  SETTINGS_SECONDS_DEFAULT, "s", "length of the measurement, after the warm-up"),
    RS_ROW_DOUBLE(rs_load_settings, warmup_s, "warmup", 0, SETTINGS_SECONDS_MAX, 1, "s",
                  "results before this are dropped; starts when every connection has had its first "
                  "reply (0 unless given, with --messages, --ramp and --churn)"),
    RS_ROW_UINT(rs_load_settings, messages, "messages", 0, UINT32_MAX, 0, "",
                "stop after this many requests; 0 = by time"),
    RS_ROW_UINT(rs_load_settings, rate, "rate", 0, RS_PLAN_RATE_MAX, 0, "messages/s",
                "open loop over all connections; 0 = closed loop"),
    RS_ROW_DOUBLE(rs_load_settings, rate_min_percent, "rate-min", 0, 100, SETTINGS_RATE_MIN_DEFAULT,
                  "%",
                  "minimum share of --rate; below it the run is overloaded and the exit "
                  "code is 1; 0 = no minimum"),
    RS_ROW_CHOICE(rs_load_settings, arrivals, "arrivals", "fixed|poisson", RS_ARRIVALS_FIXED,
                  "of an open loop: at equal distances, or at random as of independent users"),
    RS_ROW_STRING(
        rs_load_settings, find_rate, "find-rate", NULL,
        "pN=TIME, such as p99=2ms: search for the highest rate with that percentile "
        "within TIME; each try takes --warmup and --seconds (0.5 s and 2 s unless given)"),
    RS_ROW_DOUBLE(rs_load_settings, think_s, "think", 0, SETTINGS_THINK_MAX, 0, "s",
                  "closed loop of depth 1: a connection waits so long between a reply and its next "
                  "request"),
    RS_ROW_CHOICE(rs_load_settings, think_exponential, "think-times", "fixed|exponential", 0,
                  "of --think: always the same, or at random with that mean"),
    RS_ROW_UINT(rs_load_settings, connect_rate, "connect-rate", 0, SETTINGS_CONNECT_RATE_MAX, 0,
                "connections/s", "open no more connections a second; 0 = no limit"),
    RS_ROW_BOOL(rs_load_settings, ramp, "ramp", false,
                "connect all at once; measure the time until each has its first reply"),
    RS_ROW_BOOL(rs_load_settings, churn, "churn", false,
                "connect, send some messages, close; repeat"),
    RS_ROW_UINT(rs_load_settings, churn_messages, "churn-messages", 1, UINT32_MAX / 4, 10, "",
                "messages per connection (churn: exactly; misbehaving connections: on average)"),
    RS_ROW_UINT(rs_load_settings, churn_total, "churn-total", 0, UINT32_MAX, 0, "",
                "stop after this many connections; 0 = by time"),
    RS_ROW_CHOICE(rs_load_settings, app, "app", "echo|raw|board", RS_LOAD_ECHO,
                  "what the server does: return frames, or any bytes; or the board game, each "
                  "connection a bot that walks"),
    RS_ROW_UINT(rs_load_settings, seed, "seed", 0, UINT32_MAX, 1, "",
                "seed of patterns and misbehaviour"),
    RS_ROW_UINT(rs_load_settings, reset_percent, "reset-percent", 0, 100, 0, "%",
                "connections that end with a reset"),
    RS_ROW_UINT(rs_load_settings, half_close_percent, "half-close-percent", 0, 100, 0, "%",
                "connections that half-close, then read the rest"),
    RS_ROW_UINT(rs_load_settings, slow_percent, "slow-percent", 0, 100, 0, "%",
                "connections that read slowly"),
    RS_ROW_BOOL(rs_load_settings, verify, "verify", true, "compare every byte of every reply"),
    RS_ROW_DOUBLE(rs_load_settings, connect_timeout_s, "connect-timeout", 0, SETTINGS_SECONDS_MAX,
                  10, "s", "timeout of a connect"),
    RS_ROW_DOUBLE(rs_load_settings, timeout_s, "timeout", 0, SETTINGS_SECONDS_MAX, 5, "s",
                  "a reply missing for this long is lost"),
    RS_ROW_BOOL(rs_load_settings, coalesce, "coalesce", true,
                "requests that may be sent at once go out together; off: each is written by a call "
                "of its own, as by writers that share a connection"),
    RS_ROW_UINT(rs_load_settings, sends_in_flight, "sends-in-flight", 1, RS_SENDS_IN_FLIGHT_MAX,
                RS_SENDS_IN_FLIGHT_DEFAULT, "", "sends in flight per connection"),
    RS_ROW_INT(rs_load_settings, sndbuf_bytes, "sndbuf", -1, 1 << 30, -1, "bytes",
               "SO_SNDBUF; -1 = the system's default"),
    RS_ROW_INT(rs_load_settings, rcvbuf_bytes, "rcvbuf", -1, 1 << 30, -1, "bytes",
               "SO_RCVBUF; -1 = the system's default"),
    RS_ROW_BOOL(rs_load_settings, nodelay, "nodelay", true, "TCP_NODELAY"),
    RS_ROW_UINT(rs_load_settings, dequeue_batch, "dequeue-batch", 1, RS_COMPLETIONS_PER_POLL_MAX,
                64, "", "maximum completions per poll; the clock is read once per batch"),
    RS_ROW_INT(rs_load_settings, pin, "pin", -1, 1023, -1, "",
               "processor to run on, thread i on PIN + i; -1 = the system's choice"),
    RS_ROW_CHOICE(rs_load_settings, progress, "progress", "auto|on|off", RS_PROGRESS_AUTO,
                  "print one line per second; auto = only on a terminal"),
    RS_ROW_STRING(
        rs_load_settings, json_path, "json", NULL,
        "write the results to this file; - = standard output, and the table goes to standard "
        "error"),
    RS_ROW_STRING(rs_load_settings, hdr_path, "hdr", NULL,
                  "write the whole latency histogram to this file, in the text format of "
                  "HdrHistogram's plotter"),
    RS_ROW_STRING(rs_load_settings, series_path, "series", NULL,
                  "write a row for each second to this CSV file (rate, p50, p99, own CPU), and to "
                  "the JSON"),
    RS_ROW_STRING(rs_load_settings, per_connection_path, "per-connection", NULL,
                  "write a row for each connection to this file: CSV, or JSON if it ends in .json"),
};
const rs_option_table rs_load_options = {load_rows, RS_ROWS(load_rows), NULL};

static uint64_t settings_buffer_bytes(const rs_load_settings *s) {
    /* At worst one frame each for receiving and for every send, and the books' window. */
    const uint32_t reply = s->reply.count > 0 ? s->reply.max : s->size.max;
    uint64_t each =
        (uint64_t)s->size.max * s->sends_in_flight + reply + (uint64_t)s->depth * 4u * 8u;

    if (s->app == RS_LOAD_BOARD) {
        each += RS_LOAD_BOARD_RECV_BYTES + rs_bots_bytes_each(s->connections, s->depth);
    }
    if (s->per_connection_path != NULL) {
        each += sizeof(rs_histogram);
    }
    return each * s->connections;
}

static bool settings_are_loopback(const rs_load_settings *s) {
    for (uint32_t i = 0; i < s->targets; i++) {
        if (!SETTINGS_LOOPBACK(s->target[i].ip)) {
            return false;
        }
    }
    return true;
}

/* Without the options: many for churn on loopback, where ports run out, else none. */
static void settings_sources(rs_load_settings *s) {
    const bool loopback = settings_are_loopback(s), any = rs_addr_is_any(&s->source);
    if (!rs_options_given(&s->options, "sources")) {
        s->sources = !any ? 1u : s->churn && loopback ? SETTINGS_CHURN_SOURCES : 0;
    }
    if (s->sources > 0 && any && loopback) {
        s->source = (rs_addr){.ip = SETTINGS_SOURCE_FIRST};
    }
    for (uint32_t i = 0; i < s->targets; i++) {
        s->route[i][0] = s->target[i];
        s->route[i][1] = s->source;
    }
}

/* The same of the board game alone. */
static const char *settings_board_conflict(const rs_load_settings *s) {
    if (s->app != RS_LOAD_BOARD) {
        return NULL;
    }
    if (s->churn || !s->verify || s->threads > 1 || s->targets > 1 ||
        s->reset_percent + s->half_close_percent + s->slow_percent > 0) {
        return "--app board: cannot be combined with --churn, --verify off, --threads, several "
               "targets, --reset-percent, --half-close-percent, --slow-percent";
    }
    if (s->size.min != s->size.max || s->size.min < RS_BOARD_MOVE_BYTES ||
        s->size.max > RS_BOARD_MOVE_BYTES_MAX) {
        return "--size: with --app board one size from 4 to 32 bytes";
    }
    return NULL;
}

static bool settings_is_misdirected(const rs_load_settings *s) {
    return s->target_list.count > 0 &&
           (rs_options_given(&s->options, "host") || rs_options_given(&s->options, "port"));
}

static bool settings_parts_are_empty(const rs_load_settings *s) {
    return s->threads > s->connections || (s->rate != 0 && s->threads > s->rate) ||
           (s->messages != 0 && s->threads > s->messages) ||
           (s->connect_rate != 0 && s->threads > s->connect_rate) ||
           (s->churn_total != 0 && s->threads > s->churn_total);
}

static bool settings_stdout_twice(const rs_load_settings *s) {
    const char *const path[] = {s->json_path, s->hdr_path, s->series_path, s->per_connection_path};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        count += path[i] != NULL && strcmp(path[i], "-") == 0;
    }
    return count > 1;
}

static const char *settings_think_conflict(const rs_load_settings *s) {
    if (s->think_exponential && s->think_s <= 0) {
        return "--think-times: 'exponential' needs --think";
    }
    if (s->think_s > 0 && (s->rate != 0 || s->find_rate != NULL || s->depth > 1 || s->ramp_only)) {
        return "--think: cannot be combined with --rate, --find-rate, --depth above 1, or --ramp "
               "without --seconds or --messages";
    }
    return NULL;
}

static const char *settings_source_conflict(const rs_load_settings *s) {
    const rs_addr last = rs_addr_plus(&s->source, s->sources);
    if (s->sources > 0 && rs_addr_is_any(&s->source)) {
        return "--sources: needs --source, except for a server on 127.0.0.0/8";
    }
    for (uint32_t i = 0; i < s->targets && s->sources > 0; i++) {
        if (s->target[i].family != s->source.family) {
            return "--source: not of the server's family; allowed: IPv4 or IPv6, as the server";
        }
    }
    if (last.ip < s->source.ip || memcmp(last.ip6, s->source.ip6, sizeof last.ip6) < 0) {
        return "--source, --sources: the addresses end before so many, at 255.255.255.255 or "
               "ffff:ffff";
    }
    return NULL;
}

/* NULL, or what does not go together. */
static const char *settings_conflict(const rs_load_settings *s) {
    if (s->reset_percent + s->half_close_percent + s->slow_percent > 100u) {
        return "--reset-percent, --half-close-percent and --slow-percent: more than 100 together";
    }
    if (s->connections + s->idle > RS_SESSIONS_MAX) {
        return "--connections and --idle: more than 1048576 together";
    }
    if (settings_source_conflict(s) != NULL) {
        return settings_source_conflict(s);
    }
    if (settings_is_misdirected(s)) {
        return "--target: cannot be combined with --host, --port";
    }
    if (s->targets > s->connections) {
        return "--target: more than --connections; allowed: a connection for each";
    }
    if (s->ramp && s->connect_rate != 0) {
        return "--connect-rate: cannot be combined with --ramp, which connects all at once";
    }
    if (settings_think_conflict(s) != NULL) {
        return settings_think_conflict(s);
    }
    if (s->ramp && s->churn) {
        return "--ramp and --churn: choose one";
    }
    if (s->ramp && s->reset_percent + s->half_close_percent + s->slow_percent > 0) {
        return "--ramp: cannot be combined with --reset-percent, --half-close-percent, "
               "--slow-percent";
    }
    if (s->churn_total != 0 && !s->churn) {
        return "--churn-total: needs --churn";
    }
    if (s->timeout_s <= 0.0 || s->connect_timeout_s <= 0.0) {
        return "--timeout, --connect-timeout: must be above 0 s, so that the run ends";
    }
    if (s->arrivals == RS_ARRIVALS_POISSON && s->rate == 0 && s->find_rate == NULL) {
        return "--arrivals: 'poisson' needs --rate or --find-rate";
    }
    if (s->find_rate != NULL &&
        (s->rate != 0 || s->messages != 0 || s->ramp || s->churn || s->seconds <= 0.0)) {
        return "--find-rate: cannot be combined with --rate, --messages, --ramp, --churn or "
               "--seconds 0";
    }
    if (settings_parts_are_empty(s)) {
        return "--threads: more than --connections, --rate, --messages, --connect-rate or "
               "--churn-total; allowed: a share of each for every thread";
    }
    if (s->threads > 1 && s->series_path != NULL) {
        return "--series: cannot be combined with --threads above 1";
    }
    if (settings_stdout_twice(s)) {
        return "--json, --hdr, --series, --per-connection: '-' more than once; allowed: one of "
               "them on standard output";
    }
    if (s->reply.count > 0 && s->app != RS_LOAD_ECHO && !rs_load_sinks(s)) {
        return "--reply-size: needs --app echo; 0 may have --app raw";
    }
    if (s->reply.count > 0 && !rs_load_sinks(s) && s->size.min < RS_PAYLOAD_ASKING_BYTES) {
        return "--size: with --reply-size from 17 to 65535 bytes";
    }
    if (rs_load_streams(s) && s->size.min < RS_PAYLOAD_ID_FRAME_BYTES) {
        return "--size: with one above 65535 from 15 to 262144 bytes";
    }
    if (rs_load_pushes(s) && s->find_rate != NULL) {
        return "--reply-size: '0' cannot be combined with --find-rate: what is not answered has "
               "no latency";
    }
    if (settings_buffer_bytes(s) > RS_LOAD_MEMORY_BYTES_MAX) {
        return "--connections, --depth, --size, --reply-size: more than 8 GiB of buffers together";
    }
    return settings_board_conflict(s);
}

/* --size and --reply-size. False: one is none, and a line says so. */
static bool settings_size(const char *option, const char *text, uint32_t min, uint32_t max,
                          rs_sizes *out) {
    const char *wrong = rs_sizes_parse(out, text, min, max);
    if (wrong != NULL) {
        (void)fprintf(stderr,
                      "loadgen: --%s: '%.60s' %s; allowed: %s%u to %u bytes, a range as 32..512, a "
                      "list of at most %u with weights as 32:80,1k:15\n",
                      option, text, wrong, min > RS_FRAME_HEADER_BYTES ? "0 alone, " : "", min, max,
                      RS_SIZES_MAX);
    }
    return wrong == NULL;
}

/* A host as the resolver knows it, in brackets or not. False: it is none, and *out is as it was. */
static bool settings_host(const char *host, rs_addr *out, rs_error *error) {
    char inner[RS_LOAD_TARGET_BYTES];
    const size_t bytes = strlen(host);
    rs_addr found;
    if (bytes > 2 && bytes < sizeof inner && host[0] == '[' && host[bytes - 1] == ']') {
        (void)snprintf(inner, sizeof inner, "%.*s", (int)bytes - 2, host + 1);
        host = inner;
    }
    if (rs_os_resolve(host, &found, error) != RS_OK) {
        return false;
    }
    found.port = out->port;
    *out = found;
    return true;
}

/* HOST:PORT, an IPv6 address in brackets. False: it is none; error->text says so of a host. */
static bool settings_target(const char *text, size_t bytes, rs_addr *out, rs_error *error) {
    static const rs_option port = {.kind = RS_OPT_DOUBLE, .min = 1, .max = 65535, .unit = ""};
    char copy[RS_LOAD_TARGET_BYTES];
    char *colon;
    double number;
    error->text[0] = '\0';
    if (bytes >= sizeof copy) {
        return false;
    }
    (void)snprintf(copy, sizeof copy, "%.*s", (int)bytes, text);
    colon = strrchr(copy, ':');
    if (colon == NULL || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        rs_option_number(&port, colon + 1, &number) != NULL) {
        return false;
    }
    *colon = '\0';
    out->port = (uint16_t)number;
    /* Without brackets a colon is in doubt. */
    return (strchr(copy, ':') == NULL || copy[0] == '[') && settings_host(copy, out, error);
}

static bool settings_targets(rs_load_settings *s) {
    rs_error error;
    s->targets = s->target_list.count > 0 ? s->target_list.count : 1;
    s->target[0] = (rs_addr){.port = s->port};
    if (s->target_list.count == 0 && !settings_host(s->host, &s->target[0], &error)) {
        (void)fprintf(stderr, "loadgen: --host: %s\n", error.text);
        return false;
    }
    for (uint32_t i = 0; i < s->target_list.count; i++) {
        const char *text = s->target_list.item[i].text;
        const uint32_t bytes = s->target_list.item[i].bytes;

        if (settings_target(text, bytes, &s->target[i], &error)) {
            continue;
        }
        if (error.text[0] != '\0') {
            (void)fprintf(stderr, "loadgen: --target: %s\n", error.text);
        } else {
            (void)fprintf(stderr,
                          "loadgen: --target: '%.*s' is no target; allowed: HOST:PORT, a name or "
                          "an address (IPv6 in brackets) and a port\n",
                          (int)(bytes < SETTINGS_SHOWN_CHARS ? bytes : SETTINGS_SHOWN_CHARS), text);
        }
        return false;
    }
    return true;
}

static bool settings_source(rs_load_settings *s) {
    const bool ok = rs_addr_parse(s->source_text, &s->source);
    if (!ok) {
        (void)fprintf(stderr,
                      "loadgen: --source: '%.60s' is no address; allowed: A.B.C.D, or an IPv6 "
                      "address\n",
                      s->source_text);
    }
    return ok;
}

static bool settings_sizes(rs_load_settings *s) {
    if (s->app == RS_LOAD_BOARD && !rs_options_given(&s->options, "size")) {
        s->size_text = SETTINGS_MOVE_DEFAULT;
    }
    if (!settings_size("size", s->size_text, RS_FRAME_HEADER_BYTES,
                       s->app == RS_LOAD_RAW ? RS_PAYLOAD_BYTES_MAX : RS_FRAME_BYTES_MAX,
                       &s->size)) {
        return false;
    }
    if (s->reply_text != NULL && strcmp(s->reply_text, "0") == 0) {
        s->reply = rs_sizes_one(0);
        return true;
    }
    return s->reply_text == NULL || settings_size("reply-size", s->reply_text, RS_ASKED_HEAD_BYTES,
                                                  RS_FRAME_BYTES_MAX, &s->reply);
}

/* --find-rate: "p99.9=2ms". False: it is none. */
static bool settings_find_rate(rs_load_settings *s) {
    static const rs_option percent = {.kind = RS_OPT_DOUBLE, .max = 100, .unit = "%"};
    static const rs_option bound = {
        .kind = RS_OPT_DOUBLE, .min = 1, .max = INT64_C(3600000000000), .unit = "ns"};
    const char *text = s->find_rate, *equals = text != NULL ? strchr(text, '=') : NULL;
    char number[16];
    double share, ns;
    if (text == NULL) {
        return true;
    }
    if (text[0] != 'p' || equals == NULL || equals - text > (ptrdiff_t)sizeof number) {
        return false;
    }
    (void)snprintf(number, sizeof number, "%.*s", (int)(equals - text - 1), text + 1);
    if (rs_option_number(&percent, number, &share) != NULL || share <= 0 || share >= 100 ||
        equals[1 + strspn(equals + 1, "0123456789.")] == '\0' || /* a time has its unit */
        rs_option_number(&bound, equals + 1, &ns) != NULL) {
        return false;
    }
    s->find_x1000 = (uint32_t)(share * 1000.0 + 0.5);
    s->find_ns = (uint64_t)ns;
    return s->find_x1000 > 0;
}

static const char *settings_complete(rs_load_settings *s) {
    const bool counted = s->messages != 0 || s->churn_total != 0;
    const bool timed = rs_options_given(&s->options, "seconds");
    settings_sources(s);
    s->ramp_only = s->ramp && !timed && s->messages == 0;
    if (!timed) { /* what is recorded is what holds: a ramp alone measures no time */
        s->seconds = counted || s->ramp_only ? 0.0
                     : s->find_rate != NULL  ? SETTINGS_FIND_SECONDS
                                             : SETTINGS_SECONDS_DEFAULT;
    } else if (s->seconds <= 0.0 && !counted) {
        return "--seconds: '0' needs --messages or --churn-total; allowed: above 0 to 86400 s";
    }
    if (!rs_options_given(&s->options, "warmup") && (counted || s->ramp || s->churn)) {
        s->warmup_s = 0.0;
    } else if (!rs_options_given(&s->options, "warmup") && s->find_rate != NULL) {
        s->warmup_s = SETTINGS_FIND_WARMUP_S;
    }
    return settings_conflict(s);
}

int rs_load_settings_read(rs_load_settings *settings, int argc, const char *const *argv) {
    const char *conflict;
    int exit_code;
    memset(settings, 0, sizeof *settings);
    settings->options.program = "loadgen";
    settings->options.summary =
        "sends framed requests, checks every byte of the replies and measures their latency";
    rs_options_add(&settings->options, &rs_load_options, settings, NULL);
    exit_code = rs_options_read(&settings->options, argc, argv);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (!settings_find_rate(settings)) {
        (void)fprintf(
            stderr,
            "loadgen: --find-rate: '%.60s' is no bound; allowed: pN=TIME, a percentile and "
            "its bound with a unit, such as p99=2ms\n",
            settings->find_rate);
        return SETTINGS_EXIT_USAGE;
    }
    if (!settings_targets(settings) || !settings_source(settings) || !settings_sizes(settings)) {
        return SETTINGS_EXIT_USAGE;
    }
    conflict = settings_complete(settings);
    if (conflict != NULL) {
        (void)fprintf(stderr, "loadgen: %s\n", conflict);
        return SETTINGS_EXIT_USAGE;
    }
    return -1;
}

bool rs_load_streams(const rs_load_settings *settings) {
    return settings->size.max > RS_FRAME_BYTES_MAX;
}

bool rs_load_pushes(const rs_load_settings *settings) {
    return settings->reply.count > 0 && settings->reply.max == 0;
}

bool rs_load_sinks(const rs_load_settings *settings) {
    return rs_load_pushes(settings) && settings->app == RS_LOAD_RAW;
}

uint32_t rs_load_target_of(const rs_load_settings *settings, uint32_t index) {
    return settings->targets > 1 ? (settings->first + index) % settings->targets : 0;
}

const char *rs_load_target_text(const rs_load_settings *settings, uint32_t target, char *out) {
    const rs_addr *addr = &settings->target[target];
    if (settings->target_list.count > 0) {
        (void)snprintf(out, RS_LOAD_TARGET_BYTES, "%.*s",
                       (int)settings->target_list.item[target].bytes,
                       settings->target_list.item[target].text);
    } else {
        (void)rs_addr_text(addr, out);
    }
    return out;
}

/* Of `all`: the first ones have one more if it does not come out even. */
static uint32_t settings_share(uint32_t all, uint32_t threads, uint32_t index) {
    return all / threads + (index < all % threads ? 1u : 0u);
}

void rs_load_settings_part(const rs_load_settings *settings, uint32_t index, rs_load_settings *out,
                           uint32_t *first) {
    const uint32_t threads = settings->threads;
    RS_ASSERT(index < threads && !settings_parts_are_empty(settings));
    *out = *settings;
    out->connections_all = settings->connections;
    out->connections = settings_share(settings->connections, threads, index);
    out->idle = settings_share(settings->idle, threads, index);
    out->rate = settings_share(settings->rate, threads, index);
    out->connect_rate = settings_share(settings->connect_rate, threads, index);
    out->messages = settings_share(settings->messages, threads, index);
    out->churn_total = settings_share(settings->churn_total, threads, index);
    out->seed = settings->seed + index * SETTINGS_SEED_STEP;
    out->pin = settings->pin < 0 ? -1 : settings->pin + (int32_t)index;
    *first = 0;
    for (uint32_t i = 0; i < index; i++) {
        *first += settings_share(settings->connections, threads, i);
    }
    out->first = *first;
}
