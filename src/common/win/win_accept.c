/* SPDX-License-Identifier: MIT */
/* See win_accept.h. */
#include "win/win_accept.h"

#include "core/assert.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "seam/retry.h"
#include "net/net_address.h"
#include "win/win_error.h"

#include <stdlib.h>
#include <string.h>

/* AcceptEx, remarks: each address area is 16 bytes longer than the longest address. */
#define ACCEPT_ADDRESS_BYTES (sizeof(struct sockaddr_storage) + 16u)

/* Of the AcceptEx that should stand: with no more than the first part left, one that has ended is
 * posted again at once; what else is missing is posted in batches of the second part. */
#define ACCEPT_LOW_PARTS 32u
#define ACCEPT_BATCH_PARTS 32u
#define ACCEPT_WAITED_MAX 16u /* polls until a burst has its turn among other things to do */

typedef struct accept_source accept_source;

typedef struct accept_request {
    OVERLAPPED overlapped; /* first: the packet brings its address */
    accept_source *source;
    SOCKET socket; /* INVALID_SOCKET: none made yet */
    bool posted;
    uint8_t addresses[2 * ACCEPT_ADDRESS_BYTES]; /* written by AcceptEx: ours, the peer's */
} accept_request;

/* Meaning of `bytes` in a packet that we post ourselves, beside the source's index from bit
 * ACCEPT_NOTE_BITS on; `overlapped` has a value. */
#define ACCEPT_NOTE_BITS 2u
typedef enum accept_note {
    ACCEPT_NOTE_SOCKET = 1, /* value: the socket */
    ACCEPT_NOTE_FAILED = 2, /* value: the status */
    ACCEPT_NOTE_END = 3     /* the thread's last */
} accept_note;

/* One listener and what accepts for it. */
struct accept_source {
    rs_win_accept_config cfg;
    uint32_t index;               /* among the sources of the set */
    SOCKET listener;              /* INVALID_SOCKET: none */
    rs_win_extensions extensions; /* the listener's */
    WSAPROTOCOL_INFOW entry;      /* the listener's; used if by_entry */
    bool by_entry;                /* a socket made of that entry has the same functions */
    rs_addr addr;                 /* as bound */
    bool stopping;                /* unlisten was called */
    bool failed;                  /* RS_E_LISTENER was reported */
    bool takes;                   /* a burst by accept(), see accept_in_burst */
    uint32_t posted;              /* AcceptEx requests in the kernel */
    uint32_t idle;                /* AcceptEx requests waiting for a retry */
    uint32_t later;               /* AcceptEx requests to be posted when there is time */
    rs_retry retry;               /* of the idle ones */
    accept_request *requests;     /* [tuning->accepts] */
    rs_ends ends;                 /* of the connection said last */
    rs_os_thread *thread;
    rs_addr
        *peers; /* [tuning->accepts]: of the thread's sockets that are not read yet, in a ring */
    uint32_t peers_written, peers_read; /* the thread's, the shard's */
    rs_atomic_u32 thread_stop;
    rs_atomic_u32 notes; /* of the thread, posted and not yet read: at most tuning->accepts */
    rs_os_event *room;   /* set when a posted one has been read, and to stop */
    SOCKET knock;        /* the connection that makes accept() return */
};

struct rs_win_accept {
    rs_win_accept_config cfg;
    accept_source
        *sources[RS_LISTENERS_MAX]; /* NULL: never needed so far; the first one is there */
    uint32_t waited;                /* polls that had other things to do during a burst */
};

static bool accept_is_threaded(const accept_source *source) {
    return source->cfg.tuning->accept_mode == RS_ACCEPT_THREAD;
}

static int accept_family(const accept_source *source) {
    return source->addr.family == RS_ADDR_V6 ? AF_INET6 : AF_INET;
}

static uint32_t accept_say(rs_completion *out, rs_status status, SOCKET socket) {
    *out = (rs_completion){
        .kind = RS_OP_ACCEPT,
        .status = (uint16_t)status,
        .socket = status == RS_OK ? (uintptr_t)socket : RS_SOCKET_NONE,
    };
    return 1;
}

/* A connection whose ends are in source->ends. */
static uint32_t accept_say_socket(accept_source *source, rs_completion *out, SOCKET socket) {
    (void)accept_say(out, RS_OK, socket);
    out->ends = &source->ends;
    return 1;
}

