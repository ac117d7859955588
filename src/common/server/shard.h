/* SPDX-License-Identifier: MIT */
/* A shard: one loop over one back-end instance, its sessions, its memory and its mailbox.
 *
 * Everything here belongs to the thread that opened it, except rs_shard_post and rs_shard_stop.
 * The loop is steppable and the clock is injected, so that a test can drive it turn by turn. */
#ifndef RS_SERVER_SHARD_H
#define RS_SERVER_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/session.h"
#include "seam/os.h"
#include "server/address_limit.h"
#include "server/logic.h"
#include "seam/mailbox.h"
#include "server/server_config.h"

typedef struct rs_clock {
    uint64_t (*now_ns)(void *ctx); /* monotonic */
    void *ctx;
} rs_clock;

typedef struct rs_shard rs_shard;

/* An accepted connection that no session has yet; the payload of RS_MESSAGE_ATTACH. */
typedef struct rs_arrival {
    uintptr_t socket;
    rs_ends ends;    /* zero: unknown */
    uint32_t ticket; /* of the limit of an address; 0: none */
} rs_arrival;

/* What becomes of it. */
typedef enum rs_route {
    RS_ROUTE_HERE,   /* it stays */
    RS_ROUTE_TAKEN,  /* another shard has it */
    RS_ROUTE_NO_ROOM /* nobody has room: it waits here for some, and is then refused */
} rs_route;

/* Who may wait for room in a mailbox: each shard, the logic thread, all other threads. */
#define RS_ROOM_LOGIC RS_SHARDS_MAX
#define RS_ROOM_OTHERS (RS_SHARDS_MAX + 1u)
#define RS_ROOM_SEEKERS (RS_SHARDS_MAX + 2u)

/* Connections that a server of so many sessions may have entered with rs_address_limit_enter: its
 * sessions, those that wait for room, and the one that comes. */
#define RS_SERVER_CONNECTIONS_MAX(sessions) ((sessions) + RS_ROOM_WAITERS + 1u)

typedef struct rs_shard_config {
    uint32_t index;                 /* [0, RS_SHARDS_MAX) */
    uint32_t sessions_max;          /* of this shard; with `counted`, its share of the server's */
    const rs_server_config *server; /* read during open only; values as rs_server_config says */
    rs_server *instance;            /* what callbacks get; nullable in tests */
    rs_clock clock;                 /* now_ns NULL = rs_os_now_ns */

    /* route: decides about each accepted socket. NULL: all stay here. */
    rs_route (*route)(void *ctx, const rs_arrival *arrival);
    void *route_ctx;
    rs_address_limit *addresses; /* shared by all shards; this one enters. NULL: no limit */
    bool counted; /* whoever routes keeps to the number of sessions: as many as have a slot */

    /* A drain (rs_shard_drain). is_empty: nobody has a session, on any shard; stop: the drain is
     * over. NULL: it is about this shard alone. */
    bool (*is_empty)(void *ctx);
    void (*stop)(void *ctx);
    void *server_ctx;

    /* The other shards, for the application's on_turn; shard and bytes_max are filled in at open.
     * count 0: there are none, or the application is on another thread. */
    rs_peers peers;

    /* tell_room: see rs_shard_want_room; called by the shard. NULL: nobody is told. */
    void (*tell_room)(void *ctx, uint32_t from);
    void *tell_room_ctx;

    /* The thread of the application's callbacks, the caller's, to be closed after the shard; with
     * a channel for this index. NULL: they run on the shard. */
    rs_logic *logic;
} rs_shard_config;

/* rs_shard_send_blocks_least: what server->send_blocks must be at least, unless it is 0: the
 * reserves of all its session slots, what may be on its way over the logic thread, and a broadcast.
 */
uint64_t rs_shard_send_blocks_least(const rs_shard_config *cfg);

/* rs_shard_open: back end, memory, registration. RS_E_INVALID (a setting out of range),
 * RS_E_NO_MEMORY or the back end's; *error filled. */
rs_status rs_shard_open(rs_shard **out, const rs_shard_config *cfg, rs_error *error);

/* rs_shard_start: on_shard_start; whatever else it says but RS_OK, with *error filled: the shard is
 * to be closed. Once, before rs_shard_listen; without it on_shard_end is not called. */
rs_status rs_shard_start(rs_shard *shard, rs_error *error);

/* rs_shard_ops: of the application's sessions; own is what on_shard_start has set. The thread of
 * the callbacks. */
rs_session_ops *rs_shard_ops(rs_shard *shard);

