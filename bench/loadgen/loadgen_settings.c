/* The option table of loadgen, and the combinations that make no sense. */
#include "loadgen/loadgen_settings.h"

#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "core/options.h"
#include "loadgen/loadgen_payload.h"
#include "loadgen/loadgen_plan.h"

#define SETTINGS_TEXT_BYTES 16384u
#define SETTINGS_SECONDS_MAX 86400
#define SETTINGS_SECONDS_DEFAULT 10.0
#define SETTINGS_EXIT_USAGE 2
#define SETTINGS_SOURCES_MAX 65535
#define SETTINGS_OPTIONS_MAX 40u
#define SETTINGS_RATE_MIN_DEFAULT 98.0 /* per cent; ours */

#define SETTINGS_LOOPBACK(ip) ((ip) >> 24 == 127u)
#define SETTINGS_SOURCE_FIRST 0x7F000002u /* 127.0.0.2 */
/* An address has some 16,000 ports on Windows and 28,000 on Linux, each not to be had for 60 to 120
 * s after use: these last for 30,000 connections a second. */
#define SETTINGS_CHURN_SOURCES 250u

typedef struct settings_given {
    bool seconds, warmup, sources;
} settings_given;

static rs_load_settings settings_default(void) {
    return (rs_load_settings){
        .addr = {.ip = 0x7F000001u},
        .port = 4000,
        .connections = 64,
        .depth = 1,
        .frame_bytes = 32,
        .seconds = SETTINGS_SECONDS_DEFAULT,
        .warmup_s = 1.0,
        .rate_min_percent = SETTINGS_RATE_MIN_DEFAULT,
        .churn_messages = 10,
        .seed = 1,
        .verify = true,
        .connect_timeout_s = 10.0,
        .timeout_s = 5.0,
        .sends_in_flight = RS_SENDS_IN_FLIGHT_DEFAULT,
        .dequeue_batch = 64,
        .pin = -1,
    };
}

/* A unit that the help text shows, and one for plain counts. */
#define U32(name, member, min, max, unit, help)                                                    \
    { name, RS_OPT_U32, &s->member, (min), (max), NULL, unit, help, NULL, NULL }
#define SECONDS(name, member, help, set)                                                           \
    { name, RS_OPT_DOUBLE, &s->member, 0, SETTINGS_SECONDS_MAX, NULL, "s", help, NULL, set }
#define SWITCH(name, member, help)                                                                 \
    { name, RS_OPT_BOOL, &s->member, 0, 1, NULL, "", help, NULL, NULL }
#define CHOICE(name, member, choices, help)                                                        \
    { name, RS_OPT_CHOICE, &s->member, 0, 0, choices, "", help, NULL, NULL }

