/* SPDX-License-Identifier: MIT */
/* The calls of the Windows back ends, as the copy of their sources that tests/chaos compiles makes
 * them. Included in front of each of those files by the compiler's command line; the product's own
 * sources know nothing of it. Each stand-in has the signature and the results of what it stands
 * for. */
#ifndef RS_CHAOS_CALLS_H
#define RS_CHAOS_CALLS_H

#include "win/win.h"

int chaos_WSAStartup(WORD version, WSADATA *data);
int chaos_WSACleanup(void);
SOCKET chaos_WSASocketW(int family, int type, int protocol, WSAPROTOCOL_INFOW *info, GROUP group,
                        DWORD flags);
int chaos_WSAIoctl(SOCKET socket, DWORD code, void *in, DWORD in_bytes, void *out, DWORD out_bytes,
                   DWORD *bytes, OVERLAPPED *overlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
int chaos_bind(SOCKET socket, const struct sockaddr *name, int bytes);
int chaos_listen(SOCKET socket, int backlog);
int chaos_getsockname(SOCKET socket, struct sockaddr *name, int *bytes);
int chaos_getsockopt(SOCKET socket, int level, int option, char *value, int *bytes);
int chaos_setsockopt(SOCKET socket, int level, int option, const char *value, int bytes);
int chaos_ioctlsocket(SOCKET socket, long code, u_long *value);
int chaos_connect(SOCKET socket, const struct sockaddr *name, int bytes);
SOCKET chaos_accept(SOCKET listener, struct sockaddr *name, int *bytes);
int chaos_send(SOCKET socket, const char *data, int bytes, int flags);
int chaos_recv(SOCKET socket, char *data, int bytes, int flags);
int chaos_shutdown(SOCKET socket, int how);
int chaos_closesocket(SOCKET socket);
int chaos_WSARecv(SOCKET socket, WSABUF *buffers, DWORD count, DWORD *bytes, DWORD *flags,
                  OVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
int chaos_WSASend(SOCKET socket, WSABUF *buffers, DWORD count, DWORD *bytes, DWORD flags,
                  OVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
HANDLE chaos_CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads);
BOOL chaos_SetFileCompletionNotificationModes(HANDLE file, UCHAR modes);
BOOL chaos_GetQueuedCompletionStatus(HANDLE port, DWORD *bytes, ULONG_PTR *key,
                                     OVERLAPPED **overlapped, DWORD wait_ms);
BOOL chaos_GetQueuedCompletionStatusEx(HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                                       ULONG *count, DWORD wait_ms, BOOL alertable);
BOOL chaos_PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key,
                                      OVERLAPPED *overlapped);
BOOL chaos_CancelIoEx(HANDLE file, OVERLAPPED *overlapped);
HANDLE chaos_CreateEventW(SECURITY_ATTRIBUTES *security, BOOL manual, BOOL set, const WCHAR *name);
BOOL chaos_SetEvent(HANDLE event);
DWORD chaos_WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD wait_ms);
HANDLE chaos_CreateWaitableTimerExW(SECURITY_ATTRIBUTES *security, const WCHAR *name, DWORD flags,
                                    DWORD access);
BOOL chaos_SetWaitableTimer(HANDLE timer, const LARGE_INTEGER *due, LONG period,
                            PTIMERAPCROUTINE routine, void *arg, BOOL resume);
BOOL chaos_CloseHandle(HANDLE handle);

#ifndef CHAOS_REAL_CALLS

#define WSAStartup(a, b) chaos_WSAStartup(a, b)
#define WSACleanup() chaos_WSACleanup()
#define WSASocketW(a, b, c, d, e, f) chaos_WSASocketW(a, b, c, d, e, f)
#define WSAIoctl(a, b, c, d, e, f, g, h, i) chaos_WSAIoctl(a, b, c, d, e, f, g, h, i)
#define bind(a, b, c) chaos_bind(a, b, c)
#define listen(a, b) chaos_listen(a, b)
#define getsockname(a, b, c) chaos_getsockname(a, b, c)
#define getsockopt(a, b, c, d, e) chaos_getsockopt(a, b, c, d, e)
#define setsockopt(a, b, c, d, e) chaos_setsockopt(a, b, c, d, e)
#define ioctlsocket(a, b, c) chaos_ioctlsocket(a, b, c)
#define connect(a, b, c) chaos_connect(a, b, c)
#define accept(a, b, c) chaos_accept(a, b, c)
#define send(a, b, c, d) chaos_send(a, b, c, d)
#define recv(a, b, c, d) chaos_recv(a, b, c, d)
#define shutdown(a, b) chaos_shutdown(a, b)
#define closesocket(a) chaos_closesocket(a)
#define WSARecv(a, b, c, d, e, f, g) chaos_WSARecv(a, b, c, d, e, f, g)
#define WSASend(a, b, c, d, e, f, g) chaos_WSASend(a, b, c, d, e, f, g)
#define CreateIoCompletionPort(a, b, c, d) chaos_CreateIoCompletionPort(a, b, c, d)
#define SetFileCompletionNotificationModes(a, b) chaos_SetFileCompletionNotificationModes(a, b)
#define GetQueuedCompletionStatus(a, b, c, d, e) chaos_GetQueuedCompletionStatus(a, b, c, d, e)
#define GetQueuedCompletionStatusEx(a, b, c, d, e, f)                                              \
    chaos_GetQueuedCompletionStatusEx(a, b, c, d, e, f)
#define PostQueuedCompletionStatus(a, b, c, d) chaos_PostQueuedCompletionStatus(a, b, c, d)
#define CancelIoEx(a, b) chaos_CancelIoEx(a, b)
#undef CreateEventW
#define CreateEventW(a, b, c, d) chaos_CreateEventW(a, b, c, d)
#define SetEvent(a) chaos_SetEvent(a)
#define WaitForMultipleObjects(a, b, c, d) chaos_WaitForMultipleObjects(a, b, c, d)
#define CreateWaitableTimerExW(a, b, c, d) chaos_CreateWaitableTimerExW(a, b, c, d)
#define SetWaitableTimer(a, b, c, d, e, f) chaos_SetWaitableTimer(a, b, c, d, e, f)
#define CloseHandle(a) chaos_CloseHandle(a)

#endif

#endif
