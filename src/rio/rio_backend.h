/* SPDX-License-Identifier: MIT */
/* The RIO back end: requests through registered buffers and one completion queue a shard.
 *
 * seam/conn_engine, rio_ledger and rio_wait decide, in pure C; the files beside this one
 * carry it out:
 *   rio_backend.c   open, close, memory, statistics, the table
 *   rio_driver.c    the calls for each connection: requests, commits, connecting, closing
 *   rio_poll.c      dequeue, the port, sleeping and waking
 * Everything runs on the shard's thread except wake. */
#ifndef RS_RIO_RIO_BACKEND_H
#define RS_RIO_RIO_BACKEND_H

#include "rio/rio_settings.h"
#include "seam/backend.h"

extern const rs_backend_api rs_rio_backend;

#endif
