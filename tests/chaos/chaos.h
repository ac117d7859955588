/* SPDX-License-Identifier: MIT */
/* A layer of faults under the IOCP and the RIO back end.
 *
 * The back ends' sources are compiled once more with every Winsock, port and RIO call replaced
 * (chaos_calls.h, chaos_rio.c). Each stand-in makes the real call, or fails it with an error that
 * the call's page documents; completions are held back, change places, come instead of a result at
 * once, and carry errors; wake-ups and notifications come twice, or for nothing. What is drawn
 * depends on the seed, the side, the call and how often that side has made it, not on how the
 * threads interleave.
 *
 *   chaos.c       what happens when: rows, rules, counts; what is open
 *   chaos_win.c   Winsock, ports, events, timers
 *   chaos_rio.c   the RIO table
 *   chaos_seam.c  between back end and session layer: the contract, and every failure in its place
 *   chaos_client.c, chaos_main.c  the traffic, the seeds */
#ifndef RS_CHAOS_CHAOS_H
#define RS_CHAOS_CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "win/win.h"

#include "core/app.h"
#include "seam/backend.h"

typedef enum chaos_side { CHAOS_SERVER, CHAOS_CLIENT, CHAOS_SIDES } chaos_side;

/* X(name, printed): what can be made to fail, and from CHAOS_PACKET_RECV on, what else happens. */
#define CHAOS_CALLS(X)                                                                             \
    X(WSASTARTUP, "WSAStartup")                                                                    \
    X(WSASOCKET, "WSASocket")                                                                      \
    X(WSAIOCTL, "WSAIoctl")                                                                        \
    X(BIND, "bind")                                                                                \
    X(LISTEN, "listen")                                                                            \
    X(GETSOCKNAME, "getsockname")                                                                  \
    X(PROTOCOL_INFO, "getsockopt SO_PROTOCOL_INFO")                                                \
    X(ACCEPTCONN, "getsockopt SO_ACCEPTCONN")                                                      \
    X(GETSOCKOPT, "getsockopt")                                                                    \
    X(SETSOCKOPT, "setsockopt")                                                                    \
    X(UPDATE_CONTEXT, "setsockopt SO_UPDATE_..._CONTEXT")                                          \
    X(IOCTLSOCKET, "ioctlsocket")                                                                  \
    X(CONNECT, "connect")                                                                          \
    X(ACCEPT, "accept")                                                                            \
    X(SEND, "send")                                                                                \
    X(RECV, "recv")                                                                                \
    X(SHUTDOWN, "shutdown")                                                                        \
    X(CLOSESOCKET, "closesocket")                                                                  \
    X(WSARECV, "WSARecv")                                                                          \
    X(WSASEND, "WSASend")                                                                          \
    X(ACCEPTEX, "AcceptEx")                                                                        \
    X(CONNECTEX, "ConnectEx")                                                                      \
    X(CREATEPORT, "CreateIoCompletionPort")                                                        \
    X(MODES, "SetFileCompletionNotificationModes")                                                 \
    X(GQCS, "GetQueuedCompletionStatus")                                                           \
    X(GQCSEX, "GetQueuedCompletionStatusEx")                                                       \
    X(POST, "PostQueuedCompletionStatus")                                                          \
    X(CANCELIOEX, "CancelIoEx")                                                                    \
    X(CREATEEVENT, "CreateEvent")                                                                  \
    X(SETEVENT, "SetEvent")                                                                        \
    X(WAIT, "WaitForMultipleObjects")                                                              \
    X(CREATETIMER, "CreateWaitableTimerEx")                                                        \
    X(SETTIMER, "SetWaitableTimer")                                                                \
    X(RIO_RECEIVE, "RIOReceive")                                                                   \
    X(RIO_SEND, "RIOSend")                                                                         \
    X(RIO_COMMIT_RECV, "RIOReceive commit")                                                        \
    X(RIO_COMMIT_SEND, "RIOSend commit")                                                           \
    X(RIO_CREATE_CQ, "RIOCreateCompletionQueue")                                                   \
    X(RIO_CREATE_RQ, "RIOCreateRequestQueue")                                                      \
    X(RIO_REGISTER, "RIORegisterBuffer")                                                           \
    X(RIO_NOTIFY, "RIONotify")                                                                     \
    X(RIO_DEQUEUE, "RIODequeueCompletion")                                                         \
    X(RIO_CLOSESOCKET, "closesocket with a request queue")                                         \
    X(PROVIDER_WAIT, "ringside_rio_wait")                                                          \
    X(PACKET_RECV, "WSARecv's packet")                                                             \
    X(PACKET_SEND, "WSASend's packet")                                                             \
    X(PACKET_ACCEPT, "AcceptEx's packet")                                                          \
    X(PACKET_CONNECT, "ConnectEx's packet")                                                        \
    X(RESULT_RECV, "RIOReceive's RIORESULT")                                                       \
    X(RESULT_SEND, "RIOSend's RIORESULT")                                                          \
    X(LATE, "a completion is late")                                                                \
    X(REORDERED, "completions change places")                                                      \
    X(INLINE_PENDING, "a packet instead of a result at once")                                      \
    X(SHORT_SEND, "a send ends short")                                                             \
    X(DOUBLED_WAKE, "a wake-up comes twice")                                                       \
    X(SPURIOUS_WAKE, "a wake-up that nobody asked for")                                            \
    X(SPURIOUS_NOTIFY, "a notification of nothing")                                                \
    X(CAPACITY_LATE, "capacity comes back late")

