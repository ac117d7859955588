/* SPDX-License-Identifier: MIT */
/* Ringside as a library: a TCP server over Registered I/O, I/O completion ports or epoll.
 *
 *     rs_server_config *cfg;
 *     rs_server_config_open(&cfg, rs_backend_rio(), &error);       // or rs_backend_iocp(), ...
 *     rs_server_config_set(cfg, "port", "4000", &error);
 *     rs_server_config_set_app(cfg, &(rs_app){.on_message = my_handler, .ctx = &my_state});
 *     rs_server_start(&server, cfg, &error);
 *     rs_server_config_close(cfg);
 *     while (rs_stop_signal_wait(1000) == RS_E_TIMED_OUT) {
 *         ... rs_server_send(server, id, data, bytes) from any thread ...
 *     }
 *     rs_server_stop(server);
 *     rs_server_join(server, &error);
 *     rs_server_free(server);
 *
 * What an application may do inside its callbacks is in session.h, beside this file; what runs on a
 * shard without a session, in loop.h. */
#ifndef RINGSIDE_H
#define RINGSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringside/loop.h"
#include "ringside/session.h"
#include "ringside/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version: semantic (0.x: a minor version may break programs) */

#define RS_VERSION_MAJOR 0
#define RS_VERSION_MINOR 2
#define RS_VERSION_PATCH 0
#define RS_VERSION_TEXT "0.2.0"

/* rs_version: RS_VERSION_TEXT of the library that is linked. Static string. Any thread. */
const char *rs_version(void);

/* ---- back ends */

typedef struct rs_backend_api rs_backend_api;

/* Each returns its back end, or NULL if the library was built without it: rio and iocp are built in
 * on Windows, epoll on Linux. Whether Registered I/O works here is known when a server starts. */
const rs_backend_api *rs_backend_rio(void);
const rs_backend_api *rs_backend_iocp(void);
const rs_backend_api *rs_backend_epoll(void);

/* rs_backend_best: rio, else iocp, else epoll, whichever is built in. Never NULL. */
const rs_backend_api *rs_backend_best(void);

/* rs_backend_named: "rio", "iocp", "epoll"; NULL: no such back end is built in. */
const rs_backend_api *rs_backend_named(const char *name);

/* rs_backend_name: as above. Static string. */
const char *rs_backend_name(const rs_backend_api *backend);

/* ---- configuration: one thread at a time */

typedef struct rs_server_config rs_server_config;

/* rs_server_config_open: every setting at its default: 127.0.0.1:4000, one worker; no application.
 * RS_E_UNSUPPORTED: backend is NULL; RS_E_NO_MEMORY. On failure *out is NULL. */
rs_status rs_server_config_open(rs_server_config **out, const rs_backend_api *backend,
                                rs_error *error);

/* rs_server_config_close: frees it; a server that was started with it runs on. NULL is accepted. */
void rs_server_config_close(rs_server_config *cfg);

/* rs_server_config_set: one setting of docs/settings.md by the name of its option, without dashes:
 * ("workers", "4"), ("host", "0.0.0.0"), ("logic", "thread"). Both texts are copied.
 * RS_E_INVALID: there is no such setting for this back end, or the value is out of range; *error
 * names what is allowed. RS_E_NO_MEMORY. On failure the setting is as it was. */
rs_status rs_server_config_set(rs_server_config *cfg, const char *name, const char *value,
                               rs_error *error);

/* rs_server_config_set_app: the application; *app is copied, its ctx stays the caller's. */
void rs_server_config_set_app(rs_server_config *cfg, const rs_app *app);

/* ---- what a server says: one line at a time, for whatever log the program has */

typedef enum rs_log_level {
    RS_LOG_INFO,
    RS_LOG_WARNING, /* somebody was cut off, or the server runs otherwise than asked */
    RS_LOG_ERROR    /* the system has failed the server, which goes on */
} rs_log_level;

typedef struct rs_log_field {
    const char *name;
    const char *text; /* NULL: a number */
    uint64_t number;
} rs_log_field;

/* event      fields                      what
 * listening  address backend provider    a listener is there
 * ended      sessions messages           the worker has stopped
 * cut        a reason or "refused" each  connections that the server ended or refused since the
 *                                        worker's last such line, of which there is one a second
 * provider   provider                    something stands between Winsock and the system's TCP
 * pages      none                        large pages were asked for, and are not there
 * quarantine connection                  the system keeps the requests of a closed connection; only
 *                                        the first is told
 * More may be added. The first field is always the worker, a number. */
typedef struct rs_log_line {
    rs_log_level level;
    const char *event; /* static string */
    const char *text;  /* all of it in words, without the end of a line */
    const rs_log_field *fields;
    uint32_t field_count;
} rs_log_line;

/* *line lasts as long as the call. */
typedef void (*rs_log_fn)(void *ctx, const rs_log_line *line);

