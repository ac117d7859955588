/* SPDX-License-Identifier: MIT */
/* Lives and ends: close with requests outstanding, queues shared by many sockets, threads,
 * AcceptEx. Completions are counted: each accepted request has exactly one. */
#include "contract.h"

#include "win/win.h"

/* [closesocket; msquic relies on it] outstanding requests complete, with an error status. */
static void test_close_completes_an_outstanding_receive(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 77);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 16, 0, 5);
    rc_close(pair.server);
    result = rc_one(cq);
    assert_int_not_equal(result.Status, 0);
    assert_int_equal(result.SocketContext, 77);
    assert_int_equal(result.RequestContext, 5);
    rc_open_question("receive outstanding at closesocket: status %ld", result.Status);
}

/* [same] every outstanding request completes once, in order. */
static void test_close_completes_each_request_once(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    RIO_RQ rq = rc_rq(pair.server, 5, 1, cq, 0);
    RIORESULT results[5];
    (void)state;
    for (ULONG i = 0; i < 5; i++) {
        rc_recv(rq, i * 16, 16, 0, i);
    }
    rc_close(pair.server);
    assert_int_equal(rc_dequeue(cq, results, 5), 5);
    for (ULONG i = 0; i < 5; i++) {
        assert_int_equal(results[i].RequestContext, i);
        assert_int_not_equal(results[i].Status, 0);
    }
    rc_none(cq);
}

/* [LPFN_RIORECEIVE] TRUE means one completion will follow: a deferred one never committed too. */
static void test_close_completes_deferred_requests(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    RIO_RQ rq = rc_rq(pair.server, 2, 2, cq, 0);
    RIORESULT results[4];
    (void)state;
    rc_recv(rq, 0, 16, RIO_MSG_DEFER, 0);
    rc_recv(rq, 16, 16, RIO_MSG_DEFER, 0);
    rc_send(rq, 32, 16, RIO_MSG_DEFER, 0);
    rc_send(rq, 48, 16, RIO_MSG_DEFER, 0);
    rc_close(pair.server);
    assert_int_equal(rc_dequeue(cq, results, 4), 4);
}

/* [closesocket] the peer sees the end of the connection although requests were outstanding. */
static void test_close_with_a_receive_outstanding_ends_the_connection(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    char byte;
    int got;
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    rc_close(pair.server);
    WSASetLastError(0);
    got = recv(pair.client, &byte, 1, 0);
    assert_true(got == 0 || (got < 0 && WSAGetLastError() != WSAETIMEDOUT));
}

/* [closesocket] a large send in progress completes, one way or the other. */
static void test_close_completes_a_send_under_way(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 2, cq, 0);
    RIORESULT results[2];
    (void)state;
    rc_send(rq, 0, RC_MEMORY_BYTES, 0, 1);
    rc_send(rq, 0, RC_MEMORY_BYTES, 0, 2); /* nobody reads: surely not done */
    rc_close(pair.server);
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    assert_int_equal(results[0].RequestContext, 1);
    assert_int_not_equal(results[1].Status, 0);
    rc_open_question("send under way at closesocket: status %ld", results[0].Status);
}

/* Silent: is a send that was accepted just before closesocket delivered? */
static void test_send_just_before_close(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char got[4];
    RIORESULT result;
    int bytes;
    (void)state;
    rc_send(rq, 0, 4, 0, 0);
    rc_close(pair.server);
    bytes = rc_peer_recv(pair.client, got, 4);
    result = rc_one(cq);
    rc_open_question("send just before closesocket: %d of 4 bytes arrive, status %ld", bytes,
                     result.Status);
    assert_true(result.Status != 0 || bytes == 4); /* a success was delivered */
}

/* [riorqueue] the request queue dies with its socket. Silent: a request on it afterwards. */
static void test_request_after_close(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    RIO_BUF slice = rc_slice(0, 16);
    BOOL taken;
    (void)state;
    rc_send(rq, 0, 4, 0, 0);
    rc_close(pair.server);
    WSASetLastError(0);
    taken = rc.rio.RIOReceive(rq, &slice, 1, 0, NULL);
    rc_open_question("receive on a closed socket's queue: %s, error %d",
                     taken ? "taken" : "refused", WSAGetLastError());
    assert_true(!taken || !rc_is_ours());
}

/* Silent likewise: a commit, which a server makes for every queue it has touched. */
static void test_commit_after_close(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    BOOL taken;
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    rc_close(pair.server);
    WSASetLastError(0);
    taken = rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    rc_open_question("commit on a closed socket's queue: %s, error %d", taken ? "taken" : "refused",
                     WSAGetLastError());
}

