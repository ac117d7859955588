/* SPDX-License-Identifier: MIT */
/* See note_net.h: what Windows alone has. */
#include "notes/note_state.h"

#include "core/assert.h"

static HANDLE net_keep_handle(note *self, HANDLE handle, const char *call) {
    if (handle == NULL) {
        note_failed(self, call);
        return NULL;
    }
    RS_ASSERT(self->handles < NOTE_HANDLES_MAX);
    self->handle[self->handles++] = handle;
    return handle;
}

HANDLE note_event(note *self) {
    return net_keep_handle(self, CreateEventW(NULL, TRUE, FALSE, NULL), "CreateEvent");
}

HANDLE note_port(note *self, DWORD concurrency) {
    return net_keep_handle(self, CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, concurrency),
                           "CreateIoCompletionPort");
}

bool note_attach(note *self, HANDLE port, note_socket socket, ULONG_PTR key) {
    if (port != NULL && CreateIoCompletionPort((HANDLE)socket, port, key, 0) == port) {
        return true;
    }
    note_failed(self, "CreateIoCompletionPort");
    return false;
}

bool note_extension(note *self, note_socket socket, GUID guid, void *out, size_t bytes) {
    DWORD moved = 0;
    if (WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, (DWORD)sizeof guid, out,
                 (DWORD)bytes, &moved, NULL, NULL) == 0) {
        return true;
    }
    note_failed(self, "WSAIoctl SIO_GET_EXTENSION_FUNCTION_POINTER");
    return false;
}

bool note_skip_on_success(note *self, note_socket socket) {
    if (SetFileCompletionNotificationModes((HANDLE)socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)) {
        return true;
    }
    note_failed(self, "SetFileCompletionNotificationModes");
    return false;
}

int note_post_send(note_socket socket, void *bytes, size_t count, OVERLAPPED *overlapped,
                   DWORD *moved) {
    WSABUF buffer = {.len = (ULONG)count, .buf = bytes};
    return WSASend(socket, &buffer, 1, moved, 0, overlapped, NULL) == 0 ? 0 : WSAGetLastError();
}

int note_post_recv(note_socket socket, void *bytes, size_t count, OVERLAPPED *overlapped,
                   DWORD *moved) {
    WSABUF buffer = {.len = (ULONG)count, .buf = bytes};
    DWORD flags = 0;
    return WSARecv(socket, &buffer, 1, moved, &flags, overlapped, NULL) == 0 ? 0
                                                                             : WSAGetLastError();
}

int note_await(note_socket socket, OVERLAPPED *overlapped, uint32_t ms, DWORD *moved) {
    DWORD flags = 0;
    const DWORD waited = WaitForSingleObject(overlapped->hEvent, ms);
    if (waited != WAIT_OBJECT_0) {
        return WAIT_TIMEOUT;
    }
    return WSAGetOverlappedResult(socket, overlapped, moved, FALSE, &flags) ? 0 : WSAGetLastError();
}

bool note_accept_post(note *self, LPFN_ACCEPTEX accept_ex, note_socket listener,
                      note_accepting *accepting, DWORD recv_bytes) {
    const HANDLE event = accepting->overlapped.hEvent;
    DWORD bytes = 0;
    accepting->overlapped = (OVERLAPPED){.hEvent = event};
    accepting->socket = note_tcp(self);
    if (accepting->socket == NOTE_NO_SOCKET) {
        return false;
    }
    if (!accept_ex(listener, accepting->socket, accepting->buffer, recv_bytes, 64, 64, &bytes,
                   &accepting->overlapped) &&
        WSAGetLastError() != ERROR_IO_PENDING) {
        note_failed(self, "AcceptEx");
        return false;
    }
    return true;
}

OVERLAPPED *note_take(HANDLE port, uint32_t ms, DWORD *bytes, ULONG_PTR *key) {
    OVERLAPPED *taken = NULL;
    (void)GetQueuedCompletionStatus(port, bytes, key, &taken, ms); /* taken tells */
    return taken;
}
