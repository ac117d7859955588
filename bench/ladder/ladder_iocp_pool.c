/* SPDX-License-Identifier: MIT */
/* The textbook I/O completion port: one port, a pool of threads, a thread that accepts.
 *
 * The model: every socket reports its completed requests to one port; any thread of the pool takes
 * the next one. Each connection has one receive in flight; each reply is a send record, allocated
 * for it and freed when it completes. It is what most articles show, and what iocp_server, with a
 * port for each thread, batches and no allocation, is to be measured against.
 * Where it ends: no number of connections; but two threads may serve one connection at the same
 * time, so each has a lock, and each reply costs an allocation.
 * What the documentation asks: the next receive is posted only after the send of what the last one
 * brought, or two threads might send in the wrong order; buffer and OVERLAPPED live until the
 * request's packet has come out of the port, so a connection counts its requests and is freed at
 * none; closesocket makes what is pending complete with an error. A send that ends short, which an
 * overlapped send on a stream does only when the connection breaks, ends the connection: another
 * send may already follow it.
 * Built twice: with LADDER_LOOKASIDE as ladder_iocp_lookaside, whose send records come from a list
 * of free ones and go back to it. That is all in which the two differ. */
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifdef LADDER_LOOKASIDE
#define POOL_NAME "iocp_lookaside"
#else
#define POOL_NAME "iocp_pool"
#endif

#define POOL_THREADS_MAX 64u
#define POOL_THREADS_PER_CPU 2u           /* some wait while others run: the port's documentation */
#define POOL_OWED_BYTES_MAX (64u * 1024u) /* unsent; above it a connection is not read */

typedef struct pool_server {
    ladder ladder;
    HANDLE port;
    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE one_ended;
    ladder_link connections;
    uint32_t live;
} pool_server;

typedef struct pool_worker {
    pool_server *server;
    HANDLE thread;
    ladder_counts counts;
} pool_worker;

typedef struct pool_connection {
    ladder_link link; /* first; guarded by the server's lock */
    SRWLOCK lock;     /* guards the following; never held while taking the server's */
    SOCKET socket;    /* INVALID_SOCKET: closed, its requests have not completed yet */
    uint32_t pending; /* requests in flight: freed at 0 */
    uint32_t owed_bytes;
    bool paused; /* no receive in flight because too much is owed */
    bool ended;  /* no further receive */
    WSAOVERLAPPED receive;
    char bytes[LADDER_BUFFER_BYTES];
} pool_connection;

typedef struct pool_send {
    WSAOVERLAPPED overlapped; /* first: the packet brings its address */
    DWORD bytes;              /* that many follow this struct */
} pool_send;

/* ---- send records: any thread */

#ifdef LADDER_LOOKASIDE

/* Free records, each with room for a receive's bytes. */
static SLIST_HEADER pool_free_records;

static void pool_records_open(void) {
    InitializeSListHead(&pool_free_records);
}

static pool_send *pool_record(DWORD bytes) {
    pool_send *record = (pool_send *)InterlockedPopEntrySList(&pool_free_records);
    RS_ASSERT(bytes <= LADDER_BUFFER_BYTES);
    return record != NULL
               ? record
               : _aligned_malloc(sizeof *record + LADDER_BUFFER_BYTES, MEMORY_ALLOCATION_ALIGNMENT);
}

static void pool_record_free(pool_send *record) {
    (void)InterlockedPushEntrySList(&pool_free_records, (SLIST_ENTRY *)(void *)record);
}

static void pool_records_close(void) {
    SLIST_ENTRY *entry = InterlockedFlushSList(&pool_free_records);
    while (entry != NULL) {
        SLIST_ENTRY *next = entry->Next;
        _aligned_free(entry);
        entry = next;
    }
}

#else

static void pool_records_open(void) {
}

static pool_send *pool_record(DWORD bytes) {
    return malloc(sizeof(pool_send) + bytes);
}

static void pool_record_free(pool_send *record) {
    free(record);
}

static void pool_records_close(void) {
}

#endif

/* ---- requests: under the connection's lock */

/* Its requests complete with an error. On Windows closesocket is enough; Wine 8 keeps a send that
 * waits for room. */
static void pool_break(pool_connection *connection, ladder_counts *counts) {
    if (connection->socket == INVALID_SOCKET) {
        return;
    }
    counts->call[LADDER_CANCEL]++;
    (void)CancelIoEx((HANDLE)connection->socket, NULL); /* fails when nothing is pending */
    ladder_close(connection->socket, counts);
    connection->socket = INVALID_SOCKET;
}

static void pool_end(pool_connection *connection, DWORD os_error, ladder_counts *counts) {
    if (!connection->ended) {
        connection->ended = true;
        ladder_count_end(counts, os_error);
    }
    if (os_error != 0) {
        pool_break(connection, counts);
    }
}

