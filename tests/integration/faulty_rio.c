/* SPDX-License-Identifier: MIT */
/* A RIO provider that loses completions: the one that RINGSIDE_RIO_PROVIDER names, with as many
 * failed results kept back for ever as FAULTY_RIO_SWALLOW says; or one that has no buffers for the
 * send that NO_BUFFERS_AT counts to (WSAENOBUFS). Without the provider's own wait, so that
 * RIONotify and the port are what is slept on, as on Windows. For the tests of a server. */
#include "rio/rio_abi.h"
#include "win/win_env.h"

#include <stdlib.h>

__declspec(dllexport) BOOL WINAPI ringside_rio_table(RIO_EXTENSION_FUNCTION_TABLE *out);
__declspec(dllexport) const char *WINAPI ringside_rio_provider_name(void);
__declspec(dllexport) int PASCAL ringside_rio_closesocket(SOCKET socket);

static struct {
    RIO_EXTENSION_FUNCTION_TABLE rio;
    int(PASCAL FAR *close_socket)(SOCKET socket);
    volatile LONG left;  /* results still to be lost */
    volatile LONG sends; /* until the one without buffers */
} inner;

/* GetProcAddress returns one function type for all. */
#define FAULTY_LOOK_UP(module, name, to)                                                           \
    do {                                                                                           \
        union {                                                                                    \
            FARPROC raw;                                                                           \
            void *data;                                                                            \
        } found = {.raw = GetProcAddress((module), (name))};                                       \
        *(void **)(to) = found.data;                                                               \
    } while (0)

static ULONG PASCAL faulty_dequeue(RIO_CQ cq, PRIORESULT results, ULONG count) {
    ULONG got = inner.rio.RIODequeueCompletion(cq, results, count);
    ULONG kept = 0;
    for (ULONG i = 0; got != RIO_CORRUPT_CQ && i < got; i++) {
        if (results[i].Status != 0 && InterlockedDecrement(&inner.left) >= 0) {
            continue;
        }
        results[kept++] = results[i];
    }
    return got == RIO_CORRUPT_CQ ? got : kept;
}

static BOOL PASCAL FAR faulty_send(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                   PVOID context) {
    if (data != NULL && InterlockedDecrement(&inner.sends) == 0) {
        WSASetLastError(WSAENOBUFS);
        return FALSE;
    }
    return inner.rio.RIOSend(rq, data, count, flags, context);
}

/* A number of the environment; 0: there is none. */
static LONG faulty_number(const char *name) {
    char text[16];
    const DWORD length = GetEnvironmentVariableA(name, text, sizeof text);
    return length > 0 && length < sizeof text ? atol(text) : 0;
}

BOOL WINAPI ringside_rio_table(RIO_EXTENSION_FUNCTION_TABLE *out) {
    char path[1024];
    const DWORD length = rs_win_env(L"RINGSIDE_RIO_PROVIDER", path, sizeof path);
    BOOL(WINAPI * table)(RIO_EXTENSION_FUNCTION_TABLE *) = NULL;
    HMODULE module = length > 0 ? LoadLibraryA(path) : NULL;

    if (module == NULL) {
        return FALSE;
    }
    FAULTY_LOOK_UP(module, "ringside_rio_table", &table);
    FAULTY_LOOK_UP(module, "ringside_rio_closesocket", &inner.close_socket);
    inner.rio.cbSize = sizeof inner.rio;
    if (table == NULL || inner.close_socket == NULL || !table(&inner.rio)) {
        return FALSE;
    }
    inner.left = faulty_number("FAULTY_RIO_SWALLOW");
    inner.sends = faulty_number("NO_BUFFERS_AT");
    *out = inner.rio;
    out->RIODequeueCompletion = faulty_dequeue;
    out->RIOSend = faulty_send;
    return TRUE;
}

const char *WINAPI ringside_rio_provider_name(void) {
    return "faulty";
}

int PASCAL ringside_rio_closesocket(SOCKET socket) {
    return inner.close_socket(socket);
}
