/* SPDX-License-Identifier: MIT */
/* Addresses, from the public header; and both ends of a connection. Pure C, any thread. */
#ifndef RS_CORE_ADDRESS_H
#define RS_CORE_ADDRESS_H

#include <stddef.h>

#include "core/status.h"
#include "ringside/address.h"

typedef struct rs_ends {
    rs_addr peer, local;
} rs_ends;

/* rs_addr_from_v6: from 16 bytes in network byte order; ::ffff:a.b.c.d becomes IPv4. */
rs_addr rs_addr_from_v6(const uint8_t *ip6, uint16_t port, uint32_t scope);

/* rs_addr_is_any: 0.0.0.0 or ::, which is no address of a peer. */
bool rs_addr_is_any(const rs_addr *addr);

/* rs_addr_split: HOST, HOST:PORT, [HOST] or [HOST]:PORT. A text with several colons and no bracket
 * is an IPv6 address without a port.
 *
 * Params   text: bytes long, need not be terminated. host: host_bytes bytes, gets the host.
 *          port: as it was if there is none.
 * Returns  false: empty, too long, or the port is none of [0, 65535]. */
bool rs_addr_split(const char *text, size_t bytes, char *host, size_t host_bytes, uint16_t *port);

/* rs_addr_plus: so many addresses further, over the last 32 bits alone, which may begin anew; its
 * port is 0. */
rs_addr rs_addr_plus(const rs_addr *addr, uint32_t count);

/* ---- looking up a host: what a platform's getaddrinfo is asked, and what counts of its answer */

/* rs_addr_may_be_name: a host that rs_addr_parse does not know. "1.2.3" is no name: getaddrinfo
 * would take it for 1.2.0.3; more likely it is a mistake. */
bool rs_addr_may_be_name(const char *host);

/* rs_addr_choose: to be called with each address in turn, first with the first: the first of IPv4
 * is left in *chosen, else the first of all. */
void rs_addr_choose(rs_addr *chosen, const rs_addr *next, bool first);

/* rs_addr_unknown: RS_E_ADDRESS, with a text in *error; code: of getaddrinfo, or 0. */
rs_status rs_addr_unknown(rs_error *error, const char *host, uint32_t code);

#endif
