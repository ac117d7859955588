/* SPDX-License-Identifier: MIT */
/* Patterns of programs with several threads, or several queues, around one port: who dequeues, who
 * posts, who closes. What must not happen at once, RIO's pages say, and these programs hold a lock
 * for it. Loopback; a pass is each completion once, and no signal lost. */
#include "contract.h"

/* ---- several threads on one port */

#define TEAM 3
#define TEAM_PAIRS 8
#define TEAM_BYTES 150

typedef struct team {
    HANDLE port;
    RIO_CQ cq;
    RIO_RQ rq[TEAM_PAIRS];
    SRWLOCK lock; /* over RIODequeueCompletion, RIONotify and posting */
    volatile LONG bytes, errors;
} team;

static void team_took(team *t, const RIORESULT *result) {
    uintptr_t which = (uintptr_t)result->SocketContext;
    RIO_BUF slice = rc_slice((ULONG)which * 64, 64);
    if (result->Status != 0 || !rc.rio.RIOReceive(t->rq[which], &slice, 1, 0, NULL)) {
        InterlockedIncrement(&t->errors);
    }
    InterlockedExchangeAdd(&t->bytes, (LONG)result->BytesTransferred);
}

/* ctsTraffic's loop: a packet, some completions, RIONotify, all under the lock. */
static DWORD WINAPI team_works(void *argument) {
    team *t = argument;
    OVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD n;
    while (GetQueuedCompletionStatus(t->port, &n, &key, &overlapped, RC_WAIT_MS) && key != 0) {
        RIORESULT results[4];
        ULONG count;
        AcquireSRWLockExclusive(&t->lock);
        count = rc.rio.RIODequeueCompletion(t->cq, results, 4);
        for (ULONG i = 0; count != RIO_CORRUPT_CQ && i < count; i++) {
            team_took(t, &results[i]);
        }
        if (rc.rio.RIONotify(t->cq) != ERROR_SUCCESS) {
            InterlockedIncrement(&t->errors);
        }
        ReleaseSRWLockExclusive(&t->lock);
    }
    return 0;
}

/* [LPFN_RIONOTIFY] whichever thread gets the packet dequeues and arms again: nothing is lost. */
static void test_team_of_threads_serves_one_port(void **state) {
    rc_pair pair[TEAM_PAIRS];
    OVERLAPPED mine = {0};
    team t = {.port = rc_port(), .lock = SRWLOCK_INIT};
    ULONGLONG end = GetTickCount64() + RC_WAIT_MS;
    HANDLE thread[TEAM];
    (void)state;
    t.cq = rc_cq_port(TEAM_PAIRS, t.port, (void *)(uintptr_t)1, &mine);
    for (uintptr_t i = 0; i < TEAM_PAIRS; i++) {
        pair[i] = rc_connect();
        t.rq[i] = rc_rq(pair[i].server, 1, 0, t.cq, i);
        rc_recv(t.rq[i], (ULONG)i * 64, 64, 0, 0);
    }
    assert_int_equal(rc.rio.RIONotify(t.cq), ERROR_SUCCESS);
    for (int i = 0; i < TEAM; i++) {
        thread[i] = CreateThread(NULL, 0, team_works, &t, 0, NULL);
    }
    for (int i = 0; i < TEAM_BYTES * TEAM_PAIRS; i++) {
        assert_int_equal(send(pair[i % TEAM_PAIRS].client, "x", 1, 0), 1);
    }
    while (t.bytes < TEAM_BYTES * TEAM_PAIRS && GetTickCount64() < end) {
        Sleep(1);
    }
    for (int i = 0; i < TEAM; i++) {
        PostQueuedCompletionStatus(t.port, 0, 0, NULL);
    }
    assert_int_equal(WaitForMultipleObjects(TEAM, thread, TRUE, RC_WAIT_MS), WAIT_OBJECT_0);
    for (int i = 0; i < TEAM; i++) {
        CloseHandle(thread[i]);
    }
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.bytes, TEAM_BYTES * TEAM_PAIRS);
}

