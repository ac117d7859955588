/* SPDX-License-Identifier: MIT */
/* The public statuses, and how an error is filled. */
#ifndef RS_CORE_STATUS_H
#define RS_CORE_STATUS_H

#include "ringside/status.h"

/* rs_error_set: fills *error (nullable) with a printf-formatted line and returns status, so that
 * "set and return" is one statement and no failure leaves with a stale text. */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
rs_status
rs_error_set(rs_error *error, rs_status status, const char *call, uint32_t os_error,
             const char *format, ...);

#endif
