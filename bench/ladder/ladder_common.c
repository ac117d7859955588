/* See ladder_common.h. */
#include "ladder/ladder_common.h"

#include "core/assert.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/options.h"
#include "seam/atomics.h"
#include "seam/files.h"
#include "seam/os.h"
#include "server/printer.h"
#include "win/win_error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

#define LADDER_HELP_BYTES 4096u
#define LADDER_JSON_BYTES 8192u
#define LADDER_EXIT_USAGE 2

typedef struct ladder_run {
    uint32_t ip, port, sessions_max; /* as asked for */
    double duration_s;
    const char *json_path;
    rs_atomic_u32 stop_asked;
    rs_printer *out, *err; /* from the start on */
    uint64_t start_ms;     /* GetTickCount64, which costs no kernel call */
    uint64_t start_ns, end_ns;
    bool refusal_told;
    rs_os_usage usage_start;
} ladder_run;

static const char *const ladder_call_names[LADDER_CALLS] = {
#define X(id, name) name,
    LADDER_CALL_TABLE(X)
#undef X
};

static int ladder_failed(const ladder *server, const char *what, DWORD os_error) {
    (void)fprintf(stderr, "%s: %s (error %lu)\n", server->model->program, what, os_error);
    return 1;
}

/* ---- options */

static bool options_help(const ladder *server, const rs_option *options, size_t count) {
    char text[LADDER_HELP_BYTES];
    (void)rs_options_help(server->model->program, "an echo server of the comparison's ladder",
                          options, count, text, sizeof text);
    (void)fputs(text, stdout);
    return false;
}

/* True: go on. False: *exit_code says how it ended. */
static bool options_read(ladder *server, int argc, char **argv, int *exit_code) {
    ladder_run *run = server->run;
    char error[RS_OPTIONS_ERROR_BYTES];
    const rs_option options[] = {
        {"host", RS_OPT_ADDR, &run->ip, 0, 0, NULL, "", "IPv4 address to listen on", NULL, NULL},
        {"port", RS_OPT_U32, &run->port, 0, 65535, NULL, "", "TCP port; 0 picks a free one", NULL,
         NULL},
        {"max-sessions", RS_OPT_U32, &run->sessions_max, 1, LADDER_CONNECTIONS_MAX, NULL,
         "sessions", "more connections than this, or than the model can, are closed at once", NULL,
         NULL},
        {"duration", RS_OPT_DOUBLE, &run->duration_s, 0, 86400, NULL, "s",
         "stop by itself after so long; 0 = run until Ctrl+C", NULL, NULL},
        {"json", RS_OPT_STRING, (void *)&run->json_path, 0, 0, NULL, "",
         "write the final figures to this file", NULL, NULL},
    };
    const size_t count = sizeof options / sizeof options[0];
    switch (
        rs_options_parse(options, count, argc, (const char *const *)argv, error, sizeof error)) {
    case RS_OPTIONS_HELP:
        *exit_code = 0;
        return options_help(server, options, count);
    case RS_OPTIONS_ERROR:
        (void)fprintf(stderr, "%s: %s\n", server->model->program, error);
        *exit_code = LADDER_EXIT_USAGE;
        return false;
    case RS_OPTIONS_RUN:
        break;
    }
    server->connections_max = run->sessions_max < server->model->connections_max
                                  ? run->sessions_max
                                  : server->model->connections_max;
    return true;
}

/* ---- start and end */

/* Returns the failed call, or NULL; *port = the port bound. */
static const char *listen_on(SOCKET listener, uint32_t ip, uint32_t *port) {
    struct sockaddr_in name;
    int name_bytes = (int)sizeof name;
    const BOOL exclusive = TRUE;
    u_long nonblocking = 1;
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(ip);
    name.sin_port = htons((u_short)*port);
    if (setsockopt(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive,
                   (int)sizeof exclusive) != 0) {
        return "setsockopt SO_EXCLUSIVEADDRUSE";
    }
    if (bind(listener, (const struct sockaddr *)&name, name_bytes) != 0) {
        return "bind";
    }
    /* The main servers' backlog. */
    if (listen(listener, SOMAXCONN_HINT((int)RS_BACKLOG_DEFAULT)) != 0) {
        return "listen";
    }
    if (ioctlsocket(listener, (long)FIONBIO, &nonblocking) != 0) {
        return "ioctlsocket";
    }
    if (getsockname(listener, (struct sockaddr *)&name, &name_bytes) != 0) {
        return "getsockname";
    }
    *port = ntohs(name.sin_port);
    return NULL;
}

