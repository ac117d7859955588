/* SPDX-License-Identifier: MIT */
/* See net_address.h. */
#include "net/net_address.h"

#ifndef _WIN32
#include <netdb.h>
#endif
#include <stdbool.h>
#include <string.h>

#include "core/assert.h"

socklen_t rs_sockaddr_write(rs_sockaddr *out, const rs_addr *addr) {
    RS_ASSERT(addr->family == RS_ADDR_V4 || addr->family == RS_ADDR_V6);
    memset(out, 0, sizeof *out);
    if (addr->family == RS_ADDR_V6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(addr->port);
        out->v6.sin6_scope_id = addr->scope;
        memcpy(&out->v6.sin6_addr, addr->ip6, sizeof addr->ip6);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(addr->port);
    out->v4.sin_addr.s_addr = htonl(addr->ip);
    return sizeof out->v4;
}

rs_addr rs_sockaddr_read(const rs_sockaddr *name) {
    if (name->any.sa_family == AF_INET6) {
        return rs_addr_from_v6(name->v6.sin6_addr.s6_addr, ntohs(name->v6.sin6_port),
                               name->v6.sin6_scope_id);
    }
    if (name->any.sa_family != AF_INET) {
        return (rs_addr){.port = 0};
    }
    return (rs_addr){.ip = ntohl(name->v4.sin_addr.s_addr), .port = ntohs(name->v4.sin_port)};
}

/* ---- names */

/* False: there is none. */
static bool resolve_choose(const struct addrinfo *list, rs_addr *out) {
    bool found = false;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        rs_sockaddr name;
        rs_addr addr;
        if (at->ai_addr == NULL || at->ai_addrlen > sizeof name) {
            continue;
        }
        memset(&name, 0, sizeof name);
        memcpy(&name, at->ai_addr, at->ai_addrlen);
        addr = rs_sockaddr_read(&name);
        rs_addr_choose(out, &addr, !found);
        found = true;
    }
    return found;
}

rs_status rs_sockaddr_resolve(const char *host, rs_addr *out, rs_error *error) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    bool found;
    int code;
    if (!rs_addr_may_be_name(host)) {
        return rs_addr_unknown(error, host, 0);
    }
    code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0) {
        return rs_addr_unknown(error, host, (uint32_t)code);
    }
    found = resolve_choose(list, out);
    freeaddrinfo(list);
    return found ? RS_OK : rs_addr_unknown(error, host, 0);
}
