/* SPDX-License-Identifier: MIT */
/* Notification: RIONotify is one-shot, by event or by port, and RIO_MSG_DONT_NOTIFY is silent.
 * A pass is a signal within RC_WAIT_MS where one is due, and none within RC_QUIET_MS where not. */
#include "contract.h"

typedef struct watched {
    rc_pair pair;
    HANDLE signal;
    RIO_CQ cq;
    RIO_RQ rq;
} watched;

static watched watch_event(BOOL manual, BOOL reset) {
    watched w;
    w.pair = rc_connect();
    w.signal = rc_event(manual);
    w.cq = rc_cq_event(16, w.signal, reset);
    w.rq = rc_rq(w.pair.server, 4, 4, w.cq, 0);
    return w;
}

static bool signalled(HANDLE event) {
    return WaitForSingleObject(event, RC_WAIT_MS) == WAIT_OBJECT_0;
}

static bool quiet(HANDLE event) {
    return WaitForSingleObject(event, RC_QUIET_MS) == WAIT_TIMEOUT;
}

static bool packet(HANDLE port, DWORD limit_ms, ULONG_PTR *key, OVERLAPPED **overlapped) {
    DWORD bytes;
    return GetQueuedCompletionStatus(port, &bytes, key, overlapped, limit_ms) != 0;
}

/* [LPFN_RIONOTIFY] before RIONotify a completion signals nothing. */
static void test_no_signal_without_notify(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    rc_send(w.rq, 0, 4, 0, 0);
    assert_true(quiet(w.signal));
}

/* [LPFN_RIONOTIFY] armed, the next completion signals. */
static void test_armed_queue_signals_at_a_completion(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    rc_recv(w.rq, 0, 16, 0, 0);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_true(quiet(w.signal));
    rc_peer_send(w.pair.client, "x");
    assert_true(signalled(w.signal));
    assert_int_equal(rc_one(w.cq).BytesTransferred, 1);
}

/* [LPFN_RIONOTIFY] arming a queue that is not empty signals at once. */
static void test_arming_a_nonempty_queue_signals(void **state) {
    watched w = watch_event(FALSE, FALSE);
    char got[4];
    (void)state;
    rc_send(w.rq, 0, 4, 0, 0);
    assert_int_equal(rc_peer_recv(w.pair.client, got, 4), 4);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_true(signalled(w.signal));
}

/* [LPFN_RIONOTIFY] one arming, one signal. */
static void test_notification_is_one_shot(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    rc_recv(w.rq, 0, 1, 0, 0);
    rc_recv(w.rq, 1, 1, 0, 0);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    rc_peer_send(w.pair.client, "x");
    assert_true(signalled(w.signal));
    (void)rc_one(w.cq);
    rc_peer_send(w.pair.client, "y");
    assert_true(quiet(w.signal));
    (void)rc_one(w.cq);
}

/* [LPFN_RIONOTIFY] a second call before the first has fired: WSAEALREADY. */
static void test_notify_twice_is_already(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_int_equal(rc.rio.RIONotify(w.cq), WSAEALREADY);
}

/* [LPFN_RIONOTIFY] after it has fired it can be armed again. */
static void test_notify_rearms_after_a_signal(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    for (int i = 0; i < 50; i++) {
        rc_recv(w.rq, 0, 1, 0, 0);
        assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
        rc_peer_send(w.pair.client, "x");
        assert_true(signalled(w.signal));
        (void)rc_one(w.cq);
    }
}

/* [LPFN_RIONOTIFY] an invalid queue: WSAEINVAL. */
static void test_notify_invalid_queue_is_invalid(void **state) {
    (void)state;
    assert_int_equal(rc.rio.RIONotify(RIO_INVALID_CQ), WSAEINVAL);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] without notification the queue is for polling only. */
static void test_notify_polled_queue_fails(void **state) {
    INT result = rc.rio.RIONotify(rc_cq(4));
    (void)state;
    assert_int_not_equal(result, ERROR_SUCCESS);
    rc_open_question("RIONotify on a queue made for polling: %d", result);
}

/* [LPFN_RIONOTIFY] NotifyReset: the event is reset when arming. */
static void test_notify_reset_resets_the_event(void **state) {
    watched w = watch_event(TRUE, TRUE);
    (void)state;
    SetEvent(w.signal);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_true(quiet(w.signal));
    rc_send(w.rq, 0, 4, 0, 0);
    assert_true(signalled(w.signal));
}

/* [LPFN_RIONOTIFY] without NotifyReset the event is left as it is. */
static void test_notify_without_reset_leaves_the_event(void **state) {
    watched w = watch_event(TRUE, FALSE);
    (void)state;
    SetEvent(w.signal);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_int_equal(WaitForSingleObject(w.signal, 0), WAIT_OBJECT_0);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] the packet carries the key and a non-NULL OVERLAPPED, ours. */
