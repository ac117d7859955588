/* SPDX-License-Identifier: MIT */
/* Datagrams: bound UDP sockets, addresses by the Ex functions. Loopback; the peer is an ordinary
 * blocking socket. Address slices live in the last page of the memory. */
#include "contract.h"

#define REMOTE_AT (RC_MEMORY_BYTES - 4096u)
#define LOCAL_AT (REMOTE_AT + 64u)
#define FLAGS_AT (REMOTE_AT + 128u)

static int address_bytes(const SOCKADDR_INET *address) {
    return address->si_family == AF_INET ? (int)sizeof address->Ipv4 : (int)sizeof address->Ipv6;
}

static void peer_send_to(SOCKET s, const char *data, int bytes, const SOCKADDR_INET *to) {
    assert_int_equal(sendto(s, data, bytes, 0, (const struct sockaddr *)to, address_bytes(to)),
                     bytes);
}

static bool receive_ex(RIO_RQ rq, ULONG offset, ULONG length, RIO_BUF *local, RIO_BUF *remote,
                       RIO_BUF *flags) {
    RIO_BUF slice = rc_slice(offset, length);
    return rc.rio.RIOReceiveEx(rq, &slice, 1, local, remote, NULL, flags, 0, NULL) != 0;
}

/* [LPFN_RIORECEIVE] a bound UDP socket receives. */
static void test_datagram_is_received(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(4);
    (void)state;
    rc_recv(rc_rq(s, 1, 1, cq, 0), 0, 64, 0, 0);
    peer_send_to(peer, "gram", 4, &ours);
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
    assert_memory_equal(rc.memory, "gram", 4);
}

/* [LPFN_RIORECEIVE] one receive, one datagram: boundaries are kept. */
static void test_datagram_boundaries_are_kept(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 3, 1, cq, 0);
    RIORESULT results[3];
    (void)state;
    for (ULONG i = 0; i < 3; i++) {
        rc_recv(rq, i * 64, 64, 0, i);
    }
    peer_send_to(peer, "a", 1, &ours);
    peer_send_to(peer, "bb", 2, &ours);
    peer_send_to(peer, "ccc", 3, &ours);
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
    for (ULONG i = 0; i < 3; i++) {
        assert_int_equal(results[i].BytesTransferred, i + 1);
        assert_int_equal(results[i].RequestContext, i);
    }
}

