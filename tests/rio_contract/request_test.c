/* SPDX-License-Identifier: MIT */
/* Requests on a stream: what RIOReceive and RIOSend accept, refuse, deliver and in which order.
 * A connected pair on loopback; the peer is an ordinary blocking socket. */
#include "contract.h"

static BOOL try_recv(RIO_RQ rq, RIO_BUF slice, DWORD flags) {
    return rc.rio.RIOReceive(rq, &slice, 1, flags, NULL);
}

static BOOL try_send(RIO_RQ rq, RIO_BUF slice, DWORD flags) {
    return rc.rio.RIOSend(rq, &slice, 1, flags, NULL);
}

/* [LPFN_RIORECEIVE] the bytes land in the slice; the completion counts them. */
static void test_receive_delivers_bytes_into_the_slice(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 100, 64, 0, 0);
    rc_none(cq);
    rc_peer_send(pair.client, "hello");
    result = rc_one(cq);
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 5);
    assert_memory_equal(rc.memory + 100, "hello", 5);
}

/* [LPFN_RIORECEIVE] only the slice is written. */
static void test_receive_leaves_the_rest_untouched(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    memset(rc.memory, '.', 64);
    rc_peer_send(pair.client, "abcdefgh");
    rc_recv(rq, 16, 4, 0, 0);
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
    assert_memory_equal(rc.memory, "................abcd............", 32);
}

/* [LPFN_RIORECEIVE] on a stream what does not fit stays for the next receive. */
static void test_receive_leaves_excess_for_the_next(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_peer_send(pair.client, "abcdef");
    rc_recv(rq, 0, 4, 0, 0);
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
    rc_recv(rq, 4, 4, 0, 0);
    assert_int_equal(rc_one(cq).BytesTransferred, 2);
    assert_memory_equal(rc.memory, "abcdef", 6);
}

/* [RIORESULT] both contexts come back with all their bits. */
static void test_contexts_come_back_intact(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    uintptr_t socket_context = (uintptr_t)0xF123456789ABCDEFull;
    uintptr_t request_context = (uintptr_t)0xFEDCBA9876543210ull;
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, socket_context);
    RIORESULT result;
    (void)state;
    rc_send(rq, 0, 4, 0, request_context);
    result = rc_one(cq);
    assert_true(result.SocketContext == socket_context);
    assert_true(result.RequestContext == request_context);
}

/* [LPFN_RIOSEND] the slice's bytes reach the peer; the completion counts them. */
static void test_send_delivers_the_slice(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char got[5];
    RIORESULT result;
    (void)state;
    memcpy(rc.memory + 50, "world", 5);
    rc_send(rq, 50, 5, 0, 0);
    assert_int_equal(rc_peer_recv(pair.client, got, 5), 5);
    assert_memory_equal(got, "world", 5);
    result = rc_one(cq);
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 5);
}

