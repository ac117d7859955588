/* SPDX-License-Identifier: MIT */
/* What ringside_rio.dll exports: contracts in ringside_rio.h. */
#include "ringside_rio.h"

#include <stdio.h>
#include <stdlib.h>

#include "hook.h"
#include "sockets.h"
#include "table.h"
#include "uring.h"
#include "verify.h"
#include "wait.h"

#define EXPORT __declspec(dllexport)

EXPORT BOOL WINAPI ringside_rio_table(RIO_EXTENSION_FUNCTION_TABLE *table);
EXPORT const char *WINAPI ringside_rio_provider_name(void);
EXPORT int WINAPI ringside_rio_closesocket(SOCKET s);
EXPORT int WINAPI ringside_rio_shutdown(SOCKET s, int how);
EXPORT BOOL WINAPI ringside_rio_wait(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries,
                                     ULONG capacity, ULONG *taken, DWORD timeout_ms);
EXPORT void WINAPI ringside_rio_wake(RIO_CQ cq);
EXPORT void WINAPI ringside_rio_counters(ringside_rio_counts *out);
EXPORT BOOL WINAPI ringside_rio_hook(HMODULE module);
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved);

BOOL WINAPI ringside_rio_table(RIO_EXTENSION_FUNCTION_TABLE *table) {
    return table != NULL && rs_table_fill(table);
}

const char *WINAPI ringside_rio_provider_name(void) {
    const rs_engine *engine = rs_provider_state()->engine;
    return engine != NULL ? engine->name : "none";
}

int WINAPI ringside_rio_closesocket(SOCKET s) {
    return rs_provider_close(s);
}

int WINAPI ringside_rio_shutdown(SOCKET s, int how) {
    return rs_provider_shutdown(s, how);
}

BOOL WINAPI ringside_rio_wait(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                              ULONG *taken, DWORD timeout_ms) {
    rs_cq *queue = rs_table_cq(cq);
    if (taken != NULL) {
        *taken = 0;
    }
    if (rs_provider_state()->engine != &rs_engine_uring) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return FALSE;
    }
    if (queue == NULL) {
        SetLastError(WSAEINVAL);
        return FALSE;
    }
    return rs_wait(queue, port, entries, capacity, taken, timeout_ms);
}

void WINAPI ringside_rio_wake(RIO_CQ cq) {
    rs_cq *queue = rs_table_cq(cq);
    if (queue != NULL && rs_provider_state()->engine == &rs_engine_uring) {
        rs_wait_wake(queue);
    }
}

void WINAPI ringside_rio_counters(ringside_rio_counts *out) {
    rs_provider *provider = rs_provider_state();
    AcquireSRWLockShared(&provider->lock);
    out->enters = out->standing = out->patient = out->patience = 0;
    out->completion_queues = provider->cqs.live;
    out->request_queues = provider->rqs.live;
    out->buffers = provider->buffers.live;
    for (uint32_t i = 0; provider->engine == &rs_engine_uring && i < provider->cqs.used; i++) {
        const rs_cq *cq = rs_handle_at(&provider->cqs, i);
        if (cq != NULL) {
            const rs_uring_cq *uring = cq->engine;
            out->enters += uring->ring.enters;
            out->standing += uring->standing_lanes;
            out->patient += uring->ring.patient;
            out->patience += rs_ring_has_patience(&uring->ring);
        }
    }
    ReleaseSRWLockShared(&provider->lock);
}

BOOL WINAPI ringside_rio_hook(HMODULE module) {
    return rs_hook_module(module);
}

/* The number in the variable, 0 = it is not set. */
static HANDLE exports_handle(const char *variable) {
    char text[RS_HOOK_VALUE_CHARS] = "";
    DWORD length = GetEnvironmentVariableA(variable, text, sizeof text);
    return length < sizeof text ? (HANDLE)(uintptr_t)strtoull(text, NULL, 10) : NULL;
}

/* False: what riorun requested is impossible. */
static bool exports_lend(void) {
    HANDLE interrupt = exports_handle(RS_HOOK_VARIABLE);
    if (interrupt == NULL) {
        return true;
    }
    if (!rs_verify_open()) {
        return false;
    }
    if (!rs_hook_program()) {
        fprintf(stderr, "ringside_rio: cannot replace the exports of ws2_32: a program that "
                        "looks functions up at run time finds no RIO\n");
    }
    rs_hook_listen(interrupt);
    (void)SetEnvironmentVariableA(RS_HOOK_VARIABLE, NULL); /* not for what the program starts */
    return true;
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved) {
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        DisableThreadLibraryCalls(self);
        return exports_lend();
    }
    if (reason == DLL_PROCESS_DETACH) {
        rs_verify_finish();
    }
    return TRUE;
}