static void test_port_packet_carries_key_and_overlapped(void **state) {
    rc_pair pair = rc_connect();
    HANDLE port = rc_port();
    OVERLAPPED mine = {0}, *got = NULL;
    ULONG_PTR key = 0;
    RIO_CQ cq = rc_cq_port(16, port, (void *)(uintptr_t)0x5EED, &mine);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    (void)state;
    rc_recv(rq, 0, 16, 0, 0);
    assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
    assert_false(packet(port, RC_QUIET_MS, &key, &got));
    rc_peer_send(pair.client, "x");
    assert_true(packet(port, RC_WAIT_MS, &key, &got));
    assert_true(key == 0x5EED && got == &mine);
    (void)rc_one(cq);
}

/* [LPFN_RIONOTIFY] one arming, one packet, however many completions. */
static void test_port_gets_one_packet_for_many_completions(void **state) {
    rc_pair pair = rc_connect();
    HANDLE port = rc_port();
    OVERLAPPED mine = {0}, *got = NULL;
    ULONG_PTR key = 0;
    RIO_CQ cq = rc_cq_port(16, port, NULL, &mine);
    RIO_RQ rq = rc_rq(pair.server, 1, 8, cq, 0);
    RIORESULT results[8];
    (void)state;
    assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
    for (ULONG i = 0; i < 8; i++) {
        rc_send(rq, i, 1, 0, 0);
    }
    assert_true(packet(port, RC_WAIT_MS, &key, &got));
    assert_int_equal(rc_dequeue(cq, results, 8), 8);
    assert_false(packet(port, RC_QUIET_MS, &key, &got));
}

/* [LPFN_RIONOTIFY] arming a non-empty queue posts at once. */
static void test_port_arming_a_nonempty_queue_posts(void **state) {
    rc_pair pair = rc_connect();
    HANDLE port = rc_port();
    OVERLAPPED mine = {0}, *got = NULL;
    ULONG_PTR key = 0;
    RIO_CQ cq = rc_cq_port(16, port, NULL, &mine);
    RIO_RQ rq = rc_rq(pair.server, 1, 1, cq, 0);
    char byte;
    (void)state;
    rc_send(rq, 0, 1, 0, 0);
    assert_int_equal(rc_peer_recv(pair.client, &byte, 1), 1);
    assert_int_equal(rc.rio.RIONotify(cq), ERROR_SUCCESS);
    assert_true(packet(port, RC_WAIT_MS, &key, &got));
}

/* [RIO_NOTIFICATION_COMPLETION] queues on one port are told apart by their keys. */
static void test_two_queues_share_a_port(void **state) {
    rc_pair one = rc_connect(), two = rc_connect();
    HANDLE port = rc_port();
    OVERLAPPED mine[2] = {{0}, {0}}, *got = NULL;
    ULONG_PTR key = 0;
    RIO_CQ first = rc_cq_port(4, port, (void *)(uintptr_t)1, &mine[0]);
    RIO_CQ second = rc_cq_port(4, port, (void *)(uintptr_t)2, &mine[1]);
    (void)state;
    (void)rc_rq(one.server, 1, 1, first, 0);
    assert_int_equal(rc.rio.RIONotify(first), ERROR_SUCCESS);
    assert_int_equal(rc.rio.RIONotify(second), ERROR_SUCCESS);
    rc_send(rc_rq(two.server, 1, 1, second, 0), 0, 1, 0, 0);
    assert_true(packet(port, RC_WAIT_MS, &key, &got));
    assert_true(key == 2 && got == &mine[1]);
    assert_false(packet(port, RC_QUIET_MS, &key, &got));
}

/* [LPFN_RIOSEND] a DONT_NOTIFY completion does not signal. */
static void test_dont_notify_is_silent(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    rc_send(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 0);
    assert_true(quiet(w.signal));
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] a queue that holds such entries only does not signal at arming.
 */
static void test_arming_over_silent_entries_does_not_signal(void **state) {
    watched w = watch_event(FALSE, FALSE);
    char got[4];
    (void)state;
    rc_send(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 0);
    assert_int_equal(rc_peer_recv(w.pair.client, got, 4), 4);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_true(quiet(w.signal));
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] an ordinary completion after silent ones signals. */
static void test_ordinary_completion_after_silent_ones_signals(void **state) {
    watched w = watch_event(FALSE, FALSE);
    RIORESULT results[2];
    (void)state;
    rc_send(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 0);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_true(quiet(w.signal));
    rc_send(w.rq, 0, 4, 0, 0);
    assert_true(signalled(w.signal));
    assert_int_equal(rc_dequeue(w.cq, results, 2), 2);
}

/* [LPFN_RIOSEND] a silent request behind a silent one makes progress while the program sleeps. */
static void test_silent_sends_go_on_while_armed(void **state) {
    watched w = watch_event(FALSE, FALSE);
    char got[8];
    (void)state;
    rc_recv(w.rq, 100, 16, 0, 0);
    rc_send(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 0);
    rc_send(w.rq, 4, 4, RIO_MSG_DONT_NOTIFY, 0);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    assert_int_equal(rc_peer_recv(w.pair.client, got, 8), 8);
    assert_true(quiet(w.signal));
    rc_peer_send(w.pair.client, "x");
    assert_true(signalled(w.signal));
}