static void accept_source_free(accept_source *source) {
    if (source == NULL) {
        return;
    }
    RS_ASSERT(source->listener == INVALID_SOCKET);
    RS_ASSERT(source->posted == 0);
    RS_ASSERT(source->thread == NULL);
    rs_os_event_close(source->room);
    free(source->peers);
    free(source->requests);
    free(source);
}

static rs_status accept_source_make(accept_source **out, const rs_win_accept_config *cfg,
                                    uint32_t index, rs_error *error) {
    const uint32_t accepts = cfg->tuning->accepts;
    const bool threaded = cfg->tuning->accept_mode == RS_ACCEPT_THREAD;
    accept_source *source = calloc(1, sizeof *source);
    rs_status status = RS_OK;
    RS_ASSERT(accepts >= 1);
    RS_ASSERT(accepts <= RS_ACCEPTS_MAX);
    *out = NULL;
    if (source == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a listener");
    }
    source->cfg = *cfg;
    source->index = index;
    source->listener = INVALID_SOCKET;
    source->knock = INVALID_SOCKET;
    source->requests = calloc(accepts, sizeof *source->requests);
    source->peers = threaded ? calloc(accepts, sizeof *source->peers) : NULL;
    if (source->requests == NULL || (threaded && source->peers == NULL)) {
        status = rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for %u accepts",
                              accepts);
    } else if (threaded) {
        status = rs_os_event_open(&source->room, error);
    }
    if (status != RS_OK) {
        accept_source_free(source);
        return status;
    }
    RS_ASSERT(source->requests != NULL);
    for (uint32_t i = 0; i < accepts; i++) {
        source->requests[i].source = source;
        source->requests[i].socket = INVALID_SOCKET;
    }
    *out = source;
    return RS_OK;
}

rs_status rs_win_accept_open(rs_win_accept **out, const rs_win_accept_config *cfg,
                             rs_error *error) {
    rs_win_accept *set = calloc(1, sizeof *set);
    rs_status status;
    *out = NULL;
    if (set == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for listeners");
    }
    set->cfg = *cfg;
    if (cfg->extensions == NULL) {
        set->cfg.extensions = rs_win_socket_extensions;
    }
    status = accept_source_make(&set->sources[0], &set->cfg, 0, error);
    if (status != RS_OK) {
        free(set);
        return status;
    }
    *out = set;
    return RS_OK;
}

void rs_win_accept_close(rs_win_accept *set) {
    if (set == NULL) {
        return;
    }
    for (uint32_t i = 0; i < RS_LISTENERS_MAX; i++) {
        accept_source_free(set->sources[i]);
    }
    free(set);
}

/* ---- AcceptEx */

static SOCKET accept_open(const accept_source *source, uint32_t *os_error) {
    return source->by_entry ? rs_win_socket_open_by(&source->entry, source->cfg.socket_flags,
                                                    source->cfg.calls, os_error)
                            : rs_win_socket_open(accept_family(source), source->cfg.socket_flags,
                                                 source->cfg.calls, os_error);
}

/* Sets by_entry: is a socket that is made of the listener's catalog entry served by the listener's
 * provider? Then every one is, and none needs a lookup. The functions decide, because a layer may
 * tell the entry of the one below it. */
static void accept_try_entry(accept_source *source) {
    rs_win_extensions own;
    rs_error ignored;
    uint32_t os_error = 0;
    SOCKET probe;
    source->by_entry = rs_win_socket_protocol(source->listener, &source->entry);
    if (!source->by_entry) {
        return;
    }
    probe = accept_open(source, &os_error);
    source->by_entry = probe != INVALID_SOCKET &&
                       source->cfg.extensions(probe, &own, &ignored) == RS_OK &&
                       own.accept_ex == source->extensions.accept_ex &&
                       own.provider.entry == source->extensions.provider.entry;
    if (probe != INVALID_SOCKET) {
        rs_win_socket_close(probe, source->cfg.calls);
    }
}

/* Returns 0 or the Winsock error. The listener is not in skip mode, so that success at once brings
 * a packet like any other: an accept is too rare for the difference to count. */
