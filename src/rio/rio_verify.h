/* SPDX-License-Identifier: MIT */
/* Checks a program's use of RIO: errors that Windows leaves undefined, or that show much later, are
 * reported at once (--rio-verify).
 *
 * This half is pure C and knows neither Windows nor a provider: rio_verify_table.c puts it between
 * the caller and any function table. It allocates as it goes and costs a pass over every slice: a
 * tool for tests, not for production. The caller serialises the calls on one rs_rio_verify. */
#ifndef RS_RIO_RIO_VERIFY_H
#define RS_RIO_RIO_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, what is wrong) */
#define RS_RV_TABLE(X)                                                                             \
    X(RS_RV_RQ_THREAD, "a request queue is used by a second thread")                               \
    X(RS_RV_CQ_THREAD, "a completion queue is used by a second thread")                            \
    X(RS_RV_BUFFER_DEAD, "a buffer id that is not registered")                                     \
    X(RS_RV_RANGE, "a slice extends beyond its registration")                                      \
    X(RS_RV_OVERLAP, "a slice overlaps one in flight")                                             \
    X(RS_RV_ID_SHARED, "a buffer id is used by two requests at once")                              \
    X(RS_RV_DESCRIPTOR_BUSY, "a RIO_BUF is passed again while its request is in flight")           \
    X(RS_RV_RECV_TOUCHED, "a receive slice was written to while in flight")                        \
    X(RS_RV_SEND_TOUCHED, "a send slice was changed while in flight")                              \
    X(RS_RV_DEREGISTER_BUSY, "a buffer is deregistered with requests outstanding")                 \
    X(RS_RV_RQ_FULL, "more requests outstanding than the request queue holds")                     \
    X(RS_RV_CQ_FULL, "request queues reserve more than the completion queue holds")                \
    X(RS_RV_CQ_BUSY, "a completion queue is closed with requests outstanding")                     \
    X(RS_RV_CQ_DEAD, "a closed completion queue")                                                  \
    X(RS_RV_NOTIFY_TWICE, "RIONotify while a notification is pending")                             \
    X(RS_RV_NOTIFY_POLLED, "RIONotify on a queue without a notification")                          \
    X(RS_RV_UNCOMMITTED, "deferred requests that were never committed")                            \
    X(RS_RV_FLAGS, "flags, counts or pointers that the documentation forbids")                     \
    X(RS_RV_RQ_CLOSED, "a request on a closed socket")                                             \
    X(RS_RV_SOCKET_TWICE, "a second request queue for one socket")                                 \
    X(RS_RV_COMPLETION, "a completion without a request in flight, or with too many bytes")        \
    X(RS_RV_LEAK, "not released at the end")

typedef enum rs_rv_check {
#define X(name, text) name,
    RS_RV_TABLE(X)
#undef X
        RS_RV_CHECKS
} rs_rv_check;

/* rs_rv_name: "RS_RV_OVERLAP". Static string. */
const char *rs_rv_name(rs_rv_check check);

/* Called for a violation; text is one line, valid only during the call. */
typedef void (*rs_rv_report)(void *ctx, rs_rv_check check, const char *text);

typedef struct rs_rv_options {
    bool unique_ids; /* the strict reading of RIOSend's page: one id, one request */
    /* For other programs. Without it a queue belongs to one thread; with it any thread may use it,
     * but not two at once, which rs_rv_two_threads reports. */
    bool any_thread;
    /* Only what RIO's pages forbid. Without it also: a descriptor that is passed again while its
     * request is in flight, a completion queue that is closed with requests outstanding, sleeping
     * with uncommitted requests, objects left at the end. */
    bool documented_only;
    rs_rv_report report; /* NULL: print and stop the process (RS_FATAL) */
    void *ctx;
} rs_rv_options;

typedef struct rs_rio_verify rs_rio_verify;
typedef struct rs_rv_buffer rs_rv_buffer;
typedef struct rs_rv_cq rs_rv_cq;
typedef struct rs_rv_rq rs_rv_rq;
typedef struct rs_rv_request rs_rv_request;

/* rs_rv_open: NULL when out of memory. rs_rv_close: reports what is left, frees everything and
 * returns how many violations there were in all. */
rs_rio_verify *rs_rv_open(const rs_rv_options *options);
uint32_t rs_rv_close(rs_rio_verify *verify);

/* rs_rv_enter: the RIO call that the following functions belong to: its name (a static string) and
 * the caller's queue handle, for reports. */
void rs_rv_enter(rs_rio_verify *verify, const char *call, uintptr_t queue);

/* rs_rv_buffer_find, _cq_find, _rq_find: the record that a handle of the caller's is the address
 * of, also when what it stands for is closed since not too long ago; NULL = there is none. */
