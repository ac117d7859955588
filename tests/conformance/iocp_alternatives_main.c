/* SPDX-License-Identifier: MIT */
/* The conformance suite over I/O completion ports once more, with every setting the other way: all
 * completions through the port, one a call, zero-byte receives, and a thread that accepts. */
#include "conformance.h"
#include "iocp/iocp_backend.h"

static void prepare(rs_backend_config *cfg) {
    static rs_iocp_settings own;
    rs_options_defaults(&rs_iocp_options, &own);
    own.skip_on_success = false;
    own.gqcs_single = true;
    own.zero_byte_recv = true;
    cfg->own = &own;
    cfg->tuning.recvs = 1; /* probes allow no more */
    cfg->tuning.accept_mode = RS_ACCEPT_THREAD;
    cfg->tuning.backlog_hint = false;
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "iocp_alternatives",
        .api = &rs_iocp_backend,
        .prepare = prepare,
        .cycles = 500,
    };
    return conf_main(&instance, argc, argv);
}
