/* SPDX-License-Identifier: MIT */
/* Fixture and main of the RIO contract suite. See contract.h.
 *
 *   rio_contract [--provider windows|PATH] [--json FILE]
 * Without a provider: the system's own table by WSAIoctl, else the DLL that RINGSIDE_RIO_PROVIDER
 * names. Exit 77, with the reason, when there is neither. FILE gets the outcome of each case and
 * what each open question saw. --child CASE is how the program runs one case in a child. */
#include "contract.h"

#include "record.h"
#include "seam/os.h"

#include <stdlib.h>

#define RC_THINGS_MAX 256
#define RC_EXIT_SKIPPED 77

rc_state rc;

static struct {
    SOCKET socket[RC_THINGS_MAX];
    RIO_CQ cq[RC_THINGS_MAX];
    HANDLE handle[RC_THINGS_MAX];
    int sockets, cqs, handles;
} owned;

/* ---- sockets ---- */

SOCKET rc_own(SOCKET s) {
    assert_true(s != INVALID_SOCKET);
    assert_true(owned.sockets < RC_THINGS_MAX);
    owned.socket[owned.sockets++] = s;
    return s;
}

SOCKET rc_socket_with(int family, int type, DWORD flags) {
    return rc_own(WSASocketW(family, type, 0, NULL, 0, flags));
}

static SOCKET rc_socket(int family, int type) {
    return rc_socket_with(family, type, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
}

void rc_close(SOCKET s) {
    for (int i = 0; i < owned.sockets; i++) {
        if (owned.socket[i] == s) {
            owned.socket[i] = owned.socket[--owned.sockets];
            assert_int_equal(rc.closesocket(s), 0);
            return;
        }
    }
    fail_msg("rc_close: not a socket of this case");
}

void rc_listen(SOCKET listener, SOCKADDR_IN *address) {
    int bytes = sizeof *address;
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)address, bytes), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &bytes), 0);
}

SOCKET rc_listener(SOCKADDR_IN *address) {
    SOCKET listener = rc_socket(AF_INET, SOCK_STREAM);
    rc_listen(listener, address);
    return listener;
}

SOCKET rc_dial(const SOCKADDR_IN *address) {
    SOCKET client = rc_own(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    DWORD limit_ms = RC_WAIT_MS;
    assert_int_equal(connect(client, (const struct sockaddr *)address, sizeof *address), 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (const char *)&limit_ms, sizeof limit_ms);
    return client;
}

rc_pair rc_connect(void) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address);
    rc_pair pair;
    pair.client = rc_dial(&address);
    pair.server = rc_own(accept(listener, NULL, NULL));
    rc_close(listener);
    return pair;
}

SOCKET rc_udp(int family, SOCKADDR_INET *address) {
    SOCKET s = rc_socket(family, SOCK_DGRAM);
    DWORD limit_ms = RC_WAIT_MS;
    int bytes = family == AF_INET ? (int)sizeof address->Ipv4 : (int)sizeof address->Ipv6;
    memset(address, 0, sizeof *address);
    address->si_family = (ADDRESS_FAMILY)family;
    if (family == AF_INET) {
        address->Ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        address->Ipv6.sin6_addr.s6_addr[15] = 1;
    }
    if (bind(s, (struct sockaddr *)address, bytes) != 0) {
        return INVALID_SOCKET; /* no such family on this machine */
    }
    assert_int_equal(getsockname(s, (struct sockaddr *)address, &bytes), 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&limit_ms, sizeof limit_ms);
    return s;
}

void rc_peer_send(SOCKET s, const char *text) {
    assert_int_equal(send(s, text, (int)strlen(text), 0), (int)strlen(text));
}

int rc_peer_recv(SOCKET s, char *out, int length) {
    int got = 0;
    while (got < length) {
        int n = recv(s, out + got, length - got, 0);
        if (n <= 0) {
            break;
        }
        got += n;
    }
    return got;
}

bool rc_peer_quiet(SOCKET s) {
    struct timeval limit = {0, RC_QUIET_MS * 1000};
    fd_set set;
    set.fd_count = 1;
    set.fd_array[0] = s;
    return select(0, &set, NULL, NULL, &limit) == 0;
}

/* ---- queues ---- */

static RIO_CQ rc_own_cq(RIO_CQ cq) {
    assert_true(cq != RIO_INVALID_CQ);
    owned.cq[owned.cqs++] = cq;
    return cq;
}

RIO_CQ rc_cq(DWORD size) {
    return rc_own_cq(rc.rio.RIOCreateCompletionQueue(size, NULL));
}

