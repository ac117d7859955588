/* SPDX-License-Identifier: MIT */
/* One run over a back end: memory, the loop, the phases, and what it cost.
 *
 * One thread; the back end is named by the main alone. */
#ifndef RS_LOADGEN_RUN_H
#define RS_LOADGEN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "loadgen/loadgen_alarms.h"
#include "loadgen/loadgen_client.h"
#include "loadgen/loadgen_pace.h"
#include "loadgen/loadgen_settings.h"
#include "seam/atomics.h"
#include "seam/backend.h"
#include "seam/os.h"
#include "seam/printer.h"

typedef enum rs_load_run_phase {
    RS_PHASE_IDLE_CONNECT, /* the silent ones come first */
    RS_PHASE_CONNECT,      /* without --churn: until each had its first reply */
    RS_PHASE_WARMUP,
    RS_PHASE_MEASURE,
    RS_PHASE_DRAIN,  /* nothing is sent any more; the replies still due */
    RS_PHASE_FINISH, /* every connection ends its stream, sees the server's end, closes */
    RS_PHASE_OVER
} rs_load_run_phase;

/* What the runs of several threads have in common: they begin to send together. */
typedef struct rs_load_crew {
    uint32_t threads;
    rs_atomic_u32 served;      /* runs all of whose connections were served */
    const rs_atomic_u32 *stop; /* of the first run: ends them all */
} rs_load_crew;

/* Cost at one moment. */
typedef struct rs_load_run_cost {
    rs_os_usage usage;
    rs_backend_stats stats;
    uint64_t lives; /* connections that had ended normally */
} rs_load_run_cost;

/* One second of the measurement; negative = not known. */
typedef struct rs_load_second {
    double at_s; /* its end, from the measurement's start */
    double rate_per_s, p50_ns, p99_ns;
    double cpu; /* own CPU time, of one processor */
} rs_load_second;

typedef struct rs_load_run {
    const rs_load_settings *settings;
    const rs_backend_api *api;
    rs_backend *backend;
    rs_load_crew *crew; /* NULL: it is alone */
    bool crew_joined;   /* counted in crew->served */
    rs_load load;
    rs_bots bots;       /* with --app board; else zero */
    rs_client *clients; /* [total]: the sending ones, then the silent ones */
    uint32_t total;
    uint32_t *touched, *emitting; /* [total] each: clients to ask for ops */
    uint32_t touched_count;
    rs_completion *completions; /* [settings->dequeue_batch] */
    uint64_t *sent_ns;
    void *pages;
    size_t pages_bytes;
    bool region_held;
    rs_load_run_phase phase;
    uint32_t cursor, cursor_end; /* clients still to be connected for the first time */
    uint64_t issued;             /* open loop: messages handed to connections */
    uint64_t paced_ns;           /* open loop: what was due by then has had a turn to be sent */
    rs_pace pace;
    rs_alarms thinking; /* --think alone: whose next message is due when */
    rs_plan connects;   /* --connect-rate alone: when connections are due; connects_issued were */
    uint64_t connects_issued;
    uint32_t *waiting; /* [total], a ring: who asks to connect */
    uint32_t waiting_at, waiting_count;
    bool connects_idle;           /* nobody asked in the last turn */
    uint64_t settle_ns, apart_ns; /* drain: since when all replies are there; the next check */
    uint64_t now_ns, tick_ns, progress_ns, progress_replies;
    uint64_t start_ns, phase_ns; /* of the run; of the present phase */
    uint64_t measure_ns, end_ns; /* the measurement's ends; 0 = not reached */
    uint64_t setup_ns;           /* from the start until the load began; 0 = never */
    uint64_t ramp_ns;            /* 0 = none, or not all connections were served */
    uint32_t stuck;              /* connections whose CLOSE never completed */
    rs_printer *out, *err;       /* the owner's, from before rs_load_run_go on */
    bool progress, interrupted, forced;
    rs_load_run_cost before, after; /* around the measurement */
    rs_plan_arrivals arrivals;      /* --arrivals poisson alone */
    struct {
        uint32_t tries;
        double rate_per_s;  /* 0: none was found */
    } found;                /* --find-rate alone */
    uint32_t groups;        /* of load.groups: --per-connection, or several targets */
    rs_load_books books;    /* the sums before the connection that acts now */
    rs_load_second *series; /* [series_max]; --series alone */
    uint32_t series_count, series_max;
    struct {
        uint64_t ns, measured;
        rs_os_usage usage;
        rs_histogram latency, since;
    } series_from; /* where the second under way began; room for its difference */
    rs_atomic_u32 stop;
} rs_load_run;

/* rs_load_run_open: allocates all the run needs, opens the back end. *run zeroed by the caller.
 * RS_E_NO_MEMORY and what the back end's open gives; *error filled. rs_load_run_close in any case.
 */
rs_status rs_load_run_open(rs_load_run *run, const rs_load_settings *settings,
                           const rs_backend_api *api, rs_error *error);

/* rs_load_run_go: the whole run; ends in bounded time after its length, whatever the server does.
 */
void rs_load_run_go(rs_load_run *run);

/* rs_load_run_stop: from any thread: the run drains and ends. */
void rs_load_run_stop(rs_load_run *run);

/* rs_load_run_merge: adds what another run of the same crew measured, both over and still open:
 * counts and histograms exactly, the time from the first start to the last end. Usage is the
 * process's, so it stays as it is. first: the number of that run's first connection among all. */
void rs_load_run_merge(rs_load_run *into, const rs_load_run *from, uint32_t first);

/* rs_load_group_add: counts and latencies of one more, exactly. into and from differ. */
void rs_load_group_add(rs_load_group *into, const rs_load_group *from);

/* rs_load_run_seconds: the measured time. rs_load_run_rate: messages a second of it. Negative: not
 * known. */
double rs_load_run_seconds(const rs_load_run *run);
double rs_load_run_rate(const rs_load_run *run);

void rs_load_run_close(rs_load_run *run);

#endif
