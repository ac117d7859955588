/* SPDX-License-Identifier: MIT */
/* select: one thread asks which of its sockets can be read or written.
 *
 * The model: every turn names all sockets anew, the system strikes out those that are not ready,
 * and non-blocking calls serve the rest. Where it ends: an fd_set of Windows is an array of
 * sockets, not a bit map. It holds FD_SETSIZE, 64 unless the program defines more before it
 * includes winsock2.h, which is documented as allowed; 1024 here, one of them the listener. FD_SET
 * and FD_ISSET search that array, and the system walks it too, so a turn costs more with every
 * connection, busy or not. What the documentation asks: the sets are filled again for each call;
 * sockets are non-blocking, since one that was ready need not be by the time of the call; the first
 * argument is ignored. */
#define FD_SETSIZE 1024
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <stdlib.h>

#define SELECT_CONNECTIONS_MAX (FD_SETSIZE - 1u)

typedef struct select_server {
    ladder ladder;
    fd_set reads, writes;
    uint32_t live;
    ladder_echo *echo[SELECT_CONNECTIONS_MAX]; /* [live] */
} select_server;

static void select_take_in(select_server *server) {
    for (uint32_t i = 0; i < LADDER_ACCEPTS_PER_TURN; i++) {
        const SOCKET accepted = ladder_accept(&server->ladder, server->live);
        if (accepted == INVALID_SOCKET) {
            return;
        }
        /* Non-blocking already: inherited from the listener. */
        ladder_echo *echo = ladder_echo_new(accepted);
        if (echo == NULL) {
            server->ladder.counts.failed++;
            ladder_close(accepted, &server->ladder.counts);
            return;
        }
        server->echo[server->live++] = echo;
    }
}

/* The last connection moves to the slot of the closed one. */
static void select_drop(select_server *server, uint32_t i) {
    RS_ASSERT(i < server->live);
    ladder_close(server->echo[i]->socket, &server->ladder.counts);
    free(server->echo[i]);
    server->echo[i] = server->echo[--server->live];
}

/* A connection that owes bytes waits for room to send them, any other one for bytes. */
static void select_wait(select_server *server) {
    struct timeval tick = {.tv_usec = (long)LADDER_TICK_MS * 1000};
    FD_ZERO(&server->reads);
    FD_ZERO(&server->writes);
    FD_SET(server->ladder.listener, &server->reads);
    for (uint32_t i = 0; i < server->live; i++) {
        const ladder_echo *echo = server->echo[i];
        if (echo->begin < echo->end) {
            FD_SET(echo->socket, &server->writes);
        } else {
            FD_SET(echo->socket, &server->reads);
        }
    }
    server->ladder.counts.call[LADDER_SELECT]++;
    if (select(0, &server->reads, &server->writes, NULL, &tick) == SOCKET_ERROR) {
        RS_FATAL("select", WSAGetLastError(), "cannot wait for the sockets");
    }
}

static void select_serve(select_server *server) {
    for (uint32_t i = server->live; i-- > 0;) { /* backwards: a drop moves only what was served */
        ladder_echo *echo = server->echo[i];
        ladder_step step = LADDER_DONE;
        if (FD_ISSET(echo->socket, &server->writes)) {
            step = ladder_echo_flush(echo, &server->ladder.counts);
        } else if (FD_ISSET(echo->socket, &server->reads)) {
            step = ladder_echo_receive(echo, &server->ladder.counts);
        }
        if (step == LADDER_ENDED) {
            select_drop(server, i);
        }
    }
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_select",
        .name = "select",
        .connections_max = SELECT_CONNECTIONS_MAX,
        .limit = "an fd_set holds FD_SETSIZE sockets, 1024 here, and one is the listener",
    };
    static select_server server;
    int exit_code = 1;
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    while (!ladder_is_over(&server.ladder)) {
        select_wait(&server);
        select_serve(&server);
        if (FD_ISSET(server.ladder.listener, &server.reads)) {
            select_take_in(&server); /* last: who is new was in no set */
        }
    }
    while (server.live > 0) {
        select_drop(&server, server.live - 1);
    }
    return ladder_finish(&server.ladder);
}
