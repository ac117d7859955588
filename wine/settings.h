/* SPDX-License-Identifier: MIT */
/* The provider's settings, read once from the environment when its table is first asked for.
 *
 *   RINGSIDE_RIO_PROVIDER_MODE  auto (default): io_uring where the kernel allows it, else emulated;
 *                               io_uring: refuse to serve without it; emulated: never use it
 *   RINGSIDE_RIO_OPS            plain (default): RECV and SEND; fixed: registered buffers with
 *                               READ_FIXED and WRITE_FIXED; zc: SEND_ZC from registered buffers,
 *                               which completes only when the peer's system has the bytes, after
 *                               a close too
 *   RINGSIDE_RIO_RING           irq, coop (default; under riorun irq), single: rs_ring_mode in
 *                               ring.h. With coop a completion whose request another thread posted
 *                               waits until that thread enters the kernel or its time slice's next
 *                               tick, 4 ms on most kernels; irq interrupts it. single is for
 *                               a program that uses each completion queue from one thread only,
 *                               closing its sockets included. A notification may then be
 *                               spurious, RIO_MSG_DONT_NOTIFY is not honoured, and a lazy commit
 *                               waits for the program's next call without a limit
 *   RINGSIDE_RIO_COMMIT         lazy (default), eager: see lazy.h
 *   RINGSIDE_RIO_FILES          1 (default), 0: sockets with a standing receive in the ring's file
 *                               table, from Linux 6.14 on
 *   RINGSIDE_RIO_POLL_FIRST     1 (default), 0: a receive on a socket that the last receive emptied
 *                               waits for data before it tries
 *   RINGSIDE_RIO_MULTISHOT      1 (default): standing receives, where the kernel has them, see
 *                               uring_standing.h; 0: none. For tests: always: from a
 *                               connection's first receive on; refused: the kernel is asked for
 *                               something that it does not know, and refuses
 *   RINGSIDE_RIO_NOTIFY_PAUSE   0 (default), 1: for tests: RIONotify waits between its look at the
 *                               queue and the arming, so that a completion can come in between
 *
 * An unknown value is an error: the table is refused, with a line on stderr. */
#ifndef RS_WINE_SETTINGS_H
#define RS_WINE_SETTINGS_H

#include <stdbool.h>

#include "ring.h"

#define RS_RING_VARIABLE "RINGSIDE_RIO_RING"

typedef enum rs_mode { RS_MODE_AUTO, RS_MODE_URING, RS_MODE_EMULATED } rs_mode;
typedef enum rs_ops { RS_OPS_PLAIN, RS_OPS_FIXED, RS_OPS_ZC } rs_ops;

typedef enum rs_multishot {
    RS_MULTISHOT_OFF,
    RS_MULTISHOT_ON,
    RS_MULTISHOT_ALWAYS,
    RS_MULTISHOT_REFUSED
} rs_multishot;

typedef struct rs_settings {
    rs_mode mode;
    rs_ops ops;
    rs_ring_mode ring;
    bool lazy;
    bool files;
    bool poll_first;
    rs_multishot multishot;
    bool notify_pause;
} rs_settings;

/* rs_settings_read: false and a line on stderr for an invalid value. */
bool rs_settings_read(rs_settings *out);

#endif