RIO_CQ rc_cq_event(DWORD size, HANDLE event, BOOL reset) {
    RIO_NOTIFICATION_COMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = RIO_EVENT_COMPLETION;
    how.Event.EventHandle = event;
    how.Event.NotifyReset = reset;
    return rc_own_cq(rc.rio.RIOCreateCompletionQueue(size, &how));
}

RIO_CQ rc_cq_port(DWORD size, HANDLE port, void *key, OVERLAPPED *overlapped) {
    RIO_NOTIFICATION_COMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = port;
    how.Iocp.CompletionKey = key;
    how.Iocp.Overlapped = overlapped;
    return rc_own_cq(rc.rio.RIOCreateCompletionQueue(size, &how));
}

void rc_close_cq(RIO_CQ cq) {
    for (int i = 0; i < owned.cqs; i++) {
        if (owned.cq[i] == cq) {
            owned.cq[i] = owned.cq[--owned.cqs];
            rc.rio.RIOCloseCompletionQueue(cq);
            return;
        }
    }
    fail_msg("rc_close_cq: not a queue of this case");
}

RIO_RQ rc_rq(SOCKET s, ULONG recvs, ULONG sends, RIO_CQ cq, uintptr_t context) {
    RIO_RQ rq = rc.rio.RIOCreateRequestQueue(s, recvs, 1, sends, 1, cq, cq, (PVOID)context);
    assert_true(rq != RIO_INVALID_RQ);
    return rq;
}

static HANDLE rc_own_handle(HANDLE handle) {
    assert_non_null(handle);
    owned.handle[owned.handles++] = handle;
    return handle;
}

HANDLE rc_event(BOOL manual) {
    return rc_own_handle(CreateEventW(NULL, manual, FALSE, NULL));
}

HANDLE rc_port(void) {
    return rc_own_handle(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1));
}

/* ---- requests ---- */

RIO_BUF rc_slice(ULONG offset, ULONG length) {
    RIO_BUF slice = {rc.id, offset, length};
    return slice;
}

void rc_recv(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, uintptr_t context) {
    RIO_BUF slice = rc_slice(offset, length);
    assert_true(rc.rio.RIOReceive(rq, &slice, 1, flags, (PVOID)context));
}

void rc_send(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, uintptr_t context) {
    RIO_BUF slice = rc_slice(offset, length);
    assert_true(rc.rio.RIOSend(rq, &slice, 1, flags, (PVOID)context));
}

ULONG rc_dequeue(RIO_CQ cq, RIORESULT *results, ULONG want) {
    ULONGLONG end = GetTickCount64() + RC_WAIT_MS;
    ULONG count = 0;
    while (count < want && GetTickCount64() < end) {
        ULONG n = rc.rio.RIODequeueCompletion(cq, results + count, want - count);
        assert_true(n != RIO_CORRUPT_CQ);
        count += n;
        if (n == 0) {
            Sleep(1);
        }
    }
    return count;
}

RIORESULT rc_one(RIO_CQ cq) {
    RIORESULT result;
    assert_int_equal(rc_dequeue(cq, &result, 1), 1);
    return result;
}

void rc_none(RIO_CQ cq) {
    ULONGLONG end = GetTickCount64() + RC_QUIET_MS;
    RIORESULT result;
    while (GetTickCount64() < end) {
        assert_int_equal(rc.rio.RIODequeueCompletion(cq, &result, 1), 0);
        Sleep(1);
    }
}

bool rc_is_ours(void) {
    return rs_os_is_wine();
}

void rc_open_question(const char *format, ...) {
    char text[256];
    va_list args;
    rc.open_questions++;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("[   OPEN   ] %s\n", text);
    rc_record_answer(text);
}

/* ---- per case ---- */

int rc_setup(void **state) {
    (void)state;
    memset(rc.memory, 0, RC_MEMORY_BYTES);
    rc.id = rc.rio.RIORegisterBuffer(rc.memory, RC_MEMORY_BYTES);
    return rc.id == RIO_INVALID_BUFFERID ? -1 : 0;
}

int rc_teardown(void **state) {
    (void)state;
    while (owned.sockets > 0) {
        (void)rc.closesocket(owned.socket[--owned.sockets]); /* the case may have ruined it */
    }
    while (owned.cqs > 0) {
        rc.rio.RIOCloseCompletionQueue(owned.cq[--owned.cqs]);
    }
    while (owned.handles > 0) {
        CloseHandle(owned.handle[--owned.handles]);
    }
    rc.rio.RIODeregisterBuffer(rc.id);
    return 0;
}

/* ---- providers ---- */