/* rs_shard_listen: on one more address; *port_out = the bound port. At most RS_LISTENERS_MAX. */
rs_status rs_shard_listen(rs_shard *shard, const rs_addr *addr, uint16_t *port_out,
                          rs_error *error);

/* rs_shard_step: one turn: poll (sleeping at most max_wait_ns), completions, messages, timers, ops.
 * False: the shard has stopped: everything is closed, or the drain has been given up. */
bool rs_shard_step(rs_shard *shard, int64_t max_wait_ns);

/* rs_shard_stop: requests a graceful end. Any thread; idempotent. */
void rs_shard_stop(rs_shard *shard);

/* rs_shard_drain: requests that the listener ends now, and the rest, as rs_shard_stop, when nobody
 * has a session any more or timeout_ms have passed. Any thread; the last call counts. */
void rs_shard_drain(rs_shard *shard, uint32_t timeout_ms);

/* rs_shard_accept: on, as at first, or off: connections that arrive are closed and counted
 * (refused_off). Any thread; from the next one on. */
void rs_shard_accept(rs_shard *shard, bool on);

/* rs_shard_post: a message to the shard. Any thread. RS_E_FULL, RS_E_INVALID as the mailbox;
 * RS_E_CLOSED once the shard is closing. */
rs_status rs_shard_post(rs_shard *shard, uint32_t kind, uint64_t value, void *pointer,
                        const void *payload, uint32_t bytes);

/* rs_shard_claim: a message that rs_shard_publish must follow, soon: meanwhile the shard reads no
 * further, and does not end. Its payload holds RS_BROADCAST_IDS ids and the longest frame. Any
 * thread. RS_E_FULL; RS_E_CLOSED once the shard is closing. */
rs_status rs_shard_claim(rs_shard *shard, rs_message **out);
void rs_shard_publish(rs_shard *shard, rs_message *message);

/* rs_shard_want_room: whoever `from` is, below RS_ROOM_SEEKERS, is told by
 * rs_shard_config.tell_room when the mailbox has been read once more. To be tried once more after
 * that: it may just have been. Any thread. */
void rs_shard_want_room(rs_shard *shard, uint32_t from);

/* rs_shard_is_full: is the mailbox, just now? False once the shard is closing. Any thread. */
bool rs_shard_is_full(rs_shard *shard);

/* rs_shard_tell_room: on_room is called in this shard's next turn. Any thread. */
void rs_shard_tell_room(rs_shard *shard);

/* rs_shard_is_here: is this the thread of the shard? */
bool rs_shard_is_here(const rs_shard *shard);

/* What RS_MESSAGE_STATS carries. */
typedef struct rs_shard_stats_request {
    rs_server_stats *into; /* the shard adds its figures, then sets: */
    rs_os_event *answered;
} rs_shard_stats_request;

/* rs_shard_ask_stats: posts the request, and waits while the mailbox is full. Any thread except the
 * shard's, one at a time. RS_OK: it will be answered; RS_E_CLOSED: not posted. */
rs_status rs_shard_ask_stats(rs_shard *shard, rs_shard_stats_request *request);

/* rs_shard_stats_add: adds the shard's figures. Shard thread, or anyone after it has ended. */
void rs_shard_stats_add(rs_shard *shard, rs_server_stats *into);

/* Sockets assigned to the shard that have ended: `ended` no longer count as sessions (refused, or
 * their session has ended), `freed` no longer use a slot either. Counted modulo 2^32, before the
 * peer can know. Any thread. */
uint32_t rs_shard_ended(const rs_shard *shard);
uint32_t rs_shard_freed(const rs_shard *shard);

/* rs_shard_refused: counters.refused, refused_address and refused_off modulo 2^32. Any thread. */
uint32_t rs_shard_refused(const rs_shard *shard);

/* rs_shard_slots: how many can be in use at once. Any thread. */
uint32_t rs_shard_slots(const rs_shard *shard);

/* rs_shard_outstanding: sessions still in use; 0 after an orderly stop. */
uint32_t rs_shard_outstanding(const rs_shard *shard);

/* rs_shard_sessions, rs_shard_blocks: for tests that check invariants at every step. */
rs_sessions *rs_shard_sessions(rs_shard *shard);
const rs_slab *rs_shard_blocks(const rs_shard *shard);

/* rs_shard_quiesce: no post gets in any more and none is under way; then the back end is closed if
 * nothing is outstanding. Shard thread, after rs_shard_step returned false. */
void rs_shard_quiesce(rs_shard *shard);

/* rs_shard_close: quiesces if necessary, and frees. NULL is accepted. Outstanding requests are left
 * to the end of the process: the kernel owns their memory. */
void rs_shard_close(rs_shard *shard);

#endif
