/* SPDX-License-Identifier: MIT */
/* What the ladder's servers share: everything except their Winsock model.
 *
 * Options, the listening socket, the stop, the counts and the JSON at the end; and for the models
 * that report when a call would succeed (select, WSAAsyncSelect, WSAEventSelect) the echo by
 * non-blocking calls. Knows no model: each of those is one file, ladder_NAME.c, with its own main.
 * The main thread calls everything here unless a function says otherwise. */
#ifndef RS_LADDER_LADDER_COMMON_H
#define RS_LADDER_LADDER_COMMON_H

#include "win/win.h"

#include <stdbool.h>
#include <stdint.h>

#define LADDER_TICK_MS 50u              /* longest time until a stop is noticed */
#define LADDER_DRAIN_MS 5000u           /* for cancelled requests to complete */
#define LADDER_BUFFER_BYTES 16384u      /* of one connection: the most it can owe its client */
#define LADDER_ACCEPTS_PER_TURN 64u     /* then the connections get their turn */
#define LADDER_CONNECTIONS_MAX 1048576u /* what --max-sessions takes, as in the main servers */

/* X(enumerator, name in the statistics) */
#define LADDER_CALL_TABLE(X)                                                                       \
    X(LADDER_ACCEPT, "accept")                                                                     \
    X(LADDER_ACCEPTEX, "AcceptEx")                                                                 \
    X(LADDER_RECV, "recv")                                                                         \
    X(LADDER_SEND, "send")                                                                         \
    X(LADDER_WSARECV, "WSARecv")                                                                   \
    X(LADDER_WSASEND, "WSASend")                                                                   \
    X(LADDER_RESULT, "WSAGetOverlappedResult")                                                     \
    X(LADDER_SELECT, "select")                                                                     \
    X(LADDER_ASYNC_SELECT, "WSAAsyncSelect")                                                       \
    X(LADDER_GET_MESSAGE, "GetMessage")                                                            \
    X(LADDER_EVENT_SELECT, "WSAEventSelect")                                                       \
    X(LADDER_ENUM_EVENTS, "WSAEnumNetworkEvents")                                                  \
    X(LADDER_WAIT, "WSAWaitForMultipleEvents")                                                     \
    X(LADDER_SLEEP, "SleepEx")                                                                     \
    X(LADDER_RESET_EVENT, "WSAResetEvent")                                                         \
    X(LADDER_GQCS, "GetQueuedCompletionStatus")                                                    \
    X(LADDER_ASSOCIATE, "CreateIoCompletionPort")                                                  \
    X(LADDER_CANCEL, "CancelIoEx")                                                                 \
    X(LADDER_SOCKET, "WSASocket")                                                                  \
    X(LADDER_SETSOCKOPT, "setsockopt")                                                             \
    X(LADDER_IOCTL, "ioctlsocket")                                                                 \
    X(LADDER_SHUTDOWN, "shutdown")                                                                 \
    X(LADDER_CLOSESOCKET, "closesocket")                                                           \
    X(LADDER_THREAD, "CreateThread")

typedef enum ladder_call {
#define X(id, name) id,
    LADDER_CALL_TABLE(X)
#undef X
        LADDER_CALLS
} ladder_call;

/* One thread's figures. A stream echo sees no messages, only receives. */
typedef struct ladder_counts {
    uint64_t call[LADDER_CALLS];
    uint64_t accepted, refused;
    uint64_t ended_by_peer, reset, failed; /* how connections ended; the stop ends the rest */
    uint64_t recvs, bytes_in, bytes_out;
} ladder_counts;

/* What a model is, and where it ends. */
typedef struct ladder_model {
    const char *program;      /* "ladder_select" */
    const char *name;         /* "select": the JSON's "backend" */
    uint32_t connections_max; /* the most it can hold; [1, LADDER_CONNECTIONS_MAX] */
    const char *limit;        /* why no more: printed at the start */
} ladder_model;

typedef struct ladder {
    const ladder_model *model;
    SOCKET listener;          /* non-blocking */
    uint32_t connections_max; /* the smaller of the model's and --max-sessions */
    ladder_counts counts;     /* the main thread's; others add theirs with ladder_counts_add */
    struct ladder_run *run;   /* ladder_common.c's own */
} ladder;

