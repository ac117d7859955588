/* SPDX-License-Identifier: MIT */
/* The RIO functions, wherever they come from, in a struct that is passed around.
 *
 * They are no exports: Winsock hands them out through WSAIoctl on a socket of the kind they are for
 * (RIO_EXTENSION_FUNCTION_TABLE, remarks). Where the system has none, a provider DLL may export
 * them:
 *
 *   BOOL ringside_rio_table(RIO_EXTENSION_FUNCTION_TABLE *out)    required
 *   const char *ringside_rio_provider_name(void)                  required: "wine-io_uring", ...
 *   int ringside_rio_closesocket(SOCKET)     optional: the provider must see a socket's end
 *   ringside_rio_wait, ringside_rio_wake     optional, a pair: sleep without RIONotify
 *
 * Loaded by one thread at start-up; read-only afterwards. A DLL stays loaded to the end: it may own
 * threads that outlive the last queue. */
#ifndef RS_RIO_RIO_API_H
#define RS_RIO_RIO_API_H

#include <stdbool.h>

#include "rio/rio_abi.h"

#include "core/status.h"

/* X(function): the table's members in the order of the ABI. */
#define RS_RIO_FUNCTION_TABLE(X)                                                                   \
    X(RIOReceive)                                                                                  \
    X(RIOReceiveEx)                                                                                \
    X(RIOSend)                                                                                     \
    X(RIOSendEx)                                                                                   \
    X(RIOCloseCompletionQueue)                                                                     \
    X(RIOCreateCompletionQueue)                                                                    \
    X(RIOCreateRequestQueue)                                                                       \
    X(RIODequeueCompletion)                                                                        \
    X(RIODeregisterBuffer)                                                                         \
    X(RIONotify)                                                                                   \
    X(RIORegisterBuffer)                                                                           \
    X(RIOResizeCompletionQueue)                                                                    \
    X(RIOResizeRequestQueue)

#define RS_RIO_PROVIDER_VARIABLE "RINGSIDE_RIO_PROVIDER"

/* If set, a provider's own wait is not used, and waiting works as on Windows: RIONotify and the
 * port. */
#define RS_RIO_NO_WAIT_VARIABLE "RINGSIDE_RIO_NO_WAIT"

typedef int(PASCAL FAR *rs_rio_closesocket)(SOCKET socket);

/* Sleeps until the queue has a completion, the port a packet, or wake is called. TRUE: check both;
 * FALSE: GetLastError is WAIT_TIMEOUT, or ERROR_NOT_SUPPORTED if it turns out not to work. From the
 * first call on it is the only reader of the port. */
typedef BOOL(WINAPI *rs_rio_wait_fn)(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries,
                                     ULONG capacity, ULONG *taken, DWORD timeout_ms);
typedef void(WINAPI *rs_rio_wake_fn)(RIO_CQ cq);

typedef struct rs_rio_api {
    RIO_EXTENSION_FUNCTION_TABLE fn;
    rs_rio_closesocket close_socket; /* for every socket that has a request queue */
    rs_rio_wait_fn wait;             /* NULL: RIONotify and the port */
    rs_rio_wake_fn wake;
    const char *provider; /* "windows", "wine-io_uring", "emulated"; static string */
    HMODULE module;       /* the provider's DLL; NULL = the system itself */
    uint32_t entry;       /* of the system's table: the catalog entry of the socket used */
} rs_rio_api;

/* rs_rio_api_load: tries the system first, on its own socket, then the provider. Winsock must be
 * started.
 *
 * Params   provider_path: a DLL, or NULL for the one that the environment variable names, if any.
 * Returns  RS_OK; RS_E_RIO_UNAVAILABLE: neither has RIO, *error names the remedy; RS_E_OS.
 * Source   WSAIoctl, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER; Wine takes the socket flag and
 *          fails the ioctl, so the ioctl is the probe. */
rs_status rs_rio_api_load(rs_rio_api *out, const char *provider_path, rs_error *error);

/* rs_rio_api_serves: may the functions be called on this socket, made with WSA_FLAG_REGISTERED_IO?
 * The table of the system is asked of it once more and must be the same; a provider's serves all.
 */
bool rs_rio_api_serves(const rs_rio_api *api, SOCKET socket);

/* rs_rio_memory_advice: what to do when RIORegisterBuffer runs out of memory. It locks the pages:
 * Windows limits that by physical memory and a job's working set, Linux (under a provider) by its
 * own limit. Static string. */
const char *rs_rio_memory_advice(const rs_rio_api *api);

#endif
