/* SPDX-License-Identifier: MIT */
/* The operating system's error numbers, translated once.
 *
 * One table for three families that do not collide: Win32 (below 10000), Winsock (10000..11999) and
 * the NTSTATUS values that OVERLAPPED.Internal carries (errors from 0x80000000 up; reading them
 * there saves the kernel call that WSAGetOverlappedResult would be). Pure C over numbers, so that
 * the native unit test walks it. Any thread. */
#ifndef RS_WIN_WIN_ERROR_H
#define RS_WIN_WIN_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* What a caller does about an error; the status is what it reports. */
typedef enum rs_win_class {
    RS_WIN_NONE,  /* no error */
    RS_WIN_AGAIN, /* pending, would block, interrupted: not an error if the class is checked; the
                     status is for a call that has ended anyway: RS_E_OS */
    RS_WIN_PEER,  /* this connection is gone or never came up: a counter, not a log line */
    RS_WIN_LOCAL, /* cancelled by our own close */
    RS_WIN_BUG,   /* our own mistake: bad handle, bad argument, bad state */
    RS_WIN_RESOURCES, /* buffers, quota, handles, locked pages: give up this one, continue */
    RS_WIN_FATAL      /* anything else */
} rs_win_class;

typedef struct rs_win_error {
    uint32_t code;
    rs_win_class class_of;
    rs_status status;
} rs_win_error;

/* rs_win_error_find: status and class of a code; unknown ones are {code, RS_WIN_FATAL, RS_E_OS}.
 * 0 is {0, RS_WIN_NONE, RS_OK}. O(table). */
rs_win_error rs_win_error_find(uint32_t code);

/* rs_win_error_status: shorthand for rs_win_error_find(code).status. */
rs_status rs_win_error_status(uint32_t code);

/* rs_win_error_table: the whole table, for the test that walks it. *count = entries. */
const rs_win_error *rs_win_error_table(size_t *count);

#endif