/* ladder_start: reads the options, listens, and says so: one line with the model's limit, then
 * "listening on HOST:PORT". False: there is nothing to run, *exit_code is main's answer. */
bool ladder_start(ladder *server, const ladder_model *model, int argc, char **argv, int *exit_code);

/* ladder_is_over: Ctrl+C or --duration. No kernel call. Any thread. */
bool ladder_is_over(const ladder *server);

/* ladder_finish: closes the listener, prints and writes the figures. Every connection is closed
 * before. Returns main's answer. */
int ladder_finish(ladder *server);

/* ladder_counts_add: adds one thread's figures to another's. */
void ladder_counts_add(ladder_counts *total, const ladder_counts *part);

/* ladder_count_end: counts the end of a connection; os_error 0 = the client ended its stream. */
void ladder_count_end(ladder_counts *counts, DWORD os_error);

/* ladder_close: closesocket; what was sent is still delivered. */
void ladder_close(SOCKET socket, ladder_counts *counts);

/* ladder_admit: true: the connection is counted and set up (TCP_NODELAY). False: the `live` open
 * connections are the limit; it is counted as refused and closed, and the first time a line on
 * stderr says why. Main thread. */
bool ladder_admit(ladder *server, SOCKET accepted, uint32_t live);

/* ladder_accept: one accept, never blocking; INVALID_SOCKET when no connection waits, or the one
 * that did was refused. For FD_ACCEPT exactly one is called: it re-enables the event, which is
 * signalled again if more wait. (Wine 8: a further accept that finds none may disable the event
 * forever.) The socket inherits the listener's mode and its WSAAsyncSelect or WSAEventSelect
 * association: the caller sets its own. */
SOCKET ladder_accept(ladder *server, uint32_t live);

/* ladder_await_connection: waits for one, at most LADDER_TICK_MS. For models that wait for nothing
 * else on the main thread. */
void ladder_await_connection(ladder *server);

/* ladder_set_blocking: undoes the non-blocking mode that an accepted socket inherits. */
void ladder_set_blocking(SOCKET socket, ladder_counts *counts);

/* ---- echo by non-blocking calls */

/* Receives only when it owes nothing, so a client that does not read stops its own stream and costs
 * one buffer. */
typedef struct ladder_echo {
    SOCKET socket;
    uint32_t begin, end; /* bytes[begin..end) were received and are not sent yet */
    bool ending;         /* FD_CLOSE came: take all that is left */
    char bytes[LADDER_BUFFER_BYTES];
} ladder_echo;

typedef enum ladder_step {
    LADDER_DONE,    /* nothing owed */
    LADDER_EMPTY,   /* nothing there to receive */
    LADDER_BLOCKED, /* bytes are owed until the socket takes more */
    LADDER_ENDED    /* counted; the caller closes */
} ladder_step;

/* ladder_echo_new: NULL when out of memory. Freed by free(). */
ladder_echo *ladder_echo_new(SOCKET socket);

/* ladder_echo_flush: sends what is owed. DONE, BLOCKED or ENDED. */
ladder_step ladder_echo_flush(ladder_echo *echo, ladder_counts *counts);

/* ladder_echo_receive: one recv, and its echo. Nothing may be owed (asserted). */
ladder_step ladder_echo_receive(ladder_echo *echo, ladder_counts *counts);

/* ladder_echo_on_events: what FD_READ, FD_WRITE and FD_CLOSE (any of them together) ask for, by the
 * rules that WSAAsyncSelect and WSAEventSelect share:
 *   FD_READ comes again only after a recv, so there is one recv for it, and one more as soon as
 *   what was owed is sent; FD_WRITE comes only after a send that would have blocked, so a send
 *   must fail before it is waited for; FD_CLOSE comes once, maybe before the last byte is read, so
 *   from then on recv is called until it says that the stream ended.
 * An event may also be late and report a state that has passed: the calls decide. */
ladder_step ladder_echo_on_events(ladder_echo *echo, long events, ladder_counts *counts);

/* ---- a list of connections, for the stop */

typedef struct ladder_link {
    struct ladder_link *prev, *next;
} ladder_link;

void ladder_link_init(ladder_link *head);
void ladder_link_insert(ladder_link *head, ladder_link *link);
void ladder_link_remove(ladder_link *link);

#endif
