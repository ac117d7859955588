/* SPDX-License-Identifier: MIT */
/* See server_config.h. */
#include "server/server_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/proxy_header.h"
#include "seam/backend_config.h"

#define BUFFER_BYTES_MAX (1 << 20) /* of one slice or block */
#define SEND_BLOCKS_MAX (1 << 24)
#define CPU_MAX 4095

static const rs_option server_rows[] = {
    RS_ROW_STRING(rs_server_config, host, "host", "127.0.0.1",
                  "where to listen: an IPv4 or IPv6 address, or a name, whose first IPv4 address "
                  "counts; :: = all addresses of both families, 0.0.0.0 = all of IPv4; several "
                  "with commas, each with :PORT or at --port, as 127.0.0.1,[::1]:5001"),
    RS_ROW_UINT(rs_server_config, port, "port", 0, 65535, 4000, "", "TCP port; 0 picks a free one"),
    RS_ROW_UINT(rs_server_config, workers, "workers", 1, RS_SHARDS_MAX, 1, "threads",
                "shards, one thread each"),
    RS_ROW_CHOICE(rs_server_config, logic_thread, "logic", "io|thread", false,
                  "where the application runs: on the workers, or on one thread for all of them"),
    RS_ROW_UINT(rs_server_config, sessions_max, "max-sessions", 1, RS_SESSIONS_MAX,
                RS_SESSIONS_DEFAULT, "sessions",
                "for the whole server; connections beyond this are closed"),
    RS_ROW_UINT(rs_server_config, address_max, "max-per-address", 0, RS_SESSIONS_MAX, 0,
                "connections",
                "of one IPv4 address or one IPv6 /64, for the whole server; further ones are "
                "closed; 0 = no limit"),
    RS_ROW_UINT(rs_server_config, frame_bytes_max, "max-frame", RS_FRAME_HEADER_BYTES,
                RS_FRAME_BYTES_MAX, RS_FRAME_BYTES_DEFAULT, "bytes",
                "longest frame, header included"),
    RS_ROW_UINT(rs_server_config, recv_bytes, "recv-buffer", 0, BUFFER_BYTES_MAX, 0, "bytes",
                "one receive slice of a session; 0 = max-frame in whole pages"),
    RS_ROW_UINT(rs_server_config, send_block_bytes, "send-block", 0, BUFFER_BYTES_MAX, 0, "bytes",
                "one send block, at least 4096; 0 = max-frame in whole pages"),
    RS_ROW_UINT(rs_server_config, send_blocks, "send-blocks", 0, SEND_BLOCKS_MAX, 0, "blocks",
                "send blocks per worker; 0 = what its sessions need, and 64 for broadcasts"),
    RS_ROW_UINT(rs_server_config, queued_bytes_max, "max-queued", 1, RS_QUEUED_BYTES_MAX,
                RS_QUEUED_BYTES_DEFAULT, "bytes",
                "limit of a session's send queue: the server reads only while the replies fit; "
                "closed as slow-consumer if none of its sends completes for a second, or the "
                "application sends more"),
    RS_ROW_CHOICE(rs_server_config, pause_slow, "slow-consumer", "close|pause", false,
                  "who does not read its replies: closed as max-queued says, or waited for: read "
                  "from only while its queue is within its own blocks and half of max-queued"),
    RS_ROW_UINT(rs_server_config, sends_in_flight, "sends-in-flight", 1, RS_SENDS_IN_FLIGHT_MAX,
                RS_SENDS_IN_FLIGHT_DEFAULT, "sends", "sends in flight per session"),
    RS_ROW_UINT(rs_server_config, idle_timeout_ms, "idle-timeout", 0, 86400000,
                RS_IDLE_TIMEOUT_MS_DEFAULT, "ms",
                "close a session without a whole frame for this long; 0 = never"),
    RS_ROW_UINT(rs_server_config, handshake_ms, "handshake-timeout", 0, 86400000, 0, "ms",
                "close a session whose first whole frame does not come for this long; 0 = never"),
    RS_ROW_UINT(
        rs_server_config, rate_max, "max-rate", 0, 1000000, 0, "frames/s",
        "close a session that sends more in a second that begins with a frame (raw: chunks); "
        "0 = no limit"),
    RS_ROW_BOOL(rs_server_config, proxy_protocol, "proxy-protocol", false,
                "each accepted session begins with a PROXY header, version 1 or 2, no longer than "
                "the receive slice; closed as protocol if not. The addresses are then those in it"),
    RS_ROW_UINT(rs_server_config, drain_timeout_ms, "drain-timeout", 0, 600000,
                RS_DRAIN_TIMEOUT_MS_DEFAULT, "ms",
                "time to flush queued data when a session or the server ends"),
    RS_ROW_UINT(rs_server_config, mailbox_messages, "mailbox", RS_MAILBOX_SLOTS_MIN,
                RS_MAILBOX_SLOTS_MAX, RS_MAILBOX_SLOTS_DEFAULT, "messages",
                "messages from other threads that wait for a worker; to the next power of two"),
    RS_ROW_UINT(rs_server_config, timers, "timers", 0, RS_TIMERS_MAX, 0, "timers",
                "of the application, per worker: as many as may be set at once"),
    RS_ROW_BOOL(rs_server_config, coalesce, "coalesce", true,
                "gather messages behind a send in flight into one block"),
    RS_ROW_CHOICE(rs_server_config, heap_buffers, "buffers", "slab|heap", false,
                  "page-aligned slab, or unaligned memory from malloc"),
    RS_ROW_BOOL(rs_server_config, large_pages, "large-pages", false,
                "request large pages for the slab"),
    RS_ROW_INT(rs_server_config, pin_first_cpu, "pin", -1, CPU_MAX, -1, "",
               "worker i on processor PIN + i; -1 = the system's choice"),
};
const rs_option_table rs_server_options = {server_rows, RS_ROWS(server_rows), NULL};

