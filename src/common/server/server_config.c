/* SPDX-License-Identifier: MIT */
/* See server_config.h. */
#include "server/server_config.h"

#include "seam/backend_config.h"

#define BUFFER_BYTES_MAX (1 << 20) /* of one slice or block */
#define SEND_BLOCKS_MAX (1 << 24)
#define CPU_MAX 4095

static const rs_option server_rows[] = {
    RS_ROW_ADDR(rs_server_config, addr.ip, "host", 0x7F000001, "IPv4 address to listen on"),
    RS_ROW_UINT(rs_server_config, addr.port, "port", 0, 65535, 4000, "",
                "TCP port; 0 picks a free one"),
    RS_ROW_UINT(rs_server_config, workers, "workers", 1, RS_SHARDS_MAX, 1, "threads",
                "shards, one thread each"),
    RS_ROW_CHOICE(rs_server_config, logic_thread, "logic", "io|thread", false,
                  "where the application runs: on the workers, or on one thread for all of them"),
    RS_ROW_UINT(rs_server_config, sessions_max, "max-sessions", 1, RS_SESSIONS_MAX,
                RS_SESSIONS_DEFAULT, "sessions",
                "for the whole server; connections beyond this are closed"),
    RS_ROW_UINT(rs_server_config, frame_bytes_max, "max-frame", RS_FRAME_HEADER_BYTES,
                RS_FRAME_BYTES_MAX, RS_FRAME_BYTES_DEFAULT, "bytes",
                "longest frame, header included"),
    RS_ROW_UINT(rs_server_config, recv_bytes, "recv-buffer", 0, BUFFER_BYTES_MAX, 0, "bytes",
                "receive slice per session; 0 = max-frame in whole pages"),
    RS_ROW_UINT(rs_server_config, send_block_bytes, "send-block", 0, BUFFER_BYTES_MAX, 0, "bytes",
                "one send block, at least 4096; 0 = max-frame in whole pages"),
    RS_ROW_UINT(rs_server_config, send_blocks, "send-blocks", 0, SEND_BLOCKS_MAX, 0, "blocks",
                "send blocks per worker; 0 = what its sessions need, and 64 for broadcasts"),
    RS_ROW_UINT(rs_server_config, queued_bytes_max, "max-queued", 1, RS_QUEUED_BYTES_MAX,
                RS_QUEUED_BYTES_DEFAULT, "bytes",
                "limit of a session's send queue: the server reads only while the replies fit; "
                "closed as slow-consumer if none of its sends completes for a second, or the "
                "application sends more"),
    RS_ROW_UINT(rs_server_config, sends_in_flight, "sends-in-flight", 1, RS_SENDS_IN_FLIGHT_MAX,
                RS_SENDS_IN_FLIGHT_DEFAULT, "sends", "sends in flight per session"),
    RS_ROW_UINT(rs_server_config, idle_timeout_ms, "idle-timeout", 0, 86400000,
                RS_IDLE_TIMEOUT_MS_DEFAULT, "ms",
                "close a session without a whole frame for this long; 0 = never"),
    RS_ROW_UINT(rs_server_config, drain_timeout_ms, "drain-timeout", 0, 600000,
                RS_DRAIN_TIMEOUT_MS_DEFAULT, "ms",
                "time to flush queued data when a session or the server ends"),
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
    if (cfg->queued_bytes_max < cfg->frame_bytes_max) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "--max-queued: '%u' is less than one frame; allowed: --max-frame (%u) "
                            "and more bytes",
                            cfg->queued_bytes_max, cfg->frame_bytes_max);
    }
    return RS_OK;
}
