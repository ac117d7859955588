/* SPDX-License-Identifier: MIT */
/* One seed: a server's shard and a crowd of scripted clients in one simulated world.
 *
 * Everything is drawn from the seed: limits and sizes, the application, the faults, and what each
 * client does. After every step the invariants of sim_check.c must hold. Any breach prints what it
 * was and calls fail, which does not return. */
#ifndef RS_TESTS_SIM_RUN_H
#define RS_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/logic.h"
#include "server/shard.h"
#include "sim_backend.h"

#define SIM_CLIENTS_MAX 8u
#define SIM_SLOTS_MAX 32u /* of the shard: sessions and those still closing */
#define SIM_PLAN_BYTES 2048u
#define SIM_RX_BYTES 256u
#define SIM_CLIENT_SENDS 3u
#define SIM_DRAIN_LONG_MS 1000000000u
#define SIM_PROXIED_NET 0xC00002u /* 192.0.2.x: whose connections these are, as headers say */

/* Deliberate mistakes, each of which the checks must find. */
typedef enum sim_mistake {
    SIM_MISTAKE_NONE,
    SIM_MISTAKE_CORRUPT,    /* the back end changes a byte */
    SIM_MISTAKE_SWALLOW,    /* ... loses a byte */
    SIM_MISTAKE_DOUBLE,     /* ... completes a SEND twice */
    SIM_MISTAKE_LOSE,       /* ... never completes a SEND */
    SIM_MISTAKE_LOSE_CLOSE, /* ... never completes a CLOSE */
    SIM_MISTAKE_LEAK,       /* the application keeps a block */
    SIM_MISTAKE_SCRIBBLE    /* a SEND buffer is written while in flight */
} sim_mistake;

typedef enum sim_client_state {
    SIM_CLIENT_REST,
    SIM_CLIENT_CONNECTING,
    SIM_CLIENT_OPEN,
    SIM_CLIENT_CLOSING,
    SIM_CLIENT_FINISHED
} sim_client_state;

typedef enum sim_manner {
    SIM_MANNER_GOOD,    /* frames, FIN, reads to the end */
    SIM_MANNER_BAD,     /* a malformed frame after some good ones */
    SIM_MANNER_SILENT,  /* stops within a frame and waits */
    SIM_MANNER_FLOOD,   /* sends without reading, as long as it gets on */
    SIM_MANNER_GREEDY,  /* never reads, and stays until it has waited long enough */
    SIM_MANNER_RESET,   /* goes by reset, at any point */
    SIM_MANNER_LEAVE,   /* goes by a plain close, at any point */
    SIM_MANNER_DISMISS, /* its last frame asks the server to close */
    SIM_MANNERS
} sim_manner;

typedef struct sim_client {
    uint8_t plan[SIM_PLAN_BYTES]; /* all it will send */
    uint8_t rx[SIM_RX_BYTES];
    uint32_t plan_bytes;
    uint32_t echo_bytes; /* of plan: what a server may send back */
    uint32_t sent;       /* submitted */
    uint32_t received;
    uint32_t go_at;    /* RESET, LEAVE: bytes sent before it goes */
    uint32_t patience; /* GREEDY: turns that it stays */
    uint32_t generation, rounds_left, pause;
    uint32_t sends_in_flight;
    uint8_t state, manner;
    bool recv_in_flight, shutdown_in_flight, close_in_flight;
    bool shutdown_posted, end_seen, failed;
} sim_client;

typedef struct sim_totals {
    uint64_t seeds, steps, sessions, messages, bytes_back, complete_streams;
    uint64_t faults[RS_SIM_FAULTS];
    uint64_t closed[RS_CLOSE_REASONS];
    uint64_t refused, refused_address, refused_off, drained, linked, stale, escalated, timers, lows;
} sim_totals;

typedef struct sim_run {
    uint64_t seed, random;
    sim_mistake mistake;
    void (*fail)(void); /* prints how to replay; does not return */

    rs_sim_world *world;
    rs_sim_config world_config;
    rs_sim_faults client_faults, server_faults;
    bool faultless;

    rs_server_config server;
    rs_shard *shard;
    rs_address_limit *addresses; /* NULL: no limit */
    rs_logic *logic;             /* NULL: callbacks on the shard */
    bool with_logic;
    rs_backend *server_backend;
    uint32_t sessions_max;
    uint16_t port;
    bool stop_early, stopping, shared_app, has_dismissals, leaked;
    bool cut_short;  /* the server may have ended a good client's session in order */
    bool has_greedy; /* a client that reads little or nothing */
    bool few_blocks; /* hardly more send blocks than the sessions' reserves */
    bool posts;      /* other threads' messages come, to sessions that are or were */
    rs_session_id some_id;
    uint32_t stop_at;
    bool drains, draining, drained; /* the early stop is a drain; it has ended by itself */
    uint32_t drain_ms;              /* SIM_DRAIN_LONG_MS: nobody's end is its doing */
    bool toggles, off;              /* accepting, again and again */
    bool links;                     /* sessions become others' sources */
    rs_session *some;               /* of some_id, if it is open */
    uint64_t linked;
    uint64_t opened, ended, steps;
    uint64_t shard_starts, shard_ends, posts_asked, posts_ran, timers_ran, lows_told;
    uint32_t low_marks[SIM_SLOTS_MAX];
    bool low_wanted[SIM_SLOTS_MAX];

    rs_backend *backend; /* of the clients */
    rs_region_id region;
    rs_completion completions[32];
    uint32_t client_count, clients_finished;
    sim_client *clients; /* [SIM_CLIENTS_MAX], the registered region */
    uint64_t trace, messages, bytes_back, complete_streams;
} sim_run;

/* sim_run_seed: plays one seed to its end and adds to *totals. run: fresh memory. */
void sim_run_seed(sim_run *run, uint64_t seed, sim_mistake mistake, void (*fail)(void),
                  sim_totals *totals);

/* ---- sim_client.c */
void sim_client_draw(sim_run *run, sim_client *client);
bool sim_clients_step(sim_run *run); /* polls and acts; true when anything happened */

/* ---- sim_check.c */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sim_fail(sim_run *run, const char *format, ...);
void sim_check_step(sim_run *run);
void sim_check_opened(sim_run *run);
void sim_check_reason(sim_run *run, rs_close_reason reason);
void sim_check_end(sim_run *run);
#define SIM_CHECK(run, condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            sim_fail((run), "%s:%d: not so: %s", __FILE__, __LINE__, #condition);                  \
        }                                                                                          \
    } while (0)

/* ---- chance of the driver: a generator of its own, so that the world's draws do not shift it */
uint64_t sim_draw(sim_run *run);
static inline uint32_t sim_between(sim_run *run, uint32_t low, uint32_t high) { /* both included */
    return low + (uint32_t)(sim_draw(run) % (high - low + 1u));
}
static inline bool sim_one_in(sim_run *run, uint32_t n) {
    return sim_draw(run) % n == 0;
}

#endif
