/* The conformance suite over Registered I/O, polled: no notification, nothing deferred, a thread
 * that accepts, and the caller checked by rio_verify. */
#include "conformance.h"
#include "rio/rio_backend.h"

static void prepare(rs_backend_config *cfg) {
    cfg->tuning.rio_wait = RS_RIO_WAIT_POLL;
    cfg->tuning.rio_defer = false;
    cfg->tuning.accept_mode = RS_ACCEPT_THREAD;
    cfg->tuning.backlog_hint = false;
    cfg->tuning.rio_verify = true;
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
