/* SPDX-License-Identifier: MIT */
/* Overlapped I/O with events: a request is handed over, and an event tells that it is done.
 *
 * The model: WSARecv and WSASend return at once; the system works on the program's own buffer and
 * sets the event in the OVERLAPPED when it has finished. Connections are taken in by AcceptEx, the
 * accept of this model.
 * Where it ends: one wait takes WSA_MAXIMUM_WAIT_EVENTS = 64 events, and one is AcceptEx's: 63
 * connections a thread, with one request each.
 * What the documentation asks: buffer and OVERLAPPED stay where they are until the request has
 * completed, also after CancelIoEx; a request that succeeds at once sets its event like any other;
 * events are reset by hand; AcceptEx comes from WSAIoctl, and its socket is no full one until
 * SO_UPDATE_ACCEPT_CONTEXT; of several set events the wait names the first. */
#include "ladder/ladder_common.h"

#include "core/assert.h"
#include "win/win_error.h"

#include <stdlib.h>
#include <string.h>

#define OVERLAPPED_ACCEPT 0u /* its place among the events */
#define OVERLAPPED_ADDRESS_BYTES ((DWORD)sizeof(struct sockaddr_in) + 16u) /* AcceptEx, remarks */

typedef struct overlapped_connection {
    WSAOVERLAPPED overlapped; /* of the one request in flight */
    SOCKET socket;
    bool sending;
    uint32_t begin, end; /* bytes[begin..end) are to be sent */
    char bytes[LADDER_BUFFER_BYTES];
} overlapped_connection;

typedef struct overlapped_server {
    ladder ladder;
    LPFN_ACCEPTEX accept_ex;
    SOCKET accepting; /* the socket that AcceptEx will connect */
    WSAOVERLAPPED accept;
    char addresses[2 * OVERLAPPED_ADDRESS_BYTES];
    DWORD count; /* of events in use: AcceptEx's, then the connections' */
    WSAEVENT event[WSA_MAXIMUM_WAIT_EVENTS];
    overlapped_connection *connection[WSA_MAXIMUM_WAIT_EVENTS]; /* same places; none at the first */
} overlapped_server;

/* ---- one request */

/* Returns 0 when the request is with the system: its event will be set. */
static DWORD overlapped_receive(overlapped_connection *connection, ladder_counts *counts) {
    WSABUF buf = {.len = sizeof connection->bytes, .buf = connection->bytes};
    DWORD flags = 0;
    connection->sending = false;
    counts->call[LADDER_WSARECV]++;
    const int rc =
        WSARecv(connection->socket, &buf, 1, NULL, &flags, &connection->overlapped, NULL);
    const DWORD os_error = rc == 0 ? 0 : (DWORD)WSAGetLastError();
    return os_error == WSA_IO_PENDING ? 0 : os_error;
}

static DWORD overlapped_send(overlapped_connection *connection, ladder_counts *counts) {
    WSABUF buf = {.len = connection->end - connection->begin,
                  .buf = connection->bytes + connection->begin};
    connection->sending = true;
    counts->call[LADDER_WSASEND]++;
    const int rc = WSASend(connection->socket, &buf, 1, NULL, 0, &connection->overlapped, NULL);
    const DWORD os_error = rc == 0 ? 0 : (DWORD)WSAGetLastError();
    return os_error == WSA_IO_PENDING ? 0 : os_error;
}

/* The result of a request whose event is set; returns 0 or the error. */
static DWORD overlapped_result(overlapped_server *server, SOCKET socket, WSAOVERLAPPED *overlapped,
                               DWORD *bytes) {
    DWORD flags = 0;
    server->ladder.counts.call[LADDER_RESULT]++;
    return WSAGetOverlappedResult(socket, overlapped, bytes, FALSE, &flags)
               ? 0
               : (DWORD)WSAGetLastError();
}

/* ---- connections */

/* No request may be in flight. The last connection moves to the slot of the closed one. */
static void overlapped_drop(overlapped_server *server, DWORD i) {
    RS_ASSERT(i > OVERLAPPED_ACCEPT && i < server->count);
    ladder_close(server->connection[i]->socket, &server->ladder.counts);
    (void)WSACloseEvent(server->event[i]); /* ours */
    free(server->connection[i]);
    server->count--;
    server->event[i] = server->event[server->count];
    server->connection[i] = server->connection[server->count];
}

