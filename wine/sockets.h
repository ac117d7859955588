/* SPDX-License-Identifier: MIT */
/* Which request queue belongs to a SOCKET, and which sockets may have one. Any thread. */
#ifndef RS_WINE_SOCKETS_H
#define RS_WINE_SOCKETS_H

#include "provider.h"

/* rs_socket_add: false when the socket has a request queue already. */
bool rs_socket_add(rs_rio_rq *rq);
/* rs_socket_take: removes and returns the socket's request queue; NULL = it has none. Its handle
 * is closed by this. */
rs_rio_rq *rs_socket_take(SOCKET s);
/* rs_socket_find: the socket's request queue, or NULL. */
rs_rio_rq *rs_socket_find(SOCKET s);

/* With riorun the provider sees sockets being created and refuses those without
 * WSA_FLAG_REGISTERED_IO, as Windows does; without it every socket is accepted. rs_socket_watch:
 * from now on flags are known. rs_socket_flag: this one has it, or is gone. */
void rs_socket_watch(void);
void rs_socket_flag(SOCKET s, bool registered_io);
bool rs_socket_may(SOCKET s);

/* rs_provider_close, _shutdown: the exports' bodies, for the import hooks. */
int rs_provider_close(SOCKET s);
int rs_provider_shutdown(SOCKET s, int how);

#endif
