/* SPDX-License-Identifier: MIT */
/* The epoll back end (Linux): the native floor for the Windows servers, the load generator's back
 * end on Linux, and the way to run the whole server under the sanitizers.
 *
 * Edge-triggered readiness behind the completion contract of seam/backend.h: calls that may succeed
 * are tried at once, the rest waits for an edge. epoll needs no registered memory, so op.region is
 * ignored. There is no accept thread here. */
#ifndef RS_BENCH_EPOLL_BACKEND_H
#define RS_BENCH_EPOLL_BACKEND_H

#include "seam/backend.h"

extern const rs_backend_api rs_epoll_backend;

#endif
