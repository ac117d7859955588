/* SPDX-License-Identifier: MIT */
/* The provider's own copy of the Linux ABI against this machine's headers: each number and offset
 * that the Windows half relies on. A pass is equality. */
#include "linux_abi.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/io_uring.h>
#include <linux/tcp.h>

#include <cmocka.h>

#define SAME(ours, theirs) assert_int_equal((long long)(ours), (long long)(theirs))

static void test_abi_system_calls_are_the_machines(void **state) {
    (void)state;
    SAME(LX_SYS_READ, SYS_read);
    SAME(LX_SYS_WRITE, SYS_write);
    SAME(LX_SYS_CLOSE, SYS_close);
    SAME(LX_SYS_MMAP, SYS_mmap);
    SAME(LX_SYS_MUNMAP, SYS_munmap);
    SAME(LX_SYS_SETSOCKOPT, SYS_setsockopt);
    SAME(LX_SYS_GETSOCKOPT, SYS_getsockopt);
    SAME(LX_SYS_RECVFROM, SYS_recvfrom);
    SAME(LX_SYS_GETSOCKNAME, SYS_getsockname);
    SAME(LX_SYS_GETPEERNAME, SYS_getpeername);
    SAME(LX_SYS_EVENTFD2, SYS_eventfd2);
    SAME(LX_SYS_URING_SETUP, SYS_io_uring_setup);
    SAME(LX_SYS_URING_ENTER, SYS_io_uring_enter);
    SAME(LX_SYS_URING_REGISTER, SYS_io_uring_register);
}

static void test_abi_errors_are_the_machines(void **state) {
    (void)state;
    SAME(LX_EINTR, EINTR);
    SAME(LX_EBADF, EBADF);
    SAME(LX_EAGAIN, EAGAIN);
    SAME(LX_EBUSY, EBUSY);
    SAME(LX_EEXIST, EEXIST);
    SAME(LX_EPIPE, EPIPE);
    SAME(LX_ETIME, ETIME);
    SAME(LX_EMSGSIZE, EMSGSIZE);
    SAME(LX_ECONNRESET, ECONNRESET);
    SAME(LX_ENOTCONN, ENOTCONN);
    SAME(LX_ETIMEDOUT, ETIMEDOUT);
    SAME(LX_ECANCELED, ECANCELED);
    SAME(LX_ENOBUFS, ENOBUFS);
}

static void test_abi_socket_numbers_are_the_machines(void **state) {
    (void)state;
    SAME(LX_MSG_PEEK, MSG_PEEK);
    SAME(LX_MSG_DONTWAIT, MSG_DONTWAIT);
    SAME(LX_MSG_TRUNC, MSG_TRUNC);
    SAME(LX_MSG_WAITALL, MSG_WAITALL);
    SAME(LX_MSG_NOSIGNAL, MSG_NOSIGNAL);
    SAME(LX_SOL_SOCKET, SOL_SOCKET);
    SAME(LX_SO_RCVBUF, SO_RCVBUF);
    SAME(LX_SO_RCVBUFFORCE, SO_RCVBUFFORCE);
    SAME(LX_TCP_INFO, TCP_INFO);
    SAME(LX_TCP_INFO_STATE, offsetof(struct tcp_info, tcpi_state));
    SAME(LX_TCP_INFO_BYTES_RECEIVED, offsetof(struct tcp_info, tcpi_bytes_received));
    SAME(LX_AF_INET6, AF_INET6);
    SAME(LX_IP_PKTINFO, IP_PKTINFO);
    SAME(LX_IPV6_RECVPKTINFO, IPV6_RECVPKTINFO);
    SAME(LX_IPV6_PKTINFO, IPV6_PKTINFO);
    SAME(LX_PROT_RW, PROT_READ | PROT_WRITE);
    SAME(LX_MAP_SHARED_POPULATE, MAP_SHARED | MAP_POPULATE);
    SAME(LX_EFD_CLOEXEC, EFD_CLOEXEC);
    SAME(LX_POLLIN, POLLIN);
    SAME(sizeof(lx_msghdr), sizeof(struct msghdr));
    SAME(offsetof(lx_msghdr, control), offsetof(struct msghdr, msg_control));
    SAME(offsetof(lx_msghdr, flags), offsetof(struct msghdr, msg_flags));
    SAME(sizeof(lx_cmsghdr), sizeof(struct cmsghdr));
}

