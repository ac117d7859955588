/* SPDX-License-Identifier: MIT */
/* One model of the ladder as a whole program: ladder_test MODEL, e.g. ladder_test select.
 *
 * Set up: the server stands beside this program and is started once, on a free port, its output in
 * a temporary file; the tests use it in order, and the last one stops it. A pass:
 * loadgen finds every byte right, under misbehaving clients too; a client that sends without
 * reading is stopped, not buffered for, and gets all it sent after its half-close; exactly as many
 * connections as the model's limit are served, one more is closed and the reason told, and a freed
 * place is taken again (which also shows that no connection of the earlier tests is left); the stop
 * ends the server with requests pending, exit code 0 and its figures. Then servers of their own:
 * stopped under load, and with figures that must be exact. Waits are bounded; reaching a bound is a
 * failure only where the server would have to be stuck. */
#include "win/win.h"

#include "seam/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STUCK_MS 30000u /* nothing here takes so long unless something hangs */
#define TEXT_BYTES 16384u
#define OPENED_AT_ONCE 50u
#define LEFT_OPEN 4u /* connections that the stop must end */
#define FLOOD_BYTES_MAX (64u * 1024u * 1024u)
#define FLOOD_CHUNK_BYTES 65536u

/* limit: connections that must be served. model_max: what the model itself holds, for the reason
 * that contains why. Where that is far beyond what a test should open, limit is smaller and given
 * as --max-sessions. */
typedef struct tested_model {
    const char *name;
    uint32_t limit, model_max;
    const char *why;
} tested_model;

static const tested_model models[] = {
    {"thread", 100, 2048, "thread"},
    {"select", 1023, 1023, "FD_SETSIZE"},
    {"async_select", 600, 3333, "a message queue holds 10000"},
    {"event_select", 63, 63, "64 events"},
    {"overlapped_event", 63, 63, "64 events"},
    {"overlapped_apc", 200, 1048576, "one thread"},
    {"overlapped_alertable", 200, 1048576, "one thread"},
    {"iocp_pool", 200, 1048576, "non-paged pool"},
    {"iocp_lookaside", 200, 1048576, "non-paged pool"},
};

typedef struct fixture {
    const tested_model *model;
    char folder[MAX_PATH]; /* of the programs */
    char out_path[MAX_PATH], json_path[MAX_PATH];
    HANDLE job; /* ends every child with us */
    PROCESS_INFORMATION server;
    uint16_t port;
} fixture;

static fixture the_fixture;

/* ---- children */

static void temporary_file(char path[MAX_PATH]) {
    char folder[MAX_PATH];
    assert_true(GetTempPathA(sizeof folder, folder) != 0);
    assert_true(GetTempFileNameA(folder, "rsl", 0, path) != 0);
}

/* Reads what is there now; always terminated. */
static void read_text(const char *path, char text[TEXT_BYTES]) {
    DWORD bytes = 0;
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_true(ReadFile(file, text, TEXT_BYTES - 1u, &bytes, NULL));
    text[bytes] = '\0';
    (void)CloseHandle(file);
}

static void start(fixture *f, const char *program, const char *arguments, const char *out_path,
                  PROCESS_INFORMATION *child) {
    char line[2048];
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof inherit, .bInheritHandle = TRUE};
    STARTUPINFOA startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    HANDLE out = CreateFileA(out_path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                             CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(out != INVALID_HANDLE_VALUE);
    startup.hStdOutput = startup.hStdError = out;
    (void)snprintf(line, sizeof line, "\"%s\\%s.exe\" %s", f->folder, program, arguments);
    /* Suspended: one that ends at once could not be put into the job any more. */
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED,
                        NULL, NULL, &startup, child)) {
        fail_msg("%s does not start: error %lu", line, GetLastError());
    }
    (void)CloseHandle(out);
    assert_true(AssignProcessToJobObject(f->job, child->hProcess));
    assert_true(ResumeThread(child->hThread) != (DWORD)-1);
}

