/* The epoll back end (Linux): the native floor that the Windows servers are set against, the
 * engine of the load generator, and what brings the whole server under the sanitizers.
 *
 * Edge-triggered readiness behind the completion contract of seam/backend.h: calls are tried at
 * once where they may succeed, and the rest waits for the kernel's edge. epoll needs no registered
 * memory, so op.region is not looked at. The accept thread of rs_tuning does not exist here. */
#ifndef RS_BENCH_EPOLL_BACKEND_H
#define RS_BENCH_EPOLL_BACKEND_H

#include "seam/backend.h"

extern const rs_backend_api rs_epoll_backend;

#endif
