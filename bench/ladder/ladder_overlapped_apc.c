/* SPDX-License-Identifier: MIT */
/* Overlapped I/O with completion routines: the system calls back when a request is done.
 *
 * The model: WSARecv and WSASend name a function. The system queues the call of it to the thread
 * that made the request (an asynchronous procedure call) and makes it while that thread is in an
 * alertable wait, and at no other time: no lock is needed.
 * Where it ends: not at 64, since nothing is waited for but the listener; but the routines run only
 * in the thread that asked, so one thread carries all its connections and none can help it.
 * What the documentation asks: the thread waits alertably; buffer and OVERLAPPED stay until the
 * routine has run, also after CancelIoEx, so a connection with a request in flight is cancelled,
 * waited for and then freed; a request that succeeds at once has its routine called all the same,
 * one that fails at once does not; hEvent is not used. The wait returns when no routine is due any
 * more: if a routine made the next request itself, and that succeeded at once, the chain would keep
 * a busy server inside one wait, deaf to the listener and the stop. So routines only put their
 * connection on a list, and the loop makes the requests. accept has no completion routine: the
 * listener's event is waited for, and an accepted socket drops its association with it.
 * Built a second time as ladder_overlapped_alertable (LADDER_ALERTABLE_OFTEN): the loop waits
 * alertably after every request that it makes, and not once a turn. The difference is what frequent
 * alertable waits cost. */
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <stdlib.h>

#ifdef LADDER_ALERTABLE_OFTEN
#define APC_NAME "overlapped_alertable"
#else
#define APC_NAME "overlapped_apc"
#endif

typedef struct apc_server {
    ladder ladder;
    WSAEVENT listener_event;
    ladder_link connections;
    ladder_link ready; /* those whose next request has to be made: none is in flight */
    uint32_t live;
    bool stopping; /* no further request */
} apc_server;

typedef struct apc_connection {
    WSAOVERLAPPED overlapped; /* first: the routine gets its address; one request in flight */
    ladder_link link, ready;
    apc_server *server;
    SOCKET socket;
    uint32_t begin, end; /* bytes[begin..end) are to be sent */
    char bytes[LADDER_BUFFER_BYTES];
} apc_connection;

/* No request is in flight, and it is not on the list of those that are ready. */
static void apc_drop(apc_connection *connection, DWORD os_error) {
    apc_server *server = connection->server;
    if (!server->stopping) {
        ladder_count_end(&server->ladder.counts, os_error);
    }
    ladder_close(connection->socket, &server->ladder.counts);
    ladder_link_remove(&connection->link);
    server->live--;
    free(connection);
}

static void CALLBACK apc_on_sent(DWORD os_error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                 DWORD flags);
static void CALLBACK apc_on_received(DWORD os_error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                     DWORD flags);

static void apc_receive(apc_connection *connection) {
    WSABUF buf = {.len = sizeof connection->bytes, .buf = connection->bytes};
    DWORD flags = 0;
    connection->server->ladder.counts.call[LADDER_WSARECV]++;
    if (WSARecv(connection->socket, &buf, 1, NULL, &flags, &connection->overlapped,
                apc_on_received) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        apc_drop(connection, (DWORD)WSAGetLastError());
    }
}

static void apc_send(apc_connection *connection) {
    WSABUF buf = {.len = connection->end - connection->begin,
                  .buf = connection->bytes + connection->begin};
    connection->server->ladder.counts.call[LADDER_WSASEND]++;
    if (WSASend(connection->socket, &buf, 1, NULL, 0, &connection->overlapped, apc_on_sent) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        apc_drop(connection, (DWORD)WSAGetLastError());
    }
}

static void CALLBACK apc_on_received(DWORD os_error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                     DWORD flags) {
    apc_connection *connection = (apc_connection *)overlapped;
    ladder_counts *counts = &connection->server->ladder.counts;
    (void)flags;
    if (os_error != 0 || bytes == 0 || connection->server->stopping) {
        apc_drop(connection, os_error);
        return;
    }
    counts->recvs++;
    counts->bytes_in += bytes;
    connection->begin = 0;
    connection->end = bytes;
    ladder_link_insert(&connection->server->ready, &connection->ready);
}

static void CALLBACK apc_on_sent(DWORD os_error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                 DWORD flags) {
    apc_connection *connection = (apc_connection *)overlapped;
    (void)flags;
    if (os_error != 0 || bytes == 0 || connection->server->stopping) {
        apc_drop(connection, os_error);
        return;
    }
    connection->server->ladder.counts.bytes_out += bytes;
    connection->begin += bytes;
    RS_ASSERT(connection->begin <= connection->end);
    ladder_link_insert(&connection->server->ready, &connection->ready);
}

