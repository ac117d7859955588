/* SPDX-License-Identifier: MIT */
/* Request and completion queues: RIO's guarantees, without any I/O.
 *
 * A request queue has two lanes, one per direction. A request is accepted into a lane, committed,
 * run by an engine (io_uring or overlapped calls), finished into its completion queue's ready
 * list, and taken from there by the program. Its memory comes from the lane's pool, made when the
 * queue is created or grown: nothing is allocated on the way.
 *
 * A lane runs one operation at a time, because the kernel may swap two; an operation may carry
 * several sends of a stream. Of datagrams (many) several are in progress, in an order that the
 * engine sees to, and finish one by one; more receives may join them, sends may not.
 *
 * Capacity: a completion queue is charged a lane's limit when the lane is attached, so that every
 * completion has an entry. When the lane is closed, what is not outstanding is released at once,
 * and the rest one by one as completions are taken: a waiting completion still occupies its entry.
 * A lane counts a request from acceptance until its completion was taken.
 *
 * Pure C, unit-tested natively. The caller holds the completion queue's lock in every function
 * that takes a lane or a completion queue.
 * Source: the pages of LPFN_RIOCREATEREQUESTQUEUE, LPFN_RIORESIZE*, LPFN_RIODEQUEUECOMPLETION. */
#ifndef RS_WINE_QUEUE_H
#define RS_WINE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/atomics.h"

typedef enum rs_rio_direction { RS_RIO_RECV, RS_RIO_SEND, RS_RIO_DIRECTIONS } rs_rio_direction;

/* Winsock's numbers, checked against its headers in provider.c. */
enum {
    RS_RIO_OK = 0,
    RS_RIO_ABORTED = 995,           /* WSA_OPERATION_ABORTED */
    RS_RIO_E_INVALID = 10022,       /* WSAEINVAL */
    RS_RIO_E_TOO_MANY_REFS = 10059, /* WSAETOOMANYREFS */
    RS_RIO_E_NO_BUFFERS = 10055     /* WSAENOBUFS */
};

/* Sends of a stream that one operation may carry: as many, and as many bytes as a socket buffer
 * takes at once, so that the first completion does not wait for a slow reader of the last. */
#define RS_RIO_GATHER_MAX 16u
#define RS_RIO_GATHER_BYTES_MAX 65536u

/* Datagrams sent by one start. */
#define RS_RIO_CHAIN_MAX 64u

typedef struct rs_rio_request rs_rio_request;
typedef struct rs_rio_lane rs_rio_lane;
typedef struct rs_rio_rq rs_rio_rq;
typedef struct rs_rio_cq rs_rio_cq;

typedef struct rs_rio_segment {
    char *at; /* NULL = not asked for */
    uint32_t length;
    uint32_t buffer; /* registration's index */
} rs_rio_segment;

struct rs_rio_request {
    rs_rio_request *next;
    rs_rio_lane *lane;
    uint64_t context;
    rs_rio_segment data;
    rs_rio_segment remote, local, control, flags; /* the Ex functions' buffers */
    uint32_t done;                                /* bytes moved so far */
    int32_t status;
    bool silent;   /* RIO_MSG_DONT_NOTIFY */
    bool wait_all; /* RIO_MSG_WAITALL */
};

typedef struct rs_rio_pool rs_rio_pool;

struct rs_rio_lane {
    rs_rio_rq *rq;
    rs_rio_cq *cq;
    rs_rio_direction direction;
    bool closing;
    bool attached;        /* charges its completion queue */
    bool many;            /* requests in progress finish one by one (datagrams, standing receive) */
    bool standing;        /* one that stands without a request: no release before its end */
    uint32_t limit;       /* outstanding requests allowed, = the charge */
    uint32_t outstanding; /* accepted and not yet taken */
    uint32_t queued;      /* in the list below: accepted and not yet finished */
    uint32_t committed;   /* of those, from the head, may be run */
    uint32_t running;     /* of those, from the head, are in the operation in progress */
    rs_rio_request *head, *tail;
    rs_rio_request *free;
    rs_rio_pool *pools;
    uint32_t pooled;                    /* requests in all pools */
    rs_rio_lane *cq_next, *cq_previous; /* all lanes of a completion queue */
    void *engine;                       /* the engine's part */
    uint32_t calm;   /* engine's hint: receives in a row, up to the last, that emptied the socket */
    uint32_t widest; /* engine's hints: the largest slice asked for so far, */
    bool asks_local; /* and whether any asked for the local address */
};