static uint32_t accept_post(accept_source *source, accept_request *request) {
    uint32_t os_error = 0;
    DWORD bytes = 0;
    RS_ASSERT(!request->posted);
    if (request->socket == INVALID_SOCKET) {
        request->socket = accept_open(source, &os_error);
        if (request->socket != INVALID_SOCKET && source->cfg.prepare != NULL) {
            os_error = source->cfg.prepare(source->cfg.prepare_arg, request->socket);
        }
    }
    if (os_error != 0) {
        return os_error;
    }
    if (!source->by_entry && !rs_win_extensions_fit(&source->extensions, request->socket)) {
        return WSAEINVALIDPROVIDER; /* the catalog has changed: AcceptEx would crash */
    }
    memset(&request->overlapped, 0, sizeof request->overlapped);
    request->overlapped.hEvent = source->cfg.event;
    source->cfg.calls->count[RS_WIN_ACCEPTEX]++;
    if (!source->extensions.accept_ex(source->listener, request->socket, request->addresses, 0,
                                      (DWORD)ACCEPT_ADDRESS_BYTES, (DWORD)ACCEPT_ADDRESS_BYTES,
                                      &bytes, &request->overlapped)) {
        os_error = (uint32_t)WSAGetLastError();
    }
    if (os_error != 0 && os_error != WSA_IO_PENDING) {
        return os_error;
    }
    request->posted = true;
    source->posted++;
    return 0;
}

static void accept_drop_socket(accept_source *source, accept_request *request) {
    if (request->socket != INVALID_SOCKET) {
        rs_win_socket_close(request->socket, source->cfg.calls);
        request->socket = INVALID_SOCKET;
    }
}

static bool accept_is_starved(const accept_source *source) {
    return source->idle > 0 && !source->stopping && !source->failed;
}

/* Defers a request that failed; starts the wait before the next round. */
static void accept_park(accept_source *source) {
    source->idle++;
    (void)rs_retry_failed(&source->retry, rs_os_now_ns());
}

/* Status of a failed accept. An undocumented error is the listener's only if it no longer listens:
 * out of descriptors, Wine 8 says WSAEINVAL. */
static rs_win_class accept_class(const accept_source *source, uint32_t os_error) {
    rs_win_class class_of = rs_win_error_find(os_error).class_of;
    BOOL listens = FALSE;
    int bytes = (int)sizeof listens;
    if (class_of == RS_WIN_NONE || class_of == RS_WIN_RESOURCES || class_of == RS_WIN_PEER ||
        class_of == RS_WIN_AGAIN) {
        return class_of;
    }
    return getsockopt(source->listener, SOL_SOCKET, SO_ACCEPTCONN, (char *)&listens, &bytes) == 0 &&
                   listens
               ? RS_WIN_RESOURCES
               : RS_WIN_FATAL;
}

/* Posts or defers the request; a failed listener is reported once. *ends_round: the next request
 * would fail too. */
static uint32_t accept_try(accept_source *source, accept_request *request, rs_completion *out,
                           bool *ends_round) {
    uint32_t os_error = accept_post(source, request);
    rs_win_class class_of = accept_class(source, os_error);
    *ends_round = class_of == RS_WIN_RESOURCES;
    if (os_error == 0) {
        rs_retry_succeeded(&source->retry);
        return 0;
    }
    accept_drop_socket(source, request);
    accept_park(source);
    if (class_of != RS_WIN_FATAL || source->failed) {
        return 0;
    }
    source->failed = true;
    return accept_say(out, RS_E_LISTENER, INVALID_SOCKET);
}

/* While others wait for the same resources, a request is deferred without a try; while enough of
 * them stand, until there is time: the replies to those who came go first. */
static uint32_t accept_repost(accept_source *source, accept_request *request, rs_completion *out) {
    bool ends_round;
    if (source->idle > 0) {
        source->idle++;
        return 0;
    }
    if (source->takes || source->posted > source->cfg.tuning->accepts / ACCEPT_LOW_PARTS) {
        source->later++;
        return 0;
    }
    return accept_try(source, request, out, &ends_round);
}

/* Posts so many requests that do not stand, counted in *owed so far; want of resources ends it. */
static uint32_t accept_post_some(accept_source *source, uint32_t *owed, uint32_t most,
                                 rs_completion *out) {
    uint32_t said = 0;
    bool ends_round = false;
    for (uint32_t i = 0; i < source->cfg.tuning->accepts && most > 0 && !ends_round; i++) {
        if (!source->requests[i].posted) {
            RS_ASSERT(*owed > 0);
            most--;
            (*owed)--;
            said += accept_try(source, &source->requests[i], out, &ends_round);
        }
    }
    return said;
}

