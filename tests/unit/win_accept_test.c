/* SPDX-License-Identifier: MIT */
/* The accept source of both Windows servers, with an AcceptEx that runs out of resources when told
 * to: the call is the real one, the failure the test's. Set up: a port, a listener on loopback. A
 * pass: the first want of resources ends the round and the wait grows, so that few calls are made;
 * afterwards all stand again; of a burst few are posted before there is time; functions are asked
 * of the listener and of one socket made like it, however many are posted; the accept thread takes
 * no more than may wait for the shard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "seam/os.h"
#include "seam/retry.h"
#include "win/win_accept.h"
#include "net/net_address.h"

#define ACCEPTS 64u

static struct {
    LPFN_ACCEPTEX real;
    uint32_t calls, room; /* room: how many calls may still succeed */
    int error;            /* of the others */
    SOCKET asked;         /* the listener: first of all */
    uint32_t asks;        /* since the listen began */
    bool other_below;     /* sockets made of the listener's entry have another AcceptEx */
    uint32_t entry_shift; /* added to the catalog entry that the listener is said to have */
    bool untold;          /* nobody says whose the functions are */
} fake;

static BOOL PASCAL fake_accept_ex(SOCKET listener, SOCKET accepted, PVOID buffer, DWORD data_bytes,
                                  DWORD local_bytes, DWORD remote_bytes, LPDWORD received,
                                  LPOVERLAPPED overlapped) {
    fake.calls++;
    if (fake.room == 0) {
        WSASetLastError(fake.error);
        return FALSE;
    }
    fake.room--;
    return fake.real(listener, accepted, buffer, data_bytes, local_bytes, remote_bytes, received,
                     overlapped);
}

static rs_status fake_extensions(SOCKET socket, rs_win_extensions *out, rs_error *error) {
    rs_status status = rs_win_socket_extensions(socket, out, error);
    fake.asked = fake.asks == 0 ? socket : fake.asked;
    fake.real = out->accept_ex;
    if (!fake.other_below || fake.asks == 0) {
        out->accept_ex = fake_accept_ex;
    }
    fake.asks++;
    out->provider.entry = fake.untold ? 0 : out->provider.entry + fake.entry_shift;
    return status;
}

typedef struct bed {
    rs_win_accept *source;
    HANDLE port;
    rs_tuning tuning;
    rs_win_calls calls;
    rs_win_provider provider;
    uint16_t tcp_port;
    uint32_t ended, given_up; /* completions that say so */
    uint32_t packets_max;
} bed;

static rs_status bed_listen_by(bed *b, uint32_t room, rs_accept_mode mode, uint32_t accepts) {
    const rs_addr addr = {.ip = 0x7F000001u};
    rs_error error;
    rs_win_accept_config cfg = {.key = 1,
                                .tuning = &b->tuning,
                                .provider = {&b->provider, &b->provider},
                                .calls = &b->calls,
                                .extensions = fake_extensions};
    uint32_t os_error;
    SOCKET probe;
    memset(b, 0, sizeof *b);
    b->tuning = rs_tuning_default();
    b->tuning.accept_mode = mode;
    b->tuning.accepts = accepts;
    probe = rs_win_socket_open(AF_INET, 0, &b->calls, &os_error);
    b->provider = fake.untold ? (rs_win_provider){.entry = 0} : rs_win_socket_provider(probe);
    rs_win_socket_close(probe, &b->calls);
    b->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    cfg.port = b->port;
    assert_int_equal(rs_win_accept_open(&b->source, &cfg, &error), RS_OK);
    fake.calls = 0;
    fake.asks = 0;
    fake.room = room;
    return rs_win_accept_listen(b->source, &addr, &b->tcp_port, &error);
}

static rs_status bed_listen_saying(bed *b, uint32_t room, int error) {
    fake.error = error;
    return bed_listen_by(b, room, RS_ACCEPT_OVERLAPPED, ACCEPTS);
}

static rs_status bed_listen(bed *b, uint32_t room) {
    return bed_listen_saying(b, room, WSAENOBUFS);
}

