/* The conformance suite over Registered I/O with the notification by event, a registration of its
 * own for each request, and the caller checked by rio_verify. */
#include "conformance.h"
#include "rio/rio_backend.h"

static void prepare(rs_backend_config *cfg) {
    cfg->tuning.rio_wait = RS_RIO_WAIT_SPIN;
    cfg->tuning.rio_notify_by = RS_RIO_NOTIFY_EVENT;
    cfg->tuning.rio_registration = RS_RIO_REG_SESSION;
    cfg->tuning.rio_verify = true;
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