/* [LPFN_RIOSEND] a send of a stream is whole: 3 MiB against a peer that reads late. */
static void test_send_of_three_megabytes_is_whole(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    const int size = 3 << 20;
    char *got = VirtualAlloc(NULL, (SIZE_T)size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    (void)state;
    for (int i = 0; i < size; i++) {
        rc.memory[i] = (char)(i * 7 + (i >> 12));
    }
    rc_send(rq, 0, (ULONG)size, 0, 0);
    Sleep(RC_QUIET_MS);
    /* The completion queue is not looked at until all has arrived: the send needs no help. */
    assert_int_equal(rc_peer_recv(pair.client, got, size), size);
    assert_memory_equal(got, rc.memory, (size_t)size);
    assert_int_equal(rc_one(cq).BytesTransferred, size);
    VirtualFree(got, 0, MEM_RELEASE);
}

/* ---- what both directions refuse ---- */

typedef enum refusal_odd { NOTHING, NO_QUEUE, DEAD_BUFFER, A_CONTEXT } refusal_odd;

typedef struct refusal {
    ULONG depth, before; /* of the queue in that direction; requests that it has already */
    ULONG count, offset, length;
    DWORD flags;
    refusal_odd odd;
    int error; /* 0: which one, no page says */
} refusal;

static BOOL refusal_call(const refusal *row, bool is_send, RIO_RQ rq, RIO_BUF slice) {
    RIO_BUF slices[2] = {slice, slice};
    PRIO_BUF data = row->count > 0 ? slices : NULL;
    PVOID context = row->odd == A_CONTEXT ? rc.memory : NULL;
    rq = row->odd == NO_QUEUE ? RIO_INVALID_RQ : rq;
    return is_send ? rc.rio.RIOSend(rq, data, row->count, row->flags, context)
                   : rc.rio.RIOReceive(rq, data, row->count, row->flags, context);
}

static void refusal_check(const refusal *row, bool is_send) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, is_send ? 1 : row->depth, is_send ? row->depth : 1, rc_cq(4), 0);
    RIO_BUFFERID dead = rc.rio.RIORegisterBuffer(rc.memory, 64);
    RIO_BUF slice = rc_slice(row->offset, row->length);
    rc.rio.RIODeregisterBuffer(dead);
    if (row->odd == DEAD_BUFFER) {
        slice.BufferId = dead;
    }
    for (ULONG i = 0; i < row->before; i++) {
        (is_send ? rc_send : rc_recv)(rq, i * 16, 16, 0, 0);
    }
    WSASetLastError(0);
    assert_false(refusal_call(row, is_send, rq, slice));
    if (row->error != 0) {
        assert_int_equal(WSAGetLastError(), row->error);
    }
}

/* X(case, depth, before, count, offset, length, flags, odd, error): each rule stands on the pages
 * of both, [LPFN_RIORECEIVE] and [LPFN_RIOSEND]. */
#define REFUSALS(X)                                                                                \
    X(beyond_the_queue_gets_no_buffers, 2, 2, 1, 32, 16, 0, NOTHING, WSAENOBUFS)                   \
    X(of_a_queue_for_none_gets_no_buffers, 0, 0, 1, 0, 16, 0, NOTHING, WSAENOBUFS)                 \
    X(on_invalid_queue_is_invalid, 1, 0, 1, 0, 16, 0, NO_QUEUE, WSAEINVAL)                         \
    X(with_deregistered_buffer_faults, 1, 0, 1, 0, 16, 0, DEAD_BUFFER, WSAEFAULT)                  \
    X(offset_beyond_the_buffer_is_invalid, 1, 0, 1, RC_MEMORY_BYTES + 1, 1, 0, NOTHING, WSAEINVAL) \
    X(length_beyond_the_buffer_is_invalid, 1, 0, 1, RC_MEMORY_BYTES - 10, 11, 0, NOTHING,          \
      WSAEINVAL)                                                                                   \
    X(length_that_wraps_is_invalid, 1, 0, 1, 16, 0xFFFFFFF8u, 0, NOTHING, WSAEINVAL)               \
    X(with_unknown_flag_is_invalid, 1, 0, 1, 0, 16, 0x40, NOTHING, WSAEINVAL)                      \
    X(of_two_slices_is_refused, 1, 0, 2, 0, 16, 0, NOTHING, 0)                                     \
    X(commit_with_another_flag_is_invalid, 1, 0, 0, 0, 0, RIO_MSG_COMMIT_ONLY | RIO_MSG_DEFER,     \
      NOTHING, WSAEINVAL)                                                                          \
    X(commit_with_data_is_invalid, 1, 0, 1, 0, 4, RIO_MSG_COMMIT_ONLY, NOTHING, WSAEINVAL)         \
    X(commit_with_context_is_invalid, 1, 0, 0, 0, 0, RIO_MSG_COMMIT_ONLY, A_CONTEXT, WSAEINVAL)

#define X(name, ...)                                                                               \
    static void test_receive_##name(void **state) {                                                \
        (void)state;                                                                               \
        refusal_check(&(const refusal){__VA_ARGS__}, false);                                       \
    }                                                                                              \
    static void test_send_##name(void **state) {                                                   \
        (void)state;                                                                               \
        refusal_check(&(const refusal){__VA_ARGS__}, true);                                        \
    }
REFUSALS(X)
#undef X

