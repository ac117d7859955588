/* SPDX-License-Identifier: MIT */
/* Patterns seen in RIO programs that others wrote: how they make sockets, when they post, and what
 * they close under what. Loopback; a case passes by what its page says, or reports what it saw. */
#include "contract.h"

typedef struct later {
    SOCKET s;
    DWORD after_ms;
} later;

static DWORD WINAPI send_later(void *argument) {
    const later *what = argument;
    Sleep(what->after_ms);
    return (DWORD)send(what->s, "late", 4, 0);
}

/* Nearly all samples pass WSA_FLAG_REGISTERED_IO alone. [LPFN_RIORECEIVE] a receive is queued: the
 * call returns before anything arrives, and so does a second one in the other direction. */
static void test_flag_alone_does_not_block_its_caller(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_socket_with(AF_INET, SOCK_STREAM, WSA_FLAG_REGISTERED_IO), server;
    RIO_CQ cq = rc_cq(4);
    later what = {.after_ms = 10 * RC_QUIET_MS};
    RIORESULT results[2];
    ULONGLONG started;
    HANDLE thread;
    RIO_RQ rq;
    (void)state;
    rc_listen(listener, &address);
    what.s = rc_dial(&address);
    server = rc_own(accept(listener, NULL, NULL));
    rq = rc_rq(server, 1, 1, cq, 0);
    thread = CreateThread(NULL, 0, send_later, &what, 0, NULL);
    started = GetTickCount64();
    rc_recv(rq, 0, 16, 0, 1);
    rc_send(rq, 16, 4, 0, 2);
    assert_true(GetTickCount64() - started < 5 * RC_QUIET_MS);
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    assert_int_equal(results[0].RequestContext, 2);
    assert_int_equal(results[1].BytesTransferred, 4);
    WaitForSingleObject(thread, RC_WAIT_MS);
    CloseHandle(thread);
}

/* [closesocket] the same socket with both directions in progress: each request completes once. */
static void test_flag_alone_closes_with_requests_under_way(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_socket_with(AF_INET, SOCK_STREAM, WSA_FLAG_REGISTERED_IO);
    RIO_CQ cq = rc_cq(4);
    RIORESULT results[2];
    (void)state;
    rc_listen(listener, &address);
    for (int i = 0; i < 20; i++) {
        SOCKET client = rc_dial(&address), server = rc_own(accept(listener, NULL, NULL));
        RIO_RQ rq = rc_rq(server, 2, 2, cq, 0);

        rc_recv(rq, 0, 16, 0, 1);
        rc_recv(rq, 16, 16, 0, 2);
        if (i % 2) {
            Sleep(1);
        }
        rc_close(server);
        assert_int_equal(rc_dequeue(cq, results, 2), 2);
        assert_int_equal(results[0].RequestContext, 1);
        assert_int_not_equal(results[0].Status, 0);
        assert_int_equal(results[1].RequestContext, 2);
        rc_close(client);
    }
    rc_none(cq);
}

/* The same for datagrams: LenHolgate's receivers make them so. */
static void test_flag_alone_serves_datagrams(void **state) {
    SOCKADDR_INET address, theirs;
    SOCKET s = rc_socket_with(AF_INET, SOCK_DGRAM, WSA_FLAG_REGISTERED_IO);
    SOCKET peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(4);
    int bytes = sizeof address.Ipv4;
    RIO_RQ rq;
    (void)state;
    memset(&address, 0, sizeof address);
    address.Ipv4.sin_family = AF_INET;
    address.Ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(s, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&address, &bytes), 0);
    rq = rc_rq(s, 2, 1, cq, 0);
    for (ULONG i = 0; i < 4; i++) {
        rc_recv(rq, 0, 64, 0, i);
        assert_int_equal(sendto(peer, "gram", 4, 0, (struct sockaddr *)&address, bytes), 4);
        assert_int_equal(rc_one(cq).RequestContext, i);
    }
}