/* Returns the exit code. */
static DWORD await(PROCESS_INFORMATION *child) {
    DWORD code = 0;
    const bool ended = WaitForSingleObject(child->hProcess, STUCK_MS) == WAIT_OBJECT_0;
    if (!ended) {
        (void)TerminateProcess(child->hProcess, 99);
    }
    assert_true(ended);
    assert_true(GetExitCodeProcess(child->hProcess, &code));
    (void)CloseHandle(child->hProcess);
    (void)CloseHandle(child->hThread);
    child->hProcess = NULL;
    return code;
}

static DWORD run(fixture *f, const char *program, const char *arguments, char text[TEXT_BYTES]) {
    char path[MAX_PATH];
    PROCESS_INFORMATION child;
    temporary_file(path);
    start(f, program, arguments, path, &child);
    const DWORD code = await(&child);
    read_text(path, text);
    (void)DeleteFileA(path);
    return code;
}

static void server_name(const fixture *f, char name[64]) {
    (void)snprintf(name, 64, "ladder_%s", f->model->name);
}

static bool server_is_listening(fixture *f, char text[TEXT_BYTES]) {
    read_text(f->out_path, text);
    const char *line = strstr(text, "listening on 127.0.0.1:");
    if (line == NULL || strchr(line, '\n') == NULL) {
        return false;
    }
    f->port = (uint16_t)strtoul(strchr(line, ':') + 1, NULL, 10);
    return true;
}

/* places: connections that it may hold. */
static void open_server(fixture *f, uint32_t places) {
    char arguments[512], name[64], text[TEXT_BYTES], cap[64] = "";
    if (places < f->model->model_max) {
        (void)snprintf(cap, sizeof cap, "--max-sessions %u", places);
    }
    (void)snprintf(arguments, sizeof arguments, "--port 0 --json \"%s\" %s", f->json_path, cap);
    server_name(f, name);
    f->port = 0;
    start(f, name, arguments, f->out_path, &f->server);
    for (uint32_t ms = 0; ms < STUCK_MS && !server_is_listening(f, text); ms += 20u) {
        Sleep(20);
    }
    assert_int_not_equal(f->port, 0);
}

/* By the event that stands for Ctrl+Break: that one needs a console, which a CI job has not. */
static void ask_to_stop(const PROCESS_INFORMATION *child) {
    char name[RS_OS_STOP_EVENT_BYTES];
    (void)snprintf(name, sizeof name, RS_OS_STOP_EVENT, (unsigned long)child->dwProcessId);
    HANDLE event = OpenEventA(EVENT_MODIFY_STATE, FALSE, name);
    assert_non_null(event);
    assert_true(SetEvent(event));
    (void)CloseHandle(event);
}

/* Exit code 0, and the figures. */
static void stop_server(fixture *f, char out[TEXT_BYTES], char json[TEXT_BYTES]) {
    ask_to_stop(&f->server);
    const DWORD code = await(&f->server);
    read_text(f->out_path, out);
    if (code != 0) {
        fail_msg("exit code %lu\n%s", code, out);
    }
    assert_non_null(strstr(out, "stopped: sessions "));
    read_text(f->json_path, json);
}

static int start_server(void **state) {
    fixture *f = &the_fixture;
    WSADATA data;
    *state = f;
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
    f->job = CreateJobObjectA(NULL, NULL);
    assert_non_null(f->job);
    assert_true(
        SetInformationJobObject(f->job, JobObjectExtendedLimitInformation, &limits, sizeof limits));
    temporary_file(f->out_path);
    temporary_file(f->json_path);
    open_server(f, f->model->limit);
    return 0;
}

static int end_server(void **state) {
    fixture *f = *state;
    (void)CloseHandle(f->job); /* with it whatever still runs */
    (void)DeleteFileA(f->out_path);
    (void)DeleteFileA(f->json_path);
    (void)WSACleanup();
    return 0;
}

