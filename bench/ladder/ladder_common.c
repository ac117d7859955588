/* SPDX-License-Identifier: MIT */
/* See ladder_common.h. */
#include "ladder/ladder_common.h"

#include "core/assert.h"
#include "core/limits.h"
#include "core/options.h"
#include "seam/atomics.h"
#include "seam/os.h"
#include "seam/printer.h"
#include "server/record.h"
#include "win/win_error.h"
#include "win/win_socket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ladder_run {
    uint32_t ip, sessions_max; /* as asked for */
    uint16_t port, bound_port;
    double duration_s;
    const char *json_path;
    rs_options options;
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

/* ---- options */

static const rs_option ladder_rows[] = {
    RS_ROW_ADDR(ladder_run, ip, "host", 0x7F000001, "IPv4 address to listen on"),
    RS_ROW_UINT(ladder_run, port, "port", 0, 65535, 4000, "", "TCP port; 0 picks a free one"),
    RS_ROW_UINT(ladder_run, sessions_max, "max-sessions", 1, LADDER_CONNECTIONS_MAX,
                RS_SESSIONS_DEFAULT, "sessions",
                "connections beyond this or the model's limit are closed at once"),
    RS_ROW_DOUBLE(ladder_run, duration_s, "duration", 0, 86400, 0, "s",
                  "stop after this time; 0 = run until Ctrl+C"),
    RS_ROW_STRING(ladder_run, json_path, "json", NULL, "write the final figures to this file"),
};
static const rs_option_table ladder_options = {ladder_rows, RS_ROWS(ladder_rows), NULL};

/* Returns as rs_options_read. */
static int options_read(ladder *server, int argc, char **argv) {
    ladder_run *run = server->run;
    run->options.program = server->model->program;
    run->options.summary = "an echo server over an older Winsock model";
    rs_options_add(&run->options, &ladder_options, run, NULL);
    const int exit_code = rs_options_read(&run->options, argc, (const char *const *)argv);
    if (run->sessions_max > server->model->connections_max) {
        run->sessions_max = server->model->connections_max; /* what holds is what is recorded */
    }
    server->connections_max = run->sessions_max;
    return exit_code;
}

/* ---- start and end */

static bool ladder_listen(ladder *server) {
    ladder_run *run = server->run;
    const rs_tuning tuning = rs_tuning_default(); /* the main servers' backlog */
    const rs_addr addr = {.ip = run->ip, .port = run->port};
    rs_win_calls calls = {{0}};
    u_long nonblocking = 1;
    rs_addr bound = {.port = 0};
    rs_error error;
    rs_status status = rs_win_socket_start(&error);
    if (status == RS_OK) {
        status = rs_win_socket_listen(&server->listener, &addr, &tuning, 0, &calls, &bound, &error);
        run->bound_port = bound.port;
    }
    if (status != RS_OK) {
        (void)fprintf(stderr, "%s: %s\n", server->model->program, error.text);
        return false;
    }
    if (ioctlsocket(server->listener, (long)FIONBIO, &nonblocking) != 0) {
        RS_FATAL("ioctlsocket", WSAGetLastError(), "cannot make the listener non-blocking");
    }
    return true;
}

static void on_stop(void *arg) {
    ladder_run *run = arg;
    rs_atomic_store_u32(&run->stop_asked, 1);
}

static void ladder_say_listening(const ladder *server) {
    const ladder_run *run = server->run;
    rs_printer_say(run->out, "%s: at most %u connections at once%s; limit of the model: %s\n",
                   server->model->program, server->connections_max,
                   server->connections_max < server->model->connections_max ? " (--max-sessions)"
                                                                            : "",
                   server->model->limit);
    rs_printer_say(run->out, "listening on %u.%u.%u.%u:%u\n", run->ip >> 24, run->ip >> 16 & 255u,
                   run->ip >> 8 & 255u, run->ip & 255u, run->bound_port);
}

