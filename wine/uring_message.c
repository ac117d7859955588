/* SPDX-License-Identifier: MIT */
/* Message headers and addresses, Winsock's to Linux's and back. See uring_message.h. */
#include "uring_message.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gate.h"
#include "provider.h"

#define MESSAGE_NAME_MAX RS_URING_NAME_MAX
#define MESSAGE_CONTROL_MAX RS_URING_CONTROL_MAX
#define MESSAGE_PARTIAL 0x8000u /* MSG_PARTIAL of winsock2.h */

_Static_assert(sizeof(SOCKADDR_INET) == MESSAGE_NAME_MAX, "SOCKADDR_INET");

typedef struct message_block {
    lx_msghdr header;
    lx_iovec iov[RS_RIO_GATHER_MAX];
    uint8_t name[MESSAGE_NAME_MAX];
    uint64_t control[MESSAGE_CONTROL_MAX / sizeof(uint64_t)];
    bool asks_local; /* IP_PKTINFO is switched on */
} message_block;

/* One datagram that is sent: a lane has RS_RIO_CHAIN_MAX of them. */
typedef struct message_out {
    lx_msghdr header;
    lx_iovec iov;
    uint8_t name[MESSAGE_NAME_MAX];
} message_out;

bool rs_uring_message_open(rs_rio_lane *lane) {
    bool sends_datagrams = !lane->rq->stream && lane->direction == RS_RIO_SEND;
    if (lane->engine == NULL) {
        lane->engine = sends_datagrams ? calloc(RS_RIO_CHAIN_MAX, sizeof(message_out))
                                       : calloc(1, sizeof(message_block));
    }
    return lane->engine != NULL;
}

/* The two families differ in one number only. */
static void message_family_to(uint8_t *address, uint16_t from, uint16_t to) {
    uint16_t family;
    memcpy(&family, address, sizeof family);
    if (family == from) {
        memcpy(address, &to, sizeof to);
    }
}

void rs_uring_ask_local(const rs_rio_lane *lane, bool *asked) {
    int32_t on = 1;
    bool six = lane->rq->ipv6;
    if (*asked) {
        return;
    }
    *asked = true;
    (void)rs_gate_call6(LX_SYS_SETSOCKOPT, lane->rq->fd, six ? LX_IPPROTO_IPV6 : LX_IPPROTO_IP,
                        six ? LX_IPV6_RECVPKTINFO : LX_IP_PKTINFO, (intptr_t)&on, sizeof on,
                        0); /* without it the bound address is reported */
}

static void message_prepare_recv(rs_rio_lane *lane, message_block *block) {
    const rs_rio_request *request = lane->head;
    if (request->remote.at != NULL) {
        block->header.name = block->name;
        block->header.name_length = MESSAGE_NAME_MAX;
    }
    if (request->local.at != NULL) {
        rs_uring_ask_local(lane, &block->asks_local);
        block->header.control = block->control;
        block->header.control_length = MESSAGE_CONTROL_MAX;
    }
}

static void message_address(message_out *out, const rs_rio_segment *remote) {
    bool six;
    memcpy(out->name, remote->at, MESSAGE_NAME_MAX);
    message_family_to(out->name, AF_INET6, LX_AF_INET6);
    six = out->name[0] == LX_AF_INET6;
    out->header.name = out->name;
    out->header.name_length = six ? MESSAGE_NAME_MAX : (uint32_t)sizeof(struct sockaddr_in);
}

void rs_uring_message_send(const rs_rio_lane *lane, uint32_t at, const rs_rio_request *request,
                           lx_sqe *sqe) {
    message_out *out = (message_out *)lane->engine + at;
    RS_ASSERT(at < RS_RIO_CHAIN_MAX);
    memset(&out->header, 0, sizeof out->header);
    out->iov.base = request->data.at;
    out->iov.length = request->data.length;
    out->header.iov = &out->iov;
    out->header.iov_count = 1;
    if (request->remote.at != NULL) {
        message_address(out, &request->remote);
    }
    sqe->opcode = LX_OP_SENDMSG;
    sqe->addr = (uint64_t)(intptr_t)&out->header;
    sqe->len = 1;
    sqe->op_flags = LX_MSG_NOSIGNAL;
}

