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

/* [closesocket] the same socket with both directions under way: each request completes once. */
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

const struct CMUnitTest rc_stranger_cases[] = {
    RC_CASE(test_flag_alone_does_not_block_its_caller),
    RC_CASE(test_flag_alone_closes_with_requests_under_way),
    RC_CASE(test_flag_alone_serves_datagrams),
    RC_CASE(test_wsa_accept_yields_a_registered_socket),
};
const size_t rc_stranger_cases_count = sizeof rc_stranger_cases / sizeof rc_stranger_cases[0];
