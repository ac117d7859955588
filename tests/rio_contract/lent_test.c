/* SPDX-License-Identifier: MIT */
/* What riorun lends reaches a program by whatever way it finds Winsock: GetProcAddress, by name and
 * by ordinal, and the imports of a DLL that is loaded late. Run below riorun; without it there is
 * no RIO and the program says so (exit 77). A pass is a table, sockets that take a request queue or
 * are refused one by their flag, and a peer that sees the end of a connection. */
#include "rio/rio_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_MS 5000u

/* One way to Winsock. */
static struct {
    SOCKET (*make)(DWORD flags);
    int (*ask)(SOCKET s, RIO_EXTENSION_FUNCTION_TABLE *out);
    int (*end)(SOCKET s);
} way;

static void find(const char *dll, const char *name, void *out) {
    FARPROC found = GetProcAddress(LoadLibraryA(dll), name);
    assert_non_null(found);
    memcpy(out, &found, sizeof found);
}

/* ---- by GetProcAddress */

static SOCKET looked_up_make(DWORD flags) {
    SOCKET(WSAAPI * make)(int, int, int, LPWSAPROTOCOL_INFOW, GROUP, DWORD);

    find("ws2_32.dll", "WSASocketW", &make);
    return make(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, flags);
}

static int looked_up_ask(SOCKET s, RIO_EXTENSION_FUNCTION_TABLE *out) {
    int(WSAAPI * ioctl)(SOCKET, DWORD, void *, DWORD, void *, DWORD, DWORD *, OVERLAPPED *,
                        LPWSAOVERLAPPED_COMPLETION_ROUTINE);
    GUID id = WSAID_MULTIPLE_RIO;
    DWORD bytes = 0;

    find("ws2_32.dll", "WSAIoctl", &ioctl);
    return ioctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, out, sizeof *out,
                 &bytes, NULL, NULL);
}

/* closesocket is ordinal 3 of ws2_32, and of wsock32, which forwards it. */
static int looked_up_end(SOCKET s) {
    int(WSAAPI * end)(SOCKET);

    find("wsock32.dll", (const char *)(uintptr_t)3, &end);
    return end(s);
}

static int by_lookup(void **state) {
    (void)state;
    way.make = looked_up_make;
    way.ask = looked_up_ask;
    way.end = looked_up_end;
    return 0;
}

static int by_late_dll(void **state) {
    (void)state;
    find("rio_late.dll", "late_socket", &way.make);
    find("rio_late.dll", "late_ask", &way.ask);
    find("rio_late.dll", "late_close", &way.end);
    return 0;
}

/* ---- cases, one for each way */

static RIO_EXTENSION_FUNCTION_TABLE table(SOCKET s) {
    RIO_EXTENSION_FUNCTION_TABLE rio;
    memset(&rio, 0, sizeof rio);
    assert_int_equal(way.ask(s, &rio), 0);
    assert_non_null(rio.RIOCreateRequestQueue);
    return rio;
}

static void test_flag_decides_about_a_request_queue(void **state) {
    SOCKET with = way.make(WSA_FLAG_REGISTERED_IO), without = way.make(WSA_FLAG_OVERLAPPED);
    RIO_EXTENSION_FUNCTION_TABLE rio = table(with);
    RIO_CQ cq = rio.RIOCreateCompletionQueue(4, NULL);
    (void)state;
    assert_true(rio.RIOCreateRequestQueue(with, 1, 1, 1, 1, cq, cq, NULL) != RIO_INVALID_RQ);
    assert_true(rio.RIOCreateRequestQueue(without, 1, 1, 1, 1, cq, cq, NULL) == RIO_INVALID_RQ);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    assert_int_equal(way.end(with), 0);
    assert_int_equal(way.end(without), 0);
    rio.RIOCloseCompletionQueue(cq);
}

/* What the end of a socket leaves in its queue comes by and by. */
static ULONG dequeue_one(const RIO_EXTENSION_FUNCTION_TABLE *rio, RIO_CQ cq, RIORESULT *result) {
    ULONG got = 0;
    for (DWORD waited_ms = 0; got == 0 && waited_ms < LIMIT_MS; waited_ms++) {
        got = rio->RIODequeueCompletion(cq, result, 1);
        if (got == 0) {
            Sleep(1);
        }
    }
    return got;
}

static void test_close_is_seen_by_the_peer(void **state) {
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), peer, s;
    static char memory[64];
    DWORD limit_ms = LIMIT_MS;
    SOCKADDR_IN address = {.sin_family = AF_INET};
    int bytes = sizeof address;
    RIO_EXTENSION_FUNCTION_TABLE rio;
    RIO_BUF slice = {NULL, 0, 16};
    RIORESULT result;
    RIO_CQ cq;
    RIO_RQ rq;
    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    s = way.make(WSA_FLAG_REGISTERED_IO);
    assert_int_equal(connect(s, (struct sockaddr *)&address, bytes), 0);
    peer = accept(listener, NULL, NULL);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, (const char *)&limit_ms, sizeof limit_ms);
    rio = table(s);
    cq = rio.RIOCreateCompletionQueue(4, NULL);
    rq = rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, cq, cq, NULL);
    slice.BufferId = rio.RIORegisterBuffer(memory, sizeof memory);
    assert_true(rio.RIOReceive(rq, &slice, 1, 0, NULL));
    assert_int_equal(way.end(s), 0);
    assert_int_equal(recv(peer, memory + 32, 1, 0), 0);
    assert_int_equal(dequeue_one(&rio, cq, &result), 1);
    rio.RIOCloseCompletionQueue(cq);
    rio.RIODeregisterBuffer(slice.BufferId);
    closesocket(peer);
    closesocket(listener);
}

static bool is_lent(void) {
    SOCKET s = looked_up_make(WSA_FLAG_REGISTERED_IO);
    RIO_EXTENSION_FUNCTION_TABLE rio;
    int result = looked_up_ask(s, &rio);
    closesocket(s);
    return result == 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_flag_decides_about_a_request_queue, by_lookup),
        cmocka_unit_test_setup(test_close_is_seen_by_the_peer, by_lookup),
        cmocka_unit_test_setup(test_flag_decides_about_a_request_queue, by_late_dll),
        cmocka_unit_test_setup(test_close_is_seen_by_the_peer, by_late_dll),
    };
    WSADATA data;
    (void)argc;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 1;
    }
    if (GetModuleHandleA("ringside_rio.dll") == NULL) {
        printf("skipped: %s is to be run below riorun\n", argv[0]);
        return 77;
    }
    if (!is_lent()) {
        printf("GetProcAddress finds no RIO below riorun\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