static void overlapped_add(overlapped_server *server, SOCKET accepted) {
    overlapped_connection *connection = calloc(1, sizeof *connection);
    const WSAEVENT event = WSACreateEvent();
    RS_ASSERT(server->count < WSA_MAXIMUM_WAIT_EVENTS);
    if (connection == NULL || event == WSA_INVALID_EVENT) {
        server->ladder.counts.failed++;
        ladder_close(accepted, &server->ladder.counts);
        free(connection);
        if (event != WSA_INVALID_EVENT) {
            (void)WSACloseEvent(event); /* ours */
        }
        return;
    }
    connection->socket = accepted;
    connection->overlapped.hEvent = event;
    server->event[server->count] = event;
    server->connection[server->count] = connection;
    server->count++;
    const DWORD os_error = overlapped_receive(connection, &server->ladder.counts);
    if (os_error != 0) {
        ladder_count_end(&server->ladder.counts, os_error);
        overlapped_drop(server, server->count - 1u);
    }
}

/* After a short send the rest is sent, and only then is a receive posted. */
static DWORD overlapped_go_on(overlapped_connection *connection, DWORD bytes,
                              ladder_counts *counts) {
    if (connection->sending) {
        connection->begin += bytes;
        counts->bytes_out += bytes;
    } else {
        counts->recvs++;
        counts->bytes_in += bytes;
        connection->begin = 0;
        connection->end = bytes;
    }
    RS_ASSERT(connection->begin <= connection->end);
    return connection->begin < connection->end ? overlapped_send(connection, counts)
                                               : overlapped_receive(connection, counts);
}

/* False: the connection ended, and its slot has another one or none. */
static bool overlapped_serve(overlapped_server *server, DWORD i) {
    overlapped_connection *connection = server->connection[i];
    DWORD bytes = 0;
    server->ladder.counts.call[LADDER_RESET_EVENT]++;
    (void)WSAResetEvent(server->event[i]); /* ours */
    DWORD os_error = overlapped_result(server, connection->socket, &connection->overlapped, &bytes);
    const bool stream_ended = os_error == 0 && bytes == 0;
    if (os_error == 0 && !stream_ended) {
        os_error = overlapped_go_on(connection, bytes, &server->ladder.counts);
    }
    if (os_error != 0 || stream_ended) {
        ladder_count_end(&server->ladder.counts, os_error);
        overlapped_drop(server, i);
        return false;
    }
    return true;
}

/* ---- accepting */

static void overlapped_accept_post(overlapped_server *server) {
    DWORD os_error = WSAECONNRESET;
    /* With that error the client has gone: the next one. */
    for (uint32_t i = 0; i < LADDER_ACCEPTS_PER_TURN && os_error == WSAECONNRESET; i++) {
        DWORD bytes = 0;
        server->ladder.counts.call[LADDER_ACCEPTEX]++;
        const BOOL done = server->accept_ex(server->ladder.listener, server->accepting,
                                            server->addresses, 0, OVERLAPPED_ADDRESS_BYTES,
                                            OVERLAPPED_ADDRESS_BYTES, &bytes, &server->accept);
        os_error = done ? 0 : (DWORD)WSAGetLastError();
    }
    if (os_error != 0 && os_error != WSA_IO_PENDING) {
        RS_FATAL("AcceptEx", os_error, "the listener is unusable");
    }
}

static void overlapped_accept_next(overlapped_server *server) {
    server->ladder.counts.call[LADDER_SOCKET]++;
    server->accepting = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (server->accepting == INVALID_SOCKET) {
        RS_FATAL("WSASocket", WSAGetLastError(), "cannot accept connections");
    }
    overlapped_accept_post(server);
}

