/* SPDX-License-Identifier: MIT */
/* epoll_server: the same server on Linux, the floor for the others. */
#include "epoll/epoll_backend.h"
#include "iocp/iocp_settings.h"
#include "rio/rio_settings.h"
#include "server/server_main.h"

int main(int argc, char **argv) {
    static const rs_option_table *const others[] = {&rs_iocp_options, &rs_rio_options, NULL};
    return rs_server_main("epoll_server", &rs_epoll_backend, NULL, others, argc,
                          (const char *const *)argv);
}
