/* SPDX-License-Identifier: MIT */
/* A program with many datagram receives posted that gets no turn: prints its port, waits for a line
 * on standard input, then says how many receives have been filled. For posted_case.sh. */
#include "rio/rio_abi.h"

#include <stdio.h>
#include <stdlib.h>

#define POSTED 2000u
#define SLICE 1024u
#define QUIET_MS 500u /* so long nothing more has come: that was all */

static RIO_EXTENSION_FUNCTION_TABLE rio;
static RIORESULT results[POSTED];

static void need(const char *what, int ok) {
    if (!ok) {
        printf("%s: error %d\n", what, WSAGetLastError());
        exit(1);
    }
}

static SOCKET bound_socket(void) {
    GUID id = WSAID_MULTIPLE_RIO;
    struct sockaddr_in name = {.sin_family = AF_INET};
    int name_bytes = (int)sizeof name;
    DWORD bytes = 0;
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
                          WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need("WSASocketW", s != INVALID_SOCKET);
    need("WSAIoctl", WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio,
                              sizeof rio, &bytes, NULL, NULL) == 0);
    need("bind", bind(s, (struct sockaddr *)&name, name_bytes) == 0);
    need("getsockname", getsockname(s, (struct sockaddr *)&name, &name_bytes) == 0);
    printf("port %u\n", ntohs(name.sin_port));
    return s;
}

static void post_all(SOCKET s, RIO_CQ cq) {
    char *memory = VirtualAlloc(NULL, POSTED * SLICE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    RIO_BUF slice = {.Length = SLICE};
    RIO_RQ rq = rio.RIOCreateRequestQueue(s, POSTED, 1, 1, 1, cq, cq, NULL);
    need("memory", memory != NULL);
    need("RIOCreateRequestQueue", rq != RIO_INVALID_RQ);
    slice.BufferId = rio.RIORegisterBuffer(memory, POSTED * SLICE);
    need("RIORegisterBuffer", slice.BufferId != RIO_INVALID_BUFFERID);
    for (ULONG i = 0; i < POSTED; i++) {
        slice.Offset = i * SLICE;
        need("RIOReceive", rio.RIOReceive(rq, &slice, 1, 0, NULL));
    }
}

int main(void) {
    WSADATA data;
    RIO_CQ cq;
    SOCKET s;
    ULONG count = 0, more;
    ULONGLONG last;
    setvbuf(stdout, NULL, _IONBF, 0);
    need("WSAStartup", WSAStartup(MAKEWORD(2, 2), &data) == 0);
    s = bound_socket();
    cq = rio.RIOCreateCompletionQueue(POSTED + 1, NULL);
    need("RIOCreateCompletionQueue", cq != RIO_INVALID_CQ);
    post_all(s, cq);
    printf("posted\n");
    (void)getchar();
    for (last = GetTickCount64(); GetTickCount64() - last < QUIET_MS;) {
        more = rio.RIODequeueCompletion(cq, results, POSTED);
        need("RIODequeueCompletion", more != RIO_CORRUPT_CQ);
        count += more;
        last = more > 0 ? GetTickCount64() : last;
        Sleep(1);
    }
    printf("filled %lu\n", count);
    return 0; /* the end of the process takes the rest */
}
