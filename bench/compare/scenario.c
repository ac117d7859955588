/* SPDX-License-Identifier: MIT */
/* Frame sizes: 32 bytes is a small game or trading message; 60,000 is near the longest frame. */
#include "compare/scenario.h"

#include <math.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

#define SCENARIO_CHURN_MESSAGES 4u
#define SCENARIO_RAW_RECV_BYTES 65536u /* of the servers' receives, where there are no frames */
#define SCENARIO_WARMUP_SHARE 0.25     /* of the least time of a run */
#define SCENARIO_BOTS_SOURCES 64u /* a search opens more connections than an address has ports */

/* RS_SCENARIO_BASE stands before the scenarios that need its result. */
static const rs_scenario scenario_table[] = {
    {"ping-pong", "1 connection, 32 bytes, one request in flight: the bare round trip",
     RS_SCENARIO_CLOSED, 1, 1, 32, 0, 0, 16, 0, 0, RS_IN_QUICK | RS_IN_FULL | RS_IN_LADDER, NULL, 0,
     0},
    {"sixty", "60 connections, 32 bytes, one request in flight: as many as every model holds",
     RS_SCENARIO_CLOSED, 60, 1, 32, 0, 0, 128, 0, 0, RS_IN_LADDER, NULL, 0, 0},
    {"many-small", "64 connections, 32 bytes, one request in flight on each", RS_SCENARIO_CLOSED,
     64, 1, 32, 0, 0, 128, 0, 0, RS_IN_QUICK | RS_IN_FULL, NULL, 0, 0},
    {"slow-work", "64 connections as in many-small; one message in 100 takes the server 5 ms",
     RS_SCENARIO_CLOSED, 64, 1, 32, 0, 0, 128, 0, 0, 0, "slow", 0, 0},
    {"busy-work", "64 connections as in many-small; each message costs the server 20 us of work",
     RS_SCENARIO_BUSY, 64, 1, 32, 0, 0, 128, 0, 0, 0, NULL, 0, 0},
    {"scaling",
     "64 connections, 20 us of work a message as in busy-work; the system places the threads",
     RS_SCENARIO_SCALING, 64, 1, 32, 0, 0, 128, 0, 0, 0, NULL, 0, 0},
    {"pipelined", "64 connections, 32 bytes, 64 requests in flight on each", RS_SCENARIO_CLOSED, 64,
     64, 32, 0, 0, 128, 0, 0, RS_IN_QUICK | RS_IN_FULL, NULL, 0, 0},
    {"wide", "1,000 connections, 32 bytes, one request in flight on each", RS_SCENARIO_CLOSED, 1000,
     1, 32, 0, 0, 1024, 0, 0, RS_IN_QUICK | RS_IN_FULL | RS_IN_LADDER, NULL, 0, 0},
    {"large", "16 connections, frames of 60,000 bytes, one in flight on each", RS_SCENARIO_CLOSED,
     16, 1, 60000, 0, 0, 32, 65535, 1048576, RS_IN_QUICK | RS_IN_FULL, NULL, 0, 0},
    {"ramp", "512 connections opened at once, until each had its first reply, whose latency it is",
     RS_SCENARIO_RAMP, 512, 1, 32, 0, 0, 1024, 0, 0, RS_IN_QUICK | RS_IN_FULL, NULL, 0, 0},
    {"idle-crowd", "2,000 silent connections beside 16 busy ones, 32 bytes", RS_SCENARIO_IDLE, 16,
     1, 32, 2000, 0, 4096, 0, 0, RS_IN_FULL, NULL, 0, 0},
    {"churn", "32 connections at a time: connect, 4 messages, close", RS_SCENARIO_CHURN, 32, 1, 32,
     0, 0, 1024, 0, 0, RS_IN_FULL, NULL, 0, 0},
    {"board", "1,000 bots on the board, 10 moves a second each, open loop; figures per delivery",
     RS_SCENARIO_BOARD, 1000, 64, 4, 0, 0, 1024, 0, 0, 0, "board", 0, 0},
    {"board-bots", "most bots, 10 moves a second each, with p99 within 50 ms, by bisection",
     RS_SCENARIO_BOTS, 1000, 64, 4, 0, 0, RS_BOTS_MAX, 0, 0, 0, "board", 0, 0},
    {"fixed-50", "64 connections, open loop at 50 % of the slower server's many-small rate",
     RS_SCENARIO_FIXED, 64, 64, 32, 0, 50, 128, 0, 0, RS_IN_FULL, NULL, 0, 0},
    {"fixed-80", "64 connections, open loop at 80 % of the slower server's many-small rate",
     RS_SCENARIO_FIXED, 64, 64, 32, 0, 80, 128, 0, 0, RS_IN_FULL, NULL, 0, 0},
    {"capacity", "64 connections, open loop: the highest rate with p99 within 2 ms, by bisection",
     RS_SCENARIO_CAPACITY, 64, 64, 32, 0, 0, 128, 0, 0, RS_IN_FULL, NULL, 0, 0},
};

_Static_assert(sizeof scenario_table / sizeof scenario_table[0] <= RS_SCENARIOS_MAX,
               "arrays over scenarios hold the table");

uint32_t rs_scenario_count(void) {
    return (uint32_t)(sizeof scenario_table / sizeof scenario_table[0]);
}

const rs_scenario *rs_scenario_at(uint32_t index) {
    RS_ASSERT(index < rs_scenario_count());
    return &scenario_table[index];
}