/* The table, with its targets in *s and *given; returns how many rows. */
static size_t settings_table(rs_load_settings *s, settings_given *given,
                             rs_option out[SETTINGS_OPTIONS_MAX]) {
    const int64_t u32_max = UINT32_MAX;
    const rs_option options[] = {
        {"host", RS_OPT_ADDR, &s->addr.ip, 0, 0, NULL, "", "server to connect to", NULL, NULL},
        U32("port", port, 1, 65535, "", "its port"),
        {"source", RS_OPT_ADDR, &s->source_ip, 0, 0, NULL, "",
         "first local address to connect from; 0.0.0.0 = 127.0.0.2 for a server there", NULL, NULL},
        {"sources", RS_OPT_U32, &s->sources, 0, SETTINGS_SOURCES_MAX, NULL, "",
         "local addresses to connect from in turn, each with a range of ports of its own; 0 = "
         "the system's choice (250 unless given, with --churn and a server on 127.0.0.0/8)",
         NULL, &given->sources},
        U32("connections", connections, 1, RS_SESSIONS_MAX, "", "connections that send"),
        U32("idle", idle, 0, RS_SESSIONS_MAX - 1, "", "further connections that stay silent"),
        U32("depth", depth, 1, RS_LOAD_DEPTH_MAX, "", "unanswered requests a connection"),
        U32("size", frame_bytes, RS_FRAME_HEADER_BYTES, RS_FRAME_BYTES_MAX, "bytes",
            "a whole frame; below 15 there is no room for its number, and a lost or reordered "
            "reply shows as wrong"),
        SECONDS("seconds", seconds, "length of the measurement, after the warm-up",
                &given->seconds),
        SECONDS("warmup", warmup_s,
                "results before this are dropped; starts when each connection had its first "
                "reply (0 unless given, with "
                "--messages, --ramp and --churn)",
                &given->warmup),
        U32("messages", messages, 0, u32_max, "", "stop after so many requests; 0 = by time"),
        U32("rate", rate, 0, RS_PLAN_RATE_MAX, "messages/s",
            "open loop over all connections; 0 = closed loop"),
        {"rate-min", RS_OPT_DOUBLE, &s->rate_min_percent, 0, 100, NULL, "%",
         "share of --rate that must be reached, or the load was too much and the exit code is 1; "
         "0 = any",
         NULL, NULL},
        SWITCH("ramp", ramp, "connect all at once; time until each had its first reply"),
        SWITCH("churn", churn, "connect, send some messages, close, again and again"),
        U32("churn-messages", churn_messages, 1, u32_max / 4, "",
            "messages of a connection's life (churn: exactly; misbehaving ones: on average)"),
        U32("churn-total", churn_total, 0, u32_max, "", "stop after so many lives; 0 = by time"),
        CHOICE("app", app, "echo|raw", "what the server returns: frames, or any bytes"),
        U32("seed", seed, 0, u32_max, "", "of patterns and misbehaviour"),
        U32("reset-percent", reset_percent, 0, 100, "%", "connections that end by a reset"),
        U32("half-close-percent", half_close_percent, 0, 100, "%",
            "connections that end their stream, then take the rest"),
        U32("slow-percent", slow_percent, 0, 100, "%", "connections that read slowly"),
        SWITCH("verify", verify, "compare every byte of every reply"),
        SECONDS("connect-timeout", connect_timeout_s, "a connection not made by then timed out",
                NULL),
        SECONDS("timeout", timeout_s, "a reply missing for so long is lost", NULL),
        U32("sends-in-flight", sends_in_flight, 1, RS_SENDS_IN_FLIGHT_MAX, "",
            "sends of a connection not yet completed"),
        U32("dequeue-batch", dequeue_batch, 1, RS_COMPLETIONS_PER_POLL_MAX, "",
            "completions taken at once; the clock is read once for each batch"),
        {"pin", RS_OPT_I32, &s->pin, -1, 1023, NULL, "",
         "processor to run on; -1 = wherever the system likes", NULL, NULL},
        CHOICE("progress", progress, "auto|on|off", "a line a second; auto = on a terminal"),
        {"json", RS_OPT_STRING, (void *)&s->json_path, 0, 0, NULL, "", "file for the results", NULL,
         NULL},
    };

    _Static_assert(sizeof options / sizeof options[0] <= SETTINGS_OPTIONS_MAX, "the table fits");
    memcpy(out, options, sizeof options);
    return sizeof options / sizeof options[0];
}

static rs_options_result settings_parse(rs_load_settings *s, settings_given *given, int argc,
                                        const char *const *argv, char *text, size_t bytes) {
    rs_option options[SETTINGS_OPTIONS_MAX];
    const size_t count = settings_table(s, given, options);
    rs_options_result result = rs_options_parse(options, count, argc, argv, text, bytes);

    if (result == RS_OPTIONS_HELP) {
        *s = settings_default(); /* what was parsed before --help is no default */
        (void)rs_options_help("loadgen",
                              "sends framed requests, checks every byte of the replies and "
                              "measures their latency",
                              options, count, text, bytes);
    }
    return result;
}

static uint64_t settings_buffer_bytes(const rs_load_settings *s) {
    /* At worst one frame each for receiving and for every send, and the books' window. */
    uint64_t each =
        (uint64_t)s->frame_bytes * (s->sends_in_flight + 1u) + (uint64_t)s->depth * 4u * 8u;

    return each * s->connections;
}

