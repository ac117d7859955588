/* SPDX-License-Identifier: MIT */
/* The io_uring engine's operations that need a message header: several sends of a stream in one
 * call, datagrams, and the addresses of the Ex functions. Under the completion queue's lock. */
#ifndef RS_WINE_URING_MESSAGE_H
#define RS_WINE_URING_MESSAGE_H

#include <stdbool.h>

#include "linux_abi.h"
#include "queue.h"

/* rs_uring_message_open: the lane's header, kept until its queue goes; false = no memory. */
bool rs_uring_message_open(rs_rio_lane *lane);

/* rs_uring_message_prepare: fills sqe for the first count requests of the lane. */
void rs_uring_message_prepare(rs_rio_lane *lane, uint32_t count, lx_sqe *sqe);

/* rs_uring_message_send: fills sqe for one datagram, the at-th of those that are sent by one start,
 * at most RS_RIO_CHAIN_MAX. */
void rs_uring_message_send(const rs_rio_lane *lane, uint32_t at, const rs_rio_request *request,
                           lx_sqe *sqe);

#define RS_URING_NAME_MAX 28u /* SOCKADDR_INET, and Linux's sockaddr_in6 */
#define RS_URING_CONTROL_MAX 64u

/* A datagram that arrived, for the oldest request of its lane. */
typedef struct rs_uring_datagram {
    uint8_t *name; /* RS_URING_NAME_MAX bytes, Linux's family in it */
    const lx_cmsghdr *control;
    uint64_t control_length;
    uint32_t bytes;
    bool truncated;
} rs_uring_datagram;

/* rs_uring_datagram_finish: writes what the request's Ex call asked for and finishes it; the
 * payload is in place. */
void rs_uring_datagram_finish(rs_rio_lane *lane, const rs_uring_datagram *datagram);

/* rs_uring_ask_local: from now on datagrams tell where they were sent to; once for *asked. */
void rs_uring_ask_local(const rs_rio_lane *lane, bool *asked);

/* rs_uring_message_finish: a datagram's bytes arrived or left; writes what its Ex call asked for
 * and finishes it. */
void rs_uring_message_finish(rs_rio_lane *lane, uint32_t bytes);

/* rs_uring_stream_addresses: the same for a stream's receive, if its Ex call asked for any. */
void rs_uring_stream_addresses(rs_rio_lane *lane);

#endif