const rs_scenario *rs_scenario_find(const char *name) {
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        if (strcmp(scenario_table[i].name, name) == 0) {
            return &scenario_table[i];
        }
    }
    return NULL;
}

bool rs_scenario_is_late(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_FIXED || scenario->kind == RS_SCENARIO_CAPACITY;
}

bool rs_scenario_is_busy(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_BUSY || scenario->kind == RS_SCENARIO_SCALING;
}

bool rs_scenario_is_raw(const rs_scenario *scenario) {
    return scenario->app != NULL && strcmp(scenario->app, "raw") == 0;
}

static bool scenario_is_board(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_BOARD || scenario->kind == RS_SCENARIO_BOTS;
}

bool rs_scenario_is_open(const rs_scenario *scenario) {
    return rs_scenario_is_late(scenario) || scenario_is_board(scenario);
}

bool rs_scenario_is_search(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_CAPACITY || scenario->kind == RS_SCENARIO_BOTS;
}

double rs_scenario_bound_us(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_BOTS ? RS_BOTS_BOUND_US : RS_CAPACITY_BOUND_US;
}

double rs_scenario_moves(double bots) {
    return bots * RS_BOARD_MOVES;
}

bool rs_scenario_counts_connections(const rs_scenario *scenario) {
    return scenario->kind == RS_SCENARIO_RAMP || scenario->kind == RS_SCENARIO_CHURN;
}

const char *rs_scenario_rate_unit(const rs_scenario *scenario) {
    if (scenario_is_board(scenario)) {
        return scenario->kind == RS_SCENARIO_BOARD ? "deliveries/s" : "bots";
    }
    return rs_scenario_counts_connections(scenario) ? "connections/s" : "messages/s";
}

const rs_scenario *rs_scenario_warmup(void) {
    return &scenario_table[0];
}

uint32_t rs_scenario_sockets(const rs_scenario *scenario) {
    return scenario->connections + scenario->idle;
}

void rs_scenario_server_args(const rs_scenario *scenario, bool streams, rs_args *args) {
    rs_args_u32(args, "--max-sessions", scenario->max_sessions);
    if (scenario->max_frame != 0 && !streams) {
        rs_args_u32(args, "--max-frame", scenario->max_frame);
    }
    if (scenario->max_queued != 0 && !streams) {
        rs_args_u32(args, "--max-queued", scenario->max_queued);
    }
    if (scenario->send_block != 0 && !streams) {
        rs_args_u32(args, "--send-block", scenario->send_block);
    }
    if (rs_scenario_is_raw(scenario) && !streams) {
        rs_args_u32(args, "--recv-buffer", SCENARIO_RAW_RECV_BYTES);
    }
    if (rs_scenario_is_busy(scenario) && !streams) {
        rs_args_u32(args, "--work-us", RS_SCENARIO_WORK_US);
    }
    if (scenario->app != NULL && !streams) {
        rs_args_add(args, "--app");
        rs_args_add(args, "%s", scenario->app);
    }
}

rs_load_time rs_scenario_time(const rs_scenario *scenario, double seconds, double warmup_s) {
    const double least_s = scenario->least_s;
    return (rs_load_time){.seconds = fmax(seconds, least_s),
                          .warmup_s = fmax(warmup_s, least_s * SCENARIO_WARMUP_SHARE)};
}

void rs_scenario_load_args(const rs_scenario *scenario, const rs_load_time *time, rs_args *args) {
    const double connections =
        scenario->kind == RS_SCENARIO_BOTS ? time->rate : scenario->connections;
    const double rate = scenario_is_board(scenario) ? rs_scenario_moves(connections) : time->rate;
    rs_args_u32(args, "--connections", connections < 1 ? 1 : (uint32_t)connections);
    rs_args_u32(args, "--depth", scenario->depth);
    rs_args_u32(args, "--size", scenario->frame_bytes);
    if (scenario->kind == RS_SCENARIO_RAMP) {
        rs_args_add(args, "--ramp"); /* ends by itself, and has nothing to warm up */
        return;
    }
    rs_args_double(args, "--seconds", time->seconds);
    rs_args_double(args, "--warmup", time->warmup_s);
    if (scenario->kind == RS_SCENARIO_WRITERS) {
        rs_args_u32(args, "--sends-in-flight", RS_SENDS_IN_FLIGHT_MAX);
        rs_args_add(args, "--coalesce");
        rs_args_add(args, "off");
    }
    if (scenario_is_board(scenario) || rs_scenario_is_raw(scenario)) {
        rs_args_add(args, "--app");
        rs_args_add(args, "%s", scenario->app);
    }
    if (scenario_is_board(scenario)) {
        rs_args_u32(args, "--sources", SCENARIO_BOTS_SOURCES);
    }
    if (rs_scenario_is_open(scenario)) {
        rs_args_add(args, "--rate");
        rs_args_add(args, "%.0f", rate < 1 ? 1 : rate);
    }
    if (rs_scenario_is_search(scenario)) {
        rs_args_u32(args, "--rate-min", 0); /* a missed rate is an answer of the search */
    }
    if (scenario->kind == RS_SCENARIO_CHURN) {
        rs_args_add(args, "--churn");
        rs_args_u32(args, "--churn-messages", SCENARIO_CHURN_MESSAGES);
    }
    if (scenario->kind == RS_SCENARIO_IDLE) {
        rs_args_u32(args, "--idle", scenario->idle);
    }
}
