/* SPDX-License-Identifier: MIT */
/* ringside_rio.dll: Registered I/O for Wine, over Linux io_uring.
 *
 * A program that finds no RIO by WSAIoctl(SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER) may load
 * this DLL and look up the functions below by name; all are WINAPI, none is needed for RIO itself.
 * On a kernel that forbids io_uring the same table is served by an emulation over overlapped
 * calls. Settings come from the environment: settings.h. Nothing here exists on real Windows. */
#ifndef RS_WINE_RINGSIDE_RIO_H
#define RS_WINE_RINGSIDE_RIO_H

#include "rio/rio_abi.h"

/* ringside_rio_table: the function table, cbSize filled. FALSE when the settings mean nothing or
 * RINGSIDE_RIO_PROVIDER_MODE=io_uring cannot be served; then one line on stderr names the cause. */
typedef BOOL(WINAPI *rs_fn_ringside_rio_table)(RIO_EXTENSION_FUNCTION_TABLE *table);

/* ringside_rio_provider_name: "wine-io_uring" or "emulated"; valid after ringside_rio_table. */
typedef const char *(WINAPI *rs_fn_ringside_rio_provider_name)(void);

/* ringside_rio_closesocket: closesocket for a socket that has a request queue, and for any other.
 * REQUIRED: the provider holds a descriptor of its own, and with plain closesocket the peer would
 * never see the end of the connection. Requests outstanding complete, those not carried out with
 * WSA_OPERATION_ABORTED. Any thread, while no other call on its request queue is in progress. */
typedef int(WINAPI *rs_fn_ringside_rio_closesocket)(SOCKET s);

/* ringside_rio_shutdown: shutdown, after everything committed was handed to the kernel. Needed
 * because commits are lazy, see lazy.h. */
typedef int(WINAPI *rs_fn_ringside_rio_shutdown)(SOCKET s, int how);

/* ringside_rio_wait: sleeps until a completion queue holds a completion, a port holds a packet,
 * ringside_rio_wake is called, or the time is over. Optional: it takes the place of "RIONotify,
 * then GetQueuedCompletionStatusEx", without the two trips to wineserver that these cost.
 *
 * cq       any completion queue of this provider, also one without notification.
 * port     NULL, or an I/O completion port. From the first call on a thread of the provider
 *          receives this port's packets; nobody else should. One port per completion queue.
 * entries, capacity, *taken   as GetQueuedCompletionStatusEx; may be NULL, 0, NULL without a port.
 * timeout_ms   0 = only look; INFINITE = no limit.
 * Returns TRUE when there may be something: look at *taken and dequeue. FALSE and
 * GetLastError() = WAIT_TIMEOUT when the time is over; ERROR_NOT_SUPPORTED when this provider
 * (emulated) cannot, then fall back to RIONotify; WSAEINVAL for a bad queue.
 * Also submits lazy commits, in the same system call; from the first wait on, cq's commits leave
 * with the program's next call on it, and not by themselves. Spurious TRUE is allowed.
 * Thread: the one that dequeues from cq. RIONotify may be armed meanwhile but need not be. */
typedef BOOL(WINAPI *rs_fn_ringside_rio_wait)(RIO_CQ cq, HANDLE port, OVERLAPPED_ENTRY *entries,
                                              ULONG capacity, ULONG *taken, DWORD timeout_ms);

/* ringside_rio_wake: ends a wait on cq, the present one or the next. Any thread. */
typedef void(WINAPI *rs_fn_ringside_rio_wake)(RIO_CQ cq);

/* ringside_rio_counters: what the provider did so far, for statistics and tests. */
typedef struct ringside_rio_counts {
    ULONGLONG enters;                                     /* io_uring_enter calls */
    ULONGLONG completion_queues, request_queues, buffers; /* open now */
    ULONGLONG standing; /* of the request queues: that have received by a multishot operation */
    ULONGLONG patient;  /* waits for sends and one completion more, which some kernels can, */
    ULONGLONG patience; /* as here if this is above 0 */
} ringside_rio_counts;
typedef void(WINAPI *rs_fn_ringside_rio_counters)(ringside_rio_counts *out);

/* ringside_rio_hook: replaces WSAIoctl, WSASocketW/A, socket, accept, WSAAccept, closesocket and
 * shutdown in one module's import table, so that a program written for Windows finds RIO by
 * itself. Returns whether anything was replaced. riorun does more: all modules of the program, and
 * the exports of Winsock for those that come later or look functions up at run time. */
typedef BOOL(WINAPI *rs_fn_ringside_rio_hook)(HMODULE module);

#endif
