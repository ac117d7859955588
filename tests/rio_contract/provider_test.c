/* SPDX-License-Identifier: MIT */
/* What ringside_rio.dll adds to RIO: ringside_rio_wait, _wake, _shutdown and _counters, and the
 * cost that lazy commits promise. Loopback pairs, one completion queue a case; a pass is the
 * result within 5 s, and a number of kernel entries for the commits. The provider is the one
 * RINGSIDE_RIO_PROVIDER names; exit 77 without it. In the emulated mode the wait must refuse. */
#include "ringside_rio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_MS 5000u
#define PAIRS 32

static RIO_EXTENSION_FUNCTION_TABLE rio;
static rs_fn_ringside_rio_wait provider_wait;
static rs_fn_ringside_rio_wake provider_wake;
static rs_fn_ringside_rio_shutdown provider_shutdown;
static rs_fn_ringside_rio_closesocket provider_closesocket;
static rs_fn_ringside_rio_counters provider_counters;
static bool emulated;

static char *memory;
static RIO_BUFFERID id;

typedef struct link {
    SOCKET server, client;
    RIO_RQ rq;
} link;

static link make_link(RIO_CQ cq) {
    const DWORD limit_ms = LIMIT_MS; /* no recv of the client waits for ever */
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    SOCKADDR_IN address;
    int bytes = sizeof address;
    link l;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    l.client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_int_equal(connect(l.client, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(
        setsockopt(l.client, SOL_SOCKET, SO_RCVTIMEO, (const char *)&limit_ms, sizeof limit_ms), 0);
    l.server = accept(listener, NULL, NULL);
    assert_true(l.server != INVALID_SOCKET);
    closesocket(listener);
    l.rq = rio.RIOCreateRequestQueue(l.server, 1, 1, 1, 1, cq, cq, NULL);
    assert_true(l.rq != RIO_INVALID_RQ);
    return l;
}

static void end_link(link l) {
    provider_closesocket(l.server);
    closesocket(l.client);
}

static RIO_CQ make_cq(void) {
    RIO_CQ cq = rio.RIOCreateCompletionQueue(4 * PAIRS, NULL);
    assert_true(cq != RIO_INVALID_CQ);
    return cq;
}

static void post(RIO_RQ rq, bool send) {
    RIO_BUF slice = {id, send ? 0 : 4096, 4};
    assert_true(send ? rio.RIOSend(rq, &slice, 1, RIO_MSG_DEFER, NULL)
                     : rio.RIOReceive(rq, &slice, 1, RIO_MSG_DEFER, NULL));
    assert_true(send ? rio.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL)
                     : rio.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
}

static ULONG take(RIO_CQ cq) {
    RIORESULT results[PAIRS];
    return rio.RIODequeueCompletion(cq, results, PAIRS);
}

/* Waits for at least one completion. */
static void take_some(RIO_CQ cq) {
    ULONGLONG end = GetTickCount64() + LIMIT_MS;
    while (take(cq) == 0) {
        assert_true(GetTickCount64() < end);
        Sleep(1);
    }
}

static bool cannot_wait(RIO_CQ cq) {
    if (!emulated) {
        return false;
    }
    assert_false(provider_wait(cq, NULL, NULL, 0, NULL, 0));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    rio.RIOCloseCompletionQueue(cq);
    return true;
}

static DWORD WINAPI send_soon(void *argument) {
    Sleep(30);
    return (DWORD)send((SOCKET)(uintptr_t)argument, "soon", 4, 0);
}

static void test_wait_ends_at_a_completion(void **state) {
    RIO_CQ cq = make_cq();
    HANDLE thread;
    link l;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    l = make_link(cq);
    post(l.rq, false);
    thread = CreateThread(NULL, 0, send_soon, (void *)(uintptr_t)l.client, 0, NULL);
    for (int waits = 0; take(cq) == 0; waits++) { /* one may end for nothing */
        assert_true(waits < 10);
        assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
    }
    assert_memory_equal(memory + 4096, "soon", 4);
    WaitForSingleObject(thread, LIMIT_MS);
    CloseHandle(thread);
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

static void test_wait_times_out_when_nothing_comes(void **state) {
    RIO_CQ cq = make_cq();
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    assert_false(provider_wait(cq, NULL, NULL, 0, NULL, 0));
    assert_int_equal(GetLastError(), WAIT_TIMEOUT);
    assert_false(provider_wait(cq, NULL, NULL, 0, NULL, 20));
    assert_int_equal(GetLastError(), WAIT_TIMEOUT);
    rio.RIOCloseCompletionQueue(cq);
}

static DWORD WINAPI wake_soon(void *argument) {
    Sleep(30);
    provider_wake((RIO_CQ)argument);
    return 0;
}

static void test_wake_ends_a_wait_now_or_the_next(void **state) {
    RIO_CQ cq = make_cq();
    HANDLE thread;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    for (int i = 0; i < 5; i++) {
        provider_wake(cq);
        assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
    }
    thread = CreateThread(NULL, 0, wake_soon, cq, 0, NULL);
    assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
    WaitForSingleObject(thread, LIMIT_MS);
    CloseHandle(thread);
    rio.RIOCloseCompletionQueue(cq);
}

static void test_wait_hands_out_the_ports_packets(void **state) {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED mine = {0};
    RIO_CQ cq = make_cq();
    ULONG total = 0;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    for (ULONG_PTR i = 0; i < 600; i++) { /* more than the provider holds at a time */
        assert_true(PostQueuedCompletionStatus(port, 7, i, &mine));
    }
    for (int waits = 0; total < 600; waits++) {
        OVERLAPPED_ENTRY entries[50];
        ULONG count = 0;
        assert_true(waits < 600);
        assert_true(provider_wait(cq, port, entries, 50, &count, LIMIT_MS));
        for (ULONG i = 0; i < count; i++) {
            assert_int_equal(entries[i].lpCompletionKey, total++);
            assert_ptr_equal(entries[i].lpOverlapped, &mine);
            assert_int_equal(entries[i].dwNumberOfBytesTransferred, 7);
        }
    }
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(port);
}

/* Packets that the provider holds already end a wait at once, also when nothing new comes. */
static void test_wait_does_not_sleep_over_packets(void **state) {
    enum { PACKETS = 8, LONG_MS = 20000 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED mine = {0};
    RIO_CQ cq = make_cq();
    ULONG count;

    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    (void)provider_wait(cq, port, NULL, 0, &count, 0);
    for (ULONG_PTR i = 0; i < PACKETS; i++) {
        assert_true(PostQueuedCompletionStatus(port, 7, i, &mine));
    }
    Sleep(100); /* it has most likely taken them all by now: what follows are no arrivals */
    for (ULONG_PTR i = 0; i < PACKETS; i++) {
        ULONGLONG start = GetTickCount64();
        OVERLAPPED_ENTRY entry;

        count = 0;
        assert_true(provider_wait(cq, port, &entry, 1, &count, i < 3 ? LIMIT_MS : LONG_MS));
        assert_int_equal(count, 1);
        assert_int_equal(entry.lpCompletionKey, i);
        assert_true(GetTickCount64() - start < LONG_MS);
    }
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(port);
}

static DWORD WINAPI post_soon(void *port) {
    Sleep(100);
    return (DWORD)PostQueuedCompletionStatus(port, 7, 1, NULL);
}

/* One that comes later ends the sleep: a wait that went on to its end would take all the time. */
static void test_wait_ends_at_a_packet(void **state) {
    enum { LONG_MS = 20000 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    RIO_CQ cq = make_cq();
    OVERLAPPED_ENTRY entry;
    ULONGLONG start;
    ULONG count = 0;
    HANDLE thread;

    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    (void)provider_wait(cq, port, NULL, 0, &count, 0);
    thread = CreateThread(NULL, 0, post_soon, port, 0, NULL);
    start = GetTickCount64();
    assert_true(provider_wait(cq, port, &entry, 1, &count, LONG_MS));
    assert_int_equal(count, 1);
    assert_int_equal(entry.lpCompletionKey, 1);
    assert_true(GetTickCount64() - start < LONG_MS / 2);
    (void)WaitForSingleObject(thread, LIMIT_MS);
    CloseHandle(thread);
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(port);
}

/* A call of the program's own on such a socket ends at its event; the provider, to whose port its
 * packet may go as well, leaves it alone: what lies behind the OVERLAPPED is no provider's memory.
 */
static void test_overlapped_call_of_the_program_is_its_own(void **state) {
    struct {
        OVERLAPPED overlapped;
        uintptr_t behind[16]; /* addresses that nobody may read */
    } call;
    char bytes[4] = {0};
    WSABUF buffer = {.len = sizeof bytes, .buf = bytes};
    RIO_CQ cq = make_cq();
    const link l = make_link(cq);
    DWORD got = 0, flags = 0;
    (void)state;
    post(l.rq, false); /* the first request gives the socket to the provider's port */
    assert_int_equal(take(cq), 0);
    assert_int_equal(send(l.client, "past", 4, 0), 4);
    take_some(cq);
    memset(&call, 0, sizeof call);
    memset(call.behind, 0x5A, sizeof call.behind);
    call.overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_int_equal(WSARecv(l.server, &buffer, 1, NULL, &flags, &call.overlapped, NULL),
                     SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSA_IO_PENDING);
    assert_int_equal(send(l.client, "mine", 4, 0), 4);
    assert_int_equal(WaitForSingleObject(call.overlapped.hEvent, LIMIT_MS), WAIT_OBJECT_0);
    assert_true(WSAGetOverlappedResult(l.server, &call.overlapped, &got, FALSE, &flags));
    assert_int_equal(got, 4);
    assert_memory_equal(bytes, "mine", 4);
    post(l.rq, false); /* its completion comes behind that packet */
    assert_int_equal(take(cq), 0);
    assert_int_equal(send(l.client, "next", 4, 0), 4);
    take_some(cq);
    assert_memory_equal(memory + 4096, "next", 4);
    CloseHandle(call.overlapped.hEvent);
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

static RIO_CQ passing_cq;
static link passing_link;

/* Posts, hands it to the kernel, and ends. */
static DWORD WINAPI post_and_exit(void *argument) {
    (void)argument;
    post(passing_link.rq, false);
    return take(passing_cq);
}

/* Linux cancels what a thread that exits has in its ring; Windows does not, and so the provider
 * runs it again. */
static void test_receive_outlives_the_thread_that_posted_it(void **state) {
    RIORESULT result = {0};
    ULONGLONG end;
    HANDLE thread;
    (void)state;
    passing_cq = make_cq();
    passing_link = make_link(passing_cq);
    thread = CreateThread(NULL, 0, post_and_exit, NULL, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
    Sleep(50);
    assert_int_equal(rio.RIODequeueCompletion(passing_cq, &result, 1), 0);
    assert_int_equal(send(passing_link.client, "late", 4, 0), 4);
    for (end = GetTickCount64() + LIMIT_MS;
         rio.RIODequeueCompletion(passing_cq, &result, 1) == 0 && GetTickCount64() < end;) {
        Sleep(1);
    }
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 4);
    end_link(passing_link);
    rio.RIOCloseCompletionQueue(passing_cq);
}

static DWORD WINAPI post_whole_and_exit_later(void *argument) {
    RIO_BUF slice = {id, 4096, 8};
    (void)argument;
    if (!rio.RIOReceive(passing_link.rq, &slice, 1, RIO_MSG_WAITALL, NULL)) {
        return 1;
    }
    Sleep(100); /* half of it comes meanwhile */
    return 0;
}

/* One that is to be whole goes on where it was. */
static void test_receive_of_whole_length_goes_on_after_its_thread(void **state) {
    RIORESULT result = {0};
    ULONGLONG end;
    HANDLE thread;
    (void)state;
    memset(memory + 4096, 0, 8);
    passing_cq = make_cq();
    passing_link = make_link(passing_cq);
    thread = CreateThread(NULL, 0, post_whole_and_exit_later, NULL, 0, NULL);
    Sleep(30);
    assert_int_equal(send(passing_link.client, "half", 4, 0), 4);
    assert_int_equal(WaitForSingleObject(thread, LIMIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
    Sleep(50);
    assert_int_equal(rio.RIODequeueCompletion(passing_cq, &result, 1), 0);
    assert_int_equal(send(passing_link.client, "rest", 4, 0), 4);
    for (end = GetTickCount64() + LIMIT_MS;
         rio.RIODequeueCompletion(passing_cq, &result, 1) == 0 && GetTickCount64() < end;) {
        Sleep(1);
    }
    assert_int_equal(result.Status, 0);
    assert_int_equal(result.BytesTransferred, 8);
    assert_memory_equal(memory + 4096, "halfrest", 8);
    end_link(passing_link);
    rio.RIOCloseCompletionQueue(passing_cq);
}

/* A completion that comes between RIONotify's look at the queue and the arming fires it all the
 * same. With RINGSIDE_RIO_NOTIFY_PAUSE=1 it does come there; without, this is one more case. */
static void test_notify_fires_for_what_came_before_the_arming(void **state) {
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_EVENT_COMPLETION};
    HANDLE thread;
    RIO_CQ cq;
    link l;
    (void)state;
    how.Event.EventHandle = event;
    how.Event.NotifyReset = TRUE;
    cq = rio.RIOCreateCompletionQueue(8, &how);
    assert_true(cq != RIO_INVALID_CQ);
    l = make_link(cq);
    for (int i = 0; i < 5; i++) {
        post(l.rq, false);
        (void)take(cq); /* it is the kernel's */
        thread = CreateThread(NULL, 0, send_soon, (void *)(uintptr_t)l.client, 0, NULL);
        assert_int_equal(rio.RIONotify(cq), ERROR_SUCCESS);
        assert_int_equal(WaitForSingleObject(event, LIMIT_MS), WAIT_OBJECT_0);
        assert_int_equal(WaitForSingleObject(thread, LIMIT_MS), WAIT_OBJECT_0);
        CloseHandle(thread);
        assert_int_equal(take(cq), 1);
    }
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(event);
}

static void test_closing_the_queue_gives_the_port_back(void **state) {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED mine = {0}, *got = NULL;
    RIO_CQ cq = make_cq();
    ULONG_PTR key = 0;
    ULONG count;
    DWORD bytes;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    (void)provider_wait(cq, port, NULL, 0, &count, 0);
    assert_true(PostQueuedCompletionStatus(port, 7, 9, &mine));
    Sleep(30); /* the provider has most likely taken it by now; either way it must come */
    rio.RIOCloseCompletionQueue(cq);
    assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &got, LIMIT_MS));
    assert_int_equal(key, 9);
    assert_ptr_equal(got, &mine);
    CloseHandle(port);
}

/* What receives nothing is not repeated where only the way to receive is another. */
static void skip_if_only_receives_differ(void) {
    if (getenv("RINGSIDE_RIO_MULTISHOT") != NULL) {
        skip();
    }
}

/* More packets than the provider holds ahead, so that its thread waits for room when the queue is
 * closed: each comes back to the port, in order, nothing else does, and the close ends. */
static void test_closing_over_a_full_stash_gives_all_packets_back(void **state) {
    enum { PACKETS = 700, ROUNDS = 20 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED mine = {0};

    (void)state;
    skip_if_only_receives_differ();
    for (int round = 0; round < ROUNDS; round++) {
        RIO_CQ cq = make_cq();
        OVERLAPPED *got = NULL;
        ULONG_PTR key = 0;
        ULONG count;
        DWORD bytes;

        if (cannot_wait(cq)) {
            break;
        }
        (void)provider_wait(cq, port, NULL, 0, &count, 0);
        for (ULONG_PTR i = 0; i < PACKETS; i++) {
            assert_true(PostQueuedCompletionStatus(port, 7, i, &mine));
        }
        Sleep((DWORD)round % 4); /* at times the thread is on its way there, at times asleep */
        rio.RIOCloseCompletionQueue(cq);
        for (ULONG_PTR i = 0; i < PACKETS; i++) {
            assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &got, LIMIT_MS));
            assert_int_equal(key, i);
            assert_ptr_equal(got, &mine);
        }
        assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &got, 0));
    }
    CloseHandle(port);
}

static ULONGLONG enters(void) {
    ringside_rio_counts counts;
    provider_counters(&counts);
    return counts.enters;
}

/* Kernel entries of one commit on each queue and a look at all of them. */
static ULONGLONG commit_on_each(const link *l, RIO_CQ cq) {
    ULONGLONG before = enters();
    ULONG done;
    for (int i = 0; i < PAIRS; i++) {
        post(l[i].rq, true);
    }
    done = take(cq);
    before = enters() - before;
    for (int i = 0; i < 1000 && done < PAIRS; i++) {
        Sleep(1);
        done += take(cq);
    }
    assert_int_equal(done, PAIRS);
    return before;
}

static void test_commits_of_many_queues_enter_the_kernel_once(void **state) {
    static link l[PAIRS];
    RIO_CQ cq = make_cq();
    ULONGLONG fewest = ~0ull;
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        l[i] = make_link(cq);
    }
    /* One for all. The ticker may come between, as often as this machine is slow: the best round
     * tells, of as many as it takes. */
    for (int round = 0; round < 50 && fewest > 3; round++) {
        ULONGLONG count = commit_on_each(l, cq);
        fewest = count < fewest ? count : fewest;
    }
    if (!emulated && getenv("RINGSIDE_RIO_COMMIT") == NULL) {
        assert_in_range(fewest, 1, 3);
    }
    for (int i = 0; i < PAIRS; i++) {
        end_link(l[i]);
    }
    rio.RIOCloseCompletionQueue(cq);
}

static void test_dequeue_of_an_idle_queue_enters_the_kernel_never(void **state) {
    RIO_CQ cq = make_cq();
    link l = make_link(cq);
    ULONGLONG before;
    (void)state;
    post(l.rq, false);
    (void)take(cq);
    before = enters();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(take(cq), 0);
    }
    if (getenv("RINGSIDE_RIO_RING") == NULL) {
        assert_int_equal(enters() - before, 0);
    }
    end_link(l);
    take_some(cq);
    rio.RIOCloseCompletionQueue(cq);
}