static bool rc_load_system(void) {
    GUID id = WSAID_MULTIPLE_RIO;
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                          WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    DWORD bytes = 0;
    int result = WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rc.rio,
                          sizeof rc.rio, &bytes, NULL, NULL);
    closesocket(s);
    rc.closesocket = closesocket;
    rc.provider = "windows";
    return result == 0;
}

static void rc_symbol(HMODULE module, const char *name, void *out) {
    FARPROC found = GetProcAddress(module, name);
    memcpy(out, &found, sizeof found);
}

static bool rc_load_dll(const char *path) {
    HMODULE module = LoadLibraryA(path);
    BOOL(WINAPI * table)(RIO_EXTENSION_FUNCTION_TABLE * out) = NULL;
    const char *(WINAPI * name)(void) = NULL;

    if (module == NULL) {
        fprintf(stderr, "rio_contract: cannot load %s: error %lu\n", path, GetLastError());
        return false;
    }
    rc_symbol(module, "ringside_rio_table", &table);
    rc_symbol(module, "ringside_rio_provider_name", &name);
    rc_symbol(module, "ringside_rio_closesocket", &rc.closesocket);
    if (table == NULL || name == NULL || rc.closesocket == NULL || !table(&rc.rio)) {
        fprintf(stderr, "rio_contract: %s serves no RIO table\n", path);
        return false;
    }
    rc.provider = name();
    (void)SetEnvironmentVariableA(RC_CHILD_PROVIDER, path);
    return true;
}

typedef struct rc_args {
    const char *provider, *json, *child; /* NULL: not given */
} rc_args;

static bool rc_read_args(rc_args *args, int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char **value = strcmp(argv[i], "--provider") == 0 ? &args->provider
                             : strcmp(argv[i], "--json") == 0   ? &args->json
                             : strcmp(argv[i], "--child") == 0  ? &args->child
                                                                : NULL;

        if (value == NULL) {
            return false;
        }
        *value = argv[i + 1];
    }
    return argc % 2 == 1;
}

/* 0 = loaded, else the exit code. */
static int rc_load(const char *provider) {
    const char *path = getenv("RINGSIDE_RIO_PROVIDER");
    if (provider != NULL && strcmp(provider, "windows") != 0) {
        return rc_load_dll(provider) ? 0 : 1;
    }
    if (rc_load_system()) {
        (void)SetEnvironmentVariableA(RC_CHILD_PROVIDER, "windows");
        return 0;
    }
    if (provider != NULL || path == NULL) {
        printf("skipped: RIO is not available here; name a provider with --provider PATH or "
               "RINGSIDE_RIO_PROVIDER\n");
        return RC_EXIT_SKIPPED;
    }
    return rc_load_dll(path) ? 0 : 1;
}

static int rc_run_all(const rc_args *args) {
    static const struct {
        const struct CMUnitTest *cases;
        const size_t *count;
    } groups[] = {
        {rc_setup_cases, &rc_setup_cases_count},
        {rc_request_cases, &rc_request_cases_count},
        {rc_notify_cases, &rc_notify_cases_count},
        {rc_life_cases, &rc_life_cases_count},
        {rc_datagram_cases, &rc_datagram_cases_count},
        {rc_stranger_cases, &rc_stranger_cases_count},
        {rc_burst_cases, &rc_burst_cases_count},
        {rc_threads_cases, &rc_threads_cases_count},
    };
    static struct CMUnitTest all[RC_CASES_MAX];
    size_t count = 0;
    int failed;

    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        memcpy(all + count, groups[g].cases, *groups[g].count * sizeof all[0]);
        count += *groups[g].count;
    }
    rc_record_wrap(all, count, args->child != NULL);
    if (args->child != NULL) {
        cmocka_set_test_filter(args->child);
    }
    failed = _cmocka_run_group_tests("rio_contract", all, count, NULL, NULL);
    printf("rio_contract: provider %s, %u cases, %d failed, %u open questions reported\n",
           rc.provider, (unsigned)count, failed, rc.open_questions);
    if (args->json != NULL && !rc_record_write(args->json, failed)) {
        return 1;
    }
    return failed != 0 || count == 0;
}

int main(int argc, char **argv) {
    rc_args args = {NULL, NULL, NULL};
    WSADATA data;
    int code;
    if (!rc_read_args(&args, argc, argv)) {
        fprintf(stderr, "usage: rio_contract [--provider windows|PATH] [--json FILE]\n");
        return 2;
    }
    if (args.child != NULL) {
        args.provider = getenv(RC_CHILD_PROVIDER);
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 1;
    }
    code = rc_load(args.provider);
    if (code != 0) {
        return code;
    }
    rc.memory = VirtualAlloc(NULL, RC_MEMORY_BYTES, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    return rc.memory != NULL ? rc_run_all(&args) : 1;
}
