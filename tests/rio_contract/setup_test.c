/* SPDX-License-Identifier: MIT */
/* Set-up rules of RIO: the table, registrations, creating and sizing queues. Each case makes one
 * call and looks at its result and error code; the pages named are of the Windows SDK. */
#include "contract.h"

static RIO_RQ make_rq(SOCKET s, ULONG recvs, ULONG sends, RIO_CQ recv_cq, RIO_CQ send_cq) {
    return rc.rio.RIOCreateRequestQueue(s, recvs, 1, sends, 1, recv_cq, send_cq, NULL);
}

/* [RIO_EXTENSION_FUNCTION_TABLE] cbSize is the table's size. */
static void test_table_states_its_size(void **state) {
    (void)state;
    assert_int_equal(rc.rio.cbSize, sizeof rc.rio);
}

/* [RIO_EXTENSION_FUNCTION_TABLE] all thirteen functions are there. */
static void test_table_holds_all_functions(void **state) {
    void *const *entry = (void *const *)(const void *)&rc.rio;

    (void)state;
    for (size_t i = 1; i < sizeof rc.rio / sizeof *entry; i++) {
        assert_non_null(entry[i]);
    }
}

/* [LPFN_RIOREGISTERBUFFER] a registration gives a valid identifier. */
static void test_register_returns_an_id(void **state) {
    RIO_BUFFERID id;
    (void)state;
    id = rc.rio.RIORegisterBuffer(rc.memory, 4096);
    assert_true(id != RIO_INVALID_BUFFERID);
    rc.rio.RIODeregisterBuffer(id);
}

/* [LPFN_RIOREGISTERBUFFER] zero length: WSAEINVAL. */
static void test_register_zero_length_is_invalid(void **state) {
    (void)state;
    WSASetLastError(0);
    assert_true(rc.rio.RIORegisterBuffer(rc.memory, 0) == RIO_INVALID_BUFFERID);
    assert_int_equal(WSAGetLastError(), WSAEINVAL);
}

/* [LPFN_RIOREGISTERBUFFER] a pointer that is not valid: WSAEFAULT. */
static void test_register_null_pointer_faults(void **state) {
    (void)state;
    WSASetLastError(0);
    assert_true(rc.rio.RIORegisterBuffer(NULL, 4096) == RIO_INVALID_BUFFERID);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
}

/* [LPFN_RIOREGISTERBUFFER] memory that is reserved and not committed: WSAEFAULT. */
static void test_register_uncommitted_memory_faults(void **state) {
    char *reserved = VirtualAlloc(NULL, 65536, MEM_RESERVE, PAGE_NOACCESS);
    (void)state;
    assert_non_null(reserved);
    WSASetLastError(0);
    assert_true(rc.rio.RIORegisterBuffer(reserved, 4096) == RIO_INVALID_BUFFERID);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    VirtualFree(reserved, 0, MEM_RELEASE);
}

/* Silent: memory that cannot be written. A receive would fault in it. */
static void test_register_read_only_memory(void **state) {
    char *memory = VirtualAlloc(NULL, 65536, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    RIO_BUFFERID id;
    int error;
    (void)state;
    assert_non_null(memory);
    WSASetLastError(0);
    id = rc.rio.RIORegisterBuffer(memory, 4096);
    error = WSAGetLastError();
    rc_open_question("registration of read-only memory: %s, error %d",
                     id == RIO_INVALID_BUFFERID ? "refused" : "made", error);
    if (rc_is_ours()) {
        assert_true(id == RIO_INVALID_BUFFERID);
        assert_int_equal(error, WSAEFAULT);
    }
    rc.rio.RIODeregisterBuffer(id);
    VirtualFree(memory, 0, MEM_RELEASE);
}

/* [LPFN_RIOREGISTERBUFFER] registrations may overlap; ctsTraffic registers the same memory once
 * for each request. */
static void test_register_same_memory_twice_gives_two_ids(void **state) {
    RIO_BUFFERID one, two;
    (void)state;
    one = rc.rio.RIORegisterBuffer(rc.memory, 4096);
    two = rc.rio.RIORegisterBuffer(rc.memory, 4096);
    assert_true(one != RIO_INVALID_BUFFERID && two != RIO_INVALID_BUFFERID);
    assert_true(one != two);
    rc.rio.RIODeregisterBuffer(one);
    rc.rio.RIODeregisterBuffer(two);
}

/* [LPFN_RIOREGISTERBUFFER] no small limit on their number is documented: 1000 at once. */
static void test_register_a_thousand_works(void **state) {
    static RIO_BUFFERID id[1000];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        id[i] = rc.rio.RIORegisterBuffer(rc.memory + i * 1024, 1024);
        assert_true(id[i] != RIO_INVALID_BUFFERID);
    }
    for (int i = 0; i < 1000; i++) {
        rc.rio.RIODeregisterBuffer(id[i]);
    }
}