/* [WSAAccept] the new socket has the properties of the listener, WSA_FLAG_REGISTERED_IO included.
 */
static void test_wsa_accept_yields_a_registered_socket(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address), client = rc_dial(&address);
    SOCKET server = rc_own(WSAAccept(listener, NULL, NULL, NULL, 0));
    RIO_CQ cq = rc_cq(4);
    (void)state;
    rc_recv(rc_rq(server, 1, 1, cq, 0), 0, 16, 0, 0);
    rc_peer_send(client, "hello");
    assert_int_equal(rc_one(cq).BytesTransferred, 5);
}

/* ---- before there is a connection */

static SOCKET registered(int family, int type) {
    return rc_socket_with(family, type, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
}

/* What a receive on a socket without a connection does, and what becomes of it: refused, or one
 * completion. After that the socket must be as good as new. */
static void early_receive(RIO_RQ rq, RIO_CQ cq, const char *what) {
    RIO_BUF slice = rc_slice(1024, 16);
    BOOL taken = rc.rio.RIOReceive(rq, &slice, 1, 0, (PVOID)(uintptr_t)99);
    int error = taken ? 0 : WSAGetLastError();
    RIORESULT result = {0};
    ULONG n = 0;
    for (int i = 0; taken && i < 20 && n == 0; i++) {
        n = rc.rio.RIODequeueCompletion(cq, &result, 1);
        Sleep(n == 0 ? 5 : 0);
    }
    rc_open_question("receive before %s: %s, error %d; %lu completions, status %ld", what,
                     taken ? "taken" : "refused", error, n, result.Status);
    assert_true(n == 0 || result.RequestContext == 99);
}

/* The socket works: bytes go both ways. A receive that was posted early and is still outstanding
 * may take them. */
static void works(RIO_RQ rq, RIO_CQ cq, SOCKET peer) {
    RIORESULT results[2];
    char got[4];
    rc_recv(rq, 0, 16, 0, 1);
    rc_peer_send(peer, "four");
    assert_int_equal(rc_dequeue(cq, results, 1), 1);
    assert_int_equal(results[0].Status, 0);
    assert_int_equal(results[0].BytesTransferred, 4);
    memcpy(rc.memory + 32, "back", 4);
    rc_send(rq, 32, 4, 0, 2);
    assert_int_equal(rc_peer_recv(peer, got, 4), 4);
    assert_memory_equal(got, "back", 4);
    assert_int_equal(rc_dequeue(cq, results, 1), 1);
    assert_int_equal(results[0].Status, 0);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] the queue may be made before connect; requests come after. */
static void test_queue_made_before_connect_works(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address), s = registered(AF_INET, SOCK_STREAM);
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 2, 2, cq, 0);
    (void)state;
    assert_int_equal(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    works(rq, cq, rc_own(accept(listener, NULL, NULL)));
}

/* Silent: a request before connect. The socket's fate after it is not. */
static void test_request_before_connect(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address), s = registered(AF_INET, SOCK_STREAM);
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 2, 2, cq, 0);
    (void)state;
    early_receive(rq, cq, "connect");
    assert_int_equal(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    works(rq, cq, rc_own(accept(listener, NULL, NULL)));
}

static void extension(SOCKET s, GUID id, void *out, DWORD size) {
    DWORD bytes = 0;
    assert_int_equal(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, out, size,
                              &bytes, NULL, NULL),
                     0);
}

