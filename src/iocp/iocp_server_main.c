/* SPDX-License-Identifier: MIT */
/* iocp_server: the server over I/O completion ports. */
#include "iocp/iocp_backend.h"
#include "rio/rio_settings.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    static const rs_option_table *const others[] = {&rs_rio_options, NULL};
    static rs_iocp_settings settings;
    return rs_server_main("iocp_server", &rs_iocp_backend, &settings, others, argc,
                          (const char *const *)argv);
}
