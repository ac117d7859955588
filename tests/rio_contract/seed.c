/* SPDX-License-Identifier: MIT */
/* A small RIO program that breaks one rule, for riorun --verify: rio_seed CASE. Each case is the
 * same well-behaved exchange over a loopback pair with one thing wrong; "none" and "patterns" keep
 * every rule of RIO's documentation, in the ways that public programs do. Exit 0 whatever the
 * provider said to the breach, 2 for an unknown case; rio_seed alone prints the cases. */
#include "rio/rio_abi.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BYTES 65536u
#define WAIT_STEPS 5000
#define RACE_MS 200u

static RIO_EXTENSION_FUNCTION_TABLE rio;

static struct {
    SOCKET listener, server, client;
    HANDLE event;
    RIO_CQ cq, polled;
    RIO_RQ rq;
    char *memory;
    RIO_BUFFERID id;
    RIO_BUF slice[8]; /* descriptors of their own */
    ULONG outstanding;
    bool leaves; /* what is left ends with the process */
} p;

static void stop(const char *what) {
    printf("rio_seed: %s: error %d\n", what, WSAGetLastError());
    ExitProcess(3);
}

static void connect_pair(void) {
    SOCKADDR_IN address = {.sin_family = AF_INET};
    int bytes = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p.listener = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    if (bind(p.listener, (struct sockaddr *)&address, bytes) != 0 || listen(p.listener, 4) != 0) {
        stop("listen");
    }
    getsockname(p.listener, (struct sockaddr *)&address, &bytes);
    p.client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(p.client, (struct sockaddr *)&address, bytes) != 0) {
        stop("connect");
    }
    p.server = accept(p.listener, NULL, NULL);
}

