/* SPDX-License-Identifier: MIT */
/* loadgen on Windows: over the I/O completion port back end. */
#include <io.h>

#include "iocp/iocp_backend.h"
#include "loadgen/loadgen_main.h"

#define MAIN_STDERR 2

int main(int argc, char **argv) {
    return rs_loadgen_main(&rs_iocp_backend, _isatty(MAIN_STDERR) != 0, argc,
                           (const char *const *)argv);
}