struct rs_rio_rq {
    rs_rio_lane lane[RS_RIO_DIRECTIONS];
    uint64_t handle;
    uint64_t context;
    uintptr_t socket;
    bool stream;
    bool ipv6;
    bool bound;                    /* the engine has taken the socket over */
    uint64_t received;             /* bytes of a stream so far */
    int fd;                        /* io_uring: our duplicate, -1 = none */
    int file;                      /* io_uring: slot in the ring's file table, -1 = none */
    rs_atomic_u32 holders;         /* lanes not yet released, and the owner until close */
    void (*retire)(rs_rio_rq *rq); /* called when the last holder is gone; frees */
    rs_rio_rq *next;               /* chain of the socket map */
};

struct rs_rio_cq {
    uint64_t handle;
    uint32_t size;
    uint32_t charged;
    uint32_t lanes; /* attached */
    rs_rio_lane *first_lane;
    rs_rio_request *ready_head, *ready_tail;
    uint32_t ready;       /* finished, not yet taken */
    uint32_t ready_loud;  /* of those, may notify */
    uint32_t ready_sends; /* of those that are ready */
    uint32_t accepted;    /* requests so far, */
    uint32_t received;    /* and of the finished ones, receives */
    bool armed;
    bool woken; /* armed, and the engine does not know the reason: notify anyway */
    bool dead;  /* closed by the program; kept until its last lane is released */
};

typedef struct rs_queue_result {
    int32_t status;
    uint32_t bytes;
    uint64_t socket_context;
    uint64_t request_context;
} rs_queue_result;

/* rs_queue_attach: makes the lane's pool and charges its queue. Returns 0 or RS_RIO_E_NO_BUFFERS
 * (queue too small, or memory), then nothing is changed. */
int rs_queue_attach(rs_rio_lane *lane, rs_rio_rq *rq, rs_rio_cq *cq, rs_rio_direction direction,
                    uint32_t limit);

/* rs_queue_detach: undoes rs_queue_attach for a lane that never had a request. */
void rs_queue_detach(rs_rio_lane *lane);

/* rs_queue_resize_lane: a new limit. 0, RS_RIO_E_TOO_MANY_REFS (more are outstanding),
 * RS_RIO_E_NO_BUFFERS (the completion queue has no room, or memory). */
int rs_queue_resize_lane(rs_rio_lane *lane, uint32_t limit);

/* rs_queue_resize_cq: a new size. 0 or RS_RIO_E_TOO_MANY_REFS (more is charged). */
int rs_queue_resize_cq(rs_rio_cq *cq, uint32_t size);

/* rs_queue_accept: appends a zeroed request to the lane; NULL = its limit is reached. */
rs_rio_request *rs_queue_accept(rs_rio_lane *lane);

/* rs_queue_commit: everything accepted so far may run. */
void rs_queue_commit(rs_rio_lane *lane);

/* rs_queue_startable: how many requests from the head the next operation may carry, or, with many,
 * how many more may be in progress; 0 = none. rs_queue_start: they are in progress. */
uint32_t rs_queue_startable(const rs_rio_lane *lane);
void rs_queue_start(rs_rio_lane *lane, uint32_t count);

/* rs_queue_finish: the operation in progress ended; with many: the oldest request did. status 0
 * deals bytes out to its requests in order; one that must be whole and is not stays at the head, to
 * be run again. A failure finishes the first request only: the others are run again and meet their
 * own. */
void rs_queue_finish(rs_rio_lane *lane, int32_t status, uint64_t bytes);

/* rs_queue_rerun: the youngest count requests in progress ended without any effect; they may be run
 * again. */
void rs_queue_rerun(rs_rio_lane *lane, uint32_t count);

/* rs_queue_stand: the operation stands, or does not any more; then the lane may go. */
void rs_queue_stand(rs_rio_lane *lane, bool stands);

/* rs_queue_close: no more requests; those not in progress finish as aborted. Releases the lane at
 * once when nothing is outstanding, else when its last completion is taken. */
void rs_queue_close(rs_rio_lane *lane);

/* rs_queue_abort: finishes as aborted all that is not in progress. */
void rs_queue_abort(rs_rio_lane *lane);

/* rs_queue_forget: the lane's completion queue is gone; its requests vanish without completion. */
void rs_queue_forget(rs_rio_lane *lane);

/* rs_queue_take: the oldest completion into *out; false = none. May retire the request queue. */
bool rs_queue_take(rs_rio_cq *cq, rs_queue_result *out);

/* rs_queue_drop: one holder of the request queue is gone. Any thread. */
void rs_queue_drop(rs_rio_rq *rq);

#endif