/* Silent: a request before ConnectEx has completed. */
static void test_request_before_connect_ex_completes(void **state) {
    SOCKADDR_IN address, any = {.sin_family = AF_INET};
    SOCKET listener = rc_listener(&address), s = registered(AF_INET, SOCK_STREAM);
    OVERLAPPED overlapped = {.hEvent = rc_event(TRUE)};
    LPFN_CONNECTEX connect_ex = NULL;
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 2, 2, cq, 0);
    (void)state;
    extension(s, (GUID)WSAID_CONNECTEX, &connect_ex, sizeof connect_ex);
    assert_int_equal(bind(s, (struct sockaddr *)&any, sizeof any), 0);
    early_receive(rq, cq, "ConnectEx");
    (void)connect_ex(s, (struct sockaddr *)&address, sizeof address, NULL, 0, NULL, &overlapped);
    assert_int_equal(WaitForSingleObject(overlapped.hEvent, RC_WAIT_MS), WAIT_OBJECT_0);
    assert_int_equal(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0);
    works(rq, cq, rc_own(accept(listener, NULL, NULL)));
}

/* Silent: a request before AcceptEx has completed, which puts another connection behind the
 * handle. */
static void test_request_before_accept_ex_completes(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address), s = registered(AF_INET, SOCK_STREAM), client;
    OVERLAPPED overlapped = {.hEvent = rc_event(TRUE)};
    LPFN_ACCEPTEX accept_ex = NULL;
    char addresses[128];
    DWORD bytes = 0;
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 2, 2, cq, 0);
    (void)state;
    extension(listener, (GUID)WSAID_ACCEPTEX, &accept_ex, sizeof accept_ex);
    (void)accept_ex(listener, s, addresses, 0, 64, 64, &bytes, &overlapped);
    early_receive(rq, cq, "AcceptEx");
    client = rc_dial(&address);
    assert_int_equal(WaitForSingleObject(overlapped.hEvent, RC_WAIT_MS), WAIT_OBJECT_0);
    assert_int_equal(setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
                                sizeof listener),
                     0);
    works(rq, cq, client);
}

/* ---- resizing */

/* [LPFN_RIORESIZEREQUESTQUEUE, LPFN_RIORESIZECOMPLETIONQUEUE] both grow and shrink while requests
 * run, and none is lost. */
static void test_queues_are_resized_under_running_requests(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 2, 2, cq, 0);
    ULONG posted = 0, got = 0;
    RIORESULT results[32];
    (void)state;
    rc_recv(rq, 0, 1, 0, posted++);
    for (ULONG recvs = 3; recvs <= 24; recvs++) {
        assert_true(rc.rio.RIOResizeCompletionQueue(cq, recvs + 2));
        assert_true(rc.rio.RIOResizeRequestQueue(rq, recvs, 2));
        rc_recv(rq, posted, 1, 0, posted);
        posted++;
        if (recvs % 3 == 0) {
            rc_peer_send(pair.client, "x");
            assert_int_equal(rc_one(cq).RequestContext, got++);
        }
    }
    rc_refused(rc.rio.RIOResizeRequestQueue(rq, posted - got - 1, 2), WSAETOOMANYREFS);
    assert_true(rc.rio.RIOResizeRequestQueue(rq, posted - got, 2));
    assert_true(rc.rio.RIOResizeCompletionQueue(cq, posted - got + 2));
    for (ULONG left = posted - got; left > 0; left--) {
        rc_peer_send(pair.client, "y");
    }
    assert_int_equal(rc_dequeue(cq, results, posted - got), posted - got);
    for (ULONG i = 0; i < posted - got; i++) {
        assert_int_equal(results[i].RequestContext, got + i);
    }
}

/* ---- closing */

/* [closesocket] deregistering and unmapping right after it, with receives, a send that nobody reads
 * and, at times, bytes on the way: each request completes once, and nothing breaks. */
