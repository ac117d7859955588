/* SPDX-License-Identifier: MIT */
/* The part of the Linux x86-64 ABI that the provider's Windows half needs: it maps io_uring's
 * rings itself and reaches the kernel through the gate, where no Linux header can be included.
 *
 * Numbers and layouts are the kernel's stable user ABI: man 2 io_uring_setup, io_uring_enter,
 * io_uring_register, and <linux/io_uring.h>; tests/unit/wine_abi_test.c compares each of them with
 * the machine's own headers. No code, no state. */
#ifndef RS_WINE_LINUX_ABI_H
#define RS_WINE_LINUX_ABI_H

#include <stdint.h>

enum {
    LX_SYS_READ = 0,
    LX_SYS_WRITE = 1,
    LX_SYS_CLOSE = 3,
    LX_SYS_MMAP = 9,
    LX_SYS_MUNMAP = 11,
    LX_SYS_RECVFROM = 45,
    LX_SYS_GETSOCKNAME = 51,
    LX_SYS_GETPEERNAME = 52,
    LX_SYS_SETSOCKOPT = 54,
    LX_SYS_GETSOCKOPT = 55,
    LX_SYS_EVENTFD2 = 290,
    LX_SYS_URING_SETUP = 425,
    LX_SYS_URING_ENTER = 426,
    LX_SYS_URING_REGISTER = 427
};

enum {
    LX_EINTR = 4,
    LX_EBADF = 9,
    LX_EAGAIN = 11,
    LX_ENOMEM = 12,
    LX_EFAULT = 14,
    LX_EBUSY = 16,
    LX_EEXIST = 17,
    LX_EINVAL = 22,
    LX_EMFILE = 24,
    LX_EPIPE = 32,
    LX_ETIME = 62,
    LX_ENOTSOCK = 88,
    LX_EDESTADDRREQ = 89,
    LX_EMSGSIZE = 90,
    LX_EOPNOTSUPP = 95,
    LX_EAFNOSUPPORT = 97,
    LX_EADDRNOTAVAIL = 99,
    LX_ENETDOWN = 100,
    LX_ENETUNREACH = 101,
    LX_ECONNABORTED = 103,
    LX_ECONNRESET = 104,
    LX_ENOBUFS = 105,
    LX_ENOTCONN = 107,
    LX_ETIMEDOUT = 110,
    LX_ECONNREFUSED = 111,
    LX_EHOSTUNREACH = 113,
    LX_ECANCELED = 125
};

enum { LX_PROT_RW = 3, LX_MAP_SHARED_POPULATE = 0x8001, LX_EFD_CLOEXEC = 0x80000 };
enum {
    LX_MSG_PEEK = 0x2,
    LX_MSG_TRUNC = 0x20,
    LX_MSG_DONTWAIT = 0x40,
    LX_MSG_WAITALL = 0x100,
    LX_MSG_NOSIGNAL = 0x4000
};
enum {
    LX_SOL_SOCKET = 1,
    LX_SO_RCVBUF = 8,
    LX_SO_RCVBUFFORCE = 33, /* beyond the machine's maximum: needs CAP_NET_ADMIN */
    LX_IPPROTO_TCP = 6,
    LX_TCP_INFO = 11,
    LX_TCP_STATE_CLOSE = 7, /* the state after a reset; 8 is CLOSE_WAIT, after a FIN */
    LX_TCP_INFO_STATE = 0,  /* offsets in struct tcp_info */
    LX_TCP_INFO_BYTES_RECEIVED = 128,
    LX_AF_INET = 2,
    LX_AF_INET6 = 10, /* 23 on Windows; the rest of the address is alike */
    LX_IPPROTO_IP = 0,
    LX_IP_PKTINFO = 8,
    LX_IPPROTO_IPV6 = 41,
    LX_IPV6_RECVPKTINFO = 49,
    LX_IPV6_PKTINFO = 50
};

enum {
    LX_OP_NOP = 0,
    LX_OP_READ_FIXED = 4,
    LX_OP_WRITE_FIXED = 5,
    LX_OP_POLL_ADD = 6,
    LX_OP_SENDMSG = 9,
    LX_OP_RECVMSG = 10,
    LX_OP_ASYNC_CANCEL = 14,
    LX_OP_SEND = 26,
    LX_OP_RECV = 27,
    LX_OP_SEND_ZC = 47
};

enum {
    LX_SETUP_CQSIZE = 1 << 3,
    LX_SETUP_CLAMP = 1 << 4,
    LX_SETUP_R_DISABLED = 1 << 6,
    LX_SETUP_SUBMIT_ALL = 1 << 7,
    LX_SETUP_COOP_TASKRUN = 1 << 8,
    LX_SETUP_TASKRUN_FLAG = 1 << 9,
    LX_SETUP_SINGLE_ISSUER = 1 << 12,
    LX_SETUP_DEFER_TASKRUN = 1 << 13
};

