/* SPDX-License-Identifier: MIT */
/* Registered I/O for tool chains that lack it: types, constants, the GUID, the function table and a
 * loader. Needs nothing else of Ringside and no library of it: copy this one file.
 *
 *     RIO_EXTENSION_FUNCTION_TABLE rio;
 *     SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
 *                           WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO);
 *     if (ringside_rio_load(s, &rio) == 0) {
 *         rio.RIOCreateCompletionQueue(...);
 *     }
 *
 * MinGW-w64 has none of it up to 14 (no mswsockdef.h, nothing in mswsock.h). The Windows SDK's own
 * declarations win where they exist: its macros RIO_MSG_DEFER (mswsockdef.h) and
 * WSAID_MULTIPLE_RIO (mswsock.h) tell. The assertions at the end hold for either, so that a wrong
 * line here cannot hide. Layout: x64 and ARM64 alike. Link with ws2_32.
 *
 * Sources, by short name:
 *   [def]    mswsockdef.h of the Windows SDK, as carried by the fork MinGW-ld64
 *   [page X] learn.microsoft.com, the page of X (text: MicrosoftDocs/sdk-api, read 2026) */
#ifndef RINGSIDE_RIO_H
#define RINGSIDE_RIO_H

#include <stddef.h>
#include <string.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

/* winsock2.h since Windows 8: the socket flag without which RIO refuses a socket.
 * [page WSASocketW] */
#ifndef WSA_FLAG_REGISTERED_IO
#define WSA_FLAG_REGISTERED_IO 0x100
#endif

/* The ioctl that fills a table of extension functions from a GUID. [def] */
#ifndef SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 36)
#endif

#ifndef RIO_MSG_DEFER

/* Flags of the four request functions. [def]; meaning: [page LPFN_RIOSEND] */
#define RIO_MSG_DONT_NOTIFY 0x00000001
#define RIO_MSG_DEFER 0x00000002
#define RIO_MSG_WAITALL 0x00000004
#define RIO_MSG_COMMIT_ONLY 0x00000008

/* 32 bits of ones, zero-extended: on x64 this is not (RIO_BUFFERID)-1. [def] */
#define RIO_INVALID_BUFFERID ((RIO_BUFFERID)(ULONG_PTR)0xFFFFFFFF)
#define RIO_INVALID_CQ ((RIO_CQ)0)
#define RIO_INVALID_RQ ((RIO_RQ)0)

/* Largest completion queue, 134'217'728 entries. [def] */
#define RIO_MAX_CQ_SIZE 0x8000000

/* RIODequeueCompletion's "the queue is damaged". [page LPFN_RIODEQUEUECOMPLETION] */
#define RIO_CORRUPT_CQ 0xFFFFFFFF

/* Opaque handles; never dereferenced by the program. [def] */
typedef struct RIO_BUFFERID_t *RIO_BUFFERID, **PRIO_BUFFERID;
typedef struct RIO_CQ_t *RIO_CQ, **PRIO_CQ;
typedef struct RIO_RQ_t *RIO_RQ, **PRIO_RQ;

/* One completion. The contexts are 64 bits wide on every platform. [page RIORESULT] */
typedef struct _RIORESULT {
    LONG Status;
    ULONG BytesTransferred;
    ULONGLONG SocketContext;
    ULONGLONG RequestContext;
} RIORESULT, *PRIORESULT;

/* A slice of a registration. [page RIO_BUF] */
typedef struct _RIO_BUF {
    RIO_BUFFERID BufferId;
    ULONG Offset;
    ULONG Length;
} RIO_BUF, *PRIO_BUF;

/* Head of the control data of the Ex functions. [page RIO_CMSG_BUFFER] */
typedef struct _RIO_CMSG_BUFFER {
    ULONG TotalLength;
} RIO_CMSG_BUFFER, *PRIO_CMSG_BUFFER;

#endif /* RIO_MSG_DEFER */

#ifndef WSAID_MULTIPLE_RIO

/* {8509e081-96dd-4005-b165-9e2ee8c79e3f} [def] */
#define WSAID_MULTIPLE_RIO                                                                         \
    {                                                                                              \
        0x8509e081, 0x96dd, 0x4005, {                                                              \
            0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f                                         \
        }                                                                                          \
    }

/* How a completion queue tells that it is no longer empty.
 * [page RIO_NOTIFICATION_COMPLETION_TYPE] */
typedef enum _RIO_NOTIFICATION_COMPLETION_TYPE {
    RIO_EVENT_COMPLETION = 1,
    RIO_IOCP_COMPLETION = 2
} RIO_NOTIFICATION_COMPLETION_TYPE,
    *PRIO_NOTIFICATION_COMPLETION_TYPE;