static void test_memory_goes_right_after_its_socket(void **state) {
    RIO_CQ cq = rc_cq(4);
    (void)state;
    for (ULONG i = 0; i < 30; i++) {
        const ULONG bytes = 1u << 20, requests = 1 + i % 2;
        char *memory = VirtualAlloc(NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
        RIO_BUF in = {rc.rio.RIORegisterBuffer(memory, bytes), 0, 64}, out = in;
        rc_pair pair = rc_connect();
        RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
        RIORESULT results[2];

        out.Offset = 64;
        out.Length = bytes - 64;
        assert_true(rc.rio.RIOReceive(rq, &in, 1, 0, NULL));
        if (requests == 2) {
            assert_true(rc.rio.RIOSend(rq, &out, 1, 0, NULL));
        }
        if (i % 5 == 0) {
            rc_peer_send(pair.client, "on the way");
        }
        rc_close(pair.server);
        rc.rio.RIODeregisterBuffer(in.BufferId);
        VirtualFree(memory, 0, MEM_RELEASE);
        assert_int_equal(rc_dequeue(cq, results, requests), requests);
        rc_close(pair.client);
    }
    rc_none(cq);
}

/* Silent: what a closed socket's charge is worth while its completions wait. At the latest when
 * they have been dequeued the queue is free. */
static void test_charge_of_a_closed_socket_returns(void **state) {
    rc_pair one = rc_connect(), two = rc_connect(), three = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(one.server, 6, 2, cq, 0), next;
    RIORESULT results[2];
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    rc_recv(rq, 16, 16, 0, 0);
    rc_close(one.server);
    next = rc.rio.RIOCreateRequestQueue(two.server, 4, 1, 2, 1, cq, cq, NULL);
    rc_open_question("the unused 6 of 8 after closesocket, 2 completions not dequeued: %s",
                     next == RIO_INVALID_RQ ? "still charged" : "free");
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    if (next != RIO_INVALID_RQ) {
        (void)rc_rq(three.server, 1, 1, cq, 0);
    } else {
        ULONGLONG end = GetTickCount64() + RC_WAIT_MS;
        do {
            next = rc.rio.RIOCreateRequestQueue(two.server, 4, 1, 2, 1, cq, cq, NULL);
        } while (next == RIO_INVALID_RQ && GetTickCount64() < end);
        assert_true(next != RIO_INVALID_RQ);
    }
}

/* ---- memory */

/* [LPFN_RIOREGISTERBUFFER] ctsTraffic registers one piece of memory once for each request: each
 * registration has an id of its own and lives by itself. */
static void test_same_memory_registered_thousands_of_times(void **state) {
    enum { COUNT = 20000 };
    static RIO_BUFFERID ids[COUNT];
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = {NULL, 8, 4};
    char got[4];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        ids[i] = rc.rio.RIORegisterBuffer(rc.memory, 4096);
        assert_true(ids[i] != RIO_INVALID_BUFFERID);
        assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    for (int i = 0; i < COUNT; i += 2) {
        rc.rio.RIODeregisterBuffer(ids[i]);
    }
    memcpy(rc.memory + 8, "mine", 4);
    for (int i = 1; i < COUNT; i += COUNT / 10) {
        slice.BufferId = ids[i];
        assert_true(rc.rio.RIOSend(rq, &slice, 1, 0, NULL));
        assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
        assert_memory_equal(got, "mine", 4);
        assert_int_equal(rc_one(cq).Status, 0);
    }
    slice.BufferId = ids[0];
    rc_refused(rc.rio.RIOSend(rq, &slice, 1, 0, NULL), WSAEFAULT);
    for (int i = 1; i < COUNT; i += 2) {
        rc.rio.RIODeregisterBuffer(ids[i]);
    }
}

/* A section mapped twice: what is received through one view is read in the other, and sent from
 * there (rings without a seam are made so). */
static void test_section_with_two_views(void **state) {
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 65536, NULL);
    char *one = section != NULL ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 65536) : NULL;
    char *two = section != NULL ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 65536) : NULL;
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF in = {NULL, 100, 16}, out = {NULL, 100, 4};
    char got[4];
    (void)state;
    assert_true(one != NULL && two != NULL && one != two);
    in.BufferId = rc.rio.RIORegisterBuffer(one, 65536);
    out.BufferId = rc.rio.RIORegisterBuffer(two, 65536);
    assert_true(in.BufferId != RIO_INVALID_BUFFERID && out.BufferId != RIO_INVALID_BUFFERID);
    assert_true(rc.rio.RIOReceive(rq, &in, 1, 0, NULL));
    rc_peer_send(pair.client, "view");
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
    assert_memory_equal(two + 100, "view", 4);
    assert_true(rc.rio.RIOSend(rq, &out, 1, 0, NULL));
    assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
    assert_memory_equal(got, "view", 4);
    (void)rc_one(cq);
    rc.rio.RIODeregisterBuffer(in.BufferId);
    rc.rio.RIODeregisterBuffer(out.BufferId);
    UnmapViewOfFile(one);
    UnmapViewOfFile(two);
    CloseHandle(section);
}