static void start(void) {
    GUID id = WSAID_MULTIPLE_RIO;
    RIO_NOTIFICATION_COMPLETION how;
    DWORD bytes = 0;
    connect_pair();
    if (WSAIoctl(p.server, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio,
                 sizeof rio, &bytes, NULL, NULL) != 0) {
        stop("no RIO: run this below riorun");
    }
    p.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    memset(&how, 0, sizeof how);
    how.Type = RIO_EVENT_COMPLETION;
    how.Event.EventHandle = p.event;
    p.cq = rio.RIOCreateCompletionQueue(8, &how);
    p.polled = rio.RIOCreateCompletionQueue(8, NULL);
    p.rq = rio.RIOCreateRequestQueue(p.server, 4, 1, 4, 1, p.cq, p.cq, NULL);
    p.memory = VirtualAlloc(NULL, BYTES, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    p.id = rio.RIORegisterBuffer(p.memory, BYTES);
    if (p.rq == NULL || p.memory == NULL || p.id == RIO_INVALID_BUFFERID) {
        stop("set-up");
    }
}

static bool post(bool is_recv, int descriptor, ULONG offset, ULONG bytes, DWORD flags) {
    RIO_BUF *slice = &p.slice[descriptor];
    BOOL taken;
    *slice = (RIO_BUF){p.id, offset, bytes};
    taken = is_recv ? rio.RIOReceive(p.rq, slice, 1, flags, NULL)
                    : rio.RIOSend(p.rq, slice, 1, flags, NULL);
    p.outstanding += taken != 0;
    return taken != 0;
}

static void take(ULONG want) {
    RIORESULT results[8];
    for (int i = 0; i < WAIT_STEPS && want > 0; i++) {
        ULONG n = rio.RIODequeueCompletion(p.cq, results, want < 8 ? want : 8);
        if (n == RIO_CORRUPT_CQ) {
            return;
        }
        want -= n;
        p.outstanding -= n;
        if (n == 0) {
            Sleep(1);
        }
    }
}

static void say(const char *text) {
    (void)send(p.client, text, (int)strlen(text), 0); /* small: it fits */
}

static void finish(void) {
    if (p.leaves) {
        return;
    }
    closesocket(p.server);
    take(p.outstanding);
    rio.RIOCloseCompletionQueue(p.cq);
    rio.RIOCloseCompletionQueue(p.polled);
    rio.RIODeregisterBuffer(p.id);
    closesocket(p.client);
    closesocket(p.listener);
}

/* ---- rules kept */

static void none(void) {
    post(true, 0, 0, 64, 0);
    post(false, 1, 64, 64, RIO_MSG_DEFER);
    rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    rio.RIONotify(p.cq);
    say("hello");
    WaitForSingleObject(p.event, 5000);
    take(2);
}

static SRWLOCK pattern_lock = SRWLOCK_INIT;

static DWORD WINAPI pattern_post(void *unused) {
    (void)unused;
    for (int i = 0; i < 200; i++) {
        RIO_BUF slice = {p.id, 4096, 16};
        AcquireSRWLockExclusive(&pattern_lock);
        if (rio.RIOSend(p.rq, &slice, 1, 0, NULL)) { /* full at times, which is no harm */
            InterlockedIncrement((volatile LONG *)&p.outstanding);
        }
        take(1);
        ReleaseSRWLockExclusive(&pattern_lock);
    }
    return 0;
}

/* What public programs do: threads under a lock, a descriptor on the stack, the same bytes sent by
 * two requests, a commit after RIONotify, one memory registered twice. */
static void patterns(void) {
    RIO_BUFFERID again = rio.RIORegisterBuffer(p.memory, BYTES);
    HANDLE thread[2];
    char sink[8192];
    for (int i = 0; i < 2; i++) {
        thread[i] = CreateThread(NULL, 0, pattern_post, NULL, 0, NULL);
    }
    WaitForMultipleObjects(2, thread, TRUE, 20000);
    CloseHandle(thread[0]);
    CloseHandle(thread[1]);
    post(false, 0, 0, 64, RIO_MSG_DEFER);
    rio.RIONotify(p.cq);
    post(false, 1, 0, 64, RIO_MSG_DEFER);
    rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    WaitForSingleObject(p.event, 5000);
    take(2);
    (void)recv(p.client, sink, sizeof sink, 0);
    rio.RIODeregisterBuffer(again);
}

/* ---- one rule broken each */

static HANDLE race_begun;

/* Valid calls, and two threads make them without a lock. */
static DWORD WINAPI race_rq(void *unused) {
    ULONGLONG end = GetTickCount64() + RACE_MS;
    (void)unused;
    SetEvent(race_begun);
    while (GetTickCount64() < end) {
        (void)rio.RIOResizeRequestQueue(p.rq, 4, 4);
    }
    return 0;
}

static DWORD WINAPI race_cq(void *unused) {
    ULONGLONG end = GetTickCount64() + RACE_MS;
    (void)unused;
    SetEvent(race_begun);
    while (GetTickCount64() < end) {
        RIORESULT result;
        (void)rio.RIODequeueCompletion(p.cq, &result, 1);
    }
    return 0;
}

static void race(LPTHREAD_START_ROUTINE routine) {
    HANDLE thread;
    race_begun = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = CreateThread(NULL, 0, routine, NULL, 0, NULL);
    WaitForSingleObject(race_begun, 5000);
    routine(NULL);
    WaitForSingleObject(thread, 20000);
    CloseHandle(thread);
    CloseHandle(race_begun);
}

static void rq_thread(void) {
    race(race_rq);
}

static void cq_thread(void) {
    race(race_cq);
}

static void buffer_stale(void) {
    RIO_BUF slice = {rio.RIORegisterBuffer(p.memory, 4096), 0, 64};
    rio.RIODeregisterBuffer(slice.BufferId);
    (void)rio.RIOSend(p.rq, &slice, 1, 0, NULL);
}

static void buffer_invented(void) {
    RIO_BUF slice = {(RIO_BUFFERID)(uintptr_t)0x12345, 0, 64};
    (void)rio.RIOReceive(p.rq, &slice, 1, 0, NULL);
}

static void buffer_twice(void) {
    RIO_BUFFERID id = rio.RIORegisterBuffer(p.memory, 4096);
    rio.RIODeregisterBuffer(id);
    rio.RIODeregisterBuffer(id);
}

static void range(void) {
    (void)post(false, 0, BYTES - 10, 20, 0);
}

static void overlap_receives(void) {
    post(true, 0, 0, 64, 0);
    post(true, 1, 32, 64, 0);
}

static void overlap_send_in_receive(void) {
    post(true, 0, 0, 64, 0);
    post(false, 1, 60, 8, 0);
}

static void overlap_by_two_ids(void) {
    RIO_BUF other = {rio.RIORegisterBuffer(p.memory, BYTES), 16, 16};
    post(true, 0, 0, 64, 0);
    p.outstanding += rio.RIOReceive(p.rq, &other, 1, 0, NULL) != 0;
    say("overlapping bytes of more than a slice, for both of the receives, so that both complete");
    take(2);
    rio.RIODeregisterBuffer(other.BufferId);
}

static void id_shared(void) {
    post(true, 0, 0, 64, 0);
    post(true, 1, 64, 64, 0);
}

static void descriptor_busy(void) {
    post(true, 0, 0, 64, 0);
    post(false, 0, 64, 64, 0);
}

static void recv_touched(void) {
    post(true, 0, 0, 64, 0);
    p.memory[40] = 1;
    say("four");
    take(1);
}

static void send_touched(void) {
    post(false, 0, 0, 64, RIO_MSG_DEFER);
    p.memory[5] = 1;
    rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    take(1);
}

static void deregister_busy(void) {
    RIO_BUF slice = {rio.RIORegisterBuffer(p.memory, 4096), 0, 64};
    p.outstanding += rio.RIOReceive(p.rq, &slice, 1, 0, NULL) != 0;
    rio.RIODeregisterBuffer(slice.BufferId);
}

static void rq_full(void) {
    for (int i = 0; i < 5; i++) {
        (void)post(true, i, (ULONG)i * 64, 64, 0);
    }
}

static void cq_full(void) {
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    (void)rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, p.cq, p.cq, NULL);
    closesocket(s);
}