/* [LPFN_RIOCLOSECOMPLETIONQUEUE] completions after that are discarded; others are not disturbed. */
static void test_closing_a_cq_with_requests_outstanding_disturbs_nobody(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ doomed = rc_cq(4), other = rc_cq(4);
    RIO_RQ rq = rc_rq(one.server, 1, 1, doomed, 0);
    RIO_RQ lives = rc_rq(two.server, 1, 1, other, 0);
    RIORESULT results[1];
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    rc_recv(lives, 64, 16, 0, 9);
    rc_close_cq(doomed);
    rc_peer_send(one.client, "x");
    rc_peer_send(two.client, "y");
    assert_int_equal(rc_dequeue(other, results, 1), 1);
    assert_int_equal(results[0].RequestContext, 9);
}

/* [LPFN_RIOCLOSECOMPLETIONQUEUE] the closed queue is no longer valid for new calls. How it says so
 * is left open. */
static void test_closed_cq_makes_no_queue(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4), other = rc_cq(4);
    bool made;
    (void)state;
    rc_close_cq(cq);
    WSASetLastError(0);
    made = rc.rio.RIOCreateRequestQueue(pair.server, 1, 1, 1, 1, cq, other, NULL) != RIO_INVALID_RQ;
    rc_open_question("request queue on a closed completion queue: %s, error %d",
                     made ? "made" : "refused", WSAGetLastError());
    assert_true(!made || !rc_is_ours());
}

/* [LPFN_RIOSEND] a request whose completion queue is gone. */
static void test_request_on_a_closed_cq(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = rc_slice(0, 4);
    BOOL taken;
    (void)state;
    rc_close_cq(cq);
    WSASetLastError(0);
    taken = rc.rio.RIOSend(rq, &slice, 1, 0, NULL);
    rc_open_question("send with its completion queue closed: %s, error %d",
                     taken ? "taken" : "refused", WSAGetLastError());
    assert_true(!taken || !rc_is_ours());
}

/* Silent: the other calls on a completion queue that is closed. */
static void test_closed_cq_in_other_calls(void **state) {
    RIO_CQ cq = rc_cq(4);
    RIORESULT result;
    ULONG count;
    (void)state;
    rc_close_cq(cq);
    count = rc.rio.RIODequeueCompletion(cq, &result, 1);
    rc_open_question("dequeue of a closed completion queue: %lu", count);
    rc_open_question("RIONotify on a closed completion queue: %d", rc.rio.RIONotify(cq));
    rc.rio.RIOCloseCompletionQueue(cq);
    rc_open_question("a completion queue closed twice: nothing happens");
}

/* [LPFN_RIOCREATEREQUESTQUEUE] many request queues on one completion queue, told apart by
 * context. */
static void test_many_queues_share_one_cq(void **state) {
    enum { QUEUES = 24 };
    rc_pair pair[QUEUES];
    RIO_CQ cq = rc_cq(QUEUES * 2);
    RIORESULT results[QUEUES];
    bool seen[QUEUES] = {false};

    (void)state;
    for (ULONG i = 0; i < QUEUES; i++) {
        RIO_RQ rq;
        pair[i] = rc_connect();
        rq = rc_rq(pair[i].server, 1, 1, cq, 100 + i);
        rc_recv(rq, i * 16, 16, RIO_MSG_DEFER, 200 + i);
        assert_true(rc.rio.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    }
    for (ULONG i = 0; i < QUEUES; i++) {
        rc_peer_send(pair[QUEUES - 1 - i].client, "m");
    }
    assert_int_equal(rc_dequeue(cq, results, QUEUES), QUEUES);
    for (ULONG i = 0; i < QUEUES; i++) {
        uint64_t which = results[i].SocketContext - 100;
        assert_true(which < QUEUES && !seen[which]);
        assert_int_equal(results[i].RequestContext, 200 + which);
        seen[which] = true;
    }
}

/* [LPFN_RIOCREATEREQUESTQUEUE] the two directions may complete into two queues. */
static void test_directions_complete_into_their_own_cq(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ recv_cq = rc_cq(4), send_cq = rc_cq(4);
    RIO_RQ rq = rc.rio.RIOCreateRequestQueue(pair.server, 1, 1, 1, 1, recv_cq, send_cq, NULL);
    (void)state;
    assert_true(rq != RIO_INVALID_RQ);
    rc_recv(rq, 0, 16, 0, 1);
    rc_send(rq, 16, 4, 0, 2);
    assert_int_equal(rc_one(send_cq).RequestContext, 2);
    rc_none(recv_cq);
    rc_peer_send(pair.client, "x");
    assert_int_equal(rc_one(recv_cq).RequestContext, 1);
}

/* [riorqueue] both ends of a connection may use RIO, on one completion queue. */
static void test_both_ends_on_one_cq(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address);
    SOCKET client = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                               WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    RIO_CQ cq = rc_cq(8);
    RIO_RQ ours, theirs;
    RIORESULT results[2];
    SOCKET server;
    (void)state;
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    server = accept(listener, NULL, NULL);
    ours = rc_rq(server, 1, 1, cq, 1);
    theirs = rc_rq(client, 1, 1, cq, 2);
    memcpy(rc.memory, "pair", 4);
    rc_recv(theirs, 100, 16, 0, 0);
    rc_send(ours, 0, 4, 0, 0);
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    assert_memory_equal(rc.memory + 100, "pair", 4);
    rc.closesocket(server);
    rc.closesocket(client);
}