/* ---- the end of a listener */

static uint32_t accept_finish(accept_source *source, rs_completion *out) {
    RS_ASSERT(source->stopping);
    for (uint32_t i = 0; i < source->cfg.tuning->accepts; i++) {
        RS_ASSERT(!source->requests[i].posted);
        accept_drop_socket(source, &source->requests[i]);
    }
    if (source->knock != INVALID_SOCKET) {
        rs_win_socket_close(source->knock, source->cfg.calls);
        source->knock = INVALID_SOCKET;
    }
    rs_win_socket_close(source->listener, source->cfg.calls);
    source->listener = INVALID_SOCKET;
    source->stopping = false;
    source->failed = false;
    source->idle = 0;
    source->later = 0;
    rs_retry_succeeded(&source->retry);
    return accept_say(out, RS_E_CLOSED, INVALID_SOCKET);
}

static void accept_note_post(accept_source *source, accept_note note, uintptr_t value) {
    if (!PostQueuedCompletionStatus(source->cfg.port,
                                    (DWORD)note | source->index << ACCEPT_NOTE_BITS,
                                    source->cfg.key, (OVERLAPPED *)value)) {
        RS_FATAL("PostQueuedCompletionStatus", GetLastError(), "cannot report an accept");
    }
    if (source->cfg.event != NULL && !SetEvent(source->cfg.event)) {
        RS_FATAL("SetEvent", GetLastError(), "cannot report an accept");
    }
}

/* ---- the accept thread */

static void accept_thread_say(accept_source *source, accept_note note, uintptr_t value) {
    (void)rs_atomic_add_u32(&source->notes, 1);
    accept_note_post(source, note, value);
}

static bool accept_thread_is_full(const accept_source *source) {
    return rs_atomic_load_u32(&source->notes) >= source->cfg.tuning->accepts;
}

/* Returns false when the listener is unusable. */
static bool accept_thread_failed(accept_source *source, uint32_t os_error, rs_retry *retry) {
    switch (accept_class(source, os_error)) {
    case RS_WIN_AGAIN:
        return true;
    case RS_WIN_RESOURCES:
        accept_thread_say(source, ACCEPT_NOTE_FAILED, (uintptr_t)RS_E_NO_BUFFERS);
        Sleep(rs_retry_failed(retry, 0)); /* or it would fail again at once */
        return true;
    case RS_WIN_PEER:
        accept_thread_say(source, ACCEPT_NOTE_FAILED, (uintptr_t)rs_win_error_status(os_error));
        return true;
    default:
        accept_thread_say(source, ACCEPT_NOTE_FAILED, (uintptr_t)RS_E_LISTENER);
        return false;
    }
}

static void accept_thread_main(void *arg) {
    accept_source *source = arg;
    rs_retry retry = {.wait_ms = 0};
    bool usable = true;
    while (rs_atomic_load_u32(&source->thread_stop) == 0) {
        rs_sockaddr name;
        int name_bytes = (int)sizeof name;
        SOCKET accepted;
        if (accept_thread_is_full(source)) {
            /* The shard is slow: the listener's backlog holds the rest and eventually refuses. */
            (void)rs_os_event_wait(source->room, UINT32_MAX);
            continue;
        }
        if (!usable) {
            Sleep(RS_RETRY_FIRST_MS); /* the last note must come after unlisten */
            continue;
        }
        memset(&name, 0, sizeof name);
        accepted = accept(source->listener, &name.any, &name_bytes);
        if (accepted == INVALID_SOCKET) {
            usable = accept_thread_failed(source, (uint32_t)WSAGetLastError(), &retry);
        } else if (rs_atomic_load_u32(&source->thread_stop) != 0) {
            (void)closesocket(accepted); /* our own connection, or a client that came too late */
        } else {
            rs_retry_succeeded(&retry);
            source->peers[source->peers_written++ % source->cfg.tuning->accepts] =
                rs_sockaddr_read(&name);
            accept_thread_say(source, ACCEPT_NOTE_SOCKET, (uintptr_t)accepted);
        }
    }
    accept_note_post(source, ACCEPT_NOTE_END, 0);
}

