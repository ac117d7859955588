/* SPDX-License-Identifier: MIT */
/* WSAEventSelect: an event object for each socket, and one wait for all of them.
 *
 * The model: the system records what happened to a socket and sets its event; the program waits,
 * asks for the record (WSAEnumNetworkEvents, which also resets the event) and calls recv or send.
 * Where it ends: one wait takes WSA_MAXIMUM_WAIT_EVENTS = 64 events, and one is the listener's: 63
 * connections a thread. Larger servers start another thread for every 63 more; this one does not.
 * What the documentation asks: a record comes again only after the call that re-enables it, by the
 * rules at ladder_echo_on_events; an accepted socket inherits the listener's event until it gets
 * its own; of several events that are set the wait names the first, so the later ones are asked for
 * in the same turn, or they would starve; the socket is closed before its event. */
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <stdlib.h>

#define EVENT_LISTENER 0u /* its place among the events */

typedef struct event_server {
    ladder ladder;
    DWORD count;                             /* of events in use: the listener's, then the rest */
    WSAEVENT event[WSA_MAXIMUM_WAIT_EVENTS]; /* as the wait wants them: side by side */
    ladder_echo *echo[WSA_MAXIMUM_WAIT_EVENTS]; /* same places; none at the listener's */
} event_server;

static bool event_watch(event_server *server, SOCKET socket, WSAEVENT event, long events) {
    server->ladder.counts.call[LADDER_EVENT_SELECT]++;
    return event != WSA_INVALID_EVENT && WSAEventSelect(socket, event, events) == 0;
}

static void event_add(event_server *server, SOCKET accepted) {
    ladder_echo *echo = ladder_echo_new(accepted);
    const WSAEVENT event = WSACreateEvent();
    RS_ASSERT(server->count < WSA_MAXIMUM_WAIT_EVENTS);
    if (echo == NULL || !event_watch(server, accepted, event, FD_READ | FD_WRITE | FD_CLOSE)) {
        server->ladder.counts.failed++;
        ladder_close(accepted, &server->ladder.counts);
        free(echo);
        if (event != WSA_INVALID_EVENT) {
            (void)WSACloseEvent(event); /* ours */
        }
        return;
    }
    server->event[server->count] = event;
    server->echo[server->count] = echo;
    server->count++;
}

/* The last connection moves to the slot of the closed one. */
static void event_drop(event_server *server, DWORD i) {
    RS_ASSERT(i > EVENT_LISTENER && i < server->count);
    ladder_close(server->echo[i]->socket, &server->ladder.counts);
    (void)WSACloseEvent(server->event[i]); /* ours */
    free(server->echo[i]);
    server->count--;
    server->event[i] = server->event[server->count];
    server->echo[i] = server->echo[server->count];
}

static long event_record(event_server *server, SOCKET socket, WSAEVENT event) {
    WSANETWORKEVENTS record;
    server->ladder.counts.call[LADDER_ENUM_EVENTS]++;
    if (WSAEnumNetworkEvents(socket, event, &record) != 0) {
        RS_FATAL("WSAEnumNetworkEvents", WSAGetLastError(), "cannot read a socket's events");
    }
    return record.lNetworkEvents; /* its error codes: the calls tell the same */
}

/* One accept for each FD_ACCEPT: see ladder_accept. */
static void event_take_in(event_server *server) {
    const WSAEVENT event = server->event[EVENT_LISTENER];
    if ((event_record(server, server->ladder.listener, event) & FD_ACCEPT) == 0) {
        return;
    }
    const SOCKET accepted = ladder_accept(&server->ladder, server->count - 1u);
    if (accepted != INVALID_SOCKET) {
        event_add(server, accepted);
    }
}

/* False: the connection ended, and its slot has another one or none. */
static bool event_serve(event_server *server, DWORD i) {
    ladder_echo *echo = server->echo[i];
    const long events = event_record(server, echo->socket, server->event[i]);
    if (ladder_echo_on_events(echo, events, &server->ladder.counts) == LADDER_ENDED) {
        event_drop(server, i);
        return false;
    }
    return true;
}

/* One turn: waits for the first event, then visits those behind it that are set too. */
static void event_turn(event_server *server) {
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
        if (first == EVENT_LISTENER) {
            event_take_in(server);
            first++;
        } else if (event_serve(server, first)) {
            first++;
        }
        timeout_ms = 0;
    }
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_event_select",
        .name = "event_select",
        .connections_max = WSA_MAXIMUM_WAIT_EVENTS - 1u,
        .limit = "WSAWaitForMultipleEvents takes 64 events, and one is the listener's",
    };
    static event_server server;
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    server.event[EVENT_LISTENER] = WSACreateEvent();
    server.count = 1;
    if (!event_watch(&server, server.ladder.listener, server.event[EVENT_LISTENER], FD_ACCEPT)) {
        RS_FATAL("WSAEventSelect", WSAGetLastError(), "cannot wait for the listener");
    }
    while (!ladder_is_over(&server.ladder)) {
        event_turn(&server);
    }
    while (server.count > 1) {
        event_drop(&server, server.count - 1);
    }
    exit_code = ladder_finish(&server.ladder);
    (void)WSACloseEvent(server.event[EVENT_LISTENER]); /* ours */
    return exit_code;
}
