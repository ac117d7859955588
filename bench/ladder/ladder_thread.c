/* SPDX-License-Identifier: MIT */
/* One blocking thread for each connection.
 *
 * The model: a thread calls recv, then send until all is sent, and the system wakes it when it can
 * go on. The code reads like the protocol; there are no states. Where it ends: each connection
 * costs a thread: a stack, a kernel object, and a switch of threads for every message. 2,048 are
 * allowed here; Windows has no such limit, but the machine slows down. What the documentation asks:
 * threads that use the C library come from _beginthreadex; a send may take fewer bytes than it was
 * given; a socket that another thread may be using is not closed under it, since its handle may be
 * another socket's by then. So at the stop each socket is shut down and its pending call cancelled,
 * and the thread that owns it closes it. */
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <stdlib.h>

#define THREAD_STACK_BYTES (64u * 1024u) /* the buffer is not on it */

typedef struct thread_server {
    ladder ladder;
    CRITICAL_SECTION lock; /* guards what follows, and ladder.counts while threads live */
    CONDITION_VARIABLE one_ended;
    ladder_link connections;
    uint32_t live;
    bool stopping;
} thread_server;

typedef struct thread_connection {
    ladder_link link; /* first */
    thread_server *server;
    SOCKET socket;
    ladder_counts counts;
    char bytes[LADDER_BUFFER_BYTES];
} thread_connection;

/* Returns 0 when all is sent, else the error. */
static DWORD thread_send_all(thread_connection *connection, int bytes) {
    for (int sent = 0; sent < bytes;) {
        connection->counts.call[LADDER_SEND]++;
        const int part = send(connection->socket, connection->bytes + sent, bytes - sent, 0);
        if (part == SOCKET_ERROR) {
            return (DWORD)WSAGetLastError();
        }
        sent += part;
        connection->counts.bytes_out += (uint32_t)part;
    }
    return 0;
}

/* Returns the error that ended it, or 0 when the client ended its stream. */
static DWORD thread_echo(thread_connection *connection) {
    ladder_counts *counts = &connection->counts;
    for (;;) {
        counts->call[LADDER_RECV]++;
        const int received =
            recv(connection->socket, connection->bytes, (int)sizeof connection->bytes, 0);
        if (received <= 0) {
            return received == 0 ? 0 : (DWORD)WSAGetLastError();
        }
        counts->recvs++;
        counts->bytes_in += (uint32_t)received;
        const DWORD os_error = thread_send_all(connection, received);
        if (os_error != 0) {
            return os_error;
        }
    }
}

static unsigned __stdcall thread_main(void *arg) {
    thread_connection *connection = arg;
    thread_server *server = connection->server;
    const DWORD os_error = thread_echo(connection);
    EnterCriticalSection(&server->lock);
    if (!server->stopping) {
        ladder_count_end(&connection->counts, os_error);
    }
    ladder_close(connection->socket, &connection->counts);
    ladder_counts_add(&server->ladder.counts, &connection->counts);
    ladder_link_remove(&connection->link);
    server->live--;
    WakeConditionVariable(&server->one_ended);
    LeaveCriticalSection(&server->lock);
    free(connection);
    return 0;
}

/* Under the lock. False: no memory, or no thread. */
static bool thread_start(thread_server *server, SOCKET accepted) {
    thread_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return false;
    }
    connection->server = server;
    connection->socket = accepted;
    server->ladder.counts.call[LADDER_THREAD]++;
    const uintptr_t thread = _beginthreadex(NULL, THREAD_STACK_BYTES, thread_main, connection,
                                            STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (thread == 0) {
        free(connection);
        return false;
    }
    (void)CloseHandle((HANDLE)thread); /* ours; the thread runs on */
    ladder_link_insert(&server->connections, &connection->link);
    server->live++;
    return true;
}

static void thread_take_in(thread_server *server) {
    EnterCriticalSection(&server->lock);
    const SOCKET accepted = ladder_accept(&server->ladder, server->live);
    if (accepted != INVALID_SOCKET) {
        ladder_set_blocking(accepted, &server->ladder.counts);
        if (!thread_start(server, accepted)) {
            server->ladder.counts.failed++;
            ladder_close(accepted, &server->ladder.counts);
        }
    }
    LeaveCriticalSection(&server->lock);
}

/* Shut down, so that no later call blocks; cancelled, so that the one that blocks now ends. */
static void thread_stop_all(thread_server *server) {
    const uint64_t until_ms = GetTickCount64() + LADDER_DRAIN_MS;
    EnterCriticalSection(&server->lock);
    server->stopping = true;
    for (ladder_link *link = server->connections.next; link != &server->connections;
         link = link->next) {
        const SOCKET socket = ((thread_connection *)link)->socket;
        server->ladder.counts.call[LADDER_SHUTDOWN]++;
        server->ladder.counts.call[LADDER_CANCEL]++;
        (void)shutdown(socket, SD_BOTH);        /* fails when the client has reset it */
        (void)CancelIoEx((HANDLE)socket, NULL); /* fails when nothing is pending */
    }
    while (server->live > 0 && GetTickCount64() < until_ms) {
        (void)SleepConditionVariableCS(&server->one_ended, &server->lock, LADDER_TICK_MS);
    }
    RS_ASSERT(server->live == 0);
    LeaveCriticalSection(&server->lock);
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_thread",
        .name = "thread",
        .connections_max = 2048,
        .limit = "one thread and stack per connection; at most 2048 here",
    };
    thread_server server;
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    InitializeCriticalSection(&server.lock);
    InitializeConditionVariable(&server.one_ended);
    ladder_link_init(&server.connections);
    server.live = 0;
    server.stopping = false;
    while (!ladder_is_over(&server.ladder)) {
        ladder_await_connection(&server.ladder);
        thread_take_in(&server);
    }
    thread_stop_all(&server);
    return ladder_finish(&server.ladder);
}
