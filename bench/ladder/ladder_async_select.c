/* SPDX-License-Identifier: MIT */
/* WSAAsyncSelect: socket events arrive as window messages.
 *
 * The model: for programs that have a message loop anyway. The window here is a message-only one,
 * which is never visible. A helper thread inside Winsock posts the messages. Where it ends: one
 * thread's queue takes 10,000 posted messages, later ones are lost (PostMessage, remarks). A
 * connection can have three waiting (FD_READ, FD_WRITE, FD_CLOSE), the listener one: 3,333
 * connections keep the queue safe. What the documentation asks: the call makes the socket
 * non-blocking; an accepted socket inherits the listener's window, message and events until it gets
 * its own; events come again by the rules at ladder_echo_on_events; messages may still wait for a
 * socket that is closed. Each connection has a message number of its own, which finds it without a
 * search, and the socket in wParam tells a late message for its predecessor; where even that is the
 * same, the calls tell what is true. */
#include "ladder/ladder_common.h"

#include "core/assert.h"

#include <stdlib.h>

#define ASYNC_CONNECTIONS_MAX 3333u
#define ASYNC_ACCEPT WM_APP /* the listener's message; connection i has the (i + 1)th */
#define ASYNC_WINDOW_CLASS L"ringside_ladder"

_Static_assert(ASYNC_ACCEPT + ASYNC_CONNECTIONS_MAX <= 0xBFFF, "WM_APP messages end there");
_Static_assert(ASYNC_CONNECTIONS_MAX * 3u + 1u <= 10000u, "no posted message is lost");

typedef struct async_server {
    ladder ladder;
    HWND window;
    uint32_t live;
    uint32_t free[ASYNC_CONNECTIONS_MAX];     /* places not in use: [0 .. MAX - live) */
    ladder_echo *echo[ASYNC_CONNECTIONS_MAX]; /* NULL: not in use */
} async_server;

static void async_drop(async_server *server, uint32_t i) {
    ladder_close(server->echo[i]->socket, &server->ladder.counts);
    free(server->echo[i]);
    server->echo[i] = NULL;
    server->live--;
    server->free[ASYNC_CONNECTIONS_MAX - 1u - server->live] = i;
}

static void async_serve(async_server *server, uint32_t i, SOCKET socket, long event) {
    ladder_echo *echo = server->echo[i];
    if (echo == NULL || echo->socket != socket) {
        return; /* posted before its connection was closed */
    }
    if (ladder_echo_on_events(echo, event, &server->ladder.counts) == LADDER_ENDED) {
        async_drop(server, i);
    }
}

static void async_add(async_server *server, SOCKET accepted) {
    RS_ASSERT(server->live < ASYNC_CONNECTIONS_MAX);
    const uint32_t i = server->free[ASYNC_CONNECTIONS_MAX - 1u - server->live];
    ladder_echo *echo = ladder_echo_new(accepted);
    server->ladder.counts.call[LADDER_ASYNC_SELECT]++;
    if (echo == NULL || WSAAsyncSelect(accepted, server->window, ASYNC_ACCEPT + 1u + i,
                                       FD_READ | FD_WRITE | FD_CLOSE) != 0) {
        server->ladder.counts.failed++;
        ladder_close(accepted, &server->ladder.counts);
        free(echo);
        return;
    }
    RS_ASSERT(server->echo[i] == NULL);
    server->echo[i] = echo;
    server->live++;
    /* Wine 8 posts no FD_CLOSE for a connection that was reset before it was asked for. */
    async_serve(server, i, accepted, FD_READ);
}

/* One accept for each FD_ACCEPT: see ladder_accept. */
static void async_take_in(async_server *server) {
    const SOCKET accepted = ladder_accept(&server->ladder, server->live);
    if (accepted != INVALID_SOCKET) {
        async_add(server, accepted);
    }
}

static LRESULT CALLBACK async_window(HWND window, UINT message, WPARAM wparam, LPARAM lparam) {
    async_server *server = (async_server *)GetWindowLongPtrW(window, GWLP_USERDATA);
    if (server == NULL || message < ASYNC_ACCEPT ||
        message > ASYNC_ACCEPT + ASYNC_CONNECTIONS_MAX) {
        return DefWindowProcW(window, message, wparam, lparam);
    }
    if (message == ASYNC_ACCEPT) {
        async_take_in(server);
    } else {
        async_serve(server, message - ASYNC_ACCEPT - 1u, (SOCKET)wparam, WSAGETSELECTEVENT(lparam));
    }
    return 0;
}

/* Peeking creates the queue before anything is posted to it. */
static HWND async_open_window(void) {
    const WNDCLASSW class_of = {
        .lpfnWndProc = async_window,
        .hInstance = GetModuleHandleW(NULL),
        .lpszClassName = ASYNC_WINDOW_CLASS,
    };
    MSG message;
    HWND window = NULL;
    if (RegisterClassW(&class_of) != 0) {
        window = CreateWindowExW(0, ASYNC_WINDOW_CLASS, L"", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL,
                                 class_of.hInstance, NULL);
    }
    if (window == NULL) {
        RS_FATAL("CreateWindowEx", GetLastError(), "cannot create the message window");
    }
    (void)PeekMessageW(&message, NULL, WM_USER, WM_USER, PM_NOREMOVE); /* there is none */
    return window;
}

static void async_listen(async_server *server) {
    (void)SetWindowLongPtrW(server->window, GWLP_USERDATA, (LONG_PTR)server);
    server->ladder.counts.call[LADDER_ASYNC_SELECT]++;
    if (WSAAsyncSelect(server->ladder.listener, server->window, ASYNC_ACCEPT, FD_ACCEPT) != 0) {
        RS_FATAL("WSAAsyncSelect", WSAGetLastError(), "cannot wait for the listener");
    }
}

static void async_run(async_server *server) {
    MSG message;
    /* An idle loop sees the stop at the next timer message, a busy one after each message: timer
     * messages come only when no other ones wait. */
    if (SetTimer(server->window, 1, LADDER_TICK_MS, NULL) == 0) {
        RS_FATAL("SetTimer", GetLastError(), "cannot set the stop timer");
    }
    while (!ladder_is_over(&server->ladder)) {
        server->ladder.counts.call[LADDER_GET_MESSAGE]++;
        if (GetMessageW(&message, NULL, 0, 0) <= 0) {
            RS_FATAL("GetMessage", GetLastError(), "cannot wait for messages");
        }
        (void)DispatchMessageW(&message); /* async_window's answer means nothing */
    }
}

int main(int argc, char **argv) {
    static const ladder_model model = {
        .program = "ladder_async_select",
        .name = "async_select",
        .connections_max = ASYNC_CONNECTIONS_MAX,
        .limit = "a message queue holds 10000 messages, and a connection may have three queued",
    };
    static async_server server;
    int exit_code = 1;
    server.window = async_open_window(); /* before clients are invited: it may take seconds */
    if (!ladder_start(&server.ladder, &model, argc, argv, &exit_code)) {
        return exit_code;
    }
    for (uint32_t i = 0; i < ASYNC_CONNECTIONS_MAX; i++) {
        server.free[i] = i;
    }
    async_listen(&server);
    async_run(&server);
    for (uint32_t i = 0; i < ASYNC_CONNECTIONS_MAX; i++) {
        if (server.echo[i] != NULL) {
            async_drop(&server, i);
        }
    }
    exit_code = ladder_finish(&server.ladder);
    (void)DestroyWindow(server.window); /* ours */
    return exit_code;
}
