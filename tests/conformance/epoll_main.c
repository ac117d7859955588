/* SPDX-License-Identifier: MIT */
/* The conformance suite over epoll: real sockets, loopback, the real clock. No skips. */
#include "conformance.h"
#include "epoll/epoll_backend.h"

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "epoll",
        .api = &rs_epoll_backend,
        .cycles = 10000,
    };
    return conf_main(&instance, argc, argv);
}