/* [LPFN_RIORECEIVE] a receive behind silent ones signals, though the program sleeps all the time.
 */
static void test_receive_behind_silent_ones_signals_while_armed(void **state) {
    watched w = watch_event(FALSE, FALSE);
    RIORESULT results[3];
    (void)state;
    rc_recv(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 0);
    rc_recv(w.rq, 4, 4, RIO_MSG_DONT_NOTIFY, 1);
    rc_recv(w.rq, 8, 4, 0, 2);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    for (int i = 0; i < 2; i++) {
        rc_peer_send(w.pair.client, "four");
        assert_true(quiet(w.signal));
    }
    rc_peer_send(w.pair.client, "last");
    assert_true(signalled(w.signal));
    assert_int_equal(rc_dequeue(w.cq, results, 3), 3);
    assert_memory_equal(rc.memory, "fourfourlast", 12);
}

/* [LPFN_RIOCREATECOMPLETIONQUEUE] silent completions are dequeued like any. */
static void test_silent_completion_is_dequeued(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    rc_send(w.rq, 0, 4, RIO_MSG_DONT_NOTIFY, 33);
    assert_int_equal(rc_one(w.cq).RequestContext, 33);
}

/* [LPFN_RIONOTIFY] completions that a close causes signal as well. */
static void test_close_signals_an_armed_queue(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    rc_recv(w.rq, 0, 16, 0, 0);
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    rc_close(w.pair.server);
    assert_true(signalled(w.signal));
    assert_int_not_equal(rc_one(w.cq).Status, 0);
}

/* [LPFN_RIONOTIFY] a deferred and committed request signals like any. */
static void test_committed_send_signals(void **state) {
    watched w = watch_event(FALSE, FALSE);
    (void)state;
    assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
    rc_send(w.rq, 0, 4, RIO_MSG_DEFER, 0);
    assert_true(rc.rio.RIOSend(w.rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    assert_true(signalled(w.signal));
}

static DWORD WINAPI send_later(void *argument) {
    SOCKET client = (SOCKET)(uintptr_t)argument;
    for (int i = 0; i < 200; i++) {
        (void)send(client, "x", 1, 0); /* the other side counts them */
        if (i % 16 == 0) {
            Sleep(1);
        }
    }
    return 0;
}

/* [LPFN_RIONOTIFY] arm, wait, dequeue until empty: no signal is ever lost. */
static void test_no_notification_is_lost_in_a_race(void **state) {
    watched w = watch_event(FALSE, FALSE);
    HANDLE thread;
    RIORESULT results[4];
    ULONG bytes = 0;
    (void)state;
    rc_recv(w.rq, 0, 4, 0, 0);
    thread = CreateThread(NULL, 0, send_later, (void *)(uintptr_t)w.pair.client, 0, NULL);
    while (bytes < 200) {
        ULONG n;
        assert_int_equal(rc.rio.RIONotify(w.cq), ERROR_SUCCESS);
        assert_true(signalled(w.signal));
        while ((n = rc.rio.RIODequeueCompletion(w.cq, results, 4)) > 0) {
            bytes += results[0].BytesTransferred;
            rc_recv(w.rq, 0, 4, 0, 0);
        }
    }
    assert_int_equal(bytes, 200);
    WaitForSingleObject(thread, RC_WAIT_MS);
    CloseHandle(thread);
}

const struct CMUnitTest rc_notify_cases[] = {
    RC_CASE(test_no_signal_without_notify),
    RC_CASE(test_armed_queue_signals_at_a_completion),
    RC_CASE(test_arming_a_nonempty_queue_signals),
    RC_CASE(test_notification_is_one_shot),
    RC_CASE(test_notify_twice_is_already),
    RC_CASE(test_notify_rearms_after_a_signal),
    RC_CASE(test_notify_invalid_queue_is_invalid),
    RC_CASE(test_notify_polled_queue_fails),
    RC_CASE(test_notify_reset_resets_the_event),
    RC_CASE(test_notify_without_reset_leaves_the_event),
    RC_CASE(test_port_packet_carries_key_and_overlapped),
    RC_CASE(test_port_gets_one_packet_for_many_completions),
    RC_CASE(test_port_arming_a_nonempty_queue_posts),
    RC_CASE(test_two_queues_share_a_port),
    RC_CASE(test_dont_notify_is_silent),
    RC_CASE(test_arming_over_silent_entries_does_not_signal),
    RC_CASE(test_ordinary_completion_after_silent_ones_signals),
    RC_CASE(test_silent_sends_go_on_while_armed),
    RC_CASE(test_receive_behind_silent_ones_signals_while_armed),
    RC_CASE(test_silent_completion_is_dequeued),
    RC_CASE(test_close_signals_an_armed_queue),
    RC_CASE(test_committed_send_signals),
    RC_CASE(test_no_notification_is_lost_in_a_race),
};
const size_t rc_notify_cases_count = sizeof rc_notify_cases / sizeof rc_notify_cases[0];