/* [LPFN_RIONOTIFY] armed while something is left in the queue: it signals for that, and once; what
 * is posted afterwards needs an arming of its own. */
static void test_notify_after_a_partial_dequeue(void **state) {
    rc_pair pair = rc_connect();
    HANDLE event = rc_event(FALSE);
    RIO_CQ cq = rc_cq_event(8, event, FALSE);
    RIO_RQ rq = rc_rq(pair.server, 4, 4, cq, 0);
    RIORESULT results[4];
    char got[4];
    (void)state;
    for (ULONG round = 0; round < 20; round++) {
        for (ULONG i = 0; i < 3; i++) {
            rc_send(rq, i, 1, 0, i);
        }
        assert_int_equal(rc_peer_recv(pair.client, got, 3), 3);
        assert_int_equal(rc_one(cq).RequestContext, 0);
        assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
        assert_int_equal(WaitForSingleObject(event, RC_WAIT_MS), WAIT_OBJECT_0);
        rc_send(rq, 3, 1, 0, 3);
        assert_int_equal(rc_dequeue(cq, results, 3), 3);
        assert_int_equal(results[2].RequestContext, 3);
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        rc_recv(rq, 16, 1, 0, 4); /* the queue is empty: armed, it waits */
        assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
        assert_int_equal(WaitForSingleObject(event, 1), WAIT_TIMEOUT);
        rc_peer_send(pair.client, "x");
        assert_int_equal(WaitForSingleObject(event, RC_WAIT_MS), WAIT_OBJECT_0);
        assert_int_equal(rc_one(cq).RequestContext, 4);
        assert_int_equal(rc_peer_recv(pair.client, got, 1), 1);
    }
}

/* ---- posting elsewhere */

#define POSTERS 3
#define POSTS 400u
#define POSTS_OPEN 16u

typedef struct posting {
    RIO_RQ rq;
    SRWLOCK lock;
    volatile LONG next, refused;
} posting;

static DWORD WINAPI post_numbers(void *argument) {
    posting *p = argument;
    for (;;) {
        ULONG number;
        RIO_BUF slice;
        BOOL taken;
        AcquireSRWLockExclusive(&p->lock);
        number = (ULONG)p->next;
        if (number == POSTS) {
            ReleaseSRWLockExclusive(&p->lock);
            return 0;
        }
        slice = rc_slice(number * 4, 4);
        memcpy(rc.memory + number * 4, &number, sizeof number);
        taken = rc.rio.RIOSend(p->rq, &slice, 1, number % 4 == 1 ? RIO_MSG_DEFER : 0,
                               (PVOID)(uintptr_t)number);
        p->next += taken;
        p->refused += !taken && WSAGetLastError() != WSAENOBUFS;
        ReleaseSRWLockExclusive(&p->lock);
        if (!taken) {
            Sleep(1); /* the queue is full: the dequeuer makes room */
        }
    }
}

/* [LPFN_RIOSEND] several threads post to one request queue under a lock, another dequeues without:
 * the order is that of the calls. */
static void test_threads_post_what_another_dequeues(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(POSTS_OPEN + 1);
    posting p = {.rq = rc_rq(pair.server, 1, POSTS_OPEN, cq, 0), .lock = SRWLOCK_INIT};
    static RIORESULT results[POSTS];
    static ULONG got[POSTS];
    HANDLE thread[POSTERS];
    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        thread[i] = CreateThread(NULL, 0, post_numbers, &p, 0, NULL);
    }
    assert_int_equal(rc_dequeue(cq, results, POSTS - 1), POSTS - 1);
    assert_int_equal(WaitForMultipleObjects(POSTERS, thread, TRUE, RC_WAIT_MS), WAIT_OBJECT_0);
    for (int i = 0; i < POSTERS; i++) {
        CloseHandle(thread[i]);
    }
    assert_true(rc.rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_dequeue(cq, results + POSTS - 1, 1), 1);
    assert_int_equal(p.refused, 0);
    assert_int_equal(rc_peer_recv(pair.client, (char *)got, sizeof got), sizeof got);
    for (ULONG i = 0; i < POSTS; i++) {
        assert_int_equal(results[i].RequestContext, i);
        assert_int_equal(got[i], i);
    }
}

