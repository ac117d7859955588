/* SPDX-License-Identifier: MIT */
/* The named scenarios, and what each asks of the servers and of the load generator.
 *
 * Pure: a table and two functions that turn a row into command lines. Any thread. */
#ifndef RS_COMPARE_SCENARIO_H
#define RS_COMPARE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/args.h"

#define RS_SCENARIOS_MAX 96u /* the cells of --map are scenarios too */
#define RS_CAPACITY_BOUND_US                                                                       \
    2000.0 /* p99 that "capacity" allows: ours; what a player does not feel */
#define RS_BOTS_BOUND_US                                                                           \
    50000.0                 /* the same of "board-bots": ours; a step that still looks at once */
#define RS_BOTS_START 500.0 /* bots that its search begins with, and the most it tries */
#define RS_BOTS_MAX 8000u
#define RS_BOARD_MOVES 10u      /* a second of each bot: a player who keeps walking */
#define RS_SCENARIO_WORK_US 20u /* of a BUSY message: more than the I/O of one costs: ours */
#define RS_CAPACITY_SHARE 0.5   /* of a run's time for each of its loads: ours */

typedef enum rs_scenario_kind {
    RS_SCENARIO_CLOSED,  /* next request when the reply is there: measures capacity */
    RS_SCENARIO_BUSY,    /* the same; each message costs the server RS_SCENARIO_WORK_US of work */
    RS_SCENARIO_SCALING, /* the same, whatever --placement says without pinning */
    RS_SCENARIO_WRITERS, /* as CLOSED; each request is written by a call of its own */
    RS_SCENARIO_IDLE,    /* the same on a few of many connections */
    RS_SCENARIO_RAMP,  /* all connections at once; rate = connections a second until first reply */
    RS_SCENARIO_CHURN, /* connect, a few messages, close; rate = connections a second */
    RS_SCENARIO_FIXED, /* open loop at a share of the slower server's capacity */
    RS_SCENARIO_BOARD, /* the board game, open loop; rate = deliveries a second */
    RS_SCENARIO_BOTS,  /* most bots on the board with p99 within RS_BOTS_BOUND_US */
    RS_SCENARIO_CAPACITY /* highest open-loop rate with p99 within RS_CAPACITY_BOUND_US */
} rs_scenario_kind;

typedef struct rs_scenario {
    const char *name, *about; /* about: one line for --list and the report */
    rs_scenario_kind kind;
    uint32_t connections, depth, frame_bytes;
    uint32_t idle;         /* IDLE: connections beside them that stay silent */
    uint32_t percent;      /* FIXED: of the slower server's rate in RS_SCENARIO_BASE */
    uint32_t max_sessions; /* server option: room for the connections and their successors */
    uint32_t max_frame;    /* server options; 0 = the server's default */
    uint32_t max_queued;
    uint32_t sets;   /* RS_IN_*: which selections have it; 0: trade-offs, or by name */
    const char *app; /* option of the server, and of loadgen for the board and raw; NULL: default */
    uint32_t send_block; /* option of the server; 0 = its default */
    double least_s;      /* measured time that a run has at least; 0: any will do */
} rs_scenario;

#define RS_IN_QUICK (1u << 0)
#define RS_IN_FULL (1u << 1)
#define RS_IN_LADDER (1u << 2)

/* The scenario whose rate sets that of FIXED and starts the search of CAPACITY. */
#define RS_SCENARIO_BASE "many-small"

uint32_t rs_scenario_count(void);
const rs_scenario *rs_scenario_at(uint32_t index);     /* index < rs_scenario_count() (asserted) */
const rs_scenario *rs_scenario_find(const char *name); /* NULL: no such scenario */

/* rs_scenario_is_late: its rate comes from the results of others, so it runs after them. */
bool rs_scenario_is_late(const rs_scenario *scenario);

/* rs_scenario_is_open: messages are sent when they are due: latency counts from then. */
bool rs_scenario_is_open(const rs_scenario *scenario);

/* rs_scenario_is_busy: each message costs the server RS_SCENARIO_WORK_US of work. */
bool rs_scenario_is_busy(const rs_scenario *scenario);

/* rs_scenario_is_raw: the server sees bytes and no messages. */
bool rs_scenario_is_raw(const rs_scenario *scenario);

/* rs_scenario_is_search: its rate is the largest of several loads whose p99 stays within
 * rs_scenario_bound_us. */
bool rs_scenario_is_search(const rs_scenario *scenario);
double rs_scenario_bound_us(const rs_scenario *scenario);

/* rs_scenario_counts_connections: its rate is in connections a second, not messages.
 * rs_scenario_rate_unit: "connections/s", "messages/s", "deliveries/s" or "bots". */
bool rs_scenario_counts_connections(const rs_scenario *scenario);
const char *rs_scenario_rate_unit(const rs_scenario *scenario);

/* rs_scenario_warmup: what the dropped first run of each server is: one that all of them hold. */
const rs_scenario *rs_scenario_warmup(void);

/* rs_scenario_sockets: connections of it that are open at once, idle ones included. */
uint32_t rs_scenario_sockets(const rs_scenario *scenario);

/* rs_scenario_server_args: adds the options the scenario asks of a server. streams: it knows no
 * frames, nor the options about them. */
void rs_scenario_server_args(const rs_scenario *scenario, bool streams, rs_args *args);

typedef struct rs_load_time {
    double seconds, warmup_s;
    double rate; /* messages a second, FIXED and CAPACITY; BOTS: how many; otherwise ignored */
} rs_load_time;

/* rs_scenario_time: what a run of so many seconds and so much warm-up has in this scenario. */
rs_load_time rs_scenario_time(const rs_scenario *scenario, double seconds, double warmup_s);

/* rs_scenario_moves: messages a second of so many bots; of a board scenario alone. */
double rs_scenario_moves(double bots);

/* rs_scenario_load_args: adds the options the scenario asks of loadgen. */
void rs_scenario_load_args(const rs_scenario *scenario, const rs_load_time *time, rs_args *args);

#endif