static void bed_connect(bed *b, SOCKET *clients, uint32_t count) {
    const rs_addr addr = {.ip = 0x7F000001u, .port = b->tcp_port};
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, &addr);
    uint32_t os_error;
    for (uint32_t i = 0; i < count; i++) {
        clients[i] = rs_win_socket_open(AF_INET, 0, &b->calls, &os_error);
        assert_int_equal(connect(clients[i], &name.any, name_bytes), 0);
    }
}

/* Returns how many of the completions have a socket, which is closed. */
static uint32_t bed_said(bed *b, const rs_completion *out, uint32_t count) {
    uint32_t sockets = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (out[i].status == RS_OK) {
            rs_win_socket_close((SOCKET)out[i].socket, &b->calls);
            sockets++;
        }
        b->ended += out[i].status == RS_E_CLOSED;
        b->given_up += out[i].status == RS_E_LISTENER;
    }
    return sockets;
}

/* Takes what the port has; returns the completions with a socket, which are closed. */
static uint32_t bed_poll(bed *b, DWORD wait_ms) {
    OVERLAPPED_ENTRY entries[ACCEPTS];
    rs_completion out[RS_WIN_ACCEPT_OUT_MAX];
    ULONG count = 0;
    uint32_t sockets = 0;
    (void)bed_said(b, out, rs_win_accept_retry(b->source, out));
    if (!GetQueuedCompletionStatusEx(b->port, entries, ACCEPTS, &count, wait_ms, FALSE)) {
        return 0;
    }
    b->packets_max = count > b->packets_max ? count : b->packets_max;
    for (ULONG i = 0; i < count; i++) {
        sockets += bed_said(b, out,
                            rs_win_accept_packet(b->source, entries[i].lpOverlapped,
                                                 entries[i].dwNumberOfBytesTransferred, out));
    }
    return sockets;
}

/* Polls until so many connections have come in all; returns how many did. */
static uint32_t bed_poll_until(bed *b, uint32_t taken, uint32_t wanted) {
    for (uint32_t i = 0; taken < wanted; i++) {
        assert_true(i < 10000u);
        taken += bed_poll(b, 10);
    }
    return taken;
}

