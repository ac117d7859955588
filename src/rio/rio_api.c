/* SPDX-License-Identifier: MIT */
/* Finds the RIO functions. */
#include "rio/rio_api.h"

#include <stddef.h>
#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "win/win_env.h"
#include "win/win_socket.h"

#define RS_RIO_PATH_MAX 1024u

typedef BOOL(WINAPI *api_table_fn)(RIO_EXTENSION_FUNCTION_TABLE *out);
typedef const char *(WINAPI *api_name_fn)(void);

#define X(function) +1
enum { API_FUNCTIONS = 0 RS_RIO_FUNCTION_TABLE(X) };
#undef X
_Static_assert(API_FUNCTIONS == 13, "RIO has 13 functions");

/* The name of the first missing function of a table; NULL = it is complete. */
static const char *api_missing(const RIO_EXTENSION_FUNCTION_TABLE *table) {
#define X(function)                                                                                \
    if (table->function == NULL) {                                                                 \
        return #function;                                                                          \
    }
    RS_RIO_FUNCTION_TABLE(X)
#undef X
    return NULL;
}

static int PASCAL FAR api_plain_closesocket(SOCKET socket) {
    return closesocket(socket);
}

static rs_status api_from_system(rs_rio_api *out, uint32_t *os_error, rs_error *error) {
    SOCKET socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                               WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO);
    if (socket == INVALID_SOCKET) {
        *os_error = (uint32_t)WSAGetLastError();
        if (*os_error == WSAEINVAL || *os_error == WSAEOPNOTSUPP) {
            return RS_E_RIO_UNAVAILABLE; /* a Windows older than the flag */
        }
        return rs_error_set(error, RS_E_OS, "WSASocket", *os_error,
                            "cannot create a registered I/O socket (error %u)", *os_error);
    }
    *os_error = (uint32_t)ringside_rio_load(socket, &out->fn);
    out->entry = rs_win_socket_provider(socket).entry;
    (void)closesocket(socket); /* a probe; nothing was sent on it */
    if (*os_error != 0) {
        return RS_E_RIO_UNAVAILABLE;
    }
    out->close_socket = api_plain_closesocket;
    out->provider = "windows";
    return RS_OK;
}

/* ---- a provider's DLL */

/* GetProcAddress returns one function type for all. The unions stand for casts, which compilers
 * rightly object to between function types. */
static void api_optional_exports(rs_rio_api *out) {
    union {
        FARPROC raw;
        rs_rio_closesocket call;
    } closer = {.raw = GetProcAddress(out->module, "ringside_rio_closesocket")};
    union {
        FARPROC raw;
        rs_rio_wait_fn call;
    } waiter = {.raw = GetProcAddress(out->module, "ringside_rio_wait")};
    union {
        FARPROC raw;
        rs_rio_wake_fn call;
    } waker = {.raw = GetProcAddress(out->module, "ringside_rio_wake")};

    out->close_socket = closer.raw != NULL ? closer.call : api_plain_closesocket;
    if (waiter.raw != NULL && waker.raw != NULL &&
        GetEnvironmentVariableA(RS_RIO_NO_WAIT_VARIABLE, NULL, 0) == 0) {
        out->wait = waiter.call;
        out->wake = waker.call;
    }
}

static rs_status api_from_module(rs_rio_api *out, const char *path, rs_error *error) {
    union {
        FARPROC raw;
        api_table_fn call;
    } table = {.raw = GetProcAddress(out->module, "ringside_rio_table")};
    union {
        FARPROC raw;
        api_name_fn call;
    } name = {.raw = GetProcAddress(out->module, "ringside_rio_provider_name")};

    if (table.raw == NULL || name.raw == NULL) {
        return rs_error_set(error, RS_E_RIO_UNAVAILABLE, "GetProcAddress", GetLastError(),
                            "%s is not a RIO provider: it does not export ringside_rio_table",
                            path);
    }
    memset(&out->fn, 0, sizeof out->fn);
    out->fn.cbSize = sizeof out->fn;
    if (!table.call(&out->fn)) {
        return rs_error_set(error, RS_E_RIO_UNAVAILABLE, "ringside_rio_table", GetLastError(),
                            "the RIO provider %s cannot work here (error %u)", path,
                            (unsigned)GetLastError());
    }
    api_optional_exports(out);
    out->provider = name.call();
    return RS_OK;
}

static rs_status api_from_provider(rs_rio_api *out, const char *path, rs_error *error) {
    rs_status status;
    out->module = LoadLibraryA(path);
    if (out->module == NULL) {
        uint32_t os_error = GetLastError();

        return rs_error_set(error, RS_E_RIO_UNAVAILABLE, "LoadLibrary", os_error,
                            "cannot load the RIO provider %s (error %u): check the path%s", path,
                            os_error,
                            rs_os_is_wine() ? ", and that WINEDLLPATH is its folder" : "");
    }
    status = api_from_module(out, path, error);
    if (status == RS_OK && api_missing(&out->fn) != NULL) {
        status = rs_error_set(error, RS_E_RIO_UNAVAILABLE, "ringside_rio_table", 0,
                              "the RIO provider %s lacks %s", path, api_missing(&out->fn));
    }
    return status;
}

bool rs_rio_api_serves(const rs_rio_api *api, SOCKET socket) {
    RIO_EXTENSION_FUNCTION_TABLE table;
    /* From the first function on: there may be padding before it. */
    return api->module != NULL ||
           (ringside_rio_load(socket, &table) == 0 &&
            memcmp(&table.RIOReceive, &api->fn.RIOReceive,
                   sizeof table - offsetof(RIO_EXTENSION_FUNCTION_TABLE, RIOReceive)) == 0);
}

const char *rs_rio_memory_advice(const rs_rio_api *api) {
    return api->module != NULL ? "raise the limit of locked memory (ulimit -l)"
                               : "free physical memory, or raise the working set limit of the "
                                 "job that the process is in";
}

/* The advice holds for any program with this back end, whatever its options. */
static rs_status api_unavailable(uint32_t os_error, rs_error *error) {
    RS_ASSERT(error != NULL);
    return rs_error_set(
        error, RS_E_RIO_UNAVAILABLE, "WSAIoctl", os_error,
        rs_os_is_wine()
            ? "Wine has no Registered I/O (error %u): start this program with riorun, or set "
              "WINEDLLPATH to the folder of ringside_rio.dll, and " RS_RIO_PROVIDER_VARIABLE
              " to that DLL"
            : "Registered I/O is not available here (error %u): it needs Windows 8 or Server 2012",
        os_error);
}

rs_status rs_rio_api_load(rs_rio_api *out, const char *provider_path, rs_error *error) {
    char variable[RS_RIO_PATH_MAX];
    uint32_t os_error = 0;
    rs_status status;
    *out = (rs_rio_api){.provider = "none"};
    status = api_from_system(out, &os_error, error);
    if (status == RS_OK && api_missing(&out->fn) != NULL) {
        return rs_error_set(error, RS_E_RIO_UNAVAILABLE, "WSAIoctl", 0,
                            "the system's RIO table lacks %s", api_missing(&out->fn));
    }
    if (status != RS_E_RIO_UNAVAILABLE) {
        return status;
    }
    if (provider_path == NULL &&
        rs_win_env(L"" RS_RIO_PROVIDER_VARIABLE, variable, (DWORD)sizeof variable) > 0) {
        provider_path = variable;
    }
    if (provider_path != NULL) {
        return api_from_provider(out, provider_path, error);
    }
    return api_unavailable(os_error, error);
}
