/* SPDX-License-Identifier: MIT */
/* See win_address.h. */
#include "win/win_address.h"

#include <string.h>

int rs_sockaddr_write(rs_sockaddr *out, const rs_addr *addr) {
    memset(out, 0, sizeof *out);
    if (addr->family == RS_ADDR_V6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(addr->port);
        out->v6.sin6_scope_id = addr->scope;
        memcpy(&out->v6.sin6_addr, addr->ip6, sizeof addr->ip6);
        return (int)sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(addr->port);
    out->v4.sin_addr.s_addr = htonl(addr->ip);
    return (int)sizeof out->v4;
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
