/* SPDX-License-Identifier: MIT */
/* One connection of the load generator as a state machine: completions in, operations out.
 *
 * Pure C, no clock and no back end: the run passes it completions with their time and submits its
 * ops. It classifies every reply, together with the track. One thread. Nothing allocates. */
#ifndef RS_LOADGEN_CLIENT_H
#define RS_LOADGEN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/histogram.h"
#include "core/op.h"
#include "loadgen/loadgen_bots.h"
#include "loadgen/loadgen_payload.h"
#include "loadgen/loadgen_plan.h"
#include "loadgen/loadgen_push.h"
#include "loadgen/loadgen_settings.h"
#include "loadgen/loadgen_track.h"

/* What rs_client_emit may ask for at once: the sends, RECV, SHUTDOWN, CLOSE. */
#define RS_CLIENT_OPS_MAX (RS_SENDS_IN_FLIGHT_MAX + 3u)

typedef enum rs_client_state {
    RS_CLIENT_UNUSED,     /* not connected; `again` asks for a connection */
    RS_CLIENT_CONNECTING, /* CONNECT in flight */
    RS_CLIENT_OPEN,
    RS_CLIENT_FINISHING, /* our stream has ended; receives the rest */
    RS_CLIENT_BREAKING,  /* CLOSE is wanted but not asked for yet */
    RS_CLIENT_CLOSING,   /* CLOSE in flight */
    RS_CLIENT_DONE       /* for good */
} rs_client_state;

/* Who may send. */
typedef enum rs_load_gate {
    RS_GATE_SHUT,
    RS_GATE_FIRST, /* each its first message, which shows that the server has accepted it */
    RS_GATE_OPEN
} rs_load_gate;

/* How connections ended or failed to connect; those above `port_waits` void the run. */
typedef struct rs_load_ends {
    uint64_t refused;
    uint64_t reset;        /* by the server, not asked for */
    uint64_t closed;       /* the server ended its stream, not asked for */
    uint64_t timed_out;    /* connecting, or waiting for a reply */
    uint64_t failed;       /* any other error */
    uint64_t port_waits;   /* no local port was free; retried later */
    uint64_t slow_dropped; /* slow readers that the server disconnected: allowed */
    uint64_t connected;
    uint64_t unserved;    /* senders that the server ended before their first reply */
    uint64_t lives;       /* connections that ended as they should */
    uint64_t resets_made; /* by us, asked for */
    uint64_t half_closes_made;
} rs_load_ends;

#define RS_LOAD_SHOWN_BYTES 16u

/* The first wrong reply of a run. */
typedef struct rs_load_wrong {
    bool seen;
    bool asked; /* false: a reply that no request was for; expected and sequence mean nothing */
    uint32_t connection;
    uint64_t sequence;            /* of the reply that was due */
    uint32_t offset;              /* of the first wrong byte in that reply */
    uint32_t got_bytes;           /* of the reply: as its frame says, or what there was */
    uint32_t pushed, pushed_lost; /* a receipt: of how many messages, from sequence on; else 0 */
    uint8_t expected[RS_LOAD_SHOWN_BYTES], got[RS_LOAD_SHOWN_BYTES]; /* from offset on */
    uint32_t expected_shown, got_shown;
} rs_load_wrong;

/* What was counted: of a run, or of some connections of it. 64-bit counters alone. */
typedef struct rs_load_books {
    rs_track_columns columns;
    rs_load_ends ends;
    uint64_t measured, sent_bytes, received_bytes; /* of the measured time */
} rs_load_books;

/* The connections to one target, or one connection. */
typedef struct rs_load_group {
    uint32_t target;
    rs_load_books books;
    rs_histogram latency; /* corrected in an open loop */
} rs_load_group;

/* Common to all connections of a run. */
typedef struct rs_load {
    const rs_load_settings *settings;
    rs_payload payload;
    rs_bots *bots; /* NULL, but with --app board: then the payload is not used */
    rs_push *push; /* [connections], by rs_client.index, with --reply-size 0; else NULL */
    rs_plan plan;
    rs_track_columns columns;
    rs_load_ends ends;
    rs_load_wrong wrong;
    rs_load_gate gate;
    bool ending;            /* no new connection */
    bool recording;         /* replies count for latency, sends for the pacing error */
    bool tail;              /* ... but no longer for the rate: the measured time is over */
    uint64_t messages_left; /* UINT64_MAX = no limit; first messages count */
    uint64_t lives_left;    /* connections churn may still open; UINT64_MAX = no limit */
    uint64_t timeout_ns, connect_timeout_ns;
    rs_plan_think think;      /* mean_ns 0: none */
    uint64_t connect_permits; /* --connect-rate: so many may be asked for now; UINT64_MAX = any */
    uint64_t connects;        /* asked for so far: whose turn it is among the sources */
    uint32_t connecting, not_done, first_replies;
    uint32_t senders_left;            /* of not_done, those that send */
    uint32_t block_bytes, recv_bytes; /* of each connection's slices */
    uint16_t region;
    uint64_t connect_ns; /* when the senders began to connect */
    uint64_t last_reply_ns;
    uint64_t measured; /* replies counted; with board no bytes: */
    uint64_t measured_sent_bytes, measured_received_bytes;
    uint64_t measured_told;     /* board: moves told to others than the mover, counted */
    uint64_t due;               /* open loop: messages of the measured time, by the plan */
    uint64_t never_sent;        /* open loop: due in time and not sent when the measurement ended */
    uint64_t batch_ns, batch_n; /* replies with one latency, not recorded yet */
    rs_histogram uncorrected;   /* from the actual send */
    rs_histogram corrected;     /* from the intended one, never_sent so far too; open loop only */
    rs_histogram pacing;        /* actual - intended send where nothing but us was in the way */
    rs_load_group *groups;      /* by rs_client.group; NULL: none are asked for */
    rs_histogram first_reply;   /* of each connection, from connect_ns */
} rs_load;

