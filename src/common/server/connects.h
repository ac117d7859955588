/* SPDX-License-Identifier: MIT */
/* The connections that a shard opens: attempts under way, and those that wait for the next one. A
 * connected one becomes a session like any other. Shard thread; allocates nothing; the time is that
 * of the session table. */
#ifndef RS_SERVER_CONNECTS_H
#define RS_SERVER_CONNECTS_H

#include "core/session.h"
#include "ringside/ringside.h"
#include "seam/backend.h"

typedef enum rs_connect_state {
    RS_CONNECT_FREE,
    RS_CONNECT_WAITING, /* for the next attempt */
    RS_CONNECT_TRYING,
    RS_CONNECT_ENDING /* given up; the completion of its CONNECT is still to come */
} rs_connect_state;

typedef struct rs_pending_connect {
    rs_connect to; /* retries: those left */
    uint64_t due_ns;
    uint32_t conn, generation;
    uint8_t state; /* rs_connect_state */
    uint8_t why;   /* ENDING: rs_status */
} rs_pending_connect;

typedef struct rs_connects {
    rs_sessions *sessions;
    const rs_backend_api *api;
    rs_backend *backend;
    rs_server *server; /* what the application is told */
    uint32_t shard;
    uint32_t count; /* not FREE */
    bool stopped;
    rs_pending_connect at[RS_CONNECTS_MAX];
} rs_connects;

/* rs_connects_add: begins. What comes of it is told to the application, also if there is no room
 * (RS_E_FULL) or the shard stops (RS_E_CLOSED). */
void rs_connects_add(rs_connects *connects, const rs_connect *to);

/* rs_connects_complete: a completion of kind CONNECT. */
void rs_connects_complete(rs_connects *connects, const rs_completion *completion);

/* rs_connects_expire: time-outs, and attempts that are due. O(RS_CONNECTS_MAX) while there are
 * any. */
void rs_connects_expire(rs_connects *connects);

/* rs_connects_stop: no more attempts; those under way are given up. */
void rs_connects_stop(rs_connects *connects);

/* rs_connects_next_ns: when rs_connects_expire has something to do; UINT64_MAX: never. */
uint64_t rs_connects_next_ns(const rs_connects *connects);

#endif
