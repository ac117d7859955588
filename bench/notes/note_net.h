/* SPDX-License-Identifier: MIT */
/* Sockets for the experiments: made in pairs over loopback, closed behind them.
 *
 * Statements that only Winsock can show call Winsock. Those that hold for any TCP use the thin
 * names here, which hide no more than types: what recv takes and returns is an int of Winsock and
 * not of POSIX. The thread of run opens and closes; any thread sends and receives. */
#ifndef RS_NOTES_NOTE_NET_H
#define RS_NOTES_NOTE_NET_H

#include "notes/note.h"

#ifdef _WIN32
#include "win/win.h"
typedef SOCKET note_socket;
#define NOTE_NO_SOCKET INVALID_SOCKET
#else
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
typedef int note_socket;
#define NOTE_NO_SOCKET (-1)
#endif

#define NOTE_LOOPBACK 0x7F000001u /* 127.0.0.1 */

/* note_begin / note_end: Winsock, once a process; as many sockets as the system lets us have. */
bool note_begin(void);
void note_end(void);

/* Of note_error. */
bool note_would_block(int error);
bool note_was_refused(int error);

/* ---- making. NOTE_NO_SOCKET, false: a call failed, note_failed has said which. */

note_socket note_tcp(note *self);
note_socket note_tcp_try(note *self); /* one that may be refused: note_error says why */

/* note_listen: on NOTE_LOOPBACK, a free port. *address: where to connect. backlog: as listen()
 * takes it. */
note_socket note_listen(note *self, int backlog, struct sockaddr_in *address);

/* note_accept: blocks until there is one, or the listener's note_timeout. note_accept_try: one that
 * may fail, as note_tcp_try. */
note_socket note_accept(note *self, note_socket listener);
note_socket note_accept_try(note *self, note_socket listener);

/* note_pair: [0] was accepted, [1] connected to it. Blocking, no delay (TCP_NODELAY). */
bool note_pair(note *self, note_socket pair[2]);

/* note_pair_sized: with SO_RCVBUF of [0] and SO_SNDBUF of [1] set before the connection, where
 * window scaling still respects them. 0: as the system likes. */
bool note_pair_sized(note *self, note_socket pair[2], int recv_bytes, int send_bytes);

/* note_close: one socket, before the end of run. note_reset: the same with SO_LINGER {1, 0}. */
void note_close(note *self, note_socket socket);
void note_reset(note *self, note_socket socket);

/* note_shut_down: no more is sent: the peer reads to the end. */
void note_shut_down(note_socket socket);

/* note_close_all: what run has opened so far. */
void note_close_all(note *self);

/* ---- using */

struct sockaddr_in note_address(uint32_t ip, uint16_t port);
bool note_connect(note_socket socket, const struct sockaddr_in *address);
bool note_bind(note_socket socket, const struct sockaddr_in *address);
void note_blocking(note_socket socket, bool blocking);
/* note_timeout: SO_RCVTIMEO and SO_SNDTIMEO. */
void note_timeout(note_socket socket, uint32_t ms);
uint16_t note_local_port(note_socket socket); /* 0: it has none */
int note_get(note_socket socket, int level, int name);
bool note_set(note_socket socket, int level, int name, int value);

/* note_send, note_recv: the bytes moved, 0 = the end of the stream, -1 = note_error. */
int64_t note_send(note_socket socket, const void *bytes, size_t count);
int64_t note_recv(note_socket socket, void *bytes, size_t count);

/* note_recv_all: until count bytes are there, or the stream ends or fails; what was received. */
size_t note_recv_all(note_socket socket, void *bytes, size_t count);

/* note_readable: is there something to read, to accept, or an end, within ms? note_writable: room
 * to send, or the end of a connect that could not be done at once. */
bool note_readable(note_socket socket, uint32_t ms);
bool note_writable(note_socket socket, uint32_t ms);

/* note_connect_begin: on a non-blocking socket: 0 when connected or under way, else the error.
 * note_connect_error: how one that note_writable tells of has ended; 0: connected. */
int note_connect_begin(note_socket socket, const struct sockaddr_in *address);
int note_connect_error(note_socket socket);

/* note_fill: sends without blocking until the socket takes no more for quiet_ms; the bytes taken.
 * The socket is non-blocking afterwards. */
uint64_t note_fill(note_socket socket, uint32_t quiet_ms);

/* A peer that reads to the end of its stream on a thread, and checks that it is note_pattern. */
typedef struct note_reader {
    note_socket socket;
    bool slow; /* sleeps at times, so that sends pend */
    uint64_t received, wrong;
    rs_os_thread *thread;
} note_reader;

/* note_reader_start: from socket; slow is set before. False: note_failed has said why.
 * note_reader_join: waits for the end, which its peer's close brings. */
bool note_reader_start(note *self, note_reader *reader, note_socket socket);
void note_reader_join(note_reader *reader);

#ifdef _WIN32

/* ---- Windows: NULL or false: a call failed, note_failed has said which. */

HANDLE note_event(note *self); /* manual reset, not set */
HANDLE note_port(note *self, DWORD concurrency);
bool note_attach(note *self, HANDLE port, note_socket socket, ULONG_PTR key);

/* note_extension: AcceptEx and the like, by GUID, of a socket's provider. */
bool note_extension(note *self, note_socket socket, GUID guid, void *out, size_t bytes);

/* note_is_at_once: skip-on-success for a socket: what completes in the call leaves no packet. */
bool note_skip_on_success(note *self, note_socket socket);

/* One AcceptEx. Its buffer takes first bytes and two addresses. */
typedef struct note_accepting {
    OVERLAPPED overlapped; /* the caller sets hEvent, or attaches the listener to a port */
    note_socket socket;    /* made by note_accept_post */
    char buffer[256];
} note_accepting;

/* note_accept_post: AcceptEx with a new socket, waiting for first bytes if recv_bytes > 0. */
bool note_accept_post(note *self, LPFN_ACCEPTEX accept_ex, note_socket listener,
                      note_accepting *accepting, DWORD recv_bytes);

/* note_take: GetQueuedCompletionStatus. NULL: none within ms. A failed request counts as taken. */
OVERLAPPED *note_take(HANDLE port, uint32_t ms, DWORD *bytes, ULONG_PTR *key);

/* note_post: WSASend or WSARecv of one buffer with an OVERLAPPED. 0: it completed in the call;
 * else WSA_IO_PENDING or the error. *bytes: what it moved. */
int note_post_send(note_socket socket, void *bytes, size_t count, OVERLAPPED *overlapped,
                   DWORD *moved);
int note_post_recv(note_socket socket, void *bytes, size_t count, OVERLAPPED *overlapped,
                   DWORD *moved);

/* note_await: waits for the end of a request by its own event or handle: 0 or its error;
 * WAIT_TIMEOUT: still pending after ms. */
int note_await(note_socket socket, OVERLAPPED *overlapped, uint32_t ms, DWORD *moved);

#endif

#endif