/* [LPFN_RIODEREGISTERBUFFER] an invalid identifier is ignored. */
static void test_deregister_invalid_id_is_ignored(void **state) {
    (void)state;
    rc.rio.RIODeregisterBuffer(RIO_INVALID_BUFFERID);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] size below 1: WSAEINVAL. */
static void test_cq_size_zero_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOCreateCompletionQueue(0, NULL) != RIO_INVALID_CQ, WSAEINVAL);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] size above RIO_MAX_CQ_SIZE: WSAEINVAL. */
static void test_cq_size_above_maximum_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOCreateCompletionQueue(RIO_MAX_CQ_SIZE + 1, NULL) != RIO_INVALID_CQ,
               WSAEINVAL);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] size 1 is allowed. */
static void test_cq_size_one_works(void **state) {
    (void)state;
    (void)rc_cq(1);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] Iocp.Overlapped must not be NULL. */
static void test_cq_port_without_overlapped_is_refused(void **state) {
    RIO_NOTIFICATION_COMPLETION how;
    (void)state;
    memset(&how, 0, sizeof how);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = rc_port();
    assert_true(rc.rio.RIOCreateCompletionQueue(16, &how) == RIO_INVALID_CQ);
    rc_open_question("port without OVERLAPPED: error %d", WSAGetLastError());
}

/* [LPFN_RIOCLOSECOMPLETIONQUEUE] an invalid queue is ignored. */
static void test_cq_close_invalid_is_ignored(void **state) {
    (void)state;
    rc.rio.RIOCloseCompletionQueue(RIO_INVALID_CQ);
}

/* [LPFN_RIODEQUEUECOMPLETION] nothing there: 0. */
static void test_cq_empty_dequeues_nothing(void **state) {
    RIORESULT results[4];
    (void)state;
    assert_int_equal(rc.rio.RIODequeueCompletion(rc_cq(4), results, 4), 0);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] both maxima zero: WSAEINVAL. */
static void test_rq_both_maxima_zero_is_invalid(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    rc_refused(make_rq(pair.server, 0, 0, cq, cq) != RIO_INVALID_RQ, WSAEINVAL);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] ReceiveCQ is RIO_INVALID_CQ: WSAEINVAL. */
static void test_rq_without_receive_cq_is_invalid(void **state) {
    rc_pair pair = rc_connect();
    (void)state;
    rc_refused(make_rq(pair.server, 1, 1, RIO_INVALID_CQ, rc_cq(16)) != RIO_INVALID_RQ, WSAEINVAL);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] SendCQ is RIO_INVALID_CQ: WSAEINVAL. */
static void test_rq_without_send_cq_is_invalid(void **state) {
    rc_pair pair = rc_connect();
    (void)state;
    rc_refused(make_rq(pair.server, 1, 1, rc_cq(16), RIO_INVALID_CQ) != RIO_INVALID_RQ, WSAEINVAL);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] not a socket: WSAENOTSOCK. */
static void test_rq_on_no_socket_is_refused(void **state) {
    RIO_CQ cq = rc_cq(16);
    (void)state;
    rc_refused(make_rq((SOCKET)rc_event(TRUE), 1, 1, cq, cq) != RIO_INVALID_RQ, WSAENOTSOCK);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] an unsupported type, SOCK_RAW for one: WSAEOPNOTSUPP. */
