/* SPDX-License-Identifier: MIT */
/* What sim_world.c (clock, events, connections) and sim_backend.c (the seam's functions) share. */
#ifndef RS_TESTS_SIM_INTERNAL_H
#define RS_TESTS_SIM_INTERNAL_H

#include "core/op.h"
#include "seam/atomics.h"
#include "seam/region_set.h"
#include "sim_backend.h"

typedef enum sim_op_state {
    SIM_OP_IDLE,
    SIM_OP_WAITING, /* accepted; the kernel has not looked at it yet */
    SIM_OP_ACTIVE,  /* the kernel works on it, or waits for the peer */
    SIM_OP_DONE     /* has its result; the completion is on its way */
} sim_op_state;

/* The fixed places of a connection's ops; its receives follow in a ring, then its sends in one. */
enum { SIM_OP_AT_SHUTDOWN, SIM_OP_AT_CONNECT, SIM_OP_AT_CLOSE, SIM_OP_AT_RECVS };

typedef struct sim_op {
    rs_op op;
    rs_addr addr; /* CONNECT: copied at submit */
    uint8_t state;
    uint32_t serial;     /* counts uses of this record */
    uint32_t bytes_done; /* bytes moved so far */
    rs_status status;
    uint64_t sum;     /* of the buffer, as it must still be */
    uint32_t held_at; /* place in rs_backend.held; UINT32_MAX = holds no buffer */
} sim_op;

typedef struct sim_pipe {
    uint8_t *data; /* a ring of world.cfg.pipe_bytes */
    uint32_t head, count;
    bool fin;     /* nothing is added any more: the reader gets 0 after the rest */
    bool swallow; /* HALF_CLOSE: what is written is thrown away */
} sim_pipe;

typedef struct sim_end {
    rs_backend *backend; /* NULL: not attached, or gone */
    uint32_t conn;
    bool closed; /* our side is gone: bytes for it meet a reset */
    bool reset;
    bool ghost; /* a stranger without a program behind it */
    bool reads; /* ghost: takes what it is sent */
} sim_end;

/* A connection: end 0 connected, end 1 was accepted; end e writes pipe e. */
typedef struct sim_link {
    uint32_t index, serial;
    rs_ends ends;        /* as end 1 sees them */
    bool used, accepted; /* accepted: end 1 was handed out and waits for attach or discard */
    sim_end end[2];
    sim_pipe pipe[2];
    struct sim_link *next_free;
} sim_link;

typedef enum sim_conn_state {
    SIM_CONN_FREE,
    SIM_CONN_CONNECTING,
    SIM_CONN_OPEN,   /* or broken: ops are taken, and fail */
    SIM_CONN_CLOSING /* CLOSE was taken, its completion not yet polled */
} sim_conn_state;

typedef struct sim_conn {
    uint8_t state;
    uint8_t end;
    bool aborting;   /* CLOSE with RS_OPF_ABORT, or an escalation */
    bool escalated;  /* no further CLOSE is taken */
    bool close_done; /* the CLOSE completion is on its way */
    bool shut;       /* SHUTDOWN was taken */
    bool broken_out; /* a SEND ended short */
    bool slow;
    uint16_t broken;                        /* rs_status that every op meets; RS_OK = none */
    uint32_t generation, generation_before; /* 0 = none */
    sim_link *link;
    uint32_t recv_head, recv_count; /* the rings of receives and sends not yet polled */
    uint32_t send_head, send_count;
    uint64_t due_in, due_out; /* completions of a direction keep their order */
} sim_conn;

typedef struct sim_region {
    uint8_t *base;
    size_t bytes;
    rs_region_cut cut;
    bool used;
} sim_region;

/* A completion that poll will hand out. */
typedef struct sim_ready {
    sim_op *op; /* NULL: an ACCEPT or a stale one */
    sim_link *link;
    rs_completion completion;
} sim_ready;

typedef enum sim_event_kind {
    SIM_EV_START,   /* a WAITING op becomes ACTIVE */
    SIM_EV_DELIVER, /* a DONE op becomes ready */
    SIM_EV_RECORD,  /* a completion without an op becomes ready */
    SIM_EV_GHOST    /* a stranger ends its connection */
} sim_event_kind;

typedef struct sim_event {
    uint64_t due_ns, order;
    rs_backend *backend; /* NULL: of the network */
    sim_op *op;
    sim_link *link;
    uint32_t serial; /* of op or link */
    uint8_t kind;
    rs_completion completion; /* RECORD */
} sim_event;