void rs_uring_message_prepare(rs_rio_lane *lane, uint32_t count, lx_sqe *sqe) {
    message_block *block = lane->engine;
    const rs_rio_request *request = lane->head;
    bool send = lane->direction == RS_RIO_SEND;
    RS_ASSERT(block != NULL && count <= RS_RIO_GATHER_MAX);
    memset(&block->header, 0, sizeof block->header);
    for (uint32_t i = 0; i < count; i++, request = request->next) {
        block->iov[i].base = request->data.at + request->done;
        block->iov[i].length = request->data.length - request->done;
    }
    block->header.iov = block->iov;
    block->header.iov_count = count;
    if (!lane->rq->stream) {
        message_prepare_recv(lane, block);
    }
    sqe->opcode = send ? LX_OP_SENDMSG : LX_OP_RECVMSG;
    sqe->addr = (uint64_t)(intptr_t)&block->header;
    sqe->len = 1;
    sqe->op_flags = send ? LX_MSG_NOSIGNAL | LX_MSG_WAITALL : 0;
}

/* Our own or the peer's address by the kernel's word. */
static bool message_query(int fd, int64_t call, uint8_t *name) {
    uint32_t size = MESSAGE_NAME_MAX;
    memset(name, 0, MESSAGE_NAME_MAX);
    if (rs_gate_call6(call, fd, (intptr_t)name, (intptr_t)&size, 0, 0, 0) != 0) {
        return false;
    }
    message_family_to(name, LX_AF_INET6, AF_INET6);
    return true;
}

/* The address a datagram was sent to: the bound one, made exact by the packet's information. */
static void message_local(const rs_rio_lane *lane, const rs_uring_datagram *datagram) {
    uint8_t name[MESSAGE_NAME_MAX];
    const lx_cmsghdr *cmsg = datagram->control;
    const uint8_t *data = (const uint8_t *)(cmsg + 1);
    if (!message_query(lane->rq->fd, LX_SYS_GETSOCKNAME, name)) {
        return;
    }
    if (datagram->control_length >= sizeof *cmsg) {
        if (cmsg->level == LX_IPPROTO_IP && cmsg->type == LX_IP_PKTINFO) {
            memcpy(name + 4, data + 8, 4); /* in_pktinfo: interface, local, destination */
        } else if (cmsg->level == LX_IPPROTO_IPV6 && cmsg->type == LX_IPV6_PKTINFO) {
            memcpy(name + 8, data, 16);
        }
    }
    rs_provider_address_out(&lane->head->local, name, sizeof name);
}

static void message_results(rs_rio_lane *lane, uint32_t message_flags) {
    static const RIO_CMSG_BUFFER no_control = {sizeof(RIO_CMSG_BUFFER)};
    const rs_rio_request *request = lane->head;
    ULONG flags = message_flags & LX_MSG_TRUNC ? MESSAGE_PARTIAL : 0;
    rs_provider_address_out(&request->control, &no_control, sizeof no_control);
    rs_provider_address_out(&request->flags, &flags, sizeof flags);
}

void rs_uring_datagram_finish(rs_rio_lane *lane, const rs_uring_datagram *datagram) {
    const rs_rio_request *request = lane->head;
    if (request->remote.at != NULL) {
        message_family_to(datagram->name, LX_AF_INET6, AF_INET6);
        rs_provider_address_out(&request->remote, datagram->name, MESSAGE_NAME_MAX);
    }
    if (request->local.at != NULL) {
        message_local(lane, datagram);
    }
    message_results(lane, datagram->truncated ? LX_MSG_TRUNC : 0);
    /* A datagram that the program asked no payload of is not truncated. */
    if (datagram->truncated && request->data.at != NULL) {
        rs_queue_finish(lane, WSAEMSGSIZE, 0);
    } else {
        rs_queue_finish(lane, RS_RIO_OK, datagram->bytes);
    }
}

void rs_uring_message_finish(rs_rio_lane *lane, uint32_t bytes) {
    message_block *block = lane->engine;
    rs_uring_datagram datagram;
    if (lane->direction == RS_RIO_SEND) {
        message_results(lane, 0);
        rs_queue_finish(lane, RS_RIO_OK, bytes);
        return;
    }
    datagram.name = block->name;
    datagram.control = (const lx_cmsghdr *)(const void *)block->control;
    datagram.control_length = block->header.control_length;
    datagram.bytes = bytes;
    datagram.truncated = ((uint32_t)block->header.flags & LX_MSG_TRUNC) != 0;
    rs_uring_datagram_finish(lane, &datagram);
}

void rs_uring_stream_addresses(rs_rio_lane *lane) {
    const rs_rio_request *request = lane->head;
    uint8_t name[MESSAGE_NAME_MAX];
    if (request->remote.at != NULL && message_query(lane->rq->fd, LX_SYS_GETPEERNAME, name)) {
        rs_provider_address_out(&request->remote, name, sizeof name);
    }
    if (request->local.at != NULL && message_query(lane->rq->fd, LX_SYS_GETSOCKNAME, name)) {
        rs_provider_address_out(&request->local, name, sizeof name);
    }
    if (request->flags.at != NULL || request->control.at != NULL) {
        message_results(lane, 0);
    }
}