/* [LPFN_RIORECEIVEEX] pRemoteAddress holds the sender's address on completion. */
static void test_receive_ex_tells_the_sender(void **state) {
    SOCKADDR_INET ours, theirs, told;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof told);
    RIO_CQ cq = rc_cq(4);
    (void)state;
    assert_true(receive_ex(rc_rq(s, 1, 1, cq, 0), 0, 64, NULL, &remote, NULL));
    peer_send_to(peer, "x", 1, &ours);
    assert_int_equal(rc_one(cq).Status, 0);
    memcpy(&told, rc.memory + REMOTE_AT, sizeof told);
    assert_int_equal(told.si_family, AF_INET);
    assert_int_equal(told.Ipv4.sin_port, theirs.Ipv4.sin_port);
    assert_int_equal(told.Ipv4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

/* [LPFN_RIORECEIVEEX] pLocalAddress holds the address that the datagram came to. */
static void test_receive_ex_tells_the_local_address(void **state) {
    SOCKADDR_INET ours, theirs, told;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF local = rc_slice(LOCAL_AT, sizeof told);
    RIO_CQ cq = rc_cq(4);
    (void)state;
    assert_true(receive_ex(rc_rq(s, 1, 1, cq, 0), 0, 64, &local, NULL, NULL));
    peer_send_to(peer, "x", 1, &ours);
    assert_int_equal(rc_one(cq).Status, 0);
    memcpy(&told, rc.memory + LOCAL_AT, sizeof told);
    assert_int_equal(told.si_family, AF_INET);
    assert_int_equal(told.Ipv4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    rc_open_question("local address: port %s", told.Ipv4.sin_port == ours.Ipv4.sin_port
                                                   ? "of the socket"
                                                   : "other than the socket's");
}

/* [LPFN_RIORECEIVEEX] an IPv6 sender comes as a SOCKADDR_INET of that family. */
static void test_receive_ex_tells_an_ipv6_sender(void **state) {
    SOCKADDR_INET ours, theirs, told;
    SOCKET s = rc_udp(AF_INET6, &ours), peer;
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof told);
    RIO_CQ cq = rc_cq(4);
    (void)state;
    if (s == INVALID_SOCKET) {
        rc_open_question("no IPv6 loopback on this machine");
        return;
    }
    peer = rc_udp(AF_INET6, &theirs);
    assert_true(receive_ex(rc_rq(s, 1, 1, cq, 0), 0, 64, NULL, &remote, NULL));
    peer_send_to(peer, "six", 3, &ours);
    assert_int_equal(rc_one(cq).BytesTransferred, 3);
    memcpy(&told, rc.memory + REMOTE_AT, sizeof told);
    assert_int_equal(told.si_family, AF_INET6);
    assert_int_equal(told.Ipv6.sin6_port, theirs.Ipv6.sin6_port);
    assert_memory_equal(&told.Ipv6.sin6_addr, &theirs.Ipv6.sin6_addr, 16);
}

/* [LPFN_RIOSENDEX] pRemoteAddress names the receiver. */
static void test_send_ex_goes_to_the_address(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF data = rc_slice(0, 4), remote = rc_slice(REMOTE_AT, sizeof theirs);
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(s, 1, 1, cq, 0);
    char got[16];
    RIORESULT result;
    (void)state;
    memcpy(rc.memory, "ping", 4);
    memcpy(rc.memory + REMOTE_AT, &theirs, sizeof theirs);
    assert_true(rc.rio.RIOSendEx(rq, &data, 1, NULL, &remote, NULL, NULL, 0, NULL));
    assert_int_equal(recv(peer, got, sizeof got, 0), 4);
    assert_memory_equal(got, "ping", 4);
    result = rc_one(cq);
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 4);
}

/* [LPFN_RIOSENDEX] the same over IPv6. */
static void test_send_ex_goes_to_an_ipv6_address(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET6, &ours), peer;
    RIO_BUF data = rc_slice(0, 4), remote = rc_slice(REMOTE_AT, sizeof theirs);
    RIO_CQ cq = rc_cq(4);
    char got[16];
    (void)state;
    if (s == INVALID_SOCKET) {
        rc_open_question("no IPv6 loopback on this machine");
        return;
    }
    peer = rc_udp(AF_INET6, &theirs);
    memcpy(rc.memory, "six!", 4);
    memcpy(rc.memory + REMOTE_AT, &theirs, sizeof theirs);
    assert_true(
        rc.rio.RIOSendEx(rc_rq(s, 1, 1, cq, 0), &data, 1, NULL, &remote, NULL, NULL, 0, NULL));
    assert_int_equal(recv(peer, got, sizeof got, 0), 4);
    assert_int_equal(rc_one(cq).Status, 0);
}

/* [LPFN_RIOSENDEX] pRemoteAddress may be NULL when the socket is connected; so RIOSend works. */
static void test_send_on_a_connected_datagram_socket(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(4);
    char got[16];
    (void)state;
    assert_int_equal(connect(s, (struct sockaddr *)&theirs, address_bytes(&theirs)), 0);
    memcpy(rc.memory, "conn", 4);
    rc_send(rc_rq(s, 1, 1, cq, 0), 0, 4, 0, 0);
    assert_int_equal(recv(peer, got, sizeof got, 0), 4);
    assert_int_equal(rc_one(cq).BytesTransferred, 4);
}