/* [page RIO_NOTIFICATION_COMPLETION] */
typedef struct _RIO_NOTIFICATION_COMPLETION {
    RIO_NOTIFICATION_COMPLETION_TYPE Type;
    union {
        struct {
            HANDLE EventHandle;
            BOOL NotifyReset;
        } Event;
        struct {
            HANDLE IocpHandle;
            PVOID CompletionKey;
            PVOID Overlapped;
        } Iocp;
    };
} RIO_NOTIFICATION_COMPLETION, *PRIO_NOTIFICATION_COMPLETION;

/* The 13 functions, each from the page of its own name. */
typedef BOOL(PASCAL FAR *LPFN_RIORECEIVE)(RIO_RQ SocketQueue, PRIO_BUF pData, ULONG DataBufferCount,
                                          DWORD Flags, PVOID RequestContext);
/* Documented with the result type int; TRUE and FALSE all the same. [page LPFN_RIORECEIVEEX] */
typedef int(PASCAL FAR *LPFN_RIORECEIVEEX)(RIO_RQ SocketQueue, PRIO_BUF pData,
                                           ULONG DataBufferCount, PRIO_BUF pLocalAddress,
                                           PRIO_BUF pRemoteAddress, PRIO_BUF pControlContext,
                                           PRIO_BUF pFlags, DWORD Flags, PVOID RequestContext);
typedef BOOL(PASCAL FAR *LPFN_RIOSEND)(RIO_RQ SocketQueue, PRIO_BUF pData, ULONG DataBufferCount,
                                       DWORD Flags, PVOID RequestContext);
typedef BOOL(PASCAL FAR *LPFN_RIOSENDEX)(RIO_RQ SocketQueue, PRIO_BUF pData, ULONG DataBufferCount,
                                         PRIO_BUF pLocalAddress, PRIO_BUF pRemoteAddress,
                                         PRIO_BUF pControlContext, PRIO_BUF pFlags, DWORD Flags,
                                         PVOID RequestContext);
typedef VOID(PASCAL FAR *LPFN_RIOCLOSECOMPLETIONQUEUE)(RIO_CQ CQ);
typedef RIO_CQ(PASCAL FAR *LPFN_RIOCREATECOMPLETIONQUEUE)(
    DWORD QueueSize, PRIO_NOTIFICATION_COMPLETION NotificationCompletion);
typedef RIO_RQ(PASCAL FAR *LPFN_RIOCREATEREQUESTQUEUE)(SOCKET Socket, ULONG MaxOutstandingReceive,
                                                       ULONG MaxReceiveDataBuffers,
                                                       ULONG MaxOutstandingSend,
                                                       ULONG MaxSendDataBuffers, RIO_CQ ReceiveCQ,
                                                       RIO_CQ SendCQ, PVOID SocketContext);
typedef ULONG(PASCAL FAR *LPFN_RIODEQUEUECOMPLETION)(RIO_CQ CQ, PRIORESULT Array, ULONG ArraySize);
typedef VOID(PASCAL FAR *LPFN_RIODEREGISTERBUFFER)(RIO_BUFFERID BufferId);
typedef INT(PASCAL FAR *LPFN_RIONOTIFY)(RIO_CQ CQ);
typedef RIO_BUFFERID(PASCAL FAR *LPFN_RIOREGISTERBUFFER)(PCHAR DataBuffer, DWORD DataLength);
typedef BOOL(PASCAL FAR *LPFN_RIORESIZECOMPLETIONQUEUE)(RIO_CQ CQ, DWORD QueueSize);
typedef BOOL(PASCAL FAR *LPFN_RIORESIZEREQUESTQUEUE)(RIO_RQ RQ, DWORD MaxOutstandingReceive,
                                                     DWORD MaxOutstandingSend);

/* What the ioctl fills; cbSize is set by the provider. [page RIO_EXTENSION_FUNCTION_TABLE] */
typedef struct _RIO_EXTENSION_FUNCTION_TABLE {
    DWORD cbSize;
    LPFN_RIORECEIVE RIOReceive;
    LPFN_RIORECEIVEEX RIOReceiveEx;
    LPFN_RIOSEND RIOSend;
    LPFN_RIOSENDEX RIOSendEx;
    LPFN_RIOCLOSECOMPLETIONQUEUE RIOCloseCompletionQueue;
    LPFN_RIOCREATECOMPLETIONQUEUE RIOCreateCompletionQueue;
    LPFN_RIOCREATEREQUESTQUEUE RIOCreateRequestQueue;
    LPFN_RIODEQUEUECOMPLETION RIODequeueCompletion;
    LPFN_RIODEREGISTERBUFFER RIODeregisterBuffer;
    LPFN_RIONOTIFY RIONotify;
    LPFN_RIOREGISTERBUFFER RIORegisterBuffer;
    LPFN_RIORESIZECOMPLETIONQUEUE RIOResizeCompletionQueue;
    LPFN_RIORESIZEREQUESTQUEUE RIOResizeRequestQueue;
} RIO_EXTENSION_FUNCTION_TABLE, *PRIO_EXTENSION_FUNCTION_TABLE;

