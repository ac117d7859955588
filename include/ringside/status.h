/* SPDX-License-Identifier: MIT */
/* Statuses: fixed numbers, names and meanings from a single table. Any thread.
 *
 * Numbers of the operating system are translated into these; the original is in rs_error. */
#ifndef RINGSIDE_STATUS_H
#define RINGSIDE_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, text). Numbers are part of the JSON output: append, never renumber. */
#define RS_STATUS_TABLE(X)                                                                         \
    X(RS_OK, 0, "success")                                                                         \
    X(RS_E_AGAIN, 1, "not ready, try again")                                                       \
    X(RS_E_INVALID, 2, "invalid argument")                                                         \
    X(RS_E_NO_MEMORY, 3, "out of memory")                                                          \
    X(RS_E_NO_BUFFERS, 4, "no buffers or kernel resources")                                        \
    X(RS_E_FULL, 5, "queue full")                                                                  \
    X(RS_E_CLOSED, 6, "closed")                                                                    \
    X(RS_E_STALE, 7, "handle of an older generation")                                              \
    X(RS_E_RESET, 8, "connection reset by peer")                                                   \
    X(RS_E_ABORTED, 9, "operation aborted by a local close")                                       \
    X(RS_E_REFUSED, 10, "connection refused")                                                      \
    X(RS_E_TIMED_OUT, 11, "timed out")                                                             \
    X(RS_E_UNREACHABLE, 12, "host or network unreachable")                                         \
    X(RS_E_ADDRESS_IN_USE, 13, "address already in use")                                           \
    X(RS_E_ADDRESS, 14, "address not available on this machine")                                   \
    X(RS_E_ACCESS, 15, "permission denied")                                                        \
    X(RS_E_UNSUPPORTED, 16, "not supported here")                                                  \
    X(RS_E_RIO_UNAVAILABLE, 17, "Registered I/O is not available here")                            \
    X(RS_E_PROTOCOL, 18, "malformed frame")                                                        \
    X(RS_E_TRUNCATED, 19, "truncated")                                                             \
    X(RS_E_OS, 20, "operating system error")                                                       \
    X(RS_E_CORRUPT, 21, "kernel queue corrupt")                                                    \
    X(RS_E_LISTENER, 22, "the listener failed")                                                    \
    X(RS_E_USAGE, 23, "bad command line")                                                          \
    X(RS_E_THREAD, 24,                                                                             \
      "not the session's thread: use rs_server_send and the like, or rs_server_post")

typedef enum rs_status {
#define X(name, number, text) name = number,
    RS_STATUS_TABLE(X)
#undef X
} rs_status;

/* Control-plane detail: which call failed and the operating system's number. Filled only by
 * functions that take one; never on the data path. */
typedef struct rs_error {
    const char *call;  /* static string: the failing call, or NULL */
    uint32_t os_error; /* GetLastError/WSAGetLastError/errno, 0 = none */
    char text[192];    /* one line: cause and remedy, or "" */
} rs_error;

/* rs_status_name: "RS_E_FULL"; "RS_E_?" for a number outside the table. Static string. */
const char *rs_status_name(rs_status status);

/* rs_status_text: the meaning in words. Static string, never NULL. */
const char *rs_status_text(rs_status status);

#ifdef __cplusplus
}
#endif

#endif
