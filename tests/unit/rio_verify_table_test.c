/* SPDX-License-Identifier: MIT */
/* The checking table over a fake provider that keeps its requests in an array and completes them
 * when it is asked to. A pass: the program and the provider each see their own handles, ids and
 * contexts, results and errors come through, and a violation reaches the hook from every function
 * that can see one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rio/rio_verify_table.h"

#define FAKE_CQ ((RIO_CQ)(uintptr_t)0x1000)
#define FAKE_RQ ((RIO_RQ)(uintptr_t)0x2000)
#define FAKE_ID ((RIO_BUFFERID)(uintptr_t)0x3000)
#define SOCKET_A ((SOCKET)12)

static struct {
    RIORESULT pending[8];
    uint32_t count;
    ULONGLONG socket_context;
    bool refuse;
    uint32_t closed, woken, registered;
    uint32_t violations[RS_RV_CHECKS];
    rs_rio_api api;
} fake;

static BOOL fake_take(RIO_RQ rq, PRIO_BUF data, DWORD flags, PVOID context) {
    assert_ptr_equal(rq, FAKE_RQ);
    if (fake.refuse) {
        WSASetLastError(WSAENOBUFS);
        return FALSE;
    }
    if (flags == RIO_MSG_COMMIT_ONLY) {
        assert_null(data);
        return TRUE;
    }
    assert_ptr_equal(data->BufferId, FAKE_ID);
    fake.pending[fake.count++] = (RIORESULT){.BytesTransferred = data->Length,
                                             .SocketContext = fake.socket_context,
                                             .RequestContext = (uintptr_t)context};
    return TRUE;
}

static BOOL PASCAL FAR fake_RIOReceive(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                       PVOID context) {
    (void)count;
    return fake_take(rq, data, flags, context);
}

static BOOL PASCAL FAR fake_RIOSend(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags,
                                    PVOID context) {
    (void)count;
    return fake_take(rq, data, flags, context);
}

static int PASCAL FAR fake_RIOReceiveEx(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                        PRIO_BUF remote, PRIO_BUF control, PRIO_BUF flags_out,
                                        DWORD flags, PVOID context) {
    (void)count;
    assert_null(local);
    assert_null(control);
    assert_null(flags_out);
    assert_ptr_equal(remote->BufferId, FAKE_ID);
    return fake_take(rq, data, flags, context);
}

static BOOL PASCAL FAR fake_RIOSendEx(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                      PRIO_BUF remote, PRIO_BUF control, PRIO_BUF flags_out,
                                      DWORD flags, PVOID context) {
    return fake_RIOReceiveEx(rq, data, count, local, remote, control, flags_out, flags, context);
}

static void PASCAL FAR fake_RIOCloseCompletionQueue(RIO_CQ cq) {
    assert_ptr_equal(cq, FAKE_CQ);
}

static RIO_CQ PASCAL FAR fake_RIOCreateCompletionQueue(DWORD entries,
                                                       PRIO_NOTIFICATION_COMPLETION how) {
    (void)how;
    return entries == 0 ? RIO_INVALID_CQ : FAKE_CQ;
}

static RIO_RQ PASCAL FAR fake_RIOCreateRequestQueue(SOCKET socket, ULONG recvs, ULONG recv_buffers,
                                                    ULONG sends, ULONG send_buffers, RIO_CQ recv_cq,
                                                    RIO_CQ send_cq, PVOID context) {
    (void)recvs;
    (void)recv_buffers;
    (void)sends;
    (void)send_buffers;
    assert_ptr_equal(recv_cq, FAKE_CQ);
    assert_ptr_equal(send_cq, FAKE_CQ);
    fake.socket_context = (uintptr_t)context;
    return socket == SOCKET_A ? FAKE_RQ : RIO_INVALID_RQ;
}

static ULONG PASCAL FAR fake_RIODequeueCompletion(RIO_CQ cq, PRIORESULT results, ULONG capacity) {
    ULONG count = fake.count < capacity ? fake.count : capacity;
    assert_ptr_equal(cq, FAKE_CQ);
    memcpy(results, fake.pending, count * sizeof *results);
    fake.count = 0;
    return count;
}

static void PASCAL FAR fake_RIODeregisterBuffer(RIO_BUFFERID id) {
    assert_true(id == FAKE_ID || id == RIO_INVALID_BUFFERID);
    fake.registered--;
}

static INT PASCAL FAR fake_RIONotify(RIO_CQ cq) {
    assert_ptr_equal(cq, FAKE_CQ);
    return fake.refuse ? WSAEALREADY : ERROR_SUCCESS;
}

static RIO_BUFFERID PASCAL FAR fake_RIORegisterBuffer(PCHAR data, DWORD bytes) {
    (void)data;
    fake.registered += bytes > 0;
    return bytes > 0 ? FAKE_ID : RIO_INVALID_BUFFERID;
}

static BOOL PASCAL FAR fake_RIOResizeCompletionQueue(RIO_CQ cq, DWORD entries) {
    assert_ptr_equal(cq, FAKE_CQ);
    return entries > 0;
}

static BOOL PASCAL FAR fake_RIOResizeRequestQueue(RIO_RQ rq, DWORD recvs, DWORD sends) {
    assert_ptr_equal(rq, FAKE_RQ);
    return recvs + sends > 0;
}

static int PASCAL FAR fake_closesocket(SOCKET socket) {
    (void)socket;
    fake.closed++;
    return 0;
}

static BOOL WINAPI fake_wait(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                             ULONG *taken, DWORD timeout_ms) {
    (void)port;
    (void)entries;
    (void)capacity;
    (void)timeout_ms;
    *taken = 0;
    return cq == FAKE_CQ;
}

static void WINAPI fake_wake(RIO_CQ cq) {
    assert_ptr_equal(cq, FAKE_CQ);
    fake.woken++;
}

static void count_violation(void *ctx, rs_rv_check check, const char *text) {
    (void)ctx;
    (void)text;
    fake.violations[check]++;
}

static uint32_t violations(void) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < RS_RV_CHECKS; i++) {
        total += fake.violations[i];
    }
    return total;
}

static uint8_t memory[4096];

typedef struct bench {
    RIO_CQ cq;
    RIO_RQ rq;
    RIO_BUFFERID id;
} bench;

static bench set_up(void) {
    const rs_rv_options options = {.report = count_violation};
    bench b;
    memset(&fake, 0, sizeof fake);
    fake.api = (rs_rio_api){
        .close_socket = fake_closesocket, .wait = fake_wait, .wake = fake_wake, .provider = "fake"};
#define X(function) fake.api.fn.function = fake_##function;
    RS_RIO_FUNCTION_TABLE(X)
#undef X
    assert_true(rs_rio_verify_wrap(&fake.api, &options));
    b.cq = fake.api.fn.RIOCreateCompletionQueue(
        8, &(RIO_NOTIFICATION_COMPLETION){.Type = RIO_EVENT_COMPLETION});
    b.id = fake.api.fn.RIORegisterBuffer((PCHAR)memory, sizeof memory);
    b.rq = fake.api.fn.RIOCreateRequestQueue(SOCKET_A, 1, 1, 1, 1, b.cq, b.cq, (PVOID)0xABC);
    assert_true(b.cq != RIO_INVALID_CQ && b.cq != FAKE_CQ);
    assert_true(b.rq != RIO_INVALID_RQ && b.rq != FAKE_RQ);
    assert_true(b.id != RIO_INVALID_BUFFERID && b.id != FAKE_ID);
    return b;
}

static void tear_down(bench b, uint32_t expected) {
    assert_int_equal(fake.api.close_socket(SOCKET_A), 0);
    fake.api.fn.RIOCloseCompletionQueue(b.cq);
    fake.api.fn.RIODeregisterBuffer(b.id);
    assert_int_equal(rs_rio_verify_unwrap(), expected);
    assert_int_equal(violations(), expected);
    assert_int_equal(fake.closed, 1);
    assert_int_equal(fake.registered, 0);
}

static void test_verify_table_each_side_sees_its_own_handles_and_contexts(void **state) {
    bench b = set_up();
    RIO_BUF send = {.BufferId = b.id, .Length = 64},
            recv = {.BufferId = b.id, .Offset = 64, .Length = 64};
    RIORESULT results[4];
    ULONG taken = 0;
    (void)state;
    assert_true(fake.api.fn.RIOSend(b.rq, &send, 1, RIO_MSG_DEFER, (PVOID)1));
    assert_true(fake.api.fn.RIOSend(b.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_true(fake.api.fn.RIOReceive(b.rq, &recv, 1, 0, (PVOID)2));
    assert_int_equal(fake.api.fn.RIONotify(b.cq), ERROR_SUCCESS);
    assert_true(fake.api.wait(b.cq, NULL, NULL, 0, &taken, 0));
    fake.api.wake(b.cq);
    assert_int_equal(fake.woken, 1);
    assert_int_equal(fake.api.fn.RIODequeueCompletion(b.cq, results, 4), 2);
    assert_int_equal(results[0].SocketContext, 0xABC);
    assert_int_equal(results[0].RequestContext, 1);
    assert_int_equal(results[1].RequestContext, 2);
    assert_true(fake.api.fn.RIOResizeCompletionQueue(b.cq, 16));
    assert_true(fake.api.fn.RIOResizeRequestQueue(b.rq, 2, 2));
    tear_down(b, 0);
}

static void test_verify_table_refusals_come_through_with_their_error(void **state) {
    bench b = set_up();
    RIO_BUF send = {.BufferId = b.id, .Length = 64};
    (void)state;
    fake.refuse = true;
    assert_false(fake.api.fn.RIOSend(b.rq, &send, 1, 0, (PVOID)1));
    assert_int_equal(WSAGetLastError(), WSAENOBUFS);
    fake.refuse = false;
    assert_ptr_equal(fake.api.fn.RIOCreateRequestQueue(77, 1, 1, 1, 1, b.cq, b.cq, NULL),
                     RIO_INVALID_RQ);
    assert_ptr_equal(fake.api.fn.RIOCreateCompletionQueue(0, NULL), RIO_INVALID_CQ);
    assert_ptr_equal(fake.api.fn.RIORegisterBuffer((PCHAR)memory, 0), RIO_INVALID_BUFFERID);
    tear_down(b, 0);
}

static void test_verify_table_extended_requests_are_translated_whole(void **state) {
    bench b = set_up();
    RIO_BUF data = {.BufferId = b.id, .Length = 64};
    RIO_BUF remote = {.BufferId = b.id, .Offset = 128, .Length = sizeof(SOCKADDR_INET)};
    RIORESULT results[4];
    (void)state;
    assert_true(fake.api.fn.RIOSendEx(b.rq, &data, 1, NULL, &remote, NULL, NULL, 0, (PVOID)5));
    assert_int_equal(fake.api.fn.RIODequeueCompletion(b.cq, results, 4), 1);
    assert_true(fake.api.fn.RIOReceiveEx(b.rq, &data, 1, NULL, &remote, NULL, NULL, 0, (PVOID)6));
    assert_int_equal(fake.api.fn.RIODequeueCompletion(b.cq, results, 4), 1);
    assert_int_equal(results[0].RequestContext, 6);
    tear_down(b, 0);
}

static void test_verify_table_violations_reach_the_hook(void **state) {
    bench b = set_up();
    RIO_BUF first = {.BufferId = b.id, .Length = 64}, second = first;
    RIORESULT results[4];
    (void)state;
    assert_true(fake.api.fn.RIOReceive(b.rq, &first, 1, 0, (PVOID)1));
    assert_true(fake.api.fn.RIOSend(b.rq, &second, 1, 0, (PVOID)2));
    assert_int_equal(fake.violations[RS_RV_OVERLAP], 1);
    fake.refuse = true;
    assert_int_equal(fake.api.fn.RIONotify(b.cq), WSAEALREADY);
    assert_int_equal(fake.violations[RS_RV_NOTIFY_TWICE], 1);
    fake.refuse = false;
    assert_int_equal(fake.api.fn.RIODequeueCompletion(b.cq, results, 4), 2);
    tear_down(b, 2);
}

static void test_verify_table_completion_of_nobody_is_dropped(void **state) {
    bench b = set_up();
    RIORESULT results[4];
    (void)state;
    fake.pending[0] = (RIORESULT){.RequestContext = 0x5550};
    fake.count = 1;
    assert_int_equal(fake.api.fn.RIODequeueCompletion(b.cq, results, 4), 0);
    assert_int_equal(fake.violations[RS_RV_COMPLETION], 1);
    tear_down(b, 1);
}

static void test_verify_table_leaks_count_at_the_last_unwrap(void **state) {
    const rs_rv_options options = {.report = count_violation};
    rs_rio_api other;
    (void)state;
    (void)set_up();
    other = fake.api;
    assert_true(rs_rio_verify_wrap(&other, &options));
    assert_int_equal(rs_rio_verify_unwrap(), 0); /* not the last */
    assert_int_equal(rs_rio_verify_unwrap(), 2); /* queues, a registration */
    assert_int_equal(fake.violations[RS_RV_LEAK], 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_table_each_side_sees_its_own_handles_and_contexts),
        cmocka_unit_test(test_verify_table_refusals_come_through_with_their_error),
        cmocka_unit_test(test_verify_table_extended_requests_are_translated_whole),
        cmocka_unit_test(test_verify_table_violations_reach_the_hook),
        cmocka_unit_test(test_verify_table_completion_of_nobody_is_dropped),
        cmocka_unit_test(test_verify_table_leaks_count_at_the_last_unwrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
