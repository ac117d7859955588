/* SPDX-License-Identifier: MIT */
/* The conformance suite over Registered I/O, polled: no notification, nothing deferred, two
 * receives in flight, a registration for each request, a thread that accepts, and the caller
 * checked by rio_verify. */
#include "conformance.h"
#include "rio/rio_backend.h"

static void prepare(rs_backend_config *cfg) {
    static rs_rio_settings own;
    rs_options_defaults(&rs_rio_options, &own);
    own.wait = RS_RIO_WAIT_POLL;
    own.defer = false;
    own.registration = RS_RIO_REG_REQUEST;
    own.verify = true;
    cfg->own = &own;
    cfg->tuning.accept_mode = RS_ACCEPT_THREAD;
    cfg->tuning.backlog_hint = false;
    cfg->tuning.recvs = 2;
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "rio_poll",
        .api = &rs_rio_backend,
        .prepare = prepare,
        .cycles = 500,
    };
    return conf_main(&instance, argc, argv);
}