typedef enum chaos_call {
#define X(name, printed) CHAOS_##name,
    CHAOS_CALLS(X)
#undef X
        CHAOS_CALL_COUNT
} chaos_call;

/* Where a row can happen, and the settings that it needs. */
#define CHAOS_ON_SERVER 0x001u
#define CHAOS_ON_CLIENT 0x002u
#define CHAOS_ON_IOCP 0x004u
#define CHAOS_ON_RIO 0x008u
#define CHAOS_BY_THREAD 0x010u   /* an accept thread */
#define CHAOS_BY_EVENT 0x020u    /* RIO's notification by event */
#define CHAOS_BY_ALARM 0x040u    /* poll's fine time-outs */
#define CHAOS_BY_SINGLE 0x080u   /* GetQueuedCompletionStatus */
#define CHAOS_BY_NOTIFY 0x100u   /* RIONotify */
#define CHAOS_BY_PROVIDER 0x200u /* the provider's own wait, under Wine alone */
#define CHAOS_FATAL 0x400u       /* ends the process, by contract */
#define CHAOS_WINE 0x800u        /* a call that is made under Wine alone */
#define CHAOS_BY_PACKET 0x1000u  /* a packet for every request */
#define CHAOS_BY_CLOSES 0x2000u  /* much coming and going, from both sides */

typedef struct chaos_row {
    uint8_t call; /* chaos_call */
    uint16_t where;
    uint32_t code; /* 0: no error, it happens or not */
    uint32_t hits;
} chaos_row;

/* One failure that a seed is to see: at the first such call from the nth on. */
typedef struct chaos_rule {
    uint32_t row, nth;
    chaos_side side;
    bool fired;
} chaos_rule;

#define CHAOS_RULES_MAX 12u
#define CHAOS_ONE 65536u /* probabilities are in 1/65536 */

typedef struct chaos_plan {
    uint64_t seed;
    bool rio;
    uint32_t rule_count;
    chaos_rule rules[CHAOS_RULES_MAX];
    uint32_t fail[CHAOS_SIDES]; /* that any call or completion fails */
    uint32_t late, late_ns_max; /* that a completion is late, and by how much at most */
    uint32_t swap;              /* that two change places */
    uint32_t pending;           /* that a result at once becomes a packet */
    uint32_t short_send, doubled, spurious;
    uint32_t capacity_ms; /* RIO: how long a closed queue's capacity stays taken; 0: not */
    bool own_wait;        /* the provider's */
    bool verified;        /* --rio-verify: no notification but one that was armed */
    bool logic_thread;    /* the application's callbacks come from a thread of their own */
} chaos_plan;

/* ---- chaos.c */

/* chaos_rows: all of a back end, filled at the first call. */
chaos_row *chaos_rows(bool rio, uint32_t *count);
const char *chaos_call_name(uint32_t call);

/* chaos_begin: a seed's start, on the client's thread. chaos_end: both sides are closed: whatever
 * is still open fails the run. */
void chaos_begin(const chaos_plan *plan);
void chaos_end(void);

/* chaos_nothing_open: the same for one side. */
void chaos_nothing_open(chaos_side side);

/* chaos_injected: failures so far in this seed. */
uint32_t chaos_injected(chaos_side side);

/* chaos_fail: prints the seed and how to play it again; does not return. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#else
__declspec(noreturn)
#endif
void chaos_fail(const char *format, ...);

extern chaos_plan chaos; /* read-only for others */

chaos_side chaos_here(void); /* the side of this thread */

/* chaos_fails: does this call fail, and with what? chaos_happens: the same without a code. */
bool chaos_fails(chaos_call call, uint32_t *code);
bool chaos_happens(chaos_call call, uint32_t probability);

/* chaos_draw: [0, below), in the order of this side's draws. */
uint32_t chaos_draw(uint32_t below);

void chaos_lock(void);
void chaos_unlock(void);

/* What is open, counted for each side; chaos_fail at less than none. */
typedef enum chaos_thing {
    CHAOS_SOCKETS,
    CHAOS_HANDLES,
    CHAOS_STARTS, /* WSAStartup */
    CHAOS_BUFFERS,
    CHAOS_CQS,
    CHAOS_RQS,
    CHAOS_PENDING, /* requests in the kernel, or whose packet is on its way */
    CHAOS_THINGS
} chaos_thing;
void chaos_count(chaos_side side, chaos_thing thing, int change);