static void test_rq_on_raw_socket_is_not_supported(void **state) {
    SOCKET raw = WSASocketW(AF_INET, SOCK_RAW, IPPROTO_ICMP, NULL, 0,
                            WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    RIO_CQ cq = rc_cq(16);
    RIO_RQ rq;
    (void)state;
    if (raw == INVALID_SOCKET) {
        rc_open_question("raw sockets are not allowed to this user: error %d", WSAGetLastError());
        return;
    }
    WSASetLastError(0);
    rq = make_rq(raw, 1, 1, cq, cq);
    assert_true(rq == RIO_INVALID_RQ);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    closesocket(raw);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] MaxReceiveDataBuffers must be 1. */
static void test_rq_with_two_receive_buffers_is_refused(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    assert_true(rc.rio.RIOCreateRequestQueue(pair.server, 1, 2, 1, 1, cq, cq, NULL) ==
                RIO_INVALID_RQ);
    rc_open_question("two receive buffers: error %d", WSAGetLastError());
}

/* [LPFN_RIOCREATEREQUESTQUEUE] MaxSendDataBuffers must be 1. */
static void test_rq_with_two_send_buffers_is_refused(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    assert_true(rc.rio.RIOCreateRequestQueue(pair.server, 1, 1, 1, 2, cq, cq, NULL) ==
                RIO_INVALID_RQ);
}

/* [riocqueue] a queue that does not fit in its completion queue: WSAENOBUFS. */
static void test_rq_larger_than_cq_gets_no_buffers(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    rc_refused(make_rq(pair.server, 10, 7, cq, cq) != RIO_INVALID_RQ, WSAENOBUFS);
}

/* [riocqueue] receive and send maxima that fill the completion queue exactly fit. */
static void test_rq_that_fills_the_cq_fits(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    assert_true(make_rq(pair.server, 10, 6, cq, cq) != RIO_INVALID_RQ);
}

/* [riocqueue] the maxima of all attached queues count, used or not. */
static void test_rq_charges_the_cq_though_unused(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    assert_true(make_rq(one.server, 8, 7, cq, cq) != RIO_INVALID_RQ);
    rc_refused(make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ, WSAENOBUFS);
}

/* [riocqueue] each direction charges its own queue. */
static void test_rq_charges_each_cq_by_direction(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ recv_cq = rc_cq(4), send_cq = rc_cq(8);
    (void)state;
    assert_true(make_rq(one.server, 4, 4, recv_cq, send_cq) != RIO_INVALID_RQ);
    rc_refused(make_rq(two.server, 1, 1, recv_cq, send_cq) != RIO_INVALID_RQ, WSAENOBUFS);
    assert_true(make_rq(two.server, 0, 4, recv_cq, send_cq) != RIO_INVALID_RQ);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] a failed creation leaves no charge behind: the smaller one fits. */
static void test_rq_failed_creation_charges_nothing(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ recv_cq = rc_cq(4), send_cq = rc_cq(4);
    (void)state;
    assert_true(make_rq(pair.server, 4, 5, recv_cq, send_cq) == RIO_INVALID_RQ);
    assert_true(make_rq(pair.server, 4, 4, recv_cq, send_cq) != RIO_INVALID_RQ);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] closing the socket frees the slots. */
static void test_rq_close_gives_capacity_back(void **state) {
    RIO_CQ cq = rc_cq(8);
    (void)state;
    for (int i = 0; i < 20; i++) {
        rc_pair pair = rc_connect();
        assert_true(make_rq(pair.server, 4, 4, cq, cq) != RIO_INVALID_RQ);
        rc_close(pair.server);
        rc_close(pair.client);
    }
}

/* Silent: is the charge back before the last completion is dequeued? */
static void test_rq_charge_of_a_closed_socket_with_a_completion_waiting(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ cq = rc_cq(2);
    RIO_RQ rq = rc_rq(one.server, 1, 1, cq, 0);
    bool early;
    (void)state;
    rc_recv(rq, 0, 16, 0, 1);
    rc_close(one.server);
    early = make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ;
    rc_open_question("charge of a closed socket %s while its completion waits",
                     early ? "is free" : "is held");
    (void)rc_one(cq);
    if (!early) {
        assert_true(make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ);
    }
}

/* Silent: a socket without WSA_FLAG_REGISTERED_IO. */
static void test_rq_on_unflagged_socket(void **state) {
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    RIO_CQ cq = rc_cq(16);
    RIO_RQ rq = make_rq(s, 1, 1, cq, cq);
    (void)state;
    rc_open_question("request queue on a socket without the flag: %s, error %d",
                     rq == RIO_INVALID_RQ ? "refused" : "made",
                     rq == RIO_INVALID_RQ ? WSAGetLastError() : 0);
    (void)rc.closesocket(s); /* nothing depends on it */
}

/* Silent: a second request queue for the same socket. */
static void test_rq_second_on_one_socket(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    RIO_RQ second;
    (void)state;
    (void)rc_rq(pair.server, 1, 1, cq, 0);
    second = make_rq(pair.server, 1, 1, cq, cq);
    rc_open_question("second request queue of a socket: %s, error %d",
                     second == RIO_INVALID_RQ ? "refused" : "made",
                     second == RIO_INVALID_RQ ? WSAGetLastError() : 0);
    assert_true(second == RIO_INVALID_RQ || !rc_is_ours());
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] size 0: WSAEINVAL. */
static void test_resize_cq_to_zero_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOResizeCompletionQueue(rc_cq(4), 0), WSAEINVAL);
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] size above RIO_MAX_CQ_SIZE: WSAEINVAL. */
static void test_resize_cq_above_maximum_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOResizeCompletionQueue(rc_cq(4), RIO_MAX_CQ_SIZE + 1), WSAEINVAL);
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] an invalid queue: WSAEINVAL. */
static void test_resize_invalid_cq_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOResizeCompletionQueue(RIO_INVALID_CQ, 16), WSAEINVAL);
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] grown, it takes more request queues. */
static void test_resize_cq_up_admits_more(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ cq = rc_cq(2);
    (void)state;
    assert_true(make_rq(one.server, 1, 1, cq, cq) != RIO_INVALID_RQ);
    assert_true(make_rq(two.server, 1, 1, cq, cq) == RIO_INVALID_RQ);
    assert_true(rc.rio.RIOResizeCompletionQueue(cq, 4));
    assert_true(make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ);
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] smaller than what is reserved: WSAETOOMANYREFS. */
static void test_resize_cq_below_reservation_is_refused(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    (void)state;
    assert_true(make_rq(pair.server, 4, 4, cq, cq) != RIO_INVALID_RQ);
    rc_refused(rc.rio.RIOResizeCompletionQueue(cq, 7), WSAETOOMANYREFS);
    assert_true(rc.rio.RIOResizeCompletionQueue(cq, 8));
}