static void pool_post_receive(pool_connection *connection, ladder_counts *counts) {
    WSABUF buf = {.len = sizeof connection->bytes, .buf = connection->bytes};
    DWORD flags = 0;
    memset(&connection->receive, 0, sizeof connection->receive);
    counts->call[LADDER_WSARECV]++;
    if (WSARecv(connection->socket, &buf, 1, NULL, &flags, &connection->receive, NULL) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        pool_end(connection, (DWORD)WSAGetLastError(), counts);
        return;
    }
    connection->pending++;
}

static void pool_echo(pool_connection *connection, DWORD bytes, ladder_counts *counts) {
    pool_send *record = pool_record(bytes);
    if (record == NULL) {
        pool_end(connection, ERROR_NOT_ENOUGH_MEMORY, counts);
        return;
    }
    memset(&record->overlapped, 0, sizeof record->overlapped);
    record->bytes = bytes;
    memcpy(record + 1, connection->bytes, bytes);
    WSABUF buf = {.len = bytes, .buf = (char *)(record + 1)};
    counts->call[LADDER_WSASEND]++;
    if (WSASend(connection->socket, &buf, 1, NULL, 0, &record->overlapped, NULL) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        const DWORD os_error = (DWORD)WSAGetLastError();
        pool_record_free(record);
        pool_end(connection, os_error, counts);
        return;
    }
    connection->pending++;
    connection->owed_bytes += bytes;
}

/* ---- completions: under the connection's lock */

static void pool_receive_again(pool_connection *connection, ladder_counts *counts) {
    if (connection->ended || connection->socket == INVALID_SOCKET) {
        return;
    }
    connection->paused = connection->owed_bytes >= POOL_OWED_BYTES_MAX;
    if (!connection->paused) {
        pool_post_receive(connection, counts);
    }
}

static void pool_on_received(pool_connection *connection, DWORD os_error, DWORD bytes,
                             ladder_counts *counts) {
    if (os_error != 0 || bytes == 0) {
        pool_end(connection, os_error, counts); /* without an error: what is owed is still sent */
        return;
    }
    counts->recvs++;
    counts->bytes_in += bytes;
    if (connection->socket != INVALID_SOCKET) {
        pool_echo(connection, bytes, counts);
        pool_receive_again(connection, counts);
    }
}

static void pool_on_sent(pool_connection *connection, pool_send *record, DWORD os_error,
                         DWORD bytes, ladder_counts *counts) {
    RS_ASSERT(connection->owed_bytes >= record->bytes);
    connection->owed_bytes -= record->bytes;
    counts->bytes_out += bytes;
    if (os_error == 0 && bytes < record->bytes) {
        os_error = WSAECONNABORTED;
    }
    pool_record_free(record);
    if (os_error != 0) {
        pool_end(connection, os_error, counts);
    } else if (connection->paused) {
        pool_receive_again(connection, counts);
    }
}

/* ---- the pool */

static void pool_free(pool_server *server, pool_connection *connection) {
    AcquireSRWLockExclusive(&server->lock);
    ladder_link_remove(&connection->link);
    server->live--;
    WakeConditionVariable(&server->one_ended);
    ReleaseSRWLockExclusive(&server->lock);
    free(connection);
}

static void pool_complete(pool_worker *worker, pool_connection *connection, WSAOVERLAPPED *done,
                          DWORD os_error, DWORD bytes) {
    AcquireSRWLockExclusive(&connection->lock);
    RS_ASSERT(connection->pending > 0);
    connection->pending--;
    if (done == &connection->receive) {
        pool_on_received(connection, os_error, bytes, &worker->counts);
    } else {
        pool_on_sent(connection, (pool_send *)done, os_error, bytes, &worker->counts);
    }
    const bool last = connection->pending == 0;
    if (last && connection->socket != INVALID_SOCKET) {
        ladder_close(connection->socket, &worker->counts);
        connection->socket = INVALID_SOCKET;
    }
    ReleaseSRWLockExclusive(&connection->lock);
    if (last) {
        pool_free(worker->server, connection);
    }
}

static unsigned __stdcall pool_worker_main(void *arg) {
    pool_worker *worker = arg;
    for (;;) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *done = NULL;
        worker->counts.call[LADDER_GQCS]++;
        const BOOL ok =
            GetQueuedCompletionStatus(worker->server->port, &bytes, &key, &done, INFINITE);
        const DWORD os_error = ok ? 0 : GetLastError();
        if (done == NULL) {
            if (!ok) {
                RS_FATAL("GetQueuedCompletionStatus", os_error, "the port is unusable");
            }
            return 0; /* pool_join's packet */
        }
        pool_complete(worker, (pool_connection *)key, done, os_error, bytes);
    }
}

