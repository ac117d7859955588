/* SPDX-License-Identifier: MIT */
/* The simulated back end: the whole contract of seam/backend.h in memory, from one seed.
 *
 * A world is a network: listeners, connections with bounded pipes, a virtual clock, one random
 * generator, and faults. Every instance opened with cfg.world = the same world lives in it, servers
 * and clients alike. Pure C, no clock and no thread of its own: two runs with the same seed and the
 * same calls are the same run (rs_sim_trace). Not thread-safe, except wake().
 *
 * TIME passes only inside poll, and only when it would have slept: it then jumps to the next event
 * of the world, or to the deadline. It comes back early, with nothing, when the event was another
 * instance's: that one is to run now. rs_sim_advance moves the clock by hand.
 *
 * THE USER IS CHECKED. A RECV buffer is poisoned at submit and must be untouched until its
 * completion is polled; a SEND buffer must not change; buffers in flight must not overlap unless
 * both only send; nothing may be left when an instance closes. A breach is a violation. */
#ifndef RS_TESTS_SIM_BACKEND_H
#define RS_TESTS_SIM_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/backend.h"

extern const rs_backend_api rs_sim_backend;

typedef struct rs_sim_world rs_sim_world;

/* What can go wrong, and when the dice are thrown for it. Each is within the contract; the
 * instance that throws them is the one that suffers, and both ends do when the network fails. */
#define RS_SIM_FAULT_TABLE(X)                                                                      \
    X(SHORT_RECV, "a RECV gives fewer bytes than have come")                                       \
    X(SHORT_SEND, "a SEND ends short; nothing follows it")                                         \
    X(RESET_BEFORE_ATTACH, "reset between accept and attach")                                      \
    X(RESET_RECEIVING, "reset as a RECV starts")                                                   \
    X(RESET_SENDING, "reset as a SEND starts")                                                     \
    X(RESET_HALF_CLOSED, "reset with one direction ended")                                         \
    X(RESET_CLOSING, "reset as a CLOSE is taken")                                                  \
    X(HALF_CLOSE, "the peer's stream ends early, before a RECV")                                   \
    X(LATE_COMPLETION, "a request cancelled by CLOSE takes long to complete")                      \
    X(REFUSED_SUBMIT, "an op is refused with RS_E_CLOSED: the connection has just failed")         \
    X(NO_BUFFERS_RECV, "a RECV fails with RS_E_NO_BUFFERS")                                        \
    X(NO_BUFFERS_SEND, "a SEND fails with RS_E_NO_BUFFERS")                                        \
    X(NO_BUFFERS_ATTACH, "attach fails with RS_E_NO_BUFFERS")                                      \
    X(NO_BUFFERS_REGISTER, "register_memory fails with RS_E_NO_BUFFERS")                           \
    X(OPEN_NO_MEMORY, "open fails with RS_E_NO_MEMORY")                                            \
    X(ACCEPT_BURST, "strangers connect all at once, beside a CONNECT")                             \
    X(ACCEPT_FAILURE, "an accepted connection has failed: ACCEPT with a status")                   \
    X(LISTENER_FAILURE, "ACCEPT with RS_E_LISTENER; connects are refused from then on")            \
    X(CONNECT_REFUSED, "CONNECT fails with RS_E_REFUSED")                                          \
    X(STALE_COMPLETION, "an extra completion of the slot's older generation")                      \
    X(SLOW_READER, "this end of the connection receives slowly from now on")                       \
    X(LATENCY_SPIKE, "one completion takes long")                                                  \
    X(CLOCK_JUMP, "the clock jumps forward")                                                       \
    X(WAKE_STORM, "polls in a row return early, as if woken")

typedef enum rs_sim_fault {
#define X(name, text) RS_SIM_##name,
    RS_SIM_FAULT_TABLE(X)
#undef X
        RS_SIM_FAULTS
} rs_sim_fault;

#define RS_SIM_CERTAIN 100000u

/* Chances in 100,000 at each occasion; all 0 = a network without faults. */
typedef struct rs_sim_faults {
    uint32_t chance[RS_SIM_FAULTS];
} rs_sim_faults;