/* [RioSharp does it so] a request queue made before AcceptEx completes works afterwards. */
static void test_queue_made_before_accept_works(void **state) {
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address);
    SOCKET server = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                               WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    GUID id = WSAID_ACCEPTEX;
    LPFN_ACCEPTEX accept_ex = NULL;
    char addresses[128];
    OVERLAPPED overlapped = {0};
    DWORD bytes = 0;
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq;
    (void)state;
    assert_int_equal(WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id,
                              &accept_ex, sizeof accept_ex, &bytes, NULL, NULL),
                     0);
    overlapped.hEvent = rc_event(TRUE);
    rq = rc_rq(server, 1, 1, cq, 0);
    (void)accept_ex(listener, server, addresses, 0, 64, 64, &bytes, &overlapped);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(WaitForSingleObject(overlapped.hEvent, RC_WAIT_MS), WAIT_OBJECT_0);
    setsockopt(server, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
               sizeof listener);
    rc_recv(rq, 0, 16, 0, 0);
    rc_peer_send(client, "early");
    assert_int_equal(rc_one(cq).BytesTransferred, 5);
    rc.closesocket(server);
    rc.closesocket(client);
}

/* [shutdown] SD_SEND after a send completes: the peer gets the bytes, then the end. */
static void test_shutdown_after_send_delivers_then_ends(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char got[8];
    (void)state;
    rc_send(rq, 0, 4, 0, 0);
    (void)rc_one(cq);
    assert_int_equal(shutdown(pair.server, SD_SEND), 0);
    assert_int_equal(rc_peer_recv(pair.client, got, 8), 4);
}

/* [riorqueue] options and ioctls stay available: a socket in a port of the program's own, as
 * ConnectEx needs it, works with RIO, and RIO posts nothing there. */
static void test_socket_in_a_port_works_and_posts_nothing_there(void **state) {
    rc_pair pair = rc_connect();
    HANDLE port = rc_port();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    (void)state;
    assert_true(CreateIoCompletionPort((HANDLE)pair.server, port, 7, 0) == port);
    for (int i = 0; i < 10; i++) {
        rc_recv(rq, 0, 16, 0, 1);
        rc_peer_send(pair.client, "ported");
        assert_int_equal(rc_one(cq).BytesTransferred, 6);
        rc_send(rq, 0, 6, 0, 2);
        assert_int_equal(rc_one(cq).BytesTransferred, 6);
    }
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &got, RC_QUIET_MS));
    rc_recv(rq, 0, 16, 0, 3);
    rc_close(pair.server);
    assert_int_not_equal(rc_one(cq).Status, 0);
}

static RIO_RQ thread_rq[4];

static DWORD WINAPI thread_posts(void *argument) {
    uintptr_t which = (uintptr_t)argument;
    for (ULONG i = 0; i < 64; i++) {
        RIO_BUF slice = rc_slice((ULONG)which * 4096 + i * 8, 8);
        if (!rc.rio.RIOSend(thread_rq[which], &slice, 1, i % 3 ? RIO_MSG_DEFER : 0, NULL)) {
            return 1;
        }
    }
    return rc.rio.RIOSend(thread_rq[which], NULL, 0, RIO_MSG_COMMIT_ONLY, NULL) ? 0 : 1;
}