/* [LPFN_RIODEQUEUECOMPLETION] a request counts until its completion is dequeued. */
static void test_request_counts_until_dequeued(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char got[4];
    (void)state;
    rc_send(rq, 0, 4, 0, 0);
    assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
    rc_refused(try_send(rq, rc_slice(4, 4), 0), WSAENOBUFS);
    (void)rc_one(cq);
    rc_send(rq, 4, 4, 0, 0);
    (void)rc_one(cq);
}

/* [LPFN_RIOSEND] FALSE: no completion will follow. */
static void test_refused_request_completes_never(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    assert_false(try_send(rq, rc_slice(RC_MEMORY_BYTES, 1), 0));
    assert_false(try_recv(rq, rc_slice(RC_MEMORY_BYTES, 1), 0));
    rc_none(cq);
}

/* [LPFN_RIODEREGISTERBUFFER] other registrations stay usable, of the same memory too. */
static void test_deregistering_one_leaves_the_other_usable(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUFFERID other = rc.rio.RIORegisterBuffer(rc.memory, 64);
    (void)state;
    rc.rio.RIODeregisterBuffer(other);
    rc_send(rq, 0, 4, 0, 0);
    assert_int_equal(rc_one(cq).Status, 0);
}

/* [LPFN_RIOREGISTERBUFFER] a registration made after the queues works with them. */
static void test_registration_after_the_queues_works(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = {rc.rio.RIORegisterBuffer(rc.memory + 8192, 4096), 10, 4};
    char got[4];
    (void)state;
    memcpy(rc.memory + 8192 + 10, "late", 4);
    assert_true(try_send(rq, slice, 0));
    assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
    assert_memory_equal(got, "late", 4);
    (void)rc_one(cq);
    rc.rio.RIODeregisterBuffer(slice.BufferId);
}

/* [LPFN_RIORECEIVE] an identifier that never was is refused. */
static void test_receive_with_invented_buffer_is_refused(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    RIO_BUF slice = {RIO_INVALID_BUFFERID, 0, 16};
    (void)state;
    assert_false(try_recv(rq, slice, 0));
    rc_open_question("RIO_INVALID_BUFFERID in a receive: error %d", WSAGetLastError());
}

/* [LPFN_RIORECEIVE] no data may be asked for on a bound UDP socket; of others the page says
 * nothing. */
static void test_stream_request_without_data(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 2, 2, rc_cq(16), 0);
    int errors[2];
    (void)state;
    WSASetLastError(0);
    errors[0] = rc.rio.RIOReceive(rq, NULL, 0, 0, NULL) ? 0 : WSAGetLastError();
    errors[1] = rc.rio.RIOSend(rq, NULL, 0, 0, NULL) ? 0 : WSAGetLastError();
    rc_open_question("requests of a stream without data: errors %d and %d", errors[0], errors[1]);
    if (rc_is_ours()) {
        assert_int_equal(errors[0], WSAEINVAL);
        assert_int_equal(errors[1], WSAEINVAL);
    }
}

/* [LPFN_RIOSEND] RIO_MSG_WAITALL is no flag of a send: WSAEINVAL. */
static void test_send_with_waitall_is_invalid(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    (void)state;
    rc_refused(try_send(rq, rc_slice(0, 16), RIO_MSG_WAITALL), WSAEINVAL);
}

/* [LPFN_RIORECEIVE] outstanding receives fill in the order they were made. */
static void test_receives_complete_in_order(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 3, 1, cq, 0);
    RIORESULT results[3];
    (void)state;
    for (ULONG i = 0; i < 3; i++) {
        rc_recv(rq, i * 100, 3, 0, 10 + i);
    }
    rc_peer_send(pair.client, "onetwosix");
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
    for (ULONG i = 0; i < 3; i++) {
        assert_int_equal(results[i].RequestContext, 10 + i);
        assert_int_equal(results[i].BytesTransferred, 3);
        assert_memory_equal(rc.memory + i * 100, &"onetwosix"[i * 3], 3);
    }
}

