/* SPDX-License-Identifier: MIT */
/* rio_server: the server over Registered I/O completion queues. */
#include "iocp/iocp_settings.h"
#include "rio/rio_backend.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    static const rs_option_table *const others[] = {&rs_iocp_options, NULL};
    static rs_rio_settings settings;
    return rs_server_main("rio_server", &rs_rio_backend, &settings, others, argc,
                          (const char *const *)argv);
}
