/* SPDX-License-Identifier: MIT */
/* Addresses as the socket calls have them, and back: Winsock and POSIX share all but headers. Any
 * thread. */
#ifndef RS_NET_NET_ADDRESS_H
#define RS_NET_NET_ADDRESS_H

#ifdef _WIN32
#include "win/win.h"
#else
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include "core/address.h"

typedef union rs_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} rs_sockaddr;

/* rs_sockaddr_write: returns its bytes. */
socklen_t rs_sockaddr_write(rs_sockaddr *out, const rs_addr *addr);

/* rs_sockaddr_read: IPv4 in IPv6 becomes IPv4; another family 0.0.0.0:0. */
rs_addr rs_sockaddr_read(const rs_sockaddr *name);

/* rs_sockaddr_resolve: rs_os_resolve of what is no numeric address. Winsock is started. */
rs_status rs_sockaddr_resolve(const char *host, rs_addr *out, rs_error *error);

#endif
