/* SPDX-License-Identifier: MIT */
/* Registered I/O as an SDK declares it, from the public header, after the Windows headers in the
 * order of win.h. No state. For programs that see src and src/common alone, too: hence the path. */
#ifndef RS_RIO_RIO_ABI_H
#define RS_RIO_RIO_ABI_H

#include "win/win.h"

#include "../../include/ringside/ringside_rio.h"

#endif