/* [LPFN_RIOCREATEREQUESTQUEUE] different request queues may be used by different threads without
 * a lock, though they share a completion queue. */
static void test_threads_use_their_own_queues(void **state) {
    rc_pair pair[4];
    RIO_CQ cq = rc_cq(4 * 65);
    HANDLE thread[4];
    static RIORESULT results[256];
    static char got[512];
    (void)state;
    for (uintptr_t i = 0; i < 4; i++) {
        pair[i] = rc_connect();
        thread_rq[i] = rc_rq(pair[i].server, 1, 64, cq, i);
        memset(rc.memory + i * 4096, (int)('a' + i), 512);
    }
    for (uintptr_t i = 0; i < 4; i++) {
        thread[i] = CreateThread(NULL, 0, thread_posts, (void *)i, 0, NULL);
    }
    assert_int_equal(rc_dequeue(cq, results, 256), 256);
    for (int i = 0; i < 4; i++) {
        DWORD code = 1;
        WaitForSingleObject(thread[i], RC_WAIT_MS);
        GetExitCodeThread(thread[i], &code);
        CloseHandle(thread[i]);
        assert_int_equal(code, 0);
        assert_int_equal(rc_peer_recv(pair[i].client, got, 512), 512);
        assert_memory_equal(got, rc.memory + i * 4096, 512);
    }
}

static DWORD WINAPI thread_receives(void *argument) {
    RIO_BUF slice = rc_slice(0, 16);
    (void)argument;
    return (DWORD)rc.rio.RIOReceive(thread_rq[0], &slice, 1, 0, NULL);
}

/* Silent: requests of a thread that has exited. */
static void test_request_of_an_exited_thread(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    HANDLE thread;
    RIORESULT result;
    (void)state;
    thread_rq[0] = rc_rq(pair.server, 1, 1, cq, 0);
    thread = CreateThread(NULL, 0, thread_receives, NULL, 0, NULL);
    WaitForSingleObject(thread, RC_WAIT_MS);
    CloseHandle(thread);
    Sleep(RC_QUIET_MS);
    rc_peer_send(pair.client, "late");
    result = rc_one(cq);
    rc_open_question("receive of a thread that has exited: status %ld, %lu bytes", result.Status,
                     result.BytesTransferred);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] a hundred connections in turn leave nothing behind: the completion
 * queue, sized for one, still takes the last. */
static void test_a_hundred_lives_leave_nothing_behind(void **state) {
    RIO_CQ cq = rc_cq(2);
    (void)state;
    for (int i = 0; i < 100; i++) {
        rc_pair pair = rc_connect();
        RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
        RIORESULT results[2];
        rc_recv(rq, 0, 16, 0, 0);
        rc_send(rq, 16, 4, 0, 0);
        rc_close(i % 2 ? pair.client : pair.server);
        rc_close(i % 2 ? pair.server : pair.client);
        assert_int_equal(rc_dequeue(cq, results, 2), 2);
    }
}

const struct CMUnitTest rc_life_cases[] = {
    RC_CASE(test_close_completes_an_outstanding_receive),
    RC_CASE(test_close_completes_each_request_once),
    RC_CASE(test_close_completes_deferred_requests),
    RC_CASE(test_close_with_a_receive_outstanding_ends_the_connection),
    RC_CASE(test_close_completes_a_send_under_way),
    RC_CASE(test_send_just_before_close),
    RC_CHILD_CASE(test_request_after_close),
    RC_CHILD_CASE(test_commit_after_close),
    RC_CHILD_CASE(test_closing_a_cq_with_requests_outstanding_disturbs_nobody),
    RC_CHILD_CASE(test_closed_cq_makes_no_queue),
    RC_CHILD_CASE(test_request_on_a_closed_cq),
    RC_CHILD_CASE(test_closed_cq_in_other_calls),
    RC_CASE(test_many_queues_share_one_cq),
    RC_CASE(test_directions_complete_into_their_own_cq),
    RC_CASE(test_both_ends_on_one_cq),
    RC_CASE(test_queue_made_before_accept_works),
    RC_CASE(test_shutdown_after_send_delivers_then_ends),
    RC_CASE(test_socket_in_a_port_works_and_posts_nothing_there),
    RC_CASE(test_threads_use_their_own_queues),
    RC_CASE(test_request_of_an_exited_thread),
    RC_CASE(test_a_hundred_lives_leave_nothing_behind),
};
const size_t rc_life_cases_count = sizeof rc_life_cases / sizeof rc_life_cases[0];
