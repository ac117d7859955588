/* The one main of all servers: options, the line that says it listens, statistics, the end.
 *
 * rio_server, iocp_server and epoll_server differ in the table they pass and in nothing else. */
#ifndef RS_SERVER_SERVER_MAIN_H
#define RS_SERVER_SERVER_MAIN_H

#include "seam/backend.h"

/* rs_server_main: runs until Ctrl+C, the end of --duration, or a failure.
 * Returns the exit code: 0; 1 (could not start, or gave up on the way out); 2 (bad option). */
int rs_server_main(const char *program, const rs_backend_api *backend, int argc,
                   const char *const *argv);

#endif