/* [LPFN_RIORESIZECOMPLETIONQUEUE] entries are carried over. */
static void test_resize_cq_keeps_completions(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 2, cq, 0);
    RIORESULT results[2];
    (void)state;
    rc_send(rq, 0, 8, 0, 71);
    rc_send(rq, 8, 8, 0, 72);
    assert_true(rc.rio.RIOResizeCompletionQueue(cq, 64));
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    assert_int_equal(results[0].RequestContext, 71);
    assert_int_equal(results[1].RequestContext, 72);
}

/* [LPFN_RIORESIZEREQUESTQUEUE] both zero: WSAEINVAL. */
static void test_resize_rq_to_zero_is_invalid(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    (void)state;
    rc_refused(rc.rio.RIOResizeRequestQueue(rq, 0, 0), WSAEINVAL);
}

/* [LPFN_RIORESIZEREQUESTQUEUE] an invalid queue: WSAEINVAL. */
static void test_resize_invalid_rq_is_invalid(void **state) {
    (void)state;
    rc_refused(rc.rio.RIOResizeRequestQueue(RIO_INVALID_RQ, 1, 1), WSAEINVAL);
}

/* [LPFN_RIORESIZEREQUESTQUEUE] grown, it takes more requests. */
static void test_resize_rq_up_allows_more(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = rc_slice(64, 16);
    RIORESULT results[3];
    (void)state;
    rc_recv(rq, 0, 16, 0, 1);
    rc_refused(rc.rio.RIOReceive(rq, &slice, 1, 0, NULL), WSAENOBUFS);
    assert_true(rc.rio.RIOResizeRequestQueue(rq, 3, 1));
    rc_recv(rq, 64, 16, 0, 2);
    rc_recv(rq, 128, 16, 0, 3);
    shutdown(pair.client, SD_SEND);
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
}

/* [LPFN_RIORESIZEREQUESTQUEUE] below what is outstanding: WSAETOOMANYREFS. */
static void test_resize_rq_below_outstanding_is_refused(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 3, 1, cq, 0);
    (void)state;
    rc_recv(rq, 0, 16, 0, 1);
    rc_recv(rq, 16, 16, 0, 2);
    rc_refused(rc.rio.RIOResizeRequestQueue(rq, 1, 1), WSAETOOMANYREFS);
    assert_true(rc.rio.RIOResizeRequestQueue(rq, 2, 1));
}

