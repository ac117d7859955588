/* SPDX-License-Identifier: MIT */
/* Sockets on Windows as both back ends use them: creation, options, listening, closing, and the
 * count of the kernel calls made on the way.
 *
 * Knows neither sessions nor back ends. Every function runs on the thread of the shard whose
 * rs_win_calls it is given, unless it says otherwise. Nothing here allocates. */
#ifndef RS_WIN_WIN_SOCKET_H
#define RS_WIN_WIN_SOCKET_H

#include "win/win.h"

#include "core/op.h"
#include "core/status.h"
#include "seam/backend.h"

/* X(enumerator, name in the statistics): one list, so no call is counted and not named. */
#define RS_WIN_CALL_TABLE(X)                                                                       \
    X(RS_WIN_WSARECV, "WSARecv")                                                                   \
    X(RS_WIN_WSASEND, "WSASend")                                                                   \
    X(RS_WIN_RECV, "recv")                                                                         \
    X(RS_WIN_IOCTLSOCKET, "ioctlsocket")                                                           \
    X(RS_WIN_GQCSEX, "GetQueuedCompletionStatusEx")                                                \
    X(RS_WIN_GQCS, "GetQueuedCompletionStatus")                                                    \
    X(RS_WIN_POST, "PostQueuedCompletionStatus")                                                   \
    X(RS_WIN_ACCEPTEX, "AcceptEx")                                                                 \
    X(RS_WIN_ACCEPT, "accept")                                                                     \
    X(RS_WIN_CONNECTEX, "ConnectEx")                                                               \
    X(RS_WIN_SOCKET, "WSASocket")                                                                  \
    X(RS_WIN_BIND, "bind")                                                                         \
    X(RS_WIN_SETSOCKOPT, "setsockopt")                                                             \
    X(RS_WIN_GETSOCKNAME, "getsockname")                                                           \
    X(RS_WIN_SEND, "send")                                                                         \
    X(RS_WIN_SHUTDOWN, "shutdown")                                                                 \
    X(RS_WIN_CLOSESOCKET, "closesocket")                                                           \
    X(RS_WIN_CANCELIOEX, "CancelIoEx")                                                             \
    X(RS_WIN_ASSOCIATE, "CreateIoCompletionPort")                                                  \
    X(RS_WIN_MODES, "SetFileCompletionNotificationModes")                                          \
    X(RS_WIN_SETTIMER, "SetWaitableTimer")

typedef enum rs_win_call {
#define X(id, name) id,
    RS_WIN_CALL_TABLE(X)
#undef X
        RS_WIN_CALLS
} rs_win_call;

/* One shard's count of kernel calls. */
typedef struct rs_win_calls {
    uint64_t count[RS_WIN_CALLS];
} rs_win_calls;

_Static_assert(RS_WIN_CALLS + 6u <= RS_BACKEND_STATS_MAX,
               "every call, and some counts of a back end's own, fit a statistics record");

/* rs_win_calls_stats: appends every call to *out, in the order of the table, so that the
 * statistics of several shards add up. */
void rs_win_calls_stats(const rs_win_calls *calls, rs_backend_stats *out);

/* rs_win_stats_add: appends one figure. name: static string. */
void rs_win_stats_add(rs_backend_stats *out, const char *name, uint64_t value, bool is_call);

/* rs_win_socket_start / _stop: WSAStartup 2.2 and its counterpart, counted by Winsock itself; one
 * pair per instance. RS_E_UNSUPPORTED or RS_E_OS, *error filled. */
rs_status rs_win_socket_start(rs_error *error);
void rs_win_socket_stop(void);

/* rs_win_socket_open: a TCP socket for overlapped use, not inherited by child processes. family:
 * AF_INET or AF_INET6; extra_flags: 0, or WSA_FLAG_REGISTERED_IO. INVALID_SOCKET: *os_error says
 * why. */
SOCKET rs_win_socket_open(int family, DWORD extra_flags, rs_win_calls *calls, uint32_t *os_error);

/* rs_win_socket_open_by: the same, served by this entry of Winsock's catalog and no other
 * (WSASocketW, lpProtocolInfo). entry: from rs_win_socket_protocol. */
SOCKET rs_win_socket_open_by(const WSAPROTOCOL_INFOW *entry, DWORD extra_flags, rs_win_calls *calls,
                             uint32_t *os_error);

/* rs_win_socket_tune: TCP_NODELAY, SO_SNDBUF, SO_RCVBUF as asked. Returns the status of the first
 * that failed, RS_OK otherwise. */
rs_status rs_win_socket_tune(SOCKET socket, const rs_tuning *tuning, rs_win_calls *calls);

/* Does an accepted socket have the options of its listener? Asked of the first one. */
typedef enum rs_win_inherit {
    RS_WIN_INHERIT_UNASKED,
    RS_WIN_INHERIT_YES,
    RS_WIN_INHERIT_NO
} rs_win_inherit;

/* rs_win_socket_tune_accepted: the same for an accepted socket: without a call if it inherits from
 * its listener, which rs_win_socket_listen has tuned. *inherit: in, out; one per instance. */