#endif /* WSAID_MULTIPLE_RIO */

/* The layout that programs and providers must agree on, whoever declared it. */
#ifdef __cplusplus
#define RIO_ASSERT static_assert
#else
#define RIO_ASSERT _Static_assert
#endif
#if defined(_WIN64)
RIO_ASSERT(sizeof(RIORESULT) == 24, "RIORESULT size");
RIO_ASSERT(offsetof(RIORESULT, BytesTransferred) == 4, "RIORESULT.BytesTransferred");
RIO_ASSERT(offsetof(RIORESULT, SocketContext) == 8, "RIORESULT.SocketContext");
RIO_ASSERT(offsetof(RIORESULT, RequestContext) == 16, "RIORESULT.RequestContext");
RIO_ASSERT(sizeof(RIO_BUF) == 16, "RIO_BUF size");
RIO_ASSERT(offsetof(RIO_BUF, Offset) == 8, "RIO_BUF.Offset");
RIO_ASSERT(offsetof(RIO_BUF, Length) == 12, "RIO_BUF.Length");
RIO_ASSERT(sizeof(RIO_NOTIFICATION_COMPLETION) == 32, "RIO_NOTIFICATION_COMPLETION size");
RIO_ASSERT(offsetof(RIO_NOTIFICATION_COMPLETION, Event.NotifyReset) == 16, "NotifyReset");
RIO_ASSERT(offsetof(RIO_NOTIFICATION_COMPLETION, Iocp.IocpHandle) == 8, "IocpHandle");
RIO_ASSERT(offsetof(RIO_NOTIFICATION_COMPLETION, Iocp.CompletionKey) == 16, "CompletionKey");
RIO_ASSERT(offsetof(RIO_NOTIFICATION_COMPLETION, Iocp.Overlapped) == 24, "Overlapped");
RIO_ASSERT(sizeof(RIO_EXTENSION_FUNCTION_TABLE) == 14 * sizeof(void *), "table size");
RIO_ASSERT(offsetof(RIO_EXTENSION_FUNCTION_TABLE, RIOReceive) == 8, "table: RIOReceive");
RIO_ASSERT(offsetof(RIO_EXTENSION_FUNCTION_TABLE, RIOSendEx) == 32, "table: RIOSendEx");
RIO_ASSERT(offsetof(RIO_EXTENSION_FUNCTION_TABLE, RIODequeueCompletion) == 64,
           "table: RIODequeueCompletion");
RIO_ASSERT(offsetof(RIO_EXTENSION_FUNCTION_TABLE, RIOResizeRequestQueue) == 104,
           "table: RIOResizeRequestQueue");
#endif
RIO_ASSERT(sizeof(RIO_CMSG_BUFFER) == 4, "RIO_CMSG_BUFFER size");
RIO_ASSERT(RIO_EVENT_COMPLETION == 1 && RIO_IOCP_COMPLETION == 2, "notification types");
RIO_ASSERT(RIO_MSG_DONT_NOTIFY == 1 && RIO_MSG_DEFER == 2 && RIO_MSG_WAITALL == 4 &&
               RIO_MSG_COMMIT_ONLY == 8,
           "request flags");
RIO_ASSERT(SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER == 0xC8000024, "the ioctl's number");
RIO_ASSERT(WSA_FLAG_REGISTERED_IO == 0x100, "the socket flag");

/* ringside_rio_load: the table, by way of a socket that was made with WSA_FLAG_REGISTERED_IO.
 *
 * Returns  0, or Winsock's error: WSAEOPNOTSUPP or WSAEINVAL where the system has no Registered I/O
 *          (Windows 7 and earlier, Wine). Winsock must have been started. Any thread. */
static __inline int ringside_rio_load(SOCKET socket, RIO_EXTENSION_FUNCTION_TABLE *table) {
    GUID id = WSAID_MULTIPLE_RIO;
    DWORD bytes = 0;
    memset(table, 0, sizeof *table);
    table->cbSize = sizeof *table;
    return WSAIoctl(socket, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, table,
                    sizeof *table, &bytes, NULL, NULL) == 0
               ? 0
               : WSAGetLastError();
}

#ifdef __cplusplus
}
#endif

#endif