void rs_server_config_init(rs_server_config *cfg, const rs_backend_api *backend) {
    *cfg = (rs_server_config){.backend = backend, .tuning = rs_tuning_default()};
    rs_options_defaults(&rs_server_options, cfg);
}

rs_status rs_server_config_check(const rs_server_config *cfg, rs_error *error) {
    rs_status status = rs_options_check(&rs_server_options, cfg, error);
    if (status == RS_OK) { /* the shard reads the batch before its back end does */
        status = rs_options_check(&rs_socket_options, &cfg->tuning, error);
    }
    if (status == RS_OK) { /* and the receives */
        status = rs_options_check(&rs_receive_options, &cfg->tuning, error);
    }
    if (status != RS_OK) {
        return status;
    }
    if (cfg->backend == NULL || cfg->app.on_message == NULL) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0, "no back end or no application given");
    }
    if (cfg->send_block_bytes != 0 && cfg->send_block_bytes < RS_SEND_BLOCK_BYTES_MIN) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--send-block: '%u' is too small; allowed: 0, or %u and more bytes",
                            cfg->send_block_bytes, RS_SEND_BLOCK_BYTES_MIN);
    }
    if (cfg->proxy_protocol && cfg->recv_bytes != 0 && cfg->recv_bytes < RS_PROXY_BYTES_MIN) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--recv-buffer: '%u' is too small for a PROXY header; allowed with "
                            "--proxy-protocol: 0, or %u and more bytes",
                            cfg->recv_bytes, RS_PROXY_BYTES_MIN);
    }
    if (cfg->proxy_protocol && cfg->address_max != 0) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--max-per-address: '%u' would be of the balancer with "
                            "--proxy-protocol; allowed with it: 0",
                            cfg->address_max);
    }
    if (cfg->queued_bytes_max < cfg->frame_bytes_max) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--max-queued: '%u' is less than one frame; allowed: --max-frame (%u) "
                            "and more bytes",
                            cfg->queued_bytes_max, cfg->frame_bytes_max);
    }
    return RS_OK;
}

/* ---- the configuration of the public header: the struct above, and what it owns */

typedef struct config_text {
    struct config_text *next;
    char text[1]; /* as long as it takes */
} config_text;

typedef struct config_owned {
    rs_server_config cfg; /* first: the public pointer is its address */
    rs_options options;
    config_text *texts; /* settings that are texts point into these */
    void *settings;     /* the back end's own; NULL: it has none */
} config_owned;

static config_owned *config_owned_of(rs_server_config *cfg) {
    return (config_owned *)(void *)cfg;
}

rs_status rs_server_config_open(rs_server_config **out, const rs_backend_api *backend,
                                rs_error *error) {
    static const rs_option_table *const no_others[] = {NULL};
    config_owned *owned;
    *out = NULL;
    if (backend == NULL) {
        return rs_error_set(error, RS_E_UNSUPPORTED, NULL, 0, "this back end is not built in");
    }
    owned = calloc(1, sizeof *owned);
    if (owned != NULL && backend->options != NULL) {
        owned->settings = calloc(1, backend->settings_bytes);
    }
    if (owned == NULL || (backend->options != NULL && owned->settings == NULL)) {
        free(owned);
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    rs_server_config_init(&owned->cfg, backend);
    owned->options.program = "ringside";
    rs_options_add(&owned->options, &rs_server_options, &owned->cfg, NULL);
    rs_backend_options_add(&owned->options, backend, &owned->cfg.tuning, owned->settings,
                           no_others);
    owned->cfg.backend_settings = owned->settings;
    *out = &owned->cfg;
    return RS_OK;
}

void rs_server_config_close(rs_server_config *cfg) {
    config_owned *owned = cfg != NULL ? config_owned_of(cfg) : NULL;
    config_text *text = owned != NULL ? owned->texts : NULL;
    while (text != NULL) {
        config_text *next = text->next;
        free(text);
        text = next;
    }
    if (owned != NULL) {
        free(owned->settings);
    }
    free(owned);
}

rs_status rs_server_config_set(rs_server_config *cfg, const char *name, const char *value,
                               rs_error *error) {
    config_owned *owned = config_owned_of(cfg);
    size_t bytes = strlen(name) + strlen(value) + sizeof "--=";
    config_text *text = malloc(sizeof *text + bytes);
    const char *argv[2];
    char why[RS_OPTIONS_ERROR_BYTES];
    rs_options_result result;
    RS_ASSERT(owned->options.groups > 0);
    if (text == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    (void)snprintf(text->text, bytes, "--%s=%s", name, value);
    argv[0] = "";
    argv[1] = text->text;
    memset(owned->options.given, 0, sizeof owned->options.given); /* a later value counts */
    result = rs_options_parse(&owned->options, 2, argv, why, sizeof why);
    if (result != RS_OPTIONS_RUN) {
        free(text);
        return rs_error_set(error, RS_E_INVALID, NULL, 0, "%.190s",
                            result == RS_OPTIONS_HELP ? "there is no such setting" : why);
    }
    text->next = owned->texts;
    owned->texts = text;
    return RS_OK;
}

void rs_server_config_set_app(rs_server_config *cfg, const rs_app *app) {
    cfg->app = *app;
}

void rs_server_config_set_log(rs_server_config *cfg, rs_log_fn fn, void *ctx) {
    cfg->log = fn;
    cfg->log_ctx = ctx;
}
