/* SPDX-License-Identifier: MIT */
/* The back ends that are built in, for the public header. */
#include "ringside/ringside.h"

#include <stddef.h>
#include <string.h>

#if defined(_WIN32)
#include "iocp/iocp_backend.h"
#include "rio/rio_backend.h"

const rs_backend_api *rs_backend_rio(void) {
    return &rs_rio_backend;
}

const rs_backend_api *rs_backend_iocp(void) {
    return &rs_iocp_backend;
}

const rs_backend_api *rs_backend_epoll(void) {
    return NULL;
}
#else
#include "epoll/epoll_backend.h"

const rs_backend_api *rs_backend_rio(void) {
    return NULL;
}

const rs_backend_api *rs_backend_iocp(void) {
    return NULL;
}

const rs_backend_api *rs_backend_epoll(void) {
    return &rs_epoll_backend;
}
#endif

const rs_backend_api *rs_backend_best(void) {
    const rs_backend_api *best = rs_backend_rio();
    return best != NULL ? best : rs_backend_epoll();
}

const rs_backend_api *rs_backend_named(const char *name) {
    const rs_backend_api *const built_in[] = {rs_backend_rio(), rs_backend_iocp(),
                                              rs_backend_epoll()};
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        if (built_in[i] != NULL && strcmp(rs_backend_name(built_in[i]), name) == 0) {
            return built_in[i];
        }
    }
    return NULL;
}