static bool ladder_listen(ladder *server) {
    ladder_run *run = server->run;
    WSADATA data;
    const int rc = WSAStartup(MAKEWORD(2, 2), &data);
    if (rc != 0) {
        (void)ladder_failed(server, "WSAStartup: Winsock 2.2 did not start", (DWORD)rc);
        return false;
    }
    server->listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    const char *failed = server->listener == INVALID_SOCKET
                             ? "socket"
                             : listen_on(server->listener, run->ip, &run->port);
    if (failed != NULL) {
        const DWORD os_error = (DWORD)WSAGetLastError();
        (void)fprintf(stderr, "%s: %s: %u.%u.%u.%u:%u: %s (error %lu); choose --host, --port\n",
                      server->model->program, failed, run->ip >> 24, run->ip >> 16 & 255u,
                      run->ip >> 8 & 255u, run->ip & 255u, run->port,
                      rs_status_text(rs_win_error_status(os_error)), os_error);
        return false;
    }
    return true;
}

static void on_stop(void *arg) {
    ladder_run *run = arg;
    rs_atomic_store_u32(&run->stop_asked, 1);
}

/* Found out before the run, not after it; an earlier result stays until there is a new one. */
static int json_check(const ladder *server) {
    rs_error error = {.text = ""};
    const rs_status status = server->run->json_path != NULL
                                 ? rs_file_check(server->run->json_path, LADDER_JSON_BYTES, &error)
                                 : RS_OK;
    if (status != RS_OK) {
        (void)fprintf(stderr, "%s: --json: %s\n", server->model->program, error.text);
    }
    return status == RS_OK ? 0 : status == RS_E_INVALID ? LADDER_EXIT_USAGE : 1;
}

static void ladder_say_listening(const ladder *server) {
    const ladder_run *run = server->run;
    rs_printer_say(run->out, "%s: at most %u connections at once%s; the model's end: %s\n",
                   server->model->program, server->connections_max,
                   server->connections_max < server->model->connections_max ? " (--max-sessions)"
                                                                            : "",
                   server->model->limit);
    rs_printer_say(run->out, "listening on %u.%u.%u.%u:%u\n", run->ip >> 24, run->ip >> 16 & 255u,
                   run->ip >> 8 & 255u, run->ip & 255u, run->port);
}

/* From here on nothing waits for who reads what is printed. */
static bool ladder_open_printers(ladder *server) {
    rs_error error = {.text = ""};
    if (rs_printer_open(&server->run->out, RS_OS_STDOUT, &error) == RS_OK &&
        rs_printer_open(&server->run->err, RS_OS_STDERR, &error) == RS_OK) {
        return true;
    }
    (void)fprintf(stderr, "%s: %s\n", server->model->program, error.text);
    return false;
}

bool ladder_start(ladder *server, const ladder_model *model, int argc, char **argv,
                  int *exit_code) {
    static ladder_run run; /* outlives main: the console handler may still look at it */
    RS_ASSERT(model->connections_max >= 1 && model->connections_max <= LADDER_CONNECTIONS_MAX);
    rs_os_begin();
    memset(server, 0, sizeof *server);
    run.ip = 0x7F000001u;
    run.port = 4000;
    run.sessions_max = RS_SESSIONS_DEFAULT;
    server->model = model;
    server->run = &run;
    if (!options_read(server, argc, argv, exit_code)) {
        return false;
    }
    *exit_code = json_check(server);
    if (*exit_code != 0) {
        return false;
    }
    *exit_code = 1;
    if (!ladder_listen(server) || !ladder_open_printers(server)) {
        return false;
    }
    if (rs_os_on_stop(on_stop, &run) != RS_OK) {
        (void)ladder_failed(server, "no way to notice Ctrl+C", GetLastError());
        return false;
    }
    ladder_say_listening(server);
    run.start_ns = rs_os_now_ns();
    run.start_ms = GetTickCount64();
    rs_os_usage_read(&run.usage_start);
    return true;
}

