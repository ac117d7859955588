/* SPDX-License-Identifier: MIT */
/* The settings of a server, whatever its back end: rows of rs_server_config; and its statistics.
 * Behind the public header, which knows settings and figures by name only. */
#ifndef RS_SERVER_SERVER_CONFIG_H
#define RS_SERVER_SERVER_CONFIG_H

#include "core/counters.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "core/options.h"
#include "ringside/ringside.h"
#include "seam/backend.h"

struct rs_server_config {
    const rs_backend_api *backend;
    rs_tuning tuning;
    const void *backend_settings; /* the back end's own, read by rs_server_start; NULL: defaults */
    rs_app app;
    rs_log_fn log; /* NULL: nobody is told */
    void *log_ctx;
    const char *host;          /* an address or a name; read by rs_server_start */
    uint16_t port;             /* 0 picks a free one */
    uint32_t workers;          /* shards = threads, [1, RS_SHARDS_MAX] */
    uint32_t sessions_max;     /* of the whole server, [1, RS_SESSIONS_MAX] */
    uint32_t address_max;      /* connections of one address, over all workers; 0 = no limit */
    uint32_t frame_bytes_max;  /* [RS_FRAME_HEADER_BYTES, RS_FRAME_BYTES_MAX] */
    uint32_t recv_bytes;       /* receive slice of a session; 0 = frame_bytes_max in whole pages */
    uint32_t send_block_bytes; /* [RS_SEND_BLOCK_BYTES_MIN, ]; 0 = frame_bytes_max in whole pages */

    /* Per shard; 0 = the reserves of all session slots and RS_SHARED_BLOCKS. A session's reserve is
     * a full receive slice in blocks and one more, at least sends_in_flight; fewer than the
     * reserves and one are RS_E_INVALID, *error says how many it takes. */
    uint32_t send_blocks;
    uint32_t queued_bytes_max; /* per session, [frame_bytes_max, RS_QUEUED_BYTES_MAX] */
    bool pause_slow;           /* a session whose queue is full is waited for, not closed */
    uint32_t sends_in_flight;  /* [1, RS_SENDS_IN_FLIGHT_MAX] */
    uint32_t idle_timeout_ms;  /* 0 = none */
    uint32_t handshake_ms;     /* 0 = none */
    uint32_t rate_max;         /* frames a second of one session; 0 = no limit */
    bool proxy_protocol;       /* accepted sessions begin with a PROXY header */
    uint32_t drain_timeout_ms;
    uint32_t
        mailbox_messages;  /* of a shard, [RS_MAILBOX_SLOTS_MIN, _MAX]; to the next power of 2 */
    uint32_t timers;       /* of the application at once, per shard; [0, RS_TIMERS_MAX] */
    bool coalesce;         /* gather messages behind a send in flight */
    bool heap_buffers;     /* unaligned memory of malloc instead of the page-aligned slab */
    bool large_pages;      /* request them; falls back to ordinary pages, see the statistics */
    int32_t pin_first_cpu; /* shard i on processor pin_first_cpu + i; -1 = do not pin */
    bool logic_thread;     /* the application's callbacks on one thread of their own */
    void *world;           /* rs_backend_config.world */
};

extern const rs_option_table rs_server_options;

/* rs_server_config_init: every default; 127.0.0.1:4000, one worker, no application. */
void rs_server_config_init(rs_server_config *cfg, const rs_backend_api *backend);

/* rs_server_config_check: what rs_server_start refuses before anything starts: RS_E_INVALID with
 * *error naming the setting, its value and what is allowed. */
rs_status rs_server_config_check(const rs_server_config *cfg, rs_error *error);

typedef struct rs_server_stats {
    rs_counters counters;     /* sums over the shards */
    rs_histogram batch;       /* completions per poll that returned any */
    rs_histogram send_ns;     /* from the post of a send to its completion */
    rs_backend_stats backend; /* sums by name */
    uint64_t messages_dropped;
    uint64_t registered_bytes;
    uint64_t blocks_low; /* the lowest number of free send blocks on any shard so far */
    uint64_t queued_bytes;
    uint32_t sessions_open;
    uint32_t sessions_used; /* open or still closing */
    bool large_pages;       /* every slab got them */
} rs_server_stats;

/* rs_server_stats_read: a consistent snapshot per shard. Any thread except a shard's or the logic
 * thread; waits for each shard's next turn. After rs_server_join: the final figures. */
void rs_server_stats_read(rs_server *server, rs_server_stats *out);

#endif
