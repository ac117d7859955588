/* SPDX-License-Identifier: MIT */
/* The seam: what a back end (Registered I/O, IOCP, epoll, simulated) is to everything above it.
 *
 * One const table of functions per back end, one instance (rs_backend) per shard. Requests go in
 * as batches (submit), results come out as data (poll). There are no callbacks, therefore no
 * re-entrancy and no lock order, and the session layer is compiled once for all back ends.
 *
 * THE CONTRACT. tests/conformance runs the same list of cases against every back end.
 *
 *  1. Every accepted op yields exactly one completion, also after close (but see 4). A refused op
 *     yields none: submit stops at the first op it refuses, returns how many it accepted and why it
 *     refused. Each listen() is a standing request: it yields any number of ACCEPT completions with
 *     a socket or a failure of one connection and, after unlisten(), a last one with RS_E_CLOSED.
 * If a listener itself fails, one completion has RS_E_LISTENER; the last one still follows.
 *  2. Immediate success and immediate failure come through poll too. A failure of the connection
 *     (reset, WSAENOBUFS) is a completion; only a caller's error or a closing connection is a
 *     refusal.
 *  3. The kernel owns an op's buffer from acceptance to completion: meanwhile nobody reads, writes,
 *     moves or deregisters it. Disjoint parts of one region may be in flight together. The op
 * record itself is the caller's again when submit returns.
 *  4. CLOSE is idempotent in effect: the first is accepted, a second is refused with RS_E_CLOSED,
 *     as is any later op of that generation. Its completion comes after those of all earlier ops
 *     of the connection; requests in flight are cancelled and complete with RS_E_ABORTED or with
 *     the result they had already reached. Sends that the kernel took before a plain CLOSE are
 *     still delivered; with RS_OPF_ABORT the peer sees a reset. One exception to "refused": after
 *     a plain CLOSE one CLOSE with RS_OPF_ABORT is accepted as its escalation. It cancels what is
 *     still in flight, has no completion of its own and lets the first CLOSE complete.
 *     If the kernel never returns a request, the CLOSE does not complete, so that slot and buffers,
 *     which the kernel owns, are not used again. The session layer gives up an abort that has not
 *     completed after RS_CLOSE_STRAGGLER_MS: the connection is in quarantine, counted, and reported
 *     once. A late completion ends the quarantine. An instance with CLOSEs outstanding must not be
 *     closed, nor its memory released: the end of the process frees both.
 *  5. A slot is bound to a generation by attach() or CONNECT and free again when its CLOSE has
 *     completed. Every completion carries the generation of its op; an op for another generation is
 *     refused with RS_E_STALE; a completion for an older one is legal, and the shard counts and
 *     drops it. A failed CONNECT leaves the slot bound: the caller closes it.
 *  6. All calls come from the shard's thread (the one that called open), except wake(), which any
 *     thread may call.
 *  7. poll does bounded work and returns at most cap records. timeout_ns = 0 never sleeps;
 *     RS_FOREVER sleeps until a completion or a wake. It may return 0 early.
 *  8. Capacity is reserved before a connection is accepted: open() reserves for conns_max
 *     connections with recvs and sends in flight as configured, attach() fails with
 *     RS_E_NO_BUFFERS if the kernel refuses, and no op within those numbers is ever refused for
 *     lack of room.
 *  9. "Registered I/O is not available here" is a status of its own, RS_E_RIO_UNAVAILABLE, from
 *     open().
 * 10. A corrupt queue, or a wake-up that cannot be armed, stops the process with a message
 *     (RS_FATAL), because it cannot continue safely.
 *
 * Order: SENDs of one connection go out in the order of submission. Completions of one connection
 * and direction come in that order too; there is no order across directions and connections.
 * An op is in flight until poll has returned its completion. CONNECT on a bound slot is refused
 * with RS_E_INVALID, and so is a SEND while a SHUTDOWN is in flight; a later one fails by
 * completion. After a reset RECV and SEND both complete with RS_E_RESET, whichever finds it first.
 * SEND sends the whole slice: a completion with RS_OK and fewer bytes is a truncated send, on which
 * the session layer closes. If a SEND fails, those behind it that have not left yet and a SHUTDOWN
 * fail with its status too, so that the stream has no gap. RECVs continue.
 * A back end may join adjacent SENDs of one connection in one batch into a gathered call, unless
 * lone_sends forbids it; each still has its own completion. There is no gather in the op itself
 * because Registered I/O has none: one buffer per request.
 * After the peer's end of stream (RECV, RS_OK, 0 bytes) the sending direction stays usable.
 * Sources: ../docs/decisions.md maps each point to the three kernels. */
