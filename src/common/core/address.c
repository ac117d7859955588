/* SPDX-License-Identifier: MIT */
/* Text of addresses: RFC 4291 (2.2) is read, RFC 5952 is written. */
#include "core/address.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define GROUPS 8u /* of 16 bits */

/* ---- writing */

static uint32_t group_at(const uint8_t *ip6, uint32_t i) {
    RS_ASSERT(i < GROUPS);
    return (uint32_t)ip6[2u * i] << 8 | ip6[2u * i + 1u];
}

/* The first of the longest runs of two or more zero groups; *count = 0: there is none. */
static uint32_t longest_zeros(const uint8_t *ip6, uint32_t *count) {
    uint32_t best = 0, run = 0;
    *count = 1;
    for (uint32_t i = 0; i < GROUPS; i++) {
        run = group_at(ip6, i) == 0 ? run + 1u : 0;
        if (run > *count) {
            *count = run;
            best = i + 1u - run;
        }
    }
    *count = *count > 1u ? *count : 0;
    RS_ASSERT(best + *count <= GROUPS);
    return best;
}

static uint32_t text_end(uint32_t at, int bytes) {
    RS_ASSERT(bytes >= 0);
    RS_ASSERT(at + (uint32_t)bytes < RS_ADDR_TEXT_BYTES);
    return at + (uint32_t)bytes;
}

static uint32_t text_hex(char *out, uint32_t at, const char *before, uint32_t value) {
    RS_ASSERT(value <= 0xFFFFu);
    RS_ASSERT(at < RS_ADDR_TEXT_BYTES);
    return text_end(at, snprintf(out + at, RS_ADDR_TEXT_BYTES - at, "%s%x", before, value));
}

static uint32_t text_dec(char *out, uint32_t at, const char *before, uint32_t value) {
    RS_ASSERT(at < RS_ADDR_TEXT_BYTES);
    return text_end(at, snprintf(out + at, RS_ADDR_TEXT_BYTES - at, "%s%u", before, value));
}

static uint32_t text_v6(const rs_addr *addr, char *out, uint32_t at) {
    uint32_t zeros;
    const uint32_t gap = longest_zeros(addr->ip6, &zeros);
    RS_ASSERT(addr->family == RS_ADDR_V6);
    RS_ASSERT(at <= 1);
    out[at] = '\0';
    for (uint32_t i = 0; i < GROUPS; i++) {
        if (zeros == 0 || i < gap || i > gap + zeros) {
            at = text_hex(out, at, i == 0 ? "" : ":", group_at(addr->ip6, i));
        } else if (i == gap + zeros) {
            at = text_hex(out, at, "::", group_at(addr->ip6, i));
        }
    }
    if (zeros > 0 && gap + zeros == GROUPS) {
        out[at++] = ':';
        out[at++] = ':';
        out[at] = '\0';
    }
    return addr->scope != 0 ? text_dec(out, at, "%", addr->scope) : at;
}

static uint32_t text_v4(const rs_addr *addr, char *out) {
    uint32_t at = 0;
    RS_ASSERT(addr->family != RS_ADDR_V6);
    for (uint32_t i = 0; i < 4u; i++) {
        at = text_dec(out, at, i == 0 ? "" : ".", addr->ip >> (24u - 8u * i) & 255u);
    }
    return at;
}

const char *rs_addr_host_text(const rs_addr *addr, char *out) {
    RS_ASSERT(out != NULL);
    if (addr->family == RS_ADDR_V6) {
        (void)text_v6(addr, out, 0);
    } else {
        (void)text_v4(addr, out);
    }
    return out;
}

const char *rs_addr_text(const rs_addr *addr, char *out) {
    RS_ASSERT(out != NULL);
    if (addr->family == RS_ADDR_V6) {
        out[0] = '[';
        (void)text_dec(out, text_v6(addr, out, 1), "]:", addr->port);
    } else {
        (void)text_dec(out, text_v4(addr, out), ":", addr->port);
    }
    return out;
}