/* [LPFN_RIOSENDEX] pData may be NULL on a bound UDP socket: an empty datagram. */
static void test_send_ex_without_data_sends_an_empty_datagram(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof theirs);
    RIO_CQ cq = rc_cq(4);
    char got[16];
    (void)state;
    memcpy(rc.memory + REMOTE_AT, &theirs, sizeof theirs);
    assert_true(
        rc.rio.RIOSendEx(rc_rq(s, 1, 1, cq, 0), NULL, 0, NULL, &remote, NULL, NULL, 0, NULL));
    assert_int_equal(recv(peer, got, sizeof got, 0), 0);
    assert_int_equal(rc_one(cq).Status, 0);
}

/* [LPFN_RIORECEIVEEX] pData may be NULL when the payload is not wanted. */
static void test_receive_ex_without_data_takes_the_datagram(void **state) {
    SOCKADDR_INET ours, theirs, told;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof told);
    RIO_CQ cq = rc_cq(4);
    RIORESULT result;
    (void)state;
    assert_true(
        rc.rio.RIOReceiveEx(rc_rq(s, 1, 1, cq, 0), NULL, 0, NULL, &remote, NULL, NULL, 0, NULL));
    peer_send_to(peer, "unwanted", 8, &ours);
    result = rc_one(cq);
    memcpy(&told, rc.memory + REMOTE_AT, sizeof told);
    assert_int_equal(told.Ipv4.sin_port, theirs.Ipv4.sin_port);
    rc_open_question("receive without payload: status %ld, %lu bytes", result.Status,
                     result.BytesTransferred);
}

/* [LPFN_RIORECEIVEEX] an address slice smaller than SOCKADDR_INET is refused. */
static void test_receive_ex_with_small_address_slice_is_refused(void **state) {
    SOCKADDR_INET ours;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof ours - 1);
    (void)state;
    assert_false(receive_ex(rc_rq(s, 1, 1, rc_cq(4), 0), 0, 64, NULL, &remote, NULL));
    rc_open_question("small address slice: error %d", WSAGetLastError());
}

/* [LPFN_RIOSENDEX] pLocalAddress is reserved and must be NULL. */
static void test_send_ex_with_local_address_is_refused(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_BUF data = rc_slice(0, 4), local = rc_slice(LOCAL_AT, sizeof ours);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof ours);
    (void)state;
    (void)rc_udp(AF_INET, &theirs);
    memcpy(rc.memory + REMOTE_AT, &theirs, sizeof theirs);
    assert_false(rc.rio.RIOSendEx(rc_rq(s, 1, 1, rc_cq(4), 0), &data, 1, &local, &remote, NULL,
                                  NULL, 0, NULL));
}

/* [LPFN_RIORECEIVEEX] a deregistered address buffer: WSAEFAULT. */
static void test_receive_ex_with_deregistered_address_faults(void **state) {
    SOCKADDR_INET ours;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_BUF slice = rc_slice(0, 64);
    RIO_BUF remote = {rc.rio.RIORegisterBuffer(rc.memory + REMOTE_AT, 64), 0, sizeof ours};
    RIO_RQ rq = rc_rq(s, 1, 1, rc_cq(4), 0);
    (void)state;
    rc.rio.RIODeregisterBuffer(remote.BufferId);
    rc_refused(rc.rio.RIOReceiveEx(rq, &slice, 1, NULL, &remote, NULL, NULL, 0, NULL), WSAEFAULT);
}

/* [LPFN_RIORECEIVEEX] COMMIT_ONLY: the address parameters must be NULL. */
static void test_commit_ex_with_an_address_is_refused(void **state) {
    SOCKADDR_INET ours;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof ours);
    RIO_RQ rq = rc_rq(s, 1, 1, rc_cq(4), 0);
    (void)state;
    rc_refused(
        rc.rio.RIOReceiveEx(rq, NULL, 0, NULL, &remote, NULL, NULL, RIO_MSG_COMMIT_ONLY, NULL),
        WSAEINVAL);
    assert_true(
        rc.rio.RIOReceiveEx(rq, NULL, 0, NULL, NULL, NULL, NULL, RIO_MSG_COMMIT_ONLY, NULL));
}

