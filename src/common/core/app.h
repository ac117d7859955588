/* SPDX-License-Identifier: MIT */
/* What an application is, from the public headers. */
#ifndef RS_CORE_APP_H
#define RS_CORE_APP_H

#include "ringside/loop.h"
#include "ringside/session.h"

#endif