/* [LPFN_RIOSEND] sends of one queue leave, and complete, in the order they were made. */
static void test_sends_leave_in_order(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(64);
    RIO_RQ rq = rc_rq(pair.server, 1, 40, cq, 0);
    RIORESULT results[40];
    char got[400];
    (void)state;
    for (ULONG i = 0; i < 40; i++) {
        memset(rc.memory + i * 10, (int)('A' + i), 10);
        rc_send(rq, i * 10, 10, 0, i);
    }
    assert_int_equal(rc_dequeue(cq, results, 40), 40);
    assert_int_equal(rc_peer_recv(pair.client, got, 400), 400);
    assert_memory_equal(got, rc.memory, 400);
    for (ULONG i = 0; i < 40; i++) {
        assert_int_equal(results[i].RequestContext, i);
        assert_int_equal(results[i].BytesTransferred, 10);
    }
}

/* [LPFN_RIOSEND] large sends in a row keep their order against a peer that reads late. */
static void test_large_sends_keep_their_order(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 4, cq, 0);
    const ULONG each = 512 * 1024;
    char *got = VirtualAlloc(NULL, 4 * each, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    RIORESULT results[4];
    int total = 0;
    (void)state;
    for (ULONG i = 0; i < 4; i++) {
        memset(rc.memory + i * each, (int)('a' + i), each);
        rc_send(rq, i * each, each, 0, i);
    }
    for (ULONG i = 0; i < 4; i++) { /* the peer reads while the program dequeues */
        total += rc_peer_recv(pair.client, got + total, (int)each / 2);
        (void)rc.rio.RIODequeueCompletion(cq, results, 0);
    }
    total += rc_peer_recv(pair.client, got + total, (int)each / 2);
    for (ULONG count = 0; count < 4;) {
        count += rc.rio.RIODequeueCompletion(cq, results, 4);
        total += count < 4 ? rc_peer_recv(pair.client, got + total, 1024) : 0;
    }
    total += rc_peer_recv(pair.client, got + total, (int)(4 * each) - total);
    assert_int_equal(total, 4 * each);
    assert_memory_equal(got, rc.memory, 4 * each);
    VirtualFree(got, 0, MEM_RELEASE);
}

/* [LPFN_RIORECEIVE] the peer's end of stream: status 0, 0 bytes. */
static void test_receive_at_end_of_stream_gets_zero_bytes(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    shutdown(pair.client, SD_SEND);
    result = rc_one(cq);
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 0);
}

/* [shutdown] after the peer's half-close the other direction goes on. */
static void test_send_after_peers_half_close_arrives(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char got[4];
    (void)state;
    shutdown(pair.client, SD_SEND);
    rc_recv(rq, 0, 16, 0, 0);
    assert_int_equal(rc_one(cq).BytesTransferred, 0);
    memcpy(rc.memory, "tail", 4);
    rc_send(rq, 0, 4, 0, 0);
    assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
    assert_memory_equal(got, "tail", 4);
}

/* [shutdown] both directions ended in order, ours first: still status 0, 0 bytes. */
static void test_receive_after_both_half_closes_gets_zero_bytes(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    shutdown(pair.server, SD_SEND);
    rc_peer_send(pair.client, "last");
    shutdown(pair.client, SD_SEND);
    Sleep(RC_QUIET_MS);
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
    rc_recv(rq, 0, 16, 0, 0);
    result = rc_one(cq);
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 0);
}

static void reset_peer(SOCKET client) {
    struct linger hard = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof hard);
    rc_close(client);
}

/* [RIORESULT] a reset by the peer is a failed status. */
static void test_receive_at_reset_fails(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    reset_peer(pair.client);
    result = rc_one(cq);
    assert_int_not_equal(result.Status, 0);
    rc_open_question("receive at a reset: status %ld", result.Status);
}

/* [RIORESULT] sends made after the reset fail, and the reset stays the reason. Silent: with what.
 */
static void test_sends_after_reset_fail(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    reset_peer(pair.client);
    Sleep(RC_QUIET_MS);
    for (int i = 0; i < 3; i++) {
        RIORESULT result;

        rc_send(rq, 0, 16, 0, 0);
        result = rc_one(cq);
        assert_int_not_equal(result.Status, 0);
        rc_open_question("send %d after a reset: status %ld", i, result.Status);
        assert_true(result.Status == WSAECONNRESET || !rc_is_ours());
    }
}

