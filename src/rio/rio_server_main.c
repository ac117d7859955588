/* rio_server: the server over Registered I/O completion queues. */
#include "rio/rio_backend.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    return rs_server_main("rio_server", &rs_rio_backend, argc, (const char *const *)argv);
}