/* From here on nothing waits for the reader of the output. */
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
    static ladder_run run; /* outlives main: the console handler may still use it */
    RS_ASSERT(model->connections_max >= 1 && model->connections_max <= LADDER_CONNECTIONS_MAX);
    rs_os_begin();
    memset(server, 0, sizeof *server);
    server->model = model;
    server->run = &run;
    *exit_code = options_read(server, argc, argv);
    if (*exit_code >= 0) {
        return false;
    }
    *exit_code = rs_record_check(model->program, "json", run.json_path);
    if (*exit_code != 0) {
        return false;
    }
    *exit_code = 1;
    if (!ladder_listen(server) || !ladder_open_printers(server)) {
        return false;
    }
    if (rs_os_on_stop(on_stop, &run) != RS_OK) {
        (void)fprintf(stderr, "%s: cannot install the Ctrl+C handler (error %lu)\n", model->program,
                      GetLastError());
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

static void counts_calls(const ladder_counts *counts, rs_backend_stats *out) {
    _Static_assert(LADDER_CALLS <= RS_BACKEND_STATS_MAX, "all figures fit the record");
    out->count = 0;
    for (uint32_t i = 0; i < LADDER_CALLS; i++) {
        if (counts->call[i] != 0) { /* a model uses a few of them */
            out->stat[out->count++] =
                (rs_backend_stat){ladder_call_names[i], counts->call[i], true};
        }
    }
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
}

static void json_members(rs_json *json, const void *ctx) {
    const ladder *server = ctx;
    const ladder_run *run = server->run;
    rs_backend_stats calls;
    counts_calls(&server->counts, &calls);
    rs_record_head(json, server->model->program, server->model->name,
                   rs_os_is_wine() ? "wine" : "windows");
    rs_options_json(json, "settings", &run->options, "json");
    rs_json_u64(json, "connections_max", server->model->connections_max);
    rs_json_string(json, "limit", server->model->limit);
    rs_json_u64(json, "run_ns", run->end_ns - run->start_ns);
    rs_json_null(json, "messages"); /* a stream has none that the server could see */
    rs_json_u64(json, "bytes", server->counts.bytes_in + server->counts.bytes_out);
    json_counts(json, &server->counts);
    rs_record_calls(json, &calls, 0);
    rs_record_usage(json, &run->usage_start);
}

int ladder_finish(ladder *server) {
    const ladder_counts *counts = &server->counts;
    const ladder_run *run = server->run;
    rs_error error = {.text = ""};
    rs_backend_stats calls;
    server->run->end_ns = rs_os_now_ns();
    ladder_close(server->listener, &server->counts);
    counts_calls(counts, &calls);
    /* The figures first: they must not wait for the reader of the output. */
    const rs_status status = rs_record_write(run->json_path, json_members, server, &error);
    if (status != RS_OK) {
        rs_printer_say(run->err, "%s: --json: %s\n", server->model->program, error.text);
    }
    rs_printer_say(run->out,
                   "stopped: sessions %" PRIu64 " refused %" PRIu64 " recvs %" PRIu64
                   " bytes in %" PRIu64 " out %" PRIu64 " kernel calls %" PRIu64 "\n",
                   counts->accepted, counts->refused, counts->recvs, counts->bytes_in,
                   counts->bytes_out, rs_record_calls_total(&calls));
    (void)rs_printer_close(run->out);
    (void)rs_printer_close(run->err);
    rs_win_socket_stop();
    return status == RS_OK ? 0 : 1;
}

/* ---- connections */

void ladder_close(SOCKET socket, ladder_counts *counts) {
    counts->call[LADDER_CLOSESOCKET]++;
    const int rc = closesocket(socket);
    RS_ASSERT(rc == 0 || WSAGetLastError() != WSAENOTSOCK); /* ours, and open */
}

/* Once per run: from the client's errors alone the model's limit would look like a fault. */
static void tell_refusal(const ladder *server, uint32_t live) {
    const bool by_model = server->connections_max == server->model->connections_max;
    if (server->run->refusal_told) {
        return;
    }
    server->run->refusal_told = true;
    rs_printer_say(server->run->err, "%s: refused a connection: %u are open, the limit here: %s\n",
                   server->model->program, live,
                   by_model ? server->model->limit : "--max-sessions is reached");
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
    /* A failure means that the connection is gone, which shows at its first use. */
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
        Sleep(1); /* or it would fail again at once */
        return INVALID_SOCKET;
    default:
        RS_FATAL("accept", os_error, "the listener is unusable");
    }
}

void ladder_await_connection(ladder *server) {
    struct timeval tick = {.tv_usec = (long)LADDER_TICK_MS * 1000};
    fd_set waiting;
    waiting.fd_count = 1;
    waiting.fd_array[0] = server->listener;
    server->counts.call[LADDER_SELECT]++;
    if (select(0, &waiting, NULL, NULL, &tick) == SOCKET_ERROR) {
        RS_FATAL("select", WSAGetLastError(), "cannot wait for the listener");
    }
}

void ladder_set_blocking(SOCKET socket, ladder_counts *counts) {
    u_long nonblocking = 0;
    counts->call[LADDER_IOCTL]++;
    if (ioctlsocket(socket, (long)FIONBIO, &nonblocking) != 0) {
        RS_FATAL("ioctlsocket", WSAGetLastError(), "cannot make a socket blocking");
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
