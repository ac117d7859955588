/* SPDX-License-Identifier: MIT */
/* Ringside as a library: a TCP server over a back end of your choice, in one header.
 *
 *     rs_server_config cfg;
 *     rs_server_config_init(&cfg, &rs_rio_backend);     // or rs_iocp_backend
 *     cfg.app = (rs_app){.on_message = my_handler, .ctx = &my_state};
 *     rs_server_start(&server, &cfg, &error);
 *     ... rs_server_send(server, id, data, bytes) from any thread ...
 *     rs_server_stop(server);
 *     rs_server_join(server);
 *     rs_server_free(server);
 *
 * What an application may do inside its callbacks is in core/app.h. The settings: their members
 * are here, ranges and defaults in server/server_config.c; those that back ends share are rs_tuning
 * (seam/backend.h, seam/backend_config.c); those of one back end are a struct in its own folder. */
#ifndef RINGSIDE_H
#define RINGSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/app.h"
#include "core/counters.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "core/status.h"
#include "seam/backend.h"

typedef struct rs_server rs_server;

typedef struct rs_server_config {
    const rs_backend_api *backend;
    rs_tuning tuning;
    const void *backend_settings; /* the back end's own, read by rs_server_start; NULL: defaults */
    rs_app app;
    rs_addr addr;              /* port 0 picks a free one */
    uint32_t workers;          /* shards = threads, [1, RS_SHARDS_MAX] */
    uint32_t sessions_max;     /* of the whole server, [1, RS_SESSIONS_MAX] */
    uint32_t frame_bytes_max;  /* [RS_FRAME_HEADER_BYTES, RS_FRAME_BYTES_MAX] */
    uint32_t recv_bytes;       /* receive slice of a session; 0 = frame_bytes_max in whole pages */
    uint32_t send_block_bytes; /* [RS_SEND_BLOCK_BYTES_MIN, ]; 0 = frame_bytes_max in whole pages */

    /* Per shard; 0 = the reserves of all session slots and RS_SHARED_BLOCKS. A session's reserve is
     * a full receive slice in blocks and one more, at least sends_in_flight; fewer than the
     * reserves and one are RS_E_INVALID, *error says how many it takes. */
    uint32_t send_blocks;
    uint32_t queued_bytes_max; /* per session, [frame_bytes_max, RS_QUEUED_BYTES_MAX] */
    uint32_t sends_in_flight;  /* [1, RS_SENDS_IN_FLIGHT_MAX] */
    uint32_t idle_timeout_ms;  /* 0 = none */
    uint32_t drain_timeout_ms;
    bool coalesce;         /* gather messages behind a send in flight */
    bool heap_buffers;     /* unaligned memory of malloc instead of the page-aligned slab */
    bool large_pages;      /* request them; falls back to ordinary pages, see the statistics */
    int32_t pin_first_cpu; /* shard i on processor pin_first_cpu + i; -1 = do not pin */
    bool logic_thread;     /* the application's callbacks on one thread of their own */
    void *world;           /* rs_backend_config.world */
} rs_server_config;

/* rs_server_config_init: every default; addr 127.0.0.1:4000, one worker, no application. */
void rs_server_config_init(rs_server_config *cfg, const rs_backend_api *backend);

/* rs_server_start: starts the shards and listens. Blocks until every shard is ready or one has
 * failed; on failure everything is undone, *out is NULL and *error says what and why. Callbacks may
 * come before it returns; *out is set by then.
 * RS_E_INVALID for a setting out of range; RS_E_NO_MEMORY; the back end's own. */
rs_status rs_server_start(rs_server **out, const rs_server_config *cfg, rs_error *error);

/* rs_server_port: the port it listens on. */
uint16_t rs_server_port(const rs_server *server);

/* rs_server_stop: requests a graceful end: stop accepting, flush for drain_timeout_ms, close the
 * rest. Any thread, also from rs_os_on_stop; returns at once; idempotent. */
void rs_server_stop(rs_server *server);

/* rs_server_has_ended: every shard has ended (after rs_server_stop). Any thread. */
bool rs_server_has_ended(const rs_server *server);

/* rs_server_ended_count: grows with each connection that ended or was refused. Any thread; does not
 * wait. Tells a caller that prints events when to read the statistics. */
uint64_t rs_server_ended_count(const rs_server *server);

/* rs_server_join: waits for the end. RS_E_TIMED_OUT if a shard gave up operations that never
 * completed; *error names them. */
rs_status rs_server_join(rs_server *server, rs_error *error);

/* rs_server_free: after rs_server_join. NULL is accepted. */
void rs_server_free(rs_server *server);

/* rs_server_send: queues a copy of data[0..bytes) on a session, from any thread.
 * bytes [1, frame_bytes_max]. RS_E_FULL: the shard's mailbox is full, nothing was queued;
 * RS_E_CLOSED: the server is stopping. Only the shard detects a stale or ended session; it drops
 * and counts the message (messages_dropped). Does not block, does not allocate. */
rs_status rs_server_send(rs_server *server, rs_session_id id, const void *data, uint32_t bytes);

/* rs_server_close_session: rs_session_close from any thread. Errors as rs_server_send. */
rs_status rs_server_close_session(rs_server *server, rs_session_id id);

/* rs_server_release_session: rs_session_release from any thread, after that thread's earlier sends.
 * Errors as rs_server_send; the shard refuses and counts a release without a hold. */
rs_status rs_server_release_session(rs_server *server, rs_session_id id);

typedef struct rs_server_stats {
    rs_counters counters;     /* sums over the shards */
    rs_histogram batch;       /* completions per poll that returned any */
    rs_histogram send_ns;     /* from the post of a send to its completion */
    rs_backend_stats backend; /* sums by name */
    uint64_t messages_dropped;
    uint64_t registered_bytes;
    uint64_t blocks_low; /* the lowest number of free send blocks on any shard so far */
    uint32_t sessions_open;
    uint32_t sessions_used; /* open or still closing */
    bool large_pages;       /* every slab got them */
} rs_server_stats;

/* rs_server_stats_read: a consistent snapshot per shard. Any thread except a shard's or the logic
 * thread; waits for each shard's next turn. After rs_server_join: the final figures. */
void rs_server_stats_read(rs_server *server, rs_server_stats *out);

#endif
