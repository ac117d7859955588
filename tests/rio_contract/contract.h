/* SPDX-License-Identifier: MIT */
/* The RIO contract suite's fixture: a table from whatever provider is under test, sockets,
 * buffers and queues that are cleaned up after each case.
 *
 * A case states one documented rule and names its page. Where the documentation is silent a case
 * calls rc_open_question and passes whatever it sees. No case depends on another. Single thread
 * unless a case starts one and joins it. Waits are bounded by RC_WAIT_MS; a rule that something
 * does NOT happen is looked at for RC_QUIET_MS. */
#ifndef RS_TESTS_RIO_CONTRACT_H
#define RS_TESTS_RIO_CONTRACT_H

#include "rio/rio_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RC_WAIT_MS 5000u
#define RC_QUIET_MS 60u
#define RC_MEMORY_BYTES (4u << 20)
#define RC_RESULTS_MAX 128u

typedef struct rc_state {
    RIO_EXTENSION_FUNCTION_TABLE rio;
    int(WINAPI *closesocket)(SOCKET s); /* a provider that is no part of the system wants its own */
    const char *provider;
    char *memory;    /* RC_MEMORY_BYTES, page-aligned */
    RIO_BUFFERID id; /* its registration */
    unsigned open_questions;
} rc_state;

extern rc_state rc;

/* A connected pair: server may have a request queue, client is an ordinary blocking socket. */
typedef struct rc_pair {
    SOCKET server, client;
} rc_pair;

rc_pair rc_connect(void);
SOCKET rc_listener(SOCKADDR_IN *address);
/* rc_own: a socket that the case made itself, closed at its end. rc_socket_with: one with these
 * flags. rc_listen: binds it to loopback and listens. rc_dial: an ordinary client's connection. */
SOCKET rc_own(SOCKET s);
SOCKET rc_socket_with(int family, int type, DWORD flags);
void rc_listen(SOCKET listener, SOCKADDR_IN *address);
SOCKET rc_dial(const SOCKADDR_IN *address);
SOCKET rc_udp(int family, SOCKADDR_INET *address);
/* rc_close: closes a socket before the end of the case. */
void rc_close(SOCKET s);

RIO_CQ rc_cq(DWORD size);
RIO_CQ rc_cq_event(DWORD size, HANDLE event, BOOL reset);
RIO_CQ rc_cq_port(DWORD size, HANDLE port, void *key, OVERLAPPED *overlapped);
void rc_close_cq(RIO_CQ cq);
RIO_RQ rc_rq(SOCKET s, ULONG recvs, ULONG sends, RIO_CQ cq, uintptr_t context);
HANDLE rc_event(BOOL manual);
HANDLE rc_port(void);

RIO_BUF rc_slice(ULONG offset, ULONG length);
/* Requests that must be accepted. */
void rc_recv(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, uintptr_t context);
void rc_send(RIO_RQ rq, ULONG offset, ULONG length, DWORD flags, uintptr_t context);
/* rc_dequeue: waits for want completions; returns how many came. */
ULONG rc_dequeue(RIO_CQ cq, RIORESULT *results, ULONG want);
/* rc_one: waits for one completion, which must come. */
RIORESULT rc_one(RIO_CQ cq);
/* rc_none: no completion comes within RC_QUIET_MS. */
void rc_none(RIO_CQ cq);

/* The peer's side. */
void rc_peer_send(SOCKET s, const char *text);
int rc_peer_recv(SOCKET s, char *out, int length); /* until length or the end; bounded */
bool rc_peer_quiet(SOCKET s);                      /* nothing arrives within RC_QUIET_MS */

/* rc_refused: a BOOL call that must fail, with this error. */
#define rc_refused(call, error)                                                                    \
    do {                                                                                           \
        WSASetLastError(0);                                                                        \
        assert_false(call);                                                                        \
        assert_int_equal(WSAGetLastError(), (error));                                              \
    } while (0)

/* rc_is_ours: the provider is this project's, which refuses what is closed: then that is asserted.
 */
bool rc_is_ours(void);

/* rc_open_question: what the documentation leaves open, as seen here. */
void rc_open_question(const char *format, ...);

int rc_setup(void **state);
int rc_teardown(void **state);

/* The cases, by group. */
extern const struct CMUnitTest rc_setup_cases[];
extern const size_t rc_setup_cases_count;
extern const struct CMUnitTest rc_request_cases[];
extern const size_t rc_request_cases_count;
extern const struct CMUnitTest rc_notify_cases[];
extern const size_t rc_notify_cases_count;
extern const struct CMUnitTest rc_life_cases[];
extern const size_t rc_life_cases_count;
extern const struct CMUnitTest rc_datagram_cases[];
extern const size_t rc_datagram_cases_count;
extern const struct CMUnitTest rc_burst_cases[];
extern const size_t rc_burst_cases_count;
extern const struct CMUnitTest rc_threads_cases[];
extern const size_t rc_threads_cases_count;
extern const struct CMUnitTest rc_stranger_cases[];
extern const size_t rc_stranger_cases_count;

#define RC_CASE(function) cmocka_unit_test_setup_teardown(function, rc_setup, rc_teardown)

/* RC_CHILD_CASE: uses a queue or socket that is closed already. The documentation says nothing of
 * it, and real RIO has been seen to crash: so it runs in a process of its own, and a crash there is
 * what the open question saw, no failure. */
extern char rc_in_child;
#define RC_CHILD_CASE(function)                                                                    \
    { #function, function, rc_setup, rc_teardown, &rc_in_child }

#endif
