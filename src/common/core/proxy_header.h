/* SPDX-License-Identifier: MIT */
/* The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a balancer puts in
 * front of a connection's bytes, so that the server knows whose they are.
 *
 * Pure functions over bytes of a peer: any input is legal, nothing is asserted about it. */
#ifndef RS_CORE_PROXY_HEADER_H
#define RS_CORE_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/address.h"
#include "core/status.h"

#define RS_PROXY_V1_BYTES_MAX 107u /* with CR LF */
#define RS_PROXY_BYTES_MIN 536u    /* to be accepted: what every host takes in one segment */

typedef struct rs_proxy_header {
    uint32_t bytes; /* of the whole header; what is behind it is the connection's */
    bool given;     /* false: the connection's own addresses are the true ones */
    rs_ends ends;   /* with given: peer = source, local = destination */
} rs_proxy_header;

/* rs_proxy_header_parse: looks for one header at the start of data[0..bytes).
 *
 * No addresses are given by UNKNOWN of version 1, and by LOCAL, AF_UNIX and what is unspecified of
 * version 2. An address ::ffff:a.b.c.d is IPv4. TLVs are skipped.
 *
 * Params   bytes: any number; bytes_max: of the longest header, >= RS_PROXY_V1_BYTES_MAX.
 * Returns  RS_OK          *out is filled, out->bytes <= bytes
 *          RS_E_AGAIN     incomplete, and bytes < bytes_max
 *          RS_E_PROTOCOL  malformed, or longer than bytes_max
 *          Given more bytes of the same stream, only RS_E_AGAIN can change.
 * Thread   any.  Bounds  reads at most RS_PROXY_V1_BYTES_MAX bytes. */
rs_status rs_proxy_header_parse(const uint8_t *data, uint32_t bytes, uint32_t bytes_max,
                                rs_proxy_header *out);

#endif