/* ---- reading: each part from *at on, which it moves */

static bool read_number(const char **at, uint32_t most, uint32_t *out) {
    const char *from = *at;
    uint64_t value = 0;
    RS_ASSERT(most > 0);
    while (**at >= '0' && **at <= '9' && value <= most) {
        value = value * 10u + (uint32_t)(**at - '0');
        (*at)++;
    }
    *out = (uint32_t)value;
    /* No leading zeros: some systems read them as octal. */
    return *at != from && value <= most && (*from != '0' || *at == from + 1);
}

static bool read_v4(const char **at, uint32_t *ip) {
    *ip = 0;
    for (uint32_t i = 0; i < 4u; i++) {
        uint32_t part;
        if (i > 0 && *(*at)++ != '.') {
            return false;
        }
        if (!read_number(at, 255u, &part)) {
            return false;
        }
        *ip = *ip << 8 | part;
    }
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four digits. */
static bool read_group(const char **at, uint32_t *out) {
    uint32_t digits = 0;
    *out = 0;
    for (; digits < 4u && hex_digit(**at) >= 0; digits++, (*at)++) {
        *out = *out << 4 | (uint32_t)hex_digit(**at);
    }
    return digits > 0 && hex_digit(**at) < 0;
}

/* The groups of an IPv6 address so far, and where "::" was. */
typedef struct read_groups {
    uint32_t group[GROUPS];
    uint32_t count;
    uint32_t gap; /* GROUPS + 1: none */
} read_groups;

/* The last 32 bits may be written as IPv4. */
static bool read_tail_v4(const char **at, read_groups *groups) {
    uint32_t ip;
    const char *from = *at;
    RS_ASSERT(groups->count <= GROUPS);
    if (groups->count + 2u > GROUPS || !read_v4(&from, &ip)) {
        return false;
    }
    *at = from;
    groups->group[groups->count++] = ip >> 16;
    groups->group[groups->count++] = ip & 0xFFFFu;
    return true;
}

static bool read_gap(const char **at, read_groups *groups) {
    RS_ASSERT(groups->count <= GROUPS);
    if ((*at)[0] != ':' || (*at)[1] != ':' || groups->gap <= GROUPS) {
        return false;
    }
    groups->gap = groups->count;
    *at += 2;
    return true;
}

static bool at_end_of_v6(const char *at) {
    return *at == '\0' || *at == '%';
}

static bool read_v6_groups(const char **at, read_groups *groups) {
    bool after_gap = read_gap(at, groups);
    while (!at_end_of_v6(*at)) {
        if (groups->count > 0 && !after_gap && *(*at)++ != ':') {
            return false;
        }
        if (read_tail_v4(at, groups)) {
            return true;
        }
        if (groups->count == GROUPS || !read_group(at, &groups->group[groups->count])) {
            return false;
        }
        groups->count++;
        after_gap = read_gap(at, groups);
    }
    return true;
}

static bool read_v6(const char *text, rs_addr *out) {
    read_groups groups = {.gap = GROUPS + 1u};
    uint32_t scope = 0, missing;
    uint8_t ip6[16] = {0};
    if (!read_v6_groups(&text, &groups)) {
        return false;
    }
    if (*text == '%') {
        text++;
        if (!read_number(&text, UINT32_MAX, &scope)) {
            return false;
        }
    }
    missing = GROUPS - groups.count;
    if (*text != '\0' || (groups.gap > GROUPS) != (missing == 0)) {
        return false;
    }
    for (uint32_t i = 0; i < groups.count; i++) {
        const uint32_t to = i < groups.gap ? i : i + missing;
        ip6[2u * to] = (uint8_t)(groups.group[i] >> 8);
        ip6[2u * to + 1u] = (uint8_t)groups.group[i];
    }
    *out = rs_addr_from_v6(ip6, 0, scope);
    return true;
}

bool rs_addr_parse(const char *text, rs_addr *out) {
    const char *at = text;
    uint32_t ip;
    if (read_v4(&at, &ip) && *at == '\0') {
        *out = (rs_addr){.ip = ip};
        return true;
    }
    return read_v6(text, out);
}

/* ---- values */

rs_addr rs_addr_from_v6(const uint8_t *ip6, uint16_t port, uint32_t scope) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    rs_addr out = {.port = port, .family = RS_ADDR_V6, .scope = scope};
    if (memcmp(ip6, mapped, sizeof mapped) == 0) {
        return (rs_addr){.ip = (uint32_t)ip6[12] << 24 | (uint32_t)ip6[13] << 16 |
                               (uint32_t)ip6[14] << 8 | ip6[15],
                         .port = port};
    }
    memcpy(out.ip6, ip6, sizeof out.ip6);
    return out;
}