static bool accept_knock_is_owed(const accept_source *source) {
    return source->stopping && source->thread != NULL && source->knock == INVALID_SOCKET;
}

/* Closing the listener would also end accept(), but its handle may belong to another socket when
 * the thread calls accept() again. A connection to ourselves has no such race. It may fail if
 * connections are waiting (then accept() returns anyway) or for lack of resources: it is retried
 * until the thread has ended. */
static void accept_knock(accept_source *source) {
    uint32_t os_error = 0;
    u_long nonblocking = 1;
    rs_addr target = source->addr;
    rs_sockaddr name;
    int name_bytes;
    source->knock = rs_win_socket_open(accept_family(source), 0, source->cfg.calls, &os_error);
    if (source->knock != INVALID_SOCKET) {
        if (rs_addr_is_any(&target)) { /* 127.0.0.1 or ::1 */
            target.ip = target.family == RS_ADDR_V6 ? 0 : 0x7F000001u;
            target.ip6[15] = target.family == RS_ADDR_V6 ? 1 : 0;
        }
        name_bytes = rs_sockaddr_write(&name, &target);
        (void)ioctlsocket(source->knock, (long)FIONBIO, &nonblocking);
        if (connect(source->knock, &name.any, name_bytes) == 0 ||
            WSAGetLastError() == WSAEWOULDBLOCK) {
            return;
        }
        rs_win_socket_close(source->knock, source->cfg.calls);
        source->knock = INVALID_SOCKET;
    }
    (void)rs_retry_failed(&source->retry, rs_os_now_ns());
}

static void accept_thread_stop(accept_source *source) {
    rs_atomic_store_u32(&source->thread_stop, 1);
    rs_os_event_set(source->room);
    accept_knock(source);
}

static void accept_set_ends(accept_source *source, rs_addr peer, SOCKET socket) {
    source->ends = (rs_ends){.peer = peer,
                             .local = rs_addr_is_any(&source->addr)
                                          ? rs_win_socket_local(socket, source->cfg.calls)
                                          : source->addr};
}

static uint32_t accept_thread_note(accept_source *source, accept_note note, uintptr_t value,
                                   rs_completion *out) {
    source->cfg.calls->count[RS_WIN_ACCEPT]++;
    if (note == ACCEPT_NOTE_SOCKET) { /* before the thread may write the next one; in its order */
        accept_set_ends(source, source->peers[source->peers_read++ % source->cfg.tuning->accepts],
                        (SOCKET)value);
    }
    if (note != ACCEPT_NOTE_END &&
        rs_atomic_add_u32(&source->notes, UINT32_MAX) == source->cfg.tuning->accepts) {
        rs_os_event_set(source->room);
    }
    switch (note) {
    case ACCEPT_NOTE_SOCKET:
        return accept_say_socket(source, out, (SOCKET)value);
    case ACCEPT_NOTE_FAILED:
        return accept_say(out, (rs_status)value, INVALID_SOCKET);
    case ACCEPT_NOTE_END:
    default:
        RS_ASSERT(note == ACCEPT_NOTE_END);
        rs_os_thread_join(source->thread);
        source->thread = NULL;
        return accept_finish(source, out);
    }
}

/* ---- trying again */

static bool accept_waits(const accept_source *source) {
    return accept_is_starved(source) || accept_knock_is_owed(source);
}

static uint32_t accept_retry(accept_source *source, rs_completion *out) {
    if (!accept_waits(source) || !rs_retry_is_due(&source->retry, rs_os_now_ns())) {
        return 0;
    }
    if (accept_knock_is_owed(source)) {
        accept_knock(source);
        return 0;
    }
    return accept_post_some(source, &source->idle, source->idle, out);
}

/* No more of them in one call than there is room for; the others have the next. */
uint32_t rs_win_accept_retry(rs_win_accept *set, rs_completion *out) {
    uint32_t said = 0;
    for (uint32_t i = 0; i < RS_LISTENERS_MAX && said < RS_WIN_ACCEPT_OUT_MAX; i++) {
        if (set->sources[i] != NULL) {
            said += accept_retry(set->sources[i], out + said);
        }
    }
    RS_ASSERT(said <= RS_WIN_ACCEPT_OUT_MAX);
    return said;
}

