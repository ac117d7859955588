/* SPDX-License-Identifier: MIT */
/* Puts the checker of rio_verify.h between a program and a RIO function table.
 *
 * RIO's functions have no argument for a context, and two of them no handle either: so the checker
 * is one for the process, the only mutable static state outside a main. Wraps are counted; the last
 * unwrap reports what is left. Any thread; calls are serialised by a lock of its own, after which a
 * second thread on one queue is still told by its thread id. With any_thread a queue may change
 * threads: reported is a call that comes while another thread's on the same queue is in progress or
 * waits for that lock; COMMIT_ONLY is free, and RIONotify beside RIODequeueCompletion, of which the
 * documents say nothing. */
#ifndef RS_RIO_RIO_VERIFY_TABLE_H
#define RS_RIO_RIO_VERIFY_TABLE_H

#include "rio/rio_api.h"
#include "rio/rio_verify.h"

/* rs_rio_verify_wrap: replaces api's functions by checking ones over the same provider. The options
 * of the first wrap count; unique_ids only if all ask for it. False: out of memory. */
bool rs_rio_verify_wrap(rs_rio_api *api, const rs_rv_options *options);

/* rs_rio_verify_unwrap: one for each successful wrap. Returns the violations when it was the last,
 * else 0. */
uint32_t rs_rio_verify_unwrap(void);

/* rs_rio_verify_finish: at the end of a process whose other threads are gone, the lock perhaps with
 * one of them: reports what is left, once, if it can. */
void rs_rio_verify_finish(void);

#endif