static void cq_busy(void) {
    post(true, 0, 0, 64, 0);
    rio.RIOCloseCompletionQueue(p.cq);
    p.leaves = true;
}

static void cq_dead(void) {
    RIO_CQ cq = rio.RIOCreateCompletionQueue(4, NULL);
    RIORESULT result;
    rio.RIOCloseCompletionQueue(cq);
    (void)rio.RIODequeueCompletion(cq, &result, 1);
}

static void cq_invented(void) {
    (void)rio.RIONotify((RIO_CQ)(uintptr_t)0x777);
}

static void notify_twice(void) {
    rio.RIONotify(p.cq);
    rio.RIONotify(p.cq);
}

static void notify_polled(void) {
    rio.RIONotify(p.polled);
}

static void uncommitted(void) {
    post(false, 0, 0, 64, RIO_MSG_DEFER);
}

static void uncommitted_sleep(void) {
    post(true, 0, 0, 64, RIO_MSG_DEFER);
    rio.RIONotify(p.cq);
    rio.RIOReceive(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
}

static void flags_commit(void) {
    (void)rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY | RIO_MSG_DEFER, NULL);
}

static void flags_commit_context(void) {
    (void)rio.RIOSend(p.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, &p);
}

static void flags_waitall_send(void) {
    (void)post(false, 0, 0, 64, RIO_MSG_WAITALL);
}

static void flags_no_data(void) {
    (void)rio.RIOReceive(p.rq, NULL, 0, 0, NULL);
}

static void flags_two_buffers(void) {
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    (void)rio.RIOCreateRequestQueue(s, 1, 2, 1, 1, p.polled, p.polled, NULL);
    closesocket(s);
}

static void rq_closed(void) {
    RIO_BUF slice = {p.id, 0, 64};
    closesocket(p.server);
    (void)rio.RIOSend(p.rq, &slice, 1, 0, NULL);
    p.server = socket(AF_INET, SOCK_STREAM, 0); /* for finish */
}

static void rq_invented(void) {
    (void)rio.RIOSend((RIO_RQ)(uintptr_t)0x4242, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
}

static void socket_twice(void) {
    (void)rio.RIOCreateRequestQueue(p.server, 1, 1, 1, 1, p.polled, p.polled, NULL);
}

static void leak(void) {
    (void)rio.RIORegisterBuffer(p.memory, 4096);
}

static void address_range(void) {
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    SOCKADDR_IN any = {.sin_family = AF_INET};
    RIO_BUF data = {p.id, 0, 64}, remote = {p.id, BYTES - 4, sizeof(SOCKADDR_INET)};
    RIO_RQ rq;
    (void)bind(s, (struct sockaddr *)&any, sizeof any);
    rq = rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, p.polled, p.polled, NULL);
    (void)rio.RIOReceiveEx(rq, &data, 1, NULL, &remote, NULL, NULL, 0, NULL);
    closesocket(s);
}

