/* SPDX-License-Identifier: MIT */
/* The harness of the conformance cases: two instances of one back end, "server" and "client",
 * driven in turn by one thread, and a ledger of every request.
 *
 * The ledger checks on each completion what must hold in every case: the request exists, was not
 * completed before, carries its tag, generation and slot; sends are whole; a direction keeps its
 * order; CLOSE comes last; poll keeps to its cap. Cases only say what is special about them.
 * Time bounds the waits and decides nothing: overrunning one means a lost completion. */
#ifndef RS_CONFORMANCE_HARNESS_H
#define RS_CONFORMANCE_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "conformance.h"
#include "conformance_cases.h"

#define CONF_CONNS_MAX 256u
#define CONF_OPS_MAX 8192u
#define CONF_SLICE_BYTES 4096u        /* per slot and direction */
#define CONF_BIG_BYTES (512u * 1024u) /* per side and direction, for bulk transfers */
#define CONF_POLL_MAX 256u
#define CONF_ACCEPTS 16u /* the default, 512, is half of a case's time under Wine */
#define CONF_NOTHING UINT32_MAX
#define CONF_UNLIMITED UINT64_MAX

typedef struct conf_op {
    rs_op op;
    bool done, no_completion;
    rs_status status;
    uint32_t bytes;
} conf_op;

typedef struct conf_slot {
    uint32_t generation;
    bool bound, closing, escalated;
    uint32_t in_flight;            /* requests without completion, CLOSE excluded */
    uint32_t last_recv, last_send; /* ledger index of the last one completed */
} conf_slot;

typedef struct conf_run conf_run;

typedef struct conf_side {
    conf_run *run;
    const char *name;
    rs_backend *backend;
    uint8_t *memory;
    size_t memory_bytes;
    rs_region_id region;
    bool listening, listener_ended;
    uint32_t more_listeners; /* beside that one */
    uint16_t port;
    uint32_t accepted_count, accepted_taken, accept_failures;
    uintptr_t accepted[CONF_CONNS_MAX];
    conf_slot slots[CONF_CONNS_MAX];
    uint64_t inline_seen; /* completions flagged so */
    uint32_t outstanding; /* accepted requests without completion */
    uint32_t op_count;
    conf_op ops[CONF_OPS_MAX];
} conf_side;

/* What a case may set before conf_open; zero members mean the default. */
typedef struct conf_setup {
    uint32_t conns;       /* 16 */
    uint32_t sends;       /* 2 */
    uint32_t recvs;       /* the default; where more are honoured */
    uint32_t accepts;     /* CONF_ACCEPTS */
    int32_t buffer_bytes; /* SO_SNDBUF and SO_RCVBUF where they are honoured; 0 = default */
} conf_setup;

struct conf_run {
    const conf_instance *instance;
    const rs_backend_api *api;
    void *world;
    rs_backend_config config;
    uint32_t idle_rounds; /* consecutive rounds without a completion */
    uint32_t cap;         /* of each poll */
    bool opened;
    bool logic_thread; /* a server's callbacks go through server/logic.h, stepped by the case */

    rs_addr host; /* where the server listens; 0.0.0.0: on conf_loopback */

    /* Where a server stands in for the server side: one turn of it. Nullable. */
    void (*server_turn)(void *ctx, int64_t max_wait_ns);
    void *server_ctx;
    conf_side server, client;
};

/* A connected pair of slots. */
typedef struct conf_pair {
    uint32_t client, server;
} conf_pair;

/* conf_failed: prints what is outstanding and fails the case. Does not return. */
void conf_failed(conf_run *run, const char *file, int line, const char *what);

#define CONF_CHECK(run, condition)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            conf_failed((run), __FILE__, __LINE__, #condition);                                    \
        }                                                                                          \
    } while (0)