typedef struct rs_sim_config {
    uint64_t seed;
    uint32_t pipe_bytes;        /* what each direction holds; a fuller one blocks its sender */
    uint64_t latency_ns_max;    /* of a start or a completion, drawn from [0, max] */
    uint64_t slow_ns_max;       /* what SLOW_READER, LATE_COMPLETION and LATENCY_SPIKE add */
    uint64_t clock_jump_ns_max; /* of CLOCK_JUMP */
    uint32_t burst_max;         /* strangers of one ACCEPT_BURST, [1, burst_max] */
    rs_sim_faults faults;       /* of the instances opened next; see rs_sim_set_faults */
    bool strict;                /* refusals with RS_E_INVALID or RS_E_FULL are violations */
    bool unchecked;             /* no checks of buffers: for measuring */

    /* A violation calls this; NULL = the process ends as by RS_ASSERT. */
    void (*on_violation)(void *ctx, const char *what);
    void *violation_ctx;
} rs_sim_config;

/* rs_sim_config_default: no faults, 64 KiB pipes, latencies up to 50 us. */
rs_sim_config rs_sim_config_default(uint64_t seed);

/* rs_sim_world_open: never NULL (a test without memory has failed). cfg is copied. */
rs_sim_world *rs_sim_world_open(const rs_sim_config *cfg);

/* rs_sim_world_close: every instance is closed (a violation otherwise). NULL is accepted. */
void rs_sim_world_close(rs_sim_world *world);

/* rs_sim_now_ns: the virtual clock; starts at 1 s. */
uint64_t rs_sim_now_ns(const rs_sim_world *world);

/* rs_sim_advance: lets ns pass; what falls due happens. */
void rs_sim_advance(rs_sim_world *world, uint64_t ns);

/* rs_sim_next_ns: when the next event is due; UINT64_MAX when nothing is scheduled. */
uint64_t rs_sim_next_ns(const rs_sim_world *world);

/* rs_sim_set_faults: of the instances opened from now on. */
void rs_sim_set_faults(rs_sim_world *world, const rs_sim_faults *faults);

/* rs_sim_set_instance_faults: of this instance, from now on. */
void rs_sim_set_instance_faults(rs_backend *backend, const rs_sim_faults *faults);

/* rs_sim_fault_count: how often it really happened in this world. */
uint64_t rs_sim_fault_count(const rs_sim_world *world, rs_sim_fault fault);
const char *rs_sim_fault_name(rs_sim_fault fault); /* "SHORT_RECV" */

/* rs_sim_violations: breaches seen, where on_violation lets the run go on. */
uint64_t rs_sim_violations(const rs_sim_world *world);

/* rs_sim_trace: a hash over every completion handed out, with its time and instance. */
uint64_t rs_sim_trace(const rs_sim_world *world);

/* rs_sim_instance: the nth instance opened in this world (1 = the first); NULL once closed. */
rs_backend *rs_sim_instance(const rs_sim_world *world, uint32_t number);

/* rs_sim_in_flight: ops accepted whose completion has not been polled. */
uint32_t rs_sim_in_flight(const rs_backend *backend);

/* rs_sim_in_flight_of: those of a kind on a slot. */
uint32_t rs_sim_in_flight_of(const rs_backend *backend, uint32_t conn, rs_op_kind kind);

/* rs_sim_links: connections that exist at either end. */
uint32_t rs_sim_links(const rs_sim_world *world);

/* Breaches of the contract by the back end itself: they prove that a test above would see one. */
typedef enum rs_sim_sabotage {
    RS_SIM_SABOTAGE_NONE,
    RS_SIM_CORRUPT_BYTE,      /* one byte of a SEND arrives changed */
    RS_SIM_SWALLOW_BYTE,      /* one byte of a SEND is lost */
    RS_SIM_DOUBLE_COMPLETION, /* a SEND completes twice */
    RS_SIM_LOSE_COMPLETION,   /* a SEND never completes; CLOSE comes all the same */
    RS_SIM_LOSE_CLOSE         /* a CLOSE never completes */
} rs_sim_sabotage;

/* rs_sim_sabotage_arm: does it to the nth occasion (1 = the next) of this instance. */
void rs_sim_sabotage_arm(rs_backend *backend, rs_sim_sabotage kind, uint32_t nth);

#endif