static uint32_t pool_start(pool_server *server, pool_worker *workers) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    uint32_t count = (uint32_t)info.dwNumberOfProcessors * POOL_THREADS_PER_CPU;
    count = count < POOL_THREADS_MAX ? count : POOL_THREADS_MAX;
    server->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0); /* 0: one a CPU runs */
    if (server->port == NULL) {
        RS_FATAL("CreateIoCompletionPort", GetLastError(), "cannot create the port");
    }
    for (uint32_t i = 0; i < count; i++) {
        workers[i].server = server;
        server->ladder.counts.call[LADDER_THREAD]++;
        workers[i].thread = (HANDLE)_beginthreadex(NULL, 0, pool_worker_main, &workers[i], 0, NULL);
        if (workers[i].thread == NULL) {
            RS_FATAL("_beginthreadex", GetLastError(), "cannot start the pool");
        }
    }
    return count;
}

static void pool_join(pool_server *server, pool_worker *workers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!PostQueuedCompletionStatus(server->port, 0, 0, NULL)) {
            RS_FATAL("PostQueuedCompletionStatus", GetLastError(), "cannot stop the pool");
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)WaitForSingleObject(workers[i].thread, INFINITE); /* ours */
        (void)CloseHandle(workers[i].thread);                   /* ours */
        ladder_counts_add(&server->ladder.counts, &workers[i].counts);
    }
    (void)CloseHandle(server->port); /* ours */
}

/* ---- the main thread accepts */

/* Under the connection's lock until its first receive is counted, so that no worker frees it. */
static void pool_add(pool_server *server, SOCKET accepted) {
    ladder_counts *counts = &server->ladder.counts;
    pool_connection *connection = calloc(1, sizeof *connection);
    counts->call[LADDER_ASSOCIATE]++;
    if (connection == NULL ||
        CreateIoCompletionPort((HANDLE)accepted, server->port, (ULONG_PTR)connection, 0) == NULL) {
        counts->failed++;
        ladder_close(accepted, counts);
        free(connection);
        return;
    }
    InitializeSRWLock(&connection->lock);
    connection->socket = accepted;
    AcquireSRWLockExclusive(&server->lock);
    ladder_link_insert(&server->connections, &connection->link);
    server->live++;
    ReleaseSRWLockExclusive(&server->lock);
    AcquireSRWLockExclusive(&connection->lock);
    pool_post_receive(connection, counts);
    const bool dead = connection->pending == 0;
    ReleaseSRWLockExclusive(&connection->lock);
    if (dead) { /* pool_post_receive has closed it */
        pool_free(server, connection);
    }
}

static void pool_take_in(pool_server *server) {
    for (uint32_t i = 0; i < LADDER_ACCEPTS_PER_TURN; i++) {
        AcquireSRWLockExclusive(&server->lock);
        const uint32_t live = server->live;
        ReleaseSRWLockExclusive(&server->lock);
        const SOCKET accepted = ladder_accept(&server->ladder, live);
        if (accepted == INVALID_SOCKET) {
            return;
        }
        pool_add(server, accepted);
    }
}

/* Lock order: server, then connection. A connection in the list is not freed while we hold it. */
static void pool_stop_connections(pool_server *server) {
    const uint64_t until_ms = GetTickCount64() + LADDER_DRAIN_MS;
    AcquireSRWLockExclusive(&server->lock);
    for (ladder_link *link = server->connections.next; link != &server->connections;
         link = link->next) {
        pool_connection *connection = (pool_connection *)link;
        AcquireSRWLockExclusive(&connection->lock);
        connection->ended = true; /* uncounted: the stop ends it */
        pool_break(connection, &server->ladder.counts);
        ReleaseSRWLockExclusive(&connection->lock);
    }
    while (server->live > 0 && GetTickCount64() < until_ms) {
        (void)SleepConditionVariableSRW(&server->one_ended, &server->lock, LADDER_TICK_MS, 0);
    }
    RS_ASSERT(server->live == 0);
    ReleaseSRWLockExclusive(&server->lock);
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_" POOL_NAME,
        .name = POOL_NAME,
        .connections_max = LADDER_CONNECTIONS_MAX,
        .limit = "memory and the kernel's non-paged pool",
    };
    static pool_server server;
    static pool_worker workers[POOL_THREADS_MAX];
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    InitializeSRWLock(&server.lock);
    InitializeConditionVariable(&server.one_ended);
    ladder_link_init(&server.connections);
    pool_records_open();
    const uint32_t count = pool_start(&server, workers);
    while (!ladder_is_over(&server.ladder)) {
        ladder_await_connection(&server.ladder);
        pool_take_in(&server);
    }
    pool_stop_connections(&server);
    pool_join(&server, workers, count);
    pool_records_close();
    return ladder_finish(&server.ladder);
}