/* CONF_STATUS: two statuses are equal, or the case fails naming both. */
#define CONF_STATUS(run, actual, expected)                                                         \
    conf_check_status((run), __FILE__, __LINE__, #actual, (actual), (expected))
void conf_check_status(conf_run *run, const char *file, int line, const char *what,
                       rs_status actual, rs_status expected);

/* CONF_WAIT: drives both sides until the condition holds. */
#define CONF_WAIT(run, condition)                                                                  \
    do {                                                                                           \
        conf_wait conf_waiting = conf_wait_start(run);                                             \
        while (!(condition)) {                                                                     \
            conf_wait_step((run), &conf_waiting, __FILE__, __LINE__, #condition);                  \
        }                                                                                          \
    } while (0)

typedef struct conf_wait {
    uint64_t deadline_ns; /* of the real clock */
    uint32_t rounds;
} conf_wait;
conf_wait conf_wait_start(conf_run *run);
void conf_wait_step(conf_run *run, conf_wait *wait, const char *file, int line, const char *what);

/* ---- set-up. conf_finish closes everything and checks that nothing is left. */
void conf_open(conf_run *run, const conf_setup *setup);        /* setup nullable; both sides */
void conf_open_client(conf_run *run, const conf_setup *setup); /* the client side alone */
void conf_listen(conf_run *run); /* the server, on a free port of run->host */
void conf_open_listening(conf_run *run, const conf_setup *setup);
void conf_finish(conf_run *run);
rs_backend_config conf_config(conf_run *run, const conf_setup *setup);
rs_addr conf_host_addr(const conf_run *run); /* port 0 */
rs_addr conf_server_addr(const conf_run *run);

/* conf_loopback: an address of 127/8 that hardly another process uses: a port that a case has given
 * up is not given to another test meanwhile. The same throughout a process. */
uint32_t conf_loopback(void);
uint64_t conf_now_ns(const conf_run *run);

/* ---- driving */
uint32_t conf_pump(conf_run *run); /* one round; returns the completions seen */
void conf_settle(conf_run *run);   /* rounds until nothing happens any more */
/* Rounds until the op is done, or nothing happens any more; is it done? */
bool conf_done_or_settled(conf_run *run, const conf_side *side, uint32_t op);
uint32_t conf_poll_side(conf_side *side, uint32_t cap, int64_t timeout_ns);

/* ---- requests. Each returns the ledger index; conf_must_* fail the case when refused. */
uint8_t *conf_rx(conf_side *side, uint32_t slot); /* CONF_SLICE_BYTES of the slot's own */
uint8_t *conf_tx(conf_side *side, uint32_t slot);
uint8_t *conf_big_rx(conf_side *side); /* CONF_BIG_BYTES */
uint8_t *conf_big_tx(conf_side *side);
uint32_t conf_submit(conf_side *side, const rs_op *ops, uint32_t count, rs_status *why,
                     uint32_t *first); /* raw; *first = ledger index of ops[0], nullable */
rs_op conf_op_recv(conf_side *side, uint32_t slot, uint8_t *data, uint32_t bytes);
rs_op conf_op_send(conf_side *side, uint32_t slot, uint8_t *data, uint32_t bytes);
rs_op conf_op_plain(const conf_side *side, uint32_t slot, rs_op_kind kind, uint8_t flags);
uint32_t conf_must(conf_side *side, rs_op op);
void conf_must_refuse(conf_side *side, rs_op op, rs_status expected);
uint32_t conf_recv(conf_side *side, uint32_t slot); /* into conf_rx */
uint32_t conf_send(conf_side *side, uint32_t slot, const void *data, uint32_t bytes); /* conf_tx */
uint32_t conf_shutdown(conf_side *side, uint32_t slot);
uint32_t conf_close(conf_side *side, uint32_t slot, uint8_t flags);
uint32_t conf_connect(conf_side *side, uint32_t slot, rs_addr addr);
void conf_attach(conf_side *side, uint32_t slot); /* the oldest accepted socket */
bool conf_done(const conf_side *side, uint32_t op);
const conf_op *conf_result(const conf_side *side, uint32_t op); /* it is done (checked) */

conf_pair conf_pair_open(conf_run *run, uint32_t client, uint32_t server);
void conf_pair_close(conf_run *run, conf_pair pair); /* plain, both, waits for both */

/* ---- a numbered stream: byte i is conf_pattern(i), so that a lost, doubled or foreign byte shows
 */
uint8_t conf_pattern(uint64_t offset);
void conf_fill(uint8_t *data, uint32_t bytes, uint64_t offset);

typedef struct conf_sender {
    conf_side *side;
    uint32_t slot, chunk_bytes, next;
    uint64_t offset, total; /* accepted so far, wanted */
    uint32_t ops[RS_SENDS_IN_FLIGHT_MAX];
} conf_sender;

typedef struct conf_receiver {
    conf_side *side;
    uint32_t slot, op, chunk_bytes;
    uint8_t *data;
    uint64_t offset; /* received and verified */
    bool ended;      /* end of stream or failure: see status */
    rs_status status;
} conf_receiver;

conf_sender conf_sender_make(conf_side *side, uint32_t slot, uint64_t total);
bool conf_sender_step(conf_sender *sender); /* submits what there is room for; true: all of it is */
bool conf_sender_done(const conf_sender *sender); /* all accepted and completed */
conf_receiver conf_receiver_make(conf_side *side, uint32_t slot);
bool conf_receiver_step(conf_receiver *receiver); /* verifies, receives again; true: has ended */
void conf_receive_end(conf_run *run, conf_receiver *receiver,
                      uint64_t bytes); /* all, then the end */
void conf_transfer(conf_run *run, conf_sender *sender, conf_receiver *receiver); /* all of it */
void conf_block(conf_run *run, conf_sender *sender); /* sends until nothing moves any more */

/* conf_echo_once: client sends, server echoes, client compares. */
void conf_echo_once(conf_run *run, conf_pair pair, const void *data, uint32_t bytes);

#define X(name) void conf_case_##name(conf_run *run);
CONF_CASES(X)
#undef X

#endif