rs_rv_buffer *rs_rv_buffer_find(const rs_rio_verify *verify, uintptr_t handle);
rs_rv_cq *rs_rv_cq_find(rs_rio_verify *verify, uintptr_t handle); /* reports if NULL */
rs_rv_rq *rs_rv_rq_find(rs_rio_verify *verify, uintptr_t handle); /* reports if NULL */

/* rs_rv_two_threads: a queue (RS_RV_RQ_THREAD or RS_RV_CQ_THREAD) is in use by another thread at
 * this very moment. */
void rs_rv_two_threads(rs_rio_verify *verify, rs_rv_check check, uint64_t other_thread);

/* rs_rv_share_ids: from now on one id may serve several requests after all. */
void rs_rv_share_ids(rs_rio_verify *verify);

/* ---- buffers. inner: the provider's handle, kept for the caller. NULL when out of memory. */
rs_rv_buffer *rs_rv_register(rs_rio_verify *verify, void *base, uint32_t bytes, uintptr_t inner);
uintptr_t rs_rv_buffer_inner(const rs_rv_buffer *buffer);
void rs_rv_deregister(rs_rio_verify *verify, rs_rv_buffer *buffer);

/* ---- completion queues. Every function that takes one checks the thread. */
rs_rv_cq *rs_rv_cq_open(rs_rio_verify *verify, uint32_t entries, bool notifies, uintptr_t inner);
uintptr_t rs_rv_cq_inner(const rs_rv_cq *cq);
void rs_rv_cq_close(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread);
void rs_rv_cq_resized(rs_rio_verify *verify, rs_rv_cq *cq, uint32_t entries, uint64_t thread);
void rs_rv_dequeue(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread);
/* before RIONotify, and after it: already = it said WSAEALREADY */
void rs_rv_notify(rs_rio_verify *verify, rs_rv_cq *cq, uint64_t thread);
void rs_rv_notified(rs_rio_verify *verify, const rs_rv_cq *cq, bool already);

/* ---- request queues */
typedef struct rs_rv_rq_config {
    uint64_t socket, context;
    uint32_t recvs, sends, recv_buffers, send_buffers;
    rs_rv_cq *recv_cq, *send_cq;
    bool datagram;
} rs_rv_rq_config;

/* rs_rv_rq_prepare: before RIOCreateRequestQueue; rs_rv_rq_opened: it was made (inner != 0) or not;
 * then the record is gone. */
rs_rv_rq *rs_rv_rq_prepare(rs_rio_verify *verify, const rs_rv_rq_config *cfg, uint64_t thread);
void rs_rv_rq_opened(rs_rio_verify *verify, rs_rv_rq *rq, uintptr_t inner);
uintptr_t rs_rv_rq_inner(const rs_rv_rq *rq);
void rs_rv_rq_resized(rs_rio_verify *verify, rs_rv_rq *rq, uint32_t recvs, uint32_t sends,
                      uint64_t thread);
/* before closesocket; any socket */
void rs_rv_socket_close(rs_rio_verify *verify, uint64_t socket, uint64_t thread);

/* ---- requests */
#define RS_RV_DONT_NOTIFY 0x1u /* the flags of RIO, as numbers */
#define RS_RV_DEFER 0x2u
#define RS_RV_WAITALL 0x4u
#define RS_RV_COMMIT_ONLY 0x8u

#define RS_RV_SLICES 5u /* data, and the four of the Ex functions */

typedef struct rs_rv_slice {
    const void *descriptor; /* the RIO_BUF's address; NULL = not given */
    rs_rv_buffer *buffer;   /* NULL: no such id */
    uint32_t offset, bytes;
} rs_rv_slice;

typedef struct rs_rv_post {
    bool is_recv;
    uint32_t flags;
    uint32_t count; /* of buffers: 1, or 0 for a commit, or for a datagram without payload */
    rs_rv_slice slice[RS_RV_SLICES];
    uint64_t context;
} rs_rv_post;

/* rs_rv_post_begin: before RIOReceive or RIOSend: checks, marks and poisons the slice. Returns the
 * record whose address goes to the provider as request context; NULL for a commit. */
rs_rv_request *rs_rv_post_begin(rs_rio_verify *verify, rs_rv_rq *rq, const rs_rv_post *post,
                                uint64_t thread);
/* rs_rv_scratch: room beside the record, 16-byte aligned, for as long as the request lives. */
#define RS_RV_SCRATCH_BYTES 80u
void *rs_rv_scratch(rs_rv_request *request);

/* rs_rv_post_refused: the provider did not take it. */
void rs_rv_post_refused(rs_rio_verify *verify, rs_rv_request *request);

typedef struct rs_rv_origin {
    uint64_t socket_context, request_context; /* as the caller gave them */
} rs_rv_origin;

/* rs_rv_complete: a result from the provider. False: it is of no request in flight (reported). */
bool rs_rv_complete(rs_rio_verify *verify, rs_rv_cq *cq, rs_rv_request *request, bool succeeded,
                    uint32_t bytes, rs_rv_origin *origin);

#endif
