/* The io_uring engine's operations that need a message header: several sends of a stream in one
 * call, datagrams, and the addresses of the Ex functions. Under the completion queue's lock. */
#ifndef RS_WINE_URING_MESSAGE_H
#define RS_WINE_URING_MESSAGE_H

#include "linux_abi.h"
#include "queue.h"

/* rs_uring_message_open: the lane's header, kept until its queue goes; false = no memory. */
bool rs_uring_message_open(rs_rio_lane *lane);

/* rs_uring_message_prepare: fills sqe for the first count requests of the lane. */
void rs_uring_message_prepare(rs_rio_lane *lane, uint32_t count, lx_sqe *sqe);

/* rs_uring_message_finish: a datagram's bytes arrived or left; writes what its Ex call asked for
 * and finishes it. */
void rs_uring_message_finish(rs_rio_lane *lane, uint32_t bytes);

/* rs_uring_stream_addresses: the same for a stream's receive, if its Ex call asked for any. */
void rs_uring_stream_addresses(rs_rio_lane *lane);

#endif