/* X(case, the check that reports it, only in strict mode) */
#define CASES(X)                                                                                   \
    X(none, "", false)                                                                             \
    X(patterns, "", false)                                                                         \
    X(rq_thread, "RS_RV_RQ_THREAD", false)                                                         \
    X(cq_thread, "RS_RV_CQ_THREAD", false)                                                         \
    X(buffer_stale, "RS_RV_BUFFER_DEAD", false)                                                    \
    X(buffer_invented, "RS_RV_BUFFER_DEAD", false)                                                 \
    X(buffer_twice, "RS_RV_BUFFER_DEAD", false)                                                    \
    X(range, "RS_RV_RANGE", false)                                                                 \
    X(address_range, "RS_RV_RANGE", false)                                                         \
    X(overlap_receives, "RS_RV_OVERLAP", false)                                                    \
    X(overlap_send_in_receive, "RS_RV_OVERLAP", false)                                             \
    X(overlap_by_two_ids, "RS_RV_OVERLAP", false)                                                  \
    X(id_shared, "RS_RV_ID_SHARED", true)                                                          \
    X(descriptor_busy, "RS_RV_DESCRIPTOR_BUSY", true)                                              \
    X(recv_touched, "RS_RV_RECV_TOUCHED", false)                                                   \
    X(send_touched, "RS_RV_SEND_TOUCHED", false)                                                   \
    X(deregister_busy, "RS_RV_DEREGISTER_BUSY", false)                                             \
    X(rq_full, "RS_RV_RQ_FULL", false)                                                             \
    X(cq_full, "RS_RV_CQ_FULL", false)                                                             \
    X(cq_busy, "RS_RV_CQ_BUSY", true)                                                              \
    X(cq_dead, "RS_RV_CQ_DEAD", false)                                                             \
    X(cq_invented, "RS_RV_CQ_DEAD", false)                                                         \
    X(notify_twice, "RS_RV_NOTIFY_TWICE", false)                                                   \
    X(notify_polled, "RS_RV_NOTIFY_POLLED", false)                                                 \
    X(uncommitted, "RS_RV_UNCOMMITTED", false)                                                     \
    X(uncommitted_sleep, "RS_RV_UNCOMMITTED", true)                                                \
    X(flags_commit, "RS_RV_FLAGS", false)                                                          \
    X(flags_commit_context, "RS_RV_FLAGS", false)                                                  \
    X(flags_waitall_send, "RS_RV_FLAGS", false)                                                    \
    X(flags_no_data, "RS_RV_FLAGS", false)                                                         \
    X(flags_two_buffers, "RS_RV_FLAGS", false)                                                     \
    X(rq_closed, "RS_RV_RQ_CLOSED", false)                                                         \
    X(rq_invented, "RS_RV_RQ_CLOSED", false)                                                       \
    X(socket_twice, "RS_RV_SOCKET_TWICE", false)                                                   \
    X(leak, "RS_RV_LEAK", true)

static const struct {
    const char *name, *check;
    bool strict;
    void (*run)(void);
} cases[] = {
#define X(name, check, strict) {#name, check, strict, name},
    CASES(X)
#undef X
};

int main(int argc, char **argv) {
    const size_t count = sizeof cases / sizeof cases[0];
    size_t which = 0;
    WSADATA data;
    while (argc > 1 && which < count && strcmp(cases[which].name, argv[1]) != 0) {
        which++;
    }
    if (argc < 2 || which == count) {
        for (size_t i = 0; i < count; i++) {
            printf("%s %s %s\n", cases[i].name, cases[i].strict ? "strict" : "plain",
                   cases[i].check);
        }
        return argc < 2 ? 0 : 2;
    }
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 3;
    }
    start();
    cases[which].run();
    finish();
    return 0;
}