struct rs_backend {
    rs_sim_world *world;
    rs_backend *next;
    uint32_t number; /* 1, 2, ... in order of opening */
    rs_backend_config cfg;
    rs_sim_faults faults;
    sim_conn *conns;
    sim_op *ops;   /* [conns_max * ops_per_conn] */
    sim_op **held; /* ops that hold a buffer */
    uint32_t held_count;
    uint32_t in_flight;
    sim_region regions[RS_REGIONS_MAX];
    uint32_t listening;                    /* listeners that accept connections */
    rs_addr listen_addr[RS_LISTENERS_MAX]; /* as bound */
    uint32_t listeners_due;                /* whose last completion has not been polled */
    bool listener_broken;                  /* the first one that was offered a connection */
    uint32_t accepts_due;                  /* ACCEPT completions scheduled or ready */
    uint64_t accept_due_ns;                /* of the latest one */
    sim_ready *ready;                      /* ring */
    uint32_t ready_head, ready_count, ready_capacity;
    uint32_t storm_left;
    rs_atomic_u32 woken;
    rs_sim_sabotage sabotage;
    uint32_t sabotage_in;
    uint64_t submit_count, op_count, poll_count, storm_count;
};

struct rs_sim_world {
    rs_sim_config cfg;
    uint64_t now_ns;
    uint64_t random;
    uint64_t order; /* of the next event */
    uint64_t trace;
    uint64_t violations;
    uint64_t fault_count[RS_SIM_FAULTS];
    rs_backend *backends;
    uint32_t backend_number;
    sim_event *events; /* binary heap by (due_ns, order) */
    uint32_t event_count, event_capacity;
    sim_link **links;
    uint32_t link_count, link_capacity, links_used;
    sim_link *free_links;
    uint16_t next_port;
};

/* ---- sim_world.c */
void *sim_alloc(size_t count, size_t bytes);
void *sim_grow(void *old, size_t count, size_t bytes);
uint64_t sim_random(rs_sim_world *world);
uint64_t sim_below(rs_sim_world *world, uint64_t limit); /* [0, limit), limit > 0 */
bool sim_roll(rs_backend *backend, rs_sim_fault fault);
void sim_violation(rs_sim_world *world, const char *what);
uint64_t sim_sum(const uint8_t *data, uint32_t bytes);
uint64_t sim_latency(rs_sim_world *world);

void sim_schedule(rs_sim_world *world, const sim_event *event);
void sim_purge_events(rs_sim_world *world, const rs_backend *backend);
void sim_run_until(rs_sim_world *world, uint64_t ns);
void sim_push_ready(rs_backend *backend, const sim_ready *ready);
bool sim_sabotage_now(rs_backend *backend, rs_sim_sabotage kind);

static inline uint32_t sim_ops_per_conn(const rs_backend *backend) {
    return SIM_OP_AT_RECVS + backend->cfg.tuning.recvs + backend->cfg.sends_per_conn;
}
static inline sim_op *sim_op_at(const rs_backend *backend, uint32_t conn, uint32_t place) {
    return &backend->ops[(size_t)conn * sim_ops_per_conn(backend) + place];
}
static inline sim_op *sim_recv_at(const rs_backend *backend, uint32_t conn, uint32_t nth) {
    const sim_conn *c = &backend->conns[conn];
    return sim_op_at(backend, conn,
                     SIM_OP_AT_RECVS + (c->recv_head + nth) % backend->cfg.tuning.recvs);
}
static inline sim_op *sim_send_at(const rs_backend *backend, uint32_t conn, uint32_t nth) {
    const sim_conn *c = &backend->conns[conn];
    return sim_op_at(backend, conn,
                     SIM_OP_AT_RECVS + backend->cfg.tuning.recvs +
                         (c->send_head + nth) % backend->cfg.sends_per_conn);
}

/* ---- sim_link.c */
sim_link *sim_link_of_socket(rs_sim_world *world, uintptr_t socket);
void sim_link_reset(sim_link *link, uint32_t end); /* what this end sees from now on */
void sim_link_close_end(rs_sim_world *world, sim_link *link, uint32_t end, bool abort);
void sim_settle_link(rs_sim_world *world, sim_link *link);
void sim_settle(rs_backend *backend, uint32_t conn); /* does all that can be done by now */
void sim_start(rs_backend *backend, sim_op *op);     /* the kernel takes the op up */
void sim_ghost_ends(rs_sim_world *world, sim_link *link);
void sim_cancel(rs_backend *backend, uint32_t conn); /* CLOSE was taken */

#endif