/* ---- closing elsewhere */

#define CLOSED 60

static DWORD WINAPI close_all(void *argument) {
    const rc_pair *pair = argument;
    for (int i = 0; i < CLOSED; i++) {
        if (rc.closesocket(pair[i].server) != 0) {
            return 1;
        }
        if (i % 8 == 0) {
            Sleep(1);
        }
    }
    return 0;
}

/* [closesocket] by another thread while this one dequeues: each request completes once. */
static void test_close_by_another_thread_during_dequeue(void **state) {
    enum { EACH = 3 };
    SOCKADDR_IN address;
    SOCKET listener = rc_listener(&address);
    static rc_pair pair[CLOSED];
    static RIORESULT results[CLOSED * EACH];
    ULONG seen[CLOSED] = {0};
    RIO_CQ cq = rc_cq(CLOSED * EACH);
    HANDLE thread;
    DWORD code = 1;

    (void)state;
    for (uintptr_t i = 0; i < CLOSED; i++) {
        RIO_RQ rq;
        pair[i].client = rc_dial(&address);
        pair[i].server = accept(listener, NULL, NULL); /* the thread closes it */
        rq = rc_rq(pair[i].server, EACH - 1, 1, cq, i);
        rc_recv(rq, 0, 16, 0, 0);
        rc_recv(rq, 16, 16, 0, 1);
        if (i % 2) {
            rc_peer_send(pair[i].client, "x");
        }
        rc_send(rq, 32, 16, 0, 2);
    }
    thread = CreateThread(NULL, 0, close_all, pair, 0, NULL);
    assert_int_equal(rc_dequeue(cq, results, CLOSED * EACH), CLOSED * EACH);
    assert_int_equal(WaitForSingleObject(thread, RC_WAIT_MS), WAIT_OBJECT_0);
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    assert_int_equal(code, 0);
    for (ULONG i = 0; i < CLOSED * EACH; i++) {
        ULONG bit = 1u << results[i].RequestContext;
        assert_true(results[i].SocketContext < CLOSED);
        assert_int_equal(seen[results[i].SocketContext] & bit, 0);
        seen[results[i].SocketContext] |= bit;
    }
    rc_none(cq);
}

/* ---- two queues behind one port */

/* [RIO_NOTIFICATION_COMPLETION] one port, one key and one OVERLAPPED for two queues (the page wants
 * one each): what comes is counted, and each queue's arming brings one packet. */
static void test_two_queues_share_one_overlapped(void **state) {
    rc_pair pair = rc_connect();
    HANDLE port = rc_port();
    OVERLAPPED mine = {0}, *got = NULL;
    RIO_CQ recv_cq = rc_cq_port(4, port, NULL, &mine), send_cq = rc_cq_port(4, port, NULL, &mine);
    RIO_RQ rq = rc.rio.RIOCreateRequestQueue(pair.server, 2, 1, 2, 1, recv_cq, send_cq, NULL);
    ULONG packets = 0;
    ULONG_PTR key;
    DWORD bytes;
    (void)state;
    assert_true(rq != RIO_INVALID_RQ);
    for (int i = 0; i < 10; i++) {
        rc_recv(rq, 0, 16, 0, 1);
        assert_int_equal(rc.rio.RIONotify(recv_cq), ERROR_SUCCESS);
        assert_int_equal(rc.rio.RIONotify(send_cq), ERROR_SUCCESS);
        rc_send(rq, 16, 1, 0, 2);
        rc_peer_send(pair.client, "x");
        for (packets = 0; packets < 2; packets++) {
            if (!GetQueuedCompletionStatus(port, &bytes, &key, &got, RC_WAIT_MS)) {
                break;
            }
            assert_ptr_equal(got, &mine);
        }
        rc_one(recv_cq);
        rc_one(send_cq);
        if (packets < 2) {
            break;
        }
    }
    rc_open_question("two queues with one OVERLAPPED: %lu packets for 2 armings", packets);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] a queue made for polling refuses RIONotify, also when it holds
 * completions, and goes on being polled. */
