/* iocp_server: the server over I/O completion ports. */
#include "iocp/iocp_backend.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    return rs_server_main("iocp_server", &rs_iocp_backend, argc, (const char *const *)argv);
}
