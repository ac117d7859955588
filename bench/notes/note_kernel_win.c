/* SPDX-License-Identifier: MIT */
/* See note_kernel.h. */
#include "notes/note_kernel.h"

#include <math.h>
#include <string.h>

#include "core/assert.h"
#include "notes/note_state.h"

char *note_pages(note *self, size_t count) {
    char *pages = rs_os_pages_alloc(count * NOTE_PAGE, NULL);
    if (pages == NULL) {
        note_failed(self, "VirtualAlloc");
        return NULL;
    }
    memset(pages, 1, count * NOTE_PAGE);
    return pages;
}

double note_locked(const char *page, uint32_t count) {
    uint32_t locked = 0;
    for (uint32_t i = 0; i < count; i++) {
        PSAPI_WORKING_SET_EX_INFORMATION about;
        memset(&about, 0, sizeof about);
        about.VirtualAddress = (PVOID)(uintptr_t)(page + (size_t)i * NOTE_PAGE);
        if (!QueryWorkingSetEx(GetCurrentProcess(), &about, (DWORD)sizeof about)) {
            return NAN;
        }
        locked += about.VirtualAttributes.Locked != 0;
    }
    return locked;
}

double note_pool(void) {
    rs_os_usage usage;
    rs_os_usage_read(&usage);
    return (usage.known & RS_USE_NONPAGED) != 0 ? (double)usage.nonpaged_pool_bytes : NAN;
}

static bool rio_table(note_socket socket, RIO_EXTENSION_FUNCTION_TABLE *fn) {
    GUID guid = WSAID_MULTIPLE_RIO;
    DWORD bytes = 0;
    return WSAIoctl(socket, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &guid, (DWORD)sizeof guid,
                    fn, (DWORD)sizeof *fn, &bytes, NULL, NULL) == 0;
}

/* A socket that may have a request queue, closed with the others. */
static note_socket rio_socket(note *self) {
    const note_socket made = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                                        WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO);
    if (made != NOTE_NO_SOCKET) {
        RS_ASSERT(self->sockets < NOTE_SOCKETS_MAX);
        self->socket[self->sockets++] = made;
    }
    return made;
}

bool note_rio_open(note *self, note_rio *rio, ULONG depth, uint32_t pages) {
    struct sockaddr_in address;
    memset(rio, 0, sizeof *rio);
    rio->socket = rio_socket(self);
    if (rio->socket == NOTE_NO_SOCKET || !rio_table(rio->socket, &rio->fn)) {
        return false;
    }
    const note_socket listener = note_listen(self, 1, &address);
    if (listener == NOTE_NO_SOCKET || !note_connect(rio->socket, &address)) {
        return false;
    }
    rio->peer = note_accept(self, listener);
    rio->memory = note_pages(self, pages);
    if (rio->peer == NOTE_NO_SOCKET || rio->memory == NULL ||
        !note_set(rio->peer, IPPROTO_TCP, TCP_NODELAY, 1) ||
        !note_set(rio->socket, IPPROTO_TCP, TCP_NODELAY, 1)) {
        return false;
    }
    rio->queue = rio->fn.RIOCreateCompletionQueue(2 * depth, NULL);
    rio->id = rio->fn.RIORegisterBuffer(rio->memory, pages * NOTE_PAGE);
    if (rio->queue == RIO_INVALID_CQ || rio->id == RIO_INVALID_BUFFERID) {
        return false;
    }
    rio->requests = rio->fn.RIOCreateRequestQueue(rio->socket, depth, 1, depth, 1, rio->queue,
                                                  rio->queue, NULL);
    return rio->requests != RIO_INVALID_RQ;
}

void note_rio_close(note *self, note_rio *rio) {
    note_close(self, rio->socket); /* before its queue and its memory */
    rio->fn.RIOCloseCompletionQueue(rio->queue);
    rio->fn.RIODeregisterBuffer(rio->id);
}

int note_rio_send(note_rio *rio, ULONG offset, ULONG bytes) {
    RIO_BUF slice = {.BufferId = rio->id, .Offset = offset, .Length = bytes};
    return rio->fn.RIOSend(rio->requests, &slice, 1, 0, NULL) ? 0 : WSAGetLastError();
}

int note_rio_recv(note_rio *rio, ULONG offset, ULONG bytes) {
    RIO_BUF slice = {.BufferId = rio->id, .Offset = offset, .Length = bytes};
    return rio->fn.RIOReceive(rio->requests, &slice, 1, 0, NULL) ? 0 : WSAGetLastError();
}

bool note_rio_take(note_rio *rio, uint32_t ms, RIORESULT *out) {
    const uint64_t start_ns = rs_os_now_ns();
    do {
        const ULONG count = rio->fn.RIODequeueCompletion(rio->queue, out, 1);
        if (count > 0) {
            return count == 1; /* or RIO_CORRUPT_CQ */
        }
        (void)SwitchToThread();
    } while (note_us_since(start_ns) < ms * 1e3);
    return false;
}