static void test_notify_does_no_harm_to_a_polled_queue(void **state) {
    rc_pair pair = rc_connect();
    RIO_CQ cq = rc_cq(4);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char byte;
    (void)state;
    for (int i = 0; i < 5; i++) {
        rc_send(rq, 0, 1, 0, 1);
        assert_int_equal(rc_peer_recv(pair.client, &byte, 1), 1);
        assert_int_not_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
        assert_int_equal(rc_one(cq).RequestContext, 1);
        assert_int_not_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
    }
}

/* ---- addresses */

#define REMOTE_AT (RC_MEMORY_BYTES - 4096u)

/* [LPFN_RIOSENDEX] one slice with the receiver's address for all sends in flight: it is read only.
 */
static void test_one_address_slice_serves_all_sends(void **state) {
    enum { COUNT = 64 };
    SOCKADDR_INET ours, theirs;
    SOCKET s = rc_udp(AF_INET, &ours), peer = rc_udp(AF_INET, &theirs);
    RIO_BUF remote = rc_slice(REMOTE_AT, sizeof theirs);
    RIO_CQ cq = rc_cq(COUNT + 1);
    RIO_RQ rq = rc_rq(s, 1, COUNT, cq, 0);
    RIORESULT results[COUNT];

    (void)state;
    memcpy(rc.memory + REMOTE_AT, &theirs, sizeof theirs);
    for (uint32_t i = 0; i < COUNT; i++) {
        RIO_BUF data = rc_slice(i * 4, 4);
        memcpy(rc.memory + i * 4, &i, sizeof i);
        assert_true(rc.rio.RIOSendEx(rq, &data, 1, NULL, &remote, NULL, NULL,
                                     i % 5 ? RIO_MSG_DEFER : 0, (PVOID)(uintptr_t)i));
    }
    assert_true(rc.rio.RIOSendEx(rq, NULL, 0, NULL, NULL, NULL, NULL, RIO_MSG_COMMIT_ONLY, NULL));
    assert_int_equal(rc_dequeue(cq, results, COUNT), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t number = 0;
        assert_int_equal(results[i].Status, 0);
        assert_int_equal(results[i].RequestContext, i);
        assert_int_equal(recv(peer, (char *)&number, sizeof number, 0), sizeof number);
        assert_int_equal(number, i);
    }
}

#define FAR_SLICES 100000u
#define FAR_EACH 36u /* four bytes of payload, and an address */

/* A dual-stack socket: IPv6, open to IPv4. INVALID_SOCKET where there is none. */
static SOCKET dual_stack(SOCKADDR_INET *address) {
    SOCKET s = rc_socket_with(AF_INET6, SOCK_DGRAM, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    int bytes = sizeof address->Ipv6;
    DWORD off = 0;
    memset(address, 0, sizeof *address);
    address->si_family = AF_INET6;
    if (setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&off, sizeof off) != 0 ||
        bind(s, (struct sockaddr *)address, bytes) != 0) {
        return INVALID_SOCKET;
    }
    assert_int_equal(getsockname(s, (struct sockaddr *)address, &bytes), 0);
    return s;
}

static void post_far(RIO_RQ rq, RIO_BUFFERID id, ULONG i) {
    RIO_BUF data = {id, i * FAR_EACH, 4}, remote = {id, i * FAR_EACH + 4, sizeof(SOCKADDR_INET)};
    assert_true(rc.rio.RIOReceiveEx(rq, &data, 1, NULL, &remote, NULL, NULL,
                                    i + 1 < FAR_SLICES ? RIO_MSG_DEFER : 0, (PVOID)(uintptr_t)i));
}