static void await_text(const char *path, const char *expected) {
    char text[TEXT_BYTES];
    read_text(path, text);
    for (uint32_t ms = 0; ms < STUCK_MS && strstr(text, expected) == NULL; ms += 20u) {
        Sleep(20);
        read_text(path, text);
    }
    assert_non_null(strstr(text, expected));
}

/* ---- a client */

static SOCKET new_client(void) {
    const DWORD stuck_ms = STUCK_MS;
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(client != INVALID_SOCKET);
    assert_int_equal(
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (const char *)&stuck_ms, (int)sizeof stuck_ms),
        0);
    return client;
}

static int connect_client(const fixture *f, SOCKET client) {
    struct sockaddr_in name;
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(f->port);
    return connect(client, (const struct sockaddr *)&name, (int)sizeof name);
}

static SOCKET connect_to(const fixture *f) {
    const SOCKET client = new_client();
    assert_int_equal(connect_client(f, client), 0);
    return client;
}

static void set_blocking(SOCKET client, bool blocking) {
    u_long nonblocking = blocking ? 0 : 1;
    assert_int_equal(ioctlsocket(client, (long)FIONBIO, &nonblocking), 0);
}

static void set_nodelay(SOCKET client) {
    const BOOL on = TRUE;
    assert_int_equal(
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, (int)sizeof on), 0);
}

/* Ends by a reset, whatever was sent or has come. */
static void reset_client(SOCKET client) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(
        setsockopt(client, SOL_SOCKET, SO_LINGER, (const char *)&at_once, (int)sizeof at_once), 0);
    (void)closesocket(client);
}

/* True: a byte came back. False: the server closed the connection. Stuck: fails. */
static bool ask(SOCKET client) {
    return send(client, "x", 1, 0) == 1;
}

static bool is_answered(SOCKET client) {
    char back = 0;
    const int received = recv(client, &back, 1, 0);
    assert_true(received >= 0 || WSAGetLastError() != WSAETIMEDOUT);
    return received == 1 && back == 'x';
}

static bool is_served(SOCKET client) {
    return ask(client) && is_answered(client);
}

/* A connection that is served; refused ones are tried again while earlier ones still end. */
static SOCKET connect_served(const fixture *f) {
    for (uint32_t ms = 0; ms < STUCK_MS; ms += 20u) {
        SOCKET client = connect_to(f);
        if (is_served(client)) {
            return client;
        }
        (void)closesocket(client);
        Sleep(20);
    }
    fail_msg("no place for a connection became free");
    return INVALID_SOCKET;
}

/* Together, OPENED_AT_ONCE at a time: under Wine one select over a thousand sockets takes 7 ms. */
static void open_clients(const fixture *f, SOCKET *client, uint32_t from, uint32_t to) {
    while (from < to) {
        bool asked[OPENED_AT_ONCE];
        const uint32_t count = to - from < OPENED_AT_ONCE ? to - from : OPENED_AT_ONCE;
        for (uint32_t i = 0; i < count; i++) {
            client[from + i] = connect_to(f);
            asked[i] = ask(client[from + i]);
        }
        for (uint32_t i = 0; i < count; i++, from++) {
            if (!asked[i] || !is_answered(client[from])) { /* earlier ones may still end */
                (void)closesocket(client[from]);
                client[from] = connect_served(f);
            }
        }
    }
}

