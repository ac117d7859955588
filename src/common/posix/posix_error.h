/* SPDX-License-Identifier: MIT */
/* errno numbers to statuses: the only place of the native port that knows them. Any thread. */
#ifndef RS_POSIX_POSIX_ERROR_H
#define RS_POSIX_POSIX_ERROR_H

#include "core/status.h"

/* rs_posix_status: the status for an errno value; 0 gives RS_OK, an unknown one RS_E_OS. */
rs_status rs_posix_status(int os_error);

#endif