/* Without the options: many for churn on loopback, where ports run out, else none. */
static void settings_sources(rs_load_settings *s, const settings_given *given) {
    const bool loopback = SETTINGS_LOOPBACK(s->addr.ip);

    if (!given->sources) {
        s->sources = s->source_ip != 0 ? 1u : s->churn && loopback ? SETTINGS_CHURN_SOURCES : 0;
    }
    if (s->sources > 0 && s->source_ip == 0 && loopback) {
        s->source_ip = SETTINGS_SOURCE_FIRST;
    }
}

/* NULL, or what does not go together. */
static const char *settings_conflict(const rs_load_settings *s) {
    if (s->reset_percent + s->half_close_percent + s->slow_percent > 100u) {
        return "--reset-percent, --half-close-percent and --slow-percent: more than 100 together";
    }
    if (s->connections + s->idle > RS_SESSIONS_MAX) {
        return "--connections and --idle: more than 1048576 together";
    }
    if (s->sources > 0 && s->source_ip == 0) {
        return "--sources: needs --source, but for a server on 127.0.0.0/8";
    }
    if (s->source_ip > UINT32_MAX - s->sources) {
        return "--source, --sources: the addresses end at 255.255.255.255";
    }
    if (s->ramp && s->churn) {
        return "--ramp and --churn: choose one";
    }
    if (s->ramp && s->reset_percent + s->half_close_percent + s->slow_percent > 0) {
        return "--ramp: does not go with --reset-percent, --half-close-percent, --slow-percent";
    }
    if (s->churn_total != 0 && !s->churn) {
        return "--churn-total: needs --churn";
    }
    if (s->timeout_s <= 0.0 || s->connect_timeout_s <= 0.0) {
        return "--timeout, --connect-timeout: must be above 0 s, so that the run ends";
    }
    if (settings_buffer_bytes(s) > RS_LOAD_MEMORY_BYTES_MAX) {
        return "--connections, --depth, --size: more than 8 GiB of buffers together";
    }
    return NULL;
}

static const char *settings_complete(rs_load_settings *s, const settings_given *given) {
    const bool counted = s->messages != 0 || s->churn_total != 0;

    s->addr.port = (uint16_t)s->port;
    settings_sources(s, given);
    s->ramp_only = s->ramp && !given->seconds && s->messages == 0;
    if (!given->seconds) { /* what is recorded is what holds: a ramp alone measures no time */
        s->seconds = counted || s->ramp_only ? 0.0 : SETTINGS_SECONDS_DEFAULT;
    } else if (s->seconds <= 0.0 && !counted) {
        return "--seconds: '0' needs --messages or --churn-total; allowed: above 0 to 86400 s";
    }
    if (!given->warmup && (counted || s->ramp || s->churn)) {
        s->warmup_s = 0.0;
    }
    return settings_conflict(s);
}

int rs_load_settings_read(rs_load_settings *settings, int argc, const char *const *argv) {
    static char text[SETTINGS_TEXT_BYTES];
    settings_given given = {.seconds = false};
    const char *conflict;

    *settings = settings_default();
    switch (settings_parse(settings, &given, argc, argv, text, sizeof text)) {
    case RS_OPTIONS_HELP:
        (void)fputs(text, stdout);
        return 0;
    case RS_OPTIONS_ERROR:
        (void)fprintf(stderr, "loadgen: %s\n", text);
        return SETTINGS_EXIT_USAGE;
    case RS_OPTIONS_RUN:
        break;
    }
    conflict = settings_complete(settings, &given);
    if (conflict != NULL) {
        (void)fprintf(stderr, "loadgen: %s\n", conflict);
        return SETTINGS_EXIT_USAGE;
    }
    return -1;
}

void rs_load_settings_json(rs_json *json, const rs_load_settings *settings) {
    rs_load_settings copy = *settings;
    settings_given given;
    rs_option options[SETTINGS_OPTIONS_MAX];
    const size_t count = settings_table(&copy, &given, options);

    rs_options_json(json, "settings", options, count, "json");
}