static void test_abi_ring_numbers_are_the_machines(void **state) {
    (void)state;
    SAME(LX_OP_READ_FIXED, IORING_OP_READ_FIXED);
    SAME(LX_OP_WRITE_FIXED, IORING_OP_WRITE_FIXED);
    SAME(LX_OP_POLL_ADD, IORING_OP_POLL_ADD);
    SAME(LX_OP_SENDMSG, IORING_OP_SENDMSG);
    SAME(LX_OP_RECVMSG, IORING_OP_RECVMSG);
    SAME(LX_OP_ASYNC_CANCEL, IORING_OP_ASYNC_CANCEL);
    SAME(LX_OP_SEND, IORING_OP_SEND);
    SAME(LX_OP_RECV, IORING_OP_RECV);
    SAME(LX_OP_SEND_ZC, IORING_OP_SEND_ZC);
    SAME(LX_SETUP_SUBMIT_ALL, IORING_SETUP_SUBMIT_ALL);
    SAME(LX_SETUP_R_DISABLED, IORING_SETUP_R_DISABLED);
    SAME(LX_SETUP_COOP_TASKRUN, IORING_SETUP_COOP_TASKRUN);
    SAME(LX_SETUP_TASKRUN_FLAG, IORING_SETUP_TASKRUN_FLAG);
    SAME(LX_SETUP_SINGLE_ISSUER, IORING_SETUP_SINGLE_ISSUER);
    SAME(LX_SETUP_DEFER_TASKRUN, IORING_SETUP_DEFER_TASKRUN);
#ifdef IORING_FEAT_RW_ATTR
    SAME(LX_FEAT_RW_ATTR, IORING_FEAT_RW_ATTR);
#endif
    SAME(LX_ENTER_GETEVENTS, IORING_ENTER_GETEVENTS);
    SAME(LX_ENTER_EXT_ARG, IORING_ENTER_EXT_ARG);
    SAME(LX_SQ_CQ_OVERFLOW, IORING_SQ_CQ_OVERFLOW);
    SAME(LX_SQ_TASKRUN, IORING_SQ_TASKRUN);
    SAME(LX_CQ_EVENTFD_DISABLED, IORING_CQ_EVENTFD_DISABLED);
    SAME(LX_CQE_F_MORE, IORING_CQE_F_MORE);
    SAME(LX_CQE_F_SOCK_NONEMPTY, IORING_CQE_F_SOCK_NONEMPTY);
    SAME(LX_CQE_F_NOTIF, IORING_CQE_F_NOTIF);
    SAME(LX_CQE_F_BUFFER, IORING_CQE_F_BUFFER);
    SAME(LX_CQE_BUFFER_SHIFT, IORING_CQE_BUFFER_SHIFT);
    SAME(LX_SQE_FIXED_FILE, IOSQE_FIXED_FILE);
    SAME(LX_SQE_LINK, IOSQE_IO_LINK);
    SAME(LX_SQE_BUFFER_SELECT, IOSQE_BUFFER_SELECT);
    SAME(LX_RECV_MULTISHOT, IORING_RECV_MULTISHOT);
    SAME(LX_REGISTER_PBUF_RING, IORING_REGISTER_PBUF_RING);
    SAME(LX_UNREGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING);
    SAME(sizeof(lx_buf), sizeof(struct io_uring_buf));
    SAME(offsetof(lx_buf, bid), offsetof(struct io_uring_buf, bid));
    SAME(offsetof(lx_buf, resv), offsetof(struct io_uring_buf_ring, tail));
    SAME(sizeof(lx_buf_reg), sizeof(struct io_uring_buf_reg));
    SAME(offsetof(lx_buf_reg, bgid), offsetof(struct io_uring_buf_reg, bgid));
    SAME(sizeof(lx_recvmsg_out), sizeof(struct io_uring_recvmsg_out));
    SAME(offsetof(lx_recvmsg_out, flags), offsetof(struct io_uring_recvmsg_out, flags));
    SAME(offsetof(lx_sqe, buf_index), offsetof(struct io_uring_sqe, buf_group));
    SAME(LX_RECVSEND_POLL_FIRST, IORING_RECVSEND_POLL_FIRST);
    SAME(LX_RECVSEND_FIXED_BUF, IORING_RECVSEND_FIXED_BUF);
    SAME(LX_POLLERR, POLLERR);
    SAME(LX_POLLHUP, POLLHUP);
    SAME(LX_POLL_ADD_MULTI, IORING_POLL_ADD_MULTI);
    SAME(LX_REGISTER_EVENTFD, IORING_REGISTER_EVENTFD);
    SAME(LX_REGISTER_ENABLE_RINGS, IORING_REGISTER_ENABLE_RINGS);
    SAME(LX_REGISTER_FILES2, IORING_REGISTER_FILES2);
    SAME(LX_REGISTER_FILES_UPDATE2, IORING_REGISTER_FILES_UPDATE2);
    SAME(LX_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS2);
    SAME(LX_REGISTER_BUFFERS_UPDATE, IORING_REGISTER_BUFFERS_UPDATE);
    SAME(LX_RSRC_SPARSE, IORING_RSRC_REGISTER_SPARSE);
    SAME(LX_OFF_SQES, IORING_OFF_SQES);
}

