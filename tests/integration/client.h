/* SPDX-License-Identifier: MIT */
/* A plain blocking client of a server in the same process, for tests on Linux. */
#ifndef RS_INTEGRATION_CLIENT_H
#define RS_INTEGRATION_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "ringside/ringside.h"

/* client_open: connected; a recv waits 20 s at most. */
static inline int client_open(const rs_server *server) {
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(rs_server_port(server)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

#endif
