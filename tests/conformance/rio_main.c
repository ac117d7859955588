/* The conformance suite over Registered I/O: real sockets, loopback, the real clock. */
#include "conformance.h"
#include "rio/rio_backend.h"

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "rio",
        .api = &rs_rio_backend,
        .cycles = 2000,
    };

    return conf_main(&instance, argc, argv);
}