/* A commit that no other call follows leaves all the same, also after a time without any, when
 * whatever sees to that has gone to sleep. */
static void test_commit_after_a_pause_leaves_by_itself(void **state) {
    RIO_CQ cq = make_cq();
    link l = make_link(cq);
    (void)state;
    memcpy(memory, "lazy", 4);
    for (int i = 0; i < 3; i++) {
        char got[4];

        Sleep(500);
        post(l.rq, true);
        assert_int_equal(recv(l.client, got, 4, MSG_WAITALL), 4);
        take_some(cq);
    }
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

/* A program that sleeps in the wait comes back by itself: no thread is there for its commits. */
static void test_commit_of_a_waiting_program_leaves_with_the_wait(void **state) {
    RIO_CQ cq = make_cq();
    char bytes[4];
    ULONGLONG before;
    link l;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    l = make_link(cq);
    (void)provider_wait(cq, NULL, NULL, 0, NULL, 0); /* the first one: nothing is there */
    before = enters();
    post(l.rq, true);
    Sleep(30);
    if (getenv("RINGSIDE_RIO_COMMIT") == NULL) {
        assert_int_equal(enters() - before, 0);
    }
    assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
    assert_int_equal(recv(l.client, bytes, sizeof bytes, 0), sizeof bytes);
    take_some(cq);
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

static ULONGLONG patient_waits(void) {
    ringside_rio_counts counts;
    provider_counters(&counts);
    return counts.patience > 0 ? counts.patient : ~0ull;
}

/* A dequeue that finds nothing leaves a commit to the wait that follows; one more sends it. */
static void test_empty_dequeue_leaves_a_commit_to_the_wait(void **state) {
    RIO_CQ cq = make_cq();
    ULONGLONG before;
    link l;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    l = make_link(cq);
    (void)provider_wait(cq, NULL, NULL, 0, NULL, 0);
    for (int i = 0; i < 3; i++) {
        before = enters();
        post(l.rq, true);
        if (getenv("RINGSIDE_RIO_COMMIT") == NULL) {
            assert_int_equal(take(cq), 0);
            assert_int_equal(enters() - before, 0);
        }
        assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
        assert_int_equal(enters() - before, 1);
        assert_int_equal(take(cq), 1);
        assert_int_equal(enters() - before, 1);
        post(l.rq, true);
        take_some(cq); /* without a wait */
    }
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

/* Sends one slice and waits for its end. */
static void send_and_wait(RIO_CQ cq, const link *l) {
    post(l->rq, true);
    while (take(cq) == 0) {
        assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
    }
}

static void ends_without_use(RIO_CQ cq, const link *l, int count) {
    for (int i = 0; i < count; i++) {
        send_and_wait(cq, l);
        (void)provider_wait(cq, NULL, NULL, 0, NULL, 0); /* it saw the end, and posted nothing */
    }
}

/* Ends of sends that led to nothing so far are waited for with the next receive, for a moment. */
static void learn_patience(RIO_CQ cq, const link *l) {
    ends_without_use(cq, l, 70);
}

static void test_wait_is_patient_with_sends_that_nobody_needs(void **state) {
    RIO_CQ cq = make_cq();
    ULONGLONG before;
    link l;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    l = make_link(cq);
    before = patient_waits();
    for (int i = 0; i < 70; i++) {
        send_and_wait(cq, &l); /* each end is followed by a request */
    }
    for (int i = 0; i < 3; i++) { /* not enough in a row */
        ends_without_use(cq, &l, 40);
        send_and_wait(cq, &l);
        send_and_wait(cq, &l);
    }
    assert_int_equal(patient_waits(), before);
    learn_patience(cq, &l);
    if (before != ~0ull && getenv("RINGSIDE_RIO_COMMIT") == NULL) {
        assert_true(patient_waits() > before);
        send_and_wait(cq, &l);
        send_and_wait(cq, &l); /* this end was needed after all */
        before = patient_waits();
        send_and_wait(cq, &l);
        assert_int_equal(patient_waits(), before);
    }
    end_link(l);
    rio.RIOCloseCompletionQueue(cq);
}

/* Whether the big slice was sent before a receive ended the waits. */
static bool sends_before_receive(RIO_CQ cq, const link *big, const link *l) {
    RIO_BUF slice = {id, 0, 65536};
    HANDLE thread = CreateThread(NULL, 0, send_soon, (void *)(uintptr_t)l->client, 0, NULL);
    bool received = false, sent = false;
    post(l->rq, false);
    assert_true(rio.RIOSend(big->rq, &slice, 1, RIO_MSG_DEFER, big->rq));
    assert_true(rio.RIOSend(big->rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    while (!received) {
        RIORESULT results[PAIRS];
        ULONG count = rio.RIODequeueCompletion(cq, results, PAIRS);
        for (ULONG i = 0; i < count; i++) {
            bool is_big = results[i].RequestContext == (ULONGLONG)(uintptr_t)big->rq;
            sent = sent || is_big;
            received = received || !is_big;
        }
        if (count == 0) {
            assert_true(provider_wait(cq, NULL, NULL, 0, NULL, LIMIT_MS));
        }
    }
    WaitForSingleObject(thread, LIMIT_MS);
    CloseHandle(thread);
    return sent;
}

/* A patient wait for a send that cannot end is ended by another connection's receive. */
static void test_patient_wait_does_not_hang_on_a_blocked_send(void **state) {
    const int little = 4096;
    RIO_CQ cq = make_cq();
    bool blocked = false;
    link big, l, other;
    (void)state;
    if (cannot_wait(cq)) {
        return;
    }
    big = make_link(cq);
    l = make_link(cq);
    other = make_link(cq);
    (void)setsockopt(big.server, SOL_SOCKET, SO_SNDBUF, (const char *)&little, sizeof little);
    (void)setsockopt(big.client, SOL_SOCKET, SO_RCVBUF, (const char *)&little, sizeof little);
    for (int i = 0; i < 100 && !blocked; i++) { /* nobody reads */
        learn_patience(cq, &other);
        blocked = !sends_before_receive(cq, &big, &l);
    }
    assert_true(blocked);
    end_link(big);
    end_link(l);
    end_link(other);
    rio.RIOCloseCompletionQueue(cq);
}

static void test_shutdown_comes_after_a_lazy_commit(void **state) {
    RIO_CQ cq = make_cq();
    char got[8];
    (void)state;
    for (int i = 0; i < 20; i++) {
        link l = make_link(cq);
        int bytes = 0, n;
        post(l.rq, true);
        assert_int_equal(provider_shutdown(l.server, SD_SEND), 0);
        while ((n = recv(l.client, got + bytes, 8 - bytes, 0)) > 0) {
            bytes += n;
        }
        assert_int_equal(bytes, 4);
        end_link(l);
        take_some(cq);
    }
    rio.RIOCloseCompletionQueue(cq);
}

/* ctsTraffic registers one piece of memory once for each request that may use it: more than 2^20
 * registrations live at a time, each with an id of its own. */
/* Waits that the provider has registered with the thread pool, seen in its import table. */
static HMODULE provider;
static LONG waits_registered;

static BOOL WINAPI count_register(PHANDLE wait, HANDLE object, WAITORTIMERCALLBACK callback,
                                  PVOID context, ULONG ms, ULONG flags) {
    (void)InterlockedIncrement(&waits_registered);
    return RegisterWaitForSingleObject(wait, object, callback, context, ms, flags);
}

static bool replace_import(const char *name, FARPROC by) {
    char *base = (char *)(void *)provider;
    const FARPROC from = GetProcAddress(GetModuleHandleA("kernel32.dll"), name);
    const IMAGE_NT_HEADERS *headers =
        (const void *)(base + ((const IMAGE_DOS_HEADER *)(const void *)base)->e_lfanew);
    const IMAGE_IMPORT_DESCRIPTOR *import =
        (const void *)(base + headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT]
                                  .VirtualAddress);
    for (; import->Name != 0; import++) {
        for (FARPROC *at = (FARPROC *)(void *)(base + import->FirstThunk); *at != NULL; at++) {
            DWORD before = 0;
            if (*at == from) {
                assert_true(VirtualProtect((void *)at, sizeof *at, PAGE_READWRITE, &before));
                *at = by;
                return true;
            }
        }
    }
    return false;
}

/* ---- standing receives */

enum { STREAM_POSTED_MAX = 8, STREAM_SLICE_MAX = 512, STREAM_BYTES = 200000 };

static char stream_byte(uint32_t at) {
    return (char)((at * 2654435761u) >> 24);
}

typedef struct stream {
    link l;
    RIO_CQ cq;
    RIO_BUFFERID id;
    char *slices;
    uint32_t seed;
    uint32_t posted, taken; /* receives */
    uint32_t sent, received;
    bool whole[STREAM_POSTED_MAX]; /* posted with WAITALL */
    ULONG length[STREAM_POSTED_MAX];
} stream;

static uint32_t stream_random(stream *s, uint32_t below) {
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % below;
}

static void stream_post(stream *s) {
    uint32_t at = s->posted++ % STREAM_POSTED_MAX;
    RIO_BUF slice = {s->id, at * STREAM_SLICE_MAX, 1 + stream_random(s, STREAM_SLICE_MAX)};
    DWORD flags = stream_random(s, 8) == 0 ? RIO_MSG_WAITALL : 0;
    s->whole[at] = flags != 0;
    s->length[at] = slice.Length;
    assert_true(rio.RIOReceive(s->l.rq, &slice, 1, flags, NULL));
}

static void stream_send(stream *s) {
    char bytes[3 * STREAM_SLICE_MAX];
    uint32_t count = 1 + stream_random(s, stream_random(s, 2) == 0 ? 64 : sizeof bytes);
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = stream_byte(s->sent + i);
    }
    assert_int_equal(send(s->l.client, bytes, (int)count, 0), count);
    s->sent += count;
}

static void stream_take(stream *s) {
    RIORESULT results[STREAM_POSTED_MAX];
    ULONG count = rio.RIODequeueCompletion(s->cq, results, STREAM_POSTED_MAX);
    for (ULONG i = 0; i < count; i++) {
        uint32_t at = s->taken++ % STREAM_POSTED_MAX;
        assert_int_equal(results[i].Status, 0);
        assert_in_range(results[i].BytesTransferred, 1, s->length[at]);
        if (s->whole[at]) {
            assert_int_equal(results[i].BytesTransferred, s->length[at]);
        }
        for (ULONG b = 0; b < results[i].BytesTransferred; b++) {
            assert_int_equal(s->slices[at * STREAM_SLICE_MAX + b], stream_byte(s->received + b));
        }
        s->received += results[i].BytesTransferred;
    }
}

static stream stream_open(uint32_t seed) {
    stream s = {.seed = seed, .cq = make_cq()};
    s.l = make_link(s.cq);
    assert_true(rio.RIOResizeRequestQueue(s.l.rq, STREAM_POSTED_MAX, 1));
    s.slices = calloc(STREAM_POSTED_MAX, STREAM_SLICE_MAX);
    assert_non_null(s.slices);
    s.id = rio.RIORegisterBuffer(s.slices, STREAM_POSTED_MAX * STREAM_SLICE_MAX);
    assert_true(s.id != RIO_INVALID_BUFFERID);
    return s;
}

static void stream_close(stream *s) {
    end_link(s->l);
    rio.RIOCloseCompletionQueue(s->cq);
    rio.RIODeregisterBuffer(s->id);
    free(s->slices);
}

/* Receives of all kinds, one to eight posted, against sends of all sizes: no byte is lost or out of
 * order, however the kind of operation changes. */
static void test_stream_in_pieces_arrives_in_order(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        stream s = stream_open(seed);
        ULONGLONG end = GetTickCount64() + 4 * LIMIT_MS;
        while (s.received < STREAM_BYTES) {
            assert_true(GetTickCount64() < end);
            if (s.sent - s.received < 4 * STREAM_SLICE_MAX) {
                stream_send(&s);
            }
            for (uint32_t n = stream_random(&s, STREAM_POSTED_MAX); n > 0; n--) {
                if (s.posted - s.taken < STREAM_POSTED_MAX) {
                    stream_post(&s);
                }
            }
            stream_take(&s);
        }
        stream_close(&s);
    }
}

static ULONGLONG standing(void) {
    ringside_rio_counts counts;
    provider_counters(&counts);
    return counts.standing;
}

/* Where it may, a connection whose receives empty it changes to a standing receive. */
static void test_calm_connection_gets_a_standing_receive(void **state) {
    const char *how = getenv("RINGSIDE_RIO_MULTISHOT");
    bool may = !emulated && (how == NULL || strcmp(how, "always") == 0);
    stream s = stream_open(1);
    (void)state;
    for (int i = 0; i < 16; i++) {
        RIO_BUF slice = {s.id, (s.posted % STREAM_POSTED_MAX) * STREAM_SLICE_MAX, 16};
        char byte = stream_byte(s.sent++);
        s.length[s.posted++ % STREAM_POSTED_MAX] = slice.Length;
        assert_true(rio.RIOReceive(s.l.rq, &slice, 1, 0, NULL));
        assert_int_equal(send(s.l.client, &byte, 1, 0), 1);
        for (ULONGLONG end = GetTickCount64() + LIMIT_MS; s.taken < s.posted;) {
            assert_true(GetTickCount64() < end);
            stream_take(&s);
        }
    }
    assert_int_equal(standing(), may ? 1 : 0);
    stream_close(&s);
    assert_int_equal(standing(), 0);
}

/* All receives that stand with the kernel when the stream ends, or breaks, say so. */
static void test_standing_receives_see_the_end(void **state) {
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        stream s = stream_open(7);
        LINGER hard = {1, 0};
        RIORESULT results[STREAM_POSTED_MAX];
        ULONG count, seen = 0;
        for (int i = 0; i < 6; i++) {
            RIO_BUF slice = {s.id, 0, 16};
            assert_true(rio.RIOReceive(s.l.rq, &slice, 1, 0, NULL));
            assert_int_equal(send(s.l.client, "a", 1, 0), 1);
            take_some(s.cq);
        }
        for (int i = 0; i < STREAM_POSTED_MAX; i++) {
            RIO_BUF slice = {s.id, (ULONG)i * 16, 16};
            assert_true(rio.RIOReceive(s.l.rq, &slice, 1, 0, NULL));
        }
        if (reset) {
            setsockopt(s.l.client, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof hard);
        }
        closesocket(s.l.client);
        s.l.client = INVALID_SOCKET;
        for (ULONGLONG end = GetTickCount64() + LIMIT_MS; seen < STREAM_POSTED_MAX; seen += count) {
            assert_true(GetTickCount64() < end);
            count = rio.RIODequeueCompletion(s.cq, results, STREAM_POSTED_MAX);
            for (ULONG i = 0; i < count; i++) {
                assert_int_equal(results[i].BytesTransferred, 0);
                assert_int_equal(results[i].Status, reset ? WSAECONNRESET : 0);
            }
        }
        stream_close(&s);
    }
}

static volatile LONG reset_done;

static DWORD WINAPI send_and_reset(void *argument) {
    SOCKET client = (SOCKET)(uintptr_t)argument;
    LINGER hard = {1, 0};
    (void)send(client, "a", 1, 0);
    (void)setsockopt(client, SOL_SOCKET, SO_LINGER, (const char *)&hard, sizeof hard);
    (void)closesocket(client);
    (void)InterlockedExchange(&reset_done, 1);
    return 0;
}

/* The reset comes right behind the last data, while this thread is not in the kernel: the kernel
 * tells of both at once. The receive behind the one with the data must still end. */
static void test_reset_right_behind_data_is_seen(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        stream s = stream_open(7);
        RIORESULT results[STREAM_POSTED_MAX];
        ULONGLONG end = GetTickCount64() + LIMIT_MS;
        ULONG seen = 0, count;
        HANDLE thread;
        for (int i = 0; i < 6; i++) {
            RIO_BUF slice = {s.id, 0, 16};
            assert_true(rio.RIOReceive(s.l.rq, &slice, 1, 0, NULL));
            assert_int_equal(send(s.l.client, "a", 1, 0), 1);
            take_some(s.cq);
        }
        for (ULONG i = 0; i < 3; i++) {
            RIO_BUF slice = {s.id, i * 16, 16};
            assert_true(rio.RIOReceive(s.l.rq, &slice, 1, 0, NULL));
        }
        reset_done = 0;
        thread = CreateThread(NULL, 0, send_and_reset, (void *)(uintptr_t)s.l.client, 0, NULL);
        while (!reset_done) {
            YieldProcessor();
        }
        for (; seen < 3; seen += count) {
            assert_true(GetTickCount64() < end);
            count = rio.RIODequeueCompletion(s.cq, results, STREAM_POSTED_MAX);
            for (ULONG i = 0; i < count; i++) { /* the data may be lost: a reset */
                assert_true(results[i].Status == WSAECONNRESET ||
                            (seen + i == 0 && results[i].BytesTransferred == 1));
            }
        }
        s.l.client = INVALID_SOCKET;
        WaitForSingleObject(thread, LIMIT_MS);
        CloseHandle(thread);
        stream_close(&s);
    }
}