bool ladder_is_over(const ladder *server) {
    const ladder_run *run = server->run;
    return rs_atomic_load_u32(&run->stop_asked) != 0 ||
           (run->duration_s > 0 &&
            (double)(GetTickCount64() - run->start_ms) >= run->duration_s * 1000.0);
}

/* ---- figures */

void ladder_counts_add(ladder_counts *total, const ladder_counts *part) {
    for (uint32_t i = 0; i < LADDER_CALLS; i++) {
        total->call[i] += part->call[i];
    }
    total->accepted += part->accepted;
    total->refused += part->refused;
    total->ended_by_peer += part->ended_by_peer;
    total->reset += part->reset;
    total->failed += part->failed;
    total->recvs += part->recvs;
    total->bytes_in += part->bytes_in;
    total->bytes_out += part->bytes_out;
}

void ladder_count_end(ladder_counts *counts, DWORD os_error) {
    if (os_error == 0) {
        counts->ended_by_peer++;
    } else if (rs_win_error_find((uint32_t)os_error).class_of == RS_WIN_PEER) {
        counts->reset++;
    } else {
        counts->failed++;
    }
}

static uint64_t counts_total(const ladder_counts *counts) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < LADDER_CALLS; i++) {
        total += counts->call[i];
    }
    return total;
}

static void json_counts(rs_json *json, const ladder_counts *counts) {
    rs_json_object(json, "counters");
    rs_json_u64(json, "accepted", counts->accepted);
    rs_json_u64(json, "refused", counts->refused);
    rs_json_u64(json, "recvs", counts->recvs);
    rs_json_u64(json, "bytes_in", counts->bytes_in);
    rs_json_u64(json, "bytes_out", counts->bytes_out);
    rs_json_end(json);
    rs_json_object(json, "closed");
    rs_json_u64(json, "peer", counts->ended_by_peer);
    rs_json_u64(json, "reset", counts->reset);
    rs_json_u64(json, "failed", counts->failed);
    rs_json_u64(json, "stopped",
                counts->accepted - counts->ended_by_peer - counts->reset - counts->failed);
    rs_json_end(json);
    rs_json_object(json, "kernel_calls");
    for (uint32_t i = 0; i < LADDER_CALLS; i++) {
        if (counts->call[i] != 0) { /* a model uses a few of them */
            rs_json_u64(json, ladder_call_names[i], counts->call[i]);
        }
    }
    rs_json_end(json);
    rs_json_u64(json, "kernel_calls_total", counts_total(counts));
    rs_json_null(json, "kernel_calls_per_message");
}

static void json_known(rs_json *json, const char *key, bool known, uint64_t value) {
    if (known) {
        rs_json_u64(json, key, value);
    } else {
        rs_json_null(json, key);
    }
}

static void json_usage(rs_json *json, const ladder_run *run) {
    const rs_os_usage *then = &run->usage_start;
    rs_os_usage now;
    rs_os_usage_read(&now);
    json_known(json, "user_ns", now.known & RS_USE_CPU, now.user_ns - then->user_ns);
    json_known(json, "kernel_ns", now.known & RS_USE_CPU, now.kernel_ns - then->kernel_ns);
    json_known(json, "cycles", now.known & RS_USE_CYCLES, now.cycles - then->cycles);
    json_known(json, "context_switches", now.known & RS_USE_SWITCHES,
               now.context_switches - then->context_switches);
    json_known(json, "page_faults", now.known & RS_USE_FAULTS, now.page_faults - then->page_faults);
    json_known(json, "working_set_bytes", now.known & RS_USE_WORKING_SET, now.working_set_bytes);
    json_known(json, "working_set_peak_bytes", now.known & RS_USE_WORKING_SET,
               now.working_set_peak_bytes);
    json_known(json, "nonpaged_pool_bytes", now.known & RS_USE_NONPAGED, now.nonpaged_pool_bytes);
    json_known(json, "locked_bytes", now.known & RS_USE_LOCKED, now.locked_bytes);
}

