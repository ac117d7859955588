/* SPDX-License-Identifier: MIT */
/* Many posted datagram receives: they fill as datagrams come, whatever the program does meanwhile,
 * each with one datagram, in order. Loopback; every datagram carries its number. A pass is the
 * count, the order and the bytes. Slices lie one behind the other in the case's memory. */
#include "contract.h"

#define POSTED 2000u
#define BURST 1500u
#define KEPT_MIN 1490u
#define SLICE 1024u
#define BUSY_MS 300u

static RIORESULT results[POSTED];

typedef struct burst {
    SOCKADDR_INET ours, theirs;
    SOCKET s, peer;
    RIO_CQ cq;
    RIO_RQ rq;
} burst;

static burst burst_open(DWORD recvs) {
    burst b;
    b.s = rc_udp(AF_INET, &b.ours);
    b.peer = rc_udp(AF_INET, &b.theirs);
    b.cq = rc_cq(recvs + 4);
    b.rq = rc_rq(b.s, recvs, 4, b.cq, 7);
    assert_int_equal(connect(b.peer, (struct sockaddr *)&b.ours, sizeof b.ours.Ipv4), 0);
    return b;
}

/* A datagram of this many bytes, its number in the first four when there is room. */
static void burst_send(const burst *b, uint32_t number, int bytes) {
    char data[4096];
    memset(data, (int)number, sizeof data);
    memcpy(data, &number, sizeof number);
    assert_int_equal(send(b->peer, data, bytes, 0), bytes);
}

static uint32_t number_at(ULONG offset) {
    uint32_t number;
    memcpy(&number, rc.memory + offset, sizeof number);
    return number;
}

/* How many must have arrived. The emulation keeps a burst in the socket's own buffer, which a
 * machine may not let it enlarge: there it is said, and not demanded. */
static ULONG kept(RIO_CQ cq) {
    ULONG count = rc_dequeue(cq, results, 1);
    while (count < BURST) {
        ULONG n = rc.rio.RIODequeueCompletion(cq, results + count, POSTED - count);
        assert_true(n != RIO_CORRUPT_CQ);
        if (n == 0) {
            break;
        }
        count += n;
        Sleep(1);
    }
    if (strcmp(rc.provider, "emulated") == 0) {
        rc_open_question("emulated: %lu of %u datagrams of a burst taken", count, BURST);
    } else {
        assert_in_range(count, KEPT_MIN, BURST);
    }
    return count;
}

/* [LPFN_RIORECEIVE] requests on a bound datagram socket fill in order while the program is busy. */
static void test_burst_is_taken_while_busy(void **state) {
    burst b = burst_open(POSTED);
    ULONG count;
    (void)state;
    for (ULONG i = 0; i < POSTED; i++) {
        rc_recv(b.rq, i * SLICE, SLICE, 0, i);
    }
    for (uint32_t i = 0; i < BURST; i++) {
        burst_send(&b, i, SLICE);
    }
    Sleep(BUSY_MS);
    count = kept(b.cq);
    for (ULONG i = 0; i < count; i++) {
        assert_int_equal(results[i].Status, 0);
        assert_int_equal(results[i].BytesTransferred, SLICE);
        assert_int_equal(results[i].SocketContext, 7);
        assert_int_equal(results[i].RequestContext, i);
        assert_true(i == 0 || number_at(i * SLICE) > number_at((i - 1) * SLICE));
    }
}