/* Silent: a receive that a reset has ended and nobody has dequeued, and then our own close. */
static void test_close_over_a_reset_not_dequeued(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    reset_peer(pair.client);
    Sleep(RC_QUIET_MS);
    rc_close(pair.server);
    result = rc_one(cq);
    assert_int_not_equal(result.Status, 0);
    rc_open_question("receive that was reset, at our close: status %ld", result.Status);
}

/* [RIORESULT] a receive made after the reset fails as well. */
static void test_receive_after_reset_fails(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    reset_peer(pair.client);
    (void)rc_one(cq);
    if (try_recv(rq, rc_slice(0, 16), 0)) {
        RIORESULT result = rc_one(cq);
        rc_open_question("second receive after a reset: status %ld, %lu bytes", result.Status,
                         result.BytesTransferred);
    } else {
        rc_open_question("second receive after a reset: refused, error %d", WSAGetLastError());
    }
}

/* [LPFN_RIORECEIVE] RIO_MSG_WAITALL completes when the slice is full. */
static void test_waitall_completes_when_full(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_recv(rq, 0, 10, RIO_MSG_WAITALL, 0);
    rc_peer_send(pair.client, "12345");
    rc_none(cq);
    rc_peer_send(pair.client, "67890");
    assert_int_equal(rc_one(cq).BytesTransferred, 10);
    assert_memory_equal(rc.memory, "1234567890", 10);
}

/* [LPFN_RIORECEIVE] RIO_MSG_WAITALL completes when the connection is closed. */
static void test_waitall_completes_at_end_of_stream(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    rc_recv(rq, 0, 10, RIO_MSG_WAITALL, 0);
    rc_peer_send(pair.client, "123");
    shutdown(pair.client, SD_SEND);
    result = rc_one(cq);
    rc_open_question("WAITALL cut short by the end: status %ld, %lu bytes", result.Status,
                     result.BytesTransferred);
}

/* [LPFN_RIORECEIVE] without RIO_MSG_WAITALL what is there is enough. */
static void test_receive_without_waitall_completes_short(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_recv(rq, 0, 10, 0, 0);
    rc_peer_send(pair.client, "123");
    assert_int_equal(rc_one(cq).BytesTransferred, 3);
}

/* Silent: a slice of length 0 on a stream. */
static void test_receive_into_empty_slice(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIORESULT result;
    (void)state;
    if (!try_recv(rq, rc_slice(0, 0), 0)) {
        rc_open_question("receive of length 0: refused, error %d", WSAGetLastError());
        return;
    }
    Sleep(RC_QUIET_MS);
    if (rc.rio.RIODequeueCompletion(cq, &result, 1) == 1) {
        rc_open_question("receive of length 0: completes at once, status %ld", result.Status);
        return;
    }
    rc_peer_send(pair.client, "x");
    result = rc_one(cq);
    rc_open_question("receive of length 0: completes with data, status %ld, %lu bytes",
                     result.Status, result.BytesTransferred);
}

/* [LPFN_RIORECEIVE] no data buffer is for bound UDP sockets; on a stream: silent. */
static void test_receive_without_slice_on_a_stream(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    BOOL taken = rc.rio.RIOReceive(rq, NULL, 0, 0, NULL);
    (void)state;
    rc_open_question("receive without a slice on a stream: %s, error %d",
                     taken ? "taken" : "refused", taken ? 0 : WSAGetLastError());
}

/* ---- deferral ---- */

/* [LPFN_RIOSEND] a deferred send may wait for a commit: silent whether it does. */
static void test_deferred_send_without_commit(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    rc_open_question("a deferred send %s before its commit",
                     rc_peer_quiet(pair.client) ? "does not start" : "starts");
}

/* [LPFN_RIOSEND] COMMIT_ONLY starts the deferred sends, in order. */
static void test_commit_starts_deferred_sends(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 3, cq, 0);
    RIORESULT results[3];
    char got[9];
    (void)state;
    memcpy(rc.memory, "AAABBBCCC", 9);
    for (ULONG i = 0; i < 3; i++) {
        rc_send(rq, i * 3, 3, RIO_MSG_DEFER, i);
    }
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
    assert_int_equal(rc_peer_recv(pair.client, got, 9), 9);
    assert_memory_equal(got, "AAABBBCCC", 9);
    assert_int_equal(results[2].RequestContext, 2);
}