typedef struct rs_client {
    rs_track track;
    uint8_t *send_base;      /* [sends_in_flight][block_bytes]; NULL: this one stays silent */
    uint8_t *recv_base;      /* [recv_bytes] */
    uint64_t since_ns;       /* when the timeout of the current state began */
    uint64_t think_until_ns; /* --think: before the next message */
    uint64_t wait_until_ns;  /* slow readers: before the next RECV; retry: before CONNECT */
    uint64_t plan_base;      /* sequence of the first message of the plan */
    uint32_t index, generation, life;
    uint32_t group; /* of load.groups: where its results go, if it is one */
    uint32_t recv_bytes, recv_used;
    uint32_t reply_at;   /* bytes checked so far of a reply that comes in pieces */
    uint32_t due;        /* open loop: messages that may be sent now */
    uint32_t quota_left; /* messages left in this life; UINT32_MAX = no limit */
    uint8_t state, role; /* rs_client_state, rs_plan_role */
    uint8_t sends_in_flight, send_slot;
    bool recv_in_flight : 1;
    bool again : 1;     /* connect when possible */
    bool dead : 1;      /* it failed: no further life */
    bool retry : 1;     /* no local port: connect again later */
    bool broke_off : 1; /* ends by our own reset */
    bool answered : 1;  /* had a reply in this life */
    bool replied : 1;   /* had its first reply */
    bool want_fin : 1;  /* SHUTDOWN to be asked for */
    bool spoilt : 1;    /* one of those was wrong */
    bool last : 1;      /* FINISHING because the run ends */
    bool behind : 1;    /* open loop: the window or the connection delayed a due message */
    bool touched : 1;   /* in the run's list; the run's */
    bool thinking : 1;  /* in its alarms; the run's */
    bool queued : 1;    /* in its queue for --connect-rate; the run's */
} rs_client;

/* rs_client_init: sent_ns: rs_track_ring(depth) zeroed entries; send_base NULL for one that stays
 * silent. Memory is the caller's. */
void rs_client_init(rs_client *client, const rs_load *load, uint32_t index, uint64_t *sent_ns,
                    uint8_t *send_base, uint8_t *recv_base, uint32_t recv_bytes);

/* rs_client_completed: takes one completion of this connection that came at now_ns. */
void rs_client_completed(rs_client *client, rs_load *load, const rs_completion *completion,
                         uint64_t now_ns);

/* rs_client_emit: what should be submitted now, in order; every op must be. Requests built here
 * count as sent at now_ns. Returns how many, <= RS_CLIENT_OPS_MAX. */
uint32_t rs_client_emit(rs_client *client, rs_load *load, uint64_t now_ns,
                        rs_op ops[RS_CLIENT_OPS_MAX]);

/* rs_client_tick: checks timeouts. Returns true if emit should be called. */
bool rs_client_tick(rs_client *client, rs_load *load, uint64_t now_ns);

/* rs_client_count_unsent: books what was due by due_ns and is not sent at end_ns: in never_sent,
 * and in the corrected latency with the time it has waited by then, the least that it can be. Open
 * loop, at the end of the measurement. At most `steps` entries, each for its share of the messages.
 */
void rs_client_count_unsent(const rs_client *client, rs_load *load, uint64_t due_ns,
                            uint64_t end_ns, uint32_t steps);

/* rs_client_awaits_first: it has its first message still to send, or to be answered, and can. Not
 * of the reply's worth: a wrong one, too, shows that the connection is served. */
bool rs_client_awaits_first(const rs_client *client, const rs_load *load);

/* rs_client_finish: the run is over: an open connection ends its stream and waits for the
 * server's end, so that a reply too many is still seen. force: close at once. Then emit. */
void rs_client_finish(rs_client *client, rs_load *load, uint64_t now_ns, bool force);

#endif