/* The same, deferred and committed once. */
static void test_committed_burst_is_taken_while_busy(void **state) {
    burst b = burst_open(POSTED);
    ULONG count;
    (void)state;
    for (ULONG i = 0; i < POSTED; i++) {
        rc_recv(b.rq, i * SLICE, SLICE, RIO_MSG_DEFER, i);
    }
    assert_true(rc.rio.RIOReceive(b.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc.rio.RIODequeueCompletion(b.cq, results, POSTED), 0);
    for (uint32_t i = 0; i < BURST; i++) {
        burst_send(&b, i, SLICE);
    }
    Sleep(BUSY_MS);
    count = kept(b.cq);
    for (ULONG i = 0; i < count; i++) {
        assert_int_equal(results[i].RequestContext, i);
    }
}

/* Each datagram its own completion, whatever its size: empty ones and ones too long among them. */
static void test_burst_of_all_sizes_keeps_boundaries(void **state) {
    enum { COUNT = 300 };
    burst b = burst_open(COUNT);

    (void)state;
    for (ULONG i = 0; i < COUNT; i++) {
        rc_recv(b.rq, i * SLICE, 512, 0, i);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        burst_send(&b, i, (int)(i * 7 % 600));
        if (i % 50 == 0) {
            assert_int_equal(rc.rio.RIODequeueCompletion(b.cq, results, 0), 0);
        }
    }
    assert_int_equal(rc_dequeue(b.cq, results, COUNT), COUNT);
    for (ULONG i = 0; i < COUNT; i++) {
        ULONG bytes = i * 7 % 600;
        assert_int_equal(results[i].RequestContext, i);
        if (bytes <= 512) {
            assert_int_equal(results[i].Status, 0);
            assert_int_equal(results[i].BytesTransferred, bytes);
        } else {
            assert_int_equal(results[i].Status, WSAEMSGSIZE);
        }
        if (bytes >= 4) {
            assert_int_equal(number_at(i * SLICE), i);
        }
        assert_int_equal((uint8_t)rc.memory[i * SLICE + 512], 0); /* not beyond the slice */
    }
}

/* Slices that grow in progress, and a request queue that is enlarged: none is lost. */
static void test_burst_with_growing_slices(void **state) {
    burst b = burst_open(8);
    ULONG offset = 0;
    uint32_t sent = 0;
    (void)state;
    assert_true(rc.rio.RIOResizeCompletionQueue(b.cq, 600));
    assert_true(rc.rio.RIOResizeRequestQueue(b.rq, 500, 4));
    for (ULONG step = 0; step < 6; step++) {
        ULONG length = 64u << (step * 2 > 6 ? 6 : step * 2); /* 64 to 4,096 */
        for (ULONG i = 0; i < 60; i++, offset += length) {
            rc_recv(b.rq, offset, length, 0, offset);
        }
        for (int i = 0; i < 60; i++) {
            burst_send(&b, sent++, (int)(length > 2000 ? 3000 : length));
        }
    }
    assert_int_equal(rc_dequeue(b.cq, results, sent), sent);
    for (ULONG i = 0; i < sent; i++) {
        assert_int_equal(results[i].Status, 0);
        assert_int_equal(number_at((ULONG)results[i].RequestContext), i);
    }
}

/* [LPFN_RIORECEIVEEX] each with the sender's address in a slice of its own. */
static void test_burst_tells_each_sender(void **state) {
    enum { COUNT = 200 };
    burst b = burst_open(COUNT);
    SOCKADDR_INET other_address, told;
    SOCKET other = rc_udp(AF_INET, &other_address);
    ULONG addresses = COUNT * 64;

    (void)state;
    assert_int_equal(connect(other, (struct sockaddr *)&b.ours, sizeof b.ours.Ipv4), 0);
    for (ULONG i = 0; i < COUNT; i++) {
        RIO_BUF data = rc_slice(i * 64, 64);
        RIO_BUF remote = rc_slice(addresses + i * 64, sizeof told);
        assert_true(rc.rio.RIOReceiveEx(b.rq, &data, 1, NULL, &remote, NULL, NULL, 0, NULL));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(send(i % 3 ? b.peer : other, (const char *)&i, sizeof i, 0), sizeof i);
    }
    assert_int_equal(rc_dequeue(b.cq, results, COUNT), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(number_at(i * 64), i);
        memcpy(&told, rc.memory + addresses + i * 64, sizeof told);
        assert_int_equal(told.Ipv4.sin_port,
                         i % 3 ? b.theirs.Ipv4.sin_port : other_address.Ipv4.sin_port);
    }
}

/* [closesocket] those that took a datagram say so, the others are aborted; each completes once. */
static void test_close_under_a_burst_completes_each_once(void **state) {
    enum { COUNT = 400, SENT = 150 };
    burst b = burst_open(COUNT);
    ULONG good = 0;

    (void)state;
    for (ULONG i = 0; i < COUNT; i++) {
        rc_recv(b.rq, i * 64, 64, 0, i);
    }
    for (uint32_t i = 0; i < SENT; i++) {
        burst_send(&b, i, 16);
    }
    Sleep(RC_QUIET_MS);
    rc_close(b.s);
    assert_int_equal(rc_dequeue(b.cq, results, COUNT), COUNT);
    for (ULONG i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].RequestContext, i);
        assert_true(results[i].Status != 0 || good == i);
        good += results[i].Status == 0;
    }
    rc_open_question("%lu of %d datagrams that came before closesocket complete as received", good,
                     SENT);
    rc_none(b.cq);
}

