/* SPDX-License-Identifier: MIT */
/* System calls from the provider's Windows half to Linux.
 *
 * Opened once per process; afterwards any thread may call. Nothing here is documented by Wine:
 * the dispatcher variable and the information class are the ones that winecrt0 uses in Wine 8 and
 * 10, see docs/rio-provider.md. On real Windows rs_gate_open fails and nothing else may be called.
 */
#ifndef RS_WINE_GATE_H
#define RS_WINE_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* rs_gate_open: finds the Unix half. On failure *why is one static line with the remedy. */
bool rs_gate_open(const char **why);

/* rs_gate_call6: one Linux system call. Returns its result, -errno on failure. May block. */
int64_t rs_gate_call6(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                      int64_t f);

/* rs_gate_socket_fd: a duplicate of the descriptor behind a Windows SOCKET, or negative:
 * RS_GATE_FULL when this process may open no more, else -1. A round trip to wineserver (11 to 50
 * us): once per connection. The caller closes it. */
#define RS_GATE_FULL (-2)
int rs_gate_socket_fd(uintptr_t socket_handle);

/* rs_gate_was_reset: a stream that reads as ended was reset. received: bytes read from it so far.
 *
 * wineserver watches every socket for POLLERR and may read, and so clear, SO_ERROR before our
 * request runs: a reset then looks like an orderly end. The TCP state still tells, CLOSE instead
 * of CLOSE_WAIT, unless both sides had ended their directions in order; then the kernel's count of
 * bytes tells, which includes a FIN. */
bool rs_gate_was_reset(int fd, uint64_t received);

/* rs_gate_never_connected: a stream without a connection, and none that ended either. */
bool rs_gate_never_connected(int fd);

/* rs_gate_make_room: a datagram socket holds so many datagrams of 1 KiB, as the receives posted on
 * it would on Windows, if the machine allows it. Behind Wine's back, so that SO_RCVBUF still reads
 * as the program left it. A negative fd is ignored. */
void rs_gate_make_room(int fd, uint32_t datagrams);

/* rs_gate_close_fd: closes a descriptor of ours; a negative one is ignored. */
void rs_gate_close_fd(int fd);

#endif
