/* SPDX-License-Identifier: MIT */
/* The back end over I/O completion ports: seam/backend.h on WSARecv, WSASend, AcceptEx, ConnectEx
 * and one port per instance. */
#ifndef RS_IOCP_IOCP_BACKEND_H
#define RS_IOCP_IOCP_BACKEND_H

#include "iocp/iocp_settings.h"
#include "seam/backend.h"

extern const rs_backend_api rs_iocp_backend;

#endif
