/* SPDX-License-Identifier: MIT */
/* When messages are due in an open loop, and which connections misbehave on purpose.
 *
 * Message i of the run is due at start + i / rate and belongs to connection i mod connections, so
 * the intended time of any message follows from its number alone and nothing is stored. Pure.
 *
 * Poisson arrivals: each RS_PLAN_BLOCK messages lie at random within their time, as arrivals of
 * independent users do when their number is given: sorted uniform times, which follow from seed and
 * block. So the rate is kept exactly, and over longer times than a block it does not vary. */
#ifndef RS_LOADGEN_PLAN_H
#define RS_LOADGEN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define RS_PLAN_RATE_MAX 1000000000u

#define RS_PLAN_BLOCK 1024u
#define RS_PLAN_BLOCKS_KEPT 16u /* what replies under way may still ask for */

/* The shares of a block's time at which its messages are due, of the blocks last asked for. */
typedef struct rs_plan_arrivals {
    uint64_t seed;
    uint64_t block[RS_PLAN_BLOCKS_KEPT];             /* its number + 1; 0: none */
    float share[RS_PLAN_BLOCKS_KEPT][RS_PLAN_BLOCK]; /* [0, 1), ascending */
} rs_plan_arrivals;

typedef struct rs_plan {
    uint64_t start_ns;
    uint32_t rate; /* messages a second over all connections, [1, RS_PLAN_RATE_MAX] */
    uint32_t connections;
    rs_plan_arrivals *poisson; /* NULL: at equal distances */
} rs_plan;

/* How long a connection waits between a reply and its next message. */
typedef struct rs_plan_think {
    uint64_t mean_ns, seed;
    bool exponential; /* else always the mean */
} rs_plan_think;

/* What a connection is for. */
typedef enum rs_plan_role {
    RS_ROLE_NORMAL,
    RS_ROLE_RESET,      /* ends by a reset, with replies in progress */
    RS_ROLE_HALF_CLOSE, /* ends its stream with replies in progress, then takes them all */
    RS_ROLE_SLOW        /* reads little and seldom */
} rs_plan_role;

/* rs_plan_intended_ns: when message index is due; the first nanosecond that is not too early. */
uint64_t rs_plan_intended_ns(const rs_plan *plan, uint64_t index);

/* rs_plan_due: how many messages are due at now_ns: index i is due iff i < the result. */
uint64_t rs_plan_due(const rs_plan *plan, uint64_t now_ns);

/* rs_plan_due_of: how many of one connection's messages are due at now_ns. */
uint64_t rs_plan_due_of(const rs_plan *plan, uint32_t connection, uint64_t now_ns);

/* rs_plan_index: the run's number of message `sequence` (0-based) of a connection. */
uint64_t rs_plan_index(const rs_plan *plan, uint32_t connection, uint64_t sequence);

/* rs_plan_role_of: shares out the percentages exactly (to one connection), in blocks.
 * reset + half_close + slow <= 100 (asserted). */
rs_plan_role rs_plan_role_of(uint32_t connection, uint32_t connections, uint32_t reset_percent,
                             uint32_t half_close_percent, uint32_t slow_percent);

/* rs_plan_quota: messages of one life of a misbehaving connection, [1, 2 * mean); repeatable. */
uint32_t rs_plan_quota(uint64_t seed, uint32_t connection, uint32_t life, uint32_t mean);

/* rs_plan_think_ns: after the reply to message `sequence` of a connection; repeatable. */
uint64_t rs_plan_think_ns(const rs_plan_think *think, uint32_t connection, uint64_t sequence);

/* rs_plan_first_think_ns: before a connection's first message: as if it had begun long ago, so that
 * they do not all send at once. */
uint64_t rs_plan_first_think_ns(const rs_plan_think *think, uint32_t connection);

#endif
