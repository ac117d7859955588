/* SPDX-License-Identifier: MIT */
/* Reading of PROXY headers. Version 1 is a line of text, version 2 is binary. */
#include "core/proxy_header.h"

#include <string.h>

#include "core/assert.h"

/* ---- version 1: PROXY TCP4 192.0.2.7 198.51.100.1 50122 4000 CR LF */

#define ADDR_TEXT_BYTES 46u /* the longest IPv6 address, and a zero */

typedef struct line {
    const uint8_t *at, *end;
} line;

static bool line_skip(line *rest, const char *text) {
    const size_t bytes = strlen(text);
    RS_ASSERT(rest->at <= rest->end);
    if ((size_t)(rest->end - rest->at) < bytes || memcmp(rest->at, text, bytes) != 0) {
        return false;
    }
    rest->at += bytes;
    return true;
}

/* What is in front of the next space, which is skipped too, or of the end of the line. */
static bool line_field(line *rest, char out[ADDR_TEXT_BYTES]) {
    size_t bytes = 0;
    RS_ASSERT(rest->at <= rest->end);
    while (rest->at + bytes < rest->end && rest->at[bytes] != ' ') {
        if (rest->at[bytes] == 0 || bytes + 1u == ADDR_TEXT_BYTES) {
            return false;
        }
        out[bytes] = (char)rest->at[bytes];
        bytes++;
    }
    out[bytes] = '\0';
    rest->at += bytes;
    return bytes > 0;
}

/* RFC 4291's text, without the number of an interface. */
static bool line_addr(line *rest, bool v6, rs_addr *out) {
    char text[ADDR_TEXT_BYTES];
    return line_field(rest, text) && strchr(text, '%') == NULL &&
           (strchr(text, ':') != NULL) == v6 && rs_addr_parse(text, out) && line_skip(rest, " ");
}

static bool line_port(line *rest, uint16_t *out) {
    char text[ADDR_TEXT_BYTES];
    uint32_t port = 0, digits = 0;
    if (!line_field(rest, text)) {
        return false;
    }
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 5u; digits++) {
        port = port * 10u + (uint32_t)(text[digits] - '0');
    }
    *out = (uint16_t)port;
    return text[digits] == '\0' && port <= UINT16_MAX && (text[0] != '0' || digits == 1u);
}

/* A line without its CR LF. */
static bool line_parse(line rest, rs_proxy_header *out) {
    bool v6;
    if (!line_skip(&rest, "PROXY ")) {
        return false;
    }
    if (line_skip(&rest, "UNKNOWN")) { /* the rest is ignored */
        return rest.at == rest.end || *rest.at == ' ';
    }
    v6 = line_skip(&rest, "TCP6 ");
    out->given = true;
    return (v6 || line_skip(&rest, "TCP4 ")) && line_addr(&rest, v6, &out->ends.peer) &&
           line_addr(&rest, v6, &out->ends.local) && line_port(&rest, &out->ends.peer.port) &&
           line_skip(&rest, " ") && line_port(&rest, &out->ends.local.port) &&
           rest.at == rest.end;
}

static rs_status parse_v1(const uint8_t *data, uint32_t bytes, rs_proxy_header *out) {
    const uint32_t most = bytes < RS_PROXY_V1_BYTES_MAX ? bytes : RS_PROXY_V1_BYTES_MAX;
    uint32_t end = 0;
    while (end < most && data[end] != '\r' && data[end] != '\n') {
        end++;
    }
    if (end + 1u >= RS_PROXY_V1_BYTES_MAX || (end < most && data[end] == '\n')) {
        return RS_E_PROTOCOL;
    }
    if (end + 1u >= most) {
        return RS_E_AGAIN;
    }
    out->bytes = end + 2u;
    return data[end + 1u] == '\n' && line_parse((line){data, data + end}, out) ? RS_OK
                                                                               : RS_E_PROTOCOL;
}

/* ---- version 2: signature, version and command, family and protocol, length, addresses, TLVs */

#define V2_BYTES 16u
#define V2_VERSION_AT 12u
#define V2_FAMILY_AT 13u

static const uint8_t v2_signature[V2_VERSION_AT] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                                    '\n', 'Q',  'U',  'I',  'T', '\n'};

static uint16_t be16_at(const uint8_t *data) {
    return (uint16_t)((uint32_t)data[0] << 8 | data[1]);
}

static rs_addr v4_at(const uint8_t *ip, const uint8_t *port) {
    return (rs_addr){.ip = (uint32_t)be16_at(ip) << 16 | be16_at(ip + 2), .port = be16_at(port)};
}

/* Bytes of the addresses of a family; those that stand for no protocol are not looked at. */
static uint32_t v2_addr_bytes(uint8_t family, uint8_t protocol) {
    static const uint8_t of_family[] = {0, 12, 36, 216};
    RS_ASSERT(family < sizeof of_family);
    return protocol == 0 ? 0 : of_family[family];
}

static void v2_ends(const uint8_t *at, uint32_t addr_bytes, rs_proxy_header *out) {
    if (addr_bytes == 12u) {
        out->given = true;
        out->ends.peer = v4_at(at, at + 8);
        out->ends.local = v4_at(at + 4, at + 10);
    } else if (addr_bytes == 36u) {
        out->given = true;
        out->ends.peer = rs_addr_from_v6(at, be16_at(at + 32), 0);
        out->ends.local = rs_addr_from_v6(at + 16, be16_at(at + 34), 0);
    }
}

static rs_status parse_v2(const uint8_t *data, uint32_t bytes, uint32_t bytes_max,
                          rs_proxy_header *out) {
    const uint8_t version = bytes > V2_VERSION_AT ? data[V2_VERSION_AT] : 0x20u;
    const uint8_t what = bytes > V2_FAMILY_AT ? data[V2_FAMILY_AT] : 0;
    const uint8_t family = what >> 4, protocol = what & 0x0Fu;
    const bool local = version == 0x20u; /* the family and all addresses are ignored */
    uint32_t length, addr_bytes;
    if ((version != 0x20u && version != 0x21u) || (!local && (family > 3u || protocol > 2u))) {
        return RS_E_PROTOCOL;
    }
    if (bytes < V2_BYTES) {
        return RS_E_AGAIN;
    }
    length = be16_at(data + 14);
    addr_bytes = local ? 0 : v2_addr_bytes(family, protocol);
    if (length < addr_bytes || V2_BYTES + length > bytes_max) {
        return RS_E_PROTOCOL;
    }
    if (bytes < V2_BYTES + length) {
        return RS_E_AGAIN;
    }
    out->bytes = V2_BYTES + length;
    v2_ends(data + V2_BYTES, addr_bytes, out);
    return RS_OK;
}

/* ---- either */

static bool begins(const uint8_t *data, uint32_t bytes, const void *with, uint32_t with_bytes) {
    return bytes == 0 || memcmp(data, with, bytes < with_bytes ? bytes : with_bytes) == 0;
}

rs_status rs_proxy_header_parse(const uint8_t *data, uint32_t bytes, uint32_t bytes_max,
                                rs_proxy_header *out) {
    RS_ASSERT(bytes_max >= RS_PROXY_V1_BYTES_MAX);
    RS_ASSERT(bytes == 0 || data != NULL);
    *out = (rs_proxy_header){.given = false};
    if (bytes == 0) {
        return RS_E_AGAIN;
    }
    if (begins(data, bytes, v2_signature, sizeof v2_signature)) {
        return parse_v2(data, bytes, bytes_max, out);
    }
    return begins(data, bytes, "PROXY ", 6u) ? parse_v1(data, bytes, out) : RS_E_PROTOCOL;
}
