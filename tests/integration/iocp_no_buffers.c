/* SPDX-License-Identifier: MIT */
/* iocp_server's driver with one call in between: the WSASend that NO_BUFFERS_AT counts to fails
 * with WSAENOBUFS, which no program can bring about at will. Linked in place of the product's
 * object. */
#include "win/win.h"

#include <stdlib.h>

static volatile LONG no_buffers_sends; /* until that one; 0: the environment was not read yet */

static int no_buffers_send(SOCKET socket, WSABUF *buffers, DWORD count, DWORD *bytes, DWORD flags,
                           OVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    if (no_buffers_sends == 0) {
        char text[16];
        const DWORD length = GetEnvironmentVariableA("NO_BUFFERS_AT", text, sizeof text);
        no_buffers_sends = length > 0 && length < sizeof text ? atol(text) : -1;
    }
    if (InterlockedDecrement(&no_buffers_sends) == 0) {
        no_buffers_sends = -1;
        WSASetLastError(WSAENOBUFS);
        return SOCKET_ERROR;
    }
    return WSASend(socket, buffers, count, bytes, flags, overlapped, routine);
}

#define WSASend(a, b, c, d, e, f, g) no_buffers_send(a, b, c, d, e, f, g)
#include "iocp/iocp_driver.c"