static uint32_t accept_retry_ms(const accept_source *source) {
    if (!accept_waits(source)) {
        return 0;
    }
    return source->retry.wait_ms > 0 ? source->retry.wait_ms : RS_RETRY_FIRST_MS;
}

uint32_t rs_win_accept_retry_ms(const rs_win_accept *set) {
    uint32_t first_ms = 0;
    for (uint32_t i = 0; i < RS_LISTENERS_MAX && set->sources[i] != NULL; i++) {
        const uint32_t ms = accept_retry_ms(set->sources[i]);
        if (ms != 0 && (first_ms == 0 || ms < first_ms)) {
            first_ms = ms;
        }
    }
    return first_ms;
}

/* ---- when there is time */

static uint32_t accept_batch(const accept_source *source) {
    return source->cfg.tuning->accepts / ACCEPT_BATCH_PARTS + 1u;
}

static accept_source *accept_owing(const rs_win_accept *set) {
    for (uint32_t i = 0; i < RS_LISTENERS_MAX && set->sources[i] != NULL; i++) {
        accept_source *source = set->sources[i];
        if (source->later >= accept_batch(source) && !source->stopping && !source->failed) {
            return source;
        }
    }
    return NULL;
}

bool rs_win_accept_owes(const rs_win_accept *set) {
    return accept_owing(set) != NULL;
}

uint32_t rs_win_accept_refill(rs_win_accept *set, rs_completion *out) {
    accept_source *source = accept_owing(set);
    if (source == NULL) {
        return 0;
    }
    if (source->idle > 0) { /* for want of resources: they wait with the others */
        source->idle += source->later;
        source->later = 0;
        return 0;
    }
    return accept_post_some(source, &source->later, accept_batch(source), out);
}

/* ---- a burst */

/* More have come than AcceptEx stood. Under Wine the rest is taken by accept(): a socket and its
 * AcceptEx are eight requests to wineserver, an accept() three. */
static bool accept_in_burst(const accept_source *source) {
    return source->takes && source->posted == 0 && source->later > 0 && source->idle == 0 &&
           !source->stopping && !source->failed;
}

static accept_source *accept_bursting(const rs_win_accept *set) {
    for (uint32_t i = 0; i < RS_LISTENERS_MAX && set->sources[i] != NULL; i++) {
        if (accept_in_burst(set->sources[i])) {
            return set->sources[i];
        }
    }
    return NULL;
}

bool rs_win_accept_in_burst(rs_win_accept *set, bool is_idle) {
    if (accept_bursting(set) == NULL || (!is_idle && ++set->waited < ACCEPT_WAITED_MAX)) {
        return false;
    }
    set->waited = 0;
    return true;
}

/* accept() has failed: nothing is left, or why not. */
static uint32_t accept_take_failed(accept_source *source, uint32_t os_error, rs_completion *out) {
    switch (accept_class(source, os_error)) {
    case RS_WIN_AGAIN:
        return accept_post_some(source, &source->later, accept_batch(source), out);
    case RS_WIN_PEER:
        return accept_say(out, rs_win_error_status(os_error), INVALID_SOCKET);
    case RS_WIN_RESOURCES:
        source->later--;
        accept_park(source); /* the others follow it, see rs_win_accept_refill */
        return accept_say(out, RS_E_NO_BUFFERS, INVALID_SOCKET);
    default:
        source->failed = true;
        return accept_say(out, RS_E_LISTENER, INVALID_SOCKET);
    }
}

uint32_t rs_win_accept_take(rs_win_accept *set, rs_completion *out) {
    accept_source *source = accept_bursting(set);
    rs_sockaddr name;
    int name_bytes = (int)sizeof name;
    SOCKET accepted;
    RS_ASSERT(source != NULL);
    memset(&name, 0, sizeof name);
    source->cfg.calls->count[RS_WIN_ACCEPT]++;
    accepted = accept(source->listener, &name.any, &name_bytes);
    if (accepted == INVALID_SOCKET) {
        return accept_take_failed(source, (uint32_t)WSAGetLastError(), out);
    }
    if (source->cfg.prepare != NULL &&
        source->cfg.prepare(source->cfg.prepare_arg, accepted) != 0) {
        rs_win_socket_close(accepted, source->cfg.calls);
        return accept_say(out, RS_E_NO_BUFFERS, INVALID_SOCKET);
    }
    accept_set_ends(source, rs_sockaddr_read(&name), accepted);
    return accept_say_socket(source, out, accepted);
}

