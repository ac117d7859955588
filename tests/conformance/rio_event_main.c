/* SPDX-License-Identifier: MIT */
/* The conformance suite over Registered I/O with the notification by event, a registration of its
 * own for each buffer, four receives in flight, and the caller checked by rio_verify. */
#include "conformance.h"
#include "rio/rio_backend.h"

static void prepare(rs_backend_config *cfg) {
    static rs_rio_settings own;
    rs_options_defaults(&rs_rio_options, &own);
    own.wait = RS_RIO_WAIT_SPIN;
    own.notify_by = RS_RIO_NOTIFY_EVENT;
    own.registration = RS_RIO_REG_SESSION;
    own.verify = true;
    cfg->own = &own;
    cfg->tuning.recvs = 4;
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "rio_event",
        .api = &rs_rio_backend,
        .prepare = prepare,
        .cycles = 500,
    };
    return conf_main(&instance, argc, argv);
}
