/* SPDX-License-Identifier: MIT */
/* The conformance suite over I/O completion ports once more, with four receives in flight; its
 * servers have as many. */
#include "conformance.h"
#include "iocp/iocp_backend.h"

static void prepare(rs_backend_config *cfg) {
    cfg->tuning.recvs = 4;
    cfg->keeps_accepted = false; /* associated when attached, as with several workers */
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "iocp_recvs",
        .api = &rs_iocp_backend,
        .prepare = prepare,
        .cycles = 500,
    };
    return conf_main(&instance, argc, argv);
}