enum {
    LX_FEAT_MIN_TIMEOUT = 1 << 15, /* 6.12 */
    LX_FEAT_RW_ATTR = 1 << 16      /* 6.14 */
};
enum { LX_ENTER_GETEVENTS = 1 << 0, LX_ENTER_EXT_ARG = 1 << 3 };
enum { LX_SQ_CQ_OVERFLOW = 1 << 1, LX_SQ_TASKRUN = 1 << 2 };
enum { LX_CQ_EVENTFD_DISABLED = 1 << 0 };
enum {
    LX_CQE_F_BUFFER = 1 << 0, /* its number stands above LX_CQE_BUFFER_SHIFT */
    LX_CQE_F_MORE = 1 << 1,
    LX_CQE_F_SOCK_NONEMPTY = 1 << 2,
    LX_CQE_F_NOTIF = 1 << 3,
    LX_CQE_BUFFER_SHIFT = 16
};
enum { LX_SQE_FIXED_FILE = 1 << 0, LX_SQE_LINK = 1 << 2, LX_SQE_BUFFER_SELECT = 1 << 5 };
enum {
    LX_RECVSEND_POLL_FIRST = 1 << 0,
    LX_RECV_MULTISHOT = 1 << 1,
    LX_RECVSEND_FIXED_BUF = 1 << 2,
    LX_RECVSEND_UNKNOWN = 1 << 15 /* no kernel knows it: for tests of a refusal */
};
enum { LX_POLL_ADD_MULTI = 1 << 0, LX_POLLIN = 1, LX_POLLERR = 8, LX_POLLHUP = 16 };
enum {
    LX_REGISTER_EVENTFD = 4,
    LX_REGISTER_ENABLE_RINGS = 12,
    LX_REGISTER_FILES2 = 13,
    LX_REGISTER_FILES_UPDATE2 = 14,
    LX_REGISTER_BUFFERS2 = 15,
    LX_REGISTER_BUFFERS_UPDATE = 16,
    LX_REGISTER_PBUF_RING = 22,
    LX_UNREGISTER_PBUF_RING = 23,
    LX_RSRC_SPARSE = 1,
    LX_FIXED_BUFFERS_MAX = 1 << 14 /* the kernel's own limit of a buffer table */
};
#define LX_OFF_SQES 0x10000000

typedef struct lx_sqe {
    uint8_t opcode;
    uint8_t flags;
    uint16_t ioprio;
    int32_t fd;
    uint64_t off;
    uint64_t addr;
    uint32_t len;
    uint32_t op_flags;
    uint64_t user_data;
    uint16_t buf_index;
    uint16_t personality;
    int32_t file_index;
    uint64_t pad[2];
} lx_sqe;

typedef struct lx_cqe {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
} lx_cqe;

typedef struct lx_sq_offsets {
    uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
    uint64_t user_addr;
} lx_sq_offsets;

typedef struct lx_cq_offsets {
    uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
    uint64_t user_addr;
} lx_cq_offsets;

typedef struct lx_uring_params {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
    uint32_t resv[3];
    lx_sq_offsets sq_off;
    lx_cq_offsets cq_off;
} lx_uring_params;

typedef struct lx_iovec {
    void *base;
    uint64_t length;
} lx_iovec;

typedef struct lx_msghdr {
    void *name;
    uint32_t name_length;
    uint32_t pad1;
    lx_iovec *iov;
    uint64_t iov_count;
    void *control;
    uint64_t control_length;
    int32_t flags;
    uint32_t pad2;
} lx_msghdr;

typedef struct lx_cmsghdr {
    uint64_t length;
    int32_t level;
    int32_t type;
} lx_cmsghdr;

typedef struct lx_timespec {
    int64_t tv_sec;
    int64_t tv_nsec;
} lx_timespec;

typedef struct lx_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_size;
    uint32_t min_wait_us; /* LX_FEAT_MIN_TIMEOUT; else 0 */
    uint64_t ts;
} lx_getevents_arg;

typedef struct lx_rsrc_register {
    uint32_t nr, flags;
    uint64_t resv2, data, tags;
} lx_rsrc_register;

typedef struct lx_rsrc_update2 {
    uint32_t offset, resv;
    uint64_t data, tags;
    uint32_t nr, resv2;
} lx_rsrc_update2;

/* A ring of buffers that the kernel takes from. The ring's tail lies in the first one's resv. */
typedef struct lx_buf {
    uint64_t addr;
    uint32_t len;
    uint16_t bid, resv;
} lx_buf;

typedef struct lx_buf_reg {
    uint64_t ring_addr;
    uint32_t ring_entries;
    uint16_t bgid, flags;
    uint64_t resv[3];
} lx_buf_reg;

/* What RECVMSG with LX_RECV_MULTISHOT writes before name, control data and payload. */
typedef struct lx_recvmsg_out {
    uint32_t name_length, control_length, payload_length, flags;
} lx_recvmsg_out;

_Static_assert(sizeof(lx_buf) == 16, "io_uring_buf");
_Static_assert(sizeof(lx_buf_reg) == 40, "io_uring_buf_reg");
_Static_assert(sizeof(lx_recvmsg_out) == 16, "io_uring_recvmsg_out");
_Static_assert(sizeof(lx_sqe) == 64, "io_uring_sqe");
_Static_assert(sizeof(lx_cqe) == 16, "io_uring_cqe");
_Static_assert(sizeof(lx_uring_params) == 120, "io_uring_params");
_Static_assert(sizeof(lx_msghdr) == 56, "msghdr");
_Static_assert(sizeof(lx_cmsghdr) == 16, "cmsghdr");

#endif