static bool json_build(const ladder *server, char *text, size_t *length) {
    const ladder_run *run = server->run;
    rs_json json;
    rs_json_init(&json, text, LADDER_JSON_BYTES);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "program", server->model->program);
    rs_json_string(&json, "backend", server->model->name);
    rs_json_string(&json, "provider", rs_os_is_wine() ? "wine" : "windows");
    rs_json_string(&json, "platform", rs_os_platform());
    rs_json_bool(&json, "wine", rs_os_is_wine());
    if (rs_os_is_wine()) {
        rs_json_string(&json, "warning", "taken under Wine: not a statement about Windows");
    }
    rs_json_string(&json, "commit", RS_COMMIT);
    rs_json_object(&json, "settings");
    rs_json_u64(&json, "max_sessions", server->connections_max);
    rs_json_end(&json);
    rs_json_u64(&json, "connections_max", server->model->connections_max);
    rs_json_string(&json, "limit", server->model->limit);
    rs_json_u64(&json, "run_ns", run->end_ns - run->start_ns);
    rs_json_null(&json, "messages"); /* a stream has none that the server could see */
    rs_json_u64(&json, "bytes", server->counts.bytes_in + server->counts.bytes_out);
    json_counts(&json, &server->counts);
    json_usage(&json, run);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}

static bool json_write(const ladder *server) {
    char text[LADDER_JSON_BYTES];
    size_t length = 0;
    if (server->run->json_path == NULL) {
        return true;
    }
    rs_error error = {.text = "the figures are longer than expected"};
    bool ok = json_build(server, text, &length) && length < sizeof text;
    if (ok) {
        text[length++] = '\n';
        ok = rs_file_replace(server->run->json_path, text, length, &error) == RS_OK;
    }
    if (!ok) {
        rs_printer_say(server->run->err, "%s: --json: %s\n", server->model->program, error.text);
    }
    return ok;
}

int ladder_finish(ladder *server) {
    const ladder_counts *counts = &server->counts;
    server->run->end_ns = rs_os_now_ns();
    ladder_close(server->listener, &server->counts);
    /* The figures first: they must not wait for whoever reads what is printed. */
    const bool written = json_write(server);
    rs_printer_say(server->run->out,
                   "stopped: sessions %" PRIu64 " refused %" PRIu64 " recvs %" PRIu64
                   " bytes in %" PRIu64 " out %" PRIu64 " kernel calls %" PRIu64 "\n",
                   counts->accepted, counts->refused, counts->recvs, counts->bytes_in,
                   counts->bytes_out, counts_total(counts));
    (void)rs_printer_close(server->run->out);
    (void)rs_printer_close(server->run->err);
    (void)WSACleanup(); /* fails only without a start */
    return written ? 0 : 1;
}

/* ---- connections */

void ladder_close(SOCKET socket, ladder_counts *counts) {
    counts->call[LADDER_CLOSESOCKET]++;
    const int rc = closesocket(socket);
    RS_ASSERT(rc == 0 || WSAGetLastError() != WSAENOTSOCK); /* ours, and open */
}

/* Once a run: who reads only the client's errors would take the model's end for a fault. */
static void tell_refusal(const ladder *server, uint32_t live) {
    const bool by_model = server->connections_max == server->model->connections_max;
    if (server->run->refusal_told) {
        return;
    }
    server->run->refusal_told = true;
    rs_printer_say(server->run->err, "%s: refused a connection: %u are open, the most here: %s\n",
                   server->model->program, live,
                   by_model ? server->model->limit : "--max-sessions allows no more");
}

bool ladder_admit(ladder *server, SOCKET accepted, uint32_t live) {
    const BOOL on = TRUE;
    if (live >= server->connections_max) {
        tell_refusal(server, live);
        server->counts.refused++;
        ladder_close(accepted, &server->counts);
        return false;
    }
    server->counts.accepted++;
    server->counts.call[LADDER_SETSOCKOPT]++;
    /* A failure means that the connection is gone, and shows at its first use. */
    (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, (int)sizeof on);
    return true;
}

SOCKET ladder_accept(ladder *server, uint32_t live) {
    server->counts.call[LADDER_ACCEPT]++;
    const SOCKET accepted = accept(server->listener, NULL, NULL);
    const DWORD os_error = accepted == INVALID_SOCKET ? (DWORD)WSAGetLastError() : 0;
    switch (rs_win_error_find((uint32_t)os_error).class_of) {
    case RS_WIN_NONE:
        return ladder_admit(server, accepted, live) ? accepted : INVALID_SOCKET;
    case RS_WIN_AGAIN:
    case RS_WIN_PEER: /* gone before it was taken in */
        return INVALID_SOCKET;
    case RS_WIN_RESOURCES:
        Sleep(1); /* or it would fail again at once, and again */
        return INVALID_SOCKET;
    default:
        RS_FATAL("accept", os_error, "the listener is of no more use");
    }
}