#ifndef RS_SEAM_BACKEND_H
#define RS_SEAM_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/op.h"
#include "core/status.h"

#define RS_FOREVER INT64_MAX

typedef struct rs_backend rs_backend; /* one per shard; completed by each back end */

typedef enum rs_accept_mode { RS_ACCEPT_OVERLAPPED, RS_ACCEPT_THREAD } rs_accept_mode;

/* Settings that several back ends share; rs_socket_options, rs_receive_options and
 * rs_accept_options (seam/backend_config.h) have the rows: range, default and meaning of each.
 * Settings of one back end are in a struct of its own, with rows of their own
 * (rs_backend_api.options). */
typedef struct rs_tuning {
    int32_t sndbuf_bytes, rcvbuf_bytes;
    bool nodelay;
    uint32_t dequeue_batch;
    uint32_t recvs; /* RECVs in flight per connection, [1, RS_RECVS_IN_FLIGHT_MAX] */
    rs_accept_mode accept_mode;
    uint32_t accepts;
    uint32_t backlog;
    bool backlog_hint;
} rs_tuning;

typedef struct rs_backend_config {
    uint32_t conns_max;      /* connection slots, [1, RS_SESSIONS_MAX] */
    uint32_t sends_per_conn; /* SENDs in flight per connection, [1, RS_SENDS_IN_FLIGHT_MAX] */
    bool lone_sends;         /* every SEND a call of its own: none is joined with the next */
    uint32_t poll_max;       /* the largest cap poll will be given */
    bool keeps_accepted; /* what this instance accepts is attached to it or discarded, and nothing
                            else is attached: a socket may be prepared before it is accepted */
    bool fine_waits; /* poll's timeouts end as exactly as the system allows, not at its tick: a
                        thread and a timer on Windows. Back ends that only serve ignore it */
    rs_tuning tuning;
    const void *own; /* the struct of the back end's own settings, read by open; NULL: defaults */
    void *world;     /* simulated back end: the network it lives in; others: NULL */
} rs_backend_config;

typedef struct rs_region_id {
    uint16_t value;
} rs_region_id;

/* How a region is used: no op's buffer crosses from one piece into the next. */
typedef struct rs_region_cut {
    uint32_t slices, slice_bytes; /* so many pieces from its beginning on, ... */
    uint32_t blocks, block_bytes; /* ... and so many behind them */
} rs_region_cut;

/* One named cost counter: kernel calls, inline completions, wake-ups. */
typedef struct rs_backend_stat {
    const char *name; /* static string, e.g. "WSASend" */
    uint64_t value;
    bool is_call; /* counts kernel calls (summed into "kernel calls") */
} rs_backend_stat;

#define RS_BACKEND_STATS_MAX 40u

typedef struct rs_backend_stats {
    uint32_t count;
    rs_backend_stat stat[RS_BACKEND_STATS_MAX];
    const char
        *provider; /* who implements the kernel side: "windows", "wine", "linux", "sim", ... */
} rs_backend_stats;

typedef struct rs_backend_api rs_backend_api;

struct rs_backend_api {
    const char *name;   /* "iocp", "rio", "epoll", "sim" */
    const char *tuning; /* names of the shared settings it honours, separated by spaces */
    const struct rs_option_table *options; /* rows of its own settings; NULL: it has none */
    size_t settings_bytes;                 /* of the struct that these rows land in */

