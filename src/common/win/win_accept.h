/* SPDX-License-Identifier: MIT */
/* The listeners of a completion port, for both back ends: each has many AcceptEx, or a thread that
 * calls accept().
 *
 * AcceptEx: `accepts` requests of each listener are outstanding, none waits for data. One that has
 * ended is posted again, with a new socket, when the caller has nothing to return, or at once while
 * few of them stand: in a burst the replies go before the sockets for the next one. Under Wine a
 * burst that has used all of them up goes on by accept() (rs_win_accept_in_burst). A failed
 * connection and a failed listener are distinct results. Requests that cannot be posted for lack of
 * resources are retried later: the first such failure ends the round, and the wait grows
 * (seam/retry.h). Runs on the shard's thread; in thread mode only the accept loop itself does not.
 */
#ifndef RS_WIN_WIN_ACCEPT_H
#define RS_WIN_WIN_ACCEPT_H

#include "win/win.h"

#include "core/op.h"
#include "seam/backend.h"
#include "win/win_socket.h"

typedef struct rs_win_accept rs_win_accept;

typedef struct rs_win_accept_config {
    HANDLE port;   /* where the packets go */
    ULONG_PTR key; /* completion key of these packets */
    HANDLE event; /* also set for each packet, for a caller that cannot wait at the port; or NULL */
    DWORD socket_flags;      /* extra flags of listener and accepted sockets */
    const rs_tuning *tuning; /* accept_mode, accepts, backlog, buffers; outlives it */
    /* A listener's required provider, IPv4's and IPv6's (by rs_family); outlive it. */
    const rs_win_provider *provider[2];
    rs_win_calls *calls; /* outlives it */
    /* What is done to a socket that an AcceptEx has not accepted yet; NULL: nothing. Returns 0 or
     * the Windows error, and then the caller closes the socket. */
    uint32_t (*prepare)(void *arg, SOCKET socket);
    void *prepare_arg;
    /* How to get a socket's functions; NULL = rs_win_socket_extensions. */
    rs_status (*extensions)(SOCKET socket, rs_win_extensions *out, rs_error *error);
} rs_win_accept_config;

#define RS_WIN_ACCEPT_OUT_MAX 2u /* completions that one packet may cause */

/* rs_win_accept_open: allocates; does not listen yet. RS_E_NO_MEMORY, *error filled. */
rs_status rs_win_accept_open(rs_win_accept **out, const rs_win_accept_config *cfg, rs_error *error);

/* rs_win_accept_close: frees. The last completions have been returned (asserted). NULL is accepted.
 */
void rs_win_accept_close(rs_win_accept *source);

/* rs_win_accept_listen: as rs_backend_api.listen. Allocates for a second listener and more.
 * AcceptEx is the listener's own; RS_E_UNSUPPORTED: the listener is served by another provider than
 * cfg says. */
rs_status rs_win_accept_listen(rs_win_accept *source, const rs_addr *addr, uint16_t *port_out,
                               rs_error *error);

/* rs_win_accept_unlisten: accepts no more connections; outstanding requests are cancelled and drain
 * through the port. Only then is a listener closed, because accepted sockets need it until then
 * (SO_UPDATE_ACCEPT_CONTEXT). Does nothing without a listener. */
void rs_win_accept_unlisten(rs_win_accept *source);

/* rs_win_accept_packet: a packet with the key of cfg. Writes at most RS_WIN_ACCEPT_OUT_MAX
 * completions of kind RS_OP_ACCEPT to out and returns how many. */
uint32_t rs_win_accept_packet(rs_win_accept *source, OVERLAPPED *overlapped, DWORD bytes,
                              rs_completion *out);

/* rs_win_accept_retry: posts deferred requests again when the wait is over. Returns completions
 * like rs_win_accept_packet. Cheap when there is nothing to do. */
uint32_t rs_win_accept_retry(rs_win_accept *source, rs_completion *out);

/* rs_win_accept_owes: are there requests to post, now that there is nothing else to do? */
bool rs_win_accept_owes(const rs_win_accept *source);

/* rs_win_accept_refill: posts a batch of them. Returns completions like rs_win_accept_packet. The
 * caller looks at its port before each: one batch delays what has come by no more than itself. */
uint32_t rs_win_accept_refill(rs_win_accept *source, rs_completion *out);

/* rs_win_accept_in_burst: is it time to take connections one by one? Under Wine, when none of its
 * AcceptEx stands any more: at once if the caller has nothing else to do, else now and then. */
bool rs_win_accept_in_burst(rs_win_accept *source, bool is_idle);

/* rs_win_accept_take: takes one, or, when none is left, posts a batch of AcceptEx, which ends the
 * burst. Only after rs_win_accept_in_burst. Returns completions like rs_win_accept_packet. */
uint32_t rs_win_accept_take(rs_win_accept *source, rs_completion *out);

/* rs_win_accept_retry_ms: longest sleep of poll, because a retry waits; 0 = none does. */
uint32_t rs_win_accept_retry_ms(const rs_win_accept *source);

#endif