void ladder_await_connection(ladder *server) {
    struct timeval tick = {.tv_usec = (long)LADDER_TICK_MS * 1000};
    fd_set waiting;
    waiting.fd_count = 1;
    waiting.fd_array[0] = server->listener;
    server->counts.call[LADDER_SELECT]++;
    if (select(0, &waiting, NULL, NULL, &tick) == SOCKET_ERROR) {
        RS_FATAL("select", WSAGetLastError(), "the listener cannot be waited for");
    }
}

void ladder_set_blocking(SOCKET socket, ladder_counts *counts) {
    u_long nonblocking = 0;
    counts->call[LADDER_IOCTL]++;
    if (ioctlsocket(socket, (long)FIONBIO, &nonblocking) != 0) {
        RS_FATAL("ioctlsocket", WSAGetLastError(), "a socket must block and will not");
    }
}

/* ---- echo by non-blocking calls */

ladder_echo *ladder_echo_new(SOCKET socket) {
    ladder_echo *echo = malloc(sizeof *echo);
    if (echo != NULL) {
        echo->socket = socket;
        echo->begin = echo->end = 0;
        echo->ending = false;
    }
    return echo;
}

static ladder_step echo_stopped(ladder_counts *counts, DWORD os_error, ladder_step blocked) {
    if (os_error == WSAEWOULDBLOCK) {
        return blocked;
    }
    ladder_count_end(counts, os_error);
    return LADDER_ENDED;
}

ladder_step ladder_echo_flush(ladder_echo *echo, ladder_counts *counts) {
    while (echo->begin < echo->end) { /* each turn sends a byte at least */
        counts->call[LADDER_SEND]++;
        const int sent =
            send(echo->socket, echo->bytes + echo->begin, (int)(echo->end - echo->begin), 0);
        if (sent == SOCKET_ERROR) {
            return echo_stopped(counts, (DWORD)WSAGetLastError(), LADDER_BLOCKED);
        }
        RS_ASSERT(sent > 0 && (uint32_t)sent <= echo->end - echo->begin);
        echo->begin += (uint32_t)sent;
        counts->bytes_out += (uint32_t)sent;
    }
    return LADDER_DONE;
}

ladder_step ladder_echo_receive(ladder_echo *echo, ladder_counts *counts) {
    RS_ASSERT(echo->begin == echo->end);
    counts->call[LADDER_RECV]++;
    const int received = recv(echo->socket, echo->bytes, (int)sizeof echo->bytes, 0);
    if (received == SOCKET_ERROR) {
        return echo_stopped(counts, (DWORD)WSAGetLastError(), LADDER_EMPTY);
    }
    if (received == 0) { /* all that came was sent back: see above */
        ladder_count_end(counts, 0);
        return LADDER_ENDED;
    }
    counts->recvs++;
    counts->bytes_in += (uint32_t)received;
    echo->begin = 0;
    echo->end = (uint32_t)received;
    return ladder_echo_flush(echo, counts);
}

ladder_step ladder_echo_on_events(ladder_echo *echo, long events, ladder_counts *counts) {
    ladder_step step = LADDER_DONE;
    echo->ending = echo->ending || (events & FD_CLOSE) != 0;
    if (echo->begin < echo->end) {
        step = ladder_echo_flush(echo, counts);
        if (step != LADDER_DONE) {
            return step;
        }
    } else if ((events & (FD_READ | FD_CLOSE)) == 0) {
        return LADDER_DONE; /* FD_WRITE of a fresh connection */
    }
    do { /* bounded when ending: the client sends no more */
        step = ladder_echo_receive(echo, counts);
    } while (step == LADDER_DONE && echo->ending);
    return step;
}

/* ---- a list of connections */

void ladder_link_init(ladder_link *head) {
    head->prev = head->next = head;
}

void ladder_link_insert(ladder_link *head, ladder_link *link) {
    link->prev = head;
    link->next = head->next;
    head->next->prev = link;
    head->next = link;
}

void ladder_link_remove(ladder_link *link) {
    RS_ASSERT(link->prev->next == link && link->next->prev == link);
    link->prev->next = link->next;
    link->next->prev = link->prev;
}