static void overlapped_take_in(overlapped_server *server) {
    const SOCKET accepted = server->accepting;
    const SOCKET listener = server->ladder.listener;
    DWORD bytes = 0;
    (void)WSAResetEvent(server->event[OVERLAPPED_ACCEPT]); /* ours */
    server->ladder.counts.call[LADDER_RESET_EVENT]++;
    const bool connected = overlapped_result(server, listener, &server->accept, &bytes) == 0;
    server->ladder.counts.call[LADDER_SETSOCKOPT]++;
    if (!connected || setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                                 (const char *)&listener, (int)sizeof listener) != 0) {
        ladder_close(accepted, &server->ladder.counts); /* it came and went */
    } else if (ladder_admit(&server->ladder, accepted, server->count - 1u)) {
        overlapped_add(server, accepted);
    }
    overlapped_accept_next(server);
}

static void overlapped_open(overlapped_server *server) {
    GUID guid = WSAID_ACCEPTEX;
    DWORD bytes = 0;
    if (WSAIoctl(server->ladder.listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid,
                 (DWORD)sizeof guid, &server->accept_ex, (DWORD)sizeof server->accept_ex, &bytes,
                 NULL, NULL) != 0) {
        RS_FATAL("WSAIoctl", WSAGetLastError(), "this Winsock lacks AcceptEx");
    }
    server->event[OVERLAPPED_ACCEPT] = WSACreateEvent();
    if (server->event[OVERLAPPED_ACCEPT] == WSA_INVALID_EVENT) {
        RS_FATAL("WSACreateEvent", WSAGetLastError(), "cannot wait for events");
    }
    server->accept.hEvent = server->event[OVERLAPPED_ACCEPT];
    server->count = 1;
    overlapped_accept_next(server);
}

/* ---- the loop */

/* One turn: waits for the first event, then visits those behind it that are set too. */
static void overlapped_turn(overlapped_server *server) {
    DWORD first = 0, timeout_ms = LADDER_TICK_MS;
    while (first < server->count) {
        server->ladder.counts.call[LADDER_WAIT]++;
        const DWORD found = WSAWaitForMultipleEvents(server->count - first, server->event + first,
                                                     FALSE, timeout_ms, FALSE);
        if (found == WSA_WAIT_TIMEOUT) {
            return;
        }
        if (found >= WSA_WAIT_EVENT_0 + server->count - first) {
            RS_FATAL("WSAWaitForMultipleEvents", WSAGetLastError(), "cannot wait for events");
        }
        first += found - WSA_WAIT_EVENT_0;
        if (first == OVERLAPPED_ACCEPT) {
            overlapped_take_in(server);
            first++;
        } else if (overlapped_serve(server, first)) {
            first++;
        }
        timeout_ms = 0;
    }
}

/* Until the event is set, buffer and OVERLAPPED are the system's. */
static void overlapped_cancel(overlapped_server *server, SOCKET socket, WSAEVENT event) {
    server->ladder.counts.call[LADDER_CANCEL]++;
    (void)CancelIoEx((HANDLE)socket, NULL); /* fails when the request has just completed */
    if (WSAWaitForMultipleEvents(1, &event, TRUE, LADDER_DRAIN_MS, FALSE) != WSA_WAIT_EVENT_0) {
        RS_FATAL("CancelIoEx", WSAGetLastError(), "a cancelled request does not complete");
    }
}

static void overlapped_stop(overlapped_server *server) {
    while (server->count > 1) {
        const DWORD last = server->count - 1;
        overlapped_cancel(server, server->connection[last]->socket, server->event[last]);
        overlapped_drop(server, last);
    }
    overlapped_cancel(server, server->ladder.listener, server->event[OVERLAPPED_ACCEPT]);
    ladder_close(server->accepting, &server->ladder.counts);
    (void)WSACloseEvent(server->event[OVERLAPPED_ACCEPT]); /* ours */
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_overlapped_event",
        .name = "overlapped_event",
        .connections_max = WSA_MAXIMUM_WAIT_EVENTS - 1u,
        .limit = "WSAWaitForMultipleEvents takes 64 events, and one is AcceptEx's",
    };
    static overlapped_server server;
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    overlapped_open(&server);
    while (!ladder_is_over(&server.ladder)) {
        overlapped_turn(&server);
    }
    overlapped_stop(&server);
    return ladder_finish(&server.ladder);
}