static char pattern(uint64_t at) {
    return (char)(uint8_t)(at * 31u + at / 253u);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* What a client does that writes and reads at once. */
typedef struct pump {
    SOCKET client;
    uint64_t total, sent, received;
    uint32_t random;     /* pieces of random size; 0: as large as will go */
    uint32_t piece_left; /* of the piece being sent */
} pump;

static void pump_send(pump *p) {
    static char chunk[FLOOD_CHUNK_BYTES];
    const uint64_t left = p->total - p->sent;
    if (p->piece_left == 0) {
        p->piece_left = FLOOD_CHUNK_BYTES;
        if (p->random != 0) {
            p->piece_left =
                1u + next_random(&p->random) % (next_random(&p->random) % 8u == 0 ? 5000u : 40u);
        }
    }
    const uint32_t bytes = left < p->piece_left ? (uint32_t)left : p->piece_left;
    for (uint32_t i = 0; i < bytes; i++) {
        chunk[i] = pattern(p->sent + i);
    }
    const int part = send(p->client, chunk, (int)bytes, 0);
    if (part == SOCKET_ERROR) {
        assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
        return;
    }
    p->sent += (uint32_t)part;
    p->piece_left -= (uint32_t)part;
}

static void pump_receive(pump *p) {
    static char chunk[FLOOD_CHUNK_BYTES];
    const int part = recv(p->client, chunk, (int)sizeof chunk, 0);
    if (part == SOCKET_ERROR) {
        assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
        return;
    }
    assert_true(part > 0 && p->received + (uint32_t)part <= p->total);
    for (int i = 0; i < part; i++) {
        if (chunk[i] != pattern(p->received + (uint32_t)i)) {
            fail_msg("byte %llu came back wrong", (unsigned long long)(p->received + (uint32_t)i));
        }
    }
    p->received += (uint32_t)part;
}

/* Sends `total` bytes and has them back, both at the same time; random: a seed, or 0. */
static void pump_all(SOCKET client, uint64_t total, uint32_t random) {
    pump p = {.client = client, .total = total, .random = random};
    set_blocking(client, false);
    while (p.received < p.total) {
        struct timeval stuck = {.tv_sec = (long)(STUCK_MS / 1000u)};
        fd_set reads, writes;
        FD_ZERO(&reads);
        FD_ZERO(&writes);
        FD_SET(client, &reads);
        if (p.sent < p.total) {
            FD_SET(client, &writes);
        }
        assert_true(select(0, &reads, &writes, NULL, &stuck) > 0);
        if (FD_ISSET(client, &reads)) {
            pump_receive(&p);
        }
        if (FD_ISSET(client, &writes)) {
            pump_send(&p);
        }
    }
    set_blocking(client, true);
}

/* Sends without reading until nothing more is taken for a while; returns the bytes sent. */
static uint64_t flood(SOCKET client) {
    static char chunk[FLOOD_CHUNK_BYTES];
    uint64_t sent = 0;
    set_blocking(client, false);
    for (uint32_t refusals = 0; refusals < 10 && sent < FLOOD_BYTES_MAX;) {
        for (uint32_t i = 0; i < FLOOD_CHUNK_BYTES; i++) {
            chunk[i] = pattern(sent + i);
        }
        const int part = send(client, chunk, (int)sizeof chunk, 0);
        if (part > 0) {
            sent += (uint64_t)part;
            refusals = 0;
        } else {
            assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
            refusals++;
            Sleep(20);
        }
    }
    return sent;
}

/* Reads to the end of the stream; every byte must be right. Returns how many. */
static uint64_t drain(SOCKET client) {
    static char chunk[FLOOD_CHUNK_BYTES];
    uint64_t total = 0;
    int received;
    set_blocking(client, true);
    while ((received = recv(client, chunk, (int)sizeof chunk, 0)) > 0) {
        for (int i = 0; i < received; i++) {
            assert_int_equal(chunk[i], pattern(total + (uint64_t)i));
        }
        total += (uint64_t)received;
    }
    assert_int_equal(received, 0);
    return total;
}

/* ---- the tests, in order; server_* and others with the name of a case of the conformance suite
 * are that case, as far as it can be asked from outside (docs/ladder.md has the table) */

static void run_loadgen(fixture *f, const char *load) {
    char arguments[512], text[TEXT_BYTES];
    (void)snprintf(arguments, sizeof arguments, "--port %u %s", (unsigned)f->port, load);
    const DWORD code = run(f, "loadgen", arguments, text);
    if (code != 0) {
        fail_msg("loadgen %s: exit code %lu\n%s", arguments, code, text);
    }
}

static void test_ladder_closed_loop_is_echoed_right(void **state) {
    run_loadgen(*state, "--connections 40 --depth 4 --messages 1500");
}

static void test_ladder_large_frames_are_echoed_right(void **state) {
    run_loadgen(*state, "--connections 4 --depth 2 --size 60000 --messages 200");
}

static void test_ladder_resets_half_closes_and_slow_readers_disturb_nobody(void **state) {
    run_loadgen(*state, "--connections 30 --depth 8 --messages 1500 --reset-percent 20 "
                        "--half-close-percent 20 --slow-percent 10 --churn-messages 20");
}

static void test_ladder_one_byte_trickle(void **state) {
    SOCKET client = connect_served(*state);
    set_nodelay(client);
    for (uint32_t i = 0; i < 300u; i++) {
        char byte = pattern(i), back = 0;
        assert_int_equal(send(client, &byte, 1, 0), 1);
        assert_int_equal(recv(client, &back, 1, 0), 1);
        assert_int_equal(back, byte);
    }
    (void)closesocket(client);
}

static void test_ladder_server_random_fragmentation_echoes_equal(void **state) {
    for (uint32_t seed = 1; seed <= 3u; seed++) {
        SOCKET client = connect_served(*state);
        print_message("seed %u\n", seed);
        set_nodelay(client);
        pump_all(client, 200000, seed);
        (void)closesocket(client);
    }
}

static void test_ladder_large_transfer_8MiB_both_ways_is_verified(void **state) {
    SOCKET client = connect_served(*state);
    pump_all(client, 8u * 1024u * 1024u, 0);
    (void)closesocket(client);
}

static void test_ladder_server_half_close_gets_every_reply(void **state) {
    SOCKET client = connect_served(*state);
    char bytes[1000];
    for (uint64_t sent = 0; sent < 50u * sizeof bytes; sent += sizeof bytes) {
        for (uint32_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = pattern(sent + i);
        }
        assert_int_equal(send(client, bytes, (int)sizeof bytes, 0), (int)sizeof bytes);
    }
    assert_int_equal(shutdown(client, SD_SEND), 0);
    assert_int_equal(drain(client), 50u * sizeof bytes);
    (void)closesocket(client);
}

/* The busy one is loadgen, which finds every byte right meanwhile. */
static void test_ladder_busy_connection_does_not_starve_another(void **state) {
    fixture *f = *state;
    char arguments[256], path[MAX_PATH], text[TEXT_BYTES];
    PROCESS_INFORMATION busy;
    SOCKET client = connect_served(f);
    set_nodelay(client);
    temporary_file(path);
    (void)snprintf(arguments, sizeof arguments,
                   "--port %u --connections 1 --depth 64 --size 16384 --warmup 0 --seconds 60 "
                   "--progress on",
                   (unsigned)f->port);
    start(f, "loadgen", arguments, path, &busy);
    await_text(path, "measuring");
    for (uint32_t i = 0; i < 50u; i++) {
        assert_true(is_served(client));
    }
    /* Still at it: so all 50 were served next to it. */
    assert_int_equal(WaitForSingleObject(busy.hProcess, 0), WAIT_TIMEOUT);
    ask_to_stop(&busy);
    const DWORD code = await(&busy);
    read_text(path, text);
    if (code != 0 || strstr(text, "interrupted: ") == NULL) {
        fail_msg("loadgen %s: exit code %lu\n%s", arguments, code, text);
    }
    (void)DeleteFileA(path);
    (void)closesocket(client);
}

/* 200 connections come and go, each third by a reset. Then the server holds no more handles than
 * with as many connections before (Wine 8 counts none); and every place is free, which the next
 * test shows: it fills them all. */
static void test_ladder_server_cycles_leave_nothing_behind(void **state) {
    fixture *f = *state;
    DWORD before = 0, after = 0;
    SOCKET client[50];
    open_clients(f, client, 0, 50);
    assert_true(GetProcessHandleCount(f->server.hProcess, &before));
    for (uint32_t i = 0; i < 200u; i++) {
        SOCKET one = connect_served(f);
        if (i % 3u == 0) {
            reset_client(one);
        } else {
            (void)closesocket(one);
        }
    }
    (void)closesocket(client[49]);
    open_clients(f, client, 49, 50); /* what came before it was taken note of by now */
    assert_true(GetProcessHandleCount(f->server.hProcess, &after));
    print_message("handles %lu, then %lu\n", before, after);
    assert_true(after < before + 50u); /* a leak would be 200 */
    for (uint32_t i = 0; i < 50u; i++) {
        (void)closesocket(client[i]);
    }
}

static void test_ladder_half_close_with_a_tail_owed_delivers_it(void **state) {
    SOCKET client = connect_served(*state);
    const uint64_t sent = flood(client);
    assert_true(sent > 0 && sent < FLOOD_BYTES_MAX); /* stopped, not buffered for */
    assert_int_equal(shutdown(client, SD_SEND), 0);
    assert_int_equal(drain(client), sent);
    (void)closesocket(client);
}

static void test_ladder_one_connection_above_the_limit_is_closed_at_once(void **state) {
    fixture *f = *state;
    const uint32_t limit = f->model->limit;
    SOCKET *client = calloc(limit, sizeof *client);
    assert_non_null(client);
    open_clients(f, client, 0, limit);
    for (uint32_t i = 0; i < 2; i++) { /* two: only the first one is told on stderr */
        SOCKET above = connect_to(f);
        assert_false(is_served(above));
        (void)closesocket(above);
    }
    assert_true(is_served(client[0]));
    assert_true(is_served(client[limit - 1u]));
    (void)closesocket(client[0]);
    client[0] = connect_served(f);
    for (uint32_t i = 0; i < limit; i++) {
        (void)closesocket(client[i]);
    }
    free(client);
}

static void test_ladder_port_in_use_ends_with_one_line(void **state) {
    fixture *f = *state;
    char name[64], arguments[64], text[TEXT_BYTES];
    server_name(f, name);
    (void)snprintf(arguments, sizeof arguments, "--port %u", (unsigned)f->port);
    assert_int_equal(run(f, name, arguments, text), 1);
    assert_non_null(strstr(text, "--port"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1u);
}

static void test_ladder_bad_option_ends_with_one_line(void **state) {
    fixture *f = *state;
    char name[64], text[TEXT_BYTES];
    server_name(f, name);
    assert_int_equal(run(f, name, "--max-sessions 0", text), 2);
    assert_non_null(strstr(text, "--max-sessions"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1u);
}

static unsigned long json_number(const char *json, const char *key) {
    const char *at = strstr(json, key);
    if (at == NULL) {
        fail_msg("no %s in %s", key, json);
    }
    return strtoul(at + strlen(key), NULL, 10);
}

/* The model's end, told in words: one line on stderr, two keys for programs. */
static void check_limit(const fixture *f, const char *out, const char *json) {
    const bool by_model = f->model->limit == f->model->model_max;
    char expected[128], line[512] = "";
    const char *told, *limit = strstr(json, "\"limit\":\"");
    (void)snprintf(expected, sizeof expected,
                   "ladder_%s: refused a connection: %u are open, the limit here: ", f->model->name,
                   f->model->limit);
    told = strstr(out, expected);
    if (told == NULL || limit == NULL) {
        fail_msg("no line '%s', or no limit\n%s%s", expected, out, json);
        return;
    }
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(told, "\r\n"), told);
    assert_non_null(strstr(line, by_model ? f->model->why : "--max-sessions"));
    assert_null(strstr(told + strlen(expected), "refused a connection"));
    assert_non_null(strstr(limit, f->model->why));
    assert_int_equal(json_number(json, "\"connections_max\":"), f->model->model_max);
}

static void check_json(const fixture *f, const char *out, const char *json) {
    char expected[128];
    (void)snprintf(expected, sizeof expected,
                   "{\"program\":\"ladder_%s\",\"backend\":\"%s\",\"provider\":\"w", f->model->name,
                   f->model->name);
    assert_ptr_equal(strstr(json, expected), json);
    assert_non_null(strstr(json, "\"messages\":null"));
    assert_non_null(strstr(json, "\"user_ns\":"));
    assert_non_null(strstr(json, "\"kernel_ns\":"));
    assert_true(json_number(json, "\"kernel_calls_total\":") > 1000u);
    assert_true(json_number(json, "\"accepted\":") > f->model->limit);
    assert_true(json_number(json, "\"refused\":") >= 2u);
    check_limit(f, out, json);
    /* Together: after a reset a receive under Wine 8 may say that the stream ended. */
    assert_true(json_number(json, "\"peer\":") + json_number(json, "\"reset\":") > f->model->limit);
    assert_int_equal(json_number(json, "\"failed\":"), 0);
    assert_true(json_number(json, "\"stopped\":") >= LEFT_OPEN);
}

static void test_ladder_stop_ends_connections_with_requests_pending(void **state) {
    fixture *f = *state;
    char text[TEXT_BYTES], json[TEXT_BYTES];
    SOCKET client[LEFT_OPEN];
    for (uint32_t i = 0; i < LEFT_OPEN; i++) {
        client[i] = connect_served(f);
    }
    (void)flood(client[0]); /* the server cannot send; with the others it waits to receive */
    stop_server(f, text, json);
    assert_non_null(strstr(text, "limit of the model: "));
    check_json(f, text, json);
    for (uint32_t i = 0; i < LEFT_OPEN; i++) {
        (void)closesocket(client[i]);
    }
}

/* From here on each test has a server of its own, whose figures can be told exactly. */

static void test_ladder_server_stop_under_load_ends_with_its_figures(void **state) {
    fixture *f = *state;
    char arguments[256], path[MAX_PATH], text[TEXT_BYTES], json[TEXT_BYTES];
    PROCESS_INFORMATION load;
    open_server(f, f->model->limit);
    temporary_file(path);
    (void)snprintf(arguments, sizeof arguments,
                   "--port %u --connections 40 --depth 8 --seconds 60 --progress on",
                   (unsigned)f->port);
    start(f, "loadgen", arguments, path, &load);
    await_text(path, "warming up");
    SOCKET newcomer = connect_served(f); /* who comes under load is let in */
    stop_server(f, text, json);
    (void)closesocket(newcomer);
    assert_int_equal(await(&load), 1); /* void: its connections ended */
    (void)DeleteFileA(path);
    assert_int_equal(json_number(json, "\"accepted\":"), 41);
    assert_true(json_number(json, "\"recvs\":") >= 40u);
    assert_true(json_number(json, "\"bytes_out\":") >= 40u * 32u);
    assert_true(json_number(json, "\"stopped\":") > 0);
    if (strcmp(f->model->name, "overlapped_apc") == 0) {
        /* A wait serves each connection once at most, or it might never return to see the stop. */
        assert_true(json_number(json, "\"WSARecv\":") + json_number(json, "\"WSASend\":") <=
                    41u * (json_number(json, "\"WSAWaitForMultipleEvents\":") + 1u));
    }
}

/* One place for who is reset, so that the next one is let in only when that was noticed. */
static void test_ladder_server_reset_is_counted(void **state) {
    fixture *f = *state;
    char data[1000] = {0}, text[TEXT_BYTES], json[TEXT_BYTES];
    open_server(f, 2);
    SOCKET bystander = connect_served(f);
    for (uint32_t i = 0; i < 5u; i++) {
        SOCKET client = connect_served(f);
        assert_int_equal(send(client, data, (int)sizeof data, 0), (int)sizeof data);
        reset_client(client);
        assert_true(is_served(bystander));
    }
    SOCKET last = connect_served(f);
    assert_true(is_served(bystander));
    stop_server(f, text, json);
    assert_int_equal(json_number(json, "\"accepted\":"), 7);
    assert_int_equal(json_number(json, "\"failed\":"), 0);
    /* Together: after a reset a receive under Wine 8 may say that the stream ended. */
    assert_int_equal(json_number(json, "\"peer\":") + json_number(json, "\"reset\":"), 5);
    assert_int_equal(json_number(json, "\"stopped\":"), 2);
    (void)closesocket(last);
    (void)closesocket(bystander);
}

/* All connects are in progress before the first of them is looked at. */
static void test_ladder_accept_burst_of_200_all_arrive(void **state) {
    fixture *f = *state;
    const uint32_t burst = f->model->limit < 200u ? f->model->limit : 200u;
    char text[TEXT_BYTES], json[TEXT_BYTES];
    SOCKET client[200];
    open_server(f, burst);
    for (uint32_t i = 0; i < burst; i++) {
        client[i] = new_client();
        set_blocking(client[i], false);
        assert_true(connect_client(f, client[i]) == 0 || WSAGetLastError() == WSAEWOULDBLOCK);
    }
    for (uint32_t i = 0; i < burst; i++) {
        struct timeval stuck = {.tv_sec = (long)(STUCK_MS / 1000u)};
        fd_set writes;
        FD_ZERO(&writes);
        FD_SET(client[i], &writes);
        assert_int_equal(select(0, NULL, &writes, NULL, &stuck), 1);
        set_blocking(client[i], true);
        assert_true(is_served(client[i]));
    }
    stop_server(f, text, json);
    assert_int_equal(json_number(json, "\"accepted\":"), burst);
    assert_int_equal(json_number(json, "\"refused\":"), 0);
    for (uint32_t i = 0; i < burst; i++) {
        (void)closesocket(client[i]);
    }
}

/* ---- main */

static bool find_model(fixture *f, const char *name) {
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (strcmp(models[i].name, name) == 0) {
            f->model = &models[i];
        }
    }
    return f->model != NULL;
}

static bool find_folder(fixture *f) {
    const DWORD bytes = GetModuleFileNameA(NULL, f->folder, sizeof f->folder);
    char *slash = strrchr(f->folder, '\\');
    if (bytes == 0 || bytes >= sizeof f->folder || slash == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder_bad_option_ends_with_one_line),
        cmocka_unit_test(test_ladder_closed_loop_is_echoed_right),
        cmocka_unit_test(test_ladder_large_frames_are_echoed_right),
        cmocka_unit_test(test_ladder_resets_half_closes_and_slow_readers_disturb_nobody),
        cmocka_unit_test(test_ladder_one_byte_trickle),
        cmocka_unit_test(test_ladder_server_random_fragmentation_echoes_equal),
        cmocka_unit_test(test_ladder_large_transfer_8MiB_both_ways_is_verified),
        cmocka_unit_test(test_ladder_server_half_close_gets_every_reply),
        cmocka_unit_test(test_ladder_half_close_with_a_tail_owed_delivers_it),
        cmocka_unit_test(test_ladder_busy_connection_does_not_starve_another),
        cmocka_unit_test(test_ladder_server_cycles_leave_nothing_behind),
        cmocka_unit_test(test_ladder_one_connection_above_the_limit_is_closed_at_once),
        cmocka_unit_test(test_ladder_port_in_use_ends_with_one_line),
        cmocka_unit_test(test_ladder_stop_ends_connections_with_requests_pending),
        cmocka_unit_test(test_ladder_server_stop_under_load_ends_with_its_figures),
        cmocka_unit_test(test_ladder_server_reset_is_counted),
        cmocka_unit_test(test_ladder_accept_burst_of_200_all_arrive),
    };
    if (argc != 2 || !find_model(&the_fixture, argv[1]) || !find_folder(&the_fixture)) {
        (void)fprintf(stderr, "usage: ladder_test MODEL\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, start_server, end_server);
}