/* [closesocket] the memory goes right after it, datagrams in some of the receives or not. */
static void test_memory_goes_right_after_a_datagram_socket(void **state) {
    enum { COUNT = 32 };
    RIO_CQ cq = rc_cq(COUNT);

    (void)state;
    for (ULONG i = 0; i < 20; i++) {
        char *memory = VirtualAlloc(NULL, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
        RIO_BUF slice = {rc.rio.RIORegisterBuffer(memory, 65536), 0, 64};
        SOCKADDR_INET ours, theirs;
        SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
        RIO_RQ rq = rc_rq(s, COUNT, 0, cq, 0);

        for (ULONG k = 0; k < COUNT; k++, slice.Offset += 64) {
            assert_true(rc.rio.RIOReceive(rq, &slice, 1, 0, NULL));
        }
        for (ULONG k = 0; k < i; k++) {
            assert_int_equal(sendto(peer, "gram", 4, 0, (struct sockaddr *)&ours, sizeof ours.Ipv4),
                             4);
        }
        rc_close(s);
        rc.rio.RIODeregisterBuffer(slice.BufferId);
        VirtualFree(memory, 0, MEM_RELEASE);
        assert_int_equal(rc_dequeue(cq, results, COUNT), COUNT);
        rc_close(peer);
    }
    rc_none(cq);
}

/* [LPFN_RIOCREATEREQUESTQUEUE] sockets come and go on a queue sized for one, receives taken before
 * the close or not. */
static void test_datagram_sockets_give_their_charge_back(void **state) {
    RIO_CQ cq = rc_cq(4);
    (void)state;
    for (int i = 0; i < 60; i++) {
        SOCKADDR_INET ours, theirs;
        SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
        RIO_RQ rq = rc_rq(s, 3, 1, cq, 0);
        rc_recv(rq, 0, 64, 0, 0);
        assert_int_equal(sendto(peer, "gram", 4, 0, (struct sockaddr *)&ours, sizeof ours.Ipv4), 4);
        assert_int_equal(rc_one(cq).Status, 0);
        if (i % 3 == 0) {
            rc_recv(rq, 0, 64, 0, 0);
        }
        if (i % 3 == 1) { /* a datagram that nobody asked for */
            assert_int_equal(sendto(peer, "gram", 4, 0, (struct sockaddr *)&ours, sizeof ours.Ipv4),
                             4);
        }
        rc_close(s);
        rc_close(peer);
        if (i % 3 == 0) {
            assert_int_not_equal(rc_one(cq).Status, 0);
        }
    }
}

/* [LPFN_RIONOTIFY] a receiver that posts again what it has dequeued, woken by an event, loses and
 * reorders nothing. */
static void test_receiver_that_reposts_loses_nothing(void **state) {
    enum { COUNT = 3000, WINDOW = 64 };
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    HANDLE event = rc_event(FALSE);
    RIO_CQ cq = rc_cq_event(WINDOW, event, FALSE);
    RIO_RQ rq = rc_rq(s, WINDOW, 0, cq, 0);
    uint32_t sent = 0, got = 0;

    (void)state;
    for (ULONG i = 0; i < WINDOW; i++) {
        rc_recv(rq, i * 64, 64, 0, i);
    }
    while (got < COUNT) {
        ULONG n;
        for (; sent < COUNT && sent < got + WINDOW / 2; sent++) {
            assert_int_equal(sendto(peer, (const char *)&sent, sizeof sent, 0,
                                    (struct sockaddr *)&ours, sizeof ours.Ipv4),
                             sizeof sent);
        }
        assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
        assert_int_equal(WaitForSingleObject(event, RC_WAIT_MS), WAIT_OBJECT_0);
        n = rc.rio.RIODequeueCompletion(cq, results, WINDOW / 4);
        for (ULONG i = 0; i < n; i++) {
            ULONG slot = (ULONG)results[i].RequestContext;
            assert_int_equal(results[i].Status, 0);
            assert_int_equal(number_at(slot * 64), got++);
            rc_recv(rq, slot * 64, 64, 0, slot);
        }
    }
}

/* [LPFN_RIOSEND] datagrams committed at once leave without another call of the program. */
static void test_committed_datagrams_leave_while_busy(void **state) {
    enum { COUNT = 100 };
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(COUNT + 4);
    RIO_RQ rq = rc_rq(s, 1, COUNT, cq, 0);

    (void)state;
    assert_int_equal(connect(s, (struct sockaddr *)&theirs, sizeof theirs.Ipv4), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        memcpy(rc.memory + i * 64, &i, sizeof i);
        rc_send(rq, i * 64, 64, RIO_MSG_DEFER, i);
    }
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    for (uint32_t i = 0; i < COUNT; i++) {
        char got[64];
        uint32_t number;
        assert_int_equal(recv(peer, got, sizeof got, 0), 64);
        memcpy(&number, got, sizeof number);
        assert_int_equal(number, i);
    }
    assert_int_equal(rc_dequeue(cq, results, COUNT), COUNT);
    for (ULONG i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].RequestContext, i);
        assert_int_equal(results[i].Status, 0);
    }
}

const struct CMUnitTest rc_burst_cases[] = {
    RC_CASE(test_burst_is_taken_while_busy),
    RC_CASE(test_committed_burst_is_taken_while_busy),
    RC_CASE(test_burst_of_all_sizes_keeps_boundaries),
    RC_CASE(test_burst_with_growing_slices),
    RC_CASE(test_burst_tells_each_sender),
    RC_CASE(test_close_under_a_burst_completes_each_once),
    RC_CASE(test_memory_goes_right_after_a_datagram_socket),
    RC_CASE(test_datagram_sockets_give_their_charge_back),
    RC_CASE(test_receiver_that_reposts_loses_nothing),
    RC_CASE(test_committed_datagrams_leave_while_busy),
};
const size_t rc_burst_cases_count = sizeof rc_burst_cases / sizeof rc_burst_cases[0];