/* [LPFN_RIORECEIVE] COMMIT_ONLY starts the deferred receives. */
static void test_commit_starts_deferred_receives(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 2, 1, cq, 0);
    RIORESULT results[2];
    (void)state;
    rc_recv(rq, 0, 2, RIO_MSG_DEFER, 0);
    rc_recv(rq, 2, 2, RIO_MSG_DEFER, 1);
    assert_true(rc.rio.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    rc_peer_send(pair.client, "abcd");
    assert_int_equal(rc_dequeue(cq, results, 2), 2);
    assert_memory_equal(rc.memory, "abcd", 4);
}

/* [LPFN_RIOSEND] a committed send goes out though the program makes no further call. */
static void test_committed_send_needs_no_further_call(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(4), 0);
    char got[4];
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_peer_recv(pair.client, got, 4), 4);
}

/* [LPFN_RIOSEND] COMMIT_ONLY itself completes nothing. */
static void test_commit_generates_no_completion(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    (void)rc_one(cq);
    rc_none(cq);
}

/* [LPFN_RIOSEND] COMMIT_ONLY with nothing deferred succeeds. */
static void test_commit_of_nothing_succeeds(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(8), 0);
    (void)state;
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_true(rc.rio.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
}

/* [LPFN_RIOSEND] a deferred request is charged against the queue. */
static void test_deferred_requests_are_charged(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 2, 2, rc_cq(8), 0);
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    rc_send(rq, 4, 4, RIO_MSG_DEFER, 0);
    rc_refused(try_send(rq, rc_slice(8, 4), RIO_MSG_DEFER), WSAENOBUFS);
    rc_recv(rq, 100, 4, RIO_MSG_DEFER, 0);
    rc_recv(rq, 104, 4, RIO_MSG_DEFER, 0);
    rc_refused(try_recv(rq, rc_slice(108, 4), RIO_MSG_DEFER), WSAENOBUFS);
}

/* [LPFN_RIOSEND] a send without DEFER starts the deferred ones before it. */
static void test_undeferred_send_commits_those_before(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 3, cq, 0);
    char got[9];
    (void)state;
    memcpy(rc.memory, "111222333", 9);
    rc_send(rq, 0, 3, RIO_MSG_DEFER, 0);
    rc_send(rq, 3, 3, RIO_MSG_DEFER, 0);
    rc_send(rq, 6, 3, 0, 0);
    assert_int_equal(rc_peer_recv(pair.client, got, 9), 9);
    assert_memory_equal(got, "111222333", 9);
}

/* [LPFN_RIORECEIVE] a receive commits receives; whether it starts a deferred send: silent. */
static void test_receive_beside_a_deferred_send(void **state) {
    rc_pair pair = rc_connect();
    RIO_RQ rq = rc_rq(pair.server, 1, 1, rc_cq(8), 0);
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER, 0);
    rc_recv(rq, 100, 4, 0, 0);
    rc_open_question("an undeferred receive %s a deferred send",
                     rc_peer_quiet(pair.client) ? "does not start" : "starts");
}

/* [LPFN_RIOSEND] DEFER and DONT_NOTIFY may be combined. */
static void test_defer_and_dont_notify_combine(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_send(rq, 0, 4, RIO_MSG_DEFER | RIO_MSG_DONT_NOTIFY, 9);
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_one(cq).RequestContext, 9);
}

/* [LPFN_RIODEQUEUECOMPLETION] at most ArraySize results a call; the rest stays. */
static void test_dequeue_takes_at_most_the_array(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(16);
    RIO_RQ rq = rc_rq(pair.server, 1, 8, cq, 0);
    RIORESULT results[8];
    char got[32];
    (void)state;
    for (ULONG i = 0; i < 8; i++) {
        rc_send(rq, i * 4, 4, i < 7 ? RIO_MSG_DEFER : 0, i);
    }
    assert_int_equal(rc_peer_recv(pair.client, got, 32), 32);
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
    assert_int_equal(rc_dequeue(cq, results + 3, 5), 5);
    for (ULONG i = 0; i < 8; i++) {
        assert_int_equal(results[i].RequestContext, i);
    }
}

