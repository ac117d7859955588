/* SPDX-License-Identifier: MIT */
/* Wine's <winsock2.h> has its calls as WINAPI and no name of their own for that. */
#ifndef RS_CLANG_CL_WINSOCK2_H
#define RS_CLANG_CL_WINSOCK2_H

#include_next <winsock2.h>

#ifndef WSAAPI
#define WSAAPI WINAPI
#endif

#endif
