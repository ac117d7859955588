/* SPDX-License-Identifier: MIT */
/* Lazy commits: many COMMIT_ONLY requests, one system call.
 *
 * A COMMIT_ONLY prepares submissions in the ring and returns. They reach the kernel together at the
 * program's next RIODequeueCompletion, RIONotify, ringside_rio_wait or undeferred request on that
 * completion queue, when a socket of it is closed or shut down through the provider, after
 * RS_LAZY_COMMITS_MAX of them, or at the latest 1 to 2 ms later by the ticker thread: a program
 * that commits and then waits for something else still makes progress.
 *
 * A program that sleeps in ringside_rio_wait comes back by itself. The ticker does not look after
 * its queue: it would take the processor from that program a thousand times a second, for commits
 * that leave with the next wait anyway. And a dequeue that finds nothing leaves them to the wait,
 * which is mostly next and submits in the same system call; a second dequeue in a row sends them.
 *
 * Is that visible? A commit promises no starting time and produces no completion; results are seen
 * only through the calls above. It could show in another call on the same socket that RIO does not
 * see and that depends on the send having started: shutdown(SD_SEND), or a plain send(). riorun
 * replaces shutdown; a program that uses the provider directly calls ringside_rio_shutdown.
 * RINGSIDE_RIO_COMMIT=eager: one call per commit. */
#ifndef RS_WINE_LAZY_H
#define RS_WINE_LAZY_H

#include "provider.h"

#define RS_LAZY_COMMITS_MAX 256u

/* rs_lazy_commit: something was prepared in cq (its lock held) that may wait. */
void rs_lazy_commit(rs_cq *cq);

/* rs_lazy_done: everything prepared in cq went to the kernel (its lock held). */
void rs_lazy_done(rs_cq *cq);

#endif
