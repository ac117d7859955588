/* SPDX-License-Identifier: MIT */
/* The only file of the project that names the Windows headers.
 *
 * Order matters: winsock2.h before windows.h, or windows.h drags in the old winsock.h and every
 * socket declaration clashes. Gaps of MinGW-w64 against the SDK are filled here, and only here. */
#ifndef RS_WIN_WIN_H
#define RS_WIN_WIN_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif

#if defined(_MSC_VER)
#pragma warning(push)
#pragma warning(disable : 4668 4820 5105) /* the SDK's own headers, under /Wall */
#endif

/* MinGW's windows.h takes all of x86intrin.h, which is three quarters of what it costs to compile.
 * What the two macros below want of it is built into both compilers. */
#if defined(__GNUC__) && defined(__x86_64__)
#define _X86INTRIN_H_INCLUDED /* gcc */
#define __X86INTRIN_H         /* clang */
#endif

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <windows.h>
#include <psapi.h>
#include <process.h>

#if defined(_MSC_VER)
#pragma warning(pop)
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#undef YieldProcessor
#define YieldProcessor __builtin_ia32_pause
#undef ReadTimeStampCounter
#define ReadTimeStampCounter __builtin_ia32_rdtsc
#endif

/* winsock2.h of the SDK since Windows 8; absent from MinGW-w64 10. */
#ifndef SOMAXCONN_HINT
#define SOMAXCONN_HINT(b) (-(b))
#endif

/* winerror.h of the SDK; absent from MinGW-w64 10. */
#ifndef ERROR_DISK_QUOTA_EXCEEDED
#define ERROR_DISK_QUOTA_EXCEEDED 1295L
#endif

/* ws2def.h of the SDK since Windows 10: lets ConnectEx, which needs a bind, share local ports. */
#ifndef SO_REUSE_UNICASTPORT
#define SO_REUSE_UNICASTPORT 0x3007
#endif

#endif