/* [LPFN_RIORESIZEREQUESTQUEUE] more than the completion queue has room for: WSAENOBUFS. */
static void test_resize_rq_beyond_cq_gets_no_buffers(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 2, 2, rc_cq(4), 0);
    (void)state;
    rc_refused(rc.rio.RIOResizeRequestQueue(rq, 2, 3), WSAENOBUFS);
}

/* Silent: is one direction resized when the other one cannot be? Ours leaves both as they were. */
static void test_resize_rq_that_fails_charges_nothing(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ cq = rc_cq(6);
    RIO_RQ rq = rc_rq(one.server, 2, 2, cq, 0);
    bool room;
    (void)state;
    rc_refused(rc.rio.RIOResizeRequestQueue(rq, 3, 4), WSAENOBUFS);
    room = make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ;
    rc_open_question("room after a resize that failed: %s", room ? "as before" : "less");
    assert_true(room || !rc_is_ours());
}

/* [LPFN_RIORESIZEREQUESTQUEUE] shrunk, it gives room to others. */
static void test_resize_rq_down_gives_capacity_back(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(one.server, 2, 2, cq, 0);
    (void)state;
    assert_true(rc.rio.RIOResizeRequestQueue(rq, 1, 1));
    assert_true(make_rq(two.server, 1, 1, cq, cq) != RIO_INVALID_RQ);
}

const struct CMUnitTest rc_setup_cases[] = {
    RC_CASE(test_table_states_its_size),
    RC_CASE(test_table_holds_all_functions),
    RC_CASE(test_register_returns_an_id),
    RC_CASE(test_register_zero_length_is_invalid),
    RC_CASE(test_register_null_pointer_faults),
    RC_CASE(test_register_uncommitted_memory_faults),
    RC_CASE(test_register_read_only_memory),
    RC_CASE(test_register_same_memory_twice_gives_two_ids),
    RC_CASE(test_register_a_thousand_works),
    RC_CASE(test_deregister_invalid_id_is_ignored),
    RC_CASE(test_cq_size_zero_is_invalid),
    RC_CASE(test_cq_size_above_maximum_is_invalid),
    RC_CASE(test_cq_size_one_works),
    RC_CASE(test_cq_port_without_overlapped_is_refused),
    RC_CASE(test_cq_close_invalid_is_ignored),
    RC_CASE(test_cq_empty_dequeues_nothing),
    RC_CASE(test_rq_both_maxima_zero_is_invalid),
    RC_CASE(test_rq_without_receive_cq_is_invalid),
    RC_CASE(test_rq_without_send_cq_is_invalid),
    RC_CASE(test_rq_on_no_socket_is_refused),
    RC_CASE(test_rq_on_raw_socket_is_not_supported),
    RC_CASE(test_rq_with_two_receive_buffers_is_refused),
    RC_CASE(test_rq_with_two_send_buffers_is_refused),
    RC_CASE(test_rq_larger_than_cq_gets_no_buffers),
    RC_CASE(test_rq_that_fills_the_cq_fits),
    RC_CASE(test_rq_charges_the_cq_though_unused),
    RC_CASE(test_rq_charges_each_cq_by_direction),
    RC_CASE(test_rq_failed_creation_charges_nothing),
    RC_CASE(test_rq_close_gives_capacity_back),
    RC_CASE(test_rq_charge_of_a_closed_socket_with_a_completion_waiting),
    RC_CASE(test_rq_on_unflagged_socket),
    RC_CASE(test_rq_second_on_one_socket),
    RC_CASE(test_resize_cq_to_zero_is_invalid),
    RC_CASE(test_resize_cq_above_maximum_is_invalid),
    RC_CASE(test_resize_invalid_cq_is_invalid),
    RC_CASE(test_resize_cq_up_admits_more),
    RC_CASE(test_resize_cq_below_reservation_is_refused),
    RC_CASE(test_resize_cq_keeps_completions),
    RC_CASE(test_resize_rq_to_zero_is_invalid),
    RC_CASE(test_resize_invalid_rq_is_invalid),
    RC_CASE(test_resize_rq_up_allows_more),
    RC_CASE(test_resize_rq_below_outstanding_is_refused),
    RC_CASE(test_resize_rq_beyond_cq_gets_no_buffers),
    RC_CASE(test_resize_rq_that_fails_charges_nothing),
    RC_CASE(test_resize_rq_down_gives_capacity_back),
};
const size_t rc_setup_cases_count = sizeof rc_setup_cases / sizeof rc_setup_cases[0];
