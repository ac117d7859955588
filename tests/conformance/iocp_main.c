/* SPDX-License-Identifier: MIT */
/* The conformance suite over I/O completion ports: real sockets, loopback, the real clock. */
#include "conformance.h"
#include "iocp/iocp_backend.h"

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "iocp",
        .api = &rs_iocp_backend,
        .cycles = 2000,
    };
    return conf_main(&instance, argc, argv);
}