/* rs_server_config_set_log: who is told; fn NULL, the default: nobody. The library itself prints
 * nothing, except when it stops the process.
 *
 * Thread  fn is called on the thread of the worker that it is about, also with a logic thread: by
 *         several at once if there are several workers, from inside rs_server_start on, up to
 *         rs_server_join. Like a callback it must not block; the application's state is not its. */
void rs_server_config_set_log(rs_server_config *cfg, rs_log_fn fn, void *ctx);

/* ---- a server */

/* rs_server_start: starts the shards and listens. A name as host is looked up first, which may ask
 * a name server. Blocks until every shard is ready or one has failed; on failure everything is
 * undone, *out is NULL and *error says what and why. The shards listen last; callbacks may come
 * before it returns, and *out is set by then. RS_E_INVALID for a setting out of range;
 * RS_E_NO_MEMORY; the back end's own. */
rs_status rs_server_start(rs_server **out, const rs_server_config *cfg, rs_error *error);

/* rs_server_port: the port it listens on, the first one of several. */
uint16_t rs_server_port(const rs_server *server);

/* rs_server_address: where it listens, the port as bound, the first one of several. */
void rs_server_address(const rs_server *server, rs_addr *out);

/* rs_server_addresses: all of them, in the order of the setting host; at most max in *out. Returns
 * how many there are, [1, RS_LISTENERS_MAX]. A session's own one is in rs_session_peer. */
uint32_t rs_server_addresses(const rs_server *server, rs_addr *out, uint32_t max);

/* rs_server_accept: on, as after the start, or off: a connection that arrives is closed at once,
 * counted (refused_off) and not told to the application; those waiting in the system's backlog are
 * such, and those of rs_server_connect are not. Takes effect with the next one that is accepted,
 * and cannot fail: the port stays the server's. Sessions go on. Any thread; returns at once. Not in
 * on_shard_start. */
void rs_server_accept(rs_server *server, bool on);

/* rs_server_stop: requests a graceful end: stop accepting, flush for drain-timeout, close the rest.
 * Sessions end as RS_CLOSE_SHUTDOWN; what drain-timeout has to reset is in escalated_closes. Any
 * thread; returns at once; idempotent. Not in on_shard_start. */
void rs_server_stop(rs_server *server);

/* rs_server_drain: the same, but sessions may finish first: the listener ends at once and for good,
 * so that the system refuses new connections and those in its backlog; sessions go on, and
 * rs_server_connect still opens some; rs_server_stop follows by itself when there is no session on
 * any shard, or timeout_ms after this call. The last call counts; rs_server_stop ends it early. Any
 * thread; returns at once. Not in on_shard_start. */
void rs_server_drain(rs_server *server, uint32_t timeout_ms);

/* What is still to do before the end. */
typedef struct rs_left {
    uint32_t sessions; /* open, or ended and not closed yet */
    uint64_t bytes;    /* sent to them, and not taken by the system yet; without what is on its way
                          from a logic thread */
} rs_left;

/* rs_server_left: as of now, whether it drains or not. Waits for each shard's next turn.
 *
 * Returns  RS_OK; RS_E_THREAD: called from a callback's thread; *out is as it was. */
rs_status rs_server_left(rs_server *server, rs_left *out);

/* rs_server_has_ended: every shard has ended (after rs_server_stop or rs_server_drain). Any thread.
 */
bool rs_server_has_ended(const rs_server *server);

/* rs_server_ended_count: grows with each connection that ended or was refused. Any thread; does not
 * wait. Tells a caller that prints events when to read the statistics. */
uint64_t rs_server_ended_count(const rs_server *server);

/* rs_server_join: waits for the end. RS_E_TIMED_OUT if a shard gave up operations that never
 * completed; *error names them. */
rs_status rs_server_join(rs_server *server, rs_error *error);

/* rs_server_free: after rs_server_join. NULL is accepted. */
void rs_server_free(rs_server *server);

/* ---- from any thread
 *
 * These post a message to the shard of the session. They do not block and do not allocate.
 * RS_E_FULL: the shard's mailbox (setting mailbox) is full, nothing was posted; on a shard's own
 * thread on_room tells when to try again, other threads may wait with rs_server_wait_room.
 * RS_E_CLOSED: the server is stopping, or that shard has not started yet. RS_E_INVALID: bytes out
 * of range, or no such shard. Only the shard detects a stale or ended session; it drops and counts
 * the message (messages_dropped). */

/* rs_server_send: queues a copy of data[0..bytes) on a session; bytes [1, max-frame]. */
rs_status rs_server_send(rs_server *server, rs_session_id id, const void *data, uint32_t bytes);

/* What rs_server_connect is to do. */
typedef struct rs_connect {
    rs_addr addr;        /* of the other side; rs_addr_resolve finds it */
    uint32_t timeout_ms; /* for each attempt, [1, 600'000]; 0: 10'000 */
    uint32_t retries;    /* further attempts after one that has failed */
    uint32_t retry_ms;   /* before each of them, [0, 600'000] */
    uint64_t user;       /* rs_session_user of the session, already in on_open */
} rs_connect;