/* ---- both */

static void accept_try_bursts(accept_source *source) {
    u_long nonblocking = 1;
    source->takes =
        rs_os_is_wine() && ioctlsocket(source->listener, (long)FIONBIO, &nonblocking) == 0;
}

static rs_status accept_start(accept_source *source, rs_error *error) {
    uint32_t os_error = 0;
    if (accept_is_threaded(source)) {
        rs_atomic_store_u32(&source->thread_stop, 0);
        return rs_os_thread_start(&source->thread, accept_thread_main, source, error);
    }
    source->cfg.calls->count[RS_WIN_ASSOCIATE]++;
    if (CreateIoCompletionPort((HANDLE)source->listener, source->cfg.port, source->cfg.key, 0) ==
        NULL) {
        os_error = GetLastError();
        return rs_error_set(error, RS_E_OS, "CreateIoCompletionPort", os_error,
                            "cannot associate the listener with the port (error %u)", os_error);
    }
    accept_try_entry(source);
    accept_try_bursts(source);
    os_error = accept_post(source, &source->requests[0]);
    if (os_error != 0) {
        accept_drop_socket(source, &source->requests[0]);
        return rs_error_set(error, RS_E_OS, "AcceptEx", os_error, "AcceptEx failed (error %u)",
                            os_error);
    }
    for (uint32_t i = 1; i < source->cfg.tuning->accepts; i++) {
        if (source->idle > 0) {
            source->idle++; /* behind one that had to be parked */
        } else if (accept_post(source, &source->requests[i]) != 0) {
            accept_drop_socket(source, &source->requests[i]);
            accept_park(source);
        }
    }
    return RS_OK;
}

/* Gets the listener's functions and checks that its provider is the one used before. */
static rs_status accept_ask(accept_source *source, rs_error *error) {
    uint32_t wanted = source->cfg.provider[source->addr.family]->entry;
    rs_status status = source->cfg.extensions(source->listener, &source->extensions, error);
    if (status != RS_OK || wanted == 0 || source->extensions.provider.entry == wanted) {
        return status;
    }
    return rs_error_set(error, RS_E_UNSUPPORTED, "listen", 0,
                        "the listener is served by Winsock's catalogue entry %u and the rest by "
                        "%u: a provider was installed or removed; restart",
                        source->extensions.provider.entry, wanted);
}

static rs_status accept_listen(accept_source *source, const rs_addr *addr, uint16_t *port_out,
                               rs_error *error) {
    rs_status status;
    RS_ASSERT(source->listener == INVALID_SOCKET);
    RS_ASSERT(source->posted == 0);
    RS_ASSERT(!source->stopping);
    status =
        rs_win_socket_listen(&source->listener, addr, source->cfg.tuning, source->cfg.socket_flags,
                             source->cfg.calls, &source->addr, error);
    if (status != RS_OK) {
        source->listener = INVALID_SOCKET;
        return status;
    }
    *port_out = source->addr.port;
    status = accept_ask(source, error);
    if (status == RS_OK) {
        status = accept_start(source, error);
    }
    if (status != RS_OK) {
        rs_win_socket_close(source->listener, source->cfg.calls);
        source->listener = INVALID_SOCKET;
    }
    return status;
}

rs_status rs_win_accept_listen(rs_win_accept *set, const rs_addr *addr, uint16_t *port_out,
                               rs_error *error) {
    uint32_t i = 0;
    rs_status status = RS_OK;
    while (i < RS_LISTENERS_MAX && set->sources[i] != NULL &&
           set->sources[i]->listener != INVALID_SOCKET) {
        i++;
    }
    if (i == RS_LISTENERS_MAX) {
        return rs_error_set(error, RS_E_INVALID, "listen", 0, "more than %u listeners",
                            RS_LISTENERS_MAX);
    }
    if (set->sources[i] == NULL) {
        status = accept_source_make(&set->sources[i], &set->cfg, i, error);
    }
    if (status != RS_OK) {
        return status;
    }
    RS_ASSERT(set->sources[i] != NULL);
    return accept_listen(set->sources[i], addr, port_out, error);
}