/* ---- sizes */

/* [LPFN_RIOCREATECOMPLETIONQUEUE] one entry is enough for one direction. */
static void test_queues_of_size_one(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ recv_cq = rc_cq(1), send_cq = rc_cq(1);
    RIO_RQ rq = rc.rio.RIOCreateRequestQueue(pair.server, 1, 1, 1, 1, recv_cq, send_cq, NULL);
    RIO_BUF slice = rc_slice(64, 16);
    char got[4];
    (void)state;
    assert_true(rq != RIO_INVALID_RQ);
    for (int i = 0; i < 20; i++) {
        rc_recv(rq, 0, 16, 0, 1);
        rc_refused(rc.rio.RIOReceive(rq, &slice, 1, 0, NULL), WSAENOBUFS);
        rc_send(rq, 32, 4, 0, 2);
        assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
        rc_peer_send(pair.client, "one");
        assert_int_equal(rc_one(recv_cq).BytesTransferred, 3);
        assert_int_equal(rc_one(send_cq).BytesTransferred, 4);
    }
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] up to RIO_MAX_CQ_SIZE: the size LenHolgate's programs use. */
static void test_queues_of_163840(void **state) {
    enum { LARGE = 163840 };
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(LARGE);
    RIO_RQ rq = rc_rq(pair.server, LARGE - 1, 1, cq, 0);

    (void)state;
    for (ULONG i = 0; i < LARGE - 1; i++) {
        rc_recv(rq, i % 1024, 1, i + 1 < LARGE - 1 ? RIO_MSG_DEFER : 0, i);
    }
    rc_peer_send(pair.client, "abc");
    for (ULONG i = 0; i < 3; i++) {
        assert_int_equal(rc_one(cq).RequestContext, i);
    }
    rc_close(pair.server);
    for (ULONG i = 3; i < LARGE - 1;) {
        static RIORESULT results[4096];
        ULONG n = rc_dequeue(cq, results, LARGE - 1 - i < 4096 ? LARGE - 1 - i : 4096);
        assert_true(n > 0);
        for (ULONG k = 0; k < n; k++, i++) {
            assert_int_equal(results[k].RequestContext, i);
        }
    }
    rc_none(cq);
}

const struct CMUnitTest rc_stranger_cases[] = {
    RC_CASE(test_flag_alone_does_not_block_its_caller),
    RC_CASE(test_flag_alone_closes_with_requests_under_way),
    RC_CASE(test_flag_alone_serves_datagrams),
    RC_CASE(test_wsa_accept_yields_a_registered_socket),
    RC_CASE(test_queue_made_before_connect_works),
    RC_CASE(test_request_before_connect),
    RC_CASE(test_request_before_connect_ex_completes),
    RC_CASE(test_request_before_accept_ex_completes),
    RC_CASE(test_queues_are_resized_under_running_requests),
    RC_CASE(test_memory_goes_right_after_its_socket),
    RC_CASE(test_charge_of_a_closed_socket_returns),
    RC_CASE(test_same_memory_registered_thousands_of_times),
    RC_CASE(test_section_with_two_views),
    RC_CASE(test_queues_of_size_one),
    RC_CASE(test_queues_of_163840),
};
const size_t rc_stranger_cases_count = sizeof rc_stranger_cases / sizeof rc_stranger_cases[0];
