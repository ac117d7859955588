/* SPDX-License-Identifier: MIT */
/* loadgen on Linux: over the epoll back end. */
#include <unistd.h>

#include "epoll/epoll_backend.h"
#include "loadgen/loadgen_main.h"

int main(int argc, char **argv) {
    return rs_loadgen_main(&rs_epoll_backend, isatty(STDERR_FILENO) != 0, argc,
                           (const char *const *)argv);
}
