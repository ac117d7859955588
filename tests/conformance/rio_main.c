/* SPDX-License-Identifier: MIT */
/* The conformance suite over Registered I/O: real sockets, loopback, the real clock. Under Wine the
 * provider is the one that RINGSIDE_RIO_PROVIDER names. */
#include "conformance.h"
#include "rio/rio_backend.h"
#include "seam/os.h"

/* Where the system has RIO itself, no configuration makes it go away. */
static void make_unavailable(rs_backend_config *cfg) {
    static rs_rio_settings own;
    rs_options_defaults(&rs_rio_options, &own);
    own.provider = "no-such-provider.dll";
    cfg->own = &own;
}

int main(int argc, char **argv) {
    const conf_instance instance = {
        .name = "rio",
        .api = &rs_rio_backend,
        .make_unavailable = rs_os_is_wine() ? make_unavailable : NULL,
        .cycles = 2000,
    };
    return conf_main(&instance, argc, argv);
}