static void accept_unlisten(accept_source *source) {
    if (source->listener == INVALID_SOCKET || source->stopping) {
        return;
    }
    source->stopping = true;
    if (source->thread != NULL) {
        accept_thread_stop(source);
    } else if (source->posted == 0) {
        accept_note_post(source, ACCEPT_NOTE_END, 0);
    } else {
        source->cfg.calls->count[RS_WIN_CANCELIOEX]++;
        /* Fails if all have completed; their packets are in the port. */
        (void)CancelIoEx((HANDLE)source->listener, NULL);
    }
}

void rs_win_accept_unlisten(rs_win_accept *set) {
    for (uint32_t i = 0; i < RS_LISTENERS_MAX && set->sources[i] != NULL; i++) {
        accept_unlisten(set->sources[i]);
    }
}

static rs_addr accept_end(const struct sockaddr *name, int bytes) {
    rs_sockaddr copy;
    memset(&copy, 0, sizeof copy);
    if (name != NULL && bytes > 0) {
        memcpy(&copy, name, (size_t)bytes < sizeof copy ? (size_t)bytes : sizeof copy);
    }
    return rs_sockaddr_read(&copy);
}

/* Both ends, from what AcceptEx wrote: no call into the kernel. */
static void accept_ends(accept_source *source, accept_request *request) {
    struct sockaddr *local = NULL, *peer = NULL;
    int local_bytes = 0, peer_bytes = 0;
    source->extensions.accept_ex_addresses(request->addresses, 0, (DWORD)ACCEPT_ADDRESS_BYTES,
                                           (DWORD)ACCEPT_ADDRESS_BYTES, &local, &local_bytes, &peer,
                                           &peer_bytes);
    source->ends =
        (rs_ends){.peer = accept_end(peer, peer_bytes), .local = accept_end(local, local_bytes)};
}

/* The socket of a completed AcceptEx, or why there is none. */
static uint32_t accept_ended(accept_source *source, accept_request *request, rs_completion *out) {
    uint32_t code = (uint32_t)request->overlapped.Internal; /* not 0: an error, see win_error.h */
    rs_status status = rs_win_error_status(code);
    SOCKET accepted = request->socket;
    if (status == RS_OK) {
        status = rs_win_socket_update_accept(request->socket, source->listener, source->cfg.calls);
    }
    if (status == RS_OK) {
        request->socket = INVALID_SOCKET;
        accept_ends(source, request);
        return accept_say_socket(source, out, accepted);
    }
    accept_drop_socket(source, request);
    return status == RS_E_ABORTED && source->stopping ? 0 : accept_say(out, status, INVALID_SOCKET);
}

/* A packet of our own: of the accept thread, or the end of a listener without requests. */
static uint32_t accept_note_read(rs_win_accept *set, OVERLAPPED *overlapped, DWORD bytes,
                                 rs_completion *out) {
    const uint32_t index = bytes >> ACCEPT_NOTE_BITS;
    const accept_note note = (accept_note)(bytes & ((1u << ACCEPT_NOTE_BITS) - 1u));
    accept_source *source;
    RS_ASSERT(index < RS_LISTENERS_MAX);
    source = set->sources[index];
    RS_ASSERT(source != NULL);
    if (source->thread != NULL) {
        return accept_thread_note(source, note, (uintptr_t)overlapped, out);
    }
    RS_ASSERT(note == ACCEPT_NOTE_END);
    return accept_finish(source, out);
}

uint32_t rs_win_accept_packet(rs_win_accept *set, OVERLAPPED *overlapped, DWORD bytes,
                              rs_completion *out) {
    accept_request *request = (accept_request *)(void *)overlapped;
    accept_source *source;
    uint32_t said;
    if (set->cfg.tuning->accept_mode == RS_ACCEPT_THREAD || request == NULL) {
        return accept_note_read(set, overlapped, bytes, out);
    }
    source = request->source;
    RS_ASSERT(request->posted);
    RS_ASSERT(source->posted > 0);
    request->posted = false;
    source->posted--;
    said = accept_ended(source, request, out);
    if (source->stopping) {
        return said + (source->posted == 0 ? accept_finish(source, out + said) : 0);
    }
    if (said > 0 && out->status == RS_E_NO_BUFFERS) {
        accept_park(source); /* if posted again at once it would fail again */
        return said;
    }
    return said + accept_repost(source, request, out + said);
}
