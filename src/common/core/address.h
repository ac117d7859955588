/* SPDX-License-Identifier: MIT */
/* Addresses, from the public header; and both ends of a connection. Pure C, any thread. */
#ifndef RS_CORE_ADDRESS_H
#define RS_CORE_ADDRESS_H

#include "ringside/address.h"

typedef struct rs_ends {
    rs_addr peer, local;
} rs_ends;

/* rs_addr_from_v6: from 16 bytes in network byte order; ::ffff:a.b.c.d becomes IPv4. */
rs_addr rs_addr_from_v6(const uint8_t *ip6, uint16_t port, uint32_t scope);

/* rs_addr_is_any: 0.0.0.0 or ::, which is no address of a peer. */
bool rs_addr_is_any(const rs_addr *addr);

#endif