/* ---- chaos_win.c */

void chaos_win_begin(void);

/* chaos_socket_opened, _gone: sockets that are made or closed past the Winsock stand-ins. */
void chaos_socket_opened(SOCKET socket);
void chaos_socket_gone(SOCKET socket);

/* chaos_port_read: GetQueuedCompletionStatusEx or a provider's wait, with all that this layer adds.
 * cq: nullable, whose held results end the wait; waits: armed or not. */
typedef struct chaos_cq chaos_cq;
typedef BOOL (*chaos_read)(void *ctx, OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *count,
                           DWORD wait_ms);
BOOL chaos_port_read(HANDLE port, chaos_cq *cq, bool waits, chaos_read read, void *ctx,
                     OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *count, DWORD wait_ms);

/* ---- chaos_rio.c */

void chaos_rio_begin(void);

/* chaos_cq_of: the queue that notifies this port or event; NULL = none. */
chaos_cq *chaos_cq_of(HANDLE port_or_event);

/* chaos_cq_due_ns: when it next has something to say; UINT64_MAX = not. waits: the provider's own
 * wait asks, for which nothing is armed. */
uint64_t chaos_cq_due_ns(const chaos_cq *cq, bool waits);

/* chaos_cq_may_fire: a notification of nothing would break no rule that is checked. */
bool chaos_cq_may_fire(const chaos_cq *cq);

/* chaos_cq_fired: its notification is being told. chaos_cq_entry: as a packet; false: by event. */
void chaos_cq_fired(chaos_cq *cq);
bool chaos_cq_entry(const chaos_cq *cq, OVERLAPPED_ENTRY *entry);
bool chaos_cq_is_notify(const chaos_cq *cq, const OVERLAPPED_ENTRY *entry);

/* ---- chaos_seam.c */

/* A connection of one instance, remembered with a request. */
typedef struct chaos_ref {
    uint32_t instance, conn, generation; /* instance 0: none */
} chaos_ref;

typedef enum chaos_dir { CHAOS_DIR_RECV, CHAOS_DIR_SEND, CHAOS_DIR_NONE } chaos_dir;

/* chaos_api: the back end's table with the checks in front of it. */
const rs_backend_api *chaos_api(bool rio);
void chaos_seam_begin(void);

chaos_ref chaos_ref_of(SOCKET socket);
void chaos_socket_made(SOCKET socket); /* by a CONNECT, perhaps */
void chaos_socket_not_made(uint32_t code);
void chaos_socket_closed(SOCKET socket); /* the number may serve somebody else now */

/* chaos_told: the driver is told of a failure, by a call's result or a completion. DIR_NONE: of the
 * connection, without a request that ends with it. */
void chaos_told(chaos_ref ref, chaos_dir dir, uint32_t code);
void chaos_told_all(uint32_t code); /* of this thread's connections, whichever it is about */
void chaos_told_short(chaos_ref ref);
void chaos_told_accept(uint32_t code); /* a failure to accept, AcceptEx's or accept's */
void chaos_told_queue(void);           /* no request queue */

/* The application's side, on the shard's thread or the logic thread. */
void chaos_session_opened(rs_session *session);
void chaos_session_closed(rs_session *session, rs_close_reason reason);

/* What happened at the seam of all the server's instances. */
typedef struct chaos_sums {
    uint64_t accept_failed; /* ACCEPT completions that are failures, and attach refused */
    uint64_t accepts_told;  /* failures to accept that drivers were told of */
    uint64_t attach_failed;
    uint64_t discarded;
    uint64_t queues_refused;
    uint64_t opened, closed; /* sessions */
    uint64_t closed_for[RS_CLOSE_REASONS];
} chaos_sums;
const chaos_sums *chaos_seam_sums(void);

/* chaos_seam_dump: what is outstanding, for a run that hangs. */
void chaos_seam_dump(void);

/* ---- chaos_client.c */

typedef struct chaos_client_plan {
    uint32_t slots, connections; /* at once, in all */
    uint32_t sends_per_conn;
    uint32_t frame_bytes_max;
    bool gentle;   /* nobody resets or leaves early: each stream must come back whole */
    bool leaves;   /* most end with bytes unread, on one side or the other */
    uint32_t asks; /* every so many turns something is asked of the server's shards; 0: never */
    void (*ask)(void *ctx);
    void *ctx;
    rs_backend_config backend;
    rs_addr addr;
} chaos_client_plan;

typedef struct chaos_client_result {
    uint32_t connected, whole, failed;
    uint64_t bytes_back;
} chaos_client_result;

void chaos_client_run(const rs_backend_api *api, const chaos_client_plan *plan,
                      chaos_client_result *result);

#endif