/* [LPFN_RIORECEIVEEX] 100,000 posted receives, each with an address slice of its own, on a socket
 * for both families: an IPv4 sender is told as a mapped address. */
static void test_100000_address_slices_on_a_dual_stack(void **state) {
    enum { COUNT = 300 };
    ULONG size = FAR_SLICES * FAR_EACH;
    char *memory = VirtualAlloc(NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    RIO_BUFFERID id = rc.rio.RIORegisterBuffer(memory, size);
    SOCKADDR_INET ours, four, six, told;
    SOCKET s = dual_stack(&ours), peer_four = rc_udp(AF_INET, &four), peer_six;
    RIO_CQ cq = rc_cq(FAR_SLICES);
    RIORESULT results[COUNT];
    SOCKADDR_INET to_four = {.Ipv4 = {.sin_family = AF_INET}}, to_six = {.si_family = AF_INET6};
    RIO_RQ rq;

    (void)state;
    peer_six = s == INVALID_SOCKET ? s : rc_udp(AF_INET6, &six);
    if (peer_six == INVALID_SOCKET) {
        rc_open_question("no IPv6 on this machine");
        rc.rio.RIODeregisterBuffer(id);
        VirtualFree(memory, 0, MEM_RELEASE);
        return;
    }
    to_four.Ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to_four.Ipv4.sin_port = to_six.Ipv6.sin6_port = ours.Ipv6.sin6_port;
    to_six.Ipv6.sin6_addr.s6_addr[15] = 1;
    rq = rc_rq(s, FAR_SLICES, 0, cq, 0);
    for (ULONG i = 0; i < FAR_SLICES; i++) {
        post_far(rq, id, i);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        const SOCKADDR_INET *to = i % 2 ? &to_six : &to_four;
        int bytes = i % 2 ? (int)sizeof to->Ipv6 : (int)sizeof to->Ipv4;
        assert_int_equal(sendto(i % 2 ? peer_six : peer_four, (const char *)&i, sizeof i, 0,
                                (const struct sockaddr *)to, bytes),
                         sizeof i);
        assert_int_equal(rc_dequeue(cq, &results[i], 1), 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].Status, 0);
        assert_int_equal(results[i].RequestContext, i);
        assert_memory_equal(memory + i * FAR_EACH, &i, sizeof i);
        memcpy(&told, memory + i * FAR_EACH + 4, sizeof told);
        assert_int_equal(told.si_family, AF_INET6);
        assert_int_equal(told.Ipv6.sin6_port, i % 2 ? six.Ipv6.sin6_port : four.Ipv4.sin_port);
        assert_int_equal(told.Ipv6.sin6_addr.s6_addr[10], i % 2 ? 0 : 0xFF);
        assert_int_equal(told.Ipv6.sin6_addr.s6_addr[15], 1);
    }
    rc_close(s);
    for (ULONG left = FAR_SLICES - COUNT; left > 0;) {
        ULONG n = rc_dequeue(cq, results, left < COUNT ? left : COUNT);
        assert_true(n > 0);
        left -= n;
    }
    rc.rio.RIODeregisterBuffer(id);
    VirtualFree(memory, 0, MEM_RELEASE);
}

const struct CMUnitTest rc_threads_cases[] = {
    RC_CASE(test_team_of_threads_serves_one_port),
    RC_CASE(test_notify_after_a_partial_dequeue),
    RC_CASE(test_threads_post_what_another_dequeues),
    RC_CASE(test_close_by_another_thread_during_dequeue),
    RC_CASE(test_two_queues_share_one_overlapped),
    RC_CASE(test_notify_does_no_harm_to_a_polled_queue),
    RC_CASE(test_one_address_slice_serves_all_sends),
    RC_CASE(test_100000_address_slices_on_a_dual_stack),
};
const size_t rc_threads_cases_count = sizeof rc_threads_cases / sizeof rc_threads_cases[0];