/* rs_server_connect: opens a connection, a session of this shard like any other: on_open tells that
 * it is there, on_connect_failed of each attempt that failed. Exactly one on_open, or one
 * on_connect_failed with left 0, follows, with the shard's callbacks. It counts as one of
 * max-sessions, and the time-outs of sessions hold for it too. At most 256 of a shard are under way
 * at once. A socket that TCP connected to itself, as it may do to a port of this machine at which
 * nobody listens, is RS_E_REFUSED.
 *
 * Params   to: copied. shard: [0, workers).
 * Returns  RS_OK: posted. RS_E_INVALID: no such shard, no port, 0.0.0.0 or ::, or a time out of
 *          range. RS_E_FULL, RS_E_CLOSED as rs_server_send. */
rs_status rs_server_connect(rs_server *server, uint32_t shard, const rs_connect *to);

/* rs_addr_resolve: the address of a host, a numeric one or a name: its first IPv4 address, else its
 * first IPv6 one. Blocks while a name server is asked: not in a callback.
 *
 * Returns  RS_OK; RS_E_ADDRESS: neither, or unknown; *error says so. */
rs_status rs_addr_resolve(const char *host, uint16_t port, rs_addr *out, rs_error *error);

/* rs_server_broadcast: a copy of data[0..bytes), bytes [1, max-frame], to ids[0..count); ids NULL:
 * to every open session. The data cross to each shard once (once for every RS_BROADCAST_IDS of its
 * sessions) and are shared by the queues of all receivers. A receiver that cannot take them is
 * closed as rs_session_send would; its on_close comes at the end of the turn. The id 0 and ended
 * sessions are skipped.
 *
 * Returns  RS_OK: posted to all shards concerned, but for those that are stopping or have not
 * started; RS_E_FULL: to none of them; RS_E_INVALID also for more ids than RS_BROADCAST_IDS times
 * the setting mailbox. */
#define RS_BROADCAST_IDS 256u
rs_status rs_server_broadcast(rs_server *server, const rs_session_id *ids, uint32_t count,
                              const void *data, uint32_t bytes);

/* rs_server_close_session: rs_session_close from any thread. */
rs_status rs_server_close_session(rs_server *server, rs_session_id id);

/* rs_server_release_session: rs_session_release from any thread, after that thread's earlier sends;
 * the shard refuses and counts a release without a hold. */
rs_status rs_server_release_session(rs_server *server, rs_session_id id);

/* rs_server_wait_room: after RS_E_FULL, on a thread that runs no callbacks: waits until a mailbox
 * that was full has been read. RS_OK: try again; RS_E_TIMED_OUT; RS_E_THREAD: called from a
 * callback's thread, which must not block. */
rs_status rs_server_wait_room(rs_server *server, uint32_t timeout_ms);

/* ---- statistics */

/* rs_server_stats_visit: calls fn with each figure, summed over the shards: ("messages_in", NULL),
 * ("sessions_open", NULL), ("closed", "peer"), ("backend", "WSASend"), ("send_completion_ns",
 * "0.99") and so on: of is the reason, what the back end counts, or the quantile. Names are static
 * strings; more may be added. Waits for each shard's next turn; after rs_server_join: the final
 * figures. RS_E_THREAD: called from a callback's thread. */
typedef void (*rs_stat_fn)(void *ctx, const char *name, const char *of, uint64_t value);
rs_status rs_server_stats_visit(rs_server *server, rs_stat_fn fn, void *ctx);

/* rs_server_metrics: the same as Prometheus text (version 0.0.4), for whatever serves it.
 *
 * Params   out: out_bytes bytes, NULL only with out_bytes 0.
 * Returns  the bytes it needs without the terminator (like snprintf); what fits is written, always
 *          terminated. RS_METRICS_BYTES are enough. 0 on a callback's thread. */
#define RS_METRICS_BYTES 16384u
size_t rs_server_metrics(rs_server *server, char *out, size_t out_bytes);

/* ---- what a portable main needs */

/* rs_stop_signal_wait: waits for Ctrl+C, Ctrl+Break, the close of the console, SIGINT, SIGTERM or
 * SIGHUP. The first call installs the handler for the process, so call it early, with 0. RS_OK: a
 * stop was requested (also for later calls); RS_E_TIMED_OUT; RS_E_OS, RS_E_NO_MEMORY: the handler
 * cannot be installed. UINT32_MAX waits for ever. One thread. */
rs_status rs_stop_signal_wait(uint32_t timeout_ms);

/* rs_sleep_ms: sleeps at least this long. Any thread that runs no callbacks. */
void rs_sleep_ms(uint32_t ms);

#ifdef __cplusplus
}
#endif

#endif
