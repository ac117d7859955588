/* SPDX-License-Identifier: MIT */
/* Addresses: IPv4 and IPv6, binary and as text. Any thread; no system call. */
#ifndef RINGSIDE_ADDRESS_H
#define RINGSIDE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rs_family { RS_ADDR_V4 = 0, RS_ADDR_V6 = 1 } rs_family;

/* One end of a connection. All zero: 0.0.0.0:0. An IPv4 peer of a socket that serves both families
 * is IPv4 here, not ::ffff:a.b.c.d. */
typedef struct rs_addr {
    uint32_t ip;     /* IPv4, host byte order: 0x7F000001 = 127.0.0.1; IPv6: 0 */
    uint16_t port;   /* host byte order */
    uint16_t family; /* rs_family */
    uint32_t scope;  /* IPv6: number of the interface of a link-local address, else 0 */
    uint8_t ip6[16]; /* IPv6, network byte order; IPv4: 0 */
} rs_addr;

#define RS_LISTENERS_MAX 8u /* addresses that one server may listen on */

/* rs_addr_text: "127.0.0.1:4000", "[2001:db8::1]:4000", "[fe80::1%2]:4000" (RFC 5952).
 *
 * Params   out: RS_ADDR_TEXT_BYTES bytes.
 * Returns  out. */
#define RS_ADDR_TEXT_BYTES 64u
const char *rs_addr_text(const rs_addr *addr, char *out);

/* rs_addr_host_text: the same without port and brackets. */
const char *rs_addr_host_text(const rs_addr *addr, char *out);

/* rs_addr_parse: a numeric IPv4 or IPv6 address without a port, "127.0.0.1", "::1", "fe80::1%2".
 *
 * Returns  false: it is none, and *out is as it was. out->port is 0 else. */
bool rs_addr_parse(const char *text, rs_addr *out);

/* rs_addr_equal: same family, address, scope and port. */
bool rs_addr_equal(const rs_addr *a, const rs_addr *b);

#ifdef __cplusplus
}
#endif

#endif
