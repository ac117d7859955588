/* SPDX-License-Identifier: MIT */
/* See note_net.h: what Windows and POSIX share but for types. */
#include "notes/note_state.h"

#include <string.h>

#include "core/assert.h"

#ifdef _WIN32
#define NET_NO_SIGNAL 0
#define NET_CLOSE closesocket
typedef int net_length; /* of an address */
typedef int net_count;  /* of bytes */
#else
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>
#define NET_NO_SIGNAL MSG_NOSIGNAL
#define NET_CLOSE close
typedef socklen_t net_length;
typedef size_t net_count;
#endif

#define NET_COUNT_MAX (1u << 30) /* of one call, for the int of Winsock */

#ifdef _WIN32

bool note_begin(void) {
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}

void note_end(void) {
    (void)WSACleanup(); /* the process ends */
}

bool note_would_block(int error) {
    return error == WSAEWOULDBLOCK;
}

bool note_was_refused(int error) {
    return error == WSAECONNREFUSED;
}

void note_blocking(note_socket socket, bool blocking) {
    u_long nonblocking = blocking ? 0 : 1;
    (void)ioctlsocket(socket, (long)FIONBIO, &nonblocking); /* a bad socket shows at its next use */
}

#else

bool note_begin(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* statements about many say how many they had */
    }
    return true;
}

void note_end(void) {
}

bool note_would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

bool note_was_refused(int error) {
    return error == ECONNREFUSED;
}

void note_blocking(note_socket socket, bool blocking) {
    const int flags = fcntl(socket, F_GETFL);
    /* A bad socket shows at its next use. */
    (void)fcntl(socket, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

#endif

void note_timeout(note_socket socket, uint32_t ms) {
#ifdef _WIN32
    const DWORD value = ms;
#else
    const struct timeval value = {.tv_sec = ms / 1000u, .tv_usec = ms % 1000u * 1000};
#endif
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&value, sizeof value);
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, (const char *)&value, sizeof value);
}

int note_get(note_socket socket, int level, int name) {
    int value = -1;
    net_length bytes = (net_length)sizeof value;
    return getsockopt(socket, level, name, (char *)&value, &bytes) == 0 ? value : -1;
}

bool note_set(note_socket socket, int level, int name, int value) {
    return setsockopt(socket, level, name, (const char *)&value, (net_length)sizeof value) == 0;
}

struct sockaddr_in note_address(uint32_t ip, uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(ip);
    address.sin_port = htons(port);
    return address;
}

bool note_connect(note_socket socket, const struct sockaddr_in *address) {
    return connect(socket, (const struct sockaddr *)address, (net_length)sizeof *address) == 0;
}

bool note_bind(note_socket socket, const struct sockaddr_in *address) {
    return bind(socket, (const struct sockaddr *)address, (net_length)sizeof *address) == 0;
}

/* ---- making */

static note_socket net_keep(note *self, note_socket socket, const char *call) {
    if (socket == NOTE_NO_SOCKET) {
        note_failed(self, call);
        return socket;
    }
    RS_ASSERT(self->sockets < NOTE_SOCKETS_MAX);
    self->socket[self->sockets++] = socket;
    return socket;
}

/* One that may not have been made. */
static note_socket net_keep_if(note *self, note_socket socket) {
    return socket == NOTE_NO_SOCKET ? socket : net_keep(self, socket, "socket");
}

note_socket note_tcp_try(note *self) {
    return net_keep_if(self, socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
}

note_socket note_tcp(note *self) {
    return net_keep(self, socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), "socket");
}

static bool net_name(note_socket socket, struct sockaddr_in *address) {
    net_length bytes = (net_length)sizeof *address;
    return getsockname(socket, (struct sockaddr *)address, &bytes) == 0;
}

uint16_t note_local_port(note_socket socket) {
    struct sockaddr_in address = note_address(0, 0);
    return net_name(socket, &address) ? ntohs(address.sin_port) : 0;
}

static note_socket net_listen(note *self, int backlog, int recv_bytes,
                              struct sockaddr_in *address) {
    const note_socket listener = note_tcp(self);
    *address = note_address(NOTE_LOOPBACK, 0);
    if (listener == NOTE_NO_SOCKET) {
        return listener;
    }
    if ((recv_bytes > 0 && !note_set(listener, SOL_SOCKET, SO_RCVBUF, recv_bytes)) ||
        !note_bind(listener, address) || listen(listener, backlog) != 0 ||
        !net_name(listener, address)) {
        note_failed(self, "listen");
        return NOTE_NO_SOCKET;
    }
    return listener;
}

note_socket note_listen(note *self, int backlog, struct sockaddr_in *address) {
    return net_listen(self, backlog, 0, address);
}

note_socket note_accept(note *self, note_socket listener) {
    return net_keep(self, accept(listener, NULL, NULL), "accept");
}

note_socket note_accept_try(note *self, note_socket listener) {
    return net_keep_if(self, accept(listener, NULL, NULL));
}

