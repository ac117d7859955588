/* SPDX-License-Identifier: MIT */
/* How many connections each address has, over all shards of a server: a bounded table.
 *
 * IPv4 counts by address, ::ffff:a.b.c.d with a.b.c.d; IPv6 by its first 64 bits, which is what one
 * customer is given; a link-local address, whose first 64 bits all hosts share, by address and
 * interface. One thread enters; any thread leaves, without a lock: a count has one that raises it,
 * and an entry is taken out by that one alone, once its count is 0. */
#ifndef RS_SERVER_ADDRESS_LIMIT_H
#define RS_SERVER_ADDRESS_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/address.h"
#include "core/status.h"

typedef struct rs_address_limit rs_address_limit;

/* rs_address_limit_open: allocates all that it needs. max: of one address, >= 1; connections: that
 * may be entered and not left at once, [1, 2 * RS_SESSIONS_MAX]. RS_E_NO_MEMORY, *error filled. */
rs_status rs_address_limit_open(rs_address_limit **out, uint32_t max, uint32_t connections,
                                rs_error *error);

/* rs_address_limit_close: frees. NULL is accepted. */
void rs_address_limit_close(rs_address_limit *limit);

/* rs_address_limit_enter: one more of this peer. *ticket: for rs_address_limit_leave; 0, which is
 * not to be left, for 0.0.0.0 and ::, an address that is not known. False: it has max. */
bool rs_address_limit_enter(rs_address_limit *limit, const rs_addr *peer, uint32_t *ticket);

/* rs_address_limit_leave: once for each ticket. Any thread; the signature of a session's left. */
void rs_address_limit_leave(void *limit, uint32_t ticket);

/* rs_address_limit_entered: connections that are entered and not left. O(table); for tests. */
uint64_t rs_address_limit_entered(const rs_address_limit *limit);

#endif
