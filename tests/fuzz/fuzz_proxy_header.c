/* SPDX-License-Identifier: MIT */
/* A stream from a peer, which may begin with a PROXY header.
 *
 * It is read with all bytes at hand, and with one byte more at a time: the same verdict, told once
 * and never taken back. What version 1 says of IPv4 is written again, and must be what was read.
 * The stream lies in a block of exactly its size. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/proxy_header.h"

#define HEADER_BYTES_MAX 536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each byte of it stands for one thing only: there is one way to write it. */
static void check_v1(const uint8_t *stream, const rs_proxy_header *header) {
    char peer[RS_ADDR_TEXT_BYTES], local[RS_ADDR_TEXT_BYTES];
    char line[2u * RS_ADDR_TEXT_BYTES + 32u];
    RS_ASSERT(header->bytes <= RS_PROXY_V1_BYTES_MAX);
    RS_ASSERT(memcmp(stream + header->bytes - 2u, "\r\n", 2u) == 0);
    if (stream[9] == '4' && header->given) {
        const int bytes = snprintf(line, sizeof line, "PROXY TCP4 %s %s %u %u\r\n",
                                   rs_addr_host_text(&header->ends.peer, peer),
                                   rs_addr_host_text(&header->ends.local, local),
                                   header->ends.peer.port, header->ends.local.port);
        RS_ASSERT(bytes == (int)header->bytes && memcmp(line, stream, header->bytes) == 0);
    }
}

static void check_v2(const uint8_t *stream, const rs_proxy_header *header) {
    RS_ASSERT(header->bytes == 16u + 256u * stream[14] + stream[15]);
    RS_ASSERT(header->bytes <= HEADER_BYTES_MAX);
    RS_ASSERT(!header->given || stream[12] == 0x21u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint32_t bytes = size < 4096u ? (uint32_t)size : 4096u;
    uint8_t *stream = malloc(bytes > 0 ? bytes : 1u);
    rs_proxy_header header, again;
    rs_status whole, status = RS_E_AGAIN;
    RS_ASSERT(stream != NULL);
    memcpy(stream, data, bytes);
    whole = rs_proxy_header_parse(stream, bytes, HEADER_BYTES_MAX, &header);
    RS_ASSERT(whole == RS_OK || whole == RS_E_PROTOCOL || whole == RS_E_AGAIN);
    RS_ASSERT(whole != RS_E_AGAIN || bytes < HEADER_BYTES_MAX);
    for (uint32_t have = 0; have <= bytes && status == RS_E_AGAIN; have++) {
        status = rs_proxy_header_parse(stream, have, HEADER_BYTES_MAX, &again);
        RS_ASSERT(status == whole || status == RS_E_AGAIN);
        RS_ASSERT(status != RS_OK || (have == header.bytes && again.bytes == have));
    }
    RS_ASSERT(status == whole);
    if (whole == RS_OK) {
        (stream[0] == 'P' ? check_v1 : check_v2)(stream, &header);
    }
    free(stream);
    return 0;
}