    /* open: makes an instance and reserves for cfg (point 8). Allocates; beside it only
     * register_memory does. On failure *out is NULL and *error (never NULL) names the call, cause
     * and remedy. */
    rs_status (*open)(rs_backend **out, const rs_backend_config *cfg, rs_error *error);

    /* close: frees the instance. Every CLOSE and the listeners' last completions must have been
     * returned by poll (asserted). NULL is accepted. */
    void (*close)(rs_backend *backend);

    /* listen: starts one more listener of this instance, of RS_LISTENERS_MAX at most, and not
     * between unlisten and the last of its completions: RS_E_INVALID. *port_out = the bound port.
     * An IPv6 listener on :: serves IPv4 too. A failure leaves the others as they are.
     * RS_E_ADDRESS_IN_USE, RS_E_ADDRESS, RS_E_ACCESS, RS_E_OS; *error filled. */
    rs_status (*listen)(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                        rs_error *error);

    /* unlisten: stops all of them. An ACCEPT completion with RS_E_CLOSED follows for each through
     * poll; sockets that it accepted come before it. Without a listener it does nothing. */
    void (*unlisten)(rs_backend *backend);

    /* attach: binds an accepted socket to slot conn under generation. On failure
     * (RS_E_NO_BUFFERS, RS_E_OS) the socket has been closed and the slot is free. */
    rs_status (*attach)(rs_backend *backend, uint32_t conn, uint32_t generation, uintptr_t socket);

    /* local: our own address of a bound connection; 0.0.0.0:0 before it is connected and when the
     * system does not know it any more. A call into the kernel. */
    rs_addr (*local)(rs_backend *backend, uint32_t conn);

    /* discard: closes an accepted socket that will not be attached. Any instance of the same back
     * end may do this, whichever accepted it. */
    void (*discard)(rs_backend *backend, uintptr_t socket);

    /* submit: passes ops[0..count), in order. Returns how many were accepted; if fewer than count,
     * *why is the reason for ops[returned]: RS_E_CLOSED, RS_E_STALE, RS_E_FULL (more in flight than
     * reserved) or RS_E_INVALID. count <= RS_OPS_PER_SUBMIT_MAX. */
    uint32_t (*submit)(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why);

    /* poll: fills out[0..returned), returned <= cap <= cfg.poll_max. timeout_ns: 0, or up to
     * RS_FOREVER; may return 0 before the timeout. */
    uint32_t (*poll)(rs_backend *backend, rs_completion *out, uint32_t cap, int64_t timeout_ns);

    /* wake: makes the current poll, or else the next one, return. Any thread; never blocks. */
    void (*wake)(rs_backend *backend);

    /* register_memory: makes [base, base + bytes) usable as op buffers; cut (nullable: in one
     * piece) lies within it. At most RS_REGIONS_MAX. May allocate. RS_E_NO_BUFFERS when the system
     * will not lock it; *error filled. */
    rs_status (*register_memory)(rs_backend *backend, void *base, size_t bytes,
                                 const rs_region_cut *cut, rs_region_id *out, rs_error *error);

    /* release_memory: undoes it; no op may use the region (asserted where possible). */
    void (*release_memory)(rs_backend *backend, rs_region_id region);

    /* stats: a snapshot of the cost counters. */
    void (*stats)(const rs_backend *backend, rs_backend_stats *out);

    /* straggler: the CLOSE of this connection is no longer expected (point 4); fatal if requests
     * are checked (--rio-verify). Nullable. */
    void (*straggler)(rs_backend *backend, uint32_t conn);

    /* settle_polls: how many polls it takes to return everything that was due at the first one, at
     * most `due` completions. *dry_max: how many of these in a row may return nothing for the back
     * end's own reasons. NULL: due / dequeue_batch, and 0. */
    uint32_t (*settle_polls)(const rs_backend *backend, uint64_t due, uint32_t *dry_max);
};

/* rs_tuning_default: the settings every program starts from (backend_config.c). */
rs_tuning rs_tuning_default(void);

#endif