rs_status rs_win_socket_tune_accepted(SOCKET socket, const rs_tuning *tuning,
                                      rs_win_inherit *inherit, rs_win_calls *calls);

/* rs_win_socket_listen: opens, tunes, binds exclusively and listens. SO_EXCLUSIVEADDRUSE and never
 * SO_REUSEADDR, which on Windows lets another process take the port. IPv6: IPv4 too, on ::. *bound
 * = the address, with its port. Statuses as rs_backend_api.listen. */
rs_status rs_win_socket_listen(SOCKET *out, const rs_addr *addr, const rs_tuning *tuning,
                               DWORD extra_flags, rs_win_calls *calls, rs_addr *bound,
                               rs_error *error);

/* Who serves a socket: an entry of Winsock's catalog. */
typedef struct rs_win_provider {
    uint32_t entry; /* dwCatalogEntryId; 0 = unknown */
    bool layered;   /* there is a layer between Winsock and the system's TCP */
    bool ifs;       /* its handles are the file system's. Only then may completions be skipped on
                     * success (SetFileCompletionNotificationModes, remarks: others lose or double
                     * them) */
} rs_win_provider;

/* rs_win_socket_protocol: a socket's entry of Winsock's catalog. False: unknown, and *out is zero.
 */
bool rs_win_socket_protocol(SOCKET socket, WSAPROTOCOL_INFOW *out);

/* rs_win_socket_provider: of one socket. If unknown: entry 0, not layered, not ifs (the safe
 * answer). */
rs_win_provider rs_win_socket_provider(SOCKET socket);

/* rs_win_provider_of: reads a catalog entry: a protocol chain of one is the system's own. */
rs_win_provider rs_win_provider_of(const WSAPROTOCOL_INFOW *info);

/* rs_win_provider_text: "windows" as it is, or "windows (layered)"; other names likewise, as far as
 * they are known here. Static string. */
const char *rs_win_provider_text(const char *name, const rs_win_provider *provider);

/* The functions that Winsock returns by GUID. They belong to the provider of the socket used:
 * called on another provider's socket they crash. */
typedef struct rs_win_extensions {
    LPFN_ACCEPTEX accept_ex;
    LPFN_CONNECTEX connect_ex;
    LPFN_GETACCEPTEXSOCKADDRS accept_ex_addresses;
    rs_win_provider provider;
} rs_win_extensions;

rs_status rs_win_socket_extensions(SOCKET socket, rs_win_extensions *out, rs_error *error);

/* rs_win_probe_v6: the same for a new IPv6 socket. False: there is no IPv6 here, and *out is zero.
 */
bool rs_win_probe_v6(rs_win_extensions *out, DWORD extra_flags, rs_win_calls *calls);

/* rs_win_extensions_fit: may they be called on this socket? One catalog lookup; yes if their owner
 * is unknown, or one failed lookup would refuse every socket. */
bool rs_win_extensions_fit(const rs_win_extensions *extensions, SOCKET socket);

/* rs_win_socket_update_accept / _connect: updates the context of an AcceptEx or ConnectEx socket;
 * without it shutdown and getpeername fail. Statuses of win_error. */
rs_status rs_win_socket_update_accept(SOCKET accepted, SOCKET listener, rs_win_calls *calls);
rs_status rs_win_socket_update_connect(SOCKET connected, rs_win_calls *calls);

/* rs_win_socket_bind_from: binds to *from (0.0.0.0, ::: any address) and any port, as ConnectEx
 * requires. With SO_REUSE_UNICASTPORT (Windows 10 and up) the system chooses the port only when it
 * knows the destination, so that many connections share the range. *port_reuse_failed (in, out): it
 * is not supported here, do not retry. 0 or the error. */
uint32_t rs_win_socket_bind_from(SOCKET socket, const rs_addr *from, bool *port_reuse_failed,
                                 rs_win_calls *calls);

/* rs_win_socket_discard: before an orderly close: discards unread input, into scratch
 * [RS_WIN_DISCARD_BYTES] and within a bound, because unread input makes the system reset the
 * connection at a close, which overtakes our last sends. Never waits: it makes the socket
 * non-blocking; if that fails, nothing is read. */
#define RS_WIN_DISCARD_BYTES 65536u
void rs_win_socket_discard(SOCKET socket, uint8_t *scratch, rs_win_calls *calls);

/* rs_win_socket_close: orderly: what was sent is delivered in the background. */
void rs_win_socket_close(SOCKET socket, rs_win_calls *calls);

/* rs_win_socket_reset_at_close: SO_LINGER {1, 0}: the peer sees the close as a reset. */
void rs_win_socket_reset_at_close(SOCKET socket, rs_win_calls *calls);

/* rs_win_socket_abort: the same, then close. */
void rs_win_socket_abort(SOCKET socket, rs_win_calls *calls);

/* rs_win_socket_local: the socket's own address; 0.0.0.0:0 if it is not known any more. */
rs_addr rs_win_socket_local(SOCKET socket, rs_win_calls *calls);

#endif