bool note_pair_sized(note *self, note_socket pair[2], int recv_bytes, int send_bytes) {
    struct sockaddr_in address;
    const note_socket listener = net_listen(self, 1, recv_bytes, &address);
    pair[1] = listener == NOTE_NO_SOCKET ? listener : note_tcp(self);
    if (pair[1] == NOTE_NO_SOCKET) {
        return false;
    }
    if ((send_bytes > 0 && !note_set(pair[1], SOL_SOCKET, SO_SNDBUF, send_bytes)) ||
        !note_connect(pair[1], &address)) {
        note_failed(self, "connect");
        return false;
    }
    pair[0] = note_accept(self, listener);
    note_close(self, listener);
    return pair[0] != NOTE_NO_SOCKET && note_set(pair[0], IPPROTO_TCP, TCP_NODELAY, 1) &&
           note_set(pair[1], IPPROTO_TCP, TCP_NODELAY, 1);
}

bool note_pair(note *self, note_socket pair[2]) {
    return note_pair_sized(self, pair, 0, 0);
}

void note_close(note *self, note_socket socket) {
    for (uint32_t i = self->sockets; i > 0; i--) {
        if (self->socket[i - 1u] == socket) {
            self->socket[i - 1u] = self->socket[--self->sockets];
            (void)NET_CLOSE(socket); /* ours: it was in the list */
            return;
        }
    }
}

void note_reset(note *self, note_socket socket) {
    struct linger linger;
    memset(&linger, 0, sizeof linger);
    linger.l_onoff = 1;
    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger);
    note_close(self, socket);
}

void note_shut_down(note_socket socket) {
    (void)shutdown(socket, 1); /* SD_SEND, SHUT_WR */
}

void note_close_all(note *self) {
    while (self->sockets > 0) {
        (void)NET_CLOSE(self->socket[--self->sockets]);
    }
#ifdef _WIN32
    while (self->handles > 0) {
        (void)CloseHandle(self->handle[--self->handles]);
    }
#endif
}

/* ---- using */

static net_count net_bounded(size_t count) {
    return (net_count)(count < NET_COUNT_MAX ? count : NET_COUNT_MAX);
}

int64_t note_send(note_socket socket, const void *bytes, size_t count) {
    return send(socket, bytes, net_bounded(count), NET_NO_SIGNAL);
}

int64_t note_recv(note_socket socket, void *bytes, size_t count) {
    return recv(socket, bytes, net_bounded(count), 0);
}

size_t note_recv_all(note_socket socket, void *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        const int64_t got = note_recv(socket, (char *)bytes + done, count - done);
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    return done;
}

#ifdef _WIN32

/* A connect that failed shows as an exception. */
static bool net_wait(note_socket socket, bool write, uint32_t ms) {
    struct timeval wait;
    fd_set set, failed;
    wait.tv_sec = (long)(ms / 1000u);
    wait.tv_usec = (long)(ms % 1000u * 1000u);
    set.fd_count = failed.fd_count = 1;
    set.fd_array[0] = failed.fd_array[0] = socket;
    return select(0, write ? NULL : &set, write ? &set : NULL, &failed, &wait) > 0;
}

#else

static bool net_wait(note_socket socket, bool write, uint32_t ms) {
    struct pollfd one = {.fd = socket, .events = write ? POLLOUT : POLLIN};
    return poll(&one, 1, (int)ms) > 0;
}

#endif

bool note_readable(note_socket socket, uint32_t ms) {
    return net_wait(socket, false, ms);
}

bool note_writable(note_socket socket, uint32_t ms) {
    return net_wait(socket, true, ms);
}

int note_connect_begin(note_socket socket, const struct sockaddr_in *address) {
    const int error = note_connect(socket, address) ? 0 : note_error();
#ifndef _WIN32
    return error == EINPROGRESS ? 0 : error;
#else
    return note_would_block(error) ? 0 : error;
#endif
}

int note_connect_error(note_socket socket) {
    return note_get(socket, SOL_SOCKET, SO_ERROR);
}

uint64_t note_fill(note_socket socket, uint32_t quiet_ms) {
    static const char chunk[16384];
    const uint64_t patience_ns = (uint64_t)quiet_ms * 1000000u;
    uint64_t taken = 0, since = rs_os_now_ns();
    note_blocking(socket, false);
    while (rs_os_now_ns() - since < patience_ns) {
        int64_t sent = note_send(socket, chunk, sizeof chunk);
        if (sent < 0) {
            sent = note_send(socket, chunk, 1); /* the last bytes of room */
        }
        if (sent > 0) {
            taken += (uint64_t)sent;
            since = rs_os_now_ns();
        } else {
            rs_os_sleep_ms(1);
        }
    }
    return taken;
}

static void reader_run(void *arg) {
    note_reader *reader = arg;
    char buffer[32768];
    int64_t got = 1;
    for (uint32_t turn = 0; got > 0; turn++) {
        got = note_recv(reader->socket, buffer, sizeof buffer);
        for (int64_t i = 0; i < got; i++) {
            reader->wrong += buffer[i] != note_pattern(reader->received + (uint64_t)i);
        }
        reader->received += got > 0 ? (uint64_t)got : 0;
        if (reader->slow && turn % 256u < 8u) {
            rs_os_sleep_ms(1);
        }
    }
}

bool note_reader_start(note *self, note_reader *reader, note_socket socket) {
    reader->socket = socket;
    reader->received = reader->wrong = 0;
    if (rs_os_thread_start(&reader->thread, reader_run, reader, NULL) == RS_OK) {
        return true;
    }
    note_failed(self, "a thread");
    return false;
}

void note_reader_join(note_reader *reader) {
    rs_os_thread_join(reader->thread);
}