/* count: messages that a receive was waiting for, each sent by this thread. */
static void take_one_by_one(stream *s, int count) {
    for (int i = 0; i < count; i++) {
        RIO_BUF slice = {s->id, 0, 16};
        assert_true(rio.RIOReceive(s->l.rq, &slice, 1, RIO_MSG_DEFER, NULL));
        assert_true(rio.RIOReceive(s->l.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
        assert_int_equal(send(s->l.client, "a", 1, 0), 1);
        take_some(s->cq);
    }
}

/* A receive that joins a standing one is a store: here, where each byte comes from a call of this
 * thread, even its completion needs no entry of its own. A plain one is one entry at least. On a
 * busy machine some come late; in one of several rounds most do not. */
static void test_joining_a_standing_receive_enters_the_kernel_never(void **state) {
    enum { MESSAGES = 50, ROUNDS = 20 };
    stream s = stream_open(1);
    ULONGLONG least = MESSAGES;
    (void)state;
    take_one_by_one(&s, 8);
    for (int round = 0; round < ROUNDS && least > MESSAGES / 2; round++) {
        const ULONGLONG before = enters();
        take_one_by_one(&s, MESSAGES);
        const ULONGLONG entries = enters() - before;
        least = entries < least ? entries : least;
    }
    if (standing() == 1) {
        assert_in_range(least, 0, MESSAGES / 2);
    }
    stream_close(&s);
}

/* Sockets in a port of the program's own end their calls by event. Events that are closed after
 * their wait give their number to the next, for which Wine's pool may then wait in the wrong name:
 * the signal is lost. Queues one after the other therefore use the same ones. */
static void test_queues_one_after_the_other_use_the_same_events(void **state) {
    typedef BOOL(WINAPI * register_wait)(PHANDLE, HANDLE, WAITORTIMERCALLBACK, PVOID, ULONG, ULONG);
    enum { CYCLES = 20 };
    const register_wait count = count_register;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    RIO_CQ cq = make_cq();
    FARPROC counted;
    (void)state;
    if (!emulated) {
        rio.RIOCloseCompletionQueue(cq);
        CloseHandle(port);
        return;
    }
    memcpy(&counted, &count, sizeof counted);
    assert_true(replace_import("RegisterWaitForSingleObject", counted));
    for (int i = 0; i < CYCLES; i++) {
        link l = make_link(cq);
        assert_true(CreateIoCompletionPort((HANDLE)l.server, port, 7, 0) == port);
        post(l.rq, false);
        assert_int_equal(send(l.client, "once", 4, 0), 4);
        take_some(cq);
        assert_memory_equal(memory + 4096, "once", 4);
        post(l.rq, false); /* ended by the close: its event is signalled as well */
        end_link(l);
        take_some(cq);
    }
    assert_int_equal(waits_registered, 2); /* a direction each */
    rio.RIOCloseCompletionQueue(cq);
    CloseHandle(port);
}

static void test_more_than_a_million_registrations(void **state) {
    enum { COUNT = (1 << 20) + 5000 };
    RIO_BUFFERID *ids =
        VirtualAlloc(NULL, COUNT * sizeof *ids, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    (void)state;
    skip_if_only_receives_differ();
    assert_non_null(ids);
    for (int i = 0; i < COUNT; i++) {
        ids[i] = rio.RIORegisterBuffer(memory, 4096);
        assert_true(ids[i] != RIO_INVALID_BUFFERID);
        assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    for (int i = 0; i < COUNT; i++) {
        rio.RIODeregisterBuffer(ids[i]);
    }
    VirtualFree(ids, 0, MEM_RELEASE);
}

static void test_everything_is_given_back(void **state) {
    ringside_rio_counts counts;
    (void)state;
    provider_counters(&counts);
    assert_int_equal(counts.completion_queues, 0);
    assert_int_equal(counts.request_queues, 0);
    assert_int_equal(counts.buffers, 1);
}

static void find(HMODULE module, const char *name, void *out) {
    FARPROC found = GetProcAddress(module, name);
    if (found == NULL) {
        fprintf(stderr, "rio_provider_test: no export %s\n", name);
        exit(1);
    }
    memcpy(out, &found, sizeof found);
}

static bool load(const char *path) {
    HMODULE module = provider = LoadLibraryA(path);
    rs_fn_ringside_rio_provider_name name;
    rs_fn_ringside_rio_table table;
    if (module == NULL) {
        return false;
    }
    find(module, "ringside_rio_table", &table);
    find(module, "ringside_rio_provider_name", &name);
    find(module, "ringside_rio_wait", &provider_wait);
    find(module, "ringside_rio_wake", &provider_wake);
    find(module, "ringside_rio_shutdown", &provider_shutdown);
    find(module, "ringside_rio_closesocket", &provider_closesocket);
    find(module, "ringside_rio_counters", &provider_counters);
    if (!table(&rio)) {
        return false;
    }
    emulated = strcmp(name(), "emulated") == 0;
    printf("provider %s\n", name());
    return true;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_ends_at_a_completion),
        cmocka_unit_test(test_wait_times_out_when_nothing_comes),
        cmocka_unit_test(test_wake_ends_a_wait_now_or_the_next),
        cmocka_unit_test(test_wait_hands_out_the_ports_packets),
        cmocka_unit_test(test_wait_does_not_sleep_over_packets),
        cmocka_unit_test(test_wait_ends_at_a_packet),
        cmocka_unit_test(test_overlapped_call_of_the_program_is_its_own),
        cmocka_unit_test(test_receive_outlives_the_thread_that_posted_it),
        cmocka_unit_test(test_receive_of_whole_length_goes_on_after_its_thread),
        cmocka_unit_test(test_notify_fires_for_what_came_before_the_arming),
        cmocka_unit_test(test_closing_the_queue_gives_the_port_back),
        cmocka_unit_test(test_closing_over_a_full_stash_gives_all_packets_back),
        cmocka_unit_test(test_commits_of_many_queues_enter_the_kernel_once),
        cmocka_unit_test(test_dequeue_of_an_idle_queue_enters_the_kernel_never),
        cmocka_unit_test(test_commit_after_a_pause_leaves_by_itself),
        cmocka_unit_test(test_commit_of_a_waiting_program_leaves_with_the_wait),
        cmocka_unit_test(test_empty_dequeue_leaves_a_commit_to_the_wait),
        cmocka_unit_test(test_wait_is_patient_with_sends_that_nobody_needs),
        cmocka_unit_test(test_patient_wait_does_not_hang_on_a_blocked_send),
        cmocka_unit_test(test_shutdown_comes_after_a_lazy_commit),
        cmocka_unit_test(test_stream_in_pieces_arrives_in_order),
        cmocka_unit_test(test_calm_connection_gets_a_standing_receive),
        cmocka_unit_test(test_standing_receives_see_the_end),
        cmocka_unit_test(test_reset_right_behind_data_is_seen),
        cmocka_unit_test(test_joining_a_standing_receive_enters_the_kernel_never),
        cmocka_unit_test(test_queues_one_after_the_other_use_the_same_events),
        cmocka_unit_test(test_more_than_a_million_registrations),
        cmocka_unit_test(test_everything_is_given_back),
    };
    const char *path = getenv("RINGSIDE_RIO_PROVIDER");
    WSADATA data;
    if (path == NULL || WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        printf("skipped: RINGSIDE_RIO_PROVIDER names no provider\n");
        return 77;
    }
    if (!load(path)) {
        return 1;
    }
    memory = VirtualAlloc(NULL, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    id = rio.RIORegisterBuffer(memory, 65536);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