/* Runs the routines that are due, in the one of the two programs that does so often. */
static void apc_wait_often(apc_server *server) {
#ifdef LADDER_ALERTABLE_OFTEN
    server->ladder.counts.call[LADDER_SLEEP]++;
    (void)SleepEx(0, TRUE); /* none due is no error */
#else
    (void)server;
#endif
}

/* After a short send the rest is sent, and only then is a receive posted. Each connection has one
 * turn, so that routines run in between keep nobody from the listener. */
static void apc_go_on(apc_server *server) {
    for (uint32_t left = server->live; left > 0 && server->ready.next != &server->ready; left--) {
        /* The oldest: a busy connection must not pass the others. */
        apc_connection *connection = CONTAINING_RECORD(server->ready.prev, apc_connection, ready);
        ladder_link_remove(&connection->ready);
        if (server->stopping) {
            apc_drop(connection, 0);
            continue;
        }
        if (connection->begin < connection->end) {
            apc_send(connection);
        } else {
            apc_receive(connection);
        }
        apc_wait_often(server);
    }
}

static void apc_add(apc_server *server, SOCKET accepted) {
    apc_connection *connection = calloc(1, sizeof *connection);
    server->ladder.counts.call[LADDER_EVENT_SELECT]++;
    if (connection == NULL || WSAEventSelect(accepted, NULL, 0) != 0) {
        server->ladder.counts.failed++;
        ladder_close(accepted, &server->ladder.counts);
        free(connection);
        return;
    }
    connection->server = server;
    connection->socket = accepted;
    ladder_link_insert(&server->connections, &connection->link);
    server->live++;
    apc_receive(connection);
}

/* One accept for each FD_ACCEPT: see ladder_accept. */
static void apc_take_in(apc_server *server) {
    WSANETWORKEVENTS record;
    server->ladder.counts.call[LADDER_ENUM_EVENTS]++;
    if (WSAEnumNetworkEvents(server->ladder.listener, server->listener_event, &record) != 0) {
        RS_FATAL("WSAEnumNetworkEvents", WSAGetLastError(), "the listener's event is lost");
    }
    const SOCKET accepted = ladder_accept(&server->ladder, server->live);
    if (accepted != INVALID_SOCKET) {
        apc_add(server, accepted);
    }
}

/* All routines that are due run inside the wait. */
static void apc_turn(apc_server *server) {
    apc_go_on(server);
    const DWORD wait_ms = server->ready.next != &server->ready ? 0 : LADDER_TICK_MS;
    server->ladder.counts.call[LADDER_WAIT]++;
    switch (WSAWaitForMultipleEvents(1, &server->listener_event, FALSE, wait_ms, TRUE)) {
    case WSA_WAIT_EVENT_0:
        apc_take_in(server);
        return;
    case WSA_WAIT_IO_COMPLETION:
    case WSA_WAIT_TIMEOUT:
        return;
    default:
        RS_FATAL("WSAWaitForMultipleEvents", WSAGetLastError(), "cannot wait for events");
    }
}

/* Each connection's routine runs once more, mostly with an error, and drops it. */
static void apc_stop(apc_server *server) {
    const uint64_t until_ms = GetTickCount64() + LADDER_DRAIN_MS;
    server->stopping = true;
    apc_go_on(server);
    for (ladder_link *link = server->connections.next; link != &server->connections;
         link = link->next) {
        const apc_connection *connection = CONTAINING_RECORD(link, apc_connection, link);
        server->ladder.counts.call[LADDER_CANCEL]++;
        (void)CancelIoEx((HANDLE)connection->socket, NULL); /* fails when it has just completed */
    }
    while (server->live > 0 && GetTickCount64() < until_ms) {
        (void)SleepEx(LADDER_TICK_MS, TRUE);
    }
    RS_ASSERT(server->live == 0);
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_" APC_NAME,
        .name = APC_NAME,
        .connections_max = LADDER_CONNECTIONS_MAX,
        .limit =
            "memory, and one thread: completion routines run only in the thread that made the call",
    };
    static apc_server server;
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    ladder_link_init(&server.connections);
    ladder_link_init(&server.ready);
    server.listener_event = WSACreateEvent();
    server.ladder.counts.call[LADDER_EVENT_SELECT]++;
    if (server.listener_event == WSA_INVALID_EVENT ||
        WSAEventSelect(server.ladder.listener, server.listener_event, FD_ACCEPT) != 0) {
        RS_FATAL("WSAEventSelect", WSAGetLastError(), "cannot wait for the listener");
    }
    while (!ladder_is_over(&server.ladder)) {
        apc_turn(&server);
    }
    apc_stop(&server);
    exit_code = ladder_finish(&server.ladder);
    (void)WSACloseEvent(server.listener_event); /* ours */
    return exit_code;
}