/* [LPFN_RIORECEIVEEX] on a connected stream it receives as RIOReceive does. */
static void test_receive_ex_on_a_stream_works(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = rc_slice(0, 16);
    (void)state;
    assert_true(rc.rio.RIOReceiveEx(rq, &slice, 1, NULL, NULL, NULL, NULL, 0, NULL));
    rc_peer_send(pair.client, "ex");
    assert_int_equal(rc_one(cq).BytesTransferred, 2);
}

/* [LPFN_RIOSENDEX] on a connected stream it sends as RIOSend does. */
static void test_send_ex_on_a_stream_works(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    RIO_BUF slice = rc_slice(0, 2);
    char got[2];
    (void)state;
    memcpy(rc.memory, "ex", 2);
    assert_true(rc.rio.RIOSendEx(rq, &slice, 1, NULL, NULL, NULL, NULL, 0, NULL));
    assert_int_equal(rc_peer_recv(pair.client, got, 2), 2);
}

const struct CMUnitTest rc_request_cases[] = {
    RC_CASE(test_receive_delivers_bytes_into_the_slice),
    RC_CASE(test_receive_leaves_the_rest_untouched),
    RC_CASE(test_receive_leaves_excess_for_the_next),
    RC_CASE(test_contexts_come_back_intact),
    RC_CASE(test_send_delivers_the_slice),
    RC_CASE(test_send_of_three_megabytes_is_whole),
#define X(name, ...) RC_CASE(test_receive_##name), RC_CASE(test_send_##name),
    REFUSALS(X)
#undef X
        RC_CASE(test_request_counts_until_dequeued),
    RC_CASE(test_refused_request_completes_never),
    RC_CASE(test_deregistering_one_leaves_the_other_usable),
    RC_CASE(test_registration_after_the_queues_works),
    RC_CASE(test_receive_with_invented_buffer_is_refused),
    RC_CASE(test_stream_request_without_data),
    RC_CASE(test_send_with_waitall_is_invalid),
    RC_CASE(test_receives_complete_in_order),
    RC_CASE(test_sends_leave_in_order),
    RC_CASE(test_large_sends_keep_their_order),
    RC_CASE(test_receive_at_end_of_stream_gets_zero_bytes),
    RC_CASE(test_send_after_peers_half_close_arrives),
    RC_CASE(test_receive_after_both_half_closes_gets_zero_bytes),
    RC_CASE(test_receive_at_reset_fails),
    RC_CASE(test_sends_after_reset_fail),
    RC_CASE(test_close_over_a_reset_not_dequeued),
    RC_CASE(test_receive_after_reset_fails),
    RC_CASE(test_waitall_completes_when_full),
    RC_CASE(test_waitall_completes_at_end_of_stream),
    RC_CASE(test_receive_without_waitall_completes_short),
    RC_CASE(test_receive_into_empty_slice),
    RC_CASE(test_receive_without_slice_on_a_stream),
    RC_CASE(test_deferred_send_without_commit),
    RC_CASE(test_commit_starts_deferred_sends),
    RC_CASE(test_commit_starts_deferred_receives),
    RC_CASE(test_committed_send_needs_no_further_call),
    RC_CASE(test_commit_generates_no_completion),
    RC_CASE(test_commit_of_nothing_succeeds),
    RC_CASE(test_deferred_requests_are_charged),
    RC_CASE(test_undeferred_send_commits_those_before),
    RC_CASE(test_receive_beside_a_deferred_send),
    RC_CASE(test_defer_and_dont_notify_combine),
    RC_CASE(test_dequeue_takes_at_most_the_array),
    RC_CASE(test_receive_ex_on_a_stream_works),
    RC_CASE(test_send_ex_on_a_stream_works),
};
const size_t rc_request_cases_count = sizeof rc_request_cases / sizeof rc_request_cases[0];