/* [LPFN_RIORECEIVEEX] RIO_MSG_WAITALL is not supported on datagrams; how it fails: silent. */
static void test_waitall_on_a_datagram_socket(void **state) {
    SOCKADDR_INET ours;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_BUF slice = rc_slice(0, 64);
    BOOL taken = rc.rio.RIOReceive(rc_rq(s, 1, 1, rc_cq(4), 0), &slice, 1, RIO_MSG_WAITALL, NULL);
    (void)state;
    rc_open_question("WAITALL on a datagram socket: %s, error %d", taken ? "taken" : "refused",
                     taken ? 0 : WSAGetLastError());
}

/* Silent: a datagram larger than its slice. */
static void test_datagram_larger_than_its_slice(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(4);
    RIORESULT result;
    (void)state;
    rc_recv(rc_rq(s, 1, 1, cq, 0), 0, 4, 0, 0);
    peer_send_to(peer, "too long", 8, &ours);
    result = rc_one(cq);
    rc_open_question("datagram of 8 in a slice of 4: status %ld, %lu bytes", result.Status,
                     result.BytesTransferred);
    assert_int_equal(rc.memory[4], 0);
}

/* [LPFN_RIOSEND] deferred datagrams leave at the commit, each by itself. */
static void test_deferred_datagrams_leave_at_the_commit(void **state) {
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_CQ cq = rc_cq(8);
    RIO_RQ rq = rc_rq(s, 1, 3, cq, 0);
    RIORESULT results[3];
    char got[16];
    (void)state;
    assert_int_equal(connect(s, (struct sockaddr *)&theirs, address_bytes(&theirs)), 0);
    for (ULONG i = 0; i < 3; i++) {
        rc_send(rq, i * 8, i + 1, RIO_MSG_DEFER, i);
    }
    assert_true(rc.rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_dequeue(cq, results, 3), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(recv(peer, got, sizeof got, 0), i + 1);
    }
}

/* [closesocket] a receive outstanding on a datagram socket completes at close, with an error. */
static void test_close_completes_a_datagram_receive(void **state) {
    SOCKADDR_INET ours;
    SOCKET s = rc_udp(AF_INET, &ours);
    RIO_CQ cq = rc_cq(4);
    (void)state;
    rc_recv(rc_rq(s, 1, 1, cq, 0), 0, 64, 0, 0);
    rc_close(s);
    assert_int_not_equal(rc_one(cq).Status, 0);
}

const struct CMUnitTest rc_datagram_cases[] = {
    RC_CASE(test_datagram_is_received),
    RC_CASE(test_datagram_boundaries_are_kept),
    RC_CASE(test_receive_ex_tells_the_sender),
    RC_CASE(test_receive_ex_tells_the_local_address),
    RC_CASE(test_receive_ex_tells_an_ipv6_sender),
    RC_CASE(test_send_ex_goes_to_the_address),
    RC_CASE(test_send_ex_goes_to_an_ipv6_address),
    RC_CASE(test_send_on_a_connected_datagram_socket),
    RC_CASE(test_send_ex_without_data_sends_an_empty_datagram),
    RC_CASE(test_receive_ex_without_data_takes_the_datagram),
    RC_CASE(test_receive_ex_with_small_address_slice_is_refused),
    RC_CASE(test_send_ex_with_local_address_is_refused),
    RC_CASE(test_receive_ex_with_deregistered_address_faults),
    RC_CASE(test_commit_ex_with_an_address_is_refused),
    RC_CASE(test_waitall_on_a_datagram_socket),
    RC_CASE(test_datagram_larger_than_its_slice),
    RC_CASE(test_deferred_datagrams_leave_at_the_commit),
    RC_CASE(test_close_completes_a_datagram_receive),
};
const size_t rc_datagram_cases_count = sizeof rc_datagram_cases / sizeof rc_datagram_cases[0];