rs_addr rs_addr_plus(const rs_addr *addr, uint32_t count) {
    rs_addr out = *addr;
    RS_ASSERT(addr->family == RS_ADDR_V4 || addr->family == RS_ADDR_V6);
    out.port = 0;
    if (addr->family == RS_ADDR_V4) {
        out.ip += count;
        return out;
    }
    for (uint32_t i = 16, carry = 0; i > 12; i--) {
        carry += out.ip6[i - 1] + (count & 0xFFu);
        out.ip6[i - 1] = (uint8_t)carry;
        carry >>= 8;
        count >>= 8;
    }
    return out;
}

bool rs_addr_is_any(const rs_addr *addr) {
    static const uint8_t any[16];
    return addr->ip == 0 && memcmp(addr->ip6, any, sizeof any) == 0;
}

bool rs_addr_equal(const rs_addr *a, const rs_addr *b) {
    return a->ip == b->ip && a->port == b->port && a->family == b->family && a->scope == b->scope &&
           memcmp(a->ip6, b->ip6, sizeof a->ip6) == 0;
}

bool rs_addr_may_be_name(const char *host) {
    RS_ASSERT(host != NULL);
    return host[strspn(host, "0123456789.")] != '\0' && strchr(host, ':') == NULL;
}

void rs_addr_choose(rs_addr *chosen, const rs_addr *next, bool first) {
    RS_ASSERT(chosen != next);
    if (first || (chosen->family == RS_ADDR_V6 && next->family == RS_ADDR_V4)) {
        *chosen = *next;
    }
}

rs_status rs_addr_unknown(rs_error *error, const char *host, uint32_t code) {
    RS_ASSERT(host != NULL);
    return rs_error_set(error, RS_E_ADDRESS, "getaddrinfo", code,
                        "'%.100s' is no address and no name that is known here", host);
}

static bool addr_read_port(const char *text, size_t bytes, uint16_t *port) {
    uint32_t value = 0;
    RS_ASSERT(port != NULL);
    if (bytes == 0 || bytes > 5) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10u + (uint32_t)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

bool rs_addr_split(const char *text, size_t bytes, char *host, size_t host_bytes, uint16_t *port) {
    const char *colon = memchr(text, ':', bytes);
    size_t used = bytes, skip = 0;
    RS_ASSERT(host_bytes > 0);
    if (bytes > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', bytes);
        if (end == NULL) {
            return false;
        }
        skip = 1;
        used = (size_t)(end - text);
        colon = used + 1 < bytes ? end + 1 : NULL;
        if (colon != NULL && *colon != ':') {
            return false;
        }
    } else if (colon != NULL) {
        used = (size_t)(colon - text);
        if (memchr(colon + 1, ':', bytes - used - 1) != NULL) {
            colon = NULL; /* IPv6 */
            used = bytes;
        }
    }
    if (used <= skip || used - skip >= host_bytes ||
        (colon != NULL && !addr_read_port(colon + 1, bytes - (size_t)(colon + 1 - text), port))) {
        return false;
    }
    memcpy(host, text + skip, used - skip);
    host[used - skip] = '\0';
    return true;
}