static void test_abi_ring_layouts_are_the_machines(void **state) {
    (void)state;
    SAME(sizeof(lx_sqe), sizeof(struct io_uring_sqe));
    SAME(offsetof(lx_sqe, addr), offsetof(struct io_uring_sqe, addr));
    SAME(offsetof(lx_sqe, op_flags), offsetof(struct io_uring_sqe, msg_flags));
    SAME(offsetof(lx_sqe, user_data), offsetof(struct io_uring_sqe, user_data));
    SAME(offsetof(lx_sqe, buf_index), offsetof(struct io_uring_sqe, buf_index));
    SAME(sizeof(lx_cqe), sizeof(struct io_uring_cqe));
    SAME(sizeof(lx_uring_params), sizeof(struct io_uring_params));
    SAME(offsetof(lx_uring_params, sq_off), offsetof(struct io_uring_params, sq_off));
    SAME(offsetof(lx_uring_params, cq_off), offsetof(struct io_uring_params, cq_off));
    SAME(offsetof(lx_cq_offsets, cqes), offsetof(struct io_cqring_offsets, cqes));
    SAME(offsetof(lx_cq_offsets, flags), offsetof(struct io_cqring_offsets, flags));
    SAME(sizeof(lx_getevents_arg), sizeof(struct io_uring_getevents_arg));
    SAME(offsetof(lx_getevents_arg, ts), offsetof(struct io_uring_getevents_arg, ts));
    SAME(sizeof(lx_rsrc_register), sizeof(struct io_uring_rsrc_register));
    SAME(sizeof(lx_rsrc_update2), sizeof(struct io_uring_rsrc_update2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_abi_system_calls_are_the_machines),
        cmocka_unit_test(test_abi_errors_are_the_machines),
        cmocka_unit_test(test_abi_socket_numbers_are_the_machines),
        cmocka_unit_test(test_abi_ring_numbers_are_the_machines),
        cmocka_unit_test(test_abi_ring_layouts_are_the_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