/* A burst to its end: the packets of all AcceptEx that stand, then one connection at a time. */
static uint32_t bed_take_burst(bed *b) {
    rs_completion out[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t sockets = 0;
    for (uint32_t i = 0; !rs_win_accept_in_burst(b->source, true); i++) {
        assert_true(i < 10000u);
        sockets += bed_poll(b, 10);
    }
    while (rs_win_accept_in_burst(b->source, true)) {
        sockets += bed_said(b, out, rs_win_accept_take(b->source, out));
    }
    return sockets;
}

static void bed_end(bed *b) {
    rs_win_accept_unlisten(b->source);
    while (b->ended == 0) {
        (void)bed_poll(b, 100);
    }
    rs_win_accept_close(b->source);
    (void)CloseHandle(b->port);
}

/* How many rounds fit into the time since: after 10, 20, 40, 80, 160, 320 and then 500 ms. */
static uint32_t rounds_since(uint64_t start_ns) {
    return 7u + (uint32_t)((rs_os_now_ns() - start_ns) / UINT64_C(500000000));
}

static void want_of_resources(int error) {
    uint64_t end_ns;
    bed b;
    assert_int_equal(bed_listen_saying(&b, 8, error), RS_OK);
    assert_int_equal(fake.calls, 9); /* eight stand, the ninth failed, nobody asked for 55 more */
    assert_int_equal(rs_win_accept_retry_ms(b.source), RS_RETRY_FIRST_MS);
    end_ns = rs_os_now_ns() + UINT64_C(1000000000);
    while (rs_os_now_ns() < end_ns || fake.calls < 10u) {
        (void)bed_poll(&b, 1);
    }
    assert_true(fake.calls - 9u <= rounds_since(end_ns - UINT64_C(1000000000)));
    assert_true(rs_win_accept_retry_ms(b.source) > RS_RETRY_FIRST_MS);
    fake.room = ACCEPTS; /* there is room again */
    end_ns = rs_os_now_ns() + UINT64_C(20000000000);
    while (rs_win_accept_retry_ms(b.source) != 0) {
        assert_true(rs_os_now_ns() < end_ns);
        (void)bed_poll(&b, 10);
    }
    assert_int_equal(fake.room, 8); /* 56 more stand */
    fake.room = 0;
    bed_end(&b);
}

static void test_win_accept_want_of_resources_ends_the_round(void **state) {
    (void)state;
    want_of_resources(WSAENOBUFS);
}

/* What Wine 8 says when it is out of descriptors: the listener, which listens, is not to blame. */
static void test_win_accept_listener_that_listens_is_not_given_up(void **state) {
    (void)state;
    want_of_resources(WSAEINVAL);
}

/* A listener that listens no more is told once, and asked no more. It is taken away behind the
 * source's back; a socket of the same number stands for it until the end. */
static void test_win_accept_listener_of_no_more_use_is_told_once(void **state) {
    SOCKET others[16], stand_in = INVALID_SOCKET;
    uint32_t count = 0, calls, os_error;
    uint64_t start_ns;
    bed b;
    (void)state;
    assert_int_equal(bed_listen_saying(&b, 1, WSAEINVAL), RS_OK);
    assert_int_equal(closesocket(fake.asked), 0);
    while (count < 16u && stand_in != fake.asked) {
        stand_in = others[count++] = rs_win_socket_open(AF_INET, 0, &b.calls, &os_error);
    }
    if (stand_in != fake.asked) {
        print_message("handles are not used again here: not tried\n");
        skip();
    }
    while (b.given_up == 0) {
        (void)bed_poll(&b, 5);
    }
    calls = fake.calls;
    start_ns = rs_os_now_ns();
    while (rs_os_now_ns() - start_ns < UINT64_C(300000000)) {
        (void)bed_poll(&b, 5);
    }
    assert_int_equal(b.given_up, 1);
    assert_int_equal(fake.calls, calls);
    for (uint32_t i = 0; i + 1u < count; i++) {
        rs_win_socket_close(others[i], &b.calls);
    }
    bed_end(&b);
}

/* An accept that comes through while others are parked does not ask again by itself. */
static void test_win_accept_parked_requests_wait_together(void **state) {
    uint32_t taken = 0;
    SOCKET clients[8];
    uint64_t start_ns = rs_os_now_ns();
    bed b;
    (void)state;
    assert_int_equal(bed_listen(&b, 8), RS_OK);
    bed_connect(&b, clients, 8);
    for (uint32_t i = 0; taken < 8u; i++) {
        assert_true(i < 10000u);
        taken += bed_poll(&b, 10);
    }
    assert_true(fake.calls - 9u <=
                rounds_since(start_ns)); /* of one call each; none for the eight */
    fake.room = ACCEPTS;
    for (uint32_t i = 0; rs_win_accept_retry_ms(b.source) != 0; i++) {
        assert_true(i < 10000u);
        (void)bed_poll(&b, 10);
    }
    assert_int_equal(fake.room, 0); /* all stand again */
    for (uint32_t i = 0; i < 8u; i++) {
        rs_win_socket_close(clients[i], &b.calls);
    }
    bed_end(&b);
}

/* The accept thread of a shard that is slow: it stops at `accepts` sockets that nobody has taken,
 * and goes on when there is room. */
static void test_win_accept_thread_is_bounded(void **state) {
    SOCKET clients[24];
    uint32_t taken = 0;
    bed b;
    (void)state;
    assert_int_equal(bed_listen_by(&b, 0, RS_ACCEPT_THREAD, 4), RS_OK);
    bed_connect(&b, clients, 24);
    rs_os_sleep_ms(500); /* in which it could take more */
    for (uint32_t i = 0; taken < 24u; i++) {
        assert_true(i < 10000u);
        taken += bed_poll(&b, 10);
    }
    assert_in_range(b.packets_max, 1, 4);
    for (uint32_t i = 0; i < 24u; i++) {
        rs_win_socket_close(clients[i], &b.calls);
    }
    bed_end(&b);
}

static void test_win_accept_listener_of_another_provider_is_refused(void **state) {
    bed b;
    (void)state;
    fake.entry_shift = 1;
    assert_int_equal(bed_listen(&b, ACCEPTS), RS_E_UNSUPPORTED);
    fake.entry_shift = 0;
    assert_int_equal(fake.calls, 0);
    rs_win_accept_close(b.source);
    (void)CloseHandle(b.port);
}

/* A connection comes through. */
static void bed_serves(bed *b) {
    SOCKET client;
    uint32_t taken = 0;
    bed_connect(b, &client, 1);
    for (uint32_t i = 0; taken == 0; i++) {
        assert_true(i < 1000u);
        taken = bed_poll(b, 10);
    }
    rs_win_socket_close(client, &b->calls);
}

/* SO_PROTOCOL_INFO failed while the server opened, and works from then on. */
static void test_win_accept_provider_that_was_not_told_refuses_nobody(void **state) {
    bed b;
    (void)state;
    fake.untold = true;
    assert_int_equal(bed_listen(&b, ACCEPTS), RS_OK);
    fake.untold = false;
    bed_serves(&b);
    bed_end(&b);
}

/* Of a burst, only what brings the standing ones back to their least is posted at once. */
static void test_win_accept_burst_is_answered_first(void **state) {
    SOCKET clients[ACCEPTS + 16u];
    rs_completion out[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t taken = 0, batches = 0;
    bed b;
    (void)state;
    assert_int_equal(bed_listen(&b, 4 * ACCEPTS), RS_OK);
    assert_int_equal(fake.calls, ACCEPTS);
    assert_false(rs_win_accept_owes(b.source));
    bed_connect(&b, clients, 16);
    taken = bed_poll_until(&b, taken, 16u);
    assert_int_equal(fake.calls, ACCEPTS); /* 48 stand */
    assert_false(rs_win_accept_in_burst(b.source, true));
    assert_true(rs_win_accept_owes(b.source));
    bed_connect(&b, clients + 16, ACCEPTS);
    if (rs_os_is_wine()) {
        taken += bed_take_burst(&b);
        assert_int_equal(fake.calls, ACCEPTS + ACCEPTS / 32u + 1u); /* what ends a burst */
    } else {
        taken = bed_poll_until(&b, taken, ACCEPTS + 16u);
        assert_int_equal(fake.calls, ACCEPTS + 16u + ACCEPTS / 32u + 1u); /* 3 stand */
    }
    assert_int_equal(taken, ACCEPTS + 16u);
    while (rs_win_accept_owes(b.source)) {
        const uint32_t calls = fake.calls;
        assert_int_equal(rs_win_accept_refill(b.source, out), 0);
        assert_in_range(fake.calls - calls, 1, ACCEPTS / 16u);
        batches++;
    }
    assert_true(batches > 16u);
    /* Less than a batch lacks. */
    assert_in_range(fake.calls, 2 * ACCEPTS + (rs_os_is_wine() ? 0 : 16u) - 2u,
                    2 * ACCEPTS + (rs_os_is_wine() ? 0 : 16u));
    for (uint32_t i = 0; i < ACCEPTS + 16u; i++) {
        rs_win_socket_close(clients[i], &b.calls);
    }
    bed_end(&b);
}

/* Under Wine: without time a burst waits for its turn, and an end of it is told like any other. */
static void test_win_accept_burst_has_its_turn(void **state) {
    SOCKET clients[ACCEPTS + 2u];
    rs_completion out[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t polls = 0;
    bed b;
    (void)state;
    if (!rs_os_is_wine()) {
        skip();
    }
    assert_int_equal(bed_listen(&b, ACCEPTS), RS_OK);
    assert_false(rs_win_accept_in_burst(b.source, true));
    bed_connect(&b, clients, ACCEPTS + 2u);
    (void)bed_poll_until(&b, 0, ACCEPTS);
    while (!rs_win_accept_in_burst(b.source, false)) {
        assert_true(++polls < 100u);
    }
    assert_true(polls > 3u);
    assert_int_equal(bed_said(&b, out, rs_win_accept_take(b.source, out)), 1);
    assert_false(rs_win_accept_in_burst(b.source, false)); /* it waits again */
    assert_true(rs_win_accept_in_burst(b.source, true));
    assert_int_equal(bed_said(&b, out, rs_win_accept_take(b.source, out)), 1);
    /* None is left, and no AcceptEx can be posted: nothing is lost, all wait. */
    assert_true(rs_win_accept_in_burst(b.source, true));
    assert_int_equal(rs_win_accept_take(b.source, out), 0);
    assert_false(rs_win_accept_in_burst(b.source, true));
    assert_true(rs_win_accept_retry_ms(b.source) != 0);
    fake.room = 2 * ACCEPTS;
    for (uint32_t i = 0; rs_win_accept_retry_ms(b.source) != 0 || rs_win_accept_owes(b.source);
         i++) {
        assert_true(i < 10000u);
        (void)rs_win_accept_refill(b.source, out);
        (void)bed_poll(&b, 10);
    }
    assert_in_range(fake.room, ACCEPTS, ACCEPTS + 2u);
    for (uint32_t i = 0; i < ACCEPTS + 2u; i++) {
        rs_win_socket_close(clients[i], &b.calls);
    }
    bed_end(&b);
}

/* What was put off and then fails waits with the others. */
static void test_win_accept_put_off_and_out_of_resources(void **state) {
    SOCKET clients[16];
    rs_completion out[RS_WIN_ACCEPT_OUT_MAX];
    uint32_t taken = 0;
    bed b;
    (void)state;
    assert_int_equal(bed_listen(&b, ACCEPTS), RS_OK);
    bed_connect(&b, clients, 16);
    taken = bed_poll_until(&b, taken, 16u);
    for (uint32_t i = 0; rs_win_accept_owes(b.source); i++) {
        assert_true(i < 2u);
        assert_int_equal(rs_win_accept_refill(b.source, out), 0);
    }
    assert_int_equal(fake.calls, ACCEPTS + 1u); /* one failed, nobody asked for the 15 others */
    assert_true(rs_win_accept_retry_ms(b.source) != 0);
    fake.room = ACCEPTS;
    for (uint32_t i = 0; rs_win_accept_retry_ms(b.source) != 0; i++) {
        assert_true(i < 10000u);
        (void)bed_poll(&b, 10);
    }
    assert_int_equal(fake.room, ACCEPTS - 16u); /* all stand again */
    for (uint32_t i = 0; i < 16u; i++) {
        rs_win_socket_close(clients[i], &b.calls);
    }
    bed_end(&b);
}

static void test_win_accept_sockets_are_made_of_the_listeners_entry(void **state) {
    bed b;
    (void)state;
    assert_int_equal(bed_listen(&b, 2 * ACCEPTS), RS_OK);
    assert_int_equal(fake.asks, 2); /* the listener and one socket, for 64 that stand */
    bed_serves(&b);
    assert_int_equal(fake.asks, 2);
    bed_end(&b);
}

/* A layer that tells the entry of the one below it: such a socket would lie below the layer, whose
 * AcceptEx the listener has. Sockets are then made as the listener was. */
static void test_win_accept_entry_of_other_functions_is_not_used(void **state) {
    bed b;
    (void)state;
    fake.other_below = true;
    assert_int_equal(bed_listen(&b, 2 * ACCEPTS), RS_OK);
    fake.other_below = false;
    bed_serves(&b);
    bed_end(&b);
}

static void test_win_socket_by_entry_has_that_entry(void **state) {
    WSAPROTOCOL_INFOW entry, again;
    rs_win_calls calls;
    uint32_t os_error;
    SOCKET one, two;
    (void)state;
    memset(&calls, 0, sizeof calls);
    one = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    assert_true(rs_win_socket_protocol(one, &entry));
    entry.dwProviderReserved = 1; /* as WSADuplicateSocket would leave it: not meant here */
    two = rs_win_socket_open_by(&entry, 0, &calls, &os_error);
    assert_true(two != INVALID_SOCKET);
    assert_true(two != one);
    assert_true(rs_win_socket_protocol(two, &again));
    assert_int_equal(again.dwCatalogEntryId, entry.dwCatalogEntryId);
    assert_int_equal(again.iAddressFamily, AF_INET);
    assert_int_equal(again.iSocketType, SOCK_STREAM);
    assert_int_equal(again.iProtocol, IPPROTO_TCP);
    rs_win_socket_close(two, &calls);
    rs_win_socket_close(one, &calls);
    assert_false(rs_win_socket_protocol(one, &again));
    assert_int_equal(again.dwCatalogEntryId, 0);
}

/* ---- providers */

static void test_win_provider_is_read_from_the_catalogue(void **state) {
    WSAPROTOCOL_INFOW info;
    rs_win_provider provider;
    (void)state;
    memset(&info, 0, sizeof info);
    info.dwCatalogEntryId = 1001;
    info.dwServiceFlags1 = XP1_IFS_HANDLES;
    info.ProtocolChain.ChainLen = BASE_PROTOCOL;
    provider = rs_win_provider_of(&info);
    assert_int_equal(provider.entry, 1001);
    assert_true(provider.ifs);
    assert_false(provider.layered);
    assert_string_equal(rs_win_provider_text("windows", &provider), "windows");
    info.dwServiceFlags1 = 0;
    info.ProtocolChain.ChainLen = 2; /* a layer over the system's own */
    provider = rs_win_provider_of(&info);
    assert_false(provider.ifs);
    assert_true(provider.layered);
    assert_string_equal(rs_win_provider_text("windows", &provider), "windows (layered)");
    assert_string_equal(rs_win_provider_text("emulated", &provider), "emulated");
}

static void test_win_provider_of_two_sockets_is_the_same(void **state) {
    rs_win_extensions extensions;
    rs_win_calls calls;
    uint32_t os_error;
    rs_error error;
    SOCKET one, two;
    (void)state;
    memset(&calls, 0, sizeof calls);
    one = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    two = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    assert_int_equal(rs_win_socket_extensions(one, &extensions, &error), RS_OK);
    assert_true(extensions.provider.entry != 0);
    assert_true(rs_win_extensions_fit(&extensions, two));
    extensions.provider.entry++;
    assert_false(rs_win_extensions_fit(&extensions, two));
    rs_win_socket_close(one, &calls);
    rs_win_socket_close(two, &calls);
}

/* ---- options */

/* Two connections of a listener with these options. */
static void inherit_of(const rs_tuning *at_listener, const rs_tuning *asked, rs_win_inherit expect,
                       bool nodelay) {
    const rs_addr addr = {.ip = 0x7F000001u};
    rs_win_inherit inherit = RS_WIN_INHERIT_UNASKED;
    rs_win_calls calls;
    rs_error error;
    rs_addr bound;
    SOCKET listener;
    memset(&calls, 0, sizeof calls);
    assert_int_equal(rs_win_socket_listen(&listener, &addr, at_listener, 0, &calls, &bound, &error),
                     RS_OK);
    for (uint32_t i = 0; i < 2u; i++) {
        uint64_t before;
        rs_sockaddr name;
        int name_bytes = rs_sockaddr_write(&name, &bound);
        uint32_t os_error;
        int value = 0, bytes = (int)sizeof value;
        SOCKET accepted, client = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
        assert_int_equal(connect(client, &name.any, name_bytes), 0);
        accepted = accept(listener, NULL, NULL);
        assert_true(accepted != INVALID_SOCKET);
        before = calls.count[RS_WIN_SETSOCKOPT];
        assert_int_equal(rs_win_socket_tune_accepted(accepted, asked, &inherit, &calls), RS_OK);
        assert_int_equal(inherit, expect);
        assert_true(calls.count[RS_WIN_SETSOCKOPT] == before || expect == RS_WIN_INHERIT_NO);
        assert_int_equal(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &bytes), 0);
        assert_int_equal(value != 0, nodelay);
        rs_win_socket_close(accepted, &calls);
        rs_win_socket_close(client, &calls);
    }
    rs_win_socket_close(listener, &calls);
}

static void test_win_socket_options_are_inherited_or_set(void **state) {
    rs_tuning none = rs_tuning_default(), on = rs_tuning_default();
    (void)state;
    none.nodelay = false;
    on.nodelay = true;
    inherit_of(&none, &on, RS_WIN_INHERIT_NO, true); /* a stack that does not pass it on */
    inherit_of(&none, &none, RS_WIN_INHERIT_YES, false);
    if (rs_os_is_wine()) {
        inherit_of(&on, &on, RS_WIN_INHERIT_YES, true);
    }
}

/* ---- closing */

/* Nothing has come, more may: it returns at once, and reads what there is. */
static void test_win_socket_discard_never_waits(void **state) {
    static uint8_t scratch[RS_WIN_DISCARD_BYTES];
    struct sockaddr_in name = {.sin_family = AF_INET};
    int name_bytes = (int)sizeof name;
    SOCKET listener, client, server;
    rs_win_calls calls;
    uint32_t os_error;
    u_long left = 1;
    (void)state;
    memset(&calls, 0, sizeof calls);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    client = rs_win_socket_open(AF_INET, 0, &calls, &os_error);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, name_bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &name_bytes), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&name, name_bytes), 0);
    server = accept(listener, NULL, NULL);
    rs_win_socket_discard(server, scratch, &calls); /* the test's timeout is the judge */
    assert_int_equal(send(client, "unread", 6, 0), 6);
    for (uint32_t i = 0; i < 1000u; i++) {
        assert_int_equal(ioctlsocket(server, (long)FIONREAD, &left), 0);
        if (left == 6) {
            break;
        }
        Sleep(1);
    }
    rs_win_socket_discard(server, scratch, &calls);
    assert_int_equal(ioctlsocket(server, (long)FIONREAD, &left), 0);
    assert_int_equal(left, 0);
    rs_win_socket_close(server, &calls);
    rs_win_socket_close(client, &calls);
    rs_win_socket_close(listener, &calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_win_accept_want_of_resources_ends_the_round),
        cmocka_unit_test(test_win_accept_listener_that_listens_is_not_given_up),
        cmocka_unit_test(test_win_accept_listener_of_no_more_use_is_told_once),
        cmocka_unit_test(test_win_accept_parked_requests_wait_together),
        cmocka_unit_test(test_win_accept_thread_is_bounded),
        cmocka_unit_test(test_win_accept_listener_of_another_provider_is_refused),
        cmocka_unit_test(test_win_accept_provider_that_was_not_told_refuses_nobody),
        cmocka_unit_test(test_win_accept_burst_is_answered_first),
        cmocka_unit_test(test_win_accept_burst_has_its_turn),
        cmocka_unit_test(test_win_accept_put_off_and_out_of_resources),
        cmocka_unit_test(test_win_accept_sockets_are_made_of_the_listeners_entry),
        cmocka_unit_test(test_win_accept_entry_of_other_functions_is_not_used),
        cmocka_unit_test(test_win_socket_by_entry_has_that_entry),
        cmocka_unit_test(test_win_provider_is_read_from_the_catalogue),
        cmocka_unit_test(test_win_provider_of_two_sockets_is_the_same),
        cmocka_unit_test(test_win_socket_options_are_inherited_or_set),
        cmocka_unit_test(test_win_socket_discard_never_waits),
    };
    rs_error error;
    int failed;
    if (rs_win_socket_start(&error) != RS_OK) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rs_win_socket_stop();
    return failed;
}
